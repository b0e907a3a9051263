//! Detections: searches of the message tracking for mail that an analyst would want to know of. Each has a name, which is
//! the value of the label `search` and which the alerts look for.
//!
//! The API combines filters on the fate of a message as alternatives, so that no search here has two of them: whether a
//! message was delivered is read from its row.

use std::collections::BTreeMap;

use super::tracking::{FilterProblem, FilterValue, Search};

/// The detection of mail from outside with a sender of one's own domain; `/` and the domain follow.
pub const SPOOFED_SENDER: &str = "spoofed_internal_sender";
/// The search for one's own probe message.
pub const CANARY: &str = "canary";

/// A search that needs no parameters.
#[derive(Clone, Copy, Debug)]
pub struct Detection {
    /// The value of the label `search`.
    pub name: &'static str,
    /// The messages that it finds.
    pub help: &'static str,
    filter: (&'static str, FilterText),
    counts_delivered_only: bool,
}

#[derive(Clone, Copy, Debug)]
enum FilterText {
    Flag,
    Word(&'static str),
}

const fn detection(name: &'static str, help: &'static str, filter: &'static str, text: FilterText) -> Detection {
    Detection { name, help, filter: (filter, text), counts_delivered_only: false }
}

impl Detection {
    const fn delivered(self) -> Self {
        Self { counts_delivered_only: true, ..self }
    }

    /// The search.
    ///
    /// # Errors
    /// A filter that tracking does not know; a test excludes it.
    pub fn search(&self) -> Result<Search, Vec<FilterProblem>> {
        let (name, value) = self.filter;
        let value = match value {
            FilterText::Flag => FilterValue::Flag(true),
            FilterText::Word(word) => FilterValue::Text(word.to_owned()),
        };
        let search = Search::try_new(&BTreeMap::from([(name.to_owned(), value)]))?;
        Ok(if self.counts_delivered_only { search.of_delivered_messages() } else { search })
    }
}

/// Sorted by name.
const DETECTIONS: &[Detection] = &[
    detection(
        "dlp_violation_delivered",
        "Outgoing mail that violated a data-loss policy and was delivered unencrypted",
        "dlp_action",
        FilterText::Word("delivered"),
    ),
    detection(
        "dmarc_failure_delivered",
        "Mail that failed DMARC and was delivered",
        "dmarc_action",
        FilterText::Word("failed"),
    )
    .delivered(),
    detection(
        "malicious_attachment_delivered",
        "Mail with a virus that was delivered",
        "virus_positive",
        FilterText::Flag,
    )
    .delivered(),
    detection(
        "malicious_link_delivered",
        "Mail with a malicious link that was delivered",
        "contained_malicious_urls",
        FilterText::Flag,
    )
    .delivered(),
    detection("messages_dropped", "Mail that was dropped", "delivery_status", FilterText::Word("DROPPED")),
    detection("outbreak_quarantined", "Mail in the outbreak quarantine", "in_outbreak_quarantine", FilterText::Flag),
];

/// The detections that need no parameters, sorted by name.
#[must_use]
pub fn detections() -> &'static [Detection] {
    DETECTIONS
}

/// The search for delivered mail from outside whose envelope sender has the domain `domain`, with its name.
///
/// # Errors
/// The domain cannot be searched for.
pub fn spoofed_sender(domain: &str) -> Result<(String, Search), Vec<FilterProblem>> {
    let filters = BTreeMap::from([
        (
            "envelope_sender".to_owned(),
            FilterValue::Comparison { operator: "contains".to_owned(), value: format!("@{domain}") },
        ),
        ("mail_policy_direction".to_owned(), FilterValue::Text("inbound".to_owned())),
    ]);
    Ok((format!("{SPOOFED_SENDER}/{domain}"), Search::try_new(&filters)?.of_delivered_messages()))
}

/// The search for delivered probe messages from `sender` (all of the address) and with `subject` (a part of it).
///
/// # Errors
/// One of them cannot be searched for.
pub fn canary(sender: Option<String>, subject: Option<String>) -> Result<Search, Vec<FilterProblem>> {
    let comparison = |name: &str, operator: &str, value: Option<String>| {
        Some((name.to_owned(), FilterValue::Comparison { operator: operator.to_owned(), value: value? }))
    };
    let sender = comparison("envelope_sender", "is", sender);
    let subject = comparison("subject", "contains", subject);
    Ok(Search::try_new(&sender.into_iter().chain(subject).collect())?.of_delivered_messages())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::tracking::Outcome;

    #[test]
    fn each_detection_has_one_filter_on_the_fate_of_a_message() {
        assert!(DETECTIONS.is_sorted_by(|one, next| one.name < next.name));
        for detection in DETECTIONS {
            let search = detection.search().unwrap_or_else(|problems| panic!("{}: {problems:?}", detection.name));
            assert_eq!(search.parameters().matches('&').count(), 1, "{}", detection.name);
            let is_delivered = detection.name.ends_with("_delivered") && detection.name != "dlp_violation_delivered";
            assert_eq!(search.outcome() == Outcome::Delivered, is_delivered, "{}", detection.name);
            assert!(![SPOOFED_SENDER, CANARY].contains(&detection.name));
        }
    }

    #[test]
    fn domains_and_probes_become_filters() {
        let (name, search) = spoofed_sender("example.com").expect("a domain");
        assert_eq!(name, "spoofed_internal_sender/example.com");
        assert_eq!(
            search.parameters(),
            "searchOption=messages&envelopeSenderfilterOperator=contains&envelopeSenderfilterValue=%40example.com\
             &mailPolicyDirection=inbound"
        );
        let probe = canary(Some("probe@example.com".into()), Some("canary".into())).expect("a search");
        assert_eq!(
            probe.parameters(),
            "searchOption=messages&envelopeSenderfilterOperator=is&envelopeSenderfilterValue=probe%40example.com\
             &subjectfilterOperator=contains&subjectfilterValue=canary"
        );
        assert!(canary(None, Some("\n".into())).is_err());
    }
}

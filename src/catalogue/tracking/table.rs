//! The filters of the message tracking, and the nearest of them to a misspelt name.
//!
//! **Source:** a published client of the API 2.0, for the parameters, whose spelling is not regular, and for the words that
//! some of them take.

use super::{Filter, ValueKind};
use crate::base::spelling::NearestNames;

const DIRECTIONS: ValueKind = ValueKind::OneOf(&["inbound", "outbound"]);

/// Sorted by name.
const FILTERS: &[Filter] = &[
    filter("attachment_name", ValueKind::Comparison, "attachmentName"),
    filter("contained_malicious_urls", ValueKind::Flag, "containedMaliciousUrls"),
    filter("contained_neutral_urls", ValueKind::Flag, "containedNeutralUrls"),
    filter("content_filter", ValueKind::Text, "contentFiltersName"),
    filter("content_filter_action", ValueKind::OneOf(&["stopped"]), "contentFiltersAction"),
    filter("content_filter_direction", DIRECTIONS, "contentFiltersDirection"),
    filter("dane_failure", ValueKind::Flag, "daneFailure"),
    filter("delivery_status", ValueKind::OneOf(&["DELIVERED", "DROPPED", "ABORTED", "BOUNCED"]), "deliveryStatus"),
    filter("dlp_action", ValueKind::OneOf(&["delivered", "encrypted", "dropped"]), "dlpAction"),
    filter("dlp_severity", ValueKind::OneOf(&["critical", "high", "medium", "low"]), "dlpViolationsSeverities"),
    filter("dlp_violation", ValueKind::Text, "dlpViolationsNames"),
    filter("dmarc_action", ValueKind::OneOf(&["none", "quarantine", "reject", "passed", "failed"]), "dmarcAction"),
    filter("dmarc_from", ValueKind::Text, "dmarcFrom"),
    filter("domain_name", ValueKind::Comparison, "domainName"),
    filter("envelope_recipient", ValueKind::Comparison, "envelopeRecipientfilter"),
    filter("envelope_sender", ValueKind::Comparison, "envelopeSenderfilter"),
    filter("file_sha256", ValueKind::Text, "fileSha256"),
    filter("geo_location", ValueKind::Text, "geoLocation"),
    filter("graymail", ValueKind::Flag, "graymail"),
    filter("hard_bounced", ValueKind::Flag, "hardBounced"),
    filter("in_outbreak_quarantine", ValueKind::Flag, "inOutbreakQuarantine"),
    filter("ip_reputation", ValueKind::Text, "ipReputation"),
    filter("mail_policy", ValueKind::Text, "mailPolicyName"),
    filter("mail_policy_direction", DIRECTIONS, "mailPolicyDirection"),
    filter("message_delivered", ValueKind::Flag, "message_delivered"),
    filter("message_filter", ValueKind::Text, "messageFilters"),
    filter("message_id_header", ValueKind::Text, "messageIdHeader"),
    filter("mid", ValueKind::Text, "ciscoMid"),
    filter(
        "quarantine_status",
        ValueKind::OneOf(&["POLICY", "AMP", "AV", "UNCLASSIFIED", "DLP", "OUTBREAK"]),
        "quarantineStatus",
    ),
    filter("quarantined_as_spam", ValueKind::Flag, "quarantinedAsSpam"),
    filter("quarantined_to", ValueKind::Text, "quarantinedTo"),
    filter("reply_to", ValueKind::Comparison, "replyTo"),
    filter("sdr_category", ValueKind::Text, "sdrCategories"),
    filter("sdr_threat_level", ValueKind::Text, "sdrThreatLevels"),
    filter("sender_ip", ValueKind::Text, "senderIp"),
    filter("smime", ValueKind::OneOf(&["smime_successful", "smime_failed"]), "smime"),
    filter("soft_bounced", ValueKind::Flag, "softBounced"),
    filter("spam_positive", ValueKind::Flag, "spamPositive"),
    filter("subject", ValueKind::Comparison, "subjectfilter"),
    filter("suspect_spam", ValueKind::Flag, "suspectSpam"),
    filter("threat_name", ValueKind::Text, "threatName"),
    filter("url_category", ValueKind::Text, "urlCategories"),
    filter("url_reputation", ValueKind::Text, "urlReputation"),
    filter("virus_positive", ValueKind::Flag, "virusPositive"),
];

const fn filter(name: &'static str, value_kind: ValueKind, parameter: &'static str) -> Filter {
    Filter { name, value_kind, parameter }
}

/// Every filter, sorted by name.
#[must_use]
pub fn filters() -> &'static [Filter] {
    FILTERS
}

/// The filter of that name.
pub(super) fn filter_named(name: &str) -> Option<&'static Filter> {
    FILTERS.iter().find(|filter| filter.name == name || filter.parameter == name)
}

/// The comparison to which the API's own parameter `name` belongs, and which part of it that is.
pub(super) fn comparison_part(name: &str) -> Option<(&'static Filter, FilterPart)> {
    let parts = [("Operator", FilterPart::Operator), ("Value", FilterPart::Value)];
    let (stem, part) = parts.into_iter().find_map(|(end, part)| Some((name.strip_suffix(end)?, part)))?;
    let comparison =
        FILTERS.iter().find(|filter| filter.parameter == stem && filter.value_kind == ValueKind::Comparison)?;
    Some((comparison, part))
}

/// The two parameters of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FilterPart {
    Operator,
    Value,
}

/// The filter that was probably meant: the API's spelling leads to it as well as a slip of the pen.
pub(super) fn nearest(name: &str) -> Option<&'static Filter> {
    /// Slips in one name; more make it another.
    const MOST_SLIPS: usize = 3;
    let meant = bare(name);
    let most = MOST_SLIPS.min(meant.chars().count().saturating_sub(1) / 2);
    let mut search = NearestNames::new(&meant, most, 1);
    let spellings = |filter: &'static Filter| [filter.name, filter.parameter].map(|spelling| (bare(spelling), filter));
    let known: Vec<(String, &Filter)> = FILTERS.iter().flat_map(spellings).collect();
    known.iter().for_each(|(spelling, _)| search.consider(spelling));
    let found = search.found();
    known.into_iter().find(|(spelling, _)| found.first() == Some(spelling)).map(|(_, filter)| filter)
}

/// A name without what differs between manners of writing, cut where it is longer than any.
fn bare(name: &str) -> String {
    const LONGEST: usize = 64;
    let letters = name.chars().filter(|letter| letter.is_alphanumeric());
    letters.map(|letter| letter.to_ascii_lowercase()).take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_sorted_and_parameters_unique() {
        assert!(FILTERS.is_sorted_by(|one, next| one.name < next.name));
        let parameters: BTreeSet<_> = FILTERS.iter().map(|filter| filter.parameter).collect();
        assert_eq!(parameters.len(), FILTERS.len());
        for filter in FILTERS {
            assert_eq!(filter_named(filter.name), Some(filter));
            assert!(filter.name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_'));
            assert!(filter.parameter.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'));
            assert!(!matches!(filter.value_kind, ValueKind::OneOf([])));
        }
        assert_eq!((filter_named("spamPositive"), filter_named("SpamPositive")), (filter_named("spam_positive"), None));
    }

    #[test]
    fn the_nearest_name_is_found_and_none_where_none_is_near() {
        let nearest = |name| nearest(name).map(|filter| filter.name);
        for filter in FILTERS {
            assert_eq!(nearest(filter.name), Some(filter.name));
            assert_eq!(nearest(filter.parameter), Some(filter.name));
        }
        assert_eq!(nearest("envelope-senders"), Some("envelope_sender"));
        assert_eq!(nearest("Delivery Status"), Some("delivery_status"));
        assert_eq!(nearest("virus_possitive"), Some("virus_positive"));
        for name in ["", "x", "mx", "colour", &"subject".repeat(1000)] {
            assert_eq!(nearest(name), None, "{name}");
        }
    }
}

//! The filters of message tracking. **Source:** stix-shifter, for names (odd letters included), operators and values.

use crate::sim::answer::Answer;
use crate::sim::attribute::{TextFilter, given, invalid, one_of};
use crate::sim::request::Request;
use crate::sim::tracking::TrackedEvent;

/// Conditions on texts: what comes before `Operator` and `Value`.
pub(super) const TEXTS: [&str; 6] =
    ["envelopeSenderfilter", "envelopeRecipientfilter", "subjectfilter", "attachmentName", "domainName", "replyTo"];

/// Filters by one value, or several with commas between them, of which one must fit (assumed).
pub(super) const WORDS: [&str; 26] = [
    "senderIp",
    "fileSha256",
    "messageIdHeader",
    "ciscoMid",
    "deliveryStatus",
    "mailPolicyName",
    "mailPolicyDirection",
    "messageFilters",
    "contentFiltersName",
    "contentFiltersDirection",
    "contentFiltersAction",
    "dlpViolationsNames",
    "dlpViolationsSeverities",
    "dlpAction",
    "dmarcAction",
    "dmarcFrom",
    "ipReputation",
    "sdrCategories",
    "sdrThreatLevels",
    "urlCategories",
    "urlReputation",
    "quarantinedTo",
    "quarantineStatus",
    "threatName",
    "geoLocation",
    "smime",
];

/// Filters that are `true` or `false`, as published clients write them with a capital; false asks for nothing (assumed).
pub(super) const FLAGS: [&str; 12] = [
    "spamPositive",
    "suspectSpam",
    "virusPositive",
    "graymail",
    "hardBounced",
    "softBounced",
    "message_delivered",
    "quarantinedAsSpam",
    "inOutbreakQuarantine",
    "containedMaliciousUrls",
    "containedNeutralUrls",
    "daneFailure",
];

/// A condition on a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TrackingFilter {
    Text(&'static str, TextFilter),
    Word(&'static str, Vec<String>),
    Flag(&'static str),
}

/// Every filter in a request.
pub(super) fn filters(request: &Request) -> Result<Vec<TrackingFilter>, Answer> {
    let mut filters = Vec::new();
    for name in TEXTS {
        let text = TextFilter::given(request, &format!("{name}Operator"), &format!("{name}Value"))?;
        filters.extend(text.map(|text| TrackingFilter::Text(name, text)));
    }
    for name in WORDS {
        let word = if name == "deliveryStatus" { delivery_status(request)? } else { given(request, name) };
        let words = word.map(|words| words.split(',').map(str::to_owned).collect());
        filters.extend(words.map(|words| TrackingFilter::Word(name, words)));
    }
    for name in FLAGS {
        let flag = one_of(request, name, &["true", "True", "false", "False"])?;
        filters.extend(matches!(flag, Some("true" | "True")).then_some(TrackingFilter::Flag(name)));
    }
    Ok(filters)
}

fn delivery_status(request: &Request) -> Result<Option<&str>, Answer> {
    const KNOWN: [&str; 4] = ["DELIVERED", "DROPPED", "ABORTED", "BOUNCED"];
    let words = given(request, "deliveryStatus");
    let known = words.is_none_or(|words| words.split(',').all(|word| KNOWN.contains(&word)));
    if known { Ok(words) } else { Err(invalid("deliveryStatus")) }
}

impl TrackingFilter {
    /// Whether it is about the fate of a message, and so an alternative to others of its kind. **Source:** stix-shifter,
    /// `or_supported_values`; user guide of AsyncOS 7.5, "events are added with an OR operator".
    fn is_about_an_event(&self) -> bool {
        const OF_THE_MESSAGE: [&str; 4] = ["senderIp", "fileSha256", "messageIdHeader", "ciscoMid"];
        match self {
            Self::Text(..) => false,
            Self::Word(name, _) => !OF_THE_MESSAGE.contains(name),
            Self::Flag(_) => true,
        }
    }

    /// Whether all filters together admit a message: all those about itself, and any of those about its fate.
    pub(super) fn all_admit(filters: &[Self], message: &TrackedEvent<'_>) -> bool {
        let (events, others): (Vec<_>, Vec<_>) = filters.iter().partition(|filter| filter.is_about_an_event());
        let is_admitted = |filter: &&Self| filter.admits(message);
        others.iter().all(is_admitted) && (events.is_empty() || events.iter().any(is_admitted))
    }

    fn admits(&self, message: &TrackedEvent<'_>) -> bool {
        match self {
            Self::Text("envelopeSenderfilter", text) => text.admits(message.sender()),
            Self::Text("envelopeRecipientfilter", text) => text.admits(message.recipient()),
            Self::Text("subjectfilter", text) => text.admits(message.subject()),
            Self::Text("domainName", text) => text.admits(message.sender_domain()),
            Self::Text("replyTo", text) => text.admits(message.sender()),
            // Attachments: one message in eight has one of this name.
            Self::Text(name, text) => message.happens(&format!("{name} {text:?}"), 8),
            Self::Word(name, words) => words.iter().any(|word| is(message, name, word)),
            Self::Flag("message_delivered") => message.delivery() == "DELIVERED",
            Self::Flag("hardBounced") => message.delivery() == "BOUNCED",
            Self::Flag(name) => message.has(name, None, 10),
        }
    }
}

fn is(message: &TrackedEvent<'_>, name: &str, word: &str) -> bool {
    match name {
        "senderIp" => message.sender_address() == word,
        "ciscoMid" => message.mid().to_string() == word,
        "deliveryStatus" => message.delivery() == word,
        "mailPolicyName" => message.policy() == word,
        "mailPolicyDirection" => {
            matches!((message.direction(), word), ("incoming", "inbound") | ("outgoing", "outbound"))
                || message.direction() == word
        }
        _ => message.has(name, Some(word), 20),
    }
}

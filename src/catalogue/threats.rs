//! Reports about messages by sender reputation, threat feeds and outbreak rules.
//!
//! **Source:** the vendor's Swagger description of the API 2.0.

use std::borrow::Cow::Borrowed;

use super::Source::{Inferred, Swagger};
use super::entry::{count, sum};
use super::{DeviceType, Group, Profile, Unit};

const MESSAGES: Unit = count("messages");

/// AsyncOS 14.2 renamed the verdicts; how its API spells them is not published. Until an answer shows it, the old names
/// stand here, and new ones arrive as unknown counters.
pub(super) const SENDER_DOMAIN_REPUTATION: Group = Group {
    name: Borrowed("mail_sender_domain_reputation"),
    help: Borrowed("Messages by the reputation of their sender domain; AsyncOS 14.2 renamed the verdicts"),
    kind_source: Inferred,
    profile: Some(Profile::Default),
    about: DeviceType::Mail,
    key: None,
    others: None,
    counters: Borrowed(&[
        sum("awful", MESSAGES, Swagger, "Sender domain rated awful (untrusted since AsyncOS 14.2)"),
        sum("good", MESSAGES, Swagger, "Sender domain rated good (trusted since AsyncOS 14.2)"),
        sum("neutral", MESSAGES, Swagger, "Sender domain rated neutral (favorable since AsyncOS 14.2)"),
        sum("not_scanned", MESSAGES, Swagger, "Sender domain not looked up"),
        sum("poor", MESSAGES, Swagger, "Sender domain rated poor (questionable since AsyncOS 14.2)"),
        sum("tainted", MESSAGES, Swagger, "Sender domain rated tainted (neutral since AsyncOS 14.2)"),
        sum("unknown", MESSAGES, Swagger, "Sender domain of unknown reputation"),
        sum("unscannable", MESSAGES, Swagger, "Sender domain impossible to rate"),
        sum("weak", MESSAGES, Swagger, "Sender domain rated weak (neutral since AsyncOS 14.2)"),
    ]),
};

pub(super) const THREAT_FEEDS: Group = Group {
    name: Borrowed("mail_threatfeeds_indicator_summary"),
    help: Borrowed("Messages that matched an external threat feed, by kind of indicator"),
    kind_source: Inferred,
    profile: Some(Profile::Full),
    about: DeviceType::Mail,
    key: None,
    others: None,
    counters: Borrowed(&[
        sum("domain", MESSAGES, Swagger, "Domain listed by a threat feed"),
        sum("file_hash", MESSAGES, Swagger, "File hash listed by a threat feed"),
        sum("url", MESSAGES, Swagger, "URL listed by a threat feed"),
    ]),
};

pub(super) const OUTBREAK: Group = Group {
    name: Borrowed("mail_vof_specific_threat_summary"),
    help: Borrowed("Virus and malware threats found by Outbreak Filters"),
    kind_source: Swagger,
    profile: Some(Profile::Default),
    about: DeviceType::Mail,
    key: None,
    others: None,
    counters: Borrowed(&[sum(
        "threat_detected_virus_or_malware",
        MESSAGES,
        Swagger,
        "Virus or malware threat found by Outbreak Filters",
    )]),
};

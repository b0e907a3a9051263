//! Threats: viruses and malware by name, threats of sender domains, threat feeds. Names and
//! indicators are unbounded, levels, categories and feeds are bounded.
//!
//! **Source:** the vendor's Swagger description of the API 2.0; the vendor's guide shows viruses keyed, for the
//! others that is inferred.

use std::borrow::Cow::Borrowed;

use crate::catalogue::Source::{Documented, Inferred, Swagger};
use crate::catalogue::entry::{count, keyed, sum, text};
use crate::catalogue::{DeviceType, Group, Keys, Profile, Unit};

const MESSAGES: Unit = count("messages");
/// No source says which of the two the matches of a feed are counted in.
const INDICATORS: Unit = count("indicators or messages");
/// The names say recipients, the guide says messages.
const EITHER: Unit = count("messages or recipients");

pub(super) const MALWARE: Group = Group {
    name: Borrowed("mail_incoming_malware_threat_file_detail"),
    help: Borrowed("Malicious files in incoming mail by threat"),
    kind_source: Inferred,
    profile: None,
    about: DeviceType::Mail,
    key: keyed("threat", Keys::Unbounded),
    others: None,
    counters: Borrowed(&[sum(
        "detected_amp",
        count("recipients"),
        Swagger,
        "Malicious file found by AMP reputation or analysis",
    )]),
};

pub(super) const VIRUSES: Group = Group {
    name: Borrowed("mail_virus_type_detail"),
    help: Borrowed("Viruses found, by name and direction"),
    kind_source: Documented,
    profile: None,
    about: DeviceType::Mail,
    key: keyed("virus", Keys::Unbounded),
    others: None,
    counters: Borrowed(&[
        sum("incoming_total_recipients", EITHER, Swagger, "Incoming, virus found"),
        sum("outgoing_total_recipients", EITHER, Swagger, "Outgoing, virus found"),
        sum("total_recipients", EITHER, Swagger, "Virus found in either direction"),
    ]),
};

pub(super) const SENDER_DOMAIN_CATEGORIES: Group = Group {
    name: Borrowed("mail_sender_domain_threat_categories"),
    help: Borrowed("Messages by the threat category of their sender domain"),
    kind_source: Inferred,
    profile: Some(Profile::Full),
    about: DeviceType::Mail,
    key: keyed("threat_category", Keys::Bounded),
    others: None,
    counters: Borrowed(&[sum("total_threat_messages", MESSAGES, Swagger, "Sender domain known as a threat")]),
};

pub(super) const SENDER_DOMAIN_LEVELS: Group = Group {
    name: Borrowed("mail_sender_domain_threat_levels"),
    help: Borrowed("Messages by the threat level of their sender domain"),
    kind_source: Inferred,
    profile: Some(Profile::Full),
    about: DeviceType::Mail,
    key: keyed("threat_level", Keys::Bounded),
    others: None,
    counters: Borrowed(&[sum("total_threats", MESSAGES, Swagger, "Sender domain rated at the threat level")]),
};

pub(super) const INDICATORS_MATCHED: Group = Group {
    name: Borrowed("mail_threatfeeds_indicator_value_detail"),
    help: Borrowed("Matches of external threat feeds by indicator"),
    kind_source: Inferred,
    profile: None,
    about: DeviceType::Mail,
    key: keyed("indicator", Keys::Unbounded),
    others: None,
    counters: Borrowed(&[
        sum("ioc_consumed", count("matches"), Swagger, "Indicator of a threat feed found in mail"),
        text("ioc_type", Swagger, "Kind of the indicator"),
    ]),
};

pub(super) const FEEDS: Group = Group {
    name: Borrowed("mail_threatfeeds_source_detail"),
    help: Borrowed("Matches of external threat feeds by feed and kind of indicator"),
    kind_source: Inferred,
    profile: Some(Profile::Full),
    about: DeviceType::Mail,
    key: keyed("feed", Keys::Bounded),
    others: None,
    counters: Borrowed(&[
        sum("domain_indicator", INDICATORS, Swagger, "Domain listed by the threat feed"),
        sum("file_hash_indicator", INDICATORS, Swagger, "File hash listed by the threat feed"),
        sum("ip_indicator", INDICATORS, Swagger, "IP address listed by the threat feed"),
        sum("total_messages_matched", MESSAGES, Swagger, "Matched the threat feed by any indicator"),
        sum("url_indicator", INDICATORS, Swagger, "URL listed by the threat feed"),
    ]),
};

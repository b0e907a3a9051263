//! The counter groups of the vendor's reporting API, as data: names, aggregations, units, help texts and where each fact
//! is known from. Knows nothing of requests, windows or the text format; whoever renders a metric takes its name here.

mod connections;
mod entry;
mod files;
mod incoming;
mod keyed;
mod name;
mod outgoing;
mod remediation;
mod system;
mod table;
mod threats;

pub use table::table;

use std::fmt;

/// How the values of several windows combine; it decides which kinds of metric a counter may become.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Aggregation {
    /// Additive: two adjacent windows together have the sum of both values.
    Sum,
    /// A mean over the window; means nothing beyond it.
    Average,
    /// The largest value within the window.
    Maximum,
    /// A state at the end of the window.
    Last,
    /// Not a number; never a sample.
    Text,
}

/// What a value is counted in, both as the appliance sends it and as it is published.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unit {
    /// Things of the named kind, in the plural.
    Count(&'static str),
    /// Bytes.
    Bytes,
    /// Seconds.
    Seconds,
    /// Sent as 0 to 100, published as a ratio of 0 to 1.
    Percent,
    /// Not a number.
    Text,
}

/// What a name or a kind is known from, strongest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// An answer of a real appliance that was made public.
    Recorded,
    /// A guide or an addendum published by the vendor.
    Documented,
    /// The vendor's Swagger description of the API 2.0, which appliances carry.
    Swagger,
    /// A published client program that depends on it.
    Client,
    /// Concluded from the name, from the place in API 1.0 or from the web interface: likely, not certain.
    Inferred,
}

/// How much is asked for unless the configuration names groups; each profile contains the smaller ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Profile {
    /// Whether mail flows and the appliance keeps up.
    Minimal,
    /// The above, with encryption, logins, malware, data loss and senders.
    Default,
    /// Every scalar group.
    Full,
}

/// One number of a group.
///
/// A counter that is absent from an answer is missing, not zero: releases differ in what they send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counter {
    /// The vendor's name, as it stands in answers.
    pub name: &'static str,
    /// How values of several windows combine.
    pub aggregation: Aggregation,
    /// What the value is counted in.
    pub unit: Unit,
    /// What is counted, as the beginning of a HELP text: without unit and full stop.
    pub help: &'static str,
    /// What the name is known from.
    pub source: Source,
}

/// One report of the API that answers with a value per counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Group {
    /// The vendor's name, the last part of the path.
    pub name: &'static str,
    /// What the report tells, without full stop.
    pub help: &'static str,
    /// What it is known from that the report has one row rather than one per key.
    pub kind_source: Source,
    /// The smallest profile that contains the group.
    pub profile: Profile,
    /// Every counter known of any release, names unique.
    pub counters: &'static [Counter],
}

/// Sorted by name.
const GROUPS: &[Group] = &[
    remediation::ADVANCED_PHISHING_PROTECTION,
    files::AMP_THREATS,
    connections::AUTHENTICATION,
    outgoing::DLP,
    files::INCOMING_AMP,
    files::INCOMING_THREAT_FILES,
    incoming::TRAFFIC,
    remediation::MAILBOX_AUTO,
    remediation::MAILBOX_ON_DEMAND,
    files::OUTGOING_AMP,
    files::OUTGOING_THREAT_FILES,
    outgoing::TRAFFIC,
    connections::SECURITY,
    threats::SENDER_DOMAIN_REPUTATION,
    connections::SENDER_GROUPS,
    system::CAPACITY,
    threats::THREAT_FEEDS,
    threats::OUTBREAK,
    system::REPORTING,
];

/// Every scalar group, sorted by name.
#[must_use]
pub fn groups() -> &'static [Group] {
    GROUPS
}

/// The scalar group of that name; none for a keyed or an unknown one.
#[must_use]
pub fn group(name: &str) -> Option<&'static Group> {
    let position = GROUPS.binary_search_by(|group| group.name.cmp(name)).ok()?;
    GROUPS.get(position)
}

/// The groups of a profile and of the smaller ones, sorted by name.
pub fn profile(wanted: Profile) -> impl Iterator<Item = &'static Group> {
    GROUPS.iter().filter(move |group| group.profile <= wanted)
}

/// Whether the API has a mail report of that name with a row per key, which this version does not collect yet.
#[must_use]
pub fn is_keyed(name: &str) -> bool {
    keyed::NAMES.binary_search(&name).is_ok()
}

impl Group {
    /// The counter of that name; none where no release is known to send it.
    #[must_use]
    pub fn counter(&self, name: &str) -> Option<&'static Counter> {
        self.counters.iter().find(|counter| counter.name == name)
    }

    /// The path of the report below the root of the API, without a leading slash.
    #[must_use]
    pub fn api_path(&self) -> String {
        format!("reporting/{}", self.name)
    }
}

impl Counter {
    /// Whether the value is a number, and so may become a sample.
    #[must_use]
    pub const fn is_numeric(&self) -> bool {
        !matches!(self.aggregation, Aggregation::Text)
    }
}

impl Unit {
    /// The end of a metric's name; empty for counts and text.
    #[must_use]
    pub const fn suffix(self) -> &'static str {
        match self {
            Self::Count(_) | Self::Text => "",
            Self::Bytes => "_bytes",
            Self::Seconds => "_seconds",
            Self::Percent => "_ratio",
        }
    }

    /// The published value of a value the appliance sent.
    #[must_use]
    pub fn scale(self, raw: f64) -> f64 {
        match self {
            Self::Percent => raw / 100.0,
            Self::Count(_) | Self::Bytes | Self::Seconds | Self::Text => raw,
        }
    }

    /// What the published value counts, as HELP says it.
    #[must_use]
    pub const fn noun(self) -> &'static str {
        match self {
            Self::Count(noun) => noun,
            Self::Bytes => "bytes",
            Self::Seconds => "seconds",
            Self::Percent => "ratio",
            Self::Text => "text",
        }
    }
}

impl fmt::Display for Profile {
    /// The name the configuration knows it by.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::Minimal => "minimal",
            Self::Default => "default",
            Self::Full => "full",
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn is_name(text: &str) -> bool {
        text.starts_with(|first: char| first.is_ascii_lowercase())
            && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    }

    fn names(wanted: Profile) -> Vec<&'static str> {
        profile(wanted).map(|group| group.name).collect()
    }

    #[test]
    fn groups_are_sorted_and_unique() {
        assert!(groups().is_sorted_by(|one, next| one.name < next.name));
        assert!(keyed::NAMES.is_sorted_by(|one, next| one < next));
        assert_eq!((groups().len(), keyed::NAMES.len()), (19, 61));
    }

    #[test]
    fn counters_are_unique_within_their_group() {
        for group in groups() {
            let unique: BTreeSet<_> = group.counters.iter().map(|counter| counter.name).collect();
            assert_eq!(unique.len(), group.counters.len(), "{}", group.name);
        }
        assert_eq!(groups().iter().map(|group| group.counters.len()).sum::<usize>(), 145);
    }

    #[test]
    fn every_name_is_a_plain_identifier() {
        let counters = groups().iter().flat_map(|group| group.counters).map(|counter| counter.name);
        let groups = groups().iter().map(|group| group.name);
        for name in counters.chain(groups).chain(keyed::NAMES.iter().copied()) {
            assert!(is_name(name), "{name}");
        }
    }

    #[test]
    fn every_group_is_found_by_its_name() {
        for known in groups() {
            assert_eq!(group(known.name), Some(known));
            assert_eq!(known.api_path(), format!("reporting/{}", known.name));
            for counter in known.counters {
                assert_eq!(known.counter(counter.name), Some(counter));
            }
            assert_eq!(known.counter("no_such_counter"), None);
        }
        assert_eq!((group(""), group("mail_incoming"), group("zzz")), (None, None, None));
    }

    #[test]
    fn a_group_is_scalar_or_keyed_never_both() {
        for name in keyed::NAMES {
            assert!(is_keyed(name) && group(name).is_none(), "{name}");
        }
        assert!(groups().iter().all(|group| !is_keyed(group.name)));
        assert!(!is_keyed("no_such_group"));
    }

    #[test]
    fn each_profile_contains_the_smaller_ones() {
        let minimal = ["mail_incoming_traffic_summary", "mail_outgoing_traffic_summary", "mail_system_capacity"];
        let default = [
            "mail_authentication_summary",
            "mail_dlp_outgoing_traffic_summary",
            "mail_incoming_amp_summary",
            "mail_incoming_traffic_summary",
            "mail_outgoing_amp_summary",
            "mail_outgoing_traffic_summary",
            "mail_security_summary",
            "mail_sender_domain_reputation",
            "mail_sender_group_summary",
            "mail_system_capacity",
            "mail_vof_specific_threat_summary",
        ];
        assert_eq!(names(Profile::Minimal), minimal);
        assert_eq!(names(Profile::Default), default);
        assert_eq!(profile(Profile::Full).count(), groups().len());
    }

    #[test]
    fn text_is_an_aggregation_and_a_unit_at_once() {
        for counter in groups().iter().flat_map(|group| group.counters) {
            assert_eq!(counter.is_numeric(), counter.unit != Unit::Text, "{}", counter.name);
        }
    }

    #[test]
    fn only_percentages_are_scaled() {
        assert_eq!(Unit::Percent.scale(12.5), 0.125);
        for unit in [Unit::Count("messages"), Unit::Bytes, Unit::Seconds, Unit::Text] {
            assert_eq!(unit.scale(12.5), 12.5);
        }
    }
}

//! The counter groups of the vendor's reporting API, as data: names, aggregations, units, help texts and where each fact
//! is known from. Knows nothing of requests, windows or the text format; names of metrics come from here.

mod connections;
mod entry;
mod files;
mod incoming;
mod keyed;
mod name;
mod outgoing;
mod remediation;
mod search;
mod system;
mod table;
mod threats;
pub mod tracking;
mod web;

pub use name::{ScopeKind, is_reserved};
pub use search::{SEARCH_COUNTER, search_group};
pub use table::table;

use std::borrow::Cow;
use std::fmt;

/// The rule that combines the values of several windows; it decides which kinds of metric a counter may become.
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
    /// Nobody knows.
    Unknown,
    /// Not a number; never a sample.
    Text,
}

/// The unit of a value, both as the appliance sends it and as it is published.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Unit {
    /// Things of the named kind, in the plural.
    Count(Cow<'static, str>),
    /// Bytes.
    Bytes,
    /// Seconds.
    Seconds,
    /// Sent as percent, published as a ratio: 1 for 100 percent. More than that is possible.
    Percent,
    /// Not a number.
    Text,
}

/// The source of a name or a kind, strongest first.
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

/// The set of groups requested unless the configuration names groups; each profile contains the smaller ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Profile {
    /// Whether mail flows and the appliance keeps up.
    Minimal,
    /// The above, with encryption, logins, malware, data loss and senders.
    Default,
    /// Every group whose keys are bounded, if it has keys.
    Full,
}

/// One number of a group, or one column of a keyed one.
///
/// A counter that is absent from an answer is missing, not zero: releases differ in what they send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counter {
    /// The vendor's name, as it stands in answers.
    pub name: Cow<'static, str>,
    /// The rule that combines the values of several windows.
    pub aggregation: Aggregation,
    /// The unit of the value.
    pub unit: Unit,
    /// The quantity, as the beginning of a HELP text: without unit and full stop.
    pub help: Cow<'static, str>,
    /// The source of the name.
    pub source: Source,
}

/// Which kind of appliance a report is about; the value of the parameter `device_type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DeviceType {
    /// Mail, of gateways and managers.
    Mail,
    /// Web traffic, known to managers alone.
    Web,
    /// No report, but messages that a search of the message tracking finds.
    Tracking,
}

/// The number of keys that a report may have, and whether they identify persons.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Keys {
    /// As many as somebody configured or the vendor named: policies, filters, levels. Complete, so sums are true.
    Bounded,
    /// As many as the world has: domains, threats, URLs.
    Unbounded,
    /// Without limit, and they identify persons: users, senders, subjects, addresses.
    Personal,
}

/// The key that distinguishes the rows of a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// The label that carries it.
    pub label: Cow<'static, str>,
    /// The number of keys that are possible.
    pub keys: Keys,
}

/// One report of the API: a value per counter, or one per counter and key.
///
/// Whether an answer has keys is decided from the answer. What stands here says what is expected, and how to label it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The vendor's name, the last part of the path.
    pub name: Cow<'static, str>,
    /// The content of the report, without full stop.
    pub help: Cow<'static, str>,
    /// The source of whether the report has one row or one per key.
    pub kind_source: Source,
    /// The smallest profile that contains the group; none for groups that are only requested by name.
    pub profile: Option<Profile>,
    /// The device type that it is about.
    pub about: DeviceType,
    /// The key that distinguishes its rows; none where it has one row.
    pub key: Option<Key>,
    /// The kind of its other counters, if known without knowing their names.
    pub others: Option<(Aggregation, Unit)>,
    /// Every counter known of any release, names unique.
    pub counters: Cow<'static, [Counter]>,
}

/// The label of keys in an answer that was not expected to have any.
pub const UNNAMED_KEY: &str = "key";

/// Those with one row, sorted by name.
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

/// Every group: those with one row, those with a row per key, those about the web; each sorted by name.
pub fn groups() -> impl Iterator<Item = &'static Group> {
    [GROUPS, keyed::GROUPS, web::GROUPS].into_iter().flatten()
}

/// The group of that name.
#[must_use]
pub fn group(name: &str) -> Option<&'static Group> {
    groups().find(|group| group.name == name)
}

/// Whether `metric` is the gauge or the total of a counter of the catalogue, of whatever scope.
#[must_use]
pub fn is_taken(metric: &str) -> bool {
    let may_have = |group: &&Group| metric.contains(&*group.name);
    let is_of = |group: &Group, counter: &Counter, scope| {
        counter.gauge_name(group, scope) == metric || counter.total_name(group, scope).is_some_and(|it| it == metric)
    };
    groups().filter(may_have).any(|group| {
        group.counters.iter().any(|counter| ScopeKind::ALL.into_iter().any(|scope| is_of(group, counter, scope)))
    })
}

/// The groups of a profile and of the smaller ones.
pub fn profile(wanted: Profile) -> impl Iterator<Item = &'static Group> {
    groups().filter(move |group| group.profile.is_some_and(|profile| profile <= wanted))
}

impl Group {
    /// The counter of that name; none where no release is known to send it.
    #[must_use]
    pub fn counter(&self, name: &str) -> Option<&Counter> {
        self.counters.iter().find(|counter| counter.name == name)
    }

    /// The path of the report below the root of the API, without a leading slash.
    #[must_use]
    pub fn api_path(&self) -> String {
        match self.about {
            DeviceType::Mail | DeviceType::Web => format!("reporting/{}", self.name),
            DeviceType::Tracking => "message-tracking/messages".to_owned(),
        }
    }

    /// The label of keys in an answer that has some.
    #[must_use]
    pub fn key_label(&self) -> &str {
        self.key.as_ref().map_or(UNNAMED_KEY, |key| &key.label)
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
    pub const fn suffix(&self) -> &'static str {
        match self {
            Self::Count(_) | Self::Text => "",
            Self::Bytes => "_bytes",
            Self::Seconds => "_seconds",
            Self::Percent => "_ratio",
        }
    }

    /// The published value of a value the appliance sent.
    #[must_use]
    pub fn scale(&self, raw: f64) -> f64 {
        match self {
            Self::Percent => raw / 100.0,
            Self::Count(_) | Self::Bytes | Self::Seconds | Self::Text => raw,
        }
    }

    /// The noun for the published value in HELP.
    #[must_use]
    pub fn noun(&self) -> &str {
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
        profile(wanted).map(|group| &*group.name).collect()
    }

    #[test]
    fn groups_are_sorted_and_unique() {
        for section in [GROUPS, keyed::GROUPS, web::GROUPS] {
            assert!(section.is_sorted_by(|one, next| one.name < next.name));
        }
        assert_eq!([GROUPS, keyed::GROUPS, web::GROUPS].map(<[Group]>::len), [19, 61, 35]);
        assert_eq!(groups().map(|group| &group.name).collect::<BTreeSet<_>>().len(), groups().count());
    }

    #[test]
    fn counters_are_unique_within_their_group() {
        for group in groups() {
            let unique: BTreeSet<_> = group.counters.iter().map(|counter| &counter.name).collect();
            assert_eq!(unique.len(), group.counters.len(), "{}", group.name);
        }
        let counters = |section: &[Group]| section.iter().map(|group| group.counters.len()).sum::<usize>();
        assert_eq!([GROUPS, keyed::GROUPS, web::GROUPS].map(counters), [145, 300, 1]);
    }

    #[test]
    fn every_name_is_a_plain_identifier() {
        let counters = groups().flat_map(|group| &*group.counters).map(|counter| &*counter.name);
        let labels = groups().filter_map(|group| group.key.as_ref()).map(|key| &*key.label);
        for name in counters.chain(groups().map(|group| &*group.name)).chain(labels) {
            assert!(is_name(name), "{name}");
        }
    }

    #[test]
    fn every_group_is_found_by_its_name() {
        for known in groups() {
            assert_eq!(group(&known.name), Some(known));
            assert_eq!(known.api_path(), format!("reporting/{}", known.name));
            for counter in &*known.counters {
                assert_eq!(known.counter(&counter.name), Some(counter));
            }
            assert_eq!(known.counter("no_such_counter"), None);
        }
        assert_eq!((group(""), group("mail_incoming"), group("zzz")), (None, None, None));
    }

    #[test]
    fn bounded_keys_of_mail_come_with_a_profile_and_no_others() {
        for group in groups() {
            let is_bounded = group.key.as_ref().is_none_or(|key| key.keys == Keys::Bounded);
            let has_numbers = group.counters.iter().any(Counter::is_numeric);
            let expected = is_bounded && has_numbers && group.about == DeviceType::Mail;
            assert_eq!(group.profile.is_some(), expected, "{}", group.name);
        }
    }

    #[test]
    fn persons_are_known_as_such() {
        const PERSONAL: &[&str] = &["client_ip", "sender", "sender_ip", "subject", "user"];
        for key in groups().filter_map(|group| group.key.as_ref()) {
            assert!(!PERSONAL.contains(&&*key.label) || key.keys == Keys::Personal, "{key:?}");
        }
    }

    #[test]
    fn only_reports_about_the_web_have_unpublished_counters() {
        for group in groups() {
            assert_eq!(group.others.is_some(), group.about == DeviceType::Web, "{}", group.name);
        }
    }

    #[test]
    fn keys_have_labels_of_their_own() {
        for key in groups().filter_map(|group| group.key.as_ref()) {
            assert!(
                !["appliance", "device_group", "device", "group", "reason", "job", "instance"].contains(&&*key.label),
                "{key:?}"
            );
        }
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
            "mail_content_filter_incoming",
            "mail_content_filter_outgoing",
            "mail_policy_incoming",
            "mail_policy_outgoing",
        ];
        assert_eq!(names(Profile::Minimal), minimal);
        assert_eq!(names(Profile::Default), default);
    }

    #[test]
    fn text_is_an_aggregation_and_a_unit_at_once() {
        for counter in groups().flat_map(|group| &*group.counters) {
            assert_eq!(counter.is_numeric(), counter.unit != Unit::Text, "{}", counter.name);
        }
    }

    #[test]
    fn only_percentages_are_scaled() {
        assert_eq!(Unit::Percent.scale(12.5), 0.125);
        for unit in [Unit::Count("messages".into()), Unit::Bytes, Unit::Seconds, Unit::Text] {
            assert_eq!(unit.scale(12.5), 12.5);
        }
    }
}

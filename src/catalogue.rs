//! The counter groups of the vendor's reporting API, as data: names, aggregations, units, help texts and where each fact
//! is known from. Knows nothing of requests, windows or the text format; names of metrics come from here.

mod connections;
pub mod detections;
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
pub mod tracking;
mod web;

pub use entry::{Aggregation, Counter, DeviceType, Group, Key, Keys, Profile, Source, UNNAMED_KEY, Unit};
pub use name::{ScopeKind, is_reserved};
pub use table::table;

use std::borrow::Cow;

use entry::{count, sum};

/// The only counter of [`search_group`].
pub const SEARCH_COUNTER: &str = "messages";

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

/// The counter of a search of the message tracking, as a group that is polled in windows like any other.
#[must_use]
pub fn search_group() -> Group {
    let help = "Messages that the search of the message tracking finds";
    Group {
        name: "tracking".into(),
        help: "A search of the message tracking".into(),
        kind_source: Source::Recorded,
        profile: None,
        about: DeviceType::Tracking,
        key: None,
        others: None,
        counters: Cow::Owned(vec![sum(SEARCH_COUNTER, count("messages"), Source::Recorded, help)]),
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

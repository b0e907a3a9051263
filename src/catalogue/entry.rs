//! An entry of the catalogue: a counter group, its counters and its key, and short forms for the tables, one line each.
//! Knows no particular group.

use std::borrow::Cow;
use std::fmt;

use super::tracking::PATH;

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
            DeviceType::Tracking => PATH.to_owned(),
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

/// A counter whose windows add up.
pub(super) const fn sum(name: &'static str, unit: Unit, source: Source, help: &'static str) -> Counter {
    Counter { name: Cow::Borrowed(name), aggregation: Aggregation::Sum, unit, help: Cow::Borrowed(help), source }
}

/// A mean over the window.
pub(super) const fn average(name: &'static str, unit: Unit, source: Source, help: &'static str) -> Counter {
    Counter { name: Cow::Borrowed(name), aggregation: Aggregation::Average, unit, help: Cow::Borrowed(help), source }
}

/// The largest value within the window.
pub(super) const fn maximum(name: &'static str, unit: Unit, source: Source, help: &'static str) -> Counter {
    Counter { name: Cow::Borrowed(name), aggregation: Aggregation::Maximum, unit, help: Cow::Borrowed(help), source }
}

/// A state at the end of the window.
pub(super) const fn last(name: &'static str, unit: Unit, source: Source, help: &'static str) -> Counter {
    Counter { name: Cow::Borrowed(name), aggregation: Aggregation::Last, unit, help: Cow::Borrowed(help), source }
}

/// A value that is no number.
pub(super) const fn text(name: &'static str, source: Source, help: &'static str) -> Counter {
    Counter {
        name: Cow::Borrowed(name),
        aggregation: Aggregation::Text,
        unit: Unit::Text,
        help: Cow::Borrowed(help),
        source,
    }
}

/// Things of the named kind, in the plural.
pub(super) const fn count(noun: &'static str) -> Unit {
    Unit::Count(Cow::Borrowed(noun))
}

/// The key that distinguishes the rows of a report.
pub(super) const fn keyed(label: &'static str, keys: Keys) -> Option<Key> {
    Some(Key { label: Cow::Borrowed(label), keys })
}

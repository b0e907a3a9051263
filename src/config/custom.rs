//! `custom_counter_groups`: reports that the catalogue lacks, described by the operator.

use std::collections::BTreeSet;

use serde_yaml::Value;

use super::path::Path;
use super::problem::Problems;
use super::{field, raw};
use crate::catalogue::{self, Aggregation, Counter, DeviceType, Group, Key, Keys, Profile, ScopeKind, Source, Unit};

pub(super) const AGGREGATIONS: &[(&str, Aggregation)] = &[
    ("sum", Aggregation::Sum),
    ("average", Aggregation::Average),
    ("maximum", Aggregation::Maximum),
    ("last", Aggregation::Last),
];
pub(super) const ABOUT: &[(&str, DeviceType)] = &[("esa", DeviceType::Mail), ("wsa", DeviceType::Web)];
/// Labels that every series may have already.
const TAKEN: [&str; 5] = ["appliance", "device_group", "device", "instance", "job"];

/// The groups of the list; those that are wrong are left out and reported in `problems`.
pub(super) fn read(value: Option<&Value>, path: &Path, problems: &mut Problems) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let mut metrics = BTreeSet::new();
    for (position, element) in field::list(value, path, problems).unwrap_or_default().iter().enumerate() {
        let path = path.index(position);
        let Some(group) = group(element.clone(), &path, problems) else { continue };
        if groups.iter().any(|earlier| earlier.name == group.name) {
            problems.error(&path.key("name"), format!("`{}` is listed twice", group.name));
        } else if catalogue::group(&group.name).is_some() {
            problems.error(
                &path.key("name"),
                format!(
                    "`{}` is a built-in counter group: list it in \
                `counter_groups`",
                    group.name
                ),
            );
        } else if catalogue::is_reserved(&group.name) {
            let message = format!(
                "`{}` begins like the exporter's own metrics or those of device groups and devices: the vendor has no such \
                 report, and its metrics could be taken for another's",
                group.name
            );
            problems.error(&path.key("name"), message);
        } else {
            for counter in &*group.counters {
                let names = [
                    Some(counter.gauge_name(&group, ScopeKind::Appliance)),
                    counter.total_name(&group, ScopeKind::Appliance),
                ];
                // A unit or `total` at the end, or a longer name of the group, can make two names one.
                let mut is_shared = |metric: &String| catalogue::is_taken(metric) || !metrics.insert(metric.clone());
                if let Some(metric) = names.into_iter().flatten().find(|metric| is_shared(metric)) {
                    let message = format!("`{}` would share the metric `{metric}` with another counter", counter.name);
                    problems.error(&path.key("counters"), message);
                }
            }
            groups.push(group);
        }
    }
    groups
}

fn group(element: Value, path: &Path, problems: &mut Problems) -> Option<Group> {
    let raw = raw::Custom::read(element, path, problems);
    if raw.name.is_none() {
        problems.error(path, "`name` is missing");
    }
    let name = identifier(raw.name.as_ref(), &path.key("name"), problems);
    let label = identifier(raw.key.as_ref(), &path.key("key"), problems);
    if let Some(label) = label.as_deref().filter(|label| TAKEN.contains(label)) {
        problems.error(&path.key("key"), format!("`{label}` is already a label"));
    }
    let about = field::choice(raw.device_type.as_ref(), ABOUT, &path.key("device_type"), problems);
    let aggregation = field::choice(raw.aggregation.as_ref(), AGGREGATIONS, &path.key("aggregation"), problems);
    let unit = unit(raw.unit.as_ref(), &path.key("unit"), problems);
    if aggregation.is_none() && raw.aggregation.is_none() && raw.counters.is_none() {
        problems.error(path, "describes no counters: set `aggregation` and `unit` for all, or list `counters`");
    }
    let usual = (aggregation.unwrap_or(Aggregation::Last), unit.unwrap_or_else(events));
    let path = path.key("counters");
    let mut counters: Vec<Counter> = Vec::new();
    for (position, element) in
        field::list(raw.counters.as_ref(), &path, problems).unwrap_or_default().iter().enumerate()
    {
        let path = path.index(position);
        let Some(counter) = counter(element.clone(), &usual, &path, problems) else { continue };
        if counters.iter().any(|earlier| earlier.name == counter.name) {
            problems.error(&path, format!("`{}` is listed twice", counter.name));
        } else {
            counters.push(counter);
        }
    }
    Some(Group {
        name: name?.into(),
        help: "A report from the configuration".into(),
        kind_source: Source::Inferred,
        profile: Some(Profile::Default),
        about: about.unwrap_or(DeviceType::Mail),
        key: label.map(|label| Key { label: label.into(), keys: Keys::Bounded }),
        others: aggregation.is_some().then_some(usual),
        counters: counters.into(),
    })
}

fn counter(element: Value, usual: &(Aggregation, Unit), path: &Path, problems: &mut Problems) -> Option<Counter> {
    let raw = match element {
        Value::Mapping(_) => raw::CustomCounter::read(element, path, problems),
        name => raw::CustomCounter { name: Some(name), ..raw::CustomCounter::default() },
    };
    if raw.name.is_none() {
        problems.error(path, "`name` is missing");
    }
    let aggregation = field::choice(raw.aggregation.as_ref(), AGGREGATIONS, &path.key("aggregation"), problems);
    let unit = unit(raw.unit.as_ref(), &path.key("unit"), problems);
    let name = identifier(raw.name.as_ref(), path, problems)?;
    Some(Counter {
        name: name.into(),
        aggregation: aggregation.unwrap_or(usual.0),
        unit: unit.unwrap_or_else(|| usual.1.clone()),
        help: "A counter from the configuration".into(),
        source: Source::Inferred,
    })
}

fn events() -> Unit {
    Unit::Count("events".into())
}

/// `bytes`, `seconds` and `percent`, or what is counted.
fn unit(value: Option<&Value>, path: &Path, problems: &mut Problems) -> Option<Unit> {
    let noun = field::label(value, path, problems)?;
    Some(match noun.as_str() {
        "bytes" => Unit::Bytes,
        "seconds" => Unit::Seconds,
        "percent" => Unit::Percent,
        "count" => events(),
        _ => Unit::Count(noun.into()),
    })
}

/// A name that can be part of a metric's.
fn identifier(value: Option<&Value>, path: &Path, problems: &mut Problems) -> Option<String> {
    let name = field::label(value, path, problems)?;
    let usable = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_';
    if !name.starts_with(|first: char| first.is_ascii_lowercase()) || !name.chars().all(usable) {
        problems.error(
            path,
            format!("must be lower-case letters, digits and `_`, beginning with a letter, found `{name}`"),
        );
        return None;
    }
    Some(name)
}

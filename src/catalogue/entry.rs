//! Short forms for the tables of counters, one line each. Knows no group.

use std::borrow::Cow::Borrowed;

use super::{Aggregation, Counter, Key, Keys, Source, Unit};

/// A counter whose windows add up.
pub(super) const fn sum(name: &'static str, unit: Unit, source: Source, help: &'static str) -> Counter {
    Counter { name: Borrowed(name), aggregation: Aggregation::Sum, unit, help: Borrowed(help), source }
}

/// A mean over the window.
pub(super) const fn average(name: &'static str, unit: Unit, source: Source, help: &'static str) -> Counter {
    Counter { name: Borrowed(name), aggregation: Aggregation::Average, unit, help: Borrowed(help), source }
}

/// The largest value within the window.
pub(super) const fn maximum(name: &'static str, unit: Unit, source: Source, help: &'static str) -> Counter {
    Counter { name: Borrowed(name), aggregation: Aggregation::Maximum, unit, help: Borrowed(help), source }
}

/// A state at the end of the window.
pub(super) const fn last(name: &'static str, unit: Unit, source: Source, help: &'static str) -> Counter {
    Counter { name: Borrowed(name), aggregation: Aggregation::Last, unit, help: Borrowed(help), source }
}

/// A value that is no number.
pub(super) const fn text(name: &'static str, source: Source, help: &'static str) -> Counter {
    Counter { name: Borrowed(name), aggregation: Aggregation::Text, unit: Unit::Text, help: Borrowed(help), source }
}

/// Things of the named kind, in the plural.
pub(super) const fn count(noun: &'static str) -> Unit {
    Unit::Count(Borrowed(noun))
}

/// The key that distinguishes the rows of a report.
pub(super) const fn keyed(label: &'static str, keys: Keys) -> Option<Key> {
    Some(Key { label: Borrowed(label), keys })
}

//! Short forms for the tables of counters, one line each. Knows no group.

use super::{Aggregation, Counter, Source, Unit};

/// A counter whose windows add up.
pub(super) const fn sum(name: &'static str, unit: Unit, source: Source, help: &'static str) -> Counter {
    Counter { name, aggregation: Aggregation::Sum, unit, help, source }
}

/// A mean over the window.
pub(super) const fn average(name: &'static str, unit: Unit, source: Source, help: &'static str) -> Counter {
    Counter { name, aggregation: Aggregation::Average, unit, help, source }
}

/// The largest value within the window.
pub(super) const fn maximum(name: &'static str, unit: Unit, source: Source, help: &'static str) -> Counter {
    Counter { name, aggregation: Aggregation::Maximum, unit, help, source }
}

/// A value that is no number.
pub(super) const fn text(name: &'static str, source: Source, help: &'static str) -> Counter {
    Counter { name, aggregation: Aggregation::Text, unit: Unit::Text, help, source }
}

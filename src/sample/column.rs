//! One counter of a group: what its metrics are called, which values it may have, and what two rows are together.

use std::sync::Arc;

use super::Family;
use crate::api::{Measure, Number, Unusable};
use crate::catalogue::{Aggregation, Unit};

/// One counter of a group.
#[derive(Clone, Debug)]
pub(super) struct Column {
    pub(super) counter: Arc<str>,
    pub(super) aggregation: Aggregation,
    pub(super) unit: Unit,
    pub(super) gauge: Arc<Family>,
    /// None for what does not add up, or is not complete.
    pub(super) total: Option<Arc<Family>>,
}

impl Column {
    /// The names of its metrics.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        [Some(&self.gauge), self.total.as_ref()].into_iter().flatten().map(|family| family.name.as_str())
    }

    pub(super) fn is_of_events(&self) -> bool {
        self.total.is_some() && matches!(self.unit, Unit::Count(_))
    }

    /// `value` where it can be one of this counter: only a state may be negative, such as a reputation.
    pub(super) fn usable(&self, value: Result<Measure, Unusable>) -> Result<Number, Unusable> {
        let number = value?.in_unit(&self.unit)?;
        if self.aggregation == Aggregation::Last { Ok(number) } else { number.not_negative() }
    }

    /// The value of two rows that are one.
    pub(super) fn merge(&self, one: Number, other: Number) -> Result<Number, Unusable> {
        match self.aggregation {
            Aggregation::Sum => one.plus(other),
            Aggregation::Average
            | Aggregation::Maximum
            | Aggregation::Last
            | Aggregation::Unknown
            | Aggregation::Text => Ok(if one.as_f64() >= other.as_f64() { one } else { other }),
        }
    }
}

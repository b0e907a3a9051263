//! One counter of a group: what its metrics are called, which values it may have, and what two rows are together.

use std::sync::Arc;

use super::Family;
use crate::api::{Measure, Number, Unusable};
use crate::catalogue::{self, Aggregation, Group, ScopeKind, Unit};

/// The longest name of an unknown counter, in bytes.
const LONGEST_NAME: usize = 100;

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

/// Makes the columns of a group: names and help of its metrics.
#[derive(Clone, Copy, Debug)]
pub(super) struct Naming<'a> {
    pub(super) group: &'a Group,
    pub(super) scope: ScopeKind,
    /// Whether what adds up has totals: not where the report may be cut.
    pub(super) has_totals: bool,
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

impl Naming<'_> {
    /// The column of `counter`, with its families made by `family`.
    pub(super) fn column(self, counter: &catalogue::Counter, family: impl Fn(Family) -> Arc<Family>) -> Column {
        let Self { group, scope, has_totals } = self;
        let name: Arc<str> = counter.name.as_ref().into();
        let family = |metric, help| family(Family { name: metric, help, counter: Some(Arc::clone(&name)) });
        let total = counter.total_name(group, scope).filter(|_| has_totals);
        Column {
            aggregation: counter.aggregation,
            unit: counter.unit.clone(),
            gauge: family(counter.gauge_name(group, scope), counter.gauge_help(group, scope)),
            total: total.map(|metric| family(metric, counter.total_help(group, scope))),
            counter: Arc::clone(&name),
        }
    }

    /// The column of a counter that the catalogue does not hold; none where its name cannot be a metric's, or is one's.
    pub(super) fn unknown(self, counter: &str) -> Option<Column> {
        let usable = |letter: u8| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == b'_';
        if counter.is_empty() || counter.len() > LONGEST_NAME || !counter.bytes().all(usable) {
            return None;
        }
        let known = self.group.others.clone();
        let help = match known {
            Some((Aggregation::Unknown, _)) => "Counter whose meaning the vendor does not document",
            Some(_) => "Counter of a group from the configuration",
            None => "Counter unknown to this version of the exporter",
        };
        let (aggregation, unit) = known.unwrap_or((Aggregation::Unknown, Unit::Count("unit unknown".into())));
        let as_known = catalogue::Counter {
            name: counter.to_owned().into(),
            aggregation,
            unit,
            help: help.into(),
            source: catalogue::Source::Inferred,
        };
        // Not shared: names that an appliance makes up would be kept for ever.
        let is_taken = catalogue::is_taken(&as_known.gauge_name(self.group, self.scope));
        (!is_taken).then(|| self.column(&as_known, Arc::new))
    }
}

//! Families of metrics: name, kind of number and help. Most appliances of a fleet have the same families of reports, so
//! their texts are kept once for all.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

/// The kind of number of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A value of the moment.
    Gauge,
    /// A value that only grows.
    Counter,
    /// Counts by size.
    Histogram,
}

impl Kind {
    /// The word for it on a page.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Gauge => "gauge",
            Self::Counter => "counter",
            Self::Histogram => "histogram",
        }
    }
}

/// A metric whose name does not come from the catalogue.
#[derive(Clone, Copy, Debug)]
pub struct MetricDef {
    /// Its name.
    pub name: &'static str,
    /// The kind of its numbers.
    pub kind: Kind,
    /// Its HELP text.
    pub help: &'static str,
}

impl MetricDef {
    /// A value of the moment.
    #[must_use]
    pub const fn gauge(name: &'static str, help: &'static str) -> Self {
        Self { name, kind: Kind::Gauge, help }
    }

    /// A value that only grows.
    #[must_use]
    pub const fn counter(name: &'static str, help: &'static str) -> Self {
        Self { name, kind: Kind::Counter, help }
    }
}

/// A family of gauges or counters: its name and help.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Family {
    /// `asyncos_<group>_<counter>_last_window`, or `…_total`.
    pub name: String,
    /// The HELP text: quantity, unit and source.
    pub help: String,
    /// The counter of the report that it is made of; none where it is made of no report.
    pub counter: Option<Arc<str>>,
}

/// The families of the counters that are known by name. It grows with the configuration and never with what an
/// appliance says.
#[derive(Debug, Default)]
pub struct Families(Mutex<HashSet<Arc<Family>>>);

impl Families {
    /// `family`, or the equal one that is there.
    #[must_use]
    pub fn shared(&self, family: Family) -> Arc<Family> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = known.get(&family) {
            return Arc::clone(known);
        }
        let family = Arc::new(family);
        known.insert(Arc::clone(&family));
        family
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_families_are_shared_and_different_ones_are_not() {
        let families = Families::default();
        let family = |help: &str| families.shared(Family { name: "a".into(), help: help.into(), counter: None });
        assert!(Arc::ptr_eq(&family("x"), &family("x")));
        assert_eq!(*family("y"), Family { name: "a".into(), help: "y".into(), counter: None });
    }
}

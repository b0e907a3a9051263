//! Groups that no catalogue has, as a test makes them up: their names, counters and keys are whatever it says.

use std::collections::BTreeMap;

use crate::sim::span::Span;
use crate::sim::table::{Cell, Row, Table};
use crate::sim::traffic::{Device, DeviceMinute, EventStream, hash, mix, stream};

/// A mail group with made-up names; all its counters are sums.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomGroup {
    /// The name of the group.
    pub name: String,
    /// The names of its counters, in the order of the answer.
    pub counters: Vec<String>,
    /// The keys of a keyed group, the same on every device; none make the group scalar. Without any scalar counter or
    /// key the group is there and empty.
    pub keys: Vec<String>,
}

impl CustomGroup {
    /// A group of scalars.
    #[must_use]
    pub fn scalar(name: &str, counters: &[&str]) -> Self {
        Self::keyed(name, counters, &[])
    }

    /// A keyed group.
    #[must_use]
    pub fn keyed(name: &str, counters: &[&str], keys: &[&str]) -> Self {
        let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        Self { name: name.to_owned(), counters: owned(counters), keys: owned(keys) }
    }

    pub(super) fn is_keyed(&self) -> bool {
        !self.keys.is_empty()
    }

    /// The events of one counter, and of one key of a keyed group.
    pub(super) fn count(&self, devices: &[&str], counter: &str, key: &str, span: &Span) -> u64 {
        let stream = self.stream(counter, key);
        let of_device = |name: &&str| -> u64 {
            let device = Device::new(name);
            let of_minute = |minute| {
                let events = DeviceMinute::new(&device, minute).count(stream);
                events - span.missing(minute, events)
            };
            span.minutes().map(of_minute).sum()
        };
        devices.iter().map(of_device).sum()
    }

    /// Rows of a keyed group, with further keys; ranked by the first counter.
    pub(super) fn tally(&self, devices: &[&str], span: &Span, extra: &[String], zeros: bool) -> Table {
        let row = |key: &String| {
            let events: Vec<_> = self.counters.iter().map(|name| self.count(devices, name, key, span)).collect();
            let cells = events.iter().map(|&events| Cell::Events(events)).collect();
            let rank = events.first().copied().unwrap_or_default() as f64;
            let row = Row { key: key.clone(), host: None, rank, cells };
            (zeros || events.iter().any(|&events| events > 0)).then(|| (key.clone(), row))
        };
        let rows: BTreeMap<_, _> = self.keys.iter().chain(extra).filter_map(row).collect();
        Table { columns: self.counters.clone(), rows: rows.into_values().collect() }
    }

    fn stream(&self, counter: &str, key: &str) -> EventStream {
        let salt = hash(&format!("{}/{counter}/{key}", self.name));
        // 20 to 219 an hour, so that a quiet hour may have none of the rarest.
        stream(salt, 20 + mix(salt) % 200)
    }
}

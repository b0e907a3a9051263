//! The true numbers: sums, means and maxima over devices and minutes. The same code gives tests the truth and serves
//! the reports, which know less only by what has not arrived yet.

use std::collections::BTreeMap;

use crate::sim::behaviour::Behaviour;
use crate::sim::group::{self, Group};
use crate::sim::json::NOT_UTF8;
use crate::sim::scalar::{Contents, Counter, Merge};
use crate::sim::span::Span;
use crate::sim::table::Row;
use crate::sim::traffic::{Device, DeviceMinute};

/// The value of a counter over a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Number {
    Whole(u64),
    /// A mean, in hundredths.
    Hundredths(u64),
}

impl Number {
    /// A count up to 2^53 comes out exact.
    pub(super) fn as_f64(self) -> f64 {
        match self {
            Self::Whole(value) => value as f64,
            Self::Hundredths(value) => value as f64 / 100.0,
        }
    }
}

/// The value of a counter over the minutes that begin in `[start_secs, end_secs)` (seconds since 1970), all of them
/// known; name each device once. Sums add over devices, averages are the mean over minutes and devices rounded to two
/// decimals, maxima the largest of any. `None` for an unknown group or counter, for a keyed group, and for a counter
/// that is text.
#[must_use]
pub fn truth(devices: &[&str], group: &str, counter: &str, start_secs: u64, end_secs: u64) -> Option<f64> {
    scalar_value(&Behaviour::default(), devices, group, counter, Span::known(start_secs, end_secs))
}

/// The values of a counter of a keyed group over the same minutes, for every key that had an event of the group in
/// them, be it of another counter: 0 is possible. Sums add over devices; scores are what they are. Empty for an unknown
/// group or counter, for a scalar group, and for a counter that is text.
#[must_use]
pub fn keyed_truth(
    devices: &[&str],
    group: &str,
    counter: &str,
    start_secs: u64,
    end_secs: u64,
) -> BTreeMap<String, f64> {
    keyed_values(&Behaviour::default(), devices, group, counter, Span::known(start_secs, end_secs))
}

/// [`truth`] of an appliance that behaves so.
pub(super) fn scalar_value(
    behaviour: &Behaviour,
    devices: &[&str],
    group: &str,
    counter: &str,
    span: Span,
) -> Option<f64> {
    match group::find(behaviour, group)? {
        Group::Scalar(group) => {
            let Contents::Numbers(counters) = &group.contents else { return None };
            let counter = counters.iter().find(|one| one.name == counter)?;
            totals(devices, &[counter], &span).first().map(|number| number.as_f64())
        }
        Group::Custom(group) if !group.is_keyed() => {
            let counter = group.counters.iter().find(|one| *one == counter)?;
            Some(group.count(devices, counter, "", &span) as f64)
        }
        Group::Custom(_) | Group::Keyed(_) => None,
    }
}

/// [`keyed_truth`] of an appliance that behaves so.
pub(super) fn keyed_values(
    behaviour: &Behaviour,
    devices: &[&str],
    group: &str,
    counter: &str,
    span: Span,
) -> BTreeMap<String, f64> {
    // Whether keys without events are listed is a matter of reports.
    let behaviour = Behaviour { zero_keys: false, ..behaviour.clone() };
    let table = group::find(&behaviour, group).and_then(|group| group.table(&behaviour, devices, span));
    let Some(table) = table else { return BTreeMap::new() };
    let Some(place) = table.place(counter) else { return BTreeMap::new() };
    let value = |row: Row| Some((row.key.replace(NOT_UTF8, "\u{fffd}"), row.cells[place].as_f64()?));
    table.rows.into_iter().filter_map(value).collect()
}

/// The values of several counters of one window; without a minute or a device they are 0.
pub(super) fn totals(devices: &[&str], counters: &[&Counter], span: &Span) -> Vec<Number> {
    let mut totals = vec![0; counters.len()];
    for device in devices {
        let device = Device::new(device);
        for minute in span.minutes() {
            let moment = DeviceMinute::new(&device, minute);
            for (total, counter) in totals.iter_mut().zip(counters) {
                let value = (counter.at)(&moment);
                match counter.merge {
                    Merge::Sum => *total += value - span.missing(minute, value),
                    Merge::Mean => *total += value,
                    Merge::Max => *total = value.max(*total),
                }
            }
        }
    }
    let readings = span.len() * devices.len() as u64;
    let finish = |(&total, counter): (&u64, &&Counter)| match counter.merge {
        Merge::Sum | Merge::Max => Number::Whole(total),
        Merge::Mean => Number::Hundredths((total + readings / 2) / readings.max(1)),
    };
    totals.iter().zip(counters).map(finish).collect()
}

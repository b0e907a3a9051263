//! What the numbers are: sums, means and maxima over devices and minutes. The same code tells tests the truth and
//! serves the reports, which know less only by what has not arrived yet.

use crate::sim::group::{self, Contents, Counter, Merge};
use crate::sim::traffic::{Device, Moment};

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
/// decimals, maxima the largest of any. `None` for an unknown group or counter, and for one that is text.
#[must_use]
pub fn truth(devices: &[&str], group: &str, counter: &str, start_secs: u64, end_secs: u64) -> Option<f64> {
    let Contents::Numbers(counters) = &group::find(group)?.contents else { return None };
    let counter = counters.iter().find(|one| one.name == counter)?;
    totals(devices, &[counter], start_secs, end_secs).first().map(|number| number.as_f64())
}

/// The values of several counters of one window; without a minute or a device they are 0.
pub(super) fn totals(devices: &[&str], counters: &[&Counter], start_secs: u64, end_secs: u64) -> Vec<Number> {
    let minutes = start_secs.div_ceil(60)..end_secs.div_ceil(60);
    let mut totals = vec![0; counters.len()];
    for device in devices {
        let device = Device::new(device);
        for minute in minutes.clone() {
            let moment = Moment::new(&device, minute);
            for (total, counter) in totals.iter_mut().zip(counters) {
                let value = (counter.at)(&moment);
                match counter.merge {
                    Merge::Sum | Merge::Mean => *total += value,
                    Merge::Max => *total = value.max(*total),
                }
            }
        }
    }
    let readings = minutes.end.saturating_sub(minutes.start) * devices.len() as u64;
    let finish = |(&total, counter): (&u64, &&Counter)| match counter.merge {
        Merge::Sum | Merge::Max => Number::Whole(total),
        Merge::Mean => Number::Hundredths((total + readings / 2) / readings.max(1)),
    };
    totals.iter().zip(counters).map(finish).collect()
}

//! The counters of `/xml/status`: how often something happened since an instant. Sums over years are dear, so those of
//! every full hour are remembered.

use crate::sim::traffic::{Device, DeviceMinute};

/// A counter and its events in one minute, in the order of the page.
type Counter = (&'static str, fn(&DeviceMinute) -> u64);

/// Every counter. **Source:** the recorded page (1player/ironport-prometheus-exporter).
pub(super) const COUNTERS: [Counter; 16] = [
    ("inj_msgs", DeviceMinute::messages_in),
    ("inj_recips", DeviceMinute::injected_recipients),
    ("gen_bounce_recips", DeviceMinute::generated_bounces),
    ("rejected_recips", DeviceMinute::rejected_recipients),
    ("dropped_msgs", DeviceMinute::dropped_messages),
    ("soft_bounced_evts", DeviceMinute::soft_bounces),
    ("completed_recips", DeviceMinute::completed),
    ("hard_bounced_recips", DeviceMinute::hard_bounces),
    ("dns_hard_bounced_recips", |m| m.hard_bounces_by_reason()[0]),
    ("5xx_hard_bounced_recips", |m| m.hard_bounces_by_reason()[1]),
    ("filter_hard_bounced_recips", |m| m.hard_bounces_by_reason()[2]),
    ("expired_hard_bounced_recips", |m| m.hard_bounces_by_reason()[3]),
    ("other_hard_bounced_recips", |m| m.hard_bounces_by_reason()[4]),
    ("delivered_recips", DeviceMinute::delivered),
    ("deleted_recips", DeviceMinute::deleted),
    ("global_unsub_hits", DeviceMinute::unsubscribed),
];

/// One number for each counter.
pub(super) type Totals = [u64; COUNTERS.len()];

/// A sum is remembered every so many minutes.
const STEP: u64 = 60;

/// Sums since the birth of a device.
pub(super) struct LifetimeCounters {
    device: Device,
    /// In minutes since 1970.
    birth: u64,
    /// The sums of 0, 1, 2 … steps.
    steps: Vec<Totals>,
}

impl LifetimeCounters {
    /// `birth` in seconds since 1970.
    pub(super) fn new(device: &str, birth: u64) -> Self {
        Self { device: Device::new(device), birth: birth / 60, steps: vec![[0; COUNTERS.len()]] }
    }

    /// The counters at an instant: the minutes that were over then.
    pub(super) fn at(&mut self, secs: u64) -> Totals {
        let minutes = (secs / 60).saturating_sub(self.birth);
        let step = minutes / STEP;
        while (self.steps.len() as u64) <= step {
            let start = self.birth + (self.steps.len() as u64 - 1) * STEP;
            let mut totals = self.steps.last().copied().unwrap_or_default();
            add(&self.device, start, start + STEP, &mut totals);
            self.steps.push(totals);
        }
        let mut totals = self.steps[step as usize];
        add(&self.device, self.birth + step * STEP, self.birth + minutes, &mut totals);
        totals
    }
}

fn add(device: &Device, start: u64, end: u64, totals: &mut Totals) {
    for minute in start..end {
        let moment = DeviceMinute::new(device, minute);
        totals.iter_mut().zip(COUNTERS).for_each(|(total, (_, at))| *total += at(&moment));
    }
}

/// Growth of a counter of `/xml/status` on a device in the minutes that begin in `[start_secs, end_secs)`; `None`
/// for an unknown counter.
#[must_use]
pub fn counter_growth(device: &str, counter: &str, start_secs: u64, end_secs: u64) -> Option<u64> {
    let place = COUNTERS.iter().position(|(name, _)| *name == counter)?;
    let mut totals = [0; COUNTERS.len()];
    add(&Device::new(device), start_secs.div_ceil(60), end_secs.div_ceil(60), &mut totals);
    Some(totals[place])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remembered_sums_equal_fresh_ones() {
        let mut lifetimes = LifetimeCounters::new("esa1", 6_000_000);
        let fresh = |secs| LifetimeCounters::new("esa1", 6_000_000).at(secs);
        for secs in (0..200).map(|step| 6_000_000 + step * 97).chain([6_000_000, 5_000_000, 6_012_345]) {
            assert_eq!(lifetimes.at(secs), fresh(secs), "{secs}");
        }
        assert_eq!(counter_growth("esa1", "inj_msgs", 6_000_000, 6_012_000), Some(fresh(6_012_000)[0]));
        assert_eq!(counter_growth("esa1", "no_such", 0, 60), None);
    }
}

//! The contents of the quarantines: messages arrive in every minute and leave when their time is over, so how many there
//! are is a pure function of device, quarantine and time. Which quarantines there are follows published clients and
//! the user guide; how much arrives is made up.

pub(super) mod listing;

use std::time::Duration;

use crate::sim::keyed::key;
use crate::sim::traffic::{Device, DeviceMinute, hash, mix, stream};

/// The name under which spam is known here; the API has no name for its quarantine.
pub const SPAM: &str = "spam";

/// A quarantine, the same on every device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quarantine {
    /// As the API names it; [`SPAM`] for the spam quarantine.
    pub name: String,
    /// The kind that `config/quarantines` lists it under.
    pub kind: String,
    /// Number of messages that a device of middle size puts there in its busiest hour.
    pub per_hour: u64,
    /// When a message leaves.
    pub retention: Duration,
}

impl Quarantine {
    /// A quarantine with 4 messages in a busy hour and 10 days of retention.
    #[must_use]
    pub fn new(name: &str, kind: &str) -> Self {
        Self::of(name, kind, 4, 10)
    }

    fn of(name: &str, kind: &str, per_hour: u64, days: u64) -> Self {
        let retention = Duration::from_secs(days * 24 * 3600);
        Self { name: name.to_owned(), kind: kind.to_owned(), per_hour, retention }
    }

    /// The spam quarantine, those every ESA has, and two that an administrator made.
    pub(super) fn usual() -> Vec<Self> {
        vec![
            Self::of(SPAM, "spam", 60, 14),
            Self::of("Policy", "policy", 4, 10),
            Self::of("Virus", "virus", 1, 7),
            Self::of("Outbreak", "outbreak", 3, 1),
            Self::of("Unclassified", "unclassified", 1, 7),
            Self::of("File Analysis", "file_analysis", 2, 1),
            Self::of("Legal & Compliance", "policy", 1, 14),
            Self::of("Executives", "policy", 0, 14),
        ]
    }

    /// Number of messages that arrived in `[start, end)` and are there at `now`, all in seconds since 1970.
    pub(super) fn count(&self, devices: &[&str], start: u64, end: u64, now: u64) -> u64 {
        let minutes = self.minutes(start, end, now);
        let of_device = |name: &&str| -> u64 {
            let device = Device::new(name);
            minutes.clone().map(|minute| self.arrivals(&device, minute)).sum()
        };
        devices.iter().map(of_device).sum()
    }

    /// Every one of them, the newest minute first.
    pub(super) fn messages<'a>(
        &'a self,
        devices: &'a [&'a str],
        start: u64,
        end: u64,
        now: u64,
    ) -> impl Iterator<Item = QuarantinedMessage<'a>> {
        let known: Vec<_> = devices.iter().map(|&name| (name, Device::new(name))).collect();
        self.minutes(start, end, now).rev().flat_map(move |minute| {
            let of_device = |&(device, ref known): &(&'a str, Device)| {
                let seed = hash(&format!("{device}/{}", self.name)) ^ mix(minute);
                let kept =
                    move |index| QuarantinedMessage { quarantine: self, device, minute, noise: mix(seed ^ index) };
                (0..self.arrivals(known, minute)).map(kept).collect::<Vec<_>>()
            };
            known.iter().flat_map(of_device).collect::<Vec<_>>()
        })
    }

    fn minutes(&self, start: u64, end: u64, now: u64) -> std::ops::Range<u64> {
        let oldest = now.saturating_sub(self.retention.as_secs());
        start.max(oldest).div_ceil(60)..end.min(now - now % 60).div_ceil(60)
    }

    fn arrivals(&self, device: &Device, minute: u64) -> u64 {
        let salt = hash(&format!("quarantine {}", self.name));
        DeviceMinute::new(device, minute).count(stream(salt, self.per_hour))
    }
}

/// One message in a quarantine.
#[derive(Clone, Copy)]
pub(super) struct QuarantinedMessage<'a> {
    pub(super) quarantine: &'a Quarantine,
    pub(super) device: &'a str,
    /// When it arrived, in minutes since 1970.
    pub(super) minute: u64,
    pub(super) noise: u64,
}

impl QuarantinedMessage<'_> {
    pub(super) fn mid(&self) -> u64 {
        self.minute % 1_000_000 * 1000 + self.noise % 1000
    }

    pub(super) fn sender(&self) -> &'static str {
        key::ENVELOPE_SENDER.pick(self.noise)
    }

    pub(super) fn recipient(&self) -> &'static str {
        key::USER.pick(self.noise >> 8)
    }

    pub(super) fn subject(&self) -> &'static str {
        key::SUBJECT.pick(self.noise >> 16)
    }

    /// In bytes.
    pub(super) fn size(&self) -> u64 {
        2_000 + (self.noise >> 24) % 200_000
    }
}

//! The mail that flows through a simulated device: every number is a pure function of device name and minute, so that
//! truth can be computed for any window. The relations found in recorded answers and in the sample of the v1 guide
//! hold minute by minute, and so in every sum. How much mail there is, and how it is spread, is made up.

use std::cell::OnceCell;

mod delivery;
mod messages;
mod recipients;
mod system;

pub(super) use system::Cpu;

/// The domain of devices without incidents: no malware leaves them, nothing they delivered turns out to be malicious
/// later, no remediation fails, message tracking finds no threat, and nobody violates a data-loss policy of critical
/// severity. A name decides, as for all traffic, so that the
/// truth about a device needs nothing else.
pub const HEALTHY_DOMAIN: &str = ".healthy.example.com";

/// A device as the traffic sees it.
pub(super) struct Device {
    seed: u64,
    /// Its size against the others, in thousandths: 500 to 1500.
    size: u64,
    /// Whether it is of [`HEALTHY_DOMAIN`].
    pub(super) is_healthy: bool,
}

impl Device {
    pub(super) fn new(name: &str) -> Self {
        let seed = hash(name);
        Self { seed, size: 500 + seed % 1001, is_healthy: name.ends_with(HEALTHY_DOMAIN) }
    }

    /// A number of its own for this salt, the same at any time.
    pub(super) const fn constant(&self, salt: u64) -> u64 {
        mix(self.seed ^ mix(salt))
    }
}

/// FNV-1a, then mixed: names that differ in one digit should not have similar traffic.
pub(super) fn hash(name: &str) -> u64 {
    let fnv = |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    mix(name.bytes().fold(0xcbf2_9ce4_8422_2325, fnv))
}

/// One device during one minute.
pub(super) struct DeviceMinute {
    key: u64,
    size: u64,
    /// Load of the hour, in thousandths of the busiest.
    load: u64,
    pub(super) is_healthy: bool,
    /// Most numbers about messages and connections start from this one, and it is the dearest.
    accepted_messages: OnceCell<u64>,
}

/// A stream of events: its own randomness, and how many there are in the busiest hour of a device of middle size.
#[derive(Clone, Copy)]
pub(super) struct EventStream {
    salt: u64,
    per_hour: u64,
}

impl EventStream {
    /// Its own randomness, which no other stream has.
    pub(super) const fn salt(self) -> u64 {
        self.salt
    }
}

/// A way to divide a number: its own randomness, and the weights of the parts.
pub(super) struct Division<const N: usize> {
    salt: u64,
    weights: [u64; N],
}

/// A stream; those of keyed counters have salts from 200 on, so that none is used twice.
pub(super) const fn stream(salt: u64, per_hour: u64) -> EventStream {
    EventStream { salt, per_hour }
}

const fn division<const N: usize>(salt: u64, weights: [u64; N]) -> Division<N> {
    Division { salt, weights }
}

// Salts are unique; nothing else about them matters.
const CLEAN_IN: EventStream = stream(1, 5400);
pub(super) const MARKETING: EventStream = stream(2, 600);
pub(super) const SOCIAL: EventStream = stream(3, 240);
pub(super) const BULK: EventStream = stream(4, 420);
pub(super) const SPAM_CERTAIN: EventStream = stream(5, 900);
pub(super) const SPAM_SUSPECT: EventStream = stream(6, 180);
pub(super) const VIRUS_IN: EventStream = stream(7, 18);
pub(super) const FILTERED_IN: EventStream = stream(8, 36);
pub(super) const URL_IN: EventStream = stream(9, 18);
pub(super) const INVALID_RECIPIENT: EventStream = stream(10, 120);
pub(super) const DMARC: EventStream = stream(11, 24);
pub(super) const SDR_BLOCKED: EventStream = stream(12, 18);
pub(super) const DECRYPTED: EventStream = stream(13, 20);
pub(super) const NOT_DECRYPTED: EventStream = stream(14, 5);
pub(super) const FAILED_DKIM: EventStream = stream(15, 60);
pub(super) const FAILED_SPF: EventStream = stream(16, 80);
pub(super) const SPOOFED: EventStream = stream(17, 15);
pub(super) const REJECTED: EventStream = stream(18, 1200);
pub(super) const REFUSED: EventStream = stream(19, 90);
const FILES_IN: EventStream = stream(21, 1500);
const FILES_OUT: EventStream = stream(22, 600);
const CLEAN_OUT: EventStream = stream(23, 2400);
pub(super) const SPAM_OUT: EventStream = stream(24, 12);
pub(super) const VIRUS_OUT: EventStream = stream(25, 6);
pub(super) const FILTERED_OUT: EventStream = stream(26, 12);
pub(super) const URL_OUT: EventStream = stream(27, 5);
pub(super) const DLP_LOW: EventStream = stream(28, 20);
pub(super) const DLP_MEDIUM: EventStream = stream(29, 12);
pub(super) const DLP_HIGH: EventStream = stream(30, 6);
pub(super) const DLP_CRITICAL: EventStream = stream(31, 4);
pub(super) const MAR_DELETED: EventStream = stream(32, 6);
pub(super) const MAR_FORWARDED: EventStream = stream(33, 4);
pub(super) const MAR_BOTH: EventStream = stream(34, 4);
pub(super) const MOR_DELETED: EventStream = stream(35, 5);
pub(super) const MOR_FORWARDED: EventStream = stream(36, 4);
pub(super) const MOR_BOTH: EventStream = stream(37, 4);
pub(super) const FEED_DOMAIN: EventStream = stream(38, 20);
pub(super) const FEED_HASH: EventStream = stream(39, 6);
pub(super) const FEED_URL: EventStream = stream(40, 30);
pub(super) const OUTBREAK: EventStream = stream(41, 8);
pub(super) const PHISHING_SENT: EventStream = stream(42, 200);
pub(super) const PHISHING_FAILED: EventStream = stream(43, 5);
pub(super) const CONSERVATION: EventStream = stream(44, 4);
/// Of a keyed counter.
pub(super) const REMEDIATION_FAILED: EventStream = stream(232, 3);

/// Events that do not happen on a device of [`HEALTHY_DOMAIN`].
const INCIDENTS: [EventStream; 8] =
    [VIRUS_OUT, DLP_CRITICAL, MAR_DELETED, MAR_FORWARDED, MAR_BOTH, OUTBREAK, CONSERVATION, REMEDIATION_FAILED];

/// Load of each hour of a day (UTC), in thousandths: quiet at night, a morning peak, a lower one after noon.
const DAY: [u64; 24] = [
    160, 140, 130, 120, 130, 180, 300, 520, 800, 960, 1000, 970, 820, 860, 930, 900, 800, 620, 460, 380, 320, 270, 220,
    190,
];

/// Weekends have this many tenths of a working day.
const WEEKEND_TENTHS: u64 = 4;

impl DeviceMinute {
    /// `minute` counts from 1970.
    pub(super) fn new(device: &Device, minute: u64) -> Self {
        let (hour, of_hour) = (minute / 60, minute % 60);
        let at = |hour: u64| DAY[(hour % 24) as usize];
        let slope = (at(hour) * (60 - of_hour) + at(hour + 1) * of_hour) / 60;
        // 1970 began on a Thursday, so days 2 and 3 of each week are the weekend.
        let weekend = matches!(hour / 24 % 7, 2 | 3);
        let load = if weekend { slope * WEEKEND_TENTHS / 10 } else { slope };
        let key = mix(device.seed ^ minute.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let (size, is_healthy) = (device.size, device.is_healthy);
        Self { key, size, load, is_healthy, accepted_messages: OnceCell::new() }
    }

    /// The events of a stream in this minute. What is under one event is left to chance, so that rare streams happen.
    pub(super) fn count(&self, stream: EventStream) -> u64 {
        /// Load, size and jitter in thousandths each, minutes per hour.
        const ONE: u64 = 1000 * 1000 * 1000 * 60;
        if self.is_healthy && INCIDENTS.iter().any(|incident| incident.salt == stream.salt) {
            return 0;
        }
        let noise = self.noise(stream.salt);
        let jitter = 600 + (noise & 0xffff) % 801;
        (stream.per_hour * self.load * self.size * jitter + (noise >> 16) % ONE) / ONE
    }

    /// Divides a number into parts that add up to it. Every part gets its share in the long run, however small.
    fn divide<const N: usize>(&self, division: &Division<N>, whole: u64) -> [u64; N] {
        let mut parts = [0; N];
        self.share_out(division.salt, &division.weights, whole, &mut parts);
        parts
    }

    /// The same for as many parts as there are weights; `shares` must be as long.
    pub(super) fn share_out(&self, salt: u64, weights: &[u64], whole: u64, shares: &mut [u64]) {
        let sum: u64 = weights.iter().sum();
        if whole == 0 || sum == 0 {
            return shares.fill(0);
        }
        let chance = self.noise(salt) % sum;
        let (mut passed, mut taken) = (0, 0);
        for (share, weight) in shares.iter_mut().zip(weights) {
            passed += weight;
            let upto = (whole * passed + chance) / sum;
            *share = upto - taken;
            taken = upto;
        }
    }

    fn noise(&self, salt: u64) -> u64 {
        mix(self.key.wrapping_add(salt.wrapping_mul(0xd1b5_4a32_d192_ed03)))
    }

    /// Something in `0..below`.
    pub(super) fn chance(&self, salt: u64, below: u64) -> u64 {
        self.noise(salt) % below
    }
}

/// The finaliser of splitmix64.
pub(super) const fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

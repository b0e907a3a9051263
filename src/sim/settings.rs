//! What an appliance is and how it behaves. Pure description: nothing here serves a request.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use crate::sim::unix_secs;

/// Which of the two products is simulated; decides the base path and what the reports cover.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Product {
    /// Secure Email Gateway: reports about itself.
    Esa,
    /// Secure Email and Web Manager: reports about the devices it manages.
    Sma,
}

impl Product {
    /// The base path of the API, with its final slash. **Source:** API guides, recorded answers.
    pub(super) const fn prefix(self) -> &'static str {
        match self {
            Self::Esa => "/esa/api/v2.0/",
            Self::Sma => "/sma/api/v2.0/",
        }
    }
}

/// How many requests the log keeps unless [`Settings::log_limit`] says otherwise: two days of a busy poller.
pub const LOG_LIMIT: usize = 50_000;

/// Messages with which releases refuse a window that does not begin and end on the hour. The first is recorded for web
/// tracking (two dots); the second is assumed, after the documented wording for seconds.
pub const HOUR_ONLY_MESSAGES: [&str; 2] =
    ["duration attribute supports only 00 minutes..", "startDate and endDate attribute supports only 00 minutes."];

/// One appliance. Fields are public so that a test states only what it cares about.
#[derive(Clone)]
pub struct Settings {
    /// ESA or SMA.
    pub product: Product,
    /// The host name; on an ESA also the device whose numbers it reports.
    pub name: String,
    /// The only user there is.
    pub username: String,
    /// That user's passphrase.
    pub passphrase: String,
    /// SMA only: the reporting groups. The SMA knows the union of their devices, each once.
    pub device_groups: Vec<DeviceGroup>,
    /// How many requests the log keeps; the oldest go first, half of them at a time. At least 2.
    pub log_limit: usize,
    /// Everything that can be switched while the appliance runs.
    pub behaviour: Behaviour,
}

impl Settings {
    /// An ESA with local reporting, user `monitor`, passphrase `ironport`.
    #[must_use]
    pub fn esa(name: &str) -> Self {
        Self {
            product: Product::Esa,
            name: name.to_owned(),
            username: "monitor".to_owned(),
            passphrase: "ironport".to_owned(),
            device_groups: Vec::new(),
            log_limit: LOG_LIMIT,
            behaviour: Behaviour::esa(),
        }
    }

    /// An SMA with the same user and no devices yet; see [`Settings::with_group`].
    #[must_use]
    pub fn sma(name: &str) -> Self {
        Self { product: Product::Sma, behaviour: Behaviour::sma(), ..Self::esa(name) }
    }

    /// The same appliance with one more reporting group.
    #[must_use]
    pub fn with_group(mut self, name: &str, devices: &[&str]) -> Self {
        let devices = devices.iter().map(|&device| device.to_owned()).collect();
        self.device_groups.push(DeviceGroup { name: name.to_owned(), devices });
        self
    }

    /// Every device whose data this appliance has, each once, in order of first mention.
    pub(super) fn devices(&self) -> Vec<&str> {
        match self.product {
            Product::Esa => vec![&self.name],
            Product::Sma => {
                let mut seen = BTreeSet::new();
                let all = self.device_groups.iter().flat_map(|group| &group.devices);
                all.map(String::as_str).filter(|&device| seen.insert(device)).collect()
            }
        }
    }

    /// The devices of one reporting group, each once; `None` when there is no such group.
    pub(super) fn devices_of(&self, group: &str) -> Option<Vec<&str>> {
        let group = self.device_groups.iter().find(|one| one.name == group)?;
        let mut seen = BTreeSet::new();
        Some(group.devices.iter().map(String::as_str).filter(|&device| seen.insert(device)).collect())
    }
}

/// A reporting group of an SMA.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceGroup {
    /// The name `device_group_name` asks for.
    pub name: String,
    /// Host names, as `device_name` asks for them. A device may be in several groups.
    pub devices: Vec<String>,
}

/// The version in the status line. Answers close the connection under either.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HttpVersion {
    /// `HTTP/1.0`, as in most samples of the guides.
    Http10,
    /// `HTTP/1.1`, as the SMA guide claims.
    Http11,
}

/// How the result set of a scalar report is laid out; all four have been claimed or seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A list of objects with one counter each, as recorded.
    ListOfSingles,
    /// The same list backwards: the order is not the same in every release.
    ReverseOrder,
    /// A list of one object with all counters, as the Swagger file has it.
    OneObject,
    /// One object with all counters and no list; assumed.
    BareObject,
}

/// What an ESA says once its data go to an SMA. Only `mail_system_capacity` (and `reporting_system`, assumed) still
/// answers normally; what the others do is not documented, so all three are offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Centralised {
    /// Reporting is local: every group has data.
    Off,
    /// Every counter is there and is 0.
    Zeros,
    /// An empty result set.
    Empty,
    /// 404 `Not Found.`
    NotFound,
}

/// Everything about an appliance that may change while it runs.
#[derive(Clone, Debug)]
pub struct Behaviour {
    /// How long a token lives. Default 1800 s, recorded.
    pub token_life: Duration,
    /// Whether an answer to a token with under 5 minutes to live carries a fresh one in the header `jwtToken`.
    pub refresh: bool,
    /// With a message: windows off the hour are 404 with it. `None`: minutes are allowed.
    pub hour_only: Option<String>,
    /// The version in the status line.
    pub http: HttpVersion,
    /// How far the appliance's clock is ahead of [`Now`](super::Now); negative is behind.
    pub clock_offset_secs: i64,
    /// Whether answers carry `Date`.
    pub date_header: bool,
    /// How old data are before a report can see them.
    pub lag: Duration,
    /// Data arrive in steps of this length; 0 means minute by minute.
    pub freshness_step: Duration,
    /// After this many failed logins or Basic attempts in a row everything is 401 `Unauthorized.`; `None`: never.
    pub lockout_after: Option<u32>,
    /// Whether `%3A` in a date is refused, as two client authors report. The message is assumed.
    pub reject_escaped_colons: bool,
    /// Groups the user's role may not read: 401 `Unauthorized.`
    pub forbidden_groups: BTreeSet<String>,
    /// Groups this release does not have: 404 `Not Found.`
    pub absent_groups: BTreeSet<String>,
    /// Whether Basic credentials are accepted.
    pub allow_basic: bool,
    /// Whether the user needs a second factor: login says so, and neither its token nor Basic is good for anything
    /// (assumed).
    pub two_factor: bool,
    /// Whether tokens are strings that do not look like a JWT; they work the same.
    pub token_is_opaque: bool,
    /// Whether a token is bound to the `Accept`, `Host` and `User-Agent` it was fetched with.
    pub bind_token: bool,
    /// The layout of scalar result sets.
    pub shape: Shape,
    /// Whether `data` comes before `meta`; both orders are recorded.
    pub data_first: bool,
    /// How long every answer takes.
    pub latency: Duration,
    /// ESA only: whether reporting is centralised.
    pub centralised: Centralised,
}

/// The life of a token. **Source:** a recorded SMA 12.0 token.
const TOKEN_LIFE: Duration = Duration::from_secs(1800);

/// The length of the spool files in which an SMA gets its data. **Source:** TechNote 212101.
const SPOOL: Duration = Duration::from_secs(15 * 60);

impl Behaviour {
    /// An ESA: every complete minute is there at once.
    #[must_use]
    pub fn esa() -> Self {
        Self {
            token_life: TOKEN_LIFE,
            refresh: true,
            hour_only: None,
            http: HttpVersion::Http10,
            clock_offset_secs: 0,
            date_header: true,
            lag: Duration::ZERO,
            freshness_step: Duration::ZERO,
            lockout_after: None,
            reject_escaped_colons: true,
            forbidden_groups: BTreeSet::new(),
            absent_groups: BTreeSet::new(),
            allow_basic: true,
            two_factor: false,
            token_is_opaque: false,
            bind_token: true,
            shape: Shape::ListOfSingles,
            data_first: false,
            latency: Duration::ZERO,
            centralised: Centralised::Off,
        }
    }

    /// An SMA: data arrive a quarter of an hour at a time.
    #[must_use]
    pub fn sma() -> Self {
        Self { freshness_step: SPOOL, ..Self::esa() }
    }

    /// The appliance's own time when [`Now`](super::Now) says `now`.
    pub(super) fn clock(&self, now: SystemTime) -> SystemTime {
        let offset = Duration::from_secs(self.clock_offset_secs.unsigned_abs());
        let moved = if self.clock_offset_secs < 0 { now.checked_sub(offset) } else { now.checked_add(offset) };
        moved.unwrap_or(now)
    }

    /// The instant, in seconds since 1970, up to which data are there when the appliance's clock shows `clock`.
    pub(super) fn frontier(&self, clock: SystemTime) -> u64 {
        let seen = unix_secs(clock).saturating_sub(self.lag.as_secs());
        seen - seen % self.freshness_step.as_secs().max(1)
    }
}

impl Default for Behaviour {
    fn default() -> Self {
        Self::esa()
    }
}

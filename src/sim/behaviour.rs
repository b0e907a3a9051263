//! The behaviour of an appliance: everything about it that may change while it runs.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde_json::Value;

use crate::sim::custom::CustomGroup;
use crate::sim::destinations::Destinations;
use crate::sim::feature::Feature;
use crate::sim::form::{
    Centralized, HttpVersion, NoRows, Offer, Privileges, Shape, SystemTimeForm, TimeForm, TokenCookie, TotalCount,
    UnitSuffixes,
};
use crate::sim::injection::Injection;
use crate::sim::json::NOT_UTF8;
use crate::sim::keyed::key::hostile_keys;
use crate::sim::quarantine::Quarantine;
use crate::sim::span::LateEvents;
use crate::sim::table::ValueForm;
use crate::sim::unix_secs;

/// Judges a bearer token at a time in seconds since 1970, as an appliance with an identity provider does.
#[derive(Clone)]
pub struct BearerCheck(Arc<Judge>);

type Judge = dyn Fn(&str, u64) -> bool + Send + Sync;

impl BearerCheck {
    /// Takes the tokens that `judge` says yes to.
    pub fn new(judge: impl Fn(&str, u64) -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(judge))
    }

    pub(super) fn accepts(&self, token: &str, now: u64) -> bool {
        (self.0)(token, now)
    }
}

impl fmt::Debug for BearerCheck {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("BearerCheck")
    }
}

/// Everything about an appliance that may change while it runs.
#[derive(Clone, Debug)]
pub struct Behaviour {
    /// Lifetime of a token. Default 1800 s, recorded.
    pub token_life: Duration,
    /// Whether an answer to a token with under 5 minutes to live carries a fresh one in the header `jwtToken`.
    pub refresh: bool,
    /// Whether the fresh tokens of answers are good for nothing (assumed).
    pub renewals_are_invalid: bool,
    /// Whether the user has one session: a login makes the tokens of earlier ones invalid (assumed).
    pub one_session: bool,
    /// With a message: windows off the hour are 404 with it. `None`: minutes are allowed.
    pub hour_only: Option<String>,
    /// With a message: reports whose window ends in the future are 404 with it (assumed). `None`: they are answered with
    /// what is there.
    pub declines_future: Option<String>,
    /// The version in the status line.
    pub http: HttpVersion,
    /// Seconds that the appliance's clock is ahead of [`Now`](super::Now); negative is behind.
    pub clock_offset_secs: i64,
    /// Whether answers carry `Date`.
    pub date_header: bool,
    /// Age of data before a report can see them.
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
    /// The secret of the second factor: with it the second step of a login is there, which takes each passcode of the
    /// current half minute once and gives the token that is good for everything (assumed). `None`: it is not there.
    pub totp_secret: Option<Vec<u8>>,
    /// Which bearer tokens are taken, besides everything else. `None`: none.
    pub bearer: Option<BearerCheck>,
    /// Whether tokens are strings that do not look like a JWT; they work the same.
    pub token_is_opaque: bool,
    /// Whether a token is bound to the `Accept`, `Host` and `User-Agent` it was fetched with.
    pub bind_token: bool,
    /// Description of the appliance in the token.
    pub token_cookie: TokenCookie,
    /// The model, in the token.
    pub model: String,
    /// The serial number, in the token.
    pub serial: String,
    /// The layout of scalar result sets.
    pub shape: Shape,
    /// Whether `data` comes before `meta`; both orders are recorded.
    pub data_first: bool,
    /// Time that every answer takes.
    pub latency: Duration,
    /// Additional time that a report takes for each hour of its window.
    pub latency_per_hour: Duration,
    /// Requests beyond so many in one minute of the appliance's clock, logins included, are 503 with an HTML page. No
    /// limit is documented; all of this is assumed.
    pub rate_limit: Option<u32>,
    /// Requests that arrive while so many others are being served are 503 in the same way.
    pub busy_beyond: Option<usize>,
    /// ESA only: whether reporting is centralized.
    pub centralized: Centralized,
    /// ESA only: whether `reporting_system` states that, as it does on an SMA. The vendor documents it for an SMA only.
    pub states_centralized: bool,
    /// Format of the times in `reporting_system`.
    pub time_form: TimeForm,
    /// Events that arrive later than the others; sums only.
    pub late_events: Option<LateEvents>,
    /// Whether keyed reports list keys that had no event in the window.
    pub zero_keys: bool,
    /// Number of additional keys in every keyed report.
    pub extra_keys: usize,
    /// Whether every keyed report has the keys of [`hostile_keys`] too.
    pub hostile_keys: bool,
    /// Whether every keyed report has a key that is not UTF-8, so that the whole body is not.
    pub invalid_utf8: bool,
    /// Form of the values in keyed reports.
    pub value_form: ValueForm,
    /// Form of "no rows".
    pub no_rows: NoRows,
    /// Whether `totalCount` of a keyed web report is its number of rows, as in the sample of the guide, or -1.
    pub web_total_count: bool,
    /// A keyed report has at most so many rows, whatever was requested.
    pub row_cap: Option<usize>,
    /// Counters this release does not have, as `group/counter`.
    pub missing_counters: BTreeSet<String>,
    /// Counters that have another name in this release: `group/counter`, and the name without the group.
    pub renamed_counters: BTreeMap<String, String>,
    /// Counters this release has beyond the catalogue, as `group/counter`; they are always 1, come last, and cannot be
    /// requested alone.
    pub extra_counters: BTreeSet<String>,
    /// Groups this release has beyond the catalogue.
    pub custom_groups: Vec<CustomGroup>,
    /// Paths this release does not have, as they follow the base path (`health`), or `xml/status`; what is below them
    /// is not there either.
    pub absent_paths: BTreeSet<String>,
    /// Paths the user's role may not read, in the same form: 401 `Unauthorized.`
    pub forbidden_paths: BTreeSet<String>,
    /// The mode of resource conservation: 0 is none.
    pub resource_conservation: u64,
    /// Number of messages in the work queue; `None`: as many as the traffic makes.
    pub work_queue: Option<u64>,
    /// Fields of `health` that have this value, or are not there.
    pub health_fields: BTreeMap<String, Option<Value>>,
    /// ESA only: whether `health/system_status` is there. By default it is not: only one client knows it.
    pub system_status_offer: Offer,
    /// ESA only: whether `health/delivery_status` is there.
    pub delivery_status: Offer,
    /// The destinations of `health/delivery_status`.
    pub destinations: Destinations,
    /// `health/system_status`: the state of the RAID.
    pub raid: String,
    /// When the appliance was booted last, in seconds since 1970; `None`: at its birth. Counters since the start begin
    /// then.
    pub booted: Option<u64>,
    /// `/xml/status`: when its counters were reset last, in seconds since 1970; `None`: never.
    pub counters_reset: Option<u64>,
    /// `/xml/status`: the build; its number is in the token too.
    pub build: String,
    /// `/xml/status`: the status of the system.
    pub system_status: String,
    /// `/xml/status`: the age of the oldest message in seconds; `None`: something between 10 and 20 minutes.
    pub oldest_message: Option<u64>,
    /// `/xml/status`: the feature keys.
    pub features: Vec<Feature>,
    /// `/xml/status`: free space for logs, in bytes.
    pub log_available: u64,
    /// `/xml/status`: which gauges have a unit.
    pub suffixes: UnitSuffixes,
    /// `/xml/status`: gauges that have this text, or are not there; those the page does not know come last.
    pub status_gauges: BTreeMap<String, Option<String>>,
    /// Delay of message tracking; 5 minutes by default, as a published client assumes.
    pub tracking_lag: Duration,
    /// Rows that `totalCount` of message tracking counts; the page by default, as most published clients take it.
    pub tracking_total_count: TotalCount,
    /// Number of messages that every search of message tracking finds on each device in each minute, instead of what its
    /// filters admit.
    pub tracking_per_minute: Option<u64>,
    /// One record of message tracking in so many cannot be read: it takes its place on the page (assumed) and counts in
    /// `num_bad_records` instead of being a row.
    pub tracking_bad_one_in: Option<u64>,
    /// Mail beyond the usual traffic.
    pub injections: Vec<Injection>,
    /// Form of `login/privileges`.
    pub privileges: Privileges,
    /// The time zone of `config/system_time`.
    pub system_time: SystemTimeForm,
    /// Devices the SMA has no connection to; their data stay.
    pub disconnected: BTreeSet<String>,
    /// Whether `config/appliances` has three fields only, as in older guides.
    pub short_inventory: bool,
    /// The quarantines there are.
    pub quarantines: Vec<Quarantine>,
    /// Rows that `totalCount` of `quarantine/messages` counts; all matches by default, as a published client takes it.
    pub quarantine_total_count: TotalCount,
    /// Number of messages that the quarantine of this name has in any window, instead of those that arrived.
    pub quarantine_counts: BTreeMap<String, u64>,
}

/// The life of a token. **Source:** a recorded SMA 12.0 token.
const TOKEN_LIFE: Duration = Duration::from_secs(1800);

/// The length of the spool files in which an SMA gets its data. **Source:** TechNote 212101.
const SPOOL: Duration = Duration::from_secs(15 * 60);

/// **Source:** a published client waits so long (ESA-MTL).
const TRACKING_LAG: Duration = Duration::from_secs(5 * 60);

impl Behaviour {
    /// An ESA: every complete minute is there at once.
    #[must_use]
    pub fn esa() -> Self {
        Self {
            token_life: TOKEN_LIFE,
            refresh: true,
            renewals_are_invalid: false,
            one_session: false,
            hour_only: None,
            declines_future: None,
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
            totp_secret: None,
            bearer: None,
            token_is_opaque: false,
            bind_token: true,
            token_cookie: TokenCookie::AsRecorded,
            model: "C100V".to_owned(),
            serial: "000000000000000000AA-AAAAAAAAAAAA".to_owned(),
            shape: Shape::ListOfSingles,
            data_first: false,
            latency: Duration::ZERO,
            latency_per_hour: Duration::ZERO,
            rate_limit: None,
            busy_beyond: None,
            centralized: Centralized::Off,
            states_centralized: false,
            time_form: TimeForm::UnixSeconds,
            late_events: None,
            zero_keys: false,
            extra_keys: 0,
            hostile_keys: false,
            invalid_utf8: false,
            value_form: ValueForm::AsSeen,
            no_rows: NoRows::EmptyList,
            web_total_count: true,
            row_cap: None,
            missing_counters: BTreeSet::new(),
            renamed_counters: BTreeMap::new(),
            extra_counters: BTreeSet::new(),
            custom_groups: Vec::new(),
            absent_paths: BTreeSet::new(),
            forbidden_paths: BTreeSet::new(),
            resource_conservation: 0,
            work_queue: None,
            health_fields: BTreeMap::new(),
            system_status_offer: Offer::NotOffered(404),
            delivery_status: Offer::NotOffered(404),
            destinations: Destinations::default(),
            raid: "N/A".to_owned(),
            booted: None,
            counters_reset: None,
            build: "phoebe 16.0.0-050".to_owned(),
            system_status: "online".to_owned(),
            oldest_message: None,
            features: Feature::usual(),
            log_available: 388 << 30,
            suffixes: UnitSuffixes::AsRecorded,
            status_gauges: BTreeMap::new(),
            tracking_lag: TRACKING_LAG,
            tracking_total_count: TotalCount::Page,
            tracking_per_minute: None,
            tracking_bad_one_in: None,
            injections: Vec::new(),
            privileges: Privileges::Flat,
            system_time: SystemTimeForm::default(),
            disconnected: BTreeSet::new(),
            short_inventory: false,
            quarantines: Quarantine::usual(),
            quarantine_total_count: TotalCount::Matches,
            quarantine_counts: BTreeMap::new(),
        }
    }

    /// An SMA: data arrive a quarter of an hour at a time.
    #[must_use]
    pub fn sma() -> Self {
        Self { freshness_step: SPOOL, model: "M100V".to_owned(), ..Self::esa() }
    }

    /// The appliance's own time when [`Now`](super::Now) says `now`.
    pub(super) fn clock(&self, now: SystemTime) -> SystemTime {
        let offset = Duration::from_secs(self.clock_offset_secs.unsigned_abs());
        let moved = if self.clock_offset_secs < 0 { now.checked_sub(offset) } else { now.checked_add(offset) };
        moved.unwrap_or(now)
    }

    /// The instant, in seconds since 1970, up to which data are there when the appliance's clock shows `clock`.
    pub(super) fn available_until(&self, clock: SystemTime) -> u64 {
        let seen = unix_secs(clock).saturating_sub(self.lag.as_secs());
        seen - seen % self.freshness_step.as_secs().max(1)
    }

    /// Number of messages that arrived in `[start, end)` and are in a quarantine at `now`.
    pub(super) fn quarantined(&self, one: &Quarantine, devices: &[&str], start: u64, end: u64, now: u64) -> u64 {
        let fixed = self.quarantine_counts.get(&one.name).copied();
        fixed.unwrap_or_else(|| one.count(devices, start, end, now))
    }

    /// Whether this path, or one it is below, is in the set.
    pub(super) fn covers(paths: &BTreeSet<String>, path: &str) -> bool {
        paths
            .iter()
            .any(|one| path.strip_prefix(one.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
    }

    /// Description of the appliance in the token's cookie; `None` where the cookie has none as recorded.
    pub(super) fn identity(&self) -> Option<String> {
        match &self.token_cookie {
            TokenCookie::AsRecorded => {
                let release = self.build.rsplit(' ').next().unwrap_or_default();
                Some(format!("{};{release};{};", self.model, self.serial))
            }
            TokenCookie::Identity(text) => Some(text.clone()),
            TokenCookie::Claim(_) | TokenCookie::Missing => None,
        }
    }

    /// The name this release has for a counter; `None` when it has none.
    pub(super) fn name_of(&self, group: &str, counter: &str) -> Option<String> {
        let path = format!("{group}/{counter}");
        if self.missing_counters.contains(&path) {
            return None;
        }
        Some(self.renamed_counters.get(&path).map_or(counter, String::as_str).to_owned())
    }

    /// The names of this group's counters beyond the catalogue.
    pub(super) fn extra_of(&self, group: &str) -> impl Iterator<Item = &str> {
        self.extra_counters.iter().filter_map(move |path| path.strip_prefix(group)?.strip_prefix('/'))
    }

    /// Keys of a keyed group that no pool has.
    pub(super) fn extra_keys(&self, name: impl Fn(usize) -> String) -> Vec<String> {
        let hostile = if self.hostile_keys { hostile_keys() } else { Vec::new() };
        let invalid = self.invalid_utf8.then(|| format!("not {NOT_UTF8} UTF-8"));
        (0..self.extra_keys).map(name).chain(hostile).chain(invalid).collect()
    }
}

impl Default for Behaviour {
    fn default() -> Self {
        Self::esa()
    }
}

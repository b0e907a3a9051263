//! The state of one appliance, immutable and published whole. A scrape reads the newest; nothing waits for anything.
//! Knows nothing of requests or of text formats.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tokio::sync::Notify;

use crate::api::{Failure, Identity, Reason, Unusable, UnusableCounts};
use crate::base::clock::{Tick, Timestamp};
use crate::base::period::Period;
use crate::base::release::Release;
use crate::base::window::Window;
use crate::config::{Product, Scope};
use crate::sample::status_metrics::StatusMetrics;
use crate::sample::{Label, Sample};
use crate::store::SumKey;

/// Everything known about one appliance.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// The value of the label `appliance`.
    pub appliance: Arc<str>,
    /// Until when its API counts as answering; none where it does not.
    pub up_until: Option<Tick>,
    /// The time of the requests for one window; none before the first request.
    pub round: Option<Round>,
    /// Its clock minus ours, trusted or not; none before its first answer.
    pub clock_skew_seconds: Option<f64>,
    /// Why its clock is not followed, or nothing is fetched by it.
    pub clock: Option<ClockTrouble>,
    /// Whether an ESA reports to an SMA; none where that cannot be determined.
    pub centralized: Option<bool>,
    /// Why the newest question that was not answered was not; stays when the next one is.
    pub trouble: Option<Arc<Trouble>>,
    /// Which of the products it is, as the label `product` has it.
    pub product: &'static str,
    /// Facts from its login.
    pub identity: Option<Identity>,
    /// The oldest AsyncOS release that the configuration accepts.
    pub minimum_release: Option<Release>,
    /// One view a scope and counter group, in the order of the configuration.
    pub groups: Vec<Arc<GroupView>>,
    /// Its current status.
    pub aspects: Vec<Arc<AspectView>>,
}

/// The requests of one appliance for one window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Round {
    /// The time that they take.
    pub takes: Duration,
    /// The window, the shortest there is.
    pub window: Duration,
    /// Set where they do not fit into it.
    pub tight: Option<Tight>,
}

impl fmt::Display for Round {
    /// That it does not fit, and what to do.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let takes = self.takes.as_secs_f64().ceil();
        write!(out, "a round of requests takes {takes} s, but the window is {} s: ", self.window.as_secs())?;
        match self.tight.and_then(|tight| tight.fitting) {
            Some(fitting) => {
                write!(out, "set `window: {}` or poll fewer groups", Period(fitting))
            }
            None => write!(out, "poll fewer counter groups, devices or device groups"),
        }
    }
}

/// A window that is too short for its requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tight {
    /// The shortest one that is long enough; none where none is.
    pub fitting: Option<Duration>,
}

/// Complete windows that are not counted yet, as of a snapshot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pending {
    /// Their number.
    pub windows: u64,
    /// When one more counts, and the time from one to the next; none where nothing is waited for.
    pub next: Option<(Tick, Duration)>,
}

impl Pending {
    /// Their number at `now`, if none was counted since.
    #[must_use]
    pub fn at(self, now: Tick) -> u64 {
        let Some((next, every)) = self.next.filter(|(next, _)| *next <= now) else { return self.windows };
        let more = now.since(next).as_nanos() / every.as_nanos().max(1) + 1;
        self.windows.saturating_add(u64::try_from(more).unwrap_or(u64::MAX))
    }
}

/// A problem with the clock of an appliance, or with ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockTrouble {
    /// It has jumped, and no second answer has confirmed that yet.
    Unconfirmed,
    /// It is more than a day from ours, which is used instead.
    Refused,
    /// It is behind what was counted, which waits for it.
    Behind,
}

/// A question that was not answered.
#[derive(Clone, Debug)]
pub struct Trouble {
    /// Why.
    pub failure: Failure,
    /// When, by our clock.
    pub at: Timestamp,
}

impl Trouble {
    /// The kind of failure.
    #[must_use]
    pub fn reason(&self) -> Reason {
        self.failure.reason
    }
}

/// One kind of status of an appliance.
#[derive(Clone, Debug)]
pub struct AspectView {
    /// The label `group`.
    pub name: &'static str,
    /// The key of the configuration that switches it on or off.
    pub option: &'static str,
    /// Whether the configuration has that key, and not the default switched it on.
    pub is_wanted: bool,
    /// Whether the newest question was answered.
    pub success: bool,
    /// When one last was, by our clock.
    pub last_success: Option<Timestamp>,
    /// Why the appliance refuses the request, while it is repeated hourly for that reason.
    pub refusal: Option<Reason>,
    /// Why the newest question was not answered; none when it was.
    pub trouble: Option<Arc<Trouble>>,
    /// The metrics of the answer.
    pub status_metrics: StatusMetrics,
    /// Values that were no usable number, since the exporter started.
    pub unusable: UnusableCounts,
    /// From then on its gauges must not be shown as current.
    pub expires: Tick,
}

/// Why windows were given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LostReason {
    /// They lay further back than `catch_up`.
    CatchUp,
    /// They lay within an hour that had been begun when the appliance took to whole hours.
    Alignment,
}

impl LostReason {
    /// Every reason, for counters that start at zero.
    pub const ALL: [Self; 2] = [Self::CatchUp, Self::Alignment];

    /// The value of the label `reason`.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::CatchUp => "catch_up",
            Self::Alignment => "alignment",
        }
    }
}

/// Counts about one scope and counter group since the exporter started; they only grow.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    /// Windows counted.
    pub committed: u64,
    /// Windows given up, in the order of [`LostReason::ALL`].
    pub lost: [u64; LostReason::ALL.len()],
    /// Comparisons with the appliance's own report.
    pub reconciliations: u64,
    /// Events that came after their window was counted.
    pub late: u64,
    /// Those of them that were not added: late data are ignored, or they were later than any manager gets them.
    pub not_added: u64,
    /// Counters that a report lacked.
    pub missing: u64,
    /// Counters that the catalogue lacks.
    pub unknown: u64,
    /// Rows that have no series of their own.
    pub dropped: u64,
    /// Values that were no usable number.
    pub unusable: UnusableCounts,
}

impl Tally {
    /// Counts `windows` as lost.
    pub fn lose(&mut self, windows: u64, why: LostReason) {
        if let Some(position) = LostReason::ALL.iter().position(|reason| *reason == why) {
            self.lost[position] += windows;
        }
    }

    /// Counts `values` as unusable.
    pub fn refuse(&mut self, why: Unusable, values: u64) {
        if let Some(position) = Unusable::ALL.iter().position(|reason| *reason == why) {
            self.unusable[position] += values;
        }
    }
}

impl Snapshot {
    /// Whether its API answers us, as far as is known at `now`.
    #[must_use]
    pub fn is_up(&self, now: Tick) -> bool {
        self.up_until.is_some_and(|until| now < until)
    }

    /// Labels that identify the appliance, each once. The release of the login takes precedence over that of a status page,
    /// which is requested seldom.
    #[must_use]
    pub fn facts(&self) -> Vec<(&str, Cow<'_, str>)> {
        let mut facts: Vec<(&str, Cow<'_, str>)> = Vec::new();
        if let Some(Identity { model, release, serial }) = &self.identity {
            facts.extend(model.as_deref().map(|model| ("model", model.into())));
            facts.push(("release", release.to_string().into()));
            facts.extend(serial.as_deref().map(|serial| ("serial", serial.into())));
        }
        for (name, value) in self.aspects.iter().flat_map(|view| &view.status_metrics.info) {
            if !facts.iter().any(|(known, _)| **known == **name) {
                facts.push((name, (&**value).into()));
            }
        }
        facts
    }

    /// Its release and the oldest one that the configuration accepts, and whether the first is older. None where one of them
    /// is not known, or not precisely enough.
    #[must_use]
    pub fn below_minimum(&self) -> Option<(Release, Release, bool)> {
        let (release, minimum) = (self.release()?, self.minimum_release?);
        Some((release, minimum, release.is_below(minimum)?))
    }

    /// Its release and the first one of its product with the API, where it is older than that.
    #[must_use]
    pub fn before_first_release(&self) -> Option<(Release, Release)> {
        let release = self.release()?;
        let first = Product::of_label(self.product)?.first_release();
        (release.is_below(first)?).then_some((release, first))
    }

    fn release(&self) -> Option<Release> {
        let mut info = self.aspects.iter().flat_map(|view| &view.status_metrics.info);
        let of_status = || info.find(|(name, _)| &**name == "release").and_then(|(_, value)| Release::find(value));
        self.identity.as_ref().map(|identity| identity.release).or_else(of_status)
    }
}

impl GroupView {
    /// Whether the newest poll brought its report and the next one is not overdue at `now`.
    #[must_use]
    pub fn is_answered(&self, now: Tick) -> bool {
        self.success_until.is_some_and(|until| now < until)
    }
}

/// One counter group in one scope.
#[derive(Clone, Debug)]
pub struct GroupView {
    /// The labels `device_group` and `device`.
    pub scope: Scope,
    /// The label `group`.
    pub group: Arc<str>,
    /// Until when the newest poll counts as having brought what it was made for; none where it did not.
    pub success_until: Option<Tick>,
    /// When one last did, by our clock.
    pub last_success: Option<Timestamp>,
    /// When it is requested again after a failure, by our clock.
    pub asked_again: Option<Timestamp>,
    /// Why the appliance refuses the report, while it is requested hourly for that reason.
    pub refusal: Option<Reason>,
    /// Why the newest poll did not bring its report; none when it did.
    pub trouble: Option<Arc<Trouble>>,
    /// The length of its windows.
    pub window: Duration,
    /// The delay between the end of a window and its request.
    pub settle: Duration,
    /// Complete windows that are not counted yet.
    pub pending: Pending,
    /// The end of the newest counted window; of an hour that is counted while it runs, the end of what is counted of it.
    pub window_end: Option<Timestamp>,
    /// Whether hours are counted while they run; none where the appliance does not insist on whole hours.
    pub running_hour: Option<bool>,
    /// Windows and events counted, lost and missed.
    pub tally: Tally,
    /// The report minus what was counted, at the newest comparison; negative when the report has less.
    pub difference: Option<i64>,
    /// The values of the newest counted window.
    pub reading: Option<Arc<Reading>>,
    /// The sums of all counted windows.
    pub totals: Arc<Vec<Sample>>,
    /// Those of them that have just begun, in the order of the sums.
    pub beginnings: Arc<Vec<Beginning>>,
    /// When they began, by our clock.
    pub created: Arc<CreationTimes>,
    /// When they began at zero, by the appliance's clock; none before a window was counted.
    pub since: Option<Timestamp>,
    /// The answer that was counted last; none before the first since the exporter started.
    pub origin: Option<Arc<Origin>>,
}

/// When the sums of a counter group began, by our clock and durably: a time that moves would look like a restart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CreationTimes {
    /// Those without a key; none where that is not known.
    pub whole: Option<Timestamp>,
    /// Those of a key, in seconds since 1970, where that is known.
    pub keys: BTreeMap<String, u64>,
}

impl CreationTimes {
    /// That of the sum with the labels `labels`, of which the last is the key.
    #[must_use]
    pub fn of(&self, labels: &[Label]) -> Option<Timestamp> {
        match labels.last() {
            None => self.whole,
            Some((_, key)) => self.keys.get(&**key).copied().map(Timestamp::from_secs),
        }
    }
}

/// Whether a counter that begins is first shown without its first events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// It appears with them: for tests, which compare the next page with the truth.
    No,
    /// For a window, two to five minutes; for two minutes where it has no window.
    AWindow,
}

/// A sum that has just begun. A scraper that first sees it with its first events does not count them, so it is shown
/// without them for a while.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Beginning {
    /// Its position among the sums.
    pub position: usize,
    /// Its previous value, which is shown for as long as this is here.
    pub before: f64,
}

/// The answer that values come from.
#[derive(Debug)]
pub struct Origin {
    /// Path and query of the request, as sent.
    pub sent: Arc<str>,
    /// The time it is about: one window, or several in a row.
    pub window: Window,
    /// The appliance's clock when it answered.
    pub at: Timestamp,
    /// Its increments of the totals; those of zero are left out.
    pub added: Vec<(SumKey, u64)>,
}

/// The values of one window, until they are stale.
#[derive(Debug)]
pub struct Reading {
    /// The values.
    pub samples: Vec<Sample>,
    /// The report's own values of those that were scaled, by the position among the values; in their order.
    pub raw_values: Vec<(u32, f64)>,
    /// From then on they must not be shown as current.
    pub expires: Tick,
}

/// The newest snapshot of every appliance.
#[derive(Debug, Default)]
pub struct SnapshotStore {
    snapshots: RwLock<BTreeMap<Arc<str>, Arc<Snapshot>>>,
    changed: Notify,
}

impl SnapshotStore {
    /// Replaces what is known about the snapshot's appliance.
    pub fn publish(&self, snapshot: Snapshot) {
        let name = Arc::clone(&snapshot.appliance);
        let mut snapshots = self.snapshots.write().unwrap_or_else(PoisonError::into_inner);
        snapshots.insert(name, Arc::new(snapshot));
        drop(snapshots);
        self.changed.notify_one();
    }

    /// Forgets `appliance`.
    pub fn remove(&self, appliance: &str) {
        self.snapshots.write().unwrap_or_else(PoisonError::into_inner).remove(appliance);
        self.changed.notify_one();
    }

    /// Waits for a change since the last time that this came true. For one reader.
    ///
    /// # Cancel safety
    /// No change is missed.
    pub async fn changed(&self) {
        self.changed.notified().await;
    }

    /// The newest snapshots, by appliance.
    #[must_use]
    pub fn read(&self) -> Vec<Arc<Snapshot>> {
        let snapshots = self.snapshots.read().unwrap_or_else(PoisonError::into_inner);
        snapshots.values().map(Arc::clone).collect()
    }
}

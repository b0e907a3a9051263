//! One counter group in one scope of one appliance: its windows, its health, its newest values.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::api::{Depth, Failure, Query, Reply, Unusable};
use crate::base::clock::{Tick, Timestamp};
use crate::base::window::{Grid, Window};
use crate::config::{Alignment, Polling};
use crate::ledger::{CommitError, Counted, CounterState, Ledger, Reconciled};
use crate::sample::{Families, KnownKeys, Metrics, Sample, Samples};
use crate::snapshot::{CreationTimes, LostReason, Origin, Reading, Tally, Trouble};
use crate::store::{Summed, TotalsKey};

use super::audit::Audits;
use super::failing::Failing;
use super::job::{Begins, Count, ReadReport};
use super::plan::{Gap, Step, Stride, WindowSchedule};
use super::report_source::ReportSource;
use super::resume_point::{Moment, ResumePoint};
use super::running::{RunningHours, counted_until};
use beginnings::Beginnings;

/// The longest wait after an answer from before its window was complete: by then a jump of the clock can be confirmed.
const EARLY_WAITS: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));
/// How long a target is left alone after its window could not be written down.
const NOT_WRITTEN_WAIT: Duration = Duration::from_secs(10);
/// With more than this to fetch, nothing is compared first.
const AUDIT_BACKLOG: Duration = Duration::from_secs(60 * 60);
/// Values are shown until their window is this many windows, and the settle delay, old.
const STALE_AFTER_WINDOWS: u32 = 3;

mod beginnings;
mod missed;
mod running;
mod view;

#[derive(Debug)]
pub(super) struct Target {
    key: TotalsKey,
    report_source: ReportSource,
    /// The keys that have a series of their own.
    keys: KnownKeys,
    rule: WindowSchedule,
    start: Option<Duration>,
    metrics: Metrics,
    pub(super) in_flight: bool,
    /// Before this the target is left alone.
    pub(super) not_before: Tick,
    failing: Failing,
    success: bool,
    last_success: Option<Timestamp>,
    /// When it was last seen that no window is late.
    on_time_at: Tick,
    /// The duration of the newest request for windows.
    pub(super) took: Option<Duration>,
    trouble: Option<Arc<Trouble>>,
    resume_point: ResumePoint,
    /// Whether nothing can be requested before the clock has moved.
    waits_for_clock: bool,
    window_end: Option<Timestamp>,
    reading: Option<Arc<Reading>>,
    totals: Arc<Vec<Sample>>,
    /// Totals that have just begun.
    beginnings: Beginnings,
    created: Arc<CreationTimes>,
    since: Option<Timestamp>,
    origin: Option<Arc<Origin>>,
    /// So many windows of a backlog can be counted with one request, as far as is known.
    most_windows: u32,
    audits: Audits,
    difference: Option<i64>,
    running: RunningHours,
    /// Whether windows are hours only until the running one is closed.
    finishes_hour: bool,
    /// The end of what is counted of the running hour.
    running_end: Option<Timestamp>,
    /// Events of the running hour that were counted and are in its report no more.
    running_surplus: u64,
    tally: Tally,
}

impl Target {
    /// A target whose totals are what the ledger knows: a page must not show zero for what a restart remembers.
    pub(super) fn new(
        key: TotalsKey,
        report_source: ReportSource,
        families: &Families,
        polling: Polling,
        phase: Duration,
        ledger: &Ledger,
        now: Tick,
    ) -> Self {
        let metrics = report_source.metrics(&key.scope, families);
        let known = ledger.account(&key);
        let nothing = BTreeMap::new();
        let totals = metrics.totals(known.as_ref().map_or(&nothing, |account| &account.totals));
        let keys = known.as_ref().map_or_else(KnownKeys::default, known_keys);
        let (every, settle) = (report_source.grid(), report_source.settle(polling.settle.initial()));
        // Searches take minutes in every release.
        let is_hourly = polling.alignment == Alignment::Hour && !report_source.is_search();
        let grid = if is_hourly { every.in_hours() } else { every };
        Self {
            key,
            report_source,
            keys,
            rule: WindowSchedule { grid, settle, phase, catch_up: polling.catch_up, is_hourly },
            start: polling.start,
            metrics,
            in_flight: false,
            not_before: Tick::default(),
            failing: Failing::default(),
            // The newest poll before a restart is still the newest, and it brought what the ledger knows.
            success: known.is_some(),
            last_success: None,
            on_time_at: now,
            took: None,
            trouble: None,
            resume_point: ResumePoint::default(),
            waits_for_clock: false,
            created: known.as_ref().map(creation_times).unwrap_or_default(),
            since: known.as_ref().map(|account| account.epoch),
            origin: None,
            running: RunningHours::new(every, polling.running_hour),
            finishes_hour: false,
            running_end: known.as_ref().and_then(running_end),
            window_end: known.filter(|account| !account.totals.is_empty()).map(|account| account.watermark),
            reading: None,
            totals: Arc::new(totals),
            beginnings: Beginnings::default(),
            most_windows: u32::MAX,
            audits: Audits::default(),
            difference: None,
            running_surplus: 0,
            tally: Tally::default(),
        }
    }

    /// The counters that have totals.
    pub(super) fn summed(&self) -> Arc<Summed> {
        Arc::clone(self.metrics.summed())
    }

    /// The question for `window`.
    pub(super) fn query(&self, window: Window, depth: Depth) -> Query {
        self.report_source.query(self.key.scope.clone(), window, depth)
    }

    /// Whether it is a search, which takes many pages.
    pub(super) fn is_search(&self) -> bool {
        self.report_source.is_search()
    }

    pub(super) fn key(&self) -> &TotalsKey {
        &self.key
    }

    /// The windows of the target, while its requests succeed and its events can be late.
    pub(super) fn countable(&self) -> Option<Grid> {
        (self.success && self.metrics.tell_of_events()).then_some(self.rule.grid)
    }

    /// Reads an answer of any time.
    pub(super) fn samples(&self, reply: &Reply) -> Samples {
        self.metrics.read(&reply.report, &self.keys)
    }

    /// The number of events in `read`.
    pub(super) fn events(&self, read: &Samples) -> u64 {
        self.metrics.events(&read.increments)
    }

    /// Changes the settle delay at `now`; windows that are due because of it are not late yet.
    pub(super) fn wait_for(&mut self, settle: Duration, now: Tick) {
        self.rule.settle = self.report_source.settle(settle);
        self.on_time_at = now;
    }

    /// The watermark. Where nothing is known yet it is set, now that the appliance's time is known: windows that end while
    /// a target waits behind others are to be counted. None while that time may be about to jump.
    pub(super) fn begin(&mut self, ledger: &Ledger, now: Moment) -> Option<Timestamp> {
        if ledger.watermark(&self.key).is_none() && self.resume_point.may_begin(now) {
            ledger.begin(&self.key, self.rule.first_watermark(now.appliance, self.start));
        }
        ledger.watermark(&self.key)
    }

    /// Shows that the totals have begun at zero, if that is written down. Were a zero seen that a crash takes back, the
    /// return of the old totals would look like so many new events.
    pub(super) fn reset_persisted(&mut self, begins: Begins, outcome: &Result<(), CommitError>, now: Tick) {
        match outcome {
            Ok(()) => {}
            Err(CommitError::Moved) => return,
            Err(CommitError::NotWritten(_)) => {
                self.not_before = now + NOT_WRITTEN_WAIT;
                return;
            }
        }
        let Begins { from, at, lost } = begins;
        self.tally.lose(lost, LostReason::CatchUp);
        self.warn_lost(lost, from, at, "the state is too old or from another clock: totals restart at zero");
        self.resume_point.found();
        self.success = false;
        self.totals = Arc::new(self.metrics.totals(&BTreeMap::new()));
        self.beginnings.all(&self.totals, self.requested_grid(), now);
        self.keys = KnownKeys::default();
        (self.window_end, self.since, self.origin, self.running_end) = (None, None, None, None);
        self.created = Arc::default();
    }

    /// What to do next. Nothing that it leaves out is given up before the window after it is counted.
    pub(super) fn plan(&mut self, ledger: &Ledger, now: Moment, stride: Stride) -> Step {
        let time = now.appliance;
        self.finish_running(ledger);
        let watermark = self.begin(ledger, now);
        let place = watermark.and_then(|watermark| self.resume_point.find(self.rule, self.start, watermark, now));
        let step = match place {
            None => Step::SyncClock(self.rule.newest(time)),
            Some(place) => {
                let (start, gap) = self.with_open_hour(ledger, place);
                self.plan_from(start, gap, ledger, time, stride)
            }
        };
        self.waits_for_clock = matches!(step, Step::SyncClock(_));
        if self.waits_for_clock && std::mem::take(&mut self.success) {
            let (scope, group) = (&self.key.scope, &**self.report_source.label());
            let message = "clock of the appliance is behind the last counted window: polls wait for it";
            tracing::warn!(appliance = &*self.key.appliance, %scope, group, now = %time, ?watermark, "{message}");
        }
        step
    }

    fn plan_from(&mut self, start: Timestamp, gap: Gap, ledger: &Ledger, now: Timestamp, stride: Stride) -> Step {
        let mut audit = |otherwise| self.audits.step(ledger.stretches(&self.key), self.rule.settle, now, otherwise);
        // Where windows are always due, comparisons would never be. They have what windows leave: a backlog goes first.
        let waiting =
            self.rule.grid.length().saturating_mul(u32::try_from(self.rule.pending(start, now)).unwrap_or(u32::MAX));
        if stride == Stride::All
            && waiting <= AUDIT_BACKLOG
            && let step @ Step::Audit(_) = audit(Duration::MAX)
        {
            return step;
        }
        match self.rule.step(start, now, stride) {
            Step::Wait(span) => match self.running_step(start, gap, now, span) {
                Step::Wait(span) => self.audits.step(ledger.stretches(&self.key), self.rule.settle, now, span),
                step => step,
            },
            Step::Fetch { count, left, .. } if count > self.most_windows => {
                let (window, fewer) = (self.rule.grid.stretch_from(start, self.most_windows), self.most_windows);
                Step::Fetch { window, count: fewer, left: left + u64::from(count - fewer), gap }
            }
            Step::Fetch { window, count, left, .. } => {
                if left == 0 {
                    self.most_windows = u32::MAX;
                }
                Step::Fetch { window, count, left, gap }
            }
            step @ (Step::SyncClock(_) | Step::Audit(_) | Step::RunningHour(_)) => step,
        }
    }

    /// Whether the totals begin at zero with the next window, by what is known now.
    pub(super) fn begins_anew(&mut self, ledger: &Ledger, now: Moment) -> bool {
        let place =
            ledger.watermark(&self.key).and_then(|from| self.resume_point.find(self.rule, self.start, from, now));
        matches!(place, Some((_, Gap::Restart { .. })))
    }

    /// Takes in that the count over `count` windows in a row stopped at its bound. Each of them has a count of its own
    /// that may be whole, so they are requested again in halves, and so is the rest of the backlog.
    pub(super) fn halve(&mut self, count: u32) {
        let (scope, group) = (&self.key.scope, &**self.report_source.label());
        tracing::debug!(appliance = &*self.key.appliance, %scope, group, count, "count reached its bound");
        self.most_windows = (count / 2).max(1);
    }

    /// Reads an answer for `window`; none when the appliance gave it before the window was complete: the request is
    /// repeated a while later.
    pub(super) fn read(&mut self, window: Window, reply: &Reply, now: Tick) -> Option<Samples> {
        let complete = window.end() + self.rule.settle;
        if reply.at < complete {
            let (scope, group) = (&self.key.scope, &**self.report_source.label());
            tracing::debug!(appliance = &*self.key.appliance, %scope, group, %window, "answer came too early");
            let (shortest, longest) = EARLY_WAITS;
            self.not_before = now + complete.since(reply.at).clamp(shortest, longest);
            return None;
        }
        Some(self.samples(reply))
    }

    /// Takes in that windows in a row were counted, or were not.
    pub(super) fn counted(
        &mut self,
        window: Window,
        count: Count,
        report: ReadReport,
        outcome: Result<Counted, CommitError>,
        moment: Moment,
    ) {
        let (scope, group) = (&self.key.scope, &**self.report_source.label());
        let Counted { account, lacked, surplus, too_large } = match outcome {
            Ok(counted) => counted,
            Err(CommitError::Moved) => {
                tracing::debug!(appliance = &*self.key.appliance, %scope, group, %window, "window is already counted");
                return;
            }
            Err(CommitError::NotWritten(_)) => {
                // The store has logged it once for all targets; the window is requested again.
                self.not_before = moment.tick + NOT_WRITTEN_WAIT;
                return;
            }
        };
        let ReadReport { samples: read, request, at } = report;
        if let Gap::Lost { from, windows, why } = count.gap {
            self.tally.lose(windows, why);
            self.warn_lost(windows, from, window.start(), why.label());
        }
        self.tally.committed += u64::from(count.windows);
        self.tally.missing += read.missing;
        self.tally.unknown += read.unknown;
        for (sum, more) in self.tally.unusable.iter_mut().zip(read.unusable) {
            *sum += more;
        }
        self.tally.refuse(Unusable::TooLarge, too_large);
        self.tally.dropped += read.dropped;
        self.show(&account, moment.tick);
        let stale = window.end() + self.rule.grid.length() * STALE_AFTER_WINDOWS + self.rule.settle;
        let expires = moment.tick + stale.since(moment.appliance);
        // Averages and maxima of several windows are of none of them, and their sums are no window's count. The values
        // of an older window would not be of the one that is newest now.
        self.reading = (count.windows == 1)
            .then(|| Arc::new(Reading { samples: read.samples, raw_values: read.raw_values, expires }));
        self.running_surplus = surplus;
        let mut added = lacked.unwrap_or(read.increments);
        added.retain(|(_, count)| *count > 0);
        added.shrink_to_fit();
        self.origin = Some(Arc::new(Origin { sent: request, window, at, added }));
        self.window_end = Some(window.end());
        self.is_well_at(moment);
    }

    fn show(&mut self, account: &CounterState, now: Tick) {
        self.totals = Arc::new(self.metrics.totals(&account.totals));
        self.beginnings.go_on(&account.beginning, &self.totals, self.requested_grid(), now);
        if self.created.keys != account.keys_created || self.created.whole.map(Timestamp::as_secs) != account.created {
            self.created = creation_times(account);
        }
        self.since = Some(account.epoch);
        self.running_end = running_end(account);
        self.keys = known_keys(account);
    }

    /// Takes in what a comparison with the report came to.
    pub(super) fn reconciled(&mut self, hours: Window, outcome: Result<Reconciled, CommitError>, moment: Moment) {
        let now = moment.appliance;
        let found = match outcome {
            Ok(found) => found,
            Err(_) => return self.audits.tried(now),
        };
        let Reconciled { account, late, is_added, surplus, too_large } = found;
        self.tally.refuse(Unusable::TooLarge, too_large);
        self.show(&account, moment.tick);
        self.tally.reconciliations += 1;
        let news = self.audits.done(hours.start(), late, is_added, now);
        self.tally.late = self.tally.late.saturating_add(news);
        if !is_added {
            self.tally.not_added = self.tally.not_added.saturating_add(news);
        }
        self.difference = Some(i64::try_from(late).unwrap_or(i64::MAX) - i64::try_from(surplus).unwrap_or(i64::MAX));
    }

    /// A reconciliation failed. No window depends on it, so it is tried again with the next hour.
    pub(super) fn audit_failed(&mut self, failure: &Failure, now: Timestamp) {
        let (scope, group) = (&self.key.scope, &**self.report_source.label());
        let reason = failure.reason.label();
        tracing::debug!(appliance = &*self.key.appliance, %scope, group, reason, "reconciliation failed");
        self.audits.tried(now);
    }

    /// A comparison with an incomplete report would prove nothing.
    pub(super) fn audit_skipped(&mut self, hours: Window, now: Timestamp) {
        self.audits.skipped(hours.start(), now);
    }

    /// Whether the clock is behind what was counted and is waited for.
    pub(super) fn waits_for_clock(&self) -> bool {
        self.waits_for_clock
    }

    fn warn_lost(&self, windows: u64, from: Timestamp, to: Timestamp, reason: &str) {
        let (scope, group) = (&self.key.scope, &**self.report_source.label());
        tracing::warn!(appliance = &*self.key.appliance, %scope, group, windows, %from, %to, reason, "windows lost");
    }
}

fn creation_times(account: &CounterState) -> Arc<CreationTimes> {
    let whole = account.created.map(Timestamp::from_secs);
    Arc::new(CreationTimes { whole, keys: account.keys_created.clone() })
}

fn running_end(account: &CounterState) -> Option<Timestamp> {
    account.running().map(|(hour, until)| counted_until(hour, until))
}

fn known_keys(account: &CounterState) -> KnownKeys {
    KnownKeys::new(&account.seen, account.watermark)
}

#[cfg(test)]
mod tests;

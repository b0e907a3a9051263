//! One counter group in one scope of one appliance: its windows, its standing, its newest values.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::api::{Depth, Failure, Query, Reason, Reply, Unusable};
use crate::clock::{Tick, Timestamp};
use crate::config::Polling;
use crate::ledger::{Account, Begun, CommitError, Counted, Key, Ledger, Reconciled};
use crate::sample::{Families, KnownKeys, Metrics, Sample, Samples};
use crate::snapshot::{GroupView, LostReason, Origin, Reading, Tally, Trouble};
use crate::store::Summed;
use crate::window::{Grid, Window};

use super::audit::Audits;
use super::job::Heard;
use super::plan::{Rule, Skip, Step};
use super::subject::Subject;

/// The first wait after a failure; each further one is twice as long, up to a window, within bounds.
const FIRST_WAIT: Duration = Duration::from_secs(60);
const LONGEST_WAIT: Duration = Duration::from_secs(10 * 60);
/// Waits after a report was declined or not allowed, the last one for good: it may come with a release or a role, so
/// asking once an hour is enough, but a fault that looks like a refusal must not cost an hour.
pub(super) const DECLINED_WAITS: [Duration; 3] =
    [Duration::from_secs(60), Duration::from_secs(5 * 60), Duration::from_secs(60 * 60)];
/// How long a target is left alone after its window could not be written down.
const NOT_WRITTEN_WAIT: Duration = Duration::from_secs(10);
/// Values are shown until their window is this many windows, and the settle delay, old.
const STALE_AFTER_WINDOWS: u32 = 3;

/// The same moment on three clocks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    pub(super) tick: Tick,
    pub(super) appliance: Timestamp,
    pub(super) wall: Timestamp,
}

#[derive(Debug)]
pub(super) struct Target {
    key: Key,
    subject: Subject,
    /// The keys that have a series of their own.
    keys: KnownKeys,
    rule: Rule,
    start: Option<Duration>,
    metrics: Metrics,
    pub(super) in_flight: bool,
    /// Before this the target is left alone.
    pub(super) not_before: Tick,
    failures: u32,
    success: bool,
    last_success: Option<Timestamp>,
    refusal: Option<Reason>,
    trouble: Option<Arc<Trouble>>,
    window_end: Option<Timestamp>,
    reading: Option<Arc<Reading>>,
    totals: Arc<Vec<Sample>>,
    since: Option<Timestamp>,
    origin: Option<Arc<Origin>>,
    /// So many windows of a backlog can be counted with one request, as far as is known.
    most_windows: u32,
    audits: Audits,
    difference: Option<i64>,
    tally: Tally,
}

impl Target {
    /// A target whose totals are what the ledger knows: a page must not show zero for what a restart remembers.
    pub(super) fn new(
        key: Key,
        subject: Subject,
        families: &Families,
        polling: Polling,
        phase: Duration,
        ledger: &Ledger,
    ) -> Self {
        let metrics = subject.metrics(families);
        let known = ledger.account(&key);
        let nothing = BTreeMap::new();
        let totals = metrics.totals(known.as_ref().map_or(&nothing, |account| &account.totals));
        let keys = known.as_ref().map_or_else(KnownKeys::default, known_keys);
        let (grid, settle) = (subject.grid(), subject.settle(polling.settle.initial()));
        Self {
            key,
            subject,
            keys,
            rule: Rule { grid, settle, phase, catch_up: polling.catch_up },
            start: polling.start,
            metrics,
            in_flight: false,
            not_before: Tick::default(),
            failures: 0,
            // The newest poll before a restart is still the newest, and it brought what the ledger knows.
            success: known.is_some(),
            last_success: None,
            refusal: None,
            trouble: None,
            since: known.as_ref().map(|account| account.epoch),
            origin: None,
            window_end: known.filter(|account| !account.totals.is_empty()).map(|account| account.watermark),
            reading: None,
            totals: Arc::new(totals),
            most_windows: u32::MAX,
            audits: Audits::new(polling.late),
            difference: None,
            tally: Tally::default(),
        }
    }

    /// The counters that have totals.
    pub(super) fn summed(&self) -> Arc<Summed> {
        Arc::clone(self.metrics.summed())
    }

    /// The question for `window`.
    pub(super) fn query(&self, window: Window, depth: Depth) -> Query {
        self.subject.query(self.key.scope.clone(), window, depth)
    }

    pub(super) fn key(&self) -> &Key {
        &self.key
    }

    /// The windows of the target, while it is had and what it counts can be late.
    pub(super) fn countable(&self) -> Option<Grid> {
        (self.success && self.metrics.tell_of_events()).then_some(self.rule.grid)
    }

    /// Reads an answer of any time.
    pub(super) fn look(&self, reply: &Reply) -> Samples {
        self.metrics.read(&reply.report, &self.keys)
    }

    /// How many events `read` tells of.
    pub(super) fn events(&self, read: &Samples) -> u64 {
        self.metrics.events(&read.increments)
    }

    /// From now on windows are asked for so long after their end.
    pub(super) fn wait_for(&mut self, settle: Duration) {
        self.rule.settle = self.subject.settle(settle);
    }

    /// Finds the place to go on from, now that the appliance's time is known. After [`Begun::Reset`] the old totals are
    /// shown until [`Target::begun_anew`].
    pub(super) fn begin(&mut self, ledger: &Ledger, now: Timestamp) -> Begun {
        let resumable = self.rule.resumable(now);
        let first = self.rule.first_watermark(now, self.start);
        let begun = ledger.begin(&self.key, first, *resumable.start(), *resumable.end());
        if let Begun::Reset { from } = begun {
            let lost = self.rule.pending(from, now).saturating_sub(self.rule.pending(*resumable.start(), now));
            self.tally.lose(lost, LostReason::CatchUp);
            self.warn_lost(
                lost,
                from,
                *resumable.start(),
                "the state is too old or of another time: totals begin at zero",
            );
        }
        begun
    }

    /// Shows that the totals have begun at zero, if that is written down. Were a zero seen that a crash takes back, the
    /// return of the old totals would look like so many new events.
    pub(super) fn begun_anew(&mut self, outcome: &Result<(), CommitError>) {
        self.window_end = None;
        self.success = false;
        if outcome.is_ok() {
            self.totals = Arc::new(self.metrics.totals(&BTreeMap::new()));
            self.keys = KnownKeys::default();
            (self.since, self.origin) = (None, None);
        }
    }

    /// What to do next; windows that cannot be fetched any more are given up on the way.
    pub(super) fn plan(&mut self, ledger: &Ledger, now: Timestamp) -> Step {
        let Some(mut watermark) = ledger.watermark(&self.key) else {
            self.begin(ledger, now);
            return Step::Wait(Duration::ZERO);
        };
        while let Some(Skip { to, windows, why }) = self.rule.skip(watermark, now) {
            if ledger.skip(&self.key, watermark, to) {
                self.tally.lose(windows, why);
                self.warn_lost(windows, watermark, to, why.label());
            }
            watermark = to;
        }
        match self.rule.step(watermark, now) {
            Step::Wait(span) => self.audits.step(ledger.stretches(&self.key), self.rule.settle, now, span),
            Step::Hear(window) => {
                if std::mem::take(&mut self.success) {
                    let (scope, group) = (&self.key.scope, &**self.subject.label());
                    let message = "clock of the appliance is behind what was counted: waiting for it";
                    tracing::warn!(appliance = &*self.key.appliance, %scope, group, %now, %watermark, "{message}");
                }
                Step::Hear(window)
            }
            Step::Fetch { count, backlog: true, .. } if count > self.most_windows => {
                let (window, count) = (self.rule.grid.stretch_from(watermark, self.most_windows), self.most_windows);
                Step::Fetch { window, count, backlog: true }
            }
            step @ Step::Fetch { backlog, .. } => {
                if !backlog {
                    self.most_windows = u32::MAX;
                }
                step
            }
            step @ Step::Audit(_) => step,
        }
    }

    /// Takes in that the count over `count` windows in a row stopped at its bound. Each of them has a count of its own
    /// that may be whole, so they are asked for again in halves, and so is the rest of the backlog.
    pub(super) fn halve(&mut self, count: u32) {
        let (scope, group) = (&self.key.scope, &**self.subject.label());
        tracing::debug!(appliance = &*self.key.appliance, %scope, group, count, "count reached its bound");
        self.most_windows = (count / 2).max(1);
    }

    /// Reads an answer for `window`; none when the appliance gave it before the window was complete.
    pub(super) fn read(&self, window: Window, reply: &Reply) -> Option<Samples> {
        if reply.at < window.end() + self.rule.settle {
            let (scope, group) = (&self.key.scope, &**self.subject.label());
            tracing::debug!(appliance = &*self.key.appliance, %scope, group, %window, "answer came too early");
            return None;
        }
        Some(self.look(reply))
    }

    /// Takes in that `count` windows in a row were counted, or were not.
    pub(super) fn counted(
        &mut self,
        window: Window,
        count: u32,
        heard: Heard,
        outcome: Result<Counted, CommitError>,
        moment: Moment,
    ) {
        let (scope, group) = (&self.key.scope, &**self.subject.label());
        let Counted { account, too_large } = match outcome {
            Ok(counted) => counted,
            Err(CommitError::Moved) => {
                tracing::debug!(appliance = &*self.key.appliance, %scope, group, %window, "window was counted already");
                return;
            }
            Err(CommitError::NotWritten(_)) => {
                // Said by the store for all of them; the window is asked for again.
                self.not_before = moment.tick + NOT_WRITTEN_WAIT;
                return;
            }
        };
        if self.failures > 0 {
            tracing::info!(appliance = &*self.key.appliance, %scope, group, "report is had again");
        }
        let Heard { read, sent, at } = heard;
        self.tally.committed += u64::from(count);
        self.tally.missing += read.missing;
        self.tally.unknown += read.unknown;
        for (sum, more) in self.tally.unusable.iter_mut().zip(read.unusable) {
            *sum += more;
        }
        self.tally.refuse(Unusable::TooLarge, too_large);
        self.tally.dropped += read.dropped;
        self.show(&account);
        let stale = window.end() + self.rule.grid.length() * STALE_AFTER_WINDOWS + self.rule.settle;
        let expires = moment.tick + stale.since(moment.appliance);
        // Averages and maxima of several windows are of none of them, and their sums are no window's count. The values
        // of an older window would not be of the one that is newest now.
        self.reading = (count == 1).then(|| Arc::new(Reading { samples: read.samples, raws: read.raws, expires }));
        let mut added = read.increments;
        added.retain(|(_, count)| *count > 0);
        added.shrink_to_fit();
        self.origin = Some(Arc::new(Origin { sent, window, at, added }));
        self.window_end = Some(window.end());
        self.last_success = Some(moment.wall);
        self.success = true;
        self.refusal = None;
        self.trouble = None;
        self.failures = 0;
    }

    fn show(&mut self, account: &Account) {
        self.totals = Arc::new(self.metrics.totals(&account.totals));
        self.since = Some(account.epoch);
        self.keys = known_keys(account);
    }

    /// Takes in what a comparison with the report came to.
    pub(super) fn reconciled(&mut self, hours: Window, outcome: Result<Reconciled, CommitError>, now: Timestamp) {
        let found = match outcome {
            Ok(found) => found,
            Err(_) => return self.audits.tried(now),
        };
        let Reconciled { account, late, surplus, too_large } = found;
        self.tally.refuse(Unusable::TooLarge, too_large);
        self.show(&account);
        self.tally.reconciliations += 1;
        self.tally.late += self.audits.done(hours.start(), late, now);
        self.difference = Some(i64::try_from(late).unwrap_or(i64::MAX) - i64::try_from(surplus).unwrap_or(i64::MAX));
    }

    /// A comparison was not had. It costs no window, so it is tried again with the next hour.
    pub(super) fn audit_failed(&mut self, failure: &Failure, now: Timestamp) {
        let (scope, group) = (&self.key.scope, &**self.subject.label());
        let reason = failure.reason.label();
        tracing::debug!(appliance = &*self.key.appliance, %scope, group, reason, "comparison is not had");
        self.audits.tried(now);
    }

    /// A comparison with a report that is not whole would tell nothing.
    pub(super) fn audit_skipped(&mut self, now: Timestamp) {
        self.audits.tried(now);
    }

    /// Takes to whole hours. What was not counted yet is asked for anew in hours; an hour begun is lost, see
    /// [`Rule::skip`].
    pub(super) fn take_hours(&mut self, ledger: &Ledger, now: Timestamp) {
        let (scope, group) = (&self.key.scope, &**self.subject.label());
        let message = "report is answered for whole hours only: its windows are hours from now on";
        tracing::info!(appliance = &*self.key.appliance, %scope, group, "{message}");
        self.rule.grid = self.rule.grid.in_hours();
        if let (None, Some(watermark)) = (self.window_end, ledger.watermark(&self.key)) {
            let whole = self.rule.grid.floor(watermark).min(self.rule.first_watermark(now, self.start));
            // Nobody else moves this key: one task owns the target.
            let _ = ledger.skip(&self.key, watermark, whole);
        }
    }

    /// Remembers a failure, as the `trouble` that it is, and when to try again.
    pub(super) fn failed(&mut self, failure: &Failure, trouble: Arc<Trouble>, now: Tick) {
        let (scope, group) = (&self.key.scope, &**self.subject.label());
        let reason = failure.reason.label();
        if self.failures == 0 {
            tracing::warn!(appliance = &*self.key.appliance, %scope, group, reason, error = %failure, "report is not had");
        }
        let usual = || {
            let longest = self.rule.grid.length().clamp(FIRST_WAIT, LONGEST_WAIT);
            FIRST_WAIT.saturating_mul(1 << self.failures.min(8)).min(longest)
        };
        let declined = matches!(failure.reason, Reason::Declined | Reason::NotAllowed);
        self.refusal = declined.then_some(failure.reason);
        let step = usize::try_from(self.failures).unwrap_or(usize::MAX).min(DECLINED_WAITS.len() - 1);
        let wait = if declined { DECLINED_WAITS[step] } else { usual() };
        self.not_before = now + wait;
        self.failures += 1;
        self.success = false;
        self.trouble = Some(trouble);
    }

    /// What is known about the target.
    pub(super) fn view(&self, ledger: &Ledger, now: Timestamp) -> GroupView {
        GroupView {
            scope: self.key.scope.clone(),
            group: Arc::clone(self.subject.label()),
            success: self.success,
            last_success: self.last_success,
            refusal: self.refusal,
            trouble: self.trouble.clone(),
            window: self.rule.grid.length(),
            settle: self.rule.settle,
            pending: ledger.watermark(&self.key).map_or(0, |watermark| self.rule.pending(watermark, now)),
            window_end: self.window_end,
            tally: self.tally,
            difference: self.difference,
            reading: self.reading.clone(),
            totals: Arc::clone(&self.totals),
            since: self.since,
            origin: self.origin.clone(),
        }
    }

    fn warn_lost(&self, windows: u64, from: Timestamp, to: Timestamp, reason: &str) {
        let (scope, group) = (&self.key.scope, &**self.subject.label());
        tracing::warn!(appliance = &*self.key.appliance, %scope, group, windows, %from, %to, reason, "windows are lost");
    }
}

fn known_keys(account: &Account) -> KnownKeys {
    KnownKeys::new(&account.seen, account.watermark)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Alignment, GroupChoice, Late, Scope, Settle};
    use crate::ledger::Counts;

    #[tokio::test]
    async fn totals_that_begin_anew_are_zero_once_that_is_written() {
        let minute = Duration::from_secs(60);
        let group = Arc::new(crate::catalogue::group("mail_mar_summary").expect("in the catalogue").clone());
        let key = Key { appliance: "a".into(), scope: Scope::Appliance, group: (*group.name).into() };
        let at = |minutes: u64| Timestamp::from_secs(minutes * 60);
        let ledger = Ledger::in_memory();
        ledger.begin(&key, at(0), at(0), at(0));
        let counts = Counts { increments: &[("msgs_deleted".into(), 7)], retired: &[], summed: &Arc::default() };
        ledger.commit(&key, at(0), at(1), &counts).await.expect("counted");
        let grid = Grid::try_new(minute).expect("a minute");
        let polling = Polling {
            grid,
            settle: Settle::Fixed(minute),
            timeout: minute,
            concurrency: 1,
            requests_per_minute: std::num::NonZeroU32::MIN,
            max_login_refusals: 3,
            catch_up: 60 * minute,
            start: None,
            alignment: Alignment::Auto,
            late: Late::Add,
        };
        let subject = Subject::of_group(&GroupChoice { group, top: None, grid, series_limit: 1000 });
        let mut target = Target::new(key, subject, &Families::default(), polling, Duration::ZERO, &ledger);
        let shown = |target: &Target| target.view(&ledger, at(100)).totals[0].value;
        assert_eq!(target.begin(&ledger, at(100)), Begun::Reset { from: at(1) });
        assert_eq!(shown(&target), 7.0, "a crash would bring it back");
        target.begun_anew(&Err(CommitError::Moved));
        assert_eq!(shown(&target), 7.0);
        target.begun_anew(&Ok(()));
        assert_eq!(shown(&target), 0.0);
    }
}

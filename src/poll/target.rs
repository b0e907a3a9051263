//! One counter group in one scope of one appliance: its windows, its standing, its newest values.

use std::sync::Arc;
use std::time::Duration;

use crate::api::{Failure, Reason, Reply};
use crate::catalogue::Group;
use crate::clock::{Tick, Timestamp};
use crate::config::{GroupChoice, Polling, Scope};
use crate::ledger::{Key, Ledger};
use crate::sample::Gauges;
use crate::snapshot::{GroupView, Reading, Tally};
use crate::window::Window;

use super::plan::{Rule, Skip, Step};

/// The first wait after a failure; each further one is twice as long, up to a window, within bounds.
const FIRST_WAIT: Duration = Duration::from_secs(60);
const LONGEST_WAIT: Duration = Duration::from_secs(10 * 60);
/// Waits after a report was declined or not allowed, the last one for good: it may come with a release or a role, so
/// asking once an hour is enough, but a fault that looks like a refusal must not cost an hour.
const DECLINED_WAITS: [Duration; 3] =
    [Duration::from_secs(60), Duration::from_secs(5 * 60), Duration::from_secs(60 * 60)];
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
    group: &'static Group,
    rule: Rule,
    start: Option<Duration>,
    gauges: Gauges,
    pub(super) in_flight: bool,
    /// Before this the target is left alone.
    pub(super) not_before: Tick,
    failures: u32,
    success: bool,
    last_success: Option<Timestamp>,
    window_end: Option<Timestamp>,
    reading: Option<Arc<Reading>>,
    tally: Tally,
}

impl Target {
    pub(super) fn new(
        appliance: &Arc<str>,
        scope: Scope,
        choice: GroupChoice,
        polling: Polling,
        phase: Duration,
    ) -> Self {
        let GroupChoice { group, grid } = choice;
        Self {
            key: Key { appliance: Arc::clone(appliance), scope, group: group.name },
            group,
            rule: Rule { grid, settle: polling.settle, phase, catch_up: polling.catch_up },
            start: polling.start,
            gauges: Gauges::new(group),
            in_flight: false,
            not_before: Tick::default(),
            failures: 0,
            success: false,
            last_success: None,
            window_end: None,
            reading: None,
            tally: Tally::default(),
        }
    }

    pub(super) fn scope(&self) -> &Scope {
        &self.key.scope
    }

    pub(super) fn group(&self) -> &'static Group {
        self.group
    }

    /// Sets the first watermark, now that the appliance's time is known.
    pub(super) fn begin(&mut self, ledger: &Ledger, now: Timestamp) {
        ledger.begin(&self.key, self.rule.first_watermark(now, self.start));
    }

    /// What to do next; windows that cannot be fetched any more are given up on the way.
    pub(super) fn plan(&mut self, ledger: &Ledger, now: Timestamp) -> Step {
        let mut watermark = ledger.begin(&self.key, self.rule.first_watermark(now, self.start));
        while let Some(Skip { to, windows, why }) = self.rule.skip(watermark, now) {
            if ledger.advance(&self.key, watermark, to).is_ok() {
                self.tally.lose(windows, why);
                let (from, reason) = (watermark, why.label());
                self.warn_lost(windows, from, to, reason);
            }
            watermark = to;
        }
        self.rule.step(watermark, now)
    }

    /// Counts a window. An answer that the appliance gave before the window was complete, or that came twice, is not.
    pub(super) fn commit(&mut self, ledger: &Ledger, window: Window, reply: &Reply, moment: Moment) {
        let (scope, group) = (&self.key.scope, self.group.name);
        if reply.at < window.end() + self.rule.settle {
            tracing::debug!(appliance = &*self.key.appliance, %scope, group, %window, "answer came too early");
            return;
        }
        let read = self.gauges.read(&reply.report);
        if ledger.advance(&self.key, window.start(), window.end()).is_err() {
            tracing::debug!(appliance = &*self.key.appliance, %scope, group, %window, "window was counted already");
            return;
        }
        if self.failures > 0 {
            tracing::info!(appliance = &*self.key.appliance, %scope, group, "report is had again");
        }
        self.tally.committed += 1;
        self.tally.missing += read.missing;
        self.tally.unknown += read.unknown;
        for (sum, more) in self.tally.unusable.iter_mut().zip(read.unusable) {
            *sum += more;
        }
        let stale = window.end() + self.rule.grid.length() * STALE_AFTER_WINDOWS + self.rule.settle;
        let expires = moment.tick + stale.since(moment.appliance);
        self.reading = Some(Arc::new(Reading { samples: read.samples, expires }));
        self.window_end = Some(window.end());
        self.last_success = Some(moment.wall);
        self.success = true;
        self.failures = 0;
    }

    /// Takes to whole hours. What was not counted yet is asked for anew in hours; an hour begun is lost, see
    /// [`Rule::skip`].
    pub(super) fn take_hours(&mut self, ledger: &Ledger, now: Timestamp) {
        let (scope, group) = (&self.key.scope, self.group.name);
        let message = "report is answered for whole hours only: its windows are hours from now on";
        tracing::info!(appliance = &*self.key.appliance, %scope, group, "{message}");
        self.rule.grid = self.rule.grid.in_hours();
        if let (0, Some(watermark)) = (self.tally.committed, ledger.watermark(&self.key)) {
            let whole = self.rule.grid.floor(watermark).min(self.rule.first_watermark(now, self.start));
            // Nobody else moves this key: one task owns the target.
            let _ = ledger.advance(&self.key, watermark, whole);
        }
    }

    /// Remembers a failure and when to try again.
    pub(super) fn failed(&mut self, failure: &Failure, now: Tick) {
        let (scope, group) = (&self.key.scope, self.group.name);
        let reason = failure.reason.label();
        if self.failures == 0 {
            tracing::warn!(appliance = &*self.key.appliance, %scope, group, reason, error = %failure, "report is not had");
        }
        let usual = || {
            let longest = self.rule.grid.length().clamp(FIRST_WAIT, LONGEST_WAIT);
            FIRST_WAIT.saturating_mul(1 << self.failures.min(8)).min(longest)
        };
        let declined = matches!(failure.reason, Reason::Declined | Reason::NotAllowed);
        let step = usize::try_from(self.failures).unwrap_or(usize::MAX).min(DECLINED_WAITS.len() - 1);
        let wait = if declined { DECLINED_WAITS[step] } else { usual() };
        self.not_before = now + wait;
        self.failures += 1;
        self.success = false;
    }

    /// What is known about the target.
    pub(super) fn view(&self, ledger: &Ledger, now: Timestamp) -> GroupView {
        GroupView {
            scope: self.key.scope.clone(),
            group: self.group.name,
            success: self.success,
            last_success: self.last_success,
            window: self.rule.grid.length(),
            settle: self.rule.settle,
            pending: ledger.watermark(&self.key).map_or(0, |watermark| self.rule.pending(watermark, now)),
            window_end: self.window_end,
            tally: self.tally,
            reading: self.reading.clone(),
        }
    }

    fn warn_lost(&self, windows: u64, from: Timestamp, to: Timestamp, reason: &str) {
        let (scope, group) = (&self.key.scope, self.group.name);
        tracing::warn!(appliance = &*self.key.appliance, %scope, group, windows, %from, %to, reason, "windows are lost");
    }
}

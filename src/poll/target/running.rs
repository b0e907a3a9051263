//! The hour that is not over, of a target that is answered for whole hours only.

use std::sync::Arc;
use std::time::Duration;

use super::{NOT_WRITTEN_WAIT, Target};
use crate::api::Reply;
use crate::base::clock::Timestamp;
use crate::base::window::{Grid, Window};
use crate::config::Alignment;
use crate::ledger::{CommitError, Counted, Ledger};
use crate::poll::failing::Failing;
use crate::poll::job::ReadReport;
use crate::poll::plan::{Gap, Step};
use crate::poll::resume_point::Moment;
use crate::sample::Samples;
use crate::snapshot::{LostReason, Origin};
use crate::store::Facts;

impl Target {
    /// Switches to whole hours. What is not yet counted is requested in hours; of an hour counted in part, the rest is added.
    pub(in crate::poll) fn take_hours(&mut self, ledger: &Ledger, now: Timestamp) {
        if self.report_source.is_search() {
            return;
        }
        (self.rule.grid, self.rule.is_hourly, self.finishes_hour) = (self.rule.grid.in_hours(), true, false);
        if let (None, Some(watermark)) = (self.window_end, ledger.watermark(&self.key)) {
            let whole = self.rule.grid.floor(watermark).min(self.rule.first_watermark(now, self.start));
            // Nobody else moves this key: one task owns the target.
            let _ = ledger.shift(&self.key, watermark, whole);
        }
    }

    /// The same for an appliance whose facts are known from before.
    pub(in crate::poll) fn knowing(mut self, facts: &Facts, alignment: Alignment) -> Self {
        if facts.hours_only && alignment == Alignment::Auto && !self.report_source.is_search() {
            (self.rule.grid, self.rule.is_hourly) = (self.rule.grid.in_hours(), true);
        }
        self.running.declined(facts.running_declined.map(Timestamp::from_secs));
        self
    }

    /// Whether its windows were counted without a sign that only whole hours are accepted.
    pub(in crate::poll) fn takes_minutes(&self) -> bool {
        self.window_end.is_some() && !self.rule.is_hourly && !self.report_source.is_search()
    }

    /// Switches to the windows of the configuration.
    pub(in crate::poll) fn take_minutes(&mut self) {
        (self.rule.grid, self.rule.is_hourly) = (self.report_source.grid(), false);
    }

    /// Where windows go on, if not at the watermark: with the hour in which that lies, where there are whole hours only and
    /// what was counted of it in minutes is known.
    pub(super) fn with_open_hour(&self, ledger: &Ledger, place: (Timestamp, Gap)) -> (Timestamp, Gap) {
        match place.1 {
            Gap::Lost { from, why: LostReason::Alignment, .. }
                if ledger.knows_of(&self.key, Grid::HOURS.containing(from)) =>
            {
                (Grid::HOURS.floor(from), Gap::Begun { from })
            }
            Gap::None | Gap::Begun { .. } | Gap::Lost { .. } | Gap::Restart { .. } => place,
        }
    }

    /// Keeps whole hours until the running hour is closed, even if minutes are accepted now: nobody knows which minutes are
    /// already counted.
    pub(super) fn finish_running(&mut self, ledger: &Ledger) {
        let has_run = ledger.has_run(&self.key);
        if has_run && !self.rule.is_hourly {
            (self.rule.grid, self.rule.is_hourly, self.finishes_hour) = (self.rule.grid.in_hours(), true, true);
        } else if !has_run && self.finishes_hour {
            (self.rule.grid, self.rule.is_hourly, self.finishes_hour) = (self.report_source.grid(), false, false);
        }
    }

    /// The request for the hour from `start` on, where nothing else is due for `span`.
    pub(super) fn running_step(&self, start: Timestamp, gap: Gap, now: Timestamp, span: Duration) -> Step {
        match gap {
            Gap::None | Gap::Begun { .. } => self.running.step(self.rule, start, now, span),
            Gap::Lost { .. } | Gap::Restart { .. } => Step::Wait(span),
        }
    }

    /// Windows are requested at `now`.
    pub(in crate::poll) fn asked(&mut self, now: Timestamp) {
        self.running.asked(now);
    }

    /// The appliance declined the running hour at this time; none where it does not.
    pub(in crate::poll) fn running_declined(&mut self, at: Option<Timestamp>) {
        self.running.declined(at);
    }

    /// Running hours are requested no longer. Where no window is due, the failure of such a request is over with that.
    pub(in crate::poll) fn running_ended(&mut self, ledger: &Ledger, now: Moment) {
        let is_due = |watermark| self.rule.pending(watermark, now.appliance) > 0;
        if self.failing.is_none() || ledger.watermark(&self.key).is_none_or(is_due) {
            return;
        }
        (self.success, self.on_time_at, self.not_before) = (true, now.tick, now.tick);
        (self.trouble, self.failing) = (None, Failing::default());
    }

    /// Reads an answer for the running `hour`; none when it was given before that began.
    pub(in crate::poll) fn read_running(&self, hour: Window, reply: &Reply) -> Option<Samples> {
        (reply.at >= hour.start()).then(|| self.samples(reply))
    }

    /// There is no report of the running hour yet, or none that can be used.
    pub(in crate::poll) fn nothing_yet(&mut self, moment: Moment) {
        self.is_well_at(moment);
    }

    /// Records whether more of the running hour was counted.
    pub(in crate::poll) fn ran(
        &mut self,
        hour: Window,
        report: ReadReport,
        outcome: Result<Counted, CommitError>,
        moment: Moment,
    ) {
        let Counted { account, lacked, surplus, .. } = match outcome {
            Ok(counted) => counted,
            Err(CommitError::Moved) => return,
            Err(CommitError::NotWritten(_)) => {
                self.running.failed();
                self.not_before = moment.tick + NOT_WRITTEN_WAIT;
                return;
            }
        };
        self.running_surplus = surplus;
        self.show(&account, moment.tick);
        let ReadReport { samples: read, request, at } = report;
        let mut added = lacked.unwrap_or(read.increments);
        added.retain(|(_, count)| *count > 0);
        added.shrink_to_fit();
        self.origin = Some(Arc::new(Origin { sent: request, window: hour, at, added }));
        self.is_well_at(moment);
    }

    /// The newest poll succeeded.
    pub(super) fn is_well_at(&mut self, moment: Moment) {
        self.last_success = Some(moment.wall);
        self.success = true;
        self.on_time_at = moment.tick;
        self.trouble = None;
        self.failing = Failing::default();
    }

    /// Whether running hours are requested; none where that is no question.
    pub(super) fn shows_running(&self, now: Timestamp) -> Option<bool> {
        (self.rule.is_hourly && self.running.are_shortened()).then(|| self.running.are_requested(self.rule, now))
    }

    /// The time from one request to the next.
    pub(in crate::poll) fn cadence(&self) -> Duration {
        self.requested_grid().length()
    }

    /// The windows in which the target is requested: shorter than an hour where that is requested while it runs.
    pub(super) fn requested_grid(&self) -> Grid {
        let is_short = self.rule.is_hourly && self.rule.grid == Grid::HOURS && self.running.is_enabled();
        if is_short { self.running.every() } else { self.rule.grid }
    }

    /// When the next request is due, where the watermark is `watermark`.
    pub(super) fn next_request(&self, watermark: Timestamp, now: Timestamp) -> Timestamp {
        let due = self.rule.due(watermark);
        match self.running.are_requested(self.rule, now) {
            true => due.min(self.running.due(self.rule, now).max(watermark)),
            false => due,
        }
    }
}

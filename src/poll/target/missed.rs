//! Handling of failed reports.

use std::sync::Arc;
use std::time::Duration;

use super::Target;
use crate::api::{ClockDoubt, Failure};
use crate::base::clock::{Tick, Timestamp};
use crate::ledger::Ledger;
use crate::poll::failing;
use crate::poll::poll_log::{Polled, Topic};
use crate::poll::resume_point::Moment;
use crate::snapshot::Trouble;

/// Groups with longer windows may not be due for hours after a restart: the line about the first round does not wait for them.
const FIRST_ROUND: Duration = Duration::from_secs(3600);

impl Target {
    /// Records that the request for consecutive windows failed, classified by `trouble`, and when to try again; another
    /// target's last succeeded at `others`.
    pub(in crate::poll) fn failed(
        &mut self,
        failure: &Failure,
        trouble: Arc<Trouble>,
        windows: u32,
        others: Option<Tick>,
        now: Tick,
    ) {
        let wait = if windows > 1 && failing::is_of_the_size(failure.reason) {
            self.halve(windows);
            self.failing.failed_as_a_whole(now)
        } else {
            self.failing.failed(failure, self.cadence(), others, now)
        };
        self.not_before = now + wait;
        self.running.failed();
        self.success = false;
        self.trouble = Some(trouble);
    }

    /// What the log may say about it.
    pub(in crate::poll) fn for_log(&self) -> Polled {
        let trouble = self.trouble.clone().filter(|_| !self.failing.is_none());
        Polled {
            topic: Topic::Reports(self.key.scope.clone()),
            name: Arc::clone(self.report_source.label()),
            was_requested: self.last_success.is_some() || trouble.is_some(),
            is_in_first_round: !self.is_search() && self.cadence() <= FIRST_ROUND,
            is_wanted: true,
            trouble,
        }
    }

    /// The appliance has recovered from an outage: windows that failed because of it are due now.
    pub(in crate::poll) fn appliance_is_back(&mut self, now: Tick) {
        // Requests that timed out meanwhile say nothing about the size of the answer: nobody was there to answer.
        self.most_windows = u32::MAX;
        if let Some(asked_for) = self.failing.forgive() {
            self.not_before = self.not_before.min(now.max(asked_for));
        }
    }

    /// Whether it is requested once a window: it is neither refused nor paused for longer.
    pub(in crate::poll) fn is_in_rotation(&self, now: Tick) -> bool {
        let longest = self.cadence().max(failing::FIRST_WAIT);
        self.failing.refusal().is_none() && self.not_before.since(now) <= longest
    }

    /// Whether its last request succeeded; true before the first.
    pub(in crate::poll) fn is_well(&self) -> bool {
        self.failing.is_none()
    }

    /// The time from `now` until its next request is due; at least the time between two.
    pub(in crate::poll) fn next_due(&self, ledger: &Ledger, now: Timestamp) -> Duration {
        let watermark = ledger.watermark(&self.key).unwrap_or(now);
        self.next_request(watermark, now).since(now).max(self.cadence())
    }

    /// From where to where the watermark moves, uncounted, since the report is refused: there is nothing to fetch, so
    /// nothing is lost. Only once the refusal has lasted until the report is requested hourly: what a passing fault refuses
    /// is fetched afterwards. And only if the appliance has answered something else since, at `answered`, or this was
    /// never counted: what refuses everything may stand in front of it.
    pub(in crate::poll) fn refused_span(
        &self,
        ledger: &Ledger,
        answered: Option<Tick>,
        now: Moment,
    ) -> Option<(Timestamp, Timestamp)> {
        let refusal = self.failing.refusal().filter(|refusal| refusal.lasts())?;
        let is_of_this = self.window_end.is_none() || answered.is_some_and(|tick| tick > refusal.since);
        let is_sure = now.doubt != Some(ClockDoubt::Unconfirmed);
        let (from, to) = (ledger.watermark(&self.key)?, self.rule.newest(now.appliance).start());
        (is_of_this && is_sure && from < to).then_some((from, to))
    }

    /// Takes in that the watermark has moved to the present without counting.
    pub(in crate::poll) fn passed_over(&mut self) {
        self.resume_point.found();
    }
}

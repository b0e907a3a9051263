//! What is published about a target. What no poll renews expires by the clock: a poller that hangs must not look well.

use std::sync::Arc;
use std::time::Duration;

use super::Target;
use crate::base::clock::{Tick, Timestamp};
use crate::ledger::Ledger;
use crate::poll::refusal::Refusal;
use crate::poll::resume_point::Moment;
use crate::snapshot::{GroupView, Pending};

/// How long after a window is complete it counts as waiting although nothing was published since. A poll in its time
/// publishes sooner, and the page is not written again for this alone.
const PENDING_GRACE: Duration = Duration::from_secs(60);

impl Target {
    /// What is known about the target. A window that is due may be late by `allowance` before its poll counts as failed.
    pub(in crate::poll) fn view(&self, ledger: &Ledger, now: Moment, allowance: Duration) -> GroupView {
        let watermark = ledger.watermark(&self.key);
        GroupView {
            scope: self.key.scope.clone(),
            group: Arc::clone(self.report_source.label()),
            success_until: self.success.then(|| self.success_until(watermark, now, allowance)),
            last_success: self.last_success,
            refusal: self.failing.refusal().map(|Refusal { reason, .. }| reason),
            asked_again: (!self.failing.is_none() && self.not_before > now.tick)
                .then(|| now.wall + self.not_before.since(now.tick)),
            trouble: self.trouble.clone(),
            window: self.rule.grid.length(),
            settle: self.rule.settle,
            // Of what is refused nothing is waited for.
            pending: match (self.failing.refusal(), watermark) {
                (None, Some(watermark)) => self.pending(watermark, now),
                (Some(_), _) | (None, None) => Pending::default(),
            },
            window_end: self.window_end.max(self.running_end),
            running_hour: self.shows_running(now.appliance),
            tally: self.tally,
            difference: self.shown_difference(),
            reading: self.reading.clone(),
            totals: Arc::clone(&self.totals),
            beginnings: self.beginnings.shown(),
            created: Arc::clone(&self.created),
            since: self.since,
            origin: self.origin.clone(),
        }
    }

    /// What reports have beyond what was counted, by the newest comparison and the newest answer for a running hour.
    fn shown_difference(&self) -> Option<i64> {
        let surplus = i64::try_from(self.running_surplus).unwrap_or(i64::MAX);
        if surplus == 0 { self.difference } else { Some(self.difference.unwrap_or(0).saturating_sub(surplus)) }
    }

    /// When the next window should have been counted.
    fn success_until(&self, watermark: Option<Timestamp>, now: Moment, allowance: Duration) -> Tick {
        let due = self.next_request(watermark.unwrap_or(now.appliance), now.appliance);
        // A backlog is due for long; what counts is that it goes on.
        let late = now.appliance.since(due).min(now.tick.since(self.on_time_at));
        now.tick + due.since(now.appliance) + allowance.saturating_sub(late)
    }

    fn pending(&self, watermark: Timestamp, now: Moment) -> Pending {
        let next = self.rule.next_complete(watermark, now.appliance);
        Pending {
            windows: self.rule.pending(watermark, now.appliance),
            next: Some((now.tick + next.since(now.appliance) + PENDING_GRACE, self.rule.grid.length())),
        }
    }
}

//! Refusals of one report: how long they have lasted, and how seldom the report is requested meanwhile. Pure.

use std::time::Duration;

use crate::api::Reason;
use crate::base::clock::Tick;

/// Waits after a report was declined or not allowed; the last one repeats. The report may come with a release or a role,
/// so one request an hour is enough, but a fault that looks like a refusal must not cost an hour.
const DECLINED_WAITS: [Duration; 3] =
    [Duration::from_secs(60), Duration::from_secs(5 * 60), Duration::from_secs(60 * 60)];

/// Refusals in a row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Refusal {
    pub(super) reason: Reason,
    pub(super) since: Tick,
    times: usize,
}

impl Refusal {
    /// What a failure at `now` makes of the refusals `before` it; none where it is another failure.
    pub(super) fn after(before: Option<Self>, reason: Reason, now: Tick) -> Option<Self> {
        if !reason.is_refusal() {
            return None;
        }
        let (times, since) = before.map_or((0, now), |before| (before.times, before.since));
        Some(Self { reason, since, times: times + 1 })
    }

    /// The pause before the report is requested again.
    pub(super) fn wait(self) -> Duration {
        DECLINED_WAITS[self.times.min(DECLINED_WAITS.len()) - 1]
    }

    /// Whether it has lasted until the report is requested hourly; before that it may be a passing fault.
    pub(super) fn lasts(self) -> bool {
        self.times >= DECLINED_WAITS.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_in_a_row_are_asked_for_seldom_and_other_failures_end_them() {
        let minute = |minutes: u64| Tick::default() + Duration::from_secs(60 * minutes);
        let mut refusal = None;
        let mut told = Vec::new();
        for (minutes, reason) in [
            (0, Reason::Timeout),
            (1, Reason::Timeout),
            (2, Reason::Declined),
            (3, Reason::NotAllowed),
            (8, Reason::Declined),
            (68, Reason::Declined),
            (128, Reason::Empty),
            (129, Reason::Declined),
        ] {
            refusal = Refusal::after(refusal, reason, minute(minutes));
            told.push(refusal.map(|it| (it.since == minute(2), it.wait().as_secs() / 60, it.lasts())));
        }
        let refused = |minutes, lasts| Some((true, minutes, lasts));
        let expected = [
            None,
            None,
            refused(1, false),
            refused(5, false),
            refused(60, true),
            refused(60, true),
            None,
            Some((false, 1, false)),
        ];
        assert_eq!(told, expected);
    }
}

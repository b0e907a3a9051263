//! A report that an appliance declines or does not allow: how long that goes on, and how seldom it is asked for. Pure.

use std::time::Duration;

use crate::api::Reason;
use crate::base::clock::Tick;

/// Waits after a report was declined or not allowed, the last one for good: it may come with a release or a role, so
/// asking once an hour is enough, but a fault that looks like a refusal must not cost an hour.
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
        if !matches!(reason, Reason::Declined | Reason::NotAllowed) {
            return None;
        }
        let (times, since) = before.map_or((0, now), |before| (before.times, before.since));
        Some(Self { reason, since, times: times + 1 })
    }

    /// How long the report is left alone.
    pub(super) fn wait(self) -> Duration {
        DECLINED_WAITS[self.times.min(DECLINED_WAITS.len()) - 1]
    }

    /// Whether it has lasted until the report is asked for by the hour: until then it may be a fault that passes.
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

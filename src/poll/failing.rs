//! Failures in a row of one report, and its back-off. Pure.

use std::time::Duration;

use crate::api::{Failure, Reason};
use crate::base::clock::Tick;

use super::refusal::Refusal;

/// The first wait after a failure; each further one is twice as long, up to a window, within bounds.
pub(super) const FIRST_WAIT: Duration = Duration::from_secs(60);
const LONGEST_WAIT: Duration = Duration::from_secs(10 * 60);
/// The longest wait for a report that fails while others succeed, and the longest `Retry-After` that is followed: what it
/// has missed by then is fetched with one request an hour.
const LONGEST_ALONE: Duration = Duration::from_secs(60 * 60);

/// The failures of one report since its last success.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Failing {
    in_a_row: u32,
    /// Those of them that others did not share.
    alone: u32,
    newest: Option<Tick>,
    /// The appliance has asked for a pause until then.
    asked_for: Tick,
    refusal: Option<Refusal>,
}

impl Failing {
    /// Whether nothing has failed.
    pub(super) fn is_none(&self) -> bool {
        self.in_a_row == 0
    }

    /// Why the appliance does not answer it, if that is so.
    pub(super) fn refusal(&self) -> Option<Refusal> {
        self.refusal
    }

    /// Records a failure at `now` and returns the pause before the report, with windows of `window`, is requested again;
    /// another report last succeeded at `others`.
    pub(super) fn failed(&mut self, failure: &Failure, window: Duration, others: Option<Tick>, now: Tick) -> Duration {
        self.refusal = Refusal::after(self.refusal, failure.reason, now);
        // The first is no sign yet: the others may fail next.
        let is_alone = self.newest.is_some_and(|newest| others.is_some_and(|others| others > newest));
        self.alone += u32::from(is_alone);
        let (doublings, longest) = match self.alone {
            0 => (self.in_a_row, window.clamp(FIRST_WAIT, LONGEST_WAIT)),
            alone => (alone, LONGEST_ALONE),
        };
        self.in_a_row += 1;
        self.newest = Some(now);
        let usual = FIRST_WAIT.saturating_mul(1 << doublings.min(8)).min(longest);
        let wait = self.refusal.map_or(usual, Refusal::wait);
        let asked_for = failure.retry_after.unwrap_or_default().min(LONGEST_ALONE);
        self.asked_for = now + asked_for;
        wait.max(asked_for)
    }

    /// A request for several windows failed that may succeed one by one: it is made again in
    /// parts, for which it has not failed yet.
    pub(super) fn failed_as_a_whole(&mut self, now: Tick) -> Duration {
        self.in_a_row += 1;
        self.newest = Some(now);
        FIRST_WAIT
    }

    /// Takes in that the appliance is there again after it was not: what failed meanwhile did so with the others. Tells
    /// when it may be requested; none where the appliance has refused it.
    pub(super) fn forgive(&mut self) -> Option<Tick> {
        self.alone = 0;
        self.refusal.is_none().then_some(self.asked_for)
    }
}

/// Whether several windows may be too much where one is not.
pub(super) fn is_of_the_size(reason: Reason) -> bool {
    matches!(reason, Reason::TooLarge | Reason::Timeout)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(reason: Reason, seconds: Option<u64>) -> Failure {
        Failure { retry_after: seconds.map(Duration::from_secs), ..Failure::new(reason, "") }
    }

    /// The waits in minutes of failures that follow each other at once, while others are had or not.
    fn waits(reason: Reason, window: u64, others: bool) -> Vec<u64> {
        let (mut failing, mut now) = (Failing::default(), Tick::default() + Duration::from_secs(1));
        let mut had = None;
        let step = |_| {
            let wait = failing.failed(&failure(reason, None), Duration::from_secs(60 * window), had, now);
            had = others.then(|| now + wait / 2);
            now = now + wait;
            wait.as_secs() / 60
        };
        (0..8).map(step).collect()
    }

    #[test]
    fn what_fails_with_the_others_is_asked_for_by_the_window_and_what_fails_alone_by_the_hour() {
        assert_eq!(waits(Reason::Unavailable, 1, false), [1, 1, 1, 1, 1, 1, 1, 1]);
        assert_eq!(waits(Reason::Unavailable, 5, false), [1, 2, 4, 5, 5, 5, 5, 5]);
        assert_eq!(waits(Reason::Unavailable, 60, false), [1, 2, 4, 8, 10, 10, 10, 10]);
        assert_eq!(waits(Reason::Unavailable, 1, true), [1, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(waits(Reason::Declined, 1, true), [1, 5, 60, 60, 60, 60, 60, 60]);
    }

    #[test]
    fn the_wish_to_be_left_alone_is_granted_up_to_an_hour() {
        let wait = |seconds| {
            let failure = failure(Reason::Unavailable, Some(seconds));
            Failing::default().failed(&failure, FIRST_WAIT, None, Tick::default()).as_secs()
        };
        assert_eq!([wait(5), wait(300), wait(1 << 40)], [60, 300, 3600]);
    }
}

//! When the next request to an appliance may start: a bucket of requests that fills with time, and a rest after each
//! slow answer. Pure: it receives the time.

use std::num::NonZeroU32;
use std::time::Duration;

use super::Pace;
use crate::base::clock::Tick;

/// An answer that takes this long is slow: the appliance is busy, with us or otherwise. Assumed; a small report takes a
/// fraction of a second.
const SLOW: Duration = Duration::from_secs(5);
/// The longest rest after one. A request that ran into its time limit must not silence the exporter for as long.
const LONGEST_REST: Duration = Duration::from_secs(30);

/// A minute in nanoseconds.
const MINUTE: u64 = 60_000_000_000;
/// The divisor of an eased budget.
const EASE: u64 = 4;
/// The credit that one request takes. It is such that the credit gained in a nanosecond is a whole number at any pace.
const REQUEST: u64 = EASE * MINUTE;

/// The longest that one request may have to wait for leave: an eased budget, and the rest after a slow answer.
pub fn longest_wait(per_minute: NonZeroU32) -> Duration {
    Duration::from_nanos(EASE * MINUTE / u64::from(per_minute.get())) + LONGEST_REST
}

/// The requests that an appliance may still receive.
#[derive(Clone, Debug)]
pub(super) struct TokenBucket {
    per_minute: NonZeroU32,
    pace: Pace,
    /// In [`REQUEST`]s as of `since`.
    credit: u64,
    since: Tick,
    /// No request starts before.
    rests_until: Tick,
}

impl TokenBucket {
    /// A full one.
    pub(super) fn new(per_minute: NonZeroU32, now: Tick) -> Self {
        let mut budget = Self { per_minute, pace: Pace::Usual, credit: 0, since: now, rests_until: now };
        budget.credit = budget.most();
        budget
    }

    /// Takes one request.
    ///
    /// # Errors
    /// When it is worth asking again, which is later than `now`.
    pub(super) fn take(&mut self, now: Tick) -> Result<(), Tick> {
        self.gain(now);
        let missing = REQUEST.saturating_sub(self.credit);
        let again = now + Duration::from_nanos(missing.div_ceil(self.gain_per_nanosecond()));
        let again = again.max(self.rests_until);
        if again > now {
            return Err(again);
        }
        self.credit -= REQUEST;
        Ok(())
    }

    /// Puts back a request that was taken and not made.
    pub(super) fn give_back(&mut self) {
        self.credit = self.credit.saturating_add(REQUEST).min(self.most());
    }

    /// Notes that a request has ended. Ours would otherwise be all that a slow appliance has time for.
    pub(super) fn ended(&mut self, began: Tick, now: Tick) {
        let took = now.since(began);
        if took >= SLOW {
            self.rests_until = self.rests_until.max(now + took.min(LONGEST_REST));
        }
    }

    pub(super) fn set_pace(&mut self, pace: Pace, now: Tick) {
        self.gain(now);
        self.pace = pace;
        self.credit = self.credit.min(self.most());
    }

    /// Has no more left than `old`, and rests as long.
    pub(super) fn inherit_from(&mut self, old: &Self, now: Tick) {
        let mut old = old.clone();
        old.gain(now);
        self.gain(now);
        self.credit = self.credit.min(old.credit);
        self.rests_until = self.rests_until.max(old.rests_until);
    }

    fn gain(&mut self, now: Tick) {
        let span = u64::try_from(now.since(self.since).as_nanos()).unwrap_or(u64::MAX);
        let gained = span.saturating_mul(self.gain_per_nanosecond());
        self.credit = self.credit.saturating_add(gained).min(self.most());
        self.since = self.since.max(now);
    }

    fn gain_per_nanosecond(&self) -> u64 {
        let per_minute = u64::from(self.per_minute.get());
        match self.pace {
            Pace::Usual => EASE * per_minute,
            Pace::Eased => per_minute,
        }
    }

    /// A minute's worth, and never less than a request, or none would ever start.
    fn most(&self) -> u64 {
        self.gain_per_nanosecond().saturating_mul(MINUTE).max(REQUEST)
    }
}

//! The appliance's clock, read from the `Date` headers of its own answers and carried on by our steady clock. It never
//! moves far on the word of one answer, and it never runs ahead: a `Date` was written before the answer arrived.
//!
//! Until an answer shows the appliance's, and for an appliance without a usable `Date`, the exporter's own clock stands
//! in for it, under the same rule: a step of that clock is a jump like any other.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::base::clock::{Clock, Tick, Timestamp};

mod clock_filter;

pub(crate) use clock_filter::ClockFilter;

use clock_filter::Change;

/// Why the newest `Date` of an appliance is not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockDoubt {
    /// It jumped, and no second answer has agreed yet.
    Unconfirmed,
    /// It is more than a day from the exporter's own clock, which is used instead.
    Refused,
}

/// When an answer came.
#[derive(Clone, Copy, Debug)]
pub(in crate::api) struct Arrival {
    /// By the appliance's clock as far as it is trusted; never later than the answer's own `Date`, unless that is
    /// refused. What had settled by then had settled when the answer was made.
    pub(in crate::api) at: Timestamp,
    /// The answer's own `Date`, trusted or not; `at` where it has none. Other times in the same answer compare with it.
    pub(in crate::api) date: Timestamp,
    /// By our steady clock.
    pub(in crate::api) tick: Tick,
}

/// The time that an appliance's clock shows.
#[derive(Debug)]
pub(in crate::api) struct ApplianceTime {
    appliance: Arc<str>,
    clock: Clock,
    course: Mutex<ClockFilter>,
}

impl ApplianceTime {
    pub(in crate::api) fn new(appliance: &str, clock: Clock) -> Self {
        Self { appliance: appliance.into(), clock, course: Mutex::default() }
    }

    /// Goes on with what `old`, which lives by the same clock, knows.
    pub(in crate::api) fn inherit_from(&self, old: &Self) {
        let known = *old.course();
        *self.course() = known;
    }

    /// Takes the `Date` of one of the appliance's own answers, or that it has none; it arrived at `tick`.
    pub(in crate::api) fn observe(&self, date: Option<Timestamp>, tick: Tick) -> Arrival {
        let wall = self.clock.wall();
        let (change, at, skew_seconds) = {
            let mut course = self.course();
            let change = course.observe(date, wall, tick);
            (change, course.bound(date, wall, tick), course.skew_seconds())
        };
        let date = date.unwrap_or(at);
        let appliance = &*self.appliance;
        match change {
            Some(Change::Refused) => tracing::warn!(appliance, %date, skew_seconds, "appliance clock refused"),
            Some(Change::Accepted) => tracing::info!(appliance, %date, skew_seconds, "appliance clock accepted again"),
            Some(Change::Stepped) => tracing::info!(appliance, %date, skew_seconds, "appliance clock stepped"),
            None => {}
        }
        Arrival { at, date, tick }
    }

    /// An answer that says nothing about the appliance's clock, since it may be another server's.
    pub(in crate::api) fn pass_over(&self, date: Option<Timestamp>, tick: Tick) -> Arrival {
        let at = self.now();
        Arrival { at, date: date.unwrap_or(at), tick }
    }

    pub(in crate::api) fn now(&self) -> Timestamp {
        self.course().now(self.clock.wall(), self.clock.tick())
    }

    /// The newest `Date` minus our clock, in seconds, whether or not it is trusted.
    pub(in crate::api) fn skew_seconds(&self) -> Option<f64> {
        self.course().skew_seconds()
    }

    pub(in crate::api) fn doubt(&self) -> Option<ClockDoubt> {
        self.course().doubt()
    }

    pub(in crate::api) fn clock(&self) -> &Clock {
        &self.clock
    }

    fn course(&self) -> MutexGuard<'_, ClockFilter> {
        self.course.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const NOON: Timestamp = Timestamp::from_secs(1_795_435_200); // 2026-11-23T12:00:00Z

    #[tokio::test(start_paused = true)]
    async fn it_goes_on_with_the_steady_clock_and_outlives_a_reload() {
        let clock = Clock::lapse(NOON, 1);
        let time = ApplianceTime::new("a", clock.clone());
        assert_eq!((time.now(), time.skew_seconds()), (NOON, None));
        time.observe(Some(NOON - Duration::from_secs(90)), clock.tick());
        tokio::time::advance(Duration::from_secs(30)).await;
        assert_eq!((time.now(), time.skew_seconds()), (NOON - Duration::from_secs(60), Some(-90.0)));
        let next = ApplianceTime::new("a", clock);
        next.inherit_from(&time);
        assert_eq!((next.now(), next.skew_seconds()), (NOON - Duration::from_secs(60), Some(-90.0)));
    }
}

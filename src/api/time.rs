//! The appliance's clock, read from its `Date` headers and carried on by our steady clock. Wall clock steps on our side
//! do not reach it, and it never runs ahead: a `Date` was written before the answer arrived.

use std::sync::{Mutex, PoisonError};

use crate::clock::{Clock, Tick, Timestamp};

/// What the appliance's clock shows.
#[derive(Debug)]
pub(super) struct ApplianceTime {
    clock: Clock,
    last: Mutex<Option<Anchor>>,
}

#[derive(Clone, Copy, Debug)]
struct Anchor {
    date: Timestamp,
    heard: Tick,
    skew_seconds: f64,
}

impl ApplianceTime {
    pub(super) fn new(clock: Clock) -> Self {
        Self { clock, last: Mutex::new(None) }
    }

    /// Takes a `Date` that has just arrived.
    pub(super) fn hear(&self, date: Timestamp) {
        let wall = self.clock.wall();
        let skew_seconds = date.as_secs_f64() - wall.as_secs_f64();
        let anchor = Anchor { date, heard: self.clock.tick(), skew_seconds };
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(anchor);
    }

    pub(super) fn now(&self) -> Timestamp {
        match self.anchor() {
            Some(anchor) => anchor.date + self.clock.tick().since(anchor.heard),
            None => self.clock.wall(),
        }
    }

    pub(super) fn skew_seconds(&self) -> Option<f64> {
        self.anchor().map(|anchor| anchor.skew_seconds)
    }

    pub(super) fn clock(&self) -> &Clock {
        &self.clock
    }

    fn anchor(&self) -> Option<Anchor> {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn follows_the_appliance_and_not_us() {
        let time = ApplianceTime::new(Clock::lapse(Timestamp::from_secs(10_000), 1));
        assert_eq!((time.now(), time.skew_seconds()), (Timestamp::from_secs(10_000), None));
        time.hear(Timestamp::from_secs(9_910));
        tokio::time::advance(Duration::from_secs(30)).await;
        assert_eq!((time.now(), time.skew_seconds()), (Timestamp::from_secs(9_940), Some(-90.0)));
    }
}

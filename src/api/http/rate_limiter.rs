//! The gate before one appliance: every request passes it, one at a time and in the order of arrival, and waits there
//! until the appliance may be asked. Owns the waiting; when a request may start is decided in [`token_bucket`].

use std::num::NonZeroU32;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::base::clock::{Clock, Tick};

mod token_bucket;

pub use token_bucket::longest_wait;

use token_bucket::TokenBucket;

/// The rate of requests to an appliance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pace {
    /// As much as is configured.
    #[default]
    Usual,
    /// A quarter of it, for an appliance that conserves its resources.
    Eased,
}

#[derive(Debug)]
pub(in crate::api) struct RateLimiter {
    clock: Clock,
    /// Held by the next request. Tokio's lock is granted in the order of the callers.
    turn: tokio::sync::Mutex<()>,
    /// Wakes the next request when its wait becomes shorter; a longer one is noticed at its end.
    sooner: Notify,
    budget: Mutex<TokenBucket>,
}

impl RateLimiter {
    /// A gate with a minute's worth of requests to begin with.
    pub(in crate::api) fn new(per_minute: NonZeroU32, clock: Clock) -> Self {
        let budget = TokenBucket::new(per_minute, clock.tick());
        Self { clock, turn: tokio::sync::Mutex::new(()), sooner: Notify::new(), budget: Mutex::new(budget) }
    }

    /// Waits until a request may start. There is no bound on the wait but the budget's; callers are few, since the
    /// requests of an appliance are.
    ///
    /// # Cancel safety
    /// Dropping the future gives up the place in the queue and nothing else.
    pub(in crate::api) async fn permit(&self) -> Permit<'_> {
        let _turn = self.turn.lock().await;
        loop {
            let taken = self.budget().take(self.clock.tick());
            let Err(again) = taken else { return Permit { rate_limiter: self, began: None } };
            tokio::select! {
                () = self.clock.sleep_until(again) => {}
                () = self.sooner.notified() => {}
            }
        }
    }

    /// Goes on at `pace` from now.
    pub(in crate::api) fn set_pace(&self, pace: Pace) {
        self.budget().set_pace(pace, self.clock.tick());
        self.sooner.notify_one();
    }

    /// Goes on with what `old`, which lives by the same clock, has left; the pace stays ours.
    pub(in crate::api) fn inherit_from(&self, old: &Self) {
        let left = old.budget().clone();
        self.budget().inherit_from(&left, self.clock.tick());
    }

    fn budget(&self) -> MutexGuard<'_, TokenBucket> {
        self.budget.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Leave for one request. Dropped when the request has ended in whatever way; without having begun, it is given back.
#[derive(Debug)]
#[must_use]
pub(in crate::api) struct Permit<'a> {
    rate_limiter: &'a RateLimiter,
    began: Option<Tick>,
}

impl Permit<'_> {
    /// The request starts now.
    pub(in crate::api) fn begin(&mut self) {
        self.began = Some(self.rate_limiter.clock.tick());
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        match self.began {
            Some(began) => self.rate_limiter.budget().ended(began, self.rate_limiter.clock.tick()),
            None => {
                self.rate_limiter.budget().give_back();
                self.rate_limiter.sooner.notify_one();
            }
        }
    }
}

#[cfg(test)]
mod tests;

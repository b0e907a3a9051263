//! Bounds refused logins below the lock-out of the appliance. Pure: it is told what time it is.

use std::time::Duration;

use crate::clock::Tick;

/// Waits after the first and the second refusal; there is none after the third. The appliance locks an account after
/// five failed logins unless configured otherwise (user guide, account lock settings), over all its interfaces, and
/// the administrator may have used up one or two.
const WAITS: [Duration; 2] = [Duration::from_secs(60), Duration::from_secs(5 * 60)];

/// Whether a login may be tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Permit {
    Granted,
    /// Not before the span has passed.
    Wait(Duration),
    /// Not until the secret changes or the operator resets.
    Blocked,
}

/// Counts refusals in a row.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Breaker {
    refusals: usize,
    not_before: Option<Tick>,
}

impl Breaker {
    pub(super) fn permit(&self, now: Tick) -> Permit {
        match self.not_before {
            _ if self.is_blocked() => Permit::Blocked,
            Some(until) if until > now => Permit::Wait(until.since(now)),
            Some(_) | None => Permit::Granted,
        }
    }

    pub(super) fn refused(&mut self, now: Tick) {
        self.not_before = WAITS.get(self.refusals).map(|wait| now + *wait);
        self.refusals += 1;
    }

    pub(super) fn accepted(&mut self) {
        *self = Self::default();
    }

    pub(super) fn is_blocked(&self) -> bool {
        self.refusals > WAITS.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;

    #[tokio::test(start_paused = true)]
    async fn three_refusals_and_no_more() {
        let clock = Clock::system();
        let now = clock.tick();
        let mut breaker = Breaker::default();
        assert_eq!(breaker.permit(now), Permit::Granted);
        breaker.refused(now);
        assert_eq!(breaker.permit(now), Permit::Wait(Duration::from_secs(60)));
        let now = now + Duration::from_secs(60);
        assert_eq!(breaker.permit(now), Permit::Granted);
        breaker.refused(now);
        assert_eq!(breaker.permit(now), Permit::Wait(Duration::from_secs(300)));
        let now = now + Duration::from_secs(300);
        breaker.refused(now);
        assert_eq!(breaker.permit(now + Duration::from_secs(1 << 30)), Permit::Blocked);
        breaker.accepted();
        assert_eq!(breaker.permit(now), Permit::Granted);
    }
}

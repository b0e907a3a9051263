//! Bounds refused logins below the lock-out of the appliance. Pure: it receives the time.

use std::time::Duration;

use crate::base::clock::Timestamp;

/// Waits after the first refusals in a row. The appliance locks an account after five failed logins unless configured
/// otherwise (user guide, account lock settings), over all its interfaces, and the administrator may have used up one
/// or two: hence they stop before the fifth.
const WAITS: [Duration; 3] = [Duration::from_secs(60), Duration::from_secs(5 * 60), Duration::from_secs(15 * 60)];

/// The likely cause of a refused login.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RefusalCause {
    /// The account's name or password, or that it is locked.
    #[default]
    Password,
    /// The account wants a second factor, and none is configured.
    SecondFactor,
    /// The second step was refused, or is not there.
    Passcode,
    /// The response is not one of the API.
    OtherServer,
    /// The login of the configured product is unknown there, or the account is.
    OtherProduct,
}

impl RefusalCause {
    /// The remedy, as an instruction.
    #[must_use]
    pub const fn advice(self) -> &'static str {
        match self {
            Self::Password => "correct the password",
            Self::SecondFactor => {
                "the account requires a second factor: configure `two_factor`, or use an account without one"
            }
            Self::Passcode => "the second step of the login fails: correct `two_factor`",
            Self::OtherServer => {
                "the response is not from the API: check scheme, host and port in `url`, which seems to point to another \
                 server or port"
            }
            Self::OtherProduct => {
                "the appliance does not know this login: check `product` (`esa` or `sma`), then `username`, the password, \
                 and whether the account is locked"
            }
        }
    }
}

/// A wait as messages show it: in whole seconds, and never shorter than it is.
pub(in crate::api) fn rounded_up(wait: Duration) -> humantime::FormattedDuration {
    humantime::format_duration(Duration::from_secs(wait.as_secs() + 1))
}

/// Refused logins in a row of one account with one secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FailureCount {
    /// So many, the one in doubt included.
    pub refusals: u32,
    /// When the last of them was made.
    pub last: Timestamp,
    /// Whether the outcome of the last is not known: it is on its way, or we ended before its answer came. It counts as
    /// a refusal then, or a crash loop would burn one attempt after another.
    pub in_doubt: bool,
    /// Whether refusals from before were lost with the state. There may have been as many as are bearable, so the next
    /// one is the last.
    pub history_lost: bool,
    /// The likely cause of the last refusal.
    pub cause: RefusalCause,
    /// Of the refusals by a status page, those before the last accepted login. The appliance counts failures in a row,
    /// so they no longer bring the account nearer to its lock-out.
    pub cleared: u32,
}

/// Whether a login may be tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::api) enum LoginDecision {
    Granted,
    /// Not before the span has passed.
    Wait(Duration),
    /// Not until the secret changes or the operator resets.
    Blocked,
}

impl FailureCount {
    pub(in crate::api) const NONE: Self = Self {
        refusals: 0,
        last: Timestamp::from_secs(0),
        in_doubt: false,
        history_lost: false,
        cause: RefusalCause::Password,
        cleared: 0,
    };
    /// An account of which nothing is known any more.
    pub(in crate::api) const LOST: Self = Self { history_lost: true, ..Self::NONE };

    /// Whether another login may be tried at `now` where `most` refusals are bearable. One in doubt is not waited for:
    /// a restart is no reason to believe that the password is wrong.
    pub(in crate::api) fn permit(&self, most: u32, now: Timestamp) -> LoginDecision {
        if self.is_blocked(most) {
            return LoginDecision::Blocked;
        }
        let Some(earlier) = self.refusals.checked_sub(1) else { return LoginDecision::Granted };
        let step = usize::try_from(earlier).unwrap_or(usize::MAX).min(WAITS.len() - 1);
        let left = WAITS[step].saturating_sub(now.since(self.last));
        if self.in_doubt || left.is_zero() { LoginDecision::Granted } else { LoginDecision::Wait(left) }
    }

    /// The number of refusals that the appliance still counts.
    pub(in crate::api) fn counted(&self) -> u32 {
        self.refusals - self.cleared.min(self.refusals)
    }

    pub(in crate::api) const fn is_blocked(&self, most: u32) -> bool {
        self.refusals >= if self.history_lost { 1 } else { most }
    }

    /// The count once a login is on its way.
    pub(in crate::api) const fn tried(self, now: Timestamp) -> Self {
        Self { refusals: self.refusals.saturating_add(1), last: now, in_doubt: true, ..self }
    }

    /// The count once the login that was in doubt is known to be refused.
    pub(in crate::api) const fn refused(self, now: Timestamp, cause: RefusalCause) -> Self {
        Self { last: now, in_doubt: false, cause, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_refusals_and_no_more() {
        for most in 1..=4 {
            let (mut now, mut failures) = (Timestamp::from_secs(1_000), FailureCount::NONE);
            assert_eq!(failures.permit(most, now), LoginDecision::Granted);
            for wait in &WAITS[..most as usize - 1] {
                failures = failures.tried(now).refused(now, RefusalCause::Password);
                assert_eq!(failures.permit(most, now), LoginDecision::Wait(*wait));
                now = now + *wait;
                assert_eq!(failures.permit(most, now), LoginDecision::Granted);
            }
            failures = failures.tried(now).refused(now, RefusalCause::Password);
            assert_eq!(failures.permit(most, now + Duration::from_secs(1 << 30)), LoginDecision::Blocked);
        }
    }

    #[test]
    fn where_the_history_is_lost_there_is_one_attempt() {
        let now = Timestamp::from_secs(1_000);
        for most in 1..=4 {
            assert_eq!(FailureCount::LOST.permit(most, now), LoginDecision::Granted);
            let refused = FailureCount::LOST.tried(now).refused(now, RefusalCause::Password);
            for failures in [FailureCount::LOST.tried(now), refused] {
                assert_eq!(failures.permit(most, now + Duration::from_secs(1 << 30)), LoginDecision::Blocked);
            }
        }
    }

    #[test]
    fn what_is_in_doubt_counts_and_is_not_waited_for() {
        let now = Timestamp::from_secs(1_000);
        let failures = FailureCount::NONE.tried(now).tried(now);
        assert_eq!((failures.refusals, failures.permit(3, now)), (2, LoginDecision::Granted));
        assert_eq!(failures.tried(now).permit(3, now), LoginDecision::Blocked);
    }
}

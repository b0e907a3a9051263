//! The pace at which refused tokens are replaced by logins: at once for the first few, and ever more slowly while
//! tokens keep being refused long before they expire. Pure: the time is a parameter.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use crate::base::clock::Tick;

/// From one login to the next, by the tokens in a row that were refused early. A revoked token is rare and is replaced
/// at once. Where others follow it, somebody else may be using the account on an appliance that keeps one session for
/// each: the two would replace each other's tokens for ever, and each new token costs the other its own.
const GAPS: [Duration; 6] = [
    Duration::ZERO,
    Duration::ZERO,
    Duration::ZERO,
    Duration::from_secs(60),
    Duration::from_secs(120),
    Duration::from_secs(300),
];
/// A token that was taken for so long did not end early. More than two of the longest gap, so that the other client's
/// login does not count as good luck.
const LONG_ENOUGH: Duration = Duration::from_secs(12 * 60);
/// So many in a row are no accident.
const SUSPICIOUS: u32 = 3;

/// The pace of logins after a 401.
#[derive(Clone, Debug, Default)]
pub(super) struct ReloginPace {
    /// When the last login was accepted.
    since: Option<Tick>,
    /// When its token was refused first.
    refused: Option<Tick>,
    early: u32,
    /// Added to the gap, so that two exporters do not keep step, the one always just after the other.
    jitter: Duration,
}

impl ReloginPace {
    /// A login was accepted.
    pub(super) fn begin(&mut self, now: Tick) {
        (self.since, self.refused) = (Some(now), None);
    }

    /// A token is replaced because its time is over.
    pub(super) fn outlived(&mut self) {
        self.early = 0;
    }

    /// Whether another login may be made at `now`, where a token was refused; it is counted then.
    pub(super) fn admits(&mut self, now: Tick) -> bool {
        let Some(since) = self.since else { return true };
        if self.refused.get_or_insert(now).since(since) >= LONG_ENOUGH {
            self.early = 0;
        }
        let step = usize::try_from(self.early).unwrap_or(usize::MAX).min(GAPS.len() - 1);
        if now.since(since) < GAPS[step] + self.jitter {
            return false;
        }
        self.early = self.early.saturating_add(1);
        let next = GAPS[usize::try_from(self.early).unwrap_or(usize::MAX).min(GAPS.len() - 1)];
        let quarter = u64::try_from(next.as_millis() / 4).unwrap_or(0);
        let chance = RandomState::new().hash_one(self.early);
        self.jitter = Duration::from_millis(chance.checked_rem(quarter).unwrap_or(0));
        true
    }

    /// Whether tokens keep being refused long before they end.
    pub(super) const fn is_suspicious(&self) -> bool {
        self.early >= SUSPICIOUS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Logins in `span` if the token is refused `after` each login and needed every ten seconds.
    fn logins(span: Duration, after: Duration) -> u32 {
        let (mut pace, mut now, mut logins) = (ReloginPace::default(), Tick::default(), 1);
        let end = now + span;
        pace.begin(now);
        let mut dies = now + after;
        while now < end {
            now = now + Duration::from_secs(10);
            if now >= dies && pace.admits(now) {
                logins += 1;
                pace.begin(now);
                dies = now + after;
            }
        }
        logins
    }

    #[test]
    fn logins_become_seldom_where_tokens_die_early_and_only_there() {
        let hour = Duration::from_secs(3600);
        let made = logins(hour, Duration::from_secs(1));
        assert!((10..=16).contains(&made), "{made}");
        // Revoked every quarter of an hour is bearable, and replaced at once.
        assert_eq!(logins(hour, Duration::from_secs(15 * 60)), 5);
    }

    #[test]
    fn the_first_are_at_once_and_a_token_that_outlived_its_time_forgives() {
        let (mut pace, now) = (ReloginPace::default(), Tick::default());
        pace.begin(now);
        assert_eq!([1, 2, 3, 4].map(|_| pace.admits(now)), [true, true, true, false]);
        assert!(pace.is_suspicious());
        pace.outlived();
        pace.begin(now);
        assert!(!pace.is_suspicious());
    }
}

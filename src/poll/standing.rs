//! Whether the appliance answers at all, and how long it is left alone when it does not. Pure but for what it logs.

use std::time::Duration;

use crate::api::Failure;
use crate::clock::Tick;

/// The first pause after the appliance is found to be down; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_secs(60);
/// A longer pause would keep a recovered appliance waiting; one window is waited for at most.
const LONGEST_PAUSE: Duration = Duration::from_secs(5 * 60);
/// The longest wait that an appliance may ask for.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(10 * 60);
/// Failures in a row after which it is the appliance and not one report that is at fault.
const TELLING_STREAK: usize = 2;

/// What is believed about one appliance.
#[derive(Debug)]
pub(super) struct Standing {
    /// None before the first outcome.
    up: Option<bool>,
    streak: usize,
    telling_streak: usize,
    longest_pause: Duration,
    pauses: u32,
    paused_until: Option<Tick>,
}

impl Standing {
    /// For an appliance with so many targets, polled once a `window`.
    pub(super) fn new(targets: usize, window: Duration) -> Self {
        Self {
            up: None,
            streak: 0,
            telling_streak: TELLING_STREAK.min(targets),
            longest_pause: window.clamp(FIRST_PAUSE, LONGEST_PAUSE),
            pauses: 0,
            paused_until: None,
        }
    }

    pub(super) fn is_up(&self) -> bool {
        self.up == Some(true)
    }

    /// When requests may be made again; none when they may be made now.
    pub(super) fn paused_until(&self, now: Tick) -> Option<Tick> {
        self.paused_until.filter(|until| *until > now)
    }

    /// The API has answered.
    pub(super) fn reached(&mut self, name: &str) {
        if self.up == Some(false) {
            tracing::info!(appliance = name, "appliance answers again");
        }
        self.up = Some(true);
        self.streak = 0;
        self.pauses = 0;
        self.paused_until = None;
    }

    /// A report was not had.
    pub(super) fn failed(&mut self, name: &str, failure: &Failure, now: Tick) {
        if failure.reason.proves_presence() {
            self.reached(name);
            return;
        }
        self.streak += 1;
        let asked = failure.retry_after.is_some();
        if asked || failure.reason.concerns_all() || self.streak >= self.telling_streak {
            self.unreachable(name, failure, now);
        }
    }

    /// The appliance does not answer, whatever it is asked.
    pub(super) fn unreachable(&mut self, name: &str, failure: &Failure, now: Tick) {
        if self.up != Some(false) {
            let reason = failure.reason.label();
            tracing::warn!(appliance = name, reason, error = %failure, "appliance does not answer");
        }
        self.up = Some(false);
        let usual = FIRST_PAUSE.saturating_mul(1 << self.pauses.min(8)).min(self.longest_pause);
        let pause = failure.retry_after.map_or(usual, |asked| asked.clamp(FIRST_PAUSE / 60, LONGEST_RETRY_AFTER));
        self.pauses += 1;
        self.paused_until = Some(now + pause);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Reason;

    fn now() -> Tick {
        Tick::default()
    }

    fn timeout() -> Failure {
        Failure { reason: Reason::Timeout, detail: "no answer".into(), retry_after: None }
    }

    fn after(seconds: u64) -> Option<Tick> {
        Some(now() + Duration::from_secs(seconds))
    }

    #[test]
    fn one_failure_is_a_reports_and_two_in_a_row_are_the_appliances() {
        let mut standing = Standing::new(5, LONGEST_PAUSE);
        standing.reached("a");
        for _ in 0..3 {
            standing.failed("a", &timeout(), now());
            assert!(standing.is_up() && standing.paused_until(now()).is_none(), "another report may have its answer");
            standing.reached("a");
        }
        standing.failed("a", &timeout(), now());
        standing.failed("a", &timeout(), now());
        assert!(!standing.is_up());
        assert_eq!(standing.paused_until(now()), after(60));
    }

    #[test]
    fn the_only_report_speaks_for_its_appliance() {
        let mut standing = Standing::new(1, LONGEST_PAUSE);
        standing.reached("a");
        standing.failed("a", &timeout(), now());
        assert!(!standing.is_up());
    }

    #[test]
    fn pauses_double_up_to_a_window_or_five_minutes() {
        for (window, pauses) in [(60, [60, 60, 60, 60]), (200, [60, 120, 200, 200]), (3600, [60, 120, 240, 300])] {
            let mut standing = Standing::new(5, Duration::from_secs(window));
            for pause in pauses {
                standing.unreachable("a", &timeout(), now());
                assert_eq!(standing.paused_until(now()), after(pause), "windows of {window} s");
            }
            assert_eq!(standing.paused_until(now() + Duration::from_secs(pauses[3])), None, "it is over then");
        }
    }
}

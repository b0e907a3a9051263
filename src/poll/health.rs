//! Health of an appliance: reachability and pauses. One failing report says nothing about the others, so a cheap request
//! is made before the appliance counts as down. Pure except for its logs.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::api::{Failure, Reason};
use crate::base::clock::Tick;

use super::flapping::{Flapping, PERIOD};
use super::request_order::Work;

/// The first pause after the appliance is found to be down; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_secs(60);
/// A longer pause would keep a recovered appliance waiting; one window is waited for at most.
const LONGEST_PAUSE: Duration = Duration::from_secs(5 * 60);
/// The longest `Retry-After` that is followed.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(10 * 60);
/// Failures in a row after which the appliance itself is asked whether it is there.
const TELLING_STREAK: usize = 2;
/// The time from one such question to the next.
const PROBE_PACE: Duration = Duration::from_secs(60);

/// The health of one appliance, as far as its answers show it.
#[derive(Debug)]
pub(super) struct ApplianceHealth {
    /// None before the first outcome.
    up: Option<bool>,
    /// When it last answered anything.
    answered: Option<Tick>,
    /// The requests that failed since then.
    silent: BTreeSet<Work>,
    streak: usize,
    telling_streak: usize,
    probe: Probe,
    /// When the probe last failed, if it was not answered since.
    probe_failed_at: Option<Tick>,
    /// The probe fails although other requests are answered, so that its failure means nothing.
    is_probe_distrusted: bool,
    longest_pause: Duration,
    pauses: u32,
    paused_until: Option<Tick>,
    /// Why it was last down.
    down_for: Option<Reason>,
    flapping: Flapping,
}

/// The question whether the appliance is there.
#[derive(Clone, Copy, Debug)]
enum Probe {
    /// Not needed; not before that if it is.
    Idle {
        not_before: Tick,
    },
    Wanted,
    InFlight {
        since: Tick,
    },
    /// It was answered, but not by the API, so it does not decide; it is not repeated before that.
    Undecided {
        not_before: Tick,
    },
}

impl ApplianceHealth {
    /// For an appliance with so many targets, polled once a `window`.
    pub(super) fn new(targets: usize, window: Duration) -> Self {
        Self {
            up: None,
            answered: None,
            silent: BTreeSet::new(),
            streak: 0,
            telling_streak: TELLING_STREAK.min(targets),
            probe: Probe::Idle { not_before: Tick::default() },
            probe_failed_at: None,
            is_probe_distrusted: false,
            longest_pause: window.clamp(FIRST_PAUSE, LONGEST_PAUSE),
            pauses: 0,
            paused_until: None,
            down_for: None,
            flapping: Flapping::default(),
        }
    }

    pub(super) fn is_up(&self) -> bool {
        self.up == Some(true)
    }

    /// When requests may be made again; none when they may be made now.
    pub(super) fn paused_until(&self, now: Tick) -> Option<Tick> {
        self.paused_until.filter(|until| *until > now)
    }

    /// Whether it is not known yet if the newest failures mean that it is down: the next outcomes decide.
    pub(super) fn is_in_doubt(&self) -> bool {
        self.is_up() && self.streak > 0
    }

    /// Whether requests that fail so fail because of the appliance as a whole: it is down, or was until recently and may be
    /// again.
    pub(super) fn explains(&self, reason: Reason, now: Tick) -> bool {
        let is_of_the_whole = reason.is_of_the_way() || self.down_for == Some(reason);
        !self.is_up() || (!self.flapping.has_settled(now) && is_of_the_whole)
    }

    /// Logs the changes that were not logged one by one.
    pub(super) fn log_flapping(&mut self, name: &str, now: Tick) {
        if let Some(changes) = self.flapping.due(now) {
            let (minutes, is_up, reason) = (PERIOD.as_secs() / 60, self.is_up(), self.down_for.map(Reason::label));
            tracing::warn!(appliance = name, changes, minutes, is_up, reason, "appliance is flapping");
        }
    }

    /// Whether the cheap request comes before any other.
    pub(super) fn wants_probe(&self) -> bool {
        matches!(self.probe, Probe::Wanted)
    }

    /// Whether the cheap request is in flight; no other is worth sending meanwhile.
    pub(super) fn awaits_probe(&self) -> bool {
        matches!(self.probe, Probe::InFlight { .. })
    }

    pub(super) fn probe_begun(&mut self, now: Tick) {
        self.probe = Probe::InFlight { since: now };
    }

    /// The API has answered; returns whether it had been down.
    pub(super) fn reached(&mut self, name: &str, now: Tick) -> bool {
        let is_back = self.up == Some(false);
        if is_back && self.flapping.changed(now) {
            tracing::info!(appliance = name, "appliance recovered");
        }
        if !self.awaits_probe() {
            let not_before = match self.probe {
                Probe::Idle { not_before } | Probe::Undecided { not_before } => not_before,
                Probe::Wanted | Probe::InFlight { .. } => now,
            };
            // Something else was answered first: is it back as well, or does it always fail?
            let is_doubtful = self.probe_failed_at.is_some() && !self.is_probe_distrusted;
            self.probe = if is_doubtful { Probe::Wanted } else { Probe::Idle { not_before } };
        }
        self.up = Some(true);
        self.answered = Some(now);
        self.silent.clear();
        self.streak = 0;
        self.pauses = 0;
        self.paused_until = None;
        is_back
    }

    /// The request for `work` failed without an answer of the API. `round` are the requests that recur.
    pub(super) fn failed(&mut self, name: &str, work: Work, failure: &Failure, round: &[Work], now: Tick) {
        self.streak += 1;
        self.silent.insert(work);
        let is_whole_round = self.has_all_failed(round);
        let is_down = self.up == Some(false) || failure.reason.is_of_the_account();
        match self.probe {
            _ if is_down => {
                // The cheap question is next, whatever it was worth before; after it a report is, and so on by turns.
                self.probe = Probe::Wanted;
                self.unreachable(name, failure, now);
            }
            Probe::Undecided { not_before } if now < not_before && is_whole_round => {
                self.unreachable(name, failure, now);
            }
            Probe::Undecided { not_before } | Probe::Idle { not_before } if now >= not_before => {
                let is_telling = self.streak >= self.telling_streak || failure.reason.concerns_all();
                if is_telling || is_whole_round {
                    self.probe = Probe::Wanted;
                }
            }
            Probe::Undecided { .. } | Probe::Idle { .. } | Probe::Wanted | Probe::InFlight { .. } => {}
        }
    }

    /// The cheap request failed as well.
    pub(super) fn probe_failed(&mut self, name: &str, failure: &Failure, round: &[Work], now: Tick) {
        let asked = match self.probe {
            Probe::InFlight { since } => since,
            Probe::Idle { .. } | Probe::Wanted | Probe::Undecided { .. } => now,
        };
        self.probe = Probe::Undecided { not_before: now + PROBE_PACE };
        // Since it failed the last time something else was answered.
        self.is_probe_distrusted |= self.probe_failed_at.is_some_and(|at| self.answered.is_some_and(|last| last > at));
        self.probe_failed_at = Some(now);
        if self.answered.is_some_and(|answered| answered > asked) {
            return;
        }
        let is_whole_round = self.has_all_failed(round);
        // Something else than the API answers, perhaps to this alone: then the whole round decides.
        let is_telling = failure.reason.is_of_the_way() && !self.is_probe_distrusted;
        if is_telling || failure.reason.is_of_the_account() || is_whole_round {
            self.unreachable(name, failure, now);
        }
    }

    /// Whether nothing of `round` was answered since anything was.
    fn has_all_failed(&self, round: &[Work]) -> bool {
        !round.is_empty() && round.iter().all(|work| self.silent.contains(work))
    }

    /// The cheap request was answered.
    pub(super) fn probe_answered(&mut self, now: Tick) {
        (self.probe_failed_at, self.is_probe_distrusted) = (None, false);
        self.probe = Probe::Idle { not_before: now + PROBE_PACE };
    }

    /// The appliance is down: no request succeeds.
    pub(super) fn unreachable(&mut self, name: &str, failure: &Failure, now: Tick) {
        if self.up != Some(false) && self.flapping.changed(now) {
            let reason = failure.reason.label();
            let hint = &*failure.advice();
            tracing::warn!(appliance = name, reason, error = %failure, hint, "{}", headline(failure.reason));
        }
        (self.up, self.down_for) = (Some(false), Some(failure.reason));
        let usual = FIRST_PAUSE.saturating_mul(1 << self.pauses.min(8)).min(self.longest_pause);
        let pause = failure.retry_after.map_or(usual, |asked| asked.clamp(FIRST_PAUSE / 60, LONGEST_RETRY_AFTER));
        self.pauses += 1;
        self.paused_until = Some(now + pause);
    }
}

/// The log message about an appliance that is down. An answer that refuses is no silence, so the cause decides.
const fn headline(reason: Reason) -> &'static str {
    match reason {
        Reason::Dns | Reason::Connect | Reason::Timeout | Reason::Reset => "appliance is unreachable",
        Reason::Proxy | Reason::ProxyRefused => "proxy connection failed",
        Reason::Tls => "TLS handshake failed",
        Reason::LoginRefused
        | Reason::TwoFactor
        | Reason::Passcode
        | Reason::IdentityProvider
        | Reason::LoginWait
        | Reason::Unauthorized => "login failed",
        Reason::Unavailable => "server error",
        Reason::Protocol
        | Reason::TooLarge
        | Reason::Redirect
        | Reason::NotAllowed
        | Reason::Declined
        | Reason::Throttled
        | Reason::Status
        | Reason::NotJson
        | Reason::Malformed
        | Reason::Empty => "API requests failed",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROUND: [Work; 4] = [Work::Target(0), Work::Target(1), Work::Target(2), Work::Target(3)];

    fn at(seconds: u64) -> Tick {
        Tick::default() + Duration::from_secs(seconds)
    }

    fn failure(reason: Reason) -> Failure {
        Failure::new(reason, "no answer")
    }

    fn health() -> ApplianceHealth {
        let mut health = ApplianceHealth::new(ROUND.len(), LONGEST_PAUSE);
        health.reached("a", at(0));
        health
    }

    fn fail(health: &mut ApplianceHealth, works: &[Work], reason: Reason, now: Tick) {
        works.iter().for_each(|work| health.failed("a", *work, &failure(reason), &ROUND, now));
    }

    #[test]
    fn two_failures_in_a_row_ask_whether_it_is_there_and_its_answer_decides() {
        for (told, is_up) in [(None, true), (Some(Reason::Timeout), false), (Some(Reason::Unavailable), true)] {
            let mut health = health();
            fail(&mut health, &ROUND[..1], Reason::Timeout, at(1));
            assert!(!health.wants_probe(), "another report may have its answer");
            fail(&mut health, &ROUND[1..2], Reason::Unavailable, at(1));
            assert!(health.is_up() && health.wants_probe() && health.paused_until(at(1)).is_none());
            health.probe_begun(at(1));
            assert!(health.awaits_probe());
            match told {
                Some(reason) => health.probe_failed("a", &failure(reason), &ROUND, at(2)),
                None => {
                    health.probe_answered(at(2));
                    health.reached("a", at(2));
                }
            }
            assert_eq!((health.is_up(), health.awaits_probe()), (is_up, false), "{told:?}");
        }
    }

    #[test]
    fn nothing_in_a_whole_round_is_down_even_where_the_cheap_question_is_undecided() {
        let mut health = health();
        fail(&mut health, &ROUND[..2], Reason::Unavailable, at(1));
        health.probe_begun(at(1));
        health.probe_failed("a", &failure(Reason::Unavailable), &ROUND, at(2));
        fail(&mut health, &ROUND[2..3], Reason::Unavailable, at(3));
        assert!(health.is_up() && !health.wants_probe(), "it is not asked again so soon");
        fail(&mut health, &ROUND[3..], Reason::Unavailable, at(4));
        assert_eq!((health.is_up(), health.paused_until(at(4))), (false, Some(at(64))));
    }

    #[test]
    fn some_that_fail_among_others_are_never_down() {
        let mut health = health();
        for minute in 1..500 {
            let now = at(60 * minute);
            fail(&mut health, &ROUND[..2], Reason::Unavailable, now);
            if health.wants_probe() {
                health.probe_begun(now);
                health.probe_failed("a", &failure(Reason::NotJson), &ROUND, now);
            }
            assert!(health.is_up() && health.paused_until(now).is_none());
            health.reached("a", now);
        }
    }

    #[test]
    fn a_round_of_nothing_is_none() {
        let mut health = health();
        for second in 1..9 {
            health.failed("a", Work::StatusProbe(0), &failure(Reason::Unavailable), &[], at(second));
            if health.wants_probe() {
                health.probe_begun(at(second));
                health.probe_failed("a", &failure(Reason::Unavailable), &[], at(second));
            }
            assert!(health.is_up());
        }
    }

    #[test]
    fn what_concerns_the_account_needs_no_second_opinion() {
        let mut health = health();
        fail(&mut health, &ROUND[..1], Reason::LoginRefused, at(1));
        assert_eq!((health.is_up(), health.paused_until(at(1))), (false, Some(at(61))));
    }

    #[test]
    fn after_a_pause_it_is_asked_whether_it_is_back() {
        let mut health = health();
        health.unreachable("a", &failure(Reason::Connect), at(0));
        assert!(health.paused_until(at(59)).is_some() && !health.wants_probe());
        fail(&mut health, &ROUND[..1], Reason::Connect, at(60));
        assert!(health.paused_until(at(179)).is_some() && health.wants_probe(), "a report and the probe by turns");
        health.probe_begun(at(180));
        health.probe_failed("a", &failure(Reason::Connect), &ROUND, at(180));
        assert!(!health.wants_probe() && health.paused_until(at(180)).is_some());
        fail(&mut health, &ROUND[..1], Reason::Connect, at(500));
        health.probe_begun(at(900));
        health.probe_answered(at(900));
        assert!(health.reached("a", at(900)) && health.is_up() && health.paused_until(at(900)).is_none());
    }

    #[test]
    fn a_probe_that_always_fails_is_not_believed() {
        let mut health = health();
        for minute in 1..60 {
            let now = at(60 * minute);
            fail(&mut health, &ROUND[..2], Reason::Timeout, now);
            for second in 1..3 {
                if health.wants_probe() {
                    health.probe_begun(now);
                    health.probe_failed("a", &failure(Reason::Timeout), &ROUND, now + Duration::from_secs(second));
                }
                health.reached("a", now + Duration::from_secs(10 * second));
            }
            assert!(minute == 1 || health.is_up());
            assert!(health.is_probe_distrusted, "minute {minute}");
        }
        health.probe_answered(at(9000));
        assert!(!health.is_probe_distrusted, "until it is answered");
    }

    #[test]
    fn an_answer_in_between_outweighs_the_cheap_question() {
        let mut health = health();
        fail(&mut health, &ROUND[..1], Reason::Connect, at(1));
        assert!(health.wants_probe(), "no connection: one is enough to ask");
        health.probe_begun(at(2));
        health.reached("a", at(3));
        health.probe_failed("a", &failure(Reason::Timeout), &ROUND, at(4));
        assert!(health.is_up());
    }

    #[test]
    fn pauses_double_up_to_a_window_or_five_minutes() {
        for (window, pauses) in [(60, [60, 60, 60, 60]), (200, [60, 120, 200, 200]), (3600, [60, 120, 240, 300])] {
            let mut health = ApplianceHealth::new(5, Duration::from_secs(window));
            for pause in pauses {
                health.unreachable("a", &failure(Reason::Timeout), at(0));
                assert_eq!(health.paused_until(at(0)), Some(at(pause)), "windows of {window} s");
            }
            assert_eq!(health.paused_until(at(pauses[3])), None, "it is over then");
        }
    }
}

//! When a target's hours are compared with the appliance's own report for them: once an hour, one day after the other,
//! and only while no window is due. Pure.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::base::clock::Timestamp;
use crate::base::window::Window;
use crate::config::Late;

use super::plan::Step;

/// One comparison an hour and target: what audits may cost the appliance.
const PACE: Duration = Duration::from_secs(3600);
/// How long after the settle delay an hour is compared, so that the comparison finds what a later look would.
const DELAY: Duration = Duration::from_secs(5 * 60);

/// The comparisons of one target.
#[derive(Debug)]
pub(super) struct Audits {
    late: Late,
    last: Option<Timestamp>,
    /// By the beginning of a stretch that can still be compared: when it was, and how much was late and not added.
    done: BTreeMap<Timestamp, (Timestamp, u64)>,
}

impl Audits {
    pub(super) fn new(late: Late) -> Self {
        Self { late, last: None, done: BTreeMap::new() }
    }

    /// The comparison of one of `stretches` that is due, or how long to wait for it or `otherwise`.
    pub(super) fn step(
        &mut self,
        stretches: Vec<Window>,
        settle: Duration,
        now: Timestamp,
        otherwise: Duration,
    ) -> Step {
        self.done.retain(|start, _| stretches.iter().any(|hours| hours.start() == *start));
        // Of a clock that was set back: an hour from now on is long enough.
        self.last = self.last.map(|last| last.min(now));
        let ready = stretches.into_iter().map(|hours| {
            let paced = self.last.map_or(hours.end(), |last| last + PACE);
            let done = self.done.get(&hours.start()).map(|(at, _)| *at);
            (paced.max(hours.end() + settle + DELAY), done, hours)
        });
        // The one that was compared longest ago, or never, of those that may be; else the one that may be first.
        match ready.min_by_key(|(at, done, hours)| ((*at).max(now), *done, hours.start())) {
            Some((at, _, hours)) if at <= now => Step::Audit(hours),
            Some((at, ..)) => Step::Wait(otherwise.min(at.since(now))),
            None => Step::Wait(otherwise),
        }
    }

    /// A comparison was tried.
    pub(super) fn tried(&mut self, now: Timestamp) {
        self.last = Some(now);
    }

    /// A comparison of the stretch from `start` found so much late; returns how much of it was not known before.
    pub(super) fn done(&mut self, start: Timestamp, late: u64, now: Timestamp) -> u64 {
        self.tried(now);
        let (_, known) = self.done.get(&start).copied().unwrap_or((now, 0));
        // What was added is late no more; what was not is found again each time, and what left the report may return.
        let remembered = if self.late == Late::Add { 0 } else { late.max(known) };
        self.done.insert(start, (now, remembered));
        late.saturating_sub(known)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::window::Grid;

    const MIDNIGHT: u64 = 1_795_392_000; // 2026-11-23T00:00:00Z
    const SETTLE: Duration = Duration::from_secs(2 * 60);
    const OTHERWISE: Duration = Duration::from_secs(12 * 3600);

    fn at(hours: u64, minutes: u64) -> Timestamp {
        Timestamp::from_secs(MIDNIGHT + hours * 3600 + minutes * 60)
    }

    fn hours(from: u64, to: u64) -> Window {
        Grid::HOURS.stretch_from(at(from, 0), u32::try_from(to - from).expect("small"))
    }

    fn step(audits: &mut Audits, stretches: &[Window], now: Timestamp) -> Step {
        audits.step(stretches.to_vec(), SETTLE, now, OTHERWISE)
    }

    fn wait(minutes: u64) -> Step {
        Step::Wait(Duration::from_secs(minutes * 60))
    }

    #[test]
    fn hours_are_compared_a_while_after_they_have_settled() {
        let mut audits = Audits::new(Late::Add);
        assert_eq!(step(&mut audits, &[], at(5, 0)), Step::Wait(OTHERWISE), "nothing is counted yet");
        assert_eq!(step(&mut audits, &[hours(0, 5)], at(5, 0)), wait(7));
        assert_eq!(step(&mut audits, &[hours(0, 5)], at(5, 7)), Step::Audit(hours(0, 5)));
        let soon = Duration::from_secs(60);
        assert_eq!(audits.step(vec![hours(0, 5)], SETTLE, at(5, 0), soon), Step::Wait(soon), "a window comes first");
        assert_eq!(step(&mut audits, &[hours(0, 5)], at(4, 0)), wait(67), "the clock was set back");
    }

    #[test]
    fn one_comparison_an_hour_whatever_came_of_it() {
        let mut audits = Audits::new(Late::Add);
        audits.done(at(0, 0), 0, at(5, 10));
        assert_eq!(step(&mut audits, &[hours(0, 5)], at(5, 10)), wait(60));
        assert_eq!(step(&mut audits, &[hours(0, 6)], at(6, 10)), Step::Audit(hours(0, 6)));
        audits.tried(at(6, 10));
        assert_eq!(step(&mut audits, &[hours(0, 6)], at(6, 50)), wait(20), "one that failed is not tried at once");
        audits.tried(at(30, 0));
        assert_eq!(step(&mut audits, &[hours(0, 6)], at(7, 0)), wait(60), "the clock was set back");
        assert_eq!(step(&mut audits, &[hours(0, 6)], at(8, 0)), Step::Audit(hours(0, 6)), "and an hour has passed");
    }

    #[test]
    fn what_was_compared_longest_ago_goes_first() {
        let mut audits = Audits::new(Late::Add);
        let days = [hours(0, 24), hours(24, 48), hours(48, 50)];
        let mut order = Vec::new();
        for hour in 50..56 {
            let Step::Audit(hours) = step(&mut audits, &days, at(hour, 30)) else { panic!("one is due each hour") };
            order.push(days.iter().position(|day| *day == hours).expect("one of them"));
            audits.done(hours.start(), 0, at(hour, 30));
        }
        assert_eq!(order, [0, 1, 2, 0, 1, 2]);
        let unsettled = [hours(0, 24), hours(48, 57)];
        assert_eq!(step(&mut audits, &unsettled, at(57, 0)), Step::Audit(hours(0, 24)), "the other must wait");
    }

    #[test]
    fn what_was_late_is_told_once() {
        let told = |late| {
            let mut audits = Audits::new(late);
            [5, 5, 2, 5, 9].map(|found| audits.done(at(0, 0), found, at(5, 0)))
        };
        assert_eq!(told(Late::Ignore), [5, 0, 0, 0, 4], "it is found again each time, whatever is gone meanwhile");
        assert_eq!(told(Late::Add), [5, 5, 2, 5, 9], "it was added, so what is found is new");
    }

    #[test]
    fn only_what_can_still_be_compared_is_remembered() {
        let mut audits = Audits::new(Late::Ignore);
        let yesterday = hours(0, 24);
        let mut told = 0;
        // A day full of gaps, each of which begins another stretch.
        for hour in (24..48).step_by(2) {
            let stretches = [yesterday, hours(hour, hour + 1)];
            for now in [at(hour + 1, 10), at(hour + 2, 10)] {
                let Step::Audit(hours) = step(&mut audits, &stretches, now) else { panic!("one is due each hour") };
                told += audits.done(hours.start(), 7, now);
            }
            assert!(audits.done.len() <= stretches.len());
        }
        assert_eq!(told, 7 * 13, "once for yesterday, once for each of the others");
    }
}

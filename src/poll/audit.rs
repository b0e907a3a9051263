//! When a target's hours are compared with the appliance's own report for them: once an hour, one day after the other,
//! and only while no window is due. Pure.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::base::clock::Timestamp;
use crate::ledger::Stretch;

use super::plan::Step;

/// One comparison an hour and target: what audits may cost the appliance.
const PACE: Duration = Duration::from_secs(3600);
/// How long after the settle delay an hour is compared, so that the comparison finds what a later look would.
const DELAY: Duration = Duration::from_secs(5 * 60);
/// So long before late data are added no more comes a comparison for them, whatever was compared when: between a manager's
/// last batch, 25 hours after its day, and the 26th hour.
const LAST_CALL: Duration = Duration::from_secs(30 * 60);
/// It is tried again after this long.
const LAST_CALL_PACE: Duration = Duration::from_secs(10 * 60);
/// Hours to which nothing is added any more are compared this often.
const WATCH_PACE: Duration = Duration::from_secs(8 * 3600);

/// The comparisons of one target.
#[derive(Debug, Default)]
pub(super) struct Audits {
    last: Option<Timestamp>,
    /// By the beginning of a stretch that can still be compared: when it was, and how much was late and not added.
    done: BTreeMap<Timestamp, (Timestamp, u64)>,
}

impl Audits {
    /// The comparison of one of `stretches` that is due, or how long to wait for it or `otherwise`.
    pub(super) fn step(
        &mut self,
        stretches: Vec<Stretch>,
        settle: Duration,
        now: Timestamp,
        otherwise: Duration,
    ) -> Step {
        self.done.retain(|start, _| stretches.iter().any(|stretch| stretch.hours.start() == *start));
        // Of a clock that was set back: an hour from now on is long enough, and what was compared then is not left for last
        // until that time comes again.
        self.last = self.last.map(|last| last.min(now));
        self.done.values_mut().for_each(|(at, _)| *at = (*at).min(now));
        let ready = stretches.into_iter().map(|Stretch { hours, adds_until }| {
            let done = self.done.get(&hours.start()).map(|(at, _)| *at);
            let settled = hours.end() + settle + DELAY;
            let paced = |pace| self.last.map_or(settled, |last| settled.max(last + pace));
            let call = adds_until - LAST_CALL;
            let (is_over, is_called) = (adds_until <= now, done.is_some_and(|done| call <= done));
            let at = match (is_over, is_called) {
                (true, _) => done.map_or(paced(PACE), |done| paced(PACE).max(done + WATCH_PACE)),
                (false, true) => paced(PACE),
                (false, false) => paced(PACE).min(paced(LAST_CALL_PACE).max(call)),
            };
            let is_last_call = !is_over && !is_called && call <= now;
            (at, !is_last_call, done, hours)
        });
        // The one that may be compared first. Of several that may be now, the one that is about to be added to no more; then
        // the one that was compared longest ago, or never.
        match ready.min_by_key(|(at, later, done, hours)| ((*at).max(now), *later, *done, hours.start())) {
            Some((at, _, _, hours)) if at <= now => Step::Audit(hours),
            Some((at, ..)) => Step::Wait(otherwise.min(at.since(now))),
            None => Step::Wait(otherwise),
        }
    }

    /// A comparison was tried.
    pub(super) fn tried(&mut self, now: Timestamp) {
        self.last = Some(now);
    }

    /// The stretch from `start` cannot be compared by its report.
    pub(super) fn skipped(&mut self, start: Timestamp, now: Timestamp) {
        self.tried(now);
        self.done.entry(start).or_insert((now, 0)).0 = now;
    }

    /// A comparison of the stretch from `start` found so much late, which is added or not; returns how much of it was not
    /// known before.
    pub(super) fn done(&mut self, start: Timestamp, late: u64, is_added: bool, now: Timestamp) -> u64 {
        self.tried(now);
        let (_, known) = self.done.get(&start).copied().unwrap_or((now, 0));
        // What was added is late no more; what was not is found again each time, and what left the report may return.
        let remembered = if is_added { 0 } else { late.max(known) };
        self.done.insert(start, (now, remembered));
        late.saturating_sub(known)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::window::{Grid, Window};

    const MIDNIGHT: u64 = 1_795_392_000; // 2026-11-23T00:00:00Z
    const SETTLE: Duration = Duration::from_secs(2 * 60);
    const OTHERWISE: Duration = Duration::from_secs(12 * 3600);

    fn at(hours: u64, minutes: u64) -> Timestamp {
        Timestamp::from_secs(MIDNIGHT + hours * 3600 + minutes * 60)
    }

    fn hours(from: u64, to: u64) -> Window {
        Grid::HOURS.stretch_from(at(from, 0), u32::try_from(to - from).expect("small"))
    }

    /// With late data added until 26 hours after the day that `hours` begin in.
    fn stretch(hours: Window) -> Stretch {
        let day = hours.start().since(at(0, 0)).as_secs() / (24 * 3600);
        Stretch { hours, adds_until: at((day + 1) * 24 + 26, 0) }
    }

    fn step(audits: &mut Audits, stretches: &[Window], now: Timestamp) -> Step {
        audits.step(stretches.iter().copied().map(stretch).collect(), SETTLE, now, OTHERWISE)
    }

    fn wait(minutes: u64) -> Step {
        Step::Wait(Duration::from_secs(minutes * 60))
    }

    #[test]
    fn hours_are_compared_a_while_after_they_have_settled() {
        let mut audits = Audits::default();
        assert_eq!(step(&mut audits, &[], at(5, 0)), Step::Wait(OTHERWISE), "nothing is counted yet");
        assert_eq!(step(&mut audits, &[hours(0, 5)], at(5, 0)), wait(7));
        assert_eq!(step(&mut audits, &[hours(0, 5)], at(5, 7)), Step::Audit(hours(0, 5)));
        let soon = Duration::from_secs(60);
        assert_eq!(
            audits.step(vec![stretch(hours(0, 5))], SETTLE, at(5, 0), soon),
            Step::Wait(soon),
            "a window comes first"
        );
        assert_eq!(step(&mut audits, &[hours(0, 5)], at(4, 0)), wait(67), "the clock was set back");
    }

    #[test]
    fn one_comparison_an_hour_whatever_came_of_it() {
        let mut audits = Audits::default();
        audits.done(at(0, 0), 0, true, at(5, 10));
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
        let mut audits = Audits::default();
        let days = [hours(0, 20), hours(21, 24), hours(24, 26)];
        let mut order = Vec::new();
        for hour in 26..32 {
            let Step::Audit(hours) = step(&mut audits, &days, at(hour, 30)) else { panic!("one is due each hour") };
            order.push(days.iter().position(|day| *day == hours).expect("one of them"));
            audits.done(hours.start(), 0, true, at(hour, 30));
        }
        assert_eq!(order, [0, 1, 2, 0, 1, 2]);
        let unsettled = [hours(0, 20), hours(24, 33)];
        assert_eq!(step(&mut audits, &unsettled, at(33, 0)), Step::Audit(hours(0, 20)), "the other must wait");
    }

    #[test]
    fn a_day_is_compared_shortly_before_it_is_added_to_no_more_and_seldom_afterwards() {
        let mut audits = Audits::default();
        let days = [hours(0, 24), hours(24, 48), hours(48, 49)];
        for (hour, minute) in [(48, 5), (49, 15)] {
            let Step::Audit(hours) = step(&mut audits, &days, at(hour, minute)) else { panic!("one is due") };
            audits.done(hours.start(), 0, true, at(hour, minute));
        }
        assert_eq!(step(&mut audits, &days, at(49, 20)), wait(10), "the last call, before the usual hour is over");
        assert_eq!(step(&mut audits, &days, at(49, 30)), Step::Audit(days[0]), "though the third was never compared");
        audits.tried(at(49, 31));
        assert_eq!(step(&mut audits, &days, at(49, 32)), wait(9), "it failed");
        assert_eq!(step(&mut audits, &days, at(49, 41)), Step::Audit(days[0]));
        audits.done(days[0].start(), 0, true, at(49, 41));
        let mut watched = Vec::new();
        for minute in (49 * 60 + 42)..(75 * 60) {
            if let Step::Audit(hours) = step(&mut audits, &days, at(0, minute)) {
                audits.done(hours.start(), 0, hours.start() != days[0].start(), at(0, minute));
                watched.extend((hours == days[0]).then_some(minute / 60));
            }
        }
        assert_eq!(watched, [57, 65, 74]);
    }

    #[test]
    fn a_day_that_a_clock_compared_too_early_is_compared_when_its_time_comes() {
        let mut audits = Audits::default();
        let days = [hours(0, 24), hours(24, 30)];
        audits.done(days[0].start(), 0, false, at(78, 0));
        let mut compared = Vec::new();
        for minute in (30 * 60 + 10)..(50 * 60) {
            if let Step::Audit(hours) = step(&mut audits, &days, at(0, minute)) {
                audits.done(hours.start(), 0, true, at(0, minute));
                compared.extend((hours == days[0]).then_some(minute));
            }
        }
        assert!(compared.len() >= 9 && compared.last() >= Some(&(49 * 60 + 30)), "{compared:?}");
    }

    #[test]
    fn what_was_late_is_told_once() {
        let told = |is_added| {
            let mut audits = Audits::default();
            [5, 5, 2, 5, 9].map(|found| audits.done(at(0, 0), found, is_added, at(5, 0)))
        };
        assert_eq!(told(false), [5, 0, 0, 0, 4], "it is found again each time, whatever is gone meanwhile");
        assert_eq!(told(true), [5, 5, 2, 5, 9], "it was added, so what is found is new");
    }

    #[test]
    fn only_what_can_still_be_compared_is_remembered() {
        let mut audits = Audits::default();
        let yesterday = hours(0, 24);
        let mut told = 0;
        // A day full of gaps, each of which begins another stretch.
        for hour in (24..48).step_by(2) {
            let stretches = [yesterday, hours(hour, hour + 1)];
            for now in [at(hour + 1, 10), at(hour + 2, 10)] {
                let Step::Audit(hours) = step(&mut audits, &stretches, now) else { panic!("one is due each hour") };
                told += audits.done(hours.start(), 7, false, now);
            }
            assert!(audits.done.len() <= stretches.len());
        }
        assert_eq!(told, 7 * 13, "once for yesterday, once for each of the others");
    }
}

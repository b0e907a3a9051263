//! When the hour that is not over is requested, where an appliance answers for whole hours only: once in each configured
//! window, after everything that is complete. Pure.

use std::time::Duration;

use crate::base::clock::Timestamp;
use crate::base::window::{Grid, Window};

use super::plan::{Step, WindowSchedule};

/// How long after declining an appliance is asked again.
const ASKED_AGAIN: Duration = Duration::from_secs(24 * 3600);

/// The running hours of one target.
#[derive(Clone, Copy, Debug)]
pub(super) struct RunningHours {
    /// How often they are requested.
    every: Grid,
    is_enabled: bool,
    /// When the appliance declined last.
    declined: Option<Timestamp>,
    /// When something was last requested.
    asked: Option<Timestamp>,
}

impl RunningHours {
    /// Hours that are requested once in each window of `every`, if that is shorter than they are.
    pub(super) fn new(every: Grid, is_enabled: bool) -> Self {
        Self { every, is_enabled: is_enabled && every.needs_minutes(), declined: None, asked: None }
    }

    /// Whether the hours of `rule` are requested while they run.
    pub(super) fn are_requested(self, rule: WindowSchedule, now: Timestamp) -> bool {
        // A refusal later than `now` dates from before the clock was set back.
        let declines = self.declined.is_some_and(|at| at <= now && now < at + ASKED_AGAIN);
        self.is_enabled && rule.is_hourly && rule.grid == Grid::HOURS && !declines
    }

    /// Whether the configuration allows it: switched on, and windows shorter than an hour.
    pub(super) fn is_enabled(self) -> bool {
        self.is_enabled
    }

    /// Whether windows are shorter than an hour.
    pub(super) fn are_shortened(self) -> bool {
        self.every.needs_minutes()
    }

    /// The windows, in each of which they are requested once.
    pub(super) fn every(self) -> Grid {
        self.every
    }

    /// Something is requested at `now`.
    pub(super) fn asked(&mut self, now: Timestamp) {
        self.asked = Some(now);
    }

    /// What was requested was not answered: it is requested again as soon as that may be.
    pub(super) fn failed(&mut self) {
        self.asked = None;
    }

    /// The appliance declined at `at`, or does so no longer.
    pub(super) fn declined(&mut self, at: Option<Timestamp>) {
        self.declined = at;
    }

    /// When the next request is due.
    pub(super) fn due(self, rule: WindowSchedule, now: Timestamp) -> Timestamp {
        let asked = self.asked.filter(|asked| *asked <= now);
        asked.map_or(now, |asked| self.every.containing(asked - rule.phase).end() + rule.phase)
    }

    /// The request for the hour from the watermark `from` on, which closes in `closes_in`, or how long to wait for it.
    pub(super) fn step(self, rule: WindowSchedule, from: Timestamp, now: Timestamp, closes_in: Duration) -> Step {
        if !self.are_requested(rule, now) {
            return Step::Wait(closes_in);
        }
        let due = self.due(rule, now).max(from + rule.phase);
        if due > now {
            return Step::Wait(closes_in.min(due.since(now)));
        }
        // If the hour closes within this window, the closing request replaces this one.
        let next = self.every.containing(now - rule.phase).end() + rule.phase;
        match now + closes_in < next {
            true => Step::Wait(closes_in),
            false => Step::RunningHour(Grid::HOURS.window_from(from)),
        }
    }
}

/// The end of what an answer given at `until` counts of `hour`, in whole minutes.
pub(super) fn counted_until(hour: Window, until: Timestamp) -> Timestamp {
    let minutes = until.as_secs() / 60 * 60;
    Timestamp::from_secs(minutes).clamp(hour.start(), hour.end())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: u64 = 1_795_435_200; // 2026-11-23T12:00:00Z
    const PHASE: u64 = 7;

    fn minutes(count: u64) -> Duration {
        Duration::from_secs(60 * count)
    }

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_secs(NOON + seconds)
    }

    fn rule(settle: u64) -> WindowSchedule {
        WindowSchedule {
            grid: Grid::HOURS,
            settle: minutes(settle),
            phase: Duration::from_secs(PHASE),
            catch_up: minutes(24 * 60),
            is_hourly: true,
        }
    }

    fn five() -> RunningHours {
        RunningHours::new(Grid::try_new(minutes(5)).expect("five minutes"), true)
    }

    /// The minutes at which hours are requested while they run and in which they are closed, in so many hours.
    fn requests(rule: WindowSchedule, hours: u64) -> (Vec<u64>, Vec<u64>) {
        let (mut running, mut watermark) = (five(), at(0));
        running.asked(at(PHASE));
        let (mut runs, mut closes) = (Vec::new(), Vec::new());
        for second in 1..hours * 3600 {
            let now = at(second);
            let closed = watermark + Duration::from_secs(3600) + rule.settle + rule.phase;
            if closed <= now {
                (watermark, closes) = (watermark + Duration::from_secs(3600), [closes, vec![second / 60]].concat());
                running.asked(now);
            } else if let Step::RunningHour(hour) = running.step(rule, watermark, now, closed.since(now)) {
                assert_eq!(hour, Grid::HOURS.window_from(watermark));
                running.asked(now);
                runs.push(second / 60);
            }
        }
        (runs, closes)
    }

    #[test]
    fn an_hour_is_requested_once_in_each_window_and_closed_by_one_of_them() {
        let (runs, closes) = requests(rule(2), 2);
        let expected: Vec<u64> = (1..12).chain(13..24).map(|number| number * 5).collect();
        assert_eq!((runs, closes), (expected, vec![62]));
        let (runs, closes) = requests(rule(20), 24);
        assert!(runs.len() + closes.len() <= 24 * 12, "{} and {}", runs.len(), closes.len());
        assert_eq!(
            (runs[11..16].to_vec(), closes[0]),
            (vec![60, 65, 70, 75, 85], 80),
            "batches arrive until it settles"
        );
    }

    #[test]
    fn only_hours_of_an_appliance_that_takes_nothing_else_are_requested() {
        let waits = |running: RunningHours, rule: WindowSchedule| {
            running.step(rule, at(0), at(1800), minutes(32)) == Step::Wait(minutes(32))
        };
        assert!(!waits(five(), rule(2)));
        assert!(waits(five(), WindowSchedule { is_hourly: false, ..rule(2) }));
        assert!(waits(RunningHours::new(Grid::HOURS, true), rule(2)), "a window of an hour");
        assert!(waits(RunningHours { is_enabled: false, ..five() }, rule(2)));
    }

    #[test]
    fn an_appliance_that_declines_is_asked_again_a_day_later() {
        let mut running = five();
        running.declined(Some(at(0)));
        assert!(!running.are_requested(rule(2), at(1)) && !running.are_requested(rule(2), at(24 * 3600 - 1)));
        assert!(running.are_requested(rule(2), at(24 * 3600)));
        running.declined(Some(at(48 * 3600)));
        assert!(running.are_requested(rule(2), at(0)), "the clock was set back");
    }

    #[test]
    fn what_is_counted_ends_with_a_minute_of_the_hour() {
        let hour = Grid::HOURS.window_from(at(0));
        let ends = [0, 59, 61, 3599, 3600, 4000].map(|seconds| counted_until(hour, at(seconds)).since(at(0)).as_secs());
        assert_eq!(ends, [0, 0, 60, 3540, 3600, 3600]);
    }
}

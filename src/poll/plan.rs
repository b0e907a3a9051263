//! Which window is requested next, and when. Pure: arithmetic on the watermark and the appliance's clock.

use std::ops::RangeInclusive;
use std::time::Duration;

use crate::base::clock::Timestamp;
use crate::base::hash;
use crate::base::window::{Grid, Window};
use crate::snapshot::LostReason;

/// The longest shift of one appliance's polls against another's.
const LONGEST_PHASE: Duration = Duration::from_secs(60);

/// The rule by which the windows of one key are chosen.
#[derive(Clone, Copy, Debug)]
pub(super) struct WindowSchedule {
    pub(super) grid: Grid,
    pub(super) settle: Duration,
    pub(super) phase: Duration,
    pub(super) catch_up: Duration,
    /// Whether the appliance answers for whole hours only.
    pub(super) is_hourly: bool,
}

/// The amount of complete windows that one request covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stride {
    /// All but the newest window, which comes alone: gauges show one window.
    Usual,
    /// All of it. A round takes longer than a window, so that another turn for the newest one would be wasted.
    All,
}

/// The next step for one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Ask for this window, or for several in a row; so many that are complete are left then.
    Fetch { window: Window, count: u32, left: u64, gap: Gap },
    /// Ask for this hour, which is not over.
    RunningHour(Window),
    /// Compare these whole hours, which are counted, with the report for them.
    Audit(Window),
    /// Request this window to read the appliance's clock, which is in doubt or behind what was counted.
    SyncClock(Window),
    /// Nothing is due for this long.
    Wait(Duration),
}

/// The gap between the watermark and the window that is requested. Nothing is given up for it until that window is
/// counted: a clock that returns, or an answer that was wrong, costs nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gap {
    /// Nothing: the window begins at the watermark.
    None,
    /// Nothing: the window is an hour, a part of which was counted in minutes up to the watermark `from`.
    Begun { from: Timestamp },
    /// Windows from the watermark `from` on that cannot be fetched any more.
    Lost { from: Timestamp, windows: u64, why: LostReason },
    /// The watermark `from` is too old to continue from, so that so many windows are lost, or it is in the future: the
    /// totals restart at zero where the window begins.
    Restart { from: Timestamp, windows: u64 },
}

impl Gap {
    /// The watermark that `window` is counted from.
    pub(super) fn watermark(self, window: Window) -> Timestamp {
        match self {
            Self::Begun { from } | Self::Lost { from, .. } => from,
            Self::None | Self::Restart { .. } => window.start(),
        }
    }
}

impl WindowSchedule {
    /// The end of the newest window that is complete at `now`.
    fn frontier(self, now: Timestamp) -> Timestamp {
        self.grid.floor(now - self.settle)
    }

    /// Where a key begins that was never polled: `start`, or one window, before the newest complete window's end.
    pub(super) fn first_watermark(self, now: Timestamp, start: Option<Duration>) -> Timestamp {
        let start = start.unwrap_or(self.grid.length());
        self.grid.floor(self.frontier(now) - start)
    }

    /// Complete windows after `watermark`.
    pub(super) fn pending(self, watermark: Timestamp, now: Timestamp) -> u64 {
        let started = self.grid.ceil(watermark);
        let rest = u64::from(started != watermark && started <= self.frontier(now));
        rest + self.grid.count_between(started, self.frontier(now))
    }

    /// When the next window after those that are complete at `now` will be; none before `watermark` counts.
    pub(super) fn next_complete(self, watermark: Timestamp, now: Timestamp) -> Timestamp {
        self.grid.window_from(self.frontier(now).max(watermark)).end() + self.settle
    }

    /// When the window that begins at `watermark` is requested, if nothing else comes first.
    pub(super) fn due(self, watermark: Timestamp) -> Timestamp {
        self.grid.window_from(watermark).end() + self.settle + self.phase
    }

    /// The start of the windows that can still be fetched, and the gap before it.
    pub(super) fn skip(self, watermark: Timestamp, now: Timestamp) -> (Timestamp, Gap) {
        let oldest = self.oldest(now);
        if watermark < oldest {
            let windows = self.between(watermark, oldest, now);
            return (oldest, Gap::Lost { from: watermark, windows, why: LostReason::CatchUp });
        }
        let aligned = Grid::HOURS.ceil(watermark);
        if self.is_hourly && aligned != watermark {
            return (aligned, Gap::Lost { from: watermark, windows: 1, why: LostReason::Alignment });
        }
        (watermark, Gap::None)
    }

    /// The complete windows from `from` to `to`; none where that is the other way round.
    pub(super) fn between(self, from: Timestamp, to: Timestamp, now: Timestamp) -> u64 {
        self.pending(from, now).saturating_sub(self.pending(to, now))
    }

    /// The oldest windows after `watermark` if they are due: one, or what is missed of an hour, since counts add up.
    pub(super) fn step(self, watermark: Timestamp, now: Timestamp, stride: Stride) -> Step {
        let pending = self.pending(watermark, now);
        let due = self.grid.window_from(watermark).end() + self.settle;
        // A backlog has waited long enough; only the newest window waits for its turn.
        let backlog = pending > 1;
        let due = if backlog { due } else { due + self.phase };
        // Longer than for the hour after one that is given up. The clock is read from answers only: without a request, one
        // wrong answer would be trusted until then.
        if due.since(now) > self.grid.length() * 2 + self.settle + self.phase {
            return Step::SyncClock(self.newest(now));
        }
        if due > now {
            return Step::Wait(due.since(now));
        }
        // Up to the end of the hour: hours are compared with the appliance's report as wholes.
        let hour = Grid::HOURS.containing(watermark).end();
        let most = self.grid.count_between(self.grid.floor(watermark), hour);
        let wanted = match stride {
            Stride::Usual => pending.saturating_sub(1),
            Stride::All => pending,
        };
        let count = u32::try_from(wanted.min(most)).unwrap_or(1).max(1);
        let left = pending.saturating_sub(u64::from(count));
        Step::Fetch { window: self.grid.stretch_from(watermark, count), count, left, gap: Gap::None }
    }

    /// The watermarks from which a key continues after a start. One before the first has lost windows that cannot be
    /// fetched any more; one after the last is from another clock.
    pub(super) fn resumable(self, now: Timestamp) -> RangeInclusive<Timestamp> {
        self.oldest(now)..=now + self.reach()
    }

    /// The age up to which windows are fetched.
    pub(super) fn reach(self) -> Duration {
        self.catch_up.max(self.grid.length())
    }

    fn oldest(self, now: Timestamp) -> Timestamp {
        self.grid.ceil(self.frontier(now) - self.reach())
    }

    /// The newest window that is complete at `now`.
    pub(super) fn newest(self, now: Timestamp) -> Window {
        self.grid.containing(self.frontier(now) - Duration::from_secs(1))
    }
}

/// How much later than others the appliance of this name is polled, so that a fleet does not move in lockstep:
/// up to a quarter of its window, the same at every start.
pub(super) fn phase(name: &str, grid: Grid) -> Duration {
    let longest = (grid.length() / 4).min(LONGEST_PHASE).as_millis();
    let hash = hash::stable(name.as_bytes());
    let mixed = u128::from(hash ^ (hash >> 32));
    Duration::from_millis(u64::try_from(mixed % longest.max(1)).unwrap_or(0))
}

/// The last whole hour that is complete at `now`.
pub(super) fn last_hour(now: Timestamp, settle: Duration) -> Window {
    let end = Grid::HOURS.floor(now - settle);
    Grid::HOURS.containing(end - Duration::from_secs(1))
}

/// The middle of `hour`, which is no window of any grid.
pub(super) fn part_of(hour: Window) -> Window {
    Grid::TEN_MINUTES.stretch_from(hour.start() + Grid::TEN_MINUTES.length(), 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: u64 = 1_795_435_200; // 2026-11-23T12:00:00Z

    fn minutes(count: u64) -> Duration {
        Duration::from_secs(60 * count)
    }

    /// Minutes and seconds after noon; negative minutes before.
    fn at(minutes: i64, seconds: u64) -> Timestamp {
        Timestamp::from_secs(NOON.saturating_add_signed(minutes * 60) + seconds)
    }

    fn rule(window: u64) -> WindowSchedule {
        let grid = Grid::try_new(minutes(window)).expect("a valid window");
        WindowSchedule {
            grid,
            settle: minutes(2),
            phase: Duration::from_secs(7),
            catch_up: minutes(60 * 24),
            is_hourly: false,
        }
    }

    #[test]
    fn the_first_watermark_leaves_one_complete_window() {
        let rule = rule(5);
        assert_eq!(rule.first_watermark(at(7, 0), None), at(0, 0), "the window to 12:05 has just settled");
        assert_eq!(rule.first_watermark(at(6, 59), None), at(-5, 0));
        assert_eq!(rule.first_watermark(at(7, 0), Some(minutes(60))), at(-55, 0));
        assert_eq!(rule.first_watermark(at(7, 0), Some(Duration::ZERO)), at(5, 0));
    }

    #[test]
    fn no_second_of_an_hour_asks_for_an_incomplete_window_or_misses_a_due_one() {
        for window in [1, 5, 60] {
            let rule = rule(window);
            for second in 0..7200 {
                let now = at(0, second);
                let watermark = rule.first_watermark(now, None);
                let Step::Fetch { window, .. } = rule.step(watermark, now + rule.phase, Stride::Usual) else {
                    panic!("one window is due at {now}")
                };
                assert!(window.end() + rule.settle <= now);
                let Step::Wait(span) = rule.step(window.end(), now, Stride::Usual) else {
                    panic!("nothing more is due at {now}")
                };
                assert_eq!(now + span, window.end() + rule.grid.length() + rule.settle + rule.phase);
            }
        }
    }

    #[test]
    fn a_backlog_goes_oldest_first_without_waiting_its_turn() {
        let rule = rule(1);
        let step = rule.step(at(0, 0), at(10, 0), Stride::Usual);
        assert_eq!(
            step,
            Step::Fetch { window: rule.grid.stretch_from(at(0, 0), 7), count: 7, left: 1, gap: Gap::None }
        );
        let day = rule.step(at(-600, 0), at(10, 0), Stride::Usual);
        assert_eq!(
            day,
            Step::Fetch { window: rule.grid.stretch_from(at(-600, 0), 60), count: 60, left: 548, gap: Gap::None }
        );
        let rest = rule.step(at(-590, 0), at(10, 0), Stride::Usual);
        assert_eq!(
            rest,
            Step::Fetch { window: rule.grid.stretch_from(at(-590, 0), 50), count: 50, left: 548, gap: Gap::None }
        );
        assert_eq!(rule.pending(at(0, 0), at(10, 0)), 8);
        assert_eq!(rule.step(at(7, 0), at(10, 0), Stride::Usual), Step::Wait(rule.phase));
    }

    #[test]
    fn what_lies_beyond_catch_up_is_counted_as_lost() {
        let rule = WindowSchedule { catch_up: minutes(30), ..rule(5) };
        let lost = Gap::Lost { from: at(-120, 0), windows: 18, why: LostReason::CatchUp };
        assert_eq!(rule.skip(at(-120, 0), at(2, 0)), (at(-30, 0), lost), "two hours are too far back");
        assert_eq!(rule.skip(at(-30, 0), at(2, 0)), (at(-30, 0), Gap::None));
    }

    #[test]
    fn the_rest_of_an_hour_begun_in_minutes_is_one_window_where_minutes_are_answered() {
        let rule = rule(60);
        assert_eq!(rule.skip(at(5, 0), at(30, 0)), (at(5, 0), Gap::None));
        let Step::Fetch { window, count: 1, left: 0, .. } = rule.step(at(5, 0), at(63, 0), Stride::Usual) else {
            panic!("the hour is over and settled")
        };
        assert_eq!((window.start(), window.end()), (at(5, 0), at(60, 0)));
        let hourly = WindowSchedule { is_hourly: true, ..rule };
        let lost = Gap::Lost { from: at(5, 0), windows: 1, why: LostReason::Alignment };
        assert_eq!(hourly.skip(at(5, 0), at(30, 0)), (at(60, 0), lost), "12:05 is no border of an hour");
        assert_eq!(hourly.skip(at(60, 0), at(30, 0)), (at(60, 0), Gap::None));
    }

    #[test]
    fn a_longer_grid_first_finishes_the_window_it_begins_in() {
        let rule = rule(5);
        let Step::Fetch { window, .. } = rule.step(at(3, 0), at(9, 0), Stride::Usual) else {
            panic!("a window is due")
        };
        assert_eq!((window.start(), window.end()), (at(3, 0), at(5, 0)));
        assert_eq!(rule.pending(at(3, 0), at(12, 0)), 2);
    }

    #[test]
    fn a_clock_set_back_is_waited_for_and_heard_again() {
        let rule = rule(1);
        assert_eq!(rule.step(at(1, 0), at(0, 0), Stride::Usual), Step::Wait(minutes(4) + rule.phase));
        assert_eq!(rule.step(at(60, 0), at(0, 0), Stride::Usual), Step::SyncClock(rule.grid.window_from(at(-3, 0))));
        assert_eq!((rule.pending(at(60, 0), at(0, 0)), rule.skip(at(60, 0), at(0, 0))), (0, (at(60, 0), Gap::None)));
    }

    #[test]
    fn phases_spread_and_stay() {
        let grid = Grid::try_new(minutes(5)).expect("five minutes");
        let phases: Vec<u128> = (0..100).map(|n| phase(&format!("esa{n}"), grid).as_millis()).collect();
        assert!(phases.iter().all(|phase| *phase < 60_000));
        let quarters = [0, 15_000, 30_000, 45_000]
            .map(|from| phases.iter().filter(|phase| (from..from + 15_000).contains(*phase)).count());
        assert!(quarters.iter().all(|count| *count >= 10), "{quarters:?}");
        assert_eq!(phase("esa1", grid), phase("esa1", grid));
    }

    #[test]
    fn the_last_hour_is_whole_and_settled() {
        let hour = |now| last_hour(now, minutes(2)).end();
        assert_eq!((hour(at(1, 59)), hour(at(2, 0)), hour(at(61, 0))), (at(-60, 0), at(0, 0), at(0, 0)));
    }
}

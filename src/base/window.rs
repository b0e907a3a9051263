//! Windows and the grid they lie on: pure arithmetic in UTC. Knows nothing of appliances, clocks or polling.

use std::fmt;
use std::time::Duration;

use crate::base::clock::Timestamp;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
/// The longest window: one day.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// Why a length cannot be the length of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidLength {
    /// Zero seconds.
    #[error("a window cannot be empty")]
    Zero,
    /// Not a whole number of minutes.
    #[error("a window must be a whole number of minutes")]
    NotMinutes,
    /// Shorter than an hour without dividing it, or longer without being a multiple of it.
    #[error(
        "a window must divide an hour (1m, 2m, 3m, 4m, 5m, 6m, 10m, 12m, 15m, 20m, 30m, 1h) or a day in whole hours"
    )]
    Uneven,
    /// Longer than a day.
    #[error("a window must not be longer than a day")]
    TooLong,
}

/// The lattice of windows of one length: `[k·W, (k+1)·W)` counted from 1970-01-01T00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Grid {
    length: Duration,
}

impl Grid {
    /// Windows of a whole hour, the only ones that every release answers.
    pub const HOURS: Self = Self { length: HOUR };

    /// Windows of ten minutes.
    pub const TEN_MINUTES: Self = Self { length: Duration::from_secs(10 * 60) };

    /// A grid of windows of `length`.
    ///
    /// # Errors
    /// When `length` is not a whole number of minutes that divides an hour, nor a whole number of hours that divides
    /// a day: such windows would straddle the borders of the vendor's hourly reports.
    pub fn try_new(length: Duration) -> Result<Self, InvalidLength> {
        let divides = |whole: Duration, part: Duration| whole.as_nanos().is_multiple_of(part.as_nanos());
        if length.is_zero() {
            return Err(InvalidLength::Zero);
        }
        if !divides(length, MINUTE) {
            return Err(InvalidLength::NotMinutes);
        }
        if length > LONGEST {
            return Err(InvalidLength::TooLong);
        }
        let within_hour = divides(HOUR, length);
        let whole_hours = divides(length, HOUR) && divides(LONGEST, length);
        if within_hour || whole_hours { Ok(Self { length }) } else { Err(InvalidLength::Uneven) }
    }

    /// The length of every window of this grid.
    #[must_use]
    pub const fn length(self) -> Duration {
        self.length
    }

    /// Whether windows of this grid start or end at minutes other than 00.
    #[must_use]
    pub fn needs_minutes(self) -> bool {
        self.length < HOUR
    }

    /// This grid where it needs no minutes, else the grid of hours.
    #[must_use]
    pub fn in_hours(self) -> Self {
        if self.needs_minutes() { Self::HOURS } else { self }
    }

    /// The newest border not after `time`.
    #[must_use]
    pub fn floor(self, time: Timestamp) -> Timestamp {
        let length = self.length.as_secs();
        Timestamp::from_secs(time.as_secs() / length * length)
    }

    /// The oldest border not before `time`.
    #[must_use]
    pub fn ceil(self, time: Timestamp) -> Timestamp {
        let floor = self.floor(time);
        if floor == time { time } else { floor + self.length }
    }

    /// The window that `time` lies in.
    #[must_use]
    pub fn containing(self, time: Timestamp) -> Window {
        self.window_from(self.floor(time))
    }

    /// The window from `start` to the next border: a whole one where `start` is a border, else the rest of one.
    #[must_use]
    pub fn window_from(self, start: Timestamp) -> Window {
        Window { start, end: self.floor(start) + self.length }
    }

    /// The stretch of `count` windows from `start`, the first of which may be the rest of one; at least one.
    #[must_use]
    pub fn stretch_from(self, start: Timestamp, count: u32) -> Window {
        let first = self.window_from(start);
        Window { start, end: first.end + self.length * count.saturating_sub(1) }
    }

    /// The number of whole windows between the borders `start` and `end`; zero when `end` is not later.
    #[must_use]
    pub fn count_between(self, start: Timestamp, end: Timestamp) -> u64 {
        end.since(start).as_secs() / self.length.as_secs()
    }
}

/// One window `[start, end)` of a [`Grid`], or several in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Window {
    start: Timestamp,
    end: Timestamp,
}

impl Window {
    /// The first instant inside.
    #[must_use]
    pub const fn start(self) -> Timestamp {
        self.start
    }

    /// The first instant after.
    #[must_use]
    pub const fn end(self) -> Timestamp {
        self.end
    }

    /// `end - start`.
    #[must_use]
    pub const fn length(self) -> Duration {
        self.end.since(self.start)
    }
}

impl fmt::Display for Window {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "[{}, {})", self.start, self.end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: u64 = 24 * 3600;
    const MIDNIGHT: u64 = 1_795_392_000; // 2026-11-23T00:00:00Z

    fn valid_lengths() -> Vec<Grid> {
        (1..=DAY / 60).filter_map(|minutes| Grid::try_new(MINUTE * u32::try_from(minutes).ok()?).ok()).collect()
    }

    #[test]
    fn lengths_divide_an_hour_or_a_day() {
        let minutes: Vec<u64> = valid_lengths().iter().map(|grid| grid.length().as_secs() / 60).collect();
        assert_eq!(minutes, [1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30, 60, 120, 180, 240, 360, 480, 720, 1440]);
    }

    #[test]
    fn other_lengths_say_why_not() {
        let refused = |seconds| Grid::try_new(Duration::from_secs(seconds)).unwrap_err();
        assert_eq!(refused(0), InvalidLength::Zero);
        assert_eq!(refused(90), InvalidLength::NotMinutes);
        assert_eq!(refused(7 * 60), InvalidLength::Uneven);
        assert_eq!(refused(90 * 60), InvalidLength::Uneven);
        assert_eq!(refused(5 * 3600), InvalidLength::Uneven);
        assert_eq!(refused(48 * 3600), InvalidLength::TooLong);
        assert_eq!(Grid::try_new(Duration::from_millis(60_500)), Err(InvalidLength::NotMinutes));
    }

    #[test]
    fn every_second_of_a_day_lies_in_exactly_one_window_of_every_grid() {
        for grid in valid_lengths() {
            let mut previous = grid.containing(Timestamp::from_secs(MIDNIGHT));
            assert_eq!(previous.start().as_secs(), MIDNIGHT, "midnight is a border of every grid");
            for second in MIDNIGHT..MIDNIGHT + DAY {
                let time = Timestamp::from_secs(second);
                let window = grid.containing(time);
                assert!(window.start() <= time && time < window.end());
                assert_eq!(window.length(), grid.length());
                assert_eq!(window.start().as_secs() % 60, 0);
                assert!(window == previous || window.start() == previous.end(), "no gap, no overlap");
                assert_eq!(grid.floor(time), window.start());
                assert_eq!((grid.window_from(time).start(), grid.window_from(time).end()), (time, window.end()));
                assert_eq!(grid.ceil(time), if time == window.start() { time } else { window.end() });
                previous = window;
            }
            assert_eq!(previous.end().as_secs(), MIDNIGHT + DAY);
        }
    }

    #[test]
    fn counts_whole_windows_only_forwards() {
        let grid = Grid::try_new(MINUTE * 5).expect("five minutes");
        let at = |minutes: u64| Timestamp::from_secs(MIDNIGHT + minutes * 60);
        assert_eq!(grid.count_between(at(0), at(0)), 0);
        assert_eq!(grid.count_between(at(0), at(4)), 0);
        assert_eq!(grid.count_between(at(0), at(60)), 12);
        assert_eq!(grid.count_between(at(60), at(0)), 0);
    }

    #[test]
    fn hours_replace_only_grids_that_need_minutes() {
        let hours = |count: u32| Grid::try_new(HOUR * count).expect("whole hours");
        assert_eq!(Grid::try_new(MINUTE).expect("a minute").in_hours(), Grid::HOURS);
        assert_eq!(hours(2).in_hours(), hours(2));
        assert!(!Grid::HOURS.needs_minutes());
    }
}

//! The rule by which the clock of an appliance is followed. Pure: observations and the time of our clocks are
//! parameters.

use std::time::Duration;

use super::ClockDoubt;
use crate::base::clock::{Tick, Timestamp};

/// The distance from the expected time within which a `Date` is trusted at once: the drift of a clock, and the age of
/// an answer.
const AGREEMENT: Duration = Duration::from_secs(2 * 60);
/// A jump is taken once a second answer agrees that comes so long after the first. Two answers of one fault, the
/// retries of one request among them, come closer together.
const CONFIRMATION: Duration = Duration::from_secs(60);
/// A `Date` that jumps to further from our own clock is refused: no time zone mistake is as large.
const FARTHEST: Duration = Duration::from_secs(24 * 3600);

/// A change that must be logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    Refused,
    Accepted,
    Stepped,
}

/// A time that advances with the monotonic clock.
#[derive(Clone, Copy, Debug)]
struct Point {
    time: Timestamp,
    tick: Tick,
}

impl Point {
    fn at(self, tick: Tick) -> Timestamp {
        self.time + tick.since(self.tick)
    }

    fn agrees(self, time: Timestamp, tick: Tick) -> bool {
        distance(self.at(tick), time) <= AGREEMENT
    }
}

/// The trusted state of an appliance's clock.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ClockFilter {
    /// None before the first answer.
    trusted: Option<Point>,
    /// Whether `trusted` is the appliance's own, and not our clock in its place.
    is_dated: bool,
    /// A jump that is not confirmed yet, as the first answer showed it.
    candidate: Option<Point>,
    is_refused: bool,
    skew_seconds: Option<f64>,
}

impl ClockFilter {
    /// The time on the appliance's clock; ours before the first answer.
    pub(crate) fn now(&self, wall: Timestamp, tick: Tick) -> Timestamp {
        self.trusted.map_or(wall, |trusted| trusted.at(tick))
    }

    /// The newest `Date` minus our clock, in seconds; none before the first.
    pub(crate) fn skew_seconds(&self) -> Option<f64> {
        self.skew_seconds
    }

    /// Why the newest `Date` is not followed.
    pub(crate) fn doubt(&self) -> Option<ClockDoubt> {
        match (self.is_refused, self.candidate) {
            (true, _) => Some(ClockDoubt::Refused),
            (false, Some(_)) => Some(ClockDoubt::Unconfirmed),
            (false, None) => None,
        }
    }

    /// Takes the `Date` of one of the appliance's own answers, or that it has none.
    pub(crate) fn observe(&mut self, date: Option<Timestamp>, wall: Timestamp, tick: Tick) -> Option<Change> {
        let trusted = *self.trusted.get_or_insert(Point { time: wall, tick });
        let Some(date) = date else {
            // An appliance that sends a `Date` with some answers only is known by those.
            let follows_us = !self.is_dated && self.take(wall, false, tick);
            return follows_us.then_some(Change::Stepped);
        };
        self.skew_seconds = Some(date.as_secs_f64() - wall.as_secs_f64());
        let is_refused = !trusted.agrees(date, tick) && distance(date, wall) > FARTHEST;
        let was_refused = std::mem::replace(&mut self.is_refused, is_refused);
        let has_stepped = if is_refused { self.take(wall, false, tick) } else { self.take(date, true, tick) };
        match (was_refused, is_refused) {
            (false, true) => Some(Change::Refused),
            (true, false) => Some(Change::Accepted),
            (true, true) | (false, false) => has_stepped.then_some(Change::Stepped),
        }
    }

    /// Takes `time` if it is expected or confirmed, else remembers it; whether it was a jump that is taken now.
    fn take(&mut self, time: Timestamp, is_dated: bool, tick: Tick) -> bool {
        let is_expected = self.trusted.is_none_or(|trusted| trusted.agrees(time, tick));
        let candidate = self.candidate.filter(|candidate| candidate.agrees(time, tick));
        let is_confirmed = candidate.is_some_and(|candidate| tick.since(candidate.tick) >= CONFIRMATION);
        if is_expected || is_confirmed {
            *self = Self { trusted: Some(Point { time, tick }), is_dated, candidate: None, ..*self };
        } else {
            self.candidate = Some(candidate.unwrap_or(Point { time, tick }));
        }
        is_confirmed && !is_expected
    }

    /// See [`super::Arrival::at`].
    pub(crate) fn bound(&self, date: Option<Timestamp>, wall: Timestamp, tick: Tick) -> Timestamp {
        let now = self.now(wall, tick);
        date.filter(|_| !self.is_refused).map_or(now, |date| date.min(now))
    }
}

fn distance(one: Timestamp, other: Timestamp) -> Duration {
    one.since(other).max(other.since(one))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: u64 = 1_795_435_200; // 2026-11-23T12:00:00Z
    const HOUR: i64 = 3600;
    const DAY: i64 = 24 * HOUR;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_secs(NOON.saturating_add_signed(seconds))
    }

    /// A course, and our own clocks, which begin at noon.
    struct Bench {
        course: ClockFilter,
        seconds: u64,
        /// The step of our wall clock, in seconds.
        wall: i64,
    }

    impl Bench {
        fn new() -> Self {
            Self { course: ClockFilter::default(), seconds: 0, wall: 0 }
        }

        fn pass(&mut self, seconds: u64) {
            self.seconds += seconds;
        }

        fn tick(&self) -> Tick {
            Tick::default() + Duration::from_secs(self.seconds)
        }

        fn true_time(&self) -> Timestamp {
            Timestamp::from_secs(NOON + self.seconds)
        }

        fn wall(&self) -> Timestamp {
            Timestamp::from_secs((NOON + self.seconds).saturating_add_signed(self.wall))
        }

        fn observe(&mut self, date: Option<Timestamp>) -> Timestamp {
            let (wall, tick) = (self.wall(), self.tick());
            self.course.observe(date, wall, tick);
            self.course.bound(date, wall, tick)
        }

        /// Takes a `Date` that is so far ahead of true time; returns the answer's time in the same terms.
        fn hear_ahead(&mut self, seconds: i64) -> i64 {
            let date = Timestamp::from_secs(self.true_time().as_secs().saturating_add_signed(seconds));
            let observed = self.observe(Some(date));
            self.ahead(observed)
        }

        fn ahead(&self, time: Timestamp) -> i64 {
            time.as_secs().cast_signed() - self.true_time().as_secs().cast_signed()
        }

        /// The lead of the trusted clock over true time, in seconds.
        fn course(&self) -> i64 {
            self.ahead(self.course.now(self.wall(), self.tick()))
        }
    }

    #[test]
    fn what_is_expected_is_taken_at_once() {
        let mut bench = Bench::new();
        for ahead in [0, 120, 240, 130, 10, -110] {
            assert_eq!((bench.hear_ahead(ahead), bench.course()), (ahead, ahead));
            assert_eq!((bench.course.doubt(), bench.course.skew_seconds), (None, Some(ahead as f64)));
            bench.pass(7);
        }
    }

    #[test]
    fn one_answer_never_moves_time_far() {
        for lie in [124, -124, 20 * HOUR, -20 * HOUR, 27 * HOUR, -27 * HOUR, 26_297 * DAY, -20_780 * DAY] {
            let mut bench = Bench::new();
            bench.hear_ahead(3);
            bench.pass(300);
            let is_refused = lie.abs() > DAY;
            // Where it is refused, our own clock agrees and stands in.
            let course = if is_refused { 0 } else { 3 };
            let at = if is_refused { course } else { course.min(lie) };
            assert_eq!((bench.hear_ahead(lie), bench.course()), (at, course), "{lie}");
            assert_eq!(bench.course.skew_seconds, Some(lie as f64), "it is shown");
            let doubt = if is_refused { ClockDoubt::Refused } else { ClockDoubt::Unconfirmed };
            assert_eq!(bench.course.doubt(), Some(doubt), "{lie}");
            bench.pass(300);
            assert_eq!((bench.hear_ahead(3), bench.course(), bench.course.doubt()), (3, 3, None), "{lie}");
        }
    }

    #[test]
    fn two_answers_a_minute_apart_that_agree_move_it() {
        for jump in [200, -200, 20 * HOUR, -20 * HOUR] {
            let mut bench = Bench::new();
            bench.hear_ahead(0);
            for (wait, expected) in [(1, 0), (1, 0), (57, 0), (1, 0), (1, jump)] {
                bench.pass(wait);
                bench.hear_ahead(jump);
                assert_eq!(bench.course(), expected, "{jump} at {}", bench.seconds);
            }
            assert_eq!(bench.course.doubt(), None);
        }
    }

    #[test]
    fn answers_that_contradict_each_other_move_nothing() {
        let mut bench = Bench::new();
        bench.hear_ahead(0);
        for (number, ahead) in [HOUR, -HOUR, 2 * HOUR, -HOUR].into_iter().cycle().take(50).enumerate() {
            bench.pass(61);
            bench.hear_ahead(ahead);
            assert_eq!((bench.course(), bench.course.doubt()), (0, Some(ClockDoubt::Unconfirmed)), "{number}");
        }
        bench.hear_ahead(0);
        assert_eq!(bench.course.doubt(), None, "the answer that is expected ends it");
    }

    #[test]
    fn what_is_refused_is_never_confirmed_and_our_clock_stands_in() {
        let mut bench = Bench::new();
        bench.hear_ahead(0);
        for _ in 0..20 {
            bench.pass(61);
            assert_eq!(bench.hear_ahead(27 * HOUR), 0);
        }
        assert_eq!((bench.course(), bench.course.doubt()), (0, Some(ClockDoubt::Refused)));
        // Our own clock is set: two answers without a usable date agree on that.
        bench.wall = -HOUR;
        bench.hear_ahead(27 * HOUR);
        assert_eq!(bench.course(), 0);
        bench.pass(60);
        bench.hear_ahead(27 * HOUR);
        assert_eq!(bench.course(), -HOUR);
    }

    #[test]
    fn a_refused_date_does_not_keep_an_appliance_on_a_time_that_is_no_ones() {
        let mut bench = Bench::new();
        for _ in 0..3 {
            bench.hear_ahead(20 * HOUR);
            bench.pass(60);
        }
        assert_eq!(bench.course(), 20 * HOUR);
        bench.hear_ahead(40 * HOUR);
        assert_eq!(bench.course(), 20 * HOUR, "not on one answer");
        bench.pass(60);
        bench.hear_ahead(40 * HOUR);
        assert_eq!(bench.course(), 0, "windows are taken by our clock");
    }

    #[test]
    fn a_date_that_is_expected_is_accepted_whatever_our_clock_does() {
        for step in [2 * HOUR, -2 * HOUR, 1000 * DAY, -1000 * DAY] {
            let mut bench = Bench::new();
            bench.hear_ahead(0);
            bench.wall = step;
            for _ in 0..5 {
                bench.pass(61);
                assert_eq!((bench.hear_ahead(0), bench.course(), bench.course.doubt()), (0, 0, None), "{step}");
                assert_eq!(bench.course.skew_seconds, Some(-step as f64));
            }
        }
    }

    #[test]
    fn without_a_date_our_clock_is_followed_by_the_same_rule() {
        for step in [2 * HOUR, -2 * HOUR, 1000 * DAY, -1000 * DAY] {
            let mut bench = Bench::new();
            assert_eq!((bench.observe(None), bench.course()), (at(0), 0));
            bench.wall = step;
            bench.pass(30);
            assert_eq!((bench.observe(None), bench.course()), (at(30), 0), "{step}");
            bench.pass(59);
            bench.observe(None);
            assert_eq!((bench.course(), bench.course.doubt()), (0, Some(ClockDoubt::Unconfirmed)), "{step}");
            bench.pass(1);
            bench.observe(None);
            assert_eq!((bench.course(), bench.course.doubt()), (step, None), "{step}");
        }
    }

    #[test]
    fn an_answer_without_a_date_says_nothing_of_a_clock_that_is_known() {
        let mut bench = Bench::new();
        for _ in 0..2 {
            bench.hear_ahead(HOUR);
            bench.pass(60);
        }
        for _ in 0..5 {
            bench.pass(60);
            bench.observe(None);
            assert_eq!((bench.course(), bench.course.doubt()), (HOUR, None));
        }
    }

    #[test]
    fn before_the_first_answer_our_clock_may_be_set() {
        let mut bench = Bench::new();
        bench.wall = -20_000 * DAY;
        bench.pass(30);
        bench.wall = 0;
        assert_eq!((bench.course(), bench.hear_ahead(0), bench.course.doubt()), (0, 0, None));
    }

    #[test]
    fn changes_are_told_and_repetitions_are_not() {
        let mut bench = Bench::new();
        let mut told = Vec::new();
        for ahead in [0, 27 * HOUR, 30 * HOUR, 27 * HOUR, 0, 0, HOUR, HOUR, HOUR, HOUR] {
            let date = at(bench.seconds.cast_signed() + ahead);
            told.push(bench.course.observe(Some(date), bench.wall(), bench.tick()));
            bench.pass(60);
        }
        let (refused, accepted, stepped) = (Some(Change::Refused), Some(Change::Accepted), Some(Change::Stepped));
        assert_eq!(told, [None, refused, None, None, accepted, None, None, stepped, None, None]);
    }
}

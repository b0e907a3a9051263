//! Learns how long after its end a window must be left alone. One window at a time is looked at again and again, and
//! what the earlier looks lacked of the last one tells how late data come. The looks are requests of their own, so
//! learning never touches a number. Pure.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use crate::base::clock::Timestamp;
use crate::base::window::{Grid, Window};

/// The delays that may be learned. Finer steps would cost more looks than they save minutes.
const LADDER: [Duration; 12] = [
    Duration::from_secs(30),
    Duration::from_secs(60),
    Duration::from_secs(2 * 60),
    Duration::from_secs(3 * 60),
    Duration::from_secs(5 * 60),
    Duration::from_secs(7 * 60),
    Duration::from_secs(10 * 60),
    Duration::from_secs(15 * 60),
    Duration::from_secs(20 * 60),
    Duration::from_secs(30 * 60),
    Duration::from_secs(45 * 60),
    Duration::from_secs(60 * 60),
];
/// The rung of the last look, which is taken for the truth. What comes later still is found by comparing hours.
const LAST: usize = LADDER.len();
const LAST_LOOK: Duration = Duration::from_secs(2 * 3600);
/// A look is made a tenth of its delay early, so that one that has to wait its turn proves no more than it saw.
const EARLY: u32 = 10;
/// Between two windows. With the two hours of looks it moves from window to window against any clock of quarter hours
/// by which data arrive.
const REST: Duration = Duration::from_secs(7 * 60);
/// Windows that are remembered: those of a day.
const REMEMBERED: usize = 12;
/// A shorter delay is adopted after so many windows and events; a longer one at once.
const ENOUGH_WINDOWS: usize = 6;
const ENOUGH_EVENTS: u64 = 1000;
/// One event in so many may be late.
const TOLERATED: u64 = 1000;

/// What to do for the sake of learning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Look at this window of this target.
    MeasureLateness { target: usize, window: Window },
    /// Nothing for this long.
    Wait(Duration),
}

/// What is known about the lateness of one appliance's data.
#[derive(Debug)]
pub(super) struct Lateness {
    settle: Duration,
    /// How many targets there are, and which of them is next.
    targets: usize,
    cursor: usize,
    sample: Option<Sample>,
    rest_until: Option<Timestamp>,
    /// The newest last.
    seen: VecDeque<Looks>,
}

/// The window that is looked at.
#[derive(Debug)]
struct Sample {
    target: usize,
    window: Window,
    /// The rung of the next look.
    next: usize,
    looks: Looks,
}

/// Events that were there at each look, by its rung.
type Looks = BTreeMap<usize, u64>;

impl Sample {
    /// From when and until when the look of `rung` can be made.
    fn span(&self, rung: usize) -> (Timestamp, Option<Timestamp>) {
        let end = self.window.end();
        match LADDER.get(rung) {
            Some(delay) => (end + (*delay - *delay / EARLY), Some(end + *delay)),
            None => (end + LAST_LOOK, None),
        }
    }
}

impl Lateness {
    /// Learns for an appliance with so many targets, beginning with `settle`.
    pub(super) fn new(settle: Duration, targets: usize) -> Self {
        Self { settle, targets, cursor: 0, sample: None, rest_until: None, seen: VecDeque::new() }
    }

    /// The step that is due at `now`; `grid` returns the windows of the targets that can be measured.
    pub(super) fn step(&mut self, now: Timestamp, grid: impl Fn(usize) -> Option<Grid>) -> Step {
        if let Some(until) = self.rest_until.filter(|until| now < *until) {
            return Step::Wait(until.since(now));
        }
        if self.sample.is_none() {
            self.sample = self.pick(now, grid);
        }
        let Some(sample) = &mut self.sample else { return Step::Wait(REST) };
        while sample.span(sample.next).1.is_some_and(|until| until <= now) {
            sample.next += 1;
        }
        let (from, _) = sample.span(sample.next);
        if from > now {
            return Step::Wait(from.since(now));
        }
        Step::MeasureLateness { target: sample.target, window: sample.window }
    }

    /// The window of the next target in turn that `now` lies in.
    fn pick(&mut self, now: Timestamp, grid: impl Fn(usize) -> Option<Grid>) -> Option<Sample> {
        let turns = (0..self.targets).map(|step| (self.cursor + step) % self.targets);
        let (target, grid) = turns.filter_map(|target| Some((target, grid(target)?))).next()?;
        self.cursor = target + 1;
        Some(Sample { target, window: grid.containing(now), next: 0, looks: Looks::new() })
    }

    /// Records that the report held `events` at `at`; returns the new settle delay if it changes.
    pub(super) fn looked(&mut self, events: u64, at: Timestamp) -> Option<Duration> {
        let mut sample = self.sample.take()?;
        if at < sample.window.end() {
            // The appliance's clock was set back: nothing that was seen is of the time it seemed to be.
            self.rest_until = Some(at + REST);
            return None;
        }
        let delay = at.since(sample.window.end());
        let rung = LADDER.partition_point(|rung| *rung < delay);
        if rung < LAST || delay >= LAST_LOOK {
            sample.looks.insert(rung, events);
        }
        sample.next = rung.max(sample.next + 1);
        if sample.looks.contains_key(&LAST) {
            self.seen.push_back(sample.looks);
            if self.seen.len() > REMEMBERED {
                self.seen.pop_front();
            }
            self.rest_until = Some(at + REST);
        } else {
            self.sample = Some(sample);
        }
        self.decide()
    }

    /// A look failed, so that this window proves nothing.
    pub(super) fn missed(&mut self, now: Timestamp) {
        self.sample = None;
        self.rest_until = Some(now + REST);
    }

    fn decide(&mut self) -> Option<Duration> {
        let floor = (0..LAST).rev().find(|rung| self.is_too_early(*rung)).map(|rung| (rung + 1).min(LAST - 1));
        let least = floor.map_or(Duration::ZERO, |rung| LADDER[rung]);
        let proven = (floor.unwrap_or(0)..LAST).find(|rung| self.is_proven(*rung)).map(|rung| LADDER[rung]);
        let settle = proven.map_or(self.settle, |proven| proven.min(self.settle)).max(least);
        let is_new = settle != self.settle;
        self.settle = settle;
        is_new.then_some(settle)
    }

    /// Whether more came after looks of this rung than may.
    fn is_too_early(&self, rung: usize) -> bool {
        let present = self.sample.as_ref().map(|sample| &sample.looks);
        let (late, events) = lateness(self.seen.iter().chain(present), rung);
        late > 0 && late.saturating_mul(TOLERATED) >= events
    }

    /// Whether enough was seen to say that no more comes after looks of this rung.
    fn is_proven(&self, rung: usize) -> bool {
        let (_, events) = lateness(self.seen.iter(), rung);
        let windows = self.seen.iter().filter(|looks| looks.contains_key(&rung)).count();
        windows >= ENOUGH_WINDOWS && events >= ENOUGH_EVENTS
    }
}

/// Of the windows that were looked at on `rung`: events that came later, and all of them.
fn lateness<'a>(looks: impl Iterator<Item = &'a Looks>, rung: usize) -> (u64, u64) {
    let mut sums = (0, 0);
    for looks in looks {
        if let (Some(then), Some((_, all))) = (looks.get(&rung), looks.last_key_value()) {
            sums = (sums.0 + all.saturating_sub(*then), sums.1 + all);
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: u64 = 1_795_435_200; // 2026-11-23T12:00:00Z
    const EVENTS: u64 = 10_000;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_secs(NOON + seconds)
    }

    fn minutes(_: usize) -> Option<Grid> {
        Grid::try_new(Duration::from_secs(60)).ok()
    }

    /// Follows one window from its beginning; `seen` tells how many events are there so long after its end. Returns the
    /// seconds at which it is over, and what was learned on the way.
    fn follow(lateness: &mut Lateness, from: u64, seen: impl Fn(u64) -> u64) -> (u64, Vec<u64>) {
        let (mut now, mut learned, mut first) = (from, Vec::new(), None);
        loop {
            match lateness.step(at(now), minutes) {
                Step::Wait(span) => now += span.as_secs(),
                Step::MeasureLateness { window, .. } => {
                    let window = *first.get_or_insert(window);
                    let delay = at(now).since(window.end()).as_secs();
                    learned.extend(lateness.looked(seen(delay), at(now)).map(|settle| settle.as_secs()));
                    if delay >= LAST_LOOK.as_secs() {
                        return (now, learned);
                    }
                }
            }
        }
    }

    fn lateness() -> Lateness {
        Lateness::new(Duration::from_secs(120), 1)
    }

    #[test]
    fn one_in_a_thousand_is_too_many_and_fewer_are_not() {
        let missing = |count: u64| move |delay: u64| if delay < 200 { EVENTS - count } else { EVENTS };
        assert_eq!(follow(&mut lateness(), 0, missing(9)).1, [0_u64; 0]);
        assert_eq!(follow(&mut lateness(), 0, missing(10)).1, [300], "seen by the look of 5 minutes");
    }

    #[test]
    fn what_is_late_for_ever_ends_at_the_longest_delay() {
        let growing = |delay: u64| EVENTS + delay;
        assert_eq!(follow(&mut lateness(), 0, growing).1.last(), Some(&3600));
    }

    #[test]
    fn a_shorter_delay_takes_six_windows_with_enough_in_them() {
        let mut quiet = lateness();
        let mut busy = lateness();
        let (mut now, mut learned) = (0, Vec::new());
        for _ in 0..8 {
            assert_eq!(follow(&mut quiet, now, |_| 100).1, [0_u64; 0], "800 events say too little");
            let more;
            (now, more) = follow(&mut busy, now, |_| EVENTS);
            learned.push(more);
        }
        assert_eq!(learned.iter().position(|learned| *learned == [30]), Some(5));
    }

    #[test]
    fn a_window_with_a_look_that_failed_tells_nothing() {
        let mut lateness = lateness();
        for round in 0..12 {
            let now = at(round * 7980 + 26);
            let Step::Wait(_) = lateness.step(now, minutes) else { panic!("the window is not over") };
            let look = lateness.step(now + Duration::from_secs(61), minutes);
            assert!(matches!(look, Step::MeasureLateness { .. }), "{look:?}");
            lateness.missed(now);
            assert!(lateness.seen.is_empty());
            assert!(matches!(lateness.step(now, minutes), Step::Wait(REST)), "not again at once");
        }
    }

    #[test]
    fn a_clock_set_back_ends_the_window() {
        let mut lateness = lateness();
        assert!(matches!(lateness.step(at(30), minutes), Step::Wait(_)));
        assert!(matches!(lateness.step(at(88), minutes), Step::MeasureLateness { .. }));
        assert_eq!(lateness.looked(EVENTS, at(20)), None);
        assert!(lateness.sample.is_none() && lateness.seen.is_empty());
    }

    #[test]
    fn a_look_that_came_late_proves_only_what_it_saw() {
        let mut lateness = lateness();
        assert!(matches!(lateness.step(at(30), minutes), Step::Wait(_)));
        assert!(matches!(lateness.step(at(88), minutes), Step::MeasureLateness { .. }));
        // Asked after 28 s, answered after 100: the look is of the rung of two minutes.
        lateness.looked(EVENTS, at(160));
        let looks = &lateness.sample.as_ref().expect("a window").looks;
        assert_eq!(looks.keys().copied().collect::<Vec<_>>(), [2]);
    }

    #[test]
    fn targets_take_turns_and_those_that_are_not_had_are_left_out() {
        let mut lateness = Lateness::new(Duration::from_secs(120), 3);
        let had = |target| if target == 1 { None } else { minutes(target) };
        let mut order = Vec::new();
        for round in 0..4 {
            lateness.step(at(round * 8000), had);
            order.extend(lateness.sample.as_ref().map(|sample| sample.target));
            lateness.missed(at(round * 8000));
        }
        assert_eq!(order, [0, 2, 0, 2]);
        assert_eq!(Lateness::new(REST, 2).step(at(0), |_| None), Step::Wait(REST));
    }
}

//! Changes of a state, of which few are logged: one that changes all the time becomes one line an hour with a count. Pure.

use std::time::Duration;

use crate::base::clock::Tick;

/// The time between two lines with a count, and the time without a change after which changes are logged one by one again.
pub(super) const PERIOD: Duration = Duration::from_secs(60 * 60);
/// The changes that are logged one by one: two outages with their ends.
const LOGGED: u32 = 4;
/// A state that has not changed for so long has settled, and the log must not end with another one. Longer than the pauses
/// of an appliance that is down, after which it may be found to be up.
const SETTLED: Duration = Duration::from_secs(15 * 60);

/// Decides which changes of one state are logged.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Flapping {
    logged: u32,
    /// The changes since the last line that were not logged.
    unlogged: u32,
    first_unlogged: Option<Tick>,
    /// When the state last changed; none while nothing has changed for long.
    newest: Option<Tick>,
    /// When a count was last logged.
    counted: Option<Tick>,
}

impl Flapping {
    /// Records a change; returns whether it is logged.
    pub(super) fn changed(&mut self, now: Tick) -> bool {
        if self.is_quiet(now) {
            *self = Self::default();
        }
        self.newest = Some(now);
        if self.logged < LOGGED {
            self.logged += 1;
            return true;
        }
        self.unlogged = self.unlogged.saturating_add(1);
        self.first_unlogged.get_or_insert(now);
        false
    }

    /// The number of changes that were not logged, if a line with it is due. Takes it as logged.
    pub(super) fn due(&mut self, now: Tick) -> Option<u32> {
        let first = self.first_unlogged?;
        let is_due = match self.counted {
            Some(counted) => now >= counted + PERIOD,
            None => now >= first + PERIOD || self.has_settled(now),
        };
        if !is_due {
            return None;
        }
        let changes = self.unlogged;
        *self = Self { unlogged: 0, first_unlogged: None, counted: Some(now), ..*self };
        Some(changes)
    }

    /// Whether nothing has changed for a period, and all that has is logged.
    pub(super) fn is_quiet(&self, now: Tick) -> bool {
        self.unlogged == 0 && self.newest.is_none_or(|newest| now >= newest + PERIOD)
    }

    /// Whether the last change is so long ago that another one is news.
    pub(super) fn has_settled(&self, now: Tick) -> bool {
        self.newest.is_none_or(|newest| now >= newest + SETTLED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: u64) -> Tick {
        Tick::default() + Duration::from_secs(60 * minutes)
    }

    /// The changes that are logged, and the lines with a count, of a state that changes every so many minutes for ten hours.
    fn lines(every: u64) -> (Vec<u64>, Vec<(u64, u32)>, Flapping) {
        let (mut flapping, mut changes, mut counts) = (Flapping::default(), Vec::new(), Vec::new());
        for minute in 0..600 {
            counts.extend(flapping.due(at(minute)).map(|count| (minute, count)));
            if minute % every == 0 && flapping.changed(at(minute)) {
                changes.push(minute);
            }
        }
        (changes, counts, flapping)
    }

    #[test]
    fn a_state_that_changes_all_the_time_is_one_line_an_hour() {
        for every in [1, 3, 5, 7, 12] {
            let (changes, counts, _) = lines(every);
            assert_eq!(changes, [0, every, 2 * every, 3 * every], "two outages with their ends");
            assert!(counts.windows(2).all(|pair| pair[1].0 - pair[0].0 >= 60), "every {every} minutes: {counts:?}");
            assert!((8..=10).contains(&counts.len()), "every {every} minutes: {counts:?}");
        }
        for every in [20, 35, 59] {
            let (changes, counts, _) = lines(every);
            let told: u32 = counts.iter().map(|(_, count)| count).sum();
            assert!(changes.len() == 4 && counts.len() <= 10, "every {every} minutes: {counts:?}");
            assert!(counts.windows(2).all(|pair| pair[1].0 - pair[0].0 >= 60), "every {every} minutes: {counts:?}");
            assert!(u64::from(told) + 4 + 2 >= 600 / every, "every {every} minutes: none is forgotten");
        }
    }

    #[test]
    fn the_end_of_flapping_is_logged_and_what_comes_long_after_it_is_logged_at_once() {
        let mut flapping = Flapping::default();
        assert_eq!(
            [0, 1, 2, 3, 4, 5, 6].map(|minute| flapping.changed(at(minute))),
            [true, true, true, true, false, false, false]
        );
        assert_eq!([20, 21, 22, 80].map(|minute| flapping.due(at(minute))), [None, Some(3), None, None]);
        assert!(flapping.changed(at(81)), "it has been quiet for an hour");
        // Once more, within an hour of the last count.
        let (_, _, mut flapping) = lines(1);
        let due: Vec<_> = (600..800).filter_map(|minute| Some((minute, flapping.due(at(minute))?))).collect();
        assert!(due.len() == 1 && due[0].0 < 660 + 15, "{due:?}");
        assert!(flapping.is_quiet(at(700)));
    }

    #[test]
    fn an_outage_is_logged_with_its_end() {
        for minutes in [1, 5, 9, 10, 11, 59, 60, 61, 500] {
            let mut flapping = Flapping::default();
            assert!(flapping.changed(at(0)) && flapping.changed(at(minutes)), "{minutes}");
            assert_eq!(flapping.due(at(minutes + 100)), None);
        }
    }
}

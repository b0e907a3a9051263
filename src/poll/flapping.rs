//! Changes of a state, of which few are logged: one that changes all the time becomes one line with a count. Pure.

use std::time::Duration;

use crate::base::clock::Tick;

/// The time for which changes are counted together: two of the longest pauses of an appliance that is down.
pub(super) const PERIOD: Duration = Duration::from_secs(10 * 60);
/// The changes within a period that are logged one by one: went bad, and recovered.
const LOGGED: u32 = 2;

/// Decides which changes of one state are logged.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Flapping {
    /// When the period began; none while nothing has changed for long.
    since: Option<Tick>,
    changes: u32,
    /// Whether some change of the previous period was not logged.
    is_flapping: bool,
}

impl Flapping {
    /// Records a change; returns whether it is logged.
    pub(super) fn changed(&mut self, now: Tick) -> bool {
        if self.is_over(now) && !self.has_unlogged() {
            *self = Self::default();
        }
        self.since.get_or_insert(now);
        self.changes = self.changes.saturating_add(1);
        !self.has_unlogged()
    }

    /// The number of changes in a period that is over, if some of them were not logged. Begins the next period.
    pub(super) fn due(&mut self, now: Tick) -> Option<u32> {
        if !self.is_over(now) {
            return None;
        }
        if !self.has_unlogged() {
            *self = Self::default();
            return None;
        }
        let changes = self.changes;
        *self = Self { since: Some(now), changes: 0, is_flapping: true };
        Some(changes)
    }

    /// Whether nothing has changed for a period.
    pub(super) fn is_quiet(&self, now: Tick) -> bool {
        self.since.is_none() || (self.is_over(now) && !self.has_unlogged())
    }

    fn is_over(&self, now: Tick) -> bool {
        self.since.is_some_and(|since| now >= since + PERIOD)
    }

    fn has_unlogged(&self) -> bool {
        self.changes > if self.is_flapping { 0 } else { LOGGED }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: u64) -> Tick {
        Tick::default() + Duration::from_secs(60 * minutes)
    }

    #[test]
    fn a_state_that_changes_all_the_time_is_one_line_a_period() {
        let (mut flapping, mut lines, mut counts) = (Flapping::default(), 0, Vec::new());
        for minute in 0..60 {
            counts.extend(flapping.due(at(minute)));
            lines += u32::from(flapping.changed(at(minute)));
        }
        assert_eq!((lines, counts), (2, vec![10; 5]), "the first two, then one line in ten minutes");
        assert_eq!(flapping.due(at(60)), Some(10));
        assert_eq!(flapping.due(at(65)), None);
        assert!(!flapping.is_quiet(at(65)), "ten quiet minutes come first");
        assert_eq!(flapping.due(at(70)), None);
        assert!(flapping.is_quiet(at(70)) && flapping.changed(at(70)), "it is logged as at first");
    }

    #[test]
    fn an_outage_is_logged_with_its_end() {
        for minutes in [1, 5, 9, 10, 11, 500] {
            let mut flapping = Flapping::default();
            assert!(flapping.changed(at(0)) && flapping.changed(at(minutes)), "{minutes}");
            assert_eq!(flapping.due(at(minutes + 10)), None);
        }
    }
}

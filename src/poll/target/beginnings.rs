//! Totals that have just begun. Prometheus counts what a series grows by, not what it begins with: the first events of a key
//! would be in no `increase`. So a total is shown as it was before them, 0 or what a key had when it lost its series, for
//! long enough that a scraper sees it. What the ledger counts is not touched.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::Tick;
use crate::ledger::sum::split;
use crate::sample::Sample;
use crate::snapshot::{Beginning, Hold};
use crate::window::Grid;

/// Two scrapes of the longest usual interval see it.
const SHORTEST: Duration = Duration::from_secs(2 * 60);
/// The page must not lag behind for longer.
const LONGEST: Duration = Duration::from_secs(5 * 60);

#[derive(Debug)]
pub(super) struct Beginnings {
    hold: Hold,
    /// Whether nothing was counted before and the process is new: its first windows are of a time before it, of which
    /// nobody expects that they are in what Prometheus counts.
    is_first: bool,
    list: Arc<Vec<Beginning>>,
}

impl Beginnings {
    /// None yet, of a target of which something `is_known` by now.
    pub(super) fn new(hold: Hold, is_known: bool, now: Tick) -> Self {
        Self { hold, is_first: !is_known && now < Tick::default() + SHORTEST, list: Arc::default() }
    }

    pub(super) fn shown(&self) -> Arc<Vec<Beginning>> {
        Arc::clone(&self.list)
    }

    fn until(&self, grid: Grid, now: Tick) -> Option<Tick> {
        match self.hold {
            Hold::No => None,
            Hold::AWindow => Some(now + grid.length().clamp(SHORTEST, LONGEST)),
        }
    }

    /// All of `totals` begin at zero.
    pub(super) fn all(&mut self, totals: &[Sample], grid: Grid, now: Tick) {
        if self.is_first {
            return;
        }
        let begin = |until| (0..totals.len()).map(|position| Beginning { position, before: 0.0, until }).collect();
        self.list = Arc::new(self.until(grid, now).map(begin).unwrap_or_default());
    }

    /// Takes in that the totals `before` have become `after`, by what was `added`; both are in the order of a page.
    pub(super) fn go_on(
        &mut self,
        before: &[Sample],
        after: &[Sample],
        added: &[(String, u64)],
        grid: Grid,
        now: Tick,
    ) {
        if std::mem::take(&mut self.is_first) {
            return;
        }
        let Some(until) = self.until(grid, now) else { return };
        let mut known = self.list.iter().filter(|beginning| now < beginning.until).peekable();
        let mut old = before.iter().enumerate().peekable();
        let mut increments = None;
        let mut list = Vec::new();
        for (position, sample) in after.iter().enumerate() {
            while old.next_if(|(_, other)| order(other, sample) == Ordering::Less).is_some() {}
            match old.next_if(|(_, other)| order(other, sample) == Ordering::Equal) {
                Some((was, _)) => {
                    while known.next_if(|beginning| beginning.position < was).is_some() {}
                    let held = known.next_if(|beginning| beginning.position == was);
                    list.extend(held.map(|beginning| Beginning { position, ..*beginning }));
                }
                None => {
                    let increments: &HashMap<_, u64> = increments
                        .get_or_insert_with(|| added.iter().map(|(name, count)| (split(name), *count)).collect());
                    let counter = sample.family.counter.as_deref().unwrap_or_default();
                    let key = sample.labels.last().map(|(_, key)| &**key);
                    let more = increments.get(&(counter, key)).or_else(|| increments.get(&(counter, None)));
                    let before = (sample.value - more.copied().unwrap_or(0) as f64).max(0.0);
                    // Late events are in no increment, and a total of which they are all begins with them.
                    let before = if more.is_none() { 0.0 } else { before };
                    list.push(Beginning { position, before, until });
                }
            }
        }
        self.list = Arc::new(list);
    }
}

/// As [`crate::sample::Metrics::totals`] sorts them: by family and key.
fn order(one: &Sample, other: &Sample) -> Ordering {
    one.family.name.cmp(&other.family.name).then_with(|| one.labels.cmp(&other.labels))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::Family;

    fn totals(values: &[(&str, f64)]) -> Vec<Sample> {
        let family = Arc::new(Family { name: "x_total".into(), help: String::new(), counter: Some("x".into()) });
        let label = |key: &str| vec![("policy".into(), key.into())];
        values
            .iter()
            .map(|(key, value)| Sample { family: Arc::clone(&family), labels: label(key), value: *value })
            .collect()
    }

    fn added(counts: &[(&str, u64)]) -> Vec<(String, u64)> {
        counts.iter().map(|(key, count)| (crate::ledger::sum::joined("x", key), *count)).collect()
    }

    #[test]
    fn a_key_is_shown_as_it_was_before_its_first_events() {
        let grid = Grid::try_new(Duration::from_secs(60)).unwrap();
        let at = |seconds| Tick::default() + Duration::from_secs(seconds);
        let mut beginnings = Beginnings::new(Hold::AWindow, true, Tick::default());
        let first = totals(&[("b", 50.0)]);
        beginnings.go_on(&[], &first, &added(&[("b", 50)]), grid, at(0));
        let seen = |beginnings: &Beginnings| {
            beginnings.shown().iter().map(|one| (one.position, one.before, one.until)).collect::<Vec<_>>()
        };
        assert_eq!(seen(&beginnings), [(0, 0.0, at(120))]);
        // Another comes before it, with what it had when it lost its series; the first keeps its time.
        let second = totals(&[("a", 1007.0), ("b", 60.0)]);
        beginnings.go_on(&first, &second, &added(&[("a", 7), ("b", 10)]), grid, at(60));
        assert_eq!(seen(&beginnings), [(0, 1000.0, at(180)), (1, 0.0, at(120))]);
        let third = totals(&[("a", 1007.0), ("b", 70.0)]);
        beginnings.go_on(&second, &third, &added(&[("b", 10)]), grid, at(120));
        assert_eq!(seen(&beginnings), [(0, 1000.0, at(180))]);
        beginnings.go_on(&third, &third, &[], grid, at(180));
        assert_eq!(seen(&beginnings), []);
    }

    #[test]
    fn late_events_of_a_new_row_begin_at_zero_and_long_windows_hold_for_five_minutes() {
        let mut beginnings = Beginnings::new(Hold::AWindow, true, Tick::default());
        beginnings.go_on(&[], &totals(&[("other", 3.0)]), &[], Grid::HOURS, Tick::default());
        assert_eq!(*beginnings.shown(), [Beginning { position: 0, before: 0.0, until: Tick::default() + LONGEST }]);
        beginnings.all(&totals(&[("a", 0.0), ("b", 0.0)]), Grid::HOURS, Tick::default());
        assert_eq!(beginnings.shown().len(), 2);
        let mut never = Beginnings::new(Hold::No, true, Tick::default());
        never.go_on(&[], &totals(&[("a", 1.0)]), &added(&[("a", 1)]), Grid::HOURS, Tick::default());
        assert!(never.shown().is_empty());
    }

    #[test]
    fn what_a_new_process_counts_first_is_of_a_time_before_it() {
        let (grid, at) = (Grid::HOURS, |seconds| Tick::default() + Duration::from_secs(seconds));
        let (first, second) = (totals(&[("a", 5.0)]), totals(&[("a", 9.0), ("b", 1.0)]));
        let mut beginnings = Beginnings::new(Hold::AWindow, false, at(1));
        beginnings.all(&[], grid, at(1));
        beginnings.go_on(&[], &first, &added(&[("a", 5)]), grid, at(3));
        assert!(beginnings.shown().is_empty());
        beginnings.go_on(&first, &second, &added(&[("a", 4), ("b", 1)]), grid, at(60));
        assert_eq!(beginnings.shown().len(), 1, "a key that comes later begins at zero");
        let mut later = Beginnings::new(Hold::AWindow, false, at(600));
        later.all(&first, grid, at(600));
        assert_eq!(later.shown().len(), 1, "a group that a reload brings");
    }
}

//! Totals that have just begun. Prometheus counts what a series grows by, not what it begins with: the first events of a key
//! would be in no `increase`. So a total is shown as it was before them, 0 or what a key had when it lost its series, for
//! long enough that a scraper sees it. The ledger keeps what is shown meanwhile, so that a restart shows it too; its counts
//! are not touched.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use super::{NOT_WRITTEN_WAIT, Target};
use crate::base::clock::{Tick, Timestamp};
use crate::base::window::{Grid, Window};
use crate::ledger::{Begun, CommitError, HoldEnds, Ledger};
use crate::poll::resume_point::Moment;
use crate::sample::Sample;
use crate::snapshot::{Beginning, Hold};
use crate::store::SumKey;

/// Two scrapes of the longest usual interval see it.
const SHORTEST: Duration = Duration::from_secs(2 * 60);
/// The page must not lag behind for longer.
const LONGEST: Duration = Duration::from_secs(5 * 60);
/// A window that is counted so shortly before the end is the end: it is written down in any case.
const EARLY: Duration = Duration::from_secs(10);
/// How long after the end such a window is waited for before the end is written down alone.
const LATE: Duration = Duration::from_secs(30);

#[derive(Debug)]
pub(super) struct Beginnings {
    hold: Hold,
    /// Whether nothing was counted before and the process is new: its first windows are of a time before it, which no
    /// `increase` is expected to contain. Not for long: an appliance that answers later is counted from then on.
    is_first: bool,
    held: BTreeMap<SumKey, Held>,
    /// When those end that are written: a reload would begin their time again and again.
    ends: HoldEnds,
    list: Arc<Vec<Beginning>>,
}

/// A total that is shown as it was before.
#[derive(Clone, Copy, Debug)]
struct Held {
    before: u64,
    until: Tick,
    /// Whether the ledger holds it too; if not, nothing is counted that a restart could show.
    is_written: bool,
}

impl Default for Beginnings {
    /// None, and none ever.
    fn default() -> Self {
        Self { hold: Hold::No, is_first: false, held: BTreeMap::new(), ends: HoldEnds::default(), list: Arc::default() }
    }
}

impl Beginnings {
    /// None yet, of a target of which something `is_known` by now.
    pub(super) fn new(hold: Hold, is_known: bool, now: Tick) -> Self {
        Self { hold, is_first: !is_known && now < Tick::default() + SHORTEST, ..Self::default() }
    }

    /// The same, where `ends` are known from before a reload.
    fn with_ends(self, ends: HoldEnds) -> Self {
        Self { ends, ..self }
    }

    pub(super) fn shown(&self) -> Arc<Vec<Beginning>> {
        Arc::clone(&self.list)
    }

    fn is_off(&self, now: Tick) -> bool {
        self.hold == Hold::No || (self.is_first && now < Tick::default() + SHORTEST)
    }

    /// All of `totals` begin at zero, and nothing is counted yet.
    pub(super) fn all(&mut self, totals: &[Sample], grid: Grid, now: Tick) {
        self.held.clear();
        if !self.is_off(now) {
            let held = Held { before: 0, until: now + time(grid), is_written: false };
            self.held.extend(totals.iter().map(|sample| (sums_of(sample).0, held)));
        }
        self.list(totals);
    }

    /// What a window that counts `increments` and begins `at` changes, where `totals` are shown.
    pub(super) fn begun(&self, totals: &[Sample], increments: &[(SumKey, u64)], at: Timestamp, now: Tick) -> Begun {
        if self.is_off(now) {
            return Begun { at: Some(at), ..Begun::default() };
        }
        let is_over = |held: &Held| held.until <= now + EARLY;
        let over = self.held.iter().filter(|(_, held)| is_over(held)).map(|(sum, _)| sum.clone()).collect();
        let shown: HashSet<(&str, Option<&str>)> =
            totals.iter().map(parts).flat_map(|(counter, key)| [(counter, key), (counter, None)]).collect();
        let is_new = |sum: &SumKey| match self.held.get(sum) {
            Some(held) => !is_over(held),
            None => !shown.contains(&(sum.counter(), sum.key())),
        };
        let new = increments.iter().filter(|(sum, _)| is_new(sum)).map(|(sum, _)| sum.clone()).collect();
        Begun { new, over, at: Some(at) }
    }

    /// Takes in what the ledger holds now: sums that have begun, and what each was before.
    pub(super) fn go_on(&mut self, beginning: &BTreeMap<SumKey, u64>, totals: &[Sample], grid: Grid, now: Tick) {
        self.is_first = false;
        if self.hold == Hold::No {
            return;
        }
        self.held.retain(|sum, held| beginning.contains_key(sum) || (!held.is_written && held.until > now));
        let mut ends = self.ends.lock().unwrap_or_else(PoisonError::into_inner);
        ends.retain(|sum, _| beginning.contains_key(sum));
        for (sum, before) in beginning {
            let shown_until = self.held.get(sum).map(|held| held.until);
            let until = *ends.entry(sum.clone()).or_insert_with(|| shown_until.unwrap_or(now + time(grid)));
            self.held.entry(sum.clone()).or_insert(Held { before: *before, until, is_written: true }).is_written = true;
        }
        drop(ends);
        self.list(totals);
    }

    /// When something is to be done about the first of them.
    pub(super) fn due(&self) -> Option<Tick> {
        self.held.values().map(|held| if held.is_written { held.until + LATE } else { held.until }).min()
    }

    /// Those whose end is to be written down.
    pub(super) fn ended(&self, now: Tick) -> Vec<SumKey> {
        let written = self.held.iter().filter(|(_, held)| held.is_written && held.until <= now);
        written.map(|(sum, _)| sum.clone()).collect()
    }

    /// Ends those that need not be written down. Tells whether there were any.
    pub(super) fn end_unwritten(&mut self, totals: &[Sample], now: Tick) -> bool {
        let before = self.held.len();
        self.held.retain(|_, held| held.is_written || held.until > now);
        self.list(totals);
        self.held.len() < before
    }

    /// Puts off ends that could not be written down.
    pub(super) fn wait(&mut self, until: Tick) {
        self.held.values_mut().for_each(|held| held.until = held.until.max(until));
    }

    /// Makes the list of those that are held among `totals`.
    fn list(&mut self, totals: &[Sample]) {
        let held = |sample: &Sample| {
            let (own, of_all) = sums_of(sample);
            self.held.get(&own).or_else(|| self.held.get(&of_all))
        };
        let list: Vec<Beginning> = match self.held.is_empty() {
            true => Vec::new(),
            false => (totals.iter().enumerate())
                .filter_map(|(position, sample)| Some(Beginning { position, before: held(sample)?.before as f64 }))
                .collect(),
        };
        self.list = Arc::new(list);
    }
}

impl Target {
    /// The same, with totals that begin from `now` on shown as `hold` says.
    pub(in crate::poll) fn holding(mut self, hold: Hold, ledger: &Ledger, now: Tick) -> Self {
        let is_known = self.since.is_some();
        self.beginnings = Beginnings::new(hold, is_known, now).with_ends(ledger.hold_ends(&self.key));
        if is_known {
            self.beginnings.go_on(&ledger.beginning(&self.key), &self.totals, self.requested_grid(), now);
        } else {
            self.beginnings.all(&self.totals, self.requested_grid(), now);
        }
        self
    }

    /// The totals that begin with `increments`, and those that have begun long enough ago.
    pub(in crate::poll) fn begun(&self, window: Window, increments: &[(SumKey, u64)], now: Moment) -> Begun {
        // By our clock, for a scraper compares it with the times of its samples.
        let at = now.wall - now.appliance.since(window.start());
        self.beginnings.begun(&self.totals, increments, at, now.tick)
    }

    /// When something is to be done about totals that have begun; none while a window may do it.
    pub(in crate::poll) fn beginnings_due(&self) -> Option<Tick> {
        self.beginnings.due().filter(|_| !self.in_flight)
    }

    /// The sums of those that have begun long enough ago, which is to be written down, and whether others are shown with
    /// all that was counted from now on.
    pub(in crate::poll) fn end_beginnings(&mut self, now: Tick) -> (Vec<SumKey>, bool) {
        let is_different = self.beginnings.end_unwritten(&self.totals, now);
        (self.beginnings.ended(now), is_different)
    }

    /// Takes in that totals are shown with all that was counted, if that is written down. Were they seen so before, and
    /// without it after a crash, the return of what was counted would look like so many new events.
    pub(in crate::poll) fn beginnings_ended(&mut self, ledger: &Ledger, outcome: &Result<(), CommitError>, now: Tick) {
        match outcome {
            Ok(()) => self.beginnings.go_on(&ledger.beginning(&self.key), &self.totals, self.requested_grid(), now),
            Err(_) => self.beginnings.wait(now + NOT_WRITTEN_WAIT),
        }
    }
}

/// How long a total is shown as it was before.
fn time(grid: Grid) -> Duration {
    grid.length().clamp(SHORTEST, LONGEST)
}

/// The counter of a total, and its key if it has one.
fn parts(sample: &Sample) -> (&str, Option<&str>) {
    (sample.family.counter.as_deref().unwrap_or_default(), sample.labels.last().map(|(_, key)| &**key))
}

/// The sum of a total, and the one that it is where its label is no key.
fn sums_of(sample: &Sample) -> (SumKey, SumKey) {
    let counter = sample.family.counter.clone().unwrap_or_default();
    let key = sample.labels.last().map(|(_, key)| Arc::clone(key));
    (SumKey::new(Arc::clone(&counter), key), SumKey::whole(counter))
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

    fn named<T: Copy>(counts: &[(&str, T)]) -> Vec<(SumKey, T)> {
        counts.iter().map(|(key, count)| (SumKey::keyed("x", *key), *count)).collect()
    }

    fn ledger(counts: &[(&str, u64)]) -> BTreeMap<SumKey, u64> {
        named(counts).into_iter().collect()
    }

    fn seen(beginnings: &Beginnings) -> Vec<(usize, f64)> {
        beginnings.shown().iter().map(|one| (one.position, one.before)).collect()
    }

    fn at(seconds: u64) -> Tick {
        Tick::default() + Duration::from_secs(seconds)
    }

    fn begun(beginnings: &Beginnings, totals: &[Sample], increments: &[(SumKey, u64)], now: Tick) -> Begun {
        let at = Timestamp::from_secs(60);
        let begun = beginnings.begun(totals, increments, at, now);
        assert_eq!(begun.at, Some(at));
        Begun { at: None, ..begun }
    }

    fn minutes() -> Grid {
        Grid::try_new(Duration::from_secs(60)).unwrap()
    }

    fn sums(keys: &[&str]) -> Vec<SumKey> {
        keys.iter().map(|key| SumKey::keyed("x", *key)).collect()
    }

    #[test]
    fn a_key_is_shown_as_it_was_before_its_first_events_until_a_later_window_ends_that() {
        let mut beginnings = Beginnings::new(Hold::AWindow, true, at(0));
        let changes = begun(&beginnings, &[], &named(&[("b", 50)]), at(0));
        assert_eq!(changes, Begun { new: sums(&["b"]), over: vec![], at: None });
        let first = totals(&[("b", 50.0)]);
        beginnings.go_on(&ledger(&[("b", 0)]), &first, minutes(), at(0));
        assert_eq!(seen(&beginnings), [(0, 0.0)]);
        // Another comes before it, with what it had when it lost its series; the first keeps its time.
        let changes = begun(&beginnings, &first, &named(&[("a", 7), ("b", 10)]), at(60));
        assert_eq!(changes, Begun { new: sums(&["a", "b"]), over: vec![], at: None });
        let second = totals(&[("a", 1007.0), ("b", 60.0)]);
        beginnings.go_on(&ledger(&[("a", 1000), ("b", 0)]), &second, minutes(), at(60));
        assert_eq!(seen(&beginnings), [(0, 1000.0), (1, 0.0)]);
        let changes = begun(&beginnings, &second, &named(&[("b", 10)]), at(115));
        assert_eq!(changes, Begun { new: vec![], over: sums(&["b"]), at: None });
        beginnings.go_on(&ledger(&[("a", 1000)]), &totals(&[("a", 1007.0), ("b", 70.0)]), minutes(), at(116));
        assert_eq!(seen(&beginnings), [(0, 1000.0)]);
        assert_eq!(begun(&beginnings, &second, &named(&[("b", 10)]), at(150)), Begun::default());
    }

    #[test]
    fn reloads_do_not_put_off_the_end() {
        let (ends, shown) = (HoldEnds::default(), totals(&[("a", 5.0)]));
        for seconds in [0, 48, 96] {
            let mut beginnings = Beginnings::new(Hold::AWindow, true, at(seconds)).with_ends(Arc::clone(&ends));
            beginnings.go_on(&ledger(&[("a", 0)]), &shown, minutes(), at(seconds));
            assert_eq!((beginnings.ended(at(119)), beginnings.ended(at(120))), (sums(&[]), sums(&["a"])));
        }
        let mut ended = Beginnings::new(Hold::AWindow, true, at(130)).with_ends(Arc::clone(&ends));
        ended.go_on(&ledger(&[]), &shown, minutes(), at(130));
        assert!(ends.lock().unwrap().is_empty());
    }

    #[test]
    fn where_no_window_comes_the_end_is_written_down_alone_and_shown_no_sooner() {
        let mut beginnings = Beginnings::new(Hold::AWindow, true, at(0));
        let shown = totals(&[("a", 5.0)]);
        beginnings.go_on(&ledger(&[("a", 0)]), &shown, Grid::HOURS, at(0));
        assert_eq!(beginnings.due(), Some(at(330)));
        assert_eq!(beginnings.ended(at(299)), sums(&[]));
        assert_eq!(beginnings.ended(at(330)), sums(&["a"]));
        assert!(!beginnings.end_unwritten(&shown, at(330)));
        assert_eq!(seen(&beginnings), [(0, 0.0)]);
        beginnings.wait(at(340));
        assert_eq!((beginnings.due(), seen(&beginnings)), (Some(at(370)), vec![(0, 0.0)]));
        beginnings.go_on(&ledger(&[]), &shown, Grid::HOURS, at(371));
        assert_eq!((beginnings.due(), seen(&beginnings)), (None, vec![]));
    }

    #[test]
    fn totals_of_which_nothing_is_counted_end_without_being_written() {
        let mut beginnings = Beginnings::new(Hold::AWindow, true, at(0));
        let zeros = totals(&[("a", 0.0), ("b", 0.0)]);
        beginnings.all(&zeros, minutes(), at(0));
        assert_eq!(seen(&beginnings), [(0, 0.0), (1, 0.0)]);
        // What is counted meanwhile is held by the ledger from then on.
        assert_eq!(begun(&beginnings, &zeros, &named(&[("a", 5)]), at(30)).new, sums(&["a"]));
        let counted = totals(&[("a", 5.0), ("b", 0.0)]);
        beginnings.go_on(&ledger(&[("a", 0)]), &counted, minutes(), at(30));
        assert_eq!(seen(&beginnings), [(0, 0.0), (1, 0.0)]);
        assert!(beginnings.end_unwritten(&counted, at(120)));
        assert_eq!(seen(&beginnings), [(0, 0.0)]);
        assert_eq!(beginnings.ended(at(150)), sums(&["a"]));
    }

    #[test]
    fn what_a_new_process_counts_first_is_of_a_time_before_it() {
        let (first, second) = (totals(&[("a", 5.0)]), totals(&[("a", 9.0), ("b", 1.0)]));
        let mut beginnings = Beginnings::new(Hold::AWindow, false, at(1));
        beginnings.all(&[], Grid::HOURS, at(1));
        assert_eq!(begun(&beginnings, &[], &named(&[("a", 5)]), at(3)), Begun::default());
        beginnings.go_on(&ledger(&[]), &first, Grid::HOURS, at(3));
        let changes = begun(&beginnings, &first, &named(&[("a", 4), ("b", 1)]), at(60));
        assert_eq!(changes.new, sums(&["b"]), "a key that comes later begins at zero");
        let mut later = Beginnings::new(Hold::AWindow, false, at(600));
        later.all(&second, Grid::HOURS, at(600));
        assert_eq!(later.shown().len(), 2, "a group that a reload brings");
        let mut never = Beginnings::new(Hold::No, true, at(0));
        assert_eq!(begun(&never, &[], &named(&[("a", 1)]), at(0)), Begun::default());
        never.go_on(&ledger(&[("a", 0)]), &first, Grid::HOURS, at(0));
        assert!(never.shown().is_empty());
    }
}

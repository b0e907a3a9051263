//! The totals of one key of the ledger, and the arithmetic on them. Pure: knows nothing of locks or disks.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::day::{self, add};
use super::difference::{Difference, Part};
use crate::base::clock::Timestamp;
use crate::base::window::{Grid, Window};
use crate::store::{Day, OTHER, Record, Retired, SumKey, Summed};

/// The largest total: 2^53, up to which a page shows every whole number exactly. A report that would lead beyond it
/// cannot be right: the bytes of ten gigabits a second take 80 days to get there, messages far longer.
const LARGEST_TOTAL: u64 = 1 << 53;

/// The totals of one key of the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CounterState {
    /// The end of the last window counted.
    pub watermark: Timestamp,
    /// When the totals began at zero.
    pub epoch: Timestamp,
    /// Sums since then; one that is not here is zero.
    pub totals: BTreeMap<SumKey, u64>,
    /// Their parts in the days that may still be compared with the appliance's own report, oldest first.
    pub days: Vec<Day>,
    /// The keys with totals of their own, and the end of the last window whose report listed them, in seconds since 1970.
    pub seen: BTreeMap<String, u64>,
    /// Keys that have given up their series, with the totals that they continue from when they return.
    pub retired: BTreeMap<String, Retired>,
    /// Sums that have just begun, and what each was before: what is shown until a scraper has seen it.
    pub beginning: BTreeMap<SumKey, u64>,
    /// When the sums without a key began, in seconds since 1970 by our clock; none where that is not known.
    pub created: Option<u64>,
    /// The same of the sums of each key.
    pub keys_created: BTreeMap<String, u64>,
    /// The counters that were summed in the last window; none in a record of an older version.
    pub summed: Option<Arc<Summed>>,
}

/// The increments of one window.
#[derive(Clone, Copy, Debug)]
pub struct Counts<'a> {
    /// A key that is listed here, even with zero, was in the report.
    pub increments: &'a [(SumKey, u64)],
    /// Keys that give up their series to others.
    pub retired: &'a [String],
    /// The counters that are summed.
    pub summed: &'a Arc<Summed>,
    /// Sums that begin, and those that no longer do.
    pub begun: &'a Begun,
}

/// Changes that a window makes to sums that have just begun.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Begun {
    /// Those that begin with it, if it adds to them.
    pub new: Vec<SumKey>,
    /// Those that were shown as they were before for long enough.
    pub over: Vec<SumKey>,
    /// The start of the window by our clock; none where that is not known.
    pub at: Option<Timestamp>,
}

/// The outcome of adding a report.
#[derive(Debug, Default)]
pub(super) struct Added {
    /// The part of the report that was added to each sum, where that is not all that the report says, since a part of its time was counted before.
    pub(super) lacked: Option<Vec<(SumKey, u64)>>,
    /// Events that were counted before and are in the report no more.
    pub(super) surplus: u64,
    /// Increments that were not added, because their total would be too large.
    pub(super) too_large: u64,
}

impl CounterState {
    pub(super) fn new(watermark: Timestamp, epoch: Timestamp) -> Self {
        Self {
            watermark,
            epoch,
            totals: BTreeMap::new(),
            days: Vec::new(),
            seen: BTreeMap::new(),
            retired: BTreeMap::new(),
            beginning: BTreeMap::new(),
            created: None,
            keys_created: BTreeMap::new(),
            summed: None,
        }
    }

    /// Takes over a record. One of an older version does not say when a key was last seen: with its last window, then.
    pub(super) fn restored(record: Record) -> Self {
        let Record { watermark, epoch, totals, days, mut seen, retired, mut beginning, created, keys_created, summed } =
            record;
        beginning.retain(|sum, _| totals.contains_key(sum));
        for key in totals.keys().filter_map(SumKey::key).filter(|key| *key != OTHER) {
            if !seen.contains_key(key) {
                seen.insert(key.to_owned(), watermark);
            }
        }
        let (watermark, epoch) = (Timestamp::from_secs(watermark), Timestamp::from_secs(epoch));
        let summed = summed.map(Arc::new);
        Self { watermark, epoch, totals, days, seen, retired, beginning, created, keys_created, summed }
    }

    pub(super) fn record(&self) -> Record {
        Record {
            watermark: self.watermark.as_secs(),
            epoch: self.epoch.as_secs(),
            totals: self.totals.clone(),
            days: self.days.clone(),
            seen: self.seen.clone(),
            retired: self.retired.clone(),
            beginning: self.beginning.clone(),
            created: self.created,
            keys_created: self.keys_created.clone(),
            summed: self.summed.as_deref().cloned(),
        }
    }

    /// Adds `window` and moves the watermark to its end. Of an hour that has begun only what the report has beyond that.
    pub(super) fn count(&mut self, window: Window, counts: &Counts<'_>) -> Added {
        let (from, to) = (window.start(), window.end());
        if self.watermark < from {
            day::break_stretch(&mut self.days);
        }
        self.watermark = to;
        let (added, entries) = self.add_report(window, counts);
        if day::counted(&mut self.days, from, to, &entries) {
            self.remember_own(&entries);
        }
        day::forget(&mut self.days, to);
        // The total of a key without a series is kept for as long as a late row may name it. After that the key begins at
        // zero if it returns; its series has ended long before.
        let known = self.retired.len();
        self.retired.retain(|_, key| day::adds_until(Timestamp::from_secs(key.seen)) > to);
        if self.retired.len() < known {
            self.keys_created.retain(|key, _| self.seen.contains_key(key) || self.retired.contains_key(key));
        }
        added
    }

    /// Adds what the report of `hour`, which is not over, has beyond what was counted of it. The watermark stays.
    pub(super) fn count_running(&mut self, hour: Window, until: Timestamp, counts: &Counts<'_>) -> Added {
        let (added, entries) = self.add_report(hour, counts);
        day::running(&mut self.days, hour.start(), until, &entries);
        self.remember_own(&entries);
        added
    }

    /// The hour that was counted in part while it ran and is not closed, and the latest time of the appliance at which it was
    /// reported.
    #[must_use]
    pub fn running(&self) -> Option<(Window, Timestamp)> {
        let hour = Grid::HOURS.containing(self.watermark);
        let until = day::with_open_hour(&self.days, hour.start())?.open_until?;
        Some((hour, Timestamp::from_secs(until)))
    }

    /// Whether `window` begins at the watermark, behind a gap, or with the hour in which the watermark lies where what was
    /// counted of that is known. A part of an hour that was counted while it was running cannot be told from the rest of it.
    pub(super) fn can_count(&self, window: Window) -> bool {
        let start = window.start();
        let hours = start + Grid::HOURS.length() <= window.end() && Grid::HOURS.floor(start) == start;
        let has_run = self.running().is_some();
        match self.watermark.cmp(&start) {
            Ordering::Less => true,
            Ordering::Equal => hours || !has_run,
            Ordering::Greater => hours && self.knows_of(window),
        }
    }

    /// Whether all that was counted after `hour` began is known, so that a report of the whole hour can be added.
    pub(super) fn knows_of(&self, hour: Window) -> bool {
        self.watermark == hour.start()
            || (Grid::HOURS.floor(self.watermark) == hour.start()
                && day::with_open_hour(&self.days, hour.start()).is_some())
    }

    /// Adds to the totals what the report of `window` has beyond what was counted of it. Returns what became of that, and
    /// what was added to each sum.
    fn add_report(&mut self, window: Window, counts: &Counts<'_>) -> (Added, Vec<(SumKey, u64)>) {
        if self.totals.is_empty() {
            self.created = counts.begun.at.map(Timestamp::as_secs);
        }
        // Series are given up before the rows are seen: a key that does both in one report gets its total back. A key has to
        // be dated before it is seen, which makes it a known one.
        self.sum_from_now_on(counts.summed);
        self.retire(counts.retired);
        self.end_beginnings(&counts.begun.over);
        for key in counts.increments.iter().filter_map(|(sum, _)| sum.key()) {
            self.date(key, counts.begun.at);
            self.see(key, window.end());
        }
        // The hour was counted for the counters that are summed now, whichever were summed before.
        let open = day::with_open_hour(&self.days, window.start()).filter(|day| !day.open.is_empty());
        let found = open.map(|day| Part::open(day, &self.retired).compare(counts.increments, |_| true));
        let surplus = found.as_ref().map_or(0, |found| found.surplus);
        let mut credits = found.map(|found| found.credits.into_iter().collect::<BTreeMap<SumKey, u64>>());
        let lacked = credits.as_ref().map(|credits| credits.clone().into_iter().collect());
        let mut entries: Vec<(SumKey, u64)> = Vec::with_capacity(counts.increments.len());
        for (sum, count) in counts.increments {
            let count = credits.as_mut().map_or(*count, |credits| credits.remove(sum).unwrap_or(0));
            entries.push((sum.clone(), count));
        }
        // What was folded into `other` before, and is in rows of their own now.
        entries.extend(credits.into_iter().flatten());
        let new: BTreeSet<&SumKey> = counts.begun.new.iter().collect();
        let wanted = entries.len();
        // The entries go into the day as well. What is not in the totals must not be there either: the comparison with the
        // report would take it for counted.
        entries.retain(|(sum, count)| {
            if new.contains(sum) {
                self.begin(sum);
            }
            self.add(sum, *count)
        });
        (Added { lacked, surplus, too_large: (wanted - entries.len()) as u64 }, entries)
    }

    /// Takes note of when the sums of `key` begin, unless they have begun.
    fn date(&mut self, key: &str, at: Option<Timestamp>) {
        if let Some(at) = at
            && !self.seen.contains_key(key)
            && !self.retired.contains_key(key)
        {
            self.keys_created.insert(key.to_owned(), at.as_secs());
        }
    }

    /// Takes note that `sum` begins with what is about to be added.
    fn begin(&mut self, sum: &SumKey) {
        let before = self.totals.get(sum).copied().unwrap_or(0);
        self.beginning.entry(sum.clone()).or_insert(before);
    }

    /// From now on `sums` are shown with all that was counted.
    pub(super) fn end_beginnings(&mut self, sums: &[SumKey]) {
        for sum in sums {
            self.beginning.remove(sum);
        }
    }

    /// Compares `report` with what was counted of the stretch `hours`; none if those are not the hours of a stretch.
    pub(super) fn compare(&self, hours: Window, report: &[(SumKey, u64)]) -> Option<Difference> {
        let day = self.days.iter().find(|day| is_of(day, hours))?;
        Some(Part::closed(day, &self.retired).compare(report, |counter| self.is_comparable(day, counter)))
    }

    /// Adds the late events that a comparison of `hours` found. Returns how many of them, and how many sums would have
    /// become too large.
    pub(super) fn add_late(&mut self, hours: Window, credits: &[(SumKey, u64)]) -> (u64, u64) {
        let (mut late, mut too_large) = (0, 0);
        for (sum, count) in credits {
            if !self.totals.contains_key(sum) {
                self.begin(sum);
            }
            if !self.add(sum, *count) {
                too_large += 1;
                continue;
            }
            late += count;
            // Into the day in which they happened too, so that the next comparison finds nothing that is missing.
            if let Some(day) = self.days.iter_mut().find(|day| is_of(day, hours)) {
                add(&mut day.closed, sum, *count);
            }
            if let Some(key) = sum.key()
                && !self.seen.contains_key(key)
            {
                self.see(key, hours.end());
            }
        }
        (late, too_large)
    }

    /// Whether `counter` was summed during all of `day`.
    fn is_comparable(&self, day: &Day, counter: &str) -> bool {
        match (&day.summed, &self.summed) {
            (Some(summed), _) => summed.contains(counter),
            (None, Some(summed)) => summed.contains(counter),
            // A record of an older version: what it counted was summed.
            (None, None) => day.closed.keys().chain(day.open.keys()).any(|sum| sum.counter() == counter),
        }
    }

    /// Takes note of which counters are summed from the next window on: days that are known by now were counted under
    /// the previous set, and the current day is complete only for the counters in both sets.
    fn sum_from_now_on(&mut self, summed: &Arc<Summed>) {
        let before = self.summed.replace(Arc::clone(summed));
        if before.as_ref().is_some_and(|before| Arc::ptr_eq(before, summed) || before == summed) {
            return;
        }
        let newest = self.days.len().checked_sub(1);
        for (position, day) in self.days.iter_mut().enumerate() {
            let counted = || day.closed.keys().chain(day.open.keys()).map(|sum| sum.counter().to_owned());
            let of_day = match (day.summed.take(), &before) {
                (Some(of_day), _) => of_day,
                (None, Some(before)) => Summed::clone(before),
                (None, None) => Summed { counters: counted().collect(), others: false },
            };
            let goes_on = Some(position) == newest && !day::is_over(day);
            day.summed = Some(if goes_on { of_day.and(summed) } else { of_day });
        }
    }

    /// Takes note that a report of a window that ends at `to` lists `key`.
    fn see(&mut self, key: &str, to: Timestamp) {
        if key == OTHER {
            return;
        }
        if let Some(seen) = self.seen.get_mut(key) {
            *seen = to.as_secs().max(*seen);
            return;
        }
        self.seen.insert(key.to_owned(), to.as_secs());
        if let Some(Retired { totals, .. }) = self.retired.remove(key) {
            self.totals.extend(totals.into_iter().map(|(counter, total)| (SumKey::keyed(counter, key), total)));
        }
    }

    /// Takes the series of `keys` away; their totals are put aside.
    fn retire(&mut self, keys: &[String]) {
        let keys: BTreeSet<&str> = keys.iter().map(String::as_str).collect();
        if keys.is_empty() {
            return;
        }
        self.totals.retain(|sum, total| {
            let Some(key) = sum.key() else { return true };
            if keys.contains(key) {
                let seen = self.seen.get(key).copied().unwrap_or(0);
                let retired = self.retired.entry(key.to_owned()).or_insert(Retired { seen, totals: BTreeMap::new() });
                retired.totals.insert(sum.counter().to_owned(), *total);
            }
            !keys.contains(key)
        });
        self.beginning.retain(|sum, _| sum.key().is_none_or(|key| !keys.contains(key)));
        self.seen.retain(|key, _| !keys.contains(key.as_str()));
        // From now on a part of their events goes to `other`, so late ones go there as well.
        if let Some(day) = self.days.last_mut() {
            for own in [&mut day.own, &mut day.open_own].into_iter().flatten() {
                own.retain(|key| !keys.contains(key.as_str()));
            }
        }
    }

    /// With the first event of a day, or of an hour that is not over, that goes to `other`: from here on only the keys that
    /// have a series now have all of their events there.
    fn remember_own(&mut self, added: &[(SumKey, u64)]) {
        let is_folded = |(sum, count): &(SumKey, u64)| *count > 0 && sum.key() == Some(OTHER);
        let Some(day) = self.days.last_mut().filter(|_| added.iter().any(is_folded)) else { return };
        let own = || Some(self.seen.keys().cloned().collect());
        if day.own.is_none() {
            day.own = own();
        }
        if !day.open.is_empty() && day.open_own.is_none() {
            day.open_own = own();
        }
    }

    /// Adds to a total; false, and nothing is added, if it would become too large.
    fn add(&mut self, sum: &SumKey, count: u64) -> bool {
        let total = self.totals.get(sum).copied().unwrap_or(0);
        let fits = total.checked_add(count).is_some_and(|total| total <= LARGEST_TOTAL);
        if fits {
            add(&mut self.totals, sum, count);
        }
        fits
    }
}

fn is_of(day: &Day, hours: Window) -> bool {
    (day.start, day.end) == (hours.start().as_secs(), hours.end().as_secs())
}

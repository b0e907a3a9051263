//! The totals of one key of the ledger, and the arithmetic on them. Pure: knows nothing of locks or disks.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::day;
use super::sum::{OTHER, joined, split};
use crate::base::clock::Timestamp;
use crate::base::window::Window;
use crate::store::{Day, Record, Retired, Summed};

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
    /// Sums since then, by the name of the sum; one that is not here is zero.
    pub totals: BTreeMap<String, u64>,
    /// Their parts in the days that may still be compared with the appliance's own report, oldest first.
    pub days: Vec<Day>,
    /// The keys with totals of their own, and the end of the last window whose report listed them, in seconds since 1970.
    pub seen: BTreeMap<String, u64>,
    /// Keys that have given up their series, with the totals that they continue from when they return.
    pub retired: BTreeMap<String, Retired>,
    /// Sums that have just begun, and what each was before: what is shown until a scraper has seen it.
    pub beginning: BTreeMap<String, u64>,
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
    /// By the name of the sum. A key that is listed here, even with zero, was in the report.
    pub increments: &'a [(String, u64)],
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
    pub new: Vec<String>,
    /// Those that were shown as they were before for long enough.
    pub over: Vec<String>,
    /// The start of the window by our clock; none where that is not known.
    pub at: Option<Timestamp>,
}

/// The findings of a comparison.
#[derive(Debug, Default)]
pub(super) struct Difference {
    /// Events in the report that are in no window.
    pub(super) late: u64,
    /// Events in the windows that are in the report no more.
    pub(super) surplus: u64,
    /// The late events, by the sum they belong to.
    pub(super) credits: Vec<(String, u64)>,
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
        beginning.retain(|name, _| totals.contains_key(name));
        for key in totals.keys().filter_map(|name| split(name).1).filter(|key| *key != OTHER) {
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

    /// Adds a window that ends at `to` and moves the watermark there. Returns how many increments were not added because
    /// their total would be too large.
    pub(super) fn count(&mut self, from: Timestamp, to: Timestamp, counts: &Counts<'_>) -> u64 {
        self.watermark = to;
        if self.totals.is_empty() {
            self.created = counts.begun.at.map(Timestamp::as_secs);
        }
        self.sum_from_now_on(counts.summed);
        self.retire(counts.retired);
        self.end_beginnings(&counts.begun.over);
        let new: BTreeSet<&str> = counts.begun.new.iter().map(String::as_str).collect();
        let mut added = Vec::with_capacity(counts.increments.len());
        for (name, count) in counts.increments {
            if let (_, Some(key)) = split(name) {
                self.date(key, counts.begun.at);
                self.see(key, to);
            }
            if new.contains(name.as_str()) {
                self.begin(name);
            }
            if self.add(name, *count) {
                added.push((name.as_str(), *count));
            }
        }
        if day::counted(&mut self.days, from, to, &added) {
            self.remember_own(&added);
        }
        day::forget(&mut self.days, to);
        let known = self.retired.len();
        self.retired.retain(|_, key| day::can_be_compared(Timestamp::from_secs(key.seen), to));
        if self.retired.len() < known {
            self.keys_created.retain(|key, _| self.seen.contains_key(key) || self.retired.contains_key(key));
        }
        (counts.increments.len() - added.len()) as u64
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

    /// Takes note that the sum `name` begins with what is about to be added.
    fn begin(&mut self, name: &str) {
        let before = self.totals.get(name).copied().unwrap_or(0);
        self.beginning.entry(name.to_owned()).or_insert(before);
    }

    /// From now on `names` are shown with all that was counted.
    pub(super) fn end_beginnings(&mut self, names: &[String]) {
        for name in names {
            self.beginning.remove(name);
        }
    }

    /// Compares `report` with what was counted of the stretch `hours`; none if those are not the hours of a stretch.
    ///
    /// The sums over all keys of a counter are compared, because a row may have moved between `other` and a series of
    /// its own since it was counted. What is missing goes to the keys that had a series for all of that day, as far as
    /// they lack it, and else to `other`.
    pub(super) fn compare(&self, hours: Window, report: &[(String, u64)]) -> Option<Difference> {
        let day = self.day(hours)?;
        let mut rows: BTreeMap<&str, Vec<(Option<&str>, u64)>> = BTreeMap::new();
        for (name, count) in report {
            let (counter, key) = split(name);
            rows.entry(counter).or_default().push((key, *count));
        }
        let mut difference = Difference::default();
        for (counter, rows) in rows.into_iter().filter(|(counter, _)| self.is_comparable(day, counter)) {
            let reported = rows.iter().fold(0, |sum: u64, (_, count)| sum.saturating_add(*count));
            let counted = counted_of(day, counter);
            difference.surplus = difference.surplus.saturating_add(counted.saturating_sub(reported));
            let late = reported.saturating_sub(counted);
            difference.late = difference.late.saturating_add(late);
            self.credit(day, counter, &rows, late, &mut difference.credits);
        }
        Some(difference)
    }

    /// Adds the late events that a comparison of `hours` found. Returns how many of them, and how many sums would have
    /// become too large.
    pub(super) fn add_late(&mut self, hours: Window, credits: &[(String, u64)]) -> (u64, u64) {
        let (mut late, mut too_large) = (0, 0);
        for (name, count) in credits {
            if !self.totals.contains_key(name) {
                self.begin(name);
            }
            if !self.add(name, *count) {
                too_large += 1;
                continue;
            }
            late += count;
            if let Some(day) = self.days.iter_mut().find(|day| is_of(day, hours)) {
                add(&mut day.closed, name, *count);
            }
            if let (_, Some(key)) = split(name)
                && !self.seen.contains_key(key)
            {
                self.see(key, hours.end());
            }
        }
        (late, too_large)
    }

    /// Shares out `late` events of a counter.
    fn credit(
        &self,
        day: &Day,
        counter: &str,
        rows: &[(Option<&str>, u64)],
        late: u64,
        credits: &mut Vec<(String, u64)>,
    ) {
        let lacking = |(key, count): &(Option<&str>, u64)| {
            let name = match key {
                None => counter.to_owned(),
                Some(key) if self.had_own(day, key) => joined(counter, key),
                Some(_) => return None,
            };
            let lacks = count.saturating_sub(day.closed.get(&name).copied().unwrap_or(0));
            Some((name, lacks))
        };
        let mut lacking: Vec<_> = rows.iter().filter_map(lacking).filter(|(_, lacks)| *lacks > 0).collect();
        lacking.sort_by(|(name, lacks), (other, others)| others.cmp(lacks).then(name.cmp(other)));
        let mut left = late;
        for (name, lacks) in lacking {
            let share = lacks.min(left);
            if share > 0 {
                left -= share;
                credits.push((name, share));
            }
        }
        if left > 0 {
            credits.push((joined(counter, OTHER), left));
        }
    }

    /// Whether no event of `key` on `day` can be in `other`.
    fn had_own(&self, day: &Day, key: &str) -> bool {
        let since_the_day_began = day.own.as_ref().is_none_or(|own| own.contains(key));
        key != OTHER && since_the_day_began && !self.retired.contains_key(key)
    }

    /// Whether `counter` was summed during all of `day`.
    fn is_comparable(&self, day: &Day, counter: &str) -> bool {
        match (&day.summed, &self.summed) {
            (Some(summed), _) => summed.contains(counter),
            (None, Some(summed)) => summed.contains(counter),
            // A record of an older version: what it counted was summed.
            (None, None) => day.closed.keys().chain(day.open.keys()).any(|name| split(name).0 == counter),
        }
    }

    fn day(&self, hours: Window) -> Option<&Day> {
        self.days.iter().find(|day| is_of(day, hours))
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
            let counted = || day.closed.keys().chain(day.open.keys()).map(|name| split(name).0.to_owned());
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
            self.totals.extend(totals.into_iter().map(|(counter, total)| (joined(&counter, key), total)));
        }
    }

    /// Takes the series of `keys` away; their totals are put aside.
    fn retire(&mut self, keys: &[String]) {
        let keys: BTreeSet<&str> = keys.iter().map(String::as_str).collect();
        if keys.is_empty() {
            return;
        }
        self.totals.retain(|name, total| {
            let (counter, Some(key)) = split(name) else { return true };
            if keys.contains(key) {
                let seen = self.seen.get(key).copied().unwrap_or(0);
                let retired = self.retired.entry(key.to_owned()).or_insert(Retired { seen, totals: BTreeMap::new() });
                retired.totals.insert(counter.to_owned(), *total);
            }
            !keys.contains(key)
        });
        self.beginning.retain(|name, _| split(name).1.is_none_or(|key| !keys.contains(key)));
        self.seen.retain(|key, _| !keys.contains(key.as_str()));
        if let Some(own) = self.days.last_mut().and_then(|day| day.own.as_mut()) {
            own.retain(|key| !keys.contains(key.as_str()));
        }
    }

    /// With the first event of a day that goes to `other`: from here on only the keys that have a series now have all of
    /// their events there.
    fn remember_own(&mut self, added: &[(&str, u64)]) {
        let is_folded = |(name, count): &(&str, u64)| *count > 0 && split(name).1 == Some(OTHER);
        let Some(day) = self.days.last_mut().filter(|day| day.own.is_none()) else { return };
        if added.iter().any(is_folded) {
            day.own = Some(self.seen.keys().cloned().collect());
        }
    }

    /// Adds to a total; false, and nothing is added, if it would become too large.
    fn add(&mut self, name: &str, count: u64) -> bool {
        let total = self.totals.get(name).copied().unwrap_or(0);
        let fits = total.checked_add(count).is_some_and(|sum| sum <= LARGEST_TOTAL);
        if fits {
            add(&mut self.totals, name, count);
        }
        fits
    }
}

/// The sum over all keys of `counter` in the hours of `day` that are over.
fn counted_of(day: &Day, counter: &str) -> u64 {
    let of_counter = day.closed.iter().filter(|(name, _)| split(name).0 == counter);
    of_counter.fold(0, |sum, (_, count)| sum.saturating_add(*count))
}

fn is_of(day: &Day, hours: Window) -> bool {
    (day.start, day.end) == (hours.start().as_secs(), hours.end().as_secs())
}

pub(super) fn add(sums: &mut BTreeMap<String, u64>, name: &str, count: u64) {
    match sums.get_mut(name) {
        Some(sum) => *sum = sum.saturating_add(count),
        None => {
            sums.insert(name.to_owned(), count);
        }
    }
}

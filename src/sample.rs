//! Turns a report into labelled values: names and units from the catalogue, and an account of what could not be used.
//! Knows nothing of windows or of who reads the samples.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use crate::api::{Number, Reading, Report, Row, Unusable, UnusableCounts};
use crate::catalogue::{self, Aggregation, Group, Keys, ScopeKind};
use crate::store::{OTHER, SumKey, Summed};

mod column;
pub mod destinations;
mod family;
mod key;
mod status_help;
pub mod status_metrics;

use column::{Column, Naming};
pub use family::{Families, Family, Kind, MetricDef};
pub use key::KnownKeys;
pub use status_help::ABOUT_NOW;

use key::Selection;

/// Counters beyond the catalogue that are read, per group: a release adds a few, a mistake adds thousands.
const MOST_UNKNOWN: usize = 64;

/// A label and its value.
pub type Label = (Arc<str>, Arc<str>);

/// One value of a family.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// Whose.
    pub family: Arc<Family>,
    /// Its labels besides those of its scope.
    pub labels: Vec<Label>,
    /// In base units.
    pub value: f64,
}

/// The samples of one report.
#[derive(Debug, Default, PartialEq)]
pub struct Samples {
    /// The usable values.
    pub samples: Vec<Sample>,
    /// The report's own values of those that were scaled, by the position among `samples`; in their order.
    pub raw_values: Vec<(u32, f64)>,
    /// The increments of the totals.
    pub increments: Vec<(SumKey, u64)>,
    /// Counters of the catalogue that the report does not hold. Missing is not zero.
    pub missing: u64,
    /// Counters of the report that the catalogue does not hold, or that are too many.
    pub unknown: u64,
    /// Rows that have no series of their own, because there would be too many.
    pub dropped: u64,
    /// Known keys that give up their series to others.
    pub retired: Vec<String>,
    /// Values of counters of the catalogue that are not usable, and counters whose metric is another's.
    pub unusable: UnusableCounts,
}

/// The metrics of one counter group.
#[derive(Debug)]
pub struct Metrics {
    group: Arc<Group>,
    scope: ScopeKind,
    /// The labels of every sample.
    labels: Vec<Label>,
    columns: Vec<Column>,
    key_label: Arc<str>,
    has_totals: bool,
    summed: Arc<Summed>,
    limit: usize,
}

impl Metrics {
    /// The metrics of `group` in one `scope`, of `families`, which all carry `labels`; requested with `top` rows, or all, of
    /// which at most `limit` become series.
    #[must_use]
    pub fn new(
        (group, scope): (Arc<Group>, ScopeKind),
        labels: Vec<Label>,
        top: Option<usize>,
        limit: usize,
        families: &Families,
    ) -> Self {
        // The sum of a list that was cut is no sum.
        let has_totals = group.key.as_ref().is_none_or(|key| key.keys == Keys::Bounded) && top.is_none();
        let naming = Naming { group: &group, scope, has_totals };
        let numeric = group.counters.iter().filter(|counter| counter.is_numeric());
        let columns: Vec<Column> =
            numeric.map(|counter| naming.column(counter, |family| families.shared(family))).collect();
        let key_label = group.key_label().into();
        let summed = columns.iter().filter(|column| column.total.is_some()).map(|column| column.counter.to_string());
        let others = has_totals && matches!(group.others, Some((Aggregation::Sum, _)));
        let summed = Arc::new(Summed { counters: summed.collect(), others });
        Self { group, scope, labels, columns, key_label, has_totals, summed, limit }
    }

    /// The totals as samples: every additive counter of the catalogue, at zero where nothing was counted yet, and every
    /// key that was ever counted.
    #[must_use]
    pub fn totals(&self, counted: &BTreeMap<SumKey, u64>) -> Vec<Sample> {
        let counters: BTreeSet<&str> = counted.keys().map(SumKey::counter).collect();
        let families: BTreeMap<&str, Arc<Family>> =
            counters.into_iter().filter_map(|counter| Some((counter, self.total(counter)?))).collect();
        // No key is known of a keyed group before it was seen.
        let at_zero = self.columns.iter().filter(|_| self.group.key.is_none());
        let zeros = at_zero.filter_map(|column| Some((column.total.as_ref()?, None, 0)));
        let counts = counted
            .iter()
            .filter_map(|(sum, count)| Some((families.get(sum.counter())?, self.series_key(sum.shared_key()), *count)));
        // By family and key, so that no two samples are one series, whatever names they were counted by.
        let mut sums = BTreeMap::new();
        for (family, key, count) in zeros.chain(counts) {
            let (_, sum) = sums.entry((family.name.as_str(), key)).or_insert((family, 0_u64));
            *sum = sum.saturating_add(count);
        }
        sums.into_iter().map(|((_, key), (family, sum))| self.sample(family, key, sum as f64)).collect()
    }

    /// The family of the total of `counter`, known or not; none for what has no total.
    fn total(&self, counter: &str) -> Option<Arc<Family>> {
        match self.columns.iter().find(|column| &*column.counter == counter) {
            Some(column) => column.total.clone(),
            None => self.unknown_counter(counter)?.total,
        }
    }

    /// The counters that have totals.
    #[must_use]
    pub fn summed(&self) -> &Arc<Summed> {
        &self.summed
    }

    /// The key that distinguishes a series from the others of its family. Prometheus treats an empty label as none: with keys, a
    /// value without one belongs to the empty key, and without keys, the empty key is none.
    fn series_key(&self, key: Option<Arc<str>>) -> Option<Arc<str>> {
        match self.group.key {
            Some(_) => Some(key.unwrap_or_default()),
            None => key.filter(|key| !key.is_empty()),
        }
    }

    /// Whether any increment is of events.
    #[must_use]
    pub fn tell_of_events(&self) -> bool {
        self.columns.iter().any(Column::is_of_events)
    }

    /// The number of events in `increments`; bytes are no events, and would outweigh them all.
    #[must_use]
    pub fn events(&self, increments: &[(SumKey, u64)]) -> u64 {
        let is_event =
            |sum: &SumKey| self.columns.iter().any(|column| &*column.counter == sum.counter() && column.is_of_events());
        let counts = increments.iter().filter(|(sum, _)| is_event(sum)).map(|(_, count)| *count);
        counts.fold(0, u64::saturating_add)
    }

    /// Reads the values of `report`, where `known` keys have a series.
    #[must_use]
    pub fn read(&self, report: &Report, known: &KnownKeys) -> Samples {
        let beyond = report.readings().filter(|(name, _)| self.group.counter(name).is_none()).count();
        // The room of a key must not depend on which counters one answer holds.
        let selection = Selection::new(report, known, self.limit, self.columns.len() + beyond.min(MOST_UNKNOWN));
        let mut read = Samples { retired: selection.retired(), ..Samples::default() };
        for column in &self.columns {
            match report.reading(&column.counter) {
                Some(Reading::Rows(rows)) if self.group.key.is_none() && rows.is_empty() => {
                    read.refuse(Unusable::NotANumber);
                }
                Some(reading) => self.take(column, reading, &selection, &mut read),
                // No rows at all are no counters at all.
                None if report.is_empty() => {}
                None => read.missing += 1,
            }
        }
        let unknown_counters = report.readings().filter(|(name, _)| self.group.counter(name).is_none());
        let mut taken: HashSet<String> = self.columns.iter().flat_map(Column::names).map(str::to_owned).collect();
        for (position, (name, reading)) in unknown_counters.enumerate() {
            let column = (position < MOST_UNKNOWN).then(|| self.unknown_counter(name)).flatten();
            read.unknown += u64::from(self.group.others.is_none() || column.is_none());
            let Some(column) = column else { continue };
            // With its unit at the end it may be called like another one.
            if column.names().any(|name| taken.contains(name)) {
                read.refuse(Unusable::Conflicting);
                continue;
            }
            taken.extend(column.names().map(str::to_owned));
            let before = read.unusable;
            self.take(&column, reading, &selection, &mut read);
            // Nobody says that these are numbers, unless the answer does.
            if !reading.is_numeric() {
                read.unusable = before;
            }
        }
        read
    }

    fn take(&self, column: &Column, reading: &Reading, selection: &Selection<'_>, read: &mut Samples) {
        match reading {
            Reading::One(value) => match column.usable(*value) {
                Ok(number) => self.add(column, None, number, read),
                Err(unusable) => read.refuse(unusable),
            },
            Reading::Named(row) if self.group.key.is_none() => {
                self.take(column, &Reading::One(row.value), selection, read);
            }
            Reading::Named(row) => self.take_rows(column, std::slice::from_ref(row), selection, read),
            Reading::Rows(rows) => self.take_rows(column, rows, selection, read),
        }
    }

    fn take_rows(&self, column: &Column, rows: &[Row], selection: &Selection<'_>, read: &mut Samples) {
        let mut sums: BTreeMap<String, Result<Number, Unusable>> = BTreeMap::new();
        for Row { key, value } in rows {
            let number = match column.usable(*value) {
                Ok(number) => number,
                Err(unusable) => {
                    read.refuse(unusable);
                    continue;
                }
            };
            let name = match selection.name(key) {
                Some(name) => name,
                None => {
                    read.dropped += 1;
                    if column.aggregation != Aggregation::Sum {
                        continue;
                    }
                    OTHER.to_owned()
                }
            };
            let merged = |sum: &Result<Number, Unusable>| sum.and_then(|sum| column.merge(sum, number));
            let sum = sums.get(&name).map_or(Ok(number), merged);
            sums.insert(name, sum);
        }
        for (key, sum) in sums {
            match sum {
                Ok(number) => self.add(column, Some(key.into()), number, read),
                Err(unusable) => read.refuse(unusable),
            }
        }
    }

    fn add(&self, column: &Column, key: Option<Arc<str>>, number: Number, read: &mut Samples) {
        let (raw, value) = (number.as_f64(), column.unit.scale(number.as_f64()));
        if raw != value {
            read.raw_values.push((u32::try_from(read.samples.len()).unwrap_or(u32::MAX), raw));
        }
        let key = self.series_key(key);
        read.samples.push(self.sample(&column.gauge, key.clone(), value));
        if column.total.is_none() {
            return;
        }
        match number {
            Number::Whole(count) => {
                read.increments.push((SumKey::new(Arc::clone(&column.counter), key), count));
            }
            Number::AtLeast(_) => read.refuse(Unusable::LowerBound),
            Number::Fraction(_) => read.refuse(Unusable::NotWhole),
        }
    }

    fn sample(&self, family: &Arc<Family>, key: Option<Arc<str>>, value: f64) -> Sample {
        let mut labels = self.labels.clone();
        labels.extend(key.map(|key| (Arc::clone(&self.key_label), key)));
        Sample { family: Arc::clone(family), labels, value }
    }

    /// A counter that the catalogue does not hold, if it can have metrics.
    fn unknown_counter(&self, counter: &str) -> Option<Column> {
        Naming { group: &self.group, scope: self.scope, has_totals: self.has_totals }.unknown(counter)
    }
}

impl Samples {
    /// Whether any of the values is a lower bound.
    #[must_use]
    pub fn has_lower_bound(&self) -> bool {
        let position = Unusable::ALL.iter().position(|known| *known == Unusable::LowerBound);
        position.is_some_and(|position| self.unusable[position] > 0)
    }

    fn refuse(&mut self, why: Unusable) {
        why.count_in(&mut self.unusable);
    }
}

impl Sample {
    /// Whether this is the total of what [`Samples::increments`] call `sum`.
    #[must_use]
    pub fn is_total_of(&self, sum: &SumKey) -> bool {
        // The key is the label that comes last.
        let last = self.labels.last();
        let is_own = match sum.key() {
            Some(key) => last.is_some_and(|(_, value)| &**value == key),
            None => last.is_none_or(|(name, _)| &**name != catalogue::UNNAMED_KEY),
        };
        self.family.counter.as_deref() == Some(sum.counter()) && is_own
    }
}

#[cfg(test)]
mod tests;

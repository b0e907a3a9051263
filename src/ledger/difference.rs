//! Events of a report that were not counted yet, and the sums they are added to. Pure.

use std::collections::{BTreeMap, BTreeSet};

use crate::store::{Day, OTHER, Retired, SumKey};

/// The sums that were counted of the time of a report.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part<'a> {
    sums: &'a BTreeMap<SumKey, u64>,
    /// The keys that had a series when the first event of that time went to `other`; `None` if none has.
    own: Option<&'a BTreeSet<String>>,
    retired: &'a BTreeMap<String, Retired>,
}

/// The outcome of a comparison.
#[derive(Debug, Default)]
pub(super) struct Difference {
    /// Events in the report that were not counted.
    pub(super) late: u64,
    /// Events that were counted and are no longer in the report.
    pub(super) surplus: u64,
    /// The events that were not counted, by the sum they belong to.
    pub(super) credits: Vec<(SumKey, u64)>,
}

impl<'a> Part<'a> {
    /// The hours of `day` that are over.
    pub(super) fn closed(day: &'a Day, retired: &'a BTreeMap<String, Retired>) -> Self {
        Self { sums: &day.closed, own: day.own.as_ref(), retired }
    }

    /// The hour of `day` that has begun.
    pub(super) fn open(day: &'a Day, retired: &'a BTreeMap<String, Retired>) -> Self {
        Self { sums: &day.open, own: day.open_own.as_ref(), retired }
    }

    /// Compares `report` with what was counted, for those counters that `is_comparable` accepts.
    ///
    /// The sums over all keys of a counter are compared, because a row may have moved between `other` and a series of
    /// its own since it was counted. What is missing goes to the keys that had a series for all of that time, up to
    /// what each lacks, and the rest to `other`.
    pub(super) fn compare(self, report: &[(SumKey, u64)], is_comparable: impl Fn(&str) -> bool) -> Difference {
        let mut rows: BTreeMap<&str, Vec<(&SumKey, u64)>> = BTreeMap::new();
        for (sum, count) in report {
            rows.entry(sum.counter()).or_default().push((sum, *count));
        }
        let mut counted: BTreeMap<&str, u64> = BTreeMap::new();
        for (sum, count) in self.sums {
            let counted = counted.entry(sum.counter()).or_default();
            *counted = counted.saturating_add(*count);
        }
        let mut difference = Difference::default();
        for (counter, rows) in rows.into_iter().filter(|(counter, _)| is_comparable(counter)) {
            let reported = rows.iter().fold(0, |sum: u64, (_, count)| sum.saturating_add(*count));
            let counted = counted.get(counter).copied().unwrap_or(0);
            // Only reported, never subtracted: Prometheus takes a total that steps back for a reset, and counts all of it
            // again. So a second report of the same hours can only add.
            difference.surplus = difference.surplus.saturating_add(counted.saturating_sub(reported));
            let late = reported.saturating_sub(counted);
            difference.late = difference.late.saturating_add(late);
            self.credit(counter, &rows, late, &mut difference.credits);
        }
        difference
    }

    /// Shares out `late` events of a counter.
    fn credit(self, counter: &str, rows: &[(&SumKey, u64)], late: u64, credits: &mut Vec<(SumKey, u64)>) {
        let own = rows.iter().filter(|(sum, _)| sum.key().is_none_or(|key| self.had_own(key)));
        let lacks = |sum: &SumKey, count: u64| count.saturating_sub(self.sums.get(sum).copied().unwrap_or(0));
        let mut lacking: Vec<(&SumKey, u64)> =
            own.map(|(sum, count)| (*sum, lacks(sum, *count))).filter(|(_, lacks)| *lacks > 0).collect();
        lacking.sort_by(|(sum, lacks), (other, others)| others.cmp(lacks).then(sum.cmp(other)));
        let mut left = late;
        for (sum, lacks) in lacking {
            let share = lacks.min(left);
            if share > 0 {
                left -= share;
                credits.push((sum.clone(), share));
            }
        }
        if left > 0 {
            credits.push((SumKey::keyed(counter, OTHER), left));
        }
    }

    /// Whether all events of `key` are in its own series.
    fn had_own(self, key: &str) -> bool {
        let since_the_beginning = self.own.is_none_or(|own| own.contains(key));
        key != OTHER && since_the_beginning && !self.retired.contains_key(key)
    }
}

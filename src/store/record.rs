//! Records of the totals, one for each key.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::SumKey;

/// Record of one key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The end of the last window counted, in seconds since 1970.
    pub watermark: u64,
    /// When the totals began at zero, in seconds since 1970.
    pub epoch: u64,
    /// Sums since then.
    pub totals: BTreeMap<SumKey, u64>,
    /// Counts of each day that may still be compared with the appliance's own report.
    #[serde(default)]
    pub days: Vec<Day>,
    /// The keys with totals of their own, and the end of the last window whose report listed them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub seen: BTreeMap<String, u64>,
    /// Keys that have given up their series.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub retired: BTreeMap<String, Retired>,
    /// Sums that have just begun, and what each was before: a scraper has to see that before what is counted. None in records
    /// of versions that did not write it down.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub beginning: BTreeMap<SumKey, u64>,
    /// When the sums without a key began, by our clock; none where that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<u64>,
    /// The same of the sums of each key.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub keys_created: BTreeMap<String, u64>,
    /// The counters that were summed in the last window; none in records of versions that did not write it down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summed: Option<Summed>,
}

/// A key that has given up its series to others, because reports do not list it any more.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retired {
    /// The end of the last window whose report listed it, in seconds since 1970.
    pub seen: u64,
    /// Its totals, by counter.
    pub totals: BTreeMap<String, u64>,
}

/// Which counters of a report are summed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summed {
    /// Those known by name.
    pub counters: BTreeSet<String>,
    /// Whether all others are as well, whatever they are called.
    #[serde(default)]
    pub others: bool,
}

impl Summed {
    /// Whether `counter` is.
    #[must_use]
    pub fn contains(&self, counter: &str) -> bool {
        self.others || self.counters.contains(counter)
    }

    /// The counters that are summed in both.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        let all = self.counters.union(&other.counters);
        let counters = all.filter(|counter| self.contains(counter) && other.contains(counter)).cloned().collect();
        Self { counters, others: self.others && other.others }
    }
}

/// Counts of one day in UTC, from the first whole hour on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Day {
    /// The beginning of the first hour, in seconds since 1970.
    pub start: u64,
    /// The end of the last hour that is counted whole.
    pub end: u64,
    /// Sums of `[start, end)`, late data included.
    pub closed: BTreeMap<SumKey, u64>,
    /// Sums of what was counted of the hour from `end` on.
    pub open: BTreeMap<SumKey, u64>,
    /// The keys that had a series of their own when the first event of that hour went to `other`; none as long as none has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open_own: Option<BTreeSet<String>>,
    /// The latest time of the appliance at which it reported that hour while it was running, in seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open_until: Option<u64>,
    /// Whether nothing is added to it but late data: windows after `end` were given up.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ended: bool,
    /// The counters that were summed from the start on; none where they are those of [`Record::summed`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summed: Option<Summed>,
    /// The keys that had a series of their own when the first event went to `other`; none as long as none has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub own: Option<BTreeSet<String>>,
}

/// Facts found out about one appliance.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// Whether it answers for whole hours only.
    #[serde(default)]
    pub hours_only: bool,
    /// The release that this was found of, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<String>,
    /// When it declined the hour that is not over, by its clock, in seconds since 1970; none where it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub running_declined: Option<u64>,
    /// The status requests that it does not offer, each with the time of that answer by our clock, in seconds since 1970.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub not_offered: BTreeMap<String, u64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A record that a build of schema 2 wrote that kept sums as texts in memory, too.
    const WRITTEN: &str = concat!(
        r#"{"watermark":7200,"epoch":60,"totals":{"a":200,"a\u001f":400,"a\u001fb\u001f\"c\\\n":500,"a\u001fother":600,"a\u001fz":100,"a0\u001fü":700,"a_b":300},"#,
        r#""days":[{"start":3600,"end":7200,"closed":{"a":20,"a\u001f":40,"a\u001fb\u001f\"c\\\n":50,"a\u001fother":60,"a\u001fz":10,"a0\u001fü":70,"a_b":30},"#,
        r#""open":{"a":2,"a\u001f":4,"a\u001fb\u001f\"c\\\n":5,"a\u001fother":6,"a\u001fz":1,"a0\u001fü":7,"a_b":3},"#,
        r#""open_own":["z"],"open_until":7300,"summed":{"counters":["a","a_b"],"others":true},"own":["","z"]}],"#,
        r#""seen":{"z":7200},"retired":{"gone":{"seen":60,"totals":{"a":9}}},"#,
        r#""beginning":{"a\u001fz":0},"created":61,"keys_created":{"z":62},"summed":{"counters":["a","a0"],"others":false}}"#,
    );

    #[test]
    fn a_record_of_an_older_build_is_written_again_byte_for_byte() {
        let record: Record = serde_json::from_str(WRITTEN).expect("a record");
        assert_eq!(serde_json::to_string(&record).expect("a text"), WRITTEN);
        let sums = [
            (SumKey::whole("a"), 2),
            (SumKey::keyed("a", ""), 4),
            (SumKey::keyed("a", "b\u{1f}\"c\\\n"), 5),
            (SumKey::keyed("a", "other"), 6),
            (SumKey::keyed("a", "z"), 1),
            (SumKey::keyed("a0", "ü"), 7),
            (SumKey::whole("a_b"), 3),
        ];
        assert_eq!(record.days[0].open, BTreeMap::from(sums));
        assert_eq!(record.beginning, BTreeMap::from([(SumKey::keyed("a", "z"), 0)]));
    }
}

//! Which keys of a report have series of their own: all of them while they are few, else those that had one before and
//! then those with the highest values. Knows nothing of metrics.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::api::{Reading, Report};
use crate::base::clock::Timestamp;
use crate::base::hash;

/// The longest value of a label, in bytes: subjects and URLs may be of any length.
const LONGEST: usize = 200;
/// A key that no report has listed for so long gives up its series where another needs the room.
const IDLE_AFTER: Duration = Duration::from_secs(24 * 3600);

/// The keys that have a series of their own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KnownKeys {
    living: BTreeSet<String>,
    /// Those that no report has listed for a day.
    idle: BTreeSet<String>,
}

impl KnownKeys {
    /// The keys as of `now`, each with the end of the last window whose report listed it, in seconds since 1970.
    #[must_use]
    pub fn new(seen: &BTreeMap<String, u64>, now: Timestamp) -> Self {
        let mut known = Self::default();
        for (key, last) in seen {
            let is_idle = now.since(Timestamp::from_secs(*last)) > IDLE_AFTER;
            let keys = if is_idle { &mut known.idle } else { &mut known.living };
            keys.insert(key.clone());
        }
        known
    }
}

/// The keys of one report.
#[derive(Debug)]
pub(super) struct Selection<'a> {
    /// None where all have their own.
    chosen: Option<BTreeSet<&'a str>>,
    /// Known keys that have no series of their own any more.
    retired: Vec<&'a str>,
}

impl<'a> Selection<'a> {
    /// Chooses so that, with one row for the others, a report with so many `columns` makes at most `limit` series. Keys
    /// that have a series keep it, but for idle ones that `report` does not list: others go before them.
    pub(super) fn new(report: &'a Report, known: &'a KnownKeys, limit: usize, columns: usize) -> Self {
        let mut weights: BTreeMap<&str, f64> = BTreeMap::new();
        for (_, reading) in report.readings() {
            let rows = match reading {
                Reading::Rows(rows) => rows.as_slice(),
                Reading::Named(row) => std::slice::from_ref(row),
                Reading::One(_) => continue,
            };
            for (key, value) in rows.iter().filter_map(|row| Some((row.key.as_str(), row.value.ok()?.as_f64()))) {
                *weights.entry(key).or_default() += value;
            }
        }
        let listed: BTreeSet<String> = weights.keys().map(|key| short(key)).collect();
        let (returned, idle): (Vec<&str>, Vec<&str>) =
            known.idle.iter().map(String::as_str).partition(|key| listed.contains(*key));
        let is_known = |key: &str| known.living.contains(key) || known.idle.contains(key);
        let new: Vec<&str> = weights.keys().copied().filter(|key| !is_known(&short(key))).collect();
        let kept = known.living.len() + returned.len();
        if (kept + idle.len() + new.len()).saturating_mul(columns) <= limit {
            return Self { chosen: None, retired: Vec::new() };
        }
        let mut room = (limit / columns.max(1)).saturating_sub(1 + kept);
        let mut ranked = new;
        ranked.sort_by(|one, other| weights[other].total_cmp(&weights[one]).then(one.cmp(other)));
        ranked.truncate(room);
        room -= ranked.len();
        let (stay, retired) = idle.split_at(room.min(idle.len()));
        let kept = known.living.iter().map(String::as_str).chain(returned).chain(stay.iter().copied());
        Self { chosen: Some(ranked.into_iter().chain(kept).collect()), retired: retired.to_vec() }
    }

    /// The known keys that give up their series.
    pub(super) fn retired(&self) -> Vec<String> {
        self.retired.iter().map(|key| (*key).to_owned()).collect()
    }

    /// The label of `key`; none where it has no series of its own.
    pub(super) fn name(&self, key: &str) -> Option<String> {
        let name = short(key);
        match &self.chosen {
            Some(chosen) if !chosen.contains(key) && !chosen.contains(&*name) => None,
            Some(_) | None => Some(name),
        }
    }
}

/// `key` as a label: a long one is cut, and ends in a hash of all of it, so that no two become one.
fn short(key: &str) -> String {
    if key.len() <= LONGEST {
        return key.to_owned();
    }
    let hash = format!("{:016x}", hash::stable(key.as_bytes()));
    let cut = (0..=LONGEST - hash.len() - 3).rev().find(|cut| key.is_char_boundary(*cut)).unwrap_or(0);
    format!("{}...{hash}", &key[..cut])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(rows: &[(&str, u64)]) -> Report {
        let rows: Vec<_> = rows.iter().map(|(key, value)| serde_json::json!({ *key: value })).collect();
        let body = serde_json::json!({"data": {"resultSet": {"a": rows, "b": rows}}}).to_string();
        Report::parse(&body).expect("a report")
    }

    fn known(living: &[&str], idle: &[&str]) -> KnownKeys {
        let keys = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect();
        KnownKeys { living: keys(living), idle: keys(idle) }
    }

    fn chosen(report: &Report, living: &[&str], limit: usize) -> Vec<&'static str> {
        let known = known(living, &[]);
        let selection = Selection::new(report, &known, limit, 2);
        ["w", "x", "y", "z"].into_iter().filter(|key| selection.name(key).is_some()).collect()
    }

    #[test]
    fn all_keys_have_series_while_they_are_few() {
        let report = report(&[("x", 1), ("y", 2)]);
        assert_eq!(chosen(&report, &[], 4), ["w", "x", "y", "z"]);
    }

    #[test]
    fn beyond_the_limit_the_highest_keys_and_known_ones_have_series() {
        let report = report(&[("w", 3), ("x", 1), ("y", 2), ("z", 2)]);
        assert_eq!(chosen(&report, &[], 7), ["w", "y"], "three rows of two counters, one for the others");
        assert_eq!(chosen(&report, &["x"], 7), ["w", "x"], "a total must not vanish");
        assert_eq!(chosen(&report, &["x"], 1), ["x"]);
        assert_eq!(chosen(&report, &["gone", "x"], 7), ["x"], "what had one keeps its room");
    }

    #[test]
    fn the_series_limit_does_not_depend_on_which_counters_have_rows() {
        let body = r#"{"data": {"resultSet": {"a": [{"x": 1}, {"y": 2}, {"z": 3}]}}}"#;
        let report = Report::parse(body).expect("a report");
        let known = KnownKeys::default();
        let names = |columns| {
            let selection = Selection::new(&report, &known, 6, columns);
            ["x", "y", "z"].into_iter().filter(|key| selection.name(key).is_some()).collect::<Vec<_>>()
        };
        assert_eq!((names(2), names(3)), (vec!["x", "y", "z"], vec!["z"]));
    }

    #[test]
    fn idle_keys_are_the_first_to_lose_their_series() {
        let report = report(&[("w", 3), ("x", 1)]);
        let retired =
            |living: &[&str], idle: &[&str], limit| Selection::new(&report, &known(living, idle), limit, 2).retired();
        assert_eq!(retired(&["a"], &["b", "c"], 10), [""; 0], "five keys of two counters");
        assert_eq!(retired(&["a"], &["b", "c"], 9), ["b", "c"], "room for one beside `other`, which `w` has");
        assert_eq!(retired(&[], &["a", "b", "c"], 9), ["b", "c"], "room for three, of which two have come");
        assert_eq!(retired(&["a", "b"], &["w", "x"], 6), [""; 0], "they are listed, so they live");
    }

    #[test]
    fn a_single_key_value_pair_makes_its_key_a_listed_one() {
        let body = r#"{"data": {"resultSet": {"a": {"key": "w", "value": 3}, "b": [{"x": 1}, {"y": 2}, {"z": 3}]}}}"#;
        let report = Report::parse(body).expect("a report");
        let known = known(&[], &["w"]);
        let selection = Selection::new(&report, &known, 6, 2);
        assert_eq!((selection.name("w"), selection.retired()), (Some("w".into()), Vec::new()), "it has returned");
    }

    #[test]
    fn a_key_is_idle_after_a_day() {
        let seen = BTreeMap::from([("a".to_owned(), 0), ("b".to_owned(), 1)]);
        assert_eq!(KnownKeys::new(&seen, Timestamp::from_secs(24 * 3600 + 1)), known(&["b"], &["a"]));
    }

    #[test]
    fn long_keys_are_truncated_and_stay_distinct() {
        let long = |end: &str| format!("{}{end}", "ü".repeat(300));
        let (one, other) = (short(&long("a")), short(&long("b")));
        assert!(one.len() <= LONGEST && one != other, "{one}");
        assert_eq!(short("x"), "x");
    }
}

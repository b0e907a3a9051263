//! Which keys of a report have series of their own: all of them while they are few, else those that had one before and
//! then those with the highest values. Knows nothing of metrics.

use std::collections::{BTreeMap, BTreeSet};

use crate::api::{Reading, Report};
use crate::hash;

/// The key of what all others are summed into. A key of that name is one of them.
pub(super) const OTHER: &str = "other";
/// The longest value of a label, in bytes: subjects and URLs may be of any length.
const LONGEST: usize = 200;

/// The keys of one report.
#[derive(Debug)]
pub(super) struct Selection<'a> {
    /// None where all have their own.
    chosen: Option<BTreeSet<&'a str>>,
}

impl<'a> Selection<'a> {
    /// Chooses so that, with one row for the others, a report of this shape makes at most `limit` series; keys in `kept`
    /// have had theirs.
    pub(super) fn new(report: &'a Report, kept: &'a BTreeSet<String>, limit: usize) -> Self {
        let mut weights: BTreeMap<&str, f64> = BTreeMap::new();
        let mut columns = 0;
        for (_, reading) in report.readings() {
            let Reading::Rows(rows) = reading else { continue };
            let numbers = rows.iter().filter_map(|row| Some((row.key.as_str(), row.value.ok()?.as_f64())));
            let before = weights.len();
            let mut any = false;
            for (key, value) in numbers {
                *weights.entry(key).or_default() += value;
                any = true;
            }
            columns += usize::from(any || weights.len() > before);
        }
        let new: Vec<&str> = weights.keys().copied().filter(|key| !kept.contains(&*short(key))).collect();
        if (kept.len() + new.len()).saturating_mul(columns) <= limit {
            return Self { chosen: None };
        }
        let room = (limit / columns.max(1)).saturating_sub(1 + kept.len());
        let mut ranked = new;
        ranked.sort_by(|one, other| weights[other].total_cmp(&weights[one]).then(one.cmp(other)));
        let chosen = ranked.into_iter().take(room).chain(kept.iter().map(String::as_str)).collect();
        Self { chosen: Some(chosen) }
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

    fn chosen(report: &Report, kept: &[&str], limit: usize) -> Vec<&'static str> {
        let kept = kept.iter().map(|key| (*key).to_owned()).collect();
        let selection = Selection::new(report, &kept, limit);
        ["w", "x", "y", "z"].into_iter().filter(|key| selection.name(key).is_some()).collect()
    }

    #[test]
    fn few_keys_all_have_their_own() {
        let report = report(&[("x", 1), ("y", 2)]);
        assert_eq!(chosen(&report, &[], 4), ["w", "x", "y", "z"]);
    }

    #[test]
    fn of_many_the_highest_have_and_room_is_left_for_the_others() {
        let report = report(&[("w", 3), ("x", 1), ("y", 2), ("z", 2)]);
        assert_eq!(chosen(&report, &[], 7), ["w", "y"], "three rows of two counters, one for the others");
        assert_eq!(chosen(&report, &["x"], 7), ["w", "x"], "a total must not vanish");
        assert_eq!(chosen(&report, &["x"], 1), ["x"]);
        assert_eq!(chosen(&report, &["gone", "x"], 7), ["x"], "what had one keeps its room");
    }

    #[test]
    fn long_keys_are_cut_and_stay_apart() {
        let long = |end: &str| format!("{}{end}", "ü".repeat(300));
        let (one, other) = (short(&long("a")), short(&long("b")));
        assert!(one.len() <= LONGEST && one != other, "{one}");
        assert_eq!(short("x"), "x");
    }
}

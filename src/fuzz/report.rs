//! Reports, from the body to samples and increments, against a second and simpler reading of the body.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::api::Report;
use crate::api::fuzz::tree::{self, Tree, Written};
use crate::api::fuzz::{logged, text};
use crate::catalogue::{self, Aggregation, Group, Keys};
use crate::sample::{Families, KnownKeys, Metrics, Sample, Samples};

/// One with a row, one with ratios, one with keys and totals, one with keys and none.
const GROUPS: [&str; 4] =
    ["mail_incoming_traffic_summary", "mail_system_capacity", "mail_policy_incoming", "mail_incoming_domain_detail"];
/// More than any fuzzed body has.
const NO_LIMIT: usize = 1 << 40;
const SMALL_LIMIT: usize = 12;
/// Counters beyond the catalogue that have series, and so room.
const MOST_UNKNOWN: usize = 64;
/// 2^53, up to which whole numbers are exact and shown.
const LARGEST: f64 = 9_007_199_254_740_992.0;
/// The longest key that is a label as it stands, in bytes.
const LONGEST_KEY: usize = 200;

pub(super) fn check(body: &[u8]) {
    let body = text(body);
    check_against(&body, &body);
}

/// Checks the report in `read` against `body`, which is the same but in the test of this check.
pub(super) fn check_against(read: &str, body: &str) {
    let Some(report) = logged(Report::parse(read)) else { return };
    let tree = tree::read(body).expect("what a report is read from is JSON");
    for name in GROUPS {
        check_group(catalogue::group(name).expect("in the catalogue"), &report, &tree);
    }
}

fn check_group(group: &Group, report: &Report, tree: &Tree) {
    let metrics = |limit| {
        Metrics::new(
            (Arc::new(group.clone()), catalogue::ScopeKind::Appliance),
            Vec::new(),
            None,
            limit,
            &Families::default(),
        )
    };
    let [all, few] = [NO_LIMIT, SMALL_LIMIT].map(|limit| metrics(limit).read(report, &KnownKeys::default()));
    let numbers = tree.numbers();
    let most = numbers.iter().filter(|number| **number > 0.0).sum::<f64>();
    for samples in [&all, &few] {
        check_series(&samples.samples);
        for (sample, raw) in raw_values(samples) {
            let stands = numbers.contains(&raw) || (raw >= 0.0 && raw <= most * (1.0 + 1e-9));
            assert!(stands, "{} is {raw}, which the body does not support", sample.family.name);
        }
        let totals = metrics(NO_LIMIT).totals(&samples.increments.iter().cloned().collect());
        check_series(&totals);
    }
    let counters = || group.counters.iter().filter(|counter| counter.is_numeric());
    let unknown_counters = report.readings().filter(|(name, _)| group.counter(name).is_none()).count();
    // What one answer leaves out has its room all the same.
    let rows = (SMALL_LIMIT / (counters().count() + unknown_counters.min(MOST_UNKNOWN))).max(1);
    assert!(few.samples.len() <= rows * report.readings().count(), "{} series", few.samples.len());
    assert_eq!(all.dropped, 0);
    // Which entry of a name that comes twice counts is the parser's choice.
    if tree.repeats() {
        return;
    }
    let unusable: u64 = counters().map(|counter| check_counter(group, counter, tree, &all, &few)).sum();
    let counted = all.unusable.iter().sum::<u64>();
    assert!(
        if unknown_counters == 0 { counted == unusable } else { counted >= unusable },
        "{counted} of {unusable} unusable"
    );
}

fn check_series(samples: &[Sample]) {
    let mut series = BTreeSet::new();
    for sample in samples {
        assert!(series.insert((&sample.family.name, &sample.labels)), "two samples of {}", sample.family.name);
        assert!(sample.value.is_finite(), "{} is {}", sample.family.name, sample.value);
        let is_short = sample.labels.iter().all(|(_, value)| value.len() <= LONGEST_KEY);
        assert!(is_short, "a long label of {}", sample.family.name);
    }
}

/// Samples with what the report has in their place before it was scaled.
fn raw_values(samples: &Samples) -> impl Iterator<Item = (&Sample, f64)> {
    let scaled: BTreeMap<u32, f64> = samples.raw_values.iter().copied().collect();
    samples.samples.iter().zip(0..).map(move |(sample, place)| {
        let raw = scaled.get(&place).copied().unwrap_or(sample.value);
        (sample, raw)
    })
}

/// A value in the place of a counter's: none where it says that there is none.
type Value = Option<Result<Written, Refused>>;

/// A value that is of no use.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Refused;

/// What one entry says of its counter.
enum Entry<'a> {
    One(Result<Written, Refused>),
    /// One value with a key.
    Named(&'a str, Result<Written, Refused>),
    Rows(Vec<(&'a str, Value)>),
}

fn value(tree: &Tree) -> Value {
    match tree {
        Tree::Text(text) if ["", "-", "N/A", "None"].contains(&text.trim()) => None,
        Tree::Object(_) => match tree.get("value")[..] {
            [Tree::Object(_)] | [] => Some(Err(Refused)),
            [inner, ..] => value(inner),
        },
        tree => Some(tree.number().ok_or(Refused)),
    }
}

/// A key and a value, where an object has just these.
fn pair(cells: &[(String, Tree)]) -> Option<(&str, Value)> {
    let cell = |name: &str| cells.iter().find(|(own, _)| own == name).map(|(_, cell)| cell);
    match (cells.len(), cell("key"), cell("value")) {
        (2, Some(Tree::Text(key)), Some(cell)) => Some((key, value(cell))),
        _ => None,
    }
}

fn cells(cells: &[(String, Tree)]) -> impl Iterator<Item = (&str, Value)> {
    cells.iter().map(|(key, cell)| (key.as_str(), value(cell)))
}

fn entry(tree: &Tree) -> Entry<'_> {
    match tree {
        Tree::List(elements) => {
            let objects = elements.iter().filter_map(|element| match element {
                Tree::Object(cells) if !cells.is_empty() => Some(cells.as_slice()),
                _ => None,
            });
            let pairs: Option<Vec<_>> = objects.clone().map(pair).collect();
            Entry::Rows(pairs.unwrap_or_else(|| objects.flat_map(cells).collect()))
        }
        Tree::Object(own) => match (pair(own), own.as_slice()) {
            (Some((key, Some(value))), _) => Entry::Named(key, value),
            (Some((_, None)), _) => Entry::Rows(Vec::new()),
            (None, [(name, cell)]) if name == "value" => Entry::One(value(cell).unwrap_or(Err(Refused))),
            (None, own) => Entry::Rows(cells(own).collect()),
        },
        tree => Entry::One(tree.number().ok_or(Refused)),
    }
}

/// What stands under `counter` in the results.
fn entries<'a>(tree: &'a Tree, counter: &str) -> Vec<Entry<'a>> {
    let results: Vec<&Tree> = tree.get("data").iter().flat_map(|data| data.get("resultSet")).collect();
    let elements = results.into_iter().flat_map(|results| match results {
        Tree::List(elements) => elements.iter().collect(),
        other => vec![other],
    });
    elements.flat_map(|element| element.get(counter)).map(entry).collect()
}

/// What a counter's entries come to.
enum Found<'a> {
    /// The same value in all of them.
    One(Result<Written, Refused>),
    Rows(Vec<(&'a str, Result<Written, Refused>)>),
}

impl<'a> Found<'a> {
    /// None where one entry has a value and another has rows, or another value.
    fn of(entries: Vec<Entry<'a>>, is_keyed: bool) -> Option<Self> {
        if let [Entry::Named(key, first), rest @ ..] = &entries[..] {
            let is_same = |entry: &Entry<'_>| matches!(entry, Entry::Named(own, value) if own == key && value == first);
            if rest.iter().all(is_same) {
                return Some(if is_keyed { Self::Rows(vec![(*key, *first)]) } else { Self::One(*first) });
            }
        }
        if let [Entry::One(first), rest @ ..] = &entries[..] {
            return rest
                .iter()
                .all(|entry| matches!(entry, Entry::One(value) if value == first))
                .then_some(Self::One(*first));
        }
        // The parser takes equal pairs at the beginning for one, as it must where a group has no keys.
        let is_again = |at: usize| match (&entries[0], &entries[..=at]) {
            (Entry::Named(key, value), begin) if at > 0 => {
                begin.iter().all(|entry| matches!(entry, Entry::Named(own, other) if own == key && other == value))
            }
            _ => false,
        };
        let again = (0..entries.len()).filter(|at| is_again(*at)).count();
        let mut rows = Vec::new();
        for entry in entries.into_iter().skip(again) {
            match entry {
                Entry::One(_) => return None,
                Entry::Named(key, value) => rows.push((key, value)),
                Entry::Rows(more) => rows.extend(more.into_iter().filter_map(|(key, value)| Some((key, value?)))),
            }
        }
        Some(Self::Rows(rows))
    }
}

/// The sum of two numbers of which none is negative; none where it is too large.
fn plus(one: f64, other: f64) -> Option<f64> {
    let is_whole = one.fract() == 0.0 && other.fract() == 0.0;
    // One above the largest is no f64, which would be rounded down.
    let is_exact = !is_whole || one as u64 + other as u64 <= LARGEST as u64;
    Some(one + other).filter(|sum| is_exact && *sum <= LARGEST)
}

/// Checks what is shown and what is counted of one counter. Returns how many of its values are of no use.
fn check_counter(group: &Group, counter: &catalogue::Counter, tree: &Tree, all: &Samples, few: &Samples) -> u64 {
    let name = &*counter.name;
    let has_total = group.key.as_ref().is_none_or(|key| key.keys == Keys::Bounded)
        && counter.total_name(group, catalogue::ScopeKind::Appliance).is_some();
    let usable = |value: Result<Written, Refused>| {
        let number = value.ok()?.within(&counter.unit)?;
        (number >= 0.0 || counter.aggregation == Aggregation::Last).then_some(number)
    };
    let entries = entries(tree, name);
    if entries.is_empty() {
        assert!(shown(all, name).is_empty() && increments_of(all, name).is_empty(), "{name} is not in the report");
        return 0;
    }
    let rows = match Found::of(entries, group.key.is_some()) {
        Some(Found::One(value)) => vec![("", value)],
        Some(Found::Rows(rows)) if rows.is_empty() && group.key.is_none() => vec![("", Err(Refused))],
        Some(Found::Rows(rows)) => rows,
        None => vec![("", Err(Refused))],
    };
    let mut unusable = rows.iter().filter(|(_, value)| usable(*value).is_none()).count() as u64;
    let rows: Vec<(&str, f64)> = rows.into_iter().filter_map(|(key, value)| Some((key, usable(value)?))).collect();
    let mut sums: BTreeMap<&str, Option<f64>> = BTreeMap::new();
    for (key, number) in &rows {
        let merged = |sum: f64| match counter.aggregation {
            Aggregation::Sum => plus(sum, *number),
            _ => Some(sum.max(*number)),
        };
        sums.entry(key).and_modify(|sum| *sum = sum.and_then(merged)).or_insert(Some(*number));
    }
    let expected: BTreeMap<String, f64> =
        sums.iter().filter_map(|(key, sum)| Some(((*key).to_owned(), (*sum)?))).collect();
    let counts = expected.iter().filter(|(_, sum)| has_total && sum.fract() == 0.0 && **sum >= 0.0);
    let counts: BTreeMap<String, u64> = counts.map(|(key, sum)| (key.clone(), *sum as u64)).collect();
    unusable += (sums.len() - expected.len()) as u64;
    unusable += if has_total { (expected.len() - counts.len()) as u64 } else { 0 };
    if rows.iter().all(|(key, _)| key.len() <= LONGEST_KEY) {
        assert_eq!(shown(all, name), expected, "{name}");
        assert_eq!(increments_of(all, name), counts, "{name}");
    }
    check_few(counter, &rows, [all, few], &counts);
    unusable
}

/// What is shown of a counter by key, as the report has it.
fn shown(samples: &Samples, counter: &str) -> BTreeMap<String, f64> {
    let own = raw_values(samples).filter(|(sample, _)| sample.family.counter.as_deref() == Some(counter));
    let key = |sample: &Sample| sample.labels.last().map(|(_, key)| key.to_string()).unwrap_or_default();
    own.map(|(sample, raw)| (key(sample), raw)).collect()
}

/// What is counted of a counter by key.
fn increments_of(samples: &Samples, counter: &str) -> BTreeMap<String, u64> {
    let own = samples.increments.iter().filter(|(sum, _)| sum.counter() == counter);
    own.map(|(sum, count)| (sum.key().unwrap_or_default().to_owned(), *count)).collect()
}

/// The few series of a low limit lose nothing of the rows, unless their sum is too large for one series.
fn check_few(
    counter: &catalogue::Counter,
    rows: &[(&str, f64)],
    [all, few]: [&Samples; 2],
    counts: &BTreeMap<String, u64>,
) {
    let name = &*counter.name;
    let raw_values = [all, few].map(|samples| shown(samples, name).into_values().collect::<Vec<f64>>());
    if counter.aggregation != Aggregation::Sum {
        let stands = |raw: &f64| rows.iter().any(|(_, number)| number == raw);
        return assert!(raw_values.iter().flatten().all(stands), "{name}");
    }
    let sum: f64 = rows.iter().map(|(_, number)| number).sum();
    for raw_values in &raw_values {
        let shown: f64 = raw_values.iter().sum();
        let (least, most) = (if sum < LARGEST { sum * (1.0 - 1e-9) } else { 0.0 }, sum * (1.0 + 1e-9));
        assert!((least..=most).contains(&shown), "{name}: {shown}, and {sum} in the rows");
    }
    let total = |counts: BTreeMap<String, u64>| counts.into_values().map(u128::from).sum::<u128>();
    let (whole, counted) = (total(counts.clone()), total(increments_of(few, name)));
    let is_exact = sum < LARGEST && rows.iter().all(|(_, number)| number.fract() == 0.0);
    // Fractions may come to a whole number in one sum and to none in others.
    assert!(
        if is_exact { counted == whole } else { counted as f64 <= sum * (1.0 + 1e-9) },
        "{name}: {counted} of {whole}"
    );
}

//! Counts the events of each key over a span: the numbers of keyed reports, and the truth about them.

use std::collections::BTreeMap;

use serde_json::Value as JsonValue;

use crate::sim::date;
use crate::sim::keyed::{Column, KeyedGroup, Part, Value};
use crate::sim::span::Span;
use crate::sim::table::{Cell, Row, Table};
use crate::sim::traffic::{Device, DeviceMinute, hash, mix};

/// Devices, span and options of a tally.
pub(in crate::sim) struct TallyInput<'a> {
    pub(in crate::sim) devices: &'a [&'a str],
    pub(in crate::sim) span: Span,
    /// Keys that no pool has; each device has events for all of them.
    pub(in crate::sim) extra: &'a [String],
    /// Whether keys without events have a row too.
    pub(in crate::sim) zeros: bool,
}

/// Events of one key: for the rank, then for each column. A text column has none.
#[derive(Clone)]
struct Sums(Vec<u64>);

/// Counts a group.
pub(in crate::sim) fn tally(group: &KeyedGroup, input: &TallyInput<'_>) -> Table {
    let parts = GroupParts::new(group);
    let mut pool = vec![None; group.pool.len()];
    let mut extra = vec![parts.nothing(); input.extra.len()];
    for name in input.devices {
        let device = Device::new(name);
        parts.count_pool(&device, &input.span, &mut pool);
        count_extra(group, name, input, &mut extra);
    }
    let of_pool = pool.into_iter().enumerate().filter_map(|(place, sums)| {
        let (key, host) = group.pool.at(place);
        Some((key.to_owned(), host, sums?))
    });
    let host = group.pool.has_hosts().then_some("unknown domain");
    let of_extra = input.extra.iter().zip(extra).map(|(key, sums)| (key.clone(), host, sums));
    let mut rows = BTreeMap::new();
    for (key, host, Sums(sums)) in of_pool.chain(of_extra) {
        if input.zeros || sums.iter().any(|&sum| sum > 0) {
            let cells = group.columns.iter().zip(&sums[1..]).map(|(column, &sum)| cell(column, &key, sum, &input.span));
            let cells = cells.collect();
            rows.insert(key.clone(), Row { key, host, rank: sums[0] as f64, cells });
        }
    }
    let columns = group.columns.iter().map(|column| column.name.to_owned()).collect();
    Table { columns, rows: rows.into_values().collect() }
}

/// Which parts a group is made of, each named once.
struct GroupParts<'a> {
    group: &'a KeyedGroup,
    parts: Vec<Part>,
    /// For the rank, then for each column: places in `parts`.
    sums: Vec<Vec<usize>>,
}

impl<'a> GroupParts<'a> {
    fn new(group: &'a KeyedGroup) -> Self {
        let mut parts: Vec<Part> = Vec::new();
        let mut places = |of: &[Part]| -> Vec<usize> {
            let place = |part: &Part| {
                parts.iter().position(|one| one.id == part.id).unwrap_or_else(|| {
                    parts.push(*part);
                    parts.len() - 1
                })
            };
            of.iter().map(place).collect()
        };
        let mut sums = vec![places(group.main)];
        sums.extend(group.columns.iter().map(|column| match column.value {
            Value::Sum(of) => places(of),
            Value::OneOf(_) | Value::Integer(_) | Value::Score | Value::Reputation | Value::Time => Vec::new(),
        }));
        Self { group, parts, sums }
    }

    fn nothing(&self) -> Sums {
        Sums(vec![0; self.sums.len()])
    }

    /// Adds the events of one device to the places of its keys.
    fn count_pool(&self, device: &Device, span: &Span, pool: &mut [Option<Sums>]) {
        let keys = self.group.pool.of(device);
        let count = keys.places.len();
        let mut totals = vec![0; self.parts.len() * count];
        let mut shares = vec![0; self.parts.len() * count];
        let mut missing = vec![0; self.sums.len() * count];
        for minute in span.minutes() {
            let moment = DeviceMinute::new(device, minute);
            for (place, part) in self.parts.iter().enumerate() {
                let of_part = &mut shares[place * count..][..count];
                moment.share_out(part.id, &keys.weights, part.at(&moment), of_part);
                totals[place * count..].iter_mut().zip(of_part).for_each(|(total, share)| *total += *share);
            }
            if span.is_incomplete(minute) {
                for (sum, of) in self.sums.iter().enumerate() {
                    for key in 0..count {
                        let events = of.iter().map(|part| shares[part * count + key]).sum();
                        missing[sum * count + key] += span.missing(minute, events);
                    }
                }
            }
        }
        for (key, &place) in keys.places.iter().enumerate() {
            let Sums(sums) = pool[place].get_or_insert_with(|| self.nothing());
            for (sum, of) in self.sums.iter().enumerate() {
                let events: u64 = of.iter().map(|part| totals[part * count + key]).sum();
                sums[sum] += events - missing[sum * count + key];
            }
        }
    }
}

/// A key that no pool has has events in one minute of each hour, 1 to 9 in every counter: thousands of them must not
/// make a report slow.
fn count_extra(group: &KeyedGroup, device: &str, input: &TallyInput<'_>, extra: &mut [Sums]) {
    let minutes = input.span.minutes();
    for (key, Sums(sums)) in input.extra.iter().zip(extra) {
        let seed = hash(&format!("{device}/{}/{key}", group.name));
        for hour in minutes.start / 60..minutes.end.div_ceil(60) {
            let noise = mix(seed ^ mix(hour));
            let minute = hour * 60 + noise % 60;
            if !minutes.contains(&minute) {
                continue;
            }
            for (sum, total) in sums.iter_mut().enumerate() {
                let counts = sum == 0 || matches!(group.columns[sum - 1].value, Value::Sum(_));
                let events = if counts { 1 + mix(noise ^ sum as u64) % 9 } else { 0 };
                *total += events - input.span.missing(minute, events);
            }
        }
    }
}

/// The value of a column for a key. What is no sum depends on the key alone, but for the time.
fn cell(column: &Column, key: &str, events: u64, span: &Span) -> Cell {
    let noise = || hash(&format!("{}/{key}", column.name));
    Cell::Other(match column.value {
        Value::Sum(_) => return Cell::Events(events),
        Value::OneOf(texts) => texts[(noise() % texts.len() as u64) as usize].into(),
        Value::Integer(below) => (noise() % below).into(),
        Value::Score => (noise() % 101).into(),
        Value::Reputation => match noise() % 8 {
            0 => "None".into(),
            1 => "N/A".into(),
            _ => JsonValue::from(((mix(noise()) % 201) as f64 - 100.0) / 10.0),
        },
        Value::Time => {
            let before = noise() % span.len().max(1) * 60;
            date::tracking(span.end_secs().saturating_sub(before)).into()
        }
    })
}

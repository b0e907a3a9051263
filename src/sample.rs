//! Turns a report into labelled values: names and units from the catalogue, and an account of what could not be used.
//! Knows nothing of windows or of who reads the samples.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::api::{Number, Report, Unusable};
use crate::catalogue::{self, Aggregation, Group};

/// Counters beyond the catalogue that become gauges, per group: a release adds a few, a mistake adds thousands.
const MOST_UNKNOWN: usize = 64;
const LONGEST_NAME: usize = 100;

/// A family of gauges or counters: its name and help.
#[derive(Debug, PartialEq, Eq)]
pub struct Family {
    /// `asyncos_<group>_<counter>_last_window`, or `…_total`.
    pub name: String,
    /// What it counts, in what unit, and where it comes from.
    pub help: String,
}

/// One value of a family.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// Whose.
    pub family: Arc<Family>,
    /// In base units.
    pub value: f64,
}

/// What a report came to.
#[derive(Debug, Default, PartialEq)]
pub struct Samples {
    /// The usable counters.
    pub samples: Vec<Sample>,
    /// What the window adds to the totals, by counter.
    pub increments: Vec<(&'static str, u64)>,
    /// Counters of the catalogue that the report does not hold. Missing is not zero.
    pub missing: u64,
    /// Counters of the report that the catalogue does not hold.
    pub unknown: u64,
    /// Counters of the catalogue with no usable value, by reason in the order of [`Unusable::ALL`].
    pub unusable: [u64; Unusable::ALL.len()],
}

/// The metrics of one counter group.
#[derive(Debug)]
pub struct Metrics {
    group: &'static Group,
    gauges: Vec<Arc<Family>>,
    totals: Vec<(&'static str, Arc<Family>)>,
}

impl Metrics {
    /// The metrics of `group`, named once.
    #[must_use]
    pub fn new(group: &'static Group) -> Self {
        let gauge = |counter: &catalogue::Counter| {
            Arc::new(Family { name: counter.gauge_name(group), help: counter.gauge_help(group) })
        };
        let total = |counter: &'static catalogue::Counter| {
            let name = counter.total_name(group)?;
            Some((counter.name, Arc::new(Family { name, help: counter.total_help(group) })))
        };
        let (gauges, totals) = (group.counters.iter().map(gauge), group.counters.iter().filter_map(total));
        Self { group, gauges: gauges.collect(), totals: totals.collect() }
    }

    /// The totals as samples: every additive counter of the catalogue, at zero where nothing was counted yet.
    #[must_use]
    pub fn totals(&self, counted: &BTreeMap<String, u64>) -> Vec<Sample> {
        let sample = |(counter, family): &(&str, Arc<Family>)| {
            let value = counted.get(*counter).copied().unwrap_or(0) as f64;
            Sample { family: Arc::clone(family), value }
        };
        self.totals.iter().map(sample).collect()
    }

    /// Reads the values of `report`.
    #[must_use]
    pub fn read(&self, report: &Report) -> Samples {
        let mut read = Samples::default();
        for (counter, family) in self.group.counters.iter().zip(&self.gauges) {
            if counter.aggregation == Aggregation::Text {
                continue;
            }
            match report.reading(counter.name) {
                Some(Ok(number)) => {
                    let value = counter.unit.scale(number.as_f64());
                    read.samples.push(Sample { family: Arc::clone(family), value });
                    match (counter.aggregation, number) {
                        (Aggregation::Sum, Number::Whole(count)) => read.increments.push((counter.name, count)),
                        (Aggregation::Sum, Number::Fraction(_)) => read.refuse(Unusable::NotWhole),
                        (Aggregation::Average | Aggregation::Maximum | Aggregation::Last | Aggregation::Text, _) => {}
                    }
                }
                Some(Err(unusable)) => read.refuse(unusable),
                None => read.missing += 1,
            }
        }
        let strange = report.readings().filter(|(name, _)| self.group.counter(name).is_none());
        for (position, (name, reading)) in strange.enumerate() {
            read.unknown += 1;
            if let (Ok(number), Some(family), true) = (reading, self.unknown(name), position < MOST_UNKNOWN) {
                read.samples.push(Sample { family: Arc::new(family), value: number.as_f64() });
            }
        }
        read
    }

    /// A family for a counter that the catalogue does not hold; none where its name cannot be a metric's, or is one's.
    fn unknown(&self, counter: &str) -> Option<Family> {
        let usable = |letter: u8| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == b'_';
        if counter.is_empty() || counter.len() > LONGEST_NAME || !counter.bytes().all(usable) {
            return None;
        }
        let group = self.group.name;
        let name = format!("asyncos_{group}_{counter}_last_window");
        let taken = catalogue::groups()
            .iter()
            .flat_map(|group| group.counters.iter().map(move |counter| counter.gauge_name(group)))
            .any(|known| known == name);
        let path = self.group.api_path();
        let help = format!(
            "A counter that this version does not know: its value in the newest complete window, unit unknown \
             (API {path}, counter {counter})"
        );
        (!taken).then_some(Family { name, help })
    }
}

impl Samples {
    fn refuse(&mut self, why: Unusable) {
        if let Some(position) = Unusable::ALL.iter().position(|known| *known == why) {
            self.unusable[position] += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(group: &str, results: &str) -> Samples {
        let body = format!(r#"{{"data": {{"resultSet": {results}}}}}"#);
        let metrics = Metrics::new(catalogue::group(group).expect("in the catalogue"));
        metrics.read(&Report::parse(&body).expect("a report"))
    }

    fn values(read: &Samples) -> Vec<(&str, f64)> {
        read.samples.iter().map(|sample| (sample.family.name.as_str(), sample.value)).collect()
    }

    #[test]
    fn missing_unknown_and_unusable_are_counted_and_never_zero() {
        let found = read(
            "mail_dlp_outgoing_traffic_summary",
            r#"[{"dlp_incidents_high": 3}, {"dlp_incidents_low": null}, {"dlp_incidents_medium": -1}, {"new": 7},
                {"Bad Name": 1}, {"new_text": "x"}]"#,
        );
        assert_eq!(
            values(&found),
            [
                ("asyncos_mail_dlp_outgoing_traffic_summary_dlp_incidents_high_last_window", 3.0),
                ("asyncos_mail_dlp_outgoing_traffic_summary_new_last_window", 7.0),
            ]
        );
        assert_eq!((found.missing, found.unknown, found.unusable), (2, 3, [1, 1, 0, 0]));
    }

    #[test]
    fn only_whole_counts_go_into_totals() {
        let found =
            read("mail_system_capacity", r#"{"bytes_in": 10, "bytes_out": 1.5, "workqueue_maximum_messages": 3}"#);
        assert_eq!(found.samples.len(), 3);
        assert_eq!((found.increments, found.unusable), (vec![("bytes_in", 10)], [0, 0, 0, 1]));
        let metrics = Metrics::new(catalogue::group("mail_mar_summary").expect("in the catalogue"));
        let totals = metrics.totals(&BTreeMap::from([("msgs_deleted".into(), 7), ("gone".into(), 9)]));
        let totals: Vec<_> = totals.iter().map(|total| (total.family.name.as_str(), total.value)).collect();
        assert_eq!(totals[0], ("asyncos_mail_mar_summary_msgs_deleted_total", 7.0));
        assert!(totals.len() == 4 && totals[1..].iter().all(|(_, value)| *value == 0.0), "the others are at zero");
    }

    #[test]
    fn percentages_become_ratios() {
        let found = read("mail_system_capacity", r#"{"overall_percent_cpu_usage": 37.5}"#);
        let [(name, value)] = values(&found)[..] else { panic!("one sample: {found:?}") };
        assert!(name.ends_with("_ratio_last_window"), "{name}");
        assert!((value - 0.375).abs() < 1e-12);
    }

    #[test]
    fn a_flood_of_unknown_counters_is_bounded() {
        let flood: Vec<String> = (0..5_000).map(|n| format!(r#"{{"c{n}": 1}}"#)).collect();
        let found = read("mail_mor_summary", &format!("[{}]", flood.join(",")));
        assert_eq!((found.samples.len(), found.unknown), (MOST_UNKNOWN, 5_000));
    }

    #[test]
    fn text_groups_yield_nothing_and_miss_nothing() {
        let found = read("reporting_system", r#"[{"begin_time": "0"}, {"heartbeat": "1"}]"#);
        assert_eq!(found, Samples::default());
    }
}

//! A registry of metrics, and its content in types of our own, so that it can be written in any format.

use std::collections::BTreeSet;

use prometheus::core::Collector;
use prometheus::proto::{Metric, MetricFamily, MetricType};

use super::MetricError;
use crate::sample::Kind;

/// Families by name, those without a sample among them: the crate's own registry shows no such family.
#[derive(Debug, Default)]
pub(super) struct Registry {
    inner: prometheus::Registry,
    names: BTreeSet<String>,
}

impl Registry {
    /// Adds the families of `collector`.
    ///
    /// # Errors
    /// When one of them is there already.
    pub(super) fn register(&mut self, collector: Box<dyn Collector>) -> Result<(), MetricError> {
        let names: Vec<String> = collector.desc().into_iter().map(|family| family.fq_name.clone()).collect();
        self.inner.register(collector)?;
        self.names.extend(names);
        Ok(())
    }

    /// The families that have samples, sorted by name.
    pub(super) fn gather(&self) -> Vec<MetricFamily> {
        self.inner.gather()
    }

    /// The names of all families.
    pub(super) fn names(&self) -> &BTreeSet<String> {
        &self.names
    }
}

/// A family of metrics as it was when it was gathered.
#[derive(Clone, Debug, PartialEq)]
pub struct GatheredFamily {
    /// Its name.
    pub name: String,
    /// Its HELP text.
    pub help: String,
    /// The kind of its numbers.
    pub kind: Kind,
    /// Its samples.
    pub lines: Vec<Line>,
}

/// One sample.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// The suffix of the family's name: `_bucket`, `_sum` and `_count` of histograms, empty elsewhere.
    pub suffix: &'static str,
    /// Names and values.
    pub labels: Vec<(String, String)>,
    /// In base units.
    pub value: f64,
}

/// Everything in `registry`, sorted by name.
pub(super) fn gather(registry: &Registry) -> Vec<GatheredFamily> {
    let families = registry.gather().into_iter().filter_map(|family| {
        let kind = match family.get_field_type() {
            MetricType::COUNTER => Kind::Counter,
            MetricType::GAUGE => Kind::Gauge,
            MetricType::HISTOGRAM => Kind::Histogram,
            // None of ours is.
            MetricType::SUMMARY | MetricType::UNTYPED => return None,
        };
        let lines = family.get_metric().iter().flat_map(|metric| lines(kind, metric)).collect();
        Some(GatheredFamily { name: family.name().to_owned(), help: family.help().to_owned(), kind, lines })
    });
    families.collect()
}

fn lines(kind: Kind, metric: &Metric) -> Vec<Line> {
    let labels = || metric.get_label().iter().map(|pair| (pair.name().to_owned(), pair.value().to_owned()));
    let line = |suffix, value| Line { suffix, labels: labels().collect(), value };
    match kind {
        Kind::Counter => vec![line("", metric.get_counter().get_value())],
        Kind::Gauge => vec![line("", metric.get_gauge().get_value())],
        Kind::Histogram => {
            let histogram = metric.get_histogram();
            let bucket = |bound: f64, count: u64| {
                let labels = labels().chain([("le".to_owned(), canonical(bound))]).collect();
                Line { suffix: "_bucket", labels, value: count as f64 }
            };
            let buckets = histogram.get_bucket().iter();
            let mut lines: Vec<_> = buckets.map(|part| bucket(part.upper_bound(), part.cumulative_count())).collect();
            let count = histogram.get_sample_count();
            lines.push(bucket(f64::INFINITY, count));
            lines.push(line("_sum", histogram.get_sample_sum()));
            lines.push(line("_count", count as f64));
            lines
        }
    }
}

/// A bound as OpenMetrics wants it. The text format would take `1` for `1.0` too; with one spelling in both, a change of
/// format begins no new series.
fn canonical(bound: f64) -> String {
    if bound.is_finite() { zmij::Buffer::new().format_finite(bound).to_owned() } else { "+Inf".to_owned() }
}

#[cfg(test)]
mod tests {
    use prometheus::{Gauge, Histogram, HistogramOpts, IntCounter};

    use super::*;

    #[test]
    fn every_kind_is_read_whole() {
        let mut registry = Registry::default();
        let counter = IntCounter::new("b_total", "B").unwrap();
        let histogram = Histogram::with_opts(HistogramOpts::new("c", "C").buckets(vec![0.5, 1.0])).unwrap();
        let gauge = Gauge::new("a", "A").unwrap();
        counter.inc_by(3);
        gauge.set(-0.5);
        for seconds in [0.25, 0.75, 5.0] {
            histogram.observe(seconds);
        }
        registry.register(Box::new(counter)).unwrap();
        registry.register(Box::new(histogram)).unwrap();
        registry.register(Box::new(gauge)).unwrap();
        let line = |suffix, labels: &[(&str, &str)], value| Line {
            suffix,
            labels: labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            value,
        };
        let family = |name: &str, help: &str, kind, lines| GatheredFamily {
            name: name.to_owned(),
            help: help.to_owned(),
            kind,
            lines,
        };
        let expected = [
            family("a", "A", Kind::Gauge, vec![line("", &[], -0.5)]),
            family("b_total", "B", Kind::Counter, vec![line("", &[], 3.0)]),
            family(
                "c",
                "C",
                Kind::Histogram,
                vec![
                    line("_bucket", &[("le", "0.5")], 1.0),
                    line("_bucket", &[("le", "1.0")], 2.0),
                    line("_bucket", &[("le", "+Inf")], 3.0),
                    line("_sum", &[], 6.0),
                    line("_count", &[], 3.0),
                ],
            ),
        ];
        assert_eq!(gather(&registry), expected);
    }
}

//! Where a value on the page comes from: which request, which window, when, and what the appliance said. Pure; knows
//! nothing of HTTP.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;

use crate::base::clock::{Tick, Timestamp};
use crate::base::window::Window;
use crate::sample::Sample;
use crate::snapshot::{AspectView, GroupView, Origin, Snapshot};

/// Labels that Prometheus adds; a series copied from there has them.
const NOT_OURS: [&str; 2] = ["instance", "job"];
/// The number of series that are suggested when a query names none.
const MOST_NAMED: usize = 10;

/// A question about one series.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Question {
    metric: String,
    labels: BTreeMap<String, String>,
}

/// Why there is no explanation.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unexplained {
    /// The question is none.
    #[error("{0}")]
    Malformed(&'static str),
    /// No series has this name and these labels.
    #[error(
        "no series `{metric}` with these labels comes from an appliance, or no response has arrived yet: metrics about \
        the exporter and its traffic are not explained"
    )]
    Unknown {
        /// The name.
        metric: String,
        /// Series of that name.
        others: Vec<BTreeMap<String, String>>,
    },
    /// Several have.
    #[error("several series `{metric}` have these labels: add labels to select one")]
    Ambiguous {
        /// The name.
        metric: String,
        /// Some of them.
        others: Vec<BTreeMap<String, String>>,
    },
}

/// The source of one series. As JSON it is the response of `/api/v1/explain`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Explanation {
    /// Its name.
    pub metric: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// `gauge` or `counter`.
    pub kind: &'static str,
    /// Its value.
    pub value: f64,
    /// Whether it is on the page now; a gauge that is too old is not.
    pub shown: bool,
    /// The counter group, or the aspect, that it is of.
    pub group: String,
    /// The counter of the report.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub counter: Option<String>,
    /// The answer it comes from; of a total, the one that was counted last. None before the first since the exporter
    /// started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<Answer>,
    /// The parts of a total.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<Total>,
}

/// One answer of an appliance.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Answer {
    /// Method, path and query as sent; not known for status answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
    /// The time that was asked about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window: Option<Bounds>,
    /// When it was answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// Whose clock says so: `appliance` or `exporter`.
    pub clock: &'static str,
    /// The value in the answer, before conversion to base units.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub raw: Option<f64>,
}

/// A window, its end not included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Bounds {
    /// Its beginning.
    pub start: Timestamp,
    /// Its end.
    pub end: Timestamp,
}

/// The parts of a total.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Total {
    /// When it began at zero, by the appliance's clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// The end of the newest window in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub up_to: Option<Timestamp>,
    /// The increments of the answer that was counted last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_added: Option<u64>,
}

impl Question {
    /// The question in the pairs of a query: `metric`, and a pair a label.
    ///
    /// # Errors
    /// When there is not one metric, or a label has two values.
    pub(crate) fn try_new(pairs: impl IntoIterator<Item = (String, String)>) -> Result<Self, Unexplained> {
        let mut metric = None;
        let mut labels = BTreeMap::new();
        for (name, value) in pairs {
            let before = match name.as_str() {
                "metric" => metric.replace(value),
                name if NOT_OURS.contains(&name) => None,
                _ => labels.insert(name, value),
            };
            if before.is_some() {
                return Err(Unexplained::Malformed("a name appears twice"));
            }
        }
        let metric = metric.filter(|metric| !metric.is_empty());
        let metric =
            metric.ok_or(Unexplained::Malformed("`metric` is missing: /api/v1/explain?metric=…&appliance=…"))?;
        Ok(Self { metric, labels })
    }

    /// The answer to it as of `now`.
    ///
    /// # Errors
    /// When there is no such series, or several.
    pub(crate) fn answer(&self, snapshots: &[Arc<Snapshot>], now: Tick) -> Result<Explanation, Unexplained> {
        let all: Vec<Found<'_>> = snapshots.iter().flat_map(|snapshot| self.named(snapshot)).collect();
        let mut found: Vec<&Found<'_>> = all.iter().filter(|found| self.admits(&found.labels)).collect();
        if found.len() > 1 {
            // A series without further labels is meant if the query gives none.
            let given = self.labels.iter().filter(|(_, value)| !value.is_empty()).count();
            let exact: Vec<_> = found.iter().copied().filter(|found| found.labels.len() == given).collect();
            if exact.len() == 1 {
                found = exact;
            }
        }
        let metric = self.metric.clone();
        let sets = |found: &mut dyn Iterator<Item = &Found<'_>>| {
            found.take(MOST_NAMED).map(|found| found.labels.clone()).collect::<Vec<_>>()
        };
        match found[..] {
            [] => Err(Unexplained::Unknown { metric, others: sets(&mut all.iter()) }),
            [found] => Ok(found.explain(metric, now)),
            _ => Err(Unexplained::Ambiguous { metric, others: sets(&mut found.into_iter()) }),
        }
    }

    /// Whether a series with `labels` is asked about; an empty value is that of an absent label.
    fn admits(&self, labels: &BTreeMap<String, String>) -> bool {
        self.labels.iter().all(|(name, value)| labels.get(name).map_or("", String::as_str) == value)
    }

    /// The series of one appliance that have the name.
    fn named<'a>(&'a self, snapshot: &'a Snapshot) -> Vec<Found<'a>> {
        let mut found = Vec::new();
        let own =
            |samples: &'a [Sample]| samples.iter().enumerate().filter(|(_, sample)| sample.family.name == self.metric);
        for view in &snapshot.groups {
            let samples = view.reading.as_deref().map_or(&[][..], |reading| &reading.samples);
            let gauges = own(samples).map(|(position, sample)| (sample, Of::Window { view, position }));
            for (sample, of) in gauges.chain(own(&view.totals).map(|(_, sample)| (sample, Of::Total(view)))) {
                let scope = [("device_group", view.scope.device_group()), ("device", view.scope.device())];
                found.push(Found { sample, labels: labels(snapshot, scope, sample), of });
            }
        }
        for view in &snapshot.aspects {
            let gauges = own(&view.status_metrics.gauges).map(|(_, sample)| (sample, Of::Now { view, kind: "gauge" }));
            let counters =
                own(&view.status_metrics.counters).map(|(_, sample)| (sample, Of::Now { view, kind: "counter" }));
            for (sample, of) in gauges.chain(counters) {
                found.push(Found { sample, labels: labels(snapshot, [], sample), of });
            }
        }
        found
    }
}

fn labels<const N: usize>(snapshot: &Snapshot, scope: [(&str, &str); N], sample: &Sample) -> BTreeMap<String, String> {
    let own = sample.labels.iter().map(|(name, value)| (&**name, &**value));
    let all = [("appliance", &*snapshot.appliance)].into_iter().chain(scope).chain(own);
    all.filter(|(_, value)| !value.is_empty()).map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// A series that was found.
struct Found<'a> {
    sample: &'a Sample,
    labels: BTreeMap<String, String>,
    of: Of<'a>,
}

/// The origin of a series.
enum Of<'a> {
    /// One window, of which it is the value at this position.
    Window { view: &'a GroupView, position: usize },
    /// All windows.
    Total(&'a GroupView),
    /// A status answer.
    Now { view: &'a AspectView, kind: &'static str },
}

impl Found<'_> {
    fn explain(&self, metric: String, now: Tick) -> Explanation {
        let value = self.sample.value;
        let (kind, group, shown) = match &self.of {
            Of::Window { view, .. } => {
                ("gauge", &*view.group, view.reading.as_ref().is_some_and(|reading| reading.expires > now))
            }
            Of::Total(view) => ("counter", &*view.group, true),
            Of::Now { view, kind } => (*kind, view.name, *kind == "counter" || view.expires > now),
        };
        Explanation {
            metric,
            labels: self.labels.clone(),
            kind,
            value,
            shown,
            group: group.to_owned(),
            counter: self.sample.family.counter.as_deref().map(str::to_owned),
            answer: self.made_of(),
            total: match &self.of {
                Of::Total(view) => Some(self.total(view)),
                Of::Window { .. } | Of::Now { .. } => None,
            },
        }
    }

    fn made_of(&self) -> Option<Answer> {
        match &self.of {
            Of::Window { view, position } => {
                let reading = view.reading.as_ref()?;
                let scaled = reading.raw_values.iter().find(|(at, _)| usize::try_from(*at) == Ok(*position));
                let raw = scaled.map_or(self.sample.value, |(_, raw)| *raw);
                Some(Answer { raw: Some(raw), ..Answer::of(view.origin.as_deref()?) })
            }
            Of::Total(view) => view.origin.as_deref().map(Answer::of),
            Of::Now { view, .. } => {
                Some(Answer { request: None, window: None, at: view.last_success, clock: "exporter", raw: None })
            }
        }
    }

    fn total(&self, view: &GroupView) -> Total {
        let added = |origin: &Arc<Origin>| {
            let own = origin.added.iter().find(|(sum, _)| self.sample.is_total_of(sum));
            own.map_or(0, |(_, count)| *count)
        };
        Total { since: view.since, up_to: view.window_end, last_added: view.origin.as_ref().map(added) }
    }
}

impl Answer {
    fn of(origin: &Origin) -> Self {
        let Origin { sent, window, at, added: _ } = origin;
        Self {
            request: Some(format!("GET {sent}")),
            window: Some(Bounds::of(*window)),
            at: Some(*at),
            clock: "appliance",
            raw: None,
        }
    }
}

impl Bounds {
    fn of(window: Window) -> Self {
        Self { start: window.start(), end: window.end() }
    }
}

impl Explanation {
    /// As JSON, with a line break at the end.
    #[must_use]
    pub(crate) fn json(&self) -> String {
        json(self)
    }
}

impl Unexplained {
    /// As JSON, with a line break at the end.
    #[must_use]
    pub(crate) fn json(&self) -> String {
        let error = self.to_string();
        match self {
            Self::Malformed(_) => json(&serde_json::json!({ "error": error })),
            Self::Unknown { others, .. } | Self::Ambiguous { others, .. } => {
                json(&serde_json::json!({ "error": error, "series": others }))
            }
        }
    }
}

fn json(value: &impl Serialize) -> String {
    // Tables with text for keys can always be written.
    serde_json::to_string_pretty(value).unwrap_or_default() + "\n"
}

#[cfg(test)]
mod tests;

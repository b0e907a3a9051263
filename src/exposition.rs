//! Renders snapshots in Prometheus' text format 0.0.4. Knows nothing of HTTP or of how a snapshot came about.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::api::{Reason, Unusable};
use crate::clock::{Clock, Tick};
use crate::sample::{About, Sample};
use crate::snapshot::{AspectView, GroupView, LostReason, Snapshot};

mod body;
mod scrape;

pub use body::Body;
pub use scrape::Scrape;

/// The value of `Content-Type` for what [`render`] writes.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Appends everything that `snapshots` say to `page`; values that are stale by `clock` are left out.
/// Families are sorted by name, series by appliance and then as configured.
pub fn render(snapshots: &[Arc<Snapshot>], clock: &Clock, page: &mut Vec<u8>) {
    let now = clock.tick();
    let mut families = Families::default();
    for snapshot in snapshots {
        appliance(snapshot, now, &mut families);
        for view in &snapshot.groups {
            let labels = labels(&snapshot.appliance, view);
            state(view, &labels, &mut families);
            values(view, &labels, now, &mut families);
        }
    }
    families.write(page);
}

const UP: About = About::gauge("asyncos_up", "Whether the appliance's API answers us");
const CLOCK_SKEW: About = About::gauge("asyncos_clock_skew_seconds", "How far the appliance's clock is ahead of ours");
const INFO: About = About::gauge(
    "asyncos_appliance_info",
    "What is known of the appliance: product, and build, host name and time zone where it tells them; always 1",
);
const CENTRALISED: About = About::gauge(
    "asyncos_reporting_centralised",
    "Whether a gateway leaves its reporting to a manager and so has no figures of its own but those of its capacity",
);
const REFUSED: About = About::gauge(
    "asyncos_group_refused",
    "The appliance does not answer this, by `reason`, so it is asked seldom; 1 while that is so",
);
const GROUP_SUCCESS: About =
    About::gauge("asyncos_group_success", "Whether the newest poll of the counter group brought its report");
const LAST_SUCCESS: About = About::gauge(
    "asyncos_group_last_success_timestamp_seconds",
    "When a report of the counter group was last had, in seconds since 1970",
);
const WINDOW: About = About::gauge("asyncos_window_seconds", "The length of the counter group's windows");
const WINDOW_END: About = About::gauge(
    "asyncos_window_end_timestamp_seconds",
    "The end of the newest counted window by the appliance's clock, in seconds since 1970",
);
const SETTLE: About = About::gauge("asyncos_settle_seconds", "How long after its end a window is asked for");
const PENDING: About = About::gauge("asyncos_windows_pending", "Complete windows that are not counted yet");
const COMMITTED: About = About::counter("asyncos_windows_committed_total", "Windows that were counted");
const LOST: About = About::counter("asyncos_windows_lost_total", "Windows that were given up and are in no number");
const DIFFERENCE: About = About::gauge(
    "asyncos_reconciliation_difference",
    "What the appliance's report for whole hours had beyond our windows when they were last compared, over all counters",
);
const RECONCILIATIONS: About =
    About::counter("asyncos_reconciliations_total", "Comparisons of whole hours with the sum of their windows");
const LATE: About = About::counter(
    "asyncos_late_events_total",
    "Events that were found after their window was counted, over all counters",
);
const MISSING: About =
    About::counter("asyncos_counters_missing_total", "Counters of the catalogue that a report did not hold");
const UNKNOWN: About =
    About::counter("asyncos_counters_unknown_total", "Counters of a report that the catalogue does not hold");
const DROPPED: About = About::counter(
    "asyncos_series_dropped_total",
    "Rows of keyed reports that went into the row `other`, or nowhere where rows do not add up, because of `series_limit`",
);
const UNUSABLE: About =
    About::counter("asyncos_counters_unusable_total", "Counters of a report whose value is no usable number");

/// All of them, for the manual to be held against.
pub const ABOUT_DATA: &[About] = &[
    UP,
    INFO,
    CENTRALISED,
    GROUP_SUCCESS,
    LAST_SUCCESS,
    REFUSED,
    WINDOW_END,
    WINDOW,
    SETTLE,
    PENDING,
    COMMITTED,
    LOST,
    DIFFERENCE,
    RECONCILIATIONS,
    LATE,
    MISSING,
    UNKNOWN,
    UNUSABLE,
    DROPPED,
    CLOCK_SKEW,
];

fn appliance(snapshot: &Snapshot, now: Tick, families: &mut Families) {
    let labels = Labels::new("appliance", &snapshot.appliance);
    let mut info = labels.with("product", snapshot.product);
    for view in &snapshot.aspects {
        aspect(view, &labels, now, families);
        info = view.vitals.info.iter().fold(info, |info, (name, value)| info.with(name, value));
    }
    families.add(&INFO, &info, 1.0);
    if let Some(centralised) = snapshot.centralised {
        families.add(&CENTRALISED, &labels, f64::from(u8::from(centralised)));
    }
    families.add(&UP, &labels, f64::from(u8::from(snapshot.up)));
    if let Some(skew) = snapshot.clock_skew_seconds {
        families.add(&CLOCK_SKEW, &labels, skew);
    }
}

fn aspect(view: &AspectView, labels: &Labels, now: Tick, families: &mut Families) {
    let labels_of_group = labels.with("group", view.name);
    families.add(&GROUP_SUCCESS, &labels_of_group, f64::from(u8::from(view.success)));
    if let Some(at) = view.last_success {
        families.add(&LAST_SUCCESS, &labels_of_group, at.as_secs_f64());
    }
    refusal(view.refusal, &labels_of_group, families);
    for counter in &view.vitals.counters {
        families.sample(counter, "counter", labels);
    }
    if view.expires > now {
        for gauge in &view.vitals.gauges {
            families.sample(gauge, "gauge", labels);
        }
    }
}

fn refusal(reason: Option<Reason>, labels: &Labels, families: &mut Families) {
    if let Some(reason) = reason {
        families.add(&REFUSED, &labels.with("reason", reason.label()), 1.0);
    }
}

/// The labels that every value of a group carries. Empty ones are left out.
fn labels(appliance: &str, view: &GroupView) -> Labels {
    Labels::new("appliance", appliance)
        .with("device_group", view.scope.device_group())
        .with("device", view.scope.device())
}

fn state(view: &GroupView, labels: &Labels, families: &mut Families) {
    let labels = labels.with("group", &view.group);
    let GroupView { tally, .. } = view;
    families.add(&GROUP_SUCCESS, &labels, f64::from(u8::from(view.success)));
    families.add(&WINDOW, &labels, view.window.as_secs_f64());
    families.add(&SETTLE, &labels, view.settle.as_secs_f64());
    families.add(&PENDING, &labels, view.pending as f64);
    families.add(&COMMITTED, &labels, tally.committed as f64);
    families.add(&RECONCILIATIONS, &labels, tally.reconciliations as f64);
    families.add(&LATE, &labels, tally.late as f64);
    if let Some(difference) = view.difference {
        families.add(&DIFFERENCE, &labels, difference as f64);
    }
    families.add(&MISSING, &labels, tally.missing as f64);
    families.add(&UNKNOWN, &labels, tally.unknown as f64);
    families.add(&DROPPED, &labels, tally.dropped as f64);
    for (reason, lost) in LostReason::ALL.iter().zip(tally.lost) {
        families.add(&LOST, &labels.with("reason", reason.label()), lost as f64);
    }
    for (reason, unusable) in Unusable::ALL.iter().zip(tally.unusable) {
        families.add(&UNUSABLE, &labels.with("reason", reason.label()), unusable as f64);
    }
    refusal(view.refusal, &labels, families);
    if let Some(end) = view.window_end {
        families.add(&WINDOW_END, &labels, end.as_secs_f64());
    }
    if let Some(at) = view.last_success {
        families.add(&LAST_SUCCESS, &labels, at.as_secs_f64());
    }
}

fn values(view: &GroupView, labels: &Labels, now: Tick, families: &mut Families) {
    for total in &*view.totals {
        families.sample(total, "counter", labels);
    }
    let Some(reading) = view.reading.as_ref().filter(|reading| reading.expires > now) else { return };
    for sample in &reading.samples {
        families.sample(sample, "gauge", labels);
    }
}

/// Rendered label pairs, without the braces.
#[derive(Clone, Debug)]
struct Labels(String);

impl Labels {
    fn new(name: &str, value: &str) -> Self {
        Self(String::new()).with(name, value)
    }

    fn with(&self, name: &str, value: &str) -> Self {
        let mut labels = self.0.clone();
        if !value.is_empty() {
            if !labels.is_empty() {
                labels.push(',');
            }
            labels.push_str(name);
            labels.push_str("=\"");
            escape(value, &mut labels, true);
            labels.push('"');
        }
        Self(labels)
    }
}

/// Families by name, each with its rendered lines.
#[derive(Debug, Default)]
struct Families(BTreeMap<String, Family>);

#[derive(Debug)]
struct Family {
    head: String,
    lines: String,
}

impl Families {
    fn add(&mut self, about: &About, labels: &Labels, value: f64) {
        self.family(about.name, about.kind, about.help).line(about.name, labels, value);
    }

    fn sample(&mut self, sample: &Sample, kind: &str, labels: &Labels) {
        let Sample { family, labels: own, value } = sample;
        let line = self.family(&family.name, kind, &family.help);
        if own.is_empty() {
            line.line(&family.name, labels, *value);
        } else {
            let labels = own.iter().fold(labels.clone(), |labels, (name, value)| labels.with(name, value));
            line.line(&family.name, &labels, *value);
        }
    }

    fn family(&mut self, name: &str, kind: &str, help: &str) -> &mut Family {
        self.0.entry(name.to_owned()).or_insert_with(|| {
            let mut head = format!("# HELP {name} ");
            escape(help, &mut head, false);
            head.push_str(&format!("\n# TYPE {name} {kind}\n"));
            Family { head, lines: String::new() }
        })
    }

    fn write(self, page: &mut Vec<u8>) {
        for family in self.0.into_values() {
            page.extend_from_slice(family.head.as_bytes());
            page.extend_from_slice(family.lines.as_bytes());
        }
    }
}

impl Family {
    fn line(&mut self, name: &str, Labels(labels): &Labels, value: f64) {
        /// 2^53: whole numbers up to here are exact and shown as such.
        const EXACT: f64 = 9_007_199_254_740_992.0;
        self.lines.push_str(name);
        self.lines.push('{');
        self.lines.push_str(labels);
        self.lines.push_str("} ");
        if value.fract() == 0.0 && value.abs() <= EXACT {
            self.lines.push_str(itoa::Buffer::new().format(value as i64));
        } else {
            self.lines.push_str(zmij::Buffer::new().format(value));
        }
        self.lines.push('\n');
    }
}

/// Escapes as the format asks: backslash and line break everywhere, the quote in label values.
fn escape(text: &str, out: &mut String, quote: bool) {
    for letter in text.chars() {
        match letter {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '"' if quote => out.push_str("\\\""),
            other => out.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_escaped_and_empty_ones_left_out() {
        let labels = Labels::new("a", "x\"\\\ny").with("b", "").with("c", "ü");
        assert_eq!(labels.0, r#"a="x\"\\\ny",c="ü""#);
    }

    #[test]
    fn names_fit_their_kinds() {
        for About { name, kind, help } in ABOUT_DATA {
            assert_eq!(*kind == "counter", name.ends_with("_total"), "{name}");
            assert!(!help.is_empty());
        }
    }
}

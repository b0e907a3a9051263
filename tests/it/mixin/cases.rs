//! For each alert a life: at its limit and silent, beyond it and firing, and well again.

mod appliance;
mod baseline;
mod collection;
mod detections;
pub(super) mod forecast;
pub(super) mod hardware;
pub(super) mod hourly;
mod mail;
pub(super) mod wave;

/// What an alert makes of some series.
#[derive(Clone, Debug)]
pub(super) struct Case {
    pub(super) alert: &'static str,
    /// Series and values in promtool's notation, one value a minute, or every ten minutes in [`baseline`].
    pub(super) series: Vec<(String, String)>,
    /// When it must be silent, firing, and silent again, in steps.
    pub(super) silent: u64,
    /// Further steps at which it must be silent.
    pub(super) quiet: Vec<u64>,
    pub(super) firing: u64,
    pub(super) resolved: u64,
    pub(super) labels: Vec<(&'static str, &'static str)>,
    pub(super) summary: &'static str,
    pub(super) description: &'static str,
}

const EXPORTER: &str = "job=\"asyncos\",instance=\"h:1\"";

/// A case about one appliance of one exporter; series, times and words are added.
pub(super) fn case(alert: &'static str) -> Case {
    Case {
        alert,
        series: Vec::new(),
        silent: 0,
        quiet: Vec::new(),
        firing: 0,
        resolved: 0,
        labels: vec![("job", "asyncos"), ("instance", "h:1"), ("appliance", "esa1")],
        summary: "",
        description: "",
    }
}

impl Case {
    /// A series of the appliance; `labels` are further ones.
    pub(super) fn of(self, metric: &str, labels: &str, values: String) -> Self {
        self.named("esa1", metric, labels, values)
    }

    /// A series of another appliance.
    pub(super) fn named(mut self, appliance: &str, metric: &str, labels: &str, values: String) -> Self {
        let comma = if labels.is_empty() { "" } else { "," };
        self.series.push((format!("{metric}{{{EXPORTER},appliance=\"{appliance}\"{comma}{labels}}}"), values));
        self
    }

    /// A series of the exporter, and of no appliance.
    pub(super) fn exporter(mut self, metric: &str, labels: &str, values: String) -> Self {
        let comma = if labels.is_empty() { "" } else { "," };
        self.series.push((format!("{metric}{{{EXPORTER}{comma}{labels}}}"), values));
        self.labels.retain(|(name, _)| *name != "appliance");
        self
    }

    /// The appliance counts in windows of so many seconds.
    pub(super) fn windows(self, seconds: u64) -> Self {
        self.of("asyncos_window_seconds", "", gauge([(seconds as f64, 4000)]))
    }

    pub(super) fn at(mut self, silent: u64, firing: u64, resolved: u64) -> Self {
        (self.silent, self.firing, self.resolved) = (silent, firing, resolved);
        self
    }

    /// Further steps at which it is silent.
    pub(super) fn silent_at<const N: usize>(mut self, steps: [u64; N]) -> Self {
        self.quiet.extend(steps);
        self
    }

    /// A label of the alert beyond those of the appliance.
    pub(super) fn label(mut self, name: &'static str, value: &'static str) -> Self {
        self.labels.push((name, value));
        self
    }

    /// A label that the alert does not have.
    pub(super) fn without(mut self, name: &str) -> Self {
        self.labels.retain(|(label, _)| *label != name);
        self
    }

    pub(super) fn says(mut self, summary: &'static str, description: &'static str) -> Self {
        (self.summary, self.description) = (summary, description);
        self
    }
}

/// Each value for so many steps.
pub(super) fn gauge<const N: usize>(parts: [(f64, u64); N]) -> String {
    let part = |(value, steps): (f64, u64)| format!("{value}x{}", steps - 1);
    parts.map(part).join(" ")
}

/// A counter that grows by each amount a step for so many steps.
pub(super) fn counter<const N: usize>(parts: [(f64, u64); N]) -> String {
    let mut from = 0.0;
    parts
        .map(|(growth, steps)| {
            let part = format!("{from}+{growth}x{}", steps - 1);
            from += growth * steps as f64;
            part
        })
        .join(" ")
}

/// Those of minutes.
pub(super) fn by_minutes() -> Vec<Case> {
    [
        collection::exporter(),
        collection::cases(),
        appliance::cases(),
        appliance::stores(),
        hardware::cases(),
        mail::cases(),
        detections::cases(),
    ]
    .concat()
}

/// Those that look back a day or a week, in steps of ten minutes.
pub(super) fn by_weeks() -> Vec<Case> {
    baseline::cases()
}

#[test]
fn values_are_written_as_promtool_reads_them() {
    assert_eq!(gauge([(1.0, 10), (0.5, 1)]), "1x9 0.5x0");
    assert_eq!(counter([(2.0, 10), (0.0, 5)]), "0+2x9 20+0x4");
}

//! The report of a check: its steps, as a table and as JSON. Pure.

use std::fmt;

use serde_json::{Value, json};

use crate::config::Appliance;

/// One thing that is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StepKind {
    Reachable,
    Tls,
    Login,
    Release,
    Clock,
    Reports,
    Windows,
    RunningHour,
    Scopes,
    Searches,
    Quarantines,
    Status,
    StatusPage,
    ResponseTime,
}

/// The result of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Works,
    /// The exporter copes with it.
    Warning,
    Failed,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) kind: StepKind,
    pub(super) outcome: Outcome,
    /// One or two words for the table; the outcome where absent.
    pub(super) cell: Option<String>,
    pub(super) detail: String,
    /// The configured things that the step is about, where it is about several.
    pub(super) items: Vec<Item>,
}

/// One configured thing, such as a counter group or a quarantine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Item {
    pub(super) name: String,
    /// Why it cannot be read; none where it can.
    pub(super) trouble: Option<String>,
}

/// All that was found about one appliance.
#[derive(Clone, Debug)]
pub(super) struct ApplianceReport {
    pub(super) name: String,
    pub(super) url: String,
    /// In the order in which they were made. What could not be checked is missing.
    pub(super) steps: Vec<Step>,
}

impl StepKind {
    const ALL: [Self; 14] = [
        Self::Reachable,
        Self::Tls,
        Self::Login,
        Self::Release,
        Self::Clock,
        Self::Reports,
        Self::Windows,
        Self::RunningHour,
        Self::Scopes,
        Self::Searches,
        Self::Quarantines,
        Self::Status,
        Self::StatusPage,
        Self::ResponseTime,
    ];

    const fn label(self) -> &'static str {
        match self {
            Self::Reachable => "reachable",
            Self::Tls => "TLS",
            Self::Login => "login",
            Self::Release => "release",
            Self::Clock => "clock",
            Self::Reports => "reports",
            Self::Windows => "windows",
            Self::RunningHour => "running hour",
            Self::Scopes => "scopes",
            Self::Searches => "searches",
            Self::Quarantines => "quarantines",
            Self::Status => "status",
            Self::StatusPage => "status page",
            Self::ResponseTime => "response time",
        }
    }

    /// The key in JSON.
    fn key(self) -> String {
        self.label().to_lowercase().replace(' ', "_")
    }
}

impl Outcome {
    const fn label(self) -> &'static str {
        match self {
            Self::Works => "ok",
            Self::Warning => "warning",
            Self::Failed => "failed",
        }
    }
}

impl Step {
    pub(super) fn works(kind: StepKind, detail: impl Into<String>) -> Self {
        Self { kind, outcome: Outcome::Works, cell: None, detail: detail.into(), items: Vec::new() }
    }

    pub(super) fn warning(kind: StepKind, detail: impl Into<String>) -> Self {
        Self { outcome: Outcome::Warning, ..Self::works(kind, detail) }
    }

    pub(super) fn failed(kind: StepKind, detail: impl Into<String>) -> Self {
        Self { outcome: Outcome::Failed, ..Self::works(kind, detail) }
    }

    /// The step with these words in the table.
    pub(super) fn with_cell(self, cell: impl Into<String>) -> Self {
        Self { cell: Some(cell.into()), ..self }
    }

    /// The step with what it is about.
    pub(super) fn with_items(self, items: Vec<Item>) -> Self {
        Self { items, ..self }
    }

    /// The words in the table.
    pub(super) fn shown(&self) -> &str {
        self.cell.as_deref().unwrap_or(self.outcome.label())
    }
}

impl fmt::Display for Step {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let outcome = match self.outcome {
            Outcome::Works => "",
            Outcome::Warning => "warning: ",
            Outcome::Failed => "failed: ",
        };
        write!(out, "{}: {outcome}{}", self.kind.label(), self.detail)
    }
}

impl ApplianceReport {
    pub(super) fn new(appliance: &Appliance) -> Self {
        Self { name: appliance.name.clone(), url: appliance.url.to_string(), steps: Vec::new() }
    }

    /// Whether everything that is configured works.
    pub(super) fn works(&self) -> bool {
        self.steps.iter().all(|step| step.outcome != Outcome::Failed)
    }

    fn result(&self) -> &'static str {
        if self.works() { Outcome::Works.label() } else { Outcome::Failed.label() }
    }

    fn step(&self, kind: StepKind) -> Option<&Step> {
        self.steps.iter().find(|step| step.kind == kind)
    }
}

/// A row for each appliance. Columns that are empty for all of them are left out.
pub(super) fn table(reports: &[ApplianceReport]) -> String {
    let is_used = |kind: &StepKind| reports.iter().any(|report| report.step(*kind).is_some());
    let kinds: Vec<StepKind> = StepKind::ALL.into_iter().filter(is_used).collect();
    let head = kinds.iter().map(|kind| kind.label().to_owned());
    let mut rows: Vec<Vec<String>> =
        vec![["appliance".to_owned(), "result".to_owned()].into_iter().chain(head).collect()];
    for report in reports {
        let cells = kinds.iter().map(|kind| report.step(*kind).map_or("-", Step::shown).to_owned());
        rows.push([report.name.clone(), report.result().to_owned()].into_iter().chain(cells).collect());
    }
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or_default()).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// The same for programs, with the details.
pub(super) fn json(reports: &[ApplianceReport]) -> String {
    let item = |Item { name, trouble }: &Item| match trouble {
        None => json!({"name": name, "outcome": Outcome::Works.label()}),
        Some(trouble) => json!({"name": name, "outcome": Outcome::Failed.label(), "detail": trouble}),
    };
    let step = |step: &Step| {
        let (key, outcome, detail) = (step.kind.key(), step.outcome.label(), &step.detail);
        match step.items.is_empty() {
            true => json!({"step": key, "outcome": outcome, "detail": detail}),
            false => {
                let items: Vec<Value> = step.items.iter().map(item).collect();
                json!({"step": key, "outcome": outcome, "detail": detail, "items": items})
            }
        }
    };
    let appliance = |report: &ApplianceReport| {
        let steps: Vec<Value> = report.steps.iter().map(step).collect();
        json!({"appliance": report.name, "url": report.url, "ok": report.works(), "steps": steps})
    };
    let ok = reports.iter().all(ApplianceReport::works);
    let appliances: Vec<Value> = reports.iter().map(appliance).collect();
    format!("{:#}", json!({"ok": ok, "appliances": appliances}))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reports() -> Vec<ApplianceReport> {
        let report = |name: &str, steps| ApplianceReport { name: name.into(), url: "https://x/".into(), steps };
        let release = Step::works(StepKind::Release, "AsyncOS 16.0.0-050, model C100V").with_cell("16.0.0-050");
        vec![
            report("esa1", vec![Step::works(StepKind::Login, "accepted"), release]),
            report("sma-of-europe", vec![Step::failed(StepKind::Login, "status 401")]),
        ]
    }

    #[test]
    fn a_table_has_a_row_for_each_appliance() {
        let expected = "appliance      result  login   release\n\
                        esa1           ok      ok      16.0.0-050\n\
                        sma-of-europe  failed  failed  -";
        assert_eq!(table(&reports()), expected);
        assert_eq!(reports()[1].steps[0].to_string(), "login: failed: status 401");
    }

    #[test]
    fn json_has_the_details() {
        let parsed: Value = serde_json::from_str(&json(&reports())).expect("JSON");
        assert_eq!((&parsed["ok"], &parsed["appliances"][0]["ok"]), (&json!(false), &json!(true)));
        let step = json!({"step": "login", "outcome": "failed", "detail": "status 401"});
        assert_eq!(parsed["appliances"][1]["steps"], json!([step]));
        let items = ["a", "b"].map(|name| Item { name: name.into(), trouble: (name == "b").then(|| "gone".into()) });
        let scopes = Step::failed(StepKind::Scopes, "1 of 2").with_items(items.to_vec());
        let parsed: Value =
            serde_json::from_str(&json(&[ApplianceReport { steps: vec![scopes], ..reports().remove(0) }]))
                .expect("JSON");
        let items = json!([{"name": "a", "outcome": "ok"}, {"name": "b", "outcome": "failed", "detail": "gone"}]);
        assert_eq!(parsed["appliances"][0]["steps"][0]["items"], items);
    }

    #[test]
    fn a_warning_is_no_failure() {
        let warned = ApplianceReport { steps: vec![Step::warning(StepKind::Clock, "x")], ..reports().remove(0) };
        assert!(warned.works());
        assert!(!reports()[1].works());
    }
}

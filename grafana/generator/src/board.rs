//! A board: its variables, links, annotations, and the places of its panels.

use serde_json::{Value, json};

use super::counted::{BEHIND, SHORT_WINDOW};
use super::panel::{Panel, source};
use super::query;
use super::style::Colour;

/// Which board; names are part of links and never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Uid {
    Fleet,
    Incoming,
    Outgoing,
    Capacity,
    Encryption,
    Stores,
    Top,
    Scopes,
    Exporter,
}

impl Uid {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Fleet => "asyncos-fleet",
            Self::Incoming => "asyncos-incoming",
            Self::Outgoing => "asyncos-outgoing",
            Self::Capacity => "asyncos-capacity",
            Self::Encryption => "asyncos-encryption",
            Self::Stores => "asyncos-quarantines",
            Self::Top => "asyncos-top",
            Self::Scopes => "asyncos-scopes",
            Self::Exporter => "asyncos-exporter",
        }
    }

    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::Fleet => "AsyncOS / Fleet overview",
            Self::Incoming => "AsyncOS / Incoming mail and threats",
            Self::Outgoing => "AsyncOS / Outgoing mail and delivery",
            Self::Capacity => "AsyncOS / System capacity and queues",
            Self::Encryption => "AsyncOS / TLS and authentication",
            Self::Stores => "AsyncOS / Quarantines and licences",
            Self::Top => "AsyncOS / Top-N",
            Self::Scopes => "AsyncOS / Device groups and devices",
            Self::Exporter => "AsyncOS / Exporter health",
        }
    }
}

/// Panels under one heading.
#[derive(Debug)]
pub(super) struct Row {
    title: &'static str,
    is_folded: bool,
    panels: Vec<Panel>,
}

impl Row {
    pub(super) fn open(title: &'static str, panels: Vec<Panel>) -> Self {
        Self { title, is_folded: false, panels }
    }

    /// Asks nothing until somebody opens it.
    pub(super) fn folded(title: &'static str, panels: Vec<Panel>) -> Self {
        Self { title, is_folded: true, panels }
    }
}

/// What a board has beyond its panels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manner {
    /// Watched while something is going on: a day, renewed each minute.
    Watch,
    /// The same over six hours.
    Close,
    /// Read like a report: renewed every five minutes, and its number of rows can be chosen.
    Report,
    /// Watched, and some device groups and devices of a manager can be chosen.
    Scopes,
}

/// A dashboard.
#[derive(Debug)]
pub(super) struct Board {
    pub(super) uid: Uid,
    pub(super) description: &'static str,
    pub(super) domain: &'static str,
    pub(super) manner: Manner,
    pub(super) rows: Vec<Row>,
}

/// Counts up with each change that somebody with an older copy should see.
const VERSION: u64 = 1;
/// Grafana 10.4 and later read it; older ones cannot.
const SCHEMA: u64 = 39;
const COLUMNS: u64 = 24;

impl Board {
    pub(super) fn to_json(&self) -> String {
        let (from, refresh) = match self.manner {
            Manner::Watch | Manner::Scopes => ("now-24h", "1m"),
            Manner::Close => ("now-6h", "1m"),
            Manner::Report => ("now-24h", "5m"),
        };
        let board = json!({
            "annotations": {"list": annotations()},
            "description": self.description,
            "editable": false,
            "fiscalYearStartMonth": 0,
            "graphTooltip": 1,
            "links": [{
                "asDropdown": true,
                "icon": "external link",
                "includeVars": true,
                "keepTime": true,
                "tags": ["asyncos"],
                "targetBlank": false,
                "title": "AsyncOS dashboards",
                "tooltip": "The other dashboards, with the same appliances and time range",
                "type": "dashboards",
                "url": "",
            }],
            "panels": self.panels(),
            "refresh": refresh,
            "schemaVersion": SCHEMA,
            "tags": ["asyncos", self.domain],
            "templating": {"list": self.variables()},
            "time": {"from": from, "to": "now"},
            "timepicker": {},
            "timezone": "",
            "title": self.uid.title(),
            "uid": self.uid.name(),
            "version": VERSION,
            "weekStart": "",
        });
        // A value made of texts and numbers can be written.
        serde_json::to_string_pretty(&board).unwrap_or_default() + "\n"
    }

    /// Every panel, row by row, left to right.
    fn panels(&self) -> Vec<Value> {
        let (mut panels, mut id, mut y) = (Vec::new(), 0, 0);
        for Row { title, is_folded, panels: inside } in &self.rows {
            id += 1;
            let heading = id;
            let row_at = y;
            y += 1;
            let (mut x, mut tallest, mut placed) = (0, 0, Vec::new());
            for panel in inside {
                if x + panel.width > COLUMNS {
                    (x, y, tallest) = (0, y + tallest, 0);
                }
                id += 1;
                placed.push(panel.to_json(id, x, y));
                (x, tallest) = (x + panel.width, tallest.max(panel.height));
            }
            // Below a folded row the next one follows at once.
            y = if *is_folded { row_at + 1 } else { y + tallest };
            let (folded, shown) = if *is_folded { (placed, Vec::new()) } else { (Vec::new(), placed) };
            panels.push(json!({
                "collapsed": is_folded,
                "gridPos": {"h": 1, "w": COLUMNS, "x": 0, "y": row_at},
                "id": heading,
                "panels": folded,
                "title": title,
                "type": "row",
            }));
            panels.extend(shown);
        }
        panels
    }

    fn variables(&self) -> Vec<Value> {
        let mut variables = vec![
            json!({
                "hide": 0,
                "includeAll": false,
                "label": "Data source",
                "multi": false,
                "name": "datasource",
                "query": "prometheus",
                "refresh": 1,
                "regex": "",
                "type": "datasource",
            }),
            several(
                "job",
                "Job",
                Shown::Yes,
                r#"label_values({__name__=~"asyncos_up|asyncos_exporter_build_info"}, job)"#,
                ANY,
            ),
            several(
                "instance",
                "Instance",
                // One exporter is the rule. Where two watch one fleet, its board chooses.
                if self.uid == Uid::Exporter { Shown::Yes } else { Shown::No },
                r#"label_values({__name__=~"asyncos_up|asyncos_exporter_build_info",job=~"$job"}, instance)"#,
                ANY,
            ),
            one(
                "product",
                "Reported by",
                "label_values(asyncos_appliance_info{EXPORTER}, product)",
                // The first is selected. An SMA has the mail of its ESAs; but it is seldom polled for the reports of the
                // rankings, which would then be empty.
                if self.manner == Manner::Report { 1 } else { 2 },
            ),
            several("appliance", "Appliance", Shown::Yes, "label_values(asyncos_up{EXPORTER}, appliance)", ANY),
            window(),
        ];
        match self.manner {
            Manner::Watch | Manner::Close => {}
            Manner::Report => variables.push(rows()),
            Manner::Scopes => variables.extend([
                several(
                    "device_group",
                    "Device group",
                    Shown::Yes,
                    r#"label_values(asyncos_group_success{APPLIANCE,device_group!=""}, device_group)"#,
                    ANY,
                ),
                several(
                    "device",
                    "Device",
                    Shown::Yes,
                    r#"label_values(asyncos_group_success{APPLIANCE,device!=""}, device)"#,
                    ANY,
                ),
            ]),
        }
        variables
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Shown {
    Yes,
    No,
}

/// Any value of a label that every series has.
const ANY: &str = ".+";

/// A variable of which several values can be chosen.
fn several(name: &str, label: &str, shown: Shown, query: &str, all: &str) -> Value {
    let query = query::board(query);
    json!({
        "allValue": all,
        "current": {"selected": true, "text": ["All"], "value": ["$__all"]},
        "datasource": source(),
        "definition": query,
        "hide": if shown == Shown::Yes { 0 } else { 2 },
        "includeAll": true,
        "label": label,
        "multi": true,
        "name": name,
        "options": [],
        "query": {"qryType": 1, "query": query, "refId": "PrometheusVariableQueryEditor-VariableQuery"},
        // With the time range: what there was, and what there is.
        "refresh": 2,
        "regex": "",
        "sort": 1,
        "type": "query",
    })
}

/// A variable with one value, as what has several must not be summed.
fn one(name: &str, label: &str, query: &str, sort: u64) -> Value {
    let query = query::board(query);
    json!({
        "datasource": source(),
        "definition": query,
        "hide": 0,
        "includeAll": false,
        "label": label,
        "multi": false,
        "name": name,
        "options": [],
        "query": {"qryType": 1, "query": query, "refId": "PrometheusVariableQueryEditor-VariableQuery"},
        "refresh": 2,
        "regex": "",
        "sort": sort,
        "type": "query",
    })
}

/// The length of the longest short windows in seconds, for the step of graphs. Longer ones need no range: see
/// [`super::counted`].
fn window() -> Value {
    let query = query::board(&format!(
        "query_result(max(asyncos_window_seconds{{APPLIANCE}} <= {SHORT_WINDOW}) or vector({SHORT_WINDOW}))"
    ));
    json!({
        "current": {"selected": true, "text": "300", "value": "300"},
        "datasource": source(),
        "definition": query,
        "hide": 2,
        "includeAll": false,
        "label": "Window",
        "multi": false,
        "name": "window",
        "options": [],
        "query": {"qryType": 3, "query": query, "refId": "PrometheusVariableQueryEditor-VariableQuery"},
        "refresh": 2,
        // The value, between the labels and the time.
        "regex": "/ (\\d+) /",
        "sort": 0,
        "type": "query",
    })
}

/// How many rows the rankings have.
fn rows() -> Value {
    let choices = ["5", "10", "20", "50"];
    let chosen = |choice: &str| json!({"selected": choice == "10", "text": choice, "value": choice});
    json!({
        "current": {"selected": true, "text": "10", "value": "10"},
        "hide": 0,
        "includeAll": false,
        "label": "Rows",
        "multi": false,
        "name": "k",
        "options": choices.map(chosen),
        "query": choices.join(","),
        "type": "custom",
    })
}

/// When a condition began; `condition` takes an offset. One that lasts would be drawn as a region that covers the graph.
fn onset(condition: impl Fn(&str) -> String) -> String {
    format!("{} unless {}", condition(""), condition(" offset 5m"))
}

fn annotations() -> Vec<Value> {
    let note = |name: &str, colour: Colour, shown: bool, expr: &str, title: &str, text: &str| {
        json!({
            "datasource": source(),
            "enable": shown,
            "expr": query::board(expr),
            "hide": false,
            "iconColor": colour.name(),
            "name": name,
            "tagKeys": "severity,appliance",
            "textFormat": text,
            "titleFormat": title,
        })
    };
    vec![
        note(
            "Critical alerts",
            Colour::Act,
            true,
            &onset(|ago| {
                format!(
                    r#"ALERTS{{alertname=~"Asyncos.+",alertstate="firing",severity="critical",job=~"$job",instance=~"($instance)?",appliance=~"($appliance)?"}}{ago}"#
                )
            }),
            "{{alertname}}",
            "{{appliance}}",
        ),
        note(
            "Appliances behind",
            Colour::Quantity,
            true,
            &onset(|ago| {
                format!(
                    "max by (EACH) (asyncos_windows_pending{{APPLIANCE}}{ago} > 1) * on (EACH) \
                     asyncos_window_seconds{{APPLIANCE,group=\"\"}}{ago} > {BEHIND}"
                )
            }),
            "{{appliance}} is behind",
            "Graphs have a gap until its missed windows are counted. Totals include them afterwards.",
        ),
        note(
            "Resource conservation",
            Colour::Look,
            true,
            &onset(|ago| format!("asyncos_health_resource_conservation{{APPLIANCE}}{ago} > 0")),
            "{{appliance}} conserves resources",
            "It accepts mail more slowly, or none.",
        ),
        note(
            "Exporter restarts",
            Colour::Quantity,
            false,
            "changes(process_start_time_seconds{EXPORTER}[RATE]) > 0 OURS",
            "The exporter was restarted",
            "{{instance}}",
        ),
        note(
            "New releases",
            Colour::Quantity,
            true,
            "(asyncos_appliance_info{APPLIANCE,release!=\"\"} unless on (job, instance, appliance, release) \
             asyncos_appliance_info{APPLIANCE} offset 15m) and on (job, instance, appliance) \
             asyncos_appliance_info{APPLIANCE,release!=\"\"} offset 15m",
            "{{appliance}} runs AsyncOS {{release}}",
            "The AsyncOS release has changed.",
        ),
    ]
}

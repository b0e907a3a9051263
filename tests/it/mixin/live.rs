//! Every query of every panel and variable against a real Prometheus that knows two simulated fleets.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::boards::{self, Board, Query};
use super::colour::{self, Coloured};
use super::fleet::{self, History, SPAN, WEEK};
use super::text;
use crate::prometheus::until;

/// More lines than this cannot be told apart.
const MOST_SERIES: usize = 50;
/// The step of graphs: a day on a screen of 288 points.
pub(super) const STEP: u64 = 300;
/// Panels that say nothing while all is well.
const EMPTY_WHEN_WELL: [&str; 2] = ["Firing alerts", "Failures by reason"];
/// Of several exporters with one configuration; here is one.
const OF_SHARDS: [&str; 1] = ["Shares of the fleet"];
/// Panels about what only a manager, or only a gateway, has.
const OF_MANAGERS: [&str; 2] = ["Connected to the SMA", "Services on the SMA"];
const OF_GATEWAYS: [&str; 2] = ["Space used", "Space by quarantine"];

/// Panels with a limit that no fault of the fleet passes, and why.
const UNPASSED: [(&str, &str); 1] =
    [("Request duration", "a request would have to last for half a minute of real time")];

/// What the variables are set to.
#[derive(Clone)]
pub(super) struct Choice {
    pub(super) job: &'static str,
    pub(super) product: &'static str,
    pub(super) appliance: &'static str,
}

pub(super) const WELL: Choice = Choice { job: "asyncos", product: "sma", appliance: ".+" };
const ILL: Choice = Choice { job: "faulty", product: "esa", ..WELL };

impl Choice {
    /// The query as Grafana would send it, with windows of `window` seconds.
    pub(super) fn fill(&self, query: &str, step: &str, window: u64) -> String {
        self.fill_over(query, step, window, SPAN)
    }

    /// The same for a graph of `span` seconds.
    pub(super) fn fill_over(&self, query: &str, step: &str, window: u64, span: u64) -> String {
        let shortest = match step {
            "${window}s" => window,
            "1m" => 60,
            other => panic!("the step {other}"),
        };
        let rate = (STEP + shortest).max(4 * shortest);
        let filled = query
            .replace("$__rate_interval", &format!("{rate}s"))
            .replace("$__range_s", &span.to_string())
            .replace("$__range", &format!("{span}s"))
            .replace("$job", self.job)
            .replace("$instance", ".+")
            .replace("$product", self.product)
            .replace("$appliance", self.appliance)
            .replace("$device_group", ".+")
            .replace("$device", ".+")
            .replace("$k", "10");
        // The group of a pattern is Prometheus' own.
        assert!(!filled.replace("\"$1\"", "").contains('$'), "{filled}");
        filled
    }
}

/// What a query found: its series, each with labels and values.
pub(super) type Found = Vec<(BTreeMap<String, String>, Vec<f64>)>;

pub(super) async fn ask(history: &History, query: &str, is_range: bool) -> Found {
    let (end, start, step) = (history.end.to_string(), (history.end - SPAN + 1200).to_string(), STEP.to_string());
    let answer = if is_range {
        let parameters = [("query", query), ("start", &start), ("end", &end), ("step", &step)];
        history.prometheus.ask("/api/v1/query_range", &parameters).await
    } else {
        history.prometheus.ask("/api/v1/query", &[("query", query), ("time", &end)]).await
    };
    let answer = answer.unwrap_or_else(|error| panic!("{query}\n{error}"));
    let number = |pair: &Value| pair[1].as_str().expect("a number as text").parse().expect("a number");
    let series = |one: &Value| {
        let labels = one["metric"].as_object().expect("labels").iter();
        let labels = labels.map(|(name, value)| (name.clone(), value.as_str().expect("a text").to_owned())).collect();
        let values = match one["values"].as_array() {
            Some(values) => values.iter().map(number).collect(),
            None => vec![number(&one["value"])],
        };
        (labels, values)
    };
    answer["result"].as_array().expect("series").iter().map(series).collect()
}

/// The legend of a series.
fn legend(format: &str, labels: &BTreeMap<String, String>) -> String {
    labels.iter().fold(format.to_owned(), |legend, (name, value)| legend.replace(&format!("{{{{{name}}}}}"), value))
}

/// What is wrong with what a panel's queries found.
async fn findings(history: &History, board: &Board, panel: &Value, choice: &Choice) -> Vec<String> {
    let mut found = Vec::new();
    let mut legends = BTreeSet::new();
    let mut total = 0;
    for Query { place, expr, legend: format, is_range, step } in board.queries_of(panel) {
        let query = choice.fill(&expr, &step, 300);
        let series = ask(history, &query, is_range).await;
        // Nothing is stale while all is well.
        if series.is_empty() && format != "stale" {
            found.push(format!("{place}: empty for {} and {}", choice.product, choice.appliance));
        }
        total += series.len();
        let defaults = &panel["fieldConfig"]["defaults"];
        let share = (defaults["unit"] == "percentunit").then_some(1.0);
        let (least, most) = (defaults["min"].as_f64(), defaults["max"].as_f64().or(share));
        for (labels, values) in &series {
            let numbers: Vec<f64> = values.iter().copied().filter(|value| value.is_finite()).collect();
            if numbers.is_empty() {
                found.push(format!("{place}: nothing but NaN in {labels:?}"));
            }
            let is_outside = |value: &f64| {
                least.is_some_and(|least| *value < least) || most.is_some_and(|most| *value > most * 1.05)
            };
            if let Some(value) = numbers.iter().find(|value| is_outside(value)) {
                found.push(format!("{place}: {value} is outside of {least:?} to {most:?}"));
            }
            let legend = legend(&format, labels);
            let is_table = panel["type"] == "table";
            if !is_table && (legend.is_empty() || legend.contains("{{") || !legends.insert(legend.clone())) {
                found.push(format!("{place}: the legend `{legend}` of {labels:?}"));
            }
        }
    }
    if total > MOST_SERIES * panel["targets"].as_array().expect("queries").len() {
        found.push(format!("{}: {total} series", text(panel, "title")));
    }
    found
}

/// The values of a panel's first query.
async fn values(history: &History, panel: &Value, board: &Board, choice: &Choice) -> Vec<f64> {
    let mut values = Vec::new();
    for query in board.queries_of(panel) {
        let found = ask(history, &choice.fill(&query.expr, &query.step, 300), query.is_range).await;
        values.extend(found.into_iter().flat_map(|(_, values)| values));
    }
    values
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_panel_and_variable_is_alive() {
    let history = fleet::history().await;
    until(async || history.prometheus.ask("/api/v1/query", &[("query", "up")]).await).await;
    let mut wrong = Vec::new();
    let (mut panels, mut queries) = (0, 0);
    for board in boards::all() {
        for panel in board.panels().into_iter().filter(|panel| panel["type"] != "text") {
            for choice in choices(&board, text(panel, "title")) {
                wrong.extend(findings(&history, &board, panel, &choice).await);
            }
            panels += 1;
            queries += board.queries_of(panel).len();
        }
        wrong.extend(dead_variables(&history, &board).await);
        for annotation in board.annotations() {
            ask(&history, &WELL.fill(text(annotation, "expr"), "1m", 300), true).await;
        }
    }
    wrong.extend(nobody_but_gateways(&history).await);
    wrong.extend(targets_of_others(&history).await);
    wrong.extend(unseen_faults(&history).await);
    wrong.extend(nothing_of_the_unreachable(&history).await);
    wrong.extend(unseen_age(&history).await);
    wrong.extend(failures_of_the_well(&history).await);
    wrong.extend(certificates_of_plain_http(&history).await);
    wrong.extend(sums_of_several_scopes(&history).await);
    assert!(wrong.is_empty(), "{} findings:\n{}", wrong.len(), wrong.join("\n"));
    assert!(panels > 150 && queries > 250, "{panels} panels, {queries} queries");
}

/// With which variables a panel has to be alive: all appliances, one, two. A pattern that somebody took for a text would
/// do for the first two.
fn choices(board: &Board, title: &str) -> Vec<Choice> {
    if OF_SHARDS.contains(&title) {
        return vec![];
    }
    if EMPTY_WHEN_WELL.contains(&title) {
        return vec![ILL];
    }
    // Only managers divide their reports.
    if board.uid() == "asyncos-scopes" {
        return vec![WELL, Choice { appliance: "(sma1|esa1)", ..WELL }];
    }
    // The gateways of the fleet are asked for every report, its manager for the usual ones.
    let for_managers = board.uid() != "asyncos-top" && !OF_GATEWAYS.contains(&title);
    let for_gateways = !OF_MANAGERS.contains(&title);
    let managers = [WELL, Choice { appliance: "(sma1|esa1)", ..WELL }];
    let gateways = [Choice { product: "esa", appliance: "esa1", ..WELL }, Choice { product: "esa", ..WELL }];
    let managers = managers.into_iter().filter(|_| for_managers);
    managers.chain(gateways.into_iter().filter(|_| for_gateways)).collect()
}

/// Variables that offer nothing.
async fn dead_variables(history: &History, board: &Board) -> Vec<String> {
    let mut dead = Vec::new();
    for variable in board.variables().iter().filter(|one| one["type"] == "query") {
        let definition = WELL.fill(text(variable, "definition"), "1m", 300);
        let (function, rest) = definition.split_once('(').expect("a function");
        let query = rest.strip_suffix(')').expect("its end");
        let offered: Vec<String> = match function {
            "label_values" => {
                let (query, label) = query.rsplit_once(", ").expect("a label");
                let found = ask(history, query, false).await;
                found.into_iter().filter_map(|(mut labels, _)| labels.remove(label)).collect()
            }
            _ => ask(history, query, false).await.iter().map(|(_, values)| values[0].to_string()).collect(),
        };
        if offered.is_empty() {
            dead.push(format!("{}: {} offers nothing", board.uid(), text(variable, "name")));
        }
        if variable["name"] == "window" && offered != ["300"] {
            dead.push(format!("{}: windows of {offered:?}", board.uid()));
        }
    }
    dead
}

/// A fleet without a manager, in which nothing has a device group, shows as much.
async fn nobody_but_gateways(history: &History) -> Vec<String> {
    let mut empty = Vec::new();
    let alone = Choice { product: "esa", appliance: "esa1", ..WELL };
    for board in boards::all().iter().take(3) {
        for panel in board.panels() {
            if !EMPTY_WHEN_WELL.contains(&text(panel, "title")) {
                empty.extend(findings(history, board, panel, &alone).await);
            }
        }
    }
    empty
}

/// With all jobs chosen, no target but the exporters is on the board about them.
async fn targets_of_others(history: &History) -> Vec<String> {
    let boards = boards::all();
    let board = boards.iter().find(|board| board.uid() == "asyncos-exporter").expect("the board");
    let everything = Choice { job: ".+", ..WELL };
    let mut others = Vec::new();
    for title in ["Open files", "Scrape duration", "Memory", "Uptime"] {
        let panel = board.panels().into_iter().find(|panel| panel["title"] == title).expect("the panel");
        let query = board.queries_of(panel).remove(0);
        for (labels, _) in ask(history, &everything.fill(&query.expr, &query.step, 300), true).await {
            if labels["job"] == "node" {
                others.push(format!("{title}: {labels:?}"));
            }
        }
    }
    others
}

/// What has a limit and does not show the faulty fleet's faults, or shows faults of the good one.
async fn unseen_faults(history: &History) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut all: Vec<Coloured> = boards::all().iter().flat_map(colour::coloured).collect();
    all.retain(Coloured::is_limited);
    for one in &all {
        let ill = one.values(history, &ILL).await;
        let is_passed = UNPASSED.iter().all(|(name, _)| *name != one.title);
        if is_passed && ill.iter().all(|value| one.is_well(*value)) {
            wrong.push(format!("{}: the faults do not show in {ill:?}", one.place));
        }
        let well = one.values(history, &Choice { product: "esa", ..WELL }).await;
        if !well.iter().all(|value| one.is_well(*value)) {
            wrong.push(format!("{}: a fault shows where there is none, in {well:?}", one.place));
        }
    }
    assert!(all.len() > 45, "{}", all.len());
    wrong
}

/// Every panel of that title.
fn titled(title: &str) -> Vec<Query> {
    let boards = boards::all();
    let queries = boards.iter().flat_map(|board| {
        let panels = board.panels().into_iter().filter(|panel| panel["title"] == title);
        panels.flat_map(|panel| board.queries_of(panel)).collect::<Vec<_>>()
    });
    queries.collect()
}

/// An appliance that has been unreachable for half an hour has no line: zero would be a statement about its mail.
async fn nothing_of_the_unreachable(history: &History) -> Vec<String> {
    let gone = Choice { appliance: "gone", ..ILL };
    let mut drawn = Vec::new();
    for query in titled("Incoming by appliance per minute") {
        for (_, values) in ask(history, &gone.fill(&query.expr, &query.step, 300), true).await {
            if values.contains(&0.0) {
                drawn.push(format!("{}: zero is drawn of what is unreachable: {values:?}", query.place));
            }
        }
        if !ask(history, &gone.fill(&query.expr, &query.step, 300), false).await.is_empty() {
            drawn.push(format!("{}: the unreachable has a value now", query.place));
        }
    }
    drawn
}

/// The dashboards' *Data as of* is red for an appliance that has been unreachable for half an hour.
async fn unseen_age(history: &History) -> Vec<String> {
    let gone = Choice { appliance: "gone", ..ILL };
    let mut unseen = Vec::new();
    for query in titled("Data as of").into_iter().filter(|query| query.legend == "stale") {
        let is_polled = ["asyncos-fleet", "asyncos-incoming", "asyncos-exporter"].iter();
        let is_polled = is_polled.into_iter().any(|uid| query.place.starts_with(uid));
        if is_polled && ask(history, &gone.fill(&query.expr, &query.step, 300), false).await.is_empty() {
            unseen.push(format!("{}: old data are not red", query.place));
        }
    }
    unseen
}

/// Appliances that work have no failures by reason, although some refuse requests, which has a graph of its own.
async fn failures_of_the_well(history: &History) -> Vec<String> {
    let everything = Choice { product: ".+", ..WELL };
    let mut wrong = Vec::new();
    for query in titled("Failures by reason") {
        for (labels, values) in ask(history, &everything.fill(&query.expr, &query.step, 300), true).await {
            if values.iter().any(|value| *value > 0.0) {
                wrong.push(format!("{}: {labels:?} is drawn: {values:?}", query.place));
            }
        }
    }
    for query in titled("Refused requests") {
        let found = ask(history, &everything.fill(&query.expr, &query.step, 300), true).await;
        if !found.iter().any(|(_, values)| values.iter().any(|value| *value > 0.0)) {
            wrong.push(format!("{}: refused requests are not drawn", query.place));
        }
    }
    wrong
}

/// Of the good fleet, one appliance has a certificate; the others are reached without TLS.
async fn certificates_of_plain_http(history: &History) -> Vec<String> {
    let mut checked = Vec::new();
    for query in titled("Certificates") {
        for (labels, _) in ask(history, &WELL.fill(&query.expr, &query.step, 300), false).await {
            if labels["appliance"] != "esa1" {
                checked.push(format!("{}: {labels:?} has no TLS", query.place));
            }
        }
    }
    checked
}

/// A manager and its gateways are never one sum, nor are its device groups and devices in it.
async fn sums_of_several_scopes(history: &History) -> Vec<String> {
    let board = boards::all().remove(0);
    let panel = board.panels().into_iter().find(|panel| panel["title"] == "Incoming per minute").expect("the panel");
    let shown = async |choice: &Choice| *values(history, panel, &board, choice).await.last().expect("a value now");
    let metric = "asyncos_mail_incoming_traffic_summary_total_recipients_total";
    let truth = async |labels: &'static str| {
        let query = format!("rate({metric}{{job=\"asyncos\",{labels}}}[1200s]) * 60");
        let found = ask(history, &query, false).await;
        found.iter().map(|(_, values)| values[0]).sum::<f64>()
    };
    let mut wrong = Vec::new();
    for (what, choice, labels) in [
        ("the SMA", WELL, r#"appliance="sma1""#),
        ("the gateways", Choice { product: "esa", ..WELL }, r#"appliance=~"esa.""#),
    ] {
        let (shown, truth) = (shown(&choice).await, truth(labels).await);
        if (shown - truth).abs() > 1e-6 * truth || truth == 0.0 {
            wrong.push(format!("{what}: {shown} is not {truth}"));
        }
    }
    let weekly = ask(history, &format!("{metric}{{job=\"asyncos\"}} offset {WEEK}s"), false).await;
    assert!(!weekly.is_empty());
    wrong
}

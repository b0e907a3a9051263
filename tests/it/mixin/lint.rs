//! The rules of Grafana's dashboard-linter, for every panel and without exclusions, and stricter ones of our own.
//!
//! **Source:** grafana/dashboard-linter, docs/index.md and lint/rule_*.go.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::Value;

use super::boards::{self, Board};
use super::promql::{self, Range, Selector};
use super::{looks, text};

const HOUR: Duration = Duration::from_secs(3600);
/// Units of the linter's list that are in use here.
const UNITS: [&str; 9] =
    ["short", "locale", "percentunit", "s", "dthms", "bytes", "Bps", "dateTimeFromNow", "dateTimeAsIso"];
/// Panels that every Grafana has.
const KINDS: [&str; 6] = ["stat", "timeseries", "table", "bargauge", "state-timeline", "text"];
/// Metrics that are of the exporter or of Prometheus and of no appliance.
fn is_of_the_exporter(metric: &str) -> bool {
    ["process_", "scrape_", "asyncos_exporter_", "asyncos_config_", "asyncos_state_"]
        .iter()
        .any(|start| metric.starts_with(start))
        || metric == "up"
}

/// Metrics that every target has, whatever it is.
fn is_of_any_target(metric: &str) -> bool {
    metric == "up" || ["process_", "scrape_"].iter().any(|start| metric.starts_with(start))
}

/// Everything wrong with a board.
fn findings(board: &Board) -> Vec<String> {
    let mut found = Vec::new();
    whole(board, &mut found);
    variables(board, &mut found);
    for panel in board.panels() {
        let mut here = Vec::new();
        self::panel(panel, &mut here);
        looks::panel(panel, &mut here);
        for query in board.queries_of(panel) {
            self::query(panel, &query, &mut here);
        }
        found.extend(here.into_iter().map(|finding| format!("{}: {finding}", text(panel, "title"))));
    }
    for annotation in board.annotations() {
        require(&mut found, annotation["datasource"]["uid"] == "${datasource}", "an annotation's data source");
        matchers(&promql::read(text(annotation, "expr")).selectors, &mut found);
        self::annotation(annotation, &mut found);
    }
    found.into_iter().map(|finding| format!("{}: {finding}", board.uid())).collect()
}

/// What is marked in every graph from the start is an instant, and of the chosen appliances: a region for as long as a
/// condition lasts would cover the graphs.
fn annotation(annotation: &Value, found: &mut Vec<String>) {
    if annotation["enable"] != true {
        return;
    }
    let (name, expr) = (text(annotation, "name"), text(annotation, "expr"));
    let (now, before) = expr.split_once(" unless ").unwrap_or((expr, ""));
    let is_onset = before.contains(" offset ") && !now.contains(" offset ");
    require(found, is_onset, &format!("{name}: an annotation of onsets"));
    require(found, now.contains("appliance=~"), &format!("{name}: an annotation of the chosen appliances"));
}

pub(super) fn require(found: &mut Vec<String>, is_so: bool, what: &str) {
    if !is_so {
        found.push(what.to_owned());
    }
}

fn whole(board: &Board, found: &mut Vec<String>) {
    let json = &board.json;
    require(found, json["editable"] == false, "uneditable-dashboard");
    require(found, json["schemaVersion"] == 39, "schemaVersion 39");
    require(found, json["graphTooltip"] == 1, "a shared crosshair");
    require(found, json["timezone"] == "" && json["weekStart"] == "", "the reader's own time zone");
    let uid = board.uid();
    require(found, uid.starts_with("asyncos-") && uid.len() <= 40, "a readable uid");
    let absent = ["__inputs", "__requires", "id", "iteration"];
    require(found, absent.iter().all(|key| json[*key].is_null()), "nothing that only the import dialogue fills in");
    require(found, json["tags"][0] == "asyncos" && json["tags"].as_array().is_some_and(|tags| tags.len() == 2), "tags");
    let link = &json["links"][0];
    let keeps = ["asDropdown", "includeVars", "keepTime"].iter().all(|key| link[*key] == true);
    require(found, keeps && link["tags"][0] == "asyncos", "a link to the other dashboards");
    require(found, board.annotations().len() >= 3, "annotations");
    require(found, ["1m", "5m"].contains(&text(json, "refresh")), "refresh");
    require(found, !text(json, "description").is_empty(), "a description");
    let titles: Vec<&str> = board.panels().iter().map(|panel| text(panel, "title")).collect();
    let unique: BTreeSet<&&str> = titles.iter().collect();
    require(found, unique.len() == titles.len(), "titles are unique");
    require(found, titles.contains(&"Data as of"), "it says of when its data are");
    let open = json["panels"].as_array().expect("panels").iter().filter(|panel| panel["type"] != "row").count();
    require(found, open <= 20, "at most 20 panels ask at once");
    let written = serde_json::to_string_pretty(json).expect("JSON") + "\n";
    require(found, written == board.text, "keys are sorted, with two blanks of indentation");
    places(json, found);
}

/// Panels have ids of their own and do not overlap.
fn places(json: &Value, found: &mut Vec<String>) {
    let mut ids = BTreeSet::new();
    let top = json["panels"].as_array().expect("panels");
    let mut rows: Vec<Vec<&Value>> = vec![top.iter().collect()];
    rows.extend(top.iter().filter_map(|panel| Some(panel["panels"].as_array()?.iter().collect())));
    for row in rows {
        let mut taken = BTreeSet::new();
        for panel in row {
            let id = panel["id"].as_u64().expect("an id");
            require(found, ids.insert(id), "ids are unique");
            let at = |key: &str| panel["gridPos"][key].as_u64().expect("a place");
            require(found, at("x") + at("w") <= 24, "24 columns");
            for x in at("x")..at("x") + at("w") {
                for y in at("y")..at("y") + at("h") {
                    require(found, taken.insert((x, y)), &format!("{} overlaps", text(panel, "title")));
                }
            }
        }
    }
}

fn variables(board: &Board, found: &mut Vec<String>) {
    let by_name: BTreeMap<&str, &Value> = board.variables().iter().map(|one| (text(one, "name"), one)).collect();
    let names: Vec<&str> = board.variables().iter().map(|one| text(one, "name")).collect();
    let chain = ["datasource", "job", "instance", "product", "appliance", "window"];
    require(found, names.starts_with(&chain), "the chain of variables");
    let source = by_name["datasource"];
    require(found, source["type"] == "datasource" && source["query"] == "prometheus", "template-datasource-rule");
    require(found, source["label"] == "Data source" && source["current"].is_null(), "a data source of nobody's own");
    let of_scopes = [("device_group", "Device group"), ("device", "Device")];
    let of_scopes = of_scopes.into_iter().filter(|(name, _)| by_name.contains_key(name));
    require(found, of_scopes.clone().count() == if board.uid() == "asyncos-scopes" { 2 } else { 0 }, "scopes");
    for (name, label) in
        [("job", "Job"), ("instance", "Instance"), ("appliance", "Appliance")].into_iter().chain(of_scopes)
    {
        let one = by_name[name];
        require(found, one["type"] == "query" && one["label"] == label, &format!("template-{name}-rule"));
        require(found, one["multi"] == true && one["includeAll"] == true && one["allValue"] == ".+", name);
        require(found, one["sort"] == 1, "values are sorted");
        require(found, one["current"]["value"][0] == "$__all", "nobody's host is chosen");
    }
    require(found, by_name["product"]["multi"] == false, "products are not summed");
    let has_data_first = if board.uid() == "asyncos-top" { 1 } else { 2 };
    require(found, by_name["product"]["sort"] == has_data_first, "the product that has the data is selected");
    for one in board.variables().iter().filter(|one| one["type"] == "query") {
        require(found, one["datasource"]["uid"] == "${datasource}", "a variable's data source");
        require(found, one["refresh"] == 2, "template-on-time-change-reload-rule");
        require(found, one["query"]["query"] == one["definition"], "definition");
        let query = text(one, "definition");
        let (function, rest) = query.split_once('(').expect("a function");
        require(found, ["label_values", "query_result"].contains(&function), "template-label-promql-rule");
        // Those further down the chain depend on those before.
        let is_first = one["name"] == "job";
        require(found, is_first || rest.contains("job=~\"$job\""), "variables are chained");
    }
}

fn panel(panel: &Value, found: &mut Vec<String>) {
    let kind = text(panel, "type");
    require(found, KINDS.contains(&kind), "a core panel");
    let (title, description) = (text(panel, "title"), text(panel, "description"));
    require(found, !title.is_empty() && !description.is_empty(), "panel-title-description-rule");
    require(found, description.len() <= 330 && description.ends_with('.'), "a description of three lines at most");
    if kind == "text" {
        return;
    }
    require(found, panel["datasource"]["uid"] == "${datasource}", "panel-datasource-rule");
    require(found, !panel["targets"].as_array().expect("targets").is_empty(), "panel-no-targets-rule");
    let defaults = &panel["fieldConfig"]["defaults"];
    let unit = text(defaults, "unit");
    require(found, UNITS.contains(&unit), "panel-units-rule");
    if kind == "stat" || kind == "bargauge" {
        require(found, unit != "percentunit" || (defaults["min"] == 0 && defaults["max"] == 1.0), "a ratio is 0 to 1");
    }
    let steps = defaults["thresholds"]["steps"].as_array().expect("steps");
    require(found, steps[0]["value"].is_null(), "the first step has no value");
    let values: Vec<f64> = steps.iter().skip(1).map(|step| step["value"].as_f64().expect("a number")).collect();
    require(found, values.is_sorted(), "steps are sorted");
    let color = &defaults["color"]["mode"];
    let has_words = defaults["mappings"].as_array().is_some_and(|words| !words.is_empty());
    require(found, kind != "state-timeline" || !has_words || color != "thresholds", "a timeline keeps its words");
    let is_whole = defaults["decimals"] == 0;
    require(found, unit != "short" || !is_whole, "a short unit would round whole numbers");
    require(found, unit != "locale" || is_whole, "whole numbers have no fraction");
    if kind == "timeseries" {
        let custom = &defaults["custom"];
        require(found, custom["spanNulls"] == false, "a gap stays a gap");
        require(found, custom["lineInterpolation"] == "linear", "no value is drawn that was not measured");
        let calcs = panel["options"]["legend"]["calcs"].as_array().expect("calcs");
        require(found, calcs.iter().all(|calc| calc != "sum"), "no sum of rates");
    }
    for one in panel["fieldConfig"]["overrides"].as_array().expect("overrides") {
        require(found, one["matcher"]["id"] == "byName", "overrides by name");
        let property = |id: &str| {
            let properties = one["properties"].as_array().expect("properties");
            properties.iter().find(|property| property["id"] == id).map(|property| &property["value"])
        };
        let is_filled = property("custom.cellOptions").is_some_and(|options| options["type"] == "color-background");
        let base = property("thresholds").map(|limits| &limits["steps"][0]["color"]);
        require(found, !is_filled || base.is_some_and(|base| base == "transparent"), "an empty cell has no colour");
    }
}

fn query(panel: &Value, query: &boards::Query, found: &mut Vec<String>) {
    let read = promql::read(&query.expr);
    matchers(&read.selectors, found);
    let has_history = panel["options"]["graphMode"] == "area";
    let over_time = has_history || ["timeseries", "state-timeline"].contains(&text(panel, "type"));
    require(found, query.is_range == over_time, "range in graphs, instant elsewhere");
    require(
        found,
        over_time == query.expr.contains("__rate_interval") || !query.expr.contains("__range") || !over_time,
        "a range of the graph",
    );
    require(found, !query.expr.contains("$__interval"), "no $__interval");
    require(found, !query.expr.contains("vector("), "nothing hides what is absent");
    require(found, query.legend.is_empty() == (panel["type"] == "table"), "a legend");
    require(found, ["${window}s", "1m"].contains(&query.step.as_str()), "a shortest range");
    for selector in &read.selectors {
        range(selector, found);
        // A counter moves once per window; its gauge is there in each scrape.
        let is_of_windows = selector.metric.contains("_mail_") && selector.metric.ends_with("_total");
        let windowed = is_of_windows && selector.range == Some(Range::RateInterval);
        require(found, !windowed || query.step == "${window}s", "ranges fit the window");
        follows_the_window(selector, &read.selectors, found);
    }
    let is_any = read.selectors.iter().any(|selector| is_of_any_target(&selector.metric));
    let names_ours = read.selectors.iter().any(|selector| selector.metric == "asyncos_exporter_build_info");
    require(found, !is_any || names_ours, "with all jobs chosen, the targets of others are left out");
    // One request may fail more than once: a share of the requests alone exceeds one.
    let failures = query.expr.matches("rate(asyncos_api_request_failures_total").count();
    require(found, failures != 1 || !query.expr.contains(" / "), "a share of failures is one at most");
    let many = query.legend.contains("{{") && !read.selectors.iter().all(|one| is_of_the_exporter(&one.metric));
    let capped = ["topk", "bottomk"].iter().any(|cap| query.expr.contains(cap));
    require(found, !many || capped, "what has many series is capped");
}

/// A counter that moves once per window is never looked at by a range alone: where the window is longer than the range,
/// there would be nothing, or too much.
fn follows_the_window(selector: &Selector, all: &[Selector], found: &mut Vec<String>) {
    let Some(counter) = selector.metric.strip_suffix("_total").filter(|_| selector.metric.contains("_mail_")) else {
        return;
    };
    if selector.range.is_some() {
        let is_known = |metric: &str| all.iter().any(|other| other.metric == metric);
        // A counter of the vendor's that is called a total keeps its name in the gauge.
        let gauges = [format!("{counter}_last_window"), format!("{counter}_total_last_window")];
        let follows = gauges.iter().any(|gauge| is_known(gauge)) && is_known("asyncos_window_seconds");
        require(found, follows, &format!("a range that follows the window: {}", selector.metric));
    }
}

fn matchers(selectors: &[Selector], found: &mut Vec<String>) {
    for Selector { metric, matchers, .. } in selectors {
        let has = |label: &str, value: &str| matchers.contains(&(label.into(), "=~".into(), value.into()));
        require(found, has("job", "$job"), &format!("target-job-rule: {metric}"));
        if metric.starts_with("ALERTS") {
            continue;
        }
        require(found, has("instance", "$instance"), &format!("target-instance-rule: {metric}"));
        require(found, is_of_the_exporter(metric) || has("appliance", "$appliance"), &format!("appliance: {metric}"));
        for (prefix, label, variable) in [
            ("asyncos_device_group_mail_", "device_group", "$device_group"),
            ("asyncos_device_mail_", "device", "$device"),
        ] {
            let is_of_machine = matchers.iter().all(|(label, ..)| label != "device_group" && label != "device");
            let is_fit = has(label, variable) || is_of_machine;
            require(found, !metric.starts_with(prefix) || is_fit, &format!("chosen by the variable: {metric}"));
        }
    }
}

fn range(selector: &Selector, found: &mut Vec<String>) {
    let Selector { metric, range, function, .. } = selector;
    let function = function.as_deref().unwrap_or_default();
    let is_fit = match (function, *range) {
        ("rate", range) => [Some(Range::RateInterval), Some(Range::Fixed(HOUR))].contains(&range),
        ("irate" | "changes", range) => range == Some(Range::RateInterval),
        ("max_over_time", range) => [Some(Range::RateInterval), Some(Range::Fixed(HOUR))].contains(&range),
        ("increase", range) => matches!(range, Some(Range::RateInterval | Range::Graph)),
        ("delta", range) => range == Some(Range::Graph),
        ("avg_over_time", range) => [Some(Range::RateInterval), Some(Range::Fixed(HOUR * 24 * 30))].contains(&range),
        ("last_over_time", range) => range == Some(Range::Fixed(HOUR * 24)),
        ("predict_linear", range) => range == Some(Range::Fixed(HOUR)),
        (_, range) => range.is_none(),
    };
    require(found, is_fit, &format!("target-rate-interval-rule: {function}({metric}[{range:?}])"));
    let counted = ["rate", "irate", "increase"].contains(&function);
    let is_counter = ["_total", "_bucket", "_seconds_count"].iter().any(|end| metric.ends_with(end));
    require(found, is_counter == counted, &format!("target-counter-agg-rule: {function}({metric})"));
}

#[test]
fn the_boards_pass_every_rule() {
    let boards = boards::all();
    let found: Vec<String> = boards.iter().flat_map(findings).collect();
    assert!(found.is_empty(), "{} findings:\n{}", found.len(), found.join("\n"));
    let uids: BTreeSet<&str> = boards.iter().map(Board::uid).collect();
    assert_eq!(uids.len(), 9);
    assert!(boards.iter().map(|board| board.queries().len()).sum::<usize>() > 150);
}

#[test]
fn one_name_has_one_colour_on_all_boards() {
    let mut colours: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for board in boards::all() {
        for panel in board.panels() {
            let overrides = panel["fieldConfig"]["overrides"].as_array().map(Vec::as_slice).unwrap_or_default();
            for one in overrides.iter().filter(|one| one["properties"][0]["id"] == "color") {
                let colour = text(&one["properties"][0]["value"], "fixedColor");
                colours.entry(text(&one["matcher"], "options").to_owned()).or_default().insert(colour.to_owned());
            }
        }
    }
    let several: Vec<_> = colours.iter().filter(|(_, colours)| colours.len() > 1).collect();
    assert!(several.is_empty(), "{several:#?}");
    assert!(colours.len() > 40);
}

/// The board with one part replaced.
pub(super) fn spoilt(pointer: &str, value: Value) -> Vec<String> {
    let Board { mut json, .. } = boards::all().remove(0);
    *json.pointer_mut(pointer).unwrap_or_else(|| panic!("no {pointer}")) = value;
    let text = serde_json::to_string_pretty(&json).expect("JSON") + "\n";
    findings(&Board { text, json })
}

#[test]
fn the_rules_see_what_breaks_them() {
    let query = "/panels/3/targets/0/expr";
    for (pointer, value, finding) in [
        ("/editable", true.into(), "uneditable-dashboard"),
        ("/panels/1/description", "".into(), "panel-title-description-rule"),
        ("/panels/1/datasource/uid", "prometheus".into(), "panel-datasource-rule"),
        ("/panels/1/fieldConfig/defaults/unit", "opm".into(), "panel-units-rule"),
        ("/panels/1/type", "vendor-panel".into(), "a core panel"),
        ("/panels/3/fieldConfig/defaults/decimals", 2.into(), "whole numbers have no fraction"),
        ("/panels/3/fieldConfig/defaults/unit", "short".into(), "a short unit would round whole numbers"),
        ("/annotations/list/0/expr", "ALERTS{job=~\"$job\",appliance=~\"a\"}".into(), "an annotation of onsets"),
        ("/panels/2/gridPos/x", 0.into(), "overlaps"),
        ("/templating/list/1/allValue", ".*".into(), "job"),
        ("/templating/list/1/refresh", 1.into(), "template-on-time-change-reload-rule"),
        (
            query,
            "rate(asyncos_mail_x_total{job=~\"$job\",instance=~\"$instance\",appliance=~\"$appliance\"}[$__rate_interval])"
                .into(),
            "a range that follows the window",
        ),
        (query, "sum(x{job=~\"$job\"})".into(), "target-instance-rule: x"),
        (query, "sum(x{job=~\"$job\",instance=~\"$instance\"})".into(), "appliance: x"),
        (query, "asyncos_up or vector(0)".into(), "nothing hides what is absent"),
        (query, "rate(up{job=~\"$job\",instance=~\"$instance\"}[5m])".into(), "target-rate-interval-rule"),
        (query, "sum(process_x_total{job=~\"$job\",instance=~\"$instance\"})".into(), "target-counter-agg-rule"),
        (
            query,
            "asyncos_device_mail_x{job=~\"$job\",instance=~\"$instance\",appliance=~\"$appliance\",device=\"a\"}"
                .into(),
            "chosen by the variable",
        ),
    ] {
        let found = spoilt(pointer, value);
        assert!(found.iter().any(|one| one.contains(finding)), "{pointer}: {finding}: {found:?}");
    }
}

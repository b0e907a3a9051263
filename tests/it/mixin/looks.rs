//! What query checks cannot see: whether a panel can be read on a small screen, and what it shows where there is nothing.

use serde_json::{Value, json};

use super::lint::{require, spoilt};
use super::{boards, promql, text};

/// Pixels of a column of the grid on a screen of 1280, and what a panel loses to its neighbours and its border.
const COLUMN: u64 = 52;
/// Pixels of a column where the menu of Grafana is open, which takes 240 of the screen.
const NARROW_COLUMN: u64 = 42;
const BORDER: u64 = 24;
/// Pixels of a letter of a title, and of what stands beside it: the mark of the description, the menu.
const LETTER: f64 = 7.5;
const MARKS: u64 = 40;
/// Pixels of a column of names, such as those of appliances.
const NAMES: u64 = 110;

/// Numbers that do not show how they were before, and why.
const WITHOUT_HISTORY: [(&str, &str); 24] = [
    ("Data as of", "an age is a sawtooth, whatever it is"),
    ("Resource conservation", "a level in words: its history is a timeline"),
    ("Exporter", "a state in words"),
    ("Configuration", "a state in words"),
    ("Totals on disk", "a state in words"),
    ("30-day success", "an average over the days before"),
    ("Logins blocked", "lasts until somebody acts"),
    ("Licences expiring soon", "changes with the calendar; the table has the days"),
    ("Watched device groups", "is configured"),
    ("Watched devices", "is configured"),
    ("Windows lost in range", TOTAL),
    ("Growth in range", TOTAL),
    ("Attempted", TOTAL),
    ("Reputation", TOTAL),
    ("Spam", TOTAL),
    ("Malware", TOTAL),
    ("Other threats", TOTAL),
    ("Graymail", TOTAL),
    ("Clean", TOTAL),
    ("Processed", TOTAL),
    ("Delivered", TOTAL),
    ("Hard bounces", TOTAL),
    ("Threats", TOTAL),
    ("DLP incidents", TOTAL),
];
const TOTAL: &str = "a total of the selected range is one number";

/// Metrics of which a graph may draw single values, by a part of their names, and why.
const SINGLE: [(&str, &str); 7] = [
    ("_time_seconds", "an instant has no average"),
    ("_timestamp_seconds", "an instant has no average"),
    ("_info", "joins labels"),
    ("asyncos_window_seconds", "is configured"),
    ("asyncos_running_hour", "is configured"),
    ("process_max_fds", "is configured"),
    ("asyncos_up", "times zero: draws what has not happened to an appliance"),
];

/// Everything that makes a panel hard to read.
pub(super) fn panel(panel: &Value, found: &mut Vec<String>) {
    let (kind, title) = (text(panel, "type"), text(panel, "title"));
    let columns = panel["gridPos"]["w"].as_u64().expect("a width");
    let width = columns * COLUMN;
    let is_fit = title.len() as f64 * LETTER <= (columns * NARROW_COLUMN - MARKS) as f64;
    require(found, is_fit, "its title fits");
    if kind == "text" {
        return;
    }
    let defaults = &panel["fieldConfig"]["defaults"];
    let reason = defaults["noValue"].as_str().unwrap_or_default();
    require(found, reason.contains(' '), "it says why it is empty");
    if title == "Data as of" {
        let has_limit = defaults["thresholds"]["steps"].as_array().is_some_and(|steps| steps.len() > 1);
        let overrides = panel["fieldConfig"]["overrides"].as_array().expect("overrides");
        let is_stale = overrides.iter().any(|one| one["matcher"]["options"] == "stale");
        let is_filled = panel["options"]["colorMode"] == "background";
        require(found, is_filled && (has_limit || is_stale), "old data have a colour");
    }
    if kind == "stat" {
        let targets = panel["targets"].as_array().expect("targets").len();
        let is_named = panel["options"]["textMode"] == "value_and_name";
        require(found, is_named == (targets > 1 && title != "Data as of"), "numbers beside each other have names");
        let is_excused = WITHOUT_HISTORY.iter().any(|(excused, _)| *excused == title);
        require(found, (panel["options"]["graphMode"] == "area") != is_excused, "a number shows how it was before");
        compared(panel, found);
    }
    match kind {
        "timeseries" => graph(panel, found),
        "table" => table(panel, width - BORDER, found),
        _ => {}
    }
}

/// A number of messages says little without the usual one.
fn compared(panel: &Value, found: &mut Vec<String>) {
    let exprs: Vec<&str> =
        panel["targets"].as_array().expect("targets").iter().map(|target| text(target, "expr")).collect();
    let is_of_mail =
        exprs[0].contains("_traffic_summary_") && panel["fieldConfig"]["defaults"]["unit"] != "percentunit";
    let is_compared = exprs.iter().any(|expr| expr.contains(" offset 1w"));
    require(found, !is_of_mail || is_compared, "a number of messages is compared with that of a week ago");
}

/// A point of a graph over a day stands for minutes: a single value of a gauge in them is noise.
fn gauges(expr: &str, found: &mut Vec<String>) {
    let selectors = promql::read(expr).selectors;
    // The gauge of the newest window stands in for the rate of its counter.
    let is_counted = selectors.iter().any(|selector| selector.metric.ends_with("_total") && selector.range.is_some());
    for selector in selectors.iter().filter(|selector| selector.range.is_none()) {
        let metric = &*selector.metric;
        let is_excused = SINGLE.iter().any(|(part, _)| metric.contains(part))
            && (metric != "asyncos_up" || expr.contains(" or 0 * "))
            || is_counted && metric.ends_with("_last_window");
        require(found, is_excused, &format!("an average or a maximum over the step: {metric}"));
    }
}

fn graph(panel: &Value, found: &mut Vec<String>) {
    for target in panel["targets"].as_array().expect("targets") {
        gauges(text(target, "expr"), found);
    }
    let (defaults, legend) = (&panel["fieldConfig"]["defaults"], &panel["options"]["legend"]);
    let custom = &defaults["custom"];
    let limit = defaults["thresholds"]["steps"][1]["value"].as_f64();
    let style = if limit.is_some() { "dashed" } else { "off" };
    require(found, custom["thresholdsStyle"]["mode"] == style, "a limit is a dashed line");
    require(found, defaults["max"].is_null(), "an axis ends where the values do");
    let most = custom["axisSoftMax"].as_f64();
    let is_near = |limit: f64| most.is_some_and(|most| limit < most && most < 2.0 * limit);
    require(found, limit.is_none_or(is_near), "an axis ends near the limit");
    let targets = panel["targets"].as_array().expect("targets");
    let is_alone = targets.len() == 1 && !text(&targets[0], "legendFormat").contains("{{");
    let is_shown = legend["showLegend"] == true;
    require(found, is_shown != is_alone, "a line that is alone has no legend, others have one");
    require(found, !is_shown || legend["placement"] == "bottom", "a legend is below the graph");
}

/// Every column has a width, and all of them are in sight.
fn table(panel: &Value, width: u64, found: &mut Vec<String>) {
    let transformations = panel["transformations"].as_array().expect("transformations");
    let organised = transformations.iter().find(|one| one["id"] == "organize").expect("names of columns");
    let names = organised["options"]["renameByName"].as_object().expect("names");
    let overrides = panel["fieldConfig"]["overrides"].as_array().expect("overrides");
    let mut sum = 0;
    for (field, name) in names {
        let of_column = overrides.iter().filter(|one| one["matcher"]["options"] == *name);
        let mut properties = of_column.flat_map(|one| one["properties"].as_array().expect("properties"));
        let fixed = properties.find(|property| property["id"] == "custom.width");
        let fixed = fixed.and_then(|property| property["value"].as_u64());
        require(found, fixed.is_some() || !field.starts_with("Value"), &format!("the width of {name}"));
        let title = name.as_str().expect("a name").len() as u64;
        require(found, fixed.is_none_or(|fixed| fixed >= 7 * title + 16), &format!("the title of {name} fits"));
        sum += fixed.unwrap_or(NAMES);
    }
    require(found, sum <= width, &format!("{sum} pixels of columns fit"));
}

/// The first dashboard leads further: from each number to its details, from each alert to its runbook.
#[test]
fn the_overview_leads_to_the_details() {
    let board = boards::all().remove(0);
    let tiles = board.panels().into_iter().filter(|panel| panel["type"] == "stat");
    let mut with_history = 0;
    for tile in tiles {
        let url = tile["links"][0]["url"].as_str().unwrap_or_else(|| panic!("no link: {}", tile["title"]));
        let uid = url.trim_start_matches("/d/").split('?').next().expect("a uid");
        assert!(boards::all().iter().any(|board| board.uid() == uid), "{url}");
        assert!(url.contains("${appliance:queryparam}") && url.contains("${__url_time_range}"), "{url}");
        with_history += u32::from(tile["options"]["graphMode"] == "area");
    }
    assert!(with_history >= 4, "{with_history} numbers show how they were before");
    let alerts = board.panels().into_iter().find(|panel| panel["title"] == "Firing alerts").expect("the alerts");
    let property = |column: &str, id: &str| {
        let overrides = alerts["fieldConfig"]["overrides"].as_array().expect("overrides").iter();
        let mut properties = overrides
            .filter(|one| one["matcher"]["options"] == column)
            .flat_map(|one| one["properties"].as_array().expect("properties"));
        properties.find(|property| property["id"] == id).map(|property| property["value"].clone()).unwrap_or_default()
    };
    assert_eq!(alerts["options"]["sortBy"][0], json!({"desc": false, "displayName": "Severity"}));
    assert_eq!(property("Severity", "mappings")[0]["options"]["1"]["text"], "critical");
    let runbook = std::fs::read_to_string("deploy/prometheus/RUNBOOK.md").expect("the runbook");
    let url = property("Alert", "links")[0]["url"].as_str().expect("a link").to_owned();
    assert!(url.ends_with("#${__value.raw}"), "{url}");
    let summaries = property("Summary", "mappings");
    for alert in super::alerts() {
        let name = text(&alert, "alert");
        assert!(runbook.contains(&format!("<a id=\"{name}\"></a>")), "{name}");
        let summary = summaries[0]["options"][name]["text"].as_str().unwrap_or_else(|| panic!("no summary of {name}"));
        assert!(summary.len() > 10 && !summary.contains(['{', '$']) && !summary.contains("  "), "{name}: {summary}");
        let is_cut = [" to", " of", " at", " from"].iter().any(|end| summary.ends_with(end));
        assert!(!is_cut, "{name}: {summary}");
    }
}

/// What has no history is on a dashboard, and the limits of an age that no alert has are in its description.
#[test]
fn excuses_are_used_and_limits_are_explained() {
    let boards = boards::all();
    let panels: Vec<&Value> = boards.iter().flat_map(boards::Board::panels).collect();
    for (title, reason) in WITHOUT_HISTORY {
        let is_used = panels.iter().any(|panel| panel["title"] == title && panel["type"] == "stat");
        assert!(is_used && !reason.is_empty(), "{title}");
    }
    let ages = panels.iter().filter(|panel| panel["title"] == "Data as of");
    let mut fixed = 0;
    for age in ages {
        let steps = age["fieldConfig"]["defaults"]["thresholds"]["steps"].as_array().expect("steps");
        let limits: Vec<f64> = steps.iter().filter_map(|step| step["value"].as_f64()).collect();
        if let [look, act] = limits[..] {
            let limits = format!("Yellow from {} minutes, red from {} hours.", look / 60.0, act / 3600.0);
            assert!(text(age, "description").ends_with(&limits), "{limits}");
            fixed += 1;
        } else {
            assert!(text(age, "description").contains("Red: older than"), "{age}");
        }
    }
    assert_eq!(fixed, 1);
}

#[test]
fn the_lints_see_what_cannot_be_read() {
    const STAT: &str = "/panels/1";
    const TABLE: &str = "/panels/14";
    const GRAPH: &str = "/panels/20";
    for (pointer, value, finding) in [
        (format!("{STAT}/title"), "The share of all appliances that are reachable".into(), "its title fits"),
        (format!("{STAT}/fieldConfig/defaults/noValue"), "".into(), "it says why it is empty"),
        ("/panels/3/options/textMode".into(), "value".into(), "numbers beside each other have names"),
        ("/panels/6/options/colorMode".into(), "none".into(), "old data have a colour"),
        (format!("{TABLE}/fieldConfig/overrides/0/properties/2/value"), Value::Null, "the width of"),
        (format!("{TABLE}/fieldConfig/overrides/0/properties/2/value"), 400.into(), "pixels of columns fit"),
        (format!("{TABLE}/fieldConfig/overrides/0/properties/2/value"), 20.into(), "the title of"),
        (format!("{GRAPH}/fieldConfig/defaults/custom/thresholdsStyle/mode"), "line+area".into(), "a dashed line"),
        (format!("{GRAPH}/fieldConfig/defaults/custom/axisSoftMax"), 1_000_000.into(), "near the limit"),
        (
            format!("{STAT}/title"),
            // Fits if the menu is closed.
            "Appliances that are reachable".into(),
            "its title fits",
        ),
        (format!("{STAT}/options/graphMode"), "none".into(), "a number shows how it was before"),
        (
            "/panels/3/targets/1/expr".into(),
            "sum(asyncos_mail_incoming_traffic_summary_x)".into(),
            "is compared with that of a week ago",
        ),
        (
            format!("{GRAPH}/targets/0/expr"),
            "max(asyncos_health_workqueue_messages)".into(),
            "an average or a maximum over the step: asyncos_health_workqueue_messages",
        ),
        (format!("{GRAPH}/options/legend/placement"), "right".into(), "a legend is below the graph"),
        (format!("{GRAPH}/options/legend/showLegend"), false.into(), "a line that is alone has no legend"),
    ] {
        let found = spoilt(&pointer, value);
        assert!(found.iter().any(|one| one.contains(finding)), "{pointer}: {finding}: {found:?}");
    }
}

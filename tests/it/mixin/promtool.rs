//! Prometheus' and Alertmanager's own tools on what comes with the exporter.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use asyncos_exporter::commands::mixin::Places;
use serde_json::{Value, json};

use super::boards;
use super::cases::{self, Case};
use super::promql;
use super::{alerts, rules, text};
use crate::prometheus::promtool;

const RULES: &str = "deploy/prometheus/asyncos.rules.yaml";

/// The alert as promtool writes it down.
fn expected(case: &Case) -> Value {
    let all = alerts();
    let alert = all.iter().find(|alert| alert["alert"] == case.alert).unwrap_or_else(|| panic!("{}", case.alert));
    let mut labels: Value = case.labels.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
    labels["severity"] = alert["labels"]["severity"].clone();
    let Places { grafana, runbook, .. } = Places::default();
    let (_, path) = text(&alert["annotations"], "dashboard_url").split_once("/d/").expect("a board");
    let uid = path.split('?').next().expect("its uid");
    assert!(boards::all().iter().any(|board| board.uid() == uid), "{uid}");
    let appliance = labels["appliance"].as_str().map(|name| format!("var-appliance={name}"));
    // The job of snmp_exporter is on no dashboard.
    let job = (!text(alert, "expr").contains("asyncos_snmp")).then(|| "var-job=asyncos".to_owned());
    let variables: Vec<String> = [job, appliance].into_iter().flatten().collect();
    json!({
        "exp_labels": labels,
        "exp_annotations": {
            "summary": case.summary,
            "description": case.description,
            "runbook_url": format!("{runbook}#{}", case.alert.to_lowercase()),
            "dashboard_url": format!("{grafana}/d/{uid}?{}", variables.join("&")),
        },
    })
}

/// The rules of an alert alone, and what it needs to have recorded: all of them in each step of each case would take a
/// minute.
fn alone(alert: &str) -> Value {
    let rules = rules();
    let groups = rules["groups"].as_array().expect("groups");
    let has = |group: &&Value| group["rules"].as_array().expect("rules").iter().any(|rule| rule["alert"] == alert);
    let mut group = groups.iter().find(has).unwrap_or_else(|| panic!("no {alert}")).clone();
    group["rules"].as_array_mut().expect("rules").retain(|rule| rule["alert"] == alert);
    let is_recorded = text(&group["rules"][0], "expr").contains("appliance:");
    let recorded = groups.iter().filter(|one| is_recorded && one["name"] == "asyncos-recording");
    json!({"groups": recorded.chain([&group]).collect::<Vec<_>>()})
}

/// Runs promtool on cases whose steps are so many minutes.
fn run(cases: &[Case], minutes: u64) {
    let folder = tempfile::tempdir().expect("a folder");
    let interval = format!("{minutes}m");
    let mut arguments = vec!["test".to_owned(), "rules".to_owned()];
    for case in cases {
        let at = |step: u64, alerts: Value| json!({"eval_time": format!("{}m", step * minutes), "alertname": case.alert, "exp_alerts": alerts});
        let series: Vec<Value> =
            case.series.iter().map(|(series, values)| json!({"series": series, "values": values})).collect();
        let mut life: Vec<Value> = case.quiet.iter().map(|step| at(*step, json!([]))).collect();
        life.extend([
            at(case.silent, json!([])),
            at(case.firing, json!([expected(case)])),
            at(case.resolved, json!([])),
        ]);
        let test = json!({"name": case.alert, "interval": interval, "input_series": series, "alert_rule_test": life});
        let rules = alone(case.alert);
        // Where a step is longer than Prometheus looks back, what is recorded has to be there before it is looked at.
        let order: Vec<&str> =
            rules["groups"].as_array().expect("groups").iter().map(|one| text(one, "name")).collect();
        // An alert may have several cases.
        let name = format!("{}.{}.rules.yaml", case.alert, arguments.len());
        let file =
            json!({"rule_files": [name], "evaluation_interval": interval, "group_eval_order": order, "tests": [test]});
        // JSON is YAML.
        fs::write(folder.path().join(&name), rules.to_string()).expect("a file");
        let path = folder.path().join(name.replace(".rules.", ".test."));
        fs::write(&path, file.to_string()).expect("a file");
        arguments.push(path.display().to_string());
    }
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (code, said) = promtool(&arguments, Stdio::null());
    assert_eq!(code, Some(0), "{said}");
}

#[test]
fn alerts_fire_beyond_their_limits_and_are_silent_at_them() {
    run(&cases::by_minutes(), 1);
}

#[test]
fn alerts_that_compare_with_the_past_fire_beyond_their_limits() {
    run(&cases::by_weeks(), 10);
}

#[test]
fn alerts_are_right_about_appliances_that_count_whole_hours() {
    run(&cases::hourly::by_minutes(), 1);
    run(&cases::hourly::running(), 1);
}

#[test]
fn alerts_that_compare_with_the_past_are_right_about_whole_hours() {
    run(&cases::hourly::by_weeks(), 10);
}

#[test]
fn forecasts_name_the_time_at_which_something_is_full() {
    run(&cases::forecast::by_minutes(), 1);
    run(&cases::forecast::by_days(), 10);
}

#[test]
fn feature_keys_by_snmp_are_licences_where_the_rest_api_shows_none() {
    run(&cases::hardware::feature_keys(), 10);
}

#[test]
fn a_spam_wave_is_seen_within_two_windows_and_the_curve_of_a_day_is_none() {
    run(&[cases::wave::minutes(), cases::wave::hours()].concat(), 1);
}

/// Whether an alert looks at what an appliance counts in windows.
fn is_about_windows(alert: &Value) -> bool {
    let selectors = promql::read(text(alert, "expr")).selectors;
    let of_windows = ["asyncos_mail_", "asyncos_window_end_", "asyncos_windows_", "asyncos_late_"];
    selectors.iter().any(|selector| {
        let is_recorded = selector.metric.starts_with("appliance:");
        is_recorded || of_windows.iter().any(|start| selector.metric.starts_with(start))
    })
}

#[test]
fn every_alert_about_windows_has_a_case_of_whole_hours() {
    let cases = [cases::hourly::by_minutes(), cases::hourly::by_weeks()].concat();
    let tested: BTreeSet<&str> = cases.iter().map(|case| case.alert).collect();
    let all = alerts();
    let about: BTreeSet<&str> =
        all.iter().filter(|alert| is_about_windows(alert)).map(|alert| text(alert, "alert")).collect();
    assert_eq!(tested, about);
}

#[test]
fn every_alert_has_a_case() {
    let cases = [cases::by_minutes(), cases::by_weeks(), cases::wave::minutes()].concat();
    let cases = [cases, cases::forecast::by_minutes(), cases::forecast::by_days()].concat();
    let tested: Vec<&str> = cases.iter().map(|case| case.alert).collect();
    let unique: BTreeSet<&str> = tested.iter().copied().collect();
    assert_eq!(unique.len(), tested.len());
    let all = alerts();
    let known: BTreeSet<&str> = all.iter().map(|alert| text(alert, "alert")).collect();
    assert_eq!(known, unique);
}

#[test]
fn promtool_finds_nothing_in_the_rules_and_the_configuration() {
    let (code, said) = promtool(&["check", "rules", "--lint=all", "--lint-fatal", RULES], Stdio::null());
    assert!(code == Some(0) && said.contains("SUCCESS"), "{said}");
    let folder = tempfile::tempdir().expect("a folder");
    fs::copy(RULES, folder.path().join("asyncos.rules.yaml")).expect("the rules");
    let example = fs::read_to_string("deploy/prometheus/prometheus.yaml").expect("the example");
    let (usual, others) = example.split_once("\n  # # ").expect("the other two ways");
    let others = format!("  # # {others}").replace("  # ", "  ");
    let ways: Vec<String> = others.split("\n\n").map(|way| way.trim_end().to_owned()).collect();
    let (head, _) = usual.split_once("  # The usual one").expect("the first way");
    let [discovery, probe, snmp] = &ways[..] else { panic!("{ways:?}") };
    for config in [format!("{usual}\n{snmp}\n"), format!("{head}{discovery}\n"), format!("{head}{probe}\n")] {
        let file = folder.path().join("prometheus.yaml");
        fs::write(&file, &config).expect("a file");
        let (code, said) = promtool(&["check", "config", &file.display().to_string()], Stdio::null());
        assert!(code == Some(0) && said.contains("rules found"), "{said}\n{config}");
        assert_eq!(config.matches("job_name: asyncos\n").count(), 1, "{config}");
    }
}

#[test]
fn amtool_takes_the_snippet_and_sends_alerts_where_it_says() {
    let amtool = |arguments: &[&str]| {
        let output = Command::new("amtool").args(arguments).output();
        let output = output.unwrap_or_else(|error| panic!("amtool: {error}; tests/run installs what is missing"));
        (output.status.code(), String::from_utf8(output.stdout).expect("text"))
    };
    let file = "deploy/prometheus/alertmanager.yaml";
    let (code, said) = amtool(&["check-config", file]);
    assert!(code == Some(0) && said.contains("5 inhibit rules"), "{said}");
    for (severity, receiver) in [("critical", "mail-admins"), ("warning", "mail-admins"), ("info", "tickets")] {
        let (code, said) =
            amtool(&["config", "routes", "test", "--config.file", file, &format!("severity={severity}")]);
        assert_eq!((code, said.trim()), (Some(0), receiver));
    }
}

/// What a review of rules looks for.
///
/// **Source:** cloudflare/pint, docs/checks.
#[test]
fn rules_keep_the_habits_of_good_rules() {
    let mut names = BTreeSet::new();
    for alert in alerts() {
        let (name, expr) = (text(&alert, "alert").to_owned(), text(&alert, "expr"));
        assert!(name.starts_with("Asyncos") && names.insert(name.clone()), "{name}");
        assert!(["critical", "warning", "info"].contains(&text(&alert["labels"], "severity")), "{name}");
        assert_eq!(alert["labels"].as_object().expect("labels").len(), 1, "{name}: no value in a label");
        for annotation in ["summary", "description", "runbook_url", "dashboard_url"] {
            assert!(!text(&alert["annotations"], annotation).is_empty(), "{name}: {annotation}");
        }
        let compares = [" == ", " > ", " < ", " >= ", " <= ", "absent("].iter().any(|sign| expr.contains(sign));
        assert!(compares, "{name}: an alert compares");
        let read = promql::read(expr);
        let fragile = ["topk", "bottomk", "irate", "count_values"];
        assert!(read.functions.iter().all(|function| !fragile.contains(&function.as_str())), "{name}");
        for selector in &read.selectors {
            let function = selector.function.as_deref().unwrap_or_default();
            let counted = ["rate", "increase", "max_over_time"].contains(&function);
            let is_counter = ["_total", "_bucket", "_seconds_count"].iter().any(|end| selector.metric.ends_with(end));
            assert!(!is_counter || counted, "{name}: a bare counter {}", selector.metric);
            let is_rate = ["rate", "increase"].contains(&function);
            assert!(!is_rate || is_counter, "{name}: rate of a gauge {}", selector.metric);
            assert!(!selector.matchers.iter().any(|(_, _, value)| value.contains(".*")), "{name}: a needless pattern");
        }
        let is_held = alert["for"].is_string();
        assert!(is_held || !expr.contains("absent("), "{name}: absent for a moment means nothing");
    }
    for group in rules()["groups"].as_array().expect("groups") {
        assert_eq!(group["interval"], "1m", "no gaps in what is recorded");
        for record in group["rules"].as_array().expect("rules").iter().filter_map(|rule| rule["record"].as_str()) {
            assert_eq!(record.split(':').count(), 3, "{record} is level:metric:operation");
        }
    }
    assert!(Path::new("deploy/prometheus/RUNBOOK.md").exists());
}

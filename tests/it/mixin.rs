//! What comes with the exporter for Grafana and Prometheus: the files are what the source gives, and agree with each other.

#[cfg(feature = "external-tests")]
mod attack;
mod boards;
#[cfg(feature = "external-tests")]
mod cases;
#[cfg(feature = "external-tests")]
mod colour;
#[cfg(feature = "external-tests")]
mod demo;
#[cfg(feature = "external-tests")]
mod end_to_end;
#[cfg(feature = "external-tests")]
mod fleet;
#[cfg(feature = "external-tests")]
mod hours;
mod lint;
#[cfg(feature = "external-tests")]
mod live;
mod looks;
mod names;
mod promql;
#[cfg(feature = "external-tests")]
mod promtool;
mod schema;
#[cfg(feature = "external-tests")]
mod week;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::golden;
use boards::Board;

/// The rule file, read.
pub(super) fn rules() -> Value {
    let text = std::fs::read_to_string("deploy/prometheus/asyncos.rules.yaml").expect("the rules");
    serde_yaml::from_str(&text).expect("YAML")
}

/// Every alert of the rule file.
pub(super) fn alerts() -> Vec<Value> {
    let rules = rules();
    let groups = rules["groups"].as_array().expect("groups").iter();
    let all = groups.flat_map(|group| group["rules"].as_array().expect("rules").clone());
    all.filter(|rule| rule["alert"].is_string()).collect()
}

/// The text of a field.
pub(super) fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_else(|| panic!("no `{field}` in {value}"))
}

#[test]
fn the_commands_give_the_files() {
    let run = |arguments: &[&str]| {
        let output =
            Command::new(env!("CARGO_BIN_EXE_asyncos_exporter")).args(arguments).output().expect("the program");
        (output.status.code(), String::from_utf8(output.stdout).expect("text"))
    };
    let (code, listed) = run(&["dashboards"]);
    assert_eq!((code, listed.lines().count()), (Some(0), 9));
    for uid in listed.lines() {
        let file = std::fs::read_to_string(format!("grafana/dashboards/{uid}.json")).expect("a board of that name");
        assert_eq!(run(&["dashboards", uid]), (Some(0), file));
    }
    let rules = std::fs::read_to_string("deploy/prometheus/asyncos.rules.yaml").expect("the rules");
    assert_eq!(run(&["rules"]), (Some(0), rules));
    assert_eq!(run(&["rules", "nothing"]).0, Some(2));
    let folder = tempfile::tempdir().expect("a folder");
    let below = folder.path().join("new");
    let there = below.display().to_string();
    let places = ["--job=mail", "--grafana-url=https://g/", "--runbook-url=https://r"];
    assert_eq!(run(&[&["rules", "--write", &there], &places[..]].concat()).0, Some(0));
    assert_eq!(run(&["dashboards", "--write", &there, "--runbook-url=https://r"]).0, Some(0));
    let fleet = std::fs::read_to_string(below.join("asyncos-fleet.json")).expect("a dashboard");
    assert!(fleet.contains("\"https://r#${__value.raw}\"") && !fleet.contains("example.com"));
    assert_eq!(std::fs::read_dir(&below).expect("the folder").count(), 12);
    let rules = std::fs::read_to_string(below.join("asyncos.rules.yaml")).expect("the rules");
    assert!(rules.contains("up{job=\"mail\"} == 0") && !rules.contains("example.com"));
    assert!(rules.contains("'https://g/d/asyncos-fleet?var-job=") && rules.contains("'https://r#asyncosrefusingmail'"));
}

#[test]
fn every_alert_leads_to_its_page_of_the_runbook_and_to_a_panel() {
    let runbook = std::fs::read_to_string("deploy/prometheus/RUNBOOK.md").expect("the runbook");
    // As Markdown renderers make them: lower case, blanks to dashes.
    let anchors: BTreeSet<String> = runbook
        .lines()
        .filter(|line| line.starts_with('#'))
        .map(|line| line.trim_start_matches(['#', ' ']).to_lowercase().replace(' ', "-"))
        .collect();
    let boards = boards::all();
    let mut pages = BTreeSet::new();
    for alert in alerts() {
        let (name, annotations) = (text(&alert, "alert"), &alert["annotations"]);
        let (_, anchor) = text(annotations, "runbook_url").split_once('#').expect("an anchor");
        assert!(anchors.contains(anchor) && pages.insert(anchor.to_owned()), "{name}: #{anchor}");
        let (_, page) = runbook.split_once(&format!("\n### {name}\n")).expect("a page");
        let page = page.split("\n### ").next().expect("its end");
        for part in ["**Impact on mail.**", "**First look.**", "**Likely causes.**", "**Safe actions.**", "\n- "] {
            assert!(page.contains(part), "{name}: {part}");
        }
        let (_, panel) = page.split_once("Panel *").expect("a panel");
        let (panel, rest) = panel.split_once("* of the dashboard *").expect("a board");
        let uid = rest.split('`').nth(1).expect("its uid");
        let board = boards.iter().find(|board| board.uid() == uid).unwrap_or_else(|| panic!("{name}: {uid}"));
        assert!(board.panels().iter().any(|found| found["title"] == panel), "{name}: no `{panel}` on {uid}");
        assert!(text(annotations, "dashboard_url").contains(&format!("/d/{uid}?")), "{name}");
    }
    for link in runbook.split("](#").skip(1).map(|rest| rest.split(')').next().expect("its end")) {
        assert!(anchors.contains(link), "{link}");
    }
    assert!(pages.len() >= 40, "{}", pages.len());
}

#[test]
fn boards_that_name_alerts_name_those_there_are() {
    let alerts = alerts();
    let known: BTreeSet<&str> = alerts.iter().map(|alert| text(alert, "alert")).collect();
    for board in boards::all() {
        for word in board.text.split(|letter: char| !letter.is_ascii_alphanumeric()) {
            let is_alert = word.strip_prefix("Asyncos").is_some_and(|rest| !rest.is_empty());
            assert!(!is_alert || known.contains(word), "{}: {word}", board.uid());
        }
    }
}

#[test]
fn the_resource_of_the_operator_has_the_same_groups() {
    let file = std::fs::read_to_string("deploy/prometheus/prometheusrule.yaml").expect("the resource");
    let resource: Value = serde_yaml::from_str(&file).expect("YAML");
    assert_eq!(resource["apiVersion"], "monitoring.coreos.com/v1");
    assert_eq!(resource["kind"], "PrometheusRule");
    assert_eq!(resource["spec"], rules());
}

#[test]
fn what_silences_names_alerts_and_labels_that_there_are() {
    let file = std::fs::read_to_string("deploy/prometheus/alertmanager.yaml").expect("the snippet");
    let config: Value = serde_yaml::from_str(&file).expect("YAML");
    let alerts = alerts();
    let known: BTreeSet<&str> = alerts.iter().map(|alert| text(alert, "alert")).collect();
    let mut named = 0;
    for rule in config["inhibit_rules"].as_array().expect("rules") {
        let matchers = rule["source_matchers"].as_array().expect("matchers");
        for matcher in matchers.iter().map(|matcher| matcher.as_str().expect("a text")) {
            let name = matcher.split('"').nth(1).expect("a value");
            if matcher.starts_with("alertname") {
                assert!(known.contains(name), "{name}");
                named += 1;
            }
        }
        assert!(!rule["equal"].as_array().expect("labels").is_empty());
    }
    assert!(named >= 4);
}

#[test]
fn grafana_is_told_where_the_boards_are() {
    let read = |file: &str| -> Value {
        let text = std::fs::read_to_string(Path::new("grafana/provisioning").join(file)).expect("a file");
        serde_yaml::from_str(&text).expect("YAML")
    };
    let source = &read("datasources/asyncos.yaml")["datasources"][0];
    assert_eq!((&source["type"], &source["access"]), (&"prometheus".into(), &"proxy".into()));
    assert!(source["uid"].is_string() && source["jsonData"]["timeInterval"] == "30s", "{source}");
    let provider = &read("dashboards/asyncos.yaml")["providers"][0];
    assert_eq!((&provider["type"], &provider["allowUiUpdates"]), (&"file".into(), &false.into()));
    assert_eq!(provider["options"]["path"], "/var/lib/grafana/dashboards/asyncos");
}

#[test]
fn the_tour_visits_every_board_and_every_panel_it_names_is_there() {
    let tour = std::fs::read_to_string("grafana/README.md").expect("the tour");
    for board in boards::all() {
        let heading = format!("## {}\n", board.json["title"].as_str().expect("a title").replace("AsyncOS / ", ""));
        let (_, part) = tour.split_once(&heading).unwrap_or_else(|| panic!("no {heading}"));
        let part = part.split("\n## ").next().expect("its end").replace('\n', " ");
        assert!(part.contains(&format!("`{}`", board.uid())), "{heading}");
        let titles: BTreeSet<String> = board.panels().iter().map(|panel| text(panel, "title").to_owned()).collect();
        let named: Vec<&str> = part.split('*').skip(1).step_by(2).collect();
        assert!(named.len() >= 3, "{heading} names {named:?}");
        for name in named {
            assert!(titles.contains(name), "{heading}: no panel `{name}`");
        }
    }
    let counts: Vec<String> = boards::all().iter().map(Board::count).collect();
    let table: String = counts.iter().map(|row| format!("{row}\n")).collect();
    let (open, close) = ("<!-- counts -->\n", "<!-- /counts -->");
    let (before, rest) = tour.split_once(open).expect("the counts");
    let (found, after) = rest.split_once(close).expect("their end");
    let table = format!("| dashboard | panels | queries |\n| --- | ---: | ---: |\n{table}");
    if found != table {
        golden::compare(Path::new("grafana/README.md"), &format!("{before}{open}{table}{close}{after}"));
    }
}

#[test]
fn both_files_for_snmp_exporter_read_the_same() {
    let read = |file: &str| -> Value {
        let text = std::fs::read_to_string(Path::new("deploy/prometheus").join(file)).expect("a module");
        serde_yaml::from_str(&text).expect("YAML")
    };
    let (new, old) = (read("snmp_asyncos.yml"), read("snmp_asyncos_0.22.yml"));
    // What both versions share; in the older one a module contains its login.
    let (mut auth, module) = (new["auths"]["asyncos"].clone(), &new["modules"]["asyncos"]);
    let mut joined = module.clone();
    joined["version"] = auth.as_object_mut().expect("keys").remove("version").expect("a version");
    joined["auth"] = auth;
    assert_eq!(joined, old["asyncos"]);
    // Every object that is read is shown, or names one that is.
    let text = module["metrics"].to_string();
    for table in ["walk", "get"].iter().flat_map(|key| module[key].as_array().expect("objects")) {
        let object = table.as_str().expect("an object").trim_end_matches(".0");
        assert!(text.contains(&format!("\"{object}.")) || text.contains(&format!("\"{object}\"")), "{object}");
    }
}

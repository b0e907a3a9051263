//! The check that contacts appliances: what it finds, what it costs, and that it locks no account.

use asyncos_exporter::catalogue;
use asyncos_exporter::sim::{self, HOUR_ONLY_MESSAGES, RequestKind};
use asyncos_exporter::store::Store;
use serde_json::Value;

use crate::program::{Ended, Folder, Program, simulate};

fn logins(appliance: &sim::Appliance) -> usize {
    appliance.count(|request| request.kind == RequestKind::Login)
}

/// An entry with the usual options, which `rest` may change.
fn entry(name: &str, url: &str, rest: &str) -> String {
    format!("  - {{name: {name}, url: '{url}', username: monitor, password: ironport{rest}}}\n")
}

async fn check(entries: &str, arguments: &[&str]) -> Ended {
    let folder = Folder::new();
    let file = folder.write("config.yaml", format!("counter_groups: minimal\nappliances:\n{entries}"));
    let config = format!("--config.file={file}");
    let ended = Program::run(&[&["check", "--connect", &config], arguments].concat()).await;
    assert!(!ended.stdout.contains("ironport") && !ended.stderr.contains("ironport"), "{ended:?}");
    ended
}

/// The row of `appliance` in the table, cell by cell.
fn row<'a>(ended: &'a Ended, appliance: &str) -> Vec<&'a str> {
    let row = ended.stdout.lines().find(|line| line.split_whitespace().next() == Some(appliance));
    row.unwrap_or_else(|| panic!("{appliance}: {ended:?}")).split_whitespace().collect()
}

fn assert_said(ended: &Ended, line: &str) {
    assert!(ended.stderr.lines().any(|said| said.starts_with(line)), "{line}: {ended:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_faults_among_ten_appliances_are_named() {
    let mut fleet = Vec::new();
    let mut entries = String::new();
    for number in 1..=9 {
        let name = format!("esa{number}");
        let esa = simulate(sim::Settings::esa(&name)).await;
        let url = match number {
            // A server without TLS.
            7 => esa.url().replace("http://", "https://"),
            _ => esa.url(),
        };
        let rest = if number == 9 { ", quarantines: [spam, Misspelt]" } else { "" };
        entries += &entry(&name, &url, rest);
        fleet.push(esa);
    }
    // Nothing listens on port 1.
    entries += &entry("esa10", "http://127.0.0.1:1", "");
    fleet[5].set_passphrase("changed");
    fleet[7].change(|behaviour| {
        behaviour.forbidden_groups = catalogue::groups().map(|group| group.name.to_string()).collect();
    });
    let ended = check(&entries, &[]).await;
    assert_eq!(ended.code(), Some(1), "{ended:?}");
    for works in ["esa1", "esa2", "esa3", "esa4", "esa5"] {
        let row = row(&ended, works);
        assert_eq!(row[..8], [works, "ok", "ok", "none", "ok", "16.0.0-050", "ok", "3/3"], "{ended:?}");
    }
    for (fails, line) in [
        ("esa6", "esa6: login: failed: status 401: Invalid username or passphrase."),
        ("esa7", "esa7: TLS: failed: "),
        (
            "esa8",
            "esa8: reports: failed: 0 of 3 can be read; mail_incoming_traffic_summary: this account is not allowed",
        ),
        ("esa9", "esa9: quarantines: failed: 1 can be counted: spam; not found: Misspelt"),
        ("esa10", "esa10: reachable: failed: 127.0.0.1:1: "),
    ] {
        assert_eq!(row(&ended, fails)[1], "failed", "{ended:?}");
        assert_said(&ended, line);
    }
    assert!(ended.stdout.ends_with("\n10 appliance(s) contacted: 5 work, 5 do not\n"), "{ended:?}");
    let costs: Vec<usize> = fleet.iter().map(logins).collect();
    assert_eq!(costs, [1, 1, 1, 1, 1, 1, 0, 1, 1], "at most one login each");
    assert!(fleet.iter().all(|esa| esa.most_in_flight() <= 1), "one request after the other");
}

#[tokio::test]
async fn everything_that_works_is_exit_code_0() {
    let sma = simulate(sim::Settings::sma("sma1").with_group("europe", &["esa1"])).await;
    let works = ", product: sma, device_groups: [europe], devices: [esa1]";
    let ended = check(&entry("sma1", &sma.url(), works), &[]).await;
    assert_eq!(ended.code(), Some(0), "{ended:?}");
    assert_said(&ended, "sma1: release: Secure Email and Web Manager (SMA), AsyncOS 16.0.0-050, model ");
    assert_said(&ended, "sma1: scopes: 2 of 2 can be read");
    let misspelt = ", product: sma, device_groups: [Europe]";
    let ended = check(&entry("sma1", &sma.url(), misspelt), &[]).await;
    assert_eq!(ended.code(), Some(1), "{ended:?}");
    assert_said(&ended, "sma1: scopes: failed: 0 of 1 can be read; device group `Europe`: not available (status 404");
}

#[tokio::test]
async fn a_role_that_allows_nothing_costs_one_login() {
    let esa = simulate(sim::Settings::esa("esa1")).await;
    esa.change(|behaviour| {
        behaviour.forbidden_paths.extend(["config".into(), "login/privileges".into(), "health".into()]);
        behaviour.forbidden_paths.insert("quarantine".into());
        behaviour.forbidden_groups = catalogue::groups().map(|group| group.name.to_string()).collect();
        behaviour.forbidden_groups.insert("reporting_system".into());
    });
    let ended = check(&entry("esa1", &esa.url(), ""), &[]).await;
    assert_eq!((ended.code(), logins(&esa)), (Some(1), 1), "{ended:?}");
    assert_said(&ended, "esa1: reports: failed: 0 of 3 can be read");
}

#[tokio::test]
async fn refused_logins_are_recorded_and_recorded_ones_respected() {
    let esa = simulate(sim::Settings::esa("esa1")).await;
    esa.set_passphrase("changed");
    let folder = Folder::new();
    let state = folder.path("state");
    let storage = format!("--storage.path={state}");
    let entries = entry("esa1", &esa.url(), "");
    let exists = std::path::Path::new(&state);
    let ended = check(&entries, &[&storage]).await;
    assert_eq!((ended.code(), logins(&esa)), (Some(1), 1), "{ended:?}");
    assert!(!exists.exists(), "a check creates no state");
    let (store, _) = Store::open(exists, Box::new(|_| {})).expect("a state");
    let ended = check(&entries, &[&storage]).await;
    assert_eq!((ended.code(), logins(&esa)), (Some(1), 1), "another exporter counts the refusals: {ended:?}");
    assert!(ended.stderr.contains("no appliance was contacted: "), "{ended:?}");
    drop(store);
    let ended = check(&entries, &[&storage]).await;
    assert_eq!((ended.code(), logins(&esa)), (Some(1), 2), "{ended:?}");
    let ended = check(&entries, &[&storage]).await;
    assert_eq!((ended.code(), logins(&esa)), (Some(1), 2), "{ended:?}");
    assert_said(&ended, "esa1: login: failed: login refused, next attempt in ");
    assert!(!ended.stderr.contains("reachable"), "nobody was contacted: {ended:?}");
}

#[tokio::test]
async fn whole_hours_are_a_warning_and_json_has_the_details() {
    let esa = simulate(sim::Settings::esa("esa1")).await;
    esa.change(|behaviour| behaviour.hour_only = Some(HOUR_ONLY_MESSAGES[0].to_owned()));
    let entries = entry("esa1", &esa.url(), "");
    let ended = check(&entries, &["--format=json"]).await;
    assert_eq!(ended.code(), Some(0), "{ended:?}");
    let parsed: Value = serde_json::from_str(&ended.stdout).expect("JSON alone");
    let steps = parsed["appliances"][0]["steps"].as_array().expect("steps");
    let outcome = |kind: &str| {
        let step = steps.iter().find(|step| step["step"] == kind).unwrap_or_else(|| panic!("{kind}: {parsed}"));
        step["outcome"].as_str().expect("a word").to_owned()
    };
    assert_eq!(parsed["ok"], true);
    for (kind, expected) in [("login", "ok"), ("windows", "warning"), ("running_hour", "ok"), ("response_time", "ok")] {
        assert_eq!(outcome(kind), expected, "{kind}: {parsed}");
    }
    // One window that is refused for another reason is no proof.
    let esa = simulate(sim::Settings::esa("esa1")).await;
    esa.change(|behaviour| behaviour.hour_only = Some("not now".to_owned()));
    let entries = entry("esa1", &esa.url(), ", polling: {alignment: minute}");
    let ended = check(&entries, &[]).await;
    assert_eq!(ended.code(), Some(1), "{ended:?}");
    assert_said(&ended, "esa1: windows: failed: whole hours only (status 404: not now): remove `alignment: minute`");
}

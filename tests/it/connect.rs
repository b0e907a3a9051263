//! The check that contacts appliances: what it finds, what it costs, and that it locks no account.

use asyncos_exporter::catalogue;
use asyncos_exporter::sim::{self, Fault, FaultBody, HOUR_ONLY_MESSAGES, On, RequestKind};
use asyncos_exporter::store::Store;
use serde_json::{Value, json};

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

/// Ten appliances of both products, five of them with a fault each.
struct Fleet {
    appliances: Vec<sim::Appliance>,
    entries: String,
}

impl Fleet {
    async fn start() -> Self {
        let mut fleet = Self { appliances: Vec::new(), entries: String::new() };
        for name in ["esa1", "esa2", "esa3"] {
            fleet.add(sim::Settings::esa(name), "").await;
        }
        let group = |name: &str| sim::Settings::sma(name).with_group("europe", &["esa1"]);
        fleet.add(group("sma1"), ", product: sma, device_groups: [europe], devices: [esa1]").await;
        fleet.add(group("sma2"), ", product: sma").await;
        fleet.add(sim::Settings::esa("password"), "").await.set_passphrase("changed");
        let page = Fault::Status { code: 200, body: FaultBody::Html, retry_after: None };
        fleet.add(sim::Settings::esa("html"), "").await.inject(page, On::every());
        fleet.add(group("group"), ", product: sma, device_groups: [Europe]").await;
        fleet.add(sim::Settings::esa("role"), "").await.change(|behaviour| {
            behaviour.forbidden_groups.insert("mail_incoming_traffic_summary".to_owned());
        });
        // Nothing listens on port 1.
        fleet.entries += &entry("refused", "http://127.0.0.1:1", "");
        fleet
    }

    async fn add(&mut self, settings: sim::Settings, rest: &str) -> &sim::Appliance {
        let name = settings.name.clone();
        let appliance = simulate(settings).await;
        self.entries += &entry(&name, &appliance.url(), rest);
        self.appliances.push(appliance);
        self.appliances.last().expect("added above")
    }

    fn logins(&self) -> Vec<usize> {
        self.appliances.iter().map(logins).collect()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_faults_among_ten_appliances_are_named() {
    let fleet = Fleet::start().await;
    let ended = check(&fleet.entries, &[]).await;
    assert_eq!(ended.code(), Some(1), "{ended:?}");
    for (works, scopes) in [("esa1", "-"), ("esa2", "-"), ("esa3", "-"), ("sma1", "2/2"), ("sma2", "-")] {
        let row = row(&ended, works);
        let expected = [works, "ok", "ok", "none", "ok", "16.0.0-050", "ok", "3/3", "5m", scopes];
        assert_eq!(row[..10], expected, "{ended:?}");
    }
    for (fails, login, line) in [
        ("password", "failed", "password: login: failed: status 401: Invalid username or passphrase."),
        ("html", "failed", "html: login: failed: "),
        ("group", "ok", "group: scopes: failed: 0 of 1 can be read; device group `Europe`: not available (status 404"),
        (
            "role",
            "ok",
            "role: reports: failed: 2 of 3 can be read; mail_incoming_traffic_summary: this account is not allowed",
        ),
        ("refused", "-", "refused: reachable: failed: 127.0.0.1:1: "),
    ] {
        let row = row(&ended, fails);
        assert_eq!((row[1], row[4]), ("failed", login), "{ended:?}");
        assert_said(&ended, line);
    }
    assert!(ended.stdout.ends_with("\n10 appliance(s) contacted: 5 work, 5 do not\n"), "{ended:?}");
    assert_eq!(fleet.logins(), [1; 9], "one login each, counted at the appliances");
    assert!(fleet.appliances.iter().all(|appliance| appliance.most_in_flight() <= 1), "one request after the other");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn programs_read_the_same_of_ten_appliances() {
    let fleet = Fleet::start().await;
    let ended = check(&fleet.entries, &["--format=json"]).await;
    assert_eq!((ended.code(), fleet.logins()), (Some(1), vec![1; 9]), "{ended:?}");
    let parsed: Value = serde_json::from_str(&ended.stdout).expect("JSON alone");
    let appliances = parsed["appliances"].as_array().expect("appliances");
    let failed: Vec<_> = appliances
        .iter()
        .flat_map(|appliance| {
            let steps = appliance["steps"].as_array().expect("steps").iter();
            let failed = steps.filter(|step| step["outcome"] == "failed");
            failed
                .map(|step| (appliance["appliance"].as_str().expect("a name"), step["step"].as_str().expect("a name")))
        })
        .collect();
    let expected =
        [("password", "login"), ("html", "login"), ("group", "scopes"), ("role", "reports"), ("refused", "reachable")];
    assert_eq!((appliances.len(), failed), (10, expected.to_vec()));
    let reports = |name: &str| {
        let appliance = appliances.iter().find(|appliance| appliance["appliance"] == name).expect("an appliance");
        let steps = appliance["steps"].as_array().expect("steps");
        steps.iter().find(|step| step["step"] == "reports").expect("the step")["items"].clone()
    };
    assert_eq!(reports("esa1")[0], json!({"name": "mail_incoming_traffic_summary", "outcome": "ok"}));
    assert_eq!(reports("role")[0]["outcome"], "failed");
}

#[tokio::test]
async fn each_configured_thing_has_a_line() {
    let esa = simulate(sim::Settings::esa("esa1")).await;
    // The status page of another server.
    let pages = simulate(sim::Settings::esa("esa1")).await;
    let rest = format!(
        ", quarantines: [spam, Misspelt], xml_status: {{url: '{}'}}, health: true,\n     tracking_searches: [{{name: \
         dropped, filters: {{delivery_status: DROPPED}}}}]",
        pages.url()
    );
    let ended = check(&entry("esa1", &esa.url(), &rest), &[]).await;
    assert_eq!((ended.code(), logins(&esa), logins(&pages)), (Some(1), 1, 0), "{ended:?}");
    assert_said(&ended, "esa1: status: 4 of 4 can be read: privileges, time zone, reporting data, health");
    assert_said(&ended, "esa1: searches: 1 of 1 can be read: dropped");
    assert_said(&ended, "esa1: quarantines: failed: 1 can be counted: spam; not found: Misspelt");
    assert_said(&ended, &format!("esa1: status page: can be read at {}", pages.url().trim_end_matches('/')));
    pages.change(|behaviour| {
        behaviour.absent_paths.insert("xml/status".to_owned());
    });
    let ended = check(&entry("esa1", &esa.url(), &rest), &[]).await;
    assert_said(&ended, &format!("esa1: status page: failed: {}: status 404", pages.url().trim_end_matches('/')));
}

#[tokio::test]
async fn the_other_product_and_an_old_release_are_named() {
    let esa = simulate(sim::Settings::esa("esa1")).await;
    let ended = check(&entry("esa1", &esa.url(), ", product: sma"), &[]).await;
    assert_eq!((ended.code(), logins(&esa)), (Some(1), 0), "{ended:?}");
    assert_said(&ended, "esa1: login: failed: status 401: Unauthorized.");
    assert!(ended.stderr.contains("check `product` (`esa` or `sma`)"), "{ended:?}");
    esa.change(|behaviour| behaviour.build = "phoebe 12.5.3-041".to_owned());
    let ended = check(&entry("esa1", &esa.url(), ""), &[]).await;
    assert_eq!(ended.code(), Some(0), "{ended:?}");
    assert!(ended.stderr.contains("older than 13.0.0, the first release with this API"), "{ended:?}");
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
    assert_said(&ended, "esa1: windows: failed: whole hours only (status 404: not now), `alignment: hour`: remove");
    let refused = esa.requests().into_iter().filter(|request| request.status == 404 && request.path.contains("report"));
    let mut refused: Vec<String> = refused.map(|request| request.raw_target).collect();
    assert_eq!(refused.len(), 2, "{refused:?}");
    refused.dedup();
    assert_eq!(refused.len(), 2, "no window is requested again after its refusal: {refused:?}");
}

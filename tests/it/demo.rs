//! The commands for strangers: what they print to try, and that trying it works.

use asyncos_exporter::commands::demo::{Condition, Trouble};
use asyncos_exporter::sim;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::exposition::Page;
use crate::program::Program;
use crate::rig;

const CAPACITY: &str = "asyncos_mail_system_capacity_workqueue_average_messages_last_window";
const MAIL: [&str; 4] = [
    "asyncos_mail_incoming_traffic_summary_detected_spam_last_window",
    "asyncos_mail_incoming_traffic_summary_detected_virus_last_window",
    "asyncos_mail_incoming_traffic_summary_total_clean_recipients_last_window",
    "asyncos_mail_security_summary_received_conn_tls_success_last_window",
];
/// The labels of a scope, and whether its mail and its capacity are polled.
type Polled = (&'static [(&'static str, &'static str)], bool, bool);
const SCOPES: [Polled; 9] = [
    (&[("appliance", "esa1")], true, true),
    (&[("appliance", "esa2")], true, true),
    (&[("appliance", "esa3")], false, true),
    (&[("appliance", "sma1")], true, false),
    (&[("appliance", "sma1"), ("device_group", "europe")], true, false),
    (&[("appliance", "sma1"), ("device_group", "americas")], true, false),
    (&[("appliance", "sma1"), ("device", "esa3.healthy.example.com")], true, false),
    (&[("appliance", "sma1"), ("device", "esa4.healthy.example.com")], true, false),
    (&[("appliance", "sma1"), ("device", "esa5.healthy.example.com")], true, false),
];

/// Whether each scope has what it is polled for and nothing else.
fn is_complete(page: &Page) -> bool {
    let has = |gauge: &str, labels: &[(&str, &str)]| {
        let scope = match labels.get(1) {
            Some((scope, _)) => format!("asyncos_{scope}_"),
            None => "asyncos_".to_owned(),
        };
        page.value(&gauge.replacen("asyncos_", &scope, 1), labels).is_some()
    };
    SCOPES.iter().all(|(labels, mail, capacity)| {
        MAIL.iter().all(|gauge| has(gauge, labels) == *mail) && has(CAPACITY, labels) == *capacity
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_demo_shows_a_fleet_where_it_says() {
    let mut program = Program::start(&["demo", "--web.listen-address=127.0.0.1:0"]);
    let address = program.address().await;
    let port = address.port();
    let page = rig::until(address, "the fleet is complete", is_complete).await;
    for (labels, ..) in &SCOPES[..4] {
        assert_eq!(page.value("asyncos_up", labels), Some(1.0), "{labels:?}");
    }
    // Of an appliance that accepts minutes that is no question.
    assert!(page.matching("asyncos_running_hour", SCOPES[0].0).is_empty());
    assert!(page.every("asyncos_running_hour", SCOPES[1].0, |runs| runs == 1.0));
    for (appliance, seconds) in [("esa1", 60.0), ("esa2", 3600.0)] {
        let labels = [("appliance", appliance), ("group", "mail_incoming_traffic_summary")];
        assert_eq!(page.usual("asyncos_window_seconds", &labels), Some(seconds), "{appliance}");
    }
    let ended = program.stop().await;
    for said in [
        format!("metrics              http://localhost:{port}/metrics"),
        format!("start page           http://localhost:{port}/"),
        format!("try                  curl -s http://localhost:{port}/metrics | grep detected_spam"),
    ] {
        assert!(ended.stdout.lines().any(|line| line == said), "{said}: {}", ended.stdout);
    }
    assert_eq!(ended.stdout.matches("simulated appliance").count(), 4);
    assert!(
        !ended.stderr.contains("level=error") && !ended.stderr.contains("report request failed"),
        "{}",
        ended.stderr
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_demo_with_troubles_says_what_to_look_at() {
    let mut program = Program::start(&["demo", "--troubles", "--web.listen-address=127.0.0.1:0"]);
    let address = program.address().await;
    let is_shown = |page: &Page| {
        let of = |appliance, metric| page.value(metric, &[("appliance", appliance)]);
        let sick = [
            of("esa6", "asyncos_mail_dlp_outgoing_traffic_summary_dlp_incidents_critical_last_window") == Some(1.0),
            of("esa7", "asyncos_health_resource_conservation") == Some(999.0),
            of("esa8", "asyncos_up") == Some(0.0),
            of("esa9", "asyncos_login_refusals").is_some_and(|refusals| refusals > 0.0),
        ];
        sick == [true; 4] && of("esa1", "asyncos_up") == Some(1.0)
    };
    rig::until(address, "each fault is shown", is_shown).await;
    let ended = program.stop().await;
    assert_eq!(Condition::Healthy.troubles(), []);
    for Trouble { appliance, cause, alerts } in Condition::Troubled.troubles() {
        let said = format!("look at              {appliance}: {cause} ({})", alerts.join(", "));
        assert!(ended.stdout.lines().any(|line| line == said), "{said}: {}", ended.stdout);
    }
}

/// What stands between the words of a line.
fn between<'a>(line: &'a str, before: &str, after: &str) -> &'a str {
    let (_, rest) = line.split_once(before).expect("the words before");
    rest.split_once(after).expect("the words after").0
}

#[tokio::test]
async fn a_simulated_appliance_takes_the_login_it_prints() {
    for (product, name) in [("esa", "esa7.example.com"), ("sma", "sma7.example.com")] {
        let group = ["--device-group=europe=esa7.example.com"];
        let arguments =
            ["simulate", "--listen=127.0.0.1:0", &format!("--product={product}"), &format!("--name={name}")];
        let mut program = Program::start(&[&arguments[..], &group].concat());
        let line = program.says(name).await;
        let url = between(&line, " at ", ",");
        let field = |before| STANDARD.encode(between(&line, before, "`"));
        let login = json!({"data": {"userName": field("user `"), "passphrase": field("passphrase `")}});
        let address = format!("{url}/{product}/api/v2.0/login");
        let answer = rig::client().post(address).body(login.to_string()).send().await.expect("an answer");
        assert_eq!(answer.status(), 200, "{line}");
        let body: serde_json::Value = serde_json::from_str(&answer.text().await.expect("a body")).expect("JSON");
        assert!(body["data"]["jwtToken"].is_string(), "{body}");
        program.signal("INT");
        assert_eq!(program.ended().await.code(), Some(0));
    }
}

#[tokio::test]
async fn a_simulated_appliance_has_the_login_of_the_settings() {
    let sim::Settings { username, passphrase, .. } = sim::Settings::esa("esa1");
    let mut program = Program::start(&["simulate", "--listen=127.0.0.1:0"]);
    let line = program.says("passphrase").await;
    assert!(line.contains(&format!("user `{username}`, passphrase `{passphrase}`")), "{line}");
    program.stop().await;
}

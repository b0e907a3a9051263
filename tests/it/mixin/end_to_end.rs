//! A fault of an appliance on its whole way: simulator, exporter, a real Prometheus with the rules, an alert; and back.

use asyncos_exporter::commands::mixin::{self, Places};
use asyncos_exporter::sim::{self, Fault, FaultBody, On};
use serde_json::Value;

use super::boards;
use super::text;
use crate::prometheus::{Prometheus, until};
use crate::rig::{Rig, entry, lapse, simulate};

/// A minute of the time lapse, after which health is asked for again, is a second.
const RATE: u32 = 60;

/// The rules as they are shipped, but in a hurry: minutes of waiting become a second.
fn hurried_rules() -> String {
    let files = mixin::rules(&Places::default());
    let rules = files.iter().find(|file| file.name == "asyncos.rules.yaml").expect("the rules");
    let hurried = |line: &str| match line.trim_start().split_once(": ") {
        Some(("for", hold)) if hold.ends_with('m') => line.replace(hold, "1s") + "\n",
        Some(("interval", interval)) => line.replace(interval, "1s") + "\n",
        _ => format!("{line}\n"),
    };
    rules.text.lines().map(hurried).collect()
}

/// The alert of that name, in the state that is waited for.
async fn alert(prometheus: &Prometheus, name: &str) -> Value {
    until(async || {
        let found = prometheus.ask("/api/v1/alerts", &[]).await?;
        let alerts = found["alerts"].as_array().expect("alerts");
        let mut firing = alerts.iter().filter(|one| one["labels"]["alertname"] == name && one["state"] == "firing");
        firing.next().cloned().ok_or_else(|| format!("{name} does not fire: {found}"))
    })
    .await
}

async fn resolved(prometheus: &Prometheus, name: &str) {
    until(async || {
        let found = prometheus.ask("/api/v1/alerts", &[]).await?;
        let alerts = found["alerts"].as_array().expect("alerts");
        let left = alerts.iter().any(|one| one["labels"]["alertname"] == name);
        if left { Err(format!("{name} is not resolved: {found}")) } else { Ok(()) }
    })
    .await;
}

/// The result of the panel of the fleet's dashboard; an error while the server starts.
async fn shown(prometheus: &Prometheus, title: &str) -> Result<Value, String> {
    let board = boards::all().remove(0);
    let panel = board.panels().into_iter().find(|panel| panel["title"] == title).expect("the panel");
    let query = board.queries_of(panel).remove(0).expr;
    let query = query.replace("$appliance", ".+").replace("$instance", ".+").replace("$job", "asyncos");
    Ok(prometheus.ask("/api/v1/query", &[("query", &query)]).await?["result"].take())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fault_becomes_an_alert_and_its_end_resolves_it() {
    let clock = lapse(RATE);
    let esa = simulate(sim::Settings::esa("esa1.example.com"), &clock).await;
    let text = format!("counter_groups: minimal\nappliances:\n{}", entry("esa1", &esa, "health: true"));
    let rig = Rig::start(&text, &clock).await;
    let rules = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(rules.path(), hurried_rules()).expect("the rules");
    let prometheus = Prometheus::configured(&format!(
        "global: {{scrape_interval: 1s, scrape_timeout: 1s}}\nrule_files: ['{}']\n\
         scrape_configs: [{{job_name: asyncos, static_configs: [{{targets: ['{}']}}]}}]\n",
        rules.path().display(),
        rig.address
    ))
    .await;
    until(async || prometheus.ask("/api/v1/query", &[("query", "up")]).await).await;
    until(async || {
        let found = shown(&prometheus, "Alerts firing").await?;
        // Once the rules are evaluated there is a number, and it is zero.
        if found[0]["value"][1] == "0" { Ok(()) } else { Err(found.to_string()) }
    })
    .await;

    esa.change(|behaviour| behaviour.resource_conservation = 999);
    let firing = alert(&prometheus, "AsyncosRefusingMail").await;
    assert_eq!(firing["labels"]["appliance"], "esa1");
    assert_eq!(firing["labels"]["severity"], "critical");
    let said = &firing["annotations"];
    assert_eq!(self::text(said, "description"), "esa1 is at level 999 of resource conservation: it accepts no mail.");
    let board = "https://grafana.example.com/d/asyncos-capacity?var-job=asyncos&var-appliance=esa1";
    assert_eq!(self::text(said, "dashboard_url"), board);
    let rows = until(async || {
        let rows = shown(&prometheus, "Firing alerts").await?;
        let all = rows.as_array().expect("rows");
        let row = all.iter().find(|row| row["metric"]["alertname"] == "AsyncosRefusingMail");
        row.cloned().ok_or_else(|| rows.to_string())
    })
    .await;
    assert_eq!(rows["metric"]["appliance"], "esa1");
    esa.change(|behaviour| behaviour.resource_conservation = 0);
    resolved(&prometheus, "AsyncosRefusingMail").await;

    esa.inject(Fault::Status { code: 503, body: FaultBody::Html, retry_after: None }, On::every());
    alert(&prometheus, "AsyncosApplianceUnreachable").await;
    esa.clear_faults();
    resolved(&prometheus, "AsyncosApplianceUnreachable").await;
    rig.end().await;
}

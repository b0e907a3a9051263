//! Keyed reports through a real Prometheus: any key comes back byte by byte, and its own tool finds nothing on a page of
//! the whole catalogue.

use std::collections::BTreeMap;

use asyncos_exporter::catalogue::DeviceType;
use asyncos_exporter::sim;

use crate::keyed::{self, by_key};
use crate::prometheus::{Prometheus, assert_lint_free, until};
use crate::rig::{Rig, entry, lapse, simulate};

const TOTAL: &str = "asyncos_mail_policy_incoming_recipients_matched_total";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_keys_come_back_from_prometheus() {
    // No second window while this goes on.
    let clock = lapse(1);
    let esa = simulate(sim::Settings::esa("esa1"), &clock).await;
    esa.change(|behaviour| {
        behaviour.hostile_keys = true;
        behaviour.invalid_utf8 = true;
    });
    let text = format!(
        "defaults: {{window: 1h, settle: 0s, start: 3h, timeout: 60s}}\ncounter_groups: [mail_policy_incoming]\n\
         appliances:\n{}",
        entry("esa1", &esa, "")
    );
    let rig = Rig::start(&text, &clock).await;
    let page = rig.until("the report is had", keyed::all_had).await;
    let shown = by_key(&page, TOTAL, &[("appliance", "esa1")], "policy");
    assert!(shown.len() > sim::hostile_keys().len());
    let prometheus = Prometheus::scraping(&rig.address.to_string()).await;
    let stored = until(async || {
        let found = prometheus.ask("/api/v1/query", &[("query", TOTAL)]).await?;
        let series = found["result"].as_array().filter(|series| !series.is_empty()).ok_or("nothing was scraped yet")?;
        let one = |series: &serde_json::Value| {
            let key = series["metric"]["policy"].as_str().unwrap_or_default().to_owned();
            (key, series["value"][1].as_str().and_then(|value| value.parse().ok()).expect("a number"))
        };
        Ok(series.iter().map(one).collect::<BTreeMap<String, f64>>())
    })
    .await;
    rig.end().await;
    keyed::assert_same(&stored, &shown, TOTAL);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn promtool_finds_nothing_on_a_page_of_the_whole_catalogue() {
    let clock = lapse(1);
    let esa = simulate(sim::Settings::esa("esa1.example.com"), &clock).await;
    let web = simulate(sim::Settings::sma("web1").with_web_group("proxies", &["wsa1"]), &clock).await;
    let text = format!(
        "defaults: {{window: 15m, settle: 5s, timeout: 60s, concurrency: 4}}\ncounter_groups: {}\nappliances:\n{}{}",
        keyed::list(DeviceType::Mail),
        entry("esa1", &esa, "health: true, xml_status: true, quarantines: true, inventory: true"),
        entry("web1", &web, &format!("product: sma, counter_groups: {}", keyed::list(DeviceType::Web)))
    );
    let rig = Rig::start(&text, &clock).await;
    rig.until("every report is had", keyed::all_had).await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("page");
    std::fs::write(&file, rig.text().await).expect("a file");
    rig.end().await;
    assert_lint_free(&file);
}

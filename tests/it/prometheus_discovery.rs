//! A real Prometheus with the configurations of the manual: one job for everything, and a target an appliance.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::prometheus::{Prometheus, demo, until};
use crate::readme::fenced;

/// How the manual's configurations find their targets.
#[derive(Clone, Copy, PartialEq)]
enum Way {
    OneJob,
    Discovery,
}

/// A configuration of the manual, for the exporter at `address`, scraped often.
fn configuration(way: Way, address: &str) -> String {
    let is_of = |block: &String| match block.contains("http_sd_configs") {
        true => way == Way::Discovery,
        false => way == Way::OneJob,
    };
    // Others are about several exporters.
    let is_for_one = |block: &String| block.contains("scrape_configs") && block.contains("localhost:10042");
    let mut found = fenced("yaml").into_iter().filter(is_for_one).filter(is_of);
    let (Some(text), None) = (found.next(), found.next()) else { panic!("one block each") };
    assert!(text.contains("localhost:10042") && text.contains("scrape_interval: 30s"), "{text}");
    text.replace("localhost:10042", address).replace("scrape_interval: 30s", "scrape_interval: 1s")
}

/// The values of `label` of everything that `query` finds.
async fn values(prometheus: &Prometheus, query: &str, label: &str) -> Result<BTreeSet<String>, String> {
    let found = prometheus.ask("/api/v1/query", &[("query", query)]).await?;
    let series = found["result"].as_array().ok_or("no vector")?;
    Ok(series.iter().filter_map(|series| series["metric"][label].as_str()).map(str::to_owned).collect())
}

fn fleet() -> BTreeSet<String> {
    ["esa1", "esa2", "esa3", "sma1"].map(str::to_owned).into()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_job_scrapes_the_whole_fleet() {
    let demo = demo().await;
    let prometheus = Prometheus::configured(&configuration(Way::OneJob, &demo.address)).await;
    until(async || prometheus.target().await).await;
    until(async || {
        let found = values(&prometheus, "asyncos_up{job=\"asyncos\"} == 1", "appliance").await?;
        if found == fleet() { Ok(()) } else { Err(format!("{found:?}")) }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_appliance_is_a_target_of_its_own() {
    let demo = demo().await;
    let prometheus = Prometheus::configured(&configuration(Way::Discovery, &demo.address)).await;
    let targets = until(async || {
        let found = prometheus.ask("/api/v1/targets", &[]).await?;
        let targets = found["activeTargets"].as_array().cloned().unwrap_or_default();
        let is_up = |target: &Value| target["health"] == "up" && target["lastError"] == "";
        match targets.len() {
            5 if targets.iter().all(is_up) => Ok(targets),
            _ => Err(format!("{targets:?}")),
        }
    })
    .await;
    let instances: BTreeSet<String> = targets
        .iter()
        .filter(|target| target["labels"]["job"] == "asyncos")
        .filter_map(|target| target["labels"]["instance"].as_str().map(str::to_owned))
        .collect();
    assert_eq!(instances, fleet());
    until(async || {
        let found = prometheus.ask("/api/v1/query", &[("query", "asyncos_up{job=\"asyncos\"} == 1")]).await?;
        let found = found["result"].as_array().cloned().unwrap_or_default();
        // Each target brings its own appliance and no other.
        let is_own = |series: &Value| series["metric"]["instance"] == series["metric"]["appliance"];
        let of_exporter = "{job=\"asyncos_exporter\", appliance!=\"\"} or process_open_fds{job=\"asyncos_exporter\"}";
        let exporter = prometheus.ask("/api/v1/query", &[("query", of_exporter)]).await?;
        let exporter = exporter["result"].as_array().map_or(0, Vec::len);
        match (found.len(), found.iter().all(is_own), exporter) {
            (4, true, 1) => Ok(()),
            _ => Err(format!("{found:?} {exporter}")),
        }
    })
    .await;
}

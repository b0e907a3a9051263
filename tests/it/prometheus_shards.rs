//! The manual's configurations of Prometheus for several exporters, run by real ones.

use std::collections::BTreeSet;
use std::process::Stdio;

use crate::program::Folder;
use crate::prometheus::{Prometheus, promtool, until};
use crate::readme;
use crate::rig::{Rig, lapse};
use crate::sharding::{configuration, fleet};

const SHARDS: usize = 3;
const APPLIANCES: usize = 9;

/// The manual's blocks that name all shards, with `shards` in place of their names and quicker than one would be.
fn blocks(shards: &[Rig]) -> [String; 2] {
    let mut blocks = readme::prometheus();
    blocks.retain(|block| block.contains("asyncos-exporter-0"));
    for block in &mut blocks {
        *block = block.replace("scrape_interval: 30s", "scrape_interval: 1s");
        for (index, shard) in shards.iter().enumerate() {
            let name = format!("asyncos-exporter-{index}.asyncos-exporter:10042");
            assert!(block.contains(&name), "{block}");
            *block = block.replace(&name, &shard.address.to_string());
        }
    }
    blocks.try_into().expect("two blocks")
}

async fn shards() -> Vec<Rig> {
    let clock = lapse(60);
    let fleet = fleet(APPLIANCES, &clock).await;
    let mut shards = Vec::new();
    for index in 0..SHARDS {
        shards.push(Rig::start(&configuration(&fleet, SHARDS, index), &clock).await);
    }
    shards
}

/// The addresses that `prometheus` scrapes, all of them with success.
async fn scraped(prometheus: &Prometheus) -> Result<BTreeSet<String>, String> {
    let found = prometheus.ask("/api/v1/targets", &[]).await?;
    let targets = found["activeTargets"].as_array().ok_or("no list")?;
    let address = |target: &serde_json::Value| match target["health"].as_str() {
        Some("up") => Ok(target["labels"]["instance"].as_str().unwrap_or_default().to_owned()),
        _ => Err(target.to_string()),
    };
    targets.iter().map(address).collect()
}

#[test]
fn promtool_accepts_every_configuration_of_the_manual() {
    let folder = Folder::new();
    let blocks = readme::prometheus();
    assert!(blocks.len() > 2);
    for block in blocks {
        let file = folder.write("prometheus.yml", &block);
        let (code, said) = promtool(&["check", "config", &file], Stdio::null());
        assert_eq!(code, Some(0), "{said}\n{block}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_job_scrapes_all_shards_and_feeds_what_sums_over_them() {
    let shards = shards().await;
    let store = Prometheus::configured("").await;
    let [config, _] = blocks(&shards);
    let url = "http://mimir:9009/api/v1/push";
    assert!(config.contains(url));
    let _prometheus = Prometheus::configured(&config.replace(url, &store.url("/api/v1/write"))).await;
    let total = "asyncos_mail_incoming_traffic_summary_detected_spam_total";
    let queries = readme::fenced("promql");
    let of_manual: Vec<&str> = queries.iter().flat_map(|block| block.split("\n\n")).collect();
    let sum = of_manual.iter().find(|query| query.contains("sum without (instance, job)")).expect("in the manual");
    let disagree = of_manual.iter().find(|query| query.contains("appliances_owned")).expect("in the manual");
    let count = async |query: &str| {
        let found = store.ask("/api/v1/query", &[("query", query)]).await?;
        found["result"].as_array().map(Vec::len).ok_or_else(|| found.to_string())
    };
    until(async || {
        let summed = count(sum).await?;
        if summed == APPLIANCES { Ok(()) } else { Err(format!("{summed} appliances")) }
    })
    .await;
    assert_eq!(count(total).await, Ok(APPLIANCES), "each is on one page");
    assert_eq!(count("count by (instance) (asyncos_exporter_shard_info)").await, Ok(SHARDS));
    assert_eq!(count(disagree).await, Ok(0));
    let wrong = disagree.replace("!= 0", "== 0");
    assert_eq!(count(&wrong).await, Ok(1), "it would say so");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_of_two_servers_keeps_its_own_shards() {
    let shards = shards().await;
    let [_, config] = blocks(&shards);
    assert!(config.contains("regex: '0'"));
    let servers = [Prometheus::configured(&config).await, Prometheus::configured(&config.replace("'0'", "'1'")).await];
    let all: BTreeSet<String> = shards.iter().map(|shard| shard.address.to_string()).collect();
    let [first, second] = until(async || {
        let found = [scraped(&servers[0]).await?, scraped(&servers[1]).await?];
        let union: BTreeSet<_> = found.iter().flatten().cloned().collect();
        if union == all { Ok(found) } else { Err(format!("{found:?}")) }
    })
    .await;
    assert!(first.is_disjoint(&second), "{first:?} {second:?}");
}

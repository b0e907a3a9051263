//! Plain sums in a real Prometheus: `sum(family)` is the simulator's truth for every family of counters of reports.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use serde_json::Value;

use crate::exposition::{Labels, Page};
use crate::prometheus::{PLACES, Program, Prometheus, demo, until};
use crate::rig;
use crate::sums::{Family, Fleet, Place, assert_worth, families};

/// Reports of an appliance are named by its labels and the group.
type Report = (Labels, String);

/// The series that `query` finds at `time`.
async fn vector(prometheus: &Prometheus, query: &str, time: &str) -> Result<Vec<(Labels, f64)>, String> {
    let found = prometheus.ask("/api/v1/query", &[("query", query), ("time", time)]).await?;
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let series = |series: &Value| {
        let mut labels: Labels =
            series["metric"].as_object().expect("labels").iter().map(|(name, it)| (name.clone(), text(it))).collect();
        labels.retain(|name, _| !["__name__", "job", "instance"].contains(&name.as_str()));
        (labels, text(&series["value"][1]).parse().expect("a number"))
    };
    Ok(found["result"].as_array().expect("a vector").iter().map(series).collect())
}

/// When the newest scrape was.
async fn newest(prometheus: &Prometheus) -> Result<String, String> {
    prometheus.target().await?;
    let found = prometheus.ask("/api/v1/query", &[("query", "timestamp(up{job=\"demo\"})")]).await?;
    found["result"][0]["value"][1].as_str().map(str::to_owned).ok_or_else(|| "nothing was scraped yet".to_owned())
}

/// The plain sum of a family.
async fn sum(prometheus: &Prometheus, family: &Family, time: &str) -> Result<f64, String> {
    let found = vector(prometheus, &format!("sum({})", family.name), time).await?;
    found.first().map(|(_, sum)| *sum).ok_or_else(|| format!("{} is not stored yet", family.name))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sum_of_every_family_of_a_fleet_is_the_truth() {
    let fleet = Fleet::start().await;
    let prometheus = Prometheus::scraping(&fleet.rig.address.to_string()).await;
    let time = until(async || newest(&prometheus).await).await;
    let families = families(&fleet.page);
    let mut nonzero = 0;
    for family in &families {
        let stored = sum(&prometheus, family, &time).await.unwrap_or_else(|error| panic!("{error}"));
        let truth = fleet.truth(family);
        assert_eq!(stored, truth, "sum({})", family.name);
        nonzero += usize::from(truth != 0.0);
    }
    assert_worth(&families, nonzero);
    fleet.rig.end().await;
}

/// Where the totals of a report of the demo begin, as it explains one of their series.
async fn since(demo: &Program, name: &str, labels: &Labels) -> Result<u64, String> {
    let mut url = demo.url("/api/v1/explain");
    url.query_pairs_mut().append_pair("metric", name).extend_pairs(labels);
    let text = rig::get(url.as_str()).await.text().await.expect("an answer");
    let found: Value = serde_json::from_str(&text).map_err(|_| text.clone())?;
    let since = humantime::parse_rfc3339(found["total"]["since"].as_str().ok_or(text)?).expect("an instant");
    Ok(since.duration_since(std::time::SystemTime::UNIX_EPOCH).expect("after 1970").as_secs())
}

fn owned(place: &Place) -> Labels {
    place.labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// The ends of the newest windows at `time`.
async fn ends(prometheus: &Prometheus, time: &str) -> Result<BTreeMap<Report, u64>, String> {
    let found = vector(prometheus, "asyncos_window_end_timestamp_seconds", time).await?;
    let report = |(mut labels, end): (Labels, f64)| {
        let group = labels.remove("group").expect("a group");
        ((labels, group), end as u64)
    };
    Ok(found.into_iter().map(report).collect())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sum_of_every_family_of_the_demo_is_the_truth() {
    let demo = demo().await;
    let prometheus = Prometheus::scraping(&demo.address).await;
    let mut begun: BTreeMap<Report, u64> = BTreeMap::new();
    let mut truths: BTreeMap<String, f64> = BTreeMap::new();
    // The first event of a new key is shown as 0 for a few minutes, and in a small fleet some key or other is always new:
    // each family is compared until its sum is complete, and must never be too much.
    until(async || {
        let text = rig::get(demo.url("/metrics").as_str()).await.text().await.expect("a page");
        let families = families(&Page::parse(&text)?);
        let time = newest(&prometheus).await?;
        let ends = ends(&prometheus, &time).await?;
        for place in &PLACES {
            let labels = owned(place);
            if !ends.keys().any(|(have, _)| *have == labels) {
                return Err(format!("{labels:?} has no report yet"));
            }
        }
        let mut outcome = Ok(());
        for family in &families {
            if truths.contains_key(&family.name) {
                continue;
            }
            for (labels, _) in vector(&prometheus, &family.name, &time).await? {
                let mut place = labels.clone();
                place.retain(|name, _| ["appliance", "device_group", "device"].contains(&name.as_str()));
                let report = (place, family.group.clone());
                if let Entry::Vacant(unknown) = begun.entry(report) {
                    unknown.insert(since(&demo, &family.name, &labels).await?);
                }
            }
            let stored = sum(&prometheus, family, &time).await?;
            let truth = family.truth(&PLACES, |place: &Place| {
                let report = (owned(place), family.group.clone());
                Some((*begun.get(&report)?, *ends.get(&report)?))
            });
            assert!(stored <= truth, "sum({}) is {stored}, and there were only {truth}", family.name);
            if stored == truth {
                truths.insert(family.name.clone(), truth);
            } else {
                outcome = Err(format!("sum({}) is {stored} and not {truth}", family.name));
            }
        }
        outcome
    })
    .await;
    let nonzero = truths.values().filter(|truth| **truth != 0.0).count();
    assert!(truths.len() > 150 && nonzero > truths.len() / 3, "{nonzero} of {} sums are not 0", truths.len());
}

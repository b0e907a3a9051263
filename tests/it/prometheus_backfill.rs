//! The past and the present in one Prometheus: blocks that promtool makes of a backfill and of scrapes of the exporter after
//! it. The increase over both is exact.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::process::Stdio;
use std::time::Duration;

use asyncos_exporter::base::clock::Clock;
use asyncos_exporter::catalogue::{self, Counter, Group, ScopeKind};
use asyncos_exporter::sim;

use crate::backfill::{midnight, time};
use crate::exposition::Page;
use crate::program::{DEFAULTS, Folder, HISTORY, Program, committed, simulate};
use crate::prometheus::{Prometheus, promtool, until};
use crate::rig::entry;

const LABELS: &str = "job=\"asyncos\",instance=\"localhost:10042\",appliance=\"esa1\"";
const DAY: u64 = 24 * 3600;

/// The counters with totals of the groups that are polled, each with the name of its total.
fn totals() -> Vec<(&'static Group, &'static Counter, String)> {
    let groups = catalogue::profile(catalogue::Profile::Minimal);
    let all = groups.flat_map(|group| group.counters.iter().map(move |counter| (group, counter)));
    all.filter_map(|(group, counter)| Some((group, counter, counter.total_name(group, ScopeKind::Appliance)?)))
        .collect()
}

/// The growth of a counter that begins at 0, across its resets: exactly, without extrapolation.
fn growth(samples: &[(f64, f64)]) -> f64 {
    let mut last = 0.0;
    let grown = samples.iter().map(|(_, value)| {
        let grown = if *value < last { *value } else { value - last };
        last = *value;
        grown
    });
    grown.sum()
}

/// The samples of the only series that `query` finds.
async fn series(prometheus: &Prometheus, query: &str, at: u64) -> Vec<(f64, f64)> {
    let parameters = [("query", query), ("time", &at.to_string())];
    let found = until(async || prometheus.ask("/api/v1/query", &parameters).await).await;
    let all = found["result"].as_array().expect("a matrix");
    assert_eq!(all.len(), 1, "{query}: the past and the present are one series: {found}");
    let samples = all[0]["values"].as_array().expect("samples");
    let number = |value: &serde_json::Value| value.as_str().expect("a text").parse().expect("a number");
    samples.iter().map(|sample| (sample[0].as_f64().expect("a time"), number(&sample[1]))).collect()
}

fn import(file: &str, data: &str) {
    let (code, said) = promtool(&["tsdb", "create-blocks-from", "openmetrics", file, data], Stdio::null());
    assert_eq!(code, Some(0), "{said}");
}

/// Scrapes as Prometheus does until the history of the exporter is counted, and returns the scrapes in OpenMetrics, and the
/// last one.
async fn scraped(exporter: &mut Program) -> (String, Page) {
    let (clock, mut samples) = (Clock::system(), BTreeMap::<String, Vec<(f64, f64)>>::new());
    let address = exporter.address().await;
    let (mut wanted, mut last) = (0, None);
    while wanted < 2 {
        let (at, page) = (clock.wall(), crate::rig::page(address).await);
        for (_, _, name) in totals() {
            if let Some(value) = page.value(&name, &[("appliance", "esa1")]) {
                samples.entry(name).or_default().push((at.as_secs_f64(), value));
            }
        }
        wanted += usize::from(committed(&page, "esa1") >= HISTORY);
        last = Some(page);
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let mut text = String::new();
    for (name, samples) in samples {
        writeln!(text, "# TYPE {} counter", name.trim_end_matches("_total")).expect("a String takes all");
        for (at, value) in samples {
            writeln!(text, "{name}{{{LABELS}}} {value} {at}").expect("a String takes all");
        }
    }
    (text + "# EOF\n", last.expect("a page"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn increases_are_exact_each_day_and_across_the_joint() {
    let esa = simulate(sim::Settings::esa("esa1")).await;
    let folder = Folder::new();
    let config =
        folder.write("config.yaml", DEFAULTS.to_owned() + &entry("esa1", &esa, "polling: {requests_per_minute: 6000}"));
    let storage = format!("--storage.path={}", folder.path("state"));
    let mut exporter = Program::serve(&config, &[&storage]);
    let (live, page) = scraped(&mut exporter).await;
    exporter.stop().await;

    let from = midnight(3);
    let (begin, data) = (format!("--from={}", time(from)), folder.path("data"));
    let (config, output) = (format!("--config.file={config}"), format!("--output={}", folder.path("out")));
    let labels = ["--label=job=asyncos", "--label=instance=localhost:10042"];
    let ended = Program::run(&["backfill", &config, &storage, &begin, &output, labels[0], labels[1]]).await;
    assert_eq!(ended.code(), Some(0), "{ended:?}");
    for file in std::fs::read_dir(folder.path("out/samples")).expect("a directory") {
        import(&file.expect("a file").path().display().to_string(), &data);
    }
    import(&folder.write("live.openmetrics", live), &data);

    let prometheus = Prometheus::on(data.as_ref()).await;
    let now = Clock::system().wall().as_secs() + 1;
    let mut resets = BTreeSet::new();
    for (group, counter, name) in totals() {
        let end = page.value("asyncos_window_end_timestamp_seconds", &[("appliance", "esa1"), ("group", &group.name)]);
        let end = end.expect("counted") as u64;
        let truth = |from, to| esa.truth(&sim::Scope::Whole, &group.name, &counter.name, from, to).expect("known");
        let samples = series(&prometheus, &format!("{name}[{}s]", now - from), now).await;
        assert_eq!(growth(&samples), truth(from, end), "{name}: {samples:?}");
        if samples.windows(2).any(|pair| pair[1].1 < pair[0].1) {
            resets.insert(name.clone());
        }
        for start in [from + DAY, from + 2 * DAY - DAY / 2] {
            let increase = prometheus.value(&format!("increase({name}[1d])"), start + DAY).await;
            assert!((increase - truth(start, start + DAY)).abs() < 1e-6, "{name}: {increase}");
        }
    }
    assert!(resets.len() > 10, "the joint was crossed: {resets:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receiver_of_remote_write_has_the_same_past() {
    let esa = simulate(sim::Settings::esa("esa1")).await;
    let folder = Folder::new();
    let config =
        folder.write("config.yaml", DEFAULTS.to_owned() + &entry("esa1", &esa, "polling: {requests_per_minute: 6000}"));
    let prometheus = Prometheus::configured("storage: {tsdb: {out_of_order_time_window: 30d}}\n").await;
    until(async || prometheus.ask("/api/v1/query", &[("query", "1")]).await).await;
    let (from, end) = (midnight(2), midnight(1));
    let (begin, to) = (format!("--from={}", time(from)), format!("--to={}", time(end)));
    let (config, output) = (format!("--config.file={config}"), format!("--output={}", folder.path("out")));
    let receiver = format!("--remote-write={}", prometheus.url("/api/v1/write"));
    let ended = Program::run(&["backfill", &config, &begin, &to, &output, &receiver]).await;
    assert_eq!(ended.code(), Some(0), "{ended:?}");
    for (group, counter, name) in totals() {
        let truth = esa.truth(&sim::Scope::Whole, &group.name, &counter.name, from, end).expect("known");
        let samples = series(&prometheus, &format!("{name}[{}s]", end + 60 - from), end + 60).await;
        assert_eq!((samples.len(), growth(&samples)), (26, truth), "{name}: {samples:?}");
    }
}

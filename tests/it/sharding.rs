//! Several exporters that share a fleet: each appliance is polled by one of them, through kills and changes of their
//! number.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use asyncos_exporter::base::clock::Clock;
use asyncos_exporter::config::Config;
use asyncos_exporter::sim::{self, RequestKind};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

use crate::exposition::Page;
use crate::polling::assert_totals_true;
use crate::program::{Folder, Program};
use crate::rig::{PATIENCE, Rig, entry, lapse, simulate};

const INCOMING: &str = "mail_incoming_traffic_summary";
/// A minute of the time lapse is a second.
const RATE: u32 = 60;
const WINDOW: f64 = 60.0;
const HOUR: u64 = 3600;
const APPLIANCES: usize = 60;
const SHARDS: usize = 3;

pub(crate) type Fleet = BTreeMap<String, sim::Appliance>;

pub(crate) async fn fleet(count: usize, clock: &Clock) -> Fleet {
    let mut fleet = BTreeMap::new();
    for number in 1..=count {
        let name = format!("esa{number}");
        fleet.insert(name.clone(), simulate(sim::Settings::esa(&name), clock).await);
    }
    fleet
}

/// What all exporters have in common, and which of how many one is.
pub(crate) fn configuration(fleet: &Fleet, shards: usize, index: usize) -> String {
    let entries: String = fleet.iter().map(|(name, appliance)| entry(name, appliance, "")).collect();
    format!(
        "sharding: {{shards: {shards}, index: {index}}}\ndefaults: {{window: 1m, settle: 5s, timeout: 60s}}\n\
         counter_groups: [{INCOMING}]\nappliances:\n{entries}"
    )
}

fn polled(page: &Page) -> BTreeSet<String> {
    page.matching("asyncos_up", &[]).into_iter().map(|(labels, _)| labels["appliance"].clone()).collect()
}

/// The appliances that anything on `page` is about.
fn shown(page: &Page) -> BTreeSet<String> {
    let series = page.families().flat_map(|(name, _, _)| page.matching(name, &[]));
    series.filter_map(|(labels, _)| labels.get("appliance").cloned()).collect()
}

fn of(page: &Page, name: &str, appliance: &str) -> f64 {
    page.matching(name, &[("appliance", appliance)]).iter().map(|(_, value)| value).sum()
}

fn committed(page: &Page, appliance: &str) -> f64 {
    of(page, "asyncos_windows_committed_total", appliance)
}

fn counted_until(page: &Page, appliance: &str) -> f64 {
    of(page, "asyncos_window_end_timestamp_seconds", appliance)
}

fn all<'a>(names: impl IntoIterator<Item = &'a String>, mut holds: impl FnMut(&str) -> bool) -> bool {
    names.into_iter().all(|name| holds(name))
}

fn logins(appliance: &sim::Appliance) -> usize {
    appliance.count(|request| request.kind == RequestKind::Login)
}

/// The windows that were asked for, in order of arrival, whatever came of it; comparisons of whole hours are none.
fn asked(appliance: &sim::Appliance) -> Vec<(u64, u64)> {
    let requests = appliance.requests();
    let windows = requests.iter().filter_map(|request| request.window);
    windows.filter(|(start, end)| end - start < HOUR).collect()
}

/// A daemon in a runtime of its own, so that it can be killed.
struct Shard {
    rig: Rig,
    runtime: Runtime,
}

impl Shard {
    async fn start(text: String, storage: &Path, clock: &Clock) -> Self {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        let (storage, clock) = (storage.to_owned(), clock.clone());
        let starting = runtime.spawn(async move { Rig::start_stored(&text, &storage, &clock).await });
        let rig = starting.await.expect("a daemon");
        Self { rig, runtime }
    }

    /// Ends the daemon wherever it is: all its tasks are dropped at once, nothing is finished and nobody is told.
    async fn kill(self) {
        let Self { rig, runtime } = self;
        tokio::task::spawn_blocking(move || runtime.shutdown_timeout(PATIENCE)).await.expect("it ends");
        drop(rig);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_shards_ask_each_of_sixty_for_each_window_once_and_a_killed_one_makes_up_for_its_own() {
    let clock = lapse(RATE);
    let fleet = fleet(APPLIANCES, &clock).await;
    let storage: Vec<TempDir> = (0..SHARDS).map(|_| tempfile::tempdir().expect("a directory")).collect();
    let mut shards = Vec::new();
    for (index, storage) in storage.iter().enumerate() {
        shards.push(Shard::start(configuration(&fleet, SHARDS, index), storage.path(), &clock).await);
    }
    let mut pages = Vec::new();
    for (index, shard) in shards.iter().enumerate() {
        let page = shard
            .rig
            .until("eight windows of each are counted", |page| {
                !polled(page).is_empty() && all(&polled(page), |name| committed(page, name) >= 8.0)
            })
            .await;
        let labels = [("shards", "3"), ("index", &*index.to_string())].map(|(name, value)| (name, value.to_owned()));
        let labels = labels.each_ref().map(|(name, value)| (*name, value.as_str()));
        assert_eq!(page.value("asyncos_exporter_shard_info", &labels), Some(1.0));
        assert_eq!(page.value("asyncos_exporter_appliances_configured", &[]), Some(APPLIANCES as f64));
        assert_eq!(page.value("asyncos_exporter_appliances_owned", &[]), Some(polled(&page).len() as f64));
        assert_eq!(shown(&page), polled(&page), "what is not ours is not on the page");
        pages.push(page);
    }
    let owned: Vec<BTreeSet<String>> = pages.iter().map(polled).collect();
    assert_eq!(owned.iter().map(BTreeSet::len).sum::<usize>(), APPLIANCES, "none is polled by two: {owned:?}");
    assert_eq!(owned.iter().flatten().collect::<BTreeSet<_>>(), fleet.keys().collect(), "and each by one");

    let killed = shards.remove(1);
    let mine = &owned[1];
    killed.kill().await;
    for (name, appliance) in &fleet {
        assert_eq!(logins(appliance), 1, "only its owner logs in at {name}");
        let windows = asked(appliance);
        assert!(windows.len() >= 8);
        for pair in windows.windows(2) {
            assert_eq!(pair[0].1, pair[1].0, "each window of {name} is asked for once: {windows:?}");
        }
    }
    let requests = |name: &String| fleet[name].requests().len();
    let at_the_kill: BTreeMap<&String, usize> = mine.iter().map(|name| (name, requests(name))).collect();
    let others = &owned[0];
    let page = shards[0].rig.until("the others go on", |page| all(others, |name| committed(page, name) >= 12.0)).await;
    let until = others.iter().map(|name| counted_until(&page, name)).fold(f64::INFINITY, f64::min);
    for (name, before) in at_the_kill {
        assert_eq!(requests(name), before, "nobody takes over {name}");
    }

    shards.insert(1, Shard::start(configuration(&fleet, SHARDS, 1), storage[1].path(), &clock).await);
    for (shard, owned) in shards.iter().zip(&owned) {
        let page = shard
            .rig
            .until("all are beyond the outage", |page| {
                all(owned, |name| counted_until(page, name) >= until + 2.0 * WINDOW)
            })
            .await;
        assert_eq!(polled(&page), *owned, "they are what they were");
        for name in owned {
            let begun = asked(&fleet[name]).iter().map(|(start, _)| *start).min().expect("asked");
            assert_totals_true(&page, &fleet[name], name, INCOMING, begun);
            assert_eq!(of(&page, "asyncos_windows_lost_total", name), 0.0);
            assert_eq!(of(&page, "asyncos_login_failures_total", name), 0.0);
        }
    }
    for (name, appliance) in &fleet {
        assert_eq!(logins(appliance), if mine.contains(name) { 2 } else { 1 }, "{name}");
    }
    for shard in shards {
        shard.kill().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_number_of_shards_moves_appliances_at_a_reload_and_back() {
    const FEW: usize = 12;
    let clock = lapse(RATE);
    let fleet = fleet(FEW, &clock).await;
    let folder = Folder::new();
    let file = folder.write("c.yaml", configuration(&fleet, 1, 0));
    let first = Rig::start_file(file.as_ref(), None, &clock).await;
    let before = first
        .until("all are polled", |page| {
            polled(page).len() == FEW && all(&polled(page), |name| committed(page, name) >= 2.0)
        })
        .await;
    assert!(before.matching("asyncos_exporter_shard_info", &[]).is_empty(), "there is one exporter");

    folder.write("c.yaml", configuration(&fleet, 2, 0));
    first.reload().await;
    let page = first.page().await;
    let (stay, all_of_them) = (polled(&page), polled(&before));
    let moved: BTreeSet<String> = all_of_them.difference(&stay).cloned().collect();
    assert!(!stay.is_empty() && !moved.is_empty(), "{stay:?}");
    assert_eq!(shown(&page), stay, "what moved away is gone at once");
    assert_eq!(page.value("asyncos_exporter_shard_info", &[("shards", "2"), ("index", "0")]), Some(1.0));
    assert_eq!(page.matching("asyncos_exporter_shard_info", &[]).len(), 1);
    assert_eq!(page.value("asyncos_exporter_appliances_configured", &[]), Some(FEW as f64));
    assert_eq!(page.value("asyncos_exporter_appliances_owned", &[]), Some(stay.len() as f64));

    let second = Rig::start(&configuration(&fleet, 2, 1), &clock).await;
    let page =
        second.until("those that moved are polled", |page| all(&moved, |name| committed(page, name) >= 2.0)).await;
    assert_eq!(shown(&page), moved);
    for name in &moved {
        // Nothing is known of what the other has counted: from zero, one window back.
        let begun = counted_until(&page, name) - WINDOW * committed(&page, name);
        assert_totals_true(&page, &fleet[name], name, INCOMING, begun as u64);
    }
    second.end().await;

    folder.write("c.yaml", configuration(&fleet, 1, 0));
    first.reload().await;
    assert_eq!(polled(&first.page().await), all_of_them);
    let now = all_of_them.iter().map(|name| counted_until(&before, name)).fold(0.0, f64::max);
    let page = first
        .until("they are back", |page| all(&all_of_them, |name| counted_until(page, name) >= now + 5.0 * WINDOW))
        .await;
    for name in &all_of_them {
        // It is as if it had never been away: what the other had counted meanwhile is fetched and counted here too.
        let begun = counted_until(&before, name) - WINDOW * committed(&before, name);
        assert_totals_true(&page, &fleet[name], name, INCOMING, begun as u64);
        assert_eq!(of(&page, "asyncos_windows_lost_total", name), 0.0);
        assert_eq!(logins(&fleet[name]), if moved.contains(name) { 3 } else { 1 }, "those that stay are undisturbed");
    }
    first.end().await;
}

/// What `check` says of nine appliances and three shards in a pod of this name.
async fn check_as(pod: &str) -> crate::program::Ended {
    let folder = Folder::new();
    let appliance = |number| {
        format!(
            "  - {{name: esa{number}, url: 'https://esa{number}.example.com', username: u, password_env: POD_NAME}}\n"
        )
    };
    let appliances: String = (1..=9).map(appliance).collect();
    let text = format!("sharding: {{shards: 3, index_env: POD_NAME}}\nappliances:\n{appliances}");
    let file = folder.write("c.yaml", text);
    let mut ended =
        Program::start_with(&["check", &format!("--config.file={file}")], &[("POD_NAME", pod)]).ended().await;
    for said in [&mut ended.stdout, &mut ended.stderr] {
        *said = said.replace(&file, "c.yaml");
    }
    ended
}

#[tokio::test]
async fn check_reports_the_share_of_the_fleet_of_a_pod() {
    for (pod, owned) in [("asyncos-exporter-0", 3), ("asyncos-exporter-1", 0), ("2", 6)] {
        let ended = check_as(pod).await;
        let index = pod.trim_start_matches("asyncos-exporter-");
        assert_eq!(ended.code(), Some(0), "{ended:?}");
        assert_eq!(
            ended.stdout,
            format!(
                "c.yaml: 9 appliance(s), {owned} of them on shard {index} of 3, no problem\n\
                 no appliance was contacted: add --connect to test connection, login and access\n"
            )
        );
    }
    for (pod, problem) in [
        (
            "asyncos-exporter-3",
            "index 3 is none of 3 shard(s), which are counted from 0 to 2: increase `shards`, or run fewer exporters",
        ),
        (
            "asyncos-exporter-7d9f8b6c5d-x2x84",
            "the environment variable `POD_NAME` holds neither a number nor a name that ends in `-` and one",
        ),
    ] {
        let ended = check_as(pod).await;
        assert_eq!(ended.code(), Some(78), "{ended:?}");
        assert_eq!(ended.stderr, format!("c.yaml:1: sharding.index_env: {problem}\n"));
    }
}

#[test]
fn a_host_is_the_shard_that_its_name_ends_in_or_says_what_to_do() {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").expect("Linux tells it");
    let name = name.trim_end();
    let text = "sharding: {shards: 1000, from: hostname}\n\
                appliances: [{name: a, url: 'https://a.example.com', username: u, password: p}]";
    match (asyncos_exporter::base::shard::ordinal(name), Config::parse("c", text)) {
        (Some(index), Ok(config)) => assert_eq!(config.share.shard.index(), index),
        (None, Err(error)) => {
            let error = error.to_string();
            assert!(
                error.starts_with(&format!("c:1: sharding.from: the host name `{name}` does not end in")),
                "{error}"
            );
        }
        (Some(index), Err(error)) if index >= 1000 => {
            assert!(error.to_string().starts_with(&format!("c:1: sharding.from: index {index} is none of")), "{error}");
        }
        (ordinal, outcome) => panic!("{name}: {ordinal:?} {outcome:?}"),
    }
}

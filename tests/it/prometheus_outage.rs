//! An outage of the exporter as a real Prometheus sees it: what `increase` makes of the totals over it.

use std::fmt::Write;
use std::time::Duration;

use asyncos_exporter::base::clock::{Clock, Timestamp};
use asyncos_exporter::catalogue::{self, Counter, Group, ScopeKind};
use asyncos_exporter::sim::{self, Scope};

use crate::exposition::Page;
use crate::prometheus::Prometheus;
use crate::rig::{PATIENCE, Rig, entry, lapse, simulate};

/// Ten minutes of the time lapse are a second.
const RATE: u32 = 600;
const MINUTE: Duration = Duration::from_secs(60);
const OUTAGE: Duration = Duration::from_secs(40 * 60);
const SCRAPE_INTERVAL: Duration = Duration::from_secs(30);
const INCOMING: &str = "mail_incoming_traffic_summary";
const COUNTERS: [&str; 3] = ["total_recipients", "detected_spam", "detected_virus"];
const APPLIANCE: [(&str, &str); 1] = [("appliance", "esa1")];

/// What was scraped, and when.
struct Scrape {
    at: Timestamp,
    page: Page,
}

impl Scrape {
    /// The end of the newest window that is in its totals, in seconds since 1970.
    fn counted_until(&self) -> u64 {
        let labels = [("appliance", "esa1"), ("group", INCOMING)];
        self.page.value("asyncos_window_end_timestamp_seconds", &labels).expect("counted") as u64
    }

    fn has_caught_up(&self) -> bool {
        self.page.every("asyncos_windows_pending", &[], |pending| pending <= 1.0)
    }
}

/// Scrapes the daemon until one of its pages is enough.
async fn scrape(rig: &Rig, clock: &Clock, scrapes: &mut Vec<Scrape>, enough: impl Fn(&Scrape) -> bool) {
    let regularly = async {
        loop {
            // As Prometheus does: a sample bears the time at which it was asked for.
            let scrape = Scrape { at: clock.wall(), page: rig.page().await };
            let is_enough = enough(&scrape);
            scrapes.push(scrape);
            if is_enough {
                return;
            }
            clock.sleep(SCRAPE_INTERVAL).await;
        }
    };
    tokio::time::timeout(PATIENCE, regularly).await.expect("a page that is enough");
}

/// The samples of one series in the OpenMetrics format; it is `kind` of `family`.
fn series(scrapes: &[Scrape], family: &str, kind: &str, name: &str) -> String {
    let mut text = format!("# TYPE {family} {kind}\n");
    for Scrape { at, page } in scrapes {
        if let Some(value) = page.value(name, &APPLIANCE) {
            writeln!(text, "{name}{{appliance=\"esa1\"}} {value} {}", at.as_secs_f64()).expect("a String takes all");
        }
    }
    text
}

fn total_name(group: &Group, counter: &Counter) -> String {
    counter.total_name(group, ScopeKind::Appliance).expect("it adds up")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn increase_over_an_outage_is_the_truth_but_for_the_edges() {
    let clock = lapse(RATE);
    let esa = simulate(sim::Settings::esa("esa1"), &clock).await;
    let text = format!("defaults: {{window: 5m}}\ncounter_groups: minimal\nappliances:\n{}", entry("esa1", &esa, ""));
    let state = tempfile::tempdir().expect("a folder");
    let mut scrapes = Vec::new();

    let rig = Rig::start_stored(&text, state.path(), &clock).await;
    rig.until("windows are counted", |page| page.every("asyncos_windows_committed_total", &[], |count| count >= 1.0))
        .await;
    let before = clock.wall();
    scrape(&rig, &clock, &mut scrapes, |scrape| scrape.at >= before + 50 * MINUTE).await;
    rig.end().await;
    let outage = clock.wall();
    clock.sleep(OUTAGE).await;
    let rig = Rig::start_stored(&text, state.path(), &clock).await;
    let after = clock.wall();
    scrape(&rig, &clock, &mut scrapes, |scrape| scrape.at >= after + 40 * MINUTE && scrape.has_caught_up()).await;
    rig.end().await;

    let group = catalogue::group(INCOMING).expect("in the catalogue");
    let counters = COUNTERS.map(|name| group.counter(name).expect("in the catalogue"));
    let gauge = counters[0].gauge_name(group, ScopeKind::Appliance);
    let mut openmetrics = series(&scrapes, &gauge, "gauge", &gauge);
    for counter in counters {
        let name = total_name(group, counter);
        openmetrics += &series(&scrapes, name.trim_end_matches("_total"), "counter", &name);
    }
    let prometheus = Prometheus::knowing(&(openmetrics + "# EOF\n")).await;

    // Two hours, or a little more on a slow machine, with the outage amid them.
    let from = outage - 40 * MINUTE;
    let (start, end) = (from.as_secs(), scrapes.last().expect("many").at.as_secs() + 1);
    let range = end - start;
    let seen: Vec<&Scrape> = scrapes.iter().filter(|scrape| scrape.at > from).collect();
    assert!(seen.windows(2).any(|pair| pair[1].at.since(pair[0].at) >= OUTAGE), "the outage lies in the range");
    let (first, last) = (seen[0].counted_until(), seen[seen.len() - 1].counted_until());
    for counter in counters {
        let truth = esa.truth(&Scope::Whole, &group.name, &counter.name, first, last).expect("known");
        let query = format!("increase({}[{range}s])", total_name(group, counter));
        let increase = prometheus.value(&query, end).await;
        // Between its first and last sample in the range Prometheus sees each window once. It stretches that to the
        // edges of the range, at each of them by 1.1 mean distances of samples at most.
        // **Source:** `extrapolatedRate` in promql/functions.go of Prometheus.
        let most = truth * (1.0 + 2.0 * 1.1 / (seen.len() - 1) as f64);
        let rounding = 1e-9 * truth;
        let is_true = truth > 0.0 && (truth - rounding..=most + rounding).contains(&increase);
        assert!(is_true, "{query} is {increase}, not {truth} to {most}, with {} samples", seen.len());
    }
    // Why the manual forbids it: a window is added up as often as it was scraped, and those of the outage not at all.
    let truth = esa.truth(&Scope::Whole, &group.name, &counters[0].name, first, last).expect("known");
    let query = format!("sum_over_time({gauge}[{range}s])");
    let sum = prometheus.value(&query, end).await;
    assert!(sum > 2.0 * truth, "{query} is {sum}, with a truth of {truth}");
}

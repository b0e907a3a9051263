//! The demo in a real Prometheus on a time lapse: of the healthy fleet no alert fires and nothing is red; of the one with
//! troubles exactly the alerts fire that it announces.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use asyncos_exporter::base::clock::Clock;
use asyncos_exporter::commands::demo::{Condition, Fleet, Trouble};

use super::boards::{self, Board};
use super::colour::{self, Coloured};
use super::fleet::{History, Samples, is_behind};
use super::live::{Choice, WELL, ask};
use super::{alerts, text};
use crate::prometheus::until;
use crate::rig::{BEGINNING, Rig, lapse};

/// A minute of the time lapse is two and a half seconds: the SMA answers 150 requests in each.
const RATE: u32 = 24;
/// More than an hour, as some alerts wait for one.
const SPAN: u64 = 85 * 60;
/// As often as rules are evaluated.
const SCRAPE: u64 = 60;

/// Panels that are not green in the time lapse, and why.
const LAPSED: [(&str, &str); 1] =
    [("30-day success", "the seconds until the first poll are minutes of a history of one hour")];

const HEALTHY: Choice = WELL;
const TROUBLED: &str = "troubled";

/// A fleet of the demo with the exporter on it.
struct Demo {
    rig: Rig,
    fleet: Fleet,
    file: tempfile::NamedTempFile,
    storage: tempfile::TempDir,
}

impl Demo {
    async fn start(condition: Condition, clock: &Clock) -> Self {
        let now = clock.clone();
        let fleet = Fleet::start(condition, &(Arc::new(move || now.wall().into()) as _)).await.expect("free ports");
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), fleet.configuration()).expect("the configuration");
        let storage = tempfile::tempdir().expect("a folder");
        Self { rig: Rig::start_stored_held(file.path(), storage.path(), clock).await, fleet, file, storage }
    }

    async fn end(self) {
        self.rig.end().await;
        self.fleet.stop().await;
        drop((self.file, self.storage));
    }
}

async fn history() -> History {
    let clock = lapse(RATE);
    let healthy = Demo::start(Condition::Healthy, &clock).await;
    let troubled = Demo::start(Condition::Troubled, &clock).await;
    let mut samples = Samples::default();
    let (mut end, mut behind) = (0, true);
    // On a busy machine the fleet may be behind, and its newest windows would be missing.
    while end < BEGINNING + SPAN || (behind && end < BEGINNING + 2 * SPAN) {
        end = clock.wall().as_secs();
        let page = healthy.rig.text().await;
        behind = is_behind(&page);
        samples.scrape(HEALTHY.job, end, &page);
        samples.scrape(TROUBLED, end, &troubled.rig.text().await);
        clock.sleep(Duration::from_secs(SCRAPE)).await;
    }
    healthy.end().await;
    troubled.end().await;
    History::of(&samples, end, SPAN).await
}

/// What `for` says, in seconds.
fn hold(alert: &serde_json::Value) -> u64 {
    let Some(hold) = alert["for"].as_str() else { return 0 };
    let (number, unit) = hold.split_at(hold.len() - 1);
    number.parse::<u64>().expect("a number") * if unit == "h" { 3600 } else { 60 }
}

/// The alerts that fire at some time, as job, appliance and name. A rule is evaluated each minute, and fires once it has
/// held for as long as it says.
pub(super) async fn firing(history: &History) -> BTreeSet<(String, String, String)> {
    let (start, end) = (BEGINNING.to_string(), history.end.to_string());
    let mut firing = BTreeSet::new();
    for alert in alerts() {
        let parameters = [("query", text(&alert, "expr")), ("start", &start), ("end", &end), ("step", "60")];
        let found = history.prometheus.ask("/api/v1/query_range", &parameters).await;
        let found = found.unwrap_or_else(|error| panic!("{}: {error}", text(&alert, "alert")));
        for series in found["result"].as_array().expect("series") {
            let times = series["values"].as_array().expect("values").iter();
            let times: Vec<u64> = times.map(|pair| pair[0].as_f64().expect("a time") as u64).collect();
            let held = times.chunk_by(|before, after| after - before == SCRAPE);
            if held.into_iter().any(|run| run[run.len() - 1] - run[0] >= hold(&alert)) {
                let label = |name: &str| series["metric"][name].as_str().unwrap_or_default().to_owned();
                firing.insert((label("job"), label("appliance"), text(&alert, "alert").to_owned()));
            }
        }
    }
    firing
}

/// What is not green, of both products.
async fn red(history: &History) -> BTreeMap<String, Vec<f64>> {
    let all: Vec<Coloured> = boards::all().iter().flat_map(colour::coloured).collect();
    let mut red = BTreeMap::new();
    for one in &all {
        for product in ["esa", "sma"] {
            let mut values = one.values(history, &Choice { product, ..HEALTHY }).await;
            values.retain(|value| !one.is_well(*value));
            let is_lapsed = LAPSED.iter().any(|(title, _)| *title == one.title);
            if !values.is_empty() && !is_lapsed {
                red.insert(one.place.clone(), values);
            }
        }
    }
    for query in boards::all().iter().flat_map(Board::queries).filter(|query| query.legend == "stale") {
        for (_, values) in ask(history, &HEALTHY.fill(&query.expr, &query.step, 60), false).await {
            red.insert(query.place.clone(), values);
        }
    }
    assert!(all.len() > 60, "{}", all.len());
    red
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_healthy_demo_fires_no_alert_and_shows_no_red_and_troubles_fire_theirs() {
    let history = history().await;
    until(async || history.prometheus.ask("/api/v1/query", &[("query", "up")]).await).await;
    assert!(!ask(&history, "asyncos_up == 1", false).await.is_empty());
    let mut expected = BTreeSet::new();
    for Trouble { appliance, alerts, .. } in Condition::Troubled.troubles() {
        let of = |alert: &&str| (TROUBLED.to_owned(), (*appliance).to_owned(), (*alert).to_owned());
        expected.extend(alerts.iter().map(of));
    }
    let firing = firing(&history).await;
    let red = red(&history).await;
    assert!(
        firing == expected && red.is_empty(),
        "not announced: {:?}\nsilent: {:?}\nnot green: {red:?}",
        firing.difference(&expected).collect::<Vec<_>>(),
        expected.difference(&firing).collect::<Vec<_>>()
    );
}

//! A fleet in which some appliances count in minutes and some in whole hours: every panel about mail has data for each of
//! them, over a quarter of an hour as over a day, in a real Prometheus.

use asyncos_exporter::sim::{self, Appliance, Settings};
use serde_json::Value;

use super::boards::{self, Board, Query};
use super::fleet::{self, GROUPS, RATE, SCRAPE, SPAN, Samples, young};
use super::live::{Choice, STEP};
use super::{promql, text};
use crate::prometheus::{Prometheus, until};
use crate::rig::{BEGINNING, Rig, entry, lapse, simulate};

/// The ranges of dashboards that have to work, in seconds.
const SPANS: [u64; 4] = [900, 3600, 6 * 3600, 24 * 3600];

const fn of(appliance: &'static str, product: &'static str) -> Choice {
    Choice { job: "asyncos", product, appliance }
}

const MINUTES: [Choice; 3] = [of("esa1", "esa"), of("esa2", "esa"), of("sma1", "sma")];
const HOURS: [Choice; 2] = [of("esa3", "esa"), of("sma2", "sma")];

/// What a Prometheus knows of the fleet.
struct History {
    prometheus: Prometheus,
    end: u64,
    _data: tempfile::TempDir,
}

impl History {
    async fn make() -> Self {
        let clock = lapse(RATE);
        let mut appliances: Vec<Appliance> = Vec::new();
        let mut text =
            format!("defaults: {{timeout: 300s, start: 30m, requests_per_minute: 1000}}\n{GROUPS}\nappliances:\n");
        for Choice { appliance: name, product, .. } in MINUTES.iter().chain(&HOURS) {
            let is_sma = *product == "sma";
            let mut settings = if is_sma {
                Settings::sma(name)
                    .with_group("europe", &["esa8.example.com"])
                    .with_group("asia", &["esa9.example.com"])
            } else {
                Settings::esa(&format!("{name}.example.com"))
            };
            let is_hourly = HOURS.iter().any(|one| one.appliance == *name);
            if is_hourly {
                settings.behaviour.hour_only = Some(sim::HOUR_ONLY_MESSAGES[0].into());
                // One counts the hour that runs, the other closed hours only.
                settings.behaviour.declines_future = is_sma.then(|| "endDate is in the future.".into());
            }
            let appliance = simulate(young(settings), &clock).await;
            let scopes = if is_sma { ", device_groups: [europe], devices: [esa9.example.com]" } else { "" };
            let start = if is_hourly { ", polling: {start: 2h}" } else { "" };
            text += &entry(name, &appliance, &format!("product: {product}{scopes}{start}"));
            appliances.push(appliance);
        }
        let rig = Rig::start(&text, &clock).await;
        let mut samples = Samples::default();
        let (mut end, mut is_behind) = (0, true);
        while end < BEGINNING + SPAN || (is_behind && end < BEGINNING + 2 * SPAN) {
            end = clock.wall().as_secs();
            let page = rig.text().await;
            is_behind = fleet::is_behind(&page);
            samples.page("asyncos", end, &page);
            clock.sleep(SCRAPE).await;
        }
        rig.end().await;
        let data = tempfile::tempdir().expect("a folder");
        fleet::import(data.path(), &samples.now);
        let prometheus = Prometheus::on(data.path()).await;
        until(async || prometheus.ask("/api/v1/query", &[("query", "asyncos_up")]).await).await;
        Self { prometheus, end, _data: data }
    }

    /// The sum of all series now; nothing where there is none.
    async fn sum(&self, query: &str) -> Option<f64> {
        let end = self.end.to_string();
        let answer = self.prometheus.ask("/api/v1/query", &[("query", query), ("time", &end)]).await;
        let answer = answer.unwrap_or_else(|error| panic!("{query}\n{error}"));
        let values: Vec<f64> =
            answer["result"].as_array().expect("series").iter().map(|one| number(&one["value"])).collect();
        (!values.is_empty()).then(|| values.iter().sum())
    }

    /// How many points of a graph over `span` seconds Grafana draws: it aligns them to the step, and one before the
    /// beginning is not seen.
    async fn points(&self, query: &str, step: u64, span: u64) -> usize {
        let (from, to) = ((self.end - span) / step * step, self.end / step * step);
        let parameters =
            [("query", query), ("start", &*from.to_string()), ("end", &*to.to_string()), ("step", &*step.to_string())];
        let answer = self.prometheus.ask("/api/v1/query_range", &parameters).await;
        let answer = answer.unwrap_or_else(|error| panic!("{query}\n{error}"));
        let series = answer["result"].as_array().expect("series").iter();
        let points = series.flat_map(|one| one["values"].as_array().expect("points"));
        points
            .filter(|point| point[0].as_f64().expect("a time") >= (self.end - span) as f64 && number(point).is_finite())
            .count()
    }

    /// The value of the variable that decides the step.
    async fn window(&self, board: &Board, choice: &Choice) -> u64 {
        let variable = board.variables().iter().find(|one| one["name"] == "window").expect("the variable");
        let query = choice.fill_over(text(variable, "definition"), "1m", 0, 900);
        let query = query.strip_prefix("query_result(").and_then(|rest| rest.strip_suffix(')')).expect("a query");
        self.sum(query).await.expect("a number") as u64
    }

    /// Whether a query of a panel shows something.
    async fn is_alive(&self, query: &Query, choice: &Choice, window: u64, span: u64) -> bool {
        let mut filled = choice.fill_over(&query.expr, &query.step, window, span);
        // A ranking leaves out what counted nothing, and of rare things there may be none in a quarter of an hour.
        if filled.starts_with("sort_desc(") {
            filled = filled.replace(" > 0))", "))");
        }
        if query.is_range {
            let shortest = if query.step == "1m" { 60 } else { window };
            self.points(&filled, shortest.max(span / 288), span).await > 0
        } else {
            self.sum(&filled).await.is_some_and(f64::is_finite)
        }
    }
}

fn number(pair: &Value) -> f64 {
    pair[1].as_str().expect("a number as text").parse().expect("a number")
}

fn is_about_mail(query: &Query) -> bool {
    promql::read(&query.expr).selectors.iter().any(|selector| selector.metric.contains("_mail_"))
}

/// The query of a panel of the first dashboards.
fn query_of(title: &str) -> Query {
    let found = boards::all().into_iter().find_map(|board| {
        let panel = board.panels().into_iter().find(|panel| panel["title"] == title)?.clone();
        Some(board.queries_of(&panel).remove(0))
    });
    found.unwrap_or_else(|| panic!("no {title}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn minutes_and_hours_share_every_panel_about_mail() {
    let history = History::make().await;
    let mut dead = Vec::new();
    let mut asked = 0;
    for board in boards::all() {
        for choice in MINUTES.iter().chain(&HOURS) {
            // Only an SMA divides its reports.
            if board.uid() == "asyncos-scopes" && choice.product == "esa" {
                continue;
            }
            // As a reader has it who looks at the whole fleet: the others are chosen too.
            let window = history.window(&board, &Choice { appliance: ".+", ..*choice }).await;
            for query in
                board.queries().into_iter().filter(is_about_mail).filter(|query| !query.expr.contains("offset 1w"))
            {
                for span in SPANS {
                    asked += 1;
                    if !history.is_alive(&query, choice, window, span).await {
                        dead.push(format!("{} has no data over {span} s: {}", choice.appliance, query.place));
                    }
                }
            }
        }
    }
    assert!(asked > 2000, "{asked}");
    assert!(dead.is_empty(), "{} of {asked}:\n{}", dead.len(), dead.join("\n"));
    wholes(&history).await;
}

/// Numbers, not only something: a closed hour's mail is spread over the hour, the hour that runs is rated as it grows, and
/// the fleet is the sum of its appliances.
async fn wholes(history: &History) {
    let (rate, attempted) = (query_of("Incoming per minute"), query_of("Attempted"));
    let metric = "asyncos_mail_incoming_traffic_summary_total_recipients_last_window";
    for choice in &HOURS {
        let running = format!("asyncos_running_hour{{appliance=\"{}\"}}", choice.appliance);
        let running = history.sum(&running).await.expect("whole hours") > 0.0;
        assert_eq!(running, choice.product == "esa", "the SMA declines it");
        let hour = history.sum(&format!("{metric}{{appliance=\"{}\"}}", choice.appliance)).await.expect("an hour");
        assert!(hour > 0.0);
        // The hour that runs is another one than the hour that is closed, and a quarter of it has as few as two or as many as
        // four of its steps: only the order of magnitude is the same.
        let close = |found: Option<f64>, wanted: f64| {
            found.is_some_and(|found| match running {
                true => found > 0.0 && found < 4.0 * wanted,
                false => (found - wanted).abs() < 1e-6 * wanted,
            })
        };
        for span in SPANS {
            let shown = history.sum(&choice.fill_over(&rate.expr, &rate.step, STEP, span)).await;
            assert!(close(shown, hour / 60.0), "{shown:?} a minute are not {hour} an hour");
        }
        let shown = history.sum(&choice.fill_over(&attempted.expr, &attempted.step, STEP, 900)).await;
        assert!(close(shown, hour / 4.0), "{shown:?} in a quarter of an hour of {hour}");
    }
    let shown = async |appliance: &'static str| {
        let choice = of(appliance, "esa");
        history.sum(&choice.fill_over(&rate.expr, &rate.step, STEP, 900)).await.expect("a number")
    };
    let parts = shown("esa1").await + shown("esa2").await + shown("esa3").await;
    let whole = shown(".+").await;
    assert!((whole - parts).abs() < 1e-6 * parts, "{whole} is not {parts}");
}

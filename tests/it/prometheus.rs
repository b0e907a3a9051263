//! The demo as a stranger runs it: the real binary, scraped by a real Prometheus and read by its own tools.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use asyncos_exporter::catalogue::{self, Counter, Group, Profile};
use asyncos_exporter::sim;
use serde_json::Value;
use tempfile::TempDir;
use url::Url;

use crate::exposition::{Labels, Page};
use crate::readme;
use crate::rig;
use crate::sums::Place;

/// How long an outcome is waited for before a test gives up; the demo's half an hour of history takes its time.
const PATIENCE: Duration = Duration::from_secs(600);

/// Where the demo has values.
pub(crate) const PLACES: [Place; 9] = [
    Place { labels: &[("appliance", "esa1")], devices: &["esa1.healthy.example.com"] },
    Place { labels: &[("appliance", "esa2")], devices: &["esa2.healthy.example.com"] },
    Place { labels: &[("appliance", "esa3")], devices: &[ESA3] },
    Place { labels: &[SMA], devices: &[ESA3, ESA4, ESA5] },
    Place { labels: &[SMA, ("device_group", "europe")], devices: &[ESA3, ESA4] },
    Place { labels: &[SMA, ("device_group", "americas")], devices: &[ESA5] },
    Place { labels: &[SMA, ("device", ESA3)], devices: &[ESA3] },
    Place { labels: &[SMA, ("device", ESA4)], devices: &[ESA4] },
    Place { labels: &[SMA, ("device", ESA5)], devices: &[ESA5] },
];
const SMA: (&str, &str) = ("appliance", "sma1");
const ESA3: &str = "esa3.healthy.example.com";
const ESA4: &str = "esa4.healthy.example.com";
const ESA5: &str = "esa5.healthy.example.com";

/// Every gauge the demo shows in one of its places: it is polled for the groups of the default profile, but for the
/// capacity, which an ESA in centralized mode keeps for itself. Those with keys show as many as there are keys.
fn gauges(place: &Place) -> impl Iterator<Item = (&'static Group, &'static Counter)> {
    let appliance = place.appliance();
    let is_polled = move |group: &&Group| match (appliance, &*group.name == "mail_system_capacity") {
        ("esa3", is_capacity) => is_capacity,
        ("sma1", is_capacity) => !is_capacity,
        _ => true,
    };
    let all = catalogue::profile(Profile::Default)
        .filter(|group| group.key.is_none())
        .filter(is_polled)
        .flat_map(|group| group.counters.iter().map(move |counter| (group, counter)));
    all.filter(|(_, counter)| counter.is_numeric())
}

/// The names of the gauges of all places, one for each place.
fn names_of_gauges() -> Vec<String> {
    let of_place = |place: &'static Place| {
        gauges(place).map(|(group, counter)| counter.gauge_name(group, crate::keyed::kind(place.labels)))
    };
    PLACES.iter().flat_map(of_place).collect()
}

/// Refuses names of series that are not every gauge of every place.
fn is_complete<'a>(names: impl Iterator<Item = &'a str>) -> Result<(), String> {
    let of_all = names_of_gauges();
    let known: BTreeSet<&String> = of_all.iter().collect();
    let shown = names.filter(|name| known.contains(&(*name).to_owned())).count();
    if shown == of_all.len() { Ok(()) } else { Err(format!("{shown} of {} gauges are shown", of_all.len())) }
}

/// The first success of `ask`; its last excuse is what a test that gives up says.
pub(crate) async fn until<T>(mut ask: impl AsyncFnMut() -> Result<T, String>) -> T {
    let mut excuse = String::new();
    let wait = async {
        loop {
            match ask().await {
                Ok(outcome) => return outcome,
                Err(reason) => excuse = reason,
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.unwrap_or_else(|_| panic!("waited in vain: {excuse}"))
}

/// A program with a folder of its own; both end with the test, however it ends.
pub(crate) struct Program {
    child: Child,
    folder: TempDir,
    /// Where it listens.
    pub(crate) address: String,
}

impl Program {
    /// Starts it and waits for the line of its log that has `mark` and its address.
    pub(crate) async fn listening(mut command: Command, folder: TempDir, mark: &str) -> Self {
        let log = File::create(folder.path().join("log")).expect("a log");
        let errors = log.try_clone().expect("a log");
        let child = command.stdin(Stdio::null()).stdout(log).stderr(errors).spawn();
        let child = child.unwrap_or_else(|error| panic!("{command:?}: {error}; tests/run installs what is missing"));
        let mut program = Self { child, folder, address: String::new() };
        program.address = until(async || {
            let log = program.log();
            if let Some(status) = program.child.try_wait().expect("our child") {
                panic!("{command:?} ended with {status}:\n{log}");
            }
            // Without the line's end the address may be half written.
            let line = log.split_inclusive('\n').find(|line| line.contains(mark) && line.ends_with('\n'));
            let address = line.and_then(|line| line.split_whitespace().find_map(|pair| pair.strip_prefix("address=")));
            address.map(str::to_owned).ok_or_else(|| format!("{command:?} did not say `{mark}`:\n{log}"))
        })
        .await;
        program
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).expect("its log")
    }

    pub(crate) fn url(&self, path: &str) -> Url {
        Url::parse(&format!("http://{}{path}", self.address)).expect("an address")
    }

    async fn text(&self, path: &str) -> String {
        rig::get(self.url(path).as_str()).await.text().await.expect("a text")
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Both fail only if it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

pub(crate) async fn demo() -> Program {
    let mut command = Command::new(env!("CARGO_BIN_EXE_asyncos_exporter"));
    command.args(["demo", "--web.listen-address=127.0.0.1:0"]);
    Program::listening(command, folder(), "msg=listening").await
}

/// A real Prometheus.
pub(crate) struct Prometheus(Program);

impl Prometheus {
    /// One that scrapes `target`, as the job `demo`.
    pub(crate) async fn scraping(target: &str) -> Self {
        let config = format!(
            "global: {{scrape_interval: 1s, scrape_timeout: 1s}}\n\
             scrape_configs: [{{job_name: demo, static_configs: [{{targets: ['{target}']}}]}}]\n"
        );
        Self::start(folder(), &config).await
    }

    /// One that scrapes nothing and knows what `openmetrics` says.
    pub(crate) async fn knowing(openmetrics: &str) -> Self {
        let folder = folder();
        let (file, data) = (folder.path().join("samples"), folder.path().join("data"));
        std::fs::write(&file, openmetrics).expect("a file");
        let [file, data] = [file, data].map(|path| path.display().to_string());
        let (code, said) = promtool(&["tsdb", "create-blocks-from", "openmetrics", &file, &data], Stdio::null());
        assert_eq!(code, Some(0), "{said}");
        Self::start(folder, "").await
    }

    /// One with this configuration.
    pub(crate) async fn configured(text: &str) -> Self {
        Self::start(folder(), text).await
    }

    /// One that scrapes nothing and knows what is in `data`, which outlives it.
    pub(crate) async fn on(data: &Path) -> Self {
        Self::start_on(folder(), data, "").await
    }

    async fn start(folder: TempDir, text: &str) -> Self {
        let data = folder.path().join("data");
        Self::start_on(folder, &data, text).await
    }

    async fn start_on(folder: TempDir, data: &Path, text: &str) -> Self {
        let config = folder.path().join("prometheus.yml");
        std::fs::write(&config, text).expect("a configuration");
        let mut command = Command::new("prometheus");
        command.arg(format!("--config.file={}", config.display()));
        command.arg(format!("--storage.tsdb.path={}", data.display()));
        // A time lapse may lie years back.
        command.arg("--storage.tsdb.retention.time=100y");
        // One may feed another.
        command.arg("--web.enable-remote-write-receiver");
        command.arg("--web.listen-address=127.0.0.1:0");
        Self(Program::listening(command, folder, "msg=\"Listening on\"").await)
    }

    /// Where it listens.
    pub(crate) fn url(&self, path: &str) -> String {
        self.0.url(path).into()
    }

    /// The address alone.
    pub(crate) fn address(&self) -> &str {
        &self.0.address
    }

    /// What the HTTP API answers.
    ///
    /// # Errors
    /// The answer's text where it is not a success, as it is while the server starts.
    pub(crate) async fn ask(&self, path: &str, parameters: &[(&str, &str)]) -> Result<Value, String> {
        let mut url = self.0.url(path);
        url.query_pairs_mut().extend_pairs(parameters);
        let text = rig::get(url.as_str()).await.text().await.expect("an answer");
        let mut answer: Value = serde_json::from_str(&text).map_err(|_| text.clone())?;
        if answer["status"] == "success" { Ok(answer["data"].take()) } else { Err(text) }
    }

    /// The only value that `query` finds at `time`, in seconds since 1970, once the server has started.
    pub(crate) async fn value(&self, query: &str, time: u64) -> f64 {
        let parameters = [("query", query), ("time", &time.to_string())];
        let found = until(async || self.ask("/api/v1/query", &parameters).await).await;
        let value = found["result"].as_array().filter(|series| series.len() == 1).map(|series| &series[0]["value"][1]);
        let value = value.unwrap_or_else(|| panic!("{query} finds {found}"));
        value.as_str().expect("a number as text").parse().expect("a number")
    }

    /// Everything of the newest scrape.
    async fn newest(&self) -> Result<Scrape, String> {
        let time = self.ask("/api/v1/query", &[("query", "timestamp(up{job=\"demo\"})")]).await?;
        let time = time["result"][0]["value"][1].as_str().ok_or("nothing was scraped yet")?;
        // One instant for all: the end of a window and the values of the next one would not fit.
        let found = self.ask("/api/v1/query", &[("query", "{job=\"demo\"}"), ("time", time)]).await?;
        Ok(Scrape::read(&found))
    }

    /// The state of the only target.
    pub(crate) async fn target(&self) -> Result<(), String> {
        let found = self.ask("/api/v1/targets", &[]).await?;
        let target = &found["activeTargets"][0];
        match (target["health"].as_str(), target["lastError"].as_str()) {
            (Some("up"), Some("")) => Ok(()),
            _ => Err(target.to_string()),
        }
    }
}

/// What Prometheus stored of one scrape.
struct Scrape(BTreeMap<(String, Labels), f64>);

impl Scrape {
    fn read(found: &Value) -> Self {
        let series = found["result"].as_array().expect("a vector");
        Self(series.iter().map(Self::series).collect())
    }

    /// One series, without the labels that Prometheus adds.
    fn series(found: &Value) -> ((String, Labels), f64) {
        let labels = found["metric"].as_object().expect("labels").iter();
        let mut labels: Labels =
            labels.map(|(name, value)| (name.clone(), value.as_str().expect("a text").to_owned())).collect();
        let name = labels.remove("__name__").expect("a name");
        assert!(labels.remove("job").is_some() && labels.remove("instance").is_some());
        ((name, labels), found["value"][1].as_str().expect("a number as text").parse().expect("a number"))
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(|(name, _)| name.as_str())
    }

    fn find(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let have = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        self.0.get(&(name.to_owned(), have)).copied()
    }

    fn value(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        self.find(name, labels).unwrap_or_else(|| panic!("Prometheus has no {name} {labels:?}"))
    }

    /// The last window of `group`, in seconds since 1970; of an hour that is not over more than that is counted.
    fn window<'a>(&self, labels: &[(&'a str, &'a str)], group: &'a str) -> (u64, u64) {
        let labels = [labels, &[("group", group)]].concat();
        let end = self.value("asyncos_window_end_timestamp_seconds", &labels) as u64;
        let of_group = self.find("asyncos_window_seconds", &labels);
        let length = of_group.unwrap_or_else(|| self.value("asyncos_window_seconds", &labels[..1])) as u64;
        let end = end / length * length;
        (end - length, end)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_demo_through_a_real_prometheus_equals_the_simulators_truth() {
    let demo = demo().await;
    let prometheus = Prometheus::scraping(&demo.address).await;
    let scrape = until(async || {
        prometheus.target().await?;
        let scrape = prometheus.newest().await?;
        is_complete(scrape.names())?;
        Ok(scrape)
    })
    .await;
    assert_eq!(scrape.value("up", &[]), 1.0);
    assert!(scrape.value("scrape_samples_post_metric_relabeling", &[]) > 500.0);
    for place @ Place { labels, devices } in &PLACES {
        let mut nonzero = 0;
        for (group, counter) in gauges(place) {
            let (name, (start, end)) =
                (counter.gauge_name(group, crate::keyed::kind(labels)), scrape.window(labels, &group.name));
            let shown = scrape.value(&name, labels);
            let known = |start, end| sim::truth(devices, &group.name, &counter.name, start, end).expect("known");
            let truth = |start, end| counter.unit.scale(known(start, end));
            let is = |truth: f64| if truth.fract() == 0.0 { shown == truth } else { (shown - truth).abs() < 1e-9 };
            // An hour that is over is counted to its end before it has settled, when it becomes the last window.
            let (now, earlier) = (truth(start, end), (end - start == 3600).then(|| truth(start - 3600, start)));
            assert!(is(now) || earlier.is_some_and(is), "{name} {labels:?} of [{start}, {end}): {shown} is not {now}");
            nonzero += usize::from(now != 0.0);
        }
        // At night one ESA has little mail in a minute.
        assert!(nonzero > gauges(place).count() / 8, "only {nonzero} numbers of {labels:?} tell anything");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn prometheus_takes_every_sample_and_knows_every_type_and_help() {
    let demo = demo().await;
    let prometheus = Prometheus::scraping(&demo.address).await;
    until(async || {
        let page = Page::parse(&demo.text("/metrics").await).expect("a page");
        let ours = page.families().map(|(name, kind, help)| {
            // It asks for OpenMetrics, whose families are named without what belongs to their samples.
            let (name, kind) = match (kind, name.strip_suffix("_total"), name.strip_suffix("_info")) {
                ("counter", Some(name), _) => (name, "counter"),
                ("gauge", _, Some(name)) => (name, "info"),
                _ => (name, kind),
            };
            (name.to_owned(), (kind.to_owned(), help.to_owned()))
        });
        let ours: BTreeMap<_, _> = ours.collect();
        let theirs = metadata(&prometheus.ask("/api/v1/metadata", &[]).await?);
        if let Some(missing) = names_of_gauges().iter().find(|name| !ours.contains_key(*name)) {
            return Err(format!("{missing} is not shown yet"));
        }
        let differing: BTreeSet<_> =
            ours.keys().chain(theirs.keys()).filter(|it| ours.get(*it) != theirs.get(*it)).collect();
        if differing.is_empty() { Ok(()) } else { Err(format!("page and metadata differ in {differing:?}")) }
    })
    .await;
    // What a scrape loses to duplicates, order, bounds or limits.
    let about_itself = prometheus.0.text("/metrics").await;
    let complaints: Vec<_> =
        about_itself.lines().filter(|line| line.starts_with("prometheus_target_scrapes_")).collect();
    assert!(complaints.len() >= 5, "{complaints:?}");
    assert!(complaints.iter().all(|line| line.ends_with(" 0")), "{complaints:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_query_of_the_manual_is_answered() {
    let demo = demo().await;
    let prometheus = Prometheus::scraping(&demo.address).await;
    until(async || prometheus.newest().await.map(|_| ())).await;
    let mut asked = 0;
    for query in readme::fenced("promql").iter().flat_map(|block| block.split("\n\n")) {
        let found = prometheus.ask("/api/v1/query", &[("query", query)]).await;
        assert!(found.is_ok(), "{query}\n{found:?}");
        asked += 1;
    }
    assert!(asked >= 8);
}

/// Type and help by name.
fn metadata(found: &Value) -> BTreeMap<String, (String, String)> {
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let families = found.as_object().expect("families").iter();
    families
        .map(|(name, entries)| {
            let entries = entries.as_array().expect("a list");
            assert_eq!(entries.len(), 1, "{name} is one thing");
            (name.clone(), (text(&entries[0]["type"]), text(&entries[0]["help"])))
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn promtool_finds_nothing_on_the_demos_page() {
    let demo = demo().await;
    let file = demo.folder.path().join("page");
    until(async || {
        let text = demo.text("/metrics").await;
        std::fs::write(&file, &text).expect("a file");
        is_complete(text.lines().filter_map(|line| line.split_once('{')).map(|(name, _)| name))
    })
    .await;
    assert_lint_free(&file);
}

/// Refuses a page that `promtool check metrics` finds fault with.
pub(crate) fn assert_lint_free(file: &Path) {
    let (_, version) = promtool(&["--version"], Stdio::null());
    let (code, findings) = promtool(&["check", "metrics"], File::open(file).expect("the page").into());
    // promlint used to object to the word of any type anywhere in a name, and the vendor's groups are called
    // summaries; since client_golang 1.20 (pull request 1455) it looks for the metric's own type only.
    let is_old = version.starts_with("promtool, version 2.");
    let is_false = |line: &&str| is_old && line.ends_with("metric name should not include type 'summary'");
    let (false_alarms, rest): (Vec<_>, Vec<_>) = findings.lines().partition(is_false);
    assert_eq!(rest, [""; 0]);
    assert_eq!(code, if false_alarms.is_empty() { Some(0) } else { Some(3) });
}

/// The exit code, and all that was said on both outputs.
pub(crate) fn promtool(arguments: &[&str], input: Stdio) -> (Option<i32>, String) {
    let output = Command::new("promtool").args(arguments).stdin(input).output();
    let output = output.unwrap_or_else(|error| panic!("promtool: {error}; tests/run installs what is missing"));
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(said).expect("text"))
}

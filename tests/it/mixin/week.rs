//! The alerts about senders and detections over a week of simulated mail in a real Prometheus: none fires for healthy
//! traffic, and each fires for the same traffic with an attack in its last hours, and not before.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use asyncos_exporter::catalogue::detections::{detections, spoofed_sender};
use asyncos_exporter::catalogue::tracking::{Outcome, Search};
use asyncos_exporter::sim;

use super::fleet::{WEEK, import};
use super::{rules, text};
use crate::prometheus::{Prometheus, until};
use crate::rig::BEGINNING;

const DEVICE: &str = "esa1.healthy.example.com";
const START: u64 = (BEGINNING - WEEK) / 3600 * 3600;
/// The attack begins so long before the end: longer than rates reach back.
const ATTACK: u64 = START + WEEK - 3 * 3600;
/// The windows of reports, and of searches.
const WINDOW: u64 = 300;
const SEARCH_WINDOW: u64 = 1800;
/// Seconds between two scrapes.
const SCRAPE: u64 = 150;
const GROUPS: [&str; 2] = ["asyncos-senders", "asyncos-detections"];

/// Counters of reports that the alerts read, and by how much an attack increases them in a minute.
const COUNTERS: [(&str, &str, u64); 14] = [
    ("mail_incoming_traffic_summary", "failed_spf", 100),
    ("mail_incoming_traffic_summary", "failed_dkim", 100),
    ("mail_incoming_traffic_summary", "total_spoofed_emails", 50),
    ("mail_incoming_traffic_summary", "total_recipients", 0),
    ("mail_incoming_traffic_summary", "blocked_reputation", 0),
    ("mail_sender_domain_reputation", "awful", 100),
    ("mail_sender_domain_reputation", "poor", 0),
    ("mail_system_capacity", "incoming_messages", 0),
    ("mail_system_capacity", "outgoing_messages", 0),
    ("mail_security_summary", "received_unencrypted", 200),
    ("mail_security_summary", "received_total", 200),
    ("mail_security_summary", "sent_unencrypted", 200),
    ("mail_security_summary", "sent_total", 200),
    ("mail_incoming_amp_summary", "clean", 0),
];
const UNSCANNABLE: (&str, &str, u64) = ("mail_incoming_amp_summary", "unscannable", 30);
const REMEDIATION: &str = "mail_mor_batch_summary_msgs_failed";

/// Messages that an attack makes the search of this name find in a minute.
fn attack_on(search: &str) -> u64 {
    match search {
        "messages_dropped" => 400,
        "dmarc_failure_delivered" => 50,
        _ => 1,
    }
}

/// The searches of the configuration key, each with its name.
fn searches() -> Vec<(String, Search)> {
    let fixed = detections().iter().map(|one| (one.name.to_owned(), one.search().expect("a search")));
    fixed.chain([spoofed_sender("example.com").expect("a domain")]).collect()
}

/// How many messages of the healthy device the search counts in a window.
fn counted(search: &Search, start: u64) -> u64 {
    let parameters = search.parameters();
    let query: Vec<(String, String)> = url::form_urlencoded::parse(parameters.as_bytes()).into_owned().collect();
    let query: Vec<(&str, &str)> = query.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let count = match search.outcome() {
        Outcome::Any => sim::tracked_count,
        Outcome::Delivered => sim::delivered_count,
    };
    count(&[DEVICE], &query, start, start + SEARCH_WINDOW).expect("the simulator takes it")
}

/// A counter with the events of each of its windows.
struct Counted {
    /// Name and labels of the total, of the gauge.
    names: [String; 2],
    window: u64,
    events: Vec<u64>,
    /// What an attack adds in a minute.
    attack: u64,
}

impl Counted {
    fn of_report((group, counter, attack): (&str, &str, u64)) -> Self {
        let starts = (START..START + WEEK).step_by(WINDOW as usize);
        let truth = |start| sim::truth(&[DEVICE], group, counter, start, start + WINDOW).expect("a counter") as u64;
        let name = format!("asyncos_{group}_{counter}");
        let total = format!("{}_total", name.trim_end_matches("_total"));
        let events = starts.map(truth).collect();
        Self { names: [total, format!("{name}_last_window")], window: WINDOW, events, attack }
    }

    fn of_search((name, search): &(String, Search)) -> Self {
        let starts = (START..START + WEEK).step_by(SEARCH_WINDOW as usize);
        let names = ["total", "last_window"].map(|kind| format!("asyncos_tracking_messages_{kind}|search=\"{name}\""));
        let events = starts.map(|start| counted(search, start)).collect();
        Self { names, window: SEARCH_WINDOW, events, attack: attack_on(name) }
    }

    /// A probe in every minute until the attack, and none after it.
    fn canary() -> Self {
        let starts = (START..START + WEEK).step_by(SEARCH_WINDOW as usize);
        let names = ["total", "last_window"].map(|kind| format!("asyncos_tracking_messages_{kind}|search=\"canary\""));
        let events = starts.map(|start| if start < ATTACK { 30 } else { 0 }).collect();
        Self { names, window: SEARCH_WINDOW, events, attack: 0 }
    }

    /// Writes what an appliance shows of it in each scrape.
    fn write(&self, appliance: &str, is_attacked: bool, out: &mut String) {
        let mut total = 0;
        for (position, events) in self.events.iter().enumerate() {
            let start = START + position as u64 * self.window;
            let added = if is_attacked && start >= ATTACK { self.attack * self.window / 60 } else { 0 };
            total += events + added;
            let end = start + self.window;
            for time in (end..end + self.window).step_by(SCRAPE as usize) {
                for (name, value) in self.names.iter().zip([total, events + added]) {
                    let (name, labels) = name.split_once('|').unwrap_or((name, ""));
                    sample(out, name, appliance, labels, value, time);
                }
            }
        }
    }
}

fn sample(out: &mut String, name: &str, appliance: &str, labels: &str, value: u64, time: u64) {
    let comma = if labels.is_empty() { "" } else { "," };
    let series = format!("{name}{{job=\"asyncos\",instance=\"h:1\",appliance=\"{appliance}\"{comma}{labels}}}");
    writeln!(out, "{series} {value} {time}").expect("a String takes all");
}

/// A week of two appliances with the same mail, of which the second is attacked in the end.
fn week() -> String {
    let mut all: Vec<Counted> = COUNTERS.into_iter().chain([UNSCANNABLE]).map(Counted::of_report).collect();
    all.extend(searches().iter().map(Counted::of_search));
    let mut out = String::new();
    for (appliance, is_attacked) in [("quiet", false), ("attacked", true)] {
        all.iter().for_each(|one| one.write(appliance, is_attacked, &mut out));
        for time in (START..START + WEEK).step_by(SCRAPE as usize) {
            sample(&mut out, "asyncos_window_seconds", appliance, "", WINDOW, time);
            for (name, _) in searches() {
                let labels = format!("group=\"tracking/{name}\"");
                sample(&mut out, "asyncos_window_seconds", appliance, &labels, SEARCH_WINDOW, time);
            }
            let failed = if is_attacked && time >= ATTACK { 2 } else { 0 };
            let name = format!("asyncos_{REMEDIATION}_last_window");
            sample(&mut out, &name, appliance, "batch=\"b\"", failed, time);
        }
    }
    let mut probes = Counted::canary();
    probes.write("attacked", true, &mut out);
    probes.events.fill(30);
    probes.write("quiet", false, &mut out);
    out
}

/// The alerts of the two groups with their queries, recorded queries spelt out.
fn alerts() -> Vec<(String, String)> {
    let rules = rules();
    let groups = rules["groups"].as_array().expect("groups");
    let all = || groups.iter().flat_map(|group| group["rules"].as_array().expect("rules"));
    let recorded: Vec<(&str, &str)> =
        all().filter_map(|rule| Some((rule["record"].as_str()?, text(rule, "expr")))).collect();
    let ours = groups.iter().filter(|group| GROUPS.contains(&text(group, "name")));
    let alerts = ours.flat_map(|group| group["rules"].as_array().expect("rules"));
    alerts
        .map(|rule| {
            let spelt_out = |query: String, (name, expr): &(&str, &str)| query.replace(name, &format!("({expr})"));
            (text(rule, "alert").to_owned(), recorded.iter().fold(text(rule, "expr").to_owned(), spelt_out))
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_quiet_week_fires_nothing_and_an_attack_everything() {
    let data = tempfile::tempdir().expect("a folder");
    import(data.path(), &week());
    let prometheus = Prometheus::on(data.path()).await;
    until(async || prometheus.ask("/api/v1/query", &[("query", "up")]).await).await;
    let mut fired: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let alerts = alerts();
    for (name, query) in &alerts {
        let (start, end) = (START.to_string(), (START + WEEK).to_string());
        let parameters = [("query", query.as_str()), ("start", &start), ("end", &end), ("step", "60")];
        let found = prometheus.ask("/api/v1/query_range", &parameters).await;
        let found = found.unwrap_or_else(|error| panic!("{name}: {error}"));
        for series in found["result"].as_array().expect("series") {
            let appliance = series["metric"]["appliance"].as_str().expect("an appliance").to_owned();
            let values = series["values"].as_array().expect("values");
            let first = values[0][0].as_f64().expect("a time") as u64;
            assert!(
                first >= ATTACK,
                "{name} fires for {appliance} {} seconds before the attack: {values:?}",
                ATTACK - first
            );
            fired.entry(appliance).or_default().insert(name.clone());
        }
    }
    let all: BTreeSet<String> = alerts.into_iter().map(|(name, _)| name).collect();
    assert!(all.len() >= 16, "{all:?}");
    assert_eq!(fired, BTreeMap::from([("attacked".to_owned(), all)]));
}

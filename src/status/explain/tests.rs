//! Every kind of series, and every kind of question that names none.

use std::time::Duration;

use super::*;
use crate::base::window::Grid;
use crate::config::Scope;
use crate::sample::Family;
use crate::sample::status_metrics::StatusMetrics;
use crate::snapshot::{Pending, Reading, Tally};
use crate::store::SumKey;

const START: Timestamp = Timestamp::from_secs(1_795_435_200);
const SENT: &str = "/esa/api/v2.0/reporting/g?startDate=x";

fn sample(name: &str, counter: &str, labels: &[(&str, &str)], value: f64) -> Sample {
    let family = Family { name: name.into(), help: String::new(), counter: Some(counter.into()) };
    let labels = labels.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    Sample { family: Arc::new(family), labels, value }
}

fn view(scope: Scope) -> GroupView {
    let ticks = Tick::default() + Duration::from_secs(60);
    let samples = vec![sample("spam_last_window", "spam", &[], 7.0), sample("cpu_ratio_last_window", "cpu", &[], 0.07)];
    let totals = vec![
        sample("spam_total", "spam", &[], 70.0),
        sample("still_total", "still", &[], 3.0),
        sample("keyed_total", "keyed", &[("policy", "a")], 1.0),
        sample("keyed_total", "keyed", &[("policy", "b")], 2.0),
    ];
    GroupView {
        scope,
        group: "g".into(),
        success_until: Some(Tick::LAST),
        asked_again: None,
        last_success: Some(START),
        refusal: None,
        trouble: None,
        window: Duration::from_secs(300),
        settle: Duration::ZERO,
        pending: Pending { windows: 0, next: None },
        window_end: Some(START + Duration::from_secs(300)),
        running_hour: None,
        tally: Tally::default(),
        difference: None,
        reading: Some(Arc::new(Reading { samples, raw_values: vec![(1, 7.0)], expires: ticks })),
        totals: Arc::new(totals),
        beginnings: Arc::default(),
        created: Arc::default(),
        since: Some(START - Duration::from_secs(3600)),
        origin: Some(Arc::new(Origin {
            sent: SENT.into(),
            window: Grid::try_new(Duration::from_secs(300)).expect("five minutes").window_from(START),
            at: START + Duration::from_secs(420),
            added: vec![(SumKey::whole("spam"), 7), (SumKey::keyed("keyed", "b"), 2)],
        })),
    }
}

fn fleet() -> Vec<Arc<Snapshot>> {
    let status_metrics = StatusMetrics {
        gauges: vec![sample("asyncos_health_cpu_load_ratio", "", &[], 0.5)],
        ..StatusMetrics::default()
    };
    let health = AspectView {
        name: "health",
        option: "health",
        is_wanted: false,
        success: true,
        last_success: Some(START),
        refusal: None,
        trouble: None,
        status_metrics,
        unusable: Default::default(),
        expires: Tick::default() + Duration::from_secs(60),
    };
    let snapshot = |name: &str, scopes: &[Scope]| {
        Arc::new(Snapshot {
            appliance: name.into(),
            up_until: Some(Tick::LAST),
            round: None,
            clock_skew_seconds: None,
            clock: None,
            centralized: None,
            trouble: None,
            product: "esa",
            identity: None,
            minimum_release: None,
            groups: scopes.iter().map(|scope| Arc::new(view(scope.clone()))).collect(),
            aspects: vec![Arc::new(health.clone())],
        })
    };
    vec![snapshot("esa1", &[Scope::Appliance]), snapshot("sma1", &[Scope::Appliance, Scope::DeviceGroup("eu".into())])]
}

fn ask(query: &[(&str, &str)], seconds: u64) -> Result<serde_json::Value, Unexplained> {
    let pairs = query.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let now = Tick::default() + Duration::from_secs(seconds);
    let explained = Question::try_new(pairs)?.answer(&fleet(), now)?;
    Ok(serde_json::from_str(&explained.json()).expect("JSON"))
}

#[test]
fn a_gauge_is_what_one_answer_said_of_one_window() {
    let expected = serde_json::json!({
        "metric": "cpu_ratio_last_window", "labels": {"appliance": "esa1"}, "kind": "gauge", "value": 0.07,
        "shown": true, "group": "g", "counter": "cpu",
        "answer": {
            "request": format!("GET {SENT}"),
            "window": {"start": "2026-11-23T12:00:00.000Z", "end": "2026-11-23T12:05:00.000Z"},
            "at": "2026-11-23T12:07:00.000Z", "clock": "appliance", "raw": 7.0,
        },
    });
    let query = [("metric", "cpu_ratio_last_window"), ("appliance", "esa1"), ("instance", "x:1"), ("job", "j")];
    assert_eq!(ask(&query, 0), Ok(expected));
    assert_eq!(ask(&query, 59).expect("known")["shown"], true);
    assert_eq!(ask(&query, 60).expect("known")["shown"], false, "it is too old by then");
    let same = ask(&[("metric", "spam_last_window"), ("appliance", "esa1")], 0).expect("known");
    assert_eq!((&same["value"], &same["answer"]["raw"]), (&7.0.into(), &7.0.into()));
}

#[test]
fn a_total_tells_since_when_up_to_when_and_what_was_added_last() {
    let total = |query: &[(&str, &str)]| ask(query, 61).expect("known");
    let spam = total(&[("metric", "spam_total"), ("appliance", "esa1"), ("device_group", "")]);
    let expected = serde_json::json!({
        "since": "2026-11-23T11:00:00.000Z", "up_to": "2026-11-23T12:05:00.000Z", "last_added": 7
    });
    assert_eq!((&spam["total"], &spam["kind"], &spam["shown"]), (&expected, &"counter".into(), &true.into()));
    assert_eq!(spam["answer"]["request"], format!("GET {SENT}"));
    let added = |query: &[(&str, &str)]| total(query)["total"]["last_added"].clone();
    assert_eq!(added(&[("metric", "still_total"), ("appliance", "esa1")]), 0);
    assert_eq!(added(&[("metric", "keyed_total"), ("appliance", "esa1"), ("policy", "a")]), 0);
    assert_eq!(added(&[("metric", "keyed_total"), ("appliance", "esa1"), ("policy", "b")]), 2);
}

#[test]
fn what_an_appliance_tells_about_itself_has_a_time_and_no_window() {
    let answer = serde_json::json!({"at": "2026-11-23T12:00:00.000Z", "clock": "exporter"});
    let found = ask(&[("metric", "asyncos_health_cpu_load_ratio"), ("appliance", "sma1")], 0).expect("known");
    assert_eq!((&found["group"], &found["answer"]), (&"health".into(), &answer));
    let shown = |seconds| {
        let query = [("metric", "asyncos_health_cpu_load_ratio"), ("appliance", "sma1")];
        ask(&query, seconds).expect("known")["shown"].clone()
    };
    assert_eq!((shown(59), shown(60)), (true.into(), false.into()), "it is too old by then");
}

#[test]
fn labels_may_be_left_out_where_one_series_is_meant() {
    let labels = |query: &[(&str, &str)]| ask(query, 0).map(|found| found["labels"].clone());
    let of = |labels: serde_json::Value| Ok(labels);
    let group = [("metric", "spam_total"), ("device_group", "eu")];
    assert_eq!(labels(&group), of(serde_json::json!({"appliance": "sma1", "device_group": "eu"})));
    let whole = [("metric", "spam_total"), ("appliance", "sma1")];
    assert_eq!(labels(&whole), of(serde_json::json!({"appliance": "sma1"})));
    let Err(error @ Unexplained::Ambiguous { .. }) = labels(&[("metric", "spam_total")]) else { panic!("of whom?") };
    let json: serde_json::Value = serde_json::from_str(&error.json()).expect("JSON");
    assert_eq!(json["error"], "several series `spam_total` have these labels: add labels to select one");
    assert_eq!(json["series"].as_array().map(Vec::len), Some(3));
}

#[test]
fn a_question_about_nothing_says_what_there_is() {
    let refused = |query: &[(&str, &str)]| ask(query, 0).expect_err("nothing");
    let unknown = refused(&[("metric", "spam_total"), ("appliance", "gone")]);
    let json: serde_json::Value = serde_json::from_str(&unknown.json()).expect("JSON");
    assert!(json["error"].as_str().is_some_and(|error| error.starts_with("no series `spam_total`")), "{json}");
    assert_eq!(json["series"][0], serde_json::json!({"appliance": "esa1"}));
    assert!(matches!(refused(&[("metric", "asyncos_up")]), Unexplained::Unknown { others, .. } if others.is_empty()));
    for query in [&[][..], &[("metric", "")], &[("appliance", "esa1")], &[("metric", "a"), ("metric", "b")]] {
        let error = refused(query);
        assert!(matches!(error, Unexplained::Malformed(_)) && error.json().contains("\"error\""), "{query:?}");
    }
}

//! A fleet in every state, as a person and as a program see it.

use std::time::Duration;

use super::problem::Problem;
use super::*;
use crate::api::{Failure, Identity, Reason, RefusalCause};
use crate::config::Scope;
use crate::sample::status_metrics::StatusMetrics;
use crate::snapshot::{AspectView, ClockTrouble, GroupView, Pending, Round, Tally, Tight, Trouble};

mod reports;

const REFUSED: &str = "the appliance does not offer declined; requested hourly: check the AsyncOS release and the feature \
                       key, or remove the group from `counter_groups`";
const NOW: Timestamp = Timestamp::from_secs(1_795_435_200);
const MINUTE: Duration = Duration::from_secs(60);
/// Markup that an attacker would like to run in the browser of an administrator.
const HOSTILE: &str = "<script>alert(\"1\")</script>'&";

fn ago(minutes: u32) -> Timestamp {
    NOW - MINUTE * minutes
}

fn trouble(reason: Reason, detail: &str) -> Option<Arc<Trouble>> {
    Some(Arc::new(Trouble { failure: Failure::new(reason, detail), at: ago(3) }))
}

fn group(name: &str) -> GroupView {
    GroupView {
        scope: Scope::Appliance,
        group: name.into(),
        success_until: Some(Tick::LAST),
        asked_again: None,
        last_success: Some(ago(1)),
        refusal: None,
        trouble: None,
        window: MINUTE,
        settle: MINUTE * 2,
        pending: Pending { windows: 0, next: None },
        window_end: Some(ago(4)),
        running_hour: None,
        tally: Tally { committed: 7, ..Tally::default() },
        difference: None,
        reading: None,
        totals: Arc::default(),
        beginnings: Arc::default(),
        created: Arc::default(),
        since: None,
        origin: None,
    }
}

fn snapshot(name: &str, groups: Vec<GroupView>) -> Snapshot {
    Snapshot {
        appliance: name.into(),
        up_until: Some(Tick::LAST),
        round: None,
        clock_skew_seconds: Some(0.5),
        clock: None,
        centralized: None,
        trouble: None,
        product: "esa",
        identity: None,
        minimum_release: None,
        groups: groups.into_iter().map(Arc::new).collect(),
        aspects: Vec::new(),
    }
}

fn config(names: &[&str]) -> Config {
    let entries = names.iter().enumerate().map(|(number, name)| {
        let name = serde_json::to_string(name).expect("a text");
        format!("- {{name: {name}, url: 'https://esa{number}.example.com:6443', username: u, password: hunter2}}\n")
    });
    let text = entries.fold("appliances:\n".to_owned(), |text, entry| text + &entry);
    Config::parse("fleet", &text).unwrap_or_else(|error| panic!("{error}"))
}

fn status(config: &Config, snapshots: Vec<Snapshot>, traffic: &[(&str, TrafficFacts)], own: ExporterState) -> Status {
    let snapshots: Vec<_> = snapshots.into_iter().map(Arc::new).collect();
    let traffic = traffic.iter().map(|(name, facts)| (Arc::from(*name), *facts)).collect();
    let facts =
        Facts { config, snapshots: &snapshots, traffic: &traffic, own, now: NOW, tick: Tick::default() + MINUTE * 90 };
    Status::new(facts, "1.2.3", None)
}

fn fleet() -> Status {
    let config = config(&["fine", "new", "gone", "half", "locked"]);
    let fine = snapshot("fine", vec![group("a"), GroupView { window: MINUTE * 5, ..group("b") }]);
    let new = Snapshot { up_until: None, ..snapshot("new", vec![]) };
    let gone = trouble(Reason::Connect, "cannot connect");
    let gone = Snapshot { up_until: None, trouble: gone, ..snapshot("gone", vec![]) };
    let declined = GroupView {
        success_until: None,
        refusal: Some(Reason::Declined),
        pending: Pending { windows: 100, next: None },
        trouble: trouble(Reason::Declined, "Not Found."),
        ..group("declined")
    };
    let failing = GroupView {
        success_until: None,
        trouble: trouble(Reason::Timeout, "too slow"),
        asked_again: Some(NOW + MINUTE * 32),
        ..group("failing")
    };
    let failing =
        GroupView { scope: Scope::Device("d1".into()), pending: Pending { windows: 9, next: None }, ..failing };
    let build = StatusMetrics { info: vec![("release".into(), "16.0.0-001".into())], ..StatusMetrics::default() };
    let mut half = snapshot("half", vec![declined, failing]);
    half.aspects.push(Arc::new(AspectView {
        name: "xml_status",
        option: "xml_status",
        is_wanted: true,
        success: true,
        last_success: Some(ago(0)),
        refusal: None,
        trouble: None,
        status_metrics: build,
        unusable: Default::default(),
        expires: Tick::default(),
    }));
    let locked = Snapshot { up_until: None, trouble: trouble(Reason::LoginWait, "no"), ..snapshot("locked", vec![]) };
    let day = Duration::from_secs(24 * 3600);
    let traffic = [
        ("fine", TrafficFacts { token_expiry: Some(NOW + MINUTE), ..TrafficFacts::default() }),
        ("half", TrafficFacts { certificate_expiry: Some(NOW + day * 13), ..TrafficFacts::default() }),
        ("locked", TrafficFacts { login_refusals: 3, logins_stopped: true, ..TrafficFacts::default() }),
    ];
    let own = ExporterState { config_read: Some(true), config_since: Some(ago(90)), ..ExporterState::default() };
    status(&config, vec![fine, new, gone, half, locked], &traffic, own)
}

#[test]
fn a_refused_login_is_said_with_what_was_refused() {
    let said = |refusals, cause| {
        let problems = [Problem::LoginsRefused { refusals, cause }, Problem::LoginsStopped { refusals, cause }];
        problems.map(|problem| problem.to_string())
    };
    for (cause, advice) in [
        (RefusalCause::Password, "correct the password"),
        (RefusalCause::SecondFactor, "configure `two_factor`"),
        (RefusalCause::Passcode, "correct `two_factor`"),
        (RefusalCause::OtherServer, "check scheme, host and port in `url`"),
        (RefusalCause::OtherProduct, "check `product`"),
    ] {
        let is_password = matches!(cause, RefusalCause::Password | RefusalCause::OtherProduct);
        for problem in said(1, cause).into_iter().chain(said(3, cause)) {
            assert!(problem.contains(advice), "{problem}");
            assert_eq!(problem.contains("password"), is_password, "{problem}");
        }
    }
}

#[test]
fn the_worst_comes_first_and_every_state_is_told_apart() {
    let Status { summary, appliances, .. } = fleet();
    let states: Vec<_> = appliances.iter().map(|appliance| (appliance.name.as_str(), appliance.state)).collect();
    let expected = [
        ("locked", State::LoginsStopped),
        ("gone", State::Down),
        ("half", State::Degraded),
        ("new", State::Starting),
        ("fine", State::Ok),
    ];
    assert_eq!(states, expected);
    assert_eq!(summary, Summary { appliances: 5, ok: 1, starting: 1, degraded: 1, down: 1, logins_stopped: 1 });
    let problems: Vec<Vec<String>> =
        appliances.iter().map(|appliance| appliance.problems.iter().map(ToString::to_string).collect()).collect();
    let down = &*format!("API requests fail (connect): {}", Reason::Connect.advice());
    let failing = &*format!("requests fail: failing of d1 (timeout): {}", Reason::Timeout.advice());
    let expected = [
        vec!["logins have stopped after 3 refusals: correct the password, or unlock the account and reset"],
        vec![down],
        vec![failing, REFUSED, "9 windows behind", "its certificate expires at 2026-12-06T12:00:00.000Z"],
        vec![],
        vec![],
    ];
    assert_eq!(problems, expected);
}

#[test]
fn a_clock_that_is_not_followed_is_a_problem_with_advice() {
    let check = "check NTP on the appliance (`ntpconfig`) and on the exporter's host";
    for (trouble, skew, expected) in [
        (
            ClockTrouble::Refused,
            Some(27.0 * 3600.0),
            "its clock is not trusted (1 d 3 h ahead of the exporter's): windows follow the exporter's clock",
        ),
        (
            ClockTrouble::Unconfirmed,
            Some(-300.0),
            "its clock jumped (5 min behind the exporter's): waiting for a second answer to confirm it",
        ),
        (ClockTrouble::Unconfirmed, None, "its clock jumped: waiting for a second answer to confirm it"),
        (ClockTrouble::Behind, Some(-0.5), "its clock is behind the last counted window: polls wait for it"),
    ] {
        let ill = Snapshot { clock: Some(trouble), clock_skew_seconds: skew, ..snapshot("a", vec![group("b")]) };
        let status = status(&config(&["a"]), vec![ill], &[], ExporterState::default());
        let appliance = &status.appliances[0];
        let texts: Vec<_> = appliance.problems.iter().map(ToString::to_string).collect();
        assert_eq!((appliance.state, texts), (State::Degraded, vec![format!("{expected}; {check}")]));
        assert_eq!(appliance.problems[0].kind(), "clock");
    }
}

/// The only problem and the state of an appliance that is well but for what `change` does to it.
fn problem(change: impl FnOnce(&mut Snapshot)) -> (State, String) {
    let mut ill = snapshot("a", vec![group("b")]);
    change(&mut ill);
    let status = status(&config(&["a"]), vec![ill], &[], ExporterState::default());
    let [problem] = &status.appliances[0].problems[..] else { panic!("{:?}", status.appliances[0].problems) };
    (status.appliances[0].state, problem.to_string())
}

#[test]
fn a_release_without_the_api_is_a_problem() {
    let old = |product, text: &str| {
        let identity = Identity { model: None, release: text.parse().expect("a release"), serial: None };
        problem(|ill| (ill.identity, ill.product) = (Some(identity.clone()), product))
    };
    let text = "AsyncOS 12.5.3-041 is older than 13.0.0, the first release with this API: upgrade the appliance";
    assert_eq!(old("esa", "12.5.3-041"), (State::Degraded, text.to_owned()));
    let text = "AsyncOS 11.5.1-105 is older than 12.0.0, the first release with this API: upgrade the appliance";
    assert_eq!(old("sma", "11.5.1-105"), (State::Degraded, text.to_owned()));
}

#[test]
fn a_release_below_the_minimum_is_a_problem() {
    let release = |text: &str| text.parse().expect("a release");
    let of_login = Some(Identity { model: Some("C100V".into()), release: release("15.5.5-014"), serial: None });
    let old = problem(|ill| (ill.identity, ill.minimum_release) = (of_login.clone(), Some(release("15.5.10"))));
    let text = "AsyncOS 15.5.5-014 is older than `minimum_release` 15.5.10: upgrade the appliance";
    assert_eq!(old, (State::Degraded, text.to_owned()));
    for (identity, minimum) in [(of_login.clone(), Some("15.5.5-014")), (of_login, None), (None, Some("15.5.5-014"))] {
        let well = Snapshot { identity, minimum_release: minimum.map(release), ..snapshot("a", vec![group("b")]) };
        let status = status(&config(&["a"]), vec![well], &[], ExporterState::default());
        assert_eq!(status.appliances[0].state, State::Ok, "{minimum:?}");
    }
}

#[test]
fn a_round_that_does_not_fit_is_a_problem_with_its_remedy() {
    let round = |fitting: Option<u32>| {
        let tight = Some(Tight { fitting: fitting.map(|minutes| MINUTE * minutes) });
        let round = Round { takes: Duration::from_millis(73_500), window: MINUTE, tight };
        problem(|ill| ill.round = Some(round))
    };
    let told = "a round of requests takes 74 s, but the window is 60 s";
    assert_eq!(round(Some(2)), (State::Degraded, format!("{told}: set `window: 2m` or poll fewer groups")));
    assert_eq!(round(None), (State::Degraded, format!("{told}: poll fewer counter groups, devices or device groups")));
    let fits = Round { takes: MINUTE / 2, window: MINUTE, tight: None };
    let well = Snapshot { round: Some(fits), ..snapshot("a", vec![group("b")]) };
    assert_eq!(status(&config(&["a"]), vec![well], &[], ExporterState::default()).appliances[0].state, State::Ok);
}

#[test]
fn an_appliance_of_which_nothing_comes_any_more_is_down_whatever_came_last() {
    let silent = problem(|ill| ill.up_until = Some(Tick::default()));
    assert_eq!(silent, (State::Down, format!("API requests fail (timeout): {}", Reason::Timeout.advice())));
}

#[test]
fn what_is_known_is_in_the_json_and_what_is_not_is_left_out() {
    let json: serde_json::Value = serde_json::from_str(&fleet().json()).expect("JSON");
    let shown = |number: usize| &json["appliances"][number];
    let failing = format!("requests fail: failing of d1 (timeout): {}", Reason::Timeout.advice());
    let half = serde_json::json!({
        "name": "half", "product": "esa", "host": "esa3.example.com:6443", "state": "degraded",
        "problems": [
            {"kind": "failing", "text": failing},
            {"kind": "refused", "text": REFUSED},
            {"kind": "behind", "text": "9 windows behind"},
            {"kind": "certificate", "text": "its certificate expires at 2026-12-06T12:00:00.000Z"},
        ],
        "release": "16.0.0-001", "certificate_expires": "2026-12-06T12:00:00.000Z", "login_refusals": 0,
        "last_success": "2026-11-23T12:00:00.000Z", "window_end": "2026-11-23T11:56:00.000Z",
        "windows_pending": 109, "windows_lost": 0, "window_seconds": [60], "settle_seconds": [120],
        "clock_skew_seconds": 0.5,
        "groups": [
            {
                "group": "declined", "asked": "refused",
                "failure": {"reason": "declined", "detail": "Not Found.", "hint": Reason::Declined.advice(), "at": "2026-11-23T11:57:00.000Z"},
                "last_success": "2026-11-23T11:59:00.000Z", "window_end": "2026-11-23T11:56:00.000Z",
                "window_seconds": 60, "settle_seconds": 120,
                "windows_pending": 100, "windows_committed": 7, "windows_lost": {},
            },
            {
                "group": "failing", "device": "d1", "asked": "failing", "asked_again": "2026-11-23T12:32:00.000Z",
                "failure": {"reason": "timeout", "detail": "too slow", "hint": Reason::Timeout.advice(), "at": "2026-11-23T11:57:00.000Z"},
                "last_success": "2026-11-23T11:59:00.000Z", "window_end": "2026-11-23T11:56:00.000Z",
                "window_seconds": 60, "settle_seconds": 120,
                "windows_pending": 9, "windows_committed": 7, "windows_lost": {},
            },
        ],
        "aspects": [{"group": "xml_status", "asked": "answered", "last_success": "2026-11-23T12:00:00.000Z"}],
    });
    assert_eq!(shown(2), &half);
    assert_eq!(shown(4)["token_expires"], "2026-11-23T12:01:00.000Z");
    assert_eq!(shown(4)["window_seconds"], serde_json::json!([60, 300]));
    let keys: Vec<&String> = json.as_object().expect("a table").keys().collect();
    assert_eq!(keys, ["appliances", "config", "state", "summary", "time", "uptime_seconds", "version"]);
    assert_eq!(json["config"]["in_force_since"], "2026-11-23T10:30:00.000Z");
    assert_eq!(json["state"], serde_json::json!({"durable": false, "last_write_ok": true}));
}

#[test]
fn every_field_is_in_the_manual() {
    let manual = std::fs::read_to_string("deploy/HTTP.md").expect("the manual");
    let (_, rest) = manual.split_once("<!-- status -->").expect("the fields");
    let (table, _) = rest.split_once("<!-- /status -->").expect("the fields");
    let mut fields = std::collections::BTreeSet::new();
    let mut left = vec![serde_json::from_str(&fleet().json()).expect("JSON")];
    while let Some(value) = left.pop() {
        match value {
            serde_json::Value::Object(entries) => {
                for (name, value) in entries {
                    fields.insert(name);
                    left.push(value);
                }
            }
            serde_json::Value::Array(elements) => left.extend(elements),
            _ => {}
        }
    }
    let missing: Vec<_> = fields.iter().filter(|field| !table.contains(&format!("`{field}`"))).collect();
    assert!(fields.len() > 30 && missing.is_empty(), "{missing:?}");
}

#[test]
fn the_page_shows_the_version_and_links_every_other() {
    let page = fleet().html(Links { prefix: "", telemetry_path: "/metrics" });
    let links = ["/metrics", "/config", "/api/v1/status", "/sd", "/-/healthy", "/-/ready"];
    let links = links.map(|path| format!(r#"href="{path}""#));
    let parts = [
        "version 1.2.3.",
        "<title>3 problems",
        "http-equiv=\"refresh\"",
        "Up for 1\u{a0}h\u{a0}30\u{a0}min",
        "2 failing or refused",
    ];
    for part in links.iter().map(String::as_str).chain(parts) {
        assert!(page.contains(part), "{part} is missing in {page}");
    }
    assert!(!page.contains("<script") && !page.contains("src=") && !page.contains("http://"), "{page}");
}

#[test]
fn nothing_hostile_becomes_markup() {
    let config = config(&[HOSTILE]);
    let failing = GroupView {
        scope: Scope::DeviceGroup(HOSTILE.into()),
        success_until: None,
        trouble: trouble(Reason::Declined, HOSTILE),
        ..group(HOSTILE)
    };
    let mut hostile = Snapshot { trouble: trouble(Reason::Status, HOSTILE), ..snapshot(HOSTILE, vec![failing]) };
    hostile.aspects.push(Arc::new(AspectView {
        name: "xml_status",
        option: "xml_status",
        is_wanted: true,
        success: true,
        last_success: None,
        refusal: None,
        trouble: None,
        status_metrics: StatusMetrics { info: vec![("release".into(), HOSTILE.into())], ..StatusMetrics::default() },
        unusable: Default::default(),
        expires: Tick::default(),
    }));
    let mut status = status(&config, vec![hostile], &[], ExporterState::default());
    let page = status.html(Links { prefix: "", telemetry_path: "/\"><script>'" });
    let escaped = "&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&#39;&amp;";
    // Name, release, problem, last failure, and group, scope and failure of what is not answered.
    assert!(page.matches(escaped).count() >= 7, "{page}");
    assert!(!page.contains("<script") && page.contains(r#"href="/&quot;&gt;&lt;script&gt;&#39;""#), "{page}");
    status.version = "<b>&";
    assert!(status.html(Links { prefix: "", telemetry_path: "/m" }).contains("version &lt;b&gt;&amp;."));
    let json: serde_json::Value = serde_json::from_str(&status.json()).expect("JSON");
    assert_eq!(json["appliances"][0]["name"], HOSTILE);
}

#[test]
fn how_the_exporter_stands_is_said() {
    let config = config(&["a"]);
    let page = |own| status(&config, vec![], &[], own).html(Links { prefix: "", telemetry_path: "/metrics" });
    let own = ExporterState { config_read: Some(true), config_since: Some(ago(2)), ..ExporterState::default() };
    let well = page(ExporterState { state_durable: true, state_written: Some(ago(1)), ..own });
    assert!(well.contains("Configuration loaded <time") && well.contains("kept on disk, last written <time"), "{well}");
    assert!(well.contains("<title>All well"), "{well}");
    let ill = ExporterState {
        config_read: Some(false),
        web_config_read: false,
        state_durable: true,
        state_failing: true,
        ..own
    };
    let ill = page(ill);
    for part in ["is invalid, see the log", "could not be reloaded", "are paused, see the log"] {
        assert!(ill.contains(part), "{part}: {ill}");
    }
    assert!(page(own).contains("Totals are kept in memory"));
    assert!(!well.contains("state file"), "{well}");
    let durable = ExporterState { state_durable: true, ..own };
    let missing = page(ExporterState { state_file_found: false, ..durable });
    assert!(missing.contains("The state file was deleted or replaced, see the log."), "{missing}");
    for (state_rewrites, times) in [(1, "once"), (2, "2 times")] {
        let rewritten = page(ExporterState { state_rewrites, ..durable });
        assert!(rewritten.contains(&format!("deleted and recreated {times}.")), "{rewritten}");
    }
    let lost = page(ExporterState { state_lost: true, ..durable });
    assert!(lost.contains("was damaged or missing at the start: totals restarted at zero"), "{lost}");
    let json: serde_json::Value = serde_json::from_str(&status(&config, vec![], &[], durable).json()).expect("JSON");
    let expected = serde_json::json!({
        "durable": true, "last_write_ok": true, "file_present": true, "file_rewrites": 0, "lost_at_start": false
    });
    assert_eq!(json["state"], expected);
}

//! The daemon against simulated appliances: true numbers, every fault, recovery without a gap.

use std::collections::BTreeSet;
use std::time::Duration;

use asyncos_exporter::catalogue::{self, DeviceType};
use asyncos_exporter::sim::{self, Fault, FaultBody, On, Scope};

use crate::exposition::Page;
use crate::rig::{self, Rig, answered, assert_contiguous, entry, lapse, simulate};

const INCOMING: &str = "mail_incoming_traffic_summary";
const CAPACITY: &str = "mail_system_capacity";
const SPAM: &str = "asyncos_mail_incoming_traffic_summary_detected_spam_last_window";
/// A minute of the time lapse is a second.
const RATE: u32 = 60;
const DEFAULTS: &str = "defaults: {window: 1m, settle: 5s, timeout: 1s}\ncounter_groups: minimal\nappliances:\n";

fn value(page: &Page, name: &str, appliance: &str) -> Option<f64> {
    page.value(name, &[("appliance", appliance)])
}

fn of_group(page: &Page, name: &str, appliance: &str, group: &str) -> Option<f64> {
    page.value(name, &[("appliance", appliance), ("group", group)])
}

fn failures(page: &Page, appliance: &str, reason: &str) -> f64 {
    let labels = [("appliance", appliance), ("reason", reason)];
    page.value("asyncos_api_request_failures_total", &labels).unwrap_or_default()
}

fn committed(page: &Page, appliance: &str) -> f64 {
    page.matching("asyncos_windows_committed_total", &[("appliance", appliance)]).iter().map(|(_, count)| count).sum()
}

fn lost(page: &Page) -> f64 {
    page.matching("asyncos_windows_lost_total", &[]).iter().map(|(_, count)| count).sum()
}

/// Every gauge of `group` on `page`, compared with the truth for the window it claims to be of.
fn assert_true(page: &Page, appliance: &sim::Appliance, labels: &[(&str, &str)], scope: &Scope, group: &str) -> usize {
    let mut labels_of_group = labels.to_vec();
    labels_of_group.push(("group", group));
    let Some(end) = page.value("asyncos_window_end_timestamp_seconds", &labels_of_group) else { return 0 };
    let length = page.usual("asyncos_window_seconds", &labels_of_group).expect("beside its end");
    let (start, end) = ((end - length) as u64, end as u64);
    let group = catalogue::group(group).expect("in the catalogue");
    let mut compared = 0;
    for counter in &*group.counters {
        let Some(shown) = page.value(&counter.gauge_name(group, crate::keyed::kind(labels)), labels) else { continue };
        let truth = appliance.truth(scope, &group.name, &counter.name, start, end).expect("known to the simulator");
        let truth = counter.unit.scale(truth);
        assert!(
            (shown - truth).abs() < 1e-9,
            "{} {labels:?}: {shown} is not {truth}",
            counter.gauge_name(group, crate::keyed::kind(labels))
        );
        compared += 1;
    }
    compared
}

/// Every total of `group` on `page`, compared with the truth from where counting began to where the page says it is.
pub(crate) fn assert_totals_true(page: &Page, appliance: &sim::Appliance, name: &str, group: &str, begun: u64) {
    let labels = [("appliance", name)];
    let end = of_group(page, "asyncos_window_end_timestamp_seconds", name, group).expect("counted") as u64;
    let group = catalogue::group(group).expect("in the catalogue");
    let mut compared = 0;
    for counter in &*group.counters {
        let Some(total) = counter.total_name(group, catalogue::ScopeKind::Appliance) else { continue };
        let shown = page.value(&total, &labels).expect("published from the start");
        let truth = appliance.truth(&Scope::Whole, &group.name, &counter.name, begun, end).expect("known");
        assert_eq!(shown, truth, "{total} over [{begun}, {end})");
        compared += 1;
    }
    assert!(compared > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_number_of_every_scope_is_the_appliances_own() {
    let clock = lapse(RATE);
    let esa = simulate(sim::Settings::esa("esa1.example.com"), &clock).await;
    let settings = sim::Settings::sma("sma1")
        .with_group("europe", &["esa1.example.com", "esa2.example.com"])
        .with_group("americas", &["esa3.example.com"]);
    let sma = simulate(settings, &clock).await;
    let members =
        "product: sma, polling: {settle: 20m}, device_groups: [europe, americas], devices: [esa3.example.com]";
    // Those with keys have tests of their own.
    let groups: Vec<_> =
        catalogue::groups().filter(|group| group.key.is_none() && group.about == DeviceType::Mail).collect();
    let names = groups.iter().map(|group| &*group.name).collect::<Vec<_>>().join(", ");
    let defaults = DEFAULTS.replace("minimal", &format!("[{names}]"));
    let text = format!("{defaults}{}{}", entry("esa1", &esa, ""), entry("sma1", &sma, members));
    let rig = Rig::start(&text, &clock).await;
    let numeric = groups.iter().flat_map(|group| &*group.counters).filter(|counter| counter.is_numeric()).count();
    let page = rig
        .until("every gauge of five scopes is there", |page| {
            let gauges = page.families().map(|(name, _, _)| name).filter(|name| name.ends_with("_last_window"));
            gauges.map(|name| page.matching(name, &[]).len()).sum::<usize>() == numeric * 5
        })
        .await;
    type Case<'a> = (&'a sim::Appliance, &'a [(&'a str, &'a str)], Scope);
    let scopes: [Case<'_>; 5] = [
        (&esa, &[("appliance", "esa1")], Scope::Whole),
        (&sma, &[("appliance", "sma1")], Scope::Whole),
        (&sma, &[("appliance", "sma1"), ("device_group", "europe")], Scope::Group("europe".into())),
        (&sma, &[("appliance", "sma1"), ("device_group", "americas")], Scope::Group("americas".into())),
        (&sma, &[("appliance", "sma1"), ("device", "esa3.example.com")], Scope::Device("esa3.example.com".into())),
    ];
    for (appliance, labels, scope) in &scopes {
        let compared: usize =
            groups.iter().map(|group| assert_true(&page, appliance, labels, scope, &group.name)).sum();
        assert_eq!(compared, numeric, "every counter of {labels:?} is shown");
    }
    assert_eq!(lost(&page), 0.0);
    assert!(page.matching("asyncos_counters_missing_total", &[]).is_empty());
    assert!(page.matching("asyncos_counters_unknown_total", &[]).is_empty());
    rig.end().await;
}

/// What a fault must look like from outside.
struct Case {
    fault: Fault,
    on: On,
    reason: &'static str,
}

fn status(code: u16, body: FaultBody) -> Fault {
    Fault::Status { code, body, retry_after: None }
}

fn cases() -> Vec<Case> {
    let case = |fault, reason| Case { fault, on: On::every(), reason };
    let report = |fault, reason| Case { fault, on: On::reports(), reason };
    let json = |text: &str| FaultBody::Json(text.into());
    vec![
        case(status(500, json("Internal Server Error.")), "unavailable"),
        case(status(502, FaultBody::Html), "unavailable"),
        case(Fault::Status { code: 503, body: FaultBody::Html, retry_after: Some("1".into()) }, "unavailable"),
        case(status(503, FaultBody::Empty), "unavailable"),
        case(status(429, FaultBody::Empty), "throttled"),
        case(status(418, FaultBody::Empty), "status"),
        report(status(404, json("Not Found.")), "declined"),
        report(status(400, json("Bad Request.")), "declined"),
        case(status(404, FaultBody::Html), "not_json"),
        case(Fault::Redirect("http://localhost:1/".into()), "redirect"),
        case(Fault::Hang, "timeout"),
        case(Fault::Slow(Duration::from_secs(3)), "timeout"),
        case(Fault::Reset, "reset"),
        case(Fault::CloseEarly, "reset"),
        case(Fault::Truncate, "reset"),
        case(Fault::Garbage, "protocol"),
        // No HTTP library here reads past it, see `wire`; it must cost a poll and nothing else.
        case(Fault::BareCr, "protocol"),
        report(Fault::GarbageBody, "not_json"),
        report(Fault::RawBody(r#"{"data": {"resultSet": [{"detected_spam": 5"#.into()), "malformed"),
        report(Fault::RawBody(r#"{"data": {"resultSet": {"x": [5]}}}"#.into()), "malformed"),
        report(Fault::EmptyObject, "empty"),
        report(Fault::EmptyResultSet, "empty"),
        report(Fault::NullResultSet, "empty"),
        report(Fault::Huge(9 << 20), "too_large"),
        report(Fault::Unauthorized("InvalidTokenError.".into()), "unauthorized"),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_fault_has_its_reason_and_its_window_is_caught_up() {
    let mut cases = cases();
    let rest = cases.split_off(cases.len() / 2);
    // Half of them beside each other: each waits for seconds of the time lapse, not for the processor.
    for half in [cases, rest] {
        let mut running = tokio::task::JoinSet::new();
        for case in half {
            running.spawn(survive(case));
        }
        while let Some(outcome) = running.join_next().await {
            outcome.expect("the fault was survived");
        }
    }
}

async fn survive(Case { fault, on, reason }: Case) {
    let clock = lapse(RATE);
    let what = format!("{fault:?}");
    let faulty = simulate(sim::Settings::esa("esa1"), &clock).await;
    let healthy = simulate(sim::Settings::esa("esa2"), &clock).await;
    let text = format!("{DEFAULTS}{}{}", entry("faulty", &faulty, ""), entry("healthy", &healthy, ""));
    let rig = Rig::start(&text, &clock).await;
    rig.until("both are polled", |page| committed(page, "faulty") >= 6.0 && committed(page, "healthy") >= 6.0).await;
    faulty.inject(fault, on);
    let page = rig
        .until(&format!("{what} is counted as {reason}"), |page| {
            failures(page, "faulty", reason) >= 1.0
                && of_group(page, "asyncos_group_success", "faulty", INCOMING) == Some(0.0)
        })
        .await;
    let before = committed(&page, "healthy");
    rig.until("the other appliance goes on", |page| committed(page, "healthy") >= before + 3.0).await;
    faulty.clear_faults();
    let page = rig
        .until(&format!("{what} is made up for"), |page| {
            let of_it = [("appliance", "faulty")];
            let all_good = page.every("asyncos_group_success", &of_it, |success| success == 1.0);
            let caught_up = page.every("asyncos_windows_pending", &of_it, |pending| pending <= 1.0);
            // The gauge of the newest window comes last: missed windows are counted by the hour and have none.
            let newest = value(page, SPAM, "faulty").is_some();
            all_good && caught_up && newest
        })
        .await;
    assert_eq!(value(&page, "asyncos_up", "faulty"), Some(1.0), "{what}");
    assert_eq!(value(&page, "asyncos_up", "healthy"), Some(1.0), "{what}");
    assert_eq!(lost(&page), 0.0, "{what}");
    assert!(assert_true(&page, &faulty, &[("appliance", "faulty")], &Scope::Whole, INCOMING) > 20, "{what}");
    let windows = answered(&faulty, INCOMING);
    assert_totals_true(&page, &faulty, "faulty", INCOMING, windows[0].0);
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unusual_forms_of_a_number_are_parsed() {
    type Case = (&'static str, Box<dyn Fn(&sim::Appliance)>);
    let odd: Vec<Case> = vec![
        ("HTTP/1.1", Box::new(|esa| esa.change(|behaviour| behaviour.http = sim::HttpVersion::Http11))),
        ("one object", Box::new(|esa| esa.change(|behaviour| behaviour.shape = sim::Shape::OneObject))),
        ("reversed", Box::new(|esa| esa.change(|behaviour| behaviour.shape = sim::Shape::ReverseOrder))),
        ("no length", Box::new(|esa| esa.inject(Fault::NoContentLength, On::every()))),
        ("no Date", Box::new(|esa| esa.change(|behaviour| behaviour.date_header = false))),
    ];
    for (what, make_odd) in odd {
        let clock = lapse(RATE);
        let esa = simulate(sim::Settings::esa("esa1"), &clock).await;
        make_odd(&esa);
        let rig = Rig::start(&format!("{DEFAULTS}{}", entry("esa1", &esa, "")), &clock).await;
        let page = rig.until(what, |page| committed(page, "esa1") >= 6.0 && value(page, SPAM, "esa1").is_some()).await;
        assert!(assert_true(&page, &esa, &[("appliance", "esa1")], &Scope::Whole, INCOMING) > 20, "{what}");
        rig.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn odd_values_yield_no_sample_and_are_counted() {
    let clock = lapse(RATE);
    let esa = simulate(sim::Settings::esa("esa1"), &clock).await;
    let set = |counter: &str, value| esa.inject(Fault::SetCounter(counter.into(), value), On::group(INCOMING));
    set("detected_virus", serde_json::json!(null));
    set("detected_amp", serde_json::json!(-5));
    set("bulk_mail", serde_json::json!("123"));
    set("social_mail", serde_json::json!({"key": "x", "value": 7}));
    set("marketing_mail", serde_json::json!("N/A"));
    esa.inject(Fault::DropCounters(vec!["detected_spam".into()]), On::group(INCOMING));
    esa.inject(Fault::ExtraCounter("new_in_release_17".into(), serde_json::json!(42)), On::group(INCOMING));
    let rig = Rig::start(&format!("{DEFAULTS}{}", entry("esa1", &esa, "")), &clock).await;
    let total = format!("asyncos_{INCOMING}_total_recipients_last_window");
    let page = rig.until("a report was had", |page| value(page, &total, "esa1").is_some()).await;
    let gauge = |counter: &str| value(&page, &format!("asyncos_{INCOMING}_{counter}_last_window"), "esa1");
    assert_eq!(gauge("bulk_mail"), Some(123.0));
    assert_eq!(gauge("social_mail"), Some(7.0));
    assert_eq!(gauge("new_in_release_17"), Some(42.0));
    for absent in ["detected_virus", "detected_amp", "marketing_mail", "detected_spam"] {
        assert_eq!(gauge(absent), None, "{absent}");
    }
    assert!(gauge("total_recipients").is_some(), "the others are there");
    let count = |name| of_group(&page, name, "esa1", INCOMING).expect("counted");
    let reports = count("asyncos_counters_missing_total");
    assert!(reports >= 1.0);
    assert_eq!(count("asyncos_counters_unknown_total"), reports);
    let unusable = |reason| {
        let labels = [("appliance", "esa1"), ("group", INCOMING), ("reason", reason)];
        page.value("asyncos_counters_unusable_total", &labels).expect("counted")
    };
    assert_eq!((unusable("not_a_number"), unusable("negative")), (2.0 * reports, reports));
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_appliance_that_takes_hours_only_is_asked_for_hours() {
    for message in sim::HOUR_ONLY_MESSAGES {
        let clock = lapse(RATE);
        let mut settings = sim::Settings::esa("esa1");
        settings.behaviour.hour_only = Some(message.into());
        let esa = simulate(settings, &clock).await;
        let rig = Rig::start(&format!("{DEFAULTS}{}", entry("esa1", &esa, "")), &clock).await;
        let page = rig.until("hours are had", |page| committed(page, "esa1") >= 3.0).await;
        for group in [INCOMING, CAPACITY] {
            let labels = [("appliance", "esa1"), ("group", group)];
            assert_eq!(page.usual("asyncos_window_seconds", &labels), Some(3600.0));
            assert!(assert_true(&page, &esa, &[("appliance", "esa1")], &Scope::Whole, group) > 10);
        }
        rig.end().await;
        let in_vain = esa.count(|request| request.window.is_some_and(|(start, end)| end - start < 3600));
        assert!(in_vain <= 2 * 3, "{in_vain} requests for minutes");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn history_is_fetched_oldest_first() {
    let clock = lapse(1);
    let esa = simulate(sim::Settings::esa("esa1"), &clock).await;
    let text = format!("{DEFAULTS}{}", entry("esa1", &esa, "polling: {start: 2h}"));
    let rig = Rig::start(&text, &clock).await;
    let page = rig.until("two hours are had", |page| committed(page, "esa1") >= 3.0 * 120.0).await;
    let windows = answered(&esa, INCOMING);
    assert_totals_true(&page, &esa, "esa1", INCOMING, windows[0].0);
    rig.end().await;
    assert_eq!(windows[0].0, (rig::BEGINNING - 5) / 60 * 60 - 7200);
    assert!(windows.len() < 10, "an hour of missed windows costs one request: {windows:?}");
    assert!(windows.last().expect("many").0 >= windows[0].0 + 7200 - 60);
    assert_contiguous(windows);
    assert!(esa.requests().iter().all(|request| request.in_flight == 1), "one request at a time");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scrape_causes_no_request() {
    let clock = lapse(1);
    let esa = simulate(sim::Settings::esa("esa1"), &clock).await;
    // Windows of an hour: nothing is due for long after the first round.
    let text = format!("{}{}", DEFAULTS.replace("1m", "1h"), entry("esa1", &esa, ""));
    let rig = Rig::start(&text, &clock).await;
    rig.until("the first round is over", |page| committed(page, "esa1") >= 3.0).await;
    let before = esa.requests().len();
    for _ in 0..50 {
        rig.page().await;
        rig.get("/").await;
    }
    assert_eq!(esa.requests().len(), before);
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn values_of_one_window_stay_together() {
    let clock = lapse(600);
    let esa = simulate(sim::Settings::esa("esa1"), &clock).await;
    let text = format!("{DEFAULTS}{}", entry("esa1", &esa, "polling: {settle: 0s}"));
    let rig = Rig::start(&text, &clock).await;
    rig.until("the first window is had", |page| committed(page, "esa1") >= 3.0).await;
    let mut windows = BTreeSet::new();
    while windows.len() < 20 {
        let page = rig.page().await;
        assert_true(&page, &esa, &[("appliance", "esa1")], &Scope::Whole, INCOMING);
        let end = of_group(&page, "asyncos_window_end_timestamp_seconds", "esa1", INCOMING).expect("had");
        windows.insert(end as u64);
    }
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stale_gauges_vanish_and_return() {
    let clock = lapse(RATE);
    let esa = simulate(sim::Settings::esa("esa1"), &clock).await;
    let rig = Rig::start(&format!("{DEFAULTS}{}", entry("esa1", &esa, "")), &clock).await;
    rig.until("the gauge is there", |page| value(page, SPAM, "esa1").is_some()).await;
    esa.inject(Fault::Hang, On::every());
    let page = rig
        .until("the gauge has gone", |page| {
            value(page, SPAM, "esa1").is_none() && value(page, "asyncos_up", "esa1") == Some(0.0)
        })
        .await;
    let end = of_group(&page, "asyncos_window_end_timestamp_seconds", "esa1", INCOMING);
    assert!(end.is_some(), "the timestamp stays and tells how old the newest value is");
    esa.clear_faults();
    rig.until("the gauge is back", |page| value(page, SPAM, "esa1").is_some()).await;
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_forbidden_report_does_not_affect_the_others() {
    let clock = lapse(RATE);
    let mut settings = sim::Settings::esa("esa1");
    settings.behaviour.forbidden_groups.insert(CAPACITY.into());
    settings.behaviour.absent_groups.insert("mail_outgoing_traffic_summary".into());
    let esa = simulate(settings, &clock).await;
    let rig = Rig::start(&format!("{DEFAULTS}{}", entry("esa1", &esa, "")), &clock).await;
    let page = rig.until("the third report is had often", |page| committed(page, "esa1") >= 10.0).await;
    assert_eq!(value(&page, "asyncos_up", "esa1"), Some(1.0));
    assert_eq!(of_group(&page, "asyncos_group_success", "esa1", CAPACITY), Some(0.0));
    assert_eq!(of_group(&page, "asyncos_group_success", "esa1", "mail_outgoing_traffic_summary"), Some(0.0));
    assert!(failures(&page, "esa1", "not_allowed") >= 1.0 && failures(&page, "esa1", "declined") >= 1.0);
    rig.end().await;
    let asked = |group: &str| {
        esa.count(|request| matches!(&request.kind, sim::RequestKind::Report { group: asked, .. } if asked == group))
    };
    assert!(asked(CAPACITY) <= 6, "{}", asked(CAPACITY));
    assert!(asked("mail_outgoing_traffic_summary") <= 10, "{}", asked("mail_outgoing_traffic_summary"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_password_blocks_logins_and_is_reported() {
    let clock = lapse(RATE);
    let esa = simulate(sim::Settings::esa("esa1"), &clock).await;
    esa.set_passphrase("another");
    let rig = Rig::start(&format!("{DEFAULTS}{}", entry("esa1", &esa, "")), &clock).await;
    let page = rig.until("logins are blocked", |page| value(page, "asyncos_login_blocked", "esa1") == Some(1.0)).await;
    assert_eq!(value(&page, "asyncos_up", "esa1"), Some(0.0));
    assert_eq!(value(&page, "asyncos_logins_total", "esa1"), Some(3.0));
    clock.sleep(Duration::from_secs(1200)).await;
    assert_eq!(esa.requests().len(), 3);
    rig.end().await;
}

//! Wrong `Date` headers against the whole daemon: no answer moves time far on its own word, and no window is lost to one.

use asyncos_exporter::sim::{self, Fault, FaultBody, On};

use crate::exposition::Page;
use crate::polling::assert_totals_true;
use crate::rig::{Rig, answered, assert_contiguous, entry, lapse, simulate};

const INCOMING: &str = "mail_incoming_traffic_summary";
const DEFAULTS: &str = "defaults: {window: 1m, settle: 5s, timeout: 1s}\ncounter_groups: minimal\nappliances:\n";
/// A minute of the time lapse, which begins at 2026-11-23T12:00:30Z, is a second.
const RATE: u32 = 60;

fn sum(page: &Page, name: &str) -> f64 {
    page.matching(name, &[("appliance", "esa1")]).iter().map(|(_, value)| value).sum()
}

fn committed(page: &Page) -> f64 {
    sum(page, "asyncos_windows_committed_total")
}

/// Lets `faults` strike an appliance that has been polled for a while, and returns the page after further polls.
async fn survive(what: &str, faults: &[(Fault, On)]) -> Page {
    let clock = lapse(RATE);
    let esa = simulate(sim::Settings::esa("esa1"), &clock).await;
    let rig = Rig::start(&format!("{DEFAULTS}{}", entry("esa1", &esa, "")), &clock).await;
    rig.until("the appliance is polled", |page| committed(page) >= 6.0).await;
    let asked = esa.requests().len();
    for (fault, on) in faults {
        esa.inject(fault.clone(), on.clone());
    }
    esa.wait_for(|requests| requests.len() > asked + 3).await;
    let before = committed(&rig.page().await);
    let page = rig
        .until(&format!("{what} is made up for"), |page| {
            let caught_up = page.every("asyncos_windows_pending", &[], |pending| pending <= 1.0);
            committed(page) >= before + 9.0 && caught_up && page.every("asyncos_group_success", &[], |it| it == 1.0)
        })
        .await;
    assert_eq!(sum(&page, "asyncos_windows_lost_total"), 0.0, "{what}");
    let windows = answered(&esa, INCOMING);
    assert_totals_true(&page, &esa, "esa1", INCOMING, windows[0].0);
    rig.end().await;
    assert_contiguous(windows);
    page
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_date_moves_no_window() {
    let unavailable = || Fault::Status { code: 503, body: FaultBody::Html, retry_after: Some("1".into()) };
    let redirect = || Fault::Redirect("http://localhost:1/".into());
    let mut running = tokio::task::JoinSet::new();
    for date in [
        "Tue, 24 Nov 2026 15:00:30 GMT",
        "Tue, 24 Nov 2026 08:00:30 GMT",
        "Thu, 01 Jan 2099 00:00:00 GMT",
        "Thu, 01 Jan 1970 00:00:00 GMT",
    ] {
        for (name, instead, times) in [("503", Some(unavailable()), 3), ("302", Some(redirect()), 3), ("200", None, 1)]
        {
            let on = || On::reports().times(times);
            let mut faults = vec![(Fault::Date(date.into()), on())];
            faults.extend(instead.map(|fault| (fault, on())));
            let what = format!("{name} of {date}");
            running.spawn(async move { survive(&what, &faults).await });
        }
    }
    let mut survived = 0;
    while let Some(outcome) = running.join_next().await {
        survived += usize::from(outcome.is_ok());
    }
    assert_eq!(survived, 12, "wrong dates were survived");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_ignores_a_wrong_date() {
    for date in ["Tue, 24 Nov 2026 15:00:30 GMT", "Tue, 24 Nov 2026 08:00:30 GMT", "Thu, 01 Jan 1970 00:00:00 GMT"] {
        let clock = lapse(RATE);
        let folder = tempfile::tempdir().expect("a folder");
        let esa = simulate(sim::Settings::esa("esa1"), &clock).await;
        // Windows of longer ago than half an hour cannot be fetched.
        let text = format!("{DEFAULTS}{}", entry("esa1", &esa, "polling: {catch_up: 30m}"));
        let rig = Rig::start_stored(&text, folder.path(), &clock).await;
        rig.until("the appliance is polled", |page| committed(page) >= 6.0).await;
        rig.end().await;
        esa.inject(Fault::Date(date.into()), On::every().times(2));
        let rig = Rig::start_stored(&text, folder.path(), &clock).await;
        let page = rig
            .until(&format!("{date} is over"), |page| {
                committed(page) >= 9.0 && page.every("asyncos_windows_pending", &[], |pending| pending <= 1.0)
            })
            .await;
        assert_eq!(sum(&page, "asyncos_windows_lost_total"), 0.0, "{date}");
        let windows = answered(&esa, INCOMING);
        assert_totals_true(&page, &esa, "esa1", INCOMING, windows[0].0);
        rig.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_permanently_wrong_date_is_shown_and_windows_continue() {
    let clock = lapse(RATE);
    let esa = simulate(sim::Settings::esa("esa1"), &clock).await;
    esa.inject(Fault::Date("Tue, 24 Nov 2026 15:00:30 GMT".into()), On::every());
    let rig = Rig::start(&format!("{DEFAULTS}{}", entry("esa1", &esa, "")), &clock).await;
    let page = rig.until("windows are counted", |page| committed(page) >= 9.0).await;
    assert_eq!(sum(&page, "asyncos_windows_lost_total"), 0.0);
    let skew = page.value("asyncos_clock_skew_seconds", &[("appliance", "esa1")]).expect("heard");
    assert!((80_000.0..=97_200.0).contains(&skew), "{skew}");
    let windows = answered(&esa, INCOMING);
    assert_totals_true(&page, &esa, "esa1", INCOMING, windows[0].0);
    let status: serde_json::Value =
        serde_json::from_str(&rig.get("/api/v1/status").await.text().await.expect("a text")).expect("JSON");
    let appliance = &status["appliances"][0];
    assert_eq!((&appliance["state"], &appliance["problems"][0]["kind"]), (&"degraded".into(), &"clock".into()));
    rig.end().await;
}

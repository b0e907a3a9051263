//! A day in half a minute: outage, revoked tokens, an appliance for hours only, a manager fed in batches.

use asyncos_exporter::sim::{self, Fault, FaultBody, On};

use crate::exposition::Page;
use crate::polling::assert_totals_true;
use crate::rig::{BEGINNING, Rig, answered, begun, entry, lapse, simulate};

const INCOMING: &str = "mail_incoming_traffic_summary";
/// An hour of the time lapse is a second.
const RATE: u32 = 3600;
const HOUR: u64 = 3600;

fn is_counted_until(page: &Page, appliance: &str, time: u64) -> bool {
    page.every("asyncos_window_end_timestamp_seconds", &[("appliance", appliance)], |end| end >= time as f64)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_day_with_its_troubles_is_counted_to_the_unit() {
    let clock = lapse(RATE);
    let troubled = simulate(sim::Settings::esa("esa1"), &clock).await;
    let mut settings = sim::Settings::esa("esa2");
    settings.behaviour.hour_only = Some(sim::HOUR_ONLY_MESSAGES[0].into());
    let hourly = simulate(settings, &clock).await;
    let manager = simulate(sim::Settings::sma("sma1").with_group("all", &["esa1", "esa2"]), &clock).await;
    let text = format!(
        "defaults: {{window: 5m, timeout: 10s}}\ncounter_groups: minimal\nappliances:\n{}{}{}",
        entry("troubled", &troubled, ""),
        // The probe asks for the last whole hour, which must be no part of the count.
        entry("hourly", &hourly, ""),
        entry("manager", &manager, "product: sma")
    );
    let rig = Rig::start(&text, &clock).await;
    let at = |hours: u64| move |page: &Page| is_counted_until(page, "manager", BEGINNING + hours * HOUR);
    rig.until("three hours have passed", at(3)).await;
    let outage = Fault::Status { code: 503, body: FaultBody::Html, retry_after: None };
    troubled.inject(outage, On::every());
    rig.until("the outage has lasted three hours", at(6)).await;
    troubled.clear_faults();
    for hour in [9, 12, 15] {
        rig.until("the tokens are revoked", at(hour)).await;
        troubled.revoke_tokens();
        manager.revoke_tokens();
    }
    let end = BEGINNING + 24 * HOUR;
    // What the probe of `hourly` asks for comes first and is not counted.
    let fleet = [("troubled", &troubled, 0), ("hourly", &hourly, 1), ("manager", &manager, 0)];
    let page =
        rig.until("the day is over", |page| fleet.iter().all(|(name, ..)| is_counted_until(page, name, end))).await;
    for (name, appliance, probes) in fleet {
        let counted = answered(appliance, INCOMING).into_iter().skip(probes).map(|(start, _)| start);
        assert_totals_true(&page, appliance, name, INCOMING, counted.min().expect("a day of windows"));
    }
    assert!(page.every("asyncos_windows_lost_total", &[], |lost| lost == 0.0));
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn how_late_data_are_is_learned_and_shown() {
    let clock = lapse(RATE / 4);
    let mut settings = sim::Settings::sma("sma1").with_group("all", &["esa1", "esa2"]);
    settings.behaviour.lag = std::time::Duration::from_secs(40 * 60);
    let manager = simulate(settings, &clock).await;
    let polling = "product: sma, polling: {settle: auto}";
    let text = format!("counter_groups: minimal\nappliances:\n{}", entry("manager", &manager, polling));
    let rig = Rig::start(&text, &clock).await;
    let settle =
        |page: &Page| page.matching("asyncos_settle_seconds", &[]).iter().map(|(_, settle)| *settle).sum::<f64>();
    // Forty minutes, and the rest of a quarter of an hour: more than 45 for most windows.
    rig.until("the longest delay is learned", |page| settle(page) == 3600.0).await;
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn late_data_end_up_in_the_totals() {
    let clock = lapse(RATE);
    let mut settings = sim::Settings::sma("sma1").with_group("all", &["esa1", "esa2"]);
    // Windows are asked for when half of their data are not there yet.
    settings.behaviour.lag = std::time::Duration::from_secs(40 * 60);
    let manager = simulate(settings, &clock).await;
    let polling = "product: sma, polling: {settle: 0s, window: 1h}";
    let text = format!("counter_groups: minimal\nappliances:\n{}", entry("manager", &manager, polling));
    let rig = Rig::start(&text, &clock).await;
    let late = |page: &Page| page.matching("asyncos_late_events_total", &[]).iter().map(|(_, late)| *late).sum::<f64>();
    rig.until("late data are found", |page| late(page) > 1000.0).await;
    manager.change(|behaviour| behaviour.lag = std::time::Duration::ZERO);
    manager.change(|behaviour| behaviour.freshness_step = std::time::Duration::ZERO);
    let total = "asyncos_mail_incoming_traffic_summary_total_recipients_total";
    let begun = begun(&manager, INCOMING);
    rig.until("the totals are the report's", |page| {
        let labels = [("appliance", "manager"), ("group", INCOMING)];
        let end = page.value("asyncos_window_end_timestamp_seconds", &labels).expect("counted") as u64;
        let truth = manager.truth(&sim::Scope::Whole, INCOMING, "total_recipients", begun, end);
        page.value(total, &[("appliance", "manager")]) == truth
    })
    .await;
    rig.end().await;
}

//! Searches of the message tracking that are counted in windows, compared with what the simulator has to be found.

use std::path::Path;

use asyncos_exporter::sim::{self, RequestKind};

use crate::exposition::Page;
use crate::keyed;
use crate::rig::{BEGINNING, Rig, entry, lapse, simulate};

const ESA: &str = "esa1.example.com";
const OTHER: &str = "esa2.example.com";
/// Where the newest window ends that tracking has at the beginning, five minutes behind and one to spare.
const NEWEST: u64 = BEGINNING - 30 - 6 * 60;
const HISTORY: u64 = 30 * 60;
const DEFAULTS: &str = "defaults: {window: 1m, settle: 5s, start: 30m, timeout: 60s, requests_per_minute: 6000}\n\
                        counter_groups: [mail_mor_summary]\n";
/// A search by name, its filters in the file, and the parameters they are for the API.
type Case = (&'static str, &'static str, &'static [(&'static str, &'static str)]);
const CASES: [Case; 9] = [
    ("all", "", &[]),
    ("spam", "filters: {spam_positive: true}", &[("spamPositive", "true")]),
    ("spam in its own words", "filters: {spamPositive: true}", &[("spamPositive", "true")]),
    ("delivered spam", "filters: {spam_positive: true}, delivered_only: true", &[("spamPositive", "true")]),
    ("delivered", "filters: {delivery_status: DELIVERED}", &[("deliveryStatus", "DELIVERED")]),
    (
        "to example",
        "filters: {envelope_recipient: {operator: contains, value: example.com}, mail_policy_direction: inbound}",
        &[
            ("envelopeRecipientfilterOperator", "contains"),
            ("envelopeRecipientfilterValue", "example.com"),
            ("mailPolicyDirection", "inbound"),
        ],
    ),
    (
        "subject in its own words",
        "filters: {subjectfilterOperator: begins_with, subjectfilterValue: 'Re: '}",
        &[("subjectfilterOperator", "begins_with"), ("subjectfilterValue", "Re: ")],
    ),
    (
        "subject",
        "filters: {subject: 'Your invoice'}",
        &[("subjectfilterOperator", "is"), ("subjectfilterValue", "Your invoice")],
    ),
    ("rejected", "search_option: rejected_connections", &[("searchOption", "rejected_connections")]),
];

fn searches() -> String {
    let element = |(name, rest, _): &Case| {
        let rest = if rest.is_empty() { String::new() } else { format!(", {rest}") };
        format!("  - {{name: '{name}'{rest}}}\n")
    };
    format!("tracking_searches:\n{}", CASES.iter().map(element).collect::<String>())
}

fn value(page: &Page, name: &str, search: &str) -> Option<f64> {
    page.value(&format!("asyncos_tracking_messages_{name}"), &[("appliance", "a"), ("search", search)])
}

fn assert_true(page: &Page, devices: &[&str], begun: u64) {
    let mut found = 0.0;
    for (name, rest, query) in &CASES {
        let count = if rest.contains("delivered_only") { sim::delivered_count } else { sim::tracked_count };
        let (start, end) = keyed::window(page, &[("appliance", "a")], &format!("tracking/{name}"));
        assert_eq!(end - start, 60, "{name}");
        let truth = |start| count(devices, query, start, end).expect("the simulator takes it") as f64;
        assert_eq!(value(page, "total", name), Some(truth(begun)), "{name} over [{begun}, {end})");
        assert_eq!(value(page, "last_window", name), Some(truth(start)), "{name} of [{start}, {end})");
        found += truth(begun);
    }
    assert!(found > 100.0, "{found}");
}

/// Whether every search was counted up to what tracking has, with a window of its own at the end.
fn all_found(page: &Page) -> bool {
    keyed::all_had(page) && CASES.iter().all(|(name, ..)| value(page, "last_window", name).is_some())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn searches_count_what_tracking_finds() {
    let esa = || sim::Settings::esa(ESA);
    let mut hourly = esa();
    hourly.behaviour.hour_only = Some(sim::HOUR_ONLY_MESSAGES[0].into());
    let sma = sim::Settings::sma("sma1").with_group("all", &[ESA, OTHER]);
    // A manager is asked no sooner than its reports.
    let cases: [(_, _, &[&str], _); 3] = [
        (esa(), "", &[ESA], NEWEST),
        (hourly, "", &[ESA], NEWEST),
        (sma, "product: sma, polling: {settle: 20m}", &[ESA, OTHER], BEGINNING - 30 - 20 * 60),
    ];
    for (settings, rest, devices, newest) in cases {
        let clock = lapse(1);
        let appliance = simulate(settings, &clock).await;
        let text = format!("{DEFAULTS}{}appliances:\n{}", searches(), entry("a", &appliance, rest));
        let rig = Rig::start(&text, &clock).await;
        let page = rig.until("every search is had", all_found).await;
        rig.end().await;
        assert_true(&page, devices, newest - HISTORY);
        let hours = [("appliance", "a"), ("group", "mail_mor_summary")];
        let expected = if appliance.count(|request| request.status == 404) > 0 { 3600.0 } else { 60.0 };
        assert_eq!(page.usual("asyncos_window_seconds", &hours), Some(expected));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_continues_and_a_changed_search_begins_at_zero() {
    let folder = tempfile::tempdir().expect("a folder");
    let clock = lapse(60);
    let esa = simulate(sim::Settings::esa(ESA), &clock).await;
    let text = format!("{DEFAULTS}{}appliances:\n{}", searches(), entry("a", &esa, ""));
    let rig = Rig::start_stored(&text, folder.path(), &clock).await;
    rig.until("every search is had", all_found).await;
    rig.end().await;
    let searched = |requests: &[sim::Request]| {
        let is_search = |request: &&sim::Request| request.kind == RequestKind::Other && request.window.is_some();
        requests.iter().filter(is_search).filter_map(|request| request.window).map(|(start, _)| start).min()
    };
    let begun = searched(&esa.requests()).expect("it was asked for");
    // A minute passes in a second: the first look at the clock may have been late.
    assert!((NEWEST - HISTORY..NEWEST).contains(&begun), "{begun}");
    let rig = Rig::start_stored(&text, folder.path(), &clock).await;
    let page = rig.until("every search is had again", all_found).await;
    rig.end().await;
    assert_eq!(searched(&esa.requests()), Some(begun));
    assert_true(&page, &[ESA], begun);
    restarted_with_another_filter(&esa, folder.path(), &clock).await;
}

async fn restarted_with_another_filter(
    esa: &sim::Appliance,
    folder: &Path,
    clock: &asyncos_exporter::base::clock::Clock,
) {
    let changed = "tracking_searches: [{name: spam, filters: {virus_positive: true}}]\n";
    let text = format!("{DEFAULTS}{changed}appliances:\n{}", entry("a", esa, ""));
    let restarted = clock.wall().as_secs();
    let rig = Rig::start_stored(&text, folder, clock).await;
    let page = rig.until("the new search is had", |page| value(page, "last_window", "spam").is_some()).await;
    rig.end().await;
    let (_, end) = keyed::window(&page, &[("appliance", "a")], "tracking/spam");
    let asked = esa.requests();
    let is_new = |request: &&sim::Request| request.attribute("virusPositive").is_some();
    let begun = asked.iter().filter(is_new).filter_map(|request| request.window).map(|(start, _)| start).min();
    let begun = begun.expect("it was asked for");
    assert!(begun + HISTORY + 8 * 60 > restarted, "it has no history but its own");
    let truth = sim::tracked_count(&[ESA], &[("virusPositive", "true")], begun, end).expect("known") as f64;
    assert_eq!(value(&page, "total", "spam"), Some(truth));
}

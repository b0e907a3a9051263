//! What is asked for and how often: groups about persons only by name, groups of the configuration, and no request that
//! the plan does not have.

use std::collections::BTreeSet;

use asyncos_exporter::catalogue::{self, Keys};
use asyncos_exporter::sim::{self, CustomGroup, RequestKind, Scope};

use crate::keyed::{self, by_key, sum};
use crate::rig::{BEGINNING, Rig, answered, assert_contiguous, entry, lapse, simulate};

const NOON: u64 = BEGINNING - 30;
const LABELS: &[(&str, &str)] = &[("appliance", "esa1")];

fn asked(esa: &sim::Appliance) -> BTreeSet<String> {
    let group = |request: sim::Request| match request.kind {
        RequestKind::Report { group } => Some(group),
        RequestKind::Login | RequestKind::SecondFactor | RequestKind::Other => None,
    };
    esa.requests().into_iter().filter_map(group).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn groups_with_personal_data_are_requested_only_when_named() {
    let is_personal = |name: &str| {
        let key = catalogue::group(name).and_then(|group| group.key.as_ref());
        key.is_some_and(|key| key.keys != Keys::Bounded)
    };
    for (groups, expects_personal) in
        [("default", false), ("full", false), ("[{name: mail_users_detail, top: 3}]", true)]
    {
        let clock = lapse(1);
        let esa = simulate(sim::Settings::esa("esa1"), &clock).await;
        let text = format!(
            "defaults: {{window: 1m, settle: 5s, timeout: 60s}}\ncounter_groups: {groups}\nappliances:\n{}",
            entry("esa1", &esa, "")
        );
        let rig = Rig::start(&text, &clock).await;
        rig.until("every report is had", keyed::all_had).await;
        rig.end().await;
        let asked = asked(&esa);
        assert_eq!(asked.iter().any(|name| is_personal(name)), expects_personal, "{groups}: {asked:?}");
        assert!(!asked.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn groups_of_the_configuration_are_counted_like_others() {
    let clock = lapse(1);
    let esa = simulate(sim::Settings::esa("esa1"), &clock).await;
    esa.change(|behaviour| {
        behaviour.custom_groups.push(CustomGroup::scalar("mail_made_up", &["one", "two"]));
        behaviour.custom_groups.push(CustomGroup::keyed("mail_made_up_detail", &["hits", "misses"], &["a", "b \"c\""]));
    });
    let text = format!(
        "defaults: {{window: 1m, settle: 5s, start: 1h, timeout: 60s}}\n\
         custom_counter_groups:\n\
         \x20 - {{name: mail_made_up, counters: [{{name: one, aggregation: sum, unit: messages}}, {{name: two, aggregation: sum, unit: bytes}}]}}\n\
         \x20 - {{name: mail_made_up_detail, key: thing, aggregation: sum, unit: messages}}\n\
         counter_groups: [mail_made_up, mail_made_up_detail]\nappliances:\n{}",
        entry("esa1", &esa, "")
    );
    let rig = Rig::start(&text, &clock).await;
    let page = rig.until("both are had", keyed::all_had).await;
    rig.end().await;
    let begun = NOON - 3600;
    let (_, end) = keyed::window(&page, LABELS, "mail_made_up");
    let truth = |counter: &str| esa.truth(&Scope::Whole, "mail_made_up", counter, begun, end);
    assert_eq!(page.value("asyncos_mail_made_up_one_total", LABELS), truth("one"));
    assert_eq!(page.value("asyncos_mail_made_up_two_bytes_total", LABELS), truth("two"));
    let (start, end) = keyed::window(&page, LABELS, "mail_made_up_detail");
    for counter in ["hits", "misses"] {
        for (suffix, start) in [("total", begun), ("last_window", start)] {
            let name = format!("asyncos_mail_made_up_detail_{counter}_{suffix}");
            let truth = esa.keyed_truth(&Scope::Whole, "mail_made_up_detail", counter, start, end);
            keyed::assert_same(&by_key(&page, &name, LABELS, "thing"), &truth, &name);
        }
    }
    assert_eq!(sum(&page, "asyncos_counters_unknown_total", &[]), 0.0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_window_and_each_comparison_is_one_request() {
    const GROUPS: [&str; 3] = ["mail_incoming_traffic_summary", "mail_policy_incoming", "mail_virus_type_detail"];
    let clock = lapse(600);
    let sma = simulate(sim::Settings::sma("sma1").with_group("europe", &["esa1", "esa2"]), &clock).await;
    let text = format!(
        "defaults: {{window: 15m, timeout: 60s}}\ncounter_groups: [{}, {}, {{name: {}, top: 3}}]\nappliances:\n{}",
        GROUPS[0],
        GROUPS[1],
        GROUPS[2],
        entry("sma1", &sma, "product: sma, device_groups: [europe]")
    );
    let rig = Rig::start(&text, &clock).await;
    let page = rig
        .until("six hours have passed", |page| sum(page, "asyncos_windows_committed_total", &[]) >= 6.0 * 4.0 * 6.0)
        .await;
    rig.end().await;
    assert!(sum(&page, "asyncos_reconciliations_total", &[]) >= 4.0, "hours are compared");
    let requests = sma.requests();
    let reports = requests.iter().filter(|request| matches!(request.kind, RequestKind::Report { .. }));
    let mut kinds = [0.0, 0.0];
    for request in reports {
        let (start, end) = request.window.expect("dates");
        kinds[usize::from(end - start >= 3600)] += 1.0;
    }
    // What was underway at the end is on no page.
    let committed = sum(&page, "asyncos_windows_committed_total", &[]);
    let compared = sum(&page, "asyncos_reconciliations_total", &[]);
    assert!((committed..=committed + 7.0).contains(&kinds[0]), "{} requests for {committed} windows", kinds[0]);
    assert!((compared..=compared + 7.0).contains(&kinds[1]), "{} requests for {compared} comparisons", kinds[1]);
    let others = requests.len() as f64 - kinds[0] - kinds[1];
    assert_eq!(others, sma.count(|request| request.kind == RequestKind::Login) as f64, "nothing else is asked for");
    for group in GROUPS {
        let windows = answered(&sma, group).into_iter().filter(|(start, end)| end - start < 3600);
        let mut windows: Vec<_> = windows.collect();
        windows.sort_unstable();
        assert_contiguous(windows);
    }
}

//! Keyed reports in every form that releases are thought to give them, with any keys and with too many of them: no form
//! costs a count, and no key breaks the page.

use std::collections::BTreeMap;

use asyncos_exporter::catalogue::{self, Group, ScopeKind};
use asyncos_exporter::sim::{self, Behaviour, Centralized, NoRows, Scope, Shape, ValueForm};

use crate::exposition::Page;
use crate::keyed::{self, Place, by_key, sum};
use crate::rig::{self, Rig, begun, entry, lapse, simulate};

const POLICIES: &str = "mail_policy_incoming";
const MATCHED: &str = "recipients_matched";
const MATCHED_NOW: &str = "asyncos_mail_policy_incoming_recipients_matched_last_window";
const MATCHED_TOTAL: &str = "asyncos_mail_policy_incoming_recipients_matched_total";
const LABELS: &[(&str, &str)] = &[("appliance", "esa1")];
const NOON: u64 = rig::BEGINNING - 30;
/// Where counting begins: `start` before noon.
const BEGUN: u64 = NOON - 3600;
/// Short windows have their turn at once: the phase of an appliance is a part of its window.
const DEFAULTS: &str = "defaults: {window: 1m, settle: 5s, start: 1h, timeout: 60s}\n";

/// Busy ones and quiet ones, with one counter and with several.
const GROUPS: [&str; 5] = [
    POLICIES,
    "mail_safeprint_details",
    "mail_sender_group_detail",
    "mail_threatfeeds_source_detail",
    "mail_vof_threats_by_level",
];

fn bounded() -> impl Iterator<Item = &'static Group> {
    GROUPS.iter().map(|name| catalogue::group(name).expect("in the catalogue"))
}

fn place(esa: &sim::Appliance) -> Place<'_> {
    Place { appliance: esa, labels: LABELS, scope: Scope::Whole, begun: BEGUN }
}

/// A gateway that behaves so, and the page after an hour of history with these groups.
async fn history(groups: &str, change: impl FnOnce(&mut Behaviour)) -> (sim::Appliance, Page) {
    let clock = lapse(1);
    let esa = simulate(sim::Settings::esa("esa1.example.com"), &clock).await;
    esa.change(change);
    let text = format!("{DEFAULTS}counter_groups: [{groups}]\nappliances:\n{}", entry("esa1", &esa, ""));
    let rig = Rig::start(&text, &clock).await;
    let page = rig.until("an hour is had", keyed::all_had).await;
    rig.end().await;
    (esa, page)
}

fn names() -> String {
    GROUPS.join(", ")
}

fn assert_no_losses(page: &Page, what: &str) {
    for name in ["counters_unusable", "windows_lost", "api_request_failures"] {
        assert_eq!(sum(page, &format!("asyncos_{name}_total"), &[]), 0.0, "{what}: {name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_and_their_absence_are_read_in_every_form() {
    type Change = Box<dyn FnOnce(&mut Behaviour)>;
    let values = [ValueForm::AsSeen, ValueForm::Number, ValueForm::Text, ValueForm::Object];
    let absences =
        [NoRows::EmptyList, NoRows::EmptyObject, NoRows::EmptyLists, NoRows::Null, NoRows::Missing, NoRows::EmptyBody];
    let values =
        values.map(|form| (format!("{form:?}"), Box::new(move |it: &mut Behaviour| it.value_form = form) as Change));
    let absences =
        absences.map(|form| (format!("{form:?}"), Box::new(move |it: &mut Behaviour| it.no_rows = form) as Change));
    let others: [(String, Change); 3] = [
        ("reversed".into(), Box::new(|it| it.shape = Shape::ReverseOrder)),
        ("zeros".into(), Box::new(|it| it.zero_keys = true)),
        ("data first".into(), Box::new(|it| it.data_first = true)),
    ];
    for (what, change) in values.into_iter().chain(absences).chain(others) {
        let has_zeros = what == "zeros";
        let (esa, page) = history(&names(), change).await;
        assert_no_losses(&page, &what);
        let (mut series, mut empty) = (0, 0);
        for group in bounded() {
            if has_zeros {
                assert_sums(&page, &esa, group);
            } else {
                series += place(&esa).assert_true(&page, group, None);
            }
            let (start, end) = keyed::window(&page, LABELS, &group.name);
            let of = |counter: &str| esa.keyed_truth(&Scope::Whole, &group.name, counter, start, end).is_empty();
            empty += usize::from(group.counters.iter().all(|counter| of(&counter.name)));
        }
        assert!(empty > 0, "{what}: no report is empty, so nothing is shown by it");
        assert!(series > 20 || has_zeros, "{what}: {series}");
    }
}

/// With keys that had no event the sums are the same.
fn assert_sums(page: &Page, esa: &sim::Appliance, group: &Group) {
    let (_, end) = keyed::window(page, LABELS, &group.name);
    for counter in &*group.counters {
        let Some(total) = counter.total_name(group, ScopeKind::Appliance) else { continue };
        let truth = esa.keyed_truth(&Scope::Whole, &group.name, &counter.name, BEGUN, end);
        assert_eq!(sum(page, &total, LABELS), truth.values().sum::<f64>(), "{total}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn counters_of_another_release_are_exported_and_reported() {
    let group = "mail_threatfeeds_source_detail";
    let group = bounded().find(|known| known.name == group).expect("in the catalogue");
    let sums: Vec<_> =
        group.counters.iter().filter(|counter| counter.total_name(group, ScopeKind::Appliance).is_some()).collect();
    let (missing, renamed) = (&*sums[0].name, &*sums[1].name);
    let (esa, page) = history(&names(), |behaviour| {
        let path = |counter: &str| format!("{}/{counter}", group.name);
        behaviour.missing_counters.insert(path(missing));
        behaviour.renamed_counters.insert(path(renamed), "renamed".into());
        behaviour.extra_counters.insert(path("brand_new"));
    })
    .await;
    let labels = [("appliance", "esa1"), ("group", &group.name)];
    let count = |name: &str| page.value(name, &labels).expect("counted");
    assert!(count("asyncos_counters_missing_total") >= 2.0, "two in each report with rows");
    assert!(count("asyncos_counters_unknown_total") >= 2.0);
    let (start, end) = keyed::window(&page, LABELS, &group.name);
    let truth = |counter: &str, start| esa.keyed_truth(&Scope::Whole, &group.name, counter, start, end);
    for counter in &sums[2..] {
        let total = counter.total_name(group, ScopeKind::Appliance).expect("a sum");
        keyed::assert_same(&by_key(&page, &total, LABELS, group.key_label()), &truth(&counter.name, BEGUN), &total);
    }
    for counter in [missing, renamed] {
        let total =
            group.counter(counter).and_then(|counter| counter.total_name(group, ScopeKind::Appliance)).expect("a sum");
        assert!(page.matching(&total, &[]).is_empty(), "missing is not zero: {total}");
    }
    let strange = |counter: &str| {
        let name = format!("asyncos_{}_{counter}_last_window", group.name);
        by_key(&page, &name, LABELS, group.key_label())
    };
    keyed::assert_same(&strange("renamed"), &truth(renamed, start), "renamed");
    assert!(strange("brand_new").values().all(|value| *value == 1.0));
    for other in bounded().filter(|other| other.name != group.name) {
        place(&esa).assert_true(&page, other, None);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_for_a_report_without_keys_are_shown_by_key() {
    let clock = lapse(1);
    let esa = simulate(sim::Settings::esa("esa1"), &clock).await;
    let body = r#"{"data": {"resultSet": {"msgs_deleted": [{"a": 5}, {"b": {"key": "x", "value": "2"}}]}}}"#;
    esa.inject(sim::Fault::RawBody(body.into()), sim::On::group("mail_mor_summary"));
    let text = format!("{DEFAULTS}counter_groups: [mail_mor_summary]\nappliances:\n{}", entry("esa1", &esa, ""));
    let rig = Rig::start(&text, &clock).await;
    let page = rig.until("the report is had", keyed::all_had).await;
    rig.end().await;
    let shown = by_key(&page, "asyncos_mail_mor_summary_msgs_deleted_last_window", LABELS, "key");
    assert_eq!(shown, BTreeMap::from([("a".into(), 5.0), ("b".into(), 2.0)]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn centralized_reporting_fails_no_report_with_keys_and_loses_no_count() {
    for form in [Centralized::Zeros, Centralized::Empty] {
        let (_, page) = history(&names(), |behaviour| behaviour.centralized = form).await;
        assert_no_losses(&page, &format!("{form:?}"));
        for group in bounded() {
            for name in group.counters.iter().filter_map(|counter| counter.total_name(group, ScopeKind::Appliance)) {
                assert_eq!(sum(&page, &name, &[]), 0.0, "{name}");
            }
        }
    }
    let clock = lapse(600);
    let esa = simulate(sim::Settings::esa("esa1.example.com"), &clock).await;
    esa.change(|behaviour| behaviour.centralized = Centralized::NotFound);
    let text = format!("{DEFAULTS}counter_groups: [{POLICIES}]\nappliances:\n{}", entry("esa1", &esa, ""));
    let rig = Rig::start(&text, &clock).await;
    let refused = [("appliance", "esa1"), ("group", POLICIES), ("reason", "declined")];
    rig.until("it is refused", |page| page.value("asyncos_group_refused", &refused) == Some(1.0)).await;
    esa.change(|behaviour| behaviour.centralized = Centralized::Off);
    let page = rig
        .until("all is made up for", |page| keyed::all_had(page) && !page.matching(MATCHED_NOW, &[]).is_empty())
        .await;
    rig.end().await;
    assert!(page.matching("asyncos_group_refused", &[]).is_empty());
    let group = bounded().find(|group| group.name == POLICIES).expect("in the catalogue");
    // Ten minutes pass in a second: the first look at the clock may have been late.
    assert!(Place { begun: begun(&esa, POLICIES), ..place(&esa) }.assert_true(&page, group, None) > 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_keys_break_nothing_and_keep_their_values() {
    let (esa, page) = history(&names(), |behaviour| {
        behaviour.hostile_keys = true;
        behaviour.invalid_utf8 = true;
    })
    .await;
    assert_no_losses(&page, "hostile keys");
    let cut = |mut keys: BTreeMap<String, f64>| {
        // One minute may be without it.
        let long = keys.keys().find(|key| key.len() > 200).cloned();
        let value = long.and_then(|long| keys.remove(&long));
        (keys, value)
    };
    let (start, end) = keyed::window(&page, LABELS, POLICIES);
    for (name, start) in [(MATCHED_NOW, start), (MATCHED_TOTAL, BEGUN)] {
        let (truth, of_long) = cut(esa.keyed_truth(&Scope::Whole, POLICIES, MATCHED, start, end));
        let mut shown = by_key(&page, name, LABELS, "policy");
        let is_cut = |key: &&String| key.starts_with(&"x".repeat(100)) && key.len() == 200;
        let long = shown.keys().find(is_cut).cloned();
        assert_eq!(long.and_then(|long| shown.remove(&long)), of_long, "{name}");
        keyed::assert_same(&shown, &truth, name);
    }
    let counted = by_key(&page, MATCHED_TOTAL, LABELS, "policy");
    assert!(sim::hostile_keys().iter().all(|key| key.len() > 200 || counted.contains_key(key)));
    assert!(counted.contains_key("not \u{fffd} UTF-8") && counted.keys().any(|key| key.starts_with("xxx")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thousands_of_keys_make_a_thousand_series_and_lose_no_count() {
    let clock = lapse(60);
    let esa = simulate(sim::Settings::esa("esa1.example.com"), &clock).await;
    esa.change(|behaviour| behaviour.extra_keys = 5000);
    let text = format!("{DEFAULTS}counter_groups: [{POLICIES}]\nappliances:\n{}", entry("esa1", &esa, ""));
    let rig = Rig::start(&text, &clock).await;
    let page = rig
        .until("windows of now are had too", |page| {
            let committed = sum(page, "asyncos_windows_committed_total", LABELS);
            committed >= 65.0 && !page.matching(MATCHED_NOW, &[]).is_empty()
        })
        .await;
    rig.end().await;
    let (start, end) = keyed::window(&page, LABELS, POLICIES);
    for (name, start) in [(MATCHED_NOW, start), (MATCHED_TOTAL, begun(&esa, POLICIES))] {
        let mut truth = esa.keyed_truth(&Scope::Whole, POLICIES, MATCHED, start, end);
        let mut shown = by_key(&page, name, LABELS, "policy");
        assert!(shown.len() <= 1000, "{} series of {name}", shown.len());
        let other = shown.remove("other").expect("a row for the rest");
        let all: f64 = truth.values().sum();
        assert_eq!(other + shown.values().sum::<f64>(), all, "{name}");
        let is_rest = |(key, _): &(&String, &f64)| !shown.contains_key(*key);
        assert_eq!(truth.iter().filter(is_rest).map(|(_, value)| value).sum::<f64>(), other, "{name}");
        truth.retain(|key, _| shown.contains_key(key));
        keyed::assert_same(&shown, &truth, name);
    }
    assert!(sum(&page, "asyncos_series_dropped_total", LABELS) > 0.0);
}

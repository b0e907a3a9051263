//! Answers that bend the rules for keys and values: whatever they hold, the page stays one that Prometheus takes, and its
//! numbers are true.

use asyncos_exporter::sim::{self, Fault, On};
use serde_json::json;

use crate::exposition::Page;
use crate::keyed::{by_key, sum};
use crate::rig::{self, Rig, entry, lapse, simulate};

const POLICIES: &str = "mail_policy_incoming";
const MATCHED_TOTAL: &str = "asyncos_mail_policy_incoming_recipients_matched_total";
const DEFAULTS: &str = "defaults: {window: 1m, settle: 0s, start: 3m, alignment: minute, timeout: 60s}\n";
const LABELS: &[(&str, &str)] = &[("appliance", "a")];

/// Whether the newest status request of `group` succeeded.
fn is_had(page: &Page, group: &str) -> bool {
    page.every("asyncos_group_success", &[("group", group)], |success| success == 1.0)
}

/// A body with these results.
pub(crate) fn report(results: &str) -> Fault {
    Fault::RawBody(format!(r#"{{"meta": {{"totalCount": -1}}, "data": {{"type": "t", "resultSet": {results}}}}}"#))
}

/// The page after the windows that are due at once, and how many answers they took: the first one holds `first` and the
/// others hold `others`. Every page on the way is read by the strict parser.
async fn history(groups: &str, group: &str, first: &str, others: &str) -> (Page, f64) {
    let clock = lapse(1);
    let esa = simulate(sim::Settings::esa("esa1"), &clock).await;
    esa.inject(report(first), On::group(group).times(1));
    esa.inject(report(others), On::group(group));
    let text = format!("{DEFAULTS}{groups}\nappliances:\n{}", entry("a", &esa, ""));
    let rig = Rig::start(&text, &clock).await;
    let is_done = |page: &Page| sum(page, "asyncos_windows_committed_total", LABELS) >= 3.0;
    let page = rig.until("three windows are counted", is_done).await;
    rig.end().await;
    let answers = rig::answered(&esa, group).len();
    assert!(answers > 1, "{answers}");
    (page, answers as f64)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plain_value_and_an_empty_key_are_one_series() {
    let groups = format!("counter_groups: [{POLICIES}]");
    let (plain, empty) = (r#"{"recipients_matched": 5}"#, r#"{"recipients_matched": [{"": 1}]}"#);
    let (page, answers) = history(&groups, POLICIES, plain, empty).await;
    assert_eq!(page.value(MATCHED_TOTAL, LABELS), Some(4.0 + answers));
    let (rows, plain) = (r#"{"msgs_deleted": [{"": 5}, {"a": 1}]}"#, r#"{"msgs_deleted": 1}"#);
    let (page, answers) = history("counter_groups: [mail_mor_summary]", "mail_mor_summary", rows, plain).await;
    let totals = by_key(&page, "asyncos_mail_mor_summary_msgs_deleted_total", LABELS, "key");
    assert_eq!(totals, [(String::new(), 4.0 + answers), ("a".into(), 1.0)].into());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_of_key_and_value_keep_their_keys() {
    let groups = format!("counter_groups: [{POLICIES}]");
    let pairs = r#"{"recipients_matched": [{"key": "DEFAULT", "value": 5}, {"key": "VIP", "value": 6}]}"#;
    let (page, answers) = history(&groups, POLICIES, pairs, pairs).await;
    let expected = [("DEFAULT", 5.0), ("VIP", 6.0)].map(|(policy, count)| (policy.to_owned(), count * answers));
    assert_eq!(by_key(&page, MATCHED_TOTAL, LABELS, "policy"), expected.into());
    let map = r#"{"recipients_matched": {"DEFAULT": 5, "value": 6}}"#;
    let (page, answers) = history(&groups, POLICIES, map, map).await;
    let expected = [("DEFAULT", 5.0), ("value", 6.0)].map(|(policy, count)| (policy.to_owned(), count * answers));
    assert_eq!(by_key(&page, MATCHED_TOTAL, LABELS, "policy"), expected.into());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn counters_that_would_share_a_family_are_distinguished_or_left_out() {
    let groups = "custom_counter_groups: [{name: mail_new, aggregation: sum, unit: bytes, counters: [known]}]\n\
                  counter_groups: [mail_new]";
    let results = r#"{"known": 1, "known_bytes": 2, "volume": 3, "volume_bytes": 4}"#;
    let (page, answers) = history(groups, "mail_new", results, results).await;
    let total = |name: &str| page.value(&format!("asyncos_mail_new_{name}_total"), LABELS);
    assert_eq!([total("known_bytes"), total("volume_bytes")], [Some(answers), Some(3.0 * answers)]);
    let conflicts = [("appliance", "a"), ("group", "mail_new"), ("reason", "conflicting")];
    assert_eq!(page.value("asyncos_counters_unusable_total", &conflicts), Some(2.0 * answers));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn status_values_of_an_appliance_are_exported_once() {
    let clock = lapse(1);
    let esa = simulate(sim::Settings::esa("esa1"), &clock).await;
    esa.change(|behaviour| {
        let gauges = [("queue_used_bytes", "7"), ("log_used_ratio", "7"), ("kbytes_in_x", "1"), ("kbytes_x", "1")];
        behaviour.status_gauges.extend(gauges.map(|(name, text)| (name.to_owned(), Some(text.to_owned()))));
    });
    let listed = r#"{"data": {"quarantines": {"a": ["spam", "Policy"], "b": ["Policy"]}}}"#;
    esa.inject(Fault::RawBody(listed.into()), On::path("config/quarantines"));
    let sma = simulate(sim::Settings::sma("sma1"), &clock).await;
    let appliances = r#"{"data": {"appliances": [
        {"1": {"host_name": "x", "product_type": "ESA", "connection_established": true}},
        {"y": {"host_name": "x", "product_type": "ESA", "connection_established": true}},
        {"3": {"host_name": "y", "product_type": "ESA", "connection_established": true}},
        {"x": {"host_name": "x", "product_type": "ESA", "connection_established": true}}]}}"#;
    sma.inject(Fault::RawBody(appliances.into()), On::path("config/appliances"));
    let text = format!(
        "{DEFAULTS}counter_groups: [mail_mor_summary]\nappliances:\n{}{}",
        entry("a", &esa, "xml_status: true, quarantines: true"),
        entry("b", &sma, "product: sma, inventory: true"),
    );
    let rig = Rig::start(&text, &clock).await;
    let is_told =
        |page: &Page| ["xml_status", "quarantines", "managed_appliances"].iter().all(|group| is_had(page, group));
    let page = rig.until("all is told", is_told).await;
    rig.end().await;
    let quarantines = page.matching("asyncos_quarantine_messages", &[]).len();
    assert_eq!(quarantines, 2, "`spam` and `Policy`");
    let managed = by_key(
        &page,
        "asyncos_managed_appliance_connected",
        &[("appliance", "b"), ("product_type", "ESA")],
        "managed_appliance",
    );
    assert_eq!(managed.into_keys().collect::<Vec<_>>(), ["3", "x", "y"]);
    let conflicts = |group| {
        page.value(
            "asyncos_counters_unusable_total",
            &[
                ("appliance", if group == "xml_status" { "a" } else { "b" }),
                ("group", group),
                ("reason", "conflicting"),
            ],
        )
    };
    assert_eq!([conflicts("xml_status"), conflicts("managed_appliances")], [Some(3.0), Some(1.0)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn status_values_above_100_percent_are_shown_and_what_is_no_number_is_counted() {
    let clock = lapse(1);
    let esa = simulate(sim::Settings::esa("esa1"), &clock).await;
    esa.change(|behaviour| {
        let fields = [
            ("percentage_cpu_load", json!(100.4)),
            ("percentage_ram_utilization", json!("130%")),
            ("percentage_diskio", json!("12 MB")),
            ("percentage_queue_utilization", json!(-1)),
            ("messages_in_workqueue", json!("12,345")),
            ("messages_in_pvo_quarantines", json!(18_446_744_073_709_551_615_u64)),
        ];
        behaviour.health_fields.extend(fields.map(|(name, value)| (name.to_owned(), Some(value))));
        let gauges =
            [("disk_utilization", "130"), ("conn_in", "N/A"), ("conn_out", "00:05:12"), ("active_recips", "-1")];
        behaviour.status_gauges.extend(gauges.map(|(name, text)| (name.to_owned(), Some(text.to_owned()))));
    });
    let groups = "counter_groups: [mail_mor_summary]\nappliances:\n";
    let text = format!("{DEFAULTS}{groups}{}", entry("a", &esa, "health: true, xml_status: true"));
    let rig = Rig::start(&text, &clock).await;
    let is_told = |page: &Page| ["health", "xml_status"].iter().all(|group| is_had(page, group));
    let page = rig.until("health and status are told", is_told).await;
    rig.end().await;
    let value = |name: &str| page.value(&format!("asyncos_{name}"), LABELS);
    let shown =
        ["cpu_load_ratio", "ram_utilization_ratio", "disk_io_ratio", "queue_utilization_ratio", "workqueue_messages"];
    let shown = shown.map(|name| value(&format!("health_{name}")));
    assert_eq!(shown, [Some(1.004), Some(1.3), None, None, Some(12_345.0)]);
    let shown = ["disk_utilization_ratio", "conn_in", "conn_out", "active_recips"];
    assert_eq!(shown.map(|name| value(&format!("status_{name}"))), [Some(1.3), None, None, None]);
    let unusable = |group| {
        ["not_a_number", "negative", "too_large"].map(|reason| {
            page.value("asyncos_counters_unusable_total", &[LABELS[0], ("group", group), ("reason", reason)])
        })
    };
    assert_eq!(unusable("health"), [Some(1.0), Some(1.0), Some(1.0)]);
    assert_eq!(unusable("xml_status"), [Some(2.0), Some(1.0), None]);
}

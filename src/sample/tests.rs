//! Samples of whole reports.

use super::*;
use crate::base::clock::Timestamp;
use crate::catalogue::Unit;

fn metrics(group: &str, top: Option<usize>, limit: usize) -> Metrics {
    let group = catalogue::group(group).expect("in the catalogue").clone();
    Metrics::new((Arc::new(group), ScopeKind::Appliance), Vec::new(), top, limit, &Families::default())
}

fn read(group: &str, results: &str) -> Samples {
    let body = format!(r#"{{"data": {{"resultSet": {results}}}}}"#);
    metrics(group, None, 1000).read(&Report::parse(&body).expect("a report"), &KnownKeys::default())
}

fn values(read: &Samples) -> Vec<(&str, f64)> {
    read.samples.iter().map(|sample| (sample.family.name.as_str(), sample.value)).collect()
}

#[test]
fn missing_unknown_and_unusable_are_counted_and_never_zero() {
    let found = read(
        "mail_dlp_outgoing_traffic_summary",
        r#"[{"dlp_incidents_high": 3}, {"dlp_incidents_low": null}, {"dlp_incidents_medium": -1}, {"new": 7},
            {"Bad Name": 1}, {"new_text": "x"}]"#,
    );
    assert_eq!(
        values(&found),
        [
            ("asyncos_mail_dlp_outgoing_traffic_summary_dlp_incidents_high_last_window", 3.0),
            ("asyncos_mail_dlp_outgoing_traffic_summary_new_last_window", 7.0),
        ]
    );
    assert_eq!((found.missing, found.unknown, found.unusable), (2, 3, [1, 1, 0, 0, 0, 0]));
}

#[test]
fn only_whole_counts_go_into_totals() {
    let found = read("mail_system_capacity", r#"{"bytes_in": 10, "bytes_out": 1.5, "workqueue_maximum_messages": 3}"#);
    assert_eq!(found.samples.len(), 3);
    assert_eq!((found.increments, found.unusable), (vec![(SumKey::whole("bytes_in"), 10)], [0, 0, 0, 1, 0, 0]));
    let metrics = metrics("mail_mar_summary", None, 1000);
    let totals = metrics.totals(&BTreeMap::from([(SumKey::whole("msgs_deleted"), 7), (SumKey::whole("gone"), 9)]));
    let totals: Vec<_> = totals.iter().map(|total| (total.family.name.as_str(), total.value)).collect();
    assert_eq!(totals[0], ("asyncos_mail_mar_summary_msgs_deleted_total", 7.0));
    assert!(totals.len() == 4 && totals[1..].iter().all(|(_, value)| *value == 0.0), "the others are at zero");
}

#[test]
fn percentages_become_ratios() {
    let found = read("mail_system_capacity", r#"{"overall_percent_cpu_usage": 37.5}"#);
    let [(name, value)] = values(&found)[..] else { panic!("one sample: {found:?}") };
    assert!(name.ends_with("_ratio_last_window"), "{name}");
    assert!((value - 0.375).abs() < 1e-12);
}

#[test]
fn a_flood_of_unknown_counters_is_bounded() {
    let flood: Vec<String> = (0..5_000).map(|n| format!(r#"{{"c{n}": 1}}"#)).collect();
    let found = read("mail_mor_summary", &format!("[{}]", flood.join(",")));
    assert_eq!((found.samples.len(), found.unknown), (MOST_UNKNOWN, 5_000));
    let found = read("web_services_summary", &format!("[{}]", flood.join(",")));
    let left_out = 5_000 - u64::try_from(MOST_UNKNOWN).expect("small");
    assert_eq!((found.samples.len(), found.unknown), (MOST_UNKNOWN, left_out), "what is left out is counted");
}

#[test]
fn groups_of_text_have_no_samples_and_no_missing_counters() {
    let found = read("reporting_system", r#"[{"begin_time": "0"}, {"heartbeat": "1"}]"#);
    assert_eq!(found, Samples::default());
}

type Labelled<'a> = (&'a str, Vec<(&'a str, &'a str)>, f64);

fn labelled(samples: &[Sample]) -> Vec<Labelled<'_>> {
    samples
        .iter()
        .map(|sample| {
            let labels = sample.labels.iter().map(|(name, value)| (&**name, &**value)).collect();
            (sample.family.name.as_str(), labels, sample.value)
        })
        .collect()
}

fn keyed_report(rows: impl IntoIterator<Item = (String, u64)>) -> Report {
    let rows: Vec<_> = rows.into_iter().map(|(key, value)| serde_json::json!({ key: value })).collect();
    let body = serde_json::json!({"data": {"resultSet": {"recipients_matched": rows}}}).to_string();
    Report::parse(&body).expect("a report")
}

const GAUGE: &str = "asyncos_mail_policy_incoming_recipients_matched_last_window";
const TOTAL: &str = "asyncos_mail_policy_incoming_recipients_matched_total";

#[test]
fn each_key_has_its_gauge_and_its_total() {
    let metrics = metrics("mail_policy_incoming", None, 1000);
    let report = keyed_report([("DEFAULT".into(), 5), ("a\u{1f}\"b\\\n".into(), 2), (String::new(), 1)]);
    let read = metrics.read(&report, &KnownKeys::default());
    assert_eq!(
        labelled(&read.samples),
        [
            (GAUGE, vec![("policy", "")], 1.0),
            (GAUGE, vec![("policy", "DEFAULT")], 5.0),
            (GAUGE, vec![("policy", "a\u{1f}\"b\\\n")], 2.0),
        ]
    );
    let counted: BTreeMap<SumKey, u64> = read.increments.into_iter().collect();
    let totals = metrics.totals(&counted);
    assert_eq!(labelled(&totals)[2], (TOTAL, vec![("policy", "a\u{1f}\"b\\\n")], 2.0), "the key is whole again");
    assert_eq!(metrics.totals(&BTreeMap::new()), [], "no key is known before it is seen");
}

#[test]
fn an_empty_report_has_no_missing_counters() {
    let metrics = metrics("mail_policy_incoming", None, 1000);
    for body in ["{}", r#"{"data": {"resultSet": {}}}"#, r#"{"data": {"resultSet": {"recipients_matched": []}}}"#] {
        let report = Report::parse(body).expect("a report");
        assert_eq!(metrics.read(&report, &KnownKeys::default()), Samples::default(), "{body}");
    }
}

#[test]
fn a_truncated_list_has_no_totals() {
    let metrics = metrics("mail_policy_incoming", Some(10), 1000);
    let read = metrics.read(&keyed_report([("DEFAULT".into(), 5)]), &KnownKeys::default());
    assert_eq!((read.samples.len(), read.increments.len()), (1, 0));
}

#[test]
fn five_thousand_rows_become_a_thousand_series_and_lose_no_count() {
    let metrics = metrics("mail_policy_incoming", None, 1000);
    let report = keyed_report((0..5000).map(|number| (format!("policy {number}"), number)));
    let read = metrics.read(&report, &KnownKeys::default());
    assert_eq!((read.samples.len(), read.dropped), (1000, 4001));
    let all: u64 = (0..5000).sum();
    assert_eq!(read.increments.iter().map(|(_, count)| count).sum::<u64>(), all);
    let counted: BTreeMap<SumKey, u64> = read.increments.into_iter().collect();
    let other = counted.get(&SumKey::keyed("recipients_matched", OTHER)).copied();
    assert_eq!(other, Some((0..4001).sum()), "the smallest are summed");
    let keys = |sums: &BTreeMap<SumKey, u64>| -> BTreeMap<String, u64> {
        sums.keys().filter_map(SumKey::key).filter(|key| *key != OTHER).map(|key| (key.to_owned(), 0)).collect()
    };
    let known = KnownKeys::new(&keys(&counted), Timestamp::from_secs(0));
    let next = metrics.read(&keyed_report((0..5000).map(|number| (format!("policy {number}"), 5000 - number))), &known);
    assert_eq!(keys(&next.increments.into_iter().collect()), keys(&counted), "who had a series keeps it");
}

#[test]
fn rows_with_the_same_key_are_merged() {
    let body = r#"{"data": {"resultSet": {
        "total_recipients": [{"192.0.2.1": {"key": "one", "value": 2}}, {"192.0.2.1": {"key": "two", "value": 3}}],
        "workqueue_maximum_messages": [{"a": 4}, {"a": 3}]}}}"#;
    let read = metrics("mail_policy_incoming", None, 1000)
        .read(&Report::parse(body).expect("a report"), &KnownKeys::default());
    assert_eq!(read.unknown, 2);
    let values: Vec<f64> = read.samples.iter().map(|sample| sample.value).collect();
    assert_eq!(values, [3.0, 4.0], "what is unknown is not added up");
}

#[test]
fn counters_of_a_configured_group_need_no_catalogue_entry() {
    let group = Group {
        name: "mail_new".into(),
        others: Some((Aggregation::Sum, Unit::Bytes)),
        key: Some(catalogue::Key { label: "thing".into(), keys: Keys::Bounded }),
        ..catalogue::group("mail_policy_incoming").expect("in the catalogue").clone()
    };
    let metrics = Metrics::new(
        (Arc::new(group), ScopeKind::Appliance),
        vec![("search".into(), "x".into())],
        None,
        1000,
        &Families::default(),
    );
    let body = r#"{"data": {"resultSet": {"volume": [{"k": 7}]}}}"#;
    let read = metrics.read(&Report::parse(body).expect("a report"), &KnownKeys::default());
    assert_eq!((read.unknown, read.missing), (0, 1));
    let labels = vec![("search", "x"), ("thing", "k")];
    assert_eq!(labelled(&read.samples), [("asyncos_mail_new_volume_bytes_last_window", labels.clone(), 7.0)]);
    let totals = metrics.totals(&read.increments.into_iter().collect());
    assert_eq!(labelled(&totals), [("asyncos_mail_new_volume_bytes_total", labels, 7.0)]);
}

#[test]
fn scores_may_be_negative_and_counts_may_not() {
    let found = read(
        "mail_incoming_domain_ip_detail",
        r#"{"sbrs_score": [{"192.0.2.1": -7.5}, {"192.0.2.2": "-1"}], "detected_spam": [{"192.0.2.1": -7}]}"#,
    );
    let values: Vec<_> = found.samples.iter().map(|sample| sample.value).collect();
    assert_eq!((values, found.unusable), (vec![-7.5, -1.0], [0, 1, 0, 0, 0, 0]));
}

#[test]
fn a_single_key_value_pair_is_read_as_a_row() {
    let pair = |group, counter| {
        let found = read(group, &format!(r#"{{"{counter}": {{"key": "DEFAULT", "value": 5}}}}"#));
        found.increments
    };
    let row = (SumKey::keyed("recipients_matched", "DEFAULT"), 5);
    assert_eq!(pair("mail_policy_incoming", "recipients_matched"), [row]);
    assert_eq!(pair("mail_mor_summary", "msgs_deleted"), [(SumKey::whole("msgs_deleted"), 5)]);
}

#[test]
fn unusable_values_of_unknown_counters_are_counted_unless_they_are_text() {
    let found = read(
        "web_webcat_detail",
        r#"{"name": [{"a": "News"}, {"b": null}], "volume": [{"a": "12 MB"}], "time": [{"a": "00:05:12"}],
            "blocked": [{"a": -1}, {"b": "1,234"}, {"c": "x"}, {"d": 18446744073709551615}]}"#,
    );
    let values: Vec<_> = found.samples.iter().map(|sample| sample.value).collect();
    assert_eq!((values, found.unknown, found.unusable), (vec![1234.0], 0, [3, 1, 0, 0, 1, 0]));
}

#[test]
fn a_unit_in_a_value_must_match_the_unit_of_its_counter() {
    let found = read(
        "mail_system_capacity",
        r#"{"bytes_in": "12 MB", "workqueue_average_time_spent": "00:05:12", "overall_percent_cpu_usage": "130%",
            "incoming_messages": "12,345", "outgoing_messages": "12K", "bytes_out": "12%"}"#,
    );
    let values: Vec<_> = found.samples.iter().map(|sample| sample.value).collect();
    assert_eq!(values, [12_582_912.0, 12_345.0, 1.3, 312.0]);
    let increments = [(SumKey::whole("bytes_in"), 12_582_912), (SumKey::whole("incoming_messages"), 12_345)];
    assert_eq!((&found.increments[..], found.unusable), (&increments[..], [2, 0, 0, 0, 0, 0]));
}

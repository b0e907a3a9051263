//! The numbers: their arithmetic, their sums, and the part of them that a report shows.

use proptest::prelude::*;

use super::*;
use crate::sim::scalar::{Contents, GROUPS, Merge};

const DEVICES: [&str; 3] = ["esa1.example.com", "esa2.example.com", "esa3.example.com"];

fn total(group: &str, counter: &str, devices: &[&str], start: u64, minutes: u64) -> f64 {
    truth(devices, group, counter, start, start + 60 * minutes).unwrap()
}

/// `whole` is the sum of `parts`, all as `group/counter`.
const SUMS: [(&str, &[&str]); 20] = [
    (
        "mail_incoming_traffic_summary/total_recipients",
        &[
            "mail_incoming_traffic_summary/total_threat_recipients",
            "mail_incoming_traffic_summary/total_clean_recipients",
            "mail_incoming_traffic_summary/total_graymail_recipients",
        ],
    ),
    (
        "mail_incoming_traffic_summary/total_graymail_recipients",
        &[
            "mail_incoming_traffic_summary/marketing_mail",
            "mail_incoming_traffic_summary/social_mail",
            "mail_incoming_traffic_summary/bulk_mail",
        ],
    ),
    (
        "mail_incoming_traffic_summary/detected_spam",
        &["mail_incoming_traffic_summary/detected_spam_certain", "mail_incoming_traffic_summary/detected_spam_suspect"],
    ),
    (
        "mail_incoming_traffic_summary/total_threat_recipients",
        &[
            "mail_incoming_traffic_summary/blocked_reputation",
            "mail_incoming_traffic_summary/blocked_invalid_recipient",
            "mail_incoming_traffic_summary/detected_spam",
            "mail_incoming_traffic_summary/detected_virus",
            "mail_incoming_traffic_summary/threat_content_filter",
            "mail_incoming_traffic_summary/malicious_url",
        ],
    ),
    (
        "mail_incoming_traffic_summary/blocked_reputation",
        &[
            "mail_sender_group_summary/connections_reject",
            "mail_sender_group_summary/connections_reject",
            "mail_sender_group_summary/connections_reject",
        ],
    ),
    ("mail_incoming_traffic_summary/detected_amp", &["mail_incoming_malware_threat_file_detail_summary/detected_amp"]),
    (
        "mail_outgoing_traffic_summary/total_recipients_processed",
        &[
            "mail_outgoing_traffic_summary/total_clean_recipients",
            "mail_outgoing_traffic_summary/detected_spam",
            "mail_outgoing_traffic_summary/detected_virus",
            "mail_outgoing_traffic_summary/threat_content_filter",
            "mail_outgoing_traffic_summary/malicious_url",
        ],
    ),
    (
        "mail_outgoing_traffic_summary/total_clean_recipients",
        &[
            "mail_outgoing_traffic_summary/total_recipients_delivered",
            "mail_outgoing_traffic_summary/total_hard_bounces",
        ],
    ),
    (
        "mail_outgoing_traffic_summary/total_dlp_incidents",
        &[
            "mail_dlp_outgoing_traffic_summary/dlp_incidents_low",
            "mail_dlp_outgoing_traffic_summary/dlp_incidents_medium",
            "mail_dlp_outgoing_traffic_summary/dlp_incidents_high",
            "mail_dlp_outgoing_traffic_summary/dlp_incidents_critical",
        ],
    ),
    ("mail_outgoing_traffic_summary/total_dlp_incidents", &["mail_dlp_outgoing_traffic_summary/total_dlp_incidents"]),
    (
        "mail_security_summary/received_total",
        &["mail_security_summary/received_encrypted_tls", "mail_security_summary/received_unencrypted"],
    ),
    (
        "mail_security_summary/sent_total",
        &["mail_security_summary/sent_encrypted_tls", "mail_security_summary/sent_unencrypted"],
    ),
    (
        "mail_security_summary/received_conn_total",
        &[
            "mail_security_summary/received_conn_plain",
            "mail_security_summary/received_conn_tls_fail",
            "mail_security_summary/received_conn_tls_opt_fail",
            "mail_security_summary/received_conn_tls_opt_success",
            "mail_security_summary/received_conn_tls_success",
        ],
    ),
    (
        "mail_security_summary/sent_conn_total",
        &[
            "mail_security_summary/sent_conn_plain",
            "mail_security_summary/sent_conn_tls_fail",
            "mail_security_summary/sent_conn_tls_opt_fail",
            "mail_security_summary/sent_conn_tls_opt_success",
            "mail_security_summary/sent_conn_tls_success",
            "mail_security_summary/sent_conn_dane_fail",
            "mail_security_summary/sent_conn_dane_success",
        ],
    ),
    (
        "mail_authentication_summary/received_conn_total",
        &[
            "mail_authentication_summary/received_conn_auth_fail",
            "mail_authentication_summary/received_conn_auth_success",
            "mail_authentication_summary/received_conn_cert_fail",
            "mail_authentication_summary/received_conn_cert_success",
            "mail_authentication_summary/received_conn_noauth",
        ],
    ),
    (
        "mail_authentication_summary/received_total",
        &["mail_authentication_summary/received_auth", "mail_authentication_summary/received_noauth"],
    ),
    (
        "mail_system_capacity/incoming_connections",
        &["mail_sender_group_summary/connections_accept", "mail_sender_group_summary/connections_relay"],
    ),
    ("mail_system_capacity/incoming_messages", &["mail_security_summary/received_total"]),
    ("mail_system_capacity/outgoing_messages", &["mail_security_summary/sent_total"]),
    (
        "mail_mar_summary/msgs_total",
        &[
            "mail_mar_summary/msgs_deleted",
            "mail_mar_summary/msgs_forwarded",
            "mail_mar_summary/msgs_forwarded_deleted",
        ],
    ),
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn the_arithmetic_of_recorded_answers_holds_for_any_window(
        start in 26_000_000..30_000_000_u64, minutes in 1..200_u64, devices in 1..=3_usize,
    ) {
        let value = |path: &str| {
            let (group, counter) = path.split_once('/').unwrap();
            total(group, counter, &DEVICES[..devices], start * 60, minutes)
        };
        for (whole, parts) in SUMS {
            let sum: f64 = parts.iter().map(|part| value(part)).sum();
            prop_assert_eq!(value(whole), sum, "{}", whole);
        }
    }

    #[test]
    fn minutes_and_devices_add_up(start in 26_000_000..30_000_000_u64, minutes in 1..90_u64) {
        for group in GROUPS {
            let Contents::Numbers(counters) = &group.contents else { continue };
            for counter in *counters {
                let of = |devices: &[&str], from, minutes| total(group.name, counter.name, devices, from * 60, minutes);
                let whole = of(&DEVICES, start, minutes);
                let each = DEVICES.iter().flat_map(|&device| (start..start + minutes).map(move |m| (device, m)));
                let each: Vec<_> = each.map(|(device, minute)| of(&[device], minute, 1)).collect();
                let expected = match counter.merge {
                    Merge::Sum => each.iter().sum(),
                    Merge::Max => each.iter().copied().fold(0.0, f64::max),
                    Merge::Mean => (each.iter().sum::<f64>() / each.len() as f64 * 100.0).round() / 100.0,
                };
                prop_assert!((whole - expected).abs() <= 0.010_001, "{}: {whole} {expected}", counter.name);
                if counter.merge != Merge::Mean {
                    prop_assert_eq!(whole, expected, "{}", counter.name);
                }
            }
        }
    }
}

#[test]
fn every_counter_moves_and_percentages_stay_possible() {
    let (monday, minutes) = (NOON - 12 * 3600, 24 * 60);
    for group in GROUPS {
        let Contents::Numbers(counters) = &group.contents else { continue };
        for counter in *counters {
            for device in DEVICES {
                let value = total(group.name, counter.name, &[device], monday, minutes);
                assert!(value > 0.0, "{}/{} of {device}", group.name, counter.name);
                assert!(!counter.name.contains("percent") || value < 100.0, "{}", counter.name);
            }
        }
    }
}

#[test]
fn the_catalogue_is_complete() {
    let names: Vec<_> = GROUPS.iter().map(|group| group.name).collect();
    assert!(names.is_sorted(), "in the order of the catalogue");
    let counters = GROUPS.iter().map(|group| match &group.contents {
        Contents::Numbers(counters) => counters.len(),
        Contents::ReportingSystem(names) => names.len(),
    });
    let expected = [2, 2, 9, 5, 8, 2, 26, 4, 3, 8, 2, 12, 20, 9, 4, 20, 3, 1, 5];
    assert_eq!(counters.collect::<Vec<_>>(), expected);
}

#[test]
fn days_differ_from_nights_and_devices_from_each_other() {
    let clean = |device, start| total(INCOMING, "total_clean_recipients", &[device], start, 60);
    let (noon, night) = (NOON - 7200, NOON - 9 * 3600);
    assert!(clean(DEVICES[0], noon) > 3.0 * clean(DEVICES[0], night));
    assert_ne!(clean(DEVICES[0], noon), clean(DEVICES[1], noon));
    let sunday = noon - 24 * 3600;
    assert!(clean(DEVICES[0], sunday) < clean(DEVICES[0], noon));
}

#[test]
fn text_counters_and_unknown_names_have_no_truth() {
    assert_eq!(truth(&DEVICES, "reporting_system", "heartbeat", 0, 60), None);
    assert_eq!(truth(&DEVICES, "no_such_group", "x", 0, 60), None);
    assert_eq!(truth(&DEVICES, INCOMING, "no_such_counter", 0, 60), None);
}

fn served(response: &Response, counter: &str) -> f64 {
    let rows = response.json()["data"]["resultSet"].as_array().unwrap().clone();
    rows.iter().find_map(|row| row.get(counter)).unwrap().as_f64().unwrap()
}

#[tokio::test]
async fn a_report_counts_only_data_that_have_arrived() {
    let settings = Settings::sma("sma1.example.com").with_group("Hosted_Cluster", &DEVICES[..2]);
    let rig = Rig::start(settings).await;
    let target = format!("/sma/api/v2.0/reporting/{INCOMING}?{WINDOW}&device_type=esa");
    let counter = "total_recipients";
    let truth = |end| truth(&DEVICES[..2], INCOMING, counter, NOON - 3600, end).unwrap();
    for (at, lag, arrived) in
        [(NOON - 1, 0, NOON - 15 * 60), (NOON, 0, NOON), (NOON, 1, NOON - 15 * 60), (NOON + 59, 3600, NOON - 3600)]
    {
        rig.clock.set(at);
        rig.appliance.change(|behaviour| behaviour.lag = Duration::from_secs(lag));
        assert_eq!(served(&rig.get(&target).await, counter), truth(arrived), "{at} {lag}");
    }
    rig.appliance.change(|behaviour| {
        behaviour.lag = Duration::ZERO;
        behaviour.freshness_step = Duration::ZERO;
    });
    rig.clock.set(NOON - 61);
    assert_eq!(served(&rig.get(&target).await, counter), truth(NOON - 120), "the current minute is not there");
    assert_eq!(rig.appliance.truth(&Scope::Whole, INCOMING, counter, NOON - 3600, NOON), Some(truth(NOON)));
}

#[tokio::test]
async fn a_scope_counts_each_device_once() {
    let settings = Settings::sma("sma1.example.com").with_group("a", &DEVICES[..2]).with_group("b", &DEVICES[1..]);
    let rig = Rig::start(settings).await;
    let of = |rest: &str| {
        let target = format!("/sma/api/v2.0/reporting/{INCOMING}?{WINDOW}&device_type=esa{rest}");
        let rig = &rig;
        async move { rig.get(&target).await }
    };
    let counter = "total_recipients";
    let truth = |devices| truth(devices, INCOMING, counter, NOON - 3600, NOON).unwrap();
    let shown = [
        ("", Scope::Whole, &DEVICES[..]),
        ("&device_group_name=b", Scope::Group("b".to_owned()), &DEVICES[1..]),
        ("&device_name=esa1.example.com", Scope::Device(DEVICES[0].to_owned()), &DEVICES[..1]),
    ];
    for (rest, scope, devices) in shown {
        assert_eq!(served(&of(rest).await, counter), truth(devices), "{rest}");
        let known = rig.appliance.truth(&scope, INCOMING, counter, NOON - 3600, NOON);
        assert_eq!(known, Some(truth(devices)), "{rest}");
    }
    for rest in ["&device_group_name=c", "&device_name=x", "&device_group_name=b&device_name=esa1.example.com"] {
        let response = of(rest).await;
        assert_eq!((response.code(), response.message().as_str()), (404, "Not Found."), "{rest}");
    }
}

#[tokio::test]
async fn result_sets_come_in_every_shape() {
    let rig = Rig::esa().await;
    let show = |shape, path: &'static str| {
        rig.appliance.change(|behaviour| behaviour.shape = shape);
        rig.report(path)
    };
    let group = "mail_mor_summary?startDate=2026-11-23T12:00Z&endDate=2026-11-23T13:00Z&device_type=esa";
    let single = "mail_mor_summary/msgs_deleted?startDate=2026-11-23T12:00Z&endDate=2026-11-23T13:00Z&device_type=esa";
    let cases = [
        (
            Shape::ListOfSingles,
            r#"[{"msgs_deleted": 0}, {"msgs_forwarded": 0}, {"msgs_forwarded_deleted": 0}]"#,
            r#"{"msgs_deleted": 0}"#,
        ),
        (
            Shape::ReverseOrder,
            r#"[{"msgs_forwarded_deleted": 0}, {"msgs_forwarded": 0}, {"msgs_deleted": 0}]"#,
            r#"{"msgs_deleted": 0}"#,
        ),
        (
            Shape::OneObject,
            r#"[{"msgs_deleted": 0, "msgs_forwarded": 0, "msgs_forwarded_deleted": 0}]"#,
            r#"[{"msgs_deleted": 0}]"#,
        ),
        (Shape::BareObject, r#"{"msgs_deleted": 0, "msgs_forwarded": 0, "msgs_forwarded_deleted": 0}"#, "0"),
    ];
    for (shape, of_group, of_counter) in cases {
        for (path, name, rows) in [(group, "mail_mor_summary", of_group), (single, "msgs_deleted", of_counter)] {
            let envelope =
                format!(r#"{{"meta": {{"totalCount": -1}}, "data": {{"type": "{name}", "resultSet": {rows}}}}}"#);
            assert_eq!(show(shape, path).await.body, envelope);
        }
    }
    rig.appliance.change(|behaviour| behaviour.data_first = true);
    let half = rig.report(&format!("{group}&offset=0")).await;
    let expected = r#"{"data": {"type": "mail_mor_summary", "resultSet": []}, "meta": {"totalCount": -1}}"#;
    assert_eq!(half.body, expected);
    assert_ne!(rig.report(&format!("{group}&offset=0&limit=9&top=3")).await.body, expected);
}

#[tokio::test]
async fn a_centralized_esa_keeps_only_its_capacity() {
    let rig = Rig::esa().await;
    let ask = |group: &'static str| {
        let path = format!("{group}?{WINDOW}&device_type=esa");
        let rig = &rig;
        async move { rig.report(&path).await }
    };
    let set = |centralized| rig.appliance.change(|behaviour| behaviour.centralized = centralized);
    for centralized in [Centralized::Zeros, Centralized::Empty, Centralized::NotFound] {
        set(centralized);
        assert!(served(&ask("mail_system_capacity").await, "incoming_messages") > 0.0);
    }
    assert_eq!(ask(INCOMING).await.message(), "Not Found.");
    set(Centralized::Empty);
    assert_eq!(ask(INCOMING).await.json()["data"]["resultSet"], Value::Array(Vec::new()));
    set(Centralized::Zeros);
    assert_eq!(served(&ask(INCOMING).await, "total_recipients"), 0.0);
}

#[tokio::test]
async fn the_reporting_system_writes_its_times_as_text() {
    let rig = Rig::start(Settings::sma("sma1.example.com").with_group("g", &DEVICES)).await;
    rig.clock.set(NOON + 61);
    let response = rig.get(&format!("/sma/api/v2.0/reporting/reporting_system?{WINDOW}&device_type=esa")).await;
    let rows = [
        ("begin_time", (NOON - 400 * 86_400).to_string()),
        ("end_time", NOON.to_string()),
        ("heartbeat", (NOON + 61).to_string()),
        ("centralized_reporting_enabled", "true".to_owned()),
        ("centralized_reporting_expired", "false".to_owned()),
    ];
    let rows: Vec<_> = rows.iter().map(|(name, value)| format!(r#"{{"{name}": "{value}"}}"#)).collect();
    assert!(response.body.contains(&format!(r#""resultSet": [{}]"#, rows.join(", "))), "{}", response.body);
}

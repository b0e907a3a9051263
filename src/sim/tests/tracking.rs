//! Message tracking.

use serde_json::json;

use super::*;

const DEVICES: [&str; 2] = ["esa1.example.com", "esa2.example.com"];
const HOUR: &str = "startDate=2026-11-23T10:00:00.000Z&endDate=2026-11-23T11:00:00.000Z&searchOption=messages";

/// An SMA whose counts are of everything that matches.
async fn sma() -> Rig {
    let rig = Rig::start(Settings::sma("sma1.example.com").with_group("g", &DEVICES)).await;
    rig.appliance.change(|behaviour| behaviour.tracking_total_count = TotalCount::Matches);
    rig
}

async fn ask(rig: &Rig, rest: &str) -> Response {
    rig.get(&format!("/sma/api/v2.0/message-tracking/messages?{rest}")).await
}

async fn count(rig: &Rig, rest: &str) -> u64 {
    ask(rig, rest).await.json()["meta"]["totalCount"].as_u64().unwrap()
}

#[tokio::test]
async fn total_count_equals_the_predicted_count() {
    let rig = sma().await;
    let known = |query: &[(&str, &str)]| tracked_count(&DEVICES, query, NOON - 7200, NOON - 3600).unwrap();
    let messages: f64 = ["incoming_messages", "outgoing_messages"]
        .map(|counter| truth(&DEVICES, "mail_system_capacity", counter, NOON - 7200, NOON - 3600).unwrap())
        .iter()
        .sum();
    assert_eq!(count(&rig, HOUR).await as f64, messages);
    let cases: [&[(&str, &str)]; 7] = [
        &[("deliveryStatus", "DROPPED")],
        &[("envelopeSenderfilterOperator", "begins_with"), ("envelopeSenderfilterValue", "news")],
        &[("subjectfilterOperator", "is"), ("subjectfilterValue", "your invoice"), ("spamPositive", "true")],
        &[("ciscoHost", "esa2.example.com"), ("mailPolicyName", "DEFAULT")],
        &[("mailPolicyDirection", "outgoing"), ("message_delivered", "true")],
        &[("contentFiltersName", "Strip_Executables"), ("sdrThreatLevels", "Untrusted,Questionable")],
        &[("attachmentNameOperator", "contains"), ("attachmentNameValue", "exe")],
    ];
    for query in cases {
        let text: Vec<_> = query.iter().map(|(name, value)| format!("{name}={}", value.replace(' ', "+"))).collect();
        let seen = count(&rig, &format!("{HOUR}&{}", text.join("&"))).await;
        assert_eq!(seen, known(query), "{query:?}");
        assert!(seen > 0 && (seen as f64) < messages, "{query:?}");
    }
    let rejected = HOUR.replace("=messages", "=rejected_connections");
    assert_eq!(count(&rig, &rejected).await, known(&[("searchOption", "rejected_connections")]));
    assert_eq!(tracked_count(&DEVICES, &[("deliveryStatus", "LOST")], 0, 60), None);
}

#[tokio::test]
async fn filters_on_the_fate_of_a_message_are_alternatives() {
    let rig = sma().await;
    let known = |query: &[(&str, &str)]| tracked_count(&DEVICES, query, NOON - 7200, NOON - 3600).unwrap();
    let (virus, delivered) = (("virusPositive", "true"), ("deliveryStatus", "DELIVERED"));
    let both = delivered_count(&DEVICES, &[virus], NOON - 7200, NOON - 3600).unwrap();
    let either = count(&rig, &format!("{HOUR}&virusPositive=true&deliveryStatus=DELIVERED")).await;
    assert_eq!(either, known(&[virus]) + known(&[delivered]) - both);
    assert!(both > 0 && both < known(&[virus]));
    // Those on the message itself are conditions.
    let from = [("envelopeSenderfilterOperator", "begins_with"), ("envelopeSenderfilterValue", "news")];
    assert!(known(&[from[0], from[1], virus]) < known(&[virus]));
}

#[tokio::test]
async fn injected_mail_is_found_and_counted() {
    let rig = Rig::start(Settings::esa("esa1.healthy.example.com")).await;
    let of = |mail| Injection { mail, since: NOON - 5400, per_minute: 3 };
    rig.appliance.change(|behaviour| {
        behaviour.tracking_total_count = TotalCount::Matches;
        behaviour.injections =
            [InjectedMail::MaliciousLink, InjectedMail::SpoofedSender, InjectedMail::SpfFailure].map(of).into();
    });
    let search = async |rest: &str| {
        let path = format!("/esa/api/v2.0/message-tracking/messages?{HOUR}&{rest}");
        rig.get(&path).await.json()["meta"]["totalCount"].as_u64().unwrap()
    };
    // In the second half of the hour.
    assert_eq!(search("containedMaliciousUrls=true").await, 90);
    assert_eq!(search("virusPositive=true").await, 0);
    let sender = "envelopeSenderfilterOperator=contains&envelopeSenderfilterValue=@example.com";
    assert_eq!(search(&format!("{sender}&mailPolicyDirection=inbound")).await, 90);
    let dates = "startDate=2026-11-23T10:00:00.000Z&endDate=2026-11-23T11:00:00.000Z&device_type=esa";
    let report = rig.get(&format!("/esa/api/v2.0/reporting/mail_incoming_traffic_summary?{dates}")).await.json();
    let rows = report["data"]["resultSet"].as_array().unwrap();
    let failed = rows.iter().find_map(|row| row["failed_spf"].as_u64()).unwrap();
    let usual =
        truth(&["esa1.healthy.example.com"], "mail_incoming_traffic_summary", "failed_spf", NOON - 7200, NOON - 3600);
    assert_eq!(failed as f64, usual.unwrap() + 90.0);
}

#[tokio::test]
async fn windows_and_outcomes_add_up() {
    let rig = sma().await;
    let window = |start: &str, end: &str| {
        format!("startDate=2026-11-23T{start}Z&endDate=2026-11-23T{end}Z&searchOption=messages&graymail=true")
    };
    let parts = count(&rig, &window("10:00", "10:13")).await + count(&rig, &window("10:13", "11:00")).await;
    assert_eq!(count(&rig, &window("10:00", "11:00")).await, parts);
    let mut outcomes = 0;
    for outcome in ["DELIVERED", "DROPPED", "ABORTED", "BOUNCED"] {
        outcomes += count(&rig, &format!("{HOUR}&deliveryStatus={outcome}")).await;
    }
    assert_eq!(count(&rig, HOUR).await, outcomes);
}

#[tokio::test]
async fn pages_together_have_every_counted_row() {
    let rig = sma().await;
    let rest = format!("{HOUR}&deliveryStatus=ABORTED&ciscoHost=esa1.example.com");
    let response = ask(&rig, &format!("{rest}&offset=0&limit=100")).await.json();
    let rows = response["data"].as_array().unwrap();
    let total = response["meta"]["totalCount"].as_u64().unwrap();
    assert_eq!(response["meta"]["num_bad_records"], 0);
    assert_eq!(rows.len() as u64, total.min(100));
    assert_eq!(ask(&rig, &format!("{rest}&offset=2&limit=3")).await.json()["data"], json!(rows[2..5]));
    assert_eq!(ask(&rig, &format!("{rest}&offset=100000&limit=3")).await.json()["data"], json!([]));
    let attributes = &rows[0]["attributes"];
    assert!(attributes["timestamp"].as_str().unwrap().starts_with("23 Nov 2026 10:59:"), "{attributes}");
    assert!(attributes["timestamp"].as_str().unwrap().ends_with("(GMT)"));
    let mid = attributes["mid"][0].as_u64().unwrap();
    assert_eq!(attributes["messageStatus"], json!({mid.to_string(): "ABORTED"}));
    assert_eq!(count(&rig, &format!("{rest}&ciscoMid={mid}")).await, 1);
}

#[tokio::test]
async fn a_count_of_pages_adds_up_to_everything_with_records_that_cannot_be_read() {
    let rig = sma().await;
    let all = count(&rig, HOUR).await;
    rig.appliance.change(|behaviour| {
        behaviour.tracking_total_count = TotalCount::Page;
        behaviour.tracking_bad_one_in = Some(10);
    });
    let (mut found, mut bad) = (0, 0);
    for offset in (0..all + 100).step_by(100) {
        let response = ask(&rig, &format!("{HOUR}&offset={offset}&limit=100")).await.json();
        let meta = |name: &str| response["meta"][name].as_u64().unwrap();
        assert_eq!(meta("totalCount"), response["data"].as_array().unwrap().len() as u64);
        found += meta("totalCount");
        bad += meta("num_bad_records");
    }
    assert!(all > 100 && bad > 0);
    assert_eq!(found + bad, all);
    rig.appliance.change(|behaviour| {
        behaviour.tracking_total_count = TotalCount::Matches;
        behaviour.tracking_per_minute = Some(250);
    });
    assert_eq!(count(&rig, &format!("{HOUR}&spamPositive=true")).await, 250 * 60 * DEVICES.len() as u64);
}

#[tokio::test]
async fn tracking_lags_by_the_configured_time() {
    let rig = sma().await;
    let rest = "startDate=2026-11-23T11:50Z&endDate=2026-11-23T12:00Z&searchOption=messages";
    let known = |end| tracked_count(&DEVICES, &[], NOON - 600, end);
    assert_eq!(Some(count(&rig, rest).await), known(NOON - 300));
    rig.appliance.change(|behaviour| behaviour.tracking_lag = Duration::ZERO);
    assert_eq!(Some(count(&rig, rest).await), known(NOON));
}

#[tokio::test]
async fn invalid_attributes_are_refused() {
    let rig = sma().await;
    let cases = [
        ("searchOption=messages".to_owned(), "Missing attribute - startDate or endDate."),
        (HOUR.replace("&searchOption=messages", ""), "Missing attribute - searchOption."),
        (format!("{HOUR}&device_type=esa"), "Unsupported attribute."),
        (format!("{HOUR}&envelopeSenderFilterValue=x"), "Unsupported attribute."),
        (format!("{HOUR}&deliveryStatus=delivered"), "Invalid value for attribute - deliveryStatus."),
        (
            format!("{HOUR}&subjectfilterOperator=like&subjectfilterValue=x"),
            "Invalid value for attribute - subjectfilterOperator.",
        ),
        (format!("{HOUR}&ciscoHost=esa9"), "Invalid value for attribute - ciscoHost."),
        (
            HOUR.replace("10:00:00", "10:00:30"),
            "startDate and endDate attribute supports only 00 seconds and 000 microseconds.",
        ),
    ];
    for (rest, message) in cases {
        let response = ask(&rig, &rest).await;
        assert_eq!((response.code(), response.message().as_str()), (404, message), "{rest}");
    }
    let esa = Rig::esa().await;
    let response = esa.get(&format!("/esa/api/v2.0/message-tracking/messages?{HOUR}&limit=1")).await.json();
    assert!(response["data"][0]["attributes"]["timestamp"].as_str().unwrap().ends_with("(GMT +00:00)"));
    assert_eq!(esa.get("/esa/api/v2.0/message-tracking/availability").await.body, r#"{"data": {}}"#);
}

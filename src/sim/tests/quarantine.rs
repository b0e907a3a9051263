//! Quarantines: how many messages they have, and how they are listed.

use serde_json::json;

use super::*;

const DEVICES: [&str; 2] = ["esa1.example.com", "esa2.example.com"];
const DAY: &str = "startDate=2026-11-22T12:00:00.000Z&endDate=2026-11-23T12:00:00.000Z";

async fn sma() -> Rig {
    Rig::start(Settings::sma("sma1.example.com").with_group("g", &DEVICES)).await
}

async fn ask(rig: &Rig, rest: &str) -> Response {
    rig.get(&format!("/sma/api/v2.0/quarantine/messages?{rest}")).await
}

async fn count(rig: &Rig, rest: &str) -> u64 {
    ask(rig, rest).await.json()["meta"]["totalCount"].as_u64().unwrap()
}

#[tokio::test]
async fn a_spam_row_equals_the_recorded_one() {
    let rig = sma().await;
    let response = ask(&rig, &format!("quarantineType=spam&{DAY}&offset=0&limit=2")).await.json();
    let rows = response["data"].as_array().unwrap();
    assert_eq!(rows.len(), 2);
    let names: Vec<_> = rows[0]["attributes"].as_object().unwrap().keys().cloned().collect();
    assert_eq!(names, ["date", "envelopeRecipient", "fromAddress", "size", "subject", "toAddress"]);
    let text = |name: &str| rows[0]["attributes"][name].as_str().unwrap();
    assert!(text("date").starts_with("23 Nov 2026 11:") && text("date").ends_with(" (GMT)"));
    assert!(text("size").ends_with('K'));
    assert!(rows[0]["mid"].is_u64());
    let total = response["meta"]["totalCount"].as_u64();
    assert_eq!(total, rig.appliance.quarantined(&Scope::Whole, SPAM, NOON - 86_400, NOON));
}

#[tokio::test]
async fn counts_of_windows_names_and_devices_add_up() {
    let rig = sma().await;
    let minutes = |start: &str, end: &str| format!("startDate=2026-11-23T{start}Z&endDate=2026-11-23T{end}Z&limit=0");
    let spam = |window: String| {
        let rig = &rig;
        async move { count(rig, &format!("quarantineType=spam&{window}")).await }
    };
    let parts = spam(minutes("09:00", "09:07")).await + spam(minutes("09:07", "11:00")).await;
    assert_eq!(spam(minutes("09:00", "11:00")).await, parts);
    let of = |names: &'static str| {
        let rig = &rig;
        async move { count(rig, &format!("quarantineType=pvo&quarantines={names}&{DAY}&limit=0")).await }
    };
    let (policy, outbreak) = (of("Policy").await, of("Outbreak").await);
    assert!(policy > 0 && outbreak > 0);
    assert_eq!(of("Policy,Outbreak").await, policy + outbreak);
    assert_eq!(of("Executives").await, 0);
    assert!(of("Legal+%26+Compliance,File+Analysis").await > 0);
    let each: u64 = DEVICES
        .map(|name| rig.appliance.quarantined(&Scope::Device(name.to_owned()), "Policy", NOON - 86_400, NOON).unwrap())
        .iter()
        .sum();
    assert_eq!(policy, each);
    assert_eq!(rig.appliance.quarantined(&Scope::Whole, "no such", 0, NOON), None);
}

#[tokio::test]
async fn messages_leave_when_their_retention_ends() {
    let rig = sma().await;
    let rest = format!("quarantineType=pvo&quarantines=Outbreak&{DAY}&limit=0");
    let before = count(&rig, &rest).await;
    rig.clock.set(NOON + 43_200);
    let half = count(&rig, &rest).await;
    assert!(half < before && half > 0);
    rig.clock.set(NOON + 86_400);
    assert_eq!(count(&rig, &rest).await, 0);
    rig.appliance.change(|behaviour| {
        behaviour.quarantine_counts.insert("Outbreak".to_owned(), 12_345);
    });
    assert_eq!(count(&rig, &rest).await, 12_345);
}

#[tokio::test]
async fn total_count_can_be_that_of_the_page() {
    let rig = sma().await;
    let rest = format!("quarantineType=spam&{DAY}");
    let all = count(&rig, &format!("{rest}&limit=1")).await;
    rig.appliance.change(|behaviour| behaviour.quarantine_total_count = TotalCount::Page);
    assert_eq!(count(&rig, &format!("{rest}&offset=0&limit=1")).await, 1);
    assert_eq!(count(&rig, &format!("{rest}&offset={}&limit=250", all - 3)).await, 3);
    assert_eq!(count(&rig, &format!("{rest}&offset={all}&limit=250")).await, 0);
}

#[tokio::test]
async fn filters_orders_and_pages_select_messages() {
    let rig = sma().await;
    let of = |rest: &'static str| {
        let rig = &rig;
        async move { ask(rig, &format!("quarantineType=pvo&quarantines=Policy&{DAY}&{rest}")).await.json() }
    };
    let all = of("limit=250").await;
    let rows = all["data"].as_array().unwrap();
    assert_eq!(rows.len() as u64, all["meta"]["totalCount"].as_u64().unwrap());
    assert_eq!(of("offset=3&limit=2").await["data"].as_array().unwrap()[..], rows[3..5]);
    let filtered = of("subjectFilterBy=is&subjectFilterValue=Your+invoice&limit=250").await;
    let expected: Vec<_> = rows.iter().filter(|row| row["attributes"]["subject"] == "Your invoice").cloned().collect();
    assert!(!expected.is_empty());
    assert_eq!(filtered["data"], json!(expected));
    assert_eq!(filtered["meta"]["totalCount"], json!(expected.len()));
    let from = rows[0]["attributes"]["originatingEsaIp"].as_str().unwrap();
    let from = count(&rig, &format!("quarantineType=pvo&quarantines=Policy&{DAY}&originatingEsaIp={from}")).await;
    assert!(from > 0 && from < rows.len() as u64);
    let ordered = of("orderBy=sender&orderDir=asc&limit=250").await;
    let senders: Vec<_> =
        ordered["data"].as_array().unwrap().iter().map(|row| row["attributes"]["sender"].clone()).collect();
    assert!(senders.is_sorted_by_key(|sender| sender.as_str().unwrap().to_owned()));
    let alice = "envelopeRecipientFilterOperator=contains&envelopeRecipientFilterValue=ALICE";
    let spam = ask(&rig, &format!("quarantineType=spam&{DAY}&{alice}&limit=5")).await.json();
    assert_eq!(spam["data"][0]["attributes"]["envelopeRecipient"], json!(["alice@example.com"]));
}

#[tokio::test]
async fn invalid_attributes_are_refused() {
    let rig = sma().await;
    let cases = [
        ("", "Missing attribute - quarantineType."),
        ("quarantineType=spam", "Missing attribute - startDate or endDate."),
        ("quarantineType=pvo&DAY", "Missing attribute - quarantines."),
        ("quarantineType=pvo&quarantines=Policy,None&DAY", "Invalid value for attribute - quarantines."),
        ("quarantineType=pvo&quarantines=spam&DAY", "Invalid value for attribute - quarantines."),
        ("quarantineType=all&DAY", "Invalid value for attribute - quarantineType."),
        ("quarantineType=spam&quarantines=Policy&DAY", "Unsupported attribute."),
        ("quarantineType=spam&orderBy=size&orderDir=asc&DAY", "Invalid value for attribute - orderBy."),
        (
            "quarantineType=spam&startDate=2026-11-23T11:00:01Z&endDate=2026-11-23T12:00Z",
            "startDate and endDate attribute supports only 00 seconds and 000 microseconds.",
        ),
    ];
    for (rest, message) in cases {
        let response = ask(&rig, &rest.replace("DAY", DAY)).await;
        assert_eq!((response.code(), response.message().as_str()), (404, message), "{rest}");
    }
}

#[tokio::test]
async fn quarantines_are_listed_with_their_counts_and_sizes() {
    let rig = sma().await;
    let names = rig.get("/sma/api/v2.0/config/quarantines?device_type=sma&quarantine_type=pvo").await.json();
    assert_eq!(names["data"]["quarantines"]["policy"], json!(["Policy", "Legal & Compliance", "Executives"]));
    let rules = rig.get("/sma/api/v2.0/quarantine/messages/rules?quarantineType=pvo").await.json();
    assert_eq!(rules["meta"]["totalCount"], 7);
    let policy = rig.appliance.quarantined(&Scope::Whole, "Policy", 0, NOON);
    assert_eq!(rules["data"][0]["attributes"]["numberOfMessages"].as_u64(), policy);
    let esa = Rig::esa().await;
    let one = esa.get("/esa/api/v2.0/config/local_quarantines/Legal%20%26%20Compliance?device_type=esa").await.json();
    assert_eq!(one["data"]["quarantine_name"], "Legal & Compliance");
    assert_eq!(one["data"]["quarantine_retention_period"], 14 * 24);
    assert!(one["data"]["quarantine_size_used"].is_string());
    for path in ["config/local_quarantines", "config/local_quarantines/none?device_type=esa", "config/quarantines"] {
        assert_eq!(esa.get(&format!("/esa/api/v2.0/{path}")).await.code(), 404, "{path}");
    }
    let spam = esa.get(&format!("/esa/api/v2.0/quarantine/messages?quarantineType=spam&{DAY}&limit=1")).await;
    assert_eq!(
        spam.json()["meta"]["totalCount"].as_u64(),
        esa.appliance.quarantined(&Scope::Whole, SPAM, NOON - 86_400, NOON)
    );
}

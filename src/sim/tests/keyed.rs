//! Keyed reports: that they are true, which rows they show, and every form they can take.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::*;
use crate::sim::keyed::{self as groups, Value as Column};

const DEVICES: [&str; 2] = ["esa1.example.com", "esa2.example.com"];
const POLICIES: &str = "mail_policy_incoming";
const DOMAINS: &str = "mail_incoming_domain_detail";

fn sum(devices: &[&str], group: &str, counter: &str) -> f64 {
    keyed_truth(devices, group, counter, NOON - 3600, NOON).values().sum()
}

#[test]
fn every_keyed_group_is_there_once_and_in_order() {
    let all: Vec<_> = groups::MAIL.into_iter().flatten().collect();
    assert_eq!(all.len(), 61, "80 groups less the 19 scalar ones");
    let names: BTreeSet<&str> = all.iter().map(|group| group.name).collect();
    assert_eq!(names.len(), all.len(), "no group is in two topics");
    assert!(groups::MAIL.into_iter().all(|topic| topic.is_sorted_by_key(|group| group.name)));
    let counters: usize = all.iter().map(|group| group.columns.len()).sum();
    assert_eq!(counters, 300, "445 less those of the scalar groups");
}

#[test]
fn every_counter_has_events_and_some_keys_have_none() {
    let day = |group, counter| keyed_truth(&DEVICES, group, counter, NOON - 12 * 3600, NOON + 12 * 3600);
    for group in groups::MAIL.into_iter().flatten() {
        for column in group.columns {
            let truth = day(group.name, column.name);
            if let Column::Sum(_) = column.value {
                assert!(truth.values().any(|&value| value > 0.0), "{}/{}", group.name, column.name);
            }
        }
    }
    let hour = |group, counter| keyed_truth(&DEVICES[..1], group, counter, NOON - 10 * 3600, NOON - 9 * 3600);
    let by_night = hour("mail_dlp_outgoing_policy_detail", "total_dlp_incidents").len();
    assert!(by_night < day("mail_dlp_outgoing_policy_detail", "total_dlp_incidents").len());
}

#[test]
fn keys_add_up_to_the_scalar_counters() {
    let pairs = [
        (DOMAINS, "total_recipients", "mail_incoming_traffic_summary", "total_recipients"),
        (DOMAINS, "blocked_reputation", "mail_incoming_traffic_summary", "blocked_reputation"),
        (DOMAINS, "total_threat_recipients", "mail_incoming_traffic_summary", "total_threat_recipients"),
        ("mail_users_detail", "outgoing_total_recipients", "mail_outgoing_traffic_summary", "total_recipients"),
        ("mail_destination_domain_detail", "hard_bounces", "mail_outgoing_traffic_summary", "total_hard_bounces"),
        ("mail_virus_type_detail", "incoming_total_recipients", "mail_incoming_traffic_summary", "detected_virus"),
        (
            "mail_dlp_outgoing_policy_detail",
            "total_dlp_incidents",
            "mail_dlp_outgoing_traffic_summary",
            "total_dlp_incidents",
        ),
        ("mail_mor_batch_summary", "msgs_deleted", "mail_mor_summary", "msgs_deleted"),
    ];
    for (group, counter, scalar, of) in pairs {
        let whole = truth(&DEVICES, scalar, of, NOON - 3600, NOON).unwrap();
        assert_eq!(sum(&DEVICES, group, counter), whole, "{group}/{counter}");
    }
}

#[test]
fn windows_and_devices_add_up_key_by_key() {
    let of = |devices: &[&str], start, end| keyed_truth(devices, DOMAINS, "detected_spam", start, end);
    let mut parts = BTreeMap::new();
    for device in DEVICES {
        for (start, end) in [(NOON - 7200, NOON - 3660), (NOON - 3660, NOON)] {
            for (key, value) in of(&[device], start, end) {
                *parts.entry(key).or_insert(0.0) += value;
            }
        }
    }
    assert_eq!(of(&DEVICES, NOON - 7200, NOON), parts);
    for counter in ["last_sender_group_name", "no_such_counter"] {
        assert!(keyed_truth(&DEVICES, DOMAINS, counter, NOON - 3600, NOON).is_empty());
    }
    assert!(keyed_truth(&DEVICES, INCOMING, "detected_spam", NOON - 3600, NOON).is_empty());
    assert!(keyed_truth(&DEVICES, "no_such_group", "detected_spam", NOON - 3600, NOON).is_empty());
    assert_eq!(truth(&DEVICES, DOMAINS, "detected_spam", NOON - 3600, NOON), None);
}

#[tokio::test]
async fn a_keyed_report_is_what_clients_saw_to_the_byte() {
    let rig = Rig::esa().await;
    let response = rig.report(&format!("{POLICIES}/recipients_matched?{WINDOW}&device_type=esa&top=2")).await;
    let truth = rig.appliance.keyed_truth(&Scope::Whole, POLICIES, "recipients_matched", NOON - 3600, NOON);
    let [first, second] = ["DEFAULT", "Executives"].map(|key| truth[key]);
    let rows = format!(r#"[{{"DEFAULT": {first}}}, {{"Executives": {second}}}]"#);
    let of = r#""type": "recipients_matched""#;
    let body =
        format!(r#"{{"meta": {{"totalCount": -1}}, "data": {{{of}, "resultSet": {{"recipients_matched": {rows}}}}}}}"#);
    assert_eq!(response.body, body);
}

#[tokio::test]
async fn every_group_answers_with_the_truth() {
    let settings = Settings::sma("sma1.example.com").with_group("g", &DEVICES);
    let rig = Rig::start(settings).await;
    for group in groups::MAIL.into_iter().flatten() {
        let target = format!("/sma/api/v2.0/reporting/{}?{WINDOW}&device_type=esa", group.name);
        let response = rig.get(&target).await;
        let set = &response.json()["data"]["resultSet"];
        let mut keys = BTreeSet::new();
        for column in group.columns {
            let rows = rows(&set[column.name]);
            keys.insert(rows.iter().map(|(key, _)| key.clone()).collect::<Vec<_>>());
            let number = |value: &Value| value.get("value").unwrap_or(value).as_f64();
            let seen: BTreeMap<_, _> =
                rows.iter().filter_map(|(key, value)| Some((key.clone(), number(value)?))).collect();
            if let Column::Sum(_) = column.value {
                let truth = rig.appliance.keyed_truth(&Scope::Whole, group.name, column.name, NOON - 3600, NOON);
                assert_eq!(seen, truth, "{}/{}", group.name, column.name);
            }
        }
        assert_eq!(keys.len(), 1, "{}: element n of every list is about one key", group.name);
    }
}

#[tokio::test]
async fn addresses_carry_a_host_name_and_texts_are_texts() {
    let rig = Rig::esa().await;
    let group = "mail_incoming_ip_hostname_detail";
    let spam = keyed_truth(&DEVICES[..1], group, "detected_spam", NOON - 3600, NOON)["192.0.2.60"];
    let of = |rows: Vec<(String, Value)>| rows.into_iter().find(|(key, _)| key == "192.0.2.60").unwrap().1;
    let expected = json!({"key": "unknown domain", "value": spam as u64});
    assert_eq!(of(rig.rows(group, "detected_spam", "").await), expected);
    let name = of(rig.rows(group, "last_sender_group_name", "").await);
    assert!(name["value"].is_string() && name["key"] == "unknown domain", "{name}");
    let scores = rig.rows(group, "sbrs_score", "").await;
    assert!(scores.iter().any(|(_, score)| score["value"].is_number()));
    assert!(scores.iter().any(|(_, score)| matches!(score["value"].as_str(), Some("None" | "N/A"))), "{scores:?}");
    let time = &rig.rows("mail_amp_file_analysis_by_filename", "completed_timestamp", "").await[0].1;
    assert!(time.as_str().unwrap().ends_with(" (GMT)"), "{time}");
}

#[tokio::test]
async fn filter_order_top_and_page_select_rows() {
    let rig = Rig::esa().await;
    let ask = |rest: &'static str| rig.rows(DOMAINS, "total_recipients", rest);
    let all = ask("").await;
    assert!(all.len() > 3 && all.is_sorted_by(|(_, a), (_, b)| a.as_u64() >= b.as_u64()), "{all:?}");
    assert_eq!(ask("&top=3").await, all[..3]);
    assert_eq!(ask("&offset=1&limit=2").await, all[1..3]);
    assert_eq!(ask("&orderBy=total_recipients&orderDir=desc").await, all);
    let ascending = ask("&orderBy=total_recipients&orderDir=asc").await;
    assert_eq!(ascending, all.iter().rev().cloned().collect::<Vec<_>>());
    let by_spam = rig.rows(DOMAINS, "detected_spam", "&orderBy=detected_spam&orderDir=desc&top=2").await;
    let highest = rig.rows(DOMAINS, "detected_spam", "").await;
    assert_eq!(by_spam[0].1.as_u64(), highest.iter().map(|(_, value)| value.as_u64()).max().unwrap());
    let of = |wanted: fn(&str) -> bool| all.iter().filter(|(key, _)| wanted(key)).cloned().collect::<Vec<_>>();
    let filter = "&filterBy=sender_domain&filterValue=";
    let is = rig.rows(DOMAINS, "total_recipients", &format!("{filter}example.com&filterOperator=is")).await;
    assert_eq!(is, of(|key| key == "example.com"));
    let begins = rig.rows(DOMAINS, "total_recipients", &format!("{filter}example&filterOperator=begins_with")).await;
    assert_eq!(begins, of(|key| key.starts_with("example")));
    for half in ["orderBy=total_recipients", "orderDir=asc", "offset=0", "limit=5", "filterBy=x", "filterValue=x"] {
        let response = rig.report(&format!("{DOMAINS}?{WINDOW}&device_type=esa&{half}")).await;
        assert_eq!((response.code(), &response.json()["data"]["resultSet"]), (200, &json!([])), "{half}");
    }
    for wrong in ["top=x", "orderBy=x&orderDir=asc", "orderBy=detected_spam&orderDir=up", "offset=-1&limit=2"] {
        let response = rig.report(&format!("{DOMAINS}?{WINDOW}&device_type=esa&{wrong}")).await;
        assert!(response.message().starts_with("Invalid value for attribute - "), "{wrong}");
    }
}

#[tokio::test]
async fn one_counter_shows_its_own_keys_and_zeros_on_demand() {
    let rig = Rig::esa().await;
    rig.clock.set(NOON - 9 * 3600);
    let night = "startDate=2026-11-23T02:00Z&endDate=2026-11-23T03:00Z&device_type=esa";
    let rows_of = |path: String| {
        let rig = &rig;
        async move { rows(&rig.report(&path).await.json()["data"]["resultSet"]["detected_virus"]) }
    };
    let single = || rows_of(format!("{DOMAINS}/detected_virus?{night}"));
    let group = || rows_of(format!("{DOMAINS}?{night}"));
    let (alone, among) = (single().await, group().await);
    assert!(alone.iter().all(|(_, value)| *value != json!(0)));
    assert!(among.iter().any(|(_, value)| *value == json!(0)), "{among:?}");
    rig.appliance.change(|behaviour| behaviour.zero_keys = true);
    assert!(single().await.len() > alone.len());
    assert!(group().await.len() >= among.len());
}

#[tokio::test]
async fn an_empty_report_has_each_configured_form() {
    let rig = Rig::esa().await;
    let future = "startDate=2026-11-23T12:00Z&endDate=2026-11-23T13:00Z&device_type=esa";
    let forms = [
        (NoRows::EmptyList, r#", "resultSet": []"#),
        (NoRows::EmptyObject, r#", "resultSet": {}"#),
        (NoRows::EmptyLists, r#", "resultSet": {"recipients_matched": []}"#),
        (NoRows::Null, r#", "resultSet": null"#),
        (NoRows::Missing, ""),
    ];
    for (form, rows) in forms {
        rig.appliance.change(|behaviour| behaviour.no_rows = form);
        for path in [format!("{POLICIES}?{future}"), format!("{POLICIES}?{WINDOW}&device_type=esa&limit=1")] {
            let body = format!(r#"{{"meta": {{"totalCount": -1}}, "data": {{"type": "{POLICIES}"{rows}}}}}"#);
            assert_eq!(rig.report(&path).await.body, body, "{form:?}");
        }
    }
    rig.appliance.change(|behaviour| behaviour.no_rows = NoRows::EmptyBody);
    assert_eq!(rig.report(&format!("{POLICIES}?{future}")).await.body, "{}");
}

#[tokio::test]
async fn values_have_each_configured_form() {
    let rig = Rig::esa().await;
    let value = |form, group: &'static str| {
        rig.appliance.change(|behaviour| behaviour.value_form = form);
        let counter = if group == POLICIES { "recipients_matched" } else { "detected_spam" };
        let rig = &rig;
        async move { rig.rows(group, counter, "&top=1").await.remove(0) }
    };
    let (key, number) = value(ValueForm::AsSeen, POLICIES).await;
    assert_eq!(value(ValueForm::Number, POLICIES).await.1, number);
    assert_eq!(value(ValueForm::Text, POLICIES).await.1, json!(number.to_string()));
    assert_eq!(value(ValueForm::Object, POLICIES).await.1, json!({"key": key, "value": number}));
    let group = "mail_incoming_ip_hostname_detail";
    let (_, object) = value(ValueForm::AsSeen, group).await;
    assert_eq!(value(ValueForm::Object, group).await.1, object);
    assert_eq!(value(ValueForm::Number, group).await.1, object["value"]);
    assert_eq!(value(ValueForm::Text, group).await.1, json!(object["value"].to_string()));
}

#[tokio::test]
async fn thousands_of_keys_and_hostile_keys_have_true_values() {
    let rig = Rig::esa().await;
    rig.appliance.change(|behaviour| {
        behaviour.extra_keys = 5000;
        behaviour.hostile_keys = true;
    });
    let seen = rig.rows(POLICIES, "recipients_matched", "").await;
    let truth = rig.appliance.keyed_truth(&Scope::Whole, POLICIES, "recipients_matched", NOON - 3600, NOON);
    assert!(seen.len() > 5020);
    let seen: BTreeMap<_, _> = seen.into_iter().map(|(key, value)| (key, value.as_f64().unwrap())).collect();
    assert_eq!(seen, truth);
    assert!(hostile_keys().iter().all(|key| seen[key] > 0.0));
    rig.appliance.change(|behaviour| behaviour.row_cap = Some(1000));
    assert_eq!(rig.rows(POLICIES, "recipients_matched", "&top=2000").await.len(), 1000);
}

#[tokio::test]
async fn a_body_can_be_invalid_utf8() {
    let rig = Rig::esa().await;
    rig.appliance.change(|behaviour| behaviour.invalid_utf8 = true);
    let target = format!("/esa/api/v2.0/reporting/{POLICIES}?{WINDOW}&device_type=esa");
    let auth = basic("ironport");
    let bytes = rig.bytes(&format!("GET {target} HTTP/1.1\r\nAuthorization: {auth}\r\n\r\n")).await.unwrap();
    let wanted = b"\"not \xff UTF-8\": ";
    assert!(bytes.windows(wanted.len()).any(|window| window == wanted));
    let truth = rig.appliance.keyed_truth(&Scope::Whole, POLICIES, "recipients_matched", NOON - 3600, NOON);
    assert!(truth.contains_key("not \u{fffd} UTF-8"));
}

#[tokio::test]
async fn counters_can_be_missing_renamed_or_additional() {
    let rig = Rig::esa().await;
    let group = "mail_virus_type_detail";
    rig.appliance.change(|behaviour| {
        behaviour.missing_counters.insert(format!("{group}/outgoing_total_recipients"));
        behaviour.renamed_counters.insert(format!("{group}/total_recipients"), "all_recipients".to_owned());
        behaviour.extra_counters.insert(format!("{group}/brand_new"));
        behaviour.renamed_counters.insert("mail_mor_summary/msgs_deleted".to_owned(), "msgs_removed".to_owned());
        behaviour.extra_counters.insert("mail_mor_summary/msgs_new".to_owned());
    });
    let names = |response: &Response| {
        let body = &response.body[response.body.find("resultSet").unwrap()..];
        let known = ["incoming_total_recipients", "all_recipients", "brand_new", "outgoing_total_recipients"];
        let mut found: Vec<_> =
            known.iter().filter_map(|name| Some((body.find(&format!("\"{name}\""))?, *name))).collect();
        found.sort_unstable();
        found.into_iter().map(|(_, name)| name).collect::<Vec<_>>()
    };
    let ask = |path: &str| {
        let path = format!("{path}?{WINDOW}&device_type=esa");
        let rig = &rig;
        async move { rig.report(&path).await }
    };
    assert_eq!(names(&ask(group).await), ["incoming_total_recipients", "all_recipients", "brand_new"]);
    rig.appliance.change(|behaviour| behaviour.shape = Shape::ReverseOrder);
    assert_eq!(names(&ask(group).await), ["brand_new", "all_recipients", "incoming_total_recipients"]);
    rig.appliance.change(|behaviour| behaviour.shape = Shape::ListOfSingles);
    assert_eq!(ask(&format!("{group}/total_recipients")).await.code(), 404);
    assert_eq!(ask(&format!("{group}/all_recipients")).await.json()["data"]["type"], "all_recipients");
    let scalar = ask("mail_mor_summary").await.json()["data"]["resultSet"].clone();
    assert!(scalar[0].get("msgs_removed").is_some() && scalar[3] == json!({"msgs_new": 1}), "{scalar}");
}

#[tokio::test]
async fn custom_groups_are_served_and_have_a_truth() {
    let rig = Rig::esa().await;
    rig.appliance.change(|behaviour| {
        behaviour.custom_groups.push(CustomGroup::scalar("mail_made_up", &["one", "two"]));
        behaviour.custom_groups.push(CustomGroup::keyed("mail_made_up_detail", &["hits"], &["a", "b"]));
        behaviour.forbidden_groups.insert("mail_policy_outgoing".to_owned());
        behaviour.absent_groups.insert("mail_subject_stats".to_owned());
    });
    let truth =
        |counter| rig.appliance.truth(&Scope::Whole, "mail_made_up", counter, NOON - 3600, NOON).unwrap() as u64;
    let response = rig.report(&format!("mail_made_up?{WINDOW}&device_type=esa")).await;
    assert_eq!(response.json()["data"]["resultSet"], json!([{"one": truth("one")}, {"two": truth("two")}]));
    let by_key = rig.appliance.keyed_truth(&Scope::Whole, "mail_made_up_detail", "hits", NOON - 3600, NOON);
    let seen = rig.rows("mail_made_up_detail", "hits", "").await;
    assert_eq!(seen.into_iter().map(|(key, value)| (key, value.as_f64().unwrap())).collect::<BTreeMap<_, _>>(), by_key);
    assert_eq!(by_key.len(), 2);
    for (group, code) in [("mail_policy_outgoing", 401), ("mail_subject_stats", 404)] {
        assert_eq!(rig.report(&format!("{group}?{WINDOW}&device_type=esa")).await.code(), code);
    }
}

#[tokio::test]
async fn faults_strike_keyed_reports_too() {
    let rig = Rig::esa().await;
    rig.appliance.inject(Fault::SetCounter("recipients_matched".to_owned(), json!("x")), On::group(POLICIES));
    rig.appliance.inject(Fault::ExtraCounter("new".to_owned(), json!([])), On::group(POLICIES));
    let response = rig.report(&format!("{POLICIES}?{WINDOW}&device_type=esa")).await;
    assert_eq!(response.json()["data"]["resultSet"], json!({"recipients_matched": "x", "new": []}));
}

//! Web reports and web tracking of an SMA.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::sim::keyed::{Value as Column, web};

const DEVICES: [&str; 2] = ["wsa1.example.com", "wsa2.example.com"];

async fn sma() -> Rig {
    let settings = Settings::sma("sma1.example.com").with_group("mail", &["esa1.example.com"]);
    Rig::start(settings.with_web_group("web", &DEVICES).with_web_group("one", &DEVICES[1..])).await
}

async fn ask(rig: &Rig, rest: &str) -> Response {
    let mark = if rest.contains('?') { '&' } else { '?' };
    rig.get(&format!("/sma/api/v2.0/reporting/{rest}{mark}{WINDOW}&device_type=wsa")).await
}

#[test]
fn every_web_group_is_there_once_and_in_order() {
    let names: BTreeSet<_> =
        web::KEYED.iter().map(|group| group.name).chain(web::SCALAR.iter().map(|group| group.name)).collect();
    assert_eq!(names.len(), 35, "36 with web_transaction, which is tracking");
    assert!(names.iter().all(|name| web::limits(name).is_some()));
    assert!(web::limits("mail_policy_incoming").is_none());
}

#[tokio::test]
async fn every_group_answers_with_the_truth() {
    let rig = sma().await;
    for group in web::KEYED {
        let response = ask(&rig, group.name).await.json();
        let mut count = 0;
        for column in group.columns {
            let seen = rows(&response["data"]["resultSet"][column.name]);
            count = seen.len();
            if let Column::Sum(_) = column.value {
                let seen: BTreeMap<_, _> =
                    seen.into_iter().map(|(key, value)| (key, value.as_f64().unwrap())).collect();
                let truth = rig.appliance.keyed_truth(&Scope::Whole, group.name, column.name, NOON - 3600, NOON);
                assert_eq!(seen, truth, "{}/{}", group.name, column.name);
                assert_eq!(truth, keyed_truth(&DEVICES, group.name, column.name, NOON - 3600, NOON));
            }
        }
        assert!(count > 0, "{}", group.name);
        assert_eq!(response["meta"]["totalCount"], count, "{}", group.name);
    }
    for group in web::SCALAR {
        let response = ask(&rig, group.name).await.json();
        assert_eq!(response["meta"]["totalCount"], -1);
        for row in response["data"]["resultSet"].as_array().unwrap() {
            let (counter, value) = row.as_object().unwrap().iter().next().unwrap();
            let truth = rig.appliance.truth(&Scope::Whole, group.name, counter, NOON - 3600, NOON);
            assert!(truth > Some(0.0), "{}/{counter}", group.name);
            assert_eq!(value.as_f64(), truth, "{}/{counter}", group.name);
        }
    }
}

#[tokio::test]
async fn the_sample_of_the_guide_can_be_had() {
    let rig = sma().await;
    let response = ask(&rig, "web_user_detail/blocked_malware?top=2&device_name=wsa1.example.com").await;
    let body = response.json();
    assert_eq!((&body["data"]["type"], &body["meta"]["totalCount"]), (&"blocked_malware".into(), &2.into()));
    let scope = Scope::Device(DEVICES[0].to_owned());
    let truth = rig.appliance.keyed_truth(&scope, "web_user_detail", "blocked_malware", NOON - 3600, NOON);
    for (key, value) in rows(&body["data"]["resultSet"]["blocked_malware"]) {
        assert_eq!(value.as_f64(), Some(truth[&key]));
    }
    rig.appliance.change(|behaviour| behaviour.web_total_count = false);
    assert_eq!(ask(&rig, "web_user_detail/blocked_malware").await.json()["meta"]["totalCount"], -1);
    let group = ask(&rig, "web_user_detail?device_group_name=one").await.json();
    let truth = rig.appliance.keyed_truth(
        &Scope::Group("one".to_owned()),
        "web_user_detail",
        "blocked_malware",
        NOON - 3600,
        NOON,
    );
    assert_eq!(rows(&group["data"]["resultSet"]["blocked_malware"]).len(), truth.len());
}

#[tokio::test]
async fn groups_refuse_attributes_that_they_do_not_take() {
    let rig = sma().await;
    let refused = [
        "web_services_summary?top=3",
        "web_amp_summary?orderBy=x&orderDir=asc",
        "web_port_detail?filterBy=x&filterValue=x",
        "domains?device_name=wsa1.example.com",
    ];
    for rest in refused {
        assert_eq!(ask(&rig, rest).await.message(), "Unsupported attribute.", "{rest}");
    }
    assert_eq!(ask(&rig, "web_services_summary?device_name=wsa1.example.com").await.code(), 200);
    assert_eq!(ask(&rig, "domains?top=1&offset=0&limit=1").await.code(), 200);
    assert_eq!(ask(&rig, "mail_mar_summary").await.message(), "Invalid value for attribute - device_type.");
    let mail = rig.get(&format!("/sma/api/v2.0/reporting/domains?{WINDOW}&device_type=esa")).await;
    assert_eq!(mail.message(), "Invalid value for attribute - device_type.");
    let esa = Rig::esa().await;
    assert_eq!(esa.report(&format!("domains?{WINDOW}&device_type=wsa")).await.message(), "Not Found.");
}

#[tokio::test]
async fn web_tracking_counts_transactions() {
    let rig = sma().await;
    let ask = |rest: &str| {
        let target = format!("/sma/api/v2.0/web-tracking/web_transaction?device_type=wsa&{rest}");
        let rig = &rig;
        async move { rig.get(&target).await }
    };
    let response = ask(&format!("{WINDOW}&filterBy=proxy_services&filterOperator=is&offset=0&limit=2")).await.json();
    let truth = truth(&DEVICES, "web_services_summary", "transaction_total", NOON - 3600, NOON);
    assert_eq!(response["meta"]["totalCount"].as_f64(), truth);
    assert_eq!(response["data"].as_array().unwrap().len(), 2);
    assert!(response["data"][0]["attributes"]["timestamp"].as_u64() >= Some(NOON - 3600));
    assert_eq!(ask("").await.message(), "Missing attribute - duration or startDate or endDate.");
    let minutes = "startDate=2026-11-23T11:05:00.000Z&endDate=2026-11-23T12:00:00.000Z";
    assert_eq!(ask(minutes).await.message(), "duration attribute supports only 00 minutes..");
}

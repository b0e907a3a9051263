//! Devices, privileges, times.

use serde_json::json;

use super::*;

async fn sma() -> Rig {
    let settings = Settings::sma("sma1.example.com").with_group("g", &["esa1.example.com", "esa2.example.com"]);
    Rig::start(settings.with_web_group("w", &["wsa1.example.com"])).await
}

#[tokio::test]
async fn an_sma_lists_its_devices_as_recorded() {
    let rig = sma().await;
    rig.appliance.change(|behaviour| {
        behaviour.disconnected.insert("esa2.example.com".to_owned());
    });
    let response = rig.get("/sma/api/v2.0/config/appliances?device_type=sma").await;
    let list = response.json()["data"]["appliances"].as_array().unwrap().clone();
    let entries: Vec<_> = list
        .iter()
        .map(|entry| {
            entry.as_object().unwrap().iter().next().map(|(serial, fields)| (serial.clone(), fields.clone())).unwrap()
        })
        .collect();
    let (serial, first) = &entries[0];
    assert_eq!((serial.len(), serial.as_bytes()[20]), (33, b'-'));
    let order = [
        "product_type",
        "pvo_enabled",
        "connection_established",
        "tracking_enabled",
        "reporting_enabled",
        "host_name",
        "spam_enabled",
        "ip_address",
    ];
    let places: Vec<_> = order.map(|name| response.body.find(&format!("\"{name}\"")).unwrap()).to_vec();
    assert!(places.is_sorted());
    assert_eq!((&first["host_name"], &first["connection_established"]), (&json!("esa1.example.com"), &json!(true)));
    assert_eq!(
        (&entries[1].1["connection_established"], &entries[2].1["product_type"]),
        (&json!(false), &json!("WSA"))
    );
    rig.appliance.change(|behaviour| behaviour.short_inventory = true);
    let response = rig.get("/sma/api/v2.0/config/appliances?device_type=sma").await.json();
    assert_eq!(response["data"]["appliances"][0][serial].as_object().unwrap().len(), 3);
    assert_eq!(rig.get("/sma/api/v2.0/config/appliances").await.message(), "Missing attribute - device_type.");
    assert_eq!(rig.get("/sma/api/v2.0/config/centralized_services?device_type=sma").await.code(), 200);
}

#[tokio::test]
async fn privileges_have_two_forms() {
    let rig = Rig::esa().await;
    rig.appliance.change(|behaviour| behaviour.privileges = Privileges::Resources);
    let response = rig.get("/esa/api/v2.0/login/privileges").await.json();
    assert_eq!(
        response["data"]["privileges"][0],
        json!({"resource": "e_message_tracking_messages", "methods": ["GET"]})
    );
}

#[tokio::test]
async fn the_system_time_is_local() {
    let rig = Rig::esa().await;
    rig.appliance.change(|behaviour| {
        behaviour.system_time = SystemTimeForm {
            timezone: "America/Los_Angeles".to_owned(),
            continent: ["America", "United States", "Los_Angeles"].map(str::to_owned).to_vec(),
            abbreviation: "PST".to_owned(),
            east_secs: -8 * 3600,
        };
    });
    let expected = concat!(
        r#"{"data": {"timezone": "America/Los_Angeles", "continent": ["America", "United States", "Los_Angeles"], "#,
        r#""time": "Mon Nov 23 04:00:00 2026 PST"}}"#
    );
    assert_eq!(rig.get("/esa/api/v2.0/config/system_time?device_type=").await.body, expected);
}

#[tokio::test]
async fn the_reporting_system_writes_its_times_in_every_form() {
    let rig = Rig::esa().await;
    let forms = [
        (TimeForm::UnixSeconds, "1795435200"),
        (TimeForm::Iso, "2026-11-23T12:00:00.000Z"),
        (TimeForm::Tracking, "23 Nov 2026 12:00:00 (GMT)"),
        (TimeForm::Ctime, "Mon Nov 23 12:00:00 2026"),
    ];
    for (form, text) in forms {
        rig.appliance.change(|behaviour| behaviour.time_form = form);
        let response = rig.report(&format!("reporting_system?{WINDOW}&device_type=esa")).await.json();
        assert_eq!(response["data"]["resultSet"][1], json!({"end_time": text}));
    }
}

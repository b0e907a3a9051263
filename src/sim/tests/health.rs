//! `GET health`.

use serde_json::json;

use super::*;

const PATH: &str = "/esa/api/v2.0/health";

#[tokio::test]
async fn health_has_the_known_fields_with_possible_values() {
    let rig = Rig::esa().await;
    let body = rig.get(PATH).await.json();
    let fields = body["data"].as_object().unwrap();
    let names: Vec<_> = fields.keys().map(String::as_str).collect();
    let mut known = [
        "percentage_cpu_load",
        "percentage_ram_utilization",
        "percentage_swap_utilization",
        "percentage_queue_utilization",
        "percentage_diskio",
        "resource_conservation",
        "messages_in_workqueue",
        "messages_in_pvo_quarantines",
    ];
    known.sort_unstable();
    assert_eq!(names, known);
    for (name, value) in rig.appliance.health() {
        assert_eq!(fields[name], json!(value as u64), "{name}");
        assert!(!name.starts_with("percentage") || value <= 100.0, "{name}");
    }
    assert!(fields["messages_in_pvo_quarantines"].as_u64() > Some(0));
    assert!(fields["percentage_cpu_load"].as_u64() > Some(0));
    rig.clock.set(NOON + 3600);
    assert_ne!(rig.get(PATH).await.json(), body);
}

#[tokio::test]
async fn health_fields_can_change_or_be_missing_and_the_path_be_refused() {
    let rig = Rig::esa().await;
    rig.appliance.change(|behaviour| {
        behaviour.resource_conservation = 3;
        behaviour.work_queue = Some(4000);
        behaviour.health_fields.insert("percentage_diskio".to_owned(), Some(json!("N/A")));
        behaviour.health_fields.insert("percentage_cpu_load".to_owned(), None);
    });
    let data = rig.get(&format!("{PATH}/")).await.json()["data"].clone();
    assert_eq!((&data["resource_conservation"], &data["messages_in_workqueue"]), (&json!(3), &json!(4000)));
    assert_eq!((&data["percentage_queue_utilization"], &data["percentage_diskio"]), (&json!(80), &json!("N/A")));
    assert!(data.get("percentage_cpu_load").is_none());
    rig.appliance.change(|behaviour| {
        behaviour.forbidden_paths.insert("health".to_owned());
    });
    assert_eq!(rig.get(PATH).await.code(), 401);
    rig.appliance.change(|behaviour| {
        behaviour.forbidden_paths.clear();
        behaviour.absent_paths.insert("health".to_owned());
    });
    assert_eq!(rig.get(PATH).await.message(), "Not Found.");
    let sma = Rig::start(Settings::sma("sma1.example.com")).await;
    assert_eq!(sma.get("/sma/api/v2.0/health").await.code(), 404);
}

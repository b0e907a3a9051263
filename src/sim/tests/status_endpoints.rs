//! The two status endpoints below `health`, which an appliance may not have.

use serde_json::json;

use super::*;

const SYSTEM: &str = "/esa/api/v2.0/health/system_status";
const DELIVERY: &str = "/esa/api/v2.0/health/delivery_status";

fn offer(rig: &Rig, offer: Offer) {
    rig.appliance.change(|behaviour| (behaviour.system_status_offer, behaviour.delivery_status) = (offer, offer));
}

#[tokio::test]
async fn what_is_not_offered_has_the_chosen_status() {
    let rig = Rig::esa().await;
    assert_eq!(rig.get(SYSTEM).await.code(), 404, "not there unless a test says so");
    for code in [403, 404, 405, 501] {
        offer(&rig, Offer::NotOffered(code));
        assert_eq!([rig.get(SYSTEM).await.code(), rig.get(DELIVERY).await.code()], [code; 2]);
    }
}

#[tokio::test]
async fn system_status_is_as_seen_and_restarts_its_counters_with_the_appliance() {
    let rig = Rig::esa().await;
    offer(&rig, Offer::AsSeen);
    rig.appliance.change(|behaviour| {
        behaviour.oldest_message = Some(330);
        behaviour.system_time.east_secs = 3600;
        behaviour.booted = Some(NOON - 7200);
    });
    let result = rig.get(SYSTEM).await.json()["data"]["resultSet"].clone();
    let truth = rig.appliance.system_status();
    assert_eq!(result["gauges"][0]["overall_cpu_load"], json!(format!("{}%", truth["overall_cpu_load"])));
    assert_eq!(result["counters"][0]["messages_received_uptime"], json!(truth["messages_received_uptime"]));
    assert!(truth["messages_received_uptime"] > 0);
    let state = json!({"system_status": "online", "up_since": "2026-11-23 11:00:00", "oldest_message": "00:05:30"});
    assert_eq!(result["mail_system_status"], json!([state]));
    assert_eq!(result["version_details"][0]["operating_system"], json!("AsyncOS 16.0.0-050"));
    rig.appliance.reboot();
    assert_eq!(rig.appliance.system_status()["messages_received_uptime"], 0);
    offer(&rig, Offer::Odd);
    let result = rig.get(SYSTEM).await.json()["data"]["resultSet"].clone();
    assert!(result.get("rates").is_none() && result["counters"]["messages_received_uptime"] == json!("0"));
}

#[tokio::test]
async fn a_stuck_domain_delivers_nothing_and_a_slow_one_little() {
    let rig = Rig::esa().await;
    offer(&rig, Offer::AsSeen);
    rig.appliance.change(|behaviour| {
        behaviour.destinations.stuck = Some(("stuck.example".to_owned(), NOON));
        behaviour.destinations.slow = Some("slow.example".to_owned());
    });
    let mut seen = Vec::new();
    for minutes in [0, 15] {
        rig.clock.set(NOON + 60 * minutes);
        let body = rig.get(DELIVERY).await.json();
        let rows = body["data"]["resultSet"].as_array().unwrap();
        assert_eq!(rows.len(), rig.appliance.destinations().len());
        let of = |domain: &str| rows.iter().find(|row| row["destination_domain"] == json!(domain)).unwrap().clone();
        seen.push((of("stuck.example"), of("slow.example"), of("customer0.example.net")));
    }
    let grown = |of: fn(&(Value, Value, Value)) -> &Value, field: &str| {
        of(&seen[1])[field].as_u64().unwrap() - of(&seen[0])[field].as_u64().unwrap()
    };
    assert_eq!((grown(|it| &it.0, "delivered_recipients"), grown(|it| &it.0, "active_recipients")), (0, 30));
    assert_eq!(seen[1].0["latest_host_status"], json!("Down"));
    assert_eq!(grown(|it| &it.1, "delivered_recipients"), 3);
    assert!(grown(|it| &it.2, "delivered_recipients") >= 15);
}

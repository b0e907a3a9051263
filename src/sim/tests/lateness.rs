//! Events that arrive later than the others.

use super::*;

const COUNTER: &str = "total_recipients";
const DOMAINS: &str = "mail_incoming_domain_detail";

async fn late(percent: u8, delay: u64) -> Rig {
    let rig = Rig::esa().await;
    let delay = Duration::from_secs(delay);
    rig.appliance.change(|behaviour| behaviour.late_events = Some(LateEvents { percent, delay }));
    rig
}

async fn scalar(rig: &Rig, group: &str, counter: &str) -> f64 {
    let response = rig.report(&format!("{group}?{WINDOW}&device_type=esa")).await.json();
    let rows = response["data"]["resultSet"].as_array().unwrap().clone();
    rows.iter().find_map(|row| row.get(counter)).unwrap().as_f64().unwrap()
}

#[tokio::test]
async fn a_share_of_each_minute_is_late_and_rounded_down() {
    let rig = late(10, 600).await;
    let truth = |start, end| rig.appliance.truth(&Scope::Whole, INCOMING, COUNTER, start, end).unwrap();
    let minutes = (NOON - 600)..NOON;
    let missing: f64 = minutes.step_by(60).map(|minute| (truth(minute, minute + 60) * 0.1 + 1e-9).floor()).sum();
    assert!(missing > 0.0);
    assert_eq!(scalar(&rig, INCOMING, COUNTER).await, truth(NOON - 3600, NOON) - missing);
    let by_key = |start, end| rig.appliance.keyed_truth(&Scope::Whole, DOMAINS, "detected_spam", start, end);
    for (key, value) in rig.rows(DOMAINS, "detected_spam", "").await {
        let minutes = ((NOON - 600)..NOON).step_by(60);
        let late: f64 = minutes
            .map(|minute| by_key(minute, minute + 60).get(&key).map_or(0.0, |events| (events * 0.1 + 1e-9).floor()))
            .sum();
        assert_eq!(value.as_f64().unwrap(), by_key(NOON - 3600, NOON)[&key] - late, "{key}");
    }
}

#[tokio::test]
async fn late_counts_only_grow_until_they_are_the_truth() {
    let rig = late(30, 1800).await;
    rig.appliance.change(|behaviour| {
        behaviour.custom_groups.push(CustomGroup::scalar("mail_made_up", &["one"]));
    });
    let groups = [(INCOMING, COUNTER), ("mail_made_up", "one")];
    for (group, counter) in groups {
        let mut before = 0.0;
        for now in (NOON - 1800..=NOON + 1800).step_by(300) {
            rig.clock.set(now);
            let seen = scalar(&rig, group, counter).await;
            assert!(seen >= before, "{group} at {now}");
            before = seen;
        }
        let truth = rig.appliance.truth(&Scope::Whole, group, counter, NOON - 3600, NOON);
        assert_eq!(Some(before), truth, "{group}");
    }
}

#[tokio::test]
async fn means_and_maxima_are_never_late() {
    let rig = late(100, 1800).await;
    for counter in ["overall_percent_cpu_usage", "workqueue_maximum_messages"] {
        let truth = rig.appliance.truth(&Scope::Whole, "mail_system_capacity", counter, NOON - 3600, NOON);
        assert_eq!(Some(scalar(&rig, "mail_system_capacity", counter).await), truth);
    }
    let half = rig.appliance.truth(&Scope::Whole, INCOMING, COUNTER, NOON - 3600, NOON - 1800);
    assert_eq!(Some(scalar(&rig, INCOMING, COUNTER).await), half);
}

//! The status endpoints that few appliances are known to have: what they provide, and what it costs where they are not
//! there.

use asyncos_exporter::base::clock::Clock;
use asyncos_exporter::sim::{self, Offer};
use serde_json::Value;

use crate::exposition::Page;
use crate::rig::{BEGINNING, Rig, entry, lapse, simulate};

const DEVICE: &str = "esa1.example.com";
const DEFAULTS: &str = "defaults: {window: 1h, timeout: 60s}\ncounter_groups: [mail_mor_summary]\nappliances:\n";

fn value(page: &Page, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
    page.value(name, &[&[("appliance", "a")], labels].concat())
}

fn config(appliance: &sim::Appliance, rest: &str) -> String {
    format!("{DEFAULTS}{}", entry("a", appliance, rest))
}

fn asked(appliance: &sim::Appliance, path: &str) -> usize {
    appliance.count(|request| request.path.ends_with(path))
}

/// Waits until the clock of the time lapse has passed so many seconds.
async fn until(rig: &Rig, clock: &Clock, seconds: u64) -> Page {
    rig.until("time has passed", |_| clock.wall().as_secs() >= BEGINNING + seconds).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_offered_is_requested_once_a_day_across_restarts_and_is_no_problem() {
    for code in [403, 404, 405, 501] {
        let clock = lapse(1200);
        let esa = simulate(sim::Settings::esa(DEVICE), &clock).await;
        esa.change(|behaviour| {
            (behaviour.system_status_offer, behaviour.delivery_status) =
                (Offer::NotOffered(code), Offer::NotOffered(code));
        });
        let storage = tempfile::tempdir().expect("a directory");
        let text = config(&esa, "health: true, delivery_status: {top: 3}");
        let rig = Rig::start_stored(&text, storage.path(), &clock).await;
        rig.until("the health is read", |page| value(page, "asyncos_health_cpu_load_ratio", &[]).is_some()).await;
        let page = until(&rig, &clock, 4 * 3600).await;
        rig.end().await;
        let both = || [asked(&esa, "health/system_status"), asked(&esa, "health/delivery_status")];
        assert_eq!(both(), [1, 1], "{code}");
        for name in ["asyncos_group_success", "asyncos_group_refused"] {
            for group in ["system_status", "delivery_status"] {
                assert!(page.matching(name, &[("group", group)]).is_empty(), "{code}: {name} {group}");
            }
        }
        let rig = Rig::start_stored(&text, storage.path(), &clock).await;
        until(&rig, &clock, 8 * 3600).await;
        assert_eq!(both(), [1, 1], "{code}: a restart requests nothing of it");
        rig.until("it is requested again after a day", |_| both() == [2, 2]).await;
        rig.end().await;
        assert!(clock.wall().as_secs() >= BEGINNING + 24 * 3600 - 600, "{code}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_system_status_is_read_in_every_form() {
    for offer in [Offer::AsSeen, Offer::Odd] {
        let clock = lapse(1);
        let esa = simulate(sim::Settings::esa(DEVICE), &clock).await;
        esa.change(|behaviour| {
            behaviour.system_status_offer = offer;
            behaviour.oldest_message = Some(330);
            behaviour.raid = "Degraded".to_owned();
            behaviour.system_time.east_secs = 19_800;
            behaviour.booted = Some(BEGINNING - 7200);
        });
        // Of this and the health, only the system status has the memory.
        let rig = start(&esa, "health: false, system_status: true, inventory: true", &clock).await;
        let page = rig
            .until(&format!("{offer:?} is read"), |page| {
                let truth = esa.system_status();
                let is =
                    |name: &str, field: &str, scale: f64| value(page, name, &[]) == Some(truth[field] as f64 / scale);
                is("asyncos_health_ram_utilization_ratio", "ram_utilization", 100.0)
                    && is("asyncos_health_queue_utilization_ratio", "total_queue_utilized", 100.0)
                    && is("asyncos_status_active_recips", "total_active_recipients", 1.0)
                    && is("asyncos_status_conn_out", "current_outgoing_connections", 1.0)
                    && is("asyncos_system_messages_received_total", "messages_received_uptime", 1.0)
                    && is("asyncos_system_hard_bounces_total", "total_hard_bounces_uptime", 1.0)
                    && value(page, "asyncos_status_birth_timestamp_seconds", &[]) == Some((BEGINNING - 7200) as f64)
            })
            .await;
        rig.end().await;
        for (name, state) in [("asyncos_raid_status", "degraded"), ("asyncos_system_status", "online")] {
            assert_eq!(value(&page, name, &[("state", state)]), Some(1.0));
        }
        let oldest = value(&page, "asyncos_status_oldest_message_timestamp_seconds", &[]).expect("an oldest message");
        assert!((oldest - (BEGINNING - 330) as f64).abs() <= 90.0, "{oldest}");
        assert_eq!(value(&page, "asyncos_group_success", &[("group", "system_status")]), Some(1.0));
        assert_eq!(page.matching("asyncos_appliance_info", &[("model", "C100V"), ("release", "16.0.0-050")]).len(), 1);
        assert!(!page.matching("asyncos_appliance_info", &[]).iter().any(|(labels, _)| labels.contains_key("serial")));
    }
}

async fn start(appliance: &sim::Appliance, rest: &str, clock: &Clock) -> Rig {
    Rig::start(&config(appliance, rest), clock).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_fact_has_one_name_and_one_source() {
    let clock = lapse(60);
    let esa = simulate(sim::Settings::esa(DEVICE), &clock).await;
    esa.change(|behaviour| behaviour.system_status_offer = Offer::AsSeen);
    let rig = start(&esa, "health: true, xml_status: true", &clock).await;
    let all = ["health", "system_status", "xml_status"];
    rig.until("all three answer", |page| {
        all.iter().all(|group| value(page, "asyncos_group_success", &[("group", group)]) == Some(1.0))
    })
    .await;
    let page = rig.page().await;
    for name in ["asyncos_status_ram_utilization_ratio", "asyncos_status_msgs_in_work_queue"] {
        assert!(page.matching(name, &[]).is_empty(), "{name} is the fact of another name");
    }
    let source = async |metric: &str| {
        // While an answer is late, as on a busy machine, there is more than one source.
        loop {
            let answer = rig.get(&format!("/api/v1/explain?metric={metric}&appliance=a")).await;
            let text = answer.text().await.expect("a text");
            let json: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
            if let Some(group) = json["group"].as_str() {
                break group.to_owned();
            }
            clock.sleep(std::time::Duration::from_secs(30)).await;
        }
    };
    for (metric, group) in [
        ("asyncos_health_ram_utilization_ratio", "health"),
        ("asyncos_status_active_recips", "system_status"),
        ("asyncos_system_status", "system_status"),
        ("asyncos_system_messages_received_total", "system_status"),
        ("asyncos_status_inj_msgs_total", "xml_status"),
        ("asyncos_status_log_used_ratio", "xml_status"),
    ] {
        assert_eq!(source(metric).await, group, "{metric}");
    }
    esa.change(|behaviour| behaviour.system_status_offer = Offer::NotOffered(404));
    rig.until("the XML status provides what the system status no longer does", |page| {
        value(page, "asyncos_status_ram_utilization_ratio", &[]).is_some()
    })
    .await;
    assert_eq!(source("asyncos_status_active_recips").await, "xml_status");
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn counters_since_the_start_restart_with_the_appliance() {
    let clock = lapse(60);
    let esa = simulate(sim::Settings::esa(DEVICE), &clock).await;
    esa.change(|behaviour| behaviour.system_status_offer = Offer::AsSeen);
    let rig = start(&esa, "health: true, inventory: true", &clock).await;
    let shown = |page: &Page| {
        let at = |name| value(page, name, &[]);
        at("asyncos_system_messages_received_total").zip(at("asyncos_status_birth_timestamp_seconds"))
    };
    let before = shown(&rig.until("it is read", |page| shown(page).is_some()).await).expect("read");
    esa.reboot();
    let rebooted =
        rig.until("the counter is lower", |page| shown(page).is_some_and(|(count, _)| count < before.0)).await;
    rig.end().await;
    let (_, birth) = shown(&rebooted).expect("read");
    assert!(birth >= BEGINNING as f64 && before.1 < BEGINNING as f64, "{before:?} {birth}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn destinations_with_the_most_waiting_recipients_have_series() {
    for offer in [Offer::AsSeen, Offer::Odd] {
        let clock = lapse(60);
        let esa = simulate(sim::Settings::esa(DEVICE), &clock).await;
        esa.change(|behaviour| {
            behaviour.delivery_status = offer;
            behaviour.destinations.stuck = Some(("stuck.example".to_owned(), BEGINNING - 3600));
            behaviour.destinations.slow = Some("slow.example".to_owned());
        });
        let rig = start(&esa, "delivery_status: {top: 2}", &clock).await;
        let delivered = |page: &Page, domain: &str| {
            value(page, "asyncos_destination_delivered_recipients_total", &[("domain", domain)])
        };
        let page = rig
            .until("the slow domain and others take mail", |page| {
                delivered(page, "slow.example") >= Some(2.0) && delivered(page, "(other)") >= Some(10.0)
            })
            .await;
        rig.end().await;
        assert_eq!(delivered(&page, "stuck.example"), Some(0.0), "{offer:?}");
        let state = [("domain", "stuck.example"), ("state", "down")];
        assert_eq!(value(&page, "asyncos_destination_status", &state), Some(1.0), "{offer:?}");
        let active = page.matching("asyncos_destination_active_recipients", &[]);
        let domains: Vec<&str> = active.iter().map(|(labels, _)| labels["domain"].as_str()).collect();
        assert_eq!(domains.len(), 3, "{domains:?}");
        assert!(active.iter().all(|(_, waiting)| *waiting > 0.0), "{active:?}");
    }
}

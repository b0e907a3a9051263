//! What appliances tell about themselves as they are now, on the page as the simulator knows it; and what it costs when
//! they do not tell it.

use std::collections::BTreeMap;

use asyncos_exporter::base::clock::Clock;
use asyncos_exporter::sim::{self, Privileges, RequestKind, Scope, TimeForm};

use crate::exposition::Page;
use crate::rig::{BEGINNING, Rig, entry, lapse, simulate};

const DEVICE: &str = "esa1.example.com";
/// Seldom enough to be out of the way.
const DEFAULTS: &str = "defaults: {window: 1h, timeout: 60s}\ncounter_groups: [mail_mor_summary]\nappliances:\n";

fn value(page: &Page, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
    page.value(name, &[&[("appliance", "a")], labels].concat())
}

async fn start(appliance: &sim::Appliance, rest: &str, clock: &Clock) -> Rig {
    Rig::start(&format!("{DEFAULTS}{}", entry("a", appliance, rest)), clock).await
}

fn now(clock: &Clock) -> u64 {
    clock.wall().as_secs()
}

/// Whether the page has exactly these values, in more than words.
fn has(page: &Page, name: &str, label: &str, values: &BTreeMap<String, f64>) -> bool {
    let found = page.matching(name, &[("appliance", "a")]);
    let found: BTreeMap<_, _> = found.into_iter().map(|(labels, value)| (labels[label].clone(), value)).collect();
    found == *values
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn health_percentages_are_exported_as_ratios() {
    let clock = lapse(1);
    let esa = simulate(sim::Settings::esa(DEVICE), &clock).await;
    let rig = start(&esa, "health: true", &clock).await;
    rig.until("the page has its health", |page| {
        let health = esa.health();
        let is = |name: &str, field: &str, scale: f64| {
            value(page, &format!("asyncos_health_{name}"), &[]) == Some(health[field] / scale)
        };
        is("cpu_load_ratio", "percentage_cpu_load", 100.0)
            && is("ram_utilization_ratio", "percentage_ram_utilization", 100.0)
            && is("swap_utilization_ratio", "percentage_swap_utilization", 100.0)
            && is("queue_utilization_ratio", "percentage_queue_utilization", 100.0)
            && is("disk_io_ratio", "percentage_diskio", 100.0)
            && is("resource_conservation", "resource_conservation", 1.0)
            && is("workqueue_messages", "messages_in_workqueue", 1.0)
            && is("quarantine_messages", "messages_in_pvo_quarantines", 1.0)
    })
    .await;
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_status_page_is_read_whole() {
    let clock = lapse(1);
    let esa = simulate(sim::Settings::esa(DEVICE), &clock).await;
    esa.change(|behaviour| {
        behaviour.oldest_message = Some(600);
        behaviour.counters_reset = Some(BEGINNING - 7200);
    });
    let rig = start(&esa, "xml_status: true", &clock).await;
    let counters = ["inj_msgs", "completed_recips", "5xx_hard_bounced_recips", "global_unsub_hits"];
    let gauges = [
        ("ram_utilization", "ram_utilization_ratio", 0.01),
        ("disk_utilization", "disk_utilization_ratio", 0.01),
        ("log_used", "log_used_ratio", 0.01),
        ("log_available", "log_available_bytes", 1.0),
        ("kbytes_used", "queue_used_bytes", 1024.0),
        ("kbytes_in_policy_virus_outbreak_quarantine", "policy_virus_outbreak_quarantine_bytes", 1024.0),
        ("msgs_in_work_queue", "msgs_in_work_queue", 1.0),
        ("conn_in", "conn_in", 1.0),
    ];
    let page = rig
        .until("counters and gauges are those of the appliance", |page| {
            let really = esa.gauges();
            let grown = |name: &&str| {
                sim::counter_growth(DEVICE, name, esa.birth(), now(&clock) / 60 * 60).expect("known") as f64
            };
            counters.iter().all(|name| value(page, &format!("asyncos_status_{name}_total"), &[]) == Some(grown(name)))
                && gauges.iter().all(|(name, shown, scale)| {
                    let shown = value(page, &format!("asyncos_status_{shown}"), &[]);
                    shown.is_some_and(|shown| (shown - really[name] * scale).abs() < 1e-6)
                })
        })
        .await;
    rig.end().await;
    assert_eq!(value(&page, "asyncos_system_status", &[("state", "online")]), Some(1.0));
    let near = |name: &str, labels: &[(&str, &str)], expected: u64| {
        let shown = value(&page, name, labels).unwrap_or_else(|| panic!("{name} {labels:?}"));
        // The page and the clock of the answer may be a minute apart.
        assert!((shown - expected as f64).abs() <= 90.0, "{name} {labels:?}: {shown} is not {expected}");
    };
    near("asyncos_status_birth_timestamp_seconds", &[], esa.birth());
    near("asyncos_status_counter_reset_timestamp_seconds", &[], BEGINNING - 7200);
    near("asyncos_status_oldest_message_timestamp_seconds", &[], BEGINNING - 600);
    let expiry = "asyncos_feature_expiry_timestamp_seconds";
    near(expiry, &[("feature", "McAfee")], BEGINNING + 2_592_000);
    near(expiry, &[("feature", "File Analysis")], BEGINNING - 46_298_076);
    near(expiry, &[("feature", "Data Loss Prevention & Compliance")], BEGINNING + 86_400);
    assert_eq!(page.matching(expiry, &[]).len(), 8, "none for those that are perpetual or dormant");
    let info = [("product", "esa"), ("model", "C100V"), ("release", "16.0.0-050"), ("hostname", DEVICE)];
    assert_eq!(value(&page, "asyncos_appliance_info", &info), Some(1.0));
    assert_eq!(esa.count(|request| request.path == "/xml/status" && request.header("authorization").is_none()), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_status_page_may_be_another_servers() {
    let clock = lapse(1);
    let esa = simulate(sim::Settings::esa("api"), &clock).await;
    let page_of = simulate(sim::Settings::esa("web"), &clock).await;
    page_of.change(|behaviour| behaviour.oldest_message = Some(0));
    let rig = start(&esa, &format!("xml_status: {{url: '{}'}}", page_of.url()), &clock).await;
    let page = rig
        .until("the page is had", |page| page.matching("asyncos_appliance_info", &[("hostname", "web")]).len() == 1)
        .await;
    rig.end().await;
    assert!(page.matching("asyncos_status_oldest_message_timestamp_seconds", &[]).is_empty(), "the queue is empty");
    assert_eq!(page_of.count(|request| request.path != "/xml/status"), 0);
    assert_eq!(esa.count(|request| request.path == "/xml/status"), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_quarantine_is_counted() {
    let usual = ["spam", "Outbreak", "Policy", "Unclassified", "Virus"];
    let all = [&usual[..], &["File Analysis", "Legal & Compliance", "Executives"]].concat();
    let named = ["spam", "Legal & Compliance"];
    let esa = || sim::Settings::esa(DEVICE);
    let sma = || sim::Settings::sma("sma1").with_group("all", &[DEVICE, "esa2.example.com"]);
    let cases = [
        (esa(), "quarantines: true", &usual[..]),
        (esa(), "quarantines: [spam, 'Legal & Compliance']", &named),
        (sma(), "product: sma, quarantines: true", &all),
    ];
    for (settings, rest, names) in cases {
        let clock = lapse(1);
        let appliance = simulate(settings, &clock).await;
        let rig = start(&appliance, rest, &clock).await;
        let page = rig
            .until(&format!("`{rest}` has its quarantines"), |page| {
                let now = now(&clock);
                let count = |name: &&str| {
                    let start = now - 400 * 24 * 3600;
                    let count = appliance.quarantined(&Scope::Whole, name, start, now).expect("known");
                    ((*name).to_owned(), count as f64)
                };
                has(page, "asyncos_quarantine_messages", "quarantine", &names.iter().map(count).collect())
            })
            .await;
        rig.end().await;
        for (labels, _) in page.matching("asyncos_quarantine_messages", &[]) {
            assert_eq!(labels["quarantine_type"], if labels["quarantine"] == "spam" { "spam" } else { "pvo" });
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_quarantine_whose_count_is_of_the_page_is_counted_page_by_page() {
    // The names, what the appliance counts, and the requests for each quarantine.
    let cases = [
        (sim::TotalCount::Matches, [("Executives", 1), ("Policy", 1), ("spam", 1)]),
        (sim::TotalCount::Page, [("Executives", 1), ("Policy", 4), ("spam", 5)]),
    ];
    for (total_count, quarantines) in cases {
        let clock = lapse(1);
        let esa = simulate(sim::Settings::esa(DEVICE), &clock).await;
        esa.change(|behaviour| behaviour.quarantine_total_count = total_count);
        let rig = start(&esa, "quarantines: [Executives, Policy, spam]", &clock).await;
        let held = |name: &str| {
            let now = now(&clock);
            esa.quarantined(&Scope::Whole, name, now - 400 * 24 * 3600, now).expect("known")
        };
        let page = rig
            .until("the quarantines are counted", |page| {
                value(page, "asyncos_group_success", &[("group", "quarantines")]) == Some(1.0)
            })
            .await;
        rig.end().await;
        let (few, many) = (held("Policy"), held("spam"));
        assert!(
            (501..740).contains(&few) && many > 1100,
            "{few} and {many}: the pages are not as many as is said here"
        );
        let shown = |metric: &str, name: &str| {
            let kind = if name == "spam" { "spam" } else { "pvo" };
            value(&page, metric, &[("quarantine", name), ("quarantine_type", kind)]).expect("shown")
        };
        for (name, requests) in quarantines {
            let is_bound = total_count == sim::TotalCount::Page && name == "spam";
            let all = if is_bound { 1000 } else { held(name) };
            let count = shown("asyncos_quarantine_messages", name);
            // Messages come and go between the count and the truth.
            assert!((count - all as f64).abs() <= if is_bound { 0.0 } else { 5.0 }, "{name}: {count} of {all}");
            let flag = shown("asyncos_quarantine_messages_lower_bound", name);
            assert_eq!(flag, f64::from(u8::from(is_bound)), "{name}");
            let is_of = |request: &sim::Request| match request.attribute("quarantines") {
                Some(of) => of == name,
                None => name == "spam" && request.attribute("quarantineType") == Some("spam"),
            };
            assert_eq!(esa.count(is_of), requests, "{name} by {total_count:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_sma_lists_the_devices_that_it_manages() {
    let clock = lapse(1);
    let settings = sim::Settings::sma("sma1").with_group("all", &["esa1", "esa2"]).with_web_group("web", &["wsa1"]);
    let sma = simulate(settings, &clock).await;
    sma.change(|behaviour| {
        behaviour.disconnected.insert("esa2".into());
        behaviour.system_time.timezone = "Asia/Kolkata".into();
    });
    let rig = start(&sma, "product: sma, inventory: true", &clock).await;
    let page =
        rig.until("all is told", |page| page.every("asyncos_group_success", &[], |success| success == 1.0)).await;
    let connected = |name, kind| {
        let labels = [("managed_appliance", name), ("product_type", kind)];
        value(&page, "asyncos_managed_appliance_connected", &labels)
    };
    assert_eq!(
        [connected("esa1", "ESA"), connected("esa2", "ESA"), connected("wsa1", "WSA")],
        [Some(1.0), Some(0.0), Some(1.0)]
    );
    let service = |name, kind, service| {
        let labels = [("managed_appliance", name), ("product_type", kind), ("service", service)];
        value(&page, "asyncos_managed_appliance_service_enabled", &labels)
    };
    assert_eq!([service("esa1", "ESA", "tracking"), service("wsa1", "WSA", "tracking")], [Some(1.0), Some(0.0)]);
    let info = [("product", "sma"), ("model", "M100V"), ("release", "16.0.0-050"), ("timezone", "Asia/Kolkata")];
    assert_eq!(value(&page, "asyncos_appliance_info", &info), Some(1.0));
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn times_and_privileges_are_read_in_every_form() {
    let times = [TimeForm::UnixSeconds, TimeForm::Iso, TimeForm::Tracking, TimeForm::Ctime];
    let privileges = [Privileges::Flat, Privileges::Resources];
    for (times, privileges) in times.into_iter().zip(privileges.into_iter().cycle()) {
        let clock = lapse(1);
        let esa = simulate(sim::Settings::esa(DEVICE), &clock).await;
        esa.change(|behaviour| {
            behaviour.time_form = times;
            behaviour.privileges = privileges;
        });
        let rig = start(&esa, "inventory: true", &clock).await;
        let page = rig
            .until(&format!("{times:?} is read"), |page| {
                page.every("asyncos_group_success", &[], |success| success == 1.0)
            })
            .await;
        rig.end().await;
        assert_eq!(value(&page, "asyncos_account_privileges", &[]), Some(7.0), "{privileges:?}");
        let at = |name: &str| value(&page, &format!("asyncos_reporting_{name}_timestamp_seconds"), &[]).expect("told");
        let (begin, end, heartbeat) = (at("data_begin"), at("data_end"), at("heartbeat"));
        assert!((end - BEGINNING as f64).abs() <= 120.0 && (heartbeat - BEGINNING as f64).abs() <= 120.0, "{times:?}");
        assert!(begin < end - 24.0 * 3600.0, "{times:?}: {begin} {end}");
        let info = [("product", "esa"), ("model", "C100V"), ("release", "16.0.0-050"), ("timezone", "Etc/UTC")];
        assert_eq!(value(&page, "asyncos_appliance_info", &info), Some(1.0));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_status_request_is_reported_and_affects_no_other() {
    let clock = lapse(600);
    let esa = simulate(sim::Settings::esa(DEVICE), &clock).await;
    esa.change(|behaviour| {
        behaviour.forbidden_paths.extend(["health", "quarantine/messages", "xml/status"].map(str::to_owned));
        behaviour.absent_paths.extend(["login/privileges", "config/system_time"].map(str::to_owned));
    });
    let rest = "health: true, quarantines: true, inventory: true, xml_status: true";
    let rig = start(&esa, rest, &clock).await;
    let refused = |page: &Page, group: &str, reason: &str| {
        value(page, "asyncos_group_refused", &[("group", group), ("reason", reason)]) == Some(1.0)
    };
    let page = rig
        .until("three hours have passed", |page| {
            let end = value(page, "asyncos_window_end_timestamp_seconds", &[("group", "mail_mor_summary")]);
            end.is_some_and(|end| end >= (BEGINNING + 3 * 3600) as f64 - 3600.0) && now(&clock) > BEGINNING + 3 * 3600
        })
        .await;
    rig.end().await;
    for (group, reason) in [
        ("health", "not_allowed"),
        ("quarantines", "not_allowed"),
        ("xml_status", "not_allowed"),
        ("privileges", "declined"),
        ("system_time", "declined"),
    ] {
        assert!(refused(&page, group, reason), "{group}");
    }
    assert_eq!(page.matching("asyncos_group_refused", &[]).len(), 5);
    assert_eq!(value(&page, "asyncos_up", &[]), Some(1.0));
    assert_eq!(value(&page, "asyncos_group_success", &[("group", "mail_mor_summary")]), Some(1.0));
    assert_eq!(value(&page, "asyncos_group_success", &[("group", "reporting_system_status")]), Some(1.0));
    assert!(value(&page, "asyncos_reporting_data_end_timestamp_seconds", &[]).is_some());
    assert_eq!(value(&page, "asyncos_login_blocked", &[]), Some(0.0));
    // Half an hour is the life of a token.
    let logins = esa.count(|request| request.kind == RequestKind::Login);
    assert!(logins <= 1 + 2 * 4, "{logins} logins in three hours");
    let asked = |path: &str| esa.count(|request| request.path.ends_with(path));
    assert!((3..=5).contains(&asked("/xml/status")), "once an hour: {}", asked("/xml/status"));
    assert!(asked("/health") <= 2 * 8, "{}", asked("/health"));
    assert!(asked("/login/privileges") <= 8 && asked("/config/system_time") <= 8);
}

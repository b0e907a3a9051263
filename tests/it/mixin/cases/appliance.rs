//! Alerts about the appliances as machines, and about what fills up and ends.

use super::{Case, case, counter, gauge};

pub(in super::super) fn cases() -> Vec<Case> {
    let mut cases = conservation();
    cases.extend(queue());
    cases.extend(load());
    cases.push(release());
    cases
}

fn conservation() -> Vec<Case> {
    vec![
        case("AsyncosNotOnline")
            .of("asyncos_system_status", "state=\"online\"", "1x9 stale _x9 1x9".into())
            .of("asyncos_system_status", "state=\"suspended\"", "_x10 1x9 stale _x9".into())
            .label("state", "suspended")
            .at(14, 15, 20)
            .says("esa1 is suspended", "esa1 has reported the state suspended for 5 minutes."),
        // It was started at 3000 s, which is half an hour ago at 4800 s.
        case("AsyncosApplianceRebooted")
            .of("asyncos_status_birth_timestamp_seconds", "", gauge([(-10_000.0, 50), (3000.0, 60)]))
            .at(49, 55, 80)
            .says("esa1 has restarted", "esa1 was started 5m 0s ago."),
        case("AsyncosRefusingMail")
            .of("asyncos_health_resource_conservation", "", gauge([(998.0, 10), (999.0, 10), (0.0, 10)]))
            .at(10, 11, 20)
            .says("esa1 refuses mail", "esa1 is at level 999 of resource conservation: it accepts no mail."),
        case("AsyncosResourceConservation")
            .of("asyncos_status_resource_conservation", "", gauge([(0.0, 10), (1.0, 10), (999.0, 10)]))
            .at(14, 15, 20)
            .says(
                "esa1 slows down mail",
                "esa1 has been at level 1 of resource conservation for 5 minutes: it accepts mail more slowly.",
            ),
    ]
}

fn queue() -> Vec<Case> {
    const QUEUE: &str = "asyncos_health_workqueue_messages";
    vec![
        // The shortest of a quarter of an hour, for five minutes.
        case("AsyncosWorkQueueHigh").of(QUEUE, "", gauge([(500.0, 20), (501.0, 30), (400.0, 10)])).at(39, 40, 50).says(
            "The work queue of esa1 is long",
            "At least 501 messages have waited to be scanned by esa1 for 20 minutes.",
        ),
        // One that only the reports of its manager tell of.
        case("AsyncosWorkQueueBacklog")
            .of(
                "asyncos_device_mail_system_capacity_workqueue_average_messages_last_window",
                "device=\"esa9\"",
                gauge([(10_000.0, 20), (10_001.0, 30), (9000.0, 10)]),
            )
            .label("device", "esa9")
            .at(39, 40, 50)
            .says(
                "esa1 has a work queue backlog",
                "At least 10k messages have waited to be scanned by esa1 for 20 minutes.",
            ),
        case("AsyncosWorkQueueStuck")
            .of(QUEUE, "", "501+1x59".into())
            .of("asyncos_status_conn_out", "", gauge([(6.0, 20), (5.0, 20), (6.0, 20)]))
            .at(29, 30, 40)
            .says(
                "Mail is stuck at esa1",
                "531 messages wait at esa1, a growing number, with almost no outgoing connections.",
            ),
        case("AsyncosWorkQueueImbalance")
            .of(QUEUE, "", gauge([(500.0, 10), (600.0, 40), (100.0, 10)]))
            .named("esa2", QUEUE, "", gauge([(10.0, 60)]))
            .named("esa3", QUEUE, "", gauge([(10.0, 60)]))
            .named("esa4", QUEUE, "", gauge([(10.0, 60)]))
            .at(39, 40, 50)
            .says(
                "The work queue of esa1 is far above the fleet's average",
                "600 messages wait at esa1, more than three times the mean of its fleet.",
            ),
    ]
}

fn load() -> Vec<Case> {
    let ratio = |alert, metric: &str, limit: f64, above: f64, hold: u64| {
        // The mean of a quarter of an hour passes the limit with the first value above it.
        let values = gauge([(limit, 30), (above, hold + 20), (0.0, 30)]);
        case(alert).of(metric, "", values).at(29, 30 + hold + 15, 30 + hold + 30)
    };
    vec![
        ratio("AsyncosCpuHigh", "asyncos_health_cpu_load_ratio", 0.85, 0.87, 15)
            .says("The CPU of esa1 is busy", "esa1 has used 87% of its CPU for half an hour."),
        ratio("AsyncosMemoryHigh", "asyncos_health_ram_utilization_ratio", 0.45, 0.46, 10).says(
            "esa1 is low on memory",
            "esa1 has used 46% of its memory for 25 minutes; resource conservation begins at 45 %.",
        ),
        ratio("AsyncosDiskIoHigh", "asyncos_health_disk_io_ratio", 0.9, 0.91, 15)
            .says("The disk of esa1 is busy", "esa1 has used 91% of its disk's throughput for half an hour."),
        case("AsyncosQueueSpaceLow")
            .of("asyncos_health_queue_utilization_ratio", "", gauge([(0.7, 10), (0.71, 20), (0.91, 10)]))
            .at(24, 25, 30)
            .says(
                "The queue of esa1 is filling up",
                "71% of the queue's space at esa1 has been in use for 15 minutes.",
            ),
        case("AsyncosQueueSpaceFull")
            .of("asyncos_health_queue_utilization_ratio", "", gauge([(0.9, 10), (0.91, 10), (0.9, 10)]))
            .at(14, 15, 20)
            .says(
                "The queue of esa1 is nearly full",
                "91% of the queue's space at esa1 has been in use for 5 minutes.",
            ),
        case("AsyncosLogSpaceLow")
            .of("asyncos_status_log_used_ratio", "", gauge([(0.85, 10), (0.86, 40), (0.5, 10)]))
            .at(39, 40, 50)
            .says("The log space of esa1 is filling up", "86% of the space for logs at esa1 is in use."),
    ]
}

pub(in super::super) fn stores() -> Vec<Case> {
    const EXPIRY: &str = "asyncos_feature_expiry_timestamp_seconds";
    vec![
        // Thirty days and ten minutes from the beginning; renewed after two hours.
        case("AsyncosLicenceExpiring")
            .of(EXPIRY, "feature=\"Sophos\"", gauge([(2_592_600.0, 120), (9e9, 10)]))
            .label("feature", "Sophos")
            .at(70, 71, 120)
            .says(
                "The licence of Sophos on esa1 expires soon",
                "The licence of Sophos on esa1 expires in 29d 22h 59m 0s.",
            ),
        case("AsyncosLicenceExpired")
            .of(EXPIRY, "feature=\"Sophos\"", gauge([(605_400.0, 120), (9e9, 10)]))
            .label("feature", "Sophos")
            .at(70, 71, 120)
            .says(
                "The licence of Sophos on esa1 has expired or is about to expire",
                "The licence of Sophos on esa1 has 6d 22h 59m 0s left; a negative time means that it has expired.",
            ),
        // What is counted here grows within the time that `increase` looks at.
        case("AsyncosOutbreakThreats")
            .windows(300)
            .of(
                "asyncos_mail_vof_specific_threat_summary_threat_detected_virus_or_malware_total",
                "",
                counter([(0.25, 100), (1.0, 65), (0.0, 100)]),
            )
            .at(99, 164, 260)
            .says(
                "Outbreak Filters find many threats at esa1",
                "Outbreak Filters have found 60 threats at esa1 within an hour.",
            ),
    ]
}

fn release() -> Case {
    case("AsyncosReleaseBelowMinimum")
        .of("asyncos_release_below_minimum", "", gauge([(0.0, 30), (1.0, 80), (0.0, 30)]))
        .at(89, 90, 110)
        .says(
            "esa1 runs an old release of AsyncOS",
            "The AsyncOS release of esa1 has been older than `minimum_release` for an hour.",
        )
}

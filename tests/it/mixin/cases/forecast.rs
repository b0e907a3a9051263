//! Alerts about what fills up, and when: silent at a slower growth, firing with the time in their text, silent once the
//! growth has ended.

use super::{Case, case, gauge};

/// A gauge with these slopes a step, each for so many steps; after them it stays.
fn ramp<const N: usize>(from: f64, parts: [(f64, u64); N], stays: u64) -> String {
    let mut at = from;
    let mut values = Vec::new();
    for (slope, steps) in parts {
        for _ in 0..steps {
            values.push(at.to_string());
            at += slope;
        }
    }
    values.extend(std::iter::repeat_n(at.to_string(), stays as usize));
    values.join(" ")
}

/// Those of minutes.
pub(in super::super) fn by_minutes() -> Vec<Case> {
    vec![
        // 100 messages a minute make 6,000 in an hour.
        case("AsyncosWorkQueueGrowing")
            .of("asyncos_health_workqueue_messages", "", ramp(1000.0, [(10.0, 60), (100.0, 60)], 60))
            .at(60, 110, 170)
            .says("The work queue of esa1 grows", "At the trend of the last half hour, the work queue of esa1 is a backlog at 1970-01-01 02:24:00 +0000 UTC."),
        // 0.001 a minute make 0.72 in twelve hours.
        case("AsyncosQueueSpaceFilling")
            .of("asyncos_health_queue_utilization_ratio", "", ramp(0.1, [(0.0001, 150), (0.001, 200)], 200))
            .at(150, 345, 545)
            .says("The queue of esa1 fills up within hours", "At the trend of the last two hours, the queue of esa1 is nearly full at 1970-01-01 15:35:00 +0000 UTC."),
    ]
}

/// Those that look back a day, in steps of ten minutes.
pub(in super::super) fn by_days() -> Vec<Case> {
    const DAY: u64 = 144;
    const MIB: f64 = 1_048_576.0;
    vec![
        // 10 MiB in ten minutes make 5.6 GiB in four days.
        case("AsyncosQuarantineFilling")
            .of(
                "asyncos_quarantine_size_bytes",
                "quarantine=\"Policy\",type=\"pvo\"",
                ramp(4096.0 * MIB, [(1.0 * MIB, 2 * DAY), (10.0 * MIB, 2 * DAY)], 2 * DAY),
            )
            .of("asyncos_quarantine_size_bytes", "quarantine=\"Virus\",type=\"pvo\"", gauge([(MIB, 6 * DAY)]))
            .at(2 * DAY, 4 * DAY - 1, 6 * DAY - 1)
            .says("The quarantines of esa1 fill up within days", "At the trend of the last day, the quarantines of esa1 reach their limit at 1970-01-07 02:00:00 +0000 UTC."),
        case("AsyncosLogSpaceFilling")
            .of("asyncos_status_log_used_ratio", "", ramp(0.2, [(0.0001, 2 * DAY), (0.001, 2 * DAY)], 2 * DAY))
            .at(2 * DAY, 4 * DAY - 1, 6 * DAY - 1)
            .says("The log space of esa1 fills up within days", "At the trend of the last day, esa1 has little space for logs left at 1970-01-07 08:00:00 +0000 UTC."),
    ]
}

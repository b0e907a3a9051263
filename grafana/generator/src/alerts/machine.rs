//! Alerts about the appliances as machines: work queue, CPU, memory, disk, conservation.

use super::super::alert::Severity::{Critical, Warning};
use super::super::alert::{Alert, Page};
use super::super::board::Uid;
use super::super::threshold::{
    CPU, DISK_IO, IMBALANCE, LOG_SPACE, MEMORY, QUEUE_SPACE, QUEUE_SPACE_FULL, REBOOTED_WITHIN, REFUSING,
    STUCK_CONNECTIONS, WORK_QUEUE, WORK_QUEUE_BACKLOG,
};

/// The level of conservation, by the health of a gateway or by its XML status.
const CONSERVATION: &str = "(asyncos_health_resource_conservation or asyncos_status_resource_conservation)";

/// The shortest the work queue was within a quarter of an hour: by the health of a gateway, or by the reports of whoever has
/// no health.
const QUEUE: &str = "(min_over_time(asyncos_health_workqueue_messages[15m]) or \
                     min_over_time(asyncos_mail_system_capacity_workqueue_average_messages_last_window[15m]) or \
                     min_over_time(asyncos_device_mail_system_capacity_workqueue_average_messages_last_window[15m]))";

pub(super) fn alerts() -> Vec<Alert> {
    let mut alerts = conservation();
    alerts.extend(queue());
    alerts.extend(load());
    alerts.push(release());
    alerts.push(rebooted());
    alerts
}

fn conservation() -> Vec<Alert> {
    vec![
        Alert::new(
            "AsyncosNotOnline",
            Critical,
            Some("5m"),
            "asyncos_system_status{state!=\"online\"} == 1",
            "{{ $labels.appliance }} is {{ $labels.state }}",
            "{{ $labels.appliance }} has reported the state {{ $labels.state }} for 5 minutes.",
            Page {
                meaning: "The appliance reports that it is suspended, partly suspended, or offline.",
                impact: "It does not accept mail, does not deliver it, or both. Senders try other appliances, or \
                         queue their mail.",
                panel: (Uid::Fleet, "Appliances"),
                commands: &["`status` on the appliance", "`displayalerts`"],
                causes: &["it was suspended for maintenance and not resumed", "an upgrade or a failed start"],
                actions: &["find out why it was suspended, then `resume` on the appliance"],
            },
        ),
        Alert::new(
            "AsyncosRefusingMail",
            Critical,
            Some("1m"),
            &format!("{CONSERVATION} >= {REFUSING}"),
            "{{ $labels.appliance }} refuses mail",
            "{{ $labels.appliance }} is at level {{ $value }} of resource conservation: it accepts no mail.",
            Page {
                meaning: "Resource conservation has reached the level at which no message is accepted (999, TechNote \
                          218151).",
                impact: "Incoming and outgoing mail waits at the senders.",
                panel: (Uid::Capacity, "Resource conservation"),
                commands: &[
                    "`status detail` names the reason: memory, queue space, queue full",
                    "`workqueue status`",
                    "`tophosts`",
                ],
                causes: &[
                    "a queue that fills because a destination is down",
                    "a wave of mail",
                    "memory taken by very large messages",
                ],
                actions: &[
                    "find what fills the queue with `tophosts` and `showrecipients`",
                    "route new mail through other ESAs",
                    "never delete messages without approval",
                ],
            },
        ),
        Alert::new(
            "AsyncosResourceConservation",
            Warning,
            Some("5m"),
            &format!("{CONSERVATION} > 0 < {REFUSING}"),
            "{{ $labels.appliance }} slows down mail",
            "{{ $labels.appliance }} has been at level {{ $value }} of resource conservation for 5 minutes: it \
             accepts mail more slowly.",
            Page {
                meaning: "The appliance delays senders to save memory or queue space; higher levels are slower \
                          (TechNote 218151).",
                impact: "Incoming mail is delayed. At 999 it is refused.",
                panel: (Uid::Capacity, "Resource conservation"),
                commands: &["`status detail`", "`workqueue status`", "`rate`"],
                causes: &["as for [AsyncosRefusingMail](#asyncosrefusingmail), earlier"],
                actions: &[
                    "look at memory, queue space and work queue on the dashboard",
                    "reduce the load of this ESA",
                ],
            },
        ),
    ]
}

fn queue() -> Vec<Alert> {
    const WAITS: &str = "Mail through this appliance is delayed until the queue has been processed.";
    vec![
        Alert::new(
            "AsyncosWorkQueueHigh",
            Warning,
            Some("5m"),
            &format!("{QUEUE} > {WORK_QUEUE} <= {WORK_QUEUE_BACKLOG}"),
            "The work queue of {{ $labels.appliance }} is long",
            "At least {{ $value | humanize }} messages have waited to be scanned by {{ $labels.appliance }} for 20 minutes.",
            Page {
                meaning: "The work queue has not been shorter than 500 messages for 15 minutes (the limit of a large \
                          operator's own monitor). Short peaks are normal.",
                impact: WAITS,
                panel: (Uid::Capacity, "Work queue now"),
                commands: &[
                    "`workqueue status`, `workqueue rate 10`",
                    "`status detail`",
                    "`antispamstatus`, `antivirusstatus`",
                ],
                causes: &[
                    "more mail than the appliance can scan",
                    "an engine that is updating or hangs",
                    "very large attachments",
                    "a content filter that waits for DNS or LDAP",
                ],
                actions: &["spread the load", "find the busiest engine with *CPU by task*"],
            },
        ),
        Alert::new(
            "AsyncosWorkQueueBacklog",
            Critical,
            Some("5m"),
            &format!("{QUEUE} > {WORK_QUEUE_BACKLOG}"),
            "{{ $labels.appliance }} has a work queue backlog",
            "At least {{ $value | humanize }} messages have waited to be scanned by {{ $labels.appliance }} for 20 minutes.",
            Page {
                meaning: "More than 10,000 messages wait; the vendor's guide says to investigate backlogs of this size.",
                impact: WAITS,
                panel: (Uid::Capacity, "Work queue now"),
                commands: &["`workqueue status`, `workqueue rate 10`: is it paused?", "`displayalerts`"],
                causes: &[
                    "the work queue was paused: `workqueue resume`",
                    "an engine has died",
                    "a mail loop or a wave of mail",
                ],
                actions: &[
                    "resume it if it is paused",
                    "stop a loop at its source",
                    "open a case with the vendor if the rate is zero",
                ],
            },
        ),
        Alert::new(
            "AsyncosWorkQueueStuck",
            Critical,
            Some("10m"),
            &format!(
                "asyncos_health_workqueue_messages > {WORK_QUEUE} and delta(asyncos_health_workqueue_messages[10m]) > 0 and \
                 asyncos_status_conn_out <= {STUCK_CONNECTIONS}"
            ),
            "Mail is stuck at {{ $labels.appliance }}",
            "{{ $value | humanize }} messages wait at {{ $labels.appliance }}, a growing number, with almost no \
             outgoing connections.",
            Page {
                meaning: "The work queue is long and grows while almost nothing is delivered (the diagnosis of a \
                          large operator's own monitor).",
                impact: "No mail passes through this appliance.",
                panel: (Uid::Outgoing, "Outgoing connections"),
                commands: &["`workqueue status`", "`status`: is delivery suspended?", "`tophosts`"],
                causes: &["delivery is suspended: `resumedel`", "the work queue is paused", "an engine has died"],
                actions: &["resume what is suspended", "open a case with the vendor if nothing is"],
            },
        ),
        Alert::new(
            "AsyncosWorkQueueImbalance",
            Warning,
            Some("30m"),
            &format!(
                "asyncos_health_workqueue_messages > {WORK_QUEUE} and asyncos_health_workqueue_messages > on (job) \
                 group_left () {IMBALANCE} * avg by (job) (asyncos_health_workqueue_messages)"
            ),
            "The work queue of {{ $labels.appliance }} is far above the fleet's average",
            "{{ $value | humanize }} messages wait at {{ $labels.appliance }}, more than three times the mean of its fleet.",
            Page {
                meaning: "One appliance has more than three times the fleet's mean in its work queue (the limit of a large \
                          operator's own monitor).",
                impact: "Mail through this appliance is delayed although others are idle.",
                panel: (Uid::Fleet, "Work queue by appliance"),
                commands: &["`rate` on this and on another appliance", "`tophosts`"],
                causes: &[
                    "a load balancer or MX records that prefer it",
                    "one sender that uses this appliance only",
                    "slower hardware",
                ],
                actions: &["distribute the load evenly"],
            },
        ),
    ]
}

fn load() -> Vec<Alert> {
    vec![
        Alert::new(
            "AsyncosCpuHigh",
            Warning,
            Some("15m"),
            &format!(
                "(avg_over_time(asyncos_health_cpu_load_ratio[15m]) or \
                 asyncos_mail_system_capacity_overall_percent_cpu_usage_ratio_last_window or \
                 asyncos_device_mail_system_capacity_overall_percent_cpu_usage_ratio_last_window) > {CPU}"
            ),
            "The CPU of {{ $labels.appliance }} is busy",
            "{{ $labels.appliance }} has used {{ $value | humanizePercentage }} of its CPU for half an hour.",
            Page {
                meaning: "The CPU has been above the vendor's red line of 85 % (TechNote 118881). Small models are often above \
                          50 %, which is normal.",
                impact: "Mail waits longer in the work queue.",
                panel: (Uid::Capacity, "CPU by appliance"),
                commands: &["`status detail`", "`rate`", "`top` in `diagnostic`"],
                causes: &[
                    "more mail than the model is designed for",
                    "expensive filters",
                    "report or tracking searches",
                ],
                actions: &["look at *CPU by task*", "spread the load, or plan a larger model"],
            },
        ),
        Alert::new(
            "AsyncosMemoryHigh",
            Warning,
            Some("10m"),
            &format!("avg_over_time(asyncos_health_ram_utilization_ratio[15m]) > {MEMORY}"),
            "{{ $labels.appliance }} is low on memory",
            "{{ $labels.appliance }} has used {{ $value | humanizePercentage }} of its memory for 25 minutes; resource \
             conservation begins at 45 %.",
            Page {
                meaning: "Above 45 %, resource conservation begins (TechNote 218151; 75 % in older releases).",
                impact: "The appliance will slow down mail.",
                panel: (Uid::Capacity, "Memory by appliance"),
                commands: &["`status detail`", "`tophosts`"],
                causes: &["a large delivery queue", "very large messages"],
                actions: &["find what fills the queue", "on an older release, raise the limit in the rule"],
            },
        ),
        Alert::new(
            "AsyncosDiskIoHigh",
            Warning,
            Some("15m"),
            &format!("avg_over_time(asyncos_health_disk_io_ratio[15m]) > {DISK_IO}"),
            "The disk of {{ $labels.appliance }} is busy",
            "{{ $labels.appliance }} has used {{ $value | humanizePercentage }} of its disk's throughput for half an hour.",
            Page {
                meaning: "The disk has hardly any throughput left.",
                impact: "The whole appliance is slower, including mail.",
                panel: (Uid::Capacity, "Disk I/O by appliance"),
                commands: &["`status detail`", "`logconfig`: which logs are at the level debug or trace?"],
                causes: &[
                    "logs at a high level",
                    "a degraded RAID array",
                    "a slow datastore under a virtual appliance",
                ],
                actions: &["lower the log levels", "`raid` in `diagnostic` on hardware"],
            },
        ),
        Alert::new(
            "AsyncosQueueSpaceLow",
            Warning,
            Some("15m"),
            &format!("asyncos_health_queue_utilization_ratio > {QUEUE_SPACE} <= {QUEUE_SPACE_FULL}"),
            "The queue of {{ $labels.appliance }} is filling up",
            "{{ $value | humanizePercentage }} of the queue's space at {{ $labels.appliance }} has been in use for 15 minutes.",
            Page {
                meaning: "The queue uses more than 70 % of its space. The appliance reports it as near full a little \
                          later.",
                impact: "None yet. Near full, mail is slowed down; full, it is refused.",
                panel: (Uid::Capacity, "Queue space by appliance"),
                commands: &["`status detail`", "`tophosts`", "`showrecipients`"],
                causes: &["a destination that has been down for a long time", "a loop", "quarantines that grow"],
                actions: &["find the destination with `tophosts` and restore it, or bounce its mail after approval"],
            },
        ),
        Alert::new(
            "AsyncosQueueSpaceFull",
            Critical,
            Some("5m"),
            &format!("asyncos_health_queue_utilization_ratio > {QUEUE_SPACE_FULL}"),
            "The queue of {{ $labels.appliance }} is nearly full",
            "{{ $value | humanizePercentage }} of the queue's space at {{ $labels.appliance }} has been in use for 5 minutes.",
            Page {
                meaning: "The queue uses more than 90 % of its space.",
                impact: "The appliance is about to refuse mail.",
                panel: (Uid::Capacity, "Queue space by appliance"),
                commands: &["`status detail`", "`tophosts`"],
                causes: &["as for [AsyncosQueueSpaceLow](#asyncosqueuespacelow)"],
                actions: &[
                    "route new mail through other ESAs",
                    "then as for [AsyncosQueueSpaceLow](#asyncosqueuespacelow)",
                ],
            },
        ),
        Alert::new(
            "AsyncosLogSpaceLow",
            Warning,
            Some("30m"),
            &format!("asyncos_status_log_used_ratio > {LOG_SPACE}"),
            "The log space of {{ $labels.appliance }} is filling up",
            "{{ $value | humanizePercentage }} of the space for logs at {{ $labels.appliance }} is in use.",
            Page {
                meaning: "The space for logs is nearly used up.",
                impact: "None on mail. The oldest logs are deleted.",
                panel: (Uid::Capacity, "Log space"),
                commands: &["`logconfig`", "`diagnostic` > `DISK_USAGE`"],
                causes: &["logs at a high level", "old packet captures and configuration files"],
                actions: &["lower the log levels, or push logs to another host"],
            },
        ),
    ]
}

fn rebooted() -> Alert {
    Alert::new(
        "AsyncosApplianceRebooted",
        Warning,
        None,
        &format!("time() - asyncos_status_birth_timestamp_seconds < {REBOOTED_WITHIN}"),
        "{{ $labels.appliance }} has restarted",
        "{{ $labels.appliance }} was started {{ $value | humanizeDuration }} ago.",
        Page {
            meaning: "The appliance was started within the last half hour, by its system status or XML status. Its counters since \
                      the start begin again; the totals of the exporter continue.",
            impact: "No mail was accepted or delivered while it was down; senders try again.",
            panel: (Uid::Fleet, "Appliances"),
            commands: &["`status`, for *Up since*", "`displayalerts`", "`tail system_logs`"],
            causes: &["an upgrade or a planned restart", "a power failure or a hardware fault", "a crash"],
            actions: &["find out whether it was planned", "open a case if nobody restarted it"],
        },
    )
}

fn release() -> Alert {
    Alert::new(
        "AsyncosReleaseBelowMinimum",
        Warning,
        Some("1h"),
        "asyncos_release_below_minimum == 1",
        "{{ $labels.appliance }} runs an old release of AsyncOS",
        "The AsyncOS release of {{ $labels.appliance }} has been older than `minimum_release` for an hour.",
        Page {
            meaning: "The release is older than the oldest one that the configuration of the exporter accepts \
                      (`minimum_release`).",
            impact: "None on mail directly. Fixes that you require are missing.",
            panel: (Uid::Fleet, "Appliances"),
            commands: &[
                "`version` on the appliance",
                "the query `asyncos_appliance_info` shows the release of each appliance",
            ],
            causes: &[
                "an upgrade that was not done, or was reverted",
                "an appliance that was installed from an old image",
                "`minimum_release` was raised",
            ],
            actions: &[
                "upgrade the appliance with `upgrade`",
                "lower `minimum_release` of an appliance that has to wait",
            ],
        },
    )
}

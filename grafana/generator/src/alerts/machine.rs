//! Alerts about the appliances as machines: work queue, CPU, memory, disk, conservation.

use super::super::alert::Severity::{Critical, Warning};
use super::super::alert::{Alert, Page};
use super::super::board::Uid;
use super::super::threshold::{
    CPU, DISK_IO, IMBALANCE, LOG_SPACE, MEMORY, QUEUE_SPACE, QUEUE_SPACE_FULL, REFUSING, STUCK_CONNECTIONS, WORK_QUEUE,
    WORK_QUEUE_BACKLOG,
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
            "{{ $labels.appliance }} has said for 5 minutes that it is {{ $labels.state }} and not online.",
            Page {
                meaning: "The appliance says that it is not online: suspended, partly suspended, or offline.",
                impact: "It does not take mail, does not deliver it, or neither. Senders try the others, or wait.",
                panel: (Uid::Fleet, "Appliances"),
                commands: &["`status` on the appliance", "`displayalerts`"],
                causes: &["somebody suspended it for maintenance and forgot to resume", "an upgrade or a failed start"],
                actions: &["`resume` on the appliance, once it is clear why it was suspended"],
            },
        ),
        Alert::new(
            "AsyncosRefusingMail",
            Critical,
            Some("1m"),
            &format!("{CONSERVATION} >= {REFUSING}"),
            "{{ $labels.appliance }} refuses mail",
            "{{ $labels.appliance }} is at level {{ $value }} of resource conservation: it takes no mail.",
            Page {
                meaning: "Resource conservation has reached the level at which no message is taken any more (999, \
                          TechNote 218151).",
                impact: "Incoming and outgoing mail waits at its senders.",
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
                    "send new mail over other gateways",
                    "never delete messages before somebody has decided it",
                ],
            },
        ),
        Alert::new(
            "AsyncosResourceConservation",
            Warning,
            Some("5m"),
            &format!("{CONSERVATION} > 0 < {REFUSING}"),
            "{{ $labels.appliance }} slows mail down",
            "{{ $labels.appliance }} has been at level {{ $value }} of resource conservation for 5 minutes: it takes mail more \
             slowly.",
            Page {
                meaning: "The appliance delays senders to save memory or queue space; higher levels are slower \
                          (TechNote 218151).",
                impact: "Mail comes in late. At 999 it is refused.",
                panel: (Uid::Capacity, "Resource conservation"),
                commands: &["`status detail`", "`workqueue status`", "`rate`"],
                causes: &["as for [AsyncosRefusingMail](#asyncosrefusingmail), earlier"],
                actions: &["look at memory, queue space and work queue on the board", "take load off this gateway"],
            },
        ),
    ]
}

fn queue() -> Vec<Alert> {
    const WAITS: &str = "Mail through this appliance is late by the time it takes to work the queue off.";
    vec![
        Alert::new(
            "AsyncosWorkQueueHigh",
            Warning,
            Some("5m"),
            &format!("{QUEUE} > {WORK_QUEUE} <= {WORK_QUEUE_BACKLOG}"),
            "The work queue of {{ $labels.appliance }} is long",
            "At least {{ $value | humanize }} messages have waited to be scanned by {{ $labels.appliance }} for 20 minutes.",
            Page {
                meaning: "The work queue has not been shorter than 500 messages for a quarter of an hour (the limit of a large \
                          operator's own monitor). Peaks are normal, this is none.",
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
                actions: &["spread the load", "look at *CPU by task* for the engine that takes most"],
            },
        ),
        Alert::new(
            "AsyncosWorkQueueBacklog",
            Critical,
            Some("5m"),
            &format!("{QUEUE} > {WORK_QUEUE_BACKLOG}"),
            "The work queue of {{ $labels.appliance }} is a backlog",
            "At least {{ $value | humanize }} messages have waited to be scanned by {{ $labels.appliance }} for 20 minutes.",
            Page {
                meaning: "More than 10,000 messages wait; the vendor's guide says to investigate backlogs of this size.",
                impact: WAITS,
                panel: (Uid::Capacity, "Work queue now"),
                commands: &["`workqueue status`, `workqueue rate 10`: is it paused?", "`displayalerts`"],
                causes: &[
                    "the work queue was paused: `workqueue resume`",
                    "an engine has died",
                    "a loop or a wave of mail",
                ],
                actions: &[
                    "resume it if it is paused",
                    "stop a loop at its source",
                    "open a case with the vendor if the rate is zero",
                ],
            },
        ),
        Alert::new(
            "AsyncosWorkQueueGrowing",
            Warning,
            Some("15m"),
            &format!(
                "predict_linear(asyncos_health_workqueue_messages[30m], 3600) > {WORK_QUEUE_BACKLOG} and \
                 asyncos_health_workqueue_messages > {WORK_QUEUE}"
            ),
            "The work queue of {{ $labels.appliance }} grows",
            "If it goes on like this, {{ $value | humanize }} messages will wait at {{ $labels.appliance }} in an hour.",
            Page {
                meaning: "The trend of half an hour leads to a backlog within the hour.",
                impact: WAITS,
                panel: (Uid::Capacity, "Work queue now"),
                commands: &["`workqueue rate 10`", "`rate`"],
                causes: &["as for [AsyncosWorkQueueHigh](#asyncosworkqueuehigh)"],
                actions: &["act before it is one: spread the load"],
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
            "Mail does not move at {{ $labels.appliance }}",
            "{{ $value | humanize }} messages wait at {{ $labels.appliance }}, more than before, with hardly any outgoing \
             connection.",
            Page {
                meaning: "The work queue is long and grows while next to nothing is delivered (the diagnosis of a large \
                          operator's own monitor).",
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
            "{{ $labels.appliance }} has most of the work",
            "{{ $value | humanize }} messages wait at {{ $labels.appliance }}, more than three times the mean of its fleet.",
            Page {
                meaning: "One appliance has more than three times the fleet's mean in its work queue (the limit of a large \
                          operator's own monitor).",
                impact: "Mail through this appliance is late although others have time.",
                panel: (Uid::Fleet, "Work queue by appliance"),
                commands: &["`rate` on this and on another appliance", "`tophosts`"],
                causes: &[
                    "a load balancer or MX records that favour it",
                    "one sender that sends to it alone",
                    "a slower machine",
                ],
                actions: &["correct the balance"],
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
                    "more mail than the model is made for",
                    "expensive filters",
                    "reporting or tracking searches",
                ],
                actions: &["look at *CPU by task*", "spread the load; plan a larger model"],
            },
        ),
        Alert::new(
            "AsyncosMemoryHigh",
            Warning,
            Some("10m"),
            &format!("avg_over_time(asyncos_health_ram_utilization_ratio[15m]) > {MEMORY}"),
            "The memory of {{ $labels.appliance }} fills",
            "{{ $labels.appliance }} has used {{ $value | humanizePercentage }} of its memory for 25 minutes; resource \
             conservation begins at 45 %.",
            Page {
                meaning: "Above 45 % the appliance begins to conserve resources (TechNote 218151; 75 % in older releases).",
                impact: "Mail will be slowed down.",
                panel: (Uid::Capacity, "Memory by appliance"),
                commands: &["`status detail`", "`tophosts`"],
                causes: &["a large delivery queue", "very large messages"],
                actions: &[
                    "find what fills the queue",
                    "on an older release: raise the limit, by a change of the rule",
                ],
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
                impact: "Everything on the appliance is slower, mail too.",
                panel: (Uid::Capacity, "Disk I/O by appliance"),
                commands: &["`status detail`", "`logconfig`: which logs are at the level debug or trace?"],
                causes: &["logs at a high level", "a degraded RAID", "a slow datastore below a virtual appliance"],
                actions: &["lower the levels of logs", "`raid` in `diagnostic` on hardware"],
            },
        ),
        Alert::new(
            "AsyncosQueueSpaceLow",
            Warning,
            Some("15m"),
            &format!("asyncos_health_queue_utilization_ratio > {QUEUE_SPACE} <= {QUEUE_SPACE_FULL}"),
            "The queue of {{ $labels.appliance }} fills",
            "{{ $value | humanizePercentage }} of the queue's space at {{ $labels.appliance }} has been in use for 15 minutes.",
            Page {
                meaning: "The queue takes more than 70 % of its space; the appliance calls it near full a little later.",
                impact: "None yet. Near full, mail is slowed down; full, it is refused.",
                panel: (Uid::Capacity, "Queue space by appliance"),
                commands: &["`status detail`", "`tophosts`", "`showrecipients`"],
                causes: &["a destination that has been down for long", "a loop", "quarantines that grow"],
                actions: &[
                    "find the destination with `tophosts` and restore it, or bounce its mail once somebody has decided so",
                ],
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
                meaning: "The queue takes more than 90 % of its space.",
                impact: "The appliance is about to refuse mail.",
                panel: (Uid::Capacity, "Queue space by appliance"),
                commands: &["`status detail`", "`tophosts`"],
                causes: &["as for [AsyncosQueueSpaceLow](#asyncosqueuespacelow)"],
                actions: &[
                    "send new mail over other gateways",
                    "then as for [AsyncosQueueSpaceLow](#asyncosqueuespacelow)",
                ],
            },
        ),
        Alert::new(
            "AsyncosLogSpaceLow",
            Warning,
            Some("30m"),
            &format!("asyncos_status_log_used_ratio > {LOG_SPACE}"),
            "The log space of {{ $labels.appliance }} fills",
            "{{ $value | humanizePercentage }} of the space for logs at {{ $labels.appliance }} is in use.",
            Page {
                meaning: "The space for logs is nearly used up.",
                impact: "None on mail. Logs that somebody may need are deleted.",
                panel: (Uid::Capacity, "Log space"),
                commands: &["`logconfig`", "`diagnostic` > `DISK_USAGE`"],
                causes: &["logs at a high level", "files of captures and configurations that nobody deleted"],
                actions: &["lower the levels of logs, push logs to another host"],
            },
        ),
    ]
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
            impact: "None on mail by itself. Fixes that you decided to require are missing.",
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

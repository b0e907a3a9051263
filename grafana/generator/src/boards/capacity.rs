//! System capacity and queues: whether the appliances keep up, and what they run out of.

use super::super::board::{Board, Manner, Row, Uid};
use super::super::panel::{Panel, Step};
use super::super::style::{Limits, Unit, Words};
use super::super::threshold::{
    CPU, DISK_IO, LOG_SPACE, MEMORY, QUEUE_SPACE, QUEUE_SPACE_FULL, REFUSING, WORK_QUEUE, WORK_QUEUE_BACKLOG,
};
use super::{average, data_as_of, maximum};

pub(super) fn board() -> Board {
    Board {
        uid: Uid::Capacity,
        description: "Whether the appliances keep up with their mail, and which resource runs out first.",
        domain: "system",
        manner: Manner::Close,
        rows: vec![
            Row::open("Now", numbers()),
            Row::open("Work queue", queue()),
            Row::folded("Why is mail stuck?", stuck()),
            Row::open("Load", load()),
            Row::folded("Volume and connections", volume()),
            Row::folded("Space", space()),
        ],
    }
}

/// The highest of all appliances that tell their health.
fn highest(title: &'static str, description: &str, metric: &str, limits: Limits) -> Panel {
    Panel::stat(title, description, Unit::Ratio, &format!("max(asyncos_health_{metric}{{APPLIANCE}})"))
        .limits(limits)
        .step(Step::Minute)
        .with_history()
}

/// A line an appliance, of what it tells about now.
fn now(title: &'static str, description: &str, unit: Unit, over: fn(&str) -> String, metric: &str) -> Panel {
    Panel::lines(title, description, unit)
        .query(&format!("topk(20, max by (appliance) ({}))", over(metric)), "{{appliance}}")
        .step(Step::Minute)
}

/// A line an appliance, of what the reports tell of each window.
fn window(title: &'static str, description: &str, unit: Unit, over: fn(&str) -> String, counter: &str) -> Panel {
    // A step of a window would smooth several of them.
    now(title, description, unit, over, &format!("asyncos_mail_system_capacity_{counter}_last_window"))
}

fn numbers() -> Vec<Panel> {
    let tiles = [
        highest(
            "CPU",
            "The busiest CPU of all appliances. Above 85 % for long, mail is delayed: see `rate`, and *CPU by task* \
             below.",
            "cpu_load_ratio",
            Limits::look(CPU),
        ),
        highest(
            "Memory",
            "The highest memory use of all appliances. Resource conservation begins above 45 %, on older releases \
             above 75 %.",
            "ram_utilization_ratio",
            Limits::look(MEMORY),
        ),
        highest(
            "Disk I/O",
            "The busiest disk of all appliances. Common causes are logging or a large quarantine.",
            "disk_io_ratio",
            Limits::look(DISK_IO),
        ),
        highest(
            "Queue space",
            "The fullest queue of all appliances. Near full, the appliance slows down mail; full, it refuses mail.",
            "queue_utilization_ratio",
            Limits::both(QUEUE_SPACE, QUEUE_SPACE_FULL),
        ),
        Panel::stat(
            "Longest work queue",
            "Messages waiting to be scanned, at the appliance with the longest queue: `workqueue status`.",
            Unit::Count,
            "max(asyncos_health_workqueue_messages{APPLIANCE} or \
             asyncos_mail_system_capacity_workqueue_maximum_messages_last_window{APPLIANCE})",
        )
        .limits(Limits::both(WORK_QUEUE, WORK_QUEUE_BACKLOG))
        .step(Step::Minute)
        .whole()
        .with_history(),
        data_as_of("mail_system_capacity"),
    ];
    tiles.into_iter().map(|tile| tile.size(8, 3)).collect()
}

fn queue() -> Vec<Panel> {
    vec![
        now(
            "Work queue now",
            "Messages waiting to be scanned. Short peaks are normal; the lines are the limits of the alerts \
             (AsyncosWorkQueueHigh, AsyncosWorkQueueBacklog).",
            Unit::Count,
            maximum,
            "asyncos_health_workqueue_messages",
        )
        .limits(Limits::both(WORK_QUEUE, WORK_QUEUE_BACKLOG)),
        window(
            "Work queue maximum",
            "The most messages during each window, including peaks between two polls.",
            Unit::Count,
            maximum,
            "workqueue_maximum_messages",
        )
        .limits(Limits::both(WORK_QUEUE, WORK_QUEUE_BACKLOG)),
        window(
            "Time in the work queue",
            "Time a message waits to be scanned, without time in quarantine. Users notice this delay.",
            Unit::Seconds,
            average,
            "workqueue_average_time_spent_seconds",
        ),
        window(
            "Work queue average",
            "Messages waiting to be scanned, averaged over each window.",
            Unit::Count,
            average,
            "workqueue_average_messages",
        ),
    ]
}

fn stuck() -> Vec<Panel> {
    let of_destinations = |title, description, unit, query: &str, legend| {
        Panel::lines(title, description, unit).query(query, legend).step(Step::Minute)
    };
    vec![
        of_destinations(
            "Waiting recipients by destination",
            "The domains with the most waiting recipients; `(other)` is the sum of the rest. A line that grows while the next \
             graph shows no deliveries is stuck (AsyncosDestinationStuck). Needs `delivery_status`.",
            Unit::Count,
            &format!("topk(20, max by (appliance, domain) ({}))", maximum("asyncos_destination_active_recipients")),
            "{{appliance}} {{domain}}",
        ),
        of_destinations(
            "Deliveries by destination per minute",
            "Recipients delivered to the same domains. None for long, with recipients waiting: `hoststatus DOMAIN`. Needs \
             `delivery_status`.",
            Unit::Count,
            "topk(20, sum by (appliance, domain) (rate(asyncos_destination_delivered_recipients_total{APPLIANCE}[RATE])) * 60)",
            "{{appliance}} {{domain}}",
        ),
        of_destinations(
            "Soft bounces by destination per minute",
            "Deliveries that are tried again. Many at one domain: it refuses mail or is overloaded. Needs `delivery_status`.",
            Unit::Count,
            "topk(20, sum by (appliance, domain) (rate(asyncos_destination_soft_bounces_total{APPLIANCE}[RATE])) * 60)",
            "{{appliance}} {{domain}}",
        ),
        of_destinations(
            "Waiting recipients by appliance",
            "All recipients that wait for delivery. If they grow at one appliance only, look for its network and DNS; if the \
             work queue grows instead, scanning is slow. Needs the system or XML status.",
            Unit::Count,
            &format!("topk(20, max by (appliance) ({}))", average("asyncos_status_active_recips")),
            "{{appliance}}",
        ),
        of_destinations(
            "Age of the oldest message",
            "One unreachable domain is enough to make it old. Needs the system or XML status.",
            Unit::Clock,
            "topk(20, max by (appliance) (time() - asyncos_status_oldest_message_timestamp_seconds{APPLIANCE}))",
            "{{appliance}}",
        ),
        of_destinations(
            "Conservation while mail waits",
            "Above 0, the appliance protects itself and accepts less mail; at 999 it refuses all (AsyncosRefusingMail).",
            Unit::Count,
            &format!("topk(20, max by (appliance) ({}))", maximum("asyncos_health_resource_conservation")),
            "{{appliance}}",
        ),
    ]
}

fn load() -> Vec<Panel> {
    const TASKS: [(&str, &str); 5] = [
        ("mail", "mail_count"),
        ("anti-spam", "antispam"),
        ("anti-virus", "antivirus"),
        ("reporting", "reporting"),
        ("quarantine", "quarantine"),
    ];
    let tasks = TASKS.iter().fold(
        Panel::stacked(
            "CPU by task",
            "CPU use by task, averaged over the selected appliances. High anti-spam: a wave of spam, or large \
             messages. High reporting: centralized reporting on an SMA would help.",
            Unit::Ratio,
        )
        .step(Step::Minute),
        |panel, (legend, task)| {
            let used = format!("asyncos_mail_system_capacity_overall_percent_cpu_usage_for_{task}_ratio_last_window");
            panel.query(&format!("avg({})", average(&used)), *legend)
        },
    );
    vec![
        now(
            "CPU by appliance",
            "Share of the CPU in use. The line is the vendor's limit (AsyncosCpuHigh).",
            Unit::Ratio,
            average,
            "asyncos_health_cpu_load_ratio",
        )
        .limits(Limits::look(CPU)),
        tasks,
        now(
            "Memory by appliance",
            "Share of the memory in use. Resource conservation begins at the line (AsyncosMemoryHigh).",
            Unit::Ratio,
            average,
            "asyncos_health_ram_utilization_ratio",
        )
        .limits(Limits::look(MEMORY)),
        window(
            "Memory pages swapped",
            "Lasting swapping means that there is too little memory for the scanning load.",
            Unit::Count,
            average,
            "average_memory_page_swapping",
        ),
        now(
            "Disk I/O by appliance",
            "Share of the disk's throughput in use (AsyncosDiskIoHigh).",
            Unit::Ratio,
            average,
            "asyncos_health_disk_io_ratio",
        )
        .limits(Limits::look(DISK_IO)),
        Panel::timeline(
            "Resource conservation",
            "When appliances accepted mail more slowly, or none: `status detail` names the reason.",
            Words::Conservation,
        )
        .query("topk(40, max by (appliance) (asyncos_health_resource_conservation{APPLIANCE}))", "{{appliance}}")
        .limits(Limits::both(1.0, REFUSING))
        .size(12, 9),
    ]
}

fn volume() -> Vec<Panel> {
    let rate = |title, description, unit, counter: &str, factor: &str| {
        let expr = format!("topk(20, sum by (appliance) ({}){factor})", super::rate("mail_system_capacity", counter));
        Panel::lines(title, description, unit).query(&expr, "{{appliance}}")
    };
    vec![
        rate("Messages in per minute", "Messages accepted from senders.", Unit::Count, "incoming_messages", " * 60"),
        rate("Messages out per minute", "Messages sent to destinations.", Unit::Count, "outgoing_messages", " * 60"),
        rate(
            "Connections in per minute",
            "Connections that senders opened.",
            Unit::Count,
            "incoming_connections",
            " * 60",
        ),
        rate(
            "Connections out per minute",
            "Connections opened to destinations.",
            Unit::Count,
            "outgoing_connections",
            " * 60",
        ),
        rate("Volume in", "Bytes of mail received per second.", Unit::BytesPerSecond, "bytes_in_bytes", ""),
        rate("Volume out", "Bytes of mail sent per second.", Unit::BytesPerSecond, "bytes_out_bytes", ""),
        window(
            "Size of an incoming message",
            "Average size. Larger messages take longer to scan.",
            Unit::Bytes,
            average,
            "average_incoming_message_size_in_bytes",
        ),
        window(
            "Size of an outgoing message",
            "Average size. Larger messages take longer to scan.",
            Unit::Bytes,
            average,
            "average_outgoing_message_size_in_bytes",
        ),
        now(
            "Open incoming connections",
            "Open connections. At the listener's limit, senders are refused: `listenerconfig`. Needs the XML status.",
            Unit::Count,
            maximum,
            "asyncos_status_conn_in",
        ),
        rate(
            "Starts of conservation per minute",
            "How often resource conservation started; a few times per day is too often.",
            Unit::Count,
            "res_con_start_count",
            " * 60",
        ),
    ]
}

fn space() -> Vec<Panel> {
    vec![
        now(
            "Queue space by appliance",
            "Share of the queue's space in use (AsyncosQueueSpaceLow, AsyncosQueueSpaceFull).",
            Unit::Ratio,
            average,
            "asyncos_health_queue_utilization_ratio",
        )
        .limits(Limits::both(QUEUE_SPACE, QUEUE_SPACE_FULL)),
        now(
            "Queue, bytes",
            "Space used by the queue. Needs the XML status.",
            Unit::Bytes,
            maximum,
            "asyncos_status_queue_used_bytes",
        ),
        now(
            "Log space",
            "Share of the space for logs in use (AsyncosLogSpaceLow). Needs the XML status.",
            Unit::Ratio,
            average,
            "asyncos_status_log_used_ratio",
        )
        .limits(Limits::look(LOG_SPACE)),
        now(
            "Free log space",
            "Space left for logs. Needs the XML status.",
            Unit::Bytes,
            average,
            "asyncos_status_log_available_bytes",
        ),
        now(
            "Swap space",
            "Share of the swap space in use.",
            Unit::Ratio,
            average,
            "asyncos_health_swap_utilization_ratio",
        ),
        now(
            "Destinations in memory",
            "Destinations that the appliance keeps in memory. Needs the XML status.",
            Unit::Count,
            average,
            "asyncos_status_dests_in_memory",
        ),
    ]
}

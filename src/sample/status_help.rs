//! Names and HELP texts of the metrics of the current status of an appliance.

use super::MetricDef;

pub(super) const CPU: MetricDef = MetricDef::gauge("asyncos_health_cpu_load_ratio", "Share of the CPU in use now");
pub(super) const RAM: MetricDef =
    MetricDef::gauge("asyncos_health_ram_utilization_ratio", "Share of the memory in use now");
pub(super) const SWAP: MetricDef =
    MetricDef::gauge("asyncos_health_swap_utilization_ratio", "Share of the swap space in use now");
pub(super) const QUEUE: MetricDef =
    MetricDef::gauge("asyncos_health_queue_utilization_ratio", "Share of the queue's space in use now");
pub(super) const DISK_IO: MetricDef =
    MetricDef::gauge("asyncos_health_disk_io_ratio", "Share of the disk's throughput in use now");
pub(super) const CONSERVATION: MetricDef = MetricDef::gauge(
    "asyncos_health_resource_conservation",
    "Resource conservation: 0 is normal; other values, not documented by the vendor, mean that less mail is accepted",
);
pub(super) const WORK_QUEUE: MetricDef =
    MetricDef::gauge("asyncos_health_workqueue_messages", "Messages in the work queue now");
pub(super) const HELD: MetricDef = MetricDef::gauge(
    "asyncos_health_quarantine_messages",
    "Messages in the policy, virus and outbreak quarantines now",
);
pub(super) const SYSTEM_STATUS: MetricDef =
    MetricDef::gauge("asyncos_system_status", "State of the system as the appliance reports it; always 1");
pub(super) const BIRTH: MetricDef =
    MetricDef::gauge("asyncos_status_birth_timestamp_seconds", "Unix time of the start of the appliance");
pub(super) const COUNTER_RESET: MetricDef = MetricDef::gauge(
    "asyncos_status_counter_reset_timestamp_seconds",
    "Unix time of the last reset of the appliance's counters",
);
pub(super) const OLDEST_MESSAGE: MetricDef = MetricDef::gauge(
    "asyncos_status_oldest_message_timestamp_seconds",
    "Unix time at which the oldest message in the queue arrived; absent while the queue is empty",
);
pub(super) const FEATURE_EXPIRY: MetricDef = MetricDef::gauge(
    "asyncos_feature_expiry_timestamp_seconds",
    "Unix time at which the licence of a feature expires; absent for perpetual and dormant licences",
);
pub(super) const RAID: MetricDef =
    MetricDef::gauge("asyncos_raid_status", "State of the RAID as the appliance reports it; always 1");
pub(super) const ACTIVE: MetricDef =
    MetricDef::gauge("asyncos_status_active_recips", "Recipients that wait for delivery, by the system or XML status");
pub(super) const CONNECTIONS_IN: MetricDef =
    MetricDef::gauge("asyncos_status_conn_in", "Open incoming connections, by the system or XML status");
pub(super) const CONNECTIONS_OUT: MetricDef =
    MetricDef::gauge("asyncos_status_conn_out", "Open outgoing connections, by the system or XML status");
pub(super) const DESTINATIONS: MetricDef =
    MetricDef::gauge("asyncos_status_dests_in_memory", "Destinations in memory, by the system or XML status");
pub(super) const QUARANTINED: MetricDef =
    MetricDef::gauge("asyncos_status_msgs_in_quarantine", "Messages in quarantine, by the system or XML status");
pub(super) const RECEIVED: MetricDef = MetricDef::counter(
    "asyncos_system_messages_received_total",
    "Messages received since the last start of the appliance",
);
pub(super) const DELIVERED: MetricDef = MetricDef::counter(
    "asyncos_system_delivered_recipients_total",
    "Recipients delivered since the last start of the appliance",
);
pub(super) const SOFT_BOUNCED: MetricDef = MetricDef::counter(
    "asyncos_system_soft_bounced_events_total",
    "Soft bounces since the last start of the appliance",
);
pub(super) const REJECTED: MetricDef = MetricDef::counter(
    "asyncos_system_rejected_recipients_total",
    "Recipients rejected since the last start of the appliance",
);
pub(super) const DROPPED: MetricDef = MetricDef::counter(
    "asyncos_system_dropped_messages_total",
    "Messages dropped since the last start of the appliance",
);
pub(super) const HARD_BOUNCED: MetricDef = MetricDef::counter(
    "asyncos_system_hard_bounces_total",
    "Recipients that bounced hard since the last start of the appliance",
);
/// The counters of the system status by the names in its answer.
///
/// They have names of their own beside the lifetime counters of the XML status: a series that changed from one to the other
/// would seem to restart, or to jump.
pub(super) const SINCE_START: [(&str, MetricDef); 6] = [
    ("messages_received_uptime", RECEIVED),
    ("delivered_recipients_uptime", DELIVERED),
    ("soft_bounced_events_uptime", SOFT_BOUNCED),
    ("rejected_recipients_uptime", REJECTED),
    ("dropped_messages_uptime", DROPPED),
    ("total_hard_bounces_uptime", HARD_BOUNCED),
];
pub(super) const QUARANTINE_MESSAGES: MetricDef = MetricDef::gauge(
    "asyncos_quarantine_messages",
    "Messages in a quarantine, of type `spam` or `pvo` (policy, virus, outbreak)",
);
pub(super) const QUARANTINE_LOWER_BOUND: MetricDef = MetricDef::gauge(
    "asyncos_quarantine_messages_lower_bound",
    "Whether `asyncos_quarantine_messages` is a lower bound, because counting stopped at its limit",
);
pub(super) const QUARANTINE_SIZE: MetricDef =
    MetricDef::gauge("asyncos_quarantine_size_bytes", "Disk space used by the quarantine");
pub(super) const MANAGED_CONNECTED: MetricDef =
    MetricDef::gauge("asyncos_managed_appliance_connected", "Whether the SMA is connected to the managed appliance");
pub(super) const MANAGED_SERVICE: MetricDef = MetricDef::gauge(
    "asyncos_managed_appliance_service_enabled",
    "Whether the SMA provides the service for the managed appliance",
);
pub(super) const PRIVILEGES: MetricDef =
    MetricDef::gauge("asyncos_account_privileges", "Number of API privileges of the account");
pub(super) const DATA_BEGIN: MetricDef =
    MetricDef::gauge("asyncos_reporting_data_begin_timestamp_seconds", "Unix time of the oldest reporting data");
pub(super) const DATA_END: MetricDef =
    MetricDef::gauge("asyncos_reporting_data_end_timestamp_seconds", "Unix time of the newest reporting data");
pub(super) const HEARTBEAT: MetricDef = MetricDef::gauge(
    "asyncos_reporting_heartbeat_timestamp_seconds",
    "Unix time of the last heartbeat of the reporting service",
);

pub(super) const DESTINATION_ACTIVE: MetricDef = MetricDef::gauge(
    "asyncos_destination_active_recipients",
    "Recipients that wait for delivery to a domain; `(other)` is the sum of the domains without a series of their own",
);
pub(super) const DESTINATION_CONNECTIONS: MetricDef = MetricDef::gauge(
    "asyncos_destination_connections",
    "Open connections to a domain; `(other)` is the sum of the domains without a series of their own",
);
pub(super) const DESTINATION_STATUS: MetricDef = MetricDef::gauge(
    "asyncos_destination_status",
    "State of the host of a domain at the last attempt: up, down or unknown; always 1",
);
pub(super) const DESTINATION_DELIVERED: MetricDef = MetricDef::counter(
    "asyncos_destination_delivered_recipients_total",
    "Recipients delivered to a domain for as long as it has a series of its own",
);
pub(super) const DESTINATION_SOFT_BOUNCES: MetricDef = MetricDef::counter(
    "asyncos_destination_soft_bounces_total",
    "Soft bounces of a domain for as long as it has a series of its own",
);
pub(super) const DESTINATION_HARD_BOUNCES: MetricDef = MetricDef::counter(
    "asyncos_destination_hard_bounces_total",
    "Hard bounces of a domain for as long as it has a series of its own",
);
/// All of them except those named after fields of the XML status; a test compares them with the manual.
pub const ABOUT_NOW: &[MetricDef] = &[
    DESTINATION_ACTIVE,
    DESTINATION_CONNECTIONS,
    DESTINATION_STATUS,
    DESTINATION_DELIVERED,
    DESTINATION_SOFT_BOUNCES,
    DESTINATION_HARD_BOUNCES,
    CPU,
    RAM,
    SWAP,
    QUEUE,
    DISK_IO,
    CONSERVATION,
    WORK_QUEUE,
    HELD,
    SYSTEM_STATUS,
    BIRTH,
    COUNTER_RESET,
    OLDEST_MESSAGE,
    FEATURE_EXPIRY,
    RAID,
    RECEIVED,
    DELIVERED,
    SOFT_BOUNCED,
    REJECTED,
    DROPPED,
    HARD_BOUNCED,
    QUARANTINE_MESSAGES,
    QUARANTINE_LOWER_BOUND,
    QUARANTINE_SIZE,
    MANAGED_CONNECTED,
    MANAGED_SERVICE,
    PRIVILEGES,
    DATA_BEGIN,
    DATA_END,
    HEARTBEAT,
];

//! The appliance itself: its work queue, volume and CPU, and the state of its reporting.
//!
//! **Source:** the vendor's Swagger description of the API 2.0; two texts are known from a published client alone.

use std::borrow::Cow::Borrowed;

use super::Source::{Client, Inferred, Swagger};
use super::Unit::{Bytes, Percent, Seconds};
use super::entry::{average, count, maximum, sum, text};
use super::{DeviceType, Group, Profile, Unit};

const CONNECTIONS: Unit = count("connections");
const MESSAGES: Unit = count("messages");

pub(super) const CAPACITY: Group = Group {
    name: Borrowed("mail_system_capacity"),
    help: Borrowed(
        "Work queue, volume in and out, CPU by purpose and memory paging; kept by a gateway even where reporting is \
           centralized",
    ),
    kind_source: Inferred,
    profile: Some(Profile::Minimal),
    about: DeviceType::Mail,
    key: None,
    others: None,
    counters: Borrowed(&[
        average("average_incoming_message_size_in_bytes", Bytes, Swagger, "Size of an incoming message"),
        // What the pages are divided by is not published, so the name claims no rate.
        average("average_memory_page_swapping", count("pages"), Swagger, "Memory pages swapped"),
        average("average_outgoing_message_size_in_bytes", Bytes, Swagger, "Size of an outgoing message"),
        sum("bytes_in", Bytes, Swagger, "Volume of mail received"),
        sum("bytes_out", Bytes, Swagger, "Volume of mail sent"),
        sum("incoming_connections", CONNECTIONS, Swagger, "Opened by senders"),
        sum("incoming_messages", MESSAGES, Swagger, "Received from senders"),
        sum("outgoing_connections", CONNECTIONS, Swagger, "Opened to destinations"),
        sum("outgoing_messages", MESSAGES, Swagger, "Sent to destinations"),
        average("overall_percent_cpu_usage", Percent, Swagger, "Share of the CPU in use by everything together"),
        average("overall_percent_cpu_usage_for_antispam", Percent, Swagger, "Share of the CPU in use by anti-spam"),
        average("overall_percent_cpu_usage_for_antivirus", Percent, Swagger, "Share of the CPU in use by anti-virus"),
        average(
            "overall_percent_cpu_usage_for_mail_count",
            Percent,
            Swagger,
            "Share of the CPU in use by the handling of mail",
        ),
        average("overall_percent_cpu_usage_for_quarantine", Percent, Swagger, "Share of the CPU in use by quarantines"),
        average("overall_percent_cpu_usage_for_reporting", Percent, Swagger, "Share of the CPU in use by reporting"),
        sum("res_con_start_count", count("events"), Swagger, "Entry into resource conservation mode"),
        average("workqueue_average_messages", MESSAGES, Swagger, "Length of the work queue"),
        average(
            "workqueue_average_time_spent",
            Seconds,
            Swagger,
            "Time a message stays in the work queue, without time in quarantine",
        ),
        maximum("workqueue_maximum_messages", MESSAGES, Swagger, "Longest the work queue has been"),
        maximum(
            "workqueue_messages_max",
            MESSAGES,
            Swagger,
            "Longest the work queue has been, under the name of older releases",
        ),
    ]),
};

pub(super) const REPORTING: Group = Group {
    name: Borrowed("reporting_system"),
    help: Borrowed("State of reporting itself: the span of its data and its heartbeat; texts, no samples"),
    kind_source: Inferred,
    // All of it is text: it is requested as a part of the inventory.
    profile: None,
    about: DeviceType::Mail,
    key: None,
    others: None,
    counters: Borrowed(&[
        text("begin_time", Swagger, "When the available data begins"),
        text("centralized_reporting_enabled", Client, "Whether a manager reports centrally"),
        text("centralized_reporting_expired", Client, "Whether the feature key of central reporting has run out"),
        text("end_time", Swagger, "When the available data ends"),
        text("heartbeat", Swagger, "When reporting last gave a sign of life"),
    ]),
};

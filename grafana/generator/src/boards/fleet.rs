//! Fleet overview: is anything wrong now, with whom, and since when.

use super::super::board::{Board, Manner, Row, Uid};
use super::super::panel::{Order, Panel, Step};
use super::super::style::{Limits, Unit, Words};
use super::super::threshold::{
    CPU, LATE_WINDOWS, LICENCE_ABANDONED, LICENCE_NOW, LICENCE_SOON, MEMORY, OLDEST_MESSAGE, QUEUE_SPACE,
    QUEUE_SPACE_FULL, REFUSING, WORK_QUEUE, WORK_QUEUE_BACKLOG,
};
use super::{FATES, a_minute, data_as_of, verdicts};

pub(super) fn board() -> Board {
    Board {
        uid: Uid::Fleet,
        description: "Where to begin: whether anything is wrong, with which appliance, and since when.",
        domain: "mail",
        manner: Manner::Watch,
        rows: vec![
            Row::open("Current state", numbers()),
            Row::open("Appliances and alerts", vec![appliances(), alerts()]),
            Row::open("Over time", graphs()),
        ],
    }
}

fn numbers() -> Vec<Panel> {
    vec![
        Panel::stat(
            "Appliances reachable",
            "Share of the chosen appliances whose API answers. Below 100 %: see the table, and the alert \
             AsyncosApplianceUnreachable. Mail may flow all the same.",
            Unit::Ratio,
            "sum(asyncos_up{APPLIANCE}) / count(asyncos_up{APPLIANCE})",
        )
        .limits(Limits::at_least(1.0))
        .step(Step::Minute),
        Panel::stat(
            "Alerts firing",
            "Critical ones and warnings of the bundled rules. Without a number Prometheus does not evaluate the rules: load \
             them.",
            Unit::Count,
            r#"count(ALERTS{alertname=~"Asyncos.+",alertstate="firing",severity=~"critical|warning",job=~"$job",instance=~"($instance)?",appliance=~"($appliance)?"}) or 0 * count(appliance:asyncos_collections:success_ratio{APPLIANCE})"#,
        )
        .limits(Limits::act(1.0))
        .step(Step::Minute),
        Panel::stat(
            "Incoming per minute",
            "Recipients of incoming mail, attempted, a minute: on the appliance's page Overview. The variable Reported by \
             keeps a manager and its gateways apart.",
            Unit::Count,
            "sum(rate(asyncos_mail_incoming_traffic_summary_total_recipients_total{APPLIANCE}[RATE]) REPORTED) * 60",
        )
        .whole(),
        Panel::stat(
            "Threat share",
            "Which part of the incoming recipients was stopped. A jump is a campaign, a fall a dead engine or feed. What \
             reputation stopped is estimated by the appliance.",
            Unit::Ratio,
            "sum(rate(asyncos_mail_incoming_traffic_summary_total_threat_recipients_total{APPLIANCE}[RATE]) REPORTED) / \
             (sum(rate(asyncos_mail_incoming_traffic_summary_total_recipients_total{APPLIANCE}[RATE]) REPORTED) > 0)",
        ),
        Panel::stat(
            "Longest work queue",
            "Messages in the longest work queue of all: `workqueue status` on the appliance. Coloured where the alerts \
             AsyncosWorkQueueHigh and AsyncosWorkQueueBacklog begin.",
            Unit::Count,
            "max(asyncos_health_workqueue_messages{APPLIANCE} or \
             asyncos_mail_system_capacity_workqueue_maximum_messages_last_window{APPLIANCE})",
        )
        .limits(Limits::both(WORK_QUEUE, WORK_QUEUE_BACKLOG))
        .step(Step::Minute)
        .whole(),
        data_as_of("mail_incoming_traffic_summary"),
        Panel::stat(
            "Resource conservation",
            "The highest level of all: above 0 an appliance takes mail more slowly to save memory or queue space, at 999 \
             none. `status detail` shows it.",
            Unit::Count,
            "max(asyncos_health_resource_conservation{APPLIANCE})",
        )
        .limits(Limits::both(1.0, REFUSING))
        .words(Words::Conservation)
        .step(Step::Minute),
        Panel::stat(
            "Licences expiring soon",
            "Feature keys that end within 30 days or ended within the last 30. A feature without a key stops scanning and \
             mail goes on. Needs the XML status.",
            Unit::Count,
            &format!(
                "count(asyncos_feature_expiry_timestamp_seconds{{APPLIANCE}} - time() < {LICENCE_SOON} and \
                 asyncos_feature_expiry_timestamp_seconds{{APPLIANCE}} - time() > -{LICENCE_ABANDONED}) or \
                 0 * count(asyncos_feature_expiry_timestamp_seconds{{APPLIANCE}})"
            ),
        )
        .limits(Limits::look(1.0))
        .step(Step::Minute),
        Panel::stat(
            "Logins blocked",
            "Appliances at which logins have stopped after repeated refusals, so that the account is not locked. Correct \
             the password; see the alert AsyncosLoginBlocked.",
            Unit::Count,
            "sum(asyncos_login_blocked{APPLIANCE})",
        )
        .limits(Limits::act(1.0))
        .step(Step::Minute),
        Panel::stat(
            "Reports fetched",
            "Share of the counter groups whose newest poll succeeded. The rest is behind or not allowed: see the \
             board Exporter health.",
            Unit::Ratio,
            "avg(asyncos_group_success{APPLIANCE})",
        )
        .limits(Limits::falling(0.9, 1.0))
        .step(Step::Minute),
        Panel::stat(
            "Outgoing per minute",
            "Recipients of outgoing mail that was delivered, a minute.",
            Unit::Count,
            "sum(rate(asyncos_mail_outgoing_traffic_summary_total_recipients_delivered_total{APPLIANCE}[RATE]) REPORTED) * 60",
        )
        .whole(),
        Panel::stat(
            "Windows lost in range",
            "Windows that could not be fetched in time and are in no number. Above 0, totals of this time are too low.",
            Unit::Count,
            "sum(increase(asyncos_windows_lost_total{APPLIANCE}[$__range]))",
        )
        .limits(Limits::look(1.0))
        .whole(),
    ]
}

fn appliances() -> Panel {
    Panel::table(
        "Appliances",
        "A row an appliance; its name leads to its capacity. Empty cells: the appliance does not tell, or is not asked \
         (health is of gateways, licences and ages are of the XML status; `minimum_release` says which releases are too old).",
        &[("appliance", "Appliance"), ("product", "Product")],
    )
    .column_in_words("Reachable", Words::UpDown, "max by (appliance, product) (asyncos_up{APPLIANCE} * on (job, instance, appliance) group_left (product) asyncos_appliance_info{APPLIANCE})")
    .column("Incoming per minute", Unit::Count, Limits::none(), &by_product("rate(asyncos_mail_incoming_traffic_summary_total_recipients_total{APPLIANCE}[RATE]) * 60"))
    .column("Threats", Unit::Ratio, Limits::none(), &by_product("rate(asyncos_mail_incoming_traffic_summary_total_threat_recipients_total{APPLIANCE}[RATE]) / (rate(asyncos_mail_incoming_traffic_summary_total_recipients_total{APPLIANCE}[RATE]) > 0)"))
    .column("Work queue", Unit::Count, Limits::both(WORK_QUEUE, WORK_QUEUE_BACKLOG), &by_product("(asyncos_health_workqueue_messages{APPLIANCE} or asyncos_mail_system_capacity_workqueue_maximum_messages_last_window{APPLIANCE})"))
    .column("Oldest message", Unit::Seconds, Limits::look(OLDEST_MESSAGE), &by_product("(time() - asyncos_status_oldest_message_timestamp_seconds{APPLIANCE})"))
    .column("CPU", Unit::Ratio, Limits::look(CPU), &by_product("asyncos_health_cpu_load_ratio{APPLIANCE}"))
    .column("Memory", Unit::Ratio, Limits::look(MEMORY), &by_product("asyncos_health_ram_utilization_ratio{APPLIANCE}"))
    .column("Queue space", Unit::Ratio, Limits::both(QUEUE_SPACE, QUEUE_SPACE_FULL), &by_product("asyncos_health_queue_utilization_ratio{APPLIANCE}"))
    .column_in_words("Conservation", Words::Conservation, &by_product("asyncos_health_resource_conservation{APPLIANCE}"))
    .column_in_words("Release too old", Words::NoYes, &by_product("asyncos_release_below_minimum{APPLIANCE}"))
    .column("Next licence", Unit::Seconds, Limits::falling(LICENCE_NOW, LICENCE_SOON), &format!("min by (appliance, product) ((asyncos_feature_expiry_timestamp_seconds{{APPLIANCE}} - time() > -{LICENCE_ABANDONED}) * on (job, instance, appliance) group_left (product) asyncos_appliance_info{{APPLIANCE}})"))
    .column(
        "Windows behind",
        Unit::Count,
        Limits::look(LATE_WINDOWS),
        &by_product(
            "(max by (job, instance, appliance) (time() - asyncos_window_end_timestamp_seconds{APPLIANCE,\
             group=\"mail_incoming_traffic_summary\"}) - max by (job, instance, appliance) \
             (asyncos_settle_seconds{APPLIANCE})) / max by (job, instance, appliance) (asyncos_window_seconds{APPLIANCE})",
        ),
    )
    .link("Its capacity", Uid::Capacity.name())
    .sorted("Work queue", Order::Falling)
    .size(24, 9)
}

/// The value of each appliance, with its product.
fn by_product(expr: &str) -> String {
    format!(
        "max by (appliance, product) (({expr}) * on (job, instance, appliance) group_left (product) \
         asyncos_appliance_info{{APPLIANCE}})"
    )
}

fn alerts() -> Panel {
    Panel::table(
        "Firing alerts",
        "What the bundled rules find. Empty when all is well, and when the rules are not loaded: the number above tells \
         which.",
        &[("severity", "Severity"), ("alertname", "Alert"), ("appliance", "Appliance")],
    )
    .column_in_words(
        "Firing",
        Words::NoYes,
        r#"max by (severity, alertname, appliance) (ALERTS{alertname=~"Asyncos.+",alertstate="firing",job=~"$job",instance=~"($instance)?",appliance=~"($appliance)?"})"#,
    )
    .step(Step::Minute)
    .size(24, 6)
}

fn graphs() -> Vec<Panel> {
    vec![
        verdicts(Panel::stacked(
            "Incoming by verdict per minute",
            "Recipients of incoming mail by what became of them; together they are all that were attempted. Details are on \
             the board Incoming mail and threats.",
            Unit::Count,
        )),
        a_minute(
            Panel::stacked(
                "Outgoing by result per minute",
                "Recipients of outgoing mail by what became of them. Details are on the board Outgoing mail and delivery.",
                Unit::Count,
            ),
            "mail_outgoing_traffic_summary",
            &FATES,
        ),
        Panel::lines(
            "Incoming by appliance per minute",
            "Recipients of incoming mail, attempted. One that falls to zero while the others go on has lost its senders: \
             see its listeners and the DNS. A manager has what its gateways have.",
            Unit::Count,
        )
        .query(
            "topk(20, sum by (appliance) (rate(asyncos_mail_incoming_traffic_summary_total_recipients_total{APPLIANCE}[RATE])) \
             * 60)",
            "{{appliance}}",
        ),
        Panel::lines(
            "Work queue by appliance",
            "Messages waiting to be scanned, the most a window saw. Lines are drawn where the alerts begin.",
            Unit::Count,
        )
        .query(
            "topk(20, max by (appliance) (asyncos_mail_system_capacity_workqueue_maximum_messages_last_window{APPLIANCE}))",
            "{{appliance}}",
        )
        .limits(Limits::both(WORK_QUEUE, WORK_QUEUE_BACKLOG)),
        Panel::timeline(
            "Reachable",
            "Whether each appliance's API answered. Red: no new data; missed windows are fetched later.",
            Words::UpDown,
        )
        .query("topk(40, max by (appliance) (asyncos_up{APPLIANCE}))", "{{appliance}}"),
        Panel::timeline(
            "Conservation over time",
            "When appliances took mail more slowly, or none, to conserve resources.",
            Words::Conservation,
        )
        .query("topk(40, max by (appliance) (asyncos_health_resource_conservation{APPLIANCE}))", "{{appliance}}"),
    ]
}

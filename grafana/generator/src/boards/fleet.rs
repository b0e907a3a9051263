//! Fleet overview: is anything wrong now, with whom, and since when.

use serde_json::{Value, json};

use super::super::alerts;
use super::super::board::{Board, Manner, Row, Uid};
use super::super::panel::{Order, Panel, Step};
use super::super::rules::{JOB, RUNBOOK};
use super::super::style::{Limits, Unit, Words};
use super::super::threshold::{
    CPU, LATE_WINDOWS, LICENCE_ABANDONED, LICENCE_NOW, LICENCE_SOON, MEMORY, OLDEST_MESSAGE, QUEUE_SPACE,
    QUEUE_SPACE_FULL, REFUSING, WORK_QUEUE, WORK_QUEUE_BACKLOG,
};
use super::{FATES, a_minute, data_as_of, maximum, per_minute, rate, sum_of_rates, verdicts};

const INCOMING: &str = "mail_incoming_traffic_summary";
const OUTGOING: &str = "mail_outgoing_traffic_summary";

pub(super) fn board() -> Board {
    Board {
        uid: Uid::Fleet,
        description: "Start here: whether anything is wrong, with which appliance, and since when.",
        domain: "mail",
        manner: Manner::Watch,
        rows: vec![
            Row::open("Current state", numbers()),
            Row::open("Appliances and alerts", vec![appliances(), firing()]),
            Row::open("Over time", graphs()),
        ],
    }
}

fn numbers() -> Vec<Panel> {
    vec![
        Panel::stat(
            "Appliances reachable",
            "Share of the selected appliances with a successful last API request. Below 100 %: see the table, and the \
             alert AsyncosApplianceUnreachable. Mail may still flow.",
            Unit::Ratio,
            "sum(asyncos_up{APPLIANCE}) / count(asyncos_up{APPLIANCE})",
        )
        .with_history()
        .limits(Limits::at_least(1.0))
        .step(Step::Minute)
        .leads_to(Uid::Exporter),
        Panel::stat(
            "Alerts firing",
            "Firing critical alerts and warnings of the bundled rules. If there is no number, Prometheus does not \
             evaluate the rules: load them.",
            Unit::Count,
            r#"count(ALERTS{alertname=~"Asyncos.+",alertstate="firing",severity=~"critical|warning",job=~"$job",instance=~"($instance)?",appliance=~"($appliance)?"}) or 0 * count(appliance:asyncos_collections:success_ratio{APPLIANCE})"#,
        )
        .with_history()
        .limits(Limits::act(1.0))
        .step(Step::Minute)
        .leads_to(Uid::Exporter),
        per_minute(
            "Incoming per minute",
            "Attempted recipients of incoming mail per minute, now and a week ago; on the appliance: page Overview. The \
             variable Reported by keeps an SMA apart from its ESAs.",
            INCOMING,
            "total_recipients",
        )
        .leads_to(Uid::Incoming),
        Panel::stat(
            "Threat share",
            "Share of the incoming recipients that was blocked. A jump means a campaign, a drop a failed engine or \
             feed. The number blocked by reputation is an estimate of the appliance.",
            Unit::Ratio,
            &format!(
                "{} / ({} > 0)",
                sum_of_rates(INCOMING, "total_threat_recipients"),
                sum_of_rates(INCOMING, "total_recipients")
            ),
        )
        .with_history()
        .leads_to(Uid::Incoming),
        Panel::stat(
            "Longest work queue",
            "Messages in the longest work queue: `workqueue status` on the appliance. The colours change at the \
             limits of the alerts AsyncosWorkQueueHigh and AsyncosWorkQueueBacklog.",
            Unit::Count,
            "max(asyncos_health_workqueue_messages{APPLIANCE} or \
             asyncos_mail_system_capacity_workqueue_maximum_messages_last_window{APPLIANCE})",
        )
        .limits(Limits::both(WORK_QUEUE, WORK_QUEUE_BACKLOG))
        .step(Step::Minute)
        .whole()
        .with_history()
        .leads_to(Uid::Capacity),
        data_as_of(INCOMING).leads_to(Uid::Exporter),
        Panel::stat(
            "Resource conservation",
            "The highest level of all appliances. Above 0, an appliance accepts mail more slowly to save memory or \
             queue space; at 999, it accepts none. `status detail` shows it.",
            Unit::Count,
            "max(asyncos_health_resource_conservation{APPLIANCE})",
        )
        .limits(Limits::both(1.0, REFUSING))
        .words(Words::Conservation)
        .step(Step::Minute)
        .leads_to(Uid::Capacity),
        Panel::stat(
            "Licences expiring soon",
            "Feature keys that expire within 30 days. A feature without a key stops scanning and mail passes unscanned. \
             Expired keys have the alert AsyncosLicenceExpired. Needs the XML status.",
            Unit::Count,
            &format!(
                "count(asyncos_feature_expiry_timestamp_seconds{{APPLIANCE}} - time() < {LICENCE_SOON} and \
                 asyncos_feature_expiry_timestamp_seconds{{APPLIANCE}} - time() > 0) or \
                 0 * count(asyncos_feature_expiry_timestamp_seconds{{APPLIANCE}})"
            ),
        )
        .limits(Limits::look(1.0))
        .step(Step::Minute)
        .leads_to(Uid::Stores),
        Panel::stat(
            "Logins blocked",
            "Appliances at which logins have stopped after repeated refusals, so that the account is not locked. Correct \
             the password; see the alert AsyncosLoginBlocked.",
            Unit::Count,
            "sum(asyncos_login_blocked{APPLIANCE})",
        )
        .limits(Limits::act(1.0))
        .step(Step::Minute)
        .leads_to(Uid::Exporter),
        Panel::stat(
            "Reports fetched",
            "Share of the counter groups with a successful last poll. The others are behind or refused: see the \
             dashboard Exporter health.",
            Unit::Ratio,
            "min(avg by (EACH) (asyncos_group_success{APPLIANCE}))",
        )
        .with_history()
        .limits(Limits::falling(0.9, 1.0))
        .step(Step::Minute)
        .leads_to(Uid::Exporter),
        per_minute(
            "Outgoing per minute",
            "Delivered recipients of outgoing mail per minute, now and a week ago.",
            OUTGOING,
            "total_recipients_delivered",
        )
        .leads_to(Uid::Outgoing),
        Panel::stat(
            "Windows lost in range",
            "Windows that could not be fetched in time and are not counted in totals. Above 0, totals over this range \
             are too low.",
            Unit::Count,
            "sum(increase(asyncos_windows_lost_total{APPLIANCE}[$__range]))",
        )
        .limits(Limits::look(1.0))
        .whole()
        .leads_to(Uid::Exporter),
    ]
}

fn appliances() -> Panel {
    Panel::table(
        "Appliances",
        "Unreachable first; a name links to its capacity. Behind: windows not yet counted. Oldest: age of the oldest \
         message. Licence: time until the next one ends. An empty cell means no data: only ESAs report health, licences and \
         ages need the XML status, old releases `minimum_release`.",
        &[("appliance", "Appliance"), ("product", "Product")],
    )
    .column_in_words("Reachable", Words::UpDown, "max by (appliance, product) (asyncos_up{APPLIANCE} * on (job, instance, appliance) group_left (product) asyncos_appliance_info{APPLIANCE})")
    .column_in_words("Conservation", Words::Conservation, &by_product("asyncos_health_resource_conservation{APPLIANCE}"))
    .column("Work queue", Unit::Count, Limits::both(WORK_QUEUE, WORK_QUEUE_BACKLOG), &by_product("(asyncos_health_workqueue_messages{APPLIANCE} or asyncos_mail_system_capacity_workqueue_maximum_messages_last_window{APPLIANCE})"))
    .column(
        "Behind",
        Unit::Count,
        Limits::look(LATE_WINDOWS),
        &by_product(
            "(max by (job, instance, appliance) (time() - asyncos_window_end_timestamp_seconds{APPLIANCE,\
             group=\"mail_incoming_traffic_summary\"}) - max by (job, instance, appliance) \
             (asyncos_settle_seconds{APPLIANCE})) / max by (job, instance, appliance) (asyncos_window_seconds{APPLIANCE})",
        ),
    )
    .column("Oldest", Unit::Seconds, Limits::look(OLDEST_MESSAGE), &by_product("(time() - asyncos_status_oldest_message_timestamp_seconds{APPLIANCE})"))
    .column("Queue space", Unit::Ratio, Limits::both(QUEUE_SPACE, QUEUE_SPACE_FULL), &by_product("asyncos_health_queue_utilization_ratio{APPLIANCE}"))
    .column("CPU", Unit::Ratio, Limits::look(CPU), &by_product("asyncos_health_cpu_load_ratio{APPLIANCE}"))
    .column("Memory", Unit::Ratio, Limits::look(MEMORY), &by_product("asyncos_health_ram_utilization_ratio{APPLIANCE}"))
    .column("Licence", Unit::Seconds, Limits::falling(LICENCE_NOW, LICENCE_SOON), &format!("min by (appliance, product) ((asyncos_feature_expiry_timestamp_seconds{{APPLIANCE}} - time() > -{LICENCE_ABANDONED}) * on (job, instance, appliance) group_left (product) asyncos_appliance_info{{APPLIANCE}})"))
    .column("Mail/min", Unit::Count, Limits::none(), &by_product(&format!("{} * 60", rate(INCOMING, "total_recipients"))))
    .column("Threats", Unit::Ratio, Limits::none(), &by_product(&format!("{} / ({} > 0)", rate(INCOMING, "total_threat_recipients"), rate(INCOMING, "total_recipients"))))
    .column_in_words("Old release", Words::NoYes, &by_product("asyncos_release_below_minimum{APPLIANCE}"))
    .link("Its capacity", Uid::Capacity.name())
    .sorted("Reachable", Order::Rising)
    .size(24, 9)
}

/// The value of each appliance, with its product.
fn by_product(expr: &str) -> String {
    format!(
        "max by (appliance, product) (({expr}) * on (job, instance, appliance) group_left (product) \
         asyncos_appliance_info{{APPLIANCE}})"
    )
}

/// All that fire, critical ones first.
fn firing() -> Panel {
    const CHOSEN: &str = r#"alertname=~"Asyncos.+",job=~"$job",instance=~"($instance)?",appliance=~"($appliance)?""#;
    let of =
        |severity: &str| format!("max by (alertname, appliance) (ALERTS{{{CHOSEN},alertstate=\"firing\",{severity}}})");
    // The name of an alert once more, which is shown as its summary.
    let with_summary = |expr: &str| format!("label_replace({expr}, \"summary\", \"$1\", \"alertname\", \"(.+)\")");
    let severity = format!(
        "{} or 2 * {} or 3 * {}",
        of("severity=\"critical\""),
        of("severity=\"warning\""),
        of("severity=\"info\"")
    );
    let since = format!(
        "(time() - max by (alertname, appliance) (ALERTS_FOR_STATE{{{CHOSEN}}})) and on (alertname, appliance) {}",
        of("severity!=\"\"")
    );
    Panel::table(
        "Firing alerts",
        "All firing alerts of the bundled rules, critical ones first; a name links to its section of the runbook. Empty if \
         there are none, or if the rules are not loaded: the number above shows which.",
        &[("alertname", "Alert"), ("appliance", "Appliance"), ("summary", "Summary")],
    )
    .column_in_words("Severity", Words::Severity, &with_summary(&severity))
    .column("Active for", Unit::Seconds, Limits::none(), &with_summary(&since))
    .key("Alert", "custom.width", json!(260))
    .key(
        "Alert",
        "links",
        json!([{"title": "Its runbook", "url": format!("{RUNBOOK}#${{__value.raw}}"), "targetBlank": true}]),
    )
    .key("Appliance", "custom.width", json!(120))
    .key("Summary", "mappings", summaries())
    .sorted("Severity", Order::Rising)
    .step(Step::Minute)
    .size(24, 10)
}

/// The summaries of alerts by their names; what only a single alert knows is left out.
fn summaries() -> Value {
    let mut words = serde_json::Map::new();
    for alert in alerts::all(JOB).into_iter().flat_map(|section| section.alerts) {
        let text = alert
            .summary
            .replace("{{ $labels.state }}", "not online")
            .replace("{{ $labels.feature }}", "a feature")
            .replace("{{ $labels.domain }}", "a domain")
            .replace("{{ $labels.managed_appliance }}", "its device")
            .replace("{{ $labels.appliance }}", "the appliance");
        let mut plain = String::new();
        let mut rest = &*text;
        while let Some((before, after)) = rest.split_once("{{") {
            plain += before.trim_end_matches(' ').trim_end_matches(" at");
            rest = after.split_once("}}").map_or("", |(_, after)| after);
        }
        plain += rest;
        let mut letters = plain.trim_start().chars();
        let first = letters.next().map(|letter| letter.to_ascii_uppercase());
        let text: String = first.into_iter().chain(letters).collect();
        words.insert(alert.name.to_owned(), json!({"index": words.len(), "text": text}));
    }
    json!([{"type": "value", "options": words}])
}

fn graphs() -> Vec<Panel> {
    vec![
        verdicts(Panel::stacked(
            "Incoming by verdict per minute",
            "Recipients of incoming mail by verdict; together they are all attempted recipients. Details: dashboard \
             Incoming mail and threats.",
            Unit::Count,
        )),
        a_minute(
            Panel::stacked(
                "Outgoing by result per minute",
                "Recipients of outgoing mail by result. Details: dashboard Outgoing mail and delivery.",
                Unit::Count,
            ),
            OUTGOING,
            &FATES,
        ),
        Panel::lines(
            "Incoming by appliance per minute",
            "Attempted recipients of incoming mail. Zero while others continue: check its listeners and the DNS. A gap: \
             its data are missing (see Reachable). An SMA includes the mail of its ESAs.",
            Unit::Count,
        )
        .query(
            &format!("topk(20, sum by (appliance) ({}) * 60)", rate(INCOMING, "total_recipients")),
            "{{appliance}}",
        ),
        Panel::lines(
            "Work queue by appliance",
            "Messages waiting to be scanned, the maximum of each window. The lines are the limits of the alerts.",
            Unit::Count,
        )
        .query(
            &format!(
                "topk(20, max by (appliance) ({}))",
                maximum("asyncos_mail_system_capacity_workqueue_maximum_messages_last_window")
            ),
            "{{appliance}}",
        )
        .limits(Limits::both(WORK_QUEUE, WORK_QUEUE_BACKLOG))
        .step(Step::Minute),
        Panel::timeline(
            "Reachable",
            "Whether the API of each appliance answered. Red: no new data; missed windows are fetched later.",
            Words::UpDown,
        )
        .query("topk(40, max by (appliance) (asyncos_up{APPLIANCE}))", "{{appliance}}"),
        Panel::timeline(
            "Conservation over time",
            "When appliances accepted mail more slowly, or none, to conserve resources.",
            Words::Conservation,
        )
        .query("topk(40, max by (appliance) (asyncos_health_resource_conservation{APPLIANCE}))", "{{appliance}}"),
    ]
}

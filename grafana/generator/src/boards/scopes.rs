//! Device groups and devices: the same mail as their manager's, divided. Each kind has metrics of its own, so that no sum on
//! another board counts it twice.

use super::super::board::{Board, Manner, Row, Uid};
use super::super::counted::Counted;
use super::super::panel::{Order, Panel, Step};
use super::super::style::{Limits, Unit};
use super::super::threshold::{WORK_QUEUE, WORK_QUEUE_BACKLOG};
use super::age;

/// What a manager divides its reports into.
#[derive(Clone, Copy)]
struct Division {
    /// Begins the names of its metrics.
    prefix: &'static str,
    label: &'static str,
    /// Its selector, with the variable that chooses some.
    chosen: &'static str,
    /// The matcher of its own in that selector.
    part: &'static str,
    keys: &'static [(&'static str, &'static str)],
    titles: Titles,
}

#[derive(Clone, Copy)]
struct Titles {
    row: &'static str,
    table: &'static str,
    incoming: &'static str,
    threats: &'static str,
    outgoing: &'static str,
    queue: &'static str,
}

const DEVICE_GROUP: Division = Division {
    prefix: "asyncos_device_group_",
    label: "device_group",
    chosen: r#"APPLIANCE,device_group=~"$device_group""#,
    part: r#"device_group=~"$device_group""#,
    keys: &[("appliance", "SMA"), ("device_group", "Device group")],
    titles: Titles {
        row: "Device groups",
        table: "Device groups of SMAs",
        incoming: "Incoming by device group per minute",
        threats: "Threat share by device group",
        outgoing: "Delivered by device group per minute",
        queue: "Work queue by device group",
    },
};

const DEVICE: Division = Division {
    prefix: "asyncos_device_",
    label: "device",
    chosen: r#"APPLIANCE,device=~"$device""#,
    part: r#"device=~"$device""#,
    keys: &[("appliance", "SMA"), ("device", "Device")],
    titles: Titles {
        row: "Devices",
        table: "Devices of SMAs",
        incoming: "Incoming by device per minute",
        threats: "Threat share by device",
        outgoing: "Delivered by device per minute",
        queue: "Work queue by device",
    },
};

impl Division {
    const fn counted(&self, (group, counter): Name) -> Counted<'static> {
        let Self { prefix, label, part, .. } = *self;
        Counted { prefix, part: Some((label, part)), ..Counted::on_board(group, counter) }
    }
}

pub(super) fn board() -> Board {
    Board {
        uid: Uid::Scopes,
        description: "Reports of an SMA by device group and by device; empty without `device_groups` and `devices`.",
        domain: "mail",
        manner: Manner::Scopes,
        rows: vec![
            Row::open("Overview", numbers()),
            Row::open(DEVICE_GROUP.titles.row, panels(DEVICE_GROUP)),
            Row::open(DEVICE.titles.row, panels(DEVICE)),
        ],
    }
}

fn numbers() -> Vec<Panel> {
    let any = |metric: &str| format!("{metric}{{{}}} or {metric}{{{}}}", DEVICE_GROUP.chosen, DEVICE.chosen);
    let count = |Division { label, chosen, .. }| {
        format!("count(count by (appliance, {label}) (asyncos_group_success{{{chosen}}}))")
    };
    vec![
        Panel::stat(
            "Watched device groups",
            "Number of device groups configured for the selected SMAs.",
            Unit::Count,
            &count(DEVICE_GROUP),
        ),
        Panel::stat(
            "Watched devices",
            "Number of devices configured for the selected SMAs.",
            Unit::Count,
            &count(DEVICE),
        ),
        Panel::stat(
            "Reports fetched",
            "Share of the reports by device group and by device with a successful last poll. The status page names \
             the reason for each failure.",
            Unit::Ratio,
            &format!("avg({})", any("asyncos_group_success")),
        )
        .with_history()
        .limits(Limits::falling(0.9, 1.0)),
        age(
            "Age of the oldest complete window of the reports on this dashboard. An SMA receives its data in batches of 15 \
             minutes. Red: older than three windows, the settle delay and ten minutes.",
            &any("asyncos_window_end_timestamp_seconds"),
            "",
        ),
    ]
}

fn panels(division: Division) -> Vec<Panel> {
    let Division { prefix, label, chosen, titles, .. } = division;
    let rate = |counter| format!("sum by (appliance, {label}) ({})", division.counted(counter).rate(""));
    let lines = |title, description: &str, unit, expr: &str| {
        let panel = Panel::lines(title, description, unit);
        panel.query(&format!("topk(20, {expr})"), format!("{{{{{label}}}}} ({{{{appliance}}}})"))
    };
    vec![
        table(division),
        lines(
            titles.incoming,
            "Attempted recipients of incoming mail, as the SMA reports them. The 20 highest.",
            Unit::Count,
            &format!("{} * 60", rate(INCOMING)),
        ),
        lines(
            titles.threats,
            "Share of the incoming recipients that was blocked. The 20 highest.",
            Unit::Ratio,
            &format!("{} / ({} > 0)", rate(THREATS), rate(INCOMING)),
        ),
        lines(
            titles.outgoing,
            "Delivered recipients of outgoing mail. The 20 highest.",
            Unit::Count,
            &format!("{} * 60", rate(DELIVERED)),
        ),
        lines(
            titles.queue,
            "Messages waiting to be scanned: the maximum of each window. The 20 highest.",
            Unit::Count,
            &format!("max by (appliance, {label}) (max_over_time({prefix}{QUEUE}_last_window{{{chosen}}}[RATE]))"),
        )
        .limits(Limits::both(WORK_QUEUE, WORK_QUEUE_BACKLOG))
        .step(Step::Minute),
    ]
}

/// A counter group and a counter.
type Name = (&'static str, &'static str);

const INCOMING: Name = ("mail_incoming_traffic_summary", "total_recipients");
const THREATS: Name = ("mail_incoming_traffic_summary", "total_threat_recipients");
const DELIVERED: Name = ("mail_outgoing_traffic_summary", "total_recipients_delivered");
const BOUNCES: Name = ("mail_outgoing_traffic_summary", "total_hard_bounces");
const PROCESSED: Name = ("mail_outgoing_traffic_summary", "total_recipients_processed");
const QUEUE: &str = "mail_system_capacity_workqueue_maximum_messages";

fn table(division: Division) -> Panel {
    let Division { prefix, label, chosen, keys, titles, .. } = division;
    let sum = |expr: String| format!("sum by (appliance, {label}) ({expr})");
    let rate = |counter| sum(division.counted(counter).rate(""));
    let range = |counter| sum(division.counted(counter).in_range(""));
    Panel::table(
        titles.table,
        "One row for each entry in the SMA's configuration. The SMA receives its data in batches, so they are about \
         15 minutes older than those of an ESA.",
        keys,
    )
    .column("Incoming per minute", Unit::Count, Limits::none(), &format!("{} * 60", rate(INCOMING)))
    .column("Incoming in range", Unit::Count, Limits::none(), &range(INCOMING))
    .column("Threats", Unit::Ratio, Limits::none(), &format!("{} / ({} > 0)", rate(THREATS), rate(INCOMING)))
    .column("Delivered per minute", Unit::Count, Limits::none(), &format!("{} * 60", rate(DELIVERED)))
    .column("Hard bounces", Unit::Ratio, Limits::none(), &format!("{} / ({} > 0)", rate(BOUNCES), rate(PROCESSED)))
    .column(
        "Work queue",
        Unit::Count,
        Limits::both(WORK_QUEUE, WORK_QUEUE_BACKLOG),
        &format!("max by (appliance, {label}) ({prefix}{QUEUE}_last_window{{{chosen}}})"),
    )
    .column(
        "Reports fetched",
        Unit::Ratio,
        Limits::falling(0.9, 1.0),
        &format!("avg by (appliance, {label}) (asyncos_group_success{{{chosen}}})"),
    )
    .column(
        "Data as of",
        Unit::Ago,
        Limits::none(),
        &format!("min by (appliance, {label}) (asyncos_window_end_timestamp_seconds{{{chosen}}}) * 1000"),
    )
    .sorted("Incoming per minute", Order::Falling)
    .size(24, 9)
}

//! Quarantines and licences: what fills up, and what ends.

use super::super::board::{Board, Manner, Row, Uid};
use super::super::panel::{Order, Panel, Step};
use super::super::style::{Limits, Unit, Words};
use super::super::threshold::{GRACE, LICENCE_NOW, LICENCE_SOON, REPORTING_AGE};
use super::average;

pub(super) fn board() -> Board {
    Board {
        uid: Uid::Stores,
        description: "What fills up and what expires: quarantines, licences, and the appliances that an SMA manages.",
        domain: "system",
        manner: Manner::Watch,
        rows: vec![
            Row::open("Now", numbers()),
            Row::open("Quarantines", quarantines()),
            Row::open("Licences", vec![licences()]),
            Row::folded("Managed appliances and reporting data", managed()),
        ],
    }
}

fn numbers() -> Vec<Panel> {
    let messages = |title, description, matcher: &str| {
        let expr = format!("sum(asyncos_quarantine_messages{{APPLIANCE,quarantine_type=\"{matcher}\"}} REPORTED)");
        Panel::stat(title, description, Unit::Count, &expr).step(Step::Minute).with_history()
    };
    let tiles = [
        messages(
            "In policy quarantines",
            "Messages in the policy, virus and outbreak quarantines that wait for release.",
            "pvo",
        ),
        messages("In the spam quarantine", "Messages in the spam quarantine. Users process them.", "spam"),
        Panel::stat(
            "Space used",
            "Space used by the policy, virus and outbreak quarantines. The API does not report their limits.",
            Unit::Bytes,
            "sum(asyncos_quarantine_size_bytes{APPLIANCE} REPORTED)",
        )
        .step(Step::Minute)
        .with_history(),
        Panel::stat(
            "Growth in range",
            "Change of the number of messages in all quarantines.",
            Unit::Count,
            "sum(delta(asyncos_quarantine_messages{APPLIANCE}[$__range]) REPORTED)",
        )
        .signed()
        .whole()
        .step(Step::Minute),
        Panel::stat(
            "Licences expiring soon",
            "Feature keys that expire within 30 days (AsyncosLicenceExpiring). Expired ones are in the table below.",
            Unit::Count,
            &format!(
                "count(asyncos_feature_expiry_timestamp_seconds{{APPLIANCE}} - time() < {LICENCE_SOON} and \
                 asyncos_feature_expiry_timestamp_seconds{{APPLIANCE}} - time() > 0) or \
                 0 * count(asyncos_feature_expiry_timestamp_seconds{{APPLIANCE}})"
            ),
        )
        .limits(Limits::look(1.0))
        .step(Step::Minute),
        Panel::stat(
            "Data as of",
            &format!(
                "Time since the last successful poll of the quarantines, at the selected appliance where it is longest. \
                 Yellow from {} minutes, red from {} hours.",
                GRACE / 60.0,
                REPORTING_AGE / 3600.0
            ),
            Unit::Seconds,
            "time() - min(asyncos_group_last_success_timestamp_seconds{APPLIANCE,group=\"quarantines\"} or \
             timestamp(asyncos_group_success{APPLIANCE,group=\"quarantines\"} == 1))",
        )
        .limits(Limits::both(GRACE, REPORTING_AGE))
        .step(Step::Minute),
    ];
    tiles.into_iter().map(|tile| tile.size(8, 3)).collect()
}

fn quarantines() -> Vec<Panel> {
    vec![
        Panel::lines(
            "Messages by quarantine",
            "Messages in each quarantine. A full one releases or deletes its oldest messages, depending on its \
             settings (AsyncosQuarantineGrowing). Where asyncos_quarantine_messages_lower_bound is 1, the number is a \
             lower bound.",
            Unit::Count,
        )
        .query(&format!("topk(20, sum by (quarantine) ({} REPORTED))", average("asyncos_quarantine_messages")), "{{quarantine}}")
        .step(Step::Minute),
        Panel::lines("Space by quarantine", "Space used by each of the policy, virus and outbreak quarantines.", Unit::Bytes)
            .query(&format!("topk(20, sum by (quarantine) ({} REPORTED))", average("asyncos_quarantine_size_bytes")), "{{quarantine}}")
            .step(Step::Minute),
        Panel::lines("Held by appliance", "Messages in the policy, virus and outbreak quarantines of each ESA, from \
                                           its health report.", Unit::Count)
            .query(&format!("topk(20, max by (appliance) ({}))", average("asyncos_health_quarantine_messages")), "{{appliance}}")
            .step(Step::Minute),
        Panel::lines(
            "Predicted size in 24 hours",
            "Messages that each quarantine will hold in 24 hours at the trend of the last hour.",
            Unit::Count,
        )
        .query(
            "topk(20, sum by (quarantine) (predict_linear(asyncos_quarantine_messages{APPLIANCE}[1h], 86400) REPORTED))",
            "{{quarantine}}",
        )
        .signed()
        .step(Step::Minute),
    ]
}

fn licences() -> Panel {
    Panel::table(
        "Licences",
        "Feature keys by expiry, soonest first. A feature without a key stops scanning and mail passes unscanned: \
         `featurekey` lists the keys, the vendor renews them. Needs the XML status.",
        &[("appliance", "Appliance"), ("feature", "Feature")],
    )
    .column(
        "Time left",
        Unit::Seconds,
        Limits::falling(LICENCE_NOW, LICENCE_SOON),
        "bottomk(50, min by (appliance, feature) (asyncos_feature_expiry_timestamp_seconds{APPLIANCE} - time()))",
    )
    .column(
        "Ends",
        Unit::Date,
        Limits::none(),
        "bottomk(50, min by (appliance, feature) (asyncos_feature_expiry_timestamp_seconds{APPLIANCE})) * 1000",
    )
    .sorted("Time left", Order::Rising)
    .step(Step::Minute)
}

fn managed() -> Vec<Panel> {
    vec![
        Panel::timeline(
            "Connected to the SMA",
            "Whether the SMA is connected to each appliance that it manages. Without a connection, data are late \
             (AsyncosManagedApplianceDisconnected).",
            Words::UpDown,
        )
        .query(
            "topk(40, max by (managed_appliance) (asyncos_managed_appliance_connected{APPLIANCE}))",
            "{{managed_appliance}}",
        ),
        Panel::timeline(
            "Services on the SMA",
            "Services of the SMA for each appliance: reporting, tracking, quarantines.",
            Words::OffOn,
        )
        .query(
            "topk(40, max by (managed_appliance, service) (asyncos_managed_appliance_service_enabled{APPLIANCE}))",
            "{{managed_appliance}}: {{service}}",
        ),
        Panel::table(
            "Reporting data",
            "Time range of the reporting data on each appliance, and the last heartbeat of its reporting.",
            &[("appliance", "Appliance")],
        )
        .column(
            "From",
            Unit::Date,
            Limits::none(),
            "max by (appliance) (asyncos_reporting_data_begin_timestamp_seconds{APPLIANCE}) * 1000",
        )
        .column(
            "To",
            Unit::Date,
            Limits::none(),
            "max by (appliance) (asyncos_reporting_data_end_timestamp_seconds{APPLIANCE}) * 1000",
        )
        .column(
            "Heartbeat",
            Unit::Date,
            Limits::none(),
            "max by (appliance) (asyncos_reporting_heartbeat_timestamp_seconds{APPLIANCE}) * 1000",
        )
        .step(Step::Minute)
        .size(24, 7),
    ]
}

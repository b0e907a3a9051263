//! Alerts about what fills up over days and what ends: quarantines and licences.

use super::super::alert::Severity::{Critical, Warning};
use super::super::alert::{Alert, Page};
use super::super::board::Uid;
use super::super::threshold::{LICENCE_ABANDONED, LICENCE_NOW, LICENCE_SOON, QUARANTINE_FLOOR, QUARANTINE_GROWTH};

const LEFT: &str = "asyncos_feature_expiry_timestamp_seconds - time()";

pub(super) fn alerts() -> Vec<Alert> {
    vec![
        Alert::new(
            "AsyncosQuarantineGrowing",
            Warning,
            Some("1h"),
            &format!(
                "asyncos_quarantine_messages > {QUARANTINE_GROWTH} * asyncos_quarantine_messages offset 1d and \
                 asyncos_quarantine_messages > {QUARANTINE_FLOOR}"
            ),
            "The quarantine {{ $labels.quarantine }} of {{ $labels.appliance }} grows",
            "The quarantine {{ $labels.quarantine }} of {{ $labels.appliance }} holds {{ $value | humanize }} messages, more \
             than twice as many as a day ago.",
            Page {
                meaning: "A quarantine has doubled within a day. The API does not report its limit, so its growth is \
                          watched.",
                impact: "Users wait for mail that is held. A full quarantine releases or deletes its oldest messages, as it is \
                         set up.",
                panel: (Uid::Stores, "Messages by quarantine"),
                commands: &[
                    "`quarantineconfig` on the appliance: what happens when it is full?",
                    "Monitor > Policy, Virus and Outbreak Quarantines",
                ],
                causes: &["an outbreak", "a content filter that matches too much", "nobody looks after the quarantine"],
                actions: &["look at what came last and correct the filter", "release what is harmless"],
            },
        ),
        Alert::new(
            "AsyncosLicenceExpiring",
            Warning,
            Some("1h"),
            &format!("{LEFT} < {LICENCE_SOON} >= {LICENCE_NOW}"),
            "The licence of {{ $labels.feature }} on {{ $labels.appliance }} ends",
            "The licence of {{ $labels.feature }} on {{ $labels.appliance }} ends in {{ $value | humanizeDuration }}.",
            Page {
                meaning: "A feature key ends within 30 days.",
                impact: "None yet. When it ends, the feature stops scanning and mail goes on.",
                panel: (Uid::Stores, "Licences"),
                commands: &["`featurekey` on the appliance", "`license_smart` with smart licensing"],
                causes: &["nobody renewed it", "the appliance does not reach the vendor to fetch the new key"],
                actions: &["order it now; `featurekey` > `CHECKNOW` once it is there"],
            },
        ),
        Alert::new(
            "AsyncosLicenceExpired",
            Critical,
            Some("1h"),
            &format!("{LEFT} < {LICENCE_NOW} > -{LICENCE_ABANDONED}"),
            "The licence of {{ $labels.feature }} on {{ $labels.appliance }} has ended or is about to",
            "The licence of {{ $labels.feature }} on {{ $labels.appliance }} has {{ $value | humanizeDuration }} left; below \
             zero it has ended.",
            Page {
                meaning: "A feature key ends within 7 days, or ended within the last 30. Those that ended before are taken for \
                          not wanted any more.",
                impact: "The feature stops scanning and mail goes on: spam or viruses come through.",
                panel: (Uid::Stores, "Licences"),
                commands: &["`featurekey` on the appliance", "`displayalerts`"],
                causes: &["as for [AsyncosLicenceExpiring](#asyncoslicenceexpiring)"],
                actions: &["ask the vendor for an emergency key", "route mail over gateways that are licensed"],
            },
        ),
    ]
}

//! Alerts about what fills up over days and what ends: quarantines and licences.

use super::super::alert::Severity::{Critical, Warning};
use super::super::alert::{Alert, Page};
use super::super::board::Uid;
use super::super::threshold::{LICENCE_ABANDONED, LICENCE_NOW, LICENCE_SOON, QUARANTINE_FLOOR, QUARANTINE_GROWTH};

/// Seconds that feature keys have left: by the REST API, or by SNMP where the REST API shows none. SNMP reports 0 for ever
/// after a key has expired, so that one that had no time left a week ago either is taken for one that nobody needs.
const LEFT: &str = "(asyncos_feature_expiry_timestamp_seconds - time() or on (appliance) \
                    (asyncos_snmp_feature_key_remaining_seconds{perpetual=\"2\"} > 0 or \
                    asyncos_snmp_feature_key_remaining_seconds{perpetual=\"2\"} == 0 and \
                    asyncos_snmp_feature_key_remaining_seconds offset 7d > 0))";

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
            "The quarantine {{ $labels.quarantine }} of {{ $labels.appliance }} has doubled in a day",
            "The quarantine {{ $labels.quarantine }} of {{ $labels.appliance }} holds {{ $value | humanize }} messages, more \
             than twice as many as a day ago.",
            Page {
                meaning: "A quarantine has doubled within a day. The API does not report its limit, so the rule looks \
                          at its growth.",
                impact: "Users wait for quarantined mail. A full quarantine releases or deletes its oldest messages, \
                         depending on its settings.",
                panel: (Uid::Stores, "Messages by quarantine"),
                commands: &[
                    "`quarantineconfig` on the appliance: what happens when it is full?",
                    "Monitor > Policy, Virus and Outbreak Quarantines",
                ],
                causes: &["an outbreak", "a content filter that matches too much", "nobody processes the quarantine"],
                actions: &["check the newest messages and correct the filter", "release what is harmless"],
            },
        ),
        Alert::new(
            "AsyncosLicenceExpiring",
            Warning,
            Some("1h"),
            &format!("{LEFT} < {LICENCE_SOON} >= {LICENCE_NOW}"),
            "The licence of {{ $labels.feature }} on {{ $labels.appliance }} expires soon",
            "The licence of {{ $labels.feature }} on {{ $labels.appliance }} expires in {{ $value | humanizeDuration \
             }}.",
            Page {
                meaning: "A feature key expires within 30 days.",
                impact: "None yet. When the key expires, the feature stops scanning and mail passes unscanned.",
                panel: (Uid::Stores, "Licences"),
                commands: &["`featurekey` on the appliance", "`license_smart` with smart licensing"],
                causes: &["it was not renewed", "the appliance does not reach the vendor to fetch the new key"],
                actions: &["order the renewal now, then run `featurekey` > `CHECKNOW`"],
            },
        ),
        Alert::new(
            "AsyncosLicenceExpired",
            Critical,
            Some("1h"),
            &format!("{LEFT} < {LICENCE_NOW} > -{LICENCE_ABANDONED}"),
            "The licence of {{ $labels.feature }} on {{ $labels.appliance }} has expired or is about to expire",
            "The licence of {{ $labels.feature }} on {{ $labels.appliance }} has {{ $value | humanizeDuration }} \
             left; a negative time means that it has expired.",
            Page {
                meaning: "A feature key expires within 7 days, or expired within the last 30. Keys that expired \
                          earlier are ignored: they are assumed to be no longer needed.",
                impact: "The feature stops scanning and mail passes unscanned: spam or viruses get through.",
                panel: (Uid::Stores, "Licences"),
                commands: &["`featurekey` on the appliance", "`displayalerts`"],
                causes: &["as for [AsyncosLicenceExpiring](#asyncoslicenceexpiring)"],
                actions: &["ask the vendor for an emergency key", "route mail through ESAs that are licensed"],
            },
        ),
    ]
}

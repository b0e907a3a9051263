//! Alerts about what snmp_exporter reads from an appliance; a step is a minute.

use super::{Case, case, counter, gauge};

/// A case about one appliance of the job of snmp_exporter.
fn snmp(alert: &'static str) -> Case {
    let mut case = case(alert);
    case.labels = vec![("job", "asyncos_snmp"), ("instance", "esa1:161"), ("appliance", "esa1")];
    case
}

/// The case with a series of the appliance.
fn with(mut case: Case, metric: &str, labels: &str, values: &str) -> Case {
    let own = "job=\"asyncos_snmp\",instance=\"esa1:161\",appliance=\"esa1\"";
    let comma = if labels.is_empty() { "" } else { "," };
    case.series.push((format!("{metric}{{{own}{comma}{labels}}}"), values.to_owned()));
    case
}

/// The case with a part of the appliance: a series of its own, labels of the alert.
fn of(case: Case, metric: &str, label: &'static str, name: &'static str, values: &str) -> Case {
    with(case, metric, &format!("index=\"1\",{label}=\"{name}\""), values).label("index", "1").label(label, name)
}

pub(in super::super) fn cases() -> Vec<Case> {
    const FAN: &str = "asyncos_snmp_fan_speed_rpm";
    const SUPPLY: &str = "asyncos_snmp_power_supply_status";
    vec![
        with(snmp("AsyncosSnmpDown"), "up", "", &gauge([(1.0, 10), (0.0, 30), (1.0, 10)])).at(24, 25, 40).says(
            "esa1 does not answer SNMP",
            "esa1 has not answered SNMP requests for 15 minutes: there are no metrics of its hardware.",
        ),
        // An appliance that was never read is silent too.
        of(snmp("AsyncosFanStopped"), FAN, "fan", "FAN 2", &format!("_x10 {}", gauge([(1.0, 10), (0.0, 10), (900.0, 5)])))
            .silent_at([5])
            .at(24, 25, 30)
            .says(
                "The fan FAN 2 of esa1 has stopped",
                "The fan FAN 2 of esa1 has reported 0 revolutions per minute for 5 minutes.",
            ),
        // One that stops is not slow.
        of(snmp("AsyncosFanSlow"), FAN, "fan", "FAN 2", &gauge([(8000.0, 2000), (3500.0, 40), (0.0, 40), (8000.0, 5)]))
            .silent_at([2070])
            .at(2029, 2030, 2080)
            .says(
                "The fan FAN 2 of esa1 is slow",
                "The fan FAN 2 of esa1 has turned 3.5k times per minute for half an hour, less than half of its mean of a \
                 week.",
            ),
        of(
            snmp("AsyncosTemperatureHigh"),
            "asyncos_snmp_temperature_celsius",
            "sensor",
            "Ambient",
            &gauge([(24.0, 2000), (39.0, 60), (41.0, 60), (25.0, 5)]),
        )
        .silent_at([2055])
        .at(2089, 2090, 2120)
        .says(
            "esa1 is hot at Ambient",
            "The sensor Ambient of esa1 has reported 41 °C for half an hour, far above its mean of a week.",
        ),
        of(
            snmp("AsyncosPowerSupplyFailed"),
            SUPPLY,
            "power_supply",
            "PS2",
            &gauge([(1.0, 60), (2.0, 10), (1.0, 20), (2.0, 10), (4.0, 10), (2.0, 10)]),
        )
        .silent_at([50, 74, 104])
        .at(94, 80, 112)
        .says(
            "The power supply PS2 of esa1 has failed",
            "The power supply PS2 of esa1 has reported the state 1 for 5 minutes: 1 is not installed, 3 without AC, 4 faulty.",
        ),
        of(
            snmp("AsyncosRaidDegraded"),
            "asyncos_snmp_raid_drive_status",
            "drive",
            "Drive 0",
            &gauge([(1.0, 10), (2.0, 10), (3.0, 10), (1.0, 10)]),
        )
        .at(14, 15, 30)
        .says(
            "The drive Drive 0 of esa1 is not healthy",
            "The drive Drive 0 of esa1 has reported the state 2 for 5 minutes: 2 is failed, 3 is being rebuilt.",
        ),
        // A few failures among successes are silent, and so are failures of a service that succeeds now and then.
        with(
            of(
                snmp("AsyncosUpdatesFailing"),
                "asyncos_snmp_update_failures_total",
                "service",
                "Sophos",
                &counter([(0.0, 400), (0.01, 400), (0.0, 400)]),
            ),
            "asyncos_snmp_updates_total",
            "index=\"1\",service=\"Sophos\"",
            &counter([(0.2, 420), (0.0, 400), (0.2, 400)]),
        )
        .silent_at([600, 700])
        .at(779, 790, 830)
        .says(
            "esa1 cannot update Sophos",
            "Every update of Sophos on esa1 has failed for 6 hours.",
        ),
        with(
            snmp("AsyncosDnsRequestsPending"),
            "asyncos_snmp_dns_requests_pending",
            "",
            &gauge([(100.0, 20), (150.0, 40), (0.0, 10)]),
        )
        .at(39, 40, 60)
        .says(
            "esa1 waits for DNS",
            "At least 150 DNS requests have waited to be sent by esa1 for 20 minutes.",
        ),
    ]
}

/// Alerts about licences, of feature keys that are read by SNMP; a step is ten minutes.
pub(in super::super) fn feature_keys() -> Vec<Case> {
    const KEY: &str = "asyncos_snmp_feature_key_remaining_seconds";
    const OWN: &str = "index=\"3\",feature=\"Sophos\",perpetual=\"2\"";
    const DAY: f64 = 86_400.0;
    let key = |alert| {
        // A perpetual key has no time left, which means nothing.
        let case = with(snmp(alert), KEY, "index=\"4\",feature=\"Bounce\",perpetual=\"1\"", &gauge([(0.0, 2400)]));
        case.label("index", "3").label("feature", "Sophos").label("perpetual", "2")
    };
    vec![
        with(key("AsyncosLicenceExpiring"), KEY, OWN, &gauge([(31.0 * DAY, 10), (29.0 * DAY, 20), (365.0 * DAY, 5)]))
            .at(15, 16, 30)
            .says(
                "The licence of Sophos on esa1 expires soon",
                "The licence of Sophos on esa1 expires in 29d 0h 0m 0s.",
            ),
        // It has expired, and a week later is one that nobody needs.
        with(key("AsyncosLicenceExpired"), KEY, OWN, &gauge([(8.0 * DAY, 1100), (DAY, 144), (0.0, 1156)]))
            .at(1105, 1300, 2260)
            .says(
                "The licence of Sophos on esa1 has expired or is about to expire",
                "The licence of Sophos on esa1 has 0s left; a negative time means that it has expired.",
            ),
        // Where the REST API shows licences, they are not reported twice.
        with(
            case("AsyncosLicenceExpiring").of(
                "asyncos_feature_expiry_timestamp_seconds",
                "feature=\"Sophos\"",
                gauge([(30.0 * DAY + 6000.0, 40), (9e9, 5)]),
            ),
            KEY,
            OWN,
            &gauge([(20.0 * DAY, 45)]),
        )
        .label("feature", "Sophos")
        .at(16, 20, 41)
        .says("The licence of Sophos on esa1 expires soon", "The licence of Sophos on esa1 expires in 29d 22h 20m 0s."),
    ]
}

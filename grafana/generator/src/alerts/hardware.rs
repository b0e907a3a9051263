//! Alerts about what appliances report by SNMP only: fans, power supplies, drives, temperature, updates, DNS. Without
//! snmp_exporter there are no such series, and none of these alerts can fire.

use super::super::alert::Severity::{Info, Warning};
use super::super::alert::{Alert, Page};
use super::super::board::Uid;
use super::super::threshold::{DNS_PENDING, FAN_SLOW, TEMPERATURE_RISE, UPDATE_FAILURES};

/// The name of snmp_exporter's scrape job, in the example for Prometheus too.
const JOB: &str = "asyncos_snmp";

pub(super) fn alerts() -> Vec<Alert> {
    let mut alerts = vec![down()];
    alerts.extend(cooling());
    alerts.extend(redundancy());
    alerts.extend(services());
    alerts
}

fn down() -> Alert {
    Alert::new(
        "AsyncosSnmpDown",
        Warning,
        Some("15m"),
        &format!(r#"up{{job="{JOB}"}} == 0"#),
        "{{ $labels.appliance }} does not answer SNMP",
        "{{ $labels.appliance }} has not answered SNMP requests for 15 minutes: there are no metrics of its hardware.",
        Page {
            meaning: "snmp_exporter could not read the appliance, or Prometheus could not scrape snmp_exporter.",
            impact: "None on mail. No alert about fans, power supplies, drives, updates or DNS can fire.",
            panel: (Uid::Fleet, "Reachable"),
            commands: &[
                "`curl -s 'http://HOST:9116/snmp?module=asyncos&auth=asyncos&target=ESA1'` on snmp_exporter's host",
                "`snmpconfig` on the appliance",
            ],
            causes: &[
                "SNMP is not enabled on the interface that snmp_exporter uses",
                "the user, a passphrase or an algorithm differs from `snmpconfig`",
                "a firewall that does not allow UDP port 161",
            ],
            actions: &["compare `snmp_asyncos.yml` with `snmpconfig`", "run `snmpwalk` from snmp_exporter's host"],
        },
    )
}

fn cooling() -> Vec<Alert> {
    const HOT: &str = "None yet. An appliance that gets too hot slows down or switches itself off.";
    const AIR: &[&str] = &["dust, or something that blocks the air", "a hot room", "a fan that is worn out"];
    vec![
        Alert::new(
            "AsyncosFanStopped",
            Warning,
            Some("5m"),
            "asyncos_snmp_fan_speed_rpm == 0",
            "The fan {{ $labels.fan }} of {{ $labels.appliance }} has stopped",
            "The fan {{ $labels.fan }} of {{ $labels.appliance }} has reported 0 revolutions per minute for 5 minutes.",
            Page {
                meaning: "The fan does not turn; the vendor's MIB calls 0 a failed fan.",
                impact: HOT,
                panel: (Uid::Capacity, "CPU by appliance"),
                commands: &["`asyncos_snmp_fan_speed_rpm` in Prometheus: the other fans", "`displayalerts`"],
                causes: &["a fan that has failed or was taken out"],
                actions: &["have the fan replaced", "route mail through other ESAs if the temperature rises"],
            },
        ),
        Alert::new(
            "AsyncosFanSlow",
            Warning,
            Some("30m"),
            &format!(
                "asyncos_snmp_fan_speed_rpm > 0 and \
                 asyncos_snmp_fan_speed_rpm < {FAN_SLOW} * avg_over_time(asyncos_snmp_fan_speed_rpm[7d])"
            ),
            "The fan {{ $labels.fan }} of {{ $labels.appliance }} is slow",
            "The fan {{ $labels.fan }} of {{ $labels.appliance }} has turned {{ $value | humanize }} times per minute for \
             half an hour, less than half of its mean of a week.",
            Page {
                meaning: "The fan is slower than half of its mean of a week (an assumed limit: the speed that is too low \
                          depends on the model).",
                impact: HOT,
                panel: (Uid::Capacity, "CPU by appliance"),
                commands: &["`asyncos_snmp_fan_speed_rpm` in Prometheus: the other fans", "`displayalerts`"],
                causes: &["a bearing that is about to fail", "less load or a cooler room after a hot week"],
                actions: &["compare it with the other fans", "have it replaced if it alone is slow"],
            },
        ),
        Alert::new(
            "AsyncosTemperatureHigh",
            Warning,
            Some("30m"),
            &format!(
                "asyncos_snmp_temperature_celsius > \
                 {TEMPERATURE_RISE} + avg_over_time(asyncos_snmp_temperature_celsius[7d])"
            ),
            "{{ $labels.appliance }} is hot at {{ $labels.sensor }}",
            "The sensor {{ $labels.sensor }} of {{ $labels.appliance }} has reported {{ $value }} °C for half an hour, far \
             above its mean of a week.",
            Page {
                meaning: "The sensor is more than 15 °C above its mean of a week (an assumed limit: the MIB has none).",
                impact: HOT,
                panel: (Uid::Capacity, "CPU by appliance"),
                commands: &["`asyncos_snmp_temperature_celsius` in Prometheus: the other sensors", "`displayalerts`"],
                causes: AIR,
                actions: &["check the room and the fans", "route mail through other ESAs before it switches off"],
            },
        ),
    ]
}

fn redundancy() -> Vec<Alert> {
    vec![
        Alert::new(
            "AsyncosPowerSupplyFailed",
            Warning,
            Some("5m"),
            "asyncos_snmp_power_supply_status > 2 or \
             (asyncos_snmp_power_supply_status == 1 and max_over_time(asyncos_snmp_power_supply_status[7d]) > 1)",
            "The power supply {{ $labels.power_supply }} of {{ $labels.appliance }} has failed",
            "The power supply {{ $labels.power_supply }} of {{ $labels.appliance }} has reported the state {{ $value }} for \
             5 minutes: 1 is not installed, 3 without AC, 4 faulty.",
            Page {
                meaning: "A power supply is faulty, gets no power, or has disappeared within a week. One that was never \
                          installed is no failure.",
                impact: "None yet. The appliance goes down if the other power supply fails too.",
                panel: (Uid::Fleet, "Appliances"),
                commands: &["`displayalerts`", "`asyncos_snmp_power_supply_status` in Prometheus"],
                causes: &["a cable or a fuse", "a power supply that has failed or was taken out"],
                actions: &["check the cable and the outlet", "have the power supply replaced"],
            },
        ),
        Alert::new(
            "AsyncosRaidDegraded",
            Warning,
            Some("5m"),
            "asyncos_snmp_raid_drive_status > 1",
            "The drive {{ $labels.drive }} of {{ $labels.appliance }} is not healthy",
            "The drive {{ $labels.drive }} of {{ $labels.appliance }} has reported the state {{ $value }} for 5 minutes: 2 is \
             failed, 3 is being rebuilt.",
            Page {
                meaning: "A drive of the RAID array has failed or is being rebuilt.",
                impact: "None yet. The appliance and its queue are lost if another drive fails first.",
                panel: (Uid::Capacity, "Disk I/O by appliance"),
                commands: &["`raid` in `diagnostic`", "`displayalerts`"],
                causes: &["a drive that has failed or was taken out", "a drive that was replaced: it is being rebuilt"],
                actions: &["have a failed drive replaced", "avoid restarts until the array is rebuilt"],
            },
        ),
    ]
}

fn services() -> Vec<Alert> {
    vec![
        Alert::new(
            "AsyncosUpdatesFailing",
            Warning,
            None,
            &format!(
                "increase(asyncos_snmp_update_failures_total[6h]) > {UPDATE_FAILURES} and \
                 increase(asyncos_snmp_updates_total[6h]) == 0"
            ),
            "{{ $labels.appliance }} cannot update {{ $labels.service }}",
            "Every update of {{ $labels.service }} on {{ $labels.appliance }} has failed for 6 hours.",
            Page {
                meaning: "Updates of a service, such as antivirus definitions, fail, and none has succeeded for 6 hours.",
                impact: "Engines with old definitions let new threats pass.",
                panel: (Uid::Incoming, "Threat share, and a week ago"),
                commands: &["`updatenow`, then `tail updater_logs`", "`antivirusstatus`, `antispamstatus`"],
                causes: &[
                    "a firewall or proxy between the appliance and the vendor's update servers",
                    "a licence that has expired",
                    "DNS that does not resolve the update servers",
                ],
                actions: &["test the connection to the update servers with `telnet`", "check `updateconfig`"],
            },
        ),
        Alert::new(
            "AsyncosDnsRequestsPending",
            Info,
            Some("5m"),
            &format!("min_over_time(asyncos_snmp_dns_requests_pending[15m]) > {DNS_PENDING}"),
            "{{ $labels.appliance }} waits for DNS",
            "At least {{ $value | humanize }} DNS requests have waited to be sent by {{ $labels.appliance }} for 20 minutes.",
            Page {
                meaning: "More than 100 DNS requests wait to be sent all the time (an assumed limit).",
                impact: "Mail is delayed: senders, reputation and destinations are looked up in DNS.",
                panel: (Uid::Capacity, "Work queue now"),
                commands: &[
                    "`dnsstatus`",
                    "`nslookup example.com`",
                    "`asyncos_snmp_dns_requests_outstanding` in Prometheus",
                ],
                causes: &["slow or unreachable DNS servers", "a firewall that drops DNS", "a wave of mail"],
                actions: &[
                    "check the servers in `dnsconfig`",
                    "flush the cache with `dnsflush` after a change of servers",
                ],
            },
        ),
    ]
}

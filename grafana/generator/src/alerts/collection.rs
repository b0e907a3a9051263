//! Alerts about the requests to the appliances: whether the data are complete.

use super::super::alert::Severity::{Critical, Info, Warning};
use super::super::alert::{Alert, Page};
use super::super::board::Uid;
use super::super::threshold::{CERTIFICATE_SOON, GRACE, LATE_WINDOWS, REPORTING_AGE};

pub(super) fn alerts() -> Vec<Alert> {
    let mut alerts = reach();
    alerts.extend(reports());
    alerts.extend(super::accuracy::alerts());
    alerts
}

fn reach() -> Vec<Alert> {
    vec![
        Alert::new(
            "AsyncosApplianceUnreachable",
            Critical,
            Some("5m"),
            "asyncos_up == 0",
            "API requests to {{ $labels.appliance }} fail",
            "No API request to {{ $labels.appliance }} has succeeded for 5 minutes. The exporter's status page names \
             the cause.",
            Page {
                meaning: "No request to the appliance's API has succeeded for 5 minutes.",
                impact: "Unknown. Mail does not depend on the API, but the appliance itself may be down. Missed \
                         windows are fetched once the API answers again.",
                panel: (Uid::Fleet, "Reachable"),
                commands: &[
                    "`status` on the appliance, if you can log in",
                    "`curl -kv https://APPLIANCE:6443/` from the exporter's host",
                    "`telnet APPLIANCE 25`: does it accept mail?",
                ],
                causes: &[
                    "the login is refused, or `url` points to another port or server",
                    "the appliance is down or restarts after an upgrade",
                    "the API is switched off: `interfaceconfig`",
                    "a firewall, a DNS failure or an untrusted certificate: the exporter's log names the cause",
                ],
                actions: &["check first whether mail flows", "correct what the log names; no restart is needed"],
            },
        ),
        Alert::new(
            "AsyncosLoginBlocked",
            Critical,
            None,
            "asyncos_login_blocked == 1",
            "Logins at {{ $labels.appliance }} have stopped",
            "{{ $labels.appliance }} refused several logins in a row. The exporter has stopped trying, so that the \
             account is not locked.",
            Page {
                meaning: "The appliance refused the exporter's password three times. The exporter does not try again \
                          until the password changes.",
                impact: "None on mail. There are no new metrics of this appliance.",
                panel: (Uid::Exporter, "Logins blocked"),
                commands: &["`userconfig` on the appliance: is the account there, and unlocked?", "the exporter's log"],
                causes: &[
                    "the password was changed on the appliance",
                    "the account was locked or its passphrase has expired",
                    "the account requires a second factor, or `url` points to another server: the status page says \
                     which",
                ],
                actions: &[
                    "put the correct password into the file: the exporter reads it again within 30 seconds",
                    "if the password was correct: unlock the account, then `POST /-/login-reset`",
                ],
            },
        ),
        Alert::new(
            "AsyncosLoginRefused",
            Warning,
            Some("1m"),
            "asyncos_login_refusals > 0 unless on (EACH) asyncos_login_blocked == 1",
            "{{ $labels.appliance }} refuses the password",
            "{{ $labels.appliance }} has refused {{ $value }} login(s) in a row; the exporter stops trying after \
             three.",
            Page {
                meaning: "The appliance has refused the exporter's password.",
                impact: "None on mail. After the third refusal there are no new metrics of this appliance.",
                panel: (Uid::Exporter, "Logins"),
                commands: &["`userconfig` on the appliance", "the exporter's log"],
                causes: &[
                    "the password was changed on one side",
                    "the account requires a second factor, or `url` points to another server: the status page says \
                     which",
                ],
                actions: &["follow the advice on the status page, or correct the password file; no restart is needed"],
            },
        ),
        Alert::new(
            "AsyncosManagedApplianceDisconnected",
            Warning,
            Some("15m"),
            "asyncos_managed_appliance_connected == 0",
            "{{ $labels.appliance }} is not connected to {{ $labels.managed_appliance }}",
            "The SMA {{ $labels.appliance }} has been disconnected from {{ $labels.managed_appliance }} for 15 \
             minutes: data of that appliance are late or missing.",
            Page {
                meaning: "An SMA has lost the connection to an appliance that it provides reporting, tracking or \
                          quarantines for.",
                impact: "Mail flows. Messages for the centralized quarantine may wait on the appliance.",
                panel: (Uid::Stores, "Connected to the SMA"),
                commands: &["`applianceconfig` on the SMA: test the connection", "`status` on the appliance"],
                causes: &[
                    "the appliance is down",
                    "SSH between the two is blocked",
                    "the appliance was reinstalled and has another key",
                ],
                actions: &["restore the connection; up to a day of data then arrives and is added to the totals"],
            },
        ),
        Alert::new(
            "AsyncosCertificateExpiring",
            Warning,
            Some("1h"),
            &format!("asyncos_tls_certificate_expiry_timestamp_seconds - time() < {CERTIFICATE_SOON}"),
            "The certificate of {{ $labels.appliance }} expires soon",
            "The certificate that {{ $labels.appliance }} presents to the exporter expires in {{ $value | \
             humanizeDuration }}.",
            Page {
                meaning: "The certificate of the appliance's API expires within two weeks, or has expired.",
                impact: "None on mail, unless listeners use the same certificate. The exporter stops trusting the \
                         certificate once it expires.",
                panel: (Uid::Encryption, "Certificates"),
                commands: &["`certconfig` on the appliance", "`openssl s_client -connect APPLIANCE:6443`"],
                causes: &["it was not renewed"],
                actions: &[
                    "install a new one, then update `ca_file` or `fingerprint_sha256` in the exporter's configuration",
                ],
            },
        ),
        Alert::new(
            "AsyncosTlsNotVerified",
            Info,
            Some("1h"),
            "asyncos_tls_verification_disabled == 1",
            "The certificate of {{ $labels.appliance }} is not checked",
            "The configuration says `insecure_skip_verify` for {{ $labels.appliance }}: anyone on the network path can read the \
             password.",
            Page {
                meaning: "The exporter accepts any certificate from this appliance.",
                impact: "None on mail. The password of the account can be read on the way.",
                panel: (Uid::Encryption, "Certificates"),
                commands: &["`openssl s_client -connect APPLIANCE:6443 | openssl x509 -fingerprint -sha256 -noout`"],
                causes: &["it was set for a test"],
                actions: &["compare the fingerprint with the appliance's, and set `fingerprint_sha256` in its place"],
            },
        ),
    ]
}

fn reports() -> Vec<Alert> {
    vec![
        Alert::new(
            "AsyncosReportsFailing",
            Warning,
            Some("15m"),
            "count by (EACH) (asyncos_group_success == 0 unless on (job, instance, appliance, device_group, device, group) \
             asyncos_group_refused == 1) > 0 and on (EACH) asyncos_up == 1",
            "Report polls of {{ $labels.appliance }} are failing",
            "{{ $value }} counter group(s) of {{ $labels.appliance }} have been failing for 15 minutes.",
            Page {
                meaning: "The appliance answers, but polls of some counter groups fail.",
                impact: "None on mail. Their data are missing until polls succeed again; missed windows are then \
                         fetched.",
                panel: (Uid::Exporter, "Reports fetched by group"),
                commands: &["the query `asyncos_group_success == 0`", "the exporter's log says why, once"],
                causes: &[
                    "the appliance is overloaded and answers too slowly: raise `timeout`",
                    "its reporting is being rebuilt after an upgrade",
                ],
                actions: &["wait if the appliance was just upgraded", "remove counter groups that nobody needs"],
            },
        ),
        Alert::new(
            "AsyncosReportsRefused",
            Info,
            Some("2h"),
            "count by (job, instance, appliance, reason) (asyncos_group_refused == 1) > 0",
            "{{ $labels.appliance }} refuses some reports",
            "{{ $value }} counter group(s) of {{ $labels.appliance }} are refused ({{ $labels.reason }}) and requested once an \
             hour.",
            Page {
                meaning: "The account may not read some reports, or the release does not have them.",
                impact: "None on mail. Panels about them stay empty.",
                panel: (Uid::Exporter, "Appliances"),
                commands: &[
                    "the query `asyncos_group_refused`",
                    "`asyncos_exporter discover` lists what the account may read",
                    "`userconfig` on the appliance, for the role",
                ],
                causes: &["a role without reporting", "an older release", "a feature that is not licensed"],
                actions: &[
                    "give the account the role *Read-Only Operator*, or remove the groups from the configuration",
                ],
            },
        ),
        Alert::new(
            "AsyncosDataStale",
            Warning,
            Some("5m"),
            &format!(
                "max by (EACH) ((time() - asyncos_window_end_timestamp_seconds) > on (EACH) group_left () ({LATE_WINDOWS} * \
                 max by (EACH) (asyncos_window_seconds) + max by (EACH) (asyncos_settle_seconds) + {GRACE}))"
            ),
            "The data of {{ $labels.appliance }} are stale",
            "The oldest data of {{ $labels.appliance }} end {{ $value | humanizeDuration }} ago, more than three \
             windows.",
            Page {
                meaning: "For some counter group, no window was counted for longer than three windows plus the settle \
                          delay plus ten minutes.",
                impact: "None on mail. The dashboards show the state at *Data as of*. Missed windows are counted \
                         later.",
                panel: (Uid::Exporter, "Age of the data by appliance"),
                commands: &["the query `asyncos_windows_pending`", "the exporter's log"],
                causes: &[
                    "requests to the appliance fail, or are slow",
                    "the exporter is catching up after an outage",
                    "the request budget is too small for the number of counter groups and devices",
                ],
                actions: &["look at *Request duration*", "raise `requests_per_minute`, or `window`"],
            },
        ),
        Alert::new(
            "AsyncosWindowsLost",
            Warning,
            None,
            "sum by (job, instance, appliance, reason) (increase(asyncos_windows_lost_total[1h])) > 0",
            "Data of {{ $labels.appliance }} are lost",
            "{{ printf \"%.0f\" $value }} windows of {{ $labels.appliance }} could not be fetched in time ({{ \
             $labels.reason }}): their events are missing from the totals.",
            Page {
                meaning: "Windows were skipped and are not counted in totals.",
                impact: "None on mail. Totals over this time are too low; ratios are unaffected.",
                panel: (Uid::Exporter, "Windows lost"),
                commands: &["the exporter's log names them"],
                causes: &["an outage that was longer than `catch_up`", "the appliance deleted its reporting data"],
                actions: &["raise `catch_up` if the appliance keeps data for longer"],
            },
        ),
        Alert::new(
            "AsyncosReportingBehind",
            Warning,
            Some("15m"),
            &format!("time() - asyncos_reporting_data_end_timestamp_seconds > {REPORTING_AGE}"),
            "Reporting of {{ $labels.appliance }} is behind",
            "The newest data of reporting on {{ $labels.appliance }} are {{ $value | humanizeDuration }} old.",
            Page {
                meaning: "The appliance answers report requests, but its reporting database has no new data.",
                impact: "Mail flows. The counters of the appliance stop growing although mail arrives.",
                panel: (Uid::Stores, "Reporting data"),
                commands: &["`diagnostic` > `REPORTING` on the appliance", "`status`"],
                causes: &[
                    "its reporting has stopped, often after an upgrade or with a full disk",
                    "an SMA receives no data from its ESAs",
                ],
                actions: &[
                    "restart reporting: `diagnostic` > `SERVICES` > `REPORTING` > `RESTART`; mail continues to flow",
                ],
            },
        ),
    ]
}

//! Alerts about the requests to the appliances: whether the data are complete.

use super::super::alert::Severity::{Critical, Info, Warning};
use super::super::alert::{Alert, Page};
use super::super::board::Uid;
use super::super::threshold::{
    CERTIFICATE_SOON, CLOCK_SKEW, GRACE, LATE, LATE_WINDOWS, REPORTING_AGE, REQUEST_FAILURES, SLOW_REQUEST,
};

pub(super) fn alerts() -> Vec<Alert> {
    let mut alerts = reach();
    alerts.extend(reports());
    alerts.extend(doubts());
    alerts
}

fn reach() -> Vec<Alert> {
    vec![
        Alert::new(
            "AsyncosApplianceUnreachable",
            Critical,
            Some("5m"),
            "asyncos_up == 0",
            "{{ $labels.appliance }} is unreachable",
            "The API of {{ $labels.appliance }} has not answered for 5 minutes.",
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
                    "the appliance does not answer, or is slow",
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

fn doubts() -> Vec<Alert> {
    vec![
        Alert::new(
            "AsyncosRequestsFailing",
            Warning,
            Some("30m"),
            &format!(
                "sum by (EACH) (rate(asyncos_api_request_failures_total[30m])) / (sum by (EACH) \
                 (rate(asyncos_api_request_duration_seconds_count[30m])) > 0) > {REQUEST_FAILURES}"
            ),
            "Requests to {{ $labels.appliance }} fail",
            "{{ $value | humanizePercentage }} of the requests to {{ $labels.appliance }} have failed for half an hour.",
            Page {
                meaning: "More than a tenth of the requests to the appliance fail.",
                impact: "None on mail. Data may be late.",
                panel: (Uid::Exporter, "Failures by reason"),
                commands: &["the exporter's log", "`status` and `rate` on the appliance"],
                causes: &["an overloaded appliance", "an unreliable network", "a proxy that aborts long requests"],
                actions: &["raise `timeout` or `window`", "lower `requests_per_minute`"],
            },
        ),
        Alert::new(
            "AsyncosRequestsSlow",
            Warning,
            Some("15m"),
            &format!(
                "histogram_quantile(0.9, sum by (job, instance, appliance, le) \
                 (rate(asyncos_api_request_duration_seconds_bucket[30m]))) > {SLOW_REQUEST}"
            ),
            "{{ $labels.appliance }} answers slowly",
            "A tenth of the requests to {{ $labels.appliance }} take longer than {{ $value | humanizeDuration }}.",
            Page {
                meaning: "Requests take more than half the default timeout.",
                impact: "Reports load the appliance: if its CPU is busy, mail is delayed too. The exporter pauses \
                         after each slow response.",
                panel: (Uid::Exporter, "Request duration"),
                commands: &["`rate` and `status detail` on the appliance"],
                causes: &["an overloaded appliance", "many keyed reports over long windows"],
                actions: &["remove keyed counter groups that nobody needs", "lengthen `window`"],
            },
        ),
        Alert::new(
            "AsyncosClockSkew",
            Warning,
            Some("15m"),
            &format!("abs(asyncos_clock_skew_seconds) > {CLOCK_SKEW}"),
            "The clock of {{ $labels.appliance }} is wrong",
            "The clocks of {{ $labels.appliance }} and of the exporter are {{ $value | humanizeDuration }} apart.",
            Page {
                meaning: "The appliance's clock and the exporter's differ by more than a minute.",
                impact: "None on mail. With a skew of up to a day, windows follow the appliance's clock and are correct. After a \
                         jump to more than a day, they follow the exporter's clock. Token expiry, certificate checks and log \
                         times may be wrong.",
                panel: (Uid::Exporter, "Clock skew"),
                commands: &["`ntpconfig` and `settime` on the appliance", "`timedatectl` on the exporter's host"],
                causes: &[
                    "one of them has no NTP server that answers",
                    "a proxy or load balancer rewrites the `Date` header",
                ],
                actions: &["correct NTP where it is wrong"],
            },
        ),
        Alert::new(
            "AsyncosLateData",
            Info,
            Some("1h"),
            &format!(
                "max by (EACH) (increase(asyncos_late_events_total{{group=\"mail_incoming_traffic_summary\"}}[3h])) / on (EACH) \
                 (increase(asyncos_mail_incoming_traffic_summary_total_recipients_total[3h]) > 0) > {LATE}"
            ),
            "Late data from {{ $labels.appliance }}",
            "Events found after their window was counted are {{ $value | humanizePercentage }} of the recipients of \
             {{ $labels.appliance }} within 3 hours.",
            Page {
                meaning: "Many events are found only when whole hours are compared. They are then added to the totals.",
                impact: "None on mail. Rates are too low at first and jump once per hour.",
                panel: (Uid::Exporter, "Late events"),
                commands: &["the query `asyncos_settle_seconds`"],
                causes: &["ESAs that send their data late to the SMA", "a settle delay that is too short"],
                actions: &["raise `settle`, or set it to `auto`"],
            },
        ),
        Alert::new(
            "AsyncosReconciliationDiffers",
            Info,
            Some("3h"),
            "max by (EACH) (abs(asyncos_reconciliation_difference)) > 0",
            "Totals of {{ $labels.appliance }} differ from its reports",
            "A report of {{ $labels.appliance }} for whole hours differs from the sum of its windows by {{ $value }}, for 3 \
             hours.",
            Page {
                meaning: "The report for whole hours and the sum of its windows differ, and the difference was not \
                          added to the totals.",
                impact: "None on mail. Totals are wrong by the difference.",
                panel: (Uid::Exporter, "Reconciliation difference"),
                commands: &["the query `asyncos_reconciliation_difference != 0`"],
                causes: &["`late: ignore` in the configuration", "the appliance reports less than before"],
                actions: &["compare with the web interface for the same hours, in UTC"],
            },
        ),
        Alert::new(
            "AsyncosCountersUnusable",
            Info,
            None,
            "sum by (job, instance, appliance, reason) (increase(asyncos_counters_unusable_total[1h])) > 0",
            "Counter values of {{ $labels.appliance }} are unusable",
            "{{ printf \"%.0f\" $value }} values of {{ $labels.appliance }} within an hour were unusable \
             ({{ $labels.reason }}).",
            Page {
                meaning: "Reports or status answers contain values that are not numbers, are negative, are above 2^53, or \
                          contradict each other, or a tracking search finds more messages than are counted in a window \
                          (`lower_bound`).",
                impact: "None on mail. These counters stop growing.",
                panel: (Uid::Exporter, "Counters unusable"),
                commands: &["the query `increase(asyncos_counters_unusable_total[1h]) > 0` names the group"],
                causes: &[
                    "a new release with another report format",
                    "`lower_bound`: a tracking search with broad filters or a long window",
                ],
                actions: &[
                    "report it with the release and the group",
                    "`lower_bound`: narrow the filters of the search, or shorten its window",
                ],
            },
        ),
        Alert::new(
            "AsyncosSeriesDropped",
            Info,
            None,
            "sum by (EACH) (increase(asyncos_series_dropped_total[1h])) > 0",
            "Reports of {{ $labels.appliance }} have too many rows",
            "{{ printf \"%.0f\" $value }} rows of {{ $labels.appliance }} within an hour went into `other` because of \
             `series_limit`.",
            Page {
                meaning: "A keyed report has more rows than its limit of series allows.",
                impact: "None on mail. Sums are correct; some rows are missing.",
                panel: (Uid::Exporter, "Rows over the series limit"),
                commands: &["the query `increase(asyncos_series_dropped_total[1h]) > 0` names the group"],
                causes: &["many policies, filters or countries"],
                actions: &["raise `series_limit` of that group, or set `top` for it"],
            },
        ),
        Alert::new(
            "AsyncosVersionSkew",
            Info,
            Some("7d"),
            "count by (job, product) (count by (job, product, release) (asyncos_appliance_info{release!=\"\"})) > 1",
            "Appliances run different releases",
            "{{ $value }} releases of {{ $labels.product }} have been in use for a week.",
            Page {
                meaning: "Appliances of one product have run different releases for a week.",
                impact: "None directly; the appliances may filter differently.",
                panel: (Uid::Fleet, "Appliances"),
                commands: &["`version` on the appliances", "the query `asyncos_appliance_info`"],
                causes: &["an unfinished upgrade"],
                actions: &["finish the upgrade, one appliance at a time"],
            },
        ),
    ]
}

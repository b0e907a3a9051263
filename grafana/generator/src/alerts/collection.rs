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
            "{{ $labels.appliance }} does not answer",
            "The API of {{ $labels.appliance }} has not answered for 5 minutes.",
            Page {
                meaning: "The appliance's API does not answer the exporter.",
                impact: "Perhaps none: the API is not what takes mail. Perhaps the appliance is down. What it counts is \
                         fetched afterwards.",
                panel: (Uid::Fleet, "Reachable"),
                commands: &[
                    "`status` on the appliance, if it lets you in",
                    "`curl -kv https://APPLIANCE:6443/` from the exporter's host",
                    "`telnet APPLIANCE 25`: does it take mail?",
                ],
                causes: &[
                    "the appliance is down or restarts after an upgrade",
                    "the API is switched off: `interfaceconfig`",
                    "a firewall, a name that is not found, a certificate that is not trusted: the exporter's log says which",
                ],
                actions: &[
                    "look whether mail flows before anything else",
                    "correct what the log names; nothing has to be restarted",
                ],
            },
        ),
        Alert::new(
            "AsyncosLoginBlocked",
            Critical,
            None,
            "asyncos_login_blocked == 1",
            "Logins at {{ $labels.appliance }} have stopped",
            "{{ $labels.appliance }} has refused so many logins in a row that none is tried any more, to keep the account from \
             being locked.",
            Page {
                meaning: "The appliance refused the exporter's password three times. It is not tried again before it changes.",
                impact: "None on mail. Nothing is known of this appliance any more.",
                panel: (Uid::Exporter, "Logins blocked"),
                commands: &["`userconfig` on the appliance: is the account there, and unlocked?", "the exporter's log"],
                causes: &[
                    "the password was changed on the appliance",
                    "the account was locked or its passphrase has expired",
                    "the account wants a second factor, or `url` leads to another server: the status page says so",
                ],
                actions: &[
                    "put the right password into the file: it is read again within half a minute",
                    "if it was right all the time: unlock the account, then `POST /-/login-reset`",
                ],
            },
        ),
        Alert::new(
            "AsyncosLoginRefused",
            Warning,
            Some("1m"),
            "asyncos_login_refusals > 0 unless on (EACH) asyncos_login_blocked == 1",
            "{{ $labels.appliance }} refuses the password",
            "{{ $labels.appliance }} has refused {{ $value }} login(s) in a row; after three none is tried any more.",
            Page {
                meaning: "The appliance has refused the exporter's password.",
                impact: "None on mail. After the third refusal nothing is known of the appliance.",
                panel: (Uid::Exporter, "Logins"),
                commands: &["`userconfig` on the appliance", "the exporter's log"],
                causes: &[
                    "the password was changed on one side",
                    "the account wants a second factor, or `url` leads to another server: the status page says so",
                ],
                actions: &["do what the status page advises, or correct the password file; no restart is needed"],
            },
        ),
        Alert::new(
            "AsyncosManagedApplianceDisconnected",
            Warning,
            Some("15m"),
            "asyncos_managed_appliance_connected == 0",
            "{{ $labels.appliance }} is not connected to {{ $labels.managed_appliance }}",
            "The manager {{ $labels.appliance }} has had no connection to {{ $labels.managed_appliance }} for 15 minutes: its \
             figures come late or not at all.",
            Page {
                meaning: "A manager has lost the connection to an appliance whose reporting, tracking or quarantines it keeps.",
                impact: "Mail flows. Quarantined messages of this appliance may queue up on it.",
                panel: (Uid::Stores, "Connected to the manager"),
                commands: &["`applianceconfig` on the manager: test the connection", "`status` on the appliance"],
                causes: &[
                    "the appliance is down",
                    "SSH between the two is blocked",
                    "the appliance was reinstalled and has another key",
                ],
                actions: &["restore the connection; data of up to a day arrive afterwards and are added to the totals"],
            },
        ),
        Alert::new(
            "AsyncosCertificateExpiring",
            Warning,
            Some("1h"),
            &format!("asyncos_tls_certificate_expiry_timestamp_seconds - time() < {CERTIFICATE_SOON}"),
            "The certificate of {{ $labels.appliance }} ends",
            "The certificate that {{ $labels.appliance }} shows to the exporter ends in {{ $value | humanizeDuration }}.",
            Page {
                meaning: "The certificate of the appliance's API ends within two weeks, or has ended.",
                impact: "None on mail by itself; the same certificate may be in use by its listeners. The exporter stops \
                         trusting it.",
                panel: (Uid::Encryption, "Certificates"),
                commands: &["`certconfig` on the appliance", "`openssl s_client -connect APPLIANCE:6443`"],
                causes: &["nobody renewed it"],
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
                causes: &["it was meant for a try"],
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
            "{{ $labels.appliance }} does not bring all reports",
            "{{ $value }} counter group(s) of {{ $labels.appliance }} have had no successful poll for 15 minutes.",
            Page {
                meaning: "The appliance answers, but not for some counter groups.",
                impact: "None on mail. What depends on these groups is missing; it is fetched afterwards.",
                panel: (Uid::Exporter, "Reports fetched by group"),
                commands: &["the query `asyncos_group_success == 0`", "the exporter's log says why, once"],
                causes: &[
                    "the appliance is overloaded and answers too slowly: raise `timeout`",
                    "its reporting is being rebuilt after an upgrade",
                ],
                actions: &["wait, if an upgrade has just happened", "take out groups that nobody needs"],
            },
        ),
        Alert::new(
            "AsyncosReportsRefused",
            Info,
            Some("2h"),
            "count by (job, instance, appliance, reason) (asyncos_group_refused == 1) > 0",
            "{{ $labels.appliance }} does not allow some reports",
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
                    "give the account the role *Read-Only Operator*, or take the groups out of the configuration",
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
            "The figures of {{ $labels.appliance }} are old",
            "The oldest figures of {{ $labels.appliance }} end {{ $value | humanizeDuration }} ago, which is more than three \
             windows.",
            Page {
                meaning: "No window has been counted for longer than three windows, the settle delay and ten minutes.",
                impact: "None on mail. What the boards show is of the time that *Data as of* says; it is made up for later.",
                panel: (Uid::Exporter, "Age of the data by appliance"),
                commands: &["the query `asyncos_windows_pending`", "the exporter's log"],
                causes: &[
                    "the appliance does not answer, or slowly",
                    "the exporter is fetching an outage's windows",
                    "the request budget is too small for so many groups and devices",
                ],
                actions: &["look at *Time of a request*", "raise `requests_per_minute`, or `window`"],
            },
        ),
        Alert::new(
            "AsyncosWindowsLost",
            Warning,
            None,
            "sum by (job, instance, appliance, reason) (increase(asyncos_windows_lost_total[1h])) > 0",
            "Figures of {{ $labels.appliance }} are lost",
            "{{ printf \"%.0f\" $value }} windows of {{ $labels.appliance }} could not be fetched in time ({{ $labels.reason }}): totals \
             are too low by what was in them.",
            Page {
                meaning: "Windows were given up and are in no number.",
                impact: "None on mail. Totals over this time are too low; ratios are right.",
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
                meaning: "The appliance answers reports, but has no new data for them.",
                impact: "Mail flows. Its figures fall to zero although mail comes.",
                panel: (Uid::Stores, "Reporting data"),
                commands: &["`diagnostic` > `REPORTING` on the appliance", "`status`"],
                causes: &[
                    "its reporting has stopped, often after an upgrade or with a full disk",
                    "a manager gets nothing from its gateways",
                ],
                actions: &[
                    "restart reporting: `diagnostic` > `SERVICES` > `REPORTING` > `RESTART`; mail goes on meanwhile",
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
                meaning: "More than a tenth of the requests to the appliance do not bring what they were made for.",
                impact: "None on mail. The figures may become late.",
                panel: (Uid::Exporter, "Failures by reason"),
                commands: &["the exporter's log", "`status` and `rate` on the appliance"],
                causes: &["an overloaded appliance", "an unsteady network", "a proxy that cuts long requests"],
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
                impact: "Reports load the appliance: if it is short of CPU, mail waits too. The exporter rests after each slow \
                         answer.",
                panel: (Uid::Exporter, "Request duration"),
                commands: &["`rate` and `status detail` on the appliance"],
                causes: &["an overloaded appliance", "many keyed reports over long windows"],
                actions: &["take out keyed groups that nobody needs", "lengthen `window`"],
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
            "Figures of {{ $labels.appliance }} come late",
            "Events found after their window was counted are {{ $value | humanizePercentage }} of the recipients of \
             {{ $labels.appliance }} within 3 hours.",
            Page {
                meaning: "Much is found only when whole hours are compared. It is added to the totals then.",
                impact: "None on mail. Rates are too low at first and jump once an hour.",
                panel: (Uid::Exporter, "Late events"),
                commands: &["the query `asyncos_settle_seconds`"],
                causes: &["gateways that report late to their manager", "a settle delay that is too short"],
                actions: &["raise `settle`, or set it to `auto`"],
            },
        ),
        Alert::new(
            "AsyncosReconciliationDiffers",
            Info,
            Some("3h"),
            "max by (EACH) (abs(asyncos_reconciliation_difference)) > 0",
            "Totals of {{ $labels.appliance }} differ from its report",
            "A report of {{ $labels.appliance }} for whole hours differs from the sum of its windows by {{ $value }}, for 3 \
             hours.",
            Page {
                meaning: "The report for whole hours and the sum of its windows do not agree, and it was not made up for.",
                impact: "None on mail. Totals are off by that much.",
                panel: (Uid::Exporter, "Beyond our windows"),
                commands: &["the query `asyncos_reconciliation_difference != 0`"],
                causes: &["`late: ignore` in the configuration", "the appliance has less now than it said before"],
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
                    "a new release with another form of the report",
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
                impact: "None on mail. Sums are right; single rows are missing.",
                panel: (Uid::Exporter, "Rows beyond the limit"),
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
                impact: "None by itself; they may filter differently.",
                panel: (Uid::Fleet, "Appliances"),
                commands: &["`version` on the appliances", "the query `asyncos_appliance_info`"],
                causes: &["an upgrade that was not finished"],
                actions: &["finish it, one appliance after the other"],
            },
        ),
    ]
}

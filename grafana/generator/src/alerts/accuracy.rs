//! Alerts about doubts in the data: requests that fail or are slow, clocks, late events, unusable values.

use super::super::alert::Severity::{Info, Warning};
use super::super::alert::{Alert, Page};
use super::super::board::Uid;
use super::super::counted::Counted;
use super::super::threshold::{CLOCK_SKEW, LATE, REFUSED, REQUEST_FAILURES, SLOW_REQUEST};

pub(super) fn alerts() -> Vec<Alert> {
    vec![
        Alert::new(
            "AsyncosRequestsFailing",
            Warning,
            Some("30m"),
            &format!(
                "sum by (EACH) (rate(asyncos_api_request_failures_total{{reason!~\"{REFUSED}\"}}[30m])) / (sum by (EACH) \
                 (rate(asyncos_api_request_failures_total{{reason!~\"{REFUSED}\"}}[30m]) or \
                 rate(asyncos_api_requests_total{{code=~\"2..\"}}[30m])) > 0) > {REQUEST_FAILURES}"
            ),
            "Requests to {{ $labels.appliance }} fail",
            "{{ $value | humanizePercentage }} of the requests to {{ $labels.appliance }} have failed for half an hour.",
            Page {
                meaning: "More than a tenth of the requests to the appliance fail. Requests for data that it does not \
                          offer, or that the role of the account does not allow, are not counted here.",
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
                 ({} * 10800 > 0) > {LATE}",
                Counted::in_rule("mail_incoming_traffic_summary", "total_recipients").rate_over(180, "")
            ),
            "Late data from {{ $labels.appliance }}",
            "Events found after their window was counted are {{ $value | humanizePercentage }} of the recipients of \
             {{ $labels.appliance }} within 3 hours.",
            Page {
                meaning: "Many events are found only when whole hours are compared. They are then added to the totals, unless `late: \
                          ignore` is set or 26 hours have passed since the end of their day.",
                impact: "None on mail. Rates are too low at first and jump when a comparison adds the rest.",
                panel: (Uid::Exporter, "Late events"),
                commands: &["the query `asyncos_settle_seconds`"],
                causes: &["ESAs that send their data late to the SMA", "a settle delay that is too short"],
                actions: &["raise `settle`, or set it to `auto`"],
            },
        ),
        Alert::new(
            "AsyncosLateDataNotAdded",
            Info,
            None,
            "sum by (EACH) (increase(asyncos_late_events_not_added_total[8h])) > 0",
            "Data of {{ $labels.appliance }} came too late",
            "{{ printf \"%.0f\" $value }} events of {{ $labels.appliance }} were found within 8 hours and are missing from \
             its totals.",
            Page {
                meaning: "Events were found after their window was counted and were not added to the totals: more than 26 \
                          hours after the end of their day (UTC), or because `late: ignore` is set.",
                impact: "None on mail. Totals of that day are too low.",
                panel: (Uid::Exporter, "Late events not added"),
                commands: &["the query `asyncos_late_events_not_added_total` names the group and scope"],
                causes: &[
                    "an ESA that could not send its data to the SMA for longer than a day",
                    "`late: ignore` in the configuration",
                ],
                actions: &["use the appliance's own report for that day"],
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

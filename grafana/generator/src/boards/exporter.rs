//! Exporter health: whether the other boards can be believed.

use super::super::board::{Board, Manner, Row, Uid};
use super::super::panel::{Order, Panel, Step};
use super::super::style::{Colour, Limits, Unit, Words};
use super::super::threshold::{CLOCK_SKEW, REFUSED, REQUEST_FAILURES, SLOW_REQUEST};
use super::{age, average, maximum};

pub(super) fn board() -> Board {
    Board {
        uid: Uid::Exporter,
        description: "Whether the data on the other dashboards are complete: what was requested, fetched and lost.",
        domain: "exporter",
        manner: Manner::Close,
        rows: vec![
            Row::open("Now", numbers()),
            Row::open("Collection", collection()),
            Row::open("Requests to the appliances", traffic()),
            Row::folded("Accuracy of the totals", truth()),
            Row::folded("The process", process()),
        ],
    }
}

fn number(title: &'static str, description: &str, unit: Unit, expr: &str) -> Panel {
    Panel::stat(title, description, unit, expr).step(Step::Minute)
}

fn numbers() -> Vec<Panel> {
    vec![
        number("Exporter", "Whether Prometheus can scrape the exporter.", Unit::Count, "min(up{EXPORTER} OURS)")
            .limits(Limits::at_least(1.0))
            .words(Words::UpDown),
        number(
            "Reports fetched",
            "Share of counter groups with a successful last poll, at the appliance with the lowest.",
            Unit::Ratio,
            "min(avg by (EACH) (asyncos_group_success{APPLIANCE}))",
        )
        .with_history()
        .limits(Limits::falling(0.9, 1.0)),
        number(
            "30-day success",
            "The same over 30 days, or over the retention of Prometheus if that is shorter: the exporter's service \
             level.",
            Unit::Ratio,
            "avg(avg_over_time(appliance:asyncos_collections:success_ratio{APPLIANCE}[30d]) or \
             avg by (job, instance, appliance) (avg_over_time(asyncos_group_success{APPLIANCE}[30d])))",
        )
        .limits(Limits::falling(0.99, 0.999)),
        number(
            "Logins blocked",
            "Appliances at which logins have stopped after repeated refusals (AsyncosLoginBlocked).",
            Unit::Count,
            "sum(asyncos_login_blocked{APPLIANCE})",
        )
        .limits(Limits::act(1.0)),
        number(
            "Configuration",
            "Whether the last reload of the configuration succeeded.",
            Unit::Count,
            "min(asyncos_config_last_reload_successful{EXPORTER})",
        )
        .limits(Limits::at_least(1.0))
        .words(Words::YesNo),
        number(
            "Totals on disk",
            "Whether totals survive a restart: `--storage.path`.",
            Unit::Count,
            "min(asyncos_state_durable{EXPORTER})",
        )
        .limits(Limits::at_least(1.0))
        .words(Words::YesNo),
        number(
            "Samples",
            "Number of samples of one scrape.",
            Unit::Count,
            "max(scrape_samples_scraped{EXPORTER} OURS)",
        )
        .with_history(),
        age(
            "Age of the newest complete window, for the counter group that is furthest behind. Red: older than three windows, \
             the settle delay and ten minutes.",
            "asyncos_window_end_timestamp_seconds{APPLIANCE}",
            "",
        ),
    ]
}

fn collection() -> Vec<Panel> {
    vec![
        Panel::table(
            "Appliances",
            "The worst counter group of each appliance. Refused groups are not permitted for the account or do not \
             exist in the release; they are requested once per hour.",
            &[("appliance", "Appliance")],
        )
        .column_in_words("Reachable", Words::UpDown, "max by (appliance) (asyncos_up{APPLIANCE})")
        .column("Groups", Unit::Count, Limits::none(), "count by (appliance) (asyncos_group_success{APPLIANCE})")
        .column("Not fetched", Unit::Count, Limits::look(1.0), "count by (appliance) (asyncos_group_success{APPLIANCE}) - sum by (appliance) (asyncos_group_success{APPLIANCE})")
        .column("Refused", Unit::Count, Limits::look(1.0), "sum by (appliance) (asyncos_group_refused{APPLIANCE}) or 0 * max by (appliance) (asyncos_up{APPLIANCE})")
        .column("Oldest data", Unit::Seconds, Limits::none(), "max by (appliance) (time() - asyncos_window_end_timestamp_seconds{APPLIANCE})")
        .column("Windows behind", Unit::Count, Limits::none(), "max by (appliance) (asyncos_windows_pending{APPLIANCE})")
        .column("Window", Unit::Seconds, Limits::none(), "max by (appliance) (asyncos_window_seconds{APPLIANCE})")
        .column("Settles", Unit::Seconds, Limits::none(), "max by (appliance) (asyncos_settle_seconds{APPLIANCE})")
        .column_in_words("Centralized", Words::NoYes, "max by (appliance) (asyncos_reporting_centralized{APPLIANCE})")
        .sorted("Oldest data", Order::Falling)
        .step(Step::Minute)
        .size(24, 7),
        Panel::timeline("Reports fetched by group", "Red: the last poll of the group failed for at least one \
                                                     appliance.", Words::YesNo)
            .query("bottomk(40, min by (group) (asyncos_group_success{APPLIANCE}))", "{{group}}")
            .size(12, 12),
        Panel::lines("Age of the data by appliance", "Age of the newest complete window, for the counter group that \
                                                      is furthest behind. A sawtooth is normal.", Unit::Clock)
            .query("topk(20, max by (appliance) (time() - asyncos_window_end_timestamp_seconds{APPLIANCE}))", "{{appliance}}")
            .step(Step::Minute)
            .size(12, 12),
    ]
}

fn traffic() -> Vec<Panel> {
    vec![
        Panel::stacked("Requests by status per minute", "Requests to the appliances by HTTP status. `none` means no \
                                                         response. Many 401: see the logins.", Unit::Count)
            .query("topk(20, sum by (code) (rate(asyncos_api_requests_total{APPLIANCE}[RATE])) * 60)", "{{code}}")
            // Requests come in bursts, one for each window: over minutes they would be a comb.
            .step(Step::Window),
        Panel::lines("Request duration", "Median and 90th percentile of the request duration. Above the line, the \
                                          appliance is overloaded or the network is slow.", Unit::Seconds)
            .coloured(&quantile("0.5"), "half", Colour::Quantity)
            .coloured(&quantile("0.9"), "90th percentile", Colour::Bulk)
            .limits(Limits::look(SLOW_REQUEST))
            .step(Step::Minute),
        Panel::lines("Poll round duration", "Duration of all requests for one window, by appliance. If it exceeds the \
                                             window, data are late, and the status page suggests a longer window.", Unit::Seconds)
            .query(&format!("topk(20, max by (appliance) ({}))", maximum("asyncos_poll_round_seconds")), "{{appliance}}")
            .step(Step::Minute),
        Panel::lines(
            "Failure share",
            "Failures as a share of failures and successful requests, without requests that the appliance refused: those \
             are in the graph *Refused requests*.",
            Unit::Ratio,
        )
        .query(
            // One request may fail more than once, and some fail before they are sent: of the requests alone, the share
            // would exceed one.
            &format!(
                "topk(20, (sum by (appliance) (rate(asyncos_api_request_failures_total{{APPLIANCE,reason!~\"|{REFUSED}\"}}\
                 [RATE])) or 0 * sum by (appliance) (rate(asyncos_api_requests_total{{APPLIANCE,code=~\"2..\"}}[RATE]))) / (sum by (appliance) (rate(asyncos_api_request_failures_total{{APPLIANCE,reason!~\"|{REFUSED}\"}}\
                 [RATE]) or rate(asyncos_api_requests_total{{APPLIANCE,code=~\"2..\"}}[RATE])) > 0))"
            ),
            "{{appliance}}",
        )
        .limits(Limits::look(REQUEST_FAILURES))
        .step(Step::Minute),
        Panel::bars(
            "Failures by reason",
            "Failed requests by reason, around each point of the graph. Requests that an appliance refused are in the graph \
             beside this one.",
            Unit::Count,
        )
        .query(
            &format!(
                "topk(20, sum by (reason) (increase(asyncos_api_request_failures_total{{APPLIANCE,reason!~\"|{REFUSED}\"}}\
                 [RATE])))"
            ),
            "{{reason}}",
        )
        .step(Step::Window),
        // Not above: the usual few would be a constant floor that hides failures.
        Panel::bars(
            "Refused requests",
            "Requests for data that an appliance does not offer, or that the account may not read, around each point of the \
             graph. They are repeated, so a constant number is normal; a rise means that a role or a release changed.",
            Unit::Count,
        )
        .query(
            &format!(
                "topk(20, sum by (appliance) (increase(asyncos_api_request_failures_total{{APPLIANCE,reason=~\"{REFUSED}\"}}\
                 [RATE])) or 0 * max by (appliance) (asyncos_up{{APPLIANCE}}))"
            ),
            "{{appliance}}",
        )
        .step(Step::Window),
        Panel::bars("Logins", "Logins around each point of the graph. Refused logins count towards the lock-out of \
                               the account: the exporter stops after three.", Unit::Count)
            .coloured("sum(increase(asyncos_logins_total{APPLIANCE}[RATE]))", "logins", Colour::Quantity)
            .coloured("sum(increase(asyncos_login_failures_total{APPLIANCE}[RATE])) or 0 * sum(asyncos_up{APPLIANCE})", "failed", Colour::Act)
            .step(Step::Minute),
        Panel::lines("Token left", "Remaining validity of the session token, by appliance. It is renewed before it \
                                    expires.", Unit::Clock)
            .query("topk(20, max by (appliance) (asyncos_token_expiry_timestamp_seconds{APPLIANCE} - time()))", "{{appliance}}")
            .signed()
            .step(Step::Minute),
    ]
}

fn quantile(share: &str) -> String {
    format!(
        "histogram_quantile({share}, sum by (le) (rate(asyncos_api_request_duration_seconds_bucket{{APPLIANCE}}[RATE])))"
    )
}

fn truth() -> Vec<Panel> {
    let by_appliance = |title, description, metric: &str| {
        // What never happened to an appliance is no series of it.
        let expr = format!(
            "topk(20, sum by (appliance) (increase(asyncos_{metric}_total{{APPLIANCE}}[RATE])) or \
             0 * max by (appliance) (asyncos_up{{APPLIANCE}}))"
        );
        Panel::bars(title, description, Unit::Count).query(&expr, "{{appliance}}")
    };
    vec![
        by_appliance("Windows counted", "Windows that were added to the totals.", "windows_committed"),
        by_appliance("Windows lost", "Windows that were skipped and are not counted in totals.", "windows_lost"),
        by_appliance("Late events", "Events found after their window was counted. If there are many, raise `settle`.", "late_events"),
        by_appliance("Late events not added", "Late events that are missing from totals: more than 26 hours after their day, or with `late: ignore`.", "late_events_not_added"),
        Panel::lines("Reconciliation difference", "Vendor report for whole hours minus exported total, at the last \
                                            reconciliation. Negative: the report has fewer events.", Unit::Count)
            .query("topk(20, sum by (appliance) (avg_over_time(asyncos_reconciliation_difference{APPLIANCE}[RATE])) or 0 * max by (appliance) (asyncos_up{APPLIANCE}))", "{{appliance}}")
            .signed(),
        Panel::lines("Clock skew", "Appliance clock minus exporter clock. Windows follow the appliance's clock: \
                                    `ntpconfig`.", Unit::Seconds)
            .query(&format!("topk(20, max by (appliance) ({}))", average("asyncos_clock_skew_seconds")), "{{appliance}}")
            .signed()
            .limits(Limits::look(CLOCK_SKEW))
            .step(Step::Minute),
        by_appliance("Reconciliations", "Comparisons of whole hours with the sum of their windows.", "reconciliations"),
        by_appliance("Counters missing", "Catalogue counters that were absent from a report. Releases differ; check a \
                                          sudden change.", "counters_missing"),
        by_appliance("Counters unknown", "Counters in a report that the catalogue does not have: a newer release.", "counters_unknown"),
        by_appliance("Counters unusable", "Counters with a value that is not a usable number.", "counters_unusable"),
        by_appliance("Rows over the series limit", "Rows of keyed reports that were added to `other` because of \
                                               `series_limit`.", "series_dropped"),
    ]
}

fn process() -> Vec<Panel> {
    let each = |title, description, unit, expr: &str| {
        let expr = format!("topk(20, {expr})");
        Panel::lines(title, description, unit).query(&expr, "{{instance}}").step(Step::Minute)
    };
    vec![
        each(
            "CPU",
            "Cores in use by the exporter.",
            Unit::Count,
            "rate(process_cpu_seconds_total{EXPORTER}[RATE]) OURS",
        ),
        each(
            "Memory",
            "Physical memory in use by the exporter.",
            Unit::Bytes,
            "max_over_time(process_resident_memory_bytes{EXPORTER}[RATE]) OURS",
        ),
        each(
            "Open files",
            "Share of the file descriptors that the exporter may open.",
            Unit::Ratio,
            "(max_over_time(process_open_fds{EXPORTER}[RATE]) / process_max_fds{EXPORTER}) OURS",
        ),
        each(
            "Connections",
            "Open client connections, including scrapers. The limit is 512, and 256 from one address.",
            Unit::Count,
            "max_over_time(asyncos_exporter_http_connections{EXPORTER}[RATE]) OURS",
        ),
        each(
            "Scrape duration",
            "Duration of a scrape by Prometheus.",
            Unit::Seconds,
            "max_over_time(scrape_duration_seconds{EXPORTER}[RATE]) OURS",
        ),
        each(
            "Uptime",
            "Time since the exporter was started.",
            Unit::Clock,
            "(time() - process_start_time_seconds{EXPORTER}) OURS",
        ),
        each(
            "Failed writes",
            "Failed writes of totals, around each point of the graph.",
            Unit::Count,
            "increase(asyncos_state_persist_failures_total{EXPORTER}[RATE])",
        ),
        Panel::table(
            "Shares of the fleet",
            "Shard index of each exporter, from 0, and how many of the configured appliances it polls. Empty without \
             sharding.",
            &[("instance", "Instance"), ("index", "Shard"), ("shards", "Of")],
        )
        .column(
            "Polled",
            Unit::Count,
            Limits::none(),
            "max by (instance, index, shards) (asyncos_exporter_appliances_owned{EXPORTER} * on (job, instance) group_left \
             (index, shards) asyncos_exporter_shard_info{EXPORTER})",
        )
        .column(
            "Configured",
            Unit::Count,
            Limits::none(),
            "max by (instance, index, shards) (asyncos_exporter_appliances_configured{EXPORTER} * on (job, instance) \
             group_left (index, shards) asyncos_exporter_shard_info{EXPORTER})",
        )
        .step(Step::Minute)
        .size(24, 5),
        Panel::table(
            "Versions",
            "Running versions of the exporter.",
            &[("instance", "Instance"), ("version", "Version"), ("revision", "Commit")],
        )
        .column(
            "Running",
            Unit::Count,
            Limits::none(),
            "max by (instance, version, revision) (asyncos_exporter_build_info{EXPORTER})",
        )
        .step(Step::Minute)
        .size(24, 5),
    ]
}

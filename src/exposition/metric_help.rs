//! Metrics about an appliance and its data: names and HELP texts.

use crate::sample::MetricDef;

pub(super) const UP: MetricDef = MetricDef::gauge(
    "asyncos_up",
    "Whether API requests to the appliance succeed; a single failing report does not count",
);
pub(super) const ROUND: MetricDef = MetricDef::gauge(
    "asyncos_poll_round_seconds",
    "Time that all requests for one window take, including waits and pauses; must stay below `asyncos_window_seconds`",
);
pub(super) const CLOCK_SKEW: MetricDef =
    MetricDef::gauge("asyncos_clock_skew_seconds", "Clock of the appliance minus clock of the exporter, in seconds");
pub(super) const INFO: MetricDef = MetricDef::gauge(
    "asyncos_appliance_info",
    "Product, and where known model, AsyncOS release, host name and time zone of the appliance; always 1",
);
pub(super) const BELOW_MINIMUM: MetricDef = MetricDef::gauge(
    "asyncos_release_below_minimum",
    "Whether the AsyncOS release is older than `minimum_release`; absent unless both are known",
);
pub(super) const CENTRALIZED: MetricDef = MetricDef::gauge(
    "asyncos_reporting_centralized",
    "Whether the ESA reports to an SMA, so that only its capacity reports contain data",
);
pub(super) const REFUSED: MetricDef = MetricDef::gauge(
    "asyncos_group_refused",
    "Reports and status requests that the appliance refuses, by `reason`; requested hourly, 1 while refused",
);
pub(super) const GROUP_SUCCESS: MetricDef =
    MetricDef::gauge("asyncos_group_success", "Whether the last poll of the counter group succeeded");
pub(super) const LAST_SUCCESS: MetricDef = MetricDef::gauge(
    "asyncos_group_last_success_timestamp_seconds",
    "Unix time of the last successful poll of the counter group; shown while `asyncos_group_success` is 0",
);
pub(super) const WINDOW: MetricDef = MetricDef::gauge(
    "asyncos_window_seconds",
    "Length of the windows; with the label `group` for a counter group with longer windows than the others",
);
pub(super) const WINDOW_END: MetricDef = MetricDef::gauge(
    "asyncos_window_end_timestamp_seconds",
    "Unix time of the end of the newest counted window, by the appliance's clock; of an hour that is counted while it runs, \
     the end of its counted part",
);
pub(super) const RUNNING_HOUR: MetricDef = MetricDef::gauge(
    "asyncos_running_hour",
    "Whether the current hour is counted while it runs, on an appliance that accepts whole hours only; 0 if it declines or \
     `running_hour` is off, absent if windows are as long as configured",
);
pub(super) const SETTLE: MetricDef = MetricDef::gauge(
    "asyncos_settle_seconds",
    "Delay between the end of a window and its request; with the label `group` for a counter group with a longer delay",
);
pub(super) const PENDING: MetricDef =
    MetricDef::gauge("asyncos_windows_pending", "Complete windows that are not counted yet");
pub(super) const COMMITTED: MetricDef =
    MetricDef::counter("asyncos_windows_committed_total", "Windows counted, over all counter groups");
pub(super) const LOST: MetricDef =
    MetricDef::counter("asyncos_windows_lost_total", "Windows skipped and not counted in totals");
pub(super) const DIFFERENCE: MetricDef = MetricDef::gauge(
    "asyncos_reconciliation_difference",
    "Vendor report minus exported total at the last reconciliation, over all counters; shown unless it is 0",
);
pub(super) const RECONCILIATIONS: MetricDef = MetricDef::counter(
    "asyncos_reconciliations_total",
    "Reconciliations of whole hours with the sum of their windows, over all counter groups",
);
pub(super) const LATE: MetricDef = MetricDef::counter(
    "asyncos_late_events_total",
    "Events found by a reconciliation after their window was counted, added or not, over all counters",
);
pub(super) const NOT_ADDED: MetricDef = MetricDef::counter(
    "asyncos_late_events_not_added_total",
    "Late events that were not added to totals: found more than 26 hours after the end of their day, or with `late: ignore`",
);
pub(super) const MISSING: MetricDef =
    MetricDef::counter("asyncos_counters_missing_total", "Catalogued counters missing from reports");
pub(super) const UNKNOWN: MetricDef =
    MetricDef::counter("asyncos_counters_unknown_total", "Counters in reports that are not in the catalogue");
pub(super) const DROPPED: MetricDef = MetricDef::counter(
    "asyncos_series_dropped_total",
    "Rows of keyed reports beyond `series_limit`: added to the row `other`, or dropped where rows do not add up",
);
pub(super) const UNUSABLE: MetricDef = MetricDef::counter(
    "asyncos_counters_unusable_total",
    "Values in reports and status answers that are not usable numbers",
);

/// All of them; a test compares them with the manual.
pub const ABOUT_DATA: &[MetricDef] = &[
    UP,
    INFO,
    BELOW_MINIMUM,
    CENTRALIZED,
    GROUP_SUCCESS,
    LAST_SUCCESS,
    REFUSED,
    WINDOW_END,
    WINDOW,
    RUNNING_HOUR,
    SETTLE,
    PENDING,
    COMMITTED,
    LOST,
    DIFFERENCE,
    RECONCILIATIONS,
    LATE,
    NOT_ADDED,
    MISSING,
    UNKNOWN,
    UNUSABLE,
    DROPPED,
    CLOCK_SKEW,
    ROUND,
];

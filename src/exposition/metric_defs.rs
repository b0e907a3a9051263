//! The metrics about the data: what each is named, and its help.

use crate::sample::MetricDef;

pub(super) const UP: MetricDef = MetricDef::gauge("asyncos_up", "Whether the appliance's API answers us");
pub(super) const ROUND: MetricDef = MetricDef::gauge(
    "asyncos_poll_round_seconds",
    "Time that the requests for one window take, waits and pauses included; must stay below `asyncos_window_seconds`",
);
pub(super) const CLOCK_SKEW: MetricDef =
    MetricDef::gauge("asyncos_clock_skew_seconds", "How far the appliance's clock is ahead of ours");
pub(super) const INFO: MetricDef = MetricDef::gauge(
    "asyncos_appliance_info",
    "Labels of the appliance: product, and model, AsyncOS release, host name and time zone where they are known; always 1",
);
pub(super) const BELOW_MINIMUM: MetricDef = MetricDef::gauge(
    "asyncos_release_below_minimum",
    "Whether the AsyncOS release is older than `minimum_release`; absent unless both are known",
);
pub(super) const CENTRALIZED: MetricDef = MetricDef::gauge(
    "asyncos_reporting_centralized",
    "Whether a gateway leaves its reporting to a manager and so has no figures of its own but those of its capacity",
);
pub(super) const REFUSED: MetricDef = MetricDef::gauge(
    "asyncos_group_refused",
    "The appliance does not answer this, by `reason`, so it is asked seldom; 1 while that is so",
);
pub(super) const GROUP_SUCCESS: MetricDef =
    MetricDef::gauge("asyncos_group_success", "Whether the newest poll of the counter group brought its report");
pub(super) const LAST_SUCCESS: MetricDef = MetricDef::gauge(
    "asyncos_group_last_success_timestamp_seconds",
    "When the counter group last brought its report, in seconds since 1970; shown while `asyncos_group_success` is 0",
);
pub(super) const WINDOW: MetricDef = MetricDef::gauge(
    "asyncos_window_seconds",
    "The length of the windows; with the label `group` where a counter group has longer ones than the others",
);
pub(super) const WINDOW_END: MetricDef = MetricDef::gauge(
    "asyncos_window_end_timestamp_seconds",
    "The end of the newest counted window by the appliance's clock, in seconds since 1970",
);
pub(super) const SETTLE: MetricDef = MetricDef::gauge(
    "asyncos_settle_seconds",
    "How long after its end a window is requested; with the label `group` where a counter group waits longer than others",
);
pub(super) const PENDING: MetricDef =
    MetricDef::gauge("asyncos_windows_pending", "Complete windows that are not counted yet");
pub(super) const COMMITTED: MetricDef =
    MetricDef::counter("asyncos_windows_committed_total", "Windows that were counted, over all counter groups");
pub(super) const LOST: MetricDef =
    MetricDef::counter("asyncos_windows_lost_total", "Windows that were given up and are in no number");
pub(super) const DIFFERENCE: MetricDef = MetricDef::gauge(
    "asyncos_reconciliation_difference",
    "What the appliance's report for whole hours had beyond our windows when they were last compared, over all counters; \
     shown unless it is 0",
);
pub(super) const RECONCILIATIONS: MetricDef = MetricDef::counter(
    "asyncos_reconciliations_total",
    "Comparisons of whole hours with the sum of their windows, over all counter groups",
);
pub(super) const LATE: MetricDef = MetricDef::counter(
    "asyncos_late_events_total",
    "Events that were found after their window was counted, over all counters",
);
pub(super) const MISSING: MetricDef =
    MetricDef::counter("asyncos_counters_missing_total", "Counters of the catalogue that a report did not hold");
pub(super) const UNKNOWN: MetricDef =
    MetricDef::counter("asyncos_counters_unknown_total", "Counters of a report that the catalogue does not hold");
pub(super) const DROPPED: MetricDef = MetricDef::counter(
    "asyncos_series_dropped_total",
    "Rows of keyed reports that went into the row `other`, or nowhere where rows do not add up, because of `series_limit`",
);
pub(super) const UNUSABLE: MetricDef = MetricDef::counter(
    "asyncos_counters_unusable_total",
    "Values of a report or a status answer that are no usable number",
);

/// All of them, for the manual to be held against.
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
    SETTLE,
    PENDING,
    COMMITTED,
    LOST,
    DIFFERENCE,
    RECONCILIATIONS,
    LATE,
    MISSING,
    UNKNOWN,
    UNUSABLE,
    DROPPED,
    CLOCK_SKEW,
    ROUND,
];

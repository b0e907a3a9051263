//! Forecasts: what fills up at the trend of the last hours or days, and when. The value of each alert is that time.

use super::super::alert::Severity::Warning;
use super::super::alert::{Alert, Page};
use super::super::board::Uid;
use super::super::threshold::{LOG_SPACE, QUARANTINE_SPACE, QUEUE_SPACE_FULL, WORK_QUEUE, WORK_QUEUE_BACKLOG};

/// What fills up.
struct Filling {
    /// The gauge that grows.
    metric: &'static str,
    /// The aggregation over its parts, or nothing.
    sum: &'static str,
    /// How far the trend looks back, and half of it: what is younger has no trend.
    range: &'static str,
    half: &'static str,
    /// How many seconds it looks ahead.
    ahead: u64,
    limit: f64,
    /// To so many seconds the time is rounded, so that it does not change with each evaluation.
    round: u64,
}

impl Filling {
    /// When the limit is reached, in seconds since 1970, if it is below the limit now, has grown, and the trend reaches it
    /// in time.
    fn expr(&self) -> String {
        let Self { metric, sum, range, half, ahead, limit, round } = self;
        let of = |text: &str| if sum.is_empty() { text.to_owned() } else { format!("{sum} ({text})") };
        let (now, before) = (of(metric), of(&format!("{metric} offset {half}")));
        let (slope, then) =
            (of(&format!("deriv({metric}[{range}])")), of(&format!("predict_linear({metric}[{range}], {ahead})")));
        format!(
            "round(time() + ({limit} - {now}) / ({slope} > 0), {round}) and {then} > {limit} and {now} < {limit} and {now} > {before}"
        )
    }
}

pub(super) fn alerts() -> Vec<Alert> {
    let work_queue = Filling {
        metric: "asyncos_health_workqueue_messages",
        sum: "",
        range: "30m",
        half: "15m",
        ahead: 3600,
        limit: WORK_QUEUE_BACKLOG,
        round: 60,
    };
    let queue_space = Filling {
        metric: "asyncos_health_queue_utilization_ratio",
        sum: "",
        range: "2h",
        half: "1h",
        ahead: 12 * 3600,
        limit: QUEUE_SPACE_FULL,
        round: 60,
    };
    let quarantine = Filling {
        metric: "asyncos_quarantine_size_bytes",
        sum: "sum by (EACH)",
        range: "1d",
        half: "12h",
        ahead: 4 * 86_400,
        limit: QUARANTINE_SPACE,
        round: 3600,
    };
    let logs = Filling { metric: "asyncos_status_log_used_ratio", limit: LOG_SPACE, sum: "", ..quarantine };
    vec![
        Alert::new(
            "AsyncosWorkQueueGrowing",
            Warning,
            Some("15m"),
            &format!("{} and asyncos_health_workqueue_messages > {WORK_QUEUE}", work_queue.expr()),
            "The work queue of {{ $labels.appliance }} grows",
            "At the trend of the last half hour, the work queue of {{ $labels.appliance }} is a backlog at {{ $value | \
             humanizeTimestamp }}.",
            Page {
                meaning: "The trend of the last half hour leads to 10,000 messages within an hour. The alert names the time.",
                impact: "Mail through this appliance is delayed until the queue has been processed.",
                panel: (Uid::Capacity, "Work queue now"),
                commands: &["`workqueue rate 10`", "`rate`"],
                causes: &["as for [AsyncosWorkQueueHigh](#asyncosworkqueuehigh)"],
                actions: &["spread the load before the backlog builds up"],
            },
        ),
        Alert::new(
            "AsyncosQueueSpaceFilling",
            Warning,
            Some("30m"),
            &queue_space.expr(),
            "The queue of {{ $labels.appliance }} fills up within hours",
            "At the trend of the last two hours, the queue of {{ $labels.appliance }} is nearly full at {{ $value | \
             humanizeTimestamp }}.",
            Page {
                meaning: "The trend of the last two hours leads to 90 % of the queue's space within twelve hours. The alert \
                          names the time.",
                impact: "None yet. Near full, mail is slowed down; full, it is refused.",
                panel: (Uid::Capacity, "Queue space by appliance"),
                commands: &["`status detail`", "`tophosts`", "`showrecipients`"],
                causes: &["as for [AsyncosQueueSpaceLow](#asyncosqueuespacelow)"],
                actions: &["find the destination that is down with `tophosts`, and restore it in time"],
            },
        ),
        Alert::new(
            "AsyncosQuarantineFilling",
            Warning,
            Some("1h"),
            &quarantine.expr(),
            "The quarantines of {{ $labels.appliance }} fill up within days",
            "At the trend of the last day, the quarantines of {{ $labels.appliance }} reach their limit at {{ $value | \
             humanizeTimestamp }}.",
            Page {
                meaning: "The trend of the last day leads to 10 GiB in the policy, virus and outbreak quarantines within \
                          four days. The alert names the day. The API does not report the limit: 10 GiB is assumed, so put \
                          that of your appliance into the rule.",
                impact: "None yet. Full quarantines release or delete their oldest messages, depending on their settings.",
                panel: (Uid::Stores, "Space by quarantine"),
                commands: &["`quarantineconfig` on the appliance: which limit, and what happens then?"],
                causes: &["as for [AsyncosQuarantineGrowing](#asyncosquarantinegrowing)"],
                actions: &["process the quarantine before that day", "shorten its retention period, after approval"],
            },
        ),
        Alert::new(
            "AsyncosLogSpaceFilling",
            Warning,
            Some("1h"),
            &logs.expr(),
            "The log space of {{ $labels.appliance }} fills up within days",
            "At the trend of the last day, {{ $labels.appliance }} has little space for logs left at {{ $value | \
             humanizeTimestamp }}.",
            Page {
                meaning: "The trend of the last day leads to 85 % of the space for logs within four days. The alert names \
                          the day.",
                impact: "None on mail. Full, the oldest logs are deleted.",
                panel: (Uid::Capacity, "Log space"),
                commands: &["`logconfig`: which logs are at the level debug or trace?", "`diagnostic` > `DISK_USAGE`"],
                causes: &["as for [AsyncosLogSpaceLow](#asyncoslogspacelow)"],
                actions: &["lower the log levels, or push logs to another host, before that day"],
            },
        ),
    ]
}

//! Recording rules: what several alerts look back at, and what a panel averages over a month.

use super::query;

/// A range that holds a window of every appliance, of those too that answer whole hours only: an hour, and how much one poll
/// may come later than another.
const LONG: &str = "65m";
/// Six windows of the usual length.
const SHORT: &str = "30m";

/// A rule that records the outcome of a query under a name.
#[derive(Debug)]
pub(super) struct Recording {
    pub(super) name: String,
    pub(super) expr: String,
}

/// All of them, each by job, instance and appliance as a whole.
pub(super) fn all() -> Vec<Recording> {
    let rate = |metric: &str, range: &str| format!("sum by (EACH) (rate(asyncos_{metric}_total[{range}]))");
    let share = |part: &str, whole: &str| format!("{} / ({} > 0)", rate(part, LONG), rate(whole, LONG));
    let failures = |direction: &str| {
        let counter = |outcome| rate(&format!("mail_security_summary_{direction}_conn_tls_{outcome}"), LONG);
        format!("{fail} / ({fail} + {} > 0)", counter("success"), fail = counter("fail"))
    };
    let rules = [
        ("collections:success_ratio".to_owned(), "avg by (EACH) (asyncos_group_success)".to_owned()),
        (format!("incoming_recipients:rate{SHORT}"), rate("mail_incoming_traffic_summary_total_recipients", SHORT)),
        (format!("incoming_spam:rate{SHORT}"), rate("mail_incoming_traffic_summary_detected_spam", SHORT)),
        (
            format!("incoming_threats:ratio_rate{LONG}"),
            share(
                "mail_incoming_traffic_summary_total_threat_recipients",
                "mail_incoming_traffic_summary_total_recipients",
            ),
        ),
        (
            format!("outgoing_hard_bounces:ratio_rate{LONG}"),
            share(
                "mail_outgoing_traffic_summary_total_hard_bounces",
                "mail_outgoing_traffic_summary_total_recipients_processed",
            ),
        ),
        (format!("tls_failures_incoming:ratio_rate{LONG}"), failures("received")),
        (format!("tls_failures_outgoing:ratio_rate{LONG}"), failures("sent")),
    ];
    let named = |(name, expr): (String, String)| Recording {
        name: format!("appliance:asyncos_{name}"),
        expr: query::rule(&expr),
    };
    rules.into_iter().map(named).collect()
}

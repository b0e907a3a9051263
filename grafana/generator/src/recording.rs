//! Recording rules: what several alerts look back at, and what a panel averages over a month.

use super::counted::Counted;
use super::query;

/// Minutes of shares, for short windows.
const LONG: u64 = 60;
/// Minutes of rates: six windows of the usual length.
const SHORT: u64 = 30;

/// A rule that records the outcome of a query under a name.
#[derive(Debug)]
pub(super) struct Recording {
    pub(super) name: String,
    pub(super) expr: String,
}

/// All of them, each by job, instance and appliance as a whole.
pub(super) fn all() -> Vec<Recording> {
    const INCOMING: &str = "mail_incoming_traffic_summary";
    const OUTGOING: &str = "mail_outgoing_traffic_summary";
    let rate = |group: &str, counter: &str, minutes: u64| {
        format!("sum by (EACH) ({})", Counted::in_rule(group, counter).rate_over(minutes, ""))
    };
    let share = |group: &str, part: &str, whole: &str| {
        format!("{} / ({} > 0)", rate(group, part, LONG), rate(group, whole, LONG))
    };
    let newest = |counter: &str| format!("sum by (EACH) ({})", Counted::in_rule(INCOMING, counter).newest());
    let failures = |direction: &str| {
        let counter = |outcome| rate("mail_security_summary", &format!("{direction}_conn_tls_{outcome}"), LONG);
        format!("{fail} / ({fail} + {} > 0)", counter("success"), fail = counter("fail"))
    };
    // Each window of the search is divided by its own length; its gauge shows also what is too much to be in a total.
    let window = |group: &str| {
        format!("max by (EACH) (asyncos_window_seconds{{group=\"{group}\",device_group=\"\",device=\"\"}})")
    };
    let dropped = format!(
        "sum by (EACH) (asyncos_tracking_messages_last_window{{search=\"messages_dropped\"}}) / on (EACH) ({} or {}) / on \
         (EACH) ({} + {} > 0)",
        window("tracking/messages_dropped"),
        window(""),
        rate("mail_system_capacity", "incoming_messages", LONG),
        rate("mail_system_capacity", "outgoing_messages", LONG),
    );
    let rules = [
        ("collections:success_ratio", "avg by (EACH) (asyncos_group_success)".to_owned()),
        ("incoming_recipients:rate", rate(INCOMING, "total_recipients", SHORT)),
        ("incoming_spam:rate", rate(INCOMING, "detected_spam", SHORT)),
        ("incoming_threats:ratio", share(INCOMING, "total_threat_recipients", "total_recipients")),
        (
            "incoming_threats:ratio_newest",
            format!("{} / ({} > 0)", newest("total_threat_recipients"), newest("total_recipients")),
        ),
        ("messages_dropped:ratio", dropped),
        ("outgoing_hard_bounces:ratio", share(OUTGOING, "total_hard_bounces", "total_recipients_processed")),
        ("tls_failures_incoming:ratio", failures("received")),
        ("tls_failures_outgoing:ratio", failures("sent")),
    ];
    let named = |(name, expr): (&str, String)| Recording {
        name: format!("appliance:asyncos_{name}"),
        expr: query::rule(&expr),
    };
    rules.into_iter().map(named).collect()
}

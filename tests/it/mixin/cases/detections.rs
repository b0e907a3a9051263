//! Alerts about senders, and about what the searches of `detections` find.

use super::hourly::HOUR;
use super::{Case, case, counter, gauge};

const CAPACITY: &str = "asyncos_mail_system_capacity";
const TOTAL: &str = "asyncos_tracking_messages_total";
const NEWEST: &str = "asyncos_tracking_messages_last_window";

/// A share that rises from its limit to another one: the counters with the events of each minute before, and then.
type Share = (&'static str, &'static [(&'static str, f64, f64)], &'static str, &'static str);

const SHARES: [Share; 7] = [
    (
        "AsyncosSpfFailures",
        &[
            ("mail_incoming_traffic_summary_failed_spf", 10.0, 25.0),
            ("mail_incoming_traffic_summary_total_recipients", 200.0, 200.0),
            ("mail_incoming_traffic_summary_blocked_reputation", 100.0, 100.0),
        ],
        "Much mail to esa1 fails SPF",
        "25% of the mail that esa1 accepted within an hour failed SPF.",
    ),
    (
        "AsyncosDkimFailures",
        &[
            ("mail_incoming_traffic_summary_failed_dkim", 10.0, 25.0),
            ("mail_incoming_traffic_summary_total_recipients", 200.0, 200.0),
            ("mail_incoming_traffic_summary_blocked_reputation", 100.0, 100.0),
        ],
        "Much mail to esa1 fails DKIM",
        "25% of the mail that esa1 accepted within an hour failed DKIM.",
    ),
    (
        "AsyncosSpoofedMail",
        &[
            ("mail_incoming_traffic_summary_total_spoofed_emails", 5.0, 25.0),
            ("mail_incoming_traffic_summary_total_recipients", 200.0, 200.0),
            ("mail_incoming_traffic_summary_blocked_reputation", 100.0, 100.0),
        ],
        "Much spoofed mail at esa1",
        "25% of the mail that esa1 accepted within an hour was classified as spoofed.",
    ),
    (
        "AsyncosPoorSenderDomains",
        &[
            ("mail_sender_domain_reputation_awful", 10.0, 40.0),
            ("mail_sender_domain_reputation_poor", 10.0, 10.0),
            ("mail_system_capacity_incoming_messages", 100.0, 100.0),
        ],
        "esa1 accepts much mail from domains of poor reputation",
        "50% of the messages that esa1 received within an hour came from domains of awful or poor reputation.",
    ),
    (
        "AsyncosUnencryptedIncoming",
        &[
            ("mail_security_summary_received_unencrypted", 40.0, 75.0),
            ("mail_security_summary_received_total", 100.0, 100.0),
        ],
        "Much mail to esa1 is unencrypted",
        "75% of the messages that esa1 received within an hour came without TLS.",
    ),
    (
        "AsyncosUnencryptedOutgoing",
        &[("mail_security_summary_sent_unencrypted", 40.0, 75.0), ("mail_security_summary_sent_total", 100.0, 100.0)],
        "Much mail from esa1 is unencrypted",
        "75% of the messages that esa1 sent within an hour left without TLS.",
    ),
    (
        "AsyncosFilesUnscannable",
        &[("mail_incoming_amp_summary_unscannable", 10.0, 30.0), ("mail_incoming_amp_summary_clean", 90.0, 90.0)],
        "esa1 cannot scan many files",
        "25% of the files that esa1 found clean or could not scan within an hour could not be scanned.",
    ),
];

/// A search that found a few messages in one window.
fn found(alert: &'static str, search: &'static str, messages: [(f64, u64); 3]) -> Case {
    case(alert).of(TOTAL, &format!("search=\"{search}\""), gauge(messages)).label("search", search).at(79, 80, 141)
}

pub(in super::super) fn cases() -> Vec<Case> {
    let mut cases: Vec<Case> = SHARES.iter().map(by_minute).collect();
    cases.extend(searches());
    cases.push(remediation(1));
    cases.push(
        dmarc().of(&format!("{CAPACITY}_incoming_messages_total"), "", counter([(100.0, 390)])).at(119, 260, 380),
    );
    let capacity = ["incoming", "outgoing"].map(|direction| format!("{CAPACITY}_{direction}_messages_total"));
    cases.push(
        capacity.iter().fold(dropping(120), |case, total| case.of(total, "", counter([(50.0, 390)]))).at(119, 121, 240),
    );
    cases.into_iter().map(|case| case.windows(300)).collect()
}

fn searches() -> Vec<Case> {
    vec![
        found(
            "AsyncosMaliciousAttachmentDelivered",
            "malicious_attachment_delivered",
            [(0.0, 80), (2.0, 60), (2.0, 60)],
        )
        .says("esa1 delivered mail with a virus", "2 messages with a virus were delivered by esa1 within an hour."),
        // A window with too many messages is in no total.
        case("AsyncosMaliciousLinkDelivered")
            .of(TOTAL, "search=\"malicious_link_delivered\"", gauge([(0.0, 200)]))
            .of(NEWEST, "search=\"malicious_link_delivered\"", gauge([(0.0, 80), (7.0, 60), (0.0, 60)]))
            .label("search", "malicious_link_delivered")
            .at(79, 80, 141)
            .says(
                "esa1 delivered mail with a malicious link",
                "7 messages with a malicious link were delivered by esa1 within an hour.",
            ),
        found("AsyncosDlpViolationDelivered", "dlp_violation_delivered", [(0.0, 80), (1.0, 60), (1.0, 60)]).says(
            "Mail that violates a data-loss policy left esa1",
            "1 messages that violate a data-loss policy were delivered by esa1 within an hour.",
        ),
        // Ten are not too many, nor are five.
        found("AsyncosOutbreakQuarantined", "outbreak_quarantined", [(0.0, 60), (10.0, 20), (12.0, 100)])
            .says("An outbreak at esa1", "12 messages of an hour are in the outbreak quarantine of esa1."),
        found(
            "AsyncosSpoofedInternalSender",
            "spoofed_internal_sender/example.com",
            [(0.0, 60), (5.0, 20), (8.0, 100)],
        )
        .says(
            "esa1 delivered mail from outside with an internal sender",
            "8 messages from outside with a sender of your own domain were delivered by esa1 within an hour \
             (spoofed_internal_sender/example.com).",
        ),
        case("AsyncosCanaryMissing")
            .of(NEWEST, "search=\"canary\"", gauge([(2.0, 60), (0.0, 60), (1.0, 60)]))
            .label("search", "canary")
            .at(59, 60, 120)
            .says(
                "The probe message did not arrive at esa1",
                "No probe message was delivered by esa1 in the newest interval.",
            ),
    ]
}

fn by_minute((alert, counters, summary, description): &Share) -> Case {
    let grows = |case: Case, (name, before, then): &(&str, f64, f64)| {
        // The share falls to nothing, and its whole stays.
        let after = if before == then { *before } else { 0.0 };
        // What is called a total already is not called so twice.
        case.of(
            &format!("asyncos_{}_total", name.trim_end_matches("_total")),
            "",
            counter([(*before, 120), (*then, 150), (after, 120)]),
        )
    };
    let totals = |case: Case| counters.iter().fold(case, grows);
    totals(case(alert)).at(119, 260, 380).says(summary, description)
}

fn dmarc() -> Case {
    case("AsyncosDmarcFailuresDelivered")
        .of(TOTAL, "search=\"dmarc_failure_delivered\"", counter([(10.0, 120), (25.0, 150), (0.0, 120)]))
        .says(
            "esa1 delivers mail that fails DMARC",
            "25% of the messages that esa1 received within an hour failed DMARC and were delivered.",
        )
}

/// Half of 3,000 messages in half an hour are not too many.
fn dropping(begun: u64) -> Case {
    case("AsyncosMassDropping")
        .of("asyncos_window_seconds", "group=\"tracking/messages_dropped\"", gauge([(1800.0, 600)]))
        .of(NEWEST, "search=\"messages_dropped\"", gauge([(1500.0, begun), (1800.0, 60), (90.0, 300)]))
        .says("esa1 drops most of its mail", "esa1 has dropped 60% of the messages of the newest window.")
}

/// Messages that stay in their mailboxes, in a newest window that is shown for so many minutes.
fn remediation(minutes: u64) -> Case {
    case("AsyncosRemediationFailed")
        .of(
            "asyncos_mail_mor_batch_summary_msgs_failed_last_window",
            "batch=\"b\"",
            gauge([(0.0, 2 * HOUR), (3.0, minutes), (0.0, HOUR)]),
        )
        .at(2 * HOUR - 1, 2 * HOUR, 2 * HOUR + minutes)
        .says(
            "esa1 cannot remediate delivered mail",
            "3 messages could not be removed from mailboxes in the newest window of esa1.",
        )
}

/// The same for an appliance that counts whole hours; searches have windows of their own.
pub(in super::super) fn hourly() -> Vec<Case> {
    let hourly = |(alert, counters, summary, description): &Share| {
        let grows = |case: Case, (name, before, then): &(&str, f64, f64)| {
            let after = if before == then { *before } else { 0.0 };
            let hours = [(60.0 * before, 4), (60.0 * then, 3), (60.0 * after, 2)];
            case.hours(&format!("asyncos_{name}"), HOUR, hours)
        };
        counters.iter().fold(case(alert), grows).at(239, 271, 421).quiet(HOUR).says(summary, description)
    };
    let mut cases: Vec<Case> = SHARES.iter().map(hourly).collect();
    cases.push(dmarc().hours(&format!("{CAPACITY}_incoming_messages"), HOUR, [(6000.0, 7)]).at(119, 260, 380));
    cases.push(remediation(HOUR).quiet(HOUR));
    let capacity = ["incoming", "outgoing"].map(|direction| format!("{CAPACITY}_{direction}_messages"));
    let dropped = capacity.iter().fold(dropping(240), |case, name| case.hours(name, HOUR, [(3000.0, 9)]));
    cases.push(dropped.at(239, 241, 301).quiet(HOUR));
    cases
}

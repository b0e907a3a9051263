//! Alerts about delivery and about the encryption on its way.

use super::super::alert::Severity::{Critical, Warning};
use super::super::alert::{Alert, Page};
use super::super::board::Uid;
use super::super::counted::Counted;
use super::super::threshold::{
    FLOOR, HARD_BOUNCES, LOGIN_FAILURES, OLDEST_MESSAGE, OLDEST_MESSAGE_RECIPIENTS, TLS_FAILURES,
};

const OUTGOING: &str = "asyncos_mail_outgoing_traffic_summary";
const SECURITY: &str = "mail_security_summary";

pub(super) fn alerts() -> Vec<Alert> {
    let mut alerts = delivery();
    alerts.extend(encryption());
    alerts
}

fn delivery() -> Vec<Alert> {
    vec![
        Alert::new(
            "AsyncosDeliveryStalled",
            Critical,
            Some("15m"),
            // As with incoming mail, the gauges of the newest window are right for windows of any length.
            &format!(
                "max_over_time({OUTGOING}_total_recipients_delivered_last_window[15m]) == 0 and \
                 {OUTGOING}_total_recipients_delivered_last_window == 0 and \
                 min_over_time({OUTGOING}_total_recipients_processed_last_window[15m]) > 0"
            ),
            "{{ $labels.appliance }} delivers nothing",
            "{{ $labels.appliance }} has processed outgoing mail for half an hour and delivered none of it.",
            Page {
                meaning: "Outgoing mail was processed in each of the last windows, and nothing was delivered.",
                impact: "Outgoing mail is not delivered, nor is incoming mail that passes through this appliance.",
                panel: (Uid::Outgoing, "Delivered by appliance per minute"),
                commands: &["`status`: is delivery suspended?", "`tophosts`, `hoststatus DOMAIN`", "`dnsstatus`"],
                causes: &[
                    "delivery is suspended: `resumedel`",
                    "DNS does not answer",
                    "a firewall, or the next-hop mail host",
                ],
                actions: &["resume delivery", "`delivernow` once destinations are reachable again"],
            },
        ),
        Alert::new(
            "AsyncosOldestMessage",
            Warning,
            Some("15m"),
            &format!(
                "time() - asyncos_status_oldest_message_timestamp_seconds > {OLDEST_MESSAGE} and asyncos_status_active_recips \
                 > {OLDEST_MESSAGE_RECIPIENTS}"
            ),
            "The oldest message at {{ $labels.appliance }} is hours old",
            "The oldest message at {{ $labels.appliance }} has waited {{ $value | humanizeDuration }}, with more than 100 \
             recipients in the queue.",
            Page {
                meaning: "A message has been in the queue for more than four hours, and more than 100 recipients are \
                          active. A single unreachable domain does not count.",
                impact: "Mail to some destinations is delayed.",
                panel: (Uid::Outgoing, "Oldest message"),
                commands: &["`oldmessage`", "`tophosts active`", "`hoststatus DOMAIN`"],
                causes: &["a destination is down or blocks the appliance's address", "DNS for a destination fails"],
                actions: &[
                    "ask the destination's postmaster",
                    "check whether the appliance's address is on a \
                                                                blocklist",
                ],
            },
        ),
        Alert::new(
            "AsyncosHardBouncesHigh",
            Warning,
            Some("30m"),
            &format!(
                "appliance:asyncos_outgoing_hard_bounces:ratio > {HARD_BOUNCES} and on (EACH) {} > {FLOOR}",
                Counted::in_rule("mail_outgoing_traffic_summary", "total_recipients_processed").rate_over(60, "")
            ),
            "Many recipients of {{ $labels.appliance }} hard-bounce",
            "{{ $value | humanizePercentage }} of the outgoing recipients of {{ $labels.appliance }} hard-bounce.",
            Page {
                meaning: "More than a tenth of the outgoing recipients hard-bounced within the last hour.",
                impact: "Mail bounces back to its senders.",
                panel: (Uid::Outgoing, "Hard bounce share"),
                commands: &["`tophosts`", "`tail bounces`, if the log is configured", "Monitor > Delivery Status"],
                causes: &[
                    "an outdated address list",
                    "an address of the appliance is on a blocklist",
                    "a compromised account sends spam",
                ],
                actions: &[
                    "read the destinations' replies in the bounce log",
                    "fix the cause, then request removal from the blocklist",
                ],
            },
        ),
    ]
}

/// The share of connections whose required TLS failed, with enough of them.
fn failures(direction: &str, title: &str) -> String {
    let rate = |outcome| Counted::in_rule(SECURITY, &format!("{direction}_conn_tls_{outcome}")).rate_over(60, "");
    format!(
        "appliance:asyncos_tls_failures_{title}:ratio > {TLS_FAILURES} and on (EACH) ({} + {}) > {}",
        rate("fail"),
        rate("success"),
        FLOOR / 10.0
    )
}

fn encryption() -> Vec<Alert> {
    vec![
        Alert::new(
            "AsyncosTlsFailuresIncoming",
            Warning,
            Some("30m"),
            &failures("received", "incoming"),
            "Required TLS fails for mail to {{ $labels.appliance }}",
            "{{ $value | humanizePercentage }} of the incoming connections of {{ $labels.appliance }} that require TLS fail.",
            Page {
                meaning: "More than 5 % of the incoming connections that must use TLS fail.",
                impact: "Mail from the affected partners does not arrive.",
                panel: (Uid::Encryption, "Failed required TLS"),
                commands: &[
                    "`certconfig`: has the listener's certificate expired?",
                    "`tail mail_logs`, for TLS",
                    "`openssl s_client -starttls smtp -connect APPLIANCE:25`",
                ],
                causes: &[
                    "the listener's certificate has expired",
                    "a partner supports old TLS versions only",
                    "`sslconfig` was changed",
                ],
                actions: &["renew the certificate", "contact the partner"],
            },
        ),
        Alert::new(
            "AsyncosTlsFailuresOutgoing",
            Warning,
            Some("30m"),
            &failures("sent", "outgoing"),
            "Required TLS fails for mail from {{ $labels.appliance }}",
            "{{ $value | humanizePercentage }} of the outgoing connections of {{ $labels.appliance }} that require TLS fail.",
            Page {
                meaning: "More than 5 % of the outgoing connections for which destination controls require TLS fail.",
                impact: "Mail to the affected partners waits in the queue and eventually bounces.",
                panel: (Uid::Encryption, "Failed required TLS"),
                commands: &["`tlsverify DOMAIN`", "`destconfig`", "`tail mail_logs`, for TLS"],
                causes: &[
                    "a partner's certificate has expired or its host name has changed",
                    "a root certificate is missing: `certconfig` > `CERTAUTHORITY`",
                ],
                actions: &["contact the partner", "do not lower the requirement without approval"],
            },
        ),
        Alert::new(
            "AsyncosSmtpLoginFailures",
            Warning,
            Some("15m"),
            &format!(
                "{} * 60 > {LOGIN_FAILURES}",
                Counted::in_rule("mail_authentication_summary", "received_conn_auth_fail").rate_over(60, "")
            ),
            "Many SMTP logins fail at {{ $labels.appliance }}",
            "{{ $value | humanize }} SMTP logins per minute fail at {{ $labels.appliance }}.",
            Page {
                meaning: "More than ten SMTP logins per minute fail.",
                impact: "None on mail. An attacker may guess a password, or the directory may lock accounts.",
                panel: (Uid::Encryption, "SMTP logins, connections per minute"),
                commands: &["`tail authentication`", "Monitor > Inbound SMTP Authentication names the senders"],
                causes: &["a password-guessing attack", "a device of your own with an old password"],
                actions: &[
                    "reject the addresses in the host access table",
                    "check whether logins from these addresses have succeeded",
                ],
            },
        ),
    ]
}

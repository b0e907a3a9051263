//! TLS and authentication: how much is encrypted, where it fails, and who logs in.

use super::super::board::{Board, Manner, Row, Uid};
use super::super::panel::{Panel, Step};
use super::super::style::{Colour, Limits, Unit, Words};
use super::super::threshold::{CERTIFICATE_SOON, LOGIN_FAILURES, TLS_FAILURES};
use super::{Part, a_minute, data_as_of};

const SECURITY: &str = "mail_security_summary";
const LOGINS: &str = "mail_authentication_summary";

pub(super) fn board() -> Board {
    Board {
        uid: Uid::Encryption,
        description: "How much mail is encrypted on its way, where encryption fails, and who logs in or tries to.",
        domain: "security",
        manner: Manner::Watch,
        rows: vec![
            Row::open("Now", numbers()),
            Row::open("Encryption", encryption()),
            Row::open("Logins and senders", logins()),
            Row::open("Certificates of the appliances' API", vec![certificates()]),
        ],
    }
}

fn sum(group: &str, counters: &[&str]) -> String {
    let rate = |counter: &&str| format!("sum(rate(asyncos_{group}_{counter}_total{{APPLIANCE}}[RATE]) REPORTED)");
    counters.iter().map(rate).collect::<Vec<_>>().join(" + ")
}

/// The share of some counters in others.
fn share(part: &[&str], whole: &[&str]) -> String {
    format!("({}) / (({}) > 0)", sum(SECURITY, part), sum(SECURITY, whole))
}

fn numbers() -> Vec<Panel> {
    vec![
        Panel::stat(
            "Received encrypted",
            "Share of the messages that came over TLS. On the appliance: Monitor > TLS Encryption.",
            Unit::Ratio,
            &share(&["received_encrypted_tls"], &["received"]),
        ),
        Panel::stat(
            "Sent encrypted",
            "Share of the messages that left over TLS.",
            Unit::Ratio,
            &share(&["sent_encrypted_tls"], &["sent"]),
        ),
        Panel::stat(
            "Required TLS, failures in",
            "Share of incoming connections with required TLS that failed: partners whose mail does not come \
             (AsyncosTlsFailuresIncoming).",
            Unit::Ratio,
            &share(&["received_conn_tls_fail"], &["received_conn_tls_fail", "received_conn_tls_success"]),
        )
        .limits(Limits::look(TLS_FAILURES)),
        Panel::stat(
            "Required TLS, failures out",
            "Share of outgoing connections with required TLS that failed: mail that waits (AsyncosTlsFailuresOutgoing).",
            Unit::Ratio,
            &share(&["sent_conn_tls_fail"], &["sent_conn_tls_fail", "sent_conn_tls_success"]),
        )
        .limits(Limits::look(TLS_FAILURES)),
        Panel::stat(
            "Failed SMTP logins per minute",
            "Many a minute: somebody guesses passwords (AsyncosSmtpLoginFailures).",
            Unit::Count,
            &format!("({}) * 60", sum(LOGINS, &["received_conn_auth_fail"])),
        )
        .limits(Limits::look(LOGIN_FAILURES)),
        data_as_of(SECURITY),
    ]
}

fn encryption() -> Vec<Panel> {
    const IN: [Part; 5] = [
        ("required", "received_conn_tls_success", Colour::Required),
        ("preferred", "received_conn_tls_opt_success", Colour::Preferred),
        ("plain", "received_conn_plain", Colour::Plain),
        ("preferred, failed", "received_conn_tls_opt_fail", Colour::Look),
        ("required, failed", "received_conn_tls_fail", Colour::Act),
    ];
    const OUT: [Part; 5] = [
        ("required", "sent_conn_tls_success", Colour::Required),
        ("preferred", "sent_conn_tls_opt_success", Colour::Preferred),
        ("plain", "sent_conn_plain", Colour::Plain),
        ("preferred, failed", "sent_conn_tls_opt_fail", Colour::Look),
        ("required, failed", "sent_conn_tls_fail", Colour::Act),
    ];
    const DANE: [Part; 2] =
        [("verified", "sent_conn_dane_success", Colour::Good), ("failed", "sent_conn_dane_fail", Colour::Act)];
    vec![
        a_minute(
            Panel::stacked(
                "Incoming connections per minute",
                "By whether TLS was required or preferred by our policy, and whether it came about.",
                Unit::Count,
            ),
            SECURITY,
            &IN,
        ),
        a_minute(
            Panel::stacked(
                "Outgoing connections per minute",
                "By whether TLS was required or preferred by our destination controls, and whether it came about.",
                Unit::Count,
            ),
            SECURITY,
            &OUT,
        ),
        Panel::lines(
            "Failed required TLS",
            "Share of connections whose required TLS failed. Over the line: a certificate has ended or a partner changed \
             something. `tlsverify` tries one destination.",
            Unit::Ratio,
        )
        .coloured(
            &share(&["received_conn_tls_fail"], &["received_conn_tls_fail", "received_conn_tls_success"]),
            "in",
            Colour::Quantity,
        )
        .coloured(
            &share(&["sent_conn_tls_fail"], &["sent_conn_tls_fail", "sent_conn_tls_success"]),
            "out",
            Colour::Bulk,
        )
        .limits(Limits::look(TLS_FAILURES)),
        a_minute(
            Panel::stacked(
                "DANE, connections per minute",
                "Outgoing connections whose certificate was held against TLSA records. Failures: mail to that destination \
                 waits; see `daneverify`.",
                Unit::Count,
            ),
            SECURITY,
            &DANE,
        ),
        Panel::lines(
            "Encrypted share",
            "Share of messages over TLS, received and sent.",
            Unit::Ratio,
        )
        .coloured(&share(&["received_encrypted_tls"], &["received"]), "received", Colour::Quantity)
        .coloured(&share(&["sent_encrypted_tls"], &["sent"]), "sent", Colour::Bulk),
        a_minute(
            Panel::stacked(
                "Unencrypted messages per minute",
                "Messages that anybody on the way could read.",
                Unit::Count,
            ),
            SECURITY,
            &[
                ("received in the clear", "received_unencrypted", Colour::Plain),
                ("sent in the clear", "sent_unencrypted", Colour::Look),
            ],
        ),
    ]
}

fn logins() -> Vec<Panel> {
    vec![
        a_minute(
            Panel::stacked(
                "SMTP logins, connections per minute",
                "Logins by password and by certificate. Failures by password in numbers are an attack; by certificate, one \
                 that has ended.",
                Unit::Count,
            ),
            LOGINS,
            &[
                ("password", "received_conn_auth_success", Colour::Good),
                ("certificate", "received_conn_cert_success", Colour::Preferred),
                ("password failed", "received_conn_auth_fail", Colour::Act),
                ("certificate failed", "received_conn_cert_fail", Colour::Look),
            ],
        ),
        a_minute(
            Panel::lines(
                "Messages from senders who logged in per minute",
                "A rise at night: an account of ours is used by others.",
                Unit::Count,
            ),
            LOGINS,
            &[("logged in", "received_auth", Colour::Quantity), ("not logged in", "received_noauth", Colour::Past)],
        ),
        a_minute(
            Panel::lines(
                "Senders that fail authentication per minute",
                "Recipients of mail whose SPF, DKIM or DMARC failed.",
                Unit::Count,
            ),
            "mail_incoming_traffic_summary",
            &[
                ("SPF failed", "failed_spf", Colour::Look),
                ("DKIM failed", "failed_dkim", Colour::Plain),
                ("stopped by DMARC", "blocked_dmarc", Colour::Policy),
            ],
        ),
        a_minute(
            Panel::bars("Spoofed mail per minute", "Mail taken for spoofed by the appliance.", Unit::Count),
            "mail_incoming_traffic_summary",
            &[("spoofed", "total_spoofed_emails", Colour::Look)],
        ),
    ]
}

fn certificates() -> Panel {
    Panel::table(
        "Certificates",
        "How long the certificate that each appliance shows to the exporter is still good, trusted or not. The listeners' \
         own are not known here: `certconfig`.",
        &[("appliance", "Appliance")],
    )
    .column(
        "Time left",
        Unit::Seconds,
        Limits::falling(0.0, CERTIFICATE_SOON),
        "min by (appliance) (asyncos_tls_certificate_expiry_timestamp_seconds{APPLIANCE} - time())",
    )
    .column(
        "Ends",
        Unit::Date,
        Limits::none(),
        "min by (appliance) (asyncos_tls_certificate_expiry_timestamp_seconds{APPLIANCE}) * 1000",
    )
    .column_in_words(
        "Checked",
        Words::YesNo,
        "min by (appliance) (1 - asyncos_tls_verification_disabled{APPLIANCE})",
    )
    .step(Step::Minute)
    .size(24, 6)
}

//! TLS and authentication: how much is encrypted, where it fails, and who logs in.

use super::super::board::{Board, Manner, Row, Uid};
use super::super::panel::{Panel, Step};
use super::super::style::{Colour, Limits, Unit, Words};
use super::super::threshold::{CERTIFICATE_SOON, LOGIN_FAILURES, TLS_FAILURES};
use super::{Part, a_minute, data_as_of, sum_of_rates};

const SECURITY: &str = "mail_security_summary";
const LOGINS: &str = "mail_authentication_summary";

pub(super) fn board() -> Board {
    Board {
        uid: Uid::Encryption,
        description: "How much mail is encrypted in transit, where encryption fails, and SMTP logins.",
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
    let rate = |counter: &&str| sum_of_rates(group, counter);
    counters.iter().map(rate).collect::<Vec<_>>().join(" + ")
}

/// The share of some counters in others.
fn share(part: &[&str], whole: &[&str]) -> String {
    format!("({}) / (({}) > 0)", sum(SECURITY, part), sum(SECURITY, whole))
}

fn numbers() -> Vec<Panel> {
    let tiles = [
        Panel::stat(
            "Received encrypted",
            "Share of the messages received over TLS. On the appliance: Monitor > TLS Encryption.",
            Unit::Ratio,
            &share(&["received_encrypted_tls"], &["received_total"]),
        )
        .with_history(),
        Panel::stat(
            "Sent encrypted",
            "Share of the messages sent over TLS.",
            Unit::Ratio,
            &share(&["sent_encrypted_tls"], &["sent_total"]),
        )
        .with_history(),
        Panel::stat(
            "Failed TLS, incoming",
            "Share of incoming connections with required TLS that failed: mail of the affected partners does not \
             arrive (AsyncosTlsFailuresIncoming).",
            Unit::Ratio,
            &share(&["received_conn_tls_fail"], &["received_conn_tls_fail", "received_conn_tls_success"]),
        )
        .limits(Limits::look(TLS_FAILURES))
        .with_history(),
        Panel::stat(
            "Failed TLS, outgoing",
            "Share of outgoing connections with required TLS that failed: mail that waits (AsyncosTlsFailuresOutgoing).",
            Unit::Ratio,
            &share(&["sent_conn_tls_fail"], &["sent_conn_tls_fail", "sent_conn_tls_success"]),
        )
        .limits(Limits::look(TLS_FAILURES))
        .with_history(),
        Panel::stat(
            "Failed SMTP logins",
            "Failed SMTP logins. Many per minute mean a password-guessing attack (AsyncosSmtpLoginFailures).",
            Unit::Count,
            &format!("({}) * 60", sum(LOGINS, &["received_conn_auth_fail"])),
        )
        .limits(Limits::look(LOGIN_FAILURES))
        .with_history(),
        data_as_of(SECURITY),
    ];
    tiles.into_iter().map(|tile| tile.size(8, 3)).collect()
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
                "Connections by TLS policy (required, preferred, none) and result.",
                Unit::Count,
            ),
            SECURITY,
            &IN,
        ),
        a_minute(
            Panel::stacked(
                "Outgoing connections per minute",
                "Connections by the TLS setting of the destination controls (required, preferred, none) and result.",
                Unit::Count,
            ),
            SECURITY,
            &OUT,
        ),
        Panel::lines(
            "Failed required TLS",
            "Share of connections with required TLS that failed. Above the line: a certificate has expired, or a \
             partner changed something. `tlsverify` tests one destination.",
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
                "Outgoing connections with a certificate checked against TLSA records. On failure, mail to that \
                 destination waits; see `daneverify`.",
                Unit::Count,
            ),
            SECURITY,
            &DANE,
        ),
        Panel::lines("Encrypted share", "Share of messages over TLS, received and sent.", Unit::Ratio)
            .coloured(&share(&["received_encrypted_tls"], &["received_total"]), "received", Colour::Quantity)
            .coloured(&share(&["sent_encrypted_tls"], &["sent_total"]), "sent", Colour::Bulk),
        a_minute(
            Panel::stacked(
                "Unencrypted messages per minute",
                "Messages sent or received without encryption.",
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
                "Logins by password and by certificate. Many password failures mean an attack; certificate failures \
                 mean an expired certificate.",
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
                "A rise at night may mean a compromised account.",
                Unit::Count,
            ),
            LOGINS,
            &[("logged in", "received_auth", Colour::Quantity), ("not logged in", "received_noauth", Colour::Past)],
        ),
        a_minute(
            Panel::lines(
                "Senders that fail authentication per minute",
                "Recipients of mail that failed SPF, DKIM or DMARC.",
                Unit::Count,
            ),
            "mail_incoming_traffic_summary",
            &[
                ("SPF failed", "failed_spf", Colour::Look),
                ("DKIM failed", "failed_dkim", Colour::Plain),
                ("blocked by DMARC", "blocked_dmarc", Colour::Policy),
            ],
        ),
        a_minute(
            Panel::bars("Spoofed mail per minute", "Mail that the appliance classified as spoofed.", Unit::Count),
            "mail_incoming_traffic_summary",
            &[("spoofed", "total_spoofed_emails", Colour::Look)],
        ),
    ]
}

fn certificates() -> Panel {
    Panel::table(
        "Certificates",
        "Remaining validity of the certificate that each appliance presents to the exporter, trusted or not. \
         Certificates of listeners are not included: `certconfig`.",
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
    .column_in_words("Checked", Words::YesNo, "min by (appliance) (1 - asyncos_tls_verification_disabled{APPLIANCE})")
    .step(Step::Minute)
    .size(24, 6)
}

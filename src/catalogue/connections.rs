//! SMTP connections: their encryption, their logins and what the host access table does with them.
//!
//! **Source:** the vendor's Swagger description of the API 2.0; that each has one row is inferred from API 1.0.

use std::borrow::Cow::Borrowed;

use super::Source::{Inferred, Swagger};
use super::entry::{count, sum};
use super::{DeviceType, Group, Profile, Unit};

const CONNECTIONS: Unit = count("connections");
const MESSAGES: Unit = count("messages");

pub(super) const AUTHENTICATION: Group = Group {
    name: Borrowed("mail_authentication_summary"),
    help: Borrowed(
        "SMTP logins of incoming connections, by password and by certificate, and the mail that came over them",
    ),
    kind_source: Inferred,
    profile: Some(Profile::Default),
    about: DeviceType::Mail,
    key: None,
    others: None,
    counters: Borrowed(&[
        sum("received_auth", MESSAGES, Swagger, "Received from a sender who logged in"),
        sum("received_conn_auth_fail", CONNECTIONS, Swagger, "Incoming, SMTP AUTH failed"),
        sum("received_conn_auth_success", CONNECTIONS, Swagger, "Incoming, SMTP AUTH succeeded"),
        sum("received_conn_cert_fail", CONNECTIONS, Swagger, "Incoming, client certificate refused"),
        sum("received_conn_cert_success", CONNECTIONS, Swagger, "Incoming, client certificate accepted"),
        sum("received_conn_noauth", CONNECTIONS, Swagger, "Incoming, without any login"),
        sum("received_conn_total", CONNECTIONS, Swagger, "Incoming, with or without login"),
        sum("received_noauth", MESSAGES, Swagger, "Received from a sender who did not log in"),
        sum("received_total", MESSAGES, Swagger, "Received in all, with or without login"),
    ]),
};

/// `tls_opt` is read as TLS that is preferred, `tls` as TLS that is required, as the web interface distinguishes them
/// (inferred).
pub(super) const SECURITY: Group = Group {
    name: Borrowed("mail_security_summary"),
    help: Borrowed("Encryption of connections and messages, received and sent, with DANE for those sent"),
    kind_source: Inferred,
    profile: Some(Profile::Default),
    about: DeviceType::Mail,
    key: None,
    others: None,
    counters: Borrowed(&[
        sum("received_conn_plain", CONNECTIONS, Swagger, "Incoming, not encrypted"),
        sum("received_conn_tls_fail", CONNECTIONS, Swagger, "Incoming, required TLS failed"),
        sum("received_conn_tls_opt_fail", CONNECTIONS, Swagger, "Incoming, preferred TLS failed"),
        sum("received_conn_tls_opt_success", CONNECTIONS, Swagger, "Incoming, preferred TLS established"),
        sum("received_conn_tls_success", CONNECTIONS, Swagger, "Incoming, required TLS established"),
        sum("received_conn_total", CONNECTIONS, Swagger, "Incoming, encrypted or not"),
        sum("received_encrypted_tls", MESSAGES, Swagger, "Received over TLS"),
        sum("received_total", MESSAGES, Swagger, "Received in all, encrypted or not"),
        sum("received_unencrypted", MESSAGES, Swagger, "Received in the clear"),
        sum("sent_conn_dane_fail", CONNECTIONS, Swagger, "Outgoing, DANE verification failed"),
        sum("sent_conn_dane_success", CONNECTIONS, Swagger, "Outgoing, verified by DANE"),
        sum("sent_conn_plain", CONNECTIONS, Swagger, "Outgoing, not encrypted"),
        sum("sent_conn_tls_fail", CONNECTIONS, Swagger, "Outgoing, required TLS failed"),
        sum("sent_conn_tls_opt_fail", CONNECTIONS, Swagger, "Outgoing, preferred TLS failed"),
        sum("sent_conn_tls_opt_success", CONNECTIONS, Swagger, "Outgoing, preferred TLS established"),
        sum("sent_conn_tls_success", CONNECTIONS, Swagger, "Outgoing, required TLS established"),
        sum("sent_conn_total", CONNECTIONS, Swagger, "Outgoing, encrypted or not"),
        sum("sent_encrypted_tls", MESSAGES, Swagger, "Sent over TLS"),
        sum("sent_total", MESSAGES, Swagger, "Sent in all, encrypted or not"),
        sum("sent_unencrypted", MESSAGES, Swagger, "Sent in the clear"),
    ]),
};

pub(super) const SENDER_GROUPS: Group = Group {
    name: Borrowed("mail_sender_group_summary"),
    help: Borrowed("Connections by the action of the host access table"),
    kind_source: Inferred,
    profile: Some(Profile::Default),
    about: DeviceType::Mail,
    key: None,
    others: None,
    counters: Borrowed(&[
        sum("connections_accept", CONNECTIONS, Swagger, "Accepted by the host access table"),
        sum("connections_reject", CONNECTIONS, Swagger, "Rejected by the host access table with an SMTP reply"),
        sum("connections_relay", CONNECTIONS, Swagger, "Allowed to relay by the host access table"),
        sum("connections_tcp_refuse", CONNECTIONS, Swagger, "Refused by the host access table at TCP level"),
    ]),
};

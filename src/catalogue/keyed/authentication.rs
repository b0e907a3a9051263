//! Who senders prove to be: logins and client certificates by domain, and DMARC.
//!
//! **Source:** the vendor's Swagger description of the API 2.0; that they are keyed is inferred from API 1.0.

use std::borrow::Cow::Borrowed;

use crate::catalogue::Source::{Inferred, Swagger};
use crate::catalogue::entry::{count, keyed, sum, text};
use crate::catalogue::{DeviceType, Group, Keys, Unit};

const CONNECTIONS: Unit = count("connections");
const MESSAGES: Unit = count("messages");

pub(super) const DOMAINS: Group = Group {
    name: Borrowed("mail_authentication_incoming_domain"),
    help: Borrowed("SMTP logins of incoming connections, by password and by certificate, by sender domain"),
    kind_source: Inferred,
    profile: None,
    about: DeviceType::Mail,
    key: keyed("sender_domain", Keys::Unbounded),
    others: None,
    counters: Borrowed(&[
        sum("auth_disallow", CONNECTIONS, Swagger, "SMTP AUTH tried where it is not allowed"),
        sum("auth_fail", CONNECTIONS, Swagger, "SMTP AUTH failed"),
        sum("auth_success", CONNECTIONS, Swagger, "SMTP AUTH succeeded"),
        sum("cert_fail", CONNECTIONS, Swagger, "Client certificate refused"),
        sum(
            "cert_fallback_fail",
            CONNECTIONS,
            Swagger,
            "Client certificate refused, and SMTP AUTH failed in its place",
        ),
        sum(
            "cert_fallback_success",
            CONNECTIONS,
            Swagger,
            "Client certificate refused, and SMTP AUTH succeeded in its place",
        ),
        sum("cert_success", CONNECTIONS, Swagger, "Client certificate accepted"),
        sum("noauth", CONNECTIONS, Swagger, "Without any login"),
        sum("total", CONNECTIONS, Swagger, "Incoming, with or without login"),
    ]),
};

/// Keyed by domain and address at once, which makes it personal.
pub(super) const ADDRESSES: Group = Group {
    name: Borrowed("mail_authentication_incoming_domain_ip"),
    help: Borrowed("When each address last tried to log in, by outcome; texts, no samples"),
    kind_source: Inferred,
    profile: None,
    about: DeviceType::Mail,
    key: keyed("sender_ip", Keys::Personal),
    others: None,
    counters: Borrowed(&[
        text("last_auth_disallow", Swagger, "When SMTP AUTH was last tried where it is not allowed"),
        text("last_auth_fail", Swagger, "When SMTP AUTH last failed"),
        text("last_auth_success", Swagger, "When SMTP AUTH last succeeded"),
        text("last_cert_fail", Swagger, "When a client certificate was last refused"),
        text("last_cert_fallback", Swagger, "When SMTP AUTH was last tried in place of a certificate"),
        text("last_cert_success", Swagger, "When a client certificate was last accepted"),
    ]),
};

/// A summary by name alone: API 1.0 lists the highest of it.
pub(super) const DMARC: Group = Group {
    name: Borrowed("mail_dmarc_incoming_traffic_summary"),
    help: Borrowed("DMARC verification of incoming mail by sender domain"),
    kind_source: Inferred,
    profile: None,
    about: DeviceType::Mail,
    key: keyed("sender_domain", Keys::Unbounded),
    others: None,
    counters: Borrowed(&[
        sum("dmarc_failed_none", MESSAGES, Swagger, "DMARC failed, no action taken"),
        sum("dmarc_failed_quarantined", MESSAGES, Swagger, "DMARC failed, quarantined"),
        sum("dmarc_failed_rejected", MESSAGES, Swagger, "DMARC failed, rejected"),
        sum("dmarc_failed_total", MESSAGES, Swagger, "DMARC failed, whatever the action"),
        sum("dmarc_passed", MESSAGES, Swagger, "DMARC passed"),
        sum("dmarc_total_attempted", MESSAGES, Swagger, "DMARC verification tried, whatever the outcome"),
    ]),
};

//! Keyed mail groups about authentication of senders and SMTP users.
//! **Source:** the Swagger client kribsi/esa_python for names and counters; the numbers are made up.

use crate::sim::keyed::key as k;
use crate::sim::keyed::part::{self as p, Part};
use crate::sim::keyed::{KeyedGroup, Value, group, sum, text};

const AUTH_DISALLOWED: Part = p::events(203, 10);
const AUTH_FAILED: Part = p::events(204, 40);
const AUTH_SUCCEEDED: Part = p::events(205, 300);
const CERT_FAILED: Part = p::events(206, 6);
const CERT_FALLBACK_FAILED: Part = p::events(207, 4);
const CERT_FALLBACK_SUCCEEDED: Part = p::events(208, 8);
const CERT_SUCCEEDED: Part = p::events(209, 40);
const NOT_AUTHENTICATED: Part = p::events(210, 900);
/// Incoming connections, however they were authenticated.
const CONNECTIONS: &[Part] = &[
    AUTH_DISALLOWED,
    AUTH_FAILED,
    AUTH_SUCCEEDED,
    CERT_FAILED,
    CERT_FALLBACK_FAILED,
    CERT_FALLBACK_SUCCEEDED,
    CERT_SUCCEEDED,
    NOT_AUTHENTICATED,
];

const DMARC_FAILED_NONE: Part = p::events(215, 60);
const DMARC_FAILED_QUARANTINED: Part = p::events(216, 20);
const DMARC_PASSED: Part = p::events(217, 900);
const DMARC_ATTEMPTED: &[Part] = &[DMARC_FAILED_NONE, DMARC_FAILED_QUARANTINED, p::DMARC, DMARC_PASSED];

pub(super) const AUTHENTICATION: &[KeyedGroup] = &[
    group(
        "mail_authentication_incoming_domain",
        k::SENDER_DOMAIN,
        CONNECTIONS,
        &[
            sum("auth_disallow", &[AUTH_DISALLOWED]),
            sum("auth_fail", &[AUTH_FAILED]),
            sum("auth_success", &[AUTH_SUCCEEDED]),
            sum("cert_fail", &[CERT_FAILED]),
            sum("cert_fallback_fail", &[CERT_FALLBACK_FAILED]),
            sum("cert_fallback_success", &[CERT_FALLBACK_SUCCEEDED]),
            sum("cert_success", &[CERT_SUCCEEDED]),
            sum("noauth", &[NOT_AUTHENTICATED]),
            sum("total", CONNECTIONS),
        ],
    ),
    group(
        "mail_authentication_incoming_domain_ip",
        k::DOMAIN_AND_IP,
        &[p::events(211, 20)],
        &[
            text("last_auth_disallow", Value::Time),
            text("last_auth_fail", Value::Time),
            text("last_auth_success", Value::Time),
            text("last_cert_fail", Value::Time),
            text("last_cert_fallback", Value::Time),
            text("last_cert_success", Value::Time),
        ],
    ),
    group(
        "mail_dmarc_incoming_traffic_summary",
        k::SENDER_DOMAIN,
        DMARC_ATTEMPTED,
        &[
            sum("dmarc_failed_none", &[DMARC_FAILED_NONE]),
            sum("dmarc_failed_quarantined", &[DMARC_FAILED_QUARANTINED]),
            sum("dmarc_failed_rejected", &[p::DMARC]),
            sum("dmarc_failed_total", &[DMARC_FAILED_NONE, DMARC_FAILED_QUARANTINED, p::DMARC]),
            sum("dmarc_passed", &[DMARC_PASSED]),
            sum("dmarc_total_attempted", DMARC_ATTEMPTED),
        ],
    ),
];

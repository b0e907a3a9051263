//! Keyed mail groups about authentication of senders and SMTP users. **Source:** the Swagger client kribsi/esa_python for names and counters; the numbers
//! are made up.

use crate::sim::keyed::key as k;
use crate::sim::keyed::part::{self as p};
use crate::sim::keyed::{Keyed, Value, group, sum, text};

pub(super) const AUTHENTICATION: &[Keyed] = &[
    group(
        "mail_authentication_incoming_domain",
        k::SENDER_DOMAIN,
        &[
            p::events(203, 10),
            p::events(204, 40),
            p::events(205, 300),
            p::events(206, 6),
            p::events(207, 4),
            p::events(208, 8),
            p::events(209, 40),
            p::events(210, 900),
        ],
        &[
            sum("auth_disallow", &[p::events(203, 10)]),
            sum("auth_fail", &[p::events(204, 40)]),
            sum("auth_success", &[p::events(205, 300)]),
            sum("cert_fail", &[p::events(206, 6)]),
            sum("cert_fallback_fail", &[p::events(207, 4)]),
            sum("cert_fallback_success", &[p::events(208, 8)]),
            sum("cert_success", &[p::events(209, 40)]),
            sum("noauth", &[p::events(210, 900)]),
            sum(
                "total",
                &[
                    p::events(203, 10),
                    p::events(204, 40),
                    p::events(205, 300),
                    p::events(206, 6),
                    p::events(207, 4),
                    p::events(208, 8),
                    p::events(209, 40),
                    p::events(210, 900),
                ],
            ),
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
        &[p::events(215, 60), p::events(216, 20), p::DMARC, p::events(217, 900)],
        &[
            sum("dmarc_failed_none", &[p::events(215, 60)]),
            sum("dmarc_failed_quarantined", &[p::events(216, 20)]),
            sum("dmarc_failed_rejected", &[p::DMARC]),
            sum("dmarc_failed_total", &[p::events(215, 60), p::events(216, 20), p::DMARC]),
            sum("dmarc_passed", &[p::events(217, 900)]),
            sum("dmarc_total_attempted", &[p::events(215, 60), p::events(216, 20), p::DMARC, p::events(217, 900)]),
        ],
    ),
];

//! Keyed mail groups about sending addresses and countries.
//! **Source:** the Swagger client kribsi/esa_python for names and counters; the numbers are made up.

use crate::sim::keyed::key as k;
use crate::sim::keyed::part::{self as p, GRAYMAIL, THREAT_IN, TOTAL_IN, TOTAL_OUT};
use crate::sim::keyed::sender::{BLOCKED, DETECTED, LAST_SENDER_GROUP, OUTGOING, join};
use crate::sim::keyed::{Column, KeyedGroup, Value, group, sum, text};

/// Incoming mail of one address.
const BY_ADDRESS: [Column; 19] = join(&[
    BLOCKED,
    DETECTED,
    &[text("dns_verified", Value::Integer(2))],
    LAST_SENDER_GROUP,
    &[
        sum("marketing_mail", &[p::MARKETING]),
        text("sbrs_score", Value::Reputation),
        sum("social_mail", &[p::SOCIAL]),
        sum("threat_content_filter", &[p::FILTER_IN]),
        sum("total_clean_recipients", &[p::CLEAN_IN]),
        sum("total_graymail_recipients", GRAYMAIL),
        sum("total_recipients", TOTAL_IN),
        sum("total_threat_recipients", THREAT_IN),
    ],
]);

pub(super) const ADDRESSES: &[KeyedGroup] = &[
    group("mail_incoming_domain_ip_detail", k::ADDRESS, TOTAL_IN, &BY_ADDRESS),
    group(
        "mail_incoming_hat_connections",
        k::COUNTRY,
        &[p::ACCEPTED, p::REJECTED, p::REFUSED],
        &[
            sum("total_hat_connections", &[p::ACCEPTED, p::REJECTED, p::REFUSED]),
            sum("total_hat_messages", &[p::ACCEPTED_MESSAGES]),
        ],
    ),
    group("mail_incoming_ip_hostname_detail", k::ADDRESS, TOTAL_IN, &BY_ADDRESS),
    group("mail_sender_ip_hostname_detail", k::ADDRESS, TOTAL_OUT, OUTGOING),
];

//! Keyed mail groups about domains and networks.
//! **Source:** the Swagger client kribsi/esa_python for names and counters; the numbers are made up.

use crate::sim::keyed::key as k;
use crate::sim::keyed::part::{self as p, CLEAN_OUT, GRAYMAIL, THREAT_IN, THREAT_OUT, TOTAL_IN, TOTAL_OUT};
use crate::sim::keyed::sender::{BLOCKED, DETECTED, LAST_SENDER_GROUP, OUTGOING, join};
use crate::sim::keyed::{Column, KeyedGroup, Value, group, sum, text};

/// Graymail and filtered mail that was accepted, then the totals with the connections.
const ACCEPTED_AND_TOTALS: &[Column] = &[
    sum("marketing_mail", &[p::MARKETING]),
    sum("social_mail", &[p::SOCIAL]),
    sum("threat_content_filter", &[p::FILTER_IN]),
    sum("total_accepted_connections", &[p::ACCEPTED]),
    sum("total_clean_recipients", &[p::CLEAN_IN]),
    sum("total_graymail_recipients", GRAYMAIL),
    sum("total_recipients", TOTAL_IN),
    sum("total_rejected_connections", &[p::REJECTED]),
    sum("total_threat_recipients", THREAT_IN),
    sum("total_throttled_recipients", &[p::THROTTLED]),
];

pub(super) const DOMAINS: &[KeyedGroup] = &[
    group(
        "mail_destination_domain_detail",
        k::DESTINATION,
        TOTAL_OUT,
        &[
            sum("conn_dane_fail", &[p::DANE_FAIL]),
            sum("conn_dane_success", &[p::DANE]),
            text("conn_last_tls_status", Value::OneOf(&["TLS success", "TLS failed", "Plain"])),
            sum("conn_plain", &[p::PLAIN_OUT]),
            sum("conn_tls_fail", &[p::TLS_FAIL_OUT]),
            sum("conn_tls_opt_fail", &[p::TLS_OPT_FAIL_OUT]),
            sum("conn_tls_opt_success", &[p::TLS_OPT_OUT]),
            sum("conn_tls_success", &[p::TLS_OUT]),
            sum("conn_tls_total", &[p::TLS_FAIL_OUT, p::TLS_OPT_FAIL_OUT, p::TLS_OPT_OUT, p::TLS_OUT]),
            sum("delivered", &[p::DELIVERED]),
            sum("detected_amp", &[p::AMP_OUT]),
            sum("detected_spam", &[p::SPAM_OUT]),
            sum("detected_virus", &[p::VIRUS_OUT]),
            sum("encrypted_tls", &[p::ENCRYPTED_OUT]),
            sum("hard_bounces", &[p::BOUNCED]),
            sum("threat_content_filter", &[p::FILTER_OUT]),
            sum("total_clean_recipients", CLEAN_OUT),
            sum("total_recipients", TOTAL_OUT),
            sum("total_recipients_processed", TOTAL_OUT),
            sum("total_threat_recipients", THREAT_OUT),
        ],
    ),
    group(
        "mail_incoming_domain_detail",
        k::SENDER_DOMAIN,
        TOTAL_IN,
        &join::<27>(&[
            BLOCKED,
            &[
                sum("conn_plain", &[p::PLAIN_IN]),
                sum("conn_tls_fail", &[p::TLS_FAIL_IN]),
                sum("conn_tls_opt_fail", &[p::TLS_OPT_FAIL_IN]),
                sum("conn_tls_opt_success", &[p::TLS_OPT_IN]),
                sum("conn_tls_success", &[p::TLS_IN]),
                sum("conn_tls_total", &[p::TLS_FAIL_IN, p::TLS_OPT_FAIL_IN, p::TLS_OPT_IN, p::TLS_IN]),
            ],
            DETECTED,
            &[sum("encrypted_tls", &[p::ENCRYPTED_IN])],
            LAST_SENDER_GROUP,
            ACCEPTED_AND_TOTALS,
        ]),
    ),
    group(
        "mail_incoming_network_detail",
        k::NETWORK,
        TOTAL_IN,
        &join::<20>(&[BLOCKED, DETECTED, LAST_SENDER_GROUP, ACCEPTED_AND_TOTALS]),
    ),
    group(
        "mail_incoming_network_domain_detail",
        k::SENDER_DOMAIN,
        TOTAL_IN,
        &join::<18>(&[BLOCKED, DETECTED, ACCEPTED_AND_TOTALS]),
    ),
    group("mail_sender_domain_detail", k::SENDER_DOMAIN, TOTAL_OUT, OUTGOING),
];

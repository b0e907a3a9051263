//! Keyed mail groups about sending addresses and countries. **Source:** the Swagger client kribsi/esa_python for names and counters; the numbers
//! are made up.

use crate::sim::keyed::key as k;
use crate::sim::keyed::part::{self as p, CLEAN_OUT, DLP, GRAYMAIL, THREAT_IN, THREAT_OUT, TOTAL_IN, TOTAL_OUT};
use crate::sim::keyed::{Keyed, SENDER_GROUPS, Value, group, sum, text};

pub(super) const ADDRESSES: &[Keyed] = &[
    group(
        "mail_incoming_domain_ip_detail",
        k::ADDRESS,
        TOTAL_IN,
        &[
            sum("blocked_dmarc", &[p::DMARC]),
            sum("blocked_invalid_recipient", &[p::INVALID]),
            sum("blocked_reputation", &[p::REJECTED, p::REJECTED, p::REJECTED]),
            sum("blocked_sdr", &[p::SDR]),
            sum("bulk_mail", &[p::BULK]),
            sum("detected_amp", &[p::AMP_IN]),
            sum("detected_spam", &[p::SPAM_IN]),
            sum("detected_virus", &[p::VIRUS_IN]),
            text("dns_verified", Value::Integer(2)),
            text("last_sender_group", Value::Integer(12)),
            text("last_sender_group_name", Value::OneOf(SENDER_GROUPS)),
            sum("marketing_mail", &[p::MARKETING]),
            text("sbrs_score", Value::Reputation),
            sum("social_mail", &[p::SOCIAL]),
            sum("threat_content_filter", &[p::FILTER_IN]),
            sum("total_clean_recipients", &[p::CLEAN_IN]),
            sum("total_graymail_recipients", GRAYMAIL),
            sum("total_recipients", TOTAL_IN),
            sum("total_threat_recipients", THREAT_IN),
        ],
    ),
    group(
        "mail_incoming_hat_connections",
        k::COUNTRY,
        &[p::ACCEPTED, p::REJECTED, p::REFUSED],
        &[
            sum("total_hat_connections", &[p::ACCEPTED, p::REJECTED, p::REFUSED]),
            sum("total_hat_messages", &[p::ACCEPTED_MESSAGES]),
        ],
    ),
    group(
        "mail_incoming_ip_hostname_detail",
        k::ADDRESS,
        TOTAL_IN,
        &[
            sum("blocked_dmarc", &[p::DMARC]),
            sum("blocked_invalid_recipient", &[p::INVALID]),
            sum("blocked_reputation", &[p::REJECTED, p::REJECTED, p::REJECTED]),
            sum("blocked_sdr", &[p::SDR]),
            sum("bulk_mail", &[p::BULK]),
            sum("detected_amp", &[p::AMP_IN]),
            sum("detected_spam", &[p::SPAM_IN]),
            sum("detected_virus", &[p::VIRUS_IN]),
            text("dns_verified", Value::Integer(2)),
            text("last_sender_group", Value::Integer(12)),
            text("last_sender_group_name", Value::OneOf(SENDER_GROUPS)),
            sum("marketing_mail", &[p::MARKETING]),
            text("sbrs_score", Value::Reputation),
            sum("social_mail", &[p::SOCIAL]),
            sum("threat_content_filter", &[p::FILTER_IN]),
            sum("total_clean_recipients", &[p::CLEAN_IN]),
            sum("total_graymail_recipients", GRAYMAIL),
            sum("total_recipients", TOTAL_IN),
            sum("total_threat_recipients", THREAT_IN),
        ],
    ),
    group(
        "mail_sender_ip_hostname_detail",
        k::ADDRESS,
        TOTAL_OUT,
        &[
            sum("detected_amp", &[p::AMP_OUT]),
            sum("detected_spam", &[p::SPAM_OUT]),
            sum("detected_virus", &[p::VIRUS_OUT]),
            sum("threat_content_filter", &[p::FILTER_OUT]),
            sum("total_clean_recipients", CLEAN_OUT),
            sum("total_dlp_incidents", DLP),
            sum("total_recipients_processed", TOTAL_OUT),
            sum("total_threat_recipients", THREAT_OUT),
        ],
    ),
];

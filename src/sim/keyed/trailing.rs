//! Keyed mail groups whose names come after `mail_t`: threat feeds, URLs, users, viruses, outbreaks.
//! **Source:** the Swagger client kribsi/esa_python for names and counters; which numbers they are is made up.

use crate::sim::keyed::key as k;
use crate::sim::keyed::part::{self as p, ACCEPTED_IN, CLEAN_OUT, GRAYMAIL, TOTAL_OUT};
use crate::sim::keyed::{Keyed, Value, group, sum, text};

/// In the order of the catalogue.
pub(super) const TRAILING: &[Keyed] = &[
    group(
        "mail_threatfeeds_indicator_value_detail",
        k::INDICATOR,
        &[p::events(244, 25)],
        &[
            sum("ioc_consumed", &[p::events(244, 25)]),
            text("ioc_type", Value::OneOf(&["domain", "url", "sha256", "ip"])),
        ],
    ),
    group(
        "mail_threatfeeds_source_detail",
        k::FEED,
        &[p::FEED_DOMAIN, p::FEED_HASH, p::FEED_URL, p::events(245, 8)],
        &[
            sum("domain_indicator", &[p::FEED_DOMAIN]),
            sum("file_hash_indicator", &[p::FEED_HASH]),
            sum("ip_indicator", &[p::events(245, 8)]),
            sum("total_messages_matched", &[p::FEED_DOMAIN, p::FEED_HASH, p::FEED_URL, p::events(245, 8)]),
            sum("url_indicator", &[p::FEED_URL]),
        ],
    ),
    group(
        "mail_url_analysis_summary",
        k::URL,
        &[p::events(246, 4), p::events(247, 6), p::events(248, 30)],
        &[
            sum("remediation_failure_count", &[p::events(246, 4)]),
            sum("remediation_skipped_count", &[p::events(247, 6)]),
            sum("remediation_success_count", &[p::events(248, 30)]),
            sum("total_message_count", &[p::events(246, 4), p::events(247, 6), p::events(248, 30)]),
            text("url_convicted_timestamp", Value::Time),
        ],
    ),
    group(
        "mail_url_category_summary",
        k::URL_CATEGORY,
        &[p::events(249, 300)],
        &[sum("incoming_count", &[p::events(249, 300)]), sum("outgoing_count", &[p::events(250, 120)])],
    ),
    group(
        "mail_url_domain_summary",
        k::URL_DOMAIN,
        &[p::events(251, 300)],
        &[sum("incoming_count", &[p::events(251, 300)]), sum("outgoing_count", &[p::events(252, 120)])],
    ),
    group(
        "mail_url_reputation_summary",
        k::URL_REPUTATION,
        &[p::events(253, 300)],
        &[sum("incoming_count", &[p::events(253, 300)]), sum("outgoing_count", &[p::events(254, 120)])],
    ),
    group(
        "mail_users_content_filter_incoming",
        k::USER,
        &[p::events(255, 160)],
        &[sum("recipients_matched", &[p::events(255, 160)])],
    ),
    group(
        "mail_users_content_filter_outgoing",
        k::USER,
        &[p::events(256, 160)],
        &[sum("recipients_matched", &[p::events(256, 160)])],
    ),
    group(
        "mail_users_detail",
        k::USER,
        ACCEPTED_IN,
        &[
            sum("incoming_bulk_mail", &[p::BULK]),
            sum("incoming_detected_amp", &[p::AMP_IN]),
            sum("incoming_detected_content_filter", &[p::FILTER_IN]),
            sum("incoming_detected_ims_spam_increment_over_case", &[p::MULTI_SCAN_IN]),
            sum("incoming_detected_spam", &[p::SPAM_IN]),
            sum("incoming_detected_virus", &[p::VIRUS_IN]),
            sum("incoming_graymail", GRAYMAIL),
            sum("incoming_marketing_mail", &[p::MARKETING]),
            sum("incoming_social_mail", &[p::SOCIAL]),
            sum("incoming_threat_content_filter", &[p::FILTER_IN]),
            sum("incoming_total_clean_recipients", &[p::CLEAN_IN]),
            sum("incoming_total_recipients", ACCEPTED_IN),
            sum("outgoing_detected_amp", &[p::AMP_OUT]),
            sum("outgoing_detected_content_filter", &[p::FILTER_OUT]),
            sum("outgoing_detected_ims_spam_increment_over_case", &[p::MULTI_SCAN_OUT]),
            sum("outgoing_detected_spam", &[p::SPAM_OUT]),
            sum("outgoing_detected_virus", &[p::VIRUS_OUT]),
            sum("outgoing_threat_content_filter", &[p::FILTER_OUT]),
            sum("outgoing_total_clean_recipients", CLEAN_OUT),
            sum("outgoing_total_recipients", TOTAL_OUT),
        ],
    ),
    group(
        "mail_virus_type_detail",
        k::VIRUS,
        &[p::VIRUS_IN, p::VIRUS_OUT],
        &[
            sum("incoming_total_recipients", &[p::VIRUS_IN]),
            sum("outgoing_total_recipients", &[p::VIRUS_OUT]),
            sum("total_recipients", &[p::VIRUS_IN, p::VIRUS_OUT]),
        ],
    ),
    group("mail_vof_threat_details", k::OUTBREAK, &[p::OUTBREAK], &[sum("threat_detected", &[p::OUTBREAK])]),
    group("mail_vof_threat_summary", k::OUTBREAK_CATEGORY, &[p::OUTBREAK], &[sum("threat_detected", &[p::OUTBREAK])]),
    group("mail_vof_threats_by_level", k::OUTBREAK_LEVEL, &[p::OUTBREAK], &[sum("threat_detected", &[p::OUTBREAK])]),
    group("mail_vof_threats_by_threat_type", k::OUTBREAK, &[p::OUTBREAK], &[sum("threat_detected", &[p::OUTBREAK])]),
    group(
        "mail_vof_threats_by_time_threshold",
        k::TIME_BUCKET,
        &[p::events(257, 10)],
        &[
            sum("local_store_quarantine_message_exit", &[p::events(257, 10)]),
            sum("quarantine_message_exit", &[p::events(258, 25)]),
        ],
    ),
    group("mail_vof_threats_by_type", k::OUTBREAK_TYPE, &[p::OUTBREAK], &[sum("threat_detected", &[p::OUTBREAK])]),
    group(
        "mail_vof_threats_rewritten_url",
        k::URL,
        &[p::events(259, 30)],
        &[sum("rewritten_url", &[p::events(259, 30)])],
    ),
];

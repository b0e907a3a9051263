//! Keyed mail groups about users.
//! **Source:** the Swagger client kribsi/esa_python for names and counters; the numbers are made up.

use crate::sim::keyed::key as k;
use crate::sim::keyed::part::{self as p, ACCEPTED_IN, CLEAN_OUT, DLP, GRAYMAIL, TOTAL_OUT};
use crate::sim::keyed::{KeyedGroup, group, single_counter, sum};

pub(super) const USERS: &[KeyedGroup] = &[
    single_counter!("mail_content_filter_users", k::USER, "recipients_matched", &[p::events(214, 160)]),
    group(
        "mail_dlp_users_policy_detail",
        k::USER,
        DLP,
        &[
            sum("outgoing_dlp_action_delivered", &[p::DLP_LOW]),
            sum("outgoing_dlp_action_dropped", &[p::DLP_CRITICAL]),
            sum("outgoing_dlp_action_encrypted", &[p::DLP_MEDIUM]),
            sum("outgoing_dlp_action_quarantined", &[p::DLP_HIGH]),
            sum("outgoing_dlp_incidents_critical", &[p::DLP_CRITICAL]),
            sum("outgoing_dlp_incidents_high", &[p::DLP_HIGH]),
            sum("outgoing_dlp_incidents_low", &[p::DLP_LOW]),
            sum("outgoing_dlp_incidents_medium", &[p::DLP_MEDIUM]),
            sum("total_dlp_incidents", DLP),
        ],
    ),
    group(
        "mail_env_sender_rate_limit",
        k::ENVELOPE_SENDER,
        &[p::events(218, 12)],
        &[sum("env_sender_incidents", &[p::events(218, 12)]), sum("env_sender_rejected_rcpts", &[p::events(219, 60)])],
    ),
    single_counter!("mail_env_sender_stats", k::ENVELOPE_SENDER, "num_msgs", &[p::events(220, 400)]),
    single_counter!(
        "mail_incoming_web_interaction_track_malicious_users",
        k::USER,
        "users_count",
        &[p::events(224, 14)]
    ),
    single_counter!(
        "mail_outgoing_web_interaction_track_malicious_users",
        k::USER,
        "users_count",
        &[p::events(235, 14)]
    ),
    single_counter!("mail_subject_stats", k::SUBJECT, "num_msgs", &[p::events(243, 400)]),
    single_counter!("mail_users_content_filter_incoming", k::USER, "recipients_matched", &[p::events(255, 160)]),
    single_counter!("mail_users_content_filter_outgoing", k::USER, "recipients_matched", &[p::events(256, 160)]),
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
];

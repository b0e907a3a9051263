//! Keyed mail groups from `mail_mailbox_auto_remediation` to `mail_subject_stats`. **Source:** the Swagger client
//! kribsi/esa_python for names and counters; which numbers they are is made up.

use crate::sim::keyed::key as k;
use crate::sim::keyed::part::{self as p, ACCEPTED_IN, CLEAN_OUT, DLP, THREAT_OUT, TOTAL_OUT};
use crate::sim::keyed::{Keyed, Value, group, sum, text};

/// In the order of the catalogue.
pub(super) const MIDDLE: &[Keyed] = &[
    group(
        "mail_mailbox_auto_remediation",
        k::RECORD,
        &[p::events(229, 7)],
        &[
            text("action", Value::OneOf(&["Delete", "Forward"])),
            text("completed_timestamp", Value::Time),
            text("filenames", Value::OneOf(&["invoice.pdf", "order \"final\".docm", "photo.zip"])),
            text("rcpts_failure", Value::OneOf(&["None", "carol@example.com"])),
            text("rcpts_success", Value::OneOf(&["alice@example.com", "alice@example.com, bob@example.com"])),
            text("reason", Value::OneOf(&["Malicious verdict update"])),
        ],
    ),
    group(
        "mail_md_attachment_incoming_file_type",
        k::FILE_TYPE,
        &[p::events(230, 40)],
        &[sum("total_recipients", &[p::events(230, 40)])],
    ),
    group(
        "mail_md_attachment_outgoing_file_type",
        k::FILE_TYPE,
        &[p::events(231, 40)],
        &[sum("total_recipients", &[p::events(231, 40)])],
    ),
    group(
        "mail_mor_batch_summary",
        k::BATCH,
        &[p::MOR_DELETED, p::events(232, 3), p::MOR_FORWARDED, p::MOR_BOTH],
        &[
            sum("msgs_deleted", &[p::MOR_DELETED]),
            sum("msgs_failed", &[p::events(232, 3)]),
            sum("msgs_forwarded", &[p::MOR_FORWARDED]),
            sum("msgs_forwarded_deleted", &[p::MOR_BOTH]),
            sum("msgs_total", &[p::MOR_DELETED, p::events(232, 3), p::MOR_FORWARDED, p::MOR_BOTH]),
        ],
    ),
    group(
        "mail_msg_filter_stats",
        k::MESSAGE_FILTER,
        &[p::events(233, 90)],
        &[sum("num_matches", &[p::events(233, 90)])],
    ),
    group(
        "mail_outgoing_malware_threat_file_detail_by_filename",
        k::FILE,
        &[p::AMP_OUT],
        &[
            text("amp_verdict_time", Value::Time),
            text(
                "console_url",
                Value::OneOf(&["https://console.example.com/file/1", "https://console.example.com/file/2"]),
            ),
            sum("detected_amp", &[p::AMP_OUT]),
            text("score", Value::Score),
            text("threat_name", Value::OneOf(&["W32.Generic", "Doc.Dropper.Macro"])),
            text("threat_type", Value::OneOf(&["Trojan", "Ransomware"])),
            text("upload_flag", Value::Integer(3)),
        ],
    ),
    group(
        "mail_outgoing_urlclick_track_details",
        k::URL,
        &[p::events(234, 20)],
        &[text("rewrite_reason", Value::OneOf(&["Outbreak Filter", "Content Filter"]))],
    ),
    group(
        "mail_outgoing_web_interaction_track_malicious_users",
        k::USER,
        &[p::events(235, 14)],
        &[sum("users_count", &[p::events(235, 14)])],
    ),
    group(
        "mail_outgoing_web_interaction_track_urls",
        k::URL,
        &[p::events(238, 60)],
        &[
            sum("allowed", &[p::events(236, 80)]),
            sum("blocked", &[p::events(237, 20)]),
            sum("msg_count", &[p::events(238, 60)]),
            sum("unknown", &[p::events(239, 9)]),
        ],
    ),
    group("mail_policy_incoming", k::MAIL_POLICY, ACCEPTED_IN, &[sum("recipients_matched", ACCEPTED_IN)]),
    group("mail_policy_outgoing", k::MAIL_POLICY, TOTAL_OUT, &[sum("recipients_matched", TOTAL_OUT)]),
    group("mail_safeprint_details", k::EXTENSION, &[p::events(240, 20)], &[text("file_ext", Value::Integer(40))]),
    group(
        "mail_sender_domain_detail",
        k::SENDER_DOMAIN,
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
    group(
        "mail_sender_domain_threat_categories",
        k::SDR_CATEGORY,
        &[p::events(241, 50)],
        &[sum("total_threat_messages", &[p::events(241, 50)])],
    ),
    group(
        "mail_sender_domain_threat_levels",
        k::SDR_LEVEL,
        &[p::events(242, 50)],
        &[sum("total_threats", &[p::events(242, 50)])],
    ),
    group(
        "mail_sender_group_detail",
        k::SENDER_GROUP,
        &[p::ACCEPTED, p::RELAYED, p::REJECTED, p::REFUSED],
        &[sum("total_connections", &[p::ACCEPTED, p::RELAYED, p::REJECTED, p::REFUSED])],
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
    group("mail_subject_stats", k::SUBJECT, &[p::events(243, 400)], &[sum("num_msgs", &[p::events(243, 400)])]),
];

//! Keyed mail groups about links and clicks on them. **Source:** the Swagger client kribsi/esa_python for names and counters; the numbers
//! are made up.

use crate::sim::keyed::key as k;
use crate::sim::keyed::part::{self as p};
use crate::sim::keyed::{Keyed, Value, group, sum, text};

pub(super) const URLS: &[Keyed] = &[
    group(
        "mail_incoming_urlclick_track_details",
        k::URL,
        &[p::events(223, 20)],
        &[text("rewrite_reason", Value::OneOf(&["Outbreak Filter", "Content Filter"]))],
    ),
    group(
        "mail_incoming_web_interaction_track_urls",
        k::URL,
        &[p::events(227, 60)],
        &[
            sum("allowed", &[p::events(225, 80)]),
            sum("blocked", &[p::events(226, 20)]),
            sum("msg_count", &[p::events(227, 60)]),
            sum("unknown", &[p::events(228, 9)]),
        ],
    ),
    group(
        "mail_outgoing_urlclick_track_details",
        k::URL,
        &[p::events(234, 20)],
        &[text("rewrite_reason", Value::OneOf(&["Outbreak Filter", "Content Filter"]))],
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
        "mail_vof_threats_rewritten_url",
        k::URL,
        &[p::events(259, 30)],
        &[sum("rewritten_url", &[p::events(259, 30)])],
    ),
];

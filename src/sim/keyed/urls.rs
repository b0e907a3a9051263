//! Keyed mail groups about links and clicks on them.
//! **Source:** the Swagger client kribsi/esa_python for names and counters; the numbers are made up.

use crate::sim::keyed::key as k;
use crate::sim::keyed::part::{self as p, Part};
use crate::sim::keyed::{Column, KeyedGroup, Value, group, single_counter, sum, text};

const REMEDIATION_FAILED: Part = p::events(246, 4);
const REMEDIATION_SKIPPED: Part = p::events(247, 6);
const REMEDIATED: Part = p::events(248, 30);
const ANALYSED: &[Part] = &[REMEDIATION_FAILED, REMEDIATION_SKIPPED, REMEDIATED];

const REWRITE_REASON: Column = text("rewrite_reason", Value::OneOf(&["Outbreak Filter", "Content Filter"]));

/// Clicks on rewritten links.
const fn clicks(
    allowed: &'static [Part],
    blocked: &'static [Part],
    messages: &'static [Part],
    unknown: &'static [Part],
) -> [Column; 4] {
    [sum("allowed", allowed), sum("blocked", blocked), sum("msg_count", messages), sum("unknown", unknown)]
}

/// Links in mail of either direction.
const fn by_direction(incoming: &'static [Part], outgoing: &'static [Part]) -> [Column; 2] {
    [sum("incoming_count", incoming), sum("outgoing_count", outgoing)]
}

pub(super) const URLS: &[KeyedGroup] = &[
    group("mail_incoming_urlclick_track_details", k::URL, &[p::events(223, 20)], &[REWRITE_REASON]),
    group(
        "mail_incoming_web_interaction_track_urls",
        k::URL,
        &[p::events(227, 60)],
        &clicks(&[p::events(225, 80)], &[p::events(226, 20)], &[p::events(227, 60)], &[p::events(228, 9)]),
    ),
    group("mail_outgoing_urlclick_track_details", k::URL, &[p::events(234, 20)], &[REWRITE_REASON]),
    group(
        "mail_outgoing_web_interaction_track_urls",
        k::URL,
        &[p::events(238, 60)],
        &clicks(&[p::events(236, 80)], &[p::events(237, 20)], &[p::events(238, 60)], &[p::events(239, 9)]),
    ),
    group(
        "mail_url_analysis_summary",
        k::URL,
        ANALYSED,
        &[
            sum("remediation_failure_count", &[REMEDIATION_FAILED]),
            sum("remediation_skipped_count", &[REMEDIATION_SKIPPED]),
            sum("remediation_success_count", &[REMEDIATED]),
            sum("total_message_count", ANALYSED),
            text("url_convicted_timestamp", Value::Time),
        ],
    ),
    group(
        "mail_url_category_summary",
        k::URL_CATEGORY,
        &[p::events(249, 300)],
        &by_direction(&[p::events(249, 300)], &[p::events(250, 120)]),
    ),
    group(
        "mail_url_domain_summary",
        k::URL_DOMAIN,
        &[p::events(251, 300)],
        &by_direction(&[p::events(251, 300)], &[p::events(252, 120)]),
    ),
    group(
        "mail_url_reputation_summary",
        k::URL_REPUTATION,
        &[p::events(253, 300)],
        &by_direction(&[p::events(253, 300)], &[p::events(254, 120)]),
    ),
    single_counter!("mail_vof_threats_rewritten_url", k::URL, "rewritten_url", &[p::events(259, 30)]),
];

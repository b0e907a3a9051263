//! Keyed mail groups about policies and filters.
//! **Source:** the Swagger client kribsi/esa_python for names and counters; the numbers are made up.

use crate::sim::keyed::key as k;
use crate::sim::keyed::part::{self as p, ACCEPTED_IN, DLP, TOTAL_OUT};
use crate::sim::keyed::{KeyedGroup, group, single_counter, sum};

pub(super) const POLICIES: &[KeyedGroup] = &[
    single_counter!("mail_content_filter_incoming", k::CONTENT_FILTER, "recipients_matched", &[p::events(212, 160)]),
    single_counter!("mail_content_filter_outgoing", k::CONTENT_FILTER, "recipients_matched", &[p::events(213, 160)]),
    group(
        "mail_dlp_outgoing_policy_detail",
        k::DLP_POLICY,
        DLP,
        &[
            sum("dlp_action_delivered", &[p::DLP_LOW]),
            sum("dlp_action_dropped", &[p::DLP_HIGH, p::DLP_CRITICAL]),
            sum("dlp_action_encrypted", &[p::DLP_MEDIUM]),
            sum("dlp_incidents_critical", &[p::DLP_CRITICAL]),
            sum("dlp_incidents_high", &[p::DLP_HIGH]),
            sum("dlp_incidents_low", &[p::DLP_LOW]),
            sum("dlp_incidents_medium", &[p::DLP_MEDIUM]),
            sum("total_dlp_incidents", DLP),
        ],
    ),
    single_counter!(
        "mail_fed_content_filter_incoming",
        k::CONTENT_FILTER,
        "recipients_matched",
        &[p::events(221, 160)]
    ),
    single_counter!("mail_hvm_msg_filter_stats", k::MESSAGE_FILTER, "num_matches", &[p::events(222, 9)]),
    single_counter!("mail_msg_filter_stats", k::MESSAGE_FILTER, "num_matches", &[p::events(233, 90)]),
    single_counter!("mail_policy_incoming", k::MAIL_POLICY, "recipients_matched", ACCEPTED_IN),
    single_counter!("mail_policy_outgoing", k::MAIL_POLICY, "recipients_matched", TOTAL_OUT),
    single_counter!(
        "mail_sender_group_detail",
        k::SENDER_GROUP,
        "total_connections",
        &[p::ACCEPTED, p::RELAYED, p::REJECTED, p::REFUSED]
    ),
];

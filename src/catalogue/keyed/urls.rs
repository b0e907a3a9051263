//! Links in mail: what they lead to, what becomes of them and who follows them. URLs and domains are unbounded,
//! categories and reputations are bounded.
//!
//! **Source:** the vendor's Swagger description of the API 2.0; that they are keyed is mostly inferred.

use std::borrow::Cow::Borrowed;

use crate::catalogue::Source::{Inferred, Swagger};
use crate::catalogue::entry::{count, keyed, sum, text};
use crate::catalogue::{Counter, DeviceType, Group, Keys, Profile, Unit};

const CLICKS: Unit = count("clicks");
const MESSAGES: Unit = count("messages");

/// The same for categories, domains and reputations.
const BY_DIRECTION: &[Counter] = &[
    sum("incoming_count", MESSAGES, Swagger, "Incoming, with such a link"),
    sum("outgoing_count", MESSAGES, Swagger, "Outgoing, with such a link"),
];

/// The same for both directions.
const CLICK_DETAILS: &[Counter] = &[text("rewrite_reason", Swagger, "Why the link was rewritten")];

/// The same for both directions.
const CLICKS_BY_ACTION: &[Counter] = &[
    sum("allowed", CLICKS, Swagger, "Followed and allowed"),
    sum("blocked", CLICKS, Swagger, "Followed and blocked"),
    sum("msg_count", MESSAGES, Swagger, "Carried the link"),
    sum("unknown", CLICKS, Swagger, "Followed with unknown outcome"),
];

pub(super) const INCOMING_CLICK_DETAILS: Group = Group {
    name: Borrowed("mail_incoming_urlclick_track_details"),
    help: Borrowed("Rewritten links of incoming mail that somebody followed; texts, no samples"),
    kind_source: Inferred,
    profile: None,
    about: DeviceType::Mail,
    key: keyed("url", Keys::Unbounded),
    others: None,
    counters: Borrowed(CLICK_DETAILS),
};

pub(super) const OUTGOING_CLICK_DETAILS: Group = Group {
    name: Borrowed("mail_outgoing_urlclick_track_details"),
    help: Borrowed("Rewritten links of outgoing mail that somebody followed; texts, no samples"),
    kind_source: Inferred,
    profile: None,
    about: DeviceType::Mail,
    key: keyed("url", Keys::Unbounded),
    others: None,
    counters: Borrowed(CLICK_DETAILS),
};

pub(super) const INCOMING_CLICKS: Group = Group {
    name: Borrowed("mail_incoming_web_interaction_track_urls"),
    help: Borrowed("Rewritten links of incoming mail: clicks and actions"),
    kind_source: Inferred,
    profile: None,
    about: DeviceType::Mail,
    key: keyed("url", Keys::Unbounded),
    others: None,
    counters: Borrowed(CLICKS_BY_ACTION),
};

pub(super) const OUTGOING_CLICKS: Group = Group {
    name: Borrowed("mail_outgoing_web_interaction_track_urls"),
    help: Borrowed("Rewritten links of outgoing mail: clicks and actions"),
    kind_source: Inferred,
    profile: None,
    about: DeviceType::Mail,
    key: keyed("url", Keys::Unbounded),
    others: None,
    counters: Borrowed(CLICKS_BY_ACTION),
};

pub(super) const ANALYSIS: Group = Group {
    name: Borrowed("mail_url_analysis_summary"),
    help: Borrowed("Links found malicious after delivery, and the outcome for their messages"),
    kind_source: Swagger,
    profile: None,
    about: DeviceType::Mail,
    key: keyed("url", Keys::Unbounded),
    others: None,
    counters: Borrowed(&[
        sum("remediation_failure_count", MESSAGES, Swagger, "Carried the link, remediation failed"),
        sum("remediation_skipped_count", MESSAGES, Swagger, "Carried the link, remediation left out"),
        sum("remediation_success_count", MESSAGES, Swagger, "Carried the link, remediated"),
        sum("total_message_count", MESSAGES, Swagger, "Carried the link, with any outcome"),
        text("url_convicted_timestamp", Swagger, "When the link was found malicious"),
    ]),
};

pub(super) const CATEGORIES: Group = Group {
    name: Borrowed("mail_url_category_summary"),
    help: Borrowed("Messages with links by URL category"),
    kind_source: Inferred,
    profile: Some(Profile::Full),
    about: DeviceType::Mail,
    key: keyed("url_category", Keys::Bounded),
    others: None,
    counters: Borrowed(BY_DIRECTION),
};

pub(super) const DOMAINS: Group = Group {
    name: Borrowed("mail_url_domain_summary"),
    help: Borrowed("Messages with links by the domain they lead to"),
    kind_source: Inferred,
    profile: None,
    about: DeviceType::Mail,
    key: keyed("url_domain", Keys::Unbounded),
    others: None,
    counters: Borrowed(BY_DIRECTION),
};

pub(super) const REPUTATIONS: Group = Group {
    name: Borrowed("mail_url_reputation_summary"),
    help: Borrowed("Messages with links by reputation of the link"),
    kind_source: Inferred,
    profile: Some(Profile::Full),
    about: DeviceType::Mail,
    key: keyed("reputation", Keys::Bounded),
    others: None,
    counters: Borrowed(BY_DIRECTION),
};

pub(super) const REWRITTEN: Group = Group {
    name: Borrowed("mail_vof_threats_rewritten_url"),
    help: Borrowed("Links that Outbreak Filters rewrote"),
    kind_source: Inferred,
    profile: None,
    about: DeviceType::Mail,
    key: keyed("url", Keys::Unbounded),
    others: None,
    counters: Borrowed(&[sum("rewritten_url", MESSAGES, Swagger, "Carried the link that was rewritten")]),
};

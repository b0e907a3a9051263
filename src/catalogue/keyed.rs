//! Mail reports with a row per key: a policy, a domain, a user.
//!
//! **Source:** the vendor's Swagger description of the API 2.0; that they are keyed, and by what, is mostly inferred.

mod addresses;
mod authentication;
mod domains;
mod files;
mod outbreaks;
mod policies;
mod threats;
mod urls;
mod users;
mod verdicts;

use super::{Group, remediation};

/// Sorted by name.
pub(super) const GROUPS: &[Group] = &[
    files::ANALYSIS,
    files::VERDICT_UPDATES,
    authentication::DOMAINS,
    authentication::ADDRESSES,
    policies::INCOMING_CONTENT_FILTERS,
    policies::OUTGOING_CONTENT_FILTERS,
    users::CONTENT_FILTERS,
    domains::DESTINATIONS,
    policies::DLP,
    users::DLP,
    authentication::DMARC,
    users::RATE_LIMITS,
    users::HIGH_VOLUME_SENDERS,
    policies::FORGED_EMAIL,
    policies::HIGH_VOLUME_FILTERS,
    domains::INCOMING,
    addresses::INCOMING_OF_DOMAIN,
    addresses::COUNTRIES,
    addresses::INCOMING,
    threats::MALWARE,
    files::INCOMING_THREATS,
    domains::NETWORKS,
    domains::NETWORK_DOMAINS,
    urls::INCOMING_CLICK_DETAILS,
    users::INCOMING_CLICKS,
    urls::INCOMING_CLICKS,
    remediation::RECORDS,
    files::INCOMING_MACROS,
    files::OUTGOING_MACROS,
    remediation::BATCHES,
    policies::MESSAGE_FILTERS,
    files::OUTGOING_THREATS,
    urls::OUTGOING_CLICK_DETAILS,
    users::OUTGOING_CLICKS,
    urls::OUTGOING_CLICKS,
    policies::INCOMING,
    policies::OUTGOING,
    files::SAFE_PRINT,
    domains::SENDERS,
    threats::SENDER_DOMAIN_CATEGORIES,
    threats::SENDER_DOMAIN_LEVELS,
    policies::SENDER_GROUPS,
    addresses::SENDERS,
    users::HIGH_VOLUME_SUBJECTS,
    threats::INDICATORS_MATCHED,
    threats::FEEDS,
    urls::ANALYSIS,
    urls::CATEGORIES,
    urls::DOMAINS,
    urls::REPUTATIONS,
    users::INCOMING_CONTENT_FILTERS,
    users::OUTGOING_CONTENT_FILTERS,
    users::TRAFFIC,
    threats::VIRUSES,
    outbreaks::DETAILS,
    outbreaks::CATEGORIES,
    outbreaks::LEVELS,
    outbreaks::THREAT_TYPES,
    outbreaks::TIMES,
    outbreaks::TYPES,
    urls::REWRITTEN,
];

//! Mail by the domain or the network it comes from or goes to. None of these is bounded.
//!
//! **Source:** the vendor's Swagger description of the API 2.0; published clients and the vendor's guide show two of
//! them keyed, for the others that is inferred.

use std::borrow::Cow::Borrowed;

use super::verdicts::{
    BLOCKED_DMARC, BLOCKED_INVALID_RECIPIENT, BLOCKED_REPUTATION, BLOCKED_SDR, BULK_MAIL, DETECTED_AMP, DETECTED_SPAM,
    DETECTED_VIRUS, LAST_SENDER_GROUP, LAST_SENDER_GROUP_NAME, MARKETING_MAIL, OF_OUTGOING_SENDERS,
    OUTGOING_CLEAN_RECIPIENTS, OUTGOING_THREAT_RECIPIENTS, OUTGOING_TOTAL_RECIPIENTS, SOCIAL_MAIL,
    THREAT_CONTENT_FILTER, TOTAL_ACCEPTED_CONNECTIONS, TOTAL_CLEAN_RECIPIENTS, TOTAL_GRAYMAIL_RECIPIENTS,
    TOTAL_RECIPIENTS, TOTAL_RECIPIENTS_PROCESSED, TOTAL_REJECTED_CONNECTIONS, TOTAL_THREAT_RECIPIENTS,
    TOTAL_THROTTLED_RECIPIENTS,
};
use crate::catalogue::Source::{Client, Documented, Inferred, Swagger};
use crate::catalogue::entry::{count, keyed, sum, text};
use crate::catalogue::{DeviceType, Group, Keys, Unit};

const CONNECTIONS: Unit = count("connections");
const MESSAGES: Unit = count("messages");
const RECIPIENTS: Unit = count("recipients");

/// `tls_opt` is read as TLS that is preferred, `tls` as TLS that is required, as in the report without keys.
pub(super) const DESTINATIONS: Group = Group {
    name: Borrowed("mail_destination_domain_detail"),
    help: Borrowed("Outgoing mail by the domain it goes to: verdicts, bounces, deliveries, TLS and DANE"),
    kind_source: Inferred,
    profile: None,
    about: DeviceType::Mail,
    key: keyed("destination_domain", Keys::Unbounded),
    others: None,
    counters: Borrowed(&[
        sum("conn_dane_fail", CONNECTIONS, Swagger, "Outgoing, DANE verification failed"),
        sum("conn_dane_success", CONNECTIONS, Swagger, "Outgoing, verified by DANE"),
        text("conn_last_tls_status", Swagger, "TLS status of the newest connection"),
        sum("conn_plain", CONNECTIONS, Swagger, "Outgoing, not encrypted"),
        sum("conn_tls_fail", CONNECTIONS, Swagger, "Outgoing, required TLS failed"),
        sum("conn_tls_opt_fail", CONNECTIONS, Swagger, "Outgoing, preferred TLS failed"),
        sum("conn_tls_opt_success", CONNECTIONS, Swagger, "Outgoing, preferred TLS established"),
        sum("conn_tls_success", CONNECTIONS, Swagger, "Outgoing, required TLS established"),
        sum("conn_tls_total", CONNECTIONS, Swagger, "Outgoing, TLS in all"),
        sum("delivered", RECIPIENTS, Swagger, "Delivered to the destination"),
        DETECTED_AMP,
        DETECTED_SPAM,
        DETECTED_VIRUS,
        sum("encrypted_tls", MESSAGES, Swagger, "Sent over TLS"),
        sum("hard_bounces", RECIPIENTS, Swagger, "Refused for good by the destination"),
        THREAT_CONTENT_FILTER,
        OUTGOING_CLEAN_RECIPIENTS,
        OUTGOING_TOTAL_RECIPIENTS,
        TOTAL_RECIPIENTS_PROCESSED,
        OUTGOING_THREAT_RECIPIENTS,
    ]),
};

pub(super) const INCOMING: Group = Group {
    name: Borrowed("mail_incoming_domain_detail"),
    help: Borrowed("Incoming mail by the domain it comes from: verdicts, connections and TLS"),
    kind_source: Client,
    profile: None,
    about: DeviceType::Mail,
    key: keyed("sender_domain", Keys::Unbounded),
    others: None,
    counters: Borrowed(&[
        BLOCKED_DMARC,
        BLOCKED_INVALID_RECIPIENT,
        BLOCKED_REPUTATION,
        BLOCKED_SDR,
        BULK_MAIL,
        sum("conn_plain", CONNECTIONS, Swagger, "Incoming, not encrypted"),
        sum("conn_tls_fail", CONNECTIONS, Swagger, "Incoming, required TLS failed"),
        sum("conn_tls_opt_fail", CONNECTIONS, Swagger, "Incoming, preferred TLS failed"),
        sum("conn_tls_opt_success", CONNECTIONS, Swagger, "Incoming, preferred TLS established"),
        sum("conn_tls_success", CONNECTIONS, Swagger, "Incoming, required TLS established"),
        sum("conn_tls_total", CONNECTIONS, Swagger, "Incoming, TLS in all"),
        DETECTED_AMP,
        DETECTED_SPAM,
        DETECTED_VIRUS,
        sum("encrypted_tls", MESSAGES, Swagger, "Received over TLS"),
        LAST_SENDER_GROUP,
        LAST_SENDER_GROUP_NAME,
        MARKETING_MAIL,
        SOCIAL_MAIL,
        THREAT_CONTENT_FILTER,
        TOTAL_ACCEPTED_CONNECTIONS,
        TOTAL_CLEAN_RECIPIENTS,
        TOTAL_GRAYMAIL_RECIPIENTS,
        TOTAL_RECIPIENTS,
        TOTAL_REJECTED_CONNECTIONS,
        TOTAL_THREAT_RECIPIENTS,
        TOTAL_THROTTLED_RECIPIENTS,
    ]),
};

pub(super) const NETWORKS: Group = Group {
    name: Borrowed("mail_incoming_network_detail"),
    help: Borrowed("Incoming mail by the owner of the network it comes from: verdicts and connections"),
    kind_source: Inferred,
    profile: None,
    about: DeviceType::Mail,
    key: keyed("network_owner", Keys::Unbounded),
    others: None,
    counters: Borrowed(&[
        BLOCKED_DMARC,
        BLOCKED_INVALID_RECIPIENT,
        BLOCKED_REPUTATION,
        BLOCKED_SDR,
        BULK_MAIL,
        DETECTED_AMP,
        DETECTED_SPAM,
        DETECTED_VIRUS,
        LAST_SENDER_GROUP,
        LAST_SENDER_GROUP_NAME,
        MARKETING_MAIL,
        SOCIAL_MAIL,
        THREAT_CONTENT_FILTER,
        TOTAL_ACCEPTED_CONNECTIONS,
        TOTAL_CLEAN_RECIPIENTS,
        TOTAL_GRAYMAIL_RECIPIENTS,
        TOTAL_RECIPIENTS,
        TOTAL_REJECTED_CONNECTIONS,
        TOTAL_THREAT_RECIPIENTS,
        TOTAL_THROTTLED_RECIPIENTS,
    ]),
};

pub(super) const NETWORK_DOMAINS: Group = Group {
    name: Borrowed("mail_incoming_network_domain_detail"),
    help: Borrowed(
        "Incoming mail by the domain it comes from, within the networks of one owner: verdicts and connections",
    ),
    kind_source: Inferred,
    profile: None,
    about: DeviceType::Mail,
    key: keyed("sender_domain", Keys::Unbounded),
    others: None,
    counters: Borrowed(&[
        BLOCKED_DMARC,
        BLOCKED_INVALID_RECIPIENT,
        BLOCKED_REPUTATION,
        BLOCKED_SDR,
        BULK_MAIL,
        DETECTED_AMP,
        DETECTED_SPAM,
        DETECTED_VIRUS,
        MARKETING_MAIL,
        SOCIAL_MAIL,
        THREAT_CONTENT_FILTER,
        TOTAL_ACCEPTED_CONNECTIONS,
        TOTAL_CLEAN_RECIPIENTS,
        TOTAL_GRAYMAIL_RECIPIENTS,
        TOTAL_RECIPIENTS,
        TOTAL_REJECTED_CONNECTIONS,
        TOTAL_THREAT_RECIPIENTS,
        TOTAL_THROTTLED_RECIPIENTS,
    ]),
};

pub(super) const SENDERS: Group = Group {
    name: Borrowed("mail_sender_domain_detail"),
    help: Borrowed("Outgoing mail by the domain of its sender: verdicts and data-loss incidents"),
    kind_source: Documented,
    profile: None,
    about: DeviceType::Mail,
    key: keyed("sender_domain", Keys::Unbounded),
    others: None,
    counters: Borrowed(OF_OUTGOING_SENDERS),
};

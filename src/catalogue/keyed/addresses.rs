//! Mail by the address or the country it comes from. Addresses are personal, countries are bounded.
//!
//! **Source:** the vendor's Swagger description of the API 2.0; a published client and the vendor's guide show one
//! group of each direction keyed by address, for the others that is inferred.

use std::borrow::Cow::Borrowed;

use super::verdicts::{
    BLOCKED_DMARC, BLOCKED_INVALID_RECIPIENT, BLOCKED_REPUTATION, BLOCKED_SDR, BULK_MAIL, DETECTED_AMP, DETECTED_SPAM,
    DETECTED_VIRUS, DNS_VERIFIED, LAST_SENDER_GROUP, LAST_SENDER_GROUP_NAME, MARKETING_MAIL, OF_OUTGOING_SENDERS,
    SBRS_SCORE, SOCIAL_MAIL, THREAT_CONTENT_FILTER, TOTAL_CLEAN_RECIPIENTS, TOTAL_GRAYMAIL_RECIPIENTS,
    TOTAL_RECIPIENTS, TOTAL_THREAT_RECIPIENTS,
};
use crate::catalogue::Source::{Client, Documented, Inferred, Swagger};
use crate::catalogue::entry::{count, keyed, sum};
use crate::catalogue::{Counter, DeviceType, Group, Keys, Profile};

/// The same for the addresses of one domain and for all.
const OF_ADDRESSES: &[Counter] = &[
    BLOCKED_DMARC,
    BLOCKED_INVALID_RECIPIENT,
    BLOCKED_REPUTATION,
    BLOCKED_SDR,
    BULK_MAIL,
    DETECTED_AMP,
    DETECTED_SPAM,
    DETECTED_VIRUS,
    DNS_VERIFIED,
    LAST_SENDER_GROUP,
    LAST_SENDER_GROUP_NAME,
    MARKETING_MAIL,
    SBRS_SCORE,
    SOCIAL_MAIL,
    THREAT_CONTENT_FILTER,
    TOTAL_CLEAN_RECIPIENTS,
    TOTAL_GRAYMAIL_RECIPIENTS,
    TOTAL_RECIPIENTS,
    TOTAL_THREAT_RECIPIENTS,
];

pub(super) const INCOMING_OF_DOMAIN: Group = Group {
    name: Borrowed("mail_incoming_domain_ip_detail"),
    help: Borrowed("Incoming mail by the address it comes from, within one domain: verdicts and reputation"),
    kind_source: Inferred,
    profile: None,
    about: DeviceType::Mail,
    key: keyed("sender_ip", Keys::Personal),
    others: None,
    counters: Borrowed(OF_ADDRESSES),
};

pub(super) const INCOMING: Group = Group {
    name: Borrowed("mail_incoming_ip_hostname_detail"),
    help: Borrowed("Incoming mail by the address it comes from: verdicts and reputation"),
    kind_source: Client,
    profile: None,
    about: DeviceType::Mail,
    key: keyed("sender_ip", Keys::Personal),
    others: None,
    counters: Borrowed(OF_ADDRESSES),
};

pub(super) const SENDERS: Group = Group {
    name: Borrowed("mail_sender_ip_hostname_detail"),
    help: Borrowed("Outgoing mail by the address of the sending host: verdicts and data-loss incidents"),
    kind_source: Documented,
    profile: None,
    about: DeviceType::Mail,
    key: keyed("sender_ip", Keys::Personal),
    others: None,
    counters: Borrowed(OF_OUTGOING_SENDERS),
};

pub(super) const COUNTRIES: Group = Group {
    name: Borrowed("mail_incoming_hat_connections"),
    help: Borrowed("Incoming connections and messages by country, as the host access table sees them"),
    kind_source: Inferred,
    profile: Some(Profile::Full),
    about: DeviceType::Mail,
    key: keyed("country", Keys::Bounded),
    others: None,
    counters: Borrowed(&[
        sum("total_hat_connections", count("connections"), Swagger, "Opened from the country"),
        sum("total_hat_messages", count("messages"), Swagger, "Received from the country"),
    ]),
};

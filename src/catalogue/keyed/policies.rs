//! Mail by what somebody configured: policies, filters, sender groups. All of them are bounded.
//!
//! **Source:** the vendor's Swagger description of the API 2.0; published clients show three of them keyed, for the
//! others that is inferred.

use std::borrow::Cow::Borrowed;

use crate::catalogue::Source::{Client, Inferred, Swagger};
use crate::catalogue::entry::{count, keyed, sum};
use crate::catalogue::{Counter, DeviceType, Group, Keys, Profile, Unit};

const INCIDENTS: Unit = count("incidents");

/// The same for all reports of content filters.
const CONTENT_FILTER_MATCHES: &[Counter] =
    &[sum("recipients_matched", count("recipients"), Swagger, "Recipients of mail that the content filter matched")];

/// The same for all reports of message filters.
const MESSAGE_FILTER_MATCHES: &[Counter] =
    &[sum("num_matches", count("matches"), Swagger, "Mail that the message filter matched")];

/// The same for both directions.
const POLICY_MATCHES: &[Counter] =
    &[sum("recipients_matched", count("recipients"), Swagger, "Recipients that the policy matched")];

pub(super) const INCOMING_CONTENT_FILTERS: Group = Group {
    name: Borrowed("mail_content_filter_incoming"),
    help: Borrowed("Incoming mail by the content filter that matched"),
    kind_source: Client,
    profile: Some(Profile::Default),
    about: DeviceType::Mail,
    key: keyed("content_filter", Keys::Bounded),
    others: None,
    counters: Borrowed(CONTENT_FILTER_MATCHES),
};

pub(super) const OUTGOING_CONTENT_FILTERS: Group = Group {
    name: Borrowed("mail_content_filter_outgoing"),
    help: Borrowed("Outgoing mail by the content filter that matched"),
    kind_source: Inferred,
    profile: Some(Profile::Default),
    about: DeviceType::Mail,
    key: keyed("content_filter", Keys::Bounded),
    others: None,
    counters: Borrowed(CONTENT_FILTER_MATCHES),
};

pub(super) const FORGED_EMAIL: Group = Group {
    name: Borrowed("mail_fed_content_filter_incoming"),
    help: Borrowed("Incoming mail taken for forged, by the content filter that matched"),
    kind_source: Inferred,
    profile: Some(Profile::Full),
    about: DeviceType::Mail,
    key: keyed("content_filter", Keys::Bounded),
    others: None,
    counters: Borrowed(CONTENT_FILTER_MATCHES),
};

pub(super) const DLP: Group = Group {
    name: Borrowed("mail_dlp_outgoing_policy_detail"),
    help: Borrowed("Data-loss incidents of outgoing mail by DLP policy: severity and action"),
    kind_source: Inferred,
    profile: Some(Profile::Full),
    about: DeviceType::Mail,
    key: keyed("dlp_policy", Keys::Bounded),
    others: None,
    counters: Borrowed(&[
        sum("dlp_action_delivered", INCIDENTS, Swagger, "Data-loss incident, delivered all the same"),
        sum("dlp_action_dropped", INCIDENTS, Swagger, "Data-loss incident, dropped"),
        sum("dlp_action_encrypted", INCIDENTS, Swagger, "Data-loss incident, encrypted"),
        sum("dlp_incidents_critical", INCIDENTS, Swagger, "Data-loss incident of critical severity"),
        sum("dlp_incidents_high", INCIDENTS, Swagger, "Data-loss incident of high severity"),
        sum("dlp_incidents_low", INCIDENTS, Swagger, "Data-loss incident of low severity"),
        sum("dlp_incidents_medium", INCIDENTS, Swagger, "Data-loss incident of medium severity"),
        sum("total_dlp_incidents", INCIDENTS, Swagger, "Data-loss incident of any severity"),
    ]),
};

pub(super) const HIGH_VOLUME_FILTERS: Group = Group {
    name: Borrowed("mail_hvm_msg_filter_stats"),
    help: Borrowed("High-volume mail by the message filter that matched"),
    kind_source: Inferred,
    profile: Some(Profile::Full),
    about: DeviceType::Mail,
    key: keyed("message_filter", Keys::Bounded),
    others: None,
    counters: Borrowed(MESSAGE_FILTER_MATCHES),
};

pub(super) const MESSAGE_FILTERS: Group = Group {
    name: Borrowed("mail_msg_filter_stats"),
    help: Borrowed("Mail by the message filter that matched"),
    kind_source: Inferred,
    profile: Some(Profile::Full),
    about: DeviceType::Mail,
    key: keyed("message_filter", Keys::Bounded),
    others: None,
    counters: Borrowed(MESSAGE_FILTER_MATCHES),
};

pub(super) const INCOMING: Group = Group {
    name: Borrowed("mail_policy_incoming"),
    help: Borrowed("Incoming mail by the policy that matched"),
    kind_source: Client,
    profile: Some(Profile::Default),
    about: DeviceType::Mail,
    key: keyed("policy", Keys::Bounded),
    others: None,
    counters: Borrowed(POLICY_MATCHES),
};

pub(super) const OUTGOING: Group = Group {
    name: Borrowed("mail_policy_outgoing"),
    help: Borrowed("Outgoing mail by the policy that matched"),
    kind_source: Client,
    profile: Some(Profile::Default),
    about: DeviceType::Mail,
    key: keyed("policy", Keys::Bounded),
    others: None,
    counters: Borrowed(POLICY_MATCHES),
};

pub(super) const SENDER_GROUPS: Group = Group {
    name: Borrowed("mail_sender_group_detail"),
    help: Borrowed("Incoming connections by sender group"),
    kind_source: Inferred,
    profile: Some(Profile::Full),
    about: DeviceType::Mail,
    key: keyed("sender_group", Keys::Bounded),
    others: None,
    counters: Borrowed(&[sum("total_connections", count("connections"), Swagger, "Opened by the sender group")]),
};

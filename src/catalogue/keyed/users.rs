//! Mail by person: users of the organisation, envelope senders, subjects. All of them are personal.
//!
//! **Source:** the vendor's Swagger description of the API 2.0; the vendor's guide shows two of them keyed, for the
//! others that is inferred.

use std::borrow::Cow::Borrowed;

use crate::catalogue::Source::{Documented, Inferred, Swagger};
use crate::catalogue::entry::{count, keyed, sum};
use crate::catalogue::{Counter, DeviceType, Group, Keys, Unit};

const INCIDENTS: Unit = count("incidents");
const RECIPIENTS: Unit = count("recipients");

/// The same for all reports of content filters by user.
const CONTENT_FILTER_MATCHES: &[Counter] =
    &[sum("recipients_matched", RECIPIENTS, Swagger, "Recipients of mail of the user that a content filter matched")];

/// The same for both directions. No source says what is counted; clicks are assumed.
const MALICIOUS_CLICKS: &[Counter] =
    &[sum("users_count", count("clicks"), Swagger, "Clicks of the user on a rewritten link known as malicious")];

/// The same for senders and subjects.
const HIGH_VOLUME: &[Counter] = &[sum("num_msgs", count("messages"), Swagger, "High-volume mail, alike in its header")];

pub(super) const CONTENT_FILTERS: Group = Group {
    name: Borrowed("mail_content_filter_users"),
    help: Borrowed("Mail that content filters matched, by user"),
    kind_source: Inferred,
    profile: None,
    about: DeviceType::Mail,
    key: keyed("user", Keys::Personal),
    others: None,
    counters: Borrowed(CONTENT_FILTER_MATCHES),
};

pub(super) const INCOMING_CONTENT_FILTERS: Group = Group {
    name: Borrowed("mail_users_content_filter_incoming"),
    help: Borrowed("Incoming mail of one user that content filters matched"),
    kind_source: Inferred,
    profile: None,
    about: DeviceType::Mail,
    key: keyed("user", Keys::Personal),
    others: None,
    counters: Borrowed(CONTENT_FILTER_MATCHES),
};

pub(super) const OUTGOING_CONTENT_FILTERS: Group = Group {
    name: Borrowed("mail_users_content_filter_outgoing"),
    help: Borrowed("Outgoing mail of one user that content filters matched"),
    kind_source: Inferred,
    profile: None,
    about: DeviceType::Mail,
    key: keyed("user", Keys::Personal),
    others: None,
    counters: Borrowed(CONTENT_FILTER_MATCHES),
};

pub(super) const DLP: Group = Group {
    name: Borrowed("mail_dlp_users_policy_detail"),
    help: Borrowed("Data-loss incidents of outgoing mail by user: severity and action"),
    kind_source: Inferred,
    profile: None,
    about: DeviceType::Mail,
    key: keyed("user", Keys::Personal),
    others: None,
    counters: Borrowed(&[
        sum("outgoing_dlp_action_delivered", INCIDENTS, Swagger, "Data-loss incident, delivered all the same"),
        sum("outgoing_dlp_action_dropped", INCIDENTS, Swagger, "Data-loss incident, dropped"),
        sum("outgoing_dlp_action_encrypted", INCIDENTS, Swagger, "Data-loss incident, encrypted"),
        sum("outgoing_dlp_action_quarantined", INCIDENTS, Swagger, "Data-loss incident, quarantined"),
        sum("outgoing_dlp_incidents_critical", INCIDENTS, Swagger, "Data-loss incident of critical severity"),
        sum("outgoing_dlp_incidents_high", INCIDENTS, Swagger, "Data-loss incident of high severity"),
        sum("outgoing_dlp_incidents_low", INCIDENTS, Swagger, "Data-loss incident of low severity"),
        sum("outgoing_dlp_incidents_medium", INCIDENTS, Swagger, "Data-loss incident of medium severity"),
        sum("total_dlp_incidents", INCIDENTS, Swagger, "Data-loss incident of any severity"),
    ]),
};

pub(super) const RATE_LIMITS: Group = Group {
    name: Borrowed("mail_env_sender_rate_limit"),
    help: Borrowed("Rate limits that envelope senders ran into"),
    kind_source: Inferred,
    profile: None,
    about: DeviceType::Mail,
    key: keyed("sender", Keys::Personal),
    others: None,
    counters: Borrowed(&[
        sum("env_sender_incidents", INCIDENTS, Swagger, "Rate limit of the envelope sender reached"),
        sum("env_sender_rejected_rcpts", RECIPIENTS, Swagger, "Rejected because of the rate limit"),
    ]),
};

pub(super) const HIGH_VOLUME_SENDERS: Group = Group {
    name: Borrowed("mail_env_sender_stats"),
    help: Borrowed("High-volume mail, alike in its header, by envelope sender"),
    kind_source: Inferred,
    profile: None,
    about: DeviceType::Mail,
    key: keyed("sender", Keys::Personal),
    others: None,
    counters: Borrowed(HIGH_VOLUME),
};

pub(super) const HIGH_VOLUME_SUBJECTS: Group = Group {
    name: Borrowed("mail_subject_stats"),
    help: Borrowed("High-volume mail, alike in its header, by subject"),
    kind_source: Documented,
    profile: None,
    about: DeviceType::Mail,
    key: keyed("subject", Keys::Personal),
    others: None,
    counters: Borrowed(HIGH_VOLUME),
};

pub(super) const INCOMING_CLICKS: Group = Group {
    name: Borrowed("mail_incoming_web_interaction_track_malicious_users"),
    help: Borrowed("Users who followed malicious links of incoming mail"),
    kind_source: Inferred,
    profile: None,
    about: DeviceType::Mail,
    key: keyed("user", Keys::Personal),
    others: None,
    counters: Borrowed(MALICIOUS_CLICKS),
};

pub(super) const OUTGOING_CLICKS: Group = Group {
    name: Borrowed("mail_outgoing_web_interaction_track_malicious_users"),
    help: Borrowed("Users who followed malicious links of outgoing mail"),
    kind_source: Inferred,
    profile: None,
    about: DeviceType::Mail,
    key: keyed("user", Keys::Personal),
    others: None,
    counters: Borrowed(MALICIOUS_CLICKS),
};

pub(super) const TRAFFIC: Group = Group {
    name: Borrowed("mail_users_detail"),
    help: Borrowed("Mail received and sent by user: verdicts and graymail"),
    kind_source: Documented,
    profile: None,
    about: DeviceType::Mail,
    key: keyed("user", Keys::Personal),
    others: None,
    counters: Borrowed(&[
        sum("incoming_bulk_mail", RECIPIENTS, Swagger, "Incoming, graymail classed as bulk"),
        sum(
            "incoming_detected_amp",
            RECIPIENTS,
            Swagger,
            "Incoming, malicious file found by AMP reputation or analysis",
        ),
        sum("incoming_detected_content_filter", RECIPIENTS, Swagger, "Incoming, matched by a content filter"),
        sum(
            "incoming_detected_ims_spam_increment_over_case",
            RECIPIENTS,
            Swagger,
            "Incoming, spam that Intelligent Multi-Scan found and the standard engine would have missed",
        ),
        sum("incoming_detected_spam", RECIPIENTS, Swagger, "Incoming, spam, certain or suspected, by any engine"),
        sum("incoming_detected_virus", RECIPIENTS, Swagger, "Incoming, virus found"),
        sum("incoming_graymail", RECIPIENTS, Swagger, "Incoming, graymail of all classes: marketing, social and bulk"),
        sum("incoming_marketing_mail", RECIPIENTS, Swagger, "Incoming, graymail classed as marketing"),
        sum("incoming_social_mail", RECIPIENTS, Swagger, "Incoming, graymail classed as social network"),
        sum(
            "incoming_threat_content_filter",
            RECIPIENTS,
            Swagger,
            "Incoming, dropped, bounced or quarantined by a content filter",
        ),
        sum("incoming_total_clean_recipients", RECIPIENTS, Swagger, "Incoming, clean, neither threat nor graymail"),
        sum("incoming_total_recipients", RECIPIENTS, Swagger, "Incoming, in all: threats, clean and graymail"),
        sum(
            "outgoing_detected_amp",
            RECIPIENTS,
            Swagger,
            "Outgoing, malicious file found by AMP reputation or analysis",
        ),
        sum("outgoing_detected_content_filter", RECIPIENTS, Swagger, "Outgoing, matched by a content filter"),
        sum(
            "outgoing_detected_ims_spam_increment_over_case",
            RECIPIENTS,
            Swagger,
            "Outgoing, spam that Intelligent Multi-Scan found and the standard engine would have missed",
        ),
        sum("outgoing_detected_spam", RECIPIENTS, Swagger, "Outgoing, spam, certain or suspected, by any engine"),
        sum("outgoing_detected_virus", RECIPIENTS, Swagger, "Outgoing, virus found"),
        sum(
            "outgoing_threat_content_filter",
            RECIPIENTS,
            Swagger,
            "Outgoing, dropped, bounced or quarantined by a content filter",
        ),
        sum("outgoing_total_clean_recipients", RECIPIENTS, Swagger, "Outgoing, clean, no threat found"),
        sum("outgoing_total_recipients", RECIPIENTS, Swagger, "Outgoing, in all, whatever the verdict"),
    ]),
};

//! Findings of Outbreak Filters, and the time they held messages back. Levels, types and times are bounded; whatever may be
//! the name of a threat is not.
//!
//! **Source:** the vendor's Swagger description of the API 2.0; that they are keyed, and by what, is inferred.

use std::borrow::Cow::Borrowed;

use crate::catalogue::Source::{Inferred, Swagger};
use crate::catalogue::entry::{count, keyed, sum};
use crate::catalogue::{Counter, DeviceType, Group, Keys, Profile, Unit};

const MESSAGES: Unit = count("messages");

/// The same for all reports of threats.
const THREATS: &[Counter] = &[sum("threat_detected", MESSAGES, Swagger, "Threat found by Outbreak Filters")];

pub(super) const DETAILS: Group = Group {
    name: Borrowed("mail_vof_threat_details"),
    help: Borrowed("Threats found by Outbreak Filters, one by one"),
    kind_source: Inferred,
    profile: None,
    about: DeviceType::Mail,
    key: keyed("threat", Keys::Unbounded),
    others: None,
    counters: Borrowed(THREATS),
};

pub(super) const CATEGORIES: Group = Group {
    name: Borrowed("mail_vof_threat_summary"),
    help: Borrowed("Threats found by Outbreak Filters by category"),
    kind_source: Inferred,
    profile: Some(Profile::Full),
    about: DeviceType::Mail,
    key: keyed("threat_category", Keys::Bounded),
    others: None,
    counters: Borrowed(THREATS),
};

pub(super) const LEVELS: Group = Group {
    name: Borrowed("mail_vof_threats_by_level"),
    help: Borrowed("Threats found by Outbreak Filters by threat level, from 1 to 5"),
    kind_source: Inferred,
    profile: Some(Profile::Full),
    about: DeviceType::Mail,
    key: keyed("threat_level", Keys::Bounded),
    others: None,
    counters: Borrowed(THREATS),
};

/// Its keys may be names of threats rather than types, so they are not taken for bounded.
pub(super) const THREAT_TYPES: Group = Group {
    name: Borrowed("mail_vof_threats_by_threat_type"),
    help: Borrowed("Threats found by Outbreak Filters by threat type, perhaps by name"),
    kind_source: Inferred,
    profile: None,
    about: DeviceType::Mail,
    key: keyed("threat_type", Keys::Unbounded),
    others: None,
    counters: Borrowed(THREATS),
};

pub(super) const TIMES: Group = Group {
    name: Borrowed("mail_vof_threats_by_time_threshold"),
    help: Borrowed("Messages that left the outbreak quarantine by the time they spent there"),
    kind_source: Inferred,
    profile: Some(Profile::Full),
    about: DeviceType::Mail,
    key: keyed("time_threshold", Keys::Bounded),
    others: None,
    counters: Borrowed(&[
        sum("local_store_quarantine_message_exit", MESSAGES, Swagger, "Left the outbreak quarantine of the gateway"),
        sum("quarantine_message_exit", MESSAGES, Swagger, "Left the central outbreak quarantine"),
    ]),
};

pub(super) const TYPES: Group = Group {
    name: Borrowed("mail_vof_threats_by_type"),
    help: Borrowed("Threats found by Outbreak Filters by type"),
    kind_source: Inferred,
    profile: Some(Profile::Full),
    about: DeviceType::Mail,
    key: keyed("threat_type", Keys::Bounded),
    others: None,
    counters: Borrowed(THREATS),
};

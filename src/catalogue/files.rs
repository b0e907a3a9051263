//! Attached files as Advanced Malware Protection (AMP) judges them.
//!
//! **Source:** the vendor's Swagger description of the API 2.0; a published client reads the incoming summary.

use std::borrow::Cow::Borrowed;

use super::Source::{Client, Inferred, Swagger};
use super::entry::{count, sum};
use super::{Counter, DeviceType, Group, Profile, Unit};

const FILES: Unit = count("files");
const RECIPIENTS: Unit = count("recipients");
/// No source says which of the two is counted where there is no verdict.
const EITHER: Unit = count("files or messages");

/// The same for both directions.
const DISPOSITIONS: &[Counter] = &[
    sum("blockedlist", FILES, Swagger, "On a block list of the organisation"),
    sum("clamav_lowrisk", FILES, Swagger, "Low risk already by the preliminary check of ClamAV"),
    sum("clean", FILES, Swagger, "Judged clean"),
    sum("custom_threshold", FILES, Swagger, "Malicious because the score exceeds the threshold set on the appliance"),
    sum("lowrisk", FILES, Swagger, "Judged low risk"),
    sum("malware", FILES, Swagger, "Malicious verdict"),
    sum("unknown", EITHER, Swagger, "Without a known disposition"),
    sum("unscannable", EITHER, Swagger, "Impossible to scan"),
];

/// The same for both directions.
const THREAT_FILES: &[Counter] = &[
    sum("detected_amp", RECIPIENTS, Swagger, "Malicious file found by AMP reputation or analysis"),
    sum("detected_amp_files", FILES, Swagger, "Malicious by AMP, each distinct file once"),
];

pub(super) const INCOMING_AMP: Group = Group {
    name: Borrowed("mail_incoming_amp_summary"),
    help: Borrowed("Files in incoming mail by AMP disposition"),
    kind_source: Client,
    profile: Some(Profile::Default),
    about: DeviceType::Mail,
    key: None,
    others: None,
    counters: Borrowed(DISPOSITIONS),
};

pub(super) const OUTGOING_AMP: Group = Group {
    name: Borrowed("mail_outgoing_amp_summary"),
    help: Borrowed("Files in outgoing mail by AMP disposition"),
    kind_source: Inferred,
    profile: Some(Profile::Default),
    about: DeviceType::Mail,
    key: None,
    others: None,
    counters: Borrowed(DISPOSITIONS),
};

pub(super) const INCOMING_THREAT_FILES: Group = Group {
    name: Borrowed("mail_incoming_malware_threat_file_detail_summary"),
    help: Borrowed("Malicious files in incoming mail and their intended recipients"),
    kind_source: Inferred,
    profile: Some(Profile::Full),
    about: DeviceType::Mail,
    key: None,
    others: None,
    counters: Borrowed(THREAT_FILES),
};

pub(super) const OUTGOING_THREAT_FILES: Group = Group {
    name: Borrowed("mail_outgoing_malware_threat_file_detail_summary"),
    help: Borrowed("Malicious files in outgoing mail and their intended recipients"),
    kind_source: Inferred,
    profile: Some(Profile::Full),
    about: DeviceType::Mail,
    key: None,
    others: None,
    counters: Borrowed(THREAT_FILES),
};

pub(super) const AMP_THREATS: Group = Group {
    name: Borrowed("mail_amp_threat_summary"),
    help: Borrowed("Malicious files found by AMP in either direction"),
    kind_source: Swagger,
    profile: Some(Profile::Full),
    about: DeviceType::Mail,
    key: None,
    others: None,
    counters: Borrowed(&[
        sum("incoming_malicious", FILES, Swagger, "Incoming, malicious verdict of AMP"),
        sum("outgoing_malicious", FILES, Swagger, "Outgoing, malicious verdict of AMP"),
    ]),
};

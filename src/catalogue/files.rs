//! Attached files as Advanced Malware Protection (AMP) judges them.
//!
//! **Source:** the vendor's Swagger description of the API 2.0; a published client reads the incoming summary.

use super::Source::{Client, Inferred, Swagger};
use super::Unit::Count;
use super::entry::sum;
use super::{Counter, Group, Profile, Unit};

const FILES: Unit = Count("files");
const RECIPIENTS: Unit = Count("recipients");
/// No source says which of the two is counted where there is no verdict.
const EITHER: Unit = Count("files or messages");

/// The same for both directions.
const DISPOSITIONS: &[Counter] = &[
    sum("blockedlist", FILES, Swagger, "On a block list of the organisation"),
    sum("clamav_lowrisk", FILES, Swagger, "Low risk already by the preliminary check of ClamAV"),
    sum("clean", FILES, Swagger, "Judged clean"),
    sum("custom_threshold", FILES, Swagger, "Malicious because the score exceeds the threshold set on the appliance"),
    sum("lowrisk", FILES, Swagger, "Judged low risk"),
    sum("malware", FILES, Swagger, "Judged malicious"),
    sum("unknown", EITHER, Swagger, "Without a known disposition"),
    sum("unscannable", EITHER, Swagger, "Impossible to scan"),
];

/// The same for both directions.
const THREAT_FILES: &[Counter] = &[
    sum("detected_amp", RECIPIENTS, Swagger, "Malicious file found by AMP reputation or analysis"),
    sum("detected_amp_files", FILES, Swagger, "Malicious by AMP, each distinct file once"),
];

pub(super) const INCOMING_AMP: Group = Group {
    name: "mail_incoming_amp_summary",
    help: "Files in incoming mail by AMP disposition",
    kind_source: Client,
    profile: Profile::Default,
    counters: DISPOSITIONS,
};

pub(super) const OUTGOING_AMP: Group = Group {
    name: "mail_outgoing_amp_summary",
    help: "Files in outgoing mail by AMP disposition",
    kind_source: Inferred,
    profile: Profile::Default,
    counters: DISPOSITIONS,
};

pub(super) const INCOMING_THREAT_FILES: Group = Group {
    name: "mail_incoming_malware_threat_file_detail_summary",
    help: "Malicious files in incoming mail and the recipients they were meant for",
    kind_source: Inferred,
    profile: Profile::Full,
    counters: THREAT_FILES,
};

pub(super) const OUTGOING_THREAT_FILES: Group = Group {
    name: "mail_outgoing_malware_threat_file_detail_summary",
    help: "Malicious files in outgoing mail and the recipients they were meant for",
    kind_source: Inferred,
    profile: Profile::Full,
    counters: THREAT_FILES,
};

pub(super) const AMP_THREATS: Group = Group {
    name: "mail_amp_threat_summary",
    help: "Malicious files found by AMP in either direction",
    kind_source: Swagger,
    profile: Profile::Full,
    counters: &[
        sum("incoming_malicious", FILES, Swagger, "Sent to us and convicted by AMP"),
        sum("outgoing_malicious", FILES, Swagger, "Sent by us and convicted by AMP"),
    ],
};

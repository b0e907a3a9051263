//! Attached files: those that Advanced Malware Protection (AMP) judged, one by one, and others by their type. Files
//! are unbounded, types are bounded.
//!
//! **Source:** the vendor's Swagger description of the API 2.0; that they are keyed is inferred.

use std::borrow::Cow::Borrowed;

use crate::catalogue::Source::{Inferred, Swagger};
use crate::catalogue::entry::{count, keyed, last, sum, text};
use crate::catalogue::{Counter, DeviceType, Group, Keys, Profile, Unit};

const POINTS: Unit = count("points");
const RECIPIENTS: Unit = count("recipients");

/// The same for both directions.
const THREAT_FILES: &[Counter] = &[
    text("amp_verdict_time", Swagger, "Time of the AMP verdict"),
    text("console_url", Swagger, "Link to the file in the AMP console"),
    sum("detected_amp", RECIPIENTS, Swagger, "Malicious file found by AMP reputation or analysis"),
    last("score", POINTS, Swagger, "Threat score of the file"),
    text("threat_name", Swagger, "Name of the threat in the file"),
    text("threat_type", Swagger, "Type of the threat in the file"),
    text("upload_flag", Swagger, "Whether the file was uploaded for analysis"),
];

/// The same for both directions.
const MACROS: &[Counter] = &[sum("total_recipients", RECIPIENTS, Swagger, "Recipients of a file with macros")];

pub(super) const ANALYSIS: Group = Group {
    name: Borrowed("mail_amp_file_analysis_by_filename"),
    help: Borrowed("Files sent to AMP analysis: progress, verdict and score"),
    kind_source: Inferred,
    profile: None,
    about: DeviceType::Mail,
    key: keyed("file", Keys::Unbounded),
    others: None,
    counters: Borrowed(&[
        text("completed_timestamp", Swagger, "When the analysis was completed"),
        text("console_url", Swagger, "Link to the file in the AMP console"),
        text("interim_verdict", Swagger, "Verdict until the analysis is completed"),
        text("msg_direction", Swagger, "Direction of the message with the file"),
        text("run_id", Swagger, "Identifier of the analysis"),
        last("score", POINTS, Swagger, "Threat score of the file"),
        text("status", Swagger, "State of the analysis"),
        text("submit_timestamp", Swagger, "When the file was submitted"),
        text("url", Swagger, "Link to the report of the analysis"),
    ]),
};

pub(super) const VERDICT_UPDATES: Group = Group {
    name: Borrowed("mail_amp_reputation_update"),
    help: Borrowed("Files whose AMP verdict changed after their delivery; texts, no samples"),
    kind_source: Inferred,
    profile: None,
    about: DeviceType::Mail,
    key: keyed("file", Keys::Unbounded),
    others: None,
    counters: Borrowed(&[
        text("console_url", Swagger, "Link to the file in the AMP console"),
        text("filenames", Swagger, "Names of the file"),
        text("msg_direction", Swagger, "Direction of the message with the file"),
        text("old_disposition", Swagger, "Disposition before the change"),
        text("timestamped_tuple", Swagger, "Record of the change with its time"),
    ]),
};

pub(super) const INCOMING_THREATS: Group = Group {
    name: Borrowed("mail_incoming_malware_threat_file_detail_by_filename"),
    help: Borrowed("Malicious files in incoming mail: recipients and score"),
    kind_source: Inferred,
    profile: None,
    about: DeviceType::Mail,
    key: keyed("file", Keys::Unbounded),
    others: None,
    counters: Borrowed(THREAT_FILES),
};

pub(super) const OUTGOING_THREATS: Group = Group {
    name: Borrowed("mail_outgoing_malware_threat_file_detail_by_filename"),
    help: Borrowed("Malicious files in outgoing mail: recipients and score"),
    kind_source: Inferred,
    profile: None,
    about: DeviceType::Mail,
    key: keyed("file", Keys::Unbounded),
    others: None,
    counters: Borrowed(THREAT_FILES),
};

pub(super) const INCOMING_MACROS: Group = Group {
    name: Borrowed("mail_md_attachment_incoming_file_type"),
    help: Borrowed("Files with macros in incoming mail by file type"),
    kind_source: Inferred,
    profile: Some(Profile::Full),
    about: DeviceType::Mail,
    key: keyed("file_type", Keys::Bounded),
    others: None,
    counters: Borrowed(MACROS),
};

pub(super) const OUTGOING_MACROS: Group = Group {
    name: Borrowed("mail_md_attachment_outgoing_file_type"),
    help: Borrowed("Files with macros in outgoing mail by file type"),
    kind_source: Inferred,
    profile: Some(Profile::Full),
    about: DeviceType::Mail,
    key: keyed("file_type", Keys::Bounded),
    others: None,
    counters: Borrowed(MACROS),
};

/// Whether its one counter names the type or counts its files is not published, so it is no sample.
pub(super) const SAFE_PRINT: Group = Group {
    name: Borrowed("mail_safeprint_details"),
    help: Borrowed("Files made safe by printing them, by file type; texts, no samples"),
    kind_source: Inferred,
    // Its only counter is text.
    profile: None,
    about: DeviceType::Mail,
    key: keyed("file_type", Keys::Bounded),
    others: None,
    counters: Borrowed(&[text("file_ext", Swagger, "Extension of the names of the files")]),
};

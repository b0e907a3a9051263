//! Remediation of mail after its delivery: summaries, records and batches; and uploads to a cloud service. Records and
//! batches grow with time, so neither is bounded.
//!
//! **Source:** the vendor's Swagger description of the API 2.0; one counter, one text and that there are records are known
//! from published clients.

use std::borrow::Cow::Borrowed;

use super::Source::{Client, Swagger};
use super::entry::{count, keyed, sum, text};
use super::{DeviceType, Group, Keys, Profile, Unit};

const MESSAGES: Unit = count("messages");

pub(super) const ADVANCED_PHISHING_PROTECTION: Group = Group {
    name: Borrowed("advanced_phishing_protection_summary"),
    help: Borrowed("Messages handed to the cloud service Advanced Phishing Protection, and failures to do so"),
    kind_source: Swagger,
    profile: Some(Profile::Full),
    about: DeviceType::Mail,
    key: None,
    others: None,
    counters: Borrowed(&[
        sum("failure", MESSAGES, Swagger, "Not forwarded to Advanced Phishing Protection although due"),
        sum("success", MESSAGES, Swagger, "Forwarded to Advanced Phishing Protection"),
    ]),
};

pub(super) const MAILBOX_AUTO: Group = Group {
    name: Borrowed("mail_mar_summary"),
    help: Borrowed("Mailbox auto remediation by action"),
    kind_source: Swagger,
    profile: Some(Profile::Full),
    about: DeviceType::Mail,
    key: None,
    others: None,
    counters: Borrowed(&[
        sum("msgs_deleted", MESSAGES, Swagger, "Deleted from the mailbox automatically"),
        sum("msgs_forwarded", MESSAGES, Swagger, "Forwarded from the mailbox automatically"),
        sum("msgs_forwarded_deleted", MESSAGES, Swagger, "Forwarded, then deleted from the mailbox automatically"),
        sum("msgs_total", MESSAGES, Client, "Remediated automatically by any action"),
    ]),
};

pub(super) const MAILBOX_ON_DEMAND: Group = Group {
    name: Borrowed("mail_mor_summary"),
    help: Borrowed("Mailbox remediation on demand by action"),
    kind_source: Swagger,
    profile: Some(Profile::Full),
    about: DeviceType::Mail,
    key: None,
    others: None,
    counters: Borrowed(&[
        sum("msgs_deleted", MESSAGES, Swagger, "Deleted from the mailbox on demand"),
        sum("msgs_forwarded", MESSAGES, Swagger, "Forwarded from the mailbox on demand"),
        sum("msgs_forwarded_deleted", MESSAGES, Swagger, "Forwarded, then deleted from the mailbox on demand"),
    ]),
};

/// The field that names a record is not published. Its texts name recipients, but texts are never samples.
pub(super) const RECORDS: Group = Group {
    name: Borrowed("mail_mailbox_auto_remediation"),
    help: Borrowed("Records of mailbox auto remediation; texts, no samples"),
    kind_source: Client,
    profile: None,
    about: DeviceType::Mail,
    key: keyed("record", Keys::Unbounded),
    others: None,
    counters: Borrowed(&[
        text("action", Swagger, "Action on the message"),
        text("completed_timestamp", Swagger, "When the remediation was completed"),
        text("filenames", Swagger, "Names of the malicious files"),
        text("rcpts_failure", Swagger, "Recipients whose mailbox could not be remediated"),
        text("rcpts_success", Swagger, "Recipients whose mailbox was remediated"),
        text("reason", Client, "Why the remediation failed"),
    ]),
};

pub(super) const BATCHES: Group = Group {
    name: Borrowed("mail_mor_batch_summary"),
    help: Borrowed("Mailbox remediation on demand by batch and action"),
    kind_source: Swagger,
    profile: None,
    about: DeviceType::Mail,
    key: keyed("batch", Keys::Unbounded),
    others: None,
    counters: Borrowed(&[
        sum("msgs_deleted", MESSAGES, Swagger, "Deleted from the mailbox on demand"),
        sum("msgs_failed", MESSAGES, Swagger, "Failed remediation on demand"),
        sum("msgs_forwarded", MESSAGES, Swagger, "Forwarded from the mailbox on demand"),
        sum("msgs_forwarded_deleted", MESSAGES, Swagger, "Forwarded, then deleted from the mailbox on demand"),
        sum("msgs_total", MESSAGES, Swagger, "Remediated on demand by any action"),
    ]),
};

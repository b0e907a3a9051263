//! Remediation of mail after its delivery, by record and by batch. Both grow with time, so neither is
//! bounded.
//!
//! **Source:** the vendor's Swagger description of the API 2.0; a published client shows the records and one text more.

use std::borrow::Cow::Borrowed;

use crate::catalogue::Source::{Client, Swagger};
use crate::catalogue::entry::{count, keyed, sum, text};
use crate::catalogue::{DeviceType, Group, Keys, Unit};

const MESSAGES: Unit = count("messages");

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

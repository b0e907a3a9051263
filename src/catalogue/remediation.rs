//! Remediation of mail after its delivery, and uploads to a cloud service.
//!
//! **Source:** the vendor's Swagger description of the API 2.0; one counter is known from a published client alone.

use std::borrow::Cow::Borrowed;

use super::Source::{Client, Swagger};
use super::entry::{count, sum};
use super::{DeviceType, Group, Profile, Unit};

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

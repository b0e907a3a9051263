//! Keyed mail groups about remediation of mailboxes.
//! **Source:** the Swagger client kribsi/esa_python for names and counters; the numbers are made up.

use crate::sim::keyed::key as k;
use crate::sim::keyed::part::{self as p, Part};
use crate::sim::keyed::{FILE_NAMES, KeyedGroup, Value, group, sum, text};
use crate::sim::traffic as t;

const MOR_FAILED: Part = p::of_stream(t::REMEDIATION_FAILED);
const MOR_ALL: &[Part] = &[p::MOR_DELETED, MOR_FAILED, p::MOR_FORWARDED, p::MOR_BOTH];

pub(super) const REMEDIATION: &[KeyedGroup] = &[
    group(
        "mail_mailbox_auto_remediation",
        k::RECORD,
        &[p::events(229, 7)],
        &[
            text("action", Value::OneOf(&["Delete", "Forward"])),
            text("completed_timestamp", Value::Time),
            FILE_NAMES,
            text("rcpts_failure", Value::OneOf(&["None", "carol@example.com"])),
            text("rcpts_success", Value::OneOf(&["alice@example.com", "alice@example.com, bob@example.com"])),
            text("reason", Value::OneOf(&["Malicious verdict update"])),
        ],
    ),
    group(
        "mail_mor_batch_summary",
        k::BATCH,
        MOR_ALL,
        &[
            sum("msgs_deleted", &[p::MOR_DELETED]),
            sum("msgs_failed", &[MOR_FAILED]),
            sum("msgs_forwarded", &[p::MOR_FORWARDED]),
            sum("msgs_forwarded_deleted", &[p::MOR_BOTH]),
            sum("msgs_total", MOR_ALL),
        ],
    ),
];

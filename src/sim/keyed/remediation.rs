//! Keyed mail groups about remediation of mailboxes. **Source:** the Swagger client kribsi/esa_python for names and counters; the numbers
//! are made up.

use crate::sim::keyed::key as k;
use crate::sim::keyed::part::{self as p};
use crate::sim::keyed::{Keyed, Value, group, sum, text};

pub(super) const REMEDIATION: &[Keyed] = &[
    group(
        "mail_mailbox_auto_remediation",
        k::RECORD,
        &[p::events(229, 7)],
        &[
            text("action", Value::OneOf(&["Delete", "Forward"])),
            text("completed_timestamp", Value::Time),
            text("filenames", Value::OneOf(&["invoice.pdf", "order \"final\".docm", "photo.zip"])),
            text("rcpts_failure", Value::OneOf(&["None", "carol@example.com"])),
            text("rcpts_success", Value::OneOf(&["alice@example.com", "alice@example.com, bob@example.com"])),
            text("reason", Value::OneOf(&["Malicious verdict update"])),
        ],
    ),
    group(
        "mail_mor_batch_summary",
        k::BATCH,
        &[p::MOR_DELETED, p::events(232, 3), p::MOR_FORWARDED, p::MOR_BOTH],
        &[
            sum("msgs_deleted", &[p::MOR_DELETED]),
            sum("msgs_failed", &[p::events(232, 3)]),
            sum("msgs_forwarded", &[p::MOR_FORWARDED]),
            sum("msgs_forwarded_deleted", &[p::MOR_BOTH]),
            sum("msgs_total", &[p::MOR_DELETED, p::events(232, 3), p::MOR_FORWARDED, p::MOR_BOTH]),
        ],
    ),
];

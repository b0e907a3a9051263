//! Columns that groups about senders share, whether a sender is an address, a domain or a network.
//! **Source:** the Swagger client kribsi/esa_python for the names.

use crate::sim::keyed::part::{self as p, CLEAN_OUT, DLP, THREAT_OUT, TOTAL_OUT};
use crate::sim::keyed::{Column, Value, sum, text};

/// Names a sender group can have in a text counter. **Source:** `UNKNOWNLIST` is recorded; the others are defaults of
/// the HAT.
const SENDER_GROUPS: &[&str] = &["UNKNOWNLIST", "ACCEPTLIST", "SUSPECTLIST", "BLOCKED_LIST"];

/// Incoming mail that was blocked; bulk mail follows it in the order of the names.
pub(super) const BLOCKED: &[Column] = &[
    sum("blocked_dmarc", &[p::DMARC]),
    sum("blocked_invalid_recipient", &[p::INVALID]),
    sum("blocked_reputation", &[p::REJECTED, p::REJECTED, p::REJECTED]),
    sum("blocked_sdr", &[p::SDR]),
    sum("bulk_mail", &[p::BULK]),
];

/// Incoming mail that was found to be bad.
pub(super) const DETECTED: &[Column] =
    &[sum("detected_amp", &[p::AMP_IN]), sum("detected_spam", &[p::SPAM_IN]), sum("detected_virus", &[p::VIRUS_IN])];

pub(super) const LAST_SENDER_GROUP: &[Column] =
    &[text("last_sender_group", Value::Integer(12)), text("last_sender_group_name", Value::OneOf(SENDER_GROUPS))];

/// Outgoing mail of one sender.
pub(super) const OUTGOING: &[Column] = &[
    sum("detected_amp", &[p::AMP_OUT]),
    sum("detected_spam", &[p::SPAM_OUT]),
    sum("detected_virus", &[p::VIRUS_OUT]),
    sum("threat_content_filter", &[p::FILTER_OUT]),
    sum("total_clean_recipients", CLEAN_OUT),
    sum("total_dlp_incidents", DLP),
    sum("total_recipients_processed", TOTAL_OUT),
    sum("total_threat_recipients", THREAT_OUT),
];

/// The columns of all pieces, one after the other; `N` must be how many they are.
pub(super) const fn join<const N: usize>(pieces: &[&[Column]]) -> [Column; N] {
    let mut joined = [Column { name: "", value: Value::Time }; N];
    let (mut count, mut piece) = (0, 0);
    while piece < pieces.len() {
        let mut place = 0;
        while place < pieces[piece].len() {
            joined[count] = pieces[piece][place];
            count += 1;
            place += 1;
        }
        piece += 1;
    }
    assert!(count == N, "the length is that of the pieces");
    joined
}

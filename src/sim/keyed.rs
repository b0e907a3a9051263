//! Keyed counter groups: a list of keys, and for each a row of values. **Source:** the Swagger client
//! kribsi/esa_python for groups and counters; that a group is keyed, and by what, is inferred for most of them.

pub(super) mod key;
pub(super) mod part;
pub(super) mod tally;
pub(super) mod web;

mod addresses;
mod authentication;
mod domains;
mod files;
mod outbreaks;
mod policies;
mod remediation;
mod sender;
mod threats;
mod urls;
mod users;

pub(super) use key::KeyPool;
pub(super) use part::Part;

/// A keyed counter group.
pub(super) struct KeyedGroup {
    pub(super) name: &'static str,
    pub(super) pool: KeyPool,
    /// Parts that rank the rows; a row with none of them, and with nothing in any counter, is not there.
    pub(super) main: &'static [Part],
    pub(super) columns: &'static [Column],
}

/// A counter of a keyed group.
#[derive(Clone, Copy)]
pub(super) struct Column {
    pub(super) name: &'static str,
    pub(super) value: Value,
}

/// The kind of value that a counter has for a key.
#[derive(Clone, Copy)]
pub(super) enum Value {
    /// Events of the window: the sum of these parts.
    Sum(&'static [Part]),
    /// One of these texts, always the same for a key.
    OneOf(&'static [&'static str]),
    /// Something below this that is no count: an id, a flag. Always the same for a key.
    Integer(u64),
    /// A threat score, 0 to 100, always the same for a key.
    Score,
    /// A reputation score, -10 to 10 in tenths, or `None`, or `N/A`. **Source:** tracking answers have the two texts.
    Reputation,
    /// When the last event was; the form is assumed to be that of tracking.
    Time,
}

/// Every keyed mail group, by topic as in the catalogue.
pub(super) const MAIL: [&[KeyedGroup]; 10] = [
    addresses::ADDRESSES,
    authentication::AUTHENTICATION,
    domains::DOMAINS,
    files::FILES,
    outbreaks::OUTBREAKS,
    policies::POLICIES,
    remediation::REMEDIATION,
    threats::THREATS,
    urls::URLS,
    users::USERS,
];

/// The keyed group of this name.
pub(super) fn find(name: &str) -> Option<&'static KeyedGroup> {
    MAIL.into_iter().flatten().chain(web::KEYED).find(|group| group.name == name)
}

const VERDICTS: &[&str] = &["clean", "malicious", "unknown", "low risk"];

const FILE_NAMES: Column = text("filenames", Value::OneOf(&["invoice.pdf", "order \"final\".docm", "photo.zip"]));

/// A group with one counter, which ranks its rows too.
macro_rules! single_counter {
    ($name:expr, $pool:expr, $counter:expr, $parts:expr) => {
        group($name, $pool, $parts, &[sum($counter, $parts)])
    };
}
use single_counter;

const fn group(name: &'static str, pool: KeyPool, main: &'static [Part], columns: &'static [Column]) -> KeyedGroup {
    KeyedGroup { name, pool, main, columns }
}

const fn sum(name: &'static str, parts: &'static [Part]) -> Column {
    Column { name, value: Value::Sum(parts) }
}

const fn text(name: &'static str, value: Value) -> Column {
    Column { name, value }
}

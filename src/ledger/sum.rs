//! Names of sums: a counter of a report, and a key where the counter has one value per key.

/// The key that all rows without a series of their own are summed into. A key of that name is one of them.
pub const OTHER: &str = "other";
/// Between a counter and a key. No counter has it in its name.
const SEPARATOR: char = '\u{1f}';

/// The name of the sum of one key.
#[must_use]
pub fn joined(counter: &str, key: &str) -> String {
    format!("{counter}{SEPARATOR}{key}")
}

/// The counter of a sum, and its key if it has one.
#[must_use]
pub fn split(name: &str) -> (&str, Option<&str>) {
    match name.split_once(SEPARATOR) {
        Some((counter, key)) => (counter, Some(key)),
        None => (name, None),
    }
}

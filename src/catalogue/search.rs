//! The counter of a search of the message tracking, in the form of a group.

use std::borrow::Cow;

use super::entry::{count, sum};
use super::{DeviceType, Group, Source};

/// The only counter of [`search_group`].
pub const SEARCH_COUNTER: &str = "messages";

/// The counter of a search of the message tracking, as a group that is polled in windows like any other.
#[must_use]
pub fn search_group() -> Group {
    let help = "Messages that the search of the message tracking finds";
    Group {
        name: "tracking".into(),
        help: "A search of the message tracking".into(),
        kind_source: Source::Recorded,
        profile: None,
        about: DeviceType::Tracking,
        key: None,
        others: None,
        counters: Cow::Owned(vec![sum(SEARCH_COUNTER, count("messages"), Source::Recorded, help)]),
    }
}

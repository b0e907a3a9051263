//! The identities of records and of their sums, and their texts on disk. The only module that knows how their parts are
//! joined there.

use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::config::Scope;

/// The key that all rows without a series of their own are summed into. A key of that name is one of them.
pub const OTHER: &str = "other";
/// Between the parts of an identity on disk. The names in a configuration and those of counters do not contain it.
const SEPARATOR: char = '\u{1f}';

/// The identity of one set of totals, which is kept as one record.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TotalsKey {
    /// The appliance's name in the configuration.
    pub appliance: Arc<str>,
    /// The scope of the report.
    pub scope: Scope,
    /// The counter group's name.
    pub group: Arc<str>,
}

/// The identity of one sum: a counter of a report, and a key where the counter has one value per key. A copy shares both
/// texts, as every window of every key makes several.
///
/// The order is that of the texts on disk, so that a record is written in the order it is kept in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SumKey {
    counter: Arc<str>,
    key: Option<Arc<str>>,
}

impl TotalsKey {
    /// The text on disk.
    pub(super) fn text(&self) -> String {
        let Self { appliance, scope, group } = self;
        let (kind, member) = match scope {
            Scope::Appliance => ("appliance", ""),
            Scope::DeviceGroup(name) => ("device_group", name.as_str()),
            Scope::Device(name) => ("device", name.as_str()),
        };
        format!("{appliance}{SEPARATOR}{kind}{SEPARATOR}{member}{SEPARATOR}{group}")
    }

    /// Reads the text on disk; none where this version does not write such a text.
    pub(super) fn read(text: &str) -> Option<Self> {
        let mut parts = text.split(SEPARATOR);
        let (appliance, kind, member, group) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let scope = match (kind, member) {
            ("appliance", "") => Scope::Appliance,
            ("device_group", name) => Scope::DeviceGroup(name.to_owned()),
            ("device", name) => Scope::Device(name.to_owned()),
            _ => return None,
        };
        parts.next().is_none().then(|| Self { appliance: appliance.into(), scope, group: group.into() })
    }
}

impl SumKey {
    /// The sum of `counter` and, if it has keys, of `key`. Names of counters hold no control characters: they are those of
    /// the catalogue, or lower case letters, digits and underscores.
    #[must_use]
    pub fn new(counter: impl Into<Arc<str>>, key: Option<Arc<str>>) -> Self {
        let counter = counter.into();
        debug_assert!(!counter.contains(SEPARATOR), "`{counter:?}` would be read back as another sum");
        Self { counter, key }
    }

    /// The sum of a counter without keys.
    #[must_use]
    pub fn whole(counter: impl Into<Arc<str>>) -> Self {
        Self::new(counter, None)
    }

    /// The sum of one key of a counter.
    #[must_use]
    pub fn keyed(counter: impl Into<Arc<str>>, key: impl Into<Arc<str>>) -> Self {
        Self::new(counter, Some(key.into()))
    }

    /// The counter.
    #[must_use]
    pub fn counter(&self) -> &str {
        &self.counter
    }

    /// The key; none where the counter has no keys.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// The key as [`SumKey::key`], shared instead of copied.
    #[must_use]
    pub fn shared_key(&self) -> Option<Arc<str>> {
        self.key.clone()
    }
}

impl Serialize for SumKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { counter, key } = self;
        match key {
            None => serializer.serialize_str(counter),
            Some(key) => serializer.collect_str(&format_args!("{counter}{SEPARATOR}{key}")),
        }
    }
}

impl<'de> Deserialize<'de> for SumKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        // At the first one only: a key may contain it, since it is the appliance's text.
        Ok(match text.split_once(SEPARATOR) {
            Some((counter, key)) => Self::keyed(counter, key),
            None => Self::whole(text),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum_key() -> impl proptest::strategy::Strategy<Value = SumKey> {
        let parts = ("[a-c0_]{0,3}", proptest::option::of("[a-c0_\\x00-\\x1f\"ü]{0,3}"));
        proptest::strategy::Strategy::prop_map(parts, |(counter, key)| SumKey::new(counter, key.map(Arc::from)))
    }

    #[test]
    fn totals_keys_have_the_text_of_older_builds_on_disk() {
        let scopes = [
            (Scope::Appliance, "appliance\u{1f}"),
            (Scope::DeviceGroup("x".into()), "device_group\u{1f}x"),
            (Scope::Device("x".into()), "device\u{1f}x"),
            (Scope::Device("x\" y".into()), "device\u{1f}x\" y"),
        ];
        for (scope, text) in scopes {
            let key = TotalsKey { appliance: "esa1".into(), scope, group: "mail_x".into() };
            assert_eq!(key.text(), format!("esa1\u{1f}{text}\u{1f}mail_x"));
            assert_eq!(TotalsKey::read(&key.text()), Some(key));
        }
        for text in ["", "a\u{1f}appliance\u{1f}g", "a\u{1f}appliance\u{1f}x\u{1f}g", "a\u{1f}fleet\u{1f}\u{1f}g"] {
            assert_eq!(TotalsKey::read(text), None, "{text:?}");
        }
        assert_eq!(TotalsKey::read("a\u{1f}device\u{1f}x\u{1f}g\u{1f}more"), None);
    }

    proptest::proptest! {
        #[test]
        fn sum_keys_round_trip_and_sort_as_their_text(one in sum_key(), other in sum_key()) {
            let text = |sum: &SumKey| serde_json::to_value(sum).expect("a text").as_str().expect("a text").to_owned();
            let (written, of_other) = (text(&one), text(&other));
            proptest::prop_assert_eq!(one.cmp(&other), written.cmp(&of_other));
            let read: SumKey = serde_json::from_value(written.into()).expect("a sum");
            proptest::prop_assert_eq!(read, one);
        }
    }
}

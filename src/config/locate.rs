//! Finds the line of a place in a YAML text. The parser tells positions only with its errors, so it is made to fail
//! at the place in question: the same parser then speaks of the same text, which a second one might read differently.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::problem::{Path, Step};

/// The line (from 1) of the key or list element that `path` names, or of the nearest one around it where the text does
/// not have it, as with a default; none where it has nothing of it.
pub(super) fn line_of(text: &str, path: &Path) -> Option<usize> {
    let steps = path.steps();
    let line = |length| {
        let parser = serde_yaml::Deserializer::from_str(text);
        let failure = Seek(&steps[..length]).deserialize(parser).err()?;
        failure.location().map(|location| location.line())
    };
    if steps.is_empty() { line(0) } else { (1..=steps.len()).rev().find_map(line) }
}

/// Descends along the steps and fails at their end.
struct Seek<'a>(&'a [Step]);

impl<'de> DeserializeSeed<'de> for Seek<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, parser: D) -> Result<(), D::Error> {
        match self.0 {
            [] => parser.deserialize_any(Fail),
            [..] => parser.deserialize_any(self),
        }
    }
}

impl<'de> Visitor<'de> for Seek<'_> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a table or a list")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Some((Step::Key(wanted), rest)) = self.0.split_first() else {
            return Ok(());
        };
        while let Some(found) = map.next_key_seed(Key { wanted, fail: rest.is_empty() })? {
            if found {
                map.next_value_seed(Seek(rest))?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let Some((Step::Index(wanted), rest)) = self.0.split_first() else {
            return Ok(());
        };
        for _ in 0..*wanted {
            if list.next_element::<IgnoredAny>()?.is_none() {
                return Ok(());
            }
        }
        list.next_element_seed(Seek(rest))?;
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }
}

/// Tells whether a key is the wanted one, or fails on it.
struct Key<'a> {
    wanted: &'a str,
    fail: bool,
}

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, parser: D) -> Result<bool, D::Error> {
        parser.deserialize_any(self)
    }
}

impl Visitor<'_> for Key<'_> {
    type Value = bool;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("another key")
    }

    fn visit_str<E: serde::de::Error>(self, key: &str) -> Result<bool, E> {
        match key == self.wanted {
            true if self.fail => Err(E::custom("here")),
            found => Ok(found),
        }
    }

    fn visit_i64<E>(self, _: i64) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_u64<E>(self, _: u64) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_f64<E>(self, _: f64) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_bool<E>(self, _: bool) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_unit<E>(self) -> Result<bool, E> {
        Ok(false)
    }
}

/// Accepts nothing: every visit is the provided one, which is an error.
struct Fail;

impl Visitor<'_> for Fail {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("nothing")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# a comment\ndefaults: {window: 5m,\n  settle: 2m}\nappliances:\n  - name: a\n    url: u\n\n  - name: b\n    tls:\n      ca_file: x\n3: three\n";

    #[test]
    fn finds_keys_and_elements_in_both_styles() {
        let root = Path::default();
        let second = root.key("appliances").index(1);
        let line = |path: &Path| line_of(TEXT, path);
        assert_eq!(line(&root.key("defaults")), Some(2));
        assert_eq!(line(&root.key("defaults").key("settle")), Some(3));
        assert_eq!(line(&root.key("appliances").index(0).key("url")), Some(6));
        assert_eq!(line(&second), Some(8));
        assert_eq!(line(&second.key("tls").key("ca_file")), Some(10));
    }

    #[test]
    fn what_is_not_there_has_no_line_of_its_own() {
        let root = Path::default();
        assert_eq!(line_of(TEXT, &root.key("nothing")), None);
        assert_eq!(
            line_of(TEXT, &root.key("appliances").index(0).key("polling").key("start")),
            Some(5),
            "what is around it"
        );
    }
}

//! Reads JSON as the appliance writes it, value by value into what is kept of it: an answer of the largest size never
//! becomes a tree, which would take a hundred times its size.

use std::fmt;

use serde::de::{self, DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::api::wire::number::Scalar;
use crate::api::{Cause, Failure, Reason};

/// The longest message of the appliance that is repeated in a log.
const LONGEST_MESSAGE: usize = 200;
/// The message about an answer with more values than are read.
pub(in crate::api) const TOO_MANY: &str = "the response has too many values";

/// Whether `body` is a page for browsers.
pub(in crate::api) fn is_html(body: &str) -> bool {
    let begin = body.trim_start_matches('\u{feff}').trim_start();
    ["<!doctype html", "<html", "<head", "<body", "<!--"]
        .iter()
        .any(|tag| begin.get(..tag.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(tag)))
}

/// Makes something of one value, whatever its kind.
pub(in crate::api) trait Reader<'de>: Sized {
    /// The value that it makes.
    type Made;

    /// Takes a value without parts; [`Scalar::Structure`] stands for a list or an object that this reader does not look
    /// into.
    fn scalar<E: de::Error>(self, value: Scalar<'_>) -> Result<Self::Made, E>;

    /// Takes a list.
    fn list<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Made, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        self.scalar(Scalar::Structure)
    }

    /// Takes an object.
    fn object<A: MapAccess<'de>>(self, mut object: A) -> Result<Self::Made, A::Error> {
        while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        self.scalar(Scalar::Structure)
    }
}

/// A reader, as the parser takes it.
#[derive(Clone, Copy)]
pub(in crate::api) struct By<R>(pub(in crate::api) R);

impl<'de, R: Reader<'de>> DeserializeSeed<'de> for By<R> {
    type Value = R::Made;

    fn deserialize<D: Deserializer<'de>>(self, parser: D) -> Result<R::Made, D::Error> {
        parser.deserialize_any(self)
    }
}

impl<'de, R: Reader<'de>> Visitor<'de> for By<R> {
    type Value = R::Made;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a value")
    }

    fn visit_unit<E: de::Error>(self) -> Result<R::Made, E> {
        self.0.scalar(Scalar::Null)
    }

    fn visit_bool<E: de::Error>(self, switch: bool) -> Result<R::Made, E> {
        self.0.scalar(Scalar::Switch(switch))
    }

    fn visit_u64<E: de::Error>(self, whole: u64) -> Result<R::Made, E> {
        self.0.scalar(Scalar::Whole(whole))
    }

    fn visit_i64<E: de::Error>(self, negative: i64) -> Result<R::Made, E> {
        self.0.scalar(Scalar::Fraction(negative as f64))
    }

    fn visit_f64<E: de::Error>(self, fraction: f64) -> Result<R::Made, E> {
        self.0.scalar(Scalar::Fraction(fraction))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<R::Made, E> {
        self.0.scalar(Scalar::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<R::Made, A::Error> {
        self.0.list(list)
    }

    fn visit_map<A: MapAccess<'de>>(self, object: A) -> Result<R::Made, A::Error> {
        self.0.object(object)
    }
}

/// The value that `reader` makes of the JSON in `body`.
///
/// # Errors
/// [`Reason::NotJson`] for another format, [`Reason::Malformed`] for JSON that is truncated or refused by the reader,
/// and [`Reason::TooLarge`] where it refuses by [`TOO_MANY`].
pub(in crate::api) fn read<T>(body: &str, reader: impl for<'de> Reader<'de, Made = T> + Copy) -> Result<T, Failure> {
    let error = match parsed(body, reader) {
        Ok(made) => return Ok(made),
        Err(error) => error,
    };
    // The appliance is written in Python, whose serializer writes a division by nothing as a bare NaN.
    let error = match error.is_data() {
        true => error,
        false => match parsed(&without_bare_words(body), reader) {
            Ok(made) => return Ok(made),
            Err(again) if again.is_data() => again,
            Err(_) => error,
        },
    };
    let text = error.to_string();
    match body.trim_start().chars().next() {
        _ if text.starts_with(TOO_MANY) => Err(Failure::new(Reason::TooLarge, text)),
        _ if error.is_data() => Err(malformed(&text)),
        Some('{' | '[') => Err(malformed(&format!("the JSON is incomplete: {text}"))),
        Some(_) if is_html(body) => {
            Err(Failure::new(Reason::NotJson, "the body is HTML instead of JSON").caused_by(Cause::NotTheApi))
        }
        Some(_) | None => Err(Failure::new(Reason::NotJson, "the body is not JSON")),
    }
}

fn parsed<T>(body: &str, reader: impl for<'de> Reader<'de, Made = T>) -> serde_json::Result<T> {
    let mut parser = serde_json::Deserializer::from_str(body);
    let made = By(reader).deserialize(&mut parser)?;
    parser.end()?;
    Ok(made)
}

/// `body` with `NaN`, `Infinity` and `-Infinity` outside of texts replaced by `null`.
fn without_bare_words(body: &str) -> String {
    let mut cleaned = String::with_capacity(body.len());
    let mut rest = body;
    let mut in_text = false;
    while let Some(letter) = rest.chars().next() {
        let word = ["NaN", "Infinity", "-Infinity"].into_iter().find(|word| !in_text && rest.starts_with(word));
        let taken = match (word, letter) {
            (Some(word), _) => {
                cleaned.push_str("null");
                rest = &rest[word.len()..];
                continue;
            }
            (None, '\\') if in_text => 1 + rest[1..].chars().next().map_or(0, char::len_utf8),
            (None, '"') => {
                in_text = !in_text;
                1
            }
            (None, _) => letter.len_utf8(),
        };
        cleaned.push_str(&rest[..taken]);
        rest = &rest[taken..];
    }
    cleaned
}

/// The message of the appliance's error body, cut and without control characters; none where it has another form.
pub(in crate::api) fn message(body: &str) -> Option<String> {
    parsed(body, Envelope(Skip)).ok()?.error?
}

/// The failure to understand an answer, for this reason.
pub(in crate::api) fn malformed(detail: &str) -> Failure {
    Failure::new(Reason::Malformed, detail)
}

/// A value that is of no use.
#[derive(Clone, Copy)]
pub(in crate::api) struct Skip;

impl Reader<'_> for Skip {
    type Made = ();

    fn scalar<E: de::Error>(self, _: Scalar<'_>) -> Result<(), E> {
        Ok(())
    }
}

/// One value that is kept as it is; of a structure only that it was there.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::api) enum JsonScalar {
    #[default]
    Null,
    Switch(bool),
    Whole(u64),
    Fraction(f64),
    Text(String),
    Structure,
}

impl JsonScalar {
    pub(in crate::api) fn scalar(&self) -> Scalar<'_> {
        match self {
            Self::Null => Scalar::Null,
            Self::Switch(switch) => Scalar::Switch(*switch),
            Self::Whole(whole) => Scalar::Whole(*whole),
            Self::Fraction(fraction) => Scalar::Fraction(*fraction),
            Self::Text(text) => Scalar::Text(text),
            Self::Structure => Scalar::Structure,
        }
    }

    pub(in crate::api) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Null | Self::Switch(_) | Self::Whole(_) | Self::Fraction(_) | Self::Structure => None,
        }
    }
}

impl<'de> Deserialize<'de> for JsonScalar {
    fn deserialize<D: Deserializer<'de>>(parser: D) -> Result<Self, D::Error> {
        By(Keep).deserialize(parser)
    }
}

impl From<Scalar<'_>> for JsonScalar {
    fn from(value: Scalar<'_>) -> Self {
        match value {
            Scalar::Null => Self::Null,
            Scalar::Switch(switch) => Self::Switch(switch),
            Scalar::Whole(whole) => Self::Whole(whole),
            Scalar::Fraction(fraction) => Self::Fraction(fraction),
            Scalar::Text(text) => Self::Text(text.to_owned()),
            Scalar::Structure => Self::Structure,
        }
    }
}

#[derive(Clone, Copy)]
struct Keep;

impl Reader<'_> for Keep {
    type Made = JsonScalar;

    fn scalar<E: de::Error>(self, value: Scalar<'_>) -> Result<JsonScalar, E> {
        Ok(value.into())
    }
}

/// A reader for one member of an object; none where it is missing. `null` in place of the object is an object without
/// members, and anything else is refused with these words.
#[derive(Clone, Copy)]
pub(in crate::api) struct Member<R> {
    pub(in crate::api) name: &'static str,
    pub(in crate::api) reader: R,
    pub(in crate::api) refusal: &'static str,
}

impl<'de, R: Reader<'de> + Copy> Reader<'de> for Member<R> {
    type Made = Option<R::Made>;

    fn scalar<E: de::Error>(self, value: Scalar<'_>) -> Result<Self::Made, E> {
        match value {
            Scalar::Null => Ok(None),
            _ => Err(E::custom(self.refusal)),
        }
    }

    fn object<A: MapAccess<'de>>(self, mut object: A) -> Result<Self::Made, A::Error> {
        let mut made = None;
        while let Some(name) = object.next_key::<String>()? {
            if name == self.name {
                // Of a repeated name the last one counts, and there is never room for two.
                drop(made.take());
                made = Some(object.next_value_seed(By(self.reader))?);
            } else {
                object.next_value::<IgnoredAny>()?;
            }
        }
        Ok(made)
    }
}

/// The envelope of every answer, with a reader for `data`.
#[derive(Clone, Copy)]
pub(in crate::api) struct Envelope<R>(pub(in crate::api) R);

/// The parts of an answer.
pub(in crate::api) struct Parts<T> {
    /// Whether it is an error, and its message where it has one.
    pub(in crate::api) error: Option<Option<String>>,
    /// The value of `data`; none where it is missing.
    pub(in crate::api) data: Option<T>,
    /// `meta.totalCount`.
    pub(in crate::api) total_count: Option<JsonScalar>,
    /// `meta.num_bad_records`.
    pub(in crate::api) bad_records: Option<JsonScalar>,
}

impl<'de, R: Reader<'de> + Copy> Reader<'de> for Envelope<R> {
    type Made = Parts<R::Made>;

    fn scalar<E: de::Error>(self, _: Scalar<'_>) -> Result<Self::Made, E> {
        Err(E::custom("the body is not an object"))
    }

    fn object<A: MapAccess<'de>>(self, mut object: A) -> Result<Self::Made, A::Error> {
        let mut parts = Parts { error: None, data: None, total_count: None, bad_records: None };
        while let Some(name) = object.next_key::<String>()? {
            match name.as_str() {
                "error" => {
                    let message = object.next_value_seed(By(Lenient("message")))?;
                    parts.error = Some(message.and_then(|message| message_text(&message)));
                }
                "meta" => [parts.total_count, parts.bad_records] = object.next_value_seed(By(Meta))?,
                "data" => {
                    drop(parts.data.take());
                    parts.data = Some(object.next_value_seed(By(self.0))?);
                }
                _ => drop(object.next_value::<IgnoredAny>()?),
            }
        }
        Ok(parts)
    }
}

fn message_text(message: &JsonScalar) -> Option<String> {
    let one_line = message.text()?.chars().map(|letter| if letter.is_control() { ' ' } else { letter });
    Some(one_line.take(LONGEST_MESSAGE).collect())
}

/// The counts under `meta`, whatever that is.
#[derive(Clone, Copy)]
struct Meta;

impl<'de> Reader<'de> for Meta {
    type Made = [Option<JsonScalar>; 2];

    fn scalar<E: de::Error>(self, _: Scalar<'_>) -> Result<Self::Made, E> {
        Ok([None, None])
    }

    fn object<A: MapAccess<'de>>(self, mut object: A) -> Result<Self::Made, A::Error> {
        let mut counts = [None, None];
        while let Some(name) = object.next_key::<String>()? {
            match name.as_str() {
                "totalCount" => counts[0] = Some(object.next_value_seed(By(Keep))?),
                "num_bad_records" => counts[1] = Some(object.next_value_seed(By(Keep))?),
                _ => drop(object.next_value::<IgnoredAny>()?),
            }
        }
        Ok(counts)
    }
}

/// One member, where it may stand in anything.
#[derive(Clone, Copy)]
struct Lenient(&'static str);

impl<'de> Reader<'de> for Lenient {
    type Made = Option<JsonScalar>;

    fn scalar<E: de::Error>(self, _: Scalar<'_>) -> Result<Self::Made, E> {
        Ok(None)
    }

    fn object<A: MapAccess<'de>>(self, object: A) -> Result<Self::Made, A::Error> {
        Member { name: self.0, reader: Keep, refusal: "" }.object(object)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bare_words_are_replaced_outside_of_texts_only() {
        assert_eq!(without_bare_words(r#"{"NaN\"NaN": NaN, "ü": -Infinity}"#), r#"{"NaN\"NaN": null, "ü": null}"#);
    }

    #[test]
    fn messages_are_cut_and_cleaned() {
        let body = format!(r#"{{"error": {{"message": "a\nb{}"}}}}"#, "x".repeat(500));
        let text = message(&body).expect("a message");
        assert_eq!((text.len(), &text[..4]), (LONGEST_MESSAGE, "a bx"));
        for body in [r#"{"error": "text"}"#, r#"{"error": [1]}"#, "[]", "<html>", r#"{"error": {"message": 5}}"#] {
            assert_eq!(message(body), None, "{body}");
        }
    }

    #[test]
    fn a_value_is_kept_and_a_structure_only_known() {
        let kept = |json| parsed(json, Keep).expect(json);
        assert_eq!(
            [kept("5"), kept("-5"), kept("0.5")],
            [JsonScalar::Whole(5), JsonScalar::Fraction(-5.0), JsonScalar::Fraction(0.5)]
        );
        assert_eq!(
            [kept("true"), kept("null"), kept(r#""a""#)],
            [JsonScalar::Switch(true), JsonScalar::Null, JsonScalar::Text("a".into())]
        );
        assert_eq!([kept("[[[]]]"), kept(r#"{"a": {}}"#)], [JsonScalar::Structure, JsonScalar::Structure]);
    }
}

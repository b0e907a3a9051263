//! Readers of single fields of JSON answers. What is missing reads as absent, because releases differ in what they
//! send, and what is of no use is counted; only an answer that cannot be one at all is a failure.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::de::{self, IgnoredAny, MapAccess};

use crate::api::Failure;
use crate::api::wire::calendar;
use crate::api::wire::json::{self, Envelope, JsonScalar, Parts, Reader, malformed};
use crate::api::wire::number::{Measure, Number, Scalar, Unusable, UnusableCounts};
use crate::base::clock::Timestamp;
use crate::catalogue::Unit;

const ENTRIES: Unit = Unit::Count(Cow::Borrowed("entries"));
/// The longest text that is kept of a field: names and addresses of the appliance's own, far below this.
const LONGEST_TEXT: usize = 256;

/// The value that `reader` makes of `data`, in an answer that is no error; none where it is missing.
///
/// # Errors
/// [`crate::api::Reason::NotJson`] and [`crate::api::Reason::Malformed`] for what is no answer, or is an error with a
/// status of success; [`crate::api::Reason::TooLarge`] for one that holds more than is taken.
pub(in crate::api) fn data<T>(
    body: &str,
    reader: impl for<'de> Reader<'de, Made = T> + Copy,
) -> Result<Option<T>, Failure> {
    Ok(parts(body, reader)?.data)
}

/// As [`data`], with what stands around it.
///
/// # Errors
/// As [`data`].
pub(in crate::api) fn parts<T>(
    body: &str,
    reader: impl for<'de> Reader<'de, Made = T> + Copy,
) -> Result<Parts<T>, Failure> {
    let parts = json::read(body, Envelope(reader))?;
    match &parts.error {
        Some(Some(message)) => Err(malformed(&format!("an error despite a success status: {message}"))),
        Some(None) => Err(malformed("an error despite a success status")),
        None => Ok(parts),
    }
}

/// A count, which is whole and not negative; none where there is no usable one.
pub(in crate::api) fn count(value: Option<&JsonScalar>) -> Option<u64> {
    match Measure::read(value?.scalar()).ok()?.in_unit(&ENTRIES).ok()? {
        Number::Whole(count) => Some(count),
        Number::AtLeast(_) | Number::Fraction(_) => None,
    }
}

/// Texts that say that there is no value.
///
/// **Source:** published clients meet `None` and `N/A` in counters of remediation and reputation.
pub(in crate::api) fn says_nothing(text: &str) -> bool {
    matches!(text.trim(), "None" | "N/A" | "-" | "")
}

/// The requested fields of an object, and the number of unusable values among them, by reason.
#[derive(Debug, Default)]
pub(in crate::api) struct Fields {
    values: BTreeMap<&'static str, JsonScalar>,
    pub(in crate::api) unusable: UnusableCounts,
}

/// Reads the fields of these names; what is no object has none, or is refused with these words.
#[derive(Clone, Copy)]
pub(in crate::api) struct Wanted {
    pub(in crate::api) names: &'static [&'static str],
    pub(in crate::api) refusal: Option<&'static str>,
}

impl<'de> Reader<'de> for Wanted {
    type Made = Fields;

    fn scalar<E: de::Error>(self, value: Scalar<'_>) -> Result<Fields, E> {
        match (value, self.refusal) {
            (Scalar::Null, _) | (_, None) => Ok(Fields::default()),
            (_, Some(refusal)) => Err(E::custom(refusal)),
        }
    }

    fn object<A: MapAccess<'de>>(self, object: A) -> Result<Fields, A::Error> {
        let mut fields = Fields::default();
        fields.take(self.names, object)?;
        Ok(fields)
    }
}

impl Fields {
    /// The fields of these names of the object under `data`; none where that is missing.
    ///
    /// # Errors
    /// As [`data`], and when `data` is something else.
    pub(in crate::api) fn of_data(body: &str, names: &'static [&'static str]) -> Result<Self, Failure> {
        let wanted = Wanted { names, refusal: Some("`data` is not an object") };
        Ok(data(body, wanted)?.unwrap_or_default())
    }

    /// Takes the fields of these names from `object`; of a repeated name the last one counts.
    pub(in crate::api) fn take<'de, A: MapAccess<'de>>(
        &mut self,
        names: &'static [&'static str],
        mut object: A,
    ) -> Result<(), A::Error> {
        while let Some(name) = object.next_key::<String>()? {
            match names.iter().find(|wanted| **wanted == name) {
                Some(name) => drop(self.values.insert(name, object.next_value()?)),
                None => drop(object.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }

    /// Puts a value in.
    pub(in crate::api) fn insert(&mut self, name: &'static str, value: JsonScalar) {
        self.values.insert(name, value);
    }

    /// Takes in the fields of `other`; of a repeated name the last one counts.
    pub(in crate::api) fn merge(&mut self, other: Self) {
        self.values.extend(other.values);
    }

    /// The value of this name as it stands.
    pub(in crate::api) fn get(&self, name: &str) -> Option<&JsonScalar> {
        self.values.get(name)
    }

    /// The number in `unit`, where it cannot be negative; none where it is missing.
    pub(in crate::api) fn amount(&mut self, name: &str, unit: &Unit) -> Option<f64> {
        let value = self.values.get(name)?;
        let number = Measure::read(value.scalar()).and_then(|measure| measure.in_unit(unit)?.not_negative());
        self.usable(number).map(Number::as_f64)
    }

    /// Whether the value is missing, or says that there is none.
    pub(in crate::api) fn is_silent(&self, name: &str) -> bool {
        let value = self.values.get(name);
        value.is_none_or(|value| *value == JsonScalar::Null || value.text().is_some_and(says_nothing))
    }

    /// A count of events or things; none where it is missing, or says that there is none.
    pub(in crate::api) fn count(&mut self, name: &str) -> Option<u64> {
        let value = self.values.get(name).filter(|_| !self.is_silent(name))?;
        let number = Measure::read(value.scalar()).and_then(|measure| measure.in_unit(&ENTRIES)?.not_negative());
        let count = number.and_then(|number| match number {
            Number::Whole(count) => Ok(count),
            Number::AtLeast(_) | Number::Fraction(_) => Err(Unusable::NotWhole),
        });
        self.usable(count)
    }

    /// A switch, or a word for one. That texts and 0 or 1 stand for switches somewhere is assumed.
    pub(in crate::api) fn switch(&mut self, name: &str) -> Option<bool> {
        let switch = match self.values.get(name)?.scalar() {
            Scalar::Switch(switch) => Ok(switch),
            Scalar::Whole(0) => Ok(false),
            Scalar::Whole(1) => Ok(true),
            Scalar::Text(word) => match word.trim().to_ascii_lowercase().as_str() {
                "true" | "1" | "yes" | "enabled" => Ok(true),
                "false" | "0" | "no" | "disabled" => Ok(false),
                _ if says_nothing(word) => return None,
                _ => Err(Unusable::NotANumber),
            },
            Scalar::Null => return None,
            Scalar::Whole(_) | Scalar::Fraction(_) | Scalar::Structure => Err(Unusable::NotANumber),
        };
        self.usable(switch)
    }

    /// A text of one line, cut to a bearable length.
    pub(in crate::api) fn text(&self, name: &str) -> Option<String> {
        tidied(self.values.get(name)?.text()?)
    }

    /// An instant; none where there has been none, which a zero says too (assumed).
    pub(in crate::api) fn date(&mut self, name: &str) -> Option<Timestamp> {
        let instant = match self.values.get(name)?.scalar() {
            Scalar::Null | Scalar::Whole(0) => return None,
            Scalar::Text(text) if says_nothing(text) || text.trim() == "0" => return None,
            Scalar::Text(text) => calendar::instant(text),
            Scalar::Whole(seconds) => calendar::instant(&seconds.to_string()),
            Scalar::Fraction(seconds) => calendar::instant(&seconds.to_string()),
            Scalar::Switch(_) | Scalar::Structure => None,
        };
        self.usable(instant.ok_or(Unusable::NotANumber))
    }

    /// `value` if it is usable; else it is counted.
    fn usable<T>(&mut self, value: Result<T, Unusable>) -> Option<T> {
        value.inspect_err(|unusable| unusable.count_in(&mut self.unusable)).ok()
    }
}

/// `text` without control characters and blanks around it, cut to a bearable length; none where nothing is left.
pub(in crate::api) fn tidied(text: &str) -> Option<String> {
    let one_line = text.trim().chars().map(|letter| if letter.is_control() { ' ' } else { letter });
    let kept: String = one_line.take(LONGEST_TEXT).collect();
    (!kept.is_empty()).then_some(kept)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::api::Reason;
    use crate::api::wire::json::Skip;

    #[test]
    fn a_body_is_an_object_and_no_error() {
        let reason = |body: &str| data(body, Skip).map(|_| ()).map_err(|failure| failure.reason);
        assert_eq!(reason("{}"), Ok(()));
        assert_eq!(reason("<html>"), Err(Reason::NotJson));
        for body in ["[]", "5", r#""text""#, r#"{"data": "#, r#"{"error": {"message": "No."}}"#, r#"{"error": 1}"#] {
            assert_eq!(reason(body), Err(Reason::Malformed), "{body}");
        }
        assert_eq!(reason(&"[".repeat(100_000)), Err(Reason::Malformed), "nesting has an end");
    }

    fn fields(value: &Value) -> Fields {
        Fields::of_data(&json!({"data": {"b": [1], "a": value}}).to_string(), &["a"]).expect("an answer")
    }

    #[test]
    fn what_is_no_amount_is_counted() {
        let read = |value: Value| {
            let mut fields = fields(&value);
            (fields.amount("a", &Unit::Bytes), fields.unusable)
        };
        assert_eq!(read(json!(5)), (Some(5.0), [0; 6]));
        assert_eq!(read(json!("17.50K")), (Some(17_920.0), [0; 6]));
        assert!(read(json!(-0.0)).0.is_some_and(f64::is_sign_positive));
        for value in [json!(null), json!(true), json!([5]), json!("N/A"), json!("5%")] {
            assert_eq!(read(value.clone()), (None, [1, 0, 0, 0, 0, 0]), "{value}");
        }
        assert_eq!(read(json!(-1)), (None, [0, 1, 0, 0, 0, 0]));
        assert_eq!(read(json!(1e300)), (None, [0, 0, 0, 0, 1, 0]));
        let mut none = Fields::default();
        assert_eq!((none.amount("a", &Unit::Bytes), none.unusable), (None, [0; 6]), "missing is not unusable");
    }

    #[test]
    fn switches_in_every_dress() {
        let read = |value: &Value| {
            let mut fields = fields(value);
            (fields.switch("a"), fields.unusable)
        };
        for value in [json!(true), json!("True"), json!(1), json!("enabled")] {
            assert_eq!(read(&value), (Some(true), [0; 6]), "{value}");
        }
        for value in [json!(false), json!("false"), json!(0), json!("No")] {
            assert_eq!(read(&value), (Some(false), [0; 6]), "{value}");
        }
        for value in [json!(null), json!("N/A"), json!("")] {
            assert_eq!(read(&value), (None, [0; 6]), "{value}");
        }
        for value in [json!(2), json!("maybe"), json!([true])] {
            assert_eq!(read(&value), (None, [1, 0, 0, 0, 0, 0]), "{value}");
        }
    }

    #[test]
    fn texts_are_one_line_and_short() {
        let text = |value: Value| fields(&value).text("a");
        assert_eq!(text(json!(" a\nb ")), Some("a b".into()));
        assert_eq!((text(json!(" \n")), text(json!(5)), Fields::default().text("a")), (None, None, None));
        assert_eq!(text(json!("ü".repeat(1000))).map(|kept| kept.chars().count()), Some(LONGEST_TEXT));
    }

    #[test]
    fn a_count_is_whole_and_not_negative() {
        let of = |value: &str| count(Some(&serde_json::from_str(value).expect(value)));
        assert_eq!((of("0"), of("3"), of(r#""1,017""#), of("3.0")), (Some(0), Some(3), Some(1017), Some(3)));
        for value in ["-1", "null", "1.5", r#""many""#, "[3]", "1e300", "{}"] {
            assert_eq!(of(value), None, "{value}");
        }
        assert_eq!(count(None), None);
    }
}

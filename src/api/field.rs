//! Readers of single fields of JSON answers. What is missing, null or of another kind reads as absent, because releases
//! differ in what they send and how; only an answer that cannot be one at all is a failure.

use serde_json::{Map, Value};

use super::json::{self, malformed};
use super::{Failure, transport};

/// The longest text that is kept of a field: names and addresses of the appliance's own, far below this.
const LONGEST_TEXT: usize = 256;
/// 2^53: up to here every whole f64 is the number that was written.
const MOST_EXACT: f64 = 9_007_199_254_740_992.0;

/// The object that is the whole body.
///
/// # Errors
/// [`super::Reason::NotJson`] and [`super::Reason::Malformed`] for what is no answer, or is an error with a status of
/// success.
pub(super) fn envelope(body: &str) -> Result<Map<String, Value>, Failure> {
    let json = json::parse(body)?;
    if let Some(message) = transport::message_in(&json) {
        return Err(malformed(&format!("an error with a status of success: {message}")));
    }
    match json {
        Value::Object(envelope) if envelope.contains_key("error") => {
            Err(malformed("an error with a status of success"))
        }
        Value::Object(envelope) => Ok(envelope),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Err(malformed("the body is no object"))
        }
    }
}

/// What stands under `data` in the body; null where it is missing.
///
/// # Errors
/// As [`envelope`].
pub(super) fn data(body: &str) -> Result<Value, Failure> {
    Ok(envelope(body)?.remove("data").unwrap_or(Value::Null))
}

/// The object under `data`; empty where it is missing.
///
/// # Errors
/// As [`envelope`], and when `data` is something else.
pub(super) fn data_object(body: &str) -> Result<Map<String, Value>, Failure> {
    match data(body)? {
        Value::Object(data) => Ok(data),
        Value::Null => Ok(Map::new()),
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => Err(malformed("`data` is no object")),
    }
}

/// As [`amount`], where it is whole.
pub(super) fn count(value: Option<&Value>) -> Option<u64> {
    let whole = amount(value).filter(|count| count.fract() == 0.0 && *count <= MOST_EXACT);
    whole.map(|count| count as u64)
}

/// A finite number, or a text that is one.
pub(super) fn number(value: Option<&Value>) -> Option<f64> {
    let number = match value? {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => text.trim().parse().ok()?,
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
    };
    number.is_finite().then_some(number)
}

/// As [`number`], where it cannot be negative.
pub(super) fn amount(value: Option<&Value>) -> Option<f64> {
    // Adding zero makes -0.0 plain zero.
    number(value).filter(|number| *number >= 0.0).map(|number| number + 0.0)
}

/// A switch, or a word for one. That texts and 0 or 1 stand for switches somewhere is assumed.
pub(super) fn switch(value: Option<&Value>) -> Option<bool> {
    match value? {
        Value::Bool(switch) => Some(*switch),
        Value::Number(number) if number.as_u64() == Some(0) => Some(false),
        Value::Number(number) if number.as_u64() == Some(1) => Some(true),
        Value::String(word) => match word.trim().to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "enabled" => Some(true),
            "false" | "0" | "no" | "disabled" => Some(false),
            _ => None,
        },
        Value::Null | Value::Number(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// A text of one line, cut to a bearable length.
pub(super) fn text(value: Option<&Value>) -> Option<String> {
    tidied(value?.as_str()?)
}

/// `text` without control characters and blanks around it, cut to a bearable length; none where nothing is left.
pub(super) fn tidied(text: &str) -> Option<String> {
    let one_line = text.trim().chars().map(|letter| if letter.is_control() { ' ' } else { letter });
    let kept: String = one_line.take(LONGEST_TEXT).collect();
    (!kept.is_empty()).then_some(kept)
}

/// A number with or without a suffix for its magnitude, such as `17.50K` or `388G`: K, M, G and T for powers of 1024,
/// as published clients take them; that a `B` may follow is assumed.
pub(super) fn magnitude(text: &str) -> Option<f64> {
    let text = text.trim().trim_end_matches(['B', 'b']);
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let scale = match text[digits.len()..].to_ascii_uppercase().as_str() {
        "" => 1.0,
        "K" => 1024.0,
        "M" => 1024.0 * 1024.0,
        "G" => 1024.0 * 1024.0 * 1024.0,
        "T" => 1024.0 * 1024.0 * 1024.0 * 1024.0,
        _ => return None,
    };
    let digits = digits.trim_end();
    // The parser of numbers would also take signs, exponents and names of what is none.
    if !digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        return None;
    }
    let number: f64 = digits.parse().ok()?;
    Some(number * scale).filter(|number| number.is_finite())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::api::Reason;

    #[test]
    fn a_body_is_an_object_and_no_error() {
        let reason = |body: &str| envelope(body).map(|_| ()).map_err(|failure| failure.reason);
        assert_eq!(reason("{}"), Ok(()));
        assert_eq!(reason("<html>"), Err(Reason::NotJson));
        for body in ["[]", "5", r#""text""#, r#"{"data": "#, r#"{"error": {"message": "No."}}"#, r#"{"error": 1}"#] {
            assert_eq!(reason(body), Err(Reason::Malformed), "{body}");
        }
        assert_eq!(reason(&"[".repeat(100_000)), Err(Reason::Malformed), "nesting has an end");
    }

    #[test]
    fn numbers_in_every_dress() {
        let cases = [
            (json!(5), Some(5.0)),
            (json!(-2.5), Some(-2.5)),
            (json!(" 17 "), Some(17.0)),
            (json!(null), None),
            (json!(true), None),
            (json!([5]), None),
            (json!("N/A"), None),
            (json!("NaN"), None),
            (json!("inf"), None),
        ];
        for (value, expected) in cases {
            assert_eq!(number(Some(&value)), expected, "{value}");
        }
        assert_eq!(number(None), None);
        assert_eq!((amount(Some(&json!(-1))), amount(Some(&json!(0)))), (None, Some(0.0)));
        assert!(amount(Some(&json!(-0.0))).is_some_and(f64::is_sign_positive));
    }

    #[test]
    fn switches_in_every_dress() {
        for value in [json!(true), json!("True"), json!(1), json!("enabled")] {
            assert_eq!(switch(Some(&value)), Some(true), "{value}");
        }
        for value in [json!(false), json!("false"), json!(0), json!("No")] {
            assert_eq!(switch(Some(&value)), Some(false), "{value}");
        }
        for value in [json!(null), json!(2), json!("maybe"), json!([true])] {
            assert_eq!(switch(Some(&value)), None, "{value}");
        }
    }

    #[test]
    fn texts_are_one_line_and_short() {
        assert_eq!(text(Some(&json!(" a\nb "))), Some("a b".into()));
        assert_eq!((text(Some(&json!(" \n"))), text(Some(&json!(5))), text(None)), (None, None, None));
        assert_eq!(text(Some(&json!("ü".repeat(1000)))).map(|kept| kept.chars().count()), Some(LONGEST_TEXT));
    }

    #[test]
    fn a_count_is_whole_and_not_negative() {
        let count = |value: &str| count(Some(&serde_json::from_str(value).expect(value)));
        assert_eq!((count("0"), count("3"), count(r#""17""#), count("3.0")), (Some(0), Some(3), Some(17), Some(3)));
        for value in ["-1", "null", "1.5", r#""many""#, "[3]", "1e300", "{}"] {
            assert_eq!(count(value), None, "{value}");
        }
        assert_eq!(super::count(None), None);
    }

    #[test]
    fn magnitudes_are_powers_of_1024() {
        let cases = [
            ("0", 0.0),
            ("14", 14.0),
            ("17.50K", 17_920.0),
            ("388M", 406_847_488.0),
            ("388G", 416_611_827_712.0),
            ("1.5 t", 1_649_267_441_664.0),
            ("2KB", 2048.0),
            ("12B", 12.0),
        ];
        for (text, expected) in cases {
            assert_eq!(magnitude(text), Some(expected), "{text}");
        }
        for text in ["", "K", "B", ".", "-1", "+1", "1e5", "inf", "NaN", "1P", "1KK", "1.2.3", "N/A", "1 2", "ü", "5ü"]
        {
            assert_eq!(magnitude(text), None, "{text}");
        }
        assert_eq!(magnitude(&"9".repeat(400)), None);
    }
}

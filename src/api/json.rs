//! Reads JSON as the appliance writes it.

use serde::de::DeserializeOwned;

use super::{Failure, Reason};

/// The JSON in `body`.
///
/// # Errors
/// [`Reason::NotJson`] for what never was any, [`Reason::Malformed`] for what breaks off or is no `T`.
pub(super) fn parse<T: DeserializeOwned>(body: &str) -> Result<T, Failure> {
    let error = match serde_json::from_str(body) {
        Ok(json) => return Ok(json),
        Err(error) => error,
    };
    // The appliance is written in Python, whose serializer writes a division by nothing as a bare NaN.
    if let Ok(json) = serde_json::from_str(&without_bare_words(body)) {
        return Ok(json);
    }
    // The parser's own words would repeat a value that it did not expect.
    if error.is_data() {
        return Err(malformed("the JSON has an unexpected form"));
    }
    match body.trim_start().chars().next() {
        Some('{' | '[') => Err(malformed(&format!("the JSON ends or breaks off: {error}"))),
        Some(_) | None => Err(Failure::new(Reason::NotJson, "the body is no JSON")),
    }
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

/// The failure to understand an answer, for this reason.
pub(super) fn malformed(detail: &str) -> Failure {
    Failure::new(Reason::Malformed, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bare_words_are_replaced_outside_of_texts_only() {
        assert_eq!(without_bare_words(r#"{"NaN\"NaN": NaN, "ü": -Infinity}"#), r#"{"NaN\"NaN": null, "ü": null}"#);
    }
}

//! Reads the body of a report. The shape is decided from the answer, never from the catalogue; order never matters.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Failure, Reason, transport};

/// The counters of one answer by their names.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    readings: BTreeMap<String, Result<Number, Unusable>>,
}

/// A count or a measure; never negative, never infinite.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    /// Exact.
    Whole(u64),
    /// An average or a share.
    Fraction(f64),
}

impl Number {
    /// The number as Prometheus takes it: exact up to 2^53.
    #[must_use]
    pub fn as_f64(self) -> f64 {
        match self {
            Self::Whole(number) => number as f64,
            Self::Fraction(number) => number,
        }
    }
}

/// Why what stands in a counter's place is no sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unusable {
    /// `null`, text such as `N/A`, a switch, a list.
    NotANumber,
    /// Below zero, which no count, average or maximum is.
    Negative,
    /// The answer gives the counter twice with different values.
    Conflicting,
    /// Not whole, where a count is due: shown, but in no total.
    NotWhole,
}

impl Unusable {
    /// Every reason, for counters that start at zero.
    pub const ALL: [Self; 4] = [Self::NotANumber, Self::Negative, Self::Conflicting, Self::NotWhole];

    /// The value of the label `reason`.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::NotANumber => "not_a_number",
            Self::Negative => "negative",
            Self::Conflicting => "conflicting",
            Self::NotWhole => "not_whole",
        }
    }
}

impl Report {
    /// Reads a group of scalars.
    ///
    /// Recorded is a list of objects with one counter each; the vendor's Swagger shows one object with all of them,
    /// and single-counter answers are remembered as a plain object. All three are read.
    ///
    /// # Errors
    /// [`Reason::NotJson`] and [`Reason::Malformed`] for what is no report, [`Reason::Empty`] for one without counters:
    /// a scalar group answers zeros when there is nothing to count, so nothing at all means that it could not tell.
    ///
    /// **Source:** AsyncOS API guide 16.0, reporting; recorded answers of ESA and SMA.
    pub fn parse(body: &str) -> Result<Self, Failure> {
        let json = json(body)?;
        let Value::Object(envelope) = &json else {
            return Err(malformed("the body is no object"));
        };
        if let Some(message) = transport::message_in(&json) {
            return Err(malformed(&format!("an error with a status of success: {message}")));
        }
        let results = match envelope.get("data") {
            Some(Value::Object(data)) => data.get("resultSet"),
            Some(Value::Null) | None => None,
            Some(_) => return Err(malformed("`data` is no object")),
        };
        let mut report = Self { readings: BTreeMap::new() };
        match results {
            None | Some(Value::Null) => {}
            Some(Value::Object(counters)) => report.merge(counters)?,
            Some(Value::Array(elements)) => {
                for element in elements {
                    match element {
                        Value::Object(counters) => report.merge(counters)?,
                        _ => return Err(malformed("an element of `resultSet` is no object")),
                    }
                }
            }
            Some(_) => return Err(malformed("`resultSet` is neither a list nor an object")),
        }
        if report.readings.is_empty() {
            return Err(Failure::new(Reason::Empty, "the report holds no counter"));
        }
        Ok(report)
    }

    /// What the answer says of each counter, sorted by name.
    pub fn readings(&self) -> impl Iterator<Item = (&str, Result<Number, Unusable>)> {
        self.readings.iter().map(|(name, reading)| (name.as_str(), *reading))
    }

    /// What the answer says of `counter`; none when it says nothing.
    #[must_use]
    pub fn reading(&self, counter: &str) -> Option<Result<Number, Unusable>> {
        self.readings.get(counter).copied()
    }

    fn merge(&mut self, counters: &serde_json::Map<String, Value>) -> Result<(), Failure> {
        for (name, value) in counters {
            if matches!(value, Value::Array(rows) if !rows.is_empty()) {
                return Err(malformed("the report has a row per key, where one value per counter is expected"));
            }
            let reading = number(value);
            self.readings
                .entry(name.clone())
                .and_modify(|known| {
                    if *known != reading {
                        *known = Err(Unusable::Conflicting);
                    }
                })
                .or_insert(reading);
        }
        Ok(())
    }
}

/// A JSON number, a number in a text, or the `value` of an object.
fn number(value: &Value) -> Result<Number, Unusable> {
    match value {
        Value::Number(number) => match number.as_u64() {
            Some(whole) => Ok(Number::Whole(whole)),
            None => finite(number.as_f64().ok_or(Unusable::NotANumber)?),
        },
        Value::String(text) => {
            let text = text.trim();
            match text.parse::<u64>() {
                Ok(whole) => Ok(Number::Whole(whole)),
                Err(_) => finite(text.parse().map_err(|_| Unusable::NotANumber)?),
            }
        }
        Value::Object(object) => match object.get("value") {
            Some(inner @ (Value::Number(_) | Value::String(_))) => number(inner),
            Some(_) | None => Err(Unusable::NotANumber),
        },
        Value::Null | Value::Bool(_) | Value::Array(_) => Err(Unusable::NotANumber),
    }
}

fn finite(number: f64) -> Result<Number, Unusable> {
    /// 2^53: up to here every whole f64 is the number that was written.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if !number.is_finite() {
        Err(Unusable::NotANumber)
    } else if number < 0.0 {
        Err(Unusable::Negative)
    } else if number.fract() == 0.0 && number <= EXACT {
        Ok(Number::Whole(number as u64))
    } else {
        Ok(Number::Fraction(number))
    }
}

fn json(body: &str) -> Result<Value, Failure> {
    let error = match serde_json::from_str(body) {
        Ok(json) => return Ok(json),
        Err(error) => error,
    };
    // The appliance is written in Python, whose serializer writes a division by nothing as a bare NaN.
    if let Ok(json) = serde_json::from_str(&without_bare_words(body)) {
        return Ok(json);
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

fn malformed(detail: &str) -> Failure {
    Failure::new(Reason::Malformed, detail)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn results(results: &str) -> Result<Report, Reason> {
        let body = format!(r#"{{"meta": {{"totalCount": -1}}, "data": {{"type": "t", "resultSet": {results}}}}}"#);
        Report::parse(&body).map_err(|failure| failure.reason)
    }

    fn reading(value: &str) -> Result<Number, Unusable> {
        results(&format!(r#"[{{"a": {value}}}]"#)).expect("a report").reading("a").expect("a reading")
    }

    #[test]
    fn all_shapes_of_a_scalar_group_read_alike() {
        let expected = results(r#"[{"a": 1}, {"b": 2}]"#).expect("the recorded shape");
        assert_eq!(expected.readings().count(), 2);
        for shape in
            [r#"[{"b": 2}, {"a": 1}]"#, r#"[{"a": 1, "b": 2}]"#, r#"{"a": 1, "b": 2}"#, r#"[{}, {"a": 1, "b": 2}]"#]
        {
            assert_eq!(results(shape).as_ref(), Ok(&expected), "{shape}");
        }
    }

    #[test]
    fn numbers_in_every_dress() {
        let whole = |number| Ok(Number::Whole(number));
        assert_eq!(reading("0"), whole(0));
        assert_eq!(reading("-0.0"), whole(0));
        assert_eq!(reading("12.0"), whole(12));
        assert_eq!(reading("18446744073709551615"), whole(u64::MAX));
        assert_eq!(reading("1e30"), Ok(Number::Fraction(1e30)));
        assert_eq!(reading("0.25"), Ok(Number::Fraction(0.25)));
        assert_eq!(reading(r#"" 17 ""#), whole(17));
        assert_eq!(reading(r#"{"key": "unknown domain", "value": 42}"#), whole(42));
        assert_eq!(reading("-1"), Err(Unusable::Negative));
        assert_eq!(reading(r#""-1""#), Err(Unusable::Negative));
        for value in
            ["null", "true", r#""N/A""#, r#""None""#, r#""""#, r#""NaN""#, r#""inf""#, "{}", "[]", "NaN", "-Infinity"]
        {
            assert_eq!(reading(value), Err(Unusable::NotANumber), "{value}");
        }
    }

    #[test]
    fn a_counter_given_twice_must_agree_with_itself() {
        let conflict = results(r#"[{"a": 1}, {"a": 2}, {"a": 1}]"#).expect("a report");
        assert_eq!(conflict.reading("a"), Some(Err(Unusable::Conflicting)));
        assert_eq!(results(r#"[{"a": 1}, {"a": "1"}]"#).expect("a report").reading("a"), Some(Ok(Number::Whole(1))));
    }

    #[test]
    fn nothing_is_not_zero() {
        for shape in ["null", "[]", "{}", "[{}]"] {
            assert_eq!(results(shape), Err(Reason::Empty), "{shape}");
        }
        for body in ["{}", r#"{"data": {}}"#, r#"{"data": null}"#] {
            assert_eq!(Report::parse(body).map_err(|failure| failure.reason), Err(Reason::Empty), "{body}");
        }
    }

    #[test]
    fn what_is_no_report_says_so() {
        let reason = |body: &str| Report::parse(body).expect_err(body).reason;
        for body in ["", "<html>502</html>", "Service Unavailable"] {
            assert_eq!(reason(body), Reason::NotJson, "{body}");
        }
        for body in [
            r#"{"data": {"resultSet": [{"a": 1"#,
            "[]",
            r#"{"data": 5}"#,
            r#"{"data": {"resultSet": 5}}"#,
            r#"{"data": {"resultSet": [5]}}"#,
            r#"{"data": {"resultSet": {"a": [{"DEFAULT": 5}]}}}"#,
            r#"{"error": {"message": "Not Found.", "code": "404"}}"#,
        ] {
            assert_eq!(reason(body), Reason::Malformed, "{body}");
        }
    }

    #[test]
    fn bare_words_are_replaced_outside_of_texts_only() {
        assert_eq!(without_bare_words(r#"{"NaN\"NaN": NaN, "ü": -Infinity}"#), r#"{"NaN\"NaN": null, "ü": null}"#);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_text_is_read_or_refused(body in ".*") {
            let _ = Report::parse(&body);
        }

        #[test]
        fn any_cut_of_a_report_is_refused(cut in 0usize..68) {
            let body = r#"{"data": {"type": "t", "resultSet": [{"a": 1}, {"b": NaN}], "x": "\""}}"#;
            prop_assert!(Report::parse(&body[..cut]).is_err());
        }
    }
}

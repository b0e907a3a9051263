//! Reads the body of a report. The shape is decided from the answer, never from the catalogue; order never matters.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::json::{self, malformed};
use super::{Count, Failure, transport};

/// The counters of one answer by their names.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    readings: BTreeMap<String, Reading>,
}

/// What an answer says of one counter.
#[derive(Clone, Debug, PartialEq)]
pub enum Reading {
    /// One value for the whole window.
    One(Result<Number, Unusable>),
    /// One value that comes with a key: a row where the report has keys, else the value for the whole window.
    Named(Row),
    /// A value per key, in the order of the answer. A key may occur more than once.
    Rows(Vec<Row>),
}

/// One row of a keyed counter.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Any text, as the appliance sent it.
    pub key: String,
    /// What stands there.
    pub value: Result<Number, Unusable>,
}

/// A count or a measure within ±2^53, where every whole number is exact. Which may be negative is for whoever knows what
/// it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    /// Exact.
    Whole(u64),
    /// A count that stopped at its bound.
    AtLeast(u64),
    /// An average, a share, or anything below zero.
    Fraction(f64),
}

impl Number {
    /// 2^53: up to here every whole number is the same as an f64.
    const LARGEST: u64 = 1 << 53;

    /// A count.
    ///
    /// # Errors
    /// [`Unusable::TooLarge`].
    pub fn whole(count: u64) -> Result<Self, Unusable> {
        if count <= Self::LARGEST { Ok(Self::Whole(count)) } else { Err(Unusable::TooLarge) }
    }

    /// A measure; one that is whole and not negative is a count.
    ///
    /// # Errors
    /// [`Unusable::NotANumber`] for what is not finite, [`Unusable::TooLarge`].
    pub fn measure(measure: f64) -> Result<Self, Unusable> {
        if !measure.is_finite() {
            Err(Unusable::NotANumber)
        } else if measure.abs() > Self::LARGEST as f64 {
            Err(Unusable::TooLarge)
        } else if measure.fract() == 0.0 && measure >= 0.0 {
            Ok(Self::Whole(measure as u64))
        } else {
            Ok(Self::Fraction(measure))
        }
    }

    /// The sum of both.
    ///
    /// # Errors
    /// [`Unusable::TooLarge`].
    pub fn plus(self, other: Self) -> Result<Self, Unusable> {
        match (self, other) {
            (Self::Whole(one), Self::Whole(other)) => Self::whole(one.saturating_add(other)),
            (Self::Whole(one) | Self::AtLeast(one), Self::Whole(other) | Self::AtLeast(other)) => {
                Self::whole(one.saturating_add(other)).map(|_| Self::AtLeast(one + other))
            }
            (Self::Whole(_) | Self::AtLeast(_) | Self::Fraction(_), _) => {
                Self::measure(self.as_f64() + other.as_f64())
            }
        }
    }

    /// The number as Prometheus takes it: exact.
    #[must_use]
    pub fn as_f64(self) -> f64 {
        match self {
            Self::Whole(number) | Self::AtLeast(number) => number as f64,
            Self::Fraction(number) => number,
        }
    }
}

/// Why what stands in a counter's place is no sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unusable {
    /// `null`, text such as `N/A`, a switch, a list.
    NotANumber,
    /// Below zero, which no count, average or maximum is; a state such as a score may be.
    Negative,
    /// The answer gives the counter twice with different values.
    Conflicting,
    /// Not whole, where a count is due: shown, but in no total.
    NotWhole,
    /// A count above 2^53, or one that would lead a sum beyond that: it cannot be right, nor be shown exactly.
    TooLarge,
    /// Counting stopped at its bound: shown, but in no total.
    LowerBound,
}

/// How many values were unusable, by reason in the order of [`Unusable::ALL`].
pub type UnusableCounts = [u64; Unusable::ALL.len()];

impl Unusable {
    /// Every reason, for counters that start at zero.
    pub const ALL: [Self; 6] =
        [Self::NotANumber, Self::Negative, Self::Conflicting, Self::NotWhole, Self::TooLarge, Self::LowerBound];

    /// The value of the label `reason`.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::NotANumber => "not_a_number",
            Self::Negative => "negative",
            Self::Conflicting => "conflicting",
            Self::NotWhole => "not_whole",
            Self::TooLarge => "too_large",
            Self::LowerBound => "lower_bound",
        }
    }

    /// Adds one to `counts`.
    pub fn count_in(self, counts: &mut UnusableCounts) {
        if let Some(position) = Self::ALL.iter().position(|known| *known == self) {
            counts[position] += 1;
        }
    }
}

impl Report {
    /// Reads a group, whatever its shape.
    ///
    /// Recorded for scalars is a list of objects with one counter each; the vendor's Swagger shows one object with all of
    /// them. A keyed group is an object of lists of objects with one key each; older releases had one object there. An
    /// answer without any counter is empty here; whether that is nothing or a failure depends on the group.
    ///
    /// Rows may also be pairs: `{"key": "DEFAULT", "value": 5}` for `{"DEFAULT": 5}`. They are read as pairs if every
    /// object in the counter's list has just these two fields and a text as its key. If any other object is among them,
    /// each field is a row, whatever it is called. In place of a list, an object with just these two fields is one such
    /// pair, one with just a `value` is that value, and in any other object each field is a row. That a release sends
    /// pairs is assumed: they are known as values of rows by address only.
    ///
    /// # Errors
    /// [`super::Reason::NotJson`] and [`super::Reason::Malformed`] for what is no report.
    ///
    /// **Source:** AsyncOS API guide 16.0, reporting; recorded answers of ESA and SMA; guide of API 1.0 for the map.
    pub fn parse(body: &str) -> Result<Self, Failure> {
        let json = json::parse(body)?;
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
        let mut report = Self::default();
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
        Ok(report)
    }

    /// A report of one count.
    #[must_use]
    pub fn of(counter: &str, count: Count) -> Self {
        let number = match count {
            Count::Exact(count) => Number::Whole(count),
            Count::AtLeast(count) => Number::AtLeast(count),
        };
        Self { readings: BTreeMap::from([(counter.to_owned(), Reading::One(Ok(number)))]) }
    }

    /// Whether the answer holds no counter at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.readings.is_empty()
    }

    /// What the answer says of each counter, sorted by name.
    pub fn readings(&self) -> impl Iterator<Item = (&str, &Reading)> {
        self.readings.iter().map(|(name, reading)| (name.as_str(), reading))
    }

    /// What the answer says of `counter`; none when it says nothing.
    #[must_use]
    pub fn reading(&self, counter: &str) -> Option<&Reading> {
        self.readings.get(counter)
    }

    fn merge(&mut self, counters: &Map<String, Value>) -> Result<(), Failure> {
        for (name, value) in counters {
            let reading = reading(value)?;
            match self.readings.get_mut(name) {
                None => {
                    self.readings.insert(name.clone(), reading);
                }
                Some(known) => known.merge(reading),
            }
        }
        Ok(())
    }
}

impl Reading {
    /// The one value of a report without keys; none where there are rows.
    #[must_use]
    pub fn single(&self) -> Option<Result<Number, Unusable>> {
        match self {
            Self::One(value) | Self::Named(Row { value, .. }) => Some(*value),
            Self::Rows(_) => None,
        }
    }

    fn merge(&mut self, other: Self) {
        match (&mut *self, other) {
            (known, other) if *known == other && !matches!(known, Self::Rows(_)) => {}
            (Self::Rows(rows), Self::Rows(more)) => rows.extend(more),
            (Self::Rows(rows), Self::Named(row)) => rows.push(row),
            (Self::Named(row), Self::Named(other)) => *self = Self::Rows(vec![row.clone(), other]),
            (Self::Named(row), Self::Rows(more)) => *self = Self::Rows([vec![row.clone()], more].concat()),
            _ => *self = Self::One(Err(Unusable::Conflicting)),
        }
    }
}

/// The value of a counter: a number, or rows.
fn reading(value: &Value) -> Result<Reading, Failure> {
    match value {
        Value::Array(elements) => {
            let objects: Option<Vec<_>> = elements.iter().map(Value::as_object).collect();
            let objects = objects.ok_or_else(|| malformed("a row of a counter is no object"))?;
            let pairs: Option<Vec<_>> = objects.iter().map(|object| pair(object)).collect();
            let rows = |entries: Vec<(&str, &Value)>| entries.into_iter().filter_map(row).collect();
            Ok(Reading::Rows(rows(pairs.unwrap_or_else(|| objects.into_iter().flat_map(entries).collect()))))
        }
        Value::Object(object) => match (pair(object), object.get("value")) {
            (Some(pair), _) => Ok(row(pair).map_or_else(|| Reading::Rows(Vec::new()), Reading::Named)),
            (None, Some(_)) if object.len() == 1 => Ok(Reading::One(number(value))),
            (None, _) => Ok(Reading::Rows(entries(object).filter_map(row).collect())),
        },
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(Reading::One(number(value))),
    }
}

fn entries(object: &Map<String, Value>) -> impl Iterator<Item = (&str, &Value)> {
    object.iter().map(|(key, value)| (key.as_str(), value))
}

/// The key and the value of an object that has nothing else.
fn pair(object: &Map<String, Value>) -> Option<(&str, &Value)> {
    let pair = object.get("key").and_then(Value::as_str).zip(object.get("value"));
    pair.filter(|_| object.len() == 2)
}

/// None for a row that says that it has no value.
///
/// **Source:** published clients meet `None` and `N/A` in counters of remediation and reputation.
fn row((key, value): (&str, &Value)) -> Option<Row> {
    let inner = value.get("value").unwrap_or(value);
    let absent = inner.as_str().is_some_and(|text| matches!(text.trim(), "None" | "N/A" | "-" | ""));
    (!absent).then(|| Row { key: key.to_owned(), value: number(value) })
}

/// A JSON number, a number in a text, or the `value` of an object.
fn number(value: &Value) -> Result<Number, Unusable> {
    match value {
        Value::Number(number) => match number.as_u64() {
            Some(whole) => Number::whole(whole),
            None => Number::measure(number.as_f64().ok_or(Unusable::NotANumber)?),
        },
        Value::String(text) => {
            let text = text.trim();
            match text.parse() {
                Ok(whole) => Number::whole(whole),
                Err(_) => Number::measure(text.parse().map_err(|_| Unusable::NotANumber)?),
            }
        }
        Value::Object(object) => match object.get("value") {
            Some(inner @ (Value::Number(_) | Value::String(_))) => number(inner),
            Some(_) | None => Err(Unusable::NotANumber),
        },
        Value::Null | Value::Bool(_) | Value::Array(_) => Err(Unusable::NotANumber),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::api::Reason;

    fn results(results: &str) -> Result<Report, Reason> {
        let body = format!(r#"{{"meta": {{"totalCount": -1}}, "data": {{"type": "t", "resultSet": {results}}}}}"#);
        Report::parse(&body).map_err(|failure| failure.reason)
    }

    fn reading(value: &str) -> Result<Number, Unusable> {
        match results(&format!(r#"[{{"a": {value}}}]"#)).expect("a report").reading("a").cloned() {
            Some(Reading::One(number)) => number,
            other => panic!("{other:?}"),
        }
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
        assert_eq!(reading("0.25"), Ok(Number::Fraction(0.25)));
        assert_eq!(reading(r#"" 17 ""#), whole(17));
        assert_eq!(reading(r#"{"value": 42}"#), whole(42));
        assert_eq!(reading("-1"), Ok(Number::Fraction(-1.0)));
        assert_eq!(reading(r#""-1""#), Ok(Number::Fraction(-1.0)));
        for value in [
            "null",
            "true",
            r#""N/A""#,
            r#""None""#,
            r#""""#,
            r#""NaN""#,
            r#""inf""#,
            r#"{"value": []}"#,
            "NaN",
            "-Infinity",
        ] {
            assert_eq!(reading(value), Err(Unusable::NotANumber), "{value}");
        }
    }

    #[test]
    fn what_no_appliance_counts_is_too_large() {
        const MOST: u64 = 1 << 53;
        assert_eq!(reading(&MOST.to_string()), Ok(Number::Whole(MOST)));
        assert_eq!(reading(&format!("-{MOST}")), Ok(Number::Fraction(-(MOST as f64))));
        assert_eq!(reading(&(MOST + 1).to_string()), Err(Unusable::TooLarge));
        for value in [MOST + 2, u64::MAX / 2, u64::MAX] {
            for value in
                [format!("{value}"), format!("{value}.0"), format!(r#""{value}""#), format!(r#"{{"value": {value}}}"#)]
            {
                assert_eq!(reading(&value), Err(Unusable::TooLarge), "{value}");
            }
        }
        for value in ["18446744073709551616", "-9007199254740994", "1e30", r#""-1e300""#] {
            assert_eq!(reading(value), Err(Unusable::TooLarge), "{value}");
        }
    }

    #[test]
    fn a_counter_given_twice_must_agree_with_itself() {
        let conflict = results(r#"[{"a": 1}, {"a": 2}, {"a": 1}]"#).expect("a report");
        assert_eq!(conflict.reading("a"), Some(&Reading::One(Err(Unusable::Conflicting))));
        let mixed = results(r#"[{"a": 1}, {"a": [{"k": 1}]}]"#).expect("a report");
        assert_eq!(mixed.reading("a"), Some(&Reading::One(Err(Unusable::Conflicting))));
        let same = results(r#"[{"a": 1}, {"a": "1"}]"#).expect("a report");
        assert_eq!(same.reading("a"), Some(&Reading::One(Ok(Number::Whole(1)))));
    }

    #[test]
    fn nothing_is_nothing_in_every_form() {
        for shape in ["null", "[]", "{}", "[{}]"] {
            assert_eq!(results(shape), Ok(Report::default()), "{shape}");
        }
        for body in ["{}", r#"{"data": {}}"#, r#"{"data": null}"#] {
            assert_eq!(Report::parse(body).expect(body), Report::default());
        }
        for shape in [r#"{"a": []}"#, r#"{"a": {}}"#, r#"[{"a": [{}]}]"#, r#"{"a": [{"k": "None"}, {"k": "N/A"}]}"#] {
            let report = results(shape).expect("a report");
            assert_eq!(report.reading("a"), Some(&Reading::Rows(Vec::new())), "{shape}");
        }
    }

    #[test]
    fn rows_in_every_dress() {
        let row = |key: &str, value| Row { key: key.into(), value };
        let expected = Reading::Rows(vec![
            row("A \"quoted\"", Ok(Number::Whole(1))),
            row("", Ok(Number::Whole(2))),
            row("192.0.2.1", Ok(Number::Whole(3))),
            row("x", Err(Unusable::NotANumber)),
        ]);
        for shape in [
            r#"{"a": [{"A \"quoted\"": 1}, {"": "2"}, {"192.0.2.1": {"key": "unknown domain", "value": 3}}, {"x": "UNKNOWNLIST"}]}"#,
            r#"{"a": [{"A \"quoted\"": 1, "": 2}], "b": 1, "a": [{"192.0.2.1": 3}, {"x": null}]}"#,
        ] {
            let report = results(shape).expect("a report");
            let Some(Reading::Rows(rows)) = report.reading("a") else { panic!("{report:?}") };
            // A repeated name in JSON is the last one for every parser.
            let Reading::Rows(expected) = &expected else { panic!("rows") };
            assert!(rows.iter().all(|row| expected.contains(row)) && rows.len() >= 2, "{rows:?}");
        }
        let split = results(r#"[{"a": [{"k": 1}]}, {"a": {"m": 2}}]"#).expect("a report");
        let both = vec![row("k", Ok(Number::Whole(1))), row("m", Ok(Number::Whole(2)))];
        assert_eq!(split.reading("a"), Some(&Reading::Rows(both)), "an older release sends one object");
    }

    #[test]
    fn pairs_are_known_by_all_rows_of_a_counter() {
        let rows = |results: &str| match results_of(results) {
            Reading::Rows(rows) => {
                let shown = rows.into_iter().map(|row| (row.key, row.value.ok().map(Number::as_f64)));
                shown.collect::<Vec<_>>()
            }
            other => panic!("{other:?}"),
        };
        let row = |key: &str, value: f64| (key.to_owned(), Some(value));
        let pairs = [row("DEFAULT", 5.0), row("VIP", 6.0)];
        for shape in [
            r#"[{"key": "DEFAULT", "value": 5}, {"key": "VIP", "value": 6}]"#,
            r#"[{"value": "5", "key": "DEFAULT"}, {"key": "none", "value": "N/A"}, {"key": "VIP", "value": {"value": 6}}]"#,
        ] {
            assert_eq!(rows(shape), pairs, "{shape}");
        }
        assert_eq!(rows(r#"[{"key": "value", "value": 5}]"#), [row("value", 5.0)]);
        assert_eq!(rows(r#"[{"key": 5}, {"value": 6}]"#), [row("key", 5.0), row("value", 6.0)]);
        assert_eq!(rows(r#"[{"key": 5, "value": 6}]"#), [row("key", 5.0), row("value", 6.0)], "no text as key");
        let mixed = r#"[{"key": "7", "value": 6}, {"DEFAULT": 5}]"#;
        assert_eq!(rows(mixed), [row("key", 7.0), row("value", 6.0), row("DEFAULT", 5.0)]);
        let map = r#"{"DEFAULT": 5, "value": 6}"#;
        assert_eq!(rows(map), [row("DEFAULT", 5.0), row("value", 6.0)], "a row called `value` costs no other");
        let more = r#"{"DEFAULT": 5, "key": "7", "value": 6}"#;
        assert_eq!(rows(more), [row("DEFAULT", 5.0), row("key", 7.0), row("value", 6.0)]);
        assert_eq!(rows(r#"{"key": "x", "value": "N/A"}"#), []);
    }

    fn results_of(value: &str) -> Reading {
        results(&format!(r#"[{{"a": {value}}}]"#)).expect("a report").reading("a").expect("there").clone()
    }

    #[test]
    fn one_pair_is_a_row_or_a_value() {
        let named = |key: &str, count| Row { key: key.into(), value: Ok(Number::Whole(count)) };
        let one = r#"{"key": "unknown domain", "value": 42}"#;
        assert_eq!(results_of(one), Reading::Named(named("unknown domain", 42)));
        let merged = |rows: &str| results(rows).expect("a report").reading("a").expect("there").clone();
        let (x, y) = (r#"{"a": {"key": "x", "value": 1}}"#, r#"{"a": {"key": "y", "value": 2}}"#);
        let both = Reading::Rows(vec![named("x", 1), named("y", 2)]);
        assert_eq!(merged(&format!("[{x}, {y}]")), both, "an older release sends one object");
        assert_eq!(merged(&format!(r#"[{x}, {{"a": [{{"y": 2}}]}}]"#)), both);
        assert_eq!(merged(&format!(r#"[{{"a": [{{"x": 1}}]}}, {y}]"#)), both);
        assert_eq!(merged(&format!("[{x}, {x}]")), Reading::Named(named("x", 1)));
        assert_eq!(merged(&format!(r#"[{x}, {{"a": 1}}]"#)), Reading::One(Err(Unusable::Conflicting)));
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
            r#"{"data": {"resultSet": {"a": [5]}}}"#,
            r#"{"error": {"message": "Not Found.", "code": "404"}}"#,
        ] {
            assert_eq!(reason(body), Reason::Malformed, "{body}");
        }
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

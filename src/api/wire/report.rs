//! Reads the body of a report. The shape is decided from the answer, never from the catalogue; order never matters.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::api::wire::field;
use crate::api::wire::json::Member;
use crate::api::wire::number::{Measure, Number, Unusable};
use crate::api::{Count, Failure};

mod rows;

use rows::Results;

/// The counters of one answer by their names. Its serialized form is for records of our own, not that of the appliance.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Report {
    readings: BTreeMap<String, Reading>,
}

/// The value of one counter in an answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Reading {
    /// One value for the whole window.
    One(Result<Measure, Unusable>),
    /// One value that comes with a key: a row where the report has keys, else the value for the whole window.
    Named(Row),
    /// A value per key, in the order of the answer. A key may occur more than once.
    Rows(Vec<Row>),
}

/// One row of a keyed counter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// Any text, as the appliance sent it.
    pub key: String,
    /// The number, or why it is of no use.
    pub value: Result<Measure, Unusable>,
}

impl Report {
    /// Reads a group, whatever its shape.
    ///
    /// Recorded for scalars is a list of objects with one counter each; the vendor's Swagger shows one object with all
    /// of them. A keyed group is an object of lists of objects with one key each; older releases had one object there.
    /// An answer without any counter is empty here; whether that is nothing or a failure depends on the group.
    ///
    /// Rows may also be pairs: `{"key": "DEFAULT", "value": 5}` for `{"DEFAULT": 5}`. They are read as pairs if every
    /// object in the counter's list has just these two fields and a text as its key. If any other object is among them,
    /// each field is a row, whatever it is called. In place of a list, an object with just these two fields is one such
    /// pair, one with just a `value` is that value, and in any other object each field is a row. That a release sends
    /// pairs is assumed: they are known as values of rows by address only.
    ///
    /// # Errors
    /// [`crate::api::Reason::NotJson`] and [`crate::api::Reason::Malformed`] for what is no report,
    /// [`crate::api::Reason::TooLarge`] for one with more values than are read: a list that was cut has no true sum.
    ///
    /// **Source:** AsyncOS API guide 16.0, reporting; recorded answers of ESA and SMA; guide of API 1.0 for the map.
    pub fn parse(body: &str) -> Result<Self, Failure> {
        let results = Member { name: "resultSet", reader: Results, refusal: "`data` is not an object" };
        Ok(field::data(body, results)?.flatten().unwrap_or_default())
    }

    /// A report of one count.
    #[must_use]
    pub fn of(counter: &str, count: Count) -> Self {
        let number = match count {
            Count::Exact(count) => Number::whole(count),
            Count::AtLeast(count) => Number::whole(count).map(|_| Number::AtLeast(count)),
        };
        Self { readings: BTreeMap::from([(counter.to_owned(), Reading::One(number.map(Measure::from)))]) }
    }

    /// Whether the answer holds no counter at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.readings.is_empty()
    }

    /// The value of each counter in the answer, sorted by name.
    pub fn readings(&self) -> impl Iterator<Item = (&str, &Reading)> {
        self.readings.iter().map(|(name, reading)| (name.as_str(), reading))
    }

    /// The value of `counter` in the answer; none when it is missing.
    #[must_use]
    pub fn reading(&self, counter: &str) -> Option<&Reading> {
        self.readings.get(counter)
    }
}

impl Reading {
    /// The one value of a report without keys; none where there are rows.
    #[must_use]
    pub fn single(&self) -> Option<Result<Measure, Unusable>> {
        match self {
            Self::One(value) | Self::Named(Row { value, .. }) => Some(*value),
            Self::Rows(_) => None,
        }
    }

    /// Whether any of its values is a number, in whatever unit and however large.
    #[must_use]
    pub fn is_numeric(&self) -> bool {
        let is_number = |value: &Result<Measure, Unusable>| match value {
            Ok(_) | Err(Unusable::TooLarge | Unusable::LowerBound) => true,
            Err(Unusable::NotANumber | Unusable::Negative | Unusable::Conflicting | Unusable::NotWhole) => false,
        };
        match self {
            Self::One(value) | Self::Named(Row { value, .. }) => is_number(value),
            Self::Rows(rows) => rows.iter().any(|row| is_number(&row.value)),
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::api::Reason;

    fn results(results: &str) -> Result<Report, Reason> {
        let body = format!(r#"{{"meta": {{"totalCount": -1}}, "data": {{"type": "t", "resultSet": {results}}}}}"#);
        Report::parse(&body).map_err(|failure| failure.reason)
    }

    fn reading(value: &str) -> Result<Measure, Unusable> {
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
        let whole = |number| Ok(Number::Whole(number).into());
        assert_eq!(reading("0"), whole(0));
        assert_eq!(reading("-0.0"), whole(0));
        assert_eq!(reading("12.0"), whole(12));
        assert_eq!(reading("0.25"), Ok(Number::Fraction(0.25).into()));
        assert_eq!(reading(r#"" 17 ""#), whole(17));
        assert_eq!(reading(r#"{"value": 42}"#), whole(42));
        assert_eq!(reading("-1"), Ok(Number::Fraction(-1.0).into()));
        assert_eq!(reading(r#""-1""#), Ok(Number::Fraction(-1.0).into()));
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
    fn a_counter_given_twice_must_agree_with_itself() {
        let conflict = results(r#"[{"a": 1}, {"a": 2}, {"a": 1}]"#).expect("a report");
        assert_eq!(conflict.reading("a"), Some(&Reading::One(Err(Unusable::Conflicting))));
        let mixed = results(r#"[{"a": 1}, {"a": [{"k": 1}]}]"#).expect("a report");
        assert_eq!(mixed.reading("a"), Some(&Reading::One(Err(Unusable::Conflicting))));
        let same = results(r#"[{"a": 1}, {"a": "1"}]"#).expect("a report");
        assert_eq!(same.reading("a"), Some(&Reading::One(Ok(Number::Whole(1).into()))));
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
            row("A \"quoted\"", Ok(Number::Whole(1).into())),
            row("", Ok(Number::Whole(2).into())),
            row("192.0.2.1", Ok(Number::Whole(3).into())),
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
        let both = vec![row("k", Ok(Number::Whole(1).into())), row("m", Ok(Number::Whole(2).into()))];
        assert_eq!(split.reading("a"), Some(&Reading::Rows(both)), "an older release sends one object");
    }

    #[test]
    fn pairs_are_known_by_all_rows_of_a_counter() {
        let rows = |results: &str| match results_of(results) {
            Reading::Rows(rows) => {
                let shown = rows.into_iter().map(|row| (row.key, row.value.ok().map(Measure::as_f64)));
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
        let named = |key: &str, count| Row { key: key.into(), value: Ok(Number::Whole(count).into()) };
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
    fn a_row_that_is_empty_is_none_and_leaves_the_others_pairs() {
        let rows = r#"{"a": [{"key": "x", "value": 1}, {}, {"key": "y", "value": 2}]}"#;
        let row = |key: &str, count| Row { key: key.into(), value: Ok(Number::Whole(count).into()) };
        assert_eq!(results_of(&rows[6..rows.len() - 1]), Reading::Rows(vec![row("x", 1), row("y", 2)]));
    }

    #[test]
    fn an_answer_without_counters_is_empty_and_one_with_a_value_is_single_and_numeric() {
        let report =
            |results: &str| Report::parse(&format!(r#"{{"data": {{"resultSet": {results}}}}}"#)).expect(results);
        assert!(report("[]").is_empty() && report("{}").is_empty());
        let one = report(r#"[{"a": 7}, {"t": "text"}]"#);
        let [value, text] = ["a", "t"].map(|name| one.reading(name).expect("there"));
        assert!(!one.is_empty() && value.is_numeric() && !text.is_numeric());
        assert_eq!(
            (value.single(), text.single()),
            (Some(Ok(Number::Whole(7).into())), Some(Err(Unusable::NotANumber)))
        );
        let rows = report(r#"[{"a": [{"x": 1}, {"y": 2}]}]"#);
        assert_eq!(rows.reading("a").expect("there").single(), None);
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

    #[test]
    fn a_report_with_too_many_values_is_refused_whole() {
        let rows = |count: usize| format!(r#"{{"a": [{}]}}"#, vec![r#"{"k": 1}"#; count].join(","));
        assert!(results(&rows(rows::MOST_VALUES - 1)).is_ok());
        assert_eq!(results(&rows(rows::MOST_VALUES)), Err(Reason::TooLarge), "the counter is one too");
        let counters = vec![r#"{"a": 1}"#; rows::MOST_VALUES + 1].join(",");
        assert_eq!(results(&format!("[{counters}]")), Err(Reason::TooLarge));
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

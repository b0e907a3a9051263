//! Reads what the reporting system says about itself: the span of its data and its heartbeat. These are texts, which a
//! report of numbers passes over.

use serde_json::{Map, Value};

use super::json::malformed;
use super::{Failure, Reason, calendar, field};
use crate::clock::Timestamp;

/// For which time an appliance has reporting data. A date that is missing, or in a form or a zone that leaves doubt, is
/// none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReportingSpan {
    /// When the available data begins.
    pub begin: Option<Timestamp>,
    /// When it ends.
    pub end: Option<Timestamp>,
    /// When reporting last gave a sign of life.
    pub heartbeat: Option<Timestamp>,
    /// Whether a manager reports centrally.
    pub centralized: Option<bool>,
}

impl ReportingSpan {
    /// The path below the API's root. It is a report, so its parameters are those of any report.
    ///
    /// **Source:** the vendor's Swagger description of the API 2.0.
    pub const PATH: &'static str = "reporting/reporting_system";

    /// Reads the answer, in any of the shapes of a group of scalars.
    ///
    /// # Errors
    /// [`Reason::NotJson`] and [`Reason::Malformed`] for what is no report, [`Reason::Empty`] for one that tells nothing.
    ///
    /// **Source:** the vendor's Swagger description for the names; the forms of the dates are not published, so those
    /// of other answers are tried.
    pub fn parse(body: &str) -> Result<Self, Failure> {
        let values = results(body)?;
        let date = |name: &str| match values.get(name)? {
            Value::String(text) => calendar::instant(text),
            Value::Number(number) => calendar::instant(&number.to_string()),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        };
        let span = Self {
            begin: date("begin_time"),
            end: date("end_time"),
            heartbeat: date("heartbeat"),
            centralized: field::switch(values.get("centralized_reporting_enabled")),
        };
        if span == Self::default() {
            return Err(Failure::new(Reason::Empty, "the report holds no date that is understood"));
        }
        Ok(span)
    }
}

/// The values of a report by their names; of a name that comes twice, the last.
fn results(body: &str) -> Result<Map<String, Value>, Failure> {
    match field::data_object(body)?.remove("resultSet") {
        None | Some(Value::Null) => Ok(Map::new()),
        Some(Value::Object(values)) => Ok(values),
        Some(Value::Array(elements)) => {
            let mut values = Map::new();
            for element in elements {
                match element {
                    Value::Object(element) => values.extend(element),
                    _ => return Err(malformed("an element of `resultSet` is no object")),
                }
            }
            Ok(values)
        }
        Some(_) => Err(malformed("`resultSet` is neither a list nor an object")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(results: &str) -> Result<ReportingSpan, Reason> {
        let body = format!(
            r#"{{"meta": {{"totalCount": -1}}, "data": {{"type": "reporting_system", "resultSet": {results}}}}}"#
        );
        ReportingSpan::parse(&body).map_err(|failure| failure.reason)
    }

    #[test]
    fn dates_of_every_form_in_every_shape() {
        let expected = ReportingSpan {
            begin: Some(Timestamp::from_secs(1_662_538_233)),
            end: Some(Timestamp::from_secs(1_795_435_200)),
            heartbeat: Some(Timestamp::from_secs(1_795_435_200)),
            centralized: Some(true),
        };
        for results in [
            r#"[{"begin_time": "07 Sep 2022 08:10:33 (GMT)"}, {"end_time": 1795435200}, {"heartbeat": "1795435200"},
                {"centralized_reporting_enabled": true}, {"centralized_reporting_expired": false}]"#,
            r#"[{"heartbeat": "Mon Nov 23 12:00:00 2026", "begin_time": "1662538233", "new": {"a": [1]},
                "centralized_reporting_enabled": "true", "end_time": "2026-11-23T12:00:00.000Z"}]"#,
            r#"{"begin_time": 1662538233.0, "end_time": "2026-11-23T12:00+00:00", "centralized_reporting_enabled": 1,
                "heartbeat": "23 Nov 2026 12:00:00 (GMT +00:00)"}"#,
        ] {
            assert_eq!(parse(results), Ok(expected), "{results}");
        }
    }

    #[test]
    fn doubtful_dates_are_absent() {
        let expected = ReportingSpan { centralized: Some(false), ..ReportingSpan::default() };
        let results = r#"[{"begin_time": "Thu Apr 12 23:38:05 2018 IST"}, {"end_time": null}, {"heartbeat": [1]},
                          {"centralized_reporting_enabled": "False"}]"#;
        assert_eq!(parse(results), Ok(expected));
    }

    #[test]
    fn what_tells_nothing_or_is_no_report_is_told_apart() {
        for results in ["null", "[]", "{}", r#"[{"begin_time": "N/A"}]"#] {
            assert_eq!(parse(results), Err(Reason::Empty), "{results}");
        }
        for results in ["5", "[5]", r#"{"begin"#] {
            assert_eq!(parse(results), Err(Reason::Malformed), "{results}");
        }
        assert_eq!(
            ReportingSpan::parse(r#"{"error": {"message": "Not Found."}}"#).unwrap_err().reason,
            Reason::Malformed
        );
        assert_eq!(ReportingSpan::parse("").unwrap_err().reason, Reason::NotJson);
    }
}

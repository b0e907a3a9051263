//! Reads what the reporting system says about itself: the span of its data and its heartbeat. These are texts, which a
//! report of numbers passes over.

use serde::de::{self, MapAccess, SeqAccess};

use crate::api::wire::field::{self, Fields};
use crate::api::wire::json::{By, Member, Reader};
use crate::api::wire::number::Scalar;
use crate::api::{Failure, Reason, UnusableCounts};
use crate::base::clock::Timestamp;

/// For which time an appliance has reporting data. A date that is missing, or in a form or a zone that leaves doubt, is
/// none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReportingStatus {
    /// When the available data begins.
    pub begin: Option<Timestamp>,
    /// When it ends.
    pub end: Option<Timestamp>,
    /// When reporting last gave a sign of life.
    pub heartbeat: Option<Timestamp>,
    /// Whether a manager reports centrally.
    pub centralized: Option<bool>,
    /// Values that are no date, or whose date is in doubt.
    pub unusable: UnusableCounts,
}

impl ReportingStatus {
    /// The path below the API's root. It is a report, so its parameters are those of any report.
    ///
    /// **Source:** the vendor's Swagger description of the API 2.0.
    pub const PATH: &'static str = "reporting/reporting_system";

    /// Reads the answer, in any of the shapes of a group of scalars.
    ///
    /// # Errors
    /// [`Reason::NotJson`] and [`Reason::Malformed`] for what is no report, [`Reason::Empty`] for one without any
    /// value.
    ///
    /// **Source:** the vendor's Swagger description for the names; the forms of the dates are not published, so those
    /// of other answers are tried.
    pub fn parse(body: &str) -> Result<Self, Failure> {
        let results = Member { name: "resultSet", reader: Results, refusal: "`data` is not an object" };
        let mut values = field::data(body, results)?.flatten().unwrap_or_default();
        let span = Self {
            begin: values.date("begin_time"),
            end: values.date("end_time"),
            heartbeat: values.date("heartbeat"),
            centralized: values.switch("centralized_reporting_enabled"),
            unusable: UnusableCounts::default(),
        };
        if span == Self::default() {
            return Err(Failure::new(Reason::Empty, "the report has no valid date"));
        }
        Ok(Self { unusable: values.unusable, ..span })
    }
}

const FIELDS: [&str; 4] = ["begin_time", "end_time", "heartbeat", "centralized_reporting_enabled"];

/// Reads the values of a report; of a name that comes twice, the last.
#[derive(Clone, Copy)]
struct Results;

impl<'de> Reader<'de> for Results {
    type Made = Fields;

    fn scalar<E: de::Error>(self, value: Scalar<'_>) -> Result<Fields, E> {
        match value {
            Scalar::Null => Ok(Fields::default()),
            _ => Err(E::custom("`resultSet` is neither a list nor an object")),
        }
    }

    fn list<A: SeqAccess<'de>>(self, mut list: A) -> Result<Fields, A::Error> {
        let mut fields = Fields::default();
        while list.next_element_seed(By(Element(&mut fields)))?.is_some() {}
        Ok(fields)
    }

    fn object<A: MapAccess<'de>>(self, object: A) -> Result<Fields, A::Error> {
        let mut fields = Fields::default();
        fields.take(&FIELDS, object)?;
        Ok(fields)
    }
}

/// Reads one element of the list.
struct Element<'a>(&'a mut Fields);

impl<'de> Reader<'de> for Element<'_> {
    type Made = ();

    fn scalar<E: de::Error>(self, _: Scalar<'_>) -> Result<(), E> {
        Err(E::custom("an element of `resultSet` is not an object"))
    }

    fn object<A: MapAccess<'de>>(self, object: A) -> Result<(), A::Error> {
        self.0.take(&FIELDS, object)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(results: &str) -> Result<ReportingStatus, Reason> {
        let body = format!(
            r#"{{"meta": {{"totalCount": -1}}, "data": {{"type": "reporting_system", "resultSet": {results}}}}}"#
        );
        ReportingStatus::parse(&body).map_err(|failure| failure.reason)
    }

    #[test]
    fn dates_of_every_form_in_every_shape() {
        let expected = ReportingStatus {
            begin: Some(Timestamp::from_secs(1_662_538_233)),
            end: Some(Timestamp::from_secs(1_795_435_200)),
            heartbeat: Some(Timestamp::from_secs(1_795_435_200)),
            centralized: Some(true),
            unusable: [0; 6],
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
    fn doubtful_dates_are_counted() {
        let expected =
            ReportingStatus { centralized: Some(false), unusable: [2, 0, 0, 0, 0, 0], ..ReportingStatus::default() };
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
            ReportingStatus::parse(r#"{"error": {"message": "Not Found."}}"#).unwrap_err().reason,
            Reason::Malformed
        );
        assert_eq!(ReportingStatus::parse("").unwrap_err().reason, Reason::NotJson);
    }
}

//! Reads the answer to a search of the message tracking: how many there were. What was found is personal data and not
//! looked at.

use super::{Failure, field};

/// How many messages or connections a search has found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TrackingCount {
    /// All of them, of which the answer holds one at most.
    pub matches: u64,
}

impl TrackingCount {
    /// The path below the API's root; [`crate::tracking::Search::query`] has the parameters.
    ///
    /// **Source:** published documentation of the vendor; recorded answers.
    pub(super) const PATH: &'static str = "message-tracking/messages";

    /// Reads the answer.
    ///
    /// # Errors
    /// [`super::Reason::NotJson`] and [`super::Reason::Malformed`] for what is no answer or holds no count.
    ///
    /// **Source:** recorded answers.
    pub(super) fn parse(body: &str) -> Result<Self, Failure> {
        field::total_count(body).map(|matches| Self { matches })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::api::Reason;

    #[test]
    fn only_the_count_is_taken() {
        let body = r#"{"data": [{"attributes": {"subject": "private", "verdictChart": {}}}],
                       "meta": {"num_bad_records": 0, "totalCount": 1234}}"#;
        assert_eq!(TrackingCount::parse(body).expect("a count"), TrackingCount { matches: 1234 });
        let body = r#"{"meta": {"num_bad_records": 0, "totalCount": 0}, "data": []}"#;
        assert_eq!(TrackingCount::parse(body).expect("a count"), TrackingCount { matches: 0 });
    }

    #[test]
    fn no_count_is_not_zero() {
        let reason = |body: &str| TrackingCount::parse(body).expect_err(body).reason;
        for body in [
            r#"{"data": []}"#,
            r#"{"meta": {"totalCount": -1}, "data": []}"#,
            r#"{"error": {"message": "Missing attribute - startDate or endDate.", "code": "404"}}"#,
            "[]",
        ] {
            assert_eq!(reason(body), Reason::Malformed, "{body}");
        }
        assert_eq!(reason("<html>"), Reason::NotJson);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_text_is_read_or_refused(body in ".*") {
            let _ = TrackingCount::parse(&body);
        }
    }
}

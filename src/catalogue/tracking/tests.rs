//! Filters as the configuration gives them, and the parameters that they become.

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::base::window::Grid;

const WINDOW: &str = "startDate=2026-11-23T12:05:00.000Z&endDate=2026-11-23T12:10:00.000Z";

fn window() -> Window {
    let grid = Grid::try_new(Duration::from_secs(300)).expect("five minutes");
    grid.window_from(Timestamp::from_secs(1_795_435_500))
}

fn text(value: &str) -> FilterValue {
    FilterValue::Text(value.into())
}

fn compare(operator: &str, value: &str) -> FilterValue {
    FilterValue::Comparison { operator: operator.into(), value: value.into() }
}

fn search(filters: &[(&str, FilterValue)]) -> Result<Search, Vec<FilterProblem>> {
    Search::try_new(&filters.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect())
}

fn problem(name: &str, value: FilterValue) -> String {
    search(&[(name, value)]).expect_err(name).iter().map(ToString::to_string).collect()
}

#[test]
fn a_search_of_everything() {
    let everything = search(&[]).expect("a search");
    let rest = "ciscoHost=All_Hosts";
    assert_eq!(everything.query(window()), format!("{WINDOW}&searchOption=messages&{rest}"));
    let rejected = everything.of_rejected_connections();
    assert_eq!(rejected.query(window()), format!("{WINDOW}&searchOption=rejected_connections&{rest}"));
}

#[test]
fn seconds_are_dropped() {
    let grid = Grid::try_new(Duration::from_secs(300)).expect("five minutes");
    let rest = grid.window_from(Timestamp::from_secs(1_795_435_559));
    assert!(search(&[]).expect("a search").query(rest).starts_with(WINDOW));
}

#[test]
fn filters_get_their_odd_spelling_and_are_escaped() {
    let search = search(&[
        ("envelope_sender", compare("begins_with", "a&b=c@example.com")),
        ("subject", text("50 % ü, #1?")),
        ("spam_positive", FilterValue::Flag(true)),
        ("delivery_status", text("dropped")),
        ("mail_policy", text("Board+Staff")),
    ])
    .expect("a search");
    assert_eq!(
        search.query(window()),
        format!(
            "{WINDOW}&searchOption=messages&ciscoHost=All_Hosts&deliveryStatus=DROPPED\
             &envelopeSenderfilterOperator=begins_with&envelopeSenderfilterValue=a%26b%3Dc%40example.com\
             &mailPolicyName=Board%2BStaff&spamPositive=True\
             &subjectfilterOperator=is&subjectfilterValue=50+%25+%C3%BC%2C+%231%3F"
        )
    );
}

#[test]
fn every_problem_is_named() {
    let problems = search(&[
        ("subjct", text("x")),
        ("spam_positive", text("yes")),
        ("subject", compare("contains", "fine")),
        ("zzz", FilterValue::Flag(true)),
    ])
    .expect_err("three problems");
    let found: Vec<_> = problems.iter().map(|problem| (problem.filter.as_str(), problem.message.as_str())).collect();
    assert_eq!(
        found,
        [
            ("spam_positive", "expected `true`"),
            ("subjct", "`subjct` is no known filter; did you mean `subject`?"),
            ("zzz", "`zzz` is no known filter"),
        ]
    );
}

#[test]
fn values_of_the_wrong_kind_say_what_is_expected() {
    assert_eq!(problem("subject", FilterValue::Flag(true)), "expected text, or `operator` and `value`");
    assert_eq!(
        problem("subject", compare("like", "x")),
        "expected one of `contains`, `is`, `begins_with` as `operator`, found `like`"
    );
    assert_eq!(problem("sender_ip", compare("is", "192.0.2.1")), "expected text");
    assert_eq!(
        problem("delivery_status", text("LOST")),
        "expected one of `DELIVERED`, `DROPPED`, `ABORTED`, `BOUNCED`, found `LOST`"
    );
    assert_eq!(problem("content_filter_action", FilterValue::Flag(true)), "expected `stopped`");
    assert_eq!(
        problem("graymail", FilterValue::Flag(false)),
        "takes only `true`, since the API cannot search for the opposite: omit the key instead"
    );
    for value in [" ", "a\nb", &"x".repeat(LONGEST_VALUE + 1)] {
        assert_eq!(problem("subject", text(value)), "must be one line of 1 to 500 bytes");
        assert_eq!(problem("mail_policy", text(value)), "must be one line of 1 to 500 bytes");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_value_becomes_a_parameter_of_its_own(name in ".*", value in ".{1,40}") {
        let _ = search(&[(&name, text(&value))]);
        if let Ok(search) = search(&[("subject", text(&value))]) {
            let query = search.query(window());
            let values: Vec<_> = url::form_urlencoded::parse(query.as_bytes())
                .filter(|(key, _)| key == "subjectfilterValue")
                .map(|(_, value)| value.into_owned())
                .collect();
            prop_assert_eq!(query.matches('&').count(), 5);
            prop_assert_eq!(values, [value]);
        }
    }
}

#[test]
fn the_apis_own_spelling_is_taken_too() {
    let text = |value: &str| FilterValue::Text(value.into());
    let search = |filters: &[(&str, FilterValue)]| {
        let filters = filters.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        Search::try_new(&filters).map(|search| search.parameters())
    };
    let comparison = FilterValue::Comparison { operator: "contains".into(), value: "CEO".into() };
    let friendly = search(&[("subject", comparison), ("spam_positive", FilterValue::Flag(true))]);
    let own = search(&[
        ("subjectfilterOperator", text("contains")),
        ("subjectfilterValue", text("CEO")),
        ("spamPositive", text("true")),
    ]);
    let sorted = |search: Result<String, Vec<FilterProblem>>| {
        let search = search.expect("filters");
        let mut parts: Vec<String> = search.split('&').map(str::to_owned).collect();
        parts.sort();
        parts
    };
    assert_eq!(sorted(own), sorted(friendly));
    let problems = search(&[("subjectfilterOperator", text("is"))]).expect_err("half of it");
    assert_eq!(problems[0].message, "is nothing without `subjectfilterValue`");
}

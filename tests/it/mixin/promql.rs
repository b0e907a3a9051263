//! Reads of a query what the checks want to know: its selectors, the functions they stand in, and its lists of labels.

use std::time::Duration;

use promql_parser::label::{Labels, Matchers};
use promql_parser::parser::{
    self, AggregateExpr, BinaryExpr, Call, Expr, LabelModifier, MatrixSelector, VectorSelector,
};

/// What stands for Grafana's own variables while a query is parsed: times that no query has.
const RATE_INTERVAL: (&str, Duration) = ("$__rate_interval", Duration::from_secs(7919));
const GRAPH: (&str, Duration) = ("$__range", Duration::from_secs(7907));
/// A number of series.
const COUNT: (&str, &str) = ("$k", "10");

/// A selector of series.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Selector {
    pub(super) metric: String,
    /// Label, operator, value.
    pub(super) matchers: Vec<(String, String, String)>,
    pub(super) range: Option<Range>,
    /// The function or aggregation it is an argument of.
    pub(super) function: Option<String>,
}

/// What stands in brackets behind a selector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Range {
    /// As long as Grafana finds fit for a rate.
    RateInterval,
    /// As long as the graph.
    Graph,
    Fixed(Duration),
}

/// What was read of a query.
#[derive(Clone, Debug, Default)]
pub(super) struct Read {
    pub(super) selectors: Vec<Selector>,
    /// The labels that aggregations and matchings name.
    pub(super) labels: Vec<String>,
    pub(super) functions: Vec<String>,
}

/// Reads `query`.
///
/// # Panics
/// When it is none.
pub(super) fn read(query: &str) -> Read {
    let seconds = GRAPH.1.as_secs().to_string();
    let mut plain = query.replace(COUNT.0, COUNT.1).replace("$__range_s", &seconds);
    for (variable, time) in [RATE_INTERVAL, GRAPH] {
        plain = plain.replace(variable, &format!("{}s", time.as_secs()));
    }
    let parsed = parser::parse(&plain).unwrap_or_else(|error| panic!("{error} in {query}"));
    let mut read = Read::default();
    read.expression(&parsed, None);
    read
}

impl From<Duration> for Range {
    fn from(time: Duration) -> Self {
        match time {
            _ if time == RATE_INTERVAL.1 => Self::RateInterval,
            _ if time == GRAPH.1 => Self::Graph,
            _ => Self::Fixed(time),
        }
    }
}

impl Read {
    fn expression(&mut self, expression: &Expr, function: Option<&str>) {
        match expression {
            Expr::Aggregate(AggregateExpr { op, expr, param, modifier }) => {
                let name = op.to_string();
                self.functions.push(name.clone());
                self.labels(modifier.as_ref().map(LabelModifier::labels));
                for expression in param.iter().chain([expr]) {
                    self.expression(expression, Some(&name));
                }
            }
            Expr::Call(Call { func, args }) => {
                self.functions.push(func.name.to_owned());
                for expression in &args.args {
                    self.expression(expression, Some(func.name));
                }
            }
            Expr::Binary(BinaryExpr { lhs, rhs, modifier, .. }) => {
                if let Some(modifier) = modifier {
                    self.labels(modifier.matching.as_ref().map(LabelModifier::labels));
                    self.labels(modifier.card.labels());
                }
                self.expression(lhs, function);
                self.expression(rhs, function);
            }
            Expr::Unary(unary) => self.expression(&unary.expr, function),
            Expr::Paren(paren) => self.expression(&paren.expr, function),
            Expr::Subquery(query) => self.expression(&query.expr, function),
            Expr::VectorSelector(selector) => self.selector(selector, None, function),
            Expr::MatrixSelector(MatrixSelector { vs, range }) => self.selector(vs, Some((*range).into()), function),
            Expr::NumberLiteral(_) | Expr::StringLiteral(_) => {}
            Expr::Extension(_) => panic!("nobody has extended PromQL"),
        }
    }

    fn labels(&mut self, labels: Option<&Labels>) {
        self.labels.extend(labels.iter().flat_map(|labels| labels.labels.iter().cloned()));
    }

    fn selector(&mut self, selector: &VectorSelector, range: Option<Range>, function: Option<&str>) {
        let VectorSelector { name, matchers: Matchers { matchers, or_matchers }, .. } = selector;
        assert!(or_matchers.is_empty(), "only VictoriaMetrics knows `or` among matchers: {selector:?}");
        let matchers = matchers.iter().map(|one| (one.name.clone(), one.op.to_string(), one.value.clone()));
        self.selectors.push(Selector {
            metric: name.clone().unwrap_or_default(),
            matchers: matchers.collect(),
            range,
            function: function.map(str::to_owned),
        });
    }
}

#[test]
fn selectors_are_found_with_their_functions_and_lists() {
    let found = read(
        "sum by (a) (rate(x_total{job=~\"$job\",b!=\"\"}[$__rate_interval] offset 1w)) / on (a, c) group_left (d) \
         (count(up) > 0) or 0 * topk($k, appliance:y:z) + increase(x_total[$__range]) + delta(x[30d])",
    );
    let parts: Vec<_> = found
        .selectors
        .iter()
        .map(|one| (one.metric.as_str(), one.matchers.len(), one.range, one.function.as_deref()))
        .collect();
    let month = Range::Fixed(Duration::from_secs(30 * 24 * 3600));
    assert_eq!(
        parts,
        [
            ("x_total", 2, Some(Range::RateInterval), Some("rate")),
            ("up", 0, None, Some("count")),
            ("appliance:y:z", 0, None, Some("topk")),
            ("x_total", 0, Some(Range::Graph), Some("increase")),
            ("x", 0, Some(month), Some("delta")),
        ]
    );
    assert_eq!(found.selectors[0].matchers[1], ("b".to_owned(), "!=".to_owned(), String::new()));
    let labels: std::collections::BTreeSet<&str> = found.labels.iter().map(String::as_str).collect();
    assert_eq!(labels, ["a", "c", "d"].into());
    assert_eq!(found.functions, ["sum", "rate", "count", "topk", "increase", "delta"]);
}

#[test]
#[should_panic(expected = "in sum(rate(x[5m])")]
fn what_is_no_query_is_seen() {
    read("sum(rate(x[5m])");
}

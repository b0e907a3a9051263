//! A report: the rows of one group for one window, the changes a fault makes to them, and the envelope.
//! **Source:** recorded answers (demisto/content, Packs/CiscoSMA and CiscoESA).

use std::time::{Duration, SystemTime};

use serde_json::Value;

use crate::sim::group::{Contents, Group};
use crate::sim::json::Json;
use crate::sim::settings::{Behaviour, Product, Shape};
use crate::sim::truth::{self, Number};
use crate::sim::unix_secs;

/// How long data are kept, to bound what one request can cost; real appliances keep what their disk quota allows, and
/// clients ask for up to a year (published scripts). Assumed.
const RETENTION: Duration = Duration::from_secs(400 * 24 * 3600);

/// What is asked for, in seconds since 1970, and up to when data are there.
pub(super) struct Window {
    pub(super) start: u64,
    pub(super) end: u64,
    pub(super) frontier: u64,
}

impl Window {
    /// The part of the window that has data. The current minute has none: counts are known by the minute.
    fn available(&self) -> (u64, u64) {
        let oldest = self.frontier.saturating_sub(RETENTION.as_secs());
        let newest = self.frontier - self.frontier % 60;
        (self.start.max(oldest), self.end.min(newest))
    }
}

/// An answer to a report request before it is laid out.
pub(super) struct Report {
    /// The group, or the counter when only one was asked for.
    of: String,
    rows: Rows,
}

enum Rows {
    Group(Vec<(String, Json)>),
    Single(Vec<(String, Json)>),
    /// `[]`: assumed for a lone `orderBy` or `offset`, of which the documents say "no data".
    Empty,
    Null,
}

/// A change to a report.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Edit {
    /// The result set becomes `[]`.
    Empty,
    /// The result set becomes `null`.
    Null,
    /// These counters go.
    Drop(Vec<String>),
    /// This counter comes last.
    Add(String, Value),
    /// This counter, if it is there, has this value.
    Set(String, Value),
}

/// The report about `devices`. No devices is a report of zeros.
pub(super) fn build(
    product: Product,
    group: &Group,
    counter: Option<&str>,
    devices: &[&str],
    window: &Window,
    clock: SystemTime,
) -> Report {
    let rows = match &group.contents {
        Contents::Numbers(counters) => {
            let wanted: Vec<_> = counters.iter().filter(|one| counter.is_none_or(|name| name == one.name)).collect();
            let (start, end) = window.available();
            let numbers = truth::totals(devices, &wanted, start, end);
            wanted.iter().zip(numbers).map(|(counter, number)| (counter.name.to_owned(), json(number))).collect()
        }
        Contents::ReportingSystem(names) => {
            let wanted = names.iter().filter(|&&one| counter.is_none_or(|name| name == one));
            wanted.map(|&name| (name.to_owned(), status(product, name, window, clock))).collect()
        }
    };
    let rows = if counter.is_some() { Rows::Single(rows) } else { Rows::Group(rows) };
    Report { of: counter.unwrap_or(group.name).to_owned(), rows }
}

impl Report {
    /// A report without data.
    pub(super) fn empty(of: &str) -> Self {
        Self { of: of.to_owned(), rows: Rows::Empty }
    }

    pub(super) fn edit(&mut self, edit: &Edit) {
        match (edit, &mut self.rows) {
            (Edit::Empty, rows) => *rows = Rows::Empty,
            (Edit::Null, rows) => *rows = Rows::Null,
            (Edit::Drop(names), Rows::Group(rows) | Rows::Single(rows)) => {
                rows.retain(|(name, _)| !names.contains(name));
            }
            (Edit::Add(name, value), Rows::Group(rows) | Rows::Single(rows)) => {
                rows.push((name.clone(), value.clone().into()));
            }
            (Edit::Set(wanted, value), Rows::Group(rows) | Rows::Single(rows)) => {
                for (_, old) in rows.iter_mut().filter(|(name, _)| name == wanted) {
                    *old = value.clone().into();
                }
            }
            (Edit::Drop(_) | Edit::Add(..) | Edit::Set(..), Rows::Empty | Rows::Null) => {}
        }
    }

    pub(super) fn to_json(&self, behaviour: &Behaviour) -> Json {
        // -1 for mail groups: it is not a row count.
        let meta = ("meta", Json::object([("totalCount", (-1).into())]));
        let result_set = self.rows.to_json(behaviour.shape);
        let data = ("data", Json::object([("type", self.of.as_str().into()), ("resultSet", result_set)]));
        if behaviour.data_first { Json::object([data, meta]) } else { Json::object([meta, data]) }
    }
}

impl Rows {
    fn to_json(&self, shape: Shape) -> Json {
        match self {
            Self::Group(rows) => match shape {
                Shape::ListOfSingles => singles(rows.iter()),
                Shape::ReverseOrder => singles(rows.iter().rev()),
                Shape::OneObject => Json::List(vec![Json::Object(rows.clone())]),
                Shape::BareObject => Json::Object(rows.clone()),
            },
            // No recording shows a single scalar counter; these are the three forms that are thought possible.
            Self::Single(rows) => match (shape, rows.as_slice()) {
                (Shape::BareObject, [(_, value)]) => value.clone(),
                (Shape::OneObject, _) => Json::List(vec![Json::Object(rows.clone())]),
                (Shape::ListOfSingles | Shape::ReverseOrder | Shape::BareObject, _) => Json::Object(rows.clone()),
            },
            Self::Empty => Json::List(Vec::new()),
            Self::Null => Value::Null.into(),
        }
    }
}

fn singles<'a>(rows: impl Iterator<Item = &'a (String, Json)>) -> Json {
    Json::list(rows.map(|row| Json::Object(vec![row.clone()])))
}

fn json(number: Number) -> Json {
    match number {
        Number::Whole(value) => value.into(),
        Number::Hundredths(value) if value % 100 == 0 => (value / 100).into(),
        Number::Hundredths(_) => number.as_f64().into(),
    }
}

/// The values of `reporting_system`. All of them are strings (Swagger); that times are Unix seconds and flags
/// `true`/`false` is assumed.
fn status(product: Product, name: &str, window: &Window, clock: SystemTime) -> Json {
    let text = match name {
        "begin_time" => window.frontier.saturating_sub(RETENTION.as_secs()).to_string(),
        "end_time" => window.frontier.to_string(),
        "heartbeat" => unix_secs(clock).to_string(),
        "centralized_reporting_enabled" => (product == Product::Sma).to_string(),
        _ => false.to_string(),
    };
    text.into()
}

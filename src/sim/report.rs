//! A report: the rows of one group for one window, the changes a release or a fault makes to them, and the envelope.
//! **Source:** recorded answers (demisto/content, Packs/CiscoSMA and CiscoESA).

use std::time::SystemTime;

use serde_json::Value;

use crate::sim::behaviour::Behaviour;
use crate::sim::form::{Centralized, NoRows, Shape};
use crate::sim::group::Group;
use crate::sim::injection;
use crate::sim::json::Json;
use crate::sim::scalar::{Contents, Counter};
use crate::sim::settings::{Product, Settings, TrafficKind};
use crate::sim::span::{RETENTION, Span};
use crate::sim::table::RowSelection;
use crate::sim::truth::{self, Number};
use crate::sim::unix_secs;

/// A report request that passed every check.
pub(super) struct ReportRequest<'a> {
    pub(super) group: Group<'a>,
    /// The one requested counter, by its name in the catalogue.
    pub(super) single: Option<&'a str>,
    /// None is a report of zeros.
    pub(super) devices: Vec<&'a str>,
    pub(super) span: Span,
    /// Up to when data are there, in seconds since 1970.
    pub(super) available_until: u64,
    pub(super) clock: SystemTime,
    pub(super) selection: RowSelection,
}

/// An answer to a report request before it is laid out.
pub(super) struct Report {
    /// The group, or the counter when only one was requested.
    type_name: String,
    /// -1 for mail groups, of which it says nothing; the number of rows of a keyed web report.
    total_count: i64,
    rows: Rows,
}

enum Rows {
    Group(Vec<(String, Json)>),
    Single(Vec<(String, Json)>),
    /// Counters with their lists of rows.
    Keyed(Vec<(String, Json)>),
    /// No rows; these counters would have had some.
    NoData(Vec<String>),
    /// By a fault: `[]` whatever the release does.
    Empty,
    Null,
}

/// A change to a report.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum ReportEdit {
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

/// **Source:** recorded answers of mail groups; that scalar web groups have it too is assumed.
const NO_COUNT: i64 = -1;

/// Builds the requested report.
pub(super) fn build(settings: &Settings, request: &ReportRequest<'_>) -> Report {
    let behaviour = &settings.behaviour;
    let type_name = name(behaviour, request.group, request.single);
    let mut total_count = NO_COUNT;
    let rows = match keyed(behaviour, request) {
        Some((rows, count)) => {
            if behaviour.web_total_count && request.group.traffic_kind() == TrafficKind::Web {
                total_count = count as i64;
            }
            rows
        }
        None => {
            let mut rows = scalars(settings, request);
            rows.retain_mut(|(counter, _)| rename(behaviour, request.group, counter));
            if request.single.is_some() {
                Rows::Single(rows)
            } else {
                rows.extend(behaviour.extra_of(request.group.name()).map(|name| (name.to_owned(), 1.into())));
                Rows::Group(rows)
            }
        }
    };
    Report { type_name, total_count, rows }
}

fn name(behaviour: &Behaviour, group: Group<'_>, single: Option<&str>) -> String {
    match single {
        None => group.name().to_owned(),
        Some(counter) => behaviour.name_of(group.name(), counter).unwrap_or_default(),
    }
}

/// Gives a counter the name it has in this release; false when it has none.
fn rename(behaviour: &Behaviour, group: Group<'_>, counter: &mut String) -> bool {
    let current = behaviour.name_of(group.name(), counter);
    current.map(|name| *counter = name).is_some()
}

/// The rows of a keyed group, and how many; `None` when the group is none. Ranked by the counter to order by, or the
/// requested one.
fn keyed(behaviour: &Behaviour, request: &ReportRequest<'_>) -> Option<(Rows, usize)> {
    let mut table = request.group.table(behaviour, &request.devices, request.span)?;
    let (injections, devices) = (&behaviour.injections, request.devices.len());
    injection::add_row(injections, request.group.name(), devices, &request.span, &mut table);
    let single = request.single.and_then(|name| table.place(name));
    let ordered_by = request.selection.order_by.as_ref().and_then(|name| table.place(name));
    if let Some(place) = ordered_by.or(single) {
        table.rank_by(place);
    }
    match single {
        Some(place) => table.keep_column(place, behaviour.zero_keys),
        None => behaviour.extra_of(request.group.name()).for_each(|name| table.add_column(name, 1)),
    }
    table.select(&request.selection, behaviour.row_cap);
    let mut members = table.members(behaviour.value_form);
    members.retain_mut(|(counter, _)| rename(behaviour, request.group, counter));
    let rows = match table.rows.is_empty() {
        true => Rows::NoData(members.into_iter().map(|(name, _)| name).collect()),
        false => Rows::Keyed(members),
    };
    Some((rows, table.rows.len()))
}

fn scalars(settings: &Settings, request: &ReportRequest<'_>) -> Vec<(String, Json)> {
    let wanted = |name: &str| request.single.is_none_or(|single| single == name);
    match request.group {
        Group::Scalar(group) => match &group.contents {
            Contents::Numbers(counters) => {
                let counters: Vec<_> = counters.iter().filter(|one| wanted(one.name)).collect();
                let numbers = truth::totals(&request.devices, &counters, &request.span);
                let injected = |name: &str| {
                    let injections = &settings.behaviour.injections;
                    injection::counted(injections, group.name, name, request.devices.len(), &request.span)
                };
                let number = |(one, number): (&&Counter, Number)| {
                    let number = match number {
                        Number::Whole(value) => Number::Whole(value + injected(one.name)),
                        Number::Hundredths(_) => number,
                    };
                    (one.name.to_owned(), json(number))
                };
                counters.iter().zip(numbers).map(number).collect()
            }
            Contents::ReportingSystem(names) => {
                let names = names.iter().filter(|name| wanted(name) && is_stated(settings, name));
                names.map(|&name| (name.to_owned(), status(settings, name, request))).collect()
            }
        },
        Group::Custom(group) => {
            let counters = group.counters.iter().filter(|name| wanted(name));
            counters.map(|name| (name.clone(), group.count(&request.devices, name, "", &request.span).into())).collect()
        }
        Group::Keyed(_) => Vec::new(),
    }
}

impl Report {
    /// A report of which the documents say "no data".
    pub(super) fn without_data(behaviour: &Behaviour, group: Group<'_>, single: Option<&str>) -> Self {
        let type_name = name(behaviour, group, single);
        let counters = group.counters().into_iter().filter(|name| single.is_none_or(|single| single == *name));
        let names = counters.filter_map(|counter| behaviour.name_of(group.name(), counter));
        Self { type_name, total_count: NO_COUNT, rows: Rows::NoData(names.collect()) }
    }

    pub(super) fn edit(&mut self, edit: &ReportEdit) {
        match (edit, &mut self.rows) {
            (ReportEdit::Empty, rows) => *rows = Rows::Empty,
            (ReportEdit::Null, rows) => *rows = Rows::Null,
            (ReportEdit::Drop(names), Rows::Group(rows) | Rows::Single(rows) | Rows::Keyed(rows)) => {
                rows.retain(|(name, _)| !names.contains(name));
            }
            (ReportEdit::Add(name, value), Rows::Group(rows) | Rows::Single(rows) | Rows::Keyed(rows)) => {
                rows.push((name.clone(), value.clone().into()));
            }
            (ReportEdit::Set(wanted, value), Rows::Group(rows) | Rows::Single(rows) | Rows::Keyed(rows)) => {
                for (_, old) in rows.iter_mut().filter(|(name, _)| name == wanted) {
                    *old = value.clone().into();
                }
            }
            (
                ReportEdit::Drop(_) | ReportEdit::Add(..) | ReportEdit::Set(..),
                Rows::NoData(_) | Rows::Empty | Rows::Null,
            ) => {}
        }
    }

    pub(super) fn to_json(&self, behaviour: &Behaviour) -> Json {
        let result_set = match (&self.rows, behaviour.no_rows) {
            (Rows::NoData(_), NoRows::EmptyBody) => return Json::Object(Vec::new()),
            (Rows::NoData(_), NoRows::Missing) => None,
            (rows, _) => Some(rows.to_json(behaviour)),
        };
        let meta = ("meta", Json::object([("totalCount", self.total_count.into())]));
        let mut data = vec![("type".to_owned(), self.type_name.as_str().into())];
        data.extend(result_set.map(|rows| ("resultSet".to_owned(), rows)));
        let data = ("data", Json::Object(data));
        if behaviour.data_first { Json::object([data, meta]) } else { Json::object([meta, data]) }
    }
}

impl Rows {
    fn to_json(&self, behaviour: &Behaviour) -> Json {
        let shape = behaviour.shape;
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
            Self::Keyed(rows) => match shape {
                Shape::ReverseOrder => Json::Object(rows.iter().rev().cloned().collect()),
                Shape::ListOfSingles | Shape::OneObject | Shape::BareObject => Json::Object(rows.clone()),
            },
            Self::NoData(names) => match behaviour.no_rows {
                NoRows::EmptyLists => {
                    Json::Object(names.iter().map(|name| (name.clone(), Json::List(Vec::new()))).collect())
                }
                NoRows::EmptyObject => Json::Object(Vec::new()),
                NoRows::Null => Value::Null.into(),
                NoRows::EmptyList | NoRows::Missing | NoRows::EmptyBody => Json::List(Vec::new()),
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

/// Whether the appliance has this value of `reporting_system`.
fn is_stated(settings: &Settings, name: &str) -> bool {
    settings.product == Product::Sma || settings.behaviour.states_centralized || !name.starts_with("centralized_")
}

/// The values of `reporting_system`. All of them are strings (Swagger); that flags are `true`/`false` is assumed.
fn status(settings: &Settings, name: &str, request: &ReportRequest<'_>) -> Json {
    let time = |secs| settings.behaviour.time_form.write(secs);
    let text = match name {
        "begin_time" => time(request.available_until.saturating_sub(RETENTION.as_secs())),
        "end_time" => time(request.available_until),
        "heartbeat" => time(unix_secs(request.clock)),
        "centralized_reporting_enabled" => {
            (settings.product == Product::Sma || settings.behaviour.centralized != Centralized::Off).to_string()
        }
        _ => false.to_string(),
    };
    text.into()
}

//! A keyed report before it is laid out: rows of cells, and the choice of some of them.

use serde_json::Value;

use crate::sim::json::Json;

/// Columns, and one row for each key.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Table {
    pub(super) columns: Vec<String>,
    pub(super) rows: Vec<Row>,
}

/// The cells of one key.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Row {
    pub(super) key: String,
    /// The name of the host whose address the key is.
    pub(super) host: Option<&'static str>,
    /// Value that the rows are ranked by.
    pub(super) rank: f64,
    /// One for each column.
    pub(super) cells: Vec<Cell>,
}

/// A value of a row.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Cell {
    Events(u64),
    Other(Value),
}

impl Cell {
    fn as_value(&self) -> Value {
        match self {
            Self::Events(count) => (*count).into(),
            Self::Other(value) => value.clone(),
        }
    }

    /// `None` for a text.
    pub(super) fn as_f64(&self) -> Option<f64> {
        self.as_value().as_f64()
    }
}

/// Form of a value in a keyed report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueForm {
    /// A number, and for addresses an object of host name and number, as seen through published clients.
    AsSeen,
    /// A number, for addresses too.
    Number,
    /// The number as a string.
    Text,
    /// An object with `key` and `value`, for all keys. Where no host name goes with the key it is the key again.
    Object,
}

/// Which rows, in which order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct RowSelection {
    pub(super) filter: Option<KeyFilter>,
    /// The counter to order by, by its name in the catalogue; the rank of the group without one.
    pub(super) order_by: Option<String>,
    pub(super) direction: Direction,
    pub(super) top: Option<usize>,
    pub(super) page: Option<Page>,
}

/// A condition on the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum KeyFilter {
    Is(String),
    BeginsWith(String),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Direction {
    Ascending,
    /// Without an order the highest come first (assumed).
    #[default]
    Descending,
}

/// A part of the rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Page {
    pub(super) offset: usize,
    pub(super) limit: usize,
}

impl KeyFilter {
    pub(super) fn admits(&self, key: &str) -> bool {
        match self {
            Self::Is(wanted) => key == wanted,
            Self::BeginsWith(start) => key.starts_with(start.as_str()),
        }
    }
}

impl Table {
    /// Where this column is.
    pub(super) fn place(&self, column: &str) -> Option<usize> {
        self.columns.iter().position(|one| one == column)
    }

    /// Ranks the rows by a column; texts come last.
    pub(super) fn rank_by(&mut self, place: usize) {
        for row in &mut self.rows {
            row.rank = row.cells[place].as_f64().unwrap_or(f64::NEG_INFINITY);
        }
    }

    /// Keeps only the column at this place, and the rows that have something there.
    pub(super) fn keep_column(&mut self, place: usize, keep_zeros: bool) {
        self.columns = vec![self.columns.swap_remove(place)];
        for row in &mut self.rows {
            row.cells = vec![row.cells.swap_remove(place)];
        }
        self.rows.retain(|row| keep_zeros || row.cells != [Cell::Events(0)]);
    }

    /// One more column, the same in every row.
    pub(super) fn add_column(&mut self, name: &str, events: u64) {
        self.columns.push(name.to_owned());
        self.rows.iter_mut().for_each(|row| row.cells.push(Cell::Events(events)));
    }

    /// The rows chosen, at most `cap` of them: first those the filter admits, of these the highest, in order, and of
    /// these the page. Equal rows are in the order of their keys.
    pub(super) fn select(&mut self, selection: &RowSelection, cap: Option<usize>) {
        if let Some(filter) = &selection.filter {
            self.rows.retain(|row| filter.admits(&row.key));
        }
        self.rows.sort_by(|one, other| other.rank.total_cmp(&one.rank).then_with(|| one.key.cmp(&other.key)));
        if let Some(top) = selection.top {
            self.rows.truncate(top);
        }
        if selection.direction == Direction::Ascending {
            self.rows.sort_by(|one, other| one.rank.total_cmp(&other.rank).then_with(|| one.key.cmp(&other.key)));
        }
        if let Some(Page { offset, limit }) = selection.page {
            self.rows.drain(..offset.min(self.rows.len()));
            self.rows.truncate(limit);
        }
        self.rows.truncate(cap.unwrap_or(usize::MAX));
    }

    /// Each counter with its list of single-key objects.
    pub(super) fn members(&self, form: ValueForm) -> Vec<(String, Json)> {
        let list = |column: usize| {
            let item = |row: &Row| Json::Object(vec![(row.key.clone(), value(row, &row.cells[column], form))]);
            Json::List(self.rows.iter().map(item).collect())
        };
        self.columns.iter().enumerate().map(|(column, name)| (name.clone(), list(column))).collect()
    }
}

fn value(row: &Row, cell: &Cell, form: ValueForm) -> Json {
    let plain = || Json::Leaf(cell.as_value());
    let object = |key: &str| Json::object([("key", key.into()), ("value", plain())]);
    match (form, row.host) {
        (ValueForm::AsSeen | ValueForm::Object, Some(host)) => object(host),
        (ValueForm::Object, None) => object(&row.key),
        (ValueForm::AsSeen, None) | (ValueForm::Number, _) => plain(),
        (ValueForm::Text, _) => match cell {
            Cell::Events(count) => count.to_string().into(),
            Cell::Other(Value::Number(number)) => number.to_string().into(),
            Cell::Other(_) => plain(),
        },
    }
}

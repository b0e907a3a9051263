//! Reads the counters of a report and their rows as they come, so that nothing is kept but what a report holds.

use serde::de::{self, MapAccess, SeqAccess};

use super::{Reading, Report, Row};
use crate::api::wire::field;
use crate::api::wire::json::{By, Reader, TOO_MANY};
use crate::api::wire::number::{Measure, Scalar, Unusable};

/// Counters and rows of one answer: what the largest body has room for with keys of usual length, 10,000 rows of 20
/// counters, and a quarter more. They take up to 40 MB.
pub(super) const MOST_VALUES: usize = 250_000;

/// Reads a result set: an object of counters, or a list of such objects.
#[derive(Clone, Copy)]
pub(super) struct Results;

/// The counters so far.
struct Draft {
    report: Report,
    room: Room,
}

/// The number of values that may still be read.
struct Room(usize);

impl Room {
    fn take<E: de::Error>(&mut self) -> Result<(), E> {
        self.0 = self.0.checked_sub(1).ok_or_else(|| E::custom(TOO_MANY))?;
        Ok(())
    }
}

impl Draft {
    fn new() -> Self {
        Self { report: Report::default(), room: Room(MOST_VALUES) }
    }
}

impl<'de> Reader<'de> for Results {
    type Made = Report;

    fn scalar<E: de::Error>(self, value: Scalar<'_>) -> Result<Report, E> {
        match value {
            Scalar::Null => Ok(Report::default()),
            _ => Err(E::custom("`resultSet` is neither a list nor an object")),
        }
    }

    fn list<A: SeqAccess<'de>>(self, mut list: A) -> Result<Report, A::Error> {
        let mut draft = Draft::new();
        while list.next_element_seed(By(Counters(&mut draft)))?.is_some() {}
        Ok(draft.report)
    }

    fn object<A: MapAccess<'de>>(self, object: A) -> Result<Report, A::Error> {
        let mut draft = Draft::new();
        Counters(&mut draft).object(object)?;
        Ok(draft.report)
    }
}

/// Reads an object of counters.
struct Counters<'a>(&'a mut Draft);

impl<'de> Reader<'de> for Counters<'_> {
    type Made = ();

    fn scalar<E: de::Error>(self, _: Scalar<'_>) -> Result<(), E> {
        Err(E::custom("an element of `resultSet` is not an object"))
    }

    fn object<A: MapAccess<'de>>(self, mut object: A) -> Result<(), A::Error> {
        let Draft { report, room } = self.0;
        while let Some(counter) = object.next_key::<String>()? {
            room.take()?;
            let reading = object.next_value_seed(By(Value(&mut *room)))?;
            match report.readings.get_mut(&counter) {
                None => drop(report.readings.insert(counter, reading)),
                Some(known) => known.merge(reading),
            }
        }
        Ok(())
    }
}

/// Reads the value of a counter: a number, or rows.
struct Value<'a>(&'a mut Room);

impl<'de> Reader<'de> for Value<'_> {
    type Made = Reading;

    fn scalar<E: de::Error>(self, value: Scalar<'_>) -> Result<Reading, E> {
        Ok(Reading::One(Measure::read(value)))
    }

    fn list<A: SeqAccess<'de>>(self, mut list: A) -> Result<Reading, A::Error> {
        let mut rows = Rows { rows: Vec::new(), are_pairs: true, room: self.0 };
        while list.next_element_seed(By(&mut rows))?.is_some() {}
        Ok(Reading::Rows(rows.rows))
    }

    fn object<A: MapAccess<'de>>(self, object: A) -> Result<Reading, A::Error> {
        let mut rows = Rows { rows: Vec::new(), are_pairs: true, room: self.0 };
        Ok(match rows.fields(object)? {
            ObjectFields::Pair(key, value) => match value.known {
                Some(value) => Reading::Named(Row { key, value }),
                None => Reading::Rows(Vec::new()),
            },
            ObjectFields::Few(mut fields) => match fields.pop() {
                Some(only) if fields.is_empty() && only.name == "value" => {
                    Reading::One(only.cell.known.unwrap_or(Err(Unusable::NotANumber)))
                }
                last => {
                    rows.add(fields.into_iter().chain(last));
                    Reading::Rows(rows.rows)
                }
            },
            ObjectFields::Many => Reading::Rows(rows.rows),
        })
    }
}

/// The rows of one counter.
struct Rows<'a> {
    rows: Vec<Row>,
    /// Whether every object so far was a pair of a key and a value, as which its row was read.
    are_pairs: bool,
    room: &'a mut Room,
}

/// The fields of one object.
enum ObjectFields {
    /// A key and a value and nothing else.
    Pair(String, FieldValue),
    /// Two at most, which are no pair.
    Few(Vec<Field>),
    /// More, which are rows already.
    Many,
}

struct Field {
    name: String,
    cell: FieldValue,
}

/// One value in an object.
struct FieldValue {
    /// None for one that says that there is no value.
    known: Option<Result<Measure, Unusable>>,
    /// The text it is, where it may be a key.
    text: Option<String>,
}

impl<'de> Reader<'de> for &mut Rows<'_> {
    type Made = ();

    fn scalar<E: de::Error>(self, _: Scalar<'_>) -> Result<(), E> {
        Err(E::custom("a row of a counter is not an object"))
    }

    fn object<A: MapAccess<'de>>(self, object: A) -> Result<(), A::Error> {
        match self.fields(object)? {
            ObjectFields::Pair(key, FieldValue { known, .. }) if self.are_pairs => {
                self.rows.extend(known.map(|value| Row { key, value }));
            }
            ObjectFields::Pair(key, value) => self.add(split(&key, value.known)),
            ObjectFields::Few(fields) if fields.is_empty() => {}
            ObjectFields::Few(fields) => {
                self.are_no_pairs();
                self.add(fields);
            }
            ObjectFields::Many => {}
        }
        Ok(())
    }
}

impl Rows<'_> {
    fn fields<'de, A: MapAccess<'de>>(&mut self, mut object: A) -> Result<ObjectFields, A::Error> {
        let mut few = Vec::new();
        let mut are_many = false;
        while let Some(name) = object.next_key::<String>()? {
            self.room.take()?;
            let is_key = name == "key";
            let field = Field { name, cell: object.next_value_seed(By(CellReader { is_key }))? };
            if are_many {
                self.add([field]);
            } else if few.len() < 2 {
                few.push(field);
            } else {
                self.are_no_pairs();
                self.add(few.drain(..).chain([field]).collect::<Vec<_>>());
                are_many = true;
            }
        }
        if are_many {
            return Ok(ObjectFields::Many);
        }
        let is_pair = |one: &Field, other: &Field| one.cell.text.is_some() && other.name == "value";
        match <[Field; 2]>::try_from(few) {
            Ok([key, value]) if is_pair(&key, &value) => Ok(pair(key, value)),
            Ok([value, key]) if is_pair(&key, &value) => Ok(pair(key, value)),
            Ok(fields) => Ok(ObjectFields::Few(fields.into())),
            Err(fields) => Ok(ObjectFields::Few(fields)),
        }
    }

    /// Takes back that objects so far were pairs: each of their fields is a row.
    fn are_no_pairs(&mut self) {
        if std::mem::take(&mut self.are_pairs) {
            let pairs = std::mem::take(&mut self.rows);
            self.add(pairs.into_iter().flat_map(|Row { key, value }| split(&key, Some(value))));
        }
    }

    fn add(&mut self, fields: impl IntoIterator<Item = Field>) {
        let row = |Field { name, cell }: Field| Some(Row { key: name, value: cell.known? });
        self.rows.extend(fields.into_iter().filter_map(row));
    }
}

fn pair(key: Field, value: Field) -> ObjectFields {
    ObjectFields::Pair(key.cell.text.unwrap_or_default(), value.cell)
}

/// The fields of a pair that is none.
fn split(key: &str, value: Option<Result<Measure, Unusable>>) -> [Field; 2] {
    let cell = |known| FieldValue { known, text: None };
    let of_key = known(Scalar::Text(key));
    [Field { name: "key".into(), cell: cell(of_key) }, Field { name: "value".into(), cell: cell(value) }]
}

/// The value, or none where it says that there is none.
fn known(value: Scalar<'_>) -> Option<Result<Measure, Unusable>> {
    match value {
        Scalar::Text(text) if field::says_nothing(text) => None,
        value => Some(Measure::read(value)),
    }
}

/// Reads a value in an object: a number, or an object that has it under `value`.
struct CellReader {
    is_key: bool,
}

impl<'de> Reader<'de> for CellReader {
    type Made = FieldValue;

    fn scalar<E: de::Error>(self, value: Scalar<'_>) -> Result<FieldValue, E> {
        let text = match value {
            Scalar::Text(text) if self.is_key => Some(text.to_owned()),
            _ => None,
        };
        Ok(FieldValue { known: known(value), text })
    }

    fn object<A: MapAccess<'de>>(self, object: A) -> Result<FieldValue, A::Error> {
        let inner = field::Wanted { names: &["value"], refusal: None }.object(object)?;
        let known = inner.get("value").map_or(Some(Err(Unusable::NotANumber)), |value| known(value.scalar()));
        Ok(FieldValue { known, text: None })
    }
}

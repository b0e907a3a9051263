//! Reads the answer of `health/delivery_status`: the destinations that a gateway has mail for. One published client knows
//! the endpoint, so every part may be missing or have another form.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use serde::de::{self, MapAccess, SeqAccess};

use crate::api::wire::field::{self, Fields, says_nothing};
use crate::api::wire::json::{By, Member, Reader};
use crate::api::wire::number::{Scalar, Unusable, UnusableCounts};
use crate::api::{Failure, Reason};

/// Destinations that are kept of one answer; the rest is not read.
const MOST_DESTINATIONS: usize = 10_000;
const FIELDS: [&str; 7] = [
    "destination_domain",
    "latest_host_status",
    "active_recipients",
    "connections_out",
    "delivered_recipients",
    "soft_bounces",
    "hard_bounces",
];

/// The destinations of an ESA.
///
/// **Source:** one published client; the names are those of the export of the web interface in an older one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeliveryStatus {
    /// By domain, in small letters.
    pub destinations: BTreeMap<String, Destination>,
    /// Values that are no usable number, and domains that come twice.
    pub unusable: UnusableCounts,
}

/// One destination; a value that is missing or unusable is none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Destination {
    /// Whether its host was reachable at the last attempt.
    pub status: HostStatus,
    /// Recipients that wait.
    pub active: Option<u64>,
    /// Open connections to it.
    pub connections: Option<u64>,
    /// Recipients delivered; since when is not documented.
    pub delivered: Option<u64>,
    /// Deliveries that are tried again; since when is not documented.
    pub soft_bounces: Option<u64>,
    /// Deliveries that were given up; since when is not documented.
    pub hard_bounces: Option<u64>,
}

/// The state of a destination's host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HostStatus {
    /// It takes mail.
    Up,
    /// It does not.
    Down,
    /// Anything else.
    #[default]
    Unknown,
}

impl HostStatus {
    /// **Source:** `Active` in the example of one client; `up`, `down` and `unknown` of the command line (assumed to be the
    /// words of the API too).
    fn of(text: &str) -> Self {
        match text.trim().to_ascii_lowercase().as_str() {
            "up" | "active" => Self::Up,
            "down" => Self::Down,
            _ => Self::Unknown,
        }
    }

    /// The value of the label `state`.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
            Self::Unknown => "unknown",
        }
    }
}

impl DeliveryStatus {
    /// The fields that are read.
    pub const FIELDS: &'static [&'static str] = &FIELDS;
    /// The path below the API's root; without parameters.
    ///
    /// **Source:** one published client.
    pub const PATH: &'static str = "health/delivery_status";

    /// Reads the answer.
    ///
    /// # Errors
    /// [`Reason::NotJson`] and [`Reason::Malformed`] for what is no answer, [`Reason::Empty`] for one without a list; a list
    /// of no destinations is an answer.
    pub fn parse(body: &str) -> Result<Self, Failure> {
        let results = Member { name: "resultSet", reader: Destinations, refusal: "`data` is not an object" };
        let read = field::data(body, results)?.flatten().flatten();
        read.ok_or_else(|| Failure::new(Reason::Empty, "the response lists no destinations"))
    }

    fn take(&mut self, mut fields: Fields) {
        let Some(domain) = fields.text("destination_domain").filter(|domain| !says_nothing(domain)) else { return };
        let status = fields.text("latest_host_status").map_or(HostStatus::Unknown, |text| HostStatus::of(&text));
        let mut count = |name| fields.count(name);
        let destination = Destination {
            status,
            active: count("active_recipients"),
            connections: count("connections_out"),
            delivered: count("delivered_recipients"),
            soft_bounces: count("soft_bounces"),
            hard_bounces: count("hard_bounces"),
        };
        self.unusable.iter_mut().zip(fields.unusable).for_each(|(sum, more)| *sum += more);
        if self.destinations.len() == MOST_DESTINATIONS {
            return;
        }
        match self.destinations.entry(domain.to_lowercase()) {
            Entry::Vacant(vacant) => drop(vacant.insert(destination)),
            Entry::Occupied(known) if *known.get() == destination => {}
            Entry::Occupied(_) => Unusable::Conflicting.count_in(&mut self.unusable),
        }
    }
}

/// Reads a list of destinations, or one.
#[derive(Clone, Copy)]
struct Destinations;

impl<'de> Reader<'de> for Destinations {
    type Made = Option<DeliveryStatus>;

    fn scalar<E: de::Error>(self, value: Scalar<'_>) -> Result<Self::Made, E> {
        match value {
            Scalar::Null => Ok(None),
            _ => Err(E::custom("`resultSet` is neither a list nor an object")),
        }
    }

    fn list<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Made, A::Error> {
        let mut read = DeliveryStatus::default();
        while let Some(fields) = list.next_element_seed(By(field::Wanted { names: &FIELDS, refusal: None }))? {
            read.take(fields);
        }
        Ok(Some(read))
    }

    fn object<A: MapAccess<'de>>(self, object: A) -> Result<Self::Made, A::Error> {
        let (mut read, mut fields) = (DeliveryStatus::default(), Fields::default());
        fields.take(&FIELDS, object)?;
        read.take(fields);
        Ok(Some(read))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parse(results: &serde_json::Value) -> Result<DeliveryStatus, Failure> {
        DeliveryStatus::parse(&json!({"data": {"resultSet": results}}).to_string())
    }

    #[test]
    fn the_published_example_is_read() {
        let row = json!({"destination_domain": "Example.com", "latest_host_status": "Active", "active_recipients": 5,
            "delivered_recipients": 100, "soft_bounces": 2, "hard_bounces": 1, "connections_out": 3});
        let expected = Destination {
            status: HostStatus::Up,
            active: Some(5),
            connections: Some(3),
            delivered: Some(100),
            soft_bounces: Some(2),
            hard_bounces: Some(1),
        };
        let destinations = BTreeMap::from([("example.com".to_owned(), expected)]);
        let expected = DeliveryStatus { destinations, unusable: [0; 6] };
        assert_eq!(parse(&json!([row])).expect("a list"), expected);
        assert_eq!(parse(&row).expect("one object"), expected);
    }

    #[test]
    fn odd_values_are_counted_and_odd_rows_left_out() {
        let read = parse(&json!([
            {"destination_domain": "a", "active_recipients": "1,500", "delivered_recipients": "N/A", "soft_bounces": -1,
             "hard_bounces": 1.5, "latest_host_status": "DOWN"},
            {"destination_domain": "A", "active_recipients": 7},
            {"active_recipients": 7}, {"destination_domain": "-"}, 5, null,
        ]))
        .expect("a list");
        let expected = Destination { status: HostStatus::Down, active: Some(1500), ..Destination::default() };
        assert_eq!(read.destinations, BTreeMap::from([("a".to_owned(), expected)]));
        assert_eq!(read.unusable, [0, 1, 1, 1, 0, 0]);
        assert_eq!(parse(&json!([])).expect("no mail waits"), DeliveryStatus::default());
        assert_eq!(parse(&json!(null)).expect_err("nothing").reason, Reason::Empty);
        assert_eq!(parse(&json!("x")).expect_err("a text").reason, Reason::Malformed);
        let many: Vec<_> =
            (0..MOST_DESTINATIONS + 5).map(|one| json!({"destination_domain": format!("d{one}")})).collect();
        assert_eq!(parse(&many.into()).expect("many").destinations.len(), MOST_DESTINATIONS);
    }
}

//! Reads what an appliance says of itself and its surroundings: the appliances a manager looks after, its time zone,
//! what the account may use.

use std::collections::BTreeSet;

use serde::de::{self, IgnoredAny, MapAccess, SeqAccess};

use crate::api::wire::calendar::Civil;
use crate::api::wire::field::{self, Fields, Wanted};
use crate::api::wire::json::{By, Member, Reader};
use crate::api::wire::number::Scalar;
use crate::api::wire::query::device_type;
use crate::api::{Failure, Reason, UnusableCounts};
use crate::base::clock::Timestamp;
use crate::config::Product;

/// Appliances that are kept of one answer: far more than a manager can look after.
const MOST_APPLIANCES: usize = 1000;
/// Privileges that are kept of one answer; a sample of 4392 bytes has well over a hundred.
const MOST_PRIVILEGES: usize = 1000;

/// The differences of time zones are multiples of this, in seconds.
const QUARTER: i64 = 15 * 60;
/// The time zone that is furthest from UTC, in seconds.
const FURTHEST_ZONE: i64 = 14 * 3600;
/// The difference between an answer's time and the clock at its arrival that is explained by its way, in seconds.
const LATEST_ANSWER: i64 = 5 * 60;

/// The appliances that a manager looks after.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::api) struct Inventory {
    /// In the order of the answer.
    pub appliances: Vec<ManagedAppliance>,
}

/// One appliance as its manager knows it; older releases tell only its host name, address and product.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ManagedAppliance {
    /// The serial number.
    pub serial: String,
    /// The kind of product, such as `ESA`.
    pub product_type: Option<String>,
    /// The name the manager was given for it.
    pub host_name: Option<String>,
    /// Where the manager reaches it.
    pub ip_address: Option<String>,
    /// Whether the manager has a connection to it.
    pub connection_established: Option<bool>,
    /// Whether it hands over tracking data.
    pub tracking_enabled: Option<bool>,
    /// Whether it hands over reporting data.
    pub reporting_enabled: Option<bool>,
    /// Whether its policy, virus and outbreak quarantines are on the manager.
    pub pvo_enabled: Option<bool>,
    /// Whether its spam quarantine is on the manager.
    pub spam_enabled: Option<bool>,
    /// Values that are no switch.
    pub unusable: UnusableCounts,
}

impl Inventory {
    /// The path below the API's root.
    ///
    /// **Source:** API guide for managers 13.0; recorded answer of 12.0.
    pub(in crate::api) const PATH: &'static str = "config/appliances";

    /// The parameters, which are those of a manager: what a gateway answers here is not published.
    #[must_use]
    pub(in crate::api) fn query() -> String {
        device_type(Product::Sma)
    }

    /// Reads the answer.
    ///
    /// # Errors
    /// [`Reason::NotJson`] and [`Reason::Malformed`] for what is no answer, [`Reason::Empty`] for one without a list of
    /// appliances; a list of none is an answer.
    pub(in crate::api) fn parse(body: &str) -> Result<Self, Failure> {
        let list = Member { name: "appliances", reader: Appliances, refusal: "`data` is not an object" };
        let appliances = field::data(body, list)?.flatten().flatten();
        let appliances = appliances.ok_or_else(|| Failure::new(Reason::Empty, "the response lists no appliances"))?;
        Ok(Self { appliances })
    }
}

/// Reads a list of objects, or one object, with an appliance under each serial number.
#[derive(Clone, Copy)]
struct Appliances;

impl<'de> Reader<'de> for Appliances {
    type Made = Option<Vec<ManagedAppliance>>;

    fn scalar<E: de::Error>(self, value: Scalar<'_>) -> Result<Self::Made, E> {
        match value {
            Scalar::Null => Ok(None),
            _ => Err(E::custom("`appliances` is neither a list nor an object")),
        }
    }

    fn list<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Made, A::Error> {
        let mut found = ManagedAppliances::default();
        while list.next_element_seed(By(&mut found))?.is_some() {}
        Ok(Some(found.appliances))
    }

    fn object<A: MapAccess<'de>>(self, object: A) -> Result<Self::Made, A::Error> {
        let mut found = ManagedAppliances::default();
        (&mut found).object(object)?;
        Ok(Some(found.appliances))
    }
}

/// Appliances so far.
#[derive(Default)]
struct ManagedAppliances {
    appliances: Vec<ManagedAppliance>,
    /// Serial numbers so far: an appliance that comes a second time is left out.
    known: BTreeSet<String>,
}

impl<'de> Reader<'de> for &mut ManagedAppliances {
    type Made = ();

    fn scalar<E: de::Error>(self, _: Scalar<'_>) -> Result<(), E> {
        Err(E::custom("an element of `appliances` is not an object"))
    }

    fn object<A: MapAccess<'de>>(self, mut object: A) -> Result<(), A::Error> {
        while let Some(serial) = object.next_key::<String>()? {
            let serial = field::tidied(&serial).filter(|_| self.appliances.len() < MOST_APPLIANCES);
            match serial.filter(|serial| self.known.insert(serial.clone())) {
                Some(serial) => {
                    let fields = object.next_value_seed(By(Wanted { names: &FIELDS, refusal: None }))?;
                    self.appliances.push(appliance(serial, fields));
                }
                None => drop(object.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

const FIELDS: [&str; 8] = [
    "product_type",
    "host_name",
    "ip_address",
    "connection_established",
    "tracking_enabled",
    "reporting_enabled",
    "pvo_enabled",
    "spam_enabled",
];

fn appliance(serial: String, mut fields: Fields) -> ManagedAppliance {
    let appliance = ManagedAppliance {
        serial,
        product_type: fields.text("product_type"),
        host_name: fields.text("host_name"),
        ip_address: fields.text("ip_address"),
        connection_established: fields.switch("connection_established"),
        tracking_enabled: fields.switch("tracking_enabled"),
        reporting_enabled: fields.switch("reporting_enabled"),
        pvo_enabled: fields.switch("pvo_enabled"),
        spam_enabled: fields.switch("spam_enabled"),
        unusable: UnusableCounts::default(),
    };
    ManagedAppliance { unusable: fields.unusable, ..appliance }
}

/// The time where the appliance is, as it writes it. Its instant is not computed: the `Date` of every answer has that,
/// and abbreviations of zones are ambiguous.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::api) struct LocalTime {
    /// The zone's name, such as `America/Los_Angeles`.
    pub timezone: Option<String>,
    /// The time, such as `Mon May 13 07:02:36 2019 PDT`.
    pub time: Option<String>,
}

impl LocalTime {
    /// The path below the API's root. Accounts of low roles may use it.
    ///
    /// **Source:** API guide for gateways 16.0; published documentation of the vendor for managers.
    pub(in crate::api) const PATH: &'static str = "config/system_time";

    /// The parameters.
    #[must_use]
    pub(in crate::api) fn query(product: Product) -> String {
        device_type(product)
    }

    /// Seconds that the appliance's local time is ahead of UTC, which is `now`; none where the time is in another form. Zones
    /// differ by quarters of an hour.
    pub(in crate::api) fn seconds_east(&self, now: Timestamp) -> Option<i64> {
        let local = Civil::of_ctime(self.time.as_deref()?)?.seconds();
        let ahead = i64::try_from(local).ok()? - i64::try_from(now.as_secs()).ok()?;
        let quarters = (ahead + QUARTER.div_euclid(2)).div_euclid(QUARTER) * QUARTER;
        // No zone is further from UTC; and beyond some minutes it is a clock that is wrong.
        (quarters.abs() <= FURTHEST_ZONE && (ahead - quarters).abs() <= LATEST_ANSWER).then_some(quarters)
    }

    /// Reads the answer.
    ///
    /// # Errors
    /// [`Reason::NotJson`] and [`Reason::Malformed`] for what is no answer, [`Reason::Empty`] for one without any
    /// value.
    pub(in crate::api) fn parse(body: &str) -> Result<Self, Failure> {
        let data = Fields::of_data(body, &["timezone", "time"])?;
        let local = Self { timezone: data.text("timezone"), time: data.text("time") };
        if local == Self::default() {
            return Err(Failure::new(Reason::Empty, "the response has neither a time nor a time zone"));
        }
        Ok(local)
    }
}

/// The privileges of the account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::api) struct Privileges {
    /// The appliance's names for parts of its API, such as `e_message_tracking_messages`.
    pub names: BTreeSet<String>,
}

impl Privileges {
    /// The path below the API's root; without parameters.
    ///
    /// **Source:** API guide for gateways 16.0.
    pub(in crate::api) const PATH: &'static str = "login/privileges";

    /// Reads the answer: a list of names, or in another form a list of resources with their methods, of which the
    /// names of the resources are kept.
    ///
    /// # Errors
    /// [`Reason::NotJson`] and [`Reason::Malformed`] for what is no answer, [`Reason::Empty`] for one without a list; a
    /// list of none is an answer.
    ///
    /// **Source:** API guide for gateways 16.0; vendor TechNote 226388 for the other form.
    pub(in crate::api) fn parse(body: &str) -> Result<Self, Failure> {
        let names = field::data(body, PrivilegesOf::Data)?.flatten();
        let names = names.ok_or_else(|| Failure::new(Reason::Empty, "the response lists no privileges"))?;
        Ok(Self { names })
    }
}

/// Reads the list, or the object that holds it.
#[derive(Clone, Copy)]
enum PrivilegesOf {
    Data,
    Member,
}

impl<'de> Reader<'de> for PrivilegesOf {
    type Made = Option<BTreeSet<String>>;

    fn scalar<E: de::Error>(self, value: Scalar<'_>) -> Result<Self::Made, E> {
        match value {
            Scalar::Null => Ok(None),
            _ => Err(E::custom("the privileges are not a list")),
        }
    }

    fn list<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Made, A::Error> {
        let mut names = BTreeSet::new();
        while names.len() < MOST_PRIVILEGES {
            match list.next_element_seed(By(Privilege))? {
                Some(name) => names.extend(name),
                None => return Ok(Some(names)),
            }
        }
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Some(names))
    }

    fn object<A: MapAccess<'de>>(self, object: A) -> Result<Self::Made, A::Error> {
        match self {
            Self::Data => {
                Ok(Member { name: "privileges", reader: Self::Member, refusal: "" }.object(object)?.flatten())
            }
            Self::Member => Err(de::Error::custom("the privileges are not a list")),
        }
    }
}

/// Reads a name, or the name of the resource in an object.
#[derive(Clone, Copy)]
struct Privilege;

impl<'de> Reader<'de> for Privilege {
    type Made = Option<String>;

    fn scalar<E: de::Error>(self, value: Scalar<'_>) -> Result<Self::Made, E> {
        Ok(match value {
            Scalar::Text(name) => field::tidied(name),
            _ => None,
        })
    }

    fn object<A: MapAccess<'de>>(self, object: A) -> Result<Self::Made, A::Error> {
        Ok(Wanted { names: &["resource"], refusal: None }.object(object)?.text("resource"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn reasons<T: std::fmt::Debug>(parse: impl Fn(&str) -> Result<T, Failure>, bodies: &[&str], expected: Reason) {
        for body in bodies {
            assert_eq!(parse(body).expect_err(body).reason, expected, "{body}");
        }
    }

    #[test]
    fn appliances_of_new_and_old_releases() {
        let body = r#"{"data": {"appliances": [
            {"AA-1": {"product_type": "ESA", "pvo_enabled": true, "connection_established": true, "tracking_enabled": true,
                      "reporting_enabled": "true", "host_name": "esa1.example.com", "spam_enabled": false,
                      "ip_address": "192.0.2.11"}},
            {"BB-2": {"ip_address": "192.0.2.12", "product_type": "WSA", "host_name": "wsa1.example.com", "new": 1}},
            {"CC-3": {"pvo_enabled": "maybe"}}, {" ": {}}, {"AA-1": {}}]}}"#;
        let esa = ManagedAppliance {
            serial: "AA-1".into(),
            product_type: Some("ESA".into()),
            host_name: Some("esa1.example.com".into()),
            ip_address: Some("192.0.2.11".into()),
            connection_established: Some(true),
            tracking_enabled: Some(true),
            reporting_enabled: Some(true),
            pvo_enabled: Some(true),
            spam_enabled: Some(false),
            unusable: [0; 6],
        };
        let wsa = ManagedAppliance {
            serial: "BB-2".into(),
            product_type: Some("WSA".into()),
            host_name: Some("wsa1.example.com".into()),
            ip_address: Some("192.0.2.12".into()),
            ..ManagedAppliance::default()
        };
        let bare =
            ManagedAppliance { serial: "CC-3".into(), unusable: [1, 0, 0, 0, 0, 0], ..ManagedAppliance::default() };
        assert_eq!(Inventory::parse(body).expect("an answer").appliances, [esa, wsa, bare]);
        assert_eq!(Inventory::parse(r#"{"data": {"appliances": []}}"#).expect("none"), Inventory::default());
        assert_eq!(Inventory::query(), "device_type=sma");
    }

    #[test]
    fn a_fleet_without_end_is_cut() {
        let entries: Vec<String> = (0..=MOST_APPLIANCES).map(|number| format!(r#"{{"S{number}": {{}}}}"#)).collect();
        let body = format!(r#"{{"data": {{"appliances": [{}]}}}}"#, entries.join(", "));
        assert_eq!(Inventory::parse(&body).expect("an answer").appliances.len(), MOST_APPLIANCES);
    }

    #[test]
    fn the_time_is_repeated_as_it_stands() {
        let body = r#"{"data": {"timezone": "Asia/Kolkata", "continent": ["Asia", "India", "Kolkata"],
                                "time": "Thu Apr 12 23:38:05 2018 IST"}}"#;
        let expected =
            LocalTime { timezone: Some("Asia/Kolkata".into()), time: Some("Thu Apr 12 23:38:05 2018 IST".into()) };
        assert_eq!(LocalTime::parse(body).expect("an answer"), expected);
        assert_eq!(LocalTime::query(Product::Esa), "device_type=esa");
    }

    #[test]
    fn privileges_of_both_forms() {
        let names: BTreeSet<String> = ["e_message_tracking_detail".into(), "e_message_tracking_messages".into()].into();
        for body in [
            r#"{"data": ["e_message_tracking_messages", "e_message_tracking_detail", 5, null, ""]}"#,
            r#"{"data": {"privileges": [{"resource": "e_message_tracking_detail", "methods": ["GET"]}, {"methods": []},
                                        {"methods": [], "resource": "e_message_tracking_messages"}]}}"#,
        ] {
            assert_eq!(Privileges::parse(body).expect("an answer").names, names, "{body}");
        }
        assert_eq!(Privileges::parse(r#"{"data": []}"#).expect("none"), Privileges::default());
    }

    #[test]
    fn what_tells_nothing_or_is_no_answer_is_told_apart() {
        reasons(Inventory::parse, &["{}", r#"{"data": {}}"#, r#"{"data": {"appliances": null}}"#], Reason::Empty);
        reasons(
            Inventory::parse,
            &[r#"{"data": {"appliances": 5}}"#, r#"{"data": {"appliances": [5]}}"#],
            Reason::Malformed,
        );
        reasons(LocalTime::parse, &["{}", r#"{"data": {"time": 5}}"#], Reason::Empty);
        reasons(LocalTime::parse, &[r#"{"data": "x"}"#], Reason::Malformed);
        reasons(Privileges::parse, &["{}", r#"{"data": {"privileges": null}}"#], Reason::Empty);
        reasons(Privileges::parse, &[r#"{"data": 5}"#, r#"{"data": {"privileges": {}}}"#], Reason::Malformed);
        let refused = [r#"{"error": {"message": "Missing attribute - device_type.", "code": "404"}}"#, "[]", "{"];
        reasons(Inventory::parse, &refused, Reason::Malformed);
        reasons(LocalTime::parse, &refused, Reason::Malformed);
        reasons(Privileges::parse, &refused, Reason::Malformed);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_text_is_read_or_refused(body in ".*") {
            let _ = (Inventory::parse(&body), LocalTime::parse(&body), Privileges::parse(&body));
        }
    }
}

//! Questions about quarantines and their answers: how many messages, which quarantines there are, how much space one
//! takes. The messages themselves are personal data: no more of them are requested than it takes to count them.

use std::collections::BTreeSet;

use serde::de::{self, IgnoredAny, MapAccess, SeqAccess};

use crate::api::wire::field::{self, Wanted};
use crate::api::wire::json::{self, By, JsonScalar, Member, Reader};
use crate::api::wire::number::Scalar;
use crate::api::wire::pages::Paging;
use crate::api::wire::query::{device_type, encoded};
use crate::api::{Failure, Reason, UnusableCounts};
use crate::base::clock::Timestamp;
use crate::catalogue::Unit;
use crate::config::Product;

/// Quarantines that are kept of one answer; an appliance has a handful and each becomes a label.
const MOST_QUARANTINES: usize = 256;
/// The longest name of a quarantine: a longer one is left out, because cut it would be another's.
const LONGEST_NAME: usize = 128;

/// The messages of a quarantine.
#[derive(Debug)]
pub(in crate::api) struct QuarantineMessages;

impl QuarantineMessages {
    /// The path below the API's root.
    ///
    /// **Source:** recorded answer of a manager; the vendor's Swagger description for gateways.
    pub(in crate::api) const PATH: &'static str = "quarantine/messages";

    /// The smallest page; its answer has the whole number, or leaves it open.
    ///
    /// **Source:** published client.
    pub(in crate::api) const SMALLEST_PAGE: Paging = Paging { limit: 1, most_pages: 1 };

    /// The pages of a quarantine whose number is left open. **Source:** published client, for the rows of a page. Of 32
    /// quarantines that are counted every five minutes these and the first are 32 requests a minute at most.
    pub(in crate::api) const PAGES: Paging = Paging { limit: 250, most_pages: 4 };

    /// The parameters for the spam quarantine, of the messages that arrived from `start` to `end`.
    #[must_use]
    pub(in crate::api) fn spam_query(start: Timestamp, end: Timestamp) -> String {
        format!("quarantineType=spam&{}", between(start, end))
    }

    /// As [`QuarantineMessages::spam_query`], for one of the policy, virus and outbreak quarantines.
    ///
    /// **Source:** published clients, which write a space in a name as `+`.
    #[must_use]
    pub(in crate::api) fn named_query(name: &str, start: Timestamp, end: Timestamp) -> String {
        format!("quarantineType=pvo&quarantines={}&{}", encoded(name), between(start, end))
    }
}

/// Both dates, widened to whole minutes: the appliance declines seconds. An end in the future is accepted.
///
/// **Source:** vendor's published documentation of the API, its error for seconds; published clients.
fn between(start: Timestamp, end: Timestamp) -> String {
    let start = Timestamp::from_secs(start.as_secs() / 60 * 60);
    let end = Timestamp::from_secs(end.as_secs().div_ceil(60) * 60);
    format!("startDate={start}&endDate={end}")
}

/// The policy, virus and outbreak quarantines there are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::api) struct Quarantines {
    /// Sorted, each once.
    pub names: Vec<String>,
}

impl Quarantines {
    /// The path below the API's root.
    ///
    /// **Source:** published client.
    pub(in crate::api) const PATH: &'static str = "config/quarantines";

    /// The parameters.
    #[must_use]
    pub(in crate::api) fn query(product: Product) -> String {
        format!("{}&quarantine_type=pvo", device_type(product))
    }

    /// Reads the answer: lists of names under keys of any name.
    ///
    /// # Errors
    /// [`Reason::NotJson`] and [`Reason::Malformed`] for what is no answer, [`Reason::Empty`] for one without lists.
    ///
    /// **Source:** published client.
    pub(in crate::api) fn parse(body: &str) -> Result<Self, Failure> {
        let lists = Member { name: "quarantines", reader: NameLists, refusal: "`data` is not an object" };
        let names = field::data(body, lists)?.flatten().flatten();
        let names = names.ok_or_else(|| Failure::new(Reason::Empty, "the response lists no quarantines"))?;
        Ok(Self { names: names.into_iter().collect() })
    }
}

/// Reads a list of names, or an object of such lists.
#[derive(Clone, Copy)]
struct NameLists;

impl<'de> Reader<'de> for NameLists {
    type Made = Option<BTreeSet<String>>;

    fn scalar<E: de::Error>(self, value: Scalar<'_>) -> Result<Self::Made, E> {
        match value {
            Scalar::Null => Ok(None),
            _ => Err(E::custom("`quarantines` is neither an object nor a list")),
        }
    }

    fn list<A: SeqAccess<'de>>(self, list: A) -> Result<Self::Made, A::Error> {
        let mut names = BTreeSet::new();
        NameList(&mut names).list(list)?;
        Ok(Some(names))
    }

    fn object<A: MapAccess<'de>>(self, mut object: A) -> Result<Self::Made, A::Error> {
        let mut names = BTreeSet::new();
        while object.next_key::<IgnoredAny>()?.is_some() {
            object.next_value_seed(By(NameList(&mut names)))?;
        }
        Ok(Some(names))
    }
}

/// Reads a list of names into those that come first in their order.
struct NameList<'a>(&'a mut BTreeSet<String>);

impl<'de> Reader<'de> for NameList<'_> {
    type Made = ();

    fn scalar<E: de::Error>(self, _: Scalar<'_>) -> Result<(), E> {
        Ok(())
    }

    fn list<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while let Some(name) = list.next_element::<JsonScalar>()? {
            self.0.extend(name.text().filter(|name| is_name(name)).map(str::to_owned));
            if self.0.len() > MOST_QUARANTINES {
                self.0.pop_last();
            }
        }
        Ok(())
    }
}

fn is_name(name: &str) -> bool {
    !name.trim().is_empty() && name.len() <= LONGEST_NAME && !name.chars().any(char::is_control)
}

/// The content of one quarantine of an ESA.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(in crate::api) struct QuarantineSize {
    /// Bytes in use; none where the answer does not say.
    pub used_bytes: Option<f64>,
    /// Values that are no usable number.
    pub unusable: UnusableCounts,
}

impl QuarantineSize {
    /// The endpoint of requests for it in metrics: the path itself has a name in it.
    pub(in crate::api) const ENDPOINT: &'static str = "config/local_quarantines";

    /// The path below the API's root; none for a name that would lead elsewhere.
    ///
    /// **Source:** the vendor's Swagger description of the API 2.0, for gateways.
    #[must_use]
    pub(in crate::api) fn path(name: &str) -> Option<String> {
        // A URL drops such a part together with the one before it.
        let leads_elsewhere = name.is_empty() || name == "." || name == "..";
        (!leads_elsewhere).then(|| format!("config/local_quarantines/{}", encoded(name).replace('+', "%20")))
    }

    /// The parameters.
    #[must_use]
    pub(in crate::api) fn query() -> String {
        device_type(Product::Esa)
    }

    /// Reads the answer.
    ///
    /// # Errors
    /// [`Reason::NotJson`] and [`Reason::Malformed`] for what is no answer.
    ///
    /// **Source:** the vendor's Swagger description for the name; the form of the text is that of a recorded message's
    /// size. Whether it stands under `data`, as everywhere else, is assumed, so that without is read too.
    pub(in crate::api) fn parse(body: &str) -> Result<Self, Failure> {
        let wanted = Wanted { names: &["quarantine_size_used"], refusal: Some("`data` is not an object") };
        let mut quarantine = match field::data(body, wanted)? {
            Some(quarantine) => quarantine,
            None => json::read(body, wanted)?,
        };
        let used_bytes = quarantine.amount("quarantine_size_used", &Unit::Bytes);
        Ok(Self { used_bytes, unusable: quarantine.unusable })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn both_dates_are_sent_and_colons_stay() {
        let (start, end) = (Timestamp::from_secs(1_795_435_259), Timestamp::from_secs(1_795_435_260));
        assert_eq!(
            QuarantineMessages::spam_query(start, end),
            "quarantineType=spam&startDate=2026-11-23T12:00:00.000Z&endDate=2026-11-23T12:01:00.000Z"
        );
        assert_eq!(
            QuarantineMessages::named_query("File Analysis & more,ü", start, end + std::time::Duration::from_secs(1)),
            "quarantineType=pvo&quarantines=File+Analysis+%26+more%2C%C3%BC&startDate=2026-11-23T12:00:00.000Z\
             &endDate=2026-11-23T12:02:00.000Z"
        );
        assert_eq!(Quarantines::query(Product::Sma), "device_type=sma&quarantine_type=pvo");
        assert_eq!(QuarantineSize::query(), "device_type=esa");
    }

    #[test]
    fn names_are_sorted_and_unique() {
        let body = r#"{"data": {"quarantines": {"esa1": ["Virus", "Policy", "File Analysis"], "esa2": ["Policy", 5, null, ""],
                                               "count": 2}}}"#;
        assert_eq!(Quarantines::parse(body).expect("an answer").names, ["File Analysis", "Policy", "Virus"]);
        let body = r#"{"data": {"quarantines": ["Policy"]}}"#;
        assert_eq!(Quarantines::parse(body).expect("an answer").names, ["Policy"]);
        assert_eq!(Quarantines::parse(r#"{"data": {"quarantines": {}}}"#).expect("none"), Quarantines::default());
    }

    #[test]
    fn names_are_bounded_in_number_and_length() {
        let names: Vec<String> = (0..=MOST_QUARANTINES).map(|number| format!("{number:04}")).collect();
        let long = "x".repeat(LONGEST_NAME + 1);
        let body = serde_json::json!({"data": {"quarantines": {"a": names, "b": [long, "a\nb"]}}});
        assert_eq!(Quarantines::parse(&body.to_string()).expect("an answer").names, names[..MOST_QUARANTINES]);
    }

    #[test]
    fn sizes_become_bytes() {
        let size = |body: &str| QuarantineSize::parse(body).expect(body).used_bytes;
        assert_eq!(
            size(r#"{"data": {"quarantine_name": "Policy", "quarantine_size_used": "17.50K"}}"#),
            Some(17_920.0)
        );
        assert_eq!(size(r#"{"quarantine_size_used": "388M"}"#), Some(406_847_488.0));
        assert_eq!(size(r#"{"data": {"quarantine_size_used": 12}}"#), Some(12.0));
        let unusable = |body: &str| QuarantineSize::parse(body).expect(body).unusable;
        for (body, counts) in [
            (r#"{"data": {}}"#, [0; 6]),
            ("{}", [0; 6]),
            (r#"{"quarantine_size_used": "N/A"}"#, [1, 0, 0, 0, 0, 0]),
            (r#"{"quarantine_size_used": -1}"#, [0, 1, 0, 0, 0, 0]),
        ] {
            assert_eq!((size(body), unusable(body)), (None, counts), "{body}");
        }
    }

    #[test]
    fn a_name_cannot_leave_its_folder() {
        assert_eq!(
            QuarantineSize::path("a b/../?#%ü").as_deref(),
            Some("config/local_quarantines/a%20b%2F..%2F%3F%23%25%C3%BC")
        );
        assert_eq!([".", "..", ""].map(QuarantineSize::path), [None, None, None]);
    }

    #[test]
    fn what_tells_nothing_or_is_no_answer_is_told_apart() {
        let reason = |body: &str| Quarantines::parse(body).expect_err(body).reason;
        assert_eq!((reason("{}"), reason(r#"{"data": {"quarantines": null}}"#)), (Reason::Empty, Reason::Empty));
        assert_eq!((reason(r#"{"data": {"quarantines": 5}}"#), reason("[]")), (Reason::Malformed, Reason::Malformed));
        let reason = |body: &str| QuarantineSize::parse(body).expect_err(body).reason;
        assert_eq!((reason(r#"{"data": []}"#), reason("<html>")), (Reason::Malformed, Reason::NotJson));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_text_is_read_or_refused(body in ".*") {
            let _ = (Quarantines::parse(&body), QuarantineSize::parse(&body));
            let _ = QuarantineSize::path(&body);
        }
    }
}

//! Status requests of an appliance besides reports: `health`, `system_status`, `delivery_status`, `xml_status`,
//! `quarantines`, `inventory`.

use std::num::NonZeroUsize;

use serde_yaml::Value;
use url::Url;

use super::path::Path;
use super::problem::Problems;
use super::{Product, Quarantines, StatusOptions, field, raw};

/// The most destinations that may have series of their own: several series each.
pub(super) const MOST_DESTINATIONS: usize = 1000;
/// Destinations that have series of their own unless configured.
const USUAL_DESTINATIONS: NonZeroUsize = NonZeroUsize::new(20).expect("20 is not zero");

impl StatusOptions {
    /// Whether the file has `key`.
    #[must_use]
    pub fn names(&self, key: &str) -> bool {
        self.named.contains(&key)
    }
}

/// Reads the keys of one appliance at `url`.
pub(super) fn read(
    raw: &raw::Appliance,
    product: Product,
    url: Option<&Url>,
    path: &Path,
    problems: &mut Problems,
) -> StatusOptions {
    let keys = [
        ("health", &raw.health),
        ("system_status", &raw.system_status),
        ("delivery_status", &raw.delivery_status),
        ("xml_status", &raw.xml_status),
        ("quarantines", &raw.quarantines),
        ("inventory", &raw.inventory),
    ];
    let named = keys.into_iter().filter(|(_, value)| value.is_some()).map(|(key, _)| key).collect();
    let mut switch =
        |key: &str, value: Option<&Value>, usual| field::switch(value, &path.key(key), problems).unwrap_or(usual);
    // Whether a manager has it is not known: it is asked where somebody says so.
    let health = switch("health", raw.health.as_ref(), product == Product::Esa);
    let system_status = switch("system_status", raw.system_status.as_ref(), health && product == Product::Esa);
    let inventory = switch("inventory", raw.inventory.as_ref(), true);
    if system_status && product == Product::Sma {
        problems.error(&path.key("system_status"), "only an ESA has it: set `product: esa`, or leave it out");
    }
    let delivery_status = delivery_status(raw.delivery_status.as_ref(), &path.key("delivery_status"), problems);
    if delivery_status.is_some() && product == Product::Sma {
        problems.error(&path.key("delivery_status"), "only an ESA has it: set `product: esa`, or leave it out");
    }
    StatusOptions {
        health,
        system_status,
        delivery_status,
        xml_status: xml_status(raw.xml_status.as_ref(), url, &path.key("xml_status"), problems),
        quarantines: quarantines(raw.quarantines.as_ref(), &path.key("quarantines"), problems),
        inventory,
        named,
    }
}

/// A table with the number of destinations; nothing for none.
fn delivery_status(value: Option<&Value>, path: &Path, problems: &mut Problems) -> Option<NonZeroUsize> {
    let raw = raw::DeliveryStatus::read(value?.clone(), path, problems);
    let top = field::number(raw.top.as_ref(), 1..=MOST_DESTINATIONS, &path.key("top"), problems);
    Some(top.and_then(NonZeroUsize::new).unwrap_or(USUAL_DESTINATIONS))
}

/// `true` for the appliance's own URL, or a table with another one: the page belongs to the web interface.
fn xml_status(value: Option<&Value>, own: Option<&Url>, path: &Path, problems: &mut Problems) -> Option<Url> {
    match value? {
        table @ Value::Mapping(_) => {
            let raw = raw::XmlStatus::read(table.clone(), path, problems);
            if raw.url.is_none() {
                problems.error(path, "`url` is missing");
            }
            field::url(raw.url.as_ref(), &path.key("url"), problems)
        }
        other => match field::switch(Some(other), path, problems) {
            Some(true) => own.cloned(),
            Some(false) | None => None,
        },
    }
}

/// `true` for all that can be found, `false` for none, or a list of names.
fn quarantines(value: Option<&Value>, path: &Path, problems: &mut Problems) -> Quarantines {
    match value {
        None => Quarantines::All,
        Some(Value::Sequence(_)) => Quarantines::Named(field::labels(value, path, problems)),
        Some(_) => match field::switch(value, path, problems) {
            Some(false) => Quarantines::Named(Vec::new()),
            Some(true) | None => Quarantines::All,
        },
    }
}

//! The parsers of foreign input by name, each with its invariants: no panic, what is kept is bounded and supported by the
//! input, and a failure is one short line. Built for tests, which feed them changed copies of a corpus, and for fuzzing.

use std::collections::BTreeSet;

use crate::api::{self, Observation};
use crate::base::clock::Timestamp;
use crate::sample::status_metrics::StatusMetrics;
use crate::{config, store};

mod report;

/// A parser and its invariants: panics where one does not hold for the input.
pub type Check = fn(&[u8]);

/// Every parser, by the name of its folder in `tests/fuzz/corpus`.
pub const PARSERS: &[(&str, Check)] = &[
    ("certificate", api::fuzz::certificate),
    ("config", config::fuzz::config),
    ("date", api::fuzz::date),
    ("delivery_status", api::fuzz::delivery_status),
    ("error", api::fuzz::error),
    ("health", api::fuzz::health),
    ("inventory", api::fuzz::inventory),
    ("login", api::fuzz::login),
    ("privileges", api::fuzz::privileges),
    ("provider", api::fuzz::provider),
    ("quarantine", api::fuzz::quarantine),
    ("report", report::check),
    ("reporting_system", api::fuzz::reporting_system),
    ("state", store::fuzz::state),
    ("system_status", api::fuzz::system_status),
    ("system_time", api::fuzz::system_time),
    ("token", api::fuzz::token),
    ("tracking", api::fuzz::tracking),
    ("web_config", config::fuzz::web_config),
    ("xml_status", xml_status),
];

/// Checks `input` with the parser of that name.
///
/// # Panics
/// When there is none, or an invariant does not hold.
pub fn check(parser: &str, input: &[u8]) {
    let known = PARSERS.iter().find(|(name, _)| *name == parser);
    let (_, check) = known.unwrap_or_else(|| panic!("no parser is called `{parser}`"));
    check(input);
}

/// The status document, and that its samples can stand on one page.
fn xml_status(body: &[u8]) {
    let Some(status) = api::fuzz::xml_status(body) else { return };
    let observation = Observation::XmlStatus { status: Box::new(status), at: Timestamp::from_secs(api::fuzz::NOW) };
    let status_metrics = StatusMetrics::new(&observation);
    let mut series = BTreeSet::new();
    for sample in status_metrics.gauges.iter().chain(&status_metrics.counters) {
        assert!(series.insert((&sample.family.name, &sample.labels)), "two samples of {}", sample.family.name);
        assert!(sample.value.is_finite(), "{} is {}", sample.family.name, sample.value);
    }
}

#[cfg(test)]
mod tests;

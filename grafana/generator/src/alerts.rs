//! The alerts, by what they are about.

mod accuracy;
mod collection;
mod delivery;
mod destinations;
mod detections;
mod exporter;
mod flow;
mod forecast;
mod hardware;
mod machine;
mod senders;
mod stores;
mod threats;

use super::alert::Alert;

/// A group of rules that are evaluated together.
#[derive(Debug)]
pub(super) struct Section {
    pub(super) name: &'static str,
    pub(super) alerts: Vec<Alert>,
}

/// All of them; `job` is the name of the exporter's scrape job.
pub(super) fn all(job: &str) -> Vec<Section> {
    vec![
        Section { name: "asyncos-exporter", alerts: exporter::alerts(job) },
        Section { name: "asyncos-collection", alerts: collection::alerts() },
        Section { name: "asyncos-machine", alerts: machine::alerts() },
        Section { name: "asyncos-hardware", alerts: hardware::alerts() },
        Section { name: "asyncos-forecast", alerts: forecast::alerts() },
        Section { name: "asyncos-stores", alerts: stores::alerts() },
        Section { name: "asyncos-flow", alerts: flow::alerts() },
        Section { name: "asyncos-delivery", alerts: delivery::alerts() },
        Section { name: "asyncos-destinations", alerts: destinations::alerts() },
        Section { name: "asyncos-threats", alerts: threats::alerts() },
        Section { name: "asyncos-senders", alerts: senders::alerts() },
        Section { name: "asyncos-detections", alerts: detections::alerts() },
    ]
}

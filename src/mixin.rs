//! Dashboards for Grafana, rules for Prometheus and the runbook for their alerts, made from one typed source, so that a
//! line in a graph and the alert about it cannot differ. Knows metrics by their names alone: what is in `grafana/` and
//! `deploy/prometheus/` is what this gives, and tests hold both against the catalogue.

mod alert;
mod alerts;
mod board;
mod boards;
mod panel;
mod query;
mod recording;
mod rules;
mod runbook;
mod style;
mod threshold;

pub use rules::{Places, rules};

/// A file of the bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Its name, without a folder.
    pub name: String,
    /// What it holds, with a line break at its end.
    pub text: String,
}

/// The dashboards, as Grafana imports and provisions them; each is named after its uid.
#[must_use]
pub fn dashboards() -> Vec<File> {
    let named = |board: &board::Board| File { name: format!("{}.json", board.uid.name()), text: board.to_json() };
    boards::all().iter().map(named).collect()
}

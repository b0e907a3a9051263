//! The boards as a reader sees them: panels, queries, variables.

use asyncos_exporter::commands::mixin::{self, Places};
use serde_json::Value;

use super::text;

/// A board, read.
pub(super) struct Board {
    pub(super) text: String,
    pub(super) json: Value,
}

/// A query of a board and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Query {
    pub(super) place: String,
    pub(super) expr: String,
    pub(super) legend: String,
    pub(super) is_range: bool,
    pub(super) step: String,
}

pub(super) fn all() -> Vec<Board> {
    let read = |file: mixin::File| Board { json: serde_json::from_str(&file.text).expect("JSON"), text: file.text };
    mixin::dashboards(&Places::default()).into_iter().map(read).collect()
}

impl Board {
    pub(super) fn uid(&self) -> &str {
        text(&self.json, "uid")
    }

    /// Every panel but the headings, those in folded rows too.
    pub(super) fn panels(&self) -> Vec<&Value> {
        let top = self.json["panels"].as_array().expect("panels");
        let all = top.iter().flat_map(|panel| {
            let inside = panel["panels"].as_array().map(Vec::as_slice).unwrap_or_default();
            std::iter::once(panel).chain(inside)
        });
        all.filter(|panel| panel["type"] != "row").collect()
    }

    pub(super) fn queries_of(&self, panel: &Value) -> Vec<Query> {
        let targets = panel["targets"].as_array().map(Vec::as_slice).unwrap_or_default();
        let query = |target: &Value| Query {
            place: format!("{} / {} / {}", self.uid(), text(panel, "title"), text(target, "refId")),
            expr: text(target, "expr").to_owned(),
            legend: text(target, "legendFormat").to_owned(),
            is_range: target["range"] == true,
            step: text(target, "interval").to_owned(),
        };
        targets.iter().map(query).collect()
    }

    pub(super) fn queries(&self) -> Vec<Query> {
        self.panels().into_iter().flat_map(|panel| self.queries_of(panel)).collect()
    }

    pub(super) fn variables(&self) -> &[Value] {
        self.json["templating"]["list"].as_array().expect("variables")
    }

    pub(super) fn annotations(&self) -> &[Value] {
        self.json["annotations"]["list"].as_array().expect("annotations")
    }

    /// A line of the tour's table.
    pub(super) fn count(&self) -> String {
        let title = text(&self.json, "title").replace("AsyncOS / ", "");
        format!("| {title} | {} | {} |", self.panels().len(), self.queries().len())
    }
}

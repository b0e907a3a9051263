//! Panels and columns whose values have colours: limits, and words for numbers.

use serde_json::Value;

use super::boards::{Board, Query};
use super::fleet::History;
use super::live::{Choice, ask};
use super::text;

/// A panel, or a column of a table, whose values have colours.
pub(super) struct Coloured {
    pub(super) place: String,
    pub(super) title: String,
    steps: Vec<(f64, String)>,
    words: Vec<Word>,
    queries: Vec<Query>,
}

impl Coloured {
    fn new(place: String, title: &str, thresholds: &Value, mappings: &Value, queries: Vec<Query>) -> Self {
        let steps = thresholds["steps"].as_array().expect("steps").iter();
        let step = |step: &Value| (step["value"].as_f64().unwrap_or(f64::NEG_INFINITY), text(step, "color").to_owned());
        let words = words(mappings);
        Self { place, title: title.to_owned(), steps: steps.map(step).collect(), words, queries }
    }

    /// Whether it has a limit.
    pub(super) fn is_limited(&self) -> bool {
        self.steps.len() > 1
    }

    pub(super) fn is_well(&self, value: f64) -> bool {
        if let Some(word) = self.words.iter().find(|word| word.from <= value && value <= word.to) {
            return !["red", "yellow"].contains(&word.colour.as_str());
        }
        self.steps
            .iter()
            .rfind(|(limit, _)| value >= *limit)
            .is_none_or(|(_, colour)| colour == "green" || colour == "transparent")
    }

    pub(super) async fn values(&self, history: &History, choice: &Choice) -> Vec<f64> {
        let mut values = Vec::new();
        for query in &self.queries {
            let found = ask(history, &choice.fill(&query.expr, &query.step, 300), query.is_range).await;
            values.extend(found.into_iter().flat_map(|(_, values)| values));
        }
        values
    }
}

/// Everything that has a limit or says words.
pub(super) fn coloured(board: &Board) -> Vec<Coloured> {
    let mut all = Vec::new();
    for panel in board.panels() {
        let (title, queries) = (text(panel, "title"), board.queries_of(panel));
        let place = format!("{} / {title}", board.uid());
        match text(panel, "type") {
            "stat" | "timeseries" | "state-timeline" => {
                let defaults = &panel["fieldConfig"]["defaults"];
                all.push(Coloured::new(place, title, &defaults["thresholds"], &defaults["mappings"], queries));
            }
            "table" => {
                let columns = panel["fieldConfig"]["overrides"].as_array().expect("overrides").iter().zip(queries);
                for (column, query) in columns {
                    let name = text(&column["matcher"], "options");
                    let of = |id: &str| {
                        let mut properties = column["properties"].as_array().expect("properties").iter();
                        properties.find(|one| one["id"] == id).map_or(&Value::Null, |one| &one["value"])
                    };
                    let place = format!("{place} / {name}");
                    all.push(Coloured::new(place, name, of("thresholds"), of("mappings"), vec![query]));
                }
            }
            _ => {}
        }
    }
    all.retain(|one| one.is_limited() || !one.words.is_empty());
    all
}

/// A word that stands for numbers.
struct Word {
    from: f64,
    to: f64,
    colour: String,
}

/// The words of a panel or a column.
fn words(mappings: &Value) -> Vec<Word> {
    let mut words = Vec::new();
    for mapping in mappings.as_array().map(Vec::as_slice).unwrap_or_default() {
        let options = &mapping["options"];
        if mapping["type"] == "range" {
            let number = |end: &str| options[end].as_f64().expect("a number");
            let colour = text(&options["result"], "color").to_owned();
            words.push(Word { from: number("from"), to: number("to"), colour });
            continue;
        }
        for (value, word) in options.as_object().expect("values") {
            let value = value.parse().expect("a number");
            words.push(Word { from: value, to: value, colour: text(word, "color").to_owned() });
        }
    }
    words
}

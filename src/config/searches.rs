//! `tracking_searches`: searches of the message tracking that are counted in windows.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_yaml::Value;

use super::detections::Detections;
use super::path::Path;
use super::problem::Problems;
use super::{Polling, SearchChoice, field, polling, raw};
use crate::base::window::Grid;
use crate::catalogue::tracking::{FilterValue, Search};

pub(super) const OPTIONS: &[(&str, TargetOption)] =
    &[("messages", TargetOption::Messages), ("rejected_connections", TargetOption::Rejected)];

#[derive(Clone, Copy, Debug)]
pub(super) enum TargetOption {
    Messages,
    Rejected,
}

/// Searches as the file names them, before an appliance gives them windows.
#[derive(Clone, Debug, Default)]
pub(super) struct Searches(Vec<(String, Arc<Search>, Option<Grid>)>);

impl Searches {
    /// The searches of a key `tracking_searches`; none where it is absent.
    pub(super) fn read(value: Option<Value>, path: &Path, problems: &mut Problems) -> Option<Self> {
        let value = value?;
        let mut found = Self::default();
        for (position, element) in field::list(Some(&value), path, problems).unwrap_or_default().iter().enumerate() {
            let path = path.index(position);
            let Some((name, search, grid)) = search(element.clone(), &path, problems) else { continue };
            if found.0.iter().any(|(earlier, ..)| *earlier == name) {
                problems.error(&path.key("name"), format!("`{name}` is used by two searches"));
            } else {
                found.0.push((name, Arc::new(search), grid));
            }
        }
        Some(found)
    }

    /// These searches with windows of their own or those of `polling`, and those of `detections` that none of these stands
    /// in for: a search with the name of a detection replaces it. Hours are a matter of reports: tracking takes minutes in
    /// every release.
    pub(super) fn choices(&self, detections: &Detections, polling: &Polling) -> Vec<SearchChoice> {
        let choice = |name: &str, search: &Arc<Search>, grid: Grid| SearchChoice {
            name: name.to_owned(),
            search: Arc::clone(search),
            grid,
        };
        let own = self.0.iter().map(|(name, search, grid)| choice(name, search, grid.unwrap_or(polling.grid)));
        let is_replaced = |name: &str| self.0.iter().any(|(own, ..)| own == name);
        let detections = detections.iter().filter(|(name, ..)| !is_replaced(name));
        own.chain(detections.map(|(name, search, grid)| choice(name, search, *grid))).collect()
    }
}

fn search(element: Value, path: &Path, problems: &mut Problems) -> Option<(String, Search, Option<Grid>)> {
    let raw = raw::Search::read(element, path, problems);
    if raw.name.is_none() {
        problems.error(path, "`name` is missing");
    }
    let name = field::label(raw.name.as_ref(), &path.key("name"), problems);
    let grid = polling::grid(raw.window.as_ref(), &path.key("window"), problems);
    let option = field::choice(raw.search_option.as_ref(), OPTIONS, &path.key("search_option"), problems);
    let path_of_delivered = path.key("delivered_only");
    let delivered_only = field::switch(raw.delivered_only.as_ref(), &path_of_delivered, problems).unwrap_or(false);
    let path = path.key("filters");
    let filters = filters(raw.filters, &path, problems);
    let search = match Search::try_new(&filters) {
        Ok(search) => search,
        Err(wrong) => {
            for problem in wrong {
                problems.error(&path.key(&problem.filter), problem.message);
            }
            return None;
        }
    };
    let is_rejected = matches!(option, Some(TargetOption::Rejected));
    if delivered_only && is_rejected {
        problems.error(&path_of_delivered, "rejected connections have no delivery status");
    }
    let search = if is_rejected { search.of_rejected_connections() } else { search };
    let search = if delivered_only { search.of_delivered_messages() } else { search };
    Some((name?, search, grid))
}

/// The filters by name; none at all finds every message.
fn filters(value: Option<Value>, path: &Path, problems: &mut Problems) -> BTreeMap<String, FilterValue> {
    let mut filters = BTreeMap::new();
    for (name, value) in raw::table(value.unwrap_or(Value::Null), path, problems) {
        let path = path.key(&name);
        let value = match value {
            Value::Bool(flag) => FilterValue::Flag(flag),
            Value::Number(number) => FilterValue::Text(number.to_string()),
            table @ Value::Mapping(_) => {
                let raw = raw::Comparison::read(table, &path, problems);
                let mut text = |key: &str, value: Option<&Value>| {
                    if value.is_none() {
                        problems.error(&path, format!("`{key}` is missing"));
                    }
                    field::text(value, &path.key(key), problems)
                };
                match (text("operator", raw.operator.as_ref()), text("value", raw.value.as_ref())) {
                    (Some(operator), Some(value)) => FilterValue::Comparison { operator, value },
                    (None, _) | (_, None) => continue,
                }
            }
            other => match field::text(Some(&other), &path, problems) {
                Some(text) => FilterValue::Text(text),
                None => continue,
            },
        };
        filters.insert(name, value);
    }
    filters
}

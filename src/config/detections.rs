//! `detections`: the searches of the catalogue that are counted in windows, as one key.

use std::sync::Arc;
use std::time::Duration;

use serde_yaml::Value;

use super::path::Path;
use super::problem::Problems;
use super::{field, polling, raw};
use crate::base::window::Grid;
use crate::catalogue::detections::{CANARY, canary, detections, spoofed_sender};
use crate::catalogue::tracking::{FilterProblem, Search};

/// Long enough to be a small part of the requests of a fleet with windows of 5 minutes.
const DEFAULT_WINDOW: Duration = Duration::from_secs(30 * 60);
const DEFAULT_INTERVAL: Duration = Duration::from_secs(15 * 60);
/// Each is a search of its own.
const MOST_DOMAINS: usize = 20;

/// The searches of a key `detections`; none where it is `false`.
#[derive(Clone, Debug, Default)]
pub(super) struct Detections(Vec<(String, Arc<Search>, Grid)>);

impl Detections {
    /// Reads the key; none where it is absent.
    pub(super) fn read(value: Option<Value>, path: &Path, problems: &mut Problems) -> Option<Self> {
        let raw = match value? {
            table @ Value::Mapping(_) => raw::Detections::read(table, path, problems),
            other => match field::switch(Some(&other), path, problems) {
                Some(true) => raw::Detections::default(),
                Some(false) | None => return Some(Self::default()),
            },
        };
        let grid =
            polling::grid(raw.window.as_ref(), &path.key("window"), problems).unwrap_or_else(|| usual(DEFAULT_WINDOW));
        let mut found = Self::default();
        for detection in detections() {
            found.add(detection.search().map(|search| (detection.name.to_owned(), search)), grid, path, problems);
        }
        let path_of_domains = path.key("internal_domains");
        let domains = field::labels(raw.internal_domains.as_ref(), &path_of_domains, problems);
        if domains.len() > MOST_DOMAINS {
            problems.error(&path_of_domains, format!("must not have more than {MOST_DOMAINS} domains"));
        }
        for (position, domain) in domains.iter().enumerate() {
            let path = path_of_domains.index(position);
            if is_domain(domain) {
                found.add(spoofed_sender(domain), grid, &path, problems);
            } else {
                problems.error(&path, format!("expected a domain such as `example.com`, found `{domain}`"));
            }
        }
        found.read_canary(raw.canary, &path.key("canary"), problems);
        Some(found)
    }

    /// Each search with its name and its windows.
    pub(super) fn iter(&self) -> impl Iterator<Item = &(String, Arc<Search>, Grid)> {
        self.0.iter()
    }

    fn read_canary(&mut self, value: Option<Value>, path: &Path, problems: &mut Problems) {
        let Some(value) = value else { return };
        let raw = raw::Canary::read(value, path, problems);
        let grid = polling::grid(raw.interval.as_ref(), &path.key("interval"), problems);
        if raw.sender.is_none() && raw.subject.is_none() {
            problems.error(path, "`sender` or `subject` is missing");
            return;
        }
        let sender = field::text(raw.sender.as_ref(), &path.key("sender"), problems);
        let subject = field::text(raw.subject.as_ref(), &path.key("subject"), problems);
        let search = canary(sender, subject).map(|search| (CANARY.to_owned(), search));
        self.add(search, grid.unwrap_or_else(|| usual(DEFAULT_INTERVAL)), path, problems);
    }

    fn add(
        &mut self,
        search: Result<(String, Search), Vec<FilterProblem>>,
        grid: Grid,
        path: &Path,
        problems: &mut Problems,
    ) {
        match search {
            Ok((name, search)) => self.0.push((name, Arc::new(search), grid)),
            Err(wrong) => {
                for FilterProblem { filter, message } in wrong {
                    problems.error(path, format!("{filter}: {message}"));
                }
            }
        }
    }
}

fn usual(length: Duration) -> Grid {
    Grid::try_new(length).unwrap_or(Grid::HOURS)
}

/// Whether `text` has the form of a domain: a search for less would find mail of others.
fn is_domain(text: &str) -> bool {
    let is_label = |label: &str| {
        !label.is_empty()
            && label.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '-' || letter == '_')
    };
    text.contains('.') && text.split('.').all(is_label)
}

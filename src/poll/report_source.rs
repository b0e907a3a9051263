//! What is counted in windows: a counter group, or a search of the message tracking.

use std::sync::Arc;
use std::time::Duration;

use crate::api::{Depth, Query, TrackingQuery};
use crate::base::hash;
use crate::base::window::{Grid, Window};
use crate::catalogue::tracking::Search;
use crate::catalogue::{self, DeviceType, Group};
use crate::config::{GroupChoice, Scope, SearchChoice};
use crate::sample::{Families, Label, Metrics};

/// Messages are found so long after they came at the least: a published client assumes up to five minutes.
const LEAST_TRACKING_SETTLE: Duration = Duration::from_secs(6 * 60);

#[derive(Debug)]
pub(super) struct ReportSource {
    /// The value of the label `group`.
    label: Arc<str>,
    /// Its identity in the ledger: another search under the same name is another thing.
    key: Arc<str>,
    group: Arc<Group>,
    top: Option<usize>,
    search: Option<Arc<Search>>,
    labels: Vec<Label>,
    series_limit: usize,
    grid: Grid,
}

impl ReportSource {
    pub(super) fn of_group(choice: &GroupChoice) -> Self {
        let GroupChoice { group, top, grid, series_limit } = choice;
        let label: Arc<str> = (*group.name).into();
        Self {
            key: Arc::clone(&label),
            label,
            group: Arc::clone(group),
            top: *top,
            search: None,
            labels: Vec::new(),
            series_limit: *series_limit,
            grid: *grid,
        }
    }

    pub(super) fn of_search(choice: &SearchChoice) -> Self {
        let SearchChoice { name, search, grid } = choice;
        let label = format!("tracking/{name}");
        let what = hash::stable(search.identity().as_bytes());
        Self {
            key: format!("{label}/{what:016x}").into(),
            label: label.into(),
            group: Arc::new(catalogue::search_group()),
            top: None,
            search: Some(Arc::clone(search)),
            labels: vec![("search".into(), name.as_str().into())],
            series_limit: 1,
            grid: *grid,
        }
    }

    pub(super) fn is_search(&self) -> bool {
        self.search.is_some()
    }

    pub(super) fn label(&self) -> &Arc<str> {
        &self.label
    }

    pub(super) fn key(&self) -> &Arc<str> {
        &self.key
    }

    pub(super) fn grid(&self) -> Grid {
        self.grid
    }

    pub(super) fn metrics(&self, scope: &Scope, families: &Families) -> Metrics {
        let group = (Arc::clone(&self.group), scope.kind());
        Metrics::new(group, self.labels.clone(), self.top, self.series_limit, families)
    }

    /// The question for `window`; `depth` is that of a search.
    pub(super) fn query(&self, scope: Scope, window: Window, depth: Depth) -> Query {
        let search = self.search.as_ref().map(|search| TrackingQuery { search: Arc::clone(search), depth });
        Query { scope, group: Arc::clone(&self.group), top: self.top, search, window }
    }

    /// The delay between the end of a window and its request, where that of reports is `settle`.
    pub(super) fn settle(&self, settle: Duration) -> Duration {
        match self.group.about {
            DeviceType::Mail | DeviceType::Web => settle,
            DeviceType::Tracking => settle.max(LEAST_TRACKING_SETTLE),
        }
    }
}

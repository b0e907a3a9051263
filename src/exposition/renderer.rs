//! Renders a page of the current snapshots and of the telemetry about appliances. Knows nothing of when or for whom.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::gzip::Deflater;
use super::page::{LEVEL, Page};
use super::page_index::{PageIndex, Source};
use super::scrape::Variant;
use crate::base::clock::{Tick, Timestamp};
use crate::snapshot::{Hold, SnapshotStore};
use crate::telemetry::Telemetry;

/// Bytes of lines that are written and compressed together. Larger blocks compress better, smaller ones are seldomer
/// touched by a change; see the benchmark `exposition`.
const BLOCK: usize = 4 * 1024;

/// Renders pages and remembers the last one, so that only changes are rendered again.
#[derive(Debug)]
pub struct Renderer {
    snapshots: Arc<SnapshotStore>,
    telemetry: Arc<Telemetry>,
    index: PageIndex,
    page: Arc<Page>,
    deflater: Deflater,
}

impl Renderer {
    /// A renderer without a previous page.
    #[must_use]
    pub fn new(snapshots: Arc<SnapshotStore>, telemetry: Arc<Telemetry>, hold: Hold) -> Self {
        let (index, page) = (PageIndex::new(BLOCK, hold), Arc::new(Page::empty()));
        Self { snapshots, telemetry, index, page, deflater: Deflater::new(LEVEL) }
    }

    /// Shows in OpenMetrics when counters began, in a process that `started` then, or does not.
    pub fn date(&mut self, started: Option<Timestamp>) {
        self.index.date(started);
    }

    pub(super) fn snapshots(&self) -> &Arc<SnapshotStore> {
        &self.snapshots
    }

    pub(super) fn telemetry(&self) -> &Arc<Telemetry> {
        &self.telemetry
    }

    /// The page of `now`, in these forms.
    pub fn render(&mut self, now: Tick, edition: u64, variants: &[Variant]) -> Arc<Page> {
        let mut sources: BTreeMap<Arc<str>, Source> = BTreeMap::new();
        for snapshot in self.snapshots.read() {
            let name = Arc::clone(&snapshot.appliance);
            sources.entry(name).or_default().snapshot = Some(snapshot);
        }
        for metrics in self.telemetry.shown() {
            let (name, version) = (Arc::clone(metrics.name()), metrics.version());
            sources.entry(name).or_default().traffic = Some((metrics, version));
        }
        let page = match self.index.update(&sources, now) {
            true => Page::new(&self.index, edition),
            false => self.page.renewed(&self.index, edition),
        };
        self.page = Arc::new(page);
        // Here and not in the scrape: compressing a page takes too long for a thread that answers.
        for variant in variants {
            self.page.make(*variant, &mut self.deflater);
        }
        Arc::clone(&self.page)
    }
}

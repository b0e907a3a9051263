//! Renders snapshots, and metrics about the exporter, in Prometheus' text format 0.0.4 and in OpenMetrics 1.0. One task,
//! the [`PageRenderer`], renders a page when a value changes or becomes stale; a scrape takes the newest page from the
//! [`PageCache`] and copies nothing. Knows nothing of HTTP or of the origin of a snapshot.
//!
//! A page is a row of blocks, each with the lines of some families about some appliances. Unchanged blocks are neither
//! rendered nor compressed again: the old page and the new one share them.

mod appliance_samples;
mod block;
mod body;
mod created;
mod family;
mod family_table;
mod first_event;
mod gzip;
mod interner;
mod known_families;
mod line;
mod metric_help;
mod page;
mod page_cache;
mod page_index;
mod page_renderer;
mod renderer;
mod sample_history;
mod scrape;
#[cfg(test)]
mod tests;

pub use body::Body;
pub use metric_help::ABOUT_DATA;
pub use page::Page;
pub use page_cache::PageCache;
pub use page_renderer::PageRenderer;
pub use renderer::Renderer;
pub use sample_history::{SampleHistory, SeriesLabels};
pub use scrape::{Encoding, Format, Scrape, Unanswered, Variant};

//! Prints snapshots, and metrics about ourselves, in Prometheus' text format 0.0.4 and in OpenMetrics 1.0. A page is printed
//! when what it says changes or becomes stale, by one task, the [`PageRenderer`]; a scrape takes the newest from the [`PageCache`] and
//! copies nothing. Knows nothing of HTTP or of how a snapshot came about.
//!
//! A page is a row of blocks, each of some families' lines about some appliances. What has not changed is not written
//! again, nor compressed again, and is shared by the old page and the new one.

mod begun;
mod block;
mod body;
mod created;
mod family;
mod family_table;
mod gzip;
mod interner;
mod known;
mod line;
mod metric_defs;
mod openmetrics;
mod page;
mod page_cache;
mod page_index;
mod page_renderer;
mod renderer;
mod rows;
mod scrape;
#[cfg(test)]
mod tests;

pub use body::Body;
pub use metric_defs::ABOUT_DATA;
pub use page::Page;
pub use page_cache::{PageCache, Unanswered};
pub use page_renderer::PageRenderer;
pub use renderer::Renderer;
pub use scrape::{Encoding, Format, Scrape, Variant};

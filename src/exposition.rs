//! Prints snapshots, and metrics about ourselves, in Prometheus' text format 0.0.4 and in OpenMetrics 1.0. A page is printed
//! when what it says changes or becomes stale, by one task, the [`Press`]; a scrape takes the newest from the [`Shelf`] and
//! copies nothing. Knows nothing of HTTP or of how a snapshot came about.
//!
//! A page is a row of blocks, each of some families' lines about some appliances. What has not changed is not written
//! again, nor compressed again, and is shared by the old page and the new one.

mod begun;
mod block;
mod body;
mod book;
mod created;
mod family;
mod gzip;
mod heads;
mod known;
mod line;
mod names;
mod openmetrics;
mod page;
mod press;
mod printer;
mod rows;
mod scrape;
mod shelf;
#[cfg(test)]
mod tests;

pub use body::Body;
pub use page::Page;
pub use press::Press;
pub use printer::Printer;
pub use rows::ABOUT_DATA;
pub use scrape::{Encoding, Format, Scrape, Variant};
pub use shelf::{Shelf, Unanswered};

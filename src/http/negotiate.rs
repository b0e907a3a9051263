//! From the head of a request to what its answer is to be. Pure; knows nothing of pages.

use hyper::http::request::Parts;

use crate::exposition::Scrape;

/// What is asked for by a request for metrics.
pub(super) fn scrape(_: &Parts) -> Scrape {
    Scrape::default()
}

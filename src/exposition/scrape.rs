//! What a scrape asks for. Knows nothing of how it was said.

/// What one scrape is to be answered with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Scrape {}

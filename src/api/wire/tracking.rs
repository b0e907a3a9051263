//! Searches of the message tracking: where they are, and how far their pages are read.

use std::sync::Arc;

use crate::api::wire::pages::Paging;
use crate::catalogue::tracking::Search;

/// The path below the API's root; [`Search::query`] has the parameters.
///
/// **Source:** published documentation of the vendor; recorded answers.
pub(in crate::api) const PATH: &str = "message-tracking/messages";
/// Rows of a page. **Source:** no published client asks for more.
const ROWS: u64 = 100;
/// Pages of one count: a search that finds more than 5000 messages in a window is one that reports answer for less. They
/// are a fifth of the requests that an appliance is asked in a minute by default.
const MOST_PAGES: u64 = 50;

/// A question to the message tracking.
#[derive(Clone, Debug)]
pub struct TrackingQuery {
    /// What is searched for.
    pub search: Arc<Search>,
    /// How far what is found is counted.
    pub depth: Depth,
}

/// How far the pages of a search are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// All of them, within a bound.
    AllPages,
    /// The first, for a question that must cost one request.
    FirstPage,
}

impl Depth {
    pub(in crate::api) const fn paging(self) -> Paging {
        let most_pages = match self {
            Self::AllPages => MOST_PAGES,
            Self::FirstPage => 1,
        };
        Paging { limit: ROWS, most_pages }
    }
}

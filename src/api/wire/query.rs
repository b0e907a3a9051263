//! The parameters of a request, in the form that every source agrees the appliance takes.

use std::sync::Arc;

use crate::api::wire::pages::Paging;
use crate::base::clock::Timestamp;
use crate::base::window::Window;
use crate::catalogue::tracking::Search;
use crate::catalogue::{DeviceType, Group};
use crate::config::{Product, Scope};

/// Rows of a page. **Source:** no published client asks for more.
const TRACKING_ROWS: u64 = 100;
/// Pages of one count: a search that finds more than 5000 messages in a window is one that reports answer for less.
/// They are a fifth of the requests that an appliance is asked in a minute by default.
const MOST_TRACKING_PAGES: u64 = 50;

/// One question to the reporting API.
#[derive(Clone, Debug)]
pub struct Query {
    /// Which part of the appliance's knowledge.
    pub scope: Scope,
    /// Which counter group.
    pub group: Arc<Group>,
    /// So many rows with the highest values; all of them where absent.
    pub top: Option<usize>,
    /// The search, if this is one of the message tracking and no report.
    pub search: Option<TrackingQuery>,
    /// For which interval.
    pub window: Window,
}

/// A question to the message tracking.
#[derive(Clone, Debug)]
pub struct TrackingQuery {
    /// The filters.
    pub search: Arc<Search>,
    /// The limit of the count.
    pub depth: Depth,
}

/// The limit up to which the pages of a search are read.
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
            Self::AllPages => MOST_TRACKING_PAGES,
            Self::FirstPage => 1,
        };
        Paging { limit: TRACKING_ROWS, most_pages }
    }
}

/// The query string of a report.
///
/// Dates keep their colons: two client authors saw `%3A` rejected, and no source a literal colon.
/// `device_type` is sent always: a manager declines requests without it.
///
/// **Source:** AsyncOS API guide for ESA 16.0, reporting; published clients.
pub(in crate::api) fn report(query: &Query) -> String {
    let top = query.top.map_or_else(String::new, |top| format!("&top={top}"));
    let about = match query.group.about {
        DeviceType::Mail | DeviceType::Tracking => "esa",
        DeviceType::Web => "wsa",
    };
    of_reporting(query.window.start(), query.window.end(), about, &query.scope) + &top
}

/// The parameters of anything below `reporting`.
pub(in crate::api) fn of_reporting(start: Timestamp, end: Timestamp, about: &str, scope: &Scope) -> String {
    let scope = match scope {
        Scope::Appliance => String::new(),
        Scope::DeviceGroup(name) => format!("&device_group_name={}", encoded(name)),
        Scope::Device(name) => format!("&device_name={}", encoded(name)),
    };
    format!("startDate={start}&endDate={end}&device_type={about}{scope}")
}

/// The parameter that says whose configuration is meant: a manager declines requests without it.
///
/// **Source:** recorded error of a manager; its published documentation for both values.
pub(in crate::api) fn device_type(product: Product) -> String {
    format!("device_type={}", product.label())
}

/// `text` as a value of a query, with `+` for a space.
pub(in crate::api) fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::base::window::Grid;
    use crate::catalogue;

    #[test]
    fn colons_stay_and_names_are_escaped() {
        let grid = Grid::try_new(Duration::from_secs(300)).expect("five minutes");
        let query = Query {
            scope: Scope::DeviceGroup("Hosted Cluster&x=ü".into()),
            group: Arc::new(catalogue::group("mail_system_capacity").expect("in the catalogue").clone()),
            top: Some(20),
            search: None,
            window: grid.window_from(Timestamp::from_secs(1_795_435_200)),
        };
        assert_eq!(
            report(&query),
            "startDate=2026-11-23T12:00:00.000Z&endDate=2026-11-23T12:05:00.000Z&device_type=esa\
             &device_group_name=Hosted+Cluster%26x%3D%C3%BC&top=20"
        );
    }
}

//! The parameters of a request, in the form that every source agrees the appliance takes.

use super::Query;
use crate::catalogue::About;
use crate::clock::Timestamp;
use crate::config::{Product, Scope};

/// The query string of a report.
///
/// Dates keep their colons: two client authors saw `%3A` rejected, and no source a literal colon.
/// `device_type` is sent always: a manager declines requests without it.
///
/// **Source:** AsyncOS API guide for ESA 16.0, reporting; published clients.
pub(super) fn report(query: &Query) -> String {
    let top = query.top.map_or_else(String::new, |top| format!("&top={top}"));
    let about = match query.group.about {
        About::Mail | About::Tracking => "esa",
        About::Web => "wsa",
    };
    of_reporting(query.window.start(), query.window.end(), about, &query.scope) + &top
}

/// The parameters of anything below `reporting`.
pub(super) fn of_reporting(start: Timestamp, end: Timestamp, about: &str, scope: &Scope) -> String {
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
pub(super) fn device_type(product: Product) -> String {
    format!("device_type={}", product.label())
}

/// `text` as a value of a query, with `+` for a space.
pub(super) fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;
    use crate::catalogue;
    use crate::window::Grid;

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

//! The parameters of a request, in the form that every source agrees the appliance takes.

use super::Query;
use crate::config::Scope;

/// The query string of a report.
///
/// Dates keep their colons: two client authors saw `%3A` rejected, and no source a literal colon.
/// `device_type` is sent always: a manager declines requests without it.
///
/// **Source:** AsyncOS API guide for ESA 16.0, reporting; published clients.
pub(super) fn report(query: &Query) -> String {
    let (start, end) = (query.window.start(), query.window.end());
    let scope = match &query.scope {
        Scope::Appliance => String::new(),
        Scope::DeviceGroup(name) => format!("&device_group_name={}", encoded(name)),
        Scope::Device(name) => format!("&device_name={}", encoded(name)),
    };
    format!("startDate={start}&endDate={end}&device_type=esa{scope}")
}

fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::catalogue;
    use crate::clock::Timestamp;
    use crate::window::Grid;

    #[test]
    fn colons_stay_and_names_are_escaped() {
        let grid = Grid::try_new(Duration::from_secs(300)).expect("five minutes");
        let query = Query {
            scope: Scope::DeviceGroup("Hosted Cluster&x=ü".into()),
            group: catalogue::group("mail_system_capacity").expect("in the catalogue"),
            window: grid.window_from(Timestamp::from_secs(1_795_435_200)),
        };
        assert_eq!(
            report(&query),
            "startDate=2026-11-23T12:00:00.000Z&endDate=2026-11-23T12:05:00.000Z&device_type=esa\
             &device_group_name=Hosted+Cluster%26x%3D%C3%BC"
        );
    }
}

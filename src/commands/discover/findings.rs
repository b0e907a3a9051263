//! Findings about an appliance, and conclusions from them. Pure: it receives the answers.

use crate::api::{Failure, ManagedAppliance, Number, Observation, Reading, Reason, Report, StatusKind};
use crate::base::clock::Timestamp;
use crate::catalogue::{Aggregation, Group, Unit};
use crate::commands::probe::access::{AccessCheck, Observed, Windows};
use crate::config::Product;

/// The report that an ESA fills even where an SMA has its reporting.
pub(super) const CAPACITY: &str = "mail_system_capacity";
/// The reports that must count the same mail as capacity does, unless an SMA has the reporting.
///
/// **Source:** user guide, centralized reporting.
pub(super) const TRAFFIC: [&str; 2] = ["mail_incoming_traffic_summary", "mail_outgoing_traffic_summary"];
/// The device group that a hosted manager has, and the only one whose name is published.
///
/// **Source:** docs.ces.cisco.com, AsyncOS API, reporting.
pub(super) const USUAL_DEVICE_GROUP: &str = "Hosted_Cluster";
/// Zeros of a day mean something beside so many events: a gateway that stands by has a few messages of its own.
const MANY: u64 = 100;
/// The longest text that can be a label, as the configuration has it.
const LONGEST_LABEL: usize = 128;

/// All that was found.
#[derive(Debug)]
pub(super) struct Findings {
    pub(super) product: Product,
    /// The appliance's clock when it was asked.
    pub(super) at: Timestamp,
    /// The status answers.
    pub(super) observed: Vec<Observed>,
    pub(super) groups: Vec<GroupAccess>,
    pub(super) windows: Windows,
    /// Whether a gateway seems to leave its reporting to a manager.
    pub(super) is_centralized: bool,
    /// None of a gateway.
    pub(super) manager: Option<Manager>,
}

/// The outcome of the requests that only an SMA receives.
#[derive(Debug)]
pub(super) struct Manager {
    /// For [`USUAL_DEVICE_GROUP`].
    pub(super) usual_group: AccessCheck,
    /// For one report about the web.
    pub(super) web: AccessCheck,
}

impl Findings {
    /// The failure of a status request; none where it succeeded or was not made.
    pub(super) fn refusal(&self, aspect: &StatusKind) -> Option<&Failure> {
        self.observed.iter().find(|observed| observed.aspect == *aspect)?.answer.as_ref().err()
    }

    /// The gateways of a manager by the names that reports know them by, each once; and how many have no usable one.
    pub(super) fn gateways(&self) -> (Vec<&ManagedAppliance>, usize) {
        let devices = self.observed.iter().find_map(|observed| match &observed.answer {
            Ok(Observation::Managed(devices)) => Some(devices),
            Ok(
                Observation::Health(_)
                | Observation::SystemStatus { .. }
                | Observation::DeliveryStatus(_)
                | Observation::XmlStatus { .. }
                | Observation::Quarantines(_)
                | Observation::Privileges(_)
                | Observation::Reporting(_)
                | Observation::TimeZone(_),
            )
            | Err(_) => None,
        });
        let mut named: Vec<&ManagedAppliance> = Vec::new();
        let mut nameless = 0;
        for device in devices.into_iter().flatten().filter(|device| is_gateway(device)) {
            match device.host_name.as_deref() {
                Some(name) if named.iter().any(|known| known.host_name.as_deref() == Some(name)) => {}
                Some(name) if is_label(name) => named.push(device),
                Some(_) | None => nameless += 1,
            }
        }
        (named, nameless)
    }
}

/// One counter group and how it was answered.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct GroupAccess {
    pub(super) name: &'static str,
    pub(super) access: AccessCheck,
}

/// Events that a report without keys counts. Bytes are none.
pub(super) fn events(group: &Group, report: &Report) -> u64 {
    let is_event = |aggregation, unit: &Unit| aggregation == Aggregation::Sum && matches!(unit, Unit::Count(_));
    let counters = group.counters.iter().filter(|counter| is_event(counter.aggregation, &counter.unit));
    let events = counters.map(|counter| {
        let value = report.reading(&counter.name).and_then(Reading::single);
        match value.map(|value| value.and_then(|measure| measure.in_unit(&counter.unit))) {
            Some(Ok(Number::Whole(count) | Number::AtLeast(count))) => count,
            Some(Ok(Number::Fraction(_)) | Err(_)) | None => 0,
        }
    });
    events.fold(0, u64::saturating_add)
}

/// Whether a gateway seems to leave its reporting to a manager: a day of mail by its capacity, of which its reports of
/// traffic, those that the account may read, know nothing. What such a gateway answers for them (nothing, zeros or a
/// refusal) is not published.
pub(super) fn is_centralized(capacity: u64, traffic: &[Result<u64, Failure>]) -> bool {
    let heard: Vec<bool> = traffic
        .iter()
        .filter_map(|answer| match answer {
            Ok(events) => Some(*events == 0),
            Err(failure) => matches!(failure.reason, Reason::Declined | Reason::Empty).then_some(true),
        })
        .collect();
    capacity >= MANY && heard.len() == traffic.len() && !heard.is_empty() && heard.into_iter().all(|silent| silent)
}

/// SMAs manage web appliances too; one of an unknown product is assumed to be for mail.
fn is_gateway(device: &ManagedAppliance) -> bool {
    device.product_type.as_deref().is_none_or(|product| product.eq_ignore_ascii_case("ESA"))
}

fn is_label(name: &str) -> bool {
    !name.is_empty() && name.len() <= LONGEST_LABEL && name.trim() == name && !name.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(reason: Reason, detail: &str) -> Failure {
        Failure::new(reason, detail)
    }

    #[test]
    fn a_day_of_mail_that_reports_do_not_know_is_a_managers() {
        let refused = |reason| Err(failure(reason, "x"));
        for silent in [Ok(0), refused(Reason::Declined), refused(Reason::Empty)] {
            assert!(is_centralized(100, &[silent.clone(), Ok(0)]));
            assert!(!is_centralized(99, &[silent.clone(), Ok(0)]), "a quiet gateway");
            assert!(!is_centralized(100, &[silent, Ok(1)]), "it reports");
        }
        for unknown in [Reason::NotAllowed, Reason::Unavailable] {
            assert!(!is_centralized(100, &[refused(unknown), Ok(0)]), "nobody knows");
        }
        assert!(!is_centralized(100, &[]));
    }

    #[test]
    fn events_are_counts_that_add_up() {
        let capacity = crate::catalogue::group(CAPACITY).expect("in the catalogue");
        let body = r#"{"data": {"resultSet": [{"incoming_messages": 3}, {"bytes_in": 900}, {"outgoing_messages": "4"},
            {"workqueue_maximum_messages": 50}, {"incoming_connections": null}]}}"#;
        assert_eq!(events(capacity, &Report::parse(body).expect("a report")), 7);
    }
}

//! Findings about an appliance, and conclusions from them. Pure: it receives the answers.

use crate::api::{Failure, ManagedAppliance, Number, Observation, Reading, Reason, Report, StatusKind};
use crate::base::clock::Timestamp;
use crate::catalogue::{Aggregation, Group, Unit};
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

/// One thing that an appliance was asked about itself.
#[derive(Debug)]
pub(super) struct Observed {
    pub(super) aspect: StatusKind,
    pub(super) answer: Result<Observation, Failure>,
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

/// The outcome of the request for a counter group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum AccessCheck {
    Readable,
    /// By a 401 or 403.
    NotAllowed(String),
    /// By a 404, or by a report that holds no counter.
    NotOffered(String),
    /// Not at all; another time it may be.
    Unclear(String),
}

impl AccessCheck {
    pub(super) fn of<T>(answer: &Result<T, Failure>) -> Self {
        let failure = match answer {
            Ok(_) => return Self::Readable,
            Err(failure) => failure,
        };
        let message = failure.to_string();
        match failure.reason {
            Reason::NotAllowed | Reason::Unauthorized => Self::NotAllowed(message),
            Reason::Declined | Reason::Empty => Self::NotOffered(message),
            Reason::Dns
            | Reason::Connect
            | Reason::Proxy
            | Reason::ProxyRefused
            | Reason::Tls
            | Reason::Timeout
            | Reason::Reset
            | Reason::Protocol
            | Reason::TooLarge
            | Reason::Redirect
            | Reason::Throttled
            | Reason::Unavailable
            | Reason::Status
            | Reason::NotJson
            | Reason::Malformed
            | Reason::LoginRefused
            | Reason::TwoFactor
            | Reason::Passcode
            | Reason::IdentityProvider
            | Reason::LoginWait => Self::Unclear(message),
        }
    }

    /// Whether it should be polled: what is unclear may be had, and the poller copes where it may not.
    pub(super) fn is_wanted(&self) -> bool {
        match self {
            Self::Readable | Self::Unclear(_) => true,
            Self::NotAllowed(_) | Self::NotOffered(_) => false,
        }
    }

    /// Why it is not simply readable, in words.
    pub(super) fn trouble(&self) -> Option<String> {
        match self {
            Self::Readable => None,
            Self::NotAllowed(message) => Some(format!("this account is not allowed to read it ({message})")),
            Self::NotOffered(message) => Some(format!("not available ({message})")),
            Self::Unclear(message) => Some(format!("unknown ({message})")),
        }
    }
}

/// Which windows are answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Windows {
    Minutes,
    /// Whole hours alone; minutes are declined with these words.
    Hours(String),
    Unclear(String),
}

impl Windows {
    /// From the answer for minutes, of a report that is answered for an hour.
    pub(super) fn of<T>(answer: &Result<T, Failure>) -> Self {
        match AccessCheck::of(answer) {
            AccessCheck::Readable => Self::Minutes,
            // An hour without mail may be a report where five minutes are none.
            AccessCheck::NotOffered(_) if answer.as_ref().is_err_and(|failure| failure.reason == Reason::Empty) => {
                Self::Minutes
            }
            AccessCheck::NotOffered(message) => Self::Hours(message),
            AccessCheck::NotAllowed(message) | AccessCheck::Unclear(message) => Self::Unclear(message),
        }
    }

    /// Whether it is worth a second question: the wording differs by release, and one refusal that does not speak of
    /// minutes may be a mishap, which must not cost the resolution.
    pub(super) fn is_doubtful(&self) -> bool {
        match self {
            Self::Minutes | Self::Unclear(_) => false,
            Self::Hours(message) => !message.contains("minutes"),
        }
    }
}

/// The topic of a status answer, as a line of findings begins.
pub(super) const fn topic(aspect: &StatusKind) -> &'static str {
    match aspect {
        StatusKind::Health => "health",
        StatusKind::XmlStatus(_) => "status page",
        StatusKind::Quarantines(_) => "quarantines",
        StatusKind::Managed => "managed appliances",
        StatusKind::Privileges => "privileges",
        StatusKind::Reporting => "reporting data",
        StatusKind::TimeZone => "time zone",
    }
}

/// A status answer in a few words.
pub(super) fn described(observation: &Observation) -> String {
    let date = |date: Option<Timestamp>| date.map_or_else(|| "?".to_owned(), |date| date.to_string());
    match observation {
        Observation::Health(_) | Observation::XmlStatus { .. } => "can be read".into(),
        Observation::Quarantines(found) => {
            let names: Vec<&str> = found.iter().map(|quarantine| quarantine.name.as_str()).collect();
            format!("{} can be counted: {}", names.len(), names.join(", "))
        }
        Observation::Managed(devices) => {
            let name = |device: &ManagedAppliance| device.host_name.clone().unwrap_or_else(|| device.serial.clone());
            let names: Vec<String> = devices.iter().map(name).collect();
            format!("{}: {}", names.len(), names.join(", "))
        }
        Observation::Privileges(count) => count.to_string(),
        Observation::Reporting(span) => {
            format!("from {} to {}, last sign of life {}", date(span.begin), date(span.end), date(span.heartbeat))
        }
        Observation::TimeZone(zone) => zone.clone().unwrap_or_else(|| "unknown".into()),
    }
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
        Failure { reason, detail: detail.into(), retry_after: None }
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
    fn only_a_refusal_of_minutes_makes_hours() {
        let of = |reason, detail| Windows::of::<()>(&Err(failure(reason, detail)));
        assert_eq!(Windows::of(&Ok(())), Windows::Minutes);
        assert_eq!(of(Reason::Empty, "no counter"), Windows::Minutes);
        let hours = of(Reason::Declined, "supports only 00 minutes.");
        assert_eq!(hours, Windows::Hours("supports only 00 minutes.".into()));
        assert!(!hours.is_doubtful());
        assert!(of(Reason::Declined, "Not Found.").is_doubtful());
        for reason in [Reason::Timeout, Reason::NotAllowed, Reason::Unavailable] {
            assert_eq!(of(reason, "x"), Windows::Unclear("x".into()));
        }
    }

    #[test]
    fn events_are_counts_that_add_up() {
        let capacity = crate::catalogue::group(CAPACITY).expect("in the catalogue");
        let body = r#"{"data": {"resultSet": [{"incoming_messages": 3}, {"bytes_in": 900}, {"outgoing_messages": "4"},
            {"workqueue_maximum_messages": 50}, {"incoming_connections": null}]}}"#;
        assert_eq!(events(capacity, &Report::parse(body).expect("a report")), 7);
    }
}

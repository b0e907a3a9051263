//! Answers of an appliance in words: what an account may read, and which windows are supported. Pure.

use crate::api::{Failure, ManagedAppliance, Observation, Reason, StatusKind};
use crate::base::clock::Timestamp;

/// One thing that an appliance was asked about itself.
#[derive(Debug)]
pub(in crate::commands) struct Observed {
    pub(in crate::commands) aspect: StatusKind,
    pub(in crate::commands) answer: Result<Observation, Failure>,
}

/// The outcome of the request for a counter group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::commands) enum AccessCheck {
    Readable,
    /// By a 401 or 403.
    NotAllowed(String),
    /// By a 404, or by a report that holds no counter.
    NotOffered(String),
    /// Not at all; another time it may be.
    Unclear(String),
}

impl AccessCheck {
    pub(in crate::commands) fn of<T>(answer: &Result<T, Failure>) -> Self {
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
    pub(in crate::commands) fn is_wanted(&self) -> bool {
        match self {
            Self::Readable | Self::Unclear(_) => true,
            Self::NotAllowed(_) | Self::NotOffered(_) => false,
        }
    }

    /// Why it is not simply readable, in words.
    pub(in crate::commands) fn trouble(&self) -> Option<String> {
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
pub(in crate::commands) enum Windows {
    Minutes,
    /// Whole hours alone; minutes are declined with these words.
    Hours(String),
    Unclear(String),
}

impl Windows {
    /// From the answer for minutes, of a report that is answered for an hour.
    pub(in crate::commands) fn of<T>(answer: &Result<T, Failure>) -> Self {
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
    pub(in crate::commands) fn is_doubtful(&self) -> bool {
        match self {
            Self::Minutes | Self::Unclear(_) => false,
            Self::Hours(message) => !message.contains("minutes"),
        }
    }
}

/// The topic of a status answer, as a line of findings begins.
pub(in crate::commands) const fn topic(aspect: &StatusKind) -> &'static str {
    match aspect {
        StatusKind::Health => "health",
        StatusKind::SystemStatus => "system status",
        StatusKind::DeliveryStatus(_) => "delivery status",
        StatusKind::XmlStatus(_) => "status page",
        StatusKind::Quarantines(_) => "quarantines",
        StatusKind::Managed => "managed appliances",
        StatusKind::Privileges => "privileges",
        StatusKind::Reporting => "reporting data",
        StatusKind::TimeZone => "time zone",
    }
}

/// A status answer in a few words.
pub(in crate::commands) fn described(observation: &Observation) -> String {
    let date = |date: Option<Timestamp>| date.map_or_else(|| "?".to_owned(), |date| date.to_string());
    match observation {
        Observation::Health(_) | Observation::SystemStatus { .. } | Observation::XmlStatus { .. } => {
            "can be read".into()
        }
        Observation::DeliveryStatus(status) => format!("{} destinations", status.destinations.len()),
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

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(reason: Reason, detail: &str) -> Failure {
        Failure::new(reason, detail)
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
}

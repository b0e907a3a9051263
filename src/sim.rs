//! The simulated appliance: a real TCP server that answers as an ESA or SMA does, checks what it is sent, and breaks
//! on request. Written from the vendor's documents and from recorded answers; it names nothing else of this crate, so
//! that a misspelt field cannot be wrong on both sides of a test and look right. It must not read the wall clock
//! either: time comes in through [`Now`]. What no document or recording settles is marked "assumed" where it is
//! decided.

mod access;
mod answer;
mod appliance;
mod attribute;
mod behaviour;
mod connection;
mod custom;
mod date;
mod destinations;
mod expected;
mod fault;
mod fault_plan;
mod feature;
mod form;
mod group;
mod health;
mod http_status;
mod injection;
mod inventory;
mod json;
mod keyed;
mod lifetime_counters;
mod quarantine;
mod recorded;
mod replay;
mod report;
mod report_endpoint;
mod request;
mod request_log;
mod responder;
mod route;
mod scalar;
mod settings;
mod span;
mod system_status;
mod table;
mod token;
mod totp;
mod tracking;
mod traffic;
mod truth;
mod web_tracking;
mod xml_status;

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

pub use appliance::Appliance;
pub use behaviour::{BearerCheck, Behaviour};
pub use custom::CustomGroup;
pub use destinations::{Destination, Destinations};
pub use expected::Scope;
pub use fault::{Fault, FaultBody, On, RequestFilter};
pub use feature::{Feature, TimeRemaining};
pub use form::{
    Centralized, HttpVersion, NoRows, Offer, Privileges, Shape, SystemTimeForm, TimeForm, TokenCookie, TotalCount,
    UnitSuffixes,
};
pub use injection::{InjectedMail, Injection, PROBE_SENDER, SPOOFED_SENDER};
pub use keyed::key::hostile_keys;
pub use lifetime_counters::counter_growth;
pub use quarantine::{Quarantine, SPAM};
pub use recorded::RecordedAnswer;
pub use request::{Request, RequestKind};
pub use settings::{DeviceGroup, HOUR_ONLY_MESSAGES, LOG_LIMIT, Product, Settings};
pub use span::LateEvents;
pub use table::ValueForm;
pub use totp::passcode;
pub use tracking::search::{delivered_count, tracked_count};
pub use traffic::HEALTHY_DOMAIN;
pub use truth::{keyed_truth, truth};

/// The clock the appliance lives by, before its own `clock_offset_secs`.
pub type Now = Arc<dyn Fn() -> SystemTime + Send + Sync>;

/// Whole seconds since 1970, rounded down; 0 before that.
fn unix_secs(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests;

//! Expected values for tests: the true numbers of a running appliance, whatever it reports.

use std::collections::BTreeMap;

use crate::sim::appliance::Appliance;
use crate::sim::group::{self, Group};
use crate::sim::health;
use crate::sim::settings::{Product, Settings, TrafficKind};
use crate::sim::span::Span;
use crate::sim::truth;
use crate::sim::unix_secs;
use crate::sim::xml_status;

/// The devices that a report covers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The ESA itself, or all devices of the SMA.
    Whole,
    /// One reporting group of an SMA.
    Group(String),
    /// One device of an SMA.
    Device(String),
}

/// The numbers of its reports.
impl Appliance {
    /// True value of a counter over the minutes that begin in `[start_secs, end_secs)`, whatever has arrived of it;
    /// see [`truth`](super::truth()). `None` also for a group or device the SMA does not have. An ESA knows only itself,
    /// whatever `scope`.
    #[must_use]
    pub fn truth(&self, scope: &Scope, group: &str, counter: &str, start_secs: u64, end_secs: u64) -> Option<f64> {
        let settings = self.responder.settings();
        let devices = scoped(&settings, traffic_kind(&settings, group), scope)?;
        truth::scalar_value(&settings.behaviour, &devices, group, counter, Span::known(start_secs, end_secs))
    }

    /// The same for a counter of a keyed group, by key; see [`keyed_truth`](super::keyed_truth). Keys that behaviour
    /// adds are among them; one that is not UTF-8 has a replacement character. Empty also for a group or device the
    /// SMA does not have.
    #[must_use]
    pub fn keyed_truth(
        &self,
        scope: &Scope,
        group: &str,
        counter: &str,
        start_secs: u64,
        end_secs: u64,
    ) -> BTreeMap<String, f64> {
        let settings = self.responder.settings();
        let Some(devices) = scoped(&settings, traffic_kind(&settings, group), scope) else { return BTreeMap::new() };
        truth::keyed_values(&settings.behaviour, &devices, group, counter, Span::known(start_secs, end_secs))
    }
}

/// Readings of the ESA itself, by its clock now, whatever behaviour makes of them on the way out.
impl Appliance {
    /// The fields of `health` as numbers; [`work_queue`](super::Behaviour::work_queue) and the like count,
    /// [`health_fields`](super::Behaviour::health_fields) does not.
    #[must_use]
    pub fn health(&self) -> BTreeMap<&'static str, f64> {
        let (settings, clock) = self.responder.now();
        health::truth(&settings, clock)
    }

    /// Number of messages that arrived in `[start_secs, end_secs)` and are in a quarantine now ([`SPAM`](super::SPAM)
    /// for that of spam); `None` for an unknown quarantine, group or device.
    #[must_use]
    pub fn quarantined(&self, scope: &Scope, quarantine: &str, start_secs: u64, end_secs: u64) -> Option<u64> {
        let (settings, clock) = self.responder.now();
        let devices = scoped(&settings, TrafficKind::Mail, scope)?;
        let behaviour = &settings.behaviour;
        let one = behaviour.quarantines.iter().find(|one| one.name == quarantine)?;
        Some(behaviour.quarantined(one, &devices, start_secs, end_secs, unix_secs(clock)))
    }

    /// The gauges of `/xml/status`, before units are written and [`status_gauges`](super::Behaviour::status_gauges) changes any.
    #[must_use]
    pub fn gauges(&self) -> BTreeMap<&'static str, f64> {
        let (settings, clock) = self.responder.now();
        xml_status::gauges(&settings, clock).into_iter().map(|(name, value)| (name, value as f64)).collect()
    }

    /// When the counters of `/xml/status` were 0, in seconds since 1970 by the appliance's clock: `lifetime` at any later
    /// instant is the [`counter_growth`](super::counter_growth) since.
    #[must_use]
    pub fn birth(&self) -> u64 {
        self.responder.birth()
    }
}

/// The traffic that a group counts.
fn traffic_kind(settings: &Settings, group: &str) -> TrafficKind {
    group::find(&settings.behaviour, group).map_or(TrafficKind::Mail, Group::traffic_kind)
}

/// The devices of a scope; `None` when there is no such group or device.
fn scoped<'a>(settings: &'a Settings, traffic_kind: TrafficKind, scope: &Scope) -> Option<Vec<&'a str>> {
    let all = settings.devices_for(traffic_kind);
    Some(match (settings.product, scope) {
        (Product::Esa, _) | (Product::Sma, Scope::Whole) => all,
        (Product::Sma, Scope::Group(name)) => settings.devices_of(traffic_kind, name)?,
        (Product::Sma, Scope::Device(name)) => vec![all.into_iter().find(|device| device == name)?],
    })
}

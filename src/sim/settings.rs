//! The settings of an appliance, for as long as it runs. Pure description: nothing here serves a request.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::sim::behaviour::Behaviour;
use crate::sim::recorded::RecordedAnswer;

/// Which of the two products is simulated; decides the base path and what the reports cover.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Product {
    /// Secure Email Gateway: reports about itself.
    Esa,
    /// Secure Email and Web Manager: reports about the devices it manages.
    Sma,
}

impl Product {
    /// The base path of the API, with its final slash. **Source:** API guides, recorded answers.
    pub(super) const fn prefix(self) -> &'static str {
        match self {
            Self::Esa => "/esa/api/v2.0/",
            Self::Sma => "/sma/api/v2.0/",
        }
    }
}

/// Number of requests that the log keeps unless [`Settings::log_limit`] says otherwise: two days of a busy poller.
pub const LOG_LIMIT: usize = 50_000;

/// Messages with which releases refuse a window that does not begin and end on the hour. The first is recorded for web
/// tracking (two dots); the second is assumed, after the documented wording for seconds.
pub const HOUR_ONLY_MESSAGES: [&str; 2] =
    ["duration attribute supports only 00 minutes..", "startDate and endDate attribute supports only 00 minutes."];

/// One appliance. Fields are public so that a test states only what it cares about.
#[derive(Clone)]
pub struct Settings {
    /// ESA or SMA.
    pub product: Product,
    /// The host name; on an ESA also the device whose numbers it reports.
    pub name: String,
    /// The only user there is.
    pub username: String,
    /// That user's passphrase.
    pub passphrase: String,
    /// SMA only: the reporting groups. The SMA knows the union of their devices, each once.
    pub device_groups: Vec<DeviceGroup>,
    /// SMA only: the web appliances, in groups of their own.
    pub web_groups: Vec<DeviceGroup>,
    /// Number of requests that the log keeps; the oldest go first, half of them at a time. At least 2.
    pub log_limit: usize,
    /// When the ESA began to count, in seconds since 1970: the birth of `/xml/status`. `None`: a week before it is
    /// started. The older, the longer the first page takes.
    pub birth: Option<u64>,
    /// Recorded answers; with them nothing is simulated but the login, which accepts everybody.
    pub replay: Option<Arc<[RecordedAnswer]>>,
    /// Everything that can be switched while the appliance runs.
    pub behaviour: Behaviour,
}

impl Settings {
    /// An ESA with local reporting, user `monitor`, passphrase `ironport`.
    #[must_use]
    pub fn esa(name: &str) -> Self {
        Self {
            product: Product::Esa,
            name: name.to_owned(),
            username: "monitor".to_owned(),
            passphrase: "ironport".to_owned(),
            device_groups: Vec::new(),
            web_groups: Vec::new(),
            log_limit: LOG_LIMIT,
            birth: None,
            replay: None,
            behaviour: Behaviour::esa(),
        }
    }

    /// An SMA with the same user and no devices yet; see [`Settings::with_group`].
    #[must_use]
    pub fn sma(name: &str) -> Self {
        Self { product: Product::Sma, behaviour: Behaviour::sma(), ..Self::esa(name) }
    }

    /// The same appliance with one more reporting group.
    #[must_use]
    pub fn with_group(mut self, name: &str, devices: &[&str]) -> Self {
        let devices = devices.iter().map(|&device| device.to_owned()).collect();
        self.device_groups.push(DeviceGroup { name: name.to_owned(), devices });
        self
    }

    /// The same appliance with one more group of web appliances.
    #[must_use]
    pub fn with_web_group(mut self, name: &str, devices: &[&str]) -> Self {
        let devices = devices.iter().map(|&device| device.to_owned()).collect();
        self.web_groups.push(DeviceGroup { name: name.to_owned(), devices });
        self
    }

    /// Every device whose mail data this appliance has, each once, in order of first mention.
    pub(super) fn devices(&self) -> Vec<&str> {
        self.devices_for(TrafficKind::Mail)
    }

    /// The same for web data.
    pub(super) fn web_devices(&self) -> Vec<&str> {
        self.devices_for(TrafficKind::Web)
    }

    pub(super) fn devices_for(&self, traffic_kind: TrafficKind) -> Vec<&str> {
        match (self.product, traffic_kind) {
            (Product::Esa, TrafficKind::Mail) => vec![&self.name],
            (Product::Esa, TrafficKind::Web) => Vec::new(),
            (Product::Sma, _) => each_once(self.groups_for(traffic_kind).iter().flat_map(|group| &group.devices)),
        }
    }

    /// The devices of one reporting group, each once; `None` when there is no such group.
    pub(super) fn devices_of(&self, traffic_kind: TrafficKind, group: &str) -> Option<Vec<&str>> {
        let group = self.groups_for(traffic_kind).iter().find(|one| one.name == group)?;
        Some(each_once(&group.devices))
    }

    fn groups_for(&self, traffic_kind: TrafficKind) -> &[DeviceGroup] {
        match traffic_kind {
            TrafficKind::Mail => &self.device_groups,
            TrafficKind::Web => &self.web_groups,
        }
    }
}

/// The traffic that a device scans.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TrafficKind {
    Mail,
    Web,
}

fn each_once<'a>(devices: impl IntoIterator<Item = &'a String>) -> Vec<&'a str> {
    let mut seen = BTreeSet::new();
    devices.into_iter().map(String::as_str).filter(|&device| seen.insert(device)).collect()
}

/// A reporting group of an SMA.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceGroup {
    /// The name `device_group_name` asks for.
    pub name: String,
    /// Host names, as `device_name` asks for them. A device may be in several groups.
    pub devices: Vec<String>,
}

//! The status of the fleet and the exporter, composed of published snapshots, facts about the traffic and
//! the configuration. One noun for the page that a person sees and for the JSON that a program reads. Pure; knows nothing
//! of HTTP.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;

use crate::base::clock::{Tick, Timestamp};
use crate::config::Config;
use crate::snapshot::Snapshot;
use crate::telemetry::{ExporterState, TrafficFacts};

mod appliance;
pub(crate) mod discovery;
pub(crate) mod explain;
mod html;
mod problem;
mod reports;
mod requests;
mod words;

pub(crate) use appliance::{ApplianceStatus, State};
pub(crate) use html::Links;

/// The state of the exporter and its fleet at one moment.
///
/// As JSON it is what `/api/v1/status` answers: names are those of the fields, instants read
/// `2026-11-23T12:00:00.000Z`, and what is not known is left out. Fields may be added, never renamed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Status {
    /// The version of this program.
    pub version: &'static str,
    /// The commit it was built from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision: Option<&'static str>,
    /// The moment, by our clock.
    pub time: Timestamp,
    /// The time that the process has been running, in seconds.
    pub uptime_seconds: u64,
    /// The state of the configuration.
    pub config: ConfigStatus,
    /// The state of the totals on disk.
    pub state: StateStatus,
    /// The number of appliances in each state.
    pub summary: Summary,
    /// The appliances, those with problems first, each state as configured.
    pub appliances: Vec<ApplianceStatus>,
}

/// The state of the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct ConfigStatus {
    /// Whether the newest attempt to read it succeeded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_reload_ok: Option<bool>,
    /// When that which is in force was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub in_force_since: Option<Timestamp>,
    /// Whether the newest reading of `--web.config.file` and its files succeeded; true where there are none.
    pub web_last_reload_ok: bool,
}

/// The state of the totals on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct StateStatus {
    /// Whether totals outlive a restart.
    pub durable: bool,
    /// Whether the newest attempt to write them down succeeded; true before the first.
    pub last_write_ok: bool,
    /// When they were last written down.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_written: Option<Timestamp>,
    /// Whether the open state file is the one at its path; none where totals are in memory, as are the next two.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file_present: Option<bool>,
    /// The number of times that the file was deleted and recreated since the start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file_rewrites: Option<u64>,
    /// Whether the file was damaged or missing at the start, so that totals began at zero.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lost_at_start: Option<bool>,
}

/// The number of appliances in each state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Summary {
    /// All of them.
    pub appliances: usize,
    /// Those that answer everything.
    pub ok: usize,
    /// Those that nothing is known of yet.
    pub starting: usize,
    /// Those that answer, and something is wrong.
    pub degraded: usize,
    /// Those of which API requests fail.
    pub down: usize,
    /// Those whose logins have stopped.
    pub logins_stopped: usize,
}

/// The input of a [`Status`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Facts<'a> {
    /// The configuration in force.
    pub config: &'a Config,
    /// The published snapshots.
    pub snapshots: &'a [Arc<Snapshot>],
    /// Facts about the traffic, by appliance.
    pub traffic: &'a BTreeMap<Arc<str>, TrafficFacts>,
    /// Facts about the exporter.
    pub own: ExporterState,
    /// Our clock.
    pub now: Timestamp,
    /// The same moment on the clock that began with the process.
    pub tick: Tick,
}

impl Status {
    /// Puts it together.
    #[must_use]
    pub(crate) fn new(facts: Facts<'_>, version: &'static str, revision: Option<&'static str>) -> Self {
        let Facts { config, snapshots, traffic, own, now, tick } = facts;
        let by_name: BTreeMap<&str, &Snapshot> =
            snapshots.iter().map(|snapshot| (&*snapshot.appliance, &**snapshot)).collect();
        let mut appliances: Vec<ApplianceStatus> = config
            .appliances
            .iter()
            .map(|appliance| {
                let name = appliance.name.as_str();
                let traffic = traffic.get(name).copied().unwrap_or_default();
                ApplianceStatus::new(appliance, by_name.get(name).copied(), traffic, now, tick)
            })
            .collect();
        appliances.sort_by_key(|appliance| appliance.state);
        Self {
            version,
            revision,
            time: now,
            uptime_seconds: tick.since(Tick::default()).as_secs(),
            config: ConfigStatus {
                last_reload_ok: own.config_read,
                in_force_since: own.config_since,
                web_last_reload_ok: own.web_config_read,
            },
            state: StateStatus {
                durable: own.state_durable,
                last_write_ok: !own.state_failing,
                last_written: own.state_written,
                file_present: own.state_durable.then_some(own.state_file_found),
                file_rewrites: own.state_durable.then_some(own.state_rewrites),
                lost_at_start: own.state_durable.then_some(own.state_lost),
            },
            summary: Summary::of(&appliances),
            appliances,
        }
    }

    /// As JSON, with a line break at the end.
    #[must_use]
    pub(crate) fn json(&self) -> String {
        // Tables with text for keys can always be written.
        serde_json::to_string_pretty(self).unwrap_or_else(|error| format!("{{\"error\": \"{error}\"}}")) + "\n"
    }
}

impl Summary {
    fn of(appliances: &[ApplianceStatus]) -> Self {
        let mut summary = Self { appliances: appliances.len(), ..Self::default() };
        for appliance in appliances {
            let count = match appliance.state {
                State::Ok => &mut summary.ok,
                State::Starting => &mut summary.starting,
                State::Degraded => &mut summary.degraded,
                State::Down => &mut summary.down,
                State::LoginsStopped => &mut summary.logins_stopped,
            };
            *count += 1;
        }
        summary
    }
}

#[cfg(test)]
mod tests;

//! The status of one appliance.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::Serialize;

use super::problem::{Ended, Problem};
use super::reports;
use super::requests::{Asked, AspectStatus, FailureStatus, GroupStatus};
use crate::api::Reason;
use crate::base::clock::{Tick, Timestamp};
use crate::config::Appliance;
use crate::snapshot::Snapshot;
use crate::telemetry::TrafficFacts;

/// Windows of one group that may wait before that is a problem: one that has just become due and one in flight are none.
const USUALLY_PENDING: u64 = 2;
/// A certificate that ends within this time is a problem: the time it takes to get another one.
const CERTIFICATE_NOTICE: Duration = Duration::from_secs(14 * 24 * 3600);

/// In which state an appliance is, worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum State {
    /// No login is tried any more.
    LoginsStopped,
    /// API requests fail: no answer, a refused login, or answers that are not those of the API.
    Down,
    /// It answers, and something is wrong.
    Degraded,
    /// It has not answered yet, or no report was requested yet.
    Starting,
    /// All is well.
    Ok,
}

impl State {
    /// For people.
    #[must_use]
    pub(crate) const fn label(self) -> &'static str {
        match self {
            Self::LoginsStopped => "logins stopped",
            Self::Down => "down",
            Self::Degraded => "degraded",
            Self::Starting => "starting",
            Self::Ok => "ok",
        }
    }
}

/// The status of one appliance.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct ApplianceStatus {
    /// Its name in the configuration.
    pub name: String,
    /// `esa` or `sma`.
    pub product: &'static str,
    /// Host and port of its API.
    pub host: String,
    /// In which state it is.
    pub state: State,
    /// Its problems.
    pub problems: Vec<Problem>,
    /// The model, where the login states it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The AsyncOS release, where the login or the XML status states it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub release: Option<String>,
    /// The oldest release that the configuration accepts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minimum_release: Option<String>,
    /// The serial number, where the configuration wants it and the login states it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub serial: Option<String>,
    /// When the token in use ends, by the appliance's clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_expires: Option<Timestamp>,
    /// When the certificate that it showed last ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate_expires: Option<Timestamp>,
    /// Logins refused in a row, restarts included.
    pub login_refusals: u32,
    /// When anything was last had of it, by our clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_success: Option<Timestamp>,
    /// The end of the newest window that was counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window_end: Option<Timestamp>,
    /// Complete windows that are not counted yet, of all groups.
    pub windows_pending: u64,
    /// Windows given up since the exporter started, of all groups.
    pub windows_lost: u64,
    /// The lengths of its windows.
    pub window_seconds: Vec<u64>,
    /// The delays between the end of windows and their requests.
    pub settle_seconds: Vec<u64>,
    /// Its clock minus ours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clock_skew_seconds: Option<f64>,
    /// Whether a gateway leaves its reporting to a manager.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reporting_centralized: Option<bool>,
    /// Why the newest question that was not answered was not, whatever happened since.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_failure: Option<FailureStatus>,
    /// Its counter groups and searches.
    pub groups: Vec<GroupStatus>,
    /// Its kinds of status.
    pub aspects: Vec<AspectStatus>,
}

impl ApplianceStatus {
    pub(super) fn new(
        appliance: &Appliance,
        snapshot: Option<&Snapshot>,
        traffic: TrafficFacts,
        now: Timestamp,
        tick: Tick,
    ) -> Self {
        let groups: Vec<GroupStatus> =
            snapshot.iter().flat_map(|known| &known.groups).map(|view| GroupStatus::new(view, tick)).collect();
        let aspects: Vec<AspectStatus> =
            snapshot.iter().flat_map(|known| &known.aspects).map(|view| AspectStatus::new(view)).collect();
        let facts = snapshot.map(Snapshot::facts).unwrap_or_default();
        let fact = |name: &str| facts.iter().find(|(label, _)| *label == name).map(|(_, value)| value.to_string());
        let distinct = |span: fn(&GroupStatus) -> u64| groups.iter().map(span).collect::<BTreeSet<_>>();
        let successes =
            groups.iter().map(|group| group.last_success).chain(aspects.iter().map(|aspect| aspect.last_success));
        let mut status = Self {
            name: appliance.name.clone(),
            product: appliance.product.label(),
            host: host(appliance),
            state: State::Starting,
            problems: Vec::new(),
            model: fact("model"),
            release: fact("release"),
            minimum_release: appliance.minimum_release.map(|minimum| minimum.to_string()),
            serial: fact("serial"),
            token_expires: traffic.token_expiry,
            certificate_expires: traffic.certificate_expiry,
            login_refusals: traffic.login_refusals,
            last_success: successes.flatten().max(),
            window_end: groups.iter().filter_map(|group| group.window_end).max(),
            windows_pending: groups.iter().map(|group| group.windows_pending).sum(),
            windows_lost: groups.iter().flat_map(|group| group.windows_lost.values()).sum(),
            window_seconds: distinct(|group| group.window_seconds).into_iter().collect(),
            settle_seconds: distinct(|group| group.settle_seconds).into_iter().collect(),
            clock_skew_seconds: snapshot.and_then(|known| known.clock_skew_seconds),
            reporting_centralized: snapshot.and_then(|known| known.centralized),
            last_failure: snapshot.and_then(|known| known.trouble.as_deref()).map(FailureStatus::new),
            groups,
            aspects,
        };
        status.judge(snapshot, traffic, now, tick);
        status
    }

    /// Whether reports are configured, and none was requested yet.
    fn awaits_first_report(&self) -> bool {
        let is_waiting = |group: &GroupStatus| group.asked == Asked::Waiting && group.last_success.is_none();
        !self.groups.is_empty() && self.groups.iter().all(is_waiting)
    }

    fn judge(&mut self, snapshot: Option<&Snapshot>, traffic: TrafficFacts, now: Timestamp, tick: Tick) {
        let is_up = snapshot.is_some_and(|known| known.is_up(tick));
        // One that was up and from which nothing came any more, good or bad, has not said why.
        let is_silent = !is_up && snapshot.is_some_and(|known| known.up_until.is_some());
        let trouble = snapshot.and_then(|known| known.trouble.as_deref()).filter(|_| !is_up);
        let trouble = match is_silent {
            true => Some((Reason::Timeout, Reason::Timeout.advice().to_owned())),
            false => trouble.map(|trouble| (trouble.reason(), trouble.failure.explanation())),
        };
        let (refusals, cause) = (traffic.login_refusals, traffic.refusal_cause);
        if traffic.logins_stopped {
            self.problems.push(Problem::LoginsStopped { refusals, cause });
        } else if refusals > 0 {
            self.problems.push(Problem::LoginsRefused { refusals, cause });
        } else if let Some((reason, advice)) = trouble.clone() {
            self.problems.push(Problem::Down { reason, advice });
        }
        // While an appliance is down every request fails, which its state already says.
        if let Some(known) = snapshot.filter(|_| is_up) {
            self.problems.extend(reports::problems(&self.groups, &self.aspects, known));
        }
        if let Some(round) = snapshot.and_then(|known| known.round).filter(|round| round.tight.is_some()) {
            self.problems.push(Problem::Slow(round));
        }
        // What is refused is not waited for.
        let awaited = self.groups.iter().filter(|group| group.asked != Asked::Refused);
        let behind = awaited.map(|group| group.windows_pending).max().unwrap_or(0);
        if behind > USUALLY_PENDING {
            self.problems.push(Problem::Behind { windows: behind });
        }
        if let Some(trouble) = snapshot.and_then(|known| known.clock) {
            self.problems.push(Problem::Clock { trouble, skew_seconds: self.clock_skew_seconds });
        }
        if let Some(ends) = self.certificate_expires.filter(|ends| *ends < now + CERTIFICATE_NOTICE) {
            let has_ended = if ends <= now { Ended::Yes } else { Ended::Soon };
            self.problems.push(Problem::Certificate { ends, has_ended });
        }
        if let Some((release, first)) = snapshot.and_then(Snapshot::before_first_release) {
            self.problems.push(Problem::TooOld { release, first });
        }
        if let Some((release, minimum, true)) = snapshot.and_then(Snapshot::below_minimum) {
            self.problems.push(Problem::Release { release, minimum });
        }
        self.state = match (traffic.logins_stopped, is_up, trouble) {
            (true, _, _) => State::LoginsStopped,
            (false, false, None) => State::Starting,
            (false, false, Some(_)) => State::Down,
            (false, true, _) if self.problems.is_empty() && self.awaits_first_report() => State::Starting,
            (false, true, _) if self.problems.is_empty() => State::Ok,
            (false, true, _) => State::Degraded,
        };
    }
}

/// Host and port; the configuration lets no user information into a URL.
fn host(appliance: &Appliance) -> String {
    let host = appliance.url.host_str().unwrap_or_default();
    appliance.url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

//! The status of the requests for one report, or for one kind of status.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::base::clock::{Tick, Timestamp};
use crate::snapshot::{AspectView, GroupView, LostReason, Trouble};

/// The outcome of the newest request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Asked {
    /// It was answered.
    Answered,
    /// It was not, and is asked again soon.
    Failing,
    /// The appliance refuses it, so it is requested hourly.
    Refused,
    /// It was not asked yet.
    Waiting,
}

/// Why a question was not answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct FailureStatus {
    /// One of the values of the label `reason` of `asyncos_api_request_failures_total`.
    pub reason: &'static str,
    /// Details of the failure.
    pub detail: String,
    /// The remedy, after the likely cause where `detail` does not name it.
    pub hint: String,
    /// When, by our clock.
    pub at: Timestamp,
}

/// The status of one counter group in one scope.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct GroupStatus {
    /// The label `group`.
    pub group: String,
    /// The label `device_group`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub device_group: String,
    /// The label `device`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub device: String,
    /// The outcome of the newest poll.
    pub asked: Asked,
    /// When it is requested again after a failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asked_again: Option<Timestamp>,
    /// Why it did not bring the report.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<FailureStatus>,
    /// When one last did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_success: Option<Timestamp>,
    /// The end of the newest window that was counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window_end: Option<Timestamp>,
    /// The length of its windows.
    pub window_seconds: u64,
    /// The delay between the end of a window and its request.
    pub settle_seconds: u64,
    /// Complete windows that are not counted yet.
    pub windows_pending: u64,
    /// Windows counted since the exporter started.
    pub windows_committed: u64,
    /// Windows given up since the exporter started, by reason.
    pub windows_lost: BTreeMap<&'static str, u64>,
}

/// The status of one kind of status request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct AspectStatus {
    /// The label `group`.
    pub group: &'static str,
    /// The outcome of the newest request.
    pub asked: Asked,
    /// Why it was not answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<FailureStatus>,
    /// When one last was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_success: Option<Timestamp>,
}

impl FailureStatus {
    pub(super) fn new(trouble: &Trouble) -> Self {
        let Trouble { failure, at } = trouble;
        let (reason, hint) = (failure.reason.label(), failure.advice().into_owned());
        Self { reason, detail: failure.detail.clone(), hint, at: *at }
    }
}

impl GroupStatus {
    pub(super) fn new(view: &GroupView, tick: Tick) -> Self {
        let lost = LostReason::ALL.iter().zip(view.tally.lost).filter(|(_, windows)| *windows > 0);
        Self {
            group: view.group.to_string(),
            device_group: view.scope.device_group().to_owned(),
            device: view.scope.device().to_owned(),
            asked: match (view.refusal, &view.trouble, view.is_answered(tick)) {
                (Some(_), _, _) => Asked::Refused,
                (None, Some(_), _) => Asked::Failing,
                (None, None, true) => Asked::Answered,
                (None, None, false) => Asked::Waiting,
            },
            asked_again: view.asked_again,
            failure: view.trouble.as_deref().map(FailureStatus::new),
            last_success: view.last_success,
            window_end: view.window_end,
            window_seconds: view.window.as_secs(),
            settle_seconds: view.settle.as_secs(),
            windows_pending: view.pending.at(tick),
            windows_committed: view.tally.committed,
            windows_lost: lost.map(|(reason, windows)| (reason.label(), windows)).collect(),
        }
    }

    /// Its name and scope, for people.
    pub(super) fn title(&self) -> String {
        match (self.device_group.as_str(), self.device.as_str()) {
            ("", "") => self.group.clone(),
            (scope, "") | (_, scope) => format!("{} of {scope}", self.group),
        }
    }
}

impl AspectStatus {
    pub(super) fn new(view: &AspectView) -> Self {
        Self {
            group: view.name,
            asked: match (view.refusal, &view.trouble, view.success) {
                (Some(_), _, _) => Asked::Refused,
                (None, Some(_), _) => Asked::Failing,
                (None, None, true) => Asked::Answered,
                (None, None, false) => Asked::Waiting,
            },
            failure: view.trouble.as_deref().map(FailureStatus::new),
            last_success: view.last_success,
        }
    }
}

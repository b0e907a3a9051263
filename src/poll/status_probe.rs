//! Requests for the current status of an appliance; each kind of status is requested at its own pace.

use std::sync::Arc;
use std::time::Duration;

use crate::api::{Failure, Observation, Pace, Reason, StatusKind, UnusableCounts};
use crate::base::clock::{Tick, Timestamp};
use crate::config::{Product, StatusOptions};
use crate::sample::destinations::Destinations;
use crate::sample::status_metrics::StatusMetrics;
use crate::snapshot::{AspectView, Trouble};

use super::failing::Failing;
use super::poll_log::{Polled, Topic};
use super::refusal::Refusal;

/// The pace of status that changes by the second: alerts are evaluated about as often.
const SOON: Duration = Duration::from_secs(60);
const NOW_AND_THEN: Duration = Duration::from_secs(5 * 60);
/// The pace of status that changes when an administrator configures it.
const SELDOM: Duration = Duration::from_secs(3600);
/// The wait after a status page was not there: the password goes out each time.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);
/// The wait after an appliance was found not to have what is optional: an upgrade or another role may bring it.
pub(super) const NOT_OFFERED_WAIT: Duration = Duration::from_secs(24 * 3600);
/// Values are shown until they should have been replaced this many times.
const STALE_AFTER: u32 = 3;

#[derive(Debug)]
pub(super) struct StatusProbe {
    aspect: StatusKind,
    pace: Duration,
    pub(super) in_flight: bool,
    pub(super) not_before: Tick,
    failing: Failing,
    /// Whether the appliance has what is optional; none before it was asked.
    offered: Option<bool>,
    /// Of the delivery status only.
    destinations: Option<Destinations>,
    /// The duration of the newest request.
    pub(super) took: Option<Duration>,
    view: Arc<AspectView>,
}

impl StatusProbe {
    fn new(aspect: StatusKind, pace: Duration, is_wanted: bool) -> Self {
        let destinations = match &aspect {
            StatusKind::DeliveryStatus(top) => Some(Destinations::new(top.get())),
            StatusKind::Health
            | StatusKind::SystemStatus
            | StatusKind::XmlStatus(_)
            | StatusKind::Quarantines(_)
            | StatusKind::Managed
            | StatusKind::Privileges
            | StatusKind::Reporting
            | StatusKind::TimeZone => None,
        };
        let view = AspectView {
            name: aspect.name(),
            option: aspect.option(),
            is_wanted,
            success: false,
            last_success: None,
            refusal: None,
            trouble: None,
            status_metrics: StatusMetrics::default(),
            unusable: UnusableCounts::default(),
            expires: Tick::default(),
        };
        Self {
            aspect,
            pace,
            in_flight: false,
            not_before: Tick::default(),
            failing: Failing::default(),
            offered: None,
            destinations,
            took: None,
            view: Arc::new(view),
        }
    }

    /// The probes of one appliance.
    pub(super) fn all(status_options: &StatusOptions, product: Product) -> Vec<Self> {
        let probe = |kind: StatusKind| {
            let pace = match kind {
                StatusKind::Health
                | StatusKind::SystemStatus
                | StatusKind::DeliveryStatus(_)
                | StatusKind::XmlStatus(_) => SOON,
                StatusKind::Quarantines(_) | StatusKind::Managed | StatusKind::Reporting => NOW_AND_THEN,
                StatusKind::TimeZone | StatusKind::Privileges => SELDOM,
            };
            let is_wanted = status_options.names(kind.option());
            Self::new(kind, pace, is_wanted)
        };
        StatusKind::configured(status_options, product).into_iter().map(probe).collect()
    }

    pub(super) fn aspect(&self) -> &StatusKind {
        &self.aspect
    }

    /// Whether it may be requested from another server than the API's.
    pub(super) fn is_elsewhere(&self) -> bool {
        matches!(self.aspect, StatusKind::XmlStatus(_))
    }

    /// The time from one request to the next.
    pub(super) fn interval(&self) -> Duration {
        self.pace + self.took.unwrap_or_default()
    }

    /// Whether it is answered in many pages.
    pub(super) fn is_paged(&self) -> bool {
        matches!(self.aspect, StatusKind::Quarantines(_))
    }

    /// Whether it was answered the last time.
    pub(super) fn is_answered(&self) -> bool {
        self.view.success
    }

    /// Takes in that the appliance is there again after it was not.
    pub(super) fn appliance_is_back(&mut self, now: Tick) {
        if self.is_not_offered() {
            return;
        }
        if let Some(asked_for) = self.failing.forgive() {
            self.not_before = self.not_before.min((now + self.pace).max(asked_for));
        }
    }

    /// What the log may say about it.
    pub(super) fn for_log(&self) -> Polled {
        let AspectView { name, is_wanted, last_success, trouble, .. } = &*self.view;
        Polled {
            topic: Topic::Status,
            name: (*name).into(),
            was_requested: last_success.is_some() || trouble.is_some() || self.is_not_offered(),
            is_in_first_round: true,
            is_wanted: *is_wanted,
            trouble: trouble.clone(),
        }
    }

    /// Whether the appliance refuses it, so that it is requested seldom.
    pub(super) fn is_refused(&self) -> bool {
        self.view.refusal.is_some() || self.is_not_offered()
    }

    /// Whether the appliance does not have it.
    pub(super) fn is_not_offered(&self) -> bool {
        self.offered == Some(false)
    }

    /// Whether it is not known yet that the appliance has it.
    pub(super) fn is_undecided(&self) -> bool {
        self.aspect.is_optional() && self.offered.is_none()
    }

    /// Whether it is published: nothing of what the appliance may not have, before it has answered.
    pub(super) fn is_published(&self) -> bool {
        !self.aspect.is_optional() || self.offered == Some(true)
    }

    /// Takes in that the appliance was found not to have it, so that it is not requested before `again`.
    pub(super) fn not_offered(&mut self, again: Tick) {
        (self.offered, self.not_before) = (Some(false), again);
    }

    pub(super) fn view(&self) -> Arc<AspectView> {
        Arc::clone(&self.view)
    }

    /// Handles the outcome of the request made at `now`, which is `wall` by our clock; `trouble` classifies a failure, and
    /// `others` is when a report last arrived. Returns the pace of the requests that the appliance allows, if it sent one.
    pub(super) fn observed(
        &mut self,
        outcome: Result<Observation, Failure>,
        trouble: Option<Arc<Trouble>>,
        others: Option<Tick>,
        now: Tick,
        wall: Timestamp,
    ) -> Option<Pace> {
        self.in_flight = false;
        self.not_before = now + self.pace;
        let failure = match outcome {
            Ok(observation) => {
                self.failing = Failing::default();
                self.offered = Some(true);
                let status_metrics = match (&observation, &mut self.destinations) {
                    (Observation::DeliveryStatus(status), Some(destinations)) => destinations.update(status, now),
                    _ => StatusMetrics::new(&observation),
                };
                let mut unusable = self.view.unusable;
                unusable.iter_mut().zip(status_metrics.unusable).for_each(|(sum, more)| *sum += more);
                self.view = Arc::new(AspectView {
                    success: true,
                    last_success: Some(wall),
                    refusal: None,
                    trouble: None,
                    status_metrics,
                    unusable,
                    expires: now + self.pace * STALE_AFTER,
                    ..AspectView::clone(&self.view)
                });
                return observation.pace();
            }
            Err(failure) => failure,
        };
        let is_refused = failure.reason.is_refusal();
        let wait = self.failing.failed(&failure, self.pace, others, now);
        // What was answered before, and a 401, may be a fault that looks like a refusal: a day is given up for a lasting one.
        let may_pass = (self.offered == Some(true) || failure.reason == Reason::NotAllowed)
            && !self.failing.refusal().is_some_and(Refusal::lasts);
        if is_refused && self.aspect.is_optional() && !may_pass {
            self.failing = Failing::default();
            self.view = Arc::new(AspectView { success: false, trouble: None, ..AspectView::clone(&self.view) });
            self.not_offered(now + NOT_OFFERED_WAIT);
            return None;
        }
        let refusal = is_refused.then_some(failure.reason);
        // A refused password is not sent again before its time, whatever the request; checking whether it may be is free.
        let is_elsewhere = refusal.is_some() && self.is_elsewhere();
        let wait = if is_elsewhere { failure.retry_after.unwrap_or(LONGEST_WAIT) } else { wait };
        self.not_before = now + wait.max(self.pace);
        self.view = Arc::new(AspectView { success: false, refusal, trouble, ..AspectView::clone(&self.view) });
        None
    }
}

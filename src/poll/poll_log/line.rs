//! The lines about the requests to one appliance, and their texts.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Polled, Topic};
use crate::api::{Identity, Reason};
use crate::base::clock::Tick;
use crate::config::Scope;
use crate::poll::flapping::PERIOD;
use crate::poll::{Poller, Source, StatusProbe, Target};
use crate::snapshot::Trouble;

/// The most reports that one line names: those of a few scopes.
const MOST_NAMED: usize = 40;

/// Whether somebody should act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::poll) enum Level {
    Info,
    Warn,
}

/// A line of the log.
#[derive(Clone, Debug)]
pub(in crate::poll) enum Line {
    /// The first round is over.
    Summary {
        message: String,
    },
    /// The reports that the first round did not bring.
    NotAvailable {
        reports: String,
        hint: Option<String>,
        level: Level,
    },
    Failed {
        topic: Topic,
        /// One of the counter groups that fail so, or all kinds of status that do.
        names: String,
        trouble: Arc<Trouble>,
        level: Level,
    },
    Recovered {
        topic: Topic,
        name: Arc<str>,
        reason: Reason,
    },
    Flapping {
        topic: Topic,
        reason: Reason,
        changes: u32,
        /// The number of requests that fail so now.
        failing: usize,
    },
}

impl Line {
    /// The line about those that fail at these places.
    pub(super) fn failed(polled: &[Polled], failing: &BTreeSet<usize>, trouble: &Arc<Trouble>) -> Self {
        let failing: Vec<&Polled> = failing.iter().filter_map(|place| polled.get(*place)).collect();
        let is_refused = trouble.reason().is_refusal();
        Self::Failed {
            topic: failing.first().map_or(Topic::Status, |first| first.topic.clone()),
            names: failing.iter().map(|failing| &*failing.name).collect::<Vec<_>>().join(", "),
            trouble: Arc::clone(trouble),
            level: match is_refused && !failing.iter().any(|failing| failing.is_wanted) {
                true => Level::Info,
                false => Level::Warn,
            },
        }
    }
}

/// The lines about the reports after the first round.
pub(super) fn summary(polled: &[Polled], identity: Option<&Identity>) -> Vec<Line> {
    let is_report = |it: &&Polled| it.is_in_first_round && it.topic != Topic::Status;
    let reports: Vec<&Polled> = polled.iter().filter(is_report).collect();
    let missing: Vec<(&Polled, &Trouble)> =
        reports.iter().filter_map(|report| Some((*report, report.trouble.as_deref()?))).collect();
    let mut message = "login accepted".to_owned();
    if let Some(identity) = identity {
        message += &format!(", AsyncOS {}", identity.release);
    }
    if !reports.is_empty() {
        message += &format!(", {} of {} reports available", reports.len() - missing.len(), reports.len());
    }
    let mut lines = vec![Line::Summary { message }];
    let Some((_, trouble)) = missing.first() else { return lines };
    let named = missing.iter().take(MOST_NAMED).map(|(report, trouble)| {
        let scope = match &report.topic {
            Topic::Status | Topic::Reports(Scope::Appliance) => String::new(),
            Topic::Reports(scope) => format!(" of {scope}"),
        };
        format!("{}{scope} ({})", report.name, trouble.reason().label())
    });
    let mut text = named.collect::<Vec<_>>().join(", ");
    if missing.len() > MOST_NAMED {
        text += &format!(" and {} more", missing.len() - MOST_NAMED);
    }
    let hint = trouble.failure.advice();
    let is_one_cause = missing.iter().all(|(_, other)| other.failure.advice() == hint);
    // A feature that is off is usual. A role that is too small, and a scope without any report, are mistakes.
    let is_missing_whole = |topic: &Topic| {
        let of_topic = reports.iter().filter(|report| report.topic == *topic);
        of_topic.clone().all(|report| report.trouble.is_some())
    };
    let is_mistake = |(report, trouble): &(&Polled, &Trouble)| {
        trouble.reason() == Reason::NotAllowed || is_missing_whole(&report.topic)
    };
    let level = if missing.iter().any(is_mistake) { Level::Warn } else { Level::Info };
    let hint = is_one_cause.then(|| hint.into_owned());
    lines.push(Line::NotAvailable { reports: text, hint, level });
    lines
}

impl<S: Source> Poller<S> {
    /// Logs what has changed.
    pub(in crate::poll) fn log_changes(&mut self, now: Tick) {
        let name = &*self.name;
        self.health.log_flapping(name, now);
        // What fails now may do so because the appliance is down, which is one line.
        if self.health.is_in_doubt() {
            return;
        }
        let reports = self.targets.iter().map(Target::for_log);
        let polled: Vec<Polled> = reports.chain(self.watches.iter().map(StatusProbe::for_log)).collect();
        let (is_up, is_explained) = (self.health.is_up(), |reason| self.health.explains(reason, now));
        for line in self.poll_log.compare(&polled, || self.source.identity(), is_up, is_explained, now) {
            line.log(name);
        }
    }
}

impl Line {
    fn log(&self, appliance: &str) {
        match self {
            Self::Summary { message } => tracing::info!(appliance, "{message}"),
            Self::NotAvailable { reports, hint, level: Level::Info } => {
                let hint = hint.as_deref();
                tracing::info!(appliance, reports, hint, "reports not available");
            }
            Self::NotAvailable { reports, hint, level: Level::Warn } => {
                let hint = hint.as_deref();
                tracing::warn!(appliance, reports, hint, "reports not available");
            }
            Self::Failed { topic, names, trouble, level } => {
                let failure = &trouble.failure;
                let (reason, error, hint) = (failure.reason.label(), &*failure.detail, &*failure.advice());
                match (topic, level) {
                    (Topic::Reports(scope), _) => {
                        tracing::warn!(appliance, %scope, group = names, reason, error, hint, "report request failed");
                    }
                    (Topic::Status, Level::Warn) => {
                        tracing::warn!(appliance, status = names, reason, error, hint, "status request failed");
                    }
                    (Topic::Status, Level::Info) => {
                        tracing::info!(appliance, status = names, reason, error, hint, "status not available");
                    }
                }
            }
            Self::Recovered { topic, name, reason } => {
                let (name, reason) = (&**name, reason.label());
                match topic {
                    Topic::Reports(scope) => {
                        tracing::info!(appliance, %scope, group = name, reason, "report request recovered");
                    }
                    Topic::Status => tracing::info!(appliance, status = name, reason, "status request recovered"),
                }
            }
            Self::Flapping { topic, reason, changes, failing } => {
                let (reason, minutes) = (reason.label(), PERIOD.as_secs() / 60);
                match topic {
                    Topic::Reports(scope) => {
                        tracing::warn!(
                            appliance, %scope, reason, changes, minutes, failing, "report requests are flapping"
                        );
                    }
                    Topic::Status => {
                        tracing::warn!(appliance, reason, changes, minutes, failing, "status requests are flapping");
                    }
                }
            }
        }
    }
}

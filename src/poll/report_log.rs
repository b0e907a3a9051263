//! Log lines about the reports of one appliance: a summary of the first round, then one line for each cause and scope,
//! however many counter groups share it. Pure, but for the lines of the poller.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::api::{Identity, Reason};
use crate::base::clock::Tick;
use crate::config::Scope;
use crate::snapshot::Trouble;

use super::flapping::{Flapping, PERIOD};
use super::{Poller, Source};

/// The most reports that one line names: those of a few scopes.
const MOST_NAMED: usize = 40;

/// One report, as of now.
#[derive(Clone, Debug)]
pub(super) struct Report {
    pub(super) scope: Scope,
    pub(super) group: Arc<str>,
    /// Whether a request for it has succeeded or failed since the exporter started.
    pub(super) was_requested: bool,
    /// Whether it is in the summary of the first round. Searches are not: they are seldom, and the round does not wait for
    /// them.
    pub(super) is_in_summary: bool,
    /// Its newest failure; none while it succeeds.
    pub(super) trouble: Option<Arc<Trouble>>,
}

/// A line of the log.
#[derive(Clone, Debug)]
pub(super) enum Line {
    /// The first round is over.
    Summary {
        message: String,
    },
    /// The reports that the first round did not bring.
    NotAvailable {
        reports: String,
        hint: Option<String>,
    },
    Failed {
        scope: Scope,
        /// One of the counter groups that fail so.
        group: Arc<str>,
        trouble: Arc<Trouble>,
    },
    Recovered {
        scope: Scope,
        group: Arc<str>,
        reason: Reason,
    },
    Flapping {
        scope: Scope,
        reason: Reason,
        changes: u32,
        /// The reports that fail so now.
        failing: usize,
    },
}

/// What was logged about the reports of one appliance.
#[derive(Debug, Default)]
pub(super) struct ReportLog {
    is_summarized: bool,
    /// By the position of the report.
    seen: Vec<Seen>,
    causes: Vec<((Scope, Reason), Cause)>,
}

#[derive(Clone, Debug, Default)]
struct Seen {
    trouble: Option<Arc<Trouble>>,
    cause: Option<Reason>,
}

#[derive(Clone, Debug, Default)]
struct Cause {
    /// The positions of the reports that fail so.
    failing: BTreeSet<usize>,
    flapping: Flapping,
}

impl ReportLog {
    /// Compares the reports with what was logged. While the appliance is down every report fails, which is logged once for
    /// all of them.
    pub(super) fn compare(
        &mut self,
        reports: &[Report],
        identity: impl FnOnce() -> Option<Identity>,
        is_up: bool,
        now: Tick,
    ) -> Vec<Line> {
        self.seen.resize(reports.len(), Seen::default());
        let mut lines = Vec::new();
        for ((scope, reason), cause) in &mut self.causes {
            if let Some(changes) = cause.flapping.due(now) {
                let failing = cause.failing.len();
                lines.push(Line::Flapping { scope: scope.clone(), reason: *reason, changes, failing });
            }
        }
        for (place, report) in reports.iter().enumerate() {
            let seen = &mut self.seen[place];
            let is_same = match (&seen.trouble, &report.trouble) {
                (Some(before), Some(newest)) => Arc::ptr_eq(before, newest),
                (None, None) => true,
                (Some(_), None) | (None, Some(_)) => false,
            };
            if is_same {
                continue;
            }
            seen.trouble.clone_from(&report.trouble);
            match &report.trouble {
                Some(trouble) if is_up => lines.extend(self.failed(place, report, trouble, now)),
                // Its cause is that of the appliance.
                Some(_) => {}
                None => lines.extend(self.recovered(place, report, now)),
            }
        }
        self.causes.retain(|(_, cause)| !cause.failing.is_empty() || !cause.flapping.is_quiet(now));
        let of_summary = || reports.iter().filter(|report| report.is_in_summary);
        if is_up && !self.is_summarized && of_summary().all(|report| report.was_requested) {
            self.is_summarized = true;
            lines.extend(summary(&of_summary().collect::<Vec<_>>(), identity().as_ref()));
        }
        lines
    }

    fn failed(&mut self, place: usize, report: &Report, trouble: &Arc<Trouble>, now: Tick) -> Option<Line> {
        let reason = trouble.reason();
        let before = self.seen[place].cause.replace(reason);
        if before == Some(reason) {
            return None;
        }
        if let Some(before) = before {
            self.cause(&report.scope, before).failing.remove(&place);
        }
        let is_for_the_summary = report.is_in_summary && !self.is_summarized && is_of_the_report(reason);
        let cause = self.cause(&report.scope, reason);
        let is_first = cause.failing.is_empty();
        cause.failing.insert(place);
        if is_for_the_summary {
            return None;
        }
        // Another group with the same cause is no news, unless that has been there for long.
        let is_news = is_first || cause.flapping.is_quiet(now);
        (is_news && cause.flapping.changed(now)).then(|| Line::Failed {
            scope: report.scope.clone(),
            group: Arc::clone(&report.group),
            trouble: Arc::clone(trouble),
        })
    }

    fn recovered(&mut self, place: usize, report: &Report, now: Tick) -> Option<Line> {
        let reason = self.seen[place].cause.take()?;
        let cause = self.cause(&report.scope, reason);
        cause.failing.remove(&place);
        (cause.failing.is_empty() && cause.flapping.changed(now)).then(|| Line::Recovered {
            scope: report.scope.clone(),
            group: Arc::clone(&report.group),
            reason,
        })
    }

    fn cause(&mut self, scope: &Scope, reason: Reason) -> &mut Cause {
        let known = self.causes.iter().position(|((of, why), _)| of == scope && *why == reason);
        let place = known.unwrap_or_else(|| {
            self.causes.push(((scope.clone(), reason), Cause::default()));
            self.causes.len() - 1
        });
        &mut self.causes[place].1
    }
}

/// Whether a report fails so because the appliance does not offer it.
const fn is_of_the_report(reason: Reason) -> bool {
    reason.is_refusal() || matches!(reason, Reason::Empty)
}

/// The lines after the first round.
fn summary(reports: &[&Report], identity: Option<&Identity>) -> Vec<Line> {
    let missing: Vec<(&Report, &Trouble)> =
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
        let scope = match report.scope {
            Scope::Appliance => String::new(),
            Scope::DeviceGroup(_) | Scope::Device(_) => format!(" of {}", report.scope),
        };
        format!("{}{scope} ({})", report.group, trouble.reason().label())
    });
    let mut reports = named.collect::<Vec<_>>().join(", ");
    if missing.len() > MOST_NAMED {
        reports += &format!(" and {} more", missing.len() - MOST_NAMED);
    }
    let hint = trouble.failure.advice();
    let is_one_cause = missing.iter().all(|(_, other)| other.failure.advice() == hint);
    lines.push(Line::NotAvailable { reports, hint: is_one_cause.then(|| hint.into_owned()) });
    lines
}

impl<S: Source> Poller<S> {
    /// Logs what has changed.
    pub(super) fn log_changes(&mut self, now: Tick) {
        let name = &*self.name;
        self.health.log_flapping(name, now);
        for status_probe in &mut self.watches {
            status_probe.log_flapping(name, now);
        }
        let reports: Vec<Report> = self.targets.iter().map(super::Target::for_log).collect();
        for line in self.report_log.compare(&reports, || self.source.identity(), self.health.is_up(), now) {
            line.log(name);
        }
    }
}

impl Line {
    fn log(&self, appliance: &str) {
        match self {
            Self::Summary { message } => tracing::info!(appliance, "{message}"),
            Self::NotAvailable { reports, hint } => {
                let hint = hint.as_deref();
                tracing::info!(appliance, reports, hint, "reports not available");
            }
            Self::Failed { scope, group, trouble } => {
                let failure = &trouble.failure;
                let (reason, error, hint) = (failure.reason.label(), &*failure.detail, &*failure.advice());
                tracing::warn!(appliance, %scope, group = &**group, reason, error, hint, "report request failed");
            }
            Self::Recovered { scope, group, reason } => {
                let reason = reason.label();
                tracing::info!(appliance, %scope, group = &**group, reason, "report request recovered");
            }
            Self::Flapping { scope, reason, changes, failing } => {
                let (reason, minutes) = (reason.label(), PERIOD.as_secs() / 60);
                tracing::warn!(appliance, %scope, reason, changes, minutes, failing, "report requests are flapping");
            }
        }
    }
}

#[cfg(test)]
mod tests;

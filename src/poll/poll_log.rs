//! Log lines about the requests to one appliance: a summary of the first round, then one line for each cause and topic,
//! however many counter groups or kinds of status share it. Pure.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::api::{Identity, Reason};
use crate::base::clock::Tick;
use crate::config::Scope;
use crate::snapshot::Trouble;

use super::flapping::Flapping;

mod line;

use line::Line;

/// Failures in a row, for a reason that may pass, from which on they are logged.
const NEWS: u32 = 2;

/// What a line is about: the reports of one scope, or the status of the appliance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Topic {
    Reports(Scope),
    Status,
}

/// A report or a kind of status, as of now.
#[derive(Clone, Debug)]
pub(super) struct Polled {
    pub(super) topic: Topic,
    /// The value of the label `group`.
    pub(super) name: Arc<str>,
    /// Whether a request for it has succeeded or failed since the exporter started.
    pub(super) was_requested: bool,
    /// Whether the first round contains it. Searches are seldom, so the round does not wait for them.
    pub(super) is_in_first_round: bool,
    /// Whether somebody wants it. Status that is requested by default may be missing: then nobody is alarmed.
    pub(super) is_wanted: bool,
    /// Its newest failure; none while it succeeds.
    pub(super) trouble: Option<Arc<Trouble>>,
}

/// What was logged about the requests to one appliance.
#[derive(Debug, Default)]
pub(super) struct PollLog {
    are_reports_summarized: bool,
    is_status_summarized: bool,
    /// By the position of what is polled.
    seen: Vec<Seen>,
    causes: Vec<((Topic, Reason), Cause)>,
}

#[derive(Clone, Debug, Default)]
struct Seen {
    trouble: Option<Arc<Trouble>>,
    /// Failures in a row that nothing else explains.
    failures: u32,
    cause: Option<Reason>,
}

#[derive(Clone, Debug, Default)]
struct Cause {
    /// The positions of what fails so.
    failing: BTreeSet<usize>,
    flapping: Flapping,
}

impl PollLog {
    /// Compares what is polled with what was logged. A failure that `is_explained`, as every one is while the appliance is
    /// down, is logged once for all of them, elsewhere.
    pub(super) fn compare(
        &mut self,
        polled: &[Polled],
        identity: impl FnOnce() -> Option<Identity>,
        is_up: bool,
        is_explained: impl Fn(Reason) -> bool,
        now: Tick,
    ) -> Vec<Line> {
        self.seen.resize(polled.len(), Seen::default());
        let mut lines = Vec::new();
        for ((topic, reason), cause) in &mut self.causes {
            if let Some(changes) = cause.flapping.due(now) {
                let failing = cause.failing.len();
                lines.push(Line::Flapping { topic: topic.clone(), reason: *reason, changes, failing });
            }
        }
        for (place, newest) in polled.iter().enumerate() {
            let seen = &mut self.seen[place];
            let is_same = match (&seen.trouble, &newest.trouble) {
                (Some(before), Some(newest)) => Arc::ptr_eq(before, newest),
                (None, None) => true,
                (Some(_), None) | (None, Some(_)) => false,
            };
            if is_same {
                continue;
            }
            seen.trouble.clone_from(&newest.trouble);
            match &newest.trouble {
                // Its cause is that of the appliance.
                Some(trouble) if is_explained(trouble.reason()) => {}
                Some(trouble) => lines.extend(self.failed(place, polled, trouble, now)),
                None => lines.extend(self.recovered(place, newest, now)),
            }
        }
        self.causes.retain(|(_, cause)| !cause.failing.is_empty() || !cause.flapping.is_quiet(now));
        let has_all = |of_status: bool| {
            let first_round = |it: &&Polled| it.is_in_first_round && (it.topic == Topic::Status) == of_status;
            let is_settled = |it: &Polled| match &it.trouble {
                Some(trouble) => !is_explained(trouble.reason()),
                None => it.was_requested,
            };
            is_up && polled.iter().filter(first_round).all(is_settled)
        };
        if !self.are_reports_summarized && has_all(false) {
            self.are_reports_summarized = true;
            lines.extend(line::summary(polled, identity().as_ref()));
        }
        if !self.is_status_summarized && has_all(true) {
            self.is_status_summarized = true;
            lines.extend(self.status_summary(polled, now));
        }
        lines
    }

    fn failed(&mut self, place: usize, polled: &[Polled], trouble: &Arc<Trouble>, now: Tick) -> Option<Line> {
        let (newest, reason) = (&polled[place], trouble.reason());
        self.seen[place].failures += 1;
        // What passes is made up for with the next request. The metrics count it.
        if reason.is_transient() && self.seen[place].failures < NEWS {
            return None;
        }
        let before = self.seen[place].cause.replace(reason);
        if before == Some(reason) {
            return None;
        }
        if let Some(before) = before {
            self.cause(&newest.topic, before).failing.remove(&place);
        }
        let is_for_the_summary = newest.is_in_first_round
            && match newest.topic {
                Topic::Reports(_) => !self.are_reports_summarized && is_of_the_report(reason),
                // There is one request for each, and all of them are made at once.
                Topic::Status => !self.is_status_summarized,
            };
        let cause = self.cause(&newest.topic, reason);
        let is_first = cause.failing.is_empty();
        cause.failing.insert(place);
        if is_for_the_summary {
            return None;
        }
        // Another group with the same cause is no news, unless that has been there for long.
        let is_news = is_first || cause.flapping.has_settled(now);
        if !is_news || !cause.flapping.changed(now) {
            return None;
        }
        let failing = match newest.topic {
            Topic::Reports(_) => BTreeSet::from([place]),
            Topic::Status => cause.failing.clone(),
        };
        Some(Line::failed(polled, &failing, trouble))
    }

    fn recovered(&mut self, place: usize, polled: &Polled, now: Tick) -> Option<Line> {
        self.seen[place].failures = 0;
        let reason = self.seen[place].cause.take()?;
        // Nobody was told that it failed.
        let is_untold = match polled.topic {
            Topic::Status => !self.is_status_summarized,
            Topic::Reports(_) => polled.is_in_first_round && !self.are_reports_summarized && is_of_the_report(reason),
        };
        let cause = self.cause(&polled.topic, reason);
        cause.failing.remove(&place);
        if is_untold {
            return None;
        }
        (cause.failing.is_empty() && cause.flapping.changed(now)).then(|| Line::Recovered {
            topic: polled.topic.clone(),
            name: Arc::clone(&polled.name),
            reason,
        })
    }

    /// A line for each cause of the status that the first round did not bring.
    fn status_summary(&mut self, polled: &[Polled], now: Tick) -> Vec<Line> {
        let mut lines = Vec::new();
        for ((topic, reason), cause) in &mut self.causes {
            let troubles = cause.failing.iter().filter_map(|place| polled[*place].trouble.as_ref());
            let Some(trouble) = troubles.clone().find(|trouble| trouble.reason() == *reason) else { continue };
            if *topic == Topic::Status && cause.flapping.changed(now) {
                lines.push(Line::failed(polled, &cause.failing, trouble));
            }
        }
        lines
    }

    fn cause(&mut self, topic: &Topic, reason: Reason) -> &mut Cause {
        let known = self.causes.iter().position(|((of, why), _)| of == topic && *why == reason);
        let place = known.unwrap_or_else(|| {
            self.causes.push(((topic.clone(), reason), Cause::default()));
            self.causes.len() - 1
        });
        &mut self.causes[place].1
    }
}

/// Whether a report fails so because the appliance does not offer it.
const fn is_of_the_report(reason: Reason) -> bool {
    reason.is_refusal() || matches!(reason, Reason::Empty)
}

#[cfg(test)]
mod tests;

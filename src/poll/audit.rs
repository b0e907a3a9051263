//! When a target's hours are compared with the appliance's own report for them: once an hour, one day after the other,
//! and only while no window is due. Pure.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::config::Late;
use crate::window::Window;

use super::plan::Step;

/// One comparison an hour and target: what audits may cost the appliance.
const PACE: Duration = Duration::from_secs(3600);
/// How long after the settle delay an hour is compared, so that the comparison finds what a later look would.
const DELAY: Duration = Duration::from_secs(5 * 60);

/// The comparisons of one target.
#[derive(Debug)]
pub(super) struct Audits {
    late: Late,
    last: Option<Timestamp>,
    /// By the beginning of the stretch: when it was compared, and how much was late and not added.
    done: BTreeMap<Timestamp, (Timestamp, u64)>,
}

impl Audits {
    pub(super) fn new(late: Late) -> Self {
        Self { late, last: None, done: BTreeMap::new() }
    }

    /// The comparison of one of `stretches` that is due, or how long to wait for it or `otherwise`.
    pub(super) fn step(&self, stretches: Vec<Window>, settle: Duration, now: Timestamp, otherwise: Duration) -> Step {
        let ready = stretches.into_iter().map(|hours| {
            let paced = self.last.map_or(hours.end(), |last| last + PACE);
            let done = self.done.get(&hours.start()).map(|(at, _)| *at);
            (paced.max(hours.end() + settle + DELAY), done, hours)
        });
        // The one that was compared longest ago, or never, of those that may be; else the one that may be first.
        match ready.min_by_key(|(at, done, hours)| ((*at).max(now), *done, hours.start())) {
            Some((at, _, hours)) if at <= now => Step::Audit(hours),
            Some((at, ..)) => Step::Wait(otherwise.min(at.since(now))),
            None => Step::Wait(otherwise),
        }
    }

    /// A comparison was tried.
    pub(super) fn tried(&mut self, now: Timestamp) {
        self.last = Some(now);
    }

    /// A comparison of the stretch from `start` found so much late; returns how much of it was not known before.
    pub(super) fn done(&mut self, start: Timestamp, late: u64, now: Timestamp) -> u64 {
        self.tried(now);
        let (_, known) = self.done.get(&start).copied().unwrap_or((now, 0));
        // What was added is late no more; what was not is found again each time.
        let remembered = if self.late == Late::Add { 0 } else { late };
        self.done.insert(start, (now, remembered));
        while self.done.len() > 4 {
            self.done.pop_first();
        }
        late.saturating_sub(known)
    }
}

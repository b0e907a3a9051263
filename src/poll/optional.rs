//! Status requests that an appliance may not offer: each is made once, and what it does not offer is remembered across
//! restarts and requested again once a day.

use std::time::Duration;

use crate::base::clock::{Tick, Timestamp};
use crate::store::Facts;

use super::status_probe::{NOT_OFFERED_WAIT, StatusProbe};
use super::{Poller, Source};

/// Takes in what the appliance was found not to offer before a restart.
pub(super) fn recall(watches: &mut [StatusProbe], facts: &Facts, now: Tick, wall: Timestamp) {
    for status_probe in watches {
        let Some(found) = facts.not_offered.get(status_probe.aspect().name()) else { continue };
        let passed = wall.since(Timestamp::from_secs(*found));
        // A clock that was set back must not postpone the next request for ever.
        let is_ahead = Timestamp::from_secs(*found) > wall;
        if let Some(left) = NOT_OFFERED_WAIT.checked_sub(passed).filter(|left| !is_ahead && *left > Duration::ZERO) {
            status_probe.not_offered(now + left);
        }
    }
}

impl<S: Source> Poller<S> {
    /// Remembers which status requests the appliance does not offer. Logs them in one line, once all have been made.
    pub(super) fn remember_not_offered(&mut self) {
        if self.watches.iter().any(StatusProbe::is_undecided) {
            return;
        }
        let wall = self.context.clock.wall().as_secs();
        let mut facts = self.facts.clone();
        let known = std::mem::take(&mut facts.not_offered);
        for status_probe in self.watches.iter().filter(|status_probe| status_probe.is_not_offered()) {
            let name = status_probe.aspect().name().to_owned();
            let at = match known.get(&name) {
                Some(at) if wall.saturating_sub(*at) < NOT_OFFERED_WAIT.as_secs() => *at,
                Some(_) | None => wall,
            };
            facts.not_offered.insert(name, at);
        }
        let names: Vec<&str> = facts.not_offered.keys().map(String::as_str).collect();
        if facts.not_offered.keys().any(|name| !known.contains_key(name)) {
            let requests = names.join(", ");
            tracing::info!(appliance = &*self.name, requests, "status requests not offered");
        }
        self.remember_facts(facts);
    }
}

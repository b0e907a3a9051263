//! Whether a gateway leaves its reporting to a manager: then it keeps no figures but those of its capacity, and what it
//! answers for the others is nothing, zeros or a refusal. Pure.
//!
//! **Source:** user guide, centralized reporting; which of the three it answers is not published.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::base::clock::Timestamp;
use crate::base::window::Window;

/// What is kept in either mode.
const CAPACITY: &str = "mail_system_capacity";
/// The reports that must contain the mail that capacity counts.
const TRAFFIC: [&str; 2] = ["mail_incoming_traffic_summary", "mail_outgoing_traffic_summary"];
/// Zeros mean something after so long and so many messages: a quiet hour has none of either.
const LONG: Duration = Duration::from_secs(3600);
const MANY: u64 = 100;
/// Refusals in a row that are no mishap.
const REFUSALS: u32 = 3;

/// The evidence about one ESA.
#[derive(Debug)]
pub(super) struct Centralized {
    traffic: BTreeMap<&'static str, Heard>,
    messages: u64,
    /// Where the first of those messages was counted.
    since: Option<Timestamp>,
    found: bool,
}

/// Answers of one traffic report since it last contained an event.
#[derive(Clone, Copy, Debug, Default)]
struct Heard {
    refusals: u32,
    zeros_until: Option<Timestamp>,
}

impl Centralized {
    /// For an ESA that is polled for `groups`; none where these reports cannot decide it.
    pub(super) fn new<'a>(groups: impl Iterator<Item = &'a str>) -> Option<Self> {
        let groups: Vec<&str> = groups.collect();
        let traffic: BTreeMap<_, _> =
            TRAFFIC.into_iter().filter(|name| groups.contains(name)).map(|name| (name, Heard::default())).collect();
        let can_tell = groups.contains(&CAPACITY) && !traffic.is_empty();
        can_tell.then_some(Self { traffic, messages: 0, since: None, found: false })
    }

    /// A window of `group` was counted, with so many events.
    pub(super) fn heard(&mut self, group: &str, window: Window, events: u64) {
        if group == CAPACITY && events > 0 {
            self.messages += events;
            self.since.get_or_insert(window.start());
        }
        let Some(heard) = self.traffic.get_mut(group) else { return };
        if events > 0 {
            *self = Self {
                traffic: self.traffic.keys().map(|name| (*name, Heard::default())).collect(),
                messages: 0,
                since: None,
                found: false,
            };
        } else {
            *heard = Heard { refusals: 0, zeros_until: Some(window.end()) };
        }
    }

    /// A report of `group` was empty or declined.
    pub(super) fn refused(&mut self, group: &str) {
        if let Some(heard) = self.traffic.get_mut(group) {
            heard.refusals += 1;
        }
    }

    /// Whether reporting is centralized, as far as is known.
    pub(super) fn is_found(&self) -> bool {
        self.found
    }

    /// Whether it is found now and was not before.
    pub(super) fn find(&mut self) -> bool {
        let Some(since) = self.since else { return false };
        let silent = |heard: &Heard| {
            let zeros = heard.zeros_until.is_some_and(|until| until >= since + LONG) && self.messages >= MANY;
            heard.refusals >= REFUSALS || zeros
        };
        let is_new = !self.found && self.traffic.values().all(silent);
        self.found |= is_new;
        is_new
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::window::Grid;

    fn hour(number: u64) -> Window {
        Grid::HOURS.window_from(Timestamp::from_secs(number * 3600))
    }

    fn gateway() -> Centralized {
        Centralized::new(["mail_mar_summary", CAPACITY, TRAFFIC[0], TRAFFIC[1]].into_iter()).expect("can tell")
    }

    #[test]
    fn zeros_beside_mail_are_found_after_an_hour_and_said_once() {
        let mut gateway = gateway();
        for number in 0..2 {
            gateway.heard(CAPACITY, hour(number), 60);
            gateway.heard(TRAFFIC[0], hour(number), 0);
            assert!(number > 0 || !gateway.find(), "the other report has not spoken");
            gateway.heard(TRAFFIC[1], hour(number), 0);
            gateway.heard("mail_mar_summary", hour(number), 5);
            assert_eq!(gateway.find(), number == 1, "sixty messages are few");
        }
        assert!(gateway.is_found() && !gateway.find());
        gateway.heard(TRAFFIC[1], hour(2), 1);
        assert!(!gateway.is_found(), "it reports again");
    }

    #[test]
    fn refusals_beside_mail_are_found_at_once() {
        let mut gateway = gateway();
        for _ in 0..3 {
            assert!(!gateway.find());
            TRAFFIC.iter().for_each(|group| gateway.refused(group));
        }
        assert!(!gateway.find(), "it may be down as a whole");
        gateway.heard(CAPACITY, hour(0), 1);
        assert!(gateway.find());
    }

    #[test]
    fn a_quiet_gateway_is_only_quiet() {
        let mut gateway = gateway();
        for number in 0..48 {
            gateway.heard(CAPACITY, hour(number), 0);
            TRAFFIC.iter().for_each(|group| gateway.heard(group, hour(number), 0));
            assert!(!gateway.find());
        }
    }

    #[test]
    fn without_the_reports_nothing_can_be_told() {
        assert!(Centralized::new([CAPACITY].into_iter()).is_none());
        assert!(Centralized::new(TRAFFIC.into_iter()).is_none());
    }
}

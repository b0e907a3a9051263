//! Whether an ESA leaves its reporting to an SMA: then it keeps no figures but those of its capacity. The appliance's own
//! statement decides; an appliance that makes none is judged by its answers for the other reports, which are empty, zeros or
//! refusals then. Pure.
//!
//! **Source:** user guide, centralized reporting; which of the three it answers is not published. That an ESA states it at all
//! is assumed: the field is documented for an SMA.

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
    /// The appliance's own `centralized_reporting_enabled`.
    stated: Option<bool>,
    /// Whether the reports that are polled can show it.
    can_tell: bool,
    traffic: BTreeMap<&'static str, Traffic>,
    messages: u64,
    /// Where the first of those messages was counted.
    since: Option<Timestamp>,
    found: bool,
}

/// Answers of one traffic report since it last contained an event.
#[derive(Clone, Copy, Debug, Default)]
struct Traffic {
    refusals: u32,
    zeros_until: Option<Timestamp>,
}

impl Centralized {
    /// For an ESA that is polled for `groups`.
    pub(super) fn new<'a>(groups: impl Iterator<Item = &'a str>) -> Self {
        let groups: Vec<&str> = groups.collect();
        let traffic: BTreeMap<_, _> =
            TRAFFIC.into_iter().filter(|name| groups.contains(name)).map(|name| (name, Traffic::default())).collect();
        let can_tell = groups.contains(&CAPACITY) && !traffic.is_empty();
        Self { stated: None, can_tell, traffic, messages: 0, since: None, found: false }
    }

    /// The appliance states it. Returns whether it is found now and was not before.
    pub(super) fn state(&mut self, is_centralized: bool) -> bool {
        let was_found = self.is_found() == Some(true);
        self.stated = Some(is_centralized);
        is_centralized && !was_found
    }

    /// A window of `group` was counted, with so many events.
    pub(super) fn record(&mut self, group: &str, window: Window, events: u64) {
        if group == CAPACITY && events > 0 {
            self.messages += events;
            self.since.get_or_insert(window.start());
        }
        let Some(traffic) = self.traffic.get_mut(group) else { return };
        if events > 0 {
            *self = Self {
                traffic: self.traffic.keys().map(|name| (*name, Traffic::default())).collect(),
                messages: 0,
                since: None,
                found: false,
                ..*self
            };
        } else {
            *traffic = Traffic { refusals: 0, zeros_until: Some(window.end()) };
        }
    }

    /// A report of `group` was empty or declined.
    pub(super) fn refused(&mut self, group: &str) {
        if let Some(traffic) = self.traffic.get_mut(group) {
            traffic.refusals += 1;
        }
    }

    /// Whether reporting is centralized; none where neither the appliance nor its reports show it.
    pub(super) fn is_found(&self) -> Option<bool> {
        self.stated.or(self.can_tell.then_some(self.found))
    }

    /// Whether it is found now and was not before.
    pub(super) fn find(&mut self) -> bool {
        let Some(since) = self.since.filter(|_| self.can_tell && self.stated.is_none()) else { return false };
        let silent = |group: &Traffic| {
            let zeros = group.zeros_until.is_some_and(|until| until >= since + LONG) && self.messages >= MANY;
            group.refusals >= REFUSALS || zeros
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

    fn esa() -> Centralized {
        Centralized::new(["mail_mar_summary", CAPACITY, TRAFFIC[0], TRAFFIC[1]].into_iter())
    }

    #[test]
    fn zeros_beside_mail_are_found_after_an_hour_and_said_once() {
        let mut esa = esa();
        for number in 0..2 {
            esa.record(CAPACITY, hour(number), 60);
            esa.record(TRAFFIC[0], hour(number), 0);
            assert!(number > 0 || !esa.find(), "the other report has not spoken");
            esa.record(TRAFFIC[1], hour(number), 0);
            esa.record("mail_mar_summary", hour(number), 5);
            assert_eq!(esa.find(), number == 1, "sixty messages are few");
        }
        assert_eq!((esa.is_found(), esa.find()), (Some(true), false));
        esa.record(TRAFFIC[1], hour(2), 1);
        assert_eq!(esa.is_found(), Some(false), "it reports again");
    }

    #[test]
    fn refusals_beside_mail_are_found_at_once() {
        let mut esa = esa();
        for _ in 0..3 {
            assert!(!esa.find());
            TRAFFIC.iter().for_each(|group| esa.refused(group));
        }
        assert!(!esa.find(), "it may be down as a whole");
        esa.record(CAPACITY, hour(0), 1);
        assert!(esa.find());
    }

    #[test]
    fn a_quiet_esa_is_only_quiet() {
        let mut esa = esa();
        for number in 0..48 {
            esa.record(CAPACITY, hour(number), 0);
            TRAFFIC.iter().for_each(|group| esa.record(group, hour(number), 0));
            assert!(!esa.find());
        }
    }

    #[test]
    fn without_the_reports_nothing_is_known() {
        assert_eq!(Centralized::new([CAPACITY].into_iter()).is_found(), None);
        assert_eq!(Centralized::new(TRAFFIC.into_iter()).is_found(), None);
    }

    #[test]
    fn a_statement_of_the_appliance_comes_before_its_reports() {
        let mut little = Centralized::new([CAPACITY].into_iter());
        assert!(little.state(true) && !little.state(true), "it is news once");
        assert_eq!(little.is_found(), Some(true));
        let mut esa = esa();
        assert!(!esa.state(false));
        for _ in 0..3 {
            TRAFFIC.iter().for_each(|group| esa.refused(group));
        }
        esa.record(CAPACITY, hour(0), 1);
        assert!(!esa.find(), "refused for another reason");
        assert_eq!(esa.is_found(), Some(false));
    }
}

//! Whether the requests for one window fit into it. The time of a request includes the wait for the rate limiter and the
//! pause after a slow answer, so that every bound on the load counts. Pure except for its logs.

use std::time::Duration;

use crate::base::clock::Tick;
use crate::snapshot::{Round, Tight};

use super::flapping::{Flapping, PERIOD};

/// The share of the time that requests may fill before a longer window is advised.
const FULL: f64 = 0.9;
/// The windows that are advised, in minutes: those that divide an hour, then whole hours.
const WINDOWS: [u64; 17] = [1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30, 60, 120, 180, 240, 360, 720];

/// The cost of one recurring request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cost {
    /// The duration of the newest request; none before the first.
    pub(super) took: Option<Duration>,
    /// The time from one to the next.
    pub(super) every: Duration,
    /// Whether that is the length of a window.
    pub(super) is_window: bool,
}

/// The rounds of one appliance.
#[derive(Debug, Default)]
pub(super) struct Rounds {
    newest: Option<Round>,
    /// What the newest one that did not fit needs.
    tight: Option<Tight>,
    /// Since when they do not fit.
    long_since: Option<Tick>,
    is_tight: bool,
    flapping: Flapping,
}

impl Rounds {
    /// The newest one. It is tight for as long as [`Rounds::are_tight`] says so.
    pub(super) fn newest(&self) -> Option<Round> {
        let tight = if self.is_tight { self.tight } else { None };
        self.newest.map(|round| Round { tight, ..round })
    }

    /// Whether they have not fitted for as long as a window: then what was missed is requested at once.
    pub(super) fn are_tight(&self) -> bool {
        self.is_tight
    }

    /// Takes in what requests take by now, where so many may be made at a time.
    pub(super) fn measured(&mut self, appliance: &str, costs: &[Cost], concurrency: usize, now: Tick) {
        if let Some(changes) = self.flapping.due(now) {
            let (minutes, is_tight) = (PERIOD.as_secs() / 60, self.is_tight);
            let message =
                "rounds of requests sometimes take longer than the window: lengthen `window` or poll fewer groups";
            tracing::warn!(appliance, changes, minutes, is_tight, "{message}");
        }
        let Some(round) = measure(costs, concurrency) else {
            *self = Self { flapping: self.flapping, ..Self::default() };
            return;
        };
        self.newest = Some(round);
        if round.tight.is_none() {
            self.long_since = None;
            // A round must fit with a margin before the warning ends, or it would be logged again and again.
            if self.is_tight && round.takes.as_secs_f64() < FULL * round.window.as_secs_f64() {
                self.is_tight = false;
                if !self.flapping.changed(now) {
                    return;
                }
                let (takes, window) = (round.takes.as_secs(), round.window.as_secs());
                tracing::info!(
                    appliance,
                    "a round of requests takes {takes} s and fits into the window of {window} s again"
                );
            }
            return;
        }
        self.tight = round.tight;
        let since = *self.long_since.get_or_insert(now);
        if !self.is_tight && now.since(since) >= round.window {
            self.is_tight = true;
            if self.flapping.changed(now) {
                tracing::warn!(appliance, "{round}");
            }
        }
    }
}

/// The time that the requests for the shortest window take; none before anything was measured.
fn measure(costs: &[Cost], concurrency: usize) -> Option<Round> {
    let window = costs.iter().filter(|cost| cost.is_window).map(|cost| cost.every).min()?;
    let known: Vec<f64> = costs.iter().filter_map(|cost| cost.took).map(|took| took.as_secs_f64()).collect();
    if known.is_empty() {
        return None;
    }
    // Requests not made yet are assumed to take as long as the others.
    let usual = known.iter().sum::<f64>() / known.len() as f64;
    let slots = concurrency.max(1) as f64;
    let load = |costs: &mut dyn Iterator<Item = &Cost>, every: &dyn Fn(&Cost) -> Duration| {
        costs.map(|cost| cost.took.map_or(usual, |took| took.as_secs_f64()) / every(cost).as_secs_f64()).sum::<f64>()
            / slots
    };
    let own = |cost: &Cost| cost.every;
    let all = load(&mut costs.iter(), &own);
    let takes = Duration::try_from_secs_f64(all * window.as_secs_f64()).unwrap_or(Duration::MAX);
    let tight = (takes > window).then(|| {
        let fits = |length: &Duration| {
            let every = |cost: &Cost| if cost.is_window { cost.every.max(*length) } else { cost.every };
            load(&mut costs.iter(), &every) <= FULL
        };
        Tight { fitting: WINDOWS.into_iter().map(|minutes| Duration::from_secs(60 * minutes)).find(fits) }
    });
    Some(Round { takes, window, tight })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn cost(millis: u64, every: Duration) -> Cost {
        Cost { took: Some(Duration::from_millis(millis)), every, is_window: true }
    }

    fn tight(costs: &[Cost], concurrency: usize) -> (u64, Option<Option<u64>>) {
        let round = measure(costs, concurrency).expect("measured");
        let fitting = round.tight.map(|tight| tight.fitting.map(|fitting| fitting.as_secs() / 60));
        (round.takes.as_millis().try_into().expect("short"), fitting)
    }

    #[test]
    fn a_round_that_does_not_fit_names_the_window_that_does() {
        assert_eq!(tight(&[cost(4900, MINUTE); 15], 1), (73_500, Some(Some(2))));
        assert_eq!(tight(&[cost(4900, MINUTE); 15], 2), (36_750, None));
        assert_eq!(tight(&[cost(21_000, 5 * MINUTE); 15], 1), (315_000, Some(Some(6))));
        assert_eq!(tight(&[cost(60_000, MINUTE); 800], 1).1, Some(None), "not even twelve hours");
    }

    #[test]
    fn what_is_asked_for_seldom_counts_for_its_share() {
        let hours = cost(30_000, 60 * MINUTE);
        assert_eq!(tight(&[cost(5000, MINUTE), hours, hours], 1), (6000, None));
        let status_probe = Cost { is_window: false, ..cost(30_000, MINUTE) };
        assert_eq!(
            tight(&[cost(31_000, MINUTE), status_probe], 1),
            (61_000, Some(Some(2))),
            "a longer window leaves the status_probe"
        );
        let full = Cost { is_window: false, ..cost(59_000, MINUTE) };
        assert_eq!(tight(&[cost(5000, MINUTE), full], 1).1, Some(None), "no window makes room");
    }

    #[test]
    fn what_was_not_asked_for_yet_takes_as_long_as_the_rest() {
        let unknown = Cost { took: None, ..cost(0, MINUTE) };
        assert_eq!(tight(&[cost(4900, MINUTE), unknown, unknown], 1), (14_700, None));
        assert!(measure(&[unknown], 1).is_none() && measure(&[], 1).is_none());
    }

    #[test]
    fn one_slow_answer_is_no_round_and_the_end_is_believed_late() {
        let mut rounds = Rounds::default();
        let mut at = |seconds: u64, millis: u64| {
            let costs = [cost(millis, MINUTE); 10];
            rounds.measured("a", &costs, 1, Tick::default() + Duration::from_secs(seconds));
            rounds.are_tight()
                && rounds.newest().is_some_and(|round| round.takes.as_millis() == u128::from(millis) * 10)
        };
        let told = [(0, 7000), (30, 100), (59, 7000), (118, 7000), (119, 7000), (120, 5900), (121, 5300)]
            .map(|(seconds, millis)| at(seconds, millis));
        assert_eq!(told, [false, false, false, false, true, true, false]);
    }
}

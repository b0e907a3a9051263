//! Counters of our own that appear with their first event: Prometheus counts what a series grows by, not what it begins
//! with, so they are shown at 0 first. Totals do the same for themselves: theirs outlive a restart.

use std::collections::HashMap;
use std::time::Duration;

use super::line;
use super::rows::Row;
use crate::clock::Tick;
use crate::snapshot::Hold;

/// Two scrapes of the longest usual interval see the 0.
const TIME: Duration = Duration::from_secs(2 * 60);

/// The counters of one appliance that have appeared.
#[derive(Debug)]
pub(super) struct Begun {
    hold: Hold,
    now: Tick,
    /// When each of those that were shown the last time first was.
    before: HashMap<Box<[u8]>, Tick>,
    /// The same for those that are shown this time: a series that goes may begin again.
    first: HashMap<Box<[u8]>, Tick>,
}

impl Begun {
    /// Goes on at `now`.
    pub(super) fn after(last: Option<Self>, hold: Hold, now: Tick) -> Self {
        Self { hold, now, before: last.map(|last| last.first).unwrap_or_default(), first: HashMap::new() }
    }

    /// What `row` is shown with.
    pub(super) fn value(&mut self, row: &Row<'_>) -> f64 {
        if !row.counts_events || self.hold == Hold::No {
            return row.value;
        }
        let mut series = Vec::new();
        line::write(row.family.name, row.labels, row.own, 0.0, &mut series);
        let (series, first) =
            self.before.remove_entry(&*series).unwrap_or_else(|| (series.into_boxed_slice(), self.now));
        self.first.insert(series, first);
        if self.now < first + TIME { 0.0 } else { row.value }
    }

    /// When the first of them is shown with its value.
    pub(super) fn ends(&self) -> Option<Tick> {
        self.first.values().map(|first| *first + TIME).filter(|end| *end > self.now).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exposition::family::Family;
    use crate::exposition::line::{Labels, Own};
    use crate::sample::Kind;

    #[test]
    fn a_counter_is_shown_at_zero_when_it_appears_and_when_it_returns() {
        let (at, labels) = (|seconds| Tick::default() + Duration::from_secs(seconds), Labels::new("appliance", "a"));
        let row = |reason: &'static str, value, counts_events| {
            let family = Family { name: "x_total", kind: Kind::Counter, help: "x" };
            Row { family, labels: &labels, own: Own::Pair("reason", reason), value, counts_events }
        };
        let mut begun = Begun::after(None, Hold::AWindow, at(0));
        assert_eq!(begun.value(&row("new", 3.0, true)), 0.0);
        assert_eq!(begun.value(&row("known", 3.0, false)), 3.0);
        assert_eq!(begun.ends(), Some(at(120)));
        let mut begun = Begun::after(Some(begun), Hold::AWindow, at(60));
        assert_eq!([begun.value(&row("new", 4.0, true)), begun.value(&row("other", 1.0, true))], [0.0, 0.0]);
        let mut begun = Begun::after(Some(begun), Hold::AWindow, at(120));
        assert_eq!([begun.value(&row("new", 5.0, true)), begun.value(&row("other", 1.0, true))], [5.0, 0.0]);
        assert_eq!(begun.ends(), Some(at(180)));
        let begun = Begun::after(Some(begun), Hold::AWindow, at(180));
        let mut again = Begun::after(Some(begun), Hold::AWindow, at(240));
        assert_eq!((again.value(&row("new", 6.0, true)), again.ends()), (0.0, Some(at(360))), "it was gone");
        assert_eq!(Begun::after(None, Hold::No, at(0)).value(&row("new", 3.0, true)), 3.0);
    }
}

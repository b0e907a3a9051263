//! Counters of our own that appear with their first event: Prometheus counts what a series grows by, not what it begins
//! with, so they are shown at 0 first. Totals do not pass through here: their poller knows what they were before.

use std::collections::HashMap;
use std::time::Duration;

use super::appliance_samples::{Begins, SampleLine};
use super::created::Since;
use super::line;
use crate::base::clock::Tick;
use crate::snapshot::Hold;

/// Two scrapes of the longest usual interval see the 0.
const TIME: Duration = Duration::from_secs(2 * 60);

/// The counters of one appliance that have appeared.
#[derive(Debug)]
pub(super) struct Begun {
    hold: Hold,
    now: Tick,
    /// Those that were shown the last time.
    before: HashMap<Box<[u8]>, Beginning>,
    /// Those that are shown this time: a series that goes may begin again.
    ends: HashMap<Box<[u8]>, Beginning>,
    /// Whether the process is so new that what is 0 has been there from its start.
    starts: bool,
}

/// The beginning of one of them.
#[derive(Clone, Copy, Debug)]
struct Beginning {
    since: Since<'static>,
    /// Until when it is shown as 0.
    until: Tick,
}

impl Begun {
    /// Goes on at `now`.
    pub(super) fn after(last: Option<Self>, hold: Hold, now: Tick) -> Self {
        let before = last.map(|last| last.ends).unwrap_or_default();
        Self { hold, now, before, ends: HashMap::new(), starts: now < Tick::default() + TIME }
    }

    /// The value with which `row` is shown, and when it began.
    pub(super) fn show<'a>(&mut self, row: &SampleLine<'a>) -> (f64, Since<'a>) {
        match (row.begins, self.hold) {
            (Begins::Elsewhere, _) => return (row.value, Since::Unknown),
            (Begins::Sum(times), _) => return (row.value, Since::Sum(times)),
            (Begins::Itself, _) | (Begins::WithAnEvent | Begins::WithItsFirstEvent, Hold::No) => {
                return (row.value, Since::TheStart);
            }
            (Begins::WithAnEvent | Begins::WithItsFirstEvent, Hold::AWindow) => {}
        }
        let mut series = Vec::new();
        line::write(row.family.name, row.labels, row.own, 0.0, &mut series);
        let is_of_the_start = self.starts && row.begins == Begins::WithItsFirstEvent && row.value == 0.0;
        let new = match is_of_the_start {
            true => Beginning { since: Since::TheStart, until: self.now },
            false => Beginning { since: Since::Tick(self.now), until: self.now + TIME },
        };
        let (series, beginning) =
            self.before.remove_entry(&*series).unwrap_or_else(|| (series.into_boxed_slice(), new));
        self.ends.insert(series, beginning);
        (if self.now < beginning.until { 0.0 } else { row.value }, beginning.since)
    }

    /// When the first of them is shown with its value.
    pub(super) fn ends(&self) -> Option<Tick> {
        self.ends.values().map(|beginning| beginning.until).filter(|end| *end > self.now).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exposition::family::Family;
    use crate::exposition::line::{ExtraLabels, Labels};
    use crate::sample::Kind;

    #[test]
    fn a_counter_is_shown_at_zero_when_it_appears_and_when_it_returns() {
        let (at, labels) = (|seconds| Tick::default() + Duration::from_secs(seconds), Labels::new("appliance", "a"));
        let row = |reason: &'static str, value, begins| {
            let family = Family { name: "x_total", kind: Kind::Counter, help: "x" };
            SampleLine { family, labels: &labels, own: ExtraLabels::Pair("reason", reason), value, begins }
        };
        let mut begun = Begun::after(None, Hold::AWindow, at(0));
        assert_eq!(begun.show(&row("new", 3.0, Begins::WithAnEvent)).0, 0.0);
        assert_eq!(begun.show(&row("known", 3.0, Begins::Itself)).0, 3.0);
        assert_eq!(begun.ends(), Some(at(120)));
        let mut begun = Begun::after(Some(begun), Hold::AWindow, at(60));
        assert_eq!(
            [
                begun.show(&row("new", 4.0, Begins::WithAnEvent)).0,
                begun.show(&row("other", 1.0, Begins::WithAnEvent)).0
            ],
            [0.0, 0.0]
        );
        let mut begun = Begun::after(Some(begun), Hold::AWindow, at(120));
        assert_eq!(
            [
                begun.show(&row("new", 5.0, Begins::WithAnEvent)).0,
                begun.show(&row("other", 1.0, Begins::WithAnEvent)).0
            ],
            [5.0, 0.0]
        );
        assert_eq!(begun.ends(), Some(at(180)));
        let begun = Begun::after(Some(begun), Hold::AWindow, at(180));
        let mut again = Begun::after(Some(begun), Hold::AWindow, at(240));
        assert_eq!(
            (again.show(&row("new", 6.0, Begins::WithAnEvent)).0, again.ends()),
            (0.0, Some(at(360))),
            "it was gone"
        );
        let start = |seconds, begun| Begun::after(begun, Hold::AWindow, at(seconds));
        let registered = |begun: &mut Begun, reason, value| begun.show(&row(reason, value, Begins::WithItsFirstEvent));
        let mut begun = start(1, None);
        let shown = [("known", 0.0), ("new", 3.0)].map(|(reason, value)| registered(&mut begun, reason, value));
        assert_eq!(shown, [(0.0, Since::TheStart), (0.0, Since::Tick(at(1)))]);
        let mut begun = start(60, Some(begun));
        let shown = ["known", "new", "other"].map(|reason| registered(&mut begun, reason, 4.0).0);
        assert_eq!(shown, [4.0, 0.0, 0.0], "what was there at 0 needs no other 0");
        let mut begun = start(121, Some(begun));
        let shown = ["known", "new", "other"].map(|reason| registered(&mut begun, reason, 5.0).0);
        assert_eq!(shown, [5.0, 5.0, 0.0]);
        assert_eq!(Begun::after(None, Hold::No, at(0)).show(&row("new", 3.0, Begins::WithAnEvent)).0, 3.0);
    }
}

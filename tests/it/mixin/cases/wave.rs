//! The alert about the share of threats on three simulated days: silent on the curve of a day, firing within two windows
//! after a fifteen-fold wave of spam, and silent again once it is over.

use asyncos_exporter::sim::truth;

use super::{Case, case, gauge};
use crate::rig::BEGINNING;

const GROUP: &str = "mail_incoming_traffic_summary";
/// Minutes of a day.
const DAY: u64 = 24 * 60;
/// The first day is what the second is compared with, and the third has the wave.
const END: u64 = 2 * DAY + 15 * 60;
/// When the wave begins and ends, in minutes.
const WAVE: (u64, u64) = (2 * DAY + 9 * 60, 2 * DAY + 11 * 60);
/// How many times the usual spam there is in it.
const FOLD: f64 = 15.0;
/// Minutes after its end at which a window is published.
const SETTLE: u64 = 2;
/// Midnight of a working day.
const START: u64 = BEGINNING - BEGINNING % 86_400;

/// What came in during so many minutes from `start` on: recipients and threats.
fn counted(start: u64, minutes: u64) -> (f64, f64) {
    let at = |minute: u64| START + minute * 60;
    let of = |counter, from, to| truth(&["esa1.example.com"], GROUP, counter, at(from), at(to)).expect("a counter");
    let end = start + minutes;
    let (from, to) = (start.clamp(WAVE.0, WAVE.1), end.clamp(WAVE.0, WAVE.1));
    let more = (FOLD - 1.0) * of("detected_spam", from, to);
    (of("total_recipients", start, end) + more, of("total_threat_recipients", start, end) + more)
}

/// How the appliance counts.
#[derive(Clone, Copy)]
struct Counting {
    /// Minutes of a window.
    window: u64,
    /// Minutes between two polls, each of which may add to the totals.
    poll: u64,
}

impl Counting {
    /// The values of totals and gauges, one a minute, of recipients and of threats.
    fn series(self) -> [(String, String); 2] {
        let mut totals = [0.0, 0.0];
        let mut newest = counted(0, self.window);
        let mut written = [(Vec::new(), Vec::new()), (Vec::new(), Vec::new())];
        for minute in self.window..END {
            let known = minute.saturating_sub(SETTLE);
            if known >= self.window && known % self.poll == 0 {
                let (all, threats) = counted(known - self.poll, self.poll);
                totals = [totals[0] + all, totals[1] + threats];
            }
            if known >= self.window && known % self.window == 0 {
                newest = counted(known - self.window, self.window);
            }
            for (place, gauge) in [newest.0, newest.1].into_iter().enumerate() {
                written[place].0.push(totals[place].to_string());
                written[place].1.push(gauge.to_string());
            }
        }
        let before = format!("_x{} ", self.window - 1);
        written.map(|(totals, gauges)| (before.clone() + &totals.join(" "), before.clone() + &gauges.join(" ")))
    }

    /// The life of the alert, which says by how much the share of threats has risen.
    fn life(self, description: &'static str) -> Case {
        let [recipients, threats] = self.series();
        let of = |counter: &str| format!("asyncos_{GROUP}_{counter}");
        // Two windows are polled within the second minute after the end of the latter.
        let firing = WAVE.0 + 2 * self.poll + SETTLE + 1;
        let case = case("AsyncosThreatShareJumped")
            .of(&(of("total_recipients") + "_total"), "", recipients.0)
            .of(&(of("total_recipients") + "_last_window"), "", recipients.1)
            .of(&(of("total_threat_recipients") + "_total"), "", threats.0)
            .of(&(of("total_threat_recipients") + "_last_window"), "", threats.1)
            .windows(self.window * 60)
            .at(WAVE.0, firing, WAVE.1 + 2 * self.poll + SETTLE + 1)
            .says("The threat share at esa1 has jumped", description);
        let quiet = (DAY..WAVE.0).step_by(7).chain(firing + 4 * 60..END);
        Case { quiet: quiet.collect(), ..case }
    }
}

/// Of the first ten minutes.
const AT_ONCE: &str = "The share of blocked mail at esa1 has risen by 31.37% of all mail within a day.";

/// Windows of five minutes.
pub(in super::super) fn minutes() -> Vec<Case> {
    vec![Counting { window: 5, poll: 5 }.life(AT_ONCE)]
}

/// Whole hours: those that are over alone, and those that are counted while they fill.
pub(in super::super) fn hours() -> Vec<Case> {
    let whole = Counting { window: 60, poll: 60 }
        .life("The share of blocked mail at esa1 has risen by 33.37% of all mail within a day.");
    let open = Counting { window: 60, poll: 5 }.life(AT_ONCE);
    vec![whole, open.of("asyncos_running_hour", "", gauge([(1.0, END)]))]
}

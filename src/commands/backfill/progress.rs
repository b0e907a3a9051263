//! The progress of a backfill on standard error: a bar on a terminal, a line every half minute elsewhere. The only module
//! that names the crate `indicatif`.

use std::io::IsTerminal as _;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::base::clock::{Clock, Tick};
use crate::commands::eprint_line;

const LINE_INTERVAL: Duration = Duration::from_secs(30);
const BAR: &str = "{wide_bar} {msg}";

/// Counts requests. Appliances share one.
#[derive(Debug)]
pub(super) struct FetchProgress {
    clock: Clock,
    /// None where standard error is no terminal.
    bar: Option<ProgressBar>,
    counts: Mutex<RequestCounts>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct RequestCounts {
    all: u64,
    /// Those that were made before.
    earlier: u64,
    made: u64,
    began: Tick,
    /// When the last line was printed.
    printed: Tick,
}

impl FetchProgress {
    /// The progress of so many requests.
    pub(super) fn new(all: u64, clock: Clock) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::with_draw_target(Some(all), ProgressDrawTarget::stderr());
            // The template is ours; with another the bar is plain.
            if let Ok(style) = ProgressStyle::with_template(BAR) {
                bar.set_style(style);
            }
            bar
        });
        let now = clock.tick();
        let counts = RequestCounts { all, earlier: 0, made: 0, began: now, printed: now };
        Self { clock, bar, counts: Mutex::new(counts) }
    }

    /// A request was made by an earlier run.
    pub(super) fn was_made(&self) {
        let mut counts = self.counts();
        counts.earlier += 1;
        // Before the first request of this run, the time since its beginning says nothing about the rate.
        counts.began = if counts.made == 0 { self.clock.tick() } else { counts.began };
        if let Some(bar) = &self.bar {
            bar.inc(1);
        }
    }

    /// A request was made.
    pub(super) fn made(&self) {
        let now = self.clock.tick();
        let mut counts = self.counts();
        counts.made += 1;
        if let Some(bar) = &self.bar {
            bar.set_message(counts.text(now));
            bar.inc(1);
        } else if let Some(line) = counts.line(now) {
            eprint_line(line);
        }
    }

    /// So many requests are not necessary.
    pub(super) fn dropped(&self, requests: u64) {
        let mut counts = self.counts();
        counts.all = counts.all.saturating_sub(requests);
        if let Some(bar) = &self.bar {
            bar.set_length(counts.all);
        }
    }

    /// Prints a line about an appliance.
    pub(super) fn note(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| eprint_line(line)),
            None => eprint_line(line),
        }
    }

    /// Removes the bar, or prints the last line.
    pub(super) fn end(&self) {
        match &self.bar {
            Some(bar) => bar.finish_and_clear(),
            None => eprint_line(self.counts().text(self.clock.tick())),
        }
    }

    fn counts(&self) -> MutexGuard<'_, RequestCounts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl RequestCounts {
    /// The line that is due at `now`, if any.
    fn line(&mut self, now: Tick) -> Option<String> {
        if now.since(self.printed) < LINE_INTERVAL {
            return None;
        }
        self.printed = now;
        Some(self.text(now))
    }

    fn text(&self, now: Tick) -> String {
        let Self { all, earlier, made, began, .. } = *self;
        let (done, seconds) = (earlier + made, now.since(began).as_secs_f64());
        let mut text = format!("{done} of {all} requests");
        if made > 0 && seconds > 0.0 {
            let rate = made as f64 / seconds;
            text += &format!(", {rate:.1} per second");
            let left = all.saturating_sub(done);
            if left > 0 {
                text += &format!(", {} left", rounded(Duration::from_secs_f64(left as f64 / rate)));
            }
        }
        text
    }
}

/// A time in words, to the minute where it is longer.
pub(super) fn rounded(span: Duration) -> String {
    let seconds = span.as_secs_f64().ceil() as u64;
    let whole = if seconds < 60 { seconds } else { seconds.div_ceil(60) * 60 };
    humantime::format_duration(Duration::from_secs(whole)).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_every_half_minute_has_the_rate_and_the_time_that_is_left() {
        let at = |seconds| Tick::default() + Duration::from_secs(seconds);
        let mut counts = RequestCounts { all: 1000, earlier: 100, made: 0, began: at(10), printed: at(10) };
        assert_eq!(counts.text(at(10)), "100 of 1000 requests");
        counts.made = 120;
        assert_eq!(counts.line(at(39)), None);
        assert_eq!(counts.line(at(40)), Some("220 of 1000 requests, 4.0 per second, 4m left".into()));
        assert_eq!(counts.line(at(41)), None);
        counts.made = 900;
        assert_eq!(counts.line(at(235)), Some("1000 of 1000 requests, 4.0 per second".into()));
    }

    #[test]
    fn times_are_rounded_up() {
        let cases = [(0.2, "1s"), (59.0, "59s"), (61.0, "2m"), (13_505.0, "3h 46m")];
        for (seconds, text) in cases {
            assert_eq!(rounded(Duration::from_secs_f64(seconds)), text);
        }
    }
}

//! A duration as an operator writes it in the configuration.

use std::fmt;
use std::time::Duration;

/// Displays a duration in the largest of days, hours, minutes and seconds that leaves no rest. humantime would write `2months
/// 13h 26m 24s` for 61 days, and `1day` for 24 hours, which are written as `24h`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Period(pub(crate) Duration);

impl fmt::Display for Period {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// The seconds of a unit, the fewest that are written in it, and its letter.
        const UNITS: [(u64, u64, &str); 3] = [(24 * 3600, 48 * 3600, "d"), (3600, 3600, "h"), (60, 60, "m")];
        let secs = self.0.as_secs();
        if self.0.subsec_nanos() != 0 {
            return humantime::format_duration(self.0).fmt(out);
        }
        match UNITS.iter().find(|(unit, least, _)| secs >= *least && secs.is_multiple_of(*unit)) {
            Some((unit, _, letter)) => write!(out, "{}{letter}", secs / unit),
            None => write!(out, "{secs}s"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_is_displayed_as_it_is_written() {
        let shown = |secs| Period(Duration::from_secs(secs)).to_string();
        let hour = 3600;
        assert_eq!([5, 60, 90, hour, 90 * 60].map(shown), ["5s", "1m", "90s", "1h", "90m"]);
        assert_eq!([24 * hour, 36 * hour, 61 * 24 * hour].map(shown), ["24h", "36h", "61d"]);
        assert_eq!(Period(Duration::from_millis(1500)).to_string(), "1s 500ms");
    }
}

//! The minutes that a number covers, and the part of each that has arrived.

use std::ops::Range;
use std::time::Duration;

/// Time that data are kept, to bound what one request can cost; real appliances keep what their disk quota allows, and
/// clients ask for up to a year (published scripts). Assumed.
pub(super) const RETENTION: Duration = Duration::from_secs(400 * 24 * 3600);

/// A share of the events of each minute that arrives later than the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LateEvents {
    /// Hundredths of a minute's events, rounded down for each counter and each key; at most 100.
    pub percent: u8,
    /// Additional time until they arrive.
    pub delay: Duration,
}

/// Minutes since 1970, and what of them is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    first: u64,
    end: u64,
    /// From this minute on late events are missing.
    incomplete_from: u64,
    percent: u64,
}

impl Span {
    /// The minutes that begin in `[start, end)` (seconds since 1970), all of them known.
    pub(super) fn known(start: u64, end: u64) -> Self {
        Self { first: start.div_ceil(60), end: end.div_ceil(60), incomplete_from: u64::MAX, percent: 0 }
    }

    /// The minutes of `[start, end)` that are there when data are there up to `available_until`. The current minute is not: counts are known
    /// by the minute.
    pub(super) fn seen(start: u64, end: u64, available_until: u64, late_events: Option<LateEvents>) -> Self {
        let oldest = available_until.saturating_sub(RETENTION.as_secs());
        let newest = available_until - available_until % 60;
        let known = Self::known(start.max(oldest), end.min(newest));
        let Some(LateEvents { percent, delay }) = late_events else { return known };
        // A minute is complete once it ended `delay` ago.
        let incomplete_from = available_until.saturating_sub(delay.as_secs()) / 60;
        Self { incomplete_from, percent: u64::from(percent.min(100)), ..known }
    }

    pub(super) fn minutes(&self) -> Range<u64> {
        self.first..self.end
    }

    /// Number of minutes.
    pub(super) fn len(&self) -> u64 {
        self.end.saturating_sub(self.first)
    }

    /// Whether late events of this minute are missing.
    pub(super) fn is_incomplete(&self, minute: u64) -> bool {
        self.percent > 0 && minute >= self.incomplete_from
    }

    /// Number of the `events` of this minute that have not arrived.
    pub(super) fn missing(&self, minute: u64, events: u64) -> u64 {
        if self.is_incomplete(minute) { events * self.percent / 100 } else { 0 }
    }

    /// The end in seconds since 1970.
    pub(super) fn end_secs(&self) -> u64 {
        self.end * 60
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn late_events_of_a_minute_arrive_once_it_ended_long_enough_ago() {
        let late = Some(LateEvents { percent: 10, delay: Duration::from_secs(120) });
        let missing = |available_until| Span::seen(0, 6000, available_until, late).missing(10, 25);
        assert_eq!([660, 719, 779, 780, 900].map(missing), [2, 2, 2, 0, 0]);
        assert_eq!(Span::seen(0, 6000, 660, None).missing(10, 25), 0);
        assert_eq!(Span::known(61, 240).minutes(), 2..4);
        assert_eq!(Span::seen(0, 6000, 130, None).minutes(), 0..2);
        assert_eq!(Span::seen(6000, 0, 130, None).len(), 0);
    }
}

//! Time: the only place that reads the wall clock. Everything else receives the time, so that a test
//! can run a day in seconds. Knows nothing of windows or appliances.

use std::fmt;
use std::ops::{Add, Sub};
use std::time::{Duration, SystemTime};

use serde::{Serialize, Serializer};
use tokio::time::Instant;

/// An instant in UTC, in whole milliseconds since 1970; before 1970 does not exist here.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(u64);

impl Timestamp {
    /// From seconds since 1970.
    #[must_use]
    pub const fn from_secs(seconds: u64) -> Self {
        Self(seconds.saturating_mul(1000))
    }

    /// Whole seconds since 1970, rounded down.
    #[must_use]
    pub const fn as_secs(self) -> u64 {
        self.0 / 1000
    }

    /// Seconds since 1970 as Prometheus writes timestamps.
    #[must_use]
    pub fn as_secs_f64(self) -> f64 {
        self.since_epoch().as_secs_f64()
    }

    /// The time since `earlier`; zero if that is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }

    const fn since_epoch(self) -> Duration {
        Duration::from_millis(self.0)
    }
}

impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        let since_epoch = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Self(u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX))
    }
}

impl From<Timestamp> for SystemTime {
    fn from(time: Timestamp) -> Self {
        Self::UNIX_EPOCH + time.since_epoch()
    }
}

impl Add<Duration> for Timestamp {
    type Output = Self;

    fn add(self, span: Duration) -> Self {
        let millis = u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
        Self(self.0.saturating_add(millis))
    }
}

impl Sub<Duration> for Timestamp {
    type Output = Self;

    fn sub(self, span: Duration) -> Self {
        let millis = u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
        Self(self.0.saturating_sub(millis))
    }
}

/// The latest instant that still prints as RFC 3339: the end of the year 9999.
const LAST_PRINTABLE_MS: u64 = 253_402_300_799_999;

impl fmt::Display for Timestamp {
    /// `2026-11-23T12:00:00.000Z`, the form the appliance takes.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = Self(self.0.min(LAST_PRINTABLE_MS));
        humantime::format_rfc3339_millis(shown.into()).fmt(out)
    }
}

impl Serialize for Timestamp {
    /// As it prints.
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

/// A reading of the steady clock: time since the [`Clock`] was made, untouched by wall clock steps. The default is
/// the clock's beginning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tick(Duration);

impl Tick {
    /// Later than any other.
    #[cfg(test)]
    pub(crate) const LAST: Self = Self(Duration::MAX);

    /// The time since `earlier`; zero if that is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

impl Add<Duration> for Tick {
    type Output = Self;

    fn add(self, span: Duration) -> Self {
        Self(self.0.saturating_add(span))
    }
}

/// Tells the time and waits for it. Clones share one time.
#[derive(Clone, Debug)]
pub struct Clock {
    started: Instant,
    source: TimeSource,
}

#[derive(Clone, Copy, Debug)]
enum TimeSource {
    System,
    /// Time that starts at `origin` and runs `rate` times as fast as the real one.
    Lapse {
        origin: Timestamp,
        rate: u32,
    },
}

/// The longest single wait; a longer one is divided, and the clock read in between.
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 3600);

impl Clock {
    /// The machine's own time.
    #[must_use]
    pub fn system() -> Self {
        Self { started: Instant::now(), source: TimeSource::System }
    }

    /// Time lapse: begins at `origin` now and runs `rate` times as fast as real time (0 counts as 1).
    /// With a paused runtime clock it moves only when that one does.
    #[must_use]
    pub fn lapse(origin: Timestamp, rate: u32) -> Self {
        Self { started: Instant::now(), source: TimeSource::Lapse { origin, rate: rate.max(1) } }
    }

    /// The wall clock. May step; use [`Clock::tick`] to measure.
    #[must_use]
    pub fn wall(&self) -> Timestamp {
        match self.source {
            // The one place where the machine's wall clock is read.
            #[allow(clippy::disallowed_methods)]
            TimeSource::System => SystemTime::now().into(),
            TimeSource::Lapse { origin, .. } => origin + self.tick().0,
        }
    }

    /// The steady clock.
    #[must_use]
    pub fn tick(&self) -> Tick {
        let real = self.started.elapsed();
        match self.source {
            TimeSource::System => Tick(real),
            TimeSource::Lapse { rate, .. } => Tick(real.saturating_mul(rate)),
        }
    }

    /// Waits until the steady clock shows `until`, or a day, whichever comes first.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    pub async fn sleep_until(&self, until: Tick) {
        let span = until.since(self.tick()).min(LONGEST_WAIT);
        let real = match self.source {
            TimeSource::System => span,
            // Rounded up: whoever looks again and is a hair too early would wait for nothing, again and again.
            TimeSource::Lapse { rate, .. } => (span + Duration::from_nanos(u64::from(rate) - 1)) / rate,
        };
        tokio::time::sleep(real).await;
    }

    /// Waits for `span` of this clock's time.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    pub async fn sleep(&self, span: Duration) {
        self.sleep_until(self.tick() + span).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_the_form_the_appliance_takes() {
        assert_eq!(Timestamp::from_secs(1_795_435_200).to_string(), "2026-11-23T12:00:00.000Z");
        assert_eq!(Timestamp(u64::MAX).to_string(), "9999-12-31T23:59:59.999Z");
    }

    #[test]
    fn arithmetic_saturates() {
        assert_eq!(Timestamp::from_secs(5) - Duration::from_secs(9), Timestamp::from_secs(0));
        assert_eq!(Timestamp(u64::MAX) + Duration::MAX, Timestamp(u64::MAX));
        assert_eq!(Timestamp::from_secs(5).since(Timestamp::from_secs(9)), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn a_lapse_runs_at_its_rate() {
        let clock = Clock::lapse(Timestamp::from_secs(1_000), 60);
        clock.sleep(Duration::from_secs(120)).await;
        assert_eq!(clock.wall(), Timestamp::from_secs(1_120));
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(clock.wall(), Timestamp::from_secs(1_180));
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_in_a_lapse_never_ends_early() {
        for rate in [1, 3, 7, 60, 86_400] {
            let clock = Clock::lapse(Timestamp::from_secs(0), rate);
            let until = clock.tick() + Duration::from_millis(rate.into()) + Duration::from_nanos(1);
            clock.sleep_until(until).await;
            assert!(clock.tick() >= until, "rate {rate}");
        }
    }
}

//! Signs of life of the loops that must never stall, for the health check and the watchdog. Knows nothing of what the
//! loops do.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// The interval at which an idle loop reports that it is alive.
const BEAT: Duration = Duration::from_secs(10);
/// A loop that is silent for this long is stalled: three beats, since one may be late on a busy machine.
pub const STILL_AFTER: Duration = Duration::from_secs(30);

/// The pulses of all loops. Clones share them. Real time counts, also in a time lapse: this is about the machine.
#[derive(Clone, Debug, Default)]
pub struct Watchdog(Arc<Mutex<Beats>>);

#[derive(Debug, Default)]
struct Beats {
    next: u64,
    last: BTreeMap<u64, (Arc<str>, Instant)>,
}

/// A stalled loop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stalled {
    /// The name of the loop.
    pub name: Arc<str>,
    /// The time since its last beat.
    pub silent: Duration,
}

/// The pulse of one loop; forgotten when dropped.
#[derive(Debug)]
pub struct Heartbeat {
    watchdog: Watchdog,
    number: u64,
}

impl Watchdog {
    /// The pulse of a loop that has just begun; `name` says whose it is and need not be its alone.
    #[must_use]
    pub fn begin(&self, name: &str) -> Heartbeat {
        let mut beats = self.beats();
        let number = beats.next;
        beats.next += 1;
        beats.last.insert(number, (name.into(), Instant::now()));
        Heartbeat { watchdog: self.clone(), number }
    }

    /// The loop that has been silent longest, if that is longer than [`STILL_AFTER`].
    #[must_use]
    pub fn stalled(&self) -> Option<Stalled> {
        let beats = self.beats();
        let (name, last) = beats.last.values().min_by_key(|(_, last)| *last)?;
        let silent = last.elapsed();
        (silent > STILL_AFTER).then(|| Stalled { name: Arc::clone(name), silent })
    }

    fn beats(&self) -> MutexGuard<'_, Beats> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Heartbeat {
    /// Shows a sign of life.
    pub fn beat(&self) {
        if let Some((_, last)) = self.watchdog.beats().last.get_mut(&self.number) {
            *last = Instant::now();
        }
    }

    /// Completes when the next sign of life is due.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    pub async fn due(&self) {
        let last = self.watchdog.beats().last.get(&self.number).map(|(_, last)| *last);
        if let Some(last) = last {
            tokio::time::sleep_until(last + BEAT).await;
        }
    }
}

impl Drop for Heartbeat {
    fn drop(&mut self) {
        self.watchdog.beats().last.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_loop_that_stands_still_is_named_until_it_goes_on_or_ends() {
        let watchdog = Watchdog::default();
        let (one, other) = (watchdog.begin("one"), watchdog.begin("other"));
        tokio::time::sleep(STILL_AFTER).await;
        assert_eq!(watchdog.stalled(), None);
        one.beat();
        tokio::time::sleep(Duration::from_secs(1)).await;
        let silent = STILL_AFTER + Duration::from_secs(1);
        assert_eq!(watchdog.stalled(), Some(Stalled { name: "other".into(), silent }));
        other.beat();
        assert_eq!(watchdog.stalled(), None);
        tokio::time::sleep(STILL_AFTER * 2).await;
        one.beat();
        assert_eq!(watchdog.stalled().map(|stalled| stalled.name), Some("other".into()));
        drop(other);
        assert_eq!(watchdog.stalled(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_loop_that_waits_for_its_beat_never_stands_still() {
        let watchdog = Watchdog::default();
        let heartbeat = watchdog.begin("loop");
        for _ in 0..100 {
            heartbeat.due().await;
            assert_eq!(watchdog.stalled(), None);
            heartbeat.beat();
        }
    }
}

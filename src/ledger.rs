//! How far each report has been counted: the watermark of every key, moved by compare-and-set so that no window is
//! counted twice. Knows nothing of requests or metrics.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::clock::Timestamp;
use crate::config::Scope;

/// What has a watermark of its own.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    /// The appliance's name in the configuration.
    pub appliance: Arc<str>,
    /// What the report is asked for.
    pub scope: Scope,
    /// The counter group's name.
    pub group: &'static str,
}

/// The watermark was not where the caller believed it to be; nothing has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the window was counted already")]
pub struct Moved;

/// The watermarks of the whole fleet, in memory: a restart begins anew at `start`.
#[derive(Debug, Default)]
pub struct Ledger {
    watermarks: Mutex<HashMap<Key, Timestamp>>,
}

impl Ledger {
    /// The end of the last window counted under `key`; none before the first [`Ledger::begin`].
    #[must_use]
    pub fn watermark(&self, key: &Key) -> Option<Timestamp> {
        self.watermarks().get(key).copied()
    }

    /// Sets the first watermark of `key`, unless it has one.
    pub fn begin(&self, key: &Key, at: Timestamp) -> Timestamp {
        *self.watermarks().entry(key.clone()).or_insert(at)
    }

    /// Moves the watermark of `key` to `to` if it is at `from`.
    ///
    /// # Errors
    /// [`Moved`] when it is not: a late or repeated answer changes nothing.
    pub fn advance(&self, key: &Key, from: Timestamp, to: Timestamp) -> Result<(), Moved> {
        match self.watermarks().get_mut(key) {
            Some(watermark) if *watermark == from => {
                *watermark = to;
                Ok(())
            }
            Some(_) | None => Err(Moved),
        }
    }

    fn watermarks(&self) -> MutexGuard<'_, HashMap<Key, Timestamp>> {
        self.watermarks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_counted_once() {
        let ledger = Ledger::default();
        let key = Key { appliance: "a".into(), scope: Scope::Appliance, group: "g" };
        let at = Timestamp::from_secs;
        assert_eq!(ledger.advance(&key, at(0), at(60)), Err(Moved));
        assert_eq!(ledger.begin(&key, at(0)), at(0));
        assert_eq!(ledger.advance(&key, at(0), at(60)), Ok(()));
        assert_eq!(ledger.advance(&key, at(0), at(60)), Err(Moved), "the same answer again");
        assert_eq!(ledger.begin(&key, at(999)), at(60), "a restart of the poller keeps the watermark");
    }
}

//! The running totals: how far each report has been counted, and how much. A window is added once, durably, before
//! anybody sees it. Knows nothing of requests or metrics.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::base::clock::{Tick, Timestamp};
use crate::base::window::Window;
use crate::config::{Late, Scope};
use crate::store::{Record, Store, WriteError};

mod counter_state;
mod day;
pub mod sum;

pub use counter_state::{Begun, CounterState, Counts};

/// The identity of one set of totals.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    /// The appliance's name in the configuration.
    pub appliance: Arc<str>,
    /// The scope of the report.
    pub scope: Scope,
    /// The counter group's name.
    pub group: Arc<str>,
}

impl Key {
    /// The key as text for the store. Names hold no control characters, so nothing can be taken for another.
    fn text(&self) -> String {
        let Self { appliance, scope, group } = self;
        let (kind, member) = match scope {
            Scope::Appliance => ("appliance", ""),
            Scope::DeviceGroup(name) => ("device_group", name.as_str()),
            Scope::Device(name) => ("device", name.as_str()),
        };
        [appliance, kind, member, group].join("\u{1f}")
    }
}

/// The outcome of comparing a stretch of hours with the appliance's own report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reconciled {
    /// The totals after it.
    pub account: CounterState,
    /// Events in the report that were in no window when it was requested.
    pub late: u64,
    /// Events in the windows that are in the report no more.
    pub surplus: u64,
    /// Sums that late events were not added to, because the total would be too large.
    pub too_large: u64,
}

/// The outcome of counting a window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    /// The totals after it.
    pub account: CounterState,
    /// Increments that were not added, because the total would be too large to be exact.
    pub too_large: u64,
}

/// Why a window was not counted; nothing has changed then.
#[derive(Clone, Debug, thiserror::Error)]
pub enum CommitError {
    /// The watermark was not where the caller believed it to be.
    #[error("the window is already counted")]
    Moved,
    /// The state could not be written.
    #[error(transparent)]
    NotWritten(#[from] WriteError),
}

/// Until when sums that have just begun are shown as they were before, by their names. A reload keeps it; a restart does
/// not.
pub type HoldEnds = Arc<Mutex<BTreeMap<String, Tick>>>;

/// The totals of the whole fleet.
#[derive(Debug)]
pub struct Ledger {
    store: Arc<Store>,
    accounts: Mutex<HashMap<String, CounterState>>,
    hold_ends: Mutex<HashMap<String, HoldEnds>>,
}

impl Ledger {
    /// A ledger that continues from `records` and writes its changes to `store`.
    #[must_use]
    pub fn new(store: Arc<Store>, records: HashMap<String, Record>) -> Self {
        let accounts = records.into_iter().map(|(key, record)| (key, CounterState::restored(record))).collect();
        Self { store, accounts: Mutex::new(accounts), hold_ends: Mutex::default() }
    }

    /// A ledger that a restart forgets.
    #[must_use]
    pub fn in_memory() -> Self {
        Self::new(Arc::new(Store::Memory), HashMap::new())
    }

    /// The totals of `key`; none before the first [`Ledger::begin`].
    #[must_use]
    pub fn account(&self, key: &Key) -> Option<CounterState> {
        self.accounts().get(&key.text()).cloned()
    }

    /// The watermark of `key`; none before the first [`Ledger::begin`].
    #[must_use]
    pub fn watermark(&self, key: &Key) -> Option<Timestamp> {
        self.accounts().get(&key.text()).map(|account| account.watermark)
    }

    /// The stretches of whole hours of `key` that are counted and can be compared with a report, oldest first.
    #[must_use]
    pub fn stretches(&self, key: &Key) -> Vec<Window> {
        let accounts = self.accounts();
        accounts
            .get(&key.text())
            .map(|account| account.days.iter().filter_map(day::stretch).collect())
            .unwrap_or_default()
    }

    /// Makes sure that `key` has an account: at zero from `first` where it has none.
    pub fn begin(&self, key: &Key, first: Timestamp) {
        self.accounts().entry(key.text()).or_insert_with(|| CounterState::new(first, first));
    }

    /// Begins the totals of `key` at zero from `at`: a new epoch, which can be seen once a restart would find it too.
    ///
    /// # Errors
    /// When the watermark is not at `from`, or the state cannot be written; the totals continue then.
    pub async fn begin_anew(&self, key: &Key, from: Timestamp, at: Timestamp) -> Result<(), CommitError> {
        self.replace(key.text(), from, CounterState::new(at, at)).await.map(drop)
    }

    /// Moves the watermark of `key` from `from` to `to` for good, without counting: no report could be fetched for the time
    /// between.
    ///
    /// # Errors
    /// As [`Ledger::begin_anew`].
    pub async fn pass_over(&self, key: &Key, from: Timestamp, to: Timestamp) -> Result<(), CommitError> {
        let text = key.text();
        let mut next = self.accounts().get(&text).cloned().ok_or(CommitError::Moved)?;
        next.watermark = to;
        day::break_stretch(&mut next.days);
        self.replace(text, from, next).await.map(drop)
    }

    /// Moves the watermark of `key`, of which nothing is counted yet, from `from` to `to`; false when it is not at `from`.
    /// The move reaches the store with the next window that is counted.
    pub fn shift(&self, key: &Key, from: Timestamp, to: Timestamp) -> bool {
        match self.accounts().get_mut(&key.text()) {
            Some(account) if account.watermark == from => {
                account.watermark = to;
                day::break_stretch(&mut account.days);
                true
            }
            Some(_) | None => false,
        }
    }

    /// Adds `window`, which begins at the watermark `from` or, where windows were given up, after it, and returns what is
    /// counted then, once it would survive a power cut.
    ///
    /// # Errors
    /// When the watermark is not at `from`, so that a late or repeated answer changes nothing, or the state cannot be
    /// written, so that the window must be requested again.
    ///
    /// # Cancel safety
    /// Dropping the future leaves the window uncounted here; the state may have it, and then a restart has it too.
    pub async fn commit(
        &self,
        key: &Key,
        from: Timestamp,
        window: Window,
        counts: &Counts<'_>,
    ) -> Result<Counted, CommitError> {
        let text = key.text();
        let (start, to) = (window.start(), window.end());
        let mut next = match self.accounts().get(&text) {
            Some(account) if account.watermark == from && from <= start => account.clone(),
            Some(_) | None => return Err(CommitError::Moved),
        };
        if from < start {
            day::break_stretch(&mut next.days);
        }
        let too_large = next.count(start, to, counts);
        Ok(Counted { account: self.replace(text, from, next).await?, too_large })
    }

    /// Compares the hours from `start` to `end` with `report`, the appliance's own figures for them, and with
    /// [`Late::Add`] adds what the windows lacked: it goes into the totals now, though it happened then.
    ///
    /// # Errors
    /// When those hours are not the ones that are counted, or the state cannot be written.
    ///
    /// # Cancel safety
    /// As [`Ledger::commit`].
    pub async fn reconcile(
        &self,
        key: &Key,
        hours: Window,
        report: &[(String, u64)],
        late: Late,
    ) -> Result<Reconciled, CommitError> {
        let text = key.text();
        let Some(mut next) = self.accounts().get(&text).cloned() else { return Err(CommitError::Moved) };
        let Some(found) = next.compare(hours, report) else { return Err(CommitError::Moved) };
        let surplus = found.surplus;
        if found.late == 0 || late == Late::Ignore {
            return Ok(Reconciled { account: next, late: found.late, surplus, too_large: 0 });
        }
        let (added, too_large) = next.add_late(hours, &found.credits);
        let from = next.watermark;
        Ok(Reconciled { account: self.replace(text, from, next).await?, late: added, surplus, too_large })
    }

    /// Shows the sums `names` with all that was counted from now on, which a restart does too.
    ///
    /// # Errors
    /// When the state cannot be written.
    ///
    /// # Cancel safety
    /// As [`Ledger::commit`].
    pub async fn end_beginnings(&self, key: &Key, names: &[String]) -> Result<(), CommitError> {
        let text = key.text();
        let Some(mut next) = self.accounts().get(&text).cloned() else { return Err(CommitError::Moved) };
        next.end_beginnings(names);
        let from = next.watermark;
        self.replace(text, from, next).await.map(drop)
    }

    /// The sums of `key` that have just begun, and what each was before.
    #[must_use]
    pub fn beginning(&self, key: &Key) -> BTreeMap<String, u64> {
        self.accounts().get(&key.text()).map(|account| account.beginning.clone()).unwrap_or_default()
    }

    /// Until when the sums of `key` are shown as they were before, for the poller that counts them now.
    #[must_use]
    pub fn hold_ends(&self, key: &Key) -> HoldEnds {
        let mut ends = self.hold_ends.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(ends.entry(key.text()).or_default())
    }

    /// Writes `next` down, and shows it if the watermark is still at `from` then.
    async fn replace(&self, text: String, from: Timestamp, next: CounterState) -> Result<CounterState, CommitError> {
        self.store.write(text.clone(), next.record()).await?;
        match self.accounts().get_mut(&text) {
            Some(account) if account.watermark == from => {
                *account = next.clone();
                Ok(next)
            }
            Some(_) | None => Err(CommitError::Moved),
        }
    }

    fn accounts(&self) -> MutexGuard<'_, HashMap<String, CounterState>> {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;

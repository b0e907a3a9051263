//! The running totals: how far each report has been counted, and how much. A window is added once, durably, before
//! anybody sees it: a change is made on a copy, written to disk, and then takes the place of the state that it was made
//! from. Knows nothing of requests or metrics.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::base::clock::{Tick, Timestamp};
use crate::base::window::Window;
use crate::config::Late;
use crate::store::{Facts, Record, Store, SumKey, TotalsKey, WriteError};

mod counter_state;
mod day;
mod difference;

pub use counter_state::{Begun, CounterState, Counts};

use counter_state::Added;

/// The outcome of comparing a stretch of hours with the appliance's own report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reconciled {
    /// The totals after it.
    pub account: CounterState,
    /// Events in the report that were in no window when it was requested.
    pub late: u64,
    /// Whether they are in the totals now.
    pub is_added: bool,
    /// Events in the windows that are in the report no more.
    pub surplus: u64,
    /// Sums that late events were not added to, because the total would be too large.
    pub too_large: u64,
}

/// Whole hours that are counted and can be compared with a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// The hours.
    pub hours: Window,
    /// Until when the appliance may answer, by its clock, for late data to be added.
    pub adds_until: Timestamp,
}

/// The outcome of counting a window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    /// The totals after it.
    pub account: CounterState,
    /// The part of the report that was added to each sum, where that is not all that the report says, since a part of its time was counted before.
    pub lacked: Option<Vec<(SumKey, u64)>>,
    /// Events that were counted before and are in the report no more.
    pub surplus: u64,
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

/// Until when sums that have just begun are shown as they were before. A reload keeps it; a restart does not.
pub type HoldEnds = Arc<Mutex<BTreeMap<SumKey, Tick>>>;

/// The totals of the whole fleet.
#[derive(Debug)]
pub struct Ledger {
    store: Arc<Store>,
    accounts: Mutex<HashMap<TotalsKey, VersionedState>>,
    hold_ends: Mutex<HashMap<TotalsKey, HoldEnds>>,
    facts: Mutex<HashMap<String, Facts>>,
}

/// The totals of one key.
#[derive(Debug)]
struct VersionedState {
    state: CounterState,
    /// Counts up with each change. A change that was computed from an older state is not made: two that were written one
    /// after the other would take each other's counts away. The watermark cannot take its place, since a running hour
    /// and late events leave that where it is.
    revision: u64,
}

/// A state that is about to replace the one it was made from.
struct Base<'k> {
    key: &'k TotalsKey,
    next: CounterState,
    revision: u64,
}

impl Ledger {
    /// A ledger that continues from `records` and writes its changes to `store`.
    #[must_use]
    pub fn new(store: Arc<Store>, records: HashMap<TotalsKey, Record>) -> Self {
        let accounts = records
            .into_iter()
            .map(|(key, record)| (key, VersionedState { state: CounterState::restored(record), revision: 0 }))
            .collect();
        Self { store, accounts: Mutex::new(accounts), hold_ends: Mutex::default(), facts: Mutex::default() }
    }

    /// The same, where `facts` were found out about appliances.
    #[must_use]
    pub fn with_facts(self, facts: HashMap<String, Facts>) -> Self {
        Self { facts: Mutex::new(facts), ..self }
    }

    /// The facts found out about `appliance`.
    #[must_use]
    pub fn facts(&self, appliance: &str) -> Facts {
        self.facts.lock().unwrap_or_else(PoisonError::into_inner).get(appliance).cloned().unwrap_or_default()
    }

    /// Remembers what was found out about `appliance`, until a restart; [`Ledger::persist_facts`] makes it outlive that.
    pub fn remember(&self, appliance: &str, facts: Facts) {
        self.facts.lock().unwrap_or_else(PoisonError::into_inner).insert(appliance.to_owned(), facts);
    }

    /// Writes down what is known about `appliance` by now. Of several calls at a time, whatever their order, each writes the
    /// newest.
    ///
    /// # Errors
    /// When it was not written: a restart finds it out again.
    pub async fn persist_facts(&self, appliance: &str) -> Result<(), WriteError> {
        self.store.write_facts(appliance.to_owned(), self.facts(appliance)).await
    }

    /// A ledger that a restart forgets.
    #[must_use]
    pub fn in_memory() -> Self {
        Self::new(Arc::new(Store::Memory), HashMap::new())
    }

    /// The totals of `key`; none before the first [`Ledger::begin`].
    #[must_use]
    pub fn account(&self, key: &TotalsKey) -> Option<CounterState> {
        self.accounts().get(key).map(|account| account.state.clone())
    }

    /// The watermark of `key`; none before the first [`Ledger::begin`].
    #[must_use]
    pub fn watermark(&self, key: &TotalsKey) -> Option<Timestamp> {
        self.accounts().get(key).map(|account| account.state.watermark)
    }

    /// Whether the hour from the watermark of `key` on was counted in part while it ran.
    #[must_use]
    pub fn has_run(&self, key: &TotalsKey) -> bool {
        self.accounts().get(key).is_some_and(|account| account.state.running().is_some())
    }

    /// Whether `hour`, in which the watermark of `key` lies, can be counted from its report as a whole: everything that was
    /// counted of it is known.
    #[must_use]
    pub fn knows_of(&self, key: &TotalsKey, hour: Window) -> bool {
        self.accounts().get(key).is_some_and(|account| account.state.knows_of(hour))
    }

    /// The stretches of whole hours of `key` that are counted and can be compared with a report, oldest first.
    #[must_use]
    pub fn stretches(&self, key: &TotalsKey) -> Vec<Stretch> {
        let with_end = |hours: Window| Stretch { hours, adds_until: day::adds_until(hours.start()) };
        let accounts = self.accounts();
        accounts
            .get(key)
            .map(|account| account.state.days.iter().filter_map(day::stretch).map(with_end).collect())
            .unwrap_or_default()
    }

    /// Makes sure that `key` has an account: at zero from `first` where it has none.
    pub fn begin(&self, key: &TotalsKey, first: Timestamp) {
        // Not written: a restart that finds nothing begins at zero as well.
        let new = || VersionedState { state: CounterState::new(first, first), revision: 0 };
        self.accounts().entry(key.clone()).or_insert_with(new);
    }

    /// Begins the totals of `key` at zero from `at`: a new epoch, which can be seen once a restart would find it too.
    ///
    /// # Errors
    /// When the watermark is not at `from`, or the state cannot be written; the totals continue then.
    pub async fn begin_anew(&self, key: &TotalsKey, from: Timestamp, at: Timestamp) -> Result<(), CommitError> {
        // An answer for the old totals may still be under way. It finds another watermark then, and is refused.
        let base = self.base(key).filter(|base| base.next.watermark == from).ok_or(CommitError::Moved)?;
        self.replace(Base { next: CounterState::new(at, at), ..base }).await.map(drop)
    }

    /// Moves the watermark of `key` from `from` to `to` for good, without counting: no report could be fetched for the time
    /// between.
    ///
    /// # Errors
    /// As [`Ledger::begin_anew`].
    pub async fn pass_over(&self, key: &TotalsKey, from: Timestamp, to: Timestamp) -> Result<(), CommitError> {
        let mut base = self.base(key).filter(|base| base.next.watermark == from).ok_or(CommitError::Moved)?;
        base.next.watermark = to;
        day::break_stretch(&mut base.next.days);
        self.replace(base).await.map(drop)
    }

    /// Moves the watermark of `key` from `from` to `to`, where the totals begin then; false when it is not at `from` or something
    /// is counted, which may be a part of the running hour only.
    /// The move reaches the store with the next window that is counted.
    pub fn shift(&self, key: &TotalsKey, from: Timestamp, to: Timestamp) -> bool {
        match self.accounts().get_mut(key) {
            Some(account) if account.state.watermark == from && account.state.totals.is_empty() => {
                (account.state.watermark, account.state.epoch) = (to, to);
                day::break_stretch(&mut account.state.days);
                account.revision += 1;
                true
            }
            Some(_) | None => false,
        }
    }

    /// Adds `window`, which begins at the watermark `from` or, where windows were given up, after it, and returns what is
    /// counted then, once it would survive a power cut. A window of whole hours may begin before `from`, with the hour in
    /// which that lies: what was counted of that hour is not added again.
    ///
    /// # Errors
    /// When the watermark is not at `from`, so that a late or repeated answer changes nothing, or the state cannot be
    /// written, so that the window must be requested again.
    ///
    /// # Cancel safety
    /// Dropping the future leaves the window uncounted here; the state may have it, and then a restart has it too.
    pub async fn commit(
        &self,
        key: &TotalsKey,
        from: Timestamp,
        window: Window,
        counts: &Counts<'_>,
    ) -> Result<Counted, CommitError> {
        let base = self.base(key).filter(|base| base.next.watermark == from && base.next.can_count(window));
        let mut base = base.ok_or(CommitError::Moved)?;
        let Added { lacked, surplus, too_large } = base.next.count(window, counts);
        Ok(Counted { account: self.replace(base).await?, lacked, surplus, too_large })
    }

    /// Adds what the report of `hour`, in which the watermark lies and which is not over, has beyond what was counted of that
    /// hour. The appliance gave it at `until`. Where it has less, nothing is added; the watermark stays in any case.
    ///
    /// # Errors
    /// When the watermark does not lie in `hour`, what was counted of it is not known, or the state cannot be written. The same
    /// report may be brought again: what is in the totals by then is not added twice.
    ///
    /// # Cancel safety
    /// As [`Ledger::commit`].
    pub async fn count_running(
        &self,
        key: &TotalsKey,
        hour: Window,
        until: Timestamp,
        counts: &Counts<'_>,
    ) -> Result<Counted, CommitError> {
        let mut base = self.base(key).filter(|base| base.next.knows_of(hour)).ok_or(CommitError::Moved)?;
        let Added { lacked, surplus, too_large } = base.next.count_running(hour, until, counts);
        Ok(Counted { account: self.replace(base).await?, lacked, surplus, too_large })
    }

    /// Compares `hours` with `report`, the appliance's own figures for them at its time `at`, and with [`Late::Add`] adds
    /// what the windows lacked: it goes into the totals now, though it happened then. Data that are later than any manager
    /// gets them are not added; see [`Stretch::adds_until`].
    ///
    /// # Errors
    /// When those hours are not the ones that are counted, or the state cannot be written.
    ///
    /// # Cancel safety
    /// As [`Ledger::commit`].
    pub async fn reconcile(
        &self,
        key: &TotalsKey,
        hours: Window,
        report: &[(SumKey, u64)],
        at: Timestamp,
        late: Late,
    ) -> Result<Reconciled, CommitError> {
        let mut base = self.base(key).ok_or(CommitError::Moved)?;
        let Some(found) = base.next.compare(hours, report) else { return Err(CommitError::Moved) };
        let surplus = found.surplus;
        let is_added = late == Late::Add && at < day::adds_until(hours.start());
        // Nothing changes then, so nothing is written: most comparisons find nothing.
        if found.late == 0 || !is_added {
            return Ok(Reconciled { account: base.next, late: found.late, is_added, surplus, too_large: 0 });
        }
        let (added, too_large) = base.next.add_late(hours, &found.credits);
        Ok(Reconciled { account: self.replace(base).await?, late: added, is_added, surplus, too_large })
    }

    /// Shows `sums` with all that was counted from now on, which a restart does too.
    ///
    /// # Errors
    /// When the state cannot be written.
    ///
    /// # Cancel safety
    /// As [`Ledger::commit`].
    pub async fn end_beginnings(&self, key: &TotalsKey, sums: &[SumKey]) -> Result<(), CommitError> {
        let mut base = self.base(key).ok_or(CommitError::Moved)?;
        base.next.end_beginnings(sums);
        self.replace(base).await.map(drop)
    }

    /// The sums of `key` that have just begun, and what each was before.
    #[must_use]
    pub fn beginning(&self, key: &TotalsKey) -> BTreeMap<SumKey, u64> {
        self.accounts().get(key).map(|account| account.state.beginning.clone()).unwrap_or_default()
    }

    /// Until when the sums of `key` are shown as they were before, for the poller that counts them now.
    #[must_use]
    pub fn hold_ends(&self, key: &TotalsKey) -> HoldEnds {
        let mut ends = self.hold_ends.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(ends.entry(key.clone()).or_default())
    }

    /// A copy of the totals of `key` to change; none before the first [`Ledger::begin`].
    fn base<'k>(&self, key: &'k TotalsKey) -> Option<Base<'k>> {
        let (next, revision) = self.accounts().get(key).map(|account| (account.state.clone(), account.revision))?;
        Some(Base { key, next, revision })
    }

    /// Writes the changed state down, and shows it if nothing else has changed it meanwhile.
    async fn replace(&self, base: Base<'_>) -> Result<CounterState, CommitError> {
        let Base { key, next, revision } = base;
        // Disk first. A total that is shown and then lost in a crash steps back, and Prometheus takes that for a reset and
        // counts all of it again. The lock is not held meanwhile: a disk that hangs must not hold up those who only read.
        //
        // A record is whole, so a write that nobody waited for adds nothing to the next one: that replaces it.
        self.store.write(key.clone(), next.record()).await?;
        match self.accounts().get_mut(key) {
            Some(account) if account.revision == revision => {
                *account = VersionedState { state: next.clone(), revision: revision + 1 };
                Ok(next)
            }
            Some(_) | None => Err(CommitError::Moved),
        }
    }

    fn accounts(&self) -> MutexGuard<'_, HashMap<TotalsKey, VersionedState>> {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;

//! The running totals: how far each report has been counted, and how much. A window is added once, durably, before
//! anybody sees it. Knows nothing of requests or metrics.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::clock::Timestamp;
use crate::config::{Late, Scope};
use crate::store::{Day, Record, Store, WriteError};
use crate::window::Window;

mod day;

/// What has totals of its own.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    /// The appliance's name in the configuration.
    pub appliance: Arc<str>,
    /// What the report is asked for.
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

/// What is counted under one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The end of the last window counted.
    pub watermark: Timestamp,
    /// When the totals began at zero.
    pub epoch: Timestamp,
    /// Sums since then, by counter; one that is not here is zero.
    pub totals: BTreeMap<String, u64>,
    /// What of them lies in the days that may still be compared with the appliance's own report, oldest first.
    pub days: Vec<Day>,
}

impl Account {
    fn new(watermark: Timestamp, epoch: Timestamp) -> Self {
        Self { watermark, epoch, totals: BTreeMap::new(), days: Vec::new() }
    }

    fn add(&mut self, counter: &str, count: u64) {
        add(&mut self.totals, counter, count);
    }

    fn record(&self) -> Record {
        Record {
            watermark: self.watermark.as_secs(),
            epoch: self.epoch.as_secs(),
            totals: self.totals.clone(),
            days: self.days.clone(),
        }
    }
}

/// What a comparison of a stretch of hours with the appliance's own report came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reconciled {
    /// What is counted now.
    pub account: Account,
    /// Events in the report that were in no window when it was asked for.
    pub late: u64,
    /// Events in the windows that are in the report no more.
    pub surplus: u64,
}

/// How a key begins after a start of its poller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begun {
    /// Nothing was known of it: zero.
    New,
    /// It goes on where it was.
    Resumed,
    /// What was known is too old, or of a time that has not come: a new epoch at zero.
    Reset {
        /// Where its watermark was.
        from: Timestamp,
    },
}

/// Why a window was not counted; nothing has changed then.
#[derive(Clone, Debug, thiserror::Error)]
pub enum CommitError {
    /// The watermark was not where the caller believed it to be.
    #[error("the window was counted already")]
    Moved,
    /// The state could not be written.
    #[error(transparent)]
    NotWritten(#[from] WriteError),
}

/// The totals of the whole fleet.
#[derive(Debug)]
pub struct Ledger {
    store: Arc<Store>,
    accounts: Mutex<HashMap<String, Account>>,
}

impl Ledger {
    /// A ledger that goes on from `records` and keeps itself in `store`.
    #[must_use]
    pub fn new(store: Arc<Store>, records: HashMap<String, Record>) -> Self {
        let account = |Record { watermark, epoch, totals, days }| Account {
            watermark: Timestamp::from_secs(watermark),
            epoch: Timestamp::from_secs(epoch),
            totals,
            days,
        };
        let accounts = records.into_iter().map(|(key, record)| (key, account(record))).collect();
        Self { store, accounts: Mutex::new(accounts) }
    }

    /// A ledger that a restart forgets.
    #[must_use]
    pub fn in_memory() -> Self {
        Self::new(Arc::new(Store::Memory), HashMap::new())
    }

    /// What is counted under `key`; none before the first [`Ledger::begin`].
    #[must_use]
    pub fn account(&self, key: &Key) -> Option<Account> {
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

    /// Makes sure that `key` has an account: at `first` when it has none, or one from after `latest`. One from before
    /// `oldest` has a gap behind it that cannot be filled: totals that went on over it would be too low for ever, so
    /// they begin anew, at `oldest`.
    pub fn begin(&self, key: &Key, first: Timestamp, oldest: Timestamp, latest: Timestamp) -> Begun {
        match self.accounts().entry(key.text()) {
            Entry::Vacant(vacant) => {
                vacant.insert(Account::new(first, first));
                Begun::New
            }
            Entry::Occupied(mut known) => {
                let from = known.get().watermark;
                if (oldest..=latest).contains(&from) {
                    return Begun::Resumed;
                }
                let watermark = if from < oldest { oldest } else { first };
                known.insert(Account::new(watermark, watermark));
                Begun::Reset { from }
            }
        }
    }

    /// Writes down where `key` is, so that a restart finds a new epoch that was begun.
    ///
    /// # Errors
    /// When nothing is known of it, or the state cannot be written.
    pub async fn keep(&self, key: &Key) -> Result<(), CommitError> {
        let account = self.account(key).ok_or(CommitError::Moved)?;
        Ok(self.store.write(key.text(), account.record()).await?)
    }

    /// Moves the watermark of `key` from `from` to `to` without counting what lies between; false when it is not at
    /// `from`. The move reaches the store with the next window that is counted.
    pub fn skip(&self, key: &Key, from: Timestamp, to: Timestamp) -> bool {
        match self.accounts().get_mut(&key.text()) {
            Some(account) if account.watermark == from => {
                account.watermark = to;
                day::broken(&mut account.days);
                true
            }
            Some(_) | None => false,
        }
    }

    /// Adds a window that reaches from the watermark `from` to `to`, and returns what is counted then, once it would
    /// survive a power cut.
    ///
    /// # Errors
    /// When the watermark is not at `from`, so that a late or repeated answer changes nothing, or the state cannot be
    /// written, so that the window must be asked for again.
    ///
    /// # Cancel safety
    /// Dropping the future leaves the window uncounted here; the state may have it, and then a restart has it too.
    pub async fn commit(
        &self,
        key: &Key,
        from: Timestamp,
        to: Timestamp,
        increments: &[(String, u64)],
    ) -> Result<Account, CommitError> {
        let text = key.text();
        let mut next = match self.accounts().get(&text) {
            Some(account) if account.watermark == from => account.clone(),
            Some(_) | None => return Err(CommitError::Moved),
        };
        next.watermark = to;
        for (counter, increment) in increments {
            next.add(counter, *increment);
        }
        day::counted(&mut next.days, from, to, increments);
        self.replace(text, from, next).await
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
        let (start, end) = (hours.start().as_secs(), hours.end().as_secs());
        let Some(day) = next.days.iter_mut().find(|day| (day.start, day.end) == (start, end)) else {
            return Err(CommitError::Moved);
        };
        let (mut lacked, mut surplus) = (Vec::new(), 0);
        for (counter, reported) in report {
            let counted = day.closed.get(counter).copied().unwrap_or(0);
            surplus += counted.saturating_sub(*reported);
            if *reported > counted {
                lacked.push((counter, reported - counted));
            }
        }
        let sum = lacked.iter().map(|(_, count)| count).sum();
        if lacked.is_empty() || late == Late::Ignore {
            return Ok(Reconciled { account: next, late: sum, surplus });
        }
        for (counter, count) in &lacked {
            add(&mut day.closed, counter, *count);
        }
        for (counter, count) in lacked {
            next.add(counter, count);
        }
        let from = next.watermark;
        Ok(Reconciled { account: self.replace(text, from, next).await?, late: sum, surplus })
    }

    /// Writes `next` down, and shows it if the watermark is still at `from` then.
    async fn replace(&self, text: String, from: Timestamp, next: Account) -> Result<Account, CommitError> {
        self.store.write(text.clone(), next.record()).await?;
        match self.accounts().get_mut(&text) {
            Some(account) if account.watermark == from => {
                *account = next.clone();
                Ok(next)
            }
            Some(_) | None => Err(CommitError::Moved),
        }
    }

    fn accounts(&self) -> MutexGuard<'_, HashMap<String, Account>> {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn add(sums: &mut BTreeMap<String, u64>, counter: &str, count: u64) {
    match sums.get_mut(counter) {
        Some(sum) => *sum = sum.saturating_add(count),
        None => {
            sums.insert(counter.to_owned(), count);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> Key {
        Key { appliance: "a".into(), scope: Scope::Appliance, group: "g".into() }
    }

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_secs(seconds)
    }

    fn counts(counts: &[(&str, u64)]) -> Vec<(String, u64)> {
        counts.iter().map(|(counter, count)| ((*counter).to_owned(), *count)).collect()
    }

    fn total(account: &Account) -> Option<u64> {
        account.totals.get("c").copied()
    }

    #[tokio::test]
    async fn a_window_is_counted_once() {
        let ledger = Ledger::in_memory();
        let key = key();
        let five = counts(&[("c", 5)]);
        let commit = || ledger.commit(&key, at(0), at(60), &five);
        assert!(matches!(commit().await, Err(CommitError::Moved)), "nothing has begun");
        assert_eq!(ledger.begin(&key, at(0), at(0), at(600)), Begun::New);
        assert_eq!(total(&commit().await.expect("counted")), Some(5));
        assert!(matches!(commit().await, Err(CommitError::Moved)), "the same answer again");
        assert_eq!(total(&ledger.account(&key).expect("begun")), Some(5));
    }

    #[tokio::test]
    async fn a_restart_goes_on_unless_the_gap_is_too_wide() {
        let folder = tempfile::tempdir().expect("a folder");
        let open = || {
            let (store, found) = Store::open(folder.path(), Box::new(|_| {})).expect("a directory");
            Ledger::new(Arc::new(store), found.records)
        };
        let ledger = open();
        ledger.begin(&key(), at(0), at(0), at(600));
        ledger.commit(&key(), at(0), at(60), &counts(&[("c", 5)])).await.expect("counted");
        drop(ledger);
        let ledger = open();
        assert_eq!(ledger.begin(&key(), at(900), at(60), at(900)), Begun::Resumed);
        let account = ledger.commit(&key(), at(60), at(120), &counts(&[("c", 2)])).await.expect("counted");
        assert_eq!((total(&account), account.epoch), (Some(7), at(0)));
        drop(ledger);
        let ledger = open();
        assert_eq!(ledger.begin(&key(), at(9000), at(6000), at(9000)), Begun::Reset { from: at(120) });
        let account = ledger.account(&key()).expect("begun");
        assert_eq!((account.watermark, account.epoch, total(&account)), (at(6000), at(6000), None));
        ledger.keep(&key()).await.expect("written");
        drop(ledger);
        let ledger = open();
        assert_eq!(ledger.account(&key()), Some(account), "what began anew does not come back");
        assert_eq!(ledger.begin(&key(), at(60), at(0), at(90)), Begun::Reset { from: at(6000) }, "from the future");
        assert_eq!(ledger.watermark(&key()), Some(at(60)));
    }

    #[tokio::test]
    async fn what_was_late_is_added_once_and_what_is_gone_is_only_shown() {
        let ledger = Ledger::in_memory();
        let key = key();
        let hour = |number: u64| at(number * 3600);
        ledger.begin(&key, hour(0), hour(0), hour(99));
        ledger.commit(&key, hour(0), hour(1), &counts(&[("c", 5), ("d", 5)])).await.expect("counted");
        let hours = crate::window::Grid::HOURS.window_from(hour(0));
        let report = counts(&[("c", 8), ("d", 4), ("e", 1)]);
        let audit = |late| ledger.reconcile(&key, hours, &report, late);
        let ignored = audit(Late::Ignore).await.expect("compared");
        assert_eq!((total(&ignored.account), ignored.late, ignored.surplus), (Some(5), 4, 1));
        let added = audit(Late::Add).await.expect("compared");
        assert_eq!((total(&added.account), added.late, added.surplus), (Some(8), 4, 1));
        assert_eq!(added.account.totals.get("d"), Some(&5), "a total never steps back");
        let again = audit(Late::Add).await.expect("compared");
        assert_eq!((total(&again.account), again.late, again.surplus), (Some(8), 0, 1));
        ledger.commit(&key, hour(1), hour(2), &counts(&[("c", 1)])).await.expect("counted");
        assert!(matches!(audit(Late::Add).await, Err(CommitError::Moved)), "other hours are counted by now");
    }

    #[test]
    fn keys_are_told_apart() {
        let scope = |scope| Key { scope, ..key() }.text();
        let texts = [
            scope(Scope::Appliance),
            scope(Scope::DeviceGroup("x".into())),
            scope(Scope::Device("x".into())),
            scope(Scope::Device("x\" y".into())),
        ];
        let distinct: std::collections::BTreeSet<_> = texts.iter().collect();
        assert_eq!(distinct.len(), texts.len());
    }
}

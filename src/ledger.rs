//! The running totals: how far each report has been counted, and how much. A window is added once, durably, before
//! anybody sees it. Knows nothing of requests or metrics.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::clock::Timestamp;
use crate::config::{Late, Scope};
use crate::store::{Record, Store, WriteError};
use crate::window::Window;

mod account;
mod day;
pub mod sum;

pub use account::{Account, Counts};

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

/// What a comparison of a stretch of hours with the appliance's own report came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reconciled {
    /// What is counted now.
    pub account: Account,
    /// Events in the report that were in no window when it was asked for.
    pub late: u64,
    /// Events in the windows that are in the report no more.
    pub surplus: u64,
    /// Sums that late events were not added to, because the total would be too large.
    pub too_large: u64,
}

/// What counting a window came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    /// What is counted now.
    pub account: Account,
    /// Increments that were not added, because the total would be too large to be exact.
    pub too_large: u64,
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
        let accounts = records.into_iter().map(|(key, record)| (key, Account::restored(record))).collect();
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
        counts: &Counts<'_>,
    ) -> Result<Counted, CommitError> {
        let text = key.text();
        let mut next = match self.accounts().get(&text) {
            Some(account) if account.watermark == from => account.clone(),
            Some(_) | None => return Err(CommitError::Moved),
        };
        let too_large = next.count(from, to, counts);
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::store::{Day, Summed};

    fn key() -> Key {
        Key { appliance: "a".into(), scope: Scope::Appliance, group: "g".into() }
    }

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_secs(seconds)
    }

    fn counts(counts: &[(&str, u64)]) -> Vec<(String, u64)> {
        counts.iter().map(|(counter, count)| ((*counter).to_owned(), *count)).collect()
    }

    async fn count(ledger: &Ledger, from: u64, to: u64, increments: &[(&str, u64)]) -> Result<Account, CommitError> {
        let summed = Arc::new(Summed { others: true, ..Summed::default() });
        let counts = Counts { increments: &counts(increments), retired: &[], summed: &summed };
        ledger.commit(&key(), at(from), at(to), &counts).await.map(|counted| counted.account)
    }

    fn total(account: &Account) -> Option<u64> {
        account.totals.get("c").copied()
    }

    #[tokio::test]
    async fn a_window_is_counted_once() {
        let ledger = Ledger::in_memory();
        let key = key();
        let commit = || count(&ledger, 0, 60, &[("c", 5)]);
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
        count(&ledger, 0, 60, &[("c", 5)]).await.expect("counted");
        drop(ledger);
        let ledger = open();
        assert_eq!(ledger.begin(&key(), at(900), at(60), at(900)), Begun::Resumed);
        let account = count(&ledger, 60, 120, &[("c", 2)]).await.expect("counted");
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
        count(&ledger, 0, 3600, &[("c", 5), ("d", 5)]).await.expect("counted");
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
        count(&ledger, 3600, 7200, &[("c", 1)]).await.expect("counted");
        assert!(matches!(audit(Late::Add).await, Err(CommitError::Moved)), "other hours are counted by now");
    }

    #[tokio::test]
    async fn a_total_that_would_be_too_large_stays_and_is_counted() {
        const LARGEST: u64 = 1 << 53;
        let ledger = Ledger::in_memory();
        ledger.begin(&key(), at(0), at(0), at(0));
        let summed = Arc::new(Summed { others: true, ..Summed::default() });
        let count = async |from: u64, count: u64| {
            let increments = counts(&[("c", count), ("d", 1)]);
            let counts = Counts { increments: &increments, retired: &[], summed: &summed };
            ledger.commit(&key(), at(from), at(from + 3600), &counts).await.expect("counted")
        };
        for (hour, increment, expected, too_large) in [
            (0, LARGEST - 5, LARGEST - 5, 0),
            (1, 6, LARGEST - 5, 1),
            (2, u64::MAX, LARGEST - 5, 1),
            (3, 5, LARGEST, 0),
        ] {
            let counted = count(hour * 3600, increment).await;
            assert_eq!((total(&counted.account), counted.too_large), (Some(expected), too_large), "hour {hour}");
            assert_eq!(counted.account.totals["d"], hour + 1, "the others go on");
        }
        let hours = ledger.stretches(&key())[0];
        let report = counts(&[("c", LARGEST + 1), ("d", 7)]);
        let found = ledger.reconcile(&key(), hours, &report, Late::Add).await.expect("compared");
        assert_eq!((total(&found.account), found.late, found.too_large), (Some(LARGEST), 3, 1));
        assert_eq!(found.account.totals["d"], 7);
    }

    #[tokio::test]
    async fn a_record_of_an_older_version_is_compared_by_what_it_counted() {
        let sums = BTreeMap::from([("c\u{1f}k".into(), 5), ("c\u{1f}other".into(), 3)]);
        let day = Day { start: 0, end: 7200, closed: sums.clone(), ..Day::default() };
        let record = Record { watermark: 7200, epoch: 0, totals: sums, days: vec![day], ..Record::default() };
        let ledger = Ledger::new(Arc::new(Store::Memory), HashMap::from([(key().text(), record)]));
        let account = ledger.account(&key()).expect("known");
        assert_eq!(account.seen, BTreeMap::from([("k".into(), 7200)]), "its keys are taken for living");
        let hours = ledger.stretches(&key())[0];
        let compare = async |report: &[(&str, u64)]| {
            let found = ledger.reconcile(&key(), hours, &counts(report), Late::Add).await.expect("compared");
            (found.account.totals, found.late)
        };
        let (totals, late) = compare(&[("c\u{1f}k", 9), ("d", 100)]).await;
        assert_eq!((totals["c\u{1f}k"], late), (6, 1), "`d` may have been summed since this version only");
        assert!(!totals.contains_key("d"));
        // It is known from the next window on, for the day that began before that too.
        count(&ledger, 7200, 10_800, &[("c\u{1f}k", 1), ("d", 50)]).await.expect("counted");
        let hours = ledger.stretches(&key())[0];
        let report = counts(&[("c\u{1f}k", 7), ("c\u{1f}other", 3), ("d", 150)]);
        let found = ledger.reconcile(&key(), hours, &report, Late::Add).await.expect("compared");
        assert_eq!((found.late, found.account.totals["d"]), (0, 50));
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

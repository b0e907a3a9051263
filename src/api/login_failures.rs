//! Refused logins of every account, so that neither a restart nor an edit burns another attempt. Told where to write
//! them down; an account is known by a salted hash of its place, name and secret, so that another secret begins at zero
//! and what is written holds none.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};
use tokio::task::JoinSet;
use url::Url;

use self::breaker::{FailureCount, LoginDecision, RefusalCause};
use crate::base::clock::Timestamp;
use crate::config::Credentials;

mod account;
pub(super) mod breaker;

pub(in crate::api) use account::Account;
use account::Accounts;

/// The longest time between two checks of the password's file after a refusal, which cost the appliance nothing.
pub(in crate::api) const PASSWORD_CHECK_INTERVAL: Duration = Duration::from_secs(30);

/// The outcome of a write; its error is the reason why it failed.
pub type Written = Pin<Box<dyn Future<Output = Result<(), String>> + Send>>;

/// In place of an account: its count, if there is one, stands for those of all accounts, which were lost with the state.
pub const EVERY_ACCOUNT: &str = "*";

type Write = Box<dyn Fn(String, Option<FailureCount>) -> Written + Send + Sync>;

/// Refused logins by account. Clones share them.
#[derive(Clone)]
pub struct LoginFailureLog(Arc<Shared>);

struct Shared {
    accounts: Accounts,
    counts: Mutex<HashMap<String, FailureCount>>,
    /// Who makes a login of an account now. An account may be that of several appliances, where an identity provider
    /// has it, and they must not all try what the first is about to see refused.
    turns: Mutex<HashMap<String, Weak<AsyncMutex<()>>>>,
    /// Accounts of proxies and status pages that were taken when they were last shown.
    taken: Mutex<HashSet<String>>,
    write: Write,
}

/// The outcome of a login.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::api) enum Outcome {
    Accepted,
    Refused(RefusalCause),
    /// No answer, or none about the account.
    Unclear,
}

impl LoginFailureLog {
    /// Continues from `counts`. `write` replaces the count of an account, or removes it for none, and its future ends once
    /// that would survive a power cut.
    #[must_use]
    pub fn new(
        salt: [u8; 32],
        counts: HashMap<String, FailureCount>,
        write: impl Fn(String, Option<FailureCount>) -> Written + Send + Sync + 'static,
    ) -> Self {
        let (counts, turns, taken) = (Mutex::new(counts), Mutex::default(), Mutex::default());
        let accounts = Accounts::new(salt);
        Self(Arc::new(Shared { accounts, counts, turns, taken, write: Box::new(write) }))
    }

    /// Refusals that a restart forgets. Nothing leaves the memory, so the salt hides nothing.
    #[must_use]
    pub fn in_memory() -> Self {
        Self::new([0; 32], HashMap::new(), |_, _| Box::pin(std::future::ready(Ok(()))))
    }

    /// Forgets all of them.
    ///
    /// # Errors
    /// When that was not written; it holds until a restart then.
    pub async fn reset(&self) -> Result<(), String> {
        let accounts: Vec<String> = self.counts().drain().map(|(account, _)| account).collect();
        for account in accounts {
            (self.0.write)(account, None).await?;
        }
        Ok(())
    }

    /// Whether earlier counts were lost, and `allow_one_login` has not yet decided for which accounts.
    #[must_use]
    pub fn are_lost(&self) -> bool {
        self.counts().contains_key(EVERY_ACCOUNT)
    }

    /// Decides that: `accounts` are allowed one login each, until one is accepted. What is known of one stays. Accounts
    /// that come later begin at zero, as they were not there to be refused.
    ///
    /// # Errors
    /// When that was not written; the next start decides again then.
    pub(in crate::api) async fn allow_one_login(&self, accounts: Vec<Account>) -> Result<(), String> {
        let mut writes = JoinSet::new();
        for account in accounts {
            self.name(&account).await;
            let account = account.name().to_owned();
            if let Entry::Vacant(unknown) = self.counts().entry(account.clone()) {
                unknown.insert(FailureCount::LOST);
                writes.spawn((self.0.write)(account, Some(FailureCount::LOST)));
            }
        }
        self.counts().remove(EVERY_ACCOUNT);
        for written in writes.join_all().await {
            written?;
        }
        (self.0.write)(EVERY_ACCOUNT.to_owned(), None).await
    }

    /// The account of these credentials at `url`.
    pub(in crate::api) fn account(&self, url: &Url, credentials: &Credentials) -> Account {
        self.0.accounts.account(url, credentials)
    }

    /// Makes what `account` is written down by, away from the threads of the runtime: whatever else is asked about it
    /// takes that long otherwise.
    ///
    /// # Cancel safety
    /// Dropping the future gives up the place in the queue.
    pub(in crate::api) async fn name(&self, account: &Account) {
        self.0.accounts.name(account).await;
    }

    /// Waits until nobody else makes a login of `account`, and keeps others waiting until it is dropped.
    pub(in crate::api) async fn turn(&self, account: &Account) -> OwnedMutexGuard<()> {
        self.name(account).await;
        let turn = {
            let mut turns = self.0.turns.lock().unwrap_or_else(PoisonError::into_inner);
            turns.retain(|_, turn| turn.strong_count() > 0);
            let known = turns.get(account.name()).and_then(Weak::upgrade);
            known.unwrap_or_else(|| {
                let turn = Arc::new(AsyncMutex::new(()));
                turns.insert(account.name().to_owned(), Arc::downgrade(&turn));
                turn
            })
        };
        turn.lock_owned().await
    }

    /// Whether `account` was taken when it was last shown, as far as is known.
    pub(in crate::api) fn is_taken(&self, account: &Account) -> bool {
        self.0.taken.lock().unwrap_or_else(PoisonError::into_inner).contains(account.name())
    }

    /// Remembers what showing `account` came to.
    pub(in crate::api) fn shown(&self, account: &Account, outcome: Outcome) {
        let mut taken = self.0.taken.lock().unwrap_or_else(PoisonError::into_inner);
        match outcome {
            Outcome::Accepted => taken.insert(account.name().to_owned()),
            Outcome::Refused(_) => taken.remove(account.name()),
            Outcome::Unclear => false,
        };
    }

    pub(in crate::api) fn failures(&self, account: &Account) -> FailureCount {
        self.counts().get(account.name()).copied().unwrap_or(FailureCount::NONE)
    }

    /// Whether `account` may be tried. A clock that was set back does not prolong the wait beyond its usual length.
    pub(in crate::api) fn permit(&self, account: &Account, most: u32, now: Timestamp) -> LoginDecision {
        match self.counts().get_mut(account.name()) {
            None => LoginDecision::Granted,
            Some(failures) => {
                failures.last = failures.last.min(now);
                failures.permit(most, now)
            }
        }
    }

    /// Counts a login of `account` before it is made, as refused until [`LoginFailureLog::settle`] corrects that.
    ///
    /// # Errors
    /// When it could not be written down; it is not counted then.
    pub(in crate::api) async fn tried(&self, account: &Account, now: Timestamp) -> Result<(), String> {
        let failures = self.failures(account).tried(now);
        (self.0.write)(account.name().to_owned(), Some(failures)).await?;
        self.counts().insert(account.name().to_owned(), failures);
        Ok(())
    }

    /// Takes in what a login came to, at once in memory; `before` is what held before it.
    pub(in crate::api) fn settle(
        &self,
        account: &Account,
        before: FailureCount,
        outcome: Outcome,
        now: Timestamp,
    ) -> Written {
        let next = match outcome {
            Outcome::Accepted => FailureCount::NONE,
            Outcome::Refused(cause) => before.tried(now).refused(now, cause),
            Outcome::Unclear => before,
        };
        let kept = (next != FailureCount::NONE).then_some(next);
        match kept {
            Some(failures) => self.counts().insert(account.name().to_owned(), failures),
            None => self.counts().remove(account.name()),
        };
        (self.0.write)(account.name().to_owned(), kept)
    }

    /// Takes in that a login was accepted after the refusals by the status page of `account`, where that is news.
    pub(in crate::api) fn clear_counted(&self, account: &Account) -> Option<Written> {
        let failures = {
            let mut counts = self.counts();
            let failures = counts.get_mut(account.name()).filter(|failures| failures.counted() > 0)?;
            failures.cleared = failures.refusals;
            *failures
        };
        Some((self.0.write)(account.name().to_owned(), Some(failures)))
    }

    /// The number of accounts that were hashed.
    #[cfg(test)]
    pub(crate) fn hashed(&self) -> usize {
        self.0.accounts.hashed()
    }

    fn counts(&self) -> MutexGuard<'_, HashMap<String, FailureCount>> {
        self.0.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for LoginFailureLog {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_tuple("LoginFailureLog").field(&*self.counts()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Passphrase;

    fn credentials(username: &str, password: &str) -> Credentials {
        Credentials {
            username: username.into(),
            password: Passphrase::try_new(password).expect("a password"),
            second: None,
        }
    }

    #[test]
    fn accounts_are_told_apart_by_place_name_and_secret() {
        let refusals = LoginFailureLog::in_memory();
        let account = |url: &str, name: &str, password: &str| {
            refusals.account(&Url::parse(url).expect("a URL"), &credentials(name, password)).name().to_owned()
        };
        let all = [
            account("https://esa1:6443", "monitor", "hunter2"),
            account("https://esa2:6443", "monitor", "hunter2"),
            account("https://esa1:6443", "monitor2", "hunter2"),
            account("https://esa1:6443", "monitor", "hunter3"),
        ];
        let distinct: std::collections::BTreeSet<_> = all.iter().collect();
        assert_eq!(distinct.len(), all.len());
        assert!(all.iter().all(|account| account.len() == 64 && !account.contains("hunter")));
        assert_eq!(all[0], account("https://esa1:6443/", "monitor", "hunter2"));
    }

    #[tokio::test]
    async fn what_is_on_its_way_is_written_before_it_is_known() {
        let written = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&written);
        let refusals = LoginFailureLog::new([7; 32], HashMap::new(), move |_, failures| {
            log.lock().expect("no panic").push(failures.map(|failures| (failures.refusals, failures.in_doubt)));
            Box::pin(std::future::ready(Ok(())))
        });
        let (account, now) = (Account::called("a"), Timestamp::from_secs(1_000));
        for outcome in [Outcome::Unclear, Outcome::Refused(RefusalCause::Password), Outcome::Unclear, Outcome::Accepted]
        {
            let before = refusals.failures(&account);
            refusals.tried(&account, now).await.expect("written");
            refusals.settle(&account, before, outcome, now).await.expect("written");
        }
        let expected = [
            Some((1, true)),
            None,
            Some((1, true)),
            Some((1, false)),
            Some((2, true)),
            Some((1, false)),
            Some((2, true)),
            None,
        ];
        assert_eq!(*written.lock().expect("no panic"), expected);
    }

    #[test]
    fn a_clock_that_was_set_back_costs_one_wait() {
        let failures = FailureCount { refusals: 1, last: Timestamp::from_secs(1 << 40), ..FailureCount::NONE };
        let refusals = LoginFailureLog::new([0; 32], HashMap::from([("a".into(), failures)]), |_, _| unreachable!());
        let (account, now) = (Account::called("a"), Timestamp::from_secs(1_000));
        let LoginDecision::Wait(wait) = refusals.permit(&account, 3, now) else { panic!("refused just now") };
        assert_eq!(refusals.permit(&account, 3, now + wait), LoginDecision::Granted);
    }

    #[tokio::test]
    async fn a_lost_history_is_written_for_every_account_before_it_is_forgotten() {
        let written = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&written);
        let known = FailureCount { refusals: 2, last: Timestamp::from_secs(7), ..FailureCount::NONE };
        let counts = HashMap::from([(EVERY_ACCOUNT.to_owned(), FailureCount::LOST), ("known".to_owned(), known)]);
        let refusals = LoginFailureLog::new([7; 32], counts, move |account, failures| {
            log.lock().expect("no panic").push((account, failures));
            Box::pin(std::future::ready(Ok(())))
        });
        let [known_account, new, later] = ["known", "new", "later"].map(Account::called);
        assert!(refusals.are_lost());
        let shared = new.clone();
        refusals.allow_one_login(vec![known_account.clone(), new.clone(), shared]).await.expect("written");
        assert!(!refusals.are_lost());
        let expected = [("new".to_owned(), Some(FailureCount::LOST)), (EVERY_ACCOUNT.to_owned(), None)];
        assert_eq!(*written.lock().expect("no panic"), expected);
        let counts = [&known_account, &new, &later].map(|account| refusals.failures(account));
        assert_eq!(counts, [known, FailureCount::LOST, FailureCount::NONE]);
        // A login that ends without a word on the account leaves the one attempt as it was.
        let now = Timestamp::from_secs(1_000);
        for (outcome, after) in [(Outcome::Unclear, FailureCount::LOST), (Outcome::Accepted, FailureCount::NONE)] {
            let before = refusals.failures(&new);
            refusals.tried(&new, now).await.expect("written");
            refusals.settle(&new, before, outcome, now).await.expect("written");
            assert_eq!(refusals.failures(&new), after);
        }
    }

    #[tokio::test]
    async fn a_lost_history_that_cannot_be_written_stays_for_the_next_start() {
        let forgotten = Arc::new(Mutex::new(false));
        let log = Arc::clone(&forgotten);
        let counts = HashMap::from([(EVERY_ACCOUNT.to_owned(), FailureCount::LOST)]);
        let refusals = LoginFailureLog::new([7; 32], counts, move |account, _| {
            let is_mark = account == EVERY_ACCOUNT;
            *log.lock().expect("no panic") |= is_mark;
            Box::pin(std::future::ready(if is_mark { Ok(()) } else { Err("no space".into()) }))
        });
        let account = Account::called("a");
        assert_eq!(refusals.allow_one_login(vec![account.clone()]).await, Err("no space".into()));
        assert!(!*forgotten.lock().expect("no panic"));
        assert_eq!(refusals.failures(&account), FailureCount::LOST, "it holds in memory");
    }
}

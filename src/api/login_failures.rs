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

use self::breaker::{LoginDecision, RefusalCause, Tally};
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

/// In place of an account: its tally, where there is one, stands for those of all accounts that were lost with the
/// state.
pub const EVERY_ACCOUNT: &str = "*";

type Write = Box<dyn Fn(String, Option<Tally>) -> Written + Send + Sync>;

/// Refused logins by account. Clones share them.
#[derive(Clone)]
pub struct LoginFailureLog(Arc<Shared>);

struct Shared {
    accounts: Accounts,
    tallies: Mutex<HashMap<String, Tally>>,
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
    /// Goes on from `tallies`. `write` replaces the tally of an account, or forgets it where there is none, and its
    /// future ends once that would survive a power cut.
    #[must_use]
    pub fn new(
        salt: [u8; 32],
        tallies: HashMap<String, Tally>,
        write: impl Fn(String, Option<Tally>) -> Written + Send + Sync + 'static,
    ) -> Self {
        let (tallies, turns, taken) = (Mutex::new(tallies), Mutex::default(), Mutex::default());
        let accounts = Accounts::new(salt);
        Self(Arc::new(Shared { accounts, tallies, turns, taken, write: Box::new(write) }))
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
        let accounts: Vec<String> = self.tallies().drain().map(|(account, _)| account).collect();
        for account in accounts {
            (self.0.write)(account, None).await?;
        }
        Ok(())
    }

    /// Whether the tallies of before were lost, and it is still to be decided which accounts that concerns.
    #[must_use]
    pub fn are_lost(&self) -> bool {
        self.tallies().contains_key(EVERY_ACCOUNT)
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
            if let Entry::Vacant(unknown) = self.tallies().entry(account.clone()) {
                unknown.insert(Tally::LOST);
                writes.spawn((self.0.write)(account, Some(Tally::LOST)));
            }
        }
        self.tallies().remove(EVERY_ACCOUNT);
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

    pub(in crate::api) fn tally(&self, account: &Account) -> Tally {
        self.tallies().get(account.name()).copied().unwrap_or(Tally::NONE)
    }

    /// Whether `account` may be tried. A clock that was set back does not prolong the wait beyond its usual length.
    pub(in crate::api) fn permit(&self, account: &Account, most: u32, now: Timestamp) -> LoginDecision {
        match self.tallies().get_mut(account.name()) {
            None => LoginDecision::Granted,
            Some(tally) => {
                tally.last = tally.last.min(now);
                tally.permit(most, now)
            }
        }
    }

    /// Counts a login of `account` before it is made, as refused until [`LoginFailureLog::settle`] corrects that.
    ///
    /// # Errors
    /// When it could not be written down; it is not counted then.
    pub(in crate::api) async fn tried(&self, account: &Account, now: Timestamp) -> Result<(), String> {
        let tally = self.tally(account).tried(now);
        (self.0.write)(account.name().to_owned(), Some(tally)).await?;
        self.tallies().insert(account.name().to_owned(), tally);
        Ok(())
    }

    /// Takes in what a login came to, at once in memory; `before` is what held before it.
    pub(in crate::api) fn settle(&self, account: &Account, before: Tally, outcome: Outcome, now: Timestamp) -> Written {
        let next = match outcome {
            Outcome::Accepted => Tally::NONE,
            Outcome::Refused(cause) => before.tried(now).refused(now, cause),
            Outcome::Unclear => before,
        };
        let kept = (next != Tally::NONE).then_some(next);
        match kept {
            Some(tally) => self.tallies().insert(account.name().to_owned(), tally),
            None => self.tallies().remove(account.name()),
        };
        (self.0.write)(account.name().to_owned(), kept)
    }

    /// Takes in that a login was accepted after the refusals by the status page of `account`, where that is news.
    pub(in crate::api) fn make_up(&self, account: &Account) -> Option<Written> {
        let tally = {
            let mut tallies = self.tallies();
            let tally = tallies.get_mut(account.name()).filter(|tally| tally.counted() > 0)?;
            tally.made_up = tally.refusals;
            *tally
        };
        Some((self.0.write)(account.name().to_owned(), Some(tally)))
    }

    /// The number of accounts that were hashed.
    #[cfg(test)]
    pub(crate) fn hashed(&self) -> usize {
        self.0.accounts.hashed()
    }

    fn tallies(&self) -> MutexGuard<'_, HashMap<String, Tally>> {
        self.0.tallies.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for LoginFailureLog {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_tuple("LoginFailureLog").field(&*self.tallies()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Passphrase;

    fn credentials(username: &str, password: &str) -> Credentials {
        Credentials { username: username.into(), password: Passphrase::new(password), second: None }
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
        let refusals = LoginFailureLog::new([7; 32], HashMap::new(), move |_, tally| {
            log.lock().expect("no panic").push(tally.map(|tally| (tally.refusals, tally.in_doubt)));
            Box::pin(std::future::ready(Ok(())))
        });
        let (account, now) = (Account::called("a"), Timestamp::from_secs(1_000));
        for outcome in [Outcome::Unclear, Outcome::Refused(RefusalCause::Password), Outcome::Unclear, Outcome::Accepted]
        {
            let before = refusals.tally(&account);
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
        let tally = Tally { refusals: 1, last: Timestamp::from_secs(1 << 40), ..Tally::NONE };
        let refusals = LoginFailureLog::new([0; 32], HashMap::from([("a".into(), tally)]), |_, _| unreachable!());
        let (account, now) = (Account::called("a"), Timestamp::from_secs(1_000));
        let LoginDecision::Wait(wait) = refusals.permit(&account, 3, now) else { panic!("refused just now") };
        assert_eq!(refusals.permit(&account, 3, now + wait), LoginDecision::Granted);
    }

    #[tokio::test]
    async fn a_lost_history_is_written_for_every_account_before_it_is_forgotten() {
        let written = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&written);
        let known = Tally { refusals: 2, last: Timestamp::from_secs(7), ..Tally::NONE };
        let tallies = HashMap::from([(EVERY_ACCOUNT.to_owned(), Tally::LOST), ("known".to_owned(), known)]);
        let refusals = LoginFailureLog::new([7; 32], tallies, move |account, tally| {
            log.lock().expect("no panic").push((account, tally));
            Box::pin(std::future::ready(Ok(())))
        });
        let [known_account, new, later] = ["known", "new", "later"].map(Account::called);
        assert!(refusals.are_lost());
        let shared = new.clone();
        refusals.allow_one_login(vec![known_account.clone(), new.clone(), shared]).await.expect("written");
        assert!(!refusals.are_lost());
        let expected = [("new".to_owned(), Some(Tally::LOST)), (EVERY_ACCOUNT.to_owned(), None)];
        assert_eq!(*written.lock().expect("no panic"), expected);
        let tallies = [&known_account, &new, &later].map(|account| refusals.tally(account));
        assert_eq!(tallies, [known, Tally::LOST, Tally::NONE]);
        // A login that ends without a word on the account leaves the one attempt as it was.
        let now = Timestamp::from_secs(1_000);
        for (outcome, after) in [(Outcome::Unclear, Tally::LOST), (Outcome::Accepted, Tally::NONE)] {
            let before = refusals.tally(&new);
            refusals.tried(&new, now).await.expect("written");
            refusals.settle(&new, before, outcome, now).await.expect("written");
            assert_eq!(refusals.tally(&new), after);
        }
    }

    #[tokio::test]
    async fn a_lost_history_that_cannot_be_written_stays_for_the_next_start() {
        let forgotten = Arc::new(Mutex::new(false));
        let log = Arc::clone(&forgotten);
        let tallies = HashMap::from([(EVERY_ACCOUNT.to_owned(), Tally::LOST)]);
        let refusals = LoginFailureLog::new([7; 32], tallies, move |account, _| {
            let is_mark = account == EVERY_ACCOUNT;
            *log.lock().expect("no panic") |= is_mark;
            Box::pin(std::future::ready(if is_mark { Ok(()) } else { Err("no space".into()) }))
        });
        let account = Account::called("a");
        assert_eq!(refusals.allow_one_login(vec![account.clone()]).await, Err("no space".into()));
        assert!(!*forgotten.lock().expect("no panic"));
        assert_eq!(refusals.tally(&account), Tally::LOST, "it holds in memory");
    }
}

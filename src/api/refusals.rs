//! Refused logins of every account, so that neither a restart nor an edit burns another attempt. Told where to write them
//! down; an account is known by a salted hash of its place, name and secret, so that another secret begins at zero and
//! what is written holds none.

use std::collections::{HashMap, HashSet};
use std::fmt::{self, Write as _};
use std::num::NonZeroU32;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use ring::pbkdf2;
use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};
use url::Url;

use super::breaker::{Permit, Tally};
use crate::clock::Timestamp;
use crate::config::Credentials;
use crate::secret::Secret;

/// A few milliseconds for us once, a hundred thousand times as long as a plain hash for who has the file and guesses.
const ROUNDS: NonZeroU32 = NonZeroU32::new(10_000).expect("not zero");

/// How soon after a refusal to look whether the password's file has changed, which costs nobody anything.
pub(super) const LOOK_AGAIN: Duration = Duration::from_secs(30);

/// The end of a write: an error tells why it was none.
pub type Written = Pin<Box<dyn Future<Output = Result<(), String>> + Send>>;

type Write = Box<dyn Fn(String, Option<Tally>) -> Written + Send + Sync>;

/// Refused logins by account. Clones share them.
#[derive(Clone)]
pub struct Refusals(Arc<Shared>);

struct Shared {
    salt: [u8; 32],
    tallies: Mutex<HashMap<String, Tally>>,
    /// Who makes a login of an account now. An account may be that of several appliances, where an identity provider has
    /// it, and they must not all try what the first is about to see refused.
    turns: Mutex<HashMap<String, Weak<AsyncMutex<()>>>>,
    /// Accounts of proxies that were taken when they were last shown.
    taken: Mutex<HashSet<String>>,
    write: Write,
}

/// An account with one secret, as it is written down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Account(String);

/// What a login came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Accepted,
    Refused,
    /// No answer, or none about the account.
    Unclear,
}

impl Refusals {
    /// Goes on from `tallies`. `write` replaces the tally of an account, or forgets it where there is none, and its future
    /// ends once that would survive a power cut.
    #[must_use]
    pub fn new(
        salt: [u8; 32],
        tallies: HashMap<String, Tally>,
        write: impl Fn(String, Option<Tally>) -> Written + Send + Sync + 'static,
    ) -> Self {
        let (tallies, turns, taken) = (Mutex::new(tallies), Mutex::default(), Mutex::default());
        Self(Arc::new(Shared { salt, tallies, turns, taken, write: Box::new(write) }))
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

    pub(super) fn account(&self, url: &Url, credentials: &Credentials) -> Account {
        let Credentials { username, password, second } = credentials;
        // Neither a URL nor a name has control characters in it, and a secret that has them costs nothing here.
        let second = second.as_ref().map_or("", |second| second.text.expose());
        let parting = if second.is_empty() { "" } else { "\u{1f}" };
        let password = password.text.expose();
        let whole = Secret::new(format!("{url}\u{1f}{username}\u{1f}{password}{parting}{second}"));
        let mut hash = [0; 32];
        pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, ROUNDS, &self.0.salt, whole.expose().as_bytes(), &mut hash);
        Account(hash.iter().fold(String::new(), |mut text, byte| {
            // Writing to a text does not fail.
            let _ = write!(text, "{byte:02x}");
            text
        }))
    }

    /// Waits until nobody else makes a login of `account`, and keeps others waiting until it is dropped.
    pub(super) async fn turn(&self, account: &Account) -> OwnedMutexGuard<()> {
        let turn = {
            let mut turns = self.0.turns.lock().unwrap_or_else(PoisonError::into_inner);
            turns.retain(|_, turn| turn.strong_count() > 0);
            let known = turns.get(&account.0).and_then(Weak::upgrade);
            known.unwrap_or_else(|| {
                let turn = Arc::new(AsyncMutex::new(()));
                turns.insert(account.0.clone(), Arc::downgrade(&turn));
                turn
            })
        };
        turn.lock_owned().await
    }

    /// Whether `account` was taken when it was last shown, as far as is known.
    pub(super) fn is_taken(&self, account: &Account) -> bool {
        self.0.taken.lock().unwrap_or_else(PoisonError::into_inner).contains(&account.0)
    }

    /// Remembers what showing `account` came to.
    pub(super) fn shown(&self, account: &Account, outcome: Outcome) {
        let mut taken = self.0.taken.lock().unwrap_or_else(PoisonError::into_inner);
        match outcome {
            Outcome::Accepted => taken.insert(account.0.clone()),
            Outcome::Refused => taken.remove(&account.0),
            Outcome::Unclear => false,
        };
    }

    pub(super) fn tally(&self, account: &Account) -> Tally {
        self.tallies().get(&account.0).copied().unwrap_or(Tally::NONE)
    }

    /// Whether `account` may be tried. A clock that was set back does not prolong the wait beyond its usual length.
    pub(super) fn permit(&self, account: &Account, most: u32, now: Timestamp) -> Permit {
        match self.tallies().get_mut(&account.0) {
            None => Permit::Granted,
            Some(tally) => {
                tally.last = tally.last.min(now);
                tally.permit(most, now)
            }
        }
    }

    /// Counts a login of `account` before it is made, as refused unless [`Refusals::settle`] tells otherwise.
    ///
    /// # Errors
    /// When it could not be written down; it is not counted then.
    pub(super) async fn tried(&self, account: &Account, now: Timestamp) -> Result<(), String> {
        let tally = self.tally(account).tried(now);
        (self.0.write)(account.0.clone(), Some(tally)).await?;
        self.tallies().insert(account.0.clone(), tally);
        Ok(())
    }

    /// Takes in what a login came to, at once in memory; `before` is what held before it.
    pub(super) fn settle(&self, account: &Account, before: Tally, outcome: Outcome, now: Timestamp) -> Written {
        let next = match outcome {
            Outcome::Accepted => Tally::NONE,
            Outcome::Refused => before.tried(now).refused(now),
            Outcome::Unclear => before,
        };
        let kept = (next.refusals > 0).then_some(next);
        match kept {
            Some(tally) => self.tallies().insert(account.0.clone(), tally),
            None => self.tallies().remove(&account.0),
        };
        (self.0.write)(account.0.clone(), kept)
    }

    fn tallies(&self) -> MutexGuard<'_, HashMap<String, Tally>> {
        self.0.tallies.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Refusals {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_tuple("Refusals").field(&*self.tallies()).finish()
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
        let refusals = Refusals::in_memory();
        let account = |url: &str, name: &str, password: &str| {
            refusals.account(&Url::parse(url).expect("a URL"), &credentials(name, password)).0
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
        let refusals = Refusals::new([7; 32], HashMap::new(), move |_, tally| {
            log.lock().expect("no panic").push(tally.map(|tally| (tally.refusals, tally.in_doubt)));
            Box::pin(std::future::ready(Ok(())))
        });
        let (account, now) = (Account("a".into()), Timestamp::from_secs(1_000));
        for outcome in [Outcome::Unclear, Outcome::Refused, Outcome::Unclear, Outcome::Accepted] {
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
        let tally = Tally { refusals: 1, last: Timestamp::from_secs(1 << 40), in_doubt: false };
        let refusals = Refusals::new([0; 32], HashMap::from([("a".into(), tally)]), |_, _| unreachable!());
        let (account, now) = (Account("a".into()), Timestamp::from_secs(1_000));
        let Permit::Wait(wait) = refusals.permit(&account, 3, now) else { panic!("refused just now") };
        assert_eq!(refusals.permit(&account, 3, now + wait), Permit::Granted);
    }
}

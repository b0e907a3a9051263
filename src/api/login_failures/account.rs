//! By what name an account is written down: a slow hash of its place, name and secret, which is made when it is needed
//! first and not before. A fleet of a thousand accounts takes seconds of processor time for theirs.

use std::collections::HashMap;
use std::fmt::{self, Write as _};
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

use ring::{hmac, pbkdf2};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use url::Url;

use crate::base::secret::Secret;
use crate::config::Credentials;

/// A few milliseconds for us once, a hundred thousand times as long as a plain hash for who has the file and guesses.
/// The file's keys are made with it, so another number would forget every refusal.
const ROUNDS: NonZeroU32 = NonZeroU32::new(10_000).expect("not zero");

/// Hashes that are made at once: with one, a second core stays free for who is asked something meanwhile.
const HASHES: usize = 1;

/// An account with one secret, as it is written down.
#[derive(Clone)]
pub(in crate::api) struct Account(Arc<Naming>);

struct Naming {
    salt: [u8; 32],
    /// The text to hash.
    whole: Secret,
    name: OnceLock<String>,
}

/// All accounts that are in use.
pub(super) struct Accounts {
    salt: [u8; 32],
    /// Many appliances may have one account, at a proxy or an identity provider: it is named once. Known here by a
    /// quick hash that never leaves the memory.
    known: Mutex<HashMap<[u8; 32], Weak<Naming>>>,
    quick: hmac::Key,
    hashes: Arc<Semaphore>,
}

impl Accounts {
    pub(super) fn new(salt: [u8; 32]) -> Self {
        let quick = hmac::Key::new(hmac::HMAC_SHA256, &salt);
        Self { salt, known: Mutex::default(), quick, hashes: Arc::new(Semaphore::new(HASHES)) }
    }

    pub(super) fn account(&self, url: &Url, credentials: &Credentials) -> Account {
        let Credentials { username, password, second } = credentials;
        // Neither a URL nor a name has control characters in it, and a secret that has them costs nothing here.
        let second = second.as_ref().map_or("", |second| second.text().expose());
        let parting = if second.is_empty() { "" } else { "\u{1f}" };
        let password = password.text().expose();
        let whole = Secret::new(format!("{url}\u{1f}{username}\u{1f}{password}{parting}{second}"));
        let mut mark = [0; 32];
        mark.copy_from_slice(hmac::sign(&self.quick, whole.expose().as_bytes()).as_ref());
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(naming) = known.get(&mark).and_then(Weak::upgrade) {
            return Account(naming);
        }
        // Only once there are twice as many: who adds a thousand must not look through them a thousand times.
        if known.len() == known.capacity() {
            known.retain(|_, naming| naming.strong_count() > 0);
        }
        let naming = Arc::new(Naming { salt: self.salt, whole, name: OnceLock::new() });
        known.insert(mark, Arc::downgrade(&naming));
        Account(naming)
    }

    #[cfg(test)]
    pub(super) fn hashed(&self) -> usize {
        let known = self.known.lock().expect("no panic");
        known.values().filter_map(Weak::upgrade).filter(|naming| naming.name.get().is_some()).count()
    }

    /// Makes the name of `account` on a thread that may compute.
    ///
    /// # Cancel safety
    /// A hash that has begun is made to its end and keeps its place.
    pub(super) async fn name(&self, account: &Account) {
        if account.is_named() {
            return;
        }
        let Ok(place) = Arc::clone(&self.hashes).acquire_owned().await else { return };
        if account.is_named() {
            return;
        }
        let account = account.clone();
        let made = spawn_blocking(move || {
            account.name();
            drop(place);
        });
        // Where it was not made, the runtime ends.
        let _ = made.await;
    }
}

impl Account {
    /// The key of its record. Takes a few milliseconds the first time, unless [`Accounts::name`] has made it.
    pub(super) fn name(&self) -> &str {
        let Naming { salt, whole, name } = &*self.0;
        name.get_or_init(|| {
            let mut hash = [0; 32];
            pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, ROUNDS, salt, whole.expose().as_bytes(), &mut hash);
            hash.iter().fold(String::new(), |mut text, byte| {
                // Writing to a text does not fail.
                let _ = write!(text, "{byte:02x}");
                text
            })
        })
    }

    /// Whether its name was made.
    pub(in crate::api) fn is_named(&self) -> bool {
        self.0.name.get().is_some()
    }

    /// One that is written down by `name`.
    #[cfg(test)]
    pub(super) fn called(name: &str) -> Self {
        Self(Arc::new(Naming { salt: [0; 32], whole: Secret::new(""), name: OnceLock::from(name.to_owned()) }))
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_tuple("Account").field(&self.0.name.get()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Passphrase;

    fn credentials(second: Option<&str>) -> Credentials {
        let second = second.map(|text| Passphrase::try_new(text).expect("a password"));
        Credentials {
            username: "monitor".into(),
            password: Passphrase::try_new("hunter2").expect("a password"),
            second,
        }
    }

    fn url() -> Url {
        Url::parse("https://esa1:6443/").expect("a URL")
    }

    /// Computed by Python's `hashlib.pbkdf2_hmac`. What a state file holds is found by these.
    #[test]
    fn names_are_those_of_every_version() {
        let accounts = Accounts::new([7; 32]);
        for (second, expected) in [
            (None, "1360dcf0acf3ede30250c00c6aac7fd5f6459273b86c2387611e8eab71625987"),
            (Some("second"), "b861a958d9c90c797cc8e8ef2040fde7b8d8adf89a1d8ebda2e7eebbde8dca20"),
        ] {
            assert_eq!(accounts.account(&url(), &credentials(second)).name(), expected);
        }
    }

    #[test]
    fn one_account_is_hashed_once_whoever_asks() {
        let accounts = Accounts::new([7; 32]);
        let [one, same] = [(); 2].map(|()| accounts.account(&url(), &credentials(None)));
        let other = accounts.account(&url(), &credentials(Some("second")));
        assert_eq!(accounts.hashed(), 0);
        one.name();
        assert!(same.is_named() && !other.is_named());
        drop((one, same));
        assert_eq!(accounts.hashed(), 0, "nobody has it any more");
        for number in 0..1000 {
            let mut credentials = credentials(None);
            credentials.username = format!("user{number}");
            accounts.account(&url(), &credentials);
        }
        let kept = accounts.known.lock().expect("no panic").len();
        assert!(kept < 100, "{kept} accounts that nobody has are remembered");
    }

    #[tokio::test]
    async fn no_hash_is_made_on_the_threads_that_serve() {
        let accounts = Accounts::new([7; 32]);
        let account = accounts.account(&url(), &credentials(None));
        let place = accounts.hashes.acquire().await.expect("open");
        let mut naming = std::pin::pin!(accounts.name(&account));
        tokio::select! {
            biased;
            () = &mut naming => panic!("made by who asked"),
            () = tokio::task::yield_now() => assert!(!account.is_named()),
        }
        drop(place);
        naming.await;
        assert!(account.is_named());
    }
}

//! Users and their passwords, by HTTP's basic authentication. A check costs what bcrypt costs, for users that exist and
//! for those that do not, and a verdict is remembered, so that a scrape each second does not cost a check each.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;
use ring::rand::SystemRandom;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use crate::base::secret::Secret;

/// Checks at once. Each takes a core for a tenth of a second and more; who guesses must not have all of them, nor all
/// threads for blocking work.
const CHECKS: usize = 2;

/// Verdicts of one kind that are remembered, the oldest given up first. Good ones and bad ones apart, so that who
/// guesses cannot push out who knows.
const REMEMBERED: usize = 64;

/// Who is let in.
pub(super) struct Users {
    hashes: BTreeMap<String, Secret>,
    /// Checked in place of the hash that an unknown user does not have: the dearest there is.
    stand_in: Secret,
    /// Random in each process and never leaves it, so that a remembered verdict reveals nothing about a password.
    key: hmac::Key,
    verdicts: Mutex<Verdicts>,
    checks: Arc<Semaphore>,
}

#[derive(Default)]
struct Verdicts {
    good: VecDeque<[u8; 32]>,
    bad: VecDeque<[u8; 32]>,
}

impl Users {
    /// Lets in who knows the password of one of `hashes`; none where there is no user, so that everybody is welcome.
    ///
    /// # Errors
    /// When the system provides no random bytes.
    pub(super) fn try_new(hashes: BTreeMap<String, Secret>) -> Result<Option<Self>, ring::error::Unspecified> {
        // The cost stands at the same place in every hash, in two digits.
        let Some(stand_in) = hashes.values().max_by_key(|hash| hash.expose().get(4..6).map(str::to_owned)).cloned()
        else {
            return Ok(None);
        };
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new())?;
        let checks = Arc::new(Semaphore::new(CHECKS));
        Ok(Some(Self { hashes, stand_in, key, verdicts: Mutex::default(), checks }))
    }

    /// Whether the header `Authorization`, as it came, is that of a user.
    ///
    /// # Cancel safety
    /// A check that has begun continues and keeps its place; its verdict is not remembered.
    pub(super) async fn admit(&self, authorization: Option<&[u8]>) -> bool {
        let Some((name, password)) = authorization.and_then(credentials) else { return false };
        let mark = self.mark(&name, &password);
        if let Some(verdict) = self.remembered(&mark) {
            return verdict;
        }
        let Ok(place) = Arc::clone(&self.checks).acquire_owned().await else { return false };
        // While this one waited, the same question may have been answered.
        if let Some(verdict) = self.remembered(&mark) {
            return verdict;
        }
        let known = self.hashes.get(&name);
        let hash = known.unwrap_or(&self.stand_in).clone();
        let check = spawn_blocking(move || {
            let matches = bcrypt::verify(password, hash.expose());
            drop(place);
            matches
        });
        let verdict = match check.await {
            Ok(Ok(matches)) => matches && known.is_some(),
            Ok(Err(_)) | Err(_) => {
                tracing::error!("password check failed");
                false
            }
        };
        self.remember(mark, verdict);
        verdict
    }

    /// The key under which the verdict on a name and a password is remembered.
    fn mark(&self, name: &str, password: &[u8]) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.key);
        context.update(&(name.len() as u64).to_le_bytes());
        context.update(name.as_bytes());
        context.update(password);
        context.sign().as_ref().try_into().unwrap_or_default()
    }

    fn remembered(&self, mark: &[u8; 32]) -> Option<bool> {
        let verdicts = self.verdicts();
        match (verdicts.good.contains(mark), verdicts.bad.contains(mark)) {
            (true, _) => Some(true),
            (false, true) => Some(false),
            (false, false) => None,
        }
    }

    fn remember(&self, mark: [u8; 32], verdict: bool) {
        let mut verdicts = self.verdicts();
        let marks = if verdict { &mut verdicts.good } else { &mut verdicts.bad };
        if marks.len() == REMEMBERED {
            marks.pop_front();
        }
        marks.push_back(mark);
    }

    fn verdicts(&self) -> MutexGuard<'_, Verdicts> {
        self.verdicts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The name and the password in a header such as `Basic dXNlcjpwYXNz`.
fn credentials(header: &[u8]) -> Option<(String, Vec<u8>)> {
    let (scheme, rest) = header.split_at_checked(6)?;
    if !scheme.eq_ignore_ascii_case(b"basic ") {
        return None;
    }
    let text = STANDARD.decode(rest.trim_ascii()).ok()?;
    let colon = text.iter().position(|byte| *byte == b':')?;
    let (name, password) = text.split_at(colon);
    Some((String::from_utf8(name.to_vec()).ok()?, password.get(1..)?.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The least that bcrypt has, so that tests are quick.
    const COST: u32 = 4;

    fn users() -> Users {
        let hash = bcrypt::hash("hunter2", COST).unwrap();
        Users::try_new(BTreeMap::from([("prometheus".to_owned(), Secret::new(hash))])).unwrap().unwrap()
    }

    fn header(pair: &str) -> Vec<u8> {
        format!("Basic {}", STANDARD.encode(pair)).into_bytes()
    }

    #[tokio::test]
    async fn only_the_right_pair_is_let_in_the_first_time_and_the_second() {
        let users = users();
        for _ in 0..2 {
            assert!(users.admit(Some(&header("prometheus:hunter2"))).await);
            for pair in ["prometheus:hunter3", "prometheus:", "prometheus", "nobody:hunter2", ":hunter2", ""] {
                assert!(!users.admit(Some(&header(pair))).await, "{pair}");
            }
        }
        assert!(!users.admit(None).await);
        for odd in ["", "Basic", "Basic ", "Basic !", "Bearer cHJvbWV0aGV1czpodW50ZXIy", "basic\u{e9}"] {
            assert!(!users.admit(Some(odd.as_bytes())).await, "{odd}");
        }
        let lower = String::from_utf8(header("prometheus:hunter2")).unwrap().replace("Basic", "basic");
        assert!(users.admit(Some(lower.as_bytes())).await, "the scheme has no case");
    }

    #[tokio::test]
    async fn who_guesses_does_not_push_out_who_knows() {
        let users = users();
        assert!(users.admit(Some(&header("prometheus:hunter2"))).await);
        for guess in 0..REMEMBERED + 10 {
            assert!(!users.admit(Some(&header(&format!("prometheus:{guess}")))).await);
        }
        let verdicts = users.verdicts();
        assert_eq!((verdicts.good.len(), verdicts.bad.len()), (1, REMEMBERED));
    }

    #[tokio::test]
    async fn a_verdict_that_is_remembered_needs_no_check() {
        let users = users();
        let right = header("prometheus:hunter2");
        assert!(users.admit(Some(&right)).await);
        let _all = users.checks.acquire_many(CHECKS as u32).await.unwrap();
        assert!(users.admit(Some(&right)).await);
    }

    #[tokio::test]
    async fn an_unknown_user_costs_what_a_known_one_costs() {
        let users = users();
        let all = users.checks.acquire_many(CHECKS as u32).await.unwrap();
        for pair in ["prometheus:hunter2", "prometheus:wrong", "nobody:hunter2", ":"] {
            let header = header(pair);
            tokio::select! {
                biased;
                verdict = users.admit(Some(&header)) => panic!("{pair}: {verdict} without a check"),
                () = std::future::ready(()) => {}
            }
        }
        drop(all);
        assert!(!users.admit(Some(&header("nobody:hunter2"))).await, "the hash in its place proves nothing");
    }

    #[test]
    fn nobody_to_let_in_means_that_nobody_is_asked() {
        assert!(Users::try_new(BTreeMap::new()).unwrap().is_none());
    }
}

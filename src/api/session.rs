//! The account's standing with the appliance: one token, renewed before it ends, obtained by one login whatever the
//! number of callers. Refused logins are bounded below the appliance's lock-out.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use url::Url;

use super::login::{self, ASSUMED_LIFE, Header, Life, Login, Proof};
use super::refusals::{Account, LOOK_AGAIN, Outcome, Refusals};
use super::transport::{Answer, Wire};
use super::{Event, Failure, Reason, RefusalCause, SystemRoots};
use crate::clock::{Tick, Timestamp};
use crate::config::{self, Auth, Credentials};

mod permission;

/// A token with less than this left is replaced by a login, if it lives ten times as long.
const LEAST_LEFT: Duration = Duration::from_secs(60);
/// Logins after a 401 that may follow each other at once: a revoked token is rare, a storm of them is a fault.
const RELOGIN_BURST: u32 = 3;
/// The pace of further ones.
const RELOGIN_PACE: Duration = Duration::from_secs(60);

/// What a request carries to be accepted.
#[derive(Clone, Debug)]
pub(super) struct Held {
    pub(super) header: Header,
    generation: u64,
    /// None for Basic, which does not end.
    life: Option<Life>,
}

/// What a 401 means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The token was no good: ask again with another.
    Retry,
    /// The account is good, yet not for this endpoint.
    NotAllowed,
    /// The account's password is refused.
    Refused,
    /// A new token was no better, or too many were no good of late.
    GiveUp,
}

#[derive(Debug)]
pub(super) struct Session {
    wire: Arc<Wire>,
    auth: Auth,
    login: Login,
    /// Where the account is.
    place: Url,
    /// Refusals that are bearable in a row.
    most_refusals: u32,
    refusals: Refusals,
    /// Held while a login is made, so that there is one.
    flight: tokio::sync::Mutex<()>,
    state: Mutex<State>,
}

#[derive(Clone, Debug)]
struct State {
    credentials: Credentials,
    account: Account,
    held: Option<Held>,
    generation: u64,
    /// Logins that have ended, well or not: tells a waiter that the one it waited for is over.
    attempts: u64,
    last_failure: Option<Failure>,
    /// Whether this account was accepted since we began.
    trusted: bool,
    /// Whether it was said that logins have stopped.
    told_blocked: bool,
    /// Whether the credential in hand is no worse than another: an endpoint took it, or another was refused like it.
    accepted: bool,
    /// Endpoints that have accepted this account.
    proven: HashSet<String>,
    /// Endpoints that are not for this account, as far as is known.
    forbidden: HashSet<String>,
    relogins: Option<(u32, Tick)>,
}

impl Session {
    /// # Errors
    /// As [`Login::try_new`].
    pub(super) fn try_new(
        wire: Arc<Wire>,
        appliance: &config::Appliance,
        roots: &SystemRoots,
        refusals: Refusals,
    ) -> Result<Self, Failure> {
        let (auth, credentials) = (appliance.auth.clone(), appliance.credentials.clone());
        let login = Login::try_new(&auth, roots, wire.timeout())?;
        let place = login.place(&appliance.url).clone();
        let state = State::new(refusals.account(&place, &credentials), credentials);
        let (flight, state) = (tokio::sync::Mutex::new(()), Mutex::new(state));
        let most_refusals = appliance.polling.max_login_refusals;
        Ok(Self { wire, auth, login, place, most_refusals, refusals, flight, state })
    }

    /// The account as its refusals are counted.
    pub(super) fn account(&self) -> Account {
        self.state().account.clone()
    }

    /// Goes on where `old` is, if it is of the same account.
    pub(super) fn take_over(&self, old: &Self) {
        let mut state = old.state().clone();
        {
            let own = self.state();
            if self.auth != old.auth || !own.credentials.are_those_of(&state.credentials) {
                return;
            }
            state.credentials = own.credentials.clone();
        }
        if let Some(life) = state.held.as_ref().and_then(|held| held.life) {
            self.wire.tell(Event::TokenExpires(life.expires));
        }
        *self.state() = state;
        self.tell_refusals();
    }

    /// A credential that is good for one more request. All callers wait for the same login and share its failure.
    ///
    /// # Errors
    /// When there is no token and the login failed or may not be tried yet.
    ///
    /// # Cancel safety
    /// Dropping the future of the caller that makes the login lets the next one make it; the dropped one counts as refused
    /// until one is accepted.
    pub(super) async fn credential(&self) -> Result<Held, Failure> {
        let seen = match self.usable() {
            Ok(held) => return Ok(held),
            Err(attempts) => attempts,
        };
        let _flight = self.flight.lock().await;
        let attempts = match self.usable() {
            Ok(held) => return Ok(held),
            Err(attempts) => attempts,
        };
        if attempts != seen
            && let Some(failure) = self.state().last_failure.clone()
        {
            return Err(failure);
        }
        self.look_again().await;
        let State { account, credentials, trusted, .. } = self.state().clone();
        let _turn = self.refusals.turn(&account).await;
        self.permit()?;
        let pass = self.wire.gate().pass().await;
        let before = self.refusals.tally(&account);
        self.announce(&account, trusted).await?;
        let outcome = self.login.make(&self.wire, pass, &credentials).await;
        let known = match &outcome {
            Ok(_) => Outcome::Accepted,
            Err(failed) if is_refusal(failed.failure.reason) => Outcome::Refused(failed.cause),
            Err(_) => Outcome::Unclear,
        };
        let written = self.refusals.settle(&account, before, known, self.wall());
        let held = self.ended(outcome.map_err(|failed| failed.failure));
        // What is not written is in doubt after a restart, and counts.
        let _ = written.await;
        held
    }

    /// The credential in hand if it is good for one more request.
    pub(super) fn at_hand(&self) -> Option<Held> {
        self.usable().ok()
    }

    /// Takes the token that an answer brings. It counts only if its request was made with the token in hand: an old
    /// request's answer must not bring back an old token.
    pub(super) fn renewed(&self, held: &Held, answer: &Answer) {
        let Some(token) = &answer.token else { return };
        let Some(next) = login::token_header(token) else { return };
        let life = Life::of(token, answer.arrival, ASSUMED_LIFE);
        {
            let mut state = self.state();
            if !self.login.is_renewed_by_answers() || state.generation != held.generation || state.held.is_none() {
                return;
            }
            state.hold(next, Some(life));
        }
        self.wire.tell(Event::TokenExpires(life.expires));
    }

    /// Remembers that `endpoint` took the credential.
    pub(super) fn accepted(&self, held: &Held, endpoint: &str) {
        let mut state = self.state();
        state.accepted |= state.generation == held.generation;
        if !state.proven.contains(endpoint) {
            state.proven.insert(endpoint.to_owned());
            state.forbidden.remove(endpoint);
        }
    }

    /// What a 401 from `endpoint` means, and forgets the credential where it is to blame and another may be had.
    ///
    /// The appliance says `Unauthorized.` both for a credential it does not know and for one whose role does not reach
    /// the endpoint, so what was accepted before decides; its other messages speak of the token.
    ///
    /// **Source:** published API log and PyJWT exception names in answers.
    pub(super) async fn rejected(&self, held: &Held, endpoint: &str, failure: &Failure, last_try: bool) -> Verdict {
        let verdict = self.verdict(held, endpoint, failure, last_try);
        if verdict == Verdict::Refused {
            let (now, account) = (self.wall(), self.state().account.clone());
            let refused = Outcome::Refused(RefusalCause::Password);
            let written = self.refusals.settle(&account, self.refusals.tally(&account), refused, now);
            // A write that fails is said by the store; memory has it.
            let _ = written.await;
            self.tell_refusals();
        }
        verdict
    }

    fn verdict(&self, held: &Held, endpoint: &str, failure: &Failure, last_try: bool) -> Verdict {
        let now = self.wire.time.clock().tick();
        let mut state = self.state();
        if state.generation != held.generation {
            return Verdict::Retry;
        }
        let blames_role = !failure.detail.ends_with("Error.");
        // A credential that was had for this very request is not too old, whether or not another endpoint took it.
        let is_good = state.accepted || last_try || state.forbidden.contains(endpoint);
        if blames_role && is_good && !state.proven.contains(endpoint) {
            state.forbidden.insert(endpoint.to_owned());
            state.accepted |= last_try;
            return Verdict::NotAllowed;
        }
        if !self.login.can_be_repeated() {
            state.held = None;
            return Verdict::Refused;
        }
        if last_try || !state.may_relogin(now) {
            return Verdict::GiveUp;
        }
        state.held = None;
        Verdict::Retry
    }

    /// What pages ask for that take the password alone.
    ///
    /// # Errors
    /// When the password cannot travel in a header.
    pub(super) fn basic(&self) -> Result<Header, Failure> {
        login::basic_header(&self.state().credentials)
    }

    /// The credential in hand while it has enough life left, else the number of logins so far.
    fn usable(&self) -> Result<Held, u64> {
        let now = self.wire.time.clock().tick();
        let state = self.state();
        match &state.held {
            Some(held) if held.life.is_none_or(|life| self.lasts(life, now)) => Ok(held.clone()),
            Some(_) | None => Err(state.attempts),
        }
    }

    /// Whether a token will outlive a request. Under a tenth of its life left is too little, but no more than a minute,
    /// or the time of a request where that is longer, is asked of a long one.
    fn lasts(&self, life: Life, now: Tick) -> bool {
        let least = (life.span / 10).min(LEAST_LEFT.max(self.wire.timeout()));
        life.ends.since(now) > least
    }

    fn ended(&self, outcome: Result<Proof, Failure>) -> Result<Held, Failure> {
        let mut state = self.state();
        state.attempts += 1;
        match outcome {
            Ok(Proof { header, life, is_tried }) => {
                state.trusted = true;
                state.last_failure = None;
                state.accepted = is_tried;
                let held = state.hold(header, life);
                drop(state);
                self.wire.tell(Event::LoggedIn);
                self.tell_refusals();
                if let Some(life) = life {
                    self.wire.tell(Event::TokenExpires(life.expires));
                }
                Ok(held)
            }
            Err(mut failure) => {
                if is_refusal(failure.reason) {
                    failure.retry_after = Some(LOOK_AGAIN);
                }
                state.last_failure = Some(failure.clone());
                drop(state);
                self.tell_refusals();
                self.wire.tell(Event::LoginFailed(failure.reason));
                Err(failure)
            }
        }
    }

    fn wall(&self) -> Timestamp {
        self.wire.time.clock().wall()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn new(account: Account, credentials: Credentials) -> Self {
        Self {
            credentials,
            account,
            held: None,
            generation: 0,
            attempts: 0,
            last_failure: None,
            trusted: false,
            told_blocked: false,
            accepted: false,
            proven: HashSet::new(),
            forbidden: HashSet::new(),
            relogins: None,
        }
    }

    fn hold(&mut self, header: Header, life: Option<Life>) -> Held {
        self.generation += 1;
        let held = Held { header, generation: self.generation, life };
        self.held = Some(held.clone());
        held
    }

    /// A bucket of [`RELOGIN_BURST`] logins that fills by one every [`RELOGIN_PACE`].
    fn may_relogin(&mut self, now: Tick) -> bool {
        let (left, since) = self.relogins.unwrap_or((RELOGIN_BURST, now));
        let gained = now.since(since).as_secs() / RELOGIN_PACE.as_secs();
        let gained = u32::try_from(gained).unwrap_or(RELOGIN_BURST).min(RELOGIN_BURST);
        let left = (left + gained).min(RELOGIN_BURST);
        let since = if left == RELOGIN_BURST { now } else { since + RELOGIN_PACE * gained };
        self.relogins = Some((left.saturating_sub(1), since));
        left > 0
    }
}

/// Whether a login that ended so may be one of those that lock the account.
fn is_refusal(reason: Reason) -> bool {
    matches!(reason, Reason::LoginRefused | Reason::TwoFactor)
}

#[cfg(test)]
mod tests;

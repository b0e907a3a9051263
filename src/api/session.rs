//! The login session with one appliance: one token, renewed before it expires, obtained by one login whatever the number of
//! callers. Refused logins are bounded below the appliance's lock-out.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use url::Url;

use crate::api::http::header::{Header, token_header};
use crate::api::http::transport::{Answer, Transport};
use crate::api::login_failures::{Account, LoginFailureLog, Outcome, PASSWORD_CHECK_INTERVAL};
use crate::api::{Event, Failure, Reason, SystemRoots, XmlStatus};
use crate::base::clock::{Tick, Timestamp};
use crate::config::{self, Auth, Credentials};

pub(super) mod login;
mod pace;
mod page;
mod permission;
mod unauthorized;

use login::{ASSUMED_LIFE, Credential, Identity, Login, TokenLifetime};
use pace::ReloginPace;
use unauthorized::Doubt;

/// A token with less than this left is replaced by a login, if its lifetime is at least ten times that.
const LEAST_LEFT: Duration = Duration::from_secs(60);

/// The credential that a request carries.
#[derive(Clone, Debug)]
pub(in crate::api) struct ActiveCredential {
    pub(in crate::api) header: Header,
    generation: u64,
    origin: Origin,
    /// None for Basic, which does not expire.
    life: Option<TokenLifetime>,
}

/// The origin of a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Origin {
    Login,
    /// With the answer to another request.
    Renewal,
}

/// The meaning of a 401.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::api) enum UnauthorizedAction {
    /// The token was invalid: repeat the request with another.
    Retry,
    /// The token renewed by an answer was invalid: repeat the request with the token of the login, which costs no login.
    FallBack,
    /// The account is valid, but not allowed to use this endpoint.
    NotAllowed,
    /// The account's password is refused.
    Refused,
    /// A new token was refused as well, or too many were refused recently.
    GiveUp,
}

#[derive(Debug)]
pub(in crate::api) struct Session {
    transport: Arc<Transport>,
    auth: Auth,
    login: Login,
    /// The server that owns the account.
    login_url: Url,
    /// Whether the appliance's serial number may be shown.
    shows_serial: bool,
    /// Consecutive refusals after which logins stop.
    most_refusals: u32,
    /// Whether a refused token is replaced by a login.
    may_log_in_again: bool,
    refusals: LoginFailureLog,
    /// Held while a login is made, so that there is only one.
    flight: tokio::sync::Mutex<()>,
    /// Held by a request that carries the password.
    one_at_a_time: tokio::sync::Mutex<()>,
    state: Mutex<State>,
}

#[derive(Clone, Debug)]
struct State {
    credentials: Credentials,
    account: Account,
    /// The account under which refusals of the status page are counted, if that page is requested.
    page_account: Option<Account>,
    credential: Option<ActiveCredential>,
    /// The outcome of the last login.
    logged_in_with: Option<ActiveCredential>,
    generation: u64,
    /// Completed logins, successful or not: a caller that waited compares it to see whether its login is over.
    attempts: u64,
    last_failure: Option<Failure>,
    /// Whether this account was accepted since the start.
    ever_logged_in: bool,
    /// Whether it was logged that logins have stopped.
    blocked_is_logged: bool,
    /// Whether another credential would be no better: an endpoint accepted this one, or refused another like it.
    accepted: bool,
    /// Endpoints that have accepted this account.
    working_endpoints: HashSet<String>,
    /// Endpoints that this account may not use, as far as is known.
    forbidden: HashSet<String>,
    /// Endpoints that have accepted this account before, and refused the token since.
    doubts: HashMap<String, Doubt>,
    /// Requests that were accepted.
    acceptances: u64,
    /// The newest credential that was accepted.
    newest_taken: u64,
    /// The login since which an endpoint was found to have become forbidden.
    role_changed: Option<u64>,
    pace: ReloginPace,
    suspicion_is_logged: bool,
    /// The token of the login that replaces a renewed one.
    fallback: Option<u64>,
    /// Whether this appliance rejects the tokens that it renews.
    renewals_fail: bool,
    /// Facts about the appliance from the newest token.
    identity: Option<Identity>,
}

impl Session {
    /// # Errors
    /// As [`Login::try_new`].
    pub(in crate::api) fn try_new(
        transport: Arc<Transport>,
        appliance: &config::Appliance,
        roots: &SystemRoots,
        refusals: LoginFailureLog,
    ) -> Result<Self, Failure> {
        let (auth, credentials) = (appliance.auth.clone(), appliance.credentials.clone());
        let login = Login::try_new(&auth, roots, transport.timeout())?;
        let login_url = login.login_url(&appliance.url).clone();
        let page_account = appliance
            .status_options
            .xml_status
            .as_ref()
            .map(|login_url| refusals.account(&XmlStatus::url(login_url), &credentials));
        let state = State { page_account, ..State::new(refusals.account(&login_url, &credentials), credentials) };
        let (flight, one_at_a_time, state) = (Default::default(), Default::default(), Mutex::new(state));
        let (most_refusals, shows_serial) = (appliance.polling.max_login_refusals.get(), appliance.serial);
        Ok(Self {
            transport,
            auth,
            login,
            login_url,
            shows_serial,
            most_refusals,
            may_log_in_again: true,
            refusals,
            flight,
            one_at_a_time,
            state,
        })
    }

    /// The account as its refusals are counted.
    pub(in crate::api) fn account(&self) -> Account {
        self.state().account.clone()
    }

    /// Reports a refused token instead of replacing it.
    pub(in crate::api) fn forbid_second_login(&mut self) {
        self.may_log_in_again = false;
    }

    /// Takes over the state of `old`, if it is for the same account: a reload must cost no login and forget no refusal.
    pub(in crate::api) fn inherit_from(&self, old: &Self) {
        let mut state = old.state().clone();
        {
            let own = self.state();
            if self.auth != old.auth || !own.credentials.are_those_of(&state.credentials) {
                return;
            }
            state.credentials = own.credentials.clone();
        }
        if let Some(life) = state.credential.as_ref().and_then(|credential| credential.life) {
            self.transport.notify(Event::TokenExpires(life.expires));
        }
        *self.state() = state;
        self.notify_refusals();
    }

    /// A credential that is valid for one more request. All callers wait for the same login and share its failure.
    ///
    /// # Errors
    /// When there is no token and the login failed or may not be tried yet.
    ///
    /// # Cancel safety
    /// Dropping the future of the caller that makes the login lets the next one make it; the dropped one counts as refused
    /// until one is accepted.
    pub(in crate::api) async fn credential(&self) -> Result<ActiveCredential, Failure> {
        let seen = match self.usable() {
            Ok(credential) => return Ok(credential),
            Err(attempts) => attempts,
        };
        let _flight = self.flight.lock().await;
        // Somebody else may have logged in while this caller waited for the lock.
        let attempts = match self.usable() {
            Ok(credential) => return Ok(credential),
            Err(attempts) => attempts,
        };
        // The login that this caller waited for has failed. Every caller would make its own otherwise, and an account
        // locks after a few refusals.
        if attempts != seen
            && let Some(failure) = self.state().last_failure.clone()
        {
            return Err(failure);
        }
        // Right before the login: a password that was corrected a second ago must not cost a refusal.
        self.reload_password().await;
        let State { account, credentials, ever_logged_in, page_account, .. } = self.state().clone();
        if let Some(page) = &page_account {
            self.refusals.name(page).await;
        }
        // Appliances may share an account, at an identity provider for example: each must see the refusals of the others.
        let _turn = self.refusals.turn(&account).await;
        self.permit()?;
        let permit = self.transport.rate_limiter().permit().await;
        let before = self.refusals.failures(&account);
        // Counted on disk as a refusal first: a crash during the login must not make it free.
        let announced = self.announce(&account).await;
        // An account that was accepted since the start is not at risk, so a full disk does not stop its polling.
        if !ever_logged_in {
            announced?;
        }
        let outcome = self.login.make(&self.transport, permit, &credentials).await;
        let known = match &outcome {
            Ok(_) => Outcome::Accepted,
            Err(failed) if is_refusal(failed.failure.reason) => Outcome::Refused(failed.cause),
            Err(_) => Outcome::Unclear,
        };
        let written = self.refusals.settle(&account, before, known, self.wall());
        let cleared =
            page_account.filter(|_| known == Outcome::Accepted).and_then(|page| self.refusals.clear_counted(&page));
        let credential = self.ended(outcome.map_err(|failed| failed.failure));
        // A result that is not written stays counted as a refusal after a restart, so the error can be ignored.
        let _ = written.await;
        if let Some(written) = cleared {
            let _ = written.await;
        }
        credential
    }

    /// A lock for the only request, where each carries the password itself: if that is wrong, all requests in flight would
    /// be refused at once, and an account is locked after a few.
    pub(in crate::api) async fn alone(&self) -> Option<tokio::sync::MutexGuard<'_, ()>> {
        if self.login.can_be_repeated() { None } else { Some(self.one_at_a_time.lock().await) }
    }

    /// The current credential if it is valid for one more request.
    pub(in crate::api) fn at_hand(&self) -> Option<ActiveCredential> {
        self.usable().ok()
    }

    /// Facts about the appliance from its tokens; the serial number only if the configuration wants it.
    pub(in crate::api) fn identity(&self) -> Option<Identity> {
        let identity = self.state().identity.clone()?;
        Some(if self.shows_serial { identity } else { Identity { serial: None, ..identity } })
    }

    /// Stores the token that an answer renews. It counts only if its request was made with the current token: the answer to
    /// an old request must not restore an old token.
    pub(in crate::api) fn renewed(&self, credential: &ActiveCredential, answer: &Answer) {
        let Some(token) = &answer.token else { return };
        let Some(next) = token_header(token) else { return };
        let life = TokenLifetime::of(token, answer.arrival, ASSUMED_LIFE);
        {
            let mut state = self.state();
            // While it is tested whether this appliance accepts renewed tokens, none is stored.
            let is_taken = self.login.is_renewed_by_answers()
                && !state.renewals_fail
                && state.fallback != Some(credential.generation)
                && state.credential.is_some();
            if !is_taken || state.generation != credential.generation {
                return;
            }
            state.hold(next, Some(life), Origin::Renewal);
            state.identity = Identity::of(token).or_else(|| state.identity.take());
        }
        self.transport.notify(Event::TokenExpires(life.expires));
    }

    /// Records that `endpoint` accepted the credential.
    pub(in crate::api) fn accepted(&self, credential: &ActiveCredential, endpoint: &str) {
        let mut state = self.state();
        state.accepted |= state.generation == credential.generation;
        state.acceptances += 1;
        state.newest_taken = state.newest_taken.max(credential.generation);
        state.doubts.remove(endpoint);
        if state.fallback.take_if(|fallback| *fallback == credential.generation).is_some() {
            state.renewals_fail = true;
            let host = self.login_url.host_str();
            tracing::warn!(host, "renewed tokens are rejected; using each login token until it expires");
        }
        if !state.working_endpoints.contains(endpoint) {
            state.working_endpoints.insert(endpoint.to_owned());
            state.forbidden.remove(endpoint);
        }
    }

    /// Whether an answer has shown that the appliance is the configured product: one to a login, or to another request.
    pub(in crate::api) fn has_met_product(&self) -> bool {
        matches!(self.login, Login::Jwt(_)) || !self.state().working_endpoints.is_empty()
    }

    /// The current credential while it is valid long enough, else the number of logins so far.
    fn usable(&self) -> Result<ActiveCredential, u64> {
        let now = self.transport.time.clock().tick();
        let state = self.state();
        match &state.credential {
            Some(credential) if credential.life.is_none_or(|life| self.lasts(life, now)) => Ok(credential.clone()),
            Some(_) | None => Err(state.attempts),
        }
    }

    /// Whether a token will outlive a request. It needs a tenth of its lifetime, but no more than a minute, or than the time
    /// limit of a request where that is longer: a share alone would discard hours of a long token.
    fn lasts(&self, life: TokenLifetime, now: Tick) -> bool {
        let least = (life.span / 10).min(LEAST_LEFT.max(self.transport.timeout()));
        life.ends.since(now) > least
    }

    fn ended(&self, outcome: Result<Credential, Failure>) -> Result<ActiveCredential, Failure> {
        let mut state = self.state();
        state.attempts += 1;
        match outcome {
            Ok(Credential { header, life, is_tried, identity }) => {
                // Replaced even by none: facts from an older token would be wrong after an upgrade.
                state.identity = identity;
                state.ever_logged_in = true;
                state.last_failure = None;
                state.accepted = is_tried;
                // A refused credential has been removed, so this one was replaced because of its age.
                if state.credential.is_some() {
                    state.pace.outlived();
                }
                state.pace.begin(self.transport.time.clock().tick());
                let credential = state.hold(header, life, Origin::Login);
                state.logged_in_with = Some(credential.clone());
                drop(state);
                self.transport.notify(Event::LoggedIn);
                self.notify_refusals();
                if let Some(life) = life {
                    self.transport.notify(Event::TokenExpires(life.expires));
                }
                Ok(credential)
            }
            Err(mut failure) => {
                if is_refusal(failure.reason) {
                    failure.retry_after = Some(PASSWORD_CHECK_INTERVAL);
                }
                state.last_failure = Some(failure.clone());
                drop(state);
                self.notify_refusals();
                self.transport.notify(Event::LoginFailed(failure.reason));
                Err(failure)
            }
        }
    }

    fn wall(&self) -> Timestamp {
        self.transport.time.clock().wall()
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
            page_account: None,
            credential: None,
            logged_in_with: None,
            generation: 0,
            attempts: 0,
            last_failure: None,
            ever_logged_in: false,
            blocked_is_logged: false,
            accepted: false,
            working_endpoints: HashSet::new(),
            forbidden: HashSet::new(),
            doubts: HashMap::new(),
            acceptances: 0,
            newest_taken: 0,
            role_changed: None,
            pace: ReloginPace::default(),
            suspicion_is_logged: false,
            fallback: None,
            renewals_fail: false,
            identity: None,
        }
    }

    fn hold(&mut self, header: Header, life: Option<TokenLifetime>, origin: Origin) -> ActiveCredential {
        self.generation += 1;
        let credential = ActiveCredential { header, generation: self.generation, origin, life };
        self.credential = Some(credential.clone());
        credential
    }
}

/// Whether a login that ended so may be one of those that lock the account.
fn is_refusal(reason: Reason) -> bool {
    matches!(reason, Reason::LoginRefused | Reason::TwoFactor)
}

#[cfg(test)]
mod tests;

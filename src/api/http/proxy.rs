//! The proxy before an appliance: what it is shown, and what its refusals mean. An account there may be locked like one
//! of the appliance's, and many appliances may stand behind one proxy, so its refusals are counted in the same way and
//! shared by all who use the account. Knows nothing of the appliance.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::OwnedMutexGuard;

use crate::api::http::header::basic_header;
use crate::api::login_failures::breaker::{FailureCount, LoginDecision, RefusalCause, rounded_up};
use crate::api::login_failures::{Account, LoginFailureLog, Outcome, PASSWORD_CHECK_INTERVAL};
use crate::api::{Cause, Failure, Reason};
use crate::base::clock::Clock;
use crate::config::{self, Credentials};

/// Refusals in a row after which the account is not shown any more: below the lock-out that directories usually have.
const MOST_REFUSALS: u32 = 3;
/// The prefix of the errors of `hyper_util`'s tunnel. The type is not public; `it::tls_egress` holds the words.
const TUNNEL: &str = "tunnel error: ";
/// The remedy where the proxy refuses our account.
const CORRECT: &str = "correct `proxy.username` or the proxy's password";

/// A proxy and how our account stands there.
#[derive(Debug)]
pub(in crate::api) struct ProxyClient {
    proxy: config::Proxy,
    account_state: Option<Mutex<ProxyAccountState>>,
    refusals: LoginFailureLog,
    clock: Clock,
}

#[derive(Clone, Debug)]
struct ProxyAccountState {
    credentials: Credentials,
    account: Account,
}

impl ProxyClient {
    pub(in crate::api) fn new(proxy: config::Proxy, refusals: LoginFailureLog, clock: Clock) -> Self {
        let account_state =
            proxy.credentials.clone().map(|credentials| ProxyAccountState::of(credentials, &proxy, &refusals));
        Self { account_state: account_state.map(Mutex::new), proxy, refusals, clock }
    }

    /// The account as its refusals are counted.
    pub(in crate::api) fn account(&self) -> Option<Account> {
        self.account_state().map(|account_state| account_state.account)
    }

    /// The proxy as the HTTP client is configured with it.
    ///
    /// # Errors
    /// When the password cannot be sent in an HTTP header.
    pub(in crate::api) fn proxy_config(&self) -> Result<reqwest::Proxy, Failure> {
        let config = reqwest::Proxy::all(self.proxy.url.clone())
            .map_err(|_| Failure::new(Reason::Proxy, "the proxy URL is not usable"))?;
        let Some(ProxyAccountState { credentials, .. }) = self.account_state() else { return Ok(config) };
        let (_, value) = basic_header(&credentials)
            .map_err(|_| Failure::new(Reason::ProxyRefused, "the proxy password cannot be sent in an HTTP header"))?;
        Ok(config.custom_http_auth(value))
    }

    /// Waits for the turn to find out whether the account is taken; none once it is known to be, or there is none.
    /// Without this, a fleet that begins with a wrong password would be refused as often as it has appliances.
    ///
    /// # Cancel safety
    /// Dropping the future gives up the place in the queue and nothing else.
    pub(in crate::api) async fn turn(&self) -> Option<OwnedMutexGuard<()>> {
        let ProxyAccountState { account, .. } = self.account_state()?;
        self.refusals.name(&account).await;
        if self.refusals.is_taken(&account) {
            return None;
        }
        let turn = self.refusals.turn(&account).await;
        (!self.refusals.is_taken(&account)).then_some(turn)
    }

    /// Takes the password that the file holds now, if the one in hand was refused. Whether it is another.
    pub(in crate::api) async fn reload_password(&self) -> bool {
        let Some(ProxyAccountState { credentials, account, .. }) = self.account_state() else { return false };
        if self.refusals.failures(&account).refusals == 0 {
            return false;
        }
        // A disk that hangs must not hold up a scrape.
        let Ok(Some(next)) = tokio::task::spawn_blocking(move || credentials.reread()).await else { return false };
        let next = ProxyAccountState::of(next, &self.proxy, &self.refusals);
        self.refusals.name(&next.account).await;
        if let Some(mut account_state) = self.lock() {
            *account_state = next;
        }
        tracing::info!(proxy = %self.proxy.url, "proxy password file changed; the next request uses it");
        true
    }

    /// Whether the account may be shown.
    ///
    /// # Errors
    /// When it was refused, and not long enough ago.
    pub(in crate::api) fn permit(&self) -> Result<(), Failure> {
        let Some(ProxyAccountState { account, .. }) = self.account_state() else { return Ok(()) };
        let (detail, span) = match self.refusals.permit(&account, MOST_REFUSALS, self.clock.wall()) {
            LoginDecision::Granted => return Ok(()),
            LoginDecision::Wait(span) => {
                let shown = rounded_up(span);
                (format!("the proxy rejected the credentials, next attempt in {shown}"), span)
            }
            LoginDecision::Blocked => {
                ("the proxy repeatedly rejected the credentials".to_owned(), PASSWORD_CHECK_INTERVAL)
            }
        };
        Err(Failure {
            retry_after: Some(span.min(PASSWORD_CHECK_INTERVAL)),
            ..Failure::new(Reason::ProxyRefused, detail).caused_by(Cause::remedy(CORRECT))
        })
    }

    /// Records the outcome of a request for the proxy account.
    pub(in crate::api) async fn record_outcome(&self, failure: Option<Reason>) {
        let Some(ProxyAccountState { account, .. }) = self.account_state() else { return };
        let failures = self.refusals.failures(&account);
        let outcome = match failure {
            Some(Reason::ProxyRefused) => Outcome::Refused(RefusalCause::Password),
            Some(Reason::Proxy | Reason::Dns | Reason::Connect | Reason::Timeout | Reason::Reset) => return,
            // Whatever the appliance says, or does to TLS, the proxy has let us through.
            Some(_) | None => Outcome::Accepted,
        };
        self.refusals.shown(&account, outcome);
        if matches!(outcome, Outcome::Refused(_)) || failures != FailureCount::NONE {
            let written = self.refusals.settle(&account, failures, outcome, self.clock.wall());
            // A write that fails is logged by the store; memory has it.
            let _ = written.await;
        }
        if self.refusals.failures(&account).is_blocked(MOST_REFUSALS) && !failures.is_blocked(MOST_REFUSALS) {
            tracing::error!(proxy = %self.proxy.url, "requests stopped: the proxy keeps rejecting the credentials");
        }
    }

    /// The failure of a request that the proxy answered with 407.
    pub(in crate::api) fn refusal(&self) -> Failure {
        let (detail, remedy) = match self.account_state {
            Some(_) => ("the proxy rejected the credentials (407)", CORRECT),
            None => ("the proxy requires authentication (407)", "set `proxy.username` and `proxy.password_file`"),
        };
        let failure = Failure::new(Reason::ProxyRefused, detail).caused_by(Cause::remedy(remedy));
        Failure { retry_after: Some(PASSWORD_CHECK_INTERVAL), ..failure }
    }

    /// The failure behind `error` if the proxy caused it; `direct` is how it reads without a proxy.
    pub(in crate::api) fn proxy_failure(&self, error: &reqwest::Error, direct: &Failure) -> Option<Failure> {
        let words = direct.detail.as_str();
        let url = self.proxy.url.as_str().trim_end_matches('/');
        let failure = |detail: String| Some(Failure::new(Reason::Proxy, detail));
        let Some((_, cause)) = words.split_once(TUNNEL) else {
            let is_open = error.url().is_some_and(|url| url.scheme() == "http");
            return if is_open && error.is_connect() && !error.is_timeout() {
                failure(format!("the proxy {url} cannot be reached: {words}"))
            } else {
                None
            };
        };
        match cause.split_once(": ").map_or((cause, ""), |(first, rest)| (first, rest)) {
            ("proxy authorization required", _) => Some(self.refusal()),
            ("failed to create underlying connection", why) => {
                failure(format!("the proxy {url} cannot be reached: {why}"))
            }
            ("unsuccessful", _) => failure(format!(
                "the proxy {url} did not open a tunnel to the appliance: it did not answer CONNECT with 200"
            )),
            (other, _) => failure(format!("the proxy {url} did not open a tunnel to the appliance: {other}")),
        }
    }

    fn account_state(&self) -> Option<ProxyAccountState> {
        self.lock().map(|account_state| account_state.clone())
    }

    fn lock(&self) -> Option<MutexGuard<'_, ProxyAccountState>> {
        self.account_state.as_ref().map(|account_state| account_state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl ProxyAccountState {
    fn of(credentials: Credentials, proxy: &config::Proxy, refusals: &LoginFailureLog) -> Self {
        Self { account: refusals.account(&proxy.url, &credentials), credentials }
    }
}

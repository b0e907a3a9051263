//! The way out to one appliance: the HTTP client that is one client identity, and the proxy before it where there is
//! one. Tells the failures on the way from those of the appliance. Knows nothing of the API.

use std::sync::{Mutex, PoisonError};

use reqwest::header::{ACCEPT, CONNECTION, HeaderMap, HeaderValue, USER_AGENT};
use tokio::sync::OwnedMutexGuard;
use url::Url;

use crate::api::http::proxy::ProxyClient;
use crate::api::http::setup::{self, HttpSetup, Scheme};
use crate::api::login_failures::Account;
use crate::api::{Event, Failure, Listener, LoginFailureLog, Reason, SystemRoots};
use crate::base::clock::Clock;
use crate::config::{self, Anchor};

/// Header lines of an answer; recorded ones have eleven.
const MOST_HEADERS: usize = 100;

const AGENT: &str = concat!("asyncos_exporter/", env!("CARGO_PKG_VERSION"));

/// The way to one appliance.
#[derive(Debug)]
pub(in crate::api) struct Connector {
    http_setup: HttpSetup,
    proxy: Option<ProxyClient>,
    /// Replaced when the proxy's password changes.
    client: Mutex<reqwest::Client>,
}

/// Leave to make one request.
pub(in crate::api) struct Route {
    http: reqwest::Client,
    /// Held while it is not known whether the proxy takes our account.
    turn: Option<OwnedMutexGuard<()>>,
}

impl Connector {
    pub(in crate::api) fn try_new(
        appliance: &config::Appliance,
        roots: &SystemRoots,
        clock: Clock,
        listener: &Listener,
        refusals: LoginFailureLog,
    ) -> Result<Self, Failure> {
        match appliance.trust.anchor {
            Anchor::Nothing => listener.notify(Event::VerificationDisabled),
            Anchor::System | Anchor::File(_) | Anchor::Fingerprint(_) => {}
        }
        let timeout = appliance.polling.timeout;
        let http_setup = HttpSetup::try_new(&appliance.trust, roots, listener.clone(), timeout, Some(&clock))?;
        let proxy = appliance.proxy.clone().map(|proxy| ProxyClient::new(proxy, refusals, clock));
        let client = Mutex::new(build(&http_setup, proxy.as_ref())?);
        Ok(Self { http_setup, proxy, client })
    }

    /// The account at the proxy, where there is one.
    pub(in crate::api) fn proxy_account(&self) -> Option<Account> {
        self.proxy.as_ref().and_then(ProxyClient::account)
    }

    /// The client, once nothing is in doubt about the proxy's account.
    ///
    /// # Errors
    /// While the proxy has refused the account and is left alone: nothing is sent then.
    ///
    /// # Cancel safety
    /// Dropping the future gives up the place in the queue and nothing else.
    pub(in crate::api) async fn route(&self) -> Result<Route, Failure> {
        let Some(proxy) = &self.proxy else { return Ok(Route { http: self.client(), turn: None }) };
        let turn = proxy.turn().await;
        if proxy.reload_password().await {
            let next = build(&self.http_setup, Some(proxy))?;
            *self.client.lock().unwrap_or_else(PoisonError::into_inner) = next;
        }
        proxy.permit()?;
        Ok(Route { http: self.client(), turn })
    }

    /// Sends `request`; the answer's body is still to be read.
    ///
    /// # Errors
    /// Why no answer came from the appliance.
    pub(in crate::api) async fn send(
        &self,
        route: &Route,
        request: reqwest::Request,
    ) -> Result<reqwest::Response, Failure> {
        let scheme = if request.url().scheme() == "http" { Scheme::Plain } else { Scheme::Tls };
        let outcome = self.http_setup.send(&route.http, request).await;
        match (outcome, &self.proxy) {
            (Ok(response), Some(proxy)) if response.status() == reqwest::StatusCode::PROXY_AUTHENTICATION_REQUIRED => {
                Err(proxy.refusal())
            }
            (Ok(response), _) => Ok(response),
            (Err((failure, error)), Some(proxy)) => Err(proxy.proxy_failure(&error, &failure).unwrap_or(failure)),
            (Err((failure, error)), None) => Err(match setup::connection_cause(&failure, &error, scheme) {
                Some(cause) => failure.caused_by(cause),
                None => failure,
            }),
        }
    }

    /// The body of an answer.
    ///
    /// # Errors
    /// As [`HttpSetup::body`].
    pub(in crate::api) async fn body(&self, response: reqwest::Response) -> Result<Vec<u8>, Failure> {
        self.http_setup.body(response).await
    }

    /// Records the outcome of a request, as far as it concerns the proxy: no failure where there was a response.
    pub(in crate::api) async fn ended(&self, route: Route, failure: Option<Reason>) {
        if let Some(proxy) = &self.proxy {
            proxy.record_outcome(failure).await;
        }
        drop(route.turn);
    }

    /// Whether what answers for `url` may be the proxy: without TLS between, it can speak in the appliance's place.
    pub(in crate::api) fn may_speak_for(&self, url: &Url) -> bool {
        self.proxy.is_some() && url.scheme() == "http"
    }

    fn client(&self) -> reqwest::Client {
        self.client.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// One client identity: the appliance binds its token to the bytes of `Accept`, `Host` and `User-Agent`.
fn build(http_setup: &HttpSetup, proxy: Option<&ProxyClient>) -> Result<reqwest::Client, Failure> {
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
    // Every recorded answer closes the connection; asking for it spares us connections that look alive.
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    let mut builder = http_setup
        .builder()?
        .default_headers(headers)
        .http1_max_headers(MOST_HEADERS)
        // A published client met answers whose header lines break the CR/LF rule.
        .http1_ignore_invalid_headers_in_responses(true)
        .http1_allow_spaces_after_header_name_in_responses(true)
        .http1_allow_obsolete_multiline_headers_in_responses(true);
    if let Some(proxy) = proxy {
        builder = builder.proxy(proxy.proxy_config()?);
    }
    builder.build().map_err(|error| setup::unbuilt(&error))
}

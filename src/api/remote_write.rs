//! Sends samples to a receiver of Prometheus remote write. Knows nothing of what is in a body.
//! **Source:** the Prometheus remote write specification 1.0.

use std::time::Duration;

use reqwest::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER, USER_AGENT};
use url::Url;

use crate::api::http::header::{retry_after, sensitive};
use crate::api::http::setup::HttpSetup;
use crate::api::{Failure, Listener, Reason, SystemRoots};
use crate::base::clock::Clock;
use crate::base::secret::Secret;
use crate::config::{Anchor, Backend, TlsVersion, Trust};

/// As Prometheus waits by default.
const TIMEOUT: Duration = Duration::from_secs(30);
/// Characters of an answer in an error.
const LONGEST_ANSWER: usize = 200;
const AGENT: &str = concat!("asyncos_exporter/", env!("CARGO_PKG_VERSION"));
const VERSION_HEADER: &str = "X-Prometheus-Remote-Write-Version";

/// The login at a receiver.
#[derive(Clone, Debug)]
pub enum RemoteWriteAuth {
    /// None.
    Open,
    /// A token.
    Bearer(Secret),
    /// A user name and a password.
    Basic(String, Secret),
}

/// Sends to one receiver.
#[derive(Debug)]
pub struct RemoteWriteClient {
    setup: HttpSetup,
    http: reqwest::Client,
    url: Url,
    auth: RemoteWriteAuth,
    clock: Clock,
}

impl RemoteWriteClient {
    /// A client of the receiver at `url`, if its certificate chains to the roots of the operating system.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn try_new(url: Url, auth: RemoteWriteAuth, roots: &SystemRoots, clock: Clock) -> Result<Self, Failure> {
        let trust = Trust {
            anchor: Anchor::System,
            server_name: None,
            identity: None,
            min_version: TlsVersion::Tls12,
            backend: Backend::Modern,
        };
        let setup = HttpSetup::try_new(&trust, roots, Listener::new(|_| {}), TIMEOUT, None)?;
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-protobuf"));
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("snappy"));
        headers.insert(VERSION_HEADER, HeaderValue::from_static("0.1.0"));
        headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
        let failure = |error: reqwest::Error| Failure::new(Reason::Tls, format!("cannot set up HTTP: {error}"));
        let http = setup.builder()?.default_headers(headers).build().map_err(failure)?;
        Ok(Self { setup, http, url, auth, clock })
    }

    /// Sends `body`, a compressed message; returns once the receiver has accepted it.
    ///
    /// # Errors
    /// [`Reason::Throttled`] and [`Reason::Unavailable`] where the receiver wants it again later, [`Reason::Declined`] where
    /// it does not, and why no answer came.
    ///
    /// # Cancel safety
    /// Dropping the future leaves open whether the body was accepted; sending it again changes nothing.
    pub async fn send(&self, body: Vec<u8>) -> Result<(), Failure> {
        let invalid =
            |error: reqwest::Error| Failure::new(Reason::Declined, format!("cannot build a request: {error}"));
        let request = self.http.post(self.url.clone()).body(body);
        let request = match &self.auth {
            RemoteWriteAuth::Open => request,
            RemoteWriteAuth::Bearer(token) => {
                let value = sensitive(&Secret::new(format!("Bearer {}", token.expose())));
                let unusable = || Failure::new(Reason::Declined, "the token cannot be sent in an HTTP header");
                request.header(AUTHORIZATION, value.ok_or_else(unusable)?)
            }
            RemoteWriteAuth::Basic(username, password) => request.basic_auth(username, Some(password.expose())),
        };
        let request = request.build().map_err(invalid)?;
        let response = self.setup.send(&self.http, request).await.map_err(|(failure, _)| failure)?;
        let status = response.status();
        if status.is_success() {
            return Ok(());
        }
        let pause = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
        let pause = pause.and_then(|value| retry_after(value, self.clock.wall()));
        let answer = self.setup.body(response).await.unwrap_or_default();
        let answer: String = String::from_utf8_lossy(&answer).trim().chars().take(LONGEST_ANSWER).collect();
        let reason = match status.as_u16() {
            429 => Reason::Throttled,
            500.. => Reason::Unavailable,
            _ => Reason::Declined,
        };
        let failure = Failure::new(reason, format!("status {}: {answer}", status.as_u16()));
        Err(Failure { retry_after: pause, ..failure })
    }
}

//! The HTTP client of one place: its TLS settings, its limits, and the meaning of its errors. Knows nothing of the API,
//! and of proxies only that there may be one.

use std::error::Error as _;
use std::time::Duration;

use reqwest::redirect;
use tokio::task::spawn_blocking;

use crate::api::http::encoding::Encoding;
#[cfg(feature = "legacy-tls")]
use crate::api::http::tls::Legacy;
use crate::api::http::tls::{self, Modern};
use crate::api::{Cause, Failure, Listener, Reason, SystemRoots};
use crate::base::clock::Clock;
use crate::config::{Backend, Trust};

/// A host that does not accept a connection in this time is down or behind a filter.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// The largest body that is read: a keyed report of 5,000 rows and 20 counters is about 4 MiB.
const LARGEST_BODY: usize = 8 << 20;

/// The settings of the clients of one place.
#[derive(Debug)]
pub(in crate::api) struct HttpSetup {
    tls: TlsBackend,
    timeout: Duration,
}

/// Who speaks TLS.
#[derive(Debug)]
enum TlsBackend {
    Modern(Box<Modern>),
    #[cfg(feature = "legacy-tls")]
    Legacy(Legacy),
}

impl HttpSetup {
    /// For a place that `trust` speaks of; `listener` hears of its certificates. With a `clock`, TLS sessions are resumed.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub(in crate::api) fn try_new(
        trust: &Trust,
        roots: &SystemRoots,
        listener: Listener,
        timeout: Duration,
        clock: Option<&Clock>,
    ) -> Result<Self, Failure> {
        let tls = match trust.backend {
            Backend::Modern => {
                let resumption = clock.map(|clock| (clock, timeout));
                TlsBackend::Modern(Box::new(tls::client(trust, roots, listener, resumption)?))
            }
            #[cfg(feature = "legacy-tls")]
            Backend::Legacy => TlsBackend::Legacy(Legacy::new(trust, listener)),
        };
        Ok(Self { tls, timeout })
    }

    /// A client that goes nowhere but where it is sent, and asks once. What the environment says of proxies is not
    /// heard.
    ///
    /// # Errors
    /// When OpenSSL cannot be set up.
    pub(in crate::api) fn builder(&self) -> Result<reqwest::ClientBuilder, Failure> {
        let builder = reqwest::Client::builder()
            .redirect(redirect::Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .pool_max_idle_per_host(0)
            // Before the whole request is too late, or nobody could tell a silent host from a slow one.
            .connect_timeout(CONNECT_TIMEOUT.min(self.timeout * 3 / 4))
            .timeout(self.timeout)
            .http1_only();
        match &self.tls {
            TlsBackend::Modern(modern) => Ok(builder.tls_backend_preconfigured(modern.config.clone())),
            #[cfg(feature = "legacy-tls")]
            TlsBackend::Legacy(legacy) => legacy.fit(builder),
        }
    }

    /// Sends `request` by `http`; the answer's body is still to be read.
    ///
    /// # Errors
    /// Why no answer came, with what only reqwest knows of it.
    pub(in crate::api) async fn send(
        &self,
        http: &reqwest::Client,
        request: reqwest::Request,
    ) -> Result<reqwest::Response, (Failure, reqwest::Error)> {
        self.tls.begin();
        let outcome = http.execute(request).await.inspect_err(|error| self.tls.failed(error));
        let response = outcome.map_err(|error| (self.classified(&error), error))?;
        self.tls.observe(&response);
        Ok(response)
    }

    /// The body of an answer, as it was before anybody encoded it. Where that is not known, an answer that is no
    /// success has none: its status says all that matters.
    ///
    /// # Errors
    /// When it does not come, cannot be read, or is larger than any report.
    pub(in crate::api) async fn body(&self, response: reqwest::Response) -> Result<Vec<u8>, Failure> {
        let (is_success, encoding) = (response.status().is_success(), Encoding::of(response.headers()));
        let body = self.raw_body(response).await?;
        match encoding {
            Ok(Encoding::Identity) => Ok(body),
            Ok(encoding) => {
                // It may grow a thousandfold, which takes milliseconds.
                let decoded = spawn_blocking(move || encoding.decoded(body, LARGEST_BODY)).await;
                decoded.unwrap_or_else(|_| Err(Failure::new(Reason::Reset, "the exporter ends")))
            }
            Err(_) if !is_success => Ok(Vec::new()),
            Err(failure) => Err(failure),
        }
    }

    async fn raw_body(&self, mut response: reqwest::Response) -> Result<Vec<u8>, Failure> {
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.classified(&error))? {
            if body.len() + chunk.len() > LARGEST_BODY {
                return Err(Failure::new(Reason::TooLarge, format!("the body is larger than {LARGEST_BODY} bytes")));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    /// The kind of a failure that brought no answer.
    fn classified(&self, error: &reqwest::Error) -> Failure {
        let text = chain(error);
        if let Some(failure) = self.tls.failure(error, &text) {
            return failure;
        }
        let reason = if error.is_timeout() {
            Reason::Timeout
        } else if text.contains("dns error") {
            Reason::Dns
        } else if error.is_connect() {
            Reason::Connect
        } else if find::<hyper::Error>(error).is_some_and(hyper::Error::is_parse) {
            Reason::Protocol
        } else {
            Reason::Reset
        };
        let host = || error.url().and_then(url::Url::host_str).unwrap_or_default().to_owned();
        let cause = match (reason, self.tls.suspicion()) {
            (Reason::Dns, _) => Cause::UnknownHost(host()),
            (_, Some(suspicion)) => suspicion,
            (_, None) => Cause::Unknown,
        };
        Failure::new(reason, text).caused_by(cause)
    }
}

impl TlsBackend {
    fn begin(&self) {
        match self {
            Self::Modern(modern) => modern.begin(),
            #[cfg(feature = "legacy-tls")]
            Self::Legacy(_) => {}
        }
    }

    #[cfg_attr(
        not(feature = "legacy-tls"),
        expect(unused_variables, reason = "rustls reports certificate errors itself")
    )]
    fn observe(&self, response: &reqwest::Response) {
        match self {
            Self::Modern(modern) => modern.answered(),
            #[cfg(feature = "legacy-tls")]
            Self::Legacy(legacy) => legacy.observe(response),
        }
    }

    /// A request was not answered.
    fn failed(&self, error: &reqwest::Error) {
        match self {
            Self::Modern(modern) if error.is_connect() || find::<rustls::Error>(error).is_some() => modern.broke(),
            Self::Modern(_) => {}
            #[cfg(feature = "legacy-tls")]
            Self::Legacy(_) => {}
        }
    }

    /// The meaning of an error of TLS, none for any other; `text` is its whole chain in words.
    #[cfg_attr(not(feature = "legacy-tls"), expect(unused_variables, reason = "OpenSSL's are known by their words"))]
    fn failure(&self, error: &reqwest::Error, text: &str) -> Option<Failure> {
        match self {
            Self::Modern(modern) => find::<rustls::Error>(error).map(|error| modern.error_hints.of(error)),
            #[cfg(feature = "legacy-tls")]
            Self::Legacy(_) => Legacy::of(text),
        }
    }

    fn suspicion(&self) -> Option<Cause> {
        match self {
            Self::Modern(modern) => modern.error_hints.suspicion(),
            #[cfg(feature = "legacy-tls")]
            Self::Legacy(_) => None,
        }
    }
}

/// Whether a request was sent over TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::api) enum Scheme {
    Plain,
    Tls,
}

/// The cause of the end of a connection to the appliance itself by `error`, where more is known than in `failure`.
pub(in crate::api) fn connection_cause(failure: &Failure, error: &reqwest::Error, scheme: Scheme) -> Option<Cause> {
    use std::io::ErrorKind::{ConnectionRefused, HostUnreachable, NetworkUnreachable, TimedOut};
    let kind = find::<std::io::Error>(error).map(std::io::Error::kind);
    match (failure.reason, kind) {
        (Reason::Connect, Some(ConnectionRefused)) => Some(Cause::ConnectionRefused),
        (Reason::Connect, Some(HostUnreachable | NetworkUnreachable | TimedOut)) => Some(Cause::NoConnection),
        (Reason::Timeout, _) if error.is_connect() => Some(Cause::NoConnection),
        (Reason::Reset | Reason::Protocol, _) if scheme == Scheme::Plain => Some(Cause::ExpectsTls),
        _ => None,
    }
}

/// Why there is no client of HTTP.
pub(in crate::api) fn unbuilt(error: &reqwest::Error) -> Failure {
    Failure::new(Reason::Tls, format!("cannot set up the HTTP client: {}", chain(error)))
}

/// The first error of type `T` in the chain below `error`.
fn find<T: std::error::Error + 'static>(error: &reqwest::Error) -> Option<&T> {
    std::iter::successors(error.source(), |error| below(*error)).find_map(|error| error.downcast_ref())
}

/// The error inside `error`. The source of an I/O error skips the one that it wraps, and the TLS library's is wrapped
/// twice.
fn below<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a (dyn std::error::Error + 'static)> {
    match error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
        Some(carried) => Some(carried),
        None => error.source(),
    }
}

/// The chain of causes without the URL, which the operator knows from the appliance's name.
fn chain(error: &reqwest::Error) -> String {
    let mut words = Vec::new();
    let mut next = error.source();
    while let Some(cause) = next {
        let text = cause.to_string();
        if words.last() != Some(&text) {
            words.push(text);
        }
        next = cause.source();
    }
    if words.is_empty() { "the request failed".into() } else { words.join(": ") }
}

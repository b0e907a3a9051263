//! Sends one request and reads one answer, within bounds. One client identity: the appliance binds its token to the
//! bytes of `Accept`, `Host` and `User-Agent`.

use std::error::Error as _;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{ACCEPT, CONNECTION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use reqwest::redirect;
use tokio::time::Instant;
use url::{Position, Url};

use super::gate::{Gate, Pass};
use super::login::{Header, is_header_text};
use super::time::ApplianceTime;
use super::{Event, Failure, Listener, Reason, SystemRoots, tls};
use crate::clock::{Clock, Timestamp};
use crate::config::{self, Product, Trust};
use crate::secret::Secret;

/// The largest body that is read: a keyed report of 5,000 rows and 20 counters is about 4 MiB.
const LARGEST_BODY: usize = 8 << 20;
/// A host that does not accept a connection in this time is down or behind a filter.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Header lines of an answer; recorded ones have eleven.
const MOST_HEADERS: usize = 100;
/// The longest message of the appliance that is repeated in a log.
const LONGEST_MESSAGE: usize = 200;

const AGENT: &str = concat!("asyncos_exporter/", env!("CARGO_PKG_VERSION"));
/// The answer's header with the next token. **Source:** API guide, authentication.
pub(super) const TOKEN_HEADER: HeaderName = HeaderName::from_static("jwttoken");

/// A client of HTTP that trusts what `trust` says, goes nowhere but where it is sent, and asks once.
pub(super) fn builder(
    trust: &Trust,
    roots: &SystemRoots,
    listener: Listener,
    timeout: Duration,
) -> Result<reqwest::ClientBuilder, Failure> {
    Ok(reqwest::Client::builder()
        .tls_backend_preconfigured(tls::client_config(trust, roots, listener)?)
        .redirect(redirect::Policy::none())
        .retry(reqwest::retry::never())
        .no_proxy()
        .pool_max_idle_per_host(0)
        .connect_timeout(CONNECT_TIMEOUT.min(timeout))
        .timeout(timeout)
        .http1_only())
}

/// Why there is no client of HTTP.
pub(super) fn unbuilt(error: &reqwest::Error) -> Failure {
    Failure::new(Reason::Tls, format!("cannot set up the HTTP client: {}", chain(error)))
}

/// The way to one appliance.
#[derive(Debug)]
pub(super) struct Wire {
    http: reqwest::Client,
    root: Url,
    timeout: Duration,
    listener: Listener,
    gate: Gate,
    pub(super) time: ApplianceTime,
}

impl Wire {
    pub(super) fn try_new(
        appliance: &config::Appliance,
        roots: &SystemRoots,
        clock: Clock,
        listener: Listener,
    ) -> Result<Self, Failure> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
        // Every recorded answer closes the connection; asking for it spares us connections that look alive.
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
        let timeout = appliance.polling.timeout;
        let http = builder(&appliance.trust, roots, listener.clone(), timeout)?
            .default_headers(headers)
            .http1_max_headers(MOST_HEADERS)
            // A published client met answers whose header lines break the CR/LF rule.
            .http1_ignore_invalid_headers_in_responses(true)
            .http1_allow_spaces_after_header_name_in_responses(true)
            .http1_allow_obsolete_multiline_headers_in_responses(true)
            .build()
            .map_err(|error| unbuilt(&error))?;
        let product = match appliance.product {
            Product::Esa => "esa",
            Product::Sma => "sma",
        };
        let mut root = appliance.url.clone();
        root.set_path(&format!("/{product}/api/v2.0/"));
        let gate = Gate::new(appliance.polling.requests_per_minute, clock.clone());
        Ok(Self { http, root, timeout, listener, gate, time: ApplianceTime::new(clock) })
    }

    /// Whether `other` leads to the same API.
    pub(super) fn is_to_where(&self, other: &Self) -> bool {
        self.root == other.root
    }

    /// What stands before every request.
    pub(super) fn gate(&self) -> &Gate {
        &self.gate
    }

    /// How long one request may take, from when it has passed the gate.
    pub(super) fn timeout(&self) -> Duration {
        self.timeout
    }

    /// `GET` of `path` with the credential in `header`; `endpoint` is what the request is called.
    ///
    /// # Errors
    /// When no complete answer came, whatever its status would have been.
    pub(super) async fn get(
        &self,
        pass: Pass<'_>,
        endpoint: &str,
        path: &str,
        parameters: &str,
        header: &Header,
    ) -> Result<Answer, Failure> {
        let url = self.url_of(path, parameters);
        let (name, value) = header;
        self.send(pass, endpoint, self.http.get(url).header(name, value)).await
    }

    /// `POST` of a JSON body, with the credential in `header` where there is one already.
    ///
    /// # Errors
    /// As [`Wire::get`].
    pub(super) async fn post(
        &self,
        pass: Pass<'_>,
        endpoint: &str,
        body: &Secret,
        header: Option<&Header>,
    ) -> Result<Answer, Failure> {
        let request = self.http.post(self.url(endpoint)).header(CONTENT_TYPE, "application/json");
        let request = header.into_iter().fold(request, |request, (name, value)| request.header(name, value));
        self.send(pass, endpoint, request.body(body.expose().to_owned())).await
    }

    /// Says that a request did not bring what it was made for.
    pub(super) fn failed(&self, reason: Reason) {
        self.tell(Event::Failed(reason));
    }

    pub(super) fn tell(&self, event: Event<'_>) {
        self.listener.tell(event);
    }

    /// What is asked for with `parameters` at `path` below the API's root, as it stands in the first line of a request.
    pub(super) fn target(&self, path: &str, parameters: &str) -> Arc<str> {
        self.url_of(path, parameters)[Position::BeforePath..].into()
    }

    fn url_of(&self, path: &str, parameters: &str) -> Url {
        let mut url = self.url(path);
        url.set_query((!parameters.is_empty()).then_some(parameters));
        url
    }

    fn url(&self, endpoint: &str) -> Url {
        let mut url = self.root.clone();
        url.set_path(&format!("{}{endpoint}", self.root.path()));
        url
    }

    async fn send(&self, pass: Pass<'_>, endpoint: &str, request: reqwest::RequestBuilder) -> Result<Answer, Failure> {
        Ok(Answer::new(self.measured(pass, endpoint, request).await?))
    }

    async fn measured(
        &self,
        mut pass: Pass<'_>,
        endpoint: &str,
        request: reqwest::RequestBuilder,
    ) -> Result<Raw, Failure> {
        pass.begin();
        let began = Instant::now();
        let outcome = self.receive(request).await;
        drop(pass);
        let code = outcome.as_ref().ok().map(|answer| answer.status);
        self.tell(Event::Request { endpoint, code, took: began.elapsed() });
        tracing::debug!(host = self.root.host_str(), endpoint, code, "request");
        outcome.inspect_err(|failure| self.failed(failure.reason))
    }

    /// `GET` of a page outside of the API, as bytes of whatever encoding, and the appliance's time.
    ///
    /// # Errors
    /// As [`Wire::get`], and what a status other than success means.
    pub(super) async fn page(
        &self,
        pass: Pass<'_>,
        endpoint: &str,
        url: Url,
        header: &Header,
    ) -> Result<(Vec<u8>, Timestamp), Failure> {
        let (name, value) = header;
        let request = self.http.get(url).header(name, value).header(ACCEPT, "*/*");
        let raw = self.measured(pass, endpoint, request).await?;
        let at = raw.at;
        if (200..300).contains(&raw.status) {
            return Ok((raw.body, at));
        }
        Answer::new(raw).checked().map(|answer| (answer.body().as_bytes().to_vec(), at))
    }

    async fn receive(&self, request: reqwest::RequestBuilder) -> Result<Raw, Failure> {
        let response = request.send().await.map_err(|error| classified(&error))?;
        let headers = response.headers();
        let text = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
        let date = text(&reqwest::header::DATE).and_then(http_date);
        if let Some(date) = date {
            self.time.hear(date);
        }
        let at = date.unwrap_or_else(|| self.time.now());
        let token = text(&TOKEN_HEADER).filter(|token| is_header_text(token)).map(Secret::new);
        let retry_after = text(&reqwest::header::RETRY_AFTER).and_then(|value| retry_after(value, at));
        let status = response.status().as_u16();
        let body = body(response).await?;
        Ok(Raw { status, body, at, token, retry_after })
    }
}

/// The whole body of `response`.
///
/// # Errors
/// When it does not come, or is larger than any report.
pub(super) async fn body(mut response: reqwest::Response) -> Result<Vec<u8>, Failure> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| classified(&error))? {
        if body.len() + chunk.len() > LARGEST_BODY {
            return Err(Failure::new(Reason::TooLarge, format!("the body is larger than {LARGEST_BODY} bytes")));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// A complete answer before its body is read as text.
struct Raw {
    status: u16,
    body: Vec<u8>,
    at: Timestamp,
    token: Option<Secret>,
    retry_after: Option<Duration>,
}

/// A complete answer of any status.
#[derive(Debug)]
pub(super) struct Answer {
    status: u16,
    /// May hold a token, hence out of reach of `Debug`.
    body: Secret,
    /// The appliance's clock.
    pub(super) at: Timestamp,
    /// The token of the answer's header.
    pub(super) token: Option<Secret>,
    retry_after: Option<Duration>,
}

impl Answer {
    fn new(raw: Raw) -> Self {
        let Raw { status, body, at, token, retry_after } = raw;
        // Names in a report may be in any encoding; a strange byte in one must not cost the numbers.
        let body = String::from_utf8_lossy(&body).trim_start_matches('\u{feff}').to_owned();
        Self { status, body: Secret::new(body), at, token, retry_after }
    }

    pub(super) fn body(&self) -> &str {
        self.body.expose()
    }

    /// The answer if its status is success.
    ///
    /// # Errors
    /// What the status means, with the appliance's message where it sends one.
    pub(super) fn checked(self) -> Result<Self, Failure> {
        let message = message(self.body());
        let reason = match (self.status, &message) {
            (200..=299, _) => return Ok(self),
            (300..=399, _) => Reason::Redirect,
            (401, _) => Reason::Unauthorized,
            (403, _) => Reason::NotAllowed,
            // Validation errors are 404 with a message. Without one it is not the API that speaks.
            (400 | 404 | 406, Some(_)) => Reason::Declined,
            (400 | 404 | 406, None) => Reason::NotJson,
            (429, _) => Reason::Throttled,
            (408 | 500..=599, _) => Reason::Unavailable,
            _ => Reason::Status,
        };
        let said = message.unwrap_or_else(|| "no message".into());
        let mut failure = Failure::new(reason, format!("status {}: {said}", self.status));
        failure.retry_after = self.retry_after;
        Err(failure)
    }
}

/// The message of the appliance's error body, cut and without control characters.
fn message(body: &str) -> Option<String> {
    message_in(&serde_json::from_str(body).ok()?)
}

/// As [`message`], of a body that is parsed already.
pub(super) fn message_in(json: &serde_json::Value) -> Option<String> {
    let message = json.get("error")?.get("message")?.as_str()?;
    Some(message.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).take(LONGEST_MESSAGE).collect())
}

fn http_date(text: &str) -> Option<Timestamp> {
    httpdate::parse_http_date(text.trim()).ok().map(Timestamp::from)
}

/// Seconds or a date. **Source:** RFC 9110 section 10.2.3.
fn retry_after(text: &str, now: Timestamp) -> Option<Duration> {
    let text = text.trim();
    text.parse().ok().map(Duration::from_secs).or_else(|| http_date(text).map(|until| until.since(now)))
}

/// The kind of a failure that brought no answer.
pub(super) fn classified(error: &reqwest::Error) -> Failure {
    if let Some(error) = find::<rustls::Error>(error) {
        return Failure::new(Reason::Tls, tls::advice(error));
    }
    let words = chain(error);
    let reason = if error.is_timeout() {
        Reason::Timeout
    } else if words.contains("dns error") {
        Reason::Dns
    } else if error.is_connect() {
        Reason::Connect
    } else if find::<hyper::Error>(error).is_some_and(hyper::Error::is_parse) {
        Reason::Protocol
    } else {
        Reason::Reset
    };
    Failure::new(reason, words)
}

/// The first error of type `T` in the chain below `error`.
fn find<T: std::error::Error + 'static>(error: &reqwest::Error) -> Option<&T> {
    std::iter::successors(error.source(), |error| below(*error)).find_map(|error| error.downcast_ref())
}

/// What `error` carries. The source of an I/O error skips what it wraps, and the TLS library's is wrapped in two.
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
        let said = cause.to_string();
        if words.last() != Some(&said) {
            words.push(said);
        }
        next = cause.source();
    }
    if words.is_empty() { "the request failed".into() } else { words.join(": ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Answer {
        Answer { status, body: Secret::new(body), at: Timestamp::from_secs(0), token: None, retry_after: None }
    }

    #[test]
    fn the_status_decides_and_404_needs_a_message() {
        let error = r#"{"error": {"message": "Not Found.", "code": "404", "explanation": "…"}}"#;
        let reason = |status, body| answer(status, body).checked().map_err(|failure| failure.reason).err();
        assert_eq!(reason(200, "<html>"), None);
        assert_eq!(reason(302, ""), Some(Reason::Redirect));
        assert_eq!(reason(400, error), Some(Reason::Declined));
        assert_eq!(reason(401, ""), Some(Reason::Unauthorized));
        assert_eq!(reason(403, ""), Some(Reason::NotAllowed));
        assert_eq!(reason(404, error), Some(Reason::Declined));
        assert_eq!(reason(404, "<html>"), Some(Reason::NotJson));
        assert_eq!(reason(418, ""), Some(Reason::Status));
        assert_eq!(reason(429, ""), Some(Reason::Throttled));
        assert_eq!(reason(502, "<html>"), Some(Reason::Unavailable));
        assert_eq!(answer(404, error).checked().unwrap_err().to_string(), "status 404: Not Found.");
    }

    #[test]
    fn messages_are_cut_and_cleaned() {
        let body = format!(r#"{{"error": {{"message": "a\nb{}"}}}}"#, "x".repeat(500));
        let said = message(&body).expect("a message");
        assert_eq!((said.len(), &said[..4]), (LONGEST_MESSAGE, "a bx"));
        assert_eq!(message(r#"{"error": "text"}"#), None);
    }

    #[test]
    fn retry_after_takes_seconds_and_dates() {
        let now = http_date("Mon, 23 Nov 2026 12:00:00 GMT").expect("a date");
        assert_eq!(retry_after("120", now), Some(Duration::from_secs(120)));
        assert_eq!(retry_after("Mon, 23 Nov 2026 12:00:30 GMT", now), Some(Duration::from_secs(30)));
        assert_eq!(retry_after("Mon, 23 Nov 2026 11:00:00 GMT", now), Some(Duration::ZERO));
        assert_eq!(retry_after("soon", now), None);
    }
}

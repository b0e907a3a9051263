//! Sends one request and reads one answer, within bounds.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderName, HeaderValue};
use reqwest::{Method, Request};
use tokio::time::Instant;
use url::{Position, Url};

use crate::api::http::connector::{Connector, Route};
use crate::api::http::encoding::text;
use crate::api::http::header::{Header, LOCKED, TOKEN_HEADER, http_date, is_header_text, retry_after, target};
use crate::api::http::rate_limiter::{Permit, RateLimiter};
use crate::api::login_failures::Account;
use crate::api::tap::{self, Answered, Tap};
use crate::api::time::{ApplianceTime, Arrival};
use crate::api::wire::json;
use crate::api::wire::refusal_message;
use crate::api::{Cause, Event, Failure, Listener, LoginFailureLog, Reason, SystemRoots};
use crate::base::clock::{Clock, Tick, Timestamp};
use crate::base::secret::Secret;
use crate::config::{self, Product};

/// The way to one appliance.
#[derive(Debug)]
pub(in crate::api) struct Transport {
    connector: Connector,
    root: Url,
    timeout: Duration,
    listener: Listener,
    pub(in crate::api) tap: OnceLock<Tap>,
    rate_limiter: RateLimiter,
    pub(in crate::api) time: ApplianceTime,
}

impl Transport {
    pub(in crate::api) fn try_new(
        appliance: &config::Appliance,
        roots: &SystemRoots,
        clock: Clock,
        listener: Listener,
        refusals: LoginFailureLog,
    ) -> Result<Self, Failure> {
        let connector = Connector::try_new(appliance, roots, clock.clone(), &listener, refusals)?;
        let product = match appliance.product {
            Product::Esa => "esa",
            Product::Sma => "sma",
        };
        let mut root = appliance.url.clone();
        root.set_path(&format!("/{product}/api/v2.0/"));
        let rate_limiter = RateLimiter::new(appliance.polling.requests_per_minute, clock.clone());
        let timeout = appliance.polling.timeout;
        let (time, tap) = (ApplianceTime::new(&appliance.name, clock), OnceLock::new());
        Ok(Self { connector, root, timeout, listener, tap, rate_limiter, time })
    }

    /// Whether `other` leads to the same API.
    pub(in crate::api) fn is_to_where(&self, other: &Self) -> bool {
        self.root == other.root
    }

    /// The limiter that admits every request.
    pub(in crate::api) fn rate_limiter(&self) -> &RateLimiter {
        &self.rate_limiter
    }

    /// The account at the proxy, where there is one.
    pub(in crate::api) fn proxy_account(&self) -> Option<Account> {
        self.connector.proxy_account()
    }

    /// The time limit of one request, from its admission by the limiter.
    pub(in crate::api) fn timeout(&self) -> Duration {
        self.timeout
    }

    /// `GET` of `path` with the credential in `header`; `endpoint` is what the request is called.
    ///
    /// # Errors
    /// When no complete answer came, whatever its status would have been.
    pub(in crate::api) async fn get(
        &self,
        permit: Permit<'_>,
        endpoint: &str,
        path: &str,
        parameters: &str,
        header: &Header,
    ) -> Result<Answer, Failure> {
        let (name, value) = header.clone();
        let mut request = Request::new(Method::GET, self.url_of(path, parameters));
        request.headers_mut().insert(name, value);
        self.send(permit, endpoint, request).await
    }

    /// `POST` of a JSON body, with the credential in `header` where there is one already.
    ///
    /// # Errors
    /// As [`Transport::get`].
    pub(in crate::api) async fn post(
        &self,
        permit: Permit<'_>,
        endpoint: &str,
        body: &Secret,
        header: Option<&Header>,
    ) -> Result<Answer, Failure> {
        let mut request = Request::new(Method::POST, self.url(endpoint));
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some((name, value)) = header.cloned() {
            request.headers_mut().insert(name, value);
        }
        *request.body_mut() = Some(body.expose().to_owned().into());
        self.send(permit, endpoint, request).await
    }

    /// Says that a request did not bring what it was made for.
    pub(in crate::api) fn failed(&self, reason: Reason) {
        self.notify(Event::Failed(reason));
    }

    pub(in crate::api) fn notify(&self, event: Event<'_>) {
        self.listener.notify(event);
    }

    /// The target of a request with `parameters` to `path` below the API's root, as in its first line.
    pub(in crate::api) fn target(&self, path: &str, parameters: &str) -> Arc<str> {
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

    async fn send(&self, permit: Permit<'_>, endpoint: &str, request: Request) -> Result<Answer, Failure> {
        let raw = self.measured(permit, endpoint, request).await?;
        let (date, tick) = (raw.date, raw.tick);
        let is_plain = self.root.scheme() == "http";
        let mut answer = Answer { is_of_the_api: true, is_plain, ..Answer::new(raw, &self.time) };
        if answer.is_the_apis_own() {
            answer.arrival = self.time.observe(date, tick);
        }
        Ok(answer)
    }

    async fn measured(&self, mut permit: Permit<'_>, endpoint: &str, request: Request) -> Result<Raw, Failure> {
        let route = self.connector.route().await?;
        let (method, url) = (request.method().clone(), request.url().clone());
        permit.begin();
        let began = Instant::now();
        let outcome = self.receive(&route, request).await;
        drop(permit);
        if let Some(tap) = self.tap.get() {
            let answer =
                outcome.as_ref().map(|raw| Answered { status: raw.status, headers: &raw.noted, body: &raw.body });
            tap.pass(method.as_str(), &url, answer.map_err(|failure| failure.reason), began.elapsed());
        }
        let code = outcome.as_ref().ok().map(|answer| answer.status);
        self.notify(Event::Request { endpoint, code, took: began.elapsed() });
        tracing::debug!(host = self.root.host_str(), endpoint, code, "request");
        self.connector.ended(route, outcome.as_ref().err().map(|failure| failure.reason)).await;
        let outcome = outcome.and_then(|answer| self.vouched(answer, &url));
        outcome.inspect_err(|failure| self.failed(failure.reason))
    }

    /// The answer unless it is a proxy's that speaks in the appliance's place, which does not do so in its form.
    fn vouched(&self, answer: Raw, url: &Url) -> Result<Raw, Failure> {
        let is_refusal = matches!(answer.status, 403 | 500..=599);
        if is_refusal
            && self.connector.may_speak_for(url)
            && json::message(&String::from_utf8_lossy(&answer.body)).is_none()
        {
            let detail = format!(
                "status {}, not in the appliance's format: it probably comes from the \
            proxy",
                answer.status
            );
            return Err(Failure::new(Reason::Proxy, detail));
        }
        Ok(answer)
    }

    /// `GET` of a page outside of the API, as bytes of whatever encoding, and the appliance's time. The page's own
    /// `Date` counts for nothing: it may be another server's.
    ///
    /// # Errors
    /// As [`Transport::get`], and what a status other than success means.
    pub(in crate::api) async fn page(
        &self,
        permit: Permit<'_>,
        endpoint: &str,
        url: Url,
        header: &Header,
    ) -> Result<(Vec<u8>, Timestamp), Failure> {
        let (name, value) = header.clone();
        let mut request = Request::new(Method::GET, url);
        request.headers_mut().insert(name, value);
        request.headers_mut().insert(ACCEPT, HeaderValue::from_static("*/*"));
        let raw = self.measured(permit, endpoint, request).await?;
        let at = self.time.now();
        if (200..300).contains(&raw.status) {
            return Ok((raw.body, at));
        }
        let is_locked = raw.status == LOCKED;
        let failure = Answer::new(raw, &self.time).checked().map(|answer| (answer.body().as_bytes().to_vec(), at));
        failure.map_err(|failure| if is_locked { failure.because(Reason::Unauthorized) } else { failure })
    }

    async fn receive(&self, route: &Route, request: Request) -> Result<Raw, Failure> {
        let asked = request.url().clone();
        let response = self.connector.send(route, request).await?;
        let headers = response.headers();
        let text = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
        let (date, tick) = (text(&reqwest::header::DATE).and_then(http_date), self.time.clock().tick());
        let token = text(&TOKEN_HEADER).filter(|token| is_header_text(token)).map(Secret::new);
        // Both times of one answer are by one clock, whoever's it is.
        let now = date.unwrap_or_else(|| self.time.now());
        let retry_after = text(&reqwest::header::RETRY_AFTER).and_then(|value| retry_after(value, now));
        let location = headers.get(reqwest::header::LOCATION);
        let target = location.and_then(|value| target(&asked, &String::from_utf8_lossy(value.as_bytes())));
        let status = response.status().as_u16();
        let noted = if self.tap.get().is_some() { tap::noted(headers) } else { Vec::new() };
        let body = match self.connector.body(response).await {
            // The status says enough where it is no success: a refused login counts whatever becomes of its page.
            Err(_) if !(200..300).contains(&status) => Vec::new(),
            body => body?,
        };
        Ok(Raw { status, body, date, tick, token, retry_after, target, noted })
    }
}

/// A complete answer before its body is read as text.
struct Raw {
    status: u16,
    body: Vec<u8>,
    date: Option<Timestamp>,
    /// When its head came.
    tick: Tick,
    token: Option<Secret>,
    retry_after: Option<Duration>,
    /// Where it points.
    target: Option<String>,
    /// The headers for the tap.
    noted: Vec<(&'static str, String)>,
}

/// A complete answer of any status.
#[derive(Debug)]
pub(in crate::api) struct Answer {
    status: u16,
    /// May hold a token, hence out of reach of `Debug`.
    body: Secret,
    pub(in crate::api) arrival: Arrival,
    /// The token of the answer's header.
    pub(in crate::api) token: Option<Secret>,
    retry_after: Option<Duration>,
    target: Option<String>,
    /// Whether it was the API that was asked.
    is_of_the_api: bool,
    /// Whether it came without TLS.
    is_plain: bool,
}

impl Answer {
    fn new(raw: Raw, time: &ApplianceTime) -> Self {
        let Raw { status, body, date, tick, token, retry_after, target, noted: _ } = raw;
        let (body, arrival) = (Secret::new(text(body)), time.pass_over(date, tick));
        Self { status, body, arrival, token, retry_after, target, is_of_the_api: false, is_plain: false }
    }

    /// Whether it is in a form of the API: only then is its `Date` the appliance's. A proxy, a load balancer, or the
    /// server library of the appliance itself sends a redirect or a page. Whether the JSON is whole is for its reader.
    pub(in crate::api) fn is_the_apis_own(&self) -> bool {
        let body = self.body().trim();
        match self.status {
            200..=299 => body.starts_with('{') && body.ends_with('}'),
            400..=599 => json::message(body).is_some(),
            _ => false,
        }
    }

    /// Whether it is the answer to a request of nobody: for one, to a login of the other product.
    ///
    /// **Source:** published API log: 401 `Unauthorized.` without credentials, 404 `Not Found.` for an unknown path. That a
    /// login of the other product is answered so is assumed.
    pub(in crate::api) fn is_to_unknown_login(&self) -> bool {
        let message = json::message(self.body());
        matches!((self.status, message.as_deref()), (401, Some("Unauthorized.")) | (404, Some("Not Found.")))
    }

    pub(in crate::api) fn status(&self) -> u16 {
        self.status
    }

    pub(in crate::api) fn body(&self) -> &str {
        self.body.expose().trim_start_matches('\u{feff}')
    }

    /// A success without a body that brings `token`.
    #[cfg(test)]
    pub(in crate::api) fn with_token(token: Secret, arrival: Arrival) -> Self {
        Self { token: Some(token), ..Self::bare(200, "", arrival) }
    }

    #[cfg(test)]
    fn bare(status: u16, body: &str, arrival: Arrival) -> Self {
        let (token, retry_after, target) = (None, None, None);
        Self {
            status,
            body: Secret::new(body),
            arrival,
            token,
            retry_after,
            target,
            is_of_the_api: true,
            is_plain: false,
        }
    }

    /// The answer if its status is success.
    ///
    /// # Errors
    /// The failure that the status means, with the appliance's message if it sends one.
    pub(in crate::api) fn checked(self) -> Result<Self, Failure> {
        if (200..300).contains(&self.status) {
            return Ok(self);
        }
        let message = json::message(self.body());
        let is_of_the_credential = message.as_deref().is_some_and(refusal_message::speaks_of_credential);
        let reason = Reason::of_status(self.status, message.is_some(), is_of_the_credential);
        let (detail, cause) = self.problem(message.as_deref());
        Err(Failure { retry_after: self.retry_after, ..Failure::new(reason, detail).caused_by(cause) })
    }

    /// As [`Answer::checked`], of an endpoint that an appliance may not have: 403, 404, 405 and 501 all say so, with or without
    /// a message.
    ///
    /// # Errors
    /// As [`Answer::checked`].
    pub(in crate::api) fn checked_optional(self) -> Result<Self, Failure> {
        let is_absent = matches!(self.status, 403 | 404 | 405 | 501);
        self.checked().map_err(|failure| if is_absent { failure.because(Reason::Declined) } else { failure })
    }

    /// The text of a response that is no success, with its `message`, and its cause.
    fn problem(&self, message: Option<&str>) -> (String, Cause) {
        let (status, is_redirect) = (self.status, (300..=399).contains(&self.status));
        let problem = match (&self.target, message) {
            (Some(target), _) if is_redirect => format!("status {status} to {target}"),
            (_, Some(message)) => format!("status {status}: {message}"),
            (_, None) => format!("status {status}: no message"),
        };
        let is_page = message.is_none() && json::is_html(self.body());
        match status {
            _ if !self.is_of_the_api => (problem, Cause::Unknown),
            300..=399 => (problem, Cause::NotTheApi),
            // TLS servers answer so to a request without TLS (nginx and Apache with HTML, Go with text).
            400 if self.is_plain && message.is_none() => {
                (if is_page { html(status) } else { problem }, Cause::ExpectsTls)
            }
            // Whatever the page says, this is said of the server's load; but a server that does not know POST is another one.
            408 | 429 | 500 | 502..=599 if is_page => (html(status), Cause::Unknown),
            _ if is_page => (html(status), Cause::NotTheApi),
            _ => (problem, Cause::Unknown),
        }
    }
}

fn html(status: u16) -> String {
    format!("status {status} with HTML instead of JSON")
}

#[cfg(test)]
mod tests;

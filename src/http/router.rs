//! The response to a method and a path. Knows nothing of sockets.

use std::sync::Arc;

use hyper::StatusCode;
use hyper::header::{ALLOW, CONTENT_ENCODING, HOST, HeaderValue, LOCATION, ORIGIN, VARY};
use hyper::http::request::Parts;
use tokio::sync::{Semaphore, oneshot};

use super::paths::Place;
use super::protection::Channel;
use super::response::{CountedBody, JSON_TYPE, Response, TEXT_TYPE, response, text};
use super::route::Route;
use super::{Lifecycle, Limits, Pages, negotiate};
use crate::exposition::{Encoding, Scrape, Unanswered, Variant};

mod views;

/// Pages other than metrics that are rendered or still being sent at once: there for people, of whom few look at a
/// time, and of a large fleet megabytes each. Not a part of the scrapes: who looks must not take the place of
/// Prometheus.
const MOST_VIEWS: usize = 8;

/// Everything there is to ask for.
pub(super) struct Router {
    pages: Pages,
    max_scrapes: usize,
    /// Absent means no limit.
    scrapes: Option<Arc<Semaphore>>,
    views: Arc<Semaphore>,
}

impl Router {
    pub(super) fn new(pages: Pages, limits: Limits) -> Self {
        let Limits { max_scrapes } = limits;
        let permits = max_scrapes.min(Semaphore::MAX_PERMITS);
        let scrapes = (permits > 0).then(|| Arc::new(Semaphore::new(permits)));
        Self { pages, max_scrapes, scrapes, views: Arc::new(Semaphore::new(MOST_VIEWS)) }
    }

    /// Answers one request; for HEAD with the body, which hyper leaves out.
    ///
    /// # Cancel safety
    /// Dropping the future leaves a reload running whose outcome nobody hears.
    pub(super) async fn answer(&self, head: &Parts, channel: Channel) -> Response {
        let (method, path) = (&head.method, head.uri.path());
        let paths = &self.pages.paths;
        let route = match paths.place(path) {
            Place::Inside(path) => Route::of(path, paths.telemetry()),
            Place::Root => return redirect(paths.prefix()),
            Place::Outside => None,
        };
        let answer = match route {
            None => text(StatusCode::NOT_FOUND, "no such page\n"),
            Some(route) if !route.allows(method) => refuse_method(route),
            Some(route) if route.changes_something() && is_from_elsewhere(head) => {
                text(StatusCode::FORBIDDEN, "cross-origin requests are not allowed\n")
            }
            Some(Route::Metrics) => self.metrics(negotiate::scrape(head)).await,
            Some(Route::Probe) => self.probe(head).await,
            Some(Route::Discovery) => self.discovery(head, channel),
            Some(Route::Landing) => self.landing(),
            Some(Route::Status) => self.view(JSON_TYPE, &self.pages.status),
            Some(Route::Config) => self.view(TEXT_TYPE, &self.pages.config),
            Some(Route::Explain) => self.explain(head),
            Some(Route::Healthy) => self.healthy(),
            Some(Route::Ready) => self.ready(),
            Some(Route::Reload) => self.hand_over(Lifecycle::Reload, "reloaded\n", "cannot reload").await,
            Some(Route::LoginReset) => self.hand_over(Lifecycle::ResetLogins, "forgotten\n", "cannot forget").await,
            Some(Route::Quit) => self.quit().await,
        };
        tracing::debug!(%method, path, status = answer.status().as_u16(), "request served");
        answer
    }

    async fn metrics(&self, scrape: Scrape) -> Response {
        let permit = match &self.scrapes {
            None => None,
            Some(scrapes) => match Arc::clone(scrapes).try_acquire_owned() {
                Ok(permit) => Some(permit),
                Err(_) => {
                    let most = self.max_scrapes;
                    let reason = format!("limit of {most} concurrent scrapes reached, see --web.max-requests\n");
                    return text(StatusCode::SERVICE_UNAVAILABLE, reason);
                }
            },
        };
        let Variant { format, encoding } = scrape.variant;
        let body = match (self.pages.metrics)(scrape).await {
            Ok(body) => body,
            Err(unknown @ (Unanswered::UnknownAppliance { .. } | Unanswered::UnknownFamily { .. })) => {
                return text(StatusCode::BAD_REQUEST, format!("{unknown}\n"));
            }
            Err(Unanswered::Stopping) => return stopping(),
        };
        let mut answer = response(StatusCode::OK, format.content_type(), CountedBody::new(body, permit));
        answer.headers_mut().insert(VARY, HeaderValue::from_static("Accept, Accept-Encoding"));
        match encoding {
            Encoding::Identity => {}
            Encoding::Gzip => {
                answer.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            }
        }
        answer
    }

    /// Hands a request to the daemon and responds with its outcome: `done`, or `failed` and the reason.
    async fn hand_over(
        &self,
        request: impl FnOnce(oneshot::Sender<Result<(), String>>) -> Lifecycle,
        done: &'static str,
        failed: &str,
    ) -> Response {
        let Some(lifecycle) = &self.pages.lifecycle else {
            return lifecycle_disabled();
        };
        let (reply, outcome) = oneshot::channel();
        if lifecycle.send(request(reply)).await.is_err() {
            return stopping();
        }
        match outcome.await {
            Ok(Ok(())) => text(StatusCode::OK, done),
            Ok(Err(reason)) => text(StatusCode::INTERNAL_SERVER_ERROR, format!("{failed}: {reason}\n")),
            Err(_) => text(StatusCode::INTERNAL_SERVER_ERROR, format!("{failed}: stopped\n")),
        }
    }

    async fn quit(&self) -> Response {
        let Some(lifecycle) = &self.pages.lifecycle else {
            return lifecycle_disabled();
        };
        match lifecycle.send(Lifecycle::Quit).await {
            Ok(()) => text(StatusCode::OK, "stopping\n"),
            Err(_) => stopping(),
        }
    }
}

/// Leads from the root to the start page, as Prometheus does.
fn redirect(prefix: &str) -> Response {
    match HeaderValue::try_from(format!("{prefix}/")) {
        Ok(place) => {
            let mut response = text(StatusCode::FOUND, "see the start page\n");
            response.headers_mut().insert(LOCATION, place);
            response
        }
        Err(_) => text(StatusCode::NOT_FOUND, "no such page\n"),
    }
}

fn refuse_method(route: Route) -> Response {
    let methods = route.methods();
    let mut answer = text(StatusCode::METHOD_NOT_ALLOWED, format!("use one of: {methods}\n"));
    answer.headers_mut().insert(ALLOW, HeaderValue::from_static(methods));
    answer
}

/// Whether a browser says that a page of another origin asks. Programs send neither header.
///
/// **Source:** Fetch Standard, the `Origin` header; Fetch Metadata Request Headers, `Sec-Fetch-Site`.
fn is_from_elsewhere(head: &Parts) -> bool {
    let host = head.headers.get(HOST).map(HeaderValue::as_bytes).unwrap_or_default();
    let is_ours = |origin: &HeaderValue| {
        let authority = origin.to_str().ok().and_then(|origin| origin.split_once("://")).map(|(_, host)| host);
        authority.is_some_and(|authority| authority.as_bytes().eq_ignore_ascii_case(host))
    };
    let by_origin = head.headers.get_all(ORIGIN).iter().any(|origin| !is_ours(origin));
    let sites = head.headers.get_all("sec-fetch-site");
    by_origin || sites.iter().any(|site| site != "same-origin" && site != "none")
}

fn lifecycle_disabled() -> Response {
    text(StatusCode::FORBIDDEN, "not enabled, see --web.enable-lifecycle\n")
}

fn stopping() -> Response {
    text(StatusCode::SERVICE_UNAVAILABLE, "stopping\n")
}

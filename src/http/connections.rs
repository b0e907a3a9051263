//! Accepting, bounding and draining connections. Knows nothing of routes.

use std::convert::Infallible;
use std::error::Error;
use std::io;
use std::net::IpAddr;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::Full;
use hyper::StatusCode;
use hyper::header::HOST;
use hyper::http::request::Parts;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, sleep_until, timeout};

use super::connection_limiter::{ConnectionLimiter, ConnectionSlot, Observer, RequestGuard};
use super::deadline::Deadline;
use super::listen::{Listener, Stream};
use super::protection::{Channel, Protection};
use super::response::{CountedBody, text};
use super::router::Router;
use crate::base::shutdown::Shutdown;

/// Limits of the connections of one server. A parameter so that tests need neither 512 clients nor five seconds.
#[derive(Clone, Copy)]
pub(super) struct Bounds {
    /// Connections at once. One more takes the place of one that has sent no complete request, or waits.
    pub(super) connections: usize,
    /// Connections at once from one address.
    pub(super) connections_per_address: usize,
    /// The time that requests in flight have to finish after a stop.
    pub(super) drain: Duration,
}

/// 512 connections leave half of the usual 1024 file descriptors for polling and for the state. Half of them for one
/// address is plenty for all scrapers behind a proxy, and leaves the other half to everybody else. Five seconds are
/// what the command line promises for SIGTERM.
pub(super) const BOUNDS: Bounds =
    Bounds { connections: 512, connections_per_address: 256, drain: Duration::from_secs(5) };

/// The time that a stop waits for the first request of a client that has just connected. A request follows its
/// connection after one round trip, and a client that loses it has lost a scrape.
const FIRST_REQUEST_TIMEOUT: Duration = Duration::from_millis(500);

/// The time that a client may be silent between requests, take to send one request's head, or take to accept an
/// answer. One number because hyper starts its timer for the next head when an answer is queued, not when it is
/// sent: a shorter one would cut off slow readers of large pages. Above the usual scrape interval of 15 s, so that
/// Prometheus keeps its connection.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);

/// The time limit of a TLS handshake, a matter of two round trips. Silence would hold a slot.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// Bytes of one request's head; a scrape sends under one KiB. hyper looks at its limit only when it reads on, so that
/// what comes in one piece may be longer: the head is measured once more when it is there.
const HEAD_SIZE: usize = 64 * 1024;

/// Header lines of one request; a scrape sends five, a browser about twenty.
const HEADERS: usize = 64;

/// The first and the longest wait after a failed accept: long enough not to spin while file descriptors are short,
/// short enough for the next scrape.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Serves `router` on all `listeners` until `stop`; then drains. `observer` learns how many connections are open.
pub(super) async fn serve(
    listeners: Vec<Listener>,
    router: &Arc<Router>,
    protection: &Protection,
    bounds: Bounds,
    observer: Observer,
    stop: &Shutdown,
) {
    let limiter = ConnectionLimiter::new(bounds.connections, bounds.connections_per_address, observer);
    let mut acceptors = JoinSet::new();
    for listener in listeners {
        let acceptor = Acceptor { listener, limiter: limiter.clone(), waiting: None, failure: None };
        let (router, protection, stop) = (Arc::clone(router), protection.clone(), stop.clone());
        acceptors.spawn(async move { handle_connections(acceptor, router, protection, bounds, &stop).await });
    }
    while let Some(ended) = acceptors.join_next().await {
        conclude(ended);
    }
}

async fn handle_connections(
    mut acceptor: Acceptor,
    router: Arc<Router>,
    protection: Protection,
    bounds: Bounds,
    stop: &Shutdown,
) {
    let graceful = GracefulShutdown::new();
    let mut open = JoinSet::new();
    loop {
        tokio::select! {
            biased;
            () = stop.requested() => break,
            Some(ended) = open.join_next() => conclude(ended),
            (stream, slot) = acceptor.next() => {
                let handler = ConnectionHandler { router: Arc::clone(&router), protection: protection.clone() };
                let watcher = graceful.watcher();
                open.spawn(handler.serve_until_closed(stream, watcher, slot));
            }
        }
    }
    let limiter = acceptor.limiter.clone();
    drop(acceptor);
    limiter.await_first_requests(FIRST_REQUEST_TIMEOUT).await;
    if timeout(bounds.drain, graceful.shutdown()).await.is_err() {
        tracing::warn!(connections = open.len(), "closing connections that did not finish in time");
        open.abort_all();
    }
    while let Some(ended) = open.join_next().await {
        conclude(ended);
    }
}

/// A dead connection task is our bug and must not pass unseen; an aborted one was aborted by us.
fn conclude(ended: Result<(), JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        resume_unwind(error.into_panic());
    }
}

/// Where connections come in, one slot each.
struct Acceptor {
    listener: Listener,
    limiter: ConnectionLimiter,
    /// Who has come in and has no slot yet.
    waiting: Option<(Stream, Option<IpAddr>)>,
    /// Since the last accept failed; absent when accepting works.
    failure: Option<AcceptFailure>,
}

struct AcceptFailure {
    pause: Duration,
    retry_at: Instant,
}

impl Acceptor {
    /// The next connection, once there is a slot for it.
    ///
    /// # Cancel safety
    /// No connection is lost, and a wait after a failed accept resumes where it was.
    async fn next(&mut self) -> (Stream, ConnectionSlot) {
        loop {
            if self.waiting.is_none() {
                self.waiting = Some(self.accept().await);
            }
            let peer = self.waiting.as_ref().and_then(|(_, peer)| *peer);
            // Without a slot the connection is closed: its address has too many already.
            let slot = self.limiter.take(peer).await;
            if let (Some((stream, _)), Some(slot)) = (self.waiting.take(), slot) {
                return (stream, slot);
            }
        }
    }

    async fn accept(&mut self) -> (Stream, Option<IpAddr>) {
        loop {
            if let Some(failure) = &self.failure {
                sleep_until(failure.retry_at).await;
            }
            match self.listener.accept().await {
                Ok(accepted) => {
                    if self.failure.take().is_some() {
                        tracing::info!("accepting connections again");
                    }
                    return accepted;
                }
                Err(error) if concerns_one_client(&error) => {}
                Err(error) => {
                    if self.failure.is_none() {
                        tracing::warn!(error = &error as &dyn Error, "cannot accept connections");
                    }
                    let pause = next_pause(self.failure.as_ref().map(|failure| failure.pause));
                    self.failure = Some(AcceptFailure { pause, retry_at: Instant::now() + pause });
                }
            }
        }
    }
}

/// Whether the failed accept says something about the client that left, nothing about us.
fn concerns_one_client(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}

fn next_pause(last: Option<Duration>) -> Duration {
    last.map_or(FIRST_PAUSE, |pause| (pause * 2).min(LONGEST_PAUSE))
}

/// Answers one client.
struct ConnectionHandler {
    router: Arc<Router>,
    protection: Protection,
}

impl ConnectionHandler {
    /// Answers until the client, an error or a stop ends the connection, or it is closed for another.
    async fn serve_until_closed(self, stream: Stream, watcher: Watcher, slot: ConnectionSlot) {
        let slot = Arc::new(slot);
        tokio::select! {
            () = self.attend(stream, watcher, &slot) => {}
            () = slot.is_to_close() => tracing::debug!("connection closed to make room for another"),
        }
    }

    async fn attend(self, stream: Stream, watcher: Watcher, slot: &Arc<ConnectionSlot>) {
        let Some(tls) = self.protection.security().await.tls.clone() else {
            return self.converse(stream, Channel::Clear, watcher, slot).await;
        };
        match timeout(HANDSHAKE_TIMEOUT, tls.accept(stream)).await {
            Ok(Ok(stream)) => self.converse(stream, Channel::Tls, watcher, slot).await,
            Ok(Err(error)) => tracing::debug!(error = &error as &dyn Error, "TLS handshake with a client failed"),
            Err(_) => tracing::debug!("TLS handshake with a client timed out"),
        }
    }

    async fn converse<T>(self, stream: T, channel: Channel, watcher: Watcher, slot: &Arc<ConnectionSlot>)
    where
        T: AsyncRead + AsyncWrite + Unpin + 'static,
    {
        let Self { router, protection } = self;
        let service = service_fn(|request: hyper::Request<hyper::body::Incoming>| {
            let (router, protection, in_work) = (Arc::clone(&router), protection.clone(), slot.begin());
            // No route takes a body. Dropping it unread makes hyper close the connection instead of reading one of any
            // size.
            let (head, _) = request.into_parts();
            async move { Ok::<_, Infallible>(answer(&router, &protection, &head, channel, in_work).await) }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(IDLE_TIMEOUT)
            .max_buf_size(HEAD_SIZE)
            .max_headers(HEADERS)
            .serve_connection(TokioIo::new(Deadline::new(stream, IDLE_TIMEOUT)), service);
        if let Err(error) = watcher.watch(connection).await {
            tracing::debug!(error = &error as &dyn Error, "connection failed");
        }
    }
}

/// The answer to one request, which keeps the request in work until its last byte is sent.
async fn answer(
    router: &Router,
    protection: &Protection,
    head: &Parts,
    channel: Channel,
    in_work: RequestGuard,
) -> hyper::Response<Full<CountedBody>> {
    let security = protection.security().await;
    let mut answer = match malformed(head) {
        Some((status, why)) => text(status, why),
        None => match security.refusal(head, channel).await {
            Some(refusal) => refusal,
            None => router.answer(head, channel).await,
        },
    };
    security.apply_headers(&mut answer);
    answer.map(|body| Full::new(body.of(in_work)))
}

/// The fault in the head of a request, as status and text; none in a correct one.
///
/// **Source:** RFC 9112 section 3.2, a request without its one `Host`; RFC 6585 section 5.
fn malformed(head: &Parts) -> Option<(StatusCode, &'static str)> {
    // A line has a colon, a blank and its end besides.
    let lines = head.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4);
    let first = head.uri.path_and_query().map_or(0, |path| path.as_str().len());
    if first + lines.sum::<usize>() > HEAD_SIZE {
        return Some((StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "the request header is too large\n"));
    }
    let hosts = head.headers.get_all(HOST).iter().count();
    let is_wrong = hosts > 1 || (hosts == 0 && head.version >= hyper::Version::HTTP_11);
    is_wrong.then_some((StatusCode::BAD_REQUEST, "the request must have exactly one header `Host`\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_from_a_tenth_of_a_second_to_one() {
        let mut last = None;
        let pauses = std::array::from_fn::<_, 6, _>(|_| {
            last = Some(next_pause(last));
            last.unwrap().as_millis()
        });
        assert_eq!(pauses, [100, 200, 400, 800, 1000, 1000]);
    }

    #[test]
    fn only_faults_of_one_client_are_retried_at_once() {
        assert!(concerns_one_client(&io::ErrorKind::ConnectionAborted.into()));
        let too_many_open_files = io::Error::from_raw_os_error(24);
        assert!(!concerns_one_client(&too_many_open_files));
    }
}

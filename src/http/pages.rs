//! The content of the routes, as closures that the composition root provides. Knows nothing of requests.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};

use super::paths::WebPaths;
use crate::exposition::{Body, Scrape, Unanswered};

/// Renders one page. Runs on the runtime's own threads: must not block. A panic in it ends the daemon.
pub type Render = Arc<dyn Fn() -> Bytes + Send + Sync>;

/// Answers a scrape. May wait for a page to be rendered; a panic in it ends the daemon.
pub type Metrics = Arc<dyn Fn(Scrape) -> Scraped + Send + Sync>;

/// The outcome of a scrape.
pub type Scraped = Pin<Box<dyn Future<Output = Result<Body, Unanswered>> + Send>>;

/// Explains what the pairs of a query ask about.
pub type Explain = Arc<dyn Fn(Vec<(String, String)>) -> Explained + Send + Sync>;

/// The content of the routes. None of the closures may block, as with [`Render`].
#[derive(Clone)]
pub struct Pages {
    /// The addresses of the pages. The metrics win over every other route.
    pub paths: WebPaths,
    /// The metrics.
    pub metrics: Metrics,
    /// Whether an appliance of this name is configured: no other is a target of `/probe`.
    pub knows: Arc<dyn Fn(&str) -> bool + Send + Sync>,
    /// The targets for Prometheus at `/sd`, as JSON.
    pub discovery: Arc<dyn Fn(&Here) -> Bytes + Send + Sync>,
    /// The HTML page at `/`.
    pub landing: Render,
    /// The same at `/api/v1/status`, as JSON.
    pub status: Render,
    /// The configuration in force at `/config`, without its secrets.
    pub config: Render,
    /// Where a value comes from, by the pairs of a query, at `/api/v1/explain`.
    pub explain: Explain,
    /// Why `/-/healthy` says no, if it does.
    pub healthy: Arc<dyn Fn() -> Result<(), String> + Send + Sync>,
    /// Whether `/-/ready` says yes.
    pub ready: Arc<dyn Fn() -> bool + Send + Sync>,
    /// Observes how many clients are connected.
    pub connections: Arc<dyn Fn(usize) + Send + Sync>,
    /// Who carries out `/-/reload`, `/-/login-reset` and `/-/quit`; absent means that all are refused.
    pub lifecycle: Option<mpsc::Sender<Lifecycle>>,
}

impl fmt::Debug for Pages {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { paths, lifecycle, .. } = self;
        let pages = &mut out.debug_struct("Pages");
        pages.field("paths", paths).field("lifecycle", lifecycle).finish_non_exhaustive()
    }
}

/// The address at which the client reached the exporter, and at which others can.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Here {
    /// Host, and port if one was given.
    pub host: String,
    /// `http` or `https`.
    pub scheme: &'static str,
}

/// The outcome of a request for the origin of a value; each with its JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Explained {
    /// It is known.
    Found(Bytes),
    /// There is no such value.
    Unknown(Bytes),
    /// The question is none, or about several.
    Unclear(Bytes),
}

/// A request of a client to the daemon.
#[derive(Debug)]
pub enum Lifecycle {
    /// Read the configuration again. The client receives the outcome; dropping the sender counts as a failure.
    Reload(oneshot::Sender<Result<(), String>>),
    /// Forget refused logins. As for the outcome of [`Lifecycle::Reload`].
    ResetLogins(oneshot::Sender<Result<(), String>>),
    /// End as SIGTERM does. The client has been answered by the time the drain is over.
    Quit,
}

//! The web side of the daemon: binds the listening socket, answers the few routes and drains on stop.
//! What the pages say comes in as closures; this module must not know of appliances, metrics or of the configuration
//! beyond its own protection.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};

use crate::exposition::{Body, Scrape, Unanswered};
use crate::stop::Stop;

mod auth;
mod connections;
mod deadline;
pub mod landing;
mod negotiate;
mod protection;
mod san;
mod site;
#[cfg(test)]
mod tests;
mod tls;

pub use protection::{Protection, ProtectionError};

/// What the operator may bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Pages of metrics rendered or still being sent at once; one more is answered with 503. 0 means no limit.
    pub max_scrapes: usize,
}

/// Renders one page. Runs on a thread that may block; a panic in it ends the daemon.
pub type Render = Arc<dyn Fn() -> Bytes + Send + Sync>;

/// Answers a scrape. May wait for a page to be rendered; a panic in it ends the daemon.
pub type Metrics = Arc<dyn Fn(Scrape) -> Scraped + Send + Sync>;

/// What comes of a scrape.
pub type Scraped = Pin<Box<dyn Future<Output = Result<Body, Unanswered>> + Send>>;

/// What the routes answer with.
#[derive(Clone)]
pub struct Pages {
    /// Where the metrics are, such as `/metrics`; starts with `/` and wins over every other route.
    pub telemetry_path: String,
    /// The metrics.
    pub metrics: Metrics,
    /// The HTML page at `/`; see [`landing::page`].
    pub landing: Render,
    /// Whether `/-/ready` says yes. Called on the runtime's own threads: must not block.
    pub ready: Arc<dyn Fn() -> bool + Send + Sync>,
    /// Who carries out `/-/reload`, `/-/login-reset` and `/-/quit`; absent means that all are refused.
    pub lifecycle: Option<mpsc::Sender<Lifecycle>>,
}

impl fmt::Debug for Pages {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { telemetry_path, lifecycle, metrics: _, landing: _, ready: _ } = self;
        let pages = &mut out.debug_struct("Pages");
        pages.field("telemetry_path", telemetry_path).field("lifecycle", lifecycle).finish_non_exhaustive()
    }
}

/// What a client asked the daemon to do.
#[derive(Debug)]
pub enum Lifecycle {
    /// Read the configuration again. The client is told the outcome; dropping the sender counts as a failure.
    Reload(oneshot::Sender<Result<(), String>>),
    /// Forget refused logins. As for the outcome of [`Lifecycle::Reload`].
    ResetLogins(oneshot::Sender<Result<(), String>>),
    /// End as SIGTERM does. The client has been answered by the time the drain is over.
    Quit,
}

/// The address could not be listened on; the source says why.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on `{address}`")]
pub struct BindError {
    address: String,
    source: io::Error,
}

/// A listening socket that nobody serves yet: clients can connect and wait.
#[derive(Debug)]
pub struct Bound {
    listener: TcpListener,
    address: SocketAddr,
}

impl Bound {
    /// Listens on `host:port`, `[v6]:port` or `:port`; port 0 takes a free one.
    ///
    /// `:port` means every address of the machine, IPv6 and, unless the system forbids it
    /// (`net.ipv6.bindv6only`), IPv4; IPv4 alone where there is no IPv6.
    ///
    /// # Errors
    /// When the address does not parse or resolve, is taken, or is not ours to listen on.
    pub async fn bind(address: &str) -> Result<Self, BindError> {
        Self::try_bind(address).await.map_err(|source| BindError { address: address.to_owned(), source })
    }

    async fn try_bind(address: &str) -> io::Result<Self> {
        let listener = match address.strip_prefix(':') {
            Some(port) => listen_everywhere(port).await?,
            None => TcpListener::bind(address).await?,
        };
        let address = listener.local_addr()?;
        Ok(Self { listener, address })
    }

    /// Where it listens, with the port that was chosen for port 0.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers clients that `protection` lets in until `stop` is requested, then lets requests in flight finish for up to five seconds,
    /// drops what is left and returns. No task it started outlives it.
    ///
    /// # Panics
    /// When a page's closure panicked: the supervisor is to restart the daemon.
    pub async fn serve(self, pages: Pages, limits: Limits, protection: Protection, stop: Stop) {
        let site = Arc::new(site::Site::new(pages, limits));
        connections::serve(self.listener, site, protection, connections::BOUNDS, &stop).await;
    }
}

async fn listen_everywhere(port: &str) -> io::Result<TcpListener> {
    match TcpListener::bind(format!("[::]:{port}")).await {
        // Taken on one family is taken: falling back would leave half of the clients with somebody else's server.
        Err(error) if !matches!(error.kind(), io::ErrorKind::AddrInUse | io::ErrorKind::PermissionDenied) => {
            TcpListener::bind(format!("0.0.0.0:{port}")).await
        }
        outcome => outcome,
    }
}

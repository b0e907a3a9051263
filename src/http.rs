//! The web side of the daemon: listens, answers the few routes and drains on stop. What the pages say comes in as
//! closures; this module must not know of appliances, metrics or of the configuration beyond its own protection.

use std::io;
use std::sync::Arc;

use crate::base::shutdown::Shutdown;

mod auth;
mod connection_limiter;
mod connections;
mod deadline;
mod healthcheck;
mod listen;
mod negotiate;
mod pages;
mod paths;
mod protection;
mod response;
mod route;
mod router;
#[cfg(test)]
mod tests;
mod tls;
mod unix;

pub use healthcheck::{HealthError, HealthResponse, request_health};
pub use listen::{Address, Listen};
pub use pages::{Explain, Explained, Here, Lifecycle, Metrics, Pages, Render, Scraped};
pub use paths::WebPaths;
pub use protection::{Protection, ProtectionError};

use listen::Listener;

/// Whether there is a page at `path`, the metrics left aside.
#[must_use]
pub fn is_page(path: &str) -> bool {
    route::Route::of(path, "").is_some()
}

/// Limits that the operator sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Pages of metrics rendered or still being sent at once; one more is answered with 503. 0 means no limit.
    pub max_scrapes: usize,
}

/// The address could not be listened on; the source says why.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {place}")]
pub struct BindError {
    place: String,
    source: io::Error,
}

/// Listening sockets that nobody serves yet: clients can connect and wait.
#[derive(Debug)]
pub struct Bound {
    listeners: Vec<Listener>,
}

impl Bound {
    /// Listens where `listen` says.
    ///
    /// # Errors
    /// When one of the addresses cannot be had, as [`Bound::bind`], or systemd has passed on no socket, or one on which
    /// nobody can connect.
    pub async fn open(listen: &Listen) -> Result<Self, BindError> {
        let addresses = match listen {
            Listen::Addresses(addresses) => addresses,
            Listen::Systemd => {
                let failed = |source| BindError { place: "the sockets of systemd".into(), source };
                return Ok(Self { listeners: Listener::inherited().map_err(failed)? });
            }
        };
        let mut bound = Self { listeners: Vec::new() };
        for address in addresses {
            bound.listeners.extend(Self::bind(address).await?.listeners);
        }
        Ok(bound)
    }

    /// Listens on `host:port`, `[v6]:port` or `:port`; port 0 takes a free one. Or on `unix:` and the path of a socket,
    /// which owner and group may use.
    ///
    /// `:port` means every address of the machine, IPv6 and, unless the system forbids it
    /// (`net.ipv6.bindv6only`), IPv4; IPv4 alone where there is no IPv6. A socket that was left behind is replaced.
    ///
    /// # Errors
    /// When the address does not parse or resolve, is taken, or is not ours to listen on.
    pub async fn bind(address: &str) -> Result<Self, BindError> {
        let failed = |source| BindError { place: format!("`{address}`"), source };
        Ok(Self { listeners: vec![Listener::bind(address).await.map_err(failed)?] })
    }

    /// Where it listens, with the ports that were chosen for port 0.
    #[must_use]
    pub fn addresses(&self) -> Vec<Address> {
        self.listeners.iter().map(|listener| listener.address.clone()).collect()
    }

    /// Answers clients that `protection` lets in until `stop` is requested, then lets requests in flight finish for up
    /// to five seconds, drops what is left and returns. No task it started outlives it.
    ///
    /// # Panics
    /// When a page's closure panicked: the supervisor is to restart the daemon.
    pub async fn serve(self, pages: Pages, limits: Limits, protection: Protection, stop: Shutdown) {
        let observer = Arc::clone(&pages.connections);
        let router = Arc::new(router::Router::new(pages, limits));
        connections::serve(self.listeners, &router, &protection, connections::BOUNDS, observer, &stop).await;
    }
}

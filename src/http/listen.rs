//! Where clients come in: addresses, sockets in the file system, and sockets that systemd has opened. Knows nothing of
//! HTTP.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use listenfd::ListenFd;
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio_util::either::Either;

use super::unix::SocketFile;

/// The prefix of the address of a socket in the file system.
const UNIX: &str = "unix:";

/// The places to listen on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listen {
    /// These, each as [`super::Bound::bind`] takes it.
    Addresses(Vec<String>),
    /// The sockets that systemd has opened and passed on.
    Systemd,
}

/// Where a listener is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// An address and a port; the port that the system chose in place of 0.
    Tcp(SocketAddr),
    /// A socket in the file system; without a name where it was passed on without one.
    Unix(Option<PathBuf>),
}

impl Address {
    /// The address and the port; none of a socket in the file system.
    #[must_use]
    pub fn socket(&self) -> Option<SocketAddr> {
        match self {
            Self::Tcp(address) => Some(*address),
            Self::Unix(_) => None,
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(out),
            Self::Unix(Some(path)) => write!(out, "{UNIX}{}", path.display()),
            Self::Unix(None) => out.write_str("unix:unnamed"),
        }
    }
}

/// A client that has connected.
pub(super) type Stream = Either<TcpStream, UnixStream>;

/// A socket on which clients come in.
#[derive(Debug)]
pub(super) struct Listener {
    socket: Socket,
    pub(super) address: Address,
}

#[derive(Debug)]
enum Socket {
    Tcp(TcpListener),
    Unix {
        listener: UnixListener,
        /// Removes the file; none of a socket that somebody else has made.
        _file: Option<SocketFile>,
    },
}

impl Listener {
    /// Listens on one address.
    pub(super) async fn bind(address: &str) -> io::Result<Self> {
        if let Some(path) = address.strip_prefix(UNIX) {
            let (listener, file) = SocketFile::bind(path.as_ref())?;
            let address = Address::Unix(Some(file.path().to_owned()));
            return Ok(Self { socket: Socket::Unix { listener, _file: Some(file) }, address });
        }
        Self::of_tcp(match address.strip_prefix(':') {
            Some(port) => everywhere(port).await?,
            None => TcpListener::bind(address).await?,
        })
    }

    /// Takes the sockets that systemd has passed on, at least one.
    ///
    /// **Source:** sd_listen_fds(3).
    pub(super) fn inherited() -> io::Result<Vec<Self>> {
        let mut passed = ListenFd::from_env();
        let mut listeners = Vec::new();
        for number in 0..passed.len() {
            // An error leaves the socket where it is.
            if let Ok(Some(listener)) = passed.take_unix_listener(number) {
                listener.set_nonblocking(true)?;
                let listener = UnixListener::from_std(listener)?;
                let path = listener.local_addr()?.as_pathname().map(ToOwned::to_owned);
                listeners.push(Self { socket: Socket::Unix { listener, _file: None }, address: Address::Unix(path) });
            } else if let Some(listener) = passed.take_tcp_listener(number)? {
                listener.set_nonblocking(true)?;
                listeners.push(Self::of_tcp(TcpListener::from_std(listener)?)?);
            }
        }
        match listeners.is_empty() {
            true => Err(io::Error::new(
                io::ErrorKind::NotFound,
                "no socket was passed: start the exporter with a \
            .socket unit",
            )),
            false => Ok(listeners),
        }
    }

    fn of_tcp(listener: TcpListener) -> io::Result<Self> {
        let address = Address::Tcp(listener.local_addr()?);
        Ok(Self { socket: Socket::Tcp(listener), address })
    }

    /// The next client, and its address where it has one.
    ///
    /// # Cancel safety
    /// No connection is lost.
    pub(super) async fn accept(&self) -> io::Result<(Stream, Option<IpAddr>)> {
        match &self.socket {
            Socket::Tcp(listener) => {
                let (stream, peer) = listener.accept().await?;
                // Or the last bytes of a page wait until the scraper acknowledges what came before them, for up to 40 ms.
                // A connection that refuses is gone, which its reader will see.
                stream.set_nodelay(true).ok();
                Ok((Either::Left(stream), Some(peer.ip())))
            }
            Socket::Unix { listener, .. } => Ok((Either::Right(listener.accept().await?.0), None)),
        }
    }
}

async fn everywhere(port: &str) -> io::Result<TcpListener> {
    match TcpListener::bind(format!("[::]:{port}")).await {
        // Taken on one family is taken: falling back would leave half of the clients with somebody else's server.
        Err(error) if !matches!(error.kind(), io::ErrorKind::AddrInUse | io::ErrorKind::PermissionDenied) => {
            TcpListener::bind(format!("0.0.0.0:{port}")).await
        }
        outcome => outcome,
    }
}

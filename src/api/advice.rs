//! Advice where more is known than the kind of a failure: it ends the details. Each is the likely cause in plain words, and
//! after a colon what to do about it.

/// The likely cause of a page of HTML in place of an answer of the API, with advice.
pub const NOT_THE_API: &str = "this may be the port of the web interface, or another server: check that it is the port \
of the API (default 6443)";
/// The likely cause of a refused connection, with advice.
pub(in crate::api) const CONNECTION_REFUSED: &str = "the host refuses connections to the port in `url`: check that \
AsyncOS API (Monitoring) is enabled on that interface, and its port (default 6443)";
/// The likely cause where no connection comes about and none is refused, with advice.
pub(in crate::api) const NO_CONNECTION: &str = "nothing answers at the host and port in `url`: check both, and the \
firewalls in between";
/// The likely cause of a connection without TLS that ends or brings no HTTP, with advice.
pub(in crate::api) const EXPECTS_TLS: &str = "the server at this port may expect TLS: use `https://` in `url`";

//! One HTTP request and its answer: the way to the appliance, through a proxy or not, TLS, and how often a request may start.
//! Knows which headers and errors the API has, and nothing of reports and logins.

pub(super) mod certificate;
pub(super) mod connector;
pub(super) mod encoding;
pub(super) mod header;
pub(super) mod proxy;
pub(super) mod rate_limiter;
pub(super) mod setup;
pub(super) mod tls;
pub(super) mod transport;

//! Events of a client for its observer, which counts them: the client itself knows no metrics.

use std::sync::Arc;
use std::time::Duration;

use crate::api::{Reason, RefusalCause};
use crate::base::clock::Timestamp;

/// Something that happened between us and one appliance.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    /// A request was made; `code` is none when no answer came.
    Request {
        /// The path below `/api/v2.0/`, without parameters.
        endpoint: &'a str,
        /// The HTTP status.
        code: Option<u16>,
        /// From the first byte sent to the last received, or to the failure.
        took: Duration,
    },
    /// A request did not bring what it was made for.
    Failed(Reason),
    /// A login was accepted; for Basic, the account's first request.
    LoggedIn,
    /// A login was not accepted.
    LoginFailed(Reason),
    /// The refused logins of the account.
    LoginRefusals {
        /// Logins refused in a row.
        in_a_row: u32,
        /// Whether logins have stopped because of them.
        blocked: bool,
        /// The likely cause of the last one.
        cause: RefusalCause,
    },
    /// The token in use now ends then, by the appliance's clock.
    TokenExpires(Timestamp),
    /// Any certificate is accepted, as configured.
    VerificationDisabled,
    /// A certificate was shown, believed or not, that ends then; none where its end cannot be read.
    CertificateExpires(Option<Timestamp>),
}

/// Receives every event; called from the client's tasks, so it must not wait.
#[derive(Clone)]
pub struct Listener(Arc<dyn Fn(Event<'_>) + Send + Sync>);

impl Listener {
    /// Calls `observer` for every event.
    pub fn new(observer: impl Fn(Event<'_>) + Send + Sync + 'static) -> Self {
        Self(Arc::new(observer))
    }

    /// Passes `event` on.
    pub fn notify(&self, event: Event<'_>) {
        (self.0)(event);
    }
}

impl std::fmt::Debug for Listener {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Listener")
    }
}

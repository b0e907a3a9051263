//! The newest event of each kind, for readers other than scrapes; nothing that only counts.

use crate::api::{Event, RefusalCause};
use crate::base::clock::Timestamp;

/// Facts about the traffic with one appliance; none where unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TrafficFacts {
    /// When the token in use ends, by the appliance's clock.
    pub token_expiry: Option<Timestamp>,
    /// When the certificate that was shown last ends.
    pub certificate_expiry: Option<Timestamp>,
    /// Logins refused in a row, restarts included.
    pub login_refusals: u32,
    /// Whether logins have stopped because of them.
    pub logins_stopped: bool,
    /// The cause of the last refusal.
    pub refusal_cause: RefusalCause,
}

impl TrafficFacts {
    pub(super) fn record(&mut self, event: Event<'_>) {
        match event {
            Event::LoginRefusals { in_a_row, blocked, cause } => {
                (self.login_refusals, self.logins_stopped) = (in_a_row, blocked);
                self.refusal_cause = cause;
            }
            Event::TokenExpires(at) => self.token_expiry = Some(at),
            Event::CertificateExpires(at) => self.certificate_expiry = at,
            Event::Request { .. }
            | Event::Failed(_)
            | Event::LoggedIn
            | Event::LoginFailed(_)
            | Event::VerificationDisabled => {}
        }
    }
}

/// Facts about the exporter itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExporterState {
    /// Whether the newest attempt to read the configuration succeeded; none before the first.
    pub config_read: Option<bool>,
    /// When the configuration in force was read.
    pub config_since: Option<Timestamp>,
    /// Whether the newest reading of the web side's files succeeded.
    pub web_config_read: bool,
    /// Whether totals outlive a restart.
    pub state_durable: bool,
    /// When totals were last written down.
    pub state_written: Option<Timestamp>,
    /// Whether the newest attempt to write them down failed.
    pub state_failing: bool,
    /// Whether the open state file is the one at its path.
    pub state_file_found: bool,
    /// The number of times that the file was deleted and recreated.
    pub state_rewrites: u64,
    /// Whether the file was damaged or missing at the start.
    pub state_lost: bool,
}

impl Default for ExporterState {
    fn default() -> Self {
        Self {
            config_read: None,
            config_since: None,
            web_config_read: true,
            state_durable: false,
            state_written: None,
            state_failing: false,
            state_file_found: true,
            state_rewrites: 0,
            state_lost: false,
        }
    }
}

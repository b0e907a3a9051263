//! Why a request brought nothing: a closed set of reasons, which are the values of the label `reason`.

use std::time::Duration;

use crate::api::RefusalCause;

mod cause;

pub use cause::Cause;
pub(crate) use cause::unknown_scope;

/// Letters of a failure's text: twice our longest advice. Parsers of others quote what they choke on, at any length.
pub(in crate::api) const LONGEST_DETAIL: usize = 1000;

/// The kinds of failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The host name has no address.
    Dns,
    /// No connection was established.
    Connect,
    /// The proxy cannot be reached, or opens no way to the appliance.
    Proxy,
    /// The proxy refuses our account there, or wants one.
    ProxyRefused,
    /// The TLS handshake failed.
    Tls,
    /// No complete answer within the time limit.
    Timeout,
    /// The connection ended before the answer did.
    Reset,
    /// The response is not HTTP.
    Protocol,
    /// The body is larger than any report, or holds more values than are read.
    TooLarge,
    /// The answer points elsewhere; a token or password is never taken there.
    Redirect,
    /// 401, and a new login did not help.
    Unauthorized,
    /// 401 or 403 on this endpoint while the account is accepted elsewhere.
    NotAllowed,
    /// The appliance read the request and declined it (400, 404, 406 with its message; 410, 413, 501).
    Declined,
    /// 429: too many requests.
    Throttled,
    /// 408 or 5xx.
    Unavailable,
    /// Any other status that is no success.
    Status,
    /// The body is no JSON.
    NotJson,
    /// The body is JSON of a shape that no report has.
    Malformed,
    /// The report holds no counter.
    Empty,
    /// The login was refused.
    LoginRefused,
    /// The account wants a second factor.
    TwoFactor,
    /// There was no passcode to give as a second factor.
    Passcode,
    /// The identity provider gave no token, or none that the appliance takes, for a reason that is not the account's.
    IdentityProvider,
    /// No login was tried, because earlier ones were refused.
    LoginWait,
}

impl Reason {
    /// Every reason, for counters that start at zero.
    pub const ALL: [Self; 24] = [
        Self::Dns,
        Self::Connect,
        Self::Proxy,
        Self::ProxyRefused,
        Self::Tls,
        Self::Timeout,
        Self::Reset,
        Self::Protocol,
        Self::TooLarge,
        Self::Redirect,
        Self::Unauthorized,
        Self::NotAllowed,
        Self::Declined,
        Self::Throttled,
        Self::Unavailable,
        Self::Status,
        Self::NotJson,
        Self::Malformed,
        Self::Empty,
        Self::LoginRefused,
        Self::TwoFactor,
        Self::Passcode,
        Self::IdentityProvider,
        Self::LoginWait,
    ];

    /// The value of the label `reason`.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::Connect => "connect",
            Self::Proxy => "proxy",
            Self::ProxyRefused => "proxy_refused",
            Self::Tls => "tls",
            Self::Timeout => "timeout",
            Self::Reset => "reset",
            Self::Protocol => "protocol",
            Self::TooLarge => "too_large",
            Self::Redirect => "redirect",
            Self::Unauthorized => "unauthorized",
            Self::NotAllowed => "not_allowed",
            Self::Declined => "declined",
            Self::Throttled => "throttled",
            Self::Unavailable => "unavailable",
            Self::Status => "status",
            Self::NotJson => "not_json",
            Self::Malformed => "malformed",
            Self::Empty => "empty",
            Self::LoginRefused => "login_refused",
            Self::TwoFactor => "two_factor",
            Self::Passcode => "passcode",
            Self::IdentityProvider => "identity_provider",
            Self::LoginWait => "login_wait",
        }
    }

    /// The reason that a status other than success means. The API sends a message with it; without one, something else may
    /// have answered.
    pub(in crate::api) const fn of_status(status: u16, has_message: bool, is_of_the_credential: bool) -> Self {
        match (status, has_message) {
            (300..=399, _) => Self::Redirect,
            (401, _) => Self::Unauthorized,
            (400, true) if is_of_the_credential => Self::Unauthorized,
            (403, _) => Self::NotAllowed,
            // Validation errors are 404 with a message.
            (400 | 404 | 406, true) => Self::Declined,
            (400 | 404 | 406, false) => Self::NotJson,
            // Whoever says so, this is not offered, or not like this; the others may be.
            (410 | 413 | 501, _) => Self::Declined,
            (429, _) => Self::Throttled,
            (408 | 500..=599, _) => Self::Unavailable,
            _ => Self::Status,
        }
    }

    /// The likely cause in plain words, and after a colon what to do about it. Names keys of the configuration.
    #[must_use]
    pub const fn advice(self) -> &'static str {
        match self {
            Self::Dns => "the host in `url` has no address: check the host, and the DNS server of this machine",
            Self::Connect => {
                "nothing accepts connections at the host and port in `url`: check that AsyncOS API (Monitoring) is enabled \
                on that interface (default port 6443), and the firewall"
            }
            Self::Proxy => "the proxy opens no connection to the appliance: check `proxy.url`, and the proxy's log",
            Self::ProxyRefused => {
                "the proxy does not accept the account: check `proxy.username` and the proxy's password"
            }
            Self::Tls => "the TLS handshake failed: check that the port in `url` is the HTTPS port of the API",
            Self::Timeout => {
                "no complete response within the time limit: check host and port in `url`, the firewall, and the load of \
                the appliance"
            }
            Self::Reset => {
                "the connection ended before the response did: check that the port in `url` is that of the API (default \
                6443), and devices in between"
            }
            Self::Protocol => {
                "the server at this port does not speak HTTP: check the scheme and the port in `url` (default `https` and \
                6443)"
            }
            Self::TooLarge => {
                "the response is larger than any report should be: limit the rows of this group with `top`"
            }
            Self::Redirect | Self::Status | Self::NotJson => {
                "this may be another server than the API: check that the port in `url` is that of the API (default 6443)"
            }
            Self::Unauthorized => {
                "the appliance rejects a new token as well: check that the account has the role Read-Only Operator, and \
                that nothing else uses it"
            }
            Self::NotAllowed => "the role of the account does not allow this: give it the role Read-Only Operator",
            Self::Declined => {
                "the appliance does not offer this: check `product`, the names of device groups and devices, and the \
                AsyncOS release"
            }
            Self::Throttled => {
                "the appliance receives too many requests: lower `requests_per_minute`, and look for other clients of its \
                API"
            }
            Self::Unavailable => "the appliance is overloaded or starting: check its system status if this continues",
            Self::Malformed => {
                "the response has an unknown form: check that `url` points to the API, and the AsyncOS release"
            }
            Self::Empty => "the report has no counter: the feature may be off, or an SMA may have the reporting",
            Self::LoginRefused => {
                "the account is refused: correct `username` or the password; appliances lock an account after a few failed \
                logins"
            }
            Self::TwoFactor => RefusalCause::SecondFactor.advice(),
            Self::Passcode => RefusalCause::Passcode.advice(),
            Self::IdentityProvider => {
                "the identity provider issues no usable token: check `oidc`, and the provider's log"
            }
            Self::LoginWait => {
                "no login is attempted after those that were refused: correct the password, then `POST /-/login-reset`"
            }
        }
    }

    /// Whether the appliance read the request and refuses it: for good, as far as is known.
    #[must_use]
    pub const fn is_refusal(self) -> bool {
        matches!(self, Self::Declined | Self::NotAllowed)
    }

    /// Whether a request made again soon may succeed without any intervention.
    #[must_use]
    pub const fn is_transient(self) -> bool {
        match self {
            Self::Dns
            | Self::Connect
            | Self::Proxy
            | Self::Timeout
            | Self::Reset
            | Self::Protocol
            | Self::Throttled
            | Self::Unavailable
            | Self::NotJson
            | Self::Malformed
            | Self::IdentityProvider => true,
            Self::ProxyRefused
            | Self::Tls
            | Self::TooLarge
            | Self::Redirect
            | Self::Unauthorized
            | Self::NotAllowed
            | Self::Declined
            | Self::Empty
            | Self::Status
            | Self::LoginRefused
            | Self::TwoFactor
            | Self::Passcode
            | Self::LoginWait => false,
        }
    }

    /// Whether the API itself has answered, so that the appliance is there and the account is good.
    #[must_use]
    pub const fn proves_presence(self) -> bool {
        match self {
            Self::NotAllowed | Self::Declined | Self::Malformed | Self::Empty | Self::TooLarge => true,
            Self::Dns
            | Self::Connect
            | Self::Proxy
            | Self::ProxyRefused
            | Self::Tls
            | Self::Timeout
            | Self::Reset
            | Self::Protocol
            | Self::Redirect
            | Self::Unauthorized
            | Self::Throttled
            | Self::Unavailable
            | Self::Status
            | Self::NotJson
            | Self::LoginRefused
            | Self::TwoFactor
            | Self::Passcode
            | Self::IdentityProvider
            | Self::LoginWait => false,
        }
    }

    /// Whether no answer came at all: something on the way, or the appliance as a whole.
    #[must_use]
    pub const fn is_of_the_way(self) -> bool {
        match self {
            Self::Dns
            | Self::Connect
            | Self::Proxy
            | Self::ProxyRefused
            | Self::Tls
            | Self::Timeout
            | Self::Reset
            | Self::Protocol => true,
            Self::TooLarge
            | Self::Redirect
            | Self::Unauthorized
            | Self::NotAllowed
            | Self::Declined
            | Self::Throttled
            | Self::Unavailable
            | Self::Status
            | Self::NotJson
            | Self::Malformed
            | Self::Empty
            | Self::LoginRefused
            | Self::TwoFactor
            | Self::Passcode
            | Self::IdentityProvider
            | Self::LoginWait => false,
        }
    }

    /// Whether there is no login, without which nothing can be asked.
    #[must_use]
    pub const fn is_of_the_account(self) -> bool {
        matches!(self, Self::LoginRefused | Self::TwoFactor | Self::Passcode | Self::IdentityProvider | Self::LoginWait)
    }

    /// Whether no other request to the appliance can fare better now.
    #[must_use]
    pub const fn concerns_all(self) -> bool {
        match self {
            Self::Dns
            | Self::Connect
            | Self::Proxy
            | Self::ProxyRefused
            | Self::Tls
            | Self::Throttled
            | Self::LoginRefused
            | Self::TwoFactor
            | Self::Passcode
            | Self::IdentityProvider
            | Self::LoginWait => true,
            Self::Timeout
            | Self::Reset
            | Self::Protocol
            | Self::TooLarge
            | Self::Redirect
            | Self::Unauthorized
            | Self::NotAllowed
            | Self::Declined
            | Self::Unavailable
            | Self::Status
            | Self::NotJson
            | Self::Malformed
            | Self::Empty => false,
        }
    }
}

/// Why a request brought nothing.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{detail}")]
pub struct Failure {
    /// Its kind.
    pub reason: Reason,
    /// The cause, where more is known than the kind.
    pub cause: Cause,
    /// The error: our words, or the appliance's message cut and cleaned; never a whole body, and no advice.
    pub detail: String,
    /// The time for which the appliance wants no requests.
    pub retry_after: Option<Duration>,
}

impl Failure {
    /// `detail` becomes one line and is cut where it is too long for a log.
    pub(crate) fn new(reason: Reason, detail: impl AsRef<str>) -> Self {
        let one_line = detail.as_ref().chars().map(|letter| if letter.is_control() { ' ' } else { letter });
        Self { reason, cause: Cause::Unknown, detail: one_line.take(LONGEST_DETAIL).collect(), retry_after: None }
    }

    /// Whether the appliance does not know the path, by its words.
    ///
    /// **Source:** published API log: 404 `Not Found.` for a path that is none; other messages of a 404 are about parameters.
    pub(in crate::api) fn is_unknown_path(&self) -> bool {
        self.reason == Reason::Declined && self.detail == "status 404: Not Found."
    }

    /// The same words for another reason.
    pub(in crate::api) fn because(mut self, reason: Reason) -> Self {
        self.reason = reason;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_one_line_of_bearable_length() {
        let detail = Failure::new(Reason::Malformed, format!("a\nb{}", "ü".repeat(5000))).detail;
        assert_eq!((detail.chars().count(), &detail[..3]), (LONGEST_DETAIL, "a b"));
    }

    #[test]
    fn every_reason_comes_with_a_cause_and_what_to_do() {
        for reason in Reason::ALL {
            let advice = reason.advice();
            assert!(advice.contains(": ") && !advice.ends_with('.') && !advice.contains("  "), "{advice}");
        }
    }

    #[test]
    fn every_reason_is_listed_once_under_its_own_label() {
        let mut labels: Vec<_> = Reason::ALL.iter().map(|reason| reason.label()).collect();
        labels.sort_unstable();
        labels.dedup();
        assert_eq!(labels.len(), Reason::ALL.len());
    }
}

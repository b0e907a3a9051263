//! Explains a failure: with the advice of its reason, or a more exact one that its details end with.

use super::{Failure, Reason};
use crate::api::RefusalCause;
use crate::api::advice::{CONNECTION_REFUSED, EXPECTS_TLS, NO_CONNECTION, NOT_THE_API};

impl Failure {
    /// The likely cause and what to do about it; none where the details end with advice on the very error.
    #[must_use]
    pub fn advice(&self) -> Option<&'static str> {
        let is_in_detail = match self.reason {
            // Their messages are made where more is known than the reason.
            Reason::Tls
            | Reason::Proxy
            | Reason::ProxyRefused
            | Reason::TwoFactor
            | Reason::Passcode
            | Reason::LoginWait => true,
            // Said of the server's load, whatever the form of the response.
            Reason::Throttled | Reason::Unavailable => false,
            Reason::Dns
            | Reason::Connect
            | Reason::Timeout
            | Reason::Reset
            | Reason::Protocol
            | Reason::TooLarge
            | Reason::Redirect
            | Reason::Unauthorized
            | Reason::NotAllowed
            | Reason::Declined
            | Reason::Status
            | Reason::NotJson
            | Reason::Malformed
            | Reason::Empty
            | Reason::LoginRefused
            | Reason::IdentityProvider => self.exact_advice().is_some(),
        };
        (!is_in_detail).then(|| self.reason.advice())
    }

    /// The most exact advice, for places that do not show the details beside it.
    #[must_use]
    pub fn explanation(&self) -> &str {
        match self.reason {
            Reason::Tls | Reason::Proxy | Reason::ProxyRefused if !self.detail.is_empty() => &self.detail,
            reason => self.exact_advice().unwrap_or_else(|| reason.advice()),
        }
    }

    /// The advice among the details.
    fn exact_advice(&self) -> Option<&'static str> {
        let known = [
            CONNECTION_REFUSED,
            NO_CONNECTION,
            EXPECTS_TLS,
            NOT_THE_API,
            RefusalCause::OtherServer.advice(),
            self.reason.advice(),
        ];
        known.into_iter().find(|advice| self.detail.contains(advice))
    }

    /// The same with `advice` at the end of the details.
    pub(in crate::api) fn with_advice(self, advice: &str) -> Self {
        Self { retry_after: self.retry_after, ..Self::new(self.reason, format!("{}; {advice}", self.detail)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advice_is_not_repeated() {
        let advice = |reason, detail: &str| Failure::new(reason, detail).advice();
        let html = format!("status 200 with HTML instead of JSON; {NOT_THE_API}");
        assert_eq!(advice(Reason::NotJson, &html), None);
        assert_eq!(advice(Reason::NotJson, "the body is not JSON"), Some(NOT_THE_API));
        assert_eq!(advice(Reason::Malformed, &html), None);
        assert_eq!(advice(Reason::Connect, "tcp connect error"), Some(Reason::Connect.advice()));
        assert_eq!(advice(Reason::Tls, "the certificate expired: renew it"), None);
    }

    #[test]
    fn the_most_exact_advice_is_shown_without_the_details() {
        for (reason, advice) in [
            (Reason::Connect, CONNECTION_REFUSED),
            (Reason::Timeout, NO_CONNECTION),
            (Reason::Reset, EXPECTS_TLS),
            (Reason::Protocol, EXPECTS_TLS),
            (Reason::NotJson, NOT_THE_API),
        ] {
            let failure = Failure::new(reason, "an error").with_advice(advice);
            assert_eq!((failure.explanation(), failure.advice()), (advice, None));
            assert!(advice.contains(": ") && !advice.contains("  ") && !advice.ends_with('.'), "{advice}");
        }
        let expired = "the certificate expired: renew it";
        assert_eq!(Failure::new(Reason::Tls, expired).explanation(), expired);
        assert_eq!(Failure::new(Reason::Declined, "Not Found.").explanation(), Reason::Declined.advice());
    }
}

//! The cause of a failure where more is known than its kind, each with advice. Set where the failure is made.

use std::borrow::Cow;

use super::{Failure, Reason};
use crate::api::RefusalCause;
use crate::config::Scope;

/// The cause of a failure. It is data, so that nobody searches the details for it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Cause {
    /// No more is known than the kind of failure.
    #[default]
    Unknown,
    /// No server knows an address of this host.
    UnknownHost(String),
    /// The host refuses the connection.
    ConnectionRefused,
    /// No connection is established, and none is refused.
    NoConnection,
    /// A connection without TLS ends, or brings something else than the API.
    ExpectsTls,
    /// HTML, or a redirect, in place of an answer of the API.
    NotTheApi,
    /// A device in between changes responses.
    ModifiedResponse,
    /// The appliance requested a client certificate, none is configured, and the connection ended.
    ClientCertificateMissing,
    /// The appliance received our client certificate, and the connection ended.
    ClientCertificateRejected,
    /// Tokens end long before their time.
    SharedAccount,
    /// The login was refused, or is not attempted because of earlier refusals.
    Login(RefusalCause),
    /// The path is unknown there, and no request of this product has succeeded.
    OtherProduct,
    /// No report of this device group or device.
    UnknownScope(Scope),
    /// The details name the cause; this is what to do about it.
    Remedy(String),
}

impl Cause {
    /// The remedy `text`, where the details name the cause.
    pub(crate) fn remedy(text: impl Into<String>) -> Self {
        Self::Remedy(text.into())
    }

    /// The cause in plain words, and after a colon what to do about it; only the latter where the details name the cause.
    /// None where no more is known than the kind of failure.
    #[must_use]
    pub fn advice(&self) -> Option<Cow<'_, str>> {
        Some(Cow::Borrowed(match self {
            Self::Unknown => return None,
            Self::UnknownHost(host) => {
                let text = format!(
                    "the host `{host}` in `url` has no address: check the name, and the DNS server of this machine"
                );
                return Some(text.into());
            }
            Self::ConnectionRefused => {
                "the host refuses connections to the port in `url`: check that AsyncOS API (Monitoring) is enabled on that \
                 interface, and its port (default 6443)"
            }
            Self::NoConnection => {
                "nothing answers at the host and port in `url`: check both, and the firewalls in between"
            }
            Self::ExpectsTls => "the server at this port may expect TLS: use `https://` in `url`",
            Self::NotTheApi => {
                "this may be the port of the web interface, or another server: check that it is the port of the API \
                 (default 6443)"
            }
            Self::ModifiedResponse => "a proxy or firewall modifies the response: exempt the appliance from that",
            Self::ClientCertificateMissing => {
                "the appliance requested a client certificate: set `tls.cert_file` and `tls.key_file`"
            }
            Self::ClientCertificateRejected => {
                "the appliance may have rejected the certificate in `tls.cert_file`: use one issued by a CA that the \
                 appliance trusts"
            }
            Self::SharedAccount => "another client may be using this account: give each exporter its own",
            Self::Login(cause) => cause.advice(),
            Self::OtherProduct => {
                "the appliance does not have this part of the API: check `product` (`esa` or `sma`), and the AsyncOS release \
                 (at least 13.0 of an ESA, 12.0 of an SMA)"
            }
            Self::UnknownScope(scope) => return Some(unknown_scope(scope).into()),
            Self::Remedy(remedy) => remedy,
        }))
    }
}

/// The problem with a scope that has no report, and what to do.
pub(crate) fn unknown_scope(scope: &Scope) -> String {
    let key = match scope {
        Scope::Appliance => "product",
        Scope::DeviceGroup(_) => "device_groups",
        Scope::Device(_) => "devices",
    };
    format!("no report for {scope}: check the name in `{key}`, and that it has centralized reporting")
}

impl Failure {
    /// The remedy, after the likely cause where the details do not name it.
    #[must_use]
    pub fn advice(&self) -> Cow<'_, str> {
        self.cause.advice().unwrap_or_else(|| self.reason.advice().into())
    }

    /// The details, then what to do.
    #[must_use]
    pub fn in_full(&self) -> String {
        match &self.cause {
            Cause::Remedy(remedy) => format!("{self}: {remedy}"),
            _ => format!("{self}; {}", self.advice()),
        }
    }

    /// The cause and what to do, for places that do not show the details.
    #[must_use]
    pub fn explanation(&self) -> String {
        match (self.reason, &self.cause) {
            // The details name the proxy, and the target of a redirect.
            (Reason::Proxy | Reason::ProxyRefused | Reason::Redirect, _) | (_, Cause::Remedy(_)) => self.in_full(),
            _ => self.advice().into_owned(),
        }
    }

    /// The same for a known cause.
    pub(crate) fn caused_by(self, cause: Cause) -> Self {
        Self { cause, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cause_comes_with_what_to_do() {
        for cause in [
            Cause::UnknownHost("esa1".into()),
            Cause::ConnectionRefused,
            Cause::NoConnection,
            Cause::ExpectsTls,
            Cause::NotTheApi,
            Cause::ModifiedResponse,
            Cause::ClientCertificateMissing,
            Cause::ClientCertificateRejected,
            Cause::SharedAccount,
            Cause::Login(RefusalCause::SecondFactor),
            Cause::Login(RefusalCause::Passcode),
            Cause::Login(RefusalCause::OtherServer),
            Cause::Login(RefusalCause::OtherProduct),
            Cause::OtherProduct,
            Cause::UnknownScope(Scope::Device("esa9".into())),
        ] {
            let advice = cause.advice().expect("advice").into_owned();
            assert!(advice.contains(": ") && !advice.contains("  ") && !advice.ends_with('.'), "{advice}");
            let failure = Failure::new(Reason::Connect, "an error").caused_by(cause);
            assert_eq!((failure.advice(), failure.explanation()), ((&*advice).into(), advice.clone()));
            assert_eq!(failure.in_full(), format!("an error; {advice}"));
        }
    }

    #[test]
    fn a_remedy_follows_the_details_that_name_the_cause() {
        let failure = Failure::new(Reason::Tls, "the certificate expired").caused_by(Cause::remedy("renew it"));
        assert_eq!((&*failure.advice(), failure.to_string()), ("renew it", "the certificate expired".to_owned()));
        assert_eq!([failure.in_full(), failure.explanation()], ["the certificate expired: renew it"; 2]);
    }

    #[test]
    fn without_a_known_cause_the_kind_decides() {
        let failure = Failure::new(Reason::Declined, "Not Found.");
        assert_eq!(failure.advice(), Reason::Declined.advice());
        assert_eq!(failure.explanation(), Reason::Declined.advice());
        assert_eq!(failure.in_full(), format!("Not Found.; {}", Reason::Declined.advice()));
    }
}

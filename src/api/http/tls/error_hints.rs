//! Hints for failed handshakes that name the way out, where there is one.

use std::sync::Arc;

use rustls::{AlertDescription, CertificateError, Error, InvalidMessage, OtherError, PeerIncompatible};

use super::Shown;
use super::refusal::Refusal;
use crate::api::{Cause, Failure, Reason};
use crate::config::TlsVersion;

/// The advice for an appliance that has only old ciphers.
#[cfg(not(feature = "legacy-tls"))]
const LAST_RESORT: &str =
    "; if that is not possible, build this program with the cargo feature `legacy-tls` and set `tls.legacy: true`";
#[cfg(feature = "legacy-tls")]
const LAST_RESORT: &str = "; if that is not possible, set `tls.legacy: true`";

/// Finds words for what goes wrong between us and one appliance.
#[derive(Debug)]
pub(in crate::api) struct TlsErrorHints {
    min_version: TlsVersion,
    shown: Arc<Shown>,
}

impl TlsErrorHints {
    pub(super) fn new(min_version: TlsVersion, shown: Arc<Shown>) -> Self {
        Self { min_version, shown }
    }

    /// Begins a request: forgets earlier requests for a certificate.
    pub(in crate::api) fn begin(&self) {
        self.shown.was_asked();
    }

    /// The likely cause of a handshake that was cut off without an alert; none where nothing points to one.
    pub(in crate::api) fn suspicion(&self) -> Option<Cause> {
        self.shown.was_asked().then(|| match self.shown.identity {
            None => Cause::ClientCertificateMissing,
            Some(_) => Cause::ClientCertificateRejected,
        })
    }

    /// The meaning of `error`, and what to do about it.
    pub(in crate::api) fn of(&self, error: &Error) -> Failure {
        match error {
            Error::AlertReceived(alert) => self.alert(*alert),
            Error::PeerIncompatible(
                PeerIncompatible::ServerDoesNotSupportTls12Or13
                | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig
                | PeerIncompatible::Tls12NotOffered
                | PeerIncompatible::Tls12NotOfferedOrEnabled,
            ) => self.version(),
            Error::PeerIncompatible(
                PeerIncompatible::NoCipherSuitesInCommon | PeerIncompatible::NoKxGroupsInCommon,
            ) => cipher(),
            Error::InvalidMessage(InvalidMessage::InvalidContentType) => {
                let remedy = "check that this is the HTTPS port of the API (default 6443)";
                failure("the server on this port does not speak TLS", remedy)
            }
            // Its own text shows ours as `Debug` does.
            Error::InvalidCertificate(CertificateError::Other(OtherError(cause))) => {
                let failure = Failure::new(Reason::Tls, cause.to_string());
                match cause.downcast_ref::<Refusal>() {
                    Some(refusal) => failure.caused_by(Cause::remedy(refusal.remedy())),
                    None => failure,
                }
            }
            Error::InvalidCertificate(cause) => Failure::new(Reason::Tls, cause.to_string()),
            // rustls has more errors than there are ways out, and may get others.
            other => Failure::new(Reason::Tls, other.to_string()),
        }
    }

    fn alert(&self, alert: AlertDescription) -> Failure {
        let asked = self.shown.was_asked();
        match alert {
            AlertDescription::CertificateRequired => self.client_certificate(alert),
            AlertDescription::HandshakeFailure
            | AlertDescription::BadCertificate
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnknownCA
            | AlertDescription::AccessDenied
            | AlertDescription::DecryptError
                if asked =>
            {
                self.client_certificate(alert)
            }
            AlertDescription::HandshakeFailure | AlertDescription::InsufficientSecurity => cipher(),
            AlertDescription::ProtocolVersion => self.version(),
            other => Failure::new(Reason::Tls, format!("the appliance aborted the TLS handshake: {other:?}")),
        }
    }

    fn client_certificate(&self, alert: AlertDescription) -> Failure {
        match self.shown.identity {
            None => failure(
                format!("the appliance requires a client certificate ({alert:?})"),
                "set `tls.cert_file` and `tls.key_file`",
            ),
            Some(_) => failure(
                format!("the appliance rejected the certificate in `tls.cert_file` ({alert:?})"),
                "use one issued by a CA that the appliance trusts",
            ),
        }
    }

    fn version(&self) -> Failure {
        match self.min_version {
            TlsVersion::Tls12 => failure(
                "the appliance supports neither TLS 1.2 nor 1.3",
                "enable TLS 1.2 with the CLI command `sslconfig`",
            ),
            TlsVersion::Tls13 => failure(
                "the appliance does not support TLS 1.3",
                "set `tls.min_version` to TLS12, or enable TLS 1.3 with the CLI command `sslconfig`",
            ),
        }
    }
}

fn cipher() -> Failure {
    failure(
        "the appliance and the exporter have no cipher in common (rustls supports ECDHE with AES-GCM or ChaCha20 only)",
        format!("add such ciphers to its HTTPS cipher list with the CLI command `sslconfig`{LAST_RESORT}"),
    )
}

fn failure(detail: impl AsRef<str>, remedy: impl Into<String>) -> Failure {
    Failure::new(Reason::Tls, detail).caused_by(Cause::remedy(remedy))
}

//! The trust in an appliance's certificate.

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, Error, OtherError, RootCertStore, SignatureScheme};

use super::SystemRoots;
use super::refusal::Refusal;
use super::sessions::Sessions;
use crate::api::http::certificate::Facts;
use crate::api::{Event, Listener};
use crate::config::{Anchor, Trust};

#[derive(Debug)]
pub(super) struct Verifier {
    anchor: Anchor,
    /// None where nothing is checked against roots, or where there are none.
    chain: Option<Arc<WebPkiServerVerifier>>,
    name: Option<ServerName<'static>>,
    algorithms: WebPkiSupportedAlgorithms,
    listener: Listener,
    /// Told of every check: a full handshake makes sessions, a failed one ends them.
    sessions: Option<Arc<Sessions>>,
}

impl Verifier {
    pub(super) fn try_new(
        trust: &Trust,
        system: &SystemRoots,
        provider: &Arc<CryptoProvider>,
        listener: Listener,
        sessions: Option<Arc<Sessions>>,
    ) -> Result<Self, Box<dyn std::error::Error>> {
        let roots = match &trust.anchor {
            Anchor::System => system.system(),
            Anchor::File(certificates) => system.file(certificates),
            Anchor::Fingerprint(_) | Anchor::Nothing => Arc::new(RootCertStore::empty()),
        };
        let chain = match roots.is_empty() {
            true => None,
            false => Some(WebPkiServerVerifier::builder_with_provider(roots, Arc::clone(provider)).build()?),
        };
        let name = trust.server_name.clone().map(ServerName::try_from).transpose()?;
        let algorithms = provider.signature_verification_algorithms;
        Ok(Self { anchor: trust.anchor.clone(), chain, name, algorithms, listener, sessions })
    }

    /// Whether exactly this certificate is trusted, whatever it says of itself.
    fn is_pinned(&self, leaf: &CertificateDer<'_>) -> bool {
        match &self.anchor {
            Anchor::File(certificates) => certificates.iter().any(|known| known.as_ref() == leaf.as_ref()),
            Anchor::Fingerprint(pin) => fingerprint(leaf) == *pin,
            Anchor::Nothing => true,
            Anchor::System => false,
        }
    }

    /// Checks a signature of the handshake, unless any certificate is accepted.
    fn signed(
        &self,
        verify: impl FnOnce(&WebPkiSupportedAlgorithms) -> Result<HandshakeSignatureValid, Error>,
    ) -> Result<HandshakeSignatureValid, Error> {
        match self.anchor {
            Anchor::Nothing => Ok(HandshakeSignatureValid::assertion()),
            Anchor::System | Anchor::File(_) | Anchor::Fingerprint(_) => {
                verify(&self.algorithms).inspect_err(|_| self.end_sessions())
            }
        }
    }

    fn end_sessions(&self) {
        self.sessions.iter().for_each(|sessions| sessions.forget());
    }

    /// Why a certificate that is not pinned is not believed either.
    ///
    /// # Errors
    /// That is what it is for; without one it is trusted.
    fn chained(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        host: &ServerName<'_>,
        facts: &Facts,
        now: UnixTime,
    ) -> Result<(), Refusal> {
        let host = self.name.as_ref().unwrap_or(host);
        let shown = hex(&fingerprint(leaf));
        match (&self.anchor, &self.chain) {
            (Anchor::Fingerprint(_), _) => Err(Refusal::of_other(&shown)),
            (anchor, None) => Err(Refusal::of_no_roots(anchor, facts, &shown)),
            (anchor, Some(chain)) => match chain.verify_server_cert(leaf, intermediates, host, &[], now) {
                Ok(_) => Ok(()),
                Err(error) => Err(Refusal::of_error(&error, anchor, facts, &host.to_str(), &shown)),
            },
        }
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        host: &ServerName<'_>,
        _ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let facts = Facts::of(leaf);
        // Before it is judged: one that has ended is the one to be told of.
        self.listener.notify(Event::CertificateExpires(facts.not_after));
        let unusable = match self.anchor {
            Anchor::Nothing => None,
            Anchor::System | Anchor::File(_) | Anchor::Fingerprint(_) => {
                Refusal::of_unusable(&facts, &hex(&fingerprint(leaf)))
            }
        };
        let outcome = match unusable {
            Some(refusal) => Err(refusal),
            None if self.is_pinned(leaf) => Ok(()),
            None => self.chained(leaf, intermediates, host, &facts, now),
        };
        match outcome {
            Ok(()) => {
                self.sessions.iter().for_each(|sessions| sessions.verified(facts.not_after));
                Ok(ServerCertVerified::assertion())
            }
            Err(refusal) => {
                self.end_sessions();
                Err(CertificateError::Other(OtherError(Arc::new(refusal))).into())
            }
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.signed(|algorithms| verify_tls12_signature(message, leaf, signature, algorithms))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.signed(|algorithms| verify_tls13_signature(message, leaf, signature, algorithms))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

fn fingerprint(leaf: &CertificateDer<'_>) -> [u8; 32] {
    let digest = ring::digest::digest(&ring::digest::SHA256, leaf);
    digest.as_ref().try_into().unwrap_or_default()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

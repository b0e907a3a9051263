//! What is believed about an appliance's certificate, and advice for those that are not. Appliances come with a
//! self-signed certificate as a rule, so "turn verification off" must never be the easiest way out.

use std::fmt;
use std::sync::{Arc, OnceLock};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    AlertDescription, CertificateError, ClientConfig, DigitallySignedStruct, Error, OtherError, RootCertStore,
    SignatureScheme,
};

use super::{Event, Failure, Listener, Reason, certificate};
use crate::config::{Anchor, Trust};

/// The operating system's root certificates, read once for all who share this.
#[derive(Clone, Debug, Default)]
pub struct SystemRoots(Arc<OnceLock<Arc<RootCertStore>>>);

impl SystemRoots {
    fn get(&self) -> Arc<RootCertStore> {
        let load = || {
            let mut roots = RootCertStore::empty();
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            Arc::new(roots)
        };
        Arc::clone(self.0.get_or_init(load))
    }
}

/// The client side of TLS 1.2 and 1.3 with `trust`; `listener` hears of every certificate that is shown.
///
/// # Errors
/// When a verifier cannot be built from the certificates.
pub(super) fn client_config(trust: &Trust, roots: &SystemRoots, listener: Listener) -> Result<ClientConfig, Failure> {
    let failure = |error: &dyn fmt::Display| Failure::new(Reason::Tls, format!("cannot set up TLS: {error}"));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = Verifier::try_new(trust, roots, &provider, listener).map_err(|error| failure(&error))?;
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| failure(&error))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    // A resumed session shows no certificate: one that has ended or was replaced would go unnoticed for as long as the
    // appliance renews its tickets. A signature of its key is nothing beside the report it is made for.
    config.resumption = Resumption::disabled();
    Ok(config)
}

/// Words for a failed handshake that name the way out, where there is one.
pub(super) fn advice(error: &Error) -> String {
    match error {
        Error::AlertReceived(AlertDescription::HandshakeFailure) => {
            "the appliance shares no cipher with us (rustls speaks ECDHE with AES-GCM or ChaCha20 only): add such \
             ciphers to its HTTPS cipher list with the CLI command `sslconfig`"
                .into()
        }
        Error::AlertReceived(AlertDescription::ProtocolVersion) => {
            "the appliance speaks neither TLS 1.2 nor 1.3: enable TLS 1.2 with the CLI command `sslconfig`".into()
        }
        // Its own text shows ours as `Debug` does.
        Error::InvalidCertificate(CertificateError::Other(OtherError(said))) => said.to_string(),
        Error::InvalidCertificate(said) => said.to_string(),
        other => other.to_string(),
    }
}

#[derive(Debug)]
struct Verifier {
    anchor: Anchor,
    /// None where nothing is checked against roots, or where there are none.
    chain: Option<Arc<WebPkiServerVerifier>>,
    name: Option<ServerName<'static>>,
    algorithms: WebPkiSupportedAlgorithms,
    listener: Listener,
}

impl Verifier {
    fn try_new(
        trust: &Trust,
        system: &SystemRoots,
        provider: &Arc<CryptoProvider>,
        listener: Listener,
    ) -> Result<Self, Box<dyn std::error::Error>> {
        let roots = match &trust.anchor {
            Anchor::System => system.get(),
            // What cannot be a root, such as a version 1 certificate, can still be the presented one.
            Anchor::File(certificates) => {
                let mut roots = RootCertStore::empty();
                roots.add_parsable_certificates(certificates.iter().cloned());
                Arc::new(roots)
            }
            Anchor::Fingerprint(_) | Anchor::Nothing => Arc::new(RootCertStore::empty()),
        };
        let chain = match roots.is_empty() {
            true => None,
            false => Some(WebPkiServerVerifier::builder_with_provider(roots, Arc::clone(provider)).build()?),
        };
        let name = trust.server_name.clone().map(ServerName::try_from).transpose()?;
        let algorithms = provider.signature_verification_algorithms;
        Ok(Self { anchor: trust.anchor.clone(), chain, name, algorithms, listener })
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
}

impl Verifier {
    /// Checks a signature of the handshake, unless any certificate is accepted.
    fn signed(
        &self,
        verify: impl FnOnce(&WebPkiSupportedAlgorithms) -> Result<HandshakeSignatureValid, Error>,
    ) -> Result<HandshakeSignatureValid, Error> {
        match self.anchor {
            Anchor::Nothing => Ok(HandshakeSignatureValid::assertion()),
            Anchor::System | Anchor::File(_) | Anchor::Fingerprint(_) => verify(&self.algorithms),
        }
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        host: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        // Before it is judged: one that has ended is the one to be told of.
        self.listener.tell(Event::CertificateExpires(certificate::not_after(leaf)));
        if self.is_pinned(leaf) {
            return Ok(ServerCertVerified::assertion());
        }
        let host = self.name.as_ref().unwrap_or(host);
        let refusal = match (&self.anchor, &self.chain) {
            (Anchor::Fingerprint(_), _) => "is not the one that `fingerprint_sha256` names".into(),
            (_, None) => "cannot be verified: this machine has no root certificates (package ca-certificates)".into(),
            (_, Some(chain)) => match chain.verify_server_cert(leaf, intermediates, host, ocsp, now) {
                Ok(verified) => return Ok(verified),
                Err(error) => format!("is not trusted ({})", advice(&error)),
            },
        };
        let refusal = Refusal { refusal, leaf: hex(&fingerprint(leaf)) };
        Err(CertificateError::Other(OtherError(Arc::new(refusal))).into())
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

/// Why a certificate is not believed and what to do about it.
#[derive(Debug)]
struct Refusal {
    refusal: String,
    leaf: String,
}

impl fmt::Display for Refusal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { refusal, leaf } = self;
        write!(
            out,
            "the certificate {refusal}; if it is the appliance's own, set `tls.ca_file`, or \
             `tls.fingerprint_sha256: {leaf}`"
        )
    }
}

impl std::error::Error for Refusal {}

fn fingerprint(leaf: &CertificateDer<'_>) -> [u8; 32] {
    let digest = ring::digest::digest(&ring::digest::SHA256, leaf);
    digest.as_ref().try_into().unwrap_or_default()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

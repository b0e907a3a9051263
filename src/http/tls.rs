//! The server side of TLS: what is shown to clients and which of them are let in. Knows nothing of HTTP beyond its name.

use std::fmt;
use std::sync::Arc;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{WebPkiSupportedAlgorithms, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::sign::SingleCertAndKey;
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, OtherError, ServerConfig, SignatureScheme,
};
use tokio_rustls::TlsAcceptor;

use crate::base::subject_alt_name;
use crate::config::{ClientCertificates, WebTls};

/// Takes connections as `web` says.
///
/// # Errors
/// When rustls cannot do it; what an operator can get wrong has been checked with the configuration.
pub(super) fn acceptor(web: &WebTls) -> Result<TlsAcceptor, Error> {
    let provider = Arc::new(ring::default_provider());
    let algorithms = provider.signature_verification_algorithms;
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider)).with_protocol_versions(&web.versions)?;
    let builder = match &web.clients {
        None => builder.with_no_client_auth(),
        Some(clients) => {
            let ClientCertificates { required, roots, allowed_sans } = clients;
            let issuers = match roots {
                None => None,
                Some(roots) => Some(
                    WebPkiClientVerifier::builder_with_provider(Arc::clone(roots), provider)
                        .build()
                        .map_err(|error| Error::General(error.to_string()))?,
                ),
            };
            let allowed_sans = allowed_sans.clone();
            builder.with_client_cert_verifier(Arc::new(Clients {
                required: *required,
                issuers,
                allowed_sans,
                algorithms,
            }))
        }
    };
    let mut config = builder.with_cert_resolver(Arc::new(SingleCertAndKey::from(Arc::clone(&web.identity))));
    // Whoever offers HTTP/2 alone is told so by the handshake.
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    // Ours has the best first; not every client has.
    config.ignore_client_order = true;
    // A resumed session would show no certificate: one that has ended since would go unnoticed. A scraper keeps its
    // connection, so there is little to be saved.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// Judges the certificates of clients. That a client has the key of the one it shows is always verified.
#[derive(Debug)]
struct Clients {
    required: bool,
    /// Who must have issued it; anybody where absent.
    issuers: Option<Arc<dyn ClientCertVerifier>>,
    /// Empty means any name.
    allowed_sans: Vec<String>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ClientCertVerifier for Clients {
    fn client_auth_mandatory(&self) -> bool {
        self.required
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.issuers.as_ref().map_or(&[], |issuers| issuers.root_hint_subjects())
    }

    fn verify_client_cert(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        if let Some(issuers) = &self.issuers {
            issuers.verify_client_cert(leaf, intermediates, now)?;
        }
        if !self.allowed_sans.is_empty()
            && !subject_alt_name::texts(leaf).iter().any(|name| self.allowed_sans.contains(name))
        {
            return Err(CertificateError::Other(OtherError(Arc::new(NameNotAllowed))).into());
        }
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, leaf, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, leaf, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// A client with a trusted certificate, but with no name that is allowed.
#[derive(Debug)]
struct NameNotAllowed;

impl fmt::Display for NameNotAllowed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("no name in the client certificate is in `client_allowed_sans`")
    }
}

impl std::error::Error for NameNotAllowed {}

//! How TLS is spoken to an appliance: what is believed about its certificate, what it is shown, and words for what goes
//! wrong. Appliances come with a self-signed certificate as a rule, so "turn verification off" must never be the easiest
//! way out.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use rustls::client::{ResolvesClientCert, Resumption};
use rustls::sign::CertifiedKey;
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, RootCertStore, SignatureScheme, SupportedProtocolVersion};

use super::{Failure, Listener, Reason};
use crate::config::{Identity, TlsVersion, Trust};

#[cfg(feature = "legacy-tls")]
mod legacy;
mod refusal;
mod verifier;
mod words;

#[cfg(feature = "legacy-tls")]
pub(super) use legacy::Legacy;
use verifier::Verifier;
pub(super) use words::Words;

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

/// The client side of TLS with `trust`, and words for handshakes that fail; `listener` hears of every certificate that is
/// shown.
///
/// # Errors
/// When a verifier cannot be built from the certificates.
pub(super) fn client(trust: &Trust, roots: &SystemRoots, listener: Listener) -> Result<(ClientConfig, Words), Failure> {
    let failure = |error: &dyn fmt::Display| Failure::new(Reason::Tls, format!("cannot set up TLS: {error}"));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = Verifier::try_new(trust, roots, &provider, listener).map_err(|error| failure(&error))?;
    let versions: &[&SupportedProtocolVersion] = match trust.min_version {
        TlsVersion::Tls12 => &[&TLS12, &TLS13],
        TlsVersion::Tls13 => &[&TLS13],
    };
    let shown = Arc::new(Shown { identity: trust.identity.clone(), asked: AtomicBool::new(false) });
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .map_err(|error| failure(&error))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_client_cert_resolver(Arc::clone(&shown) as Arc<dyn ResolvesClientCert>);
    // A resumed session shows no certificate: one that has ended or was replaced would go unnoticed for as long as the
    // appliance renews its tickets. A signature of its key is nothing beside the report it is made for.
    config.resumption = Resumption::disabled();
    Ok((config, Words::new(trust.min_version, shown)))
}

/// What an appliance is shown that asks for a certificate.
#[derive(Debug)]
struct Shown {
    identity: Option<Identity>,
    /// Whether one has asked since somebody wanted to know: a refusal after that is about our certificate.
    asked: AtomicBool,
}

impl Shown {
    /// Whether a certificate was asked for since the last call.
    fn was_asked(&self) -> bool {
        self.asked.swap(false, Ordering::Relaxed)
    }
}

impl ResolvesClientCert for Shown {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.asked.store(true, Ordering::Relaxed);
        self.identity.as_ref().map(Identity::certified)
    }

    fn has_certs(&self) -> bool {
        self.identity.is_some()
    }
}

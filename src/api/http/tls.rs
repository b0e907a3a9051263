//! TLS to an appliance: the trust in its certificate, the certificate that it receives, and words for errors.
//! Appliances come with a self-signed certificate as a rule, so "turn verification off" must never be the easiest way
//! out.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::time::Duration;

use rustls::client::{ClientSessionStore, ResolvesClientCert, Resumption};
use rustls::pki_types::CertificateDer;
use rustls::sign::CertifiedKey;
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, RootCertStore, SignatureScheme, SupportedProtocolVersion};

use crate::api::{Failure, Listener, Reason};
use crate::base::clock::Clock;
use crate::config::{Identity, TlsVersion, Trust};

mod error_hints;
#[cfg(feature = "legacy-tls")]
mod legacy;
mod refusal;
mod sessions;
mod verifier;

pub(in crate::api) use error_hints::TlsErrorHints;
#[cfg(feature = "legacy-tls")]
pub(in crate::api) use legacy::Legacy;
use sessions::Sessions;
use verifier::Verifier;

/// Root certificates, the operating system's among them, parsed once for all who share this.
#[derive(Clone, Debug, Default)]
pub struct SystemRoots(Arc<RootStores>);

#[derive(Debug, Default)]
struct RootStores {
    system: OnceLock<Arc<RootCertStore>>,
    /// Those of files that are in use.
    files: Mutex<Vec<Parsed>>,
}

/// The certificates of a file while they are in use, and the trust store made of them.
type Parsed = (Weak<[CertificateDer<'static>]>, Arc<RootCertStore>);

impl SystemRoots {
    fn system(&self) -> Arc<RootCertStore> {
        let load = || {
            let mut roots = RootCertStore::empty();
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            Arc::new(roots)
        };
        Arc::clone(self.0.system.get_or_init(load))
    }

    /// Those of `certificates` that can be roots. What cannot be one, such as a version 1 certificate, can still be the
    /// presented one.
    fn file(&self, certificates: &Arc<[CertificateDer<'static>]>) -> Arc<RootCertStore> {
        let mut files = self.0.files.lock().unwrap_or_else(PoisonError::into_inner);
        let own = Arc::downgrade(certificates);
        if let Some((_, roots)) = files.iter().find(|(known, _)| known.ptr_eq(&own)) {
            return Arc::clone(roots);
        }
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(certificates.iter().cloned());
        let roots = Arc::new(roots);
        files.retain(|(known, _)| known.strong_count() > 0);
        files.push((own, Arc::clone(&roots)));
        roots
    }
}

/// The client side of TLS by rustls.
#[derive(Debug)]
pub(in crate::api) struct Modern {
    pub(in crate::api) config: ClientConfig,
    /// Words for handshakes that fail.
    pub(in crate::api) error_hints: TlsErrorHints,
    /// None where every handshake is a full one.
    sessions: Option<Arc<Sessions>>,
}

impl Modern {
    /// A request begins.
    pub(in crate::api) fn begin(&self) {
        self.error_hints.begin();
        self.sessions.iter().for_each(|sessions| sessions.begin());
    }

    /// The request was answered.
    pub(in crate::api) fn answered(&self) {
        self.sessions.iter().for_each(|sessions| sessions.answered());
    }

    /// No TLS connection came about, or it broke.
    pub(in crate::api) fn broke(&self) {
        self.sessions.iter().for_each(|sessions| sessions.broke());
    }
}

/// The client side of TLS with `trust`; `listener` receives every certificate that is shown. `resumption` is the clock that
/// sessions live by and the longest time that a connection takes; without it, every handshake is a full one.
///
/// # Errors
/// When a verifier cannot be built from the certificates.
pub(in crate::api) fn client(
    trust: &Trust,
    roots: &SystemRoots,
    listener: Listener,
    resumption: Option<(&Clock, Duration)>,
) -> Result<Modern, Failure> {
    let failure = |error: &dyn fmt::Display| Failure::new(Reason::Tls, format!("cannot set up TLS: {error}"));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let sessions = resumption.map(|(clock, timeout)| Arc::new(Sessions::new(clock.clone(), timeout)));
    let verifier =
        Verifier::try_new(trust, roots, &provider, listener, sessions.clone()).map_err(|error| failure(&error))?;
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
    config.resumption = match &sessions {
        Some(sessions) => Resumption::store(Arc::clone(sessions) as Arc<dyn ClientSessionStore>),
        None => Resumption::disabled(),
    };
    Ok(Modern { config, error_hints: TlsErrorHints::new(trust.min_version, shown), sessions })
}

/// The client certificate for an appliance that requests one.
#[derive(Debug)]
struct Shown {
    identity: Option<Identity>,
    /// Whether one has asked since somebody wanted to know: a refusal after that is about our certificate.
    asked: AtomicBool,
}

impl Shown {
    /// Whether a certificate was requested since the last call.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Anchor;
    use crate::config::ConfigFile;

    /// A thousand stores of a hundred roots take half a gibibyte.
    #[test]
    fn appliances_with_one_file_of_authorities_share_its_roots() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name);
        let pem = || rcgen::generate_simple_self_signed(["esa".to_owned()]).expect("a certificate").cert.pem();
        let mut text = "appliances:\n".to_owned();
        for (number, ca) in ["one.pem", "one.pem", "two.pem"].into_iter().enumerate() {
            std::fs::write(path(ca), pem()).expect("a file");
            let tls = format!("tls: {{ca_file: '{}'}}", path(ca).display());
            text += &format!("- {{name: esa{number}, url: 'https://esa{number}', username: u, password: p, {tls}}}\n");
        }
        std::fs::write(path("c.yaml"), text).expect("a file");
        let mut file = ConfigFile::new(path("c.yaml"));
        let roots = SystemRoots::default();
        for _ in 0..2 {
            let config = file.read().expect("a configuration");
            let stores: Vec<_> = config
                .appliances
                .iter()
                .map(|appliance| match &appliance.trust.anchor {
                    Anchor::File(certificates) => roots.file(certificates),
                    other => panic!("{other:?}"),
                })
                .collect();
            assert!(Arc::ptr_eq(&stores[0], &stores[1]) && !Arc::ptr_eq(&stores[0], &stores[2]));
            assert_eq!(roots.0.files.lock().expect("no panic").len(), 2, "and those of before are forgotten");
            // What is in it now counts.
            std::fs::write(path("one.pem"), pem()).expect("a file");
        }
    }
}

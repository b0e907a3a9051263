//! Certificates and keys in PEM form, and TLS versions, for server and client. Knows neither who presents a certificate
//! to whom nor where files are found.

use std::fmt;
use std::sync::Arc;

use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use rustls::{Error, InconsistentKeys};
use serde_yaml::Value;

use super::field;
use super::file_reader::FileContent;
use super::path::Path;
use super::problem::Problems;

/// A supported version of TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TlsVersion {
    /// TLS 1.2.
    Tls12,
    /// TLS 1.3.
    Tls13,
}

/// The versions by their names in Prometheus' configurations.
pub(super) const VERSIONS: &[(&str, TlsVersion)] = &[("TLS12", TlsVersion::Tls12), ("TLS13", TlsVersion::Tls13)];

/// A certificate with those that lead to its issuer, and the key that belongs to it.
#[derive(Clone)]
pub struct Identity(Arc<CertifiedKey>);

impl Identity {
    /// The certificate with its key.
    #[must_use]
    pub fn certified(&self) -> Arc<CertifiedKey> {
        Arc::clone(&self.0)
    }
}

impl PartialEq for Identity {
    /// The key belongs to the certificate, so another key comes with another certificate.
    fn eq(&self, other: &Self) -> bool {
        self.0.cert == other.0.cert
    }
}

impl Eq for Identity {}

impl fmt::Debug for Identity {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Identity({} certificates, <secret>)", self.0.cert.len())
    }
}

/// Something in PEM form, and the key it came by.
pub(super) struct Pem {
    path: Path,
    /// Its name in messages.
    name: String,
    bytes: Vec<u8>,
    /// Whether everybody may read it.
    pub(super) is_public: bool,
}

impl Pem {
    /// The content of the file that messages call `name`.
    pub(super) fn of_file(path: Path, name: &str, content: FileContent) -> Self {
        let FileContent { bytes, is_public } = content;
        Self { path, name: format!("`{name}`"), bytes, is_public }
    }

    /// Text that stands in the place of a file.
    pub(super) fn inline(path: Path, text: &str) -> Self {
        Self { path, name: "it".into(), bytes: text.as_bytes().to_vec(), is_public: false }
    }

    /// The certificates in it, at least one.
    pub(super) fn certificates(&self, problems: &mut Problems) -> Option<Vec<CertificateDer<'static>>> {
        match CertificateDer::pem_slice_iter(&self.bytes).collect::<Result<Vec<_>, _>>() {
            Ok(found) if !found.is_empty() => Some(found),
            Ok(_) | Err(_) => {
                self.error("holds no certificate in PEM form", problems);
                None
            }
        }
    }

    /// The key in it: PKCS#8, PKCS#1 or SEC1. No message shows any of it.
    fn key(&self, problems: &mut Problems) -> Option<PrivateKeyDer<'static>> {
        if self.is_encrypted() {
            let way_out = "the exporter cannot ask for its password: decrypt it with `openssl pkey`";
            self.error(&format!("holds an encrypted private key, and {way_out}"), problems);
            return None;
        }
        match PrivateKeyDer::from_pem_slice(&self.bytes) {
            Ok(key) => Some(key),
            Err(_) => {
                self.error("holds no private key in PEM form", problems);
                None
            }
        }
    }

    /// Whether the key is encrypted, as in PKCS#8 or as OpenSSL did before: PEM of its own with a header.
    fn is_encrypted(&self) -> bool {
        let holds = |mark: &[u8]| self.bytes.windows(mark.len()).any(|part| part == mark);
        holds(b"-----BEGIN ENCRYPTED PRIVATE KEY-----") || holds(b"Proc-Type: 4,ENCRYPTED")
    }

    pub(super) fn error(&self, what: &str, problems: &mut Problems) {
        problems.error(&self.path, format!("{} {what}", self.name));
    }
}

/// The certificate with its key, which must belong to it. None where one is missing or wrong; only a wrong one is a
/// problem.
pub(super) fn identity(chain: Option<&Pem>, key: Option<&Pem>, problems: &mut Problems) -> Option<Identity> {
    let certificates = chain.and_then(|chain| chain.certificates(problems));
    let signing = key.and_then(|key| {
        let der = key.key(problems)?;
        let loaded = default_provider().key_provider.load_private_key(der);
        loaded.map_err(|error| key.error(&format!("cannot be used: {error}"), problems)).ok()
    });
    let (chain, key) = (chain?, key?);
    let identity = CertifiedKey::new(certificates?, signing?);
    match identity.keys_match() {
        Ok(()) | Err(Error::InconsistentKeys(InconsistentKeys::Unknown)) => Some(Identity(Arc::new(identity))),
        Err(Error::InconsistentKeys(_)) => {
            problems.error(&key.path, "the key does not belong to the certificate");
            None
        }
        Err(error) => {
            chain.error(&format!("cannot be used: {error}"), problems);
            None
        }
    }
}

/// A version by its name in Prometheus' configurations; none inside where the key is absent. `speaker` is `server` or
/// `client`.
pub(super) fn version(
    value: Option<&Value>,
    speaker: &str,
    path: &Path,
    problems: &mut Problems,
) -> Option<Option<TlsVersion>> {
    let Some(value) = value else { return Some(None) };
    if matches!(value.as_str(), Some("TLS10" | "TLS11")) {
        problems.error(path, format!("this {speaker} speaks TLS 1.2 and 1.3 only: give `TLS12` or `TLS13`"));
        return None;
    }
    field::choice(Some(value), VERSIONS, path, problems).map(Some)
}

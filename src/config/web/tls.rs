//! `tls_server_config`: the certificate of the server, and those of its clients.

use std::sync::Arc;

use rustls::version::{TLS12, TLS13};
use rustls::{RootCertStore, SupportedProtocolVersion};
use serde_yaml::Value;

use super::{ClientCertificates, WebTls};
use crate::config::files::Files;
use crate::config::path::Path;
use crate::config::problem::Problems;
use crate::config::tls::{self, Pem, TlsVersion};
use crate::config::{field, raw};

/// The certificate that a client has to present.
#[derive(Clone, Copy, PartialEq)]
enum Ask {
    Nothing,
    Any { required: bool },
    Verified { required: bool },
}

const ASKS: &[(&str, Ask)] = &[
    ("NoClientCert", Ask::Nothing),
    ("RequestClientCert", Ask::Any { required: false }),
    ("RequireAnyClientCert", Ask::Any { required: true }),
    ("VerifyClientCertIfGiven", Ask::Verified { required: false }),
    ("RequireAndVerifyClientCert", Ask::Verified { required: true }),
];

/// Settings of the toolkit that rustls leaves no choice about.
const FIXED: &str = "has no effect: rustls supports only ECDHE with AES-GCM or ChaCha20, in its own order";

/// Reads the table; none where it is empty, or where a required key is wrong.
pub(super) fn read(value: Option<Value>, files: &mut Files, path: &Path, problems: &mut Problems) -> Option<WebTls> {
    let value = value.filter(|value| !value.is_null() && value.as_mapping().is_none_or(|table| !table.is_empty()))?;
    let is_table = value.is_mapping();
    let raw = raw::WebTls::read(value, path, problems);
    if !is_table {
        return None;
    }
    for (key, value) in [
        ("cipher_suites", &raw.cipher_suites),
        ("prefer_server_cipher_suites", &raw.prefer_server_cipher_suites),
        ("curve_preferences", &raw.curve_preferences),
    ] {
        if value.is_some() {
            problems.warn(&path.key(key), FIXED);
        }
    }
    let versions = versions(raw.min_version.as_ref(), raw.max_version.as_ref(), path, problems);
    let mut pem =
        |file: (&str, Option<&Value>), inline: (&str, Option<&Value>)| pem(file, inline, files, path, problems);
    let chain = pem(("cert_file", raw.cert_file.as_ref()), ("cert", raw.cert.as_ref()));
    let key = pem(("key_file", raw.key_file.as_ref()), ("key", raw.key.as_ref()));
    let authorities = pem(("client_ca_file", raw.client_ca_file.as_ref()), ("client_ca", raw.client_ca.as_ref()));
    for (name, given) in [
        ("cert_file", raw.cert_file.is_some() || raw.cert.is_some()),
        ("key_file", raw.key_file.is_some() || raw.key.is_some()),
    ] {
        if !given {
            problems.error(path, format!("`{name}` is missing"));
        }
    }
    let roots = authorities.and_then(|authorities| roots(&authorities, problems));
    let has_authorities = raw.client_ca_file.is_some() || raw.client_ca.is_some();
    let ask = field::choice(raw.client_auth_type.as_ref(), ASKS, &path.key("client_auth_type"), problems);
    let allowed_sans = field::labels(raw.client_allowed_sans.as_ref(), &path.key("client_allowed_sans"), problems);
    // A word that is none says nothing of what else is missing.
    let clients = match (ask, &raw.client_auth_type) {
        (None, Some(_)) => None,
        (ask, _) => clients(ask.unwrap_or(Ask::Nothing), has_authorities, roots, allowed_sans, path, problems),
    };
    let identity = tls::identity(chain.as_ref(), key.as_ref(), problems);
    Some(WebTls { identity: identity?.certified(), versions: versions?, clients })
}

/// The content of a file, or the text in place of one.
fn pem(
    file: (&str, Option<&Value>),
    inline: (&str, Option<&Value>),
    files: &mut Files,
    path: &Path,
    problems: &mut Problems,
) -> Option<Pem> {
    match (file, inline) {
        ((key, Some(value)), (_, None)) => {
            let path = path.key(key);
            let name = field::text(Some(value), &path, problems)?;
            match files.read(&name) {
                Ok(content) => Some(Pem::of_file(path, &name, content)),
                Err(error) => {
                    problems.error(&path, error);
                    None
                }
            }
        }
        ((_, None), (key, Some(value))) => {
            let path = path.key(key);
            let Value::String(text) = value else {
                problems.error(&path, format!("expected text, found {}", field::kind(value)));
                return None;
            };
            Some(Pem::inline(path, text))
        }
        ((_, None), (_, None)) => None,
        ((one, Some(_)), (other, Some(_))) => {
            problems.error(path, format!("give one of `{one}` and `{other}`, not both"));
            None
        }
    }
}

fn roots(pem: &Pem, problems: &mut Problems) -> Option<Arc<RootCertStore>> {
    let mut roots = RootCertStore::empty();
    for certificate in pem.certificates(problems)? {
        if let Err(error) = roots.add(certificate) {
            pem.error(&format!("holds a certificate that cannot be used: {error}"), problems);
            return None;
        }
    }
    Some(Arc::new(roots))
}

fn clients(
    ask: Ask,
    has_authorities: bool,
    roots: Option<Arc<RootCertStore>>,
    allowed_sans: Vec<String>,
    path: &Path,
    problems: &mut Problems,
) -> Option<ClientCertificates> {
    if !allowed_sans.is_empty() && ask != (Ask::Verified { required: true }) {
        let message = "has no effect unless `client_auth_type` is `RequireAndVerifyClientCert`";
        problems.error(&path.key("client_allowed_sans"), message);
    }
    match ask {
        Ask::Nothing => {
            if has_authorities {
                problems
                    .error(path, "client CAs are configured, but `client_auth_type` does not request a certificate");
            }
            None
        }
        // As in the toolkit: who issued it does not matter, so the authorities are not looked at.
        Ask::Any { required } => Some(ClientCertificates { required, roots: None, allowed_sans }),
        Ask::Verified { required } => {
            if !has_authorities {
                problems.error(
                    &path.key("client_auth_type"),
                    "`client_ca_file` is missing: it holds the CAs that are \
                trusted",
                );
            }
            // Without roots there is a problem already, and this value is not used.
            Some(ClientCertificates { required, roots, allowed_sans })
        }
    }
}

fn versions(
    least: Option<&Value>,
    most: Option<&Value>,
    path: &Path,
    problems: &mut Problems,
) -> Option<Vec<&'static SupportedProtocolVersion>> {
    let least = tls::version(least, "server", &path.key("min_version"), problems);
    let most = tls::version(most, "server", &path.key("max_version"), problems);
    match (least?.unwrap_or(TlsVersion::Tls12), most?.unwrap_or(TlsVersion::Tls13)) {
        (TlsVersion::Tls12, TlsVersion::Tls12) => Some(vec![&TLS12]),
        (TlsVersion::Tls13, TlsVersion::Tls13) => Some(vec![&TLS13]),
        (TlsVersion::Tls13, TlsVersion::Tls12) => {
            problems.error(&path.key("max_version"), "is below `min_version`");
            None
        }
        (TlsVersion::Tls12, TlsVersion::Tls13) => Some(vec![&TLS12, &TLS13]),
    }
}

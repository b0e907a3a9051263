//! `tls`: verification of an appliance's certificate, the client certificate, and the TLS settings.

use std::path::Path as FilePath;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use serde_yaml::Value;
use url::Url;

use super::files::Files;
use super::path::Path;
use super::problem::Problems;
use super::tls::{self, Pem};
use super::{Anchor, Backend, Identity, TlsVersion, Trust, field, password, raw};

/// Reads the table; the scheme of `url` decides whether there is TLS at all.
pub(super) fn read(
    value: Option<Value>,
    url: Option<&Url>,
    files: &mut Files,
    path: &Path,
    problems: &mut Problems,
) -> Trust {
    let given = value.as_ref().is_some_and(|value| !value.is_null());
    let raw = raw::Tls::read(value.unwrap_or_default(), path, problems);
    if given && url.is_some_and(|url| url.scheme() == "http") {
        problems.error(path, "has no effect with an http URL: use https, or remove it");
    }
    let server_name = field::label(raw.server_name.as_ref(), &path.key("server_name"), problems);
    if server_name.as_ref().is_some_and(|name| rustls::pki_types::ServerName::try_from(name.as_str()).is_err()) {
        problems.error(&path.key("server_name"), "is not a host name or an address");
    }
    let file = authorities(raw.ca_file.as_ref(), files, &path.key("ca_file"), problems);
    let pin = fingerprint(raw.fingerprint_sha256.as_ref(), &path.key("fingerprint_sha256"), problems);
    let skip_path = path.key("insecure_skip_verify");
    let skip = field::switch(raw.insecure_skip_verify.as_ref(), &skip_path, problems).unwrap_or(false);
    let anchor = match (file, pin, skip) {
        (None, None, false) => Anchor::System,
        (Some(file), None, false) => Anchor::File(file),
        (None, Some(pin), false) => Anchor::Fingerprint(pin),
        (None, None, true) => {
            problems.warn(
                &skip_path,
                "the certificate is not verified: an attacker on the network can read the \
            password",
            );
            Anchor::Nothing
        }
        (Some(_), _, _) | (_, Some(_), _) => {
            let message = "give one of `ca_file`, `fingerprint_sha256` and `insecure_skip_verify`, not several";
            problems.error(path, message);
            Anchor::System
        }
    };
    let identity = identity(&raw, files, path, problems);
    let min_version = tls::version(raw.min_version.as_ref(), "client", &path.key("min_version"), problems);
    let min_version = min_version.flatten().unwrap_or(TlsVersion::Tls12);
    let legacy = field::switch(raw.legacy.as_ref(), &path.key("legacy"), problems).unwrap_or(false);
    let trust = Trust { anchor, server_name, identity, min_version, backend: Backend::Modern };
    if legacy { through_openssl(trust, &path.key("legacy"), problems) } else { trust }
}

/// The certificates in the file of that name.
fn authorities(
    value: Option<&Value>,
    files: &mut Files,
    path: &Path,
    problems: &mut Problems,
) -> Option<Arc<[CertificateDer<'static>]>> {
    let file = field::text(value, path, problems)?;
    let parse = |content| Pem::of_file(path.clone(), &file, content).certificates(problems);
    match files.certificates(&file, parse) {
        Ok(certificates) => certificates,
        Err(error) => {
            problems.error(path, error);
            None
        }
    }
}

/// The certificate for the appliance and its key: both or none.
fn identity(raw: &raw::Tls, files: &mut Files, path: &Path, problems: &mut Problems) -> Option<Identity> {
    let (cert_path, key_path) = (path.key("cert_file"), path.key("key_file"));
    match (&raw.cert_file, &raw.key_file) {
        (None, None) => return None,
        (Some(_), Some(_)) => {}
        (Some(_), None) => problems.error(&cert_path, "`key_file` is missing: the key of this certificate"),
        (None, Some(_)) => problems.error(&key_path, "`cert_file` is missing: the certificate of this key"),
    }
    let chain = pem(raw.cert_file.as_ref(), files, &cert_path, problems);
    let key = pem(raw.key_file.as_ref(), files, &key_path, problems);
    if let Some((file, pem)) = &key
        && pem.is_public
    {
        password::warn_of_public(FilePath::new(file), &key_path, problems);
    }
    let (chain, key) = (chain.as_ref().map(|(_, pem)| pem), key.as_ref().map(|(_, pem)| pem));
    tls::identity(chain, key, problems)
}

/// The name of a file and what is in it.
fn pem(value: Option<&Value>, files: &mut Files, path: &Path, problems: &mut Problems) -> Option<(String, Pem)> {
    let file = field::text(value, path, problems)?;
    match files.read(&file) {
        Ok(content) => {
            let pem = Pem::of_file(path.clone(), &file, content);
            Some((file, pem))
        }
        Err(error) => {
            problems.error(path, error);
            None
        }
    }
}

/// 64 hexadecimal digits, with or without colons between the bytes as `openssl x509 -fingerprint` prints them.
fn fingerprint(value: Option<&Value>, path: &Path, problems: &mut Problems) -> Option<[u8; 32]> {
    let text = field::text(value, path, problems)?;
    let digits: Vec<u8> = text.bytes().filter(|byte| *byte != b':').collect();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    let all_digits = digits.iter().all(u8::is_ascii_hexdigit);
    let bytes: Option<Vec<u8>> = digits.chunks(2).map(byte).collect();
    match bytes.filter(|_| all_digits).and_then(|bytes| <[u8; 32]>::try_from(bytes).ok()) {
        Some(pin) => Some(pin),
        None => {
            problems.error(path, "expected the 64 hexadecimal digits of a SHA-256, with or without colons");
            None
        }
    }
}

/// This program was built without it.
#[cfg(not(feature = "legacy-tls"))]
fn through_openssl(trust: Trust, path: &Path, problems: &mut Problems) -> Trust {
    let way_out = "build it with `cargo build --release --features legacy-tls`";
    problems.error(path, format!("this program was built without the cargo feature `legacy-tls`: {way_out}"));
    trust
}

/// Refuses settings that reqwest cannot pass to OpenSSL: a pin that is ignored would be worse than none.
#[cfg(feature = "legacy-tls")]
fn through_openssl(trust: Trust, path: &Path, problems: &mut Problems) -> Trust {
    if matches!(trust.anchor, Anchor::Fingerprint(_)) {
        problems.error(path, "does not support `fingerprint_sha256`: use the certificate itself as `ca_file`");
    }
    if trust.server_name.is_some() {
        problems.error(path, "does not support `server_name`: use the name in the certificate in the URL");
    }
    if trust.identity.is_some() {
        problems.error(path, "does not support client certificates: remove `cert_file` and `key_file`, or `legacy`");
    }
    if trust.min_version != TlsVersion::Tls12 {
        problems.error(path, "does not support `min_version`: remove `min_version`, or `legacy`");
    }
    Trust { backend: Backend::Legacy, ..trust }
}

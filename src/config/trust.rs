//! `tls`: on what grounds an appliance's certificate is accepted.

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde_yaml::Value;
use url::Url;

use super::files::Files;
use super::problem::{Path, Problems};
use super::{Anchor, Trust, field, raw};

/// Reads the table; `url` tells whether TLS is spoken at all.
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
        problems.error(path, "has no meaning with an http URL: use https, or leave it out");
    }
    let server_name = field::label(raw.server_name.as_ref(), &path.key("server_name"), problems);
    if server_name.as_ref().is_some_and(|name| rustls::pki_types::ServerName::try_from(name.as_str()).is_err()) {
        problems.error(&path.key("server_name"), "is neither a host name nor an address");
    }
    let file = certificates(raw.ca_file.as_ref(), files, &path.key("ca_file"), problems);
    let pin = fingerprint(raw.fingerprint_sha256.as_ref(), &path.key("fingerprint_sha256"), problems);
    let skip_path = path.key("insecure_skip_verify");
    let skip = field::switch(raw.insecure_skip_verify.as_ref(), &skip_path, problems).unwrap_or(false);
    let anchor = match (file, pin, skip) {
        (None, None, false) => Anchor::System,
        (Some(file), None, false) => Anchor::File(file),
        (None, Some(pin), false) => Anchor::Fingerprint(pin),
        (None, None, true) => {
            problems.warn(&skip_path, "the certificate is not verified: whoever sits between can read the password");
            Anchor::Nothing
        }
        (Some(_), _, _) | (_, Some(_), _) => {
            let message = "give one of `ca_file`, `fingerprint_sha256` and `insecure_skip_verify`, not several";
            problems.error(path, message);
            Anchor::System
        }
    };
    Trust { anchor, server_name }
}

fn certificates(
    value: Option<&Value>,
    files: &mut Files,
    path: &Path,
    problems: &mut Problems,
) -> Option<Vec<CertificateDer<'static>>> {
    let file = field::text(value, path, problems)?;
    let bytes = match files.read(&file) {
        Ok(bytes) => bytes,
        Err(error) => {
            problems.error(path, error);
            return None;
        }
    };
    match CertificateDer::pem_slice_iter(&bytes).collect::<Result<Vec<_>, _>>() {
        Ok(found) if !found.is_empty() => Some(found),
        Ok(_) | Err(_) => {
            problems.error(path, format!("`{file}` holds no certificate in PEM form"));
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

//! TLS and proxy settings of an appliance as they are displayed.

use std::path::Path;

use serde::Serialize;

use super::HIDDEN;
use crate::config::{Anchor, Backend, Credentials, Passphrase, Proxy, TlsVersion, Trust};

#[derive(Serialize)]
pub(super) struct Tls<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    ca_file: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    server_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fingerprint_sha256: Option<String>,
    insecure_skip_verify: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    cert_file: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_file: Option<&'static str>,
    min_version: &'static str,
    legacy: bool,
}

impl<'a> Tls<'a> {
    pub(super) fn of(trust: &'a Trust) -> Self {
        let Trust { anchor, server_name, identity, min_version, backend } = trust;
        let (ca_file, fingerprint_sha256, insecure_skip_verify) = match anchor {
            Anchor::System => (None, None, false),
            // The file was read; by now it may hold others.
            Anchor::File(certificates) => (Some(format!("<{} certificates>", certificates.len())), None, false),
            Anchor::Fingerprint(digest) => {
                (None, Some(digest.iter().map(|byte| format!("{byte:02x}")).collect()), false)
            }
            Anchor::Nothing => (None, None, true),
        };
        Self {
            ca_file,
            server_name: server_name.as_deref(),
            fingerprint_sha256,
            insecure_skip_verify,
            cert_file: identity.as_ref().map(|_| "<a certificate>"),
            key_file: identity.as_ref().map(|_| HIDDEN),
            min_version: match min_version {
                TlsVersion::Tls12 => "TLS12",
                TlsVersion::Tls13 => "TLS13",
            },
            legacy: match backend {
                Backend::Modern => false,
                #[cfg(feature = "legacy-tls")]
                Backend::Legacy => true,
            },
        }
    }
}

/// The proxy before an appliance.
#[derive(Serialize)]
pub(super) struct ProxyKeys<'a> {
    url: &'a str,
    #[serde(flatten)]
    account: Option<ProxyAccount<'a>>,
}

impl<'a> ProxyKeys<'a> {
    pub(super) fn of(proxy: &'a Proxy) -> Self {
        let Proxy { url, credentials } = proxy;
        Self { url: url.as_str().trim_end_matches('/'), account: credentials.as_ref().map(ProxyAccount::of) }
    }
}

/// The account at a proxy.
#[derive(Serialize)]
struct ProxyAccount<'a> {
    username: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    password_file: Option<&'a Path>,
}

impl<'a> ProxyAccount<'a> {
    fn of(credentials: &'a Credentials) -> Self {
        let Credentials { username, password, second: _ } = credentials;
        let (password, password_file) = place(Some(password));
        Self { username, password, password_file }
    }
}

/// The placeholder of a secret, or the file with it.
pub(super) fn place(secret: Option<&Passphrase>) -> (Option<&'static str>, Option<&Path>) {
    match secret.map(Passphrase::file) {
        None => (None, None),
        Some(Some(file)) => (None, Some(file.path())),
        Some(None) => (Some(HIDDEN), None),
    }
}

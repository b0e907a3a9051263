//! Why a certificate is not believed and what to do about it: each reason has a way out of its own, and each shows the
//! fingerprint, so that what was shown can be compared with what the appliance has.

use std::fmt;

use rustls::{CertificateError, Error};

use crate::api::http::certificate::Facts;
use crate::config::Anchor;

/// RSA keys below this are verified in no case. **Source:** ring, `RSA_PKCS1_2048_8192_SHA256`, which counts whole
/// bytes.
const LEAST_RSA_BITS: usize = 2041;
/// The remedy for a certificate that cannot be trusted as it is.
const RENEW: &str = "create a new certificate on the appliance with the CLI command `certconfig`";

/// Why a certificate is not believed.
#[derive(Debug)]
pub(super) struct Refusal {
    /// Of the certificate.
    problem: String,
    remedy: String,
}

impl Refusal {
    /// The refusal of a certificate that no trusted CA makes acceptable: rustls cannot check a signature of its key, or
    /// read it at all, so the connection would fail a step later and with a poorer message.
    pub(super) fn of_unusable(facts: &Facts, fingerprint: &str) -> Option<Self> {
        let what = if facts.is_first_version {
            "is an X.509 version 1 certificate, which rustls does not support, even if pinned".to_owned()
        } else {
            let bits = facts.rsa_bits.filter(|bits| *bits < LEAST_RSA_BITS)?;
            format!("has an RSA key of {bits} bits; rustls requires at least 2048, even if pinned")
        };
        Some(Self::new(what, format!("{RENEW} (the SHA-256 of this one is {fingerprint})")))
    }

    /// It is not the pinned one.
    pub(super) fn of_other(fingerprint: &str) -> Self {
        let remedy = format!("if the certificate was replaced on purpose, set `tls.fingerprint_sha256: {fingerprint}`");
        Self::new("does not match `tls.fingerprint_sha256`", remedy)
    }

    /// There is nothing to check it against.
    pub(super) fn of_no_roots(anchor: &Anchor, facts: &Facts, fingerprint: &str) -> Self {
        if facts.is_self_issued {
            return Self::of_self_signed(anchor, fingerprint);
        }
        let what = match anchor {
            Anchor::File(_) => "is not in `tls.ca_file`, and no certificate there is a CA",
            Anchor::System | Anchor::Fingerprint(_) | Anchor::Nothing => {
                "cannot be verified: this machine has no root certificates (package ca-certificates)"
            }
        };
        Self::new(what, own(fingerprint))
    }

    /// The chain or the name is not right; `host` is what the certificate should be for.
    pub(super) fn of_error(error: &Error, anchor: &Anchor, facts: &Facts, host: &str, fingerprint: &str) -> Self {
        let pin = format!("`tls.fingerprint_sha256: {fingerprint}`");
        let Error::InvalidCertificate(error) = error else {
            return Self::new(format!("is not trusted ({error})"), own(fingerprint));
        };
        // Whatever else is wrong with it, the way out is the same.
        if facts.is_self_issued {
            return Self::of_self_signed(anchor, fingerprint);
        }
        let issuer = facts.issuer.as_deref().unwrap_or("an unnamed issuer");
        let authority = format!("set `tls.ca_file` to the certificate of that CA, or {pin}");
        let (problem, remedy) = match error {
            CertificateError::UnknownIssuer => (
                format!("was issued by `{issuer}`, which is not trusted"),
                format!("if this issuer is correct, {authority}"),
            ),
            CertificateError::BadSignature => (
                format!("names `{issuer}` as its issuer, but the trusted certificate of that name did not sign it"),
                format!("if there is a new one, {authority}"),
            ),
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => (
                format!("has expired{}", at(facts.not_after)),
                format!("renew it on the appliance with the CLI command `certconfig`, or accept it with {pin}"),
            ),
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => (
                format!("is not valid yet{}", at(facts.not_before)),
                format!("correct the clock of the appliance or of this machine, or accept it with {pin}"),
            ),
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                wrong_name(&facts.names, host, &pin)
            }
            _ if facts.is_sha1 => {
                ("is signed with SHA-1, which is no longer secure".into(), format!("{RENEW}, or accept it with {pin}"))
            }
            // rustls has more errors than there are ways out, and may get others.
            other => (format!("is not trusted ({other})"), own(fingerprint)),
        };
        Self { problem, remedy }
    }

    fn of_self_signed(anchor: &Anchor, fingerprint: &str) -> Self {
        let what = match anchor {
            Anchor::File(_) => "is self-signed and not in `tls.ca_file`",
            Anchor::System | Anchor::Fingerprint(_) | Anchor::Nothing => "is self-signed",
        };
        Self::new(what, own(fingerprint))
    }

    fn new(problem: impl Into<String>, remedy: String) -> Self {
        Self { problem: problem.into(), remedy }
    }

    /// The remedy, as an instruction.
    pub(super) fn remedy(&self) -> &str {
        &self.remedy
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "the certificate {}", self.problem)
    }
}

impl std::error::Error for Refusal {}

fn own(fingerprint: &str) -> String {
    format!("if it is the appliance's own, set `tls.ca_file`, or `tls.fingerprint_sha256: {fingerprint}`")
}

fn at(time: Option<crate::base::clock::Timestamp>) -> String {
    time.map(|time| format!(" ({time})")).unwrap_or_default()
}

/// The problem of a certificate for other hosts, and its remedy.
fn wrong_name(names: &[String], host: &str, pin: &str) -> (String, String) {
    match names {
        [] => (
            format!("names no host among its alternative names, which alone count, and should name `{host}`"),
            format!("{RENEW}, or accept it with {pin}"),
        ),
        [first, ..] => {
            let names = names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
            (
                format!("is valid for {names} and not for `{host}`"),
                format!("if it is the right appliance, set `tls.server_name: {first}`, or {pin}"),
            )
        }
    }
}

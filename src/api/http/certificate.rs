//! Facts in a certificate: when it expires, and what explains why it is not trusted. Knows nothing of trust. The bytes
//! come from any server at an appliance's address, so all are accepted and none of them panics.
//!
//! **Source:** RFC 5280 sections 4.1, 4.1.2.5 and 4.2.1.6; RFC 8017 appendix A.1.1.

use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;
use x509_parser::public_key::PublicKey;
use x509_parser::time::ASN1Time;
use x509_parser::x509::{SubjectPublicKeyInfo, X509Name, X509Version};

use crate::base::clock::Timestamp;
use crate::base::subject_alt_name::{self, SubjectAltName};

/// `sha1WithRSAEncryption` and `ecdsa-with-SHA1`.
const SHA1_SIGNATURES: [&str; 2] = ["1.2.840.113549.1.1.5", "1.2.840.10045.4.1"];

/// A name in a message is no longer than this, and there are no more of them.
const LONGEST_NAME: usize = 64;
const MOST_NAMES: usize = 8;

/// Facts in a certificate. Those that cannot be read are left out.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::api) struct Facts {
    /// Whether it is of X.509 version 1.
    pub(in crate::api) is_first_version: bool,
    /// Whether it names itself as its issuer.
    pub(in crate::api) is_self_issued: bool,
    /// Whether its signature is made with SHA-1.
    pub(in crate::api) is_sha1: bool,
    /// Who issued it, fit for a message.
    pub(in crate::api) issuer: Option<String>,
    /// As `not_after`.
    pub(in crate::api) not_before: Option<Timestamp>,
    /// One before 1970 counts as 1970.
    pub(in crate::api) not_after: Option<Timestamp>,
    /// The hosts and addresses that it is for, fit for a message.
    pub(in crate::api) names: Vec<String>,
    /// The length of its RSA key, if it is one.
    pub(in crate::api) rsa_bits: Option<usize>,
}

impl Facts {
    /// Reads `certificate`, which is in DER form.
    pub(in crate::api) fn of(certificate: &[u8]) -> Self {
        let Ok((_, read)) = X509Certificate::from_der(certificate) else { return Self::default() };
        let validity = read.validity();
        Self {
            is_first_version: read.version() == X509Version::V1,
            is_self_issued: read.subject().as_raw() == read.issuer().as_raw(),
            is_sha1: SHA1_SIGNATURES.contains(&read.signature_algorithm.algorithm.to_id_string().as_str()),
            issuer: name(read.issuer()),
            not_before: Some(time(validity.not_before)),
            not_after: Some(time(validity.not_after)),
            names: names(&read),
            rsa_bits: rsa_bits(read.public_key()),
        }
    }
}

fn time(time: ASN1Time) -> Timestamp {
    Timestamp::from_secs(u64::try_from(time.timestamp()).unwrap_or_default())
}

/// The common name in a name, or the organisation: what says most to people.
fn name(name: &X509Name<'_>) -> Option<String> {
    let attribute = name.iter_common_name().next().or_else(|| name.iter_organization().next())?;
    Some(shown(&String::from_utf8_lossy(attribute.as_slice())))
}

/// Text from outside, fit for a log.
fn shown(text: &str) -> String {
    let plain = |letter: char| if letter.is_control() || letter == '`' { ' ' } else { letter };
    text.chars().map(plain).take(LONGEST_NAME).collect()
}

/// The length of the modulus of an RSA key, in bits.
fn rsa_bits(key: &SubjectPublicKeyInfo<'_>) -> Option<usize> {
    let PublicKey::RSA(key) = key.parsed().ok()? else { return None };
    // The parser's own figure rounds up to whole bytes.
    let first = key.modulus.iter().position(|byte| *byte != 0)?;
    Some((key.modulus.len() - first) * 8 - key.modulus[first].leading_zeros() as usize)
}

/// The hosts and addresses among the names of `certificate`.
fn names(certificate: &X509Certificate<'_>) -> Vec<String> {
    let known = subject_alt_name::names(certificate).into_iter().filter_map(|name| match name {
        SubjectAltName::Host(host) => Some(shown(host)),
        SubjectAltName::Address(address) => Some(address.to_string()),
        SubjectAltName::Mailbox(_) | SubjectAltName::Uri(_) => None,
    });
    known.take(MOST_NAMES).collect()
}

#[cfg(test)]
mod tests;

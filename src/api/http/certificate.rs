//! What a certificate says of itself: as much of X.509 as it takes to tell when it ends and why it is not believed, and no
//! more. Knows nothing of trust; the bytes come from whoever answers at an appliance's address, so any bytes are taken and
//! none of them panics.
//!
//! **Source:** RFC 5280 sections 4.1, 4.1.2.5 and 4.2.1.6; RFC 8017 appendix A.1.1.

use crate::base::clock::Timestamp;
use crate::base::der::{Elements, SEQUENCE};

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OCTET_STRING: u8 = 0x04;
const OBJECT: u8 = 0x06;
const SET: u8 = 0x31;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
/// `[0]`, in which the version stands where it is not 1.
const VERSION: u8 = 0xa0;
/// `[3]`, in which the extensions stand.
const EXTENSIONS: u8 = 0xa3;
/// `[2]` and `[7]` of a general name: a host name, an address.
const DNS_NAME: u8 = 0x82;
const IP_ADDRESS: u8 = 0x87;

/// 2.5.4.3 and 2.5.4.10: the attributes of a name that say most to people.
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
const ORGANISATION: &[u8] = &[0x55, 0x04, 0x0a];
/// 2.5.29.17.
const SUBJECT_ALT_NAME: &[u8] = &[0x55, 0x1d, 0x11];
/// 1.2.840.113549.1.1.1.
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
/// 1.2.840.113549.1.1.5 and 1.2.840.10045.4.1.
const SHA1_SIGNATURES: [&[u8]; 2] =
    [&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x05], &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x01]];

/// A name in a message is no longer than this, and there are no more of them.
const LONGEST_NAME: usize = 64;
const MOST_NAMES: usize = 8;

/// What a certificate says. What cannot be read is left out.
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
    /// One that lies before 1970 counts as 1970.
    pub(in crate::api) not_after: Option<Timestamp>,
    /// The hosts and addresses that it is for, fit for a message.
    pub(in crate::api) names: Vec<String>,
    /// The length of its RSA key, if it is one.
    pub(in crate::api) rsa_bits: Option<usize>,
}

impl Facts {
    /// Reads `certificate`, which is in DER form.
    pub(in crate::api) fn of(certificate: &[u8]) -> Self {
        let Some(Head { is_first_version, algorithm, issuer, mut validity, mut rest }) = Head::of(certificate) else {
            return Self::default();
        };
        let not_before = end(&mut validity);
        let subject = rest.expect(SEQUENCE);
        Self {
            is_first_version,
            is_self_issued: subject.is_some_and(|subject| subject.0 == issuer.0),
            is_sha1: { algorithm }.expect(OBJECT).is_some_and(|Elements(known)| SHA1_SIGNATURES.contains(&known)),
            issuer: name(issuer),
            not_before,
            not_after: end(&mut validity),
            rsa_bits: rest.expect(SEQUENCE).and_then(rsa_bits),
            names: names(rest).unwrap_or_default(),
        }
    }
}

/// The first half of what is signed.
struct Head<'a> {
    is_first_version: bool,
    algorithm: Elements<'a>,
    issuer: Elements<'a>,
    validity: Elements<'a>,
    /// The subject, its key, and the extensions.
    rest: Elements<'a>,
}

impl<'a> Head<'a> {
    fn of(certificate: &'a [u8]) -> Option<Self> {
        let mut signed = Elements(certificate).expect(SEQUENCE)?.expect(SEQUENCE)?;
        let is_first_version = signed.0.first() != Some(&VERSION);
        if !is_first_version {
            signed.next()?;
        }
        let _serial = signed.expect(INTEGER)?;
        let algorithm = signed.expect(SEQUENCE)?;
        let issuer = signed.expect(SEQUENCE)?;
        let validity = signed.expect(SEQUENCE)?;
        Some(Self { is_first_version, algorithm, issuer, validity, rest: signed })
    }
}

/// One end of the validity.
fn end(validity: &mut Elements<'_>) -> Option<Timestamp> {
    let (tag, Elements(text)) = validity.next()?;
    time(tag, std::str::from_utf8(text).ok()?)
}

/// The common name in a name, or the organisation.
fn name(distinguished: Elements<'_>) -> Option<String> {
    let attribute = |wanted: &[u8]| {
        let mut sets = distinguished;
        while let Some(mut set) = sets.expect(SET) {
            let mut attribute = set.expect(SEQUENCE)?;
            if attribute.expect(OBJECT)?.0 == wanted {
                return attribute.next().map(|(_, Elements(text))| shown(&String::from_utf8_lossy(text)));
            }
        }
        None
    };
    attribute(COMMON_NAME).or_else(|| attribute(ORGANISATION))
}

/// Text of somebody else's, fit for a log.
fn shown(text: &str) -> String {
    let plain = |letter: char| if letter.is_control() || letter == '`' { ' ' } else { letter };
    text.chars().map(plain).take(LONGEST_NAME).collect()
}

/// How long the modulus of an RSA key is.
fn rsa_bits(mut key: Elements<'_>) -> Option<usize> {
    if key.expect(SEQUENCE)?.expect(OBJECT)?.0 != RSA {
        return None;
    }
    let Elements(bits) = key.expect(BIT_STRING)?;
    let Elements(modulus) = Elements(bits.strip_prefix(&[0])?).expect(SEQUENCE)?.expect(INTEGER)?;
    let first = modulus.iter().position(|byte| *byte != 0)?;
    let whole = modulus.len() - first;
    Some(whole * 8 - modulus[first].leading_zeros() as usize)
}

/// The subject's alternative names, from behind the key.
fn names(mut rest: Elements<'_>) -> Option<Vec<String>> {
    let mut extensions = loop {
        let (tag, mut inside) = rest.next()?;
        if tag == EXTENSIONS {
            break inside.expect(SEQUENCE)?;
        }
    };
    let mut found = loop {
        let mut extension = extensions.expect(SEQUENCE)?;
        if extension.expect(OBJECT)?.0 == SUBJECT_ALT_NAME {
            // Whether it is critical may stand between.
            let value = std::iter::from_fn(|| extension.next()).find(|(tag, _)| *tag == OCTET_STRING);
            break value.and_then(|(_, mut value)| value.expect(SEQUENCE))?;
        }
    };
    let general = std::iter::from_fn(|| found.next());
    let known = general.filter_map(|(tag, Elements(text))| match tag {
        DNS_NAME => Some(shown(&String::from_utf8_lossy(text))),
        IP_ADDRESS => address(text),
        _ => None,
    });
    Some(known.take(MOST_NAMES).collect())
}

fn address(bytes: &[u8]) -> Option<String> {
    let four = <[u8; 4]>::try_from(bytes).ok().map(|bytes| std::net::Ipv4Addr::from(bytes).to_string());
    four.or_else(|| <[u8; 16]>::try_from(bytes).ok().map(|bytes| std::net::Ipv6Addr::from(bytes).to_string()))
}

/// The forms that RFC 5280 allows: seconds are there, the zone is `Z`, and nothing is smaller than a second.
fn time(tag: u8, text: &str) -> Option<Timestamp> {
    let text = text.strip_suffix('Z').filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))?;
    let text = match (tag, text.len()) {
        (UTC_TIME, 12) => format!("{}{text}", if text < "50" { "20" } else { "19" }),
        (GENERALIZED_TIME, 14) => text.to_owned(),
        _ => return None,
    };
    if text.as_str() < "1970" {
        return Some(Timestamp::from_secs(0));
    }
    let part = |from: usize, to: usize| text.get(from..to).unwrap_or_default();
    let (year, month, day) = (part(0, 4), part(4, 6), part(6, 8));
    let (hour, minute, second) = (part(8, 10), part(10, 12), part(12, 14));
    let text = format!("{year}-{month}-{day}T{hour}:{minute}:{second}Z");
    humantime::parse_rfc3339(&text).ok().map(Timestamp::from)
}

#[cfg(test)]
mod tests;

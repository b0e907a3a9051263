//! The names that a client's certificate carries: as much of X.509 as leads to `subjectAltName`. The bytes come from
//! whoever connects, so any bytes are taken and none of them panics.
//!
//! **Source:** RFC 5280 sections 4.1 and 4.2.1.6.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::base::der::{Elements, SEQUENCE};

const OBJECT_IDENTIFIER: u8 = 0x06;
const OCTET_STRING: u8 = 0x04;
/// `[3]`, in which the extensions stand.
const EXTENSIONS: u8 = 0xa3;
/// 2.5.29.17, `subjectAltName`.
const SUBJECT_ALT_NAME: &[u8] = &[0x55, 0x1d, 0x11];
/// The forms of a name that are compared: `rfc822Name`, `dNSName`, `uniformResourceIdentifier`, `iPAddress`.
const EMAIL: u8 = 0x81;
const DNS: u8 = 0x82;
const URI: u8 = 0x86;
const ADDRESS: u8 = 0x87;

/// The host names, mail addresses, addresses and URIs in `certificate`, which is in DER form; none where it has no such
/// extension or cannot be read.
pub(super) fn names(certificate: &[u8]) -> Vec<String> {
    let Some(mut list) = subject_alt_names(certificate) else { return Vec::new() };
    let mut names = Vec::new();
    while let Some((tag, Elements(bytes))) = list.next() {
        names.extend(name(tag, bytes));
    }
    names
}

fn subject_alt_names(certificate: &[u8]) -> Option<Elements<'_>> {
    let mut signed = Elements(certificate).expect(SEQUENCE)?.expect(SEQUENCE)?;
    let mut extensions = loop {
        let (tag, inside) = signed.next()?;
        if tag == EXTENSIONS {
            break { inside }.expect(SEQUENCE)?;
        }
    };
    loop {
        let mut extension = extensions.expect(SEQUENCE)?;
        if extension.expect(OBJECT_IDENTIFIER)?.0 != SUBJECT_ALT_NAME {
            continue;
        }
        // Between the two stands whether it is critical, or nothing.
        loop {
            let (tag, mut inside) = extension.next()?;
            if tag == OCTET_STRING {
                return inside.expect(SEQUENCE);
            }
        }
    }
}

fn name(tag: u8, bytes: &[u8]) -> Option<String> {
    match tag {
        EMAIL | DNS | URI => String::from_utf8(bytes.to_vec()).ok(),
        ADDRESS => {
            let short = <[u8; 4]>::try_from(bytes).map(|bytes| Ipv4Addr::from(bytes).to_string());
            let long = || <[u8; 16]>::try_from(bytes).map(|bytes| Ipv6Addr::from(bytes).to_string());
            short.or_else(|_| long()).ok()
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rcgen::{CertificateParams, KeyPair, SanType};

    use super::*;

    fn certificate(names: Vec<SanType>) -> Vec<u8> {
        let mut params = CertificateParams::default();
        params.subject_alt_names = names;
        params.is_ca = rcgen::IsCa::ExplicitNoCa;
        params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().to_vec()
    }

    #[test]
    fn every_kind_of_name_is_found() {
        let names = vec![
            SanType::DnsName("prometheus.example.com".try_into().unwrap()),
            SanType::Rfc822Name("monitor@example.com".try_into().unwrap()),
            SanType::URI("spiffe://example.com/prometheus".try_into().unwrap()),
            SanType::IpAddress("192.0.2.1".parse().unwrap()),
            SanType::IpAddress("2001:db8::1".parse().unwrap()),
        ];
        let expected = [
            "prometheus.example.com",
            "monitor@example.com",
            "spiffe://example.com/prometheus",
            "192.0.2.1",
            "2001:db8::1",
        ];
        assert_eq!(super::names(&certificate(names)), expected);
        assert!(super::names(&certificate(Vec::new())).is_empty());
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), cut in 0_usize..400) {
            names(&bytes);
            let mut whole = certificate(vec![SanType::DnsName("a.example.com".try_into().unwrap())]);
            whole.truncate(cut);
            names(&whole);
        }
    }
}

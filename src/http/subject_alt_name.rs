//! The names in a client's certificate. The bytes come from whoever connects, so any bytes are accepted and none of them
//! panics.
//!
//! **Source:** RFC 5280 sections 4.1 and 4.2.1.6.

use std::net::{Ipv4Addr, Ipv6Addr};

use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer;

/// The host names, mail addresses, addresses and URIs in `certificate`, which is in DER form; none where it has no
/// `subjectAltName` or cannot be read.
pub(super) fn names(certificate: &[u8]) -> Vec<String> {
    let Ok((_, certificate)) = X509Certificate::from_der(certificate) else { return Vec::new() };
    let Ok(Some(extension)) = certificate.subject_alternative_name() else { return Vec::new() };
    extension.value.general_names.iter().filter_map(name).collect()
}

fn name(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::RFC822Name(text) | GeneralName::DNSName(text) | GeneralName::URI(text) => Some((*text).to_owned()),
        GeneralName::IPAddress(bytes) => {
            let short = <[u8; 4]>::try_from(*bytes).map(|bytes| Ipv4Addr::from(bytes).to_string());
            let long = || <[u8; 16]>::try_from(*bytes).map(|bytes| Ipv6Addr::from(bytes).to_string());
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

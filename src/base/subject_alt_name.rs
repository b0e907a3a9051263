//! The names for which a certificate was issued. The bytes come from any client, or any server
//! at an appliance's address, so all are accepted and none of them panics. Knows nothing of trust.
//!
//! **Source:** RFC 5280 sections 4.1 and 4.2.1.6.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer;

/// One name of a `subjectAltName`, of the kinds that are used for hosts and clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SubjectAltName<'a> {
    Host(&'a str),
    Address(IpAddr),
    Mailbox(&'a str),
    Uri(&'a str),
}

impl fmt::Display for SubjectAltName<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Host(text) | Self::Mailbox(text) | Self::Uri(text) => out.write_str(text),
            Self::Address(address) => address.fmt(out),
        }
    }
}

/// The names in `certificate`, in its order; none where it has no `subjectAltName`. Names of other kinds are left out.
pub(crate) fn names<'a>(certificate: &X509Certificate<'a>) -> Vec<SubjectAltName<'a>> {
    let Ok(Some(extension)) = certificate.subject_alternative_name() else { return Vec::new() };
    let known = extension.value.general_names.iter().filter_map(|name| match name {
        GeneralName::DNSName(host) => Some(SubjectAltName::Host(host)),
        GeneralName::IPAddress(bytes) => address(bytes).map(SubjectAltName::Address),
        GeneralName::RFC822Name(mailbox) => Some(SubjectAltName::Mailbox(mailbox)),
        GeneralName::URI(uri) => Some(SubjectAltName::Uri(uri)),
        _ => None,
    });
    known.collect()
}

/// The text of each name in `certificate`, which is in DER form; none where it cannot be read.
pub(crate) fn texts(certificate: &[u8]) -> Vec<String> {
    let Ok((_, certificate)) = X509Certificate::from_der(certificate) else { return Vec::new() };
    names(&certificate).iter().map(ToString::to_string).collect()
}

/// The address of four or sixteen bytes.
fn address(bytes: &[u8]) -> Option<IpAddr> {
    let short = <[u8; 4]>::try_from(bytes).ok().map(|bytes| Ipv4Addr::from(bytes).into());
    short.or_else(|| <[u8; 16]>::try_from(bytes).ok().map(|bytes| Ipv6Addr::from(bytes).into()))
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
        assert_eq!(texts(&certificate(names)), expected);
        assert!(texts(&certificate(Vec::new())).is_empty());
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), cut in 0_usize..400) {
            texts(&bytes);
            let mut whole = certificate(vec![SanType::DnsName("a.example.com".try_into().unwrap())]);
            whole.truncate(cut);
            texts(&whole);
        }
    }
}

//! Certificates of all kinds, whole and damaged, and what is read from them.

use std::time::Duration;

use proptest::prelude::*;
use rcgen::{CertificateParams, DnType, KeyPair};

use super::*;

/// 2050-01-01T00:00:00Z, from which on the year needs four digits.
const FOUR_DIGITS: u64 = 2_524_608_000;
/// 9999-12-31T23:59:59Z, which says that a certificate never ends. **Source:** RFC 5280 section 4.1.2.5.
const NEVER: u64 = 253_402_300_799;

fn not_after(certificate: &[u8]) -> Option<Timestamp> {
    Facts::of(certificate).not_after
}

/// A certificate of `key` that ends so many seconds after 1970.
fn certificate(key: &KeyPair, name: &str, end: u64) -> Vec<u8> {
    let mut params = CertificateParams::new(vec![name.to_owned()]).expect("a host name");
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = rcgen::date_time_ymd(1970, 1, 1);
    params.not_after = rcgen::date_time_ymd(1970, 1, 1) + Duration::from_secs(end);
    params.self_signed(key).expect("a certificate").der().to_vec()
}

fn key() -> KeyPair {
    KeyPair::generate().expect("a key")
}

#[test]
fn the_end_is_read_in_both_forms() {
    let key = key();
    for end in [0, 1, 1_795_435_230, FOUR_DIGITS - 1, FOUR_DIGITS, NEVER] {
        let read = not_after(&certificate(&key, "esa1.example.com", end));
        assert_eq!(read, Some(Timestamp::from_secs(end)), "{end}");
    }
}

#[test]
fn a_part_of_a_certificate_tells_nothing() {
    let whole = certificate(&key(), "esa1.example.com", NEVER);
    for end in 0..whole.len() {
        assert_eq!(not_after(&whole[..end]), None, "{end} of {} bytes", whole.len());
    }
}

#[test]
fn lengths_that_lie_are_refused() {
    for lie in [&[0x30, 0x80][..], &[0x30, 0x84, 0xff, 0xff, 0xff, 0xff], &[0x30, 0x85, 0, 0, 0, 0, 0], &[0x30, 0xff]] {
        assert_eq!(not_after(lie), None, "{lie:x?}");
    }
    assert_eq!(not_after(&[0x3f, 0x00]), None, "no certificate has a tag of several bytes");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_end_is_read(end in 0..=NEVER, name in "[a-z]{1,60}\\.example\\.com") {
        prop_assert_eq!(not_after(&certificate(&key(), &name, end)), Some(Timestamp::from_secs(end)));
    }

    #[test]
    fn any_bytes_are_taken(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        not_after(&bytes);
    }

    #[test]
    fn a_damaged_certificate_is_taken(
        end in 0..=NEVER,
        // Most bytes that matter stand at the front.
        changes in prop::collection::vec((prop_oneof![0..160_usize, 0..400_usize], any::<u8>()), 1..6),
        cut in 0..20_usize,
    ) {
        let mut bytes = certificate(&key(), "esa1.example.com", end);
        for (at, byte) in changes {
            let at = at % bytes.len();
            bytes[at] = byte;
        }
        bytes.truncate(bytes.len() - cut);
        if let Some(read) = not_after(&bytes) {
            prop_assert!(read <= Timestamp::from_secs(NEVER));
        }
    }
}

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

fn element(tag: u8, inside: &[u8]) -> Vec<u8> {
    let length = u8::try_from(inside.len()).expect("short");
    let head = if length < 0x80 { vec![tag, length] } else { vec![tag, 0x81, length] };
    [head, inside.to_vec()].concat()
}

/// The least that is a certificate of version 1, which does not say its version.
fn least(tag: u8, text: &str) -> Vec<u8> {
    let time = element(tag, text.as_bytes());
    let validity = element(SEQUENCE, &[time.clone(), time].concat());
    let (serial, empty) = (element(INTEGER, &[1]), element(SEQUENCE, &[]));
    element(SEQUENCE, &element(SEQUENCE, &[serial, empty.clone(), empty, validity].concat()))
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
fn only_the_forms_of_the_standard_are_times() {
    let seconds = |tag, text| not_after(&least(tag, text)).map(Timestamp::as_secs);
    assert_eq!(seconds(UTC_TIME, "261123120030Z"), Some(1_795_435_230));
    assert_eq!(seconds(UTC_TIME, "491231235959Z"), Some(FOUR_DIGITS - 1));
    assert_eq!(seconds(UTC_TIME, "500101000000Z"), Some(0), "1950 and not 2050");
    assert_eq!(seconds(UTC_TIME, "700101000001Z"), Some(1));
    assert_eq!(seconds(GENERALIZED_TIME, "20261123120030Z"), Some(1_795_435_230));
    assert_eq!(seconds(GENERALIZED_TIME, "99991231235959Z"), Some(NEVER));
    assert_eq!(seconds(GENERALIZED_TIME, "20240229000000Z"), Some(1_709_164_800));
    for (tag, text) in [
        (UTC_TIME, ""),
        (UTC_TIME, "Z"),
        (UTC_TIME, "2611231200Z"),
        (UTC_TIME, "261123120030"),
        (UTC_TIME, "261123120030+0000"),
        (UTC_TIME, "26112312003éZ"),
        (UTC_TIME, "261323120030Z"),
        (UTC_TIME, "230229000000Z"),
        (UTC_TIME, "261123240000Z"),
        (UTC_TIME, "20261123120030Z"),
        (GENERALIZED_TIME, "261123120030Z"),
        (GENERALIZED_TIME, "20261123120030.5Z"),
        (GENERALIZED_TIME, "-0261123120030Z"),
        (INTEGER, "261123120030Z"),
    ] {
        assert_eq!(seconds(tag, text), None, "{tag:#x} {text}");
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

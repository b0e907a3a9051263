//! When a certificate ends: as much of X.509 as leads to its `notAfter`, and no more. Knows nothing of trust; the bytes
//! come from whoever answers at an appliance's address, so any bytes are taken and none of them panics.
//!
//! **Source:** RFC 5280 sections 4.1 and 4.1.2.5.

use crate::clock::Timestamp;
use crate::der::{Elements, SEQUENCE};

const INTEGER: u8 = 0x02;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
/// `[0]`, in which the version stands where it is not 1.
const VERSION: u8 = 0xa0;

/// The end of the validity of `certificate`, which is in DER form; none where it cannot be read. One that lies before
/// 1970 counts as 1970.
pub(super) fn not_after(certificate: &[u8]) -> Option<Timestamp> {
    let mut signed = Elements(certificate).expect(SEQUENCE)?.expect(SEQUENCE)?;
    if signed.0.first() == Some(&VERSION) {
        signed.next()?;
    }
    let _serial = signed.expect(INTEGER)?;
    let _algorithm = signed.expect(SEQUENCE)?;
    let _issuer = signed.expect(SEQUENCE)?;
    let mut validity = signed.expect(SEQUENCE)?;
    let _not_before = validity.next()?;
    let (tag, Elements(text)) = validity.next()?;
    time(tag, std::str::from_utf8(text).ok()?)
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
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;
    use rcgen::{CertificateParams, DnType, KeyPair};

    use super::*;

    /// 2050-01-01T00:00:00Z, from which on the year needs four digits.
    const FOUR_DIGITS: u64 = 2_524_608_000;
    /// 9999-12-31T23:59:59Z, which says that a certificate never ends. **Source:** RFC 5280 section 4.1.2.5.
    const NEVER: u64 = 253_402_300_799;

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
        for lie in
            [&[0x30, 0x80][..], &[0x30, 0x84, 0xff, 0xff, 0xff, 0xff], &[0x30, 0x85, 0, 0, 0, 0, 0], &[0x30, 0xff]]
        {
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
}

//! The second factor of the user: passcodes by time. **Source:** RFC 6238; that there is a second step at
//! `login/two_factor` is documented, everything else about it is assumed.

use ring::hmac;

/// Validity of one passcode, in seconds.
const PERIOD: u64 = 30;

/// The passcode of six digits at `now`, in seconds since 1970.
#[must_use]
pub fn passcode(secret: &[u8], now: u64) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret);
    let sum = hmac::sign(&key, &step(now).to_be_bytes());
    let sum = sum.as_ref();
    let offset = usize::from(sum.last().copied().unwrap_or_default() & 0x0f);
    let part = sum.get(offset..offset + 4).unwrap_or_default();
    let number = part.iter().fold(0_u32, |number, byte| number << 8 | u32::from(*byte)) & 0x7fff_ffff;
    format!("{:06}", number % 1_000_000)
}

/// The number of the step that `now` lies in; a passcode is good for one.
pub(super) fn step(now: u64) -> u64 {
    now / PERIOD
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passcodes_equal_those_of_rfc_6238() {
        // Appendix B, without its first two digits.
        for (now, expected) in [(59, "287082"), (1_111_111_109, "081804"), (1_234_567_890, "005924")] {
            assert_eq!(passcode(b"12345678901234567890", now), expected);
        }
    }
}

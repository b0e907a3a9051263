//! Elements of DER, one after another: as much as it takes to find something in a certificate. The bytes may come from
//! anybody, so any bytes are taken and none of them panics. Knows nothing of certificates.
//!
//! **Source:** X.690 sections 8.1 and 10.1.

/// The tag of a sequence.
pub(crate) const SEQUENCE: u8 = 0x30;

/// The bits of a tag that say that its number goes on in the next byte.
const LONG_TAG: u8 = 0x1f;

/// Elements that follow each other.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Elements<'a>(pub(crate) &'a [u8]);

impl<'a> Elements<'a> {
    /// Takes the next element, which must carry `tag`, and returns what is in it.
    pub(crate) fn expect(&mut self, tag: u8) -> Option<Elements<'a>> {
        self.next().and_then(|(found, inside)| (found == tag).then_some(inside))
    }

    /// Takes the next element and returns its tag and what is in it.
    pub(crate) fn next(&mut self) -> Option<(u8, Elements<'a>)> {
        let (&tag, rest) = self.0.split_first()?;
        let (length, rest) = length(rest)?;
        let (inside, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        (tag & LONG_TAG != LONG_TAG).then_some((tag, Elements(inside)))
    }
}

/// A length and what follows it. Four bytes of length are more than any certificate that TLS can carry; the indefinite
/// form does not exist in DER.
fn length(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (&first, rest) = bytes.split_first()?;
    match first {
        0..=0x7f => Some((first.into(), rest)),
        0x81..=0x84 => {
            let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            let length = digits.iter().fold(0_u32, |length, digit| length << 8 | u32::from(*digit));
            Some((usize::try_from(length).ok()?, rest))
        }
        0x80 | 0x85..=0xff => None,
    }
}

//! One member of gzip out of parts that were compressed apart. Browsers and some libraries read the first member of a
//! body and no further, so the parts become one: raw deflate that ends at a byte, and checksums that are combined.
//! **Source:** RFC 1951, section 3.2.4; RFC 1952, section 2.2; RFC 7692 has the same trick for messages.

use bytes::Bytes;
use flate2::{Compress, Compression, Crc, FlushCompress, Status};

/// Without a name, a time or a hint at the system.
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
/// The most that a block can hold that is stored as it is.
const LARGEST_STORED: usize = 0xffff;

/// A part of a text, compressed with regard to nothing but what comes right before it.
#[derive(Debug)]
pub(super) struct Fragment {
    deflated: Bytes,
    crc: Crc,
}

/// Compresses fragments, one after the other. A deflater is large and dear to make, so it is kept.
#[derive(Debug)]
pub(super) struct Deflater {
    compress: Compress,
    /// Where a fragment grows.
    out: Vec<u8>,
}

impl Deflater {
    pub(super) fn new(level: u32) -> Self {
        Self { compress: Compress::new(Compression::new(level), false), out: Vec::new() }
    }

    /// Compresses `text`. It is found to be like `before`, which must come right before it wherever the fragment is put.
    pub(super) fn fragment(&mut self, before: &[u8], text: &[u8]) -> Fragment {
        let mut crc = Crc::new();
        crc.update(text);
        self.compress.reset();
        if !before.is_empty()
            && let Err(error) = self.compress.set_dictionary(before)
        {
            unreachable!("a deflater that was just reset: {error}");
        }
        self.out.clear();
        let mut read = 0;
        loop {
            self.out.reserve(text.len() / 4 + 64);
            let before = self.compress.total_in();
            // A flush makes the fragment end at a byte; raw deflate of memory does not fail.
            let status = self.compress.compress_vec(&text[read..], &mut self.out, FlushCompress::Sync);
            read += usize::try_from(self.compress.total_in() - before).unwrap_or_default();
            match status {
                Ok(Status::Ok | Status::StreamEnd) if read < text.len() || self.out.len() == self.out.capacity() => {}
                // Nothing is left to be flushed.
                Ok(_) => break,
                Err(error) => unreachable!("a deflater that was just reset: {error}"),
            }
        }
        Fragment { deflated: Bytes::copy_from_slice(&self.out), crc }
    }
}

/// A member that grows.
#[derive(Debug)]
pub(super) struct Member {
    bytes: Vec<u8>,
    crc: Crc,
}

impl Member {
    /// Of `fragments`, and not ended yet.
    pub(super) fn new<'a>(fragments: impl Iterator<Item = &'a Fragment> + Clone) -> Self {
        let size = fragments.clone().map(|fragment| fragment.deflated.len()).sum::<usize>() + HEADER.len();
        let mut bytes = Vec::with_capacity(size);
        bytes.extend_from_slice(&HEADER);
        let mut crc = Crc::new();
        for fragment in fragments {
            bytes.extend_from_slice(&fragment.deflated);
            crc.combine(&fragment.crc);
        }
        Self { bytes, crc }
    }

    /// The compressed bytes, and the state on which the end depends.
    pub(super) fn open(self) -> (Bytes, Crc) {
        (self.bytes.into(), self.crc)
    }
}

/// The end of a member with the checksum `crc` so far: `text`, stored uncompressed. To compress so little would take longer
/// than to send it.
pub(super) fn end(crc: &Crc, text: &[u8]) -> Bytes {
    let mut whole = Crc::new();
    whole.combine(crc);
    whole.update(text);
    let mut bytes = Vec::with_capacity(text.len() + 16);
    let mut rest = text;
    loop {
        let (part, left) = rest.split_at(rest.len().min(LARGEST_STORED));
        let length = u16::try_from(part.len()).unwrap_or(u16::MAX);
        bytes.push(u8::from(left.is_empty()));
        bytes.extend_from_slice(&length.to_le_bytes());
        bytes.extend_from_slice(&(!length).to_le_bytes());
        bytes.extend_from_slice(part);
        rest = left;
        if rest.is_empty() {
            break;
        }
    }
    bytes.extend_from_slice(&whole.sum().to_le_bytes());
    bytes.extend_from_slice(&whole.amount().to_le_bytes());
    bytes.into()
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use proptest::prelude::*;

    use super::*;

    fn inflated(packed: &[u8]) -> Vec<u8> {
        let mut text = Vec::new();
        // Reads one member and no further, as browsers do, and checks its sum and length.
        let mut decoder = flate2::bufread::GzDecoder::new(packed);
        decoder.read_to_end(&mut text).expect("a member");
        assert!(decoder.into_inner().is_empty(), "nothing comes after it");
        text
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

        #[test]
        fn parts_are_one_member(
            level in 1_u32..=6,
            parts in prop::collection::vec((any::<u8>(), 0_usize..5_000), 0..6),
            tail in 0_usize..140_000,
        ) {
            let mut deflater = Deflater::new(level);
            // Neither all alike nor without any pattern.
            let text = |seed: u8, length: usize| {
                (0..length).map(|at| (at.wrapping_mul(at / 7 + usize::from(seed)) % 251) as u8).collect::<Vec<_>>()
            };
            let mut parts: Vec<Vec<u8>> = parts.into_iter().map(|(seed, length)| text(seed, length)).collect();
            // Each is told of more or less of the one before it.
            let mut before: &[u8] = &[];
            let mut fragments = Vec::new();
            for part in &parts {
                fragments.push(deflater.fragment(before, part));
                before = &part[part.len() - part.len().min(part.len() / 3 + 150)..];
            }
            let (begun, crc) = Member::new(fragments.iter()).open();
            parts.push(text(1, tail));
            let packed = [&begun[..], &end(&crc, &parts[parts.len() - 1])].concat();
            prop_assert_eq!(inflated(&packed), parts.concat());
        }
    }
}

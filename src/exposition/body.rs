//! The bytes of one answer: pieces that every scrape of a page shares, and a tail of its own. Nothing is copied for a
//! scrape. Knows nothing of what the bytes say.

use std::io::IoSlice;
use std::sync::Arc;

use bytes::{Buf, Bytes};

/// The body of one response, in pieces and in order; to be read as a [`Buf`].
#[derive(Clone, Debug)]
pub struct Body {
    pieces: Pieces,
    /// The current piece.
    next: usize,
    /// The bytes of it that are read.
    read: usize,
    tail: Bytes,
    left: usize,
}

/// Pieces that are shared, and how long they are together.
#[derive(Clone, Debug)]
pub(super) struct Pieces {
    pieces: Arc<[Bytes]>,
    length: usize,
}

impl Body {
    /// `pieces`, and then `tail`.
    pub(super) fn new(pieces: Pieces, tail: Bytes) -> Self {
        let left = pieces.length + tail.len();
        Self { pieces, next: 0, read: 0, tail, left }
    }
}

impl FromIterator<Bytes> for Pieces {
    fn from_iter<I: IntoIterator<Item = Bytes>>(pieces: I) -> Self {
        let pieces: Arc<[Bytes]> = pieces.into_iter().collect();
        Self { length: pieces.iter().map(Bytes::len).sum(), pieces }
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        Self::new(Pieces::from_iter([]), bytes)
    }
}

impl Buf for Body {
    fn remaining(&self) -> usize {
        self.left
    }

    fn chunk(&self) -> &[u8] {
        let rest = self.pieces.pieces[self.next..].iter().enumerate().map(|(position, piece)| match position {
            0 => &piece[self.read..],
            _ => &piece[..],
        });
        rest.chain([&self.tail[..]]).find(|rest| !rest.is_empty()).unwrap_or_default()
    }

    fn chunks_vectored<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let rest = self.pieces.pieces[self.next..].iter().enumerate().map(|(position, piece)| match position {
            0 => &piece[self.read..],
            _ => &piece[..],
        });
        let mut filled = 0;
        for (slice, rest) in slices.iter_mut().zip(rest.chain([&self.tail[..]]).filter(|rest| !rest.is_empty())) {
            *slice = IoSlice::new(rest);
            filled += 1;
        }
        filled
    }

    fn advance(&mut self, mut count: usize) {
        assert!(count <= self.left, "no more is read than there is");
        self.left -= count;
        while let Some(piece) = self.pieces.pieces.get(self.next) {
            let rest = piece.len() - self.read;
            if count < rest {
                self.read += count;
                return;
            }
            count -= rest;
            self.next += 1;
            self.read = 0;
        }
        self.tail.advance(count);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body() -> Body {
        let pieces = ["ab", "", "cde", "f"].map(|piece| Bytes::from_static(piece.as_bytes()));
        Body::new(pieces.into_iter().collect(), Bytes::from_static(b"ghij"))
    }

    #[test]
    fn it_is_read_in_order_however_it_is_read() {
        for step in 1..=10 {
            let (mut body, mut read) = (body(), Vec::new());
            assert_eq!(body.remaining(), 10);
            while body.has_remaining() {
                let take = body.chunk().len().min(step);
                assert!(take > 0);
                read.extend_from_slice(&body.chunk()[..take]);
                body.advance(take);
            }
            assert_eq!(read, b"abcdefghij", "in steps of {step}");
        }
    }

    #[test]
    fn many_pieces_go_out_at_once_from_wherever_it_is() {
        for skipped in 0..=10 {
            let mut body = body();
            body.advance(skipped);
            let mut slices = [IoSlice::new(&[]); 8];
            let filled = body.chunks_vectored(&mut slices);
            let seen: Vec<u8> = slices[..filled].iter().flat_map(|slice| slice.to_vec()).collect();
            assert_eq!(seen, &b"abcdefghij"[skipped..]);
        }
        assert_eq!(body().chunks_vectored(&mut [IoSlice::new(&[]); 2]), 2);
    }
}

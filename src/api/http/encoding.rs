//! The compression of a body: it is never requested, and some servers and proxies compress all the same.
//! Decodes within the bound of a body, whatever it grows to, and makes text of it. Knows nothing of what is in it.

use std::io::{ErrorKind, Read};

use flate2::bufread::{DeflateDecoder, GzDecoder, ZlibDecoder};
use reqwest::header::{CONTENT_ENCODING, HeaderMap};

use crate::api::{Cause, Failure, Reason};

/// Letters of an unknown encoding that are repeated.
const LONGEST_NAME: usize = 40;
/// The first bytes of each member of gzip. **Source:** RFC 1952 section 2.3.1.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// The encoding of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::api) enum Encoding {
    Identity,
    Gzip,
    Deflate,
}

impl Encoding {
    /// The one that `headers` name.
    ///
    /// # Errors
    /// When it is one that is not read, or several, one over the other.
    ///
    /// **Source:** RFC 9110 section 8.4.1.
    pub(in crate::api) fn of(headers: &HeaderMap) -> Result<Self, Failure> {
        let named: Vec<String> = headers
            .get_all(CONTENT_ENCODING)
            .iter()
            .flat_map(|value| {
                String::from_utf8_lossy(value.as_bytes())
                    .to_ascii_lowercase()
                    .split(',')
                    .map(|name| name.trim().to_owned())
                    .collect::<Vec<_>>()
            })
            .filter(|name| !name.is_empty() && name != "identity")
            .collect();
        match named.iter().map(String::as_str).collect::<Vec<_>>()[..] {
            [] => Ok(Self::Identity),
            ["gzip" | "x-gzip"] => Ok(Self::Gzip),
            ["deflate"] => Ok(Self::Deflate),
            _ => {
                let names: String = named.join(", ").chars().take(LONGEST_NAME).collect();
                let detail = format!("the body is encoded as `{names}`, which the exporter did not request");
                Err(Failure::new(Reason::Protocol, detail).caused_by(Cause::ModifiedResponse))
            }
        }
    }

    /// `body` as it was before it was encoded. What is not encoded though it is said to be is left as it is. May
    /// compute for milliseconds.
    ///
    /// # Errors
    /// [`Reason::TooLarge`] beyond `most` bytes, [`Reason::Reset`] where it is truncated, [`Reason::Protocol`] where it
    /// is damaged.
    pub(in crate::api) fn decoded(self, body: Vec<u8>, most: usize) -> Result<Vec<u8>, Failure> {
        match self {
            Self::Gzip if GZIP.starts_with(&body[..body.len().min(2)]) && !body.is_empty() => members(&body, most),
            Self::Identity | Self::Gzip => Ok(body),
            Self::Deflate if is_zlib(&body) => {
                let mut decoded = Vec::new();
                read(ZlibDecoder::new(&body[..]), "deflate", &mut decoded, most)?;
                Ok(decoded)
            }
            Self::Deflate if body.is_empty() || body.trim_ascii_start().starts_with(b"{") => Ok(body),
            // Some servers leave the frame out that the name implies.
            Self::Deflate => {
                let mut decoded = Vec::new();
                read(DeflateDecoder::new(&body[..]), "deflate", &mut decoded, most)?;
                Ok(decoded)
            }
        }
    }
}

/// All members of gzip in `body`, one after the other. What comes after them is no part of it, as for `gzip`.
fn members(body: &[u8], most: usize) -> Result<Vec<u8>, Failure> {
    let (mut rest, mut decoded) = (body, Vec::new());
    loop {
        let mut decoder = GzDecoder::new(rest);
        read(&mut decoder, "gzip", &mut decoded, most)?;
        rest = decoder.into_inner();
        if !rest.starts_with(&GZIP) {
            return Ok(decoded);
        }
    }
}

/// Whether `body` begins as a frame of zlib does. **Source:** RFC 1950 section 2.2.
fn is_zlib(body: &[u8]) -> bool {
    matches!(body, [method, flags, ..] if method & 0x0f == 8 && u16::from_be_bytes([*method, *flags]) % 31 == 0)
}

/// Adds what `decoder` gives to `decoded`, which gets no longer than `most` and one.
fn read(decoder: impl Read, name: &str, decoded: &mut Vec<u8>, most: usize) -> Result<(), Failure> {
    let left = (most - decoded.len()) as u64;
    match decoder.take(left + 1).read_to_end(decoded) {
        Ok(_) if decoded.len() > most => {
            Err(Failure::new(Reason::TooLarge, format!("the body is larger than {most} bytes without its {name}")))
        }
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
            Err(Failure::new(Reason::Reset, format!("the body is truncated inside its {name}")))
        }
        Err(error) => {
            let detail = format!("the body is corrupt inside its {name} ({error})");
            Err(Failure::new(Reason::Protocol, detail).caused_by(Cause::ModifiedResponse))
        }
    }
}

/// `body` as text, without a copy where it is one. Names in a report may be in any encoding; a strange byte in one must
/// not cost the numbers.
pub(in crate::api) fn text(body: Vec<u8>) -> String {
    let body = match String::from_utf8(body) {
        Ok(text) => return text,
        Err(error) => error.into_bytes(),
    };
    // Counted first: growing as it goes, the text could take several times its size.
    let invalid = body.utf8_chunks().filter(|chunk| !chunk.invalid().is_empty()).count();
    let mut text = String::with_capacity(body.len() + invalid * char::REPLACEMENT_CHARACTER.len_utf8());
    for chunk in body.utf8_chunks() {
        text.push_str(chunk.valid());
        if !chunk.invalid().is_empty() {
            text.push(char::REPLACEMENT_CHARACTER);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
    use reqwest::header::HeaderValue;

    use super::*;

    const TEXT: &[u8] = br#"{"data": {"resultSet": []}}"#;

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(text).expect("memory");
        encoder.finish().expect("memory")
    }

    fn deflate(text: &[u8]) -> [Vec<u8>; 2] {
        let mut framed = ZlibEncoder::new(Vec::new(), Compression::best());
        framed.write_all(text).expect("memory");
        let mut raw = DeflateEncoder::new(Vec::new(), Compression::best());
        raw.write_all(text).expect("memory");
        [framed.finish().expect("memory"), raw.finish().expect("memory")]
    }

    #[test]
    fn strange_bytes_are_replaced() {
        assert_eq!(text(b"a\xff\xc3\xbcb\xc3".to_vec()), String::from_utf8_lossy(b"a\xff\xc3\xbcb\xc3"));
    }

    #[test]
    fn the_header_names_the_encoding_and_what_is_not_read_is_named() {
        let of = |values: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(CONTENT_ENCODING, HeaderValue::from_static(value));
            }
            Encoding::of(&headers).map_err(|failure| (failure.reason, failure.detail))
        };
        for (values, expected) in [
            (&[][..], Encoding::Identity),
            (&["identity"], Encoding::Identity),
            (&[""], Encoding::Identity),
            (&["gzip"], Encoding::Gzip),
            (&[" X-GZip "], Encoding::Gzip),
            (&["identity, gzip"], Encoding::Gzip),
            (&["deflate"], Encoding::Deflate),
        ] {
            assert_eq!(of(values), Ok(expected), "{values:?}");
        }
        for (values, name) in [(&["br"][..], "br"), (&["gzip, br"], "gzip, br"), (&["gzip", "gzip"], "gzip, gzip")] {
            let detail = format!("the body is encoded as `{name}`, which the exporter did not request");
            assert_eq!(of(values), Err((Reason::Protocol, detail)));
        }
    }

    #[test]
    fn what_was_encoded_is_what_is_read() {
        let [framed, raw] = deflate(TEXT);
        let two = [gzip(&TEXT[..5]), gzip(&TEXT[5..])].concat();
        let (zeros, garbage) =
            ([gzip(TEXT), vec![0; 512]].concat(), [gzip(TEXT), b"<!-- cached -->".to_vec()].concat());
        for (encoding, body) in [
            (Encoding::Identity, TEXT.to_vec()),
            (Encoding::Gzip, gzip(TEXT)),
            (Encoding::Gzip, two),
            (Encoding::Gzip, zeros),
            (Encoding::Gzip, garbage),
            // It is not what it is said to be.
            (Encoding::Gzip, TEXT.to_vec()),
            (Encoding::Deflate, framed),
            (Encoding::Deflate, raw),
            (Encoding::Deflate, TEXT.to_vec()),
        ] {
            assert_eq!(encoding.decoded(body, TEXT.len()).expect("a body"), TEXT, "{encoding:?}");
        }
        for encoding in [Encoding::Gzip, Encoding::Deflate] {
            assert!(encoding.decoded(Vec::new(), 10).is_ok_and(|body| body.is_empty()), "no body, as with a 204");
        }
    }

    #[test]
    fn what_breaks_off_anywhere_is_no_answer() {
        let reason =
            |encoding: Encoding, body: &[u8]| encoding.decoded(body.to_vec(), 100).map_err(|failure| failure.reason);
        let (whole, [framed, raw]) = (gzip(TEXT), deflate(TEXT));
        for length in 1..whole.len() {
            assert_eq!(reason(Encoding::Gzip, &whole[..length]), Err(Reason::Reset), "{length}");
        }
        for (whole, least) in [(framed, 2), (raw, 1)] {
            for length in least..whole.len() {
                assert_eq!(reason(Encoding::Deflate, &whole[..length]), Err(Reason::Reset), "{length}");
            }
        }
        let mut damaged = whole;
        let at = damaged.len() - 6;
        damaged[at] ^= 1;
        assert_eq!(reason(Encoding::Gzip, &damaged), Err(Reason::Protocol), "the checksum is another");
    }

    #[test]
    fn what_grows_without_bound_is_given_up_at_the_bound() {
        let bomb = gzip(&vec![b' '; 10 << 20]);
        assert!(bomb.len() < 20_000);
        let many = gzip(&[b' '; 1000]).repeat(100);
        let [framed, raw] = deflate(&vec![b' '; 10 << 20]);
        let most = 64 << 10;
        for (encoding, body) in
            [(Encoding::Gzip, bomb), (Encoding::Gzip, many), (Encoding::Deflate, framed), (Encoding::Deflate, raw)]
        {
            let failure = encoding.decoded(body, most).expect_err("too large");
            assert_eq!(failure.reason, Reason::TooLarge);
        }
        let mut decoded = Vec::new();
        let failure = read(std::io::repeat(b' '), "gzip", &mut decoded, most).expect_err("too large");
        assert_eq!((failure.reason, decoded.len()), (Reason::TooLarge, most + 1));
    }
}

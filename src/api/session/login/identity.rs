//! The facts in a token about the appliance that issued it: model, release and serial number. The claim is not
//! documented and was recorded once, so nothing depends on it: a claim of another form counts as absent.

use base64::Engine as _;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::general_purpose::{GeneralPurpose, URL_SAFE_NO_PAD};
use base64::engine::{DecodePaddingMode, GeneralPurposeConfig};

use crate::api::wire::field::Wanted;
use crate::api::wire::json;
use crate::base::release::Release;
use crate::base::secret::Secret;

/// The longest claim that is decoded. The recorded one has about 300 bytes; most of it repeats headers of the request.
const LONGEST_COOKIE: usize = 8 << 10;
/// The longest model or serial number that is kept: they become label values. Known ones have at most 30 characters.
const LONGEST_PART: usize = 64;

/// An appliance as its token describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Such as `C600V`; none where it is empty, long, or not printable ASCII.
    pub model: Option<String>,
    /// The AsyncOS release.
    pub release: Release,
    /// The serial number, under the same conditions as the model.
    pub serial: Option<String>,
}

impl Identity {
    /// Reads the claim `cookie` of a JWT. None where there is no such claim or no build number in it.
    ///
    /// **Source:** a token recorded on an SMA 12.0 (nickrusso42518/postman): Base64 of a list joined by `;`, each item Base64
    /// again. One item is `model;version;serial;`.
    pub(in crate::api) fn of(token: &Secret) -> Option<Self> {
        let claims = token.expose().split('.').nth(1)?;
        let claims = URL_SAFE_NO_PAD.decode(claims.trim_end_matches('=')).ok()?;
        let claims =
            json::read(std::str::from_utf8(&claims).ok()?, Wanted { names: &["cookie"], refusal: None }).ok()?;
        let cookie = claims.get("cookie")?.text().filter(|cookie| cookie.len() <= LONGEST_COOKIE)?;
        // By its form and not by its place, which may differ in other releases.
        decoded(cookie)?.split(';').find_map(|item| Self::read(&decoded(item)?))
    }

    fn read(item: &str) -> Option<Self> {
        let mut parts = item.split(';');
        let model = parts.next()?;
        let release = parts.next()?.trim().parse().ok()?;
        Some(Self { model: part(model), release, serial: parts.next().and_then(part) })
    }
}

fn part(text: &str) -> Option<String> {
    let text = text.trim();
    let is_fit = !text.is_empty()
        && text.len() <= LONGEST_PART
        && text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ');
    is_fit.then(|| text.to_owned())
}

/// Base64 of UTF-8, in either alphabet and with or without padding.
fn decoded(text: &str) -> Option<String> {
    let config = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let bytes =
        [STANDARD, URL_SAFE].iter().find_map(|alphabet| GeneralPurpose::new(alphabet, config).decode(text).ok());
    String::from_utf8(bytes?).ok()
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::{STANDARD as BASE64, STANDARD_NO_PAD};

    use super::*;

    fn token(claims: &str) -> Secret {
        Secret::new(format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims)))
    }

    fn of_claim(cookie: &str) -> Option<Identity> {
        Identity::of(&token(&format!(r#"{{"exp": 2800, "cookie": "{cookie}"}}"#)))
    }

    /// The claim with this in place of the item that describes the appliance.
    fn cookie(item: impl AsRef<[u8]>) -> String {
        let items: [&[u8]; 7] =
            [b"1", b"application/json, */*;q=0.5", b"sma1:6443", b"agent/1.0", item.as_ref(), b"monitor", b""];
        BASE64.encode(items.map(|item| BASE64.encode(item)).join(";"))
    }

    fn identity(model: Option<&str>, serial: Option<&str>) -> Option<Identity> {
        let release = "15.5.5-014".parse().expect("a release");
        Some(Identity { model: model.map(str::to_owned), release, serial: serial.map(str::to_owned) })
    }

    #[test]
    fn the_recorded_form_is_read() {
        let expected = identity(Some("M600V"), Some("564D-AB"));
        assert_eq!(of_claim(&cookie("M600V;15.5.5-014;564D-AB;")), expected);
        assert_eq!(of_claim(&cookie("M600V;15.5.5-014;564D-AB;").replace('=', "")), expected);
        let alone = STANDARD_NO_PAD.encode(STANDARD_NO_PAD.encode("M600V;15.5.5-014;564D-AB"));
        assert_eq!(of_claim(&alone), expected, "wherever the item is, and without padding");
    }

    #[test]
    fn what_is_odd_in_one_part_leaves_the_others() {
        for (item, model, serial) in [
            ("M600V;15.5.5-014", Some("M600V"), None),
            ("M600V;15.5.5-014;;", Some("M600V"), None),
            (";15.5.5-014;564D-AB;more;and;more", None, Some("564D-AB")),
            ("M6\n00V;15.5.5-014;56\u{0}4D;", None, None),
            ("Mü;15.5.5-014;\u{202e};", None, None),
            (" M600V ; 15.5.5-014 ; 564D-AB ;", Some("M600V"), Some("564D-AB")),
        ] {
            assert_eq!(of_claim(&cookie(item)), identity(model, serial), "{item:?}");
        }
        let long = "x".repeat(LONGEST_PART + 1);
        assert_eq!(of_claim(&cookie(format!("{long};15.5.5-014;{long};"))), identity(None, None));
    }

    #[test]
    fn what_is_no_identity_is_none() {
        for item in ["", ";", ";;;", "M600V", "M600V 15.5.5-014 564D-AB", "M600V;15.5;1;", "15.5.5-014;M600V;1;"] {
            assert_eq!(of_claim(&cookie(item)), None, "{item:?}");
        }
        assert_eq!(of_claim(&cookie(b"M600V;15.5.5-014;\xff\xfe;")), None, "no UTF-8");
        assert_eq!(of_claim(&cookie("M600V;15.5.5-014;1;".to_owned() + &"x".repeat(LONGEST_COOKIE))), None, "huge");
        for claim in ["", "***", ";;;;", "M600V;15.5.5-014;564D-AB;", &BASE64.encode("M600V;15.5.5-014;564D-AB;")] {
            assert_eq!(of_claim(claim), None, "{claim:?}");
        }
        for claims in ["", "{}", "[]", r#"{"cookie": 5}"#, r#"{"cookie": null}"#, r#"{"cookie": ["a"]}"#, "\u{0}"] {
            assert_eq!(Identity::of(&token(claims)), None, "{claims:?}");
        }
        for opaque in ["", ".", "..", "opaque", "a.b.c", "a.ü.c"] {
            assert_eq!(Identity::of(&Secret::new(opaque)), None, "{opaque:?}");
        }
    }
}

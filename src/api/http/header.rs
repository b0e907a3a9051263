//! Headers: what those of an answer say (dates, waits, and where it points), and those that carry a credential.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{AUTHORIZATION, HeaderName, HeaderValue};
use url::Url;

use crate::api::{Failure, Reason};
use crate::base::clock::Timestamp;
use crate::base::secret::Secret;
use crate::config::Credentials;

/// The header that carries the appliance's own token; an answer may carry the next one. **Source:** API guide,
/// authentication.
pub(in crate::api) const TOKEN_HEADER: HeaderName = HeaderName::from_static("jwttoken");

/// The longest wait that an answer may ask for. A longer one is a mistake, and one near the end of the type would make
/// sums of spans overflow.
pub(in crate::api) const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(24 * 3600);

/// Letters of a target that are repeated.
const LONGEST_TARGET: usize = 200;

/// Host and path of `location` as seen from `asked`; none where it is no place. Nobody follows it, so it is as much as
/// helps an operator: user, query and fragment may hold a session.
pub(in crate::api) fn target(asked: &Url, location: &str) -> Option<String> {
    let target = asked.join(location.trim()).ok()?;
    let (host, port) = (target.host_str()?, target.port().map(|port| format!(":{port}")).unwrap_or_default());
    // Some servers write a session behind a semicolon in the path.
    let path = target.path().split(';').next().unwrap_or_default();
    Some(format!("{host}{port}{path}").chars().take(LONGEST_TARGET).collect())
}

pub(in crate::api) fn http_date(text: &str) -> Option<Timestamp> {
    httpdate::parse_http_date(text.trim()).ok().map(Timestamp::from)
}

/// Seconds or a date. **Source:** RFC 9110 section 10.2.3.
pub(in crate::api) fn retry_after(text: &str, now: Timestamp) -> Option<Duration> {
    let text = text.trim();
    let wait = text.parse().ok().map(Duration::from_secs).or_else(|| http_date(text).map(|until| until.since(now)));
    wait.map(|wait| wait.min(LONGEST_RETRY_AFTER))
}

/// The header that authenticates a request.
pub(in crate::api) type Header = (HeaderName, HeaderValue);

/// 423: the account is locked. **Source:** RFC 4918 section 11.3; that an appliance says so is assumed.
pub(in crate::api) const LOCKED: u16 = 423;

/// The value of `Authorization`.
fn basic_value(credentials: &Credentials) -> Secret {
    let pair = Secret::new(format!("{}:{}", credentials.username, credentials.password.text().expose()));
    Secret::new(format!("Basic {}", STANDARD.encode(pair.expose())))
}

pub(in crate::api) fn basic_header(credentials: &Credentials) -> Result<Header, Failure> {
    let unusable = || Failure::new(Reason::LoginRefused, "the password cannot be sent in an HTTP header");
    Ok((AUTHORIZATION, sensitive(&basic_value(credentials)).ok_or_else(unusable)?))
}

/// The header with the appliance's own token; none where the token cannot travel in one.
pub(in crate::api) fn token_header(token: &Secret) -> Option<Header> {
    Some((TOKEN_HEADER, sensitive(token)?))
}

pub(in crate::api) fn sensitive(text: &Secret) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(text.expose()).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// Whether `text` can travel in a header: visible ASCII, not empty.
pub(in crate::api) fn is_header_text(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Passphrase;

    #[test]
    fn the_header_of_basic_is_that_of_the_standard() {
        let credentials = Credentials {
            username: "monitor".into(),
            password: Passphrase::try_new("päss:word").expect("a password"),
            second: None,
        };
        assert_eq!(basic_value(&credentials).expose(), "Basic bW9uaXRvcjpww6Rzczp3b3Jk");
    }

    #[test]
    fn host_and_path_are_told_and_nothing_that_may_be_secret() {
        let asked = Url::parse("https://esa1.example.com:6443/esa/api/v2.0/login?a=b").expect("a URL");
        for (location, expected) in [
            ("https://esa1.example.com/login", Some("esa1.example.com/login")),
            ("/login", Some("esa1.example.com:6443/login")),
            (" login?CSRFKey=s3cret#s3cret ", Some("esa1.example.com:6443/esa/api/v2.0/login")),
            ("//other.example.com:83/euq-login;jsessionid=s3cret?next=/", Some("other.example.com:83/euq-login")),
            ("https://user:s3cret@[2001:db8::1]/", Some("[2001:db8::1]/")),
            ("", Some("esa1.example.com:6443/esa/api/v2.0/login")),
            ("http://", None),
            ("mailto:postmaster@example.com", None),
        ] {
            assert_eq!(target(&asked, location).as_deref(), expected, "{location}");
        }
        let long = target(&asked, &format!("/{}", "x".repeat(5000))).expect("a place");
        assert_eq!(long.len(), LONGEST_TARGET);
        assert_eq!(target(&asked, "/a\r\nb\u{7f}ü").as_deref(), Some("esa1.example.com:6443/ab%7F%C3%BC"));
    }

    #[test]
    fn retry_after_takes_seconds_and_dates() {
        let now = http_date("Mon, 23 Nov 2026 12:00:00 GMT").expect("a date");
        assert_eq!(retry_after("120", now), Some(Duration::from_secs(120)));
        assert_eq!(retry_after("Mon, 23 Nov 2026 12:00:30 GMT", now), Some(Duration::from_secs(30)));
        assert_eq!(retry_after("Mon, 23 Nov 2026 11:00:00 GMT", now), Some(Duration::ZERO));
        assert_eq!(retry_after("18446744073709551615", now), Some(LONGEST_RETRY_AFTER));
        assert_eq!(retry_after("Fri, 31 Dec 9999 23:59:59 GMT", now), Some(LONGEST_RETRY_AFTER));
        assert_eq!(retry_after("soon", now), None);
    }
}

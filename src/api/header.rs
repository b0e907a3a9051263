//! What headers of an answer say: dates, waits, and where it points.

use std::time::Duration;

use url::Url;

use crate::clock::Timestamp;

/// The longest wait that an answer may ask for. A longer one is a mistake, and one near the end of the type would make
/// sums of spans overflow.
pub(super) const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(24 * 3600);

/// Letters of a target that are repeated.
const LONGEST_TARGET: usize = 200;

/// Host and path of `location` as seen from `asked`; none where it is no place. Nobody follows it, so it is as much as helps
/// an operator: user, query and fragment may hold a session.
pub(super) fn target(asked: &Url, location: &str) -> Option<String> {
    let target = asked.join(location.trim()).ok()?;
    let (host, port) = (target.host_str()?, target.port().map(|port| format!(":{port}")).unwrap_or_default());
    // Some servers write a session behind a semicolon in the path.
    let path = target.path().split(';').next().unwrap_or_default();
    Some(format!("{host}{port}{path}").chars().take(LONGEST_TARGET).collect())
}

pub(super) fn http_date(text: &str) -> Option<Timestamp> {
    httpdate::parse_http_date(text.trim()).ok().map(Timestamp::from)
}

/// Seconds or a date. **Source:** RFC 9110 section 10.2.3.
pub(super) fn retry_after(text: &str, now: Timestamp) -> Option<Duration> {
    let text = text.trim();
    let wait = text.parse().ok().map(Duration::from_secs).or_else(|| http_date(text).map(|until| until.since(now)));
    wait.map(|wait| wait.min(LONGEST_RETRY_AFTER))
}

#[cfg(test)]
mod tests {
    use super::*;

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

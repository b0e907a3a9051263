//! The login's wire forms: what is sent, what comes back, what a token says of itself.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde::Deserialize;

use super::{Failure, Reason};
use crate::clock::Timestamp;
use crate::config::Credentials;
use crate::secret::Secret;

/// The life of a token that does not tell its own: what recorded tokens and published clients agree on.
const ASSUMED_LIFE: Duration = Duration::from_secs(30 * 60);

/// The body of `POST login`: each field in Base64 on its own.
///
/// **Source:** docs.ces.cisco.com, AsyncOS API, authentication.
pub(super) fn body(credentials: &Credentials) -> Secret {
    let field = |text: &str| STANDARD.encode(text.as_bytes());
    let name = field(&credentials.username);
    let passphrase = field(credentials.password.text.expose());
    // Base64 needs no escaping in JSON.
    Secret::new(format!(r#"{{"data": {{"userName": "{name}", "passphrase": "{passphrase}"}}}}"#))
}

/// The value of `Authorization` for Basic.
pub(super) fn basic(credentials: &Credentials) -> Secret {
    let pair = Secret::new(format!("{}:{}", credentials.username, credentials.password.text.expose()));
    Secret::new(format!("Basic {}", STANDARD.encode(pair.expose())))
}

#[derive(Deserialize)]
struct LoginBody {
    data: LoginData,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LoginData {
    jwt_token: Option<String>,
    #[serde(default)]
    is2_factor_redirect_required: serde_json::Value,
}

/// The token of a login's answer.
///
/// # Errors
/// When the account wants a second factor or the body holds no token.
pub(super) fn token(body: &str) -> Result<Secret, Failure> {
    // The parser's message may quote the body, which holds a token.
    let malformed = |detail: &str| Failure::new(Reason::Malformed, format!("the login's answer {detail}"));
    let login: LoginBody = serde_json::from_str(body).map_err(|_| malformed("is not the known JSON"))?;
    // Recorded as the text "true" or "false"; a switch is what others would send.
    let second_factor = &login.data.is2_factor_redirect_required;
    if second_factor == "true" || *second_factor == serde_json::Value::Bool(true) {
        let detail = "the account wants a second factor: use a service account without one";
        return Err(Failure::new(Reason::TwoFactor, detail));
    }
    let token = login.data.jwt_token.filter(|token| is_header_text(token));
    token.map(Secret::new).ok_or_else(|| malformed("holds no usable `jwtToken`"))
}

/// Whether `text` can travel in a header: visible ASCII, not empty.
pub(super) fn is_header_text(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// When a token ends and how long it lives as of `now`, both by the appliance's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Life {
    pub(super) expires: Timestamp,
    pub(super) span: Duration,
}

impl Life {
    /// Reads the claim `exp`. A token that has none, or one that is over already (a clock that cannot be right, since
    /// the token was just issued), is given the usual life: a login per request would be the alternative.
    pub(super) fn of(token: &Secret, now: Timestamp) -> Self {
        let expires = exp(token.expose()).map(Timestamp::from_secs).filter(|expires| *expires > now);
        let expires = expires.unwrap_or(now + ASSUMED_LIFE);
        Self { expires, span: expires.since(now) }
    }
}

fn exp(token: &str) -> Option<u64> {
    let claims = token.split('.').nth(1)?;
    let json = URL_SAFE_NO_PAD.decode(claims.trim_end_matches('=')).ok()?;
    let claims: serde_json::Value = serde_json::from_slice(&json).ok()?;
    let exp = claims.get("exp")?;
    // Above this lies the year 9999; a claim in milliseconds is none that the facts know.
    const LATEST: u64 = 253_402_300_799;
    exp.as_u64().or_else(|| exp.as_f64().filter(|exp| *exp >= 0.0).map(|exp| exp as u64)).filter(|exp| *exp <= LATEST)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Passphrase;

    fn jwt(claims: &str) -> Secret {
        Secret::new(format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims)))
    }

    #[test]
    fn the_body_is_the_documented_one() {
        let credentials =
            Credentials { username: "monitor".into(), password: Passphrase::new("päss:word"), second: None };
        let expected = r#"{"data": {"userName": "bW9uaXRvcg==", "passphrase": "cMOkc3M6d29yZA=="}}"#;
        assert_eq!(body(&credentials).expose(), expected);
        assert_eq!(basic(&credentials).expose(), "Basic bW9uaXRvcjpww6Rzczp3b3Jk");
    }

    #[test]
    fn the_token_is_found_in_all_recorded_forms() {
        let found = |body| token(body).map(|token| token.expose().to_owned()).map_err(|failure| failure.reason);
        assert_eq!(
            found(r#"{"data": {"userName": "a", "is2FactorRedirectRequired": "false", "jwtToken": "new_token"}}"#),
            Ok("new_token".into())
        );
        assert_eq!(found(r#"{"data": {"jwtToken": "x", "email": []}}"#), Ok("x".into()));
        assert_eq!(
            found(r#"{"data": {"is2FactorRedirectRequired": "true", "jwtToken": "x"}}"#),
            Err(Reason::TwoFactor)
        );
        assert_eq!(found(r#"{"data": {"is2FactorRedirectRequired": true}}"#), Err(Reason::TwoFactor));
        for body in [
            "",
            "<html>",
            "{}",
            r#"{"data": {}}"#,
            r#"{"data": {"jwtToken": ""}}"#,
            r#"{"data": {"jwtToken": "a\nb"}}"#,
        ] {
            assert_eq!(found(body), Err(Reason::Malformed), "{body}");
        }
    }

    #[test]
    fn a_failed_parse_quotes_no_token() {
        let failure = token(r#"{"data": {"jwtToken": "s3cret", "jwtToken": 1}}"#).unwrap_err();
        assert!(!format!("{failure:?}").contains("s3cret"));
    }

    #[test]
    fn life_comes_from_exp_against_the_appliances_clock() {
        let now = Timestamp::from_secs(1_000);
        let life = |claims| Life::of(&jwt(claims), now).expires.as_secs();
        assert_eq!(life(r#"{"exp": 2800}"#), 2800);
        assert_eq!(life(r#"{"exp": 2800.5}"#), 2800);
        for claims in ["{}", r#"{"exp": 999}"#, r#"{"exp": "soon"}"#, r#"{"exp": 1e300}"#, "no json"] {
            assert_eq!(life(claims), 2800, "the usual life for {claims}");
        }
        assert_eq!(Life::of(&Secret::new("opaque"), now).span, ASSUMED_LIFE);
    }
}

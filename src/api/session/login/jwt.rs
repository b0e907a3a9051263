//! The appliance's own login: a name and a passphrase for a token.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use super::second_factor::SecondFactor;
use super::{ASSUMED_LIFE, Credential, Identity, LoginFailure, TokenLifetime, granted, refused};
use crate::api::http::header::{is_header_text, token_header};
use crate::api::http::rate_limiter::Permit;
use crate::api::http::transport::{Answer, Transport};
use crate::api::time::Arrival;
use crate::api::wire::json::{self, Kept};
use crate::api::{Failure, Reason, RefusalCause};
use crate::base::secret::Secret;
use crate::config::{Credentials, Demand};

/// One login, and its second step where one is configured and the appliance requires it.
pub(super) async fn log_in(
    transport: &Transport,
    permit: Permit<'_>,
    credentials: &Credentials,
    second: Option<&SecondFactor>,
) -> Result<Credential, LoginFailure> {
    let answer = transport.post(permit, "login", &body(credentials), None).await?;
    let came = answer.arrival;
    let told = |failed: &LoginFailure| transport.failed(failed.failure.reason);
    let answer = granted(answer).inspect_err(told)?;
    let granted = Granted::read(answer.body()).map_err(|failure| no_grant(&answer, failure)).inspect_err(told)?;
    let (token, came) = match (second, granted.wants_more) {
        (None, false) => (granted.token.ok_or_else(no_token).inspect_err(told)?, came),
        (None, true) => {
            let detail = "the account requires a second factor: configure `two_factor`, or use an account without one";
            let failure = Failure::new(Reason::TwoFactor, detail);
            return Err(LoginFailure { failure, cause: RefusalCause::SecondFactor }).inspect_err(told);
        }
        (Some(second), false) if second.demand() == Demand::WhenAsked => {
            (granted.token.ok_or_else(no_token).inspect_err(told)?, came)
        }
        (Some(second), _) => second.give(transport, credentials, granted.token, came).await?,
    };
    proof(&token, came).inspect_err(told)
}

fn proof(token: &Secret, came: Arrival) -> Result<Credential, LoginFailure> {
    let unusable = || LoginFailure::refused(RefusalCause::Password, "the login token cannot be sent in an HTTP header");
    let header = token_header(token).ok_or_else(unusable)?;
    Ok(Credential {
        header,
        life: Some(TokenLifetime::of(token, came, ASSUMED_LIFE)),
        is_tried: false,
        identity: Identity::of(token),
    })
}

/// The body of `POST login`: each field in Base64 on its own.
///
/// **Source:** docs.ces.cisco.com, AsyncOS API, authentication.
fn body(credentials: &Credentials) -> Secret {
    let field = |text: &str| STANDARD.encode(text.as_bytes());
    let name = field(&credentials.username);
    let passphrase = field(credentials.password.text.expose());
    // Base64 needs no escaping in JSON.
    Secret::new(format!(r#"{{"data": {{"userName": "{name}", "passphrase": "{passphrase}"}}}}"#))
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
    is2_factor_redirect_required: Kept,
}

/// The meaning of the answer to a step of the login.
#[derive(Debug)]
pub(super) struct Granted {
    /// The token, where the body holds one that can travel in a header.
    pub(super) token: Option<Secret>,
    /// Whether a second factor is wanted.
    pub(super) wants_more: bool,
}

impl Granted {
    /// # Errors
    /// When the body is not that of a login.
    pub(super) fn read(body: &str) -> Result<Self, Failure> {
        // The parser's message may quote the body, which holds a token.
        let malformed = |_| match json::is_html(body) {
            true => Failure::new(Reason::Malformed, format!("the login response is HTML; {}", json::NOT_THE_API)),
            false => Failure::new(Reason::Malformed, "the login response is not the expected JSON"),
        };
        let LoginData { jwt_token, is2_factor_redirect_required: wanted } =
            serde_json::from_str::<LoginBody>(body).map_err(malformed)?.data;
        // Recorded as the text "true" or "false"; a switch is what others would send.
        let wants_more = wanted.text() == Some("true") || wanted == Kept::Switch(true);
        Ok(Self { token: jwt_token.filter(|token| is_header_text(token)).map(Secret::new), wants_more })
    }
}

/// What a success comes to that is not read as a login's, for the reason in `failure`: a refusal that keeps the
/// appliance's words, unless the answer was cut off.
fn no_grant(answer: &Answer, failure: Failure) -> LoginFailure {
    let body = answer.body().trim();
    if let Some(said) = json::message(body) {
        return LoginFailure::refused(RefusalCause::Password, format!("the login response has no token: {said}"));
    }
    // An answer of HTTP/1.0 may end with its connection, so that its end alone tells that it is whole.
    if body.starts_with('{') && !body.ends_with('}') {
        return failure.into();
    }
    refused(answer.is_the_apis_own(), &failure.detail)
}

/// The failure of a login without a token.
pub(super) fn no_token() -> LoginFailure {
    LoginFailure::refused(RefusalCause::Password, "the login response has no usable `jwtToken`")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Passphrase;

    #[test]
    fn the_body_is_the_documented_one() {
        let credentials =
            Credentials { username: "monitor".into(), password: Passphrase::new("päss:word"), second: None };
        let expected = r#"{"data": {"userName": "bW9uaXRvcg==", "passphrase": "cMOkc3M6d29yZA=="}}"#;
        assert_eq!(body(&credentials).expose(), expected);
    }

    #[test]
    fn the_token_is_found_in_all_recorded_forms() {
        let found = |body| Granted::read(body).map(|granted| (granted.token, granted.wants_more));
        let token = |text: &str| Some(Secret::new(text));
        for (body, expected) in [
            (
                r#"{"data": {"userName": "a", "is2FactorRedirectRequired": "false", "jwtToken": "new_token"}}"#,
                (token("new_token"), false),
            ),
            (r#"{"data": {"jwtToken": "x", "email": []}}"#, (token("x"), false)),
            (r#"{"data": {"is2FactorRedirectRequired": "true", "jwtToken": "x"}}"#, (token("x"), true)),
            (r#"{"data": {"is2FactorRedirectRequired": true}}"#, (None, true)),
            (r#"{"data": {}}"#, (None, false)),
            (r#"{"data": {"jwtToken": ""}}"#, (None, false)),
            (r#"{"data": {"jwtToken": "a\nb"}}"#, (None, false)),
        ] {
            assert_eq!(found(body).expect(body), expected, "{body}");
        }
        for body in ["", "<html>", "{}"] {
            assert_eq!(found(body).map_err(|failure| failure.reason).err(), Some(Reason::Malformed), "{body}");
        }
    }

    #[test]
    fn a_failed_parse_quotes_no_token() {
        let failure = Granted::read(r#"{"data": {"jwtToken": "s3cret", "jwtToken": 1}}"#).unwrap_err();
        assert!(!format!("{failure:?}").contains("s3cret"));
    }
}

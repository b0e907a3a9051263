//! The response to a step of the appliance's own login, read and judged: a token, the wish for a second factor, or a
//! refusal. Sends nothing.

use serde::Deserialize;

use super::LoginFailure;
use crate::api::http::header::is_header_text;
use crate::api::http::transport::Answer;
use crate::api::wire::json::{self, JsonScalar};
use crate::api::{Cause, Failure, Reason, RefusalCause};
use crate::base::secret::Secret;

#[derive(Deserialize)]
struct LoginBody {
    data: LoginData,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LoginData {
    jwt_token: Option<String>,
    #[serde(default)]
    is2_factor_redirect_required: JsonScalar,
}

/// The content of a response that accepts a step of the login.
#[derive(Debug)]
pub(super) struct LoginResponse {
    /// The token, where the body holds one that can travel in a header.
    pub(super) token: Option<Secret>,
    /// Whether the appliance requires a second factor.
    pub(super) wants_second_factor: bool,
}

impl LoginResponse {
    /// # Errors
    /// When the body is not that of a login.
    pub(super) fn read(body: &str) -> Result<Self, Failure> {
        // The parser's message may quote the body, which holds a token.
        let malformed = |_| match json::is_html(body) {
            true => Failure::new(Reason::Malformed, "the login response is HTML").caused_by(Cause::NotTheApi),
            false => Failure::new(Reason::Malformed, "the login response is not the expected JSON"),
        };
        let LoginData { jwt_token, is2_factor_redirect_required: wanted } =
            serde_json::from_str::<LoginBody>(body).map_err(malformed)?.data;
        // Recorded as the text "true" or "false"; a switch is what others would send.
        let wants_second_factor = wanted.text() == Some("true") || wanted == JsonScalar::Switch(true);
        Ok(Self { token: jwt_token.filter(|token| is_header_text(token)).map(Secret::new), wants_second_factor })
    }
}

/// `answer` to a step of a login, if it is a success.
///
/// Every complete answer that is none is a refusal: what the appliance counts towards its lock-out is not known of any
/// status, so each is bounded. A redirect is the doing of a server in between, and 408, 429 and 5xx are said of the
/// server's load before it looks at an account.
///
/// # Errors
/// [`Reason::LoginRefused`], or what else the status means.
pub(super) fn accepted(answer: Answer) -> Result<Answer, LoginFailure> {
    let (is_the_apis_own, is_of_the_server) = (answer.is_the_apis_own(), (500..=599).contains(&answer.status()));
    let is_unknown = answer.is_to_unknown_login();
    answer.checked().map_err(|failure| match failure.reason {
        Reason::Redirect | Reason::Throttled | Reason::Unavailable => failure.into(),
        // 501 among them, which of a report would be for good.
        _ if is_of_the_server => failure.because(Reason::Unavailable).into(),
        _ if is_unknown => {
            let cause = RefusalCause::OtherProduct;
            LoginFailure { failure: failure.because(Reason::LoginRefused).caused_by(Cause::Login(cause)), cause }
        }
        // The statuses of a refusal, from whichever server.
        Reason::Unauthorized | Reason::NotAllowed => failure.because(Reason::LoginRefused).into(),
        _ => refused(is_the_apis_own, failure),
    })
}

/// A refusal in the words of `failure`, in an answer that is in a form of the API or is not.
pub(super) fn refused(is_the_apis_own: bool, failure: Failure) -> LoginFailure {
    let failure = failure.because(Reason::LoginRefused);
    if is_the_apis_own {
        return LoginFailure { failure, cause: RefusalCause::Password };
    }
    let cause = RefusalCause::OtherServer;
    let failure = match failure.cause {
        Cause::Unknown => failure.caused_by(Cause::Login(cause)),
        // More is known already.
        _ => failure,
    };
    LoginFailure { failure, cause }
}

/// The failure of a login without a token.
pub(super) fn no_token() -> LoginFailure {
    LoginFailure::refused(RefusalCause::Password, "the login response has no usable `jwtToken`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_is_found_in_all_recorded_forms() {
        let found = |body| LoginResponse::read(body).map(|granted| (granted.token, granted.wants_second_factor));
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
        let failure = LoginResponse::read(r#"{"data": {"jwtToken": "s3cret", "jwtToken": 1}}"#).unwrap_err();
        assert!(!format!("{failure:?}").contains("s3cret"));
    }
}

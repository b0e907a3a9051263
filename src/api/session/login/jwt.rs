//! The appliance's own login: a name and a passphrase for a token.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::response::{LoginResponse, accepted, no_token, refused};
use super::second_factor::SecondFactor;
use super::{ASSUMED_LIFE, Credential, Identity, LoginFailure, TokenLifetime};
use crate::api::http::header::token_header;
use crate::api::http::rate_limiter::Permit;
use crate::api::http::transport::{Answer, Transport};
use crate::api::time::Arrival;
use crate::api::wire::json;
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
    let count = |failed: &LoginFailure| transport.failed(failed.failure.reason);
    let answer = accepted(answer).inspect_err(count)?;
    let response =
        LoginResponse::read(answer.body()).map_err(|failure| unreadable(&answer, failure)).inspect_err(count)?;
    let (token, came) = match (second, response.wants_second_factor) {
        (None, false) => (response.token.ok_or_else(no_token).inspect_err(count)?, came),
        (None, true) => {
            let failure = Failure::new(Reason::TwoFactor, "the login response asks for a second step");
            return Err(LoginFailure { failure, cause: RefusalCause::SecondFactor }).inspect_err(count);
        }
        (Some(second), false) if second.demand() == Demand::WhenAsked => {
            (response.token.ok_or_else(no_token).inspect_err(count)?, came)
        }
        (Some(second), _) => second.give(transport, credentials, response.token, came).await?,
    };
    proof(&token, came).inspect_err(count)
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
    let passphrase = field(credentials.password.text().expose());
    // Base64 needs no escaping in JSON.
    Secret::new(format!(r#"{{"data": {{"userName": "{name}", "passphrase": "{passphrase}"}}}}"#))
}

/// The failure of a login that was answered with success and a body that is not a login's, for the reason in `failure`: a
/// refusal that keeps the appliance's words, unless the answer was cut off.
fn unreadable(answer: &Answer, failure: Failure) -> LoginFailure {
    let body = answer.body().trim();
    if let Some(message) = json::message(body) {
        return LoginFailure::refused(RefusalCause::Password, format!("the login response has no token: {message}"));
    }
    // An answer of HTTP/1.0 may end with its connection, so that its end alone tells that it is whole.
    if body.starts_with('{') && !body.ends_with('}') {
        return failure.into();
    }
    refused(answer.is_the_apis_own(), failure)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Passphrase;

    #[test]
    fn the_body_is_the_documented_one() {
        let credentials = Credentials {
            username: "monitor".into(),
            password: Passphrase::try_new("päss:word").expect("a password"),
            second: None,
        };
        let expected = r#"{"data": {"userName": "bW9uaXRvcg==", "passphrase": "cMOkc3M6d29yZA=="}}"#;
        assert_eq!(body(&credentials).expose(), expected);
    }
}

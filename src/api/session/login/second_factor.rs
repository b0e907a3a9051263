//! The second step of a login. That it is a `POST` to `login/two_factor` is documented, and that the first step's token is
//! not good for anything else; how the step is written is not, so all of it can be configured and answers are taken in
//! every form that makes sense.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::LoginFailure;
use super::passcode::Passcodes;
use super::response::{LoginResponse, accepted, no_token};
use crate::api::http::header::token_header;
use crate::api::http::transport::Transport;
use crate::api::time::Arrival;
use crate::api::{Cause, Reason, RefusalCause};
use crate::base::secret::Secret;
use crate::config::{Credentials, Demand, Encoding, TwoFactor};

/// Where the second step is. **Source:** AsyncOS API addendum.
const PATH: &str = "login/two_factor";

#[derive(Debug)]
pub(in crate::api) struct SecondFactor {
    config: TwoFactor,
    passcodes: Passcodes,
}

impl SecondFactor {
    pub(super) fn new(config: TwoFactor) -> Self {
        let passcodes = Passcodes::new(config.passcode.clone());
        Self { config, passcodes }
    }

    pub(super) fn demand(&self) -> Demand {
        self.config.when
    }

    /// Takes the second step with the token of the first, if there was one, and brings the token that is good for
    /// everything and when it came; the first step was answered at `asked`.
    ///
    /// # Errors
    /// [`Passcode`](crate::api::Reason::Passcode) where there is no passcode to give,
    /// [`LoginRefused`](crate::api::Reason::LoginRefused) where it was refused, and whatever else a request comes to.
    pub(super) async fn give(
        &self,
        transport: &Transport,
        credentials: &Credentials,
        first: Option<Secret>,
        asked: Arrival,
    ) -> Result<(Secret, Arrival), LoginFailure> {
        let count = |failed: &LoginFailure| transport.failed(failed.failure.reason);
        // Before the passcode is made: it may be good for seconds only.
        let permit = transport.rate_limiter().permit().await;
        let passcode = self.passcodes.next(credentials, asked, transport.time.clock()).await;
        let passcode = passcode.inspect_err(|failure| transport.failed(failure.reason))?;
        let header = first.as_ref().and_then(token_header);
        let answer =
            transport.post(permit, PATH, &self.body(&credentials.username, &passcode), header.as_ref()).await?;
        let (came, renewed) = (answer.arrival, answer.token.clone());
        let answer = accepted(answer).map_err(of_the_second_step).inspect_err(count)?;
        // The token may be in the body as after the first step, in the header as with any other answer, or be the first
        // one, which counts for more from now on (assumed, all three).
        let response = LoginResponse::read(answer.body()).ok();
        if response.as_ref().is_some_and(|response| response.wants_second_factor) {
            let detail = "the appliance still requires a second factor after accepting one";
            return Err(LoginFailure::refused(RefusalCause::Passcode, detail)).inspect_err(count);
        }
        let token = response.and_then(|response| response.token).or(renewed).or(first);
        Ok((token.ok_or_else(|| of_the_second_step(no_token())).inspect_err(count)?, came))
    }

    fn body(&self, username: &str, passcode: &Secret) -> Secret {
        let TwoFactor { username_field, passcode_field, encoding, .. } = &self.config;
        let text = |text: &str| match encoding {
            Encoding::Base64 => Secret::new(format!("\"{}\"", STANDARD.encode(text))),
            Encoding::Plain => Secret::new(serde_json::Value::from(text).to_string()),
        };
        let (username, passcode) = (text(username), text(passcode.expose()));
        let (username, passcode) = (username.expose(), passcode.expose());
        // The names of the fields need no escaping either: the configuration has seen to it.
        Secret::new(format!(r#"{{"data": {{"{username_field}": {username}, "{passcode_field}": {passcode}}}}}"#))
    }
}

/// The password was taken by then, so what is refused is the passcode, or how it is sent.
fn of_the_second_step(failed: LoginFailure) -> LoginFailure {
    let cause = RefusalCause::Passcode;
    let failure = match failed.failure.reason {
        Reason::LoginRefused => failed.failure.caused_by(Cause::Login(cause)),
        _ => failed.failure,
    };
    LoginFailure { failure, cause }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Passcode;

    #[test]
    fn the_step_is_written_as_configured() {
        let mut config = TwoFactor {
            when: Demand::WhenAsked,
            passcode: Passcode::Command(vec!["true".into()]),
            username_field: "userName".into(),
            passcode_field: "passcode".into(),
            encoding: Encoding::Base64,
        };
        let body = |config: &TwoFactor| {
            SecondFactor::new(config.clone()).body("mo\"ni", &Secret::new("287082")).expose().to_owned()
        };
        assert_eq!(body(&config), r#"{"data": {"userName": "bW8ibmk=", "passcode": "Mjg3MDgy"}}"#);
        config.encoding = Encoding::Plain;
        config.passcode_field = "otp".into();
        assert_eq!(body(&config), r#"{"data": {"userName": "mo\"ni", "otp": "287082"}}"#);
    }
}

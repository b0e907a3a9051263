//! Access control: login, tokens, Basic credentials, lock-out. Decides from one request at a time and knows no path
//! but the one of the login. **Source:** docs.ces.cisco.com, AsyncOS API, authentication; recorded answers
//! and published clients for the messages.

use std::io;
use std::time::SystemTime;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::sim::answer::Answer;
use crate::sim::json::Json;
use crate::sim::request::{Request, RequestKind};
use crate::sim::settings::Settings;
use crate::sim::token::{Claims, TokenError, Tokens};
use crate::sim::totp;
use crate::sim::unix_secs;
use crate::sim::xml_status;

/// An answer to a token with less than this to live carries a fresh one. **Source:** API guide 16.0.
const REFRESH_SECS: u64 = 5 * 60;

/// Issued tokens and failed logins so far.
pub(super) struct Access {
    tokens: Tokens,
    /// Failed logins and Basic attempts since the last good one.
    failures: u32,
    /// The step of the last passcode that was taken.
    used_step: Option<u64>,
}

/// The decision about a request before its path is looked at.
pub(super) enum Admission {
    /// It has its answer: it was a login, or it was refused.
    Answered(Answer),
    /// It may go on; the answer carries the fresh token, if there is one.
    Granted { fresh: Option<String> },
}

impl Access {
    /// # Errors
    /// When the system has no randomness to give.
    pub(super) fn try_new() -> io::Result<Self> {
        Ok(Self { tokens: Tokens::try_new()?, failures: 0, used_step: None })
    }

    pub(super) fn revoke(&mut self) {
        self.tokens.revoke();
    }

    pub(super) fn unlock(&mut self) {
        self.failures = 0;
    }

    /// Looks at one request; `clock` is the appliance's own time.
    pub(super) fn admit(
        &mut self,
        settings: &Settings,
        request: &Request,
        body: &[u8],
        clock: SystemTime,
    ) -> Admission {
        // A locked account answers like this to everyone, whatever they bring (assumed).
        if settings.behaviour.lockout_after.is_some_and(|limit| self.failures >= limit) {
            return Admission::Answered(Answer::unauthorized());
        }
        match &request.kind {
            RequestKind::Login => Admission::Answered(self.login(settings, request, body, clock)),
            RequestKind::SecondFactor => Admission::Answered(self.second_step(settings, request, body, clock)),
            // The web interface knows no tokens; that it refuses like the API is assumed.
            RequestKind::Other if request.path == xml_status::PATH => self.by_basic(settings, request),
            RequestKind::Report { .. } | RequestKind::Other => match request.header("jwtToken") {
                Some(token) => self.by_token(settings, request, token, clock),
                None if self.is_bearer(settings, request, clock) => Admission::Granted { fresh: None },
                None => self.by_basic(settings, request),
            },
        }
    }

    fn login(&mut self, settings: &Settings, request: &Request, body: &[u8], clock: SystemTime) -> Answer {
        let Some((user, passphrase)) = fields(body, "passphrase") else {
            return Answer::error(404, "Unsupported attribute.");
        };
        // A field that is no Base64 is taken for a wrong one (assumed).
        let given = decoded(&user).zip(decoded(&passphrase));
        if !self.is_user(settings, given) {
            return Answer::error(401, "Invalid username or passphrase.");
        }
        if settings.behaviour.one_session {
            self.tokens.revoke();
        }
        self.welcome(settings, request, clock, settings.behaviour.two_factor)
    }

    /// A login that accepts everybody.
    pub(super) fn accept(&mut self, settings: &Settings, request: &Request, clock: SystemTime) -> Answer {
        self.welcome(settings, request, clock, false)
    }

    /// The answer to a step of the login that was good.
    fn welcome(&mut self, settings: &Settings, request: &Request, clock: SystemTime, second_factor: bool) -> Answer {
        let token = self.issue(settings, request, clock, second_factor);
        let needs_more = if second_factor { "true" } else { "false" };
        let data = Json::object([
            ("userName", settings.username.as_str().into()),
            ("is2FactorRedirectRequired", needs_more.into()),
            ("role", "Administrator".into()),
            ("email", Json::List(Vec::new())),
            ("jwtToken", token.into()),
        ]);
        Answer::json(&Json::object([("data", data)]))
    }

    fn second_step(&mut self, settings: &Settings, request: &Request, body: &[u8], clock: SystemTime) -> Answer {
        let Some(secret) = &settings.behaviour.totp_secret else { return Answer::not_found() };
        let now = unix_secs(clock);
        let first = request.header("jwtToken").unwrap_or_default();
        let accepted =
            self.tokens.check(first, request, &settings.username, now, settings.behaviour.identity().as_deref());
        if !accepted.is_ok_and(|accepted| accepted.second_factor) {
            return Answer::error(401, "InvalidTokenError.");
        }
        let Some((user, passcode)) = fields(body, "passcode") else {
            return Answer::error(404, "Unsupported attribute.");
        };
        let step = totp::step(now);
        let is_good = decoded(&user).is_some_and(|user| user == settings.username)
            && decoded(&passcode).is_some_and(|passcode| passcode == totp::passcode(secret, now))
            && self.used_step != Some(step);
        if !is_good {
            self.failures = self.failures.saturating_add(1);
            return Answer::error(401, "Invalid username or passphrase.");
        }
        self.used_step = Some(step);
        self.failures = 0;
        self.welcome(settings, request, clock, false)
    }

    /// A token of an identity provider. It says nothing about a passphrase and locks nothing.
    fn is_bearer(&self, settings: &Settings, request: &Request, clock: SystemTime) -> bool {
        let token = request.header("Authorization").and_then(|value| value.strip_prefix("Bearer "));
        let judge = settings.behaviour.bearer.as_ref();
        judge.zip(token).is_some_and(|(judge, token)| judge.accepts(token, unix_secs(clock)))
    }

    fn by_token(&mut self, settings: &Settings, request: &Request, token: &str, clock: SystemTime) -> Admission {
        let bound = settings.behaviour.identity().filter(|_| settings.behaviour.bind_token);
        let now = unix_secs(clock);
        let accepted = match self.tokens.check(token, request, &settings.username, now, bound.as_deref()) {
            Ok(accepted) => accepted,
            Err(TokenError::ExpiredSignature) => return refuse("ExpiredSignatureError."),
            Err(TokenError::InvalidToken) => return refuse("InvalidTokenError."),
        };
        if accepted.second_factor {
            return refuse("Unauthorized.");
        }
        let ends_soon = accepted.expires - now < REFRESH_SECS;
        let fresh = (settings.behaviour.refresh && ends_soon).then(|| {
            let token = self.issue(settings, request, clock, false);
            if settings.behaviour.renewals_are_invalid { format!("{token}0") } else { token }
        });
        Admission::Granted { fresh }
    }

    fn by_basic(&mut self, settings: &Settings, request: &Request) -> Admission {
        let Some(credentials) = request.header("Authorization") else { return refuse("Unauthorized.") };
        let given = credentials.strip_prefix("Basic ").and_then(decoded);
        let given = given.as_deref().and_then(|given| given.split_once(':'));
        let given = given.map(|(user, passphrase)| (user.to_owned(), passphrase.to_owned()));
        let refused_anyway = !settings.behaviour.allow_basic || settings.behaviour.two_factor;
        if !self.is_user(settings, given) || refused_anyway {
            return refuse("Unauthorized.");
        }
        Admission::Granted { fresh: None }
    }

    /// Whether these are the credentials of the user; counts the failures that lock the account.
    fn is_user(&mut self, settings: &Settings, given: Option<(String, String)>) -> bool {
        let is_user = given.is_some_and(|(user, pass)| user == settings.username && pass == settings.passphrase);
        self.failures = if is_user { 0 } else { self.failures.saturating_add(1) };
        is_user
    }

    fn issue(&mut self, settings: &Settings, request: &Request, clock: SystemTime, second_factor: bool) -> String {
        self.tokens.issue(&Claims {
            user: &settings.username,
            request,
            expires: unix_secs(clock) + settings.behaviour.token_life.as_secs(),
            second_factor,
            opaque: settings.behaviour.token_is_opaque,
            behaviour: &settings.behaviour,
        })
    }
}

fn refuse(message: &str) -> Admission {
    Admission::Answered(Answer::error(401, message))
}

/// The user name and another field of a login body, still encoded; `None` when one is missing.
fn fields(body: &[u8], other: &str) -> Option<(String, String)> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let field = |name: &str| body["data"][name].as_str().map(str::to_owned);
    field("userName").zip(field(other))
}

fn decoded(text: impl AsRef<str>) -> Option<String> {
    String::from_utf8(STANDARD.decode(text.as_ref()).ok()?).ok()
}

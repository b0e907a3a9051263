//! How requests to an appliance are authorised: `auth` and the keys that go with each of its methods.

use std::path::Path as FilePath;
use std::time::Duration;

use serde_yaml::Value;
use url::Url;

use super::files::Files;
use super::password::Sources;
use super::path::Path;
use super::problem::Problems;
use super::{Credentials, Passphrase, Trust, field, raw};

mod oidc;
mod second_factor;

/// How requests are authorised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Auth {
    /// A login for a token, the token with every request; for accounts that have one, with a second factor.
    Jwt(Option<TwoFactor>),
    /// User name and passphrase with every request.
    Basic,
    /// A token of an identity provider with every request.
    Oidc(Box<Oidc>),
}

/// A second factor at the login.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TwoFactor {
    /// When it is given.
    pub when: Demand,
    /// Where passcodes come from.
    pub passcode: Passcode,
    /// The field of the body with the user name.
    pub username_field: String,
    /// The field of the body with the passcode.
    pub passcode_field: String,
    /// How both are written in the body.
    pub encoding: Encoding,
}

/// When a second factor is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Demand {
    /// When the login's answer asks for it.
    WhenAsked,
    /// After every login.
    Always,
}

/// Where passcodes come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Passcode {
    /// They follow from the account's second secret and the time.
    Totp(Totp),
    /// A program prints them; its name first, then its arguments.
    Command(Vec<String>),
}

/// Passcodes by time. **Source:** RFC 6238.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Totp {
    /// Digits of a passcode, from 6 to 8.
    pub digits: u8,
    /// How long one is good; whole seconds, not zero.
    pub period: Duration,
    /// The hash.
    pub algorithm: TotpHash,
}

/// The hashes of RFC 6238.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TotpHash {
    /// What nearly everybody has.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-512.
    Sha512,
}

/// How a text is written in a login's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// Like those of the login.
    Base64,
    /// As it is.
    Plain,
}

/// Tokens of an identity provider that speaks OpenID Connect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Oidc {
    /// Where it is.
    pub provider: Provider,
    /// What proves the account to it.
    pub grant: Grant,
    /// How the client proves itself; none where the provider's document decides.
    pub client_auth: Option<ClientAuth>,
    /// The scopes that are asked for.
    pub scope: Option<String>,
    /// What else is sent with each question for a token.
    pub parameters: Vec<(String, String)>,
    /// Which of its tokens the appliance is shown.
    pub token: TokenKind,
    /// The header that carries it, in lower case.
    pub header: String,
    /// What stands before it in the header; may be empty.
    pub prefix: String,
    /// What is believed about the provider's certificate.
    pub trust: Trust,
}

/// Where an identity provider is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Provider {
    /// Its issuer URL, below which its discovery document is.
    Issuer(Url),
    /// Its token endpoint.
    TokenUrl(Url),
}

/// What proves an account to an identity provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Grant {
    /// The account is the client itself.
    ClientCredentials,
    /// A client gives the user's name and password.
    Password {
        /// The client.
        client_id: String,
    },
}

/// How a client proves itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientAuth {
    /// In a header.
    Basic,
    /// In the body.
    Post,
    /// Not at all: a public client says its id only.
    Public,
}

/// Which token the appliance is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// The access token.
    Access,
    /// The ID token.
    Id,
}

impl Provider {
    /// The URL that names it.
    #[must_use]
    pub fn url(&self) -> &Url {
        match self {
            Self::Issuer(url) | Self::TokenUrl(url) => url,
        }
    }
}

#[derive(Clone, Copy)]
enum Method {
    Jwt,
    Basic,
    Oidc,
}

const METHODS: &[(&str, Method)] = &[("jwt", Method::Jwt), ("basic", Method::Basic), ("oidc", Method::Oidc)];

/// Reads the keys of one appliance. None where something is wrong that the rest hangs on; it is in `problems` then.
pub(super) fn read(
    raw: &mut raw::Appliance,
    files: &mut Files,
    path: &Path,
    problems: &mut Problems,
) -> Option<(Auth, Credentials)> {
    let method = field::choice(raw.auth.as_ref(), METHODS, &path.key("auth"), problems).unwrap_or(Method::Jwt);
    let (two_factor, oidc) = (given(raw.two_factor.take()), given(raw.oidc.take()));
    if two_factor.is_some() && !matches!(method, Method::Jwt) {
        problems.error(&path.key("two_factor"), "requires `auth: jwt`: other methods have no second factor");
    }
    if oidc.is_some() && !matches!(method, Method::Oidc) {
        problems.error(&path.key("oidc"), "requires `auth: oidc`");
    }
    match method {
        Method::Jwt => {
            let credentials = account(raw, files, path, problems);
            let two_factor =
                two_factor.map(|value| second_factor::read(value, files, &path.key("two_factor"), problems));
            let (two_factor, second) = match two_factor {
                None => (None, None),
                Some(read) => read.map(|(two_factor, second)| (Some(two_factor), second))?,
            };
            Some((Auth::Jwt(two_factor), Credentials { second, ..credentials? }))
        }
        Method::Basic => {
            let credentials = account(raw, files, path, problems)?;
            // RFC 7617 section 2: the first colon ends the user name.
            if credentials.username.contains(':') {
                problems.error(&path.key("username"), "must not contain a colon with `auth: basic`");
                return None;
            }
            Some((Auth::Basic, credentials))
        }
        Method::Oidc => {
            let Some(value) = oidc else {
                problems.error(path, "`oidc` is missing: it configures the identity provider and the client");
                return None;
            };
            oidc::read(value, raw, files, path, problems)
        }
    }
}

/// A table whose children are all commented out is none.
fn given(value: Option<Value>) -> Option<Value> {
    value.filter(|value| !value.is_null())
}

/// The user and the password.
fn account(raw: &raw::Appliance, files: &Files, path: &Path, problems: &mut Problems) -> Option<Credentials> {
    if raw.username.is_none() {
        problems.error(path, "`username` is missing");
    }
    let username = field::label(raw.username.as_ref(), &path.key("username"), problems);
    let password = sources(raw).read(files, path, problems);
    Some(Credentials { username: username?, password: password?, second: None })
}

/// Where the password may be.
fn sources(raw: &raw::Appliance) -> Sources<'_> {
    Sources {
        what: "password",
        inline: ("password", raw.password.as_ref()),
        file: ("password_file", raw.password_file.as_ref()),
        env: ("password_env", raw.password_env.as_ref()),
        credential: ("credential", raw.credential.as_ref()),
    }
}

/// Whether `text` is a program that is there, as far as can be told without running it.
fn is_program(text: &str) -> bool {
    !text.contains('/') || FilePath::new(text).is_file()
}

/// The name of a field in a body.
fn field_name(value: Option<&Value>, usual: &str, path: &Path, problems: &mut Problems) -> String {
    let name = field::label(value, path, problems).unwrap_or_else(|| usual.to_owned());
    if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')) {
        problems.error(path, "must be a name of letters, digits, `_` and `-`");
    }
    name
}

/// The secret of a second proof, if it was read.
type Second = Option<Passphrase>;

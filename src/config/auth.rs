//! Authorization of requests to an appliance: `auth` and the keys of each of its methods.

use std::path::Path as FilePath;
use std::time::Duration;

use serde_yaml::Value;
use url::Url;

use super::files::Files;
use super::password::Sources;
use super::path::Path;
use super::problem::Problems;
use super::{Credentials, Passphrase, Trust, field, raw};

pub(super) mod oidc;
pub(super) mod second_factor;

/// Authorization of requests.
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
    /// When it is sent.
    pub when: Demand,
    /// Where passcodes come from.
    pub passcode: Passcode,
    /// The field of the body with the user name.
    pub username_field: String,
    /// The field of the body with the passcode.
    pub passcode_field: String,
    /// The encoding of both in the body.
    pub encoding: Encoding,
}

/// When a second factor is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Demand {
    /// When the response to the login requests it.
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
    digits: u8,
    period: Duration,
    algorithm: TotpHash,
}

impl Totp {
    /// The parameters that RFC 6238 recommends and authenticator applications assume.
    pub const USUAL: Self = Self { digits: 6, period: Duration::from_secs(30), algorithm: TotpHash::Sha1 };

    /// Passcodes of `digits` digits; none where that is not from 6 to 8, or `period` is not whole seconds or is zero.
    #[must_use]
    pub fn try_new(digits: u8, period: Duration, algorithm: TotpHash) -> Option<Self> {
        let is_valid = (6..=8).contains(&digits) && !period.is_zero() && period.subsec_nanos() == 0;
        is_valid.then_some(Self { digits, period, algorithm })
    }

    /// Digits of a passcode, from 6 to 8.
    #[must_use]
    pub fn digits(self) -> u8 {
        self.digits
    }

    /// The lifetime of a passcode; whole seconds, not zero.
    #[must_use]
    pub fn period(self) -> Duration {
        self.period
    }

    /// The hash.
    #[must_use]
    pub fn algorithm(self) -> TotpHash {
        self.algorithm
    }
}

/// The hashes of RFC 6238.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TotpHash {
    /// SHA-1, which nearly every authenticator uses.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-512.
    Sha512,
}

/// The encoding of a text in a login's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// Base64, like the fields of the login.
    Base64,
    /// No encoding.
    Plain,
}

/// Tokens of an identity provider that speaks OpenID Connect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Oidc {
    /// The provider.
    pub provider: Provider,
    /// The grant that proves the account to it.
    pub grant: Grant,
    /// Authentication of the client; none where the provider's document decides.
    pub client_auth: Option<ClientAuth>,
    /// The requested scopes, separated by spaces.
    pub scope: Option<String>,
    /// Further parameters of each token request.
    pub parameters: Vec<(String, String)>,
    /// The token that is sent to the appliance.
    pub token: TokenKind,
    /// The header that carries it, in lower case.
    pub header: String,
    /// The word before it in the header; may be empty.
    pub prefix: String,
    /// Verification of the provider's certificate.
    pub trust: Trust,
}

/// The address of an identity provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Provider {
    /// Its issuer URL, below which its discovery document is.
    Issuer(Url),
    /// Its token endpoint.
    TokenUrl(Url),
}

/// The grant that proves an account to an identity provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Grant {
    /// The account is the client itself.
    ClientCredentials,
    /// A client sends the user's name and password.
    Password {
        /// The client.
        client_id: String,
    },
}

/// Authentication of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientAuth {
    /// In a header.
    Basic,
    /// In the body.
    Post,
    /// None: a public client sends its id only.
    Public,
}

/// The token that is sent to the appliance.
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
pub(super) enum Method {
    Jwt,
    Basic,
    Oidc,
}

pub(super) const METHODS: &[(&str, Method)] = &[("jwt", Method::Jwt), ("basic", Method::Basic), ("oidc", Method::Oidc)];

/// Reads the keys of one appliance. None where a required key is missing or wrong; `problems` then says so.
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

/// The keys that may have the password.
fn sources(raw: &raw::Appliance) -> Sources<'_> {
    Sources {
        what: "password",
        inline: ("password", raw.password.as_ref()),
        file: ("password_file", raw.password_file.as_ref()),
        env: ("password_env", raw.password_env.as_ref()),
        credential: ("credential", raw.credential.as_ref()),
    }
}

/// Whether the program `text` exists, as far as can be seen without running it.
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

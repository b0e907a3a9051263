//! Login settings of an appliance as they are displayed, without the secrets.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;
use url::Url;

use super::connection::{Tls, place};
use super::{HIDDEN, span};
use crate::config::{
    Auth, ClientAuth, Credentials, Demand, Encoding, Grant, Oidc, Passcode, Passphrase, Provider, TokenKind, Totp,
    TotpHash, TwoFactor,
};

/// The keys of an appliance about its account.
#[derive(Serialize)]
pub(super) struct LoginKeys<'a> {
    auth: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    password_file: Option<&'a Path>,
    #[serde(skip_serializing_if = "Option::is_none")]
    two_factor: Option<Factor<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    oidc: Option<Identity<'a>>,
}

impl<'a> LoginKeys<'a> {
    pub(super) fn of(auth: &'a Auth, credentials: &'a Credentials) -> Self {
        let Credentials { username, password, second } = credentials;
        let (text, file) = place(Some(password));
        let account = Self {
            auth: "jwt",
            username: Some(username),
            password: text,
            password_file: file,
            two_factor: None,
            oidc: None,
        };
        match auth {
            Auth::Jwt(two_factor) => {
                let two_factor = two_factor.as_ref().map(|two_factor| Factor::of(two_factor, second.as_ref()));
                Self { two_factor, ..account }
            }
            Auth::Basic => Self { auth: "basic", ..account },
            Auth::Oidc(oidc) => {
                let identity = |client_id, secret| Some(Identity::of(oidc, client_id, secret));
                match &oidc.grant {
                    // The account is the client: it has no user.
                    Grant::ClientCredentials => Self {
                        auth: "oidc",
                        username: None,
                        password: None,
                        password_file: None,
                        two_factor: None,
                        oidc: identity(username, Some(password)),
                    },
                    Grant::Password { client_id } => {
                        Self { auth: "oidc", oidc: identity(client_id, second.as_ref()), ..account }
                    }
                }
            }
        }
    }
}

#[derive(Serialize)]
struct Factor<'a> {
    when: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    totp_secret: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    totp_secret_file: Option<&'a Path>,
    #[serde(skip_serializing_if = "Option::is_none")]
    digits: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    period: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    algorithm: Option<&'static str>,
    /// The program; its arguments may be what proves the account.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    command: Vec<&'a str>,
    username_field: &'a str,
    passcode_field: &'a str,
    encoding: &'static str,
}

impl<'a> Factor<'a> {
    fn of(factor: &'a TwoFactor, secret: Option<&'a Passphrase>) -> Self {
        let TwoFactor { when, passcode, username_field, passcode_field, encoding } = factor;
        let (totp, command) = match passcode {
            Passcode::Totp(totp) => (Some(*totp), Vec::new()),
            Passcode::Command(parts) => {
                let hide = |(position, part): (usize, &'a String)| if position == 0 { part.as_str() } else { HIDDEN };
                (None, parts.iter().enumerate().map(hide).collect())
            }
        };
        let (totp_secret, totp_secret_file) = place(secret);
        Self {
            when: match when {
                Demand::WhenAsked => "asked",
                Demand::Always => "always",
            },
            totp_secret,
            totp_secret_file,
            digits: totp.map(Totp::digits),
            period: totp.map(|totp| span(totp.period())),
            algorithm: totp.map(|totp| match totp.algorithm() {
                TotpHash::Sha1 => "sha1",
                TotpHash::Sha256 => "sha256",
                TotpHash::Sha512 => "sha512",
            }),
            command,
            username_field,
            passcode_field,
            encoding: match encoding {
                Encoding::Base64 => "base64",
                Encoding::Plain => "plain",
            },
        }
    }
}

#[derive(Serialize)]
struct Identity<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    issuer: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_url: Option<Cow<'a, str>>,
    grant: &'static str,
    client_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret_file: Option<&'a Path>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_auth: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<&'a str>,
    /// Their names: some providers take secrets there.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    parameters: BTreeMap<&'a str, &'static str>,
    token: &'static str,
    header: &'a str,
    prefix: &'a str,
    tls: Tls<'a>,
}

impl<'a> Identity<'a> {
    fn of(oidc: &'a Oidc, client_id: &'a str, secret: Option<&'a Passphrase>) -> Self {
        let Oidc { provider, grant, client_auth, scope, parameters, token, header, prefix, trust } = oidc;
        let (issuer, token_url) = match provider {
            Provider::Issuer(url) => (Some(without_query(url)), None),
            Provider::TokenUrl(url) => (None, Some(without_query(url))),
        };
        let (client_secret, client_secret_file) = place(secret);
        Self {
            issuer,
            token_url,
            grant: match grant {
                Grant::ClientCredentials => "client_credentials",
                Grant::Password { .. } => "password",
            },
            client_id,
            client_secret,
            client_secret_file,
            client_auth: client_auth.map(|client_auth| match client_auth {
                ClientAuth::Basic => "basic",
                ClientAuth::Post => "post",
                ClientAuth::Public => "none",
            }),
            scope: scope.as_deref(),
            parameters: parameters.iter().map(|(name, _)| (name.as_str(), HIDDEN)).collect(),
            token: match token {
                TokenKind::Access => "access_token",
                TokenKind::Id => "id_token",
            },
            header,
            prefix,
            tls: Tls::of(trust),
        }
    }
}

/// A place of a provider, whose query may be a secret.
fn without_query(url: &Url) -> Cow<'_, str> {
    match url.query() {
        None => url.as_str().into(),
        Some(_) => format!("{}?{HIDDEN}", &url[..url::Position::AfterPath]).into(),
    }
}

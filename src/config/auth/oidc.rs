//! `oidc`: the identity provider, who asks it for tokens, and how the appliance is shown them.

use serde_yaml::Value;
use url::Url;

use super::{Auth, ClientAuth, Grant, Oidc, Provider, Second, Sources, TokenKind, account, sources};
use crate::config::files::Files;
use crate::config::path::Path;
use crate::config::problem::Problems;
use crate::config::{Credentials, field, is_loopback, raw, trust};

#[derive(Clone, Copy, PartialEq)]
pub(in crate::config) enum Kind {
    ClientCredentials,
    Password,
}

pub(in crate::config) const GRANTS: &[(&str, Kind)] =
    &[("client_credentials", Kind::ClientCredentials), ("password", Kind::Password)];
pub(in crate::config) const CLIENT_AUTHS: &[(&str, ClientAuth)] =
    &[("basic", ClientAuth::Basic), ("post", ClientAuth::Post), ("none", ClientAuth::Public)];
pub(in crate::config) const TOKENS: &[(&str, TokenKind)] =
    &[("access_token", TokenKind::Access), ("id_token", TokenKind::Id)];

/// The usual header for such tokens, assumed of the appliance. **Source:** RFC 6750 section 2.1.
const HEADER: &str = "Authorization";
const PREFIX: &str = "Bearer";
/// Headers that say who the client is or how the message is framed.
const TAKEN: [&str; 7] =
    ["accept", "connection", "content-length", "content-type", "host", "transfer-encoding", "user-agent"];
/// Fields that the grant itself fills.
const OWN_FIELDS: [&str; 6] = ["grant_type", "client_id", "client_secret", "username", "password", "scope"];

/// Reads the table `value`, and of `raw` the account where the grant takes one.
pub(super) fn read(
    value: Value,
    raw: &raw::Appliance,
    files: &mut Files,
    path: &Path,
    problems: &mut Problems,
) -> Option<(Auth, Credentials)> {
    let is_table = value.is_mapping();
    let own = path.key("oidc");
    let mut table = raw::Oidc::read(value, &own, problems);
    if !is_table {
        return None;
    }
    let provider = provider(&table, &own, problems);
    let kind = field::choice(table.grant.as_ref(), GRANTS, &own.key("grant"), problems);
    let kind = kind.unwrap_or(Kind::ClientCredentials);
    if table.client_id.is_none() {
        problems.error(&own, "`client_id` is missing");
    }
    let client_id = field::label(table.client_id.as_ref(), &own.key("client_id"), problems);
    let client_auth = field::choice(table.client_auth.as_ref(), CLIENT_AUTHS, &own.key("client_auth"), problems);
    let secret = client_secret(&table, client_auth, kind, files, &own, problems);
    let parameters = parameters(table.parameters.take(), &own.key("parameters"), problems);
    let scope = field::label(table.scope.as_ref(), &own.key("scope"), problems);
    let token = field::choice(table.token.as_ref(), TOKENS, &own.key("token"), problems);
    let header = header(table.header.as_ref(), &own.key("header"), problems);
    let prefix = prefix(table.prefix.as_ref(), &own.key("prefix"), problems);
    let trust = trust::read(table.tls.take(), provider.as_ref().map(Provider::url), files, &own.key("tls"), problems);
    let account = match kind {
        Kind::Password => account(raw, files, path, problems),
        Kind::ClientCredentials => {
            no_account(raw, path, problems);
            None
        }
    };
    let (grant, credentials) = match kind {
        Kind::ClientCredentials => {
            let credentials = Credentials { username: client_id?, password: secret??, second: None };
            (Grant::ClientCredentials, credentials)
        }
        Kind::Password => (Grant::Password { client_id: client_id? }, Credentials { second: secret?, ..account? }),
    };
    let token = token.unwrap_or(TokenKind::Access);
    let oidc = Oidc {
        provider: provider?,
        grant,
        client_auth,
        scope,
        parameters,
        token,
        header: header?,
        prefix: prefix?,
        trust,
    };
    Some((Auth::Oidc(Box::new(oidc)), credentials))
}

fn provider(table: &raw::Oidc, path: &Path, problems: &mut Problems) -> Option<Provider> {
    match (&table.issuer, &table.token_url) {
        (Some(issuer), None) => url(issuer, &path.key("issuer"), problems).map(Provider::Issuer),
        (None, Some(token_url)) => url(token_url, &path.key("token_url"), problems).map(Provider::TokenUrl),
        (issuer, _) => {
            let found = if issuer.is_some() { "both" } else { "none" };
            problems.error(path, format!("give one of `issuer` and `token_url`, found {found}"));
            None
        }
    }
}

/// A place of the provider. Never quotes the input: it may hold a password.
fn url(value: &Value, path: &Path, problems: &mut Problems) -> Option<Url> {
    let url = field::any_url(Some(value), "https://login.example.com/realms/mail", path, problems)?;
    let is_plain = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() || !is_plain {
        problems.error(path, "must begin with `https://` (or `http://`), without user information or a fragment");
        return None;
    }
    if url.scheme() == "http" && !is_loopback(&url) {
        problems.warn(path, "http sends the secret in clear text: use https");
    }
    Some(url)
}

/// The client's secret; none inside where it has none.
fn client_secret(
    table: &raw::Oidc,
    client_auth: Option<ClientAuth>,
    kind: Kind,
    files: &Files,
    path: &Path,
    problems: &mut Problems,
) -> Option<Second> {
    let sources = Sources {
        what: "client secret",
        inline: ("client_secret", table.client_secret.as_ref()),
        file: ("client_secret_file", table.client_secret_file.as_ref()),
        env: ("client_secret_env", table.client_secret_env.as_ref()),
        credential: ("client_secret_credential", table.client_secret_credential.as_ref()),
    };
    if client_auth != Some(ClientAuth::Public) {
        return sources.read(files, path, problems).map(Some);
    }
    if kind == Kind::ClientCredentials {
        problems.error(
            &path.key("client_auth"),
            "a client without a secret cannot authenticate: use the grant \
        `password`",
        );
        return None;
    }
    if sources.are_given() {
        problems.error(path, "`client_auth: none` does not use a client secret");
        return None;
    }
    Some(None)
}

/// The client is the account, so there is no user.
fn no_account(raw: &raw::Appliance, path: &Path, problems: &mut Problems) {
    if raw.username.is_some() || sources(raw).are_given() {
        let message =
            "the account is the client of `oidc`: leave `username` and the password out, or use `grant: password`";
        problems.error(path, message);
    }
    if raw.xml_status.as_ref().is_some_and(|value| value.as_bool() != Some(false)) {
        problems.error(&path.key("xml_status"), "requires a user's password, which this account does not have");
    }
}

fn parameters(value: Option<Value>, path: &Path, problems: &mut Problems) -> Vec<(String, String)> {
    let mut parameters = Vec::new();
    for (name, value) in raw::table(value.unwrap_or_default(), path, problems) {
        let path = path.key(&name);
        if OWN_FIELDS.contains(&name.as_str()) {
            problems.error(&path, "is set by the grant: use its own key");
        }
        parameters.extend(field::text(Some(&value), &path, problems).map(|text| (name, text)));
    }
    parameters
}

fn header(value: Option<&Value>, path: &Path, problems: &mut Problems) -> Option<String> {
    let Some(value) = value else { return Some(HEADER.to_ascii_lowercase()) };
    let name = field::label(Some(value), path, problems)?.to_ascii_lowercase();
    if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')) {
        problems.error(path, "must be a header name: letters, digits, `-` and `_`");
        return None;
    }
    if TAKEN.contains(&name.as_str()) {
        problems.error(path, format!("`{name}` is reserved"));
        return None;
    }
    Some(name)
}

fn prefix(value: Option<&Value>, path: &Path, problems: &mut Problems) -> Option<String> {
    match value {
        None => Some(PREFIX.to_owned()),
        Some(Value::String(text)) if text.bytes().all(|byte| byte.is_ascii_graphic()) => Some(text.clone()),
        Some(_) => {
            problems.error(path, "must be one word, or empty: ''");
            None
        }
    }
}

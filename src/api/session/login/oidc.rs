//! Tokens of an identity provider that speaks OpenID Connect. The provider is asked here and nowhere else; what it is
//! asked is not traffic with the appliance and not counted as such.
//!
//! **Source:** RFC 6749 sections 2.3.1, 4.3, 4.4 and 5; RFC 6750 section 2.1. That the appliance takes such tokens is
//! documented from release 14.0 on; in which header is not, so that can be configured.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderName};
use url::{Url, form_urlencoded};

use super::discovery::{self, Endpoint};
use super::{ASSUMED_LIFE, Credential, TokenLifetime, basic};
use crate::api::http::header::{Header, is_header_text, sensitive};
use crate::api::http::rate_limiter::Permit;
use crate::api::http::setup::{self, HttpSetup};
use crate::api::http::transport::Transport;
use crate::api::wire::field::{Fields, Wanted};
use crate::api::wire::json::{self, JsonScalar};
use crate::api::{Failure, Listener, Reason, SystemRoots};
use crate::base::clock::{Clock, Tick};
use crate::base::secret::Secret;
use crate::config::{ClientAuth, Credentials, Grant, Oidc, Provider, TokenKind};

/// The time that a discovery document is cached: it changes only when an administrator moves the provider.
const DOCUMENT_LIFE: Duration = Duration::from_secs(3600);
/// Errors with which a provider refuses who asks; all others are about the question. **Source:** RFC 6749 section 5.2.
const REFUSALS: [&str; 4] = ["access_denied", "invalid_client", "invalid_grant", "unauthorized_client"];
/// The longest part of an error's description that is repeated in a log.
const LONGEST_DESCRIPTION: usize = 200;

#[derive(Debug)]
pub(in crate::api) struct IdentityProvider {
    config: Oidc,
    header: HeaderName,
    http_setup: HttpSetup,
    http: reqwest::Client,
    endpoint: Mutex<Option<(Endpoint, Tick)>>,
}

/// The token of the provider.
pub(super) struct Granted {
    pub(super) token: Secret,
    life: Option<Duration>,
}

impl IdentityProvider {
    pub(super) fn try_new(config: Oidc, roots: &SystemRoots, timeout: Duration) -> Result<Self, Failure> {
        // Certificates of the provider are no certificates of the appliance. It is asked too seldom to resume a session.
        let http_setup = HttpSetup::try_new(&config.trust, roots, Listener::new(|_| {}), timeout, None)?;
        let http = http_setup.builder()?.build().map_err(|error| setup::unbuilt(&error))?;
        let unusable = |_| Failure::new(Reason::IdentityProvider, "`oidc.header` is not a valid header name");
        let header = HeaderName::from_bytes(config.header.as_bytes()).map_err(unusable)?;
        Ok(Self { config, header, http_setup, http, endpoint: Mutex::new(None) })
    }

    pub(super) fn login_url(&self) -> &Url {
        self.config.provider.url()
    }

    /// Asks for a token and shows it to the appliance once, so that one that it does not take is met here.
    ///
    /// # Errors
    /// [`Reason::LoginRefused`] where the provider refused the account, [`Reason::IdentityProvider`] where it gave no
    /// token for another reason or one that the appliance does not take.
    pub(super) async fn log_in(
        &self,
        transport: &Transport,
        permit: Permit<'_>,
        credentials: &Credentials,
    ) -> Result<Credential, Failure> {
        let clock = transport.time.clock();
        let granted = self.token(credentials, clock).await.inspect_err(|failure| transport.failed(failure.reason))?;
        let since = clock.tick();
        let header = self.header(&granted.token).inspect_err(|failure| transport.failed(failure.reason))?;
        basic::probe_credentials(transport, permit, &header, not_taken).await?;
        let left = granted.life.unwrap_or(ASSUMED_LIFE).saturating_sub(clock.tick().since(since));
        // The provider's own clock is not the appliance's, and it is the appliance that judges the token.
        let came = transport.time.pass_over(None, clock.tick());
        Ok(Credential {
            header,
            life: Some(TokenLifetime::of(&granted.token, came, left)),
            is_tried: true,
            identity: None,
        })
    }

    fn header(&self, token: &Secret) -> Result<Header, Failure> {
        let value = match self.config.prefix.as_str() {
            "" => token.clone(),
            prefix => Secret::new(format!("{prefix} {}", token.expose())),
        };
        let unusable = || failure("its token cannot be sent in an HTTP header");
        Ok((self.header.clone(), sensitive(&value).ok_or_else(unusable)?))
    }

    async fn token(&self, credentials: &Credentials, clock: &Clock) -> Result<Granted, Failure> {
        let outcome = self.granted(credentials, clock).await;
        if outcome.as_ref().is_err_and(|failure| failure.reason != Reason::LoginRefused) {
            // It may have moved.
            *self.endpoint() = None;
        }
        outcome
    }

    async fn granted(&self, credentials: &Credentials, clock: &Clock) -> Result<Granted, Failure> {
        let endpoint = self.found(clock).await?;
        let client_auth = self.config.client_auth.unwrap_or(endpoint.client_auth);
        let question = Question::new(&self.config, client_auth, credentials);
        let request = self
            .http
            .post(endpoint.url)
            .header(ACCEPT, "application/json")
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(question.form.expose().to_owned());
        let request = match question.authorization.as_ref().map(sensitive) {
            None => request,
            Some(Some(value)) => request.header(AUTHORIZATION, value),
            Some(None) => return Err(failure("the client secret cannot be sent in an HTTP header")),
        };
        let (status, body) = self.answer(request).await?;
        if !(200..300).contains(&status) {
            return Err(refusal(status, body.expose(), credentials));
        }
        let name = match self.config.token {
            TokenKind::Access => "access_token",
            TokenKind::Id => "id_token",
        };
        // Some send the error of the standard with a success.
        if fields(body.expose()).is_ok_and(|answer| answer.get("error").is_some()) {
            return Err(refusal(status, body.expose(), credentials));
        }
        granted(body.expose(), name).ok_or_else(|| failure(&format!("its response has no usable `{name}`")))
    }

    async fn answer(&self, request: reqwest::RequestBuilder) -> Result<(u16, Secret), Failure> {
        let unanswered = |failed: Failure| failure(&failed.detail);
        let request = request.build().map_err(|_| failure("its URL is not usable"))?;
        let response = self.http_setup.send(&self.http, request).await.map_err(|(failed, _)| unanswered(failed))?;
        let status = response.status().as_u16();
        let body = self.http_setup.body(response).await.map_err(unanswered)?;
        Ok((status, Secret::new(String::from_utf8_lossy(&body))))
    }

    /// Where tokens are to be had.
    async fn found(&self, clock: &Clock) -> Result<Endpoint, Failure> {
        let issuer = match &self.config.provider {
            Provider::TokenUrl(url) => return Ok(Endpoint { url: url.clone(), client_auth: ClientAuth::Basic }),
            Provider::Issuer(issuer) => issuer,
        };
        let known = self.endpoint().clone();
        if let Some((endpoint, read)) = known
            && clock.tick().since(read) < DOCUMENT_LIFE
        {
            return Ok(endpoint);
        }
        let (status, body) =
            self.answer(self.http.get(discovery::document_url(issuer)).header(ACCEPT, "application/json")).await?;
        if status != 200 {
            return Err(failure(&format!("its discovery document returned status {status}")));
        }
        let endpoint = discovery::read(body.expose(), issuer).map_err(|error| failure(&error))?;
        *self.endpoint() = Some((endpoint.clone(), clock.tick()));
        Ok(endpoint)
    }

    fn endpoint(&self) -> std::sync::MutexGuard<'_, Option<(Endpoint, Tick)>> {
        self.endpoint.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The form that is sent to the token endpoint.
struct Question {
    form: Secret,
    authorization: Option<Secret>,
}

impl Question {
    fn new(config: &Oidc, client_auth: ClientAuth, credentials: &Credentials) -> Self {
        let Credentials { username, password, second } = credentials;
        let mut form = form_urlencoded::Serializer::new(String::new());
        let (client_id, secret) = match &config.grant {
            Grant::ClientCredentials => {
                form.append_pair("grant_type", "client_credentials");
                (username, Some(password))
            }
            Grant::Password { client_id } => {
                form.append_pair("grant_type", "password");
                form.append_pair("username", username).append_pair("password", password.text().expose());
                (client_id, second.as_ref())
            }
        };
        if let Some(scope) = &config.scope {
            form.append_pair("scope", scope);
        }
        form.extend_pairs(&config.parameters);
        let authorization = match (client_auth, secret) {
            (ClientAuth::Basic, Some(secret)) => {
                let part = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
                let pair = Secret::new(format!("{}:{}", part(client_id), part(secret.text().expose())));
                Some(Secret::new(format!("Basic {}", STANDARD.encode(pair.expose()))))
            }
            (ClientAuth::Post, Some(secret)) => {
                form.append_pair("client_id", client_id).append_pair("client_secret", secret.text().expose());
                None
            }
            (ClientAuth::Public, _) | (_, None) => {
                form.append_pair("client_id", client_id);
                None
            }
        };
        Self { form: Secret::new(form.finish()), authorization }
    }
}

/// The fields that are read from an answer to a token request.
fn fields(body: &str) -> Result<Fields, Failure> {
    let names = &["access_token", "id_token", "expires_in", "error", "error_description"];
    json::read(body, Wanted { names, refusal: None })
}

pub(super) fn granted(body: &str, name: &str) -> Option<Granted> {
    let answer = fields(body).ok()?;
    let token = answer.get(name)?.text().filter(|token| is_header_text(token)).map(Secret::new)?;
    // A number by the standard; some write it as text.
    let life = answer.get("expires_in").and_then(|life| match life {
        JsonScalar::Whole(seconds) => Some(*seconds),
        other => other.text()?.parse().ok(),
    });
    Some(Granted { token, life: life.map(Duration::from_secs) })
}

/// The failure of an answer without a token.
pub(super) fn refusal(status: u16, body: &str, credentials: &Credentials) -> Failure {
    let answer = fields(body).unwrap_or_default();
    let code = answer.get("error").and_then(JsonScalar::text).filter(|code| is_code(code));
    let description = match code {
        None => format!("status {status}"),
        Some(code) => format!("`{code}`{}", description(&answer, credentials)),
    };
    let is_refusal = match code {
        Some(code) => REFUSALS.contains(&code),
        None => matches!(status, 401 | 403 | 423),
    };
    if is_refusal {
        return Failure::new(Reason::LoginRefused, format!("the identity provider refused the request: {description}"));
    }
    failure(&format!("it issued no token: {description}"))
}

/// Codes are words, and nothing else is repeated as one.
fn is_code(text: &str) -> bool {
    text.len() <= 64 && !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

/// The provider's description of its error code, unless it contains a secret.
fn description(answer: &Fields, credentials: &Credentials) -> String {
    let Some(description) = answer.get("error_description").and_then(JsonScalar::text) else { return String::new() };
    let clean = |text: &str| text.replace(char::is_control, " ");
    let (description, secrets) = (clean(description), [Some(&credentials.password), credentials.second.as_ref()]);
    // Both are cleaned, or a secret with a blank in it would be recognized only where the provider sent that very blank.
    if secrets.into_iter().flatten().any(|secret| description.contains(&clean(secret.text().expose()))) {
        return String::new();
    }
    format!(" ({})", description.chars().take(LONGEST_DESCRIPTION).collect::<String>())
}

/// The appliance's refusal of a token. It is no refusal of the account: the provider has just vouched for it.
fn not_taken(failure: Failure) -> Failure {
    if !matches!(failure.reason, Reason::Unauthorized | Reason::NotAllowed) {
        return failure;
    }
    let detail = format!("the appliance rejected the identity provider's token ({})", failure.detail);
    Failure { detail, ..failure.because(Reason::IdentityProvider) }
}

fn failure(text: &str) -> Failure {
    Failure::new(Reason::IdentityProvider, format!("the identity provider: {text}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Anchor, Backend, Passphrase, TlsVersion, Trust};

    fn config(grant: Grant) -> Oidc {
        Oidc {
            provider: Provider::TokenUrl(Url::parse("https://idp.example.com/token").expect("a URL")),
            grant,
            client_auth: None,
            scope: Some("openid mail".into()),
            parameters: vec![("resource".into(), "urn:esa&1".into())],
            token: TokenKind::Access,
            header: "authorization".into(),
            prefix: "Bearer".into(),
            trust: Trust {
                anchor: Anchor::System,
                server_name: None,
                identity: None,
                min_version: TlsVersion::Tls12,
                backend: Backend::Modern,
            },
        }
    }

    fn credentials(second: Option<&str>) -> Credentials {
        let second = second.map(|text| Passphrase::try_new(text).expect("a password"));
        Credentials {
            username: "ex:porter".into(),
            password: Passphrase::try_new("s3 cret&").expect("a password"),
            second,
        }
    }

    #[test]
    fn questions_are_written_as_the_standard_has_them() {
        let ask = |grant: Grant, auth, second| {
            let question = Question::new(&config(grant), auth, &credentials(second));
            let authorization = question.authorization.map(|secret| secret.expose().to_owned());
            (question.form.expose().to_owned(), authorization)
        };
        let rest = "scope=openid+mail&resource=urn%3Aesa%261";
        let basic = |pair: &str| Some(format!("Basic {}", STANDARD.encode(pair)));
        assert_eq!(
            ask(Grant::ClientCredentials, ClientAuth::Basic, None),
            (format!("grant_type=client_credentials&{rest}"), basic("ex%3Aporter:s3+cret%26"))
        );
        assert_eq!(
            ask(Grant::ClientCredentials, ClientAuth::Post, None),
            (format!("grant_type=client_credentials&{rest}&client_id=ex%3Aporter&client_secret=s3+cret%26"), None)
        );
        let by_user = || Grant::Password { client_id: "app".into() };
        let user = format!("grant_type=password&username=ex%3Aporter&password=s3+cret%26&{rest}");
        assert_eq!(ask(by_user(), ClientAuth::Basic, Some("x y")), (user.clone(), basic("app:x+y")));
        assert_eq!(ask(by_user(), ClientAuth::Public, None), (format!("{user}&client_id=app"), None));
    }

    #[test]
    fn only_what_is_about_the_account_is_a_refusal() {
        let refused = |status, body: &str| {
            let failure = refusal(status, body, &credentials(None));
            (failure.reason, failure.detail)
        };
        let (reason, detail) = refused(401, r#"{"error": "invalid_client", "error_description": "unknown\nclient"}"#);
        assert_eq!(reason, Reason::LoginRefused);
        assert_eq!(detail, "the identity provider refused the request: `invalid_client` (unknown client)");
        assert_eq!(refused(400, r#"{"error": "invalid_grant"}"#).0, Reason::LoginRefused);
        assert_eq!(refused(403, "<html>").0, Reason::LoginRefused);
        for (status, body) in [
            (400, r#"{"error": "invalid_scope"}"#),
            (400, "<html>"),
            (429, ""),
            (503, ""),
            (404, r#"{"error": "No Way!"}"#),
        ] {
            assert_eq!(refused(status, body).0, Reason::IdentityProvider, "{status} {body}");
        }
        let echo = refused(401, r#"{"error": "invalid_client", "error_description": "no such secret s3 cret&"}"#).1;
        assert_eq!(echo, "the identity provider refused the request: `invalid_client`");
    }

    #[test]
    fn answers_are_read_by_what_they_must_hold() {
        let read = |body: &str| granted(body, "access_token").map(|granted| granted.life.map(|life| life.as_secs()));
        assert_eq!(read(r#"{"access_token": "a.b.c", "expires_in": 300}"#), Some(Some(300)));
        assert_eq!(read(r#"{"access_token": "x", "expires_in": "60"}"#), Some(Some(60)));
        assert_eq!(read(r#"{"access_token": "x"}"#), Some(None));
        for body in ["", "[]", r#"{"id_token": "x"}"#, r#"{"access_token": "a b"}"#, r#"{"access_token": 1}"#] {
            assert_eq!(read(body), None, "{body}");
        }
    }
}

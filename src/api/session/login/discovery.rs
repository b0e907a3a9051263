//! Discovery of an identity provider: the URL of its token endpoint, and how clients authenticate there.
//!
//! **Source:** OpenID Connect Discovery 1.0 section 4.

use serde::de::{self, SeqAccess};
use serde::{Deserialize, Deserializer};
use url::Url;

use crate::api::wire::json::{By, JsonScalar, Reader};
use crate::api::wire::number::Scalar;
use crate::config::ClientAuth;

/// Where tokens are to be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Endpoint {
    pub(super) url: Url,
    pub(super) client_auth: ClientAuth,
}

#[derive(Deserialize)]
struct Document {
    issuer: String,
    token_endpoint: String,
    /// Left out, it is `client_secret_basic`. **Source:** section 3.
    #[serde(default)]
    token_endpoint_auth_methods_supported: Methods,
}

/// Which ways to send a secret are named.
#[derive(Default)]
struct Methods {
    basic: bool,
    post: bool,
}

impl<'de> Deserialize<'de> for Methods {
    fn deserialize<D: Deserializer<'de>>(parser: D) -> Result<Self, D::Error> {
        parser.deserialize_seq(By(MethodsReader))
    }
}

struct MethodsReader;

impl<'de> Reader<'de> for MethodsReader {
    type Made = Methods;

    fn scalar<E: de::Error>(self, _: Scalar<'_>) -> Result<Methods, E> {
        Err(E::custom("no list"))
    }

    fn list<A: SeqAccess<'de>>(self, mut list: A) -> Result<Methods, A::Error> {
        let mut methods = Methods::default();
        while let Some(method) = list.next_element::<JsonScalar>()? {
            methods.basic |= method.text() == Some("client_secret_basic");
            methods.post |= method.text() == Some("client_secret_post");
        }
        Ok(methods)
    }
}

/// Where the document of `issuer` is.
pub(super) fn document_url(issuer: &Url) -> Url {
    let mut document_url = issuer.clone();
    document_url.set_path(&format!("{}/.well-known/openid-configuration", issuer.path().trim_end_matches('/')));
    document_url
}

/// Reads the document that was found for `issuer`.
///
/// # Errors
/// Why it cannot be used: for one, it is another issuer's (section 4.3), or sends secrets where nothing hides them.
pub(super) fn read(body: &str, issuer: &Url) -> Result<Endpoint, String> {
    let document: Document =
        serde_json::from_str(body).map_err(|_| "its discovery document is not the expected JSON".to_owned())?;
    let bare = |url: &str| url.trim_end_matches('/').to_owned();
    if Url::parse(&document.issuer).map_or(true, |found| bare(found.as_str()) != bare(issuer.as_str())) {
        let found: String = document.issuer.chars().filter(|letter| !letter.is_control()).take(200).collect();
        return Err(format!("its discovery document is that of the issuer `{found}`: correct `issuer`"));
    }
    let url = Url::parse(&document.token_endpoint).ok().filter(|url| url.scheme().starts_with("http"));
    let url = url.ok_or_else(|| "its token endpoint is not a URL".to_owned())?;
    if issuer.scheme() == "https" && url.scheme() != "https" {
        return Err("its token endpoint does not use https".into());
    }
    let methods = document.token_endpoint_auth_methods_supported;
    let by_post = methods.post && !methods.basic;
    let client_auth = if by_post { ClientAuth::Post } else { ClientAuth::Basic };
    Ok(Endpoint { url, client_auth })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).expect("a URL")
    }

    #[test]
    fn the_document_is_below_the_issuer() {
        for issuer in ["https://idp.example.com/realms/mail", "https://idp.example.com/realms/mail/"] {
            let expected = "https://idp.example.com/realms/mail/.well-known/openid-configuration";
            assert_eq!(document_url(&url(issuer)).as_str(), expected);
        }
        let root = document_url(&url("https://idp.example.com"));
        assert_eq!(root.as_str(), "https://idp.example.com/.well-known/openid-configuration");
    }

    #[test]
    fn only_the_issuers_own_document_counts() {
        let body = |issuer: &str, token: &str, rest: &str| {
            format!(r#"{{"issuer": "{issuer}", "token_endpoint": "{token}"{rest}}}"#)
        };
        let issuer = url("https://idp.example.com/a");
        let said = |issued: &str, token: &str, rest: &str| read(&body(issued, token, rest), &issuer);
        let token = "https://idp.example.com/token";
        let found = |client_auth| Ok(Endpoint { url: url(token), client_auth });
        assert_eq!(said("https://idp.example.com/a/", token, ""), found(ClientAuth::Basic));
        let methods = r#", "token_endpoint_auth_methods_supported": ["private_key_jwt", "client_secret_post"]"#;
        assert_eq!(said("https://idp.example.com/a", token, methods), found(ClientAuth::Post));
        assert!(
            said("https://idp.example.com/b", token, "").expect_err("another").contains("`https://idp.example.com/b`")
        );
        assert!(said("https://idp.example.com/a", "http://idp.example.com/token", "").is_err());
        assert!(said("https://idp.example.com/a", "nowhere", "").is_err());
        assert!(read("<html>", &issuer).is_err());
    }
}

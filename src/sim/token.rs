//! Tokens: HS256 JWTs with the recorded claims. Stateless: what a token says is in it, and revoking changes the key.
//! **Source:** a token recorded on an SMA 12.0 (nickrusso42518/postman).

use std::io;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};
use serde_json::Value;

use crate::sim::behaviour::Behaviour;
use crate::sim::form::TokenCookie;
use crate::sim::json::Quoted;
use crate::sim::request::Request;

/// Issues tokens and checks them.
pub(super) struct Tokens {
    root: [u8; 32],
    generation: u64,
    issued: u64,
}

/// Claims of a token to issue.
pub(super) struct Claims<'a> {
    pub(super) user: &'a str,
    /// The request that fetches the token; the token is bound to three of its headers.
    pub(super) request: &'a Request,
    /// Seconds since 1970.
    pub(super) expires: u64,
    pub(super) second_factor: bool,
    /// Whether the token hides that it is a JWT.
    pub(super) opaque: bool,
    /// The behaviour that describes the appliance.
    pub(super) behaviour: &'a Behaviour,
}

/// A token that was accepted.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct AcceptedToken {
    /// Seconds since 1970.
    pub(super) expires: u64,
    pub(super) second_factor: bool,
}

/// Why a token was not accepted; the names are those of the messages.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum TokenError {
    ExpiredSignature,
    InvalidToken,
}

impl Tokens {
    /// # Errors
    /// When the system has no randomness to give.
    pub(super) fn try_new() -> io::Result<Self> {
        let mut root = [0; 32];
        SystemRandom::new().fill(&mut root).map_err(|_| io::Error::other("no randomness for the token key"))?;
        Ok(Self { root, generation: 0, issued: 0 })
    }

    /// Makes every token issued so far invalid.
    pub(super) fn revoke(&mut self) {
        self.generation += 1;
    }

    pub(super) fn issue(&mut self, claims: &Claims<'_>) -> String {
        self.issued += 1;
        // The count stands for the number at the head of the recorded cookie, and keeps two tokens of one second apart.
        let number = STANDARD.encode(self.issued.to_string());
        let recorded = claims
            .behaviour
            .identity()
            .map(|identity| STANDARD.encode(format!("{number};{};", binding(claims.request, claims.user, &identity))));
        let cookie = match (&claims.behaviour.token_cookie, recorded) {
            (TokenCookie::Claim(claim), _) => Some(claim.clone()),
            (_, recorded) => recorded,
        };
        let cookie = cookie.map_or_else(String::new, |cookie| format!(r#""cookie":{},"#, Quoted(&cookie)));
        let payload = format!(
            r#"{{"userName":{},"is2FactorCheckRequired":{},{cookie}"user":"NONEUQ","exp":{}}}"#,
            Quoted(claims.user),
            claims.second_factor,
            claims.expires
        );
        let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256","typ":"JWT"}"#);
        let signed = format!("{header}.{}", URL_SAFE_NO_PAD.encode(payload));
        let signature = URL_SAFE_NO_PAD.encode(hmac::sign(&self.key(), signed.as_bytes()));
        let token = format!("{signed}.{signature}");
        if claims.opaque { URL_SAFE_NO_PAD.encode(token) } else { token }
    }

    /// Checks a token that came with `request` at `now` (seconds since 1970). `user` is the only user there is. With `bound`,
    /// the appliance's identity, the headers must be those the token was fetched with.
    pub(super) fn check(
        &self,
        token: &str,
        request: &Request,
        user: &str,
        now: u64,
        bound: Option<&str>,
    ) -> Result<AcceptedToken, TokenError> {
        let claims = self.verified(token).ok_or(TokenError::InvalidToken)?;
        let expires = claims["exp"].as_u64().ok_or(TokenError::InvalidToken)?;
        if expires <= now {
            return Err(TokenError::ExpiredSignature);
        }
        let fits = |identity| bound_to(&claims).as_deref() == Some(&format!("{};", binding(request, user, identity)));
        if !bound.is_none_or(fits) {
            return Err(TokenError::InvalidToken);
        }
        Ok(AcceptedToken { expires, second_factor: claims["is2FactorCheckRequired"] == Value::Bool(true) })
    }

    fn verified(&self, token: &str) -> Option<Value> {
        let clear = match token.contains('.') {
            true => token.to_owned(),
            false => String::from_utf8(URL_SAFE_NO_PAD.decode(token).ok()?).ok()?,
        };
        let (signed, signature) = clear.rsplit_once('.')?;
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        hmac::verify(&self.key(), signed.as_bytes(), &signature).ok()?;
        let (_, payload) = signed.split_once('.')?;
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()
    }

    fn key(&self) -> hmac::Key {
        let root = hmac::Key::new(hmac::HMAC_SHA256, &self.root);
        let of_generation = hmac::sign(&root, &self.generation.to_be_bytes());
        hmac::Key::new(hmac::HMAC_SHA256, of_generation.as_ref())
    }
}

/// The items of the cookie that tie a token to its client, as recorded, without the number before them and the empty
/// item behind.
fn binding(request: &Request, user: &str, identity: &str) -> String {
    let header = |name| request.header(name).unwrap_or_default();
    let items = [header("Accept"), header("Host"), header("User-Agent"), identity, user];
    items.map(|item| STANDARD.encode(item)).join(";")
}

/// The cookie of a token without its first item.
fn bound_to(claims: &Value) -> Option<String> {
    let cookie = String::from_utf8(STANDARD.decode(claims["cookie"].as_str()?).ok()?).ok()?;
    cookie.split_once(';').map(|(_, rest)| rest.to_owned())
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;
    use crate::sim::settings::Product;

    const IDENTITY: &str = "C100V;16.0.0-050;000000000000000000AA-AAAAAAAAAAAA;";

    fn request(agent: &str) -> Request {
        let headers = [("accept", "*/*"), ("Host", "esa:6443"), ("User-Agent", agent)];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        Request::new(Product::Esa, "GET", "/", headers, UNIX_EPOCH)
    }

    fn claims<'a>(request: &'a Request, expires: u64, behaviour: &'a Behaviour) -> Claims<'a> {
        Claims { user: "monitor", request, expires, second_factor: false, opaque: false, behaviour }
    }

    #[test]
    fn a_token_has_the_recorded_claims() {
        let mut tokens = Tokens::try_new().unwrap();
        let token = tokens.issue(&claims(&request("ua"), 1_800, &Behaviour::esa()));
        let parts: Vec<_> = token.split('.').map(|part| URL_SAFE_NO_PAD.decode(part).unwrap()).collect();
        assert_eq!(parts.len(), 3);
        assert_eq!(parts[0], br#"{"alg":"HS256","typ":"JWT"}"#);
        let payload: Value = serde_json::from_slice(&parts[1]).unwrap();
        assert_eq!(payload["userName"], "monitor");
        assert_eq!(payload["is2FactorCheckRequired"], false);
        assert_eq!(payload["user"], "NONEUQ");
        assert_eq!(payload["exp"], 1_800);
        let cookie = String::from_utf8(STANDARD.decode(payload["cookie"].as_str().unwrap()).unwrap()).unwrap();
        let items: Vec<_> =
            cookie.split(';').map(|item| String::from_utf8(STANDARD.decode(item).unwrap()).unwrap()).collect();
        assert_eq!(items, ["1", "*/*", "esa:6443", "ua", IDENTITY, "monitor", ""]);
    }

    #[test]
    fn a_token_is_good_only_for_its_client_and_its_time() {
        let mut tokens = Tokens::try_new().unwrap();
        let (home, away) = (request("one"), request("two"));
        let token = tokens.issue(&claims(&home, 1_800, &Behaviour::esa()));
        let check = |tokens: &Tokens, request, now, bound| tokens.check(&token, request, "monitor", now, bound);
        let accepted = Ok(AcceptedToken { expires: 1_800, second_factor: false });
        assert_eq!(check(&tokens, &home, 1_799, Some(IDENTITY)), accepted);
        assert_eq!(check(&tokens, &away, 1_799, None), accepted);
        assert_eq!(check(&tokens, &away, 1_799, Some(IDENTITY)), Err(TokenError::InvalidToken));
        assert_eq!(check(&tokens, &home, 1_800, Some(IDENTITY)), Err(TokenError::ExpiredSignature));
        tokens.revoke();
        assert_eq!(check(&tokens, &home, 1_799, Some(IDENTITY)), Err(TokenError::InvalidToken));
        for malformed in ["", "x", "a.b.c", "....", "ü"] {
            assert_eq!(tokens.check(malformed, &home, "monitor", 0, None), Err(TokenError::InvalidToken));
        }
    }

    #[test]
    fn an_opaque_token_works_and_does_not_look_like_a_jwt() {
        let mut tokens = Tokens::try_new().unwrap();
        let home = request("one");
        let token = tokens.issue(&Claims { opaque: true, ..claims(&home, 9, &Behaviour::esa()) });
        assert!(!token.contains('.'));
        assert!(tokens.check(&token, &home, "monitor", 8, Some(IDENTITY)).is_ok());
    }

    #[test]
    fn odd_cookies_are_in_the_token_and_bind_nothing() {
        let mut tokens = Tokens::try_new().unwrap();
        let home = request("one");
        let mut claim = |cookie: TokenCookie| {
            let behaviour = Behaviour { token_cookie: cookie, ..Behaviour::esa() };
            let token = tokens.issue(&claims(&home, 9, &behaviour));
            let bound = behaviour.identity();
            assert!(tokens.check(&token, &home, "monitor", 8, bound.as_deref()).is_ok());
            let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
            (bound.is_some(), serde_json::from_slice::<Value>(&payload).unwrap()["cookie"].clone())
        };
        assert_eq!(claim(TokenCookie::Missing), (false, Value::Null));
        assert_eq!(claim(TokenCookie::Claim("*\"*".into())), (false, "*\"*".into()));
        assert!(claim(TokenCookie::Identity("nothing".into())).0);
    }
}

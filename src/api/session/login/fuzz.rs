//! Invariants of what logins read, for any bytes: built for tests and fuzzing only.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use url::Url;

use super::response::LoginResponse;
use super::{ASSUMED_LIFE, Identity, TokenLifetime, discovery, oidc};
use crate::api::fuzz::{self, NOW, check_detail, logged};
use crate::api::http::header::is_header_text;
use crate::api::time::Arrival;
use crate::base::clock::{Tick, Timestamp};
use crate::base::secret::Secret;
use crate::config::{Credentials, Passphrase};

/// With blanks, which a cleaned text could have in place of other letters.
const PASSWORD: &str = "correct horse battery";

/// The answer to a step of a login.
pub(crate) fn login(body: &[u8]) {
    let body = fuzz::text(body);
    let Some(response) = logged(LoginResponse::read(&body)) else { return };
    assert!(response.token.is_none_or(|token| is_header_text(token.expose())));
}

/// A token, what it states about the appliance, and the life that it claims, by either of two clocks.
pub(crate) fn token(body: &[u8]) {
    /// The longest life that is plausible, unless its maker usually grants more.
    const DAY: Duration = Duration::from_secs(24 * 3600);
    let (token, now) = (Secret::new(fuzz::text(body)), Timestamp::from_secs(NOW));
    identity(&token);
    let tick = Tick::default() + Duration::from_secs(7);
    for date in [now, now - Duration::from_secs(7200), now + Duration::from_secs(7200), Timestamp::from_secs(0)] {
        for usual in [ASSUMED_LIFE, 3 * DAY, Duration::MAX] {
            let life = TokenLifetime::of(&token, Arrival { at: now, date, tick }, usual);
            assert!(!life.span.is_zero() && life.span <= DAY.max(usual), "{life:?}");
            assert_eq!(life.ends, tick + life.span);
            let is_claimed = [date, now].iter().any(|at| life.span == life.expires.since(*at));
            assert!(is_claimed || (life.span, life.expires) == (usual, now + usual), "{life:?}");
            assert!(!life.expires.to_string().is_empty());
        }
    }
}

/// The facts from the claim are fit for a label: short and printable. The bytes are a
/// token, and also the claim of one in each of its layers, which changes to a whole token seldom reach.
fn identity(token: &Secret) {
    let text = token.expose();
    let item = STANDARD.encode(text);
    let claims = [text.to_owned(), item.clone(), STANDARD.encode(&item), STANDARD.encode(format!("MQ==;{item};"))];
    let of_claim = |claim: &String| {
        let claims = serde_json::json!({"cookie": claim}).to_string();
        Identity::of(&Secret::new(format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims))))
    };
    for found in std::iter::once(Identity::of(token)).chain(claims.iter().map(of_claim)).flatten() {
        let Identity { model, release, serial } = found;
        assert_eq!(release.to_string().parse(), Ok(release));
        for part in [model, serial].into_iter().flatten() {
            assert!((1..=64).contains(&part.len()) && part.trim() == part, "{part:?}");
            assert!(part.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{part:?}");
        }
    }
}

/// Answers of an identity provider: a token, a refusal, its discovery document.
pub(crate) fn provider(body: &[u8]) {
    let body = fuzz::text(body);
    if let Some(granted) = oidc::granted(&body, "access_token") {
        assert!(is_header_text(granted.token.expose()));
    }
    let credentials = Credentials {
        username: "monitor".into(),
        password: Passphrase::try_new(PASSWORD).expect("a password"),
        second: None,
    };
    for status in [400, 401, 503] {
        let refusal = oidc::refusal(status, &body, &credentials);
        check_detail(&refusal.detail);
        assert!(!refusal.detail.contains(PASSWORD), "a secret is repeated");
    }
    let issuer = Url::parse("https://idp.example.com/realms/mail").expect("a URL");
    match discovery::read(&body, &issuer) {
        Ok(endpoint) => assert_eq!(endpoint.url.scheme(), "https"),
        Err(detail) => check_detail(&detail),
    }
}

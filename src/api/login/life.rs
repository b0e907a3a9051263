//! How long a token is good for, by what it says of itself.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::api::field::Wanted;
use crate::api::json::{self, Kept};
use crate::clock::Timestamp;
use crate::secret::Secret;

/// The life of a token that does not tell its own: what recorded tokens and published clients agree on.
pub(in crate::api) const ASSUMED_LIFE: Duration = Duration::from_secs(30 * 60);

/// When a token ends and how long it lives as of when it came, both by the appliance's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::api) struct Life {
    pub(in crate::api) expires: Timestamp,
    pub(in crate::api) span: Duration,
}

impl Life {
    /// Reads the claim `exp`. A token that has none, or one that is over already (a clock that cannot be right, since
    /// the token has just been made), lives as long as `usual` from `now`.
    pub(in crate::api) fn of(token: &Secret, now: Timestamp, usual: Duration) -> Self {
        let expires = exp(token.expose()).map(Timestamp::from_secs).filter(|expires| *expires > now);
        let expires = expires.unwrap_or(now + usual);
        Self { expires, span: expires.since(now) }
    }
}

fn exp(token: &str) -> Option<u64> {
    let claims = token.split('.').nth(1)?;
    let json = URL_SAFE_NO_PAD.decode(claims.trim_end_matches('=')).ok()?;
    let claims = json::read(std::str::from_utf8(&json).ok()?, Wanted { names: &["exp"], refusal: None }).ok()?;
    // Above this lies the year 9999; a claim in milliseconds is none that the facts know.
    const LATEST: u64 = 253_402_300_799;
    let exp = match claims.get("exp")? {
        Kept::Whole(exp) => Some(*exp),
        Kept::Fraction(exp) if *exp >= 0.0 => Some(*exp as u64),
        Kept::Null | Kept::Switch(_) | Kept::Fraction(_) | Kept::Text(_) | Kept::Structure => None,
    };
    exp.filter(|exp| *exp <= LATEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn life_comes_from_exp_against_the_appliances_clock() {
        let now = Timestamp::from_secs(1_000);
        let jwt = |claims: &str| Secret::new(format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims)));
        let life = |claims| Life::of(&jwt(claims), now, ASSUMED_LIFE).expires.as_secs();
        assert_eq!(life(r#"{"exp": 2800}"#), 2800);
        assert_eq!(life(r#"{"exp": 2800.5}"#), 2800);
        for claims in
            ["{}", r#"{"exp": 999}"#, r#"{"exp": 1000}"#, r#"{"exp": "soon"}"#, r#"{"exp": 1e300}"#, "no json"]
        {
            assert_eq!(life(claims), 2800, "the usual life for {claims}");
        }
        assert_eq!(Life::of(&Secret::new("opaque"), now, ASSUMED_LIFE).span, ASSUMED_LIFE);
    }
}

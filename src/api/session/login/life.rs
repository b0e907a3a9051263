//! The lifetime of a token, as the token states it.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::api::time::Arrival;
use crate::api::wire::field::Wanted;
use crate::api::wire::json::{self, JsonScalar};
use crate::base::clock::{Tick, Timestamp};
use crate::base::secret::Secret;

/// The lifetime of a token that does not state its own: recorded tokens and published clients agree on it.
pub(in crate::api) const ASSUMED_LIFE: Duration = Duration::from_secs(30 * 60);

/// The longest lifetime that is plausible: more is a clock that cannot be right.
///
/// **Source:** API guide: it follows the inactivity timeout of the web interface, which is at most 1440 minutes.
const LONGEST_LIFE: Duration = Duration::from_secs(24 * 3600);

/// When a token ends and how long it lives as of when it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::api) struct TokenLifetime {
    /// By the appliance's clock, to be shown.
    pub(in crate::api) expires: Timestamp,
    /// By our steady clock, which no jump of another reaches.
    pub(in crate::api) ends: Tick,
    pub(in crate::api) span: Duration,
}

impl TokenLifetime {
    /// Reads the claim `exp` against the `Date` of the very answer that brought the token: both are by the clock of who
    /// made it, right or wrong. Where that gives no plausible life (the `Date` is a proxy's), the trusted time decides;
    /// else, and for a token without the claim, it is `usual`.
    pub(in crate::api) fn of(token: &Secret, came: Arrival, usual: Duration) -> Self {
        let longest = LONGEST_LIFE.max(usual);
        let exp = exp(token.expose()).map(Timestamp::from_secs);
        let read = exp.and_then(|expires| {
            let spans = [came.date, came.at].map(|now| expires.since(now));
            let span = spans.into_iter().find(|span| !span.is_zero() && *span <= longest)?;
            Some((expires, span))
        });
        let (expires, span) = read.unwrap_or((came.at + usual, usual));
        Self { expires, ends: came.tick + span, span }
    }
}

fn exp(token: &str) -> Option<u64> {
    let claims = token.split('.').nth(1)?;
    let json = URL_SAFE_NO_PAD.decode(claims.trim_end_matches('=')).ok()?;
    let claims = json::read(std::str::from_utf8(&json).ok()?, Wanted { names: &["exp"], refusal: None }).ok()?;
    // Above this lies the year 9999; a claim in milliseconds is none that the facts know.
    const LATEST: u64 = 253_402_300_799;
    let exp = match claims.get("exp")? {
        JsonScalar::Whole(exp) => Some(*exp),
        JsonScalar::Fraction(exp) if *exp >= 0.0 => Some(*exp as u64),
        JsonScalar::Null
        | JsonScalar::Switch(_)
        | JsonScalar::Fraction(_)
        | JsonScalar::Text(_)
        | JsonScalar::Structure => None,
    };
    exp.filter(|exp| *exp <= LATEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrival(at: u64, date: u64) -> Arrival {
        let tick = Tick::default() + Duration::from_secs(7);
        Arrival { at: Timestamp::from_secs(at), date: Timestamp::from_secs(date), tick }
    }

    #[test]
    fn a_life_does_not_depend_on_whose_clock_is_right() {
        const NOON: u64 = 1_795_435_200; // 2026-11-23T12:00:00Z
        const DAYS: u64 = 10 * 86_400;
        let life = |exp: u64, at, date| {
            let claims = URL_SAFE_NO_PAD.encode(format!(r#"{{"exp": {exp}}}"#));
            let life = TokenLifetime::of(&Secret::new(format!("e30.{claims}.c2ln")), arrival(at, date), ASSUMED_LIFE);
            assert_eq!(life.ends, Tick::default() + Duration::from_secs(7) + life.span);
            (life.expires.as_secs(), life.span.as_secs())
        };
        for wrong in [NOON - 7200, NOON + 7200, NOON - DAYS, NOON + DAYS] {
            assert_eq!(life(wrong + 600, NOON, wrong), (wrong + 600, 600), "the appliance's clock is {wrong}");
        }
        for date in [0, NOON - DAYS, NOON + DAYS] {
            assert_eq!(life(NOON + 600, NOON, date), (NOON + 600, 600), "the date is a proxy's: {date}");
        }
        assert_eq!(life(NOON + DAYS, NOON, NOON), (NOON + 1800, 1800), "none lives as long");
    }

    #[test]
    fn life_comes_from_exp_against_the_appliances_clock() {
        let came = arrival(1_000, 1_000);
        let jwt = |claims: &str| Secret::new(format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims)));
        let life = |claims| TokenLifetime::of(&jwt(claims), came, ASSUMED_LIFE).expires.as_secs();
        assert_eq!(life(r#"{"exp": 2800}"#), 2800);
        assert_eq!(life(r#"{"exp": 2800.5}"#), 2800);
        for claims in
            ["{}", r#"{"exp": 999}"#, r#"{"exp": 1000}"#, r#"{"exp": "soon"}"#, r#"{"exp": 1e300}"#, "no json"]
        {
            assert_eq!(life(claims), 2800, "the usual life for {claims}");
        }
        assert_eq!(TokenLifetime::of(&Secret::new("opaque"), came, ASSUMED_LIFE).span, ASSUMED_LIFE);
    }
}

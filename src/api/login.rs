//! The kinds of login: what each asks for, and what it brings to be sent with every request. Knows nothing of how often
//! a login may be made; that is the session's.

use std::time::Duration;

use reqwest::header::{AUTHORIZATION, HeaderName, HeaderValue};
use url::Url;

use super::gate::Pass;
use super::transport::{TOKEN_HEADER, Wire};
use super::{Failure, Reason, SystemRoots};
use crate::config::{Auth, Credentials};
use crate::secret::Secret;

mod basic;
mod discovery;
#[cfg(any(test, fuzzing))]
pub(in crate::api) mod fuzz;
mod jwt;
mod life;
mod oidc;
mod passcode;
mod second_factor;

pub(super) use life::{ASSUMED_LIFE, Life};

use oidc::IdentityProvider;
use second_factor::SecondFactor;

/// What a request carries to be accepted.
pub(super) type Header = (HeaderName, HeaderValue);

/// What a login brings.
#[derive(Debug)]
pub(super) struct Proof {
    pub(super) header: Header,
    /// None for what does not end.
    pub(super) life: Option<Life>,
    /// Whether an endpoint of the API has taken it already.
    pub(super) is_tried: bool,
}

/// How an account gets in.
#[derive(Debug)]
pub(super) enum Login {
    Jwt(Option<SecondFactor>),
    Basic,
    Oidc(Box<IdentityProvider>),
}

impl Login {
    /// The login that is configured; requests to others than the appliance may take as long as `timeout`.
    ///
    /// # Errors
    /// When the TLS configuration for the identity provider cannot be built.
    pub(super) fn try_new(auth: &Auth, roots: &SystemRoots, timeout: Duration) -> Result<Self, Failure> {
        Ok(match auth {
            Auth::Jwt(two_factor) => Self::Jwt(two_factor.clone().map(SecondFactor::new)),
            Auth::Basic => Self::Basic,
            Auth::Oidc(oidc) => Self::Oidc(Box::new(IdentityProvider::try_new(oidc.as_ref().clone(), roots, timeout)?)),
        })
    }

    /// Where the account is that refusals are counted of: an identity provider has one for all appliances.
    pub(super) fn place<'a>(&'a self, appliance: &'a Url) -> &'a Url {
        match self {
            Self::Jwt(_) | Self::Basic => appliance,
            Self::Oidc(provider) => provider.place(),
        }
    }

    /// Whether the appliance may send the next token with any answer.
    pub(super) const fn is_renewed_by_answers(&self) -> bool {
        match self {
            Self::Jwt(_) => true,
            Self::Basic | Self::Oidc(_) => false,
        }
    }

    /// Whether a credential that is no longer taken can be replaced by asking for another.
    pub(super) const fn can_be_repeated(&self) -> bool {
        match self {
            Self::Jwt(_) | Self::Oidc(_) => true,
            Self::Basic => false,
        }
    }

    /// Makes one login; `pass` is for the first request to the appliance.
    ///
    /// # Errors
    /// [`Reason::LoginRefused`] where the account was refused; any other reason leaves open whether it is good.
    ///
    /// # Cancel safety
    /// Dropping the future closes the connection; what it has asked for may have been counted by then.
    pub(super) async fn make(&self, wire: &Wire, pass: Pass<'_>, credentials: &Credentials) -> Result<Proof, Failure> {
        match self {
            Self::Jwt(second) => jwt::log_in(wire, pass, credentials, second.as_ref()).await,
            Self::Basic => basic::prove(wire, pass, credentials).await,
            Self::Oidc(provider) => provider.log_in(wire, pass, credentials).await,
        }
    }
}

/// The header of requests that take the password itself.
///
/// # Errors
/// When the password cannot travel in a header.
pub(super) fn basic_header(credentials: &Credentials) -> Result<Header, Failure> {
    let unusable = || Failure::new(Reason::LoginRefused, "the password cannot travel in a header");
    Ok((AUTHORIZATION, sensitive(&basic::value(credentials)).ok_or_else(unusable)?))
}

/// The header with the appliance's own token; none where the token cannot travel in one.
pub(super) fn token_header(token: &Secret) -> Option<Header> {
    Some((TOKEN_HEADER, sensitive(token)?))
}

fn sensitive(text: &Secret) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(text.expose()).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// Whether `text` can travel in a header: visible ASCII, not empty.
pub(super) fn is_header_text(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// A login's 401 or 403 is a refusal; anything else leaves open whether the account is good.
fn refused(failure: Failure) -> Failure {
    let is_refusal = matches!(failure.reason, Reason::Unauthorized | Reason::NotAllowed);
    if is_refusal { failure.because(Reason::LoginRefused) } else { failure }
}

//! The kinds of login: the request of each, and the credential that it returns. Knows nothing of how often a login may be
//! made; that is the session's task.

use std::time::Duration;

use url::Url;

use crate::api::http::header::Header;
use crate::api::http::rate_limiter::Permit;
use crate::api::http::transport::Transport;
use crate::api::{Cause, Failure, Reason, RefusalCause, SystemRoots};
use crate::config::{Auth, Credentials};

mod basic;
mod discovery;
#[cfg(any(test, fuzzing))]
pub(in crate::api) mod fuzz;
mod identity;
mod jwt;
mod life;
mod oidc;
mod passcode;
mod response;
mod second_factor;

pub use identity::Identity;
pub(in crate::api) use life::{ASSUMED_LIFE, TokenLifetime};

use oidc::IdentityProvider;
use second_factor::SecondFactor;

/// The result of a login.
#[derive(Debug)]
pub(in crate::api) struct Credential {
    pub(in crate::api) header: Header,
    /// None for what does not end.
    pub(in crate::api) life: Option<TokenLifetime>,
    /// Whether an endpoint of the API has taken it already.
    pub(in crate::api) is_tried: bool,
    /// Facts from the token; none if the appliance did not issue it.
    pub(in crate::api) identity: Option<Identity>,
}

/// Why a login brought nothing.
#[derive(Debug)]
pub(in crate::api) struct LoginFailure {
    pub(in crate::api) failure: Failure,
    /// Of a refusal, what it seems to be due to.
    pub(in crate::api) cause: RefusalCause,
}

impl LoginFailure {
    fn refused(cause: RefusalCause, detail: impl AsRef<str>) -> Self {
        let failure = Failure::new(Reason::LoginRefused, detail);
        let failure = match cause {
            // That of the kind says more about accounts.
            RefusalCause::Password => failure,
            RefusalCause::SecondFactor
            | RefusalCause::Passcode
            | RefusalCause::OtherServer
            | RefusalCause::OtherProduct => failure.caused_by(Cause::Login(cause)),
        };
        Self { failure, cause }
    }
}

impl From<Failure> for LoginFailure {
    fn from(failure: Failure) -> Self {
        Self { failure, cause: RefusalCause::Password }
    }
}

/// The kind of login of an account.
#[derive(Debug)]
pub(in crate::api) enum Login {
    Jwt(Option<SecondFactor>),
    Basic,
    Oidc(Box<IdentityProvider>),
}

impl Login {
    /// The login that is configured; requests to others than the appliance may take as long as `timeout`.
    ///
    /// # Errors
    /// When the TLS configuration for the identity provider cannot be built.
    pub(in crate::api) fn try_new(auth: &Auth, roots: &SystemRoots, timeout: Duration) -> Result<Self, Failure> {
        Ok(match auth {
            Auth::Jwt(two_factor) => Self::Jwt(two_factor.clone().map(SecondFactor::new)),
            Auth::Basic => Self::Basic,
            Auth::Oidc(oidc) => Self::Oidc(Box::new(IdentityProvider::try_new(oidc.as_ref().clone(), roots, timeout)?)),
        })
    }

    /// Where the account is that refusals are counted of: an identity provider has one for all appliances.
    pub(in crate::api) fn login_url<'a>(&'a self, appliance: &'a Url) -> &'a Url {
        match self {
            Self::Jwt(_) | Self::Basic => appliance,
            Self::Oidc(provider) => provider.login_url(),
        }
    }

    /// Whether the appliance may send the next token with any answer.
    pub(in crate::api) const fn is_renewed_by_answers(&self) -> bool {
        match self {
            Self::Jwt(_) => true,
            Self::Basic | Self::Oidc(_) => false,
        }
    }

    /// Whether a credential that is no longer taken can be replaced by asking for another.
    pub(in crate::api) const fn can_be_repeated(&self) -> bool {
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
    /// Dropping the future closes the connection; the appliance may have counted its request by then.
    pub(in crate::api) async fn make(
        &self,
        transport: &Transport,
        permit: Permit<'_>,
        credentials: &Credentials,
    ) -> Result<Credential, LoginFailure> {
        match self {
            Self::Jwt(second) => jwt::log_in(transport, permit, credentials, second.as_ref()).await,
            Self::Basic => Ok(basic::verify(transport, permit, credentials).await?),
            Self::Oidc(provider) => Ok(provider.log_in(transport, permit, credentials).await?),
        }
    }
}

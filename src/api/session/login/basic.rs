//! Basic: the password with every request. There is no login, so one request stands for it.

use super::Credential;
use crate::api::http::header::{Header, LOCKED, basic_header};
use crate::api::http::rate_limiter::Permit;
use crate::api::http::transport::Transport;
use crate::api::{Failure, Reason};
use crate::config::Credentials;

/// A 401 or 403 is a refusal. Anything else is taken for the known answer or leaves open whether the account is good: a
/// probe that is not refused is followed by no other, so that nothing has to be bounded.
fn refusal(failure: Failure) -> Failure {
    let is_refusal = matches!(failure.reason, Reason::Unauthorized | Reason::NotAllowed);
    if is_refusal { failure.because(Reason::LoginRefused) } else { failure }
}

/// A wrong password is met here once, and not by every group.
pub(super) async fn verify(
    transport: &Transport,
    permit: Permit<'_>,
    credentials: &Credentials,
) -> Result<Credential, Failure> {
    let header = basic_header(credentials)?;
    probe_credentials(transport, permit, &header, refusal).await?;
    Ok(Credential { header, life: None, is_tried: true, identity: None })
}

/// One request to the root of the API, which answers 404 to whom it knows and 401 to others.
///
/// **Source:** docs.ces.cisco.com, API log.
///
/// # Errors
/// When there was no answer, or what `meaning` makes of one that does not take the credential in `header`.
pub(super) async fn probe_credentials(
    transport: &Transport,
    permit: Permit<'_>,
    header: &Header,
    meaning: impl Fn(Failure) -> Failure,
) -> Result<(), Failure> {
    let answer = transport.get(permit, "", "", "", header).await?;
    let is_locked = answer.status() == LOCKED;
    match answer.checked() {
        Ok(_) => Ok(()),
        Err(failure) if is_locked => Err(meaning(failure.because(Reason::Unauthorized))),
        // Known is a 404 with a message; what matters is that it is no 401, so any other client error will do.
        Err(failure) if matches!(failure.reason, Reason::Declined | Reason::NotJson | Reason::Status) => Ok(()),
        Err(failure) => Err(meaning(failure)),
    }
    .inspect_err(|failure| transport.failed(failure.reason))
}

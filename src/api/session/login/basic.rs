//! Basic: the password with every request. There is no login, so one request stands for it.

use super::Proof;
use crate::api::http::header::{Header, LOCKED, basic_header};
use crate::api::http::rate_limiter::Pass;
use crate::api::http::transport::Wire;
use crate::api::{Failure, Reason};
use crate::config::Credentials;

/// A 401 or 403 is a refusal. Anything else is taken for the known answer or leaves open whether the account is good: a
/// probe that is not refused is followed by no other, so that nothing has to be bounded.
fn refusal(failure: Failure) -> Failure {
    let is_refusal = matches!(failure.reason, Reason::Unauthorized | Reason::NotAllowed);
    if is_refusal { failure.because(Reason::LoginRefused) } else { failure }
}

/// A wrong password is met here once, and not by every group.
pub(super) async fn prove(wire: &Wire, pass: Pass<'_>, credentials: &Credentials) -> Result<Proof, Failure> {
    let header = basic_header(credentials)?;
    knock(wire, pass, &header, refusal).await?;
    Ok(Proof { header, life: None, is_tried: true, identity: None })
}

/// One request to the root of the API, which answers 404 to whom it knows and 401 to others.
///
/// **Source:** docs.ces.cisco.com, API log.
///
/// # Errors
/// When there was no answer, or what `meaning` makes of one that does not take the credential in `header`.
pub(super) async fn knock(
    wire: &Wire,
    pass: Pass<'_>,
    header: &Header,
    meaning: impl Fn(Failure) -> Failure,
) -> Result<(), Failure> {
    let answer = wire.get(pass, "", "", "", header).await?;
    let is_locked = answer.status() == LOCKED;
    match answer.checked() {
        Ok(_) => Ok(()),
        Err(failure) if is_locked => Err(meaning(failure.because(Reason::Unauthorized))),
        // Known is a 404 with a message; what matters is that it is no 401, so any other client error will do.
        Err(failure) if matches!(failure.reason, Reason::Declined | Reason::NotJson | Reason::Status) => Ok(()),
        Err(failure) => Err(meaning(failure)),
    }
    .inspect_err(|failure| wire.failed(failure.reason))
}

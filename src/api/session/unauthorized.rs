//! The cause of a 401: the token is invalid, the role does not allow the endpoint, or the account is refused.

use super::{ActiveCredential, Origin, Session, State, UnauthorizedAction};
use crate::api::login_failures::Outcome;
use crate::api::login_failures::breaker::RefusalCause;
use crate::api::wire::refusal_message;
use crate::api::{Cause, Failure};

/// The refusal of an endpoint that used to accept the account.
#[derive(Clone, Copy, Debug)]
pub(super) struct Doubt {
    /// Requests that were accepted by then, elsewhere.
    acceptances: u64,
    /// Whether others were waited for already.
    waited: bool,
    /// Refused tokens that had never been accepted, and the newest of them.
    fresh: u32,
    newest: u64,
}

impl Session {
    /// The cause of a 401 from `endpoint`; forgets the credential if that is to blame and another can be obtained.
    ///
    /// The appliance says `Unauthorized.` both for a credential it does not know and for one whose role does not reach
    /// the endpoint, so what is accepted elsewhere decides; its other messages speak of the token.
    pub(in crate::api) async fn rejected(
        &self,
        credential: &ActiveCredential,
        endpoint: &str,
        failure: &Failure,
        last_try: bool,
    ) -> UnauthorizedAction {
        let action = self.action(credential, endpoint, failure, last_try);
        if action == UnauthorizedAction::Refused {
            let (now, account) = (self.wall(), self.state().account.clone());
            let refused = Outcome::Refused(RefusalCause::Password);
            let written = self.refusals.settle(&account, self.refusals.failures(&account), refused, now);
            // The store logs a failed write, and the count in memory holds until a restart.
            let _ = written.await;
            self.notify_refusals();
        }
        action
    }

    fn action(
        &self,
        credential: &ActiveCredential,
        endpoint: &str,
        failure: &Failure,
        last_try: bool,
    ) -> UnauthorizedAction {
        let now = self.transport.time.clock().tick();
        let mut state = self.state();
        // Another request has replaced the credential meanwhile: the 401 says nothing about the new one.
        if state.generation != credential.generation {
            return UnauthorizedAction::Retry;
        }
        // Without a token there is none to blame.
        let may_blame_role = !self.login.can_be_repeated() || refusal_message::may_blame_role(&failure.detail);
        if may_blame_role && state.blames_role(credential, endpoint, last_try) {
            state.working_endpoints.remove(endpoint);
            state.doubts.remove(endpoint);
            state.forbidden.insert(endpoint.to_owned());
            return UnauthorizedAction::NotAllowed;
        }
        // With Basic every request carries the password, so a repetition would be one more refusal.
        if !self.login.can_be_repeated() {
            state.credential = None;
            return UnauthorizedAction::Refused;
        }
        // A renewed token that was never accepted: the token of the login shows whether renewal itself is to blame.
        if credential.origin == Origin::Renewal && state.newest_taken < credential.generation {
            let older = state.logged_in_with.clone();
            if let Some(older) = older.filter(|credential| credential.life.is_some_and(|life| self.lasts(life, now))) {
                let older = state.hold(older.header, older.life, Origin::Login);
                state.fallback = Some(older.generation);
                return UnauthorizedAction::FallBack;
            }
        }
        // Where another endpoint has lost its permission since the login, this one may have as well: what others say to
        // the same token decides, and costs no login.
        let is_role_changing = may_blame_role && state.accepted && state.role_changed == Some(state.attempts);
        if is_role_changing
            && let Some(doubt) = state.doubts.get_mut(endpoint)
            && !std::mem::replace(&mut doubt.waited, true)
        {
            return UnauthorizedAction::GiveUp;
        }
        if last_try || !self.may_log_in_again || !state.pace.admits(now) {
            self.log_suspicion(&mut state);
            return UnauthorizedAction::GiveUp;
        }
        self.log_suspicion(&mut state);
        state.credential = None;
        UnauthorizedAction::Retry
    }

    /// Logs once that tokens keep being refused.
    fn log_suspicion(&self, state: &mut State) {
        let is_suspicious = state.pace.is_suspicious();
        if is_suspicious && !state.suspicion_is_logged {
            let hint = Cause::SharedAccount.advice();
            let hint = hint.as_deref();
            tracing::warn!(host = self.login_url.host_str(), hint, "tokens are rejected long before they expire");
        }
        state.suspicion_is_logged = is_suspicious;
    }

    /// `failure` of a credential that was refused and not replaced, with what is known of the reason.
    pub(in crate::api) fn given_up(&self, failure: Failure) -> Failure {
        if !self.state().pace.is_suspicious() {
            return failure;
        }
        let detail = format!("{}, and tokens are rejected long before they expire", failure.detail);
        Failure {
            retry_after: failure.retry_after,
            ..Failure::new(failure.reason, detail).caused_by(Cause::SharedAccount)
        }
    }
}

impl State {
    /// Whether the account is valid but may not use `endpoint`, which is possible by its answer to `credential`.
    fn blames_role(&mut self, credential: &ActiveCredential, endpoint: &str, last_try: bool) -> bool {
        // A credential obtained for this very request is not too old, whether or not another endpoint accepted it.
        let is_good = self.accepted || last_try || self.forbidden.contains(endpoint);
        if !self.working_endpoints.contains(endpoint) {
            if is_good {
                self.accepted |= last_try;
            }
            return is_good;
        }
        let is_fresh = credential.origin == Origin::Login && self.newest_taken < credential.generation;
        let (acceptances, accepted) = (self.acceptances, self.accepted);
        let new = Doubt { acceptances, waited: false, fresh: 0, newest: 0 };
        let doubt = self.doubts.entry(endpoint.to_owned()).or_insert(new);
        if is_fresh && doubt.newest != credential.generation {
            (doubt.fresh, doubt.newest) = (doubt.fresh + 1, credential.generation);
        }
        // Another endpoint accepted the token since this one refused it first, or this one refuses the token of each login.
        let is_role = accepted && acceptances > doubt.acceptances || doubt.fresh > 1;
        if is_fresh || is_role {
            self.role_changed = Some(self.attempts);
        }
        is_role
    }
}

//! Permission to log in, from the current password and its refusals so far.

use std::time::Duration;

use super::{PASSWORD_CHECK_INTERVAL, Session, State};
use crate::api::login_failures::Account;
use crate::api::login_failures::breaker::{FailureCount, LoginDecision, rounded_up};
use crate::api::{Cause, Event, Failure, Reason};

impl Session {
    /// Loads the current password of the file. Its refusals are counted separately: a corrected password starts at zero.
    pub(super) async fn reload_password(&self) {
        let credentials = self.state().credentials.clone();
        if !credentials.are_in_files() {
            return;
        }
        // Not on the runtime's threads: a hanging disk must not block them.
        let Ok(Some(next)) = tokio::task::spawn_blocking(move || credentials.reread()).await else { return };
        let account = self.refusals.account(&self.login_url, &next);
        self.refusals.name(&account).await;
        tracing::info!(host = self.login_url.host_str(), "password file changed; the next login uses it");
        {
            let mut state = self.state();
            let State { generation, attempts, .. } = *state;
            *state = State { generation, attempts, ..State::new(account, next) };
        }
        self.notify_refusals();
    }

    pub(super) fn permit(&self) -> Result<(), Failure> {
        self.notify_refusals();
        let account = self.state().account.clone();
        let most = self.most_of(&self.state());
        let wait = |detail: String, span: Duration| {
            let retry_after = Some(span.min(PASSWORD_CHECK_INTERVAL));
            let cause = Cause::Login(self.refusals.failures(&account).cause);
            Err(Failure { retry_after, ..Failure::new(Reason::LoginWait, detail).caused_by(cause) })
        };
        match self.refusals.permit(&account, most, self.wall()) {
            LoginDecision::Granted => Ok(()),
            LoginDecision::Wait(span) => {
                let shown = rounded_up(span);
                wait(format!("login refused, next attempt in {shown}"), span)
            }
            LoginDecision::Blocked => {
                let cause = stopped_because(self.refusals.failures(&account));
                wait(format!("logins stopped after {cause}"), PASSWORD_CHECK_INTERVAL)
            }
        }
    }

    /// Counts a login that is about to be made.
    ///
    /// # Errors
    /// When that could not be written down. Without a lasting count a crash loop could lock the account.
    pub(super) async fn announce(&self, account: &Account) -> Result<(), Failure> {
        let counted = self.refusals.tried(account, self.wall()).await;
        counted.map_err(|error| {
            let detail = format!("login not attempted because its result cannot be recorded: {error}");
            let remedy = "check the disk of `--storage.path`, and that the exporter may write there";
            Failure::new(Reason::LoginWait, detail).caused_by(Cause::remedy(remedy))
        })
    }

    /// Notifies the observer of the account's refusals, and logs once that its logins have stopped.
    pub(super) fn notify_refusals(&self) {
        let mut state = self.state();
        // Naming hashes for milliseconds, too long for here; the next login does it where it may take that time.
        if !state.account.is_named() {
            return;
        }
        let failures = self.refusals.failures(&state.account);
        let blocked = failures.is_blocked(self.most_of(&state));
        if blocked && !std::mem::replace(&mut state.blocked_is_logged, blocked) {
            let cause = stopped_because(failures);
            let message = format!("logins stopped after {cause}, before the appliance locks the account");
            let hint = failures.cause.advice();
            tracing::error!(host = self.login_url.host_str(), refusals = failures.refusals, hint, "{message}");
        }
        state.blocked_is_logged = blocked;
        drop(state);
        self.transport.notify(Event::LoginRefusals { in_a_row: failures.refusals, blocked, cause: failures.cause });
    }
}

fn stopped_because(failures: FailureCount) -> &'static str {
    if failures.history_lost {
        "one refused login, because the login failure history was lost"
    } else {
        "repeated refusals"
    }
}

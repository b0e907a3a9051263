//! The status page's standing: the password goes out with each request, so what the page refuses is a refused login and
//! bounded like those, by a count of its own. An account that is good for the API may be none of the web interface's.

use tokio::sync::OwnedMutexGuard;
use url::Url;

use super::{PASSWORD_CHECK_INTERVAL, Session, State};
use crate::api::http::header::{Header, basic_header};
use crate::api::login_failures::breaker::{FailureCount, LoginDecision, RefusalCause, rounded_up};
use crate::api::login_failures::{Account, Outcome};
use crate::api::{Cause, Failure, Reason};

/// Refusals by the page that are bearable in a row: with the one login that is left then, less than the usual lock-out of
/// five.
const MOST_AT_PAGE: u32 = 3;

/// Permission to send the password to the status page once.
#[derive(Debug)]
pub(in crate::api) struct PagePermit {
    pub(in crate::api) header: Header,
    account: Account,
    /// The refusals counted before it.
    before: FailureCount,
    /// Whether the page took the account the last time: then nothing is written down unless that changes, or there would
    /// be a write a minute.
    is_taken: bool,
    /// Held so that two clients of one account do not both try what the first is about to see refused.
    _turn: OwnedMutexGuard<()>,
}

impl Session {
    /// The account under which refusals of the status page are counted, if that page is requested.
    pub(in crate::api) fn page_account(&self) -> Option<Account> {
        self.state().page_account.clone()
    }

    fn account_at(&self, page: &Url) -> Account {
        let mut state = self.state();
        let account = self.refusals.account(page, &state.credentials);
        // Kept, since its name takes milliseconds to make.
        state.page_account.insert(account).clone()
    }

    /// Permission to request `page`, with the current password of the file if the previous one was refused.
    ///
    /// # Errors
    /// [`Reason::NotAllowed`] while the page is left alone after refusals.
    ///
    /// # Cancel safety
    /// Dropping the future gives up the place in the queue and nothing else.
    pub(in crate::api) async fn page_permit(&self, page: &Url) -> Result<PagePermit, Failure> {
        let account = self.account_at(page);
        self.refusals.name(&account).await;
        if self.refusals.failures(&account).refusals > 0 {
            let _flight = self.flight.lock().await;
            self.reload_password().await;
        }
        let account = self.account_at(page);
        let header = basic_header(&self.state().credentials)?;
        let turn = self.refusals.turn(&account).await;
        self.check_page_limit(&account)?;
        let (before, is_taken) = (self.refusals.failures(&account), self.refusals.is_taken(&account));
        Ok(PagePermit { header, account, before, is_taken, _turn: turn })
    }

    /// Counts the request that is about to be made with `permit`, unless the page is known to take the account.
    ///
    /// # Errors
    /// When that could not be written down: a crash loop would show the password again and again.
    pub(in crate::api) async fn page_begins(&self, permit: &PagePermit) -> Result<(), Failure> {
        if permit.is_taken { Ok(()) } else { self.announce(&permit.account).await }
    }

    /// Records the outcome of the request.
    pub(in crate::api) async fn page_ended<T>(&self, permit: PagePermit, page: &Url, outcome: &Result<T, Failure>) {
        let known = match outcome {
            Ok(_) => Outcome::Accepted,
            Err(failure) if matches!(failure.reason, Reason::Unauthorized | Reason::NotAllowed) => {
                Outcome::Refused(RefusalCause::Password)
            }
            // Such as a page that is not there, or is no status document: it says nothing about the account.
            Err(_) => Outcome::Unclear,
        };
        let is_refused = matches!(known, Outcome::Refused(_));
        self.refusals.shown(&permit.account, known);
        if permit.is_taken && !is_refused {
            return;
        }
        let written = self.refusals.settle(&permit.account, permit.before, known, self.wall());
        let refusals = self.refusals.failures(&permit.account);
        if is_refused && refusals.is_blocked(self.most_at_page()) {
            let (host, refusals) = (page.host_str(), refusals.refusals);
            tracing::error!(
                host,
                refusals,
                "status page requests stopped: the appliance keeps rejecting the \
            credentials"
            );
        }
        // What is not written is in doubt after a restart, and counts.
        let _ = written.await;
    }

    /// Refusals by the status page since the last accepted login: earlier ones no longer count towards the appliance's
    /// lock-out.
    fn page_refusals(&self, state: &State) -> u32 {
        // One without a name was never refused in this life, and has its name before the first login is made.
        let named = state.page_account.as_ref().filter(|account| account.is_named());
        named.map_or(0, |account| self.refusals.failures(account).counted())
    }

    /// Refusals of logins that are bearable in a row. A password that is changed while a token lives is refused by the page
    /// first and then by the login, and the appliance counts both: together they must stay below its lock-out.
    pub(super) fn most_of(&self, state: &State) -> u32 {
        self.most_refusals.saturating_sub(self.page_refusals(state)).max(1)
    }

    fn most_at_page(&self) -> u32 {
        self.most_refusals.min(MOST_AT_PAGE)
    }

    fn check_page_limit(&self, account: &Account) -> Result<(), Failure> {
        let (when, span) = match self.refusals.permit(account, self.most_at_page(), self.wall()) {
            LoginDecision::Granted => return Ok(()),
            LoginDecision::Wait(span) => {
                let shown = rounded_up(span);
                (format!("next request in {shown}"), span)
            }
            LoginDecision::Blocked => ("requests stopped".to_owned(), PASSWORD_CHECK_INTERVAL),
        };
        let remedy = "correct the password, give the account access to the web interface and reset logins, or set \
                      `xml_status: false`";
        let failure = Failure::new(Reason::NotAllowed, format!("the status page rejected the credentials, {when}"))
            .caused_by(Cause::remedy(remedy));
        Err(Failure { retry_after: Some(span.min(PASSWORD_CHECK_INTERVAL)), ..failure })
    }
}

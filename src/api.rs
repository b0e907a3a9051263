//! The appliance's REST API: one [`Client`] an appliance, which logs in, asks for reports and reads the answers.
//! The only opener of connections to appliances. Knows nothing of schedules, metrics or what the numbers are for.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

use tokio::time::Instant;

use crate::base::clock::{Clock, Timestamp};
use crate::catalogue;
use crate::catalogue::tracking::Outcome;
use crate::config::{self, Product, Scope};

mod event;
mod failure;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
mod http;
mod login_failures;
mod observe;
mod remote_write;
mod session;
mod tap;
mod time;
mod wire;

pub use event::{Event, Listener};
pub(crate) use failure::unknown_scope;
pub use failure::{Cause, Failure, Reason};
pub use http::rate_limiter::{Pace, longest_wait};
pub use http::tls::SystemRoots;
pub use login_failures::breaker::{FailureCount, RefusalCause};
pub use login_failures::{EVERY_ACCOUNT, LoginFailureLog, Written};
pub use observe::{Observation, Quarantine, StatusKind};
pub use remote_write::{RemoteWriteAuth, RemoteWriteClient};
pub use session::login::Identity;
pub use tap::{Answered, Exchange, Tap};
pub use time::ClockDoubt;
#[cfg(test)]
pub(crate) use time::ClockFilter;
pub use wire::delivery_status::{DeliveryStatus, Destination, HostStatus};
pub use wire::gauge::BaseUnit;
pub use wire::health::Health;
pub use wire::inventory::ManagedAppliance;
pub use wire::number::{Measure, Number, Unusable, UnusableCounts};
pub use wire::pages::Count;
pub use wire::query::{Depth, Query, TrackingQuery};
pub use wire::report::{Reading, Report, Row};
pub use wire::reporting_status::ReportingStatus;
pub use wire::system_status::SystemStatus;
pub use wire::xml_status::{Feature, XmlStatus};

use http::rate_limiter::Permit;
use http::transport::{Answer, Transport};
use session::{ActiveCredential, Session, UnauthorizedAction};
use wire::pages::{PageCounter, PageCounts, Paging};
use wire::query;

/// A report and the appliance's time when it was answered.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The content of the response.
    pub report: Report,
    /// The appliance's clock as of the answer, as far as it is trusted: what had settled by then, had settled.
    pub at: Timestamp,
    /// The path and the query of the request, as sent.
    pub sent: Arc<str>,
}

/// A count and the answer that it begins with.
#[derive(Debug)]
struct Counted {
    count: Count,
    /// The appliance's clock as of the first page: what came later is on none of them for sure.
    at: Timestamp,
    /// The path and the query of the first page, as sent.
    sent: Arc<str>,
}

/// Talks to one appliance as one account. Calls may run side by side; a login is made once for all of them.
#[derive(Debug)]
pub struct Client {
    transport: Arc<Transport>,
    session: Session,
    product: Product,
    /// Whether the appliance does not tell the sizes of its quarantines.
    sizes_declined: AtomicBool,
    /// Seconds that its local time is ahead of UTC; none before its first answer about the time.
    seconds_east: Mutex<Option<i64>>,
    /// Whether its serial number is wanted.
    serial: bool,
}

impl Client {
    /// A client for `appliance`; `listener` hears of every request, and `refusals` keeps the logins that were refused.
    ///
    /// # Errors
    /// When the TLS configuration cannot be built, which [`config::Config::load`] has made unlikely.
    pub fn try_new(
        appliance: &config::Appliance,
        roots: &SystemRoots,
        clock: Clock,
        listener: Listener,
        refusals: LoginFailureLog,
    ) -> Result<Self, Failure> {
        let transport = Arc::new(Transport::try_new(appliance, roots, clock, listener, refusals.clone())?);
        let session = Session::try_new(Arc::clone(&transport), appliance, roots, refusals)?;
        Ok(Self {
            transport,
            session,
            product: appliance.product,
            sizes_declined: AtomicBool::new(false),
            seconds_east: Mutex::default(),
            serial: appliance.serial,
        })
    }

    /// Goes on with the session of `old` if it is the same account at the same place. Nor must an edit fill up what the
    /// appliance may be asked; the pace begins as usual.
    pub fn inherit_from(&self, old: &Self) {
        if self.transport.is_to_where(&old.transport) {
            self.transport.rate_limiter().inherit_from(old.transport.rate_limiter());
            self.transport.time.inherit_from(&old.transport.time);
            self.session.inherit_from(&old.session);
        }
    }

    /// Allows the account of each client one login, until one is accepted, where refusals of before were lost; accounts
    /// at proxies and at status pages are meant too. For the start, before any login is made.
    ///
    /// # Errors
    /// When that was not written; it holds until a restart then, which does the same again.
    pub async fn allow_one_login(
        clients: impl Iterator<Item = &Self>,
        refusals: &LoginFailureLog,
    ) -> Result<(), String> {
        let accounts = clients.flat_map(|client| {
            [Some(client.session.account()), client.transport.proxy_account(), client.session.page_account()]
        });
        refusals.allow_one_login(accounts.flatten().collect()).await
    }

    /// The client, which does not log in again to learn why a request is refused: at the price of knowing less, it costs
    /// one login.
    #[must_use]
    pub fn with_one_login(mut self) -> Self {
        self.session.forbid_second_login();
        self
    }

    /// The client, which passes every request with its answer on to `tap`.
    #[must_use]
    pub fn with_tap(self, tap: Tap) -> Self {
        self.transport.tap.get_or_init(|| tap);
        self
    }

    /// Logs in unless a token is still valid, which also sets the appliance's clock.
    ///
    /// # Errors
    /// Why it is not; refused logins are spaced and then stopped without asking the appliance again.
    pub async fn connect(&self) -> Result<(), Failure> {
        self.session.credential().await.map(|_| ())
    }

    /// Asks the appliance at `pace` from now on, requests that are waiting included.
    pub fn set_pace(&self, pace: Pace) {
        self.transport.rate_limiter().set_pace(pace);
    }

    /// Counts a request that its caller gave up for `reason`.
    pub fn given_up(&self, reason: Reason) {
        self.transport.failed(reason);
    }

    /// The appliance's clock now: from its trusted `Date` and the time since, or ours where there is none.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.transport.time.now()
    }

    /// The facts about the appliance in its token; none with a login without such a token.
    #[must_use]
    pub fn identity(&self) -> Option<Identity> {
        self.session.identity()
    }

    /// The newest `Date` of the appliance minus our clock, in seconds, trusted or not; none before the first.
    #[must_use]
    pub fn skew_seconds(&self) -> Option<f64> {
        self.transport.time.skew_seconds()
    }

    /// Why [`Client::now`] does not follow the newest `Date`; none where it does.
    #[must_use]
    pub fn clock_doubt(&self) -> Option<ClockDoubt> {
        self.transport.time.doubt()
    }

    /// Asks for one report, once the appliance may be asked: see [`config::Polling::requests_per_minute`]. The time
    /// limit of a request begins then.
    ///
    /// # Errors
    /// Why there is none: for one, a report without keys that holds no counter, since it answers zeros when there is
    /// nothing to count. A 401 has led to at most one new login by then.
    ///
    /// # Cancel safety
    /// Dropping the future closes the connection; asking again repeats a read.
    pub async fn fetch(&self, query: &Query) -> Result<Reply, Failure> {
        if let Some(TrackingQuery { search, depth }) = &query.search {
            let counter = PageCounter::new(depth.paging(), search.outcome());
            let counted = self.count_pages(catalogue::tracking::PATH, &search.query(query.window), counter).await?;
            let Counted { count, at, sent } = counted;
            return Ok(Reply { report: Report::of(catalogue::SEARCH_COUNTER, count), at, sent });
        }
        let path = query.group.api_path();
        let parameters = query::report(query);
        let answer = self.get(&path, &parameters).await.map_err(|failure| of_scope(failure, &query.scope))?;
        let report =
            Report::parse(answer.body()).and_then(|report| match report.is_empty() && query.group.key.is_none() {
                true => Err(Failure::new(Reason::Empty, "the report has no counter")),
                false => Ok(report),
            });
        Ok(Reply {
            report: self.record_failure(report).map_err(|failure| of_scope(failure, &query.scope))?,
            at: answer.arrival.at,
            sent: self.transport.target(&path, &parameters),
        })
    }

    /// Counts the entries of the list at `path`. Besides the pages, time is bounded: once the pages have taken as long
    /// as one request may, no other is requested.
    ///
    /// # Errors
    /// When any page failed: a part of the pages is no count.
    ///
    /// # Cancel safety
    /// As [`Client::fetch`].
    async fn count(&self, path: &str, parameters: &str, paging: Paging) -> Result<Counted, Failure> {
        self.count_pages(path, parameters, PageCounter::new(paging, Outcome::Any)).await
    }

    /// As [`Client::count`], of the entries that `counter` counts.
    async fn count_pages(&self, path: &str, parameters: &str, mut counter: PageCounter) -> Result<Counted, Failure> {
        let began = Instant::now();
        let mut first = None;
        loop {
            let parameters = format!("{parameters}&{}", counter.next_page());
            let answer = self.get(path, &parameters).await?;
            let (at, sent) =
                first.get_or_insert_with(|| (answer.arrival.at, self.transport.target(path, &parameters))).clone();
            let counted = counter.add(&self.record_failure(PageCounts::parse(answer.body()))?);
            let is_late = began.elapsed() >= self.transport.timeout();
            if let Some(count) = counted.or_else(|| is_late.then(|| counter.so_far())) {
                return Ok(Counted { count, at, sent });
            }
        }
    }

    /// Counts the failure in `parsed`, if it is one, and returns `parsed`.
    fn record_failure<T>(&self, parsed: Result<T, Failure>) -> Result<T, Failure> {
        parsed.inspect_err(|failure| self.transport.failed(failure.reason))
    }

    async fn get(&self, endpoint: &str, parameters: &str) -> Result<Answer, Failure> {
        self.get_as(endpoint, endpoint, parameters).await
    }

    /// As [`Client::get`], of a `path` that has a name in it and so is no label.
    async fn get_as(&self, endpoint: &str, path: &str, parameters: &str) -> Result<Answer, Failure> {
        self.get_checked(endpoint, path, parameters, Answer::checked).await
    }

    async fn get_checked(
        &self,
        endpoint: &str,
        path: &str,
        parameters: &str,
        check: fn(Answer) -> Result<Answer, Failure>,
    ) -> Result<Answer, Failure> {
        let _alone = self.session.alone().await;
        let mut last_try = false;
        loop {
            let (credential, permit) = self.admitted().await?;
            let answer = self.transport.get(permit, endpoint, path, parameters, &credential.header).await?;
            self.session.renewed(&credential, &answer);
            let failure = match check(answer) {
                Ok(answer) => {
                    self.session.accepted(&credential, endpoint);
                    return Ok(answer);
                }
                Err(failure) if failure.reason != Reason::Unauthorized => {
                    self.transport.failed(failure.reason);
                    let is_strange = failure.is_unknown_path() && !self.session.has_met_product();
                    return Err(if is_strange { failure.caused_by(Cause::OtherProduct) } else { failure });
                }
                Err(failure) => failure,
            };
            let action = self.session.rejected(&credential, endpoint, &failure, last_try).await;
            let failure = match action {
                UnauthorizedAction::NotAllowed => failure.because(Reason::NotAllowed),
                UnauthorizedAction::Refused => failure.because(Reason::LoginRefused),
                UnauthorizedAction::GiveUp => self.session.given_up(failure),
                UnauthorizedAction::Retry | UnauthorizedAction::FallBack => failure,
            };
            self.transport.failed(failure.reason);
            if action == UnauthorizedAction::FallBack {
                continue;
            }
            if action != UnauthorizedAction::Retry || last_try {
                return Err(failure);
            }
            last_try = true;
        }
    }

    /// A credential, and leave to use it. The wait for leave may outlive a token, which is then replaced; that is done
    /// once, or a budget too small for the life of tokens would be spent on logins.
    async fn admitted(&self) -> Result<(ActiveCredential, Permit<'_>), Failure> {
        self.session.credential().await?;
        let permit = self.transport.rate_limiter().permit().await;
        if let Some(credential) = self.session.at_hand() {
            return Ok((credential, permit));
        }
        // A login needs a pass of its own, and waiting for one must not hold up another.
        drop(permit);
        let credential = self.session.credential().await?;
        Ok((credential, self.transport.rate_limiter().permit().await))
    }
}

/// `failure` of a report for `scope`. The message about an unknown name is not published, so every refusal counts as one
/// (assumed).
fn of_scope(failure: Failure, scope: &Scope) -> Failure {
    match (failure.reason, scope) {
        (Reason::Declined | Reason::Empty, Scope::DeviceGroup(_) | Scope::Device(_)) => {
            failure.caused_by(Cause::UnknownScope(scope.clone()))
        }
        _ => failure,
    }
}

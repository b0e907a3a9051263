//! How long a job of the poller may take, whatever it waits for: a file, a name server, a proxy, a disk, the appliance.
//! Each request has a time limit of its own; this one holds where that does not reach.

use std::time::Duration;

use crate::api::{Aspect, Depth, Failure, Reason};
use crate::clock::Clock;
use crate::config::Polling;

use super::Source;

/// Requests of a job that is not one of many pages: two steps of a login, the question, and the same once more after a 401.
const REQUESTS: u32 = 6;
/// The same of a job of many pages, where each takes a fraction of the time limit.
const REQUESTS_OF_PAGES: u32 = 30;
/// What writing down may take.
pub(super) const WRITING: Duration = Duration::from_secs(60);
/// The longest rest that the appliance is given after a slow answer.
const REST: Duration = Duration::from_secs(30);
/// The share of the budget that an appliance in need gets.
const EASED: u32 = 4;

/// The deadlines of one appliance's jobs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deadlines {
    /// Of one question.
    pub(super) request: Duration,
    /// Of a question that is answered in pages.
    pub(super) pages: Duration,
}

impl Deadlines {
    pub(super) fn new(polling: &Polling) -> Self {
        let leave = Duration::from_secs(60) * EASED / polling.requests_per_minute.get() + REST;
        let callers = u32::try_from(polling.concurrency).unwrap_or(u32::MAX);
        let one = polling.timeout.saturating_add(leave.saturating_mul(callers));
        Self { request: one.saturating_mul(REQUESTS), pages: one.saturating_mul(REQUESTS_OF_PAGES) }
    }

    pub(super) fn of_aspect(self, aspect: &Aspect) -> Duration {
        match aspect {
            Aspect::Quarantines(_) => self.pages,
            Aspect::Health
            | Aspect::XmlStatus(_)
            | Aspect::Managed
            | Aspect::Privileges
            | Aspect::Reporting
            | Aspect::TimeZone => self.request,
        }
    }

    pub(super) fn of_depth(self, depth: Depth, is_search: bool) -> Duration {
        match depth {
            Depth::AllPages if is_search => self.pages,
            Depth::AllPages | Depth::FirstPage => self.request,
        }
    }
}

/// What a job came to, or that it was not done in time.
#[derive(Debug)]
pub(super) enum InTime<T> {
    Yes(T),
    No(Duration),
}

/// Waits for `job` until its deadline.
pub(super) async fn within<T>(clock: &Clock, deadline: Duration, job: impl Future<Output = T>) -> InTime<T> {
    tokio::select! {
        biased;
        done = job => InTime::Yes(done),
        () = clock.sleep(deadline) => InTime::No(deadline),
    }
}

/// What a question came to; one that was not answered in time is counted, since nobody below has noticed.
pub(super) fn told<T>(source: &impl Source, outcome: InTime<Result<T, Failure>>) -> Result<T, Failure> {
    match outcome {
        InTime::Yes(outcome) => outcome,
        InTime::No(deadline) => {
            source.given_up(Reason::Timeout);
            let deadline = humantime::format_duration(Duration::from_secs(deadline.as_secs()));
            let detail = format!(
                "cancelled after {deadline}: check for a hanging file, disk or name server, or a very slow appliance"
            );
            Err(Failure { reason: Reason::Timeout, detail, retry_after: None })
        }
    }
}

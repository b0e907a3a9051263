//! How long a job of the poller may take, whatever it waits for: a file, a name server, a proxy, a disk, the appliance.
//! Each request has a time limit of its own; this one holds where that does not reach.

use std::time::Duration;

use crate::api::{self, Cause, Failure, Reason};
use crate::base::clock::Clock;
use crate::config::Polling;

use super::Source;

/// Requests of a job that is not one of many pages: two steps of a login, the question, and the same once more after a 401.
const REQUESTS: u32 = 6;
/// The same of a job of many pages, where each takes a fraction of the time limit.
const REQUESTS_OF_PAGES: u32 = 30;
/// What writing down may take.
pub(super) const WRITING: Duration = Duration::from_secs(60);

/// The deadlines of one appliance's jobs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deadlines {
    request: Duration,
    pages: Duration,
}

impl Deadlines {
    pub(super) fn new(polling: &Polling) -> Self {
        let leave = api::longest_wait(polling.requests_per_minute);
        let callers = u32::try_from(polling.concurrency.get()).unwrap_or(u32::MAX);
        let one = polling.timeout.saturating_add(leave.saturating_mul(callers));
        Self { request: one.saturating_mul(REQUESTS), pages: one.saturating_mul(REQUESTS_OF_PAGES) }
    }

    /// Of a question that is answered in pages, or at once.
    pub(super) fn of(self, is_paged: bool) -> Duration {
        if is_paged { self.pages } else { self.request }
    }
}

/// Waits for `question` until its deadline. A request without an answer in time is counted here, since the client below has
/// not noticed.
pub(super) async fn within<T>(
    source: &impl Source,
    clock: &Clock,
    deadline: Duration,
    question: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    tokio::select! {
        biased;
        outcome = question => outcome,
        () = clock.sleep(deadline) => {
            source.given_up(Reason::Timeout);
            let deadline = humantime::format_duration(Duration::from_secs(deadline.as_secs()));
            let remedy = "check for a hanging file, disk or name server, or a very slow appliance";
            let failure = Failure::new(Reason::Timeout, format!("cancelled after {deadline}"));
            Err(failure.caused_by(Cause::remedy(remedy)))
        }
    }
}

//! One request of the poller: its retries, and the question whether the appliance takes whole hours only. The only place
//! that names the crate `backoff`, of which only the delay policy is used.

use std::time::Duration;

use backoff::ExponentialBackoff;
use backoff::backoff::Backoff as _;

use crate::api::{Failure, Query, Reason, Reply};
use crate::base::clock::Clock;
use crate::base::window::Grid;
use crate::config::{Alignment, Polling};

use super::job::{Purpose, RequestOutcome};
use super::{Source, plan};

/// What releases that accept whole hours only say of other windows. **Source:** recorded answers.
const NO_MINUTES: &str = "supports only 00 minutes";

/// Requests for one window in one poll.
const MOST_TRIES: u32 = 3;
const FIRST_WAIT: Duration = Duration::from_millis(500);
const LONGEST_WAIT: Duration = Duration::from_secs(8);

/// Asks for `query`, with the retries that a passing failure is worth. Where the appliance `takes_minutes`, as far as is
/// known, one refused window is no proof that it accepts whole hours only, whatever the words.
pub(super) async fn request<S: Source>(
    source: &S,
    query: &Query,
    purpose: Purpose,
    polling: Polling,
    takes_minutes: bool,
    clock: &Clock,
) -> RequestOutcome {
    let is_running = matches!(purpose, Purpose::RunningHour);
    let declined = match fetch(source, query, polling, clock).await {
        Ok(reply) => return RequestOutcome::Report(reply),
        Err(failure) if is_running && may_be_refusal(failure.reason) => failure,
        Err(failure) if failure.reason == Reason::Declined && may_be_hours(query, polling) => failure,
        Err(failure) => return RequestOutcome::Failed(failure),
    };
    // The wording differs by release, so the appliance is asked instead: does it answer for a whole hour?
    let hour = Query { window: plan::last_hour(source.now(), polling.settle.initial()), ..query.clone() };
    if source.fetch(&hour).await.is_err() {
        return RequestOutcome::Failed(declined);
    }
    if !is_running {
        if !takes_minutes && declined.detail.contains(NO_MINUTES) {
            return RequestOutcome::HoursOnly;
        }
        // A single fault must not cost the resolution for good, nor must a window that is refused each time: does it
        // answer for a part of that hour?
        let part = Query { window: plan::part_of(hour.window), ..query.clone() };
        match source.fetch(&part).await {
            Ok(_) => {}
            Err(failure) if failure.reason == Reason::Declined => return RequestOutcome::HoursOnly,
            Err(failure) => return RequestOutcome::Failed(failure),
        }
    }
    match fetch(source, query, polling, clock).await {
        Ok(reply) => RequestOutcome::Report(reply),
        Err(failure) if is_running && may_be_refusal(failure.reason) => RequestOutcome::RunningDeclined,
        Err(failure) => RequestOutcome::Failed(failure),
    }
}

/// Whether an appliance may refuse an end in the future so: assumed, since no refusal is recorded. Any answer that is an error
/// counts, if a closed hour is answered meanwhile. Otherwise such an appliance would seem to fail in every window.
fn may_be_refusal(reason: Reason) -> bool {
    matches!(reason, Reason::Declined | Reason::Unavailable | Reason::Status | Reason::NotJson | Reason::Malformed)
}

fn may_be_hours(query: &Query, polling: Polling) -> bool {
    let whole = |time| Grid::HOURS.floor(time) == time;
    // Searches take minutes in every release.
    let is_report = query.search.is_none();
    is_report && polling.alignment == Alignment::Auto && !(whole(query.window.start()) && whole(query.window.end()))
}

/// Asks for `query` with the retries of one poll.
pub(crate) async fn fetch<S: Source>(
    source: &S,
    query: &Query,
    polling: Polling,
    clock: &Clock,
) -> Result<Reply, Failure> {
    let began = clock.tick();
    let mut retry = Retry::new(polling.timeout);
    loop {
        let failure = match source.fetch(query).await {
            Ok(reply) => return Ok(reply),
            Err(failure) => failure,
        };
        match retry.wait(&failure, clock.tick().since(began)) {
            Some(wait) => clock.sleep(wait).await,
            None => return Err(failure),
        }
    }
}

/// The waits between the tries of one request.
#[derive(Debug)]
struct Retry {
    policy: ExponentialBackoff,
    tries: u32,
    /// After this much time in all no try begins: the poll after has it cheaper.
    limit: Duration,
}

impl Retry {
    /// Waits for a request that may take `timeout`.
    fn new(timeout: Duration) -> Self {
        let policy = ExponentialBackoff {
            initial_interval: FIRST_WAIT,
            current_interval: FIRST_WAIT,
            multiplier: 2.0,
            max_interval: LONGEST_WAIT,
            // With a limit the policy would read the machine's clock; `limit` is held against ours.
            max_elapsed_time: None,
            ..ExponentialBackoff::default()
        };
        Self { policy, tries: 1, limit: timeout }
    }

    /// How long to wait before asking again; none when the failure is no passing one or enough was tried.
    /// An appliance that names a time is not asked before it.
    fn wait(&mut self, failure: &Failure, elapsed: Duration) -> Option<Duration> {
        if !failure.reason.is_transient() || self.tries >= MOST_TRIES {
            return None;
        }
        self.tries += 1;
        let wait = self.policy.next_backoff()?.min(LONGEST_WAIT);
        let wait = wait.max(failure.retry_after.unwrap_or_default());
        (elapsed + wait <= self.limit).then_some(wait)
    }
}

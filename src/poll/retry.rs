//! Asks again after a transient failure, within bounds. The only place that names the crate `backoff`, of which only
//! the delay policy is used.

use std::time::Duration;

use backoff::ExponentialBackoff;
use backoff::backoff::Backoff as _;

use crate::api::Failure;

/// Requests for one window in one poll.
const MOST_TRIES: u32 = 3;
const FIRST_WAIT: Duration = Duration::from_millis(500);
const LONGEST_WAIT: Duration = Duration::from_secs(8);

/// The waits between the tries of one poll.
#[derive(Debug)]
pub(super) struct Retry {
    policy: ExponentialBackoff,
    tries: u32,
    /// After this much time in all no try begins: the poll after has it cheaper.
    limit: Duration,
}

impl Retry {
    /// Waits for a request that may take `timeout`.
    pub(super) fn new(timeout: Duration) -> Self {
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
    pub(super) fn wait(&mut self, failure: &Failure, elapsed: Duration) -> Option<Duration> {
        if !failure.reason.is_transient() || self.tries >= MOST_TRIES {
            return None;
        }
        self.tries += 1;
        let wait = self.policy.next_backoff()?.min(LONGEST_WAIT);
        let wait = wait.max(failure.retry_after.unwrap_or_default());
        (elapsed + wait <= self.limit).then_some(wait)
    }
}

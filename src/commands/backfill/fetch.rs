//! Fetches what the plan of one appliance has and the journal lacks: one request after the other, within the rate limit and
//! with the retries of the daemon.

use std::sync::Arc;
use std::time::Duration;

use crate::api::{Client, Failure, Reason};
use crate::base::clock::Clock;
use crate::base::shutdown::Shutdown;
use crate::base::window::Window;
use crate::poll;

use super::journal::{Journal, JournalAnswer, JournalEntry, JournalError};
use super::plan::AppliancePlan;
use super::progress::FetchProgress;

/// The pauses after failures in a row, each of which has had the retries of a poll. After the last one the appliance is left
/// alone: half an hour is longer than its restart takes.
const PAUSES: [Duration; 10] = [
    Duration::from_secs(10),
    Duration::from_secs(30),
    Duration::from_secs(60),
    Duration::from_secs(120),
    Duration::from_secs(300),
    Duration::from_secs(300),
    Duration::from_secs(300),
    Duration::from_secs(300),
    Duration::from_secs(300),
    Duration::from_secs(300),
];

/// Why not everything was fetched. The same command continues later.
#[derive(Debug, thiserror::Error)]
pub(super) enum FetchError {
    #[error("interrupted")]
    Interrupted,
    #[error("{0}")]
    Failed(String),
    #[error("cannot use the journal: {0}")]
    Journal(#[from] JournalError),
}

/// The requests to one appliance.
pub(super) struct Fetcher {
    pub(super) client: Client,
    pub(super) plan: Arc<AppliancePlan>,
    pub(super) journal: Journal,
    pub(super) progress: Arc<FetchProgress>,
    pub(super) clock: Clock,
    pub(super) stop: Shutdown,
    /// Whether the appliance has answered in this run.
    pub(super) is_answered: bool,
}

/// Whether a report that is declined is declined for every window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Declined {
    Always,
    Once,
}

impl Fetcher {
    /// Fetches the newest window of each report first, which shows whether the report is available, then all others, oldest
    /// first.
    ///
    /// # Errors
    /// Why not everything was fetched. What was is recorded.
    pub(super) async fn run(mut self) -> Result<(), FetchError> {
        let plan = Arc::clone(&self.plan);
        let mut is_refused = vec![false; plan.reports.len()];
        for (position, report) in plan.reports.iter().enumerate() {
            let Some(newest) = report.newest() else { continue };
            let answer = self.answer(position, newest, Declined::Always).await?;
            if let JournalAnswer::Refused(reason) = answer {
                is_refused[position] = true;
                self.progress.dropped(report.windows() - 1);
                let (name, group) = (&plan.appliance.name, &report.choice.group.name);
                self.progress.note(&format!("{name}: {group} of {} is not available: {reason}", report.scope));
            }
        }
        for (position, window) in plan.windows() {
            if !is_refused[position] && plan.reports[position].newest() != Some(window) {
                self.answer(position, window, Declined::Once).await?;
            }
        }
        Ok(())
    }

    /// The answer for `window`: the recorded one, or that of a request, which is recorded then.
    async fn answer(
        &mut self,
        position: usize,
        window: Window,
        declined: Declined,
    ) -> Result<JournalAnswer, FetchError> {
        let start = window.start().as_secs();
        if let Some(answer) = self.journal.recorded_for(position, start)? {
            self.progress.was_made();
            return Ok(answer);
        }
        let answer = self.fetch(position, window, declined).await?;
        self.journal.record(&JournalEntry { report: position, start, answer: answer.clone() })?;
        self.progress.made();
        Ok(answer)
    }

    async fn fetch(
        &mut self,
        position: usize,
        window: Window,
        declined: Declined,
    ) -> Result<JournalAnswer, FetchError> {
        let query = self.plan.reports[position].query(window);
        let mut pauses = PAUSES.iter();
        loop {
            if self.stop.is_requested() {
                return Err(FetchError::Interrupted);
            }
            // Not interrupted: its answer would be lost and the request repeated. A second signal ends the program.
            let failure = match poll::fetch(&self.client, &query, self.plan.appliance.polling, &self.clock).await {
                Ok(reply) => {
                    self.is_answered = true;
                    return Ok(JournalAnswer::Report(reply.report));
                }
                Err(failure) => failure,
            };
            match (failure.reason, declined) {
                (Reason::Declined | Reason::NotAllowed, Declined::Always) => {
                    return Ok(JournalAnswer::Refused(failure.to_string()));
                }
                (Reason::Declined, Declined::Once) => return Ok(JournalAnswer::Missing(failure.to_string())),
                (Reason::Malformed | Reason::Empty | Reason::TooLarge, _) => {
                    return Ok(JournalAnswer::Missing(failure.to_string()));
                }
                _ => {}
            }
            let pause = pauses.next().filter(|_| self.is_answered && !failure.reason.is_of_the_account());
            let Some(pause) = pause else { return Err(FetchError::Failed(failure.in_full())) };
            self.pause(&failure, *pause).await?;
        }
    }

    async fn pause(&self, failure: &Failure, pause: Duration) -> Result<(), FetchError> {
        let pause = pause.max(failure.retry_after.unwrap_or_default());
        let seconds = pause.as_secs();
        self.progress.note(&format!("{}: {failure}; next attempt in {seconds} s", self.plan.appliance.name));
        tokio::select! {
            () = self.clock.sleep(pause) => Ok(()),
            () = self.stop.requested() => Err(FetchError::Interrupted),
        }
    }
}

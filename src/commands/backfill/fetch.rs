//! Fetches what the plan of one appliance has and the journal lacks: one request after the other, within the rate limit and
//! with the retries of the daemon.

use std::sync::Arc;
use std::time::Duration;

use crate::api::{Client, Failure, Reason, Reply};
use crate::base::clock::Clock;
use crate::base::shutdown::Shutdown;
use crate::base::window::Window;
use crate::poll;

use super::availability::Availability;
use super::journal::{Journal, JournalAnswer, JournalEntry, JournalError};
use super::plan::{AppliancePlan, ReportRange};
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
    /// There is no login with this account.
    #[error("{0}")]
    Login(String),
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
        let mut availability = Availability::new(&plan.reports);
        while let Some((position, window)) = availability.next() {
            let planned = availability.report(position).clone();
            let answer = self.answer(position, &planned, window, Declined::Always).await?;
            availability.take(window, answer.clone());
            let (name, group) = (&plan.appliance.name, &planned.choice.group.name);
            match answer {
                JournalAnswer::Refused(reason) if availability.is_refused(position) => {
                    self.progress.dropped(planned.windows() - 1);
                    self.progress.note(&format!("{name}: {group} of {} is not available: {reason}", planned.scope));
                }
                JournalAnswer::Refused(_) => {
                    self.progress.dropped(Availability::dropped(&planned, availability.report(position)));
                    self.progress.note(&format!("{name}: {group} of {} is fetched in whole hours", planned.scope));
                }
                JournalAnswer::Report(_) | JournalAnswer::Missing(_) => {}
            }
        }
        for (position, window) in availability.windows() {
            if availability.newest(position, window).is_none() {
                let report = availability.report(position);
                self.answer(position, report, window, Declined::Once).await?;
            }
        }
        Ok(())
    }

    /// The answer for `window`: the recorded one, or that of a request, which is recorded then.
    async fn answer(
        &mut self,
        position: usize,
        report: &ReportRange,
        window: Window,
        declined: Declined,
    ) -> Result<JournalAnswer, FetchError> {
        let start = window.start().as_secs();
        if let Some(answer) = self.journal.recorded_for(position, start)? {
            self.progress.was_made();
            return Ok(answer);
        }
        let answer = self.fetch(report, window, declined).await?;
        self.journal.record(&JournalEntry { report: position, start, answer: answer.clone() })?;
        self.progress.made();
        Ok(answer)
    }

    async fn fetch(
        &mut self,
        report: &ReportRange,
        window: Window,
        declined: Declined,
    ) -> Result<JournalAnswer, FetchError> {
        let query = report.query(window);
        let polling = self.plan.appliance.polling;
        let complete = window.end() + polling.settle.initial();
        let mut pauses = PAUSES.iter();
        loop {
            if self.stop.is_requested() {
                return Err(FetchError::Interrupted);
            }
            // Not interrupted: its answer would be lost and the request repeated. A second signal ends the program.
            let failure = match poll::fetch(&self.client, &query, polling, &self.clock).await {
                Ok(Reply { at, .. }) if at < complete => {
                    return Err(FetchError::Failed(format!(
                        "its clock shows {at}, and its data are complete at {complete}: continue later"
                    )));
                }
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
            let Some(pause) = pause else {
                let why = failure.in_full();
                let is_login = failure.reason.is_of_the_account();
                return Err(if is_login { FetchError::Login(why) } else { FetchError::Failed(why) });
            };
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

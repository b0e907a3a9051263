//! One poll of one window: the request, its retries, and the question whether the appliance takes whole hours only.

use crate::api::{Failure, Query, Reason, Reply};
use crate::base::clock::Clock;
use crate::base::window::Grid;
use crate::config::{Alignment, Polling};

use super::job::Purpose;
use super::retry::Retry;
use super::{Source, plan};

/// What releases that accept whole hours only say of other windows. **Source:** recorded answers.
const NO_MINUTES: &str = "supports only 00 minutes";

/// What a poll came to.
#[derive(Debug)]
pub(super) enum Outcome {
    Report(Reply),
    /// The window was declined for its minutes: the group is answered for whole hours.
    HoursOnly,
    /// An end in the future was declined, and a closed hour is answered.
    RunningDeclined,
    Failed(Failure),
}

/// Asks for `query`, with the retries that a passing failure is worth.
pub(super) async fn ask<S: Source>(
    source: &S,
    query: &Query,
    purpose: Purpose,
    polling: Polling,
    clock: &Clock,
) -> Outcome {
    let is_running = matches!(purpose, Purpose::Run);
    let declined = match fetch(source, query, polling, clock).await {
        Ok(reply) => return Outcome::Report(reply),
        Err(failure) if failure.reason == Reason::Declined && (is_running || may_be_hours(query, polling)) => failure,
        Err(failure) => return Outcome::Failed(failure),
    };
    // The wording differs by release, so the appliance is asked instead: does it answer for a whole hour?
    let hour = Query { window: plan::last_hour(source.now(), polling.settle.initial()), ..query.clone() };
    if source.fetch(&hour).await.is_err() {
        return Outcome::Failed(declined);
    }
    let hours = if is_running { Outcome::RunningDeclined } else { Outcome::HoursOnly };
    if !is_running && declined.detail.contains(NO_MINUTES) {
        return Outcome::HoursOnly;
    }
    // The hour was answered, but the refusal has other words, such as "try again in a few minutes": a single fault must not
    // cost the resolution for good.
    match source.fetch(query).await {
        Ok(reply) => Outcome::Report(reply),
        Err(failure) if failure.reason == Reason::Declined => hours,
        Err(failure) => Outcome::Failed(failure),
    }
}

fn may_be_hours(query: &Query, polling: Polling) -> bool {
    let whole = |time| Grid::HOURS.floor(time) == time;
    // Searches take minutes in every release.
    let is_report = query.search.is_none();
    is_report && polling.alignment == Alignment::Auto && !(whole(query.window.start()) && whole(query.window.end()))
}

async fn fetch<S: Source>(source: &S, query: &Query, polling: Polling, clock: &Clock) -> Result<Reply, Failure> {
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

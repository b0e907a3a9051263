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

/// Asks for `query`, with the retries that a passing failure is worth. Where the appliance `takes_minutes`, as far as is
/// known, one refused window is no proof that it accepts whole hours only, whatever the words.
pub(super) async fn ask<S: Source>(
    source: &S,
    query: &Query,
    purpose: Purpose,
    polling: Polling,
    takes_minutes: bool,
    clock: &Clock,
) -> Outcome {
    let is_running = matches!(purpose, Purpose::Run);
    let declined = match fetch(source, query, polling, clock).await {
        Ok(reply) => return Outcome::Report(reply),
        Err(failure) if is_running && may_be_refusal(failure.reason) => failure,
        Err(failure) if failure.reason == Reason::Declined && may_be_hours(query, polling) => failure,
        Err(failure) => return Outcome::Failed(failure),
    };
    // The wording differs by release, so the appliance is asked instead: does it answer for a whole hour?
    let hour = Query { window: plan::last_hour(source.now(), polling.settle.initial()), ..query.clone() };
    if source.fetch(&hour).await.is_err() {
        return Outcome::Failed(declined);
    }
    if !is_running {
        if !takes_minutes && declined.detail.contains(NO_MINUTES) {
            return Outcome::HoursOnly;
        }
        // A single fault must not cost the resolution for good, nor must a window that is refused each time: does it
        // answer for a part of that hour?
        let part = Query { window: plan::part_of(hour.window), ..query.clone() };
        match source.fetch(&part).await {
            Ok(_) => {}
            Err(failure) if failure.reason == Reason::Declined => return Outcome::HoursOnly,
            Err(failure) => return Outcome::Failed(failure),
        }
    }
    match fetch(source, query, polling, clock).await {
        Ok(reply) => Outcome::Report(reply),
        Err(failure) if is_running && may_be_refusal(failure.reason) => Outcome::RunningDeclined,
        Err(failure) => Outcome::Failed(failure),
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

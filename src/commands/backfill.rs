//! `backfill`: requests the past of appliances and writes it as samples for Prometheus. First everything is fetched into a
//! journal for each appliance, then the journals are turned into files: the same journal gives the same bytes.

use std::fs;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::api::{Client, Listener, LoginFailureLog, SystemRoots};
use crate::app::logging;
use crate::base::clock::Clock;
use crate::base::shutdown::Shutdown;
use crate::cli::Backfill;

use super::signals::Signals;
use super::{RUNTIME, USAGE, eprint_line, load, print_line};
use export::{ExportError, ExportSummary, SampleForm, export};
use fetch::{FetchError, Fetcher};
use journal::{Journal, JournalError};
use plan::{AppliancePlan, PlanFile};
use preparation::{Preparation, PrepareError};
use progress::{FetchProgress, rounded};
use remote_write::{SendError, Sender};

mod availability;
mod export;
mod fetch;
mod journal;
mod plan;
mod preparation;
mod progress;
mod ranges;
mod remote_write;

/// Appliances that are asked at once, each within its own rate limit.
const AT_ONCE: usize = 8;

pub(super) async fn backfill(flags: Backfill) -> u8 {
    let clock = Clock::system();
    logging::install(logging::Level::Warn, logging::Format::Logfmt, clock.clone());
    let config = match load(&flags.config_file) {
        Ok(config) => config,
        Err(code) => return code,
    };
    let preparation = match Preparation::new(&config, &flags, &clock) {
        Ok(preparation) => preparation,
        Err(PrepareError::Usage(why)) => {
            eprint_line(why);
            return USAGE;
        }
        Err(PrepareError::State(why)) => {
            eprint_line(why);
            return RUNTIME;
        }
    };
    describe(&preparation.plans);
    preparation.hints.iter().for_each(eprint_line);
    if flags.dry_run {
        return 0;
    }
    let signals = match Signals::try_new() {
        Ok(signals) => signals,
        Err(error) => {
            eprint_line(format!("cannot catch signals: {error}"));
            return RUNTIME;
        }
    };
    let places = match Places::create(&flags.output, &preparation.file) {
        Ok(places) => places,
        Err(error) => {
            eprint_line(format!("cannot write to `{}`: {error}", flags.output.display()));
            return RUNTIME;
        }
    };
    let stop = Shutdown::new();
    let receiver = match remote_write::sender(&flags.remote_write, &clock, &stop) {
        Ok(receiver) => receiver,
        Err(why) => {
            eprint_line(why);
            return RUNTIME;
        }
    };
    let (sender, _requests) = mpsc::channel(1);
    let form = SampleForm { labels: flags.labels, step: flags.step };
    let run = Run { clock, stop: stop.clone(), places, form, receiver };
    tokio::select! {
        code = run.run(preparation.plans, &preparation.refusals) => code,
        () = signals.drive(stop, sender) => RUNTIME,
    }
}

/// Prints what will be requested.
fn describe(plans: &[AppliancePlan]) {
    let (mut requests, mut longest, mut time) = (0, Duration::ZERO, Duration::ZERO);
    for plan in plans {
        let name = &plan.appliance.name;
        let Some((from, to)) = plan.range() else {
            print_line(format!("{name}: nothing to request"));
            continue;
        };
        let (count, per_minute) = (plan.requests(), plan.appliance.polling.requests_per_minute);
        let takes = Duration::from_secs_f64(count as f64 * 60.0 / f64::from(per_minute.get()));
        print_line(format!(
            "{name}: {} reports from {from} to {to}, {count} requests, at least {} at {per_minute} requests per minute",
            plan.reports.len(),
            rounded(takes)
        ));
        (requests, longest, time) = (requests + count, longest.max(takes), time + takes);
    }
    let shared = time / u32::try_from(AT_ONCE).unwrap_or(1);
    print_line(format!("{requests} requests in total, at least {}", rounded(longest.max(shared))));
}

/// The directories of a backfill.
struct Places {
    journals: PathBuf,
    samples: PathBuf,
}

impl Places {
    fn create(output: &Path, file: &PlanFile) -> std::io::Result<Self> {
        let places = Self { journals: output.join("journal"), samples: output.join("samples") };
        create_private(&places.journals)?;
        create_private(&places.samples)?;
        file.save(output)?;
        Ok(places)
    }

    fn journal(&self, plan: &AppliancePlan) -> Result<Journal, JournalError> {
        Journal::open(&self.journals.join(format!("{}.journal", plan.file_name())), plan.digest())
    }
}

/// Creates a directory, and those above it, for its owner alone: reports may name persons. One that exists stays as it
/// is.
fn create_private(directory: &Path) -> std::io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)
}

/// Why there are no samples of an appliance.
#[derive(Debug, thiserror::Error)]
enum BackfillError {
    #[error(transparent)]
    Fetch(#[from] FetchError),
    #[error("cannot use the journal: {0}")]
    Journal(#[from] JournalError),
    #[error(transparent)]
    Export(#[from] ExportError),
    #[error(transparent)]
    Send(#[from] SendError),
}

/// One run of the command.
struct Run {
    clock: Clock,
    stop: Shutdown,
    places: Places,
    form: SampleForm,
    receiver: Option<Sender>,
}

impl Run {
    /// Fetches and writes everything; returns the exit code.
    async fn run(self, plans: Vec<AppliancePlan>, refusals: &LoginFailureLog) -> u8 {
        let plans: Vec<Arc<AppliancePlan>> = plans.into_iter().map(Arc::new).collect();
        let run = Arc::new(self);
        let outcomes = Self::appliances(&run, &plans, refusals).await;
        for (plan, outcome) in plans.iter().zip(&outcomes) {
            match outcome {
                Ok(summary) => run.print(plan, summary),
                Err(why) => eprint_line(format!("{}: {why}", plan.appliance.name)),
            }
        }
        if outcomes.iter().all(Result::is_ok) {
            return 0;
        }
        let is_login = |outcome: &Result<_, _>| matches!(outcome, Err(BackfillError::Fetch(FetchError::Login(_))));
        if outcomes.iter().any(is_login) {
            eprint_line("hint: correct the password first: each run tries to log in again, which may lock the account");
        }
        if outcomes.iter().any(|outcome| outcome.is_err() && !is_login(outcome)) {
            eprint_line("hint: run the same command again to continue; no recorded request is repeated");
        }
        RUNTIME
    }

    /// Fetches from [`AT_ONCE`] appliances at a time. The outcomes are in the order of the plans.
    async fn appliances(
        run: &Arc<Self>,
        plans: &[Arc<AppliancePlan>],
        refusals: &LoginFailureLog,
    ) -> Vec<Result<ExportSummary, BackfillError>> {
        let requests = plans.iter().map(|plan| plan.requests()).sum();
        let progress = Arc::new(FetchProgress::new(requests, run.clock.clone()));
        let roots = SystemRoots::default();
        let mut outcomes: Vec<_> = plans.iter().map(|_| Err(BackfillError::Fetch(FetchError::Interrupted))).collect();
        let mut waiting = Vec::new();
        for (position, plan) in plans.iter().enumerate() {
            let (clock, listener) = (run.clock.clone(), Listener::new(|_| {}));
            match Client::try_new(&plan.appliance, &roots, clock, listener, refusals.clone()) {
                Ok(client) => waiting.push((position, Arc::clone(plan), client)),
                Err(failure) => outcomes[position] = Err(FetchError::Failed(failure.to_string()).into()),
            }
        }
        if refusals.are_lost() {
            // The copy of the state is in memory, where everything can be written.
            let _ = Client::allow_one_login(waiting.iter().map(|(_, _, client)| client), refusals).await;
        }
        let (mut waiting, mut running) = (waiting.into_iter(), JoinSet::new());
        let mut is_noted = false;
        loop {
            while running.len() < AT_ONCE
                && let Some((position, plan, client)) = waiting.next()
            {
                let (run, progress) = (Arc::clone(run), Arc::clone(&progress));
                running.spawn(async move { (position, run.appliance(plan, client, progress).await) });
            }
            tokio::select! {
                ended = running.join_next() => match ended {
                    Some(Ok((position, outcome))) => outcomes[position] = outcome,
                    // A task is not aborted, so it has panicked: its appliance counts as interrupted.
                    Some(Err(error)) => eprint_line(error),
                    None => break,
                },
                () = run.stop.requested(), if !is_noted => {
                    is_noted = true;
                    progress.note("finishing the requests in flight; a second signal exits immediately");
                }
            }
        }
        progress.end();
        outcomes
    }

    /// Fetches and writes what is planned for one appliance.
    async fn appliance(
        &self,
        plan: Arc<AppliancePlan>,
        client: Client,
        progress: Arc<FetchProgress>,
    ) -> Result<ExportSummary, BackfillError> {
        let fetcher = Fetcher {
            client,
            plan: Arc::clone(&plan),
            journal: self.places.journal(&plan)?,
            progress,
            clock: self.clock.clone(),
            stop: self.stop.clone(),
            is_answered: false,
        };
        fetcher.run().await?;
        let mut summary = export(&plan, self.places.journal(&plan)?, &self.places.samples, &self.form).await?;
        if let Some(receiver) = &self.receiver {
            let log = self.places.journals.join(format!("{}.sent", plan.file_name()));
            summary.sent = Some(receiver.send(&summary.files, &log).await?);
        }
        Ok(summary)
    }

    fn print(&self, plan: &AppliancePlan, summary: &ExportSummary) {
        let ExportSummary { windows, missing, refused, files, sent } = summary;
        let name = &plan.appliance.name;
        for ((position, reason), count) in missing {
            let report = &plan.reports[*position];
            let (group, all) = (&report.choice.group.name, report.windows());
            print_line(format!("{name}: {group} of {}: {count} of {all} windows are missing: {reason}", report.scope));
        }
        let lost: u64 = missing.values().sum();
        let (samples, files) = (self.places.samples.display(), files.len());
        print_line(format!(
            "{name}: {windows} windows in {files} files in {samples}; {lost} windows are missing, {refused} reports are not \
             available"
        ));
        if let Some(sent) = sent {
            print_line(format!("{name}: {sent} samples sent by remote write"));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn new_directories_are_for_their_owner_alone() {
        let folder = tempfile::tempdir().expect("a directory");
        let (output, samples) = (folder.path().join("out"), folder.path().join("out/samples"));
        let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
        create_private(&samples).expect("created");
        assert_eq!((mode(&output), mode(&samples)), (0o700, 0o700));
        fs::set_permissions(&samples, fs::Permissions::from_mode(0o750)).expect("changed");
        create_private(&samples).expect("there already");
        assert_eq!(mode(&samples), 0o750);
    }
}

//! Takes in what jobs brought: what is counted is written down, what is learned is kept, and all of it is published.

use std::sync::Arc;
use std::time::Duration;

use crate::api::{Failure, Observation, Reason, Reply};
use crate::base::clock::{Tick, Timestamp};
use crate::ledger::{CommitError, Counts, Ledger};
use crate::sample::Samples;
use crate::snapshot::Trouble;
use crate::store::{TotalsKey, WriteError};

use super::centralized::Centralized;
use super::deadline::WRITING;
use super::job::{Begins, Count, Done, Job, Purpose, ReadReport, RequestOutcome};
use super::plan::Gap;
use super::request_order::Work;
use super::target::Target;
use super::{Poller, Source, resume_point};

/// The pause before the next window of a backlog: as long as the last answer took, within these bounds. Catching up
/// then uses at most half of what one client may, and less of an appliance that is slow.
const LEAST_PACE: Duration = Duration::from_millis(10);
const LONGEST_PACE: Duration = Duration::from_secs(5);

impl<S: Source> Poller<S> {
    /// Takes in what a job brought and publishes what is known then.
    pub(super) fn handle_outcome(&mut self, done: Done) {
        let now = self.context.clock.tick();
        self.requests -= usize::from(done.is_a_request());
        self.compare_release();
        match done {
            Done::Connected(Ok(())) => {
                self.connected = true;
                self.reached(now);
                let moment = self.moment(now);
                for target in &mut self.targets {
                    target.begin(&self.context.ledger, moment);
                }
            }
            Done::Connected(Err(failure)) => {
                self.remember(&failure);
                self.health.unreachable(&self.name, &failure, now);
            }
            // What was not written is said by the store, and a restart finds it out again.
            Done::Remembered => {}
            Done::Probed(Ok(())) => self.probe_answered(now),
            Done::Probed(Err(failure)) if failure.reason.proves_presence() => self.probe_answered(now),
            Done::Probed(Err(failure)) => {
                self.remember(&failure);
                let rotation = self.rotation(now);
                self.health.probe_failed(&self.name, &failure, &rotation, now);
            }
            Done::BegunAnew { target, begins, outcome } => {
                let target = &mut self.targets[target];
                target.in_flight = false;
                target.reset_persisted(begins, &outcome, now);
            }
            Done::PassedOver { target, outcome } => {
                let target = &mut self.targets[target];
                target.in_flight = false;
                // The store logs a failed write; the next refusal tries again.
                if outcome.is_ok() {
                    target.passed_over();
                }
            }
            Done::BeginningsEnded { target, outcome } => {
                let target = &mut self.targets[target];
                target.in_flight = false;
                target.beginnings_ended(&self.context.ledger, &outcome, now);
            }
            Done::Observed { status_probe, outcome, took } => {
                self.watches[status_probe].took = Some(took);
                self.observed(status_probe, outcome, now);
            }
            Done::Requested { job, outcome, took } => {
                self.paced_until = now + took.clamp(LEAST_PACE, LONGEST_PACE);
                if let Purpose::Count(_) | Purpose::RunningHour = job.purpose {
                    self.targets[job.target].took = Some(took);
                }
                self.take(job, outcome, now);
            }
            Done::Counted { job, count, report, outcome } => {
                let moment = self.moment(now);
                if outcome.is_ok() {
                    self.answered = Some(now);
                }
                if let (Ok(_), Some(centralized)) = (&outcome, &mut self.centralized) {
                    let events = self.targets[job.target].events(&report.samples);
                    centralized.record(&job.query.group.name, job.query.window, events);
                }
                let target = &mut self.targets[job.target];
                target.in_flight = false;
                target.counted(job.query.window, count, *report, outcome, moment);
            }
            Done::RunningHourCounted { job, report, outcome } => {
                let moment = self.moment(now);
                if outcome.is_ok() {
                    self.answered = Some(now);
                }
                let target = &mut self.targets[job.target];
                target.in_flight = false;
                target.ran(job.query.window, *report, outcome, moment);
            }
            Done::Reconciled { job, outcome } => {
                let moment = self.moment(now);
                let target = &mut self.targets[job.target];
                target.in_flight = false;
                target.reconciled(job.query.window, outcome, moment);
            }
        }
        if self.centralized.as_mut().is_some_and(Centralized::find) {
            self.warn_of_centralized();
        }
        self.measure(now);
        self.log_changes(now);
        self.publish();
    }

    fn warn_of_centralized(&self) {
        let message = "reporting of this ESA is centralized: poll its SMA for the other reports";
        tracing::warn!(appliance = &*self.name, "{message}");
    }

    /// The API has answered.
    fn reached(&mut self, now: Tick) {
        if self.health.reached(&self.name, now) {
            self.targets.iter_mut().for_each(|target| target.appliance_is_back(now));
            self.watches.iter_mut().for_each(|status_probe| status_probe.appliance_is_back(now));
        }
    }

    fn probe_answered(&mut self, now: Tick) {
        self.health.probe_answered(now);
        self.reached(now);
    }

    /// The request for `work` failed. Any answer of the API itself shows that the appliance is up.
    fn missed(&mut self, work: Work, failure: &Failure, now: Tick) {
        if failure.reason.proves_presence() {
            return self.reached(now);
        }
        let rotation = self.rotation(now);
        self.health.failed(&self.name, work, failure, &rotation, now);
    }

    /// Keeps a failure for the status page.
    fn remember(&mut self, failure: &Failure) -> Arc<Trouble> {
        let trouble = Arc::new(Trouble { failure: failure.clone(), at: self.context.clock.wall() });
        self.trouble = Some(Arc::clone(&trouble));
        trouble
    }

    fn observed(&mut self, status_probe: usize, outcome: Result<Observation, Failure>, now: Tick) {
        // That something optional is not there is no trouble.
        let is_absent =
            |failure: &Failure| self.watches[status_probe].aspect().is_optional() && failure.reason.is_refusal();
        let failure = outcome.as_ref().err().filter(|failure| !is_absent(failure)).cloned();
        let trouble = failure.map(|failure| self.remember(&failure));
        match &outcome {
            // The status page may be another server's: its answer says nothing about the API.
            _ if self.watches[status_probe].is_elsewhere() => {}
            Ok(_) => self.reached(now),
            Err(failure) => self.missed(Work::StatusProbe(status_probe), failure, now),
        }
        if let (Ok(Observation::Reporting(status)), Some(centralized)) = (&outcome, &mut self.centralized)
            && let Some(stated) = status.centralized
            && centralized.state(stated)
        {
            self.warn_of_centralized();
        }
        let status_probe = &mut self.watches[status_probe];
        let is_optional = status_probe.aspect().is_optional();
        if let Some(pace) = status_probe.observed(outcome, trouble, self.answered, now, self.context.clock.wall()) {
            self.source.set_pace(pace);
        }
        if is_optional {
            self.remember_not_offered();
        }
    }

    pub(super) fn moment(&self, tick: Tick) -> resume_point::Moment {
        let (appliance, doubt) = (self.source.now(), self.source.clock_doubt());
        resume_point::Moment { tick, appliance, wall: self.context.clock.wall(), doubt }
    }

    fn take(&mut self, job: Job, outcome: RequestOutcome, now: Tick) {
        let appliance_now = self.source.now();
        self.targets[job.target].in_flight = false;
        match outcome {
            RequestOutcome::Report(reply) => {
                self.reached(now);
                self.use_report(job, &reply, now);
            }
            RequestOutcome::HoursOnly => {
                self.reached(now);
                self.take_hours(appliance_now);
                self.measurement_failed(&job, appliance_now);
            }
            RequestOutcome::RunningDeclined => {
                self.reached(now);
                self.running_declined(appliance_now);
            }
            // The hour has just begun.
            RequestOutcome::Failed(Failure { reason: Reason::Empty, .. })
                if matches!(job.purpose, Purpose::RunningHour) =>
            {
                self.reached(now);
                let moment = self.moment(now);
                self.targets[job.target].nothing_yet(moment);
            }
            RequestOutcome::Failed(failure) => {
                let trouble = self.remember(&failure);
                self.missed(Work::Target(job.target), &failure, now);
                if let (Reason::Empty | Reason::Declined, Some(centralized)) = (failure.reason, &mut self.centralized) {
                    centralized.refused(&job.query.group.name);
                }
                match job.purpose {
                    Purpose::Count(count) => {
                        self.targets[job.target].failed(&failure, trouble, count.windows, self.answered, now);
                        self.pass_over(job.target, now);
                    }
                    Purpose::RunningHour => self.targets[job.target].failed(&failure, trouble, 1, self.answered, now),
                    Purpose::Audit => self.targets[job.target].audit_failed(&failure, appliance_now),
                    Purpose::MeasureLateness => self.measurement_failed(&job, appliance_now),
                    Purpose::SyncClock => {}
                }
            }
        }
    }

    fn use_report(&mut self, job: Job, reply: &Reply, now: Tick) {
        let target = &mut self.targets[job.target];
        let window = job.query.window;
        match job.purpose {
            Purpose::Count(count) => match (target.read(window, reply, now), count.gap) {
                (None, _) => {}
                (Some(read), _) if count.windows > 1 && read.has_lower_bound() => target.halve(count.windows),
                // The answer may have shown that the clock was misjudged. The window is requested again afterwards: a
                // scrape in between must see the zero.
                (Some(_), Gap::Restart { from, windows }) => {
                    if !self.still_begins_anew(job.target, now) {
                        return;
                    }
                    self.begin_anew(job.target, Begins { from, at: window.start(), lost: windows });
                }
                (Some(read), Gap::None | Gap::Begun { .. } | Gap::Lost { .. }) => {
                    self.count(
                        job,
                        count,
                        ReadReport { samples: read, request: Arc::clone(&reply.sent), at: reply.at },
                    );
                }
            },
            Purpose::RunningHour => {
                let read = target.read_running(window, reply);
                self.running_answered();
                if let Some(read) = read {
                    self.run_hour(job, ReadReport { samples: read, request: Arc::clone(&reply.sent), at: reply.at });
                }
            }
            Purpose::Audit => match target.read(window, reply, now) {
                Some(read) if read.has_lower_bound() => target.audit_skipped(window, reply.at),
                Some(read) => self.reconcile(job, read, reply.at),
                None => {}
            },
            Purpose::MeasureLateness => {
                let read = target.samples(reply);
                let events = target.events(&read);
                match read.has_lower_bound() {
                    true => self.measurement_failed(&job, reply.at),
                    false => self.learn(events, reply.at),
                }
            }
            // The source has taken the time from it.
            Purpose::SyncClock => {}
        }
    }

    fn still_begins_anew(&mut self, target: usize, now: Tick) -> bool {
        let moment = self.moment(now);
        self.targets[target].begins_anew(&self.context.ledger, moment)
    }

    /// Takes in a look at a window, and the delay that it teaches.
    fn learn(&mut self, events: u64, at: Timestamp) {
        let Some(settle) = self.lateness.as_mut().and_then(|lateness| lateness.looked(events, at)) else { return };
        let seconds = settle.as_secs();
        tracing::info!(appliance = &*self.name, seconds, "settle delay learned");
        let now = self.context.clock.tick();
        for target in &mut self.targets {
            target.wait_for(settle, now);
        }
    }

    fn measurement_failed(&mut self, job: &Job, now: Timestamp) {
        if let (Purpose::MeasureLateness, Some(lateness)) = (job.purpose, &mut self.lateness) {
            lateness.missed(now);
        }
    }

    /// What writing down takes; the target stays in flight until that is done.
    pub(super) fn busy(&mut self, target: usize) -> (Arc<Ledger>, TotalsKey) {
        let target = &mut self.targets[target];
        target.in_flight = true;
        (Arc::clone(&self.context.ledger), target.key().clone())
    }

    /// Writes down that the totals of a target begin at zero.
    fn begin_anew(&mut self, target: usize, begins: Begins) {
        let (ledger, key) = self.busy(target);
        self.jobs.spawn(async move {
            let outcome = written(ledger.begin_anew(&key, begins.from, begins.at)).await;
            Done::BegunAnew { target, begins, outcome }
        });
    }

    /// Shows totals that have begun long enough ago with all that was counted. Says when that is to be looked at again.
    pub(super) fn end_beginnings(&mut self, now: Tick) -> Option<Tick> {
        let mut is_news = false;
        for position in 0..self.targets.len() {
            let target = &mut self.targets[position];
            if target.beginnings_due().is_none_or(|due| due > now) {
                continue;
            }
            let (names, is_different) = target.end_beginnings(now);
            is_news |= is_different;
            if !names.is_empty() {
                let (ledger, key) = self.busy(position);
                self.jobs.spawn(async move {
                    let outcome = written(ledger.end_beginnings(&key, &names)).await;
                    Done::BeginningsEnded { target: position, outcome }
                });
            }
        }
        if is_news {
            self.publish();
        }
        self.targets.iter().filter_map(Target::beginnings_due).min()
    }

    /// Moves the watermark of a target on whose report is refused for good.
    fn pass_over(&mut self, target: usize, now: Tick) {
        let moment = self.moment(now);
        let span = self.targets[target].refused_span(&self.context.ledger, self.answered, moment);
        let Some((from, to)) = span else { return };
        let (ledger, key) = self.busy(target);
        self.jobs.spawn(async move {
            Done::PassedOver { target, outcome: written(ledger.pass_over(&key, from, to)).await }
        });
    }

    /// Writes a window down.
    fn count(&mut self, job: Job, count: Count, report: ReadReport) {
        let (ledger, key) = self.busy(job.target);
        let (target, moment) = (&self.targets[job.target], self.moment(self.context.clock.tick()));
        let begun = target.begun(job.query.window, &report.samples.increments, moment);
        let summed = target.summed();
        self.jobs.spawn(async move {
            let (window, read) = (job.query.window, &report.samples);
            let from = count.gap.watermark(window);
            let counts =
                Counts { increments: &read.increments, retired: &read.retired, summed: &summed, begun: &begun };
            let outcome = written(ledger.commit(&key, from, window, &counts)).await;
            Done::Counted { job, count, report: Box::new(report), outcome }
        });
    }

    /// Compares hours with the report for them, and writes down what was late.
    fn reconcile(&mut self, job: Job, read: Samples, at: Timestamp) {
        let (ledger, key) = self.busy(job.target);
        let late = self.polling.late;
        self.jobs.spawn(async move {
            let outcome = written(ledger.reconcile(&key, job.query.window, &read.increments, at, late)).await;
            Done::Reconciled { job, outcome }
        });
    }
}

/// What writing down came to. A disk that hangs must not hold a target for ever; what it takes after all is the same that
/// is written then. In real time, which a disk works in whatever clock the windows follow.
pub(super) async fn written<T>(writing: impl Future<Output = Result<T, CommitError>>) -> Result<T, CommitError> {
    match tokio::time::timeout(WRITING, writing).await {
        Ok(outcome) => outcome,
        Err(_) => Err(CommitError::NotWritten(WriteError::too_slow(WRITING))),
    }
}

//! Takes in what jobs brought: what is counted is written down, what is learned is kept, and all of it is published.

use std::sync::Arc;

use crate::api::{Failure, Observation, Reason, Reply};
use crate::clock::{Tick, Timestamp};
use crate::ledger::{Begun, Counts, Key, Ledger};
use crate::sample::Samples;
use crate::snapshot::Trouble;

use super::ask::Outcome;
use super::centralised::Centralised;
use super::job::{Done, Heard, Job, Purpose};
use super::{LEAST_PACE, LONGEST_PACE, Poller, Source, target};

impl<S: Source> Poller<S> {
    /// Takes in what a job brought and publishes what is known then.
    pub(super) fn settle(&mut self, done: Done) {
        let now = self.desk.clock.tick();
        match done {
            Done::Connected(Ok(())) => {
                self.connected = true;
                self.standing.reached(&self.name);
                let appliance_now = self.source.now();
                for position in 0..self.targets.len() {
                    if let Begun::Reset { .. } = self.targets[position].begin(&self.desk.ledger, appliance_now) {
                        self.begin_anew(position);
                    }
                }
            }
            Done::Connected(Err(failure)) => {
                self.remember(&failure);
                self.standing.unreachable(&self.name, &failure, now);
            }
            Done::BegunAnew { target, outcome } => {
                let target = &mut self.targets[target];
                target.in_flight = false;
                target.begun_anew(&outcome);
            }
            Done::Observed { watch, outcome } => self.observed(watch, outcome, now),
            Done::Asked { job, outcome, took } => {
                self.paced_until = now + took.clamp(LEAST_PACE, LONGEST_PACE);
                self.take(job, outcome, now);
            }
            Done::Counted { job, count, heard, outcome } => {
                let moment = self.moment(now);
                if let (Ok(_), Some(centralised)) = (&outcome, &mut self.centralised) {
                    let events = self.targets[job.target].events(&heard.read);
                    centralised.heard(&job.query.group.name, job.query.window, events);
                }
                let target = &mut self.targets[job.target];
                target.in_flight = false;
                target.counted(job.query.window, count, heard, outcome, moment);
            }
            Done::Reconciled { job, outcome } => {
                let appliance_now = self.source.now();
                let target = &mut self.targets[job.target];
                target.in_flight = false;
                target.reconciled(job.query.window, outcome, appliance_now);
            }
        }
        if self.centralised.as_mut().is_some_and(Centralised::find) {
            let message = "the gateway leaves its reporting to a manager: poll that for what it does not tell";
            tracing::warn!(appliance = &*self.name, "{message}");
        }
        self.publish();
    }

    /// Keeps a failure for whoever asks what is wrong.
    fn remember(&mut self, failure: &Failure) -> Arc<Trouble> {
        let Failure { reason, detail, retry_after: _ } = failure.clone();
        let trouble = Arc::new(Trouble { reason, detail, at: self.desk.clock.wall() });
        self.trouble = Some(Arc::clone(&trouble));
        trouble
    }

    fn observed(&mut self, watch: usize, outcome: Result<Observation, Failure>, now: Tick) {
        let trouble = outcome.as_ref().err().map(|failure| self.remember(failure));
        let watch = &mut self.watches[watch];
        match &outcome {
            Ok(_) => self.standing.reached(&self.name),
            // The status page may be another server's.
            Err(failure) if !watch.is_elsewhere() => self.standing.failed(&self.name, failure, now),
            Err(_) => {}
        }
        if let Some(pace) = watch.observed(&self.name, outcome, trouble, now, self.desk.clock.wall()) {
            self.source.set_pace(pace);
        }
    }

    fn moment(&self, tick: Tick) -> target::Moment {
        target::Moment { tick, appliance: self.source.now(), wall: self.desk.clock.wall() }
    }

    fn take(&mut self, job: Job, outcome: Outcome, now: Tick) {
        let appliance_now = self.source.now();
        let target = &mut self.targets[job.target];
        target.in_flight = false;
        match outcome {
            Outcome::Report(reply) => {
                self.standing.reached(&self.name);
                self.use_report(job, &reply);
            }
            Outcome::HoursOnly => {
                self.standing.reached(&self.name);
                target.take_hours(&self.desk.ledger, appliance_now);
                self.look_missed(&job, appliance_now);
            }
            Outcome::Failed(failure) => {
                let trouble = self.remember(&failure);
                self.standing.failed(&self.name, &failure, now);
                if let (Reason::Empty | Reason::Declined, Some(centralised)) = (failure.reason, &mut self.centralised) {
                    centralised.refused(&job.query.group.name);
                }
                match job.purpose {
                    Purpose::Count(_) => self.targets[job.target].failed(&failure, trouble, now),
                    Purpose::Audit => self.targets[job.target].audit_failed(&failure, appliance_now),
                    Purpose::Look => self.look_missed(&job, appliance_now),
                    Purpose::Hear => {}
                }
            }
        }
    }

    fn use_report(&mut self, job: Job, reply: &Reply) {
        let target = &mut self.targets[job.target];
        match job.purpose {
            Purpose::Count(count) => match target.read(job.query.window, reply) {
                Some(read) if count > 1 && read.has_lower_bound() => target.halve(count),
                Some(read) => self.count(job, count, Heard { read, sent: Arc::clone(&reply.sent), at: reply.at }),
                None => {}
            },
            Purpose::Audit => match target.read(job.query.window, reply) {
                Some(read) if read.has_lower_bound() => target.audit_skipped(reply.at),
                Some(read) => self.reconcile(job, read),
                None => {}
            },
            Purpose::Look => {
                let read = target.look(reply);
                let events = target.events(&read);
                match read.has_lower_bound() {
                    true => self.look_missed(&job, reply.at),
                    false => self.learn(events, reply.at),
                }
            }
            // The source has taken the time from it.
            Purpose::Hear => {}
        }
    }

    /// Takes in a look at a window, and the delay that it teaches.
    fn learn(&mut self, events: u64, at: Timestamp) {
        let Some(settle) = self.lateness.as_mut().and_then(|lateness| lateness.looked(events, at)) else { return };
        let seconds = settle.as_secs();
        tracing::info!(appliance = &*self.name, seconds, "settle delay is learned");
        for target in &mut self.targets {
            target.wait_for(settle);
        }
    }

    fn look_missed(&mut self, job: &Job, now: Timestamp) {
        if let (Purpose::Look, Some(lateness)) = (job.purpose, &mut self.lateness) {
            lateness.missed(now);
        }
    }

    /// What writing down takes; the target stays in flight until that is done.
    fn busy(&mut self, target: usize) -> (Arc<Ledger>, Key) {
        let target = &mut self.targets[target];
        target.in_flight = true;
        (Arc::clone(&self.desk.ledger), target.key().clone())
    }

    /// Writes down that the totals of a target begin at zero.
    fn begin_anew(&mut self, target: usize) {
        let (ledger, key) = self.busy(target);
        self.jobs.spawn(async move { Done::BegunAnew { target, outcome: ledger.keep(&key).await } });
    }

    /// Writes a window down.
    fn count(&mut self, job: Job, count: u32, heard: Heard) {
        let (ledger, key) = self.busy(job.target);
        let summed = self.targets[job.target].summed();
        self.jobs.spawn(async move {
            let (window, read) = (job.query.window, &heard.read);
            let counts = Counts { increments: &read.increments, retired: &read.retired, summed: &summed };
            let outcome = ledger.commit(&key, window.start(), window.end(), &counts).await;
            Done::Counted { job, count, heard, outcome }
        });
    }

    /// Compares hours with the report for them, and writes down what was late.
    fn reconcile(&mut self, job: Job, read: Samples) {
        let (ledger, key) = self.busy(job.target);
        let late = self.polling.late;
        self.jobs.spawn(async move {
            let outcome = ledger.reconcile(&key, job.query.window, &read.increments, late).await;
            Done::Reconciled { job, outcome }
        });
    }
}

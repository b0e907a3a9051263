//! Polls one appliance: plan, fetch, commit, publish. One task an appliance owns everything it knows about it; requests
//! run beside it and come back as outcomes. Decisions are pure and lie in the modules below; this one only does them.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use crate::api::{Failure, Query, Reply};
use crate::clock::{Clock, Tick, Timestamp};
use crate::config;
use crate::ledger::{Account, Begun, CommitError, Key, Ledger, Reconciled};
use crate::sample::Samples;
use crate::snapshot::{Board, Snapshot};
use crate::stop::Stop;
use crate::window::Window;

mod ask;
mod audit;
mod lateness;
mod plan;
mod retry;
mod source;
mod standing;
mod target;

pub use source::Source;

use ask::Outcome;
use lateness::Lateness;
use standing::Standing;
use target::Target;

/// How often the clock of an appliance is heard that is behind what was counted.
const HEARING: Duration = Duration::from_secs(5 * 60);
/// The pause before the next window of a backlog: as long as the last answer took, within these bounds. Catching up
/// then uses at most half of what one client may, and less of an appliance that is slow.
const LEAST_PACE: Duration = Duration::from_millis(10);
const LONGEST_PACE: Duration = Duration::from_secs(5);

/// What pollers share: where counts are kept and where snapshots go.
#[derive(Clone, Debug)]
pub struct Desk {
    /// The time.
    pub clock: Clock,
    /// The watermarks.
    pub ledger: Arc<Ledger>,
    /// The published snapshots.
    pub board: Arc<Board>,
}

/// Polls one appliance until it is told to stop.
#[derive(Debug)]
pub struct Poller<S> {
    source: Arc<S>,
    desk: Desk,
    name: Arc<str>,
    polling: config::Polling,
    targets: Vec<Target>,
    /// None where the settle delay is given.
    lateness: Option<Lateness>,
    standing: Standing,
    connected: bool,
    /// Where the search for the next due target begins, so that none waits for ever behind another.
    cursor: usize,
    /// Before this no backlog is fetched.
    paced_until: Tick,
    /// Before this the appliance's clock is not heard for its own sake.
    hear_from: Tick,
    jobs: JoinSet<Done>,
}

/// A finished job.
#[derive(Debug)]
enum Done {
    Connected(Result<(), Failure>),
    BegunAnew { target: usize, outcome: Result<(), CommitError> },
    Asked { job: Job, outcome: Outcome, took: Duration },
    Counted { job: Job, count: u32, read: Samples, outcome: Result<Account, CommitError> },
    Reconciled { job: Job, outcome: Result<Reconciled, CommitError> },
}

/// One poll: of which target, for which windows.
#[derive(Clone, Debug)]
struct Job {
    target: usize,
    query: Query,
    purpose: Purpose,
}

/// What a report is asked for for.
#[derive(Clone, Copy, Debug)]
enum Purpose {
    /// To count so many windows of the target's grid.
    Count(u32),
    /// To compare it with what was counted.
    Audit,
    /// To see how much of it is there yet.
    Look,
    /// To hear the appliance's clock.
    Hear,
}

impl<S: Source> Poller<S> {
    /// A poller of `appliance`, which publishes that it knows nothing yet.
    #[must_use]
    pub fn new(appliance: &config::Appliance, source: Arc<S>, desk: Desk) -> Self {
        let name: Arc<str> = appliance.name.as_str().into();
        let phase = plan::phase(&name, appliance.polling.grid);
        let targets: Vec<Target> = appliance
            .scopes
            .iter()
            .flat_map(|scope| appliance.groups.iter().map(move |choice| (scope, choice)))
            .map(|(scope, choice)| {
                let key = Key { appliance: Arc::clone(&name), scope: scope.clone(), group: choice.group.name };
                Target::new(key, *choice, appliance.polling, phase, &desk.ledger)
            })
            .collect();
        let poller = Self {
            source,
            paced_until: desk.clock.tick(),
            hear_from: desk.clock.tick(),
            desk,
            name,
            polling: appliance.polling,
            standing: Standing::new(targets.len(), appliance.polling.grid.length()),
            lateness: match appliance.polling.settle {
                config::Settle::Fixed(_) => None,
                config::Settle::Auto(first) => Some(Lateness::new(first, targets.len())),
            },
            targets,
            connected: false,
            cursor: 0,
            jobs: JoinSet::new(),
        };
        poller.publish();
        poller
    }

    /// Polls until `stop` is requested; requests in flight are then dropped.
    pub async fn run(mut self, stop: Stop) {
        loop {
            let wake = self.launch();
            tokio::select! {
                () = stop.requested() => break,
                Some(done) = self.jobs.join_next() => match done {
                    Ok(done) => self.settle(done),
                    // A job that panicked is our bug: let the supervisor see this task end the same way.
                    Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
                    Err(_) => {}
                },
                () = self.desk.clock.sleep_until(wake), if self.jobs.len() < self.polling.concurrency => {}
            }
        }
        self.jobs.shutdown().await;
    }

    /// Starts what is due within the concurrency and says when to look again.
    fn launch(&mut self) -> Tick {
        let now = self.desk.clock.tick();
        if let Some(until) = self.standing.paused_until(now) {
            return until;
        }
        if !self.connected {
            if self.jobs.is_empty() {
                let source = Arc::clone(&self.source);
                self.jobs.spawn(async move { Done::Connected(source.connect().await) });
            }
            return now + self.polling.timeout;
        }
        while self.jobs.len() < self.polling.concurrency {
            match self.next(now) {
                Next::Now(job) => self.start(job),
                Next::At(wake) => return wake,
            }
        }
        now + self.polling.timeout
    }

    /// The next target in turn that is due, or when one will be.
    fn next(&mut self, now: Tick) -> Next {
        let appliance_now = self.source.now();
        let mut wake = now + Duration::from_secs(3600);
        for step in 0..self.targets.len() {
            let position = (self.cursor + step) % self.targets.len();
            let target = &mut self.targets[position];
            if target.in_flight {
                continue;
            }
            if target.not_before > now {
                wake = wake.min(target.not_before);
                continue;
            }
            match target.plan(&self.desk.ledger, appliance_now) {
                plan::Step::Wait(span) => wake = wake.min(now + span),
                plan::Step::Fetch { backlog: true, .. } if self.paced_until > now => {
                    wake = wake.min(self.paced_until);
                }
                plan::Step::Fetch { window, count, .. } => {
                    return self.job(position, window, Purpose::Count(count));
                }
                plan::Step::Audit(hours) => return self.job(position, hours, Purpose::Audit),
                plan::Step::Hear(_) if self.hear_from > now => wake = wake.min(self.hear_from),
                plan::Step::Hear(window) => {
                    self.hear_from = now + HEARING;
                    return self.job(position, window, Purpose::Hear);
                }
            }
        }
        match self.look(appliance_now) {
            Some(lateness::Step::Look { target, window }) => self.job(target, window, Purpose::Look),
            Some(lateness::Step::Wait(span)) => Next::At(wake.min(now + span)),
            None => Next::At(wake),
        }
    }

    /// What is due for learning how late data come; none while its target is busy or nothing is to be learned.
    fn look(&mut self, now: Timestamp) -> Option<lateness::Step> {
        let targets = &self.targets;
        let step = self.lateness.as_mut()?.step(now, |target| targets[target].countable());
        match step {
            lateness::Step::Look { target, .. } if targets[target].in_flight => None,
            lateness::Step::Look { .. } | lateness::Step::Wait(_) => Some(step),
        }
    }

    fn job(&mut self, target: usize, window: Window, purpose: Purpose) -> Next {
        self.cursor = (target + 1) % self.targets.len();
        let of = &self.targets[target];
        let query = Query { scope: of.scope().clone(), group: of.group(), window };
        Next::Now(Job { target, query, purpose })
    }

    fn start(&mut self, job: Job) {
        self.targets[job.target].in_flight = true;
        let source = Arc::clone(&self.source);
        let clock = self.desk.clock.clone();
        let polling = self.polling;
        self.jobs.spawn(async move {
            let began = clock.tick();
            let outcome = ask::ask(&*source, &job.query, polling, &clock).await;
            Done::Asked { job, outcome, took: clock.tick().since(began) }
        });
    }

    /// Takes in what a job brought and publishes what is known then.
    fn settle(&mut self, done: Done) {
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
            Done::Connected(Err(failure)) => self.standing.unreachable(&self.name, &failure, now),
            Done::BegunAnew { target, outcome } => {
                let target = &mut self.targets[target];
                target.in_flight = false;
                target.begun_anew(&outcome);
            }
            Done::Asked { job, outcome, took } => {
                self.paced_until = now + took.clamp(LEAST_PACE, LONGEST_PACE);
                self.take(job, outcome, now);
            }
            Done::Counted { job, count, read, outcome } => {
                let moment = self.moment(now);
                let target = &mut self.targets[job.target];
                target.in_flight = false;
                target.counted(job.query.window, count, read, outcome, moment);
            }
            Done::Reconciled { job, outcome } => {
                let appliance_now = self.source.now();
                let target = &mut self.targets[job.target];
                target.in_flight = false;
                target.reconciled(job.query.window, outcome, appliance_now);
            }
        }
        self.publish();
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
                self.standing.failed(&self.name, &failure, now);
                match job.purpose {
                    Purpose::Count(_) => target.failed(&failure, now),
                    Purpose::Audit => target.audit_failed(&failure, appliance_now),
                    Purpose::Look => self.look_missed(&job, appliance_now),
                    Purpose::Hear => {}
                }
            }
        }
    }

    fn use_report(&mut self, job: Job, reply: &Reply) {
        let target = &self.targets[job.target];
        match job.purpose {
            Purpose::Count(count) => {
                if let Some(read) = target.read(job.query.window, reply) {
                    self.count(job, count, read);
                }
            }
            Purpose::Audit => {
                if let Some(read) = target.read(job.query.window, reply) {
                    self.reconcile(job, read);
                }
            }
            Purpose::Look => self.learn(target.events(reply), reply.at),
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
    fn count(&mut self, job: Job, count: u32, read: Samples) {
        let (ledger, key) = self.busy(job.target);
        self.jobs.spawn(async move {
            let window = job.query.window;
            let outcome = ledger.commit(&key, window.start(), window.end(), &read.increments).await;
            Done::Counted { job, count, read, outcome }
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

    fn publish(&self) {
        let appliance_now = self.source.now();
        let view = |target: &Target| Arc::new(target.view(&self.desk.ledger, appliance_now));
        self.desk.board.publish(Snapshot {
            appliance: Arc::clone(&self.name),
            up: self.standing.is_up(),
            clock_skew_seconds: self.source.skew_seconds(),
            groups: self.targets.iter().map(view).collect(),
        });
    }
}

enum Next {
    Now(Job),
    At(Tick),
}

#[cfg(test)]
mod tests;

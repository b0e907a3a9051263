//! Polls one appliance: plan, fetch, commit, publish. One task an appliance owns everything it knows about it; requests
//! run beside it and come back as outcomes. Decisions are pure and lie in the modules below; this one only does them.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use crate::api::{Client, Failure, Query, Reply};
use crate::clock::{Clock, Tick, Timestamp};
use crate::config;
use crate::ledger::{Account, CommitError, Key, Ledger};
use crate::sample::Samples;
use crate::snapshot::{Board, Snapshot};
use crate::stop::Stop;

mod ask;
mod plan;
mod retry;
mod standing;
mod target;

use ask::Outcome;
use standing::Standing;
use target::Target;

/// The pause before the next window of a backlog: as long as the last answer took, within these bounds. Catching up
/// then uses at most half of what one client may, and less of an appliance that is slow.
const LEAST_PACE: Duration = Duration::from_millis(10);
const LONGEST_PACE: Duration = Duration::from_secs(5);

/// Where reports come from: the seam below which tests put an appliance of their own.
pub trait Source: Send + Sync + 'static {
    /// Makes sure that the account is accepted and the appliance's time known.
    fn connect(&self) -> impl Future<Output = Result<(), Failure>> + Send;
    /// Asks for one report.
    fn fetch(&self, query: &Query) -> impl Future<Output = Result<Reply, Failure>> + Send;
    /// The appliance's clock.
    fn now(&self) -> Timestamp;
    /// How far it is ahead of ours, once known.
    fn skew_seconds(&self) -> Option<f64>;
}

impl Source for Client {
    async fn connect(&self) -> Result<(), Failure> {
        Self::connect(self).await
    }

    async fn fetch(&self, query: &Query) -> Result<Reply, Failure> {
        Self::fetch(self, query).await
    }

    fn now(&self) -> Timestamp {
        Self::now(self)
    }

    fn skew_seconds(&self) -> Option<f64> {
        Self::skew_seconds(self)
    }
}

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
    standing: Standing,
    connected: bool,
    /// Where the search for the next due target begins, so that none waits for ever behind another.
    cursor: usize,
    /// Before this no backlog is fetched.
    paced_until: Tick,
    jobs: JoinSet<Done>,
}

/// A finished job.
#[derive(Debug)]
enum Done {
    Connected(Result<(), Failure>),
    Asked { job: Job, outcome: Outcome, took: Duration },
    Counted { job: Job, read: Samples, outcome: Result<Account, CommitError> },
}

/// One poll: of which target, for which windows.
#[derive(Clone, Debug)]
struct Job {
    target: usize,
    query: Query,
    /// How many windows of the target's grid the query covers.
    count: u32,
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
            desk,
            name,
            polling: appliance.polling,
            standing: Standing::new(targets.len(), appliance.polling.grid.length()),
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
                    let query = Query { scope: target.scope().clone(), group: target.group(), window };
                    self.cursor = (position + 1) % self.targets.len();
                    return Next::Now(Job { target: position, query, count });
                }
            }
        }
        Next::At(wake)
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
                for target in &mut self.targets {
                    target.begin(&self.desk.ledger, appliance_now);
                }
            }
            Done::Connected(Err(failure)) => self.standing.unreachable(&self.name, &failure, now),
            Done::Asked { job, outcome, took } => {
                self.paced_until = now + took.clamp(LEAST_PACE, LONGEST_PACE);
                self.take(job, outcome, now);
            }
            Done::Counted { job, read, outcome } => {
                let target = &mut self.targets[job.target];
                target.in_flight = false;
                let moment = target::Moment { tick: now, appliance: self.source.now(), wall: self.desk.clock.wall() };
                target.counted(job.query.window, job.count, read, outcome, moment);
            }
        }
        self.publish();
    }

    fn take(&mut self, job: Job, outcome: Outcome, now: Tick) {
        let target = &mut self.targets[job.target];
        match outcome {
            Outcome::Report(reply) => {
                self.standing.reached(&self.name);
                match target.read(job.query.window, &reply) {
                    Some(read) => self.count(job, read),
                    None => target.in_flight = false,
                }
            }
            Outcome::HoursOnly => {
                self.standing.reached(&self.name);
                target.in_flight = false;
                target.take_hours(&self.desk.ledger, self.source.now());
            }
            Outcome::Failed(failure) => {
                self.standing.failed(&self.name, &failure, now);
                target.in_flight = false;
                target.failed(&failure, now);
            }
        }
    }

    /// Writes a window down; the target stays in flight until that is done.
    fn count(&mut self, job: Job, read: Samples) {
        let ledger = Arc::clone(&self.desk.ledger);
        let key = self.targets[job.target].key().clone();
        self.jobs.spawn(async move {
            let window = job.query.window;
            let outcome = ledger.commit(&key, window.start(), window.end(), &read.increments).await;
            Done::Counted { job, read, outcome }
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

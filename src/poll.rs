//! Polls one appliance: plan, fetch, commit, publish. One task an appliance owns everything it knows about it; requests
//! run beside it and come back as outcomes. Decisions are pure and lie in the modules below; this one only does them.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use crate::api::ClockDoubt;
use crate::catalogue::About;
use crate::clock::{Clock, Tick, Timestamp};
use crate::config;
use crate::ledger::{Key, Ledger};
use crate::pulse::{Pulse, Pulses};
use crate::sample::Families;
use crate::snapshot::{Board, ClockTrouble, Snapshot, Trouble};
use crate::stop::Stop;
use crate::window::Window;

mod ask;
mod audit;
mod centralised;
mod job;
mod lateness;
mod place;
mod plan;
mod refusal;
mod retry;
mod settled;
mod source;
mod standing;
mod subject;
mod target;
mod watch;

pub use source::Source;

use centralised::Centralised;
use job::{Count, Done, Job, Next, Purpose};
use lateness::Lateness;
use standing::Standing;
use subject::Subject;
use target::Target;
use watch::Watch;

/// How often the clock of an appliance is heard that is behind what was counted.
const HEARING: Duration = Duration::from_secs(5 * 60);
/// The same of a clock in doubt: the next answer may confirm what it shows.
const HEARING_IN_DOUBT: Duration = Duration::from_secs(61);
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
    /// The families of metrics that reports become.
    pub families: Arc<Families>,
    /// Signs of life.
    pub pulses: Pulses,
}

/// Polls one appliance until it is told to stop.
#[derive(Debug)]
pub struct Poller<S> {
    source: Arc<S>,
    desk: Desk,
    name: Arc<str>,
    polling: config::Polling,
    product: config::Product,
    targets: Vec<Target>,
    watches: Vec<Watch>,
    /// None of a manager, and where it cannot be told.
    centralised: Option<Centralised>,
    /// None where the settle delay is given.
    lateness: Option<Lateness>,
    standing: Standing,
    /// When a report was last counted.
    answered: Option<Tick>,
    /// The newest failure.
    trouble: Option<Arc<Trouble>>,
    connected: bool,
    /// Where the search for the next due target begins, so that none waits for ever behind another.
    cursor: usize,
    /// Before this no backlog is fetched.
    paced_until: Tick,
    /// When the appliance's clock was last heard for its own sake.
    heard: Option<Tick>,
    jobs: JoinSet<Done>,
    /// Jobs that ask the appliance something. The others write to the disk, and one that hangs must not stop the polling.
    requests: usize,
    pulse: Pulse,
}

impl<S: Source> Poller<S> {
    /// A poller of `appliance`, which publishes that it knows nothing yet.
    #[must_use]
    pub fn new(appliance: &config::Appliance, source: Arc<S>, desk: Desk) -> Self {
        let name: Arc<str> = appliance.name.as_str().into();
        let phase = plan::phase(&name, appliance.polling.grid);
        let of_groups = appliance.scopes.iter().flat_map(|scope| {
            // Groups of gateways and gateways have no web traffic.
            let known =
                |choice: &&config::GroupChoice| *scope == config::Scope::Appliance || choice.group.about == About::Mail;
            appliance.groups.iter().filter(known).map(move |choice| (scope.clone(), Subject::of_group(choice)))
        });
        // Tracking knows no scopes: a search is of all messages that the appliance knows of.
        let of_searches =
            appliance.searches.iter().map(|choice| (config::Scope::Appliance, Subject::of_search(choice)));
        let targets: Vec<Target> = of_groups
            .chain(of_searches)
            .map(|(scope, subject)| {
                let key = Key { appliance: Arc::clone(&name), scope, group: Arc::clone(subject.key()) };
                Target::new(key, subject, &desk.families, appliance.polling, phase, &desk.ledger)
            })
            .collect();
        let poller = Self {
            source,
            pulse: desk.pulses.begin(&format!("the poller of `{name}`")),
            paced_until: desk.clock.tick(),
            heard: None,
            desk,
            name,
            polling: appliance.polling,
            product: appliance.product,
            watches: Watch::all(&appliance.extras, appliance.product),
            centralised: match appliance.product {
                config::Product::Esa => Centralised::new(appliance.groups.iter().map(|choice| &*choice.group.name)),
                config::Product::Sma => None,
            },
            standing: Standing::new(targets.len(), appliance.polling.grid.length()),
            lateness: match appliance.polling.settle {
                config::Settle::Fixed(_) => None,
                config::Settle::Auto(first) => Some(Lateness::new(first, targets.len())),
            },
            targets,
            answered: None,
            trouble: None,
            connected: false,
            cursor: 0,
            jobs: JoinSet::new(),
            requests: 0,
        };
        poller.publish();
        poller
    }

    /// Polls until `stop` is requested; requests in flight are then dropped.
    pub async fn run(mut self, stop: Stop) {
        loop {
            self.pulse.beat();
            let wake = self.launch();
            tokio::select! {
                () = stop.requested() => break,
                Some(done) = self.jobs.join_next() => match done {
                    Ok(done) => self.settle(done),
                    // A job that panicked is our bug: let the supervisor see this task end the same way.
                    Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
                    Err(_) => {}
                },
                () = self.desk.clock.sleep_until(wake), if self.requests < self.polling.concurrency => {}
                () = self.pulse.due() => {}
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
            if self.requests == 0 {
                let source = Arc::clone(&self.source);
                self.request(async move { Done::Connected(source.connect().await) });
            }
            return now + self.polling.timeout;
        }
        while self.requests < self.polling.concurrency {
            match self.next(now) {
                Next::Now(job) => self.start(job),
                Next::Watch(watch) => self.observe(watch),
                Next::At(wake) => return wake,
            }
        }
        now + self.polling.timeout
    }

    /// The next target in turn that is due, or when one will be.
    fn next(&mut self, now: Tick) -> Next {
        let moment = self.moment(now);
        let hear_from = self.heard.map(|heard| heard + moment.doubt.map_or(HEARING, |_| HEARING_IN_DOUBT));
        let mut wake = now + Duration::from_secs(3600);
        for (position, watch) in self.watches.iter().enumerate().filter(|(_, watch)| !watch.in_flight) {
            if watch.not_before <= now {
                return Next::Watch(position);
            }
            wake = wake.min(watch.not_before);
        }
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
            match target.plan(&self.desk.ledger, moment) {
                plan::Step::Wait(span) => wake = wake.min(now + span),
                plan::Step::Fetch { backlog: true, .. } if self.paced_until > now => {
                    wake = wake.min(self.paced_until);
                }
                plan::Step::Fetch { window, count: windows, gap, .. } => {
                    return self.job(position, window, Purpose::Count(Count { windows, gap }));
                }
                plan::Step::Audit(hours) => return self.job(position, hours, Purpose::Audit),
                plan::Step::Hear(window) => match hear_from.filter(|from| *from > now) {
                    Some(from) => wake = wake.min(from),
                    None => {
                        self.heard = Some(now);
                        return self.job(position, window, Purpose::Hear);
                    }
                },
            }
        }
        match self.look(moment.appliance) {
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
        Next::Now(Job { target, query: self.targets[target].query(window, purpose.depth()), purpose })
    }

    fn observe(&mut self, watch: usize) {
        self.watches[watch].in_flight = true;
        let (source, aspect) = (Arc::clone(&self.source), self.watches[watch].aspect().clone());
        self.request(async move { Done::Observed { watch, outcome: source.observe(&aspect).await } });
    }

    fn start(&mut self, job: Job) {
        self.targets[job.target].in_flight = true;
        let source = Arc::clone(&self.source);
        let clock = self.desk.clock.clone();
        let polling = self.polling;
        self.request(async move {
            let began = clock.tick();
            let outcome = ask::ask(&*source, &job.query, polling, &clock).await;
            Done::Asked { job, outcome, took: clock.tick().since(began) }
        });
    }

    fn request(&mut self, request: impl Future<Output = Done> + Send + 'static) {
        self.requests += 1;
        self.jobs.spawn(request);
    }

    fn publish(&self) {
        let appliance_now = self.source.now();
        let view = |target: &Target| Arc::new(target.view(&self.desk.ledger, appliance_now));
        self.desk.board.publish(Snapshot {
            appliance: Arc::clone(&self.name),
            up: self.standing.is_up(),
            clock_skew_seconds: self.source.skew_seconds(),
            clock: match self.source.clock_doubt() {
                Some(ClockDoubt::Refused) => Some(ClockTrouble::Refused),
                Some(ClockDoubt::Unconfirmed) => Some(ClockTrouble::Unconfirmed),
                None => self.targets.iter().any(Target::waits_for_clock).then_some(ClockTrouble::Behind),
            },
            centralised: self.centralised.as_ref().map(Centralised::is_found),
            trouble: self.trouble.clone(),
            product: self.product.label(),
            aspects: self.watches.iter().map(Watch::view).collect(),
            groups: self.targets.iter().map(view).collect(),
        });
    }
}

#[cfg(test)]
mod tests;

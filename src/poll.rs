//! Polls one appliance: plan, fetch, commit, publish. One task an appliance owns everything it knows about it; requests
//! run beside it and come back as outcomes. Decisions are pure and lie in the modules below; this one only does them.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use crate::api::ClockDoubt;
use crate::catalogue::About;
use crate::clock::{Clock, Tick};
use crate::config;
use crate::ledger::{Key, Ledger};
use crate::pulse::{Pulse, Pulses};
use crate::sample::Families;
use crate::snapshot::{Board, ClockTrouble, Snapshot, Trouble};
use crate::stop::Stop;

mod ask;
mod audit;
mod centralised;
mod deadline;
mod failing;
mod job;
mod lateness;
mod launch;
mod place;
mod plan;
mod refusal;
mod retry;
mod round;
mod settled;
mod source;
mod standing;
mod subject;
mod target;
mod turns;
mod watch;

pub use source::Source;

use centralised::Centralised;
use deadline::Deadlines;
use job::Done;
use lateness::Lateness;
use round::{Cost, Rounds};
use standing::Standing;
use subject::Subject;
use target::Target;
use turns::{Turns, Work};
use watch::Watch;

/// How much later than it should come an answer may be before the appliance counts as down, beyond what requests take.
const SLACK: Duration = Duration::from_secs(60);
/// What is refused is asked for so often, and nothing less often.
const LONGEST_SILENCE: Duration = Duration::from_secs(60 * 60);

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
    turns: Turns,
    rounds: Rounds,
    deadlines: Deadlines,
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
        let now = desk.clock.tick();
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
                Target::new(key, subject, &desk.families, appliance.polling, phase, &desk.ledger, now)
            })
            .collect();
        let watches = Watch::all(&appliance.extras, appliance.product);
        let poller = Self {
            source,
            pulse: desk.pulses.begin(&format!("the poller of `{name}`")),
            paced_until: now,
            heard: None,
            desk,
            name,
            polling: appliance.polling,
            product: appliance.product,
            turns: Turns::new(targets.len(), watches.len()),
            rounds: Rounds::default(),
            deadlines: Deadlines::new(&appliance.polling),
            watches,
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

    /// What is asked for once a window.
    fn rotation(&self, now: Tick) -> Vec<Work> {
        let targets = self.targets.iter().enumerate().filter(|(_, target)| target.is_in_rotation(now));
        targets.map(|(place, _)| Work::Target(place)).collect()
    }

    fn measure(&mut self, now: Tick) {
        let targets = self.targets.iter().filter(|target| target.is_in_rotation(now));
        let of_targets = targets.map(|target| Cost { took: target.took, every: target.window(), is_window: true });
        let watches = self.watches.iter().filter(|watch| !watch.is_refused());
        let of_watches = watches.map(|watch| Cost { took: watch.took, every: watch.pace(), is_window: false });
        let costs: Vec<Cost> = of_targets.chain(of_watches).collect();
        self.rounds.measured(&self.name, &costs, self.polling.concurrency, now);
    }

    /// Until when an appliance that answered last at `answered` need not have answered again.
    fn silent_until(&self, answered: Tick, now: Tick, late: Duration) -> Tick {
        let windows = self.targets.iter().filter(|target| target.is_in_rotation(now)).map(Target::window);
        let watches = self.watches.iter().filter(|watch| !watch.is_refused()).map(Watch::pace);
        answered + windows.chain(watches).min().unwrap_or(LONGEST_SILENCE) + late
    }

    fn publish(&self) {
        let now = self.desk.clock.tick();
        let moment = self.moment(now);
        let round = self.rounds.newest();
        // A round of a backlog rests as long as it asks.
        let late =
            round.map_or(Duration::ZERO, |round| round.takes.saturating_mul(2)) + self.deadlines.longest() + SLACK;
        let view = |target: &Target| Arc::new(target.view(&self.desk.ledger, moment, late));
        self.desk.board.publish(Snapshot {
            appliance: Arc::clone(&self.name),
            up_until: self
                .standing
                .answered()
                .filter(|_| self.standing.is_up())
                .map(|answered| self.silent_until(answered, now, late)),
            round,
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

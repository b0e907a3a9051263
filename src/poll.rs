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
use crate::release::Release;
use crate::sample::Families;
use crate::snapshot::{Board, ClockTrouble, Hold, Snapshot, Trouble};
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
use place::Moment;
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
    /// Whether totals that begin are first shown without their first events.
    pub hold: Hold,
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
    minimum_release: Option<Release>,
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
                Target::new(key, subject, &desk.families, appliance.polling, phase, &desk.ledger, now).holding(
                    desk.hold,
                    &desk.ledger,
                    now,
                )
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
            minimum_release: appliance.minimum_release,
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

    /// What is requested once a window; where that is nothing, the status requests.
    fn rotation(&self, now: Tick) -> Vec<Work> {
        let targets = self.targets.iter().enumerate().filter(|(_, target)| target.is_in_rotation(now));
        let targets: Vec<Work> = targets.map(|(place, _)| Work::Target(place)).collect();
        if !targets.is_empty() {
            return targets;
        }
        let is_asked = |watch: &Watch| !watch.is_refused() && !watch.is_elsewhere();
        let watches = self.watches.iter().enumerate().filter(|(_, watch)| is_asked(watch));
        watches.map(|(place, _)| Work::Watch(place)).collect()
    }

    fn measure(&mut self, now: Tick) {
        // What fails is requested less and less often.
        let targets = self.targets.iter().filter(|target| target.is_well());
        let of_targets = targets.map(|target| Cost { took: target.took, every: target.window(), is_window: true });
        let watches = self.watches.iter().filter(|watch| !watch.is_refused());
        let of_watches = watches.map(|watch| Cost { took: watch.took, every: watch.interval(), is_window: false });
        let costs: Vec<Cost> = of_targets.chain(of_watches).collect();
        self.rounds.measured(&self.name, &costs, self.polling.concurrency, now);
    }

    /// Until when the next answer should have come.
    fn silent_until(&self, moment: Moment, late: Duration) -> Tick {
        let now = moment.tick;
        let targets = self.targets.iter().filter(|target| target.is_in_rotation(now));
        let of_targets = targets.map(|target| target.next_due(&self.desk.ledger, moment.appliance));
        // A watch that fails proves nothing, and one of another server neither.
        let watches = self.watches.iter().filter(|watch| watch.is_answered() && !watch.is_elsewhere());
        let next = of_targets.chain(watches.map(Watch::interval)).min().unwrap_or(LONGEST_SILENCE);
        now + next + late
    }

    /// How late an answer may be for what goes on now. A scan of many pages keeps everything else waiting.
    fn lateness_of_answers(&self) -> Duration {
        let round = self.rounds.newest().map_or(Duration::ZERO, |round| round.takes.saturating_mul(2));
        // A round of a backlog rests as long as it asks.
        round + self.deadlines.of(self.is_paging()) + SLACK
    }

    fn is_paging(&self) -> bool {
        self.watches.iter().any(|watch| watch.in_flight && watch.is_paged())
            || self.targets.iter().any(|target| target.in_flight && target.is_search())
    }

    fn publish(&self) {
        let moment = self.moment(self.desk.clock.tick());
        let round = self.rounds.newest();
        let late = self.lateness_of_answers();
        let view = |target: &Target| Arc::new(target.view(&self.desk.ledger, moment, late));
        self.desk.board.publish(Snapshot {
            appliance: Arc::clone(&self.name),
            up_until: self.standing.is_up().then(|| self.silent_until(moment, late)),
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
            identity: self.source.identity(),
            minimum_release: self.minimum_release,
            aspects: self.watches.iter().map(Watch::view).collect(),
            groups: self.targets.iter().map(view).collect(),
        });
    }
}

#[cfg(test)]
mod tests;

//! Polls one appliance: plan, fetch, commit, publish. One task an appliance owns everything it knows about it; requests
//! run beside it and come back as outcomes. Decisions are pure and lie in the modules below; this one only does them.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use crate::api::ClockDoubt;
use crate::base::clock::{Clock, Tick};
use crate::base::heartbeat::{Heartbeat, Watchdog};
use crate::base::release::Release;
use crate::base::shutdown::Shutdown;
use crate::config;
use crate::ledger::Ledger;
use crate::sample::Families;
use crate::snapshot::{ClockTrouble, Hold, Snapshot, SnapshotStore, Trouble};
use crate::store::{Facts, TotalsKey};

mod audit;
mod centralized;
mod deadline;
mod facts;
mod failing;
mod flapping;
mod health;
mod job;
mod lateness;
mod launch;
mod one_source;
mod optional;
mod outcome;
mod plan;
mod poll_log;
mod refusal;
mod report_source;
mod request;
mod request_order;
mod resume_point;
mod round;
mod running;
mod source;
mod status_probe;
mod target;

pub(crate) use request::fetch;
pub(crate) use source::Source;

use centralized::Centralized;
use deadline::Deadlines;
use health::ApplianceHealth;
use job::Done;
use lateness::Lateness;
use poll_log::PollLog;
use report_source::ReportSource;
use request_order::{RequestOrder, Work};
use resume_point::Moment;
use round::{Cost, Rounds};
use status_probe::StatusProbe;
use target::Target;

/// The delay of an answer, beyond what requests take, after which the appliance counts as down.
const SLACK: Duration = Duration::from_secs(60);
/// The longest time between two requests for one thing: that of refused reports.
const LONGEST_SILENCE: Duration = Duration::from_secs(60 * 60);

/// The state that pollers share: where counts are kept and where snapshots go.
#[derive(Clone, Debug)]
pub(crate) struct PollContext {
    /// The time.
    pub clock: Clock,
    /// The watermarks.
    pub ledger: Arc<Ledger>,
    /// The published snapshots.
    pub snapshots: Arc<SnapshotStore>,
    /// The families of metrics that reports become.
    pub families: Arc<Families>,
    /// Whether totals that begin are first shown without their first events.
    pub hold: Hold,
    /// Signs of life.
    pub watchdog: Watchdog,
}

/// Polls one appliance until shutdown is requested.
#[derive(Debug)]
pub(crate) struct Poller<S> {
    source: Arc<S>,
    context: PollContext,
    name: Arc<str>,
    polling: config::Polling,
    product: config::Product,
    minimum_release: Option<Release>,
    targets: Vec<Target>,
    watches: Vec<StatusProbe>,
    /// None for an SMA, and where it cannot be determined.
    centralized: Option<Centralized>,
    /// None where the settle delay is given.
    lateness: Option<Lateness>,
    health: ApplianceHealth,
    poll_log: PollLog,
    /// When a report was last counted.
    answered: Option<Tick>,
    /// The newest failure.
    trouble: Option<Arc<Trouble>>,
    connected: bool,
    /// What was found out about it.
    facts: Facts,
    request_order: RequestOrder,
    rounds: Rounds,
    deadlines: Deadlines,
    /// Before this no backlog is fetched.
    paced_until: Tick,
    /// When a request was last made only to read the appliance's clock.
    report: Option<Tick>,
    jobs: JoinSet<Done>,
    /// Jobs that ask the appliance something. The others write to the disk, and one that hangs must not stop the polling.
    requests: usize,
    heartbeat: Heartbeat,
}

impl<S: Source> Poller<S> {
    /// A poller of `appliance`, which publishes that it knows nothing yet.
    #[must_use]
    pub(crate) fn new(appliance: &config::Appliance, source: Arc<S>, context: PollContext) -> Self {
        let name: Arc<str> = appliance.name.as_str().into();
        let phase = plan::phase(&name, appliance.polling.grid);
        let now = context.clock.tick();
        let of_groups = appliance.reports().map(|(scope, choice)| (scope.clone(), ReportSource::of_group(choice)));
        // Tracking knows no scopes: a search is of all messages that the appliance knows of.
        let of_searches =
            appliance.searches.iter().map(|choice| (config::Scope::Appliance, ReportSource::of_search(choice)));
        let facts = context.ledger.facts(&name);
        let targets: Vec<Target> = of_groups
            .chain(of_searches)
            .map(|(scope, report_source)| {
                let key = TotalsKey { appliance: Arc::clone(&name), scope, group: Arc::clone(report_source.key()) };
                Target::new(key, report_source, &context.families, appliance.polling, phase, &context.ledger, now)
                    .holding(context.hold, &context.ledger, now)
                    .knowing(&facts, appliance.polling.alignment)
            })
            .collect();
        let mut watches = StatusProbe::all(&appliance.status_options, appliance.product);
        optional::recall(&mut watches, &facts, now, context.clock.wall());
        let poller = Self {
            source,
            heartbeat: context.watchdog.begin(&format!("the poller of `{name}`")),
            paced_until: now,
            report: None,
            context,
            name,
            polling: appliance.polling,
            product: appliance.product,
            minimum_release: appliance.minimum_release,
            request_order: RequestOrder::new(targets.len(), watches.len()),
            rounds: Rounds::default(),
            deadlines: Deadlines::new(&appliance.polling),
            watches,
            centralized: match appliance.product {
                config::Product::Esa => {
                    Some(Centralized::new(appliance.groups.iter().map(|choice| &*choice.group.name)))
                }
                config::Product::Sma => None,
            },
            health: ApplianceHealth::new(targets.len(), appliance.polling.grid.length()),
            poll_log: PollLog::default(),
            lateness: match appliance.polling.settle {
                config::Settle::Fixed(_) => None,
                config::Settle::Auto(first) => Some(Lateness::new(first, targets.len())),
            },
            targets,
            answered: None,
            trouble: None,
            connected: false,
            facts,
            jobs: JoinSet::new(),
            requests: 0,
        };
        poller.publish();
        poller
    }

    /// Polls until `stop` is requested; requests in flight are then dropped.
    pub(crate) async fn run(mut self, stop: Shutdown) {
        loop {
            self.heartbeat.beat();
            let wake = self.launch();
            tokio::select! {
                () = stop.requested() => break,
                Some(done) = self.jobs.join_next() => match done {
                    Ok(done) => self.handle_outcome(done),
                    // A job that panicked is our bug: let the supervisor see this task end the same way.
                    Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
                    Err(_) => {}
                },
                () = self.context.clock.sleep_until(wake), if self.requests < self.polling.concurrency.get() => {}
                () = self.heartbeat.due() => {}
            }
        }
        self.jobs.shutdown().await;
    }

    /// The requests made once a window; where there are none, the status requests.
    fn rotation(&self, now: Tick) -> Vec<Work> {
        let targets = self.targets.iter().enumerate().filter(|(_, target)| target.is_in_rotation(now));
        let targets: Vec<Work> = targets.map(|(place, _)| Work::Target(place)).collect();
        if !targets.is_empty() {
            return targets;
        }
        let is_asked = |status_probe: &StatusProbe| !status_probe.is_refused() && !status_probe.is_elsewhere();
        let watches = self.watches.iter().enumerate().filter(|(_, status_probe)| is_asked(status_probe));
        watches.map(|(place, _)| Work::StatusProbe(place)).collect()
    }

    fn measure(&mut self, now: Tick) {
        // What fails is requested less and less often.
        let targets = self.targets.iter().filter(|target| target.is_well());
        let of_targets = targets.map(|target| Cost { took: target.took, every: target.cadence(), is_window: true });
        let watches = self.watches.iter().filter(|status_probe| !status_probe.is_refused());
        let of_watches = watches.map(|status_probe| Cost {
            took: status_probe.took,
            every: status_probe.interval(),
            is_window: false,
        });
        let costs: Vec<Cost> = of_targets.chain(of_watches).collect();
        self.rounds.measured(&self.name, &costs, self.polling.concurrency.get(), now);
    }

    /// Until when the next answer should have come.
    fn silent_until(&self, moment: Moment, late: Duration) -> Tick {
        let now = moment.tick;
        let targets = self.targets.iter().filter(|target| target.is_in_rotation(now));
        let of_targets = targets.map(|target| target.next_due(&self.context.ledger, moment.appliance));
        // A probe that fails proves nothing, and one of another server neither.
        let watches =
            self.watches.iter().filter(|status_probe| status_probe.is_answered() && !status_probe.is_elsewhere());
        let next = of_targets.chain(watches.map(StatusProbe::interval)).min().unwrap_or(LONGEST_SILENCE);
        now + next + late
    }

    /// The delay of an answer that is normal at the moment: a scan of many pages keeps everything else waiting.
    fn lateness_of_answers(&self) -> Duration {
        let round = self.rounds.newest().map_or(Duration::ZERO, |round| round.takes.saturating_mul(2));
        // A round of a backlog rests as long as it asks.
        round + self.deadlines.of(self.is_paging()) + SLACK
    }

    fn is_paging(&self) -> bool {
        self.watches.iter().any(|status_probe| status_probe.in_flight && status_probe.is_paged())
            || self.targets.iter().any(|target| target.in_flight && target.is_search())
    }

    fn publish(&self) {
        let moment = self.moment(self.context.clock.tick());
        let round = self.rounds.newest();
        let late = self.lateness_of_answers();
        let view = |target: &Target| Arc::new(target.view(&self.context.ledger, moment, late));
        self.context.snapshots.publish(Snapshot {
            appliance: Arc::clone(&self.name),
            up_until: self.health.is_up().then(|| self.silent_until(moment, late)),
            round,
            clock_skew_seconds: self.source.skew_seconds(),
            clock: match self.source.clock_doubt() {
                Some(ClockDoubt::Refused) => Some(ClockTrouble::Refused),
                Some(ClockDoubt::Unconfirmed) => Some(ClockTrouble::Unconfirmed),
                None => self.targets.iter().any(Target::waits_for_clock).then_some(ClockTrouble::Behind),
            },
            centralized: self.centralized.as_ref().and_then(Centralized::is_found),
            trouble: self.trouble.clone(),
            product: self.product.label(),
            identity: self.source.identity(),
            minimum_release: self.minimum_release,
            aspects: one_source::of_each_fact(self.watches.iter().filter(|probe| probe.is_published()), moment.tick),
            groups: self.targets.iter().map(view).collect(),
        });
    }
}

#[cfg(test)]
mod tests;

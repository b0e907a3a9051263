//! The pollers of all appliances: started, replaced and stopped as the configuration says.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use tokio::sync::oneshot;
use tokio::task::{Id, JoinSet};

use super::AppError;
use crate::api::{Client, LoginFailureLog, SystemRoots};
use crate::base::shard::Shard;
use crate::base::shutdown::Shutdown;
use crate::config::{Appliance, Config, Share};
use crate::poll::{PollContext, Poller};
use crate::telemetry::Telemetry;

#[derive(Debug)]
pub(super) struct Fleet {
    context: PollContext,
    telemetry: Arc<Telemetry>,
    roots: SystemRoots,
    refusals: LoginFailureLog,
    running: BTreeMap<String, Running>,
    tasks: JoinSet<()>,
    /// The appliance of each task, and its stop signal.
    names: HashMap<Id, (String, Shutdown)>,
}

#[derive(Debug)]
struct Running {
    config: Appliance,
    client: Arc<Client>,
    stop: Shutdown,
    /// Fails once the task is over, in whatever way.
    over: oneshot::Receiver<()>,
}

impl Fleet {
    pub(super) fn new(context: PollContext, telemetry: Arc<Telemetry>, refusals: LoginFailureLog) -> Self {
        Self {
            context,
            telemetry,
            roots: SystemRoots::default(),
            refusals,
            running: BTreeMap::new(),
            tasks: JoinSet::new(),
            names: HashMap::new(),
        }
    }

    /// Makes the fleet what `config` says: unchanged appliances go on undisturbed, removed ones and those that another
    /// shard has now take their series along, changed ones begin again where their watermarks are.
    ///
    /// # Errors
    /// When a client cannot be built; nothing has changed then.
    pub(super) async fn apply(&mut self, config: &Config) -> Result<(), AppError> {
        let is_new = |appliance: &&Appliance| {
            self.running.get(&appliance.name).is_none_or(|running| running.config != **appliance)
        };
        let mut pollers = Vec::new();
        for appliance in config.appliances.iter().filter(is_new) {
            let (metrics, listener) = self.telemetry.appliance(&appliance.name)?;
            let refusals = self.refusals.clone();
            let client = Client::try_new(appliance, &self.roots, self.context.clock.clone(), listener, refusals)
                .map_err(|failure| AppError::Client { appliance: appliance.name.clone(), failure })?;
            pollers.push((appliance.clone(), Arc::new(client), metrics));
        }
        if self.refusals.are_lost() {
            let clients = pollers.iter().map(|(_, client, _)| &**client);
            // The store logs what it cannot write; memory has it, and the next start does the same again.
            let _ = Client::allow_one_login(clients, &self.refusals).await;
        }
        let is_named = |name: &String| config.appliances.iter().any(|appliance| appliance.name == *name);
        let removed: Vec<String> = self.running.keys().filter(|name| !is_named(name)).cloned().collect();
        let changed = pollers.iter().map(|(appliance, _, _)| &appliance.name);
        let ended = self.end(removed.iter().chain(changed)).await;
        // From here on nothing waits: a page shows the fleet of before or, but for an instant, that of now.
        for name in removed {
            self.telemetry.remove(&name);
            self.context.snapshots.remove(&name);
            tracing::info!(appliance = name, "polling stopped");
        }
        // A line for each appliance of a large fleet would hide the others; each has one once its first round is over.
        let is_start = self.running.is_empty() && ended.is_empty();
        if is_start {
            tracing::info!(appliances = pollers.len(), "polling started");
        }
        for (appliance, client, metrics) in pollers {
            let (groups, scopes) = (appliance.groups.len(), appliance.scopes.len());
            if !is_start {
                tracing::info!(appliance = appliance.name, url = %appliance.url, groups, scopes, "polling started");
            }
            if let Some(old) = ended.get(&appliance.name) {
                client.inherit_from(old);
            }
            self.telemetry.show(metrics);
            self.begin(appliance, client);
        }
        self.telemetry.sharded(config.share, config.appliances.len());
        let Share { shard, configured } = config.share;
        if shard != Shard::ALONE {
            let (shards, index, owned) = (shard.shards(), shard.index(), config.appliances.len());
            tracing::info!(
                shards,
                index,
                configured,
                owned,
                "sharding enabled: this exporter polls only its own \
            appliances"
            );
        }
        Ok(())
    }

    fn begin(&mut self, appliance: Appliance, client: Arc<Client>) {
        let poller = Poller::new(&appliance, Arc::clone(&client), self.context.clone());
        let stop = Shutdown::new();
        let (alive, over) = oneshot::channel::<()>();
        let until = stop.clone();
        let polling = async move {
            poller.run(until).await;
            drop(alive);
        };
        let task = self.tasks.spawn(polling).id();
        self.names.insert(task, (appliance.name.clone(), stop.clone()));
        self.running.insert(appliance.name.clone(), Running { config: appliance, client, stop, over });
    }

    /// The name of a poller that has ended although nothing stopped it.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    pub(super) async fn ended(&mut self) -> String {
        loop {
            let (task, has_died) = match self.tasks.join_next_with_id().await {
                Some(Ok((task, ()))) => (task, false),
                Some(Err(error)) => (error.id(), true),
                None => std::future::pending().await,
            };
            // One that died is told of even where it was to stop: its death was no answer to that.
            if let Some((name, stop)) = self.names.remove(&task)
                && (has_died || !stop.is_requested())
            {
                return format!("appliance `{name}`");
            }
        }
    }

    /// Ends all pollers and waits for them.
    pub(super) async fn stop(&mut self) {
        for running in self.running.values() {
            running.stop.request();
        }
        while self.tasks.join_next().await.is_some() {}
    }

    /// Ends the pollers of `names`, those that there are, all at once; requests in flight are dropped. Waits, or an answer
    /// on its way would publish a snapshot of what is gone, and a successor would ask beside it. Returns their clients,
    /// which know the sessions.
    async fn end(&mut self, names: impl Iterator<Item = &String>) -> BTreeMap<String, Arc<Client>> {
        let ending: Vec<_> = names.filter_map(|name| self.running.remove_entry(name)).collect();
        for (_, running) in &ending {
            running.stop.request();
        }
        let mut ended = BTreeMap::new();
        for (name, Running { client, over, .. }) in ending {
            // Nothing is ever sent.
            let _ = over.await;
            ended.insert(name, client);
        }
        ended
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::base::clock::Clock;
    use crate::base::heartbeat::Watchdog;
    use crate::ledger::Ledger;
    use crate::snapshot::Hold;

    fn fleet() -> Fleet {
        let context = PollContext {
            clock: Clock::system(),
            ledger: Arc::new(Ledger::in_memory()),
            snapshots: Arc::default(),
            families: Arc::default(),
            hold: Hold::AWindow,
            watchdog: Watchdog::default(),
        };
        Fleet::new(context, Arc::new(Telemetry::try_new().expect("distinct names")), LoginFailureLog::in_memory())
    }

    fn config(names: &[&str]) -> Config {
        let appliance =
            |name: &&str| format!("  - {{name: {name}, url: 'https://{name}.invalid', username: u, password: p}}\n");
        let text = format!("appliances:\n{}", names.iter().map(appliance).collect::<String>());
        Config::parse("c", &text).expect("a configuration")
    }

    #[tokio::test]
    async fn a_client_that_cannot_be_built_changes_nothing() {
        let mut fleet = fleet();
        fleet.apply(&config(&["stays", "goes"])).await.expect("clients");
        let mut wrong = config(&["comes", "stays", "cannot"]);
        // Nothing that a file can say leads here.
        wrong.appliances[1].polling.concurrency = std::num::NonZeroUsize::MAX;
        wrong.appliances[2].trust.server_name = Some("no name".into());
        let tasks = |fleet: &Fleet| fleet.names.keys().copied().collect::<HashSet<_>>();
        let before = tasks(&fleet);
        let refusal = fleet.apply(&wrong).await.expect_err("no such name").to_string();
        assert!(refusal.starts_with("appliance `cannot`: cannot set up TLS: "), "{refusal}");
        assert_eq!(fleet.running.keys().collect::<Vec<_>>(), ["goes", "stays"]);
        assert_eq!(tasks(&fleet), before);
        assert!(fleet.running.values().all(|running| !running.stop.is_requested()));
        let shown: Vec<_> = fleet.telemetry.shown().iter().map(|metrics| metrics.name().to_string()).collect();
        assert_eq!(shown, ["goes", "stays"]);
        fleet.stop().await;
    }

    /// The names by which refusals are kept take milliseconds each. Nobody is answered before a fleet is there, so a large
    /// one must not wait for those of all its accounts.
    #[tokio::test]
    async fn nothing_is_hashed_before_a_fleet_is_there() {
        let mut fleet = fleet();
        let names: Vec<String> = (0..50).map(|number| format!("esa{number}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        fleet.apply(&config(&names)).await.expect("clients");
        assert_eq!((fleet.running.len(), fleet.refusals.hashed()), (50, 0));
        fleet.stop().await;
    }

    #[tokio::test]
    async fn a_task_that_ends_by_itself_or_dies_is_named_and_one_that_was_told_to_end_is_not() {
        for (told, dies, is_named) in [(true, false, false), (false, false, true), (true, true, true)] {
            let mut fleet = fleet();
            let task = fleet.tasks.spawn(async move { assert!(!dies, "a bug of ours") }).id();
            let stop = Shutdown::new();
            if told {
                stop.request();
            }
            fleet.names.insert(task, ("esa1".into(), stop));
            tokio::select! {
                biased;
                name = fleet.ended() => assert!(is_named && name == "appliance `esa1`", "{told} {dies}"),
                () = until_idle() => assert!(!is_named, "{told} {dies}"),
            }
        }
    }

    /// Long enough for a task that has nothing to wait for.
    async fn until_idle() {
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
    }
}

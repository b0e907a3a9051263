//! The pollers of all appliances: started, replaced and stopped as the configuration says.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use tokio::sync::oneshot;
use tokio::task::{Id, JoinSet};

use super::AppError;
use crate::api::{Client, Refusals, SystemRoots};
use crate::config::{Appliance, Config};
use crate::poll::{Desk, Poller};
use crate::stop::Stop;
use crate::telemetry::Telemetry;

#[derive(Debug)]
pub(super) struct Fleet {
    desk: Desk,
    telemetry: Arc<Telemetry>,
    roots: SystemRoots,
    refusals: Refusals,
    running: BTreeMap<String, Running>,
    tasks: JoinSet<()>,
    /// Whose task is whose; a task that was told to stop is in here no more.
    names: HashMap<Id, String>,
}

#[derive(Debug)]
struct Running {
    config: Appliance,
    client: Arc<Client>,
    stop: Stop,
    task: Id,
    /// Fails once the task is over, in whatever way.
    over: oneshot::Receiver<()>,
}

impl Fleet {
    pub(super) fn new(desk: Desk, telemetry: Arc<Telemetry>, refusals: Refusals) -> Self {
        Self {
            desk,
            telemetry,
            roots: SystemRoots::default(),
            refusals,
            running: BTreeMap::new(),
            tasks: JoinSet::new(),
            names: HashMap::new(),
        }
    }

    /// Makes the fleet what `config` says: unchanged appliances go on undisturbed, removed ones take their series
    /// along, changed ones begin anew where their watermarks are.
    ///
    /// # Errors
    /// When a client cannot be built; nothing has changed then.
    pub(super) async fn apply(&mut self, config: &Config) -> Result<(), AppError> {
        let is_new = |appliance: &&Appliance| {
            self.running.get(&appliance.name).is_none_or(|running| running.config != **appliance)
        };
        let mut pollers = Vec::new();
        for appliance in config.appliances.iter().filter(is_new) {
            let (metrics, listener) = Telemetry::appliance(&appliance.name)?;
            let refusals = self.refusals.clone();
            let client = Client::try_new(appliance, &self.roots, self.desk.clock.clone(), listener, refusals)
                .map_err(|failure| AppError::Client { appliance: appliance.name.clone(), failure })?;
            pollers.push((appliance.clone(), Arc::new(client), metrics));
        }
        let named = |name: &str| config.appliances.iter().any(|appliance| appliance.name == name);
        let gone: Vec<String> = self.running.keys().filter(|name| !named(name)).cloned().collect();
        for name in gone {
            self.end(&name).await;
            self.telemetry.remove(&name);
            self.desk.board.remove(&name);
            tracing::info!(appliance = name, "appliance is no longer polled");
        }
        for (appliance, client, metrics) in pollers {
            if let Some(old) = self.end(&appliance.name).await {
                client.take_over(&old);
            }
            self.telemetry.show(metrics);
            let poller = Poller::new(&appliance, Arc::clone(&client), self.desk.clone());
            let stop = Stop::new();
            let (alive, over) = oneshot::channel::<()>();
            let until = stop.clone();
            let polling = async move {
                poller.run(until).await;
                drop(alive);
            };
            let task = self.tasks.spawn(polling).id();
            self.names.insert(task, appliance.name.clone());
            let (groups, scopes) = (appliance.groups.len(), appliance.scopes.len());
            tracing::info!(appliance = appliance.name, url = %appliance.url, groups, scopes, "appliance is polled");
            self.running.insert(appliance.name.clone(), Running { config: appliance, client, stop, task, over });
        }
        Ok(())
    }

    /// The name of a poller that has ended without being told to.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    pub(super) async fn ended(&mut self) -> String {
        loop {
            let task = match self.tasks.join_next_with_id().await {
                Some(Ok((task, ()))) => task,
                Some(Err(error)) => error.id(),
                None => std::future::pending().await,
            };
            if let Some(name) = self.names.remove(&task) {
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

    /// Ends the poller of `name`. Waits, or an answer on its way would publish a snapshot of what is gone, and a
    /// successor would ask beside it. Returns its client, which knows the session.
    async fn end(&mut self, name: &str) -> Option<Arc<Client>> {
        let Running { client, stop, task, over, .. } = self.running.remove(name)?;
        self.names.remove(&task);
        stop.request();
        // Nothing is ever sent.
        let _ = over.await;
        Some(client)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::ledger::Ledger;

    fn fleet() -> Fleet {
        let desk = Desk { clock: Clock::system(), ledger: Arc::new(Ledger::in_memory()), board: Arc::default() };
        Fleet::new(desk, Arc::new(Telemetry::try_new().expect("distinct names")), Refusals::in_memory())
    }

    #[tokio::test]
    async fn a_task_that_ends_by_itself_is_named_and_one_that_was_told_to_is_not() {
        let mut fleet = fleet();
        let told = fleet.tasks.spawn(async {}).id();
        fleet.names.insert(told, "told".into());
        fleet.names.remove(&told);
        let died = fleet.tasks.spawn(async { panic!("a bug of ours") }).id();
        fleet.names.insert(died, "esa1".into());
        assert_eq!(fleet.ended().await, "appliance `esa1`");
    }
}

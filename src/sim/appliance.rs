//! The handle of a running appliance, and the loop that accepts its connections.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use crate::sim::Now;
use crate::sim::behaviour::Behaviour;
use crate::sim::connection;
use crate::sim::destinations::Destination;
use crate::sim::fault::{Fault, On};
use crate::sim::request::Request;
use crate::sim::responder::Responder;
use crate::sim::settings::Settings;
use crate::sim::unix_secs;

/// A running appliance. Clones are handles of the same one; when the last is dropped it shuts down without being waited
/// for.
#[derive(Clone)]
pub struct Appliance {
    pub(super) responder: Arc<Responder>,
    address: SocketAddr,
    tasks: TaskTracker,
    stop: CancellationToken,
    _stop_at_last: Arc<DropGuard>,
}

impl Appliance {
    /// Starts an appliance at `address` (port 0: any that is free).
    ///
    /// # Errors
    /// When the address cannot be listened on, or the system has no randomness for the token key.
    pub async fn start(settings: Settings, address: SocketAddr, now: Now) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let responder = Arc::new(Responder::try_new(settings, now)?);
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        tasks.spawn(accept(listener, Arc::clone(&responder), tasks.clone(), stop.clone()));
        let _stop_at_last = Arc::new(stop.clone().drop_guard());
        Ok(Self { responder, address, tasks, stop, _stop_at_last })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The same as an address to configure, without a path.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Closes the listener and every connection, and waits until they are closed. It does not start again.
    pub async fn stop(&self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// Changes how it behaves, from the next request on.
    pub fn change(&self, change: impl FnOnce(&mut Behaviour)) {
        self.responder.change(change);
    }

    /// Restarts it as of now: counters since the start begin again.
    pub fn reboot(&self) {
        let (_, clock) = self.responder.now();
        self.responder.change(|behaviour| behaviour.booted = Some(unix_secs(clock)));
    }

    /// The numbers that `health/system_status` has now, by their fields; percentages without their sign.
    #[must_use]
    pub fn system_status(&self) -> BTreeMap<&'static str, u64> {
        self.responder.system_status_truth()
    }

    /// The destinations that `health/delivery_status` has now.
    #[must_use]
    pub fn destinations(&self) -> Vec<Destination> {
        self.responder.destinations()
    }

    /// Gives the user another passphrase; tokens stay valid.
    pub fn set_passphrase(&self, passphrase: &str) {
        self.responder.set_passphrase(passphrase);
    }

    /// Injects a fault behind those already there; see [`Fault`] for how several combine.
    pub fn inject(&self, fault: Fault, on: On) {
        self.responder.inject(fault, on);
    }

    /// Forgets every fault.
    pub fn clear_faults(&self) {
        self.responder.clear_faults();
    }

    /// Makes every token issued so far answer 401 `InvalidTokenError.`
    pub fn revoke_tokens(&self) {
        self.responder.revoke_tokens();
    }

    /// Forgets failed logins, as an administrator who unlocks the account.
    pub fn unlock(&self) {
        self.responder.unlock();
    }

    /// The request log, in order of arrival.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        self.responder.log().read(<[Request]>::to_vec)
    }

    /// Number of requests in the log that match.
    #[must_use]
    pub fn count(&self, matches: impl Fn(&Request) -> bool) -> usize {
        self.responder.log().read(|log| log.iter().filter(|request| matches(request)).count())
    }

    /// The most requests that were ever being served at once; see [`Request::in_flight`].
    #[must_use]
    pub fn most_in_flight(&self) -> usize {
        self.responder.log().most_in_flight()
    }

    /// As [`Appliance::most_in_flight`], of logins alone.
    #[must_use]
    pub fn most_logins_in_flight(&self) -> usize {
        self.responder.log().most_logins_in_flight()
    }

    /// Completes once the log satisfies `enough`, which is asked at each arrival and at each answer.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    pub async fn wait_for(&self, enough: impl Fn(&[Request]) -> bool) {
        self.responder.log().wait_for(enough).await;
    }
}

/// Time to wait when no connection can be accepted (the process is out of descriptors), instead of spinning.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

async fn accept(listener: TcpListener, responder: Arc<Responder>, tasks: TaskTracker, stop: CancellationToken) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => return,
        };
        match accepted {
            Ok((stream, _)) => {
                let (responder, stop) = (Arc::clone(&responder), stop.clone());
                tasks.spawn(async move { stop.run_until_cancelled(connection::serve(stream, &responder)).await });
            }
            Err(error) => {
                tracing::warn!(%error, "simulated appliance cannot accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

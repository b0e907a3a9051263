//! Notifications to systemd, or to another supervisor that speaks its protocol: ready, status of the fleet, reloading,
//! heartbeat and stopping. Must not know how any of that is found out.
//!
//! **Source:** sd_notify(3), sd_watchdog_enabled(3).

use std::io;
use std::time::Duration;

use sd_notify::NotifyState;
use tokio::time::{Instant, sleep_until};

use crate::base::heartbeat::{Stalled, Watchdog};

/// Time between two reports of the fleet's status where the watchdog wants no heartbeat more often: the reader is a
/// person.
const EVERY: Duration = Duration::from_secs(10);

/// Heartbeats in the time after which the daemon counts as dead: one may come late and one be lost.
const SIGNS: u32 = 3;

/// The supervisor that started the daemon.
#[derive(Clone, Debug, Default)]
pub struct Supervisor {
    /// Absent where no supervisor is named.
    contact: Option<Contact>,
}

#[derive(Clone, Debug)]
struct Contact {
    wants_signs: bool,
    every: Duration,
    next: Instant,
    /// Status of the fleet in the last message.
    status: String,
    is_reloading: bool,
    /// Whether the last message could not be sent, which is logged once.
    is_deaf: bool,
}

impl Supervisor {
    /// The supervisor that the environment names; none without `NOTIFY_SOCKET`. The watchdog may be that of another process.
    #[must_use]
    pub fn from_environment() -> Self {
        if std::env::var_os("NOTIFY_SOCKET").is_none() {
            return Self::default();
        }
        let watchdog = sd_notify::watchdog_enabled().filter(|within| !within.is_zero());
        let every = watchdog.map_or(EVERY, |within| (within / SIGNS).min(EVERY));
        let contact = Contact {
            wants_signs: watchdog.is_some(),
            every,
            next: Instant::now(),
            status: String::new(),
            is_reloading: false,
            is_deaf: false,
        };
        Self { contact: Some(contact) }
    }

    /// Reports that the daemon listens and its configuration is in force, with the `status` of the fleet.
    pub fn serves(&mut self, status: String) {
        self.notify(|contact| {
            contact.status = status;
            vec![NotifyState::Ready, NotifyState::Status(&contact.status)]
        });
    }

    /// Reports that the daemon begins to read its configuration again; [`Supervisor::has_reloaded`] ends that.
    pub fn reloads(&mut self) {
        // Without the time a newer systemd takes the end of an earlier reload for the end of this one.
        let now = NotifyState::monotonic_usec_now().ok();
        self.notify(|contact| {
            contact.is_reloading = true;
            std::iter::once(NotifyState::Reloading).chain(now).collect()
        });
    }

    /// Reports that the configuration has been read, for better or worse, with the `status` of the fleet. Sends nothing
    /// where no reload was reported.
    pub fn has_reloaded(&mut self, status: String) {
        if self.contact.as_mut().is_some_and(|contact| std::mem::take(&mut contact.is_reloading)) {
            self.serves(status);
        }
    }

    /// Reports that the daemon ends.
    pub fn ends(&mut self) {
        self.notify(|_| vec![NotifyState::Stopping, NotifyState::Status("stopping")]);
    }

    /// Sends the `status` of the fleet with a heartbeat, unless `watchdog` has a stalled loop. Then there is no heartbeat,
    /// whatever else works, so that the daemon is killed and started again.
    pub fn report(&mut self, watchdog: &Watchdog, status: String) {
        let stalled = watchdog.stalled();
        self.notify(|contact| contact.report(stalled, status));
    }

    /// Completes when the next report is due; never without a supervisor.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    pub async fn due(&mut self) {
        match &mut self.contact {
            None => std::future::pending().await,
            Some(contact) => {
                sleep_until(contact.next).await;
                contact.next = Instant::now() + contact.every;
            }
        }
    }

    fn notify(&mut self, words: impl FnOnce(&mut Contact) -> Vec<NotifyState<'_>>) {
        let Some(contact) = &mut self.contact else { return };
        let outcome = send(&words(contact));
        if let Err(error) = &outcome
            && !contact.is_deaf
        {
            tracing::warn!(%error, "sd_notify failed");
        }
        contact.is_deaf = outcome.is_err();
    }
}

impl Contact {
    fn report(&mut self, stalled: Option<Stalled>, status: String) -> Vec<NotifyState<'_>> {
        let sign = (stalled.is_none() && self.wants_signs).then_some(NotifyState::Watchdog);
        let status = stalled.map_or(status, |Stalled { name, .. }| format!("{name} is stalled"));
        let is_news = self.status != status;
        self.status = status;
        let status = is_news.then_some(NotifyState::Status(&self.status));
        sign.into_iter().chain(status).collect()
    }
}

fn send(words: &[NotifyState<'_>]) -> io::Result<()> {
    if words.is_empty() { Ok(()) } else { sd_notify::notify(words) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::heartbeat::STILL_AFTER;

    fn contact(watchdog: Option<Duration>) -> Contact {
        Contact {
            wants_signs: watchdog.is_some(),
            every: EVERY,
            next: Instant::now(),
            status: String::new(),
            is_reloading: false,
            is_deaf: false,
        }
    }

    fn notifications(contact: &mut Contact, watchdog: &Watchdog) -> Vec<String> {
        contact.report(watchdog.stalled(), "all up".into()).iter().map(ToString::to_string).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn a_loop_that_stands_still_is_no_sign_of_life() {
        let watchdog = Watchdog::default();
        let (daemon, poller) = (watchdog.begin("the daemon"), watchdog.begin("appliance `esa1`"));
        let mut contact = contact(Some(Duration::from_secs(60)));
        assert_eq!(notifications(&mut contact, &watchdog), ["WATCHDOG=1", "STATUS=all up"]);
        assert_eq!(notifications(&mut contact, &watchdog), ["WATCHDOG=1"]);
        tokio::time::sleep(STILL_AFTER + Duration::from_secs(1)).await;
        drop(daemon);
        assert_eq!(notifications(&mut contact, &watchdog), ["STATUS=appliance `esa1` is stalled"]);
        assert_eq!(notifications(&mut contact, &watchdog), [""; 0]);
        poller.beat();
        assert_eq!(notifications(&mut contact, &watchdog), ["WATCHDOG=1", "STATUS=all up"]);
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_who_asks_for_no_signs_of_life_gets_any() {
        let (mut contact, watchdog) = (contact(None), Watchdog::default());
        assert_eq!(notifications(&mut contact, &watchdog), ["STATUS=all up"]);
        assert_eq!(notifications(&mut contact, &watchdog), [""; 0]);
    }
}

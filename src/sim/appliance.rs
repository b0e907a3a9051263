//! The handle of a running appliance, what all its connections share, and the loop that accepts them.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use crate::sim::Now;
use crate::sim::access::{Access, Admission};
use crate::sim::answer::Answer;
use crate::sim::behaviour::Behaviour;
use crate::sim::connection::{self, Received, Style};
use crate::sim::fault::{Fault, On};
use crate::sim::lifetime::Lifetimes;
use crate::sim::log::Log;
use crate::sim::pace::{Pace, for_window};
use crate::sim::plan::{End, Injected, Plan, Spoilt};
use crate::sim::request::Request;
use crate::sim::route::{self, Content};
use crate::sim::settings::Settings;
use crate::sim::status;
use crate::sim::unix_secs;
use crate::sim::xml_status;

/// How old an appliance is when it is started, unless its settings say.
const AGE: Duration = Duration::from_secs(7 * 24 * 3600);

/// A running appliance. Clones are handles of the same one; when the last is dropped it shuts down without being waited
/// for.
#[derive(Clone)]
pub struct Appliance {
    pub(super) shared: Arc<Shared>,
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
        let log = Log::new(settings.log_limit);
        let started = unix_secs(settings.behaviour.clock(now()));
        let birth = settings.birth.unwrap_or(started.saturating_sub(AGE.as_secs()));
        let birth = birth - birth % 60;
        let lifetimes = Mutex::new(Lifetimes::new(&settings.name, birth));
        let state =
            State { settings, access: Access::try_new()?, injected: Injected::default(), pace: Pace::default() };
        let shared = Arc::new(Shared { now, log, started, birth, lifetimes, state: Mutex::new(state) });
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        tasks.spawn(accept(listener, Arc::clone(&shared), tasks.clone(), stop.clone()));
        let _stop_at_last = Arc::new(stop.clone().drop_guard());
        Ok(Self { shared, address, tasks, stop, _stop_at_last })
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
        change(&mut self.shared.state().settings.behaviour);
    }

    /// Gives the user another passphrase; tokens stay valid.
    pub fn set_passphrase(&self, passphrase: &str) {
        passphrase.clone_into(&mut self.shared.state().settings.passphrase);
    }

    /// Injects a fault behind those already there; see [`Fault`] for how several combine.
    pub fn inject(&self, fault: Fault, on: On) {
        self.shared.state().injected.push(fault, on);
    }

    /// Forgets every fault.
    pub fn clear_faults(&self) {
        self.shared.state().injected.clear();
    }

    /// Makes every token issued so far answer 401 `InvalidTokenError.`
    pub fn revoke_tokens(&self) {
        self.shared.state().access.revoke();
    }

    /// Forgets failed logins, as an administrator who unlocks the account.
    pub fn unlock(&self) {
        self.shared.state().access.unlock();
    }

    /// The request log, in order of arrival.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        self.shared.log.read(<[Request]>::to_vec)
    }

    /// How many requests of the log match.
    #[must_use]
    pub fn count(&self, matches: impl Fn(&Request) -> bool) -> usize {
        self.shared.log.read(|log| log.iter().filter(|request| matches(request)).count())
    }

    /// The most requests that were ever being served at once; see [`Request::in_flight`].
    #[must_use]
    pub fn most_in_flight(&self) -> usize {
        self.shared.log.most_in_flight()
    }

    /// As [`Appliance::most_in_flight`], of logins alone.
    #[must_use]
    pub fn most_logins_in_flight(&self) -> usize {
        self.shared.log.most_logins_in_flight()
    }

    /// Completes once the log satisfies `enough`, which is asked at each arrival and at each answer.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    pub async fn wait_for(&self, enough: impl Fn(&[Request]) -> bool) {
        self.shared.log.wait_for(enough).await;
    }
}

/// What the connections of an appliance share.
pub(super) struct Shared {
    now: Now,
    log: Log,
    /// When it was started and when it was born, in seconds since 1970, by its own clock.
    started: u64,
    pub(super) birth: u64,
    lifetimes: Mutex<Lifetimes>,
    state: Mutex<State>,
}

struct State {
    settings: Settings,
    access: Access,
    injected: Injected,
    pace: Pace,
}

/// What is to be done about one request.
pub(super) struct Reply {
    pub(super) delay: Duration,
    pub(super) answer: Answer,
    /// How the answer is to be spoilt on its way.
    pub(super) spoilt: Option<Spoilt>,
    pub(super) style: Style,
}

impl Shared {
    pub(super) fn log(&self) -> &Log {
        &self.log
    }

    /// A request that has just been read.
    pub(super) fn request(&self, method: &str, target: &str, headers: Vec<(String, String)>) -> Request {
        let product = self.state().settings.product;
        Request::new(product, method, target, headers, (self.now)())
    }

    /// The looks of an answer that is sent now.
    pub(super) fn style(&self) -> Style {
        let state = self.state();
        self.style_of(&state.settings.behaviour)
    }

    /// Decides about a request.
    pub(super) fn reply(&self, received: &Received, in_flight: usize) -> Reply {
        let Received { request, body } = received;
        let mut state = self.state();
        let State { settings, access, injected, pace } = &mut *state;
        let Plan { slow, revoke, date, edits, end } = injected.plan(request);
        if revoke {
            access.revoke();
        }
        let clock = settings.behaviour.clock((self.now)());
        let mut style = self.style_of(&settings.behaviour);
        style.date = date.or(style.date);
        let delay = settings.behaviour.latency + slow + for_window(&settings.behaviour, request);
        let busy = settings.behaviour.busy_beyond.is_some_and(|most| in_flight > most);
        let admission = if pace.exceeds(settings.behaviour.rate_limit, clock) || busy {
            Admission::Answered(Answer::page(503, status::texts(503).0))
        } else if route::METHODS.contains(&request.method.as_str()) {
            access.admit(settings, request, body, clock)
        } else {
            Admission::Answered(Answer::page(501, &format!("Unsupported method ('{}')", request.method)))
        };
        // A report over months takes a while: others need not wait for it.
        let settings = settings.clone();
        drop(state);
        let answer = match admission {
            Admission::Answered(answer) => answer,
            Admission::Granted { fresh } => {
                let answer = match route::route(&settings, request, clock) {
                    Ok(Content::Document(document)) => Answer::json(&document),
                    Ok(Content::XmlStatus) => Answer::xml(self.xml_status(&settings, clock)),
                    Ok(Content::Report(mut report)) => {
                        edits.iter().for_each(|edit| report.edit(edit));
                        Answer::json(&report.to_json(&settings.behaviour))
                    }
                    Err(refusal) => refusal,
                };
                match fresh {
                    Some(token) => answer.with("jwtToken", token),
                    None => answer,
                }
            }
        };
        match end {
            None => Reply { delay, answer, spoilt: None, style },
            Some(End::Instead(answer)) => Reply { delay, answer, spoilt: None, style },
            Some(End::Spoilt(how)) => Reply { delay, answer, spoilt: Some(how), style },
        }
    }

    fn xml_status(&self, settings: &Settings, clock: SystemTime) -> Vec<u8> {
        let subject = xml_status::Subject { settings, started: self.started, birth: self.birth, clock };
        // Every sum is whole before it is remembered.
        let mut lifetimes = self.lifetimes.lock().unwrap_or_else(PoisonError::into_inner);
        xml_status::page(&subject, &mut lifetimes)
    }

    /// How it is set.
    pub(super) fn settings(&self) -> Settings {
        self.state().settings.clone()
    }

    /// How it is set, and what its clock shows.
    pub(super) fn now(&self) -> (Settings, SystemTime) {
        let settings = self.settings();
        let clock = settings.behaviour.clock((self.now)());
        (settings, clock)
    }

    fn style_of(&self, behaviour: &Behaviour) -> Style {
        let date = behaviour.date_header.then(|| httpdate::fmt_http_date(behaviour.clock((self.now)())));
        Style { http: behaviour.http, date }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Every change is one assignment, so a panic elsewhere leaves nothing half done.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long to wait when no connection can be accepted (the process is out of descriptors), instead of spinning.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

async fn accept(listener: TcpListener, shared: Arc<Shared>, tasks: TaskTracker, stop: CancellationToken) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => return,
        };
        match accepted {
            Ok((stream, _)) => {
                let (shared, stop) = (Arc::clone(&shared), stop.clone());
                tasks.spawn(async move { stop.run_until_cancelled(connection::serve(stream, &shared)).await });
            }
            Err(error) => {
                tracing::warn!(%error, "simulated appliance cannot accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

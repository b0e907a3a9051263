//! The handle of a running appliance, what all its connections share, and the loop that accepts them.

use std::collections::BTreeMap;
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
use crate::sim::health;
use crate::sim::lifetime::Lifetimes;
use crate::sim::log::Log;
use crate::sim::plan::{End, Injected, Plan, Spoilt};
use crate::sim::request::Request;
use crate::sim::route::{self, Content};
use crate::sim::settings::{Product, Purpose, Settings};
use crate::sim::span::Span;
use crate::sim::subject::{self, Subject};
use crate::sim::truth;
use crate::sim::unix_secs;
use crate::sim::xml_status;

/// How old an appliance is when it is started, unless its settings say.
const AGE: Duration = Duration::from_secs(7 * 24 * 3600);

/// A running appliance. Clones are handles of the same one; when the last is dropped it shuts down without being waited
/// for.
#[derive(Clone)]
pub struct Appliance {
    shared: Arc<Shared>,
    address: SocketAddr,
    tasks: TaskTracker,
    stop: CancellationToken,
    _stop_at_last: Arc<DropGuard>,
}

/// What a report is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The ESA itself, or all devices of the SMA.
    Whole,
    /// One reporting group of an SMA.
    Group(String),
    /// One device of an SMA.
    Device(String),
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
        let state = State { settings, access: Access::try_new()?, injected: Injected::default() };
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

    /// Completes once the log satisfies `enough`, which is asked at each arrival and at each answer.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    pub async fn wait_for(&self, enough: impl Fn(&[Request]) -> bool) {
        self.shared.log.wait_for(enough).await;
    }

    /// What a counter really is over the minutes that begin in `[start_secs, end_secs)`, whatever has arrived of it;
    /// see [`truth`](super::truth()). `None` also for a group or device the SMA does not have. An ESA knows only itself,
    /// whatever `scope`.
    #[must_use]
    pub fn truth(&self, scope: &Scope, group: &str, counter: &str, start_secs: u64, end_secs: u64) -> Option<f64> {
        let settings = self.shared.state().settings.clone();
        let devices = scoped(&settings, purpose(&settings, group), scope)?;
        truth::of(&settings.behaviour, &devices, group, counter, Span::known(start_secs, end_secs))
    }

    /// The same for a counter of a keyed group, by key; see [`keyed_truth`](super::keyed_truth). Keys that behaviour
    /// adds are among them; one that is not UTF-8 has a replacement character. Empty also for a group or device the
    /// SMA does not have.
    #[must_use]
    pub fn keyed_truth(
        &self,
        scope: &Scope,
        group: &str,
        counter: &str,
        start_secs: u64,
        end_secs: u64,
    ) -> BTreeMap<String, f64> {
        let settings = self.shared.state().settings.clone();
        let Some(devices) = scoped(&settings, purpose(&settings, group), scope) else { return BTreeMap::new() };
        truth::keyed_of(&settings.behaviour, &devices, group, counter, Span::known(start_secs, end_secs))
    }
}

/// What the ESA itself measures, by its clock now, whatever behaviour makes of it on the way out.
impl Appliance {
    /// The fields of `health` as numbers; [`Behaviour::work_queue`] and the like count,
    /// [`Behaviour::health_fields`] does not.
    #[must_use]
    pub fn health(&self) -> BTreeMap<&'static str, f64> {
        let (settings, clock) = self.shared.now();
        health::truth(&settings, clock)
    }

    /// How many messages that arrived in `[start_secs, end_secs)` a quarantine ([`SPAM`](super::SPAM) for that of spam)
    /// has now; `None` for an unknown quarantine, group or device.
    #[must_use]
    pub fn quarantined(&self, scope: &Scope, quarantine: &str, start_secs: u64, end_secs: u64) -> Option<u64> {
        let (settings, clock) = self.shared.now();
        let devices = scoped(&settings, Purpose::Mail, scope)?;
        let behaviour = &settings.behaviour;
        let one = behaviour.quarantines.iter().find(|one| one.name == quarantine)?;
        Some(behaviour.quarantined(one, &devices, start_secs, end_secs, unix_secs(clock)))
    }

    /// The gauges of `/xml/status`, before units are written and [`Behaviour::status_gauges`] changes any.
    #[must_use]
    pub fn gauges(&self) -> BTreeMap<&'static str, f64> {
        let (settings, clock) = self.shared.now();
        xml_status::gauges(&settings, clock).into_iter().map(|(name, value)| (name, value as f64)).collect()
    }

    /// When the counters of `/xml/status` were 0, in seconds since 1970 by the appliance's clock: `lifetime` at any later
    /// instant is the [`growth`](super::growth) since.
    #[must_use]
    pub fn birth(&self) -> u64 {
        self.shared.birth
    }
}

/// What a group is about.
fn purpose(settings: &Settings, group: &str) -> Purpose {
    subject::find(&settings.behaviour, group).map_or(Purpose::Mail, Subject::purpose)
}

/// The devices of a scope; `None` when there is no such group or device.
fn scoped<'a>(settings: &'a Settings, purpose: Purpose, scope: &Scope) -> Option<Vec<&'a str>> {
    let all = settings.devices_for(purpose);
    Some(match (settings.product, scope) {
        (Product::Esa, _) | (Product::Sma, Scope::Whole) => all,
        (Product::Sma, Scope::Group(name)) => settings.devices_of(purpose, name)?,
        (Product::Sma, Scope::Device(name)) => vec![all.into_iter().find(|device| device == name)?],
    })
}

/// What the connections of an appliance share.
pub(super) struct Shared {
    now: Now,
    log: Log,
    /// When it was started and when it was born, in seconds since 1970, by its own clock.
    started: u64,
    birth: u64,
    lifetimes: Mutex<Lifetimes>,
    state: Mutex<State>,
}

struct State {
    settings: Settings,
    access: Access,
    injected: Injected,
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
    pub(super) fn reply(&self, received: &Received) -> Reply {
        let Received { request, body } = received;
        let mut state = self.state();
        let State { settings, access, injected } = &mut *state;
        let Plan { slow, revoke, edits, end } = injected.plan(request);
        if revoke {
            access.revoke();
        }
        let clock = settings.behaviour.clock((self.now)());
        let style = self.style_of(&settings.behaviour);
        let delay = settings.behaviour.latency + slow;
        let admission = if route::METHODS.contains(&request.method.as_str()) {
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

    /// How it is set, and what its clock shows.
    fn now(&self) -> (Settings, SystemTime) {
        let settings = self.state().settings.clone();
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

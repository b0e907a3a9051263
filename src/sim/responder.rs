//! The decision about each request: its faults, whether it may come in, and the answer. It knows no socket; the state that
//! all connections of an appliance share is here.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use crate::sim::Now;
use crate::sim::access::{Access, Admission};
use crate::sim::answer::{Answer, HeadStyle};
use crate::sim::behaviour::Behaviour;
use crate::sim::destinations::{self, Destination};
use crate::sim::fault::{Fault, On};
use crate::sim::fault_plan::{AnswerFault, FaultPlan, FaultQueue, WireFault};
use crate::sim::http_status;
use crate::sim::json::Json;
use crate::sim::lifetime_counters::{LifetimeCounters, Totals};
use crate::sim::replay::{self, Replay};
use crate::sim::request::{Request, RequestKind};
use crate::sim::request_log::RequestLog;
use crate::sim::route::{self, Content};
use crate::sim::settings::Settings;
use crate::sim::system_status;
use crate::sim::unix_secs;
use crate::sim::xml_status;

/// Age of an appliance when it is started, unless its settings say.
const AGE: Duration = Duration::from_secs(7 * 24 * 3600);

/// State that the connections of an appliance share: its settings, its faults, its tokens and its log.
pub(super) struct Responder {
    now: Now,
    log: RequestLog,
    /// Answers that are sent in place of simulated ones.
    replay: Option<Replay>,
    /// When it was started and when it was born, in seconds since 1970, by its own clock.
    started: u64,
    birth: u64,
    lifetimes: Mutex<LifetimeCounters>,
    state: Mutex<State>,
}

struct State {
    settings: Settings,
    access: Access,
    faults: FaultQueue,
    rate: RateCounter,
}

/// A request with its body.
pub(super) struct Received {
    pub(super) request: Request,
    pub(super) body: Vec<u8>,
}

/// The decision about one request.
pub(super) struct Reply {
    pub(super) delay: Duration,
    pub(super) answer: Answer,
    /// Fault of the answer on the wire; `None`: nothing.
    pub(super) wire_fault: Option<WireFault>,
    pub(super) style: HeadStyle,
}

impl Reply {
    /// A connection that ends without an answer.
    fn closed(delay: Duration, style: HeadStyle) -> Self {
        Self { delay, answer: Answer::bare(200), wire_fault: Some(WireFault::Closed), style }
    }
}

impl Responder {
    /// # Errors
    /// When the system has no randomness for the token key.
    pub(super) fn try_new(settings: Settings, now: Now) -> io::Result<Self> {
        let log = RequestLog::new(settings.log_limit);
        let started = unix_secs(settings.behaviour.clock(now()));
        let birth = settings.birth.unwrap_or(started.saturating_sub(AGE.as_secs()));
        let birth = birth - birth % 60;
        let lifetimes = Mutex::new(LifetimeCounters::new(&settings.name, birth));
        let access = Access::try_new()?;
        let replay = settings.replay.as_ref().map(|answers| Replay::new(settings.product, answers));
        let state = State { settings, access, faults: FaultQueue::default(), rate: RateCounter::default() };
        Ok(Self { now, log, replay, started, birth, lifetimes, state: Mutex::new(state) })
    }

    pub(super) fn log(&self) -> &RequestLog {
        &self.log
    }

    /// A request that has just been read.
    pub(super) fn request(&self, method: &str, target: &str, headers: Vec<(String, String)>) -> Request {
        let product = self.state().settings.product;
        Request::new(product, method, target, headers, (self.now)())
    }

    /// The looks of an answer that is sent now.
    pub(super) fn style(&self) -> HeadStyle {
        let state = self.state();
        self.style_of(&state.settings.behaviour)
    }

    /// Decides about a request.
    pub(super) fn reply(&self, received: &Received, in_flight: usize) -> Reply {
        let Received { request, body } = received;
        let mut state = self.state();
        let State { settings, access, faults, rate } = &mut *state;
        let FaultPlan { slow, revoke, date, edits, answer_fault } = faults.plan(request);
        if revoke {
            access.revoke();
        }
        let clock = settings.behaviour.clock((self.now)());
        let mut style = self.style_of(&settings.behaviour);
        style.date = date.or(style.date);
        let delay = settings.behaviour.latency + slow + latency_of_window(&settings.behaviour, request);
        let busy = settings.behaviour.busy_beyond.is_some_and(|most| in_flight > most);
        let admission = if rate.exceeds(settings.behaviour.rate_limit, clock) || busy {
            Admission::Answered(Answer::page(503, http_status::texts(503).0))
        } else if let Some(replay) = &self.replay {
            match replay.answer(request) {
                _ if replay.accepts(request) => Admission::Answered(access.accept(settings, request, clock)),
                Some(recorded) if recorded.status == 0 => return Reply::closed(delay, style),
                Some(recorded) => Admission::Answered(replay::answer(recorded)),
                None => Admission::Answered(Answer::not_found()),
            }
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
                    Ok(Content::SystemStatus) => Answer::json(&self.system_status(&settings, clock)),
                    Ok(Content::DeliveryStatus) => {
                        let behaviour = &settings.behaviour;
                        let booted = behaviour.booted.unwrap_or(self.birth);
                        let (of, offer) = (&behaviour.destinations, behaviour.delivery_status);
                        Answer::json(&destinations::document(of, offer, booted, unix_secs(clock)))
                    }
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
        match answer_fault {
            None => Reply { delay, answer, wire_fault: None, style },
            Some(AnswerFault::Replaced(answer)) => Reply { delay, answer, wire_fault: None, style },
            Some(AnswerFault::Spoilt(how)) => Reply { delay, answer, wire_fault: Some(how), style },
        }
    }

    fn xml_status(&self, settings: &Settings, clock: SystemTime) -> Vec<u8> {
        let input = xml_status::PageInput { settings, started: self.started, birth: self.birth, clock };
        // Every sum is whole before it is remembered.
        let mut lifetimes = self.lifetimes.lock().unwrap_or_else(PoisonError::into_inner);
        xml_status::page(&input, &mut lifetimes)
    }

    fn system_status(&self, settings: &Settings, clock: SystemTime) -> Json {
        let input = xml_status::PageInput { settings, started: self.started, birth: self.birth, clock };
        system_status::document(&input, &self.since_start(settings, clock))
    }

    /// The counters of the XML status since the start.
    fn since_start(&self, settings: &Settings, clock: SystemTime) -> Totals {
        let mut lifetimes = self.lifetimes.lock().unwrap_or_else(PoisonError::into_inner);
        xml_status::since(&mut lifetimes, settings.behaviour.booted, unix_secs(clock))
    }

    /// The numbers of `health/system_status`, whether or not that is offered.
    pub(super) fn system_status_truth(&self) -> BTreeMap<&'static str, u64> {
        let (settings, clock) = self.now();
        let input = xml_status::PageInput { settings: &settings, started: self.started, birth: self.birth, clock };
        system_status::truth(&input, &self.since_start(&settings, clock))
    }

    /// The destinations of `health/delivery_status`, whether or not that is offered.
    pub(super) fn destinations(&self) -> Vec<Destination> {
        let (settings, clock) = self.now();
        let behaviour = &settings.behaviour;
        behaviour.destinations.at(behaviour.booted.unwrap_or(self.birth), unix_secs(clock))
    }

    pub(super) fn birth(&self) -> u64 {
        self.birth
    }

    /// Its settings.
    pub(super) fn settings(&self) -> Settings {
        self.state().settings.clone()
    }

    /// Its settings, and the time that its clock shows.
    pub(super) fn now(&self) -> (Settings, SystemTime) {
        let settings = self.settings();
        let clock = settings.behaviour.clock((self.now)());
        (settings, clock)
    }

    fn style_of(&self, behaviour: &Behaviour) -> HeadStyle {
        let date = behaviour.date_header.then(|| httpdate::fmt_http_date(behaviour.clock((self.now)())));
        HeadStyle { http: behaviour.http, date }
    }

    /// Changes how it behaves, from the next request on.
    pub(super) fn change(&self, change: impl FnOnce(&mut Behaviour)) {
        change(&mut self.state().settings.behaviour);
    }

    pub(super) fn set_passphrase(&self, passphrase: &str) {
        passphrase.clone_into(&mut self.state().settings.passphrase);
    }

    pub(super) fn inject(&self, fault: Fault, on: On) {
        self.state().faults.push(fault, on);
    }

    pub(super) fn clear_faults(&self) {
        self.state().faults.clear();
    }

    pub(super) fn revoke_tokens(&self) {
        self.state().access.revoke();
    }

    pub(super) fn unlock(&self) {
        self.state().access.unlock();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Every change is one assignment, so a panic elsewhere leaves nothing half done.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Number of requests that arrived in the newest minute.
#[derive(Default)]
pub(super) struct RateCounter {
    minute: u64,
    requests: u32,
}

impl RateCounter {
    /// Counts a request; whether it is one too many.
    pub(super) fn exceeds(&mut self, limit: Option<u32>, clock: SystemTime) -> bool {
        let minute = unix_secs(clock) / 60;
        if minute != self.minute {
            *self = Self { minute, requests: 0 };
        }
        self.requests = self.requests.saturating_add(1);
        limit.is_some_and(|limit| self.requests > limit)
    }
}

/// Additional time that a report takes because of its window; other requests have no window to speak of.
pub(super) fn latency_of_window(behaviour: &Behaviour, request: &Request) -> Duration {
    match (&request.kind, request.window) {
        (RequestKind::Report { .. }, Some((start, end))) => {
            behaviour.latency_per_hour.mul_f64(end.saturating_sub(start) as f64 / 3600.0)
        }
        (RequestKind::Report { .. } | RequestKind::Login | RequestKind::SecondFactor | RequestKind::Other, _) => {
            Duration::ZERO
        }
    }
}

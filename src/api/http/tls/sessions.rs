//! TLS sessions with one server, so that most connections need no full handshake. A resumed connection shows no certificate;
//! hence every session descends from a full handshake within the last hour, however often the server renews it.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustls::NamedGroup;
use rustls::client::{ClientSessionStore, Tls12ClientSessionValue, Tls13ClientSessionValue};
use rustls::pki_types::ServerName;

use crate::base::clock::{Clock, Tick, Timestamp};

/// A certificate that expired, was replaced or is no longer trusted is noticed within this time.
const LONGEST_LIFE: Duration = Duration::from_secs(3600);
/// Tickets of TLS 1.3. One is offered to each connection, and servers send a new one or two; rustls's own cache keeps eight,
/// which is 28 KiB for each appliance.
const MOST_TICKETS: usize = 2;
/// Connections that break in a row while a session is offered, before none is offered any more: some servers abort a
/// handshake that they should continue in full. A few may break for other reasons.
const MOST_BROKEN: u32 = 3;

/// Sessions that may be resumed.
#[derive(Debug)]
pub(in crate::api) struct Sessions {
    clock: Clock,
    /// The time after which a connection has ended.
    timeout: Duration,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    cache: Cache,
    /// None while every handshake is a full one.
    period: Option<Period>,
    /// Connections of the last period may bring sessions until then.
    closed_until: Tick,
    /// Whether a session was offered since the request began.
    is_offered: bool,
    broken: u32,
}

/// Sessions of one server, and the key exchange that it prefers.
#[derive(Debug, Default)]
struct Cache {
    /// There is one in practice: a proxy is reached without TLS.
    server: Option<ServerName<'static>>,
    kx_hint: Option<NamedGroup>,
    tls12: Option<Tls12ClientSessionValue>,
    /// The oldest first.
    tickets: VecDeque<Tls13ClientSessionValue>,
}

impl Cache {
    /// The cache, which is empty if it was another server's.
    fn of(&mut self, server: &ServerName<'_>) -> &mut Self {
        if self.server.as_ref() != Some(server) {
            *self = Self { server: Some(server.to_owned()), ..Self::default() };
        }
        self
    }

    fn insert(&mut self, ticket: Tls13ClientSessionValue) {
        if self.tickets.len() >= MOST_TICKETS {
            self.tickets.pop_front();
        }
        self.tickets.push_back(ticket);
    }

    /// Drops all sessions.
    fn forget(&mut self) {
        (self.tls12, self.tickets) = (None, VecDeque::new());
    }
}

/// A time in which sessions are kept. It ends at once for all of them, whichever handshake they descend from: nobody knows
/// which one that is.
#[derive(Debug)]
struct Period {
    began: Tick,
    /// When the first of the certificates that were checked expires.
    expiry: Timestamp,
}

impl Sessions {
    /// None yet; `timeout` is the longest time that a connection takes.
    pub(super) fn new(clock: Clock, timeout: Duration) -> Self {
        let state = State {
            cache: Cache::default(),
            period: None,
            closed_until: Tick::default(),
            is_offered: false,
            broken: 0,
        };
        Self { clock, timeout, state: Mutex::new(state) }
    }

    /// A full handshake is under way with a trusted certificate that is valid until `expiry`. Where that is not known,
    /// nothing is resumed.
    pub(super) fn verified(&self, expiry: Option<Timestamp>) {
        let (tick, expiry) = (self.clock.tick(), expiry.unwrap_or(Timestamp::from_secs(0)));
        let mut state = self.current();
        if let Some(period) = &mut state.period {
            period.expiry = period.expiry.min(expiry);
            return;
        }
        // A pinned certificate may have expired: it is trusted, and seen each time.
        let is_valid = expiry > self.clock.wall();
        if is_valid && state.broken < MOST_BROKEN && state.closed_until <= tick {
            state.period = Some(Period { began: tick, expiry });
        }
    }

    /// Ends the period: the next handshake is a full one.
    pub(super) fn forget(&self) {
        self.forget_in(&mut self.lock());
    }

    /// A request begins.
    pub(super) fn begin(&self) {
        self.lock().is_offered = false;
    }

    /// The request was answered.
    pub(super) fn answered(&self) {
        let mut state = self.lock();
        if state.is_offered {
            state.broken = 0;
        }
    }

    /// No TLS connection came about.
    pub(super) fn broke(&self) {
        let mut state = self.lock();
        if state.is_offered {
            state.broken += 1;
        }
        self.forget_in(&mut state);
    }

    fn forget_in(&self, state: &mut State) {
        if state.period.take().is_some() {
            state.cache.forget();
            state.closed_until = self.clock.tick() + self.timeout;
        }
    }

    /// The state, with no period that is over.
    fn current(&self) -> MutexGuard<'_, State> {
        let mut state = self.lock();
        let is_over = state.period.as_ref().is_some_and(|period| {
            self.clock.tick().since(period.began) >= LONGEST_LIFE || period.expiry <= self.clock.wall()
        });
        if is_over {
            self.forget_in(&mut state);
        }
        state
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a session of the current period, and notes that it is offered.
    fn offer<T>(&self, server: &ServerName<'_>, take: impl FnOnce(&mut Cache) -> Option<T>) -> Option<T> {
        let mut state = self.current();
        let found = state.period.is_some().then(|| take(state.cache.of(server))).flatten();
        state.is_offered |= found.is_some();
        found
    }

    /// Keeps a session, if there is a period for it.
    fn keep(&self, server: &ServerName<'_>, put: impl FnOnce(&mut Cache)) {
        let mut state = self.current();
        if state.period.is_some() {
            put(state.cache.of(server));
        }
    }
}

impl ClientSessionStore for Sessions {
    fn set_kx_hint(&self, server: ServerName<'static>, group: NamedGroup) {
        self.lock().cache.of(&server).kx_hint = Some(group);
    }

    fn kx_hint(&self, server: &ServerName<'_>) -> Option<NamedGroup> {
        self.lock().cache.of(server).kx_hint
    }

    fn set_tls12_session(&self, server: ServerName<'static>, session: Tls12ClientSessionValue) {
        self.keep(&server, |cache| cache.tls12 = Some(session));
    }

    fn tls12_session(&self, server: &ServerName<'_>) -> Option<Tls12ClientSessionValue> {
        self.offer(server, |cache| cache.tls12.clone())
    }

    fn remove_tls12_session(&self, server: &ServerName<'static>) {
        self.lock().cache.of(server).tls12 = None;
    }

    fn insert_tls13_ticket(&self, server: ServerName<'static>, ticket: Tls13ClientSessionValue) {
        self.keep(&server, |cache| cache.insert(ticket));
    }

    fn take_tls13_ticket(&self, server: &ServerName<'static>) -> Option<Tls13ClientSessionValue> {
        self.offer(server, |cache| cache.tickets.pop_back())
    }
}

#[cfg(test)]
mod tests;

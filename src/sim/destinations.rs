//! `GET health/delivery_status` of an ESA: the destinations that it has mail for, or had a short while ago. **Source:**
//! the names of the fields are those of one published client, and of the export of the web interface. Assumed: that
//! counts begin when the appliance begins to keep a destination in memory or is started, and every number.

use crate::sim::form::Offer;
use crate::sim::json::Json;
use crate::sim::traffic::{hash, mix};

/// A destination without mail is forgotten after so many hours (assumed).
const KEPT_HOURS: u64 = 3;
/// The first destinations have mail all the time, the others in one hour of so many.
const STEADY: usize = 6;
const BUSY_ONE_IN: u64 = 24;
/// Recipients that wait for a stuck destination from the beginning.
const STUCK_BACKLOG: u64 = 40;

/// The destinations of an appliance.
#[derive(Clone, Debug)]
pub struct Destinations {
    /// Number of domains that mail goes to, in the long run.
    pub domains: usize,
    /// A domain that takes no mail from this time on, in seconds since 1970.
    pub stuck: Option<(String, u64)>,
    /// A domain that takes one message in five minutes, while hundreds wait.
    pub slow: Option<String>,
}

impl Default for Destinations {
    fn default() -> Self {
        Self { domains: 12, stuck: None, slow: None }
    }
}

/// One destination, as it is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    /// The domain.
    pub domain: String,
    /// `Up`, `Down` or `Unknown`. **Source:** the command line of the appliance.
    pub status: &'static str,
    /// Recipients that wait.
    pub active: u64,
    /// Recipients delivered.
    pub delivered: u64,
    /// Deliveries that are tried again.
    pub soft_bounces: u64,
    /// Deliveries that were given up.
    pub hard_bounces: u64,
    /// Open connections.
    pub connections: u64,
}

impl Destinations {
    /// The destinations at `now` of an appliance that was started at `booted`, in seconds since 1970.
    pub(super) fn at(&self, booted: u64, now: u64) -> Vec<Destination> {
        let minute = now / 60;
        let usual = (0..self.domains).filter_map(|number| usual(number, booted / 60, minute));
        let mut all: Vec<Destination> = usual.collect();
        if let Some(domain) = &self.slow {
            let since = minute.saturating_sub(booted / 60);
            all.push(Destination {
                domain: domain.clone(),
                status: "Up",
                active: 300 + mix(minute) % 50,
                delivered: since / 5,
                soft_bounces: since / 10,
                hard_bounces: 0,
                connections: 1,
            });
        }
        if let Some((domain, stuck)) = &self.stuck {
            let waiting = now.saturating_sub(*stuck) / 60;
            let flowed = now.min(*stuck).saturating_sub(booted) / 60;
            let is_stuck = now >= *stuck;
            all.push(Destination {
                domain: domain.clone(),
                status: if is_stuck { "Down" } else { "Up" },
                active: if is_stuck { STUCK_BACKLOG + 2 * waiting } else { 2 },
                delivered: 3 * flowed,
                soft_bounces: waiting,
                hard_bounces: 0,
                connections: u64::from(!is_stuck),
            });
        }
        all
    }
}

/// Whether mail for a domain comes in this hour.
fn is_busy(number: usize, hour: u64) -> bool {
    number < STEADY || mix(hash(&number.to_string()) ^ hour).is_multiple_of(BUSY_ONE_IN)
}

/// One of the domains that are neither stuck nor slow; none while the appliance knows nothing of it.
fn usual(number: usize, booted: u64, minute: u64) -> Option<Destination> {
    let hour = minute / 60;
    let first = if number < STEADY {
        booted
    } else {
        let kept = (hour.saturating_sub(KEPT_HOURS)..=hour).find(|hour| is_busy(number, *hour))?;
        (kept * 60).max(booted)
    };
    // Minutes with mail since the appliance has known of the domain.
    let flowed = (first / 60..=hour).filter(|hour| is_busy(number, *hour)).map(|hour| {
        let (start, end) = ((hour * 60).max(first), (hour * 60 + 60).min(minute));
        end.saturating_sub(start)
    });
    let (flowed, is_busy) =
        if number < STEADY { (minute.saturating_sub(first), true) } else { (flowed.sum(), is_busy(number, hour)) };
    let pace = 1 + hash(&number.to_string()) % 5;
    let chance = mix(minute ^ hash(&number.to_string()));
    Some(Destination {
        domain: format!("customer{number}.example.net"),
        status: if is_busy { "Up" } else { "Unknown" },
        active: if is_busy { 1 + chance % (4 * pace) } else { 0 },
        delivered: flowed * pace,
        soft_bounces: flowed * pace / 50,
        hard_bounces: flowed * pace / 200,
        connections: if is_busy { 1 + chance % 3 } else { 0 },
    })
}

/// The body.
pub(super) fn document(destinations: &Destinations, offer: Offer, booted: u64, now: u64) -> Json {
    let is_odd = offer == Offer::Odd;
    let number = |number: u64| if is_odd { Json::from(grouped(number)) } else { number.into() };
    let row = |one: Destination| {
        let status = if is_odd { one.status.to_uppercase() } else { one.status.to_owned() };
        let nothing = if is_odd && one.hard_bounces == 0 { Json::from("N/A") } else { number(one.hard_bounces) };
        Json::object([
            ("destination_domain", one.domain.into()),
            ("latest_host_status", status.into()),
            ("active_recipients", number(one.active)),
            ("connections_out", number(one.connections)),
            ("delivered_recipients", number(one.delivered)),
            ("soft_bounces", number(one.soft_bounces)),
            ("hard_bounces", nothing),
        ])
    };
    let mut rows: Vec<Json> = destinations.at(booted, now).into_iter().map(row).collect();
    let rows = match rows.len() {
        1 if is_odd => rows.remove(0),
        _ => Json::List(rows),
    };
    Json::object([("data", Json::object([("resultSet", rows)]))])
}

/// A number as a text with commas.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

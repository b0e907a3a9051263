//! `GET message-tracking/messages`. **Source:** recorded answers and stix-shifter for attributes, fields and the frame;
//! what is assumed is marked.

use std::time::SystemTime;

use crate::sim::answer::Answer;
use crate::sim::attribute::{DATES, check_names, given, invalid, missing, number, one_of, window};
use crate::sim::date;
use crate::sim::form::TotalCount;
use crate::sim::injection::Injection;
use crate::sim::inventory;
use crate::sim::json::Json;
use crate::sim::request::Request;
use crate::sim::settings::{Product, Settings};
use crate::sim::span::RETENTION;
use crate::sim::tracking::filter::{FLAGS, TEXTS, TrackingFilter, WORDS, filters};
use crate::sim::tracking::{TrackedEvent, TrackingKind, count_of_minute, events_of_minute, first_events_of_minute};
use crate::sim::traffic::{Device, DeviceMinute};
use crate::sim::unix_secs;

/// The longest page: no published client asks for more.
const PAGE: usize = 100;
/// The page when there is no `limit`; assumed.
const USUAL_PAGE: usize = 20;

const ATTRIBUTES: [&str; 6] = ["startDate", "endDate", "searchOption", "ciscoHost", "offset", "limit"];

/// Conditions on messages, for computing how many match without asking the appliance.
pub(super) struct TrackingSearch<'a> {
    pub(super) devices: Vec<&'a str>,
    pub(super) kind: TrackingKind,
    pub(super) filters: Vec<TrackingFilter>,
    /// Number of matches on each device in each minute, whatever the filters.
    pub(super) per_minute: Option<u64>,
    pub(super) injections: &'a [Injection],
}

impl<'a> TrackingSearch<'a> {
    /// Those in a request. That a host must exist, and that `searchOption` is missed like a date, is assumed.
    fn of(devices: Vec<&'a str>, request: &Request) -> Result<Self, Answer> {
        let kind = match one_of(request, "searchOption", &["messages", "rejected_connections"])? {
            None => return Err(missing("searchOption")),
            Some("messages") => TrackingKind::Messages,
            Some(_) => TrackingKind::RejectedConnections,
        };
        let devices = match given(request, "ciscoHost") {
            None | Some("All_Hosts") => devices,
            Some(host) => {
                let found = devices.into_iter().find(|&device| device == host);
                vec![found.ok_or_else(|| invalid("ciscoHost"))?]
            }
        };
        Ok(Self { devices, kind, filters: filters(request)?, per_minute: None, injections: &[] })
    }

    /// Number of matches in the minutes that begin in `[start, end)` (seconds since 1970).
    fn count(&self, start: u64, end: u64) -> u64 {
        let minutes = start.div_ceil(60)..end.div_ceil(60);
        let of_device = |name: &&'a str| -> u64 {
            let device = Device::new(name);
            let of_minute = |minute| match (self.per_minute, self.filters.is_empty()) {
                (Some(fixed), _) => fixed,
                (None, true) if self.injections.is_empty() => {
                    count_of_minute(&DeviceMinute::new(&device, minute), self.kind)
                }
                (None, true | false) => self.matches(name, &device, minute).count() as u64,
            };
            minutes.clone().map(of_minute).sum()
        };
        self.devices.iter().map(of_device).sum()
    }

    /// The rows of a page, the newest minute first (assumed).
    fn page(&self, start: u64, end: u64, offset: usize, limit: usize) -> Vec<TrackedEvent<'a>> {
        let minutes = start.div_ceil(60)..end.div_ceil(60);
        let devices: Vec<_> = self.devices.iter().map(|&name| (name, Device::new(name))).collect();
        let of_minute = |minute| {
            let of_device = |(name, device): &(&'a str, Device)| match self.per_minute {
                Some(fixed) => first_events_of_minute(name, device, self.kind, minute, fixed).collect::<Vec<_>>(),
                None => self.matches(name, device, minute).collect(),
            };
            devices.iter().flat_map(of_device).collect::<Vec<_>>()
        };
        minutes.rev().flat_map(of_minute).skip(offset).take(limit).collect()
    }

    fn matches(&self, name: &'a str, device: &Device, minute: u64) -> impl Iterator<Item = TrackedEvent<'a>> {
        let events = events_of_minute(name, device, self.kind, minute, self.injections);
        events.filter(|one| TrackingFilter::all_admit(&self.filters, one))
    }
}

/// The answer.
pub(in crate::sim) fn messages(settings: &Settings, request: &Request, clock: SystemTime) -> Result<Json, Answer> {
    let (start, end) = window(settings, request, DATES, None)?;
    let with_text = |name: &str| {
        TEXTS.iter().any(|text| name.strip_prefix(text).is_some_and(|rest| matches!(rest, "Operator" | "Value")))
    };
    let known: Vec<_> = ATTRIBUTES.iter().chain(&WORDS).chain(&FLAGS).copied().collect();
    let names: Vec<_> = request.query.iter().map(|(name, _)| name.as_str()).filter(|name| with_text(name)).collect();
    check_names(request, &[known, names].concat())?;
    let behaviour = &settings.behaviour;
    let search = TrackingSearch {
        per_minute: behaviour.tracking_per_minute,
        injections: &behaviour.injections,
        ..TrackingSearch::of(settings.devices(), request)?
    };
    let limit = number(request, "limit")?.unwrap_or(USUAL_PAGE).min(PAGE);
    let offset = number(request, "offset")?.unwrap_or(0);
    let seen = unix_secs(clock).saturating_sub(behaviour.tracking_lag.as_secs());
    let (start, end) = (start.max(seen.saturating_sub(RETENTION.as_secs())), end.min(seen - seen % 60));
    let is_bad = |one: &TrackedEvent<'_>| behaviour.tracking_bad_one_in.is_some_and(|rarity| one.is_bad(rarity));
    let (bad, good): (Vec<_>, Vec<_>) = search.page(start, end, offset, limit).into_iter().partition(is_bad);
    let total_count = match behaviour.tracking_total_count {
        TotalCount::Page => good.len() as u64,
        TotalCount::Matches => search.count(start, end),
    };
    let rows: Vec<_> = good.iter().map(|one| row(settings, one)).collect();
    let meta = Json::object([("num_bad_records", bad.len().into()), ("totalCount", total_count.into())]);
    Ok(Json::object([("meta", meta), ("data", Json::List(rows))]))
}

/// Number of messages, or rejected connections, that tracking finds on these devices in the minutes that begin in
/// `[start_secs, end_secs)`, once all have arrived. `query` is that of the request, dates and pages left out, already
/// decoded; without `searchOption` it is about messages. `None` when the appliance would refuse it.
#[must_use]
pub fn tracked_count(devices: &[&str], query: &[(&str, &str)], start_secs: u64, end_secs: u64) -> Option<u64> {
    counted(devices, query, |search| search.count(start_secs, end_secs))
}

/// As [`tracked_count`], of the messages that were delivered.
#[must_use]
pub fn delivered_count(devices: &[&str], query: &[(&str, &str)], start_secs: u64, end_secs: u64) -> Option<u64> {
    counted(devices, query, |search| {
        let found = search.page(start_secs, end_secs, 0, usize::MAX);
        found.iter().filter(|one| one.delivery() == "DELIVERED").count() as u64
    })
}

/// The result of `count` for the search; `None` when the appliance would refuse it.
fn counted(devices: &[&str], query: &[(&str, &str)], count: impl Fn(TrackingSearch<'_>) -> u64) -> Option<u64> {
    let mut query: Vec<_> = query.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
    if query.iter().all(|(name, _)| name != "searchOption") {
        query.push(("searchOption".to_owned(), "messages".to_owned()));
    }
    let request = Request { query, ..Request::new(Product::Esa, "GET", "", Vec::new(), SystemTime::UNIX_EPOCH) };
    TrackingSearch::of(devices.to_vec(), &request).ok().map(count)
}

/// Types and forms differ by product and release; these are of a recent one.
fn row(settings: &Settings, message: &TrackedEvent<'_>) -> Json {
    let zone = match settings.product {
        Product::Sma => "(GMT)",
        Product::Esa => "(GMT +00:00)",
    };
    let timestamp = date::tracking(message.minute * 60 + message.mid() % 60).replace("(GMT)", zone);
    let mid = message.mid();
    let mut attributes = vec![
        ("hostName", Json::from(message.device)),
        ("icid", (mid + 7).into()),
        ("timestamp", timestamp.into()),
        ("senderIp", message.sender_address().into()),
        ("senderGroup", message.sender_group().into()),
        ("sbrs", "None".into()),
        ("serialNumber", inventory::serial(message.device).into()),
    ];
    if message.kind == TrackingKind::Messages {
        let status = Json::Object(vec![(mid.to_string(), message.delivery().into())]);
        attributes.extend([
            ("mid", Json::list([mid])),
            ("direction", message.direction().into()),
            ("sender", message.sender().into()),
            ("senderDomain", message.sender_domain().into()),
            ("recipient", Json::list([message.recipient()])),
            ("subject", message.subject().into()),
            ("mailPolicy", Json::list([message.policy()])),
            ("messageStatus", status),
            ("isCompleteData", true.into()),
            ("verdictChart", Json::Object(Vec::new())),
        ]);
    }
    let attributes = attributes.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    Json::object([("attributes", Json::Object(attributes))])
}

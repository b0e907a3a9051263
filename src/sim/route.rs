//! What an admitted request gets: paths, and the checks on a report in the order the appliance is taken to make them
//! (assumed). Pure; the answer follows from the request, the settings and the time.

use std::time::SystemTime;

use crate::sim::answer::Answer;
use crate::sim::date::{self, Instant};
use crate::sim::group::{self, Contents, Group};
use crate::sim::json::Json;
use crate::sim::report::{self, Report, Window};
use crate::sim::request::Request;
use crate::sim::settings::{Centralised, Product, Settings};

/// What is sent with 200.
pub(super) enum Content {
    Report(Report),
    Document(Json),
}

/// Attributes a report takes. Others are refused like an unknown body field (assumed); `query_type` is among the
/// others because no answer to it is known. **Source:** API guide 16.0, reporting.
const ATTRIBUTES: [&str; 13] = [
    "startDate",
    "endDate",
    "device_type",
    "device_group_name",
    "device_name",
    "orderBy",
    "orderDir",
    "offset",
    "limit",
    "top",
    "filterBy",
    "filterValue",
    "filterOperator",
];

/// Attributes that work only together; with one missing the report comes back empty. **Source:** API guide 16.0,
/// reporting.
const PAIRS: [(&str, &str); 2] = [("orderBy", "orderDir"), ("offset", "limit")];

/// Methods the server library knows, from the CORS block; others never reach the API.
pub(super) const METHODS: [&str; 4] = ["GET", "POST", "DELETE", "OPTIONS"];

/// The answer to an admitted request when the appliance's clock shows `clock`; `Err` is every answer that is not 200.
pub(super) fn route(settings: &Settings, request: &Request, clock: SystemTime) -> Result<Content, Answer> {
    let rest = request.path.strip_prefix(settings.product.prefix()).ok_or_else(Answer::not_found)?;
    // A slash between path and query is accepted; published clients rely on it.
    let segments: Vec<_> = rest.strip_suffix('/').unwrap_or(rest).split('/').collect();
    match (request.method.as_str(), segments.as_slice()) {
        ("GET", ["reporting", group]) => report(settings, request, clock, group, None).map(Content::Report),
        ("GET", ["reporting", group, counter]) => {
            report(settings, request, clock, group, Some(counter)).map(Content::Report)
        }
        ("GET", ["config", "system_time"]) => {
            // Present is enough: one sample has the attribute without a value.
            request.attribute("device_type").ok_or_else(|| missing("device_type"))?;
            Ok(Content::Document(system_time(clock)))
        }
        ("GET", ["login", "privileges"]) => Ok(Content::Document(privileges())),
        _ => Err(Answer::not_found()),
    }
}

fn report(
    settings: &Settings,
    request: &Request,
    clock: SystemTime,
    name: &str,
    counter: Option<&str>,
) -> Result<Report, Answer> {
    if settings.behaviour.forbidden_groups.contains(name) {
        return Err(Answer::unauthorized());
    }
    let group = existing(settings, name, counter).ok_or_else(Answer::not_found)?;
    check_device_type(request)?;
    let (start, end) = dates(settings, request)?;
    let devices = devices(settings, request).ok_or_else(Answer::not_found)?;
    if request.query.iter().any(|(name, _)| !ATTRIBUTES.contains(&name.as_str())) {
        return Err(Answer::error(404, "Unsupported attribute."));
    }
    let half = PAIRS.iter().any(|(one, other)| given(request, one).is_some() != given(request, other).is_some());
    let centralised = kept_by_the_sma(settings, group);
    if half || centralised == Centralised::Empty {
        return Ok(Report::empty(counter.unwrap_or(group.name)));
    }
    let devices = if centralised == Centralised::Zeros { Vec::new() } else { devices };
    let frontier = settings.behaviour.frontier(clock);
    Ok(report::build(settings.product, group, counter, &devices, &Window { start, end, frontier }, clock))
}

/// The group, if this release has it and it has the counter.
fn existing(settings: &Settings, name: &str, counter: Option<&str>) -> Option<&'static Group> {
    let group = group::find(name)?;
    let absent = settings.behaviour.absent_groups.contains(name)
        || kept_by_the_sma(settings, group) == Centralised::NotFound
        || counter.is_some_and(|counter| !group.has(counter));
    (!absent).then_some(group)
}

/// What centralised reporting does to this group here.
fn kept_by_the_sma(settings: &Settings, group: &Group) -> Centralised {
    let kept_here = group.name == "mail_system_capacity" || matches!(group.contents, Contents::ReportingSystem(_));
    match settings.product {
        Product::Esa if !kept_here => settings.behaviour.centralised,
        Product::Esa | Product::Sma => Centralised::Off,
    }
}

/// Guides and one recording want the attribute, the Swagger file has a default: here it is required on both products.
/// The message for another value than `esa`, which is what mail reports take, is assumed.
fn check_device_type(request: &Request) -> Result<(), Answer> {
    match given(request, "device_type") {
        None => Err(missing("device_type")),
        Some("esa") => Ok(()),
        Some(_) => Err(invalid("device_type")),
    }
}

/// The window, in seconds since 1970. That an empty or reversed one is refused like an unreadable date is assumed.
fn dates(settings: &Settings, request: &Request) -> Result<(u64, u64), Answer> {
    const BOTH: &str = "startDate or endDate";
    let (start, end) = (given(request, "startDate"), given(request, "endDate"));
    let (start, end) = start.zip(end).ok_or_else(|| missing(BOTH))?;
    let escaped = ["startDate", "endDate"]
        .iter()
        .any(|name| request.raw_attribute(name).is_some_and(|raw| raw.to_ascii_uppercase().contains("%3A")));
    if settings.behaviour.reject_escaped_colons && escaped {
        return Err(invalid(BOTH));
    }
    let (start, end) = date::parse(start).zip(date::parse(end)).ok_or_else(|| invalid(BOTH))?;
    if let Some(message) = &settings.behaviour.hour_only
        && !(start.on_the_hour() && end.on_the_hour())
    {
        return Err(Answer::error(404, message));
    }
    if !(start.on_the_minute() && end.on_the_minute()) {
        let message = "startDate and endDate attribute supports only 00 seconds and 000 microseconds.";
        return Err(Answer::error(404, message));
    }
    let (Instant { secs: start, .. }, Instant { secs: end, .. }) = (start, end);
    if start < end { Ok((start, end)) } else { Err(invalid(BOTH)) }
}

/// The devices a report is about; `None` when one is named that does not exist (or is not in the group named with it).
fn devices<'a>(settings: &'a Settings, request: &Request) -> Option<Vec<&'a str>> {
    let all = settings.devices();
    if settings.product == Product::Esa {
        return Some(all);
    }
    let of_group = match given(request, "device_group_name") {
        None => all,
        Some(group) => settings.devices_of(group)?,
    };
    match given(request, "device_name") {
        None => Some(of_group),
        Some(name) => of_group.into_iter().find(|&device| device == name).map(|device| vec![device]),
    }
}

/// An attribute that is there and not empty.
fn given<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    request.attribute(name).filter(|value| !value.is_empty())
}

fn missing(what: &str) -> Answer {
    Answer::error(404, &format!("Missing attribute - {what}."))
}

/// **Source:** recorded for `mid or icid`; the wording for other attributes is assumed.
fn invalid(what: &str) -> Answer {
    Answer::error(404, &format!("Invalid value for attribute - {what}."))
}

/// **Source:** API guide 16.0, whose sample has `Thu Apr 12 23:38:05 2018 IST`. This appliance lives in UTC, and
/// how that is spelt here is assumed.
fn system_time(clock: SystemTime) -> Json {
    let date = httpdate::fmt_http_date(clock);
    let fields: Vec<_> = date.split([' ', ',']).filter(|field| !field.is_empty()).collect();
    let time = match fields.as_slice() {
        [weekday, day, month, year, time, _] => format!("{weekday} {month} {day} {time} {year} UTC"),
        _ => date,
    };
    let data = Json::object([
        ("timezone", "Etc/UTC".into()),
        ("continent", Json::list(["Etc", "UTC", "UTC"])),
        ("time", time.into()),
    ]);
    Json::object([("data", data)])
}

/// **Source:** API guide 16.0, the flat form; the names of the reporting privileges are not published.
fn privileges() -> Json {
    let names = [
        "e_message_tracking_messages",
        "e_message_tracking_detail",
        "e_message_tracking_availability",
        "e_message_tracking_verdict",
        "e_message_tracking_dlp_details",
        "e_message_tracking_amp_details",
        "e_message_tracking_connection_details",
    ];
    Json::object([("data", Json::list(names))])
}

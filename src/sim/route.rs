//! What an admitted request gets: paths and the small endpoints. Pure; the answer follows from the request, the settings
//! and the time.

use std::time::SystemTime;

use crate::sim::answer::Answer;
use crate::sim::attribute::missing;
use crate::sim::behaviour::Behaviour;
use crate::sim::health;
use crate::sim::inquiry;
use crate::sim::json::Json;
use crate::sim::quarantine::listing;
use crate::sim::report::Report;
use crate::sim::request::{Request, decode};
use crate::sim::settings::{Product, Settings};
use crate::sim::xml_status;

/// What is sent with 200.
pub(super) enum Content {
    Report(Report),
    Document(Json),
    /// The page `/xml/status`.
    XmlStatus,
}

/// Methods the server library knows, from the CORS block; others never reach the API.
pub(super) const METHODS: [&str; 4] = ["GET", "POST", "DELETE", "OPTIONS"];

/// The answer to an admitted request when the appliance's clock shows `clock`; `Err` is every answer that is not 200.
pub(super) fn route(settings: &Settings, request: &Request, clock: SystemTime) -> Result<Content, Answer> {
    let is_page = settings.product == Product::Esa && request.path == xml_status::PATH;
    let rest = match is_page {
        true => request.path.strip_prefix('/'),
        false => request.path.strip_prefix(settings.product.prefix()),
    };
    let rest = rest.ok_or_else(Answer::not_found)?;
    // A slash between path and query is accepted; published clients rely on it.
    let path = rest.strip_suffix('/').unwrap_or(rest);
    if Behaviour::covers(&settings.behaviour.forbidden_paths, path) {
        return Err(Answer::unauthorized());
    }
    if Behaviour::covers(&settings.behaviour.absent_paths, path) {
        return Err(Answer::not_found());
    }
    if is_page && request.method == "GET" {
        return Ok(Content::XmlStatus);
    }
    let segments: Vec<_> = path.split('/').collect();
    match (request.method.as_str(), segments.as_slice()) {
        ("GET", ["reporting", group]) => inquiry::report(settings, request, clock, group, None).map(Content::Report),
        ("GET", ["reporting", group, counter]) => {
            inquiry::report(settings, request, clock, group, Some(counter)).map(Content::Report)
        }
        ("GET", ["config", "system_time"]) => {
            // Present is enough: one sample has the attribute without a value.
            request.attribute("device_type").ok_or_else(|| missing("device_type"))?;
            Ok(Content::Document(system_time(clock)))
        }
        // That it takes no query, and ignores one, is assumed; that an SMA does not have it is all that is known.
        ("GET", ["health"]) if settings.product == Product::Esa => {
            Ok(Content::Document(health::document(settings, clock)))
        }
        ("GET", ["quarantine", "messages"]) => listing::messages(settings, request, clock).map(Content::Document),
        ("GET", ["quarantine", "messages", "rules"]) => listing::rules(settings, request, clock).map(Content::Document),
        ("GET", ["config", "quarantines"]) if settings.product == Product::Sma => {
            listing::names(settings, request).map(Content::Document)
        }
        ("GET", ["config", "local_quarantines", name]) if settings.product == Product::Esa => {
            listing::local(settings, request, clock, &decode(name)).map(Content::Document)
        }
        ("GET", ["login", "privileges"]) => Ok(Content::Document(privileges())),
        _ => Err(Answer::not_found()),
    }
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

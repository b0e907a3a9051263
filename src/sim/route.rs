//! The paths of the API, and the content that an admitted request gets. Pure; the answer follows from the request, the settings
//! and the time.

use std::time::SystemTime;

use crate::sim::answer::Answer;
use crate::sim::behaviour::Behaviour;
use crate::sim::form::Offer;
use crate::sim::health;
use crate::sim::http_status;
use crate::sim::inventory;
use crate::sim::json::Json;
use crate::sim::quarantine::listing;
use crate::sim::report::Report;
use crate::sim::report_endpoint;
use crate::sim::request::{Request, decode};
use crate::sim::settings::{Product, Settings};
use crate::sim::tracking::search;
use crate::sim::web_tracking;
use crate::sim::xml_status;

/// The content of an answer with status 200.
pub(super) enum Content {
    Report(Report),
    Document(Json),
    /// The page `/xml/status`.
    XmlStatus,
    /// `health/system_status`.
    SystemStatus,
    /// `health/delivery_status`.
    DeliveryStatus,
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
        ("GET", ["reporting", group]) => {
            report_endpoint::report(settings, request, clock, group, None).map(Content::Report)
        }
        ("GET", ["reporting", group, counter]) => {
            report_endpoint::report(settings, request, clock, group, Some(counter)).map(Content::Report)
        }
        ("GET", ["config", "system_time"]) => inventory::system_time(settings, request, clock).map(Content::Document),
        ("GET", ["config", "appliances"]) => inventory::appliances(settings, request).map(Content::Document),
        ("GET", ["config", "centralized_services"]) if settings.product == Product::Sma => {
            Ok(Content::Document(inventory::unknown()))
        }
        // That it takes no query, and ignores one, is assumed; that an SMA does not have it is all that is known.
        ("GET", ["health"]) if settings.product == Product::Esa => {
            Ok(Content::Document(health::document(settings, clock)))
        }
        ("GET", ["health", "system_status"]) if settings.product == Product::Esa => {
            offered(settings.behaviour.system_status_offer, Content::SystemStatus)
        }
        ("GET", ["health", "delivery_status"]) if settings.product == Product::Esa => {
            offered(settings.behaviour.delivery_status, Content::DeliveryStatus)
        }
        ("GET", ["quarantine", "messages"]) => listing::messages(settings, request, clock).map(Content::Document),
        ("GET", ["quarantine", "messages", "rules"]) => listing::rules(settings, request, clock).map(Content::Document),
        ("GET", ["config", "quarantines"]) if settings.product == Product::Sma => {
            listing::names(settings, request).map(Content::Document)
        }
        ("GET", ["config", "local_quarantines", name]) if settings.product == Product::Esa => {
            listing::local(settings, request, clock, &decode(name)).map(Content::Document)
        }
        ("GET", ["message-tracking", "messages"]) => search::messages(settings, request, clock).map(Content::Document),
        ("GET", ["web-tracking", "web_transaction"]) if settings.product == Product::Sma => {
            web_tracking::transactions_of(settings, request, clock).map(Content::Document)
        }
        ("GET", ["message-tracking", "availability"]) => Ok(Content::Document(inventory::unknown())),
        ("GET", ["login", "privileges"]) => Ok(Content::Document(inventory::privileges(settings))),
        _ => Err(Answer::not_found()),
    }
}

/// `content` where it is offered. That a method or a function that is not there comes with a page of the server library is
/// assumed.
fn offered(offer: Offer, content: Content) -> Result<Content, Answer> {
    match offer {
        Offer::AsSeen | Offer::Odd => Ok(content),
        Offer::NotOffered(404) => Err(Answer::not_found()),
        Offer::NotOffered(code @ (405 | 501)) => Err(Answer::page(code, http_status::texts(code).0)),
        Offer::NotOffered(code) => Err(Answer::error(code, "Forbidden.")),
    }
}

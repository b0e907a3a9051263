//! Answers about the appliance itself: its devices, privileges and time. **Source:** one recorded SMA answer and
//! the guides; each function names what it rests on.

use std::time::SystemTime;

use crate::sim::answer::Answer;
use crate::sim::attribute::missing;
use crate::sim::date;
use crate::sim::form::{Privileges, SystemTimeForm};
use crate::sim::json::Json;
use crate::sim::request::Request;
use crate::sim::settings::{Product, Settings};
use crate::sim::traffic::{hash, mix};
use crate::sim::unix_secs;

/// The serial number of a device, in the form of a virtual one. **Source:** the form is that of a recorded answer.
pub(super) fn serial(device: &str) -> String {
    let (first, second) = (hash(device), mix(hash(device)));
    format!("{first:016X}{:04X}-{:012X}", second >> 48, second & 0xffff_ffff_ffff)
}

/// The address of a device, made up.
pub(super) fn address(device: &str) -> String {
    format!("192.0.2.{}", 1 + hash(device) % 254)
}

/// `config/appliances`. **Source:** recorded on an SMA; older guides show three fields only. What an ESA answers is not
/// known: here an empty object (assumed). That `device_type` only has to be there is assumed.
pub(super) fn appliances(settings: &Settings, request: &Request) -> Result<Json, Answer> {
    request.attribute("device_type").ok_or_else(|| missing("device_type"))?;
    let data = match settings.product {
        Product::Esa => Json::Object(Vec::new()),
        Product::Sma => {
            let mail = settings.devices().into_iter().map(|device| entry(settings, device, "ESA"));
            let web = settings.web_devices().into_iter().map(|device| entry(settings, device, "WSA"));
            Json::object([("appliances", Json::List(mail.chain(web).collect()))])
        }
    };
    Ok(Json::object([("data", data)]))
}

fn entry(settings: &Settings, device: &str, product: &str) -> Json {
    let behaviour = &settings.behaviour;
    let is_mail = product == "ESA";
    let connected = !behaviour.disconnected.contains(device);
    let name = ("host_name", Json::from(device));
    let address = ("ip_address", Json::from(address(device)));
    let product = ("product_type", Json::from(product));
    let fields = match behaviour.short_inventory {
        true => Json::object([name, address, product]),
        false => Json::object([
            product,
            ("pvo_enabled", is_mail.into()),
            ("connection_established", connected.into()),
            ("tracking_enabled", is_mail.into()),
            ("reporting_enabled", true.into()),
            name,
            ("spam_enabled", is_mail.into()),
            address,
        ]),
    };
    Json::Object(vec![(serial(device), fields)])
}

/// `config/system_time`. **Source:** API guide 16.0, whose sample has `Thu Apr 12 23:38:05 2018 IST`, and a recorded
/// answer in another zone.
pub(super) fn system_time(settings: &Settings, request: &Request, clock: SystemTime) -> Result<Json, Answer> {
    // Present is enough: one sample has the attribute without a value.
    request.attribute("device_type").ok_or_else(|| missing("device_type"))?;
    let SystemTimeForm { timezone, continent, abbreviation, east_secs } = &settings.behaviour.system_time;
    let local = unix_secs(clock).saturating_add_signed(*east_secs);
    let data = Json::object([
        ("timezone", timezone.as_str().into()),
        ("continent", Json::list(continent.iter().map(String::as_str))),
        ("time", format!("{} {abbreviation}", date::ctime(local)).into()),
    ]);
    Ok(Json::object([("data", data)]))
}

/// Names of privileges. **Source:** API guide 16.0; those for reporting are not published.
const PRIVILEGES: [&str; 7] = [
    "e_message_tracking_messages",
    "e_message_tracking_detail",
    "e_message_tracking_availability",
    "e_message_tracking_verdict",
    "e_message_tracking_dlp_details",
    "e_message_tracking_amp_details",
    "e_message_tracking_connection_details",
];

/// `login/privileges`. **Source:** API guide 16.0 for the flat form, TechNote 226388 for the other; what a resource and
/// a method look like is assumed.
pub(super) fn privileges(settings: &Settings) -> Json {
    let data = match settings.behaviour.privileges {
        Privileges::Flat => Json::list(PRIVILEGES),
        Privileges::Resources => {
            let resource = |name: &str| Json::object([("resource", name.into()), ("methods", Json::list(["GET"]))]);
            let resources = Json::List(PRIVILEGES.into_iter().map(resource).collect());
            Json::object([("privileges", resources)])
        }
    };
    Json::object([("data", data)])
}

/// An answer of which only the existence is known: an empty object (assumed).
pub(super) fn unknown() -> Json {
    Json::object([("data", Json::Object(Vec::new()))])
}

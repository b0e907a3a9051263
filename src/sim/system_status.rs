//! `GET health/system_status` of an ESA. **Source:** one published client, whose examples look made by hand; the counters
//! are those of `/xml/status` since the start, which is assumed.

use std::collections::BTreeMap;

use crate::sim::date;
use crate::sim::destinations::grouped;
use crate::sim::form::Offer;
use crate::sim::health::Readings;
use crate::sim::json::Json;
use crate::sim::lifetime_counters::COUNTERS;
use crate::sim::xml_status::PageInput;

/// The fields of `counters`, and the counter of the XML status that each one is.
const SINCE_START: [(&str, &str); 6] = [
    ("messages_received_uptime", "inj_msgs"),
    ("delivered_recipients_uptime", "delivered_recips"),
    ("soft_bounced_events_uptime", "soft_bounced_evts"),
    ("rejected_recipients_uptime", "rejected_recips"),
    ("dropped_messages_uptime", "dropped_msgs"),
    ("total_hard_bounces_uptime", "hard_bounced_recips"),
];

/// The age of the oldest message in seconds: as configured, or something between 10 and 20 minutes.
fn oldest_message(input: &PageInput<'_>, received: u64) -> u64 {
    input.settings.behaviour.oldest_message.unwrap_or(600 + received % 600)
}

/// The gauges as numbers: those with a percent sign first.
fn gauges(input: &PageInput<'_>) -> [(&'static str, u64, bool); 10] {
    let readings = Readings::at(input.settings, input.clock);
    [
        ("overall_cpu_load", readings.cpu, true),
        ("ram_utilization", readings.memory, true),
        ("disk_io_utilization", readings.disk_io, true),
        ("total_queue_utilized", readings.queue, true),
        ("msgs_in_work_queue", readings.work_queue, false),
        ("msgs_in_quarantine", readings.quarantined, false),
        ("total_active_recipients", readings.active, false),
        ("current_incoming_connections", readings.connections_in, false),
        ("current_outgoing_connections", readings.connections_out, false),
        ("dest_objects_in_memory", 400 + readings.active, false),
    ]
}

/// The body; `uptime` are the counters of the XML status since the start.
pub(super) fn document(input: &PageInput<'_>, uptime: &[u64]) -> Json {
    let behaviour = &input.settings.behaviour;
    let is_odd = behaviour.system_status_offer == Offer::Odd;
    let number = |number: u64| if is_odd { Json::from(grouped(number)) } else { number.into() };
    let started = behaviour.booted.unwrap_or(input.birth);
    let counter = |(name, of): (&str, &str)| {
        let place = COUNTERS.iter().position(|(known, _)| *known == of).unwrap_or_default();
        (name.to_owned(), number(uptime[place]))
    };
    let gauge = |(name, value, is_percent): (&str, u64, bool)| {
        let value = if is_percent { Json::from(format!("{value}%")) } else { number(value) };
        (name.to_owned(), value)
    };
    let local = started.saturating_add_signed(behaviour.system_time.east_secs);
    let up_since = date::iso(local).replace('T', " ").replace(".000Z", "").replace('Z', "");
    let oldest = oldest_message(input, uptime[0]);
    let oldest = format!("{:02}:{:02}:{:02}", oldest / 3600, oldest / 60 % 60, oldest % 60);
    let release = behaviour.build.rsplit(' ').next().unwrap_or_default();
    let state = Json::Object(vec![
        ("system_status".to_owned(), behaviour.system_status.clone().into()),
        ("up_since".to_owned(), up_since.into()),
        ("oldest_message".to_owned(), oldest.into()),
    ]);
    let version = Json::Object(vec![
        ("model".to_owned(), behaviour.model.clone().into()),
        ("operating_system".to_owned(), format!("AsyncOS {release}").into()),
        ("serial_number".to_owned(), behaviour.serial.clone().into()),
        ("raid_status".to_owned(), behaviour.raid.clone().into()),
    ]);
    let part = |object: Json| if is_odd { object } else { Json::List(vec![object]) };
    let rate = Json::object([("messages_received_rate_one", 1.5.into())]);
    let mut parts = vec![
        ("gauges".to_owned(), part(Json::Object(gauges(input).into_iter().map(gauge).collect()))),
        ("counters".to_owned(), part(Json::Object(SINCE_START.into_iter().map(counter).collect()))),
        ("mail_system_status".to_owned(), part(state)),
        ("version_details".to_owned(), part(version)),
    ];
    if !is_odd {
        parts.insert(0, ("rates".to_owned(), part(rate)));
    }
    Json::object([("data", Json::object([("resultSet", Json::Object(parts))]))])
}

/// The gauges and counters as numbers.
pub(super) fn truth(input: &PageInput<'_>, uptime: &[u64]) -> BTreeMap<&'static str, u64> {
    let of = |name: &str| COUNTERS.iter().position(|(known, _)| *known == name).unwrap_or_default();
    let counters = SINCE_START.into_iter().map(|(name, counter)| (name, uptime[of(counter)]));
    gauges(input).into_iter().map(|(name, value, _)| (name, value)).chain(counters).collect()
}

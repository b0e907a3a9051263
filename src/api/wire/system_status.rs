//! Reads the answer of `health/system_status`: gauges, counters since the start of a gateway, and facts about it. One
//! published client knows the endpoint, so every part may be missing or have another form.

use serde::de::{self, IgnoredAny, MapAccess, SeqAccess};

use crate::api::wire::calendar::{self, Civil};
use crate::api::wire::field::{self, Fields, says_nothing};
use crate::api::wire::json::{By, JsonScalar, Reader};
use crate::api::wire::number::{Scalar, UnusableCounts};
use crate::api::{Failure, Reason};
use crate::base::clock::Timestamp;
use crate::catalogue::Unit;

/// The counters since the start, as the appliance calls them.
pub(in crate::api) const COUNTERS: [&str; 6] = [
    "messages_received_uptime",
    "delivered_recipients_uptime",
    "soft_bounced_events_uptime",
    "rejected_recipients_uptime",
    "dropped_messages_uptime",
    "total_hard_bounces_uptime",
];
const FIELDS: [&str; 23] = [
    "overall_cpu_load",
    "ram_utilization",
    "disk_io_utilization",
    "total_queue_utilized",
    "msgs_in_work_queue",
    "msgs_in_quarantine",
    "total_active_recipients",
    "current_incoming_connections",
    "current_outgoing_connections",
    "dest_objects_in_memory",
    COUNTERS[0],
    COUNTERS[1],
    COUNTERS[2],
    COUNTERS[3],
    COUNTERS[4],
    COUNTERS[5],
    "system_status",
    "up_since",
    "oldest_message",
    "model",
    "operating_system",
    "serial_number",
    "raid_status",
];
/// Levels of objects below `data` that are read: `resultSet`, its parts, and the fields of those.
const LEVELS: u8 = 3;

/// The status of an ESA. A value that is missing or unusable is none.
///
/// **Source:** one published client, whose examples look made by hand; no recorded answer is known.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SystemStatus {
    /// Share of the CPU in use; 1 is all of it.
    pub cpu_load: Option<f64>,
    /// Share of the memory in use; 1 is all of it.
    pub ram: Option<f64>,
    /// Disk activity relative to the highest since the last start (assumed to be that of the health endpoint).
    pub disk_io: Option<f64>,
    /// Share of the mail queue's space in use; 1 is all of it.
    pub queue: Option<f64>,
    /// Messages in the work queue.
    pub workqueue_messages: Option<f64>,
    /// Messages in quarantine; in which ones is not documented.
    pub quarantine_messages: Option<f64>,
    /// Recipients that wait for delivery.
    pub active_recipients: Option<f64>,
    /// Connections of senders.
    pub connections_in: Option<f64>,
    /// Connections to destinations.
    pub connections_out: Option<f64>,
    /// Destinations that are kept in memory.
    pub destinations: Option<f64>,
    /// Events since the start of the appliance, by the names in the answer.
    pub counters: Vec<(&'static str, u64)>,
    /// Whether mail flows: `online`, or another word, in small letters.
    pub system_state: Option<String>,
    /// When the appliance was started; none where the time is in a zone that is not known.
    pub up_since: Option<Timestamp>,
    /// The age of the oldest message in the queue.
    pub oldest_message_seconds: Option<f64>,
    /// The model.
    pub model: Option<String>,
    /// The software with its release, such as `AsyncOS 15.0.0`.
    pub software: Option<String>,
    /// The serial number.
    pub serial: Option<String>,
    /// The state of the RAID in the words of the appliance; none where there is none.
    pub raid: Option<String>,
    /// Values that are no usable number.
    pub unusable: UnusableCounts,
}

impl SystemStatus {
    /// The fields that are read.
    pub const FIELDS: &'static [&'static str] = &FIELDS;
    /// The path below the API's root; without parameters.
    ///
    /// **Source:** one published client.
    pub const PATH: &'static str = "health/system_status";

    /// Reads the answer of an appliance that is `east` seconds ahead of UTC; none where that is not known.
    ///
    /// # Errors
    /// [`Reason::NotJson`] and [`Reason::Malformed`] for what is no answer, [`Reason::Empty`] for one without any value.
    pub fn parse(body: &str, east: Option<i64>) -> Result<Self, Failure> {
        let mut data = field::data(body, Sections(LEVELS))?.unwrap_or_default();
        let status = Self {
            cpu_load: share(&mut data, "overall_cpu_load"),
            ram: share(&mut data, "ram_utilization"),
            disk_io: share(&mut data, "disk_io_utilization"),
            queue: share(&mut data, "total_queue_utilized"),
            workqueue_messages: measure(&mut data, "msgs_in_work_queue"),
            quarantine_messages: measure(&mut data, "msgs_in_quarantine"),
            active_recipients: measure(&mut data, "total_active_recipients"),
            connections_in: measure(&mut data, "current_incoming_connections"),
            connections_out: measure(&mut data, "current_outgoing_connections"),
            destinations: measure(&mut data, "dest_objects_in_memory"),
            counters: COUNTERS.into_iter().filter_map(|name| Some((name, data.count(name)?))).collect(),
            system_state: words(&data, "system_status").map(|state| state.to_lowercase()),
            up_since: words(&data, "up_since").and_then(|text| instant(&text, east)),
            oldest_message_seconds: amount(&mut data, "oldest_message", &Unit::Seconds),
            model: words(&data, "model"),
            software: words(&data, "operating_system"),
            serial: words(&data, "serial_number"),
            raid: words(&data, "raid_status").map(|state| state.to_lowercase()),
            unusable: UnusableCounts::default(),
        };
        if status == Self::default() {
            return Err(Failure::new(Reason::Empty, "the response has no value of the system status"));
        }
        Ok(Self { unusable: data.unusable, ..status })
    }
}

/// The instant of a time that names its zone, or is in the appliance's own.
fn instant(text: &str, east: Option<i64>) -> Option<Timestamp> {
    let local = || Civil::local(text)?.seconds().checked_add_signed(-east?);
    // A form without a zone is local here, whatever it means elsewhere.
    match Civil::local(text) {
        Some(_) => local().map(Timestamp::from_secs),
        None => calendar::instant(text),
    }
}

/// A text that says something.
fn words(data: &Fields, name: &str) -> Option<String> {
    data.text(name).filter(|text| !says_nothing(text))
}

fn share(data: &mut Fields, name: &'static str) -> Option<f64> {
    amount(data, name, &Unit::Percent).map(|percent| Unit::Percent.scale(percent))
}

fn measure(data: &mut Fields, name: &'static str) -> Option<f64> {
    amount(data, name, &Unit::Count("things".into()))
}

/// The number in `unit`; none where the text says that there is none, which is not an unusable value.
fn amount(data: &mut Fields, name: &'static str, unit: &Unit) -> Option<f64> {
    if data.is_silent(name) { None } else { data.amount(name, unit) }
}

/// Reads the known fields of nested objects, in lists or not: their names are different in every part of the answer.
#[derive(Clone, Copy)]
struct Sections(u8);

impl<'de> Reader<'de> for Sections {
    type Made = Fields;

    fn scalar<E: de::Error>(self, _: Scalar<'_>) -> Result<Fields, E> {
        Ok(Fields::default())
    }

    fn list<A: SeqAccess<'de>>(self, mut list: A) -> Result<Fields, A::Error> {
        let mut all = Fields::default();
        while let Some(fields) = list.next_element_seed(By(self))? {
            all.merge(fields);
        }
        Ok(all)
    }

    fn object<A: MapAccess<'de>>(self, mut object: A) -> Result<Fields, A::Error> {
        let mut all = Fields::default();
        while let Some(name) = object.next_key::<String>()? {
            match (FIELDS.iter().find(|wanted| **wanted == name), self.0) {
                (Some(name), 0) => all.insert(name, object.next_value()?),
                (_, 0) => drop(object.next_value::<IgnoredAny>()?),
                // `system_status` is a field, and may become the name of a part.
                (Some(name), levels) => {
                    let (value, fields) = object.next_value_seed(By(Either(levels - 1)))?;
                    value.into_iter().for_each(|value| all.insert(name, value));
                    all.merge(fields);
                }
                (None, levels) => all.merge(object.next_value_seed(By(Sections(levels - 1)))?),
            }
        }
        Ok(all)
    }
}

/// Reads one value, or the fields of a structure in its place.
#[derive(Clone, Copy)]
struct Either(u8);

impl<'de> Reader<'de> for Either {
    type Made = (Option<JsonScalar>, Fields);

    fn scalar<E: de::Error>(self, value: Scalar<'_>) -> Result<Self::Made, E> {
        Ok((Some(value.into()), Fields::default()))
    }

    fn list<A: SeqAccess<'de>>(self, list: A) -> Result<Self::Made, A::Error> {
        Ok((None, Sections(self.0).list(list)?))
    }

    fn object<A: MapAccess<'de>>(self, object: A) -> Result<Self::Made, A::Error> {
        Ok((None, Sections(self.0).object(object)?))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_published_example_is_read_whole() {
        let body = json!({"data": {"resultSet": {
            "rates": [{"messages_received_rate_one": 10.5}],
            "gauges": [{"overall_cpu_load": "12%", "ram_utilization": "45%", "disk_io_utilization": "5%",
                "total_queue_utilized": "8%", "msgs_in_work_queue": 3, "msgs_in_quarantine": 0,
                "total_active_recipients": 150, "current_incoming_connections": 10,
                "current_outgoing_connections": 8, "dest_objects_in_memory": 20}],
            "counters": [{"messages_received_uptime": 10000, "delivered_recipients_uptime": 9500,
                "soft_bounced_events_uptime": 100, "rejected_recipients_uptime": 50, "dropped_messages_uptime": 10,
                "total_hard_bounces_uptime": 200}],
            "mail_system_status": [{"system_status": "Online", "up_since": "2026-01-01 00:00:00",
                "oldest_message": "00:05:30"}],
            "version_details": [{"model": "C300V", "operating_system": "AsyncOS 15.0.0",
                "serial_number": "1234567890AB", "raid_status": "N/A"}]}}});
        let expected = SystemStatus {
            cpu_load: Some(0.12),
            ram: Some(0.45),
            disk_io: Some(0.05),
            queue: Some(0.08),
            workqueue_messages: Some(3.0),
            quarantine_messages: Some(0.0),
            active_recipients: Some(150.0),
            connections_in: Some(10.0),
            connections_out: Some(8.0),
            destinations: Some(20.0),
            counters: COUNTERS.into_iter().zip([10_000, 9_500, 100, 50, 10, 200]).collect(),
            system_state: Some("online".into()),
            up_since: Some(Timestamp::from_secs(1_767_225_600 - 3600)),
            oldest_message_seconds: Some(330.0),
            model: Some("C300V".into()),
            software: Some("AsyncOS 15.0.0".into()),
            serial: Some("1234567890AB".into()),
            raid: None,
            unusable: [0; 6],
        };
        assert_eq!(SystemStatus::parse(&body.to_string(), Some(3600)).expect("an answer"), expected);
        let unknown = SystemStatus::parse(&body.to_string(), None).expect("an answer");
        assert_eq!(unknown, SystemStatus { up_since: None, ..expected }, "a time in an unknown zone is none");
    }

    #[test]
    fn other_forms_and_missing_parts_are_read() {
        let of = |body: serde_json::Value| SystemStatus::parse(&json!({ "data": body }).to_string(), Some(0));
        let flat = of(json!({"gauges": {"total_active_recipients": "1,500", "ram_utilization": 45}})).expect("flat");
        assert_eq!((flat.active_recipients, flat.ram, flat.counters), (Some(1500.0), Some(0.45), vec![]));
        let listed = of(json!({"resultSet": [{"counters": {"messages_received_uptime": "12"}}, {"gauges": []}]}));
        assert_eq!(listed.expect("listed").counters, [("messages_received_uptime", 12)]);
        let named = of(json!({"resultSet": {"system_status": {"system_status": "Offline", "up_since":
            "Thu Apr 12 23:38:05 2018 GMT", "raid_status": "Degraded"}}}));
        let named = named.expect("a part of the name of a field");
        assert_eq!((named.system_state.as_deref(), named.raid.as_deref()), (Some("offline"), Some("degraded")));
        assert_eq!(named.up_since.map(|at| at.to_string()).as_deref(), Some("2018-04-12T23:38:05.000Z"));
        let odd = of(json!({"resultSet": {"gauges": [{"overall_cpu_load": "-1%", "ram_utilization": "N/A",
            "msgs_in_work_queue": [1], "dest_objects_in_memory": 1}], "counters": [{"messages_received_uptime": 1.5}]}}));
        let odd = odd.expect("odd");
        assert_eq!((odd.ram, odd.cpu_load, odd.counters.len(), odd.unusable), (None, None, 0, [0, 1, 0, 1, 0, 0]));
        for body in [json!({}), json!(null), json!([]), json!({"resultSet": {"gauges": [{"x": 1}]}})] {
            assert_eq!(of(body.clone()).expect_err("nothing").reason, Reason::Empty, "{body}");
        }
    }
}

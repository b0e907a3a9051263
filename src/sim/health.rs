//! `GET health` of an ESA. **Source:** published clients (Centreon, Splunk, FortiSOAR) and the sample of the v1 guide;
//! the order of the fields is not known.

use std::collections::BTreeMap;
use std::time::SystemTime;

use crate::sim::json::Json;
use crate::sim::machine::Machine;
use crate::sim::settings::Settings;

/// Every field and its reading, before behaviour changes any.
fn fields(settings: &Settings, clock: SystemTime) -> [(&'static str, u64); 8] {
    let machine = Machine::at(settings, clock);
    [
        ("percentage_ram_utilization", machine.memory),
        ("percentage_diskio", machine.disk_io),
        ("resource_conservation", machine.conservation),
        ("percentage_cpu_load", machine.cpu),
        ("percentage_swap_utilization", machine.swap),
        ("percentage_queue_utilization", machine.queue),
        ("messages_in_workqueue", machine.work_queue),
        ("messages_in_pvo_quarantines", machine.quarantined),
    ]
}

/// The body.
pub(super) fn document(settings: &Settings, clock: SystemTime) -> Json {
    let told = |(name, value): (&'static str, u64)| {
        let changed = settings.behaviour.health_fields.get(name);
        let value = changed.map_or(Some(value.into()), |changed| changed.clone().map(Json::Leaf));
        value.map(|value| (name.to_owned(), value))
    };
    let data = fields(settings, clock).into_iter().filter_map(told).collect();
    Json::object([("data", Json::Object(data))])
}

/// The readings as numbers.
pub(super) fn truth(settings: &Settings, clock: SystemTime) -> BTreeMap<&'static str, f64> {
    fields(settings, clock).into_iter().map(|(name, value)| (name, value as f64)).collect()
}

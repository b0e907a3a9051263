//! The readings of the machine at one instant, and `GET health` of an ESA, which has some of them; `/xml/status` has all.
//! A pure function of device, time and behaviour, about the last complete minute. **Source:** published clients
//! (Centreon, Splunk, FortiSOAR) and the sample of the v1 guide; the order of the fields is not known.

use std::collections::BTreeMap;
use std::time::SystemTime;

use crate::sim::json::Json;
use crate::sim::quarantine::SPAM;
use crate::sim::settings::Settings;
use crate::sim::traffic::{Cpu, Device, DeviceMinute};
use crate::sim::unix_secs;

// Salts of what only this module knows.
const MEMORY: u64 = 2001;
const SWAP: u64 = 2002;
const DISK: u64 = 2003;
const OPEN_IN: u64 = 2004;
const OPEN_OUT: u64 = 2005;
const ACTIVE: u64 = 2006;

/// Readings; percentages are whole, 0 to 100.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Readings {
    pub(super) cpu: u64,
    pub(super) anti_spam: u64,
    pub(super) anti_virus: u64,
    pub(super) reporting: u64,
    pub(super) quarantine: u64,
    pub(super) memory: u64,
    pub(super) swap: u64,
    pub(super) queue: u64,
    pub(super) disk_io: u64,
    /// 0 is normal; up to 3 (assumed).
    pub(super) conservation: u64,
    pub(super) work_queue: u64,
    /// Messages in all quarantines but that of spam.
    pub(super) quarantined: u64,
    pub(super) connections_in: u64,
    pub(super) connections_out: u64,
    /// Recipients in the delivery queue.
    pub(super) active: u64,
}

impl Readings {
    /// The ESA's own readings when its clock shows `clock`.
    pub(super) fn at(settings: &Settings, clock: SystemTime) -> Self {
        let behaviour = &settings.behaviour;
        let now = unix_secs(clock);
        let device = Device::new(&settings.name);
        let moment = DeviceMinute::new(&device, (now / 60).saturating_sub(1));
        let local = behaviour.quarantines.iter().filter(|one| one.name != SPAM);
        let quarantined = local.map(|one| behaviour.quarantined(one, &[&settings.name], 0, now, now)).sum();
        let work_queue = behaviour.work_queue.unwrap_or_else(|| moment.queue() / 100);
        Self {
            cpu: moment.cpu_total() / 100,
            anti_spam: moment.cpu(Cpu::AntiSpam) / 100,
            anti_virus: moment.cpu(Cpu::AntiVirus) / 100,
            reporting: moment.cpu(Cpu::Reporting) / 100,
            quarantine: moment.cpu(Cpu::Quarantine) / 100,
            // A healthy device stays below the 45 % at which conservation begins.
            memory: 20 + device.constant(MEMORY) % if device.is_healthy { 20 } else { 30 } + moment.chance(MEMORY, 5),
            swap: moment.chance(SWAP, 3),
            // The queue of such an appliance holds some thousand messages (assumed).
            queue: (work_queue / 50).min(100),
            disk_io: moment.cpu_total() / 150 + moment.chance(DISK, 10),
            conservation: behaviour.resource_conservation,
            work_queue,
            quarantined,
            connections_in: moment.connections_in() / 10 + moment.chance(OPEN_IN, 5),
            connections_out: moment.connections_out() / 10 + moment.chance(OPEN_OUT, 5),
            active: moment.processed_out() + moment.chance(ACTIVE, 50),
        }
    }
}

/// Every field and its reading, before behaviour changes any.
fn fields(settings: &Settings, clock: SystemTime) -> [(&'static str, u64); 8] {
    let readings = Readings::at(settings, clock);
    [
        ("percentage_ram_utilization", readings.memory),
        ("percentage_diskio", readings.disk_io),
        ("resource_conservation", readings.conservation),
        ("percentage_cpu_load", readings.cpu),
        ("percentage_swap_utilization", readings.swap),
        ("percentage_queue_utilization", readings.queue),
        ("messages_in_workqueue", readings.work_queue),
        ("messages_in_pvo_quarantines", readings.quarantined),
    ]
}

/// The body.
pub(super) fn document(settings: &Settings, clock: SystemTime) -> Json {
    let field = |(name, value): (&'static str, u64)| {
        let changed = settings.behaviour.health_fields.get(name);
        let value = changed.map_or(Some(value.into()), |changed| changed.clone().map(Json::Leaf));
        value.map(|value| (name.to_owned(), value))
    };
    let data = fields(settings, clock).into_iter().filter_map(field).collect();
    Json::object([("data", Json::Object(data))])
}

/// The readings as numbers.
pub(super) fn truth(settings: &Settings, clock: SystemTime) -> BTreeMap<&'static str, f64> {
    fields(settings, clock).into_iter().map(|(name, value)| (name, value as f64)).collect()
}

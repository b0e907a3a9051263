//! The state of the machine at one instant, as `health` and `/xml/status` both tell it. A pure function of device,
//! time and behaviour: the last complete minute is what it is about.

use std::time::SystemTime;

use crate::sim::quarantine::SPAM;
use crate::sim::settings::Settings;
use crate::sim::traffic::{Cpu, Device, Moment};
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
pub(super) struct Machine {
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

impl Machine {
    /// What the ESA's own readings are when its clock shows `clock`.
    pub(super) fn at(settings: &Settings, clock: SystemTime) -> Self {
        let behaviour = &settings.behaviour;
        let now = unix_secs(clock);
        let device = Device::new(&settings.name);
        let moment = Moment::new(&device, (now / 60).saturating_sub(1));
        let local = behaviour.quarantines.iter().filter(|one| one.name != SPAM);
        let quarantined = local.map(|one| behaviour.quarantined(one, &[&settings.name], 0, now, now)).sum();
        let work_queue = behaviour.work_queue.unwrap_or_else(|| moment.queue() / 100);
        Self {
            cpu: moment.cpu_total() / 100,
            anti_spam: moment.cpu(Cpu::AntiSpam) / 100,
            anti_virus: moment.cpu(Cpu::AntiVirus) / 100,
            reporting: moment.cpu(Cpu::Reporting) / 100,
            quarantine: moment.cpu(Cpu::Quarantine) / 100,
            memory: 20 + device.trait_of(MEMORY) % 30 + moment.chance(MEMORY, 5),
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

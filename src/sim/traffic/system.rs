//! The machine: load, work queue, sizes.

use crate::sim::traffic::DeviceMinute;

// Salts of what is not counted.
const SIZE_IN: u64 = 81;
const SIZE_OUT: u64 = 82;
const SWAPPING: u64 = 83;
const QUEUE: u64 = 84;
const QUEUE_PEAK: u64 = 85;
const QUEUE_TIME: u64 = 86;
const CPU_OTHER: u64 = 87;

/// The system. Percentages, means and times are in hundredths.
impl DeviceMinute {
    pub(in crate::sim) fn size_in(&self) -> u64 {
        40_000 + self.chance(SIZE_IN, 80_000)
    }

    pub(in crate::sim) fn size_out(&self) -> u64 {
        60_000 + self.chance(SIZE_OUT, 120_000)
    }

    pub(in crate::sim) fn swapping(&self) -> u64 {
        self.load * self.chance(SWAPPING, 500) / 1000
    }

    pub(in crate::sim) fn queue(&self) -> u64 {
        self.load * 3 + self.chance(QUEUE, 200)
    }

    pub(in crate::sim) fn queue_peak(&self) -> u64 {
        self.queue().div_ceil(100) + self.chance(QUEUE_PEAK, 20)
    }

    pub(in crate::sim) fn queue_time(&self) -> u64 {
        50 + self.load / 4 + self.chance(QUEUE_TIME, 150)
    }

    /// The share of the processor one task takes: `busiest` at full load, and a little chance by its own salt.
    pub(in crate::sim) fn cpu(&self, task: Cpu) -> u64 {
        let (salt, busiest) = match task {
            Cpu::AntiSpam => (91, 2200),
            Cpu::AntiVirus => (92, 900),
            Cpu::Mail => (93, 1800),
            Cpu::Quarantine => (94, 250),
            Cpu::Reporting => (95, 400),
        };
        busiest * self.load / 1000 + self.chance(salt, 100)
    }

    /// The tasks, and what is none of them; below 100 %.
    pub(in crate::sim) fn cpu_total(&self) -> u64 {
        let tasks = [Cpu::AntiSpam, Cpu::AntiVirus, Cpu::Mail, Cpu::Quarantine, Cpu::Reporting];
        tasks.into_iter().map(|task| self.cpu(task)).sum::<u64>() + 300 + self.chance(CPU_OTHER, 300)
    }
}

/// A task of the processor.
#[derive(Clone, Copy)]
pub(in crate::sim) enum Cpu {
    AntiSpam,
    AntiVirus,
    Mail,
    Quarantine,
    Reporting,
}

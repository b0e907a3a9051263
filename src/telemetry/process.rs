//! The standard `process_…` metrics of the daemon itself, read from `/proc` at each scrape. Knows nothing of
//! appliances. The crate's own collector is not used: it needs the old `procfs`, and counts whole seconds of CPU.

use std::fs;
use std::path::PathBuf;

use prometheus::core::{Collector, Desc};
use prometheus::proto::{Counter, Gauge, Metric, MetricFamily, MetricType};

/// Kernel ticks per second in `/proc` (`USER_HZ`): part of Linux' ABI, 100 on every architecture Rust supports.
const TICKS_PER_SECOND: f64 = 100.0;

/// The unit that `/proc/self/status` calls kB.
const BYTES_PER_KB: u64 = 1024;

struct ProcessFamily {
    name: &'static str,
    help: &'static str,
    kind: MetricType,
}

const CPU: ProcessFamily = ProcessFamily {
    name: "process_cpu_seconds_total",
    help: "Total user and system CPU time spent in seconds.",
    kind: MetricType::COUNTER,
};
const MAX_FDS: ProcessFamily = ProcessFamily {
    name: "process_max_fds",
    help: "Maximum number of open file descriptors.",
    kind: MetricType::GAUGE,
};
const OPEN_FDS: ProcessFamily =
    ProcessFamily { name: "process_open_fds", help: "Number of open file descriptors.", kind: MetricType::GAUGE };
const RESIDENT: ProcessFamily = ProcessFamily {
    name: "process_resident_memory_bytes",
    help: "Resident memory size in bytes.",
    kind: MetricType::GAUGE,
};
const START: ProcessFamily = ProcessFamily {
    name: "process_start_time_seconds",
    help: "Start time of the process since unix epoch in seconds.",
    kind: MetricType::GAUGE,
};
const VIRTUAL: ProcessFamily = ProcessFamily {
    name: "process_virtual_memory_bytes",
    help: "Virtual memory size in bytes.",
    kind: MetricType::GAUGE,
};

/// Collects the `process_…` metrics. A metric whose source cannot be read, as anywhere but on Linux, is left out.
#[derive(Debug)]
pub(super) struct Process {
    /// `/proc`, but for tests.
    proc: PathBuf,
    descriptions: Vec<Desc>,
    /// Seconds since 1970. Read once: the kernel computes it from the wall clock, so that a clock step would look
    /// like a restart.
    started: Option<f64>,
}

impl Process {
    /// A collector for the process that calls this.
    #[must_use]
    pub(super) fn new() -> Self {
        Self::reading("/proc".into())
    }

    fn reading(proc: PathBuf) -> Self {
        let families = [CPU, MAX_FDS, OPEN_FDS, RESIDENT, START, VIRTUAL];
        let describe =
            |family: ProcessFamily| Desc::new(family.name.into(), family.help.into(), vec![], <_>::default()).ok();
        let mut process =
            Self { proc, descriptions: families.into_iter().filter_map(describe).collect(), started: None };
        process.started = process.read_start();
        process
    }

    fn read(&self, path: &str) -> Option<String> {
        fs::read_to_string(self.proc.join(path)).ok()
    }

    fn read_start(&self) -> Option<f64> {
        let ticks = Stat::parse(&self.read("self/stat")?)?.start_ticks;
        Some(boot_time(&self.read("stat")?)? as f64 + ticks as f64 / TICKS_PER_SECOND)
    }

    fn count_open_fds(&self) -> Option<u64> {
        let entries = fs::read_dir(self.proc.join("self/fd")).ok()?;
        // One of them is the directory being read.
        Some((entries.count() as u64).saturating_sub(1))
    }
}

impl Default for Process {
    fn default() -> Self {
        Self::new()
    }
}

impl Collector for Process {
    fn desc(&self) -> Vec<&Desc> {
        self.descriptions.iter().collect()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let stat = self.read("self/stat");
        let cpu_ticks = stat.and_then(|text| Stat::parse(&text)).map(|stat| stat.cpu_ticks);
        let status = self.read("self/status").unwrap_or_default();
        let limits = self.read("self/limits").unwrap_or_default();
        let values = [
            (CPU, cpu_ticks.map(|ticks| ticks as f64 / TICKS_PER_SECOND)),
            (MAX_FDS, max_open_files(&limits).map(|most| most as f64)),
            (OPEN_FDS, self.count_open_fds().map(|open| open as f64)),
            (RESIDENT, bytes_of(&status, "VmRSS").map(|bytes| bytes as f64)),
            (START, self.started),
            (VIRTUAL, bytes_of(&status, "VmSize").map(|bytes| bytes as f64)),
        ];
        values.into_iter().filter_map(|(family, value)| Some(family.with(value?))).collect()
    }
}

impl ProcessFamily {
    fn with(self, value: f64) -> MetricFamily {
        let mut metric = Metric::default();
        if self.kind == MetricType::COUNTER {
            let mut counter = Counter::default();
            counter.set_value(value);
            metric.set_counter(counter);
        } else {
            let mut gauge = Gauge::default();
            gauge.set_value(value);
            metric.set_gauge(gauge);
        }
        let mut family = MetricFamily::default();
        family.set_name(self.name.into());
        family.set_help(self.help.into());
        family.set_field_type(self.kind);
        family.set_metric(vec![metric]);
        family
    }
}

/// Fields of `/proc/self/stat`, in ticks. Source: proc_pid_stat(5).
#[derive(Debug, PartialEq)]
struct Stat {
    /// Fields 14 `utime` and 15 `stime` together.
    cpu_ticks: u64,
    /// Field 22 `starttime`, since boot.
    start_ticks: u64,
}

impl Stat {
    fn parse(text: &str) -> Option<Self> {
        // Field 2, the command, may hold blanks and parentheses of its own: the last one ends it.
        let (_, after_command) = text.rsplit_once(')')?;
        let fields: Vec<&str> = after_command.split_whitespace().collect();
        let field = |number: usize| fields.get(number - 3)?.parse::<u64>().ok();
        Some(Self { cpu_ticks: field(14)?.checked_add(field(15)?)?, start_ticks: field(22)? })
    }
}

/// Seconds since 1970, from `/proc/stat`.
fn boot_time(text: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()
}

/// A memory size, from `/proc/self/status`.
fn bytes_of(text: &str, key: &str) -> Option<u64> {
    let size = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'))?;
    size.trim().strip_suffix(" kB")?.parse::<u64>().ok()?.checked_mul(BYTES_PER_KB)
}

/// The soft limit, from `/proc/self/limits`; `unlimited` is the largest number, as in other clients.
fn max_open_files(text: &str) -> Option<u64> {
    let limits = text.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    match limits.split_whitespace().next()? {
        "unlimited" => Some(u64::MAX),
        soft => soft.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use prometheus::{Registry, TextEncoder};

    use super::*;

    const STAT: &str = "4711 (a) b (c) R 1 2 3 0 -1 4194560 2316 0 10 0 250 75 7 8 20 0 3 0 123456 6508544 1538 \
                        18446744073709551615 1 1 0 0 0 0 0 4096 17642 0 0 0 17 1 0 0 0 0 0 1 1 1 1 1 1 1 0\n";
    const STATUS: &str = "Name:\tasyncos_exporte\nVmPeak:\t    9000 kB\nVmSize:\t    8000 kB\nVmLck:\t       0 kB\n\
                          VmHWM:\t    3000 kB\nVmRSS:\t    2000 kB\nThreads:\t3\n";
    const LIMITS: &str = "Limit                     Soft Limit           Hard Limit           Units     \n\
                          Max cpu time              unlimited            unlimited            seconds   \n\
                          Max open files            1024                 524288               files     \n";

    fn write(proc: &Path, path: &str, text: &str) {
        fs::create_dir_all(proc.join("self/fd")).unwrap();
        fs::write(proc.join(path), text).unwrap();
    }

    fn page(process: Process) -> String {
        let registry = Registry::new();
        registry.register(Box::new(process)).unwrap();
        TextEncoder::new().encode_to_string(&registry.gather()).unwrap()
    }

    #[test]
    fn a_command_with_blanks_and_parentheses_shifts_no_field() {
        assert_eq!(Stat::parse(STAT), Some(Stat { cpu_ticks: 325, start_ticks: 123_456 }));
    }

    #[test]
    fn a_short_or_odd_stat_yields_nothing() {
        for text in ["", "1 (x", "1 (x) R 1 2 3", &STAT.replace(" 250 ", " -1 "), &STAT.replace("123456", "x")] {
            assert_eq!(Stat::parse(text), None, "{text}");
        }
    }

    #[test]
    fn boot_time_is_found_among_the_others() {
        assert_eq!(boot_time("cpu  1 2 3\nctxt 9\nbtime 1700000000\nprocesses 5\n"), Some(1_700_000_000));
        assert_eq!(boot_time("cpu  1 2 3\nbtime x\n"), None);
    }

    #[test]
    fn sizes_are_whole_keys_in_kilobytes() {
        assert_eq!(bytes_of(STATUS, "VmRSS"), Some(2_048_000));
        for (text, key) in [(STATUS, "Vm"), (STATUS, "Threads"), ("VmRSS: 1 MB\n", "VmRSS"), ("", "VmRSS")] {
            assert_eq!(bytes_of(text, key), None, "{key} in {text}");
        }
    }

    #[test]
    fn the_soft_limit_counts_and_may_be_unlimited() {
        assert_eq!(max_open_files(LIMITS), Some(1024));
        assert_eq!(max_open_files(&LIMITS.replace("1024 ", "unlimited ")), Some(u64::MAX));
        assert_eq!(max_open_files("Max open files\n"), None);
    }

    #[test]
    fn the_page_has_every_metric_with_its_type() {
        let proc = tempfile::tempdir().unwrap();
        let texts = [
            ("self/stat", STAT),
            ("self/status", STATUS),
            ("self/limits", LIMITS),
            ("stat", "btime 1700000000\n"),
            ("self/fd/0", ""),
            ("self/fd/1", ""),
            ("self/fd/2", ""),
        ];
        for (path, text) in texts {
            write(proc.path(), path, text);
        }
        let expected = "\
# HELP process_cpu_seconds_total Total user and system CPU time spent in seconds.
# TYPE process_cpu_seconds_total counter
process_cpu_seconds_total 3.25
# HELP process_max_fds Maximum number of open file descriptors.
# TYPE process_max_fds gauge
process_max_fds 1024
# HELP process_open_fds Number of open file descriptors.
# TYPE process_open_fds gauge
process_open_fds 2
# HELP process_resident_memory_bytes Resident memory size in bytes.
# TYPE process_resident_memory_bytes gauge
process_resident_memory_bytes 2048000
# HELP process_start_time_seconds Start time of the process since unix epoch in seconds.
# TYPE process_start_time_seconds gauge
process_start_time_seconds 1700001234.56
# HELP process_virtual_memory_bytes Virtual memory size in bytes.
# TYPE process_virtual_memory_bytes gauge
process_virtual_memory_bytes 8192000
";
        assert_eq!(page(Process::reading(proc.path().into())), expected);
    }

    #[test]
    fn what_cannot_be_read_is_left_out() {
        let proc = tempfile::tempdir().unwrap();
        assert_eq!(page(Process::reading(proc.path().into())), "");
        write(proc.path(), "self/limits", LIMITS);
        fs::remove_dir(proc.path().join("self/fd")).unwrap();
        let collected = Process::reading(proc.path().into()).collect();
        assert_eq!(collected.iter().map(MetricFamily::name).collect::<Vec<_>>(), ["process_max_fds"]);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_real_process_has_them_all() {
        assert_eq!(Process::new().collect().len(), 6);
    }
}

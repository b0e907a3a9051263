//! What the daemon needs for a fleet of simulated appliances, with eight groups and windows of a minute: processor, memory,
//! lag and requests. The appliances live in a process of their own, each behind TLS as real ones are. `cargo bench --bench
//! fleet` prints it; the arguments after `--` are the number of appliances and the minutes that are measured; with `hours`
//! the appliances accept whole hours only, and the hour that runs is requested each minute; with `full` they resume no TLS
//! session. A thousand appliances need some thousand file descriptors: `ulimit -n 8192`.
#![allow(clippy::print_stdout, reason = "what it prints is what it is for")]
#![allow(clippy::disallowed_methods, reason = "a thread of its own waits, and no task")]

#[path = "../it/tls_proxy.rs"]
#[allow(dead_code, reason = "the tests need more of it")]
mod tls_proxy;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use asyncos_exporter::base::clock::Clock;
use asyncos_exporter::catalogue;
use asyncos_exporter::sim;

use tls_proxy::{Authority, Identity, Proxy, usual};

const GROUPS: usize = 8;
/// In which every group of every appliance has had its first window, and the page its full size.
const WARM_UP: Duration = Duration::from_secs(150);
const SCRAPE_INTERVAL: Duration = Duration::from_secs(15);
const HOURS: &str = "hours";
const FULL: &str = "full";
/// Ticks per second in `/proc` (`USER_HZ`).
const TICKS_PER_SECOND: f64 = 100.0;
/// When a window may be asked for, after its begin, in seconds: its length and the settle delay.
const DUE: f64 = 60.0 + 5.0;

/// The windows that the appliances accept.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Alignment {
    Minutes,
    Hours,
}

impl Alignment {
    /// As the arguments have it.
    fn of(arguments: &[String]) -> Self {
        if arguments.iter().any(|argument| argument == HOURS) { Self::Hours } else { Self::Minutes }
    }
}

/// The TLS handshakes that the appliances offer.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Handshakes {
    Resumed,
    Full,
}

impl Handshakes {
    /// As the arguments have it.
    fn of(arguments: &[String]) -> Self {
        if arguments.iter().any(|argument| argument == FULL) { Self::Full } else { Self::Resumed }
    }

    /// A server with `identity` that offers them.
    fn server(self, identity: &Identity) -> rustls::ServerConfig {
        let mut config = usual(identity);
        if self == Self::Full {
            config.session_storage = Arc::new(rustls::server::NoServerSessionStorage {});
        }
        config
    }
}

/// A process that ends with this.
struct Process(Child);

impl Process {
    fn start(command: &mut Command) -> Self {
        Self(command.stdin(Stdio::piped()).spawn().unwrap_or_else(|error| panic!("{command:?}: {error}")))
    }

    fn read(&self, file: &str) -> String {
        std::fs::read_to_string(format!("/proc/{}/{file}", self.0.id())).expect("a process")
    }

    /// Seconds of processor time so far.
    fn cpu(&self) -> f64 {
        let stat = self.read("stat");
        let fields: Vec<&str> = stat.rsplit_once(") ").expect("a command").1.split(' ').collect();
        (fields[11].parse::<f64>().expect("user") + fields[12].parse::<f64>().expect("system")) / TICKS_PER_SECOND
    }

    /// A size of its memory in MiB.
    fn memory(&self, key: &str) -> f64 {
        let status = self.read("status");
        let line = status.lines().find_map(|line| line.strip_prefix(key)).expect("a size");
        line.trim_start_matches(':').trim().trim_end_matches(" kB").parse::<f64>().expect("a number") / 1024.0
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail only if it has ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts appliances, writes their authority's certificate to `ca`, says where they are, and waits for its end.
async fn simulate(appliances: usize, alignment: Alignment, handshakes: Handshakes, ca: &Path) {
    let authority = Authority::new();
    let identity = authority.issue("127.0.0.1");
    std::fs::write(ca, &authority.pem).expect("a file");
    let clock = Clock::system();
    let mut fleet = Vec::new();
    for number in 0..appliances {
        let clock = clock.clone();
        let now: sim::Now = Arc::new(move || clock.wall().into());
        let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let mut settings = sim::Settings::esa(&format!("esa{number:04}.example.com"));
        if alignment == Alignment::Hours {
            settings.behaviour.hour_only = Some(sim::HOUR_ONLY_MESSAGES[0].into());
        }
        let appliance = sim::Appliance::start(settings, anywhere, now).await.expect("a port");
        let proxy = Proxy::terminate(handshakes.server(&identity), appliance.address()).await;
        fleet.push((appliance, proxy));
    }
    let urls = fleet.iter().map(|(_, proxy)| format!("https://127.0.0.1:{}", proxy.port));
    let mut urls = urls.collect::<Vec<_>>().join(" ");
    urls.push('\n');
    std::io::stdout().write_all(urls.as_bytes()).expect("somebody listens");
    std::future::pending::<()>().await;
}

fn configuration(urls: &str, ca: &Path) -> String {
    let groups = catalogue::groups().filter(|group| group.key.is_none()).take(GROUPS);
    let groups = groups.map(|group| &*group.name).collect::<Vec<_>>().join(", ");
    let mut text = format!("defaults: {{window: 1m, settle: 5s}}\ncounter_groups: [{groups}]\nappliances:\n");
    for (number, url) in urls.split_whitespace().enumerate() {
        let rest = format!("health: false, quarantines: false, inventory: false, tls: {{ca_file: '{}'}}", ca.display());
        writeln!(
            text,
            "  - {{name: esa{number:04}.example.com, url: '{url}', username: monitor, password: ironport, {rest}}}"
        )
        .expect("memory");
    }
    text
}

fn scrape(address: &str, header: &str) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).expect("a connection");
    let request = format!("GET /metrics HTTP/1.1\r\nHost: us\r\nConnection: close\r\n{header}\r\n");
    stream.write_all(request.as_bytes()).expect("sent");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("an answer");
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").expect("a head") + 4;
    answer.split_off(end)
}

/// The sum and the largest of each metric.
fn metrics(address: &str) -> BTreeMap<String, (f64, f64)> {
    let page = String::from_utf8(scrape(address, "")).expect("a text");
    let mut all: BTreeMap<String, (f64, f64)> = BTreeMap::new();
    for line in page.lines().filter(|line| !line.starts_with('#')) {
        let (series, value) = line.rsplit_once(' ').expect("a value");
        let name = series.split('{').next().expect("a name");
        let value: f64 = value.parse().expect("a number");
        let (sum, most) = all.entry(name.to_owned()).or_insert((0.0, f64::MIN));
        *sum += value;
        *most = most.max(value);
        let (series, _) = all.entry(String::new()).or_default();
        *series += 1.0;
    }
    all
}

/// How far the newest counted windows are behind those that may be asked for, in seconds: the mean and the most.
fn lag(address: &str, clock: &Clock) -> (f64, f64) {
    let page = String::from_utf8(scrape(address, "")).expect("a text");
    let now = clock.wall().as_secs_f64();
    let ends = page.lines().filter_map(|line| line.strip_prefix("asyncos_window_end_timestamp_seconds{"));
    let lags = ends.map(|rest| now - DUE - rest.rsplit_once(' ').expect("a value").1.parse::<f64>().expect("a time"));
    let lags: Vec<f64> = lags.map(|lag| lag.max(0.0)).collect();
    (lags.iter().sum::<f64>() / lags.len() as f64, lags.iter().copied().fold(0.0, f64::max))
}

fn measure(appliances: usize, minutes: u32, alignment: Alignment, handshakes: Handshakes, folder: &Path) {
    let clock = Clock::system();
    let program = std::env::current_exe().expect("this program");
    let ca = folder.join("ca.pem");
    let mut simulated = Command::new(program);
    simulated.args(["--simulate", &appliances.to_string()]).arg(&ca).stdout(Stdio::piped());
    if alignment == Alignment::Hours {
        simulated.arg(HOURS);
    }
    if handshakes == Handshakes::Full {
        simulated.arg(FULL);
    }
    let mut simulated = Process::start(&mut simulated);
    let mut urls = String::new();
    BufReader::new(simulated.0.stdout.take().expect("a pipe")).read_line(&mut urls).expect("addresses");
    let config = folder.join("config.yaml");
    std::fs::write(&config, configuration(&urls, &ca)).expect("a file");
    let mut daemon = Command::new(env!("CARGO_BIN_EXE_asyncos_exporter"));
    daemon.arg("serve").arg(format!("--config.file={}", config.display()));
    daemon.arg(format!("--storage.path={}", folder.join("state").display()));
    daemon.args(["--web.listen-address=127.0.0.1:0"]).stderr(Stdio::piped());
    let mut daemon = Process::start(&mut daemon);
    let mut log = BufReader::new(daemon.0.stderr.take().expect("a pipe")).lines();
    let address = log.by_ref().find_map(|line| {
        let line = line.expect("a line");
        let listening = line.contains("msg=listening");
        line.split(' ').find_map(|pair| pair.strip_prefix("address=")).filter(|_| listening).map(str::to_owned)
    });
    let address = address.expect("it listens");
    // Nobody may wait for its log to be read.
    let rest =
        std::thread::spawn(move || log.map_while(Result::ok).filter(|line| line.contains("level=error")).count());
    std::thread::sleep(WARM_UP);
    let (before, cpu, simulated_cpu, began) = (metrics(&address), daemon.cpu(), simulated.cpu(), clock.tick());
    let (mut means, mut most) = (vec![], 0.0_f64);
    for _ in 0..minutes * 60 / 15 {
        std::thread::sleep(SCRAPE_INTERVAL);
        scrape(&address, "Accept-Encoding: gzip\r\n");
        let (mean, worst) = lag(&address, &clock);
        means.push(mean);
        most = most.max(worst);
    }
    let (took, cpu) = (clock.tick().since(began).as_secs_f64(), daemon.cpu() - cpu);
    let simulated_cpu = simulated.cpu() - simulated_cpu;
    let after = metrics(&address);
    let sum = |name: &str| after.get(name).map_or(0.0, |(sum, _)| *sum);
    let grown = |name: &str| sum(name) - before.get(name).map_or(0.0, |(sum, _)| *sum);
    println!(
        "{appliances} appliances x {GROUPS} groups, {alignment:?}, handshakes {handshakes:?}, polled each minute, {took:.0} s:"
    );
    println!(
        "  processor: {:.2} % of a core; the simulated appliances {:.2} %",
        100.0 * cpu / took,
        100.0 * simulated_cpu / took
    );
    println!(
        "  memory: {:.1} MiB, peak {:.1} MiB, {:.0} series",
        daemon.memory("VmRSS"),
        daemon.memory("VmHWM"),
        sum("")
    );
    println!(
        "  requests: {:.1} a second; {:.0} windows counted, {:.0} lost, {:.0} failures",
        grown("asyncos_api_requests_total") / took,
        grown("asyncos_windows_committed_total"),
        grown("asyncos_windows_lost_total"),
        grown("asyncos_api_request_failures_total")
    );
    let mean = means.iter().sum::<f64>() / means.len() as f64;
    println!("  lag behind the settle delay: mean {mean:.1} s, most {most:.1} s");
    drop((daemon, simulated));
    println!("  errors in the log: {}", rest.join().expect("a count"));
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (alignment, handshakes) = (Alignment::of(&arguments), Handshakes::of(&arguments));
    if let [simulating, appliances, ca, ..] = &arguments[..]
        && simulating == "--simulate"
    {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
        return runtime.block_on(simulate(appliances.parse().expect("a number"), alignment, handshakes, ca.as_ref()));
    }
    // `cargo test --all-targets` runs it too, without the first, and `cargo bench -- --test` with both.
    let is_asked = |flag: &str| arguments.iter().any(|argument| argument == flag);
    if !is_asked("--bench") || is_asked("--test") {
        return;
    }
    let numbers: Vec<u32> = arguments.iter().filter_map(|argument| argument.parse().ok()).collect();
    let (appliances, minutes) = match numbers[..] {
        [] => (vec![100, 1000], 3),
        [appliances] => (vec![appliances as usize], 3),
        [appliances, minutes, ..] => (vec![appliances as usize], minutes),
    };
    for appliances in appliances {
        let folder = tempfile::tempdir().expect("a folder");
        measure(appliances, minutes, alignment, handshakes, folder.path());
    }
}

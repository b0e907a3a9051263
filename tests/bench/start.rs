//! How long a fleet takes to be checked, and how long the daemon takes until it says that it is ready, with the processor
//! time of both: with system roots, with one file of one authority, and with one of a hundred. `cargo bench --bench start`
//! prints it; the argument after `--` is the number of appliances, a thousand if there is none. No appliance answers.
#![allow(clippy::print_stdout, reason = "what it prints is what it is for")]
#![allow(clippy::disallowed_methods, reason = "a thread of its own waits, and no task")]

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use asyncos_exporter::base::clock::Clock;

/// Ticks per second in `/proc` (`USER_HZ`).
const TICKS_PER_SECOND: f64 = 100.0;
const AUTHORITIES: usize = 100;
/// In which the accounts are hashed and the first logins fail.
const AFTERWARDS: Duration = Duration::from_secs(10);

/// A process that ends with this.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail only if it has ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Seconds of processor time in a `stat` of `/proc`, of the process or of its children that have ended.
fn cpu(process: &str, fields: [usize; 2]) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).expect("a process");
    let values: Vec<&str> = stat.rsplit_once(") ").expect("a command").1.split(' ').collect();
    fields.iter().map(|field| values[*field].parse::<f64>().expect("ticks")).sum::<f64>() / TICKS_PER_SECOND
}

/// A configuration of `appliances` with a password file each, and the file `ca` where there is one.
fn configuration(folder: &Path, appliances: usize, ca: Option<&Path>) -> PathBuf {
    let mut text = "appliances:\n".to_owned();
    let tls = ca.map(|ca| format!(", tls: {{ca_file: '{}'}}", ca.display())).unwrap_or_default();
    for number in 0..appliances {
        let password = folder.join(format!("{number}.password"));
        std::fs::write(&password, format!("secret {number}\n")).expect("a file");
        let url = format!("https://127.0.0.1:{}", 20_000 + number);
        let password = password.display();
        writeln!(text, "- {{name: esa{number}, url: '{url}', username: monitor, password_file: '{password}'{tls}}}")
            .expect("memory");
    }
    let file = folder.join("config.yaml");
    std::fs::write(&file, text).expect("a file");
    file
}

fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_asyncos_exporter"))
}

fn check(clock: &Clock, config: &Path) -> (f64, f64) {
    const CHILDREN: [usize; 2] = [13, 14];
    let (began, before) = (clock.tick(), cpu("self", CHILDREN));
    let mut check = program();
    check.arg("check").arg(format!("--config.file={}", config.display()));
    let ended = check.stdout(Stdio::null()).stderr(Stdio::null()).status().expect("it starts");
    assert!(ended.success());
    (clock.tick().since(began).as_secs_f64(), cpu("self", CHILDREN) - before)
}

/// Until it is ready, and processor time until then and some time later.
fn serve(clock: &Clock, config: &Path, state: &Path) -> (f64, f64, f64) {
    let began = clock.tick();
    let mut daemon = program();
    daemon.arg("serve").arg(format!("--config.file={}", config.display()));
    daemon.arg(format!("--storage.path={}", state.display())).arg("--web.listen-address=127.0.0.1:0");
    let mut daemon = Process(daemon.stderr(Stdio::piped()).spawn().expect("it starts"));
    let mut log = BufReader::new(daemon.0.stderr.take().expect("a pipe")).lines();
    let address = log.by_ref().find_map(|line| {
        let line = line.expect("a line");
        let listening = line.contains("msg=listening");
        line.split(' ').find_map(|pair| pair.strip_prefix("address=")).filter(|_| listening).map(str::to_owned)
    });
    // Nobody may wait for its log to be read.
    let rest = std::thread::spawn(move || log.map_while(Result::ok).count());
    let mut stream = TcpStream::connect(address.expect("it listens")).expect("a connection");
    // Whoever comes before it is ready waits.
    stream.write_all(b"GET /-/ready HTTP/1.1\r\nHost: us\r\nConnection: close\r\n\r\n").expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let (id, own) = (daemon.0.id().to_string(), [11, 12]);
    let (took, used) = (clock.tick().since(began).as_secs_f64(), cpu(&id, own));
    std::thread::sleep(AFTERWARDS);
    let later = cpu(&id, own);
    drop(daemon);
    rest.join().expect("its end");
    (took, used, later)
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    // `cargo test --all-targets` runs it too, without the first, and `cargo bench -- --test` with both.
    let is_asked = |flag: &str| arguments.iter().any(|argument| argument == flag);
    if !is_asked("--bench") || is_asked("--test") {
        return;
    }
    let appliances = arguments.iter().find_map(|argument| argument.parse().ok()).unwrap_or(1000);
    let clock = Clock::system();
    for (what, authorities) in [("system roots", 0), ("one authority", 1), ("a hundred authorities", AUTHORITIES)] {
        let folder = tempfile::tempdir().expect("a folder");
        let ca = folder.path().join("ca.pem");
        let pem = || rcgen::generate_simple_self_signed(["esa".to_owned()]).expect("a certificate").cert.pem();
        std::fs::write(&ca, (0..authorities).map(|_| pem()).collect::<String>()).expect("a file");
        let config = configuration(folder.path(), appliances, (authorities > 0).then_some(ca.as_path()));
        let (checked, check_cpu) = check(&clock, &config);
        let (ready, cpu, later) = serve(&clock, &config, &folder.path().join("state"));
        println!("{appliances} appliances, {what}:");
        println!("  check: {checked:.2} s, processor {check_cpu:.2} s");
        println!("  ready: {ready:.2} s, processor {cpu:.2} s, and {later:.2} s ten seconds later");
    }
}

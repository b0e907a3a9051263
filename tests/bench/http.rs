//! Scrapes over HTTP: our server against the same series served by client_golang, and against nginx serving the same bytes
//! as a file, plain and compressed, idle and while windows are counted. Needs Debian's `wrk`, `nginx-light`, `golang-go` and
//! `golang-github-prometheus-client-golang-dev`.
//! `cargo bench --bench http` prints it; arguments after `--` are numbers of appliances.
#![allow(clippy::print_stdout, reason = "what it prints is what it is for")]

#[path = "shape.rs"]
#[allow(dead_code, reason = "the benchmark of pages commits whole appliances too")]
mod shape;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use asyncos_exporter::base::clock::Clock;
use asyncos_exporter::base::shutdown::Shutdown;
use asyncos_exporter::exposition::PageRenderer;
use asyncos_exporter::http::{Bound, Explained, Limits, Pages, Protection, Scraped, WebPaths};
use asyncos_exporter::telemetry::Telemetry;
use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use tokio::task::JoinSet;

use shape::{Dice, SERIES, Shape, Windows};

/// How long wrk asks, in seconds; of large fleets for longer, or the peer would answer nobody in time.
const SECONDS: u32 = 5;
const SECONDS_IF_LARGE: u32 = 20;
const LARGE: usize = 100;
/// Windows counted per second: those of a hundred appliances with eight groups of a minute.
const COMMITS: u64 = 13;

const fn seconds(appliances: usize) -> u32 {
    if appliances < LARGE { SECONDS } else { SECONDS_IF_LARGE }
}

/// A server in a process of its own, which ends with this.
struct Server {
    child: Child,
    address: String,
    /// How long it is asked.
    seconds: u32,
}

impl Server {
    fn start(command: &mut Command, appliances: usize) -> Self {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap_or_else(|error| {
            panic!("{command:?}: {error}");
        });
        let mut address = String::new();
        let out = child.stdout.take().expect("a pipe");
        BufReader::new(out).read_line(&mut address).expect("an address");
        Self { child, address: address.trim().to_owned(), seconds: seconds(appliances) }
    }

    fn ours(appliances: usize, commits: u64) -> Self {
        let program = std::env::current_exe().expect("this program");
        let arguments = ["--serve", &appliances.to_string(), &commits.to_string()];
        Self::start(Command::new(program).args(arguments), appliances)
    }

    /// The same bytes as files, the nearest thing to the physical limit: sent by the kernel, compressed beforehand.
    #[allow(clippy::disallowed_methods, reason = "there is no runtime on this side")]
    fn nginx(folder: &Path, page: &[u8], appliances: usize) -> Self {
        let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
        packed.write_all(page).expect("memory");
        std::fs::write(folder.join("metrics"), page).expect("a file");
        std::fs::write(folder.join("metrics.gz"), packed.finish().expect("memory")).expect("a file");
        // Free until nginx takes it, as far as a benchmark has to care.
        let port = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port").port();
        let folder = folder.display();
        // A worker that may not read the folder would answer 403.
        let settings = format!(
            "daemon off; master_process off; worker_processes 1; pid {folder}/nginx.pid; error_log stderr;\n\
             events {{ worker_connections 64; }}\n\
             http {{ access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000000; gzip_static on;\n\
             client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;\n\
             uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s; default_type text/plain;\n\
             server {{ listen 127.0.0.1:{port}; root {folder}; }} }}\n"
        );
        let file = format!("{folder}/nginx.conf");
        std::fs::write(&file, settings).expect("a file");
        let mut command = Command::new("nginx");
        let child = command.args(["-c", &file]).spawn().unwrap_or_else(|error| {
            panic!("nginx: {error}; it is Debian's package nginx-light");
        });
        let address = format!("127.0.0.1:{port}");
        while TcpStream::connect(&address).is_err() {
            std::thread::sleep(Duration::from_millis(20));
        }
        Self { child, address, seconds: seconds(appliances) }
    }

    /// The plain page.
    fn page(&self) -> Vec<u8> {
        let mut stream = TcpStream::connect(&self.address).expect("a connection");
        stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: us\r\nConnection: close\r\n\r\n").expect("sent");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("an answer");
        let end = answer.windows(4).position(|four| four == b"\r\n\r\n").expect("a head") + 4;
        answer.split_off(end)
    }

    fn peak_memory(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("a process");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a peak");
        line.trim().trim_end_matches(" kB").parse::<f64>().expect("a number") / 1024.0
    }

    fn load(&self, connections: u32, gzip: Packing) -> Load {
        let mut command = Command::new("wrk");
        let seconds = self.seconds;
        command.args(["-t1", &format!("-c{connections}"), &format!("-d{seconds}s"), "--latency", "--timeout=60s"]);
        if gzip == Packing::Gzip {
            command.args(["-H", "Accept-Encoding: gzip"]);
        }
        let output = command.arg(format!("http://{}/metrics", self.address)).output();
        let output = output.unwrap_or_else(|error| panic!("wrk: {error}; it is a package of Debian"));
        let text = String::from_utf8(output.stdout).expect("a text");
        assert!(!text.contains("Non-2xx"), "{text}");
        let word = |after: &str| {
            let rest = text.split_once(after).unwrap_or_else(|| panic!("{text}")).1;
            rest.split_whitespace().next().expect("a figure").to_owned()
        };
        Load {
            rate: word("Requests/sec:").parse().expect("a number"),
            // With the blank before it, or it would be found in a share such as 94.50%.
            median: millis(&word(" 50%")),
            p99: millis(&word(" 99%")),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail only if it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Packing {
    Plain,
    Gzip,
}

#[derive(Clone, Copy, Debug)]
struct Load {
    rate: f64,
    median: f64,
    p99: f64,
}

/// `1.23ms` and the like.
fn millis(text: &str) -> f64 {
    let number = text.trim_end_matches(char::is_alphabetic);
    let factor = match &text[number.len()..] {
        "us" => 0.001,
        "ms" => 1.0,
        "s" => 1000.0,
        "m" => 60_000.0,
        unit => panic!("{unit} of {text}"),
    };
    number.parse::<f64>().expect("a number") * factor
}

/// Serves a fleet and counts its windows until the end of the input.
async fn serve(appliances: usize, commits: u64) {
    let clock = Clock::system();
    let mut shape = Shape::new(appliances, &clock);
    let telemetry = Arc::new(Telemetry::try_new().expect("distinct names"));
    let (renderer, cache) =
        PageRenderer::new(Arc::clone(&shape.store), telemetry, clock, asyncos_exporter::snapshot::Hold::No);
    let bound = Bound::bind("127.0.0.1:0").await.expect("a port");
    println!("{}", bound.addresses()[0]);
    let (stop, mut tasks) = (Shutdown::new(), JoinSet::new());
    tasks.spawn(renderer.run(stop.clone()));
    let pages = Pages {
        paths: WebPaths::new("/metrics".into(), None, None),
        metrics: Arc::new(move |scrape| -> Scraped {
            let cache = cache.clone();
            Box::pin(async move { cache.scrape(&scrape, &[]).await })
        }),
        knows: Arc::new(|_| false),
        discovery: Arc::new(|_| Bytes::new()),
        landing: Arc::new(Bytes::new),
        status: Arc::new(Bytes::new),
        config: Arc::new(Bytes::new),
        explain: Arc::new(|_| Explained::Unclear(Bytes::new())),
        healthy: Arc::new(|| Ok(())),
        ready: Arc::new(|| true),
        connections: Arc::new(|_| ()),
        lifecycle: None,
    };
    tasks.spawn(bound.serve(pages, Limits { max_scrapes: 0 }, Protection::default(), stop.clone()));
    let mut dice = Dice::new(2);
    if commits == 0 {
        std::future::pending::<()>().await;
    }
    loop {
        tokio::time::sleep(Duration::from_secs(1) / u32::try_from(commits).expect("few")).await;
        let appliance = usize::try_from(dice.roll(appliances as u64)).expect("few");
        shape.commit(appliance, Windows::OfOneGroup);
    }
}

/// Builds the peer with Debian's packages; no module is downloaded.
fn peer(folder: &Path) -> PathBuf {
    let program = folder.join("peer");
    let mut go = Command::new("go");
    go.args(["build", "-o"]).arg(&program).arg("tests/bench/go/main.go");
    go.env("GO111MODULE", "off").env("GOPATH", "/usr/share/gocode").env("GOFLAGS", "");
    let built = go.status().unwrap_or_else(|error| panic!("go: {error}; it is Debian's package golang-go"));
    assert!(built.success(), "is golang-github-prometheus-client-golang-dev there?");
    program
}

fn say(who: &str, what: &str, load: Load) {
    let Load { rate, median, p99 } = load;
    println!("  {who:<14} {what:<12} {rate:>10.1} /s   p50 {median:>9.3} ms   p99 {p99:>9.3} ms");
}

fn compare(appliances: usize, folder: &Path, peer: &Path) {
    let ours = Server::ours(appliances, 0);
    let page = ours.page();
    let file = folder.join("page");
    std::fs::write(&file, &page).expect("a file");
    println!("{} series, {} kB plain", SERIES * appliances, page.len() / 1000);
    let theirs = Server::start(Command::new(peer).arg(&file).arg("127.0.0.1:0"), appliances);
    let nginx = Server::nginx(folder, &page, appliances);
    let (mut rates, mut limits) = (vec![], vec![]);
    for (gzip, name) in [(Packing::Plain, "plain"), (Packing::Gzip, "gzip")] {
        for connections in [1, 8] {
            let what = format!("{name} c={connections}");
            let (mine, peers) = (ours.load(connections, gzip), theirs.load(connections, gzip));
            let files = nginx.load(connections, gzip);
            say("ours", &what, mine);
            say("client_golang", &what, peers);
            say("nginx, a file", &what, files);
            rates.push(format!("{what}: {:.0}x", mine.rate / peers.rate));
            limits.push(format!("{what}: {:.1}x", mine.median / files.median));
        }
    }
    let (mine, peers) = (ours.peak_memory(), theirs.peak_memory());
    println!("  peak memory: {mine:.1} MiB against {peers:.1} MiB, a {:.1}th", peers / mine);
    println!("  rates against client_golang: {}", rates.join(", "));
    println!("  medians against nginx: {}", limits.join(", "));
    drop((ours, theirs, nginx));
    let busy = Server::ours(appliances, COMMITS);
    let idle = Server::ours(appliances, 0);
    for (gzip, name) in [(Packing::Plain, "plain"), (Packing::Gzip, "gzip")] {
        // In turns, since the machine may be less idle than the server.
        let (quiet, counting) = (idle.load(1, gzip), busy.load(1, gzip));
        say("idle", &format!("{name} c=1"), quiet);
        say("counting", &format!("{name} c=1"), counting);
        println!("  p99 while counting: {:.1}x", counting.p99 / quiet.p99);
    }
    println!("  peak memory while counting: {:.1} MiB", busy.peak_memory());
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [serving, appliances, commits] = &arguments[..]
        && serving == "--serve"
    {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
        let (appliances, commits) = (appliances.parse().expect("a number"), commits.parse().expect("a number"));
        return runtime.block_on(serve(appliances, commits));
    }
    // `cargo test --all-targets` runs it too, without the first, and `cargo bench -- --test` with both.
    let is_asked = |flag: &str| arguments.iter().any(|argument| argument == flag);
    if !is_asked("--bench") || is_asked("--test") {
        return;
    }
    let sizes: Vec<usize> = arguments.iter().filter_map(|argument| argument.parse().ok()).collect();
    let folder = tempfile::tempdir().expect("a folder");
    let peer = peer(folder.path());
    for appliances in if sizes.is_empty() { vec![1, 10, 100] } else { sizes } {
        compare(appliances, folder.path(), &peer);
    }
}

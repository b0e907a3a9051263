//! What a password costs the web side: whoever guesses must not learn from the time which users there are, and whoever
//! knows must not pay for a check with each scrape. `cargo bench --bench users` prints it; nothing is asserted of times,
//! which a busy machine spoils.
#![allow(clippy::print_stdout, reason = "what it prints is what it is for")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use asyncos_exporter::base::clock::Clock;
use asyncos_exporter::base::shutdown::Shutdown;
use asyncos_exporter::http::{Bound, Explained, Limits, Pages, Protection, WebPaths};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// What the manual recommends.
const COST: u32 = 10;
const ROUNDS: usize = 50;
const PASSWORD: &str = "change me";

/// One way to ask for the page.
#[derive(Clone, Copy, Debug)]
enum Asker {
    /// A user that there is, with a wrong password; another one each time, since verdicts are remembered.
    Known,
    /// A user that there is not.
    Unknown,
    /// A user with the right password, which has been checked before.
    Remembered,
    /// Nobody, who is refused without a check.
    Nobody,
}

impl Asker {
    const ALL: [Self; 4] = [Self::Known, Self::Unknown, Self::Remembered, Self::Nobody];

    const fn name(self) -> &'static str {
        match self {
            Self::Known => "known user, wrong password",
            Self::Unknown => "unknown user",
            Self::Remembered => "right password, remembered",
            Self::Nobody => "no password",
        }
    }

    const fn status(self) -> &'static str {
        match self {
            Self::Remembered => "200",
            Self::Known | Self::Unknown | Self::Nobody => "401",
        }
    }

    fn header(self, round: usize) -> String {
        let pair = match self {
            Self::Known => format!("prometheus:guess {round}"),
            Self::Unknown => format!("nobody:guess {round}"),
            Self::Remembered => format!("prometheus:{PASSWORD}"),
            Self::Nobody => return String::new(),
        };
        format!("Authorization: Basic {}\r\n", STANDARD.encode(pair))
    }
}

/// Asks once, over a connection of its own, and says how long that took.
async fn ask(address: SocketAddr, asker: Asker, round: usize, clock: &Clock) -> Duration {
    let header = asker.header(round);
    let request = format!("GET /metrics HTTP/1.1\r\nHost: us\r\nConnection: close\r\n{header}\r\n");
    let began = clock.tick();
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("an answer");
    let took = clock.tick().since(began);
    assert!(answer.starts_with(&format!("HTTP/1.1 {}", asker.status())), "{asker:?}: {answer}");
    took
}

fn pages() -> Pages {
    const PAGE: Bytes = Bytes::from_static(b"asyncos_up 1\n");
    let page = || Arc::new(|| PAGE);
    Pages {
        paths: WebPaths::new("/metrics".into(), None, None),
        metrics: Arc::new(|_| Box::pin(std::future::ready(Ok(PAGE.into())))),
        knows: Arc::new(|_| false),
        discovery: Arc::new(|_| PAGE),
        landing: page(),
        status: page(),
        config: page(),
        explain: Arc::new(|_| Explained::Unknown(PAGE)),
        healthy: Arc::new(|| Ok(())),
        ready: Arc::new(|| true),
        connections: Arc::new(|_| ()),
        lifecycle: None,
    }
}

async fn measure(clock: &Clock) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("web.yaml");
    let hash = bcrypt::hash(PASSWORD, COST).expect("a hash");
    std::fs::write(&file, format!("basic_auth_users: {{prometheus: {hash}}}\n")).expect("a file");
    let protection = Protection::open(file).expect("a good file");
    let bound = Bound::bind("127.0.0.1:0").await.expect("a free port");
    let address = bound.addresses()[0].socket().expect("a port");
    let (stop, mut server) = (Shutdown::new(), JoinSet::new());
    server.spawn(bound.serve(pages(), Limits { max_scrapes: 0 }, protection, stop.clone()));
    ask(address, Asker::Remembered, 0, clock).await;
    let mut times = Asker::ALL.map(|asker| (asker, Vec::new()));
    // In turn, so that whatever else the machine does meets all alike.
    for round in 0..ROUNDS {
        for (asker, times) in &mut times {
            times.push(ask(address, *asker, round, clock).await);
        }
    }
    println!("time of an answer with bcrypt of cost {COST}, median and worst of {ROUNDS}:");
    let medians = times.map(|(asker, mut times)| {
        times.sort_unstable();
        let (median, worst) = (times[times.len() / 2], times[times.len() - 1]);
        println!("  {:<27} {median:>9.1?} {worst:>9.1?}", asker.name());
        median
    });
    let [known, unknown, remembered, _] = medians.map(|median| median.as_secs_f64());
    println!("an unknown user takes {:.3} times as long as a known one with a wrong password", unknown / known);
    println!("a remembered password takes {:.5} times as long as one that is checked", remembered / known);
    stop.request();
    server.join_all().await;
}

fn main() {
    // `cargo test --all-targets` runs it too, without the first, and `cargo bench -- --test` with both.
    let is_asked = |flag: &str| std::env::args().any(|argument| argument == flag);
    if !is_asked("--bench") || is_asked("--test") {
        return;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(measure(&Clock::system()));
}

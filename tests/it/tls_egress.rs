//! The proxy before an appliance: what it sees, what its failures are called, and that nothing but the configuration puts
//! one there.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use asyncos_exporter::api::{Client, Failure, Listener, LoginFailureLog, Query, Reason, SystemRoots};
use asyncos_exporter::base::clock::Clock;
use asyncos_exporter::base::window::Grid;
use asyncos_exporter::catalogue;
use asyncos_exporter::config::{Config, Scope};
use asyncos_exporter::sim;
use rcgen::IsCa;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::program::{self, Folder, HISTORY, Program, committed};
use crate::rig::{self, simulate};
use crate::tls::{ADDRESS, fingerprint};
use crate::tls_proxy::{Identity, Proxy, usual};

/// What a proxy does with a request.
#[derive(Clone, Debug)]
enum Manner {
    /// Opens the way to the appliance here, whatever name is asked for, and passes plain requests on.
    Open(SocketAddr),
    /// As `Open`, for who shows this header.
    Guarded(SocketAddr, String),
    /// Answers with this.
    Answers(&'static str),
}

/// A forward proxy that writes down all it can read.
struct Forward {
    address: SocketAddr,
    received: Arc<Mutex<Vec<String>>>,
    manner: Arc<Mutex<Manner>>,
    _tasks: JoinSet<()>,
}

impl Forward {
    async fn start(manner: Manner) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let (received, manner) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(manner)));
        let (log, ways) = (Arc::clone(&received), Arc::clone(&manner));
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut open = JoinSet::new();
            loop {
                let (client, _) = listener.accept().await.expect("a connection");
                let manner = ways.lock().unwrap_or_else(PoisonError::into_inner).clone();
                open.spawn(attend(client, manner, Arc::clone(&log)));
            }
        });
        Self { address, received, manner, _tasks: tasks }
    }

    /// The heads of the requests so far, and whatever else could be read.
    fn received(&self) -> Vec<String> {
        self.received.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn becomes(&self, manner: Manner) {
        *self.manner.lock().unwrap_or_else(PoisonError::into_inner) = manner;
    }
}

async fn attend(mut client: TcpStream, manner: Manner, log: Arc<Mutex<Vec<String>>>) {
    let mut head = Vec::new();
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        match client.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return,
        }
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    log.lock().unwrap_or_else(PoisonError::into_inner).push(head.clone());
    let appliance = match manner {
        Manner::Open(appliance) => appliance,
        Manner::Guarded(appliance, account) if head.to_lowercase().contains(&account.to_lowercase()) => appliance,
        Manner::Guarded(_, _) => return send(&mut client, REFUSES).await,
        Manner::Answers(answer) => return send(&mut client, answer).await,
    };
    let mut server = TcpStream::connect(appliance).await.expect("the appliance listens");
    if head.starts_with("CONNECT ") {
        client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await.expect("the way is open");
    } else {
        server.write_all(head.as_bytes()).await.expect("passed on");
    }
    let _ = copy_bidirectional(&mut client, &mut server).await;
}

const REFUSES: &str =
    "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\r\n";
const BAD_GATEWAY: &str =
    "HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/html\r\nContent-Length: 13\r\n\r\n<html></html>";
const FORBIDDEN: &str = "HTTP/1.1 403 Forbidden\r\nContent-Type: text/html\r\nContent-Length: 13\r\n\r\n<html></html>";

async fn send(client: &mut TcpStream, answer: &str) {
    let _ = client.write_all(answer.as_bytes()).await;
    let _ = client.shutdown().await;
    while let Ok(1..) = client.read(&mut [0; 4096]).await {}
}

/// An appliance behind TLS, and the table that pins it.
struct Behind {
    appliance: sim::Appliance,
    tls: Proxy,
    pin: String,
}

impl Behind {
    async fn new() -> Self {
        let appliance = simulate(sim::Settings::esa("esa1"), &Clock::system()).await;
        let own = Identity::self_signed(ADDRESS, IsCa::NoCa);
        let tls = Proxy::terminate(usual(&own), appliance.address()).await;
        Self { appliance, tls, pin: format!("tls: {{fingerprint_sha256: '{}'}}", fingerprint(&own)) }
    }

    fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.tls.port).into()
    }

    /// A client that is told the URL of a host that nobody but a proxy can find.
    fn client(&self, proxy: &str, clock: &Clock, refusals: &LoginFailureLog) -> Client {
        client(&format!("url: 'https://esa1.invalid:6443', {}", self.pin), proxy, clock, refusals)
    }
}

fn client(appliance: &str, proxy: &str, clock: &Clock, refusals: &LoginFailureLog) -> Client {
    let text =
        format!("appliances: [{{name: esa1, username: monitor, password: ironport, proxy: {proxy}, {appliance}}}]");
    let config = Config::parse("proxy", &text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    Client::try_new(
        &config.appliances[0],
        &SystemRoots::default(),
        clock.clone(),
        Listener::new(|_| {}),
        refusals.clone(),
    )
    .expect("a client")
}

async fn fetch(client: &Client) -> Result<(), Failure> {
    let window = Grid::HOURS.containing(client.now() - std::time::Duration::from_secs(3600));
    let group = catalogue::group("mail_system_capacity").expect("in the catalogue").clone().into();
    client.fetch(&Query { scope: Scope::Appliance, group, top: None, search: None, window }).await.map(|_| ())
}

async fn said(client: &Client) -> (Reason, String) {
    let failure = fetch(client).await.expect_err("no way");
    (failure.reason, failure.in_full())
}

fn url(proxy: &Forward) -> String {
    format!("{{url: 'http://{}'}}", proxy.address)
}

/// An account at the proxy, and what it looks like on the wire.
fn account(proxy: &Forward, password: &str) -> (String, String) {
    use base64::Engine as _;
    let pair = base64::engine::general_purpose::STANDARD.encode(format!("exporter:{password}"));
    let table = format!("{{url: 'http://{}', username: exporter, password: {password}}}", proxy.address);
    (table, format!("Proxy-Authorization: Basic {pair}"))
}

#[tokio::test]
async fn a_proxy_sees_only_host_and_port() {
    let behind = Behind::new().await;
    let proxy = Forward::start(Manner::Open(behind.address())).await;
    let (table, account) = account(&proxy, "s3same");
    let client = behind.client(&table, &Clock::system(), &LoginFailureLog::in_memory());
    assert_eq!(fetch(&client).await.map_err(|failure| failure.to_string()), Ok(()));
    let received = proxy.received();
    assert_eq!(received.len(), 2, "a login and a report");
    for head in &received {
        let mut lines: Vec<_> = head.trim_end().lines().map(str::to_lowercase).collect();
        lines.sort();
        let agent = concat!("user-agent: asyncos_exporter/", env!("CARGO_PKG_VERSION")).to_owned();
        let connect = "connect esa1.invalid:6443 http/1.1".to_owned();
        let expected = [connect, "host: esa1.invalid:6443".into(), account.to_lowercase(), agent];
        assert_eq!(lines, expected, "neither token nor password");
    }
    assert_eq!(behind.appliance.requests().len(), 2);
}

#[tokio::test]
async fn without_tls_the_whole_url_goes_to_the_proxy() {
    let appliance = simulate(sim::Settings::esa("esa1"), &Clock::system()).await;
    let proxy = Forward::start(Manner::Open(appliance.address())).await;
    let client = client("url: 'http://127.0.0.1:6080'", &url(&proxy), &Clock::system(), &LoginFailureLog::in_memory());
    // The simulated appliance takes no absolute form, as it need not: what matters is what the proxy was sent.
    let _ = fetch(&client).await;
    let received = proxy.received();
    let begins = "POST http://127.0.0.1:6080/esa/api/v2.0/login HTTP/1.1\r\n";
    assert!(received[0].starts_with(begins), "{received:?}");
}

#[tokio::test]
async fn proxy_failures_are_distinguished_from_appliance_failures() {
    let behind = Behind::new().await;
    let proxy = Forward::start(Manner::Answers(REFUSES)).await;
    let (clock, refusals) = (Clock::system(), LoginFailureLog::in_memory());
    let place = format!("http://{}", proxy.address);
    let open = |proxy: &str| client("url: 'http://127.0.0.1:6080'", proxy, &clock, &refusals);
    let wants = "the proxy requires authentication (407): set `proxy.username` and `proxy.password_file`".to_owned();
    let tunnel = behind.client(&url(&proxy), &clock, &refusals);
    assert_eq!(said(&tunnel).await, (Reason::ProxyRefused, wants.clone()));
    assert_eq!(said(&open(&url(&proxy))).await, (Reason::ProxyRefused, wants));
    proxy.becomes(Manner::Answers(BAD_GATEWAY));
    let advice = Reason::Proxy.advice();
    let expected = format!(
        "the proxy {place} did not open a tunnel to the appliance: it did not answer CONNECT with 200; {advice}"
    );
    assert_eq!(said(&tunnel).await, (Reason::Proxy, expected));
    for (answer, status) in [(BAD_GATEWAY, 502), (FORBIDDEN, 403)] {
        proxy.becomes(Manner::Answers(answer));
        let expected =
            format!("status {status}, not in the appliance's format: it probably comes from the proxy; {advice}");
        assert_eq!(said(&open(&url(&proxy))).await, (Reason::Proxy, expected));
    }
    proxy.becomes(Manner::Answers(""));
    let expected =
        format!("the proxy {place} did not open a tunnel to the appliance: unexpected end of file; {advice}");
    assert_eq!(said(&tunnel).await, (Reason::Proxy, expected));
    // tcpmux, where nobody has listened for decades.
    let place = "http://127.0.0.1:1";
    let nobody = format!("{{url: '{place}'}}");
    for client in [behind.client(&nobody, &clock, &refusals), open(&nobody)] {
        let (reason, words) = said(&client).await;
        assert_eq!(reason, Reason::Proxy, "{words}");
        assert!(words.starts_with(&format!("the proxy {place} cannot be reached: ")), "{words}");
        assert!(words.contains("Connection refused"), "{words}");
    }
    assert!(behind.appliance.requests().is_empty());
}

#[tokio::test]
async fn failures_of_the_appliance_are_its_own_behind_a_proxy_too() {
    let behind = Behind::new().await;
    let proxy = Forward::start(Manner::Open(behind.address())).await;
    let clock = Clock::system();
    let table = url(&proxy);
    let stranger = client("url: 'https://esa1.invalid:6443'", &table, &clock, &LoginFailureLog::in_memory());
    let (reason, words) = said(&stranger).await;
    assert_eq!(reason, Reason::Tls, "{words}");
    assert!(words.starts_with("the certificate is self-signed: "), "{words}");
    let appliance = format!("url: 'https://esa1.invalid:6443', {}", behind.pin);
    let wrong = client(&appliance.replace("url:", "auth: basic, url:"), &table, &clock, &LoginFailureLog::in_memory());
    assert_eq!(fetch(&wrong).await.map_err(|failure| failure.to_string()), Ok(()), "Basic too");
}

#[tokio::test]
async fn a_refused_password_of_the_proxy_is_not_shown_again_soon_and_is_not_the_accounts() {
    let behind = Behind::new().await;
    let folder = Folder::new();
    let proxy = Forward::start(Manner::Answers(REFUSES)).await;
    let (_, right) = account(&proxy, "s3same");
    proxy.becomes(Manner::Guarded(behind.address(), right));
    let file = folder.write_secret("proxy.password", "wrong\n");
    let table = format!("{{url: 'http://{}', username: exporter, password_file: '{file}'}}", proxy.address);
    let refusals = LoginFailureLog::in_memory();
    let clock = Clock::system();
    // Three appliances behind one proxy, all at once.
    let clients: Vec<_> = (0..3).map(|_| behind.client(&table, &clock, &refusals)).collect();
    let (a, b, c) = tokio::join!(said(&clients[0]), said(&clients[1]), said(&clients[2]));
    let outcomes = [a, b, c];
    let refused = "the proxy rejected the credentials (407): correct `proxy.username` or the proxy's password";
    let first = outcomes.iter().filter(|(_, words)| words == refused).count();
    assert_eq!(first, 1, "{outcomes:?}");
    assert!(outcomes.iter().all(|(reason, _)| *reason == Reason::ProxyRefused), "{outcomes:?}");
    for client in &clients {
        let (reason, words) = said(client).await;
        assert_eq!(reason, Reason::ProxyRefused);
        assert!(words.starts_with("the proxy rejected the credentials, next attempt in "), "{words}");
    }
    assert_eq!(proxy.received().len(), 1, "shown once");
    assert!(behind.appliance.requests().is_empty());
    // The account of the appliance has nothing to wait for once the proxy's password is right.
    folder.write("proxy.password", "s3same\n");
    for client in &clients {
        assert_eq!(fetch(client).await.map_err(|failure| failure.to_string()), Ok(()));
    }
    assert_eq!(proxy.received().len(), 7);
    let shown = format!("{clients:?}");
    assert!(!shown.contains("s3same") && !shown.contains("ZXhwb3J0ZXI6"), "{shown}");
}

#[tokio::test]
async fn the_environment_puts_no_proxy_before_an_appliance() {
    let appliance = program::simulate(sim::Settings::esa("esa1")).await;
    let own = Identity::self_signed(ADDRESS, IsCa::NoCa);
    let tls = Proxy::terminate(usual(&own), appliance.address()).await;
    let folder = Folder::new();
    let pin = fingerprint(&own);
    let text = format!(
        "{}  - {{name: open, url: '{}', username: monitor, password: ironport}}\n  - {{name: closed, url: \
         'https://{ADDRESS}:{}', username: monitor, password: ironport, tls: {{fingerprint_sha256: '{pin}'}}}}\n",
        program::DEFAULTS,
        appliance.url(),
        tls.port
    );
    let file = folder.write("config.yaml", text);
    let proxy = Forward::start(Manner::Answers(BAD_GATEWAY)).await;
    let place = format!("http://{}", proxy.address);
    let names = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"];
    let environment: Vec<_> = names.iter().map(|name| (*name, place.as_str())).chain([("NO_PROXY", "")]).collect();
    let config = format!("--config.file={file}");
    let mut program = Program::start_with(&["serve", &config, "--web.listen-address=127.0.0.1:0"], &environment);
    let address = program.address().await;
    rig::until(address, "both are polled", |page| {
        committed(page, "open") == HISTORY && committed(page, "closed") == HISTORY
    })
    .await;
    assert!(proxy.received().is_empty(), "{:?}", proxy.received());
    program.stop().await;
}

#[tokio::test]
async fn a_configured_proxy_is_used() {
    let behind = Behind::new().await;
    let proxy = Forward::start(Manner::Open(behind.address())).await;
    let folder = Folder::new();
    let text = format!(
        "{}  - {{name: esa1, url: 'https://esa1.invalid', username: monitor, password: ironport, proxy: {}, {}}}\n",
        program::DEFAULTS,
        url(&proxy),
        behind.pin
    );
    let mut program = Program::serve(&folder.write("config.yaml", text), &[]);
    let address = program.address().await;
    rig::until(address, "it is polled", |page| committed(page, "esa1") == HISTORY).await;
    assert!(
        proxy.received().iter().all(|head| head.starts_with("CONNECT esa1.invalid:443 ")),
        "{:?}",
        proxy.received()
    );
    program.stop().await;
}

#[test]
fn an_invalid_proxy_is_refused() {
    let problems = |proxy: &str, url: &str| {
        let text = format!("appliances: [{{name: a, url: '{url}', username: u, password_env: PATH, proxy: {proxy}}}]");
        match Config::parse("c", &text) {
            Ok(config) => config.warnings.iter().map(|warning| format!("{warning}\n")).collect(),
            Err(error) => format!("{error}\n"),
        }
    };
    let place = "c:1: appliances[0].proxy";
    let https = "https://a:6443";
    for (proxy, url, expected) in [
        ("{url: 'http://proxy:3128'}", https, String::new()),
        ("{url: 'http://proxy:3128', username: u, password_env: PATH}", https, String::new()),
        ("'http://proxy:3128'", https, format!("{place}: expected a table, found text\n")),
        ("{}", https, format!("{place}: `url` is missing\n")),
        (
            "{url: 'https://proxy'}",
            https,
            format!(
                "{place}.url: must begin with `http://`: the connection to the proxy uses HTTP, and the tunnel inside \
                stays encrypted\n"
            ),
        ),
        (
            "{url: 'http://me:hunter2@proxy'}",
            https,
            format!("{place}.url: must not contain user information: give `username` and `password_file`\n"),
        ),
        ("{url: 'http://proxy/x'}", https, format!("{place}.url: must not have a path\n")),
        (
            "{url: 'http://proxy', password_env: PATH}",
            https,
            format!("{place}: `username` is missing: the account of this password\n"),
        ),
        (
            "{url: 'http://proxy', username: u}",
            https,
            format!("{place}: give one of `password_file`, `credential`, `password_env` and `password`, found none\n"),
        ),
        (
            "{url: 'http://proxy', username: 'a:b', password_env: PATH}",
            https,
            format!("{place}.username: must not contain a colon\n"),
        ),
        (
            "{url: 'http://proxy'}",
            "https://[::1]:6443",
            format!("{place}: cannot reach an IPv6 address over https: use a host name in the appliance's `url`\n"),
        ),
        (
            "{url: 'http://proxy'}",
            "http://localhost",
            format!("{place}: the proxy can read the password of an appliance with an http URL: use https\n"),
        ),
    ] {
        assert_eq!(problems(proxy, url), expected, "{proxy}");
    }
}

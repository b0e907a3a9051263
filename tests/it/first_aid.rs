//! Mistakes of a first set-up, each made for real: the log, the status, the page and `check --connect` name the cause and what
//! to do.

use asyncos_exporter::catalogue;
use asyncos_exporter::sim::{self, Behaviour, Fault, FaultBody, On};
use rcgen::IsCa;
use rustls::version::TLS13;
use serde_json::Value;
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use crate::program::{self, DEFAULTS, Ended, Folder, Program};
use crate::rig::{self, PATIENCE};
use crate::tls::fingerprint;
use crate::tls_proxy::{Authority, Identity, Proxy, demanding, usual};

/// The address of everything that listens here.
const ADDRESS: &str = "127.0.0.1";

/// An entry of the configuration with one mistake, and parts of what is shown about it.
struct Mistake {
    name: &'static str,
    /// The reason in the log, which is the value of a label too; empty where no request fails.
    reason: &'static str,
    /// Of a problem in the status, which the page shows too.
    problem: &'static str,
    /// Of a line of the log; empty where the log has none at once.
    log: &'static str,
    /// Of a line of `check --connect`.
    check: &'static str,
}

impl Mistake {
    /// One that is shown in the same words everywhere.
    fn new(name: &'static str, reason: &'static str, text: &'static str) -> Self {
        Self { name, reason, problem: text, log: text, check: text }
    }
}

/// The configuration with all mistakes, and the servers that they meet.
#[derive(Default)]
struct Fleet {
    text: String,
    mistakes: Vec<Mistake>,
    appliances: Vec<sim::Appliance>,
    proxies: Vec<Proxy>,
    sockets: Vec<TcpStream>,
    listeners: Vec<TcpListener>,
}

impl Fleet {
    fn add(&mut self, url: &str, rest: &str, mistake: Mistake) {
        let name = mistake.name;
        let password = if rest.contains("password") { "" } else { ", password: ironport" };
        self.text += &format!("  - {{name: {name}, url: '{url}', username: monitor{password}{rest}}}\n");
        self.mistakes.push(mistake);
    }

    /// An appliance that behaves so; where it is.
    async fn appliance(&mut self, settings: sim::Settings, change: impl FnOnce(&mut Behaviour)) -> String {
        let appliance = program::simulate(settings).await;
        appliance.change(change);
        self.appliances.push(appliance);
        self.newest().url()
    }

    fn newest(&self) -> &sim::Appliance {
        self.appliances.last().expect("an appliance")
    }

    /// The port of a server that gives these bytes for an answer.
    async fn reply(&mut self, bytes: &'static [u8]) -> u16 {
        self.proxies.push(Proxy::reply(bytes).await);
        self.proxies.last().expect("a server").port
    }

    /// The port of an appliance behind TLS.
    async fn behind_tls(&mut self, config: rustls::ServerConfig) -> u16 {
        self.appliance(sim::Settings::esa("esa1"), |_| {}).await;
        self.proxies.push(Proxy::terminate(config, self.newest().address()).await);
        self.proxies.last().expect("a server").port
    }

    /// The port of a socket that answers no further connection, as behind a firewall that drops packets: its queue is full.
    async fn silent(&mut self) -> u16 {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.bind("127.0.0.1:0".parse().expect("an address")).expect("a port");
        let listener = socket.listen(1).expect("a listener");
        let address = listener.local_addr().expect("an address");
        while let Ok(socket) =
            tokio::time::timeout(std::time::Duration::from_millis(500), TcpStream::connect(address)).await
        {
            self.sockets.push(socket.expect("a connection"));
        }
        self.listeners.push(listener);
        address.port()
    }

    async fn connection(&mut self) {
        let refused =
            "the host refuses connections to the port in `url`: check that AsyncOS API (Monitoring) is enabled";
        self.add("http://127.0.0.1:1", "", Mistake::new("refused", "connect", refused));
        let silent = format!("http://{ADDRESS}:{}", self.silent().await);
        let nothing = "nothing answers at the host and port in `url`: check both, and the firewalls in between";
        self.add(&silent, ", polling: {timeout: 4s}", Mistake::new("dropped", "timeout", nothing));
        // No name server is asked for a label of 64 letters.
        let host = format!("http://{}.example.com:6080", "a".repeat(64));
        let unknown = ".example.com` in `url` has no address: check the name, and the DNS server of this machine";
        self.add(&host, "", Mistake::new("unknown-host", "dns", unknown));
        let bad_request = b"HTTP/1.0 400 Bad Request\r\n\r\n<html>The plain HTTP request was sent to HTTPS port</html>";
        let page = format!("http://{ADDRESS}:{}", self.reply(bad_request).await);
        let tls = "the server at this port may expect TLS: use `https://` in `url`";
        let place = "the response is not from the API: check scheme, host and port in `url`";
        let mistake = Mistake { problem: place, ..Mistake::new("http-to-https-page", "login_refused", tls) };
        self.add(&page, "", mistake);
        let own = Identity::self_signed(ADDRESS, IsCa::NoCa);
        let port = self.behind_tls(usual(&own)).await;
        self.add(&format!("http://{ADDRESS}:{port}"), "", Mistake::new("http-to-https", "", tls));
        let url = self.appliance(sim::Settings::esa("esa1"), |_| {}).await.replace("http:", "https:");
        let no_tls = "the server on this port does not speak TLS";
        self.add(&url, "", Mistake { check: no_tls, ..Mistake::new("https-to-http", "tls", no_tls) });
        let web = b"HTTP/1.0 200 OK\r\n\r\n<html><body>Welcome</body></html>";
        let web = format!("http://{ADDRESS}:{}", self.reply(web).await);
        let port = "this may be the port of the web interface, or another server: check that it is the port of the API";
        self.add(&web, "", Mistake { problem: place, ..Mistake::new("web-interface", "login_refused", port) });
        let moved = b"HTTP/1.1 302 Found\r\nLocation: https://esa1.example.com/ng-login\r\nContent-Length: 0\r\n\r\n";
        let moved = format!("http://{ADDRESS}:{}", self.reply(moved).await);
        let target = "status 302 to esa1.example.com/ng-login";
        self.add(&moved, "", Mistake { log: port, ..Mistake::new("redirect", "redirect", target) });
        let url = self.appliance(sim::Settings::esa("esa1"), |_| {}).await;
        self.newest().inject(Fault::Status { code: 503, body: FaultBody::Html, retry_after: None }, On::every());
        let busy = "the appliance is overloaded or starting: check its system status if this continues";
        self.add(&url, "", Mistake::new("overloaded", "unavailable", busy));
    }

    async fn certificates(&mut self) {
        let own = Identity::self_signed(ADDRESS, IsCa::NoCa);
        let port = self.behind_tls(usual(&own)).await;
        let trust = "if it is the appliance's own, set `tls.ca_file`, or `tls.fingerprint_sha256: ";
        // The page has another apostrophe.
        let mistake = Mistake { problem: "own, set `tls.ca_file`, or", ..Mistake::new("self-signed", "tls", trust) };
        self.add(&format!("https://{ADDRESS}:{port}"), "", mistake);
        let port = self.behind_tls(demanding(&own, &Authority::new(), &TLS13)).await;
        let pin = format!(", tls: {{fingerprint_sha256: '{}'}}", fingerprint(&own));
        let wanted = "set `tls.cert_file` and `tls.key_file`";
        self.add(&format!("https://{ADDRESS}:{port}"), &pin, Mistake::new("client-certificate", "tls", wanted));
    }

    async fn account(&mut self) {
        let url = self.appliance(sim::Settings::esa("esa1"), |_| {}).await;
        let password = "the account is refused: correct `username` or the password";
        let refused = "refused: correct the password";
        let mistake = Mistake { problem: refused, ..Mistake::new("wrong-password", "login_refused", password) };
        self.add(&url, ", password: s3cret", mistake);
        let url = self.appliance(sim::Settings::esa("esa1"), |_| {}).await;
        self.newest().inject(Fault::Unauthorized("Unauthorized.".into()), On::login());
        let locked = "the password, and whether the account is locked";
        self.add(&url, "", Mistake::new("locked", "login_refused", locked));
        let url = self.appliance(sim::Settings::esa("esa1"), |behaviour| behaviour.two_factor = true).await;
        let second = "the account requires a second factor: configure `two_factor`, or use an account without one";
        self.add(&url, "", Mistake::new("second-factor", "two_factor", second));
        let all = || catalogue::groups().map(|group| group.name.to_string()).collect();
        let url = self.appliance(sim::Settings::esa("esa1"), |behaviour| behaviour.forbidden_groups = all()).await;
        let role = "give it the role Read-Only Operator";
        self.add(&url, "", Mistake::new("no-role", "not_allowed", role));
        let one = ["mail_system_capacity".to_owned()].into();
        let url = self.appliance(sim::Settings::esa("esa1"), |behaviour| behaviour.forbidden_groups = one).await;
        let role = "the role of the account does not allow this: give it the role Read-Only Operator";
        let one = "the role of the account does not allow mail_system_capacity";
        self.add(&url, "", Mistake { problem: one, ..Mistake::new("small-role", "not_allowed", role) });
    }

    async fn names(&mut self) {
        let product = "check `product` (`esa` or `sma`)";
        let url = self.appliance(sim::Settings::sma("sma1"), |_| {}).await;
        self.add(&url, "", Mistake::new("sma-as-esa", "login_refused", product));
        let url = self.appliance(sim::Settings::esa("esa1"), |_| {}).await;
        self.add(&url, ", product: sma", Mistake::new("esa-as-sma", "login_refused", product));
        let url = self.appliance(sim::Settings::sma("sma1"), |behaviour| behaviour.allow_basic = true).await;
        self.add(&url, ", auth: basic", Mistake::new("sma-as-esa-basic", "declined", product));
        let settings = || sim::Settings::sma("sma1").with_group("europe", &["esa3.example.com"]);
        let url = self.appliance(settings(), |_| {}).await;
        let group = "no report for device group `erope`: check the name in `device_groups`";
        self.add(&url, ", product: sma, device_groups: [erope]", Mistake::new("unknown-group", "declined", group));
        let url = self.appliance(settings(), |_| {}).await;
        let device = "no report for device `esa9.example.com`: check the name in `devices`";
        let rest = ", product: sma, devices: [esa9.example.com]";
        self.add(&url, rest, Mistake::new("unknown-device", "declined", device));
    }

    async fn appliance_state(&mut self) {
        let old = |behaviour: &mut Behaviour| behaviour.build = "12.5.3-041".into();
        let url = self.appliance(sim::Settings::esa("esa1"), old).await;
        let upgrade = "older than 13.0.0, the first release with this API: upgrade the appliance";
        self.add(&url, "", Mistake { log: "", ..Mistake::new("old-release", "", upgrade) });
        let url =
            self.appliance(sim::Settings::esa("esa1"), |behaviour| behaviour.clock_offset_secs = 3 * 86_400).await;
        let clock =
            Mistake { name: "wrong-clock", reason: "", problem: "its clock is not trusted", log: "", check: "NTP" };
        self.add(&url, "", clock);
        let url = self.appliance(sim::Settings::esa("esa1"), |_| {}).await;
        self.newest().inject(Fault::Huge(9 << 20), On::reports());
        let top = "the response is larger than any report should be: limit the rows of this group with `top`";
        self.add(&url, "", Mistake::new("too-large", "too_large", top));
    }
}

fn problems<'a>(status: &'a Value, name: &str) -> Vec<&'a str> {
    let appliances = status["appliances"].as_array().expect("a list").iter();
    let of = appliances.filter(|appliance| appliance["name"] == name);
    let problems = of.flat_map(|appliance| appliance["problems"].as_array().expect("a list"));
    problems.map(|problem| problem["text"].as_str().expect("a text")).collect()
}

/// The status once it has every problem; which it lacks, where that takes too long.
async fn status(place: &str, mistakes: &[Mistake]) -> Value {
    let is_shown = |status: &Value, mistake: &Mistake| {
        problems(status, mistake.name).iter().any(|problem| problem.contains(mistake.problem))
    };
    let began = tokio::time::Instant::now();
    loop {
        let text = rig::get(&format!("{place}/api/v1/status")).await.text().await.expect("a text");
        let status: Value = serde_json::from_str(&text).expect("JSON");
        let lacking: Vec<_> = mistakes.iter().filter(|mistake| !is_shown(&status, mistake)).collect();
        if lacking.is_empty() {
            return status;
        }
        let lacking: Vec<_> = lacking.iter().map(|it| (it.name, it.problem, problems(&status, it.name))).collect();
        assert!(began.elapsed() < PATIENCE, "{lacking:#?}");
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
}

/// Holds that a line about the appliance of each mistake has its text.
fn assert_lines(
    ended: &Ended,
    mistakes: &[Mistake],
    is_about: impl Fn(&str, &str) -> bool,
    part: fn(&Mistake) -> &str,
) {
    let has = |mistake: &Mistake| {
        let text = part(mistake);
        text.is_empty() || ended.stderr.lines().any(|line| is_about(line, mistake.name) && line.contains(text))
    };
    let lacking: Vec<_> = mistakes.iter().filter(|mistake| !has(mistake)).map(|it| (it.name, part(it))).collect();
    assert!(lacking.is_empty(), "{lacking:#?}\n{}", ended.stderr);
    assert!(!ended.stderr.contains("s3cret") && !ended.stderr.contains("ironport"), "{}", ended.stderr);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_mistake_is_shown_with_its_cause_and_what_to_do() {
    let mut fleet = Fleet::default();
    fleet.connection().await;
    fleet.certificates().await;
    fleet.account().await;
    fleet.names().await;
    fleet.appliance_state().await;
    let mistakes = &fleet.mistakes;
    let folder = Folder::new();
    let file = folder.write("config.yaml", format!("{DEFAULTS}{}", fleet.text));

    let mut daemon = Program::serve(&file, &[]);
    let place = format!("http://{}", daemon.address().await);
    status(&place, mistakes).await;
    let page = rig::get(&place).await.text().await.expect("a page");
    for Mistake { name, problem, .. } in mistakes {
        assert!(page.contains(problem), "{name}: {page}");
    }
    let ended = daemon.stop().await;
    let is_about = |line: &str, name: &str| line.contains(&format!("appliance={name} "));
    assert_lines(&ended, mistakes, is_about, |mistake| mistake.log);
    assert_lines(&ended, mistakes, is_about, |mistake| mistake.reason);

    let ended = Program::run(&["check", "--connect", &format!("--config.file={file}")]).await;
    assert_eq!(ended.code(), Some(1), "{ended:?}");
    assert_lines(&ended, mistakes, |line, name| line.starts_with(&format!("{name}: ")), |mistake| mistake.check);
    // An old release is a warning where everything can be read.
    let sum = format!("{} appliance(s) contacted: 1 work, {} do not", mistakes.len(), mistakes.len() - 1);
    assert!(ended.stdout.contains(&sum), "{ended:?}");
}

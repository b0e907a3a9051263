//! What a supervisor hears of the daemon, by systemd's protocol, and what a health check does.

use std::net::TcpListener as StdListener;
use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use asyncos_exporter::sim;

use crate::program::{DEFAULTS, Folder, HISTORY, Program, committed, simulate};
use crate::rig::{self, PATIENCE, entry, get};
use crate::web::{Site, TLS, hash};

/// Stands in for systemd.
struct Supervisor {
    socket: UnixDatagram,
    path: String,
}

impl Supervisor {
    fn new(folder: &Folder) -> Self {
        let path = folder.path("notify");
        let socket = UnixDatagram::bind(&path).expect("a socket");
        socket.set_nonblocking(true).expect("a socket");
        Self { socket, path }
    }

    /// Starts the daemon with the configuration in `file`.
    fn start(&self, file: &str, watchdog: Option<&str>) -> Program {
        let config = format!("--config.file={file}");
        let mut environment = vec![("NOTIFY_SOCKET", self.path.as_str())];
        environment.extend(watchdog.map(|within| ("WATCHDOG_USEC", within)));
        Program::start_with(&["serve", &config, "--web.listen-address=127.0.0.1:0"], &environment)
    }

    /// The next message, if there is one.
    fn received(&self) -> Option<String> {
        let mut message = [0; 4096];
        let length = self.socket.recv(&mut message).ok()?;
        Some(String::from_utf8(message[..length].to_vec()).expect("text"))
    }

    /// The next message with a line that begins with `part`, and what came before it.
    async fn hears(&self, part: &str) -> (String, Vec<String>) {
        let mut before = Vec::new();
        let wait = async {
            loop {
                match self.received() {
                    Some(message) if message.lines().any(|line| line.starts_with(part)) => return message,
                    Some(message) => before.push(message),
                    None => tokio::time::sleep(Duration::from_millis(10)).await,
                }
            }
        };
        match tokio::time::timeout(PATIENCE, wait).await {
            Ok(message) => (message, before),
            Err(_) => panic!("`{part}` was not said"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_supervisor_is_notified_of_start_fleet_reload_heartbeat_and_stop() {
    let esa = simulate(sim::Settings::esa("esa1")).await;
    let folder = Folder::new();
    let down = "  - {name: esa2, url: 'http://127.0.0.1:1', username: monitor, password: ironport}\n";
    let file = folder.write("c.yaml", format!("{DEFAULTS}{}{down}", entry("esa1", &esa, "")));
    let supervisor = Supervisor::new(&folder);
    let mut program = supervisor.start(&file, Some("600000"));
    let (first, before) = supervisor.hears("READY=1").await;
    // Whether one has answered by then is a matter of moments.
    let up = first.matches("1 up").count();
    assert_eq!(first, format!("READY=1\nSTATUS=2 appliances, {up} up, {} down\n", 2 - up));
    assert_eq!(before, Vec::<String>::new());
    let address = program.address().await;
    assert_eq!(get(&format!("http://{address}/-/ready")).await.status(), 200, "ready is ready");
    if up == 0 {
        supervisor.hears("STATUS=2 appliances, 1 up, 1 down").await;
    }
    for _ in 0..3 {
        assert_eq!(supervisor.hears("WATCHDOG=1").await.0, "WATCHDOG=1\n");
    }
    rig::until(address, "windows are had", |page| committed(page, "esa1") >= HISTORY).await;
    folder.write("c.yaml", format!("{DEFAULTS}{}", entry("esa1", &esa, "")));
    program.signal("HUP");
    let (reloading, _) = supervisor.hears("RELOADING=1").await;
    let since = reloading.strip_prefix("RELOADING=1\nMONOTONIC_USEC=").expect("when").trim_end();
    assert!(since.parse::<u64>().expect("a number") > 0);
    let (again, _) = supervisor.hears("READY=1").await;
    assert_eq!(again, "READY=1\nSTATUS=1 appliances, 1 up, 0 down\n");
    program.signal("TERM");
    assert_eq!(supervisor.hears("STOPPING=1").await.0, "STOPPING=1\nSTATUS=stopping\n");
    assert_eq!(program.ended().await.code(), Some(0));
    assert_eq!(supervisor.received(), None, "nothing after the end");
}

#[tokio::test]
async fn a_daemon_that_cannot_serve_never_says_that_it_is_ready() {
    let folder = Folder::new();
    let supervisor = Supervisor::new(&folder);
    let bad = supervisor.start(&folder.write("bad.yaml", "appliances: 7\n"), None).ended().await;
    assert_eq!(bad.code(), Some(78), "{bad:?}");
    let taken = StdListener::bind("127.0.0.1:0").expect("a free port");
    let address = format!("--web.listen-address={}", taken.local_addr().expect("bound"));
    let good = folder.write(
        "good.yaml",
        "appliances: [{name: esa1, url: 'http://127.0.0.1:1', username: monitor, password: ironport}]\n",
    );
    let arguments = ["serve", &format!("--config.file={good}"), &address];
    let busy = Program::start_with(&arguments, &[("NOTIFY_SOCKET", &supervisor.path)]).ended().await;
    assert_eq!(busy.code(), Some(1), "{busy:?}");
    assert_eq!(supervisor.received(), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_supervisor_that_has_gone_is_no_reason_to_end() {
    let esa = simulate(sim::Settings::esa("esa1")).await;
    let folder = Folder::new();
    let file = folder.write("c.yaml", format!("{DEFAULTS}{}", entry("esa1", &esa, "")));
    let gone = [("NOTIFY_SOCKET", folder.path("gone")), ("WATCHDOG_USEC", "30000".into())];
    let environment: Vec<(&str, &str)> = gone.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let config = format!("--config.file={file}");
    let mut program = Program::start_with(&["serve", &config, "--web.listen-address=127.0.0.1:0"], &environment);
    let address = program.address().await;
    program.logs("sd_notify failed").await;
    rig::until(address, "windows are had", |page| committed(page, "esa1") >= HISTORY).await;
    let ended = program.stop().await;
    assert_eq!(ended.stderr.matches("sd_notify failed").count(), 1, "{ended:?}");
}

#[tokio::test]
async fn a_health_check_asks_the_daemon() {
    let folder = Folder::new();
    let file = folder.write(
        "c.yaml",
        "appliances: [{name: esa1, url: 'http://127.0.0.1:1', username: monitor, password: ironport}]\n",
    );
    let mut program = Program::serve(&file, &[]);
    let address = program.address().await;
    let check = async |url: &str| Program::run(&["healthcheck", &format!("--url={url}")]).await;
    let healthy = check(&format!("http://{address}/-/healthy")).await;
    assert_eq!((healthy.code(), healthy.stdout.as_str(), healthy.stderr.as_str()), (Some(0), "healthy\n", ""));
    let nowhere = format!("http://{address}/nowhere");
    let missing = check(&nowhere).await;
    assert_eq!((missing.code(), missing.stderr), (Some(1), format!("{nowhere} answers 404: no such page\n")));
    let tls = check(&format!("https://{address}/-/healthy")).await;
    assert_eq!(tls.code(), Some(1), "it speaks no TLS: {tls:?}");
    program.stop().await;
    let gone = format!("http://{address}/-/healthy");
    let refused = check(&gone).await;
    let said = format!("no answer from {gone}: Connection refused (os error 111)\n");
    assert_eq!((refused.code(), refused.stderr), (Some(1), said));
    let silent = StdListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}/", silent.local_addr().expect("bound"));
    let ended = Program::run(&["healthcheck", &format!("--url={url}"), "--timeout=50ms"]).await;
    assert_eq!((ended.code(), ended.stderr), (Some(1), format!("no answer from {url} within 50ms\n")));
    assert_eq!(check("ftp://127.0.0.1/").await.code(), Some(1));
}

#[tokio::test]
async fn a_health_check_needs_neither_a_certificate_nor_a_user() {
    let site = Site::new();
    let users = format!("basic_auth_users: {{monitor: {}}}\n", hash());
    for (web, said) in [
        (TLS.to_owned(), "healthy\n"),
        (
            TLS.to_owned() + &users,
            "it responds and requires \
    authentication\n",
        ),
    ] {
        let mut program = site.serve(&web, &[]);
        let address = program.address().await;
        let ended = Program::run(&["healthcheck", &format!("--url=https://{address}/-/healthy")]).await;
        assert_eq!((ended.code(), ended.stdout.as_str()), (Some(0), said), "{ended:?}");
        program.stop().await;
    }
}

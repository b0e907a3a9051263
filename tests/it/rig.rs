//! Wires simulated appliances and the daemon in one process, on a time lapse, and waits for what its page shows.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use asyncos_exporter::app::supervisor::Supervisor;
use asyncos_exporter::app::{App, Settings};
use asyncos_exporter::base::clock::{Clock, Timestamp};
use asyncos_exporter::base::shutdown::Shutdown;
use asyncos_exporter::config::{Config, ConfigFile};
use asyncos_exporter::http::{Lifecycle, Listen, Protection, WebPaths};
use asyncos_exporter::sim;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::deadline::Deadline;
use crate::exposition::Page;

/// 2026-11-23T12:00:30Z, a Monday: where every time lapse begins.
pub(crate) const BEGINNING: u64 = 1_795_435_230;
/// How long an outcome is waited for before a test gives up; never how long something may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// How long a test may take after the last appliance was simulated, before it is taken to hang.
const LONGEST_TEST: Duration = Duration::from_secs(600);

thread_local! {
    /// The deadline of the test that this thread runs.
    static DEADLINE: std::cell::RefCell<Option<Deadline>> = const { std::cell::RefCell::new(None) };
}

pub(crate) fn lapse(rate: u32) -> Clock {
    Clock::lapse(Timestamp::from_secs(BEGINNING), rate)
}

/// A simulated appliance that lives on `clock`.
pub(crate) async fn simulate(settings: sim::Settings, clock: &Clock) -> sim::Appliance {
    DEADLINE.set(Some(Deadline::new("the test with simulated appliances", LONGEST_TEST)));
    let clock = clock.clone();
    let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let now: sim::Now = Arc::new(move || clock.wall().into());
    sim::Appliance::start(settings, anywhere, now).await.expect("a simulated appliance")
}

/// Configuration for a simulated appliance, which is asked for nothing but reports unless `rest` says so.
pub(crate) fn entry(name: &str, appliance: &sim::Appliance, rest: &str) -> String {
    let mut rest = if rest.is_empty() { String::new() } else { format!(", {rest}") };
    for key in ["health", "quarantines", "inventory"] {
        if !rest.contains(&format!("{key}:")) {
            rest += &format!(", {key}: false");
        }
    }
    format!("  - {{name: {name}, url: '{}', username: monitor, password: ironport{rest}}}\n", appliance.url())
}

/// A running daemon.
pub(crate) struct Rig {
    pub(crate) address: SocketAddr,
    pub(crate) lifecycle: mpsc::Sender<Lifecycle>,
    stop: Shutdown,
    task: JoinSet<()>,
}

impl Rig {
    /// Runs the daemon with this configuration on `clock`.
    pub(crate) async fn start(text: &str, clock: &Clock) -> Self {
        Self::start_with(text, None, clock).await
    }

    /// As [`Rig::start_file`], with counters that begin at 0, as the daemon shows them.
    pub(crate) async fn start_held(file: &Path, clock: &Clock) -> Self {
        let mut file = ConfigFile::new(file.to_owned());
        let config = file.read().unwrap_or_else(|error| panic!("{error}"));
        let hold = asyncos_exporter::snapshot::Hold::AWindow;
        Self::run(config, Settings { config_file: Some(file), hold, ..settings() }, clock).await
    }

    /// As [`Rig::start_held`], with totals that are kept in `storage`.
    pub(crate) async fn start_stored_held(file: &Path, storage: &Path, clock: &Clock) -> Self {
        let mut file = ConfigFile::new(file.to_owned());
        let config = file.read().unwrap_or_else(|error| panic!("{error}"));
        let (hold, storage_path) = (asyncos_exporter::snapshot::Hold::AWindow, Some(storage.to_owned()));
        Self::run(config, Settings { config_file: Some(file), storage_path, hold, ..settings() }, clock).await
    }

    /// As [`Rig::start`], with totals that are kept in `storage`.
    pub(crate) async fn start_stored(text: &str, storage: &Path, clock: &Clock) -> Self {
        Self::start_with(text, Some(storage.to_owned()), clock).await
    }

    /// Runs the daemon with the configuration in `file`, which is looked at every `auto_reload` of `clock`.
    pub(crate) async fn start_file(file: &Path, auto_reload: Option<Duration>, clock: &Clock) -> Self {
        let mut file = ConfigFile::new(file.to_owned());
        let config = file.read().unwrap_or_else(|error| panic!("{error}"));
        Self::run(config, Settings { config_file: Some(file), auto_reload, ..settings() }, clock).await
    }

    async fn start_with(text: &str, storage_path: Option<PathBuf>, clock: &Clock) -> Self {
        let config = Config::parse("rig", text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        Self::run(config, Settings { storage_path, ..settings() }, clock).await
    }

    async fn run(config: Config, settings: Settings, clock: &Clock) -> Self {
        let app = App::bind(settings, config, clock.clone()).await.expect("a free port");
        let (address, stop) = (app.addresses()[0].socket().expect("a port"), Shutdown::new());
        let (lifecycle, received) = mpsc::channel(1);
        let mut task = JoinSet::new();
        let until = stop.clone();
        task.spawn(async move { app.run(received, until).await.expect("the daemon runs") });
        Self { address, lifecycle, stop, task }
    }

    pub(crate) async fn get(&self, path: &str) -> reqwest::Response {
        get(&format!("http://{}{path}", self.address)).await
    }

    pub(crate) async fn text(&self) -> String {
        self.get("/metrics").await.text().await.expect("a page")
    }

    /// The page as it is now; a page that breaks the format fails the test.
    pub(crate) async fn page(&self) -> Page {
        page(self.address).await
    }

    /// The first page that satisfies `enough`.
    pub(crate) async fn until(&self, what: &str, enough: impl Fn(&Page) -> bool) -> Page {
        until(self.address, what, enough).await
    }

    /// Asks the daemon to read its file again.
    pub(crate) async fn reload(&self) {
        let answer = client().post(format!("http://{}/-/reload", self.address)).send().await.expect("an answer");
        assert_eq!(answer.status(), 200, "{}", answer.text().await.expect("a text"));
    }

    /// Drops the daemon in the middle of what it does, and waits until `storage` is free.
    pub(crate) async fn kill(mut self, storage: &Path) {
        self.task.shutdown().await;
        let wait = async {
            let file = std::fs::File::open(storage.join("state.redb")).expect("a state");
            while file.try_lock().is_err() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(PATIENCE, wait).await.expect("nothing holds the state of a daemon that was dropped");
    }

    /// Ends the daemon and waits for it.
    pub(crate) async fn end(mut self) {
        self.stop.request();
        let wait = async {
            while let Some(ended) = self.task.join_next().await {
                ended.expect("the daemon ends in order");
            }
        };
        tokio::time::timeout(PATIENCE, wait).await.expect("the daemon ends once it is told to");
    }
}

/// As nobody has asked for anything else.
fn settings() -> Settings {
    Settings {
        listen: Listen::Addresses(vec!["127.0.0.1:0".into()]),
        paths: WebPaths::new("/metrics".into(), None, None),
        exporter_metrics: true,
        max_requests: 40,
        lifecycle: true,
        protection: Protection::default(),
        storage_path: None,
        reset_logins: false,
        config_file: None,
        auto_reload: None,
        hold: asyncos_exporter::snapshot::Hold::No,
        supervisor: Supervisor::default(),
    }
}

/// The page of the daemon at `address`; one that breaks the format fails the test.
pub(crate) async fn page(address: SocketAddr) -> Page {
    let text = get(&format!("http://{address}/metrics")).await.text().await.expect("a page");
    Page::parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// The first page of the daemon at `address` that satisfies `enough`.
pub(crate) async fn until(address: SocketAddr, what: &str, enough: impl Fn(&Page) -> bool) -> Page {
    let wait = async {
        loop {
            let page = page(address).await;
            if enough(&page) {
                return page;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    match tokio::time::timeout(PATIENCE, wait).await {
        Ok(page) => page,
        Err(_) => panic!("waited in vain until {what}\n{:#?}", page(address).await),
    }
}

pub(crate) async fn get(url: &str) -> reqwest::Response {
    client().get(url).send().await.expect("an answer")
}

/// A client without TLS, proxies or patience.
pub(crate) fn client() -> reqwest::Client {
    client_of(rustls::RootCertStore::empty())
}

/// The same, which trusts the certificate in `pem`.
#[cfg(feature = "external-tests")]
pub(crate) fn client_trusting(pem: &[u8]) -> reqwest::Client {
    use rustls::pki_types::pem::PemObject;
    let mut roots = rustls::RootCertStore::empty();
    roots.add(rustls::pki_types::CertificateDer::from_pem_slice(pem).expect("a certificate")).expect("a root");
    client_of(roots)
}

fn client_of(roots: rustls::RootCertStore) -> reqwest::Client {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(PATIENCE)
        .build()
        .expect("a client")
}

/// The windows of `group` that the appliance was asked for and answered, in order of arrival, as seconds since 1970.
pub(crate) fn answered(appliance: &sim::Appliance, group: &str) -> Vec<(u64, u64)> {
    let requests = appliance.requests();
    let reports = requests.iter().filter(|request| {
        request.status == 200
            && matches!(&request.kind, sim::RequestKind::Report { group: asked, .. } if asked == group)
    });
    reports.filter_map(|request| request.window).collect()
}

/// Where the totals of `group` begin: with the oldest window that the appliance answered.
pub(crate) fn begun(appliance: &sim::Appliance, group: &str) -> u64 {
    answered(appliance, group).into_iter().map(|(start, _)| start).min().expect("a window was answered")
}

/// Panics unless the distinct windows follow each other without gap or overlap.
pub(crate) fn assert_contiguous(mut windows: Vec<(u64, u64)>) {
    windows.dedup();
    for pair in windows.windows(2) {
        assert_eq!(pair[0].1, pair[1].0, "a gap or an overlap in {windows:?}");
    }
}

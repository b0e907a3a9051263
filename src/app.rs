//! The composition root: builds every part once, wires it, and keeps the daemon in one piece until it must stop.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use crate::api::LoginFailureLog;
use crate::app::supervisor::Supervisor;
use crate::base::clock::Clock;
use crate::base::heartbeat::Watchdog;
use crate::base::shutdown::Shutdown;
use crate::config::{Config, ConfigFile};
use crate::exposition::{PageCache, PageRenderer};
use crate::http::{self, Address, Bound, Lifecycle, Limits, Listen, Pages, Protection, WebPaths};
use crate::poll::PollContext;
use crate::snapshot::Hold;
use crate::store::{OpenError, Store};
use crate::telemetry::{self, Telemetry};

mod fleet;
pub mod logging;
mod pages;
mod reloader;
mod state;
pub mod supervisor;

use fleet::Fleet;
use pages::{Sources, Stage};
use reloader::{ConfigReloader, LoadedFiles, ReloadTrigger};
use state::PersistentState;
pub use state::StateCopy;

/// Requests to reload or quit that wait while one is carried out.
const WAITING_REQUESTS: usize = 4;

/// The refused logins in the state in `directory`, for a command that logs in beside the daemon's starts; in memory where
/// there is no state, which is not created.
///
/// # Errors
/// When there is a state that cannot be used, for one because an exporter is running with it.
pub fn login_failures(directory: &Path, clock: &Clock) -> Result<LoginFailureLog, AppError> {
    if !Store::is_in(directory) {
        return Ok(LoginFailureLog::in_memory());
    }
    Ok(state::open(Some(directory), &Arc::new(Telemetry::try_new()?), clock)?.refusals)
}

/// A copy of the state in `directory`, for a command that must know what the daemon has counted. The state is closed again:
/// the daemon can start.
///
/// # Errors
/// As [`login_failures`], and when there is no state, which is not created, or a damaged one, which stays where it is.
pub fn copy_state(directory: &Path) -> Result<StateCopy, AppError> {
    Ok(state::copy(directory)?)
}

/// Settings from the command line.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where to listen.
    pub listen: Listen,
    /// The addresses of the pages.
    pub paths: WebPaths,
    /// Whether there are metrics about the process and its web server.
    pub exporter_metrics: bool,
    /// Scrapes served at once; 0 for any number.
    pub max_requests: usize,
    /// Whether reloading and quitting over HTTP is allowed.
    pub lifecycle: bool,
    /// TLS, headers and users of the web side.
    pub protection: Protection,
    /// The directory of the state; none for state in memory.
    pub storage_path: Option<PathBuf>,
    /// Whether refused logins of before are forgotten.
    pub reset_logins: bool,
    /// The file that a reload reads again; none for a configuration that came from elsewhere.
    pub config_file: Option<ConfigFile>,
    /// Time between two looks whether that file has changed; never where absent.
    pub auto_reload: Option<Duration>,
    /// Whether counters that begin are first shown without their first events.
    pub hold: Hold,
    /// The supervisor to notify.
    pub supervisor: Supervisor,
}

/// Why the daemon ended without being asked to, or did not begin.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The address to listen on cannot be had.
    #[error(transparent)]
    Bind(#[from] http::BindError),
    /// The state cannot be used.
    #[error(transparent)]
    State(#[from] OpenError),
    /// An appliance's client cannot be built.
    #[error("appliance `{appliance}`: {failure}")]
    Client {
        /// The appliance.
        appliance: String,
        /// Why.
        failure: crate::api::Failure,
    },
    /// Refused logins could not be forgotten.
    #[error("--login.reset: {0}")]
    Reset(String),
    /// Our own metrics contradict each other.
    #[error("metrics: {0}")]
    Metrics(#[from] telemetry::MetricError),
    /// A task that must run as long as the daemon has ended.
    #[error("the task of {0} ended unexpectedly")]
    TaskEnded(String),
}

/// The daemon, listening but not polling yet.
#[derive(Debug)]
pub struct App {
    bound: Bound,
    daemon: Daemon,
}

#[derive(Debug)]
struct Daemon {
    settings: Settings,
    in_force: watch::Sender<Arc<Config>>,
    fleet: Fleet,
    refusals: LoginFailureLog,
    telemetry: Arc<Telemetry>,
    context: PollContext,
    /// Error of the configuration as it was read last; the one in force is older then.
    wrong: Option<String>,
}

impl App {
    /// Builds the daemon and binds its address.
    ///
    /// # Errors
    /// When the state cannot be used or the address cannot be bound.
    pub async fn bind(settings: Settings, config: Config, clock: Clock) -> Result<Self, AppError> {
        let telemetry = Telemetry::try_new()?;
        let telemetry = if settings.exporter_metrics { telemetry } else { telemetry.without_exporter_metrics() };
        let telemetry = Arc::new(telemetry);
        let PersistentState { ledger, refusals } = state::open(settings.storage_path.as_deref(), &telemetry, &clock)?;
        if settings.reset_logins {
            forget(&refusals).await.map_err(AppError::Reset)?;
        }
        let context = PollContext {
            clock,
            ledger: Arc::new(ledger),
            snapshots: Arc::default(),
            families: Arc::default(),
            hold: settings.hold,
            watchdog: Watchdog::default(),
        };
        let bound = Bound::open(&settings.listen).await?;
        let (in_force, _) = watch::channel(Arc::new(config));
        let fleet = Fleet::new(context.clone(), Arc::clone(&telemetry), refusals.clone());
        Ok(Self { bound, daemon: Daemon { settings, in_force, fleet, refusals, telemetry, context, wrong: None } })
    }

    /// Where the daemon listens, with the ports that were chosen.
    #[must_use]
    pub fn addresses(&self) -> Vec<Address> {
        self.bound.addresses()
    }

    /// Whether clients speak TLS.
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        self.daemon.settings.protection.is_encrypted()
    }

    /// Whether everybody who reaches this machine can read the pages: on every address, without users.
    #[must_use]
    pub fn is_open_to_all(&self) -> bool {
        let addresses = self.bound.addresses();
        let is_everywhere = addresses.iter().filter_map(Address::socket).any(|address| address.ip().is_unspecified());
        is_everywhere && !self.daemon.settings.protection.has_users()
    }

    /// Polls and serves until `stop` is requested or `requests` brings [`Lifecycle::Quit`].
    ///
    /// # Errors
    /// When an appliance's client cannot be built, or a task ends that should not: the supervisor restarts us then.
    pub async fn run(self, mut requests: mpsc::Receiver<Lifecycle>, stop: Shutdown) -> Result<(), AppError> {
        let Self { bound, mut daemon } = self;
        let config = Arc::clone(&daemon.in_force.borrow());
        daemon.fleet.apply(&config).await?;
        daemon.telemetry.config_loaded(daemon.context.clock.wall());
        let (by_http, mut from_http) = mpsc::channel(WAITING_REQUESTS);
        let (stage, until) = watch::channel(Stage::Ready);
        let PollContext { clock, snapshots, .. } = daemon.context.clone();
        let (renderer, cache) =
            PageRenderer::new(snapshots, Arc::clone(&daemon.telemetry), clock, daemon.settings.hold);
        cache.date_counters(config.created_timestamps);
        let pages = daemon.pages(cache.clone(), until, daemon.settings.lifecycle.then_some(by_http));
        let limits = Limits { max_scrapes: daemon.settings.max_requests };
        // Not children of `stop`: they are asked to end below, and their end before that is a fault.
        let (serving, printing) = (Shutdown::new(), Shutdown::new());
        let (mut server, mut printer) = (JoinSet::new(), JoinSet::new());
        printer.spawn(renderer.run(printing.clone()));
        let protection = daemon.settings.protection.clone();
        let telemetry = Arc::clone(&daemon.telemetry);
        protection.report_to(move |successful| telemetry.web_config_read(successful));
        server.spawn(bound.serve(pages, limits, protection, serving.clone()));
        let mut reader = daemon.reader();
        let heartbeat = daemon.context.watchdog.begin("the daemon");
        let mut supervisor = std::mem::take(&mut daemon.settings.supervisor);
        supervisor.serves(daemon.fleet_summary());
        let outcome = loop {
            heartbeat.beat();
            // The wish to quit may wait as long as a reading: it ends by itself, and a signal is heard meanwhile.
            let is_idle = reader.is_idle();
            let request = tokio::select! {
                () = stop.requested() => break Ok(()),
                ended = daemon.fleet.ended() => break Err(AppError::TaskEnded(ended)),
                _ = server.join_next() => break Err(AppError::TaskEnded("the HTTP server".into())),
                _ = printer.join_next() => break Err(AppError::TaskEnded("the page renderer".into())),
                reading = reader.next(daemon.wrong.is_some()) => {
                    daemon.conclude(reading, &cache).await;
                    supervisor.has_reloaded(daemon.fleet_summary());
                    continue;
                }
                Some(request) = requests.recv(), if is_idle => request,
                Some(request) = from_http.recv(), if is_idle => request,
                () = heartbeat.due() => continue,
                () = supervisor.due() => {
                    supervisor.report(&daemon.context.watchdog, daemon.fleet_summary());
                    continue;
                }
            };
            match request {
                Lifecycle::Quit => break Ok(()),
                Lifecycle::Reload(answer) => {
                    supervisor.reloads();
                    reader.ask(answer);
                }
                // Whoever asked may have gone.
                Lifecycle::ResetLogins(answer) => drop(answer.send(forget(&daemon.refusals).await)),
            }
        };
        drop(heartbeat);
        supervisor.ends();
        // Whoever is asked by a balancer says no before nobody answers any more.
        stage.send_replace(Stage::Ending);
        daemon.fleet.stop().await;
        serving.request();
        while server.join_next().await.is_some() {}
        // Scrapes that were waiting have had their page.
        printing.request();
        while printer.join_next().await.is_some() {}
        outcome
    }
}

impl Daemon {
    fn pages(
        &self,
        cache: PageCache,
        stage: watch::Receiver<Stage>,
        lifecycle: Option<mpsc::Sender<Lifecycle>>,
    ) -> Pages {
        let in_force = self.in_force.subscribe();
        let metrics = move |scrape| -> http::Scraped {
            let (cache, config) = (cache.clone(), Arc::clone(&in_force.borrow()));
            Box::pin(async move { cache.scrape(&scrape, &config.custom_groups).await })
        };
        let sources = Sources {
            context: self.context.clone(),
            telemetry: Arc::clone(&self.telemetry),
            paths: self.settings.paths.clone(),
            in_force: self.in_force.subscribe(),
            stage,
        };
        sources.pages(Arc::new(metrics), lifecycle)
    }

    /// Summary of the fleet for people.
    fn fleet_summary(&self) -> String {
        let all = self.in_force.borrow().appliances.len();
        let now = self.context.clock.tick();
        let up = self.context.snapshots.read().iter().filter(|snapshot| snapshot.is_up(now)).count();
        format!("{all} appliances, {up} up, {} down", all.saturating_sub(up))
    }

    /// The part that reads the configuration again.
    fn reader(&mut self) -> ConfigReloader {
        let Settings { config_file, auto_reload, protection, .. } = &mut self.settings;
        ConfigReloader::new(config_file.take(), protection.clone(), *auto_reload, self.context.clock.clone())
    }

    /// Puts in force what was read. A wrong configuration changes nothing; the web side has done its part already.
    async fn conclude(&mut self, reading: LoadedFiles, cache: &PageCache) {
        let LoadedFiles { cause, config, web } = reading;
        let config = match config {
            None => return,
            Some(Ok(config)) => self.take(config, cache).await.map_err(|error| error.to_string()),
            Some(Err(error)) => Err(error.to_string()),
        };
        let is_news = matches!(cause, ReloadTrigger::Asked(_)) || config.as_ref().err() != self.wrong.as_ref();
        match &config {
            Ok(()) => {
                self.telemetry.config_loaded(self.context.clock.wall());
                tracing::info!("configuration reloaded");
            }
            Err(error) => {
                self.telemetry.config_refused();
                if is_news {
                    tracing::error!(%error, "configuration reload failed; keeping the previous configuration");
                } else {
                    tracing::debug!(%error, "configuration still invalid; keeping the previous configuration");
                }
            }
        }
        self.wrong = config.as_ref().err().cloned();
        // Whoever hears of the outcome is to see it.
        cache.outdate();
        if let ReloadTrigger::Asked(asker) = cause {
            let wrong: Vec<String> = config.err().into_iter().chain(web.err().map(|error| chain(&error))).collect();
            // Whoever asked may have gone.
            let _ = asker.send(if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n")) });
        }
    }

    async fn take(&mut self, config: Config, cache: &PageCache) -> Result<(), AppError> {
        self.fleet.apply(&config).await?;
        warn(&config);
        cache.date_counters(config.created_timestamps);
        self.in_force.send_replace(Arc::new(config));
        Ok(())
    }
}

/// An error with its causes: its own text is its level only.
pub(crate) fn chain(error: &dyn Error) -> String {
    let causes = std::iter::successors(error.source(), |&cause| cause.source());
    causes.fold(error.to_string(), |said, cause| format!("{said}: {cause}"))
}

/// Forgets refused logins, so that they are tried again within half a minute.
async fn forget(refusals: &LoginFailureLog) -> Result<(), String> {
    refusals.reset().await?;
    tracing::info!("login failures reset");
    Ok(())
}

/// Logs what is allowed and yet should be known.
pub fn warn(config: &Config) {
    for warning in &config.warnings {
        tracing::warn!(%warning, "configuration");
    }
}

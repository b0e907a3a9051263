//! The composition root: builds every part once, wires it, and keeps the daemon in one piece until it is told to stop.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

use crate::api::Refusals;
use crate::clock::Clock;
use crate::config::{Config, ConfigError};
use crate::exposition;
use crate::http::{self, Bound, Lifecycle, Limits, Pages, Protection};
use crate::poll::Desk;
use crate::snapshot::Board;
use crate::stop::Stop;
use crate::store::OpenError;
use crate::telemetry::{self, Telemetry};

mod fleet;
mod state;

use fleet::Fleet;
use state::Kept;

/// Wishes to reload or quit that wait while one is carried out.
const WAITING_WISHES: usize = 4;

/// What the command line says.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where to listen, such as `:10042`.
    pub listen_address: String,
    /// The path of the metrics.
    pub telemetry_path: String,
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
    pub config_file: Option<PathBuf>,
}

/// Why the daemon ended without being asked to, or did not begin.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The configuration is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
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
    #[error("the task of {0} has ended by itself")]
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
    config: Config,
    fleet: Fleet,
    refusals: Refusals,
    telemetry: Arc<Telemetry>,
    desk: Desk,
}

impl App {
    /// Builds the daemon and binds its address.
    ///
    /// # Errors
    /// When the state cannot be used or the address cannot be bound.
    pub async fn bind(settings: Settings, config: Config, clock: Clock) -> Result<Self, AppError> {
        let telemetry = Arc::new(Telemetry::try_new()?);
        let Kept { ledger, refusals } = state::open(settings.storage_path.as_deref(), &telemetry, &clock)?;
        if settings.reset_logins {
            forget(&refusals).await.map_err(AppError::Reset)?;
        }
        let desk = Desk { clock, ledger: Arc::new(ledger), board: Arc::new(Board::default()) };
        let bound = Bound::bind(&settings.listen_address).await?;
        let fleet = Fleet::new(desk.clone(), Arc::clone(&telemetry), refusals.clone());
        Ok(Self { bound, daemon: Daemon { settings, config, fleet, refusals, telemetry, desk } })
    }

    /// Where the daemon listens, with the port that was chosen.
    #[must_use]
    pub fn address(&self) -> std::net::SocketAddr {
        self.bound.address()
    }

    /// Whether clients speak TLS.
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        self.daemon.settings.protection.is_encrypted()
    }

    /// Polls and serves until `stop` is requested or `wishes` brings [`Lifecycle::Quit`].
    ///
    /// # Errors
    /// When an appliance's client cannot be built, or a task ends that should not: the supervisor restarts us then.
    pub async fn run(self, mut wishes: mpsc::Receiver<Lifecycle>, stop: Stop) -> Result<(), AppError> {
        let Self { bound, mut daemon } = self;
        daemon.fleet.apply(&daemon.config).await?;
        daemon.telemetry.config_loaded(daemon.desk.clock.wall());
        let (by_http, mut from_http) = mpsc::channel(WAITING_WISHES);
        let pages = daemon.pages(daemon.settings.lifecycle.then_some(by_http));
        let limits = Limits { max_scrapes: daemon.settings.max_requests };
        // Not a child of `stop`: the server is asked to end below, and its end before that is a fault.
        let serving = Stop::new();
        let mut server = JoinSet::new();
        let protection = daemon.settings.protection.clone();
        let telemetry = Arc::clone(&daemon.telemetry);
        protection.report_to(move |successful| telemetry.web_config_read(successful));
        server.spawn(bound.serve(pages, limits, protection, serving.clone()));
        let outcome = loop {
            let wish = tokio::select! {
                () = stop.requested() => break Ok(()),
                ended = daemon.fleet.ended() => break Err(AppError::TaskEnded(ended)),
                _ = server.join_next() => break Err(AppError::TaskEnded("the HTTP server".into())),
                Some(wish) = wishes.recv() => wish,
                Some(wish) = from_http.recv() => wish,
            };
            match wish {
                Lifecycle::Quit => break Ok(()),
                Lifecycle::Reload(answer) => daemon.reload(answer).await,
                // Whoever asked may have gone.
                Lifecycle::ResetLogins(answer) => drop(answer.send(forget(&daemon.refusals).await)),
            }
        };
        serving.request();
        daemon.fleet.stop().await;
        while server.join_next().await.is_some() {}
        outcome
    }
}

impl Daemon {
    fn pages(&self, lifecycle: Option<mpsc::Sender<Lifecycle>>) -> Pages {
        let Desk { clock, board, .. } = self.desk.clone();
        let telemetry = Arc::clone(&self.telemetry);
        let metrics = move || {
            let mut page = Vec::new();
            exposition::render(&board.read(), &clock, &mut page);
            telemetry.render(&mut page);
            Bytes::from(page)
        };
        let landing = Bytes::from(http::landing::page(telemetry::VERSION, &self.settings.telemetry_path));
        Pages {
            telemetry_path: self.settings.telemetry_path.clone(),
            metrics: Arc::new(metrics),
            landing: Arc::new(move || landing.clone()),
            ready: Arc::new(|| true),
            lifecycle,
        }
    }

    /// Reads the configuration again. A wrong one changes nothing.
    async fn reload(&mut self, answer: oneshot::Sender<Result<(), String>>) {
        let outcome = match self.settings.config_file.clone() {
            None => Err("the configuration did not come from a file".to_owned()),
            Some(file) => self.take(&file).await.map_err(|error| error.to_string()),
        };
        match &outcome {
            Ok(()) => {
                self.telemetry.config_loaded(self.desk.clock.wall());
                tracing::info!("configuration reloaded");
            }
            Err(error) => {
                self.telemetry.config_refused();
                tracing::error!(%error, "configuration not reloaded, the old one stays");
            }
        }
        // Whoever asked may have gone.
        let _ = answer.send(outcome);
    }

    async fn take(&mut self, file: &Path) -> Result<(), AppError> {
        let config = Config::load(file)?;
        self.fleet.apply(&config).await?;
        warn(&config);
        Ok(())
    }
}

/// Forgets refused logins, so that they are tried again within half a minute.
async fn forget(refusals: &Refusals) -> Result<(), String> {
    refusals.reset().await?;
    tracing::info!("refused logins are forgotten");
    Ok(())
}

/// Logs what is allowed and yet should be known.
pub fn warn(config: &Config) {
    for warning in &config.warnings {
        tracing::warn!(%warning, "configuration");
    }
}

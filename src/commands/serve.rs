//! `serve`: the daemon.

use std::error::Error;

use tokio::sync::mpsc;

use crate::app::logging;
use crate::app::supervisor::Supervisor;
use crate::app::{self, App, AppError, Settings, chain};
use crate::base::clock::Clock;
use crate::base::shutdown::Shutdown;
use crate::cli::Serve;
use crate::config::ConfigFile;
use crate::snapshot::Hold;

use super::signals::Signals;
use super::{CONFIGURATION, RUNTIME, eprint_line, point_to_first_steps, protection};

pub(super) async fn serve(flags: Serve) -> u8 {
    let clock = Clock::system();
    let mut file = ConfigFile::new(flags.config_file.clone());
    let (config, protection) = match (file.read(), protection(flags.web_config_file)) {
        (Ok(config), Ok(protection)) => (config, protection),
        (config, protection) => {
            // Both at once: who corrects one wants to know of the other.
            if let Err(error) = config {
                eprint_line(error);
                point_to_first_steps(&flags.config_file);
            }
            protection.err().iter().for_each(|error| eprint_line(chain(error)));
            return CONFIGURATION;
        }
    };
    logging::install(flags.log.level.into(), flags.log.format.into(), clock.clone());
    tracing::info!(version = crate::telemetry::VERSION, "starting");
    app::warn(&config);
    protection.warn();
    let settings = Settings {
        listen: flags.web.listen(),
        paths: flags.web.paths(),
        exporter_metrics: !flags.web.disable_exporter_metrics,
        max_requests: flags.web.max_requests,
        lifecycle: flags.web_enable_lifecycle,
        protection,
        storage_path: flags.storage_path.filter(|path| !path.as_os_str().is_empty()),
        reset_logins: flags.login_reset,
        config_file: Some(file),
        auto_reload: flags.config_enable_auto_reload.then_some(flags.config_auto_reload_interval),
        hold: Hold::AWindow,
        supervisor: Supervisor::from_environment(),
    };
    if settings.storage_path.is_none() {
        tracing::warn!("state is kept in memory; totals start at zero after every restart (set --storage.path)");
    }
    match App::bind(settings, config, clock).await {
        Ok(app) => run(app).await,
        Err(error) => failed(&error),
    }
}

/// Runs the daemon until a signal ends it.
pub(super) async fn run(app: App) -> u8 {
    // Before the world is told that we run: whoever reads it may signal at once.
    let signals = match Signals::try_new() {
        Ok(signals) => signals,
        Err(error) => {
            tracing::error!(%error, "cannot catch signals");
            return RUNTIME;
        }
    };
    for address in app.addresses() {
        tracing::info!(%address, tls = app.is_encrypted(), "listening");
    }
    if app.is_open_to_all() {
        tracing::warn!(
            "listening on all addresses without authentication: anyone who can connect can read all metrics, the \
            status and the configuration without its secrets (--web.config.file adds users and TLS)"
        );
    }
    let stop = Shutdown::new();
    let (sender, requests) = mpsc::channel(1);
    tokio::select! {
        outcome = app.run(requests, stop.clone()) => match outcome {
            Ok(()) => {
                tracing::info!("stopped");
                0
            }
            Err(error) => failed(&error),
        },
        () = signals.drive(stop, sender) => RUNTIME,
    }
}

fn failed(error: &AppError) -> u8 {
    tracing::error!(error = error as &dyn Error, "fatal error, exiting");
    match error {
        AppError::Bind(_)
        | AppError::State(_)
        | AppError::Client { .. }
        | AppError::Reset(_)
        | AppError::Metrics(_)
        | AppError::TaskEnded(_) => RUNTIME,
    }
}

//! `demo`: a simulated fleet and the exporter on it, in one process.

mod fleet;

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::PathBuf;

use crate::app::logging;
use crate::app::supervisor::Supervisor;
use crate::app::{App, Settings, chain};
use crate::base::clock::Clock;
use crate::cli::Demo;
use crate::config::Config;
use crate::http::{Address, Protection};
use crate::snapshot::Hold;

use super::simulate::now;
use super::{RUNTIME, eprint_line, print_line, serve};

pub use fleet::{Condition, Fleet, TROUBLES, Trouble};

pub(super) async fn demo(flags: Demo) -> u8 {
    let clock = Clock::system();
    logging::install(flags.log.level.into(), flags.log.format.into(), clock.clone());
    let condition = if flags.troubles { Condition::Troubled } else { Condition::Healthy };
    let fleet = match Fleet::start(condition, &now(&clock)).await {
        Ok(fleet) => fleet,
        Err(error) => {
            eprint_line(format!("cannot start the simulated fleet: {error}"));
            return RUNTIME;
        }
    };
    let config = match Config::parse("demo", &fleet.configuration()) {
        Ok(config) => config,
        Err(error) => {
            eprint_line(error);
            return RUNTIME;
        }
    };
    let storage = Storage::create();
    let settings = Settings {
        listen: flags.web.listen(),
        paths: flags.web.paths(),
        exporter_metrics: !flags.web.disable_exporter_metrics,
        max_requests: flags.web.max_requests,
        lifecycle: false,
        protection: Protection::default(),
        storage_path: storage.0.clone(),
        reset_logins: false,
        config_file: None,
        auto_reload: None,
        hold: Hold::AWindow,
        supervisor: Supervisor::default(),
    };
    let (prefix, path) = (settings.paths.prefix().to_owned(), settings.paths.telemetry().to_owned());
    let app = match App::bind(settings, config, clock).await {
        Ok(app) => app,
        Err(error) => {
            eprint_line(chain(&error));
            return RUNTIME;
        }
    };
    let place = match app.addresses().iter().find_map(Address::socket) {
        Some(address) => format!("http://localhost:{}", address.port()),
        None => "http://localhost".to_owned(),
    };
    for appliance in fleet.appliances() {
        print_line(format!("simulated appliance  {}", appliance.url()));
    }
    let place = place + &prefix;
    print_line(format!("metrics              {place}{path}"));
    print_line(format!("start page           {place}/"));
    print_line(format!("try                  curl -s {place}{path} | grep detected_spam"));
    for Trouble { appliance, cause, alerts } in condition.troubles() {
        print_line(format!("look at              {appliance}: {cause} ({})", alerts.join(", ")));
    }
    let code = serve::run(app).await;
    fleet.stop().await;
    code
}

/// A directory for the totals, removed at the end: the exporter reports totals in memory as a fault. None where no
/// directory can be created, as in a read-only container.
struct Storage(Option<PathBuf>);

impl Storage {
    fn create() -> Self {
        let path = std::env::temp_dir().join(format!("asyncos_exporter-demo-{}", std::process::id()));
        // One that exists may belong to somebody else.
        Self(DirBuilder::new().mode(0o700).create(&path).is_ok().then_some(path))
    }
}

impl Drop for Storage {
    fn drop(&mut self) {
        if let Some(path) = &self.0 {
            // What cannot be removed is a few kilobytes in the directory for temporary files.
            let _ = std::fs::remove_dir_all(path);
        }
    }
}

//! `record`: requests once what the configuration of one appliance names, and writes the answers to a bundle without
//! names, addresses and secrets. At most one login.

use std::fs::OpenOptions;
use std::io::{BufRead, ErrorKind, IsTerminal, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use crate::api::{Client, Depth, Failure, LoginFailureLog, Query, Reason, StatusKind, SystemRoots, Tap, TrackingQuery};
use crate::app::logging;
use crate::base::clock::Clock;
use crate::base::window::{Grid, Window};
use crate::catalogue;
use crate::cli::Record;
use crate::config::{Alignment, Appliance, Config, Scope};

use super::probe::Prober;
use super::recording::{Recorded, Recording, Scrubber};
use super::{RUNTIME, USAGE, eprint_line, load, print_line};

pub(super) async fn record(flags: Record) -> u8 {
    let config = match load(&flags.config_file) {
        Ok(config) => config,
        Err(code) => return code,
    };
    let Some(appliance) = config.appliances.iter().find(|appliance| appliance.name == flags.appliance) else {
        let names: Vec<&str> = config.appliances.iter().map(|appliance| appliance.name.as_str()).collect();
        eprint_line(format!("no appliance `{}` in the configuration, which has {}", flags.appliance, names.join(", ")));
        return USAGE;
    };
    if flags.output.exists() {
        eprint_line(exists(&flags.output));
        return USAGE;
    }
    let clock = Clock::system();
    logging::install(logging::Level::Warn, logging::Format::Logfmt, clock.clone());
    let Captured { recording, scrubber, failure } = match capture(&config, appliance, &clock).await {
        Ok(captured) => captured,
        Err(failure) => {
            eprint_line(format!("cannot set up the connection: {failure}"));
            return RUNTIME;
        }
    };
    let count = recording.exchanges.len();
    if let Some(failure) = &failure {
        eprint_line(format!("recording stopped after {count} request(s): {failure}"));
        if count == 0 {
            return RUNTIME;
        }
    }
    eprint_line(format!("{count} request(s) recorded; replaced: {}", scrubber.pseudonyms().summary()));
    let text = recording.to_string();
    if flags.review && !is_approved(&text, &flags.output) {
        eprint_line(format!("`{}` was not written", flags.output.display()));
        return 0;
    }
    match write(&flags.output, &text) {
        Ok(()) => {
            eprint_line(format!("written to {}; read it before you send it to anybody", flags.output.display()));
            0
        }
        Err(why) => {
            eprint_line(why);
            RUNTIME
        }
    }
}

/// Prints the bundle, and asks whether it may be written if there is somebody to ask.
fn is_approved(text: &str, file: &Path) -> bool {
    print_line(text.trim_end());
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return false;
    }
    let _ = write!(std::io::stderr(), "write this bundle to {}? [y/N] ", file.display());
    let mut answer = String::new();
    let _ = std::io::stdin().lock().read_line(&mut answer);
    matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes")
}

/// Writes a file that was not there, for its owner alone.
fn write(file: &Path, text: &str) -> Result<(), String> {
    let name = file.display();
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut opened = options.open(file).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => exists(file),
        _ => format!("cannot write `{name}`: {error}"),
    })?;
    opened.write_all(text.as_bytes()).map_err(|error| format!("cannot write `{name}`: {error}"))
}

fn exists(file: &Path) -> String {
    format!("`{}` already exists and is not overwritten: move it or choose another file", file.display())
}

/// The result of a round.
#[derive(Debug)]
pub struct Captured {
    /// The requests and answers.
    pub recording: Recording,
    /// The pseudonyms.
    pub scrubber: Scrubber,
    /// Why the round ended early, if it did.
    pub failure: Option<Failure>,
}

/// Requests once what the configuration names for `appliance`.
///
/// # Errors
/// When there is no client for it; a failed request is part of the recording.
pub async fn capture(config: &Config, appliance: &Appliance, clock: &Clock) -> Result<Captured, Failure> {
    let recorded = Arc::new(Mutex::new((Scrubber::new(&config.custom_groups), Vec::<Recorded>::new())));
    let tap = {
        let recorded = Arc::clone(&recorded);
        Tap::new(move |exchange| {
            let mut recorded = recorded.lock().unwrap_or_else(PoisonError::into_inner);
            let (scrubber, exchanges) = &mut *recorded;
            let exchange = scrubber.exchange(exchange);
            exchanges.push(exchange);
        })
    };
    let listener = crate::api::Listener::new(|_| {});
    let refusals = LoginFailureLog::in_memory();
    let client = Client::try_new(appliance, &SystemRoots::default(), clock.clone(), listener, refusals)?;
    let mut round = Round {
        prober: Prober::new(client.with_one_login().with_tap(tap), appliance.clone()),
        is_hourly: appliance.polling.alignment == Alignment::Hour,
    };
    let failure = round.run().await.err();
    let (identity, now) = (round.prober.client.identity(), round.prober.client.now());
    drop(round);
    let mut recorded = recorded.lock().unwrap_or_else(PoisonError::into_inner);
    let (scrubber, exchanges) = &mut *recorded;
    let (entry, custom) = scrubber.config(config, &appliance.name);
    let mut recording = Recording::new(now.to_string(), appliance.product.label(), entry);
    recording.about.custom_counter_groups = custom;
    if let Some(identity) = identity {
        recording.about.release = Some(identity.release.to_string());
        recording.about.model = scrubber.model(&identity);
    }
    recording.exchanges = std::mem::take(exchanges);
    Ok(Captured { recording, scrubber: scrubber.clone(), failure })
}

/// The requests of one round.
struct Round {
    prober: Prober,
    /// Whether the appliance supports whole hours only.
    is_hourly: bool,
}

impl Round {
    /// # Errors
    /// The failure after which no further request can succeed.
    async fn run(&mut self) -> Result<(), Failure> {
        self.prober.client.connect().await?;
        let appliance = self.prober.appliance.clone();
        // Those that low roles may use come first: what the account may read shows what its 401 mean.
        for kind in StatusKind::configured(&appliance.status_options, appliance.product).iter().rev() {
            // A failure is in the recording.
            let _ = self.prober.observe(kind).await?;
        }
        for scope in &appliance.scopes {
            for choice in &appliance.groups {
                let group = Arc::clone(&choice.group);
                let query = |window| Query {
                    scope: scope.clone(),
                    group: Arc::clone(&group),
                    top: choice.top,
                    search: None,
                    window,
                };
                self.windows(choice.grid, query).await?;
            }
        }
        for choice in &appliance.searches {
            let group = Arc::new(catalogue::search_group());
            let query = |window| Query {
                scope: Scope::Appliance,
                group: Arc::clone(&group),
                top: None,
                search: Some(TrackingQuery { search: Arc::clone(&choice.search), depth: Depth::AllPages }),
                window,
            };
            self.windows(choice.grid, query).await?;
        }
        Ok(())
    }

    /// Requests the newest window of `grid`, and the whole hours that a poller requests as well.
    async fn windows(&mut self, grid: Grid, query: impl Fn(Window) -> Query) -> Result<(), Failure> {
        let polling = self.prober.appliance.polling;
        if grid.needs_minutes() && !self.is_hourly {
            let end = grid.floor(self.prober.client.now() - polling.settle.initial());
            let answer = self.prober.fetch(&query(grid.window_from(end - grid.length()))).await?;
            let is_declined = answer.is_err_and(|failure| failure.reason == Reason::Declined);
            self.is_hourly = is_declined && polling.alignment == Alignment::Auto;
        }
        let hours = if grid.needs_minutes() { Grid::HOURS } else { grid };
        let end = hours.floor(self.prober.client.now() - polling.settle.initial());
        let _ = self.prober.fetch(&query(hours.window_from(end - hours.length()))).await?;
        if self.is_hourly && polling.running_hour {
            let _ = self.prober.fetch(&query(Grid::HOURS.containing(self.prober.client.now()))).await?;
        }
        Ok(())
    }
}

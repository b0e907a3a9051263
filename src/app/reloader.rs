//! Reads the configuration again, because somebody asks or because a file has changed: beside the daemon's own loop, so
//! that a disk that hangs holds up nothing but the answer. Says what was read and does nothing about it.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, OwnedMutexGuard, oneshot};
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::{sleep, timeout};

use crate::base::clock::{Clock, Tick};
use crate::config::{Config, ConfigError, ConfigFile};
use crate::http::{Protection, ProtectionError};

/// Time limit of a reading, a matter of milliseconds unless a file system hangs: then the configuration says within
/// nine seconds which file it is.
const PATIENCE: Duration = Duration::from_secs(10);

/// Time that a changed file must stay as it is before it counts: what an editor or `cp` has written half
/// may be valid YAML that lacks appliances.
const STEADY: Duration = Duration::from_secs(1);

/// Receiver of the outcome of a reading.
pub(super) type Asker = oneshot::Sender<Result<(), String>>;

/// Why the configuration is read.
#[derive(Debug)]
pub(super) enum ReloadTrigger {
    /// A signal or a request over HTTP.
    Asked(Asker),
    /// It was time to look whether a file has changed.
    Look,
}

/// The configuration and the web side's files, as they were read.
#[derive(Debug)]
pub(super) struct LoadedFiles {
    pub(super) cause: ReloadTrigger,
    /// None where nothing has changed.
    pub(super) config: Option<Result<Config, Unread>>,
    /// The web side's, which is in force or refused by now.
    pub(super) web: Result<(), ProtectionError>,
}

/// The configuration could not be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unread {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("the configuration did not come from a file")]
    NoFile,
    #[error(
        "reading the configuration took longer than {}: the disk hangs, or the file keeps changing",
        humantime::format_duration(PATIENCE)
    )]
    Slow,
}

/// The kind of configuration that a reading accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ReloadMode {
    /// The configuration, whether or not it has changed.
    All,
    /// One that has changed and stays so.
    Changed,
    /// One that stays as it is, since the one in hand is wrong: what made it so need not be in a file that is looked at.
    Steady,
}

/// Reads the configuration, one reading at a time.
#[derive(Debug)]
pub(super) struct ConfigReloader {
    /// None for a configuration that came from elsewhere. Locked while a reading that nobody waits for any more hangs.
    file: Option<Arc<Mutex<ConfigFile>>>,
    protection: Protection,
    clock: Clock,
    /// Time between two looks for changes; never where absent.
    every: Option<Duration>,
    next_look: Tick,
    under_way: JoinSet<LoadedFiles>,
}

impl ConfigReloader {
    pub(super) fn new(file: Option<ConfigFile>, protection: Protection, every: Option<Duration>, clock: Clock) -> Self {
        let file = file.map(|file| Arc::new(Mutex::new(file)));
        let next_look = clock.tick() + every.unwrap_or_default();
        Self { file, protection, clock, every, next_look, under_way: JoinSet::new() }
    }

    /// Whether no reading is under way, so that another may begin.
    pub(super) fn is_idle(&self) -> bool {
        self.under_way.is_empty()
    }

    /// Begins a reading of everything, for `asker`.
    pub(super) fn ask(&mut self, asker: Asker) {
        let (file, protection) = (self.file.clone(), self.protection.clone());
        self.under_way.spawn(async move {
            let (config, web) = tokio::join!(read(file, ReloadMode::All), protection.reread());
            LoadedFiles { cause: ReloadTrigger::Asked(asker), config, web }
        });
    }

    /// The next reading that has ended. Looks for changes when it is time; the web side looks on its own. `is_wrong`: whether the
    /// newest reading was refused.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    pub(super) async fn next(&mut self, is_wrong: bool) -> LoadedFiles {
        loop {
            if self.under_way.is_empty() {
                if self.every.is_none() {
                    std::future::pending::<()>().await;
                }
                self.clock.sleep_until(self.next_look).await;
                let (file, want) = (self.file.clone(), if is_wrong { ReloadMode::Steady } else { ReloadMode::Changed });
                self.under_way.spawn(async move {
                    LoadedFiles { cause: ReloadTrigger::Look, config: read(file, want).await, web: Ok(()) }
                });
            }
            match self.under_way.join_next().await {
                Some(Ok(reading)) => {
                    self.next_look = self.clock.tick() + self.every.unwrap_or_default();
                    return reading;
                }
                // A bug of ours, for the supervisor to see.
                Some(Err(error)) if error.is_panic() => resume_unwind(error.into_panic()),
                Some(Err(_)) | None => {}
            }
        }
    }
}

/// Reads `file`; none where it need not be.
async fn read(file: Option<Arc<Mutex<ConfigFile>>>, want: ReloadMode) -> Option<Result<Config, Unread>> {
    let Some(file) = file else { return Some(Err(Unread::NoFile)) };
    // Locked, it is being read by a thread that hangs: another one would hang beside it.
    let Ok(file) = file.try_lock_owned() else { return Some(Err(Unread::Slow)) };
    match timeout(PATIENCE, read_steady(file, want)).await {
        Ok(read) => read.map(|read| read.map_err(Unread::from)),
        Err(_) => Some(Err(Unread::Slow)),
    }
}

async fn read_steady(mut file: OwnedMutexGuard<ConfigFile>, want: ReloadMode) -> Option<Result<Config, ConfigError>> {
    loop {
        let (read, back) = beside(file, move |file| match want {
            ReloadMode::Changed if !file.has_changed() => None,
            ReloadMode::All | ReloadMode::Changed | ReloadMode::Steady => Some(file.read()),
        })
        .await;
        file = back;
        if read.is_none() || want == ReloadMode::All {
            return read;
        }
        sleep(STEADY).await;
        let (has_changed, back) = beside(file, |file| file.has_changed()).await;
        file = back;
        if !has_changed {
            return read;
        }
    }
}

/// Does `work` on a thread that may block, with the file in hand until it is done.
async fn beside<T: Send + 'static>(
    mut file: OwnedMutexGuard<ConfigFile>,
    work: impl FnOnce(&mut ConfigFile) -> T + Send + 'static,
) -> (T, OwnedMutexGuard<ConfigFile>) {
    let done = spawn_blocking(move || {
        let done = work(&mut file);
        (done, file)
    });
    match done.await {
        Ok(done) => done,
        Err(error) if error.is_panic() => resume_unwind(error.into_panic()),
        // Only the end of the runtime cancels it, and of whoever waits.
        Err(_) => std::future::pending().await,
    }
}

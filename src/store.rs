//! Durable state: one record a key, written whole, many in one transaction. Knows nothing of a record beyond its fields;
//! decides only whether a record is intact.

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::oneshot;

mod disk;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
mod keys;
mod private;
mod record;
mod refused;

use disk::{Disk, Presence};
pub use keys::{OTHER, SumKey, TotalsKey};
pub use record::{Day, Facts, Record, Retired, Summed};
pub use refused::{Refused, RefusedBecause};

/// Records written in one transaction: one commit of a fleet of a thousand appliances is a handful of them.
const LARGEST_BATCH: usize = 4096;
/// Records in the queue of the writer; one more waits until there is room.
const LONGEST_QUEUE: usize = 4096;
/// The interval at which an idle writer checks that its file still exists; each batch checks it too.
const CHECK_EVERY: Duration = Duration::from_secs(30);

/// The state as it was found when it was opened.
#[derive(Debug, Default)]
pub struct LoadedState {
    /// The intact records.
    pub records: HashMap<TotalsKey, Record>,
    /// Facts found out about appliances, by name.
    pub facts: HashMap<String, Facts>,
    /// Refused logins by account, which is a hash; under [`EVERY_ACCOUNT`](crate::api::EVERY_ACCOUNT) that those of before are lost.
    pub refused: HashMap<String, Refused>,
    /// The salt of those hashes; random, and as old as the file.
    pub salt: [u8; 32],
    /// Whether the file was damaged and set aside; it is then named here.
    pub set_aside: Option<PathBuf>,
    /// Whether the file was new or empty, or set aside, although there was state in the directory before.
    pub is_lost: bool,
    /// Why the marker that outlives the loss of the file could not be written.
    pub unmarked: Option<std::io::Error>,
    /// Why the file can still be read by everybody; none where it cannot.
    pub exposed: Option<std::io::Error>,
    /// Records that are not used: damaged ones, and those whose key this version does not know.
    pub damaged: usize,
}

/// Why the state cannot be used. Each names what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The directory cannot be made or written.
    #[error("--storage.path: cannot use the directory `{}`", .0.display())]
    Directory(PathBuf, #[source] std::io::Error),
    /// Another process has it open.
    #[error("`{}` is in use by another process: one exporter has one --storage.path", .0.display())]
    InUse(PathBuf),
    /// A newer version has written it.
    #[error("`{}` was written by a newer version (schema {}): use that version, or move the file away and lose its totals", .0.display(), .1)]
    Newer(PathBuf, u64),
    /// Anything else.
    #[error("--storage.path: cannot open `{}`: {}", .0.display(), .1)]
    Other(PathBuf, String),
}

/// A record was not written; what was there before is there still.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the state was not written: {0}")]
pub struct WriteError(String);

impl WriteError {
    /// It took too long, and whether it will be written is left open.
    pub(crate) fn too_slow(after: Duration) -> Self {
        Self(format!("the disk has not completed the write for {} s", after.as_secs()))
    }
}

/// Events of the state file.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    /// A batch was written.
    Written,
    /// A batch was not written.
    WriteFailed(&'a WriteError),
    /// The open file is the one at its path again.
    FileFound,
    /// The file was deleted; its content is now in a new file at its path.
    FileRewritten,
    /// Another file is at the path.
    FileReplaced,
    /// The file was deleted and cannot be recreated.
    FileMissing(&'a str),
}

/// Receives every event; called from the writer's thread.
pub type Listener = Box<dyn Fn(Event<'_>) + Send>;

/// Where records are kept.
pub enum Store {
    /// No file: a restart begins at zero.
    Memory,
    /// In a file, by a thread of its own: a disk that hangs holds up nothing but commits.
    Disk {
        /// Records for the writer; none once its end was requested.
        queue: Option<SyncSender<WriteRequest>>,
        /// The writer.
        writer: Option<JoinHandle<()>>,
    },
}

/// A change in the queue of the writer.
pub struct WriteRequest {
    change: Change,
    done: oneshot::Sender<Result<(), WriteError>>,
}

/// One change of the state.
enum Change {
    /// Totals.
    Record(TotalsKey, Record),
    /// Facts found out about an appliance.
    Facts(String, Facts),
    /// Refused logins of an account; none where they are forgotten.
    Refused(String, Option<Refused>),
}

impl Store {
    /// The name of the state file.
    pub const FILE: &str = disk::FILE;

    /// Whether there is a state file in `directory`.
    #[must_use]
    pub fn is_in(directory: &Path) -> bool {
        // One that cannot be seen is there: whoever opens it hears why.
        directory.join(disk::FILE).try_exists().unwrap_or(true)
    }

    /// Opens the state in `directory`, makes it where there is none, and locks it.
    ///
    /// A damaged file is set aside and an empty one created; [`LoadedState`] reports that, and damaged records. The file is
    /// watched while it is open: see [`Event`].
    ///
    /// # Errors
    /// When there is no way to keep state there, or a newer version has.
    pub fn open(directory: &Path, listener: Listener) -> Result<(Self, LoadedState), OpenError> {
        Self::open_checked(directory, listener, CHECK_EVERY)
    }

    fn open_checked(directory: &Path, listener: Listener, every: Duration) -> Result<(Self, LoadedState), OpenError> {
        let (disk, found) = Disk::open(directory)?;
        let (queue, requests) = sync_channel(LONGEST_QUEUE);
        let writer = std::thread::Builder::new()
            .name("store".into())
            .spawn(move || Writer { disk, listener, shown: Presence::Present }.run(&requests, every))
            .map_err(|error| OpenError::Directory(directory.to_owned(), error))?;
        Ok((Self::Disk { queue: Some(queue), writer: Some(writer) }, found))
    }

    /// Writes `record` under `key` and returns once it would survive a power cut.
    ///
    /// # Errors
    /// When it was not written.
    ///
    /// # Cancel safety
    /// Dropping the future leaves open whether the record is written.
    pub async fn write(&self, key: TotalsKey, record: Record) -> Result<(), WriteError> {
        self.change(Change::Record(key, record)).await
    }

    /// As [`Store::write`], of the refused logins of `account`; none forgets them.
    ///
    /// # Errors
    /// When it was not written.
    ///
    /// # Cancel safety
    /// As [`Store::write`].
    pub async fn write_refused(&self, account: String, refused: Option<Refused>) -> Result<(), WriteError> {
        self.change(Change::Refused(account, refused)).await
    }

    /// As [`Store::write`], of what was found out about `appliance`.
    ///
    /// # Errors
    /// When it was not written.
    ///
    /// # Cancel safety
    /// As [`Store::write`].
    pub async fn write_facts(&self, appliance: String, facts: Facts) -> Result<(), WriteError> {
        self.change(Change::Facts(appliance, facts)).await
    }

    async fn change(&self, change: Change) -> Result<(), WriteError> {
        let Self::Disk { queue: Some(queue), .. } = self else { return Ok(()) };
        let ended = || WriteError("the writer has ended".into());
        let (done, outcome) = oneshot::channel();
        // Never wait for room: a full queue means that the disk hangs, and the poller tries again with its next poll.
        queue
            .try_send(WriteRequest { change, done })
            .map_err(|_| WriteError("the queue of the writer is full".into()))?;
        outcome.await.map_err(|_| ended())?
    }
}

#[cfg(test)]
impl Store {
    /// A store in which nothing can be written.
    pub(crate) fn without_writer() -> Self {
        let (queue, _) = sync_channel(1);
        Self::Disk { queue: Some(queue), writer: None }
    }

    /// A store that takes everything and writes nothing.
    pub(crate) fn that_hangs() -> (Self, Receiver<WriteRequest>) {
        let (queue, requests) = sync_channel(LONGEST_QUEUE);
        (Self::Disk { queue: Some(queue), writer: None }, requests)
    }
}

impl Drop for Store {
    /// Waits for what is being written.
    fn drop(&mut self) {
        if let Self::Disk { queue, writer } = self {
            queue.take();
            if let Some(writer) = writer.take() {
                // A writer that died has nothing left to write.
                let _ = writer.join();
            }
        }
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Memory => "Memory",
            Self::Disk { .. } => "Disk",
        })
    }
}

/// The writer's thread.
struct Writer {
    disk: Disk,
    listener: Listener,
    /// The presence of the file as the listener knows it.
    shown: Presence,
}

impl Writer {
    /// Takes what waits as one batch, so that a disk that is slow costs latency and not throughput.
    fn run(mut self, requests: &Receiver<WriteRequest>, every: Duration) {
        loop {
            let first = match requests.recv_timeout(every) {
                Ok(first) => first,
                Err(RecvTimeoutError::Timeout) => {
                    // The outcome is for the batches, and the listener has heard of it.
                    let _ = self.check();
                    continue;
                }
                // A file that was deleted just before a restart is to be there after it.
                Err(RecvTimeoutError::Disconnected) => return drop(self.check()),
            };
            let mut batch = vec![first];
            while batch.len() < LARGEST_BATCH
                && let Ok(next) = requests.try_recv()
            {
                batch.push(next);
            }
            let changes = batch.iter().map(|request| &request.change);
            let outcome = self.check().and_then(|()| self.disk.write(changes)).map_err(WriteError);
            (self.listener)(match &outcome {
                Ok(()) => Event::Written,
                Err(error) => Event::WriteFailed(error),
            });
            for request in batch {
                // Whoever asked may have been stopped meanwhile.
                let _ = request.done.send(outcome.clone());
            }
        }
    }

    /// Makes sure that what is written is what a restart finds. A total that is written where no restart looks would be
    /// shown and not durable: it waits, as it does while the disk is full.
    fn check(&mut self) -> Result<(), String> {
        let presence = self.disk.check();
        let (outcome, presence) = match presence {
            Presence::Present => (Ok(()), Presence::Present),
            Presence::Rewritten => {
                (self.listener)(Event::FileRewritten);
                (Ok(()), Presence::Present)
            }
            Presence::Replaced => (Err("another file is at its path".to_owned()), Presence::Replaced),
            Presence::Missing(error) => {
                (Err(format!("its file was deleted and cannot be recreated: {error}")), Presence::Missing(error))
            }
        };
        if presence != self.shown {
            (self.listener)(match &presence {
                Presence::Present | Presence::Rewritten => Event::FileFound,
                Presence::Replaced => Event::FileReplaced,
                Presence::Missing(error) => Event::FileMissing(error),
            });
            self.shown = presence;
        }
        outcome
    }
}

#[cfg(test)]
mod tests;

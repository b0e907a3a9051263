//! Reads whole files within bounds: regular ones only, up to a size, and for no longer than a while. A file system whose
//! server is gone lets nobody who reads from it return, and nothing can call him back: he is left behind on a thread of
//! his own, and there are few of those. Knows nothing of what the files are for.

use std::fmt;
use std::fs::{FileType, Metadata};
use std::io::Read as _;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::path::{Path as FilePath, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::Builder;
use std::time::Duration;

use rustix::fs::{Mode, OFlags};

/// Time limit of one file: it takes microseconds, or as long as a disk needs to spin up or a mount to appear.
const PATIENCE: Duration = Duration::from_secs(5);
/// Time limit while another read hangs already, most likely on the same file system: a fleet with a file each
/// must not wait for all of them one after the other.
const LITTLE_PATIENCE: Duration = Duration::from_secs(1);
/// Files that are read at once, including reads that hang.
const AT_ONCE: usize = 4;

/// The content of a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct FileContent {
    pub(super) bytes: Vec<u8>,
    /// Whether everybody may read it.
    pub(super) is_public: bool,
}

type Outcome = Result<FileContent, String>;
/// Reads a file of at most so many bytes.
type Work = fn(&FilePath, u64) -> Outcome;

/// Reads files. Clones share the bound on reads that hang.
#[derive(Clone)]
pub(super) struct FileReader(Arc<ReaderState>);

struct ReaderState {
    work: Work,
    patience: [Duration; 2],
    places: Mutex<ReadSlots>,
    /// Notified when a read has ended or was given up.
    ended: Condvar,
}

#[derive(Default)]
struct ReadSlots {
    under_way: usize,
    /// Reads that nobody waits for any more. Each has a thread.
    hanging: Vec<(PathBuf, Receiver<Outcome>)>,
}

impl FileReader {
    pub(super) fn new() -> Self {
        Self::of(content, [PATIENCE, LITTLE_PATIENCE])
    }

    fn of(work: Work, patience: [Duration; 2]) -> Self {
        Self(Arc::new(ReaderState { work, patience, places: Mutex::default(), ended: Condvar::new() }))
    }

    /// The content of the file at `path`. It is opened each time, so that a link is followed to its present target.
    ///
    /// # Errors
    /// When there is no regular file of at most `most` bytes, or it is not read in time; the file is for the caller to name.
    pub(super) fn read(&self, path: &FilePath, most: u64) -> Outcome {
        let patience = self.begin(path)?;
        let (sender, receiver) = sync_channel(1);
        let (work, file) = (self.0.work, path.to_owned());
        let thread = Builder::new().name("file".into()).spawn(move || {
            // Nobody may wait for it any more.
            let _ = sender.send(work(&file, most));
        });
        let outcome = match thread {
            Ok(_) => receiver.recv_timeout(patience),
            Err(error) => Ok(Err(format!("cannot start a thread to read it: {error}"))),
        };
        let mut places = self.places();
        places.under_way -= 1;
        let outcome = match outcome {
            Ok(outcome) => outcome,
            Err(RecvTimeoutError::Timeout) => {
                places.hanging.push((path.to_owned(), receiver));
                Err(format!("it was not read within {}: {HANGS}", humantime::format_duration(patience)))
            }
            Err(RecvTimeoutError::Disconnected) => Err("reading it failed".into()),
        };
        self.0.ended.notify_all();
        outcome
    }

    /// Takes a place and returns its time limit. Waits for one, at most as long as other reads may take.
    fn begin(&self, path: &FilePath) -> Result<Duration, String> {
        let mut places = self.places();
        loop {
            places.hanging.retain(|(_, read)| matches!(read.try_recv(), Err(TryRecvError::Empty)));
            if places.hanging.iter().any(|(hanging, _)| hanging == path) {
                return Err(format!("an earlier attempt to read it has not returned: {HANGS}"));
            }
            if places.hanging.len() >= AT_ONCE {
                let (other, _) = &places.hanging[0];
                return Err(format!("`{}` and others are not read either: {HANGS}", other.display()));
            }
            if places.under_way + places.hanging.len() < AT_ONCE {
                places.under_way += 1;
                let [patience, little] = self.0.patience;
                return Ok(if places.hanging.is_empty() { patience } else { little });
            }
            places = self.0.ended.wait(places).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn places(&self) -> MutexGuard<'_, ReadSlots> {
        self.0.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const HANGS: &str = "its file system hangs; check the mount, or put the file elsewhere";

impl fmt::Debug for FileReader {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hanging: Vec<PathBuf> = self.places().hanging.iter().map(|(path, _)| path.clone()).collect();
        out.debug_struct("FileReader").field("hanging", &hanging).finish()
    }
}

/// Reads the file. A device or a pipe is asked what it is before it is opened, since that alone may do something, and
/// again once it is open, as it may be another by then; to open it never waits for a writer.
fn content(path: &FilePath, most: u64) -> Outcome {
    let said = |error: std::io::Error| error.to_string();
    regular(&std::fs::metadata(path).map_err(said)?)?;
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = rustix::fs::open(path, flags, Mode::empty()).map_err(|error| said(error.into()))?;
    let mut file = std::fs::File::from(file);
    let found = file.metadata().map_err(said)?;
    regular(&found)?;
    let too_long = |length: u64| format!("it has {length} bytes; at most {most} are allowed");
    if found.len() > most {
        return Err(too_long(found.len()));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(found.len()).unwrap_or_default().saturating_add(1));
    // It may grow while it is read.
    file.by_ref().take(most.saturating_add(1)).read_to_end(&mut bytes).map_err(said)?;
    let length = bytes.len() as u64;
    if length > most {
        return Err(too_long(length));
    }
    Ok(FileContent { bytes, is_public: found.permissions().mode() & 0o004 != 0 })
}

/// Refuses what is no regular file: a pipe would be empty the second time, or hang, and every file is read again.
fn regular(found: &Metadata) -> Result<(), String> {
    match found.file_type() {
        kind if kind.is_file() => Ok(()),
        kind if FileType::is_fifo(&kind) => Err("it is a pipe; a regular file is required".into()),
        _ => Err("it is not a regular file".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHORT: [Duration; 2] = [Duration::from_millis(20), Duration::from_millis(10)];

    fn folder() -> (tempfile::TempDir, impl Fn(&str) -> PathBuf) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().to_owned();
        (folder, move |name: &str| path.join(name))
    }

    /// Reads as a file system does whose server is gone for as long as there is a file `gone` beside the file. Whoever
    /// is left behind ends when the test does, as the file goes with its folder.
    fn hanging(path: &FilePath, most: u64) -> Outcome {
        while path.with_file_name("gone").exists() && !path.ends_with("good") {
            std::thread::yield_now();
        }
        content(path, most)
    }

    #[test]
    fn regular_files_are_read_whole_and_nothing_else_is() {
        let (_folder, path) = folder();
        let reader = FileReader::new();
        let read = |name: &str| reader.read(&path(name), 10).map(|content| content.bytes);
        std::fs::write(path("ten"), "0123456789").expect("a file");
        std::fs::write(path("eleven"), "0123456789a").expect("a file");
        std::os::unix::fs::symlink("ten", path("link")).expect("a link");
        assert_eq!([read("ten"), read("link")], [Ok(b"0123456789".to_vec()), Ok(b"0123456789".to_vec())]);
        let made = std::process::Command::new("mkfifo").arg(path("pipe")).status().expect("a pipe");
        assert!(made.success());
        let socket = std::os::unix::net::UnixListener::bind(path("socket")).expect("a socket");
        std::os::unix::fs::symlink("/dev/zero", path("zero")).expect("a link");
        std::os::unix::fs::symlink("pipe", path("to_pipe")).expect("a link");
        for (name, expected) in [
            ("eleven", "it has 11 bytes; at most 10 are allowed"),
            ("none", "No such file or directory (os error 2)"),
            (".", "it is not a regular file"),
            ("socket", "it is not a regular file"),
            ("zero", "it is not a regular file"),
            ("pipe", "it is a pipe; a regular file is required"),
            ("to_pipe", "it is a pipe; a regular file is required"),
        ] {
            assert_eq!(read(name), Err(expected.to_owned()), "{name}");
        }
        drop(socket);
        // Those of the system have no size before they are read.
        assert!(!reader.read(FilePath::new("/proc/self/stat"), 10_000).expect("a file").bytes.is_empty());
    }

    #[test]
    fn who_may_read_it_is_told() {
        let (_folder, path) = folder();
        for (mode, is_public) in [(0o600, false), (0o640, false), (0o644, true), (0o604, true)] {
            std::fs::write(path("file"), "").expect("a file");
            std::fs::set_permissions(path("file"), std::fs::Permissions::from_mode(mode)).expect("a mode");
            assert_eq!(FileReader::new().read(&path("file"), 1).map(|content| content.is_public), Ok(is_public));
        }
    }

    #[test]
    fn a_read_that_hangs_is_left_behind_and_found_again_when_the_disk_is_back() {
        let (_folder, path) = folder();
        for name in ["gone", "file", "good"] {
            std::fs::write(path(name), name).expect("a file");
        }
        let reader = FileReader::of(hanging, SHORT);
        let read = |name: &str| reader.read(&path(name), 10).map(|content| content.bytes);
        assert_eq!(read("file"), Err(format!("it was not read within 20ms: {HANGS}")));
        assert_eq!(read("file"), Err(format!("an earlier attempt to read it has not returned: {HANGS}")));
        assert_eq!(read("good"), Ok(b"good".to_vec()), "another disk is there");
        assert_eq!(reader.places().hanging.len(), 1, "one thread, however often it is tried");
        std::fs::remove_file(path("gone")).expect("the disk is back");
        let until = std::iter::repeat_with(|| read("file")).find(Result::is_ok);
        assert_eq!(until, Some(Ok(b"file".to_vec())));
        assert_eq!(reader.places().hanging.len(), 0);
    }

    #[test]
    fn few_reads_hang_at_once_whoever_tries() {
        let (_folder, path) = folder();
        std::fs::write(path("gone"), "").expect("a file");
        let reader = FileReader::of(hanging, SHORT);
        let files: Vec<PathBuf> = (0..50).map(|number| path(&format!("file{number}"))).collect();
        std::thread::scope(|scope| {
            for file in &files {
                scope.spawn(|| assert!(reader.read(file, 10).is_err()));
            }
        });
        let places = reader.places();
        assert_eq!((places.under_way, places.hanging.len()), (0, AT_ONCE));
        drop(places);
        let refusal = reader.read(&path("other"), 10).expect_err("no place");
        assert!(refusal.contains("and others are not read either: its file system hangs"), "{refusal}");
        assert!(format!("{reader:?}").contains("file"));
    }
}

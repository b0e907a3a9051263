//! The files of the web side: read, remembered, and compared with what they are later. By content and not by date: a
//! link of Kubernetes that points elsewhere, or a file put back from a backup, is a change like any other.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::path::{Path as FilePath, PathBuf};

use super::{ConfigError, Web, parse};

/// The longest file that is read, in bytes: room for a bundle of authorities.
const LONGEST_FILE: u64 = 4 << 20;

/// The file of the web side and all it names.
#[derive(Debug)]
pub struct WebFile {
    path: PathBuf,
    /// The hash of each file that was read last, none where it could not be read. Keyed, as one of them is a secret.
    seen: BTreeMap<PathBuf, Option<u64>>,
    hasher: RandomState,
}

impl WebFile {
    /// The file at `path`, not read yet.
    #[must_use]
    pub fn new(path: PathBuf) -> Self {
        Self { path, seen: BTreeMap::new(), hasher: RandomState::new() }
    }

    /// Reads and checks it.
    ///
    /// # Errors
    /// When a file cannot be read, is not what it should be, or says anything that is wrong: every problem at once.
    pub fn read(&mut self) -> Result<Web, ConfigError> {
        self.seen.clear();
        let name = self.path.display().to_string();
        let folder = self.path.parent().unwrap_or(FilePath::new("")).to_owned();
        let mut files = Files { seen: &mut self.seen, hasher: &self.hasher, folder };
        let bytes = files.open(&self.path).map_err(|reason| ConfigError::unreadable(&name, &reason))?;
        let unreadable = |_| ConfigError::unreadable(&name, "the text is not UTF-8");
        parse(&name, &String::from_utf8(bytes).map_err(unreadable)?, &mut files)
    }

    /// Whether a file that was read last is another one now.
    #[must_use]
    pub fn has_changed(&self) -> bool {
        self.seen.iter().any(|(path, seen)| bytes(path).ok().map(|bytes| self.hasher.hash_one(bytes)) != *seen)
    }
}

/// Reads files and remembers what was in them.
pub(super) struct Files<'a> {
    seen: &'a mut BTreeMap<PathBuf, Option<u64>>,
    hasher: &'a RandomState,
    folder: PathBuf,
}

impl Files<'_> {
    /// The content of the file at `path`, which counts from the folder of the file of the web side.
    pub(super) fn read(&mut self, path: &str) -> Result<Vec<u8>, String> {
        let path = self.folder.join(path);
        self.open(&path).map_err(|reason| format!("cannot read `{}`: {reason}", path.display()))
    }

    fn open(&mut self, path: &FilePath) -> Result<Vec<u8>, String> {
        let bytes = bytes(path);
        self.seen.insert(path.to_owned(), bytes.as_ref().ok().map(|bytes| self.hasher.hash_one(bytes)));
        bytes
    }
}

/// Opens `path` anew, so that whatever it is a link to now is read. A pipe would be empty the second time, or hang.
fn bytes(path: &FilePath) -> Result<Vec<u8>, String> {
    let found = std::fs::metadata(path).map_err(|error| error.to_string())?;
    if !found.is_file() {
        return Err("it is no regular file".into());
    }
    if found.len() > LONGEST_FILE {
        return Err(format!("{} bytes are more than any such file has ({LONGEST_FILE})", found.len()));
    }
    std::fs::read(path).map_err(|error| error.to_string())
}

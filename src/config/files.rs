//! The files that a configuration is made of: read, remembered, and compared with what they are later. By content and
//! not by date: a link of Kubernetes that points elsewhere, or a file put back from a backup, is a change like any other.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::path::PathBuf;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;

use super::file_reader::{FileContent, FileReader};
use super::{ConfigError, document};

/// The longest file that is read, in bytes: room for ten thousand appliances, not for a mistaken path to a log.
const LONGEST_FILE: u64 = 16 << 20;

/// A file and those it names. Reads them and remembers what was in them.
#[derive(Clone, Debug)]
pub(super) struct Files {
    main: PathBuf,
    /// The directory that relative paths in the file start from.
    folder: PathBuf,
    /// The hash of each file that was read last, none where it could not be read. Keyed, as some of them are secrets.
    seen: BTreeMap<PathBuf, Option<u64>>,
    hasher: RandomState,
    /// Certificates of files that were read since the file itself was: a fleet has them in one file as a rule, which need not
    /// be read and parsed for each appliance.
    certificates: BTreeMap<PathBuf, Arc<[CertificateDer<'static>]>>,
    reader: FileReader,
}

impl Files {
    pub(super) fn new(main: PathBuf, folder: PathBuf) -> Self {
        Self {
            seen: BTreeMap::from([(main.clone(), None)]),
            main,
            folder,
            hasher: RandomState::new(),
            certificates: BTreeMap::new(),
            reader: FileReader::new(),
        }
    }

    /// The files that are named by a text which is in none.
    pub(super) fn of_text() -> Self {
        Self::new(PathBuf::new(), PathBuf::new())
    }

    /// The name and the text of the file itself. Forgets what was read before.
    pub(super) fn main(&mut self) -> Result<(String, String), ConfigError> {
        self.seen.clear();
        self.certificates.clear();
        let name = self.main.display().to_string();
        let FileContent { bytes, .. } =
            self.open(self.main.clone()).map_err(|reason| ConfigError::unreadable(&name, &reason))?;
        match document::decode(bytes) {
            Ok(text) => Ok((name, text)),
            Err(reason) => Err(ConfigError::unreadable(&name, &reason)),
        }
    }

    /// The content of the file that is called `path`.
    pub(super) fn read(&mut self, path: &str) -> Result<FileContent, String> {
        let path = self.folder.join(path);
        let name = path.display().to_string();
        self.open(path).map_err(|reason| format!("cannot read `{name}`: {reason}"))
    }

    /// The certificates in the file `path`, as `parse` finds them; none where it has reported that there are none.
    pub(super) fn certificates(
        &mut self,
        path: &str,
        parse: impl FnOnce(FileContent) -> Option<Vec<CertificateDer<'static>>>,
    ) -> Result<Option<Arc<[CertificateDer<'static>]>>, String> {
        let full = self.folder.join(path);
        if let Some(known) = self.certificates.get(&full) {
            return Ok(Some(Arc::clone(known)));
        }
        let parsed: Option<Arc<[_]>> = parse(self.read(path)?).map(Into::into);
        if let Some(parsed) = &parsed {
            self.certificates.insert(full, Arc::clone(parsed));
        }
        Ok(parsed)
    }

    /// The reader for files that are read again without this, and not remembered here.
    pub(super) fn reader(&self) -> &FileReader {
        &self.reader
    }

    fn open(&mut self, path: PathBuf) -> Result<FileContent, String> {
        let content = self.reader.read(&path, LONGEST_FILE);
        self.seen.insert(path, content.as_ref().ok().map(|content| self.hash(content)));
        content
    }

    pub(super) fn have_changed(&self) -> bool {
        let now = |path: &PathBuf| self.reader.read(path, LONGEST_FILE).ok().map(|content| self.hash(&content));
        self.seen.iter().any(|(path, seen)| now(path) != *seen)
    }

    fn hash(&self, content: &FileContent) -> u64 {
        self.hasher.hash_one(&content.bytes)
    }
}

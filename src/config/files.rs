//! The files that a configuration is made of: read, remembered, and compared with what they are later. By content and
//! not by date: a link of Kubernetes that points elsewhere, or a file put back from a backup, is a change like any other.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;

use rustls::pki_types::CertificateDer;

use super::file_reader::{Content, FileReader};
use super::{Config, ConfigError, Web, appliance, web};

/// The longest file that is read, in bytes: room for ten thousand appliances, not for a mistaken path to a log.
const LONGEST_FILE: u64 = 16 << 20;

/// The file of the configuration and all it names, but for passwords: those are read again when they are needed.
#[derive(Clone, Debug)]
pub struct ConfigFile(Files);

impl ConfigFile {
    /// The file at `path`, not read yet.
    #[must_use]
    pub fn new(path: PathBuf) -> Self {
        // What it names counts from where the program was started.
        Self(Files::new(path, PathBuf::new()))
    }

    /// Reads and checks it. Opens no socket.
    ///
    /// # Errors
    /// When a file cannot be read, is not what it should be, or says anything that is wrong: every problem at once.
    pub fn read(&mut self) -> Result<Config, ConfigError> {
        let (name, text) = self.0.main()?;
        appliance::fleet(&name, &text, &mut self.0)
    }

    /// Whether a file that was read last is another one now. Reads from the disk.
    #[must_use]
    pub fn has_changed(&self) -> bool {
        self.0.have_changed()
    }
}

/// The file of the web side and all it names.
#[derive(Debug)]
pub struct WebFile(Files);

impl WebFile {
    /// The file at `path`, not read yet.
    #[must_use]
    pub fn new(path: PathBuf) -> Self {
        let folder = path.parent().unwrap_or(FilePath::new("")).to_owned();
        Self(Files::new(path, folder))
    }

    /// Reads and checks it.
    ///
    /// # Errors
    /// As those of [`ConfigFile::read`].
    pub fn read(&mut self) -> Result<Web, ConfigError> {
        let (name, text) = self.0.main()?;
        web::parse(&name, &text, &mut self.0)
    }

    /// As [`ConfigFile::has_changed`].
    #[must_use]
    pub fn has_changed(&self) -> bool {
        self.0.have_changed()
    }
}

/// A file and those it names. Reads them and remembers what was in them.
#[derive(Clone, Debug)]
pub(super) struct Files {
    main: PathBuf,
    /// Where paths in the file count from.
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
    fn new(main: PathBuf, folder: PathBuf) -> Self {
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
    fn main(&mut self) -> Result<(String, String), ConfigError> {
        self.seen.clear();
        self.certificates.clear();
        let name = self.main.display().to_string();
        let Content { bytes, .. } =
            self.open(self.main.clone()).map_err(|reason| ConfigError::unreadable(&name, &reason))?;
        match String::from_utf8(bytes) {
            // Editors of Windows begin a file with this, and YAML would take it for a document of its own.
            Ok(text) => Ok((name, text.strip_prefix('\u{feff}').map(ToOwned::to_owned).unwrap_or(text))),
            Err(_) => Err(ConfigError::unreadable(&name, "the text is not UTF-8")),
        }
    }

    /// The content of the file that is called `path`.
    pub(super) fn read(&mut self, path: &str) -> Result<Content, String> {
        let path = self.folder.join(path);
        let name = path.display().to_string();
        self.open(path).map_err(|reason| format!("cannot read `{name}`: {reason}"))
    }

    /// The certificates in the file that is called `path`, as `parse` finds them; none where it has told that there are none.
    pub(super) fn certificates(
        &mut self,
        path: &str,
        parse: impl FnOnce(Content) -> Option<Vec<CertificateDer<'static>>>,
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

    /// Who reads files that are read again without this, and not remembered here.
    pub(super) fn reader(&self) -> &FileReader {
        &self.reader
    }

    fn open(&mut self, path: PathBuf) -> Result<Content, String> {
        let content = self.reader.read(&path, LONGEST_FILE);
        self.seen.insert(path, content.as_ref().ok().map(|content| self.hash(content)));
        content
    }

    fn have_changed(&self) -> bool {
        let now = |path: &PathBuf| self.reader.read(path, LONGEST_FILE).ok().map(|content| self.hash(&content));
        self.seen.iter().any(|(path, seen)| now(path) != *seen)
    }

    fn hash(&self, content: &Content) -> u64 {
        self.hasher.hash_one(&content.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLEET: &str = "appliances: [{name: esa1, url: 'https://esa1', username: u, password: p";

    #[test]
    fn what_is_read_is_known_and_what_differs_later_is_a_change() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let write = |name: &str, text: &str| std::fs::write(path(name), text).unwrap();
        let authority = rcgen::generate_simple_self_signed(["esa1".to_owned()]).unwrap().cert.pem();
        let fleet = format!("{FLEET}, tls: {{ca_file: '{}'}}}}]", path("ca.pem").display());
        let mut file = ConfigFile::new(path("c.yaml"));
        assert!(!file.has_changed(), "nothing is there and nothing was read");
        write("c.yaml", &fleet);
        assert!(file.has_changed());
        assert!(file.read().unwrap_err().to_string().contains("tls.ca_file: cannot read `"));
        assert!(!file.has_changed(), "a file that is not there is known, too");
        write("ca.pem", &authority);
        assert!(file.has_changed());
        assert_eq!(file.read().unwrap().appliances.len(), 1);
        write("ca.pem", &authority);
        assert!(!file.has_changed(), "written again with the same content");
        std::fs::remove_file(path("ca.pem")).unwrap();
        assert!(file.has_changed());
        write("ca.pem", &authority);
        assert!(!file.has_changed(), "back before anybody looked");
        write("c.yaml", &format!("{FLEET}}}]"));
        assert!(file.has_changed() && file.read().is_ok());
        write("ca.pem", "");
        assert!(!file.has_changed(), "nobody names it any more");
    }

    #[test]
    fn the_mark_of_utf_8_is_no_part_of_the_text() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("c.yaml");
        std::fs::write(&path, format!("\u{feff}{FLEET}, health: nonsense}}]")).unwrap();
        let said = ConfigFile::new(path.clone()).read().unwrap_err().to_string();
        assert!(said.starts_with(&format!("{}:1: appliances[0].health: ", path.display())), "{said}");
        std::fs::write(&path, format!("\u{feff}{FLEET}}}]")).unwrap();
        assert_eq!(ConfigFile::new(path).read().unwrap().appliances.len(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_that_points_elsewhere_is_a_change() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let point = |version: &str| {
            std::os::unix::fs::symlink(version, path("swap")).unwrap();
            std::fs::rename(path("swap"), path("data")).unwrap();
        };
        for (version, rest) in [("first", ""), ("second", ", health: false"), ("third", "")] {
            std::fs::create_dir(path(version)).unwrap();
            std::fs::write(path(version).join("c.yaml"), format!("{FLEET}{rest}}}]")).unwrap();
        }
        point("first");
        let mut file = ConfigFile::new(path("data").join("c.yaml"));
        assert!(file.read().unwrap().appliances[0].extras.health);
        point("second");
        assert!(file.has_changed() && !file.read().unwrap().appliances[0].extras.health);
        point("first");
        assert!(file.has_changed() && file.read().is_ok());
        point("third");
        assert!(!file.has_changed(), "another file with the same content");
    }

    #[test]
    fn what_is_no_configuration_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("c.yaml");
        let mut file = ConfigFile::new(path.clone());
        let mut said = || file.read().unwrap_err().to_string().replace(&path.display().to_string(), "c.yaml");
        assert_eq!(said(), "c.yaml: cannot read the file: No such file or directory (os error 2)");
        std::fs::create_dir(&path).unwrap();
        assert_eq!(said(), "c.yaml: cannot read the file: it is not a regular file");
        std::fs::remove_dir(&path).unwrap();
        std::fs::File::create(&path).unwrap().set_len(20 << 20).unwrap();
        assert_eq!(said(), "c.yaml: cannot read the file: it has 20971520 bytes; at most 16777216 are allowed");
        std::fs::write(&path, b"\xff").unwrap();
        assert_eq!(said(), "c.yaml: cannot read the file: the text is not UTF-8");
    }
}

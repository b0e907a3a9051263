//! The two files that an operator writes, each with all it names: read as a whole, and compared with what is on the disk
//! later.

use std::path::{Path as FilePath, PathBuf};

use super::files::Files;
use super::{Config, ConfigError, Web, appliance, web};

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
    /// When a file cannot be read, is not YAML, or has a mistake: every problem at once.
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
        assert!(file.read().unwrap().appliances[0].status_options.health);
        point("second");
        assert!(file.has_changed() && !file.read().unwrap().appliances[0].status_options.health);
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
        assert_eq!(
            said(),
            "c.yaml: cannot read the file: the text is not UTF-8 in line 1, probably Latin-1 or Windows-1252: save it as UTF-8"
        );
    }
}

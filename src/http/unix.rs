//! A socket in the file system: made where nobody else listens, for owner and group only, and removed at the end.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use tokio::net::UnixListener;

/// Owner and group may connect, which takes the right to write.
const MODE: u32 = 0o660;

/// The file of a socket; removed when dropped, unless somebody else has put another in its place.
#[derive(Debug)]
pub(super) struct SocketFile {
    path: PathBuf,
    /// Device and number of the file.
    identity: (u64, u64),
}

impl SocketFile {
    /// Listens at `path`, in place of a socket that was left behind.
    pub(super) fn bind(path: &Path) -> io::Result<(UnixListener, Self)> {
        if !path.is_absolute() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "the path of a socket must begin with `/`"));
        }
        vacate(path)?;
        // Made beside its place and then moved there, so that nobody can connect before its mode is what it is to be.
        let beside = beside(path)?;
        // Left by a process of the same number that was killed in between.
        let _ = fs::remove_file(&beside);
        let listener = UnixListener::bind(&beside)?;
        let placed = fs::set_permissions(&beside, Permissions::from_mode(MODE))
            .and_then(|()| identity(&beside))
            .and_then(|identity| fs::rename(&beside, path).map(|()| identity));
        match placed {
            Ok(identity) => Ok((listener, Self { path: path.to_owned(), identity })),
            Err(error) => {
                let _ = fs::remove_file(&beside);
                Err(error)
            }
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if identity(&self.path).is_ok_and(|found| found == self.identity) {
            // Whoever starts next replaces what could not be removed.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Makes sure that nothing is at `path` but, perhaps, a socket that nobody listens on.
fn vacate(path: &Path) -> io::Result<()> {
    let found = match fs::symlink_metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    if !found.file_type().is_socket() {
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, "a file that is not a socket is in the way"));
    }
    match UnixStream::connect(path) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => Ok(()),
        Ok(_) => Err(io::Error::new(io::ErrorKind::AddrInUse, "another process listens there")),
        Err(error) => Err(error),
    }
}

/// A name beside `path` that no other process takes.
fn beside(path: &Path) -> io::Result<PathBuf> {
    let name = path.file_name().ok_or_else(|| {
        io::Error::new(
            io::ErrorKind::InvalidInput,
            "the path has no file \
    name",
        )
    })?;
    let mut hidden = std::ffi::OsString::from(".");
    hidden.push(name);
    hidden.push(format!(".{}", std::process::id()));
    Ok(path.with_file_name(hidden))
}

fn identity(path: &Path) -> io::Result<(u64, u64)> {
    let found = fs::symlink_metadata(path)?;
    Ok((found.dev(), found.ino()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).expect("a folder");
        entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect()
    }

    #[tokio::test]
    async fn a_socket_is_for_owner_and_group_and_is_removed_at_the_end() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("exporter.sock");
        let (listener, file) = SocketFile::bind(&path).expect("a free place");
        assert_eq!(fs::metadata(&path).expect("a file").permissions().mode() & 0o777, MODE);
        assert_eq!(names(folder.path()), ["exporter.sock"]);
        assert_eq!(SocketFile::bind(&path).expect_err("taken").kind(), io::ErrorKind::AddrInUse);
        UnixStream::connect(&path).expect("it still listens");
        drop((listener, file));
        assert_eq!(names(folder.path()), [""; 0]);
    }

    #[tokio::test]
    async fn a_socket_that_was_left_behind_is_replaced_and_nothing_else() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("exporter.sock");
        drop(std::os::unix::net::UnixListener::bind(&path).expect("a free place"));
        assert!(path.exists(), "left behind");
        let (_listener, file) = SocketFile::bind(&path).expect("nobody listens");
        UnixStream::connect(&path).expect("we do");
        fs::remove_file(&path).expect("a file");
        fs::write(&path, "somebody's notes").expect("a file");
        assert_eq!(SocketFile::bind(&path).expect_err("no socket").kind(), io::ErrorKind::AlreadyExists);
        drop(file);
        assert_eq!(fs::read_to_string(&path).expect("still there"), "somebody's notes");
    }

    #[tokio::test]
    async fn a_path_that_cannot_be_is_refused_and_leaves_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        for path in ["relative.sock", "/", ""] {
            assert!(SocketFile::bind(path.as_ref()).is_err(), "{path}");
        }
        let long = folder.path().join("x".repeat(200));
        assert!(SocketFile::bind(&long).is_err() && names(folder.path()).is_empty());
    }
}

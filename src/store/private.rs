//! Files and directories for the exporter's user only, whatever the umask: they hold refused logins, and what mail
//! there was. What exists keeps the access of its group, which Kubernetes gives to a volume with `fsGroup`.

use std::fs::{DirBuilder, File, OpenOptions, Permissions, set_permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

const DIRECTORY: u32 = 0o700;
const FILE: u32 = 0o600;
/// The access of everybody.
const OTHERS: u32 = 0o007;

/// Makes `path` and what it lies in, as far as they are not there. What is there stays as it is: it may be somebody else's.
pub(super) fn make_directory(path: &Path) -> io::Result<()> {
    if path.as_os_str().is_empty() || path.is_dir() {
        return Ok(());
    }
    if let Some(parent) = path.parent()
        && !parent.exists()
    {
        make_directory(parent)?;
    }
    match DirBuilder::new().mode(DIRECTORY).create(path) {
        // The umask may have taken our own access.
        Ok(()) => set_permissions(path, Permissions::from_mode(DIRECTORY)),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        Err(error) => Err(error),
    }
}

/// Makes the file at `path`, which must not be there.
pub(super) fn make_file(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().read(true).write(true).create_new(true).mode(FILE).open(path)?;
    file.set_permissions(Permissions::from_mode(FILE))?;
    Ok(file)
}

/// Opens the file at `path`, which is made where it is not there.
pub(super) fn open_file(path: &Path) -> io::Result<File> {
    match OpenOptions::new().read(true).write(true).open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => make_file(path),
        other => other,
    }
}

/// Takes the access to `file` from everybody, as it has that from an older version or from a copy.
///
/// # Errors
/// When it is not ours.
pub(super) fn close_to_others(file: &File) -> io::Result<()> {
    let mode = file.metadata()?.permissions().mode();
    if mode & OTHERS == 0 { Ok(()) } else { file.set_permissions(Permissions::from_mode(mode & !OTHERS & 0o7777)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        path.metadata().expect("it is there").permissions().mode() & 0o7777
    }

    #[test]
    fn new_files_are_private_and_existing_directories_keep_their_mode() {
        let folder = tempfile::tempdir().expect("a folder");
        let there = folder.path().join("there");
        DirBuilder::new().create(&there).expect("a folder");
        set_permissions(&there, Permissions::from_mode(0o2775)).expect("a mode");
        let made = there.join("a").join("b");
        for _ in 0..2 {
            make_directory(&made).expect("a folder");
            assert_eq!([mode(&there), mode(&there.join("a")) & 0o777, mode(&made) & 0o777], [0o2775, 0o700, 0o700]);
        }
        let file = made.join("file");
        open_file(&file).expect("a file");
        assert_eq!(mode(&file), 0o600);
        assert_eq!(make_file(&file).expect_err("it is there").kind(), io::ErrorKind::AlreadyExists);
        for (before, after) in [(0o600, 0o600), (0o660, 0o660), (0o644, 0o640), (0o666, 0o660)] {
            set_permissions(&file, Permissions::from_mode(before)).expect("a mode");
            let opened = open_file(&file).expect("a file");
            assert_eq!(mode(&file), before);
            close_to_others(&opened).expect("ours");
            assert_eq!(mode(&file), after);
        }
        assert!(make_directory(&file).is_err() && make_directory(&file.join("c")).is_err(), "a file is no directory");
    }
}

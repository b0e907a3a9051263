//! Files that hold what is expected; `UPDATE_GOLDEN=1` rewrites them.

use std::path::Path;

/// Compares `found` with the contents of `file`. A file that is not there stands for nothing.
pub(crate) fn compare(file: &Path, found: &str) {
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        if found.is_empty() {
            let _ = std::fs::remove_file(file);
        } else {
            std::fs::write(file, found).expect("write the golden file");
        }
        return;
    }
    let expected = std::fs::read_to_string(file).unwrap_or_default();
    assert!(
        expected == found,
        "{} differs (UPDATE_GOLDEN=1 rewrites it)\n--- expected\n{expected}\n--- found\n{found}",
        file.display()
    );
}

//! The build script: finds the commit that a release is built from, for `--version`, the log and
//! `asyncos_exporter_build_info`. The variable `ASYNCOS_EXPORTER_REVISION` comes first, for builds without a repository,
//! such as that of the image; then the file that `cargo package` writes; then git. Without any of them there is no revision.
//!
//! Only in release builds: a debug build is of uncommitted code as a rule, and would be made again after each commit.

use std::path::Path;
use std::process::Command;

const VARIABLE: &str = "ASYNCOS_EXPORTER_REVISION";
/// The version with the revision, for `--version`.
const VERSION: &str = "ASYNCOS_EXPORTER_VERSION";
/// The file of a package. **Source:** the Cargo book, `cargo package`.
const PACKAGED: &str = ".cargo_vcs_info.json";

// Cargo reads instructions from standard output.
#[allow(clippy::print_stdout)]
fn main() {
    println!("cargo::rerun-if-env-changed={VARIABLE}");
    // The script itself always is there. Cargo runs it, and compiles everything, each time if it names a file that is not.
    println!("cargo::rerun-if-changed=deploy/release/revision.rs");
    let given = std::env::var(VARIABLE).ok().filter(|revision| !revision.is_empty());
    let is_release = std::env::var("PROFILE").is_ok_and(|profile| profile == "release");
    let revision = given.or_else(|| if is_release { found(Path::new(".")) } else { None });
    let version = std::env::var("CARGO_PKG_VERSION").unwrap_or_default();
    match revision {
        Some(revision) => {
            println!("cargo::rustc-env={VARIABLE}={revision}");
            println!("cargo::rustc-env={VERSION}={version} (revision {revision})");
        }
        None => println!("cargo::rustc-env={VERSION}={version}"),
    }
}

// Cargo reads instructions from standard output.
#[allow(clippy::print_stdout)]
fn found(root: &Path) -> Option<String> {
    for file in ["HEAD", "logs/HEAD"] {
        let file = git(root, &["rev-parse", "--git-path", file]);
        if let Some(file) = file.filter(|file| root.join(file).exists()) {
            println!("cargo::rerun-if-changed={file}");
        }
    }
    packaged(root).or_else(|| committed(root))
}

/// The commit that a package in `root` was made of.
pub(crate) fn packaged(root: &Path) -> Option<String> {
    let text = std::fs::read_to_string(root.join(PACKAGED)).ok()?;
    let (_, rest) = text.split_once("\"sha1\"")?;
    rest.split('"').nth(1).filter(|revision| is_revision(revision)).map(str::to_owned)
}

/// The commit of the repository in `root`; none where that is only a part of another repository, as vendored code is.
pub(crate) fn committed(root: &Path) -> Option<String> {
    let top = git(root, &["rev-parse", "--show-toplevel"])?;
    let is_top = Path::new(&top).canonicalize().ok()? == root.canonicalize().ok()?;
    git(root, &["rev-parse", "HEAD"]).filter(|revision| is_top && is_revision(revision))
}

fn is_revision(text: &str) -> bool {
    text.len() >= 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The answer of git; none where git or a repository is missing.
pub(crate) fn git(root: &Path, arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").arg("-C").arg(root).args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

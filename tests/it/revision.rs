//! The build script that finds the commit of a release.

#[path = "../../deploy/release/revision.rs"]
#[allow(dead_code)]
mod script;

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

#[test]
fn a_package_says_what_commit_it_was_made_of() {
    let folder = tempfile::tempdir().expect("a folder");
    assert_eq!(script::packaged(folder.path()), None);
    let file = folder.path().join(".cargo_vcs_info.json");
    std::fs::write(&file, format!("{{\n  \"git\": {{\n    \"sha1\": \"{COMMIT}\"\n  }}\n}}")).expect("a file");
    assert_eq!(script::packaged(folder.path()).as_deref(), Some(COMMIT));
    std::fs::write(&file, "{\"git\": {\"sha1\": \"\\\"x\"}}").expect("a file");
    assert_eq!(script::packaged(folder.path()), None);
}

#[test]
fn without_a_repository_there_is_no_commit() {
    let folder = tempfile::tempdir().expect("a folder");
    assert_eq!(script::committed(folder.path()), None);
}

#[cfg(feature = "external-tests")]
#[test]
fn a_repository_says_its_commit_and_that_of_another_one_is_not_taken() {
    let folder = tempfile::tempdir().expect("a folder");
    let git = |arguments: &[&str]| script::git(folder.path(), arguments).expect("git");
    git(&["init", "--quiet"]);
    git(&["-c", "user.name=x", "-c", "user.email=x@example.com", "commit", "--quiet", "--allow-empty", "-m", "x"]);
    let commit = git(&["rev-parse", "HEAD"]);
    assert_eq!(script::committed(folder.path()), Some(commit));
    let vendored = folder.path().join("vendored");
    std::fs::create_dir(&vendored).expect("a folder");
    assert_eq!(script::committed(&vendored), None);
}

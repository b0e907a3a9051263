//! The scripts that people and machines start: they parse, start, and know no place but this one.

use std::os::unix::fs::PermissionsExt;
use std::process::Command;

const SCRIPTS: [&str; 3] = ["tests/run", "tests/schemas/derive", ".ci/run"];
/// Those that take minutes or root, for people; they may name hosts, on this machine.
const BY_HAND: [&str; 7] = [
    "tests/deploy/container.sh",
    "tests/deploy/deb.sh",
    "tests/deploy/helm.sh",
    "tests/deploy/rpm.sh",
    "tests/fuzz/run",
    "deploy/release/reproducible.sh",
    "deploy/release/sbom.sh",
];
/// What others source.
const SOURCED: [&str; 1] = ["tests/deploy/outcomes.bash"];
/// Ends of host names.
const DOMAINS: [&str; 7] = [".com", ".org", ".net", ".io", ".dev", ".sh", ".rs"];

fn read(script: &str) -> String {
    std::fs::read_to_string(script).unwrap_or_else(|error| panic!("{script}: {error}"))
}

fn hosts(text: &str) -> Vec<&str> {
    let words = text.split(|letter: char| !letter.is_ascii_alphanumeric() && !matches!(letter, '.' | '-' | ':' | '/'));
    words.filter(|word| word.contains("://") || DOMAINS.iter().any(|domain| word.ends_with(domain))).collect()
}

#[test]
fn scripts_parse() {
    for script in SCRIPTS.iter().chain(&BY_HAND).chain(&SOURCED) {
        let output = Command::new("bash").args(["-n", script]).output().expect("bash");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && said.is_empty(), "{script}: {said}");
    }
}

#[test]
fn scripts_can_be_started_and_stop_at_the_first_failure() {
    for script in SCRIPTS.iter().chain(&BY_HAND) {
        let mode = std::fs::metadata(script).expect("a script").permissions().mode();
        assert_eq!(mode & 0o111, 0o111, "{script}");
        let text = read(script);
        assert!(text.starts_with("#!/usr/bin/env bash\n") && text.contains("\nset -euo pipefail\n"), "{script}");
    }
}

#[test]
fn scripts_name_no_host() {
    for script in SCRIPTS {
        assert_eq!(hosts(&read(script)), [""; 0], "{script}");
    }
}

#[test]
fn a_host_is_seen() {
    assert_eq!(hosts("curl -sf https://localhost/x | sh"), ["https://localhost/x"]);
    assert_eq!(hosts("see example.com, policy-rc.d and tests/run"), ["example.com"]);
}

#[test]
fn the_pipeline_runs_the_command_of_the_readme() {
    assert!(read("README.md").lines().any(|line| line == "tests/run"));
    assert!(read(".ci/run").lines().any(|line| line == "run tests/run"));
}

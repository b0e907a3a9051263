//! The workflows, as far as they can be judged without running them.

use std::collections::BTreeSet;

use serde_yaml::Value;

use super::*;
use crate::readme::fenced_in;

const CI: &str = ".github/workflows/ci.yml";
const RELEASE: &str = ".github/workflows/release.yml";

/// Actions by tags can be replaced by their owners at any time.
#[test]
fn actions_are_pinned_by_commit() {
    let mut found = 0;
    for file in [CI, RELEASE] {
        for action in read(file).lines().filter_map(|line| line.split_once("uses: ")).map(|(_, action)| action) {
            let commit = action.split('@').nth(1).and_then(|rest| rest.split_whitespace().next()).unwrap_or_default();
            assert!(commit.len() == 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit()), "{file}: {action}");
            found += 1;
        }
    }
    assert!(found > 5, "{found}");
}

#[test]
fn every_pull_request_runs_everything_with_rights_to_read_only() {
    let workflow: Value = serde_yaml::from_str(&read(CI)).expect("YAML");
    assert!(workflow["on"].as_mapping().is_some_and(|on| on.contains_key("pull_request")), "{:?}", workflow["on"]);
    let job = &workflow["jobs"]["run"];
    let steps = job["steps"].as_sequence().expect("steps");
    assert!(steps.iter().any(|step| step["run"].as_str() == Some(".ci/run")));
    assert_eq!(job["permissions"], serde_yaml::from_str::<Value>("{contents: read}").expect("YAML"));
    assert!(workflow["permissions"].as_mapping().is_some_and(serde_yaml::Mapping::is_empty));
}

#[test]
fn whatever_the_commands_verify_the_release_makes() {
    let (release, security) = (read(RELEASE), read(".github/SECURITY.md"));
    let commands = fenced_in(&security, "sh").concat();
    for file in ["SHA256SUMS", "SHA256SUMS.sigstore.json"] {
        assert!(commands.contains(file) && release.contains(file), "{file}");
    }
    for (verified, made) in [
        ("cosign verify-blob --bundle", "sign-blob --yes --bundle"),
        ("gh attestation verify", "actions/attest-build-provenance@"),
        ("sha256sum --check", "sha256sum -- *"),
        ("cargo audit bin", "cargo auditable build"),
    ] {
        assert!(commands.contains(verified) && release.contains(made), "{verified}");
    }
    assert!(commands.contains("workflows/release.yml@refs/tags/v"), "the identity of the signature");
    let folder = Folder::new();
    succeeds(&run("bash", &["-n", &folder.write("block", &commands)]));
}

#[test]
fn all_builds_of_a_release_write_the_list_of_crates_with_one_version() {
    let release = read(RELEASE);
    let versions: BTreeSet<String> = [release, read("deploy/container/Dockerfile")]
        .iter()
        .map(|text| text.split("cargo install cargo-auditable@").nth(1).expect("a version").to_owned())
        .map(|rest| rest.split_whitespace().next().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(versions.len(), 1, "{versions:?}");
    assert!(read("deploy/release/build.sh").contains("cargo auditable build --release --locked"));
}

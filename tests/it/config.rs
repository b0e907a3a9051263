//! The corpus of configurations: what is accepted with which warnings, what is refused with which words.

use std::path::{Path, PathBuf};

use asyncos_exporter::catalogue;
use asyncos_exporter::config::{
    Config, GroupChoice, NotAPassphrase, Passphrase, RefusalLimit, Totp, TotpHash, json_schema, known_keys,
};

use crate::golden;

fn corpus(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new("tests/configs").join(folder);
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .expect("the corpus")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .collect();
    files.sort();
    // A checkout decides on no mode but for owners.
    for password in ["tests/configs/password", "tests/configs/odd-password"] {
        std::fs::set_permissions(password, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("a mode");
    }
    assert!(!files.is_empty());
    files
}

#[test]
fn accepted_files_are_accepted_with_their_warnings() {
    for file in corpus("ok") {
        let config = Config::load(&file).unwrap_or_else(|error| panic!("{}:\n{error}", file.display()));
        let warnings: String = config.warnings.iter().map(|warning| format!("{warning}\n")).collect();
        golden::compare(&file.with_extension("warnings"), &warnings);
    }
}

#[test]
fn refused_files_are_refused_with_all_their_problems_at_once() {
    for file in corpus("bad") {
        let error = Config::load(&file).expect_err(&file.display().to_string());
        golden::compare(&file.with_extension("problems"), &format!("{error}\n"));
    }
}

#[test]
fn no_message_quotes_a_password() {
    for folder in ["ok", "bad"] {
        for file in corpus(folder) {
            let said = match Config::load(&file) {
                Ok(config) => format!("{config:?}"),
                Err(error) => format!("{error} {error:?}"),
            };
            for secret in ["hunter2", "only-for-tests", "12345"] {
                assert!(!said.contains(secret), "{}: {said}", file.display());
            }
        }
    }
}

#[test]
fn a_password_file_that_everybody_may_read_is_warned_about() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("password").display().to_string();
    std::fs::write(&file, "secret\n").expect("a file");
    let text = format!("appliances: [{{name: a, url: 'https://a:6443', username: u, password_file: '{file}'}}]");
    for (mode, said) in [(0o600, false), (0o640, false), (0o644, true), (0o604, true)] {
        std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(mode)).expect("a mode");
        let config = Config::parse("c", &text).unwrap_or_else(|error| panic!("{error}"));
        let warnings: Vec<String> = config.warnings.iter().map(ToString::to_string).collect();
        let expected = format!("c:1: appliances[0].password_file: `{file}` is world-readable: chmod o-r `{file}`");
        assert_eq!(warnings, if said { vec![expected] } else { Vec::new() }, "{mode:o}");
    }
}

#[test]
fn a_file_that_is_not_there_says_so() {
    let error = Config::load(Path::new("/nonexistent/config.yaml")).expect_err("no such file").to_string();
    assert_eq!(error, "/nonexistent/config.yaml: cannot read the file: No such file or directory (os error 2)");
}

/// The example with the files it names in a place that exists.
fn example() -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let key = rcgen::generate_simple_self_signed(["esa1.example.com".to_owned()]).expect("a certificate");
    for file in ["esa1.password", "sma1.password", "client.secret"] {
        std::fs::write(folder.path().join(file), "secret\n").expect("a file");
    }
    std::fs::write(folder.path().join("esa1.totp"), "JBSWY3DPEHPK3PXP\n").expect("a file");
    std::fs::write(folder.path().join("esa1.pem"), key.cert.pem()).expect("a file");
    let text = std::fs::read_to_string("config.example.yaml").expect("the example");
    let text = text.replace("/etc/asyncos_exporter", &folder.path().display().to_string());
    (folder, text)
}

#[test]
fn the_schema_for_editors_is_current() {
    golden::compare(Path::new("deploy/config.schema.json"), &json_schema());
}

#[test]
fn the_example_is_accepted() {
    let (_folder, text) = example();
    let config = Config::parse("config.example.yaml", &text).expect("the example is valid");
    assert_eq!(config.appliances.len(), 3);
}

#[test]
fn the_example_shows_every_key() {
    let text = std::fs::read_to_string("config.example.yaml").expect("the example");
    for (table, keys) in known_keys() {
        for key in keys {
            let shown = text.lines().any(|line| {
                let line = line.trim_start().trim_start_matches("# ").trim_start_matches("- ").trim_start_matches('{');
                line.split([',', '{']).any(|part| part.trim_start().starts_with(&format!("{key}:")))
            });
            assert!(shown, "`{key}` of {table} is missing in config.example.yaml");
        }
    }
}

#[test]
fn the_defaults_in_the_example_are_the_defaults() {
    let bare = "appliances: [{name: a, url: 'https://a.example.com', username: u, password: p}]";
    let (_folder, text) = example();
    let text: String =
        text.lines().take_while(|line| !line.starts_with("appliances:")).map(|line| format!("{line}\n")).collect();
    let spelled = Config::parse("spelled", &format!("{text}{bare}")).expect("valid");
    let silent = Config::parse("silent", bare).expect("valid");
    let (spelled, silent) = (&spelled.appliances[0], &silent.appliances[0]);
    let of_catalogue = |choice: &&GroupChoice| catalogue::group(&choice.group.name).is_some();
    let shown: Vec<_> = spelled.groups.iter().filter(of_catalogue).cloned().collect();
    assert_eq!(shown, silent.groups, "the group from the file is one more");
    assert_eq!(spelled.polling.start, Some(silent.polling.grid.length()), "left out it is one window");
    assert_eq!(asyncos_exporter::config::Polling { start: None, ..spelled.polling }, silent.polling);
}

#[test]
fn invalid_values_cannot_be_built() {
    let limits = [0, 1, 4, 5].map(|refusals| RefusalLimit::try_new(refusals).map(RefusalLimit::get));
    assert_eq!(limits, [None, Some(1), Some(4), None]);
    let secs = std::time::Duration::from_secs;
    for (digits, period, is_valid) in [
        (5, secs(30), false),
        (6, secs(30), true),
        (8, secs(1), true),
        (9, secs(30), false),
        (6, secs(0), false),
        (6, std::time::Duration::from_millis(1500), false),
    ] {
        assert_eq!(Totp::try_new(digits, period, TotpHash::Sha1).is_some(), is_valid, "{digits} {period:?}");
    }
    assert_eq!(Passphrase::try_new("").err(), Some(NotAPassphrase::Empty));
    assert_eq!(Passphrase::try_new("x".repeat(4097)).err(), Some(NotAPassphrase::Long));
    assert!(Passphrase::try_new("x".repeat(4096)).is_ok());
}

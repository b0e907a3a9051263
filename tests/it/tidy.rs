//! Rules of the layout that no compiler holds: who may use whom, who may name which crate, how long a file may be.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use syntax::{code_of, used};

mod circles;
mod syntax;
pub(crate) mod wording;

/// The order of the modules: each may use those of earlier tiers, and earlier ones of its own tier.
const TIERS: &[&[&str]] = &[
    &["base"],
    &["catalogue"],
    &["config"],
    &["api"],
    &["store", "ledger"],
    &["sample", "snapshot"],
    &["telemetry"],
    &["poll"],
    &["status"],
    &["exposition"],
    &["http"],
    &["app"],
    &["cli", "commands"],
    &["fuzz"],
    &["main"],
];

/// Modules that may name a crate, each with all below it. A crate that is not listed may be named by anyone.
const CRATES: &[(&str, &[&str])] = &[
    ("backoff", &["poll"]),
    ("bcrypt", &["http"]),
    ("clap", &["cli", "main"]),
    ("flate2", &["exposition", "api"]),
    ("httparse", &["sim"]),
    ("indicatif", &["commands/backfill"]),
    ("listenfd", &["http"]),
    ("hyper_util", &["http"]),
    ("http_body_util", &["http"]),
    ("hyper", &["http", "api"]),
    ("prometheus", &["telemetry"]),
    ("prost", &["commands/backfill"]),
    ("quick_xml", &["api"]),
    ("reqwest", &["api"]),
    ("redb", &["store"]),
    ("ring", &["api", "http", "sim", "store"]),
    ("rustix", &["commands", "config"]),
    ("rustls", &["api", "config", "http"]),
    ("rustls_native_certs", &["api"]),
    ("saphyr_parser", &["config"]),
    ("sd_notify", &["app/supervisor"]),
    ("secrecy", &["base/secret"]),
    ("snap", &["commands/backfill"]),
    ("serde_yaml", &["config"]),
    ("tokio_rustls", &["http"]),
    ("totp_rs", &["api"]),
    ("x509_parser", &["api", "base/subject_alt_name"]),
    ("tracing_subscriber", &["app/logging"]),
];

/// Words of code that give a capability, and the modules that may have it.
const CAPABILITIES: &[(&str, &[&str])] = &[
    ("SystemTime::now", &["base/clock"]),
    ("TcpListener", &["http", "sim"]),
    ("TcpStream", &["http", "sim"]),
    // To ask a daemon of ours how it is; appliances are reached by `api` alone.
    ("TcpStream::connect", &["http"]),
    ("UnixListener", &["http"]),
    ("UnixStream", &["http"]),
    ("UdpSocket", &[]),
    // A passcode may be printed by a program.
    ("process::Command", &["api"]),
    ("unsafe ", &[]),
    ("static ", &[]),
    ("expose()", &["base/secret", "api", "config", "http"]),
];

const LONGEST_FILE: usize = 420;

struct Source {
    path: PathBuf,
    /// The module at the top.
    module: String,
    text: String,
}

impl Source {
    /// Whether it is one of `modules`, or below one of them.
    fn is_within(&self, modules: &[&str]) -> bool {
        let place = self.path.strip_prefix("src").expect("below src").with_extension("");
        modules.iter().any(|module| place.starts_with(module))
    }
}

/// Every source file with its top module; comments and what is compiled for tests only are cut out.
fn sources() -> Vec<Source> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::from("src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(source(path));
            }
        }
    }
    found.retain(|source| source.module != "lib");
    assert!(found.len() > 50, "the sources are read");
    found
}

fn source(path: PathBuf) -> Source {
    let below = path.strip_prefix("src").expect("below src");
    let first = below.iter().next().expect("a name").to_string_lossy();
    let module = first.trim_end_matches(".rs").to_owned();
    let is_test = below.iter().any(|part| part == "tests" || part == "tests.rs");
    let text = std::fs::read_to_string(&path).expect("a file");
    Source { path, module, text: if is_test { String::new() } else { code_of(&text) } }
}

#[test]
fn modules_keep_their_order() {
    let rank: BTreeMap<&str, (usize, usize)> = TIERS
        .iter()
        .enumerate()
        .flat_map(|(tier, modules)| modules.iter().enumerate().map(move |(place, module)| (*module, (tier, place))))
        .collect();
    for Source { path, module, text } in sources() {
        for other in used(&text).iter().filter(|other| **other != module) {
            let edge = format!("{} uses `{other}`", path.display());
            assert!(module != "sim", "{edge}: the simulator imports nothing of ours");
            assert!(other != "sim" || module == "commands", "{edge}: only commands run the simulator");
            if other == "sim" {
                continue;
            }
            let rank = |name: &str| rank.get(name).unwrap_or_else(|| panic!("{edge}: `{name}` is in no tier"));
            assert!(rank(other) < rank(&module), "{edge}, which comes after it in src/ARCHITECTURE.md");
        }
    }
}

#[test]
fn the_rule_sees_an_edge_that_breaks_it() {
    let cases: [(&str, &[&str]); 6] = [
        ("use crate::http::{self, X};\nuse crate::{poll, app::App};", &["app", "http", "poll"]),
        ("use crate::{api::{Client, http::{A, B}}, poll::{self, C}, app};", &["api", "app", "poll"]),
        ("use {std::fmt, crate::cli as line};", &["cli"]),
        ("fn f() -> crate::app::App { asyncos_exporter::cli::run::<crate::http::X>() }", &["app", "cli", "http"]),
        ("fn f() { println!(\"{}\", [crate::poll::N]); }", &["poll"]),
        ("// crate::app\nconst A: &str = \"crate::app::App\";", &[]),
    ];
    for (code, expected) in cases {
        assert_eq!(used(code).iter().collect::<Vec<_>>(), expected, "{code}");
    }
}

#[test]
fn code_between_and_after_tests_is_read_and_that_of_tests_is_not() {
    let text = "#[cfg(test)]\nmod early;\nuse crate::poll;\n\
                impl A { #[cfg(test)] fn a() { crate::sim::a() } fn b() { crate::app::b() } }\n\
                #[cfg(test)]\nmod tests { use crate::sim::X; #[cfg(test)] fn f() {} }\n\
                #[cfg(any(test, fuzzing))]\nuse crate::fuzz;\n/// `UdpSocket`\n\
                fn late() { \"http://\"; SystemTime::now(); crate::cli::run(); } // TcpListener\n";
    let code = code_of(text);
    assert_eq!(used(&code).iter().collect::<Vec<_>>(), ["app", "cli", "fuzz", "poll"]);
    assert!(code.contains("\"http://\"; SystemTime::now"), "{code}");
    for absent in ["early", "sim", "UdpSocket", "TcpListener"] {
        assert!(!code.contains(absent), "{code}");
    }
}

#[test]
fn every_module_is_in_the_order_and_in_the_architecture() {
    let library = std::fs::read_to_string("src/lib.rs").expect("the library");
    let architecture = std::fs::read_to_string("src/ARCHITECTURE.md").expect("the architecture");
    for module in library.lines().filter_map(|line| line.split_once("mod ")?.1.strip_suffix(';')) {
        assert!(module == "sim" || TIERS.iter().any(|tier| tier.contains(&module)), "`{module}` is in no tier");
        assert!(architecture.contains(&format!("`{module}`")), "`{module}` is not in src/ARCHITECTURE.md");
    }
}

#[test]
fn crates_are_named_where_they_belong() {
    for source in sources() {
        for (name, allowed) in CRATES {
            let text = &source.text;
            let named = [format!("{name}::"), format!("use {name};")].iter().any(|word| {
                text.match_indices(word.as_str()).any(|(at, _)| {
                    !text[..at].ends_with(|before: char| before.is_alphanumeric() || matches!(before, '_' | ':'))
                })
            });
            assert!(!named || source.is_within(allowed), "{} names the crate `{name}`", source.path.display());
        }
    }
}

#[test]
fn capabilities_stay_where_they_belong() {
    for source in sources() {
        for (word, allowed) in CAPABILITIES {
            let text = &source.text;
            let has = text.match_indices(word).any(|(at, _)| {
                !text[..at].ends_with(|before: char| before.is_alphanumeric() || matches!(before, '_' | '\'' | '&'))
            });
            assert!(!has || source.is_within(allowed), "{} has `{word}`", source.path.display());
        }
    }
}

#[test]
fn files_hold_one_noun() {
    for folder in ["src", "tests/it"] {
        let mut folders = vec![PathBuf::from(folder)];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(&folder).expect("a folder") {
                let path = entry.expect("an entry").path();
                if path.is_dir() {
                    assert!(path.file_name().is_some_and(|name| name != "mod.rs"));
                    folders.push(path);
                } else if path.extension().is_some_and(|extension| extension == "rs") {
                    let lines = std::fs::read_to_string(&path).expect("a file").lines().count();
                    assert!(lines <= LONGEST_FILE, "{} has {lines} lines", path.display());
                }
            }
        }
    }
}

#[test]
fn files_begin_with_what_they_are_for() {
    for Source { path, .. } in sources() {
        let text = std::fs::read_to_string(&path).expect("a file");
        assert!(text.starts_with("//! "), "{} has no head", path.display());
        assert!(!text.contains("TODO") && !text.contains("FIXME"), "{}", path.display());
    }
}

#[test]
fn the_project_speaks_only_of_itself() {
    // Split so that this file does not find itself.
    let words = [
        ["/wo", "rk/"].concat(),
        ["cra", "tes.io"].concat(),
        ["registry.np", "mjs"].concat(),
        ["py", "pi.org"].concat(),
    ];
    let mut folders: Vec<PathBuf> =
        ["src", "tests", "deploy", "grafana", ".github"].iter().map(PathBuf::from).collect();
    let mut files: Vec<PathBuf> =
        ["README.md", "config.example.yaml", "Cargo.toml"].iter().map(PathBuf::from).collect();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    // A lock file names where crates come from; fuzzing leaves one.
    files.retain(|path| path.exists() && !path.ends_with("Cargo.lock"));
    for path in &files {
        let text = std::fs::read(path).expect("a file");
        let text = String::from_utf8_lossy(&text);
        for word in &words {
            assert!(!text.contains(word.as_str()), "{} holds `{word}`", Path::new(path).display());
        }
    }
}

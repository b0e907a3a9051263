//! The manual against the code: what it lists is what there is, and what it shows works.

use std::path::Path;

use asyncos_exporter::config::{Config, known_keys};
use asyncos_exporter::sample::ABOUT_NOW;
use asyncos_exporter::{catalogue, exposition, telemetry};

use crate::exposition::Page;
use crate::golden;

/// The largest README, in bytes: a page that somebody reads to its end.
const MOST: usize = 10 * 1024;
/// Words that look like metrics: the crates, beginnings of names, and the volume of the container.
const NO_METRICS: [&str; 6] =
    ["asyncos_exporter", "asyncos_mixin", "asyncos_", "asyncos_device_group_", "asyncos_device_", "asyncos_totals"];
const CONFIGURATION: &str = "deploy/CONFIGURATION.md";
const METRICS: &str = "grafana/METRICS.md";
/// The pages of the manual, but for `deploy/README.md` with its examples for other programs, which has tests of its own.
pub(crate) const PAGES: [&str; 6] =
    ["README.md", CONFIGURATION, "deploy/HTTP.md", "deploy/OPERATION.md", METRICS, "tests/README.md"];

pub(crate) fn page(name: &str) -> String {
    std::fs::read_to_string(name).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// All pages, one after the other.
fn manual() -> String {
    PAGES.map(page).join("\n")
}

/// Compares the part between `<!-- name -->` and `<!-- /name -->` of the metrics, or rewrites it with `UPDATE_GOLDEN=1`.
fn section(name: &str, expected: &str) {
    let text = page(METRICS);
    let (open, close) = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->"));
    let (before, rest) = text.split_once(&open).expect(name);
    let (found, after) = rest.split_once(&close).expect(name);
    if found != expected {
        golden::compare(Path::new(METRICS), &format!("{before}{open}{expected}{close}{after}"));
    }
}

/// All sections in one test: they share a file when they are rewritten.
#[test]
fn the_tables_are_those_of_the_code() {
    section("groups", &catalogue::table());
    let rows = |rows: Vec<(String, String, String)>| {
        let rows: String =
            rows.into_iter().map(|(name, kind, help)| format!("| `{name}` | {kind} | {help} |\n")).collect();
        format!("| metric | type | meaning |\n| --- | --- | --- |\n{rows}")
    };
    let about = exposition::ABOUT_DATA.iter();
    let about = about.map(|about| (about.name.to_owned(), about.kind.label().to_owned(), about.help.to_owned()));
    section("about-data", &rows(about.collect()));
    let about = ABOUT_NOW.iter();
    let about = about.map(|about| (about.name.to_owned(), about.kind.label().to_owned(), about.help.to_owned()));
    section("about-now", &rows(about.collect()));
    let golden = std::fs::read_to_string("tests/golden/metrics.txt").expect("the golden page");
    let golden =
        Page::parse(&golden.replace(" …\n", " 0\n").replace("process_start_time_seconds …", "")).expect("a page");
    let about = exposition::ABOUT_DATA;
    let names = std::fs::read_to_string("tests/golden/metric_names.txt").expect("the golden names");
    let catalogued: std::collections::BTreeSet<&str> = names.lines().collect();
    let ours = golden.families().filter(|(name, _, _)| {
        let of_appliance =
            ["device_group_", "device_"].iter().find_map(|scope| name.strip_prefix(&format!("asyncos_{scope}")));
        let name_of_appliance = of_appliance.map_or_else(|| (*name).to_owned(), |rest| format!("asyncos_{rest}"));
        !catalogued.contains(&*name_of_appliance) && about.iter().all(|about| about.name != *name)
    });
    let ours = ours.map(|(name, kind, help)| (name.to_owned(), kind.to_owned(), help.to_owned()));
    let seldom = telemetry::SELDOM.iter();
    let seldom = seldom.map(|about| (about.name.to_owned(), about.kind.label().to_owned(), about.help.to_owned()));
    let ours: std::collections::BTreeSet<_> = ours.chain(seldom).collect();
    section("about-us", &rows(ours.into_iter().collect()));
}

#[test]
fn the_keys_are_those_of_the_configuration() {
    let text = page(CONFIGURATION);
    let (_, rest) = text.split_once("<!-- keys -->").expect("the keys");
    let (table, _) = rest.split_once("<!-- /keys -->").expect("the keys");
    for (name, keys) in known_keys() {
        let row = keys.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ");
        assert!(table.contains(&format!("| {row} |")), "{name}: {row}");
    }
}

/// The fenced blocks of a language in the manual, without the indentation they stand in.
pub(crate) fn fenced(language: &str) -> Vec<String> {
    fenced_in(&manual(), language)
}

/// Those of any text.
pub(crate) fn fenced_in(text: &str, language: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line.trim_start() == format!("```{language}") {
            let indent = line.len() - line.trim_start().len();
            let block = lines.by_ref().take_while(|line| line.trim_start() != "```");
            blocks.push(block.map(|line| format!("{}\n", line.get(indent..).unwrap_or_default())).collect());
        }
    }
    blocks
}

/// The configurations of Prometheus.
#[cfg(feature = "external-tests")]
pub(crate) fn prometheus() -> Vec<String> {
    fenced("yaml").into_iter().filter(|block| is_prometheus(block)).collect()
}

fn is_prometheus(block: &str) -> bool {
    block.contains("scrape_configs")
}

#[test]
fn the_configuration_in_the_manual_is_accepted() {
    let folder = tempfile::tempdir().expect("a folder");
    let password = folder.path().join("esa1.password");
    std::fs::write(&password, "secret\n").expect("a file");
    std::fs::set_permissions(&password, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("a mode");
    let mut blocks = fenced("yaml");
    blocks.retain(|block| !is_prometheus(block));
    let [configuration, parts @ ..] = &blocks[..] else { panic!("a configuration") };
    let text = configuration.replace("esa1.password", &password.display().to_string());
    let config = Config::parse("README.md", &text).expect("accepted");
    assert!(config.warnings.is_empty(), "and without a warning");
    assert_eq!(text.lines().count(), 5, "five lines, as promised");
    assert!(!parts.is_empty());
    for part in parts {
        Config::parse("README.md", &format!("{part}{text}")).unwrap_or_else(|error| panic!("{error}\n{part}"));
    }
}

#[test]
fn every_metric_in_the_manual_exists() {
    let text = manual();
    let known = std::fs::read_to_string("tests/golden/metrics.txt").expect("the golden page")
        + &std::fs::read_to_string("tests/golden/metric_names.txt").expect("the golden names")
        + "asyncos_tracking_messages_total asyncos_tracking_messages_last_window asyncos_status_"
        + &[exposition::ABOUT_DATA, ABOUT_NOW, telemetry::SELDOM]
            .concat()
            .iter()
            .map(|about| about.name)
            .collect::<Vec<_>>()
            .join(" ");
    let is_name = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let words = text.split(|letter| !is_name(letter)).filter(|word| word.starts_with("asyncos_"));
    let mut found = 0;
    for word in words.filter(|word| !NO_METRICS.contains(word)) {
        assert!(known.contains(word), "`{word}` is no metric");
        found += 1;
    }
    assert!(found > 30);
}

#[test]
fn every_flag_in_the_manual_exists_and_every_flag_is_in_the_manual() {
    let help = std::process::Command::new(env!("CARGO_BIN_EXE_asyncos_exporter")).args(["serve", "--help"]).output();
    let help = String::from_utf8(help.expect("the program").stdout).expect("text");
    let flags = |text: &str| {
        let is_flag = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '.');
        let mut flags: Vec<String> = text
            .split(|letter| !is_flag(letter))
            .filter(|word| {
                ["--config.", "--web.", "--storage.", "--login.", "--log."].iter().any(|start| word.starts_with(start))
            })
            .map(str::to_owned)
            .collect();
        flags.sort();
        flags.dedup();
        flags
    };
    assert_eq!(flags(&manual()), flags(&help));
}

#[test]
fn the_readme_is_short() {
    let bytes = page("README.md").len();
    assert!(bytes <= MOST, "{bytes} bytes");
}

/// What no page may say: series of an appliance as a whole have names of their own and need no selector.
#[test]
fn no_page_selects_empty_scopes() {
    for name in PAGES {
        assert!(!page(name).contains("device_group=\"\""), "{name}");
    }
}

//! Plain English in what users read: messages in the code, the help of the command line, and the manual.

use std::path::{Path, PathBuf};

use asyncos_exporter::commands::mixin;
use proc_macro2::{TokenStream, TokenTree};
use serde_json::Value;
use syn::{Expr, Lit, Meta};

use super::{code_of, sources};

/// Phrases that a native reader stumbles over, each with a common one. Single words are compared whole.
const ODD: [(&str, &str); 23] = [
    ("anew", "again"),
    ("is had", "arrived"),
    ("not had", "failed"),
    ("was had", "arrived"),
    ("by itself", "automatically"),
    ("let go", "disconnected"),
    ("goes on", "continues"),
    ("cannot go on", "fatal error"),
    ("told", "reported"),
    ("tells", "shows"),
    ("boards", "dashboards"),
    ("befell", "happened to"),
    ("whoever", "anyone who"),
    ("stand still", "are paused"),
    ("stands still", "is stalled"),
    ("is believed", "is trusted"),
    ("as wrong as", "still invalid"),
    ("breaks off", "is truncated"),
    ("nobody asked for", "was not requested"),
    ("asked for", "requested"),
    ("asked seldom", "requested hourly"),
    ("stands at", "is at"),
    ("what became of", "the outcome of"),
];

/// Further phrases that alerts, runbook and dashboards avoid, in lower case. The field's terms are ESA, SMA and dashboard.
const ODD_IN_MIXIN: [(&str, &str); 32] = [
    ("board", "dashboard"),
    ("gateway", "ESA"),
    ("gateways", "ESAs"),
    ("manager", "SMA"),
    ("managers", "SMAs"),
    ("whose", "of which, with"),
    ("of these", "name them"),
    ("had", "has, received"),
    ("has said", "has reported"),
    ("tell", "report"),
    ("go on", "continue"),
    ("brings", "returns"),
    ("bring", "return"),
    ("taken for", "classified as"),
    ("taken any more", "accepted"),
    ("in numbers", "many"),
    ("is known of", "there are no metrics of"),
    ("given up", "skipped"),
    ("worked off", "processed"),
    ("looks after", "processes"),
    ("look after", "process"),
    ("became of", "result"),
    ("done with", "completed"),
    ("held against", "checked against"),
    ("as it is set up", "depending on its settings"),
    ("for good", "permanently"),
    ("are in no number", "are not counted in totals"),
    ("made up for", "added to the totals"),
    ("found bad", "found to be malicious"),
    ("kept out", "blocked"),
    ("sign of life", "heartbeat"),
    ("somebody", "name the person, or use the passive"),
];

/// Modules that are exempt: users never read their messages.
const FOR_TESTS: &[&str] = &["sim", "fuzz"];

/// Modules with doc comments that begin with a noun or a verb and avoid odd phrases. The others follow.
const DOCUMENTED: &[&str] = &[
    "api",
    "app",
    "base",
    "catalogue",
    "cli",
    "commands",
    "config",
    "exposition",
    "http",
    "sample",
    "sim",
    "snapshot",
    "status",
    "store",
    "telemetry",
];

/// Says what is odd in `text`, and what to write instead.
pub(crate) fn odd_phrase(text: &str) -> Option<String> {
    first_of(&ODD, text, text)
}

/// The same for alerts, runbook and dashboards, which avoid more.
pub(crate) fn odd_in_mixin(text: &str) -> Option<String> {
    odd_phrase(text).or_else(|| first_of(&ODD_IN_MIXIN, &text.to_lowercase(), text))
}

/// Searches `text` for the phrases and shows it as `shown`.
fn first_of(phrases: &[(&str, &str)], text: &str, shown: &str) -> Option<String> {
    let is_word = |letter: Option<char>| letter.is_some_and(char::is_alphanumeric);
    let is_in = |odd: &str| {
        text.match_indices(odd).any(|(start, _)| {
            !is_word(text[..start].chars().next_back()) && !is_word(text[start + odd.len()..].chars().next())
        })
    };
    let (odd, plain) = phrases.iter().find(|(odd, _)| is_in(odd))?;
    Some(format!("write `{plain}` instead of `{odd}`: {shown}"))
}

/// Collects the string literals in `tokens`, those inside macros included.
fn literals(tokens: TokenStream, found: &mut Vec<String>) {
    for token in tokens {
        match token {
            TokenTree::Group(group) => literals(group.stream(), found),
            TokenTree::Literal(literal) => {
                if let Lit::Str(text) = Lit::new(literal) {
                    found.push(text.value());
                }
            }
            TokenTree::Ident(_) | TokenTree::Punct(_) => {}
        }
    }
}

/// Collects the doc comments of a file, which `clap` prints as help.
fn help(text: &str) -> Vec<String> {
    struct Docs(Vec<String>);
    impl<'a> syn::visit::Visit<'a> for Docs {
        fn visit_attribute(&mut self, attribute: &'a syn::Attribute) {
            if let Meta::NameValue(pair) = &attribute.meta
                && pair.path.is_ident("doc")
                && let Expr::Lit(literal) = &pair.value
                && let Lit::Str(text) = &literal.lit
            {
                self.0.push(text.value());
            }
        }
    }
    let mut docs = Docs(Vec::new());
    syn::visit::Visit::visit_file(&mut docs, &syn::parse_file(text).expect("Rust"));
    docs.0
}

fn offences(code: &str, odd: fn(&str) -> Option<String>) -> Vec<String> {
    let mut found = Vec::new();
    literals(code.parse().expect("Rust"), &mut found);
    found.iter().filter_map(|text| odd(text)).collect()
}

/// Every text of a dashboard that a reader sees: titles, descriptions, legends.
fn shown(value: &Value, found: &mut Vec<String>) {
    const SHOWN: [&str; 8] =
        ["title", "description", "legendFormat", "tooltip", "label", "content", "titleFormat", "textFormat"];
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::String(text) if SHOWN.contains(&name.as_str()) => found.push(text.clone()),
                    _ => shown(value, found),
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| shown(value, found)),
        _ => {}
    }
}

#[test]
fn messages_are_in_plain_english() {
    for source in sources().iter().filter(|source| !source.is_within(FOR_TESTS)) {
        assert_eq!(offences(&source.text, odd_phrase), [""; 0], "{}", source.path.display());
    }
}

#[test]
fn the_generator_of_dashboards_and_rules_writes_plain_english() {
    let mut count = 0;
    let mut folders = vec![PathBuf::from("grafana/generator/src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(&path).expect("a file");
            assert_eq!(offences(&code_of(&text), odd_in_mixin), [""; 0], "{}", path.display());
            count += 1;
        }
    }
    assert!(count > 25, "{count}");
}

#[test]
fn dashboards_rules_and_runbook_are_in_plain_english() {
    let mut texts = Vec::new();
    for board in mixin::dashboards(&mixin::Places::default()) {
        shown(&serde_json::from_str(&board.text).expect("JSON"), &mut texts);
    }
    let panels = texts.len();
    assert!(panels > 500, "{panels}");
    for file in ["asyncos.rules.yaml", "RUNBOOK.md"] {
        let text = std::fs::read_to_string(Path::new("deploy/prometheus").join(file)).expect("a file");
        let is_prose = |line: &&str| {
            file.ends_with(".md") || ["summary: ", "description: "].iter().any(|key| line.trim().starts_with(key))
        };
        texts.extend(text.lines().filter(is_prose).map(str::to_owned));
    }
    assert!(texts.len() > panels + 1000, "{}", texts.len());
    let found: Vec<String> = texts.iter().filter_map(|text| odd_in_mixin(text)).collect();
    assert_eq!(found, [""; 0]);
}

/// Says what is odd in the line `text` of a doc comment, and what to write instead.
fn odd_doc(text: &str) -> Option<String> {
    let is_riddle = ["How ", "What "].iter().any(|start| text.trim_start().starts_with(start));
    is_riddle.then(|| format!("begin with the noun or a verb: {text}")).or_else(|| odd_phrase(text))
}

#[test]
fn doc_comments_are_in_plain_english() {
    let mut count = 0;
    for source in sources().iter().filter(|source| source.is_within(DOCUMENTED)) {
        let docs = help(&std::fs::read_to_string(&source.path).expect("a file"));
        let found: Vec<String> = docs.iter().filter_map(|line| odd_doc(line)).collect();
        assert_eq!(found, [""; 0], "{}", source.path.display());
        count += docs.len();
    }
    assert!(count > 500, "{count} lines of doc comments");
}

#[test]
fn help_is_in_plain_english() {
    let help = help(&std::fs::read_to_string("src/cli.rs").expect("a file"));
    assert!(help.len() > 50, "{help:?}");
    let found: Vec<String> = help.iter().filter_map(|line| odd_phrase(line)).collect();
    assert_eq!(found, [""; 0]);
}

#[test]
fn odd_phrases_are_seen() {
    let code = r#"
        fn log() { tracing::warn!(name, "report is \
            not had"); }
        const PLAIN: &str = "dashboards are stored";
        fn fail() -> String { format!("{name} stands still") }
    "#;
    assert_eq!(
        offences(code, odd_phrase),
        [
            "write `failed` instead of `not had`: report is not had",
            "write `is stalled` instead of `stands still`: {name} stands still",
        ]
    );
    assert_eq!(
        odd_in_mixin("Boards of a Manager").as_deref(),
        Some("write `SMA` instead of `manager`: Boards of a Manager")
    );
    let help_text = "/// Read the file anew\npub struct Flag;";
    assert_eq!(help(help_text).iter().filter_map(|line| odd_phrase(line)).count(), 1);
    assert!(odd_doc(" How it is read.").is_some() && odd_doc(" Whatever is read.").is_none());
}

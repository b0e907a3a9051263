//! Plain English in what users read: messages in the code, the help of the command line, and the manual.

use proc_macro2::{TokenStream, TokenTree};
use syn::{Expr, Lit, Meta};

use super::sources;

/// Phrases that a native reader stumbles over, each with a common one. Single words are compared whole.
const ODD: [(&str, &str); 19] = [
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
];

/// Modules whose messages users read. The simulator is for tests, and the catalogue follows the vendor's words.
const MODULES: &[&str] =
    &["api", "app", "base", "cli", "commands", "config", "http", "main", "status/discovery", "status/explain"];

/// Says what is odd in `text`, and what to write instead.
pub(crate) fn odd_phrase(text: &str) -> Option<String> {
    let is_word = |letter: Option<char>| letter.is_some_and(char::is_alphanumeric);
    let is_in = |odd: &str| {
        text.match_indices(odd).any(|(start, _)| {
            !is_word(text[..start].chars().next_back()) && !is_word(text[start + odd.len()..].chars().next())
        })
    };
    let (odd, plain) = ODD.into_iter().find(|(odd, _)| is_in(odd))?;
    Some(format!("write `{plain}` instead of `{odd}`: {text}"))
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

fn offences(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    literals(code.parse().expect("Rust"), &mut found);
    found.iter().filter_map(|text| odd_phrase(text)).collect()
}

#[test]
fn messages_are_in_plain_english() {
    for source in sources().iter().filter(|source| source.is_within(MODULES)) {
        assert_eq!(offences(&source.text), [""; 0], "{}", source.path.display());
    }
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
        offences(code),
        [
            "write `failed` instead of `not had`: report is not had",
            "write `is stalled` instead of `stands still`: {name} stands still",
        ]
    );
    let help_text = "/// Read the file anew\npub struct Flag;";
    assert_eq!(help(help_text).iter().filter_map(|line| odd_phrase(line)).count(), 1);
}

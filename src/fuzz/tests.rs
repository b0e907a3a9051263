//! Every parser over the corpus, and over changed copies of it: a fixed number of them, the same ones each time.

use std::panic::catch_unwind;
use std::path::Path;

use super::*;

/// Changed inputs for each parser.
const CASES: usize = 4_000;
/// Those of both configurations, for which YAML is read and checked whole.
const SLOW_CASES: usize = 1_000;
/// An input does not grow beyond this, or splices would double it again and again.
const LONGEST: usize = 16 << 10;

/// A generator of the same numbers for the same seed: xorshift64*.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }

    fn of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }
}

/// What stands in place of a number, a word or a text.
const WORDS: &[&str] = &[
    "0",
    "-0",
    "-1",
    "1",
    "0.5",
    "1.0",
    "1e30",
    "1e400",
    "-1e-400",
    "18446744073709551615",
    "18446744073709551616",
    "9007199254740993",
    "99999999999999999999999999",
    "NaN",
    "Infinity",
    "-Infinity",
    "null",
    "true",
    "false",
    "[]",
    "{}",
    "\"\"",
    "\"N/A\"",
    "\"None\"",
    "\"1\"",
    "\" 17 \"",
    "\"NaN\"",
    "\"-inf\"",
    "\"1e999\"",
    "\"+5\"",
    "\"0x10\"",
    "\"1,234\"",
    "\"1,23\"",
    "\"17.50K\"",
    "\"9007199254740993 TB\"",
    "\"12.5 %\"",
    "\"00:05:12\"",
    "\"2 days, 00:60:00\"",
    "\"1 day\"",
    "{\"value\": 3}",
    "{\"key\": \"k\", \"value\": 3}",
    "[{\"key\": \"k\", \"value\": 3}, {\"value\": 4, \"key\": \"l\"}]",
    "{\"value\": {\"value\": 1}}",
    "[{\"k\": 1}]",
    "[{\"\": 2, \"other\": 3}]",
    "\"\\u0000\\u001f\\n\"",
    "\"\\ud800\"",
    "\"a\\u0085\\u2028b\"",
];
/// Pieces that are put in anywhere.
const PIECES: &[&[u8]] = &[
    b"\0",
    b"\n",
    b"\r\n",
    b"\t",
    b"\x1b[31m",
    b"\x7f",
    b"\xff",
    b"\xc3",
    b"\xed\xa0\x80",
    "\u{feff}".as_bytes(),
    "\u{2028}".as_bytes(),
    b"\"",
    b"\\",
    b",",
    b":",
    b"{",
    b"}",
    b"[",
    b"]",
    b"<",
    b">",
    b"&amp;",
    b"&#49;",
    b"&x;",
    b"<!DOCTYPE a [<!ENTITY b 'c'>]>",
    b"<![CDATA[",
    b"-->",
    b"- ",
    b"&a [",
    b"*a",
    b"!!binary ",
    b"? ",
    b"%",
    b"=",
    b".",
];

/// `input`, changed once or a few times; parts of `others` may get into it.
fn changed(input: &[u8], others: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let mut input = input.to_vec();
    for _ in 0..=random.below(4) {
        change(&mut input, others, random);
        input.truncate(LONGEST);
    }
    input
}

fn change(input: &mut Vec<u8>, others: &[Vec<u8>], random: &mut Random) {
    let (start, end) = range(input, random);
    match random.below(11) {
        0 => {
            if let Some(byte) = input.get_mut(start) {
                *byte ^= 1 << random.below(8);
            }
        }
        1 => drop(input.drain(start..end)),
        2 => {
            let piece = input[start..end].to_vec();
            input.splice(end..end, piece);
        }
        3 => {
            let other = random.of(others);
            let (from, to) = range(other, random);
            input.splice(start..end, other[from..to].iter().copied());
        }
        4 => {
            let piece = *random.of(PIECES);
            input.splice(start..start, piece.iter().copied());
        }
        5 => {
            let depth = 1 << random.below(13);
            let (open, close) = *random.of(&[("[", "]"), ("{\"a\":", "}"), ("<a>", "</a>"), ("(", ")")]);
            input.splice(end..end, close.repeat(depth).into_bytes());
            input.splice(start..start, open.repeat(depth).into_bytes());
        }
        6 => {
            let length = 1 << random.below(12);
            let letter = *random.of(&["9", "x", "\u{fc}", " ", "\u{7}"]);
            input.splice(start..start, letter.repeat(length).into_bytes());
        }
        7 => input.truncate(start),
        // Numbers, words and texts are what most parsers decide by.
        _ => {
            let words = words(input);
            if !words.is_empty() {
                let word = random.of(&words).clone();
                input.splice(word, random.of(WORDS).bytes());
            }
        }
    }
}

fn range(input: &[u8], random: &mut Random) -> (usize, usize) {
    let start = random.below(input.len() + 1);
    (start, start + random.below((input.len() - start + 1).min(64)))
}

/// Where numbers and words stand, and texts in quotes.
fn words(input: &[u8]) -> Vec<std::ops::Range<usize>> {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'+' | b'_');
    let (mut found, mut at) = (Vec::new(), 0);
    while at < input.len() {
        let quoted = (input[at] == b'"').then(|| input[at + 1..].iter().position(|byte| *byte == b'"')).flatten();
        let length = match quoted {
            Some(length) => length + 2,
            None => input[at..].iter().take_while(|byte| is_word(**byte)).count(),
        };
        if length > 0 {
            found.push(at..at + length);
        }
        at += length.max(1);
    }
    found
}

fn corpus(parser: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus").join(parser);
    let read = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<_> = read.map(|entry| entry.expect("an entry").path()).collect();
    // The order of a folder is nobody's promise, and the cases are to be the same each time.
    files.sort();
    assert!(files.len() >= 2, "{} has too few inputs", folder.display());
    files.iter().map(|file| std::fs::read(file).expect("an input")).collect()
}

/// Panics with the input where an invariant does not hold.
fn checked(parser: &str, input: &[u8], case: usize) {
    if catch_unwind(|| check(parser, input)).is_err() {
        let shown = input.escape_ascii().to_string();
        panic!("{parser}, case {case}: {}", &shown[..shown.len().min(4_000)]);
    }
}

fn run(parsers: impl Iterator<Item = &'static str>) {
    for parser in parsers {
        let corpus = corpus(parser);
        corpus.iter().for_each(|input| checked(parser, input, 0));
        let mut random = Random(0x9e37_79b9_7f4a_7c15);
        let cases = if parser.ends_with("config") { SLOW_CASES } else { CASES };
        for case in 1..=cases {
            let input = changed(random.of(&corpus).as_slice(), &corpus, &mut random);
            checked(parser, &input, case);
        }
    }
}

fn names() -> impl Iterator<Item = &'static str> {
    PARSERS.iter().map(|(name, _)| *name)
}

#[test]
fn reports_hold_what_their_bodies_support() {
    run(names().filter(|name| *name == "report"));
}

#[test]
fn other_answers_hold_what_their_bodies_support() {
    run(names().filter(|name| *name != "report" && !name.ends_with("config")));
}

#[test]
fn configurations_are_taken_or_refused_in_lines() {
    run(names().filter(|name| name.ends_with("config")));
}

#[test]
fn every_parser_has_a_corpus_and_a_target() {
    let read = std::fs::read_dir("tests/fuzz/corpus").expect("the corpus");
    let mut folders: Vec<_> =
        read.map(|entry| entry.expect("an entry").file_name().into_string().expect("a name")).collect();
    folders.sort();
    assert_eq!(folders, names().collect::<Vec<_>>());
    let manifest = std::fs::read_to_string("tests/fuzz/Cargo.toml").expect("the manifest");
    let targets: Vec<&str> =
        manifest.lines().filter_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"')).skip(1).collect();
    assert_eq!(targets, names().collect::<Vec<_>>());
}

#[test]
fn a_value_that_the_body_does_not_hold_is_seen() {
    // The harness is worth what it notices: the parser is given one body, the second reading another.
    let report = |counters: &str| format!(r#"{{"data": {{"resultSet": [{counters}]}}}}"#);
    for (shown, body) in [
        (r#"{"detected_spam": 5}"#, r#"{"detected_spam": 6}"#),
        (r#"{"detected_spam": "1,234"}"#, r#"{"detected_spam": "1.234"}"#),
        (r#"{"detected_spam": 5}"#, r#"{"detected_spam": "5B"}"#),
        (r#"{"detected_spam": 5}"#, r#"{"detected_spam": 5}, {"detected_spam": 6}"#),
        (r#"{"recipients_matched": [{"VIP": 5}]}"#, r#"{"recipients_matched": [{"VIP": 4}, {"VIP": 2}]}"#),
        (r#"{"recipients_matched": [{"VIP": 5}]}"#, r#"{"recipients_matched": [{"key": "DEFAULT", "value": 5}]}"#),
        (r#"{"recipients_matched": [{"VIP": 5}]}"#, r#"{"recipients_matched": [{"VIP": 5}, {"DEFAULT": -1}]}"#),
    ] {
        for (body, holds) in [(shown, true), (body, false)] {
            let outcome = catch_unwind(|| report::check_against(&report(shown), &report(body)));
            assert_eq!(outcome.is_ok(), holds, "{shown} {body}");
        }
    }
}

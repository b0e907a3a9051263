//! Pseudonyms of one bundle: the same text has the same one everywhere, and no two texts share one. A pseudonym is a
//! number in the order of first appearance and not a hash, so nobody can find a text by trying a dictionary.

use std::collections::{BTreeMap, HashMap};
use std::net::{Ipv4Addr, Ipv6Addr};

use super::form::{self, Form};
use super::vocabulary::{Vocabulary, bare};

/// Networks that are reserved for documentation. **Source:** RFC 5737.
const NETWORKS: [[u8; 3]; 3] = [[192, 0, 2], [198, 51, 100], [203, 0, 113]];
/// Words of a message that are kept; the rest is cut.
const MOST_WORDS: usize = 100;
/// Digits of a key, or of a number in a message, that can be a level or a port and not the number of a person.
const SHORT_KEY: usize = 3;

/// The pseudonyms so far.
#[derive(Clone, Debug)]
pub struct Pseudonyms {
    vocabulary: Vocabulary,
    known: HashMap<String, String>,
    /// The number of pseudonyms of each kind.
    counts: BTreeMap<String, u64>,
    /// Tokens and bodies that were removed.
    removed: BTreeMap<&'static str, u64>,
}

impl Pseudonyms {
    pub(super) fn new(vocabulary: Vocabulary) -> Self {
        Self { vocabulary, known: HashMap::new(), counts: BTreeMap::new(), removed: BTreeMap::new() }
    }

    /// Each text that was replaced, with its pseudonym. Not for a bundle: it undoes the replacement.
    pub fn replaced(&self) -> impl Iterator<Item = (&str, &str)> {
        self.known.iter().map(|(text, pseudonym)| (text.as_str(), pseudonym.as_str()))
    }

    /// The number of replaced texts of each kind, and of what was removed.
    #[must_use]
    pub fn summary(&self) -> String {
        let replaced = self.counts.iter().map(|(kind, count)| format!("{count} {kind}"));
        let removed = self.removed.iter().map(|(what, count)| format!("{count} {what} (removed)"));
        let parts: Vec<String> = replaced.chain(removed).collect();
        if parts.is_empty() { "nothing".into() } else { parts.join(", ") }
    }

    /// Counts something that was removed.
    pub(super) fn count_removed(&mut self, what: &'static str) {
        *self.removed.entry(what).or_default() += 1;
    }

    /// `text` if it is known to identify nobody, else its pseudonym. `kind` is the beginning of a new one that has no
    /// form of its own.
    pub fn value(&mut self, text: &str, kind: &str) -> String {
        // Commas between thousands.
        let is_number = form::is_number(&text.replace(',', "")) || form::is_duration(text);
        let is_kept = is_number || form::is_date(text) || form::is_product(text);
        if is_kept { text.to_owned() } else { self.name(text, kind) }
    }

    /// As [`Pseudonyms::value`] for a name, which is replaced even if it is a number.
    pub fn name(&mut self, text: &str, kind: &str) -> String {
        let is_level = text.len() <= SHORT_KEY && !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if is_level || self.vocabulary.has(text) {
            return text.to_owned();
        }
        if let Some(known) = self.known.get(text) {
            return known.clone();
        }
        let made = self.made(text, kind);
        self.known.insert(text.to_owned(), made.clone());
        made
    }

    /// The name of a counter, which stays one.
    pub(super) fn counter(&mut self, name: &str) -> String {
        if self.vocabulary.may_be_counter(name) {
            return name.to_owned();
        }
        match self.name(name, "counter") {
            same if same == name => same,
            other => other.replace(|letter: char| !letter.is_ascii_alphanumeric(), "_"),
        }
    }

    /// A message, word by word.
    pub(super) fn message(&mut self, text: &str) -> String {
        let mut words = Vec::new();
        for word in text.split_whitespace().take(MOST_WORDS) {
            let core = bare(word);
            let is_kept = self.vocabulary.has_word(core)
                || (core.len() <= SHORT_KEY && form::is_number(core))
                || form::is_date(core);
            words.push(if is_kept { word.to_owned() } else { word.replacen(core, &self.name(core, "word"), 1) });
        }
        words.join(" ")
    }

    fn next(&mut self, kind: &str) -> u64 {
        let count = self.counts.entry(kind.to_owned()).or_default();
        *count += 1;
        *count
    }

    fn made(&mut self, text: &str, kind: &str) -> String {
        match Form::of(text) {
            Form::Ipv4(address) => self.ipv4(address),
            Form::Ipv6 => Ipv6Addr::from((0x2001_0db8_u128 << 96) | u128::from(self.next("address"))).to_string(),
            Form::Network(address, length) => format!("{}/{length}", self.name(address, kind)),
            Form::Mail(local, domain) => {
                let local =
                    if self.vocabulary.has(local) { local.to_owned() } else { format!("user-{}", self.next("user")) };
                format!("{local}@{}", self.name(domain, "host"))
            }
            Form::Named(name, address) => format!("{} <{}>", self.name(name, "person"), self.name(address, "user")),
            Form::Pair(head, last) => format!("{} {}", self.name(head, kind), self.name(last, kind)),
            Form::Url(scheme, host, rest) => {
                // One with user information must stay apart from one without.
                let rest = if rest.len() > 1 || text.contains('@') {
                    format!("/path-{}", self.next("path"))
                } else {
                    rest.to_owned()
                };
                format!("{scheme}://{}{rest}", self.name(host, "host"))
            }
            Form::HostPort(host, port) => format!("{}:{port}", self.name(host, "host")),
            Form::Host => format!("host-{}.example", self.next("host")),
            Form::File(end) => format!("file-{}.{end}", self.next("file")),
            Form::Hex => {
                let number = self.next("identifier");
                shaped(text, &format!("{number:x}"))
            }
            Form::Digits => {
                let number = self.next("number");
                format!("9{number:0width$}", width = text.len().saturating_sub(1))
            }
            Form::Other => format!("{kind}-{}", self.next(kind)),
        }
    }

    fn ipv4(&mut self, address: Ipv4Addr) -> String {
        let number = self.next("address") - 1;
        let last = |number: u64| u8::try_from(number % 254 + 1).unwrap_or(1);
        let wide = |number: u64| u8::try_from(number & 255).unwrap_or(0);
        let place = usize::try_from(number / 254).unwrap_or(usize::MAX);
        let octets = match NETWORKS.get(place) {
            Some([a, b, c]) if !address.is_private() => [*a, *b, *c, last(number)],
            _ => [10, wide(number >> 16), wide(number >> 8), wide(number)],
        };
        Ipv4Addr::from(octets).to_string()
    }
}

/// `digits` in the places of the last hexadecimal digits of `text`, and zeros in those before them.
fn shaped(text: &str, digits: &str) -> String {
    let mut digits = digits.chars().rev();
    let place = |letter: char| if letter == '-' { '-' } else { digits.next().unwrap_or('0') };
    let backwards: Vec<char> = text.chars().rev().map(place).collect();
    backwards.into_iter().rev().collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    fn pseudonyms() -> Pseudonyms {
        Pseudonyms::new(Vocabulary::new(&[]))
    }

    #[test]
    fn a_pseudonym_has_the_form_of_its_text_and_is_the_same_each_time() {
        let mut pseudonyms = pseudonyms();
        for (text, expected) in [
            ("10.20.30.40", "10.0.0.0"),
            ("8.8.8.8", "192.0.2.2"),
            ("2a00::1", "2001:db8::3"),
            ("alice@corp.com", "user-1@host-1.example"),
            ("corp.com", "host-1.example"),
            ("bob@corp.com", "user-2@host-1.example"),
            ("Bob B <bob@corp.com>", "person-1 <user-2@host-1.example>"),
            ("corp.com 8.8.8.8", "host-1.example 192.0.2.2"),
            ("https://corp.com/a?token=x", "https://host-1.example/path-1"),
            ("VIP Customers", "policy-1"),
            ("00AB00AB00AB00AB-FFFF", "0000000000000000-0001"),
            ("4711", "9001"),
            ("DEFAULT", "DEFAULT"),
            ("unknown domain", "unknown domain"),
            ("5", "5"),
        ] {
            assert_eq!(pseudonyms.name(text, "policy"), expected, "{text}");
            assert_eq!(pseudonyms.name(text, "other"), expected, "{text} again");
        }
        assert_eq!(pseudonyms.value("4711", "x"), "4711");
        assert_eq!(
            pseudonyms.message("Invalid value for attribute - `VIP_1`."),
            "Invalid value for attribute - `word-1`."
        );
        assert_eq!(pseudonyms.message("404 not found, 030 123456"), "404 not found, 030 900002");
        assert_eq!(pseudonyms.counter("detected_spam_certain_recipients"), "detected_spam_certain_recipients");
        assert_eq!(pseudonyms.counter("corp_mail"), "counter_1");
    }

    #[test]
    fn a_text_in_texts_costs_no_stack() {
        let mut pseudonyms = pseudonyms();
        for part in [" <a", " 10.1.2.3", ">", " <x>"] {
            let text = format!("a{}{}", part.repeat(200_000), ">".repeat(200_000));
            assert!(pseudonyms.name(&text, "text").len() < 20, "{part}");
            assert!(pseudonyms.name(&format!("a{}", part.repeat(200_000)), "text").len() < 20, "{part}");
        }
    }

    proptest! {
        #[test]
        fn no_two_texts_share_a_pseudonym(texts in proptest::collection::hash_set("\\\\PC{0,24}|[a-z]{1,9}@[a-z]{1,9}\\\\.com|[0-9]{1,3}(\\\\.[0-9]{1,3}){3}|[0-9a-f]{16,20}|[0-9]{4,9}", 1..60)) {
            let mut pseudonyms = pseudonyms();
            let made: HashSet<String> = texts.iter().map(|text| pseudonyms.name(text, "text")).collect();
            prop_assert_eq!(made.len(), texts.len());
        }
    }
}

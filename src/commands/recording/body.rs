//! Replaces texts in the bodies of answers. Bodies are not parsed but scanned, so that a body that is cut, has a member
//! twice or breaks the format is recorded with its fault.

use super::pseudonyms::Pseudonyms;

/// The text in place of an HTML page: enough to be recognized as one.
const HTML: &str = "<!DOCTYPE html>\n<html></html>";
/// Members of objects that hold messages.
const MESSAGES: [&str; 3] = ["message", "explanation", "error"];
/// Members that hold tokens, and the text in their place.
const TOKENS: [&str; 3] = ["jwttoken", "access_token", "token"];
const REMOVED: &str = "removed";
/// Attributes of the status document that hold counts.
const COUNTS: [&str; 6] = ["reset", "uptime", "lifetime", "current", "secs", "mid"];
/// Members that hold names, which are replaced even if they are numbers, and the beginnings of their pseudonyms.
const KINDS: [(&str, &str); 24] = [
    ("sender", "user"),
    ("recipient", "user"),
    ("envelopeRecipient", "user"),
    ("toAddress", "user"),
    ("fromAddress", "user"),
    ("senderIp", "address"),
    ("ip_address", "address"),
    ("hostName", "host"),
    ("mailPolicy", "policy"),
    ("senderGroup", "sender-group"),
    ("subject", "subject"),
    ("userName", "user"),
    ("role", "role"),
    ("email", "user"),
    ("serialNumber", "serial"),
    ("serial_number", "serial"),
    ("destination_domain", "host"),
    ("product_type", "product"),
    ("timezone", "zone"),
    ("continent", "zone"),
    ("quarantines", "quarantine"),
    ("feature", "feature"),
    ("hostname", "host"),
    ("host_name", "host"),
];

/// The body with pseudonyms; `kind` is the beginning of those that have no form of their own.
pub(super) fn scrubbed(body: &str, kind: &str, pseudonyms: &mut Pseudonyms) -> String {
    let start = body.trim_start_matches('\u{feff}').trim_start();
    let head: String = start.chars().take(200).collect::<String>().to_ascii_lowercase();
    if start.is_empty() {
        String::new()
    } else if head.contains("<html") || head.starts_with("<!doctype html") {
        pseudonyms.count_removed("HTML page");
        HTML.to_owned()
    } else if start.starts_with('<') {
        Xml { rest: start, out: String::new(), element: String::new(), pseudonyms }.scan()
    } else if start.starts_with(['{', '[', '"']) {
        Json { rest: body, out: String::new(), frames: Vec::new(), kind, pseudonyms }.scan()
    } else {
        pseudonyms.message(body)
    }
}

/// An object or a list that is being scanned.
struct Frame {
    is_object: bool,
    /// The member that holds it; of a list in a list, that of the outer.
    name: String,
    /// In an object, the member that comes now.
    member: String,
    is_value: bool,
}

struct Json<'a> {
    rest: &'a str,
    out: String,
    frames: Vec<Frame>,
    kind: &'a str,
    pseudonyms: &'a mut Pseudonyms,
}

impl Json<'_> {
    fn scan(mut self) -> String {
        while let Some(letter) = self.rest.chars().next() {
            let end = match letter {
                '"' => self.text(),
                '{' | '[' => {
                    let name = self.member().to_owned();
                    self.frames.push(Frame { is_object: letter == '{', name, member: String::new(), is_value: false });
                    self.copied(1)
                }
                '}' | ']' => {
                    self.frames.pop();
                    self.copied(1)
                }
                ':' | ',' => {
                    if let Some(frame) = self.frames.last_mut() {
                        frame.is_value = letter == ':';
                    }
                    self.copied(1)
                }
                blank if blank.is_whitespace() || blank == '\u{feff}' => self.copied(blank.len_utf8()),
                _ => self.bare(),
            };
            self.rest = &self.rest[end..];
        }
        self.out
    }

    /// Takes over so many bytes.
    fn copied(&mut self, bytes: usize) -> usize {
        self.out.push_str(&self.rest[..bytes]);
        bytes
    }

    /// The member that holds what comes now.
    fn member(&self) -> &str {
        match self.frames.last() {
            Some(frame) if frame.is_object => &frame.member,
            Some(frame) => &frame.name,
            None => "",
        }
    }

    /// A number, a literal, or something that should not be there.
    fn bare(&mut self) -> usize {
        let is_end = |letter: char| letter.is_whitespace() || "{}[],:\"".contains(letter);
        // The first letter is part of it whatever it is: the scan has to move on.
        let end = self.rest.char_indices().skip(1).find(|(_, letter)| is_end(*letter));
        let end = end.map_or(self.rest.len(), |(at, _)| at);
        let word = &self.rest[..end];
        // An address has dots and digits as well.
        let is_number = word.parse::<f64>().is_ok_and(f64::is_finite) && word.len() <= 32 && !word.starts_with('+');
        let kept = if is_number {
            self.number(word)
        } else if ["true", "false", "null", "NaN", "Infinity", "-Infinity"].contains(&word) {
            word.to_owned()
        } else {
            "null".to_owned()
        };
        self.out.push_str(&kept);
        end
    }

    /// A number without quotes, which may be a name: a telephone number, or an address in one number.
    fn number(&mut self, word: &str) -> String {
        if self.is_name() {
            return "null".to_owned();
        }
        let member = self.member();
        let is_text = is_message(member) || is_token(member);
        let kind = self.name_kind().or_else(|| is_text.then(|| "number".to_owned()));
        match kind {
            None => word.to_owned(),
            Some(kind) if word.bytes().all(|byte| byte.is_ascii_digit()) => self.pseudonyms.name(word, &kind),
            Some(_) => "null".to_owned(),
        }
    }

    /// Whether the name of a member comes now.
    fn is_name(&self) -> bool {
        self.frames.last().is_some_and(|frame| frame.is_object && !frame.is_value)
    }

    /// The beginning of the pseudonym if the value that comes now is a name.
    fn name_kind(&self) -> Option<String> {
        let member = self.member();
        let is_key = ["key", "keys"].contains(&member);
        kind_of(member).or_else(|| is_key.then_some(self.kind)).map(str::to_owned)
    }

    /// A text in quotes, which the end of the body may cut.
    fn text(&mut self) -> usize {
        let mut is_escaped = false;
        let mut close = None;
        for (at, letter) in self.rest.char_indices().skip(1) {
            match letter {
                '"' if !is_escaped => {
                    close = Some(at);
                    break;
                }
                '\\' => is_escaped = !is_escaped,
                _ => is_escaped = false,
            }
        }
        let end = close.map_or(self.rest.len(), |at| at + 1);
        let inner = &self.rest[1..close.unwrap_or(self.rest.len())];
        let text = serde_json::from_str(&format!("\"{inner}\"")).unwrap_or_else(|_| inner.to_owned());
        let replaced = self.replaced(&text);
        // What stays, stays in its own spelling.
        let spelt = if replaced == text { inner.to_owned() } else { escaped(&replaced) };
        self.out.push('"');
        self.out.push_str(&spelt);
        if close.is_some() {
            self.out.push('"');
        }
        end
    }

    fn replaced(&mut self, text: &str) -> String {
        if self.is_name() {
            let holder = self.frames.last().map(|frame| frame.name.clone()).unwrap_or_default();
            if let Some(frame) = self.frames.last_mut() {
                text.clone_into(&mut frame.member);
            }
            let kind = kind_of(&holder).unwrap_or(if holder == "appliances" { "serial" } else { self.kind });
            return match holder == "resultSet" {
                true => self.pseudonyms.counter(text),
                false => self.pseudonyms.name(text, kind),
            };
        }
        if is_token(self.member()) {
            self.pseudonyms.count_removed("token");
            return REMOVED.to_owned();
        }
        if is_message(self.member()) {
            return self.pseudonyms.message(text);
        }
        match self.name_kind() {
            Some(kind) => self.pseudonyms.name(text, &kind),
            None => self.pseudonyms.value(text, self.kind),
        }
    }
}

fn is_message(member: &str) -> bool {
    MESSAGES.contains(&member)
}

fn is_token(member: &str) -> bool {
    TOKENS.contains(&member.to_ascii_lowercase().as_str())
}

fn kind_of(member: &str) -> Option<&'static str> {
    KINDS.iter().find(|(name, _)| *name == member).map(|(_, kind)| *kind)
}

/// `text` inside the quotes of JSON.
fn escaped(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

struct Xml<'a> {
    rest: &'a str,
    out: String,
    /// The name of the tag that is being scanned.
    element: String,
    pseudonyms: &'a mut Pseudonyms,
}

impl Xml<'_> {
    fn scan(mut self) -> String {
        while !self.rest.is_empty() {
            let Some(open) = self.rest.find('<') else {
                self.blanks(self.rest.len());
                break;
            };
            self.blanks(open);
            let tag = self.rest;
            let skipped = [("<!--", "-->"), ("<![CDATA[", "]]>")].into_iter().find(|(begin, _)| tag.starts_with(begin));
            let end = if let Some((_, close)) = skipped {
                tag.find(close).map(|at| at + close.len())
            } else if tag.starts_with("<!") {
                self.out.push_str("<!DOCTYPE status>");
                let subset = tag.find('[').filter(|at| tag.find('>').is_none_or(|end| *at < end));
                let from = subset.and_then(|at| tag[at..].find(']').map(|end| at + end)).unwrap_or(0);
                tag[from..].find('>').map(|at| from + at + 1)
            } else {
                Some(self.tag())
            };
            self.rest = end.map_or("", |end| &self.rest[end..]);
        }
        self.out
    }

    /// Takes over the white space of the next bytes; text has no meaning in a status document.
    fn blanks(&mut self, bytes: usize) {
        self.out.extend(self.rest[..bytes].chars().filter(|letter| letter.is_whitespace()));
        self.rest = &self.rest[bytes..];
    }

    /// A tag with its attributes; returns its length.
    fn tag(&mut self) -> usize {
        let tag = self.rest;
        let (mut at, mut attribute) = (0, String::new());
        self.element.clear();
        while let Some(letter) = tag[at..].chars().next() {
            let here = &tag[at..];
            match letter {
                '>' => {
                    self.out.push('>');
                    return at + 1;
                }
                '"' | '\'' => {
                    let close = here[1..].find(letter).map_or(here.len(), |end| end + 1);
                    let value = self.value(&attribute, &here[1..close]);
                    self.out.push_str(&format!("{letter}{value}"));
                    if close < here.len() {
                        self.out.push(letter);
                    }
                    at += (close + 1).min(here.len());
                }
                '<' | '/' | '?' | '=' => {
                    self.out.push(letter);
                    at += 1;
                }
                blank if blank.is_whitespace() => {
                    self.out.push(blank);
                    at += blank.len_utf8();
                }
                _ => {
                    let is_end = |letter: char| letter.is_whitespace() || "<>/?='\"".contains(letter);
                    let end = here.find(is_end).unwrap_or(here.len());
                    let name = here[..end].to_owned();
                    let known = if name == "xml" { name.clone() } else { self.pseudonyms.counter(&name) };
                    self.out.push_str(&known);
                    match self.element.is_empty() {
                        true => self.element = name,
                        false => attribute = name,
                    }
                    at += end;
                }
            }
        }
        at
    }

    fn value(&mut self, attribute: &str, text: &str) -> String {
        let plain = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&amp;", "&")];
        let text = plain.iter().fold(text.to_owned(), |text, (entity, letter)| text.replace(entity, letter));
        let is_measure = attribute == "name" && ["counter", "gauge", "rate"].contains(&self.element.as_str());
        // Counts of a lifetime have more digits than a text may have.
        let is_count =
            COUNTS.contains(&attribute) && text.len() <= 15 && text.bytes().all(|byte| byte.is_ascii_digit());
        let replaced = if is_measure {
            self.pseudonyms.counter(&text)
        } else if is_count {
            text
        } else {
            let kind = if attribute == "name" { &self.element } else { attribute };
            self.pseudonyms.value(&text, kind_of(kind).unwrap_or("text"))
        };
        let entities = [("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("\"", "&quot;"), ("'", "&apos;")];
        entities.iter().fold(replaced, |text, (letter, entity)| text.replace(letter, entity))
    }
}

#[cfg(test)]
mod tests;

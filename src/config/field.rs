//! Readers of single values: text, numbers, durations, switches, lists. Each names what it expected and what it found.

use std::time::Duration;

use serde_yaml::Value;
use url::Url;

use super::document;
use super::path::Path;
use super::problem::Problems;
use crate::base::period::Period;
use crate::base::release::{NotARelease, Release};

/// The type of a value, for a message that must not quote it.
pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "a switch",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Sequence(_) => "a list",
        Value::Mapping(_) => "a table",
        Value::Tagged(_) => "a tagged value",
    }
}

/// A value as a message quotes it.
pub(super) fn quoted(value: &Value) -> String {
    match value {
        Value::Bool(switch) => format!("`{switch}`"),
        Value::Number(number) => format!("the number `{number}`"),
        Value::String(text) => match document::typographic_quote(text) {
            Some(hint) => format!("`{text}` ({hint})"),
            None => format!("`{text}`"),
        },
        Value::Null | Value::Sequence(_) | Value::Mapping(_) | Value::Tagged(_) => kind(value).into(),
    }
}

/// Non-empty text. Numbers are not taken for text: a name that YAML reads as a number needs quotes.
pub(super) fn text(value: Option<&Value>, path: &Path, problems: &mut Problems) -> Option<String> {
    match value? {
        Value::String(text) if !text.is_empty() => match document::typographic_quote(text) {
            None => Some(text.clone()),
            Some(complaint) => {
                problems.error(path, complaint);
                None
            }
        },
        Value::String(_) => {
            problems.error(path, "must not be empty");
            None
        }
        other => {
            problems.error(path, format!("expected text, found {} (put it in quotes)", quoted(other)));
            None
        }
    }
}

/// Text that becomes the value of a label: not empty, one line, of bearable length.
pub(super) fn label(value: Option<&Value>, path: &Path, problems: &mut Problems) -> Option<String> {
    const LONGEST: usize = 128;
    let text = text(value, path, problems)?;
    if text.chars().any(char::is_control) || text.trim() != text {
        problems.error(path, "must be one line without surrounding whitespace");
        return None;
    }
    if text.len() > LONGEST {
        problems.error(path, format!("must not be longer than {LONGEST} bytes"));
        return None;
    }
    Some(text)
}

/// `true` or `false`.
pub(super) fn switch(value: Option<&Value>, path: &Path, problems: &mut Problems) -> Option<bool> {
    match value? {
        Value::Bool(switch) => Some(*switch),
        other => {
            problems.error(path, format!("expected `true` or `false`, found {}", quoted(other)));
            None
        }
    }
}

/// A build number of AsyncOS.
pub(super) fn release(value: Option<&Value>, path: &Path, problems: &mut Problems) -> Option<Release> {
    let value = value?;
    let release = value.as_str().ok_or(NotARelease).and_then(str::parse);
    release.map_err(|error| problems.error(path, format!("{error}, found {}", quoted(value)))).ok()
}

/// A whole number in `range`.
pub(super) fn number(
    value: Option<&Value>,
    range: std::ops::RangeInclusive<usize>,
    path: &Path,
    problems: &mut Problems,
) -> Option<usize> {
    let value = value?;
    let number = value.as_u64().and_then(|number| usize::try_from(number).ok());
    if number.is_none_or(|number| !range.contains(&number)) {
        let (least, most) = (range.start(), range.end());
        problems.error(path, format!("expected a whole number from {least} to {most}, found {}", quoted(value)));
        return None;
    }
    number
}

/// One word of a closed set.
pub(super) fn choice<T: Copy>(
    value: Option<&Value>,
    words: &[(&str, T)],
    path: &Path,
    problems: &mut Problems,
) -> Option<T> {
    let value = value?;
    let found = value.as_str().and_then(|word| words.iter().find(|(known, _)| *known == word));
    if found.is_none() {
        let known = words.iter().map(|(word, _)| format!("`{word}`")).collect::<Vec<_>>().join(", ");
        problems.error(path, format!("expected one of {known}, found {}", quoted(value)));
    }
    found.map(|(_, meaning)| *meaning)
}

/// A span of time such as `90s` or `1h 30m`, at most `longest`.
pub(super) fn duration(
    value: Option<&Value>,
    range: std::ops::RangeInclusive<Duration>,
    path: &Path,
    problems: &mut Problems,
) -> Option<Duration> {
    let value = value?;
    let Value::String(text) = value else {
        problems.error(path, format!("expected a duration with a unit such as `90s`, found {}", quoted(value)));
        return None;
    };
    if names_calendar_unit(text) {
        problems.error(path, format!("`{text}`: months and years have no fixed length; use days, hours or minutes"));
        return None;
    }
    let Ok(span) = humantime::parse_duration(text) else {
        problems.error(path, format!("expected a duration such as `90s`, `5m` or `24h`, found {}", quoted(value)));
        return None;
    };
    if !range.contains(&span) {
        let (least, most) = (Period(*range.start()), Period(*range.end()));
        problems.error(path, format!("expected a duration from {least} to {most}, found `{text}`"));
        return None;
    }
    Some(span)
}

/// humantime reads `M` as a month of 30.44 days, which an operator who means minutes must not get.
fn names_calendar_unit(text: &str) -> bool {
    text.split(|letter: char| !letter.is_alphabetic())
        .any(|unit| unit == "M" || unit.starts_with("month") || unit.starts_with('y'))
}

/// A list of distinct labels.
pub(super) fn labels(value: Option<&Value>, path: &Path, problems: &mut Problems) -> Vec<String> {
    let Some(list) = list(value, path, problems) else { return Vec::new() };
    let mut found: Vec<String> = Vec::new();
    for (position, element) in list.iter().enumerate() {
        let path = path.index(position);
        match label(Some(element), &path, problems) {
            Some(name) if found.contains(&name) => problems.error(&path, format!("`{name}` is listed twice")),
            Some(name) => found.push(name),
            None => {}
        }
    }
    found
}

/// A list of anything; nothing at all counts as none.
pub(super) fn list<'a>(value: Option<&'a Value>, path: &Path, problems: &mut Problems) -> Option<&'a [Value]> {
    match value? {
        Value::Sequence(list) => Some(list),
        Value::Null => None,
        other => {
            problems.error(path, format!("expected a list, found {}", quoted(other)));
            None
        }
    }
}

/// Any URL, for more checks; `example` is a right one. Never quotes the input: it may hold a password.
pub(super) fn any_url(value: Option<&Value>, example: &str, path: &Path, problems: &mut Problems) -> Option<Url> {
    let reason = match Url::parse(&text(value, path, problems)?) {
        Ok(url) if url.port() != Some(0) => return Some(url),
        Ok(_) => "must not have port 0, which no server listens on".into(),
        // The tables for letters beyond ASCII would be twenty crates, for names that are ASCII on every known appliance.
        Err(url::ParseError::IdnaError) => {
            "has a host name with letters other than ASCII: write its ASCII form, which begins with `xn--`".into()
        }
        Err(error) => format!("expected a URL such as `{example}`: {error}"),
    };
    problems.error(path, reason);
    None
}

/// Whether the URL `text` names a port. A parsed URL does not say: it leaves the default port out.
pub(super) fn names_port(text: &str) -> bool {
    let authority = text.split_once("://").map_or(text, |(_, rest)| rest).split(['/', '?', '#']).next();
    let host = authority.and_then(|authority| authority.rsplit('@').next()).unwrap_or_default();
    let (name, port) = host.rsplit_once(':').unwrap_or((host, ""));
    !port.is_empty()
        && port.bytes().all(|byte| byte.is_ascii_digit())
        && (!name.starts_with('[') || name.ends_with(']'))
}

/// Scheme, host and port. Never quotes the input: it may hold a password.
pub(super) fn url(value: Option<&Value>, path: &Path, problems: &mut Problems) -> Option<Url> {
    let url = any_url(value, "https://esa1.example.com:6443", path, problems)?;
    let refusal = if !matches!(url.scheme(), "http" | "https") {
        Some("must begin with `https://` (or `http://`)")
    } else if !url.username().is_empty() || url.password().is_some() {
        Some("must not contain user information: give `username` and `password_file`")
    } else if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        Some("must not have a path: the exporter adds the path of the API")
    } else if url.host().is_none() {
        Some("has no host")
    } else {
        None
    };
    match refusal {
        Some(reason) => {
            problems.error(path, reason);
            None
        }
        None => Some(url),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_written_as_operators_write_them() {
        for text in ["0s", "90s", "5m", "90m", "1h", "24h", "36h", "2d", "31d", "500ms"] {
            let span = humantime::parse_duration(text).expect("a duration");
            assert_eq!(Period(span).to_string(), text);
        }
    }

    #[test]
    fn a_port_is_seen_in_any_form_of_host() {
        for (text, expected) in [
            ("https://esa1", false),
            ("https://esa1/", false),
            ("https://esa1:443", true),
            ("https://esa1:443/", true),
            ("https://u:1@esa1", false),
            ("https://[2001:db8::1]", false),
            ("https://[2001:db8::1]:443", true),
            ("https://esa1:", false),
        ] {
            assert_eq!(names_port(text), expected, "{text}");
        }
    }
}

//! The form of a text: a number, a date, an address, a host name. A pseudonym has the form of the text that it replaces.

use std::net::{Ipv4Addr, Ipv6Addr};

/// Parts of dates that are words.
const DATE_WORDS: [&str; 30] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec", "Mon", "Tue", "Wed", "Thu",
    "Fri", "Sat", "Sun", "GMT", "UTC", "T", "Z", "AM", "PM", "d", "h", "m", "s", "to",
];
/// The longest date, and the digits of one without marks.
const LONGEST_DATE: usize = 48;
const LONGEST_DIGITS: usize = 14;
/// Digits of a run in any other date: years, zones and fractions of a second. A longer one may be a telephone number.
const MOST_DATE_DIGITS: usize = 6;
/// Digits of a number in a text. A longer one may be a telephone or card number.
const MOST_DIGITS: usize = 10;
const UNITS: [&str; 12] = ["", "%", "B", "K", "M", "G", "T", "KB", "MB", "GB", "TB", "s"];
/// Code names of releases before their number.
const CODE_NAMES: [&str; 4] = ["phoebe", "zeus", "coeus", "AsyncOS"];
/// Ends of file names, which otherwise look like host names.
const FILES: [&str; 16] = [
    "doc", "docm", "docx", "exe", "htm", "html", "jpg", "js", "pdf", "png", "ppt", "pptx", "rar", "txt", "xls", "xlsx",
];
/// A longer text has no form: a text with another in it is taken apart, each level of which costs stack.
const LONGEST: usize = 1024;
/// From so many hexadecimal digits on a text is a hash or a serial number.
const FEWEST_HEX: usize = 16;

/// The form of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form<'a> {
    Ipv4(Ipv4Addr),
    Ipv6,
    /// An address and the length of its network.
    Network(&'a str, &'a str),
    /// The part before the `@`, and the domain.
    Mail(&'a str, &'a str),
    /// A name, and an address in angle brackets.
    Named(&'a str, &'a str),
    /// A text, and an address or a host name behind its last space.
    Pair(&'a str, &'a str),
    /// Scheme, host with port, and the rest.
    Url(&'a str, &'a str, &'a str),
    /// A host name and a port.
    HostPort(&'a str, &'a str),
    Host,
    /// The end of a file name.
    File(&'a str),
    /// Hexadecimal digits and dashes.
    Hex,
    Digits,
    Other,
}

impl<'a> Form<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        if text.len() > LONGEST {
            return Self::Other;
        }
        if let Ok(address) = text.parse() {
            return Self::Ipv4(address);
        }
        if text.parse::<Ipv6Addr>().is_ok() {
            return Self::Ipv6;
        }
        if let Some((address, length)) = text.split_once('/')
            && is_address(address)
            && length.parse::<u8>().is_ok()
        {
            return Self::Network(address, length);
        }
        if let Some((name, address)) = text.strip_suffix('>').and_then(|text| text.rsplit_once(" <")) {
            return Self::Named(name, address);
        }
        if let Some((scheme, rest)) = text.split_once("://")
            && ["http", "https", "ftp"].contains(&scheme)
        {
            let cut = rest.find(['/', '?', '#']).unwrap_or(rest.len());
            let authority = rest[..cut].rsplit('@').next().unwrap_or_default();
            return Self::Url(scheme, authority, &rest[cut..]);
        }
        if let Some((head, last)) = text.rsplit_once(' ')
            && is_address(last)
        {
            return Self::Pair(head, last);
        }
        if text.contains(char::is_whitespace) {
            return Self::Other;
        }
        if let Some((local, domain)) = text.split_once('@')
            && !local.is_empty()
            && (is_host(domain) || domain == "localhost")
        {
            return Self::Mail(local, domain);
        }
        if let Some((host, port)) = text.rsplit_once(':')
            && (is_host(host) || is_address(host))
            && port.parse::<u16>().is_ok()
        {
            return Self::HostPort(host, port);
        }
        if is_host(text) {
            let end = text.rsplit('.').next().unwrap_or_default();
            return if FILES.contains(&end) { Self::File(end) } else { Self::Host };
        }
        let digits = text.bytes().filter(u8::is_ascii_hexdigit).count();
        if digits >= FEWEST_HEX && text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-') {
            return Self::Hex;
        }
        if text.bytes().all(|byte| byte.is_ascii_digit()) && !text.is_empty() { Self::Digits } else { Self::Other }
    }
}

fn is_address(text: &str) -> bool {
    text.parse::<Ipv4Addr>().is_ok() || text.parse::<Ipv6Addr>().is_ok()
}

fn is_host(text: &str) -> bool {
    let is_label =
        |label: &str| !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    let last = text.rsplit('.').next().unwrap_or_default();
    text.contains('.') && text.split('.').all(is_label) && last.starts_with(|first: char| first.is_ascii_alphabetic())
}

/// Whether `text` is a number, with a unit at most, of a length that can be a count.
pub(super) fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let end = digits.find(|letter: char| !letter.is_ascii_digit() && letter != '.').unwrap_or(digits.len());
    let (number, unit) = digits.split_at(end);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let is_run =
        |run: &str| !run.is_empty() && run.len() <= MOST_DIGITS && run.bytes().all(|byte| byte.is_ascii_digit());
    is_run(whole) && is_run(fraction) && UNITS.contains(&unit.trim_start())
}

/// Whether `text` is a date or a time, in a form that answers have.
pub(super) fn is_date(text: &str) -> bool {
    let bytes = text.as_bytes();
    let runs = |is_part: fn(char) -> bool| text.split(move |letter| !is_part(letter)).filter(|run| !run.is_empty());
    let has_words = runs(char::is_alphabetic).all(|word| DATE_WORDS.contains(&word));
    let has_marks = bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-:. ,()+/".contains(byte));
    let has_month = runs(char::is_alphabetic).any(|word| DATE_WORDS[..12].contains(&word));
    let digits =
        |range: std::ops::Range<usize>| bytes.get(range).is_some_and(|part| part.iter().all(u8::is_ascii_digit));
    let is_iso =
        digits(0..4) && bytes.get(4) == Some(&b'-') && digits(5..7) && bytes.get(7) == Some(&b'-') && digits(8..10);
    let is_compact = digits(0..LONGEST_DIGITS) && (text.starts_with("19") || text.starts_with("20"));
    let rest = if is_compact { &text[LONGEST_DIGITS..] } else { text };
    let has_digits = rest.split(|letter: char| !letter.is_ascii_digit()).all(|run| run.len() <= MOST_DATE_DIGITS)
        && !(is_compact && rest.starts_with(|letter: char| letter.is_ascii_digit()));
    // Marks of dates are those of addresses too.
    let has_address = text.split([' ', ',', '(', ')', '/']).any(is_address)
        || text.split(|letter: char| !letter.is_ascii_digit() && letter != '.').any(is_address);
    let is_named = has_month && runs(|letter| letter.is_ascii_digit()).count() >= 3;
    text.len() <= LONGEST_DATE
        && has_words
        && has_marks
        && has_digits
        && !has_address
        && (is_named || is_iso || is_compact)
}

/// Whether `text` is hours, minutes and seconds.
pub(super) fn is_duration(text: &str) -> bool {
    let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    match text.split(':').collect::<Vec<_>>()[..] {
        [hours, minutes, seconds] => {
            hours.len() <= 4
                && minutes.len() == 2
                && seconds.len() == 2
                && [hours, minutes, seconds].into_iter().all(is_digits)
        }
        _ => false,
    }
}

/// Whether `text` is a build number, perhaps behind a code name, or the model of an appliance.
pub(super) fn is_product(text: &str) -> bool {
    text.split(' ').all(|part| CODE_NAMES.contains(&part) || is_build(part))
        || text.strip_prefix("AsyncOS ").is_some_and(is_release)
        || is_model(text)
}

fn is_build(text: &str) -> bool {
    let Some((numbers, build)) = text.split_once('-') else { return false };
    is_release(numbers) && is_short(build)
}

fn is_release(text: &str) -> bool {
    (2..=3).contains(&text.split('.').count()) && text.split('.').all(is_short)
}

fn is_short(run: &str) -> bool {
    !run.is_empty() && run.len() <= 3 && run.bytes().all(|byte| byte.is_ascii_digit())
}

/// Such as `C100V` and `M695`.
fn is_model(text: &str) -> bool {
    let Some(rest) = text.strip_prefix(['C', 'M', 'S', 'X']) else { return false };
    let digits = rest.strip_suffix('V').or_else(|| rest.strip_suffix('F')).unwrap_or(rest);
    digits.len() == 3 && digits.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_dates_are_known_and_telephone_and_card_numbers_are_not() {
        for text in ["0", "-1", "17", "5.5", "17.50K", "388G", "12 MB", "100%", "1795435200"] {
            assert!(is_number(text), "{text}");
        }
        for text in ["", "-", "+4915112345678", "4915112345678", "1.2.3", "0x10", "12 Main", "5 K K", "1."] {
            assert!(!is_number(text), "{text}");
        }
        for text in [
            "2026-11-23T12:00:00.000Z",
            "28 Aug 2022 15:33 (GMT)",
            "Mon, 23 Nov 2026 12:00:00 GMT",
            "20261123120000 (169d 1h 39m 8s)",
            "23 Nov 2026 12:00:00 (GMT +00:00)",
        ] {
            assert!(is_date(text), "{text}");
        }
        for text in ["2026-11-23 10.1.2.3", "May 10.1.2.3", "2026-11-23 (10.1.2.3:25)", "2026-11-23 2001:0::1"] {
            assert!(!is_date(text), "{text}");
        }
        for text in ["2026-11-23 4915112345678", "202611231200001"] {
            assert!(!is_date(text), "{text}");
        }
        for text in ["4111-1111-1111-1111", "May Sun", "12:00", "2026-11-23 Alice", "+49 30 123456", "May 5"] {
            assert!(!is_date(text), "{text}");
        }
        assert!(is_product("phoebe 16.0.0-050") && is_product("16.0.3-016") && is_product("C100V"));
        assert!(!is_product("10.1.2.3") && !is_product("alice 16.0.0-050") && !is_product("CEO"));
    }

    #[test]
    fn forms_are_told_apart() {
        assert_eq!(Form::of("alice@corp.example"), Form::Mail("alice", "corp.example"));
        assert_eq!(Form::of("A B <a@b.c>"), Form::Named("A B", "a@b.c"));
        assert_eq!(Form::of("https://u:p@h.example:8/x?y"), Form::Url("https", "h.example:8", "/x?y"));
        assert_eq!(Form::of("corp.example 10.1.2.3"), Form::Pair("corp.example", "10.1.2.3"));
        assert_eq!(Form::of("10.1.0.0/16"), Form::Network("10.1.0.0", "16"));
        assert_eq!(Form::of("esa1.corp:6443"), Form::HostPort("esa1.corp", "6443"));
        assert_eq!(Form::of("report.pdf"), Form::File("pdf"));
        assert_eq!(
            (Form::of("mail.corp"), Form::of("2001:db8::1"), Form::of("4711")),
            (Form::Host, Form::Ipv6, Form::Digits)
        );
        assert_eq!(Form::of("4229C7D1E3A1B2C3D4E5-F6A7B8C9D0E1"), Form::Hex);
        assert_eq!((Form::of("a b.c"), Form::of("a@"), Form::of("")), (Form::Other, Form::Other, Form::Other));
    }
}

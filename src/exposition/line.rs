//! One line of a page: labels and values as both formats write them. Knows nothing of families.

use std::collections::HashSet;

use crate::sample::Label;

/// Label pairs, escaped and without the braces.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Labels(String);

impl Labels {
    /// One pair.
    pub(super) fn new(name: &str, value: &str) -> Self {
        Self::default().with(name, value)
    }

    /// These and one more; an empty value is left out.
    pub(super) fn with(&self, name: &str, value: &str) -> Self {
        let mut labels = Vec::from(self.0.as_bytes());
        pair(name, value, &mut labels);
        // What was put together from texts is a text.
        Self(String::from_utf8(labels).unwrap_or_default())
    }
}

/// The labels of a line in addition to those of its place.
#[derive(Clone, Copy, Debug)]
pub(super) enum ExtraLabels<'a> {
    /// Labels of a sample.
    Labels(&'a [Label]),
    /// One label.
    Pair(&'static str, &'a str),
    /// Labels of a registry, and what the name of the family gets for this line.
    Registered(&'static str, &'a [(String, String)]),
}

impl ExtraLabels<'_> {
    /// Nothing.
    pub(super) const NONE: Self = Self::Labels(&[]);
}

/// Appends the line of `name` with `labels` and those of its own.
pub(super) fn write(name: &str, labels: &Labels, own: ExtraLabels<'_>, number: f64, out: &mut Vec<u8>) {
    out.extend_from_slice(name.as_bytes());
    if let ExtraLabels::Registered(suffix, _) = own {
        out.extend_from_slice(suffix.as_bytes());
    }
    let open = out.len();
    out.push(b'{');
    out.extend_from_slice(labels.0.as_bytes());
    match own {
        ExtraLabels::Labels(own) => own.iter().for_each(|(name, value)| pair(name, value, out)),
        ExtraLabels::Pair(name, value) => pair(name, value, out),
        ExtraLabels::Registered(_, own) => own.iter().for_each(|(name, value)| pair(name, value, out)),
    }
    if out.len() == open + 1 {
        out.pop();
    } else {
        out.push(b'}');
    }
    out.push(b' ');
    value(number, out);
    out.push(b'\n');
}

/// The name and the labels of a line.
pub(super) fn series(line: &[u8]) -> &[u8] {
    let end = line.iter().rposition(|byte| *byte == b' ').unwrap_or(line.len());
    &line[..end]
}

/// The lines whose series has no line before; none where all are.
pub(super) fn without_repeats(lines: &[u8]) -> Option<Vec<u8>> {
    let mut known = HashSet::new();
    let once: Vec<&[u8]> =
        lines.split_inclusive(|byte| *byte == b'\n').filter(|line| known.insert(series(line))).collect();
    let once = once.concat();
    (once.len() < lines.len()).then_some(once)
}

/// Appends a pair, after a comma unless it is the first.
fn pair(name: &str, value: &str, out: &mut Vec<u8>) {
    if value.is_empty() {
        return;
    }
    if out.last().is_some_and(|last| *last == b'"') {
        out.push(b',');
    }
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"=\"");
    escape(value, Quotes::Escaped, out);
    out.push(b'"');
}

/// Appends a number.
pub(super) fn value(value: f64, out: &mut Vec<u8>) {
    /// 2^53: whole numbers up to here are exact and shown as such.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if value.fract() == 0.0 && value.abs() <= EXACT {
        out.extend_from_slice(itoa::Buffer::new().format(value as i64).as_bytes());
    } else if value.is_finite() {
        out.extend_from_slice(zmij::Buffer::new().format_finite(value).as_bytes());
    } else if value.is_nan() {
        out.extend_from_slice(b"NaN");
    } else {
        out.extend_from_slice(if value > 0.0 { b"+Inf" } else { b"-Inf" });
    }
}

/// Whether quotes are escaped: the text format leaves those of a HELP alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Quotes {
    Escaped,
    Plain,
}

/// Appends `text` as the formats ask: without backslashes, line breaks and perhaps quotes.
pub(super) fn escape(text: &str, quotes: Quotes, out: &mut Vec<u8>) {
    let is_special = |byte: &u8| matches!(byte, b'\\' | b'\n') || (*byte == b'"' && quotes == Quotes::Escaped);
    let mut rest = text.as_bytes();
    while let Some(position) = rest.iter().position(is_special) {
        out.extend_from_slice(&rest[..position]);
        out.extend_from_slice(match rest[position] {
            b'\\' => b"\\\\",
            b'\n' => b"\\n",
            _ => b"\\\"",
        });
        rest = &rest[position + 1..];
    }
    out.extend_from_slice(rest);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_escaped_and_empty_ones_left_out() {
        let labels = Labels::new("a", "x\"\\\ny").with("b", "").with("c", "ü");
        assert_eq!(labels.0, r#"a="x\"\\\ny",c="ü""#);
    }

    #[test]
    fn a_line_has_its_labels_in_order_and_no_empty_braces() {
        let line = |labels: &Labels, own: ExtraLabels<'_>| {
            let mut out = Vec::new();
            write("m", labels, own, 1.0, &mut out);
            String::from_utf8(out).unwrap()
        };
        let (none, some) = (Labels::default(), Labels::new("a", "1\""));
        let own = [("k".into(), "v\"".into())];
        assert_eq!(line(&none, ExtraLabels::NONE), "m 1\n");
        assert_eq!(line(&some, ExtraLabels::NONE), "m{a=\"1\\\"\"} 1\n");
        assert_eq!(line(&some, ExtraLabels::Labels(&own)), "m{a=\"1\\\"\",k=\"v\\\"\"} 1\n");
        assert_eq!(line(&none, ExtraLabels::Pair("reason", "x")), "m{reason=\"x\"} 1\n");
        let registered = [("le".to_owned(), "+Inf".to_owned())];
        assert_eq!(
            line(&some, ExtraLabels::Registered("_bucket", &registered)),
            "m_bucket{a=\"1\\\"\",le=\"+Inf\"} 1\n"
        );
    }

    #[test]
    fn the_second_line_of_a_series_is_a_repeat() {
        assert_eq!(without_repeats(b"a{b=\"x y\"} 1\na{b=\"x\"} 1\na 1\n"), None);
        let once = without_repeats(b"a{b=\"x y\"} 1\na 2\na{b=\"x y\"} 3\n");
        assert_eq!(once.as_deref(), Some(&b"a{b=\"x y\"} 1\na 2\n"[..]));
    }

    #[test]
    fn numbers_are_short_and_exact() {
        let cases = [
            (0.0, "0"),
            (-3.0, "-3"),
            (9_007_199_254_740_992.0, "9007199254740992"),
            (0.5, "0.5"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "+Inf"),
            (f64::NEG_INFINITY, "-Inf"),
        ];
        for (number, text) in cases {
            let mut out = Vec::new();
            value(number, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), text);
        }
        for number in [1e300, -1e-300, 0.1 + 0.2, f64::MIN_POSITIVE, f64::MAX] {
            let mut out = Vec::new();
            value(number, &mut out);
            assert_eq!(String::from_utf8(out).unwrap().parse(), Ok(number));
        }
    }
}

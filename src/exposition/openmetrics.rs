//! Differences of OpenMetrics 1.0: the heads of families. Its lines of samples are those of the text format.
//! **Source:** the OpenMetrics specification 1.0, sections 4 and 5.

use super::family::{Family, comment};
use super::line::{Quotes, escape};
use crate::sample::Kind;

/// Units that our names end in.
const UNITS: [&str; 3] = ["seconds", "bytes", "ratio"];

/// The name without what belongs to its samples.
pub(super) fn name<'a>(family: &Family<'a>) -> &'a str {
    let suffix = match family.kind {
        Kind::Counter => "_total",
        Kind::Gauge => "_info",
        Kind::Histogram => "",
    };
    family.name.strip_suffix(suffix).unwrap_or(family.name)
}

/// Appends the head of `family`.
pub(super) fn head(family: &Family<'_>, out: &mut Vec<u8>) {
    let (name, is_info) = (name(family), family.kind == Kind::Gauge && family.name.ends_with("_info"));
    comment("TYPE", name, out);
    out.extend_from_slice(if is_info { "info" } else { family.kind.label() }.as_bytes());
    let unit = UNITS.iter().find(|unit| name.strip_suffix(**unit).is_some_and(|rest| rest.ends_with('_')));
    if let Some(unit) = unit.filter(|_| !is_info) {
        out.push(b'\n');
        comment("UNIT", name, out);
        out.extend_from_slice(unit.as_bytes());
    }
    out.push(b'\n');
    comment("HELP", name, out);
    escape(family.help, Quotes::Escaped, out);
    out.push(b'\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_those_of_the_specification() {
        let cases = [
            (Kind::Gauge, "a_up", "# TYPE a_up gauge\n# HELP a_up It's \\\"so\\\".\n"),
            (Kind::Gauge, "a_info", "# TYPE a info\n# HELP a It's \\\"so\\\".\n"),
            (Kind::Counter, "a_total", "# TYPE a counter\n# HELP a It's \\\"so\\\".\n"),
            (
                Kind::Counter,
                "a_bytes_total",
                "# TYPE a_bytes counter\n# UNIT a_bytes bytes\n# HELP a_bytes It's \\\"so\\\".\n",
            ),
            (Kind::Gauge, "a_ratio_last_window", {
                "# TYPE a_ratio_last_window gauge\n# HELP a_ratio_last_window It's \\\"so\\\".\n"
            }),
            (
                Kind::Histogram,
                "a_seconds",
                "# TYPE a_seconds histogram\n# UNIT a_seconds seconds\n# HELP a_seconds It's \\\"so\\\".\n",
            ),
        ];
        for (kind, name, expected) in cases {
            let mut out = Vec::new();
            head(&Family { name, kind, help: "It's \"so\"." }, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
    }
}

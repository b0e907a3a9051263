//! A family of metrics and the lines that head it, in the text format and in OpenMetrics 1.0. The samples of both are the
//! same, and unknown here.
//!
//! **Source:** the OpenMetrics specification 1.0, sections 4 and 5.

use super::line::{Quotes, escape};
use super::scrape::Format;
use crate::sample::{Kind, MetricDef};

/// Units that our names end in, which OpenMetrics states.
const UNITS: [&str; 3] = ["seconds", "bytes", "ratio"];

/// The head of a family on a page, before its samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Family<'a> {
    /// As the text format has it: a counter ends in `_total`.
    pub(super) name: &'a str,
    pub(super) kind: Kind,
    pub(super) help: &'a str,
}

impl<'a> Family<'a> {
    /// Appends its head.
    pub(super) fn write(&self, format: Format, out: &mut Vec<u8>) {
        match format {
            Format::Text => {
                comment("HELP", self.name, out);
                escape(self.help, Quotes::Plain, out);
                out.push(b'\n');
                comment("TYPE", self.name, out);
                out.extend_from_slice(self.kind.label().as_bytes());
                out.push(b'\n');
            }
            Format::OpenMetrics => self.write_openmetrics(out),
        }
    }

    /// Whether it is meant by `name`, which may come from a page of either format.
    pub(super) fn is_called(&self, name: &str) -> bool {
        name == self.name || name == self.openmetrics_name()
    }

    /// The name without what belongs to its samples in OpenMetrics.
    pub(super) fn openmetrics_name(&self) -> &'a str {
        let suffix = match self.kind {
            Kind::Counter => "_total",
            Kind::Gauge => "_info",
            Kind::Histogram => "",
        };
        self.name.strip_suffix(suffix).unwrap_or(self.name)
    }

    fn write_openmetrics(&self, out: &mut Vec<u8>) {
        let (name, is_info) = (self.openmetrics_name(), self.kind == Kind::Gauge && self.name.ends_with("_info"));
        comment("TYPE", name, out);
        out.extend_from_slice(if is_info { "info" } else { self.kind.label() }.as_bytes());
        let unit = UNITS.iter().find(|unit| name.strip_suffix(**unit).is_some_and(|rest| rest.ends_with('_')));
        if let Some(unit) = unit.filter(|_| !is_info) {
            out.push(b'\n');
            comment("UNIT", name, out);
            out.extend_from_slice(unit.as_bytes());
        }
        out.push(b'\n');
        comment("HELP", name, out);
        escape(self.help, Quotes::Escaped, out);
        out.push(b'\n');
    }
}

impl From<&MetricDef> for Family<'static> {
    fn from(&MetricDef { name, kind, help }: &MetricDef) -> Self {
        Self { name, kind, help }
    }
}

/// A family that cells belong to.
#[derive(Debug)]
pub(super) struct Head {
    /// The number of its name in the index.
    pub(super) number: u32,
    name: Box<str>,
    kind: Kind,
    help: Box<str>,
}

impl Head {
    pub(super) fn new(number: u32, family: Family<'_>) -> Self {
        Self { number, name: family.name.into(), kind: family.kind, help: family.help.into() }
    }

    pub(super) fn family(&self) -> Family<'_> {
        Family { name: &self.name, kind: self.kind, help: &self.help }
    }
}

/// Appends the beginning of a line about a family.
pub(super) fn comment(what: &str, name: &str, out: &mut Vec<u8>) {
    for part in ["# ", what, " ", name, " "] {
        out.extend_from_slice(part.as_bytes());
    }
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
            Family { name, kind, help: "It's \"so\"." }.write(Format::OpenMetrics, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
    }
}

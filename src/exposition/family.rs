//! A family of metrics and the lines that head it. Knows nothing of samples.

use super::line::{Quotes, escape};
use super::openmetrics;
use super::scrape::Format;
use crate::sample::{Kind, MetricDef};

/// The head of a family on a page, before its samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Family<'a> {
    /// As the text format has it: a counter ends in `_total`.
    pub(super) name: &'a str,
    pub(super) kind: Kind,
    pub(super) help: &'a str,
}

impl Family<'_> {
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
            Format::OpenMetrics => openmetrics::head(self, out),
        }
    }

    /// Whether it is meant by `name`, which may come from a page of either format.
    pub(super) fn is_called(&self, name: &str) -> bool {
        name == self.name || name == openmetrics::name(self)
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

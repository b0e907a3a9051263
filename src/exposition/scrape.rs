//! The request of a scrape, and why one gets no page. Knows nothing of HTTP.

use crate::base::spelling;

/// The content of one response to a scrape.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scrape {
    /// In what form.
    pub variant: Variant,
    /// The only appliances to include, without metrics about the exporter; none for everything.
    pub appliances: Vec<String>,
    /// The only families, by their names in either format; none for all of them.
    pub families: Vec<String>,
}

impl Scrape {
    /// Everything about one appliance: what a probe of it is answered with.
    #[must_use]
    pub fn of(appliance: &str, variant: Variant) -> Self {
        Self { variant, appliances: vec![appliance.to_owned()], families: vec![] }
    }

    /// Whether it is for the whole page.
    pub(super) fn is_whole(&self) -> bool {
        self.appliances.is_empty() && self.families.is_empty()
    }
}

/// The form of a page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Variant {
    /// The text format.
    pub format: Format,
    /// The compression.
    pub encoding: Encoding,
}

impl Variant {
    /// Every form there is.
    pub const ALL: [Self; 4] = [
        Self { format: Format::Text, encoding: Encoding::Identity },
        Self { format: Format::Text, encoding: Encoding::Gzip },
        Self { format: Format::OpenMetrics, encoding: Encoding::Identity },
        Self { format: Format::OpenMetrics, encoding: Encoding::Gzip },
    ];

    /// Its place in [`Variant::ALL`].
    pub(super) const fn index(self) -> usize {
        self.format.index() * 2 + self.encoding as usize
    }
}

/// The text format of a page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// Prometheus' text format 0.0.4.
    #[default]
    Text,
    /// OpenMetrics 1.0.
    OpenMetrics,
}

impl Format {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Text, Self::OpenMetrics];

    /// The value of `Content-Type`.
    #[must_use]
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }

    /// The end of a page.
    pub(super) const fn end(self) -> &'static [u8] {
        match self {
            Self::Text => b"",
            Self::OpenMetrics => b"# EOF\n",
        }
    }

    /// Its place in [`Format::ALL`].
    pub(super) const fn index(self) -> usize {
        self as usize
    }
}

/// The compression of a page. There is no zstd: it would be smaller, but scrapers request only gzip, and its crate
/// brings a library in C.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encoding {
    /// Not at all.
    #[default]
    Identity,
    /// As one member of gzip.
    Gzip,
}

/// Why a scrape gets no page.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unanswered {
    /// It is for an appliance that is not configured.
    #[error("no appliance is called `{}`{}", spelling::quoted(name), spelling::question(nearest))]
    UnknownAppliance {
        /// As it was sent.
        name: String,
        /// The names of appliances that are nearest to it.
        nearest: Vec<String>,
    },
    /// It is for a family that no page can have.
    #[error("no metric family is called `{}`{}", spelling::quoted(name), spelling::question(nearest))]
    UnknownFamily {
        /// As it was sent.
        name: String,
        /// The names of families that are nearest to it.
        nearest: Vec<String>,
    },
    /// No more pages are rendered.
    #[error("stopping")]
    Stopping,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_has_a_place() {
        for (place, variant) in Variant::ALL.into_iter().enumerate() {
            assert_eq!(variant.index(), place);
        }
        assert!(Format::ALL.iter().enumerate().all(|(place, format)| format.index() == place));
    }
}

//! The products that can be configured, and the differences between them that the configuration knows.

use std::time::Duration;

use crate::base::release::Release;

/// The two products of AsyncOS for mail; Cloud Gateway is an ESA or SMA hosted by the vendor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Product {
    /// Secure Email Gateway.
    Esa,
    /// Secure Email and Web Manager.
    Sma,
}

impl Product {
    /// The value of the label `product`.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Esa => "esa",
            Self::Sma => "sma",
        }
    }

    /// The product of a label.
    #[must_use]
    pub fn of_label(label: &str) -> Option<Self> {
        [Self::Esa, Self::Sma].into_iter().find(|product| product.label() == label)
    }

    /// The first release with version 2.0 of the API.
    ///
    /// **Source:** docs.ces.cisco.com, AsyncOS API; API guide for ESA 16.0.
    #[must_use]
    pub const fn first_release(self) -> Release {
        match self {
            Self::Esa => Release::of([13, 0, 0]),
            Self::Sma => Release::of([12, 0, 0]),
        }
    }

    /// The settle delay unless configured. An ESA reports its own traffic; an SMA receives it in files of 15 minutes, so
    /// its figures are that much older than they look.
    #[must_use]
    pub const fn default_settle(self) -> Duration {
        match self {
            Self::Esa => Duration::from_secs(2 * 60),
            Self::Sma => Duration::from_secs(20 * 60),
        }
    }
}

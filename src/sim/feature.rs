//! Feature keys of an ESA, as `/xml/status` lists them. **Source:** the recorded page
//! (1player/ironport-prometheus-exporter, status_test.go).

/// A feature key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Feature {
    /// Its name; anything, it is escaped.
    pub name: String,
    /// Its time until it expires.
    pub remaining: TimeRemaining,
}

/// The time until a feature key expires.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TimeRemaining {
    /// So many seconds from the start of the appliance; negative when it had expired by then.
    AfterStart(i64),
    /// `Dormant/Perpetual`.
    DormantOrPerpetual,
    /// This text.
    Text(String),
}

impl TimeRemaining {
    /// The text of the page at `now`, for an appliance that was started at `started`, both in seconds since 1970.
    pub(super) fn text(&self, started: u64, now: u64) -> String {
        match self {
            Self::AfterStart(secs) => (secs + started as i64 - now as i64).to_string(),
            Self::DormantOrPerpetual => "Dormant/Perpetual".to_owned(),
            Self::Text(text) => text.clone(),
        }
    }
}

impl Feature {
    /// A feature key.
    #[must_use]
    pub fn new(name: &str, remaining: TimeRemaining) -> Self {
        Self { name: name.to_owned(), remaining }
    }

    /// Those of the recorded page, and one whose name has to be escaped.
    pub(super) fn usual() -> Vec<Self> {
        let lasting = |name, secs| Self::new(name, TimeRemaining::AfterStart(secs));
        let perpetual = |name| Self::new(name, TimeRemaining::DormantOrPerpetual);
        vec![
            lasting("McAfee", 2_592_000),
            lasting("Sophos", 45_341_935),
            lasting("File Analysis", -46_298_076),
            perpetual("Bounce Verification"),
            lasting("IronPort Anti-Spam", 45_341_935),
            lasting("IronPort Email Encryption", 2_592_000),
            lasting("Data Loss Prevention & Compliance", 86_400),
            lasting("File Reputation", -46_298_076),
            perpetual("Incoming Mail Handling"),
            lasting("Outbreak Filters", 45_856_372),
        ]
    }
}

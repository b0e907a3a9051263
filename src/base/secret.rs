//! Passwords and tokens in memory: zeroed when dropped and never printed. Knows nothing of where a
//! secret comes from or whom it is shown to.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};

/// Text that must not reach a log, an error, a metric, a page or `Debug`.
///
/// Reading it takes [`Secret::expose`], so every place that does is found by searching for that word.
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// Wraps `text`.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(SecretString::from(text.into()))
    }

    /// The text itself, for the one place that sends it.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("<secret>")
    }
}

impl PartialEq for Secret {
    /// Compares a configuration with its successor, never a client's attempt with the secret, so its timing reveals
    /// nothing.
    fn eq(&self, other: &Self) -> bool {
        self.expose() == other.expose()
    }
}

impl Eq for Secret {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_never_shows_the_text() {
        assert_eq!(format!("{:?}", Some(Secret::new("hunter2"))), "Some(<secret>)");
    }
}

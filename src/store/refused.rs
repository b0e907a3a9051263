//! Refused logins as they are written down.

use serde::{Deserialize, Serialize};

/// Logins refused in a row of one account with one secret.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// So many.
    pub count: u32,
    /// When the last was made, in seconds since 1970.
    pub last: u64,
    /// Whether the outcome of the last was not known when this was written.
    pub in_doubt: bool,
    /// Whether refusals from before these were lost with the state.
    #[serde(default)]
    pub history_lost: bool,
    /// The cause of the last refusal; the password if no cause was recorded.
    #[serde(default, skip_serializing_if = "RefusedBecause::is_password")]
    pub because: RefusedBecause,
    /// Of a status page's refusals, those before the last accepted login.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub made_up: u32,
}

const fn is_zero(count: &u32) -> bool {
    *count == 0
}

/// The cause of a refused login.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusedBecause {
    /// A second factor that is wanted and not configured.
    SecondFactor,
    /// The second step.
    Passcode,
    /// An answer that is not the API's.
    OtherServer,
    /// The login of the configured product is unknown, or the account is.
    OtherProduct,
    /// The account's name or password. A cause of a later version is taken for this one.
    #[default]
    #[serde(other)]
    Password,
}

impl RefusedBecause {
    // The signature is that which the derived code calls.
    #[expect(clippy::trivially_copy_pass_by_ref)]
    const fn is_password(&self) -> bool {
        matches!(self, Self::Password)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_written_by_any_version_are_read() {
        let read = |text: &str| serde_json::from_str::<Refused>(text).expect(text);
        let old = Refused { count: 2, last: 7, ..Refused::default() };
        assert_eq!(read(r#"{"count": 2, "last": 7, "in_doubt": false}"#), old);
        assert_eq!(read(r#"{"count": 2, "last": 7, "in_doubt": false, "because": "of a later version"}"#), old);
        assert!(!serde_json::to_string(&old).expect("JSON").contains("because"), "an older version reads it as well");
        let second = Refused { because: RefusedBecause::SecondFactor, ..old };
        assert_eq!(read(&serde_json::to_string(&second).expect("JSON")), second);
    }
}

//! What may be wrong with an appliance: a closed set, each with its words.

use std::fmt;

use serde::Serialize;
use serde::ser::{SerializeStruct, Serializer};

use crate::api::Reason;
use crate::clock::Timestamp;

/// Something that somebody should look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// Logins have stopped.
    LoginsStopped {
        /// Refusals in a row.
        refusals: u32,
    },
    /// Logins are refused and go on.
    LoginsRefused {
        /// Refusals in a row.
        refusals: u32,
    },
    /// It does not answer.
    Down(Reason),
    /// Questions that were not answered the last time; those that the appliance declines for good are not among them.
    Failing {
        /// How many.
        count: usize,
        /// One of them.
        example: String,
    },
    /// Complete windows wait to be counted.
    Behind {
        /// How many, of the group that has most.
        windows: u64,
    },
    /// Its certificate ends soon, or has ended.
    Certificate {
        /// When.
        ends: Timestamp,
        /// Whether that is past.
        has_ended: Ended,
    },
}

/// Whether something is past.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It is.
    Yes,
    /// It is near.
    Soon,
}

impl Problem {
    /// A word for programs; it never changes.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::LoginsStopped { .. } => "logins_stopped",
            Self::LoginsRefused { .. } => "logins_refused",
            Self::Down(_) => "down",
            Self::Failing { .. } => "failing",
            Self::Behind { .. } => "behind",
            Self::Certificate { .. } => "certificate",
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LoginsStopped { refusals } => {
                let noun = if *refusals == 1 { "refusal" } else { "refusals" };
                write!(
                    out,
                    "logins have stopped after {refusals} {noun}: correct the password, or unlock the account and reset"
                )
            }
            Self::LoginsRefused { refusals: 1 } => write!(out, "the last login was refused: correct the password"),
            Self::LoginsRefused { refusals } => {
                write!(out, "the last {refusals} logins were refused: correct the password")
            }
            Self::Down(reason) => write!(out, "does not answer: {}", reason.label()),
            Self::Failing { count: 1, example } => write!(out, "not had: {example}"),
            Self::Failing { count, example } => write!(out, "not had: {example} and {} more", count - 1),
            Self::Behind { windows } => write!(out, "{windows} windows behind"),
            Self::Certificate { ends, has_ended: Ended::Yes } => write!(out, "its certificate ended at {ends}"),
            Self::Certificate { ends, has_ended: Ended::Soon } => write!(out, "its certificate ends at {ends}"),
        }
    }
}

impl Serialize for Problem {
    /// `{"kind": …, "text": …}`
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut problem = to.serialize_struct("Problem", 2)?;
        problem.serialize_field("kind", self.kind())?;
        problem.serialize_field("text", &self.to_string())?;
        problem.end()
    }
}

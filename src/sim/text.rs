//! Conditions on a text, as quarantine and tracking take them: an operator and a value. **Source:** stix-shifter and
//! the guide for `contains`, `is` and `begins_with`.

use crate::sim::answer::Answer;
use crate::sim::attribute::{given, word};
use crate::sim::request::Request;

const OPERATORS: [&str; 3] = ["contains", "is", "begins_with"];

/// A condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Text {
    Contains(String),
    Is(String),
    BeginsWith(String),
}

impl Text {
    /// The condition in these two attributes; `None` without a value. Without an operator the text must contain the
    /// value (assumed). Upper and lower case are the same (assumed).
    pub(super) fn given(request: &Request, operator: &str, value: &str) -> Result<Option<Self>, Answer> {
        let operator = word(request, operator, &OPERATORS)?;
        Ok(given(request, value).map(|value| {
            let value = value.to_lowercase();
            match operator {
                Some("is") => Self::Is(value),
                Some("begins_with") => Self::BeginsWith(value),
                Some(_) | None => Self::Contains(value),
            }
        }))
    }

    pub(super) fn admits(&self, text: &str) -> bool {
        let text = text.to_lowercase();
        match self {
            Self::Contains(part) => text.contains(part),
            Self::Is(whole) => text == *whole,
            Self::BeginsWith(start) => text.starts_with(start.as_str()),
        }
    }
}

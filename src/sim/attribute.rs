//! Query attributes: what is there, what is missing, what cannot be read, and the messages that say so.

use crate::sim::answer::Answer;
use crate::sim::date::{self, ParsedDate};
use crate::sim::request::Request;
use crate::sim::settings::Settings;

/// An attribute that is there and not empty.
pub(super) fn given<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    request.attribute(name).filter(|value| !value.is_empty())
}

pub(super) fn missing(what: &str) -> Answer {
    Answer::error(404, &format!("Missing attribute - {what}."))
}

/// **Source:** recorded for `mid or icid`; the wording for other attributes is assumed.
pub(super) fn invalid(what: &str) -> Answer {
    Answer::error(404, &format!("Invalid value for attribute - {what}."))
}

/// **Source:** recorded for a wrong body field.
pub(super) fn unsupported() -> Answer {
    Answer::error(404, "Unsupported attribute.")
}

/// Attributes outside the list are refused like an unknown body field (assumed).
pub(super) fn check_names(request: &Request, known: &[&str]) -> Result<(), Answer> {
    let is_known = |(name, _): &(String, String)| known.contains(&name.as_str());
    if request.query.iter().all(is_known) { Ok(()) } else { Err(unsupported()) }
}

/// One of these words; `None` when the attribute is not there.
pub(super) fn one_of<'a>(request: &'a Request, name: &str, words: &[&str]) -> Result<Option<&'a str>, Answer> {
    match given(request, name) {
        None => Ok(None),
        Some(word) if words.contains(&word) => Ok(Some(word)),
        Some(_) => Err(invalid(name)),
    }
}

/// A number; `None` when the attribute is not there.
pub(super) fn number(request: &Request, name: &str) -> Result<Option<usize>, Answer> {
    given(request, name).map(|text| text.parse().map_err(|_| invalid(name))).transpose()
}

/// Name of the dates in messages.
pub(super) const DATES: &str = "startDate or endDate";

/// The window, in seconds since 1970; `hour_only` is the message for minutes, where they are refused, and `absent` what
/// is missing when a date is. That an empty or reversed window is refused like an unreadable date is assumed.
pub(super) fn window(
    settings: &Settings,
    request: &Request,
    absent: &str,
    hour_only: Option<&str>,
) -> Result<(u64, u64), Answer> {
    let (start, end) = (given(request, "startDate"), given(request, "endDate"));
    let (start, end) = start.zip(end).ok_or_else(|| missing(absent))?;
    let escaped = ["startDate", "endDate"]
        .iter()
        .any(|name| request.raw_attribute(name).is_some_and(|raw| raw.to_ascii_uppercase().contains("%3A")));
    if settings.behaviour.reject_escaped_colons && escaped {
        return Err(invalid(DATES));
    }
    let (start, end) = date::parse(start).zip(date::parse(end)).ok_or_else(|| invalid(DATES))?;
    if let Some(message) = hour_only
        && !(start.on_the_hour() && end.on_the_hour())
    {
        return Err(Answer::error(404, message));
    }
    if !(start.on_the_minute() && end.on_the_minute()) {
        let message = "startDate and endDate attribute supports only 00 seconds and 000 microseconds.";
        return Err(Answer::error(404, message));
    }
    let (ParsedDate { secs: start, .. }, ParsedDate { secs: end, .. }) = (start, end);
    if start < end { Ok((start, end)) } else { Err(invalid(DATES)) }
}

/// Operators of a [`TextFilter`]. **Source:** stix-shifter and the guide.
const OPERATORS: [&str; 3] = ["contains", "is", "begins_with"];

/// A condition on a text, as quarantine and tracking take it: an operator and a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TextFilter {
    Contains(String),
    Is(String),
    BeginsWith(String),
}

impl TextFilter {
    /// The condition in these two attributes; `None` without a value. Without an operator the text must contain the
    /// value (assumed). Upper and lower case are the same (assumed).
    pub(super) fn given(request: &Request, operator: &str, value: &str) -> Result<Option<Self>, Answer> {
        let operator = one_of(request, operator, &OPERATORS)?;
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

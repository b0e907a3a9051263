//! Passes every answer of a client on as it came, for a recording. What is passed on may hold tokens and personal data:
//! the receiver removes them before anything is shown or kept.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, DATE, HeaderMap, LOCATION, RETRY_AFTER};
use url::{Position, Url};

use crate::api::Reason;

/// Headers that change how an answer is read. A token in a header is left out.
const NOTED: [reqwest::header::HeaderName; 4] = [CONTENT_TYPE, DATE, LOCATION, RETRY_AFTER];
const NAMES: [&str; 4] = ["Content-Type", "Date", "Location", "Retry-After"];

/// One request and its answer. The credential and the body of the request are not part of it. No `Debug`: an answer may
/// hold a token.
pub struct Exchange<'a> {
    /// The method.
    pub method: &'a str,
    /// Path and query, as sent.
    pub target: &'a str,
    /// The answer, or why there was none.
    pub answer: Result<Answered<'a>, Reason>,
    /// From the first byte sent to the last received, or to the failure.
    pub took: Duration,
}

/// An answer before it is read.
pub struct Answered<'a> {
    /// The HTTP status.
    pub status: u16,
    /// `Content-Type`, `Date`, `Location` and `Retry-After`, as far as the answer has them.
    pub headers: &'a [(&'static str, String)],
    /// Without compression.
    pub body: &'a [u8],
}

/// Receives every exchange; called from the client's tasks, so it must not wait.
#[derive(Clone)]
pub struct Tap(Arc<dyn Fn(&Exchange<'_>) + Send + Sync>);

impl Tap {
    /// Calls `observer` for every exchange.
    pub fn new(observer: impl Fn(&Exchange<'_>) + Send + Sync + 'static) -> Self {
        Self(Arc::new(observer))
    }

    /// Passes an exchange on.
    pub(in crate::api) fn pass(&self, method: &str, url: &Url, answer: Result<Answered<'_>, Reason>, took: Duration) {
        (self.0)(&Exchange { method, target: &url[Position::BeforePath..Position::AfterQuery], answer, took });
    }
}

impl fmt::Debug for Tap {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Tap")
    }
}

/// The headers of an answer that are passed on.
pub(in crate::api) fn noted(headers: &HeaderMap) -> Vec<(&'static str, String)> {
    let value = |(header, name)| {
        let value = headers.get(header)?;
        Some((name, String::from_utf8_lossy(value.as_bytes()).into_owned()))
    };
    NOTED.iter().zip(NAMES).filter_map(value).collect()
}

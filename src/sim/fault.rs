//! Faults that a test can inject, and the requests that they strike. Says nothing about how a fault reaches the wire.

use std::time::Duration;

use serde_json::Value;

use crate::sim::request::{Request, RequestKind};

/// One way to misbehave. Slow, Revoke, Date and the counter edits add to the answer and may be combined; every other
/// fault replaces or spoils it, whether or not the caller was authenticated, and the first of those decides.
#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    /// Answers with this status.
    Status {
        /// The status code.
        code: u16,
        /// The kind of body.
        body: FaultBody,
        /// The value of a `Retry-After` header, if there is one.
        retry_after: Option<String>,
    },
    /// 401 with this message in the usual JSON body.
    Unauthorized(String),
    /// 302 to this address.
    Redirect(String),
    /// Never answers; holds the connection until the client leaves.
    Hang,
    /// Resets the connection instead of answering.
    Reset,
    /// Closes the connection without a byte.
    CloseEarly,
    /// Announces the whole body, sends half of it and closes.
    Truncate,
    /// Answers with bytes that are not HTTP.
    Garbage,
    /// Sends the head one byte at a time, this long apart.
    DripHeaders(Duration),
    /// Adds a header line with a carriage return in its middle.
    BareCr,
    /// Leaves out `Content-Length`: the body ends with the connection.
    NoContentLength,
    /// 200 with a body that is no JSON, still called `application/json`.
    GarbageBody,
    /// 200 with exactly this body.
    RawBody(String),
    /// 200 with `{}`.
    EmptyObject,
    /// 200 with a JSON body of exactly this many bytes (at least 2).
    Huge(usize),
    /// A report with `"resultSet": []`.
    EmptyResultSet,
    /// A report with `"resultSet": null`.
    NullResultSet,
    /// A report without these counters.
    DropCounters(Vec<String>),
    /// A report with one more counter, at the end.
    ExtraCounter(String, Value),
    /// A report in which this counter, if it is there, has this value.
    SetCounter(String, Value),
    /// The `Date` header has this value, in an answer that another fault replaces too.
    Date(String),
    /// Takes this much longer.
    Slow(Duration),
    /// Revokes every token as the request arrives, then answers normally.
    Revoke,
}

/// The body that goes with a [`Fault::Status`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FaultBody {
    /// The appliance's own error body with this message; the reason phrase follows from it.
    Json(String),
    /// The page of the server library or of a proxy in front.
    Html,
    /// No body.
    Empty,
}

/// The requests that a fault may strike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RequestFilter {
    /// All of them.
    Every,
    /// `POST …/login`.
    Login,
    /// Any report.
    Reports,
    /// Reports of one counter group.
    Group(String),
    /// Requests whose path ends like this: `health`, `/xml/status`, `quarantine/messages`.
    Path(String),
}

/// The requests that a fault strikes, and the number of times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct On {
    /// The requests that match.
    pub requests: RequestFilter,
    /// Number of matches that are struck; `None`: all until the faults are cleared.
    pub times: Option<u32>,
    /// Number of matches that pass unharmed first.
    pub after: u32,
}

impl On {
    /// All requests.
    #[must_use]
    pub const fn every() -> Self {
        Self { requests: RequestFilter::Every, times: None, after: 0 }
    }

    /// Logins.
    #[must_use]
    pub const fn login() -> Self {
        Self { requests: RequestFilter::Login, times: None, after: 0 }
    }

    /// Reports of any group.
    #[must_use]
    pub const fn reports() -> Self {
        Self { requests: RequestFilter::Reports, times: None, after: 0 }
    }

    /// Reports of one group.
    #[must_use]
    pub fn group(name: &str) -> Self {
        Self { requests: RequestFilter::Group(name.to_owned()), times: None, after: 0 }
    }

    /// Requests whose path ends like this.
    #[must_use]
    pub fn path(end: &str) -> Self {
        Self { requests: RequestFilter::Path(end.to_owned()), times: None, after: 0 }
    }

    /// At most `count` times.
    #[must_use]
    pub fn times(self, count: u32) -> Self {
        Self { times: Some(count), ..self }
    }

    /// Not on the first `count` matches.
    #[must_use]
    pub fn after(self, count: u32) -> Self {
        Self { after: count, ..self }
    }

    pub(super) fn matches(&self, request: &Request) -> bool {
        match (&self.requests, &request.kind) {
            (RequestFilter::Every, _)
            | (RequestFilter::Login, RequestKind::Login)
            | (RequestFilter::Reports, RequestKind::Report { .. }) => true,
            (RequestFilter::Group(wanted), RequestKind::Report { group }) => wanted == group,
            (RequestFilter::Path(end), _) => request.path.ends_with(end.as_str()),
            (RequestFilter::Login | RequestFilter::Reports | RequestFilter::Group(_), _) => false,
        }
    }
}

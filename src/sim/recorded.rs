//! An answer of an appliance as somebody recorded it. Pure description: nothing here serves a request.

/// One request and its answer, as recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedAnswer {
    /// The method of the request.
    pub method: String,
    /// Path and query of the request, as sent.
    pub target: String,
    /// The status; 0 where there was no answer, which is replayed as a closed connection.
    pub status: u16,
    /// Headers of the answer.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

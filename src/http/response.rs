//! A response and its body, which counts against its limits until it is sent. Knows nothing of routes.

use std::io::IoSlice;

use bytes::{Buf, Bytes};
use hyper::StatusCode;
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderValue};
use tokio::sync::OwnedSemaphorePermit;

use super::connection_limiter::RequestGuard;
use crate::exposition::Body;

pub(super) const HTML_TYPE: &str = "text/html; charset=utf-8";
pub(super) const JSON_TYPE: &str = "application/json";
pub(super) const TEXT_TYPE: &str = "text/plain; charset=utf-8";

pub(super) type Response = hyper::Response<CountedBody>;

/// A body that keeps its scrape counted until hyper has sent the last byte or dropped the connection: the limit is
/// there to bound memory, and a page waiting for a slow reader is memory.
pub(super) struct CountedBody {
    body: Body,
    _permit: Option<OwnedSemaphorePermit>,
    _in_work: Option<RequestGuard>,
}

impl CountedBody {
    /// A body that holds `permit` until it is sent; none where nothing limits its like.
    pub(super) fn new(body: impl Into<Body>, permit: Option<OwnedSemaphorePermit>) -> Self {
        Self { body: body.into(), _permit: permit, _in_work: None }
    }

    /// Keeps `request` in work as well: the one that this body answers.
    pub(super) fn of(self, request: RequestGuard) -> Self {
        Self { _in_work: Some(request), ..self }
    }
}

impl From<Bytes> for CountedBody {
    fn from(bytes: Bytes) -> Self {
        Self::new(bytes, None)
    }
}

impl Buf for CountedBody {
    fn remaining(&self) -> usize {
        self.body.remaining()
    }

    fn chunk(&self) -> &[u8] {
        self.body.chunk()
    }

    fn chunks_vectored<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        self.body.chunks_vectored(slices)
    }

    fn advance(&mut self, count: usize) {
        self.body.advance(count);
    }
}

/// A response with its type and its length.
pub(super) fn response(status: StatusCode, content_type: &'static str, body: CountedBody) -> Response {
    let length = HeaderValue::from(body.remaining());
    let mut answer = hyper::Response::new(body);
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    answer.headers_mut().insert(CONTENT_LENGTH, length);
    answer
}

/// A response of plain text.
pub(super) fn text(status: StatusCode, body: impl Into<Bytes>) -> Response {
    response(status, TEXT_TYPE, CountedBody::from(body.into()))
}

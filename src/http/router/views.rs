//! The pages beside the metrics themselves: what a person or a program reads about the exporter and its fleet.

use std::sync::Arc;

use bytes::Bytes;
use hyper::StatusCode;
use hyper::header::{CONTENT_SECURITY_POLICY, HOST, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use hyper::http::request::Parts;
use hyper::http::uri::Authority;
use tokio::sync::OwnedSemaphorePermit;
use url::form_urlencoded;

use super::Router;
use crate::exposition::Scrape;
use crate::http::protection::Channel;
use crate::http::response::{CountedBody, HTML_TYPE, JSON_TYPE, Response, response, text};
use crate::http::{Explained, Here, Render, negotiate};

impl Router {
    /// The metrics of one appliance, which must be configured: a request to another host would send our passwords
    /// there.
    pub(super) async fn probe(&self, head: &Parts) -> Response {
        let mut targets = pairs(head).filter(|(name, _)| name == "target").map(|(_, target)| target);
        let refuse = |reason: String| text(StatusCode::BAD_REQUEST, reason);
        let (Some(target), None) = (targets.next(), targets.next()) else {
            return refuse(
                "exactly one `target` is required: /probe?target=<name of an appliance in the \
            configuration>\n"
                    .into(),
            );
        };
        if !(self.pages.knows)(&target) {
            let target: String = target.chars().take(100).flat_map(char::escape_default).collect();
            return refuse(format!("no appliance `{target}` is configured: see /sd for the configured ones\n"));
        }
        self.metrics(Scrape { appliances: vec![target], ..negotiate::scrape(head) }).await
    }

    pub(super) fn discovery(&self, head: &Parts, channel: Channel) -> Response {
        let authority = match head.uri.authority() {
            Some(authority) => Some(authority.clone()),
            None => head.headers.get(HOST).and_then(|host| Authority::try_from(host.as_bytes()).ok()),
        };
        let Some(authority) = authority.filter(|authority| !authority.as_str().contains('@')) else {
            return text(StatusCode::BAD_REQUEST, "the request has no host to use as the address of the targets\n");
        };
        let scheme = match channel {
            Channel::Clear => "http",
            Channel::Tls => "https",
        };
        let here = Here { host: authority.as_str().to_owned(), scheme };
        self.bounded(|permit| shown(StatusCode::OK, JSON_TYPE, (self.pages.discovery)(&here), permit))
    }

    pub(super) fn landing(&self) -> Response {
        let mut answer = self.view(HTML_TYPE, &self.pages.landing);
        let policy = HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'");
        answer.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
        answer
    }

    pub(super) fn view(&self, content_type: &'static str, page: &Render) -> Response {
        self.bounded(|permit| shown(StatusCode::OK, content_type, page(), permit))
    }

    pub(super) fn explain(&self, head: &Parts) -> Response {
        self.bounded(|permit| {
            let (status, page) = match (self.pages.explain)(pairs(head).collect()) {
                Explained::Found(page) => (StatusCode::OK, page),
                Explained::Unknown(page) => (StatusCode::NOT_FOUND, page),
                Explained::Unclear(page) => (StatusCode::BAD_REQUEST, page),
            };
            shown(status, JSON_TYPE, page, permit)
        })
    }

    pub(super) fn healthy(&self) -> Response {
        match (self.pages.healthy)() {
            Ok(()) => text(StatusCode::OK, "healthy\n"),
            Err(reason) => text(StatusCode::SERVICE_UNAVAILABLE, format!("not healthy: {reason}\n")),
        }
    }

    pub(super) fn ready(&self) -> Response {
        if (self.pages.ready)() {
            text(StatusCode::OK, "ready\n")
        } else {
            text(StatusCode::SERVICE_UNAVAILABLE, "not ready\n")
        }
    }

    /// Renders a page if not too many are under way.
    fn bounded(&self, page: impl FnOnce(OwnedSemaphorePermit) -> Response) -> Response {
        match Arc::clone(&self.views).try_acquire_owned() {
            Ok(permit) => page(permit),
            Err(_) => text(StatusCode::SERVICE_UNAVAILABLE, "too many pages are being read at once\n"),
        }
    }
}

fn shown(status: StatusCode, content_type: &'static str, page: Bytes, permit: OwnedSemaphorePermit) -> Response {
    let mut answer = response(status, content_type, CountedBody::new(page, Some(permit)));
    answer.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    answer
}

/// The pairs of the query.
fn pairs(head: &Parts) -> impl Iterator<Item = (String, String)> {
    form_urlencoded::parse(head.uri.query().unwrap_or_default().as_bytes()).into_owned()
}

//! One request as the appliance received it: parsing the target, and the entry of the request log.

use std::time::SystemTime;

use crate::sim::date;
use crate::sim::settings::Product;

/// Purpose of a request, by its path and method alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RequestKind {
    /// `POST …/login`.
    Login,
    /// `POST …/login/two_factor`.
    SecondFactor,
    /// `…/reporting/<group>`, with or without a counter.
    Report {
        /// The group as written, known or not.
        group: String,
    },
    /// Anything else, a wrong base path included.
    Other,
}

/// An entry of the request log.
#[derive(Clone, Debug)]
pub struct Request {
    /// As sent.
    pub method: String,
    /// The target without the query, as sent.
    pub path: String,
    /// The query, decoded, in the order sent.
    pub query: Vec<(String, String)>,
    /// The target, as sent.
    pub raw_target: String,
    /// Names and values as sent, in the order sent.
    pub headers: Vec<(String, String)>,
    /// The status answered; 0 until then, and for good when no HTTP answer was sent.
    pub status: u16,
    /// Its purpose.
    pub kind: RequestKind,
    /// `startDate` and `endDate` in seconds since 1970, when both could be read.
    pub window: Option<(u64, u64)>,
    /// Number of requests, this one included, that had arrived and were not yet being answered when this one arrived. One
    /// whose client gave up keeps counting until the appliance notices that it left.
    pub in_flight: usize,
    /// When it arrived, by [`Now`](super::Now).
    pub at: SystemTime,
}

impl Request {
    /// A request that has just been read; the log fills in `in_flight`.
    pub(super) fn new(
        product: Product,
        method: &str,
        target: &str,
        headers: Vec<(String, String)>,
        at: SystemTime,
    ) -> Self {
        let (path, raw_query) = target.split_once('?').unwrap_or((target, ""));
        let mut request = Self {
            method: method.to_owned(),
            path: path.to_owned(),
            query: pairs(raw_query).map(|(name, value)| (decode(name), decode(value))).collect(),
            raw_target: target.to_owned(),
            headers,
            status: 0,
            kind: kind(product, method, path),
            window: None,
            in_flight: 0,
            at,
        };
        request.window = request.instant("startDate").zip(request.instant("endDate"));
        request
    }

    /// The value of a header, by name in any case; the first if there are several.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(one, _)| one.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The decoded value of a query attribute; the first if there are several.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(one, _)| one == name).map(|(_, value)| value.as_str())
    }

    /// The value of a query attribute as it was sent.
    pub(super) fn raw_attribute(&self, name: &str) -> Option<&str> {
        let (_, raw_query) = self.raw_target.split_once('?')?;
        pairs(raw_query).find(|(one, _)| decode(one) == name).map(|(_, value)| value)
    }

    fn instant(&self, name: &str) -> Option<u64> {
        date::parse(self.attribute(name)?).map(|instant| instant.secs)
    }
}

fn kind(product: Product, method: &str, path: &str) -> RequestKind {
    let Some(rest) = path.strip_prefix(product.prefix()) else { return RequestKind::Other };
    let mut segments = rest.split('/');
    match (segments.next(), segments.next()) {
        (Some("login"), None | Some("")) if method == "POST" => RequestKind::Login,
        (Some("login"), Some("two_factor")) if method == "POST" => RequestKind::SecondFactor,
        (Some("reporting"), Some(group)) if !group.is_empty() => RequestKind::Report { group: group.to_owned() },
        _ => RequestKind::Other,
    }
}

fn pairs(raw_query: &str) -> impl Iterator<Item = (&str, &str)> {
    raw_query.split('&').filter(|pair| !pair.is_empty()).map(|pair| pair.split_once('=').unwrap_or((pair, "")))
}

/// Undoes percent-encoding, and `+` for a space; what is not a valid escape stays as it is.
pub(super) fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        rest = tail;
        match (first, escaped(tail)) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            (b'+', _) => bytes.push(b' '),
            (other, _) => bytes.push(other),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn escaped(tail: &[u8]) -> Option<u8> {
    let digits = std::str::from_utf8(tail.get(..2)?).ok()?;
    if digits.starts_with('+') {
        return None;
    }
    u8::from_str_radix(digits, 16).ok()
}

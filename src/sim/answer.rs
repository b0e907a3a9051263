//! An answer before it is on the wire: status, headers in the recorded order and case, body. Knows nothing of sockets.

use std::fmt::Write;

use crate::sim::form::HttpVersion;
use crate::sim::http_status;
use crate::sim::json::Json;

/// Headers that follow the others in every answer, success or error. **Source:** nickrusso42518/postman,
/// 14 recorded SMA 12.0 answers.
const CORS: [(&str, &str); 5] = [
    ("Access-Control-Allow-Origin", "*"),
    ("Access-Control-Allow-Headers", "content-type, jwttoken, mid, h, email"),
    ("Access-Control-Allow-Credentials", "true"),
    ("Access-Control-Allow-Methods", "GET, POST, DELETE, OPTIONS"),
    ("Access-Control-Expose-Headers", "Content-Disposition, jwtToken"),
];

const JSON: &str = "application/json";
const HTML: &str = "text/html";
const XML: &str = "text/xml";

/// A complete answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) code: u16,
    reason: String,
    content_type: &'static str,
    pub(super) body: Vec<u8>,
    /// Headers after the recorded block; where the appliance puts them is not recorded.
    extra: Vec<(&'static str, String)>,
}

/// The looks of the head, whatever the answer is.
pub(super) struct HeadStyle {
    pub(super) http: HttpVersion,
    /// The value of `Date`; `None` leaves it out.
    pub(super) date: Option<String>,
}

impl Answer {
    /// 200 with this body, called JSON whatever it is.
    pub(super) fn ok(body: impl Into<Vec<u8>>) -> Self {
        let body = body.into();
        Self { code: 200, reason: http_status::texts(200).0.to_owned(), content_type: JSON, body, extra: Vec::new() }
    }

    /// 200 with a JSON body.
    pub(super) fn json(body: &Json) -> Self {
        Self::ok(body.to_bytes())
    }

    /// 200 with an XML body that names its own encoding. That nothing else does is assumed.
    pub(super) fn xml(body: Vec<u8>) -> Self {
        Self { content_type: XML, ..Self::ok(body) }
    }

    /// An error in the appliance's own form. `message` ends in a dot; the reason phrase is the message without it.
    pub(super) fn error(code: u16, message: &str) -> Self {
        let error = Json::object([
            ("message", message.into()),
            ("code", code.to_string().into()),
            ("explanation", http_status::explanation(code).into()),
        ]);
        Self {
            code,
            reason: message.strip_suffix('.').unwrap_or(message).to_owned(),
            content_type: JSON,
            body: Json::object([("error", error)]).to_bytes(),
            extra: Vec::new(),
        }
    }

    pub(super) fn unauthorized() -> Self {
        Self::error(401, "Unauthorized.")
    }

    pub(super) fn not_found() -> Self {
        Self::error(404, "Not Found.")
    }

    /// An error page of the server library.
    pub(super) fn page(code: u16, message: &str) -> Self {
        let body = http_status::page(code, message).into_bytes();
        Self { code, reason: message.to_owned(), content_type: HTML, body, extra: Vec::new() }
    }

    /// A status without a body.
    pub(super) fn bare(code: u16) -> Self {
        let reason = http_status::texts(code).0.to_owned();
        Self { code, reason, content_type: HTML, body: Vec::new(), extra: Vec::new() }
    }

    /// An answer that was recorded. Of its headers the content type, the place it points to and the wait are sent.
    pub(super) fn recorded(code: u16, headers: &[(String, String)], body: &str) -> Self {
        let value =
            |name: &str| headers.iter().find(|(one, _)| one.eq_ignore_ascii_case(name)).map(|(_, value)| value.clone());
        let content_type = match value("Content-Type").as_deref() {
            Some("text/html") => HTML,
            Some("text/xml" | "application/xml") => XML,
            Some("text/plain") => "text/plain",
            Some(_) | None => JSON,
        };
        let extra = ["Location", "Retry-After"].into_iter().filter_map(|name| Some((name, value(name)?))).collect();
        Self { content_type, extra, body: body.as_bytes().to_vec(), ..Self::bare(code) }
    }

    /// The same answer with one more header.
    pub(super) fn with(mut self, name: &'static str, value: String) -> Self {
        self.extra.push((name, value));
        self
    }

    /// The head, with the empty line. `length` is what `Content-Length` says; `None` leaves it out.
    pub(super) fn head(&self, style: &HeadStyle, length: Option<usize>) -> String {
        let version = match style.http {
            HttpVersion::Http10 => "HTTP/1.0",
            HttpVersion::Http11 => "HTTP/1.1",
        };
        let mut head = format!("{version} {} {}\r\n", self.code, single_line(&self.reason));
        let mut line = |name: &str, value: &str| {
            let _ = write!(head, "{name}: {}\r\n", single_line(value));
        };
        line("Server", "API/2.0");
        if let Some(date) = &style.date {
            line("Date", date);
        }
        let type_name = if self.code < 400 { "Content-type" } else { "Content-Type" };
        line(type_name, self.content_type);
        if let Some(length) = length {
            line("Content-Length", &length.to_string());
        }
        line("Connection", "close");
        for (name, value) in CORS {
            line(name, value);
        }
        for (name, value) in &self.extra {
            line(name, value);
        }
        head.push_str("\r\n");
        head
    }
}

/// A test's message must not break the head by accident; [`Fault::BareCr`](super::Fault::BareCr) does it on purpose.
fn single_line(text: &str) -> String {
    text.replace(['\r', '\n'], " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_the_recorded_ones() {
        let cors = "Access-Control-Allow-Origin: *\r\n\
                    Access-Control-Allow-Headers: content-type, jwttoken, mid, h, email\r\n\
                    Access-Control-Allow-Credentials: true\r\n\
                    Access-Control-Allow-Methods: GET, POST, DELETE, OPTIONS\r\n\
                    Access-Control-Expose-Headers: Content-Disposition, jwtToken\r\n";
        let ok = Answer::ok("{}").with("jwtToken", "t".to_owned());
        assert_eq!(
            ok.head(&HeadStyle { http: HttpVersion::Http10, date: Some("<date>".to_owned()) }, Some(2)),
            format!(
                "HTTP/1.0 200 OK\r\nServer: API/2.0\r\nDate: <date>\r\nContent-type: application/json\r\n\
                 Content-Length: 2\r\nConnection: close\r\n{cors}jwtToken: t\r\n\r\n"
            )
        );
        assert_eq!(
            Answer::error(404, "Missing attribute - device_type.")
                .head(&HeadStyle { http: HttpVersion::Http11, date: None }, None),
            format!(
                "HTTP/1.1 404 Missing attribute - device_type\r\nServer: API/2.0\r\n\
                 Content-Type: application/json\r\nConnection: close\r\n{cors}\r\n"
            )
        );
    }

    /// **Source:** recorded SMA answers; 400 from the troubleshooting chapter of the ESA 15.0 API guide.
    #[test]
    fn error_bodies_are_the_recorded_ones() {
        let cases = [
            (401, "Unauthorized.", "Unauthorized", "401 = No permission -- see authorization schemes."),
            (404, "Not Found.", "Not Found", "404 = Nothing matches the given URI."),
            (
                404,
                "duration attribute supports only 00 minutes..",
                "duration attribute supports only 00 minutes.",
                "404 = Nothing matches the given URI.",
            ),
            (400, "Invalid credentials.", "Invalid credentials", "400 = Bad request syntax or unsupported method."),
        ];
        for (code, message, reason, explanation) in cases {
            let answer = Answer::error(code, message);
            assert_eq!(answer.reason, reason);
            assert_eq!(
                String::from_utf8(answer.body).unwrap(),
                format!(r#"{{"error": {{"message": "{message}", "code": "{code}", "explanation": "{explanation}"}}}}"#)
            );
        }
    }
}

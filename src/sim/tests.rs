//! The appliance over a real socket. The client here knows nothing of HTTP but how to split an answer, so that what is
//! asserted is what was on the wire.

mod access;
mod faults;
mod health;
mod inventory;
mod keyed;
mod lateness;
mod load;
mod numbers;
mod quarantine;
mod status_endpoints;
mod tracking;
mod web;
mod xml_status;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::*;

/// 2026-11-23T12:00:00Z, a Monday.
const NOON: u64 = 1_795_435_200;
const WINDOW: &str = "startDate=2026-11-23T11:00:00.000Z&endDate=2026-11-23T12:00:00.000Z";
const INCOMING: &str = "mail_incoming_traffic_summary";

/// A clock that changes only when it is set.
#[derive(Clone)]
struct TestClock(Arc<AtomicU64>);

impl TestClock {
    fn set(&self, secs: u64) {
        self.0.store(secs, Ordering::SeqCst);
    }

    fn now(&self) -> Now {
        let secs = Arc::clone(&self.0);
        Arc::new(move || UNIX_EPOCH + Duration::from_secs(secs.load(Ordering::SeqCst)))
    }
}

struct Rig {
    appliance: Appliance,
    clock: TestClock,
}

struct Response {
    head: String,
    body: String,
}

impl Response {
    fn code(&self) -> u16 {
        self.head.split(' ').nth(1).unwrap().parse().unwrap()
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    fn message(&self) -> String {
        self.json()["error"]["message"].as_str().unwrap().to_owned()
    }
}

impl Rig {
    async fn start(settings: Settings) -> Self {
        let clock = TestClock(Arc::new(AtomicU64::new(NOON)));
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let appliance = Appliance::start(settings, address, clock.now()).await.unwrap();
        Self { appliance, clock }
    }

    async fn esa() -> Self {
        Self::start(Settings::esa("esa1.example.com")).await
    }

    /// Everything the appliance sends to this.
    async fn bytes(&self, request: &str) -> std::io::Result<Vec<u8>> {
        let mut stream = TcpStream::connect(self.appliance.address()).await?;
        stream.write_all(request.as_bytes()).await?;
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).await?;
        Ok(bytes)
    }

    async fn send(&self, request: &str) -> Response {
        let text = String::from_utf8(self.bytes(request).await.unwrap()).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        Response { head: head.to_owned(), body: body.to_owned() }
    }

    async fn get_with(&self, target: &str, headers: &[(&str, &str)]) -> Response {
        let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        self.send(&format!("GET {target} HTTP/1.1\r\n{headers}\r\n")).await
    }

    /// With Basic credentials.
    async fn get(&self, target: &str) -> Response {
        self.get_with(target, &[("Host", "esa"), ("Authorization", &basic("ironport"))]).await
    }

    /// The rows of a counter of a keyed report of an ESA, as they came.
    async fn rows(&self, group: &str, counter: &str, rest: &str) -> Vec<(String, Value)> {
        let response = self.report(&format!("{group}?{WINDOW}&device_type=esa{rest}")).await;
        rows(&response.json()["data"]["resultSet"][counter])
    }

    /// A report of an ESA.
    async fn report(&self, rest: &str) -> Response {
        self.get(&format!("/esa/api/v2.0/reporting/{rest}")).await
    }

    async fn post_login(&self, body: &str) -> Response {
        let length = body.len();
        let head = "POST /esa/api/v2.0/login HTTP/1.1\r\nHost: esa\r\nAccept: */*\r\nUser-Agent: one\r\n";
        self.send(&format!("{head}Content-Length: {length}\r\n\r\n{body}")).await
    }

    async fn login(&self, passphrase: &str) -> Response {
        let [user, pass] = ["monitor", passphrase].map(|text| STANDARD.encode(text));
        self.post_login(&format!(r#"{{"data": {{"userName": "{user}", "passphrase": "{pass}"}}}}"#)).await
    }

    async fn token(&self) -> String {
        self.login("ironport").await.json()["data"]["jwtToken"].as_str().unwrap().to_owned()
    }

    /// As the client that fetched the token, or as another.
    async fn with_token(&self, token: &str, agent: &str) -> Response {
        let headers = [("Host", "esa"), ("accept", "*/*"), ("User-Agent", agent), ("jwttoken", token)];
        self.get_with("/esa/api/v2.0/login/privileges", &headers).await
    }
}

/// The rows of one counter.
fn rows(list: &Value) -> Vec<(String, Value)> {
    let row = |row: &Value| {
        let row = row.as_object().unwrap();
        assert_eq!(row.len(), 1);
        row.iter().next().map(|(key, value)| (key.clone(), value.clone())).unwrap()
    };
    list.as_array().unwrap().iter().map(row).collect()
}

fn basic(passphrase: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("monitor:{passphrase}")))
}

#[tokio::test]
async fn a_report_equals_the_recorded_one_to_the_byte() {
    let rig = Rig::esa().await;
    let response = rig.report(&format!("mail_dlp_outgoing_traffic_summary?{WINDOW}&device_type=esa")).await;
    let truth = |counter: &str| {
        let group = "mail_dlp_outgoing_traffic_summary";
        rig.appliance.truth(&Scope::Whole, group, counter, NOON - 3600, NOON).unwrap()
    };
    let names = ["dlp_incidents_critical", "dlp_incidents_high", "dlp_incidents_low", "dlp_incidents_medium"];
    let rows: Vec<_> =
        names.iter().chain(&["total_dlp_incidents"]).map(|n| format!(r#"{{"{n}": {}}}"#, truth(n))).collect();
    let rows = rows.join(", ");
    let of = r#""type": "mail_dlp_outgoing_traffic_summary""#;
    let body = format!(r#"{{"meta": {{"totalCount": -1}}, "data": {{{of}, "resultSet": [{rows}]}}}}"#);
    assert_eq!(response.body, body);
    let lines: Vec<_> = response.head.lines().collect();
    let length = format!("Content-Length: {}", body.len());
    let expected = [
        "HTTP/1.0 200 OK",
        "Server: API/2.0",
        "Date: Mon, 23 Nov 2026 12:00:00 GMT",
        "Content-type: application/json",
        &length,
        "Connection: close",
        "Access-Control-Allow-Origin: *",
        "Access-Control-Allow-Headers: content-type, jwttoken, mid, h, email",
        "Access-Control-Allow-Credentials: true",
        "Access-Control-Allow-Methods: GET, POST, DELETE, OPTIONS",
        "Access-Control-Expose-Headers: Content-Disposition, jwtToken",
    ];
    assert_eq!(lines, expected);
}

/// In the order in which the checks are made: each request passes all before the one it fails.
#[tokio::test]
async fn refusals_have_the_documented_messages() {
    let rig = Rig::esa().await;
    let cases = [
        ("/sma/api/v2.0/reporting/mail_mar_summary", "Not Found."),
        ("/esa/api/v2.0/", "Not Found."),
        ("/esa/api/v2.0/reporting/no_such_group", "Not Found."),
        ("/esa/api/v2.0/reporting/mail_mar_summary/no_such_counter", "Not Found."),
        ("/esa/api/v2.0/reporting/mail_mar_summary", "Missing attribute - device_type."),
        ("/esa/api/v2.0/config/system_time", "Missing attribute - device_type."),
        ("/esa/api/v2.0/reporting/mail_mar_summary?device_type=wsa", "Invalid value for attribute - device_type."),
        ("/esa/api/v2.0/reporting/mail_mar_summary?device_type=esa", "Missing attribute - startDate or endDate."),
        (
            "/esa/api/v2.0/reporting/mail_mar_summary?device_type=esa&startDate=2026-11-23T11:00:00.000Z",
            "Missing attribute - startDate or endDate.",
        ),
    ];
    for (target, message) in cases {
        let response = rig.get(target).await;
        assert_eq!(response.code(), 404, "{target}");
        let explanation = "404 = Nothing matches the given URI.";
        let body = format!(r#"{{"error": {{"message": "{message}", "code": "404", "explanation": "{explanation}"}}}}"#);
        assert_eq!(response.body, body, "{target}");
        let status_line = format!("HTTP/1.0 404 {}", message.strip_suffix('.').unwrap());
        assert_eq!(response.head.lines().next(), Some(status_line.as_str()), "{target}");
        assert_eq!(response.header("Content-Type"), Some("application/json"), "{target}");
    }
    let unsupported = rig.report(&format!("mail_mar_summary?device_type=esa&{WINDOW}&query_type=graph")).await;
    assert_eq!(unsupported.message(), "Unsupported attribute.");
}

#[tokio::test]
async fn each_kind_of_wrong_date_has_its_own_message() {
    const INVALID: &str = "Invalid value for attribute - startDate or endDate.";
    const SECONDS: &str = "startDate and endDate attribute supports only 00 seconds and 000 microseconds.";
    let rig = Rig::esa().await;
    let cases = [
        ("yesterday", "2026-11-23T12:00:00.000Z", INVALID),
        ("2026-11-23T11%3A00:00.000Z", "2026-11-23T12:00:00.000Z", INVALID),
        ("2026-11-23T11:05:07.000Z", "2026-11-23T12:00:00.000Z", SECONDS),
        ("2026-11-23T11:00:00.000Z", "2026-11-23T12:00:00.001Z", SECONDS),
        ("2026-11-23T12:00:00.000Z", "2026-11-23T12:00:00.000Z", INVALID),
    ];
    for (start, end, message) in cases {
        let response = rig.report(&format!("mail_mar_summary?device_type=esa&startDate={start}&endDate={end}")).await;
        assert_eq!((response.code(), response.message().as_str()), (404, message), "{start} {end}");
    }
    rig.appliance.change(|behaviour| behaviour.reject_escaped_colons = false);
    let escaped = WINDOW.replace(':', "%3A");
    assert_eq!(rig.report(&format!("mail_mar_summary?device_type=esa&{escaped}")).await.code(), 200);
}

#[tokio::test]
async fn minutes_are_refused_by_a_release_that_knows_only_hours() {
    let rig = Rig::esa().await;
    let five = "startDate=2026-11-23T11:05:00.000Z&endDate=2026-11-23T11:10:00.000Z";
    let target = format!("{INCOMING}?{five}&device_type=esa");
    let ask = || rig.report(&target);
    assert_eq!(ask().await.code(), 200);
    for message in HOUR_ONLY_MESSAGES {
        rig.appliance.change(|behaviour| behaviour.hour_only = Some(message.to_owned()));
        let response = ask().await;
        assert_eq!((response.code(), response.message().as_str()), (404, message));
        assert_eq!(rig.report(&format!("{INCOMING}?{WINDOW}&device_type=esa")).await.code(), 200);
    }
    let dots = HOUR_ONLY_MESSAGES[0];
    rig.appliance.change(|behaviour| behaviour.hour_only = Some(dots.to_owned()));
    let status_line = "HTTP/1.0 404 duration attribute supports only 00 minutes.";
    assert_eq!(ask().await.head.lines().next(), Some(status_line));
}

#[tokio::test]
async fn groups_can_be_forbidden_or_absent() {
    let rig = Rig::esa().await;
    rig.appliance.change(|behaviour| {
        behaviour.forbidden_groups.insert("mail_mar_summary".to_owned());
        behaviour.absent_groups.insert("mail_mor_summary".to_owned());
    });
    for (group, code, message) in [("mail_mar_summary", 401, "Unauthorized."), ("mail_mor_summary", 404, "Not Found.")]
    {
        let response = rig.report(&format!("{group}?{WINDOW}&device_type=esa")).await;
        assert_eq!((response.code(), response.message().as_str()), (code, message));
    }
}

#[tokio::test]
async fn system_time_privileges_and_unsupported_methods_are_answered() {
    let rig = Rig::esa().await;
    let time = rig.get("/esa/api/v2.0/config/system_time?device_type=esa").await;
    let expected = concat!(
        r#"{"data": {"timezone": "Etc/UTC", "continent": ["Etc", "UTC", "UTC"], "#,
        r#""time": "Mon Nov 23 12:00:00 2026 UTC"}}"#
    );
    assert_eq!(time.body, expected);
    let privileges = rig.get("/esa/api/v2.0/login/privileges").await.json();
    assert!(privileges["data"].as_array().unwrap().contains(&"e_message_tracking_messages".into()));
    let other = rig.send("PUT /esa/api/v2.0/ HTTP/1.1\r\n\r\n").await;
    assert_eq!(other.head.lines().next(), Some("HTTP/1.0 501 Unsupported method ('PUT')"));
    assert_eq!(other.header("Content-Type"), Some("text/html"));
    let noise = rig.send("\x16\x03\x01\r\n\r\n").await;
    assert_eq!(noise.head.lines().next(), Some("HTTP/1.0 400 Bad request syntax"));
}

#[tokio::test]
async fn http_version_clock_offset_and_date_header_can_be_changed() {
    let rig = Rig::esa().await;
    rig.appliance.change(|behaviour| {
        behaviour.http = HttpVersion::Http11;
        behaviour.clock_offset_secs = -120;
    });
    let response = rig.report(&format!("mail_mar_summary?{WINDOW}&device_type=esa")).await;
    assert!(response.head.starts_with("HTTP/1.1 200 OK\r\n"));
    assert_eq!(response.header("Date"), Some("Mon, 23 Nov 2026 11:58:00 GMT"));
    rig.appliance.change(|behaviour| behaviour.date_header = false);
    let response = rig.report(&format!("mail_mar_summary?{WINDOW}&device_type=esa")).await;
    assert_eq!(response.header("Date"), None);
}

#[tokio::test]
async fn the_request_log_has_kind_window_status_and_time() {
    let rig = Rig::esa().await;
    rig.login("guess").await;
    let half_an_hour = "startDate=2026-11-23T11:00:00.000Z&endDate=2026-11-23T11:30%2B00:00";
    rig.report(&format!("mail_mar_summary/msgs_total?{half_an_hour}&device_type=esa")).await;
    rig.appliance.wait_for(|log| log.len() == 2).await;
    let log = rig.appliance.requests();
    assert_eq!((log[0].method.as_str(), log[0].status, &log[0].kind), ("POST", 401, &RequestKind::Login));
    let report = &log[1];
    assert_eq!(report.kind, RequestKind::Report { group: "mail_mar_summary".to_owned() });
    assert_eq!(report.path, "/esa/api/v2.0/reporting/mail_mar_summary/msgs_total");
    assert_eq!(report.attribute("endDate"), Some("2026-11-23T11:30+00:00"));
    assert_eq!(report.window, Some((NOON - 3600, NOON - 1800)));
    assert_eq!((report.status, report.in_flight), (200, 1));
    assert_eq!(report.at, UNIX_EPOCH + Duration::from_secs(NOON));
    assert_eq!(rig.appliance.count(|request| request.status == 401), 1);
}

#[tokio::test]
async fn stopping_closes_the_listener_and_hanging_connections() {
    let rig = Rig::esa().await;
    rig.appliance.inject(Fault::Hang, On::every());
    let asked = rig.bytes("GET / HTTP/1.1\r\n\r\n");
    let stopped = async {
        rig.appliance.wait_for(|log| log.len() == 1).await;
        rig.appliance.stop().await;
    };
    let (bytes, ()) = tokio::join!(asked, stopped);
    assert_eq!(bytes.unwrap_or_default(), b"");
    assert!(TcpStream::connect(rig.appliance.address()).await.is_err());
}

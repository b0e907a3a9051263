//! Answers that are not as HTTP, or the appliance, would have them: what is read all the same, and what is said of the rest.

use std::io::Write;
use std::sync::{Arc, Mutex};

use asyncos_exporter::api::{Cause, Client, Failure, Listener, LoginFailureLog, Reason, StatusKind, SystemRoots};
use asyncos_exporter::base::clock::Clock;
use asyncos_exporter::config::Config;
use asyncos_exporter::sim::{self, Fault, FaultBody, On};
use flate2::Compression;
use flate2::write::GzEncoder;
use url::Url;

use crate::rig::{lapse, simulate};
use crate::session::{self, CAPACITY, query};
use crate::tls_proxy::Proxy;

/// A login and a report at once.
const BODY: &str = r#"{"data": {"jwtToken": "of-the-body", "resultSet": [{"incoming_messages": 3}]}}"#;

/// A server that gives one answer to everything, and what it was asked.
struct Server {
    client: Client,
    heard: Arc<Mutex<Vec<String>>>,
    _proxy: Proxy,
}

impl Server {
    async fn start(answer: Vec<u8>) -> Self {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&heard);
        let proxy = Proxy::answer(answer, move |request| log.lock().expect("no panic").push(request)).await;
        let url = format!("http://127.0.0.1:{}", proxy.port);
        let text = format!("appliances: [{{name: esa1, url: '{url}', username: monitor, password: ironport}}]");
        let config = Config::parse("wire", &text).expect("a configuration");
        let (clock, listener, refusals) = (Clock::system(), Listener::new(|_| {}), LoginFailureLog::in_memory());
        let client = Client::try_new(&config.appliances[0], &SystemRoots::default(), clock, listener, refusals);
        Self { client: client.expect("a client"), heard, _proxy: proxy }
    }

    async fn fetch(&self) -> Result<(), Failure> {
        self.client.fetch(&query(CAPACITY, &self.client)).await.map(|_| ())
    }

    /// The token of each request so far.
    fn tokens(&self) -> Vec<Option<String>> {
        let heard = self.heard.lock().expect("no panic");
        let token =
            |request: &String| request.lines().find_map(|line| line.strip_prefix("jwttoken: ")).map(ToOwned::to_owned);
        heard.iter().map(token).collect()
    }
}

fn answer(head: &str, body: &[u8]) -> Vec<u8> {
    [format!("{head}Content-Length: {}\r\n\r\n", body.len()).as_bytes(), body].concat()
}

fn gzip(body: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(body.as_bytes()).expect("memory");
    encoder.finish().expect("memory")
}

/// What hyper and httparse read with all that they offer; the header beside it is what the session lives on.
#[tokio::test]
async fn odd_header_lines_cost_no_report_and_no_token() {
    let whole = |lines: &str| format!("HTTP/1.1 200 OK\r\n{lines}\r\njwtToken: of-the-header\r\n");
    for head in [
        whole("X-Comment: one"),
        // The end of a line without its CR, here and everywhere.
        whole("X-Comment: one\nX-Other: two"),
        whole("X-Comment: one\nX-Other: two").replace("\r\n", "\n"),
        whole("X-Comment : one"),
        whole("X-Comment: one\r\n two"),
        whole("X-Comment: one\u{1}two"),
        whole("X-Comment: \u{fc}"),
        whole("X Comment: one"),
        whole("no colon"),
        whole(": no name"),
        whole("X-Comment:"),
        whole("X-Comment: one").replace("HTTP/1.1 200 OK", "HTTP/1.0 200"),
        whole("Connection: close\r\nconnection: keep-alive"),
    ] {
        let server = Server::start(answer(&head, BODY.as_bytes())).await;
        for _ in 0..2 {
            let outcome = server.fetch().await;
            assert!(outcome.is_ok(), "{head:?}: {outcome:?}");
        }
        let token = |text: &str| Some(text.to_owned());
        assert_eq!(server.tokens(), [None, token("of-the-body"), token("of-the-header")], "{head:?}");
    }
}

/// A CR that no LF follows, and NUL: httparse refuses them in whatever place, and nothing else parses the head here. The
/// poll fails as a whole, with words for it.
#[tokio::test]
async fn a_bare_carriage_return_is_a_reported_parse_error() {
    for line in
        ["X-Comment: one\rtwo", "X-Comment: one\r", "X-Comment: \rone", "X-\rComment: one", "X-Comment: one\0two"]
    {
        let head = format!("HTTP/1.1 200 OK\r\n{line}\r\njwtToken: of-the-header\r\n");
        let server = Server::start(answer(&head, BODY.as_bytes())).await;
        let failure = server.fetch().await.expect_err(line);
        assert_eq!(failure.reason, Reason::Protocol, "{line:?}");
        assert!(failure.detail.contains("invalid HTTP header parsed"), "{line:?}: {failure}");
    }
}

#[tokio::test]
async fn an_unrequested_content_encoding_is_decoded_or_reported() {
    let encoded = |name: &str, body: &[u8]| answer(&format!("HTTP/1.1 200 OK\r\nContent-Encoding: {name}\r\n"), body);
    for name in ["gzip", "x-gzip", "identity"] {
        let body = if name == "identity" { BODY.into() } else { gzip(BODY) };
        let server = Server::start(encoded(name, &body)).await;
        let outcome = server.fetch().await;
        assert!(outcome.is_ok(), "{name}: {outcome:?}");
        let asked = server.heard.lock().expect("no panic")[0].to_ascii_lowercase();
        assert!(!asked.contains("accept-encoding"), "nobody asks: {asked}");
    }
    let half = gzip(BODY);
    let bomb = gzip(&" ".repeat(9 << 20));
    assert!(bomb.len() < 100_000);
    for (name, body, reason, detail) in [
        ("br", BODY.as_bytes(), Reason::Protocol, "the body is encoded as `br`, which the exporter did not request"),
        ("gzip", &half[..half.len() / 2], Reason::Reset, "the body is truncated inside its gzip"),
        ("gzip", &bomb, Reason::TooLarge, "the body is larger than 8388608 bytes without its gzip"),
    ] {
        let failure = Server::start(encoded(name, body)).await.fetch().await.expect_err(name);
        assert_eq!(failure.reason, reason);
        assert!(failure.detail.starts_with(detail), "{failure}");
        let is_modified = failure.cause == Cause::ModifiedResponse;
        assert_eq!(is_modified, reason == Reason::Protocol, "{failure:?}");
    }
    // A refusal is one in whatever encoding, or it would be repeated until the account is locked.
    let refusal = b"HTTP/1.1 401 Unauthorized\r\nContent-Encoding: br\r\nContent-Length: 3\r\n\r\nabc";
    let failure = Server::start(refusal.to_vec()).await.fetch().await.expect_err("a refusal");
    assert_eq!((failure.reason, failure.detail.as_str()), (Reason::LoginRefused, "status 401: no message"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redirect_target_is_reported_without_secrets() {
    let clock = lapse(1);
    let esa = simulate(sim::Settings::esa("esa1"), &clock).await;
    let client = session::client(&esa, "", &clock);
    let page = StatusKind::XmlStatus(Url::parse(&esa.url()).expect("a URL"));
    let target = "https://user:s3cret@esa1.example.com/login?CSRFKey=s3cret#s3cret";
    for on in [On::login().times(1), On::reports().times(1)] {
        esa.inject(Fault::Redirect(target.into()), on);
        let failure = client.fetch(&query(CAPACITY, &client)).await.expect_err("a redirect");
        assert_eq!(failure.reason, Reason::Redirect);
        assert_eq!((&*failure.detail, failure.cause), ("status 302 to esa1.example.com/login", Cause::NotTheApi));
    }
    // That page belongs to the web interface.
    esa.inject(Fault::Redirect("/login?s3cret".into()), On::path("/xml/status").times(1));
    let failure = client.observe(&page).await.expect_err("a redirect");
    let here = esa.url().replace("http://", "").trim_end_matches('/').to_owned();
    assert_eq!((failure.reason, failure.detail), (Reason::Redirect, format!("status 302 to {here}/login")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_html_page_is_reported_as_such() {
    let clock = lapse(1);
    let esa = simulate(sim::Settings::esa("esa1"), &clock).await;
    let client = session::client(&esa, "", &clock);
    let page = || Fault::RawBody("\n<!DOCTYPE html><html><title>Cisco</title></html>".into());
    let status = |code| Fault::Status { code, body: FaultBody::Html, retry_after: None };
    // At the login it counts as a refusal, after which this client waits.
    let first = session::client(&esa, "", &clock);
    esa.inject(page(), On::login().times(1));
    let failure = first.fetch(&query(CAPACITY, &first)).await.expect_err("a page");
    assert_eq!((failure.reason, &*failure.detail), (Reason::LoginRefused, "the login response is HTML"));
    assert_eq!(failure.cause, Cause::NotTheApi);
    let fetch = async || client.fetch(&query(CAPACITY, &client)).await.expect_err("a page");
    esa.inject(page(), On::reports().times(1));
    let failure = fetch().await;
    assert_eq!((&*failure.detail, failure.cause), ("the body is HTML instead of JSON", Cause::NotTheApi));
    // The page of a server that is overloaded says nothing about the port.
    for (code, cause) in [(404, Cause::NotTheApi), (500, Cause::Unknown)] {
        esa.inject(status(code), On::reports().times(1));
        let failure = fetch().await;
        assert_eq!((failure.detail, failure.cause), (format!("status {code} with HTML instead of JSON"), cause));
    }
}

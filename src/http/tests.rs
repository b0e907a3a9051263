//! The server as a client sees it, over real sockets.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

use bytes::Bytes;

use super::connections::Bounds;
use super::*;
use crate::exposition::{Scrape, Unanswered};

mod addresses;
mod limits;
mod scrapes;
mod views;

mod negotiated;

const NO_LIMIT: Limits = Limits { max_scrapes: 0 };

struct Server {
    address: SocketAddr,
    stop: Shutdown,
    tasks: JoinSet<()>,
}

impl Server {
    async fn start(pages: Pages, limits: Limits) -> Self {
        let bound = Bound::bind("127.0.0.1:0").await.unwrap();
        let (address, stop, mut tasks) = (socket(&bound), Shutdown::new(), JoinSet::new());
        tasks.spawn(bound.serve(pages, limits, Protection::default(), stop.clone()));
        Self { address, stop, tasks }
    }

    async fn bounded(pages: Pages, bounds: Bounds) -> Self {
        let bound = Bound::bind("127.0.0.1:0").await.unwrap();
        let address = socket(&bound);
        let (router, stop, mut tasks) =
            (Arc::new(router::Router::new(pages, NO_LIMIT)), Shutdown::new(), JoinSet::new());
        let until = stop.clone();
        tasks.spawn(async move {
            let observer = Arc::new(|_| ());
            connections::serve(bound.listeners, &router, &Protection::default(), bounds, observer, &until).await;
        });
        Self { address, stop, tasks }
    }

    async fn plain() -> Self {
        Self::start(pages(), NO_LIMIT).await
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    async fn ask(&self, method: &str, path: &str) -> Answer {
        ask(self.connect().await, method, path).await
    }

    async fn end(mut self) {
        self.stop.request();
        while let Some(ended) = self.tasks.join_next().await {
            ended.unwrap();
        }
    }
}

fn socket(bound: &Bound) -> SocketAddr {
    bound.addresses()[0].socket().unwrap()
}

fn pages() -> Pages {
    Pages {
        paths: WebPaths::new("/metrics".into(), None, None),
        metrics: metrics(|| Bytes::from_static(b"asyncos_up 1\n")),
        knows: Arc::new(|name| name == "esa 1"),
        discovery: Arc::new(|Here { host, scheme }| format!("[{scheme}, {host}]").into()),
        landing: Arc::new(|| Bytes::from_static(b"<p>hello</p>\n")),
        status: Arc::new(|| Bytes::from_static(b"{}\n")),
        config: Arc::new(|| Bytes::from_static(b"appliances: []\n")),
        explain: Arc::new(|pairs| match pairs.len() {
            0 => Explained::Unclear("\"unclear\"".into()),
            1 => Explained::Unknown("\"unknown\"".into()),
            _ => Explained::Found(format!("{pairs:?}").into()),
        }),
        healthy: Arc::new(|| Ok(())),
        ready: Arc::new(|| true),
        connections: Arc::new(|_| ()),
        lifecycle: None,
    }
}

/// Metrics that are ready at once.
fn metrics(page: impl Fn() -> Bytes + Send + Sync + 'static) -> Metrics {
    Arc::new(move |_| Box::pin(std::future::ready(Ok(page().into()))))
}

#[derive(Debug, PartialEq)]
struct Answer {
    status: u16,
    headers: String,
    body: String,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }
}

async fn ask(stream: TcpStream, method: &str, path: &str) -> Answer {
    exchange(stream, &format!("{method} {path} HTTP/1.1\r\nHost: us\r\nConnection: close\r\n\r\n")).await
}

async fn exchange(mut stream: TcpStream, request: &str) -> Answer {
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let (first, headers) = head.split_once("\r\n").unwrap_or((head, ""));
    let status = first.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { status, headers: headers.to_owned(), body: body.to_owned() }
}

#[tokio::test]
async fn metrics_have_the_exact_content_type() {
    let server = Server::plain().await;
    for path in ["/metrics", "/metrics?x=1"] {
        let answer = server.ask("GET", path).await;
        assert_eq!((answer.status, answer.body.as_str()), (200, "asyncos_up 1\n"), "{path}");
        assert_eq!(answer.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
        assert_eq!(answer.header("content-length"), Some("13"));
    }
    server.end().await;
}

#[tokio::test]
async fn head_answers_the_headers_of_get_and_no_body() {
    let server = Server::plain().await;
    for path in ["/metrics", "/", "/-/healthy", "/-/ready"] {
        let (get, head) = (server.ask("GET", path).await, server.ask("HEAD", path).await);
        assert_eq!((head.status, head.body.as_str()), (200, ""), "{path}");
        for name in ["content-type", "content-length"] {
            assert_eq!(head.header(name), get.header(name), "{path}");
            assert!(head.header(name).is_some(), "{path}");
        }
    }
    server.end().await;
}

#[tokio::test]
async fn the_landing_page_is_html_that_may_load_nothing() {
    let server = Server::plain().await;
    let answer = server.ask("GET", "/").await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "<p>hello</p>\n"));
    assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"));
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(
        answer.header("content-security-policy"),
        Some("default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'")
    );
    server.end().await;
}

#[tokio::test]
async fn metrics_at_the_root_win_over_the_landing_page() {
    let server = Server::start(Pages { paths: WebPaths::new("/".into(), None, None), ..pages() }, NO_LIMIT).await;
    assert_eq!(server.ask("GET", "/").await.body, "asyncos_up 1\n");
    assert_eq!(server.ask("GET", "/metrics").await.status, 404);
    server.end().await;
}

#[tokio::test]
async fn behind_a_prefix_all_pages_move_and_the_root_leads_there() {
    let paths = WebPaths::new("/metrics".into(), Some("/mail"), None);
    let server = Server::start(Pages { paths, ..pages() }, NO_LIMIT).await;
    assert_eq!(server.ask("GET", "/mail/metrics").await.body, "asyncos_up 1\n");
    for path in ["/mail", "/mail/"] {
        assert_eq!(server.ask("GET", path).await.body, "<p>hello</p>\n", "{path}");
    }
    assert_eq!(server.ask("GET", "/mail/-/ready").await.status, 200);
    for path in ["/metrics", "/-/ready", "/mailbox"] {
        assert_eq!(server.ask("GET", path).await.status, 404, "{path}");
    }
    let answer = server.ask("GET", "/").await;
    assert_eq!((answer.status, answer.header("location")), (302, Some("/mail/")));
    server.end().await;
}

#[tokio::test]
async fn only_the_very_path_is_found() {
    let server = Server::plain().await;
    for path in ["/x", "//metrics", "/metrics/", "/../metrics", "/./metrics", "/%6detrics", "/Metrics", "/-/"] {
        let answer = server.ask("GET", path).await;
        assert_eq!((answer.status, answer.body.as_str()), (404, "no such page\n"), "{path}");
        assert_eq!(answer.header("content-length"), Some("13"), "{path}");
    }
    server.end().await;
}

#[tokio::test]
async fn other_methods_are_told_which_ones_work() {
    let server = Server::plain().await;
    let cases = [
        ("POST", "/metrics", "GET, HEAD"),
        ("DELETE", "/", "GET, HEAD"),
        ("PUT", "/-/healthy", "GET, HEAD"),
        ("OPTIONS", "/-/ready", "GET, HEAD"),
        ("GET", "/-/reload", "POST, PUT"),
        ("HEAD", "/-/quit", "POST, PUT"),
    ];
    for (method, path, allowed) in cases {
        let answer = server.ask(method, path).await;
        assert_eq!((answer.status, answer.header("allow")), (405, Some(allowed)), "{method} {path}");
    }
    server.end().await;
}

#[tokio::test]
async fn healthy_and_ready_are_what_we_are_told() {
    let healthy = Arc::new(|| Err("a loop stands still".to_owned()));
    let server = Server::start(Pages { healthy, ..pages() }, NO_LIMIT).await;
    let answer = server.ask("GET", "/-/healthy").await;
    assert_eq!((answer.status, answer.body.as_str()), (503, "not healthy: a loop stands still\n"));
    assert_eq!(server.ask("GET", "/-/ready").await.status, 200);
    server.end().await;
    for (ready, status, body) in [(true, 200, "ready\n"), (false, 503, "not ready\n")] {
        let server = Server::start(Pages { ready: Arc::new(move || ready), ..pages() }, NO_LIMIT).await;
        assert_eq!(server.ask("GET", "/-/healthy").await.status, 200);
        let answer = server.ask("GET", "/-/ready").await;
        assert_eq!((answer.status, answer.body.as_str()), (status, body));
        server.end().await;
    }
}

#[tokio::test]
async fn lifecycle_is_refused_unless_enabled() {
    let server = Server::plain().await;
    for (method, path) in [("POST", "/-/reload"), ("PUT", "/-/quit")] {
        let answer = server.ask(method, path).await;
        assert_eq!((answer.status, answer.body.contains("--web.enable-lifecycle")), (403, true), "{path}");
    }
    server.end().await;
}

#[tokio::test]
async fn reload_tells_the_outcome_and_quit_asks_to_end() {
    let (lifecycle, mut requests) = mpsc::channel(1);
    let server = Server::start(Pages { lifecycle: Some(lifecycle), ..pages() }, NO_LIMIT).await;
    let cases = [(Ok(()), 200, "reloaded\n"), (Err("line 3: no".to_owned()), 500, "cannot reload: line 3: no\n")];
    for (outcome, status, body) in cases {
        let obey = async {
            let Some(Lifecycle::Reload(reply)) = requests.recv().await else { panic!("no reload") };
            reply.send(outcome).unwrap();
        };
        let (answer, ()) = tokio::join!(server.ask("POST", "/-/reload"), obey);
        assert_eq!((answer.status, answer.body.as_str()), (status, body));
    }
    assert_eq!(server.ask("PUT", "/-/quit").await.status, 200);
    assert!(matches!(requests.recv().await, Some(Lifecycle::Quit)));

    drop(requests);
    assert_eq!(server.ask("POST", "/-/reload").await.status, 503);
    server.end().await;
}

#[tokio::test]
async fn a_body_is_not_waited_for() {
    let (lifecycle, mut requests) = mpsc::channel(1);
    let server = Server::start(Pages { lifecycle: Some(lifecycle), ..pages() }, NO_LIMIT).await;
    let request = "POST /-/quit HTTP/1.1\r\nHost: us\r\nContent-Length: 1000000000000\r\n\r\nthe first bytes";
    assert_eq!(exchange(server.connect().await, request).await.status, 200);
    assert!(matches!(requests.recv().await, Some(Lifecycle::Quit)));
    server.end().await;
}

#[tokio::test]
async fn an_oversized_head_is_refused_and_the_server_lives() {
    let server = Server::plain().await;
    let mut long = "GET / HTTP/1.1\r\nHost: us\r\nX-Long: ".to_owned();
    // To the byte: what the server leaves unread would make the kernel reset the connection under the answer.
    long.push_str(&"x".repeat(64 * 1024 - long.len()));
    let many = format!("GET / HTTP/1.1\r\nHost: us\r\n{}\r\n", "X-Many: x\r\n".repeat(64));
    for request in [long.as_str(), many.as_str(), "not HTTP\r\n\r\n"] {
        let status = exchange(server.connect().await, request).await.status;
        assert!((400..500).contains(&status), "{status}");
    }
    assert_eq!(server.ask("GET", "/metrics").await.status, 200);
    server.end().await;
}

/// Pages whose reload is a request in flight for as long as the test likes.
fn reloadable() -> (Pages, mpsc::Receiver<Lifecycle>) {
    let (lifecycle, requests) = mpsc::channel(16);
    (Pages { lifecycle: Some(lifecycle), ..pages() }, requests)
}

async fn next_reload(requests: &mut mpsc::Receiver<Lifecycle>) -> oneshot::Sender<Result<(), String>> {
    match requests.recv().await {
        Some(Lifecycle::Reload(reply)) => reply,
        Some(Lifecycle::ResetLogins(_) | Lifecycle::Quit) | None => panic!("no reload"),
    }
}

#[tokio::test]
async fn a_request_in_flight_survives_the_stop() {
    let (pages, mut requests) = reloadable();
    let mut server = Server::start(pages, NO_LIMIT).await;
    let idle = server.connect().await;
    let (stop, busy) = (server.stop.clone(), server.connect().await);
    let stopping = async {
        let reply = next_reload(&mut requests).await;
        stop.request();
        assert_eq!(read_all(idle).await, "", "an idle connection is closed while others finish");
        reply.send(Ok(())).unwrap();
    };
    let (answer, ()) = tokio::join!(ask(busy, "POST", "/-/reload"), stopping);
    assert_eq!((answer.status, answer.body.as_str()), (200, "reloaded\n"));
    server.tasks.join_next().await.unwrap().unwrap();
}

async fn read_all(mut stream: TcpStream) -> String {
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    text
}

#[tokio::test]
async fn a_panicking_page_ends_the_server() {
    let mut server = Server::start(Pages { metrics: metrics(|| panic!("on purpose")), ..pages() }, NO_LIMIT).await;
    let mut stream = server.connect().await;
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: us\r\n\r\n").await.unwrap();
    assert!(server.tasks.join_next().await.unwrap().unwrap_err().is_panic());
}

#[tokio::test]
async fn connections_beyond_the_limit_wait_for_a_slot() {
    const MOST: usize = 2;
    const CLIENTS: usize = 8;
    let (pages, mut requests) = reloadable();
    let bounds = Bounds { connections: MOST, ..connections::BOUNDS };
    let server = Server::bounded(pages, bounds).await;
    let mut clients = JoinSet::new();
    for _ in 0..CLIENTS {
        let stream = server.connect().await;
        clients.spawn(async move { assert_eq!(ask(stream, "POST", "/-/reload").await.status, 200) });
    }
    let mut in_flight = VecDeque::new();
    for _ in 0..MOST {
        in_flight.push_back(next_reload(&mut requests).await);
    }
    for _ in MOST..CLIENTS {
        assert!(requests.try_recv().is_err(), "more requests than connections allowed");
        in_flight.pop_front().unwrap().send(Ok(())).unwrap();
        in_flight.push_back(next_reload(&mut requests).await);
    }
    for reply in in_flight {
        reply.send(Ok(())).unwrap();
    }
    while let Some(ended) = clients.join_next().await {
        ended.unwrap();
    }
    server.end().await;
}

#[tokio::test]
async fn a_request_that_outlasts_the_drain_is_dropped() {
    let (pages, mut requests) = reloadable();
    let bounds = Bounds { drain: Duration::ZERO, ..connections::BOUNDS };
    let server = Server::bounded(pages, bounds).await;
    let mut stream = server.connect().await;
    stream.write_all(b"POST /-/reload HTTP/1.1\r\nHost: us\r\n\r\n").await.unwrap();
    let _reply = next_reload(&mut requests).await;
    server.end().await;
    assert_eq!(read_all(stream).await, "");
}

//! The pages beside the metrics, and the metrics of one appliance.

use super::*;

#[tokio::test]
async fn a_probe_of_a_configured_appliance_answers_its_metrics_and_no_other_is_asked() {
    let (asked, mut scrapes) = mpsc::unbounded_channel();
    let metrics: Metrics = Arc::new(move |scrape| {
        asked.send(scrape).unwrap();
        Box::pin(std::future::ready(Ok(Bytes::from_static(b"asyncos_up 1\n").into())))
    });
    let server = Server::start(Pages { metrics, ..pages() }, NO_LIMIT).await;
    for path in ["/probe?target=esa%201", "/probe?target=esa+1&appliance=other&x=y"] {
        let probed = server.ask("GET", path).await;
        let scraped = server.ask("GET", "/metrics?appliance=esa+1&x=y").await;
        assert_eq!((probed.status, &probed.body), (200, &scraped.body), "{path}");
        assert_eq!(probed.header("content-type"), scraped.header("content-type"), "{path}");
        assert_eq!(scrapes.recv().await, scrapes.recv().await, "{path}");
    }
    let refused = [
        ("/probe", "exactly one `target` is required"),
        ("/probe?", "exactly one `target` is required"),
        ("/probe?target=esa+1&target=esa+1", "exactly one `target` is required"),
        ("/probe?target=", "no appliance `` is configured"),
        ("/probe?target=https://elsewhere:6443", "no appliance `https://elsewhere:6443` is configured"),
        ("/probe?target=169.254.169.254", "no appliance `169.254.169.254` is configured"),
        ("/probe?target=%0d%0aSet-Cookie:x", r"no appliance `\r\nSet-Cookie:x` is configured"),
    ];
    for (path, reason) in refused {
        let answer = server.ask("GET", path).await;
        assert_eq!((answer.status, answer.body.contains(reason)), (400, true), "{path}: {}", answer.body);
        assert_eq!(answer.header("set-cookie"), None);
    }
    assert!(scrapes.try_recv().is_err(), "nobody was asked");
    server.end().await;
}

#[tokio::test]
async fn targets_are_found_where_the_client_has_found_us() {
    let server = Server::plain().await;
    let ask = async |line: &str, host: &str| {
        exchange(server.connect().await, &format!("GET {line} HTTP/1.1\r\n{host}Connection: close\r\n\r\n")).await
    };
    let cases = [
        ("/sd", "Host: exporter:10042\r\n", "[http, exporter:10042]"),
        ("/sd", "Host: [::1]:10042\r\n", "[http, [::1]:10042]"),
        ("http://seen.example.com/sd", "Host: other\r\n", "[http, seen.example.com]"),
    ];
    for (line, host, expected) in cases {
        let answer = ask(line, host).await;
        assert_eq!((answer.status, answer.body.as_str()), (200, expected), "{line} {host}");
        assert_eq!(answer.header("content-type"), Some("application/json"));
    }
    for host in ["", "Host: \r\n", "Host: user@host\r\n", "Host: a b\r\n", "Host: \"><script>\r\n"] {
        assert_eq!(ask("/sd", host).await.status, 400, "{host}");
    }
    server.end().await;
}

#[tokio::test]
async fn views_have_their_types_and_no_browser_guesses_another() {
    let server = Server::plain().await;
    let cases = [
        ("/api/v1/status", 200, "application/json", "{}\n"),
        ("/config", 200, "text/plain; charset=utf-8", "appliances: []\n"),
        ("/api/v1/explain", 400, "application/json", "\"unclear\""),
        ("/api/v1/explain?metric=x", 404, "application/json", "\"unknown\""),
        ("/api/v1/explain?metric=x&a=b+c%26", 200, "application/json", r#"[("metric", "x"), ("a", "b c&")]"#),
    ];
    for (path, status, content_type, body) in cases {
        let answer = server.ask("GET", path).await;
        assert_eq!((answer.status, answer.body.as_str()), (status, body), "{path}");
        assert_eq!(answer.header("content-type"), Some(content_type), "{path}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(server.ask("POST", path).await.header("allow"), Some("GET, HEAD"), "{path}");
    }
    server.end().await;
}

#[tokio::test]
async fn pages_that_wait_for_their_readers_are_bounded_and_leave_scrapes_alone() {
    let router = router::Router::new(pages(), NO_LIMIT);
    let answer = async |path: &str| {
        let (head, ()) = hyper::Request::get(path).body(()).unwrap().into_parts();
        router.answer(&head, protection::Channel::Clear).await
    };
    let mut waiting = Vec::new();
    while waiting.len() < 100 {
        let page = answer("/api/v1/status").await;
        match page.status().as_u16() {
            200 => waiting.push(page),
            status => {
                assert_eq!(status, 503);
                break;
            }
        }
    }
    assert_eq!(waiting.len(), 8);
    assert_eq!(answer("/").await.status(), 503);
    assert_eq!(
        (answer("/metrics").await.status(), answer("/-/healthy").await.status()),
        (200.try_into().unwrap(), 200.try_into().unwrap())
    );
    waiting.pop();
    assert_eq!(answer("/").await.status(), 200);
}

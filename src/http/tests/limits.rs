//! Clients that do what no scrape does.

use super::*;

/// All that the server says until it closes, also where it resets the connection under what it left unread.
pub(super) async fn read_all(stream: &mut (impl AsyncReadExt + Unpin)) -> String {
    let mut said = Vec::new();
    let mut buffer = [0; 4096];
    while let Ok(count @ 1..) = stream.read(&mut buffer).await {
        said.extend_from_slice(&buffer[..count]);
    }
    String::from_utf8_lossy(&said).into_owned()
}

async fn exchange(server: &Server, bytes: &[u8]) -> String {
    let mut stream = server.connect().await;
    let (mut from, mut to) = stream.split();
    // Who is refused may see it before all was taken.
    let (said, _) = tokio::join!(read_all(&mut from), async {
        let _ = to.write_all(bytes).await;
        to.shutdown().await
    });
    said
}

fn statuses(said: &str) -> Vec<&str> {
    said.split("HTTP/1.").skip(1).filter_map(|answer| answer.split(' ').nth(1)).collect()
}

#[tokio::test]
async fn a_megabyte_of_headers_is_refused() {
    let server = Server::plain().await;
    let one = format!("GET /metrics HTTP/1.1\r\nHost: us\r\nX-Long: {}\r\n\r\n", "x".repeat(1 << 20));
    let path = format!("GET /{} HTTP/1.1\r\nHost: us\r\n\r\n", "x".repeat(1 << 20));
    let many = format!("GET /metrics HTTP/1.1\r\nHost: us\r\n{}\r\n", "X-Many: 0123456789\r\n".repeat(50_000));
    for request in [one, path, many] {
        let said = exchange(&server, request.as_bytes()).await;
        // Nothing, where the reset of the connection took the answer along.
        assert!(matches!(statuses(&said)[..], [] | ["431" | "414" | "400"]), "{said}");
    }
    assert_eq!(server.ask("GET", "/metrics").await.status, 200);
    server.end().await;
}

#[tokio::test]
async fn requests_in_a_row_are_answered_in_a_row() {
    let server = Server::plain().await;
    let get = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: us\r\n\r\n");
    let row = get("/metrics") + &get("/nothing") + &get("/-/ready") + &get("/metrics");
    assert_eq!(statuses(&exchange(&server, row.as_bytes()).await), ["200", "404", "200", "200"]);
    server.end().await;
}

#[tokio::test]
async fn old_clients_are_answered_and_strange_ones_refused() {
    let server = Server::plain().await;
    let cases: [(&[u8], &[&str]); 17] = [
        (b"GET /metrics HTTP/1.0\r\n\r\n", &["200"]),
        (b"GET /metrics HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET /nothing HTTP/1.0\r\n\r\n", &["200", "404"]),
        (b"GET http://us/metrics HTTP/1.1\r\nHost: us\r\n\r\n", &["200"]),
        (b"GET http://elsewhere.example.com/nothing HTTP/1.1\r\nHost: us\r\n\r\n", &["404"]),
        (b"OPTIONS * HTTP/1.1\r\nHost: us\r\n\r\n", &["404"]),
        (b"CONNECT elsewhere:443 HTTP/1.1\r\nHost: us\r\n\r\n", &["404"]),
        (b"BREW /metrics HTTP/1.1\r\nHost: us\r\n\r\n", &["405"]),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", &[]),
        (b"GET /metrics HTTP/1.1\r\nHost : us\r\n\r\n", &["400"]),
        (b"GET /metrics HTTP/1.1\r\n\r\n", &["400"]),
        (b"GET /metrics HTTP/1.1\r\nHost: us\r\nHost: us\r\n\r\n", &["400"]),
        (b"GET /metrics HTTP/1.0\r\nHost: us\r\nHost: them\r\n\r\n", &["400"]),
        (b"GET /met rics HTTP/1.1\r\nHost: us\r\n\r\n", &["400"]),
        (b"GET /metrics\r\n\r\n", &["400"]),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 is the begin of TLS\r\n\r\n", &["400"]),
        (b"\x00\xff\x00\xff\r\n\r\n", &["400"]),
        (b"GET /metrics HTTP/1.1\r\nHost: us\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n", &["200"]),
    ];
    for (request, expected) in cases {
        let said = exchange(&server, request).await;
        assert_eq!(statuses(&said), expected, "{}: {said}", String::from_utf8_lossy(request));
    }
    assert_eq!(server.ask("GET", "/metrics").await.status, 200);
    server.end().await;
}

#[tokio::test]
async fn a_head_may_be_64_kib_long_and_no_longer() {
    let server = Server::plain().await;
    let of = |length: usize| {
        let line = |count| format!("X-Long: {}\r\n", "x".repeat(count));
        let rest = "GET /metrics HTTP/1.1\r\nHost: us\r\nConnection: close\r\n\r\n".len();
        format!("GET /metrics HTTP/1.1\r\nHost: us\r\n{}Connection: close\r\n\r\n", line(length - rest - 10))
    };
    for (length, expected) in [(60_000, "200"), (64 << 10, "200"), (66_000, "431"), (100_000, "431")] {
        let said = exchange(&server, of(length).as_bytes()).await;
        // The reset of the connection may take the refusal along, but never an answer.
        let is_cut = expected == "431" && said.is_empty();
        assert!(is_cut || statuses(&said) == [expected], "{length} bytes: {said}");
    }
    server.end().await;
}

#[tokio::test]
async fn clients_that_never_finish_a_request_keep_nobody_out() {
    const SLOW: usize = 700;
    let server = Server::plain().await;
    let mut slow = Vec::new();
    for _ in 0..SLOW {
        let mut stream = server.connect().await;
        // Whoever has too many connections is closed right away.
        let _ = stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: us\r\nX-Slow: ").await;
        slow.push(stream);
    }
    for _ in 0..20 {
        let answer = async {
            loop {
                let mut stream = server.connect().await;
                let _ = stream.write_all(b"GET /-/healthy HTTP/1.1\r\nHost: us\r\nConnection: close\r\n\r\n").await;
                // From the same address as all of the others, so it may come before one of them can be closed.
                if read_all(&mut stream).await.contains("healthy\n") {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), answer)
            .await
            .expect("answered long before the slow ones time out");
    }
    drop(slow);
    server.end().await;
}

#[tokio::test]
async fn pages_of_other_origins_change_nothing() {
    let (pages, mut requests) = reloadable();
    let server = Server::start(pages, NO_LIMIT).await;
    let answering = async {
        loop {
            next_reload(&mut requests).await.send(Ok(())).expect("asked");
        }
    };
    let asking = async {
        for (headers, expected) in [
            ("", "200"),
            ("Origin: http://us:1\r\nSec-Fetch-Site: same-origin\r\n", "200"),
            ("Sec-Fetch-Site: none\r\n", "200"),
            ("Origin: http://them\r\n", "403"),
            ("Origin: null\r\n", "403"),
            ("Sec-Fetch-Site: cross-site\r\n", "403"),
            ("Sec-Fetch-Site: same-site\r\n", "403"),
            ("Origin: http://us:1\r\nSec-Fetch-Site: cross-site\r\n", "403"),
        ] {
            let request = format!("POST /-/reload HTTP/1.1\r\nHost: us:1\r\n{headers}Connection: close\r\n\r\n");
            let mut stream = server.connect().await;
            stream.write_all(request.as_bytes()).await.expect("sent");
            assert_eq!(statuses(&read_all(&mut stream).await), [expected], "{headers}");
        }
        let scrape = "GET /metrics HTTP/1.1\r\nHost: us:1\r\nOrigin: http://them\r\nConnection: close\r\n\r\n";
        assert_eq!(statuses(&exchange(&server, scrape.as_bytes()).await), ["200"], "looking is harmless");
    };
    tokio::select! {
        () = answering => {}
        () = asking => {}
    }
    server.end().await;
}

//! What clients do that no scrape does.

use super::*;

/// All that the server says until it closes, also where it resets the connection under what it left unread.
pub(super) async fn hear(stream: &mut (impl AsyncReadExt + Unpin)) -> String {
    let mut said = Vec::new();
    let mut buffer = [0; 4096];
    while let Ok(count @ 1..) = stream.read(&mut buffer).await {
        said.extend_from_slice(&buffer[..count]);
    }
    String::from_utf8_lossy(&said).into_owned()
}

async fn say(server: &Server, bytes: &[u8]) -> String {
    let mut stream = server.connect().await;
    let (mut from, mut to) = stream.split();
    // Who is refused may see it before all was taken.
    let (said, _) = tokio::join!(hear(&mut from), async {
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
        let said = say(&server, request.as_bytes()).await;
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
    assert_eq!(statuses(&say(&server, row.as_bytes()).await), ["200", "404", "200", "200"]);
    server.end().await;
}

#[tokio::test]
async fn old_clients_are_answered_and_strange_ones_refused() {
    let server = Server::plain().await;
    let cases: [(&[u8], &[&str]); 14] = [
        (b"GET /metrics HTTP/1.0\r\n\r\n", &["200"]),
        (b"GET /metrics HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET /nothing HTTP/1.0\r\n\r\n", &["200", "404"]),
        (b"GET http://us/metrics HTTP/1.1\r\nHost: us\r\n\r\n", &["200"]),
        (b"GET http://elsewhere.example.com/nothing HTTP/1.1\r\nHost: us\r\n\r\n", &["404"]),
        (b"OPTIONS * HTTP/1.1\r\nHost: us\r\n\r\n", &["404"]),
        (b"CONNECT elsewhere:443 HTTP/1.1\r\nHost: us\r\n\r\n", &["404"]),
        (b"BREW /metrics HTTP/1.1\r\nHost: us\r\n\r\n", &["405"]),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", &[]),
        (b"GET /metrics HTTP/1.1\r\nHost : us\r\n\r\n", &["400"]),
        (b"GET /met rics HTTP/1.1\r\nHost: us\r\n\r\n", &["400"]),
        (b"GET /metrics\r\n\r\n", &["400"]),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 is the begin of TLS\r\n\r\n", &["400"]),
        (b"\x00\xff\x00\xff\r\n\r\n", &["400"]),
        (b"GET /metrics HTTP/1.1\r\nHost: us\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n", &["200"]),
    ];
    for (request, expected) in cases {
        let said = say(&server, request).await;
        assert_eq!(statuses(&said), expected, "{}: {said}", String::from_utf8_lossy(request));
    }
    assert_eq!(server.ask("GET", "/metrics").await.status, 200);
    server.end().await;
}

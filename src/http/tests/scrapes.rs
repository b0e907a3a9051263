//! The limit of concurrent scrapes.

use super::*;

#[tokio::test]
async fn one_scrape_too_many_is_refused() {
    /// More than the buffers of both ends hold.
    const LARGE: usize = 32 << 20;
    let (rendered, mut calls) = mpsc::unbounded_channel();
    let metrics = metrics(move || {
        rendered.send(()).unwrap();
        Bytes::from(vec![b'x'; LARGE])
    });
    let server = Server::start(Pages { metrics, ..pages() }, Limits { max_scrapes: 1 }).await;
    let mut slow = server.connect().await;
    slow.write_all(b"GET /metrics HTTP/1.1\r\nHost: us\r\n\r\n").await.unwrap();
    calls.recv().await.unwrap();
    let refused = server.ask("GET", "/metrics").await;
    assert_eq!(
        (refused.status, refused.body.as_str()),
        (503, "limit of 1 concurrent scrapes reached, see --web.max-requests\n")
    );
    drop(slow);
    while server.ask("HEAD", "/metrics").await.status == 503 {
        tokio::task::yield_now().await;
    }
    server.end().await;
}

#[tokio::test]
async fn a_scrape_counts_until_its_page_is_sent() {
    let router = router::Router::new(pages(), Limits { max_scrapes: 1 });
    let (head, ()) = hyper::Request::get("/metrics").body(()).unwrap().into_parts();
    let scrape = || router.answer(&head, protection::Channel::Clear);
    let waiting_for_its_reader = scrape().await;
    assert_eq!(scrape().await.status(), 503);
    drop(waiting_for_its_reader);
    assert_eq!(scrape().await.status(), 200);
}

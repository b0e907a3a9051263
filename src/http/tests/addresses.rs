//! Addresses to listen on.

use tokio::net::UnixStream;

use super::limits::read_all;
use super::*;

#[tokio::test]
async fn addresses_take_every_usual_form() {
    for (address, is_everywhere) in [("127.0.0.1:0", false), ("localhost:0", false), ("0.0.0.0:0", true), (":0", true)]
    {
        let bound = Bound::bind(address).await.unwrap();
        assert_ne!(socket(&bound).port(), 0, "{address}");
        assert_eq!(socket(&bound).ip().is_unspecified(), is_everywhere, "{address}");
    }
    // Absent on machines without IPv6, where the first loop has shown the fallback.
    if let Ok(bound) = Bound::bind("[::1]:0").await {
        assert!(socket(&bound).is_ipv6());
    }
}

#[tokio::test]
async fn a_port_alone_is_reached_over_ipv4_too() {
    let bound = Bound::bind(":0").await.unwrap();
    let (port, stop, mut tasks) = (socket(&bound).port(), Shutdown::new(), JoinSet::new());
    tasks.spawn(bound.serve(pages(), NO_LIMIT, Protection::default(), stop.clone()));
    let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    assert_eq!(ask(stream, "GET", "/-/healthy").await.status, 200);
    stop.request();
    tasks.join_next().await.unwrap().unwrap();
}

#[tokio::test]
async fn the_end_of_an_answer_waits_for_no_acknowledgement() {
    let bound = Bound::bind("127.0.0.1:0").await.unwrap();
    let _client = TcpStream::connect(socket(&bound)).await.unwrap();
    let accepted = bound.listeners[0].accept().await.unwrap();
    let (tokio_util::either::Either::Left(stream), Some(_)) = accepted else { panic!("TCP") };
    assert!(stream.nodelay().unwrap());
}

#[tokio::test]
async fn a_refused_address_is_named() {
    let taken = Bound::bind("127.0.0.1:0").await.unwrap();
    for address in [socket(&taken).to_string(), "nonsense".to_owned(), ":port".to_owned()] {
        let error = Bound::bind(&address).await.unwrap_err();
        assert_eq!(error.to_string(), format!("cannot listen on `{address}`"));
        assert!(std::error::Error::source(&error).is_some());
    }
}

#[tokio::test]
async fn several_addresses_share_one_site_and_its_limits() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("exporter.sock");
    let unix = format!("unix:{}", path.display());
    let listen = Listen::Addresses(vec!["127.0.0.1:0".into(), "localhost:0".into(), unix.clone()]);
    let bound = Bound::open(&listen).await.unwrap();
    let addresses = bound.addresses();
    assert_eq!((addresses.len(), addresses[2].to_string()), (3, unix));
    let (pages, mut requests) = reloadable();
    let (router, stop) = (Arc::new(router::Router::new(pages, NO_LIMIT)), Shutdown::new());
    let (until, mut server) = (stop.clone(), JoinSet::new());
    let bounds = Bounds { connections: 1, ..connections::BOUNDS };
    server.spawn(async move {
        let observer = Arc::new(|_| ());
        connections::serve(bound.listeners, &router, &Protection::default(), bounds, observer, &until).await;
    });
    const RELOAD: &[u8] = b"POST /-/reload HTTP/1.1\r\nHost: us\r\nConnection: close\r\n\r\n";
    let mut clients = JoinSet::new();
    for address in &addresses[..2] {
        let mut stream = TcpStream::connect(address.socket().unwrap()).await.unwrap();
        stream.write_all(RELOAD).await.unwrap();
        clients.spawn(async move { read_all(&mut stream).await });
    }
    let mut stream = UnixStream::connect(&path).await.unwrap();
    stream.write_all(RELOAD).await.unwrap();
    clients.spawn(async move { read_all(&mut stream).await });
    for _ in 0..3 {
        let reply = next_reload(&mut requests).await;
        assert!(requests.try_recv().is_err(), "one connection at a time");
        reply.send(Ok(())).unwrap();
    }
    while let Some(said) = clients.join_next().await {
        assert!(said.unwrap().ends_with("reloaded\n"));
    }
    stop.request();
    server.join_next().await.unwrap().unwrap();
    assert!(!path.exists(), "the socket is removed");
}

#[tokio::test]
async fn a_place_that_is_taken_is_named_and_the_others_are_let_go() {
    let folder = tempfile::tempdir().unwrap();
    let unix = format!("unix:{}", folder.path().join("exporter.sock").display());
    let taken = Bound::bind(&unix).await.unwrap();
    let other = format!("unix:{}", folder.path().join("other.sock").display());
    let error = Bound::open(&Listen::Addresses(vec![other, unix.clone()])).await.unwrap_err();
    assert_eq!(error.to_string(), format!("cannot listen on `{unix}`"));
    assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "another process listens there");
    assert!(!folder.path().join("other.sock").exists());
    drop(taken);
    Bound::bind(&unix).await.unwrap();
}

#[tokio::test]
async fn sockets_of_systemd_that_are_not_there_are_missed() {
    let error = Bound::open(&Listen::Systemd).await.unwrap_err();
    assert_eq!(error.to_string(), "cannot listen on the sockets of systemd");
}

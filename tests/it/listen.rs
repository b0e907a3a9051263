//! The program on several addresses, on a socket in the file system, and on sockets that it is handed.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UnixStream};
use tokio::task::JoinSet;

use crate::program::{DEFAULTS, Folder, Program};
use crate::rig::get;

/// A configuration whose only appliance does not answer.
fn configuration(folder: &Folder) -> String {
    let password = folder.write_secret("password", "x");
    let entry = format!("  - {{name: a, url: 'http://127.0.0.1:1', username: u, password_file: '{password}'}}\n");
    folder.write("c.yaml", format!("{DEFAULTS}{entry}"))
}

async fn ask(path: &Path) -> String {
    let mut stream = UnixStream::connect(path).await.expect("somebody listens");
    stream.write_all(b"GET /-/ready HTTP/1.1\r\nHost: us\r\nConnection: close\r\n\r\n").await.expect("a request");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("an answer");
    answer
}

#[tokio::test]
async fn it_listens_at_every_kind_of_address() {
    let folder = Folder::new();
    let file = configuration(&folder);
    let path = folder.path("exporter.sock");
    let unix = format!("--web.listen-address=unix:{path}");
    let mut program = Program::serve(&file, &[&unix]);
    let tcp = program.logs("address=127.0.0.1:").await;
    let address = tcp.split("address=").nth(1).and_then(|rest| rest.split(' ').next()).expect("an address").to_owned();
    program.logs("address=unix:/").await;
    assert_eq!(get(&format!("http://{address}/-/ready")).await.status(), 200);
    assert!(ask(path.as_ref()).await.ends_with("\r\n\r\nready\n"));
    let mode = std::fs::metadata(&path).expect("a socket").permissions().mode();
    assert_eq!(mode & 0o777, 0o660);

    // A second one must not push it out.
    let second = Program::serve(&file, &[&unix]).ended().await;
    assert_eq!(second.code(), Some(1));
    assert!(second.stderr.contains("another process listens there"), "{}", second.stderr);
    assert!(ask(path.as_ref()).await.ends_with("ready\n"));

    // What a killed one leaves behind is replaced.
    program.signal("KILL");
    program.ended().await;
    assert!(Path::new(&path).exists());
    let mut program = Program::serve(&file, &[&unix]);
    program.logs("address=unix:/").await;
    assert!(ask(path.as_ref()).await.ends_with("ready\n"));
    program.stop().await;
    assert!(!Path::new(&path).exists(), "the socket is removed at the end");
}

#[tokio::test]
async fn it_uses_the_sockets_that_systemd_passes() {
    let folder = Folder::new();
    let file = configuration(&folder);
    let path = folder.path("handed.sock");
    let tcp = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = tcp.local_addr().expect("a port");
    let unix = UnixListener::bind(&path).expect("a free place");
    let mut program = Program::serve_handed(&file, tcp.into(), unix.into());
    program.logs(&format!("address={address}")).await;
    program.logs(&format!("address=unix:{path}")).await;
    assert_eq!(get(&format!("http://{address}/-/ready")).await.status(), 200);
    assert!(ask(path.as_ref()).await.ends_with("ready\n"));
    program.stop().await;
    assert!(Path::new(&path).exists(), "whoever made the socket removes it");
}

#[tokio::test]
async fn a_missing_systemd_socket_is_reported() {
    let folder = Folder::new();
    let file = configuration(&folder);
    let ended = Program::run(&["serve", &format!("--config.file={file}"), "--web.systemd-socket"]).await;
    assert_eq!(ended.code(), Some(1));
    assert!(ended.stderr.contains("no socket was passed: start the exporter with a .socket unit"), "{}", ended.stderr);
}

/// Restarts in one run of the test below; the manual has the command for a thousand.
const RESTARTS: usize = 15;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_scrape_is_lost_while_the_service_of_a_socket_is_restarted() {
    let restarts = std::env::var("RESTARTS").map_or(RESTARTS, |count| count.parse().expect("a number"));
    let folder = Folder::new();
    let file = configuration(&folder);
    let tcp = TcpListener::bind("127.0.0.1:0").expect("a port");
    let unix = UnixListener::bind(folder.path("handed.sock")).expect("a free place");
    let address = tcp.local_addr().expect("a port");
    let serve = || {
        let sockets = (tcp.try_clone().expect("a socket"), unix.try_clone().expect("a socket"));
        Program::serve_handed(&file, sockets.0.into(), sockets.1.into())
    };
    let stop = Arc::new(AtomicBool::new(false));
    let mut scrapers = JoinSet::new();
    for number in 0..8 {
        let stop = Arc::clone(&stop);
        scrapers.spawn(async move {
            let mut scrapes = 0;
            while !stop.load(Ordering::Relaxed) {
                let mut stream = TcpStream::connect(address).await.expect("somebody holds the socket");
                // A request follows its connection after a round trip.
                tokio::time::sleep(Duration::from_millis(number)).await;
                let sent = stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: us\r\nConnection: close\r\n\r\n").await;
                let mut answer = String::new();
                let read = stream.read_to_string(&mut answer).await;
                assert!(answer.starts_with("HTTP/1.1 200"), "{sent:?} {read:?} after {scrapes} scrapes: {answer}");
                scrapes += 1;
            }
            scrapes
        });
    }
    let mut program = serve();
    for _ in 0..restarts {
        program.logs("listening").await;
        // Long enough for some scrapes of each life.
        tokio::time::sleep(Duration::from_millis(20)).await;
        program.stop().await;
        program = serve();
    }
    stop.store(true, Ordering::Relaxed);
    // One that lost its scrape has panicked, which ends this test as well.
    let scrapes: usize = scrapers.join_all().await.into_iter().sum();
    assert!(scrapes >= restarts, "{scrapes} scrapes over {restarts} restarts");
    program.stop().await;
}

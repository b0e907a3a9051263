//! The program on several addresses, on a socket in the file system, and on sockets that it is handed.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixListener;
use std::path::Path;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;

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
async fn it_listens_wherever_it_is_told_to() {
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
    assert!(second.stderr.contains("somebody listens there"), "{}", second.stderr);
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
async fn it_takes_the_sockets_that_it_is_handed() {
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
async fn it_says_what_is_missing_where_no_socket_is_handed_over() {
    let folder = Folder::new();
    let file = configuration(&folder);
    let ended = Program::run(&["serve", &format!("--config.file={file}"), "--web.systemd-socket"]).await;
    assert_eq!(ended.code(), Some(1));
    assert!(ended.stderr.contains("none was passed on: start it by a .socket unit"), "{}", ended.stderr);
}

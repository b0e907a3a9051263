//! The past at a receiver of remote write: batches, pauses and refusals. What arrives is read by a real Prometheus in
//! `prometheus_backfill`.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use asyncos_exporter::base::clock::{Clock, Timestamp};
use asyncos_exporter::sim;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::backfill::{backfill, configuration, entry, midnight, time};
use crate::program::{Folder, simulate};

/// One request that a receiver got, and the status that it answered.
#[derive(Clone, Debug)]
struct Received {
    head: String,
    body: Vec<u8>,
    status: u16,
    at: Timestamp,
}

/// A receiver that answers with the statuses of a script, and with 204 after that.
struct Receiver {
    url: String,
    received: Arc<Mutex<Vec<Received>>>,
    script: Arc<Mutex<Vec<(u16, &'static str)>>>,
    _task: JoinSet<()>,
}

impl Receiver {
    async fn start(script: &[(u16, &'static str)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/api/v1/write", listener.local_addr().expect("an address"));
        let received = Arc::<Mutex<Vec<Received>>>::default();
        let script = Arc::new(Mutex::new(script.to_vec()));
        let (log, statuses) = (Arc::clone(&received), Arc::clone(&script));
        let mut task = JoinSet::new();
        task.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                answer(stream, &log, &statuses).await;
            }
        });
        Self { url, received, script, _task: task }
    }

    fn received(&self) -> Vec<Received> {
        self.received.lock().expect("no panic").clone()
    }

    /// The bodies that were accepted.
    fn accepted(&self) -> Vec<Vec<u8>> {
        self.received().into_iter().filter(|request| request.status == 204).map(|request| request.body).collect()
    }
}

async fn answer(mut stream: TcpStream, log: &Mutex<Vec<Received>>, script: &Mutex<Vec<(u16, &'static str)>>) {
    let mut bytes = Vec::new();
    let (head, length) = loop {
        if stream.read_buf(&mut bytes).await.expect("readable") == 0 {
            return;
        }
        let Some(end) = bytes.windows(4).position(|part| part == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
        let length = head.split("content-length: ").nth(1).and_then(|rest| rest.lines().next());
        break (head.clone(), end + 4 + length.and_then(|length| length.parse::<usize>().ok()).expect("a length"));
    };
    while bytes.len() < length {
        stream.read_buf(&mut bytes).await.expect("readable");
    }
    let body = bytes.split_off(head.len() + 4);
    let next = {
        let mut script = script.lock().expect("no panic");
        if script.is_empty() { None } else { Some(script.remove(0)) }
    };
    let (status, headers) = next.unwrap_or((204, ""));
    log.lock().expect("no panic").push(Received { head, body, status, at: Clock::system().wall() });
    let answer = format!("HTTP/1.1 {status} x\r\n{headers}content-length: 4\r\nconnection: close\r\n\r\nwhy?");
    let answer = if status == 204 { "HTTP/1.1 204 x\r\nconnection: close\r\n\r\n".to_owned() } else { answer };
    // The client may be gone.
    let _ = stream.write_all(answer.as_bytes()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn batches_are_retried_resumed_and_sent_once() {
    let esa = simulate(sim::Settings::esa("esa1")).await;
    let folder = Folder::new();
    let config = configuration(&folder, &entry("esa1", &esa, ""));
    let token = folder.write_secret("token", "open-sesame\n");
    let receiver = Receiver::start(&[(204, ""), (429, "retry-after: 2\r\n"), (503, ""), (204, ""), (400, "")]).await;
    let (from, to) = (format!("--from={}", time(midnight(2))), format!("--to={}", time(midnight(1))));
    let (url, token) =
        (format!("--remote-write={}", receiver.url), format!("--remote-write.bearer-token-file={token}"));
    let arguments = [from.as_str(), to.as_str(), url.as_str(), token.as_str()];
    let refused = backfill(&config, &folder.path("out"), &arguments).await;
    assert_eq!(refused.code(), Some(1), "{refused:?}");
    assert!(refused.stderr.contains("esa1: remote write: status 400: why?"), "{refused:?}");
    assert!(!refused.stderr.contains("open-sesame") && !refused.stdout.contains("open-sesame"), "{refused:?}");
    let requests = receiver.received();
    let statuses: Vec<u16> = requests.iter().map(|request| request.status).collect();
    assert_eq!(statuses, [204, 429, 503, 204, 400]);
    assert!(requests[1].body == requests[2].body && requests[2].body == requests[3].body, "the same batch again");
    assert!(requests[2].at.since(requests[1].at) >= Duration::from_secs(2), "Retry-After is honoured");
    for part in [
        "post /api/v1/write http/1.1",
        "content-encoding: snappy",
        "content-type: application/x-protobuf",
        "x-prometheus-remote-write-version: 0.1.0",
        "authorization: bearer open-sesame",
    ] {
        assert!(requests[0].head.contains(part), "{part}: {}", requests[0].head);
    }

    assert!(receiver.script.lock().expect("no panic").is_empty());
    let before = esa.requests().len();
    let ended = backfill(&config, &folder.path("out"), &arguments).await;
    assert_eq!((ended.code(), esa.requests().len()), (Some(0), before), "{ended:?}");
    let accepted = receiver.accepted();
    let distinct: BTreeSet<&Vec<u8>> = accepted.iter().collect();
    assert!(accepted.len() > 4 && distinct.len() == accepted.len(), "each batch was accepted once");
    assert!(ended.stdout.contains(" samples sent by remote write\n"), "{ended:?}");
    let again = backfill(&config, &folder.path("out"), &arguments).await;
    assert_eq!((again.code(), receiver.accepted().len()), (Some(0), accepted.len()), "{again:?}");
    assert!(again.stdout.contains("esa1: 0 samples sent by remote write\n"), "{again:?}");
}

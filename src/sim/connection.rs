//! One connection: reads a request, asks what to answer, puts it on the wire or spoils it there, closes. One request
//! per connection, as in every recorded answer.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::sim::answer::Answer;
use crate::sim::fault_plan::WireFault;
use crate::sim::http_status;
use crate::sim::request_log::ActiveRequest;
use crate::sim::responder::{Received, Reply, Responder};

/// The longest head; the same as in Python's `http.client`.
const HEAD_LIMIT: usize = 64 * 1024;
/// The most headers; more than any client sends.
const HEADER_LIMIT: usize = 100;
/// The longest body; a login has a few hundred bytes.
const BODY_LIMIT: usize = 64 * 1024;
/// Time limit for a client to send its request, so that a forgotten connection does not stay for ever.
const PATIENCE: Duration = Duration::from_secs(60);
/// Bytes written at a time of a body that is generated while it is sent.
const PIECE: usize = 64 * 1024;

/// Why no request was read.
enum Unread {
    /// The client left, or took too long.
    Gone,
    /// It sent something that is answered with this.
    Bad(Answer),
}

/// Serves the one request of a connection. Errors are the client's loss, and are not reported.
pub(super) async fn serve(mut stream: TcpStream, responder: &Responder) {
    let received = match tokio::time::timeout(PATIENCE, read(&mut stream, responder)).await {
        Ok(Ok(received)) => received,
        Ok(Err(Unread::Bad(answer))) => {
            let head = answer.head(&responder.style(), Some(answer.body.len()));
            let _ = send_bytes(&mut stream, &[head.as_bytes(), &answer.body].concat()).await;
            return;
        }
        Ok(Err(Unread::Gone)) | Err(_) => return,
    };
    let active = responder.log().record_arrival(received.request.clone());
    let reply = responder.reply(&received, active.in_flight);
    if !reply.delay.is_zero() {
        tokio::select! {
            () = tokio::time::sleep(reply.delay) => {}
            () = gone(&mut stream) => return,
        }
    }
    let _ = send(stream, active, reply).await;
}

async fn read(stream: &mut TcpStream, responder: &Responder) -> Result<Received, Unread> {
    let mut bytes = Vec::new();
    let (length, mut received) = loop {
        if let Some(parsed) = parse(&bytes, responder)? {
            break parsed;
        }
        if bytes.len() >= HEAD_LIMIT {
            return Err(Unread::Bad(Answer::page(414, http_status::texts(414).0)));
        }
        more(stream, &mut bytes).await?;
    };
    let mut body = bytes.split_off(length);
    let expected = match received.request.header("Content-Length").map(str::parse::<usize>) {
        None => 0,
        Some(Ok(expected)) if expected <= BODY_LIMIT => expected,
        Some(Ok(_)) => return Err(Unread::Bad(Answer::page(413, http_status::texts(413).0))),
        Some(Err(_)) => return Err(bad_syntax()),
    };
    while body.len() < expected {
        more(stream, &mut body).await?;
    }
    body.truncate(expected);
    received.body = body;
    Ok(received)
}

async fn more(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> Result<(), Unread> {
    match stream.read_buf(bytes).await {
        Ok(0) | Err(_) => Err(Unread::Gone),
        Ok(_) => Ok(()),
    }
}

/// The head, once it is whole, and its length in bytes.
fn parse(bytes: &[u8], responder: &Responder) -> Result<Option<(usize, Received)>, Unread> {
    let mut space = [httparse::EMPTY_HEADER; HEADER_LIMIT];
    let mut head = httparse::Request::new(&mut space);
    let length = match head.parse(bytes) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(_) => return Err(bad_syntax()),
    };
    let (Some(method), Some(target)) = (head.method, head.path) else { return Err(bad_syntax()) };
    let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
    let headers = head.headers.iter().map(|header| (header.name.to_owned(), text(header.value))).collect();
    let request = responder.request(method, target, headers);
    Ok(Some((length, Received { request, body: Vec::new() })))
}

/// **Source:** Python's `BaseHTTPServer`; that such faults never reach the API is inferred.
fn bad_syntax() -> Unread {
    Unread::Bad(Answer::page(400, "Bad request syntax"))
}

/// Completes when the client closes the connection; what it still sends is ignored.
async fn gone(stream: &mut TcpStream) {
    let mut ignored = [0; 1024];
    while let Ok(1..) = stream.read(&mut ignored).await {}
}

async fn send(mut stream: TcpStream, active: ActiveRequest<'_>, reply: Reply) -> io::Result<()> {
    let Reply { answer, wire_fault, style, .. } = reply;
    let length = answer.body.len();
    let head = |length| answer.head(&style, length);
    match wire_fault {
        None => {
            active.record_status(answer.code);
            send_bytes(&mut stream, &[head(Some(length)).as_bytes(), &answer.body].concat()).await
        }
        Some(WireFault::NeverSent) => {
            gone(&mut stream).await;
            drop(active);
            Ok(())
        }
        Some(WireFault::Reset) => {
            drop(active);
            stream.set_zero_linger()
        }
        Some(WireFault::Closed) => {
            drop(active);
            stream.shutdown().await
        }
        Some(WireFault::NotHttp) => {
            drop(active);
            send_bytes(&mut stream, b"220 mail.example.com ESMTP\r\n").await
        }
        Some(WireFault::HalfBody) => {
            active.record_status(answer.code);
            let half = &answer.body[..length / 2];
            send_bytes(&mut stream, &[head(Some(length)).as_bytes(), half].concat()).await
        }
        Some(WireFault::NoContentLength) => {
            active.record_status(answer.code);
            send_bytes(&mut stream, &[head(None).as_bytes(), &answer.body].concat()).await
        }
        Some(WireFault::BareCr) => {
            active.record_status(answer.code);
            // Which header was at fault in the field is not known.
            let head = head(Some(length)).replacen("Connection:", "X-Comment: one\rtwo\r\nConnection:", 1);
            send_bytes(&mut stream, &[head.as_bytes(), &answer.body].concat()).await
        }
        Some(WireFault::Dripping(pause)) => {
            active.record_status(answer.code);
            for byte in head(Some(length)).bytes() {
                stream.write_all(&[byte]).await?;
                tokio::time::sleep(pause).await;
            }
            send_bytes(&mut stream, &answer.body).await
        }
        Some(WireFault::Huge(bytes)) => {
            let bytes = bytes.max(2);
            let huge = Answer::ok(Vec::new());
            active.record_status(huge.code);
            let head = huge.head(&style, Some(bytes));
            stream.write_all(head.as_bytes()).await?;
            send_huge(&mut stream, bytes).await
        }
    }
}

async fn send_bytes(stream: &mut TcpStream, bytes: &[u8]) -> io::Result<()> {
    stream.write_all(bytes).await?;
    stream.shutdown().await
}

/// A JSON string of `bytes` bytes, quotes included; at least 2.
async fn send_huge(stream: &mut TcpStream, bytes: usize) -> io::Result<()> {
    stream.write_all(b"\"").await?;
    let piece = vec![b'x'; PIECE];
    let mut left = bytes - 2;
    while left > 0 {
        let now = left.min(PIECE);
        stream.write_all(&piece[..now]).await?;
        left -= now;
    }
    send_bytes(stream, b"\"").await
}

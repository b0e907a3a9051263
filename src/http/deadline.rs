//! A stream whose peer must take what we write within a time limit. Knows nothing of HTTP.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

/// Fails a write with [`io::ErrorKind::TimedOut`] when the writer has been behind for `limit`.
///
/// Behind is from the first write that had to wait until the next successful flush, so a peer that takes one byte
/// now and then gains nothing by it.
pub(super) struct Deadline<T> {
    stream: T,
    limit: Duration,
    /// Set while the writer is behind.
    overdue: Option<Pin<Box<Sleep>>>,
}

impl<T> Deadline<T> {
    pub(super) fn new(stream: T, limit: Duration) -> Self {
        Self { stream, limit, overdue: None }
    }

    fn judge<R>(&mut self, cx: &mut Context<'_>, outcome: Poll<io::Result<R>>) -> Poll<io::Result<R>> {
        if outcome.is_pending() && self.overdue.is_none() {
            self.overdue = Some(Box::pin(tokio::time::sleep(self.limit)));
        }
        let is_late = self.overdue.as_mut().is_some_and(|overdue| overdue.as_mut().poll(cx).is_ready());
        if is_late {
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the client does not read the response")));
        }
        outcome
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Deadline<T> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Deadline<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.judge(cx, outcome)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.judge(cx, outcome)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outcome = Pin::new(&mut self.stream).poll_flush(cx);
        ready!(self.judge(cx, outcome))?;
        self.overdue = None;
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outcome = Pin::new(&mut self.stream).poll_shutdown(cx);
        self.judge(cx, outcome)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    const LIMIT: Duration = Duration::from_secs(30);

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_never_reads_is_given_up() {
        let (ours, _theirs) = tokio::io::duplex(4);
        let error = Deadline::new(ours, LIMIT).write_all(b"longer than that").await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_sips_is_given_up_just_the_same() {
        let (ours, mut theirs) = tokio::io::duplex(4);
        let mut ours = Deadline::new(ours, LIMIT);
        let sipping = async {
            loop {
                tokio::time::sleep(LIMIT / 4).await;
                theirs.read_u8().await.unwrap();
            }
        };
        tokio::select! {
            outcome = ours.write_all(b"a text of more than eight bytes") => {
                assert_eq!(outcome.unwrap_err().kind(), io::ErrorKind::TimedOut);
            }
            () = sipping => {}
        }
    }

    #[tokio::test(start_paused = true)]
    async fn each_flush_starts_a_new_limit() {
        let (ours, mut theirs) = tokio::io::duplex(4);
        let mut ours = Deadline::new(ours, LIMIT);
        for _ in 0..3 {
            let slow = async {
                tokio::time::sleep(LIMIT / 2).await;
                let mut taken = [0; 8];
                theirs.read_exact(&mut taken).await.unwrap();
            };
            let (written, ()) = tokio::join!(ours.write_all(b"12345678"), slow);
            written.unwrap();
            ours.flush().await.unwrap();
        }
    }
}

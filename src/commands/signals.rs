//! SIGTERM and SIGINT ask to stop, a second one insists; SIGHUP asks to reload.

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{mpsc, oneshot};

use crate::base::shutdown::Shutdown;
use crate::http::Lifecycle;

/// The signals of this process.
#[derive(Debug)]
pub(super) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
}

impl Signals {
    /// Catches the signals from now on.
    ///
    /// # Errors
    /// When the system refuses to register a handler.
    pub(super) fn try_new() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    /// Turns signals into wishes; returns when a second one insists on the end.
    pub(super) async fn drive(mut self, stop: Shutdown, requests: mpsc::Sender<Lifecycle>) {
        loop {
            tokio::select! {
                _ = self.hang_up.recv() => {
                    // The outcome is logged where it is known; a full queue means that one is under way.
                    let (answer, _) = oneshot::channel();
                    let _ = requests.try_send(Lifecycle::Reload(answer));
                    continue;
                }
                _ = self.terminate.recv() => {}
                _ = self.interrupt.recv() => {}
            }
            if stop.is_requested() {
                tracing::warn!("second signal received, exiting immediately");
                return;
            }
            tracing::info!("signal received, shutting down");
            stop.request();
        }
    }
}

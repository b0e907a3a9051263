//! The wish to end, handed to every task. Knows nothing of why the daemon ends or what a task does about it.

use tokio_util::sync::CancellationToken;

/// A clonable request to stop; once made it stays made.
#[derive(Clone, Debug, Default)]
pub struct Shutdown(CancellationToken);

impl Shutdown {
    /// A stop nobody has requested yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks everyone who holds a clone of this stop to end.
    pub fn request(&self) {
        self.0.cancel();
    }

    /// Whether the stop was requested.
    #[must_use]
    pub fn is_requested(&self) -> bool {
        self.0.is_cancelled()
    }

    /// Completes once the stop is requested.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    pub async fn requested(&self) {
        self.0.cancelled().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_request_reaches_every_clone_and_stays() {
        let stop = Shutdown::new();
        let clone = stop.clone();
        assert!(!clone.is_requested());
        stop.request();
        clone.requested().await;
        assert!(clone.is_requested());
    }
}

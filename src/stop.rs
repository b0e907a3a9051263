//! The wish to end, handed to every task. Knows nothing of why the daemon ends or what a task does about it.

use tokio_util::sync::CancellationToken;

/// A clonable request to stop; once made it stays made.
#[derive(Clone, Debug, Default)]
pub struct Stop(CancellationToken);

impl Stop {
    /// A stop nobody has requested yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A stop that follows this one and can be requested alone.
    #[must_use]
    pub fn child(&self) -> Self {
        Self(self.0.child_token())
    }

    /// Asks everyone who holds this stop, or a child of it, to end.
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
    async fn a_child_follows_its_parent_and_not_the_other_way() {
        let parent = Stop::new();
        let (one, two) = (parent.child(), parent.child());
        one.request();
        assert!(one.is_requested() && !parent.is_requested() && !two.is_requested());
        parent.request();
        two.requested().await;
    }
}

//! Ends the process of a test that hangs, and names it: a clock that stands still or a wait without an end would otherwise
//! show as nothing but silence. For tests of the library and of the program alike.

use std::io::Write;
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

/// Runs from its making until it is dropped, in real time whatever the clocks of the test show.
pub(crate) struct Deadline {
    /// Dropped with the deadline, which the thread that waits notices.
    _alive: Sender<()>,
}

impl Deadline {
    /// What is at work must be done within `span`.
    pub(crate) fn new(what: &'static str, span: Duration) -> Self {
        let test = std::thread::current().name().unwrap_or("a test").to_owned();
        let (alive, over) = channel::<()>();
        std::thread::spawn(move || {
            if over.recv_timeout(span) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
                // Only an end of the process ends a loop that never yields. What is printed by macros would be lost with it.
                let _ = writeln!(std::io::stderr(), "`{test}` hangs: {what} has not ended after {} s", span.as_secs());
                std::process::exit(101);
            }
        });
        Self { _alive: alive }
    }
}

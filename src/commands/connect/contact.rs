//! Facts about the connection, from the events of a client.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::api::{Event, Listener};
use crate::base::clock::Timestamp;

/// Collects the events of one client. Clones share them.
#[derive(Clone, Debug, Default)]
pub(super) struct Contact(Arc<Mutex<Seen>>);

#[derive(Debug, Default)]
struct Seen {
    /// The durations of the requests that were answered.
    took: Vec<Duration>,
    certificate_expires: Option<Timestamp>,
}

/// The durations of the answered requests of one appliance.
#[derive(Clone, Copy, Debug)]
pub(super) struct ResponseTimes {
    pub(super) median: Duration,
    pub(super) slowest: Duration,
}

impl Contact {
    pub(super) fn listener(&self) -> Listener {
        let contact = self.clone();
        Listener::new(move |event| match event {
            Event::Request { code: Some(_), took, .. } => contact.seen().took.push(took),
            Event::CertificateExpires(expires) => contact.seen().certificate_expires = expires,
            Event::Request { code: None, .. }
            | Event::Failed(_)
            | Event::LoggedIn
            | Event::LoginFailed(_)
            | Event::LoginRefusals { .. }
            | Event::TokenExpires(_)
            | Event::VerificationDisabled => {}
        })
    }

    /// Whether the appliance has answered anything.
    pub(super) fn is_answered(&self) -> bool {
        !self.seen().took.is_empty()
    }

    pub(super) fn certificate_expires(&self) -> Option<Timestamp> {
        self.seen().certificate_expires
    }

    /// None before the first answer.
    pub(super) fn response_times(&self) -> Option<ResponseTimes> {
        let mut took = self.seen().took.clone();
        took.sort_unstable();
        Some(ResponseTimes { median: *took.get(took.len() / 2)?, slowest: *took.last()? })
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

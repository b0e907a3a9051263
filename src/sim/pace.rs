//! How fast requests come, and how long one takes because of what it asks for.

use std::time::{Duration, SystemTime};

use crate::sim::behaviour::Behaviour;
use crate::sim::request::{Request, RequestKind};
use crate::sim::unix_secs;

/// How many requests arrived in the newest minute.
#[derive(Default)]
pub(super) struct Pace {
    minute: u64,
    requests: u32,
}

impl Pace {
    /// Counts a request; whether it is one too many.
    pub(super) fn exceeds(&mut self, limit: Option<u32>, clock: SystemTime) -> bool {
        let minute = unix_secs(clock) / 60;
        if minute != self.minute {
            *self = Self { minute, requests: 0 };
        }
        self.requests = self.requests.saturating_add(1);
        limit.is_some_and(|limit| self.requests > limit)
    }
}

/// How much longer a report takes because of its window; other requests have no window to speak of.
pub(super) fn for_window(behaviour: &Behaviour, request: &Request) -> Duration {
    match (&request.kind, request.window) {
        (RequestKind::Report { .. }, Some((start, end))) => {
            behaviour.latency_per_hour.mul_f64(end.saturating_sub(start) as f64 / 3600.0)
        }
        (RequestKind::Report { .. } | RequestKind::Login | RequestKind::SecondFactor | RequestKind::Other, _) => {
            Duration::ZERO
        }
    }
}

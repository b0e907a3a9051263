//! What the poller sets going, and what comes back.

use std::sync::Arc;
use std::time::Duration;

use crate::api::{Depth, Failure, Observation, Query};
use crate::clock::{Tick, Timestamp};
use crate::ledger::{CommitError, Counted, Reconciled};
use crate::sample::Samples;

use super::ask::Outcome;

/// A finished job.
#[derive(Debug)]
pub(super) enum Done {
    Connected(Result<(), Failure>),
    BegunAnew { target: usize, outcome: Result<(), CommitError> },
    Observed { watch: usize, outcome: Result<Observation, Failure> },
    Asked { job: Job, outcome: Outcome, took: Duration },
    Counted { job: Job, count: u32, heard: Heard, outcome: Result<Counted, CommitError> },
    Reconciled { job: Job, outcome: Result<Reconciled, CommitError> },
}

/// What a report came to, and the answer it came with.
#[derive(Debug)]
pub(super) struct Heard {
    pub(super) read: Samples,
    pub(super) sent: Arc<str>,
    /// The appliance's clock when it answered.
    pub(super) at: Timestamp,
}

/// One poll: of which target, for which windows.
#[derive(Clone, Debug)]
pub(super) struct Job {
    pub(super) target: usize,
    pub(super) query: Query,
    pub(super) purpose: Purpose,
}

/// What a report is asked for for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Purpose {
    /// To count so many windows of the target's grid.
    Count(u32),
    /// To compare it with what was counted.
    Audit,
    /// To see how much of it is there yet.
    Look,
    /// To hear the appliance's clock.
    Hear,
}

impl Purpose {
    /// How far a search is counted. Only what goes into totals is worth more than a request.
    pub(super) const fn depth(self) -> Depth {
        match self {
            Self::Count(_) => Depth::AllPages,
            Self::Audit | Self::Look | Self::Hear => Depth::FirstPage,
        }
    }
}

/// What is due.
pub(super) enum Next {
    Now(Job),
    Watch(usize),
    At(Tick),
}

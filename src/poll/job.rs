//! What the poller sets going, and what comes back.

use std::sync::Arc;
use std::time::Duration;

use crate::api::{Depth, Failure, Observation, Query, Reply};
use crate::base::clock::{Tick, Timestamp};
use crate::ledger::{CommitError, Counted, Reconciled};
use crate::sample::Samples;

use super::plan::Gap;

/// A finished job.
#[derive(Debug)]
pub(super) enum Done {
    Connected(Result<(), Failure>),
    /// What was found out is written down, or is not.
    Remembered,
    BegunAnew {
        target: usize,
        begins: Begins,
        outcome: Result<(), CommitError>,
    },
    PassedOver {
        target: usize,
        outcome: Result<(), CommitError>,
    },
    /// Totals that had begun are shown with all that was counted.
    BeginningsEnded {
        target: usize,
        outcome: Result<(), CommitError>,
    },
    Observed {
        status_probe: usize,
        outcome: Result<Observation, Failure>,
        took: Duration,
    },
    /// Whether the appliance is there.
    Probed(Result<(), Failure>),
    Requested {
        job: Job,
        outcome: RequestOutcome,
        took: Duration,
    },
    Counted {
        job: Job,
        count: Count,
        report: Box<ReadReport>,
        outcome: Result<Counted, CommitError>,
    },
    RunningHourCounted {
        job: Job,
        report: Box<ReadReport>,
        outcome: Result<Counted, CommitError>,
    },
    Reconciled {
        job: Job,
        outcome: Result<Reconciled, CommitError>,
    },
}

/// What a poll came to.
#[derive(Debug)]
pub(super) enum RequestOutcome {
    Report(Reply),
    /// The window was declined for its minutes: the group is answered for whole hours.
    HoursOnly,
    /// An end in the future was declined, and a closed hour is answered.
    RunningDeclined,
    Failed(Failure),
}

impl Done {
    /// Whether the appliance was asked something.
    pub(super) const fn is_a_request(&self) -> bool {
        match self {
            Self::Connected(_) | Self::Probed(_) | Self::Observed { .. } | Self::Requested { .. } => true,
            Self::Remembered
            | Self::BegunAnew { .. }
            | Self::PassedOver { .. }
            | Self::BeginningsEnded { .. }
            | Self::Counted { .. }
            | Self::RunningHourCounted { .. }
            | Self::Reconciled { .. } => false,
        }
    }
}

/// What a report came to, and the answer it came with.
#[derive(Debug)]
pub(super) struct ReadReport {
    pub(super) samples: Samples,
    /// The request, for display.
    pub(super) request: Arc<str>,
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

/// The windows that a report is to count.
#[derive(Clone, Copy, Debug)]
pub(super) struct Count {
    pub(super) windows: u32,
    pub(super) gap: Gap,
}

/// A new epoch of a target's totals.
#[derive(Clone, Copy, Debug)]
pub(super) struct Begins {
    /// The watermark of the old one.
    pub(super) from: Timestamp,
    pub(super) at: Timestamp,
    /// The windows between that are lost.
    pub(super) lost: u64,
}

/// Why the report is requested.
#[derive(Clone, Copy, Debug)]
pub(super) enum Purpose {
    /// To count windows of the target's grid.
    Count(Count),
    /// To add to what was counted of an hour that is not over.
    RunningHour,
    /// To compare it with what was counted.
    Audit,
    /// To see how much of it is there by now.
    MeasureLateness,
    /// To read the appliance's clock.
    SyncClock,
}

impl Purpose {
    /// How far a search is counted. Only what goes into totals is worth more than a request.
    pub(super) const fn depth(self) -> Depth {
        match self {
            Self::Count(_) => Depth::AllPages,
            Self::RunningHour | Self::Audit | Self::MeasureLateness | Self::SyncClock => Depth::FirstPage,
        }
    }
}

/// What is due.
pub(super) enum Next {
    Now(Job),
    StatusProbe(usize),
    /// Nothing before.
    At(Tick),
    /// It is due, but the appliance needs a pause first; then it comes before anything else.
    Rest(Tick),
}

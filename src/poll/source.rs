//! Where answers come from: the seam below which tests put an appliance of their own.

use std::future::Future;

use crate::api::{Client, ClockDoubt, Failure, Identity, Observation, Pace, Query, Reason, Reply, StatusKind};
use crate::base::clock::Timestamp;

/// One appliance, as the poller sees it.
pub(crate) trait Source: Send + Sync + 'static {
    /// Makes sure that the account is accepted and the appliance's time known.
    fn connect(&self) -> impl Future<Output = Result<(), Failure>> + Send;
    /// Asks for one report.
    fn fetch(&self, query: &Query) -> impl Future<Output = Result<Reply, Failure>> + Send;
    /// Asks for something about the appliance itself.
    fn observe(&self, aspect: &StatusKind) -> impl Future<Output = Result<Observation, Failure>> + Send;
    /// The appliance's clock.
    fn now(&self) -> Timestamp;
    /// How far its newest `Date` is ahead of ours, once known.
    fn skew_seconds(&self) -> Option<f64>;
    /// Why [`Source::now`] does not follow that; none where it does.
    fn clock_doubt(&self) -> Option<ClockDoubt>;
    /// What its login states about it.
    fn identity(&self) -> Option<Identity> {
        None
    }
    /// Asks it at `pace` from now on.
    fn set_pace(&self, pace: Pace);
    /// A request was abandoned for `reason`, which the client below does not know.
    fn given_up(&self, reason: Reason) {
        let _ = reason;
    }
}

impl Source for Client {
    async fn connect(&self) -> Result<(), Failure> {
        Self::connect(self).await
    }

    async fn fetch(&self, query: &Query) -> Result<Reply, Failure> {
        Self::fetch(self, query).await
    }

    async fn observe(&self, aspect: &StatusKind) -> Result<Observation, Failure> {
        Self::observe(self, aspect).await
    }

    fn now(&self) -> Timestamp {
        Self::now(self)
    }

    fn skew_seconds(&self) -> Option<f64> {
        Self::skew_seconds(self)
    }

    fn clock_doubt(&self) -> Option<ClockDoubt> {
        Self::clock_doubt(self)
    }

    fn identity(&self) -> Option<Identity> {
        Self::identity(self)
    }

    fn set_pace(&self, pace: Pace) {
        Self::set_pace(self, pace);
    }

    fn given_up(&self, reason: Reason) {
        Self::given_up(self, reason);
    }
}

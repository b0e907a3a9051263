//! The seam below the poller: where reports come from.

use std::future::Future;

use crate::api::{Client, Failure, Query, Reply};
use crate::clock::Timestamp;

/// Where reports come from: the seam below which tests put an appliance of their own.
pub trait Source: Send + Sync + 'static {
    /// Makes sure that the account is accepted and the appliance's time known.
    fn connect(&self) -> impl Future<Output = Result<(), Failure>> + Send;
    /// Asks for one report.
    fn fetch(&self, query: &Query) -> impl Future<Output = Result<Reply, Failure>> + Send;
    /// The appliance's clock.
    fn now(&self) -> Timestamp;
    /// How far it is ahead of ours, once known.
    fn skew_seconds(&self) -> Option<f64>;
}

impl Source for Client {
    async fn connect(&self) -> Result<(), Failure> {
        Self::connect(self).await
    }

    async fn fetch(&self, query: &Query) -> Result<Reply, Failure> {
        Self::fetch(self, query).await
    }

    fn now(&self) -> Timestamp {
        Self::now(self)
    }

    fn skew_seconds(&self) -> Option<f64> {
        Self::skew_seconds(self)
    }
}

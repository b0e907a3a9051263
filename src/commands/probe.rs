//! Requests to one appliance for commands that examine it: one after the other, and none where no further request can
//! fare better. Prints nothing.

use std::sync::Arc;

use crate::api::{Client, Failure, Observation, Query, Reason, Reply, StatusKind};
use crate::base::window::{Grid, Window};
use crate::catalogue::Group;
use crate::config::{Appliance, Product, Scope};
use access::{AccessCheck, Windows};

pub(super) mod access;

/// Failures in a row after which the appliance is at fault and is left alone.
const MOST_FAILURES: u32 = 3;

/// A client, and how its recent requests ended.
pub(super) struct Prober {
    pub(super) client: Client,
    pub(super) appliance: Appliance,
    /// Requests in a row that the appliance did not answer as itself.
    failures: u32,
}

impl Prober {
    pub(super) fn new(client: Client, appliance: Appliance) -> Self {
        Self { client, appliance, failures: 0 }
    }

    /// The answer, unless it is a failure that further requests would repeat.
    fn judge<T>(&mut self, answer: Result<T, Failure>) -> Result<Result<T, Failure>, Failure> {
        match &answer {
            Err(failure) if failure.reason.concerns_all() => return Err(failure.clone()),
            Err(failure) if !failure.reason.proves_presence() && failure.reason != Reason::Unauthorized => {
                self.failures += 1;
                if self.failures == MOST_FAILURES {
                    return Err(failure.clone());
                }
            }
            Ok(_) | Err(_) => self.failures = 0,
        }
        Ok(answer)
    }

    /// # Errors
    /// The failure after which no further request can succeed, or the third in a row.
    pub(super) async fn fetch(&mut self, query: &Query) -> Result<Result<Reply, Failure>, Failure> {
        let answer = self.client.fetch(query).await;
        self.judge(answer)
    }

    /// # Errors
    /// As [`Prober::fetch`].
    pub(super) async fn observe(&mut self, kind: &StatusKind) -> Result<Result<Observation, Failure>, Failure> {
        let answer = self.client.observe(kind).await;
        self.judge(answer)
    }

    /// The last whole hours that are complete.
    pub(super) fn hours(&self, count: u32) -> Window {
        hours(&self.client, &self.appliance, count)
    }

    /// Whether windows of `grid` are answered by the report `query`, which was answered for a whole hour. A refusal that does
    /// not speak of minutes is no proof, as for the poller: the hour must be answered still, and another window refused.
    ///
    /// # Errors
    /// As [`Prober::fetch`].
    pub(super) async fn windows(&mut self, query: Query, grid: Grid) -> Result<Windows, Failure> {
        let end = grid.floor(self.client.now() - self.appliance.polling.settle.initial());
        let window = |ago: u32| Query { window: grid.window_from(end - grid.length() * ago), ..query.clone() };
        let windows = Windows::of(&self.fetch(&window(1)).await?);
        if !windows.is_doubtful() {
            return Ok(windows);
        }
        match AccessCheck::of(&self.fetch(&query).await?) {
            AccessCheck::Readable => Ok(Windows::of(&self.fetch(&window(2)).await?)),
            AccessCheck::NotAllowed(message) | AccessCheck::NotOffered(message) | AccessCheck::Unclear(message) => {
                Ok(Windows::Unclear(format!("the whole hour is not answered any more: {message}")))
            }
        }
    }
}

/// All of the report `group`.
pub(super) fn query(group: &Group, scope: Scope, window: Window) -> Query {
    Query { scope, group: Arc::new(group.clone()), top: None, search: None, window }
}

/// As [`Prober::hours`].
pub(super) fn hours(client: &Client, appliance: &Appliance, count: u32) -> Window {
    let end = Grid::HOURS.floor(client.now() - appliance.polling.settle.initial());
    Grid::HOURS.stretch_from(end - Grid::HOURS.length() * count, count)
}

/// The product in words.
pub(super) const fn product_name(product: Product) -> &'static str {
    match product {
        Product::Esa => "Secure Email Gateway (ESA)",
        Product::Sma => "Secure Email and Web Manager (SMA)",
    }
}

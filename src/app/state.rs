//! Opens the state and says what became of it.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::clock::Clock;
use crate::ledger::Ledger;
use crate::store::{Found, Listener, OpenError, Store};
use crate::telemetry::Telemetry;

/// The ledger in `directory`, or in memory.
pub(super) fn open(directory: Option<&Path>, telemetry: &Arc<Telemetry>, clock: &Clock) -> Result<Ledger, OpenError> {
    let Some(directory) = directory else {
        return Ok(Ledger::in_memory());
    };
    let (store, found) = Store::open(directory, listener(Arc::clone(telemetry), clock.clone()))?;
    telemetry.state_durable();
    let Found { records, set_aside, damaged } = found;
    if let Some(aside) = set_aside {
        telemetry.state_file_refused();
        tracing::error!(kept = %aside.display(), "the state is damaged and set aside: totals begin at zero");
    }
    if damaged > 0 {
        telemetry.state_records_refused(damaged);
        tracing::error!(records = damaged, "records of the state are damaged: their totals begin at zero");
    }
    tracing::info!(directory = %directory.display(), records = records.len(), "state opened");
    Ok(Ledger::new(store, records))
}

/// Counts every batch; logs only when the disk goes bad or is good again.
fn listener(telemetry: Arc<Telemetry>, clock: Clock) -> Listener {
    let bad = AtomicBool::new(false);
    Box::new(move |outcome| match outcome {
        Ok(()) => {
            telemetry.state_persisted(clock.wall());
            if bad.swap(false, Ordering::Relaxed) {
                tracing::info!("state is written again");
            }
        }
        Err(error) => {
            telemetry.state_persist_failed();
            if !bad.swap(true, Ordering::Relaxed) {
                let error = error as &dyn Error;
                tracing::error!(error, "state is not written: totals stand still until it is, and none is lost");
            }
        }
    })
}

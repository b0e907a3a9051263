//! Opens the state and says what became of it.

use std::collections::HashMap;
use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::api::{Refusals, Tally};
use crate::clock::{Clock, Timestamp};
use crate::ledger::Ledger;
use crate::store::{Found, Listener, OpenError, Refused, Store};
use crate::telemetry::Telemetry;

/// What outlives a restart.
pub(super) struct Kept {
    pub(super) ledger: Ledger,
    pub(super) refusals: Refusals,
}

/// The state in `directory`, or in memory.
pub(super) fn open(directory: Option<&Path>, telemetry: &Arc<Telemetry>, clock: &Clock) -> Result<Kept, OpenError> {
    let Some(directory) = directory else {
        return Ok(Kept { ledger: Ledger::in_memory(), refusals: Refusals::in_memory() });
    };
    let (store, found) = Store::open(directory, listener(Arc::clone(telemetry), clock.clone()))?;
    telemetry.state_durable();
    let Found { records, refused, salt, set_aside, damaged } = found;
    if let Some(aside) = set_aside {
        telemetry.state_file_refused();
        tracing::error!(kept = %aside.display(), "the state is damaged and set aside: totals begin at zero");
    }
    if damaged > 0 {
        telemetry.state_records_refused(damaged);
        tracing::error!(records = damaged, "records of the state are damaged: their totals begin at zero");
    }
    tracing::info!(directory = %directory.display(), records = records.len(), "state opened");
    let store = Arc::new(store);
    Ok(Kept { refusals: refusals(Arc::clone(&store), salt, refused), ledger: Ledger::new(store, records) })
}

/// Refused logins as the store has them.
fn refusals(store: Arc<Store>, salt: [u8; 32], refused: HashMap<String, Refused>) -> Refusals {
    let tally = |Refused { count, last, in_doubt, history_lost }| {
        let last = Timestamp::from_secs(last);
        Tally { refusals: count, last, in_doubt, history_lost }
    };
    let tallies = refused.into_iter().map(|(account, refused)| (account, tally(refused))).collect();
    Refusals::new(salt, tallies, move |account, tally| {
        let store = Arc::clone(&store);
        let refused = tally.map(|Tally { refusals, last, in_doubt, history_lost }| {
            let last = last.as_secs();
            Refused { count: refusals, last, in_doubt, history_lost }
        });
        Box::pin(async move { store.write_refused(account, refused).await.map_err(|error| error.to_string()) })
    })
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

//! Opens the state and reports the outcome.

use std::collections::HashMap;
use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::api::{EVERY_ACCOUNT, FailureCount, LoginFailureLog, RefusalCause};
use crate::base::clock::{Clock, Timestamp};
use crate::ledger::Ledger;
use crate::store::{Event, Listener, LoadedState, OpenError, Record, Refused, RefusedBecause, Store, TotalsKey};
use crate::telemetry::{StateLoss, Telemetry};

/// State that outlives a restart.
pub(super) struct PersistentState {
    pub(super) ledger: Ledger,
    pub(super) refusals: LoginFailureLog,
}

/// The state as it was at one moment.
#[derive(Debug)]
pub struct StateCopy {
    /// The records of what was counted.
    pub records: HashMap<TotalsKey, Record>,
    /// The refused logins. Further ones are not written to the state.
    pub refusals: LoginFailureLog,
}

/// The state in `directory`, or in memory.
pub(super) fn open(
    directory: Option<&Path>,
    telemetry: &Arc<Telemetry>,
    clock: &Clock,
) -> Result<PersistentState, OpenError> {
    let Some(directory) = directory else {
        return Ok(PersistentState { ledger: Ledger::in_memory(), refusals: LoginFailureLog::in_memory() });
    };
    let path = directory.display();
    let (store, found) = Store::open(directory, listener(directory, Arc::clone(telemetry), clock.clone()))?;
    telemetry.state_durable();
    let LoadedState { records, facts, refused, salt, set_aside, is_lost, unmarked, exposed, damaged } = found;
    if let Some(aside) = &set_aside {
        telemetry.state_refused(StateLoss::DamagedFile, 1);
        tracing::error!(kept = %aside.display(), "state file is damaged and was set aside; totals start at zero");
    } else if is_lost {
        telemetry.state_refused(StateLoss::MissingFile, 1);
        tracing::error!(directory = %path, "state file is missing; totals start at zero");
    }
    if refused.contains_key(EVERY_ACCOUNT) {
        tracing::warn!("login failure history is lost; each account gets one login attempt until a login succeeds");
    }
    if let Some(error) = unmarked {
        let hint = "if the state file is lost, the next start will not notice it";
        tracing::warn!(directory = %path, %error, hint, "cannot write the state marker");
    }
    if let Some(error) = exposed {
        let hint = "restrict state.redb to its owner with chmod 600, and make the exporter's user its owner";
        tracing::warn!(directory = %path, %error, hint, "state file is world-readable");
    }
    if damaged > 0 {
        telemetry.state_refused(StateLoss::DamagedRecord, damaged);
        tracing::error!(records = damaged, "damaged records in the state file; their totals start at zero");
    }
    tracing::info!(directory = %path, records = records.len(), "state opened");
    let store = Arc::new(store);
    let ledger = Ledger::new(Arc::clone(&store), records).with_facts(facts);
    Ok(PersistentState { refusals: refusals(store, salt, refused), ledger })
}

/// The state in `directory`, which is closed again.
///
/// # Errors
/// When there is none, or it is damaged: what was counted is then not known.
pub(super) fn copy(directory: &Path) -> Result<StateCopy, OpenError> {
    let path = directory.join(Store::FILE);
    // Opening would create it.
    let file = path.metadata().map_err(|error| OpenError::Other(path.clone(), error.to_string()))?;
    if file.len() == 0 {
        return Err(OpenError::Other(path, "it is empty".into()));
    }
    let (store, found) = Store::open(directory, Box::new(|_| {}))?;
    drop(store);
    let LoadedState { records, refused, salt, set_aside, is_lost, damaged, .. } = found;
    if let Some(aside) = &set_aside {
        // As it was found, for the exporter to report.
        std::fs::rename(aside, &path).map_err(|error| OpenError::Other(path.clone(), error.to_string()))?;
    }
    if set_aside.is_some() || is_lost || damaged > 0 {
        return Err(OpenError::Other(path, "it is damaged or lost".into()));
    }
    let refusals = LoginFailureLog::new(salt, counts(refused), |_, _| Box::pin(std::future::ready(Ok(()))));
    Ok(StateCopy { records, refusals })
}

fn counts(refused: HashMap<String, Refused>) -> HashMap<String, FailureCount> {
    let failures = |Refused { count, last, in_doubt, history_lost, because, made_up }| {
        let last = Timestamp::from_secs(last);
        FailureCount { refusals: count, last, in_doubt, history_lost, cause: cause(because), cleared: made_up }
    };
    refused.into_iter().map(|(account, refused)| (account, failures(refused))).collect()
}

/// Refused logins as the store has them.
fn refusals(store: Arc<Store>, salt: [u8; 32], refused: HashMap<String, Refused>) -> LoginFailureLog {
    LoginFailureLog::new(salt, counts(refused), move |account, failures| {
        let store = Arc::clone(&store);
        let refused = failures.map(|FailureCount { refusals, last, in_doubt, history_lost, cause, cleared }| {
            let last = last.as_secs();
            Refused { count: refusals, last, in_doubt, history_lost, because: because(cause), made_up: cleared }
        });
        Box::pin(async move { store.write_refused(account, refused).await.map_err(|error| error.to_string()) })
    })
}

const fn cause(written: RefusedBecause) -> RefusalCause {
    match written {
        RefusedBecause::Password => RefusalCause::Password,
        RefusedBecause::SecondFactor => RefusalCause::SecondFactor,
        RefusedBecause::Passcode => RefusalCause::Passcode,
        RefusedBecause::OtherServer => RefusalCause::OtherServer,
        RefusedBecause::OtherProduct => RefusalCause::OtherProduct,
    }
}

const fn because(cause: RefusalCause) -> RefusedBecause {
    match cause {
        RefusalCause::Password => RefusedBecause::Password,
        RefusalCause::SecondFactor => RefusedBecause::SecondFactor,
        RefusalCause::Passcode => RefusedBecause::Passcode,
        RefusalCause::OtherServer => RefusedBecause::OtherServer,
        RefusalCause::OtherProduct => RefusedBecause::OtherProduct,
    }
}

/// Counts every batch; logs only when the disk or the file goes bad or is good again.
fn listener(directory: &Path, telemetry: Arc<Telemetry>, clock: Clock) -> Listener {
    let (bad, directory) = (AtomicBool::new(false), directory.display().to_string());
    Box::new(move |event| match event {
        Event::Written => {
            telemetry.state_persisted(clock.wall());
            if bad.swap(false, Ordering::Relaxed) {
                tracing::info!("state writes recovered");
            }
        }
        Event::WriteFailed(error) => {
            telemetry.state_persist_failed();
            if !bad.swap(true, Ordering::Relaxed) {
                let error = error as &dyn Error;
                tracing::error!(error, "cannot write state: totals are paused, nothing is lost, retrying");
            }
        }
        Event::FileFound => {
            telemetry.state_file_found(true);
            tracing::info!(directory, "state file is back at its path");
        }
        Event::FileRewritten => {
            telemetry.state_file_rewritten();
            let hint = "stop the exporter before you delete or move its state";
            tracing::error!(directory, hint, "state file was deleted and has been recreated; nothing is lost");
        }
        Event::FileReplaced => {
            telemetry.state_file_found(false);
            let hint = "remove the other file to let the exporter write its state there, or restart the exporter to \
            continue from the other file";
            tracing::error!(directory, hint, "state file was replaced by another file");
        }
        Event::FileMissing(error) => {
            telemetry.state_file_found(false);
            let hint = "make the directory writable; the exporter then writes its state there";
            tracing::error!(directory, error, hint, "state file was deleted and cannot be recreated");
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_needs_a_sound_state_and_leaves_another_as_it_is() {
        let folder = tempfile::tempdir().expect("a folder");
        let directory = folder.path().join("state");
        let error = copy(&directory).expect_err("there is none");
        assert!(error.to_string().contains("No such file"), "{error}");
        assert!(!directory.exists(), "nothing is created");
        drop(Store::open(&directory, Box::new(|_| {})).expect("a state"));
        assert!(copy(&directory).expect("sound").records.is_empty());
        for (damage, why) in [("this is no database", "it is damaged or lost"), ("", "it is empty")] {
            std::fs::write(directory.join(Store::FILE), damage).expect("damage");
            let error = copy(&directory).expect_err("damaged");
            assert!(error.to_string().ends_with(why), "{error}");
            assert_eq!(std::fs::read(directory.join(Store::FILE)).expect("there"), damage.as_bytes());
            let mut names: Vec<_> =
                std::fs::read_dir(&directory).expect("a folder").map(|entry| entry.expect("one").file_name()).collect();
            names.sort();
            assert_eq!(names, ["state.marker", "state.redb"]);
        }
    }
}

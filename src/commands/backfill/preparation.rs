//! The plan of a run: a new one, or the one that an earlier run has begun. Contacts no appliance.

use std::collections::HashMap;
use std::error::Error;
use std::path::Path;

use crate::api::LoginFailureLog;
use crate::app::{self, AppError, StateCopy};
use crate::base::clock::Clock;
use crate::cli::Backfill;
use crate::config::{Appliance, Config};
use crate::store::OpenError;

use super::plan::{AppliancePlan, PlanFile, Request};
use super::ranges::Ranges;

/// Everything that a run needs to know before it begins.
pub(super) struct Preparation {
    pub(super) plans: Vec<AppliancePlan>,
    pub(super) file: PlanFile,
    pub(super) refusals: LoginFailureLog,
    pub(super) hints: Vec<String>,
}

/// Why there is no plan.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum PrepareError {
    /// The command line requests something that is not possible.
    Usage(String),
    /// The state or the plan of an earlier run cannot be read.
    State(String),
}

impl Preparation {
    /// The plan for `flags`.
    ///
    /// # Errors
    /// When the flags contradict the configuration, the totals of the exporter or the earlier run.
    pub(super) fn new(config: &Config, flags: &Backfill, clock: &Clock) -> Result<Self, PrepareError> {
        let appliances = appliances(config, flags)?;
        let request = Request {
            from: flags.from.text.clone(),
            to: flags.to.as_ref().map(|to| to.text.clone()),
            appliances: flags.appliances.clone(),
            groups: flags.groups.clone(),
            recent_windows: flags.recent_windows.map(|span| span.as_secs()),
        };
        let earlier = PlanFile::load(&flags.output).map_err(PrepareError::State)?;
        let mut hints = Vec::new();
        // The ranges of an earlier plan stay, and the state may be in use by now.
        let state = match (&earlier, &flags.storage_path) {
            (None, Some(directory)) if !directory.as_os_str().is_empty() => state(directory)?,
            (None, _) => {
                hints.push(UNKNOWN_TOTALS.to_owned());
                StateCopy { records: HashMap::new(), refusals: LoginFailureLog::in_memory() }
            }
            // Refused logins of the exporter count here too, unless it is running.
            (Some(_), Some(directory)) if !directory.as_os_str().is_empty() => {
                let refusals = app::copy_state(directory).map(|state| state.refusals);
                let refusals = refusals.unwrap_or_else(|_| LoginFailureLog::in_memory());
                StateCopy { records: HashMap::new(), refusals }
            }
            (Some(_), _) => StateCopy { records: HashMap::new(), refusals: LoginFailureLog::in_memory() },
        };
        if earlier.is_none() && state.records.is_empty() && hints.is_empty() {
            hints.push(NO_TOTALS.to_owned());
        }
        if flags.labels.is_empty() {
            hints.push(NO_LABELS.to_owned());
        }
        let (from, to) = (&flags.from, flags.to.as_ref());
        // What is refused for a new plan was checked before an earlier one began.
        let to = to.filter(|_| earlier.is_none());
        let ranges = Ranges { from, to, now: clock.wall(), recent: flags.recent_windows, records: &state.records };
        let plans = appliances.iter().map(|appliance| ranges.plan(appliance, &flags.groups));
        let mut plans = plans.collect::<Result<Vec<_>, _>>().map_err(PrepareError::Usage)?;
        let file = match earlier {
            Some(file) => {
                let output = flags.output.display();
                file.apply(&request, &mut plans).map_err(|why| {
                    PrepareError::Usage(format!(
                        "cannot continue the backfill in `{output}`: {why}; use another --output"
                    ))
                })?;
                file
            }
            None => PlanFile::new(request, &plans),
        };
        Ok(Self { plans, file, refusals: state.refusals, hints })
    }
}

const UNKNOWN_TOTALS: &str = "hint: without --storage.path it is not known what the exporter has counted: make sure that it \
                              counts nothing of this range, or sums count it twice";
const NO_TOTALS: &str = "hint: the exporter has counted nothing yet: start it first, so that the backfill ends where its \
                         totals begin";
const NO_LABELS: &str = "hint: without the labels of the scrape job the samples are separate series: add, for example, \
                         --label=job=asyncos --label=instance=localhost:10042";

/// The appliances that are meant, with the rate limit of the command line.
fn appliances(config: &Config, flags: &Backfill) -> Result<Vec<Appliance>, PrepareError> {
    let is_configured = |name: &str| config.appliances.iter().any(|appliance| appliance.name == name);
    if let Some(name) = flags.appliances.iter().find(|name| !is_configured(name)) {
        return Err(PrepareError::Usage(format!("--appliance: `{name}` is not configured")));
    }
    let is_requested = |name: &str| {
        let mut choices = config.appliances.iter().flat_map(|appliance| &appliance.groups);
        choices.any(|choice| choice.group.name == name)
    };
    if let Some(name) = flags.groups.iter().find(|name| !is_requested(name)) {
        return Err(PrepareError::Usage(format!("--group: no appliance is configured to be polled for `{name}`")));
    }
    let is_wanted = |appliance: &&Appliance| flags.appliances.is_empty() || flags.appliances.contains(&appliance.name);
    let mut appliances: Vec<Appliance> = config.appliances.iter().filter(is_wanted).cloned().collect();
    for appliance in &mut appliances {
        if let Some(most) = flags.requests_per_minute {
            appliance.polling.requests_per_minute = most;
        }
    }
    Ok(appliances)
}

fn state(directory: &Path) -> Result<StateCopy, PrepareError> {
    app::copy_state(directory).map_err(|error| {
        let cause = app::chain(&error as &dyn Error);
        let hint = match error {
            AppError::State(OpenError::InUse(_)) => {
                "stop the exporter until the plan is printed: the backfill reads the state once and closes it"
            }
            _ => {
                "check --storage.path: without the totals of the exporter it is not known where they begin; start the \
                 exporter first"
            }
        };
        PrepareError::State(format!("{cause}\nhint: {hint}"))
    })
}

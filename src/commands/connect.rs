//! `check --connect`: contacts every appliance of a configuration as the daemon would, a few at a time, and reports what
//! works. At most one login for each appliance, and none where the recorded refusals forbid it.

use std::collections::VecDeque;
use std::error::Error;
use std::path::Path;
use std::sync::Arc;

use tokio::task::JoinSet;

use crate::api::{Client, LoginFailureLog, SystemRoots};
use crate::app::{self, logging};
use crate::base::clock::Clock;
use crate::cli::{CheckFormat, Connect};
use crate::config::{Appliance, Config};

use super::{RUNTIME, eprint_line, print_line};
use contact::Contact;
use examination::Examination;
use progress::Progress;
use report::{ApplianceReport, Step, StepKind};

mod contact;
mod examination;
mod identity;
mod progress;
mod report;
mod requests;

/// Appliances that are contacted at once: a fleet is checked in minutes, and a firewall sees no scan.
const AT_ONCE: usize = 8;

/// Contacts the appliances of `config`; returns the exit code.
pub(super) async fn connect(config: &Config, flags: &Connect) -> u8 {
    let clock = Clock::system();
    logging::install(logging::Level::Warn, logging::Format::Logfmt, clock.clone());
    let refusals = match refusals(flags.storage_path.as_deref(), &clock) {
        Ok(refusals) => refusals,
        Err(why) => {
            eprint_line(why);
            return RUNTIME;
        }
    };
    let reports = reports(config, &refusals, &clock).await;
    match flags.format {
        CheckFormat::Text => print_line(report::table(&reports)),
        CheckFormat::Json => print_line(report::json(&reports)),
    }
    let failed = reports.iter().filter(|report| !report.works()).count();
    let sum = format!("{} appliance(s) contacted: {} work, {failed} do not", reports.len(), reports.len() - failed);
    match flags.format {
        CheckFormat::Text => print_line(sum),
        CheckFormat::Json => eprint_line(sum),
    }
    if failed == 0 { 0 } else { RUNTIME }
}

/// The refused logins in the state; in memory where there is no state yet. A state is never created here: it would belong
/// to the user who runs the check instead of to the exporter.
fn refusals(directory: Option<&Path>, clock: &Clock) -> Result<LoginFailureLog, String> {
    let Some(directory) = directory.filter(|directory| !directory.as_os_str().is_empty()) else {
        return Ok(LoginFailureLog::in_memory());
    };
    app::login_failures(directory, clock).map_err(|error| {
        let cause = app::chain(&error as &dyn Error);
        format!(
            "no appliance was contacted: {cause}\nhint: a running exporter keeps the count of refused logins: its status \
             page shows the state of each appliance; stop it to run this check"
        )
    })
}

/// Contacts all appliances, [`AT_ONCE`] at a time. The reports are in the order of the file.
async fn reports(config: &Config, refusals: &LoginFailureLog, clock: &Clock) -> Vec<ApplianceReport> {
    let progress = Arc::new(Progress::new(config.appliances.len()));
    let roots = SystemRoots::default();
    let mut reports = Vec::new();
    let mut waiting = VecDeque::new();
    for (position, appliance) in config.appliances.iter().enumerate() {
        let contact = Contact::default();
        let client = Client::try_new(appliance, &roots, clock.clone(), contact.listener(), refusals.clone());
        match client {
            Ok(client) => waiting.push_back((position, client.with_one_login(), appliance.clone(), contact)),
            Err(failure) => {
                let mut report = ApplianceReport::new(appliance);
                let step = Step::failed(StepKind::Tls, failure.to_string());
                progress.step(&report.name, &step);
                report.steps.push(step);
                progress.ended(&report.name);
                reports.push((position, report));
            }
        }
    }
    if refusals.are_lost() {
        let clients = waiting.iter().map(|(_, client, _, _)| client);
        // The store logs what it cannot write.
        let _ = Client::allow_one_login(clients, refusals).await;
    }
    let mut running = JoinSet::new();
    loop {
        while running.len() < AT_ONCE
            && let Some((position, client, appliance, contact)) = waiting.pop_front()
        {
            let progress = Arc::clone(&progress);
            running.spawn(async move { (position, examined(client, appliance, contact, &progress).await) });
        }
        match running.join_next().await {
            Some(Ok(report)) => reports.push(report),
            // An examination is neither aborted nor does it panic; the appliance is missing from the reports otherwise.
            Some(Err(error)) => eprint_line(error),
            None => break,
        }
    }
    reports.sort_by_key(|(position, _)| *position);
    reports.into_iter().map(|(_, report)| report).collect()
}

async fn examined(client: Client, appliance: Appliance, contact: Contact, progress: &Progress) -> ApplianceReport {
    let name = appliance.name.clone();
    progress.began(&name);
    let report = Examination::new(client, appliance, contact, progress).run().await;
    progress.ended(&name);
    report
}

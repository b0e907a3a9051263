//! The examination of one appliance, step by step, with the requests that the daemon would make.

use std::time::Duration;

use crate::api::{Client, Failure, Query, Reason, StatusKind};
use crate::commands::probe::Prober;
use crate::config::{Alignment, Anchor, Appliance};

use super::contact::Contact;
use super::identity;
use super::progress::Progress;
use super::report::{ApplianceReport, Step, StepKind};

pub(super) struct Examination<'a> {
    pub(super) prober: Prober,
    contact: Contact,
    progress: &'a Progress,
    report: ApplianceReport,
    /// A report that can be read, without keys if possible; scopes and windows are tried with it.
    pub(super) readable: Option<Query>,
    /// Whether the appliance supports whole hours only.
    pub(super) is_hourly: bool,
}

impl<'a> Examination<'a> {
    pub(super) fn new(client: Client, appliance: Appliance, contact: Contact, progress: &'a Progress) -> Self {
        let report = ApplianceReport::new(&appliance);
        let is_hourly = appliance.polling.alignment == Alignment::Hour;
        Self { prober: Prober::new(client, appliance), contact, progress, report, readable: None, is_hourly }
    }

    pub(super) async fn run(mut self) -> ApplianceReport {
        match self.login().await {
            Ok(()) => self.survey().await,
            Err(failure) => {
                self.connection(Some(&failure));
                // Whatever it was: an appliance without a login does not work.
                if self.report.works() || failure.reason.is_of_the_account() || self.contact.is_answered() {
                    self.add(Step::failed(StepKind::Login, failure.in_full()));
                }
            }
        }
        if let Some(times) = self.contact.response_times() {
            let [median, slowest] = [times.median, times.slowest].map(milliseconds);
            let step = Step::works(StepKind::ResponseTime, format!("median {median}, slowest {slowest}"));
            self.add(step.with_cell(median));
        }
        self.report
    }

    fn add(&mut self, step: Step) {
        self.progress.step(&self.report.name, &step);
        self.report.steps.push(step);
    }

    pub(super) fn appliance(&self) -> &Appliance {
        &self.prober.appliance
    }

    /// Logs in. An identity provider accepts an account without the appliance, so a first request follows where the
    /// appliance has not answered yet.
    async fn login(&mut self) -> Result<(), Failure> {
        self.prober.client.connect().await?;
        if self.contact.is_answered() {
            return Ok(());
        }
        match self.prober.client.observe(&StatusKind::TimeZone).await {
            Err(failure) if failure.reason.concerns_all() || !self.contact.is_answered() => Err(failure),
            Ok(_) | Err(_) => Ok(()),
        }
    }

    /// Whether the appliance is reachable, and whether TLS works, from the failure of the login. Nothing where nobody was
    /// contacted.
    fn connection(&mut self, failure: Option<&Failure>) {
        let url = &self.appliance().url;
        let place =
            format!("{}:{}", url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or_default());
        let is_encrypted = url.scheme() == "https";
        let tls_failure = failure.filter(|failure| failure.reason == Reason::Tls);
        if self.contact.is_answered() || tls_failure.is_some() {
            self.add(Step::works(StepKind::Reachable, place));
        } else if let Some(failure) = failure.filter(|failure| failure.reason.is_of_the_way()) {
            self.add(Step::failed(StepKind::Reachable, format!("{place}: {}", failure.in_full())));
            return;
        } else {
            return;
        }
        if !is_encrypted {
            self.add(
                Step::warning(StepKind::Tls, "not used: the password can be read on the network").with_cell("none"),
            );
        } else if let Some(failure) = tls_failure {
            self.add(Step::failed(StepKind::Tls, failure.in_full()));
        } else if self.appliance().trust.anchor == Anchor::Nothing {
            let text = "any certificate is accepted: an attacker on the network can read the password";
            self.add(Step::warning(StepKind::Tls, text));
        } else {
            let until = self.contact.certificate_expires().map(|end| format!(", valid until {end}"));
            self.add(Step::works(StepKind::Tls, format!("certificate trusted{}", until.unwrap_or_default())));
        }
    }

    /// The steps after the login, until no further request can succeed.
    async fn survey(&mut self) {
        self.connection(None);
        let login = format!("accepted as `{}`", self.appliance().credentials.username);
        self.add(Step::works(StepKind::Login, login));
        let client = &self.prober.client;
        let release = identity::release(self.appliance().product, self.appliance().minimum_release, client.identity());
        let clock = identity::clock(client.skew_seconds(), client.clock_doubt());
        self.add(release);
        self.add(clock);
        for kind in [
            StepKind::Status,
            StepKind::Reports,
            StepKind::Windows,
            StepKind::RunningHour,
            StepKind::Scopes,
            StepKind::Searches,
            StepKind::Quarantines,
            StepKind::StatusPage,
        ] {
            let step = match kind {
                StepKind::Status => self.status().await,
                StepKind::Reports => self.reports().await,
                StepKind::Windows => self.windows().await,
                StepKind::RunningHour => self.running_hour().await,
                StepKind::Scopes => self.scopes().await,
                StepKind::Searches => self.searches().await,
                StepKind::Quarantines => self.quarantines().await,
                StepKind::StatusPage => Ok(self.status_page().await),
                StepKind::Reachable
                | StepKind::Tls
                | StepKind::Login
                | StepKind::Release
                | StepKind::Clock
                | StepKind::ResponseTime => Ok(None),
            };
            match step {
                Ok(step) => step.into_iter().for_each(|step| self.add(step)),
                Err(failure) => {
                    let text = format!("{}; the rest was not checked", failure.in_full());
                    return self.add(Step::failed(kind, text));
                }
            }
        }
    }
}

fn milliseconds(span: Duration) -> String {
    format!("{} ms", span.as_millis())
}

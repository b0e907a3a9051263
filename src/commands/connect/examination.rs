//! The examination of one appliance, step by step, with the requests that the daemon would make.

use std::sync::Arc;
use std::time::Duration;

use crate::api::{Client, ClockDoubt, Depth, Failure, Observation, Query, Reason, StatusKind, TrackingQuery};
use crate::base::period::Period;
use crate::base::window::Grid;
use crate::catalogue;
use crate::commands::probe::access::{AccessCheck, Windows, described, topic};
use crate::commands::probe::{Prober, product_name};
use crate::config::{Alignment, Anchor, Appliance, Quarantines, Scope};

use super::contact::Contact;
use super::progress::Progress;
use super::report::{ApplianceReport, Step, StepKind};

/// A clock that is this far off confuses who compares the metrics with the appliance's own reports.
const LARGE_SKEW_SECONDS: f64 = 60.0;

pub(super) struct Examination<'a> {
    prober: Prober,
    contact: Contact,
    progress: &'a Progress,
    report: ApplianceReport,
    /// A report that can be read, without keys if possible; scopes and windows are tried with it.
    readable: Option<Query>,
    /// Whether the appliance supports whole hours only.
    is_hourly: bool,
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
                if failure.reason.is_of_the_account() || self.contact.is_answered() {
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

    fn appliance(&self) -> &Appliance {
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
        self.add(self.release());
        self.add(self.clock());
        for kind in [
            StepKind::Status,
            StepKind::Reports,
            StepKind::Windows,
            StepKind::RunningHour,
            StepKind::Scopes,
            StepKind::Searches,
            StepKind::Quarantines,
        ] {
            let step = match kind {
                StepKind::Status => self.status().await,
                StepKind::Reports => self.reports().await,
                StepKind::Windows => self.windows().await,
                StepKind::RunningHour => self.running_hour().await,
                StepKind::Scopes => self.scopes().await,
                StepKind::Searches => self.searches().await,
                StepKind::Quarantines => self.quarantines().await,
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

    fn release(&self) -> Step {
        let product = product_name(self.appliance().product);
        let Some(identity) = self.prober.client.identity() else {
            return Step::works(StepKind::Release, format!("{product}, the login does not state the release"))
                .with_cell("unknown");
        };
        let model = identity.model.map_or_else(String::new, |model| format!(", model {model}"));
        let text = format!("{product}, AsyncOS {}{model}", identity.release);
        let first = self.appliance().product.first_release();
        if identity.release.is_below(first) == Some(true) {
            let text = format!("{text}, older than {first}, the first release with this API: upgrade the appliance");
            return Step::failed(StepKind::Release, text).with_cell(identity.release.to_string());
        }
        let step = match self.appliance().minimum_release {
            Some(minimum) if identity.release.is_below(minimum) == Some(true) => {
                Step::failed(StepKind::Release, format!("{text}, older than `minimum_release` {minimum}"))
            }
            Some(_) | None => Step::works(StepKind::Release, text),
        };
        step.with_cell(identity.release.to_string())
    }

    fn clock(&self) -> Step {
        let Some(skew) = self.prober.client.skew_seconds() else {
            return Step::warning(
                StepKind::Clock,
                "responses have no usable `Date`: windows follow this machine's clock",
            );
        };
        let direction = if skew < 0.0 { "behind" } else { "ahead of" };
        let text = format!("{:.0} s {direction} this machine", skew.abs());
        match self.prober.client.clock_doubt() {
            Some(ClockDoubt::Refused) => {
                let text = format!("{text}, which is not trusted: check the date, the time zone and NTP of both");
                Step::failed(StepKind::Clock, text)
            }
            Some(ClockDoubt::Unconfirmed) | None if skew.abs() >= LARGE_SKEW_SECONDS => {
                Step::warning(StepKind::Clock, format!("{text}: check NTP of both"))
            }
            Some(ClockDoubt::Unconfirmed) | None => Step::works(StepKind::Clock, text),
        }
    }

    /// The status requests other than quarantines. First of all, since low roles may read the time zone, and what an
    /// account may read shows what its 401 mean.
    async fn status(&mut self) -> Result<Option<Step>, Failure> {
        let (options, product) = (&self.appliance().status_options, self.appliance().product);
        let kinds: Vec<StatusKind> = StatusKind::configured(options, product)
            .into_iter()
            .rev()
            .filter(|kind| !matches!(kind, StatusKind::Quarantines(_)))
            .collect();
        let mut problems = Problems::default();
        for kind in &kinds {
            let answer = self.prober.observe(kind).await?;
            problems.add(topic(kind), &answer);
        }
        Ok((!kinds.is_empty()).then(|| problems.step(StepKind::Status, kinds.len())))
    }

    /// Every configured counter group, in the first scope, over the last whole hour.
    async fn reports(&mut self) -> Result<Option<Step>, Failure> {
        let groups = self.appliance().groups.clone();
        let scope = self.appliance().scopes.first().cloned().unwrap_or(Scope::Appliance);
        let window = self.prober.hours(1);
        let mut problems = Problems::default();
        for choice in &groups {
            let group = Arc::clone(&choice.group);
            let query = Query { scope: scope.clone(), group, top: choice.top, search: None, window };
            let answer = self.prober.fetch(&query).await?;
            problems.add(&choice.group.name, &answer);
            let is_better = self.readable.as_ref().is_none_or(|readable| readable.group.key.is_some());
            if answer.is_ok() && is_better {
                self.readable = Some(query);
            }
        }
        Ok((!groups.is_empty()).then(|| problems.step(StepKind::Reports, groups.len())))
    }

    /// Whether the configured windows are supported.
    async fn windows(&mut self) -> Result<Option<Step>, Failure> {
        let polling = self.appliance().polling;
        if self.is_hourly || !polling.grid.needs_minutes() {
            return Ok(Some(Step::works(StepKind::Windows, "whole hours, as configured").with_cell("hours")));
        }
        let Some(query) = self.readable.clone() else { return Ok(None) };
        let length = Period(polling.grid.length());
        Ok(Some(match self.prober.windows(query, polling.grid).await? {
            Windows::Minutes => {
                Step::works(StepKind::Windows, format!("{length} is supported")).with_cell(length.to_string())
            }
            Windows::Hours(said) => {
                self.is_hourly = true;
                let text = format!("whole hours only ({said})");
                let step = match polling.alignment {
                    Alignment::Minute => Step::failed(StepKind::Windows, format!("{text}: remove `alignment: minute`")),
                    Alignment::Auto | Alignment::Hour => {
                        Step::warning(StepKind::Windows, format!("{text} instead of {length}"))
                    }
                };
                step.with_cell("hours")
            }
            Windows::Unclear(said) => Step::failed(StepKind::Windows, format!("unknown ({said})")),
        }))
    }

    /// Whether the hour that is not over is answered; of interest only where windows are whole hours.
    async fn running_hour(&mut self) -> Result<Option<Step>, Failure> {
        if !self.is_hourly || !self.appliance().polling.running_hour {
            return Ok(None);
        }
        let Some(query) = self.readable.clone() else { return Ok(None) };
        let window = Grid::HOURS.containing(self.prober.client.now());
        let answer = self.prober.fetch(&Query { window, ..query }).await?;
        Ok(Some(match AccessCheck::of(&answer).trouble() {
            None => Step::works(StepKind::RunningHour, "can be read"),
            Some(trouble) => Step::warning(StepKind::RunningHour, format!("{trouble}; totals change once an hour")),
        }))
    }

    /// The scopes after the first, each with one report.
    async fn scopes(&mut self) -> Result<Option<Step>, Failure> {
        let scopes: Vec<Scope> = self.appliance().scopes.iter().skip(1).cloned().collect();
        let Some(query) = self.readable.clone().filter(|_| !scopes.is_empty()) else { return Ok(None) };
        let mut problems = Problems::default();
        for scope in &scopes {
            let answer = self.prober.fetch(&Query { scope: scope.clone(), ..query.clone() }).await?;
            problems.add(&scope.to_string(), &answer);
        }
        Ok(Some(problems.step(StepKind::Scopes, scopes.len())))
    }

    /// The configured searches of message tracking, over the last whole hour.
    async fn searches(&mut self) -> Result<Option<Step>, Failure> {
        let searches = self.appliance().searches.clone();
        let window = self.prober.hours(1);
        let mut problems = Problems::default();
        for choice in &searches {
            let search = Some(TrackingQuery { search: Arc::clone(&choice.search), depth: Depth::FirstPage });
            let group = Arc::new(catalogue::search_group());
            let query = Query { scope: Scope::Appliance, group, top: None, search, window };
            let answer = self.prober.fetch(&query).await?;
            problems.add(&choice.name, &answer);
        }
        Ok((!searches.is_empty()).then(|| problems.step(StepKind::Searches, searches.len())))
    }

    async fn quarantines(&mut self) -> Result<Option<Step>, Failure> {
        let named = match self.appliance().status_options.quarantines.clone() {
            Quarantines::All => None,
            Quarantines::Named(names) if names.is_empty() => return Ok(None),
            Quarantines::Named(names) => Some(names),
        };
        let answer = self.prober.observe(&StatusKind::Quarantines(named.clone())).await?;
        Ok(Some(match &answer {
            Ok(observation) => {
                let missing = missing(observation, named.as_deref().unwrap_or_default());
                let text = described(observation);
                match missing.is_empty() {
                    true => Step::works(StepKind::Quarantines, text),
                    false => {
                        let text = format!("{text}; not found: {}", missing.join(", "));
                        Step::failed(StepKind::Quarantines, text)
                    }
                }
            }
            Err(failure) => Step::failed(StepKind::Quarantines, failure.in_full()),
        }))
    }
}

/// The `named` quarantines that were not counted.
fn missing(observation: &Observation, named: &[String]) -> Vec<String> {
    let Observation::Quarantines(found) = observation else { return named.to_vec() };
    named.iter().filter(|name| !found.iter().any(|one| one.name == **name)).cloned().collect()
}

/// The requests of a step that failed.
#[derive(Debug, Default)]
struct Problems {
    texts: Vec<String>,
    /// Of the first, since the others mostly have the same cause.
    advice: Option<String>,
}

impl Problems {
    fn add<T>(&mut self, name: &str, answer: &Result<T, Failure>) {
        if let Some(trouble) = AccessCheck::of(answer).trouble() {
            self.texts.push(format!("{name}: {trouble}"));
            let advice = answer.as_ref().err().map(|failure| failure.advice().into_owned());
            self.advice = self.advice.take().or(advice);
        }
    }

    /// The step in which `all` requests were made.
    fn step(self, kind: StepKind, all: usize) -> Step {
        let readable = all - self.texts.len();
        let sum = format!("{readable} of {all} can be read");
        let cell = format!("{readable}/{all}");
        if self.texts.is_empty() {
            return Step::works(kind, sum).with_cell(cell);
        }
        let advice = self.advice.map_or_else(String::new, |advice| format!("; {advice}"));
        Step::failed(kind, format!("{sum}; {}{advice}", self.texts.join("; "))).with_cell(cell)
    }
}

fn milliseconds(span: Duration) -> String {
    format!("{} ms", span.as_millis())
}

//! The requests of an examination: which of the configured reports, windows, scopes, searches, quarantines and status
//! answers can be read.

use std::sync::Arc;

use crate::api::{Depth, Failure, Observation, Query, Reason, StatusKind, TrackingQuery};
use crate::base::period::Period;
use crate::base::window::Grid;
use crate::catalogue;
use crate::commands::probe::access::{AccessCheck, Windows, described, topic};
use crate::config::{Alignment, Quarantines, Scope};

use super::examination::Examination;
use super::report::{Item, Step, StepKind};

impl Examination<'_> {
    /// The status requests other than quarantines and the status page. First of all, since low roles may read the time zone,
    /// and what an account may read shows what its 401 mean.
    pub(super) async fn status(&mut self) -> Result<Option<Step>, Failure> {
        let (options, product) = (&self.appliance().status_options, self.appliance().product);
        let kinds: Vec<StatusKind> = StatusKind::configured(options, product)
            .into_iter()
            .rev()
            .filter(|kind| !matches!(kind, StatusKind::Quarantines(_) | StatusKind::XmlStatus(_)))
            .collect();
        let mut readings = Readings::default();
        for kind in &kinds {
            // Three failures in a row end an examination; but old releases may have none of these, and their reports work.
            let answer = self.prober.client.observe(kind).await;
            if let Err(failure) = &answer
                && failure.reason.concerns_all()
            {
                return Err(failure.clone());
            }
            // What only the defaults request may be missing, as for the daemon.
            let is_wanted = self.appliance().status_options.names(kind.option()) && !kind.is_optional();
            if is_wanted || !is_refused(&answer) {
                readings.add(topic(kind), &answer);
            }
        }
        Ok((!readings.items.is_empty()).then(|| readings.step(StepKind::Status)))
    }

    /// Every configured counter group, in the first scope, over the last whole hour.
    pub(super) async fn reports(&mut self) -> Result<Option<Step>, Failure> {
        let groups = self.appliance().groups.clone();
        let scope = self.appliance().scopes.first().cloned().unwrap_or(Scope::Appliance);
        let window = self.prober.hours(1);
        let mut readings = Readings::default();
        for choice in &groups {
            let group = Arc::clone(&choice.group);
            let query = Query { scope: scope.clone(), group, top: choice.top, search: None, window };
            let answer = self.prober.fetch(&query).await?;
            readings.add(&choice.group.name, &answer);
            let is_better = self.readable.as_ref().is_none_or(|readable| readable.group.key.is_some());
            if answer.is_ok() && is_better {
                self.readable = Some(query);
            }
        }
        Ok((!groups.is_empty()).then(|| readings.step(StepKind::Reports)))
    }

    /// Whether the configured windows are supported.
    pub(super) async fn windows(&mut self) -> Result<Option<Step>, Failure> {
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
                let text = format!("whole hours only ({said}), `alignment: hour`");
                let step = match polling.alignment {
                    Alignment::Minute => Step::failed(StepKind::Windows, format!("{text}: remove `alignment: minute`")),
                    Alignment::Auto | Alignment::Hour => {
                        Step::warning(StepKind::Windows, format!("{text} instead of windows of {length}"))
                    }
                };
                step.with_cell("hours")
            }
            Windows::Unclear(said) => Step::failed(StepKind::Windows, format!("unknown ({said})")),
        }))
    }

    /// Whether the hour that is not over is answered; of interest only where windows are whole hours.
    pub(super) async fn running_hour(&mut self) -> Result<Option<Step>, Failure> {
        if !self.is_hourly || !self.appliance().polling.running_hour {
            return Ok(None);
        }
        let Some(query) = self.readable.clone() else { return Ok(None) };
        let window = Grid::HOURS.containing(self.prober.client.now());
        let answer = self.prober.fetch(&Query { window, ..query }).await?;
        if answer.as_ref().is_err_and(|failure| failure.reason == Reason::Empty) {
            return Ok(Some(Step::works(StepKind::RunningHour, "the hour has just begun")));
        }
        Ok(Some(match AccessCheck::of(&answer).trouble() {
            None => Step::works(StepKind::RunningHour, "can be read"),
            Some(trouble) => Step::warning(StepKind::RunningHour, format!("{trouble}; totals change once an hour")),
        }))
    }

    /// The scopes after the first, each with one report.
    pub(super) async fn scopes(&mut self) -> Result<Option<Step>, Failure> {
        let scopes: Vec<Scope> = self.appliance().scopes.iter().skip(1).cloned().collect();
        let Some(query) = self.readable.clone().filter(|_| !scopes.is_empty()) else { return Ok(None) };
        let mut readings = Readings::default();
        for scope in &scopes {
            let answer = self.prober.fetch(&Query { scope: scope.clone(), ..query.clone() }).await?;
            readings.add(&scope.to_string(), &answer);
        }
        Ok(Some(readings.step(StepKind::Scopes)))
    }

    /// The configured searches of message tracking, over the last whole hour.
    pub(super) async fn searches(&mut self) -> Result<Option<Step>, Failure> {
        let searches = self.appliance().searches.clone();
        let window = self.prober.hours(1);
        let mut readings = Readings::default();
        for choice in &searches {
            let search = Some(TrackingQuery { search: Arc::clone(&choice.search), depth: Depth::FirstPage });
            let group = Arc::new(catalogue::search_group());
            let query = Query { scope: Scope::Appliance, group, top: None, search, window };
            let answer = self.prober.fetch(&query).await?;
            readings.add(&choice.name, &answer);
        }
        Ok((!searches.is_empty()).then(|| readings.step(StepKind::Searches)))
    }

    pub(super) async fn quarantines(&mut self) -> Result<Option<Step>, Failure> {
        let named = match self.appliance().status_options.quarantines.clone() {
            Quarantines::All => None,
            Quarantines::Named(names) if names.is_empty() => return Ok(None),
            Quarantines::Named(names) => Some(names),
        };
        let answer = self.prober.observe(&StatusKind::Quarantines(named.clone())).await?;
        let is_missing_default = is_refused(&answer) && !self.appliance().status_options.names("quarantines");
        let observation = match answer {
            Ok(observation) => observation,
            Err(failure) if is_missing_default => {
                return Ok(Some(Step::warning(StepKind::Quarantines, failure.in_full())));
            }
            Err(failure) => return Ok(Some(Step::failed(StepKind::Quarantines, failure.in_full()))),
        };
        let items = quarantine_items(&observation, named.as_deref().unwrap_or_default());
        let missing: Vec<&str> =
            items.iter().filter(|item| item.trouble.is_some()).map(|item| item.name.as_str()).collect();
        let text = described(&observation);
        let step = match missing.is_empty() {
            true => Step::works(StepKind::Quarantines, text),
            false => Step::failed(StepKind::Quarantines, format!("{text}; not found: {}", missing.join(", "))),
        };
        let cell = format!("{}/{}", items.len() - missing.len(), items.len());
        Ok(Some(step.with_cell(cell).with_items(items)))
    }

    /// The status page, which may be that of another server: its failure says nothing about the API.
    pub(super) async fn status_page(&mut self) -> Option<Step> {
        let url = self.appliance().status_options.xml_status.clone()?;
        let place = url.origin().ascii_serialization();
        Some(match self.prober.client.observe(&StatusKind::XmlStatus(url)).await {
            Ok(_) => Step::works(StepKind::StatusPage, format!("can be read at {place}")),
            Err(failure) => Step::failed(StepKind::StatusPage, format!("{place}: {}", failure.in_full())),
        })
    }
}

/// Whether the appliance does not give it to this account. A 401 is no proof of that before anything was accepted.
fn is_refused<T>(answer: &Result<T, Failure>) -> bool {
    answer.as_ref().is_err_and(|failure| failure.reason.is_refusal() || failure.reason == Reason::Unauthorized)
}

/// The quarantines that were counted, and the `named` ones that were not.
fn quarantine_items(observation: &Observation, named: &[String]) -> Vec<Item> {
    let found = match observation {
        Observation::Quarantines(found) => found.as_slice(),
        Observation::Health(_)
        | Observation::SystemStatus { .. }
        | Observation::DeliveryStatus(_)
        | Observation::XmlStatus { .. }
        | Observation::Managed(_)
        | Observation::Privileges(_)
        | Observation::Reporting(_)
        | Observation::TimeZone(_) => &[],
    };
    let missing = named.iter().filter(|name| !found.iter().any(|one| one.name == **name));
    let counted = found.iter().map(|one| Item { name: one.name.clone(), trouble: None });
    counted.chain(missing.map(|name| Item { name: name.clone(), trouble: Some("not found".to_owned()) })).collect()
}

/// The requests of a step and what came of them.
#[derive(Debug, Default)]
struct Readings {
    items: Vec<Item>,
    /// Of the first failure, since the others mostly have the same cause.
    advice: Option<String>,
}

impl Readings {
    fn add<T>(&mut self, name: &str, answer: &Result<T, Failure>) {
        let trouble = AccessCheck::of(answer).trouble();
        if let (Some(_), None, Err(failure)) = (&trouble, &self.advice, answer) {
            self.advice = Some(failure.advice().into_owned());
        }
        self.items.push(Item { name: name.to_owned(), trouble });
    }

    /// The step in which they were made.
    fn step(self, kind: StepKind) -> Step {
        let names = |trouble: Option<&str>| -> Vec<&str> {
            self.items.iter().filter(|item| item.trouble.as_deref() == trouble).map(|item| item.name.as_str()).collect()
        };
        let (readable, all) = (names(None), self.items.len());
        let mut text = format!("{} of {all} can be read", readable.len());
        let cell = format!("{}/{all}", readable.len());
        // Reports are too many to be named where they work.
        if !readable.is_empty() && kind != StepKind::Reports {
            text += &format!(": {}", readable.join(", "));
        }
        let mut troubles: Vec<&str> = Vec::new();
        for trouble in self.items.iter().filter_map(|item| item.trouble.as_deref()) {
            if !troubles.contains(&trouble) {
                troubles.push(trouble);
            }
        }
        for trouble in &troubles {
            text += &format!("; {}: {trouble}", names(Some(trouble)).join(", "));
        }
        let step = match troubles.is_empty() {
            true => Step::works(kind, text),
            false => {
                let advice = self.advice.as_ref().map_or_else(String::new, |advice| format!("; {advice}"));
                Step::failed(kind, format!("{text}{advice}"))
            }
        };
        step.with_cell(cell).with_items(self.items)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Reason;

    #[test]
    fn everything_is_named_and_a_cause_once() {
        let refused = |text: &str| Err::<(), _>(Failure::new(Reason::NotAllowed, text));
        let mut readings = Readings::default();
        readings.add("a", &Ok(()));
        readings.add("b", &refused("status 401"));
        readings.add("c", &refused("status 403"));
        readings.add("d", &refused("status 401"));
        let step = readings.step(StepKind::Scopes);
        let expected = format!(
            "scopes: failed: 1 of 4 can be read: a; b, d: this account is not allowed to read it (status 401); c: this \
             account is not allowed to read it (status 403); {}",
            Reason::NotAllowed.advice()
        );
        assert_eq!((step.to_string(), step.shown(), step.items.len()), (expected, "1/4", 4));
        let mut readings = Readings::default();
        readings.add("a", &Ok(()));
        assert_eq!(readings.step(StepKind::Reports).to_string(), "reports: 1 of 1 can be read");
    }
}

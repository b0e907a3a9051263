//! What is found out about an appliance as a whole and outlives a restart: whether it answers for whole hours only, and
//! whether it answers for the hour that is not over.

use std::sync::Arc;

use crate::base::clock::Timestamp;
use crate::config::Alignment;
use crate::ledger::Counts;
use crate::store::Facts;

use super::job::{Done, Job, ReadReport};
use super::outcome::written;
use super::target::Target;
use super::{Poller, Source};

impl<S: Source> Poller<S> {
    /// Takes to whole hours. One refused report is enough for all of them.
    pub(super) fn take_hours(&mut self, now: Timestamp) {
        if !self.facts.hours_only {
            let message = "whole hours only: windows are hours from now on";
            tracing::info!(appliance = &*self.name, "{message}");
        }
        for target in &mut self.targets {
            target.take_hours(&self.context.ledger, now);
        }
        let release = self.source.identity().map(|identity| identity.release.to_string());
        self.remember_facts(Facts { hours_only: true, release, ..self.facts.clone() });
    }

    /// Another release may take minutes: it is asked as configured then.
    pub(super) fn compare_release(&mut self) {
        let (true, Some(identity)) = (self.facts.hours_only, self.source.identity()) else { return };
        let release = identity.release.to_string();
        match &self.facts.release {
            // No login had stated one when the hours were found. The next upgrade is noticed by it.
            None => return self.remember_facts(Facts { release: Some(release), ..self.facts.clone() }),
            Some(known) if *known == release => return,
            Some(_) => {}
        }
        if self.polling.alignment == Alignment::Auto {
            tracing::info!(appliance = &*self.name, "release has changed: windows as configured are requested again");
            self.targets.iter_mut().for_each(Target::take_minutes);
        }
        // Nor is it known whether this release answers for an hour that is not over.
        self.targets.iter_mut().for_each(|target| target.running_declined(None));
        let not_offered = self.facts.not_offered.clone();
        self.remember_facts(Facts { not_offered, ..Facts::default() });
    }

    /// The appliance declines an end in the future: hours are counted once they are closed.
    pub(super) fn running_declined(&mut self, now: Timestamp) {
        if self.facts.running_declined.is_none() {
            let message = "running hour declined: totals are counted by closed hours";
            tracing::info!(appliance = &*self.name, "{message}");
        }
        self.remember_declined(Some(now));
        let moment = self.moment(self.context.clock.tick());
        self.targets.iter_mut().for_each(|target| target.running_ended(&self.context.ledger, moment));
    }

    /// The appliance answers for an end in the future.
    pub(super) fn running_answered(&mut self) {
        if self.facts.running_declined.is_some() {
            tracing::info!(appliance = &*self.name, "running hour answered");
            self.remember_declined(None);
        }
    }

    fn remember_declined(&mut self, at: Option<Timestamp>) {
        self.targets.iter_mut().for_each(|target| target.running_declined(at));
        self.remember_facts(Facts { running_declined: at.map(Timestamp::as_secs), ..self.facts.clone() });
    }

    pub(super) fn remember_facts(&mut self, facts: Facts) {
        if self.facts == facts {
            return;
        }
        self.facts = facts.clone();
        self.context.ledger.remember(&self.name, facts);
        let (ledger, name) = (Arc::clone(&self.context.ledger), Arc::clone(&self.name));
        self.jobs.spawn(async move {
            // Said by the store; a restart finds it out again.
            let _ = ledger.persist_facts(&name).await;
            Done::Remembered
        });
    }

    /// Writes down what was counted of an hour that is not over.
    pub(super) fn run_hour(&mut self, job: Job, report: ReadReport) {
        let (ledger, key) = self.busy(job.target);
        let (target, moment) = (&self.targets[job.target], self.moment(self.context.clock.tick()));
        let begun = target.begun(job.query.window, &report.samples.increments, moment);
        let summed = target.summed();
        self.jobs.spawn(async move {
            let (hour, read) = (job.query.window, &report.samples);
            let counts =
                Counts { increments: &read.increments, retired: &read.retired, summed: &summed, begun: &begun };
            let outcome = written(ledger.count_running(&key, hour, report.at, &counts)).await;
            Done::RunningHourCounted { job, report: Box::new(report), outcome }
        });
    }
}

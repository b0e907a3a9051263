//! What the exporter is held to: which minutes are counted with how much, and what a Prometheus makes of the pages.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::appliance::{Appliance, happened, minutes};
use super::world::{Answer, Outcome, Use, World};
use super::*;
use crate::store::SumKey;

#[derive(Debug, Default)]
pub(super) struct Book {
    /// When the totals began at zero.
    epoch: Option<Timestamp>,
    /// The minutes counted since then, each with what was said of it; what was late is with the first of the minutes that
    /// were compared.
    counted: BTreeMap<u64, u64>,
    /// The sum of `counted`.
    total: u64,
    /// What happened in the minutes of `counted`.
    happened: u64,
    /// The totals of earlier epochs.
    past: u64,
    /// Written for a poller that was replaced before it heard of that: the next start finds it, unless something else was
    /// written after it.
    limbo: Option<Limbo>,
    /// What a Prometheus has seen last, and the increases it has seen.
    seen: u64,
    increases: u64,
    /// What the target should have told of late events, and, where they stay late, how many for which hours.
    late: u64,
    not_added: u64,
    ignored: BTreeMap<Timestamp, u64>,
}

#[derive(Debug)]
enum Limbo {
    /// So much more of these minutes, in totals that began at this time.
    Counted(BTreeMap<u64, u64>, Option<Timestamp>),
    /// Totals at zero, from this time on.
    Begun(Timestamp),
}

impl Book {
    /// Takes in that `answer` was written down, or was not.
    pub(super) fn written(
        &mut self,
        answer: &Answer,
        outcome: &Outcome,
        late: Late,
        appliance: &Appliance,
    ) -> Result<(), TestCaseError> {
        match outcome {
            Outcome::Counted(Ok(found)) | Outcome::Ran(Ok(found)) => {
                let known = minutes(answer.window).find(|minute| self.counted.contains_key(minute));
                prop_assert!(known.is_none() || whole_hours(answer.window), "a minute is counted twice");
                let had = self.sum(answer.window);
                prop_assert_eq!(found.surplus, had.saturating_sub(answer.said), "surplus of {}", answer.window);
                let entry = self.entry(answer, appliance);
                self.add(entry);
            }
            Outcome::Reconciled(Ok(found)) => {
                let gap = minutes(answer.window).find(|minute| !self.counted.contains_key(minute));
                prop_assert_eq!(gap, None, "a minute is compared and was not counted");
                let had = self.sum(answer.window);
                prop_assert_eq!(found.late, answer.said.saturating_sub(had), "late of {}", answer.window);
                prop_assert_eq!(found.surplus, had.saturating_sub(answer.said), "surplus of {}", answer.window);
                let adds = adds(answer, late, appliance);
                prop_assert_eq!(found.is_added, adds, "late data of {} at {}", answer.window, appliance.now);
                if adds && found.late > 0 {
                    self.add(BTreeMap::from([(minutes(answer.window).start, found.late)]));
                }
                if adds && appliance.is_whole(answer.window) {
                    prop_assert_eq!(self.sum(answer.window), truth(answer.window), "all is there and was compared");
                }
            }
            Outcome::Begun(outcome) => {
                if let (Use::Begin(begins), Ok(())) = (answer.used, outcome) {
                    self.begun(begins.at);
                }
            }
            Outcome::Counted(Err(_)) | Outcome::Ran(Err(_)) => {
                let known = minutes(answer.window).all(|minute| self.counted.contains_key(&minute));
                prop_assert!(known, "an answer is refused that was not counted");
            }
            Outcome::Reconciled(Err(error)) => prop_assert!(false, "not compared: {error}"),
        }
        Ok(())
    }

    /// Takes in that the poller was replaced while `answer` was being written.
    pub(super) fn cancelled(&mut self, answer: &Answer, late: Late, appliance: &Appliance) {
        let lacked = answer.said.saturating_sub(self.sum(answer.window));
        match answer.used {
            Use::Count(_) | Use::Run => self.limbo = Some(Limbo::Counted(self.entry(answer, appliance), self.epoch)),
            Use::Begin(begins) => self.limbo = Some(Limbo::Begun(begins.at)),
            Use::Compare if adds(answer, late, appliance) && lacked > 0 => {
                let late = BTreeMap::from([(minutes(answer.window).start, lacked)]);
                self.limbo = Some(Limbo::Counted(late, self.epoch));
            }
            Use::Compare => {}
        }
    }

    /// Takes in what the target was told.
    pub(super) fn told(&mut self, answer: &Answer, outcome: &Outcome, late: Late, appliance: &Appliance) {
        let Outcome::Reconciled(Ok(found)) = outcome else { return };
        let known = self.ignored.entry(answer.window.start()).or_default();
        let news = found.late.saturating_sub(*known);
        self.late += news;
        if adds(answer, late, appliance) {
            *known = 0;
        } else {
            *known = found.late.max(*known);
            self.not_added += news;
        }
    }

    /// The poller is another one: what it tells about itself begins at zero.
    pub(super) fn reloaded(&mut self) {
        (self.late, self.not_added) = (0, 0);
        self.ignored.clear();
    }

    /// The process is another one: it knows what was written.
    pub(super) fn restarted(&mut self, epoch: Option<Timestamp>) {
        self.reloaded();
        match self.limbo.take() {
            Some(Limbo::Counted(entry, epoch)) => {
                self.epoch = epoch;
                self.add(entry);
            }
            Some(Limbo::Begun(epoch)) => self.begun(epoch),
            // A beginning that was shifted is written with the first window only.
            None if self.counted.is_empty() => self.epoch = epoch,
            None => {}
        }
    }

    /// The totals have begun at zero again, and that is written down.
    pub(super) fn begun(&mut self, epoch: Timestamp) {
        if self.epoch.replace(epoch) != Some(epoch) {
            self.limbo = None;
            self.past += std::mem::take(&mut self.total);
            self.happened = 0;
            self.counted.clear();
        }
    }

    /// Totals of which nothing is counted begin at another time, which is not written down.
    pub(super) fn shifted(&mut self, epoch: Timestamp) {
        if self.total == 0 && self.counted.is_empty() {
            self.epoch = Some(epoch);
        } else {
            self.begun(epoch);
        }
    }

    /// Looks at the page that the exporter shows.
    pub(super) fn scrape(&mut self, world: &World<'_>) -> Result<(), TestCaseError> {
        let view = world.view();
        let name = "asyncos_mail_system_capacity_bytes_in_bytes_total";
        let total = view.totals.iter().find(|total| total.family.name == name).expect("published from the start");
        let shown = total.value as u64;
        self.increases += if shown < self.seen { shown } else { shown - self.seen };
        self.seen = shown;
        prop_assert_eq!(self.increases, self.past + self.total, "what was published is what was counted");
        prop_assert!(self.total <= self.happened, "more was counted than happened");
        if let Some(account) = world.account() {
            let total = account.totals.get(&SumKey::whole("bytes_in")).copied().unwrap_or(0);
            prop_assert_eq!((Some(account.epoch), total), (self.epoch.or(Some(account.epoch)), self.total));
        }
        prop_assert_eq!(view.tally.late, self.late, "late events");
        prop_assert_eq!(view.tally.not_added, self.not_added, "late events that were not added");
        Ok(())
    }

    /// How many minutes are counted between two times.
    pub(super) fn minutes(&self, from: Timestamp, to: Timestamp) -> u64 {
        let (from, to) = (from.as_secs() / 60, to.as_secs() / 60);
        if from < to { self.counted.range(from..to).count() as u64 } else { 0 }
    }

    /// What was counted of `window`.
    pub(super) fn sum(&self, window: Window) -> u64 {
        self.counted.range(minutes(window)).map(|(_, count)| count).sum()
    }

    /// What `answer` adds. Where a part of its time was counted before, what it has beyond that is with the first minute.
    fn entry(&self, answer: &Answer, appliance: &Appliance) -> BTreeMap<u64, u64> {
        let minutes = appliance.minutes_of(answer.window);
        if minutes.clone().all(|minute| !self.counted.contains_key(&minute)) {
            return minutes.map(|minute| (minute, appliance.said(minute))).collect();
        }
        let lacked = answer.said.saturating_sub(self.sum(answer.window));
        let first = minutes.start;
        minutes.map(|minute| (minute, if minute == first { lacked } else { 0 })).collect()
    }

    /// Takes in that `entry` was written and can be seen.
    fn add(&mut self, entry: BTreeMap<u64, u64>) {
        self.limbo = None;
        for (minute, count) in entry {
            self.total += count;
            if self.counted.insert(minute, count + self.counted.get(&minute).copied().unwrap_or(0)).is_none() {
                self.happened += happened(minute);
            }
        }
    }
}

/// Everything that happened in `window`.
pub(super) fn truth(window: Window) -> u64 {
    minutes(window).map(happened).sum()
}

/// Whether a part of `window` may have been counted before.
fn whole_hours(window: Window) -> bool {
    Grid::HOURS.floor(window.start()) == window.start() && Grid::HOURS.floor(window.end()) == window.end()
}

/// Whether what a comparison finds late is added: until 26 hours after the day.
fn adds(answer: &Answer, late: Late, appliance: &Appliance) -> bool {
    const DAY: u64 = 24 * 3600;
    let day_end = (answer.window.start().as_secs() / DAY + 1) * DAY;
    late == Late::Add && appliance.now.as_secs() < day_end + 26 * 3600
}

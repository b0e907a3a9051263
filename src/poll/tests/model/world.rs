//! The exporter's side of the model: one target on a ledger in a folder, polled by hand.

use std::path::Path;

use super::appliance::Appliance;
use super::*;
use crate::catalogue;
use crate::config::{GroupChoice, Scope};
use crate::ledger::{Begun, Counts};
use crate::poll::job::{Begins, Count, ReadReport};
use crate::poll::plan::{Gap, Step, Stride};
use crate::sample::Families;
use crate::snapshot::Trouble;
use crate::store::Store;

/// What the configuration says.
#[derive(Clone, Copy, Debug)]
pub(super) struct Choice {
    pub(super) window: u64,
    pub(super) late: Late,
    pub(super) running_hour: bool,
}

pub(super) struct World<'a> {
    folder: &'a Path,
    pub(super) choice: Choice,
    pub(super) appliance: Appliance,
    pub(super) ledger: Ledger,
    pub(super) target: Target,
}

/// What a report is for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Use {
    /// To count windows.
    Count(Count),
    /// To restart at zero.
    Begin(Begins),
    /// To add to the hour that is not over.
    Run,
    /// To compare it with what was counted.
    Compare,
}

/// A report that was asked for and came.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) window: Window,
    pub(super) used: Use,
    /// What the report says.
    pub(super) said: u64,
    read: Samples,
}

/// What became of it.
#[derive(Clone, Debug)]
pub(super) enum Outcome {
    Counted(Result<Counted, CommitError>),
    Ran(Result<Counted, CommitError>),
    Begun(Result<(), CommitError>),
    Reconciled(Result<Reconciled, CommitError>),
}

impl<'a> World<'a> {
    pub(super) fn start(folder: &'a Path, choice: Choice, appliance: Appliance) -> Self {
        let ledger = open(folder);
        let target = target(choice, &ledger);
        Self { folder, choice, appliance, ledger, target }
    }

    /// The process ends and another begins.
    pub(super) fn restart(&mut self) {
        // The file is locked as long as it is open.
        self.ledger = Ledger::in_memory();
        self.ledger = open(self.folder);
        self.reload();
    }

    /// The poller is replaced, with what is configured by now; the ledger stays.
    pub(super) fn reload(&mut self) {
        self.target = target(self.choice, &self.ledger);
    }

    fn moment(&self) -> Moment {
        let now = self.appliance.now;
        Moment { tick: self.appliance.tick, appliance: now, wall: now, doubt: None }
    }

    /// What a poller does that was told that there are whole hours only.
    pub(super) fn take_hours(&mut self) {
        self.target.take_hours(&self.ledger, self.appliance.now);
    }

    /// What a poller does that has learned how late data come.
    pub(super) fn wait_for(&mut self, settle: u64) {
        self.target.wait_for(Duration::from_secs(settle), Tick::default());
    }

    /// What one poll would bring: a window, or else a comparison; none when nothing is due.
    pub(super) fn ask(&mut self) -> Option<Answer> {
        let (window, used) = match self.target.plan(&self.ledger, self.moment(), Stride::Usual) {
            Step::Fetch { window, gap: Gap::Restart { from, windows }, .. } => {
                (window, Use::Begin(Begins { from, at: window.start(), lost: windows }))
            }
            Step::Fetch { window, count: windows, gap, .. } => (window, Use::Count(Count { windows, gap })),
            Step::Audit(hours) => (hours, Use::Compare),
            Step::RunningHour(hour) => (hour, Use::Run),
            Step::Wait(_) | Step::SyncClock(_) => return None,
        };
        if let Use::Run | Use::Count(_) = used {
            self.target.asked(self.appliance.now);
        }
        let reply = self.appliance.reply(window);
        let read = match used {
            Use::Run => self.target.read_running(window, &reply),
            Use::Count(_) | Use::Begin(_) | Use::Compare => self.target.read(window, &reply, self.appliance.tick),
        };
        let read = read.expect("nothing is asked for before it is complete");
        let [(_, said)] = read.increments[..] else { panic!("the report has one counter: {read:?}") };
        Some(Answer { window, used, said, read })
    }

    /// Writes down what `answer` says.
    pub(super) async fn write(&self, answer: &Answer) -> Outcome {
        let Answer { window, used, read, .. } = answer;
        let (key, increments) = (self.target.key(), &read.increments);
        match used {
            Use::Count(count) => {
                let from = count.gap.watermark(*window);
                let counts =
                    Counts { increments, retired: &[], summed: &self.target.summed(), begun: &Begun::default() };
                Outcome::Counted(self.ledger.commit(key, from, *window, &counts).await)
            }
            Use::Run => {
                let counts =
                    Counts { increments, retired: &[], summed: &self.target.summed(), begun: &Begun::default() };
                Outcome::Ran(self.ledger.count_running(key, *window, self.appliance.now, &counts).await)
            }
            Use::Begin(begins) => Outcome::Begun(self.ledger.begin_anew(key, begins.from, begins.at).await),
            Use::Compare => Outcome::Reconciled(
                self.ledger.reconcile(key, *window, increments, self.appliance.now, self.choice.late).await,
            ),
        }
    }

    /// Tells the target what became of `answer`.
    pub(super) fn tell(&mut self, answer: &Answer, outcome: Outcome) {
        let now = self.appliance.now;
        match (answer.used, outcome) {
            (Use::Count(count), Outcome::Counted(outcome)) => {
                let read = Samples { increments: answer.read.increments.clone(), ..Samples::default() };
                let moment = self.moment();
                let report = ReadReport { samples: read, request: "/asked".into(), at: now };
                self.target.counted(answer.window, count, report, outcome, moment);
            }
            (Use::Run, Outcome::Ran(outcome)) => {
                let read = Samples { increments: answer.read.increments.clone(), ..Samples::default() };
                let moment = self.moment();
                self.target.ran(
                    answer.window,
                    ReadReport { samples: read, request: "/asked".into(), at: now },
                    outcome,
                    moment,
                );
            }
            (Use::Begin(begins), Outcome::Begun(outcome)) => {
                self.target.reset_persisted(begins, &outcome, self.appliance.tick);
            }
            (Use::Compare, Outcome::Reconciled(outcome)) => {
                let moment = self.moment();
                self.target.reconciled(answer.window, outcome, moment);
            }
            (used, outcome) => panic!("{outcome:?} is no answer to {used:?}"),
        }
    }

    /// Tells the target that there was no answer.
    pub(super) fn fail(&mut self, answer: &Answer) {
        match answer.used {
            Use::Count(_) | Use::Begin(_) | Use::Run => {
                let failure = fails(Reason::Timeout);
                let trouble = Trouble { failure: failure.clone(), at: self.appliance.now };
                let windows = match answer.used {
                    Use::Count(count) => count.windows,
                    Use::Begin(_) | Use::Run | Use::Compare => 1,
                };
                self.target.failed(&failure, trouble.into(), windows, None, Tick::default());
            }
            Use::Compare => self.target.audit_failed(&fails(Reason::Timeout), self.appliance.now),
        }
    }

    pub(super) fn view(&self) -> GroupView {
        self.target.view(&self.ledger, self.moment(), Duration::ZERO)
    }

    pub(super) fn account(&self) -> Option<CounterState> {
        self.ledger.account(self.target.key())
    }
}

fn open(folder: &Path) -> Ledger {
    let (store, found) = Store::open(folder, Box::new(|_| {})).expect("a directory");
    Ledger::new(Arc::new(store), found.records)
}

fn target(choice: Choice, ledger: &Ledger) -> Target {
    let window = MINUTE * u32::try_from(choice.window).expect("small");
    let polling =
        Polling { catch_up: 6 * 60 * MINUTE, late: choice.late, running_hour: choice.running_hour, ..polling(window) };
    let group = Arc::new(catalogue::group(CAPACITY).expect("in the catalogue").clone());
    let key = TotalsKey { appliance: "a".into(), scope: Scope::Appliance, group: (*group.name).into() };
    let report_source =
        ReportSource::of_group(&GroupChoice { group, top: None, grid: polling.grid, series_limit: 1000 });
    Target::new(key, report_source, &Families::default(), polling, Duration::ZERO, ledger, Tick::default()).holding(
        Hold::AWindow,
        ledger,
        Tick::default(),
    )
}

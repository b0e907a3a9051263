//! A target and its durable ledger under any sequence of polls, failures, repeated answers, restarts at any point of a
//! commit, clock steps and changes of the configuration, against a model that only adds minutes.

use std::path::Path;

use proptest::prelude::*;

use super::*;
use crate::catalogue;
use crate::config::{GroupChoice, Scope};
use crate::poll::plan::Step;
use crate::store::Store;

#[derive(Clone, Copy, Debug)]
enum Act {
    /// Time passes, in seconds.
    Wait(u64),
    /// The appliance's clock is set, by so many seconds.
    Set(i64),
    /// A poll that brings its report.
    Poll,
    /// A poll whose answer arrives twice.
    PollTwice,
    /// A poll that fails.
    Fail,
    /// The exporter dies after an answer came and before it is written down.
    DieBefore,
    /// The exporter dies after it was written down and before anybody sees it.
    DieAfter,
    /// The exporter is restarted.
    Restart,
    /// The windows have another length from the next start on, in minutes.
    Window(u64),
    /// The appliance takes whole hours only from now on.
    Hours,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => (1u64..1200).prop_map(Act::Wait),
        1 => (3600u64..40_000).prop_map(Act::Wait),
        1 => prop_oneof![Just(-3600), Just(-90), Just(90), Just(3600)].prop_map(Act::Set),
        8 => Just(Act::Poll),
        2 => Just(Act::PollTwice),
        2 => Just(Act::Fail),
        1 => Just(Act::DieBefore),
        1 => Just(Act::DieAfter),
        1 => Just(Act::Restart),
        1 => prop_oneof![Just(1), Just(5), Just(60)].prop_map(Act::Window),
        1 => Just(Act::Hours),
    ]
}

/// The exporter's side: one target on a ledger in a folder.
struct World<'a> {
    folder: &'a Path,
    window: u64,
    now: Timestamp,
    ledger: Ledger,
    target: Target,
}

impl<'a> World<'a> {
    fn start(folder: &'a Path, window: u64, now: Timestamp) -> Self {
        let (store, found) = Store::open(folder, Box::new(|_| {})).expect("a directory");
        let ledger = Ledger::new(store, found.records);
        let polling = Polling { catch_up: 6 * 60 * MINUTE, ..polling(MINUTE * u32::try_from(window).expect("small")) };
        let group = catalogue::group(CAPACITY).expect("in the catalogue");
        let key = Key { appliance: "a".into(), scope: Scope::Appliance, group: group.name };
        let target = Target::new(key, GroupChoice { group, grid: polling.grid }, polling, Duration::ZERO, &ledger);
        Self { folder, window, now, ledger, target }
    }

    fn restart(self) -> Self {
        let Self { folder, window, now, ledger, target } = self;
        drop((ledger, target));
        Self::start(folder, window, now)
    }

    /// What one poll would count: the window, how many of them, and what was read.
    fn answer(&mut self) -> Option<(Window, u32, Samples)> {
        if let Begun::Reset { .. } = self.target.begin(&self.ledger, self.now) {
            self.target.begun_anew(&Ok(()));
        }
        let Step::Fetch { window, count, .. } = self.target.plan(&self.ledger, self.now) else { return None };
        let minutes = window.length().as_secs() / 60;
        let body = serde_json::json!({"data": {"resultSet": {"bytes_in": minutes}}}).to_string();
        let reply = Reply { report: Report::parse(&body).expect("a report"), at: self.now };
        let read = self.target.read(window, &reply).expect("a window is asked for once it is complete");
        Some((window, count, read))
    }

    async fn commit(&self, window: Window, read: &Samples) -> Result<Account, CommitError> {
        self.ledger.commit(self.target.key(), window.start(), window.end(), &read.increments).await
    }

    async fn poll(&mut self, times: usize) {
        let Some((window, count, read)) = self.answer() else { return };
        for _ in 0..times {
            let outcome = self.commit(window, &read).await;
            let read = Samples { increments: read.increments.clone(), ..Samples::default() };
            let moment = target::Moment { tick: Tick::default(), appliance: self.now, wall: self.now };
            self.target.counted(window, count, read, outcome, moment);
        }
    }

    fn shown(&self) -> f64 {
        let view = self.target.view(&self.ledger, self.now);
        let name = "asyncos_mail_system_capacity_bytes_in_bytes_total";
        view.totals.iter().find(|total| total.family.name == name).expect("published from the start").value
    }

    fn lost(&self) -> u64 {
        self.target.view(&self.ledger, self.now).tally.lost.iter().sum()
    }

    fn account(&self) -> Option<Account> {
        self.ledger.account(self.target.key())
    }
}

async fn live(acts: &[Act]) -> Result<(), TestCaseError> {
    let folder = tempfile::tempdir().expect("a folder");
    let mut world = World::start(folder.path(), 5, Timestamp::from_secs(NOON));
    // Minutes that are in no total of the present epoch, though they lie between its beginning and the watermark.
    let (mut skipped, mut highest) = (0_i64, (0, 0.0));
    for act in acts {
        let (before, lost_before) = (world.account(), world.lost());
        let restarts = matches!(act, Act::DieBefore | Act::DieAfter | Act::Restart | Act::Window(_));
        match *act {
            Act::Wait(seconds) => world.now = world.now + Duration::from_secs(seconds),
            Act::Set(seconds) => {
                world.now = Timestamp::from_secs(world.now.as_secs().saturating_add_signed(seconds));
            }
            Act::Poll => world.poll(1).await,
            Act::PollTwice => world.poll(2).await,
            Act::Fail => {
                world.answer();
                world.target.failed(&fails(Reason::Timeout), Tick::default());
            }
            Act::DieBefore => {
                world.answer();
                world = world.restart();
            }
            Act::DieAfter => {
                if let Some((window, _, read)) = world.answer() {
                    let _ = world.commit(window, &read).await;
                }
                world = world.restart();
            }
            Act::Restart => world = world.restart(),
            Act::Window(minutes) => {
                world.window = minutes;
                world = world.restart();
            }
            Act::Hours => {
                world.answer();
                world.target.take_hours(&world.ledger, world.now);
            }
        }
        let Some(account) = world.account() else { continue };
        let total = account.totals.get("bytes_in").copied().unwrap_or(0);
        let minutes = |later: Timestamp, earlier: Timestamp| {
            i64::try_from(later.as_secs() / 60).expect("small") - i64::try_from(earlier.as_secs() / 60).expect("small")
        };
        let total = i64::try_from(total).expect("small");
        // From outside: how far the watermark went against how much was added. It goes back only where nothing was
        // counted: a step over windows that a crash forgot, or one to the beginning of an hour.
        match before {
            Some(before) if before.epoch == account.epoch => {
                let had = before.totals.get("bytes_in").copied().unwrap_or(0);
                let (moved, added) = (minutes(account.watermark, before.watermark), total - had as i64);
                prop_assert!(added >= 0, "a total steps back within its epoch");
                prop_assert!(added <= moved.max(0), "more was added than time went by");
                skipped += moved - added;
                let told = world.lost() > lost_before;
                prop_assert!(restarts || told == (moved > added), "windows are given up and not counted as lost");
            }
            Some(_) | None => skipped = minutes(account.watermark, account.epoch) - total,
        }
        let span = minutes(account.watermark, account.epoch);
        prop_assert_eq!(total + skipped, span, "every minute is in the total or given up");
        let total = total as f64;
        if !matches!(act, Act::DieAfter) {
            prop_assert!(world.shown() <= total, "nothing is shown that is not written down");
        }
        let (epoch, shown) = (account.epoch.as_secs(), world.shown());
        prop_assert!(epoch != highest.0 || shown >= highest.1, "what is shown steps back within its epoch");
        highest = (epoch, shown);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_life_counts_every_minute_once_or_gives_it_up(acts in prop::collection::vec(act(), 1..80)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(live(&acts))?;
    }
}

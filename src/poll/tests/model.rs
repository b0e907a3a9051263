//! A target and its durable ledger under any sequence of polls, comparisons, failures, repeated answers, late and lost
//! events, restarts at any point of a write, clock steps and changes of the configuration, against a book of minutes.

mod appliance;
mod book;
mod world;

use std::path::Path;

use proptest::prelude::*;

use self::appliance::Appliance;
use self::book::Book;
use self::world::{Answer, Choice, Use, World};
use super::*;

#[derive(Clone, Copy, Debug)]
enum Act {
    /// Time passes, in seconds.
    Wait(u64),
    /// The appliance's clock is set, by so many seconds.
    Set(i64),
    /// From now on, for so many minutes, a part of the events is under way.
    Hold(u64),
    /// What was under way arrives.
    Arrive,
    /// The hour that ended so many minutes ago loses events from the report.
    Lose(u64),
    /// What is due is asked for.
    Poll(Fate),
    /// Every window that is due is asked for, then the comparison if it is due.
    Audit(Fate),
    /// The exporter is restarted.
    Restart,
    /// The windows have another length, in minutes.
    Window(u64),
    /// Late events are added, or not.
    Policy(Late),
    /// The hour that is not over is requested, or not.
    Running(bool),
    /// The appliance takes whole hours only from now on.
    Hours,
    /// Another settle delay is learned, in seconds.
    Settle(u64),
}

/// What becomes of a poll.
#[derive(Clone, Copy, Debug)]
enum Fate {
    /// It brings its report.
    Brings,
    /// The answer arrives twice.
    BringsTwice,
    /// It fails.
    Fails,
    /// The exporter dies after an answer came and before it is written down.
    DiesBefore,
    /// The exporter dies after it was written down and before anybody sees it.
    DiesAfter,
    /// The configuration is loaded again while it is written down.
    IsCancelled,
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        6 => Just(Fate::Brings),
        1 => Just(Fate::BringsTwice),
        1 => Just(Fate::Fails),
        1 => Just(Fate::DiesBefore),
        1 => Just(Fate::DiesAfter),
        1 => Just(Fate::IsCancelled),
    ]
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => (1u64..1200).prop_map(Act::Wait),
        6 => (3600u64..15_000).prop_map(Act::Wait),
        1 => (20_000u64..100_000).prop_map(Act::Wait),
        1 => prop_oneof![
            3 => prop_oneof![Just(-3600), Just(-90), Just(90), Just(3600)],
            1 => prop_oneof![Just(-200_000), Just(200_000)],
        ]
        .prop_map(Act::Set),
        2 => (1u64..2000).prop_map(Act::Hold),
        2 => Just(Act::Arrive),
        1 => (0u64..1500).prop_map(Act::Lose),
        6 => fate().prop_map(Act::Poll),
        8 => fate().prop_map(Act::Audit),
        1 => Just(Act::Restart),
        1 => prop_oneof![Just(1), Just(5), Just(15), Just(60), Just(120)].prop_map(Act::Window),
        1 => prop_oneof![Just(Late::Add), Just(Late::Ignore)].prop_map(Act::Policy),
        1 => any::<bool>().prop_map(Act::Running),
        1 => Just(Act::Hours),
        1 => prop_oneof![Just(30), Just(120), Just(1200)].prop_map(Act::Settle),
    ]
}

/// The exporter and the book that is kept of it.
struct Life<'a> {
    world: World<'a>,
    book: Book,
    /// Whether the target is another one than before the act.
    renewed: bool,
}

impl Life<'_> {
    async fn act(&mut self, act: Act) -> Result<(), TestCaseError> {
        self.carry_out(act).await?;
        self.book.scrape(&self.world)
    }

    async fn carry_out(&mut self, act: Act) -> Result<(), TestCaseError> {
        match act {
            Act::Wait(seconds) => self.world.appliance.wait(seconds),
            Act::Set(seconds) => self.world.appliance.set(seconds),
            Act::Hold(minutes) => self.world.appliance.hold(minutes),
            Act::Arrive => self.world.appliance.arrive(),
            Act::Lose(minutes) => self.world.appliance.lose(minutes),
            Act::Poll(fate) => {
                while let Some(answer) = self.ask() {
                    self.meet(&answer, fate).await?;
                    if !self.has_begun_anew(&answer).await? {
                        break;
                    }
                }
            }
            Act::Audit(fate) => {
                while let Some(answer) = self.ask() {
                    match answer.used {
                        Use::Count(_) => self.meet(&answer, Fate::Brings).await?,
                        Use::Run | Use::Compare => return self.meet(&answer, fate).await,
                        Use::Begin(_) => {
                            self.meet(&answer, fate).await?;
                            if !self.has_begun_anew(&answer).await? {
                                break;
                            }
                        }
                    }
                }
            }
            Act::Restart => self.restart(),
            Act::Window(minutes) => {
                self.world.choice.window = minutes;
                self.reload();
            }
            Act::Policy(late) => {
                self.world.choice.late = late;
                self.reload();
            }
            Act::Running(is_requested) => {
                self.world.choice.running_hour = is_requested;
                self.reload();
            }
            Act::Hours => {
                self.world.take_hours();
                // Where nothing is counted yet, it begins with a whole hour.
                if let Some(account) = self.world.account() {
                    self.book.shifted(account.epoch);
                }
            }
            Act::Settle(seconds) => self.world.wait_for(seconds),
        }
        Ok(())
    }

    async fn meet(&mut self, answer: &Answer, fate: Fate) -> Result<(), TestCaseError> {
        let late = self.world.choice.late;
        let times = match fate {
            Fate::Brings | Fate::DiesAfter => 1,
            Fate::BringsTwice => 2,
            Fate::Fails | Fate::DiesBefore | Fate::IsCancelled => 0,
        };
        for _ in 0..times {
            let outcome = self.world.write(answer).await;
            self.book.written(answer, &outcome, late, &self.world.appliance)?;
            if !matches!(fate, Fate::DiesAfter) {
                self.book.told(answer, &outcome, late, &self.world.appliance);
                self.world.tell(answer, outcome);
            }
        }
        match fate {
            Fate::Brings | Fate::BringsTwice => {}
            Fate::Fails => self.world.fail(answer),
            Fate::DiesBefore | Fate::DiesAfter => self.restart(),
            Fate::IsCancelled => {
                tokio::select! {
                    biased;
                    outcome = self.world.write(answer) => {
                        self.book.written(answer, &outcome, late, &self.world.appliance)?;
                    }
                    () = std::future::ready(()) => self.book.cancelled(answer, late, &self.world.appliance),
                }
                self.reload();
            }
        }
        Ok(())
    }

    fn ask(&mut self) -> Option<Answer> {
        let answer = self.world.ask();
        if let Some(account) = self.world.account() {
            self.book.begun(account.epoch);
        }
        answer
    }

    /// Whether the totals begin at zero since `answer` came, so that its window is asked for again.
    async fn has_begun_anew(&mut self, answer: &Answer) -> Result<bool, TestCaseError> {
        let Use::Begin(begins) = answer.used else { return Ok(false) };
        let account = self.world.account();
        if account.is_none_or(|account| account.epoch != begins.at || account.watermark != begins.at) {
            return Ok(false);
        }
        // A Prometheus must see the zero: totals that are beyond the old ones by then look as if they had gone on.
        self.book.scrape(&self.world)?;
        Ok(true)
    }

    fn reload(&mut self) {
        self.world.reload();
        self.book.reloaded();
        self.renewed = true;
    }

    fn restart(&mut self) {
        self.world.restart();
        self.book.restarted(self.world.account().map(|account| account.epoch));
        self.renewed = true;
    }

    /// Since when totals are counted, and until when they are shown to be.
    fn shown(&self) -> (Option<Timestamp>, Option<Timestamp>) {
        (self.world.account().map(|account| account.epoch), self.world.view().window_end)
    }

    /// The watermark, and how many windows were given up.
    fn health(&self) -> (Option<Timestamp>, u64) {
        let lost = self.world.view().tally.lost.iter().sum();
        (self.world.account().map(|account| account.watermark), lost)
    }

    /// Everything arrives and is compared.
    async fn come_to_rest(&mut self) -> Result<(), TestCaseError> {
        self.act(Act::Arrive).await?;
        self.act(Act::Restart).await?;
        let watermark = self.world.account().map_or(self.world.appliance.now, |account| account.watermark);
        let ahead = watermark.since(self.world.appliance.now);
        self.act(Act::Wait(ahead.as_secs())).await?;
        // Each day, and each part of one between gaps, has its turn.
        for _ in 0..16 {
            self.act(Act::Wait(4000)).await?;
            self.act(Act::Audit(Fate::Brings)).await?;
        }
        prop_assert_eq!(self.world.view().pending.windows, 0);
        for Stretch { hours, adds_until } in self.world.ledger.stretches(self.world.target.key()) {
            // Whether there was a comparison in time depends on the acts.
            let is_old = adds_until <= self.world.appliance.now;
            let whole = self.world.choice.late == Late::Add && !is_old && self.world.appliance.is_whole(hours);
            prop_assert!(!whole || self.book.sum(hours) == book::truth(hours), "{hours} is not all that happened");
        }
        Ok(())
    }
}

async fn live(folder: &Path, acts: &[Act]) -> Result<(), TestCaseError> {
    let appliance = Appliance::new(Timestamp::from_secs(NOON));
    let world = World::start(folder, Choice { window: 5, late: Late::Add, running_hour: true }, appliance);
    let mut life = Life { world, book: Book::default(), renewed: false };
    for act in acts {
        let (from, lost) = life.health();
        let ran = life.world.ledger.has_run(life.world.target.key())
            || from.is_some_and(|from| life.book.minutes(from, from + Duration::from_secs(3600)) > 0);
        let (epoch, end) = life.shown();
        life.renewed = false;
        life.act(*act).await?;
        let (now_epoch, now_end) = life.shown();
        prop_assert!(epoch != now_epoch || end <= now_end, "the end of what is counted steps back");
        if let (Some(from), (Some(to), now_lost), false) = (from, life.health(), life.renewed) {
            // What the watermark went over beyond what was counted, in windows of the present length.
            let counted = life.book.minutes(from, to);
            if ran {
                // Of an hour that had run a part is counted: it is given up as one, whatever windows follow.
                let is_whole = counted * 60 == to.since(from).as_secs();
                prop_assert_eq!(now_lost > lost, !is_whole, "windows are lost and nobody says so");
                continue;
            }
            let skipped_to = to - Duration::from_secs(60 * counted);
            let grid = Grid::try_new(life.world.view().window).expect("a window");
            // The rest of an hour is less than a window of two, and one of them all the same.
            let skipped = grid.count_between(grid.floor(from), skipped_to).max(u64::from(from < skipped_to));
            prop_assert_eq!(now_lost - lost, skipped, "windows are lost");
        }
    }
    life.come_to_rest().await
}

/// A folder in memory where there is such a thing: no power fails here, and a disk that is waited for allows few lives.
fn folder() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    folder.expect("a folder")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_life_counts_every_minute_once_or_gives_it_up(acts in prop::collection::vec(act(), 1..80)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let folder = folder();
        runtime.block_on(live(folder.path(), &acts))?;
    }
}

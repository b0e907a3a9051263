//! The poller against an appliance below the seam, on a paused clock: days pass in milliseconds.

mod changes;
mod clocks;
#[path = "../../tests/it/deadline.rs"]
mod deadline;
mod hours;
mod keys;
mod limits;
mod model;
mod quiet;
mod refusals;
mod rounds;
mod searches;
mod settling;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use self::deadline::Deadline;
use super::*;
use crate::api::{ClockDoubt, Failure, Identity, Observation, Pace, Query, Reason, Reply, Report, StatusKind};
use crate::base::clock::Timestamp;
use crate::base::window::{Grid, Window};
use crate::catalogue::{self, Group};
use crate::config::{Alignment, Config, Late, Polling, Settle};
use crate::ledger::{CommitError, Counted, CounterState, Reconciled, Stretch};
use crate::sample::Samples;
use crate::snapshot::{ClockTrouble, GroupView, Hold, LostReason, Snapshot};

const NOON: u64 = 1_795_435_200; // 2026-11-23T12:00:00Z
const MINUTE: Duration = Duration::from_secs(60);
/// A bench passes days in seconds. One that takes so long has a poller that spins, or a clock that stands still.
const PATIENCE: Duration = Duration::from_secs(120);

type Script = Box<dyn Fn(&Query, usize) -> Result<(), Failure> + Send + Sync>;

/// An appliance whose every counter shows the minutes of the window asked for.
struct Fake {
    clock: Clock,
    /// Added to our clock; may be changed while polls run.
    offset: Mutex<i64>,
    script: Script,
    asked: Mutex<Vec<(String, String, Window)>>,
    answered: Mutex<Vec<(String, Window)>>,
    latency: Duration,
    /// What its logins state, which changes with an upgrade.
    release: Mutex<Option<&'static str>>,
    /// Questions for the time of day: those whether it is there are among them.
    probes: AtomicUsize,
}

impl Fake {
    fn time(&self) -> Timestamp {
        let offset = *self.offset.lock().expect("no panic");
        Timestamp::from_secs(self.clock.wall().as_secs().saturating_add_signed(offset))
    }

    /// Everything that it was asked for.
    fn questions(&self) -> usize {
        self.asked.lock().expect("no panic").len() + self.probes.load(Ordering::Relaxed)
    }

    /// What it was asked for a [`target`], or a group of the appliance as a whole.
    fn windows(&self, target: &str) -> Vec<Window> {
        let asked = self.asked.lock().expect("no panic");
        asked.iter().filter(|(_, name, _)| *name == target).map(|(_, _, window)| *window).collect()
    }
}

/// What a report is known by: its group's name, and the scope where it is a part of the appliance.
fn target(scope: &config::Scope, group: &str) -> String {
    match scope {
        config::Scope::Appliance => group.to_owned(),
        config::Scope::DeviceGroup(_) | config::Scope::Device(_) => format!("{group} of {scope}"),
    }
}

impl Source for Fake {
    async fn connect(&self) -> Result<(), Failure> {
        Ok(())
    }

    async fn fetch(&self, query: &Query) -> Result<Reply, Failure> {
        let count = {
            let mut asked = self.asked.lock().expect("no panic");
            if !self.is_audit(query) {
                asked.push((query.scope.to_string(), target(&query.scope, &query.group.name), query.window));
            }
            asked.len()
        };
        let at = self.time();
        tokio::time::sleep(self.latency).await;
        (self.script)(query, count)?;
        if !self.is_audit(query) {
            self.answered.lock().expect("no panic").push((target(&query.scope, &query.group.name), query.window));
        }
        let minutes = query.window.end().min(at).since(query.window.start()).as_secs() / 60;
        let counters: BTreeMap<_, _> = query.group.counters.iter().map(|counter| (&*counter.name, minutes)).collect();
        let body = serde_json::json!({"data": {"resultSet": counters}}).to_string();
        Ok(Reply { report: Report::parse(&body)?, at, sent: "/asked".into() })
    }

    async fn observe(&self, aspect: &StatusKind) -> Result<Observation, Failure> {
        let group = Group { name: aspect.name().into(), ..catalogue::search_group() };
        let window = Grid::try_new(MINUTE).expect("a minute").containing(self.time());
        let question =
            Query { scope: config::Scope::Appliance, group: Arc::new(group), top: None, search: None, window };
        self.probes.fetch_add(1, Ordering::Relaxed);
        (self.script)(&question, 0)?;
        match aspect {
            StatusKind::TimeZone => Ok(Observation::TimeZone(None)),
            _ => Err(fails(Reason::Declined)),
        }
    }

    fn identity(&self) -> Option<Identity> {
        let release = (*self.release.lock().expect("no panic"))?.parse().expect("a release");
        Some(Identity { model: None, release, serial: None })
    }

    fn set_pace(&self, _: Pace) {}

    fn now(&self) -> Timestamp {
        self.time()
    }

    fn skew_seconds(&self) -> Option<f64> {
        Some(0.0)
    }

    fn clock_doubt(&self) -> Option<ClockDoubt> {
        None
    }
}

impl Fake {
    /// Whether `query` asks for what was answered already.
    fn is_audit(&self, query: &Query) -> bool {
        let answered = self.answered(&target(&query.scope, &query.group.name));
        answered.last().is_some_and(|newest| query.window.start() < newest.start() && query.window != *newest)
    }

    fn answered(&self, group: &str) -> Vec<Window> {
        let answered = self.answered.lock().expect("no panic");
        answered.iter().filter(|(name, _)| *name == group).map(|(_, window)| *window).collect()
    }
}

/// Every counter shows minutes, so every total is the number of minutes counted: the time from the first watermark.
fn assert_totals(view: &GroupView) {
    let minutes = view.tally.committed * view.window.as_secs() / 60;
    assert!(!view.totals.is_empty());
    for total in &*view.totals {
        assert_eq!(total.value, minutes as f64, "{}", total.family.name);
    }
}

/// A poller at work and what it can be judged by.
struct Bench<S = Fake> {
    fake: Arc<S>,
    snapshots: Arc<SnapshotStore>,
    clock: Clock,
    stop: Shutdown,
    task: JoinSet<()>,
    _deadline: Deadline,
}

fn polling(window: Duration) -> Polling {
    Polling {
        grid: Grid::try_new(window).expect("a valid window"),
        settle: Settle::Fixed(2 * MINUTE),
        timeout: MINUTE,
        concurrency: std::num::NonZeroUsize::MIN,
        requests_per_minute: std::num::NonZeroU32::MAX,
        max_login_refusals: config::RefusalLimit::default(),
        catch_up: 24 * 60 * MINUTE,
        start: None,
        alignment: Alignment::Auto,
        running_hour: true,
        late: Late::Add,
    }
}

fn bench(groups: &[&str], polling: Polling, script: Script) -> Bench {
    slow_bench(groups, polling, Duration::from_millis(200), script)
}

fn slow_bench(groups: &[&str], polling: Polling, latency: Duration, script: Script) -> Bench {
    let clock = Clock::lapse(Timestamp::from_secs(NOON + 30), 1);
    let fake = fake(clock.clone(), latency, script);
    Bench::start(groups, polling, clock, fake)
}

fn fake(clock: Clock, latency: Duration, script: Script) -> Arc<Fake> {
    let (offset, asked, answered, probes) = (Mutex::new(0), Mutex::default(), Mutex::default(), AtomicUsize::new(0));
    Arc::new(Fake { clock, offset, script, asked, answered, latency, release: Mutex::default(), probes })
}

fn appliance(groups: &[&str], polling: Polling) -> config::Appliance {
    let list = groups.join(", ");
    let text = format!(
        "appliances: [{{name: a, url: 'http://localhost:1', username: u, password: p, counter_groups: [{list}]}}]"
    );
    let mut appliance = Config::parse("test", &text).expect("a valid configuration").appliances.remove(0);
    appliance.polling = polling;
    for choice in &mut appliance.groups {
        choice.grid = polling.grid;
    }
    appliance
}

impl<S: Source> Bench<S> {
    fn start(groups: &[&str], polling: Polling, clock: Clock, fake: Arc<S>) -> Self {
        Self::resume(&appliance(groups, polling), Arc::new(Ledger::in_memory()), clock, fake)
    }

    fn resume(appliance: &config::Appliance, ledger: Arc<Ledger>, clock: Clock, fake: Arc<S>) -> Self {
        let snapshots = Arc::new(SnapshotStore::default());
        let context = PollContext {
            clock: clock.clone(),
            ledger,
            snapshots: Arc::clone(&snapshots),
            families: Arc::default(),
            hold: Hold::AWindow,
            watchdog: Watchdog::default(),
        };
        let stop = Shutdown::new();
        let mut task = JoinSet::new();
        task.spawn(Poller::new(appliance, Arc::clone(&fake), context).run(stop.clone()));
        Self { fake, snapshots, clock, stop, task, _deadline: Deadline::new("the poller on its bench", PATIENCE) }
    }

    fn snapshot(&self) -> Arc<Snapshot> {
        self.snapshots.read().remove(0)
    }

    async fn end(mut self) {
        self.stop.request();
        while self.task.join_next().await.is_some() {}
    }
}

fn fails(reason: Reason) -> Failure {
    Failure::new(reason, "status 404: no")
}

/// Whether `windows` follow each other without a gap or an overlap.
fn contiguous(windows: &[Window]) -> bool {
    windows.windows(2).all(|pair| pair[0].end() == pair[1].start())
}

const CAPACITY: &str = "mail_system_capacity";
const INCOMING: &str = "mail_incoming_traffic_summary";

#[tokio::test(start_paused = true)]
async fn a_day_of_minutes_misses_none_and_repeats_none() {
    let bench = bench(&[CAPACITY, INCOMING], polling(MINUTE), Box::new(|_, _| Ok(())));
    bench.clock.sleep(24 * 60 * MINUTE).await;
    for group in [CAPACITY, INCOMING] {
        let windows = bench.fake.windows(group);
        assert!(contiguous(&windows));
        assert!((1438..=1442).contains(&windows.len()), "{}", windows.len());
    }
    for view in &bench.snapshot().groups {
        assert_eq!(view.tally.lost, [0, 0]);
        assert_totals(view);
    }
    bench.end().await;
}

#[tokio::test(start_paused = true)]
async fn slow_answers_do_not_make_windows_drift() {
    let bench = slow_bench(&[CAPACITY], polling(MINUTE), Duration::from_secs(55), Box::new(|_, _| Ok(())));
    bench.clock.sleep(6 * 60 * MINUTE).await;
    let windows = bench.fake.windows(CAPACITY);
    assert!(contiguous(&windows) && windows.iter().all(|window| window.length() == MINUTE));
    bench.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_failed_poll_is_made_up_for() {
    for reason in
        [Reason::Timeout, Reason::Reset, Reason::Unavailable, Reason::NotJson, Reason::Malformed, Reason::Empty]
    {
        let begins = Timestamp::from_secs(NOON + 600);
        let ends = Timestamp::from_secs(NOON + 1200);
        let clock_of = Arc::new(Mutex::new(None::<Clock>));
        let inner = Arc::clone(&clock_of);
        let script = move |_: &Query, _| {
            let now = inner.lock().expect("no panic").as_ref().map_or(begins, Clock::wall);
            if begins < now && now < ends { Err(fails(reason)) } else { Ok(()) }
        };
        let bench = bench(&[CAPACITY, INCOMING], polling(MINUTE), Box::new(script));
        *clock_of.lock().expect("no panic") = Some(bench.clock.clone());
        bench.clock.sleep(15 * MINUTE).await;
        let snapshot = bench.snapshot();
        assert!(snapshot.groups[0].success_until.is_none() && snapshot.groups[0].pending.windows >= 3, "{reason:?}");
        assert_eq!(snapshot.up_until.is_some(), reason.proves_presence(), "{reason:?}");
        bench.clock.sleep(Duration::from_secs(NOON + 1200 + 120 - (NOON + 930))).await;
        let snapshot = bench.snapshot();
        assert!(snapshot.up_until.is_some(), "{reason:?}: within two polls");
        assert!(snapshot.groups.iter().all(|view| view.success_until.is_some()), "{reason:?}: within two polls");
        bench.clock.sleep(30 * MINUTE).await;
        let snapshot = bench.snapshot();
        assert!(contiguous(&bench.fake.answered(CAPACITY)), "asked again until it was had, then on: {reason:?}");
        assert_totals(&snapshot.groups[0]);
        assert_eq!(snapshot.groups[0].tally.lost, [0, 0]);
        assert!(snapshot.groups[0].pending.windows <= 1);
        bench.end().await;
    }
}

#[tokio::test(start_paused = true)]
async fn hours_only_is_found_out_whatever_the_words() {
    for words in ["status 404: duration attribute supports only 00 minutes..", "status 404: No."] {
        let script = move |query: &Query, _| match Grid::HOURS.floor(query.window.end()) == query.window.end()
            && query.window.length() >= 60 * MINUTE
        {
            true => Ok(()),
            false => Err(Failure { detail: words.into(), ..fails(Reason::Declined) }),
        };
        let bench = bench(&[CAPACITY, INCOMING], polling(5 * MINUTE), Box::new(script));
        bench.clock.sleep(MINUTE).await;
        let snapshot = bench.snapshot();
        for view in &snapshot.groups {
            assert_eq!(view.window, 60 * MINUTE);
            assert_eq!(view.window_end, Some(Timestamp::from_secs(NOON - 3600)), "12:00 has not settled");
        }
        bench.clock.sleep(5 * 60 * MINUTE).await;
        let asked = bench.fake.windows(CAPACITY);
        let declined = asked.iter().filter(|window| window.length() < 60 * MINUTE).count();
        assert!(declined <= 2, "{declined} requests were made in vain");
        let mut hours: Vec<_> = asked.into_iter().filter(|window| window.length() == 60 * MINUTE).collect();
        // The first hour is asked for as a probe, to be counted, and to be compared; each one while it runs, and the last.
        hours.dedup();
        assert!(contiguous(&hours) && hours.len() == 7, "{hours:?}");
        bench.end().await;
    }
}

#[tokio::test(start_paused = true)]
async fn one_stray_404_does_not_cost_the_resolution() {
    for words in ["status 404: not now", "status 404: try again in a few minutes"] {
        let script = move |query: &Query, count| match count {
            3 if query.window.length() == MINUTE => Err(Failure { detail: words.into(), ..fails(Reason::Declined) }),
            _ => Ok(()),
        };
        let bench = bench(&[CAPACITY], polling(MINUTE), Box::new(script));
        bench.clock.sleep(30 * MINUTE).await;
        let snapshot = bench.snapshot();
        assert_eq!((snapshot.groups[0].window, snapshot.groups[0].tally.lost), (MINUTE, [0, 0]), "{words}");
        bench.end().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_report_that_is_not_offered_is_asked_for_seldom_and_others_go_on() {
    for reason in [Reason::Declined, Reason::NotAllowed] {
        let script = move |query: &Query, _| if query.group.name == CAPACITY { Err(fails(reason)) } else { Ok(()) };
        let bench = bench(&[CAPACITY, INCOMING], polling(MINUTE), Box::new(script));
        bench.clock.sleep(6 * 60 * MINUTE).await;
        let snapshot = bench.snapshot();
        assert!(
            snapshot.up_until.is_some()
                && snapshot.groups[0].success_until.is_none()
                && snapshot.groups[1].success_until.is_some()
        );
        assert!(contiguous(&bench.fake.windows(INCOMING)));
        let asked = bench.fake.windows(CAPACITY).len();
        assert!(asked <= 20, "{asked} requests in six hours for {reason:?}");
        bench.end().await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_older_than_catch_up_is_counted_as_lost() {
    let begins = Timestamp::from_secs(NOON + 600);
    let ends = Timestamp::from_secs(NOON + 600 + 3 * 3600);
    let clock_of = Arc::new(Mutex::new(None::<Clock>));
    let inner = Arc::clone(&clock_of);
    let script = move |_: &Query, _| {
        let now = inner.lock().expect("no panic").as_ref().map_or(begins, Clock::wall);
        if begins < now && now < ends { Err(fails(Reason::Connect)) } else { Ok(()) }
    };
    let short = Polling { catch_up: 60 * MINUTE, ..polling(MINUTE) };
    let bench = bench(&[CAPACITY], short, Box::new(script));
    *clock_of.lock().expect("no panic") = Some(bench.clock.clone());
    bench.clock.sleep(4 * 60 * MINUTE).await;
    let tally = bench.snapshot().groups[0].tally;
    let [lost, _] = tally.lost;
    assert!((118..=124).contains(&lost), "{lost} of 180 minutes lie beyond an hour");
    assert_totals(&bench.snapshot().groups[0]);
    assert_eq!(lost + tally.committed, 241, "every minute from 11:57 to 15:58 is either counted or lost");
    assert_eq!(LostReason::ALL[0], LostReason::CatchUp);
    bench.end().await;
}

#[tokio::test(start_paused = true)]
async fn an_answer_from_before_the_end_of_the_window_is_not_counted() {
    let bench = bench(&[CAPACITY], polling(MINUTE), Box::new(|_, _| Ok(())));
    bench.clock.sleep(10 * MINUTE).await;
    let before = bench.snapshot().groups[0].window_end;
    *bench.fake.offset.lock().expect("no panic") = -3600;
    bench.clock.sleep(30 * MINUTE).await;
    assert_eq!(bench.snapshot().groups[0].window_end, before, "the appliance's clock went back: wait");
    *bench.fake.offset.lock().expect("no panic") = 90;
    bench.clock.sleep(60 * MINUTE).await;
    assert!(contiguous(&bench.fake.windows(CAPACITY)));
    bench.end().await;
}

//! Clocks that lie, across days and restarts, followed by the rule of the API: the oracle is what happened in each minute
//! of true time, and how often a minute was counted.

use super::*;
use crate::api::ClockFilter;
use crate::config::Scope;

pub(super) const HOUR: Duration = Duration::from_secs(3600);
pub(super) const DAY: Duration = Duration::from_secs(24 * 3600);

/// An appliance with a true clock, which is not always what its answers say, and an exporter's machine with another.
pub(super) struct Liar {
    clock: Clock,
    course: Mutex<ClockFilter>,
    /// How far our own wall clock is ahead of true time.
    wall: Mutex<i64>,
    /// The `Date` of the next answers, if it is not the true one; none where there is no such header.
    lies: Mutex<std::collections::VecDeque<Option<Timestamp>>>,
    /// What the appliance says of itself for good.
    habit: Mutex<Habit>,
    /// Why the reports of these groups are not answered.
    pub(super) refusal: Mutex<Option<(Reason, &'static [&'static str])>>,
    asked: Mutex<usize>,
    /// Windows of a group that were.
    pub(super) answered: Mutex<Vec<(String, Window)>>,
}

#[derive(Clone, Copy)]
pub(super) enum Habit {
    /// A `Date` so far ahead of true time, which is what its own clock shows.
    Dated(i64),
    /// The same, and its own clock is so wrong: events are stamped by it.
    Skewed(i64),
    Undated,
}

fn ahead(time: Timestamp, seconds: i64) -> Timestamp {
    Timestamp::from_secs(time.as_secs().saturating_add_signed(seconds))
}

/// What happened in one minute: another number than in its neighbours.
pub(super) fn happened(minute: u64) -> u64 {
    10 + minute % 7
}

pub(super) fn truth(from: Timestamp, to: Timestamp) -> u64 {
    (from.as_secs() / 60..to.as_secs() / 60).map(happened).sum()
}

impl Liar {
    fn wall(&self) -> Timestamp {
        ahead(self.clock.wall(), *self.wall.lock().expect("no panic"))
    }

    fn hear(&self) -> Timestamp {
        let date = match (self.lies.lock().expect("no panic").pop_front(), *self.habit.lock().expect("no panic")) {
            (Some(lie), _) => lie,
            (None, Habit::Dated(seconds) | Habit::Skewed(seconds)) => Some(ahead(self.clock.wall(), seconds)),
            (None, Habit::Undated) => None,
        };
        let (wall, tick) = (self.wall(), self.clock.tick());
        let mut course = self.course.lock().expect("no panic");
        course.observe(date, wall, tick);
        course.bound(date, wall, tick)
    }

    fn lie(&self, date: Option<Timestamp>) {
        self.lies.lock().expect("no panic").push_back(date);
    }
}

impl Source for Liar {
    async fn connect(&self) -> Result<(), Failure> {
        self.hear();
        Ok(())
    }

    async fn fetch(&self, query: &Query) -> Result<Reply, Failure> {
        *self.asked.lock().expect("no panic") += 1;
        tokio::time::sleep(Duration::from_millis(200)).await;
        let at = self.hear();
        let refusal = *self.refusal.lock().expect("no panic");
        if let Some((reason, _)) = refusal.filter(|(_, groups)| groups.contains(&&*query.group.name)) {
            return Err(fails(reason));
        }
        self.answered.lock().expect("no panic").push((query.group.name.to_string(), query.window));
        let own = match *self.habit.lock().expect("no panic") {
            Habit::Skewed(seconds) => ahead(self.clock.wall(), seconds),
            Habit::Dated(_) | Habit::Undated => self.clock.wall(),
        };
        // A minute that is not over by the clock that stamps events has nothing to show yet.
        let events = truth(query.window.start(), query.window.end().min(own));
        let counters: BTreeMap<_, _> = query.group.counters.iter().map(|counter| (&*counter.name, events)).collect();
        let body = serde_json::json!({"data": {"resultSet": counters}}).to_string();
        Ok(Reply { report: Report::parse(&body)?, at, sent: "/asked".into() })
    }

    async fn observe(&self, _: &StatusKind) -> Result<Observation, Failure> {
        Err(fails(Reason::Declined))
    }

    fn set_pace(&self, _: Pace) {}

    fn now(&self) -> Timestamp {
        self.course.lock().expect("no panic").now(self.wall(), self.clock.tick())
    }

    fn skew_seconds(&self) -> Option<f64> {
        self.course.lock().expect("no panic").skew_seconds()
    }

    fn clock_doubt(&self) -> Option<ClockDoubt> {
        self.course.lock().expect("no panic").doubt()
    }
}

/// A ledger that outlives the pollers, in true time.
pub(super) struct Site {
    pub(super) clock: Clock,
    ledger: Arc<Ledger>,
    config: config::Appliance,
}

impl Site {
    pub(super) fn new(catch_up: Duration) -> Self {
        let polling = Polling { catch_up, ..polling(MINUTE) };
        let clock = Clock::lapse(Timestamp::from_secs(NOON + 30), 1);
        Self { clock, ledger: Arc::new(Ledger::in_memory()), config: appliance(&[CAPACITY, INCOMING], polling) }
    }

    /// Starts an exporter that knows nothing but the ledger, on a machine whose clock is so wrong; its first answers have
    /// these dates.
    pub(super) fn start(&self, habit: Habit, wall: i64, lies: &[Option<Timestamp>]) -> Bench<Liar> {
        let liar = Liar {
            clock: self.clock.clone(),
            course: Mutex::default(),
            wall: Mutex::new(wall),
            lies: Mutex::new(lies.iter().copied().collect()),
            habit: Mutex::new(habit),
            refusal: Mutex::default(),
            asked: Mutex::default(),
            answered: Mutex::default(),
        };
        Bench::resume(&self.config, Arc::clone(&self.ledger), self.clock.clone(), Arc::new(liar))
    }

    pub(super) async fn live(&self, habit: Habit, span: Duration) {
        let bench = self.start(habit, 0, &[]);
        bench.clock.sleep(span).await;
        bench.end().await;
    }

    pub(super) fn account(&self, group: &str) -> CounterState {
        let key = TotalsKey { appliance: "a".into(), scope: Scope::Appliance, group: group.into() };
        self.ledger.account(&key).expect("begun")
    }

    /// Panics unless nothing was lost, every minute since the totals began, at `epoch` where that is given, is counted once.
    pub(super) fn assert_true(&self, bench: &Bench<Liar>, epoch: Option<Timestamp>, what: &str) {
        for view in &bench.snapshot().groups {
            let account = self.account(&view.group);
            assert_eq!((account.epoch, view.tally.lost), (epoch.unwrap_or(account.epoch), [0, 0]), "{what}");
            let events = truth(account.epoch, account.watermark);
            for total in &*view.totals {
                assert_eq!(total.value, events as f64, "{what}: {} up to {}", total.family.name, account.watermark);
            }
            assert!(view.success_until.is_some(), "{what}: {}", view.group);
        }
    }

    /// The same, of totals that have come to the present.
    pub(super) fn assert_current(&self, bench: &Bench<Liar>, epoch: Option<Timestamp>, what: &str) {
        self.assert_true(bench, epoch, what);
        for view in &bench.snapshot().groups {
            let age = self.clock.wall().since(self.account(&view.group).watermark);
            assert!(
                age <= 5 * MINUTE && view.pending.windows <= 1,
                "{what}: {age:?} behind, {} pending",
                view.pending.windows
            );
        }
        assert_eq!(bench.snapshot().clock, None, "{what}");
    }
}

/// Dates that no appliance should have, at `now`.
fn lies(now: Timestamp) -> Vec<(&'static str, Timestamp)> {
    vec![
        ("1970", Timestamp::from_secs(0)),
        ("2099", Timestamp::from_secs(4_070_908_800)),
        ("27 hours ahead", now + 27 * HOUR),
        ("27 hours behind", now - 27 * HOUR),
        ("20 hours ahead", now + 20 * HOUR),
        ("20 hours behind", now - 20 * HOUR),
        ("3 minutes ahead", now + 3 * MINUTE),
        ("3 minutes behind", now - 3 * MINUTE),
    ]
}

#[tokio::test(start_paused = true)]
async fn a_restart_believes_no_first_answer() {
    for catch_up in [DAY, 30 * MINUTE] {
        for number in 0..8 {
            let site = Site::new(catch_up);
            site.live(Habit::Dated(0), 2 * HOUR).await;
            let epoch = site.account(CAPACITY).epoch;
            let (what, lie) = lies(site.clock.wall())[number];
            let bench = site.start(Habit::Dated(0), 0, &[Some(lie)]);
            bench.clock.sleep(20 * MINUTE).await;
            site.assert_current(&bench, Some(epoch), &format!("{what}, {catch_up:?}"));
            bench.end().await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn one_wrong_date_of_a_good_answer_costs_nothing() {
    for catch_up in [DAY, 30 * MINUTE] {
        for number in 0..8 {
            let site = Site::new(catch_up);
            let bench = site.start(Habit::Dated(0), 0, &[]);
            bench.clock.sleep(HOUR).await;
            let epoch = site.account(CAPACITY).epoch;
            let (what, lie) = lies(site.clock.wall())[number];
            // Answers of one round come together: two that agree are no two a minute apart.
            for _ in 0..2 {
                bench.fake.lie(Some(lie));
            }
            let asked = *bench.fake.asked.lock().expect("no panic");
            bench.clock.sleep(90 * Duration::from_secs(1)).await;
            let more = *bench.fake.asked.lock().expect("no panic") - asked;
            assert!(more <= 8, "{what}: {more} requests in 90 seconds");
            bench.clock.sleep(20 * MINUTE).await;
            site.assert_current(&bench, Some(epoch), &format!("{what}, {catch_up:?}"));
            bench.end().await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_appliance_whose_clock_is_off_is_followed_once_that_is_confirmed() {
    for seconds in [-20 * 3600, -600, 600, 20 * 3600] {
        let site = Site::new(30 * MINUTE);
        let bench = site.start(Habit::Skewed(seconds), 0, &[]);
        bench.clock.sleep(Duration::from_secs(30)).await;
        assert_eq!(bench.snapshot().clock, Some(ClockTrouble::Unconfirmed), "{seconds}");
        bench.clock.sleep(2 * HOUR).await;
        let snapshot = bench.snapshot();
        let now = ahead(site.clock.wall(), seconds);
        for view in &snapshot.groups {
            let account = site.account(&view.group);
            assert_eq!((view.tally.lost, snapshot.clock), ([0, 0], None), "{seconds}");
            assert!(
                view.success_until.is_some() && now.since(account.watermark) <= 5 * MINUTE,
                "{seconds}: {}",
                account.watermark
            );
            let begun = now.since(account.epoch);
            assert!((2 * HOUR..2 * HOUR + 5 * MINUTE).contains(&begun), "{seconds}: it began {begun:?} ago");
        }
        bench.end().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_restart_counts_no_window_that_is_not_over_by_the_appliances_clock() {
    for seconds in [-20 * 3600, -1200, -150, 1200, 20 * 3600] {
        let site = Site::new(DAY);
        site.live(Habit::Skewed(seconds), 2 * HOUR).await;
        let epoch = site.account(CAPACITY).epoch;
        let bench = site.start(Habit::Skewed(seconds), 0, &[]);
        bench.clock.sleep(MINUTE).await;
        let asked = *bench.fake.asked.lock().expect("no panic");
        assert!(asked <= 4, "{seconds}: {asked} requests in a minute");
        bench.clock.sleep(20 * MINUTE).await;
        site.assert_true(&bench, Some(epoch), &format!("{seconds}"));
        let age = ahead(site.clock.wall(), seconds).since(site.account(CAPACITY).watermark);
        assert!(age <= 5 * MINUTE, "{seconds}: {age:?} behind");
        bench.end().await;
    }
}

#[tokio::test(start_paused = true)]
async fn our_own_clock_that_steps_is_followed_like_any_other() {
    for (before, after, what) in [
        (-2 * 3600, 0, "it was behind"),
        (-30 * 3600, 0, "it was behind by more than a day"),
        (0, -1800, "it is set back"),
    ] {
        let site = Site::new(2 * DAY);
        let bench = site.start(Habit::Undated, before, &[]);
        bench.clock.sleep(HOUR).await;
        let epoch = site.account(CAPACITY).epoch;
        *bench.fake.wall.lock().expect("no panic") = after;
        bench.clock.sleep(3 * HOUR).await;
        site.assert_true(&bench, Some(epoch), what);
        assert_eq!(bench.snapshot().clock, None, "{what}");
        bench.end().await;
    }
}

#[tokio::test(start_paused = true)]
async fn our_own_clock_that_steps_for_one_answer_costs_nothing() {
    for step in [2 * 3600, -2 * 3600, 40 * 3600, -40 * 3600] {
        let site = Site::new(30 * MINUTE);
        let bench = site.start(Habit::Undated, 0, &[]);
        bench.clock.sleep(HOUR).await;
        let epoch = site.account(CAPACITY).epoch;
        *bench.fake.wall.lock().expect("no panic") = step;
        bench.clock.sleep(50 * Duration::from_secs(1)).await;
        *bench.fake.wall.lock().expect("no panic") = 0;
        bench.clock.sleep(HOUR).await;
        site.assert_current(&bench, Some(epoch), &format!("a step of {step} s"));
        bench.end().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_machine_that_starts_with_a_wrong_clock_loses_nothing() {
    for wrong in [-300 * 86_400, -2 * 86_400, 2 * 86_400] {
        let site = Site::new(DAY);
        site.live(Habit::Dated(0), 2 * HOUR).await;
        let epoch = site.account(CAPACITY).epoch;
        let bench = site.start(Habit::Dated(0), wrong, &[]);
        bench.clock.sleep(15 * MINUTE).await;
        let snapshot = bench.snapshot();
        assert_eq!((snapshot.clock, snapshot.up_until.is_some()), (Some(ClockTrouble::Refused), true), "{wrong}");
        *bench.fake.wall.lock().expect("no panic") = 0;
        bench.clock.sleep(20 * MINUTE).await;
        site.assert_current(&bench, Some(epoch), &format!("wrong by {wrong} s"));
        bench.end().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_date_that_is_wrong_for_good_leaves_windows_to_our_clock() {
    for wrong in [27 * 3600, -27 * 3600, 26_000 * 86_400] {
        let site = Site::new(DAY);
        let bench = site.start(Habit::Dated(wrong), 0, &[]);
        bench.clock.sleep(5 * HOUR).await;
        let epoch = site.account(CAPACITY).epoch;
        site.assert_true(&bench, Some(epoch), &format!("{wrong}"));
        let snapshot = bench.snapshot();
        assert_eq!((snapshot.clock, snapshot.clock_skew_seconds), (Some(ClockTrouble::Refused), Some(wrong as f64)));
        assert!(site.clock.wall().since(site.account(CAPACITY).watermark) <= 5 * MINUTE, "{wrong}");
        bench.end().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_stays_behind_what_was_counted_is_followed_in_the_end() {
    let site = Site::new(3 * HOUR);
    let bench = site.start(Habit::Dated(20 * 3600), 0, &[]);
    bench.clock.sleep(HOUR).await;
    *bench.fake.habit.lock().expect("no panic") = Habit::Dated(0);
    bench.clock.sleep(HOUR).await;
    let snapshot = bench.snapshot();
    assert_eq!(snapshot.clock, Some(ClockTrouble::Behind));
    assert!(snapshot.groups.iter().all(|view| view.success_until.is_none() && view.tally.lost == [0, 0]));
    bench.clock.sleep(3 * HOUR).await;
    let epoch = site.account(CAPACITY).epoch;
    let wait = site.clock.wall().since(epoch);
    assert!((4 * HOUR - 30 * MINUTE..4 * HOUR + 30 * MINUTE).contains(&wait), "the wait is fetched: {wait:?}");
    site.assert_current(&bench, None, "it stays");
    bench.end().await;
}

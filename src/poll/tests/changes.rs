//! Clocks that are set and configurations that change, across the lives of a poller: each minute is counted once or
//! told to be lost.

use super::*;
use crate::config::Scope;

const SETTLE: Duration = Duration::from_secs(2 * 60);
const HOUR: Duration = Duration::from_secs(3600);
/// Long enough that some requests are under way while a clock is set.
const LATENCY: Duration = Duration::from_secs(15);

/// An appliance with a clock of its own, which can be set and is heard with an answer only. An event is stamped with what
/// the clock shows, so a clock that is set back brings events to windows that are counted.
struct Truthful {
    clock: Clock,
    heard: Mutex<(Timestamp, Tick)>,
    history: Mutex<History>,
    answered: Mutex<Vec<Answered>>,
}

struct History {
    offset: i64,
    /// The minute whose events come next, in true time.
    next: u64,
    /// Events by the minute of their stamps.
    events: BTreeMap<u64, u64>,
}

struct Answered {
    scope: Scope,
    group: String,
    window: Window,
    events: u64,
}

impl Truthful {
    fn history(&self) -> std::sync::MutexGuard<'_, History> {
        let mut history = self.history.lock().expect("no panic");
        while history.next * 60 <= self.clock.wall().as_secs() {
            let minute = (history.next * 60).saturating_add_signed(history.offset) / 60;
            // Another number than in the minutes around it.
            *history.events.entry(minute).or_default() += 10 + history.next % 7;
            history.next += 1;
        }
        history
    }

    /// What the clock shows.
    fn date(&self) -> Timestamp {
        Timestamp::from_secs(self.clock.wall().as_secs().saturating_add_signed(self.history().offset))
    }

    fn hear(&self) -> Timestamp {
        let date = self.date();
        *self.heard.lock().expect("no panic") = (date, self.clock.tick());
        date
    }

    fn events(&self, from: Timestamp, to: Timestamp) -> u64 {
        self.history().events.range(from.as_secs() / 60..to.as_secs() / 60).map(|(_, count)| count).sum()
    }
}

impl Source for Truthful {
    async fn connect(&self) -> Result<(), Failure> {
        self.hear();
        Ok(())
    }

    async fn fetch(&self, query: &Query) -> Result<Reply, Failure> {
        tokio::time::sleep(LATENCY).await;
        let Query { scope, group, window, .. } = query.clone();
        let (at, events) = (self.hear(), self.events(window.start(), window.end()));
        // An answer from before the end, after the clock was set back, is not to be used.
        if at >= window.end() + SETTLE {
            let answered = Answered { scope, group: group.name.to_string(), window, events };
            self.answered.lock().expect("no panic").push(answered);
        }
        let counters: BTreeMap<_, _> = group.counters.iter().map(|counter| (&*counter.name, events)).collect();
        let body = serde_json::json!({"data": {"resultSet": counters}}).to_string();
        Ok(Reply { report: Report::parse(&body)?, at, sent: "/asked".into() })
    }

    async fn observe(&self, _: &StatusKind) -> Result<Observation, Failure> {
        Err(fails(Reason::Declined))
    }

    fn set_pace(&self, _: Pace) {}

    fn now(&self) -> Timestamp {
        let (date, heard) = *self.heard.lock().expect("no panic");
        date + self.clock.tick().since(heard)
    }

    fn skew_seconds(&self) -> Option<f64> {
        Some(0.0)
    }

    fn clock_doubt(&self) -> Option<ClockDoubt> {
        None
    }
}

/// An appliance, and a ledger that outlives the pollers.
struct Site {
    appliance: Arc<Truthful>,
    ledger: Arc<Ledger>,
}

impl Site {
    fn new() -> Self {
        let clock = Clock::lapse(Timestamp::from_secs(NOON + 30), 1);
        let history = History { offset: 0, next: NOON / 60 - 60, events: BTreeMap::new() };
        let heard = Mutex::new((clock.wall(), clock.tick()));
        let appliance = Truthful { clock, heard, history: Mutex::new(history), answered: Mutex::default() };
        Self { appliance: Arc::new(appliance), ledger: Arc::new(Ledger::in_memory()) }
    }

    fn start(&self, config: &config::Appliance) -> Bench<Truthful> {
        self.start_at(config, self.appliance.clock.wall())
    }

    /// Starts a poller on a machine whose clock shows `wall`.
    fn start_at(&self, config: &config::Appliance, wall: Timestamp) -> Bench<Truthful> {
        Bench::resume(config, Arc::clone(&self.ledger), Clock::lapse(wall, 1), Arc::clone(&self.appliance))
    }

    /// A whole life of a poller, and what it shows at its end.
    async fn live(&self, config: &config::Appliance, span: Duration) -> Arc<Snapshot> {
        let bench = self.start(config);
        let snapshot = self.pass(&bench, span).await;
        bench.end().await;
        snapshot
    }

    /// Lets time pass; what is shown then is checked against what was answered.
    async fn pass(&self, bench: &Bench<Truthful>, span: Duration) -> Arc<Snapshot> {
        bench.clock.sleep(span).await;
        let snapshot = bench.snapshot();
        for view in &snapshot.groups {
            let key = TotalsKey { appliance: "a".into(), scope: view.scope.clone(), group: Arc::clone(&view.group) };
            let epoch = self.ledger.account(&key).expect("begun").epoch;
            let counted = self.counted(&view.scope, &view.group);
            let events: u64 =
                counted.iter().filter(|(window, _)| window.start() >= epoch).map(|(_, events)| events).sum();
            // Every counter shows the same.
            let late = view.tally.late / view.totals.len() as u64;
            // Of an hour that is not over more is counted.
            let is_closed = view.running_hour.is_none();
            for total in view.totals.iter().filter(|_| is_closed) {
                assert_eq!(total.value, (events + late) as f64, "{} of {}", total.family.name, view.scope);
            }
            let age = self.appliance.date().since(view.window_end.expect("windows are counted"));
            assert!(view.success_until.is_some() && age <= view.window * 2 + SETTLE + MINUTE, "{age:?} behind");
        }
        snapshot
    }

    fn set_clock(&self, seconds: i64) {
        self.appliance.history().offset += seconds;
    }

    /// The windows that were answered in order to be counted, not compared.
    fn counted(&self, scope: &Scope, group: &str) -> Vec<(Window, u64)> {
        let answered = self.appliance.answered.lock().expect("no panic");
        let mut counted: Vec<(Window, u64)> = Vec::new();
        for Answered { window, events, .. } in answered.iter().filter(|of| of.scope == *scope && of.group == group) {
            // The answer with which totals begin at zero is not counted; a minute later that window is another.
            counted.pop_if(|(last, _)| {
                last.start() < window.start() && last.end() > window.start() && last.end() < window.end()
            });
            let end = counted.last().map_or(window.start(), |(last, _)| last.end());
            if window.start() >= end {
                counted.push((*window, *events));
            } else if window.end() > end {
                assert_eq!(Grid::HOURS.containing(window.start()), *window, "{window} is partly counted");
                let of_hour = counted.iter().filter(|(known, _)| known.start() >= window.start());
                let known: u64 = of_hour.map(|(_, events)| *events).sum();
                counted.push((*window, events - known));
            }
        }
        counted
    }

    /// The minutes between windows that were counted.
    fn gaps(&self, scope: &Scope, group: &str) -> Vec<u64> {
        let counted = self.counted(scope, group);
        let gaps = counted.windows(2).map(|pair| pair[1].0.start().since(pair[0].0.end()).as_secs() / 60);
        gaps.filter(|minutes| *minutes > 0).collect()
    }

    /// Panics unless the totals are all that happened since they began at zero.
    fn assert_true(&self, view: &GroupView) {
        let key = TotalsKey { appliance: "a".into(), scope: view.scope.clone(), group: Arc::clone(&view.group) };
        let account = self.ledger.account(&key).expect("begun");
        let events = self.appliance.events(account.epoch, account.watermark);
        for total in &*view.totals {
            assert_eq!(total.value, events as f64, "{} of {}", total.family.name, view.scope);
        }
    }
}

const NO_GAPS: [u64; 0] = [];

#[tokio::test(start_paused = true)]
async fn an_appliance_whose_clock_is_set_is_counted_on() {
    let moments = (0..60).step_by(13).map(Duration::from_secs);
    for (window, moment) in moments.flat_map(|moment| [(MINUTE, moment), (5 * MINUTE, moment)]) {
        for step in [90, -90, 3600, -3600] {
            let site = Site::new();
            let bench = site.start(&appliance(&[CAPACITY, "mail_mar_summary"], polling(window)));
            site.pass(&bench, 95 * MINUTE).await;
            bench.clock.sleep(moment).await;
            site.set_clock(step);
            let snapshot = site.pass(&bench, 3 * HOUR).await;
            for view in &snapshot.groups {
                assert_eq!(view.tally.lost, [0, 0], "set by {step} s");
                assert_eq!(site.gaps(&view.scope, &view.group), NO_GAPS, "set by {step} s");
                // The settle delay is longer than the 90 seconds that come again.
                assert_eq!(view.tally.late > 0, step == -3600, "set by {step} s");
                site.assert_true(view);
            }
            bench.end().await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_set_again_and_again_repeats_nothing() {
    let site = Site::new();
    let bench = site.start(&appliance(&[CAPACITY], polling(MINUTE)));
    for step in [90, -90, -90, 3600, -3600, 90, 3600, 3600, -3600, -90, -3600] {
        site.set_clock(step);
        let snapshot = site.pass(&bench, 2 * HOUR + 7 * MINUTE).await;
        assert_eq!(snapshot.groups[0].tally.lost, [0, 0], "set by {step} s");
    }
    assert_eq!(site.gaps(&Scope::Appliance, CAPACITY), NO_GAPS);
    site.assert_true(&site.pass(&bench, 3 * HOUR).await.groups[0]);
    bench.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_set_further_than_catch_up_loses_what_it_skips() {
    let site = Site::new();
    let short = Polling { catch_up: 30 * MINUTE, ..polling(MINUTE) };
    let bench = site.start(&appliance(&[CAPACITY], short));
    site.pass(&bench, 20 * MINUTE).await;
    site.set_clock(3600);
    let snapshot = site.pass(&bench, HOUR).await;
    let [lost, 0] = snapshot.groups[0].tally.lost else { panic!("they are too old: {:?}", snapshot.groups[0].tally) };
    assert!((30..=31).contains(&lost), "{lost} of 60 minutes lie beyond half an hour");
    assert_eq!(site.gaps(&Scope::Appliance, CAPACITY), [lost]);
    bench.end().await;
}

#[tokio::test(start_paused = true)]
async fn hours_that_seemed_to_be_over_are_made_up_for_when_they_are() {
    let site = Site::new();
    let bench = site.start(&appliance(&[CAPACITY], polling(5 * MINUTE)));
    site.pass(&bench, 95 * MINUTE).await;
    site.set_clock(8 * 3600);
    site.pass(&bench, 10 * MINUTE).await;
    site.set_clock(-8 * 3600);
    let snapshot = site.pass(&bench, 12 * HOUR).await;
    assert!(snapshot.groups[0].tally.late > 0 && snapshot.groups[0].tally.lost == [0, 0]);
    assert_eq!(site.gaps(&Scope::Appliance, CAPACITY), NO_GAPS);
    site.assert_true(&snapshot.groups[0]);
    bench.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_was_behind_for_minutes_is_heard_again() {
    for (behind, span) in [(3600, 7 * MINUTE), (10 * 86_400, 7 * MINUTE), (10 * 86_400, 6 * HOUR)] {
        let site = Site::new();
        let bench = site.start(&appliance(&[CAPACITY, INCOMING], polling(MINUTE)));
        site.pass(&bench, 95 * MINUTE).await;
        let answered = || site.appliance.answered.lock().expect("no panic").len() as u64;
        let before = answered();
        site.set_clock(-behind);
        bench.clock.sleep(span).await;
        assert!(bench.snapshot().groups.iter().all(|view| view.success_until.is_none()), "behind by {behind} s");
        assert!(answered() - before <= span.as_secs() / 300 + 2, "it is asked once in five minutes");
        site.set_clock(behind);
        let snapshot = site.pass(&bench, 8 * MINUTE).await;
        for view in &snapshot.groups {
            assert_eq!(view.tally.lost, [0, 0], "behind by {behind} s");
            assert_eq!(site.gaps(&view.scope, &view.group), NO_GAPS, "behind by {behind} s");
        }
        bench.end().await;
    }
}

/// A poller takes the wall clock for nothing but the time of the newest success, and so [`Clock`] has no way to be set:
/// the machine's clock is another one in each life.
#[tokio::test(start_paused = true)]
async fn our_own_clock_does_not_matter() {
    let site = Site::new();
    let config = appliance(&[CAPACITY], polling(MINUTE));
    for wrong in [0, 90, -90, 3600, -3600, 864_000, -864_000] {
        let wall = Timestamp::from_secs(site.appliance.date().as_secs().saturating_add_signed(wrong));
        let bench = site.start_at(&config, wall);
        let snapshot = site.pass(&bench, HOUR + 13 * MINUTE).await;
        let view = &snapshot.groups[0];
        assert_eq!(view.tally.lost, [0, 0], "wrong by {wrong} s");
        assert!(bench.clock.wall().since(view.last_success.expect("a success")) <= 2 * MINUTE, "wrong by {wrong} s");
        site.assert_true(view);
        bench.end().await;
    }
    assert_eq!(site.gaps(&Scope::Appliance, CAPACITY), NO_GAPS);
}

#[tokio::test(start_paused = true)]
async fn windows_of_another_length_go_on_where_the_others_ended() {
    let site = Site::new();
    for (minutes, span) in [(1, 63), (5, 52), (1, 34), (5, 128), (15, 61), (1, 7)] {
        let config = appliance(&[CAPACITY], polling(minutes * MINUTE));
        let snapshot = site.live(&config, span * MINUTE).await;
        assert_eq!((snapshot.groups[0].window, snapshot.groups[0].tally.lost), (minutes * MINUTE, [0, 0]));
        site.assert_true(&snapshot.groups[0]);
    }
    assert_eq!(site.gaps(&Scope::Appliance, CAPACITY), NO_GAPS);
}

#[tokio::test(start_paused = true)]
async fn scopes_and_groups_come_and_go_and_come_back() {
    let site = Site::new();
    let device = Scope::DeviceGroup("Branches".into());
    let few = appliance(&[CAPACITY], polling(5 * MINUTE));
    let mut all = appliance(&[CAPACITY, INCOMING], polling(5 * MINUTE));
    all.scopes.push(device.clone());
    for (config, targets) in [(&few, 1), (&all, 4), (&few, 1), (&all, 4)] {
        let snapshot = site.live(config, 100 * MINUTE).await;
        assert_eq!(snapshot.groups.len(), targets);
        for view in &snapshot.groups {
            assert_eq!(view.tally.lost, [0, 0]);
            site.assert_true(view);
        }
    }
    for (scope, group) in [(&Scope::Appliance, CAPACITY), (&Scope::Appliance, INCOMING), (&device, CAPACITY)] {
        assert_eq!(site.gaps(scope, group), NO_GAPS, "what was away is made up for");
    }
}

#[tokio::test(start_paused = true)]
async fn a_group_that_was_away_for_too_long_begins_at_zero() {
    let site = Site::new();
    let short = Polling { catch_up: 30 * MINUTE, ..polling(MINUTE) };
    let (few, all) = (appliance(&[CAPACITY], short), appliance(&[CAPACITY, INCOMING], short));
    let before = site.live(&all, HOUR).await;
    site.live(&few, 2 * HOUR).await;
    let after = site.live(&all, 10 * MINUTE).await;
    assert_eq!(after.groups[0].tally.lost, [0, 0], "the other one went on");
    let [lost, 0] = after.groups[1].tally.lost else { panic!("they are too old: {:?}", after.groups[1].tally) };
    assert!((89..=92).contains(&lost), "{lost} of 120 minutes lie beyond half an hour");
    assert_eq!(site.gaps(&Scope::Appliance, INCOMING), [lost]);
    assert!(after.groups[1].totals[0].value < before.groups[1].totals[0].value, "a reset can be seen");
    site.assert_true(&after.groups[0]);
}

#[tokio::test(start_paused = true)]
async fn whole_hours_and_back_lose_nothing() {
    let site = Site::new();
    let minutes = appliance(&[CAPACITY], polling(MINUTE));
    let hours = appliance(&[CAPACITY], Polling { alignment: Alignment::Hour, ..polling(5 * MINUTE) });
    let long = appliance(&[CAPACITY], polling(HOUR));
    for (config, span, window) in [
        (&minutes, 95 * MINUTE, MINUTE),
        // The hour from 13:00, of which half an hour is counted, and back in the middle of another.
        (&hours, 4 * HOUR, HOUR),
        (&minutes, 2 * HOUR, MINUTE),
        (&long, 3 * HOUR, HOUR),
        (&minutes, 2 * HOUR, MINUTE),
        (&hours, 7 * MINUTE, HOUR),
        (&long, 3 * HOUR, HOUR),
        (&hours, 3 * HOUR, HOUR),
        (&minutes, 2 * HOUR, MINUTE),
    ] {
        let view = &site.live(config, span).await.groups[0];
        assert_eq!((view.window, view.tally.lost, view.tally.late), (window, [0, 0], 0));
    }
    assert_eq!(site.gaps(&Scope::Appliance, CAPACITY), NO_GAPS);
    site.assert_true(&site.live(&minutes, HOUR).await.groups[0]);
}

#[tokio::test(start_paused = true)]
async fn windows_of_hours_that_begin_within_an_hour_count_nothing_twice() {
    let site = Site::new();
    let minutes = appliance(&[CAPACITY], polling(MINUTE));
    let long = appliance(&[CAPACITY], polling(2 * HOUR));
    // The first hour of the totals is not whole; the two hours after it are one window with the rest of it.
    site.live(&minutes, 10 * MINUTE).await;
    let view = Arc::clone(&site.live(&long, 9 * HOUR).await.groups[0]);
    assert_eq!((view.window, view.tally.lost, view.tally.late, view.difference), (2 * HOUR, [0, 0], 0, Some(0)));
    assert!(view.tally.reconciliations > 0);
    site.assert_true(&view);
}

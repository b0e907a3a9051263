//! An appliance that answers for whole hours only: the hour that runs, and what a restart knows.

use super::*;
use crate::config::Scope;
use crate::ledger::Ledger;
use crate::store::Facts;

const BOTH: &[&str] = &[CAPACITY, INCOMING];
const HOUR: Duration = Duration::from_secs(3600);

/// What an appliance does that takes whole hours only, and no end in the future while it `declines`.
fn hours_only(clock: Clock, declines: Arc<Mutex<bool>>) -> Script {
    Box::new(move |query, _| {
        let (start, end) = (query.window.start(), query.window.end());
        let whole = |time| Grid::HOURS.floor(time) == time;
        let words = match whole(start) && whole(end) {
            false => "status 404: duration attribute supports only 00 minutes..",
            true if end > clock.wall() && *declines.lock().expect("no panic") => "status 404: no future.",
            true => return Ok(()),
        };
        Err(Failure { detail: words.into(), ..fails(Reason::Declined) })
    })
}

struct Site {
    clock: Clock,
    declines: Arc<Mutex<bool>>,
    ledger: Arc<Ledger>,
}

impl Site {
    fn new(declines: bool) -> Self {
        let clock = Clock::lapse(Timestamp::from_secs(NOON + 30), 1);
        Self { clock, declines: Arc::new(Mutex::new(declines)), ledger: Arc::new(Ledger::in_memory()) }
    }

    fn start(&self, polling: Polling) -> Bench {
        let script = hours_only(self.clock.clone(), Arc::clone(&self.declines));
        let fake = fake(self.clock.clone(), Duration::from_millis(200), script);
        Bench::resume(&appliance(BOTH, polling), Arc::clone(&self.ledger), self.clock.clone(), fake)
    }

    /// How far the totals are behind, which must be those of all minutes until then.
    fn age(&self, bench: &Bench) -> Duration {
        let snapshot = bench.snapshot();
        let ages = snapshot.groups.iter().map(|view| {
            let key = TotalsKey { appliance: "a".into(), scope: Scope::Appliance, group: Arc::clone(&view.group) };
            let epoch = self.ledger.account(&key).expect("begun").epoch;
            let end = view.window_end.expect("counted");
            for total in &*view.totals {
                assert_eq!(total.value, (end.since(epoch).as_secs() / 60) as f64, "{}", total.family.name);
            }
            self.clock.wall().since(end)
        });
        ages.max().expect("groups")
    }
}

/// How many reports were requested that begin or end within an hour, and such as end in the future.
fn requests(site: &Site, bench: &Bench) -> (usize, usize) {
    let asked = bench.fake.asked.lock().expect("no panic");
    let whole = |time| Grid::HOURS.floor(time) == time;
    let minutes = asked.iter().filter(|(_, _, window)| !whole(window.start()) || !whole(window.end())).count();
    let future = asked.iter().filter(|(_, _, window)| whole(window.end()) && window.end() > site.clock.wall()).count();
    (minutes, future)
}

fn running(bench: &Bench) -> Vec<Option<bool>> {
    bench.snapshot().groups.iter().map(|view| view.running_hour).collect()
}

#[tokio::test(start_paused = true)]
async fn totals_are_never_older_than_a_window_and_the_settle_delay() {
    let site = Site::new(false);
    let bench = site.start(polling(5 * MINUTE));
    bench.clock.sleep(2 * MINUTE).await;
    let mut ages = Vec::new();
    for _ in 0..(26 * 60 * 2) {
        bench.clock.sleep(MINUTE / 2).await;
        ages.push(site.age(&bench));
    }
    ages.sort();
    let (median, worst) = (ages[ages.len() / 2], ages[ages.len() - 1]);
    assert!(median <= 4 * MINUTE && worst <= 9 * MINUTE, "median {median:?}, worst {worst:?}");
    assert_eq!(running(&bench), [Some(true); 2]);
    assert!(bench.snapshot().groups.iter().all(|view| view.tally.lost == [0, 0] && view.tally.late == 0));
    bench.end().await;
}

#[tokio::test(start_paused = true)]
async fn an_hour_is_requested_no_more_often_than_minutes_are() {
    let count = async |hours_only: bool| {
        let site = Site::new(false);
        let config =
            Polling { alignment: if hours_only { Alignment::Auto } else { Alignment::Minute }, ..polling(5 * MINUTE) };
        let bench = match hours_only {
            true => site.start(config),
            false => bench(BOTH, config, Box::new(|_, _| Ok(()))),
        };
        bench.clock.sleep(24 * HOUR).await;
        let asked = bench.fake.windows(CAPACITY).len();
        bench.end().await;
        asked
    };
    let (hours, minutes) = (count(true).await, count(false).await);
    // The one that was refused, the probe for it, and the comparison of the first hour of a day, which looks like a window.
    assert!(hours <= minutes + 4, "{hours} requests in a day of hours, {minutes} in one of minutes");
}

#[tokio::test(start_paused = true)]
async fn one_refused_report_finds_the_hours_and_a_restart_needs_none() {
    let site = Site::new(false);
    let bench = site.start(polling(5 * MINUTE));
    bench.clock.sleep(HOUR).await;
    assert_eq!(requests(&site, &bench).0, 1);
    bench.end().await;
    let bench = site.start(polling(5 * MINUTE));
    bench.clock.sleep(HOUR).await;
    assert_eq!(requests(&site, &bench).0, 0);
    assert!(site.age(&bench) <= 9 * MINUTE);
    bench.end().await;
}

#[tokio::test(start_paused = true)]
async fn an_appliance_that_declines_is_counted_by_closed_hours_and_asked_again_once_a_day() {
    let site = Site::new(true);
    let bench = site.start(polling(5 * MINUTE));
    bench.clock.sleep(HOUR).await;
    assert_eq!(running(&bench), [Some(false); 2]);
    assert!(bench.snapshot().groups.iter().all(|view| view.success_until.is_some() && view.trouble.is_none()));
    let asked = requests(&site, &bench).1;
    assert!(asked <= 2, "asked twice, with a closed hour between, it is believed: {asked}");
    bench.end().await;
    // A restart knows it.
    let bench = site.start(polling(5 * MINUTE));
    bench.clock.sleep(20 * HOUR).await;
    assert_eq!(running(&bench), [Some(false); 2]);
    assert!(bench.fake.windows(CAPACITY).len() <= 22, "{:?}", bench.fake.windows(CAPACITY));
    assert!(site.age(&bench) <= HOUR + 3 * MINUTE);
    *site.declines.lock().expect("no panic") = false;
    bench.clock.sleep(5 * HOUR).await;
    assert_eq!(running(&bench), [Some(true); 2], "it is asked again");
    assert!(site.age(&bench) <= 9 * MINUTE);
    bench.end().await;
}

#[tokio::test(start_paused = true)]
async fn an_upgrade_that_accepts_minutes_is_noticed_without_a_restart() {
    let site = Site::new(true);
    let hours = hours_only(site.clock.clone(), Arc::clone(&site.declines));
    let accepts_minutes = Arc::new(AtomicUsize::new(0));
    let upgraded = Arc::clone(&accepts_minutes);
    let script: Script = Box::new(move |query, count| match upgraded.load(Ordering::Relaxed) {
        0 => hours(query, count),
        _ => Ok(()),
    });
    let fake = fake(site.clock.clone(), Duration::from_millis(200), script);
    *fake.release.lock().expect("no panic") = Some("15.0.0-100");
    let bench =
        Bench::resume(&appliance(BOTH, polling(5 * MINUTE)), Arc::clone(&site.ledger), site.clock.clone(), fake);
    bench.clock.sleep(95 * MINUTE).await;
    assert!(bench.snapshot().groups.iter().all(|view| view.window == HOUR));
    assert_eq!(running(&bench), [Some(false); 2]);
    // The same release is asked for no minutes, even if it would accept them.
    accepts_minutes.store(1, Ordering::Relaxed);
    bench.clock.sleep(2 * HOUR).await;
    assert!(bench.snapshot().groups.iter().all(|view| view.window == HOUR));
    *bench.fake.release.lock().expect("no panic") = Some("15.5.1-055");
    bench.clock.sleep(HOUR + 10 * MINUTE).await;
    let snapshot = bench.snapshot();
    assert!(snapshot.groups.iter().all(|view| view.window == 5 * MINUTE && view.tally.lost == [0, 0]));
    assert!(site.age(&bench) <= 9 * MINUTE);
    let facts = site.ledger.facts("a");
    assert_eq!(facts, Facts { not_offered: facts.not_offered.clone(), ..Facts::default() });
    bench.end().await;
}

#[tokio::test(start_paused = true)]
async fn an_upgrade_that_answers_for_running_hours_is_asked_for_them_at_once() {
    let site = Site::new(true);
    let bench = site.start(polling(5 * MINUTE));
    *bench.fake.release.lock().expect("no panic") = Some("15.0.0-100");
    bench.clock.sleep(95 * MINUTE).await;
    assert_eq!(running(&bench), [Some(false); 2]);
    *site.declines.lock().expect("no panic") = false;
    *bench.fake.release.lock().expect("no panic") = Some("15.5.1-055");
    bench.clock.sleep(HOUR + 10 * MINUTE).await;
    assert_eq!(running(&bench), [Some(true); 2], "not a day later");
    assert!(site.age(&bench) <= 9 * MINUTE);
    bench.end().await;
}

#[tokio::test(start_paused = true)]
async fn an_upgrade_is_noticed_though_no_release_was_known_when_hours_were_found() {
    let site = Site::new(false);
    let bench = site.start(polling(5 * MINUTE));
    bench.clock.sleep(95 * MINUTE).await;
    assert_eq!(site.ledger.facts("a").release, None);
    for release in ["15.0.0-100", "15.5.1-055"] {
        *bench.fake.release.lock().expect("no panic") = Some(release);
        let refused = requests(&site, &bench).0;
        bench.clock.sleep(2 * HOUR).await;
        let is_asked = requests(&site, &bench).0 > refused;
        assert_eq!(is_asked, release == "15.5.1-055", "whether minutes are requested of {release}");
        assert_eq!(site.ledger.facts("a").release.as_deref(), Some(release));
    }
    bench.end().await;
}

#[tokio::test(start_paused = true)]
async fn the_running_hour_can_be_left_alone() {
    let site = Site::new(false);
    let bench = site.start(Polling { running_hour: false, ..polling(5 * MINUTE) });
    bench.clock.sleep(5 * HOUR).await;
    assert_eq!(running(&bench), [Some(false); 2]);
    assert_eq!(requests(&site, &bench).1, 0);
    // It is closed as an hour if it had run before.
    bench.end().await;
    let bench = site.start(polling(5 * MINUTE));
    bench.clock.sleep(30 * MINUTE).await;
    bench.end().await;
    let bench = site.start(Polling { running_hour: false, ..polling(5 * MINUTE) });
    bench.clock.sleep(3 * HOUR).await;
    assert!(site.age(&bench) <= HOUR + 3 * MINUTE);
    bench.end().await;
}

#[tokio::test(start_paused = true)]
async fn outages_restarts_and_the_end_of_an_hour_cost_nothing() {
    let site = Site::new(false);
    for (minutes, late) in [(47, Late::Add), (8, Late::Ignore), (9, Late::Ignore), (61, Late::Add), (200, Late::Ignore)]
    {
        let bench = site.start(Polling { late, ..polling(5 * MINUTE) });
        bench.clock.sleep(minutes * MINUTE).await;
        assert!(site.age(&bench) <= 9 * MINUTE, "after {minutes} minutes");
        bench.end().await;
        // Nothing runs for a while.
        site.clock.sleep((minutes % 50) * MINUTE).await;
    }
}

/// What releases say that accept whole hours only.
const WORDS: [&str; 2] = ["status 404: duration attribute supports only 00 minutes..", "status 404: No."];

#[tokio::test(start_paused = true)]
async fn an_appliance_that_has_answered_for_minutes_is_not_turned_to_hours_by_one_refusal() {
    for words in WORDS {
        let script = move |query: &Query, count| match count {
            3 if query.window.length() == MINUTE => Err(Failure { detail: words.into(), ..fails(Reason::Declined) }),
            _ => Ok(()),
        };
        let bench = bench(&[CAPACITY], polling(MINUTE), Box::new(script));
        bench.clock.sleep(30 * MINUTE).await;
        let view = &bench.snapshot().groups[0];
        assert_eq!((view.window, view.tally.lost), (MINUTE, [0, 0]), "{words}");
        assert_totals(view);
        bench.end().await;
    }
}

#[tokio::test(start_paused = true)]
async fn one_window_that_is_always_refused_does_not_turn_an_appliance_to_hours() {
    for words in WORDS {
        let refused = Timestamp::from_secs(NOON + 180);
        let script = move |query: &Query, _| match query.window.start() == refused && query.window.length() == MINUTE {
            true => Err(Failure { detail: words.into(), ..fails(Reason::Declined) }),
            false => Ok(()),
        };
        let bench = bench(&[CAPACITY], polling(MINUTE), Box::new(script));
        bench.clock.sleep(2 * HOUR).await;
        let view = &bench.snapshot().groups[0];
        assert_eq!((view.window, view.tally.lost), (MINUTE, [0, 0]), "{words}");
        assert!(view.success_until.is_some(), "{words}");
        assert_totals(view);
        bench.end().await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_appliance_that_accepted_minutes_and_does_so_no_more_is_turned_to_hours() {
    for words in WORDS {
        let script = move |query: &Query, count| match count > 3 && query.window.length() < HOUR {
            true => Err(Failure { detail: words.into(), ..fails(Reason::Declined) }),
            false => Ok(()),
        };
        let bench = bench(&[CAPACITY, INCOMING], polling(MINUTE), Box::new(script));
        bench.clock.sleep(30 * MINUTE).await;
        assert!(bench.snapshot().groups.iter().all(|view| view.window == HOUR), "{words}");
        bench.end().await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_end_in_the_future_may_be_refused_as_any_error() {
    for reason in [Reason::Malformed, Reason::Unavailable, Reason::Status, Reason::NotJson] {
        let site = Site::new(false);
        let (hours, clock) = (hours_only(site.clock.clone(), Arc::default()), site.clock.clone());
        let script: Script = Box::new(move |query, count| match query.window.end() > clock.wall() + MINUTE {
            true => Err(Failure { detail: "status 500: wrong date".into(), ..fails(reason) }),
            false => hours(query, count),
        });
        let fake = fake(site.clock.clone(), Duration::from_millis(200), script);
        let bench =
            Bench::resume(&appliance(BOTH, polling(5 * MINUTE)), Arc::clone(&site.ledger), site.clock.clone(), fake);
        for _ in 0..5 * 60 {
            bench.clock.sleep(MINUTE).await;
            let snapshot = bench.snapshot();
            assert!(snapshot.up_until.is_some(), "{reason:?}: whole hours are answered");
        }
        let snapshot = bench.snapshot();
        assert!(snapshot.groups.iter().all(|view| view.success_until.is_some()), "{reason:?}");
        assert_eq!(running(&bench), [Some(false); 2], "{reason:?}");
        assert!(site.age(&bench) <= HOUR + 3 * MINUTE, "{reason:?}");
        bench.end().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_running_hour_ends_an_earlier_failure() {
    let site = Site::new(false);
    let (hours, clock) = (hours_only(site.clock.clone(), Arc::default()), site.clock.clone());
    let ends = site.clock.wall() + 10 * MINUTE;
    let script: Script = Box::new(move |query, count| match query.window.end() > clock.wall() + MINUTE {
        true if clock.wall() < ends => Err(fails(Reason::Timeout)),
        true => Err(fails(Reason::Declined)),
        false => hours(query, count),
    });
    let fake = fake(site.clock.clone(), Duration::from_millis(200), script);
    let bench =
        Bench::resume(&appliance(BOTH, polling(5 * MINUTE)), Arc::clone(&site.ledger), site.clock.clone(), fake);
    bench.clock.sleep(9 * MINUTE).await;
    assert!(bench.snapshot().groups.iter().all(|view| view.success_until.is_none()), "the running hour failed");
    bench.clock.sleep(21 * MINUTE).await;
    let snapshot = bench.snapshot();
    assert_eq!(running(&bench), [Some(false); 2]);
    for view in &snapshot.groups {
        assert!(view.success_until.is_some() && view.trouble.is_none(), "{}: nothing is due", view.group);
    }
    bench.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_total_that_begins_is_shown_as_zero_for_a_window_and_not_for_an_hour() {
    let site = Site::new(false);
    let hours = Polling { alignment: Alignment::Hour, ..polling(MINUTE) };
    // A new process takes what it counts first for older than itself.
    site.clock.sleep(HOUR).await;
    let script = hours_only(site.clock.clone(), Arc::clone(&site.declines));
    let fake = fake(site.clock.clone(), Duration::from_millis(200), script);
    let config = appliance(BOTH, hours);
    let bench = Bench::resume(&config, Arc::clone(&site.ledger), site.clock.clone(), fake);
    bench.clock.sleep(MINUTE).await;
    let held = || bench.snapshot().groups.iter().filter(|view| !view.beginnings.is_empty()).count();
    assert_eq!(held(), 2);
    bench.clock.sleep(3 * MINUTE).await;
    assert_eq!(held(), 0);
    bench.end().await;
}

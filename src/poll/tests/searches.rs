//! Searches of the message tracking on an appliance whose answers hold a page, over days.

use super::*;
use crate::api::{Count, Depth, TrackingQuery, Unusable};

/// How far a count goes, as the client has it.
const FIRST_PAGE: u64 = 100;
const MOST: u64 = 5000;
const HOUR: Duration = Duration::from_secs(3600);

/// An appliance on which a search finds so many messages in each minute, some of which arrive a day late.
struct Tracking {
    clock: Clock,
    per_minute: u64,
    /// Minutes, counted since 1970, of which one message more is found from then on.
    late: Mutex<BTreeMap<u64, Timestamp>>,
    /// Before this it does not answer.
    down_until: Mutex<Timestamp>,
    asked: Mutex<Vec<(Window, Depth)>>,
}

impl Source for Tracking {
    async fn connect(&self) -> Result<(), Failure> {
        Ok(())
    }

    async fn fetch(&self, query: &Query) -> Result<Reply, Failure> {
        tokio::time::sleep(Duration::from_millis(200)).await;
        if self.now() < *self.down_until.lock().expect("no panic") {
            return Err(fails(Reason::Connect));
        }
        let TrackingQuery { depth, .. } = query.search.as_ref().expect("nothing but a search is configured");
        self.asked.lock().expect("no panic").push((query.window, *depth));
        let minutes = query.window.start().as_secs() / 60..query.window.end().as_secs() / 60;
        let late = self.late.lock().expect("no panic");
        let late = late.range(minutes.clone()).filter(|(_, from)| **from <= self.now()).count() as u64;
        let found = (minutes.end - minutes.start) * self.per_minute + late;
        let most = match depth {
            Depth::AllPages => MOST,
            Depth::FirstPage => FIRST_PAGE,
        };
        let count = if found < most { Count::Exact(found) } else { Count::AtLeast(most) };
        Ok(Reply { report: Report::of("messages", count), at: self.now(), sent: "/asked".into() })
    }

    async fn observe(&self, _: &StatusKind) -> Result<Observation, Failure> {
        Err(fails(Reason::Declined))
    }

    fn set_pace(&self, _: Pace) {}

    fn now(&self) -> Timestamp {
        self.clock.wall()
    }

    fn clock_doubt(&self) -> Option<ClockDoubt> {
        None
    }

    fn skew_seconds(&self) -> Option<f64> {
        Some(0.0)
    }
}

fn search(window: Duration, per_minute: u64) -> Bench<Tracking> {
    search_with(polling(window), per_minute)
}

fn search_with(polling: Polling, per_minute: u64) -> Bench<Tracking> {
    let mut appliance = appliance(&[CAPACITY], polling);
    appliance.groups.clear();
    let text = "appliances: [{name: a, url: 'http://localhost:1', username: u, password: p, \
                tracking_searches: [{name: ceo}]}]";
    appliance.searches = Config::parse("test", text).expect("a valid configuration").appliances.remove(0).searches;
    for choice in &mut appliance.searches {
        choice.grid = polling.grid;
    }
    let clock = Clock::lapse(Timestamp::from_secs(NOON + 30), 1);
    let tracking = Tracking {
        clock: clock.clone(),
        per_minute,
        late: Mutex::default(),
        down_until: Mutex::new(Timestamp::from_secs(0)),
        asked: Mutex::default(),
    };
    Bench::resume(&appliance, Arc::new(Ledger::in_memory()), clock, Arc::new(tracking))
}

impl Bench<Tracking> {
    async fn after(&self, span: Duration) -> GroupView {
        let until = self.clock.tick() + span;
        // One sleep is a day at most.
        while self.clock.tick() < until {
            self.clock.sleep_until(until).await;
        }
        GroupView::clone(&self.snapshot().groups[0])
    }
}

fn total(view: &GroupView) -> f64 {
    view.totals[0].value
}

/// How many windows are in no total because their count is a lower bound.
fn lower_bounds(view: &GroupView) -> u64 {
    let position = Unusable::ALL.iter().position(|known| *known == Unusable::LowerBound).expect("a reason");
    view.tally.unusable[position]
}

#[tokio::test(start_paused = true)]
async fn a_backlog_that_no_count_reaches_over_is_counted_in_parts() {
    for (minutes, per_minute) in [(1, 250), (5, 250), (1, 4999), (1, 3), (15, 333)] {
        let bench = search(minutes * MINUTE, per_minute);
        bench.after(HOUR).await;
        *bench.fake.down_until.lock().expect("no panic") = bench.clock.wall() + 5 * HOUR;
        let view = bench.after(30 * HOUR).await;
        let counted = view.tally.committed * u64::from(minutes);
        assert!(counted > 30 * 60, "{counted} minutes");
        assert_eq!(total(&view), (counted * per_minute) as f64, "{per_minute} a minute");
        assert_eq!((lower_bounds(&view), view.tally.late, view.tally.lost), (0, 0, [0, 0]), "{per_minute} a minute");
        // Once it is over nothing is asked for twice.
        let asked = bench.fake.asked.lock().expect("no panic").clone();
        let newest: Vec<_> = asked.iter().rev().filter(|(_, depth)| *depth == Depth::AllPages).take(60).collect();
        assert!(newest.windows(2).all(|pair| pair[1].0.end() == pair[0].0.start()), "{per_minute} a minute");
        bench.end().await;
    }
}

#[tokio::test(start_paused = true)]
async fn halves_are_forgotten_with_the_backlog() {
    let bench = search(MINUTE, 250);
    for _ in 0..2 {
        bench.after(HOUR).await;
        *bench.fake.down_until.lock().expect("no panic") = bench.clock.wall() + 3 * HOUR;
        bench.after(5 * HOUR).await;
        let asked = std::mem::take(&mut *bench.fake.asked.lock().expect("no panic"));
        let longest =
            asked.iter().filter(|(_, depth)| *depth == Depth::AllPages).map(|(window, _)| window.length()).max();
        assert!(longest > Some(30 * MINUTE), "{longest:?}");
    }
    bench.end().await;
}

#[tokio::test(start_paused = true)]
async fn windows_beyond_the_bound_are_in_no_total_and_never_late() {
    let bench = search(MINUTE, MOST);
    let view = bench.after(30 * HOUR).await;
    assert!(view.tally.committed > 29 * 60);
    assert_eq!(lower_bounds(&view), view.tally.committed);
    assert_eq!((total(&view), view.tally.late, view.difference), (0.0, 0, None));
    let reading = view.reading.expect("shown");
    assert_eq!(reading.samples[0].value, MOST as f64);
    bench.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_day_is_compared_with_one_page_or_not_at_all() {
    for (per_minute, is_compared) in [(0, true), (2, false), (250, false)] {
        let bench = search(5 * MINUTE, per_minute);
        let from = bench.clock.wall();
        // Three messages of the third hour that are found ten hours after.
        let hour = from.as_secs() / 60 + 180;
        let late = [5, 6, 40].map(|minute| (hour + minute, from + 13 * HOUR));
        bench.fake.late.lock().expect("no panic").extend(late);
        let view = bench.after(40 * HOUR).await;
        let minutes = view.tally.committed * 5;
        let found = if is_compared { 3 } else { 0 };
        assert_eq!(view.tally.late, found, "{per_minute} a minute");
        assert_eq!(view.difference.is_some(), is_compared, "{per_minute} a minute");
        assert_eq!(total(&view), (minutes * per_minute + found) as f64, "{per_minute} a minute");
        let asked = bench.fake.asked.lock().expect("no panic").clone();
        let audits = asked.iter().filter(|(_, depth)| *depth == Depth::FirstPage);
        assert!(audits.clone().count() <= 41, "one request an hour, and one at the end of a day's late data");
        assert!(asked.iter().all(|(window, depth)| *depth == Depth::FirstPage || window.length() <= HOUR));
        bench.end().await;
    }
}

#[tokio::test(start_paused = true)]
async fn looks_at_a_busy_search_teach_nothing() {
    let automatic = Polling { settle: Settle::Auto(2 * MINUTE), ..polling(5 * MINUTE) };
    let bench = search_with(automatic, 250);
    let view = bench.after(12 * HOUR).await;
    assert_eq!(view.settle, 6 * MINUTE, "as long as tracking takes at least");
    assert_eq!((total(&view), lower_bounds(&view)), ((view.tally.committed * 5 * 250) as f64, 0));
    bench.end().await;
}

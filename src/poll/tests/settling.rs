//! The settle delay that is learned, against appliances whose data arrive in known ways.

use super::*;

/// Events a minute: enough for one window to tell a thousandth.
const EVENTS: u64 = 300;

/// An appliance that has the data of a minute so long after its end, or with the next batch after that.
struct Spooled {
    clock: Clock,
    lag: Mutex<Duration>,
    batch: u64,
    asked: Mutex<usize>,
}

impl Source for Spooled {
    async fn connect(&self) -> Result<(), Failure> {
        Ok(())
    }

    async fn fetch(&self, query: &Query) -> Result<Reply, Failure> {
        *self.asked.lock().expect("no panic") += 1;
        tokio::time::sleep(Duration::from_millis(200)).await;
        let at = self.now();
        let lag = *self.lag.lock().expect("no panic");
        let seen = Timestamp::from_secs((at - lag).as_secs() / self.batch * self.batch).min(query.window.end());
        let events = seen.since(query.window.start()).as_secs() / 60 * EVENTS;
        let counters: BTreeMap<_, _> = query.group.counters.iter().map(|counter| (&*counter.name, events)).collect();
        let body = serde_json::json!({"data": {"resultSet": counters}}).to_string();
        Ok(Reply { report: Report::parse(&body)?, at, sent: "/asked".into() })
    }

    async fn observe(&self, _: &StatusKind) -> Result<Observation, Failure> {
        Err(fails(Reason::Declined))
    }

    fn set_pace(&self, _: Pace) {}

    fn now(&self) -> Timestamp {
        self.clock.wall()
    }

    fn skew_seconds(&self) -> Option<f64> {
        Some(0.0)
    }

    fn clock_doubt(&self) -> Option<ClockDoubt> {
        None
    }
}

/// A poller that begins with the settle delay `first`, of data that an appliance has `lag` after each end of a `batch`.
fn learning(first: Duration, lag: Duration, batch: Duration) -> Bench<Spooled> {
    polled(Settle::Auto(first), lag, batch)
}

fn polled(settle: Settle, lag: Duration, batch: Duration) -> Bench<Spooled> {
    let clock = Clock::lapse(Timestamp::from_secs(NOON + 30), 1);
    let spooled = Arc::new(Spooled {
        clock: clock.clone(),
        lag: Mutex::new(lag),
        batch: batch.as_secs(),
        asked: Mutex::default(),
    });
    let polling = Polling { settle, ..polling(5 * MINUTE) };
    Bench::start(&[INCOMING], polling, clock, spooled)
}

impl Bench<Spooled> {
    async fn after(&self, hours: u32) -> Duration {
        self.clock.sleep(hours * 60 * MINUTE).await;
        self.snapshot().groups[0].settle
    }

    /// Panics unless the total is the truth for the time that is counted.
    async fn end_true(self) {
        let snapshot = self.snapshot();
        let view = &snapshot.groups[0];
        for total in &*view.totals {
            let minutes = view.tally.committed * view.window.as_secs() / 60;
            assert_eq!(total.value, (minutes * EVENTS) as f64, "{}", total.family.name);
        }
        self.end().await;
    }
}

#[tokio::test(start_paused = true)]
async fn data_that_are_there_at_once_are_asked_for_sooner() {
    let learning = learning(20 * MINUTE, Duration::ZERO, MINUTE);
    assert_eq!(learning.after(6).await, 20 * MINUTE, "not before enough was seen");
    assert_eq!(learning.after(10).await, MINUTE / 2);
    learning.end_true().await;
}

#[tokio::test(start_paused = true)]
async fn data_that_are_late_are_waited_for_at_once() {
    let learning = learning(2 * MINUTE, 4 * MINUTE, MINUTE);
    assert_eq!(learning.after(1).await, 5 * MINUTE);
    *learning.fake.lag.lock().expect("no panic") = 40 * MINUTE;
    assert_eq!(learning.after(6).await, 45 * MINUTE);
    *learning.fake.lag.lock().expect("no panic") = Duration::ZERO;
    assert_eq!(learning.after(6).await, 45 * MINUTE, "what was seen is believed for a day");
    assert_eq!(learning.after(36).await, MINUTE / 2);
    learning.end().await;
}

#[tokio::test(start_paused = true)]
async fn batches_are_waited_for_whatever_minute_a_window_ends_in() {
    let learning = learning(2 * MINUTE, MINUTE, 15 * MINUTE);
    // A window that ends five minutes after a batch waits ten for the next, and a minute for that to come.
    assert_eq!(learning.after(30).await, 15 * MINUTE);
    let late = learning.snapshot().groups[0].tally.late;
    learning.after(24).await;
    let snapshot = learning.snapshot();
    assert_eq!(snapshot.groups[0].tally.late, late, "nothing is late any more");
    learning.end().await;
}

#[tokio::test(start_paused = true)]
async fn looking_costs_an_appliance_little() {
    let learning = learning(2 * MINUTE, Duration::ZERO, MINUTE);
    learning.after(24).await;
    let asked = *learning.fake.asked.lock().expect("no panic");
    let (polls, audits) = (24 * 12 + 1, 24);
    assert!(asked <= polls + audits + 24 * 7, "{} looks in a day", asked - polls - audits);
    learning.end_true().await;
}

/// What the learned delay is for: the defaults are right for most appliances, and a slow one shows nearly half of its events
/// in the wrong window with them. An appliance that is faster than its default is fresher.
#[tokio::test(start_paused = true)]
async fn a_learned_delay_serves_appliances_that_the_defaults_do_not_fit() {
    let (esa, sma) = (2 * MINUTE, 20 * MINUTE);
    let quarter = 15 * MINUTE;
    // Default, delay of the data, batches; hundredths of all events that come after the default delay; the delay learned.
    let cases = [
        ("ESA, data after 30 s", esa, MINUTE / 2, MINUTE, 0, MINUTE),
        ("ESA, data after 4 min", esa, 4 * MINUTE, MINUTE, 40, 5 * MINUTE),
        ("SMA, batches of 15 min after 1 min", sma, MINUTE, quarter, 0, quarter),
        ("SMA, batches of 15 min after 25 min", sma, 25 * MINUTE, quarter, 100, 45 * MINUTE),
    ];
    for (name, default, lag, batch, late_by_default, learned) in cases {
        let (fixed, auto) = (polled(Settle::Fixed(default), lag, batch), learning(default, lag, batch));
        assert_eq!((fixed.after(48).await, auto.after(48).await), (default, learned), "{name}");
        let late = |bench: &Bench<Spooled>| {
            let snapshot = bench.snapshot();
            let all: f64 = snapshot.groups[0].totals.iter().map(|total| total.value).sum();
            snapshot.groups[0].tally.late as f64 * 100.0 / all
        };
        assert!((late(&fixed) - f64::from(late_by_default)).abs() < 3.0, "{name}: {}", late(&fixed));
        assert!(late(&auto) < 1.0, "{name}: {}", late(&auto));
        fixed.end().await;
        auto.end().await;
    }
}

//! What bounds the poller: the pace of a backlog, and how far from the present a state may be to be resumed.

use super::*;

const HOUR: Duration = Duration::from_secs(3600);

/// A whole life of a poller that begins when its machine's and its appliance's clocks show `from`.
async fn live(ledger: &Arc<Ledger>, polling: Polling, from: Timestamp, span: Duration) -> GroupView {
    let clock = Clock::lapse(from, 1);
    let fake = fake(clock.clone(), Duration::from_millis(200), Box::new(|_, _| Ok(())));
    let bench = Bench::resume(&appliance(&[CAPACITY], polling), Arc::clone(ledger), clock, fake);
    bench.clock.sleep(span).await;
    let view = GroupView::clone(&bench.snapshot().groups[0]);
    bench.end().await;
    view
}

/// Every counter shows minutes: so many are counted.
fn minutes(view: &GroupView) -> u64 {
    view.totals[0].value as u64
}

fn minutes_between(earlier: &GroupView, later: &GroupView) -> u64 {
    let end = |view: &GroupView| view.window_end.expect("a window is counted");
    end(later).since(end(earlier)).as_secs() / 60
}

#[tokio::test(start_paused = true)]
async fn a_backlog_pauses_as_long_as_an_answer_takes_within_bounds() {
    let cases = [(0, 10), (5, 10), (300, 300), (4000, 4000), (20_000, 5000)];
    for (took, pause) in cases.map(|(took, pause)| (Duration::from_millis(took), Duration::from_millis(pause))) {
        let answers = Arc::new(Mutex::new(Vec::new()));
        let (clock_of, written) = (Arc::new(Mutex::new(None::<Clock>)), Arc::clone(&answers));
        let inner = Arc::clone(&clock_of);
        let script = move |query: &Query, _| {
            let now =
                inner.lock().expect("no panic").as_ref().filter(|_| query.group.name == CAPACITY).map(Clock::tick);
            written.lock().expect("no panic").extend(now);
            Ok(())
        };
        let bench =
            slow_bench(&[CAPACITY], Polling { start: Some(8 * HOUR), ..polling(MINUTE) }, took, Box::new(script));
        *clock_of.lock().expect("no panic") = Some(bench.clock.clone());
        bench.clock.sleep(5 * MINUTE).await;
        bench.end().await;
        let answers = answers.lock().expect("no panic");
        // Eight hours are a request each, the newest window is another.
        for pair in answers[..8].windows(2) {
            let paused = pair[1].since(pair[0]).saturating_sub(took);
            assert!((pause..pause + Duration::from_millis(5)).contains(&paused), "{paused:?} after {took:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_state_from_a_far_future_is_not_waited_for() {
    let ledger = Arc::new(Ledger::in_memory());
    let now = Timestamp::from_secs(NOON);
    live(&ledger, polling(MINUTE), now + 240 * HOUR, 5 * HOUR).await;
    let view = live(&ledger, polling(MINUTE), now, 3 * HOUR).await;
    let end = view.window_end.expect("the present is counted");
    assert!((now + 3 * HOUR).since(end) <= 5 * MINUTE && end <= now + 3 * HOUR, "{end}");
    let begun = view.since.expect("a window is counted");
    assert_eq!(minutes(&view), end.since(begun).as_secs() / 60, "and nothing but it");
}

#[tokio::test(start_paused = true)]
async fn a_state_from_a_near_future_is_resumed() {
    let ledger = Arc::new(Ledger::in_memory());
    let now = Timestamp::from_secs(NOON);
    let before = live(&ledger, polling(MINUTE), now, 3 * HOUR).await;
    // The clocks of both were set back by an hour before the restart.
    let after = live(&ledger, polling(MINUTE), now + 2 * HOUR, 3 * HOUR).await;
    assert_eq!(after.tally.lost, [0, 0]);
    assert_eq!(minutes(&after), minutes(&before) + minutes_between(&before, &after));
}

#[tokio::test(start_paused = true)]
async fn a_window_longer_than_catch_up_is_no_reason_to_lose_it() {
    let ledger = Arc::new(Ledger::in_memory());
    let short = Polling { catch_up: 10 * MINUTE, ..polling(HOUR) };
    let now = Timestamp::from_secs(NOON + 30);
    let before = live(&ledger, short, now, 4 * HOUR).await;
    assert_eq!((before.tally.committed, before.tally.lost), (5, [0, 0]), "from 10:00 to 15:00");
    // The hour that ended meanwhile is longer ago than ten minutes in part.
    let after = live(&ledger, short, now + 4 * HOUR + 20 * MINUTE, 2 * HOUR).await;
    assert_eq!((after.tally.committed, after.tally.lost), (3, [0, 0]), "from 15:00 to 18:00");
    assert_eq!(minutes(&after), 8 * 60, "the total goes on");
}

#[tokio::test(start_paused = true)]
async fn a_backlog_whose_answer_is_too_large_or_too_slow_is_split() {
    for reason in [Reason::TooLarge, Reason::Timeout] {
        let script = move |query: &Query, _| match query.window.length() > 15 * MINUTE {
            true => Err(fails(reason)),
            false => Ok(()),
        };
        let polling = Polling { start: Some(8 * HOUR), ..polling(MINUTE) };
        let bench = bench(&[CAPACITY], polling, Box::new(script));
        bench.clock.sleep(2 * HOUR).await;
        let view = Arc::clone(&bench.snapshot().groups[0]);
        assert!(
            view.pending.windows <= 1 && view.success_until.is_some(),
            "{reason:?}: {} are pending",
            view.pending.windows
        );
        assert_eq!(view.tally.lost, [0, 0]);
        assert_totals(&view);
        bench.end().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_disk_that_hangs_keeps_no_other_group_from_being_asked() {
    let (store, _writer) = crate::store::Store::that_hangs();
    let ledger = Arc::new(Ledger::new(Arc::new(store), std::collections::HashMap::new()));
    let clock = Clock::lapse(Timestamp::from_secs(NOON), 1);
    let fake = fake(clock.clone(), Duration::from_millis(200), Box::new(|_, _| Ok(())));
    let bench = Bench::resume(&appliance(&[CAPACITY, INCOMING], polling(MINUTE)), ledger, clock, fake);
    bench.clock.sleep(5 * MINUTE).await;
    let asked = [CAPACITY, INCOMING].map(|group| bench.fake.windows(group));
    assert_eq!(asked[0], asked[1], "what was not written in a minute is asked for again, of both");
    assert!(asked[0].len() > 1 && asked[0].iter().all(|window| window.start() == asked[0][0].start()), "{asked:?}");
    assert!(bench.snapshot().groups.iter().all(|view| view.tally.committed == 0), "nothing is written");
    bench.end().await;
}

#[tokio::test(start_paused = true)]
async fn concurrency_is_kept_and_used() {
    let three = std::num::NonZeroUsize::MIN.saturating_add(2);
    let wide = Polling { concurrency: three, start: Some(60 * MINUTE), ..polling(MINUTE) };
    let bench =
        bench(&[CAPACITY, INCOMING, "mail_security_summary", "mail_mar_summary"], wide, Box::new(|_, _| Ok(())));
    bench.clock.sleep(Duration::from_millis(100)).await;
    assert_eq!(bench.fake.asked.lock().expect("no panic").len(), 3);
    bench.clock.sleep(10 * MINUTE).await;
    for group in [CAPACITY, INCOMING] {
        assert!(contiguous(&bench.fake.windows(group)), "one request in flight per key");
    }
    bench.end().await;
}

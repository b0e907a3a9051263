//! Appliances that are slow, and ones of which some reports fail: every group gets its turn, nothing is lost, and nobody is
//! alarmed for nothing.

use super::*;
use crate::catalogue::DeviceType;

/// So many groups without keys.
pub(super) fn scalars(count: usize) -> Vec<&'static str> {
    let of_mail = catalogue::groups().filter(|group| group.key.is_none() && group.about == DeviceType::Mail);
    of_mail.filter(|group| group.counters.len() > 1).map(|group| &*group.name).take(count).collect()
}

/// What was seen of a bench over a while.
#[derive(Debug)]
struct Seen {
    asked: Vec<usize>,
    /// The oldest that the data of each group became, in seconds, after the first ten minutes.
    oldest: Vec<u64>,
    /// Looks, and those of them that found it up.
    looks: usize,
    up: usize,
}

async fn see(bench: &Bench, span: Duration) -> Seen {
    let step = Duration::from_secs(15);
    let mut seen = Seen { asked: Vec::new(), oldest: Vec::new(), looks: 0, up: 0 };
    let mut past = Duration::ZERO;
    while past < span {
        bench.clock.sleep(step).await;
        past += step;
        if past <= 10 * MINUTE {
            continue;
        }
        let (snapshot, now) = (bench.snapshot(), bench.clock.wall());
        seen.oldest.resize(snapshot.groups.len(), 0);
        seen.looks += 1;
        seen.up += usize::from(snapshot.is_up(bench.clock.tick()));
        for (oldest, view) in seen.oldest.iter_mut().zip(&snapshot.groups) {
            *oldest = (*oldest).max(view.window_end.map_or(0, |end| now.since(end).as_secs()));
        }
    }
    let asked = |view: &Arc<GroupView>| bench.fake.windows(&target(&view.scope, &view.group)).len();
    seen.asked = bench.snapshot().groups.iter().map(asked).collect();
    seen
}

#[tokio::test(start_paused = true)]
async fn a_slow_appliance_is_asked_for_every_group_in_turn() {
    for (count, window, latency) in [
        (15, 1, 4900),
        (15, 1, 12_000),
        (15, 1, 30_000),
        (15, 5, 10_500),
        (15, 5, 20_000),
        (15, 5, 45_000),
        (8, 1, 12_000),
        (8, 1, 55_000),
        (4, 1, 200),
    ] {
        let groups = &scalars(count)[..];
        let (window, latency) = (window * MINUTE, Duration::from_millis(latency));
        let bench = slow_bench(groups, polling(window), latency, Box::new(|_, _| Ok(())));
        let seen = see(&bench, 6 * 60 * MINUTE).await;
        let snapshot = bench.snapshot();
        let (least, most) = (seen.asked.iter().min().expect("groups"), seen.asked.iter().max().expect("groups"));
        // An audit or two of each, and one round that has not ended.
        assert!(most - least <= 3, "{:?}", seen.asked);
        // The round that is being made, once an hour two more (for the comparison, and as no request reaches over the end of
        // an hour), the window, and the settle delay.
        let round = (latency * u32::try_from(count).expect("few") + 10 * MINUTE / 60).max(window);
        let bound = round * 3 + window + 3 * MINUTE;
        assert!(seen.oldest.iter().all(|oldest| *oldest <= bound.as_secs()), "{:?} of {bound:?}", seen.oldest);
        assert_eq!(seen.up, seen.looks);
        for view in &snapshot.groups {
            assert_eq!(view.tally.lost, [0, 0]);
            assert_totals(view);
        }
        let does_not_fit = latency * u32::try_from(count).expect("few") > window;
        assert_eq!(snapshot.round.is_some_and(|round| round.tight.is_some()), does_not_fit);
        bench.end().await;
    }
}

/// Nor do many scopes starve one another: 21 reports, which take 36, 105 and 420 seconds a round.
#[tokio::test(start_paused = true)]
async fn a_slow_manager_is_asked_for_every_scope_in_turn() {
    for latency in [1700, 5000, 20_000] {
        let (window, latency) = (5 * MINUTE, Duration::from_millis(latency));
        let mut manager = appliance(&scalars(3), polling(window));
        let devices = (1..=4).map(|number| config::Scope::Device(format!("esa{number}")));
        manager.scopes.extend(["north", "south"].map(|name| config::Scope::DeviceGroup(name.into())));
        manager.scopes.extend(devices);
        let clock = Clock::lapse(Timestamp::from_secs(NOON + 30), 1);
        let fake = fake(clock.clone(), latency, Box::new(|_, _| Ok(())));
        let bench = Bench::resume(&manager, Arc::new(Ledger::in_memory()), clock, fake);
        let seen = see(&bench, 6 * 60 * MINUTE).await;
        let snapshot = bench.snapshot();
        assert_eq!(snapshot.groups.len(), 21);
        let (least, most) = (seen.asked.iter().min().expect("groups"), seen.asked.iter().max().expect("groups"));
        let oldest = seen.oldest.iter().max().expect("groups");
        assert!(most - least <= 2, "{latency:?}: {:?}", seen.asked);
        let round = (latency * 21).max(window);
        let bound = round * 3 + window + 3 * MINUTE;
        assert!(*oldest <= bound.as_secs(), "{latency:?}: {:?} of {bound:?}", seen.oldest);
        assert_eq!(seen.up, seen.looks);
        for view in &snapshot.groups {
            assert_eq!(view.tally.lost, [0, 0]);
            assert_totals(view);
        }
        assert_eq!(snapshot.round.is_some_and(|round| round.tight.is_some()), latency * 21 > window);
        bench.end().await;
    }
}

/// What a failing report may do to the others: nothing.
#[tokio::test(start_paused = true)]
async fn some_reports_that_fail_are_no_outage() {
    let kinds = [
        Reason::Unavailable,
        Reason::NotJson,
        Reason::Status,
        Reason::Reset,
        Reason::Timeout,
        Reason::Throttled,
        Reason::Unauthorized,
        Reason::Declined,
        Reason::Malformed,
    ];
    for (of, failing, kinds) in [(8, 2, &kinds[..]), (8, 7, &kinds[..1]), (2, 1, &kinds[3..5])] {
        for reason in kinds.iter().copied() {
            let groups = scalars(of);
            let bad: Vec<String> = groups[..failing].iter().map(|name| (*name).to_owned()).collect();
            let good = groups[failing..].to_vec();
            let script = move |query: &Query, _| match bad.iter().any(|name| *query.group.name == **name) {
                true => Err(fails(reason)),
                false => Ok(()),
            };
            let bench = bench(&groups, polling(MINUTE), Box::new(script));
            let seen = see(&bench, 4 * 60 * MINUTE).await;
            let snapshot = bench.snapshot();
            let asked = &seen.asked[..failing];
            assert_eq!(seen.up, seen.looks, "{failing} of {of}: {reason:?}");
            // A window, the settle delay, the turn that an appliance of this name waits for, and a request of each.
            assert!(seen.oldest[failing..].iter().all(|oldest| *oldest <= 250), "{:?}: {reason:?}", seen.oldest);
            // By and by down to once an hour, with the tries that each of them is worth.
            assert!(asked.iter().all(|asked| *asked <= 3 * 14), "{asked:?}: {reason:?}");
            assert!(
                snapshot.groups[..failing]
                    .iter()
                    .all(|view| view.success_until.is_none() && view.asked_again.is_some())
            );
            for view in &snapshot.groups[failing..] {
                assert!(view.success_until.is_some() && good.contains(&&*view.group) && view.tally.lost == [0, 0]);
                assert_totals(view);
            }
            bench.end().await;
        }
    }
}

/// The same where what is cheap is not answered either, though the API answers most of the rest.
#[tokio::test(start_paused = true)]
async fn a_cheap_question_that_is_never_answered_is_no_outage() {
    for reason in [Reason::Unavailable, Reason::NotJson, Reason::Status] {
        let groups = scalars(8);
        let bad: Vec<String> =
            groups[..2].iter().map(|name| (*name).to_owned()).chain(["system_time".into()]).collect();
        let script = move |query: &Query, _| match bad.iter().any(|name| *query.group.name == **name) {
            true => Err(fails(reason)),
            false => Ok(()),
        };
        let bench = bench(&groups, polling(MINUTE), Box::new(script));
        let seen = see(&bench, 6 * 60 * MINUTE).await;
        assert_eq!(seen.up, seen.looks, "{reason:?}");
        bench.end().await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_appliance_that_answers_nothing_is_down_within_a_round_and_back_within_a_pause() {
    for reason in [Reason::Timeout, Reason::Connect, Reason::Unavailable, Reason::NotJson] {
        let groups = scalars(8);
        let is_gone = Arc::new(std::sync::atomic::AtomicBool::new(false));
        let inner = Arc::clone(&is_gone);
        let script = move |_: &Query, _| if inner.load(Ordering::Relaxed) { Err(fails(reason)) } else { Ok(()) };
        let bench = bench(&groups, polling(MINUTE), Box::new(script));
        bench.clock.sleep(20 * MINUTE).await;
        is_gone.store(true, Ordering::Relaxed);
        bench.clock.sleep(3 * MINUTE).await;
        assert!(!bench.snapshot().is_up(bench.clock.tick()), "{reason:?}");
        let before = bench.fake.questions();
        bench.clock.sleep(60 * MINUTE).await;
        let asked = bench.fake.questions() - before;
        // A pause, and then by turns what is cheap, or a report with the tries that it is worth.
        assert!((58..=125).contains(&asked), "{asked} in an hour: {reason:?}");
        is_gone.store(false, Ordering::Relaxed);
        bench.clock.sleep(2 * MINUTE).await;
        let snapshot = bench.snapshot();
        assert!(snapshot.is_up(bench.clock.tick()), "{reason:?}");
        bench.clock.sleep(MINUTE).await;
        for view in &bench.snapshot().groups {
            assert!(
                view.success_until.is_some() && view.pending.windows <= 1 && view.tally.lost == [0, 0],
                "{reason:?}"
            );
        }
        bench.end().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_question_that_never_ends_is_given_up_and_asked_again() {
    let forever = Duration::from_secs(365 * 24 * 3600);
    let bench = slow_bench(&[CAPACITY, INCOMING], polling(MINUTE), forever, Box::new(|_, _| Ok(())));
    bench.clock.sleep(60 * MINUTE).await;
    let snapshot = bench.snapshot();
    for (view, group) in snapshot.groups.iter().zip([CAPACITY, INCOMING]) {
        let trouble = view.trouble.as_ref().expect("it was not had");
        assert_eq!((trouble.reason(), view.success_until), (Reason::Timeout, None));
        assert!(trouble.failure.detail.starts_with("cancelled after 9m"), "{}", trouble.failure);
        assert!(bench.fake.windows(group).len() >= 2, "each has its turn");
    }
    bench.end().await;
}

#[tokio::test(start_paused = true)]
async fn what_no_poll_renews_ends_by_the_clock() {
    let bench = bench(&[CAPACITY, INCOMING], polling(MINUTE), Box::new(|_, _| Ok(())));
    bench.clock.sleep(30 * MINUTE).await;
    // As if nothing came after this: a poller that hangs publishes no more.
    let (snapshot, now) = (bench.snapshot(), bench.clock.tick());
    let at = |minutes: u32| now + MINUTE * minutes;
    assert!(snapshot.is_up(at(5)) && !snapshot.is_up(at(30)));
    for view in &snapshot.groups {
        assert!(view.is_answered(at(5)) && !view.is_answered(at(30)));
        assert!(view.pending.at(now) <= 1);
        assert!((59..=60).contains(&(view.pending.at(at(60)) - view.pending.at(now))));
    }
    bench.end().await;
}

#[tokio::test(start_paused = true)]
async fn what_is_asked_for_seldom_is_up_in_between() {
    for window in [5, 60, 240] {
        let (window, day) = (window * MINUTE, 24 * 60);
        let bench = bench(&[CAPACITY], polling(window), Box::new(|_, _| Ok(())));
        for minute in 1..day {
            bench.clock.sleep(MINUTE).await;
            let (snapshot, now) = (bench.snapshot(), bench.clock.tick());
            assert!(
                snapshot.is_up(now) && snapshot.groups[0].is_answered(now),
                "minute {minute}, windows of {window:?}"
            );
        }
        bench.end().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_backlog_is_had_while_it_is_fetched() {
    let groups = scalars(15);
    let deep = Polling { start: Some(24 * 60 * MINUTE), ..polling(MINUTE) };
    let bench = slow_bench(&groups, deep, Duration::from_secs(20), Box::new(|_, _| Ok(())));
    bench.clock.sleep(12 * MINUTE).await;
    for minute in 0..300 {
        bench.clock.sleep(MINUTE).await;
        let (snapshot, now) = (bench.snapshot(), bench.clock.tick());
        assert!(snapshot.is_up(now) && snapshot.groups.iter().all(|view| view.is_answered(now)), "minute {minute}");
    }
    bench.end().await;
}

#[tokio::test(start_paused = true)]
async fn an_appliance_that_is_down_is_asked_once_a_minute_at_most() {
    let bench = bench(&[CAPACITY, INCOMING], polling(MINUTE), Box::new(|_, _| Err(fails(Reason::Tls))));
    bench.clock.sleep(60 * MINUTE).await;
    let asked = bench.fake.questions();
    assert!((58..=62).contains(&asked), "{asked}");
    assert!(bench.snapshot().up_until.is_none());
    bench.end().await;
}

#[tokio::test(start_paused = true)]
async fn the_wish_to_be_left_alone_is_granted_within_bounds() {
    let asked = |seconds, reason| async move {
        let retry_after = Some(Duration::from_secs(seconds));
        let script = move |_: &Query, _| Err(Failure { retry_after, ..fails(reason) });
        let bench = bench(&[CAPACITY, INCOMING], polling(MINUTE), Box::new(script));
        bench.clock.sleep(60 * MINUTE).await;
        let asked = bench.fake.questions();
        bench.end().await;
        asked
    };
    let (throttled, unavailable) = (asked(300, Reason::Throttled).await, asked(1 << 40, Reason::Unavailable).await);
    assert!((11..=16).contains(&throttled), "{throttled}: every five minutes");
    assert!((6..=14).contains(&unavailable), "{unavailable}: ten minutes are the most");
}

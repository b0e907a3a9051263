//! Requests counted over hours, on a clock that is paused between them.

use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use tokio::task::JoinSet;

use super::*;
use crate::base::clock::Timestamp;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

fn limiter(per_minute: u32) -> Arc<RateLimiter> {
    Arc::new(RateLimiter::new(NonZeroU32::new(per_minute).expect("not zero"), Clock::system()))
}

/// When a request began and when it ended, since the limiter was made.
type Served = (Duration, Duration);

/// Asks again and again until `span` is over, its last instant included, from so many tasks; each answer takes `latency`.
async fn ask(limiter: &Arc<RateLimiter>, tasks: usize, latency: Duration, span: Duration) -> Vec<Served> {
    let over = limiter.clock.tick() + span + Duration::from_millis(1);
    let mut asking = JoinSet::new();
    for _ in 0..tasks {
        let limiter = Arc::clone(limiter);
        asking.spawn(async move {
            let mut served = Vec::new();
            loop {
                let mut permit = tokio::select! {
                    biased;
                    () = limiter.clock.sleep_until(over) => return served,
                    permit = limiter.permit() => permit,
                };
                permit.begin();
                let began = limiter.clock.tick();
                if !latency.is_zero() {
                    limiter.clock.sleep(latency).await;
                }
                served.push((began.since(Tick::default()), limiter.clock.tick().since(Tick::default())));
            }
        });
    }
    let mut all = asking.join_all().await.concat();
    all.sort();
    all
}

/// The number of requests that began in each minute.
fn minutes(served: &[Served]) -> Vec<usize> {
    let last = served.last().map_or(0, |(began, _)| began.as_secs() / 60);
    (0..=last).map(|minute| served.iter().filter(|(began, _)| began.as_secs() / 60 == minute).count()).collect()
}

#[tokio::test(start_paused = true)]
async fn hours_of_asking_get_the_budget_and_the_first_minutes_worth() {
    for (per_minute, minutes) in [(1, 300), (7, 300), (60, 180), (240, 180), (6000, 10)] {
        for tasks in [1, 8] {
            let served = ask(&limiter(per_minute), tasks, Duration::ZERO, MINUTE * minutes).await;
            let begun = served.len();
            assert_eq!(begun, (per_minute * (minutes + 1)) as usize, "{per_minute} a minute, {tasks} tasks");
            let at_once = served.iter().filter(|(began, _)| began.is_zero()).count();
            assert_eq!(at_once, per_minute as usize, "{per_minute} a minute, {tasks} tasks");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_time_lapse_has_its_own_minutes() {
    let clock = Clock::lapse(Timestamp::from_secs(0), 60);
    let limiter = Arc::new(RateLimiter::new(NonZeroU32::new(60).expect("not zero"), clock));
    let served = ask(&limiter, 4, Duration::ZERO, 3 * HOUR).await;
    assert_eq!(served.len(), 60 * (3 * 60 + 1));
}

#[tokio::test(start_paused = true)]
async fn an_eased_appliance_is_asked_a_quarter() {
    let limiter = limiter(60);
    limiter.set_pace(Pace::Eased);
    let eased = ask(&limiter, 4, Duration::ZERO, 2 * HOUR).await;
    assert_eq!(eased.len(), 15 * (2 * 60 + 1), "its first minute's worth is a quarter too");
    limiter.set_pace(Pace::Usual);
    let usual = ask(&limiter, 4, Duration::ZERO, 2 * HOUR).await;
    assert_eq!(usual.len(), 60 * 2 * 60, "and nothing was saved up");
}

#[tokio::test(start_paused = true)]
async fn the_smallest_budget_can_be_eased() {
    let limiter = limiter(1);
    limiter.set_pace(Pace::Eased);
    assert_eq!(
        minutes(&ask(&limiter, 2, Duration::ZERO, 12 * MINUTE + SECOND).await),
        [1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1]
    );
}

#[tokio::test(start_paused = true)]
async fn who_waits_goes_on_when_the_pace_is_usual_again() {
    let limiter = limiter(1);
    limiter.set_pace(Pace::Eased);
    limiter.permit().await.begin();
    let waiting = async {
        limiter.permit().await.begin();
        limiter.clock.tick()
    };
    let changing = async {
        limiter.clock.sleep(2 * MINUTE).await;
        limiter.set_pace(Pace::Usual);
    };
    let (at, ()) = tokio::join!(waiting, changing);
    assert_eq!(at, Tick::default() + Duration::from_secs(150), "half of it was gained in two minutes");
}

#[tokio::test(start_paused = true)]
async fn a_slow_appliance_has_half_of_the_time_to_itself() {
    let rest = |latency: Duration| match latency.as_secs() {
        0..5 => Duration::ZERO,
        seconds => Duration::from_secs(seconds.min(30)),
    };
    for latency in [Duration::from_millis(4_999), 5 * SECOND, 10 * SECOND, 30 * SECOND, MINUTE] {
        let served = ask(&limiter(240), 1, latency, 2 * HOUR).await;
        let each = latency + rest(latency);
        assert_eq!(served.len() as u128, (2 * HOUR).as_nanos() / each.as_nanos() + 1, "{latency:?}");
        for tasks in [2, 8] {
            let served = ask(&limiter(60), tasks, latency, HOUR).await;
            for (_, ended) in &served {
                let early = served.iter().find(|(began, _)| began >= ended && *began < *ended + rest(latency));
                assert_eq!(early, None, "{latency:?}, {tasks} tasks: after the end at {ended:?}");
            }
            assert!(served.len() > 60, "{latency:?}, {tasks} tasks: {}", served.len());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_that_was_dropped_may_still_burden_the_appliance() {
    let limiter = limiter(240);
    let mut permit = limiter.permit().await;
    permit.begin();
    limiter.clock.sleep(20 * SECOND).await;
    drop(permit);
    limiter.permit().await.begin();
    assert_eq!(limiter.clock.tick(), Tick::default() + 40 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn all_pass_in_the_order_of_arrival_and_who_leaves_takes_nothing_along() {
    let limiter = limiter(1);
    limiter.permit().await.begin();
    let mut waiting = JoinSet::new();
    let mut handles = Vec::new();
    for number in 0..10 {
        let limiter = Arc::clone(&limiter);
        handles.push(waiting.spawn(async move {
            limiter.permit().await.begin();
            (number, limiter.clock.tick().since(Tick::default()))
        }));
        tokio::task::yield_now().await;
    }
    // The first of the queue, one in its middle, and the last; half of the first one's wait is over.
    limiter.clock.sleep(MINUTE / 2).await;
    for gone in [0, 5, 9] {
        handles[gone].abort();
    }
    let mut passed = Vec::new();
    while let Some(outcome) = waiting.join_next().await {
        passed.extend(outcome.ok());
    }
    let expected = [1, 2, 3, 4, 6, 7, 8];
    let expected: Vec<_> = expected.into_iter().zip((1..).map(|minute| minute * MINUTE)).collect();
    assert_eq!(passed, expected);
}

#[tokio::test(start_paused = true)]
async fn leave_that_is_not_used_is_given_back_to_who_waits() {
    let limiter = limiter(1);
    let unused = limiter.permit().await;
    let waiting = async {
        limiter.permit().await.begin();
        limiter.clock.tick()
    };
    let leaving = async {
        limiter.clock.sleep(SECOND).await;
        drop(unused);
    };
    let (at, ()) = tokio::join!(waiting, leaving);
    assert_eq!(at, Tick::default() + SECOND);
}

#[tokio::test(start_paused = true)]
async fn a_successor_has_what_is_left_and_rests_as_long() {
    let old = limiter(60);
    for _ in 0..50 {
        old.permit().await.begin();
    }
    let mut slow = old.permit().await;
    slow.begin();
    old.clock.sleep(10 * SECOND).await;
    drop(slow);
    old.set_pace(Pace::Eased);
    let next = Arc::new(RateLimiter::new(NonZeroU32::new(60).expect("not zero"), old.clock.clone()));
    next.inherit_from(&old);
    let served = ask(&next, 1, Duration::ZERO, HOUR).await;
    assert_eq!(served[0].0, 20 * SECOND, "ten seconds of rest");
    // An eased budget holds 15, and the pace is usual again.
    assert_eq!(served.len(), 15 + 60 * 60);
}

/// An event at a limiter.
#[derive(Clone, Copy, Debug)]
enum Step {
    Sleep(u64),
    Ask,
    GiveBack,
    Ended(u64),
    Pace(Pace),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        8 => Just(Step::Ask),
        4 => (0..90_000_u64).prop_map(Step::Sleep),
        1 => Just(Step::GiveBack),
        1 => (0..90_000_u64).prop_map(Step::Ended),
        1 => prop_oneof![Just(Pace::Usual), Just(Pace::Eased)].prop_map(Step::Pace),
    ];
    prop::collection::vec(step, 0..150)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever happens, no span of time sees more requests than a minute's worth and what is gained in it; and a request
    /// made at the announced time is admitted.
    #[test]
    fn no_span_exceeds_the_budget(per_minute in 1..600_u32, steps in steps()) {
        let mut now = Tick::default();
        let mut budget = TokenBucket::new(NonZeroU32::new(per_minute).expect("not zero"), now);
        let mut begun: Vec<Tick> = Vec::new();
        for step in steps {
            match step {
                Step::Sleep(millis) => now = now + Duration::from_millis(millis),
                Step::Ask => {
                    if let Err(again) = budget.take(now) {
                        prop_assert!(again > now);
                        now = again;
                        prop_assert_eq!(budget.take(now), Ok(()));
                    }
                    begun.push(now);
                }
                Step::GiveBack => if begun.pop().is_some() {
                    budget.give_back();
                },
                Step::Ended(millis) => {
                    let began = now;
                    now = now + Duration::from_millis(millis);
                    budget.ended(began, now);
                }
                Step::Pace(pace) => budget.set_pace(pace, now),
            }
        }
        for (first, from) in begun.iter().enumerate() {
            for (last, to) in begun.iter().enumerate().skip(first) {
                let gained = to.since(*from).as_nanos() * u128::from(per_minute) / MINUTE.as_nanos();
                prop_assert!((last - first + 1) as u128 <= u128::from(per_minute) + gained, "{first} to {last}");
            }
        }
    }
}

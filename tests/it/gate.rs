//! How often an appliance is asked, read from its own log by its own clock.
//!
//! A request arrives after it was let through, never before; so the requests that have arrived by a time are bounded by
//! the budget since the beginning, however slow the machine is.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use asyncos_exporter::api::{Client, Event, Listener, Pace};
use asyncos_exporter::base::clock::Timestamp;
use asyncos_exporter::sim;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::rig::{BEGINNING, Rig, entry, lapse, simulate};
use crate::session::{CAPACITY, client, fetch, logins, overheard, refused};

/// A minute of the time lapse is a second.
const RATE: u32 = 60;

/// Asks from so many tasks at once.
async fn burst(client: &Arc<Client>, callers: usize) {
    let mut asking = JoinSet::new();
    for _ in 0..callers {
        let client = Arc::clone(client);
        asking.spawn(async move { fetch(&client, CAPACITY).await });
    }
    assert!(asking.join_all().await.into_iter().all(|outcome| outcome == Ok(())));
}

/// Panics if more requests than a minute's worth, and what was gained since the beginning, have arrived by any time.
fn assert_within(appliance: &sim::Appliance, per_minute: f64) {
    let beginning = SystemTime::from(Timestamp::from_secs(BEGINNING));
    for (before, request) in appliance.requests().iter().enumerate() {
        let passed = request.at.duration_since(beginning).expect("the lapse begins there").as_secs_f64();
        let most = per_minute + per_minute * passed / 60.0;
        assert!((before + 1) as f64 <= most, "request {} within {passed} s, where {most} are allowed", before + 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_burst_of_requests_is_limited_to_the_token_bucket() {
    for (pace, per_minute, callers) in [(Pace::Usual, 60.0, 150), (Pace::Eased, 15.0, 40)] {
        let clock = lapse(RATE);
        let appliance = simulate(sim::Settings::esa("esa1"), &clock).await;
        let client = client(&appliance, "polling: {requests_per_minute: 60}", &clock);
        client.set_pace(pace);
        burst(&client, callers).await;
        assert_eq!(appliance.requests().len(), callers + 1, "one login for all of them");
        assert_within(&appliance, per_minute);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reloaded_client_inherits_the_used_budget() {
    let clock = lapse(RATE);
    let appliance = simulate(sim::Settings::esa("esa1"), &clock).await;
    let old = client(&appliance, "polling: {requests_per_minute: 60}", &clock);
    burst(&old, 59).await;
    let new = client(&appliance, "polling: {requests_per_minute: 60, timeout: 50s}", &clock);
    new.inherit_from(&old);
    burst(&new, 60).await;
    assert_eq!((appliance.requests().len(), logins(&appliance)), (120, 1));
    assert_within(&appliance, 60.0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backlog_is_fetched_within_the_budget() {
    let clock = lapse(RATE);
    let appliance = simulate(sim::Settings::esa("esa1"), &clock).await;
    let polling = "polling: {requests_per_minute: 60, concurrency: 8, start: 8h}, counter_groups: full";
    let rig = Rig::start(&format!("appliances:\n{}", entry("esa1", &appliance, polling)), &clock).await;
    rig.until("eight hours are had", |page| page.windows_each("esa1") >= 8.0 * 12.0).await;
    rig.end().await;
    assert!(appliance.requests().len() > 120, "more than a minute has: {}", appliance.requests().len());
    assert!(appliance.requests().iter().all(|request| request.in_flight <= 8));
    assert_within(&appliance, 60.0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_appliance_is_left_alone_for_as_long_as_it_took() {
    let clock = lapse(RATE);
    let mut settings = sim::Settings::esa("esa1");
    // By the clock of the lapse, twelve seconds.
    settings.behaviour.latency = Duration::from_millis(200);
    let appliance = simulate(settings, &clock).await;
    let client = client(&appliance, "", &clock);
    burst(&client, 1).await;
    for _ in 0..5 {
        assert_eq!(fetch(&client, CAPACITY).await, Ok(()));
    }
    let requests = appliance.requests();
    assert_eq!(requests.len(), 7);
    for pair in requests.windows(2) {
        let apart = pair[1].at.duration_since(pair[0].at).expect("in order");
        // The log rounds to milliseconds.
        assert!(apart >= Duration::from_millis(24_000 - 1), "{apart:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn waiting_for_the_rate_limiter_counts_in_neither_timeout_nor_duration() {
    let clock = lapse(11);
    // In real time, which both are in: longer than the time limit.
    let wait = Duration::from_secs(60) / 11;
    let appliance = simulate(sim::Settings::esa("esa1"), &clock).await;
    let (durations, heard) = (Arc::new(Mutex::new(Vec::new())), Instant::now());
    let listener = {
        let durations = Arc::clone(&durations);
        Listener::new(move |event| {
            if let Event::Request { took, .. } = event {
                durations.lock().expect("no panic").push(took);
            }
        })
    };
    let client = overheard(&appliance, "polling: {requests_per_minute: 1, timeout: 5s}", &clock, listener);
    assert_eq!(fetch(&client, CAPACITY).await, Ok(()));
    let elapsed = heard.elapsed();
    let durations = durations.lock().expect("no panic").clone();
    assert_eq!(durations.len(), 2, "the login takes the first minute's budget");
    assert!(wait + durations[1] <= elapsed, "{wait:?} and {:?} are more than {elapsed:?}", durations[1]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_ends_while_its_request_waits_is_replaced_before_it_is_refused() {
    let clock = lapse(RATE);
    let mut settings = sim::Settings::esa("esa1");
    settings.behaviour.token_life = Duration::from_secs(600);
    settings.behaviour.refresh = false;
    let appliance = simulate(settings, &clock).await;
    let client = client(&appliance, "polling: {requests_per_minute: 1}", &clock);
    client.set_pace(Pace::Eased);
    // A request every four minutes: the token of the beginning does not live to see the third report.
    burst(&client, 3).await;
    assert!(logins(&appliance) > 1);
    assert_eq!(refused(&appliance), 0);
}

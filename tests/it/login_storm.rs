//! A thousand callers while the appliance takes back every token it gives: how many logins that costs, and that all end.

use std::sync::Arc;
use std::time::Duration;

use asyncos_exporter::api::Reason;
use asyncos_exporter::sim::{self, Fault, On};
use tokio::task::JoinSet;

use crate::rig::{PATIENCE, lapse, simulate};
use crate::session::{CAPACITY, client, fetch, logins};

const CALLERS: usize = 1000;
/// A minute of the time lapse is a second, in which 240 requests may start.
const RATE: u32 = 60;
/// Of the machine's time: a token lives through some two dozen requests.
const REVOKED_EVERY: Duration = Duration::from_millis(100);
/// Tokens are taken back until the appliance has seen so many requests.
const STORM: usize = 800;

/// The most logins in `elapsed` of the time lapse: the first, three that may follow 401s at once, and one a minute after
/// that, which is what a session allows itself.
fn most_logins(elapsed: Duration) -> usize {
    1 + 3 + usize::try_from(elapsed.as_secs() / 60).expect("small")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn revoked_tokens_cost_few_logins_one_at_a_time_and_nobody_waits_for_ever() {
    let clock = lapse(RATE);
    let appliance = simulate(sim::Settings::esa("esa1"), &clock).await;
    // Long enough for a second login to meet the first, if there were one.
    appliance.inject(Fault::Slow(Duration::from_millis(50)), On::login());
    let client = client(&appliance, "", &clock);
    let began = clock.tick();
    let mut storm = JoinSet::new();
    let revoked = appliance.clone();
    storm.spawn(async move {
        let mut times = 0;
        while revoked.count(|_| true) < STORM {
            revoked.revoke_tokens();
            times += 1;
            tokio::time::sleep(REVOKED_EVERY).await;
        }
        times
    });
    let mut callers = JoinSet::new();
    for _ in 0..CALLERS {
        let client = Arc::clone(&client);
        callers.spawn(async move { fetch(&client, CAPACITY).await });
    }
    let outcomes = tokio::time::timeout(PATIENCE, callers.join_all()).await.expect("every caller ends");
    let elapsed = clock.tick().since(began);
    let times = tokio::time::timeout(PATIENCE, storm.join_all()).await.expect("the storm ends")[0];
    let served = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    let given_up = outcomes.iter().filter(|outcome| **outcome == Err(Reason::Unauthorized)).count();
    assert_eq!((outcomes.len(), served + given_up), (CALLERS, CALLERS), "{outcomes:?}");
    assert!(served > 0 && times > most_logins(elapsed), "{served} served, {times} times revoked");
    let made = logins(&appliance);
    assert!((2..=most_logins(elapsed)).contains(&made), "{made} logins in {elapsed:?}");
    assert_eq!(appliance.most_logins_in_flight(), 1);
    // A call may cost two requests, one before its login and one after it.
    assert!(appliance.count(|_| true) <= 2 * CALLERS + made);
    let recovered = async {
        while fetch(&client, CAPACITY).await.is_err() {
            clock.sleep(Duration::from_secs(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, recovered).await.expect("the next login ends it");
    assert_eq!(fetch(&client, CAPACITY).await, Ok(()));
    let made = logins(&appliance);
    let elapsed = clock.tick().since(began);
    assert!(made <= most_logins(elapsed), "{made} logins in {elapsed:?}");
    assert_eq!(appliance.most_logins_in_flight(), 1);
}

//! A thousand callers while the appliance takes back every token once it was used: how many logins that costs, and that
//! all end.

use std::sync::Arc;
use std::time::Duration;

use asyncos_exporter::api::Reason;
use asyncos_exporter::base::shutdown::Shutdown;
use asyncos_exporter::sim::{self, Fault, On, Request, RequestKind};
use tokio::task::JoinSet;

use crate::rig::{PATIENCE, lapse, simulate};
use crate::session::{CAPACITY, client, fetch, logins, refused};

/// A minute of the time lapse is a second, in which 240 requests may start.
const RATE: u32 = 60;
/// Tokens are taken back until the appliance has seen so many requests.
const STORM: usize = 1500;

/// The most logins in `elapsed` of the time lapse: the first, three that may follow 401s at once, and one a minute after
/// that, which is what a session allows itself.
fn most_logins(elapsed: Duration) -> usize {
    1 + 3 + usize::try_from(elapsed.as_secs() / 60).expect("small")
}

fn is_answered(request: &Request) -> bool {
    matches!(request.kind, RequestKind::Report { .. }) && request.status == 200
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_callers_log_in_one_at_a_time_and_none_waits_for_ever() {
    weather(1000, "").await;
}

/// Fewer callers wait less for their turn, so that each token that is taken back is noticed: the bound binds.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn impatient_callers_do_not_log_in_for_each_revoked_token() {
    weather(50, "polling: {requests_per_minute: 6000}").await;
}

/// Runs `callers` through the storm.
async fn weather(callers: usize, polling: &str) {
    let clock = lapse(RATE);
    let appliance = simulate(sim::Settings::esa("esa1"), &clock).await;
    // Long enough for a second login to meet the first, if there were one.
    appliance.inject(Fault::Slow(Duration::from_millis(50)), On::login());
    let client = client(&appliance, polling, &clock);
    let began = clock.tick();
    let over = Shutdown::new();
    let mut storm = JoinSet::new();
    let (revoked, end) = (appliance.clone(), over.clone());
    storm.spawn(async move {
        let mut used = 0;
        // By what the appliance has answered: with a timer, a slow machine may use no token before it is taken back.
        while revoked.count(|_| true) < STORM {
            revoked.wait_for(|log| log.len() >= STORM || log.iter().filter(|it| is_answered(it)).count() > used).await;
            used = revoked.count(is_answered);
            revoked.revoke_tokens();
        }
        end.request();
    });
    let mut calls = JoinSet::new();
    for _ in 0..callers {
        let (client, over) = (Arc::clone(&client), over.clone());
        calls.spawn(async move {
            let mut outcomes = Vec::new();
            while outcomes.is_empty() || !over.is_requested() {
                outcomes.push(fetch(&client, CAPACITY).await);
            }
            outcomes
        });
    }
    tokio::time::timeout(PATIENCE, storm.join_all()).await.expect("the storm ends");
    let (bearable, refused) = (most_logins(clock.tick().since(began)), refused(&appliance));
    assert!(refused > bearable, "{refused} refused tokens are no storm where {bearable} logins are bearable");
    let outcomes = tokio::time::timeout(PATIENCE, calls.join_all()).await.expect("every caller ends").concat();
    let elapsed = clock.tick().since(began);
    let (most, made) = (most_logins(elapsed), logins(&appliance));
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Ok(()) | Err(Reason::Unauthorized))), "{outcomes:?}");
    assert!(outcomes.iter().any(Result::is_ok));
    assert!((2..=most).contains(&made), "{made} logins where {most} are the most, {refused} tokens refused");
    assert_eq!(appliance.most_logins_in_flight(), 1);
    // A call may cost two requests, one before its login and one after it.
    assert!(appliance.count(|_| true) <= 2 * outcomes.len() + made);
    let recovered = async {
        while fetch(&client, CAPACITY).await.is_err() {
            clock.sleep(Duration::from_secs(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, recovered).await.expect("the next login ends it");
    assert_eq!(fetch(&client, CAPACITY).await, Ok(()));
    let (most, made) = (most_logins(clock.tick().since(began)), logins(&appliance));
    assert!(made <= most && appliance.most_logins_in_flight() == 1, "{made} logins where {most} are the most");
}

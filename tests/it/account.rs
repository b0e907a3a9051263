//! An account whose permissions change, whose tokens somebody else replaces, or whose renewed tokens are no good: how many
//! logins that costs, and what is counted meanwhile.

use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use asyncos_exporter::api::{Client, Reason};
use asyncos_exporter::base::clock::Clock;
use asyncos_exporter::sim::{self, Fault, FaultBody, On};

use crate::rig::{lapse, simulate};
use crate::session::{CAPACITY, client, fetch, logins, refused};

const GROUPS: [&str; 4] =
    [CAPACITY, "mail_incoming_traffic_summary", "mail_outgoing_traffic_summary", "mail_mar_summary"];
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

/// A client that asks like a poller: for one thing each minute, for each group each five minutes, and for what was not
/// had each minute.
struct Asker {
    client: Arc<Client>,
    /// Windows that were not had, by group.
    missing: [u32; GROUPS.len()],
    due: u32,
}

impl Asker {
    fn new(appliance: &sim::Appliance, clock: &Clock) -> Self {
        Self {
            client: client(appliance, "polling: {requests_per_minute: 6000}", clock),
            missing: [0; GROUPS.len()],
            due: 0,
        }
    }

    /// One minute's round; the outcome of each request.
    async fn ask(&mut self, minute: u32) -> Vec<(&'static str, Result<(), Reason>)> {
        let mut outcomes = vec![(CAPACITY, fetch(&self.client, CAPACITY).await)];
        if minute.is_multiple_of(5) {
            self.missing.iter_mut().for_each(|missing| *missing += 1);
            self.due += u32::try_from(GROUPS.len()).expect("few");
        }
        for (group, missing) in GROUPS.into_iter().zip(&mut self.missing) {
            if *missing > 0 {
                let outcome = fetch(&self.client, group).await;
                if outcome.is_ok() {
                    *missing = 0;
                }
                outcomes.push((group, outcome));
            }
        }
        outcomes
    }

    fn counted(&self) -> u32 {
        self.due - self.missing.iter().sum::<u32>()
    }
}

/// Asks for `span`; what the last round came to.
async fn ask_for(span: Duration, askers: &mut [Asker], clock: &Clock) -> Vec<(&'static str, Result<(), Reason>)> {
    let (begin, mut last) = (clock.tick(), Vec::new());
    for minute in 0..u32::try_from(span.as_secs() / 60).expect("short") {
        // Not in the same moment: the one at the beginning of the minute, the other a little after.
        for (asker, behind) in askers.iter_mut().zip(0..) {
            let at = begin + MINUTE * minute + Duration::from_secs(20) * behind;
            clock.sleep(at.since(clock.tick())).await;
            last = asker.ask(minute).await;
        }
    }
    last
}

#[tokio::test]
async fn a_forbidden_endpoint_is_distinguished_and_the_others_continue() {
    let clock = lapse(1200);
    for lost in [&["mail_mar_summary"][..], &["mail_mar_summary", "mail_outgoing_traffic_summary"]] {
        let appliance = simulate(sim::Settings::esa("esa1"), &clock).await;
        appliance.change(|behaviour| behaviour.token_life = HOUR * 24);
        let mut askers = [Asker::new(&appliance, &clock)];
        ask_for(MINUTE * 6, &mut askers, &clock).await;
        assert_eq!(logins(&appliance), 1);
        appliance.change(|behaviour| behaviour.forbidden_groups.extend(lost.iter().map(|group| (*group).to_owned())));
        let last = ask_for(HOUR, &mut askers, &clock).await;
        assert!(logins(&appliance) <= 3, "{lost:?}: {} logins", logins(&appliance));
        for group in lost {
            assert!(last.contains(&(*group, Err(Reason::NotAllowed))), "{lost:?}: {last:?}");
        }
        assert!(last.contains(&(CAPACITY, Ok(()))), "{lost:?}: {last:?}");
        // The permission comes back.
        appliance.change(|behaviour| behaviour.forbidden_groups.clear());
        let last = ask_for(MINUTE * 2, &mut askers, &clock).await;
        assert!(last.iter().all(|(_, outcome)| outcome.is_ok()), "{last:?}");
        assert_eq!(askers[0].counted(), askers[0].due);
    }
}

#[tokio::test]
async fn a_role_without_any_permission_costs_few_logins() {
    let clock = lapse(2400);
    let appliance = simulate(sim::Settings::esa("esa1"), &clock).await;
    appliance.change(|behaviour| behaviour.token_life = HOUR * 24);
    let mut askers = [Asker::new(&appliance, &clock)];
    ask_for(MINUTE * 6, &mut askers, &clock).await;
    appliance.change(|behaviour| behaviour.forbidden_groups.extend(GROUPS.map(str::to_owned)));
    let last = ask_for(HOUR * 6, &mut askers, &clock).await;
    assert!(last.iter().all(|(_, outcome)| *outcome == Err(Reason::NotAllowed)), "{last:?}");
    assert!(logins(&appliance) <= 8, "{} logins", logins(&appliance));
    appliance.change(|behaviour| behaviour.forbidden_groups.clear());
    let last = ask_for(MINUTE * 2, &mut askers, &clock).await;
    assert!(last.iter().all(|(_, outcome)| outcome.is_ok()), "{last:?}");
}

#[tokio::test]
async fn a_403_is_a_lost_permission_and_costs_no_login() {
    let clock = lapse(1);
    let appliance = simulate(sim::Settings::esa("esa1"), &clock).await;
    let client = client(&appliance, "", &clock);
    assert_eq!(fetch(&client, CAPACITY).await, Ok(()));
    let forbidden = Fault::Status { code: 403, body: FaultBody::Json("Forbidden.".into()), retry_after: None };
    appliance.inject(forbidden, On::reports().times(5));
    for _ in 0..5 {
        assert_eq!(fetch(&client, CAPACITY).await, Err(Reason::NotAllowed));
    }
    assert_eq!(fetch(&client, CAPACITY).await, Ok(()));
    assert_eq!(logins(&appliance), 1);
}

#[tokio::test]
async fn basic_distinguishes_a_lost_permission_from_a_refused_password() {
    let clock = lapse(600);
    let appliance = simulate(sim::Settings::esa("esa1"), &clock).await;
    let client = client(&appliance, "auth: basic", &clock);
    for group in GROUPS {
        assert_eq!(fetch(&client, group).await, Ok(()));
    }
    appliance.change(|behaviour| behaviour.forbidden_groups.extend(["mail_mar_summary".to_owned()]));
    let mut last = [Ok(()), Ok(())];
    for _ in 0..10 {
        last = [fetch(&client, "mail_mar_summary").await, fetch(&client, CAPACITY).await];
        clock.sleep(MINUTE).await;
    }
    assert_eq!(last, [Err(Reason::NotAllowed), Ok(())]);
}

#[tokio::test]
async fn a_400_about_the_token_leads_to_one_login_and_another_400_to_none() {
    let clock = lapse(1);
    for (message, logged_in, outcome) in [
        ("Token has expired.", 2, Ok(())),
        ("Invalid credentials.", 2, Ok(())),
        ("Operation not supported in the current cluster mode.", 1, Err(Reason::Declined)),
        ("Invalid value for the parameter token.", 1, Err(Reason::Declined)),
    ] {
        let appliance = simulate(sim::Settings::esa("esa1"), &clock).await;
        let client = client(&appliance, "", &clock);
        assert_eq!(fetch(&client, CAPACITY).await, Ok(()));
        let body = FaultBody::Json(message.into());
        appliance.inject(Fault::Status { code: 400, body, retry_after: None }, On::reports().times(1));
        assert_eq!(fetch(&client, CAPACITY).await, outcome, "{message}");
        assert_eq!(logins(&appliance), logged_in, "{message}");
    }
}

#[tokio::test]
async fn two_exporters_of_one_account_and_one_session_both_count_all() {
    let clock = lapse(1200);
    let mut settings = sim::Settings::esa("esa1");
    settings.behaviour.one_session = true;
    let appliance = simulate(settings, &clock).await;
    let mut askers = [Asker::new(&appliance, &clock), Asker::new(&appliance, &clock)];
    ask_for(HOUR, &mut askers, &clock).await;
    let begun = logins(&appliance);
    ask_for(HOUR * 3, &mut askers, &clock).await;
    let an_hour = (logins(&appliance) - begun) / 3;
    let shares = askers.each_ref().map(|asker| (asker.counted(), asker.due));
    say(&format!("two exporters, one session: {an_hour} logins an hour, windows counted {shares:?}"));
    assert!(an_hour <= 30, "{an_hour} logins an hour");
    for (counted, due) in shares {
        // What is missing is what became due since the last login.
        assert!(due - counted <= 3 * u32::try_from(GROUPS.len()).expect("few"), "{shares:?}");
    }
    let failure = loop {
        match askers[0].client.fetch(&crate::session::query(CAPACITY, &askers[0].client)).await {
            Err(failure) => break failure.in_full(),
            Ok(_) => drop(fetch(&askers[1].client, CAPACITY).await),
        }
        clock.sleep(MINUTE).await;
    };
    assert!(failure.contains("another client may be using this account: give each exporter its own"), "{failure}");
}

#[tokio::test]
async fn invalid_renewed_tokens_are_no_longer_used() {
    let clock = lapse(2400);
    let mut settings = sim::Settings::esa("esa1");
    settings.behaviour.renewals_are_invalid = true;
    let appliance = simulate(settings, &clock).await;
    let mut askers = [Asker::new(&appliance, &clock)];
    let last = ask_for(HOUR * 6, &mut askers, &clock).await;
    let (made, met) = (logins(&appliance), refused(&appliance));
    let asker = &askers[0];
    say(&format!(
        "renewals that are invalid: {made} logins in 6 hours, {met} requests refused, {}/{} windows",
        asker.counted(),
        asker.due
    ));
    assert!(last.iter().all(|(_, outcome)| outcome.is_ok()), "{last:?}");
    assert_eq!(asker.counted(), asker.due);
    assert_eq!(met, 1, "the first renewed token and no other");
    assert!((12..=14).contains(&made), "{made} logins of tokens that live for half an hour");
}

/// A line of the table of what an account costs, past the capture of tests.
fn say(line: &str) {
    // A closed pipe is no failure of the test.
    let _ = writeln!(std::io::stderr(), "{line}");
}

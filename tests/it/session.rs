//! The session against the simulated appliance: how many logins, and when.

use std::sync::Arc;
use std::time::Duration;

use asyncos_exporter::api::{Client, Listener, LoginFailureLog, Query, Reason, SystemRoots};
use asyncos_exporter::base::clock::Clock;
use asyncos_exporter::base::window::Grid;
use asyncos_exporter::catalogue;
use asyncos_exporter::config::{Config, Scope};
use asyncos_exporter::sim::{self, Fault, FaultBody, On, RequestKind};
use tokio::task::JoinSet;

use crate::rig::{entry, lapse, simulate};

pub(crate) const CAPACITY: &str = "mail_system_capacity";

pub(crate) fn client(appliance: &sim::Appliance, rest: &str, clock: &Clock) -> Arc<Client> {
    overheard(appliance, rest, clock, Listener::new(|_| {}))
}

/// A client whose events `listener` hears.
pub(crate) fn overheard(appliance: &sim::Appliance, rest: &str, clock: &Clock, listener: Listener) -> Arc<Client> {
    let text = format!("appliances:\n{}", entry("esa1", appliance, rest));
    let config = Config::parse("session", &text).unwrap_or_else(|error| panic!("{error}"));
    let client = Client::try_new(
        &config.appliances[0],
        &SystemRoots::default(),
        clock.clone(),
        listener,
        LoginFailureLog::in_memory(),
    );
    Arc::new(client.expect("a client"))
}

pub(crate) fn query(group: &str, client: &Client) -> Query {
    let group = catalogue::group(group).expect("in the catalogue").clone().into();
    let window = Grid::HOURS.containing(client.now() - Duration::from_secs(3600));
    Query { scope: Scope::Appliance, group, top: None, search: None, window }
}

pub(crate) async fn fetch(client: &Client, group: &str) -> Result<(), Reason> {
    client.fetch(&query(group, client)).await.map(|_| ()).map_err(|failure| failure.reason)
}

pub(crate) fn logins(appliance: &sim::Appliance) -> usize {
    appliance.count(|request| request.kind == RequestKind::Login)
}

pub(crate) fn refused(appliance: &sim::Appliance) -> usize {
    appliance.count(|request| request.status == 401)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_callers_without_a_token_make_one_login() {
    let clock = lapse(1);
    let appliance = simulate(sim::Settings::esa("esa1"), &clock).await;
    let client = client(&appliance, "", &clock);
    let mut callers = JoinSet::new();
    for _ in 0..100 {
        let client = Arc::clone(&client);
        callers.spawn(async move { fetch(&client, CAPACITY).await });
    }
    assert!(callers.join_all().await.into_iter().all(|outcome| outcome == Ok(())));
    assert_eq!(logins(&appliance), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_callers_share_one_refusal() {
    let clock = lapse(1);
    let appliance = simulate(sim::Settings::esa("esa1"), &clock).await;
    appliance.set_passphrase("another");
    let client = client(&appliance, "", &clock);
    let mut callers = JoinSet::new();
    for _ in 0..100 {
        let client = Arc::clone(&client);
        callers.spawn(async move { fetch(&client, CAPACITY).await });
    }
    for outcome in callers.join_all().await {
        assert!(matches!(outcome, Err(Reason::LoginRefused | Reason::LoginWait)), "{outcome:?}");
    }
    assert_eq!(logins(&appliance), 1);
}

/// On one thread, so that all callers wait before there is an answer.
#[tokio::test]
async fn a_hundred_callers_share_one_failure_that_is_no_refusal() {
    let clock = lapse(1);
    let appliance = simulate(sim::Settings::esa("esa1"), &clock).await;
    let bad_gateway = Fault::Status { code: 502, body: FaultBody::Html, retry_after: None };
    appliance.inject(bad_gateway, On::login());
    appliance.inject(Fault::Slow(Duration::from_millis(500)), On::login());
    let client = client(&appliance, "", &clock);
    let mut callers = JoinSet::new();
    for _ in 0..100 {
        let client = Arc::clone(&client);
        callers.spawn(async move { fetch(&client, CAPACITY).await });
    }
    assert!(callers.join_all().await.into_iter().all(|outcome| outcome == Err(Reason::Unavailable)));
    assert_eq!(logins(&appliance), 1);
}

#[tokio::test]
async fn a_wrong_password_is_tried_three_times_and_never_again() {
    for (auth, tries) in [("auth: jwt", 3), ("auth: basic", 3)] {
        let clock = lapse(600);
        let appliance = simulate(sim::Settings::esa("esa1"), &clock).await;
        appliance.set_passphrase("another");
        let client = client(&appliance, auth, &clock);
        // A poll every ten seconds for an hour.
        for _ in 0..360 {
            assert!(fetch(&client, CAPACITY).await.is_err());
            clock.sleep(Duration::from_secs(10)).await;
        }
        assert_eq!(appliance.requests().len(), tries, "{auth}");
        assert_eq!(refused(&appliance), tries, "{auth}");
    }
}

#[tokio::test]
async fn a_basic_password_that_stops_working_is_not_hammered() {
    let clock = lapse(600);
    let appliance = simulate(sim::Settings::esa("esa1"), &clock).await;
    let client = client(&appliance, "auth: basic", &clock);
    assert_eq!(fetch(&client, CAPACITY).await, Ok(()));
    appliance.set_passphrase("another");
    for _ in 0..360 {
        assert!(fetch(&client, CAPACITY).await.is_err());
        clock.sleep(Duration::from_secs(10)).await;
    }
    assert_eq!(refused(&appliance), 3);
}

#[tokio::test]
async fn basic_needs_no_login_and_no_token() {
    let clock = lapse(1);
    let appliance = simulate(sim::Settings::esa("esa1"), &clock).await;
    let client = client(&appliance, "auth: basic", &clock);
    assert_eq!(fetch(&client, CAPACITY).await, Ok(()));
    assert_eq!((logins(&appliance), refused(&appliance)), (0, 0));
    assert!(appliance.requests().iter().all(|request| request.header("jwtToken").is_none()));
}

#[tokio::test]
async fn short_tokens_are_renewed_before_they_end() {
    for (refresh, most) in [(true, 1), (false, 4)] {
        let clock = lapse(10);
        let mut settings = sim::Settings::esa("esa1");
        settings.behaviour.token_life = Duration::from_secs(60);
        settings.behaviour.refresh = refresh;
        let appliance = simulate(settings, &clock).await;
        let client = client(&appliance, "", &clock);
        for _ in 0..180 {
            assert_eq!(fetch(&client, CAPACITY).await, Ok(()));
            clock.sleep(Duration::from_secs(1)).await;
        }
        assert_eq!(refused(&appliance), 0, "refresh: {refresh}");
        assert!(logins(&appliance) <= most, "refresh: {refresh}, {} logins", logins(&appliance));
    }
}

#[tokio::test]
async fn the_appliances_clock_decides_when_a_token_ends() {
    for offset in [-7200, 7200] {
        let clock = lapse(1);
        let mut settings = sim::Settings::esa("esa1");
        settings.behaviour.clock_offset_secs = offset;
        settings.behaviour.refresh = false;
        let appliance = simulate(settings, &clock).await;
        let client = client(&appliance, "", &clock);
        for _ in 0..5 {
            assert_eq!(fetch(&client, CAPACITY).await, Ok(()));
        }
        assert_eq!((logins(&appliance), refused(&appliance)), (1, 0), "offset {offset}");
        let skew = client.skew_seconds().expect("the appliance sends a Date");
        assert!((skew - f64::from(i32::try_from(offset).expect("small"))).abs() <= 2.0, "{skew}");
    }
}

#[tokio::test]
async fn a_clock_that_is_not_trusted_costs_no_login_and_no_request() {
    const DAYS: i64 = 10 * 86_400;
    let cases = [
        (-DAYS, None),
        (DAYS, None),
        (-7200, None),
        (7200, None),
        (0, Some("Thu, 01 Jan 1970 00:00:00 GMT")),
        (0, Some("Thu, 01 Jan 2099 00:00:00 GMT")),
    ];
    // Side by side: each waits for seconds of the time lapse.
    cases.map(|(offset, date)| use_short_tokens(offset, date)).into_iter().collect::<JoinSet<()>>().join_all().await;
}

async fn use_short_tokens(offset: i64, date: Option<&str>) {
    let clock = lapse(10);
    let mut settings = sim::Settings::esa("esa1");
    settings.behaviour.clock_offset_secs = offset;
    settings.behaviour.token_life = Duration::from_secs(60);
    settings.behaviour.refresh = false;
    let appliance = simulate(settings, &clock).await;
    if let Some(date) = date {
        appliance.inject(Fault::Date(date.into()), On::every());
    }
    let client = client(&appliance, "", &clock);
    for _ in 0..180 {
        assert_eq!(fetch(&client, CAPACITY).await, Ok(()));
        clock.sleep(Duration::from_secs(1)).await;
    }
    assert_eq!(refused(&appliance), 0, "{offset} {date:?}: a token is not used after its end");
    assert!(logins(&appliance) <= 5, "{offset} {date:?}: {} logins", logins(&appliance));
}

#[tokio::test]
async fn a_revoked_token_costs_one_login_and_no_report() {
    for message in ["InvalidTokenError.", "ExpiredSignatureError.", "Unauthorized."] {
        let clock = lapse(1);
        let appliance = simulate(sim::Settings::esa("esa1"), &clock).await;
        let client = client(&appliance, "", &clock);
        assert_eq!(fetch(&client, CAPACITY).await, Ok(()));
        appliance.inject(Fault::Unauthorized(message.into()), On::reports().times(1));
        assert_eq!(fetch(&client, CAPACITY).await, Ok(()), "{message}");
        assert_eq!((logins(&appliance), refused(&appliance)), (2, 1), "{message}");
    }
}

#[tokio::test]
async fn a_401_never_loops() {
    let clock = lapse(1);
    let appliance = simulate(sim::Settings::esa("esa1"), &clock).await;
    let client = client(&appliance, "", &clock);
    appliance.inject(Fault::Unauthorized("InvalidTokenError.".into()), On::reports());
    assert_eq!(fetch(&client, CAPACITY).await, Err(Reason::Unauthorized));
    assert_eq!((logins(&appliance), refused(&appliance)), (2, 2), "one login, one new login");
    for _ in 0..50 {
        assert_eq!(fetch(&client, CAPACITY).await, Err(Reason::Unauthorized));
    }
    assert!(logins(&appliance) <= 5, "{} logins", logins(&appliance));
}

#[tokio::test]
async fn a_role_that_does_not_reach_a_report_costs_no_login() {
    let clock = lapse(1);
    let mut settings = sim::Settings::esa("esa1");
    settings.behaviour.forbidden_groups.insert("mail_mar_summary".into());
    let appliance = simulate(settings, &clock).await;
    let client = client(&appliance, "", &clock);
    assert_eq!(fetch(&client, CAPACITY).await, Ok(()));
    for _ in 0..10 {
        assert_eq!(fetch(&client, "mail_mar_summary").await, Err(Reason::NotAllowed));
    }
    assert_eq!(fetch(&client, CAPACITY).await, Ok(()));
    assert_eq!(logins(&appliance), 1);
}

#[tokio::test]
async fn a_role_that_does_not_reach_what_is_asked_first_costs_one_login_at_most() {
    for (rest, most) in [("", 2), ("auth: basic", 0)] {
        let clock = lapse(600);
        let mut settings = sim::Settings::esa("esa1");
        settings.behaviour.forbidden_groups.extend(["mail_mar_summary".into(), "mail_mor_summary".into()]);
        let appliance = simulate(settings, &clock).await;
        let client = client(&appliance, rest, &clock);
        for _ in 0..10 {
            assert_eq!(fetch(&client, "mail_mar_summary").await, Err(Reason::NotAllowed), "{rest}");
            assert_eq!(fetch(&client, "mail_mor_summary").await, Err(Reason::NotAllowed), "{rest}");
        }
        assert_eq!(fetch(&client, CAPACITY).await, Ok(()), "{rest}");
        assert_eq!(logins(&appliance), most, "{rest}");
        appliance.change(|behaviour| behaviour.forbidden_groups.clear());
        assert_eq!(fetch(&client, "mail_mar_summary").await, Ok(()), "the role may grow");
    }
}

#[tokio::test]
async fn an_opaque_token_is_used_for_the_default_lifetime() {
    let clock = lapse(1);
    let mut settings = sim::Settings::esa("esa1");
    settings.behaviour.token_is_opaque = true;
    let appliance = simulate(settings, &clock).await;
    let client = client(&appliance, "", &clock);
    for _ in 0..5 {
        assert_eq!(fetch(&client, CAPACITY).await, Ok(()));
    }
    assert_eq!(logins(&appliance), 1);
}

#[tokio::test]
async fn a_required_second_factor_is_reported_and_not_retried_forever() {
    let clock = lapse(600);
    let mut settings = sim::Settings::esa("esa1");
    settings.behaviour.two_factor = true;
    let appliance = simulate(settings, &clock).await;
    let client = client(&appliance, "", &clock);
    assert_eq!(fetch(&client, CAPACITY).await, Err(Reason::TwoFactor));
    for _ in 0..360 {
        assert!(fetch(&client, CAPACITY).await.is_err());
        clock.sleep(Duration::from_secs(10)).await;
    }
    assert_eq!(logins(&appliance), 3);
}

#[tokio::test]
async fn an_unclear_login_is_no_refusal() {
    let clock = lapse(1);
    let appliance = simulate(sim::Settings::esa("esa1"), &clock).await;
    let client = client(&appliance, "", &clock);
    let bad_gateway = Fault::Status { code: 502, body: FaultBody::Html, retry_after: None };
    appliance.inject(bad_gateway, On::login().times(5));
    for _ in 0..5 {
        assert_eq!(fetch(&client, CAPACITY).await, Err(Reason::Unavailable));
    }
    assert_eq!(fetch(&client, CAPACITY).await, Ok(()), "five bad gateways block nothing");
}

#[tokio::test]
async fn every_request_shows_the_same_client() {
    let clock = lapse(1);
    let appliance = simulate(sim::Settings::sma("sma1").with_group("Hosted Cluster", &["esa1"]), &clock).await;
    let client = client(&appliance, "product: sma", &clock);
    let scope = Scope::DeviceGroup("Hosted Cluster".into());
    client.fetch(&Query { scope, ..query(CAPACITY, &client) }).await.expect("a report");
    let requests = appliance.requests();
    for header in ["Accept", "Host", "User-Agent"] {
        let values: Vec<_> = requests.iter().map(|request| request.header(header)).collect();
        assert!(values[0].is_some() && values.iter().all(|value| *value == values[0]), "{header}: {values:?}");
    }
    let report = requests.last().expect("the report").raw_target.clone();
    assert!(report.contains("startDate=2026-11-23T11:00:00.000Z&endDate=2026-11-23T12:00:00.000Z"), "{report}");
    assert!(report.contains("&device_type=esa&device_group_name=Hosted+Cluster"), "{report}");
}

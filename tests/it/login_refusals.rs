//! Refused logins in every form that an appliance, or what stands in its place, may give them: all are bounded, and what
//! is said of them fits the form.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use asyncos_exporter::api::{Client, Listener, LoginFailureLog, Reason, SystemRoots};
use asyncos_exporter::config::Config;
use asyncos_exporter::sim::{self, Fault, FaultBody, On};
use tokio::task::JoinSet;

use crate::program::{self, DEFAULTS, Folder, Program};
use crate::rig::{self, lapse, simulate, until};
use crate::session::{CAPACITY, client, fetch, logins, refused};
use crate::tls_proxy::Proxy;

const DAY: Duration = Duration::from_secs(86_400);
const MINUTE: Duration = Duration::from_secs(60);
const PASSWORD: &str = "correct the password";
const PRODUCT: &str = "check `product` (`esa` or `sma`), then `username`, the password";
const OTHER_SERVER: &str = "seems to point to another server or port";
const NO_API: &str = "check that it is the port of the API";

fn status(code: u16, body: FaultBody) -> Fault {
    Fault::Status { code, body, retry_after: None }
}

fn error(code: u16, message: &str) -> Fault {
    status(code, FaultBody::Json(message.into()))
}

/// A name, what the login is answered with, the appliance's words in the failure, and the advice while no login is made.
fn refusals() -> Vec<(&'static str, Fault, &'static str, &'static str)> {
    let in_a_success =
        r#"{"error": {"message": "Invalid username or passphrase.", "code": "401", "explanation": "…"}}"#;
    let html = "<html><body>Welcome</body></html>";
    vec![
        ("401", error(401, "Invalid username or passphrase."), "Invalid username or passphrase.", PASSWORD),
        ("403", error(403, "Forbidden."), "Forbidden.", PASSWORD),
        ("400", error(400, "Invalid credentials."), "Invalid credentials.", PASSWORD),
        ("404", error(404, "Not Found."), "Not Found.", PRODUCT),
        ("401 to nobody", error(401, "Unauthorized."), "Unauthorized.", PRODUCT),
        ("423", error(423, "Account locked."), "Account locked.", PASSWORD),
        ("200 with an error", Fault::RawBody(in_a_success.into()), "Invalid username or passphrase.", PASSWORD),
        ("200 with no token", Fault::RawBody(r#"{"data": {}}"#.into()), "no usable `jwtToken`", PASSWORD),
        ("200 with HTML", Fault::RawBody(html.into()), NO_API, OTHER_SERVER),
        ("404 with HTML", status(404, FaultBody::Html), NO_API, OTHER_SERVER),
    ]
}

/// Asks each minute for a day; the logins that this makes.
async fn logins_of_a_day(name: &str, fault: Fault, words: &str, advice: &str) -> usize {
    let clock = lapse(14_400);
    let appliance = simulate(sim::Settings::esa("esa1"), &clock).await;
    appliance.inject(fault, On::login());
    let client = client(&appliance, "", &clock);
    let failure = client.connect().await.expect_err(name);
    assert_eq!(failure.reason, Reason::LoginRefused, "{name}: {failure}");
    assert!(failure.in_full().contains(words), "{name}: {failure}");
    let end = clock.tick() + DAY;
    while clock.tick() < end {
        let failure = client.connect().await.expect_err(name);
        if failure.reason == Reason::LoginWait {
            assert!(failure.in_full().contains(advice), "{name}: {failure}");
        }
        clock.sleep(MINUTE).await;
    }
    logins(&appliance)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_login_is_made_three_times_a_day_whatever_the_refusal_looks_like() {
    let mut cases = JoinSet::new();
    for (name, fault, words, advice) in refusals() {
        cases.spawn(async move { (name, logins_of_a_day(name, fault, words, advice).await) });
    }
    let made = cases.join_all().await;
    assert!(made.iter().all(|(_, logins)| *logins == 3), "{made:?}");
}

/// Asks each minute for an hour where every answer has this status and breaks off in its body; the requests that this makes.
async fn requests_of_an_hour_that_are_cut_off(status: &str, rest: &str) -> usize {
    let clock = lapse(1200);
    let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 1000\r\n\r\n{{\"error\": ");
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let counted = move |_| {
        count.fetch_add(1, Ordering::Relaxed);
    };
    let server = Proxy::answer(answer.into_bytes(), counted).await;
    let url = format!("http://127.0.0.1:{}", server.port);
    let text = format!("appliances: [{{name: esa1, url: '{url}', username: monitor, password: ironport{rest}}}]");
    let config = Config::parse("refusals", &text).unwrap_or_else(|error| panic!("{error}"));
    let (roots, listener, refusals) = (SystemRoots::default(), Listener::new(|_| {}), LoginFailureLog::in_memory());
    let client = Client::try_new(&config.appliances[0], &roots, clock.clone(), listener, refusals).expect("a client");
    let failure = client.connect().await.expect_err(status);
    assert_eq!(failure.reason, Reason::LoginRefused, "{status}{rest}: {failure}");
    let end = clock.tick() + 60 * MINUTE;
    while clock.tick() < end {
        client.connect().await.expect_err(status);
        clock.sleep(MINUTE).await;
    }
    asked.load(Ordering::Relaxed)
}

/// The status has said it by then. Were the connection's end all that counts, an appliance behind a proxy that cuts off
/// error pages would see a login a minute.
#[tokio::test]
async fn a_refusal_with_a_truncated_body_is_a_refusal() {
    for (status, rest) in [
        ("401 Unauthorized", ""),
        ("403 Forbidden", ""),
        ("404 Not Found", ""),
        ("423 Locked", ""),
        ("401 Unauthorized", ", auth: basic"),
        ("423 Locked", ", auth: basic"),
    ] {
        assert_eq!(requests_of_an_hour_that_are_cut_off(status, rest).await, 3, "{status}{rest}");
    }
}

/// Each request carries the password: whatever is out when it stops working is a refused login.
#[tokio::test]
async fn a_basic_password_that_stops_working_is_one_refusal_whatever_the_concurrency() {
    let clock = lapse(1);
    let mut settings = sim::Settings::esa("esa1");
    settings.behaviour.latency = Duration::from_millis(100);
    let appliance = simulate(settings, &clock).await;
    let client = client(&appliance, "auth: basic, polling: {concurrency: 8}", &clock);
    assert_eq!(fetch(&client, CAPACITY).await, Ok(()));
    appliance.set_passphrase("another");
    let mut callers = JoinSet::new();
    for _ in 0..8 {
        let client = Arc::clone(&client);
        callers.spawn(async move { fetch(&client, CAPACITY).await });
    }
    for outcome in callers.join_all().await {
        assert!(matches!(outcome, Err(Reason::LoginRefused | Reason::LoginWait)), "{outcome:?}");
    }
    assert_eq!(refused(&appliance), 1);
}

#[tokio::test]
async fn a_failure_unrelated_to_the_account_is_no_refusal() {
    let clock = lapse(1);
    for (fault, reason) in [
        (status(408, FaultBody::Html), Reason::Unavailable),
        (error(429, "Too many requests."), Reason::Throttled),
        (status(500, FaultBody::Html), Reason::Unavailable),
        (Fault::Redirect("https://elsewhere.example.com/".into()), Reason::Redirect),
        (Fault::Truncate, Reason::Reset),
        (Fault::RawBody(r#"{"data": {"jwtToken": "cut o"#.into()), Reason::Malformed),
    ] {
        let appliance = simulate(sim::Settings::esa("esa1"), &clock).await;
        appliance.inject(fault.clone(), On::login().times(5));
        let client = client(&appliance, "", &clock);
        for _ in 0..5 {
            assert_eq!(fetch(&client, CAPACITY).await, Err(reason), "{fault:?}");
        }
        assert_eq!(fetch(&client, CAPACITY).await, Ok(()), "{fault:?}: five of them block nothing");
    }
}

#[tokio::test]
async fn a_locked_basic_account_gets_no_further_requests() {
    let clock = lapse(600);
    for fault in [error(423, "Account locked."), error(400, "Invalid credentials.")] {
        let appliance = simulate(sim::Settings::esa("esa1"), &clock).await;
        appliance.inject(fault, On::every());
        let client = client(&appliance, "auth: basic", &clock);
        assert_eq!(fetch(&client, CAPACITY).await, Err(Reason::LoginRefused));
        for _ in 0..360 {
            assert!(fetch(&client, CAPACITY).await.is_err());
            clock.sleep(Duration::from_secs(10)).await;
        }
        assert_eq!(appliance.requests().len(), 3);
    }
}

#[tokio::test]
async fn a_second_factor_that_is_wanted_is_no_wrong_password() {
    let clock = lapse(600);
    let mut settings = sim::Settings::esa("esa1");
    settings.behaviour.two_factor = true;
    let appliance = simulate(settings, &clock).await;
    let client = client(&appliance, "", &clock);
    let mut last = String::new();
    for _ in 0..60 {
        last = client.connect().await.expect_err("a second factor is wanted").in_full();
        assert!(last.contains("two_factor") && !last.contains("correct the password"), "{last}");
        clock.sleep(Duration::from_secs(10)).await;
    }
    assert!(last.contains("logins stopped"), "{last}");
    assert_eq!(logins(&appliance), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_factor_that_is_wanted_is_known_after_a_restart() {
    let mut settings = sim::Settings::esa("esa1");
    settings.behaviour.two_factor = true;
    let esa = program::simulate(settings).await;
    let folder = Folder::new();
    folder.write("password", "ironport");
    let entry = format!(
        "  - {{name: esa1, url: '{}', username: monitor, password_file: '{}', polling: {{max_login_refusals: 1}}}}\n",
        esa.url(),
        folder.path("password")
    );
    let file = folder.write("c.yaml", format!("{DEFAULTS}{entry}"));
    let state = format!("--storage.path={}", folder.path("state"));
    for _ in 0..2 {
        let mut program = Program::serve(&file, &[&state]);
        let address = program.address().await;
        let blocked =
            |page: &crate::exposition::Page| page.value("asyncos_login_blocked", &[("appliance", "esa1")]) == Some(1.0);
        until(address, "logins are blocked", blocked).await;
        let status = rig::get(&format!("http://{address}/api/v1/status")).await.text().await.expect("a text");
        let said = "logins have stopped after 1 refusal: the account requires a second factor: configure `two_factor`";
        assert!(status.contains(said), "{status}");
        program.stop().await;
    }
    assert_eq!(logins(&esa), 1);
}

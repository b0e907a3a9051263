//! Refused logins of the real program: counted through restarts and kills, and begun again with another password.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use asyncos_exporter::api::{Client, Listener, LoginFailureLog, Reason, SystemRoots};
use asyncos_exporter::config::Config;
use asyncos_exporter::sim;
use reqwest::Method;

use crate::exposition::Page;
use crate::program::{DEFAULTS, Folder, HISTORY, Program, committed, simulate};
use crate::rig::{self, lapse, until};
use crate::session::{CAPACITY, fetch, logins};

const WRONG: &str = "not-the-password";
const RIGHT: &str = "ironport";
const RESTARTS: usize = 50;

/// A configuration whose password is in the file `password`.
fn configuration(folder: &Folder, esa: &sim::Appliance, rest: &str) -> String {
    let file = folder.path("password");
    let entry =
        format!("  - {{name: esa1, url: '{}', username: monitor, password_file: '{file}', {rest}}}\n", esa.url());
    folder.write("c.yaml", format!("{DEFAULTS}{entry}"))
}

/// An ESA that does not answer within an hour, and a configuration with a wrong password for it.
struct HangingLogin {
    esa: sim::Appliance,
    folder: Folder,
    file: String,
    state: String,
}

impl HangingLogin {
    async fn start() -> Self {
        let mut settings = sim::Settings::esa("esa1");
        settings.behaviour.latency = Duration::from_secs(3600);
        let esa = simulate(settings).await;
        let folder = Folder::new();
        folder.write("password", WRONG);
        let file = configuration(&folder, &esa, "polling: {timeout: 10m}");
        let state = format!("--storage.path={}", folder.path("state"));
        Self { esa, folder, file, state }
    }
}

fn value(page: &Page, name: &str) -> Option<f64> {
    page.value(name, &[("appliance", "esa1")])
}

async fn post(url: String) -> (u16, String) {
    let answer = rig::client().request(Method::POST, url).send().await.expect("an answer");
    (answer.status().as_u16(), answer.text().await.expect("a text"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_restarts_cost_three_logins_and_no_more() {
    for auth in ["jwt", "basic"] {
        let mut settings = sim::Settings::esa("esa1");
        settings.behaviour.latency = Duration::from_millis(20);
        let esa = simulate(settings).await;
        let folder = Folder::new();
        folder.write("password", WRONG);
        let file = configuration(&folder, &esa, &format!("auth: {auth}"));
        let state = format!("--storage.path={}", folder.path("state"));
        for restart in 0..RESTARTS {
            let mut program = Program::serve(&file, &[&state]);
            let before = esa.requests().len();
            // Killed while the login is on its way, or stopped once it was refused or not tried.
            if restart % 3 == 0 {
                tokio::select! {
                    _ = esa.wait_for(|log| log.len() > before) => {}
                    _ = program.logs("login failed") => {}
                }
                program.signal("KILL");
                program.ended().await;
            } else {
                program.logs("login failed").await;
                program.stop().await;
            }
        }
        assert!((2..=3).contains(&esa.requests().len()), "{auth}: {:?}", esa.requests());
        let before = esa.requests().len();
        folder.write("password", RIGHT);
        let mut program = Program::serve(&file, &[&state]);
        let page = until(program.address().await, "it is polled", |page| committed(page, "esa1") >= HISTORY).await;
        assert_eq!(value(&page, "asyncos_login_refusals"), None);
        assert!(esa.requests()[before..].iter().all(|request| request.status != 401), "{auth}");
        program.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kills_during_logins_are_counted_as_refusals() {
    let HangingLogin { esa, folder: _folder, file, state } = HangingLogin::start().await;
    for kill in 1..=3 {
        let program = Program::serve(&file, &[&state]);
        esa.wait_for(|log| log.len() >= kill).await;
        program.signal("KILL");
        program.ended().await;
    }
    let mut program = Program::serve(&file, &[&state]);
    program.logs("logins stopped after repeated refusals").await;
    let page =
        until(program.address().await, "it is told", |page| value(page, "asyncos_login_blocked") == Some(1.0)).await;
    assert_eq!(value(&page, "asyncos_login_refusals"), Some(3.0));
    program.stop().await;
    assert_eq!(logins(&esa), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lost_state_costs_one_login_and_not_three() {
    for loss in ["deleted", "emptied", "damaged"] {
        let HangingLogin { esa, folder, file, state } = HangingLogin::start().await;
        let tried_and_killed = async |flags: &[&str]| {
            let before = logins(&esa);
            let program = Program::serve(&file, &[&[state.as_str()], flags].concat());
            esa.wait_for(|log| log.len() > before).await;
            program.signal("KILL");
            program.ended().await;
        };
        let blocked = async |cause: &str, tried: usize| {
            let mut program = Program::serve(&file, &[&state]);
            program.logs(&format!("logins stopped after {cause}")).await;
            program.stop().await;
            assert_eq!(logins(&esa), tried, "{loss}");
        };
        for _ in 0..3 {
            tried_and_killed(&[]).await;
        }
        blocked("repeated refusals", 3).await;
        let lost = folder.path("state/state.redb");
        match loss {
            "deleted" => std::fs::remove_file(lost).expect("deleted"),
            "emptied" => std::fs::write(lost, "").expect("emptied"),
            _ => std::fs::write(lost, "this is no database").expect("damaged"),
        }
        tried_and_killed(&[]).await;
        blocked("one refused login, because the login failure history was lost", 4).await;
        // The operator has unlocked the account: it is as any other again.
        tried_and_killed(&["--login.reset"]).await;
        tried_and_killed(&[]).await;
        assert_eq!(logins(&esa), 6, "{loss}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_good_password_is_taken_at_once_after_state_was_lost() {
    let esa = simulate(sim::Settings::esa("esa1")).await;
    let folder = Folder::new();
    folder.write("password", RIGHT);
    let file = configuration(&folder, &esa, "");
    let state = format!("--storage.path={}", folder.path("state"));
    for start in 1..=3 {
        let mut program = Program::serve(&file, &[&state]);
        let page = until(program.address().await, "it is polled", |page| value(page, "asyncos_up") == Some(1.0)).await;
        let missing = page.value("asyncos_state_refused_total", &[("what", "missing_file")]);
        assert_eq!(missing, (start == 2).then_some(1.0), "start {start}");
        let said = program.stop().await.stderr;
        assert_eq!(said.contains("state file is missing"), start == 2, "start {start}: {said}");
        if start == 1 {
            std::fs::remove_file(folder.path("state/state.redb")).expect("deleted");
        }
    }
    assert_eq!(logins(&esa), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_appliance_that_is_down_costs_no_attempt() {
    let esa = simulate(sim::Settings::esa("esa1")).await;
    let folder = Folder::new();
    folder.write("password", RIGHT);
    let file = configuration(&folder, &esa, "polling: {max_login_refusals: 1}");
    let state = format!("--storage.path={}", folder.path("state"));
    let down = sim::Fault::Status { code: 502, body: sim::FaultBody::Html, retry_after: None };
    esa.inject(down, sim::On::login().times(3));
    for _ in 0..3 {
        let mut program = Program::serve(&file, &[&state]);
        program.logs("server error").await;
        program.stop().await;
    }
    let mut program = Program::serve(&file, &[&state]);
    until(program.address().await, "it is polled", |page| committed(page, "esa1") >= HISTORY).await;
    program.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flag_resets_the_count_of_refused_logins() {
    let esa = simulate(sim::Settings::esa("esa1")).await;
    let folder = Folder::new();
    folder.write("password", WRONG);
    let file = configuration(&folder, &esa, "polling: {max_login_refusals: 1}");
    let state = format!("--storage.path={}", folder.path("state"));
    for (flags, tries) in [(&["--web.enable-lifecycle"][..], 1), (&["--login.reset"], 2), (&[], 2)] {
        let mut program = Program::serve(&file, &[&[state.as_str()], flags].concat());
        program.logs("logins stopped after repeated refusals").await;
        let address = program.address().await;
        until(address, "it is blocked", |page| value(page, "asyncos_login_blocked") == Some(1.0)).await;
        assert_eq!(logins(&esa), tries, "{flags:?}");
        let ended = program.stop().await;
        assert_eq!(ended.stderr.matches("before the appliance locks").count(), 1, "{}", ended.stderr);
    }
    // The account was unlocked, or given the password we have.
    esa.set_passphrase(WRONG);
    let mut program = Program::serve(&file, &[&state, "--web.enable-lifecycle"]);
    let address = program.address().await;
    program.logs("login failed").await;
    assert_eq!(post(format!("http://{address}/-/login-reset")).await, (200, "forgotten\n".into()));
    let page = until(address, "it is polled", |page| committed(page, "esa1") >= HISTORY).await;
    assert_eq!(value(&page, "asyncos_login_blocked"), Some(0.0));
    program.stop().await;
    let mut program = Program::serve(&file, &[&state]);
    let address = program.address().await;
    assert_eq!(post(format!("http://{address}/-/login-reset")).await.0, 403, "not without the flag");
    program.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_password_that_is_corrected_in_its_file_is_taken_without_a_restart() {
    for by_link in ["in place", "by a link"] {
        let esa = simulate(sim::Settings::esa("esa1")).await;
        let folder = Folder::new();
        let (wrong, right) = (folder.write("wrong", WRONG), folder.write("right", RIGHT));
        let link = |target: &str| {
            std::os::unix::fs::symlink(target, folder.path("next")).expect("a link");
            std::fs::rename(folder.path("next"), folder.path("password")).expect("the link in its place");
        };
        link(&wrong);
        let file = configuration(&folder, &esa, "polling: {max_login_refusals: 1}");
        let mut program = Program::serve(&file, &[]);
        let address = program.address().await;
        until(address, "logins are blocked", |page| value(page, "asyncos_login_blocked") == Some(1.0)).await;
        match by_link {
            "in place" => drop(folder.write("password", RIGHT)),
            _ => link(&right),
        }
        program.logs("password file changed").await;
        let page = until(address, "it is polled", |page| committed(page, "esa1") >= HISTORY).await;
        assert_eq!(value(&page, "asyncos_login_blocked"), Some(0.0));
        assert_eq!(value(&page, "asyncos_login_refusals"), None);
        assert_eq!(logins(&esa), 2, "one refused, one accepted");
        let said = program.stop().await.stderr;
        assert!(!said.contains(RIGHT) && !said.contains(WRONG), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_credential_of_the_service_manager_is_the_password() {
    let esa = simulate(sim::Settings::esa("esa1")).await;
    let folder = Folder::new();
    folder.write("esa1", format!("{RIGHT}\n"));
    let entry = format!("  - {{name: esa1, url: '{}', username: monitor, credential: esa1}}\n", esa.url());
    let file = folder.write("c.yaml", format!("{DEFAULTS}{entry}"));
    let arguments = ["serve", &format!("--config.file={file}"), "--web.listen-address=127.0.0.1:0"];
    let mut program = Program::start_with(&arguments, &[("CREDENTIALS_DIRECTORY", &folder.path(""))]);
    until(program.address().await, "it is polled", |page| committed(page, "esa1") >= HISTORY).await;
    program.stop().await;
}

#[tokio::test]
async fn no_login_is_made_that_cannot_be_counted() {
    let clock = lapse(60);
    let esa = rig::simulate(sim::Settings::esa("esa1"), &clock).await;
    let full = Arc::new(AtomicBool::new(true));
    let disk = Arc::clone(&full);
    let refusals = LoginFailureLog::new([1; 32], HashMap::new(), move |_, _| {
        let outcome = if disk.load(Ordering::SeqCst) { Err("no space".to_owned()) } else { Ok(()) };
        Box::pin(std::future::ready(outcome))
    });
    let text = format!("appliances:\n{}", rig::entry("esa1", &esa, ""));
    let config = Config::parse("login", &text).unwrap_or_else(|error| panic!("{error}"));
    let appliance = &config.appliances[0];
    let client = Client::try_new(appliance, &SystemRoots::default(), clock.clone(), Listener::new(|_| {}), refusals)
        .expect("a client");
    for _ in 0..5 {
        let failure = client.connect().await.expect_err("the disk is full");
        assert_eq!(failure.reason, Reason::LoginWait);
        assert_eq!(failure.to_string(), "login not attempted because its result cannot be recorded: no space");
    }
    assert_eq!(logins(&esa), 0);
    full.store(false, Ordering::SeqCst);
    assert_eq!(fetch(&client, CAPACITY).await, Ok(()));
    // The account is known to be good: a disk that fills up must not stop what can be had.
    full.store(true, Ordering::SeqCst);
    esa.revoke_tokens();
    assert_eq!(fetch(&client, CAPACITY).await, Ok(()));
    // A refusal still counts, in memory.
    esa.set_passphrase("another");
    esa.revoke_tokens();
    for _ in 0..60 {
        assert!(fetch(&client, CAPACITY).await.is_err());
        clock.sleep(Duration::from_secs(30)).await;
    }
    assert_eq!(logins(&esa), 2 + 3);
}

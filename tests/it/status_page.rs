//! A status page that refuses the password: how many refused logins that makes, and when it is asked again.

use std::collections::HashMap;
use std::future::ready;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use asyncos_exporter::api::{
    Client, EVERY_ACCOUNT, FailureCount, Listener, LoginFailureLog, Reason, RefusalCause, StatusKind, SystemRoots,
};
use asyncos_exporter::base::clock::{Clock, Timestamp};
use asyncos_exporter::config::Config;
use asyncos_exporter::sim::{self, Fault, FaultBody, On};
use tokio::task::JoinSet;
use url::Url;

use crate::program::Folder;
use crate::rig::{self, Rig, entry, lapse, simulate};
use crate::session::refused;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
const ANOTHER: &str = "another";

/// An appliance, and the server of its status page, which knows another password.
async fn pair(clock: &Clock) -> (sim::Appliance, sim::Appliance) {
    let mut settings = sim::Settings::esa("api");
    // A loaded machine is slow by the time lapse.
    settings.behaviour.token_life = 4 * HOUR;
    let api = simulate(settings, clock).await;
    let web = simulate(sim::Settings::esa("web"), clock).await;
    web.set_passphrase(ANOTHER);
    (api, web)
}

/// Asks for the page each minute of a while; the failures with their words.
async fn ask(client: &Client, web: &sim::Appliance, clock: &Clock, span: Duration) -> Vec<(Reason, String)> {
    let aspect = StatusKind::XmlStatus(Url::parse(&web.url()).expect("a URL"));
    let (end, mut failures) = (clock.tick() + span, Vec::new());
    while clock.tick() < end {
        let outcome = client.observe(&aspect).await;
        failures.extend(outcome.err().map(|failure| (failure.reason, failure.to_string())));
        clock.sleep(MINUTE).await;
    }
    failures
}

fn with_page(web: &sim::Appliance) -> String {
    format!("xml_status: {{url: '{}'}}", web.url())
}

fn client(entry: &str, clock: &Clock) -> Client {
    client_with(entry, clock, LoginFailureLog::in_memory())
}

fn client_with(entry: &str, clock: &Clock, refusals: LoginFailureLog) -> Client {
    let config = Config::parse("status", &format!("appliances:\n{entry}")).unwrap_or_else(|error| panic!("{error}"));
    let (roots, listener) = (SystemRoots::default(), Listener::new(|_| {}));
    Client::try_new(&config.appliances[0], &roots, clock.clone(), listener, refusals).expect("a client")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hours_of_refusals_and_a_restart_are_three_requests() {
    let clock = lapse(1200);
    let (api, web) = pair(&clock).await;
    let folder = Folder::new();
    let storage = std::path::PathBuf::from(folder.path("state"));
    let defaults = "defaults: {window: 1h}\ncounter_groups: [mail_mor_summary]\nappliances:\n";
    let text = format!("{defaults}{}", entry("a", &api, &with_page(&web)));
    let refused_group = [("appliance", "a"), ("group", "xml_status"), ("reason", "not_allowed")];
    for life in 1..=2 {
        let rig = Rig::start_stored(&text, &storage, &clock).await;
        rig.until("the page is not had", |page| page.value("asyncos_group_refused", &refused_group) == Some(1.0)).await;
        clock.sleep(8 * HOUR).await;
        let page = rig.page().await;
        assert_eq!(page.value("asyncos_group_refused", &refused_group), Some(1.0), "it is told all the while");
        assert_eq!(page.value("asyncos_up", &[("appliance", "a")]), Some(1.0));
        assert_eq!(web.requests().len(), 3, "life {life}");
        if life == 2 {
            web.set_passphrase("ironport");
            let url = format!("http://{}/-/login-reset", rig.address);
            assert_eq!(rig::client().post(url).send().await.expect("an answer").status(), 200);
            rig.until("it is had", |page| page.matching("asyncos_system_status", &[("appliance", "a")]).len() == 1)
                .await;
        }
        rig.end().await;
    }
    assert_eq!((refused(&web), refused(&api)), (3, 0));
}

#[tokio::test]
async fn another_password_in_the_file_is_shown_at_once() {
    let clock = lapse(1200);
    let (api, web) = pair(&clock).await;
    let folder = Folder::new();
    let file = folder.write("password", "ironport");
    let entry = format!("  - {{name: a, url: '{}', username: monitor, password_file: '{file}'}}\n", api.url());
    let client = client(&entry, &clock);
    let failures = ask(&client, &web, &clock, 2 * HOUR).await;
    assert!(failures.iter().all(|(reason, _)| *reason == Reason::NotAllowed), "{failures:?}");
    let last = &failures.last().expect("a failure").1;
    assert!(last.starts_with("the status page rejected the credentials, requests stopped"), "{last}");
    assert_eq!(web.requests().len(), 3);
    api.set_passphrase(ANOTHER);
    folder.write("password", ANOTHER);
    assert_eq!(ask(&client, &web, &clock, 5 * MINUTE).await, []);
    assert_eq!((refused(&web), refused(&api)), (3, 0));
}

async fn change_the_password(restarts: bool, most: usize) {
    let clock = lapse(1200);
    let mut settings = sim::Settings::esa("esa1");
    settings.behaviour.token_life = 3 * HOUR;
    settings.behaviour.lockout_after = Some(5);
    let esa = simulate(settings, &clock).await;
    let entry = entry("a", &esa, &format!("xml_status: true, polling: {{max_login_refusals: {most}}}"));
    let refusals = LoginFailureLog::in_memory();
    let mut client = client_with(&entry, &clock, refusals.clone());
    assert_eq!(ask(&client, &esa, &clock, 2 * MINUTE).await, []);
    esa.set_passphrase(ANOTHER);
    ask(&client, &esa, &clock, 20 * MINUTE).await;
    let by_page = refused(&esa);
    assert_eq!(by_page, most.min(3), "the token still lives");
    if restarts {
        client = client_with(&entry, &clock, refusals.clone());
    }
    ask(&client, &esa, &clock, 6 * HOUR).await;
    assert_eq!(refused(&esa), by_page + 1, "restarts: {restarts}, most: {most}");
    esa.set_passphrase("ironport");
    refusals.reset().await.expect("forgotten");
    assert_eq!(ask(&client, &esa, &clock, MINUTE).await, [], "it was never locked");
}

/// Page and login are of one account then: six refusals would lock it.
#[tokio::test]
async fn page_and_login_together_stay_below_the_lock_out() {
    let cases = [(false, 3), (true, 3), (false, 4), (true, 4), (false, 1)];
    cases
        .map(|(restarts, most)| change_the_password(restarts, most))
        .into_iter()
        .collect::<JoinSet<()>>()
        .join_all()
        .await;
}

#[tokio::test]
async fn a_page_whose_refusals_were_lost_is_tried_once() {
    let clock = lapse(1200);
    let (api, web) = pair(&clock).await;
    let (last, cause) = (Timestamp::from_secs(0), RefusalCause::default());
    let lost = FailureCount { refusals: 0, last, in_doubt: false, history_lost: true, cause, cleared: 0 };
    let counts = HashMap::from([(EVERY_ACCOUNT.to_owned(), lost)]);
    let refusals = LoginFailureLog::new([7; 32], counts, |_, _| Box::pin(ready(Ok(()))));
    let client = client_with(&entry("a", &api, &with_page(&web)), &clock, refusals.clone());
    Client::allow_one_login([&client].into_iter(), &refusals).await.expect("written");
    ask(&client, &web, &clock, HOUR).await;
    assert_eq!((web.requests().len(), refused(&api)), (1, 0));
}

/// Refusals of a page that the account has no access to stay for good. A login that is interrupted weeks later, by a crash,
/// must not be taken for the last one that is left.
#[tokio::test]
async fn an_interrupted_login_long_after_refusals_of_the_page_leaves_another() {
    let clock = lapse(1200);
    let (api, web) = pair(&clock).await;
    let entry = entry("a", &api, &with_page(&web));
    let written = Arc::new(Mutex::new(HashMap::<String, Vec<Option<FailureCount>>>::new()));
    let log = Arc::clone(&written);
    let refusals = LoginFailureLog::new([7; 32], HashMap::new(), move |account, failures| {
        log.lock().expect("no panic").entry(account).or_default().push(failures);
        Box::pin(ready(Ok(())))
    });
    let before = client_with(&entry, &clock, refusals);
    ask(&before, &web, &clock, 6 * HOUR).await;
    assert_eq!((refused(&web), refused(&api)), (3, 0));
    // Of the page what was written last, of the account what a crash during its login leaves.
    let in_doubt = |counts: &Vec<Option<FailureCount>>| match counts.last().copied().flatten() {
        None => counts.iter().flatten().copied().find(|failures| failures.in_doubt),
        last => last,
    };
    let counts: HashMap<String, FailureCount> = written
        .lock()
        .expect("no panic")
        .iter()
        .filter_map(|(account, counts)| Some((account.clone(), in_doubt(counts)?)))
        .collect();
    let mut left: Vec<_> = counts.values().map(|failures| (failures.refusals, failures.in_doubt)).collect();
    left.sort_unstable();
    assert_eq!(left, [(1, true), (3, false)]);
    let after = client_with(&entry, &clock, LoginFailureLog::new([7; 32], counts, |_, _| Box::pin(ready(Ok(())))));
    let failures = ask(&after, &web, &clock, 5 * MINUTE).await;
    assert!(failures.iter().all(|(reason, _)| *reason == Reason::NotAllowed), "{failures:?}");
    assert!(!failures.is_empty() && after.identity().is_some(), "the login is made: {failures:?}");
    assert_eq!((refused(&web), refused(&api)), (3, 0));
}

/// A write a minute and appliance would wear out a disk. The first request is counted before it is made, since a crash loop
/// would show a wrong password again and again.
#[tokio::test]
async fn a_status_page_that_accepts_the_account_is_persisted_once() {
    let clock = lapse(1200);
    let (api, web) = pair(&clock).await;
    web.set_passphrase("ironport");
    let written = Arc::new(Mutex::new(HashMap::<String, Vec<u32>>::new()));
    let log = Arc::clone(&written);
    let refusals = LoginFailureLog::new([7; 32], HashMap::new(), move |account, failures| {
        let counted = failures.map_or(0, |failures| failures.refusals);
        log.lock().expect("no panic").entry(account).or_default().push(counted);
        Box::pin(ready(Ok(())))
    });
    let client = client_with(&entry("a", &api, &with_page(&web)), &clock, refusals);
    assert_eq!(ask(&client, &web, &clock, 20 * MINUTE).await, []);
    let of_two_accounts: Vec<_> = written.lock().expect("no panic").values().cloned().collect();
    assert_eq!(of_two_accounts, [[1, 0], [1, 0]], "a login and a page");
    web.set_passphrase(ANOTHER);
    ask(&client, &web, &clock, MINUTE).await;
    let newest: Vec<_> = written.lock().expect("no panic").values().map(|counts| counts[counts.len() - 1]).collect();
    assert!(newest.contains(&1), "the refusal: {newest:?}");
}

async fn answer_with(fault: Fault, is_refusal: bool) {
    let clock = lapse(1200);
    let (api, web) = pair(&clock).await;
    web.set_passphrase("ironport");
    let client = client(&entry("a", &api, ""), &clock);
    assert_eq!(ask(&client, &web, &clock, 2 * MINUTE).await, [], "{fault:?}");
    let before = web.requests().len();
    web.inject(fault.clone(), On::every());
    let failures = ask(&client, &web, &clock, HOUR).await.len();
    let asked = web.requests().len() - before;
    assert_eq!(asked, if is_refusal { 3 } else { failures }, "{fault:?}");
    web.clear_faults();
    let expected = if is_refusal { Some(Reason::NotAllowed) } else { None };
    let after = ask(&client, &web, &clock, MINUTE).await;
    assert_eq!(after.first().map(|(reason, _)| *reason), expected, "{fault:?}");
}

#[tokio::test]
async fn refusals_in_every_form_are_bounded_and_what_says_nothing_of_the_account_is_none() {
    let status = |code, body| Fault::Status { code, body, retry_after: None };
    let words = |text: &str| FaultBody::Json(text.into());
    let cases = [
        (status(401, FaultBody::Html), true),
        (status(401, FaultBody::Empty), true),
        (status(403, FaultBody::Html), true),
        (status(423, FaultBody::Html), true),
        (status(400, words("Invalid credentials.")), true),
        (status(404, FaultBody::Html), false),
        (status(503, FaultBody::Html), false),
        (Fault::RawBody("<html>Welcome</html>".into()), false),
        (Fault::CloseEarly, false),
    ];
    cases
        .map(|(fault, is_refusal)| answer_with(fault, is_refusal))
        .into_iter()
        .collect::<JoinSet<()>>()
        .join_all()
        .await;
}

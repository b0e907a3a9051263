//! Reloads by the dozen, and what is done to a file while it is read: whoever was not changed does not notice.

use std::time::Duration;

use asyncos_exporter::http::Lifecycle;
use asyncos_exporter::sim::{self, Fault, On};
use reqwest::Method;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use crate::exposition::Page;
use crate::polling::assert_totals_true;
use crate::program::{self, Folder, Program};
use crate::reload::{IN_FORCE, ask, logins};
use crate::rig::{self, PATIENCE, Rig, answered, entry, lapse, simulate};

const INCOMING: &str = "mail_incoming_traffic_summary";
const DEFAULTS: &str = "defaults: {window: 1m, settle: 5s, timeout: 10s}\ncounter_groups: minimal\nappliances:\n";
const RELOADS: usize = 50;

fn counted(page: &Page, appliance: &str) -> f64 {
    page.windows_each(appliance)
}

async fn reload(rig: &Rig) -> Result<(), String> {
    let (reply, outcome) = oneshot::channel();
    rig.lifecycle.send(Lifecycle::Reload(reply)).await.expect("the daemon listens");
    outcome.await.expect("the daemon answers")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_reloads_cost_no_login_no_window_and_no_count() {
    let clock = lapse(60);
    let (stays, changes) =
        (simulate(sim::Settings::esa("esa1"), &clock).await, simulate(sim::Settings::esa("esa2"), &clock).await);
    // A reload finds requests in flight more often than not.
    for esa in [&stays, &changes] {
        esa.change(|behaviour| behaviour.latency = Duration::from_millis(20));
    }
    let text = |rest: &str| format!("{DEFAULTS}{}{}", entry("stays", &stays, ""), entry("changes", &changes, rest));
    let folder = Folder::new();
    let file = folder.write("c.yaml", text(""));
    let rig = Rig::start_file(file.as_ref(), None, &clock).await;
    let begun = |page: &Page| counted(page, "stays") >= 2.0 && counted(page, "changes") >= 2.0;
    rig.until("both are counted", begun).await;
    for round in 0..RELOADS {
        let (good, rest) = (round % 5 != 4, if round % 2 == 0 { "polling: {concurrency: 2}" } else { "" });
        folder.write("c.yaml", if good { text(rest) } else { "appliances: [".to_owned() });
        assert_eq!(reload(&rig).await.is_ok(), good, "{round}");
    }
    // All at once, as from a script in a loop.
    folder.write("c.yaml", text(""));
    let mut askers = JoinSet::new();
    for _ in 0..RELOADS {
        askers.spawn(ask(Method::POST, format!("http://{}/-/reload", rig.address)));
    }
    let answers = tokio::time::timeout(PATIENCE, askers.join_all()).await.expect("everybody is answered");
    assert!(answers.iter().all(|answer| *answer == (200, "reloaded\n".to_owned())), "{answers:?}");
    let seen = answered(&stays, INCOMING).len() as f64;
    let further = |page: &Page| counted(page, "stays") >= seen + 2.0 && page.value(IN_FORCE, &[]) == Some(1.0);
    rig.until("it goes on", further).await;
    let first = |appliance| answered(appliance, INCOMING)[0].0;
    // What a replaced poller had counted is in the ledger, and its successor shows it.
    let page = rig
        .until("the other goes on", |page| {
            let labels = [("appliance", "changes"), ("group", INCOMING)];
            let end = page.value("asyncos_window_end_timestamp_seconds", &labels);
            end.is_some_and(|end| end >= (first(&changes) + 180) as f64)
        })
        .await;
    assert_totals_true(&page, &stays, "stays", INCOMING, first(&stays));
    assert_totals_true(&page, &changes, "changes", INCOMING, first(&changes));
    rig.end().await;
    assert_eq!((logins(&stays), logins(&changes)), (1, 1));
    let windows = answered(&stays, INCOMING);
    assert!(windows.windows(2).all(|pair| pair[0].1 == pair[1].0), "each once and none left out: {windows:?}");
}

/// A request may take ten minutes here; a reload that waited for it would take as long.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reload_does_not_wait_for_appliances_that_hang() {
    let clock = lapse(1);
    let defaults = DEFAULTS.replace("timeout: 10s", "timeout: 10m");
    let (mut fleet, mut text) = (Vec::new(), defaults.clone());
    for (name, on) in [("login", On::every()), ("report", On::reports()), ("gone", On::every())] {
        let esa = simulate(sim::Settings::esa(name), &clock).await;
        esa.inject(Fault::Hang, on);
        text += &entry(name, &esa, "");
        fleet.push(esa);
    }
    let folder = Folder::new();
    let rig = Rig::start_file(folder.write("c.yaml", &text).as_ref(), None, &clock).await;
    for (esa, requests) in fleet.iter().zip([1, 2, 1]) {
        let enough = esa.wait_for(|log| log.len() >= requests);
        tokio::time::timeout(PATIENCE, enough).await.expect("the requests arrive");
    }
    let others = [("login", &fleet[0]), ("report", &fleet[1])];
    let others = others.map(|(name, esa)| entry(name, esa, "polling: {timeout: 9m}"));
    folder.write("c.yaml", format!("{defaults}{}", others.concat()));
    let outcome = tokio::time::timeout(PATIENCE, reload(&rig)).await.expect("nobody waits for what hangs");
    assert_eq!(outcome, Ok(()));
    let page = rig.text().await;
    assert!(!page.contains("\"gone\"") && page.contains("\"login\"") && page.contains("\"report\""), "{page}");
    // The successors ask in the place of those that were cut short.
    for (esa, requests) in fleet.iter().zip([2, 3]) {
        let enough = esa.wait_for(|log| log.len() >= requests);
        tokio::time::timeout(PATIENCE, enough).await.expect("the requests arrive");
    }
    rig.end().await;
    assert_eq!(logins(&fleet[1]), 1, "the session outlives an edit");
}

/// A pipe that nobody writes to, at `path`: who opens one usually waits for a writer, and for ever.
fn pipe(path: &str) {
    let made = std::process::Command::new("mkfifo").arg(path).status().expect("a pipe");
    assert!(made.success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pipe_in_place_of_a_password_holds_up_nothing() {
    let clock = lapse(60);
    let esa = simulate(sim::Settings::esa("esa1"), &clock).await;
    let folder = Folder::new();
    let password = folder.write("password", "ironport\n");
    let with = |file: &str| {
        let entry = entry("esa1", &esa, "").replace("password: ironport", &format!("password_file: '{file}'"));
        format!("{DEFAULTS}{entry}")
    };
    let good = with(&password);
    let file = folder.write("c.yaml", &good);
    let rig = Rig::start_file(file.as_ref(), None, &clock).await;
    let before = rig.until("it is polled", |page| counted(page, "esa1") >= 2.0).await;
    // The password is looked at again before a login, and the one that is known goes on.
    std::fs::remove_file(&password).expect("the file");
    pipe(&password);
    esa.inject(Fault::Revoke, On::reports().times(1));
    let further = |page: &Page| counted(page, "esa1") >= counted(&before, "esa1") + 3.0;
    rig.until("it is polled on", further).await;
    assert_eq!(logins(&esa), 2);
    let other = folder.path("other");
    pipe(&other);
    folder.write("c.yaml", with(&other));
    let said = reload(&rig).await.expect_err("a pipe");
    let reason = "it is a pipe; a regular file is required";
    assert_eq!(said, format!("{file}:4: appliances[0].password_file: cannot read `{other}`: {reason}"));
    assert_eq!(rig.page().await.value(IN_FORCE, &[]), Some(0.0));
    std::fs::remove_file(&password).expect("the pipe");
    folder.write("password", "ironport\n");
    folder.write("c.yaml", &good);
    assert_eq!(reload(&rig).await, Ok(()));
    assert_eq!(rig.page().await.value(IN_FORCE, &[]), Some(1.0));
    rig.end().await;
}

#[tokio::test]
async fn whatever_takes_the_place_of_the_file_the_old_configuration_stays() {
    let esa = program::simulate(sim::Settings::esa("esa1")).await;
    let folder = Folder::new();
    let good = format!("{}{}", program::DEFAULTS, entry("esa1", &esa, ""));
    let file = folder.write("c.yaml", &good);
    let mut program = Program::serve(&file, &["--web.enable-lifecycle"]);
    let address = program.address().await;
    let url = format!("http://{address}/-/reload");
    let shell = |script: &str| {
        let made = std::process::Command::new("sh").args(["-c", script, "sh", &file]).status().expect("a shell");
        assert!(made.success(), "{script}");
    };
    for (script, reason) in [
        ("rm $1", "No such file or directory"),
        ("mkdir $1", "it is not a regular file"),
        ("rmdir $1; mkfifo $1", "it is a pipe; a regular file is required"),
        ("rm $1; ln -s /dev/zero $1", "it is not a regular file"),
        ("rm $1; ln -s c.yaml $1", "symbolic links"),
        ("rm $1; head -c 20000000 /dev/zero >$1", "it has 20000000 bytes; at most"),
        ("printf '\\377' >$1", "the text is not UTF-8"),
        ("head -c 1000 /dev/zero >$1", "not valid YAML"),
        (": >$1", "no appliance is configured"),
    ] {
        shell(script);
        let (status, said) = ask(Method::POST, url.clone()).await;
        let prefix = format!("cannot reload: {file}");
        assert!(status == 500 && said.starts_with(&prefix) && said.contains(reason), "{script}: {said}");
        assert_eq!(rig::page(address).await.value(IN_FORCE, &[]), Some(0.0));
    }
    folder.write("c.yaml", &good);
    assert_eq!(ask(Method::POST, url).await.0, 200);
    rig::until(address, "it is polled", |page| program::committed(page, "esa1") >= program::HISTORY).await;
    program.stop().await;
    assert_eq!(logins(&esa), 1);
}

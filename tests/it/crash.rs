//! The totals of the real program, killed again and again, against the simulator's truth.

use std::process::Command;
use std::time::{Duration, UNIX_EPOCH};

use asyncos_exporter::sim::{self, On};

use crate::exposition::Page;
use crate::keyed::{by_key, sum};
use crate::polling::assert_totals_true;
use crate::program::{DEFAULTS, Folder, Program, committed, simulate};
use crate::rig::{begun, entry, until};
use crate::values::report;

const GROUPS: [&str; 3] = ["mail_incoming_traffic_summary", "mail_outgoing_traffic_summary", "mail_system_capacity"];
const POLICIES: &str = "mail_policy_incoming";
const MATCHED: &str = "asyncos_mail_policy_incoming_recipients_matched_total";
const KILLS: usize = 200;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_kills_lose_and_double_nothing() {
    let esa = simulate(sim::Settings::esa("esa1")).await;
    let folder = Folder::new();
    // Four weeks of hours: enough windows for every kill to hit one.
    let polling = "polling: {window: 1h, settle: 0s, start: 28d, catch_up: 31d}";
    let text = format!("counter_groups: minimal\nappliances:\n{}", entry("esa1", &esa, polling));
    let (config, state) = (folder.write("c.yaml", &text), format!("--storage.path={}", folder.path("state")));
    for kill in 0..KILLS {
        let program = Program::serve(&config, &[&state]);
        // From before the first request to well into the history, differently each time.
        let requests = esa.requests().len() + kill * 7 % 23;
        esa.wait_for(|log| log.len() >= requests).await;
        tokio::time::sleep(Duration::from_micros((kill * 37 % 5000) as u64)).await;
        program.signal("KILL");
        program.ended().await;
    }
    let mut program = Program::serve(&config, &[&state]);
    let address = program.address().await;
    let page = until(address, "everything is counted", |page| {
        page.every("asyncos_windows_pending", &[], |pending| pending == 0.0)
            && page.every("asyncos_group_success", &[], |success| success == 1.0)
    })
    .await;
    assert!(esa.requests().len() > KILLS, "every run got somewhere");
    for group in GROUPS {
        assert_totals_true(&page, &esa, "esa1", group, begun(&esa, group));
    }
}

/// The sum over all policies, and what the appliance counted of them until where the page says it is.
fn policies(page: &Page, esa: &sim::Appliance) -> (f64, f64) {
    let labels = [("appliance", "esa1"), ("group", POLICIES)];
    let end = page.value("asyncos_window_end_timestamp_seconds", &labels).expect("counted") as u64;
    let truth = esa.keyed_truth(&sim::Scope::Whole, POLICIES, "recipients_matched", begun(esa, POLICIES), end);
    (sum(page, MATCHED, &[("appliance", "esa1")]), truth.values().sum())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kills_lose_and_double_nothing_of_an_hour_that_is_not_over() {
    let mut settings = sim::Settings::esa("esa1");
    settings.behaviour.hour_only = Some(sim::HOUR_ONLY_MESSAGES[0].into());
    let esa = simulate(settings).await;
    let folder = Folder::new();
    let groups = format!("{}, {{name: {POLICIES}, series_limit: 2}}", GROUPS.join(", "));
    let polling = "polling: {window: 5m, settle: 0s, start: 1d, catch_up: 31d, requests_per_minute: 6000}";
    let text = format!("counter_groups: [{groups}]\nappliances:\n{}", entry("esa1", &esa, polling));
    let (config, state) = (folder.write("c.yaml", &text), format!("--storage.path={}", folder.path("state")));
    let running = || {
        let is_running = |request: &sim::Request| {
            let end = request.window.map(|(_, end)| UNIX_EPOCH + Duration::from_secs(end));
            request.status == 200 && end.is_some_and(|end| end > request.at)
        };
        esa.count(is_running)
    };
    for kill in 0..KILLS / 2 {
        let program = Program::serve(&config, &[&state]);
        // After the history there are a login and the running hour of each group.
        let more = if running() == 0 { kill * 7 % 23 } else { 1 + kill % GROUPS.len() };
        let requests = esa.requests().len() + more;
        esa.wait_for(|log| log.len() >= requests).await;
        tokio::time::sleep(Duration::from_micros((kill * 37 % 5000) as u64)).await;
        program.signal("KILL");
        program.ended().await;
    }
    assert!(running() > KILLS / 4, "{} reports of a running hour", running());
    let mut program = Program::serve(&config, &[&state]);
    let page = until(program.address().await, "everything is counted", |page| {
        let (shown, truth) = policies(page, &esa);
        page.every("asyncos_group_success", &[], |success| success == 1.0) && shown == truth
    })
    .await;
    assert!(page.every("asyncos_running_hour", &[], |runs| runs == 1.0));
    let rows = by_key(&page, MATCHED, &[("appliance", "esa1")], "policy");
    assert!(rows.len() == 2 && rows["other"] > 0.0, "one policy and the rest: {rows:?}");
    for group in GROUPS {
        assert_totals_true(&page, &esa, "esa1", group, begun(&esa, group));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_that_were_counted_just_before_a_kill_still_begin_at_zero() {
    let esa = simulate(sim::Settings::esa("esa1")).await;
    // At night a simulated minute may match no rare policy at all.
    esa.inject(report(r#"{"recipients_matched": {"DEFAULT": 5}}"#), On::group("mail_policy_incoming"));
    let folder = Folder::new();
    let polling = "polling: {window: 1m, settle: 0s, start: 3m}";
    let text = format!("counter_groups: [mail_policy_incoming]\nappliances:\n{}", entry("esa1", &esa, polling));
    let (config, state) = (folder.write("c.yaml", &text), format!("--storage.path={}", folder.path("state")));
    let policies = |page: &Page| by_key(page, MATCHED, &[("appliance", "esa1")], "policy");
    let mut program = Program::serve(&config, &[&state]);
    let known = until(program.address().await, "windows are counted", |page| committed(page, "esa1") >= 3.0).await;
    let known = policies(&known);
    program.signal("KILL");
    program.ended().await;
    esa.clear_faults();
    esa.inject(report(r#"{"recipients_matched": {"DEFAULT": 5, "VIP": 7}}"#), On::group("mail_policy_incoming"));
    for kill in 0..4 {
        let mut program = Program::serve(&config, &[&state]);
        let page =
            until(program.address().await, "new keys are counted", |page| policies(page).len() > known.len()).await;
        let mut new = policies(&page);
        new.retain(|key, _| !known.contains_key(key));
        assert!(!new.is_empty() && new.values().all(|value| *value == 0.0), "after {kill} kills: {new:?}");
        program.signal("KILL");
        program.ended().await;
    }
}

/// Lets the process write files of any size, or none at all, as a full disk would.
fn allow_writing(process: u32, allowed: bool) {
    let limit = if allowed { "unlimited" } else { "0" };
    let set =
        Command::new("prlimit").args([&format!("--pid={process}"), &format!("--fsize={limit}:unlimited")]).status();
    assert!(set.expect("prlimit of util-linux").success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_stops_the_totals_and_loses_nothing() {
    let mut settings = sim::Settings::esa("esa1");
    settings.behaviour.latency = Duration::from_millis(5);
    let esa = simulate(settings).await;
    let folder = Folder::new();
    let polling = "polling: {window: 1h, settle: 0s, start: 7d, catch_up: 31d}";
    let text = format!("counter_groups: minimal\nappliances:\n{}", entry("esa1", &esa, polling));
    let (config, state) = (folder.write("c.yaml", &text), folder.path("state"));
    let mut program = Program::serve_deaf_to_file_limits(&config, &[&format!("--storage.path={state}")]);
    let address = program.address().await;
    until(address, "some windows are counted", |page| committed(page, "esa1") >= 20.0).await;
    allow_writing(program.id(), false);
    let failures = |page: &Page| page.value("asyncos_state_persist_failures_total", &[]).expect("published");
    // Each of three groups fails once, and ten seconds later again: by then no page is older than the first failure.
    let stopped = until(address, "writing fails", |page| failures(page) >= 4.0).await;
    let later = until(address, "writing fails on", |page| failures(page) >= 7.0).await;
    for (labels, total) in stopped.matching("asyncos_mail_incoming_traffic_summary_detected_spam_total", &[]) {
        let labels: Vec<_> = labels.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let now = later.value("asyncos_mail_incoming_traffic_summary_detected_spam_total", &labels);
        assert_eq!(now, Some(total), "a total that is not written down is not shown");
    }
    allow_writing(program.id(), true);
    let page = until(address, "everything is counted", |page| {
        page.every("asyncos_windows_pending", &[], |pending| pending == 0.0)
    })
    .await;
    for group in GROUPS {
        assert_totals_true(&page, &esa, "esa1", group, begun(&esa, group));
    }
    let log = program.stop().await.stderr;
    assert_eq!(log.matches("cannot write state").count(), 1, "said once: {log}");
    assert_eq!(log.matches("state writes recovered").count(), 1, "{log}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn state_that_is_deleted_under_a_running_exporter_is_there_after_a_restart() {
    let esa = simulate(sim::Settings::esa("esa1")).await;
    let folder = Folder::new();
    let polling = "polling: {window: 1h, settle: 0s, start: 1d, catch_up: 31d}";
    let text = format!("counter_groups: minimal\nappliances:\n{}", entry("esa1", &esa, polling));
    let (config, state) = (folder.write("c.yaml", &text), folder.path("state"));
    let counted = |page: &Page| {
        page.every("asyncos_windows_pending", &[], |pending| pending == 0.0)
            && page.every("asyncos_group_success", &[], |success| success == 1.0)
    };
    for restart in 0..2 {
        let mut program = Program::serve(&config, &[&format!("--storage.path={state}")]);
        let address = program.address().await;
        let page = until(address, "everything is counted", counted).await;
        assert_eq!(page.value("asyncos_state_file_present", &[]), Some(1.0));
        for group in GROUPS {
            assert_totals_true(&page, &esa, "esa1", group, begun(&esa, group));
        }
        if restart == 0 {
            std::fs::remove_dir_all(&state).expect("deleted");
        }
        let log = program.stop().await.stderr;
        assert_eq!(log.matches("state file was deleted and has been recreated").count(), 1 - restart, "{log}");
        assert!(!log.contains("state file is missing"), "{log}");
    }
}

/// What is kept is for nobody else, whatever the shell that starts the daemon lets others read.
#[tokio::test]
async fn the_state_is_for_nobody_else_under_any_umask() {
    use std::os::unix::fs::PermissionsExt;

    let esa = simulate(sim::Settings::esa("esa1")).await;
    for umask in ["000", "022", "077", "777"] {
        let folder = Folder::new();
        let config = folder.write("c.yaml", format!("{}{}", DEFAULTS, entry("esa1", &esa, "")));
        let state = folder.path("made/state");
        let storage = format!("--storage.path={state}");
        let mode = |path: String| std::fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
        // The second start finds what the first has made.
        for _ in 0..2 {
            let mut program = Program::serve_under_umask(umask, &config, &[&storage]);
            program.address().await;
            program.stop().await;
            let [file, marker] = ["state.redb", "state.marker"].map(|name| mode(format!("{state}/{name}")));
            assert_eq!(
                [mode(state.clone()), mode(folder.path("made")), file, marker],
                [0o700, 0o700, 0o600, 0o600],
                "{umask}"
            );
        }
    }
}

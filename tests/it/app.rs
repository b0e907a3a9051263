//! The daemon in one process: what a reload keeps, and that nothing outlives it.

use std::time::Duration;

use asyncos_exporter::base::clock::Clock;
use asyncos_exporter::http::Lifecycle;
use asyncos_exporter::sim::{self, Fault, On, RequestKind};
use tokio::sync::oneshot;

use crate::exposition::Page;
use crate::polling::assert_totals_true;
use crate::program::Folder;
use crate::rig::{PATIENCE, Rig, answered, assert_contiguous, entry, lapse, simulate};

const INCOMING: &str = "mail_incoming_traffic_summary";
const IN_FORCE: &str = "asyncos_config_last_reload_successful";
/// A minute of the time lapse is a second.
const RATE: u32 = 60;
const DEFAULTS: &str = "defaults: {window: 1m, settle: 5s, timeout: 1s}\ncounter_groups: minimal\nappliances:\n";

/// A daemon whose configuration is a file.
struct Filed {
    rig: Rig,
    folder: Folder,
}

impl Filed {
    async fn start(text: &str, clock: &Clock) -> Self {
        let folder = Folder::new();
        let rig = Rig::start_file(folder.write("c.yaml", text).as_ref(), None, clock).await;
        Self { rig, folder }
    }

    async fn reload(&self, text: &str) -> Result<(), String> {
        self.folder.write("c.yaml", text);
        reload(&self.rig).await
    }
}

async fn reload(rig: &Rig) -> Result<(), String> {
    let (reply, outcome) = oneshot::channel();
    rig.lifecycle.send(Lifecycle::Reload(reply)).await.expect("the daemon listens");
    outcome.await.expect("the daemon answers")
}

fn logins(appliance: &sim::Appliance) -> usize {
    appliance.count(|request| request.kind == RequestKind::Login)
}

/// How many windows of one report are counted.
fn counted(page: &Page, appliance: &str) -> f64 {
    page.windows_each(appliance)
}

async fn has_answered(appliance: &sim::Appliance, windows: usize) {
    let enough = appliance.wait_for(|requests| {
        let of_group = |kind: &RequestKind| matches!(kind, RequestKind::Report { group } if group == INCOMING);
        requests.iter().filter(|request| request.status == 200 && of_group(&request.kind)).count() >= windows
    });
    tokio::time::timeout(PATIENCE, enough).await.expect("windows are answered");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unchanged_appliance_does_not_notice_a_reload() {
    let clock = lapse(RATE);
    let stays = simulate(sim::Settings::esa("esa1"), &clock).await;
    let changes = simulate(sim::Settings::esa("esa2"), &clock).await;
    let text = format!("{DEFAULTS}{}{}", entry("stays", &stays, ""), entry("changes", &changes, ""));
    let daemon = Filed::start(&text, &clock).await;
    for window in ["2m", "3m", "4m"] {
        let windows = answered(&stays, INCOMING).len();
        has_answered(&stays, windows + 2).await;
        let other = entry("changes", &changes, &format!("polling: {{window: {window}}}"));
        let text = format!("{DEFAULTS}{}{other}", entry("stays", &stays, ""));
        assert_eq!(daemon.reload(&text).await, Ok(()));
    }
    let windows = answered(&stays, INCOMING).len();
    has_answered(&stays, windows + 2).await;
    daemon.rig.end().await;
    assert_eq!((logins(&stays), logins(&changes)), (1, 1), "the session outlives an edit");
    let windows = answered(&stays, INCOMING);
    assert!(windows.windows(2).all(|pair| pair[0].1 == pair[1].0), "each once and none left out: {windows:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_appliance_continues_at_its_watermark() {
    let clock = lapse(RATE);
    let esa = simulate(sim::Settings::esa("esa1"), &clock).await;
    let daemon = Filed::start(&format!("{DEFAULTS}{}", entry("esa1", &esa, "")), &clock).await;
    daemon.rig.until("minutes are counted", |page| counted(page, "esa1") >= 3.0).await;
    let text = format!("{DEFAULTS}{}", entry("esa1", &esa, "polling: {window: 5m}"));
    assert_eq!(daemon.reload(&text).await, Ok(()));
    daemon.rig.until("two windows are counted", |page| counted(page, "esa1") >= 2.0).await;
    daemon.rig.end().await;
    let windows = answered(&esa, INCOMING);
    let (minutes, longer): (Vec<_>, Vec<_>) = windows.iter().partition(|(start, end)| end - start == 60);
    assert!(minutes.len() >= 3 && longer.iter().any(|(start, end)| end - start == 300), "{windows:?}");
    assert!(longer.iter().all(|(_, end)| end % 300 == 0), "{windows:?}");
    // The window in flight at the reload may have been answered to nobody; then the next begins where it began.
    let mut kept = windows;
    if let Some(cut) = kept.windows(2).position(|pair| pair[0].0 == pair[1].0) {
        kept.remove(cut);
    }
    assert_contiguous(kept);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_removed_appliance_leaves_no_series() {
    // As busy as can be, so that a reload meets answers on their way.
    let clock = lapse(6000);
    let stays = simulate(sim::Settings::esa("esa1"), &clock).await;
    let goes = simulate(sim::Settings::esa("esa2"), &clock).await;
    let alone = format!("{DEFAULTS}{}", entry("stays", &stays, "")).replace("1s", "1m");
    let both = format!("{alone}{}", entry("goes", &goes, "polling: {concurrency: 4}"));
    let daemon = Filed::start(&both, &clock).await;
    for round in 1..=20 {
        has_answered(&goes, 3 * round).await;
        assert_eq!(daemon.reload(&alone).await, Ok(()));
        for _ in 0..3 {
            let page = daemon.rig.text().await;
            let left: Vec<_> = page.lines().filter(|line| line.contains("appliance=\"goes\"")).collect();
            assert!(left.is_empty(), "round {round}: {left:?}");
        }
        assert_eq!(daemon.reload(&both).await, Ok(()));
        daemon.rig.until("it is back", |page| page.value("asyncos_up", &[("appliance", "goes")]).is_some()).await;
    }
    daemon.rig.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_configuration_is_refused_and_the_previous_one_stays() {
    let clock = lapse(RATE);
    let esa = simulate(sim::Settings::esa("esa1"), &clock).await;
    let good = format!("{DEFAULTS}{}", entry("esa1", &esa, ""));
    let daemon = Filed::start(&good, &clock).await;
    has_answered(&esa, 1).await;
    let refusal = daemon.reload("appliances: 5\n").await.expect_err("no list");
    assert!(refusal.contains("c.yaml:1: appliances: expected a list"), "{refusal}");
    assert_eq!(daemon.rig.page().await.value(IN_FORCE, &[]), Some(0.0));
    let windows = answered(&esa, INCOMING).len();
    has_answered(&esa, windows + 2).await;
    assert_eq!(daemon.reload(&good).await, Ok(()));
    assert_eq!(daemon.rig.page().await.value(IN_FORCE, &[]), Some(1.0));
    daemon.rig.end().await;
    assert_eq!(logins(&esa), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_configuration_from_no_file_cannot_be_reloaded() {
    let clock = lapse(RATE);
    let esa = simulate(sim::Settings::esa("esa1"), &clock).await;
    let rig = Rig::start(&format!("{DEFAULTS}{}", entry("esa1", &esa, "")), &clock).await;
    assert_eq!(reload(&rig).await, Err("the configuration did not come from a file".into()));
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_outlives_a_daemon_whose_requests_hang() {
    let clock = lapse(600);
    let mut fleet = Vec::new();
    let mut text = DEFAULTS.replace("timeout: 1s", "timeout: 10m, concurrency: 3");
    for name in ["esa1", "esa2", "esa3"] {
        let esa = simulate(sim::Settings::esa(name), &clock).await;
        text += &entry(name, &esa, "");
        fleet.push(esa);
    }
    // One hangs at the login, one at its reports; the third goes on.
    fleet[0].inject(Fault::Hang, On::every());
    fleet[1].inject(Fault::Hang, On::reports());
    let rig = Rig::start(&text, &clock).await;
    for (esa, requests) in fleet.iter().zip([1, 4, 10]) {
        let enough = esa.wait_for(|log| log.len() >= requests);
        tokio::time::timeout(PATIENCE, enough).await.expect("the requests arrive");
    }
    let address = rig.address;
    tokio::time::timeout(PATIENCE, rig.end()).await.expect("the daemon ends");
    let requests = || fleet.iter().map(|esa| esa.requests().len()).collect::<Vec<_>>();
    let before = requests();
    clock.sleep(Duration::from_secs(20 * 60)).await;
    assert_eq!(requests(), before);
    assert!(tokio::net::TcpStream::connect(address).await.is_err(), "nobody listens any more");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edit_does_not_forget_refused_logins() {
    let clock = lapse(RATE);
    let esa = simulate(sim::Settings::esa("esa1"), &clock).await;
    esa.set_passphrase("another");
    let text = |rest: &str| format!("{DEFAULTS}{}", entry("esa1", &esa, rest));
    let daemon = Filed::start(&text(""), &clock).await;
    let blocked = [("appliance", "esa1")];
    let is_blocked = |page: &Page| page.value("asyncos_login_blocked", &blocked) == Some(1.0);
    daemon.rig.until("logins are blocked", is_blocked).await;
    for window in ["2m", "3m"] {
        assert_eq!(daemon.reload(&text(&format!("polling: {{window: {window}}}"))).await, Ok(()));
        assert!(is_blocked(&daemon.rig.page().await));
        clock.sleep(Duration::from_secs(600)).await;
    }
    assert_eq!(logins(&esa), 3);
    let corrected = text("").replace("ironport", "another");
    assert_eq!(daemon.reload(&corrected).await, Ok(()));
    has_answered(&esa, 1).await;
    daemon.rig.end().await;
    assert_eq!(logins(&esa), 4, "another password begins again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_renamed_appliance_is_another_one_and_begins_at_zero() {
    let clock = lapse(RATE);
    let esa = simulate(sim::Settings::esa("esa1"), &clock).await;
    let state = tempfile::tempdir().expect("a folder");
    // A long past under the old name, so that no total of the new one could be taken for it.
    let text = |name: &str, rest: &str| format!("{DEFAULTS}{}", entry(name, &esa, rest));
    let rig = Rig::start_stored(&text("old", "polling: {start: 3h}"), state.path(), &clock).await;
    rig.until("hours are counted", |page| counted(page, "old") >= 180.0).await;
    rig.end().await;
    let rig = Rig::start_stored(&text("new", ""), state.path(), &clock).await;
    let page = rig.until("minutes are counted", |page| counted(page, "new") >= 3.0).await;
    let series = rig.text().await;
    rig.end().await;
    assert!(!series.contains("\"old\""), "{series}");
    let end = page.value("asyncos_window_end_timestamp_seconds", &[("appliance", "new"), ("group", INCOMING)]);
    let begun = end.expect("counted") - 60.0 * counted(&page, "new");
    assert_totals_true(&page, &esa, "new", INCOMING, begun as u64);
}

//! The program asked to read its configuration again, to quit, and started again after it was killed.

use asyncos_exporter::sim::{self, RequestKind};
use reqwest::Method;

use crate::exposition::Page;
use crate::program::{DEFAULTS, Folder, HISTORY, Program, committed, simulate};
use crate::rig::{self, entry};

pub(crate) const IN_FORCE: &str = "asyncos_config_last_reload_successful";

pub(crate) fn logins(appliance: &sim::Appliance) -> usize {
    appliance.count(|request| request.kind == RequestKind::Login)
}

pub(crate) fn names(page: &Page) -> Vec<String> {
    page.matching("asyncos_up", &[]).into_iter().map(|(labels, _)| labels["appliance"].clone()).collect()
}

pub(crate) async fn ask(method: Method, url: String) -> (u16, String) {
    let answer = rig::client().request(method, url).send().await.expect("an answer");
    (answer.status().as_u16(), answer.text().await.expect("a text"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sighup_loads_the_new_fleet_and_leaves_unchanged_appliances_alone() {
    let (stays, goes, comes) = (
        simulate(sim::Settings::esa("esa1")).await,
        simulate(sim::Settings::esa("esa2")).await,
        simulate(sim::Settings::esa("esa3")).await,
    );
    let folder = Folder::new();
    let fleet = |others: String| format!("{DEFAULTS}{}{others}", entry("stays", &stays, ""));
    let file = folder.write("c.yaml", fleet(entry("goes", &goes, "")));
    let mut program = Program::serve(&file, &[]);
    let address = program.address().await;
    rig::until(address, "both are polled", |page| {
        committed(page, "stays") >= HISTORY && committed(page, "goes") >= HISTORY
    })
    .await;
    folder.write("c.yaml", fleet(entry("comes", &comes, "")));
    program.signal("HUP");
    let page = rig::until(address, "the new one is polled", |page| committed(page, "comes") >= HISTORY).await;
    assert_eq!(names(&page), ["comes", "stays"]);
    let text = rig::get(&format!("http://{address}/metrics")).await.text().await.expect("a page");
    assert!(!text.contains("appliance=\"goes\""), "{text}");
    assert_eq!(page.value(IN_FORCE, &[]), Some(1.0));
    assert!(committed(&page, "stays") >= HISTORY, "its counts go on");
    assert_eq!((logins(&stays), logins(&goes), logins(&comes)), (1, 1, 1));
    program.logs("configuration reloaded").await;
    program.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_configuration_changes_nothing_until_it_is_corrected() {
    let esa = simulate(sim::Settings::esa("esa1")).await;
    let folder = Folder::new();
    let good = format!("{DEFAULTS}{}", entry("esa1", &esa, ""));
    let file = folder.write("c.yaml", &good);
    let mut program = Program::serve(&file, &[]);
    let address = program.address().await;
    let before = rig::until(address, "it is polled", |page| committed(page, "esa1") >= HISTORY).await;
    assert_eq!(before.value(IN_FORCE, &[]), Some(1.0));
    folder.write("c.yaml", good.replace("window: 1m", "window: 7m").replace("name: esa1", "name: esa9, colour: blue"));
    program.signal("HUP");
    let page = rig::until(address, "the refusal shows", |page| page.value(IN_FORCE, &[]) == Some(0.0)).await;
    assert_eq!(names(&page), ["esa1"]);
    let since = |page: &Page| page.value("asyncos_config_last_reload_success_timestamp_seconds", &[]);
    assert_eq!(since(&page), since(&before));
    let line = program.logs("configuration reload failed; keeping the previous configuration").await;
    assert!(line.contains("defaults.window: ") && line.contains("appliances[0].colour: unknown key"), "{line}");
    folder.write("c.yaml", &good);
    program.signal("HUP");
    // A page may be gathered between the two.
    let is_newer = |page: &Page| page.value(IN_FORCE, &[]) == Some(1.0) && since(page) > since(&before);
    rig::until(address, "it is good again", is_newer).await;
    assert_eq!(logins(&esa), 1);
    program.stop().await;
}

#[tokio::test]
async fn lifecycle_over_http_is_off_by_default() {
    let esa = simulate(sim::Settings::esa("esa1")).await;
    let folder = Folder::new();
    let file = folder.write("c.yaml", format!("{DEFAULTS}{}", entry("esa1", &esa, "")));
    let mut program = Program::serve(&file, &[]);
    let address = program.address().await;
    for path in ["reload", "quit"] {
        let (status, text) = ask(Method::POST, format!("http://{address}/-/{path}")).await;
        assert_eq!((status, text.as_str()), (403, "not enabled, see --web.enable-lifecycle\n"));
    }
    let ended = program.stop().await;
    assert!(!ended.stderr.contains("reloaded"), "{ended:?}");
}

#[tokio::test]
async fn a_reload_over_http_returns_the_outcome() {
    let esa = simulate(sim::Settings::esa("esa1")).await;
    let folder = Folder::new();
    let good = format!("{DEFAULTS}{}", entry("esa1", &esa, ""));
    let file = folder.write("c.yaml", &good);
    let mut program = Program::serve(&file, &["--web.enable-lifecycle"]);
    let url = format!("http://{}/-/reload", program.address().await);
    assert_eq!(ask(Method::POST, url.clone()).await, (200, "reloaded\n".into()));
    folder.write("c.yaml", "appliances: []\n");
    let (status, text) = ask(Method::POST, url.clone()).await;
    assert_eq!(status, 500);
    assert!(text.starts_with(&format!("cannot reload: {file}:1: appliances: no appliance is configured")), "{text}");
    assert_eq!(ask(Method::GET, url.clone()).await, (405, "use one of: POST, PUT\n".into()));
    folder.write("c.yaml", &good);
    assert_eq!(ask(Method::PUT, url).await, (200, "reloaded\n".into()));
    program.stop().await;
}

#[tokio::test]
async fn quitting_over_http_ends_the_daemon_in_order() {
    let esa = simulate(sim::Settings::esa("esa1")).await;
    let folder = Folder::new();
    let file = folder.write("c.yaml", format!("{DEFAULTS}{}", entry("esa1", &esa, "")));
    let mut program = Program::serve(&file, &["--web.enable-lifecycle"]);
    let url = format!("http://{}/-/quit", program.address().await);
    assert_eq!(ask(Method::POST, url).await, (200, "stopping\n".into()));
    let ended = program.ended().await;
    assert_eq!(ended.code(), Some(0), "{ended:?}");
    assert!(ended.stderr.trim_end().ends_with("msg=stopped"), "{ended:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_daemon_comes_back_at_the_same_address() {
    let esa = simulate(sim::Settings::esa("esa1")).await;
    let folder = Folder::new();
    let file = folder.write("c.yaml", format!("{DEFAULTS}{}", entry("esa1", &esa, "")));
    let mut program = Program::serve(&file, &[]);
    let address = program.address().await;
    rig::until(address, "it is polled", |page| committed(page, "esa1") >= HISTORY).await;
    program.signal("KILL");
    let ended = program.ended().await;
    assert_eq!(ended.code(), None, "{ended:?}");
    let config = format!("--config.file={file}");
    let mut program = Program::start(&[&config, &format!("--web.listen-address={address}")]);
    assert_eq!(program.address().await, address);
    rig::until(address, "it is polled again", |page| committed(page, "esa1") >= HISTORY).await;
    assert_eq!(logins(&esa), 2);
    program.stop().await;
}

//! The program that looks by itself whether its configuration has changed.

use asyncos_exporter::sim;

use crate::program::{DEFAULTS, Folder, HISTORY, Program, committed, simulate};
use crate::reload::{IN_FORCE, logins, names};
use crate::rig::{self, entry};
use crate::tls_proxy::Authority;

const LOOK: [&str; 3] = ["--config.enable-auto-reload", "--config.auto-reload-interval=1s", "--log.level=debug"];
/// What a look finds that finds no news.
const AS_BEFORE: &str = "configuration still invalid; keeping the previous configuration";
const REFUSED: &str = "configuration reload failed; keeping the previous configuration";

/// Puts a configuration where Kubernetes does: in a folder that a link points at, which is swapped.
fn publish(folder: &Folder, version: &str, text: &str) -> String {
    std::fs::create_dir(folder.path(version)).expect("a folder");
    folder.write(&format!("{version}/c.yaml"), text);
    std::os::unix::fs::symlink(version, folder.path("swap")).expect("a link");
    std::fs::rename(folder.path("swap"), folder.path("data")).expect("a link");
    folder.path("data/c.yaml")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_swapped_link_loads_the_new_fleet() {
    let (stays, comes) = (simulate(sim::Settings::esa("esa1")).await, simulate(sim::Settings::esa("esa2")).await);
    let folder = Folder::new();
    let fleet = |others: &str| format!("{DEFAULTS}{}{others}", entry("stays", &stays, ""));
    let file = publish(&folder, "first", &fleet(""));
    let mut program = Program::serve(&file, &LOOK);
    let address = program.address().await;
    rig::until(address, "it is polled", |page| committed(page, "stays") >= HISTORY).await;
    publish(&folder, "second", &fleet(&entry("comes", &comes, "")));
    let page = rig::until(address, "the new one is polled", |page| committed(page, "comes") >= HISTORY).await;
    assert_eq!((names(&page), page.value(IN_FORCE, &[])), (vec!["comes".into(), "stays".into()], Some(1.0)));
    publish(&folder, "third", &fleet(""));
    let page = rig::until(address, "it has gone again", |page| names(page) == ["stays"]).await;
    assert!(committed(&page, "stays") >= HISTORY);
    let ended = program.stop().await;
    assert_eq!((logins(&stays), logins(&comes)), (1, 1));
    assert_eq!(ended.stderr.matches("configuration reloaded").count(), 2, "only changes are: {ended:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_file_is_logged_once_and_loaded_once_it_is_right() {
    let esa = simulate(sim::Settings::esa("esa1")).await;
    let folder = Folder::new();
    let good = format!("{DEFAULTS}{}", entry("esa1", &esa, ""));
    let file = folder.write("c.yaml", &good);
    let mut program = Program::serve(&file, &LOOK);
    let address = program.address().await;
    let successful = |wanted: f64| move |page: &crate::exposition::Page| page.value(IN_FORCE, &[]) == Some(wanted);
    rig::until(address, "it is polled", |page| committed(page, "esa1") >= HISTORY).await;
    // Half of it is written.
    folder.write("c.yaml", &good[..good.len() - 10]);
    rig::until(address, "the refusal shows", successful(0.0)).await;
    program.logs_often(AS_BEFORE, 2).await;
    std::fs::remove_file(&file).expect("a file");
    program.logs_often(REFUSED, 2).await;
    program.logs_often(AS_BEFORE, 4).await;
    folder.write("c.yaml", &good);
    let page = rig::until(address, "it is good again", successful(1.0)).await;
    assert!(committed(&page, "esa1") >= HISTORY, "nothing was forgotten");
    let ended = program.stop().await;
    let said = ended.stderr.lines().filter(|line| line.contains(REFUSED)).collect::<Vec<_>>();
    assert!(said[0].contains("not valid YAML") && said[1].contains("No such file"), "{said:?}");
    assert_eq!((said.len(), logins(&esa)), (2, 1));
}

/// A certificate that is named is looked at; a password that is not there yet comes with another volume, later.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_named_in_the_configuration_are_watched_and_awaited() {
    let esa = simulate(sim::Settings::esa("esa1")).await;
    let folder = Folder::new();
    folder.write("ca.pem", Authority::new().pem);
    let secured = |rest: &str| {
        let (authority, password) = (folder.path("ca.pem"), folder.path("password"));
        let account = if rest.is_empty() { "password: p".into() } else { format!("password_file: '{password}'") };
        format!(
            "{DEFAULTS}{}  - {{name: far, url: 'https://far.invalid', username: u, {account}, tls: {{ca_file: \
             '{authority}'}}}}\n",
            entry("esa1", &esa, ""),
        )
    };
    let file = folder.write("c.yaml", secured(""));
    let mut program = Program::serve(&file, &LOOK);
    let address = program.address().await;
    rig::until(address, "it is polled", |page| committed(page, "esa1") >= HISTORY).await;
    folder.write("ca.pem", Authority::new().pem);
    program.logs_often("configuration reloaded", 1).await;
    folder.write("c.yaml", secured("by a file"));
    assert!(program.logs(REFUSED).await.contains("password_file: cannot read `"));
    program.logs_often(AS_BEFORE, 2).await;
    folder.write_secret("password", "p2\n");
    program.logs_often("configuration reloaded", 2).await;
    let page = rig::page(address).await;
    assert_eq!(page.value(IN_FORCE, &[]), Some(1.0));
    let ended = program.stop().await;
    assert_eq!(ended.stderr.matches(REFUSED).count(), 1, "{ended:?}");
    // Only what has changed begins again. The start is one line for all of them.
    let began = |name: &str| {
        let is_it = |line: &&str| line.contains("polling started") && line.contains(&format!("appliance={name} "));
        ended.stderr.lines().filter(is_it).count()
    };
    assert_eq!((began("esa1"), began("far"), logins(&esa)), (0, 2, 1));
}

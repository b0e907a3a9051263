//! What is under `deploy/`, judged by the programs that it is for.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use asyncos_exporter::sim;

use crate::exposition::Page;
use crate::program::{DEFAULTS, Folder, HISTORY, Program, committed, simulate};
use crate::rig::{self, entry, get};

mod commands;
mod schema;
mod workflows;

const UNIT: &str = "deploy/systemd/asyncos_exporter.service";
const SOCKET: &str = "deploy/systemd/asyncos_exporter.socket";
const EXPORTER: &str = env!("CARGO_BIN_EXE_asyncos_exporter");
const RECIPIENTS: &str = "asyncos_mail_incoming_traffic_summary_total_recipients_total";
/// Ten times the exposure that `systemd-analyze security` may find.
const MOST_EXPOSED: &str = "--threshold=12";

fn run(program: &str, arguments: &[&str]) -> Output {
    Command::new(program).args(arguments).output().unwrap_or_else(|error| panic!("{program}: {error}"))
}

/// Runs a program of the Python packages that `tests/run` installs.
fn python(program: &str, arguments: &[&str]) -> Output {
    run(&format!("target/tools/venv/bin/{program}"), arguments)
}

fn succeeds(output: &Output) -> String {
    let (said, complained) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{}\n{said}{complained}", output.status);
    said.into_owned()
}

fn read(file: impl AsRef<Path>) -> String {
    std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.as_ref().display()))
}

/// All files below `folder`, links followed.
fn files(folder: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::from(folder)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
            let path = entry.expect("an entry").path();
            if path.is_dir() { folders.push(path) } else { found.push(path) }
        }
    }
    found
}

/// The units as they are checked here: the program is where it was built, and no manual is installed.
fn units(folder: &Folder, alter: impl Fn(&str) -> String) -> [String; 2] {
    let adapted = |file: &str| {
        let text = read(file).replace("/usr/bin/asyncos_exporter", EXPORTER).replace("Documentation=", "#");
        let name = Path::new(file).file_name().expect("a name").to_string_lossy().into_owned();
        folder.write(&name, alter(&text))
    };
    [adapted(UNIT), adapted(SOCKET)]
}

fn complaints(folder: &Folder, alter: impl Fn(&str) -> String) -> String {
    let [unit, socket] = units(folder, alter);
    // It succeeds with keys that it does not know, and says so.
    String::from_utf8(run("systemd-analyze", &["verify", &unit, &socket]).stderr).expect("text")
}

#[test]
fn systemd_takes_the_units_and_would_see_a_mistake() {
    let folder = Folder::new();
    assert_eq!(complaints(&folder, str::to_owned), "");
    let network = read("deploy/systemd/network.conf");
    let uncommented = network.replace("\n# IP", "\nIP").replace("\n# Socket", "\nSocket");
    assert_eq!(uncommented.matches("\nIPAddressAllow=").count(), 3, "{uncommented}");
    assert_eq!(complaints(&folder, |text| text.replace("[Service]", &uncommented)), "", "with the network's rules");
    let said = complaints(&folder, |text| text.replace("PrivateTmp", "PrivateTemp"));
    assert!(said.contains("PrivateTemp"), "{said}");
}

#[test]
fn the_unit_is_exposed_no_more_than_promised() {
    let said = succeeds(&run("systemd-analyze", &["security", "--offline=true", MOST_EXPOSED, UNIT]));
    assert!(said.contains("Overall exposure level"), "{said}");
    let folder = Folder::new();
    let [weaker, _] = units(&folder, |text| text.replace("CapabilityBoundingSet=\n", ""));
    let found = run("systemd-analyze", &["security", "--offline=true", MOST_EXPOSED, &weaker]);
    assert!(!found.status.success(), "with all capabilities");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_exporter_does_its_work_within_the_units_confines() {
    let esa = simulate(sim::Settings::esa("esa1")).await;
    let folder = Folder::new();
    // By name, so that names are looked up within them too.
    let entry = entry("esa1", &esa, "").replace("127.0.0.1", "localhost");
    let file = folder.write("c.yaml", format!("{DEFAULTS}{entry}"));
    let state = folder.path("state");
    std::fs::create_dir(&state).expect("a folder");
    let storage = format!("--storage.path={state}");
    let confined = |program: &[&str]| {
        let root: &[&str] = if is_root() { &[] } else { &["sudo", "--preserve-env=NOTIFY_SOCKET"] };
        let confines = ["/usr/bin/python3", "tests/deploy/sandbox.py", UNIT, &state];
        [root, &confines, program].concat().into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    // The confines confine.
    for forbidden in [&["/usr/bin/unshare", "--user", "true"][..], &["/bin/touch", "/usr/bin/confined"]] {
        let command = confined(forbidden);
        let ran = run(&command[0], &command[1..].iter().map(String::as_str).collect::<Vec<_>>());
        assert!(!ran.status.success(), "{forbidden:?}: {ran:?}");
    }
    let wrapper = confined(&[]);
    let wrapper: Vec<&str> = wrapper.iter().map(String::as_str).collect();
    let mut counted = 0.0;
    for _ in 0..2 {
        let mut program = Program::serve_within(&wrapper, &file, &[&storage]);
        let address = program.address().await;
        // After a restart there is only what came since.
        let wanted = if counted > 0.0 { 0.0 } else { HISTORY };
        rig::until(address, "windows are had", |page| {
            page.value("asyncos_up", &[("appliance", "esa1")]) == Some(1.0) && committed(page, "esa1") >= wanted
        })
        .await;
        program.signal("HUP");
        program.logs("configuration reloaded").await;
        let page = get(&format!("http://{address}/metrics")).await.text().await.expect("a page");
        let page = Page::parse(&page).unwrap_or_else(|error| panic!("{error}\n{page}"));
        for metric in ["process_open_fds", "process_start_time_seconds", "process_max_fds", "process_cpu_seconds_total"]
        {
            assert!(page.value(metric, &[]).is_some(), "{metric}");
        }
        assert_eq!(page.value("process_max_fds", &[]), Some(8192.0), "the unit's limit");
        let total = page.matching(RECIPIENTS, &[]).iter().map(|(_, count)| count).sum::<f64>();
        assert!(total >= counted && total > 0.0, "totals outlive a restart: {counted} {total}");
        counted = total;
        program.stop().await;
    }
}

fn is_root() -> bool {
    succeeds(&run("id", &["-u"])).trim() == "0"
}

#[test]
fn the_chart_renders_and_kubernetes_takes_what_comes_out() {
    let said = succeeds(&Command::new("tests/deploy/helm.sh").env("EXPORTER", EXPORTER).output().expect("a script"));
    assert!(said.contains(" 0 problems"), "{said}");
}

#[test]
fn the_plain_manifests_are_what_kustomize_takes() {
    let listed = read("deploy/kubernetes/kustomization.yaml");
    for file in ["namespace.yaml", "asyncos-exporter.yaml"] {
        assert!(listed.contains(&format!("- {file}\n")) && Path::new("deploy/kubernetes").join(file).exists());
    }
    let said = succeeds(&python(
        "check-jsonschema",
        &["--check-metaschema", "deploy/helm/asyncos-exporter/values.schema.json"],
    ));
    assert!(said.contains("ok"), "{said}");
}

#[test]
fn the_demo_of_containers_fits_together() {
    let compose = "deploy/compose/compose.yaml";
    let schema = ["--builtin-schema", "vendor.compose-spec"];
    succeeds(&python("check-jsonschema", &[&schema[..], &[compose]].concat()));
    let folder = Folder::new();
    let text = read(compose);
    let misspelt = folder.write("compose.yaml", text.replace("healthcheck:", "healthchek:"));
    assert!(!python("check-jsonschema", &[&schema[..], &[&misspelt]].concat()).status.success());

    // What is mounted is there, and read-only but for volumes.
    let mut mounted = 0;
    for source in text.split("source: ").skip(1) {
        let source = source.split([',', '\n']).next().expect("a path");
        if source.starts_with('.') {
            assert!(Path::new("deploy/compose").join(source).exists(), "{source}");
            mounted += 1;
        }
    }
    assert_eq!((mounted, text.matches("read_only: true").count()), (6, 6 + 1), "mounts, and the root of all");
    for image in text.split("image: ").skip(1).filter_map(|rest| rest.lines().next()) {
        let (_, version) = image.rsplit_once(':').expect("a version");
        assert!(version.trim_start_matches('v').starts_with(|first: char| first.is_ascii_digit()), "{image}");
    }

    // The exporter and Prometheus take their files.
    let credentials = folder.path("credentials");
    std::fs::create_dir(&credentials).expect("a folder");
    folder.write_secret("credentials/simulated", read("deploy/compose/simulated.password"));
    let mut check = Command::new(EXPORTER);
    check.args(["check", "--config.file=deploy/compose/config.yaml"]).env("CREDENTIALS_DIRECTORY", &credentials);
    let checked = check.output().expect("the program");
    assert!(succeeds(&checked).contains("3 appliance(s), no problem"), "{checked:?}");
    let warned = String::from_utf8(checked.stderr).expect("text");
    assert!(warned.lines().all(|line| line.ends_with("http sends the password in clear text: use https")), "{warned}");
    folder.write("asyncos.rules.yaml", read("deploy/prometheus/asyncos.rules.yaml"));
    let prometheus = folder.write("prometheus.yaml", read("deploy/compose/prometheus.yaml"));
    succeeds(&run("promtool", &["check", "config", &prometheus]));
}

#[test]
fn packages_hold_what_there_is() {
    let manifest = read("Cargo.toml");
    let (_, packages) = manifest.split_once("[package.metadata.deb]").expect("the packages");
    let sources = packages.lines().filter_map(|line| {
        let line = line.trim();
        line.strip_prefix("[\"").or_else(|| line.strip_prefix("{ source = \""))?.split('"').next()
    });
    let mut found = 0;
    for source in sources.filter(|source| !source.starts_with("target/")) {
        let folder = Path::new(source).parent().expect("a folder");
        let is_there = match source.contains('*') {
            true => std::fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some()),
            false => Path::new(source).exists(),
        };
        assert!(is_there, "{source}");
        found += 1;
    }
    assert!(found > 20, "{found}");
    for script in files("deploy/package").into_iter().chain(files("deploy/release")).chain(files("deploy/container")) {
        let text = read(&script);
        if text.starts_with("#!/bin/sh") || script.parent().is_some_and(|folder| folder.ends_with("rpm")) {
            succeeds(&run("sh", &["-n", &script.display().to_string()]));
        }
    }
}

#[test]
fn every_file_of_yaml_can_be_read() {
    let is_yaml = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml");
    // Templates are none yet, and rules are judged by Prometheus.
    let is_other = |path: &PathBuf| path.iter().any(|part| part == "templates" || part == "prometheus");
    let all: Vec<String> = files("deploy")
        .into_iter()
        .chain(files(".github"))
        .filter(|path| is_yaml(path) && !is_other(path))
        .map(|path| path.display().to_string())
        .collect();
    assert!(all.len() > 15, "{all:?}");
    let settings = "{extends: default, rules: {line-length: {max: 140}, document-start: disable, braces: disable, \
                    brackets: disable, commas: disable, truthy: {check-keys: false}, comments: disable, \
                    comments-indentation: disable, indentation: disable, quoted-strings: disable}}";
    let names: Vec<&str> = all.iter().map(String::as_str).collect();
    succeeds(&python("yamllint", &[&["--strict", "--config-data", settings][..], &names].concat()));
}

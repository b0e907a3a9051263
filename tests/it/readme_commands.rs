//! The commands of the manual, run as they are written: in a folder of their own, against simulated appliances.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use asyncos_exporter::sim;

use crate::program::{DEFAULTS, Folder, HISTORY, Program, committed, simulate};
use crate::prometheus::{Prometheus, until};
use crate::readme::{PAGES, fenced_in, page};
use crate::rig::{self, entry};

const EXPORTER: &str = env!("CARGO_BIN_EXE_asyncos_exporter");
const MANUAL: &str = "deploy/README.md";
/// The beginnings of commands that take minutes, root or a registry.
const BY_HAND: [&str; 5] = ["cargo install ", "cargo deb", "dpkg ", "docker ", "cargo build "];

/// The commands of a page, each in one line.
fn commands(name: &str) -> Vec<String> {
    let blocks = fenced_in(&page(name), "sh").concat().replace("\\\n", " ");
    blocks.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

/// A folder in which commands are run, and what stands there for the places that they name.
struct Site {
    folder: Folder,
    replaced: Vec<(&'static str, String)>,
}

impl Site {
    fn new() -> Self {
        let folder = Folder::new();
        std::fs::create_dir(folder.path("bin")).expect("a folder");
        let replaced = vec![
            ("target/release/asyncos_exporter", EXPORTER.to_owned()),
            ("/usr/local/bin/", folder.path("bin/")),
            ("/var/lib/grafana/dashboards/asyncos", folder.path("dashboards")),
            ("/etc/prometheus", folder.path("rules")),
            ("/etc/grafana/provisioning", folder.path("provisioning")),
            ("cp grafana", format!("cp {}/grafana", env!("CARGO_MANIFEST_DIR"))),
        ];
        Self { folder, replaced }
    }

    fn here(&self, command: &str) -> String {
        self.replaced.iter().fold(command.to_owned(), |command, (theirs, ours)| command.replace(theirs, ours))
    }

    fn run(&self, command: &str, input: &str) -> Output {
        let input = self.folder.write("input", input);
        let path = std::env::var("PATH").expect("a path");
        let ran = Command::new("bash")
            .args(["-euo", "pipefail", "-c", &self.here(command)])
            .current_dir(self.folder.path(""))
            .env("PATH", format!("{}:{path}", self.folder.path("bin")))
            .stdin(std::fs::File::open(input).expect("a file"))
            .stderr(Stdio::piped())
            .output();
        ran.expect("bash")
    }

    /// Runs it until it succeeds and says `part`.
    async fn says(&self, command: &str, part: &str) {
        until(async || {
            let ran = self.run(command, "");
            let said = String::from_utf8_lossy(&ran.stdout).into_owned();
            if ran.status.success() && said.contains(part) { Ok(()) } else { Err(format!("{command}: {ran:?}")) }
        })
        .await;
    }

    fn succeeds(&self, command: &str, input: &str) -> String {
        let ran = self.run(command, input);
        assert!(ran.status.success(), "{command}: {ran:?}");
        String::from_utf8(ran.stdout).expect("text")
    }
}

/// The only command of the page that begins so.
fn command(name: &str, start: &str) -> String {
    let mut found: Vec<String> = commands(name).into_iter().filter(|command| command.starts_with(start)).collect();
    assert_eq!(found.len(), 1, "{start}: {found:?}");
    found.remove(0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_demo_answers_the_requests_of_the_manual() {
    let mut site = Site::new();
    let started = command("README.md", "cargo run ");
    let (_, arguments) = started.split_once(" -- ").expect("arguments");
    let mut program = Program::start(&[arguments, "--web.listen-address=127.0.0.1:0"]);
    site.replaced.push(("localhost:10042", program.address().await.to_string()));
    site.says(&command("README.md", "curl -s "), "detected_spam").await;
    site.says(&command("deploy/HTTP.md", "curl 'http://localhost:10042/api/v1/explain"), "\"request\"").await;
    site.says(&command("deploy/HTTP.md", "curl http://localhost:10042/api/v1/status"), "\"appliances\"").await;
    site.says(&command("README.md", "curl http://localhost:10042/-/healthy"), "").await;
    program.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_appliance_is_connected_as_the_readme_says() {
    let appliance = simulate(sim::Settings::esa("esa1")).await;
    let mut site = Site::new();
    site.replaced.push(("https://esa1.example.com:6443", appliance.url()));
    let run = |start: &str, input: &str| site.succeeds(&command("README.md", start), input);
    run("install -m 755 ", "");
    assert!(run("asyncos_exporter --version", "").starts_with("asyncos_exporter "));
    run("install -m 600 ", "ironport\n");
    let configuration = fenced_in(&page("README.md"), "yaml").remove(0);
    site.folder.write("config.yaml", site.here(&configuration));
    let checked = run("asyncos_exporter check ", "");
    assert!(checked.contains("1 appliance(s), no problem"), "{checked}");
    assert!(checked.ends_with("1 appliance(s) contacted: 1 work, 0 do not\n"), "{checked}");
    let served = command("README.md", "asyncos_exporter --config.file");
    let arguments: Vec<&str> = served.split(' ').collect();
    let ["asyncos_exporter", "--config.file=config.yaml", storage] = arguments[..] else { panic!("{served}") };
    let there = format!("--chdir={}", site.folder.path(""));
    let mut program = Program::serve_within(&["env", &there], "config.yaml", &[storage]);
    let address = program.address().await;
    site.says(&format!("curl -s http://{address}/metrics"), "asyncos_up{appliance=\"esa1\"} 1").await;
    assert!(Path::new(&site.folder.path("data/state.redb")).exists());
    program.stop().await;

    std::fs::remove_file(site.folder.path("config.yaml")).expect("written above");
    let found = command("deploy/CONFIGURATION.md", "asyncos_exporter discover ");
    site.succeeds(&found, "");
    assert!(Path::new(&site.folder.path("config.yaml")).exists());
    run("asyncos_exporter dashboards ", "");
    run("asyncos_exporter rules ", "");
    let count = |folder: &str| std::fs::read_dir(folder).expect("the folder").count();
    assert_eq!(count(&site.folder.path("dashboards")), count("grafana/dashboards"));
    let rules = std::fs::read_to_string(site.folder.path("rules/asyncos.rules.yaml")).expect("the rules");
    assert!(rules.contains("https://grafana.example.net/d/") && rules.contains("https://wiki.example.net/"));
}

#[test]
fn grafana_gets_its_files_as_the_page_says() {
    let site = Site::new();
    std::os::unix::fs::symlink(EXPORTER, site.folder.path("bin/asyncos_exporter")).expect("a link");
    for kind in ["dashboards", "datasources"] {
        std::fs::create_dir_all(site.folder.path(&format!("provisioning/{kind}"))).expect("a folder");
    }
    let block = fenced_in(&page("grafana/README.md"), "sh");
    assert_eq!(block.len(), 1);
    site.succeeds(&block[0], "");
    for file in ["dashboards/asyncos-fleet.json", "provisioning/dashboards/asyncos.yaml"] {
        assert!(Path::new(&site.folder.path(file)).exists(), "{file}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_past_gets_into_prometheus_as_the_page_says() {
    const PAGE: &str = "deploy/OPERATION.md";
    let esa = simulate(sim::Settings::esa("esa1")).await;
    let mut site = Site::new();
    site.replaced
        .extend([("/var/lib/prometheus", site.folder.path("prometheus")), ("--from=90d", "--from=6h".to_owned())]);
    std::os::unix::fs::symlink(EXPORTER, site.folder.path("bin/asyncos_exporter")).expect("a link");
    std::fs::create_dir(site.folder.path("prometheus")).expect("a folder");
    site.folder.write("config.yaml", DEFAULTS.to_owned() + &entry("esa1", &esa, ""));
    let there = format!("--chdir={}", site.folder.path(""));
    let mut exporter = Program::serve_within(&["env", &there], "config.yaml", &["--storage.path=data"]);
    let address = exporter.address().await;
    rig::until(address, "three windows of each group are counted", |page| committed(page, "esa1") >= HISTORY).await;
    exporter.stop().await;
    for start in ["asyncos_exporter backfill ", "for file in backfill/", "cp -r backfill/"] {
        site.succeeds(&command(PAGE, start), "");
    }
    let prometheus = Prometheus::on(site.folder.path("prometheus").as_ref()).await;
    let series = "asyncos_mail_incoming_traffic_summary_total_recipients_total{job=\"asyncos\",instance=\"localhost:10042\",appliance=\"esa1\"}";
    let now = asyncos_exporter::base::clock::Clock::system().wall().as_secs();
    assert!(prometheus.value(&format!("max_over_time({series}[6h])"), now).await > 0.0);
}

/// The names of benchmarks, features, fuzzed parsers and tests in commands, and scripts.
#[test]
fn commands_for_people_name_what_there_is() {
    let manifest = page("Cargo.toml");
    let by_hand = page(MANUAL).replace("\\\n", " ").split_whitespace().collect::<Vec<_>>().join(" ");
    let mut left = BTreeSet::new();
    for command in PAGES.iter().flat_map(|name| commands(name)) {
        let words: Vec<&str> = command.split(' ').collect();
        match words[..] {
            ["cargo", "build", .., "--features", feature] => {
                assert!(manifest.contains(&format!("\n{feature} = [")), "{command}");
            }
            _ if BY_HAND.iter().any(|start| command.starts_with(start)) => {
                assert!(by_hand.contains(&command), "nobody runs `{command}`");
            }
            ["UPDATE_GOLDEN=1", "cargo", "test", "--locked", "--test", "it", "--", ref filters @ ..] => {
                for filter in filters {
                    let tests = Command::new(std::env::current_exe().expect("this")).args(["--list", filter]).output();
                    let tests = String::from_utf8(tests.expect("this").stdout).expect("text");
                    assert!(tests.contains(filter), "{filter}");
                }
            }
            ["cargo", "run", "--locked", "--package", package] => {
                let generator = page("grafana/generator/Cargo.toml");
                assert!(generator.contains(&format!("name = \"{package}\"")), "{command}");
            }
            ["tests/run"] => assert!(Path::new("tests/run").exists()),
            ["tests/fuzz/run", seconds, ref parsers @ ..] => {
                assert!(Path::new("tests/fuzz/run").exists() && seconds.parse::<u32>().is_ok(), "{command}");
                assert!(parsers.iter().all(|parser| Path::new("tests/fuzz/corpus").join(parser).exists()), "{command}");
            }
            _ => {
                left.insert(words[..2].join(" "));
            }
        }
    }
    // These the tests above run.
    let run = ["asyncos_exporter --config.file=config.yaml", "asyncos_exporter --version", "asyncos_exporter check"];
    let run = run.iter().chain(&["asyncos_exporter dashboards", "asyncos_exporter discover", "asyncos_exporter rules"]);
    let run = run.chain(&["cargo run", "curl -s", "curl http://localhost:10042/-/healthy", "install -m"]);
    let run = run.chain(&["asyncos_exporter backfill", "for file", "cp -r"]);
    let run = run.chain(&["curl http://localhost:10042/api/v1/status"]).map(|command| (*command).to_owned());
    left.retain(|command| !command.starts_with("curl 'http"));
    assert_eq!(left, run.collect());
    let text = page("tests/README.md");
    let benches: Vec<&str> =
        text.split("cargo bench --bench ").skip(1).filter_map(|rest| rest.split('`').next()).collect();
    assert_eq!(benches.len(), manifest.matches("[[bench]]").count());
    for bench in benches {
        assert!(manifest.contains(&format!("[[bench]]\nname = \"{bench}\"")), "{bench}");
    }
}

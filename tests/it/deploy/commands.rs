//! The commands of `deploy/README.md`, run as they stand wherever that is possible without a cluster or a daemon.

use std::collections::BTreeSet;

use serde::Deserialize as _;
use serde_yaml::Value;

use super::*;
use crate::readme::fenced_in;

const MANUAL: &str = "deploy/README.md";
/// Where the commands run that take minutes or a registry.
const BY_HAND: [&str; 4] =
    ["tests/deploy/deb.sh", "tests/deploy/rpm.sh", "tests/deploy/container.sh", ".github/workflows/release.yml"];

/// The blocks of commands below a heading.
fn blocks(heading: &str) -> Vec<String> {
    let text = read(MANUAL);
    let (_, rest) = text.split_once(&format!("\n## {heading}\n")).unwrap_or_else(|| panic!("no {heading}"));
    let section = rest.split("\n## ").next().unwrap_or(rest);
    fenced_in(section, "sh")
}

#[test]
fn the_commands_of_the_manual_name_what_there_is() {
    let text = read(MANUAL);
    let blocks = fenced_in(&text, "sh");
    assert!(blocks.len() > 8, "{}", blocks.len());
    let folder = Folder::new();
    for block in blocks {
        succeeds(&run("bash", &["-n", &folder.write("block", &block)]));
        for word in block.split_whitespace().filter(|word| word.starts_with("deploy/") || word.starts_with("tests/")) {
            assert!(Path::new(word).exists(), "{word}");
        }
    }
    for file in text.split('`').filter(|word| word.ends_with(".sh") && !word.contains(' ')) {
        let place = if file.starts_with("tests/") || file.starts_with("deploy/") { "" } else { "deploy/" };
        assert!(Path::new(&format!("{place}{file}")).exists(), "{file}");
    }
}

/// Runs a script with file systems of its own, in which what is written to `/etc` and `/usr/bin` ends with it.
fn run_aside(script: &str) -> Output {
    let folder = Folder::new();
    let aside = folder.path("aside");
    std::fs::create_dir(&aside).expect("a folder");
    let overlays = r#"
        mount -t tmpfs tmpfs "$0"
        for place in /etc /usr/bin; do
            mkdir -p "$0/new$place" "$0/work$place"
            mount -t overlay overlay -o "lowerdir=$place,upperdir=$0/new$place,workdir=$0/work$place" "$place"
        done
    "#;
    let root: &[&str] = if is_root() { &[] } else { &["sudo", "--"] };
    let script = format!("{overlays}{script}");
    let command = [root, &["unshare", "--mount", "bash", "-euo", "pipefail", "-c", &script, &aside]].concat();
    run(command[0], &command[1..])
}

#[test]
fn systemd_without_a_package_is_set_up_as_told() {
    let [block] = &blocks("systemd")[..] else { panic!("one block") };
    let built = block.replace("target/release/asyncos_exporter", EXPORTER);
    assert_ne!(*block, built);
    // Nothing here was started by systemd, so it works on files alone.
    let script = format!(
        "export SYSTEMD_OFFLINE=1
        {{ {built} }} >/dev/null 2>&1
        systemctl is-enabled asyncos_exporter
        stat --format='%a %U:%G %n' /usr/bin/asyncos_exporter /etc/asyncos_exporter{{,/credentials,/config.yaml}}
        systemd-analyze verify --man=no asyncos_exporter.service asyncos_exporter.socket
        command=$(sed -n 's/^ExecStart=//p' /etc/systemd/system/asyncos_exporter.service)
        code=0
        setpriv --reuid asyncos_exporter --regid asyncos_exporter --init-groups ${{command/\\$ARGS/}} 2>&1 || code=$?
        echo \"$code\""
    );
    let ran = run_aside(&script);
    let said = succeeds(&ran);
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(
        lines[..5],
        [
            "enabled",
            "755 root:root /usr/bin/asyncos_exporter",
            "750 root:asyncos_exporter /etc/asyncos_exporter",
            "700 root:root /etc/asyncos_exporter/credentials",
            "640 root:asyncos_exporter /etc/asyncos_exporter/config.yaml",
        ],
        "{ran:?}"
    );
    assert_eq!(ran.stderr, b"", "{ran:?}");
    // The service's user can read its configuration, which names no appliance yet.
    assert!(said.contains("no appliance is configured") && lines.last() == Some(&"78"), "{said}");
    assert!(!Path::new("/etc/asyncos_exporter").exists() && !Path::new("/usr/bin/asyncos_exporter").exists());
}

/// The objects of a stream of YAML, as kind and name.
fn objects(text: &str) -> BTreeSet<(String, String)> {
    let documents =
        serde_yaml::Deserializer::from_str(text).map(|document| Value::deserialize(document).expect("YAML"));
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    documents.filter(|object| !object.is_null()).map(|it| (text(&it["kind"]), text(&it["metadata"]["name"]))).collect()
}

#[test]
fn kubernetes_takes_the_commands() {
    let folder = Folder::new();
    folder.write("esa1.password", "ironport\n");
    let namespace = folder.path("namespace.yaml");
    let dry = ["--dry-run=client", "--output=yaml"];
    let mut done = Vec::new();
    for block in blocks("Kubernetes") {
        for line in block.lines() {
            let words: Vec<&str> = line.split_whitespace().collect();
            let in_folder = |arguments: &[&str]| {
                let ran = Command::new("kubectl").args(arguments).current_dir(folder.path("")).output();
                succeeds(&ran.expect("kubectl"))
            };
            match words[..] {
                ["kubectl", "create", "namespace", ..] => {
                    let made = in_folder(&[&words[1..], &dry].concat());
                    std::fs::write(&namespace, made).expect("a folder");
                }
                ["kubectl", "label", "namespace", name, label] => {
                    let labelled = in_folder(&["label", "--local", "--filename", &namespace, "--output=yaml", label]);
                    let labelled: Value = serde_yaml::from_str(&labelled).expect("YAML");
                    let plain: Value = serde_yaml::from_str(&read("deploy/kubernetes/namespace.yaml")).expect("YAML");
                    assert_eq!(labelled["metadata"]["labels"], plain["metadata"]["labels"]);
                    assert_eq!(labelled["metadata"]["name"].as_str(), Some(name));
                }
                ["kubectl", "--namespace", _, "create", "secret", ..] => {
                    let made = in_folder(&[&words[1..], &dry].concat());
                    assert!(made.contains("esa1: aXJvbnBvcnQK"), "{made}");
                }
                ["kubectl", "apply", "--kustomize", path] => {
                    let made = succeeds(&run("kubectl", &["kustomize", path]));
                    let plain =
                        ["namespace.yaml", "asyncos-exporter.yaml"].map(|file| read(Path::new(path).join(file)));
                    assert_eq!(objects(&made), objects(&plain.join("\n---\n")));
                    assert!(made.contains("image: registry.example.com/asyncos_exporter"), "{made}");
                }
                // Its values are rendered and judged with the chart.
                ["helm", "upgrade", "--install", "--namespace", _, _, chart, "--values", "values.yaml"] => {
                    assert!(Path::new(chart).join("Chart.yaml").exists(), "{chart}");
                }
                _ => panic!("nobody has run `{line}`"),
            }
            done.push(words[..3].join(" "));
        }
    }
    assert_eq!(done.len(), 5, "{done:?}");
}

#[test]
fn what_takes_minutes_or_a_registry_is_run_by_a_script() {
    let scripts = BY_HAND.map(read).concat();
    // What a person decides, and what only a booted systemd can do.
    let is_for_people = |line: &str| ["editor ", "install ", "systemctl "].iter().any(|word| line.starts_with(word));
    let mut found = 0;
    for heading in ["Packages", "Releases"] {
        for line in blocks(heading).concat().lines().filter(|line| !is_for_people(line)) {
            let words: Vec<&str> = line.split_whitespace().collect();
            let command = match words[..] {
                // The workflow installs fixed versions.
                ["cargo", "install", tool, ..] => format!("{tool}@"),
                // What file is written is somebody's choice.
                [script, ..] if script.ends_with(".sh") => script.to_owned(),
                _ => words[..2].join(" "),
            };
            assert!(scripts.contains(&command), "nobody runs `{command}`");
            found += 1;
        }
    }
    assert_eq!(found, 10, "commands");
}

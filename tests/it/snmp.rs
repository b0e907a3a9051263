//! What appliances offer by SNMP only: the real snmp_exporter with our module reads a real agent that serves the objects of
//! ASYNCOS-MAIL-MIB, and a real Prometheus with the job of the example evaluates the rules.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::UdpSocket;
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::prometheus::{Program, Prometheus, until};

/// The objects of the MIB, without the rows of its tables.
const MIB: &str = "1.3.6.1.4.1.15497.1.1.1";
/// An object below [`MIB`], the type that snmpd calls it, and its value: two fans, of which one has stopped, and so on.
///
/// **Source:** ASYNCOS-MAIL-MIB, revision of 2011-03-07; the values are made up.
const OBJECTS: [(&str, &str, &str); 37] = [
    ("8.1.1.1", "integer", "1"),
    ("8.1.1.2", "integer", "2"),
    ("8.1.2.1", "integer", "2"),
    ("8.1.2.2", "integer", "4"),
    ("8.1.3.1", "integer", "2"),
    ("8.1.3.2", "integer", "2"),
    ("8.1.4.1", "octet_str", "PS 1"),
    ("8.1.4.2", "octet_str", "PS 2"),
    ("9.1.2.1", "integer", "24"),
    ("9.1.3.1", "octet_str", "Ambient"),
    ("10.1.2.1", "uinteger", "8160"),
    ("10.1.2.2", "uinteger", "0"),
    ("10.1.3.1", "octet_str", "FAN 1"),
    ("10.1.3.2", "octet_str", "FAN 2"),
    ("11.0", "uinteger", "3"),
    ("12.1.1.1", "integer", "1"),
    ("12.1.1.2", "integer", "2"),
    ("12.1.2.1", "octet_str", "Sophos"),
    ("12.1.2.2", "octet_str", "Bounce Verification"),
    ("12.1.3.1", "integer", "2"),
    ("12.1.3.2", "integer", "1"),
    ("12.1.4.1", "uinteger", "1728000"),
    ("12.1.4.2", "uinteger", "0"),
    ("13.1.1.1", "integer", "1"),
    ("13.1.2.1", "octet_str", "Sophos"),
    ("13.1.3.1", "counter", "120"),
    ("13.1.4.1", "counter", "7"),
    ("15.0", "uinteger", "12"),
    ("16.0", "uinteger", "5"),
    ("17.0", "counter", "1"),
    ("18.1.1.1", "integer", "1"),
    ("18.1.1.2", "integer", "2"),
    ("18.1.2.1", "integer", "1"),
    ("18.1.2.2", "integer", "2"),
    // Two drives may have one name.
    ("18.1.3.1", "octet_str", "Drive"),
    ("18.1.3.2", "octet_str", "Drive"),
    ("18.1.4.2", "octet_str", "Timeout"),
];

/// An SNMP agent, with the user of the module; killed when dropped.
struct Agent {
    child: Child,
    address: String,
    _folder: TempDir,
}

impl Agent {
    fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut text = "createUser v3get SHA change-me AES change-me\nrouser v3get priv\n".to_owned();
        for (object, kind, value) in OBJECTS {
            text += &format!("override {MIB}.{object} {kind} \"{value}\"\n");
        }
        let config = folder.path().join("snmpd.conf");
        fs::write(&config, text).expect("a file");
        // snmpd does not say which port it has: one that was free a moment ago.
        let address = UdpSocket::bind("127.0.0.1:0").expect("a socket").local_addr().expect("an address").to_string();
        let child = Command::new("snmpd")
            .env("SNMP_PERSISTENT_DIR", folder.path())
            // In the foreground, with this configuration alone, without modules of the machine's own.
            .args(["-f", "-Le", "-C", "-I", "-all", "-c", &config.display().to_string(), &format!("udp:{address}")])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let child = child.unwrap_or_else(|error| panic!("snmpd: {error}; tests/run installs what is missing"));
        Self { child, address, _folder: folder }
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The file for the snmp_exporter that is installed.
fn module() -> &'static str {
    let output = Command::new("prometheus-snmp-exporter").arg("--version").output();
    let output = output.unwrap_or_else(|error| panic!("snmp_exporter: {error}; tests/run installs what is missing"));
    let said = String::from_utf8([output.stdout, output.stderr].concat()).expect("text");
    let version = said.split("version ").nth(1).expect("a version");
    let minor: u32 = version.split('.').nth(1).and_then(|minor| minor.parse().ok()).expect("a minor version");
    if minor < 23 { "deploy/prometheus/snmp_asyncos_0.22.yml" } else { "deploy/prometheus/snmp_asyncos.yml" }
}

/// The job of the example, of one appliance at `target`.
fn configuration(snmp_exporter: &str, target: &str) -> String {
    let example = fs::read_to_string("deploy/prometheus/prometheus.yaml").expect("the example");
    let (_, job) = example.split_once("  # - job_name: asyncos_snmp\n").expect("the job");
    let job = format!("scrape_configs:\n  # - job_name: asyncos_snmp\n{job}").replace("  # ", "  ");
    assert!(job.contains("localhost:9116") && job.contains("esa1.example.com") && job.contains("scrape_interval: 1m"));
    job.replace("localhost:9116", snmp_exporter)
        .replace("esa1.example.com", &format!("'{target}'"))
        .replace("scrape_interval: 1m", "scrape_interval: 1s")
        .replace("scrape_timeout: 30s", "scrape_timeout: 1s")
}

/// The query of an alert, and the group it is in.
fn alerts() -> BTreeMap<String, (String, String)> {
    let text = fs::read_to_string("deploy/prometheus/asyncos.rules.yaml").expect("the rules");
    let rules: Value = serde_yaml::from_str(&text).expect("YAML");
    let mut alerts = BTreeMap::new();
    for group in rules["groups"].as_array().expect("groups") {
        let of = |value: &Value| value.as_str().expect("a text").to_owned();
        for rule in group["rules"].as_array().expect("rules").iter().filter(|rule| rule["alert"].is_string()) {
            alerts.insert(of(&rule["alert"]), (of(&group["name"]), of(&rule["expr"])));
        }
    }
    alerts
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn snmp_exporter_reads_what_the_rules_look_at() {
    let agent = Agent::start();
    let mut command = Command::new("prometheus-snmp-exporter");
    command.args([&format!("--config.file={}", module()), "--web.listen-address=127.0.0.1:0"]);
    let exporter = Program::listening(command, tempfile::tempdir().expect("a folder"), "msg=\"Listening on\"").await;
    let prometheus = Prometheus::configured(&configuration(&exporter.address, &agent.address)).await;
    until(async || prometheus.target().await).await;
    let ask = async |query: &str| -> Result<Vec<Value>, String> {
        let found = prometheus.ask("/api/v1/query", &[("query", query)]).await?;
        Ok(found["result"].as_array().ok_or("no vector")?.clone())
    };
    // A first scrape may have come before the agent.
    until(async || if ask("up == 1").await?.is_empty() { Err("not scraped yet".to_owned()) } else { Ok(()) }).await;

    let shown = ask("{__name__=~\"asyncos_snmp_.+\"}").await.expect("a vector");
    assert_eq!(shown.len(), 13, "{shown:?}");
    for series in &shown {
        let metric = &series["metric"];
        assert_eq!((&metric["appliance"], &metric["job"]), (&"esa1".into(), &"asyncos_snmp".into()), "{metric}");
        assert_eq!(metric["instance"], agent.address.as_str(), "{metric}");
    }
    let alerts = alerts();
    let mut used = BTreeSet::new();
    for (group, query) in alerts.values() {
        let names = query.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
        let names = names.filter(|word| word.starts_with("asyncos_snmp_") && group != "asyncos-recording");
        used.extend(names.map(str::to_owned));
    }
    let names: BTreeSet<String> =
        shown.iter().map(|series| series["metric"]["__name__"].as_str().expect("a name").to_owned()).collect();
    assert!(used.is_subset(&names) && used.len() >= 8, "{used:?} are not all in {names:?}");

    for (alert, label, part, value) in [
        ("AsyncosFanStopped", "fan", "FAN 2", "0"),
        ("AsyncosPowerSupplyFailed", "power_supply", "PS 2", "4"),
        ("AsyncosRaidDegraded", "index", "2", "2"),
        ("AsyncosLicenceExpiring", "feature", "Sophos", "1728000"),
    ] {
        let found = ask(&alerts[alert].1).await.expect("a vector");
        let [series] = &found[..] else { panic!("{alert}: {found:?}") };
        assert_eq!((&series["metric"][label], &series["value"][1]), (&part.into(), &value.into()), "{alert}");
    }
    let quiet = [
        "AsyncosSnmpDown",
        "AsyncosFanSlow",
        "AsyncosTemperatureHigh",
        "AsyncosUpdatesFailing",
        "AsyncosDnsRequestsPending",
    ];
    for alert in quiet {
        assert_eq!(ask(&alerts[alert].1).await, Ok(Vec::new()), "{alert}");
    }
}

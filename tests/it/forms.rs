//! The page of the daemon in every form that can be asked for, and its parts.

use std::collections::BTreeSet;
use std::io::Read;

use asyncos_exporter::sim;
use reqwest::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, VARY};

use crate::exposition::Page;
use crate::rig::{Rig, client, entry, lapse, simulate};

const OPENMETRICS: &str = "application/openmetrics-text";

/// Two appliances with everything that is asked for seldom, so that the page stands still.
async fn rig() -> (Rig, [sim::Appliance; 2]) {
    rig_with("").await
}

/// The same, with more in its configuration.
async fn rig_with(more: &str) -> (Rig, [sim::Appliance; 2]) {
    let clock = lapse(1);
    let esa1 = simulate(sim::Settings::esa("esa1"), &clock).await;
    let esa2 = simulate(sim::Settings::esa("esa2"), &clock).await;
    let text = format!(
        "{more}defaults: {{window: 1h}}\ncounter_groups: minimal\nappliances:\n{}{}",
        entry("esa1", &esa1, ""),
        entry("esa2", &esa2, "")
    );
    let rig = Rig::start(&text, &clock).await;
    let is_had = |page: &Page| {
        let success = page.matching("asyncos_group_success", &[]);
        success.len() > 2 && success.iter().all(|(_, success)| *success == 1.0)
    };
    rig.until("every request was answered", is_had).await;
    (rig, [esa1, esa2])
}

/// The text of an answer whose headers are as they should be.
async fn text(rig: &Rig, query: &str, accept: &str, encoding: &str) -> String {
    let request = client().get(format!("http://{}/metrics{query}", rig.address)).header(ACCEPT, accept);
    let answer = request.header(ACCEPT_ENCODING, encoding).send().await.expect("an answer");
    assert_eq!(answer.status(), 200);
    let header = |name| answer.headers().get(name).map(|value| value.to_str().expect("a text").to_owned());
    let expected = match accept {
        OPENMETRICS => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        _ => "text/plain; version=0.0.4; charset=utf-8",
    };
    assert_eq!(header(CONTENT_TYPE).as_deref(), Some(expected));
    assert_eq!(header(VARY).as_deref(), Some("Accept, Accept-Encoding"));
    let (packing, length) = (header(CONTENT_ENCODING), header(CONTENT_LENGTH).expect("always"));
    let bytes = answer.bytes().await.expect("a body");
    assert_eq!(length, bytes.len().to_string());
    let mut text = String::new();
    if encoding == "gzip" {
        assert_eq!(packing.as_deref(), Some("gzip"));
        // Of a member that follows nothing would be read, as browsers do.
        let mut decoder = flate2::bufread::GzDecoder::new(&bytes[..]);
        decoder.read_to_string(&mut text).expect("a member");
        assert!(decoder.into_inner().is_empty());
    } else {
        assert_eq!(packing, None);
        text.push_str(std::str::from_utf8(&bytes).expect("a text"));
    }
    text
}

/// The samples, but for those that change from scrape to scrape.
fn samples(text: &str) -> BTreeSet<&str> {
    text.lines().filter(|line| !line.starts_with('#') && !line.starts_with("process_")).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_format_of_the_page_has_the_same_samples() {
    let (rig, _fleet) = rig().await;
    let plain = text(&rig, "", "", "identity").await;
    Page::parse(&plain).expect("a page");
    assert!(samples(&plain).len() > 200);
    for (accept, encoding) in [("", "gzip"), (OPENMETRICS, "identity"), (OPENMETRICS, "gzip")] {
        let other = text(&rig, "", accept, encoding).await;
        assert_eq!(samples(&other), samples(&plain), "{accept} {encoding}");
        assert_eq!(other.ends_with("\n# EOF\n"), accept == OPENMETRICS);
    }
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_openmetrics_has_created_timestamps() {
    let (rig, _fleet) = rig_with("web: {created_timestamps: true}\n").await;
    let plain = text(&rig, "", "", "identity").await;
    assert!(!plain.contains("_created"));
    let dated = text(&rig, "", OPENMETRICS, "gzip").await;
    let created: BTreeSet<&str> = samples(&dated).into_iter().filter(|line| line.contains("_created")).collect();
    assert_eq!(&samples(&dated) - &created, samples(&plain));
    let dated = text(&rig, "", OPENMETRICS, "identity").await;
    let lines: Vec<&str> = dated.lines().collect();
    for (before, line) in lines.iter().zip(&lines[1..]).filter(|(_, line)| line.contains("_created")) {
        let [series, of] = [before, line].map(|line| line.rsplit_once(' ').expect("a value").0);
        assert_eq!(of.replacen("_created", "_total", 1), series);
    }
    let spam = "asyncos_mail_incoming_traffic_summary_detected_spam";
    for family in ["asyncos_windows_committed", "asyncos_api_requests", spam] {
        let is_there = created.iter().any(|line| line.starts_with(&format!("{family}_created")));
        assert!(is_there, "{family} in {created:?}");
    }
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn filters_select_by_appliance_and_by_family() {
    let (rig, _fleet) = rig().await;
    let whole = text(&rig, "", "", "identity").await;
    for (accept, encoding) in [("", "identity"), ("", "gzip"), (OPENMETRICS, "identity"), (OPENMETRICS, "gzip")] {
        let of = async |query: &str| text(&rig, query, accept, encoding).await;
        let (one, both) = (of("?appliance=esa1").await, of("?appliance=esa1&appliance=esa2").await);
        let are = |name: &str| {
            let label = format!("appliance=\"{name}\"");
            samples(&whole).into_iter().filter(|line| line.contains(&label)).collect::<BTreeSet<_>>()
        };
        assert!(are("esa1").iter().any(|line| line.starts_with("asyncos_api_requests_total")), "ours about it");
        assert_eq!(samples(&one), are("esa1"), "nothing of others and nothing of the process");
        assert!(!one.contains("process_"));
        assert_eq!(samples(&both), &are("esa1") | &are("esa2"));
        let chosen = of("?name[]=asyncos_up&name[]=process_start_time_seconds&name[]=asyncos_windows_lost").await;
        let mut names: Vec<&str> =
            chosen.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()).collect();
        names.sort_unstable();
        // By the name in either format.
        let lost = if accept == OPENMETRICS { "asyncos_windows_lost" } else { "asyncos_windows_lost_total" };
        assert_eq!(names, ["asyncos_up", lost, "process_start_time_seconds"]);
        // Known, and not there while nothing was late.
        assert_eq!(samples(&of("?name[]=asyncos_late_events_total").await), BTreeSet::new());
        assert_eq!(
            samples(&of("?name[]=asyncos_up&appliance=esa2").await),
            ["asyncos_up{appliance=\"esa2\"} 1"].into()
        );
    }
    let unknown = [
        ("appliance=esa1&appliance=esa3", "no appliance is called `esa3`; did you mean `esa1` or `esa2`?\n"),
        (
            "name[]=asyncos_up&name[]=asyncos_upp",
            "no metric family is called `asyncos_upp`; did you mean `asyncos_up`?\n",
        ),
        ("appliance=esa1&name[]=%0d%0a%1b[1m", "no metric family is called `\\r\\n\\u{1b}[1m`\n"),
    ];
    for (query, reason) in unknown {
        let refused = rig.get(&format!("/metrics?{query}")).await;
        assert_eq!(refused.status(), 400, "{query}");
        assert_eq!(refused.text().await.expect("a reason"), reason);
    }
    rig.end().await;
}

/// Everything that there is, through the reference parser of Python's client.
#[cfg(feature = "external-tests")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_reference_parser_accepts_openmetrics() {
    use std::io::Write;
    use std::process::{Command, Stdio};

    /// Reads a page and prints its samples, sorted.
    const PROGRAM: &str = "
import sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families as families
found = list(families(sys.stdin.read()))
kinds = {family.type for family in found}
assert {'counter', 'gauge', 'histogram', 'info'} <= kinds, kinds
assert {family.unit for family in found} >= {'seconds', 'bytes', ''}, found
assert len({family.name for family in found}) == len(found)
print(sum(len(family.samples) for family in found))
";
    for more in ["", "web: {created_timestamps: true}\n"] {
        let (rig, _fleet) = rig_with(more).await;
        let page = text(&rig, "", OPENMETRICS, "gzip").await;
        rig.end().await;
        assert_eq!(page.contains("_created"), !more.is_empty());
        // Debian's own, which sees Debian's packages.
        let mut command = Command::new("/usr/bin/python3");
        let python = command.args(["-c", PROGRAM]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut python = python.expect("python3; tests/run installs what is missing");
        python.stdin.take().expect("a pipe").write_all(page.as_bytes()).expect("it reads");
        let output = python.wait_with_output().expect("an end");
        assert!(output.status.success(), "python3-prometheus-client refuses the page");
        let lines = page.lines().filter(|line| !line.starts_with('#')).count();
        assert_eq!(String::from_utf8(output.stdout).expect("a number").trim(), lines.to_string());
    }
}

/// It reads files of samples with their times, which a page that is scraped does not have.
#[cfg(feature = "external-tests")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn promtool_accepts_openmetrics() {
    let (rig, _appliances) = rig().await;
    let page = text(&rig, "", OPENMETRICS, "identity").await;
    rig.end().await;
    let dated = |line: &str| if line.starts_with('#') { format!("{line}\n") } else { format!("{line} 1795435230\n") };
    let dated: String = page.lines().map(dated).collect();
    let folder = tempfile::tempdir().expect("a folder");
    let create = |text: &str| {
        let file = folder.path().join("page");
        std::fs::write(&file, text).expect("a file");
        let blocks = folder.path().join("blocks");
        let mut command = std::process::Command::new("promtool");
        command.args(["tsdb", "create-blocks-from", "openmetrics"]).args([file, blocks]);
        command.output().expect("promtool; tests/run installs it")
    };
    let made = create(&dated);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    assert!(!create(&dated.replace("# EOF\n", "")).status.success(), "it would see a mistake");
}

//! Bundles: what `record` writes names nobody, and what `simulate --replay` answers from one gives the same page.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use asyncos_exporter::base::clock::{Clock, Timestamp};
use asyncos_exporter::commands::record::{Captured, capture};
use asyncos_exporter::commands::recording::Recording;
use asyncos_exporter::commands::simulate::replayed;
use asyncos_exporter::config::Config;
use asyncos_exporter::sim;

use crate::exposition::Page;
use crate::golden;
use crate::program::{Folder, Program};
use crate::rig::{BEGINNING, PATIENCE, Rig, lapse};

mod planted;

/// Families whose values depend on when and how often something was requested.
const CHANGING: [&str; 17] = [
    "process_",
    "asyncos_api_request",
    "asyncos_account_",
    "asyncos_clock_skew",
    "asyncos_config_",
    "asyncos_exporter_",
    "asyncos_group_last_success",
    "asyncos_late_",
    "asyncos_login",
    "asyncos_poll_round_seconds",
    "asyncos_reconciliation",
    "asyncos_settle",
    "asyncos_state_",
    "asyncos_token_expiry",
    "asyncos_windows_",
    "asyncos_window_",
    "asyncos_running_hour",
];

type Samples = BTreeSet<(String, Vec<(String, String)>, String)>;

/// The samples of a page that depend on the answers alone.
fn samples(page: &Page) -> Samples {
    let mut found = Samples::new();
    let families = page
        .families()
        .filter(|(name, kind, _)| *kind != "histogram" && !CHANGING.iter().any(|changing| name.starts_with(changing)));
    for (name, _, _) in families {
        for (labels, value) in page.matching(name, &[]) {
            // Counted back from the instant at which the page was read.
            let is_relative = ["asyncos_status_", "asyncos_feature_"].iter().any(|part| name.starts_with(part));
            let value = match is_relative && name.ends_with("_timestamp_seconds") {
                true => "…".to_owned(),
                false => value.to_string(),
            };
            found.insert((name.to_owned(), labels.into_iter().collect(), value));
        }
    }
    found
}

/// `found` with the names of a recording in place of the original ones.
fn renamed(found: &Samples, names: &BTreeMap<&str, &str>) -> Samples {
    let renamed = |(name, value): &(String, String)| {
        let of = |value: &str| names.get(value).copied().unwrap_or(value).to_owned();
        let value = match (name.as_str(), value.split_once('/')) {
            ("appliance", _) => "recorded".to_owned(),
            ("group", Some((group, search))) => format!("{group}/{}", of(search)),
            (_, Some(_) | None) => of(value),
        };
        (name.clone(), value)
    };
    found
        .iter()
        .map(|(name, labels, value)| (name.clone(), labels.iter().map(renamed).collect(), value.clone()))
        .collect()
}

/// An appliance for which time stands still, so that each of its answers is the same each time.
async fn at_rest(settings: sim::Settings, secs: u64) -> sim::Appliance {
    let instant = SystemTime::UNIX_EPOCH + Duration::from_secs(secs);
    let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    sim::Appliance::start(settings, anywhere, std::sync::Arc::new(move || instant)).await.expect("an appliance")
}

/// The configuration of one appliance.
fn config(appliance: &sim::Appliance, rest: &str) -> String {
    format!(
        "defaults: {{window: 1h, settle: 30m}}\n\
         appliances: [{{name: mx-berlin, url: '{}', username: monitor, password: ironport, {rest}}}]\n",
        appliance.url()
    )
}

const ESA: &str = "counter_groups: [minimal, mail_policy_incoming, mail_incoming_domain_detail, \
    mail_incoming_ip_hostname_detail, mail_users_detail], xml_status: true, \
    tracking_searches: [{name: to-berlin, filters: {mail_policy: Executives, virus_positive: true}}]";
const STATUS: &str = "counter_groups: minimal, delivery_status: {top: 50}";
const SMA: &str = "product: sma, counter_groups: [minimal, mail_policy_incoming], device_groups: [berlin], \
    devices: [mx7.berlin.example.com]";

fn esa() -> sim::Settings {
    let mut settings = sim::Settings::esa("mx7.berlin.example.com");
    settings.behaviour.model = "C600V".into();
    settings
}

/// An ESA with the status requests that few releases have.
fn esa_with_status(form: sim::Offer) -> sim::Settings {
    let mut settings = esa();
    (settings.behaviour.system_status_offer, settings.behaviour.delivery_status) = (form, form);
    settings
}

fn sma() -> sim::Settings {
    sim::Settings::sma("sma.berlin.example.com")
        .with_group("berlin", &["mx7.berlin.example.com"])
        .with_group("paris", &["mx8.paris.example.com"])
}

async fn captured(text: &str) -> Captured {
    let config = Config::parse("given", text).unwrap_or_else(|error| panic!("{error}"));
    let captured = capture(&config, &config.appliances[0], &lapse(1)).await.expect("a client");
    assert!(captured.failure.is_none(), "{:?}", captured.failure);
    captured
}

/// The samples once every report was requested and all of them are there.
async fn until_had(text: &str, requests: usize) -> Samples {
    let rig = Rig::start(text, &lapse(1)).await;
    let had = |page: &Page| {
        let all = page.matching("asyncos_group_success", &[]);
        all.len() >= requests && all.iter().all(|(_, value)| *value == 1.0)
    };
    let page = rig.until("every request was answered", had).await;
    rig.end().await;
    samples(&page)
}

/// Whether a page has a sample of `name`.
fn has(samples: &Samples, part: &str) -> bool {
    samples.iter().any(|(name, _, _)| name.contains(part))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replay_gives_the_page_of_the_appliance_but_for_its_names() {
    let status = ["asyncos_system_messages_received", "asyncos_destination_active_recipients", "asyncos_system_status"];
    for (settings, rest, requests, parts) in [
        (esa(), ESA, 7, ["mail_users_detail", "asyncos_status_", "asyncos_quarantine_messages"]),
        (esa_with_status(sim::Offer::AsSeen), STATUS, 10, status),
        (esa_with_status(sim::Offer::Odd), STATUS, 10, status),
        (sma(), SMA, 12, ["device_group_mail_policy", "asyncos_managed_", "asyncos_quarantine_messages"]),
    ] {
        let original = at_rest(settings, BEGINNING).await;
        let text = config(&original, rest);
        let Captured { recording, scrubber, .. } = captured(&text).await;
        let before = until_had(&text, requests).await;
        original.stop().await;
        for part in parts {
            assert!(has(&before, part), "{part}");
        }
        let bundle = recording.to_string();
        let read = Recording::parse(&bundle).expect("a bundle");
        let replay = at_rest(replayed(&read), BEGINNING).await;
        let after = until_had(&read.config_for(&replay.url()), requests).await;
        let names: BTreeMap<&str, &str> = scrubber.pseudonyms().replaced().collect();
        let expected = renamed(&before, &names);
        let (missing, added): (Vec<_>, Vec<_>) =
            (expected.difference(&after).collect(), after.difference(&expected).collect());
        assert!(missing.is_empty() && added.is_empty(), "missing: {missing:#?}\nadded: {added:#?}");
        for name in ["berlin", "Executives", "alice", "mx-berlin", "ironport", &original.url()] {
            assert!(!bundle.contains(name), "{name} is in\n{bundle}");
        }
        assert!(bundle.len() > 5000 && names.len() > 3);
    }
}

/// The bundle without what depends on the speed of a machine.
fn timeless(recording: &Recording) -> String {
    let mut recording = recording.clone();
    recording.exchanges.iter_mut().for_each(|exchange| exchange.milliseconds = 0);
    recording.about.exporter = "0.1.0".to_owned();
    recording.about.recorded = "2026-11-23T12:00:30.000Z".to_owned();
    recording.to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_bundles_of_simulated_appliances_are_the_golden_ones() {
    for (settings, rest, file) in [(esa(), ESA, "simulated_esa.bundle"), (sma(), SMA, "simulated_sma.bundle")] {
        let appliance = at_rest(settings, BEGINNING).await;
        let Captured { recording, .. } = captured(&config(&appliance, rest)).await;
        golden::compare(&Path::new("tests/bundles").join(file), &timeless(&recording));
    }
}

fn bundles() -> Vec<PathBuf> {
    let files = std::fs::read_dir("tests/bundles").expect("a folder").map(|entry| entry.expect("an entry").path());
    let mut files: Vec<PathBuf> = files.filter(|path| path.extension().is_some_and(|end| end == "bundle")).collect();
    files.sort();
    assert!(files.len() >= 3);
    files
}

fn lines(samples: &Samples) -> String {
    let line = |(name, labels, value): &(String, Vec<(String, String)>, String)| {
        let labels: Vec<String> = labels.iter().map(|(name, value)| format!("{name}={value:?}")).collect();
        format!("{name}{{{}}} {value}\n", labels.join(","))
    };
    samples.iter().map(line).collect()
}

/// The samples of a replay: the first that are `expected`, or, where nothing is expected yet, those that stay.
async fn page_of(recording: &Recording, expected: Option<&str>) -> String {
    /// So many equal pages in a row are the final one.
    const ENOUGH: usize = 20;
    let recorded = humantime::parse_rfc3339(&recording.about.recorded).expect("an instant");
    let secs = recorded.duration_since(SystemTime::UNIX_EPOCH).expect("after 1970").as_secs();
    let appliance = at_rest(replayed(recording), secs).await;
    let clock = Clock::lapse(Timestamp::from_secs(secs), 1);
    let rig = Rig::start(&recording.config_for(&appliance.url()), &clock).await;
    let mut last = (String::new(), 0);
    let wait = async {
        loop {
            let page = lines(&samples(&rig.page().await));
            let is_final = match expected {
                Some(expected) => page == expected,
                None => last.1 == ENOUGH && !page.is_empty(),
            };
            last = if page == last.0 { (page, last.1 + 1) } else { (page, 0) };
            if is_final {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let _ = tokio::time::timeout(PATIENCE / 4, wait).await;
    rig.end().await;
    last.0
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_of_each_bundle_is_the_golden_one() {
    let updates = std::env::var_os("UPDATE_GOLDEN").is_some();
    for file in bundles() {
        let text = std::fs::read_to_string(&file).expect("a bundle");
        let recording = Recording::parse(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let page = file.with_extension("page");
        let expected = std::fs::read_to_string(&page).unwrap_or_default();
        let found = page_of(&recording, (!updates).then_some(&expected)).await;
        golden::compare(&page, &found);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_commands_write_a_bundle_and_answer_from_it() {
    let esa = crate::program::simulate(esa()).await;
    let folder = Folder::new();
    let file = folder.write("c.yaml", config(&esa, "counter_groups: minimal"));
    let (bundle, other) = (folder.path("esa1.bundle"), folder.path("other.bundle"));
    let flags = |output: &str, name: &str| {
        [
            "record".to_owned(),
            format!("--config.file={file}"),
            format!("--appliance={name}"),
            format!("--output={output}"),
        ]
    };
    let run = async |output: &str, name: &str, rest: &[&str]| {
        let flags = flags(output, name);
        let flags: Vec<&str> = flags.iter().map(String::as_str).chain(rest.iter().copied()).collect();
        Program::run(&flags).await
    };
    let reviewed = run(&other, "mx-berlin", &["--review"]).await;
    assert_eq!(reviewed.code(), Some(0), "{reviewed:?}");
    assert!(reviewed.stdout.starts_with("{\"asyncos_exporter_bundle\":1,"), "{reviewed:?}");
    assert!(reviewed.stderr.contains("was not written") && !Path::new(&other).exists(), "{reviewed:?}");
    let recorded = run(&bundle, "mx-berlin", &[]).await;
    assert_eq!(recorded.code(), Some(0), "{recorded:?}");
    assert!(recorded.stderr.contains("request(s) recorded; replaced: "), "{recorded:?}");
    let again = run(&bundle, "mx-berlin", &[]).await;
    assert!(again.code() == Some(2) && again.stderr.contains("already exists"), "{again:?}");
    let unknown = run(&other, "mx-paris", &[]).await;
    assert!(unknown.code() == Some(2) && unknown.stderr.contains("no appliance `mx-paris`"), "{unknown:?}");

    let broken = Program::run(&["simulate", &format!("--replay={file}")]).await;
    assert!(broken.code() == Some(2) && broken.stderr.contains("not a bundle"), "{broken:?}");
    let mut program = Program::start(&["simulate", "--listen=127.0.0.1:0", &format!("--replay={bundle}")]);
    let first = program.says("any account is accepted").await;
    let url = first.split(" at ").nth(1).and_then(|rest| rest.split(';').next()).expect("a URL").to_owned();
    let text =
        Recording::parse(&std::fs::read_to_string(&bundle).expect("a bundle")).expect("a bundle").config_for(&url);
    let config = Config::parse("replay", &text).expect("a configuration");
    let replayed = capture(&config, &config.appliances[0], &Clock::system()).await.expect("a client");
    assert!(replayed.failure.is_none(), "{:?}", replayed.failure);
    let original = Recording::parse(&std::fs::read_to_string(&bundle).expect("a bundle")).expect("a bundle");
    let statuses = |recording: &Recording| -> Vec<_> {
        recording
            .exchanges
            .iter()
            .map(|exchange| (exchange.request.split('?').next().map(str::to_owned), exchange.status))
            .collect()
    };
    assert_eq!(statuses(&replayed.recording), statuses(&original), "{}", replayed.recording);
    program.stop().await;
}

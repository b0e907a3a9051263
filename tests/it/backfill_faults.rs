//! Backfills that are interrupted, and appliances that fail, refuse or are late: nothing is repeated, invented or hidden.

use std::collections::BTreeMap;

use asyncos_exporter::sim::{self, Fault, FaultBody, On};

use crate::backfill::{HOUR, Samples, asked, backfill, configuration, entry, files, logins, midnight, time};
use crate::program::{Folder, Program, simulate};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn interruptions_repeat_no_recorded_request_and_change_no_byte() {
    const KILLS: usize = 20;
    let esa = simulate(sim::Settings::esa("esa1")).await;
    let folder = Folder::new();
    let config = configuration(&folder, &entry("esa1", &esa, ""));
    let (from, to) = (format!("--from={}", time(midnight(3))), format!("--to={}", time(midnight(1))));
    let range = [from.as_str(), to.as_str()];
    let whole = backfill(&config, &folder.path("whole"), &range).await;
    assert_eq!(whole.code(), Some(0), "{whole:?}");
    let requests = asked(&esa).len();
    assert_eq!(requests % 48, 0, "each report for each hour");

    let (config_flag, output) = (format!("--config.file={config}"), format!("--output={}", folder.path("out")));
    let arguments = [&["backfill", &config_flag, &output], &range[..]].concat();
    let mut state = 7_u64;
    for kill in 0..KILLS {
        let program = Program::start(&arguments);
        // Looks like chance.
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let goal = esa.requests().len() + 2 + usize::try_from((state >> 33) % 25).expect("small");
        esa.wait_for(|log| log.len() >= goal).await;
        let signal = if kill % 2 == 0 { "KILL" } else { "TERM" };
        program.signal(signal);
        let ended = program.ended().await;
        assert_ne!(ended.code(), Some(0), "the range is too short for so many interruptions");
    }
    let ended = backfill(&config, &folder.path("out"), &range).await;
    assert_eq!(ended.code(), Some(0), "{ended:?}");
    let mut times: BTreeMap<_, usize> = BTreeMap::new();
    for request in asked(&esa).into_iter().skip(requests) {
        *times.entry(request).or_default() += 1;
    }
    assert_eq!(times.len(), requests);
    // A request that was answered but not recorded when the process was killed has to be repeated; there is one at most.
    let repeated: usize = times.values().map(|times| times - 1).sum();
    assert!(repeated <= KILLS / 2, "{repeated} requests were repeated");
    let samples = files(&folder.path("whole/samples"));
    assert!(samples.len() >= 2);
    assert!(files(&folder.path("out/samples")) == samples, "the same bytes");

    let before = esa.requests().len();
    let again = backfill(&config, &folder.path("out"), &range).await;
    assert_eq!((again.code(), esa.requests().len()), (Some(0), before), "nothing is requested again");
    assert!(files(&folder.path("out/samples")) == samples, "the same bytes");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_available_is_reported_and_does_not_stop_the_rest() {
    let esa = simulate(sim::Settings::esa("esa1")).await;
    esa.change(|behaviour| {
        behaviour.forbidden_groups.insert("mail_system_capacity".into());
    });
    let not_found = Fault::Status { code: 404, body: FaultBody::Json("No data.".into()), retry_after: None };
    let incoming = "mail_incoming_traffic_summary";
    // The newest window comes first, then the others from the oldest on: this is the second hour.
    esa.inject(not_found, On::group(incoming).after(2).times(1));
    let folder = Folder::new();
    let config =
        configuration(&folder, &entry("esa1", &esa, &format!("counter_groups: [{incoming}, mail_system_capacity]")));
    let (from, to) = (format!("--from={}", time(midnight(1))), format!("--to={}", time(midnight(1) + 4 * HOUR)));
    let ended = backfill(&config, &folder.path("out"), &[&from, &to]).await;
    assert_eq!(ended.code(), Some(0), "{ended:?}");
    assert!(
        ended.stderr.contains("esa1: mail_system_capacity of the appliance is not available: status 401"),
        "{ended:?}"
    );
    assert!(
        ended.stdout.contains(&format!("esa1: {incoming} of the appliance: 1 of 4 windows are missing: ")),
        "{ended:?}"
    );
    assert!(ended.stdout.contains("; 1 windows are missing, 1 reports are not available\n"), "{ended:?}");
    assert_eq!(asked(&esa).iter().filter(|(group, ..)| group == "mail_system_capacity").count(), 1);
    let samples = Samples::read(&folder.path("out/samples"));
    let truth = |start, end| esa.truth(&sim::Scope::Whole, incoming, "total_recipients", start, end).expect("known");
    let day = midnight(1);
    let known = truth(day, day + HOUR) + truth(day + 2 * HOUR, day + 4 * HOUR);
    let series = "asyncos_mail_incoming_traffic_summary_total_recipients_total{appliance=\"esa1\"}";
    assert_eq!(samples.at(series, day + 4 * HOUR), known, "missing is not counted");
    let times = samples.times(series, day);
    assert_eq!(times, [1, 3_600_000, 10_800_000, 14_400_000, 14_400_001], "nothing is written about a missing window");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn failures_are_retried_and_a_refused_password_costs_one_login() {
    let esa = simulate(sim::Settings::esa("esa1")).await;
    let wrong = simulate(sim::Settings::esa("esa2")).await;
    wrong.set_passphrase("changed");
    let busy = Fault::Status { code: 503, body: FaultBody::Html, retry_after: None };
    esa.inject(busy, On::reports().after(3).times(2));
    let folder = Folder::new();
    let gone =
        "  - {name: esa3, url: 'http://127.0.0.1:1', username: monitor, password: ironport, polling: {timeout: 2s}}\n";
    let config =
        configuration(&folder, &(entry("esa1", &esa, "counter_groups: minimal") + &entry("esa2", &wrong, "") + gone));
    let (from, to) = (format!("--from={}", time(midnight(1))), format!("--to={}", time(midnight(0))));
    let ended = backfill(&config, &folder.path("out"), &[&from, &to]).await;
    assert_eq!((ended.code(), logins(&esa), logins(&wrong)), (Some(1), 1, 1), "{ended:?}");
    for part in [
        "esa2: status 401: Invalid username or passphrase.",
        "hint: correct the password first",
        "esa3: ",
        "hint: run the same command again to continue; no recorded request is repeated",
    ] {
        assert!(ended.stderr.contains(part), "{part}: {ended:?}");
    }
    assert!(ended.stdout.contains("esa1: 72 windows in 2 files in "), "{ended:?}");
    let mut requests = asked(&esa);
    assert_eq!(requests.len(), 72 + 2, "the request that failed twice was made three times");
    requests.sort();
    requests.dedup();
    assert_eq!(requests.len(), 72);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_appliance_with_a_slow_clock_is_not_asked_for_an_hour_that_runs() {
    let esa = simulate(sim::Settings::esa("esa1")).await;
    esa.change(|behaviour| behaviour.clock_offset_secs = -2 * 3600);
    let folder = Folder::new();
    let config = configuration(&folder, &entry("esa1", &esa, "counter_groups: minimal"));
    let ended = backfill(&config, &folder.path("out"), &["--from=5h"]).await;
    assert_eq!(ended.code(), Some(1), "{ended:?}");
    assert!(ended.stderr.contains("esa1: its clock shows 2"), "{ended:?}");
    assert!(ended.stderr.contains(": continue later"), "{ended:?}");
}

//! The past as samples: equal to the vendor's report for each day, resumed without repeated requests, and never of what the
//! exporter has counted.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use asyncos_exporter::catalogue::{self, Counter, Group, ScopeKind};
use asyncos_exporter::sim::{self, RequestKind};

use crate::program::{DEFAULTS, Ended, Folder, HISTORY, Program, committed, simulate};
use crate::rig;

const DAY: u64 = 24 * 3600;
pub(crate) const HOUR: u64 = 3600;

/// The days that are compared; `BACKFILL_DAYS` sets another number.
const DAYS: u64 = 3;

/// Midnight in UTC, so many days ago.
pub(crate) fn midnight(days_ago: u64) -> u64 {
    let now = asyncos_exporter::base::clock::Clock::system().wall().as_secs();
    now / DAY * DAY - days_ago * DAY
}

/// A time as the command line takes it.
pub(crate) fn time(seconds: u64) -> String {
    asyncos_exporter::base::clock::Timestamp::from_secs(seconds).to_string()
}

/// The samples in files, by series as it is written.
pub(crate) struct Samples(BTreeMap<String, Vec<(f64, f64)>>);

impl Samples {
    pub(crate) fn read(directory: &str) -> Self {
        let mut series: BTreeMap<String, Vec<(f64, f64)>> = BTreeMap::new();
        for path in files(directory).keys() {
            let text = std::fs::read_to_string(Path::new(directory).join(path)).expect("a file");
            assert!(text.ends_with("\n# EOF\n"), "{path}");
            for line in text.lines().filter(|line| !line.starts_with('#')) {
                let mut parts = line.rsplitn(3, ' ');
                let [at, value] = [parts.next(), parts.next()].map(|part| part.and_then(|part| part.parse().ok()));
                let name = parts.next().unwrap_or_else(|| panic!("{line}"));
                series.entry(name.to_owned()).or_default().push((at.expect("a time"), value.expect("a value")));
            }
        }
        for (name, samples) in &series {
            assert!(samples.is_sorted_by(|one, next| one.0 < next.0), "{name}: {samples:?}");
        }
        Self(series)
    }

    /// The value of a series at `time`: the newest by then, and 0 before the first.
    pub(crate) fn at(&self, series: &str, time: u64) -> f64 {
        let samples = self.0.get(series).unwrap_or_else(|| panic!("no series {series}"));
        samples.iter().take_while(|(at, _)| *at <= time as f64).last().map_or(0.0, |(_, value)| *value)
    }

    /// The times of the samples of a series, in milliseconds after `start`.
    pub(crate) fn times(&self, series: &str, start: u64) -> Vec<i64> {
        let samples = self.0.get(series).unwrap_or_else(|| panic!("no series {series}"));
        samples.iter().map(|(at, _)| ((at - start as f64) * 1000.0).round() as i64).collect()
    }

    /// The series of `name` with these labels, by the value of `key`.
    fn by_key(&self, name: &str, labels: &str, key: &str) -> BTreeMap<String, String> {
        let start = format!("{name}{{{labels},{key}=\"");
        let found =
            self.0.keys().filter_map(|series| Some((series.strip_prefix(&start)?.strip_suffix("\"}")?, series)));
        found.map(|(key, series)| (key.to_owned(), series.clone())).collect()
    }
}

/// The files in `directory` with their content.
pub(crate) fn files(directory: &str) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(directory).expect("a directory").map(|entry| entry.expect("an entry"));
    entries
        .map(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            (name, std::fs::read(entry.path()).expect("a file"))
        })
        .collect()
}

/// A configuration in which requests wait for nothing.
pub(crate) fn configuration(folder: &Folder, entries: &str) -> String {
    folder.write("config.yaml", format!("defaults: {{requests_per_minute: 6000}}\nappliances:\n{entries}"))
}

pub(crate) fn entry(name: &str, appliance: &sim::Appliance, rest: &str) -> String {
    rig::entry(name, appliance, rest)
}

pub(crate) async fn backfill(config: &str, output: &str, arguments: &[&str]) -> Ended {
    let (config, output) = (format!("--config.file={config}"), format!("--output={output}"));
    Program::run(&[&["backfill", &config, &output], arguments].concat()).await
}

/// The reports that an appliance was asked for, each with its scope and window.
pub(crate) fn asked(appliance: &sim::Appliance) -> Vec<(String, Option<String>, (u64, u64))> {
    let reports = appliance.requests().into_iter().filter_map(|request| match &request.kind {
        RequestKind::Report { group } => {
            let scope = request.attribute("device_group_name").or(request.attribute("device_name"));
            Some((group.clone(), scope.map(str::to_owned), request.window?))
        }
        RequestKind::Login | RequestKind::SecondFactor | RequestKind::Other => None,
    });
    reports.collect()
}

pub(crate) fn logins(appliance: &sim::Appliance) -> usize {
    appliance.count(|request| request.kind == RequestKind::Login)
}

/// One scope of an appliance: the labels of its series, and what the simulator calls it.
struct Place<'a> {
    appliance: &'a sim::Appliance,
    labels: &'a str,
    kind: ScopeKind,
    scope: sim::Scope,
}

impl Place<'_> {
    /// Compares each day of a counter with the truth; returns the number of comparisons.
    fn compare(&self, samples: &Samples, group: &Group, counter: &Counter, days: &[u64]) -> usize {
        let Some(name) = counter.total_name(group, self.kind) else { return 0 };
        let (scope, of) = (&self.scope, |start: u64| (start, start + DAY));
        let mut compared = 0;
        match &group.key {
            None => {
                let series = format!("{name}{{{}}}", self.labels);
                for (start, end) in days.iter().copied().map(of) {
                    let truth = self.appliance.truth(scope, &group.name, &counter.name, start, end);
                    let counted = samples.at(&series, end) - samples.at(&series, start);
                    assert_eq!(Some(counted), truth, "{series} on {}", time(start));
                    compared += 1;
                }
            }
            Some(key) => {
                let series = samples.by_key(&name, self.labels, &key.label);
                for (start, end) in days.iter().copied().map(of) {
                    let truth = self.appliance.keyed_truth(scope, &group.name, &counter.name, start, end);
                    for (key, truth) in &truth {
                        let series = series.get(key).unwrap_or_else(|| panic!("{name} of {key}"));
                        assert_eq!(samples.at(series, end) - samples.at(series, start), *truth, "{series}");
                        compared += 1;
                    }
                    let others = series.iter().filter(|(key, _)| !truth.contains_key(*key));
                    for (key, series) in others {
                        assert_eq!(samples.at(series, end), samples.at(series, start), "{key} had no events");
                    }
                }
            }
        }
        compared
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_day_of_each_counter_equals_the_report_of_the_vendor() {
    let esa = simulate(sim::Settings::esa("esa1")).await;
    let sma = simulate(sim::Settings::sma("sma1").with_group("europe", &["esa2", "esa3"])).await;
    let folder = Folder::new();
    let of_sma = "product: sma, device_groups: [europe], devices: [esa3], counter_groups: minimal";
    let keyed = "counter_groups: [default, mail_policy_incoming]";
    let config = configuration(&folder, &(entry("esa1", &esa, keyed) + &entry("sma1", &sma, of_sma)));
    let number = std::env::var("BACKFILL_DAYS").ok().and_then(|days| days.parse().ok()).unwrap_or(DAYS);
    let days: Vec<u64> = (1..=number).rev().map(|days_ago| midnight(days_ago + 1)).collect();
    let (first, last) = (midnight(number + 1), midnight(1));
    let (from, to) = (format!("--from={}", time(first)), format!("--to={}", time(last)));
    let output = folder.path("out");
    let ended = backfill(&config, &output, &[&from, &to]).await;
    assert_eq!(ended.code(), Some(0), "{ended:?}");
    assert!(!ended.stdout.contains("ironport") && !ended.stderr.contains("ironport"), "{ended:?}");
    assert_eq!((logins(&esa), logins(&sma)), (1, 1));
    assert_eq!((esa.most_in_flight(), sma.most_in_flight()), (1, 1));

    let samples = Samples::read(&folder.path("out/samples"));
    let place = |appliance, labels, kind, scope| Place { appliance, labels, kind, scope };
    let places = [
        place(&esa, "appliance=\"esa1\"", ScopeKind::Appliance, sim::Scope::Whole),
        place(&sma, "appliance=\"sma1\"", ScopeKind::Appliance, sim::Scope::Whole),
        place(
            &sma,
            "appliance=\"sma1\",device_group=\"europe\"",
            ScopeKind::DeviceGroup,
            sim::Scope::Group("europe".into()),
        ),
        place(&sma, "appliance=\"sma1\",device=\"esa3\"", ScopeKind::Device, sim::Scope::Device("esa3".into())),
    ];
    for place in &places {
        let groups: BTreeSet<String> = asked(place.appliance).into_iter().map(|(group, ..)| group).collect();
        let mut compared = 0;
        for group in groups.iter().map(|name| catalogue::group(name).expect("in the catalogue")) {
            let numeric = group.counters.iter().filter(|counter| counter.is_numeric());
            compared += numeric.map(|counter| place.compare(&samples, group, counter, &days)).sum::<usize>();
        }
        assert!(compared >= 3 * 10, "{compared} of {}", place.labels);
    }
    // A gauge is the value of its window, as of the end of the window; averages are gauges alone.
    let capacity = catalogue::group("mail_system_capacity").expect("in the catalogue");
    for counter in capacity.counters.iter().filter(|counter| counter.is_numeric()) {
        let series = format!("{}{{appliance=\"esa1\"}}", counter.gauge_name(capacity, ScopeKind::Appliance));
        for end in (first + HOUR..=last).step_by(3600) {
            let truth = esa.truth(&sim::Scope::Whole, "mail_system_capacity", &counter.name, end - HOUR, end);
            let truth = counter.unit.scale(truth.expect("known"));
            assert!((samples.at(&series, end) - truth).abs() < 1e-9, "{series} at {}", time(end));
        }
    }
    // Before the first window and after the last one, every total is 0.
    let totals =
        samples.0.iter().filter(|(series, _)| series.split('{').next().is_some_and(|name| name.ends_with("_total")));
    let end = last as f64 + 0.001;
    assert!(totals.clone().count() > 100);
    for (series, all) in totals {
        assert_eq!((all[0].1, all[all.len() - 1]), (0.0, (end, 0.0)), "{series}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dry_run_contacts_nobody_and_another_command_does_not_continue() {
    let esa = simulate(sim::Settings::esa("esa1")).await;
    let folder = Folder::new();
    let config = configuration(&folder, &entry("esa1", &esa, "counter_groups: minimal"));
    let output = folder.path("out");
    let ended = backfill(&config, &output, &["--from=2d", "--dry-run", "--requests-per-minute=60"]).await;
    assert_eq!(ended.code(), Some(0), "{ended:?}");
    let line = ended.stdout.lines().next().expect("a line");
    assert!(
        line.starts_with("esa1: 3 reports from ")
            && line.contains(" requests, at least ")
            && line.ends_with(" at 60 requests per minute"),
        "{line}"
    );
    assert!(esa.requests().is_empty() && !Path::new(&output).exists());

    let group = "--group=mail_incoming_traffic_summary";
    let first = backfill(&config, &output, &["--from=3h", group]).await;
    assert_eq!(first.code(), Some(0), "{first:?}");
    for (arguments, why) in [
        (
            &["--from=4h", group][..],
            "it was begun with other values of --from, --to, --appliance, --group or --recent-windows",
        ),
        (&["--from=3h"], "it was begun with other values"),
        (&["--from=3h", "--group=mail_x"], "--group: no appliance is configured to be polled for `mail_x`"),
        (&["--from=3h", group, "--appliance=esa2"], "--appliance: `esa2` is not configured"),
    ] {
        let ended = backfill(&config, &output, arguments).await;
        assert_eq!(ended.code(), Some(2), "{ended:?}");
        assert!(ended.stderr.contains(why), "{ended:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn values_are_repeated_until_the_next_window_ends() {
    let esa = simulate(sim::Settings::esa("esa1")).await;
    let folder = Folder::new();
    let config = configuration(&folder, &entry("esa1", &esa, "counter_groups: [mail_incoming_traffic_summary]"));
    let start = midnight(1) + 22 * HOUR;
    let (from, to) = (format!("--from={}", time(start)), format!("--to={}", time(start + 2 * HOUR)));
    let ended = backfill(&config, &folder.path("out"), &[&from, &to, "--step=15m", "--label=job=x"]).await;
    assert_eq!(ended.code(), Some(0), "{ended:?}");
    let samples = Samples::read(&folder.path("out/samples"));
    let series =
        |kind| format!("asyncos_mail_incoming_traffic_summary_total_recipients_{kind}{{job=\"x\",appliance=\"esa1\"}}");
    let minutes = [60, 75, 90, 105, 120].map(|minutes| minutes * 60_000);
    assert_eq!(samples.times(&series("last_window"), start), minutes);
    let zeros = [0, 15, 30, 45].map(|minutes| minutes * 60_000 + 1);
    assert_eq!(samples.times(&series("total"), start), [&zeros[..], &minutes, &[120 * 60_000 + 1]].concat());
    assert_eq!(samples.at(&series("total"), start + 2 * HOUR - 1), samples.at(&series("total"), start + HOUR));
    assert_eq!(samples.at(&series("total"), start + HOUR - 1), 0.0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn recent_windows_are_short_where_the_appliance_accepts_minutes() {
    let fine = simulate(sim::Settings::esa("esa1")).await;
    let hourly = simulate(sim::Settings::esa("esa2")).await;
    hourly.change(|behaviour| behaviour.hour_only = Some(sim::HOUR_ONLY_MESSAGES[0].to_owned()));
    let folder = Folder::new();
    let groups = "counter_groups: [mail_incoming_traffic_summary], polling: {window: 20m, requests_per_minute: 6000}";
    let config = configuration(&folder, &(entry("esa1", &fine, groups) + &entry("esa2", &hourly, groups)));
    let ended = backfill(&config, &folder.path("out"), &["--from=6h", "--recent-windows=3h"]).await;
    assert_eq!(ended.code(), Some(0), "{ended:?}");
    let note = "esa2: mail_incoming_traffic_summary of the appliance is fetched in whole hours";
    assert!(ended.stderr.contains(note) && !ended.stderr.contains("esa1: mail"), "{ended:?}");
    let lengths = |appliance: &sim::Appliance| {
        let mut windows: Vec<(u64, u64)> = asked(appliance).into_iter().map(|(_, _, window)| window).collect();
        windows.sort_unstable();
        let lengths = windows.iter().map(|(start, end)| (end - start) / 60).collect::<Vec<_>>();
        (lengths, windows[0].0, windows[windows.len() - 1].1)
    };
    let (mut of_fine, from, to) = lengths(&fine);
    let short = of_fine.iter().filter(|minutes| **minutes == 20).count();
    assert!(short >= 3 && short % 3 == 0, "{of_fine:?}");
    of_fine.retain(|minutes| *minutes == 60);
    assert_eq!(of_fine.len() + short / 3, usize::try_from((to - from) / HOUR).expect("few"));
    // The window that was declined, and then all hours.
    let (of_hourly, ..) = lengths(&hourly);
    assert_eq!(of_hourly.iter().filter(|minutes| **minutes == 20).count(), 1, "{of_hourly:?}");
    let samples = Samples::read(&folder.path("out/samples"));
    for (name, appliance) in [("esa1", &fine), ("esa2", &hourly)] {
        let truth = appliance.truth(&sim::Scope::Whole, "mail_incoming_traffic_summary", "total_recipients", from, to);
        let series = format!("asyncos_mail_incoming_traffic_summary_total_recipients_total{{appliance=\"{name}\"}}");
        assert_eq!(Some(samples.at(&series, to)), truth);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backfill_ends_where_the_totals_of_the_exporter_begin() {
    let esa = simulate(sim::Settings::esa("esa1")).await;
    let folder = Folder::new();
    let config = folder.write("config.yaml", DEFAULTS.to_owned() + &entry("esa1", &esa, ""));
    let (storage, output) = (format!("--storage.path={}", folder.path("state")), folder.path("out"));
    let mut exporter = Program::serve(&config, &[&storage]);
    let address = exporter.address().await;
    rig::until(address, "three windows of each group are counted", |page| committed(page, "esa1") >= HISTORY).await;
    let begun = asked(&esa).into_iter().map(|(_, _, (start, _))| start).min().expect("a window");
    let before = esa.requests().len();
    let refused = backfill(&config, &output, &["--from=3h", &storage]).await;
    assert_eq!(refused.code(), Some(1), "{refused:?}");
    assert!(refused.stderr.contains("is in use by another process"), "{refused:?}");
    assert!(refused.stderr.contains("hint: stop the exporter until the plan is printed"), "{refused:?}");
    exporter.stop().await;

    let now = format!("--to={}", time(begun / HOUR * HOUR + HOUR));
    let refused = backfill(&config, &output, &["--from=3h", &now, &storage]).await;
    assert_eq!(refused.code(), Some(2), "{refused:?}");
    assert!(Path::new(&output).metadata().is_err(), "nothing was begun");
    let asked_before = asked(&esa).len();
    let ended = backfill(&config, &output, &["--from=3h", &storage]).await;
    assert_eq!(ended.code(), Some(0), "{ended:?}");
    let windows = asked(&esa).split_off(asked_before);
    assert!(before < esa.requests().len() && !windows.is_empty());
    let ends: BTreeSet<u64> = windows.iter().map(|(_, _, (_, end))| *end).collect();
    assert_eq!(ends.last(), Some(&begun), "to the minute, where the exporter began");
    assert!(windows.iter().all(|(_, _, (start, end))| start % HOUR == 0 && (*end == begun || end % HOUR == 0)));
}

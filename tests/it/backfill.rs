//! The past as samples: equal to the vendor's report for each day, resumed without repeated requests, and never of what the
//! exporter has counted.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use asyncos_exporter::catalogue::{self, Counter, Group, ScopeKind};
use asyncos_exporter::sim::{self, Fault, FaultBody, On, RequestKind};

use crate::program::{DEFAULTS, Ended, Folder, HISTORY, Program, committed, simulate};
use crate::rig;

const DAY: u64 = 24 * 3600;
const HOUR: u64 = 3600;

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
    fn at(&self, series: &str, time: u64) -> f64 {
        let samples = self.0.get(series).unwrap_or_else(|| panic!("no series {series}"));
        samples.iter().take_while(|(at, _)| *at <= time as f64).last().map_or(0.0, |(_, value)| *value)
    }

    /// The times of the samples of a series, in milliseconds after `start`.
    fn times(&self, series: &str, start: u64) -> Vec<i64> {
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
fn files(directory: &str) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(directory).expect("a directory").map(|entry| entry.expect("an entry"));
    entries
        .map(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            (name, std::fs::read(entry.path()).expect("a file"))
        })
        .collect()
}

/// A configuration in which requests wait for nothing.
fn configuration(folder: &Folder, entries: &str) -> String {
    folder.write("config.yaml", format!("defaults: {{requests_per_minute: 6000}}\nappliances:\n{entries}"))
}

fn entry(name: &str, appliance: &sim::Appliance, rest: &str) -> String {
    rig::entry(name, appliance, rest)
}

async fn backfill(config: &str, output: &str, arguments: &[&str]) -> Ended {
    let (config, output) = (format!("--config.file={config}"), format!("--output={output}"));
    Program::run(&[&["backfill", &config, &output], arguments].concat()).await
}

/// The reports that an appliance was asked for, each with its scope and window.
fn asked(appliance: &sim::Appliance) -> Vec<(String, Option<String>, (u64, u64))> {
    let reports = appliance.requests().into_iter().filter_map(|request| match &request.kind {
        RequestKind::Report { group } => {
            let scope = request.attribute("device_group_name").or(request.attribute("device_name"));
            Some((group.clone(), scope.map(str::to_owned), request.window?))
        }
        RequestKind::Login | RequestKind::SecondFactor | RequestKind::Other => None,
    });
    reports.collect()
}

fn logins(appliance: &sim::Appliance) -> usize {
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
    let days = [midnight(4), midnight(3), midnight(2)];
    let (from, to) = (format!("--from={}", time(days[0])), format!("--to={}", time(days[2] + DAY)));
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
        for end in (days[0] + HOUR..=days[2] + DAY).step_by(3600) {
            let truth = esa.truth(&sim::Scope::Whole, "mail_system_capacity", &counter.name, end - HOUR, end);
            let truth = counter.unit.scale(truth.expect("known"));
            assert!((samples.at(&series, end) - truth).abs() < 1e-9, "{series} at {}", time(end));
        }
    }
    // Before the first window and after the last one, every total is 0.
    let totals =
        samples.0.iter().filter(|(series, _)| series.split('{').next().is_some_and(|name| name.ends_with("_total")));
    let end = (days[2] + DAY) as f64 + 0.001;
    assert!(totals.clone().count() > 100);
    for (series, all) in totals {
        assert_eq!((all[0].1, all[all.len() - 1]), (0.0, (end, 0.0)), "{series}");
    }
}

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
        (&["--from=4h", group][..], "it was begun with other values of --from, --to, --appliance or --group"),
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

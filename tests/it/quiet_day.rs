//! The log of the daemon over hours of a healthy fleet of ten, and of appliances with a trouble each beside it.

use std::time::Duration;

use asyncos_exporter::sim::{self, Fault, On};

use crate::captured_log::{CapturedLog, LogLine};
use crate::rig::{Rig, entry, lapse, simulate};

/// On a busy machine a higher rate makes appliances look slow, which is a line where rounds of requests do not fit into a
/// window: this one has seconds for each.
const RATE: u32 = 300;
/// Unless `QUIET_HOURS` says otherwise. Most lines are of the first of them.
const HOURS: u64 = 1;
const HEALTHY: usize = 10;
/// What the command logs beside the daemon: that it starts, listens, and keeps its state.
const OF_THE_COMMAND: usize = 3;
const DEFAULTS: &str =
    "defaults: {window: 30m, timeout: 5m, requests_per_minute: 6000}\ncounter_groups: minimal\nappliances:\n";

/// The most lines of one appliance in a day.
const TROUBLES: [(&str, usize); 5] =
    [("refused", 10), ("silent", 10), ("password", 10), ("feature", 10), ("flapping", 30)];

/// The lines about an appliance, for a person.
fn of<'a>(lines: &'a [LogLine], appliance: &str) -> Vec<&'a LogLine> {
    lines.iter().filter(|line| line.appliance == appliance).collect()
}

// On one thread, as that thread's log is captured.
#[tokio::test]
async fn a_healthy_day_is_twenty_lines_and_a_dead_appliance_ten_more() {
    let hours = std::env::var("QUIET_HOURS").ok().and_then(|hours| hours.parse().ok()).unwrap_or(HOURS);
    let log = CapturedLog::start();
    let clock = lapse(RATE);
    let (mut simulated, mut text) = (Vec::new(), DEFAULTS.to_owned());
    for number in 1..=HEALTHY {
        let name = format!("esa{number}");
        let esa = simulate(sim::Settings::esa(&name), &clock).await;
        text += &entry(&name, &esa, "inventory: true");
        simulated.push(esa);
    }
    for (name, _) in TROUBLES {
        let esa = simulate(sim::Settings::esa(name), &clock).await;
        match name {
            "silent" => esa.inject(Fault::Hang, On::every()),
            "password" => esa.set_passphrase("another"),
            "feature" => esa.change(|behaviour| {
                behaviour.absent_paths.extend(["health", "quarantine"].map(str::to_owned));
                behaviour.absent_groups.insert("mail_outgoing_traffic_summary".to_owned());
            }),
            _ => {}
        }
        text += &match name {
            // Nothing listens there.
            "refused" => format!("  - {{name: {name}, url: 'http://127.0.0.1:9', username: u, password: p}}\n"),
            "feature" => format!("  - {{name: {name}, url: '{}', username: monitor, password: ironport}}\n", esa.url()),
            "flapping" => entry(name, &esa, "health: true, polling: {window: 5m}"),
            _ => entry(name, &esa, "inventory: true"),
        };
        simulated.push(esa);
    }
    let rig = Rig::start(&text, &clock).await;
    let (end, flapping) = (clock.tick() + Duration::from_secs(hours * 3600), simulated.last().expect("the last"));
    while clock.tick() < end {
        clock.sleep(Duration::from_secs(4 * 60)).await;
        flapping.inject(Fault::CloseEarly, On::every());
        clock.sleep(Duration::from_secs(4 * 60)).await;
        flapping.clear_faults();
    }
    let lines = log.lines();
    rig.end().await;
    let shown: Vec<_> = lines.iter().map(|line| format!("{} {:8} {}", line.level, line.appliance, line.text)).collect();
    let of_trouble: Vec<_> = TROUBLES.map(|(name, most)| (name, of(&lines, name).len(), most)).into();
    let troubled: usize = of_trouble.iter().map(|(_, count, _)| count).sum();
    let without_appliance = TROUBLES.iter().flat_map(|_| &lines).filter(|line| line.appliance.is_empty()).count() / 5;
    let healthy = lines.len() - troubled + OF_THE_COMMAND;
    say(&format!(
        "{hours} healthy hours of {HEALTHY}: {healthy} lines ({without_appliance} of no appliance); more: {of_trouble:?}\n{}",
        shown.join("\n")
    ));
    assert!(healthy <= 20, "{healthy}: {shown:#?}");
    for (name, count, most) in of_trouble {
        assert!((1..=most).contains(&count), "{name}: {count}: {shown:#?}");
    }
}

/// A line past the capture of tests.
fn say(line: &str) {
    // A closed pipe is no failure of the test.
    let _ = std::io::Write::write_all(&mut std::io::stderr(), format!("{line}\n").as_bytes());
}

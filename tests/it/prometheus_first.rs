//! The first events of keys as a real Prometheus counts them: the sum of `increase` over a day is the truth.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

use asyncos_exporter::base::clock::{Clock, Timestamp};
use asyncos_exporter::sim::{self, On};

use crate::exposition::Page;
use crate::keyed::by_key;
use crate::program::Folder;
use crate::prometheus::Prometheus;
use crate::rig::{PATIENCE, Rig, entry, lapse, simulate};
use crate::values::report;

const GROUP: &str = "mail_policy_incoming";
const TOTAL: &str = "asyncos_mail_policy_incoming_recipients_matched_total";
const MINUTE: Duration = Duration::from_secs(60);
/// Keys that come one after the other.
const KEYS: usize = 200;

/// What scrapes found: by key the samples with their times.
#[derive(Default)]
struct Scrapes {
    by_key: BTreeMap<String, Vec<(Timestamp, f64)>>,
}

impl Scrapes {
    fn take(&mut self, page: &Page, at: Timestamp) {
        for (key, value) in by_key(page, TOTAL, &[("appliance", "esa1")], "policy") {
            self.by_key.entry(key).or_default().push((at, value));
        }
    }

    fn openmetrics(&self) -> String {
        let mut text = format!("# TYPE {} counter\n", TOTAL.trim_end_matches("_total"));
        for (key, samples) in &self.by_key {
            for (at, value) in samples {
                writeln!(text, "{TOTAL}{{policy={key:?}}} {value} {}", at.as_secs_f64()).expect("a String takes all");
            }
        }
        text + "# EOF\n"
    }
}

/// The minutes of the day at which keys appear, which look like chance.
fn appearances() -> Vec<u64> {
    let mut state = 7_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        60 + (state >> 33) % (21 * 60)
    };
    (0..KEYS).map(|_| next()).collect()
}

fn configuration(esa: &sim::Appliance, groups: &str) -> String {
    let appliance = entry("esa1", esa, "");
    format!("defaults: {{window: 5m, timeout: 5m}}\ncounter_groups: [{groups}]\nappliances:\n{appliance}")
}

/// A day as it goes on.
struct Course<'a> {
    esa: &'a sim::Appliance,
    clock: &'a Clock,
    began: Timestamp,
    appearances: Vec<u64>,
    scrapes: Scrapes,
}

impl Course<'_> {
    /// Scrapes every minute until this time of the day.
    async fn until(&mut self, rig: &Rig, time: Duration) {
        let end = self.began + time;
        let regularly = async {
            while self.clock.wall() < end {
                // As Prometheus does: a sample bears the time at which it was asked for.
                let at = self.clock.wall();
                let minute = at.since(self.began).as_secs() / 60;
                let there = self.appearances.iter().filter(|appears| **appears <= minute).count();
                self.esa.change(|behaviour| behaviour.extra_keys = there);
                self.scrapes.take(&rig.page().await, at);
                self.clock.sleep(MINUTE.saturating_sub(self.clock.wall().since(at))).await;
            }
        };
        tokio::time::timeout(2 * PATIENCE, regularly).await.expect("in time");
    }
}

impl Course<'_> {
    /// Scrapes every minute until the total of `key` is shown with `value`.
    async fn reach(&mut self, rig: &Rig, key: &str, value: f64) {
        let is_reached = |scrapes: &Scrapes| scrapes.by_key.get(key).and_then(|all| all.last()).map(|it| it.1);
        let regularly = async {
            while is_reached(&self.scrapes) != Some(value) {
                let next = self.clock.wall().since(self.began) + MINUTE;
                self.until(rig, next).await;
            }
        };
        tokio::time::timeout(PATIENCE, regularly).await.expect("in time");
    }

    /// Answers the next requests for the group with so many recipients of the policy VIP, one each, and then with none.
    fn answer(&self, counts: &[u64]) {
        self.esa.clear_faults();
        for count in counts {
            let rows = format!(r#"{{"recipients_matched": {{"DEFAULT": 5, "VIP": {count}}}}}"#);
            self.esa.inject(report(&rows), On::group(GROUP).times(1));
        }
        self.esa.inject(report(r#"{"recipients_matched": {"DEFAULT": 5}}"#), On::group(GROUP));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_appears_at_50_and_grows_to_70_increases_by_70_over_a_reload_and_a_restart() {
    let clock = lapse(900);
    let esa = simulate(sim::Settings::esa("esa1"), &clock).await;
    let (folder, storage) = (Folder::new(), tempfile::tempdir().expect("a folder"));
    let file = folder.write("c.yaml", configuration(&esa, "mail_system_capacity"));
    let rig = Rig::start_stored_held(file.as_ref(), storage.path(), &clock).await;
    let began = clock.wall();
    let mut course = Course { esa: &esa, clock: &clock, began, appearances: vec![], scrapes: Scrapes::default() };
    course.until(&rig, 5 * MINUTE).await;
    course.answer(&[50, 10]);
    folder.write("c.yaml", configuration(&esa, GROUP));
    rig.reload().await;
    course.reach(&rig, "VIP", 60.0).await;
    rig.end().await;
    course.answer(&[10]);
    let rig = Rig::start_stored_held(file.as_ref(), storage.path(), &clock).await;
    course.reach(&rig, "VIP", 70.0).await;
    rig.end().await;

    let samples = &course.scrapes.by_key["VIP"];
    assert_eq!(samples[0].1, 0.0);
    assert!(samples.is_sorted_by(|one, other| one.1 <= other.1), "{samples:?}");
    let end = samples[samples.len() - 1].0.as_secs() + 1;
    let prometheus = Prometheus::knowing(&course.scrapes.openmetrics()).await;
    let range = end - began.as_secs();
    let increase = prometheus.value(&format!("sum(increase({TOTAL}{{policy=\"VIP\"}}[{range}s]))"), end).await;
    // Prometheus extrapolates by at most half the time between two scrapes at either end.
    assert!((70.0..=70.0 * 1.1).contains(&increase), "{increase}: {samples:?}");
}

/// The group comes with a reload, and the exporter is restarted at noon: every key begins under the eyes of a scraper.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_increases_of_a_day_are_what_was_counted_from_the_first_event_on() {
    let clock = lapse(900);
    let esa = simulate(sim::Settings::esa("esa1"), &clock).await;
    let (folder, storage) = (Folder::new(), tempfile::tempdir().expect("a folder"));
    let file = folder.write("c.yaml", configuration(&esa, "mail_system_capacity"));
    let rig = Rig::start_stored_held(file.as_ref(), storage.path(), &clock).await;
    let (began, appearances) = (clock.wall(), appearances());
    let mut course = Course { esa: &esa, clock: &clock, began, appearances, scrapes: Scrapes::default() };
    course.until(&rig, 20 * MINUTE).await;
    folder.write("c.yaml", configuration(&esa, GROUP));
    rig.reload().await;
    course.until(&rig, 12 * 60 * MINUTE).await;
    rig.end().await;
    let rig = Rig::start_stored_held(file.as_ref(), storage.path(), &clock).await;
    course.until(&rig, 24 * 60 * MINUTE).await;
    rig.end().await;

    let scrapes = course.scrapes;
    // What the totals came to: that they are the simulator's truth is shown elsewhere, for keys that do not change.
    let counted: f64 = scrapes.by_key.values().filter_map(|samples| samples.last()).map(|(_, value)| value).sum();
    assert!(scrapes.by_key.len() > KEYS, "{} keys", scrapes.by_key.len());
    for (key, samples) in &scrapes.by_key {
        assert_eq!(samples[0].1, 0.0, "{key}");
        assert!(samples.is_sorted_by(|one, other| one.1 <= other.1), "{key}: {samples:?}");
    }
    let last = scrapes.by_key.values().filter_map(|samples| samples.last()).map(|(at, _)| at.as_secs()).max();
    let (end, range) = (last.expect("many") + 1, 25 * 3600);
    let prometheus = Prometheus::knowing(&scrapes.openmetrics()).await;
    let increase = prometheus.value(&format!("sum(increase({TOTAL}[{range}s]))"), end).await;
    assert!((increase / counted - 1.0).abs() < 0.01, "{increase} of {counted}");
    for (key, samples) in &scrapes.by_key {
        let counted = samples[samples.len() - 1].1;
        let increase = prometheus.value(&format!("sum(increase({TOTAL}{{policy={key:?}}}[{range}s]))"), end).await;
        assert!((increase - counted).abs() <= 0.01 * counted + 1e-9, "{key}: {increase} of {counted}");
    }
}

//! A counter that begins: a scraper that sees it first with its first events would never count them.

use std::collections::BTreeMap;
use std::time::Duration;

use asyncos_exporter::sim::{self, Fault, On, Scope};

use crate::exposition::Page;
use crate::keyed::by_key;
use crate::program::Folder;
use crate::rig::{PATIENCE, Rig, begun, entry, lapse, simulate};

const INCOMING: &str = "mail_incoming_traffic_summary";
const SPAM: &str = "asyncos_mail_incoming_traffic_summary_detected_spam_total";
const MATCHED: &str = "asyncos_mail_policy_incoming_recipients_matched_total";
const FAILURES: &str = "asyncos_api_request_failures_total";

/// The sums of some series from page to page.
#[derive(Default)]
struct Course(Vec<f64>);

impl Course {
    fn take(&mut self, page: &Page, name: &str, labels: &[(&str, &str)]) {
        let series = page.matching(name, labels);
        self.0.extend((!series.is_empty()).then(|| series.iter().map(|(_, value)| value).sum::<f64>()));
    }

    fn has_grown(&self) -> bool {
        self.0.last().is_some_and(|last| *last > 0.0)
    }

    fn assert_begins_at_zero(&self) {
        assert_eq!(self.0.first(), Some(&0.0), "{:?}", self.0);
    }
}

/// Shows `take` one page after the other until it has enough.
async fn pages(rig: &Rig, mut take: impl FnMut(&Page) -> bool) {
    let wait = async {
        while !take(&rig.page().await) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.expect("enough is seen");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_events_of_totals_and_of_failures_come_after_a_zero() {
    let clock = lapse(60);
    let esa = simulate(sim::Settings::esa("esa1"), &clock).await;
    let text = |groups: &str| {
        format!(
            "defaults: {{window: 1m, settle: 5s, timeout: 1s}}\ncounter_groups: [{groups}]\nappliances:\n{}",
            entry("esa1", &esa, "")
        )
    };
    let folder = Folder::new();
    let file = folder.write("c.yaml", text("mail_system_capacity"));
    let rig = Rig::start_held(file.as_ref(), &clock).await;
    pages(&rig, |page| page.windows_each("esa1") >= 4.0).await;
    folder.write("c.yaml", text(&format!("{INCOMING}, mail_policy_incoming")));
    rig.reload().await;
    let mut totals = [SPAM, MATCHED].map(|name| (name, Course::default()));
    pages(&rig, |page| {
        totals.iter_mut().for_each(|(name, course)| course.take(page, name, &[]));
        totals.iter().all(|(_, course)| course.has_grown())
    })
    .await;
    totals.iter().for_each(|(_, course)| course.assert_begins_at_zero());

    esa.inject(Fault::CloseEarly, On::reports());
    let mut failures = Course::default();
    pages(&rig, |page| {
        // All that there are, but for the zero that stands for what never happened.
        failures.take(page, FAILURES, &[("reason", "reset")]);
        failures.has_grown()
    })
    .await;
    failures.assert_begins_at_zero();
    esa.clear_faults();

    let labels = [("appliance", "esa1"), ("group", INCOMING)];
    pages(&rig, |page| {
        let end = page.value("asyncos_window_end_timestamp_seconds", &labels).expect("counted") as u64;
        let truth = esa.truth(&Scope::Whole, INCOMING, "detected_spam", begun(&esa, INCOMING), end);
        page.value(SPAM, &labels[..1]) == truth
    })
    .await;
    rig.end().await;
}

/// The policies on pages, each from its first value on.
#[derive(Default)]
struct Policies(BTreeMap<String, Vec<f64>>);

impl Policies {
    fn take(&mut self, page: &Page) {
        for (key, value) in by_key(page, MATCHED, &[("appliance", "esa1")], "policy") {
            self.0.entry(key).or_default().push(value);
        }
    }

    /// Those that `known` has not.
    fn beyond(&self, known: &Self) -> Vec<&Vec<f64>> {
        self.0.iter().filter(|(key, _)| !known.0.contains_key(*key)).map(|(_, values)| values).collect()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_that_had_just_begun_begin_again_at_zero_after_a_restart() {
    let clock = lapse(30);
    let esa = simulate(sim::Settings::esa("esa1"), &clock).await;
    let (folder, storage) = (Folder::new(), tempfile::tempdir().expect("a folder"));
    let text = format!(
        "defaults: {{window: 5m, settle: 5s, timeout: 10s}}\ncounter_groups: [mail_policy_incoming]\nappliances:\n{}",
        entry("esa1", &esa, "")
    );
    let file = folder.write("c.yaml", text);
    let rig = Rig::start_stored_held(file.as_ref(), storage.path(), &clock).await;
    let mut known = Policies::default();
    known.take(&rig.until("a window is counted", |page| page.windows_each("esa1") >= 2.0).await);
    esa.change(|behaviour| behaviour.extra_keys = 20);
    let mut before = Policies::default();
    pages(&rig, |page| {
        before.take(page);
        !before.beyond(&known).is_empty()
    })
    .await;
    assert!(before.beyond(&known).iter().all(|values| values.last() == Some(&0.0)), "{:?}", before.beyond(&known));
    rig.end().await;
    let rig = Rig::start_stored_held(file.as_ref(), storage.path(), &clock).await;
    let mut after = Policies::default();
    pages(&rig, |page| {
        after.take(page);
        after.beyond(&known).iter().filter(|values| values.last() > Some(&0.0)).count() >= 3
    })
    .await;
    rig.end().await;
    for values in after.beyond(&known) {
        assert_eq!(values.first(), Some(&0.0), "{values:?}");
        assert!(values.is_sorted(), "{values:?}");
    }
}

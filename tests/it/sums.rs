//! A plain sum over a family of counters is the truth, whatever kind of scope the family is about. The families are taken
//! from the page, so that a new one is compared too, and fails if nothing is known about it.

use std::collections::{BTreeMap, BTreeSet};

use asyncos_exporter::catalogue::{DeviceType, ScopeKind};
use asyncos_exporter::sim;

use crate::exposition::Page;
use crate::keyed::{self, kind, sum};
use crate::rig::{Rig, entry, lapse, simulate};

/// Beginnings of the names of counters that no report is behind. The simulator's truth is about reports; these are
/// compared with what they count in the tests that are named here.
const OF_NO_REPORT: [&str; 11] = [
    // The exporter's requests and logins: `it::bookkeeping`, `it::login`.
    "asyncos_api_request",
    "asyncos_login",
    // What it made of windows and counters: `it::polling`, `it::values`, `it::day`.
    "asyncos_counters_",
    "asyncos_late_events_",
    "asyncos_reconciliations_",
    "asyncos_series_dropped_",
    "asyncos_state_",
    "asyncos_windows_",
    // What an ESA counts since it was started: `it::status_metrics`.
    "asyncos_status_",
    // Messages that a search finds, whether or not a report counts them: `it::tracking`.
    "asyncos_tracking_",
    // The exporter's own process.
    "process_",
];

/// A scope that is polled: the labels of its series and the devices that it is about.
pub(crate) struct Place {
    pub(crate) labels: &'static [(&'static str, &'static str)],
    pub(crate) devices: &'static [&'static str],
}

impl Place {
    /// The value of the label `appliance`.
    pub(crate) fn appliance(&self) -> &'static str {
        self.labels[0].1
    }
}

/// A family of counters with the sums of a counter of a report.
#[derive(Debug)]
pub(crate) struct Family {
    pub(crate) name: String,
    pub(crate) kind: ScopeKind,
    pub(crate) group: String,
    counter: String,
}

impl Family {
    /// The family of this name; none if its help names no report.
    fn try_new(name: &str, help: &str) -> Option<Self> {
        let (_, source) = help.split_once("(API reporting/")?;
        let (group, counter) = source.strip_suffix(')')?.split_once(", counter ")?;
        let (kind, word) = if name.starts_with("asyncos_device_group_") {
            (ScopeKind::DeviceGroup, "device_group_")
        } else if name.starts_with("asyncos_device_") {
            (ScopeKind::Device, "device_")
        } else {
            (ScopeKind::Appliance, "")
        };
        assert!(name.starts_with(&format!("asyncos_{word}{group}_{counter}")), "{name}: {help}");
        Some(Self { name: name.to_owned(), kind, group: group.to_owned(), counter: counter.to_owned() })
    }

    /// What the simulator knows of these devices over `[begun, end)`: the sum over all keys where there are any.
    fn of(&self, devices: &[&str], begun: u64, end: u64) -> f64 {
        let Self { name, group, counter, .. } = self;
        if let Some(truth) = sim::truth(devices, group, counter, begun, end) {
            return truth;
        }
        let by_key = |begun| sim::keyed_truth(devices, group, counter, begun, end);
        let found = by_key(begun);
        let is_known = !found.is_empty() || !by_key(begun - 86_400).is_empty();
        assert!(is_known, "the simulator knows nothing about {name}: teach it, or say above why not");
        found.values().sum()
    }

    /// The sum over all places of its kind; `span` is what one of them has counted, if it is polled for the group.
    pub(crate) fn truth(&self, places: &[Place], mut span: impl FnMut(&Place) -> Option<(u64, u64)>) -> f64 {
        let (mut truth, mut seen) = (0.0, BTreeSet::new());
        for place in places.iter().filter(|place| kind(place.labels) == self.kind) {
            let Some((begun, end)) = span(place) else { continue };
            for device in place.devices {
                assert!(seen.insert(device), "{} counts the mail of {device} twice", self.name);
            }
            truth += self.of(place.devices, begun, end);
        }
        assert!(!seen.is_empty(), "nobody is polled for {}", self.name);
        truth
    }
}

/// The families of counters on `page` that reports are behind.
pub(crate) fn families(page: &Page) -> Vec<Family> {
    let counters = page.families().filter(|(_, kind, _)| *kind == "counter");
    let family = |(name, _, help)| {
        let family = Family::try_new(name, help);
        let is_known = family.is_some() || OF_NO_REPORT.iter().any(|beginning| name.starts_with(beginning));
        assert!(is_known, "{name} names no report in its help ({help}), and nothing is said about it above");
        family
    };
    counters.filter_map(family).collect()
}

/// Two ESAs, and an SMA with two device groups and four devices, that were polled for every report about mail.
pub(crate) struct Fleet {
    pub(crate) rig: Rig,
    /// What the page shows until the end of the next window, which is minutes away.
    pub(crate) page: Page,
    /// Where counting began, by appliance and group.
    begun: BTreeMap<(&'static str, String), u64>,
    _appliances: Vec<sim::Appliance>,
}

pub(crate) const PLACES: [Place; 9] = [
    Place { labels: &[("appliance", "esa1")], devices: &["esa1.example.com"] },
    Place { labels: &[("appliance", "esa2")], devices: &["esa2.example.com"] },
    Place {
        labels: &[("appliance", "sma1")],
        devices: &["esa3.example.com", "esa4.example.com", "esa5.example.com", "esa6.example.com"],
    },
    Place {
        labels: &[("appliance", "sma1"), ("device_group", "europe")],
        devices: &["esa3.example.com", "esa4.example.com"],
    },
    Place {
        labels: &[("appliance", "sma1"), ("device_group", "americas")],
        devices: &["esa5.example.com", "esa6.example.com"],
    },
    Place { labels: &[("appliance", "sma1"), ("device", "esa3.example.com")], devices: &["esa3.example.com"] },
    Place { labels: &[("appliance", "sma1"), ("device", "esa4.example.com")], devices: &["esa4.example.com"] },
    Place { labels: &[("appliance", "sma1"), ("device", "esa5.example.com")], devices: &["esa5.example.com"] },
    Place { labels: &[("appliance", "sma1"), ("device", "esa6.example.com")], devices: &["esa6.example.com"] },
];

impl Fleet {
    pub(crate) async fn start() -> Self {
        // Half an hour of history, and then peace for a quarter of an hour.
        let clock = lapse(1);
        let esa1 = simulate(sim::Settings::esa("esa1.example.com"), &clock).await;
        let esa2 = simulate(sim::Settings::esa("esa2.example.com"), &clock).await;
        let settings = sim::Settings::sma("sma1")
            .with_group("europe", &["esa3.example.com", "esa4.example.com"])
            .with_group("americas", &["esa5.example.com", "esa6.example.com"]);
        let sma1 = simulate(settings, &clock).await;
        let devices = PLACES[5..].iter().map(|place| place.labels[1].1).collect::<Vec<_>>().join(", ");
        let members =
            format!("product: sma, polling: {{settle: 20m}}, device_groups: [europe, americas], devices: [{devices}]");
        let text = format!(
            "defaults: {{window: 15m, settle: 5s, start: 30m, timeout: 60s, concurrency: 4, requests_per_minute: 6000}}\n\
             counter_groups: {}\nappliances:\n{}{}{}",
            keyed::list(DeviceType::Mail),
            entry("esa1", &esa1, ""),
            entry("esa2", &esa2, ""),
            entry("sma1", &sma1, &members)
        );
        let rig = Rig::start(&text, &clock).await;
        let page = rig.until("every report is there", keyed::all_had).await;
        let mut begun = BTreeMap::new();
        for (name, appliance) in [("esa1", &esa1), ("esa2", &esa2), ("sma1", &sma1)] {
            for request in appliance.requests().into_iter().filter(|request| request.status == 200) {
                if let (sim::RequestKind::Report { group, .. }, Some((start, _))) = (request.kind, request.window) {
                    let first = begun.entry((name, group)).or_insert(start);
                    *first = start.min(*first);
                }
            }
        }
        Self { rig, page, begun, _appliances: vec![esa1, esa2, sma1] }
    }

    /// What the page must show as the sum of a family.
    pub(crate) fn truth(&self, family: &Family) -> f64 {
        family.truth(&PLACES, |place| {
            let (_, end) = keyed::window(&self.page, place.labels, &family.group);
            Some((self.begun[&(place.appliance(), family.group.clone())], end))
        })
    }
}

/// Refuses a comparison of too little: each kind of scope has the same families, and most of them have counted something.
pub(crate) fn assert_worth(families: &[Family], nonzero: usize) {
    let of_kind = |kind| families.iter().filter(|family| family.kind == kind).count();
    let counts = ScopeKind::ALL.map(of_kind);
    assert!(counts[0] > 150 && counts == [counts[0]; 3], "{counts:?}");
    assert!(nonzero > families.len() / 2, "only {nonzero} of {} sums are not 0", families.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sum_of_every_family_is_the_truth() {
    let fleet = Fleet::start().await;
    let families = families(&fleet.page);
    let mut nonzero = 0;
    for family in &families {
        let (shown, truth) = (sum(&fleet.page, &family.name, &[]), fleet.truth(family));
        assert_eq!(shown, truth, "{}", family.name);
        nonzero += usize::from(truth != 0.0);
    }
    assert_worth(&families, nonzero);
    fleet.rig.end().await;
}

#[test]
#[should_panic(expected = "asyncos_new_total names no report in its help")]
fn a_counter_that_nothing_is_known_about_is_refused() {
    let page = "# HELP asyncos_new_total New\n# TYPE asyncos_new_total counter\nasyncos_new_total 1\n";
    families(&Page::parse(page).expect("a page"));
}

#[test]
#[should_panic(expected = "the simulator knows nothing about asyncos_mail_new_a_total")]
fn a_report_that_the_simulator_does_not_know_is_refused() {
    let page = "# HELP asyncos_mail_new_a_total A: messages, sum of complete windows (API reporting/mail_new, counter a)\n\
                # TYPE asyncos_mail_new_a_total counter\nasyncos_mail_new_a_total{appliance=\"esa1\"} 1\n";
    let families = families(&Page::parse(page).expect("a page"));
    families[0].truth(&PLACES, |_| Some((1_795_435_200, 1_795_435_260)));
}

//! Every group of the catalogue from simulated appliances: names, labels, kinds and help as the catalogue says, numbers
//! as the simulator knows them.

use std::collections::{BTreeMap, BTreeSet};

use asyncos_exporter::catalogue::{self, Aggregation, DeviceType, Group, Keys, ScopeKind};
use asyncos_exporter::sim::{self, Scope};

use crate::exposition::Page;
use crate::rig::{self, Rig, entry, lapse, simulate};

/// Less than any pool of keys has, so that something is left out.
const TOP: usize = 4;
const LAST_WINDOW: &str = "_last_window";

/// The values of `name` by key, of series that have `labels` and at most the label of the key beside them. An empty key
/// is no label.
pub(crate) fn by_key(page: &Page, name: &str, labels: &[(&str, &str)], key: &str) -> BTreeMap<String, f64> {
    let found = page.matching(name, labels).into_iter();
    let ours = found.filter(|(have, _)| have.len() - usize::from(have.contains_key(key)) == labels.len());
    ours.map(|(have, value)| (have.get(key).cloned().unwrap_or_default(), value)).collect()
}

/// Refuses maps that differ in more than the last digits.
pub(crate) fn assert_same(shown: &BTreeMap<String, f64>, truth: &BTreeMap<String, f64>, what: &str) {
    let is_same = shown.len() == truth.len()
        && shown.iter().zip(truth).all(|((key, one), (other, two))| key == other && (one - two).abs() < 1e-9);
    assert!(is_same, "{what}\n shown {shown:?}\n truth {truth:?}");
}

/// The sum of all series of `name` with at least these labels.
pub(crate) fn sum(page: &Page, name: &str, labels: &[(&str, &str)]) -> f64 {
    page.matching(name, labels).iter().map(|(_, value)| value).sum()
}

/// The window that the gauges of `group` are of, in seconds since 1970.
pub(crate) fn window(page: &Page, labels: &[(&str, &str)], group: &str) -> (u64, u64) {
    let labels = [labels, &[("group", group)]].concat();
    let value = |name: &str| page.value(name, &labels).unwrap_or_else(|| panic!("{name} {labels:?}"));
    let end = value("asyncos_window_end_timestamp_seconds");
    let length = page.usual("asyncos_window_seconds", &labels).expect("beside its end");
    ((end - length) as u64, end as u64)
}

/// What decides the names of values that have these labels.
pub(crate) fn kind(labels: &[(&str, &str)]) -> ScopeKind {
    let has = |wanted| labels.iter().any(|(name, _)| *name == wanted);
    match (has("device_group"), has("device")) {
        (true, _) => ScopeKind::DeviceGroup,
        (_, true) => ScopeKind::Device,
        _ => ScopeKind::Appliance,
    }
}

/// One scope of one appliance, as the simulator and as the page call it.
pub(crate) struct Place<'a> {
    pub(crate) appliance: &'a sim::Appliance,
    pub(crate) labels: &'a [(&'a str, &'a str)],
    pub(crate) scope: Scope,
    /// Where counting began, in seconds since 1970.
    pub(crate) begun: u64,
}

impl Place<'_> {
    /// Compares every gauge and total of `group`, of which `top` rows were asked for, with the truth; returns how many
    /// series there are.
    pub(crate) fn assert_true(&self, page: &Page, group: &Group, top: Option<usize>) -> usize {
        match &group.key {
            None => self.assert_scalars(page, group),
            Some(key) => self.assert_rows(page, group, &key.label, top),
        }
    }

    fn assert_scalars(&self, page: &Page, group: &Group) -> usize {
        let (start, end) = window(page, self.labels, &group.name);
        let truth = |counter: &str, start| self.appliance.truth(&self.scope, &group.name, counter, start, end);
        let mut compared = 0;
        for counter in group.counters.iter().filter(|counter| counter.is_numeric()) {
            let name = counter.gauge_name(group, kind(self.labels));
            let shown = page.value(&name, self.labels).unwrap_or_else(|| panic!("{name} {:?}", self.labels));
            let really = counter.unit.scale(truth(&counter.name, start).expect("known to the simulator"));
            assert!((shown - really).abs() < 1e-9, "{name} {:?}: {shown} is not {really}", self.labels);
            compared += 1;
            let Some(total) = counter.total_name(group, kind(self.labels)) else { continue };
            assert_eq!(page.value(&total, self.labels), truth(&counter.name, self.begun), "{total} {:?}", self.labels);
            compared += 1;
        }
        compared
    }

    fn assert_rows(&self, page: &Page, group: &Group, key: &str, top: Option<usize>) -> usize {
        let (start, end) = window(page, self.labels, &group.name);
        let truth = |counter: &str, start| self.appliance.keyed_truth(&self.scope, &group.name, counter, start, end);
        let numeric = || group.counters.iter().filter(|counter| counter.is_numeric());
        let gauges =
            || numeric().map(|counter| by_key(page, &counter.gauge_name(group, kind(self.labels)), self.labels, key));
        let keys: BTreeSet<String> = gauges().flat_map(BTreeMap::into_keys).collect();
        assert!(top.is_none_or(|top| keys.len() <= top), "{keys:?}");
        let mut compared = 0;
        for (counter, shown) in numeric().zip(gauges()) {
            let name = counter.gauge_name(group, kind(self.labels));
            let mut really = truth(&counter.name, start);
            really.values_mut().for_each(|value| *value = counter.unit.scale(*value));
            if let (Some(top), Aggregation::Sum) = (top, counter.aggregation) {
                assert_eq!(shown.len(), really.len().min(top), "{name} {:?}", self.labels);
            }
            really.retain(|key, _| top.is_none() || keys.contains(key));
            assert_same(&shown, &really, &format!("{name} {:?} of [{start}, {end})", self.labels));
            compared += shown.len();
            let is_complete = top.is_none() && group.key.as_ref().is_some_and(|key| key.keys == Keys::Bounded);
            let total = counter.total_name(group, kind(self.labels)).unwrap_or_else(|| format!("{name}_total"));
            let counted = by_key(page, &total, self.labels, key);
            if is_complete && counter.total_name(group, kind(self.labels)).is_some() {
                let what = format!("{total} {:?} over [{}, {end})", self.labels, self.begun);
                assert_same(&counted, &truth(&counter.name, self.begun), &what);
            } else {
                assert!(counted.is_empty(), "{total} is of a part only");
            }
            compared += counted.len();
        }
        compared
    }
}

/// An element of `counter_groups` that asks for a part of what may be too much.
pub(crate) fn choice(group: &Group) -> String {
    match is_cut(group) {
        Some(top) => format!("{{name: {}, top: {top}}}", group.name),
        None => group.name.to_string(),
    }
}

fn is_cut(group: &Group) -> Option<usize> {
    group.key.as_ref().filter(|key| key.keys != Keys::Bounded).map(|_| TOP)
}

pub(crate) fn groups(about: DeviceType) -> impl Iterator<Item = &'static Group> {
    catalogue::groups().filter(move |group| group.about == about)
}

/// A value of `counter_groups` with every group about this.
pub(crate) fn list(about: DeviceType) -> String {
    format!("[{}]", groups(about).map(choice).collect::<Vec<_>>().join(", "))
}

/// Whether every report was had and no window is left.
pub(crate) fn all_had(page: &Page) -> bool {
    page.every("asyncos_group_success", &[], |success| success == 1.0)
        && page.every("asyncos_windows_pending", &[], |pending| pending == 0.0)
}

/// Every family named after a report, compared with the catalogue: kind and help.
fn assert_families(page: &Page) {
    let mut known: BTreeMap<String, (&str, String)> = BTreeMap::new();
    for group in catalogue::groups() {
        for counter in group.counters.iter().filter(|counter| counter.is_numeric()) {
            for scope in ScopeKind::ALL {
                known.insert(counter.gauge_name(group, scope), ("gauge", counter.gauge_help(group, scope)));
                let total = counter.total_name(group, scope);
                known.extend(total.map(|name| (name, ("counter", counter.total_help(group, scope)))));
            }
        }
    }
    let reports = |name: &str| name.starts_with("asyncos_mail_") || name.starts_with("asyncos_reporting_system_");
    let shown: Vec<_> = page.families().filter(|(name, ..)| reports(name)).collect();
    for (name, kind, help) in &shown {
        assert_eq!(known.get(*name), Some(&(*kind, (*help).to_owned())), "{name}");
    }
    assert!(shown.len() > 400, "{}", shown.len());
}

/// The counters of reports about the web are not published, so they come as gauges under the names the appliance gives.
fn assert_web(page: &Page, place: &Place<'_>) {
    let mut compared = 0;
    for (name, kind, help) in page.families() {
        let Some(stem) = name.strip_prefix("asyncos_").and_then(|name| name.strip_suffix(LAST_WINDOW)) else {
            continue;
        };
        let named = groups(DeviceType::Web).filter(|group| stem.starts_with(&format!("{}_", group.name)));
        let Some(group) = named.max_by_key(|group| group.name.len()) else { continue };
        let counter = &stem[group.name.len() + 1..];
        let (start, end) = window(page, place.labels, &group.name);
        assert_eq!(kind, "gauge");
        assert!(help.contains(&format!("(API reporting/{}, counter {counter})", group.name)), "{name}: {help}");
        let shown = by_key(page, name, place.labels, group.key_label());
        let mut truth = match group.key {
            Some(_) => place.appliance.keyed_truth(&place.scope, &group.name, counter, start, end),
            None => {
                let truth = place.appliance.truth(&place.scope, &group.name, counter, start, end);
                truth.into_iter().map(|truth| (String::new(), truth)).collect()
            }
        };
        truth.retain(|key, _| shown.contains_key(key) || is_cut(group).is_none());
        assert_same(&shown, &truth, &format!("{name} {:?}", place.labels));
        compared += shown.len();
    }
    assert!(compared > 200, "{compared}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_group_of_the_catalogue_is_the_appliances_own() {
    // An hour of history, and then peace for a quarter of an hour.
    let clock = lapse(1);
    let esa = simulate(sim::Settings::esa("esa1.example.com"), &clock).await;
    let europe = ["esa1.example.com", "esa2.example.com"];
    let sma = simulate(sim::Settings::sma("sma1").with_group("europe", &europe), &clock).await;
    let web = simulate(sim::Settings::sma("web1").with_web_group("proxies", &["wsa1", "wsa2"]), &clock).await;
    let manager = "product: sma, polling: {settle: 20m}";
    let text = format!(
        "defaults: {{window: 15m, settle: 5s, start: 1h, timeout: 60s, concurrency: 4}}\ncounter_groups: {}\n\
         appliances:\n{}{}{}",
        list(DeviceType::Mail),
        entry("esa1", &esa, ""),
        entry("sma1", &sma, &format!("{manager}, device_groups: [europe]")),
        entry("web1", &web, &format!("{manager}, counter_groups: {}", list(DeviceType::Web)))
    );
    let rig = Rig::start(&text, &clock).await;
    let page = rig.until("every report is had", all_had).await;
    let noon = rig::BEGINNING - 30;
    let of_managers = noon - 30 * 60 - 3600;
    let mail = [
        Place { appliance: &esa, labels: &[("appliance", "esa1")], scope: Scope::Whole, begun: noon - 3600 },
        Place { appliance: &sma, labels: &[("appliance", "sma1")], scope: Scope::Whole, begun: of_managers },
        Place {
            appliance: &sma,
            labels: &[("appliance", "sma1"), ("device_group", "europe")],
            scope: Scope::Group("europe".into()),
            begun: of_managers,
        },
    ];
    for place in &mail {
        let compared: usize =
            groups(DeviceType::Mail).map(|group| place.assert_true(&page, group, is_cut(group))).sum();
        assert!(compared > 1000, "{compared}");
    }
    assert_families(&page);
    let labels = &[("appliance", "web1")];
    assert_web(&page, &Place { appliance: &web, labels, scope: Scope::Whole, begun: of_managers });
    for what in [
        "counters_missing",
        "counters_unknown",
        "counters_unusable",
        "windows_lost",
        "series_dropped",
        "api_request_failures",
    ] {
        let count = sum(&page, &format!("asyncos_{what}_total"), &[]);
        assert_eq!(count, 0.0, "{what}");
    }
    rig.end().await;
}

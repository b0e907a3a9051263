//! A day of appliances that accept whole hours only, polled every five minutes: outage, revoked tokens, kills and late
//! data. The totals are exact, and minutes old.

use std::collections::{BTreeMap, BTreeSet};

use asyncos_exporter::base::clock::Clock;
use asyncos_exporter::catalogue::{self, ScopeKind};
use asyncos_exporter::sim::{self, Fault, FaultBody, On, Scope};

use crate::exposition::Page;
use crate::rig::{BEGINNING, Rig, entry, lapse, simulate};

const GROUPS: [&str; 3] = ["mail_incoming_traffic_summary", "mail_outgoing_traffic_summary", "mail_system_capacity"];
const RECIPIENTS: &str = "asyncos_mail_incoming_traffic_summary_total_recipients_total";
/// An hour of the time lapse takes two seconds.
const RATE: u32 = 1800;
const HOUR: u64 = 3600;
/// The length of the spool files in which an SMA gets its data.
const BATCH: u64 = 15 * 60;
const DAY_ENDS: u64 = BEGINNING + 24 * HOUR;
/// The outage, and the time until what was missed is counted, in hours since the beginning.
const OUTAGE: (u64, u64, u64) = (3, 6, 7);
/// While batches arrive after their hour was closed, and until what was late is found, in hours since the beginning.
const LATE: (u64, u64, u64) = (13, 15, 18);

fn at(hours: u64) -> u64 {
    BEGINNING + hours * HOUR
}

fn hour_only(mut settings: sim::Settings) -> sim::Settings {
    settings.behaviour.hour_only = Some(sim::HOUR_ONLY_MESSAGES[0].into());
    settings
}

/// The true totals of one counter group from a minute on, minute by minute, by the name of the total.
struct Course {
    since: u64,
    totals: BTreeMap<String, Vec<f64>>,
}

impl Course {
    fn of(appliance: &sim::Appliance, group: &str, since: u64) -> Self {
        let group = catalogue::group(group).expect("in the catalogue");
        let minutes = (DAY_ENDS + 12 * HOUR - since) / 60;
        let mut totals = BTreeMap::new();
        for counter in &*group.counters {
            let Some(total) = counter.total_name(group, ScopeKind::Appliance) else { continue };
            let of_minute = |minute: u64| {
                let start = since + minute * 60;
                appliance.truth(&Scope::Whole, &group.name, &counter.name, start, start + 60).expect("known")
            };
            let mut sums = vec![0.0];
            sums.extend((0..minutes).map(of_minute).scan(0.0, |sum, count| {
                *sum += count;
                Some(*sum)
            }));
            totals.insert(total, sums);
        }
        assert!(!totals.is_empty());
        Self { since, totals }
    }

    /// The minute up to which every total of `appliance` on `page` is the appliance's own report; none where some of them
    /// are of no such minute.
    fn exact(&self, page: &Page, appliance: &str) -> Option<u64> {
        let shown: Vec<_> = self
            .totals
            .iter()
            .map(|(name, sums)| (page.value(name, &[("appliance", appliance)]).expect("published"), sums))
            .collect();
        let minutes = shown[0].1.len();
        let found = (0..minutes).rev().find(|minute| shown.iter().all(|(total, sums)| sums[*minute] == *total));
        found.map(|minute| self.since + minute as u64 * 60)
    }

    /// The last minute whose events `total` of this name can contain.
    fn reached(&self, name: &str, total: f64) -> u64 {
        self.since + (self.totals[name].partition_point(|sum| *sum <= total) as u64 - 1) * 60
    }
}

/// How long the appliance had shown events that were in no total yet, in minutes.
struct Ages(Vec<u64>);

impl Ages {
    /// The ages of the totals of a time at which `counts`, where the appliance has new events every `step` seconds.
    fn of(samples: &[(u64, f64)], course: &Course, step: u64, counts: impl Fn(u64) -> bool) -> Self {
        let samples = samples.iter().filter(|(time, _)| counts(*time));
        let shown_since = |total: f64| course.reached(RECIPIENTS, total) / step * step + step;
        let mut ages: Vec<_> = samples.map(|(time, total)| time.saturating_sub(shown_since(*total)) / 60).collect();
        ages.sort_unstable();
        assert!(ages.len() > 100, "{} pages", ages.len());
        Self(ages)
    }

    fn median(&self) -> u64 {
        self.0[self.0.len() / 2]
    }

    fn worst(&self) -> u64 {
        self.0[self.0.len() - 1]
    }
}

/// The appliances and what they are configured as.
struct Fleet {
    clock: Clock,
    esa: sim::Appliance,
    sma: sim::Appliance,
    declining: sim::Appliance,
}

/// The name in the configuration, and whether the running hour is requested.
const ENTRIES: [(&str, bool); 4] = [("esa", true), ("sma", true), ("closed", false), ("declining", false)];

impl Fleet {
    async fn start() -> Self {
        let clock = lapse(RATE);
        let esa = simulate(hour_only(sim::Settings::esa("esa1")), &clock).await;
        let sma = sim::Settings::sma("sma1").with_group("all", &["esa1", "esa2"]);
        let sma = simulate(hour_only(sma), &clock).await;
        let mut settings = hour_only(sim::Settings::esa("esa3"));
        settings.behaviour.declines_future = Some("endDate is in the future.".into());
        let declining = simulate(settings, &clock).await;
        Self { clock, esa, sma, declining }
    }

    fn config(&self) -> String {
        format!(
            "defaults: {{window: 5m, timeout: 60s, requests_per_minute: 6000}}\ncounter_groups: minimal\nappliances:\n\
             {}{}{}{}",
            entry("esa", &self.esa, ""),
            entry("sma", &self.sma, "product: sma"),
            // The same appliance, as it was counted before.
            entry("closed", &self.esa, "polling: {running_hour: false}"),
            entry("declining", &self.declining, "")
        )
    }

    fn appliance(&self, name: &str) -> &sim::Appliance {
        match name {
            "sma" => &self.sma,
            "declining" => &self.declining,
            _ => &self.esa,
        }
    }

    /// Changes what the appliances do when so many hours are over.
    fn change(&self, hour: u64) {
        let all = [&self.esa, &self.sma, &self.declining];
        let lag = |minutes: u64| {
            self.sma.change(|behaviour| behaviour.lag = std::time::Duration::from_secs(minutes * 60));
        };
        match hour {
            hour if hour == OUTAGE.0 => {
                let outage = Fault::Status { code: 503, body: FaultBody::Html, retry_after: None };
                all.iter().for_each(|appliance| appliance.inject(outage.clone(), On::every()));
            }
            hour if hour == OUTAGE.1 => all.iter().for_each(|appliance| appliance.clear_faults()),
            8 | 12 | 19 => all.iter().for_each(|appliance| appliance.revoke_tokens()),
            hour if hour == LATE.0 => lag(50),
            hour if hour == LATE.1 => lag(0),
            _ => {}
        }
    }

    /// When the totals of `name` began.
    async fn since(rig: &Rig, name: &str, group: &str) -> u64 {
        let group = catalogue::group(group).expect("in the catalogue");
        let total = group.counters.iter().find_map(|counter| counter.total_name(group, ScopeKind::Appliance));
        let path = format!("/api/v1/explain?metric={}&appliance={name}&job=x", total.expect("a counter"));
        let text = rig.get(&path).await.text().await.expect("a text");
        let found: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        let since = found["total"]["since"].as_str().unwrap_or_else(|| panic!("{text}"));
        let since = humantime::parse_rfc3339(since).expect("an instant");
        since.duration_since(std::time::SystemTime::UNIX_EPOCH).expect("after 1970").as_secs()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_day_of_hours_with_its_troubles_is_counted_exactly_and_minutes_old() {
    let (fleet, folder) = (Fleet::start().await, tempfile::tempdir().expect("a folder"));
    let text = fleet.config();
    let mut rig = Rig::start_stored(&text, folder.path(), &fleet.clock).await;
    let mut samples: BTreeMap<&str, Vec<(u64, f64)>> = BTreeMap::new();
    let mut hour = 0;
    loop {
        let time = fleet.clock.wall().as_secs();
        if time >= DAY_ENDS {
            break;
        }
        if time >= at(hour + 1) {
            hour += 1;
            fleet.change(hour);
            if hour == 10 || hour == 20 {
                rig.kill(folder.path()).await;
                rig = Rig::start_stored(&text, folder.path(), &fleet.clock).await;
            }
        }
        let page = rig.page().await;
        for (name, runs) in ENTRIES {
            // An appliance that declines is asked again when a day is over.
            let running = page.matching("asyncos_running_hour", &[("appliance", name)]);
            let expected = f64::from(u8::from(runs));
            assert!(hour < 2 || running.iter().all(|(_, running)| *running == expected), "{name}");
            // A page of the first moment has nothing yet.
            if let Some(total) = page.value(RECIPIENTS, &[("appliance", name)]).filter(|total| *total > 0.0) {
                samples.entry(name).or_default().push((time, total));
            }
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let mut courses = BTreeMap::new();
    for (name, _) in ENTRIES {
        for group in GROUPS {
            let since = Fleet::since(&rig, name, group).await;
            courses.insert((name, group), Course::of(fleet.appliance(name), group, since));
        }
    }
    // What was late is found within hours.
    let page = rig
        .until("the totals are the reports'", |page| {
            courses.iter().all(|((name, _), course)| course.exact(page, name).is_some_and(|end| end >= DAY_ENDS - 1800))
        })
        .await;
    assert!(page.every("asyncos_windows_lost_total", &[], |lost| lost == 0.0));
    rig.end().await;
    assert_declined_once_a_day(&fleet.declining);
    let in_hours = |time: u64, (from, _, to): (u64, u64, u64)| (at(from)..at(to)).contains(&time);
    let ages = |name: &str, step, counts: &dyn Fn(u64) -> bool| {
        Ages::of(&samples[name], &courses[&(name, GROUPS[0])], step, counts)
    };
    // The first hour is of history.
    let is_up = |time| time >= at(1) && !in_hours(time, OUTAGE);
    let (esa, closed, declining) = (ages("esa", 60, &is_up), ages("closed", 60, &is_up), ages("declining", 60, &is_up));
    let sma = ages("sma", BATCH, &|time| is_up(time) && !in_hours(time, LATE));
    let all = [&esa, &sma, &closed, &declining].map(|ages| (ages.median(), ages.worst()));
    // The worst of a busy machine says nothing.
    assert!(esa.median() <= 10 && sma.median() <= 10, "minutes, median and worst: {all:?}");
    assert!(closed.median() > 2 * esa.median() && declining.median() > 2 * esa.median(), "{all:?}");
}

/// Reports whose end was in the future were requested when the appliance was found, and a day later at the earliest.
fn assert_declined_once_a_day(appliance: &sim::Appliance) {
    let mut days = BTreeSet::new();
    let mut asked = 0;
    for request in appliance.requests() {
        let time = request.at.duration_since(std::time::SystemTime::UNIX_EPOCH).expect("after 1970").as_secs();
        if request.window.is_some_and(|(_, end)| end > time) {
            (asked, _) = (asked + 1, days.insert((time - BEGINNING) / (24 * HOUR)));
        }
    }
    // Each time twice: one refusal alone may be a fault.
    assert!(asked > 0 && asked <= 2 * days.len(), "{asked} requests on {days:?}");
}

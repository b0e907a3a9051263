//! A fleet of any size as it is on the store: what benchmarks print and serve.

use std::sync::Arc;
use std::time::Duration;

use asyncos_exporter::base::clock::{Clock, Tick, Timestamp};
use asyncos_exporter::catalogue::{self, Group};
use asyncos_exporter::config::Scope;
use asyncos_exporter::sample::{Families, Family, Sample};
use asyncos_exporter::snapshot::{GroupView, Pending, Reading, Snapshot, SnapshotStore, Tally};

/// Longer than any benchmark.
const LASTING: Duration = Duration::from_secs(365 * 24 * 3600);
/// Counter groups of each scope, as many as the usual profile has without its lists.
const GROUPS: usize = 8;
/// Additive counters of each group: about what the largest groups have.
const COUNTERS: usize = 24;
/// An appliance and one device group.
const SCOPES: usize = 2;
/// Series of one appliance: a gauge and a total a counter, two lines about the group in its scope, nine about the appliance.
pub(crate) const SERIES: usize = SCOPES * GROUPS * (2 * COUNTERS + 2) + 9;

/// Numbers that look like chance and are the same each time.
#[derive(Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

/// What is counted at once.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Windows {
    /// One window, as each commit does.
    OfOneGroup,
    /// Everything of an appliance.
    OfAllGroups,
}

/// The snapshots of a fleet.
#[derive(Debug)]
pub(crate) struct Shape {
    pub(crate) store: Arc<SnapshotStore>,
    pub(crate) snapshots: Vec<Snapshot>,
    families: Families,
    dice: Dice,
    now: Tick,
}

impl Shape {
    /// So many appliances, all on the store.
    pub(crate) fn new(appliances: usize, clock: &Clock) -> Self {
        let groups: Vec<&Group> = catalogue::groups().filter(|group| group.key.is_none()).take(GROUPS).collect();
        assert_eq!(groups.len(), GROUPS);
        let mut shape = Self {
            store: Arc::default(),
            snapshots: vec![],
            families: Families::default(),
            dice: Dice::new(1),
            now: clock.tick(),
        };
        for number in 0..appliances {
            let snapshot = shape.snapshot(number, &groups);
            shape.store.publish(snapshot.clone());
            shape.snapshots.push(snapshot);
        }
        shape
    }

    fn snapshot(&mut self, number: usize, groups: &[&Group]) -> Snapshot {
        let scopes = [Scope::Appliance, Scope::DeviceGroup("Hosted_Cluster".into())];
        let scopes = scopes.iter().flat_map(|scope| groups.iter().map(move |group| (scope, group)));
        let mut views = Vec::new();
        for (scope, group) in scopes {
            views.push(Arc::new(self.view(scope.clone(), group)));
        }
        Snapshot {
            appliance: format!("esa{number:04}.example.com").into(),
            up_until: Some(Tick::default() + LASTING),
            round: None,
            clock_skew_seconds: None,
            clock: None,
            centralized: None,
            product: "sma",
            identity: None,
            minimum_release: None,
            groups: views,
            aspects: vec![],
            trouble: None,
        }
    }

    fn view(&mut self, scope: Scope, group: &Group) -> GroupView {
        let names = group.counters.iter().map(|counter| counter.name.to_string());
        let names = names.chain((0..).map(|number| format!("further_counter_{number}"))).take(COUNTERS);
        let (mut gauges, mut totals) = (Vec::new(), Vec::new());
        for counter in names {
            let help = format!("Messages, {counter} of /api/v2.0/reporting/{}; sum of complete windows", group.name);
            let sample = |families: &Families, ending: &str, value: u64| {
                let name = format!("asyncos_{}_{counter}_{ending}", group.name);
                Sample {
                    family: families.shared(Family { name, help: help.clone(), counter: None }),
                    labels: vec![],
                    value: value as f64,
                }
            };
            let (count, total) = (self.count(10_000), self.count(100_000_000));
            gauges.push(sample(&self.families, "last_window", count));
            totals.push(sample(&self.families, "total", total));
        }
        GroupView {
            scope,
            group: (*group.name).into(),
            success_until: Some(Tick::default() + LASTING),
            asked_again: None,
            last_success: Some(Timestamp::from_secs(1_795_392_000)),
            refusal: None,
            window: Duration::from_secs(60),
            settle: Duration::from_secs(120),
            pending: Pending::default(),
            window_end: Some(Timestamp::from_secs(1_795_392_000)),
            running_hour: None,
            tally: Tally::default(),
            trouble: None,
            since: None,
            origin: None,
            difference: Some(0),
            reading: Some(Arc::new(Reading { samples: gauges, raw_values: vec![], expires: self.far() })),
            totals: Arc::new(totals),
            beginnings: Arc::default(),
            created: Arc::default(),
        }
    }

    /// A third of all counters count nothing, as with a real appliance.
    fn count(&mut self, most: u64) -> u64 {
        if self.dice.roll(3) == 0 { 0 } else { self.dice.roll(most) }
    }

    fn far(&self) -> Tick {
        self.now + Duration::from_secs(24 * 3600)
    }

    /// Puts the next windows of `appliance` on the store.
    pub(crate) fn commit(&mut self, appliance: usize, windows: Windows) {
        let last = GROUPS * SCOPES - 1;
        match windows {
            Windows::OfOneGroup => {
                let group = usize::try_from(self.dice.roll(last as u64 + 1)).expect("few");
                self.change(appliance, group..=group);
            }
            Windows::OfAllGroups => self.change(appliance, 0..=last),
        }
    }

    fn change(&mut self, appliance: usize, groups: std::ops::RangeInclusive<usize>) {
        for group in groups {
            let view = &self.snapshots[appliance].groups[group];
            let (mut gauges, mut totals) = (vec![], vec![]);
            let reading = view.reading.as_ref().expect("a window");
            for (gauge, total) in reading.samples.iter().zip(&*view.totals) {
                let count = if self.dice.roll(3) == 0 { 0 } else { self.dice.roll(10_000) };
                gauges.push(Sample { value: count as f64, ..gauge.clone() });
                totals.push(Sample { value: total.value + count as f64, ..total.clone() });
            }
            let mut tally = view.tally;
            tally.committed += 1;
            let later = |at: Option<Timestamp>| at.map(|at| at + Duration::from_secs(60));
            let view = GroupView {
                tally,
                window_end: later(view.window_end),
                last_success: later(view.last_success),
                reading: Some(Arc::new(Reading { samples: gauges, raw_values: vec![], expires: self.far() })),
                totals: Arc::new(totals),
                beginnings: Arc::default(),
                created: Arc::default(),
                ..GroupView::clone(view)
            };
            self.snapshots[appliance].groups[group] = Arc::new(view);
        }
        self.store.publish(self.snapshots[appliance].clone());
    }
}

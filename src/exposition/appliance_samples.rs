//! From a snapshot to the lines that it is worth. Knows nothing of formats.

use std::sync::Arc;
use std::time::Duration;

use super::family::Family;
use super::line::{ExtraLabels, Labels};
use super::metric_help::{
    BELOW_MINIMUM, CENTRALIZED, CLOCK_SKEW, COMMITTED, DIFFERENCE, DROPPED, GROUP_SUCCESS, INFO, LAST_SUCCESS, LATE,
    LOST, MISSING, NOT_ADDED, PENDING, RECONCILIATIONS, REFUSED, ROUND, RUNNING_HOUR, SETTLE, UNKNOWN, UNUSABLE, UP,
    WINDOW, WINDOW_END,
};
use crate::api::{Reason, Unusable, UnusableCounts};
use crate::base::clock::Tick;
use crate::sample::{Kind, MetricDef, Sample};
use crate::snapshot::{AspectView, CreationTimes, GroupView, LostReason, Pending, Snapshot, Tally};

/// One line of a page.
#[derive(Clone, Copy, Debug)]
pub(super) struct SampleLine<'a> {
    pub(super) family: Family<'a>,
    pub(super) labels: &'a Labels,
    pub(super) own: ExtraLabels<'a>,
    pub(super) value: f64,
    pub(super) begins: Begins<'a>,
}

/// The rule for the first value of the series of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Begins<'a> {
    /// It is there from the start.
    Itself,
    /// The appliance keeps the counter itself, and its beginning is unknown.
    Elsewhere,
    /// It takes care of that itself, and began as these say.
    Sum(&'a CreationTimes),
    /// With its first event.
    WithAnEvent,
    /// With its first event, or at 0 from the start.
    WithItsFirstEvent,
}

/// The labels of everything that a snapshot holds, each escaped once.
#[derive(Debug)]
pub(super) struct SnapshotLabels {
    appliance: Labels,
    info: Labels,
    /// With the label `group`, one set a view.
    aspects: Vec<Labels>,
    groups: Vec<GroupLabels>,
}

#[derive(Debug)]
struct GroupLabels {
    /// The labels of every value of the group.
    values: Labels,
    /// The labels of every line about the group.
    state: Labels,
}

impl SnapshotLabels {
    pub(super) fn new(snapshot: &Snapshot) -> Self {
        let appliance = Labels::new("appliance", &snapshot.appliance);
        let product = appliance.with("product", snapshot.product);
        let of_group = |view: &GroupView| {
            let values = appliance.with("device_group", view.scope.device_group()).with("device", view.scope.device());
            GroupLabels { state: values.with("group", &view.group), values }
        };
        Self {
            info: snapshot.facts().into_iter().fold(product, |info, (name, value)| info.with(name, &value)),
            aspects: snapshot.aspects.iter().map(|view| appliance.with("group", view.name)).collect(),
            groups: snapshot.groups.iter().map(|view| of_group(view)).collect(),
            appliance,
        }
    }
}

/// The window and the settle delay that hold for a group of the appliance unless its own lines say otherwise.
#[derive(Clone, Copy, Debug, Default)]
struct Usual {
    window: Duration,
    settle: Duration,
}

impl Usual {
    /// The shortest ones.
    fn of(groups: &[Arc<GroupView>]) -> Self {
        let shortest = |length: fn(&GroupView) -> Duration| groups.iter().map(|view| length(view)).min();
        Self {
            window: shortest(|view| view.window).unwrap_or_default(),
            settle: shortest(|view| view.settle).unwrap_or_default(),
        }
    }
}

/// Walks a snapshot as it is at `now`: calls `sink` with every line, those of one family in the order of the page.
pub(super) struct Walk<S> {
    now: Tick,
    sink: S,
    /// When the first value that is shown becomes stale.
    expires: Option<Tick>,
}

impl<'a, S: FnMut(SampleLine<'a>)> Walk<S> {
    pub(super) fn new(now: Tick, sink: S) -> Self {
        Self { now, sink, expires: None }
    }

    /// Returns when the snapshot has to be walked again.
    pub(super) fn snapshot(mut self, snapshot: &'a Snapshot, labels: &'a SnapshotLabels) -> Option<Tick> {
        let of_appliance = &labels.appliance;
        let is_up = snapshot.up_until.is_some_and(|until| self.is_current(until));
        // While an appliance is down, none of its status values are current, whatever arrived last.
        let is_silent = !is_up && snapshot.up_until.is_some();
        for (view, labels) in snapshot.aspects.iter().zip(&labels.aspects) {
            let succeeded = view.success && !is_silent;
            self.put(&GROUP_SUCCESS, labels, f64::from(u8::from(succeeded)));
            self.aspect(view, succeeded, of_appliance, labels);
        }
        self.put(&INFO, &labels.info, 1.0);
        if let Some((_, _, is_below)) = snapshot.below_minimum() {
            self.put(&BELOW_MINIMUM, of_appliance, f64::from(u8::from(is_below)));
        }
        if let Some(centralized) = snapshot.centralized {
            self.put(&CENTRALIZED, of_appliance, f64::from(u8::from(centralized)));
        }
        self.put(&UP, of_appliance, f64::from(u8::from(is_up)));
        if let Some(round) = snapshot.round {
            self.put(&ROUND, of_appliance, round.takes.as_secs_f64());
        }
        if let Some(skew) = snapshot.clock_skew_seconds {
            self.put(&CLOCK_SKEW, of_appliance, skew);
        }
        let usual = Usual::of(&snapshot.groups);
        for (view, labels) in snapshot.groups.iter().zip(&labels.groups) {
            self.state(view, &labels.state, usual);
            self.values(view, &labels.values);
        }
        self.sums(snapshot, of_appliance, usual);
        self.expires
    }

    /// The metrics that exist once per appliance, regardless of its counter groups.
    fn sums(&mut self, snapshot: &'a Snapshot, labels: &'a Labels, usual: Usual) {
        let sum = |count: fn(&Tally) -> u64| snapshot.groups.iter().map(|view| count(&view.tally)).sum::<u64>() as f64;
        self.put(&COMMITTED, labels, sum(|tally| tally.committed));
        self.put(&RECONCILIATIONS, labels, sum(|tally| tally.reconciliations));
        if !snapshot.groups.is_empty() {
            self.put(&WINDOW, labels, usual.window.as_secs_f64());
            self.put(&SETTLE, labels, usual.settle.as_secs_f64());
        }
        let running: Vec<bool> = snapshot.groups.iter().filter_map(|view| view.running_hour).collect();
        if !running.is_empty() {
            self.put(&RUNNING_HOUR, labels, f64::from(u8::from(running.iter().all(|is_running| *is_running))));
        }
        // Without a group or a reason: so that each of them exists from the start, and a sum of it is 0 and not nothing.
        for about in [&PENDING, &LOST, &UNUSABLE] {
            self.put(about, labels, 0.0);
        }
    }

    fn put(&mut self, about: &'static MetricDef, labels: &'a Labels, value: f64) {
        self.put_with(about, labels, ExtraLabels::NONE, value);
    }

    fn put_with(&mut self, about: &'static MetricDef, labels: &'a Labels, own: ExtraLabels<'a>, value: f64) {
        (self.sink)(SampleLine { family: about.into(), labels, own, value, begins: Begins::Itself });
    }

    /// One line where there is something to count: a group to which nothing ever happened is no series.
    fn put_any(&mut self, about: &'static MetricDef, labels: &'a Labels, own: ExtraLabels<'a>, count: u64) {
        if count > 0 {
            let begins = if about.kind == Kind::Counter { Begins::WithAnEvent } else { Begins::Itself };
            (self.sink)(SampleLine { family: about.into(), labels, own, value: count as f64, begins });
        }
    }

    fn samples(&mut self, samples: &'a [Sample], kind: Kind, labels: &'a Labels) {
        for Sample { family, labels: own, value } in samples {
            let family = Family { name: &family.name, kind, help: &family.help };
            (self.sink)(SampleLine {
                family,
                labels,
                own: ExtraLabels::Labels(own),
                value: *value,
                begins: Begins::Elsewhere,
            });
        }
    }

    /// The sums of a group, those that have just begun as they were before.
    fn totals(&mut self, view: &'a GroupView, labels: &'a Labels) {
        let mut beginnings = view.beginnings.iter().peekable();
        for (position, Sample { family, labels: own, value }) in view.totals.iter().enumerate() {
            let begun = beginnings.next_if(|beginning| beginning.position == position);
            let value = begun.map_or(*value, |beginning| beginning.before);
            let family = Family { name: &family.name, kind: Kind::Counter, help: &family.help };
            (self.sink)(SampleLine {
                family,
                labels,
                own: ExtraLabels::Labels(own),
                value,
                begins: Begins::Sum(&view.created),
            });
        }
    }

    /// Whether what is stale from `expires` on may be shown.
    fn is_current(&mut self, expires: Tick) -> bool {
        let is_current = expires > self.now;
        if is_current {
            self.expires = Some(self.expires.map_or(expires, |first| first.min(expires)));
        }
        is_current
    }

    fn aspect(&mut self, view: &'a AspectView, succeeded: bool, of_appliance: &'a Labels, labels: &'a Labels) {
        if let Some(at) = view.last_success.filter(|_| !succeeded) {
            self.put(&LAST_SUCCESS, labels, at.as_secs_f64());
        }
        self.unusable(&view.unusable, labels);
        self.refusal(view.refusal, labels);
        self.samples(&view.status_metrics.counters, Kind::Counter, of_appliance);
        if !view.status_metrics.gauges.is_empty() && self.is_current(view.expires) {
            self.samples(&view.status_metrics.gauges, Kind::Gauge, of_appliance);
        }
    }

    /// Windows that wait by now.
    fn pending(&mut self, pending: Pending) -> u64 {
        let waiting = pending.at(self.now);
        if let Some((next, every)) = pending.next {
            let grown = u32::try_from(waiting.saturating_sub(pending.windows)).unwrap_or(u32::MAX);
            self.is_current(next + every.saturating_mul(grown));
        }
        waiting
    }

    fn unusable(&mut self, counts: &UnusableCounts, labels: &'a Labels) {
        for (reason, count) in Unusable::ALL.iter().zip(counts) {
            self.put_any(&UNUSABLE, labels, ExtraLabels::Pair("reason", reason.label()), *count);
        }
    }

    fn refusal(&mut self, reason: Option<Reason>, labels: &'a Labels) {
        if let Some(reason) = reason {
            self.put_with(&REFUSED, labels, ExtraLabels::Pair("reason", reason.label()), 1.0);
        }
    }

    fn state(&mut self, view: &'a GroupView, labels: &'a Labels, usual: Usual) {
        let GroupView { tally, .. } = view;
        let succeeded = view.success_until.is_some_and(|until| self.is_current(until));
        self.put(&GROUP_SUCCESS, labels, f64::from(u8::from(succeeded)));
        if view.window != usual.window {
            self.put(&WINDOW, labels, view.window.as_secs_f64());
        }
        if view.settle != usual.settle {
            self.put(&SETTLE, labels, view.settle.as_secs_f64());
        }
        let pending = self.pending(view.pending);
        self.put_any(&PENDING, labels, ExtraLabels::NONE, pending);
        self.put_any(&LATE, labels, ExtraLabels::NONE, tally.late);
        self.put_any(&NOT_ADDED, labels, ExtraLabels::NONE, tally.not_added);
        if let Some(difference) = view.difference.filter(|difference| *difference != 0) {
            self.put(&DIFFERENCE, labels, difference as f64);
        }
        self.put_any(&MISSING, labels, ExtraLabels::NONE, tally.missing);
        self.put_any(&UNKNOWN, labels, ExtraLabels::NONE, tally.unknown);
        self.put_any(&DROPPED, labels, ExtraLabels::NONE, tally.dropped);
        for (reason, lost) in LostReason::ALL.iter().zip(tally.lost) {
            self.put_any(&LOST, labels, ExtraLabels::Pair("reason", reason.label()), lost);
        }
        self.unusable(&tally.unusable, labels);
        self.refusal(view.refusal, labels);
        if let Some(end) = view.window_end {
            self.put(&WINDOW_END, labels, end.as_secs_f64());
        }
        if let Some(at) = view.last_success.filter(|_| !succeeded) {
            self.put(&LAST_SUCCESS, labels, at.as_secs_f64());
        }
    }

    fn values(&mut self, view: &'a GroupView, labels: &'a Labels) {
        self.totals(view, labels);
        if let Some(reading) = view.reading.as_ref()
            && self.is_current(reading.expires)
        {
            self.samples(&reading.samples, Kind::Gauge, labels);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Dice, group, snapshot};
    use super::*;
    use crate::exposition::ABOUT_DATA;

    #[test]
    fn what_no_snapshot_renews_ends_by_the_clock() {
        let at = |seconds| Tick::default() + Duration::from_secs(seconds);
        let group = GroupView {
            success_until: Some(at(200)),
            pending: Pending { windows: 1, next: Some((at(60), Duration::from_secs(60))) },
            ..group(0, at(0), &mut Dice(1))
        };
        let group = GroupView { reading: None, ..group };
        let (groups, aspects) = (vec![Arc::new(group)], vec![]);
        let snapshot = Snapshot { up_until: Some(at(100)), groups, aspects, ..snapshot("a", at(0), 1) };
        let labels = SnapshotLabels::new(&snapshot);
        let seen = |seconds| {
            let mut values = [f64::NAN; 3];
            let expires = Walk::new(at(seconds), |row| {
                for (value, about) in values.iter_mut().zip([UP, GROUP_SUCCESS, PENDING]) {
                    // Beside those of groups there is one for the appliance, which is always 0.
                    if row.family.name == about.name && (about.name != PENDING.name || row.value > 0.0) {
                        *value = row.value;
                    }
                }
            })
            .snapshot(&snapshot, &labels);
            (values, expires)
        };
        assert_eq!(seen(0), ([1.0, 1.0, 1.0], Some(at(60))));
        assert_eq!(seen(100), ([0.0, 1.0, 2.0], Some(at(120))), "windows wait whether or not a poll comes back");
        assert_eq!(seen(200), ([0.0, 0.0, 4.0], Some(at(240))));
    }

    #[test]
    fn names_fit_their_kinds() {
        for MetricDef { name, kind, help } in ABOUT_DATA {
            assert_eq!(*kind == Kind::Counter, name.ends_with("_total"), "{name}");
            assert!(!help.is_empty());
        }
    }
}

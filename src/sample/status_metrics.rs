//! Metrics of the current status of an appliance: health, XML status, quarantines, inventory. Knows nothing of when it was
//! requested.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use crate::api::{
    BaseUnit, Count, Health, ManagedAppliance, Observation, Quarantine, ReportingStatus, SystemStatus, Unusable,
    UnusableCounts, XmlStatus,
};
use crate::base::clock::Timestamp;
use crate::base::release::Release;
use crate::sample::{Family, Label, MetricDef, Sample};

use super::status_help::{
    ACTIVE, BIRTH, CONNECTIONS_IN, CONNECTIONS_OUT, CONSERVATION, COUNTER_RESET, CPU, DATA_BEGIN, DATA_END,
    DESTINATIONS, DISK_IO, FEATURE_EXPIRY, HEARTBEAT, HELD, MANAGED_CONNECTED, MANAGED_SERVICE, OLDEST_MESSAGE,
    PRIVILEGES, QUARANTINE_LOWER_BOUND, QUARANTINE_MESSAGES, QUARANTINE_SIZE, QUARANTINED, QUEUE, RAID, RAM,
    SINCE_START, SWAP, SYSTEM_STATUS, WORK_QUEUE,
};

/// The metrics of one status answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StatusMetrics {
    /// Values as of now.
    pub gauges: Vec<Sample>,
    /// Counters that the appliance keeps itself: they reset when it restarts.
    pub counters: Vec<Sample>,
    /// Labels that identify the appliance.
    pub info: Vec<Label>,
    /// Values that were no usable number, or had another's name.
    pub unusable: UnusableCounts,
}

/// Vitals in the making.
#[derive(Default)]
struct Draft {
    status_metrics: StatusMetrics,
    /// Names and labels of the series so far: a page that shows one twice is refused as a whole.
    series: HashSet<(String, Vec<Label>)>,
}

impl StatusMetrics {
    /// Names what was observed.
    #[must_use]
    pub fn new(observation: &Observation) -> Self {
        let mut draft = Draft::default();
        match observation {
            Observation::Health(health) => draft.health(health),
            Observation::SystemStatus { status, at } => draft.system_status(status, *at),
            Observation::XmlStatus { status, at } => draft.status(status, *at),
            // The newest answer alone does not tell what was delivered: [`super::destinations`] does.
            Observation::DeliveryStatus(_) => {}
            Observation::Quarantines(quarantines) => draft.quarantines(quarantines),
            Observation::Managed(appliances) => draft.managed(appliances),
            Observation::Privileges(count) => draft.put(&PRIVILEGES, [], Some(*count as f64)),
            Observation::Reporting(span) => draft.reporting(span),
            Observation::TimeZone(zone) => {
                draft.status_metrics.info.extend(zone.as_deref().map(|zone| ("timezone".into(), zone.into())));
            }
        }
        draft.status_metrics
    }
}

impl Draft {
    fn health(&mut self, health: &Health) {
        let values = [
            (CPU, health.cpu_load),
            (RAM, health.ram),
            (SWAP, health.swap),
            (QUEUE, health.queue),
            (DISK_IO, health.disk_io),
            (CONSERVATION, health.resource_conservation),
            (WORK_QUEUE, health.workqueue_messages),
            (HELD, health.quarantine_messages),
        ];
        for (about, value) in values {
            self.put(&about, [], value);
        }
        self.count(health.unusable);
    }

    /// Adds to what was unusable.
    fn count(&mut self, unusable: UnusableCounts) {
        self.status_metrics.unusable.iter_mut().zip(unusable).for_each(|(sum, more)| *sum += more);
    }

    fn status(&mut self, status: &XmlStatus, at: Timestamp) {
        let seconds = |at: Option<Timestamp>| at.map(Timestamp::as_secs_f64);
        if let Some(state) = &status.system_state {
            self.put(&SYSTEM_STATUS, [("state", state)], Some(1.0));
        }
        // An empty queue reports an age of 0 s.
        let age = status.oldest_message_seconds.filter(|age| *age > 0.0);
        let oldest = age.map(|age| at.as_secs_f64() - age);
        self.put(&BIRTH, [], seconds(status.birth));
        self.put(&COUNTER_RESET, [], seconds(status.last_counter_reset));
        self.put(&OLDEST_MESSAGE, [], oldest);
        for feature in &status.features {
            self.put(&FEATURE_EXPIRY, [("feature", &feature.name)], seconds(feature.expires));
        }
        for (name, count) in &status.counters {
            let help = format!("Counter {name} of the XML status, since the installation of the appliance");
            let total = sample(format!("asyncos_status_{name}_total"), help, [], *count as f64);
            if self.is_new(&total) {
                self.status_metrics.counters.push(total);
            }
        }
        for (name, value) in &status.gauges {
            let unit = BaseUnit::of(name);
            // A gauge that a release calls like a counter or one of the above would break the page.
            if unit.name.ends_with("_total") || unit.name.ends_with("_timestamp_seconds") {
                continue;
            }
            let help = format!("Gauge {name} of the XML status, in base units");
            self.gauge(sample(format!("asyncos_status_{}", unit.name), help, [], unit.value(*value)));
        }
        self.count(status.unusable);
        // One label for a release from any source: the build number without the code name before it.
        let release =
            |build: &String| Release::find(build).map_or_else(|| build.clone(), |release| release.to_string());
        let parts = [("release", status.build.as_ref().map(release)), ("hostname", status.hostname.clone())];
        self.status_metrics
            .info
            .extend(parts.into_iter().filter_map(|(name, value)| Some((name.into(), value?.into()))));
    }

    fn system_status(&mut self, status: &SystemStatus, at: Timestamp) {
        if let Some(state) = &status.system_state {
            self.put(&SYSTEM_STATUS, [("state", state)], Some(1.0));
        }
        if let Some(state) = &status.raid {
            self.put(&RAID, [("state", state)], Some(1.0));
        }
        // An empty queue has no age.
        let age = status.oldest_message_seconds.filter(|age| *age > 0.0);
        let values = [
            (CPU, status.cpu_load),
            (RAM, status.ram),
            (QUEUE, status.queue),
            (DISK_IO, status.disk_io),
            (WORK_QUEUE, status.workqueue_messages),
            (QUARANTINED, status.quarantine_messages),
            (ACTIVE, status.active_recipients),
            (CONNECTIONS_IN, status.connections_in),
            (CONNECTIONS_OUT, status.connections_out),
            (DESTINATIONS, status.destinations),
            (BIRTH, status.up_since.map(Timestamp::as_secs_f64)),
            (OLDEST_MESSAGE, age.map(|age| at.as_secs_f64() - age)),
        ];
        for (about, value) in values {
            self.put(&about, [], value);
        }
        for (name, count) in &status.counters {
            if let Some((_, about)) = SINCE_START.iter().find(|(known, _)| known == name) {
                let total = sample(about.name.into(), about.help.into(), [], *count as f64);
                self.status_metrics.counters.push(total);
            }
        }
        self.count(status.unusable);
        let release = status
            .software
            .as_ref()
            .map(|software| Release::find(software).map_or_else(|| software.clone(), |release| release.to_string()));
        let parts = [("model", status.model.clone()), ("release", release), ("serial", status.serial.clone())];
        let info = parts.into_iter().filter_map(|(name, value)| Some((name.into(), value?.into())));
        self.status_metrics.info.extend(info);
    }

    fn quarantines(&mut self, quarantines: &[Quarantine]) {
        for Quarantine { name, kind, messages, size, unusable } in quarantines {
            let labels = [("quarantine", name.as_str()), ("quarantine_type", *kind)];
            let is_lower_bound = matches!(messages, Count::AtLeast(_));
            self.put(&QUARANTINE_MESSAGES, labels, Some(messages.get() as f64));
            self.put(&QUARANTINE_LOWER_BOUND, labels, Some(f64::from(u8::from(is_lower_bound))));
            self.put(&QUARANTINE_SIZE, labels, *size);
            self.count(*unusable);
        }
    }

    fn managed(&mut self, appliances: &[ManagedAppliance]) {
        let mut names = BTreeSet::new();
        for managed in appliances {
            self.count(managed.unusable);
            // An SMA may manage two appliances of one host name; their series must stay apart.
            let mut own = managed.host_name.as_deref().into_iter().chain([managed.serial.as_str()]);
            match own.find(|name| names.insert(*name)) {
                Some(name) => self.managed_appliance(name, managed),
                None => Unusable::Conflicting.count_in(&mut self.status_metrics.unusable),
            }
        }
    }

    fn managed_appliance(&mut self, name: &str, managed: &ManagedAppliance) {
        let kind = managed.product_type.as_deref().unwrap_or_default();
        let as_number = |switch: Option<bool>| switch.map(|switch| f64::from(u8::from(switch)));
        let labels = [("managed_appliance", name), ("product_type", kind)];
        self.put(&MANAGED_CONNECTED, labels, as_number(managed.connection_established));
        let services = [
            ("pvo", managed.pvo_enabled),
            ("reporting", managed.reporting_enabled),
            ("spam", managed.spam_enabled),
            ("tracking", managed.tracking_enabled),
        ];
        for (service, enabled) in services {
            self.put(&MANAGED_SERVICE, [labels[0], labels[1], ("service", service)], as_number(enabled));
        }
    }

    fn reporting(&mut self, span: &ReportingStatus) {
        for (about, at) in [(DATA_BEGIN, span.begin), (DATA_END, span.end), (HEARTBEAT, span.heartbeat)] {
            self.put(&about, [], at.map(Timestamp::as_secs_f64));
        }
        self.count(span.unusable);
    }

    /// A value that is absent is no sample.
    fn put<const N: usize>(&mut self, about: &MetricDef, labels: [(&str, &str); N], value: Option<f64>) {
        if let Some(value) = value {
            self.gauge(sample(about.name.into(), about.help.into(), labels, value));
        }
    }

    fn gauge(&mut self, gauge: Sample) {
        if self.is_new(&gauge) {
            self.status_metrics.gauges.push(gauge);
        }
    }

    /// Whether no other sample is of the same series; else it is counted as unusable.
    fn is_new(&mut self, sample: &Sample) -> bool {
        let is_new = self.series.insert((sample.family.name.clone(), sample.labels.clone()));
        if !is_new {
            Unusable::Conflicting.count_in(&mut self.status_metrics.unusable);
        }
        is_new
    }
}

pub(super) fn sample<const N: usize>(name: String, help: String, labels: [(&str, &str); N], value: f64) -> Sample {
    let labels = labels.iter().filter(|(_, value)| !value.is_empty());
    let labels = labels.map(|(name, value)| ((*name).into(), (*value).into())).collect();
    Sample { family: Arc::new(Family { name, help, counter: None }), labels, value }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{ABOUT_NOW, Kind};

    #[test]
    fn managed_appliances_of_the_same_name_are_labelled_by_serial() {
        let managed = |serial: &str| ManagedAppliance {
            serial: serial.into(),
            host_name: Some("esa1".into()),
            product_type: Some("ESA".into()),
            connection_established: Some(true),
            ..ManagedAppliance::default()
        };
        let status_metrics = StatusMetrics::new(&Observation::Managed(vec![managed("a"), managed("b")]));
        let names: Vec<&str> = status_metrics.gauges.iter().map(|sample| &*sample.labels[0].1).collect();
        assert_eq!(names, ["esa1", "b"]);
    }

    #[test]
    fn a_gauge_named_like_a_counter_is_left_out() {
        let status = XmlStatus {
            gauges: vec![("inj_msgs_total".into(), 1.0), ("conn_in".into(), 2.0), ("kbytes_used".into(), 3.0)],
            ..XmlStatus::default()
        };
        let observation = Observation::XmlStatus { status: Box::new(status), at: Timestamp::from_secs(0) };
        let status_metrics = StatusMetrics::new(&observation);
        let shown: Vec<_> =
            status_metrics.gauges.iter().map(|sample| (sample.family.name.as_str(), sample.value)).collect();
        assert_eq!(shown, [("asyncos_status_conn_in", 2.0), ("asyncos_status_queue_used_bytes", 3072.0)]);
    }

    #[test]
    fn every_status_metric_has_help_and_a_name_of_its_kind() {
        for MetricDef { name, kind, help } in ABOUT_NOW {
            assert!((*kind == Kind::Counter) == name.ends_with("_total") && !help.is_empty(), "{name}");
        }
    }
}

//! Names and help texts of metrics, made from the catalogue. They are an API: a golden list guards them.

use super::{Aggregation, Counter, Group};

/// The first word of every metric of the exporter.
const PREFIX: &str = "asyncos_";

/// The scope of a report. It is a part of the names of metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ScopeKind {
    /// An appliance as a whole.
    Appliance,
    /// One group of devices of a manager.
    DeviceGroup,
    /// One device of a manager.
    Device,
}

impl Counter {
    /// The name of the gauge with the value of the newest committed window. Of no use for text, which has no sample.
    #[must_use]
    pub fn gauge_name(&self, group: &Group, scope: ScopeKind) -> String {
        format!("{}_last_window", self.family(group, scope))
    }

    /// The HELP text of that gauge: what is counted, the unit, how it relates to the window, and where it comes from.
    #[must_use]
    pub fn gauge_help(&self, group: &Group, scope: ScopeKind) -> String {
        let Self { name, help, .. } = self;
        let whose = scope.whose();
        let (noun, over) = (self.unit.noun(), self.aggregation.over_window());
        format!("{help}: {noun}{whose}, {over} (API {}, counter {name})", group.api_path())
    }

    /// The name of the counter with the sum of all committed windows; only what is additive has one.
    #[must_use]
    pub fn total_name(&self, group: &Group, scope: ScopeKind) -> Option<String> {
        (self.aggregation == Aggregation::Sum).then(|| {
            let family = self.family(group, scope);
            // A counter that the API calls a total is one already.
            if family.ends_with("_total") { family } else { family + "_total" }
        })
    }

    /// The HELP text of that counter.
    #[must_use]
    pub fn total_help(&self, group: &Group, scope: ScopeKind) -> String {
        let Self { name, help, .. } = self;
        let whose = scope.whose();
        let noun = self.unit.noun();
        format!("{help}: {noun}{whose}, sum of complete windows (API {}, counter {name})", group.api_path())
    }

    /// The common prefix of all metrics of this counter: scope, group, counter and, unless already there, the unit.
    fn family(&self, group: &Group, scope: ScopeKind) -> String {
        let base = format!("{}{}", group.metric_prefix(scope), self.name);
        let suffix = self.unit.suffix();
        if base.ends_with(suffix) { base } else { base + suffix }
    }
}

impl Group {
    /// The common prefix of the metrics of its counters.
    #[must_use]
    pub fn metric_prefix(&self, scope: ScopeKind) -> String {
        format!("{PREFIX}{}{}_", scope.word(), self.name)
    }
}

impl ScopeKind {
    /// Every kind, the appliance as a whole first.
    pub const ALL: [Self; 3] = [Self::Appliance, Self::DeviceGroup, Self::Device];

    /// The prefix of the group in the name of a metric. The values of an appliance include those of its device groups and
    /// devices; each scope has a name of its own, so that a plain sum over one name counts nothing twice.
    const fn word(self) -> &'static str {
        match self {
            Self::Appliance => "",
            Self::DeviceGroup => "device_group_",
            Self::Device => "device_",
        }
    }

    const fn whose(self) -> &'static str {
        match self {
            Self::Appliance => "",
            Self::DeviceGroup => " of one device group",
            Self::Device => " of one device",
        }
    }
}

/// Prefixes of metrics that do not come from reports, and those of device groups and devices.
const RESERVED: [&str; 32] = [
    "account",
    "api",
    "appliance",
    "clock",
    "config",
    "counters",
    "destination",
    "device",
    "exporter",
    "feature",
    "group",
    "health",
    "late",
    "login",
    "logins",
    "managed",
    "poll",
    "quarantine",
    "reconciliation",
    "reconciliations",
    "release",
    "series",
    "settle",
    "state",
    "status",
    "system",
    "tls",
    "token",
    "tracking",
    "up",
    "window",
    "windows",
];

/// Whether metrics of a group of this name could be taken for the exporter's own, or for those of another group's device
/// groups or devices. The vendor's names begin with `mail_`, `web_` or `advanced_`.
#[must_use]
pub fn is_reserved(group: &str) -> bool {
    let first = group.split('_').next().unwrap_or_default();
    RESERVED.contains(&first)
}

impl Aggregation {
    const fn over_window(self) -> &'static str {
        match self {
            Self::Sum => "sum over the newest complete window",
            Self::Average => "average over the newest complete window",
            Self::Maximum => "maximum over the newest complete window",
            Self::Last => "at the end of the newest complete window",
            Self::Unknown => "in the newest complete window",
            Self::Text => "never a sample",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;
    use std::{env, fs};

    use crate::catalogue::{Counter, Group, ScopeKind, group, groups, is_reserved};

    fn gauges() -> impl Iterator<Item = (&'static Group, &'static Counter)> {
        let all = groups().flat_map(|group| group.counters.iter().map(move |counter| (group, counter)));
        all.filter(|(_, counter)| counter.is_numeric())
    }

    fn pair(group_name: &str, counter: &str) -> (&'static Group, &'static Counter) {
        let group = group(group_name).unwrap();
        (group, group.counter(counter).unwrap())
    }

    #[test]
    fn the_names_are_the_golden_ones() {
        let totals = gauges().filter_map(|(group, counter)| counter.total_name(group, ScopeKind::Appliance));
        let names: BTreeSet<_> =
            gauges().map(|(group, counter)| counter.gauge_name(group, ScopeKind::Appliance)).chain(totals).collect();
        let page: String = names.iter().map(|name| format!("{name}\n")).collect();
        let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/metric_names.txt");
        if env::var_os("UPDATE_GOLDEN").is_some() {
            fs::write(&golden, &page).unwrap();
        }
        assert_eq!(fs::read_to_string(&golden).unwrap(), page, "if meant, run again with UPDATE_GOLDEN=1");
    }

    #[test]
    fn no_two_counters_share_a_family() {
        // `x` and `x_total` would meet in one family once a `_total` is published.
        let stem = |(group, counter): (&Group, &Counter)| {
            counter.family(group, ScopeKind::Appliance).trim_end_matches("_total").to_owned()
        };
        let families: BTreeSet<_> = gauges().map(stem).collect();
        assert_eq!(families.len(), gauges().count());
    }

    #[test]
    fn every_name_is_legal_and_ends_in_last_window() {
        for (group, counter) in gauges() {
            let name = counter.gauge_name(group, ScopeKind::Appliance);
            assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_'), "{name}");
            assert!(name.starts_with("asyncos_") && name.ends_with("_last_window") && !name.contains("__"), "{name}");
        }
    }

    #[test]
    fn the_unit_stands_at_the_end_and_once() {
        let name = |group, counter| {
            let (group, counter) = pair(group, counter);
            counter.gauge_name(group, ScopeKind::Appliance)
        };
        assert_eq!(
            name("mail_system_capacity", "average_incoming_message_size_in_bytes"),
            "asyncos_mail_system_capacity_average_incoming_message_size_in_bytes_last_window"
        );
        assert_eq!(
            name("mail_system_capacity", "overall_percent_cpu_usage"),
            "asyncos_mail_system_capacity_overall_percent_cpu_usage_ratio_last_window"
        );
        assert_eq!(
            name("mail_system_capacity", "workqueue_average_time_spent"),
            "asyncos_mail_system_capacity_workqueue_average_time_spent_seconds_last_window"
        );
        assert_eq!(
            name("mail_incoming_traffic_summary", "detected_spam"),
            "asyncos_mail_incoming_traffic_summary_detected_spam_last_window"
        );
    }

    #[test]
    fn help_says_what_in_which_unit_over_which_time_and_whence() {
        let help = |group, counter| {
            let (group, counter) = pair(group, counter);
            counter.gauge_help(group, ScopeKind::Appliance)
        };
        assert_eq!(
            help("mail_incoming_traffic_summary", "detected_spam"),
            "Spam, certain or suspected, by any engine: recipients, sum over the newest complete window \
             (API reporting/mail_incoming_traffic_summary, counter detected_spam)"
        );
        assert_eq!(
            help("mail_system_capacity", "workqueue_maximum_messages"),
            "Longest the work queue has been: messages, maximum over the newest complete window \
             (API reporting/mail_system_capacity, counter workqueue_maximum_messages)"
        );
        assert_eq!(
            help("mail_system_capacity", "overall_percent_cpu_usage"),
            "Share of the CPU in use by everything together: ratio, average over the newest complete window \
             (API reporting/mail_system_capacity, counter overall_percent_cpu_usage)"
        );
    }

    #[test]
    fn each_scope_has_names_and_help_of_its_own() {
        let (group, counter) = pair("mail_incoming_traffic_summary", "detected_spam");
        assert_eq!(
            ScopeKind::ALL.map(|scope| counter.total_name(group, scope).unwrap()),
            ["", "device_group_", "device_"]
                .map(|scope| format!("asyncos_{scope}mail_incoming_traffic_summary_detected_spam_total"))
        );
        assert!(counter.total_help(group, ScopeKind::Device).contains(": recipients of one device, sum of"));
        assert!(
            counter.gauge_help(group, ScopeKind::DeviceGroup).contains(": recipients of one device group, sum over")
        );
        let names = |scope| gauges().map(move |(group, counter)| counter.gauge_name(group, scope));
        let all: BTreeSet<_> = ScopeKind::ALL.into_iter().flat_map(names).collect();
        assert_eq!(all.len(), 3 * gauges().count());
    }

    #[test]
    fn no_group_begins_like_the_names_of_another_scope() {
        assert!(!groups().any(|group| is_reserved(&group.name)));
        for name in ["device", "device_x", "group", "group_x"] {
            assert!(is_reserved(name), "{name}");
        }
        assert!(!is_reserved("devices_x") && !is_reserved("mail_device") && !is_reserved("groups"));
    }

    #[test]
    fn what_is_called_a_total_is_called_so_once() {
        let (group, counter) = pair("mail_authentication_summary", "received_total");
        assert_eq!(
            counter.total_name(group, ScopeKind::Appliance).as_deref(),
            Some("asyncos_mail_authentication_summary_received_total")
        );
        let mut totals = gauges().filter_map(|(group, counter)| counter.total_name(group, ScopeKind::Device));
        assert!(totals.all(|name| name.ends_with("_total") && !name.ends_with("_total_total")));
    }

    #[test]
    fn help_needs_no_escaping_and_ends_without_a_full_stop() {
        let counters = groups().flat_map(|group| &*group.counters).map(|counter| &*counter.help);
        for help in counters.chain(groups().map(|group| &*group.help)) {
            assert!(help.starts_with(char::is_uppercase) && !help.ends_with(['.', ' ', ':']), "{help}");
            assert!(help.is_ascii() && !help.contains(['"', '\\', '\n', '|']) && !help.contains("  "), "{help}");
        }
    }
}

//! Where several status answers provide the same fact, one of them is its source: the health endpoint, then the system
//! status, then the XML status, for which the password goes to another port.

use std::collections::HashSet;
use std::sync::Arc;

use crate::base::clock::Tick;
use crate::sample::{Label, Sample};
use crate::snapshot::AspectView;

use super::status_probe::StatusProbe;

/// The answers that share facts, the preferred one first.
const PREFERENCE: [&str; 3] = ["health", "system_status", "xml_status"];
/// Names that the XML status has for facts with another name in the other answers, and that name.
const SAME_FACT: [(&str, &str); 3] = [
    ("asyncos_status_ram_utilization_ratio", "asyncos_health_ram_utilization_ratio"),
    ("asyncos_status_msgs_in_work_queue", "asyncos_health_workqueue_messages"),
    ("asyncos_status_msgs_in_policy_virus_outbreak_quarantine", "asyncos_health_quarantine_messages"),
];

/// The views, each fact in one of them. Nothing changes for an appliance that does not offer the system status.
pub(super) fn of_each_fact<'a>(probes: impl Iterator<Item = &'a StatusProbe>, now: Tick) -> Vec<Arc<AspectView>> {
    let views: Vec<Arc<AspectView>> = probes.map(StatusProbe::view).collect();
    if views.iter().any(|view| view.name == "system_status" && view.expires > now) { chosen(views, now) } else { views }
}

fn chosen(mut views: Vec<Arc<AspectView>>, now: Tick) -> Vec<Arc<AspectView>> {
    let mut provided: HashSet<(String, Vec<Label>)> = HashSet::new();
    for name in PREFERENCE {
        let Some(view) = views.iter_mut().find(|view| view.name == name && view.expires > now) else { continue };
        let is_provided = |sample: &Sample| provided.contains(&fact(sample));
        if view.status_metrics.gauges.iter().any(is_provided) {
            let mut fewer = AspectView::clone(view);
            fewer.status_metrics.gauges.retain(|sample| !is_provided(sample));
            *view = Arc::new(fewer);
        }
        provided.extend(view.status_metrics.gauges.iter().map(fact));
    }
    views
}

/// The fact that a sample states. A state is one fact, whatever it is.
fn fact(sample: &Sample) -> (String, Vec<Label>) {
    let name = sample.family.name.as_str();
    let name = SAME_FACT.iter().find(|(known, _)| *known == name).map_or(name, |(_, name)| name);
    let labels = sample.labels.iter().filter(|(label, _)| &**label != "state").cloned().collect();
    (name.to_owned(), labels)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::sample::Family;
    use crate::sample::status_metrics::StatusMetrics;

    fn view(name: &'static str, gauges: &[(&str, Option<&str>)], expires: u64) -> Arc<AspectView> {
        let gauge = |(name, state): &(&str, Option<&str>)| Sample {
            family: Arc::new(Family { name: (*name).into(), help: String::new(), counter: None }),
            labels: state.iter().map(|state| ("state".into(), (*state).into())).collect(),
            value: 1.0,
        };
        Arc::new(AspectView {
            name,
            option: name,
            is_wanted: false,
            success: true,
            last_success: None,
            refusal: None,
            trouble: None,
            status_metrics: StatusMetrics { gauges: gauges.iter().map(gauge).collect(), ..StatusMetrics::default() },
            unusable: Default::default(),
            expires: Tick::default() + Duration::from_secs(expires),
        })
    }

    #[test]
    fn each_fact_has_one_source_for_as_long_as_that_is_shown() {
        let memory = "asyncos_health_ram_utilization_ratio";
        let views = vec![
            view("health", &[(memory, None)], 30),
            view("system_status", &[(memory, None), ("a", None), ("s", Some("online"))], 20),
            view("xml_status", &[("asyncos_status_ram_utilization_ratio", None), ("a", None), ("s", Some("off"))], 90),
        ];
        let shown = |seconds| {
            let chosen = chosen(views.clone(), Tick::default() + Duration::from_secs(seconds));
            chosen.iter().map(|view| view.status_metrics.gauges.len()).collect::<Vec<_>>()
        };
        assert_eq!((shown(0), shown(20), shown(30)), (vec![1, 2, 0], vec![1, 3, 2], vec![1, 3, 3]));
    }
}

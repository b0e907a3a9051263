//! The forms in which rules are written: a file for Prometheus, and a `PrometheusRule` for its operator; and the runbook
//! that goes with them.

use std::path::Path;

use super::File;
use super::alert::Alert;
use super::alerts::{self, Section};
use super::recording::{self, Recording};
use super::runbook;

/// The name of the exporter's scrape job, which `asyncos_exporter rules --job` replaces.
const JOB: &str = "asyncos";
/// The addresses of Grafana and of the runbook: nobody has them, and `asyncos_exporter rules` replaces them.
const GRAFANA: &str = "https://grafana.example.com";
const RUNBOOK: &str = "https://runbooks.example.com/asyncos/RUNBOOK.md";

/// The rule files and the runbook.
pub(super) fn files() -> Vec<File> {
    let sections = alerts::all(JOB);
    let groups = groups(&recording::all(), &sections);
    let file = |name: &str, text: String| File { path: Path::new("deploy/prometheus").join(name), text };
    vec![
        file("asyncos.rules.yaml", format!("{HEAD}{groups}")),
        file("prometheusrule.yaml", resource(&groups)),
        file("RUNBOOK.md", runbook::text(&sections)),
    ]
}

/// Written for those who open the file and wonder where to change it.
const HEAD: &str = "# Made by `asyncos_exporter rules --write DIR`; what is changed here is lost with the next time.\n";

/// How often rules are evaluated: more often than what they look at changes would be of no use.
const INTERVAL: &str = "1m";

fn groups(recordings: &[Recording], sections: &[Section]) -> String {
    let mut text = format!("groups:\n  - name: asyncos-recording\n    interval: {INTERVAL}\n    rules:\n");
    for Recording { name, expr } in recordings {
        text += &format!("      - record: {name}\n        expr: {}\n", scalar(expr));
    }
    for Section { name, alerts } in sections {
        text += &format!("  - name: {name}\n    interval: {INTERVAL}\n    rules:\n");
        for alert in alerts {
            text += &rule(alert);
        }
    }
    text
}

fn rule(alert: &Alert) -> String {
    let hold = alert.hold.map_or_else(String::new, |hold| format!("        for: {hold}\n"));
    let (board, _) = alert.page.panel;
    let mut dashboard = format!("{GRAFANA}/d/{}?var-job={{{{ $labels.job | urlquery }}}}", board.name());
    if alert.is_about_an_appliance() {
        dashboard += "&var-appliance={{ $labels.appliance | urlquery }}";
    }
    format!(
        "      - alert: {}\n        expr: {}\n{hold}        labels:\n          severity: {}\n        annotations:\n          \
         summary: {}\n          description: {}\n          runbook_url: {}\n          dashboard_url: {}\n",
        alert.name,
        scalar(&alert.expr),
        alert.severity.name(),
        scalar(alert.summary),
        scalar(&alert.description),
        scalar(&format!("{RUNBOOK}#{}", alert.anchor())),
        scalar(&dashboard),
    )
}

/// A text in single quotes, in which YAML knows nothing special but the quote.
fn scalar(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// The same groups as a resource of the Prometheus operator.
fn resource(groups: &str) -> String {
    let spec: String = groups.lines().map(|line| format!("  {line}\n")).collect();
    format!(
        "{HEAD}apiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule\nmetadata:\n  name: asyncos-exporter\n  labels:\n    \
         app.kubernetes.io/name: asyncos-exporter\nspec:\n{spec}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quote_is_doubled() {
        assert_eq!(scalar("it's {{ $value }}"), "'it''s {{ $value }}'");
    }
}

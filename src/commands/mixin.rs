//! Dashboards for Grafana, rules for Prometheus and the runbook for their alerts, as `grafana/generator` writes them:
//! the program contains the committed files, for networks that reach nothing else.

/// A file of the bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Its name, without a folder.
    pub name: &'static str,
    /// Its content, with a line break at its end.
    pub text: String,
}

macro_rules! files {
    ($folder:literal, $($name:literal),+ $(,)?) => {
        [$(($name, include_str!(concat!("../../", $folder, "/", $name)))),+]
    };
}

/// The dashboards, the one to begin with first. Each file is named after the dashboard's uid.
const DASHBOARDS: [(&str, &str); 9] = files!(
    "grafana/dashboards",
    "asyncos-fleet.json",
    "asyncos-incoming.json",
    "asyncos-outgoing.json",
    "asyncos-capacity.json",
    "asyncos-encryption.json",
    "asyncos-quarantines.json",
    "asyncos-top.json",
    "asyncos-scopes.json",
    "asyncos-exporter.json",
);

const RULES: [(&str, &str); 3] = files!("deploy/prometheus", "asyncos.rules.yaml", "prometheusrule.yaml", "RUNBOOK.md");

/// The dashboards, as Grafana imports and provisions them, with the runbook of `places`.
#[must_use]
pub fn dashboards(places: &Places) -> Vec<File> {
    // A string of JSON, without its quotes.
    let runbook = serde_json::Value::from(places.runbook.as_str()).to_string();
    let fill = |text: &str| text.replace(&Places::default().runbook, runbook.trim_matches('"'));
    DASHBOARDS.map(|(name, text)| File { name, text: fill(text) }).to_vec()
}

/// The scrape job and the addresses that rules contain.
#[derive(Clone, Debug)]
pub struct Places {
    /// The name of the exporter's scrape job.
    pub job: String,
    /// The address of Grafana, without a slash at its end.
    pub grafana: String,
    /// The address of the runbook; the name of an alert is appended as an anchor.
    pub runbook: String,
}

impl Default for Places {
    /// Those of the committed files: addresses that nobody has.
    fn default() -> Self {
        Self {
            job: "asyncos".to_owned(),
            grafana: "https://grafana.example.com".to_owned(),
            runbook: "https://runbooks.example.com/asyncos/RUNBOOK.md".to_owned(),
        }
    }
}

/// The rule files, with `places` for those of the committed files, and the runbook.
#[must_use]
pub fn rules(places: &Places) -> Vec<File> {
    let committed = Places::default();
    // A string of PromQL within single quotes of YAML.
    let job = places.job.replace('\\', r"\\").replace('"', r#"\""#).replace('\'', "''");
    let fill = |text: &str| {
        text.replace(&format!("job=\"{}\"", committed.job), &format!("job=\"{job}\""))
            .replace(&committed.grafana, &places.grafana.replace('\'', "''"))
            .replace(&committed.runbook, &places.runbook.replace('\'', "''"))
    };
    RULES.map(|(name, text)| File { name, text: fill(text) }).to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_with_quotes_stays_one_string() {
        let places = Places { job: r#"it's "mail"\"#.to_owned(), ..Places::default() };
        let rules = rules(&places);
        assert!(rules[0].text.contains(r#"expr: 'up{job="it''s \"mail\"\\"} == 0'"#));
    }

    #[test]
    fn the_committed_places_change_nothing() {
        for (file, (_, committed)) in rules(&Places::default()).iter().zip(RULES) {
            assert_eq!(file.text, committed, "{}", file.name);
        }
    }
}

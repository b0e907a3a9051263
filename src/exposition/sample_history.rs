//! Samples with timestamps in OpenMetrics, for import into Prometheus. Heads, names and labels are those of a page. Knows
//! nothing of where samples come from.
//! **Source:** the OpenMetrics specification 1.0, section 4.

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::family::Family;
use super::line::{self, ExtraLabels, Labels};
use super::scrape::Format;
use crate::base::clock::Timestamp;
use crate::config::Scope;
use crate::sample::{Kind, Sample};

/// Samples of many times, by family and series.
#[derive(Debug, Default)]
pub struct SampleHistory {
    families: BTreeMap<String, FamilyHistory>,
}

#[derive(Debug)]
struct FamilyHistory {
    kind: Kind,
    help: String,
    /// By the name and the labels as they are written.
    series: BTreeMap<Vec<u8>, Vec<(Timestamp, f64)>>,
}

/// The labels that all series of one report have.
#[derive(Clone, Debug)]
pub struct SeriesLabels(Labels);

impl SeriesLabels {
    /// Those that a scraper adds, then those of the page.
    #[must_use]
    pub fn new(added: &[(String, String)], appliance: &str, scope: &Scope) -> Self {
        let labels = added.iter().fold(Labels::default(), |labels, (name, value)| labels.with(name, value));
        let labels = labels.with("appliance", appliance);
        Self(labels.with("device_group", scope.device_group()).with("device", scope.device()))
    }
}

impl SampleHistory {
    /// Adds `sample` as of `at`, which is later than what its series has by now; a second value for one time is ignored.
    pub fn add(&mut self, kind: Kind, labels: &SeriesLabels, sample: &Sample, at: Timestamp) {
        let family = self.families.entry(sample.family.name.clone()).or_insert_with(|| FamilyHistory {
            kind,
            help: sample.family.help.clone(),
            series: BTreeMap::new(),
        });
        let mut text = Vec::new();
        line::write(&sample.family.name, &labels.0, ExtraLabels::Labels(&sample.labels), 0.0, &mut text);
        text.truncate(line::series(&text).len());
        let samples = family.series.entry(text).or_default();
        if samples.last().is_none_or(|(last, _)| *last < at) {
            samples.push((at, sample.value));
        }
    }

    /// Writes all of it.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write(&self, out: &mut impl Write) -> io::Result<()> {
        for (name, FamilyHistory { kind, help, series }) in &self.families {
            let mut text = Vec::new();
            Family { name, kind: *kind, help }.write(Format::OpenMetrics, &mut text);
            for (series, samples) in series {
                for (at, value) in samples {
                    text.extend_from_slice(series);
                    text.push(b' ');
                    line::value(*value, &mut text);
                    timestamp(*at, &mut text);
                }
            }
            out.write_all(&text)?;
        }
        out.write_all(Format::OpenMetrics.end())
    }
}

/// Appends a space, `at` in seconds and the end of the line.
fn timestamp(at: Timestamp, out: &mut Vec<u8>) {
    let seconds = at.as_secs();
    out.push(b' ');
    out.extend_from_slice(itoa::Buffer::new().format(seconds).as_bytes());
    let milliseconds = at.since(Timestamp::from_secs(seconds)).as_millis();
    if milliseconds > 0 {
        out.extend_from_slice(format!(".{milliseconds:03}").as_bytes());
    }
    out.push(b'\n');
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;
    use crate::sample;

    #[test]
    fn samples_of_one_series_stand_together_under_the_head_of_a_page() {
        let family = |name: &str| Arc::new(sample::Family { name: name.into(), help: "Mail.".into(), counter: None });
        let (total, gauge) = (family("asyncos_x_total"), family("asyncos_x_last_window"));
        let sample = |family: &Arc<sample::Family>, policy: &str, value| {
            let labels = vec![("policy".into(), policy.into())];
            Sample { family: Arc::clone(family), labels, value }
        };
        let labels = SeriesLabels::new(&[("job".into(), "a\"b".into())], "esa1", &Scope::Device("d".into()));
        let (start, hour) = (Timestamp::from_secs(1_795_435_200), Duration::from_secs(3600));
        let mut history = SampleHistory::default();
        for policy in ["x", "y"] {
            history.add(Kind::Counter, &labels, &sample(&total, policy, 0.0), start + Duration::from_millis(1));
        }
        for policy in ["x", "y"] {
            history.add(Kind::Counter, &labels, &sample(&total, policy, 7.0), start + hour);
        }
        history.add(Kind::Counter, &labels, &sample(&total, "y", 8.0), start + hour);
        history.add(Kind::Gauge, &labels, &sample(&gauge, "x", 0.5), start + hour);
        let mut text = Vec::new();
        history.write(&mut text).expect("written");
        let labels = r#"{job="a\"b",appliance="esa1",device="d",policy="#;
        let expected = format!(
            "# TYPE asyncos_x_last_window gauge\n# HELP asyncos_x_last_window Mail.\n\
             asyncos_x_last_window{labels}\"x\"}} 0.5 1795438800\n\
             # TYPE asyncos_x counter\n# HELP asyncos_x Mail.\n\
             asyncos_x_total{labels}\"x\"}} 0 1795435200.001\n\
             asyncos_x_total{labels}\"x\"}} 7 1795438800\n\
             asyncos_x_total{labels}\"y\"}} 0 1795435200.001\n\
             asyncos_x_total{labels}\"y\"}} 7 1795438800\n# EOF\n"
        );
        assert_eq!(String::from_utf8(text).expect("text"), expected);
    }
}

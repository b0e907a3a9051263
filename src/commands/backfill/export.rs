//! From the recorded answers of one appliance to files of samples. Names, labels and totals come from the code of the daemon:
//! the reports are read by [`Metrics`] and counted by a [`Ledger`] in memory. Holds the samples of two days at most.

use std::collections::{BTreeMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::api::Report;
use crate::base::clock::Timestamp;
use crate::base::window::Window;
use crate::exposition::{SampleHistory, SeriesLabels};
use crate::ledger::{Begun, CommitError, Counts, Ledger};
use crate::sample::{Families, Family, Kind, KnownKeys, Label, Metrics, Sample};
use crate::store::TotalsKey;

use super::availability::Availability;
use super::journal::{Journal, JournalAnswer, JournalError};
use super::plan::{AppliancePlan, ReportRange, replace};

const DAY_SECONDS: u64 = 24 * 3600;
/// The shortest time after another. A counter is 0 this long after the start of its range, and after the end of it: so that
/// `increase` counts its first window, a range that follows begins with the same sample, and the live counter, which begins
/// at 0 as well, is not subtracted from it.
const INSTANT: Duration = Duration::from_millis(1);

/// Counts of what was written about one appliance.
#[derive(Debug, Default)]
pub(super) struct ExportSummary {
    /// Windows with a report.
    pub(super) windows: u64,
    /// Windows without one, by the position of the report and the reason.
    pub(super) missing: BTreeMap<(usize, String), u64>,
    /// Reports that are not available.
    pub(super) refused: u64,
    /// In the order of their days.
    pub(super) files: Vec<PathBuf>,
    /// Samples that were sent to a receiver; none where there is no receiver.
    pub(super) sent: Option<u64>,
}

#[derive(Debug, thiserror::Error)]
pub(super) enum ExportError {
    #[error("cannot use the journal: {0}")]
    Journal(#[from] JournalError),
    #[error("cannot write samples: {0}")]
    Io(#[from] io::Error),
    #[error("cannot count a window: {0}")]
    Count(#[from] CommitError),
}

/// The metrics of one report of an appliance, and what is counted of it.
struct ReportTotals {
    key: TotalsKey,
    metrics: Metrics,
    labels: SeriesLabels,
    keys: KnownKeys,
    /// The totals that have begun.
    begun: HashSet<(Arc<Family>, Vec<Label>)>,
}

/// The form of the samples.
#[derive(Debug)]
pub(super) struct SampleForm {
    /// Labels that a scraper adds.
    pub(super) labels: Vec<(String, String)>,
    /// Each value is repeated so often until the next window ends; written once where absent.
    pub(super) step: Option<Duration>,
}

/// The files of samples, one for each day in UTC.
struct DayFiles<'a> {
    step: Option<Duration>,
    directory: &'a Path,
    name: String,
    /// Days that may get more samples, by their number since 1970.
    days: BTreeMap<u64, SampleHistory>,
    written: Vec<PathBuf>,
}

/// Writes the samples of `plan`, of which `journal` has all answers, into `directory`.
///
/// # Errors
/// When the journal is not complete, or a file cannot be written.
pub(super) async fn export(
    plan: &AppliancePlan,
    mut journal: Journal,
    directory: &Path,
    form: &SampleForm,
) -> Result<ExportSummary, ExportError> {
    let (ledger, families) = (Ledger::in_memory(), Families::default());
    let mut reports: Vec<ReportTotals> =
        plan.reports.iter().map(|report| ReportTotals::new(plan, report, &form.labels, &families)).collect();
    for (report, range) in reports.iter().zip(&plan.reports) {
        ledger.begin(&report.key, range.from);
    }
    let mut summary = ExportSummary::default();
    let mut availability = Availability::new(&plan.reports);
    while let Some((position, window)) = availability.next() {
        availability.take(window, answer(&mut journal, position, window)?);
    }
    summary.refused = (0..reports.len()).filter(|position| availability.is_refused(*position)).count() as u64;
    let mut files =
        DayFiles { step: form.step, directory, name: plan.file_name(), days: BTreeMap::new(), written: Vec::new() };
    let mut is_ended = vec![false; reports.len()];
    for (position, window) in availability.windows() {
        // Windows come by their ends: all those of such a report are counted, and its last day is not yet written.
        for (ended, (report, range)) in is_ended.iter_mut().zip(reports.iter().zip(&plan.reports)) {
            if range.to < window.start() && !std::mem::replace(ended, true) {
                report.end(range.to, &mut files);
            }
        }
        files.finish_before(window.start())?;
        let recorded = match availability.newest(position, window) {
            Some(answer) => answer.clone(),
            None => answer(&mut journal, position, window)?,
        };
        match recorded {
            JournalAnswer::Report(report) => {
                summary.windows += 1;
                let until = plan.reports[position].to;
                reports[position].count(&ledger, &report, (window, until), &mut files).await?;
            }
            JournalAnswer::Missing(reason) | JournalAnswer::Refused(reason) => {
                *summary.missing.entry((position, reason)).or_default() += 1;
            }
        }
    }
    for (_, (report, range)) in is_ended.iter().zip(reports.iter().zip(&plan.reports)).filter(|(ended, _)| !**ended) {
        report.end(range.to, &mut files);
    }
    files.finish()?;
    summary.files = files.written;
    Ok(summary)
}

fn answer(journal: &mut Journal, position: usize, window: Window) -> Result<JournalAnswer, JournalError> {
    journal.recorded_for(position, window.start().as_secs())?.ok_or(JournalError::Incomplete)
}

impl ReportTotals {
    fn new(plan: &AppliancePlan, report: &ReportRange, added: &[(String, String)], families: &Families) -> Self {
        let (name, choice) = (plan.appliance.name.as_str(), &report.choice);
        let group = (Arc::clone(&choice.group), report.scope.kind());
        Self {
            key: TotalsKey { appliance: name.into(), scope: report.scope.clone(), group: (*choice.group.name).into() },
            metrics: Metrics::new(group, Vec::new(), choice.top, choice.series_limit, families),
            labels: SeriesLabels::new(added, name, &report.scope),
            keys: KnownKeys::default(),
            begun: HashSet::new(),
        }
    }

    /// Counts `report` of a window in a range that ends at `until`.
    async fn count(
        &mut self,
        ledger: &Ledger,
        report: &Report,
        (window, until): (Window, Timestamp),
        files: &mut DayFiles<'_>,
    ) -> Result<(), CommitError> {
        let read = self.metrics.read(report, &self.keys);
        let from = ledger.watermark(&self.key).unwrap_or(window.start());
        let counts = Counts {
            increments: &read.increments,
            retired: &read.retired,
            summed: self.metrics.summed(),
            begun: &Begun::default(),
        };
        let account = ledger.commit(&self.key, from, window, &counts).await?.account;
        self.keys = KnownKeys::new(&account.seen, account.watermark);
        // A scrape would show these values until those of the next window are there.
        let shown = (window.end(), (window.end() + window.length()).min(until));
        for sample in &read.samples {
            files.add(Kind::Gauge, &self.labels, sample, shown);
        }
        for sample in self.metrics.totals(&account.totals) {
            if self.begun.insert((Arc::clone(&sample.family), sample.labels.clone())) {
                let zero = Sample { value: 0.0, ..sample.clone() };
                files.add(Kind::Counter, &self.labels, &zero, (window.start() + INSTANT, window.end()));
            }
            files.add(Kind::Counter, &self.labels, &sample, shown);
        }
        Ok(())
    }

    /// Ends the totals, whose range ends at `to`.
    fn end(&self, to: Timestamp, files: &mut DayFiles<'_>) {
        for (family, labels) in &self.begun {
            let zero = Sample { family: Arc::clone(family), labels: labels.clone(), value: 0.0 };
            files.add(Kind::Counter, &self.labels, &zero, (to + INSTANT, to));
        }
    }
}

impl DayFiles<'_> {
    /// Adds `sample` as of `from`, and repeats it before `until`.
    fn add(&mut self, kind: Kind, labels: &SeriesLabels, sample: &Sample, (from, until): (Timestamp, Timestamp)) {
        let mut at = from;
        loop {
            self.days.entry(at.as_secs() / DAY_SECONDS).or_default().add(kind, labels, sample, at);
            let Some(step) = self.step else { return };
            at = at + step;
            if at >= until {
                return;
            }
        }
    }

    /// Writes the days before `time`. No window that begins later has a sample in them.
    fn finish_before(&mut self, time: Timestamp) -> io::Result<()> {
        while let Some(day) = self.days.first_entry()
            && *day.key() < time.as_secs() / DAY_SECONDS
        {
            let (day, samples) = day.remove_entry();
            self.write(day, &samples)?;
        }
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        while let Some((day, samples)) = self.days.pop_first() {
            self.write(day, &samples)?;
        }
        Ok(())
    }

    fn write(&mut self, day: u64, samples: &SampleHistory) -> io::Result<()> {
        let date = Timestamp::from_secs(day * DAY_SECONDS).to_string();
        let date = date.split('T').next().unwrap_or_default();
        let path: PathBuf = self.directory.join(format!("{}-{date}.openmetrics", self.name));
        if self.written.contains(&path) {
            // What the first one has would be lost.
            return Err(io::Error::other(format!("`{}` would be written twice", path.display())));
        }
        replace(&path, |file| samples.write(file))?;
        self.written.push(path);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::backfill::journal::JournalEntry;
    use crate::config::Config;

    const MIDNIGHT: u64 = 1_795_392_000; // 2026-11-23T00:00:00Z
    const HOUR: u64 = 3600;

    #[tokio::test]
    async fn a_report_that_ends_days_before_another_keeps_the_samples_of_its_last_day() {
        let text = "appliances: [{name: a, url: 'https://a', username: m, password: p, counter_groups: \
                    [mail_incoming_traffic_summary, mail_outgoing_traffic_summary]}]";
        let appliance = Config::parse("test", text).expect("a configuration").appliances.remove(0);
        let ends = [MIDNIGHT + 20 * HOUR, MIDNIGHT + 68 * HOUR];
        let range = |((scope, choice), end): ((&crate::config::Scope, &crate::config::GroupChoice), u64)| ReportRange {
            scope: scope.clone(),
            choice: choice.clone(),
            from: Timestamp::from_secs(MIDNIGHT + 18 * HOUR),
            to: Timestamp::from_secs(end),
            recent_from: None,
        };
        let reports: Vec<_> = appliance.reports().zip(ends).map(range).collect();
        let plan = AppliancePlan { appliance: appliance.clone(), reports };
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("journal");
        let mut journal = Journal::open(&path, plan.digest()).expect("a journal");
        assert_eq!(journal.recorded().expect("readable"), None);
        let body = r#"{"data": {"resultSet": [{"total_recipients": 5}]}}"#;
        let answer = JournalAnswer::Report(Report::parse(body).expect("a report"));
        let mut availability = Availability::new(&plan.reports);
        let mut record = |report, window: Window| {
            let entry = JournalEntry { report, start: window.start().as_secs(), answer: answer.clone() };
            journal.record(&entry).expect("written");
        };
        while let Some((position, window)) = availability.next() {
            record(position, window);
            availability.take(window, answer.clone());
        }
        for (position, window) in availability.windows() {
            if availability.newest(position, window).is_none() {
                record(position, window);
            }
        }
        drop(journal);
        let journal = Journal::open(&path, plan.digest()).expect("a journal");
        let form = SampleForm { labels: Vec::new(), step: None };
        let summary = export(&plan, journal, directory.path(), &form).await.expect("exported");
        let days = ["a-2026-11-23.openmetrics", "a-2026-11-24.openmetrics", "a-2026-11-25.openmetrics"];
        assert_eq!(summary.files, days.map(|day| directory.path().join(day)));
        let day = std::fs::read_to_string(&summary.files[0]).expect("a file");
        let total = |group: &str, value: u64, at: &str| {
            format!("asyncos_mail_{group}_traffic_summary_total_recipients_total{{appliance=\"a\"}} {value} {at}\n")
        };
        for line in [
            total("incoming", 5, &(MIDNIGHT + 19 * HOUR).to_string()),
            total("incoming", 10, &ends[0].to_string()),
            total("incoming", 0, &format!("{}.001", ends[0])),
            total("outgoing", 25, &(MIDNIGHT + 23 * HOUR).to_string()),
        ] {
            assert!(day.contains(&line), "{line}{day}");
        }
    }
}

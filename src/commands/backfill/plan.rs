//! The plan of a backfill: the reports of each appliance and the time range of each. Pure but for the file that keeps the
//! plan, so that the same command continues it later.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::api::Query;
use crate::base::clock::Timestamp;
use crate::base::hash;
use crate::base::window::{Grid, Window};
use crate::config::{Appliance, GroupChoice, Scope};

const FILE: &str = "plan.json";
/// Counts up when an older version could not continue what a newer one began.
const VERSION: u32 = 1;
const MINUTE: Duration = Duration::from_secs(60);

/// One report of an appliance and the range in which it is requested; empty where `to` is not later than `from`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ReportRange {
    pub(super) scope: Scope,
    pub(super) choice: GroupChoice,
    pub(super) from: Timestamp,
    pub(super) to: Timestamp,
    /// The start of an hour from which on the windows are those of the configuration; none where all are hours.
    pub(super) recent_from: Option<Timestamp>,
}

/// The requests to one appliance.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct AppliancePlan {
    pub(super) appliance: Appliance,
    pub(super) reports: Vec<ReportRange>,
}

/// The windows of several reports, oldest first. Holds one window of each report, however long the range is.
#[derive(Debug)]
pub(super) struct Chronology<'a> {
    reports: &'a [ReportRange],
    /// The end of the next window of each report, the position of the report, and the start of the window.
    next: BinaryHeap<Reverse<(Timestamp, usize, Timestamp)>>,
}

/// The part of the command line that decides what is requested.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Request {
    pub(super) from: String,
    pub(super) to: Option<String>,
    pub(super) appliances: Vec<String>,
    pub(super) groups: Vec<String>,
    /// In seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) recent_windows: Option<u64>,
}

/// The plan as it is kept beside the samples.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct PlanFile {
    version: u32,
    request: Request,
    appliances: Vec<KeptAppliance>,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct KeptAppliance {
    name: String,
    reports: Vec<KeptReport>,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct KeptReport {
    report: String,
    from: u64,
    to: u64,
    /// The start of the windows that are not hours, and their length in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    recent: Option<(u64, u64)>,
}

impl ReportRange {
    /// Whole hours, or the windows of the configuration where those are longer.
    pub(super) fn grid(choice: &GroupChoice) -> Grid {
        choice.grid.in_hours()
    }

    /// The windows at `time`.
    fn grid_at(&self, time: Timestamp) -> Grid {
        match self.recent_from {
            Some(from) if from <= time => self.choice.grid,
            Some(_) | None => Self::grid(&self.choice),
        }
    }

    /// The window from `start` on; the last one may be a part of an hour, up to where the totals of the exporter begin.
    fn window_from(&self, start: Timestamp) -> Option<Window> {
        let window = self.grid_at(start).window_from(start);
        if window.end() <= self.to {
            return Some(window);
        }
        let minutes = Grid::try_new(MINUTE).ok()?;
        let count = u32::try_from(minutes.count_between(start, self.to)).ok()?;
        (count > 0).then(|| minutes.stretch_from(start, count))
    }

    /// The number of windows.
    pub(super) fn windows(&self) -> u64 {
        let count = |grid: Grid, from: Timestamp, to: Timestamp| {
            grid.count_between(from, to) + u64::from(from < to && grid.floor(to) < to)
        };
        let recent = self.recent_from.unwrap_or(self.to);
        count(Self::grid(&self.choice), self.from, recent) + count(self.choice.grid, recent, self.to)
    }

    /// The newest whole window, or the only one.
    pub(super) fn newest(&self) -> Option<Window> {
        let first = self.recent_from.unwrap_or(self.from);
        let grid = self.grid_at(first);
        let start = grid.floor(self.to) - grid.length();
        self.window_from(if start < first { first } else { start })
    }

    /// The same range in hours alone.
    pub(super) fn in_hours(&self) -> Self {
        Self { recent_from: None, ..self.clone() }
    }

    pub(super) fn query(&self, window: Window) -> Query {
        let GroupChoice { group, top, .. } = &self.choice;
        Query { scope: self.scope.clone(), group: Arc::clone(group), top: *top, search: None, window }
    }

    /// The report in words; reports that differ in what they return differ here.
    fn identity(&self) -> String {
        let GroupChoice { group, top, series_limit, .. } = &self.choice;
        let top = top.map_or_else(String::new, |top| format!(", top {top}"));
        let window = Self::grid(&self.choice).length().as_secs();
        format!("{} of {}{top}, {series_limit} series, windows of {window} s", group.name, self.scope)
    }
}

impl AppliancePlan {
    pub(super) fn requests(&self) -> u64 {
        self.reports.iter().map(ReportRange::windows).sum()
    }

    /// The start of the earliest range and the end of the latest; none where nothing is requested.
    pub(super) fn range(&self) -> Option<(Timestamp, Timestamp)> {
        let asked = || self.reports.iter().filter(|report| report.windows() > 0);
        let (from, to) = (asked().map(|report| report.from).min(), asked().map(|report| report.to).max());
        from.zip(to)
    }

    /// A number that another plan does not have.
    pub(super) fn digest(&self) -> u64 {
        let kept = serde_json::to_string(&KeptAppliance::of(self)).unwrap_or_default();
        hash::stable(kept.as_bytes())
    }

    /// The name as a part of names of files.
    pub(super) fn file_name(&self) -> String {
        let mut name = String::new();
        for byte in self.appliance.name.bytes() {
            match byte {
                b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'-' | b'_' | b'.' => name.push(char::from(byte)),
                _ => name += &format!("%{byte:02x}"),
            }
        }
        name
    }
}

impl<'a> Chronology<'a> {
    /// All windows of `reports`, oldest first.
    pub(super) fn new(reports: &'a [ReportRange]) -> Self {
        let mut windows = Self { reports, next: BinaryHeap::new() };
        for (position, report) in reports.iter().enumerate() {
            windows.push(position, report.from);
        }
        windows
    }

    fn push(&mut self, position: usize, start: Timestamp) {
        if let Some(window) = self.reports[position].window_from(start) {
            self.next.push(Reverse((window.end(), position, start)));
        }
    }
}

impl Iterator for Chronology<'_> {
    /// The position of a report, and a window.
    type Item = (usize, Window);

    fn next(&mut self) -> Option<Self::Item> {
        let Reverse((end, position, start)) = self.next.pop()?;
        self.push(position, end);
        Some((position, self.reports[position].window_from(start)?))
    }
}

impl KeptAppliance {
    fn of(plan: &AppliancePlan) -> Self {
        let kept = |report: &ReportRange| KeptReport {
            report: report.identity(),
            from: report.from.as_secs(),
            to: report.to.as_secs(),
            recent: report.recent_from.map(|from| (from.as_secs(), report.choice.grid.length().as_secs())),
        };
        Self { name: plan.appliance.name.clone(), reports: plan.reports.iter().map(kept).collect() }
    }
}

impl PlanFile {
    pub(super) fn new(request: Request, plans: &[AppliancePlan]) -> Self {
        Self { version: VERSION, request, appliances: plans.iter().map(KeptAppliance::of).collect() }
    }

    /// The plan in `directory`; none where there is none.
    ///
    /// # Errors
    /// When there is one that cannot be read.
    pub(super) fn load(directory: &Path) -> Result<Option<Self>, String> {
        let path = directory.join(FILE);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(format!("cannot read `{}`: {error}", path.display())),
        };
        match serde_json::from_slice::<Self>(&text) {
            Ok(plan) if plan.version == VERSION => Ok(Some(plan)),
            Ok(plan) => Err(format!("`{}` was written by another version ({})", path.display(), plan.version)),
            Err(error) => Err(format!("cannot read `{}`: {error}", path.display())),
        }
    }

    /// Writes the plan into `directory`, whole or not at all.
    ///
    /// # Errors
    /// Those of the file system.
    pub(super) fn save(&self, directory: &Path) -> std::io::Result<()> {
        let mut text = serde_json::to_string_pretty(self)?;
        text.push('\n');
        replace(&directory.join(FILE), |file| std::io::Write::write_all(file, text.as_bytes()))
    }

    /// Gives the reports of `plans` the ranges that were planned for them.
    ///
    /// # Errors
    /// The difference from what was planned.
    pub(super) fn apply(&self, request: &Request, plans: &mut [AppliancePlan]) -> Result<(), String> {
        if self.request != *request {
            return Err(
                "it was begun with other values of --from, --to, --appliance, --group or --recent-windows".into()
            );
        }
        if self.appliances.len() != plans.len() {
            return Err("the configuration has other appliances now".into());
        }
        for (kept, plan) in self.appliances.iter().zip(plans) {
            let same = kept.name == plan.appliance.name && kept.reports.len() == plan.reports.len();
            let is_other = |(kept, report): (&KeptReport, &ReportRange)| {
                let window = report.choice.grid.length().as_secs();
                kept.report != report.identity() || kept.recent.is_some_and(|(_, kept)| kept != window)
            };
            if !same || kept.reports.iter().zip(&plan.reports).any(is_other) {
                return Err(format!("the configuration of `{}` has changed", kept.name));
            }
            for (kept, report) in kept.reports.iter().zip(&mut plan.reports) {
                (report.from, report.to) = (Timestamp::from_secs(kept.from), Timestamp::from_secs(kept.to));
                report.recent_from = kept.recent.map(|(from, _)| Timestamp::from_secs(from));
            }
        }
        Ok(())
    }
}

/// Writes `path` by way of another file, so that nobody sees a part of it.
pub(super) fn replace(
    path: &Path,
    write: impl FnOnce(&mut std::io::BufWriter<fs::File>) -> std::io::Result<()>,
) -> std::io::Result<()> {
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(".tmp");
    let temporary = PathBuf::from(temporary);
    let mut file = std::io::BufWriter::new(fs::File::create(&temporary)?);
    write(&mut file)?;
    file.into_inner().map_err(std::io::IntoInnerError::into_error)?.sync_all()?;
    fs::rename(&temporary, path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    const NOON: u64 = 1_795_435_200; // 2026-11-23T12:00:00Z

    fn plan(groups: &str, from: u64, to: u64) -> AppliancePlan {
        let text = format!(
            "appliances: [{{name: 'a/b', url: 'https://a', username: m, password: p, counter_groups: {groups}}}]"
        );
        let appliance = Config::parse("test", &text).expect("a configuration").appliances.remove(0);
        let range = |(scope, choice): (&Scope, &GroupChoice)| ReportRange {
            scope: scope.clone(),
            choice: choice.clone(),
            from: Timestamp::from_secs(NOON + from * 60),
            to: Timestamp::from_secs(NOON + to * 60),
            recent_from: None,
        };
        let reports = appliance.reports().map(range).collect();
        AppliancePlan { appliance, reports }
    }

    fn minutes(window: Window) -> (u64, u64) {
        let minutes = |time: Timestamp| (time.as_secs() - NOON) / 60;
        (minutes(window.start()), minutes(window.end()))
    }

    #[test]
    fn windows_are_hours_oldest_first_and_end_where_the_totals_begin() {
        let groups = "[mail_system_capacity, {name: mail_incoming_domain_detail, top: 5, window: 2h}]";
        let mut plan = plan(groups, 0, 275);
        plan.reports[1].to = Timestamp::from_secs(NOON + 240 * 60);
        let windows: Vec<_> =
            Chronology::new(&plan.reports).map(|(report, window)| (report, minutes(window))).collect();
        let expected = [
            (0, (0, 60)),
            (0, (60, 120)),
            (1, (0, 120)),
            (0, (120, 180)),
            (0, (180, 240)),
            (1, (120, 240)),
            (0, (240, 275)),
        ];
        assert_eq!(windows, expected);
        assert_eq!(plan.requests(), 7);
        let newest: Vec<_> = plan.reports.iter().map(|report| report.newest().map(minutes)).collect();
        assert_eq!(newest, [Some((180, 240)), Some((120, 240))]);
        assert_eq!(plan.range(), Some((Timestamp::from_secs(NOON), Timestamp::from_secs(NOON + 275 * 60))));
    }

    #[test]
    fn recent_windows_are_those_of_the_configuration() {
        let mut plan = plan("[{name: mail_system_capacity, window: 20m}]", 0, 200);
        plan.reports[0].recent_from = Some(Timestamp::from_secs(NOON + 120 * 60));
        let windows: Vec<_> = Chronology::new(&plan.reports).map(|(_, window)| minutes(window)).collect();
        assert_eq!(windows, [(0, 60), (60, 120), (120, 140), (140, 160), (160, 180), (180, 200)]);
        assert_eq!((plan.requests(), plan.reports[0].newest().map(minutes)), (6, Some((180, 200))));
        let hours = plan.reports[0].in_hours();
        assert_eq!((hours.windows(), hours.newest().map(minutes)), (4, Some((120, 180))));
    }

    #[test]
    fn short_ranges_have_one_window_or_none() {
        for (to, windows, newest) in [(0, 0, None), (35, 1, Some((0, 35))), (60, 1, Some((0, 60)))] {
            let plan = plan("[mail_system_capacity]", 0, to);
            assert_eq!(
                (plan.requests(), Chronology::new(&plan.reports).count()),
                (windows, usize::try_from(windows).unwrap_or(0))
            );
            assert_eq!(plan.reports[0].newest().map(minutes), newest);
        }
    }

    #[test]
    fn a_plan_is_continued_by_the_same_command_only() {
        let directory = tempfile::tempdir().expect("a directory");
        let request =
            Request { from: "30d".into(), to: None, appliances: vec![], groups: vec![], recent_windows: None };
        let planned = plan("[mail_system_capacity]", 0, 120);
        assert_eq!(PlanFile::load(directory.path()), Ok(None));
        PlanFile::new(request.clone(), std::slice::from_ref(&planned)).save(directory.path()).expect("written");
        let file = PlanFile::load(directory.path()).expect("readable").expect("there");
        let mut later = [plan("[mail_system_capacity]", 60, 180)];
        assert_eq!(file.apply(&request, &mut later), Ok(()));
        assert_eq!(later[0], planned, "the range is that of the first run");
        assert_eq!(later[0].digest(), planned.digest());
        let other = Request { from: "31d".into(), ..request.clone() };
        assert!(file.apply(&other, &mut later).is_err());
        let mut other = [plan("[mail_incoming_traffic_summary]", 0, 120)];
        assert_eq!(file.apply(&request, &mut other), Err("the configuration of `a/b` has changed".into()));
        assert_eq!(planned.file_name(), "a%2fb");
    }
}

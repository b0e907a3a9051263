//! The ranges of a new plan: from what was requested, what has settled, and what the exporter has counted. Pure.

use std::collections::HashMap;
use std::time::Duration;

use crate::base::clock::Timestamp;
use crate::base::window::Grid;
use crate::cli::TimePoint;
use crate::config::{Alignment, Appliance, GroupChoice, Scope};
use crate::store::{Record, TotalsKey};

use super::plan::{AppliancePlan, ReportRange};

const MINUTE: Duration = Duration::from_secs(60);

/// The range of the command line, and the time at which it is read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ranges<'a> {
    pub(super) from: &'a TimePoint,
    pub(super) to: Option<&'a TimePoint>,
    pub(super) now: Timestamp,
    /// The age up to which windows are those of the configuration.
    pub(super) recent: Option<Duration>,
    /// The records of what the exporter has counted.
    pub(super) records: &'a HashMap<TotalsKey, Record>,
}

impl Ranges<'_> {
    /// The plan for `appliance`, with the counter groups in `groups`, or all.
    ///
    /// # Errors
    /// When the exporter has counted a part of the range already, or the range is not over.
    pub(super) fn plan(self, appliance: &Appliance, groups: &[String]) -> Result<AppliancePlan, String> {
        let is_wanted =
            |choice: &GroupChoice| groups.is_empty() || groups.iter().any(|name| *name == choice.group.name);
        let reports = appliance.reports().filter(|(_, choice)| is_wanted(choice));
        let ranges = reports.map(|(scope, choice)| self.report(appliance, scope, choice));
        Ok(AppliancePlan { appliance: appliance.clone(), reports: ranges.collect::<Result<_, _>>()? })
    }

    fn report(self, appliance: &Appliance, scope: &Scope, choice: &GroupChoice) -> Result<ReportRange, String> {
        let grid = ReportRange::grid(choice);
        let from = grid.ceil(self.from.at(self.now));
        let settled = self.now - appliance.polling.settle.initial();
        let counted = self.counted(appliance, scope, choice);
        let to = match (self.to, counted) {
            (Some(to), counted) => {
                let to = grid.floor(to.at(self.now));
                if to > settled {
                    return Err(format!("--to: the hour before {to} is not complete on `{}` yet", appliance.name));
                }
                if let Some((since, until)) = counted.filter(|(since, _)| *since < to) {
                    return Err(format!(
                        "the exporter has counted {} of `{}`, {scope}, from {since} to {until}: a backfill of the same time would \
                         count it twice; leave --to out to end where the totals of the exporter begin",
                        choice.group.name, appliance.name
                    ));
                }
                to
            }
            // To the minute, so that no part of an hour is missing in between.
            (None, Some((since, _))) if !is_longer_than_hours(grid) => since.min(floor_minute(settled)),
            (None, Some((since, _))) => grid.floor(since.min(settled)),
            (None, None) => grid.floor(settled),
        };
        let to = to.max(from);
        let recent_from = self.recent.map(|recent| Grid::HOURS.ceil(self.now - recent).max(from));
        let takes_minutes = choice.grid.needs_minutes() && appliance.polling.alignment != Alignment::Hour;
        let recent_from = recent_from.filter(|recent| takes_minutes && *recent < to);
        Ok(ReportRange { scope: scope.clone(), choice: choice.clone(), from, to, recent_from })
    }

    /// The start and the end of what the exporter has counted.
    fn counted(self, appliance: &Appliance, scope: &Scope, choice: &GroupChoice) -> Option<(Timestamp, Timestamp)> {
        let key = TotalsKey {
            appliance: appliance.name.as_str().into(),
            scope: scope.clone(),
            group: (*choice.group.name).into(),
        };
        let record = self.records.get(&key)?;
        Some((Timestamp::from_secs(record.epoch), Timestamp::from_secs(record.watermark)))
    }
}

fn is_longer_than_hours(grid: Grid) -> bool {
    grid.length() > Grid::HOURS.length()
}

fn floor_minute(time: Timestamp) -> Timestamp {
    Timestamp::from_secs(time.as_secs() / MINUTE.as_secs() * MINUTE.as_secs())
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::{Backfill, Cli, Command};
    use crate::config::Config;

    const NOON: u64 = 1_795_435_200; // 2026-11-23T12:00:00Z

    fn flags(arguments: &[&str]) -> Backfill {
        let all = [&["asyncos_exporter", "backfill", "--output=x"], arguments].concat();
        match Cli::try_parse_from(all).expect("a command line").command() {
            Command::Backfill(flags) => flags,
            other => panic!("{other:?}"),
        }
    }

    /// The ranges of two reports, of hours and of two hours, in minutes before noon, at 12:50 where reports settle in 2 min.
    fn planned(arguments: &[&str], counted: Option<(u64, u64)>) -> Result<Vec<(u64, u64)>, String> {
        let text = "appliances: [{name: a, url: 'https://a', username: m, password: p, counter_groups: \
                    [mail_system_capacity, {name: mail_incoming_domain_detail, top: 5, window: 2h}]}]";
        let appliance = Config::parse("test", text).expect("a configuration").appliances.remove(0);
        let key = |group: &str| TotalsKey { appliance: "a".into(), scope: Scope::Appliance, group: group.into() };
        let records = ["mail_system_capacity", "mail_incoming_domain_detail"].into_iter().filter_map(|group| {
            let (epoch, watermark) = counted?;
            let (epoch, watermark) = (NOON + epoch * 60, NOON + watermark * 60);
            Some((key(group), Record { epoch, watermark, ..Record::default() }))
        });
        let records = records.collect();
        let flags = flags(arguments);
        let now = Timestamp::from_secs(NOON + 50 * 60);
        let ranges =
            Ranges { from: &flags.from, to: flags.to.as_ref(), now, recent: flags.recent_windows, records: &records };
        let plan = ranges.plan(&appliance, &flags.groups)?;
        let minutes = |time: Timestamp| time.as_secs() / 60 + 24 * 60 - NOON / 60;
        Ok(plan.reports.iter().map(|report| (minutes(report.from), minutes(report.to))).collect())
    }

    #[test]
    fn ranges_are_whole_hours_that_have_settled() {
        assert_eq!(planned(&["--from=5h"], None), Ok(vec![(1200, 1440), (1200, 1440)]));
        let day = ["--from=2026-11-23", "--to=2026-11-23T03:30:00Z"];
        assert_eq!(planned(&day, None), Ok(vec![(720, 900), (720, 840)]));
        assert_eq!(planned(&["--from=5m"], None), Ok(vec![(1500, 1500), (1560, 1560)]), "nothing to request");
        let early = planned(&["--from=5h", "--to=2026-11-23T13:00:00Z"], None);
        assert_eq!(early, Err("--to: the hour before 2026-11-23T13:00:00.000Z is not complete on `a` yet".into()));
        assert_eq!(planned(&["--from=5h", "--group=mail_system_capacity"], None), Ok(vec![(1200, 1440)]));
    }

    #[test]
    fn they_end_to_the_minute_where_the_totals_of_the_exporter_begin() {
        assert_eq!(planned(&["--from=5h"], Some((35, 45))), Ok(vec![(1200, 1475), (1200, 1440)]));
        assert_eq!(planned(&["--from=2h"], Some((35, 45))), Ok(vec![(1380, 1475), (1440, 1440)]));
    }

    #[test]
    fn recent_windows_begin_with_an_hour_and_need_minutes() {
        let text = "defaults: {window: 5m}\nappliances:\n  - {name: a, url: 'https://a', username: m, password: p, \
                    counter_groups: [mail_system_capacity, {name: mail_incoming_traffic_summary, window: 1h}]}\n  - \
                    {name: b, url: 'https://b', username: m, password: p, polling: {alignment: hour}, counter_groups: minimal}";
        let config = Config::parse("test", text).expect("a configuration");
        let recent = |from: &str| {
            let (flags, records) = (flags(&[from, "--recent-windows=3h"]), HashMap::new());
            let now = Timestamp::from_secs(NOON + 50 * 60);
            let ranges = Ranges { from: &flags.from, to: None, now, recent: flags.recent_windows, records: &records };
            let plan = |appliance| ranges.plan(appliance, &[]).expect("a plan").reports;
            config.appliances.iter().flat_map(plan).map(|report| report.recent_from).collect::<Vec<_>>()
        };
        let hours_before_noon = |hours: u64| Some(Timestamp::from_secs(NOON - hours * 3600));
        assert_eq!(recent("--from=5h"), [hours_before_noon(2), None, None, None, None]);
        assert_eq!(recent("--from=2h"), [hours_before_noon(1), None, None, None, None]);
        assert_eq!(recent("--from=30m"), [None; 5], "nothing is requested");
    }

    #[test]
    fn what_the_exporter_has_counted_is_refused() {
        let until_noon = ["--from=5h", "--to=2026-11-23T12:00:00Z"];
        assert_eq!(planned(&until_noon, Some((0, 45))), Ok(vec![(1200, 1440), (1200, 1440)]));
        let text = "appliances: [{name: a, url: 'https://a', username: m, password: p, counter_groups: [mail_system_capacity]}]";
        let appliance = Config::parse("test", text).expect("a configuration").appliances.remove(0);
        let key = TotalsKey { appliance: "a".into(), scope: Scope::Appliance, group: "mail_system_capacity".into() };
        let record = Record { epoch: NOON - 7200, watermark: NOON + 2700, ..Record::default() };
        let (records, flags) = (HashMap::from([(key, record)]), flags(&until_noon));
        let now = Timestamp::from_secs(NOON + 3000);
        let ranges =
            Ranges { from: &flags.from, to: flags.to.as_ref(), now, recent: flags.recent_windows, records: &records };
        let error = ranges.plan(&appliance, &[]).expect_err("counted since ten");
        assert!(
            error.starts_with(
                "the exporter has counted mail_system_capacity of `a`, the appliance, from 2026-11-23T10:00:00.000Z to \
                 2026-11-23T12:45:00.000Z: "
            ),
            "{error}"
        );
    }
}

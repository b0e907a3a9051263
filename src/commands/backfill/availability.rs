//! The first requests to an appliance: the newest window of each report, which shows whether the report is available and
//! whether it is answered for minutes. Pure: the answers come from the appliance or from the journal.

use std::collections::BTreeMap;

use crate::base::window::Window;

use super::journal::JournalAnswer;
use super::plan::{Chronology, ReportRange};

/// The reports as far as is known, and the answers for their newest windows.
#[derive(Debug)]
pub(super) struct Availability {
    reports: Vec<ReportRange>,
    newest: BTreeMap<usize, (Window, JournalAnswer)>,
    /// The position of the report that is requested next.
    next: usize,
}

impl Availability {
    pub(super) fn new(reports: &[ReportRange]) -> Self {
        Self { reports: reports.to_vec(), newest: BTreeMap::new(), next: 0 }
    }

    /// The next request: the position of a report, and a window; none once all reports are known.
    pub(super) fn next(&mut self) -> Option<(usize, Window)> {
        loop {
            let newest = self.reports.get(self.next)?.newest();
            if let Some(window) = newest {
                return Some((self.next, window));
            }
            self.next += 1;
        }
    }

    /// Takes the answer to the next request.
    pub(super) fn take(&mut self, window: Window, answer: JournalAnswer) {
        let report = &mut self.reports[self.next];
        // Its windows may be what is declined: the next request is for an hour.
        if report.recent_from.is_some() && matches!(answer, JournalAnswer::Refused(_)) {
            *report = report.in_hours();
            return;
        }
        self.newest.insert(self.next, (window, answer));
        self.next += 1;
    }

    /// The report with the windows that it is answered for.
    pub(super) fn report(&self, position: usize) -> &ReportRange {
        &self.reports[position]
    }

    pub(super) fn is_refused(&self, position: usize) -> bool {
        self.newest.get(&position).is_some_and(|(_, answer)| matches!(answer, JournalAnswer::Refused(_)))
    }

    /// The answer for `window`, if it is the newest of the report.
    pub(super) fn newest(&self, position: usize, window: Window) -> Option<&JournalAnswer> {
        self.newest.get(&position).filter(|(newest, _)| *newest == window).map(|(_, answer)| answer)
    }

    /// All windows of the reports that are available, oldest first.
    pub(super) fn windows(&self) -> impl Iterator<Item = (usize, Window)> {
        Chronology::new(&self.reports).filter(|(position, _)| !self.is_refused(*position))
    }

    /// The requests that the plan has and that are not made.
    pub(super) fn dropped(planned: &ReportRange, now: &ReportRange) -> u64 {
        planned.windows().saturating_sub(now.windows() + 1)
    }
}

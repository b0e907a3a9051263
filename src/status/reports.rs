//! The problems of an appliance with its reports and status: which do not arrive, and what they have in common.

use crate::api::{Failure, Reason};
use crate::catalogue;
use crate::config::Scope;
use crate::snapshot::{AspectView, GroupView, Snapshot};

use super::problem::Problem;
use super::requests::{Asked, AspectStatus, GroupStatus};

/// The only report of an ESA with centralized reporting.
const CAPACITY: &str = "mail_system_capacity";

/// A report that was requested and did not arrive.
struct Missing<'a> {
    status: &'a GroupStatus,
    scope: &'a Scope,
    reason: Reason,
    /// The newest failure.
    failure: Option<&'a Failure>,
}

impl<'a> Missing<'a> {
    fn of(status: &'a GroupStatus, view: &'a GroupView) -> Option<Self> {
        let reason = match status.asked {
            Asked::Failing => view.trouble.as_ref()?.reason(),
            Asked::Refused => view.refusal?,
            Asked::Answered | Asked::Waiting => return None,
        };
        let failure = view.trouble.as_deref().map(|trouble| &trouble.failure);
        Some(Self { status, scope: &view.scope, reason, failure })
    }

    /// The likely cause, and what to do.
    fn advice(&self) -> String {
        self.failure.map_or_else(|| self.reason.advice().to_owned(), Failure::explanation)
    }

    fn has_never_arrived(&self) -> bool {
        self.status.last_success.is_none()
    }
}

/// Problems of the reports and the status of an appliance that is up.
pub(super) fn problems(groups: &[GroupStatus], status: &[AspectStatus], known: &Snapshot) -> Vec<Problem> {
    let views = || known.groups.iter().map(AsRef::as_ref);
    let mut missing: Vec<Missing<'_>> =
        groups.iter().zip(views()).filter_map(|(status, view)| Missing::of(status, view)).collect();
    let mut problems = Vec::new();
    let is_of_mail = |view: &GroupView| *view.group != *CAPACITY && catalogue::group(&view.group).is_some();
    if known.centralized == Some(true) && views().any(is_of_mail) {
        problems.push(Problem::Centralized);
        missing.retain(|report| !matches!(report.reason, Reason::Declined | Reason::Empty));
    }
    // The reason of one report is that of all.
    let is_none = missing.len() == groups.len() && missing.iter().all(Missing::has_never_arrived);
    if let (true, Some(first)) = (is_none, missing.first()) {
        let is_of_the_role = missing.iter().all(|report| report.reason == Reason::NotAllowed);
        problems.push(match is_of_the_role {
            true => Problem::Role { count: missing.len(), example: None },
            false => Problem::NoReport { reason: first.reason, advice: first.advice() },
        });
        missing.clear();
    }
    let mut unknown: Vec<Scope> = Vec::new();
    for report in &missing {
        let is_new = *report.scope != Scope::Appliance && !unknown.contains(report.scope);
        let of_scope = || missing.iter().filter(|other| other.scope == report.scope);
        // A report that is declined for one scope may be offered for others; a scope without any is not there.
        let is_offered_nothing =
            |other: &Missing<'_>| other.has_never_arrived() && matches!(other.reason, Reason::Declined | Reason::Empty);
        let all = views().filter(|view| view.scope == *report.scope).count();
        if is_new && of_scope().count() == all && of_scope().all(is_offered_nothing) {
            unknown.push(report.scope.clone());
        }
    }
    missing.retain(|report| !unknown.contains(report.scope));
    problems.extend(unknown.into_iter().map(Problem::UnknownScope));
    let of_groups = missing.iter().filter(|report| report.status.asked == Asked::Failing);
    let aspects = || status.iter().zip(known.aspects.iter().map(AsRef::as_ref));
    let of_status = aspects().filter(|(aspect, _)| aspect.asked == Asked::Failing);
    let failing: Vec<_> = of_groups
        .map(|report| (report.status.title(), report.reason, report.advice()))
        .chain(of_status.filter_map(|(aspect, view)| {
            let failure = &view.trouble.as_ref()?.failure;
            Some((aspect.group.to_owned(), failure.reason, failure.explanation()))
        }))
        .collect();
    let count = failing.len();
    if let Some((example, reason, advice)) = failing.into_iter().next() {
        problems.push(Problem::Failing { count, example, reason, advice });
    }
    let mut refused = |is_of_the_role: bool| {
        let is_so = |report: &&Missing<'_>| {
            report.status.asked == Asked::Refused && (report.reason == Reason::NotAllowed) == is_of_the_role
        };
        let titles: Vec<_> = missing.iter().filter(is_so).map(|report| report.status.title()).collect();
        let Some(example) = titles.first().cloned() else { return };
        let count = titles.len();
        problems.push(match is_of_the_role {
            true => Problem::Role { count, example: Some(example) },
            false => Problem::Refused { count, example },
        });
    };
    refused(true);
    refused(false);
    // What only the default requests may be missing, unless there is nothing else.
    let is_nothing = groups.is_empty() && aspects().all(|(aspect, _)| aspect.asked == Asked::Refused);
    let refused: Vec<_> = aspects().filter(|(_, view)| view.is_wanted || is_nothing).collect();
    problems.extend(
        [Reason::NotAllowed, Reason::Declined].into_iter().filter_map(|reason| of_status_for(reason, &refused)),
    );
    problems
}

/// The problem of the kinds of status that are refused for `reason`.
fn of_status_for(reason: Reason, wanted: &[(&AspectStatus, &AspectView)]) -> Option<Problem> {
    let refused = || wanted.iter().map(|(_, view)| *view).filter(|view| view.refusal == Some(reason));
    let trouble = refused().find_map(|view| view.trouble.as_ref())?;
    Some(Problem::StatusRefused {
        names: refused().map(|view| view.name).collect(),
        options: refused().map(|view| view.option).collect(),
        reason,
        advice: trouble.failure.explanation(),
    })
}

//! `GET reporting/<group>`: the checks on the request, in the order the appliance is taken to make them (assumed), and
//! the report.

use std::time::SystemTime;

use crate::sim::answer::Answer;
use crate::sim::attribute::{self, DATES, check_names, given, invalid, missing, number, one_of, unsupported};
use crate::sim::form::Centralized;
use crate::sim::group::{self, Group};
use crate::sim::report::{self, Report, ReportRequest};
use crate::sim::request::Request;
use crate::sim::scalar::{Contents, ScalarGroup};
use crate::sim::settings::{Product, Settings, TrafficKind};
use crate::sim::span::Span;
use crate::sim::table::{Direction, KeyFilter, Page, RowSelection};
use crate::sim::unix_secs;

/// Attributes a report takes; `query_type` is not among them because no answer to it is known. **Source:** API guide
/// 16.0, reporting.
const ATTRIBUTES: [&str; 13] = [
    "startDate",
    "endDate",
    "device_type",
    "device_group_name",
    "device_name",
    "orderBy",
    "orderDir",
    "offset",
    "limit",
    "top",
    "filterBy",
    "filterValue",
    "filterOperator",
];

/// Attributes that work only together; with one missing the report comes back empty. **Source:** API guide 16.0,
/// reporting; for the filter it is assumed.
const PAIRS: [(&str, &str); 3] = [("orderBy", "orderDir"), ("offset", "limit"), ("filterBy", "filterValue")];

/// The requested report when the appliance's clock shows `clock`.
pub(super) fn report(
    settings: &Settings,
    request: &Request,
    clock: SystemTime,
    name: &str,
    counter: Option<&str>,
) -> Result<Report, Answer> {
    let behaviour = &settings.behaviour;
    if behaviour.forbidden_groups.contains(name) {
        return Err(Answer::unauthorized());
    }
    let group = available_group(settings, name).ok_or_else(Answer::not_found)?;
    let single = match counter {
        None => None,
        Some(name) => Some(group.counter(behaviour, name).ok_or_else(Answer::not_found)?),
    };
    check_device_type(request, group)?;
    let (start, end) = attribute::window(settings, request, DATES, behaviour.hour_only.as_deref())?;
    if let Some(message) = behaviour.declines_future.as_deref().filter(|_| end > unix_secs(clock)) {
        return Err(Answer::error(404, message));
    }
    let devices = devices(settings, request, group.traffic_kind()).ok_or_else(Answer::not_found)?;
    check_names(request, &ATTRIBUTES)?;
    check_limits(request, group)?;
    let centralized = centralized_mode(settings, group);
    let devices = if centralized == Centralized::Zeros { Vec::new() } else { devices };
    let available_until = behaviour.available_until(clock);
    let span = Span::seen(start, end, available_until, behaviour.late_events);
    let half = PAIRS.iter().any(|(one, other)| request.attribute(one).is_some() != request.attribute(other).is_some());
    if half || centralized == Centralized::Empty {
        return Ok(Report::without_data(behaviour, group, single));
    }
    let selection = selection(settings, group, request)?;
    Ok(report::build(settings, &ReportRequest { group, single, devices, span, available_until, clock, selection }))
}

/// The group, if this release has it.
fn available_group<'a>(settings: &'a Settings, name: &str) -> Option<Group<'a>> {
    let group = group::find(&settings.behaviour, name)?;
    let absent = settings.behaviour.absent_groups.contains(name)
        || centralized_mode(settings, group) == Centralized::NotFound
        || (settings.product, group.traffic_kind()) == (Product::Esa, TrafficKind::Web);
    (!absent).then_some(group)
}

/// Effect of centralized reporting on this group.
fn centralized_mode(settings: &Settings, group: Group<'_>) -> Centralized {
    let kept_here = match group {
        Group::Scalar(ScalarGroup { contents: Contents::ReportingSystem(_), .. }) => true,
        Group::Scalar(group) => group.name == "mail_system_capacity",
        Group::Keyed(_) | Group::Custom(_) => false,
    };
    match settings.product {
        Product::Esa if !kept_here => settings.behaviour.centralized,
        Product::Esa | Product::Sma => Centralized::Off,
    }
}

/// Guides and one recording want the attribute, the Swagger file has a default: here it is required on both products.
/// Mail reports take `esa`, web reports `wsa`; the message for another value is assumed.
fn check_device_type(request: &Request, group: Group<'_>) -> Result<(), Answer> {
    let wanted = match group.traffic_kind() {
        TrafficKind::Mail => "esa",
        TrafficKind::Web => "wsa",
    };
    match given(request, "device_type") {
        None => Err(missing("device_type")),
        Some(given) if given == wanted => Ok(()),
        Some(_) => Err(invalid("device_type")),
    }
}

/// Attributes that a web group does not take are refused like unknown ones (assumed). **Source:** the WSA addendum for
/// which those are.
fn check_limits(request: &Request, group: Group<'_>) -> Result<(), Answer> {
    let Some(limits) = group.web_limits() else { return Ok(()) };
    let refused = [
        (limits.unranked, &["orderBy", "orderDir", "top"][..]),
        (limits.unfiltered, &["filterBy", "filterValue", "filterOperator"]),
        (limits.undivided, &["device_name"]),
    ];
    let has = |names: &[&str]| names.iter().any(|name| request.attribute(name).is_some());
    if refused.iter().any(|(refuses, names)| *refuses && has(names)) { Err(unsupported()) } else { Ok(()) }
}

/// The devices a report is about; `None` when one is named that does not exist (or is not in the group named with it).
fn devices<'a>(settings: &'a Settings, request: &Request, traffic_kind: TrafficKind) -> Option<Vec<&'a str>> {
    let all = settings.devices_for(traffic_kind);
    if settings.product == Product::Esa {
        return Some(all);
    }
    let of_group = match given(request, "device_group_name") {
        None => all,
        Some(group) => settings.devices_of(traffic_kind, group)?,
    };
    match given(request, "device_name") {
        None => Some(of_group),
        Some(name) => of_group.into_iter().find(|&device| device == name).map(|device| vec![device]),
    }
}

/// Which rows of a keyed report. **Source:** API guide 16.0 for the attributes and the two operators. Assumed: what is
/// no number, no counter, no direction and no operator is refused; without an operator the key must be the value;
/// whatever `filterBy` names, the filter is about the key.
fn selection(settings: &Settings, group: Group<'_>, request: &Request) -> Result<RowSelection, Answer> {
    let order_by = match given(request, "orderBy") {
        None => None,
        Some(name) => {
            let counter = group.counter(&settings.behaviour, name).ok_or_else(|| invalid("orderBy"))?;
            Some(counter.to_owned())
        }
    };
    let direction = match one_of(request, "orderDir", &["asc", "desc"])? {
        Some("asc") => Direction::Ascending,
        Some(_) | None => Direction::Descending,
    };
    let operator = one_of(request, "filterOperator", &["is", "begins_with"])?;
    let filter = request.attribute("filterValue").map(|value| match operator {
        Some("begins_with") => KeyFilter::BeginsWith(value.to_owned()),
        Some(_) | None => KeyFilter::Is(value.to_owned()),
    });
    let page = match (number(request, "offset")?, number(request, "limit")?) {
        (Some(offset), Some(limit)) => Some(Page { offset, limit }),
        (None, _) | (_, None) => None,
    };
    Ok(RowSelection { filter, order_by, direction, top: number(request, "top")?, page })
}

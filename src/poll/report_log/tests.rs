//! The lines of one appliance, over rounds that go well and ill.

use std::time::Duration;

use super::*;
use crate::api::Failure;
use crate::base::clock::Timestamp;

fn at(minutes: u64) -> Tick {
    Tick::default() + Duration::from_secs(60 * minutes)
}

fn well(group: &str) -> Report {
    Report { scope: Scope::Appliance, group: group.into(), was_requested: true, is_in_summary: true, trouble: None }
}

fn ill(group: &str, reason: Reason) -> Report {
    let trouble = Trouble { failure: Failure::new(reason, "no"), at: Timestamp::from_secs(0) };
    Report { trouble: Some(Arc::new(trouble)), ..well(group) }
}

/// The lines in short.
fn lines(log: &mut ReportLog, reports: &[Report], now: Tick) -> Vec<String> {
    let identity = Identity { model: None, release: "15.5.1-055".parse().expect("a release"), serial: None };
    let lines = log.compare(reports, || Some(identity), true, now).into_iter();
    lines
        .map(|line| match line {
            Line::Summary { message } => message,
            Line::NotAvailable { reports, hint } => format!("not: {reports}; {}", hint.as_deref().unwrap_or("-")),
            Line::Failed { group, trouble, .. } => format!("failed {group} {}", trouble.reason().label()),
            Line::Recovered { group, reason, .. } => format!("recovered {group} {}", reason.label()),
            Line::Flapping { changes, failing, .. } => format!("flapping {changes} {failing}"),
        })
        .collect()
}

/// A log after a first round in which everything was fine.
fn begun(groups: &[&str]) -> ReportLog {
    let mut log = ReportLog::default();
    let reports: Vec<Report> = groups.iter().map(|group| well(group)).collect();
    assert_eq!(lines(&mut log, &reports, at(0)).len(), 1);
    log
}

#[test]
fn the_first_round_is_one_line_and_one_with_what_is_not_available() {
    let mut log = ReportLog::default();
    let waiting = Report { was_requested: false, ..well("c") };
    let declined = ill("b", Reason::Declined);
    assert!(lines(&mut log, &[well("a"), declined.clone(), waiting], at(0)).is_empty(), "the round is not over");
    let round = [well("a"), declined.clone(), Report { scope: Scope::Device("d1".into()), ..ill("c", Reason::Empty) }];
    let expected = [
        "login accepted, AsyncOS 15.5.1-055, 1 of 3 reports available",
        "not: b (declined), c of device `d1` (empty); -",
    ];
    assert_eq!(lines(&mut log, &round, at(1)), expected);
    assert!(lines(&mut log, &round, at(2)).is_empty(), "once");
    let back = [well("a"), well("b"), round[2].clone()];
    assert_eq!(lines(&mut log, &back, at(3)), ["recovered b declined"]);
    let mut log = ReportLog::default();
    let told = lines(&mut log, &[well("a"), declined], at(0));
    assert_eq!(told[1], format!("not: b (declined); {}", Reason::Declined.advice()));
}

#[test]
fn one_cause_is_one_line_however_many_groups_share_it() {
    let mut log = begun(&["a", "b", "c"]);
    let failing = ["a", "b", "c"].map(|group| ill(group, Reason::Timeout));
    assert_eq!(lines(&mut log, &failing, at(1)), ["failed a timeout"]);
    let again = ["a", "b", "c"].map(|group| ill(group, Reason::Timeout));
    assert!(lines(&mut log, &again, at(2)).is_empty());
    let other = [again[0].clone(), again[1].clone(), ill("c", Reason::NotJson)];
    assert_eq!(lines(&mut log, &other, at(3)), ["failed c not_json"]);
    let partly = [well("a"), other[1].clone(), other[2].clone()];
    assert!(lines(&mut log, &partly, at(4)).is_empty(), "the cause has not gone");
    assert_eq!(lines(&mut log, &["a", "b", "c"].map(well), at(5)), ["recovered b timeout", "recovered c not_json"]);
}

#[test]
fn each_scope_has_a_line_of_its_own() {
    let mut log = begun(&["a", "a", "a"]);
    let of = |device: &str| Report { scope: Scope::Device(device.into()), ..ill("a", Reason::Timeout) };
    assert_eq!(lines(&mut log, &[ill("a", Reason::Timeout), of("d1"), of("d2")], at(1)), ["failed a timeout"; 3]);
}

#[test]
fn a_group_that_joins_an_old_cause_is_logged() {
    let mut log = begun(&["a", "b"]);
    let first = ill("a", Reason::Declined);
    assert_eq!(lines(&mut log, &[first.clone(), well("b")], at(1)), ["failed a declined"]);
    assert_eq!(lines(&mut log, &[first, ill("b", Reason::Declined)], at(60)), ["failed b declined"]);
}

#[test]
fn a_report_that_comes_and_goes_is_one_line_with_a_count() {
    let mut log = begun(&["a"]);
    let mut told = Vec::new();
    for minute in 1..=40 {
        let report = if minute % 2 == 1 { ill("a", Reason::Timeout) } else { well("a") };
        told.extend(lines(&mut log, &[report], at(minute)));
    }
    let flapping = "flapping 10 0";
    assert_eq!(told, ["failed a timeout", "recovered a timeout", flapping, flapping, flapping]);
}

#[test]
fn what_fails_while_the_appliance_is_down_is_no_line() {
    let mut log = begun(&["a"]);
    let missed = [ill("a", Reason::Connect)];
    assert!(log.compare(&missed, || None, false, at(1)).is_empty());
    assert!(lines(&mut log, &missed, at(2)).is_empty(), "it has not failed since");
    assert_eq!(lines(&mut log, &[ill("a", Reason::Timeout)], at(3)), ["failed a timeout"]);
}

#[test]
fn a_search_is_logged_though_the_summary_does_not_wait_for_it() {
    let mut log = ReportLog::default();
    let search = |report: Report| Report { is_in_summary: false, ..report };
    let waiting = search(Report { was_requested: false, ..well("s") });
    let first = lines(&mut log, &[well("a"), waiting], at(0));
    assert_eq!(first, ["login accepted, AsyncOS 15.5.1-055, 1 of 1 reports available"]);
    assert_eq!(lines(&mut log, &[well("a"), search(ill("s", Reason::Declined))], at(1)), ["failed s declined"]);
    assert_eq!(lines(&mut log, &[well("a"), search(well("s"))], at(2)), ["recovered s declined"]);
    let mut log = ReportLog::default();
    let first = lines(&mut log, &[well("a"), search(ill("s", Reason::NotAllowed))], at(0));
    assert_eq!(first[0], "failed s not_allowed", "no summary names it");
}

//! The lines of one appliance, over rounds that go well and ill.

use std::time::Duration;

use super::line::Level;
use super::*;
use crate::api::Failure;
use crate::base::clock::Timestamp;

fn at(minutes: u64) -> Tick {
    Tick::default() + Duration::from_secs(60 * minutes)
}

fn well(group: &str) -> Polled {
    Polled {
        topic: Topic::Reports(Scope::Appliance),
        name: group.into(),
        was_requested: true,
        is_in_first_round: true,
        is_wanted: true,
        trouble: None,
    }
}

fn ill(group: &str, reason: Reason) -> Polled {
    let trouble = Trouble { failure: Failure::new(reason, "no"), at: Timestamp::from_secs(0) };
    Polled { trouble: Some(Arc::new(trouble)), ..well(group) }
}

/// The lines of the second of two failures for a reason that may pass; the first has none.
fn again(log: &mut PollLog, polled: impl Fn() -> Vec<Polled>, now: Tick) -> Vec<String> {
    let first = lines(log, &polled(), now);
    assert!(first.is_empty(), "{first:?}");
    lines(log, &polled(), now)
}

fn of_device(device: &str, report: Polled) -> Polled {
    Polled { topic: Topic::Reports(Scope::Device(device.into())), ..report }
}

/// A kind of status that is requested by default.
fn status(polled: Polled) -> Polled {
    Polled { topic: Topic::Status, is_wanted: false, ..polled }
}

/// The lines in short.
fn lines(log: &mut PollLog, polled: &[Polled], now: Tick) -> Vec<String> {
    let identity = Identity { model: None, release: "15.5.1-055".parse().expect("a release"), serial: None };
    let lines = log.compare(polled, || Some(identity), true, |_| false, now).into_iter();
    lines
        .map(|line| match line {
            Line::Summary { message } => message,
            Line::NotAvailable { reports, hint, level } => {
                format!("{level:?} {reports}; {}", hint.as_deref().unwrap_or("-"))
            }
            Line::Failed { names, trouble, level: Level::Warn, .. } => {
                format!("failed {names} {}", trouble.reason().label())
            }
            Line::Failed { names, trouble, level: Level::Info, .. } => {
                format!("not there {names} {}", trouble.reason().label())
            }
            Line::Recovered { name, reason, .. } => format!("recovered {name} {}", reason.label()),
            Line::Flapping { changes, failing, .. } => format!("flapping {changes} {failing}"),
        })
        .collect()
}

/// A log after a first round in which everything was fine.
fn begun(groups: &[&str]) -> PollLog {
    let mut log = PollLog::default();
    let reports: Vec<Polled> = groups.iter().map(|group| well(group)).collect();
    assert_eq!(lines(&mut log, &reports, at(0)).len(), 1);
    log
}

#[test]
fn the_first_round_is_one_line_and_one_with_what_is_not_available() {
    let mut log = PollLog::default();
    let waiting = Polled { was_requested: false, ..well("c") };
    let declined = ill("b", Reason::Declined);
    assert!(lines(&mut log, &[well("a"), declined.clone(), waiting], at(0)).is_empty(), "the round is not over");
    let round = [well("a"), declined.clone(), ill("c", Reason::Empty)];
    let expected = ["login accepted, AsyncOS 15.5.1-055, 1 of 3 reports available", "Info b (declined), c (empty); -"];
    assert_eq!(lines(&mut log, &round, at(1)), expected);
    assert!(lines(&mut log, &round, at(2)).is_empty(), "once");
    let back = [well("a"), well("b"), round[2].clone()];
    assert_eq!(lines(&mut log, &back, at(3)), ["recovered b declined"]);
    let mut log = PollLog::default();
    let told = lines(&mut log, &[well("a"), declined], at(0));
    assert_eq!(told[1], format!("Info b (declined); {}", Reason::Declined.advice()));
}

#[test]
fn a_first_round_that_shows_a_mistake_is_a_warning() {
    let not_allowed = ill("b", Reason::NotAllowed);
    let of_scope = of_device("d1", ill("a", Reason::Declined));
    for (round, told) in [
        (vec![well("a"), not_allowed], "Warn b (not_allowed); "),
        (vec![well("a"), of_scope], "Warn a of device `d1` (declined); "),
        (vec![ill("a", Reason::Declined), ill("b", Reason::Declined)], "Warn a (declined), b (declined); "),
    ] {
        let lines = lines(&mut PollLog::default(), &round, at(0));
        assert!(lines[1].starts_with(told), "{lines:?}");
    }
}

#[test]
fn one_cause_is_one_line_however_many_groups_share_it() {
    let mut log = begun(&["a", "b", "c"]);
    let failing = || ["a", "b", "c"].map(|group| ill(group, Reason::Timeout)).to_vec();
    assert_eq!(again(&mut log, failing, at(1)), ["failed a timeout"]);
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
    let timeout = || ill("a", Reason::Timeout);
    let failing = || vec![timeout(), of_device("d1", timeout()), of_device("d2", timeout())];
    assert_eq!(again(&mut log, failing, at(1)), ["failed a timeout"; 3]);
}

#[test]
fn a_group_that_joins_an_old_cause_is_logged() {
    let mut log = begun(&["a", "b"]);
    let first = ill("a", Reason::Declined);
    assert_eq!(lines(&mut log, &[first.clone(), well("b")], at(1)), ["failed a declined"]);
    assert_eq!(lines(&mut log, &[first, ill("b", Reason::Declined)], at(20)), ["failed b declined"]);
}

#[test]
fn what_comes_and_goes_is_one_line_an_hour_with_a_count() {
    for topic in [Topic::Reports(Scope::Appliance), Topic::Status] {
        let polled = |polled: Polled| Polled { topic: topic.clone(), ..polled };
        let (mut log, mut told) = (PollLog::default(), Vec::new());
        lines(&mut log, &[polled(well("a"))], at(0));
        for minute in 1..=250 {
            let newest = if minute % 2 == 1 { ill("a", Reason::Status) } else { well("a") };
            told.extend(lines(&mut log, &[polled(newest)], at(minute)));
        }
        let (failed, recovered) = ("failed a status", "recovered a status");
        let first = [failed, recovered, failed, recovered];
        assert_eq!(told, [&first[..], &["flapping 60 0"; 4]].concat(), "{topic:?}");
    }
}

#[test]
fn what_fails_while_the_appliance_is_down_is_no_line() {
    let mut log = begun(&["a", "s"]);
    let missed = [ill("a", Reason::Connect), status(ill("s", Reason::Connect))];
    assert!(log.compare(&missed, || None, false, |_| true, at(1)).is_empty());
    assert!(lines(&mut log, &missed, at(2)).is_empty(), "it has not failed since");
    assert_eq!(again(&mut log, || vec![ill("a", Reason::Timeout)], at(3)), ["failed a timeout"]);
}

#[test]
fn a_failure_that_passes_is_no_line() {
    let mut log = begun(&["a"]);
    for minute in 1..100 {
        let newest = if minute % 2 == 1 { ill("a", Reason::Unavailable) } else { well("a") };
        assert!(lines(&mut log, &[newest], at(minute)).is_empty());
    }
    assert_eq!(lines(&mut log, &[ill("a", Reason::Declined)], at(100)), ["failed a declined"], "that one does not");
}

#[test]
fn what_a_recent_outage_explains_is_no_line_until_it_outlasts_it() {
    let mut log = begun(&["a", "b"]);
    let of_the_way = |reason: Reason| reason.is_of_the_way();
    let round = [ill("a", Reason::Timeout), ill("b", Reason::Declined)];
    let told = log.compare(&round, || None, true, of_the_way, at(1));
    assert!(matches!(&told[..], [Line::Failed { names, .. }] if names == "b"), "{told:?}");
    let outlasting = || vec![ill("a", Reason::Timeout), round[1].clone()];
    assert_eq!(again(&mut log, outlasting, at(20)), ["failed a timeout"]);
    let nothing = PollLog::default().compare(&[], || None, false, |_| true, at(0));
    assert!(nothing.is_empty(), "no login was accepted yet: {nothing:?}");
}

#[test]
fn a_search_is_logged_though_the_summary_does_not_wait_for_it() {
    let mut log = PollLog::default();
    let search = |report: Polled| Polled { is_in_first_round: false, ..report };
    let waiting = search(Polled { was_requested: false, ..well("s") });
    let first = lines(&mut log, &[well("a"), waiting], at(0));
    assert_eq!(first, ["login accepted, AsyncOS 15.5.1-055, 1 of 1 reports available"]);
    assert_eq!(lines(&mut log, &[well("a"), search(ill("s", Reason::Declined))], at(1)), ["failed s declined"]);
    assert_eq!(lines(&mut log, &[well("a"), search(well("s"))], at(2)), ["recovered s declined"]);
    let mut log = PollLog::default();
    let first = lines(&mut log, &[well("a"), search(ill("s", Reason::NotAllowed))], at(0));
    assert_eq!(first[0], "failed s not_allowed", "no summary names it");
}

#[test]
fn status_that_the_first_round_does_not_bring_is_a_line_for_each_cause() {
    let refused = |name| status(ill(name, Reason::NotAllowed));
    let wanted = |name| Polled { is_wanted: true, ..refused(name) };
    let mut log = PollLog::default();
    let waiting = Polled { was_requested: false, ..status(well("c")) };
    let summary = "login accepted, AsyncOS 15.5.1-055, 1 of 1 reports available";
    assert_eq!(lines(&mut log, &[well("r"), refused("a"), refused("b"), waiting], at(0)), [summary]);
    let round = [well("r"), refused("a"), refused("b"), refused("c"), status(ill("d", Reason::Declined))];
    let told = ["not there a, b, c not_allowed", "not there d declined"];
    assert_eq!(lines(&mut log, &round, at(1)), told);
    assert!(lines(&mut log, &round, at(2)).is_empty(), "once");
    let first = lines(&mut PollLog::default(), &[well("r"), refused("a"), wanted("b")], at(0));
    assert_eq!(first, [summary, "failed a, b not_allowed"], "the configuration wants one of them");
    let back = [well("r"), status(well("a")), status(well("b")), status(well("c")), round[4].clone()];
    assert_eq!(lines(&mut log, &back, at(60)), ["recovered c not_allowed"]);
    let slow =
        || vec![well("r"), status(well("a")), status(ill("b", Reason::Timeout)), back[3].clone(), round[4].clone()];
    assert_eq!(again(&mut log, slow, at(90)), ["failed b timeout"], "that is no refusal");
}

//! Reports that do not arrive, and the problem that each pattern of them is.

use super::*;

/// A report of `scope` that has never arrived, for this reason; those that are refused are so from the start.
fn missing(scope: Scope, name: &str, reason: Reason) -> GroupView {
    let refusal = reason.is_refusal().then_some(reason);
    let trouble = trouble(reason, "no");
    GroupView { scope, refusal, trouble, success_until: None, last_success: None, window_end: None, ..group(name) }
}

/// The state, and the kinds and texts of the problems.
fn of(groups: Vec<GroupView>) -> (State, Vec<(&'static str, String)>) {
    let status = status(&config(&["a"]), vec![snapshot("a", groups)], &[], ExporterState::default());
    let appliance = &status.appliances[0];
    let problems = appliance.problems.iter().map(|problem| (problem.kind(), problem.to_string()));
    (appliance.state, problems.collect())
}

fn europe() -> Scope {
    Scope::DeviceGroup("europe".into())
}

#[test]
fn an_appliance_without_any_report_is_not_ok() {
    for reason in [Reason::Declined, Reason::Empty, Reason::Timeout] {
        let text = format!("no report arrives ({}): {}", reason.label(), reason.advice());
        let none = ["b", "c"].map(|name| missing(Scope::Appliance, name, reason));
        assert_eq!(of(none.into()), (State::Degraded, vec![("no_report", text)]));
    }
    let text = "the role of the account allows no report: give it the role Read-Only Operator";
    let none = ["b", "c"].map(|name| missing(Scope::Appliance, name, Reason::NotAllowed));
    assert_eq!(of(none.into()), (State::Degraded, vec![("role", text.to_owned())]));
}

#[test]
fn an_appliance_whose_reports_are_not_due_yet_is_starting() {
    let waiting = GroupView { success_until: None, last_success: None, ..group("b") };
    assert_eq!(of(vec![waiting.clone()]), (State::Starting, vec![]));
    assert_eq!(of(vec![waiting, group("c")]), (State::Ok, vec![]));
    assert_eq!(of(vec![]), (State::Ok, vec![]), "only its status is polled");
}

#[test]
fn a_scope_without_any_report_is_unknown() {
    for reason in [Reason::Declined, Reason::Empty] {
        let groups = vec![group("b"), missing(europe(), "b", reason), missing(europe(), "c", reason)];
        let text = "no report for device group `europe`: check the name in `device_groups`, and that it has \
                    centralized reporting";
        assert_eq!(of(groups), (State::Degraded, vec![("unknown_scope", text.to_owned())]));
    }
    let device = |name: &str| missing(Scope::Device(name.into()), "b", Reason::Declined);
    let kinds = |groups| of(groups).1.into_iter().map(|(kind, _)| kind).collect::<Vec<_>>();
    assert_eq!(kinds(vec![group("b"), device("d1"), device("d2")]), ["unknown_scope"; 2]);
    let partly =
        vec![group("b"), missing(europe(), "b", Reason::Declined), GroupView { scope: europe(), ..group("c") }];
    assert_eq!(kinds(partly), ["refused"], "one of its reports arrives");
    let late = vec![group("b"), missing(europe(), "b", Reason::Timeout)];
    assert_eq!(kinds(late), ["failing"], "a time limit says nothing about the name");
    let lost = GroupView { last_success: Some(ago(60)), ..missing(europe(), "b", Reason::Declined) };
    assert_eq!(kinds(vec![group("b"), lost]), ["refused"], "the name was good an hour ago");
}

#[test]
fn a_role_that_is_too_small_is_told_from_a_feature_that_is_off() {
    let of_role = |name| missing(Scope::Appliance, name, Reason::NotAllowed);
    let groups = vec![group("a"), of_role("b"), of_role("c"), missing(Scope::Appliance, "d", Reason::Declined)];
    let text = "the role of the account does not allow b and 1 more; requested hourly: give it the role Read-Only \
                Operator, or remove the group from `counter_groups`";
    let off = REFUSED.replace("declined", "d");
    assert_eq!(of(groups), (State::Degraded, vec![("role", text.to_owned()), ("refused", off)]));
}

#[test]
fn a_second_factor_has_its_own_kind() {
    for (cause, stopped, refused) in [
        (RefusalCause::Password, "logins_stopped", "logins_refused"),
        (RefusalCause::SecondFactor, "second_factor", "second_factor"),
        (RefusalCause::Passcode, "second_factor", "second_factor"),
        (RefusalCause::OtherServer, "logins_stopped", "logins_refused"),
    ] {
        assert_eq!(Problem::LoginsStopped { refusals: 3, cause }.kind(), stopped);
        assert_eq!(Problem::LoginsRefused { refusals: 1, cause }.kind(), refused);
    }
    assert_eq!(Problem::Down { reason: Reason::TwoFactor, advice: String::new() }.kind(), "second_factor");
}

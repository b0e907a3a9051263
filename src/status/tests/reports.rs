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
    of_snapshot(snapshot("a", groups))
}

fn of_snapshot(snapshot: Snapshot) -> (State, Vec<(&'static str, String)>) {
    let status = status(&config(&["a"]), vec![snapshot], &[], ExporterState::default());
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

/// A kind of status that was refused from the start.
fn refused(name: &'static str, option: &'static str, reason: Reason) -> AspectView {
    AspectView {
        name,
        option,
        is_wanted: false,
        success: false,
        last_success: None,
        refusal: Some(reason),
        trouble: trouble(reason, "no"),
        status_metrics: StatusMetrics::default(),
        unusable: Default::default(),
        expires: Tick::default(),
    }
}

#[test]
fn status_that_is_refused_is_a_problem_where_the_configuration_has_its_key() {
    let with = |groups: Vec<GroupView>, aspects: Vec<AspectView>| {
        let aspects = aspects.into_iter().map(Arc::new).collect();
        of_snapshot(Snapshot { aspects, ..snapshot("a", groups) })
    };
    let by_default = vec![
        refused("health", "health", Reason::NotAllowed),
        refused("privileges", "inventory", Reason::NotAllowed),
        refused("system_time", "inventory", Reason::NotAllowed),
        refused("quarantines", "quarantines", Reason::Declined),
    ];
    assert_eq!(with(vec![group("b")], by_default.clone()), (State::Ok, vec![]));
    let by_name: Vec<_> = by_default.iter().map(|view| AspectView { is_wanted: true, ..view.clone() }).collect();
    let role = "status requests are refused: health, privileges, system_time (not_allowed); requested hourly: the role \
                of the account does not allow this: give it the role Read-Only Operator, or set `health: false` and \
                `inventory: false`";
    let (state, problems) = with(vec![group("b")], by_name);
    assert_eq!((state, &problems[0]), (State::Degraded, &("role", role.to_owned())));
    assert!(problems.len() == 2 && problems[1].0 == "refused", "{problems:?}");
    assert!(problems[1].1.ends_with(", or set `quarantines: false`"), "{problems:?}");
    let (state, problems) = with(vec![], by_default.clone());
    assert_eq!((state, problems.len()), (State::Degraded, 2), "it delivers nothing: {problems:?}");
    let answered = AspectView { refusal: None, trouble: None, success: true, ..by_default[0].clone() };
    let partly = [vec![answered], by_default[1..].to_vec()].concat();
    assert_eq!(with(vec![], partly), (State::Ok, vec![]));
}

#[test]
fn an_esa_whose_reports_are_elsewhere_is_not_ok() {
    let with = |groups| of_snapshot(Snapshot { centralized: Some(true), ..snapshot("a", groups) });
    let text = "reporting of this ESA is centralized, so its reports are empty: poll its SMA, and set `counter_groups: \
                [mail_system_capacity]` for the ESA";
    let expected = (State::Degraded, vec![("no_report", text.to_owned())]);
    let (capacity, incoming) = ("mail_system_capacity", "mail_incoming_traffic_summary");
    assert_eq!(with(vec![group(capacity), group(incoming)]), expected, "zeros");
    for reason in [Reason::Empty, Reason::Declined] {
        assert_eq!(with(vec![group(capacity), missing(Scope::Appliance, incoming, reason)]), expected);
    }
    assert_eq!(with(vec![group(capacity)]), (State::Ok, vec![]), "it has that one");
    let slow = vec![group(capacity), missing(Scope::Appliance, incoming, Reason::Timeout)];
    assert_eq!(with(slow).1.iter().map(|(kind, _)| *kind).collect::<Vec<_>>(), ["no_report", "failing"]);
}

/// One problem of each kind.
fn one_of_each() -> Vec<Problem> {
    let cause = RefusalCause::Password;
    let round = Round { takes: MINUTE, window: MINUTE, tight: Some(Tight { fitting: None }) };
    let release = || "15.5.1-055".parse().expect("a release");
    let (reason, example, advice) = (Reason::Declined, "b".to_owned(), String::new());
    let all = vec![
        Problem::LoginsStopped { refusals: 3, cause },
        Problem::LoginsRefused { refusals: 1, cause },
        Problem::Down { reason: Reason::TwoFactor, advice: advice.clone() },
        Problem::Down { reason: Reason::Connect, advice: advice.clone() },
        Problem::NoReport { reason, advice: advice.clone() },
        Problem::Centralized,
        Problem::UnknownScope(europe()),
        Problem::Role { count: 1, example: None },
        Problem::Failing { count: 1, example: example.clone(), reason, advice: advice.clone() },
        Problem::Refused { count: 1, example },
        Problem::StatusRefused { names: vec!["health"], options: ["health"].into(), reason, advice },
        Problem::Slow(round),
        Problem::Behind { windows: 3 },
        Problem::Clock { trouble: ClockTrouble::Behind, skew_seconds: None },
        Problem::Certificate { ends: NOW, has_ended: problem::Ended::Yes },
        Problem::TooOld { release: release(), first: release() },
        Problem::Release { release: release(), minimum: release() },
    ];
    // A new kind must come here, and then into the manual.
    for problem in &all {
        match problem {
            Problem::LoginsStopped { .. }
            | Problem::LoginsRefused { .. }
            | Problem::Down { .. }
            | Problem::NoReport { .. }
            | Problem::Centralized
            | Problem::UnknownScope(_)
            | Problem::Role { .. }
            | Problem::Failing { .. }
            | Problem::Refused { .. }
            | Problem::StatusRefused { .. }
            | Problem::Slow(_)
            | Problem::Behind { .. }
            | Problem::Clock { .. }
            | Problem::Certificate { .. }
            | Problem::TooOld { .. }
            | Problem::Release { .. } => {}
        }
    }
    all
}

#[test]
fn the_manual_has_every_kind_of_problem_and_no_other() {
    let kinds: std::collections::BTreeSet<_> = one_of_each().iter().map(Problem::kind).collect();
    let manual = std::fs::read_to_string("deploy/HTTP.md").expect("the manual");
    let (_, rest) = manual
        .split_once("<!-- problems -->\n| kind | meaning | what to do |\n| --- | --- | --- |\n")
        .expect("a table");
    let (table, _) = rest.split_once("<!-- /problems -->").expect("its end");
    let rows: Vec<_> = table.lines().map(|row| row.split('`').nth(1).expect("a kind")).collect();
    assert_eq!(rows.iter().copied().collect::<std::collections::BTreeSet<_>>(), kinds);
    assert_eq!(rows.len(), kinds.len(), "each once");
}

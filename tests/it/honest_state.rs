//! Appliances that answer and do not deliver: none is `ok`, its problem names cause and cure in the JSON and on the page,
//! and goes away once it is cured.

use std::collections::BTreeSet;

use asyncos_exporter::sim::{self, Centralized, Fault, FaultBody, On};
use serde_json::Value;

use crate::rig::{PATIENCE, Rig, entry, lapse, simulate};

/// An hour, after which what is refused is requested again, takes six seconds.
const RATE: u32 = 600;
const DEFAULTS: &str = "defaults: {window: 5m, settle: 5s, timeout: 60s}\ncounter_groups: minimal\nappliances:\n";
const GROUPS: [&str; 3] = ["mail_incoming_traffic_summary", "mail_outgoing_traffic_summary", "mail_system_capacity"];

/// One appliance: its name, its fault, and the kind and a part of the text of its only problem.
struct Case {
    name: &'static str,
    break_it: fn(&sim::Appliance),
    rest: &'static str,
    kind: &'static str,
    text: &'static str,
}

fn all_groups() -> BTreeSet<String> {
    GROUPS.map(str::to_owned).into()
}

const CASES: [Case; 8] = [
    Case {
        name: "unauthorized",
        break_it: |esa| esa.change(|behaviour| behaviour.forbidden_groups = all_groups()),
        rest: "",
        kind: "role",
        text: "the role of the account allows no report: give it the role Read-Only Operator",
    },
    Case {
        name: "forbidden",
        break_it: |esa| {
            let body = FaultBody::Json("Forbidden.".into());
            esa.inject(Fault::Status { code: 403, body, retry_after: None }, On::reports());
        },
        rest: "",
        kind: "role",
        text: "the role of the account allows no report: give it the role Read-Only Operator",
    },
    Case {
        name: "one_group",
        break_it: |esa| {
            esa.change(|behaviour| behaviour.forbidden_groups = BTreeSet::from([GROUPS[1].to_owned()]));
        },
        rest: "",
        kind: "role",
        text: "the role of the account does not allow mail_outgoing_traffic_summary; requested hourly: give it the role",
    },
    Case {
        name: "declined",
        break_it: |esa| esa.change(|behaviour| behaviour.absent_groups = all_groups()),
        rest: "",
        kind: "no_report",
        text: "no report arrives (declined): the appliance does not offer this: check `product`",
    },
    Case {
        name: "zeros",
        break_it: |esa| esa.change(|behaviour| behaviour.centralized = Centralized::Zeros),
        rest: "",
        kind: "no_report",
        text: "reporting of this ESA is centralized, so its reports are empty: poll its SMA",
    },
    Case {
        name: "status",
        break_it: |esa| {
            esa.change(|behaviour| behaviour.forbidden_paths = BTreeSet::from(["health".to_owned()]));
        },
        rest: "health: true",
        kind: "role",
        text: "status requests are refused: health (not_allowed); requested hourly: the role of the account does not allow",
    },
    Case {
        name: "clock",
        break_it: |esa| esa.change(|behaviour| behaviour.clock_offset_secs = 3 * 24 * 3600),
        rest: "",
        kind: "clock",
        text: "ahead of the exporter's): windows follow the exporter's clock; check NTP",
    },
    Case {
        name: "fine",
        break_it: |esa| esa.change(|behaviour| behaviour.absent_paths = BTreeSet::from(["health".to_owned()])),
        rest: "",
        kind: "",
        text: "",
    },
];

/// The appliances of the status, by name.
async fn appliances(rig: &Rig) -> Vec<Value> {
    let text = rig.get("/api/v1/status").await.text().await.expect("a text");
    let status: Value = serde_json::from_str(&text).expect("JSON");
    status["appliances"].as_array().expect("a list").clone()
}

/// Waits until the appliance `name` is so.
async fn until(rig: &Rig, name: &str, is_so: impl Fn(&Value) -> bool) {
    let find = async || appliances(rig).await.into_iter().find(|appliance| appliance["name"] == name);
    let wait = async {
        while !find().await.is_some_and(|appliance| is_so(&appliance)) {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    };
    if tokio::time::timeout(PATIENCE, wait).await.is_err() {
        panic!("`{name}` in vain: {:#?}", find().await);
    }
}

/// Whether its only problem is of this kind and has this text. Windows that wait meanwhile are another.
fn has(appliance: &Value, kind: &str, part: &str) -> bool {
    let problems = appliance["problems"].as_array().expect("a list");
    let others = problems.iter().filter(|problem| problem["kind"] != "behind");
    let [problem] = &others.collect::<Vec<_>>()[..] else { return false };
    appliance["state"] == "degraded"
        && problem["kind"] == kind
        && problem["text"].as_str().is_some_and(|text| text.contains(part))
}

fn is_ok(appliance: &Value) -> bool {
    appliance["state"] == "ok" && appliance["problems"] == serde_json::json!([])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_appliance_that_does_not_deliver_is_not_ok_until_it_does() {
    let clock = lapse(RATE);
    let (mut simulated, mut text) = (Vec::new(), DEFAULTS.to_owned());
    for case in &CASES {
        let esa = simulate(sim::Settings::esa(&format!("{}.example.com", case.name)), &clock).await;
        (case.break_it)(&esa);
        text += &entry(case.name, &esa, case.rest);
        simulated.push(esa);
    }
    let rig = Rig::start(&text, &clock).await;
    for Case { name, kind, text, .. } in &CASES {
        if kind.is_empty() {
            until(&rig, name, is_ok).await;
            continue;
        }
        until(&rig, name, |appliance| has(appliance, kind, text)).await;
    }
    let page = rig.get("/").await.text().await.expect("a page");
    for Case { text, .. } in &CASES {
        let escaped = text.replace('\'', "&#39;");
        assert!(page.contains(&escaped), "{escaped}: {page}");
    }
    // It answers, so its API is up; whether a report succeeds is a metric of each.
    let metrics = rig.page().await;
    assert!(metrics.every("asyncos_up", &[], |up| up == 1.0));
    assert!(metrics.every("asyncos_group_success", &[("appliance", "forbidden")], |success| success == 0.0));
    for esa in &simulated {
        esa.clear_faults();
        esa.change(|behaviour| {
            behaviour.forbidden_groups.clear();
            behaviour.absent_groups.clear();
            behaviour.forbidden_paths.clear();
            (behaviour.centralized, behaviour.clock_offset_secs) = (Centralized::Off, 0);
        });
    }
    for Case { name, .. } in &CASES {
        until(&rig, name, is_ok).await;
    }
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_misspelt_scope_is_named_until_it_is_corrected() {
    let clock = lapse(RATE);
    let devices = ["esa1.example.com", "esa2.example.com"];
    let sma = simulate(sim::Settings::sma("sma1").with_group("europe", &devices), &clock).await;
    let none = simulate(sim::Settings::sma("sma2"), &clock).await;
    none.change(|behaviour| behaviour.absent_groups = all_groups());
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("c.yaml");
    let write = |groups: &str, devices: &str| {
        let scopes = format!("product: sma, polling: {{settle: 5s}}, device_groups: [{groups}], devices: [{devices}]");
        let (sma, none) = (entry("sma1", &sma, &scopes), entry("sma2", &none, "product: sma"));
        std::fs::write(&file, format!("{DEFAULTS}{sma}{none}")).expect("written");
    };
    write("europe, eurpoe", "esa1.example.com, esa9.example.com");
    let rig = Rig::start_file(&file, None, &clock).await;
    let named = |appliance: &Value| {
        let problems = appliance["problems"].as_array().expect("a list");
        let unknown = problems.iter().filter(|problem| problem["kind"] == "unknown_scope");
        let texts: Vec<_> = unknown.filter_map(|problem| problem["text"].as_str()).collect();
        appliance["state"] == "degraded"
            && texts.len() == 2
            && texts[0].contains("device group `eurpoe`: check the name in `device_groups`")
            && texts[1].contains("device `esa9.example.com`: check the name in `devices`")
    };
    until(&rig, "sma1", named).await;
    until(&rig, "sma2", |appliance| has(appliance, "no_report", "no report arrives (declined)")).await;
    write("europe", "esa1.example.com");
    rig.reload().await;
    until(&rig, "sma1", is_ok).await;
    none.change(|behaviour| behaviour.absent_groups.clear());
    until(&rig, "sma2", is_ok).await;
    rig.end().await;
}

//! The names of device groups and devices where one is asked for: in an explanation, and in a scrape of some families.

use std::collections::BTreeSet;

use asyncos_exporter::sim::{self, Scope};
use serde_json::Value;

use crate::exposition::Page;
use crate::keyed;
use crate::rig::{Rig, entry, lapse, simulate};

const GROUP: &str = "mail_incoming_traffic_summary";

/// The name of a metric, the labels of its series, the scope, and what a request for it says besides.
type Case = (String, &'static [(&'static str, &'static str)], Scope, &'static str);

/// One name for each kind of scope, all of the same counter.
fn cases(suffix: &str) -> [Case; 3] {
    let name = |scope: &str| format!("asyncos_{scope}{GROUP}_detected_spam{suffix}");
    [
        (name(""), &[("appliance", "sma1")], Scope::Whole, ""),
        (
            name("device_group_"),
            &[("appliance", "sma1"), ("device_group", "europe")],
            Scope::Group("europe".into()),
            "device_group_name=europe",
        ),
        (
            name("device_"),
            &[("appliance", "sma1"), ("device", "esa3.example.com")],
            Scope::Device("esa3.example.com".into()),
            "device_name=esa3.example.com",
        ),
    ]
}

/// An SMA with a device group of two devices, one of which is polled for, and peace for most of an hour.
async fn rig() -> (Rig, Page, sim::Appliance) {
    let clock = lapse(1);
    let settings = sim::Settings::sma("sma1").with_group("europe", &["esa3.example.com", "esa4.example.com"]);
    let sma = simulate(settings, &clock).await;
    let members = "product: sma, device_groups: [europe], devices: [esa3.example.com]";
    let text =
        format!("defaults: {{window: 1h}}\ncounter_groups: minimal\nappliances:\n{}", entry("sma1", &sma, members));
    let rig = Rig::start(&text, &clock).await;
    let page = rig.until("every report is there", keyed::all_had).await;
    (rig, page, sma)
}

async fn explained(rig: &Rig, name: &str, labels: &[(&str, &str)]) -> (u16, Value) {
    let labels: String = labels.iter().map(|(name, value)| format!("&{name}={value}")).collect();
    let answer = rig.get(&format!("/api/v1/explain?metric={name}{labels}")).await;
    let status = answer.status().as_u16();
    (status, serde_json::from_str(&answer.text().await.expect("a text")).expect("JSON"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_name_is_explained_by_the_request_of_its_own_scope() {
    let (rig, page, sma) = rig().await;
    for suffix in ["_total", "_last_window"] {
        for (name, labels, scope, said) in cases(suffix) {
            let (start, end) = keyed::window(&page, labels, GROUP);
            let truth = sma.truth(&scope, GROUP, "detected_spam", start, end);
            // The name is of one scope only, so the appliance is enough.
            for labels in [labels, &labels[..1]] {
                let (status, found) = explained(&rig, &name, labels).await;
                assert_eq!((status, found["value"].as_f64()), (200, truth), "{found}");
                let sent = found["answer"]["request"].as_str().expect("a request");
                assert!(sent.contains(&format!("/reporting/{GROUP}?")) && sent.contains(said), "{sent}");
                assert_eq!(sent.contains("device_group_name=") || sent.contains("device_name="), !said.is_empty());
            }
        }
    }
    // No name covers two kinds of scope.
    let [(whole, ..), (_, europe, ..), (_, device, ..)] = cases("_total");
    for labels in [europe, device] {
        let (status, found) = explained(&rig, &whole, labels).await;
        assert!(status == 404 && found["error"].is_string(), "{status} {found}");
    }
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scrape_of_some_families_takes_each_kind_of_scope_by_its_own_name() {
    let (rig, page, _sma) = rig().await;
    let chosen = async |query: &str| rig.get(&format!("/metrics?{query}")).await.text().await.expect("a page");
    for suffix in ["_total", "_last_window"] {
        let line = |(name, labels, ..): &Case| {
            let value = page.value(name, labels).expect("on the whole page");
            let labels: Vec<_> = labels.iter().map(|(name, value)| format!("{name}=\"{value}\"")).collect();
            format!("{name}{{{}}} {value}", labels.join(","))
        };
        let samples = |text: &str| -> BTreeSet<String> {
            text.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect()
        };
        let cases = cases(suffix);
        for case in &cases {
            let text = chosen(&format!("name[]={}", case.0)).await;
            assert_eq!(samples(&text), [line(case)].into(), "{}", case.0);
        }
        let [_, group, device] = &cases;
        let both = chosen(&format!("name[]={}&name[]={}&appliance=sma1", group.0, device.0)).await;
        assert_eq!(samples(&both), [line(group), line(device)].into());
    }
    rig.end().await;
}

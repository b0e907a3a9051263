//! An ESA that leaves its reporting to an SMA: in the three forms that its reports may take, by its own statement, and one
//! that does not.

use std::time::Duration;

use asyncos_exporter::sim::{self, Centralized};

use crate::exposition::Page;
use crate::rig::{BEGINNING, Rig, entry, lapse, simulate};

const DEFAULTS: &str = "defaults: {window: 5m, settle: 5s, timeout: 60s}\ncounter_groups: minimal\nappliances:\n";

fn centralized(page: &Page, appliance: &str) -> Option<f64> {
    page.value("asyncos_reporting_centralized", &[("appliance", appliance)])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_an_esa_with_centralized_reporting_is_detected() {
    let clock = lapse(600);
    let forms = [
        ("zeros", Centralized::Zeros),
        ("empty", Centralized::Empty),
        ("not_found", Centralized::NotFound),
        ("local", Centralized::Off),
    ];
    let (mut esas, mut text) = (Vec::new(), DEFAULTS.to_owned());
    for (name, form) in forms {
        let esa = simulate(sim::Settings::esa(&format!("{name}.example.com")), &clock).await;
        esa.change(|behaviour| behaviour.centralized = form);
        text += &entry(name, &esa, "");
        esas.push(esa);
    }
    let rig = Rig::start(&text, &clock).await;
    let all = |expected: [f64; 4]| {
        move |page: &Page| forms.iter().zip(expected).all(|((name, _), value)| centralized(page, name) == Some(value))
    };
    rig.until("three are found", all([1.0, 1.0, 1.0, 0.0])).await;
    clock.sleep(Duration::from_secs(3600)).await;
    assert!(clock.wall().as_secs() > BEGINNING + 3600);
    assert!(all([1.0, 1.0, 1.0, 0.0])(&rig.page().await), "it stays so");
    esas.iter().for_each(|esa| esa.change(|behaviour| behaviour.centralized = Centralized::Off));
    rig.until("all report again", all([0.0; 4])).await;
    rig.end().await;
}

/// The statement needs none of the reports that show it otherwise.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_esa_that_states_centralized_reporting_is_trusted() {
    let clock = lapse(600);
    let esa = simulate(sim::Settings::esa("esa1.example.com"), &clock).await;
    esa.change(|behaviour| (behaviour.centralized, behaviour.states_centralized) = (Centralized::Empty, true));
    let defaults =
        "defaults: {window: 5m, settle: 5s, timeout: 60s}\ncounter_groups: [mail_system_capacity]\nappliances:\n";
    let rig = Rig::start(&format!("{defaults}{}", entry("esa1", &esa, "inventory: true")), &clock).await;
    rig.until("it is found", |page| centralized(page, "esa1") == Some(1.0)).await;
    esa.change(|behaviour| behaviour.centralized = Centralized::Off);
    rig.until("it reports again", |page| centralized(page, "esa1") == Some(0.0)).await;
    rig.end().await;
}

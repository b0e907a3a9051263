//! Release, model and serial number from the login's token: what the page and the status show of them, and that no form of the
//! claim costs a login or a poll.

use asyncos_exporter::base::clock::Clock;
use asyncos_exporter::sim::{self, Settings, TokenCookie};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::exposition::Page;
use crate::program::Folder;
use crate::rig::{Rig, entry, lapse, simulate};

/// A minute of the time lapse is a second.
const RATE: u32 = 60;
const INFO: &str = "asyncos_appliance_info";
const BELOW: &str = "asyncos_release_below_minimum";
const SERIAL: &str = "000000000000000000AA-AAAAAAAAAAAA";

async fn start(defaults: &str, entries: &str, clock: &Clock) -> Rig {
    let text =
        format!("defaults: {{window: 1m{defaults}}}\ncounter_groups: [mail_mor_summary]\nappliances:\n{entries}");
    Rig::start(&text, clock).await
}

fn is_polled(page: &Page) -> bool {
    page.every("asyncos_group_success", &[], |success| success == 1.0)
}

/// The labels of an appliance's information, without its name.
fn info(page: &Page, appliance: &str) -> Vec<(String, String)> {
    let found = page.matching(INFO, &[("appliance", appliance)]);
    let [(labels, value)] = &found[..] else { panic!("{appliance}: {found:?}") };
    assert_eq!(*value, 1.0);
    labels.iter().filter(|(name, _)| *name != "appliance").map(|(name, value)| (name.clone(), value.clone())).collect()
}

fn pairs(labels: &[(&str, &str)]) -> Vec<(String, String)> {
    labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

async fn text(rig: &Rig, path: &str) -> String {
    rig.get(path).await.text().await.expect("a text")
}

async fn status(rig: &Rig, appliance: &str) -> Value {
    let status: Value = serde_json::from_str(&text(rig, "/api/v1/status").await).expect("JSON");
    let appliances = status["appliances"].as_array().expect("a list");
    appliances.iter().find(|one| one["name"] == appliance).expect("the appliance").clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_sma_shows_its_release_and_model_without_a_status_page() {
    let clock = lapse(RATE);
    let sma = simulate(Settings::sma("sma1"), &clock).await;
    let esa = simulate(Settings::esa("esa1"), &clock).await;
    let entries =
        entry("sma1", &sma, "product: sma") + &entry("esa1", &esa, "serial: true, minimum_release: 16.0.0-051");
    let rig = start(", minimum_release: 15.5.5-014", &entries, &clock).await;
    let page = rig.until("both are polled", is_polled).await;
    assert_eq!(info(&page, "sma1"), pairs(&[("model", "M100V"), ("product", "sma"), ("release", "16.0.0-050")]));
    let with_serial = [("model", "C100V"), ("product", "esa"), ("release", "16.0.0-050"), ("serial", SERIAL)];
    assert_eq!(info(&page, "esa1"), pairs(&with_serial));
    assert_eq!(page.value(BELOW, &[("appliance", "sma1")]), Some(0.0));
    assert_eq!(page.value(BELOW, &[("appliance", "esa1")]), Some(1.0));

    let (sma1, esa1) = (status(&rig, "sma1").await, status(&rig, "esa1").await);
    assert_eq!(
        [&sma1["release"], &sma1["model"], &sma1["minimum_release"], &sma1["serial"]],
        [&Value::from("16.0.0-050"), &"M100V".into(), &"15.5.5-014".into(), &Value::Null]
    );
    assert_eq!((&sma1["problems"], &sma1["state"]), (&serde_json::json!([]), &"ok".into()));
    let problem = serde_json::json!([{
        "kind": "release",
        "text": "AsyncOS 16.0.0-050 is older than `minimum_release` 16.0.0-051: upgrade the appliance",
    }]);
    assert_eq!((&esa1["problems"], &esa1["serial"], &esa1["state"]), (&problem, &SERIAL.into(), &"degraded".into()));
    let page = text(&rig, "/").await;
    assert!(page.contains(", AsyncOS 16.0.0-050, model M100V</small>"), "{page}");
    assert!(page.contains(&format!(", AsyncOS 16.0.0-050, model C100V, serial number {SERIAL}</small>")), "{page}");
    assert!(page.contains("<li>AsyncOS 16.0.0-050 is older than"), "{page}");
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upgrade_shows_with_the_next_login() {
    let clock = lapse(RATE);
    let esa = simulate(Settings::esa("esa1"), &clock).await;
    esa.change(|behaviour| behaviour.build = "phoebe 15.5.5-014".into());
    let rig = start(", minimum_release: 15.5.10-001", &entry("esa1", &esa, ""), &clock).await;
    rig.until("the old release is below", |page| page.value(BELOW, &[("appliance", "esa1")]) == Some(1.0)).await;
    esa.change(|behaviour| behaviour.build = "phoebe 16.0.4-302".into());
    let page = rig.until("it is upgraded", |page| page.value(BELOW, &[("appliance", "esa1")]) == Some(0.0)).await;
    assert_eq!(page.matching(INFO, &[("release", "16.0.4-302")]).len(), 1);
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_form_of_the_claim_costs_a_login_or_a_poll() {
    let claim = |bytes: &[u8]| TokenCookie::Claim(STANDARD.encode(bytes));
    for cookie in [
        TokenCookie::Missing,
        TokenCookie::Claim(String::new()),
        TokenCookie::Claim("* no Base64 *".into()),
        TokenCookie::Claim("\u{0}\n\"\u{202e}".into()),
        claim(b"no separators"),
        claim(b"\xff\xfe;\xff;"),
        claim("x;".repeat(2000).as_bytes()),
        TokenCookie::Identity(String::new()),
        TokenCookie::Identity("no separators".into()),
        TokenCookie::Identity("C100V;newest;1;".into()),
        TokenCookie::Identity("C100V\n;16.0\u{0};1;".into()),
    ] {
        let clock = lapse(RATE);
        let esa = simulate(Settings::esa("esa1"), &clock).await;
        esa.change(|behaviour| behaviour.token_cookie = cookie.clone());
        let rest = "serial: true, minimum_release: 16.0.0-051";
        let rig = start("", &entry("esa1", &esa, rest), &clock).await;
        let page = rig.until(&format!("it is polled with {cookie:?}"), is_polled).await;
        assert_eq!(info(&page, "esa1"), pairs(&[("product", "esa")]), "{cookie:?}");
        assert!(page.matching(BELOW, &[]).is_empty(), "nothing is compared with {cookie:?}");
        assert_eq!(page.value("asyncos_login_refusals", &[("appliance", "esa1")]), None, "{cookie:?}");
        assert_eq!(esa.count(|request| request.kind == sim::RequestKind::Login), 1, "{cookie:?}");
        rig.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_serial_number_is_exported_only_when_enabled() {
    let clock = lapse(RATE);
    let esa = simulate(Settings::esa("esa1"), &clock).await;
    let rig = start("", &entry("esa1", &esa, ""), &clock).await;
    rig.until("it is polled", is_polled).await;
    for path in ["/metrics", "/", "/api/v1/status", "/config", "/sd"] {
        let page = text(&rig, path).await;
        assert!(!page.contains(SERIAL), "{path}: {page}");
    }
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reload_shows_or_hides_the_serial_number_without_a_login() {
    let clock = lapse(RATE);
    let esa = simulate(Settings::esa("esa1"), &clock).await;
    let text = |serial: &str| {
        let entry = entry("esa1", &esa, &format!("serial: {serial}"));
        format!("defaults: {{window: 1m, serial: true}}\ncounter_groups: [mail_mor_summary]\nappliances:\n{entry}")
    };
    let folder = Folder::new();
    let file = folder.write("c.yaml", text("false"));
    let rig = Rig::start_file(file.as_ref(), None, &clock).await;
    let shown = |page: &Page| page.matching(INFO, &[("serial", SERIAL)]).len();
    rig.until("it is polled", |page| is_polled(page) && shown(page) == 0).await;
    folder.write("c.yaml", text("true"));
    rig.reload().await;
    rig.until("the serial number is shown", |page| shown(page) == 1).await;
    folder.write("c.yaml", text("false"));
    rig.reload().await;
    rig.until("the serial number is hidden", |page| is_polled(page) && shown(page) == 0).await;
    assert_eq!(esa.count(|request| request.kind == sim::RequestKind::Login), 1);
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_login_without_such_a_token_knows_the_release_of_the_status_page_only() {
    let clock = lapse(RATE);
    let silent = simulate(Settings::esa("esa1"), &clock).await;
    let telling = simulate(Settings::esa("esa2"), &clock).await;
    let entries =
        entry("silent", &silent, "auth: basic") + &entry("telling", &telling, "auth: basic, xml_status: true");
    let rig = start(", minimum_release: 16.0.4, serial: true", &entries, &clock).await;
    let page = rig.until("both are polled", is_polled).await;
    assert_eq!(info(&page, "silent"), pairs(&[("product", "esa")]));
    assert_eq!(page.value(BELOW, &[("appliance", "silent")]), None);
    let labels = [("hostname", "esa2"), ("product", "esa"), ("release", "16.0.0-050")];
    assert_eq!(info(&page, "telling"), pairs(&labels));
    assert_eq!(page.value(BELOW, &[("appliance", "telling")]), Some(1.0));
    rig.end().await;
}

//! What is served beside the metrics, of a fleet that is polled.

use asyncos_exporter::http::Lifecycle;
use asyncos_exporter::sim::{self, RequestKind, Scope};
use serde_json::Value;
use tokio::sync::oneshot;

use crate::exposition::Page;
use crate::program::Folder;
use crate::rig::{PATIENCE, Rig, entry, lapse, simulate};

const DEFAULTS: &str = "defaults: {window: 1m, settle: 5s, timeout: 1s}\ncounter_groups: minimal\nappliances:\n";
/// A minute of the time lapse is a second.
const RATE: u32 = 60;
const SPAM: &str = "asyncos_mail_incoming_traffic_summary_detected_spam";
const CPU: &str = "asyncos_mail_system_capacity_overall_percent_cpu_usage_ratio_last_window";

/// The first JSON at `path` that is `enough`.
async fn until(rig: &Rig, path: &str, enough: impl Fn(&Value) -> bool) -> Value {
    let wait = async {
        loop {
            let answer = rig.get(path).await;
            assert_eq!(answer.headers()["content-type"], "application/json");
            let json = serde_json::from_str(&answer.text().await.expect("a text")).expect("JSON");
            if enough(&json) {
                return json;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.unwrap_or_else(|_| panic!("waited in vain for {path}"))
}

fn appliance<'a>(status: &'a Value, name: &str) -> &'a Value {
    let appliances = status["appliances"].as_array().expect("a list");
    appliances.iter().find(|appliance| appliance["name"] == name).unwrap_or(&Value::Null)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_status_shows_which_appliances_are_up_or_down_and_why() {
    let clock = lapse(RATE);
    let well = simulate(sim::Settings::esa("esa1"), &clock).await;
    let locked = simulate(sim::Settings::esa("esa2"), &clock).await;
    let gone = simulate(sim::Settings::esa("esa3"), &clock).await;
    locked.set_passphrase("another");
    gone.stop().await;
    let text = [entry("well", &well, "xml_status: true"), entry("locked", &locked, ""), entry("gone", &gone, "")];
    let rig = Rig::start(&format!("{DEFAULTS}{}", text.concat()), &clock).await;
    let state = |status: &Value, name: &str| appliance(status, name)["state"].clone();
    let status = until(&rig, "/api/v1/status", |status| {
        let is_well = state(status, "well") == "ok" && appliance(status, "well")["release"].is_string();
        is_well && state(status, "locked") == "logins_stopped" && state(status, "gone") == "down"
    })
    .await;
    let summary = serde_json::json!({
        "appliances": 3, "ok": 1, "starting": 0, "degraded": 0, "down": 1, "logins_stopped": 1
    });
    assert_eq!(status["summary"], summary);
    let (well, locked, gone) = (appliance(&status, "well"), appliance(&status, "locked"), appliance(&status, "gone"));
    assert_eq!((&well["problems"], &well["login_refusals"]), (&serde_json::json!([]), &0.into()));
    for known in ["token_expires", "last_success", "window_end", "clock_skew_seconds"] {
        assert!(!well[known].is_null(), "{known} is known: {well}");
    }
    assert_eq!((&locked["login_refusals"], &locked["problems"][0]["kind"]), (&3.into(), &"logins_stopped".into()));
    let text = gone["problems"][0]["text"].as_str().expect("a text");
    assert!(text.contains("the host refuses connections to the port in `url`"), "{text}");
    assert!(gone["last_failure"]["reason"] == "connect" && gone["last_success"].is_null(), "{gone}");
    assert_eq!((&status["config"]["last_reload_ok"], &status["state"]["durable"]), (&true.into(), &false.into()));

    let answer = rig.get("/").await;
    assert_eq!(
        answer.headers()["content-security-policy"],
        "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
    );
    let page = answer.text().await.expect("a page");
    let place = |name: &str| page.find(&format!("<span class=\"name\">{name}</span>")).expect(name);
    assert!(place("locked") < place("gone") && place("gone") < place("well"), "the worst comes first");
    assert!(page.contains("<title>2 problems") && page.contains("logins have stopped after 3 refusals"), "{page}");
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_explanation_names_the_very_request_that_a_value_comes_from() {
    let clock = lapse(RATE);
    let esa = simulate(sim::Settings::esa("esa1"), &clock).await;
    let rig = Rig::start(&format!("{DEFAULTS}{}", entry("esa1", &esa, "polling: {start: 5m}")), &clock).await;
    let shown = |name: &str| format!("/api/v1/explain?metric={name}&appliance=esa1&job=x");
    let gauge = until(&rig, &shown(CPU), |found| found["shown"] == true).await;
    let instant = |text: &Value| {
        let time = humantime::parse_rfc3339(text.as_str().expect("an instant")).expect("an instant");
        time.duration_since(std::time::SystemTime::UNIX_EPOCH).expect("after 1970").as_secs()
    };
    let answer = &gauge["answer"];
    let (start, end) = (instant(&answer["window"]["start"]), instant(&answer["window"]["end"]));
    let counter = gauge["counter"].as_str().expect("a counter");
    let truth = esa.truth(&Scope::Whole, "mail_system_capacity", counter, start, end).expect("known");
    assert_eq!(answer["raw"], truth, "the number that the appliance said");
    assert!((gauge["value"].as_f64().expect("a number") - truth / 100.0).abs() < 1e-12, "{gauge}");
    let sent = answer["request"].as_str().expect("a request").strip_prefix("GET ").expect("a method");
    let asked = esa.requests().iter().any(|request| request.status == 200 && request.raw_target == sent);
    assert!(asked, "`{sent}` was asked");

    let total = until(&rig, &shown(&format!("{SPAM}_total")), |found| !found["answer"].is_null()).await;
    let answer = &total["answer"];
    let (start, end) = (instant(&answer["window"]["start"]), instant(&answer["window"]["end"]));
    let truth = |start, end| esa.truth(&Scope::Whole, "mail_incoming_traffic_summary", "detected_spam", start, end);
    assert_eq!(total["total"]["last_added"].as_f64(), truth(start, end));
    let (since, up_to) = (instant(&total["total"]["since"]), instant(&total["total"]["up_to"]));
    assert_eq!((up_to, total["value"].as_f64()), (end, truth(since, up_to)), "all of it is the truth: {total}");

    for (path, status) in [(shown("asyncos_up"), 404), (shown("nothing"), 404), ("/api/v1/explain".into(), 400)] {
        let answer = rig.get(&path).await;
        assert_eq!(answer.status(), status, "{path}");
        let json: Value = serde_json::from_str(&answer.text().await.expect("a text")).expect("JSON");
        assert!(json["error"].is_string(), "{json}");
    }
    let requests = |kind: &RequestKind| esa.count(|request| request.kind == *kind);
    assert_eq!(requests(&RequestKind::Login), 1);
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_configuration_shown_is_the_one_in_force() {
    let clock = lapse(RATE);
    let esa = simulate(sim::Settings::esa("esa1"), &clock).await;
    let folder = Folder::new();
    let text = |rest: &str| format!("{DEFAULTS}{}", entry("esa1", &esa, rest));
    let rig = Rig::start_file(folder.write("c.yaml", text("")).as_ref(), None, &clock).await;
    let shown = async || rig.get("/config").await.text().await.expect("a text");
    let reload = async || {
        let (reply, outcome) = oneshot::channel();
        rig.lifecycle.send(Lifecycle::Reload(reply)).await.expect("the daemon listens");
        outcome.await.expect("the daemon answers")
    };
    let first = shown().await;
    assert!(first.contains("window: 1m\n") && first.contains("password: <secret>\n") && !first.contains("ironport"));
    folder.write("c.yaml", text("polling: {window: 2m}"));
    reload().await.expect("accepted");
    assert!(shown().await.contains("window: 2m\n"));
    folder.write("c.yaml", "appliances: 5\n");
    reload().await.expect_err("no list");
    assert!(shown().await.contains("window: 2m\n"), "a refused one is not in force");
    let status = until(&rig, "/api/v1/status", |_| true).await;
    assert_eq!(status["config"]["last_reload_ok"], false);
    assert!(rig.get("/").await.text().await.expect("a page").contains("The newest configuration is invalid"));
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_probe_is_the_part_of_the_metrics_about_one_appliance() {
    let clock = lapse(RATE);
    let one = simulate(sim::Settings::esa("esa1"), &clock).await;
    let other = simulate(sim::Settings::esa("esa2"), &clock).await;
    let text = format!("{DEFAULTS}{}{}", entry("one", &one, ""), entry("other", &other, ""));
    let rig = Rig::start(&text, &clock).await;
    let up = |page: &Page| page.value("asyncos_up", &[("appliance", "one")]) == Some(1.0);
    let both = |page: &Page| up(page) && page.value("asyncos_up", &[("appliance", "other")]) == Some(1.0);
    rig.until("both are up", both).await;
    let targets = until(&rig, "/sd", |_| true).await;
    let names: Vec<&Value> =
        targets.as_array().expect("a list").iter().map(|group| &group["labels"]["__param_target"]).collect();
    assert_eq!(names, ["one", "other"]);
    assert_eq!(targets[0]["targets"][0], rig.address.to_string());
    let probed = rig.get("/probe?target=one").await;
    assert_eq!(probed.status(), 200);
    let page = Page::parse(&probed.text().await.expect("a page")).expect("the format");
    assert!(up(&page));
    let name = format!("{SPAM}_total");
    assert_eq!((page.matching(&name, &[]).len(), page.matching("asyncos_logins_total", &[]).len()), (1, 1));
    let before = (one.requests().len(), other.requests().len());
    for path in ["/probe", "/probe?target=esa1", "/probe?target=http://127.0.0.1:1"] {
        assert_eq!(rig.get(path).await.status(), 400, "{path}");
    }
    rig.end().await;
    assert!(before.0 > 0 && before.1 > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_misspelt_device_group_is_not_ok() {
    let clock = lapse(RATE);
    let settings = sim::Settings::sma("sma1").with_group("europe", &["esa3.example.com"]);
    let sma = simulate(settings, &clock).await;
    let wrong = entry("wrong", &sma, "product: sma, device_groups: [europe, erope]");
    let right = entry("right", &sma, "product: sma, device_groups: [europe]");
    let rig = Rig::start(&format!("{DEFAULTS}{wrong}{right}"), &clock).await;
    let status = until(&rig, "/api/v1/status", |status| {
        // It is a refused report until all of the scope were requested.
        let kind = &appliance(status, "wrong")["problems"][0]["kind"];
        appliance(status, "right")["state"] == "ok" && kind == "unknown_scope"
    })
    .await;
    let problem = &appliance(&status, "wrong")["problems"][0];
    assert_eq!(appliance(&status, "wrong")["state"], "degraded", "{status}");
    assert!(problem["text"].as_str().expect("a text").contains("device group `erope`"), "{problem}");
    rig.end().await;
}

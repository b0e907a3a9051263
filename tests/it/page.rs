//! The whole page of a small fleet as a golden file, with changing values blotted out, and its agreement with the code.

use std::path::Path;

use asyncos_exporter::sim;

use crate::rig::{Rig, entry, lapse, simulate};
use crate::tls_proxy::{Authority, Proxy, usual};
use crate::{exposition::Page, golden};

/// Values that differ from run to run; the rest is a pure function of the window.
fn blotted(line: &str) -> String {
    const CHANGING: &[&str] = &[
        "process_",
        "asyncos_api_request_duration_seconds",
        "asyncos_clock_skew",
        "asyncos_config_last_reload_success_t",
        "asyncos_group_last_success",
        "asyncos_token_expiry",
        "asyncos_poll_round_seconds",
        "asyncos_exporter_build_info",
    ];
    let (series, value) = line.rsplit_once(' ').expect("a value");
    let value = if CHANGING.iter().any(|name| series.starts_with(name)) { "…" } else { value };
    let series = series.replace(env!("CARGO_PKG_VERSION"), "…");
    format!("{series} {value}\n")
}

async fn page() -> String {
    // One round at noon sharp, then an hour of peace.
    let clock = lapse(1);
    let esa = simulate(sim::Settings::esa("esa1.example.com"), &clock).await;
    let shown = Authority::new().issue_until("127.0.0.1", 2049);
    let proxy = Proxy::terminate(usual(&shown), esa.address()).await;
    let behind_tls = entry("esa1", &esa, "tls: {insecure_skip_verify: true}")
        .replace(&esa.url(), &format!("https://127.0.0.1:{}", proxy.port));
    let sma = simulate(sim::Settings::sma("sma1").with_group("eu \"west\"", &["esa1.example.com"]), &clock).await;
    let text = format!(
        "defaults: {{window: 1h}}\ncounter_groups: minimal\nappliances:\n{behind_tls}{}",
        entry("sma1", &sma, "product: sma, device_groups: ['eu \"west\"']")
    );
    let rig = Rig::start(&text, &clock).await;
    // The whole hours are compared once every request was answered, which is a request more.
    let all_had = |page: &Page| {
        let all_are_one = |name: &str| page.every(name, &[], |value| value == 1.0);
        all_are_one("asyncos_group_success")
            && page.every("asyncos_reconciliations_total", &[], |compared| compared >= 3.0)
    };
    rig.until("every request was answered", all_had).await;
    let text = rig.text().await;
    rig.end().await;
    text
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_is_the_golden_one() {
    let page: String = page()
        .await
        .lines()
        .map(|line| if line.starts_with('#') { format!("{line}\n") } else { blotted(line) })
        .collect();
    golden::compare(Path::new("tests/golden/metrics.txt"), &page);
}
